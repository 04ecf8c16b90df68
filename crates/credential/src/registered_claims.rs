//! Reading the registered claims of [RFC 7519](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)
//! from a claims set, strictly by type.

use keys::Timestamp;
use keys::json::Json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// Clocks of honest parties differ; 60 seconds is the allowance that implementers of OpenID4VCI settled on.
/// It is granted where a time must not lie in the future (`iat`, `nbf`), never to an expiry.
pub const MAX_CLOCK_SKEW: i64 = 60;

/// The issuer's fault: a registered claim is missing or of the wrong type. Only its name is told.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected the claim `{name}` as {expected}, found {found}")]
pub struct ClaimError {
    /// The claim's registered name.
    pub name: &'static str,
    /// What belongs there.
    pub expected: &'static str,
    /// Whether it is missing or of another type.
    pub found: &'static str,
}

impl ClaimError {
    pub(crate) const fn missing(name: &'static str, expected: &'static str) -> Self {
        Self {
            name,
            expected,
            found: "nothing",
        }
    }

    pub(crate) const fn malformed(name: &'static str, expected: &'static str) -> Self {
        Self {
            name,
            expected,
            found: "something else",
        }
    }
}

/// A claims set, in whatever form it was read.
pub(crate) trait ClaimsSet<'a> {
    /// The claim of this name, if present.
    fn claim(self, name: &str) -> Option<Claim<'a>>;
}

/// The value of a registered claim, as far as its type matters to us.
pub(crate) enum Claim<'a> {
    Integer(i64),
    Number(f64),
    Text(&'a str),
    Other,
}

impl<'a> ClaimsSet<'a> for &'a Map<String, Value> {
    fn claim(self, name: &str) -> Option<Claim<'a>> {
        let value = self.get(name)?;
        Some(Claim::of(value.as_str(), value.as_i64(), value.as_f64()))
    }
}

impl<'a> ClaimsSet<'a> for Json<'a> {
    fn claim(self, name: &str) -> Option<Claim<'a>> {
        let value = self.get(name)?;
        Some(Claim::of(value.as_str(), value.as_i64(), value.as_f64()))
    }
}

impl<'a> Claim<'a> {
    const fn of(text: Option<&'a str>, integer: Option<i64>, number: Option<f64>) -> Self {
        match (text, integer, number) {
            (Some(text), ..) => Self::Text(text),
            (None, Some(integer), _) => Self::Integer(integer),
            (None, None, Some(number)) => Self::Number(number),
            (None, None, None) => Self::Other,
        }
    }
}

/// A string claim, if present.
pub(crate) fn optional_string<'a>(
    claims: impl ClaimsSet<'a>,
    name: &'static str,
) -> Result<Option<&'a str>, ClaimError> {
    match claims.claim(name) {
        None => Ok(None),
        Some(Claim::Text(text)) => Ok(Some(text)),
        Some(_) => Err(ClaimError::malformed(name, "a string")),
    }
}

/// A string claim that must be there.
pub(crate) fn required_string<'a>(claims: impl ClaimsSet<'a>, name: &'static str) -> Result<&'a str, ClaimError> {
    optional_string(claims, name)?.ok_or_else(|| ClaimError::missing(name, "a string"))
}

/// Beyond this a double no longer counts seconds; a date out there is a mistake of the issuer.
const TWO_TO_53: f64 = 9_007_199_254_740_992.0;

/// A `NumericDate`, if present. Fractions of a second are cut off.
pub(crate) fn numeric_date<'a>(
    claims: impl ClaimsSet<'a>,
    name: &'static str,
) -> Result<Option<Timestamp>, ClaimError> {
    match claims.claim(name) {
        None => Ok(None),
        Some(Claim::Integer(seconds)) => Ok(Some(Timestamp::from_unix(seconds))),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "below 2^53, and the fraction is meant to be cut off"
        )]
        Some(Claim::Number(seconds)) if seconds.abs() < TWO_TO_53 => {
            Ok(Some(Timestamp::from_unix(seconds.floor() as i64)))
        }
        Some(_) => Err(ClaimError::malformed(name, "seconds since the epoch")),
    }
}

/// The issuer's or the time's fault: the thing is not valid now.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ValidityError {
    /// Its end is reached.
    #[error("expected a time before its end {until}, found {now}")]
    Expired {
        /// The end.
        until: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
    /// Its beginning is still ahead.
    #[error("expected a time from its beginning {from} on, found {now}")]
    NotYetValid {
        /// The beginning.
        from: Timestamp,
        /// The time of checking.
        now: Timestamp,
    },
}

/// Checks `nbf` (or `validFrom`) with [`MAX_CLOCK_SKEW`], and `exp` (or `validUntil`) without.
pub(crate) fn check_validity(
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ValidityError> {
    if let Some(from) = from.filter(|from| *from > now.plus(MAX_CLOCK_SKEW)) {
        return Err(ValidityError::NotYetValid { from, now });
    }
    // RFC 7519: "on or after which the JWT MUST NOT be accepted".
    match until.filter(|until| *until <= now) {
        Some(until) => Err(ValidityError::Expired { until, now }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn date(value: Value) -> Result<Option<Timestamp>, ClaimError> {
        let mut claims = Map::new();
        claims.insert("exp".to_owned(), value);
        numeric_date(&claims, "exp")
    }

    #[test]
    fn dates_are_numbers() {
        assert_eq!(numeric_date(&Map::new(), "exp"), Ok(None));
        assert_eq!(
            date(json!(1_683_000_000)),
            Ok(Some(Timestamp::from_unix(1_683_000_000)))
        );
        assert_eq!(
            date(json!(1_683_000_000.9)),
            Ok(Some(Timestamp::from_unix(1_683_000_000)))
        );
        for bad in [json!("1683000000"), json!(null), json!(1e300), json!([]), json!(true)] {
            assert!(date(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_end_is_exclusive_and_the_beginning_has_a_skew() {
        let at = Timestamp::from_unix;
        assert_eq!(check_validity(Some(at(100)), Some(at(200)), at(199)), Ok(()));
        assert!(matches!(
            check_validity(None, Some(at(200)), at(200)),
            Err(ValidityError::Expired { .. })
        ));
        assert_eq!(check_validity(Some(at(100)), None, at(40)), Ok(()));
        assert!(matches!(
            check_validity(Some(at(100)), None, at(39)),
            Err(ValidityError::NotYetValid { .. })
        ));
    }
}
