//! The agency's register: where the data of a subject comes from. Read only.
//!
//! A register gives out the columns that the mapping names and no others, so that what is not issued never
//! enters the issuing service.

mod csv;
mod postgres;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use thiserror::Error;

pub use self::csv::CsvRegister;
pub use self::postgres::PostgresRegister;
use crate::mapping::Mapping;
use crate::mapping::Source;

/// Real subject ids have some tens of characters; a longer text is no id.
pub const MAX_SUBJECT_ID_BYTES: usize = 128;

/// The fields of one row together: a portrait of 64 KiB as base64, and twice as much of everything else.
pub const MAX_ROW_BYTES: usize = 256 << 10;

/// Finds the row of a subject.
///
/// Implementations look the subject up each time: a change in the register shows in the next credential.
/// They hold no row.
pub trait Register: Send + Sync {
    /// The one row whose subject column is exactly `id`, or none.
    ///
    /// Rows that are equal in every column of the mapping are one row.
    ///
    /// # Errors
    /// [`RegisterError::Conflict`] for rows that differ; the others when the register cannot be read. The
    /// answer is then unknown, which is not the same as none.
    fn subject<'a>(&'a self, id: &'a str) -> Lookup<'a>;
}

/// The answer of [`Register::subject`], later. A trait object cannot return `impl Future`.
pub type Lookup<'a> = Pin<Box<dyn Future<Output = Result<Option<Row>, RegisterError>> + Send + 'a>>;

/// Opens the register of `mapping`; a relative path in it begins at `folder`.
///
/// Everything that can be wrong for all subjects is found here: a missing column, a broken line of a CSV
/// file, a database that does not answer.
///
/// # Errors
/// [`RegisterError`], the operator's or the environment's fault.
pub async fn open(mapping: &Mapping, folder: &Path) -> Result<Arc<dyn Register>, RegisterError> {
    let columns = mapping.columns();
    match mapping.source() {
        Source::Csv { path } => {
            let register = CsvRegister::open(folder.join(path), mapping.subject_column(), &columns).await?;
            Ok(Arc::new(register))
        }
        Source::Postgres { table, url_env } => {
            let url = std::env::var(url_env).map_err(|_| RegisterError::MissingUrl {
                variable: url_env.to_owned(),
            })?;
            let register = PostgresRegister::connect(&url, table, mapping.subject_column(), &columns).await?;
            Ok(Arc::new(register))
        }
    }
}

/// One subject's fields by column. Personal data: its `Debug` shows the names of the columns alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Row(BTreeMap<String, String>);

impl Row {
    /// The field of a column; empty for a missing value, none where there is no such column.
    pub fn field(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    fn bytes(&self) -> usize {
        self.0.values().map(String::len).sum()
    }
}

impl FromIterator<(String, String)> for Row {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Row").field(&self.0.keys()).finish()
    }
}

/// Why a register gives no answer. The texts hold names of files, tables and columns and numbers of lines,
/// never a field.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The subject has rows that say different things: the register's fault, for this subject alone.
    #[error("expected one row for the subject, found rows that differ{}", in_lines(.lines))]
    Conflict {
        /// The lines of a CSV file; empty for a database.
        lines: Vec<u64>,
    },
    /// The subject's row is larger than [`MAX_ROW_BYTES`]: the register's fault, for this subject alone.
    #[error("expected a row of at most {MAX_ROW_BYTES} bytes, found {found}")]
    RowTooLarge {
        /// Its size.
        found: usize,
    },
    /// The file cannot be read: the environment's fault.
    #[error("the register {path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is larger than a CSV register may be: the operator's fault.
    #[error("expected a file of at most {limit} bytes, found {found} in {path}; a PostgreSQL table has no limit")]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: u64,
        /// Its size.
        found: u64,
    },
    /// A line of the file does not fit: the register's fault. Nothing is issued from a file with a broken
    /// line, since the lines after it may be shifted.
    #[error("{path}, line {line}: expected {expected}, found {found}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1, where the row begins.
        line: u64,
        /// What belongs there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file changed while it was read: the environment's fault, and gone when asked again.
    #[error("the register {path} changed while it was read; ask again")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// The register lacks columns of the mapping: the mapping's fault.
    #[error("expected the columns {missing}, found none of that name in {register}")]
    MissingColumns {
        /// The file or table.
        register: String,
        /// The columns, joined by commas.
        missing: String,
    },
    /// The environment variable that the mapping names is not set: the operator's fault.
    #[error("expected a PostgreSQL URL in the environment variable {variable}, found none")]
    MissingUrl {
        /// The variable.
        variable: String,
    },
    /// The URL or the table cannot be used: the operator's fault. The URL is a secret and not repeated.
    #[error("{register}: expected {expected}")]
    Setting {
        /// The table.
        register: String,
        /// What would fit.
        expected: String,
    },
    /// The database refused, or does not answer: the environment's fault.
    #[error("the database of {register} gave no answer while {attempt}")]
    Database {
        /// The table.
        register: String,
        /// What was tried.
        attempt: &'static str,
        /// What the database or its driver said.
        #[source]
        source: Option<tokio_postgres::Error>,
    },
}

fn in_lines(lines: &[u64]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let numbers: Vec<String> = lines.iter().map(u64::to_string).collect();
    format!(" in lines {}", numbers.join(" and "))
}

/// Whether `id` can be the id of a subject at all; anything else is not looked up.
fn is_subject_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_SUBJECT_ID_BYTES && !id.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_field() {
        let row = Row::from_iter([("given_name".to_owned(), "Maya".to_owned())]);
        assert_eq!(format!("{row:?}"), "Row([\"given_name\"])");
    }

    #[test]
    fn ids_are_short_and_printable() {
        assert!(is_subject_id("X0000001A"));
        assert!(is_subject_id(&"x".repeat(MAX_SUBJECT_ID_BYTES)));
        for bad in ["", "a\0", "a\n", &"x".repeat(MAX_SUBJECT_ID_BYTES + 1)] {
            assert!(!is_subject_id(bad), "{bad:?}");
        }
    }
}
