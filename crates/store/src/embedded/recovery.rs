//! Bringing an engine up to the commit log when the store is opened, or finding that one of the two
//! has lost something.
//!
//! What a kill or a power cut explains is repaired: the engine lacks the last commits, and gets
//! them from the log. What neither explains is [`OpenError::Damaged`]:
//! - the engine is ahead of the log: the log was synced first, so it has lost its end;
//! - the engine lacks commits that the log no longer holds;
//! - the store was closed in order and the engine lacks commits all the same;
//! - the engine's last commit is not the one of that number in the log;
//! - a key does not have the value that the log says, although the engine says to have that commit.

use std::path::Path;

use super::backend::Backend;
use super::backend::BackendError;
use super::log::Replay;
use super::log::damaged;
use crate::OpenError;
use crate::engine::Writes;

/// Compares `backend` with the log in `replay`, and applies what it lacks.
pub(super) fn recover(folder: &Path, backend: &dyn Backend, replay: &mut Replay) -> Result<(), OpenError> {
    let failed = |source: BackendError| OpenError::Engine {
        engine: backend.name(),
        source,
    };
    let engine = backend.position().map_err(failed)?;
    let end = replay.position.sequence;
    let found = engine.sequence;
    let lost = if found > end {
        Some(format!(
            "the engine has commit {found}, but the commit log ends at {end}"
        ))
    } else if found < replay.base {
        Some(format!(
            "expected the engine to have commit {}, found {found}",
            replay.base
        ))
    } else if replay.closed && found != end {
        Some(format!("it was closed at commit {end}, but the engine has {found}"))
    } else if !replay.contains(&engine) {
        Some(format!("the engine's commit {found} is not that of the log"))
    } else {
        None
    };
    if let Some(detail) = lost {
        return Err(damaged(folder, detail));
    }

    let missing = check_values(folder, backend, replay, found)?;
    if found < end {
        tracing::warn!(
            engine = backend.name(),
            commits = end - found,
            "the store was not closed: commits are restored from its commit log"
        );
        let position = replay.position;
        backend.apply(missing, &position).map_err(failed)?;
    }
    Ok(())
}

/// Compares the values of keys last written up to commit `applied`; gives the later writes.
fn check_values(folder: &Path, backend: &dyn Backend, replay: &mut Replay, applied: u64) -> Result<Writes, OpenError> {
    let failed = |source: BackendError| OpenError::Engine {
        engine: backend.name(),
        source,
    };
    let (_, view) = backend.snapshot().map_err(failed)?;
    let mut missing = Writes::new();
    for (key, (sequence, value)) in std::mem::take(&mut replay.last_writes) {
        if sequence > applied {
            missing.insert(key, value);
        } else if view.get(&key).map_err(failed)? != value {
            // The key may name a person: only the commit is told.
            let detail = format!("the engine lacks a write of commit {sequence}");
            return Err(damaged(folder, detail));
        }
    }
    Ok(missing)
}
