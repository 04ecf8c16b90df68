//! Which transactions conflict: what each read, and what was written since it began.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;

use crate::engine::Writes;
use crate::range::KeyRange;

/// Most written keys that are remembered. At 100 bytes each some 30 MB; a transaction that is still
/// open after so many writes of others begins again.
const MAX_REMEMBERED_KEYS: usize = 200_000;

/// The reads that a transaction declared.
#[derive(Debug, Default)]
pub(super) struct ReadSet {
    keys: BTreeSet<Vec<u8>>,
    ranges: Vec<KeyRange>,
}

impl ReadSet {
    pub(super) fn add_key(&mut self, key: &[u8]) {
        if !self.keys.contains(key) {
            self.keys.insert(key.to_vec());
        }
    }

    pub(super) fn add_range(&mut self, range: KeyRange) {
        self.ranges.push(range);
    }

    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.ranges.is_empty()
    }
}

/// The keys that recent commits wrote.
#[derive(Debug, Default)]
pub(super) struct RecentWrites {
    /// Key to the number of the last commit that wrote it.
    last_write: BTreeMap<Vec<u8>, u64>,
    /// The same by commit, to forget in order.
    by_commit: VecDeque<(u64, Vec<Vec<u8>>)>,
    /// Writes up to this commit may be forgotten.
    horizon: u64,
}

impl RecentWrites {
    /// Remembers nothing of commits up to `horizon`.
    pub(super) fn new(horizon: u64) -> Self {
        Self {
            horizon,
            ..Self::default()
        }
    }

    /// Whether a commit after `snapshot` wrote something in `reads`. If that is no longer known,
    /// yes.
    pub(super) fn changed_since(&self, snapshot: u64, reads: &ReadSet) -> bool {
        if reads.is_empty() {
            return false;
        }
        if snapshot < self.horizon {
            return true;
        }
        let is_newer = |sequence: &u64| *sequence > snapshot;
        let key_changed = |key: &Vec<u8>| self.last_write.get(key).is_some_and(is_newer);
        let range_changed = |range: &KeyRange| {
            !range.is_empty()
                && self
                    .last_write
                    .range::<[u8], _>(range.bounds())
                    .any(|(_, sequence)| is_newer(sequence))
        };
        reads.keys.iter().any(key_changed) || reads.ranges.iter().any(range_changed)
    }

    /// Remembers what commit `sequence` writes.
    pub(super) fn record(&mut self, sequence: u64, writes: &Writes) {
        let keys: Vec<_> = writes.keys().cloned().collect();
        for key in &keys {
            self.last_write.insert(key.clone(), sequence);
        }
        self.by_commit.push_back((sequence, keys));
    }

    /// Forgets what no transaction can ask for: writes up to `oldest`, the oldest state that an open
    /// transaction reads.
    pub(super) fn forget(&mut self, oldest: u64) {
        while let Some((sequence, keys)) = self.by_commit.front() {
            if *sequence > oldest && self.last_write.len() <= MAX_REMEMBERED_KEYS {
                return;
            }
            for key in keys {
                if self.last_write.get(key) == Some(sequence) {
                    self.last_write.remove(key);
                }
            }
            self.horizon = *sequence;
            self.by_commit.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(keys: &[&str]) -> Writes {
        keys.iter().map(|key| (key.as_bytes().to_vec(), Some(vec![]))).collect()
    }

    fn read(key: &str) -> ReadSet {
        let mut reads = ReadSet::default();
        reads.add_key(key.as_bytes());
        reads
    }

    fn scan(start: &str, end: &str) -> ReadSet {
        let mut reads = ReadSet::default();
        reads.add_range(KeyRange::new(&(start..end)));
        reads
    }

    #[test]
    fn only_later_writes_of_what_was_read_conflict() {
        let mut recent = RecentWrites::new(0);
        recent.record(1, &write(&["a"]));
        recent.record(2, &write(&["m"]));
        assert!(recent.changed_since(0, &read("a")));
        assert!(!recent.changed_since(1, &read("a")));
        assert!(!recent.changed_since(0, &read("b")));
        assert!(recent.changed_since(1, &scan("c", "z")));
        assert!(!recent.changed_since(1, &scan("c", "m")));
        assert!(!recent.changed_since(1, &scan("z", "c")));
        assert!(!recent.changed_since(0, &ReadSet::default()));
    }

    #[test]
    fn who_asks_for_the_forgotten_conflicts() {
        let mut recent = RecentWrites::new(0);
        recent.record(1, &write(&["a"]));
        recent.record(2, &write(&["a", "b"]));
        recent.forget(1);
        assert!(recent.changed_since(0, &read("unrelated")));
        assert!(!recent.changed_since(1, &read("unrelated")));
        assert!(recent.changed_since(1, &read("a")));
    }

    #[test]
    fn memory_is_bounded() {
        let mut recent = RecentWrites::new(0);
        for sequence in 1..=3 {
            let writes = (0..MAX_REMEMBERED_KEYS / 2)
                .map(|n| (format!("{sequence}/{n}").into_bytes(), None))
                .collect();
            recent.record(sequence, &writes);
        }
        recent.forget(0);
        assert!(recent.last_write.len() <= MAX_REMEMBERED_KEYS);
        assert_eq!(recent.horizon, 1);
    }
}
