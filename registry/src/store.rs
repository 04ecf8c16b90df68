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
//! | `proposal/{id}` | `ProposalRecord` |
//! | `witness/checkpoint` | the state witness's own record, see `witness.rs` |
//! | `lease/...` | which process is the sequencer, see `lease.rs` |
//! | `inbox/...` | what others leave for it, see `inbox.rs` |
//!
//! Numbers are eight bytes, the most significant first.

use std::collections::BTreeMap;

use store::CommitError;
use store::Direction;
use store::Snapshot;
use store::Store;
use store::StoreError;
use store::Transaction;
use store::records::RecordError;
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

/// Publishes `head` and drops blobs that nothing names any more, if `pending` is still `expected`.
pub(crate) async fn publish(
    store: &Store,
    term: &Term,
    expected: &str,
    head: &str,
    unused: &[Hash],
) -> Result<Replace, CommitError> {
    let step = |tx: Transaction| async move {
        if !may_write(&tx, term, Some(expected)).await? {
            return Ok(Replace::Stale);
        }
        tx.put(HEAD, head.as_bytes())?;
        for digest in unused {
            tx.delete(blob_key(*digest))?;
        }
        Ok(Replace::Done)
    };
    store.transact(step).await
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
