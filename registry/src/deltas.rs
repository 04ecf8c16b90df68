//! Deltas: what leads from the bundle of an earlier Snapshot to the one of now. The contents of lists that changed are
//! kept for a while (`store.rs`, `replaced/` and `unused/`), so that no earlier bundle has to be.

use std::collections::BTreeMap;
use std::sync::Arc;

use keys::Timestamp;
use store::Snapshot;
use store::Store;
use store::records::RecordError;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::sync::watch;
use trust::bundle::DeltaStart;
use trust::bundle::ExportError;
use trust::bundle::ListBefore;
use trust::bundle::Profile;
use trust::bundle::export_delta;
use trust::entry::Body;
use trust::entry::Entry;
use trust::entry::SnapshotBody;
use trust::merkle;
use trust::state::StatusRecord;
use trust::status_bits::StatusBits;

use crate::kept::Kept;
use crate::published;
use crate::published::Published;
use crate::published::Tiles;
use crate::published::over_tiles;
use crate::store::RETENTION;
use crate::store::blob;
use crate::store::entries;
use crate::store::list_at;

/// The last deltas, by the size that they begin at and whom they are for.
#[derive(Default)]
pub(crate) struct Deltas(Mutex<Kept<(u64, Profile)>>);

/// There is no delta.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// No bundle of this log has that size: the asker's fault, or another log's bundle.
    #[error("expected the size of a bundle of this log, found {found}")]
    NoBundle {
        /// The size asked for.
        found: u64,
    },
    /// The bundle is older than what is kept for deltas; the whole one is for its holder.
    #[error("expected a bundle of the last {days} days, found an older one", days = RETENTION / 86_400)]
    TooOld,
    /// State and proof do not fit: our fault.
    #[error("the delta cannot be put together")]
    Export(#[from] ExportError),
    /// The head moved on each time before the delta was complete.
    #[error("the log grew faster than its delta could be read; try again")]
    Moving,
    /// The store failed.
    #[error("the registry's store cannot be read")]
    Store(#[from] RecordError),
}

impl Deltas {
    /// The delta from the bundle of `from` entries to that of the published head; `None` where that is the same one.
    pub(crate) async fn from(
        &self,
        store: &Store,
        published: &watch::Receiver<Arc<Published>>,
        (from, profile): (u64, &Profile),
        now: Timestamp,
    ) -> Result<Option<Arc<[u8]>>, DeltaError> {
        // One is made at a time: it reads every list that has changed.
        let mut kept = self.0.lock().await;
        let (snapshot, head) = published::at_head(store, published).await?.ok_or(DeltaError::Moving)?;
        if from == head.size() {
            return Ok(None);
        }
        let key = (from, profile.clone());
        if let Some(bytes) = kept.get(head.size(), &key) {
            return Ok(Some(bytes));
        }
        let start = start(&snapshot, &head, from, now).await?;
        let bytes = delta(&snapshot, &head, &start, profile).await?;
        Ok(Some(kept.put(head.size(), key, bytes)))
    }
}

async fn start(snapshot: &Snapshot, head: &Published, from: u64, now: Timestamp) -> Result<DeltaStart, DeltaError> {
    let none = || DeltaError::NoBundle { found: from };
    let last = from.checked_sub(1).filter(|_| from < head.size()).ok_or_else(none)?;
    let leaf = entries(snapshot, last, 1).await?;
    let before = leaf.first().and_then(|leaf| snapshot_in(leaf)).ok_or_else(none)?;
    if now.seconds_since(before.time) > RETENTION {
        return Err(DeltaError::TooOld);
    }
    let mut known = Tiles::default();
    let consistency = over_tiles(snapshot, &head.edge, &mut known, |nodes| {
        merkle::consistency_proof(nodes, from, head.size())
    });
    Ok(DeltaStart {
        size: from,
        state: before.state,
        consistency: consistency.await?,
    })
}

fn snapshot_in(leaf: &[u8]) -> Option<SnapshotBody> {
    match Entry::parse(leaf).ok()?.body() {
        Body::Snapshot(body) => Some(body.clone()),
        _ => None,
    }
}

async fn delta(
    snapshot: &Snapshot,
    head: &Published,
    start: &DeltaStart,
    profile: &Profile,
) -> Result<Vec<u8>, DeltaError> {
    let (mut before, mut contents) = (BTreeMap::new(), BTreeMap::new());
    let changed = head.state.status_lists_since(start.size);
    for record in changed.filter(|record| profile.has_list(&head.state, record)) {
        let list = list_before(snapshot, record, start.size).await?;
        before.insert((record.issuer(), record.list().uri.as_str()), list);
    }
    for digest in profile.contents(&head.state, start.size) {
        if let Some(bytes) = blob(snapshot, digest).await.map_err(RecordError::from)? {
            contents.insert(digest, bytes);
        }
    }
    let proof = head
        .proof(snapshot, head.size().saturating_sub(1), &mut Tiles::default())
        .await?;
    let before = |record: &StatusRecord| {
        let key = (record.issuer(), record.list().uri.as_str());
        // Nobody who asks for these has the others.
        before.get(&key).cloned().unwrap_or(ListBefore::Same)
    };
    let bytes = export_delta(&head.state, &head.snapshot, &proof, start, before, |digest| {
        contents.get(&digest).cloned()
    });
    Ok(bytes?)
}

/// What a list was in the bundle of `size` entries.
async fn list_before(snapshot: &Snapshot, record: &StatusRecord, size: u64) -> Result<ListBefore, RecordError> {
    let Some(was) = list_at(snapshot, record.issuer(), &record.list().uri, size).await? else {
        return Ok(ListBefore::Same);
    };
    let Some(list) = was.list(record.list()) else {
        return Ok(ListBefore::Unknown);
    };
    let Some(bytes) = blob(snapshot, list.compact).await? else {
        return Ok(ListBefore::Unknown);
    };
    // Of a broken list nobody knows the statuses.
    Ok(StatusBits::from_compact(&list, &bytes).map_or(ListBefore::Unknown, ListBefore::Other))
}
