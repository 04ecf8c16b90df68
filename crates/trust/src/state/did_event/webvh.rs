//! did:webvh: the agency's own log, verbatim.

use std::sync::OnceLock;

use did::Document;
use did::webvh::LogState;
use did::webvh::Resolution;
use did::webvh::VersionQuery;
use keys::Timestamp;

use super::MAX_HISTORY_BYTES;
use crate::did_log;
use crate::did_log::DidLogError;
use crate::state::Refusal;

/// Agencies' clocks may run ahead of the last Snapshot by the time between two Snapshots and some more.
/// Within that day `versionTime` is not held against them; a verifier sees when the line was logged.
const MAX_VERSION_TIME_LEAD: i64 = 86_400;

/// The log of a [did:webvh](https://identity.foundation/didwebvh/v1.0/).
#[derive(Clone, Debug)]
pub struct WebvhLog {
    did: String,
    /// Snapshot time by which its last lines were judged.
    time: Timestamp,
    bytes: Vec<u8>,
    witness_proofs: Option<Vec<u8>>,
    /// Derived from the log, on first use where the record was read back.
    newest: OnceLock<Result<LogState, DidLogError>>,
}

impl WebvhLog {
    pub(super) const fn restore(did: String, time: Timestamp, bytes: Vec<u8>, witness_proofs: Option<Vec<u8>>) -> Self {
        Self {
            did,
            time,
            bytes,
            witness_proofs,
            newest: OnceLock::new(),
        }
    }

    /// The log after some more lines, every one of which holds.
    pub(super) fn continued(
        before: Option<&Self>,
        (did, time): (&str, Timestamp),
        lines: &[Vec<u8>],
        witness_proofs: Option<&Vec<u8>>,
    ) -> Result<Self, Refusal> {
        let mut bytes = before.map(|log| log.bytes.clone()).unwrap_or_default();
        for line in lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        if bytes.len() > MAX_HISTORY_BYTES {
            return Err(Refusal::Content {
                expected: "a DID log of at most 1 MiB",
            });
        }
        let kept = || before.and_then(|log| log.witness_proofs.clone());
        let log = Self::restore(did.to_owned(), time, bytes, witness_proofs.cloned().or_else(kept));
        if let Some(version) = appended(before, lines, time)? {
            // A fresh cell takes the value.
            let _ = log.newest.set(Ok(version));
        }
        log.newest().map_err(|error| Refusal::DidLog(error.clone()))?;
        Ok(log)
    }

    /// Its `did.jsonl`.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its `did-witness.json`.
    #[must_use]
    pub fn witness_proofs(&self) -> Option<&[u8]> {
        self.witness_proofs.as_deref()
    }

    /// The newest version, with every line of the log verified.
    ///
    /// # Errors
    /// [`DidLogError`]; not for a record that this machine or a witness quorum accepted.
    pub fn newest(&self) -> Result<&LogState, &DidLogError> {
        let resolve = || {
            self.resolve(&VersionQuery::Latest)
                .map(|resolution| resolution.newest().clone())
        };
        self.newest.get_or_init(resolve).as_ref()
    }

    /// A version of the log, or all of them: which keys a document had when.
    ///
    /// # Errors
    /// [`DidLogError`], also when the log has no such version.
    pub fn resolve(&self, query: &VersionQuery) -> Result<Resolution, DidLogError> {
        let newest = newest_version_time(self.time);
        did_log::resolve(&self.did, &self.bytes, self.witness_proofs.as_deref(), query, newest)
    }

    /// The newest document; `None` for a DID that was deactivated.
    pub(super) fn document(&self) -> Option<Document> {
        self.newest().ok().and_then(did_log::document)
    }
}

/// The version after the new lines, checked without going through the old ones again; `None` where that is
/// not possible.
fn appended(before: Option<&WebvhLog>, lines: &[Vec<u8>], time: Timestamp) -> Result<Option<LogState>, DidLogError> {
    match before.and_then(|log| log.newest().ok()) {
        Some(version) if version.required_witnesses().is_none() => {
            did_log::append(version, lines, newest_version_time(time))
        }
        _ => Ok(None),
    }
}

fn newest_version_time(time: Timestamp) -> Timestamp {
    time.plus(MAX_VERSION_TIME_LEAD)
}
