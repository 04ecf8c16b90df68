//! What an embedded engine must do. All of it may block.
//!
//! An engine holds the data and the [`Position`] up to which it has applied the commit log. It need
//! not sync before [`Backend::persist`] or [`Backend::checkpoint`]: what it loses until then is
//! applied again from the log.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use super::frame::DIGEST_LEN;
use super::frame::Position;
use crate::Direction;
use crate::Entry;
use crate::StoreError;
use crate::engine::Writes;
use crate::limits::MAX_SCAN_BYTES;
use crate::range::KeyRange;

/// An engine's error, in its own words.
pub(super) type BackendError = Box<dyn StdError + Send + Sync>;

/// Key, in the engine's own room, of the position.
pub(super) const POSITION_KEY: &[u8] = b"position";

/// An engine with its files open.
pub(super) trait Backend: Send + Sync {
    /// The engine's name, as in a store URL.
    fn name(&self) -> &'static str;

    /// Up to where the log has been applied.
    fn position(&self) -> Result<Position, BackendError>;

    /// A stable view, and the number of the last commit that it shows.
    fn snapshot(&self) -> Result<(u64, Arc<dyn BackendSnapshot>), BackendError>;

    /// Refuses `bytes` more of writes before they are logged, if the engine could not bear the disk
    /// becoming full over them.
    fn check_room(&self, bytes: usize) -> io::Result<()>;

    /// Applies writes and moves to `position`, visible in one step. Handed to the system before it
    /// returns, so that a killed process loses none of it, but not synced.
    fn apply(&self, writes: Writes, position: &Position) -> Result<(), BackendError>;

    /// Syncs what was applied.
    fn persist(&self) -> Result<(), BackendError>;

    /// Puts what was applied into files that are synced and in which damage is noticed; the commit
    /// log before it is deleted afterwards.
    fn checkpoint(&self) -> Result<(), BackendError>;
}

/// A stable view of an engine.
pub(super) trait BackendSnapshot: Send + Sync {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError>;

    /// Calls `visit` with each entry of `range`, in the order of `direction`, until it says no.
    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), BackendError>;
}

/// At most `limit` entries of `range`.
pub(super) fn collect(
    snapshot: &dyn BackendSnapshot,
    range: &KeyRange,
    limit: usize,
    direction: Direction,
) -> Result<Vec<Entry>, StoreError> {
    let mut entries = Vec::new();
    let mut size = 0;
    let scanned = snapshot.scan(range, direction, &mut |entry| {
        size += entry.key.len() + entry.value.len();
        entries.push(entry);
        entries.len() < limit && size <= MAX_SCAN_BYTES
    });
    scanned.map_err(|source| StoreError::Engine { action: "scan", source })?;
    if size > MAX_SCAN_BYTES {
        return Err(StoreError::ScanSize);
    }
    Ok(entries)
}

/// A position as an engine stores it: the number, then the digest.
pub(super) fn position_to_bytes(position: &Position) -> Vec<u8> {
    [&position.sequence.to_le_bytes()[..], &position.digest].concat()
}

/// Reads [`position_to_bytes`]; nothing stored means the start.
pub(super) fn parse_position(bytes: Option<&[u8]>) -> Result<Position, BackendError> {
    let Some(bytes) = bytes else {
        return Ok(Position::default());
    };
    let parsed = bytes.split_at_checked(8).and_then(|(sequence, digest)| {
        Some(Position {
            sequence: u64::from_le_bytes(sequence.try_into().ok()?),
            digest: digest.try_into().ok()?,
        })
    });
    parsed.ok_or_else(|| {
        let expected = 8 + DIGEST_LEN;
        format!("expected a position of {expected} bytes, found {}", bytes.len()).into()
    })
}
