//! What can go wrong, one enum per operation: opening, reading and writing, committing.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::format::FormatError;
use crate::limits;

/// A store could not be opened. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Something before the last acknowledged commit is missing or was altered on disk. The disk,
    /// or who edited the folder, is at fault. The store is left as it is, for a backup to be
    /// compared with.
    #[error("the store at {} is damaged: {detail}; restore it from a backup", path.display())]
    Damaged {
        /// The file or folder in which it was seen.
        path: PathBuf,
        /// What was expected and what was found.
        detail: String,
    },
    /// The engine itself failed to open.
    #[error("{engine} could not open its data")]
    Engine {
        /// Which engine.
        engine: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Written by a program of another time.
    #[error("the store cannot be read by this program")]
    Format(#[from] FormatError),
    /// A file operation failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Another process, or another `Store` in this one, has the folder open.
    #[error("the store at {} is in use by another process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The program was built without this engine.
    #[error("this program was built without {engine}: build it with `--features {engine}`")]
    NotBuilt {
        /// Which engine.
        engine: &'static str,
    },
    /// The folder has files, but none that says that it is a store.
    #[error("{} is not a store: expected an empty folder or one with a file FORMAT", path.display())]
    NotAStore {
        /// The folder.
        path: PathBuf,
    },
    /// The folder or database holds another engine's data.
    #[error("the store at {} was made by {found}, expected {expected}", path.display())]
    OtherEngine {
        /// The folder.
        path: PathBuf,
        /// The engine that was asked for.
        expected: &'static str,
        /// The engine that the folder names.
        found: String,
    },
    /// PostgreSQL could not be reached, or refused.
    #[error("cannot {action} PostgreSQL")]
    Postgres {
        /// What was attempted.
        action: &'static str,
        /// Its own words.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// PostgreSQL is set up to lose acknowledged commits.
    #[error("PostgreSQL has {setting} = {found}, expected {expected}: it could lose acknowledged commits")]
    UnsafeSetting {
        /// The setting's name.
        setting: &'static str,
        /// Its value.
        found: String,
        /// The values that are safe.
        expected: &'static str,
    },
}

/// A read or a write inside a transaction failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Another transaction changed what this one relies on; begin again. Only PostgreSQL finds this
    /// out before the commit. [`Store::transact`](crate::Store::transact) retries.
    #[error("the transaction conflicts with another one")]
    Conflict,
    /// The engine failed: a damaged block, a lost connection.
    #[error("the store could not {action}")]
    Engine {
        /// What was attempted.
        action: &'static str,
        /// The engine's own words.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// An earlier write or sync failed. What the disk holds is known again only after the store was
    /// closed and opened; until then it takes no commits.
    #[error("the store takes no commits after a failure ({reason}): restart once the cause is removed")]
    Failed {
        /// The first failure.
        reason: String,
    },
    /// The transaction was already committed. The caller kept a handle too long.
    #[error("the transaction is finished")]
    Finished,
    /// The key is empty or too long. The caller is at fault.
    #[error("expected a key of 1 to {} bytes, found {found}", limits::MAX_KEY_BYTES)]
    KeySize {
        /// Its length, with the room's prefix.
        found: usize,
    },
    /// The scan would return too much at once. The caller should ask for fewer entries.
    #[error("expected a scan of at most {} bytes: ask for fewer entries", limits::MAX_SCAN_BYTES)]
    ScanSize,
    /// The transaction writes too much. The caller should split it.
    #[error(
        "expected at most {} bytes in one transaction, found {found}",
        limits::MAX_TRANSACTION_BYTES
    )]
    TransactionSize {
        /// Its size so far.
        found: usize,
    },
    /// The value is too long. The caller is at fault.
    #[error("expected a value of at most {} bytes, found {found}", limits::MAX_VALUE_BYTES)]
    ValueSize {
        /// Its length.
        found: usize,
    },
}

/// A transaction was not acknowledged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// Something that the transaction read was changed by another one. Nothing was written; begin
    /// again, from the reads.
    #[error("the transaction conflicts with another one")]
    Conflict,
    /// Nothing was written.
    #[error("the transaction was refused")]
    Refused(#[from] StoreError),
    /// The disk or the connection failed while committing: the transaction may or may not be there
    /// when the store is opened again. Never report it as done.
    #[error("it is unknown whether the transaction was kept: {reason}")]
    Unknown {
        /// What failed.
        reason: String,
    },
}
