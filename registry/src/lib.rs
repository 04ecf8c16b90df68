//! The trust registry's service: the log, its state witness, governance and DID resolution.
//!
//! In scope: putting entries in order (one sequencer, in groups), the crash-safe way from an entry to a
//! witnessed checkpoint, an in-process state witness with a key and records of its own, asking the Policy's witnesses
//! that run elsewhere, proposals that
//! officers approve with keys that never come here, trust bundles, and the resolver over the log.
//!
//! Out of scope: whether an entry counts (`crates/trust` decides, for everybody alike), officers' private
//! keys (signing requests go out, signatures come in), and being a witness for others (`witness/`).
//!
//! | Endpoint | File | Standard |
//! |---|---|---|
//! | `GET /registry/`, `GET /registry/pages/...` | `http/pages.rs` | pages for people, which verify the bundle in the browser |
//! | `GET /registry/anchor` | `http/anchor.rs` | origin, log key, genesis |
//! | `GET /registry/bundle`, `GET /registry/bundle/delta` | `http/bundle.rs` | trust bundle |
//! | `GET /registry/extract` | `http/extract.rs` | extract for a few credentials |
//! | `GET /registry/checkpoint` | `http/tiles.rs` | C2SP tlog-tiles |
//! | `GET /registry/tile/...` | `http/tiles.rs` | C2SP tlog-tiles |
//! | `POST /registry/entries`, `GET /registry/entries/{hash}` | `http/entries.rs` | answer: C2SP tlog-proof |
//! | `GET /registry/1.0/identifiers/{did}` | `http/identifiers.rs` | DID Resolution, HTTP(S) binding |
//! | `POST /trqp/authorization`, `POST /trqp/recognition`, `GET /trqp/metadata` | `http/trqp.rs` | TRQP v2 |
//! | `GET /registry/dids/{scid}/did.jsonl` | `http/dids.rs` | did:webvh |
//! | `GET /registry/dids/{scid}/did-witness.json` | `http/dids.rs` | did:webvh |
//! | `GET /registry/proposals`, `GET /registry/proposals/{id}` | `http/proposals.rs` | open to all |
//! | `GET /export/lote.json` | `http/projections.rs` | ETSI TS 119 602, signed by JAdES |
//! | `GET /export/vical.cbor` | `http/projections.rs` | ISO/IEC 18013-5 annex C |
//! | `GET /registry/projections` | `http/projections.rs` | digests of these, and the proof that the log has them |
//! | `GET /.well-known/openid-federation`, `GET /federation/fetch`, `GET /federation/list`, `GET /federation/resolve` | `http/federation.rs` | OpenID Federation 1.0 |
//! | `GET /export/openid-federation.json` | `http/federation.rs` | what these sign |
//! | `GET /types/...` | `http/types.rs` | documents of credential types, where their URIs point here |
//! | `POST /registry/proposals` | `http/proposals.rs` | administrative token |
//! | `POST /registry/proposals/{id}/approvals` | `http/proposals.rs` | a signature of an officer, or with a recovery key |

mod blobs;
mod cosigners;
mod deltas;
mod federation;
mod follower;
mod genesis;
mod history;
mod http;
mod inbox;
mod kept;
mod lease;
mod log;
mod log_files;
mod projecting;
mod proposal;
mod published;
mod resolve;
mod sequencer;
mod setup;
mod store;
mod submission;
mod witness;

use std::sync::Arc;

use ::store::StoreError;
use ::store::records::RecordError;
use axum::extract::FromRef;
use did::Document;
use keys::Signer;
use keys::Timestamp;
use keys::ml_dsa;
use server::AdminToken;
use server::Clock;
use server::Fetcher;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::sync::watch;
use trust::Anchor;
use trust::bundle::ExportError;
use trust::bundle::Profile;
use trust::bundle::Subjects;
use trust::entry::AssembleError;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::PolicyBody;
use trust::merkle::Hash;
use trust::state::MAX_APPROVAL_LIFETIME;
use trust::state::State;
use trust::tlog_policy::TlogPolicy;

pub use blobs::BlobError;
pub use deltas::DeltaError;
pub use federation::FederationError;
pub use genesis::Genesis;
pub use genesis::witness_name;
pub use history::HistoryError;
pub use log::OpenError;
pub use log::SealError;
pub use log_files::LogFiles;
pub use log_files::LogFilesError;
pub use projecting::ProjectionError;
pub use projecting::certify;
pub use proposal::Approval;
pub use proposal::ApprovalError;
pub use proposal::BodyError;
pub use proposal::PendingRecovery;
pub use proposal::Proposal;
pub use proposal::ProposalError;
pub use proposal::ProposalState;
pub use proposal::duration;
pub use proposal::summary;
pub use resolve::ResolveError;
pub use sequencer::Appended;
pub use submission::AppendError;
pub use witness::WitnessError;

