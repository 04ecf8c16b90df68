//! What the service keeps, in a room of its own:
//!
//! | Key | Value |
//! |---|---|
//! | `entry/{index}` | a leaf |
//! | `leaf/{leaf hash}` | its index |
//! | `tile/{level}{index}` | the hashes of a full tile |
//! | `pending` | text of the checkpoint that covers all entries; signed only after it is here |
//! | `head` | the published checkpoint: signed by the log and cosigned |
//! | `blob/{digest}` | compact status lists and schema documents |
//! | `replaced/{list}{size}` | what a status list was until the head of that size: its shape and digest, for deltas |
//! | `unused/{time}{size}{number}` | what goes when [`RETENTION`] has passed since: a `blob/` that nothing names any more, a `replaced/` |
//! | `proposal/{id}` | `ProposalRecord` |
//! | `witness/checkpoint` | the state witness's own record, see `witness.rs` |
//! | `lease/...` | which process is the sequencer, see `lease.rs` |
//! | `inbox/...` | what others leave for it, see `inbox.rs` |
//!
//! Numbers are eight bytes, the most significant first.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::Serialize;
use store::CommitError;
use store::Direction;
use store::Snapshot;
use store::Store;
use store::StoreError;
use store::Transaction;
use store::records::RecordError;
use store::records::parse;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::merkle::Hash;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::encode_hashes;
use trust::tiles::parse_hashes;

use crate::lease::Term;

/// The checkpoint that covers all entries.
pub(crate) const PENDING: &str = "pending";
/// The published checkpoint.
pub(crate) const HEAD: &str = "head";

/// Entries of one read: 256 of the largest stay below the store's limit.
const PAGE: u64 = 256;

/// What one step of the log adds.
#[derive(Default)]
pub(crate) struct Additions {
    pub(crate) first: u64,
    pub(crate) leaves: Vec<(Hash, Vec<u8>)>,
    pub(crate) tiles: Vec<(Tile, Vec<Hash>)>,
    pub(crate) blobs: BTreeMap<Hash, Vec<u8>>,
    pub(crate) pending: String,
}

/// Whether a step of the log was made.
pub(crate) enum Replace {
    Done,
    /// Another process is the sequencer by now, or this one does not know what it wrote last.
    Stale,
}

/// Saves entries, tiles, blobs and the checkpoint text in one commit, if `pending` is still `expected`.
pub(crate) async fn extend(
    store: &Store,
    term: &Term,
    expected: Option<&str>,
    add: &Additions,
) -> Result<Replace, CommitError> {
    let step = |tx: Transaction| async move {
        if !may_write(&tx, term, expected).await? {
            return Ok(Replace::Stale);
        }
        for (index, (hash, leaf)) in (add.first..).zip(&add.leaves) {
            tx.put(entry_key(index), leaf.as_slice())?;
            tx.put(leaf_key(*hash), index.to_be_bytes())?;
        }
        for (tile, hashes) in &add.tiles {
            tx.put(tile_key(*tile), encode_hashes(hashes))?;
        }
        for (digest, bytes) in &add.blobs {
            tx.put(blob_key(*digest), bytes.as_slice())?;
        }
        tx.put(PENDING, add.pending.as_bytes())?;
        Ok(Replace::Done)
    };
    store.transact(step).await
}

/// Publishes `head`, notes what it replaces, and drops what was replaced long ago, if `pending` is still `expected`.
pub(crate) async fn publish(
    store: &Store,
    term: &Term,
    expected: &str,
    head: &str,
    retired: &Retired,
) -> Result<Replace, RecordError> {
    let step = |tx: Transaction| async move {
        if !may_write(&tx, term, Some(expected)).await? {
            return Ok(Replace::Stale);
        }
        tx.put(HEAD, head.as_bytes())?;
        retire(&tx, retired).await?;
        Ok::<_, RecordError>(Replace::Done)
    };
    store.transact(step).await
}

