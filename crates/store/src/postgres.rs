//! The engine `postgres`: for actors that run as several processes.
//!
//! One table of keys and values, of type `bytea`, which PostgreSQL orders by its bytes whatever the
//! database's collation. A transaction of ours is one of PostgreSQL's at the level `SERIALIZABLE`:
//! it tracks what was read, key by key and range by range, and lets one of two that conflict fail.
//! Only the writes are kept here until the commit.
//!
//! Damage and loss are PostgreSQL's own to find: its log and, if they are on, its data checksums.

mod pool;
mod schema;
mod tls;

use std::sync::Arc;

use tokio_postgres::Config;
use tokio_postgres::Row;
use tokio_postgres::error::DbError;
use tokio_postgres::error::Severity;
use tokio_postgres::error::SqlState;

use self::pool::Connection;
use self::pool::Lease;
use self::pool::Pool;
use crate::CommitError;
use crate::Direction;
use crate::Entry;
use crate::MAX_KEY_BYTES;
use crate::MAX_SCAN_BYTES;
use crate::OpenError;
use crate::StoreError;
use crate::engine::Access;
use crate::engine::BoxFuture;
use crate::engine::Engine;
use crate::engine::EngineTransaction;
use crate::engine::Writes;
use crate::range::KeyRange;
use crate::range::successor;

/// Entries of the first page of a scan. Should all be of the largest size, they take 64 MB.
const FIRST_PAGE: usize = 16;

/// Most entries of a later page.
const MAX_PAGE: usize = 4_096;

/// Bytes that a later page is meant to have, from the mean of the pages before.
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// A PostgreSQL database.
pub(crate) struct Postgres {
    pool: Arc<Pool>,
}

impl Postgres {
    /// Connects, checks that the server keeps what it acknowledges, and creates the tables if they
    /// are absent.
    pub(crate) async fn connect(config: &Config) -> Result<Self, OpenError> {
        let pool = Pool::new(config.clone())?;
        let mut client = pool.connect().await?;
        schema::prepare(&mut client).await?;
        let connection = Connection::new(client).await;
        pool.put(connection.map_err(schema::error("prepare statements of"))?);
        Ok(Self { pool })
    }
}

impl Engine for Postgres {
    fn begin(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn EngineTransaction>, StoreError>> {
        Box::pin(async move {
            // With a first query: the state is fixed by it, not by BEGIN.
            let statement = match access {
                Access::ReadOnly => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT 1",
                Access::ReadWrite => "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1",
            };
            let lease = self.pool.begin(statement).await?;
            Ok(Box::new(PostgresTransaction { lease }) as Box<dyn EngineTransaction>)
        })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.begin(Access::ReadOnly).await.map(drop) })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.pool.close() })
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn name(&self) -> &'static str {
        "postgres"
    }
}

struct PostgresTransaction {
    lease: Lease,
}

impl EngineTransaction for PostgresTransaction {
    fn get<'a>(&'a mut self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            let connection = self.lease.connection()?;
            let row = connection
                .client()
                .query_opt(&connection.statements.get, &[&key])
                .await
                .map_err(|error| read_error("read", error))?;
            row.map(|row| row.try_get(0))
                .transpose()
                .map_err(|error| read_error("read", error))
        })
    }

    fn scan(
        &mut self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move {
            let connection = self.lease.connection()?;
            scan(connection, range, limit, direction).await
        })
    }

    fn commit(mut self: Box<Self>, writes: Writes) -> BoxFuture<'static, Result<(), CommitError>> {
        Box::pin(async move {
            let connection = self.lease.connection()?;
            write(connection, writes).await.map_err(refused)?;
            connection
                .client()
                .batch_execute("COMMIT")
                .await
                .map_err(commit_error)?;
            self.lease.finish();
            Ok(())
        })
    }
}

async fn scan(
    connection: &Connection,
    range: KeyRange,
    limit: usize,
    direction: Direction,
) -> Result<Vec<Entry>, StoreError> {
    let mut start = range.start;
    // Behind every key: none is that long.
    let mut end = range.end.unwrap_or_else(|| vec![0xff; MAX_KEY_BYTES + 2]);
    let mut entries: Vec<Entry> = Vec::new();
    let mut size = 0;
    let mut page = FIRST_PAGE;
    while entries.len() < limit {
        let wanted = page.min(limit - entries.len());
        let rows = connection.scan(&start, &end, wanted, direction).await;
        let rows = rows.map_err(|error| read_error("scan", error))?;
        let is_last = rows.len() < wanted;
        for row in rows {
            let entry = parse_row(&row).map_err(|error| read_error("scan", error))?;
            size += entry.key.len() + entry.value.len();
            entries.push(entry);
        }
        if size > MAX_SCAN_BYTES {
            return Err(StoreError::ScanSize);
        }
        let Some(last) = entries.last().filter(|_| !is_last) else {
            break;
        };
        match direction {
            Direction::Forward => start = successor(&last.key),
            Direction::Reverse => end.clone_from(&last.key),
        }
        let mean = (size / entries.len()).max(1);
        page = (PAGE_BYTES / mean).clamp(FIRST_PAGE, MAX_PAGE);
    }
    Ok(entries)
}

fn parse_row(row: &Row) -> Result<Entry, tokio_postgres::Error> {
    Ok(Entry {
        key: row.try_get(0)?,
        value: row.try_get(1)?,
    })
}

/// Sends the writes, in the order of their keys, so that two transactions wait for each other
/// rather than lock each other out.
async fn write(connection: &Connection, writes: Writes) -> Result<(), tokio_postgres::Error> {
    let (mut keys, mut values, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    for (key, value) in writes {
        match value {
            Some(value) => {
                keys.push(key);
                values.push(value);
            }
            None => deleted.push(key),
        }
    }
    let (client, statements) = (connection.client(), &connection.statements);
    if !keys.is_empty() {
        client.execute(&statements.put, &[&keys, &values]).await?;
    }
    if !deleted.is_empty() {
        client.execute(&statements.delete, &[&deleted]).await?;
    }
    Ok(())
}

/// Whether PostgreSQL asks to try again. A key that two transactions insert is at times reported as
/// not unique rather than as a conflict.
fn is_conflict(error: &tokio_postgres::Error) -> bool {
    let conflicts = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
    ];
    error.code().is_some_and(|code| conflicts.contains(code))
}

fn read_error(action: &'static str, error: tokio_postgres::Error) -> StoreError {
    if is_conflict(&error) {
        return StoreError::Conflict;
    }
    StoreError::Engine {
        action,
        source: error.into(),
    }
}

/// An error before COMMIT was sent: nothing is written.
fn refused(error: tokio_postgres::Error) -> CommitError {
    if is_conflict(&error) {
        return CommitError::Conflict;
    }
    CommitError::Refused(read_error("write", error))
}

/// An error after COMMIT was sent. Only the server's own `ERROR` says that it rolled back; a lost
/// connection or a crashing server says nothing.
fn commit_error(error: tokio_postgres::Error) -> CommitError {
    let severity = error.as_db_error().and_then(DbError::parsed_severity);
    if severity == Some(Severity::Error) {
        return refused(error);
    }
    CommitError::Unknown {
        reason: error.to_string(),
    }
}
