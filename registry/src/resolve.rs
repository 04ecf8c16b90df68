//! The resolver over the log ([DID Resolution](https://www.w3.org/TR/did-resolution/)): did:webvh from the
//! lines that agencies logged, did:web from the snapshots that officers approved, did:key and did:jwk from
//! themselves. Nothing is fetched.

use std::collections::BTreeMap;

use did::Did;
use did::DidUrl;
use did::Document;
use did::methods::web;
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
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;
use trust::entry::EntryType;
use trust::state::DidRecord;
use trust::state::State;
use trust::state::WebvhLog;

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
    #[error("expected a DID of method key or jwk, or a did:webvh or did:web of this registry, found method {found}")]
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
        webvh::METHOD => resolve_webvh(state, did, &version),
        web::METHOD => resolve_web(state, did, &version),
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

/// The log of the DID with this SCID, and the DID: what stays when a DID moves to another name.
pub(crate) fn log_of_scid<'a>(state: &'a State, scid: &str) -> Option<(&'a str, &'a WebvhLog)> {
    let has_scid = |did: &str| {
        let identifier = Did::parse(did).ok().and_then(|did| Identifier::parse(&did).ok());
        identifier.is_some_and(|identifier| identifier.scid() == scid)
    };
    let mut logs = state.dids().filter_map(|record| Some((record.did(), record.webvh()?)));
    logs.find(|(did, _)| has_scid(did))
}

fn resolve_webvh(state: &State, did: &Did, version: &VersionQuery) -> Result<Resolved, ResolveError> {
    let identifier = Identifier::parse(did).map_err(ResolutionError::from)?;
    let named = || Some((did.as_str(), state.did(did.as_str())?.webvh()?));
    let (logged_as, log) = named()
        .or_else(|| log_of_scid(state, identifier.scid()))
        .ok_or(ResolutionError::NotFound)?;
    // Times of versions were bounded when the lines were logged.
    let resolution = webvh::resolve_log(Some(did), log.bytes(), log.witness_proofs(), version, None)
        .map_err(ResolutionError::from)?;
    Ok(unless_ended(
        state,
        logged_as,
        resolution.document(),
        resolution.metadata(),
    ))
}

/// A version is a snapshot in the log, and its time that by which its entry was judged.
fn resolve_web(state: &State, did: &Did, version: &VersionQuery) -> Result<Resolved, ResolveError> {
    web::url(did).map_err(ResolutionError::from)?;
    let snapshots = state.did(did.as_str()).and_then(DidRecord::web);
    let snapshots = snapshots.ok_or(ResolutionError::NotFound)?;
    let selected = snapshots.select(version).ok_or(ResolutionError::NotFound)?;
    let document = web::read(did, selected.bytes()).map_err(ResolutionError::from)?;
    let metadata = [
        ("versionId", selected.version_id().into()),
        ("versionTime", selected.time().to_rfc3339().into()),
        ("created", snapshots.oldest().time().to_rfc3339().into()),
        ("updated", snapshots.current().time().to_rfc3339().into()),
        ("deactivated", Value::Bool(false)),
    ];
    let metadata = metadata.map(|(member, value)| (member.to_owned(), value));
    Ok(unless_ended(
        state,
        did.as_str(),
        Some(document),
        metadata.into_iter().collect(),
    ))
}

/// What was found, but no document where a Tombstone has ended the DID.
fn unless_ended(state: &State, did: &str, document: Option<Document>, mut metadata: Map<String, Value>) -> Resolved {
    if state.tombstone(EntryType::DidEvent, did).is_none() {
        return Resolved { document, metadata };
    }
    metadata.insert("deactivated".to_owned(), Value::Bool(true));
    Resolved {
        document: None,
        metadata,
    }
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
