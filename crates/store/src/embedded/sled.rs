//! The engine `sled` 0.34, behind the cargo feature of its name.
//!
//! sled has no snapshots. A commit keeps the values that it overwrites for as long as an older
//! snapshot is open ([`Versions`]). Nor does its `flush` sync: here every file is synced behind it,
//! before the commit log forgets anything.

use std::collections::BTreeMap;
use std::fs;
use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use sled::Batch;
use sled::Db;
use sled::Tree;

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

/// Bytes of pages kept in memory, as for fjall.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes that must stay free on the disk: sled cannot be opened again once a write of its own failed
/// half-way. Its segments of 512 KiB, its snapshots and its garbage take several times the data.
const RESERVED_BYTES: u64 = 32 * 1024 * 1024;

/// Longest time that a write may take. On a full disk sled waits for ever, also when it is dropped.
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Sled {
    folder: PathBuf,
    files: Arc<Files>,
    versions: Arc<RwLock<Versions>>,
}

#[derive(Clone)]
struct Trees {
    database: Db,
    data: Tree,
    state: Tree,
}

/// Whoever drops it last closes the database, within the deadline.
struct Files(Option<Trees>);

impl Files {
    fn trees(&self) -> Result<&Trees, BackendError> {
        self.0.as_ref().ok_or_else(|| "the database is closed".into())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let trees = self.0.take();
        if let Err(error) = within_deadline(move || drop(trees)) {
            tracing::error!(error, "the database was not closed");
        }
    }
}

/// What open snapshots need to see older states.
#[derive(Default)]
struct Versions {
    /// Number of the last commit that was applied.
    sequence: u64,
    /// The states that open snapshots show, and how many show each.
    readers: BTreeMap<u64, usize>,
    /// Per key the commits that changed it, ascending, with the value before.
    before: BTreeMap<Vec<u8>, Vec<Change>>,
}

/// A change of a key.
struct Change {
    /// Number of the commit that made it.
    sequence: u64,
    /// The value before.
    before: Option<Vec<u8>>,
}

impl Sled {
    /// Opens or creates the database in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Arc<dyn Backend>, BackendError> {
        remove_unfinished(folder)?;
        let database = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()?;
        let trees = Trees {
            data: database.open_tree("data")?,
            state: database.open_tree("state")?,
            database,
        };
        let position = parse_position(trees.state.get(POSITION_KEY)?.as_deref())?;
        let versions = Versions {
            sequence: position.sequence,
            ..Versions::default()
        };
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            files: Arc::new(Files(Some(trees))),
            versions: Arc::new(RwLock::new(versions)),
        }))
    }
}

