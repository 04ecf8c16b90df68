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
}
