//! Deterministic CBOR: one value, one encoding.
//!
//! The registry signs and hashes CBOR, so that two encodings of one value would be two entries.
//! The rules are the core deterministic encoding requirements of
//! [RFC 8949 section 4.2.1](https://www.rfc-editor.org/rfc/rfc8949.html#section-4.2.1): shortest
//! heads, definite lengths, map keys sorted by the bytes of their encoding. [`decode`] refuses
//! every other encoding, so `decode(bytes)?.to_vec() == bytes` for whatever it accepts.
//!
//! COSE and mdoc sign bytes as they came, and not every issuer's encoder is deterministic.
//! [`decode_foreign`] reads longer heads and unsorted keys too; whoever needs the bytes again for a
//! digest or a signature cuts them out with [`items`] and [`entries`] and never encodes anew.
//!
//! Out of scope: floating point numbers, `undefined` and other simple values. No format of ours
//! has them, and each would be a second way to say something.

mod write;

pub use write::Writer;
pub use write::array_of_encoded;
pub use write::map_of_encoded;
pub use write::tag_24;

use std::cmp::Ordering;

use crate::json::Limits;

/// A CBOR data item of [RFC 8949 section 3.1](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.1),
/// without floats and without simple values other than `false`, `true` and `null`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Major type 0: the number itself.
    Unsigned(u64),
    /// Major type 1: `n` stands for the number `-1 - n`, so that the whole range fits.
    Negative(u64),
    /// Major type 2.
    Bytes(Vec<u8>),
    /// Major type 3.
    Text(String),
    /// Major type 4.
    Array(Vec<Self>),
    /// Major type 5, in any order: [`Value::to_vec`] sorts. What was decoded, also from a foreign
    /// encoding, has its entries in the order of the deterministic encoding and no key twice, so that
    /// equal maps are equal values.
    Map(Vec<(Self, Self)>),
    /// Major type 6: tag number and tagged item.
    Tag(u64, Box<Self>),
    /// Simple values 20 and 21.
    Bool(bool),
    /// Simple value 22.
    Null,
}

/// Why bytes are not the deterministic encoding of a [`Value`]: the sender's fault each time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    /// More bytes than the caller allows; nothing was decoded.
    #[error("CBOR is {found} bytes long, expected at most {limit}")]
    TooLarge {
        /// The caller's limit.
        limit: usize,
        /// The length of the input.
        found: usize,
    },
    /// Arrays, maps and tags nest deeper than the caller allows.
    #[error("CBOR nests deeper than the expected maximum of {limit}")]
    TooDeep {
        /// The caller's limit.
        limit: usize,
    },
    /// The input ends within a data item.
    #[error("CBOR ends early: a data item expects {missing} more bytes or items than there are")]
    EndsEarly {
        /// How many are missing at least.
        missing: u64,
    },
    /// Bytes follow the one data item.
    #[error("CBOR is followed by {found} bytes, expected none")]
    TrailingBytes {
        /// How many bytes follow.
        found: usize,
    },
    /// A number, length or tag is written in more bytes than it needs, or a bignum holds what a
    /// plain integer can hold.
    #[error("CBOR number is not in its shortest form")]
    NotShortest,
    /// An indefinite length, or a `break`.
    #[error("CBOR has an indefinite length, expected a definite one")]
    IndefiniteLength,
    /// Additional information 28 to 30, which no standard defines.
    #[error("CBOR has the reserved additional information {found}")]
    Reserved {
        /// The five low bits of the head.
        found: u8,
    },
    /// A floating point number.
    #[error("CBOR has a floating point number, expected none")]
    Float,
    /// A simple value other than `false`, `true` and `null`.
    #[error("CBOR has the simple value {found}, expected false, true or null")]
    SimpleValue {
        /// The number of the simple value.
        found: u64,
    },
    /// A text string that is not UTF-8.
    #[error("CBOR text string is not UTF-8")]
    NotUtf8,
    /// A map key sorts before its predecessor.
    #[error("CBOR map keys are not sorted")]
    UnsortedKeys,
    /// A map key comes twice.
    #[error("CBOR map has a key twice")]
    DuplicateKey,
    /// Another kind of data item than belongs there.
    #[error("expected {expected} in CBOR, found another data item")]
    Shape {
        /// What belongs there.
        expected: &'static str,
    },
}

