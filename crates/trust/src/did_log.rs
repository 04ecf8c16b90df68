//! The one place where the registry asks `did` about a DID's log.

use did::Did;
use did::Document;
use did::webvh;
use did::webvh::LogState;
use did::webvh::Resolution;
use did::webvh::VersionQuery;
use keys::Timestamp;
use thiserror::Error;

/// Why a DID's log does not hold. The fault of its controller, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DidLogError {
    /// A new line does not follow.
    #[error("a new line of the DID's log does not follow the ones before")]
    Line(#[from] webvh::EntryError),
    /// The log as a whole does not resolve.
    #[error("the DID's log does not resolve")]
    Log(#[from] webvh::ResolveLogError),
    /// The subject is not a DID.
    #[error("expected a DID, found another text")]
    Syntax(#[from] did::syntax::SyntaxError),
}

/// A version of a log, every line of which is verified where the newest one is asked for.
///
/// `newest` bounds the times of its versions.
pub(crate) fn resolve(
    did: &str,
    log: &[u8],
    witness_proofs: Option<&[u8]>,
    query: &VersionQuery,
    newest: Timestamp,
) -> Result<Resolution, DidLogError> {
    let did = Did::parse(did)?;
    Ok(webvh::resolve_log(
        Some(&did),
        log,
        witness_proofs,
        query,
        Some(newest),
    )?)
}

/// The newest version after some more lines, when the version before them is known to be verified.
///
/// `None` when witnesses are involved, who are counted over the log as a whole.
pub(crate) fn append(before: &LogState, lines: &[Vec<u8>], newest: Timestamp) -> Result<Option<LogState>, DidLogError> {
    let mut version = before.clone();
    for line in lines {
        version = version.append(line, Some(newest))?;
        if version.required_witnesses().is_some() {
            return Ok(None);
        }
    }
    Ok(Some(version))
}

/// The document of a version with its implicit services; `None` when the DID has ended.
pub(crate) fn document(version: &LogState) -> Option<Document> {
    if version.is_deactivated() {
        return None;
    }
    Some(webvh::with_implicit_services(version.document()).unwrap_or_else(|_| version.document().clone()))
}

/// The document of a DID that is its own document: `key` and `jwk`.
pub(crate) fn self_contained(did: &Did) -> Option<Document> {
    match did.method() {
        "key" => did::methods::key::resolve(did).ok(),
        "jwk" => did::methods::jwk::resolve(did).ok(),
        _ => None,
    }
}
