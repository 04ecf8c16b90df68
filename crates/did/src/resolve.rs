//! Resolution as steps ([DID Resolution](https://www.w3.org/TR/did-resolution/)): the caller fetches,
//! this module decides what and reads the answer.
//!
//! A resolution from the web says what the host answered at this moment. Who relies on an issuer takes
//! its document from a trust bundle instead (`crates/trust`), with the same [`Document`] in the end.

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use crate::Did;
use crate::Document;
use crate::document::MAX_DOCUMENT_BYTES;
use crate::methods::jwk;
use crate::methods::jwk::DidJwkError;
use crate::methods::key;
use crate::methods::key::DidKeyError;
use crate::methods::web;
use crate::methods::web::DidWebError;
use crate::methods::webvh;
use crate::methods::webvh::Identifier;
use crate::methods::webvh::IdentifierError;
use crate::methods::webvh::ResolveLogError;
use crate::methods::webvh::VersionQuery;
use crate::methods::webvh::resolve_log;
use crate::methods::webvh::witness::MAX_WITNESS_FILE_BYTES;

/// The media type of the documents that we return ([DID Core section 6](https://www.w3.org/TR/did-core/#representations)).
pub const CONTENT_TYPE: &str = "application/did";

/// What is asked besides the DID.
#[derive(Clone, Debug)]
pub struct Options {
    /// The version; methods without versions know the newest only.
    pub version: VersionQuery,
    /// The present time.
    pub now: Timestamp,
}

/// Either the end, or something to fetch first.
#[derive(Debug)]
#[must_use = "a resolution may need to fetch before it is done"]
pub enum Step {
    /// The DID is resolved.
    Done(Resolved),
    /// The caller fetches and resumes.
    Fetch(Fetch),
}

/// A file that the resolution needs.
///
/// The caller fetches over https only, follows no redirect, refuses hosts that resolve to private
/// addresses, and stops at [`Fetch::limit`] bytes.
#[derive(Debug)]
#[must_use = "the resolution goes on with `resume`"]
pub struct Fetch {
    url: String,
    limit: usize,
    did: Did,
    options: Options,
    awaiting: Awaiting,
}

/// A resolved DID.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// `None` when the DID has ended.
    pub document: Option<Document>,
    /// The `didDocumentMetadata`.
    pub metadata: Map<String, Value>,
}

