//! Whose key it is: from a DID URL to a public key.
//!
//! A wallet asks only whether a signature is that of the DID it names. Whether the DID has any authority is the
//! verifier's question, answered from a trust bundle.
//!
//! The log of a `did:webvh` proves itself: the identifier is a hash of its first line, and each line is signed by
//! keys of the one before. So it does not matter that the platform that the offer or request came from serves it,
//! and its resolver is not asked, which could claim anything. Two things such a log does not prove: that it is the
//! newest, and that the domain name in the DID is the agency's. [`KeySource`] tells the person which it was.
//!
//! The document of a `did:web` proves nothing by itself. What officers logged of it counts before what its website says
//! now, but only from a registry that the person has pinned: any other platform could log what it likes.

use std::fmt;

use did::Did;
use did::DidUrl;
use did::Document;
use did::Purpose;
use did::document::DocumentError;
use did::document::KeyForError;
use did::methods::jwk;
use did::methods::key;
use did::methods::web;
use did::methods::webvh;
use did::resolve::Options;
use did::resolve::ResolutionError;
use did::resolve::Step;
use did::syntax::SyntaxError;
use did::webvh::Identifier;
use did::webvh::VersionQuery;
use keys::PublicKey;
use keys::Timestamp;
use openid4vc::SecureUrl;
use serde::Serialize;
use serde::Serializer;
use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;
use trust::Anchor;
use trust::bundle::BundleError;
use trust::bundle::Extract;
use trust::bundle::MAX_EXTRACT_BYTES;
use url::form_urlencoded;

use crate::PeerError;
use crate::peer;

/// A key and a digest.
pub(crate) const MAX_ANCHOR_BYTES: usize = 64 * 1_024;

/// Where a DID's keys were found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySource {
    /// The DID is its key: nobody else has to say so.
    Did,
    /// The DID's own signed log, from the registry of the platform that the offer or request came from. The
    /// domain name in the DID was not asked.
    Registry(String),
    /// The document of a `did:web` that officers logged, from the pinned registry of the platform at this origin. The
    /// website was not asked.
    Logged(String),
    /// The website in the DID; for `did:webvh` its signed log there.
    Website,
}

