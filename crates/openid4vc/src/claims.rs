//! Reading the registered claims of a JWT ([RFC 7519, section 4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// The sender's fault: a claim that is absent or of another type.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected the claim `{name}` as {expected}")]
pub struct ClaimError {
    /// The claim's name.
    pub name: &'static str,
    /// The type it must have.
    pub expected: &'static str,
}

pub(crate) fn required_string<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, ClaimError> {
    optional_string(claims, name)?.ok_or(ClaimError {
        name,
        expected: "a string",
    })
}

pub(crate) fn optional_string<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, ClaimError> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(ClaimError {
            name,
            expected: "a string",
        }),
    }
}

pub(crate) fn required_date(claims: &Map<String, Value>, name: &'static str) -> Result<Timestamp, ClaimError> {
    optional_date(claims, name)?.ok_or(ClaimError {
        name,
        expected: "a number",
    })
}

/// Beyond 2^53 a float has no exact seconds; nobody's clock is there.
const LAST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A `NumericDate`: whole seconds, or a fraction, which is cut off.
pub(crate) fn optional_date(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, ClaimError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(Timestamp::from_unix(seconds)));
    }
    match value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked on the same line")]
        Some(seconds) if seconds.abs() < LAST_EXACT => Ok(Some(Timestamp::from_unix(seconds.floor() as i64))),
        _ => Err(ClaimError {
            name,
            expected: "a number",
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn dates_are_numbers() {
        let claims = json!({"a": 5, "b": 5.9, "c": "5", "d": 1e300});
        let claims = claims.as_object().unwrap();
        assert_eq!(required_date(claims, "a"), Ok(Timestamp::from_unix(5)));
        assert_eq!(required_date(claims, "b"), Ok(Timestamp::from_unix(5)));
        assert!(required_date(claims, "c").is_err());
        assert!(required_date(claims, "d").is_err());
        assert_eq!(optional_date(claims, "e"), Ok(None));
        assert!(required_date(claims, "e").is_err());
    }
}