/// The DID does not resolve.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolutionError {
    /// A version is asked of a method that has none: the caller's fault.
    #[error("expected a resolution of the newest version, for did:{method} has no versions")]
    NoVersions {
        /// The method.
        method: String,
    },
    /// The host has no such file, or the log no such version.
    #[error("the DID, or its version, was not found")]
    NotFound,
    /// A `did:jwk` that gives no key.
    #[error("the did:jwk does not resolve")]
    Jwk(#[from] DidJwkError),
    /// A `did:key` that gives no key.
    #[error("the did:key does not resolve")]
    Key(#[from] DidKeyError),
    /// A method that we do not implement.
    #[error("expected a DID of method key, jwk, web or webvh, found {found}")]
    Method {
        /// The method.
        found: String,
    },
    /// A `did:web` without a place, or with a wrong document there.
    #[error("the did:web does not resolve")]
    Web(#[from] DidWebError),
    /// A text that is no `did:webvh`.
    #[error("the did:webvh has wrong syntax")]
    WebvhIdentifier(#[from] IdentifierError),
    /// A log that does not verify.
    #[error("the did:webvh does not resolve")]
    WebvhLog(#[source] ResolveLogError),
}

/// Begins to resolve `did`.
///
/// # Errors
/// [`ResolutionError`].
pub fn resolve(did: &Did, options: Options) -> Result<Step, ResolutionError> {
    let method = did.method();
    let has_versions = method == webvh::METHOD;
    if !has_versions && is_known(method) && options.version != VersionQuery::Latest {
        return Err(ResolutionError::NoVersions {
            method: method.to_owned(),
        });
    }
    match method {
        key::METHOD => Ok(Step::Done(Resolved::of(key::resolve(did)?))),
        jwk::METHOD => Ok(Step::Done(Resolved::of(jwk::resolve(did)?))),
        web::METHOD => Ok(Step::Fetch(Fetch {
            url: web::url(did)?,
            limit: MAX_DOCUMENT_BYTES,
            did: did.clone(),
            options,
            awaiting: Awaiting::WebDocument,
        })),
        webvh::METHOD => Ok(Step::Fetch(Fetch {
            url: Identifier::parse(did)?.log_url(),
            limit: webvh::MAX_LOG_BYTES,
            did: did.clone(),
            options,
            awaiting: Awaiting::WebvhLog,
        })),
        other => Err(ResolutionError::Method {
            found: other.to_owned(),
        }),
    }
}

impl Fetch {
    /// The https URL to fetch.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The most bytes that the answer may have.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Goes on with what was fetched; `None` when the host says that there is no such file.
    ///
    /// # Errors
    /// [`ResolutionError`].
    pub fn resume(self, answer: Option<&[u8]>) -> Result<Step, ResolutionError> {
        let bytes = answer.ok_or(ResolutionError::NotFound)?;
        match &self.awaiting {
            Awaiting::WebDocument => Ok(Step::Done(Resolved::of(web::read(&self.did, bytes)?))),
            Awaiting::WebvhLog => self.read_log(bytes),
            Awaiting::WebvhWitnesses { log } => self
                .resolve_log(log, Some(bytes))
                .map(Step::Done)
                .map_err(ResolutionError::from),
        }
    }

    fn read_log(self, log: &[u8]) -> Result<Step, ResolutionError> {
        match self.resolve_log(log, None) {
            Ok(resolved) => Ok(Step::Done(resolved)),
            Err(ResolveLogError::WitnessFileMissing) => Ok(Step::Fetch(Self {
                url: Identifier::parse(&self.did)?.witness_url(),
                limit: MAX_WITNESS_FILE_BYTES,
                awaiting: Awaiting::WebvhWitnesses { log: log.to_vec() },
                ..self
            })),
            Err(error) => Err(error.into()),
        }
    }

    fn resolve_log(&self, log: &[u8], witnesses: Option<&[u8]>) -> Result<Resolved, ResolveLogError> {
        let resolution = resolve_log(
            Some(&self.did),
            log,
            witnesses,
            &self.options.version,
            Some(self.options.now),
        )?;
        Ok(Resolved {
            document: resolution.document(),
            metadata: resolution.metadata(),
        })
    }
}

impl Resolved {
    fn of(document: Document) -> Self {
        Self {
            document: Some(document),
            metadata: Map::new(),
        }
    }

    /// Whether the DID has ended.
    #[must_use]
    pub fn is_deactivated(&self) -> bool {
        self.metadata.get("deactivated") == Some(&Value::Bool(true))
    }

    /// The DID resolution result
    /// ([data structure](https://www.w3.org/TR/did-resolution/#did-resolution-result)).
    #[must_use]
    pub fn to_value(&self) -> Value {
        json!({
            "didDocument": self.document.as_ref().map(Document::as_map),
            "didDocumentMetadata": self.metadata,
            "didResolutionMetadata": {"contentType": CONTENT_TYPE},
        })
    }
}

/// The error types of [DID Resolution](https://www.w3.org/TR/did-resolution/#errors) that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// Something that we do not implement.
    FeatureNotSupported,
    /// The DID is not one, or does not verify.
    InvalidDid,
    /// The document is malformed.
    InvalidDidDocument,
    /// A method that we do not implement.
    MethodNotSupported,
    /// There is no such DID or version.
    NotFound,
}

impl ErrorType {
    /// The `type` of the error object.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::FeatureNotSupported => "https://www.w3.org/ns/did#FEATURE_NOT_SUPPORTED",
            Self::InvalidDid => "https://www.w3.org/ns/did#INVALID_DID",
            Self::InvalidDidDocument => "https://www.w3.org/ns/did#INVALID_DID_DOCUMENT",
            Self::MethodNotSupported => "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED",
            Self::NotFound => "https://www.w3.org/ns/did#NOT_FOUND",
        }
    }
}

impl ResolutionError {
    /// The type that the caller of the resolver is told.
    #[must_use]
    pub const fn error_type(&self) -> ErrorType {
        match self {
            Self::NoVersions { .. }
            | Self::Jwk(DidJwkError::Key(keys::KeyError::Unsupported { .. }))
            | Self::Key(DidKeyError::Key(keys::KeyError::Unsupported { .. })) => ErrorType::FeatureNotSupported,
            Self::Jwk(_)
            | Self::Key(_)
            | Self::Web(DidWebError::Location(_) | DidWebError::Method { .. })
            | Self::WebvhIdentifier(_)
            | Self::WebvhLog(_) => ErrorType::InvalidDid,
            Self::Web(DidWebError::Document(_)) => ErrorType::InvalidDidDocument,
            Self::Method { .. } => ErrorType::MethodNotSupported,
            Self::NotFound => ErrorType::NotFound,
        }
    }

    /// The DID resolution result that carries the error as an
    /// [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) object.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let detail = std::error::Error::source(self).map_or_else(|| self.to_string(), ToString::to_string);
        json!({
            "didDocument": null,
            "didDocumentMetadata": {},
            "didResolutionMetadata": {
                "error": {"type": self.error_type().url(), "title": self.to_string(), "detail": detail},
            },
        })
    }
}

