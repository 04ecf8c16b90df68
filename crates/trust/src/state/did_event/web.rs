//! did:web: what officers saw at the agency's website, and when.

use std::iter;

use did::Did;
use did::Document;
use did::methods::web;
use did::webvh::VersionQuery;
use keys::Timestamp;
use keys::cbor::Value;

use super::MAX_HISTORY_BYTES;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;
use crate::state::Head;
use crate::state::Refusal;

/// The snapshots of the document of a [did:web](https://w3c-ccg.github.io/did-method-web/).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSnapshots {
    /// The oldest first.
    earlier: Vec<WebSnapshot>,
    current: WebSnapshot,
}

/// The document of a did:web as it was logged once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSnapshot {
    entry: Hash,
    time: Timestamp,
    document: Vec<u8>,
}

impl WebSnapshots {
    /// The snapshots after one more, which is a document of `did`.
    pub(super) fn continued(before: Option<&Self>, did: &Did, head: Head, document: &[u8]) -> Result<Self, Refusal> {
        web::read(did, document)?;
        let earlier: Vec<WebSnapshot> = before.into_iter().flat_map(Self::iter).cloned().collect();
        let snapshots = Self {
            earlier,
            current: WebSnapshot::new(head, document.to_vec()),
        };
        if snapshots.iter().map(|snapshot| snapshot.document.len()).sum::<usize>() > MAX_HISTORY_BYTES {
            return Err(Refusal::Content {
                expected: "snapshots of a DID document of at most 1 MiB together",
            });
        }
        Ok(snapshots)
    }

    /// All snapshots, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &WebSnapshot> {
        self.earlier.iter().chain(iter::once(&self.current))
    }

    /// The first snapshot.
    #[must_use]
    pub fn oldest(&self) -> &WebSnapshot {
        self.earlier.first().unwrap_or(&self.current)
    }

    /// The snapshot that counts.
    #[must_use]
    pub const fn current(&self) -> &WebSnapshot {
        &self.current
    }

    /// The snapshot that is asked for: by the leaf hash of its entry in hexadecimal digits, by its place, counted from 1,
    /// or by a time at which it was the current one.
    #[must_use]
    pub fn select(&self, query: &VersionQuery) -> Option<&WebSnapshot> {
        match query {
            VersionQuery::Latest => Some(&self.current),
            VersionQuery::Id(id) => self.iter().find(|snapshot| snapshot.version_id() == *id),
            VersionQuery::Number(number) => {
                let at = usize::try_from(number.checked_sub(1)?).ok()?;
                self.iter().nth(at)
            }
            VersionQuery::Time(time) => self.iter().filter(|snapshot| snapshot.time <= *time).last(),
        }
    }

    /// Members 5 and 6 of the record.
    pub(super) fn put(&self, map: MapBuilder) -> MapBuilder {
        map.put(5, Value::bytes(self.current.document.as_slice())).put(
            6,
            Value::Array(self.earlier.iter().map(WebSnapshot::to_value).collect()),
        )
    }

    pub(super) fn from_fields(fields: &mut Fields, head: Head) -> Result<Self, DecodeError> {
        Ok(Self {
            current: WebSnapshot::new(head, fields.bytes(5)?),
            earlier: fields.array(6, WebSnapshot::from_value)?,
        })
    }
}

impl WebSnapshot {
    const fn new(head: Head, document: Vec<u8>) -> Self {
        Self {
            entry: head.entry,
            time: head.time,
            document,
        }
    }

    /// Leaf hash of its entry.
    #[must_use]
    pub const fn entry(&self) -> Hash {
        self.entry
    }

    /// The Snapshot time that its entry was judged by.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// The bytes of `did.json`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.document
    }

    /// The `versionId` of DID Resolution: the leaf hash in hexadecimal digits.
    #[must_use]
    pub fn version_id(&self) -> String {
        self.entry.to_string()
    }

    /// What it says; `None` for a record that neither this machine nor a witness quorum accepted.
    #[must_use]
    pub fn document(&self, did: &Did) -> Option<Document> {
        web::read(did, &self.document).ok()
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, codec::hash_value(self.entry))
            .put(2, codec::time_value(self.time))
            .put(3, Value::bytes(self.document.as_slice()))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("snapshot of a DID document", value)?;
        let snapshot = Self {
            entry: fields.hash(1)?,
            time: fields.time(2)?,
            document: fields.bytes(3)?,
        };
        fields.end()?;
        Ok(snapshot)
    }
}
