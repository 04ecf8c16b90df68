//! Connections to PostgreSQL: how many, how each is set up, and that none goes back with a
//! transaction open.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::Row;
use tokio_postgres::Statement;

use super::read_error;
use super::schema;
use super::tls::Tls;
use crate::Direction;
use crate::OpenError;
use crate::StoreError;

/// Most connections of one process. A server takes 100 by default; four processes leave it room.
/// Each serves some thousand short transactions a second.
const MAX_CONNECTIONS: usize = 20;

/// Longest wait for a connection, and longest attempt to make one. Who waits longer is better told.
const WAIT: Duration = Duration::from_secs(10);

pub(super) struct Pool {
    config: Config,
    tls: Tls,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    is_closed: AtomicBool,
}

/// A connection that was checked and knows its statements.
pub(super) struct Connection {
    client: Client,
    pub(super) statements: Statements,
}

pub(super) struct Statements {
    pub(super) get: Statement,
    pub(super) put: Statement,
    pub(super) delete: Statement,
    forward: Statement,
    reverse: Statement,
}

impl Pool {
    pub(super) fn new(mut config: Config) -> Result<Arc<Self>, OpenError> {
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("attestry");
        }
        let tls = Tls::choose(&mut config)?;
        Ok(Arc::new(Self {
            config,
            tls,
            permits: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            idle: Mutex::default(),
            is_closed: AtomicBool::new(false),
        }))
    }

    /// Makes a connection and checks the server's settings, which may have changed since the last.
    pub(super) async fn connect(&self) -> Result<Client, OpenError> {
        let connecting = self.tls.connect(&self.config).await;
        let client = connecting.map_err(|source| OpenError::Postgres {
            action: "connect to",
            source: source.into(),
        })?;
        schema::check_settings(&client).await?;
        Ok(client)
    }

    /// Takes a connection, waiting for one if need be, and begins a transaction on it.
    pub(super) async fn begin(self: &Arc<Self>, statement: &str) -> Result<Lease, StoreError> {
        let permit = match timeout(WAIT, self.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(StoreError::Closed),
            Err(elapsed) => {
                return Err(StoreError::Engine {
                    action: "get a connection",
                    source: elapsed.into(),
                });
            }
        };
        let mut lease = Lease {
            connection: None,
            is_in_transaction: true,
            pool: self.clone(),
            permit: Some(permit),
        };
        loop {
            let idle = self.idle().pop();
            let is_new = idle.is_none();
            let connection = match idle {
                Some(connection) => connection,
                None => self.new_connection().await?,
            };
            // In the lease first: should this future be dropped, the lease clears up.
            let connection = lease.connection.insert(connection);
            match connection.client.batch_execute(statement).await {
                Ok(()) => return Ok(lease),
                // The server may have closed an idle one, or been restarted.
                Err(_) if connection.client.is_closed() && !is_new => {}
                Err(error) => return Err(read_error("begin", error)),
            }
        }
    }

    async fn new_connection(&self) -> Result<Connection, StoreError> {
        let client = self.connect().await.map_err(|error| StoreError::Engine {
            action: "connect",
            source: error.into(),
        })?;
        let connection = Connection::new(client).await;
        connection.map_err(|error| read_error("prepare", error))
    }

    /// Puts a connection without a transaction back.
    pub(super) fn put(&self, connection: Connection) {
        if !connection.client.is_closed() && !self.is_closed.load(Ordering::Acquire) {
            self.idle().push(connection);
        }
    }

    /// Closes the connections that are idle now, and each other one when it comes back.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.permits.close();
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Prepares a connection to a database that has the tables.
    pub(super) async fn new(client: Client) -> Result<Self, tokio_postgres::Error> {
        // Without these, small tables are read whole, and then conflict as a whole.
        client
            .batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            .await?;
        let statements = Statements {
            get: client
                .prepare("SELECT value FROM attestry_store WHERE key = $1")
                .await?,
            put: client
                .prepare(
                    "INSERT INTO attestry_store (key, value) \
                     SELECT * FROM unnest($1::bytea[], $2::bytea[]) \
                     ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
                )
                .await?,
            delete: client
                .prepare("DELETE FROM attestry_store WHERE key = ANY($1::bytea[])")
                .await?,
            forward: client
                .prepare(
                    "SELECT key, value FROM attestry_store WHERE key >= $1 AND key < $2 \
                     ORDER BY key LIMIT $3",
                )
                .await?,
            reverse: client
                .prepare(
                    "SELECT key, value FROM attestry_store WHERE key >= $1 AND key < $2 \
                     ORDER BY key DESC LIMIT $3",
                )
                .await?,
        };
        Ok(Self { client, statements })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// At most `limit` rows with `start <= key < end`.
    pub(super) async fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let statement = match direction {
            Direction::Forward => &self.statements.forward,
            Direction::Reverse => &self.statements.reverse,
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.client.query(statement, &[&start, &end, &limit]).await
    }
}

/// A connection with a transaction open, while it is used.
pub(super) struct Lease {
    connection: Option<Connection>,
    is_in_transaction: bool,
    pool: Arc<Pool>,
    /// Given back after the connection.
    permit: Option<OwnedSemaphorePermit>,
}

impl Lease {
    pub(super) fn connection(&self) -> Result<&Connection, StoreError> {
        if self.pool.is_closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed);
        }
        self.connection.as_ref().ok_or(StoreError::Finished)
    }

    /// The transaction has ended: the connection can be used again as it is.
    pub(super) fn finish(&mut self) {
        self.is_in_transaction = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        if !self.is_in_transaction {
            self.pool.put(connection);
            return;
        }
        // Dropping the connection instead would end the transaction too, at the price of a new one.
        if let Ok(runtime) = Handle::try_current() {
            let pool = self.pool.clone();
            let permit = self.permit.take();
            runtime.spawn(async move {
                if connection.client.batch_execute("ROLLBACK").await.is_ok() {
                    pool.put(connection);
                }
                drop(permit);
            });
        }
    }
}
