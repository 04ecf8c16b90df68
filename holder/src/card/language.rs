//! Which of several languages a person is shown ([RFC 4647](https://www.rfc-editor.org/rfc/rfc4647)).

/// The language of our own words, and the one to show where nothing fits what was wanted: most issuers have it.
pub(crate) const DEFAULT: &str = "en";

/// A tag of BCP 47 has subtags of at most eight characters; the longest registered ones have some 35 characters.
const MAX_TAG_BYTES: usize = 64;

/// The place of the best of `tags` for the language range `wanted`; `None` only where there are no tags.
///
/// First by [lookup](https://www.rfc-editor.org/rfc/rfc4647#section-3.4): `zh-Hant-TW`, `zh-Hant`, `zh`. Then any tag of
/// the same language, so that `en` finds `en-GB`. Then the defaults: what has no tag, English, the first.
pub(crate) fn choose(wanted: &str, tags: &[Option<&str>]) -> Option<usize> {
    lookup(wanted, tags)
        .or_else(|| same_language(wanted, tags))
        .or_else(|| tags.iter().position(Option::is_none))
        .or_else(|| lookup(DEFAULT, tags))
        .or_else(|| same_language(DEFAULT, tags))
        .or_else(|| (!tags.is_empty()).then_some(0))
}

/// The element of `items` whose tag is the best for `wanted`.
pub(crate) fn best<'a, T>(wanted: &str, items: &'a [T], tag: impl Fn(&'a T) -> Option<&'a str>) -> Option<&'a T> {
    let tags: Vec<Option<&str>> = items.iter().map(tag).collect();
    choose(wanted, &tags).and_then(|place| items.get(place))
}

/// `tag`, if it can stand in a `lang` attribute.
pub(crate) fn well_formed(tag: &str) -> Option<&str> {
    let fits =
        |subtag: &str| (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (tag.len() <= MAX_TAG_BYTES && tag.split('-').all(fits)).then_some(tag)
}

fn lookup(wanted: &str, tags: &[Option<&str>]) -> Option<usize> {
    let mut range = wanted;
    loop {
        let fits = |tag: Option<&str>| tag.is_some_and(|tag| tag.eq_ignore_ascii_case(range));
        if let Some(place) = tags.iter().copied().position(fits) {
            return Some(place);
        }
        let (mut shorter, _) = range.rsplit_once('-')?;
        // "Single letter or digit subtags (including both the letter 'x' [...]) are removed as well."
        while let Some((before, last)) = shorter.rsplit_once('-')
            && last.len() == 1
        {
            shorter = before;
        }
        range = shorter;
    }
}

fn same_language(wanted: &str, tags: &[Option<&str>]) -> Option<usize> {
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    let wanted = primary(wanted);
    tags.iter()
        .position(|tag| tag.is_some_and(|tag| primary(tag) == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen<'a>(wanted: &str, tags: &[&'a str]) -> Option<&'a str> {
        best(wanted, tags, |tag| (!tag.is_empty()).then_some(*tag)).copied()
    }

    /// The range and its fallbacks are those of the table in section 3.4.
    #[test]
    fn lookup_cuts_the_range_from_its_end() {
        let wanted = "zh-Hant-CN-x-private1-private2";
        let all = [
            "zh",
            "zh-Hant",
            "zh-Hant-CN",
            "zh-hant-cn-x-private1",
            "zh-Hant-CN-x-private1-private2",
        ];
        for last in (1..=all.len()).rev() {
            assert_eq!(chosen(wanted, &all[..last]), Some(all[last - 1]));
        }
        assert_eq!(
            chosen(wanted, &["en", "zh-Hant-CN-x"]),
            Some("zh-Hant-CN-x"),
            "of the same language"
        );
        assert_eq!(chosen("de-CH", &["fr", "de-ch", "de"]), Some("de-ch"));
    }

    #[test]
    fn what_fits_nothing_gets_a_default() {
        assert_eq!(chosen("en", &["zh", "en-GB"]), Some("en-GB"));
        assert_eq!(chosen("ms", &["zh", "", "en"]), Some(""), "without a tag");
        assert_eq!(chosen("ms", &["zh", "en"]), Some("en"));
        assert_eq!(chosen("ms", &["zh", "en-SG"]), Some("en-SG"));
        assert_eq!(chosen("ms", &["zh", "ta"]), Some("zh"));
        assert_eq!(chosen("", &["zh", "ta"]), Some("zh"));
        assert_eq!(chosen("en", &[]), None);
    }

    #[test]
    fn only_tags_stand_in_attributes() {
        assert_eq!(well_formed("zh-Hant"), Some("zh-Hant"));
        for bad in ["", "en\"", "en_US", "-", "en-", "überlang", &"a-".repeat(40)] {
            assert_eq!(well_formed(bad), None, "{bad}");
        }
    }
}
