//! Contents that entries name by digest: compact status lists and schema documents.
//!
//! The log has digests only. Bundles carry the contents, so an issuer hands them in with the entry, and an
//! entry whose status lists are missing or others is refused: verifiers would know no status.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Timestamp;
use store::MAX_VALUE_BYTES;
use thiserror::Error;
use trust::entry::Body;
use trust::entry::SchemaBody;
use trust::entry::SchemaDocument;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::merkle::Hash;
use trust::state::State;
use trust::state::StatusRecord;
use trust::status_bits::StatusBits;
use trust::status_bits::StatusBitsError;
use trust::status_bits::compact_digest;

use crate::store::ListWas;
use crate::store::Retired;

/// Contents of one entry: 250 full lists of 131,072 two-bit statuses that do not compress at all. Half of
/// what one transaction of the store can write.
const MAX_TOTAL_BYTES: usize = 8 << 20;

/// The contents do not fit the entry. The fault of whoever sent both.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobError {
    /// The bytes are not the list that the entry describes.
    #[error("the compact form of {uri} is not the list that the entry describes")]
    List {
        /// The list.
        uri: String,
        /// What is wrong.
        #[source]
        source: StatusBitsError,
    },
    /// The bytes have another length than the entry says.
    #[error("expected {expected} bytes for {uri}, found {found}")]
    Length {
        /// The list or document.
        uri: String,
        /// What the entry says.
        expected: u64,
        /// What came.
        found: usize,
    },
    /// A list came without its contents.
    #[error("expected the compact form of {uri} with the digest {digest}, found none")]
    Missing {
        /// The list.
        uri: String,
        /// Its digest.
        digest: Hash,
    },
    /// More than one entry may bring.
    #[error("expected at most {MAX_TOTAL_BYTES} bytes of contents, found {found}")]
    TooLarge {
        /// Their size.
        found: usize,
    },
    /// Contents that the entry does not name.
    #[error("expected contents that the entry names, found some of digest {digest}")]
    Unnamed {
        /// Their digest.
        digest: Hash,
    },
}

/// The contents by digest, if they are those of the entry.
pub(crate) fn check(body: &Body, blobs: Vec<Vec<u8>>) -> Result<BTreeMap<Hash, Vec<u8>>, BlobError> {
    let found = blobs.iter().map(Vec::len).sum();
    if found > MAX_TOTAL_BYTES {
        return Err(BlobError::TooLarge { found });
    }
    if let Some(large) = blobs.iter().find(|bytes| bytes.len() > MAX_VALUE_BYTES) {
        return Err(BlobError::TooLarge { found: large.len() });
    }
    match body {
        Body::StatusCommit(commit) => check_lists(commit, blobs),
        Body::Schema(SchemaBody::Publish(schema)) => check_documents(&schema.documents, blobs),
        Body::Policy(_)
        | Body::DidEvent(_)
        | Body::Accreditation(_)
        | Body::Recognition(_)
        | Body::Schema(SchemaBody::Withdraw)
        | Body::Snapshot(_)
        | Body::Incident(_)
        | Body::Tombstone(_) => check_documents(&[], blobs),
    }
}

/// What a head with the state `after` no longer names, and what lists were in the one before.
pub(crate) fn retired(before: Option<&State>, after: &State, now: Timestamp) -> Retired {
    let named: BTreeSet<Hash> = named(after).collect();
    let unused: BTreeSet<Hash> = before.into_iter().flat_map(self::named).collect();
    let first = before.map_or(0, State::size);
    let changed = after.status_lists().filter(|record| record.index() >= first);
    let lists = changed.filter_map(|record| {
        let list = record.list();
        let was = before.and_then(|before| before.status_list(record.issuer(), &list.uri));
        let was = was.map(StatusRecord::list);
        let is_other = was.is_none_or(|was| (was.compact, was.encoding) != (list.compact, list.encoding));
        is_other.then(|| (record.issuer().to_owned(), list.uri.clone(), ListWas::new(was)))
    });
    Retired {
        size: after.size(),
        time: now.unix(),
        lists: lists.collect(),
        unused: unused.difference(&named).copied().collect(),
        named,
    }
}

/// The digests of all contents that a bundle of the state may carry.
pub(crate) fn named(state: &State) -> impl Iterator<Item = Hash> {
    let lists = state
        .status_lists()
        .filter(|record| !record.has_ended())
        .map(|record| record.list().compact);
    let schemas = state.schemas().filter_map(|record| record.schema());
    lists.chain(schemas.flat_map(|schema| schema.documents.iter().map(|document| document.digest)))
}

/// Every list with its compact form. The digest of one depends on its encoding.
fn check_lists(commit: &StatusCommitBody, blobs: Vec<Vec<u8>>) -> Result<BTreeMap<Hash, Vec<u8>>, BlobError> {
    let mut found = BTreeMap::new();
    for bytes in blobs {
        let encodings = [StatusEncoding::GolombRice, StatusEncoding::Zlib];
        let mut digests = encodings
            .iter()
            .filter_map(|encoding| compact_digest(*encoding, &bytes).ok());
        let named = digests.find(|digest| commit.lists.iter().any(|list| list.compact == *digest));
        let digest = named.ok_or_else(|| BlobError::Unnamed {
            digest: Hash::digest(&bytes),
        })?;
        found.insert(digest, bytes);
    }
    for list in &commit.lists {
        check_list(list, &found)?;
    }
    Ok(found)
}

fn check_list(list: &StatusList, blobs: &BTreeMap<Hash, Vec<u8>>) -> Result<(), BlobError> {
    let uri = || list.uri.clone();
    let bytes = blobs.get(&list.compact).ok_or_else(|| BlobError::Missing {
        uri: uri(),
        digest: list.compact,
    })?;
    check_length(&list.uri, list.compact_length, bytes)?;
    // The digest may have been found under the other encoding; then it does not decode under this one.
    StatusBits::from_compact(list, bytes).map_err(|source| BlobError::List { uri: uri(), source })?;
    Ok(())
}

/// Any of the documents, and nothing else.
fn check_documents(documents: &[SchemaDocument], blobs: Vec<Vec<u8>>) -> Result<BTreeMap<Hash, Vec<u8>>, BlobError> {
    let mut found = BTreeMap::new();
    for bytes in blobs {
        let digest = Hash::digest(&bytes);
        let document = documents.iter().find(|document| document.digest == digest);
        let document = document.ok_or(BlobError::Unnamed { digest })?;
        check_length(&document.uri, document.length, &bytes)?;
        found.insert(digest, bytes);
    }
    Ok(found)
}

fn check_length(uri: &str, expected: u64, bytes: &[u8]) -> Result<(), BlobError> {
    if u64::try_from(bytes.len()) == Ok(expected) {
        Ok(())
    } else {
        Err(BlobError::Length {
            uri: uri.to_owned(),
            expected,
            found: bytes.len(),
        })
    }
}
