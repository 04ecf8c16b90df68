//! From the bytes of a log to the version asked for
//! ([read](https://identity.foundation/didwebvh/v1.0/#read-resolve)).

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::entry::EntryError;
use super::identifier::Identifier;
use super::identifier::IdentifierError;
use super::log::LogState;
use super::services::with_implicit_services;
use super::witness;
use super::witness::WitnessError;
use super::witness::WitnessFile;
use crate::Did;
use crate::DidUrl;
use crate::Document;

/// "Suggested default: 5 MiB." Also bounds the number of entries: none is below 600 bytes.
pub const MAX_LOG_BYTES: usize = 5 * 1024 * 1024;

/// Which version of a DID is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VersionQuery {
    /// `versionId`: the version of this identifier.
    Id(String),
    /// The newest version.
    #[default]
    Latest,
    /// `versionNumber`: the version of this number.
    Number(u64),
    /// `versionTime`: the version that was active at this time.
    Time(Timestamp),
}

/// The log gives no version as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveLogError {
    /// An entry is not valid: the fault of the controller or of whoever changed the log.
    #[error("entry {number} of the log is not valid")]
    Entry {
        /// Its position, from 1.
        number: usize,
        /// What is wrong with it.
        #[source]
        source: EntryError,
    },
    /// The DID asked for is not a `did:webvh`.
    #[error("the DID is not a did:webvh")]
    Identifier(#[from] IdentifierError),
    /// The log belongs to another DID.
    #[error("expected the log of {expected}, found the log of another DID")]
    OtherDid {
        /// The DID asked for.
        expected: String,
    },
    /// The log has no entry, or is too large.
    #[error("expected a log of 1 byte to 5 MiB, found {found} bytes")]
    Size {
        /// Its size.
        found: usize,
    },
    /// The log is valid and has no such version.
    #[error("expected another version, the log has none as asked for")]
    VersionNotFound,
    /// Witnesses are required and the proofs file is missing.
    #[error("expected a witness file, found none")]
    WitnessFileMissing,
    /// The witness file is malformed, or too few witnesses approved.
    #[error("the witnesses' approval is not shown")]
    Witness(#[from] WitnessError),
}

/// A log, verified as far as asked, and the version asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// All valid versions, the oldest first. Never empty.
    versions: Vec<LogState>,
    selected: LogState,
    newest: LogState,
}

impl VersionQuery {
    /// The query parameters `versionId`, `versionTime` and `versionNumber` of a DID URL.
    ///
    /// `None` when more than one is there, or one is malformed.
    #[must_use]
    pub fn of_url(url: &DidUrl) -> Option<Self> {
        let id = url.query_parameter("versionId");
        let time = url.query_parameter("versionTime");
        let number = url.query_parameter("versionNumber");
        match (id, time, number) {
            (None, None, None) => Some(Self::Latest),
            (Some(id), None, None) => Some(Self::Id(id)),
            (None, Some(time), None) => Timestamp::parse_rfc3339(&time).ok().map(Self::Time),
            (None, None, Some(number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                number.parse().ok().map(Self::Number)
            }
            _ => None,
        }
    }
}

/// Verifies a log and picks a version.
///
/// `did` is the DID that was asked for; with `None` any DID's log passes, as a registry needs that
/// keeps logs. `lines` is `did.jsonl`, `witness_file` is `did-witness.json`, needed only where the log
/// names witnesses. `now` bounds the times of the entries.
///
/// A version asked for by id, number or time is given even when a later entry is invalid, as the
/// specification demands; the newest version is given only if all entries are valid.
///
/// # Errors
/// [`ResolveLogError`].
pub fn resolve_log(
    did: Option<&Did>,
    lines: &[u8],
    witness_file: Option<&[u8]>,
    query: &VersionQuery,
    now: Option<Timestamp>,
) -> Result<Resolution, ResolveLogError> {
    let (mut versions, mut fault) = read_versions(lines, now)?;
    if let Err((valid, source)) = check_witnesses(&versions, witness_file) {
        versions.truncate(valid);
        fault = Some(source);
    }
    if let Some(did) = did {
        check_did(did, &versions)?;
    }
    let selected = match (select(&versions, query, fault.is_some()), fault) {
        (Some(selected), _) => selected.clone(),
        (None, Some(fault)) => return Err(fault),
        (None, None) => return Err(ResolveLogError::VersionNotFound),
    };
    let newest = versions
        .last()
        .cloned()
        .ok_or(ResolveLogError::Size { found: lines.len() })?;
    Ok(Resolution {
        versions,
        selected,
        newest,
    })
}

impl Resolution {
    /// The document asked for, with the implicit services; `None` when the DID has ended and no
    /// earlier version was asked for.
    #[must_use]
    pub fn document(&self) -> Option<Document> {
        if self.selected.is_deactivated() {
            return None;
        }
        // Only a document that is no did:webvh's has no services, and such a one is in no LogState.
        Some(with_implicit_services(self.selected.document()).unwrap_or_else(|_| self.selected.document().clone()))
    }

