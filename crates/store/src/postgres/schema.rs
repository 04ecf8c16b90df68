//! The tables, their format version, and the server settings without which a commit that was
//! acknowledged could be lost.

use tokio_postgres::Client;

use crate::OpenError;
use crate::format;
use crate::format::FormatError;

/// Taken while the tables are created, so that of several processes that start together one does
/// it. Any number that no other program of the database uses: the letters "attestry".
const CREATION_LOCK: i64 = i64::from_be_bytes(*b"attestry");

/// `bytea` is compared byte by byte; no collation is involved.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS attestry_store (
        key bytea PRIMARY KEY,
        value bytea NOT NULL
    );
    CREATE TABLE IF NOT EXISTS attestry_format (
        version integer NOT NULL
    );
    INSERT INTO attestry_format (version)
        SELECT 1 WHERE NOT EXISTS (SELECT FROM attestry_format)";

/// Refuses a server that acknowledges before it syncs. Asked on every new connection, because a
/// setting may belong to the role or the database.
pub(super) async fn check_settings(client: &Client) -> Result<(), OpenError> {
    let row = client
        .query_one(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'), \
                    current_setting('full_page_writes'), current_setting('data_checksums')",
            &[],
        )
        .await
        .map_err(error("read the settings of"))?;
    let setting =
        |index: usize| -> Result<String, OpenError> { row.try_get(index).map_err(error("read the settings of")) };
    require("synchronous_commit", setting(0)?, &["on", "remote_apply"], "on")?;
    require("fsync", setting(1)?, &["on"], "on")?;
    require("full_page_writes", setting(2)?, &["on"], "on")?;
    if setting(3)? != "on" {
        tracing::warn!(
            "PostgreSQL has data_checksums = off: a byte that flips on disk goes unnoticed \
             (stop the server and run pg_checksums --enable)"
        );
    }
    Ok(())
}

/// Creates the tables if they are absent, and checks their format.
pub(super) async fn prepare(client: &mut Client) -> Result<(), OpenError> {
    if !has_tables(client).await? {
        let transaction = client.transaction().await.map_err(error("create tables in"))?;
        transaction
            .execute("SELECT pg_advisory_xact_lock($1)", &[&CREATION_LOCK])
            .await
            .map_err(error("create tables in"))?;
        transaction
            .batch_execute(TABLES)
            .await
            .map_err(error("create tables in"))?;
        transaction.commit().await.map_err(error("create tables in"))?;
    }
    let row = client
        .query_opt("SELECT version FROM attestry_format", &[])
        .await
        .map_err(error("read the format of"))?;
    let version: Option<i32> = row
        .map(|row| row.try_get(0))
        .transpose()
        .map_err(error("read the format of"))?;
    let version = version
        .and_then(|version| u32::try_from(version).ok())
        .ok_or_else(|| FormatError::Unreadable {
            found: format!("{version:?}"),
        })?;
    Ok(format::check(version)?)
}

/// A role that may not create tables can use those that are there.
async fn has_tables(client: &Client) -> Result<bool, OpenError> {
    client
        .query_one(
            "SELECT to_regclass('attestry_store') IS NOT NULL \
                AND to_regclass('attestry_format') IS NOT NULL",
            &[],
        )
        .await
        .and_then(|row| row.try_get(0))
        .map_err(error("look for tables in"))
}

pub(super) fn error(action: &'static str) -> impl Fn(tokio_postgres::Error) -> OpenError {
    move |source| OpenError::Postgres {
        action,
        source: source.into(),
    }
}

fn require(setting: &'static str, found: String, safe: &[&str], expected: &'static str) -> Result<(), OpenError> {
    if safe.contains(&found.as_str()) {
        return Ok(());
    }
    Err(OpenError::UnsafeSetting {
        setting,
        found,
        expected,
    })
}