pub use published::UnfitError;

use cosigners::Cosigners;
use deltas::Deltas;
use federation::TrustAnchor;
use history::History;
use kept::Kept;
use lease::Lease;
use projecting::Publisher;
use published::Published;
use sequencer::Sequencer;
use submission::Submission;

/// A draft for one signer, who signs at once, counts for a day.
const DRAFT_LIFETIME: i64 = 86_400;

/// New witnesses are tried with a Snapshot that is no older, in seconds.
const TRIED_WITH: i64 = 60;

/// [`Registry::tick`] makes a Snapshot when the last one is as old as this, in seconds: the witness's clock
/// may differ by that much, so nobody's time is finer.
const SNAPSHOT_INTERVAL: i64 = 300;

/// What the service needs from around it.
pub struct Config {
    /// The unique name of the log, a URL without scheme such as `registry.attestry.example/log`.
    pub log_name: String,
    /// What clients call the platform.
    pub public_url: String,
    /// The store, confined to this service's room.
    pub store: ::store::Store,
    /// The time.
    pub clock: Clock,
    /// Who may propose, and admit new DIDs.
    pub admin: AdminToken,
    /// The log's Ed25519 key, which signs checkpoints.
    pub log_key: Arc<dyn Signer>,
    /// The log's key of ML-DSA-44, which signs them again. Verifiers demand that from the Policy on that names it.
    pub second_log_key: Option<Arc<dyn ml_dsa::Signer>>,
    /// The state witness's Ed25519 key; another one than the log's.
    pub witness_key: Arc<dyn Signer>,
    /// The key of the certificate in the Policy's publication, which signs projections.
    pub publication_key: Option<Arc<dyn Signer>>,
    /// Asks the Policy's witnesses of elsewhere for their cosignatures, and agencies for their Entity Configurations.
    pub fetcher: Fetcher,
    /// The leaf of the genesis Policy, signed by its officers: for an empty log. See [`Genesis`].
    pub genesis: Option<Vec<u8>>,
    /// Age in seconds from which on a request for the bundle makes a new Snapshot first.
    pub snapshot_min_age: i64,
    /// Who has the store open.
    pub operators: Operators,
}

/// The processes that keep one log: one of them at a time writes to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// This one alone.
    One,
    /// This one and others with the same keys, each on a machine of its own if need be.
    Several {
        /// Of this process, drawn at random when it started.
        id: [u8; 16],
    },
}

/// The running service. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    clock: Clock,
    admin: AdminToken,
    public_url: String,
    snapshot_min_age: i64,
    store: ::store::Store,
    published: watch::Receiver<Arc<Published>>,
    /// The state after everything that is in the log for good.
    durable: watch::Receiver<Arc<State>>,
    sequencer: sequencer::Handle,
    /// The last bundles, by whom they are for.
    bundles: Mutex<Kept<Profile>>,
    deltas: Deltas,
    history: History,
    publisher: Publisher,
    trust_anchor: TrustAnchor,
}

/// Where an entry of the log is.
#[derive(Clone, Debug)]
pub enum Place {
    /// Under a checkpoint that the Policy accepts.
    Published(Appended),
    /// In the log for good, and under no such checkpoint yet.
    Waiting {
        /// Its index.
        index: u64,
    },
}

