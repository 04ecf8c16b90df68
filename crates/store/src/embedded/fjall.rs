//! The engine `fjall`: a log-structured merge tree.
//!
//! Two trees of one database: the data, and the position in the commit log. A batch changes both in
//! one step, so each snapshot holds the position that belongs to it.

use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fjall::Database;
use fjall::Keyspace;
use fjall::KeyspaceCreateOptions;
use fjall::PersistMode;
use fjall::Readable as _;

use super::backend::Backend;
use super::backend::BackendError;
use super::backend::BackendSnapshot;
use super::backend::POSITION_KEY;
use super::backend::parse_position;
use super::backend::position_to_bytes;
use super::frame::Position;
use crate::Direction;
use crate::Entry;
use crate::engine::Writes;
use crate::range::KeyRange;

/// Bytes of blocks kept in memory. The whole process is to stay under 100 MB.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// How often a checkpoint looks whether the tables are written.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(5);

pub(super) struct Fjall {
    database: Database,
    trees: Trees,
}

#[derive(Clone)]
struct Trees {
    data: Keyspace,
    state: Keyspace,
}

impl Fjall {
    /// Opens or creates the database in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Arc<dyn Backend>, BackendError> {
        let database = Database::builder(folder).cache_size(CACHE_BYTES).open()?;
        let trees = Trees {
            data: database.keyspace("data", KeyspaceCreateOptions::default)?,
            state: database.keyspace("state", KeyspaceCreateOptions::default)?,
        };
        Ok(Arc::new(Self { database, trees }))
    }
}

impl Backend for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn position(&self) -> Result<Position, BackendError> {
        parse_position(self.trees.state.get(POSITION_KEY)?.as_deref())
    }

    fn snapshot(&self) -> Result<(u64, Arc<dyn BackendSnapshot>), BackendError> {
        let view = self.database.snapshot();
        let position = parse_position(view.get(&self.trees.state, POSITION_KEY)?.as_deref())?;
        let snapshot = FjallSnapshot {
            view,
            trees: self.trees.clone(),
        };
        Ok((position.sequence, Arc::new(snapshot)))
    }

    fn check_room(&self, _bytes: usize) -> io::Result<()> {
        // A full disk stops it, but what it has on disk stays readable.
        Ok(())
    }

    fn apply(&self, writes: Writes, position: &Position) -> Result<(), BackendError> {
        // To the system, not to the disk: the commit log is synced already.
        let mut batch = self.database.batch().durability(Some(PersistMode::Buffer));
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(&self.trees.data, key, value),
                None => batch.remove(&self.trees.data, key),
            }
        }
        batch.insert(&self.trees.state, POSITION_KEY, position_to_bytes(position));
        Ok(batch.commit()?)
    }

    fn persist(&self) -> Result<(), BackendError> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    fn checkpoint(&self) -> Result<(), BackendError> {
        // Not in fjall's documentation, but public: without it nobody can tell when data has left
        // the journal, whose damage goes unnoticed, for the tables, whose blocks have checksums.
        let trees = [&self.trees.data, &self.trees.state];
        for tree in trees {
            tree.rotate_memtable()?;
        }
        while trees.iter().any(|tree| tree.sealed_memtable_count() > 0) {
            thread::sleep(CHECKPOINT_PAUSE);
            // Fails if writing the tables has failed: then the wait would have no end.
            self.database.persist(PersistMode::Buffer)?;
        }
        Ok(())
    }
}

struct FjallSnapshot {
    view: fjall::Snapshot,
    trees: Trees,
}

impl BackendSnapshot for FjallSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let value = self.view.get(&self.trees.data, key)?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), BackendError> {
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = range.bounds();
        let mut entries = self.view.range::<&[u8], _>(&self.trees.data, bounds);
        loop {
            let next = match direction {
                Direction::Forward => entries.next(),
                Direction::Reverse => entries.next_back(),
            };
            let Some(next) = next else {
                return Ok(());
            };
            let (key, value) = next.into_inner()?;
            let entry = Entry {
                key: key.to_vec(),
                value: value.to_vec(),
            };
            if !visit(entry) {
                return Ok(());
            }
        }
    }
}
