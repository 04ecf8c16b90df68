//! States of the past: what the registry said at the last Snapshot up to a time, by replay.
//!
//! A replay costs as much as the log is long, so one is made at a time, from the nearest earlier state at hand, and some
//! are kept. Whoever asks while another replays waits for a while, and is then told to come back.

use std::sync::Arc;
use std::time::Duration;

use keys::Timestamp;
use store::Snapshot;
use store::records::RecordError;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::time::timeout;
use trust::entry::Body;
use trust::entry::Entry;
use trust::state::Refusal;
use trust::state::State;

use crate::published::Published;
use crate::store::damaged;
use crate::store::entries;

/// States that are kept: those of the days that people ask about.
const KEPT: usize = 4;

/// Entries that are read at once.
const PAGE: u64 = 256;

/// How long a question waits for another's replay.
const PATIENCE: Duration = Duration::from_secs(10);

/// The states that were replayed last, the latest asked for at the end.
#[derive(Default)]
pub(crate) struct History(Mutex<Vec<Arc<State>>>);

/// The past cannot be told.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Others' questions take all the time.
    #[error("another question about the past is being answered; ask again later")]
    Busy,
    /// An entry in the store does not count: the store was changed by other hands.
    #[error("the entry of index {index} in the store is invalid")]
    Entry {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// The store failed.
    #[error("the registry's store cannot be read")]
    Record(#[from] RecordError),
}

impl History {
    /// The state of the last Snapshot of the published log up to `time`; `None` before the first one.
    pub(crate) async fn at(
        &self,
        head: &Published,
        store: &Snapshot,
        time: Timestamp,
    ) -> Result<Option<Arc<State>>, HistoryError> {
        if head.state.time() <= time {
            return Ok(Some(head.state.clone()));
        }
        let Some(size) = size_at(store, head.size(), time).await? else {
            return Ok(None);
        };
        let mut kept = timeout(PATIENCE, self.0.lock()).await.map_err(|_| HistoryError::Busy)?;
        if let Some(place) = kept.iter().position(|state| state.size() == size) {
            let state = kept.remove(place);
            kept.push(state.clone());
            return Ok(Some(state));
        }
        let nearest = kept
            .iter()
            .filter(|state| state.size() < size)
            .max_by_key(|state| state.size());
        let anchor = || State::new(head.state.anchor().clone());
        let mut state = nearest.map_or_else(anchor, |state| (**state).clone());
        while state.size() < size {
            let first = state.size();
            let page = entries(store, first, PAGE.min(size - first)).await?;
            for (index, leaf) in (first..).zip(&page) {
                state
                    .apply(index, leaf)
                    .map_err(|refusal| HistoryError::Entry { index, refusal })?;
            }
            // Others are served between two pages.
            tokio::task::yield_now().await;
        }
        let state = Arc::new(state);
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(state.clone());
        Ok(Some(state))
    }
}

/// The size of the tree whose last leaf is the last Snapshot up to `time`, of a log of `size` entries that ends in a
/// Snapshot. Snapshot times never go back, so the place is found by halving.
async fn size_at(store: &Snapshot, size: u64, time: Timestamp) -> Result<Option<u64>, RecordError> {
    // Every Snapshot before `low` is up to the time, and the first one from `high` on is not.
    let (mut low, mut high, mut found) = (0, size, None);
    while low < high {
        let middle = low + (high - low) / 2;
        match next_snapshot(store, middle, size).await? {
            Some((index, of_snapshot)) if of_snapshot <= time => {
                found = Some(index + 1);
                low = index + 1;
            }
            _ => high = middle,
        }
    }
    Ok(found)
}

/// The first Snapshot from `index` on.
async fn next_snapshot(store: &Snapshot, index: u64, size: u64) -> Result<Option<(u64, Timestamp)>, RecordError> {
    let mut first = index;
    while first < size {
        let page = entries(store, first, PAGE.min(size - first)).await?;
        for (index, leaf) in (first..).zip(&page) {
            let entry = Entry::parse(leaf).map_err(|_| damaged(&format!("entry/{index}")))?;
            if let Body::Snapshot(snapshot) = entry.body() {
                return Ok(Some((index, snapshot.time)));
            }
        }
        first += PAGE;
    }
    Ok(None)
}
