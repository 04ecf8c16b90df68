//! Reading CBOR maps with integer keys: every key named, every type checked, nothing left over.
//!
//! An entry with a member that this version does not know is refused: two readers must not reach two
//! states. New members come with a new entry version.

use std::collections::BTreeMap;

use keys::Timestamp;
use keys::cbor::CborError;
use keys::cbor::Value;
use keys::json::Limits;
use thiserror::Error;

use crate::merkle::Hash;

/// Entry, body, list, element, list, element: six levels; two more for what is to come.
const MAX_DEPTH: usize = 8;

/// Why bytes are not what they should be: their author's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// Not deterministic CBOR, too large or too deep.
    #[error("{what} is not deterministic CBOR")]
    Cbor {
        /// What was read.
        what: &'static str,
        /// The fault.
        #[source]
        source: CborError,
    },
    /// A member is missing.
    #[error("{what}: expected member {key}, found none")]
    Missing {
        /// What was read.
        what: &'static str,
        /// Key of the member.
        key: u64,
    },
    /// A member has another type or a value out of range.
    #[error("{what}: expected {expected}")]
    Shape {
        /// What was read.
        what: &'static str,
        /// What was expected.
        expected: &'static str,
    },
    /// A member that this version does not define.
    #[error("{what}: expected only known members, found another")]
    Unknown {
        /// What was read.
        what: &'static str,
    },
}

/// Decodes deterministic CBOR of at most `max_bytes`.
pub(crate) fn decode(what: &'static str, bytes: &[u8], max_bytes: usize) -> Result<Value, DecodeError> {
    keys::cbor::decode(
        bytes,
        Limits {
            max_bytes,
            max_depth: MAX_DEPTH,
        },
    )
    .map_err(|source| DecodeError::Cbor { what, source })
}

/// The members of a map that were not taken yet.
pub(crate) struct Fields {
    what: &'static str,
    members: BTreeMap<u64, Value>,
}

impl Fields {
    /// Opens a map whose keys are all unsigned integers.
    pub(crate) fn open(what: &'static str, value: Value) -> Result<Self, DecodeError> {
        let Value::Map(entries) = value else {
            return Err(DecodeError::Shape {
                what,
                expected: "a map",
            });
        };
        let mut members = BTreeMap::new();
        for (key, value) in entries {
            let key = key.as_unsigned().ok_or(DecodeError::Unknown { what })?;
            members.insert(key, value);
        }
        Ok(Self { what, members })
    }

