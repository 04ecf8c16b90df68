//! Ranges of keys. Byte strings are ordered by their bytes, so each range can be written half-open,
//! which leaves the engines one form to implement.

use std::ops::Bound;
use std::ops::RangeBounds;

/// The order in which a scan returns entries; a limit cuts off the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third direction")]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys: `limit` 1 finds the last key.
    Reverse,
}

/// The keys from `start` to before `end`; without `end`, to the last key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Option<Vec<u8>>,
}

impl KeyRange {
    /// Any Rust range of keys, as a half-open one.
    pub(crate) fn new<K: AsRef<[u8]>>(range: &impl RangeBounds<K>) -> Self {
        let start = match range.start_bound() {
            Bound::Included(key) => key.as_ref().to_vec(),
            Bound::Excluded(key) => successor(key.as_ref()),
            Bound::Unbounded => Vec::new(),
        };
        let end = match range.end_bound() {
            Bound::Included(key) => Some(successor(key.as_ref())),
            Bound::Excluded(key) => Some(key.as_ref().to_vec()),
            Bound::Unbounded => None,
        };
        Self { start, end }
    }

    /// All keys that begin with `prefix`.
    pub(crate) fn prefix(prefix: &[u8]) -> Self {
        Self {
            start: prefix.to_vec(),
            end: after_prefix(prefix),
        }
    }

    /// This range of a room's keys, as a range of the store's keys.
    pub(crate) fn inside(self, room: &[u8]) -> Self {
        let joined = |key: &[u8]| [room, key].concat();
        Self {
            start: joined(&self.start),
            end: self.end.map_or_else(|| after_prefix(room), |end| Some(joined(&end))),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    /// The bounds, for `BTreeMap::range` and its like. Those panic where the start lies behind the
    /// end: ask [`KeyRange::is_empty`] first.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        (
            Bound::Included(self.start.as_slice()),
            self.end.as_deref().map_or(Bound::Unbounded, Bound::Excluded),
        )
    }

    /// The part of this range that a scan saw which went from one end up to `last`, inclusive.
    pub(crate) fn seen_up_to(&self, last: &[u8], direction: Direction) -> Self {
        match direction {
            Direction::Forward => Self {
                start: self.start.clone(),
                end: Some(successor(last)),
            },
            Direction::Reverse => Self {
                start: last.to_vec(),
                end: self.end.clone(),
            },
        }
    }
}

/// The first key after `key`.
pub(crate) fn successor(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

/// The first key behind all those that begin with `prefix`, if there is one.
fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(range: &KeyRange, key: &[u8]) -> bool {
        key >= range.start.as_slice() && range.end.as_deref().is_none_or(|end| key < end)
    }

    #[test]
    fn every_rust_range_keeps_its_ends() {
        let inclusive = KeyRange::new(&("b"..="d"));
        assert!(contains(&inclusive, b"b") && contains(&inclusive, b"d"));
        assert!(!contains(&inclusive, b"a") && !contains(&inclusive, b"d\0"));
        let exclusive = KeyRange::new::<&str>(&(Bound::Excluded("b"), Bound::Excluded("d")));
        assert!(!contains(&exclusive, b"b") && contains(&exclusive, b"b\0"));
        assert!(contains(&exclusive, b"c\xff") && !contains(&exclusive, b"d"));
        assert!(contains(&KeyRange::new::<&str>(&(..)), b"\xff\xff"));
    }

    #[test]
    fn prefix_ends_behind_its_last_key() {
        let range = KeyRange::prefix(b"a\xff\xff");
        assert!(contains(&range, b"a\xff\xff") && contains(&range, b"a\xff\xff\xff\xff"));
        assert!(!contains(&range, b"b") && !contains(&range, b"a\xff"));
        assert_eq!(KeyRange::prefix(b"\xff").end, None);
        assert_eq!(KeyRange::prefix(b"").end, None);
    }

    #[test]
    fn range_in_a_room_stays_in_it() {
        let range = KeyRange::new::<&str>(&("m"..)).inside(b"issuer/");
        assert!(contains(&range, b"issuer/m") && contains(&range, b"issuer/\xff"));
        assert!(!contains(&range, b"issuer/l") && !contains(&range, b"issuer0"));
    }

    #[test]
    fn backward_range_is_empty() {
        assert!(KeyRange::new(&("b".."a")).is_empty());
        assert!(KeyRange::new(&("a".."a")).is_empty());
        assert!(!KeyRange::new(&("a"..="a")).is_empty());
    }
}
