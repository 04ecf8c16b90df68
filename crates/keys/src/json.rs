//! Strict JSON for bytes that someone else sent.
//!
//! Two readers of one text must not understand two things: duplicate members, trailing bytes and
//! non-UTF-8 are refused, and depth and size are bounded before anything is built.

pub mod tree;

pub use tree::Json;
pub use tree::Tree;
pub use tree::TreeBuilder;

use std::fmt;

use serde::de::DeserializeOwned;
use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// How large a JSON text may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of the whole text; checked before parsing.
    pub max_bytes: usize,
    /// How many arrays and objects may stand inside each other; checked while parsing.
    pub max_depth: usize,
}

/// 1 MiB carries the largest credential we know (a 30 kB portrait, base64 twice) twenty times over; 32
/// levels are three times the deepest document of any standard we implement.
pub const DEFAULT_LIMITS: Limits = Limits {
    max_bytes: 1 << 20,
    max_depth: 32,
};

/// The peer sent JSON that we do not read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonError {
    /// Not JSON, a duplicate member, too deep, or bytes after the end. The text names the place, never a value.
    #[error("expected JSON with unique members, found a fault at line {line}, column {column}: {problem}")]
    Malformed {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 0.
        column: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// Valid JSON that lacks a member or has one of another type than expected.
    #[error("expected {expected}, found another shape")]
    Shape {
        /// The name of what was expected.
        expected: &'static str,
    },
    /// Larger than the limit of its place.
    #[error("expected at most {limit} bytes of JSON, found {found}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The size found.
        found: usize,
    },
}

/// Parses one JSON text.
///
/// # Errors
/// [`JsonError`], the sender's fault.
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    check_size(bytes, limits)?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict {
        levels_left: limits.max_depth,
    }
    .deserialize(&mut deserializer)
    .map_err(|error| malformed(&error))?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Parses one JSON text that must be an object.
///
/// # Errors
/// [`JsonError`], the sender's fault.
pub fn parse_object(bytes: &[u8], limits: Limits) -> Result<Map<String, Value>, JsonError> {
    match parse(bytes, limits)? {
        Value::Object(map) => Ok(map),
        _ => Err(NOT_AN_OBJECT),
    }
}

/// Parses one JSON text into `T`, with the strictness of [`parse`].
///
/// # Errors
/// [`JsonError`], the sender's fault. The message names the type, never a value of the text.
pub fn parse_as<T: DeserializeOwned>(bytes: &[u8], limits: Limits) -> Result<T, JsonError> {
    let value = parse(bytes, limits)?;
    serde_json::from_value(value).map_err(|_| JsonError::Shape {
        expected: std::any::type_name::<T>(),
    })
}

/// The text of an object as this program sends it: without white space, members in the order of the map.
///
/// Several times as fast as `Value::to_string`, which goes through `fmt`.
#[must_use]
pub fn to_text(object: &Map<String, Value>) -> String {
    // An object has nothing that cannot be written; but if it had, `fmt` would tell the same text.
    serde_json::to_string(object).unwrap_or_else(|_| Value::Object(object.clone()).to_string())
}

/// A value, written as [`to_text`] does, behind what `out` has already.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(value.to_string().as_bytes());
    }
}

/// A string as JSON, in quotes and escaped, behind what `out` has already.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    // Bytes are written to memory and text is always JSON: nothing can fail.
    let before = out.len();
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.truncate(before);
        out.extend_from_slice(Value::from(text).to_string().as_bytes());
    }
}

const fn check_size(bytes: &[u8], limits: Limits) -> Result<(), JsonError> {
    if bytes.len() > limits.max_bytes {
        return Err(JsonError::TooLarge {
            limit: limits.max_bytes,
            found: bytes.len(),
        });
    }
    Ok(())
}

const NOT_AN_OBJECT: JsonError = JsonError::Shape {
    expected: "a JSON object",
};

const DUPLICATE: &str = "duplicate member";
const TOO_DEEP: &str = "nested too deep";

fn malformed(error: &serde_json::Error) -> JsonError {
    let text = error.to_string();
    let problem = if text.starts_with(DUPLICATE) {
        DUPLICATE
    } else if text.starts_with(TOO_DEEP) || text.starts_with("recursion limit") {
        TOO_DEEP
    } else if error.is_eof() {
        "the text ends too early"
    } else {
        "not JSON"
    };
    JsonError::Malformed {
        line: error.line(),
        column: error.column(),
        problem,
    }
}

/// Builds a [`Value`] and counts the levels on the way down.
#[derive(Clone, Copy)]
struct Strict {
    levels_left: usize,
}

impl Strict {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let levels_left = self.levels_left.checked_sub(1).ok_or_else(|| E::custom(TOO_DEEP))?;
        Ok(Self { levels_left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            let value = access.next_value_seed(inner)?;
            if map.insert(name, value).is_some() {
                return Err(serde::de::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> &'static str {
        match parse(text.as_bytes(), DEFAULT_LIMITS) {
            Err(JsonError::Malformed { problem, .. }) => problem,
            other => panic!("expected a malformed text, found {other:?}"),
        }
    }

    #[test]
    fn a_good_text_is_read_whole() {
        let text = r#"{"a":[1,-2,3.5,true,null,"x\u00e9"],"b":{"a":{}}}"#;
        assert_eq!(
            parse(text.as_bytes(), DEFAULT_LIMITS).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn values_are_written_as_fmt_has_them() {
        let value = serde_json::json!({"a\"\u{7}": [1, -2, 3.5, 1e300, true, null, "x\u{e9}\n"], "b": {}});
        assert_eq!(to_text(value.as_object().unwrap()), value.to_string());
        let mut out = b"before".to_vec();
        write(&value, &mut out);
        assert_eq!(out, format!("before{value}").into_bytes());
        let text = "a\"\\\u{7}\u{e9}\n";
        let mut out = b"before".to_vec();
        write_text(text, &mut out);
        assert_eq!(out, format!("before{}", Value::from(text)).into_bytes());
    }

    #[test]
    fn duplicate_members_are_refused_at_every_level() {
        assert_eq!(problem(r#"{"a":1,"a":1}"#), DUPLICATE);
        assert_eq!(problem(r#"[{"b":{"a":1,"\u0061":2}}]"#), DUPLICATE);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(32).as_bytes(), DEFAULT_LIMITS).is_ok());
        assert_eq!(problem(&nested(33)), TOO_DEEP);
        assert_eq!(problem(&"[".repeat(100_000)), TOO_DEEP);
    }

    #[test]
    fn trailing_bytes_and_truncation_are_refused() {
        assert_eq!(problem("{} {}"), "not JSON");
        assert_eq!(problem("{\"a\":"), "the text ends too early");
        assert!(parse(b"\"\xff\"", DEFAULT_LIMITS).is_err());
    }

    #[test]
    fn size_is_checked_first() {
        let limits = Limits {
            max_bytes: 3,
            max_depth: 1,
        };
        assert_eq!(parse(b"[10]", limits), Err(JsonError::TooLarge { limit: 3, found: 4 }));
    }
}