/// Initial byte and an argument of eight.
const MAX_HEAD_BYTES: usize = 9;

impl Value {
    /// A text string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A byte string.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(bytes.into())
    }

    /// The number, if this is an [`Value::Unsigned`].
    pub fn as_unsigned(&self) -> Option<u64> {
        match self {
            Self::Unsigned(number) => Some(*number),
            _ => None,
        }
    }

    /// The bytes, if this is a [`Value::Bytes`].
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text, if this is a [`Value::Text`].
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if this is a [`Value::Array`].
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if this is a [`Value::Map`].
    pub fn as_map(&self) -> Option<&[(Self, Self)]> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The tagged item, if this is a [`Value::Tag`] of that number.
    pub fn as_tagged(&self, tag: u64) -> Option<&Self> {
        match self {
            Self::Tag(found, item) if *found == tag => Some(item),
            _ => None,
        }
    }

    /// The encoded CBOR inside, if this is a byte string with tag 24.
    pub fn as_encoded(&self) -> Option<&[u8]> {
        self.as_tagged(TAG_ENCODED_CBOR)?.as_bytes()
    }

    /// The value at the text `key`, if this is a [`Value::Map`] that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let (_, value) = self.as_map()?.iter().find(|(found, _)| found.as_text() == Some(key))?;
        Some(value)
    }

    const fn is_scalar(&self) -> bool {
        !matches!(self, Self::Array(_) | Self::Map(_) | Self::Tag(..))
    }

    /// Major type and, where that is all there is, the argument.
    fn scalar_head(&self) -> (u8, u64) {
        match self {
            Self::Unsigned(number) => (Major::Unsigned as u8, *number),
            Self::Negative(number) => (Major::Negative as u8, *number),
            Self::Bytes(_) => (Major::Bytes as u8, 0),
            Self::Text(_) => (Major::Text as u8, 0),
            Self::Array(_) => (Major::Array as u8, 0),
            Self::Map(_) => (Major::Map as u8, 0),
            Self::Tag(..) => (Major::Tag as u8, 0),
            Self::Bool(false) => (Major::Simple as u8, SIMPLE_FALSE),
            Self::Bool(true) => (Major::Simple as u8, SIMPLE_TRUE),
            Self::Null => (Major::Simple as u8, SIMPLE_NULL),
        }
    }
}

