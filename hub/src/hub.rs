//! The running hub: what its flows share.

use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;

use did::Did;
use did::DidUrl;
use did::Purpose;
use keys::Signer;
use keys::Timestamp;
use openid4vc::oauth::access_token::AccessTokenClaims;
use openid4vc::oauth::access_token::AccessTokenError;
use openid4vc::oauth::access_token::UnverifiedAccessToken;
use serde::de::DeserializeOwned;
use server::AdminToken;
use server::Clock;
use server::Fetcher;
use server::fetch::FetchError;
use store::Store;
use thiserror::Error;
use trust::note::SignatureType;
use trust::note::VerifierKey;

use crate::Config;
use crate::config::ConfigError;
use crate::directory::AgencyDirectory;
use crate::error::FlowError;
use crate::evidence::EvidenceLog;
use crate::evidence::EvidenceReader;
use crate::evidence::LogError;
use crate::protocol::id::EvidenceId;
use crate::protocol::record::Draft;
use crate::protocol::record::Event;
use crate::protocol::record::StatementEvent;
use crate::protocol::statement::Statement;
use crate::protocol::statement::StatementKind;
use crate::protocol::statement::UnverifiedStatement;
use crate::store::Change;
use crate::store::HubStore;
use crate::store::StoreFailure;

/// How often what may be forgotten is forgotten.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);

/// What a hub is made of.
pub struct Parts {
    /// The settings.
    pub config: Config,
    /// The store; the hub keeps to its room `hub/`.
    pub store: Store,
    /// Who is an agency.
    pub directory: Arc<dyn AgencyDirectory>,
    /// Signs access tokens and the context that sources get.
    pub token_key: Arc<dyn Signer>,
    /// Signs the evidence log's checkpoints: Ed25519.
    pub evidence_key: Arc<dyn Signer>,
    /// The time.
    pub clock: Clock,
    /// What lets the operator read.
    pub admin: AdminToken,
}

/// A running hub. Cheap to clone: all of it is shared.
#[derive(Clone)]
pub struct Hub {
    pub(crate) config: Arc<Config>,
    pub(crate) directory: Arc<dyn AgencyDirectory>,
    pub(crate) store: Arc<HubStore>,
    pub(crate) evidence: EvidenceLog,
    evidence_key: Arc<VerifierKey>,
    pub(crate) reader: EvidenceReader,
    pub(crate) token_key: Arc<dyn Signer>,
    pub(crate) fetcher: Fetcher,
    pub(crate) clock: Clock,
    pub(crate) admin: AdminToken,
}

/// The hub does not start. The operator's or the environment's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting or key.
    #[error("the hub's settings cannot be used")]
    Config(#[from] ConfigError),
    /// The HTTP client.
    #[error("the hub cannot reach sources")]
    Fetch(#[from] FetchError),
    /// The evidence log.
    #[error("the hub's evidence log cannot be opened")]
    Log(#[from] LogError),
    /// The store.
    #[error("the hub's store cannot be opened")]
    Store(#[from] StoreFailure),
}

impl Hub {
    /// Opens the evidence log and starts. To be called within a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(parts: Parts) -> Result<Self, StartError> {
        let Parts {
            config,
            store,
            directory,
            token_key,
            evidence_key,
            clock,
            admin,
        } = parts;
        let store = Arc::new(HubStore::new(&store)?);
        let public = evidence_key.public_key().clone();
        let verifier = VerifierKey::new(config.evidence_origin(), SignatureType::Ed25519, public)
            .map_err(ConfigError::EvidenceLog)?;
        let evidence = EvidenceLog::open(store.room().clone(), evidence_key, verifier.clone()).await?;
        tokio::spawn(sweep(Arc::downgrade(&store), clock.clone()));
        Ok(Self {
            fetcher: Fetcher::new(config.reach)?,
            reader: EvidenceReader::new(store.room().clone()),
            evidence_key: Arc::new(verifier),
            config: Arc::new(config),
            directory,
            store,
            evidence,
            token_key,
            clock,
            admin,
        })
    }

    /// The hub's issuer identifier: the audience of statements and client assertions.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.config.issuer().as_str()
    }

    /// The key with which evidence is verified, for [`crate::verify_evidence`].
    #[must_use]
    pub fn evidence_key(&self) -> &VerifierKey {
        &self.evidence_key
    }

    /// Verifies one of the hub's own access tokens for `audience`.
    pub(crate) fn verify_token(&self, token: &str, audience: &str) -> Result<AccessTokenClaims, AccessTokenError> {
        let verified = UnverifiedAccessToken::parse(token)?.verify(
            self.token_key.public_key(),
            self.issuer(),
            audience,
            self.clock.now(),
        )?;
        Ok(verified.claims().clone())
    }

    /// The `kid` of the token key.
    pub(crate) fn token_kid(&self) -> String {
        self.token_key.public_key().to_jwk().thumbprint()
    }

    /// Verifies an agency's statement: signed with a key that its DID document names for assertions.
    pub(crate) async fn agency_statement<T: DeserializeOwned>(
        &self,
        text: &str,
        kind: StatementKind,
        now: Timestamp,
    ) -> Result<Statement<T>, FlowError> {
        let unverified = UnverifiedStatement::parse(text, kind)?;
        let key = self.agency_key(unverified.key_id(), Purpose::AssertionMethod).await?;
        Ok(unverified.verify(&key, self.issuer(), now)?)
    }

    pub(crate) async fn agency_key(&self, key_id: &DidUrl, purpose: Purpose) -> Result<keys::PublicKey, FlowError> {
        let key = self.directory.key(key_id, purpose).await?;
        key.ok_or(FlowError::UnknownKey)
    }

    pub(crate) async fn expect_consumer(&self, agency: &Did) -> Result<(), FlowError> {
        if self.directory.may_consume(agency).await? {
            return Ok(());
        }
        Err(FlowError::NotAdmitted { role: "a consumer" })
    }

    pub(crate) async fn expect_source(&self, agency: &Did) -> Result<(), FlowError> {
        if self.directory.may_publish(agency).await? {
            return Ok(());
        }
        Err(FlowError::NotAdmitted { role: "a source" })
    }

    /// Makes a change together with its evidence.
    pub(crate) async fn save(&self, event: StatementEvent, change: Change, now: Timestamp) -> Result<(), FlowError> {
        let draft = Draft {
            id: EvidenceId::generate(&mut signer::os_rng()),
            time: now,
            event: Event::Statement(Box::new(event)),
            salt: None,
        };
        self.evidence.append(draft, change).await?;
        Ok(())
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("issuer", &self.issuer())
            .finish_non_exhaustive()
    }
}

/// Forgets used identifiers that would be refused for their age anyway, as long as the hub runs.
async fn sweep(store: Weak<HubStore>, clock: Clock) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        let Some(store) = store.upgrade() else { return };
        if let Err(error) = store.sweep(clock.now()).await {
            tracing::warn!(cause = %server::problem::chain(&error), "used identifiers were not swept");
        }
    }
}