/// The key of a DID URL was not found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// The document is not sound, or another DID's.
    #[error("the DID document is refused")]
    Document(#[from] DocumentError),
    /// The DID has ended.
    #[error("expected a DID with a document, found {did}, which has none (any more)")]
    Ended {
        /// The DID.
        did: Did,
    },
    /// The pinned registry was asked, and what it said has expired: its operator's fault.
    #[error("expected from the registry at {registry} what it says of {did} now, found what counted until {expired}")]
    Expired {
        /// The DID.
        did: Did,
        /// Origin of the platform.
        registry: String,
        /// Until when.
        expired: Timestamp,
    },
    /// The document has no such key for this purpose.
    #[error("the DID document gives no key for this")]
    Key(#[from] KeyForError),
    /// Neither the platform's registry nor the DID's own website has it.
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
    /// What the pinned registry says is not signed by those whom its anchor names, or not sound: its operator's fault.
    #[error("what the registry at {registry} says of {did} is refused")]
    Register {
        /// The DID.
        did: Did,
        /// Origin of the platform.
        registry: String,
        /// Why.
        #[source]
        source: Box<BundleError>,
    },
    /// The method's rules are broken.
    #[error("the DID does not resolve")]
    Resolution(#[from] ResolutionError),
    /// Not a DID URL.
    #[error("expected a DID URL of a key")]
    Syntax(#[from] SyntaxError),
}

/// The key that `url` names for `purpose`, and where it was found. `platform` is what the offer or request came
/// from: its registry has the logs of its agencies' `did:webvh`, and what was logged of a `did:web` if its anchor is one of
/// the pinned `anchors`.
pub(crate) async fn public_key(
    url: &str,
    purpose: Purpose,
    (platform, anchors): (Option<&SecureUrl>, &[Anchor]),
    fetcher: &Fetcher,
    now: Timestamp,
) -> Result<(PublicKey, KeySource), ResolveError> {
    let url = DidUrl::parse(url)?;
    let registry = platform.map(origin);
    let (document, source) = match (url.did().method(), registry) {
        (key::METHOD | jwk::METHOD, _) => (resolve(url.did(), None, fetcher, now).await?, KeySource::Did),
        (webvh::METHOD, Some(registry)) => by_own_log(url.did(), registry, fetcher, now).await?,
        (web::METHOD, Some(registry)) => match logged(url.did(), &registry, anchors, fetcher, now).await? {
            Some(document) => (document, KeySource::Logged(registry)),
            None => (resolve(url.did(), None, fetcher, now).await?, KeySource::Website),
        },
        _ => (resolve(url.did(), None, fetcher, now).await?, KeySource::Website),
    };
    Ok((document.key_for(&url, purpose)?, source))
}

/// The document of a `did:web` that officers logged; `None` where the registry is not pinned or has none.
async fn logged(
    did: &Did,
    registry: &str,
    anchors: &[Anchor],
    fetcher: &Fetcher,
    now: Timestamp,
) -> Result<Option<Document>, ResolveError> {
    let get = async |path: &str, limit| {
        let request = Outgoing::get(&format!("{registry}/registry/{path}"), limit);
        peer::send(fetcher, request, "platform's registry").await
    };
    // Platforms without our registry have anything else there, or nothing.
    let own = get("anchor", MAX_ANCHOR_BYTES).await.ok();
    let own = own.and_then(|bytes| Anchor::parse(&bytes).ok());
    let Some(anchor) = own.filter(|own| anchors.contains(own)) else {
        return Ok(None);
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    let query = query.append_pair("issuer", did.as_str()).finish();
    let extract = match get(&format!("extract?{query}"), MAX_EXTRACT_BYTES).await {
        Err(PeerError::Refused { status: 404, .. }) => return Ok(None),
        answer => answer?,
    };
    let extract = Extract::load(&extract, &anchor).map_err(|source| ResolveError::Register {
        did: did.clone(),
        registry: registry.to_owned(),
        source: Box::new(source),
    })?;
    let bundle = extract.bundle();
    if bundle.has_expired(now) {
        return Err(ResolveError::Expired {
            did: did.clone(),
            registry: registry.to_owned(),
            expired: bundle.snapshot().hard_expiry,
        });
    }
    if bundle.state().did(did.as_str()).is_none() {
        return Ok(None);
    }
    let document = bundle.document(did.as_str());
    document
        .map(Some)
        .ok_or_else(|| ResolveError::Ended { did: did.clone() })
}

/// The document of a `did:webvh`, by its log.
async fn by_own_log(
    did: &Did,
    registry: String,
    fetcher: &Fetcher,
    now: Timestamp,
) -> Result<(Document, KeySource), ResolveError> {
    let scid = Identifier::parse(did).map_err(ResolutionError::from)?.scid().to_owned();
    let logs = format!("{registry}/registry/dids/{scid}");
    match resolve(did, Some(&logs), fetcher, now).await {
        Ok(document) => Ok((document, KeySource::Registry(registry))),
        Err(error) => match resolve(did, None, fetcher, now).await {
            Ok(document) => Ok((document, KeySource::Website)),
            Err(_) => Err(ResolveError::Nowhere {
                did: did.clone(),
                registry,
                source: Box::new(error),
            }),
        },
    }
}

/// Resolves by the rules of the DID's method; `folder` has its files where they are not where the DID says.
async fn resolve(did: &Did, folder: Option<&str>, fetcher: &Fetcher, now: Timestamp) -> Result<Document, ResolveError> {
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
                let own = fetch.url();
                let file = own.rsplit('/').next().unwrap_or_default();
                let url = folder.map_or_else(|| own.to_owned(), |folder| format!("{folder}/{file}"));
                let what = folder.map_or("website of the DID", |_| "registry's log of the DID");
                let body = peer::send(fetcher, Outgoing::get(&url, fetch.limit()), what).await?;
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
            Self::Did => f.write_str("the identifier itself"),
            Self::Registry(origin) => write!(f, "its own signed log, from the registry at {origin}"),
            Self::Logged(origin) => write!(f, "its document as officers logged it, from the registry at {origin}"),
            Self::Website => f.write_str("the website in the identifier"),
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
