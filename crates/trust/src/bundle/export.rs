//! Making a bundle.

use std::collections::BTreeMap;

use keys::cbor::Value;
use thiserror::Error;

use super::MAGIC;
use super::PLAIN;
use super::VERSION;
use super::ZLIB;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::MapBuilder;
use crate::entry::Body;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::SnapshotBody;
use crate::entry::StatusEncoding;
use crate::merkle::Hash;
use crate::proof::TlogProof;
use crate::state::SchemaRecord;
use crate::state::State;
use crate::status_bits::compact_digest;
use crate::status_bits::deflate;

/// Why no bundle can be made: the caller's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExportError {
    /// The bytes of a digest are not its.
    #[error("expected the bytes of digest {expected}, found others")]
    Blob {
        /// The digest asked for.
        expected: Hash,
    },
    /// The leaf is no entry.
    #[error("the snapshot is no entry")]
    Entry(#[from] DecodeError),
    /// The leaf is not the Snapshot of this state, or not the last leaf of the proof's checkpoint.
    #[error("expected the snapshot of this state as the last leaf of the checkpoint, found another entry")]
    Snapshot,
}

/// The bundle of `state`, whose Snapshot is `snapshot`, proven by `proof`.
///
/// `blob` gives the bytes of a digest: a schema document by its SHA-256, or the compact form of a status list
/// by [`compact_digest`]. What it
/// does not have is left out, and a verifier then knows the digest only.
///
/// # Errors
/// [`ExportError`].
pub fn export(
    state: &State,
    snapshot: &[u8],
    proof: &TlogProof,
    mut blob: impl FnMut(Hash) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, ExportError> {
    let body = check(state, snapshot, proof)?;
    let sections = body
        .sections
        .iter()
        .map(|digest| packed_records(digest.section, state.records(digest.section)))
        .collect();
    let mut documents = BTreeMap::new();
    for digest in documents_of(state) {
        let Some(bytes) = blob(digest) else { continue };
        if Hash::digest(&bytes) != digest {
            return Err(ExportError::Blob { expected: digest });
        }
        documents.insert(digest, bytes);
    }
    let mut lists = BTreeMap::new();
    for (digest, encoding) in lists_of(state) {
        let Some(bytes) = blob(digest) else { continue };
        if compact_digest(encoding, &bytes) != Ok(digest) {
            return Err(ExportError::Blob { expected: digest });
        }
        lists.insert((digest, encoding), bytes);
    }
    let bundle = MapBuilder::default()
        .put(1, Value::text(MAGIC))
        .put(2, VERSION)
        .put(3, Value::text(proof.to_string()))
        .put(4, Value::bytes(snapshot))
        .put(5, Value::Array(sections))
        .put(6, packed_documents(&documents))
        .put(7, compact_lists(lists));
    Ok(bundle.build().to_vec())
}

/// The schema documents that may be attached.
pub(super) fn documents_of(state: &State) -> impl Iterator<Item = Hash> {
    let schemas = state.schemas().filter_map(SchemaRecord::schema);
    schemas.flat_map(|schema| schema.documents.iter().map(|document| document.digest))
}

/// The status lists that may be attached.
pub(super) fn lists_of(state: &State) -> impl Iterator<Item = (Hash, StatusEncoding)> {
    let lists = state.status_lists().filter(|record| !record.has_ended());
    lists.map(|record| (record.list().compact, record.list().encoding))
}

/// The Snapshot, if it is that of the state and the last leaf of the proof's checkpoint.
pub(super) fn check(state: &State, snapshot: &[u8], proof: &TlogProof) -> Result<SnapshotBody, ExportError> {
    let entry = Entry::parse(snapshot)?;
    let Body::Snapshot(body) = entry.body() else {
        return Err(ExportError::Snapshot);
    };
    let is_last = proof.checkpoint().unverified().size().checked_sub(1) == Some(body.covered);
    if body.state != state.digest() || proof.index() != body.covered || !is_last {
        return Err(ExportError::Snapshot);
    }
    Ok(body.clone())
}

pub(super) fn compact_lists(lists: BTreeMap<(Hash, StatusEncoding), Vec<u8>>) -> Value {
    let compact = |((digest, encoding), bytes): ((Hash, StatusEncoding), Vec<u8>)| {
        let map = MapBuilder::default()
            .put(1, codec::hash_value(digest))
            .put(2, encoding as u64);
        map.put(3, Value::Bytes(bytes)).build()
    };
    Value::Array(lists.into_iter().map(compact).collect())
}

pub(super) fn packed_documents(documents: &BTreeMap<Hash, Vec<u8>>) -> Value {
    let packed = |(digest, bytes): (&Hash, &Vec<u8>)| packed(codec::hash_value(*digest), bytes);
    Value::Array(documents.iter().map(packed).collect())
}

pub(super) fn packed_records(section: EntryType, records: Vec<Vec<u8>>) -> Value {
    let records = records.into_iter().map(Value::Bytes).collect();
    packed(Value::Unsigned(section.number()), &Value::Array(records).to_vec())
}

/// Compressed where that makes it shorter.
fn packed(name: Value, plain: &[u8]) -> Value {
    let compressed = deflate(plain);
    let shorter = compressed.len() < plain.len();
    let (encoding, bytes) = if shorter {
        (ZLIB, compressed)
    } else {
        (PLAIN, plain.to_vec())
    };
    let length = u64::try_from(plain.len()).unwrap_or(u64::MAX);
    MapBuilder::default()
        .put(1, name)
        .put(2, encoding)
        .put(3, length)
        .put(4, Value::Bytes(bytes))
        .build()
}