/// What a new head no longer names.
#[derive(Default)]
pub(crate) struct Retired {
    /// The new head's size and the time.
    pub(crate) size: u64,
    pub(crate) time: i64,
    /// Contents that it does not name, and those that it does.
    pub(crate) unused: Vec<Hash>,
    pub(crate) named: BTreeSet<Hash>,
    /// By issuer and URI, what lists were before it.
    pub(crate) lists: Vec<(String, String, ListWas)>,
}

/// What a list was; `None` where it was not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListWas(Option<Shape>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    is_golomb_rice: bool,
    bits: u8,
    capacity: u64,
    compact: String,
}

impl ListWas {
    pub(crate) fn new(list: Option<&StatusList>) -> Self {
        Self(list.map(|list| Shape {
            is_golomb_rice: list.encoding == StatusEncoding::GolombRice,
            bits: list.bits,
            capacity: list.capacity,
            compact: list.compact.to_string(),
        }))
    }

    /// The list that is now `list`, as it was.
    pub(crate) fn list(&self, list: &StatusList) -> Option<StatusList> {
        let shape = self.0.as_ref()?;
        Some(StatusList {
            encoding: if shape.is_golomb_rice {
                StatusEncoding::GolombRice
            } else {
                StatusEncoding::Zlib
            },
            bits: shape.bits,
            capacity: shape.capacity,
            compact: Hash::parse_hex(&shape.compact).ok()?,
            ..list.clone()
        })
    }
}

/// What goes one day.
#[derive(Serialize, Deserialize)]
enum Unused {
    Blob(String),
    Replaced(Vec<u8>),
}

/// How long contents that a head has replaced are kept, in seconds: whoever updates once a week needs no whole bundle.
pub(crate) const RETENTION: i64 = 8 * 86_400;

/// What is dropped at once: no publication takes noticeably longer for it.
const DROPPED: usize = 500;

async fn retire(tx: &Transaction, retired: &Retired) -> Result<(), RecordError> {
    let Retired { size, time, .. } = retired;
    let blobs = retired.unused.iter().map(|digest| Unused::Blob(digest.to_string()));
    let mut unused: Vec<Unused> = blobs.collect();
    for (issuer, uri, was) in &retired.lists {
        let key = replaced_key(issuer, uri, *size);
        tx.put(&key, json(&key, was)?)?;
        unused.push(Unused::Replaced(key));
    }
    for (number, item) in (0_u64..).zip(&unused) {
        let key = numbered(&numbered(&numbered(UNUSED, time_number(*time)), *size), number);
        tx.put(&key, json(&key, item)?)?;
    }
    let due = UNUSED.to_vec()..numbered(UNUSED, time_number(time - RETENTION));
    for entry in tx.range(due, DROPPED, Direction::Forward).await? {
        match parse(&entry.key, &entry.value)? {
            Unused::Blob(digest) => {
                let digest = Hash::parse_hex(&digest).map_err(|_| damaged("unused/"))?;
                // It may be named again meanwhile.
                if !retired.named.contains(&digest) {
                    tx.delete(blob_key(digest))?;
                }
            }
            Unused::Replaced(key) => tx.delete(key)?,
        }
        tx.delete(entry.key)?;
    }
    Ok(())
}

const UNUSED: &[u8] = b"unused/";

/// Times before 1970 stand together: there are none.
fn time_number(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

fn json(key: &[u8], value: &impl Serialize) -> Result<Vec<u8>, RecordError> {
    serde_json::to_vec(value).map_err(|_| damaged(&String::from_utf8_lossy(key)))
}

/// What a list was in the bundle of `size` entries; `None` where it is the same now.
pub(crate) async fn list_at(
    snapshot: &Snapshot,
    issuer: &str,
    uri: &str,
    size: u64,
) -> Result<Option<ListWas>, RecordError> {
    let range = replaced_key(issuer, uri, size.saturating_add(1))..=replaced_key(issuer, uri, u64::MAX);
    let found = snapshot.range(range, 1, Direction::Forward).await?;
    let found = found.first().map(|entry| parse(&entry.key, &entry.value));
    found.transpose()
}

/// Issuer and URI may be longer than a key.
fn replaced_key(issuer: &str, uri: &str, size: u64) -> Vec<u8> {
    let list = Hash::digest(format!("{issuer}\n{uri}").as_bytes());
    numbered(&[b"replaced/".as_slice(), list.as_bytes()].concat(), size)
}

async fn may_write(tx: &Transaction, term: &Term, pending: Option<&str>) -> Result<bool, StoreError> {
    Ok(term.is_in_force(tx).await? && tx.get(PENDING).await?.as_deref() == pending.map(str::as_bytes))
}

/// The text under `key`.
pub(crate) async fn text(snapshot: &Snapshot, key: &str) -> Result<Option<String>, RecordError> {
    let Some(bytes) = snapshot.get(key).await? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|_| damaged(key))
}

