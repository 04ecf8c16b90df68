//! A register in a table or view of a PostgreSQL database.
//!
//! The session is read only and each statement has a time limit; names from the mapping are quoted, the
//! subject's id is a parameter. Give the issuing service a database role of its own that may read the
//! mapped columns and nothing else.
//!
//! The connection is not encrypted, so only a server on this machine (loopback or a Unix socket) is taken;
//! a remote database is reached through a local encrypting proxy.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::NoTls;
use tokio_postgres::Statement;
use tokio_postgres::config::Host;
use tokio_postgres::error::Error;

use super::Lookup;
use super::MAX_ROW_BYTES;
use super::Register;
use super::RegisterError;
use super::Row;
use super::is_subject_id;

/// A lookup by an indexed column takes milliseconds; a table scan that takes seconds must not pile up.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The server's own limit and some slack: beyond it the server or the network is gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The register of one table.
pub struct PostgresRegister {
    config: Config,
    table: String,
    subject_column: String,
    columns: Vec<String>,
    /// The open session, replaced when it is lost. Queries of several requests share it.
    session: Mutex<Option<Arc<Session>>>,
}

struct Session {
    client: Client,
    lookup: Statement,
}

impl PostgresRegister {
    /// Connects once, so that a wrong URL, table or column is found before the first offer.
    ///
    /// # Errors
    /// [`RegisterError`], the operator's or the environment's fault.
    pub async fn connect(
        url: &str,
        table: &str,
        subject_column: &str,
        columns: &BTreeSet<&str>,
    ) -> Result<Self, RegisterError> {
        let register = Self {
            config: configuration(url, table)?,
            table: table.to_owned(),
            subject_column: subject_column.to_owned(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            session: Mutex::new(None),
        };
        register.session().await?;
        Ok(register)
    }

    /// The open session, or a new one.
    async fn session(&self) -> Result<Arc<Session>, RegisterError> {
        let mut session = self.session.lock().await;
        if let Some(open) = session.as_ref().filter(|session| !session.client.is_closed()) {
            return Ok(Arc::clone(open));
        }
        let opened = Arc::new(self.open().await?);
        *session = Some(Arc::clone(&opened));
        Ok(opened)
    }

    async fn open(&self) -> Result<Session, RegisterError> {
        let (client, connection) = self.within(self.config.connect(NoTls), "connecting").await?;
        // It ends when the client is dropped or the server goes; either shows as a closed client.
        tokio::spawn(connection);
        let types = self.column_types(&client).await?;
        let query = self.query(&types)?;
        let lookup = self.within(client.prepare(&query), "preparing the lookup").await?;
        Ok(Session { client, lookup })
    }

    /// Name, type category and full type of each column of the table.
    async fn column_types(&self, client: &Client) -> Result<Vec<ColumnType>, RegisterError> {
        const QUERY: &str = "SELECT a.attname::text, t.typcategory::text, pg_catalog.format_type(a.atttypid, -1) \
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
            WHERE a.attrelid = pg_catalog.to_regclass($1::text) AND a.attnum > 0 AND NOT a.attisdropped";
        let table = quoted_table(&self.table);
        let rows = self
            .within(client.query(QUERY, &[&table]), "reading the table's columns")
            .await?;
        if rows.is_empty() {
            return Err(self.setting("a table or view of that name, readable by the URL's role"));
        }
        rows.iter()
            .map(|row| {
                Ok(ColumnType {
                    name: row.try_get(0)?,
                    category: row.try_get(1)?,
                    full: row.try_get(2)?,
                })
            })
            .collect::<Result<_, Error>>()
            .map_err(|error| self.failure("reading the table's columns", Some(error)))
    }

    /// All mapped columns as text. Two rows that differ are enough to know of a conflict.
    fn query(&self, types: &[ColumnType]) -> Result<String, RegisterError> {
        let find = |name: &str| types.iter().find(|column| column.name == name);
        let absent: Vec<&str> = self
            .columns
            .iter()
            .map(String::as_str)
            .filter(|name| find(name).is_none())
            .collect();
        if !absent.is_empty() {
            return Err(RegisterError::MissingColumns {
                register: self.table.clone(),
                missing: absent.join(", "),
            });
        }
        let mut fields = Vec::with_capacity(self.columns.len());
        for column in self.columns.iter().filter_map(|name| find(name)) {
            fields.push(column.as_text().ok_or_else(|| {
                self.setting(format!(
                    "plain columns, found an array or a record in `{}`; join it in a view",
                    column.name
                ))
            })?);
        }
        let subject = find(&self.subject_column).ok_or_else(|| {
            self.setting(format!(
                "the subject column `{}` among the mapped ones",
                self.subject_column
            ))
        })?;
        Ok(format!(
            // The cast is on the parameter, so that an index on the column is used.
            "SELECT DISTINCT {} FROM {} WHERE {} = $1::text::{} LIMIT 2",
            fields.join(", "),
            quoted_table(&self.table),
            quoted(&subject.name),
            subject.full,
        ))
    }

    async fn lookup(&self, id: &str) -> Result<Option<Row>, RegisterError> {
        let mut session = self.session().await?;
        let mut answer = self.ask(&session, id).await?;
        if answer.as_ref().is_err_and(is_lost_session) {
            // The server was restarted or closed an idle session; reading twice does no harm.
            self.forget(&session).await;
            session = self.session().await?;
            answer = self.ask(&session, id).await?;
        }
        let answer = match answer {
            Ok(rows) => rows,
            // The column is a number or the like, and the id is none: there is no such subject.
            Err(error) if is_unfit_value(&error) => return Ok(None),
            Err(error) => return Err(self.failure("looking up a subject", Some(error))),
        };
        let row = match answer.as_slice() {
            [] => return Ok(None),
            [row] => row,
            _ => return Err(RegisterError::Conflict { lines: Vec::new() }),
        };
        let field = |(place, column): (usize, &String)| {
            let text: Option<String> = row.try_get(place)?;
            Ok((column.clone(), text.unwrap_or_default()))
        };
        let row: Row = self
            .columns
            .iter()
            .enumerate()
            .map(field)
            .collect::<Result<_, Error>>()
            .map_err(|error| self.failure("reading a row", Some(error)))?;
        if row.bytes() > MAX_ROW_BYTES {
            return Err(RegisterError::RowTooLarge { found: row.bytes() });
        }
        // `007` finds the number 7 and, in some collations, `x` finds `X`: another id is another subject.
        Ok(Some(row).filter(|row| row.field(&self.subject_column) == Some(id)))
    }

    /// The database's answer; an error of ours when there is none in time.
    async fn ask(&self, session: &Session, id: &str) -> Result<Result<Vec<tokio_postgres::Row>, Error>, RegisterError> {
        timeout(ANSWER_TIMEOUT, session.client.query(&session.lookup, &[&id]))
            .await
            .map_err(|_| self.failure("looking up a subject", None))
    }

    /// Drops the lost session, unless somebody has replaced it already.
    async fn forget(&self, lost: &Arc<Session>) {
        let mut session = self.session.lock().await;
        if session.as_ref().is_some_and(|open| Arc::ptr_eq(open, lost)) {
            *session = None;
        }
    }

    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
        attempt: &'static str,
    ) -> Result<T, RegisterError> {
        match timeout(ANSWER_TIMEOUT, work).await {
            Ok(result) => result.map_err(|error| self.failure(attempt, Some(error))),
            Err(_) => Err(self.failure(attempt, None)),
        }
    }

