//! The VC API ([VCALM](https://w3c.github.io/vcalm/), formerly the W3C CCG's VC API): issuer, verifier and holder
//! services over HTTP that other software and the test suites of W3C drive.
//!
//! In scope: issuing what the caller says with the key of an [`Instance`], verifying credentials and presentations,
//! deriving, and the status of what was issued here.
//!
//! Out of scope: what an agency issues from its register (`issuer`), and the verdict (`verifier`). **A credential that
//! is verified here is authentic and within its times, and no more is said.** Whether its issuer may issue it, whether
//! it is fresh enough and whether the presenter is its subject is not judged; the answers say so. No claim is
//! released: what a caller gets back is what it sent.
//!
//! | Endpoint | File | Standard |
//! |---|---|---|
//! | `GET /vc-api/instances` | `http/instances.rs` | - |
//! | `GET /vc-api/{instance}/did.json` | `http/instances.rs` | did:web |
//! | `POST /vc-api/{instance}/credentials/issue` | `http/issue.rs` | Issue Credential |
//! | `POST /vc-api/{instance}/credentials/derive` | `http/derive.rs` | Derive Credential |
//! | `POST /vc-api/{instance}/credentials/status` | `http/status.rs` | Update Status |
//! | `GET /vc-api/{instance}/status-lists/{list}` | `http/status.rs` | Get Status List |
//! | `POST /vc-api/{instance}/credentials/verify` | `http/verify.rs` | Verify Credential |
//! | `POST /vc-api/{instance}/presentations/verify` | `http/verify.rs` | Verify Presentation |
//!
//! The instance [`instance::VERIFIER`] verifies and issues nothing. Who may use an instance: see [`access`].

pub mod access;
mod contexts;
mod derive;
mod http;
pub mod instance;
mod issue;
mod problem;
mod resolve;
mod schemas;
mod status;
mod store;
mod verify;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;

use ::store::Store;
use ::store::records::RecordError;
use axum::extract::FromRef;
use did::Document;
use jsonld::ContextLoader;
use server::AdminToken;
use server::Clock;
use thiserror::Error;
use trust::TrustedBundle;

pub use access::SampleAccess;
pub use instance::Instance;
pub use instance::InstanceRecord;
pub use instance::Mechanism;
pub use store::instance_records;

/// What the service needs from around it.
pub struct Config {
    /// What clients call the platform, without a slash at the end.
    pub public_url: String,
    /// Where the status lists of new credentials lie: the platform's https URL, if it has one.
    pub status_url: String,
    /// The store, confined to this service's room.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Who may use every instance.
    pub admin: AdminToken,
    /// Who may use the sample's.
    pub sample_access: SampleAccess,
    /// What the registry knows.
    pub registry: Arc<dyn Registry>,
}

/// The registry, as this service needs it.
pub trait Registry: Send + Sync {
    /// The document of a logged DID.
    fn document(&self, did: &str) -> Option<Document>;

    /// Whether somebody relies on what this DID signs.
    fn is_accredited(&self, did: &str) -> bool;

    /// A recent bundle: for registered contexts, and the status lists of agencies.
    fn bundle(&self) -> BundleAnswer<'_>;
}

/// The answer of [`Registry::bundle`], later. A trait object cannot return `impl Future`.
pub type BundleAnswer<'a> = Pin<Box<dyn Future<Output = Result<Arc<TrustedBundle>, BundleError>> + Send + 'a>>;

/// No bundle is at hand: the environment's fault.
#[derive(Debug, Error)]
#[error("no trust bundle is at hand")]
pub struct BundleError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// An instance was not added.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddError {
    /// There is one of this name.
    #[error("expected a new name, found the instance {name}")]
    Exists {
        /// The name.
        name: String,
    },
    /// The store failed.
    #[error("the instance was not saved")]
    Store(#[from] RecordError),
}

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct VcApi(Arc<Inner>);

struct Inner {
    public_url: String,
    status_url: String,
    store: Store,
    clock: Clock,
    admin: AdminToken,
    sample_access: SampleAccess,
    registry: Arc<dyn Registry>,
    contexts: Arc<ContextLoader>,
    instances: RwLock<BTreeMap<String, Instance>>,
}

impl VcApi {
    /// Starts the service with the instances whose records the store has; see [`instance_records`].
    #[must_use]
    pub fn open(config: Config, instances: Vec<Instance>) -> Self {
        let by_name = |instance: Instance| (instance.record().name.clone(), instance);
        Self(Arc::new(Inner {
            public_url: config.public_url,
            status_url: config.status_url,
            store: config.store,
            clock: config.clock,
            admin: config.admin,
            sample_access: config.sample_access,
            registry: config.registry,
            contexts: Arc::new(contexts::bundled()),
            instances: RwLock::new(instances.into_iter().map(by_name).collect()),
        }))
    }

    /// Begins to issue with one more instance, and keeps its record.
    ///
    /// # Errors
    /// [`AddError`].
    pub async fn add(&self, instance: Instance) -> Result<(), AddError> {
        let name = instance.record().name.clone();
        if !store::create(&self.0.store, instance.record()).await? {
            return Err(AddError::Exists { name });
        }
        let mut instances = self.0.instances.write().unwrap_or_else(PoisonError::into_inner);
        instances.insert(name, instance);
        Ok(())
    }

    /// The instance of this name.
    #[must_use]
    pub fn instance(&self, name: &str) -> Option<Instance> {
        let instances = self.0.instances.read().unwrap_or_else(PoisonError::into_inner);
        instances.get(name).cloned()
    }

    /// Every endpoint.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    fn instances(&self) -> Vec<Instance> {
        let instances = self.0.instances.read().unwrap_or_else(PoisonError::into_inner);
        instances.values().cloned().collect()
    }
}

impl FromRef<VcApi> for AdminToken {
    fn from_ref(api: &VcApi) -> Self {
        api.0.admin.clone()
    }
}