/// `count` entries from `first` on, which must all be there.
pub(crate) async fn entries(snapshot: &Snapshot, first: u64, count: u64) -> Result<Vec<Vec<u8>>, RecordError> {
    let mut leaves = Vec::new();
    let end = first.saturating_add(count);
    let mut next = first;
    while next < end {
        let page_end = next.saturating_add(PAGE).min(end);
        let range = entry_key(next)..entry_key(page_end);
        let limit = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let found = snapshot.range(range, limit, Direction::Forward).await?;
        for entry in found {
            if entry.key == entry_key(next) {
                leaves.push(entry.value);
                next += 1;
            }
        }
        // After a gap no key is the one expected.
        if next < page_end {
            return Err(damaged(&format!("entry/{next}")));
        }
    }
    Ok(leaves)
}

/// The index of the entry with this leaf hash.
pub(crate) async fn index_of(snapshot: &Snapshot, hash: Hash) -> Result<Option<u64>, RecordError> {
    let Some(bytes) = snapshot.get(leaf_key(hash)).await? else {
        return Ok(None);
    };
    let bytes = bytes.try_into().map_err(|_| damaged(&format!("leaf/{hash}")))?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

/// The hashes of a full tile.
pub(crate) async fn tile(snapshot: &Snapshot, tile: Tile) -> Result<Vec<Hash>, RecordError> {
    let bytes = snapshot.get(tile_key(tile)).await?;
    let hashes = bytes.and_then(|bytes| parse_hashes(&bytes, tile.full().width()).ok());
    hashes.ok_or_else(|| damaged(&tile.to_string()))
}

/// The bytes of a digest.
pub(crate) async fn blob(snapshot: &Snapshot, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
    snapshot.get(blob_key(digest)).await
}

pub(crate) fn proposal_key(id: u64) -> Vec<u8> {
    numbered(b"proposal/", id)
}

/// The id of the newest proposal; 0 where there is none.
pub(crate) async fn last_proposal(tx: &Transaction) -> Result<u64, RecordError> {
    let last = tx.prefix("proposal/", 1, Direction::Reverse).await?;
    let number = |key: &[u8]| Some(u64::from_be_bytes(key.strip_prefix(b"proposal/")?.try_into().ok()?));
    Ok(last.first().and_then(|entry| number(&entry.key)).unwrap_or(0))
}

pub(crate) fn damaged(key: &str) -> RecordError {
    RecordError::Damaged { key: key.to_owned() }
}

fn entry_key(index: u64) -> Vec<u8> {
    numbered(b"entry/", index)
}

fn leaf_key(hash: Hash) -> Vec<u8> {
    [b"leaf/".as_slice(), hash.as_bytes()].concat()
}

fn blob_key(digest: Hash) -> Vec<u8> {
    [b"blob/".as_slice(), digest.as_bytes()].concat()
}

fn tile_key(tile: Tile) -> Vec<u8> {
    // Entry bundles are put together from the entries; only hashes are kept as tiles.
    let level = match tile.kind() {
        TileKind::Hashes(level) => level,
        TileKind::Entries => u8::MAX,
    };
    numbered(&[b"tile/".as_slice(), &[level]].concat(), tile.index())
}

fn numbered(prefix: &[u8], number: u64) -> Vec<u8> {
    [prefix, &number.to_be_bytes()].concat()
}
