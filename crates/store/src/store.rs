//! [`Store`]: opening an engine, beginning transactions, and retrying those that conflict.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::CommitError;
use crate::Keyspace;
use crate::OpenError;
use crate::StoreError;
use crate::embedded;
use crate::engine::Access;
use crate::engine::Engine;
use crate::postgres;
use crate::transaction::Snapshot;
use crate::transaction::Transaction;
use crate::url::StoreUrl;

/// Attempts of [`Store::transact`] that run side by side with everybody else's.
const ATTEMPTS_IN_PARALLEL: u32 = 4;

/// Attempts of [`Store::transact`] in all. From [`ATTEMPTS_IN_PARALLEL`] on those of one process
/// wait for each other, so more conflicts than this come from a hot key shared by many processes.
const MAX_ATTEMPTS: u32 = 32;

/// Longest pause between two attempts, in milliseconds: a few commits' time.
const MAX_PAUSE: u64 = 50;

/// An open store. Cheap to clone; all clones are the same store.
///
/// An embedded store stays locked until it is closed, or its last clone and its last transaction
/// are dropped.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    /// Prefix of every key, empty unless made by [`Store::room`].
    room: Arc<[u8]>,
    /// Who has lost too often takes turns here, so that a hot key starves nobody.
    turns: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("engine", &self.engine.name())
            .field("room", &String::from_utf8_lossy(&self.room))
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store that `url` names; an embedded one is created if its folder is absent or
    /// empty, a PostgreSQL one if its tables are.
    ///
    /// # Errors
    /// [`OpenError::Damaged`] if something before the last acknowledged commit is gone or altered.
    pub async fn open(url: &StoreUrl) -> Result<Self, OpenError> {
        let engine: Arc<dyn Engine> = match url {
            StoreUrl::Fjall(folder) => embedded::open_fjall(folder).await?,
            StoreUrl::Sled(folder) => embedded::open_sled(folder).await?,
            StoreUrl::Postgres(config) => Arc::new(postgres::Postgres::connect(config).await?),
        };
        Ok(Self {
            engine,
            room: Arc::from([]),
            turns: Arc::default(),
        })
    }

    /// The same store confined to a room: its transactions see only keys under the prefix, without
    /// it. Rooms nest.
    #[must_use]
    pub fn room(&self, keyspace: &Keyspace) -> Self {
        Self {
            room: [&*self.room, keyspace.prefix().as_bytes()].concat().into(),
            ..self.clone()
        }
    }

    /// Begins a transaction on the state of now.
    pub async fn begin(&self) -> Result<Transaction, StoreError> {
        let inner = self.engine.begin(Access::ReadWrite).await?;
        Ok(Transaction::new(inner, self.room.clone()))
    }

    /// The state of now, to be read while others write. It holds back the removal of old data, and
    /// with PostgreSQL a connection: keep it for seconds, not hours.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let inner = self.engine.begin(Access::ReadOnly).await?;
        Ok(Snapshot::new(inner, self.room.clone()))
    }

    /// Runs `step` in a transaction and commits it; on a conflict again, from its reads, up to 32
    /// times. So `step` must have no effect but on the transaction, and must not call `transact`
    /// itself. An error of `step` gives the transaction up.
    ///
    /// # Errors
    /// What `step` gave, or the [`CommitError`]: `Conflict` only after the last attempt.
    pub async fn transact<T, E, F, Fut>(&self, step: F) -> Result<T, E>
    where
        F: Fn(Transaction) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<CommitError>,
    {
        let mut turn = None;
        for attempt in 0..MAX_ATTEMPTS {
            if attempt == ATTEMPTS_IN_PARALLEL {
                turn = Some(self.turns.lock().await);
            }
            if attempt > 1 {
                sleep(pause(attempt)).await;
            }
            let transaction = self.begin().await.map_err(CommitError::Refused)?;
            match step(transaction.handle()).await {
                Err(_) if transaction.has_conflict() => {}
                Err(error) => return Err(error),
                Ok(value) => match transaction.commit().await {
                    Ok(()) => return Ok(value),
                    Err(CommitError::Conflict) => {}
                    Err(error) => return Err(error.into()),
                },
            }
        }
        drop(turn);
        Err(CommitError::Conflict.into())
    }

    /// Whether the store still takes commits, for health reports: an embedded one does not after a
    /// failed write, PostgreSQL does not while it is out of reach.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.engine.check().await
    }

    /// Closes the store for all its clones: waits for the commits under way, then every call gives
    /// [`StoreError::Closed`]. The folder is free once no transaction is left.
    pub async fn close(&self) {
        self.engine.close().await;
    }

    /// Whether other processes may have the same store open.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.engine.is_shared()
    }

    /// The engine's name: `fjall`, `sled` or `postgres`.
    #[must_use]
    pub fn engine(&self) -> &'static str {
        self.engine.name()
    }
}

/// Doubles from 1 ms.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(1_u64.checked_shl(attempt).unwrap_or(MAX_PAUSE).min(MAX_PAUSE) / 2)
}