/// The order of the deterministic encodings, if the maps in both values are in that order, as they are in what was
/// decoded.
///
/// No encoding is the beginning of another, and a head sorts by major type and then by argument. So the first
/// difference in head or content decides.
impl Ord for Value {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bytes(left), Self::Bytes(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            (Self::Array(left), Self::Array(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            (Self::Map(left), Self::Map(right)) => left.len().cmp(&right.len()).then_with(|| left.cmp(right)),
            (Self::Tag(left_tag, left), Self::Tag(right_tag, right)) => {
                left_tag.cmp(right_tag).then_with(|| left.cmp(right))
            }
            (left, right) => left.scalar_head().cmp(&right.scalar_head()),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Unsigned(number)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Unsigned(number),
            // -1 - n, without overflow for i64::MIN: in two's complement it is the complement.
            Err(_) => Self::Negative(!number.cast_unsigned()),
        }
    }
}

/// Decodes the one data item in `bytes`, which must be its deterministic encoding.
///
/// `limits.max_bytes` is checked before anything else; `limits.max_depth` counts nested arrays,
/// maps and tags. Memory stays within a constant factor of the input, whatever lengths it claims.
pub fn decode(bytes: &[u8], limits: Limits) -> Result<Value, CborError> {
    whole(bytes, limits, Encoding::Deterministic, |decoder| {
        decoder.item(limits.max_depth)
    })
}

/// Decodes the one data item in `bytes`, written by an encoder that need not be deterministic: heads may be
/// longer than the shortest and map keys unsorted. Duplicate keys and indefinite lengths are refused as in
/// [`decode`] (ISO/IEC 18013-5 clause 8.1 allows none either), and the limits are the same.
///
/// # Errors
/// [`CborError`], the sender's fault.
pub fn decode_foreign(bytes: &[u8], limits: Limits) -> Result<Value, CborError> {
    whole(bytes, limits, Encoding::Foreign, |decoder| {
        decoder.item(limits.max_depth)
    })
}

/// Cuts the one array in `bytes` into the encodings of its items, as they stand there. What is inside an item is
/// measured, not read: [`decode_foreign`] reads it.
///
/// # Errors
/// [`CborError`], the sender's fault.
pub fn items(bytes: &[u8], limits: Limits) -> Result<Vec<&[u8]>, CborError> {
    whole(bytes, limits, Encoding::Foreign, |decoder| {
        let (Major::Array, count) = decoder.head()? else {
            return Err(CborError::Shape { expected: "an array" });
        };
        let depth = decoder.deeper(limits.max_depth)?;
        decoder.expect_items(count, 1)?;
        (0..count).map(|_| decoder.encoded(depth)).collect()
    })
}

/// Cuts the one map in `bytes` into its keys, each once, and the encodings of their values, as [`items`] does.
///
/// # Errors
/// [`CborError`], the sender's fault.
pub fn entries(bytes: &[u8], limits: Limits) -> Result<Vec<(Value, &[u8])>, CborError> {
    whole(bytes, limits, Encoding::Foreign, |decoder| {
        let (Major::Map, count) = decoder.head()? else {
            return Err(CborError::Shape { expected: "a map" });
        };
        let depth = decoder.deeper(limits.max_depth)?;
        decoder.expect_items(count, 2)?;
        let entries = (0..count)
            .map(|_| Ok((decoder.item(depth)?, decoder.encoded(depth)?)))
            .collect::<Result<Vec<_>, CborError>>()?;
        // Sorted, since comparing each with each would take a hostile map's square of time.
        let mut keys: Vec<&Value> = entries.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        expect_single(keys.into_iter())?;
        Ok(entries)
    })
}

/// Reads all of `bytes` with `read`.
fn whole<'a, T>(
    bytes: &'a [u8],
    limits: Limits,
    encoding: Encoding,
    read: impl FnOnce(&mut Decoder<'a>) -> Result<T, CborError>,
) -> Result<T, CborError> {
    if bytes.len() > limits.max_bytes {
        return Err(CborError::TooLarge {
            limit: limits.max_bytes,
            found: bytes.len(),
        });
    }
    let mut decoder = Decoder {
        rest: bytes,
        max_depth: limits.max_depth,
        encoding,
    };
    let value = read(&mut decoder)?;
    if !decoder.rest.is_empty() {
        return Err(CborError::TrailingBytes {
            found: decoder.rest.len(),
        });
    }
    Ok(value)
}

/// No key of these, which are sorted, comes twice.
fn expect_single<'a>(sorted: impl Iterator<Item = &'a Value>) -> Result<(), CborError> {
    if sorted.is_sorted_by(|left, right| left != right) {
        Ok(())
    } else {
        Err(CborError::DuplicateKey)
    }
}

/// Simple values of [RFC 8949 section 3.3](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.3).
const SIMPLE_FALSE: u64 = 20;
const SIMPLE_TRUE: u64 = 21;
const SIMPLE_NULL: u64 = 22;

