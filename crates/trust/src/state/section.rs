//! A section of the state: records by key, with the Merkle leaf of each kept ready.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::OnceLock;

use imbl::OrdMap;
use keys::cbor::Value;

use crate::codec;
use crate::codec::DecodeError;
use crate::merkle;
use crate::merkle::Hash;
use crate::merkle::Levels;
use crate::tiles::MAX_ENTRY_BYTES;

/// A DID's log of 1 MiB with its witness proofs is the largest record; every other one is about one entry.
const MAX_RECORD_BYTES: usize = 4 << 20;
const _: () = assert!(
    MAX_RECORD_BYTES > 2 * MAX_ENTRY_BYTES,
    "a record holds at least what one entry says"
);

/// What the state keeps about one subject.
pub(crate) trait Record: Sized {
    /// Where it stands in its section.
    fn key(&self) -> String;
    /// Index of the entry that changed it last.
    fn index(&self) -> u64;
    fn to_value(&self) -> Value;
    fn from_value(value: Value) -> Result<Self, DecodeError>;
}

/// Records by key. Copies of the state, of which one is made for every checkpoint, share them.
///
/// The section's digest is the Merkle root over the encoded records in the order of their keys, so that one record, or the
/// absence of one between two neighbours, has a short proof.
#[derive(Clone, Debug)]
pub(crate) struct Section<R> {
    records: OrdMap<Arc<str>, Arc<(R, Hash)>>,
    /// Of the records as they are; a Snapshot is made, applied and compared by it.
    root: OnceLock<Hash>,
    /// Of the records as they are, once a proof was asked for. Few states are asked, so that the others do without.
    tree: OnceLock<Arc<Tree>>,
}

/// What proofs are made from.
#[derive(Debug)]
struct Tree {
    /// In their order.
    keys: Vec<Arc<str>>,
    levels: Levels,
}

/// A record of a section, and the proof that it is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// Its place among the records in the order of their keys.
    pub(crate) index: u64,
    /// The record as it is encoded.
    pub(crate) record: Vec<u8>,
    /// The inclusion proof against the section's root.
    pub(crate) path: Vec<Hash>,
}

impl<R> Default for Section<R> {
    fn default() -> Self {
        Self {
            records: OrdMap::new(),
            root: OnceLock::new(),
            tree: OnceLock::new(),
        }
    }
}

impl<R: Record> Section<R> {
    /// Decodes records that must come in the order of their keys, each key once.
    pub(super) fn decode(records: &[Vec<u8>]) -> Result<Self, DecodeError> {
        let mut section = Self::default();
        for bytes in records {
            let record = R::from_value(codec::decode("record", bytes, MAX_RECORD_BYTES)?)?;
            let key = record.key();
            if section.records.get_max().is_some_and(|(last, _)| **last >= *key) {
                return Err(DecodeError::Shape {
                    what: "section",
                    expected: "records ascending by key",
                });
            }
            let leaf = merkle::leaf_hash(bytes);
            section.records.insert(key.into(), Arc::new((record, leaf)));
        }
        Ok(section)
    }

    pub(super) fn encode(&self) -> Vec<Vec<u8>> {
        self.iter().map(|record| record.to_value().to_vec()).collect()
    }

    /// The records that an entry from `index` on has changed.
    pub(super) fn encode_since(&self, index: u64) -> Vec<Vec<u8>> {
        let changed = self.iter().filter(|record| record.index() >= index);
        changed.map(|record| record.to_value().to_vec()).collect()
    }

    /// All records with these in place of those of their keys.
    pub(super) fn encode_with(&self, changed: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, DecodeError> {
        let mut section = Self {
            records: self.records.clone(),
            ..Self::default()
        };
        section.records.extend(Self::decode(changed)?.records);
        Ok(section.encode())
    }

    /// The encoded record of a key with its place in the tree of the section.
    pub(super) fn located(&self, key: &str) -> Option<Located> {
        let record = self.get(key)?;
        let tree = self.tree.get_or_init(|| {
            Arc::new(Tree {
                keys: self.records.keys().cloned().collect(),
                levels: Levels::of(self.records.values().map(|record| record.1).collect()),
            })
        });
        let at = tree.keys.binary_search_by(|known| (**known).cmp(key)).ok()?;
        let index = u64::try_from(at).ok()?;
        let Ok(path) = merkle::inclusion_proof(&tree.levels, index, self.len());
        Some(Located {
            index,
            record: record.to_value().to_vec(),
            path,
        })
    }

    /// Adds a record or replaces the one with its key.
    pub(super) fn put(&mut self, record: R) {
        let leaf = merkle::leaf_hash(&record.to_value().to_vec());
        self.records.insert(record.key().into(), Arc::new((record, leaf)));
        self.root = OnceLock::new();
        self.tree = OnceLock::new();
    }

    pub(super) fn get(&self, key: &str) -> Option<&R> {
        self.records.get(key).map(|record| &record.0)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &R> {
        self.records.values().map(|record| &record.0)
    }

    /// Records whose keys begin with `prefix`.
    pub(super) fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a R> {
        let from = self
            .records
            .range::<_, str>((Bound::Included(prefix), Bound::Unbounded));
        from.take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(_, record)| &record.0)
    }

    pub(super) fn first(&self) -> Option<&R> {
        self.iter().next()
    }

    pub(super) fn last(&self) -> Option<&R> {
        self.iter().next_back()
    }

    pub(super) fn len(&self) -> u64 {
        // A count in memory fits 64 bits.
        u64::try_from(self.records.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Count and Merkle root.
    pub(super) fn digest(&self) -> (u64, Hash) {
        let root = || merkle::root(&self.records.values().map(|record| record.1).collect::<Vec<_>>());
        (self.len(), *self.root.get_or_init(root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Numbered(u64);

    impl Record for Numbered {
        fn key(&self) -> String {
            format!("{:03}", self.0)
        }

        fn index(&self) -> u64 {
            self.0
        }

        fn to_value(&self) -> Value {
            Value::from(self.0)
        }

        fn from_value(_: Value) -> Result<Self, DecodeError> {
            Err(DecodeError::Shape {
                what: "test record",
                expected: "nothing: it is not read",
            })
        }
    }

    /// Every record of these numbers is proven at its place, and none besides.
    fn check(section: &Section<Numbered>, numbers: &[u64]) {
        let (count, root) = section.digest();
        for (at, number) in (0..).zip(numbers) {
            let located = section.located(&Numbered(*number).key()).unwrap();
            assert_eq!((located.index, &located.record), (at, &Value::from(*number).to_vec()));
            merkle::verify_inclusion(merkle::leaf_hash(&located.record), at, count, &located.path, root).unwrap();
        }
        assert_eq!(count, u64::try_from(numbers.len()).unwrap());
        assert_eq!(section.located("000"), None);
    }

    #[test]
    fn records_are_proven_in_a_copy_and_in_what_it_was_copied_from() {
        let mut section = Section::default();
        for number in [2, 4, 6, 8, 10] {
            section.put(Numbered(number));
        }
        check(&section, &[2, 4, 6, 8, 10]);
        let mut copy = section.clone();
        copy.put(Numbered(5));
        check(&copy, &[2, 4, 5, 6, 8, 10]);
        check(&section, &[2, 4, 6, 8, 10]);
    }
}