/// No bundle can be made. The environment's fault, or ours.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The state and its proof do not fit: our fault.
    #[error("the bundle cannot be put together")]
    Export(#[from] ExportError),
    /// The head moved on each time before the bundle was complete.
    #[error("the log grew faster than its bundle could be read; try again")]
    Moving,
    /// The store failed.
    #[error("the registry's store cannot be read")]
    Store(#[from] RecordError),
}

impl Registry {
    /// Starts the service: replays the log, finishes what a crash interrupted, begins an empty log with the
    /// genesis Policy, and has a fresh Snapshot witnessed. Where another process writes to the log, this one follows it,
    /// and takes over when that one is gone.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(config: Config) -> Result<Self, OpenError> {
        let Config {
            clock,
            admin,
            public_url,
            snapshot_min_age,
            store,
            ..
        } = config;
        let operators = config.operators;
        let (lease, keeper) = Lease::start(&store, operators).await?;
        let setup = setup::Setup::new(
            &config.log_name,
            (store.clone(), lease),
            clock.clone(),
            config.fetcher,
            setup::ServiceKeys {
                log: config.log_key,
                second: config.second_log_key,
                witness: config.witness_key,
            },
        )?;
        let (handle, heads) = Sequencer::start((setup, keeper), operators, config.genesis).await?;
        let bundles = Mutex::default();
        let inner = Inner {
            clock,
            admin,
            public_url,
            snapshot_min_age,
            store,
            published: heads.published,
            durable: heads.durable,
            sequencer: handle,
            bundles,
            deltas: Deltas::default(),
            history: History::default(),
            publisher: Publisher::new(config.publication_key),
            trust_anchor: TrustAnchor::new(),
        };
        let registry = Self(Arc::new(inner));
        proposal::finish_approved(&registry).await?;
        Ok(registry)
    }

    /// The origin of the log in `store`, confined to this service's room; `None` where no log has begun.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn founded_as(store: &::store::Store) -> Result<Option<String>, RecordError> {
        let snapshot = store.snapshot().await?;
        if store::text(&snapshot, store::PENDING).await?.is_none() {
            return Ok(None);
        }
        let genesis = store::entries(&snapshot, 0, 1).await?;
        let genesis = genesis.first().and_then(|leaf| Entry::parse(leaf).ok());
        let genesis = genesis.ok_or_else(|| store::damaged("entry/0"))?;
        Ok(Some(genesis.subject().to_owned()))
    }

    /// Every endpoint.
    pub fn router(&self) -> axum::Router {
        http::router(self.clone())
    }

    /// What clients call the platform.
    #[must_use]
    pub fn public_url(&self) -> &str {
        &self.0.public_url
    }

    /// Which registry this is: what verifiers pin.
    #[must_use]
    pub fn anchor(&self) -> Anchor {
        self.published().state.anchor().clone()
    }

    /// The state at the published checkpoint. It does not change while it is held.
    #[must_use]
    pub fn state(&self) -> Arc<State> {
        self.published().state.clone()
    }

    /// The state of the last Snapshot up to `time`; `None` before the first one.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub async fn state_at(&self, time: Timestamp) -> Result<Option<Arc<State>>, HistoryError> {
        let head = self.published();
        let snapshot = self.0.store.snapshot().await.map_err(RecordError::from)?;
        self.0.history.at(&head, &snapshot, time).await
    }

    /// The contents of a digest, if they were submitted with an entry.
    pub(crate) async fn blob(&self, digest: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        store::blob(&self.0.store.snapshot().await?, digest).await
    }

    /// The current document of an active DID; see [`State::document`].
    #[must_use]
    pub fn document(&self, did: &str) -> Option<Document> {
        self.state().document(did)
    }

    /// Resolves a DID, with `versionId`, `versionTime` or `versionNumber` as its query.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&self, did_url: &str) -> Result<did::resolve::Resolved, ResolveError> {
        resolve::resolve(&self.state(), did_url, self.0.clock.now())
    }

    /// The published checkpoint with the log's signature and the witness's cosignature, as a signed note.
    #[must_use]
    pub fn checkpoint(&self) -> String {
        self.published().checkpoint.to_string()
    }

    /// A draft of the next entry of type and subject, to be signed by who may speak for `ns`. It counts from
    /// the last Snapshot on and for a day from now.
    #[must_use]
    pub fn draft(&self, ns: &str, subject: &str, body: Body) -> Draft {
        self.draft_until(ns, subject, body, DRAFT_LIFETIME)
    }

    /// The leaf that logs `lines` (without their newlines) of a DID's own `did.jsonl`, and the
    /// `did-witness.json` that goes with them. Its signatures are in the lines.
    ///
    /// # Errors
    /// [`AssembleError::TooLarge`]: log fewer lines at a time.
    pub fn did_event(
        &self,
        did: &str,
        lines: Vec<Vec<u8>>,
        witness_proofs: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, AssembleError> {
        let (seq, prev) = self.durable_state().next_in_chain(EntryType::DidEvent, did);
        let body = Body::DidEvent(DidEventBody::Webvh { lines, witness_proofs });
        Entry::without_approval(did, did, seq, prev, &body)
    }

    /// Appends a leaf and returns when a witnessed checkpoint has it. `blobs` are the contents that the entry
    /// names by digest: every compact status list, and those schema documents that bundles shall carry.
    /// A leaf that the log has already keeps its index.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn append(&self, leaf: Vec<u8>, blobs: Vec<Vec<u8>>) -> Result<Appended, AppendError> {
        let submission = Submission::new(leaf, blobs, &self.0.sequencer.setup)?;
        if let Some(policy) = submission.policy() {
            self.try_witnesses(policy).await?;
        }
        self.0.sequencer.submit(submission).await
    }

    /// Whether the witnesses of a Policy cosign the log as it is: under a Policy whose witnesses do not, nothing could be
    /// published, not even the next Policy.
    async fn try_witnesses(&self, policy: &PolicyBody) -> Result<(), AppendError> {
        let in_force = self.durable_state();
        let unchanged = in_force.policy().is_some_and(|in_force| {
            let body = in_force.body();
            (&body.witness_policy, &body.state_quorum) == (&policy.witness_policy, &policy.state_quorum)
        });
        let setup = &self.0.sequencer.setup;
        let Ok(witnesses) = TlogPolicy::parse(&policy.witness_policy) else {
            return Err(AppendError::Unserviceable);
        };
        let own = &setup.witness.verifier;
        if unchanged || witnesses.witnesses().iter().all(|witness| witness.key() == own) {
            return Ok(());
        }
        // State witnesses take no Snapshot that is old. Where there is none now, what is there is tried.
        if let Err(error) = self.refresh(TRIED_WITH).await {
            tracing::warn!(cause = %server::problem::chain(&error), "no fresh snapshot for new witnesses");
        }
        let head = self.published();
        let mut checkpoint = head.checkpoint.clone();
        let mut cosigners = Cosigners::new(setup.fetcher.clone());
        cosigners
            .collect(
                &mut checkpoint,
                &witnesses,
                &policy.state_quorum,
                &head.edge,
                &setup.store,
                own,
            )
            .await;
        match witnesses.verify_with(&checkpoint, &policy.state_quorum) {
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(cause = %server::problem::chain(&error), "a policy whose witnesses do not cosign");
                Err(AppendError::Untried)
            }
        }
    }

    /// Where the entry with this leaf hash is; `None` if the log does not have it.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn place(&self, hash: Hash) -> Result<Option<Place>, RecordError> {
        // First the head: an entry that it covers is there in every later state of the store.
        let head = self.published();
        let snapshot = self.0.store.snapshot().await?;
        let Some(index) = store::index_of(&snapshot, hash).await? else {
            return Ok(None);
        };
        if index >= head.size() {
            return Ok(Some(Place::Waiting { index }));
        }
        let proof = head.proof(&snapshot, index, &mut published::Tiles::default()).await?;
        let proof = proof.to_string();
        Ok(Some(Place::Published(Appended { index, proof })))
    }

    /// Makes a new Snapshot if the last one is as old as `age` seconds.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn refresh(&self, age: i64) -> Result<(), AppendError> {
        if self.snapshot_age() < age {
            return Ok(());
        }
        self.0.sequencer.snapshot(age, false).await
    }

    /// Does what is due: a Snapshot every five minutes, and proposals whose last approval met a failure.
    /// Called every minute.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn tick(&self) -> Result<(), AppendError> {
        // Asked of the sequencer even where the last Snapshot is young: entries may wait for witnesses.
        let snapshot = self.0.sequencer.snapshot(SNAPSHOT_INTERVAL, true).await;
        proposal::finish_approved(self)
            .await
            .map_err(|error| AppendError::Failed(Arc::new(error.into())))?;
        snapshot
    }

    /// Whether this process is the one that writes to the log now.
    #[must_use]
    pub fn is_sequencer(&self) -> bool {
        self.0.sequencer.setup.lease.held().is_some()
    }

    /// Lets another process write at once, for good: called before this one stops. Entries that come here afterwards are
    /// left to that one.
    ///
    /// # Errors
    /// [`AppendError`]; the others then wait for the lease to lapse.
    pub async fn resign(&self) -> Result<(), AppendError> {
        self.0.sequencer.resign().await
    }

    /// The whole trust bundle; see [`Registry::bundle_for`].
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn bundle(&self) -> Result<Arc<[u8]>, BundleError> {
        self.bundle_for(&Profile::default()).await
    }

    /// The trust bundle with the contents of this profile, after a new Snapshot where the last one is older than the
    /// configuration allows.
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn bundle_for(&self, profile: &Profile) -> Result<Arc<[u8]>, BundleError> {
        self.refresh_kindly().await;
        let mut kept = self.0.bundles.lock().await;
        if let Some(bytes) = kept.get(self.published().size(), profile) {
            return Ok(bytes);
        }
        let (size, bytes) = published::bundle(&self.0.store, &self.0.published, profile).await?;
        Ok(kept.put(size, profile.clone(), bytes))
    }

    /// The extract about these subjects and the state that it is of, after a new Snapshot where the last one is older than the
    /// configuration allows.
    ///
    /// # Errors
    /// [`BundleError`].
    pub async fn extract(&self, subjects: &Subjects) -> Result<(Arc<State>, Vec<u8>), BundleError> {
        self.refresh_kindly().await;
        published::extract(&self.0.store, &self.0.published, subjects).await
    }

    /// The delta from the bundle of `from` entries to the one of now ([`TrustedBundle::apply`]), both with the contents of
    /// this profile, after a new Snapshot where
    /// the last one is older than the configuration allows; `None` where there is nothing later.
    ///
    /// [`TrustedBundle::apply`]: trust::TrustedBundle::apply
    ///
    /// # Errors
    /// [`DeltaError`].
    pub async fn delta(&self, from: u64, profile: &Profile) -> Result<Option<Arc<[u8]>>, DeltaError> {
        self.refresh_kindly().await;
        let Inner { store, published, .. } = &*self.0;
        self.0.deltas.from(store, published, (from, profile), self.now()).await
    }

    /// The List of Trusted Entities of the last Snapshot, signed, after a new Snapshot where the last one is older than the
    /// configuration allows.
    ///
    /// # Errors
    /// [`ProjectionError`].
    pub async fn lote(&self) -> Result<Arc<[u8]>, ProjectionError> {
        self.refresh_kindly().await;
        self.0.publisher.lote(&self.state(), self.now()).await
    }

    /// The list of issuing authorities of mdocs (VICAL) of the last Snapshot, as [`Registry::lote`].
    ///
    /// # Errors
    /// [`ProjectionError`].
    pub async fn vical(&self) -> Result<Arc<[u8]>, ProjectionError> {
        self.refresh_kindly().await;
        self.0.publisher.vical(&self.state()).await
    }

    /// Proposes an entry that officers then approve: JSON as `proposal/body.rs` has it.
    ///
    /// # Errors
    /// [`ProposalError`].
    pub async fn propose(&self, body: serde_json::Value) -> Result<Proposal, ProposalError> {
        proposal::propose(self, body).await
    }

    /// The latest proposals, the newest first.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn proposals(&self) -> Result<Vec<Proposal>, RecordError> {
        proposal::list(self).await
    }

    /// The proposal of this id.
    ///
    /// # Errors
    /// [`RecordError`].
    pub async fn proposal(&self, id: u64) -> Result<Option<Proposal>, RecordError> {
        proposal::find(self, id).await
    }

    /// The recovery of the Policy that is in the log and not in force yet.
    #[must_use]
    pub fn pending_recovery(&self) -> Option<PendingRecovery> {
        PendingRecovery::of(&self.durable_state())
    }

    /// Adds a signature of an officer, or with a recovery key (the bytes of [`trust::entry::ApprovalSignature`]), to a
    /// proposal. The one that completes the quorum appends the entry.
    ///
    /// # Errors
    /// [`ApprovalError`].
    pub async fn approve(&self, id: u64, signature: &[u8]) -> Result<Approval, ApprovalError> {
        proposal::approve(self, id, signature).await
    }

    fn draft_until(&self, ns: &str, subject: &str, body: Body, lifetime: i64) -> Draft {
        let state = self.durable_state();
        let latest = state.time().plus(MAX_APPROVAL_LIFETIME);
        state.draft(ns, subject, body, self.now().plus(lifetime).min(latest))
    }

    /// What the next entry follows: the state after everything that is in the log for good, which the world may not have
    /// seen yet.
    pub(crate) fn durable_state(&self) -> Arc<State> {
        self.0.durable.borrow().clone()
    }

    /// Makes a new Snapshot where the last one is older than the configuration allows, if that can be.
    pub(crate) async fn refresh_kindly(&self) {
        if let Err(error) = self.refresh(self.0.snapshot_min_age).await {
            // The last one is as authentic as it was; whoever gets it sees its age.
            tracing::warn!(cause = %server::problem::chain(&error), "there is no fresh snapshot");
        }
    }

    fn snapshot_age(&self) -> i64 {
        self.now().seconds_since(self.published().state.time())
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn published(&self) -> Arc<Published> {
        self.0.published.borrow().clone()
    }
}

impl FromRef<Registry> for AdminToken {
    fn from_ref(registry: &Registry) -> Self {
        registry.0.admin.clone()
    }
}
