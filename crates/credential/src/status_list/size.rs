//! How many bits an entry of a Bitstring Status List has, and what its values mean
//! ([`statusSize` and `statusMessage`](https://www.w3.org/TR/vc-bitstring-status-list/#bitstringstatuslistentry)).

use serde_json::Value;
use serde_json::json;
use thiserror::Error;

/// Bits of an entry, from 1 to [`StatusSize::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatusSize(u8);

/// A text for each value that an entry can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMessages {
    size: StatusSize,
    /// By value.
    texts: Vec<String>,
}

impl StatusSize {
    /// Set or unset.
    pub const ONE: Self = Self(1);
    /// The standard has no maximum, but it demands a message for each value: those of 16 bits are more than a
    /// credential may have in bytes, so that nothing larger is ever read.
    pub const MAX: Self = Self(16);

    /// The number of bits.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// How many values an entry can have.
    #[must_use]
    pub const fn values(self) -> u32 {
        1 << self.0
    }

    /// `statusSize` of an entry or a list; `None` unless it is an integer from 1 to [`StatusSize::MAX`].
    pub(crate) fn read(value: &Value) -> Option<Self> {
        value.as_u64().and_then(|bits| Self::try_from(bits).ok())
    }
}

/// Not a number of bits that we read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected from 1 to {} bits for each entry, found {found}", StatusSize::MAX.0)]
pub struct StatusSizeError {
    /// What was found.
    pub found: u64,
}

impl TryFrom<u64> for StatusSize {
    type Error = StatusSizeError;

    fn try_from(bits: u64) -> Result<Self, StatusSizeError> {
        let fits = u8::try_from(bits).ok().filter(|bits| (1..=Self::MAX.0).contains(bits));
        fits.map(Self).ok_or(StatusSizeError { found: bits })
    }
}

impl StatusMessages {
    /// The messages of the values 0, 1, 2 and so on; `None` unless there are as many as some size has values.
    #[must_use]
    pub fn new(texts: Vec<String>) -> Option<Self> {
        let mut sizes = (1..=StatusSize::MAX.0).map(StatusSize);
        let size = sizes.find(|size| has_all_values(*size, texts.len()))?;
        Some(Self { size, texts })
    }

    /// Bits of the entries that they are for.
    #[must_use]
    pub const fn size(&self) -> StatusSize {
        self.size
    }

    /// The message of a value. For developers, not for people; `undefined` where the issuer has not defined it yet.
    #[must_use]
    pub fn get(&self, value: u32) -> Option<&str> {
        let index = usize::try_from(value).ok()?;
        self.texts.get(index).map(String::as_str)
    }

    /// As `statusMessage` has them.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let message = |(value, text): (usize, &String)| json!({"status": format!("0x{value:x}"), "message": text});
        self.texts.iter().enumerate().map(message).collect()
    }

    /// Reads `statusMessage`: one message for each value of an entry of `size`, in any order. `None` if a value is
    /// missing, comes twice or does not fit.
    pub(crate) fn read(messages: &Value, size: StatusSize) -> Option<Self> {
        let messages = messages.as_array()?;
        if !has_all_values(size, messages.len()) {
            return None;
        }
        let mut texts: Vec<Option<String>> = vec![None; messages.len()];
        for message in messages {
            let digits = message.get("status")?.as_str()?.strip_prefix("0x")?;
            // `from_str_radix` would take a sign.
            if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let place = texts.get_mut(usize::from_str_radix(digits, 16).ok()?)?;
            if place.is_some() {
                return None;
            }
            *place = Some(message.get("message")?.as_str()?.to_owned());
        }
        let texts = texts.into_iter().collect::<Option<_>>()?;
        Some(Self { size, texts })
    }
}

fn has_all_values(size: StatusSize, count: usize) -> bool {
    u32::try_from(count) == Ok(size.values())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_from_1_to_16() {
        for bits in 1..=16 {
            assert_eq!(StatusSize::read(&json!(bits)).unwrap().bits(), bits);
        }
        for bad in [json!(0), json!(17), json!(-1), json!(1.5), json!("1"), json!(u64::MAX)] {
            assert_eq!(StatusSize::read(&bad), None, "{bad}");
        }
    }

    #[test]
    fn messages_are_read_as_written() {
        for bits in [1_u8, 2, 3, 8] {
            let texts: Vec<String> = (0..1_u32 << bits).map(|value| format!("message {value}")).collect();
            let messages = StatusMessages::new(texts).unwrap();
            assert_eq!(messages.size().bits(), bits);
            let mut written = messages.to_value();
            assert_eq!(StatusMessages::read(&written, messages.size()), Some(messages.clone()));
            written.as_array_mut().unwrap().reverse();
            assert_eq!(StatusMessages::read(&written, messages.size()), Some(messages.clone()));
            assert_eq!((messages.get(1), messages.get(1 << bits)), (Some("message 1"), None));
        }
        for count in [0, 1, 3, 5, 1 << 17] {
            assert_eq!(StatusMessages::new(vec![String::new(); count]), None, "{count}");
        }
    }

    #[test]
    fn every_value_has_exactly_one_message() {
        let size = StatusSize::try_from(2).unwrap();
        let good = json!([
            {"status": "0x0", "message": "pending"}, {"status": "0x1", "message": "accepted"},
            {"status": "0x2", "message": "rejected"}, {"status": "0x03", "message": "undefined", "more": 1}
        ]);
        let read = StatusMessages::read(&good, size).unwrap();
        assert_eq!((read.get(2), read.get(3)), (Some("rejected"), Some("undefined")));
        assert_eq!(
            StatusMessages::read(&good, StatusSize::ONE),
            None,
            "size and messages disagree"
        );
        for (member, bad) in [
            ("status", json!("0x2")),
            ("status", json!("0x4")),
            ("status", json!("3")),
            ("status", json!("0x+3")),
            ("status", json!("0x")),
            ("status", json!("0xffffffffffffffffff")),
            ("status", json!(3)),
            ("message", json!(3)),
        ] {
            let mut messages = good.clone();
            messages[3][member] = bad.clone();
            assert_eq!(StatusMessages::read(&messages, size), None, "{member} {bad}");
        }
        let mut short = good.clone();
        short.as_array_mut().unwrap().pop();
        assert_eq!(StatusMessages::read(&short, size), None);
        assert_eq!(StatusMessages::read(&json!({}), size), None);
    }
}