/// Tags of [RFC 8949 section 3.4.3](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.3).
const TAG_POSITIVE_BIGNUM: u64 = 2;
const TAG_NEGATIVE_BIGNUM: u64 = 3;
const TAG_ENCODED_CBOR: u64 = 24;

/// What fits in as many bytes is an integer of major type 0 or 1, not a bignum.
const INTEGER_BYTES: usize = 8;

#[derive(Clone, Copy)]
enum Major {
    Unsigned = 0,
    Negative = 1,
    Bytes = 2,
    Text = 3,
    Array = 4,
    Map = 5,
    Tag = 6,
    Simple = 7,
}

impl Major {
    fn of(initial: u8) -> Self {
        match initial >> 5 {
            0 => Self::Unsigned,
            1 => Self::Negative,
            2 => Self::Bytes,
            3 => Self::Text,
            4 => Self::Array,
            5 => Self::Map,
            6 => Self::Tag,
            _ => Self::Simple,
        }
    }
}

/// `usize` is 64 bits wide at most on every target of Rust.
fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Which encodings of a value are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Deterministic,
    Foreign,
}

struct Decoder<'a> {
    rest: &'a [u8],
    max_depth: usize,
    encoding: Encoding,
}

impl<'a> Decoder<'a> {
    /// One data item; `depth` levels may still be opened below it.
    fn item(&mut self, depth: usize) -> Result<Value, CborError> {
        let (major, argument) = self.head()?;
        match major {
            Major::Unsigned => Ok(Value::Unsigned(argument)),
            Major::Negative => Ok(Value::Negative(argument)),
            Major::Bytes => Ok(Value::Bytes(self.take(argument)?.to_vec())),
            Major::Text => {
                let bytes = self.take(argument)?;
                let text = std::str::from_utf8(bytes).map_err(|_| CborError::NotUtf8)?;
                Ok(Value::Text(text.to_owned()))
            }
            Major::Array => self.array(argument, self.deeper(depth)?),
            Major::Map => self.map(argument, self.deeper(depth)?),
            Major::Tag => {
                let item = self.item(self.deeper(depth)?)?;
                check_bignum(argument, &item)?;
                Ok(Value::Tag(argument, Box::new(item)))
            }
            Major::Simple => match argument {
                SIMPLE_FALSE => Ok(Value::Bool(false)),
                SIMPLE_TRUE => Ok(Value::Bool(true)),
                SIMPLE_NULL => Ok(Value::Null),
                found => Err(CborError::SimpleValue { found }),
            },
        }
    }

