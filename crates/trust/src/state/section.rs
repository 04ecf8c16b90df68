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
            root: OnceLock::new(),
        };
        section.records.extend(Self::decode(changed)?.records);
        Ok(section.encode())
    }

    /// The encoded record of a key with its place in the tree of the section.
    pub(super) fn located(&self, key: &str) -> Option<Located> {
        let (at, (_, record)) = self
            .records
            .iter()
            .enumerate()
            .find(|(_, (known, _))| &***known == key)?;
        let index = u64::try_from(at).ok()?;
        let leaves: Vec<Hash> = self.records.values().map(|record| record.1).collect();
        Some(Located {
            index,
            record: record.0.to_value().to_vec(),
            path: merkle::inclusion_proof_of(&leaves, index),
        })
    }

    /// Adds a record or replaces the one with its key.
    pub(super) fn put(&mut self, record: R) {
        let leaf = merkle::leaf_hash(&record.to_value().to_vec());
        self.records.insert(record.key().into(), Arc::new((record, leaf)));
        self.root = OnceLock::new();
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
