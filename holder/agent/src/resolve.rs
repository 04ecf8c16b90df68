//! Whose key it is: from a DID URL to a public key.
//!
//! A wallet asks only whether a signature is that of the DID it names. Whether the DID has any authority is the
//! verifier's question, answered from a trust bundle; for whom a person discloses to, [`KeySource`] says who
//! vouches.

use std::fmt;

use did::Did;
use did::DidUrl;
use did::Document;
use did::Purpose;
use did::document::DocumentError;
use did::document::KeyForError;
use did::document::MAX_DOCUMENT_BYTES;
use did::methods::jwk;
use did::methods::key;
use did::methods::webvh;
use did::resolve::Options;
use did::resolve::ResolutionError;
use did::resolve::Step;
use did::syntax::SyntaxError;
use did::webvh::VersionQuery;
use keys::PublicKey;
use keys::Timestamp;
use keys::json;
use openid4vc::SecureUrl;
use serde::Serialize;
use serde::Serializer;
use serde_json::Value;
use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;

use crate::PeerError;
use crate::peer;

/// A document and its metadata.
const RESULT_LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_DOCUMENT_BYTES + 64 * 1_024,
    max_depth: 32,
};
/// The HTTP binding of DID resolution.
const RESULT_MEDIA_TYPE: &str = "application/did-resolution";

/// Who says that a key is the DID's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// The DID is its key: nobody else has to say so.
    Did,
    /// The resolver of the platform at this origin, which the offer or request came from.
    Registry(String),
    /// The website in the DID, and for `did:webvh` the signatures of its log.
    Website,
}

/// The key of a DID URL was not found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The resolver's answer is not read.
    #[error("expected a DID resolution result as JSON")]
    Answer(#[from] json::JsonError),
    /// The document is not sound, or another DID's.
    #[error("the DID document is refused")]
    Document(#[from] DocumentError),
    /// The DID has ended.
    #[error("expected a DID with a document, found {did}, which has none (any more)")]
    Ended {
        /// The DID.
        did: Did,
    },
    /// The document has no such key for this purpose.
    #[error("the DID document gives no key for this")]
    Key(#[from] KeyForError),
    /// Neither the platform's resolver nor the DID's own website has it.
    #[error("expected {did} in the registry at {registry} or at its own website, found it at neither")]
    Nowhere {
        /// The DID.
        did: Did,
        /// Origin of the platform.
        registry: String,
        /// What the registry said.
        #[source]
        source: Box<Self>,
    },
    /// The host did not answer.
    #[error("the DID cannot be resolved now")]
    Peer(#[from] PeerError),
    /// The method's rules are broken.
    #[error("the DID does not resolve")]
    Resolution(#[from] ResolutionError),
    /// Not a DID URL.
    #[error("expected a DID URL of a key")]
    Syntax(#[from] SyntaxError),
}

/// The key that `url` names for `purpose`, and who says so. `platform` is what the offer or request came from:
/// its registry resolves `did:webvh`.
pub(crate) async fn public_key(
    url: &str,
    purpose: Purpose,
    platform: Option<&SecureUrl>,
    fetcher: &Fetcher,
    now: Timestamp,
) -> Result<(PublicKey, KeySource), ResolveError> {
    let url = DidUrl::parse(url)?;
    let (document, source) = document(url.did(), platform, fetcher, now).await?;
    document.expect_id(url.did())?;
    Ok((document.key_for(&url, purpose)?, source))
}

async fn document(
    did: &Did,
    platform: Option<&SecureUrl>,
    fetcher: &Fetcher,
    now: Timestamp,
) -> Result<(Document, KeySource), ResolveError> {
    let is_key = [key::METHOD, jwk::METHOD].contains(&did.method());
    if is_key {
        return Ok((by_method(did, fetcher, now).await?, KeySource::Did));
    }
    let Some(platform) = platform.filter(|_| did.method() == webvh::METHOD) else {
        return Ok((by_method(did, fetcher, now).await?, KeySource::Website));
    };
    let registry = origin(platform);
    match by_registry(did, &registry, fetcher).await {
        Ok(document) => Ok((document, KeySource::Registry(registry))),
        Err(error) => match by_method(did, fetcher, now).await {
            Ok(document) => Ok((document, KeySource::Website)),
            Err(_) => Err(ResolveError::Nowhere {
                did: did.clone(),
                registry,
                source: Box::new(error),
            }),
        },
    }
}

/// [DID Resolution over HTTP](https://www.w3.org/TR/did-resolution/#bindings-https).
async fn by_registry(did: &Did, registry: &str, fetcher: &Fetcher) -> Result<Document, ResolveError> {
    // A DID has no other characters that a path may not have.
    let path = did.as_str().replace('%', "%25");
    let url = format!("{registry}/registry/1.0/identifiers/{path}");
    let request = Outgoing::get(&url, RESULT_LIMITS.max_bytes).map(|get| get.header("accept", RESULT_MEDIA_TYPE));
    let body = peer::send(fetcher, request, "registry's resolver").await?;
    let mut result = json::parse_object(&body, RESULT_LIMITS)?;
    match result.remove("didDocument") {
        Some(document @ Value::Object(_)) => Ok(Document::from_value(document)?),
        _ => Err(ResolveError::Ended { did: did.clone() }),
    }
}

async fn by_method(did: &Did, fetcher: &Fetcher, now: Timestamp) -> Result<Document, ResolveError> {
    let options = Options {
        version: VersionQuery::Latest,
        now,
    };
    let mut step = did::resolve::resolve(did, options)?;
    loop {
        match step {
            Step::Done(resolved) => {
                return resolved
                    .document
                    .ok_or_else(|| ResolveError::Ended { did: did.clone() });
            }
            Step::Fetch(fetch) => {
                let request = Outgoing::get(fetch.url(), fetch.limit());
                let body = peer::send(fetcher, request, "website of the DID").await?;
                step = fetch.resume(Some(&body))?;
            }
        }
    }
}

/// Scheme and authority of a URL.
pub(crate) fn origin(url: &SecureUrl) -> String {
    let text = url.as_str();
    let authority = text.find("://").map_or(0, |at| at + "://".len());
    let rest = text.get(authority..).unwrap_or_default();
    let end = rest.find(['/', '?']).map_or(text.len(), |at| authority + at);
    text.get(..end).unwrap_or(text).to_owned()
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Did => f.write_str("the identifier, which is its key"),
            Self::Registry(origin) => write!(f, "the registry at {origin}"),
            Self::Website => f.write_str("the identifier's own website"),
        }
    }
}

impl Serialize for KeySource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_end_before_the_path() {
        for (url, expected) in [
            ("https://issuer.example", "https://issuer.example"),
            ("https://issuer.example/", "https://issuer.example"),
            ("https://issuer.example?x=a/b", "https://issuer.example"),
            ("http://127.0.0.1:8080/issuers/population", "http://127.0.0.1:8080"),
            ("http://[::1]:8080/a", "http://[::1]:8080"),
        ] {
            assert_eq!(origin(&SecureUrl::parse(url).unwrap()), expected);
        }
    }
}
