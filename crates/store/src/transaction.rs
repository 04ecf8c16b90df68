//! [`Transaction`] and [`Snapshot`]: reads of one state, and writes that are kept until the commit.

use std::collections::BTreeMap;
use std::ops::RangeBounds;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::CommitError;
use crate::Direction;
use crate::MAX_KEY_BYTES;
use crate::MAX_TRANSACTION_BYTES;
use crate::MAX_VALUE_BYTES;
use crate::StoreError;
use crate::engine::EngineTransaction;
use crate::engine::Writes;
use crate::limits::write_size;
use crate::range::KeyRange;

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The key, without the prefix of the store's room.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl Entry {
    /// An entry, for tests and in-memory copies of a store.
    pub fn new(key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// A view of one committed state, with writes of its own on top. It reads its own writes.
///
/// Nothing is written before [`Transaction::commit`]; dropping the transaction gives it up.
pub struct Transaction {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Reader,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    writes: Writes,
    /// Bytes of keys and values in `writes`, against [`MAX_TRANSACTION_BYTES`].
    size: usize,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction").finish_non_exhaustive()
    }
}

impl Transaction {
    pub(crate) fn new(engine: Box<dyn EngineTransaction>, room: Arc<[u8]>) -> Self {
        Self {
            inner: Arc::new(Inner {
                reader: Reader::new(engine, room),
                pending: Mutex::default(),
            }),
        }
    }

    /// Sets the value of `key`. Checks the sizes; touches nothing but this transaction.
    pub fn put(&self, key: impl AsRef<[u8]>, value: impl Into<Vec<u8>>) -> Result<(), StoreError> {
        let value = value.into();
        if value.len() > MAX_VALUE_BYTES {
            return Err(StoreError::ValueSize { found: value.len() });
        }
        self.write(key.as_ref(), Some(value))
    }

    /// Deletes `key`, whether it exists or not.
    pub fn delete(&self, key: impl AsRef<[u8]>) -> Result<(), StoreError> {
        self.write(key.as_ref(), None)
    }

