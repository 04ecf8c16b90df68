//! The OpenID4VP relying party around the verification engine.
//!
//! In scope: requests and their sessions, signed request objects under `decentralized_identifier:`,
//! `direct_post` and `direct_post.jwt`, results for the relying party.
//!
//! Out of scope: the verdict itself (`verifier`), where bundles come from ([`Bundles`]).
//!
//! | Endpoint | File | Standard |
//! |---|---|---|
//! | `GET|POST /verifier/requests/{id}` | `http/request.rs` | OpenID4VP, Request URI |
//! | `POST /verifier/responses/{id}` | `http/response.rs` | OpenID4VP, `direct_post` |
//! | `/verifier/admin/requests...` | `http/admin.rs` | administrative token |
//!
//! Claims are never written to disk: a result is kept in memory until it expires. A relying party asks the
//! process that took the answer.

mod http;
mod queries;
mod request;
mod response;
mod results;

use std::pin::Pin;
use std::sync::Arc;

use axum::extract::FromRef;
use keys::Signer;
use openid4vc::SecureUrl;
use openid4vc::vp::ClientId;
use server::AdminToken;
use server::Clock;
use store::Store;
use store::records::RecordError;
use thiserror::Error;
use trust::TrustedBundle;
use verifier::TrustAnchors;

pub use queries::BUILT_IN;
pub use queries::built_in;

/// What the service needs from around it.
pub struct Config {
    /// What clients call the platform.
    pub public_url: SecureUrl,
    /// The store, confined to this service's room.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who may administer.
    pub admin: AdminToken,
    /// The verifier's DID.
    pub did: String,
    /// The absolute DID URL of the key that signs requests.
    pub verification_method: String,
    /// That key.
    pub signer: Arc<dyn Signer>,
    /// The trust bundles to verify against.
    pub bundles: Arc<dyn Bundles>,
    /// Issuers outside of the registries that the operator chose to trust.
    pub trust_anchors: TrustAnchors,
}

/// Where trust bundles come from.
pub trait Bundles: Send + Sync {
    /// Bundles that are younger than `age` seconds, or as new as can be had, which 0 always asks for. An answer is
    /// waiting: this does not fetch for long.
    fn bundles(&self, age: i64) -> BundlesAnswer<'_>;
}

/// The answer of [`Bundles::bundles`], later. A trait object cannot return `impl Future`.
pub type BundlesAnswer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Arc<TrustedBundle>>, BundlesError>> + Send + 'a>>;

/// No bundle is at hand: the environment's fault.
#[derive(Debug, Error)]
#[error("no trust bundle is at hand")]
pub struct BundlesError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// The service cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The DID is none that a client identifier can hold.
    #[error("expected a DID for the verifier, found {found:?}")]
    Did {
        /// What was found.
        found: String,
    },
}

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct VerifierService(Arc<Inner>);

struct Inner {
    config: Config,
    client_id: ClientId,
    results: results::Results,
}

impl VerifierService {
    /// Starts the service.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let client_id = ClientId::for_did(&config.did).map_err(|_| OpenError::Did {
            found: config.did.clone(),
        })?;
        Ok(Self(Arc::new(Inner {
            config,
            client_id,
            results: results::Results::default(),
        })))
    }

    /// Every endpoint.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// Forgets sessions and results that have expired. Called every minute.
    ///
    /// # Errors
    /// The store failed; what is left is removed with the next call.
    pub async fn tick(&self) -> Result<(), RecordError> {
        let now = self.0.config.clock.now();
        self.0.results.forget_expired(now);
        store::records::forget_expired(&self.0.config.store, now).await
    }
}

impl FromRef<VerifierService> for AdminToken {
    fn from_ref(service: &VerifierService) -> Self {
        service.0.config.admin.clone()
    }
}
