//! CBOR written item by item, for what would be copied into a [`Value`] only to be written.

use super::MAX_HEAD_BYTES;
use super::Major;
use super::SIMPLE_FALSE;
use super::SIMPLE_NULL;
use super::SIMPLE_TRUE;
use super::TAG_ENCODED_CBOR;
use super::Value;
use super::length;

/// Room for a data element of an mdoc, so that it is not moved while it is written.
const TYPICAL_BYTES: usize = 128;

/// An encoding in the making. That it is one data item, and deterministic, is up to whoever calls: as many items follow a
/// head as it says, and the keys of a map come in the order of [`Value`].
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// With nothing written.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(TYPICAL_BYTES)
    }

    /// With nothing written, and room for as many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// A number of major type 0.
    pub fn unsigned(&mut self, number: u64) {
        self.head(Major::Unsigned, number);
    }

    /// A byte string.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(Major::Bytes, length(bytes.len()));
        self.out.extend_from_slice(bytes);
    }

    /// A text string.
    pub fn text(&mut self, text: &str) {
        self.head(Major::Text, length(text.len()));
        self.out.extend_from_slice(text.as_bytes());
    }

    /// The head of an array: its items follow.
    pub fn array(&mut self, items: usize) {
        self.head(Major::Array, length(items));
    }

    /// The head of a map: its entries follow, each key before its value.
    pub fn map(&mut self, entries: usize) {
        self.head(Major::Map, length(entries));
    }

    /// A tag: the tagged item follows.
    pub fn tag(&mut self, tag: u64) {
        self.head(Major::Tag, tag);
    }

    /// Encoded CBOR as [`tag_24`] has it.
    pub fn tag_24(&mut self, encoded: &[u8]) {
        self.tag(TAG_ENCODED_CBOR);
        self.bytes(encoded);
    }

    /// Any value; the entries of its maps are sorted.
    pub fn value(&mut self, value: &Value) {
        match value {
            Value::Unsigned(number) => self.unsigned(*number),
            Value::Negative(number) => self.head(Major::Negative, *number),
            Value::Bytes(bytes) => self.bytes(bytes),
            Value::Text(text) => self.text(text),
            Value::Array(items) => {
                self.array(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Map(entries) => {
                self.map(entries.len());
                let mut sorted: Vec<&(Value, Value)> = entries.iter().collect();
                // Scalars are nearly all keys there are. They compare as their encodings do; what is inside of others may
                // not be in order yet.
                if sorted.iter().all(|(key, _)| key.is_scalar()) {
                    sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
                } else {
                    sorted.sort_by_cached_key(|(key, _)| key.to_vec());
                }
                for (key, value) in sorted {
                    self.value(key);
                    self.value(value);
                }
            }
            Value::Tag(tag, item) => {
                self.tag(*tag);
                self.value(item);
            }
            Value::Bool(false) => self.head(Major::Simple, SIMPLE_FALSE),
            Value::Bool(true) => self.head(Major::Simple, SIMPLE_TRUE),
            Value::Null => self.head(Major::Simple, SIMPLE_NULL),
        }
    }

    /// Items that are encoded already, as they stand.
    pub fn encoded(&mut self, items: &[u8]) {
        self.out.extend_from_slice(items);
    }

    /// What is written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// Forgets what is written.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// What is written, for good.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Major type and argument, in the fewest bytes that hold the argument.
    fn head(&mut self, major: Major, argument: u64) {
        let major = (major as u8) << 5;
        if let Ok(byte) = u8::try_from(argument) {
            if byte < 24 {
                self.out.push(major | byte);
            } else {
                self.out.extend_from_slice(&[major | 0x18, byte]);
            }
        } else if let Ok(short) = u16::try_from(argument) {
            self.out.push(major | 0x19);
            self.out.extend_from_slice(&short.to_be_bytes());
        } else if let Ok(word) = u32::try_from(argument) {
            self.out.push(major | 0x1a);
            self.out.extend_from_slice(&word.to_be_bytes());
        } else {
            self.out.push(major | 0x1b);
            self.out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// The array of `items` that are encoded already, each as it stands.
pub fn array_of_encoded(items: &[&[u8]]) -> Vec<u8> {
    let mut out = Writer::with_capacity(MAX_HEAD_BYTES + items.iter().map(|item| item.len()).sum::<usize>());
    out.array(items.len());
    for item in items {
        out.encoded(item);
    }
    out.into_bytes()
}

/// The map of `entries` whose values are encoded already, sorted as [`Value::to_vec`] does.
pub fn map_of_encoded(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut sorted = entries.to_vec();
    sorted.sort_by_key(|(key, value)| (key.len(), *key, *value));
    let bytes = entries
        .iter()
        .map(|(key, value)| MAX_HEAD_BYTES + key.len() + value.len());
    let mut out = Writer::with_capacity(MAX_HEAD_BYTES + bytes.sum::<usize>());
    out.map(sorted.len());
    for (key, value) in sorted {
        out.text(key);
        out.encoded(value);
    }
    out.into_bytes()
}

/// Encoded CBOR as a byte string with [tag 24](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.5.1), so that its
/// bytes survive whatever is around them.
pub fn tag_24(encoded: impl Into<Vec<u8>>) -> Value {
    Value::Tag(TAG_ENCODED_CBOR, Box::new(Value::bytes(encoded)))
}

impl Value {
    /// The deterministic encoding. Map entries are sorted here, whatever their order in `self`.
    ///
    /// A map that holds one key twice is a mistake of the caller; its encoding is one that
    /// [`super::decode`] refuses.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.value(self);
        out.into_bytes()
    }
}
