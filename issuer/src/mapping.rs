//! From a register's row to a credential's claims.
//!
//! An agency writes one small JSON file for each credential type: which register, which column holds the
//! subject's id, and which column becomes which claim. `schemas/mapping.schema.json` describes the file for
//! editors, `schemas/sample/mappings/` has four of them. This module is pure: it reads no file, no register
//! and no clock.
//!
//! A claim whose column is empty is left out, unless it is `required`. A value that does not fit refuses
//! the whole row: a credential says nothing rather than something wrong.

mod file;
pub(crate) mod mdoc;
mod transform;

use std::collections::BTreeSet;
use std::path::PathBuf;

use credential::ClaimPath;
use credential::claim_path::PathComponent;
use credential::mdoc::Namespace;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::Offset;
use keys::Timestamp;
use keys::cbor;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

pub use self::file::MappingError;
use self::mdoc::MdocMapping;
use self::transform::Transform;
use crate::register::Row;

/// Seconds of a day; validity is counted in whole days of the clock, not of the calendar.
const DAY: i64 = 86_400;

/// A mapping that was read and found consistent.
#[derive(Clone, Debug)]
pub struct Mapping {
    credential_type: String,
    source: Source,
    subject_column: String,
    utc_offset: Offset,
    eligible: Vec<Condition>,
    validity: Validity,
    has_status: bool,
    claims: Vec<ClaimRule>,
    disclosable: Vec<ClaimPath>,
    mdoc: Option<MdocMapping>,
}

/// Where the register is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// A CSV file with a header line, in UTF-8.
    Csv {
        /// Its path; a relative one begins at the folder of the mapping file.
        path: PathBuf,
    },
    /// A table or view of a PostgreSQL database.
    Postgres {
        /// `schema.table`, or `table` in the schema `public`.
        table: String,
        /// The environment variable that holds the connection URL, which is a secret and so not in the file.
        url_env: String,
    },
}

/// What a row becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct MappedClaims {
    /// The claims, without those of the envelope (`vct`, `iss`, `exp`, `cnf`, `status`).
    pub claims: Map<String, Value>,
    /// The end of the credential's validity (exclusive): the validity of the type, or the end of what the
    /// register grants if that comes first.
    pub expires_at: Timestamp,
}

/// Why a row gives no credential. The texts name columns, never values.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowError {
    /// The mapping names a column that the row does not have: the mapping's or the register's fault.
    #[error("expected a column `{column}`, the register has none")]
    UnknownColumn {
        /// The column.
        column: String,
    },
    /// A document of this type must have a data element for which the register has no value: the register's fault.
    #[error("expected a value for the data element `{identifier}`, which the document must have, found none")]
    MissingElement {
        /// Its identifier.
        identifier: String,
    },
    /// A required value is missing: the register's fault.
    #[error("expected a value in the column `{column}`, found none")]
    MissingValue {
        /// The column.
        column: String,
    },
    /// A value does not fit its transform: the register's fault, or the mapping's.
    #[error("expected {expected} in the column `{column}`, found something else")]
    UnfitValue {
        /// The column.
        column: String,
        /// What the transform takes.
        expected: &'static str,
    },
    /// The subject may not have this credential: nobody's fault.
    #[error("the column `{column}` says that this subject may not have the credential")]
    NotEligible {
        /// The column.
        column: String,
    },
    /// What the register grants has ended: nobody's fault.
    #[error("the validity in the column `{column}` has ended")]
    Ended {
        /// The column.
        column: String,
    },
}

/// A rule on a column that a row must pass.
#[derive(Clone, Debug)]
struct Condition {
    column: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Empty,
    OneOf(Vec<String>),
}

#[derive(Clone, Debug)]
struct Validity {
    days: u32,
    /// A column with the last day on which what the register says holds.
    not_after: Option<String>,
}

#[derive(Clone, Debug)]
struct ClaimRule {
    /// Names of members from the outside in; at least one.
    path: Vec<String>,
    origin: Origin,
    disclosure: Disclosure,
}

