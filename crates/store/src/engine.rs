//! The one trait behind which every engine stands, and the contract that it keeps.
//!
//! All methods return boxed futures, so that a [`Store`](crate::Store) holds an engine without
//! naming its type.

use std::collections::BTreeMap;
use std::pin::Pin;

use crate::CommitError;
use crate::Direction;
use crate::Entry;
use crate::StoreError;
use crate::range::KeyRange;

/// What a transaction writes: the new value of a key, or `None` to delete it.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// The future of an engine's method; the aliases keep the signatures below readable.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads one state; declares nothing and cannot conflict.
    ReadOnly,
    /// Declares its reads and may be committed.
    ReadWrite,
}

/// An ordered key-value store: keys are ordered by their bytes.
pub(crate) trait Engine: Send + Sync {
    /// A view of one committed state. Later commits do not change what it reads.
    fn begin(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn EngineTransaction>, StoreError>>;

    /// Whether commits are still taken.
    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Commits what is under way, refuses what comes later, and lets go of files and connections
    /// once the last transaction is gone.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// Whether other processes may have the same data open.
    fn is_shared(&self) -> bool;

    /// The engine's name, as in a store URL.
    fn name(&self) -> &'static str;
}

/// One transaction of an engine. Dropping it gives it up.
pub(crate) trait EngineTransaction: Send {
    /// The value of `key`; declares the read.
    fn get<'a>(&'a mut self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// At most `limit` entries of `range`, from the end that `direction` names. Declares as read
    /// what was seen: all of `range`, or the part up to the last entry if the limit was met.
    fn scan(
        &mut self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>>;

    /// Makes `writes` durable and visible in one step. `Ok` only after they are synced to disk, and
    /// only if all that were committed could have run one after the other, in which case they read
    /// what they did. (No declared read was changed by a commit since `begin`, is one way.)
    fn commit(self: Box<Self>, writes: Writes) -> BoxFuture<'static, Result<(), CommitError>>;
}
