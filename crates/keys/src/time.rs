//! Time as an argument: whole seconds since the Unix epoch.
//!
//! JWT `NumericDate`, W3C `dateTimeStamp` and the registry's Snapshot times all have (or are cut to)
//! second precision, so one type serves all of them. Nothing in the pure crates reads a clock.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

/// Seconds since 1970-01-01T00:00:00Z, between the years 1 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text is not a date and time with an offset.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected an RFC 3339 date and time with an offset, such as 2026-11-23T03:00:00Z")]
pub struct TimeError;

impl Timestamp {
    /// A time from Unix seconds. Out of range values saturate, so that hostile numbers stay comparable.
    #[must_use]
    pub const fn from_unix(seconds: i64) -> Self {
        // jiff's range, so that every value can be written as RFC 3339.
        const FIRST: i64 = -62_135_596_800;
        const LAST: i64 = 253_402_207_200;
        Self(if seconds < FIRST {
            FIRST
        } else if seconds > LAST {
            LAST
        } else {
            seconds
        })
    }

    /// Parses RFC 3339 and the XSD `dateTimeStamp` form. Fractions of a second are cut off; a missing
    /// offset is an error, since such a time means nothing to a verifier elsewhere.
    ///
    /// # Errors
    /// [`TimeError`] when the text has another form.
    pub fn parse_rfc3339(text: &str) -> Result<Self, TimeError> {
        // The parser behind it takes more forms (a space for the T, a trailing [zone]); XSD does not.
        let shape_fits = text.len() <= 40
            && text.as_bytes().get(10) == Some(&b'T')
            && text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b"T:.+-Z".contains(&byte));
        if !shape_fits {
            return Err(TimeError);
        }
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimeError)?;
        let nanoseconds_before_epoch = parsed.subsec_nanosecond() < 0;
        Ok(Self::from_unix(
            parsed.as_second() - i64::from(nanoseconds_before_epoch),
        ))
    }

    /// Parses XSD [`dateTimeStamp`](https://www.w3.org/TR/xmlschema11-2/#dateTimeStamp), the form of times in W3C
    /// credentials and proofs: seconds and offset are there, the day may end at 24:00:00, offsets end at 14:00.
    /// Fractions of a second are cut off; years beyond our range saturate, so that "never" stays comparable.
    ///
    /// # Errors
    /// [`TimeError`] when the text has another form.
    pub fn parse_date_time_stamp(text: &str) -> Result<Self, TimeError> {
        date_time_stamp(text).map(Self::from_unix).ok_or(TimeError)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> i64 {
        self.0
    }

    /// `2026-11-23T03:00:00Z`.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        // In range by construction; the fallback is the epoch's own text and cannot be reached.
        jiff::Timestamp::from_second(self.0)
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
            .to_string()
    }

    /// This time and `seconds` more.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }

    /// This time less `seconds`.
    #[must_use]
    pub const fn minus(self, seconds: i64) -> Self {
        Self::from_unix(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this time; negative if `earlier` is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// Characters of a `dateTimeStamp`; fractions of a second have at most nine digits anywhere.
const MAX_CHARS: usize = 64;

/// Unix seconds of a `dateTimeStamp`.
fn date_time_stamp(text: &str) -> Option<i64> {
    if text.len() > MAX_CHARS {
        return None;
    }
    let (before_christ, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (year, rest) = text.split_once('-')?;
    let (date, rest) = rest.split_once('T')?;
    let (month, day) = date.split_once('-')?;
    let (month, day) = (two_digits(month, 1, 12)?, two_digits(day, 1, 31)?);
    let (time, offset) = match rest.strip_suffix('Z') {
        Some(time) => (time, 0),
        None => split_offset(rest)?,
    };
    let seconds = seconds_of_day(time)?;
    let is_year = year.len() >= 4 && year.bytes().all(|byte| byte.is_ascii_digit());
    if !is_year || (year.len() > 4 && year.starts_with('0')) {
        return None;
    }
    if before_christ {
        return Some(i64::MIN);
    }
    if year.len() > 4 {
        return Some(i64::MAX);
    }
    let date = jiff::civil::Date::new(year.parse().ok()?, month, day).ok()?;
    let days = jiff::civil::date(1970, 1, 1).duration_until(date).as_secs();
    Some(days + seconds - offset)
}

/// `hh:mm:ss` with or without a fraction; only the very end of the day has the hour 24.
fn seconds_of_day(time: &str) -> Option<i64> {
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut parts = time.split(':');
    let mut part = |last| parts.next().and_then(|text| two_digits(text, 0, last)).map(i64::from);
    let seconds = part(24)? * 3_600 + part(59)? * 60 + part(59)?;
    let at_most_a_day = seconds < 86_400 || (seconds == 86_400 && fraction.bytes().all(|byte| byte == b'0'));
    (parts.next().is_none() && at_most_a_day).then_some(seconds)
}

/// A time and the seconds that its offset is ahead of UTC.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    let (time, offset) = text.split_at(text.rfind(['+', '-'])?);
    let ahead = if offset.starts_with('+') { 1 } else { -1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let minutes = i64::from(two_digits(hours, 0, 14)?) * 60 + i64::from(two_digits(minutes, 0, 59)?);
    (minutes <= 14 * 60).then_some((time, ahead * minutes * 60))
}

fn two_digits(text: &str, first: i8, last: i8) -> Option<i8> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok())??;
    (first..=last).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for unix in [0, -1, 1_795_402_800, i64::MAX, i64::MIN] {
            let time = Timestamp::from_unix(unix);
            assert_eq!(Timestamp::parse_rfc3339(&time.to_rfc3339()), Ok(time));
        }
        assert_eq!(Timestamp::from_unix(1_795_402_800).to_rfc3339(), "2026-11-23T03:00:00Z");
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        let expected = Ok(Timestamp::from_unix(1_795_402_800));
        assert_eq!(Timestamp::parse_rfc3339("2026-11-23T11:00:00+08:00"), expected);
        assert_eq!(Timestamp::parse_rfc3339("2026-11-23T03:00:00.999Z"), expected);
        assert_eq!(
            Timestamp::parse_rfc3339("1969-12-31T23:59:59.5Z"),
            Ok(Timestamp::from_unix(-1))
        );
    }

    #[test]
    fn times_without_offset_or_of_another_form_are_refused() {
        for bad in [
            "2026-11-23T03:00:00",
            "2026-11-23",
            "2026-11-23 03:00:00Z",
            "2026-11-23T03:00:00Z[UTC]",
            "2026-02-30T00:00:00Z",
            "",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(bad), Err(TimeError), "{bad:?}");
        }
    }

    #[test]
    fn date_time_stamps_are_read() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-11-23T11:00:00+08:00", 1_795_402_800),
            ("2026-11-22T19:00:00-08:00", 1_795_402_800),
            ("2026-11-23T03:00:00.123456789123Z", 1_795_402_800),
            ("2026-11-22T24:00:00.0Z", 1_795_402_800 - 3 * 3_600),
            ("2026-11-23T17:00:00+14:00", 1_795_402_800),
            ("1969-12-31T23:59:59.5Z", -1),
            ("2024-02-29T00:00:00Z", 1_709_164_800),
            ("9999-12-31T23:59:59Z", i64::MAX),
            ("12026-01-01T00:00:00Z", i64::MAX),
            ("-0044-03-15T12:00:00Z", i64::MIN),
            ("0000-01-01T00:00:00Z", i64::MIN),
        ] {
            let expected = Ok(Timestamp::from_unix(unix));
            assert_eq!(Timestamp::parse_date_time_stamp(text), expected, "{text}");
        }
    }

    #[test]
    fn other_forms_of_date_time_stamps_are_refused() {
        for bad in [
            "2026-11-23T03:00:00",
            "2026-11-23T03:00Z",
            "2026-11-23T03Z",
            "2026-11-23",
            "2026-11-23 03:00:00Z",
            "2026-11-23t03:00:00z",
            "2026-11-23T03:00:00Z[UTC]",
            "2026-11-23T03:00:00.Z",
            "2026-11-23T03:00:00,5Z",
            "2026-11-23T03:00:60Z",
            "2026-11-23T24:00:01Z",
            "2026-11-23T24:00:00.1Z",
            "2026-11-23T25:00:00Z",
            "2026-11-23T03:00:00+08",
            "2026-11-23T03:00:00+0800",
            "2026-11-23T03:00:00+14:01",
            "2026-11-23T03:00:00+15:00",
            "2026-11-23T+3:00:00Z",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-1-01T00:00:00Z",
            "02026-01-01T00:00:00Z",
            "+2026-01-01T00:00:00Z",
            "226-01-01T00:00:00Z",
            "20261123T030000Z",
            "2026-11-23T03:00:00:00Z",
            "2026-11-23T03:00:00ZZ",
            "--2026-11-23T03:00:00Z",
            " 2026-11-23T03:00:00Z",
            "",
        ] {
            assert_eq!(Timestamp::parse_date_time_stamp(bad), Err(TimeError), "{bad:?}");
        }
    }
}