    fn array(&mut self, count: u64, depth: usize) -> Result<Value, CborError> {
        self.expect_items(count, 1)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.item(depth)?);
        }
        Ok(Value::Array(items))
    }

    fn map(&mut self, count: u64, depth: usize) -> Result<Value, CborError> {
        self.expect_items(count, 2)?;
        let mut entries = Vec::new();
        // The first key has no predecessor; every encoding is longer than the empty one.
        let mut previous: &[u8] = &[];
        for _ in 0..count {
            let before = self.rest;
            let key = self.item(depth)?;
            let encoded = self.since(before);
            match (self.encoding, previous.cmp(encoded)) {
                (_, Ordering::Less) | (Encoding::Foreign, Ordering::Greater) => previous = encoded,
                (_, Ordering::Equal) => return Err(CborError::DuplicateKey),
                (Encoding::Deterministic, Ordering::Greater) => return Err(CborError::UnsortedKeys),
            }
            entries.push((key, self.item(depth)?));
        }
        if self.encoding == Encoding::Foreign {
            // A key may be a map itself, written in two orders: what was decoded above is in one order already.
            entries.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
            expect_single(entries.iter().map(|(key, _)| key))?;
        }
        Ok(Value::Map(entries))
    }

    /// The bytes of one data item. Its structure is followed and its content left alone.
    fn encoded(&mut self, depth: usize) -> Result<&'a [u8], CborError> {
        let before = self.rest;
        self.skip(depth)?;
        Ok(self.since(before))
    }

    fn skip(&mut self, depth: usize) -> Result<(), CborError> {
        let (major, argument) = self.head()?;
        let (count, items_each) = match major {
            Major::Unsigned | Major::Negative | Major::Simple => return Ok(()),
            Major::Bytes | Major::Text => return self.take(argument).map(|_| ()),
            Major::Array => (argument, 1),
            Major::Map => (argument, 2),
            Major::Tag => (1, 1),
        };
        let depth = self.deeper(depth)?;
        self.expect_items(count, items_each)?;
        for _ in 0..count.saturating_mul(items_each) {
            self.skip(depth)?;
        }
        Ok(())
    }

    /// What was read since `before` was the rest.
    fn since(&self, before: &'a [u8]) -> &'a [u8] {
        before
            .get(..before.len().saturating_sub(self.rest.len()))
            .unwrap_or_default()
    }

    fn head(&mut self) -> Result<(Major, u64), CborError> {
        let initial = self.byte()?;
        let major = Major::of(initial);
        let information = initial & 0x1f;
        if matches!(major, Major::Simple) {
            return self.simple(information).map(|argument| (major, argument));
        }
        let (argument, least) = match information {
            0..=23 => (u64::from(information), 0),
            24 => (self.number(1)?, 24),
            25 => (self.number(2)?, 1 << 8),
            26 => (self.number(4)?, 1 << 16),
            27 => (self.number(8)?, 1 << 32),
            28..=30 => return Err(CborError::Reserved { found: information }),
            _ => return Err(CborError::IndefiniteLength),
        };
        if argument < least && self.encoding == Encoding::Deterministic {
            return Err(CborError::NotShortest);
        }
        Ok((major, argument))
    }

    /// Major type 7, where the additional information means something of its own.
    fn simple(&mut self, information: u8) -> Result<u64, CborError> {
        match information {
            0..=23 => Ok(u64::from(information)),
            // Values below 32 have no two-byte form at all (RFC 8949 section 3.3).
            24 => match self.number(1)? {
                0..=31 => Err(CborError::NotShortest),
                found => Ok(found),
            },
            25..=27 => Err(CborError::Float),
            28..=30 => Err(CborError::Reserved { found: information }),
            _ => Err(CborError::IndefiniteLength),
        }
    }

    fn number(&mut self, width: u64) -> Result<u64, CborError> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn byte(&mut self) -> Result<u8, CborError> {
        let (first, rest) = self.rest.split_first().ok_or(CborError::EndsEarly { missing: 1 })?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8], CborError> {
        let missing = || CborError::EndsEarly {
            missing: count.saturating_sub(length(self.rest.len())),
        };
        let wanted = usize::try_from(count).map_err(|_| missing())?;
        let (taken, rest) = self.rest.split_at_checked(wanted).ok_or_else(missing)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Every item takes a byte at least, so a count beyond the input is refused before the work.
    fn expect_items(&self, count: u64, items_each: u64) -> Result<(), CborError> {
        let wanted = count.saturating_mul(items_each);
        match wanted.saturating_sub(length(self.rest.len())) {
            0 => Ok(()),
            missing => Err(CborError::EndsEarly { missing }),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, CborError> {
        depth.checked_sub(1).ok_or(CborError::TooDeep { limit: self.max_depth })
    }
}

/// Preferred serialization of
/// [RFC 8949 section 3.4.3](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4.3): no leading
/// zeroes, and no bignum for a number that majors 0 and 1 can say.
fn check_bignum(tag: u64, item: &Value) -> Result<(), CborError> {
    match (tag, item) {
        (TAG_POSITIVE_BIGNUM | TAG_NEGATIVE_BIGNUM, Value::Bytes(bytes))
            if bytes.len() <= INTEGER_BYTES || bytes.first() == Some(&0) =>
        {
            Err(CborError::NotShortest)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