#[derive(Clone, Debug)]
enum Origin {
    Constant(Value),
    Column {
        column: String,
        transform: Transform,
        required: bool,
    },
}

/// Who decides whether a verifier sees the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disclosure {
    /// Nobody: it is in every presentation.
    Always,
    /// The holder, for the list as a whole and for each element.
    Each,
    /// The holder.
    Selective,
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`], the fault of whoever wrote the file; the text names the claim.
    pub fn parse(bytes: &[u8]) -> Result<Self, MappingError> {
        file::parse(bytes)
    }

    /// The credential type's name, such as `PersonIdentity`.
    pub fn credential_type(&self) -> &str {
        &self.credential_type
    }

    /// Where the register is.
    pub const fn source(&self) -> &Source {
        &self.source
    }

    /// The column that holds the subject's id.
    pub fn subject_column(&self) -> &str {
        &self.subject_column
    }

    /// Whether credentials of this mapping get a place in a status list, so that they can be revoked.
    pub const fn has_status(&self) -> bool {
        self.has_status
    }

    /// Every column that is read, the subject's included; a register gives out no other.
    pub fn columns(&self) -> BTreeSet<&str> {
        let of_claims = self.claims.iter().filter_map(|rule| match &rule.origin {
            Origin::Column { column, .. } => Some(column),
            Origin::Constant(_) => None,
        });
        let of_conditions = self.eligible.iter().map(|condition| &condition.column);
        of_claims
            .chain(of_conditions)
            .chain(&self.validity.not_after)
            .chain([&self.subject_column])
            .map(String::as_str)
            .collect()
    }

    /// The claims that the holder decides on, in the form that `credential::sd_jwt_vc` takes.
    ///
    /// A member of an object is disclosable by itself, and so is the object: otherwise the presence of an
    /// address would show in every presentation.
    pub fn disclosable(&self) -> &[ClaimPath] {
        &self.disclosable
    }

    /// Where each claim stands: names of members from the outside in.
    pub(crate) fn claim_paths(&self) -> impl Iterator<Item = &[String]> {
        self.claims.iter().map(|claim| claim.path.as_slice())
    }

    /// Where the claims stand that are in every presentation, in the same form.
    pub(crate) fn always_shown(&self) -> impl Iterator<Item = &[String]> {
        let is_always = |claim: &&ClaimRule| claim.disclosure == Disclosure::Always;
        self.claims.iter().filter(is_always).map(|claim| claim.path.as_slice())
    }

    /// The document type, if credentials of this mapping are issued as mdocs, too.
    pub fn doctype(&self) -> Option<&str> {
        self.mdoc.as_ref().map(|mdoc| mdoc.doctype.as_str())
    }

    pub(crate) const fn mdoc(&self) -> Option<&MdocMapping> {
        self.mdoc.as_ref()
    }

    /// The claims as the data elements of an mdoc; none where the mapping has no document type.
    ///
    /// # Errors
    /// [`RowError::MissingElement`].
    pub fn elements(&self, mapped: &MappedClaims) -> Result<Vec<Namespace<'_>>, RowError> {
        let elements = self
            .mdoc
            .as_ref()
            .map(|mdoc| mdoc.elements(&self.claims, &mapped.claims));
        elements.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Makes the claims of one subject, as of `now`.
    ///
    /// # Errors
    /// [`RowError`] when the row has something that does not fit, or the subject may not have the credential.
    pub fn apply(&self, row: &Row, now: Timestamp) -> Result<MappedClaims, RowError> {
        let today = date_at(now, self.utc_offset);
        for condition in &self.eligible {
            condition.check(row)?;
        }
        let expires_at = self.expiry(row, now)?;
        let mut claims = Map::new();
        for rule in &self.claims {
            if let Some(value) = rule.origin.value(row, today)? {
                insert(&mut claims, &rule.path, value);
            }
        }
        Ok(MappedClaims { claims, expires_at })
    }

    /// The end of the validity; a last day is valid to its end where the agency is.
    fn expiry(&self, row: &Row, now: Timestamp) -> Result<Timestamp, RowError> {
        let by_type = now.plus(i64::from(self.validity.days) * DAY);
        let Some(column) = &self.validity.not_after else {
            return Ok(by_type);
        };
        let text = cell(row, column)?;
        if text.is_empty() {
            return Ok(by_type);
        }
        let unfit = || RowError::UnfitValue {
            column: column.clone(),
            expected: transform::A_DATE,
        };
        let last_day = transform::date(text).ok_or_else(unfit)?;
        let after = last_day.checked_add(1.day()).map_err(|_| unfit())?;
        let midnight = after.to_datetime(jiff::civil::Time::midnight());
        let end = self.utc_offset.to_timestamp(midnight).map_err(|_| unfit())?;
        let by_register = Timestamp::from_unix(end.as_second());
        if by_register <= now {
            return Err(RowError::Ended { column: column.clone() });
        }
        Ok(by_type.min(by_register))
    }
}

impl Condition {
    fn check(&self, row: &Row) -> Result<(), RowError> {
        let text = cell(row, &self.column)?;
        let passes = match &self.test {
            Test::Empty => text.is_empty(),
            Test::OneOf(values) => values.iter().any(|value| value == text),
        };
        if passes {
            return Ok(());
        }
        Err(RowError::NotEligible {
            column: self.column.clone(),
        })
    }
}

impl Origin {
    /// The claim's value; none where the column is empty.
    fn value(&self, row: &Row, today: Date) -> Result<Option<Value>, RowError> {
        match self {
            Self::Constant(value) => Ok(Some(value.clone())),
            Self::Column {
                column,
                transform,
                required,
            } => {
                let value = transform
                    .apply(cell(row, column)?, today)
                    .map_err(|expected| RowError::UnfitValue {
                        column: column.clone(),
                        expected,
                    })?;
                if value.is_none() && *required {
                    return Err(RowError::MissingValue { column: column.clone() });
                }
                Ok(value)
            }
        }
    }

    /// A value of this claim as a data element of an mdoc.
    fn element(&self, value: &Value) -> cbor::Value {
        match self {
            Self::Constant(_) => transform::plain_element(value),
            Self::Column { transform, .. } => transform.element(value),
        }
    }
}

/// A field without the blanks around it: fixed-width columns are padded, and forms collect them.
fn cell<'a>(row: &'a Row, column: &str) -> Result<&'a str, RowError> {
    row.field(column).map(str::trim).ok_or_else(|| RowError::UnknownColumn {
        column: column.to_owned(),
    })
}

/// The calendar date where the agency is.
fn date_at(now: Timestamp, offset: Offset) -> Date {
    // `Timestamp` keeps within jiff's range by construction.
    let timestamp = jiff::Timestamp::from_second(now.unix()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    offset.to_datetime(timestamp).date()
}

/// Puts `value` at `path`, making the objects on the way. Paths were checked not to lead through values.
fn insert(claims: &mut Map<String, Value>, path: &[String], value: Value) {
    let Some((name, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        claims.insert(name.clone(), value);
        return;
    }
    let inner = claims.entry(name.as_str()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// The paths for [`Mapping::disclosable`]: each selective claim, and each object that it stands in.
fn disclosable(claims: &[ClaimRule]) -> Vec<ClaimPath> {
    let mut paths = BTreeSet::new();
    for rule in claims.iter().filter(|rule| rule.disclosure != Disclosure::Always) {
        let mut components = Vec::new();
        for name in &rule.path {
            components.push(PathComponent::Key(name.clone()));
            paths.extend(ClaimPath::try_from(components.clone()));
        }
        if rule.disclosure == Disclosure::Each {
            components.push(PathComponent::All);
            paths.extend(ClaimPath::try_from(components));
        }
    }
    paths.into_iter().collect()
}

#[cfg(test)]
mod tests;