impl Backend for Sled {
    fn name(&self) -> &'static str {
        "sled"
    }

    fn position(&self) -> Result<Position, BackendError> {
        let trees = self.files.trees()?;
        parse_position(trees.state.get(POSITION_KEY)?.as_deref())
    }

    fn snapshot(&self) -> Result<(u64, Arc<dyn BackendSnapshot>), BackendError> {
        let mut versions = write(&self.versions);
        let sequence = versions.sequence;
        *versions.readers.entry(sequence).or_default() += 1;
        let snapshot = SledSnapshot {
            sequence,
            files: self.files.clone(),
            versions: self.versions.clone(),
        };
        Ok((sequence, Arc::new(snapshot)))
    }

    fn check_room(&self, bytes: usize) -> io::Result<()> {
        let disk = rustix::fs::statvfs(&self.folder)?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        let needed = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(4);
        if free < RESERVED_BYTES.saturating_add(needed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn apply(&self, writes: Writes, position: &Position) -> Result<(), BackendError> {
        let trees = self.files.trees()?.clone();
        let mut versions = write(&self.versions);
        let mut batch = Batch::default();
        for (key, value) in writes {
            if !versions.readers.is_empty() {
                let old = trees.data.get(&key)?.map(|old| old.to_vec());
                let before = versions.before.entry(key.clone()).or_default();
                before.push(Change {
                    sequence: position.sequence,
                    before: old,
                });
            }
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        let database = trees.database.clone();
        let position_bytes = position_to_bytes(position);
        within_deadline(move || {
            trees.data.apply_batch(batch)?;
            // Behind the data in sled's own log: whoever finds the position finds the data as well.
            trees.state.insert(POSITION_KEY, position_bytes)
        })??;
        versions.sequence = position.sequence;
        drop(versions);
        // sled keeps what is not flushed in the process.
        within_deadline(move || database.flush())??;
        Ok(())
    }

    fn persist(&self) -> Result<(), BackendError> {
        let database = self.files.trees()?.database.clone();
        within_deadline(move || database.flush())??;
        Ok(sync_all(&self.folder)?)
    }

    fn checkpoint(&self) -> Result<(), BackendError> {
        // Its log is its data, each message with a checksum. If its end is lost, the position goes
        // with it, and that is noticed.
        self.persist()
    }
}

struct SledSnapshot {
    sequence: u64,
    files: Arc<Files>,
    versions: Arc<RwLock<Versions>>,
}

impl Drop for SledSnapshot {
    fn drop(&mut self) {
        write(&self.versions).close(self.sequence);
    }
}

impl BackendSnapshot for SledSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        let versions = read(&self.versions);
        if let Some(before) = versions.value_at(key, self.sequence) {
            return Ok(before.clone());
        }
        Ok(self.files.trees()?.data.get(key)?.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        range: &KeyRange,
        direction: Direction,
        visit: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), BackendError> {
        // The lock keeps writers out meanwhile; a scan is bounded by its caller's limits.
        let versions = read(&self.versions);
        let mut stored = self.files.trees()?.data.range::<&[u8], _>(range.bounds());
        let mut changed = versions.before.range::<[u8], _>(range.bounds());
        let mut next_stored = || match direction {
            Direction::Forward => stored.next(),
            Direction::Reverse => stored.next_back(),
        };
        let mut next_changed = || match direction {
            Direction::Forward => changed.next(),
            Direction::Reverse => changed.next_back(),
        };
        let (mut now, mut then) = (next_stored().transpose()?, next_changed());
        loop {
            let stored_first = match (&now, &then) {
                (None, None) => return Ok(()),
                (Some(_), None) => true,
                (None, Some(_)) => false,
                (Some((key, _)), Some((changed, _))) => match direction {
                    Direction::Forward => key.as_ref() < changed.as_slice(),
                    Direction::Reverse => key.as_ref() > changed.as_slice(),
                },
            };
            let entry = if stored_first {
                let entry = now.take();
                now = next_stored().transpose()?;
                entry.map(|(key, value)| (key.to_vec(), value.to_vec()))
            } else {
                let key = then.take().map(|(key, _)| key.clone()).unwrap_or_default();
                then = next_changed();
                let current = now.take_if(|(stored, _)| stored.as_ref() == key.as_slice());
                if current.is_some() {
                    now = next_stored().transpose()?;
                }
                let value = match versions.value_at(&key, self.sequence) {
                    Some(before) => before.clone(),
                    None => current.map(|(_, value)| value.to_vec()),
                };
                value.map(|value| (key, value))
            };
            if let Some((key, value)) = entry
                && !visit(Entry { key, value })
            {
                return Ok(());
            }
        }
    }
}

impl Versions {
    /// What `key` was in state `sequence`, if a later commit changed it.
    fn value_at(&self, key: &[u8], sequence: u64) -> Option<&Option<Vec<u8>>> {
        let changes = self.before.get(key)?;
        let later = changes.iter().find(|change| change.sequence > sequence)?;
        Some(&later.before)
    }

    /// Closes one snapshot of state `sequence`, and forgets what no other one needs.
    fn close(&mut self, sequence: u64) {
        if let Some(readers) = self.readers.get_mut(&sequence) {
            *readers -= 1;
            if *readers > 0 {
                return;
            }
        }
        self.readers.remove(&sequence);
        let Some(oldest) = self.readers.keys().next().copied() else {
            self.before.clear();
            return;
        };
        if oldest > sequence {
            self.before.retain(|_, changes| {
                changes.retain(|change| change.sequence > oldest);
                !changes.is_empty()
            });
        }
    }
}

fn read(versions: &RwLock<Versions>) -> RwLockReadGuard<'_, Versions> {
    versions.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(versions: &RwLock<Versions>) -> RwLockWriteGuard<'_, Versions> {
    versions.write().unwrap_or_else(PoisonError::into_inner)
}

/// Removes snapshot files that a killed process had not finished. sled 0.34 writes them under a name that ends in
/// `.generating`, and passes over `.in___motion` when it looks for the newest one, so it would take half a file for damage.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "generating") {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Runs `work` on a thread of its own, and gives up waiting for it at the deadline.
fn within_deadline<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, BackendError> {
    let (sender, result) = mpsc::channel();
    thread::Builder::new().name("store-sled".to_owned()).spawn(move || {
        let _nobody_waits = sender.send(work());
    })?;
    result
        .recv_timeout(DEADLINE)
        .map_err(|_| format!("sled did not answer within {DEADLINE:?}: is the disk full?").into())
}

/// Syncs every file in a folder, then the folder.
fn sync_all(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_all(&entry.path())?;
        } else {
            match File::open(entry.path()) {
                Ok(file) => file.sync_all()?,
                // sled replaces its snapshot files in the background.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    File::open(folder)?.sync_all()
}
