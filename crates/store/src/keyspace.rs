//! Rooms: each actor keeps its keys under a prefix of its own.

use thiserror::Error;

use crate::MAX_KEY_BYTES;

/// Longest prefix: leaves most of [`MAX_KEY_BYTES`] to the keys.
const MAX_PREFIX_BYTES: usize = MAX_KEY_BYTES / 4;

/// A prefix such as `issuer/` or `issuer/nonce/`: segments of `a-z`, `0-9` and `-`, each closed by
/// a slash. Because the slash is never inside a segment, no room lies in another one by accident.
///
/// Pass it to [`Store::room`](crate::Store::room) to confine a store to it, or make keys with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyspace {
    prefix: String,
}

/// The text is not the prefix of a keyspace. The caller is at fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected segments of a-z, 0-9 and '-', each closed by '/', {MAX_PREFIX_BYTES} bytes at most, found {found:?}")]
#[non_exhaustive]
pub struct KeyspaceError {
    /// The text.
    pub found: String,
}

impl Keyspace {
    /// The keyspace of `prefix`, for example `registry/`.
    pub fn new(prefix: &str) -> Result<Self, KeyspaceError> {
        let segments = prefix.strip_suffix('/');
        let valid = segments.is_some_and(|segments| segments.split('/').all(is_segment));
        if !valid || prefix.len() > MAX_PREFIX_BYTES {
            return Err(KeyspaceError {
                found: prefix.to_owned(),
            });
        }
        Ok(Self {
            prefix: prefix.to_owned(),
        })
    }

    /// A room inside this one: `issuer/` with `nonce/` gives `issuer/nonce/`.
    pub fn within(&self, prefix: &str) -> Result<Self, KeyspaceError> {
        Self::new(prefix)?;
        Self::new(&format!("{}{prefix}", self.prefix))
    }

    /// The key of `name` in this room.
    #[must_use]
    pub fn key(&self, name: impl AsRef<[u8]>) -> Vec<u8> {
        [self.prefix.as_bytes(), name.as_ref()].concat()
    }

    /// The key of `number` in this room: eight bytes, the most significant first, so that the order
    /// of the keys is the order of the numbers.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Vec<u8> {
        self.key(number.to_be_bytes())
    }

    /// The name for which [`Keyspace::key`] gave `key`, or nothing if it lies elsewhere.
    #[must_use]
    pub fn name<'a>(&self, key: &'a [u8]) -> Option<&'a [u8]> {
        key.strip_prefix(self.prefix.as_bytes())
    }

    /// The number for which [`Keyspace::numbered`] gave `key`.
    #[must_use]
    pub fn number(&self, key: &[u8]) -> Option<u64> {
        Some(u64::from_be_bytes(self.name(key)?.try_into().ok()?))
    }

    /// The prefix itself, for `prefix` scans.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

fn is_segment(segment: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !segment.is_empty() && segment.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_closed_segments_are_prefixes() {
        assert_eq!(
            Keyspace::new("issuer/nonce/").map(|room| room.prefix().to_owned()),
            Ok("issuer/nonce/".to_owned())
        );
        for text in ["", "/", "issuer", "issuer//", "/issuer/", "Issuer/", "a_b/"] {
            assert!(Keyspace::new(text).is_err(), "{text:?}");
        }
        assert!(Keyspace::new(&format!("{}/", "a".repeat(MAX_PREFIX_BYTES))).is_err());
    }

    #[test]
    fn names_and_numbers_come_back() {
        let room = Keyspace::new("hub/").and_then(|hub| hub.within("calls/")).unwrap();
        assert_eq!(room.name(&room.key("x")), Some(&b"x"[..]));
        assert_eq!(room.name(b"hub/other"), None);
        assert_eq!(room.number(&room.numbered(7)), Some(7));
        assert_eq!(room.number(&room.key("x")), None);
        assert!(room.numbered(255) < room.numbered(256));
    }
}
