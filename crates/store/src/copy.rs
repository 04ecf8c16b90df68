//! Copying a whole store into another one, of any engine.

use std::error::Error as StdError;

use sha2::Digest as _;
use sha2::Sha256;
use thiserror::Error;

use crate::CommitError;
use crate::Direction;
use crate::Entry;
use crate::Snapshot;
use crate::Store;
use crate::StoreError;
use crate::range::successor;

/// Entries that are read, and written in one transaction, at a time.
const PAGE: usize = 1_000;

/// Bytes after which a transaction is committed early.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Entries that are durable in the new store.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

/// A copy was not made, or only in part: delete the new store and start again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The copy was read back and is not the same. One of the two is damaged, or was written to.
    #[error("the copy differs from the original: expected {expected} entries, found {found}")]
    Differs {
        /// Entries of the old store.
        expected: u64,
        /// Entries of the new one.
        found: u64,
    },
    /// The new store has entries already.
    #[error("expected an empty store to copy to")]
    NotEmpty,
    /// The old store could not be read.
    #[error("cannot read the store to copy from")]
    Read(#[source] Box<dyn StdError + Send + Sync>),
    /// The new store could not be written or read back.
    #[error("cannot write the store to copy to")]
    Write(#[source] Box<dyn StdError + Send + Sync>),
}

/// Copies all entries of `from` as they are now into `to`, which must be empty, then reads both back
/// and compares them. Stop the actors first: what they write meanwhile is not copied.
///
/// `progress` is called after each transaction.
pub async fn copy(from: &Store, to: &Store, mut progress: impl FnMut(CopyProgress)) -> Result<CopyProgress, CopyError> {
    let source = from.snapshot().await.map_err(read_error)?;
    let target = to.snapshot().await.map_err(write_error)?;
    let first = target.range::<&[u8]>(.., 1, Direction::Forward).await;
    if !first.map_err(write_error)?.is_empty() {
        return Err(CopyError::NotEmpty);
    }
    drop(target);

    let mut done = CopyProgress::default();
    let mut expected = Sha256::new();
    let mut start = Vec::new();
    loop {
        let page = page(&source, &start).await.map_err(read_error)?;
        let Some(last) = page.last() else {
            break;
        };
        start = successor(&last.key);
        for entry in &page {
            add(&mut expected, &mut done, entry);
        }
        write(to, page).await.map_err(|error| CopyError::Write(error.into()))?;
        progress(done);
    }
    compare(to, done, &expected.finalize()).await?;
    Ok(done)
}

/// Reads the copy back.
async fn compare(to: &Store, done: CopyProgress, expected: &[u8]) -> Result<(), CopyError> {
    let target = to.snapshot().await.map_err(write_error)?;
    let mut found = CopyProgress::default();
    let mut digest = Sha256::new();
    let mut start = Vec::new();
    loop {
        let page = page(&target, &start).await.map_err(write_error)?;
        let Some(last) = page.last() else {
            break;
        };
        start = successor(&last.key);
        for entry in &page {
            add(&mut digest, &mut found, entry);
        }
    }
    if digest.finalize().as_slice() != expected {
        return Err(CopyError::Differs {
            expected: done.entries,
            found: found.entries,
        });
    }
    Ok(())
}

/// The next entries from `start` on: many small ones, or a few large ones.
async fn page(snapshot: &Snapshot, start: &[u8]) -> Result<Vec<Entry>, StoreError> {
    let range = start.to_vec()..;
    let page = match snapshot.range(range.clone(), PAGE, Direction::Forward).await {
        // No eight values are larger than a scan may be.
        Err(StoreError::ScanSize) => snapshot.range(range, 7, Direction::Forward).await?,
        other => other?,
    };
    let mut size = 0;
    Ok(page
        .into_iter()
        .take_while(|entry| {
            let fits = size <= PAGE_BYTES;
            size += entry.key.len() + entry.value.len();
            fits
        })
        .collect())
}

async fn write(to: &Store, page: Vec<Entry>) -> Result<(), CommitError> {
    let transaction = to.begin().await?;
    for entry in page {
        transaction.put(entry.key, entry.value)?;
    }
    transaction.commit().await
}

fn add(digest: &mut Sha256, progress: &mut CopyProgress, entry: &Entry) {
    for part in [&entry.key, &entry.value] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        digest.update(length.to_le_bytes());
        digest.update(part);
        progress.bytes += length;
    }
    progress.entries += 1;
}

fn read_error(error: StoreError) -> CopyError {
    CopyError::Read(error.into())
}

fn write_error(error: StoreError) -> CopyError {
    CopyError::Write(error.into())
}