    fn failure(&self, attempt: &'static str, source: Option<Error>) -> RegisterError {
        RegisterError::Database {
            register: self.table.clone(),
            attempt,
            source,
        }
    }

    fn setting(&self, expected: impl Into<String>) -> RegisterError {
        RegisterError::Setting {
            register: self.table.clone(),
            expected: expected.into(),
        }
    }
}

impl Register for PostgresRegister {
    fn subject<'a>(&'a self, id: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            if !is_subject_id(id) {
                return Ok(None);
            }
            self.lookup(id).await
        })
    }
}

struct ColumnType {
    name: String,
    /// [`typcategory`](https://www.postgresql.org/docs/current/catalog-pg-type.html).
    category: String,
    /// Such as `character varying`, without its length: a cast to a length would cut the id.
    full: String,
}

impl ColumnType {
    /// The SQL that gives the column as text; none for arrays and records.
    fn as_text(&self) -> Option<String> {
        let name = quoted(&self.name);
        match (self.category.as_str(), self.full.as_str()) {
            ("A" | "C", _) => None,
            (_, "bytea") => Some(format!("pg_catalog.encode({name}, 'base64')")),
            _ => Some(format!("{name}::text")),
        }
    }
}

/// Adds what protects the register to the operator's URL.
fn configuration(url: &str, table: &str) -> Result<Config, RegisterError> {
    let setting = |expected: &str| RegisterError::Setting {
        register: table.to_owned(),
        expected: expected.to_owned(),
    };
    let mut config: Config = url
        .parse()
        .map_err(|_| setting("a PostgreSQL URL such as postgres://role@localhost/db"))?;
    if !is_local(&config) {
        return Err(setting(
            "a server on this machine (localhost or a Unix socket), since the connection is not encrypted",
        ));
    }
    let options = format!(
        "{} -c default_transaction_read_only=on -c statement_timeout={} -c datestyle=ISO",
        config.get_options().unwrap_or_default(),
        STATEMENT_TIMEOUT.as_millis(),
    );
    config
        .options(options)
        .application_name("attestry-issuer")
        .connect_timeout(STATEMENT_TIMEOUT);
    Ok(config)
}

