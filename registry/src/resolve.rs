//! The resolver over the log ([DID Resolution](https://www.w3.org/TR/did-resolution/)): did:webvh from the
//! lines that agencies logged, did:key and did:jwk from themselves. Nothing is fetched.

use std::collections::BTreeMap;

use did::Did;
use did::DidUrl;
use did::resolve::ErrorType;
use did::resolve::Options;
use did::resolve::ResolutionError;
use did::resolve::Resolved;
use did::resolve::Step;
use did::syntax::SyntaxError;
use did::webvh;
use did::webvh::Identifier;
use did::webvh::VersionQuery;
use keys::Timestamp;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;
use trust::entry::EntryType;
use trust::state::DidRecord;
use trust::state::State;

/// The DID does not resolve here. The caller's fault, but for a log that does not hold.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// Path or fragment: that would be dereferencing.
    #[error("expected a DID without path and fragment: this resolver does not dereference")]
    Dereference,
    /// The resolver behind says no.
    #[error("the DID does not resolve")]
    Did(#[from] ResolutionError),
    /// A method that this registry has no documents of.
    #[error("expected a DID of method key or jwk, or a did:webvh of this registry, found method {found}")]
    Method {
        /// The method.
        found: String,
    },
    /// The resolution options are malformed, or more than one asks for a version.
    #[error("expected at most one of versionId, versionTime and versionNumber")]
    Options,
    /// Not a DID.
    #[error("expected a DID")]
    Syntax(#[from] SyntaxError),
}

/// Resolves a DID with its query.
pub(crate) fn resolve(state: &State, did_url: &str, now: Timestamp) -> Result<Resolved, ResolveError> {
    let url = DidUrl::parse(did_url)?;
    if !url.path().is_empty() || url.fragment().is_some() {
        return Err(ResolveError::Dereference);
    }
    let version = VersionQuery::of_url(&url).ok_or(ResolveError::Options)?;
    let did = url.did();
    match did.method() {
        webvh::METHOD => resolve_logged(state, did, &version),
        did::methods::key::METHOD | did::methods::jwk::METHOD => {
            match did::resolve::resolve(did, Options { version, now })? {
                Step::Done(resolved) => Ok(resolved),
                Step::Fetch(_) => Err(ResolveError::Method {
                    found: did.method().to_owned(),
                }),
            }
        }
        other => Err(ResolveError::Method {
            found: other.to_owned(),
        }),
    }
}

/// The record of the DID with this SCID: what stays when a DID moves to another name.
pub(crate) fn record_of_scid<'a>(state: &'a State, scid: &str) -> Option<&'a DidRecord> {
    let has_scid = |record: &&DidRecord| {
        let identifier = Did::parse(record.did())
            .ok()
            .and_then(|did| Identifier::parse(&did).ok());
        identifier.is_some_and(|identifier| identifier.scid() == scid)
    };
    state.dids().find(has_scid)
}

fn resolve_logged(state: &State, did: &Did, version: &VersionQuery) -> Result<Resolved, ResolveError> {
    let identifier = Identifier::parse(did).map_err(ResolutionError::from)?;
    let record = state
        .did(did.as_str())
        .or_else(|| record_of_scid(state, identifier.scid()));
    let record = record.ok_or(ResolutionError::NotFound)?;
    // Times of versions were bounded when the lines were logged.
    let resolution = webvh::resolve_log(Some(did), record.log(), record.witness_proofs(), version, None)
        .map_err(ResolutionError::from)?;
    let mut metadata = resolution.metadata();
    if state.tombstone(EntryType::DidEvent, record.did()).is_some() {
        metadata.insert("deactivated".to_owned(), Value::Bool(true));
        return Ok(Resolved {
            document: None,
            metadata,
        });
    }
    Ok(Resolved {
        document: resolution.document(),
        metadata,
    })
}

impl ResolveError {
    /// The HTTP status of the error's type
    /// ([HTTP(S) binding](https://www.w3.org/TR/did-resolution/#bindings-https)).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.error_type() {
            Ok(ErrorType::InvalidDid) | Err(_) => 400,
            Ok(ErrorType::NotFound) => 404,
            Ok(ErrorType::InvalidDidDocument) => 500,
            Ok(ErrorType::FeatureNotSupported | ErrorType::MethodNotSupported) => 501,
        }
    }

    /// The DID resolution result that carries the error.
    #[must_use]
    pub fn to_value(&self) -> Value {
        if let Self::Did(error) = self {
            return error.to_value();
        }
        let url = self.error_type().map_or_else(|url| url, ErrorType::url);
        json!({
            "didDocument": null,
            "didDocumentMetadata": BTreeMap::<String, Value>::new(),
            "didResolutionMetadata": {"error": {"type": url, "title": self.to_string()}},
        })
    }

    /// The type of the standard, or the URL of one that `did` does not know: the options' own.
    const fn error_type(&self) -> Result<ErrorType, &'static str> {
        match self {
            Self::Dereference => Ok(ErrorType::FeatureNotSupported),
            Self::Did(error) => Ok(error.error_type()),
            Self::Method { .. } => Ok(ErrorType::MethodNotSupported),
            Self::Options => Err("https://www.w3.org/ns/did#INVALID_OPTIONS"),
            Self::Syntax(_) => Ok(ErrorType::InvalidDid),
        }
    }
}
