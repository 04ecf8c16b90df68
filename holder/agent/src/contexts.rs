//! Getting the JSON-LD contexts of a delivered W3C credential, once; they are kept with it.
//!
//! They say what the issuer's signature means to the wallet. What they mean to a verifier, its own trust bundle
//! says, so nothing depends on the anchor of the bundle that they are taken from here.

use holder::Contexts;
use keys::json;
use keys::json::JsonError;
use openid4vc::SecureUrl;
use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::DocumentRole;
use trust::state::SchemaRecord;

use crate::PeerError;
use crate::peer;
use crate::resolve::MAX_ANCHOR_BYTES;
use crate::resolve::origin;

/// A context of a credential type has some hundred terms.
const CONTEXT_LIMITS: json::Limits = json::Limits {
    max_bytes: 256 * 1_024,
    max_depth: 16,
};

/// A context was not found.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ContextError {
    /// It is not JSON.
    #[error("expected a JSON-LD context at {url}")]
    Json {
        /// Its URL.
        url: String,
        /// What is wrong.
        #[source]
        source: JsonError,
    },
    /// It is neither in the registry of the platform nor at its own place.
    #[error(
        "expected the context {url} in the registry of the issuer's platform or at its own place, found it at neither"
    )]
    Missing {
        /// Its URL.
        url: String,
        /// What its own place said.
        #[source]
        source: Box<PeerError>,
    },
}

/// The documents of `urls`: from the trust bundle of the platform that the credential came from, else from where
/// they say they are.
pub(crate) async fn find(urls: Vec<String>, platform: &SecureUrl, fetcher: &Fetcher) -> Result<Contexts, ContextError> {
    let mut contexts = Contexts::default();
    if urls.is_empty() {
        return Ok(contexts);
    }
    // Issuers without our registry have no bundle, and none is needed.
    let bundle = bundle(platform, fetcher).await;
    for url in urls {
        let registered = bundle.as_ref().and_then(|bundle| in_bundle(bundle, &url));
        let document = match registered {
            Some(bytes) => json::parse(bytes, CONTEXT_LIMITS),
            None => json::parse(&fetch(&url, fetcher).await?, CONTEXT_LIMITS),
        };
        let document = document.map_err(|source| ContextError::Json {
            url: url.clone(),
            source,
        })?;
        contexts.add(url, document);
    }
    Ok(contexts)
}

async fn bundle(platform: &SecureUrl, fetcher: &Fetcher) -> Option<TrustedBundle> {
    let (registry, limits) = (origin(platform), Limits::default());
    let get = async |path: &str, max_bytes| {
        let request = Outgoing::get(&format!("{registry}/registry/{path}"), max_bytes);
        peer::send(fetcher, request, "platform's registry").await.ok()
    };
    let anchor = Anchor::parse(&get("anchor", MAX_ANCHOR_BYTES).await?).ok()?;
    TrustedBundle::load(&get("bundle", limits.max_bytes).await?, &anchor, limits).ok()
}

fn in_bundle<'b>(bundle: &'b TrustedBundle, url: &str) -> Option<&'b [u8]> {
    let schemas = bundle.state().schemas().filter_map(SchemaRecord::schema);
    let mut documents = schemas.flat_map(|schema| &schema.documents);
    let document = documents.find(|one| one.role == DocumentRole::Context && one.uri == url)?;
    bundle.schema_document(document)
}

async fn fetch(url: &str, fetcher: &Fetcher) -> Result<Vec<u8>, ContextError> {
    let request = Outgoing::get(url, CONTEXT_LIMITS.max_bytes).map(|get| get.header("accept", "application/ld+json"));
    peer::send(fetcher, request, "context's own place")
        .await
        .map_err(|source| ContextError::Missing {
            url: url.to_owned(),
            source: Box::new(source),
        })
}