fn is_local(config: &Config) -> bool {
    let hosts_are_local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Unix(_) => true,
    });
    hosts_are_local && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

/// [An identifier in quotes](https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS).
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn quoted_table(table: &str) -> String {
    let (schema, name) = table.split_once('.').unwrap_or(("public", table));
    format!("{}.{}", quoted(schema), quoted(name))
}

/// Class 22 of the [error codes](https://www.postgresql.org/docs/current/errcodes-appendix.html): data exception.
fn is_unfit_value(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code().starts_with("22"))
}

/// Class 57P: the server goes down or ends the session. Otherwise the connection itself is gone.
fn is_lost_session(error: &Error) -> bool {
    error.is_closed() || error.code().is_some_and(|code| code.code().starts_with("57P"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        assert_eq!(quoted_table("population.persons"), r#""population"."persons""#);
        assert_eq!(quoted_table("persons"), r#""public"."persons""#);
        assert_eq!(
            quoted(r#"x"; DROP TABLE persons; --"#),
            r#""x""; DROP TABLE persons; --""#
        );
    }

    #[test]
    fn only_servers_of_this_machine_are_taken() {
        for url in [
            "postgres://r@localhost/d",
            "postgres://r@127.0.0.1:5433/d",
            "postgres://r@[::1]/d",
            "host=/run/pg",
        ] {
            assert!(configuration(url, "t").is_ok(), "{url}");
        }
        for url in [
            "postgres://r@db.example/d",
            "postgres://r@192.0.2.1/d",
            "postgres://r@localhost,db.example/d",
            "host=localhost hostaddr=192.0.2.1",
            "http://localhost",
        ] {
            assert!(
                matches!(configuration(url, "t"), Err(RegisterError::Setting { .. })),
                "{url}"
            );
        }
    }

    #[test]
    fn the_url_s_own_options_cannot_undo_ours() {
        let url = "postgres://r@localhost/d?options=-c%20default_transaction_read_only%3Doff";
        let config = configuration(url, "t").unwrap();
        let options = config.get_options().unwrap();
        assert!(
            options.find("read_only=off").unwrap() < options.find("read_only=on").unwrap(),
            "{options}"
        );
    }
}
