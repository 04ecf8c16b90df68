//! Following a log from its first entry to its checkpoint, and judging all of it.

use std::collections::VecDeque;

use thiserror::Error;
use tokio::task::JoinError;
use tokio::task::JoinHandle;
use trust::Anchor;
use trust::audit::Audit;
use trust::audit::Audited;
use trust::audit::Violation;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::Hash;
use trust::tiles::TILE_WIDTH;
use trust::tiles::Tile;
use trust::tiles::TileKind;

use crate::Source;
use crate::SourceError;

/// Bundles that are fetched ahead: enough to hide the way to a server, and with the largest entries, which are in memory
/// twice for a moment, not above 200 MiB.
const AHEAD: usize = 4;

/// Told after every bundle: entries that hold so far, and of how many.
pub type Progress<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// Told of every tile that holds, with its entries or hashes.
pub(crate) type Keep<'a> = &'a mut (dyn FnMut(Tile, Contents<'_>) -> Result<(), std::io::Error> + Send);

/// What is in a tile.
pub(crate) enum Contents<'a> {
    Entries(&'a [Vec<u8>]),
    Hashes(&'a [Hash]),
}

/// The log does not hold, or was not seen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FollowError {
    /// What holds could not be kept.
    #[error("the copy cannot be written")]
    Keep(#[from] std::io::Error),
    /// A file could not be read. That says nothing about the log.
    #[error("the log cannot be read")]
    Source(#[from] SourceError),
    /// A task of our own ended early: our fault.
    #[error("reading was broken off")]
    Task(#[from] JoinError),
    /// What was read does not hold: the fault of the log, or of whoever served it.
    #[error("what was read as the log does not hold")]
    Violation(#[from] Violation),
}

/// Reads the whole log and judges it, its tiles included. It is held to `earlier`, if that is given: a checkpoint that it
/// signed before.
///
/// # Errors
/// [`FollowError`], with the first violation.
pub async fn audit(
    source: &Source,
    anchor: Anchor,
    earlier: Option<SignedCheckpoint>,
    progress: Progress<'_>,
) -> Result<(Audited, SignedCheckpoint), FollowError> {
    let checkpoint = source.checkpoint().await?;
    let audited = follow(
        std::slice::from_ref(source),
        anchor,
        earlier,
        &checkpoint,
        progress,
        &mut |_, _| Ok(()),
    )
    .await?;
    Ok((audited, checkpoint))
}

/// As [`audit`], to this checkpoint. A file is read from the first of the sources that has it; each tile that holds is
/// handed to `keep`, entries before the hashes over them.
pub(crate) async fn follow(
    sources: &[Source],
    anchor: Anchor,
    earlier: Option<SignedCheckpoint>,
    checkpoint: &SignedCheckpoint,
    progress: Progress<'_>,
    keep: Keep<'_>,
) -> Result<Audited, FollowError> {
    let mut audit = Audit::new(anchor);
    if let Some(earlier) = earlier {
        audit = audit.since(earlier)?;
    }
    let size = checkpoint.unverified().size();
    let mut bundles = Bundles::new(sources, 0, size);
    while let Some((tile, entries)) = bundles.next().await? {
        let mut full = Vec::new();
        for entry in &entries {
            audit.leaf(entry, |tile, hashes| full.push((tile, hashes)))?;
        }
        keep(tile, Contents::Entries(&entries))?;
        for (tile, hashes) in full {
            compare(sources, tile, &hashes, keep).await?;
        }
        progress(audit.size(), size);
    }
    let audited = audit.finish(checkpoint)?;
    for (tile, hashes) in audited.edge.partial_tiles() {
        compare(sources, tile, hashes, keep).await?;
    }
    Ok(audited)
}

/// A tile must have the hashes that the entries give.
async fn compare(sources: &[Source], tile: Tile, expected: &[Hash], keep: Keep<'_>) -> Result<(), FollowError> {
    let found = first(sources, Source::hashes, tile).await?;
    if found != expected {
        return Err(Violation::Tile { tile }.into());
    }
    Ok(keep(tile, Contents::Hashes(expected))?)
}

/// From the first source that has it.
async fn first<T>(
    sources: &[Source],
    read: impl AsyncFn(&Source, Tile) -> Result<T, SourceError>,
    tile: Tile,
) -> Result<T, SourceError> {
    for source in sources {
        match read(source, tile).await {
            Err(SourceError::Missing { .. }) => {}
            done => return done,
        }
    }
    let path = tile.to_string();
    Err(SourceError::Missing { path })
}

/// The bundles of a log in their order, some of them fetched ahead.
pub(crate) struct Bundles {
    sources: Vec<Source>,
    size: u64,
    next: u64,
    /// How many entries of the first bundle are known already.
    known: usize,
    ahead: VecDeque<(Tile, Reading)>,
}

/// The entries of a bundle that are being read.
type Reading = JoinHandle<Result<Vec<Vec<u8>>, SourceError>>;

impl Bundles {
    /// Those with the entries from the one of index `from` to a log of `size` entries.
    pub(crate) fn new(sources: &[Source], from: u64, size: u64) -> Self {
        let width = u64::from(TILE_WIDTH);
        Self {
            sources: sources.to_vec(),
            size: if from < size { size } else { 0 },
            next: from / width,
            known: usize::try_from(from % width).unwrap_or_default(),
            ahead: VecDeque::with_capacity(AHEAD),
        }
    }

    /// The next bundle, and those of its entries that are not known.
    pub(crate) async fn next(&mut self) -> Result<Option<(Tile, Vec<Vec<u8>>)>, FollowError> {
        while self.ahead.len() < AHEAD
            && let Some(tile) = Tile::in_tree(TileKind::Entries, self.next, self.size)
        {
            let sources = self.sources.clone();
            let reading = tokio::spawn(async move { first(&sources, Source::entries, tile).await });
            self.ahead.push_back((tile, reading));
            self.next += 1;
        }
        match self.ahead.pop_front() {
            None => Ok(None),
            Some((tile, reading)) => {
                let mut entries = reading.await??;
                entries.drain(..std::mem::take(&mut self.known).min(entries.len()));
                Ok(Some((tile, entries)))
            }
        }
    }
}

impl Drop for Bundles {
    /// Nobody waits for what was fetched ahead of a violation.
    fn drop(&mut self) {
        for (_, reading) in &self.ahead {
            reading.abort();
        }
    }
}