    /// Ends reading: nothing may be left.
    pub(crate) fn end(self) -> Result<(), DecodeError> {
        if self.members.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Unknown { what: self.what })
        }
    }

    pub(crate) fn optional(&mut self, key: u64) -> Option<Value> {
        self.members.remove(&key)
    }

    pub(crate) fn value(&mut self, key: u64) -> Result<Value, DecodeError> {
        self.optional(key).ok_or(DecodeError::Missing { what: self.what, key })
    }

    pub(crate) fn unsigned(&mut self, key: u64) -> Result<u64, DecodeError> {
        self.value(key)?
            .as_unsigned()
            .ok_or_else(|| self.shape("an unsigned number"))
    }

    pub(crate) fn boolean(&mut self, key: u64) -> Result<bool, DecodeError> {
        match self.value(key)? {
            Value::Bool(value) => Ok(value),
            _ => Err(self.shape("true or false")),
        }
    }

    /// A point in time: unsigned seconds since 1970, up to the year 9999.
    pub(crate) fn time(&mut self, key: u64) -> Result<Timestamp, DecodeError> {
        let seconds = self.unsigned(key)?;
        let time = i64::try_from(seconds)
            .map(Timestamp::from_unix)
            .map_err(|_| self.shape("a time before the year 10000"))?;
        // `from_unix` saturates; a saturated number would be a second encoding of the same time.
        if u64::try_from(time.unix()) == Ok(seconds) {
            Ok(time)
        } else {
            Err(self.shape("a time before the year 10000"))
        }
    }

    pub(crate) fn optional_time(&mut self, key: u64) -> Result<Option<Timestamp>, DecodeError> {
        if self.members.contains_key(&key) {
            self.time(key).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Non-empty text without control characters.
    pub(crate) fn text(&mut self, key: u64) -> Result<String, DecodeError> {
        let value = self.value(key)?;
        text(self.what, value)
    }

    pub(crate) fn optional_text(&mut self, key: u64) -> Result<Option<String>, DecodeError> {
        let what = self.what;
        self.optional(key).map(|value| text(what, value)).transpose()
    }

    /// Text with newlines.
    pub(crate) fn lines(&mut self, key: u64) -> Result<String, DecodeError> {
        match self.value(key)? {
            Value::Text(text) => Ok(text),
            _ => Err(self.shape("text")),
        }
    }

    pub(crate) fn bytes(&mut self, key: u64) -> Result<Vec<u8>, DecodeError> {
        match self.value(key)? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(self.shape("bytes")),
        }
    }

    pub(crate) fn optional_bytes(&mut self, key: u64, expected: &'static str) -> Result<Option<Vec<u8>>, DecodeError> {
        match self.optional(key) {
            Some(Value::Bytes(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(self.shape(expected)),
            None => Ok(None),
        }
    }

    pub(crate) fn hash(&mut self, key: u64) -> Result<Hash, DecodeError> {
        let value = self.value(key)?;
        hash(self.what, &value)
    }

    pub(crate) fn optional_hash(&mut self, key: u64) -> Result<Option<Hash>, DecodeError> {
        let what = self.what;
        self.optional(key).map(|value| hash(what, &value)).transpose()
    }

    /// An array, each element read by `element`.
    pub(crate) fn array<T>(
        &mut self,
        key: u64,
        element: impl FnMut(Value) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        match self.value(key)? {
            Value::Array(items) => items.into_iter().map(element).collect(),
            _ => Err(self.shape("an array")),
        }
    }

    pub(crate) fn texts(&mut self, key: u64) -> Result<Vec<String>, DecodeError> {
        let what = self.what;
        self.array(key, |value| text(what, value))
    }

    pub(crate) fn hashes(&mut self, key: u64) -> Result<Vec<Hash>, DecodeError> {
        let what = self.what;
        self.array(key, |value| hash(what, &value))
    }

    /// A number that stands for one of the variants that `variant` knows.
    pub(crate) fn variant<T>(
        &mut self,
        key: u64,
        expected: &'static str,
        variant: impl Fn(u64) -> Option<T>,
    ) -> Result<T, DecodeError> {
        variant(self.unsigned(key)?).ok_or_else(|| self.shape(expected))
    }

    pub(crate) const fn shape(&self, expected: &'static str) -> DecodeError {
        DecodeError::Shape {
            what: self.what,
            expected,
        }
    }
}

/// Builds a map with integer keys; what is absent is left out.
#[derive(Default)]
pub(crate) struct MapBuilder(Vec<(Value, Value)>);

impl MapBuilder {
    pub(crate) fn put(mut self, key: u64, value: impl Into<Value>) -> Self {
        self.0.push((Value::Unsigned(key), value.into()));
        self
    }

    pub(crate) fn optional(self, key: u64, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(key, value),
            None => self,
        }
    }

    pub(crate) fn build(self) -> Value {
        Value::Map(self.0)
    }
}

pub(crate) fn time_value(time: Timestamp) -> Value {
    // Times before 1970 are never made: `Fields::time` refuses them on the way in.
    Value::Unsigned(u64::try_from(time.unix()).unwrap_or(0))
}

pub(crate) fn hash_value(hash: Hash) -> Value {
    Value::bytes(*hash.as_bytes())
}

pub(crate) fn texts_value(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(Value::text).collect())
}

pub(crate) fn hashes_value(hashes: &[Hash]) -> Value {
    Value::Array(hashes.iter().copied().map(hash_value).collect())
}

/// Non-empty text without control characters.
pub(crate) fn text(what: &'static str, value: Value) -> Result<String, DecodeError> {
    match value {
        Value::Text(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(text),
        _ => Err(DecodeError::Shape {
            what,
            expected: "non-empty text without control characters",
        }),
    }
}

fn hash(what: &'static str, value: &Value) -> Result<Hash, DecodeError> {
    let bytes = value.as_bytes().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Hash::from_bytes).ok_or(DecodeError::Shape {
        what,
        expected: "a SHA-256 digest",
    })
}

/// Whether the texts are strictly ascending by their bytes: sorted, and none twice.
pub(crate) fn is_sorted_set<T: Ord>(items: &[T]) -> bool {
    items.is_sorted_by(|left, right| left < right)
}