    /// The value of `key`, this transaction's own write first. Declares the read. Nothing is found under a key of
    /// a size that cannot be written: a part of it may be an id that a stranger made up.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(key) = self.inner.reader.full_key(key.as_ref()) else {
            return Ok(None);
        };
        if let Some(value) = self.pending().writes.get(&key) {
            return Ok(value.clone());
        }
        self.inner.reader.get(&key).await
    }

    /// At most `limit` entries whose keys are in `range`, in the order of `direction`. Declares as
    /// read what was seen: the whole range, or the part up to the last entry if the limit was met.
    pub async fn range<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        let range = KeyRange::new(&range);
        self.scan(range, limit, direction).await
    }

    /// [`Transaction::range`] of all keys that begin with `prefix`.
    pub async fn prefix(
        &self,
        prefix: impl AsRef<[u8]>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        let range = KeyRange::prefix(prefix.as_ref());
        self.scan(range, limit, direction).await
    }

    /// Makes the writes durable and visible, all or none.
    ///
    /// # Errors
    /// [`CommitError::Conflict`] if something that was read has changed since the transaction began.
    /// A transaction that only read saw one state; an embedded engine never finds it in conflict.
    ///
    /// Dropping the future does not take the commit back: it may happen all the same.
    pub async fn commit(self) -> Result<(), CommitError> {
        let engine = self.inner.reader.take().await?;
        let writes = std::mem::take(&mut self.pending().writes);
        engine.commit(writes).await
    }

    /// Whether a read has already met a conflict, whatever the caller made of the error.
    pub(crate) fn has_conflict(&self) -> bool {
        self.inner.reader.has_conflict.load(Ordering::Relaxed)
    }

    /// A second handle on this transaction.
    pub(crate) fn handle(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }

    async fn scan(&self, range: KeyRange, limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        let range = range.inside(&self.inner.reader.room);
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let own: Writes = self
            .pending()
            .writes
            .range::<[u8], _>(range.bounds())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        // Each own write can hide one stored entry at most.
        let wanted = limit.saturating_add(own.len());
        let stored = self.inner.reader.scan(range, wanted, direction).await?;
        let entries = if own.is_empty() {
            stored
        } else {
            overlay(stored, own, wanted, direction)
        };
        Ok(self.inner.reader.in_room(entries, limit))
    }

    fn write(&self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), StoreError> {
        let key = self.inner.reader.full_key(key)?;
        let mut pending = self.pending();
        let replaced = pending.writes.get(&key).map_or(0, |old| write_size(&key, old.as_ref()));
        let size = pending.size - replaced + write_size(&key, value.as_ref());
        if size > MAX_TRANSACTION_BYTES {
            return Err(StoreError::TransactionSize { found: size });
        }
        pending.size = size;
        pending.writes.insert(key, value);
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        // Nothing panics between two changes of it, so a poisoned one is whole.
        self.inner.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One committed state, read-only.
pub struct Snapshot {
    reader: Reader,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

impl Snapshot {
    pub(crate) fn new(engine: Box<dyn EngineTransaction>, room: Arc<[u8]>) -> Self {
        Self {
            reader: Reader::new(engine, room),
        }
    }

    /// The value of `key`; nothing under a key of a size that cannot be written.
    pub async fn get(&self, key: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, StoreError> {
        let Ok(key) = self.reader.full_key(key.as_ref()) else {
            return Ok(None);
        };
        self.reader.get(&key).await
    }

    /// At most `limit` entries whose keys are in `range`, in the order of `direction`.
    pub async fn range<K: AsRef<[u8]>>(
        &self,
        range: impl RangeBounds<K>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        let range = KeyRange::new(&range);
        self.scan(range, limit, direction).await
    }

    /// [`Snapshot::range`] of all keys that begin with `prefix`.
    pub async fn prefix(
        &self,
        prefix: impl AsRef<[u8]>,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Entry>, StoreError> {
        let range = KeyRange::prefix(prefix.as_ref());
        self.scan(range, limit, direction).await
    }

    async fn scan(&self, range: KeyRange, limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        let range = range.inside(&self.reader.room);
        if range.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        let entries = self.reader.scan(range, limit, direction).await?;
        Ok(self.reader.in_room(entries, limit))
    }
}

/// The reading half of both: an engine's transaction and the room it is confined to.
struct Reader {
    /// `None` once committed. An engine's transaction does one thing at a time.
    engine: tokio::sync::Mutex<Option<Box<dyn EngineTransaction>>>,
    room: Arc<[u8]>,
    has_conflict: AtomicBool,
}

impl Reader {
    fn new(engine: Box<dyn EngineTransaction>, room: Arc<[u8]>) -> Self {
        Self {
            engine: tokio::sync::Mutex::new(Some(engine)),
            room,
            has_conflict: AtomicBool::new(false),
        }
    }

    /// # Errors
    /// [`StoreError::KeySize`] alone.
    fn full_key(&self, key: &[u8]) -> Result<Vec<u8>, StoreError> {
        let full = [&*self.room, key].concat();
        if key.is_empty() || full.len() > MAX_KEY_BYTES {
            return Err(StoreError::KeySize { found: full.len() });
        }
        Ok(full)
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let mut engine = self.engine.lock().await;
        let engine = engine.as_mut().ok_or(StoreError::Finished)?;
        self.watch(engine.get(key).await)
    }

    async fn scan(&self, range: KeyRange, limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        let mut engine = self.engine.lock().await;
        let engine = engine.as_mut().ok_or(StoreError::Finished)?;
        self.watch(engine.scan(range, limit, direction).await)
    }

    async fn take(&self) -> Result<Box<dyn EngineTransaction>, StoreError> {
        self.engine.lock().await.take().ok_or(StoreError::Finished)
    }

    fn watch<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(result, Err(StoreError::Conflict)) {
            self.has_conflict.store(true, Ordering::Relaxed);
        }
        result
    }

    /// At most `limit` entries, with the room's prefix taken off their keys.
    fn in_room(&self, mut entries: Vec<Entry>, limit: usize) -> Vec<Entry> {
        entries.truncate(limit);
        for entry in &mut entries {
            entry.key.drain(..self.room.len().min(entry.key.len()));
        }
        entries
    }
}

/// What a scan gives after `own` writes: their values instead of the stored ones, without the
/// deleted keys. `stored` was cut off at `wanted` entries: behind its last key nothing is known, so
/// own writes there are left for the next scan.
fn overlay(stored: Vec<Entry>, own: Writes, wanted: usize, direction: Direction) -> Vec<Entry> {
    let edge = if stored.len() < wanted {
        None
    } else {
        stored.last().map(|entry| entry.key.clone())
    };
    let mut merged: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
        stored.into_iter().map(|entry| (entry.key, Some(entry.value))).collect();
    merged.extend(own.into_iter().filter(|(key, _)| match (&edge, direction) {
        (None, _) => true,
        (Some(edge), Direction::Forward) => key <= edge,
        (Some(edge), Direction::Reverse) => key >= edge,
    }));
    let existing = merged
        .into_iter()
        .filter_map(|(key, value)| Some(Entry { key, value: value? }));
    match direction {
        Direction::Forward => existing.collect(),
        Direction::Reverse => existing.rev().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(keys: &[&str]) -> Vec<Entry> {
        keys.iter()
            .map(|key| Entry {
                key: key.as_bytes().to_vec(),
                value: b"stored".to_vec(),
            })
            .collect()
    }

    fn keys(entries: &[Entry]) -> Vec<&str> {
        entries
            .iter()
            .map(|entry| std::str::from_utf8(&entry.key).unwrap())
            .collect()
    }

    #[test]
    fn own_writes_behind_the_edge_wait() {
        let own = || {
            Writes::from([
                (b"b".to_vec(), None),
                (b"c".to_vec(), Some(b"own".to_vec())),
                (b"x".to_vec(), Some(b"own".to_vec())),
            ])
        };
        let cut = overlay(entries(&["a", "b", "d"]), own(), 3, Direction::Forward);
        assert_eq!(keys(&cut), ["a", "c", "d"]);
        let all = overlay(entries(&["a", "b", "d"]), own(), 4, Direction::Forward);
        assert_eq!(keys(&all), ["a", "c", "d", "x"]);
        let reverse = overlay(entries(&["d", "b"]), own(), 2, Direction::Reverse);
        assert_eq!(keys(&reverse), ["x", "d", "c"]);
    }
}
