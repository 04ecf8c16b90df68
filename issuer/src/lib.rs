//! An agency's issuing service: OpenID4VCI, credential records, status lists.
//!
//! In scope: offers, the pre-authorized code flow, the credential endpoint, the record of every issued
//! credential, suspension and revocation, status lists and their commitment to the registry, and reading the agency's
//! register through a mapping.
//!
//! Out of scope: who may issue (the registry decides, verifiers check), and where private keys live
//! (`crates/signer`).
//!
//! | Endpoint | File | Standard |
//! |---|---|---|
//! | `GET /.well-known/openid-credential-issuer/issuers/{agency}` | `http/metadata.rs` | OpenID4VCI, Credential Issuer Metadata |
//! | `GET /.well-known/oauth-authorization-server/issuers/{agency}` | `http/metadata.rs` | RFC 8414 |
//! | `GET /issuers/{agency}/.well-known/openid-federation` | `http/federation.rs` | OpenID Federation, Entity Configuration |
//! | `GET /issuers/{agency}/offers/{reference}` | `http/offer.rs` | Credential Offer by reference |
//! | `POST /issuers/{agency}/token` | `http/token.rs` | Token Endpoint |
//! | `POST /issuers/{agency}/nonce` | `http/nonce.rs` | Nonce Endpoint |
//! | `POST /issuers/{agency}/credential` | `http/credential.rs` | Credential Endpoint |
//! | `GET /issuers/{agency}/status` | `http/status.rs` | Token Status List, aggregation |
//! | `GET /issuers/{agency}/status/{list}` | `http/status.rs` | Token Status List |
//! | `GET /issuers/{agency}/status/{list}/{purpose}` | `http/status.rs` | Bitstring Status List |
//! | `/issuers/{agency}/admin/...` | `http/admin.rs` | administrative token |

pub mod agency;
mod credential;
mod document;
mod http;
pub mod mapping;
mod offer;
mod records;
pub mod register;
mod status;
mod store;
mod token;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use axum::extract::FromRef;
use jsonld::ContextLoader;
use openid4vc::SecureUrl;
use server::AdminToken;
use server::Clock;
use store::Records;
use thiserror::Error;
use trust::entry::Body;
use trust::entry::Draft;

pub use agency::Agency;
pub use agency::AgencySigners;
pub use http::PublishError;
pub use offer::OfferError;
pub use status::StatusError;

/// What the service needs from around it.
pub struct Config {
    /// What clients call the platform; issuer identifiers are made from it.
    pub public_url: SecureUrl,
    /// The store, confined to this service's room.
    pub store: ::store::Store,
    /// The time.
    pub clock: Clock,
    /// Who may administer.
    pub admin: AdminToken,
    /// The agencies to issue for.
    pub agencies: Vec<Agency>,
    /// Where status lists are committed.
    pub registry: Arc<dyn Registry>,
}

/// The registry, as an issuer needs it. In one process it is called directly, otherwise over HTTP.
pub trait Registry: Send + Sync {
    /// A draft of an entry that says `body`, at the end of its chain.
    fn draft<'a>(&'a self, ns: &'a str, subject: &'a str, body: Body) -> Answer<'a, Draft>;

    /// Appends a signed entry; `blobs` are the contents that it names by digest.
    fn append(&self, leaf: Vec<u8>, blobs: Vec<Vec<u8>>) -> Answer<'_, ()>;

    /// The registry's entity identifier of OpenID Federation; none where it is no Trust Anchor.
    fn entity_identifier(&self) -> Answer<'_, Option<String>>;
}

/// An answer of the registry, later. A trait object cannot return `impl Future`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RegistryError>> + Send + 'a>>;

/// The registry did not do what was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It refused the entry: the issuer's fault, or it is not accredited.
    #[error("the registry refused the entry: {reason}")]
    Refused {
        /// What the registry said.
        reason: String,
    },
    /// It cannot be reached now: the environment's fault.
    #[error("the registry cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The service cannot start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// An agency is there twice.
    #[error("expected every agency once, found {id} twice")]
    Duplicate {
        /// Its id.
        id: String,
    },
    /// The public URL and the agency's id make no issuer identifier.
    #[error("expected an issuer identifier, found {found:?}")]
    Identifier {
        /// What they make.
        found: String,
    },
    /// An agency's metadata cannot be published.
    #[error("the agency {agency} cannot be published")]
    Metadata {
        /// The agency.
        agency: String,
        /// Why.
        #[source]
        source: PublishError,
    },
    /// The store failed.
    #[error("the issuer's store cannot be used")]
    Store(#[from] store::RecordError),
}

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    clock: Clock,
    admin: AdminToken,
    records: Records,
    registry: Arc<dyn Registry>,
    /// For the proofs of status lists; types bring contexts of their own.
    contexts: ContextLoader,
    desks: RwLock<BTreeMap<String, Arc<Desk>>>,
    public_url: SecureUrl,
    nonce_key: openid4vc::vci::nonce::NonceKey,
}

/// One agency at work: itself, its identifier and what it publishes.
struct Desk {
    agency: Agency,
    identifier: SecureUrl,
    metadata: openid4vc::vci::metadata::IssuerMetadata,
    /// Held while a status commitment is under way.
    committing: tokio::sync::Mutex<()>,
}

impl Issuer {
    /// Starts the service.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let records = Records::new(config.store);
        let nonce_key = records.nonce_key(&mut signer::os_rng()).await?;
        let (public_url, clock, admin, registry) = (config.public_url, config.clock, config.admin, config.registry);
        let issuer = Self(Arc::new(Inner {
            clock,
            admin,
            records,
            registry,
            contexts: ContextLoader::bundled(),
            desks: RwLock::default(),
            public_url,
            nonce_key,
        }));
        for agency in config.agencies {
            issuer.add(agency)?;
        }
        Ok(issuer)
    }

    /// Begins to issue for one more agency.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn add(&self, agency: Agency) -> Result<(), OpenError> {
        let id = agency.id().to_owned();
        let found = format!("{}/issuers/{id}", self.0.public_url.as_str().trim_end_matches('/'));
        let identifier = SecureUrl::parse_identifier(&found).map_err(|_| OpenError::Identifier { found })?;
        let metadata = http::metadata_of(&agency, &identifier).map_err(|source| OpenError::Metadata {
            agency: id.clone(),
            source,
        })?;
        let desk = Desk {
            agency,
            identifier,
            metadata,
            committing: tokio::sync::Mutex::default(),
        };
        let mut desks = self.0.desks.write().unwrap_or_else(PoisonError::into_inner);
        match desks.entry(id.clone()) {
            Entry::Occupied(_) => Err(OpenError::Duplicate { id }),
            Entry::Vacant(place) => {
                place.insert(Arc::new(desk));
                Ok(())
            }
        }
    }

    /// Every endpoint.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// Commits every status list that changed or whose commitment is due, and forgets what has expired.
    /// Called at start and then every minute.
    ///
    /// # Errors
    /// [`StatusError`]; what could not be committed now is tried again with the next call.
    pub async fn tick(&self) -> Result<(), StatusError> {
        status::commit_due(self).await?;
        ::store::records::forget_expired(self.0.records.store(), self.0.clock.now()).await?;
        Ok(())
    }

    fn desk(&self, agency: &str) -> Option<Arc<Desk>> {
        self.0
            .desks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(agency)
            .cloned()
    }

    fn desks(&self) -> Vec<Arc<Desk>> {
        self.0
            .desks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }
}

impl FromRef<Issuer> for AdminToken {
    fn from_ref(issuer: &Issuer) -> Self {
        issuer.0.admin.clone()
    }
}