    /// The version asked for.
    #[must_use]
    pub const fn selected(&self) -> &LogState {
        &self.selected
    }

    /// The newest valid version.
    #[must_use]
    pub const fn newest(&self) -> &LogState {
        &self.newest
    }

    /// All valid versions, the oldest first.
    #[must_use]
    pub fn versions(&self) -> &[LogState] {
        &self.versions
    }

    /// The `didDocumentMetadata`
    /// ([metadata](https://identity.foundation/didwebvh/v1.0/#read-resolve)).
    #[must_use]
    pub fn metadata(&self) -> Map<String, Value> {
        let (selected, newest) = (&self.selected, &self.newest);
        let parameters = newest.parameters();
        let mut metadata = Map::new();
        let mut set = |member: &str, value: Value| metadata.insert(member.to_owned(), value);
        set("versionId", selected.version_id().into());
        set("versionTime", selected.version_time().to_rfc3339().into());
        set("created", selected.created().to_rfc3339().into());
        set("updated", newest.version_time().to_rfc3339().into());
        set("scid", selected.scid().into());
        set("portable", parameters.portable.into());
        set("deactivated", parameters.deactivated.into());
        set("ttl", parameters.ttl.to_string().into());
        if let Some(witnesses) = &parameters.witness {
            set("witness", witnesses.to_metadata());
        }
        if !parameters.watchers.is_empty() {
            set("watchers", parameters.watchers.clone().into());
        }
        metadata
    }
}

/// The leading valid versions and what is wrong with the first entry after them.
fn read_versions(
    lines: &[u8],
    now: Option<Timestamp>,
) -> Result<(Vec<LogState>, Option<ResolveLogError>), ResolveLogError> {
    if lines.is_empty() || lines.len() > MAX_LOG_BYTES {
        return Err(ResolveLogError::Size { found: lines.len() });
    }
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    let mut versions: Vec<LogState> = Vec::new();
    for (position, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        let state = match versions.last() {
            None => LogState::genesis(line, now),
            Some(previous) => previous.append(line, now),
        };
        match state {
            Ok(state) => versions.push(state),
            Err(source) => {
                return Ok((
                    versions,
                    Some(ResolveLogError::Entry {
                        number: position + 1,
                        source,
                    }),
                ));
            }
        }
    }
    Ok((versions, None))
}

/// On failure, how many leading versions stand.
fn check_witnesses(versions: &[LogState], file: Option<&[u8]>) -> Result<(), (usize, ResolveLogError)> {
    let Some(first) = versions
        .iter()
        .position(|version| version.required_witnesses().is_some())
    else {
        return Ok(());
    };
    let file = file.ok_or((first, ResolveLogError::WitnessFileMissing))?;
    let file = WitnessFile::parse(file).map_err(|error| (first, error.into()))?;
    witness::check(versions, &file).map_err(|(valid, error)| (valid, error.into()))
}

/// The SCID must be that of the log, and some version must have had this very name.
fn check_did(did: &Did, versions: &[LogState]) -> Result<(), ResolveLogError> {
    let identifier = Identifier::parse(did)?;
    let of_this_did = versions.is_empty()
        || versions.iter().all(|version| version.scid() == identifier.scid())
            && versions.iter().any(|version| version.did() == did);
    if of_this_did {
        Ok(())
    } else {
        Err(ResolveLogError::OtherDid {
            expected: did.to_string(),
        })
    }
}

/// With a faulty entry at the end, it is open what is newest and how long the last valid version
/// was active.
fn select<'a>(versions: &'a [LogState], query: &VersionQuery, faulty: bool) -> Option<&'a LogState> {
    match query {
        VersionQuery::Id(id) => versions.iter().find(|version| version.version_id() == id),
        VersionQuery::Number(number) => versions.iter().find(|version| version.version_number() == *number),
        VersionQuery::Latest => versions.last().filter(|_| !faulty),
        VersionQuery::Time(time) => {
            let active = versions.iter().rev().find(|version| version.version_time() <= *time)?;
            let is_last = versions
                .last()
                .is_some_and(|last| last.version_number() == active.version_number());
            Some(active).filter(|_| !(faulty && is_last))
        }
    }
}
