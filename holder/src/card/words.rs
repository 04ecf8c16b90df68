//! Our own words on a card. What an issuer says comes in the issuer's languages; these come in ours.

use super::language;

/// The words in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) language: &'static str,
    pub(crate) issuer: &'static str,
    pub(crate) valid_from: &'static str,
    pub(crate) valid_until: &'static str,
    pub(crate) state: &'static str,
    pub(crate) current: &'static str,
    pub(crate) not_yet: &'static str,
    pub(crate) expired: &'static str,
    pub(crate) status: &'static str,
    pub(crate) status_not_looked_up: &'static str,
    pub(crate) status_none: &'static str,
    pub(crate) yes: &'static str,
    pub(crate) no: &'static str,
    pub(crate) nothing: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) characters: &'static str,
    pub(crate) proves_nothing: &'static str,
    months: &'static [&'static str; 12],
}

const ENGLISH: Words = Words {
    language: "en",
    issuer: "Issued by",
    valid_from: "Valid from",
    valid_until: "Valid until",
    state: "Validity",
    current: "current",
    not_yet: "not valid yet",
    expired: "expired",
    status: "Revocation",
    status_not_looked_up: "not looked up",
    status_none: "cannot be revoked",
    yes: "yes",
    no: "no",
    nothing: "none",
    picture: "picture",
    characters: "characters",
    proves_nothing: "A picture of a credential proves nothing. Ask for the credential and verify it.",
    months: &[
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

const CHINESE: Words = Words {
    language: "zh",
    issuer: "签发者",
    valid_from: "生效时间",
    valid_until: "有效期至",
    state: "有效状态",
    current: "当前有效",
    not_yet: "尚未生效",
    expired: "已过期",
    status: "吊销状态",
    status_not_looked_up: "未查询",
    status_none: "不可吊销",
    yes: "是",
    no: "否",
    nothing: "无",
    picture: "图片",
    characters: "个字符",
    proves_nothing: "凭证的图片不能证明任何事情。请索取凭证本身并加以验证。",
    months: &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
};

impl Words {
    /// The words for a language range.
    pub(crate) fn of(wanted: &str) -> &'static Self {
        const ALL: [&Words; 2] = [&ENGLISH, &CHINESE];
        language::best(wanted, &ALL, |words| Some(words.language))
            .copied()
            .unwrap_or(&ENGLISH)
    }

    /// A day of the calendar, `YYYY-MM-DD`, as people write it; `None` for another text.
    pub(crate) fn date(&self, text: &str) -> Option<String> {
        let bytes = text.as_bytes();
        let digits = |byte: (usize, &u8)| matches!(byte.0, 4 | 7) && *byte.1 == b'-' || byte.1.is_ascii_digit();
        if bytes.len() != 10 || !bytes.iter().enumerate().all(digits) {
            return None;
        }
        let (year, month, day) = (text.get(..4)?, text.get(5..7)?, text.get(8..)?);
        let (number, month, day): (u32, usize, u32) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        let name = self.months.get(month.checked_sub(1)?)?;
        if day == 0 || day > days(number, month) {
            return None;
        }
        Some(if self.language == CHINESE.language {
            format!("{year}年{name}月{day}日")
        } else {
            format!("{day} {name} {year}")
        })
    }
}

/// Days of a month of the Gregorian calendar.
const fn days(year: u32, month: usize) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_the_wanted_language() {
        assert_eq!(Words::of("zh-Hant-TW").yes, "是");
        assert_eq!(Words::of("en-US").yes, "yes");
        assert_eq!(Words::of("ta").yes, "yes");
    }

    #[test]
    fn days_of_the_calendar_are_dates_and_nothing_else_is() {
        assert_eq!(ENGLISH.date("1990-05-17").as_deref(), Some("17 May 1990"));
        assert_eq!(CHINESE.date("1990-05-07").as_deref(), Some("1990年5月7日"));
        assert!(ENGLISH.date("2000-02-29").is_some());
        for other in [
            "1900-02-29",
            "2023-04-31",
            "2023-00-01",
            "2023-13-01",
            "2023-01-00",
            "2023-1-1",
            "20230101",
            "2023-01-01Z",
            "+023-01-01",
            "２023-01",
            "",
        ] {
            assert_eq!(ENGLISH.date(other), None, "{other}");
        }
    }
}