impl From<ResolveLogError> for ResolutionError {
    fn from(error: ResolveLogError) -> Self {
        match error {
            ResolveLogError::VersionNotFound => Self::NotFound,
            other => Self::WebvhLog(other),
        }
    }
}

#[derive(Debug)]
enum Awaiting {
    WebDocument,
    WebvhLog,
    WebvhWitnesses { log: Vec<u8> },
}

fn is_known(method: &str) -> bool {
    [key::METHOD, jwk::METHOD, web::METHOD, webvh::METHOD].contains(&method)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";

    fn start(did: &str, version: VersionQuery) -> Result<Step, ResolutionError> {
        resolve(
            &Did::parse(did).unwrap(),
            Options {
                version,
                now: Timestamp::from_unix(0),
            },
        )
    }

    fn fetch(did: &str) -> Fetch {
        match start(did, VersionQuery::Latest) {
            Ok(Step::Fetch(fetch)) => fetch,
            other => panic!("expected something to fetch, found {other:?}"),
        }
    }

    fn error_type(did: &str) -> ErrorType {
        start(did, VersionQuery::Latest).unwrap_err().error_type()
    }

    #[test]
    fn keys_resolve_at_once() {
        let Ok(Step::Done(resolved)) = start(KEY, VersionQuery::Latest) else {
            panic!("expected a document")
        };
        let value = resolved.to_value();
        assert_eq!(value["didDocument"]["id"], KEY);
        assert_eq!(value["didResolutionMetadata"]["contentType"], "application/did");
        assert!(!resolved.is_deactivated());
    }

    #[test]
    fn web_fetches_its_document() {
        let request = fetch("did:web:example.com:a");
        assert_eq!(
            (request.url(), request.limit()),
            ("https://example.com/a/did.json", MAX_DOCUMENT_BYTES)
        );
        let done = request.resume(Some(br#"{"id":"did:web:example.com:a"}"#)).unwrap();
        assert!(matches!(done, Step::Done(Resolved { document: Some(_), .. })));
        let other = fetch("did:web:example.com:a").resume(Some(br#"{"id":"did:web:example.com:b"}"#));
        assert_eq!(other.unwrap_err().error_type(), ErrorType::InvalidDidDocument);
        assert_eq!(
            fetch("did:web:example.com:a").resume(None).unwrap_err(),
            ResolutionError::NotFound
        );
    }

    #[test]
    fn errors_have_the_types_of_the_standard() {
        assert_eq!(error_type("did:ethr:0x1"), ErrorType::MethodNotSupported);
        assert_eq!(error_type("did:key:u7QF"), ErrorType::InvalidDid);
        assert_eq!(
            error_type("did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"),
            ErrorType::FeatureNotSupported
        );
        assert_eq!(error_type("did:jwk:e30"), ErrorType::InvalidDid);
        assert_eq!(error_type("did:web:127.0.0.1"), ErrorType::InvalidDid);
        assert_eq!(error_type("did:webvh:example.com"), ErrorType::InvalidDid);
        let versioned = start(KEY, VersionQuery::Number(1)).unwrap_err();
        assert_eq!(versioned.error_type(), ErrorType::FeatureNotSupported);
        let value = versioned.to_value();
        assert_eq!(
            value["didResolutionMetadata"]["error"]["type"],
            "https://www.w3.org/ns/did#FEATURE_NOT_SUPPORTED"
        );
        assert_eq!(value["didDocument"], Value::Null);
    }
}
