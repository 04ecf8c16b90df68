//! Accepting an offer: the pre-authorized code flow, wallet's side
//! ([OpenID4VCI 1.0, section 3.5](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#pre-authz-code-flow)).
//!
//! Token, then for each offered credential a fresh key, a nonce, a proof, the credential, the check. Only what
//! was checked is stored; the key of what was not is removed.

use did::Purpose;
use holder::Contexts;
use holder::CredentialRecord;
use holder::Expected;
use holder::ReceiveError;
use holder::Received;
use keys::Signer as _;
use keys::SignerError;
use keys::json::JsonError;
use openid4vc::oauth::AuthorizationServerMetadata;
use openid4vc::oauth::server_metadata;
use openid4vc::oauth::server_metadata::PRE_AUTHORIZED_CODE_GRANT;
use openid4vc::oauth::server_metadata::ServerMetadataError;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::CredentialResponse;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::TokenResponse;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vci::credential::CredentialResponseError;
use openid4vc::vci::credential::RESPONSE_LIMITS;
use openid4vc::vci::metadata::MetadataError;
use openid4vc::vci::nonce::NonceResponse;
use openid4vc::vci::notification::NotificationEvent;
use openid4vc::vci::notification::NotificationRequest;
use openid4vc::vci::offer::OfferError;
use openid4vc::vci::proof;
use openid4vc::vci::token::TOKEN_RESPONSE_LIMITS;
use openid4vc::vci::token::TokenResponseError;
use serde_json::Value;
use server::Clock;
use server::Fetcher;
use server::fetch::Outgoing;
use signer::SoftwareKey;
use thiserror::Error;
use trust::Anchor;

use crate::ContextError;
use crate::CredentialSummary;
use crate::Offer;
use crate::PeerError;
use crate::ResolveError;
use crate::Wallet;
use crate::WalletError;
use crate::contexts;
use crate::peer;
use crate::resolve::public_key;
use crate::wallet::key_item;

/// A nonce, and the small answer of a notification endpoint.
const MAX_SMALL_ANSWER_BYTES: usize = 16 * 1_024;
/// Names and labels in a dozen languages have some 10 kB; pictures in `data:` URLs are not worth more.
const MAX_STORED_METADATA_BYTES: usize = 256 * 1_024;
/// A nonce may have expired between its fetch and its use.
const MAX_NONCE_TRIES: usize = 2;

const JSON: &str = "application/json";

/// What came of an offer.
#[derive(Debug)]
#[must_use]
pub struct Accepted {
    /// The credentials that are in the wallet now; at least one.
    pub received: Vec<CredentialSummary>,
    /// Those of the offer that are not.
    pub not_received: Vec<NotAccepted>,
}

/// A credential of the offer that did not come, or was not kept.
#[derive(Debug)]
pub struct NotAccepted {
    /// The issuer's identifier of its kind.
    pub configuration_id: String,
    /// Why.
    pub error: AcceptError,
}

/// Nothing was accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The issuer's answer is not that of a credential endpoint.
    #[error("the issuer's answer is refused")]
    Answer(#[from] CredentialResponseError),
    /// A context of the credential was not found.
    #[error("what the credential means is not found")]
    Context(#[from] ContextError),
    /// The issuer issues later; this wallet does not come back for it.
    #[error("expected the credential at once, found that the issuer delivers later, which this wallet does not do")]
    Deferred,
    /// The offer names a server that is not the issuer's.
    #[error("the offer does not fit its issuer")]
    Metadata(#[from] MetadataError),
    /// The issuer's nonce is not read.
    #[error("expected a nonce from the issuer")]
    Nonce(#[source] JsonError),
    /// A credential in a format that this version does not read.
    #[error("the wallet does not read the format of this credential")]
    NotReadable,
    /// The issuer or its server does not answer, or refuses.
    #[error("the issuer does not issue")]
    Peer(#[from] PeerError),
    /// The issuer accepts no proof that the wallet can make.
    #[error("expected an issuer that takes jwt proofs with ES256 or EdDSA (for ldp_vc with EdDSA), found another")]
    ProofType,
    /// The credential that came is not what was offered, not authentic, or not bound to the wallet's key.
    #[error("the credential is not kept")]
    Receive(#[from] ReceiveError),
    /// The issuer's key was not found.
    #[error("the issuer's key is not found")]
    Resolve(#[from] ResolveError),
    /// The authorization server's metadata.
    #[error("the authorization server's metadata are refused")]
    Server(#[from] ServerMetadataError),
    /// The wallet's key did not sign.
    #[error("the proof was not signed")]
    Signer(#[from] SignerError),
    /// The server's token is not one.
    #[error("the token is refused")]
    Token(#[from] TokenResponseError),
    /// The code that the person typed cannot be the one, or is missing, or none is asked for.
    #[error("the transaction code does not fit the offer")]
    TxCode(#[source] OfferError),
    /// The wallet's folder.
    #[error("the credential was not stored")]
    Wallet(#[from] WalletError),
}

/// What is the same for each credential of an offer.
struct Issuance<'a> {
    offer: &'a Offer,
    anchors: &'a [Anchor],
    token: TokenResponse,
    fetcher: &'a Fetcher,
    clock: &'a Clock,
}

/// A credential that was asked for with its own key.
struct Place<'a> {
    id: &'a str,
    configuration_id: &'a str,
    configuration: &'a CredentialConfiguration,
    key: &'a SoftwareKey,
}

impl Wallet {
    /// Accepts an offer. The person's yes comes before this call.
    ///
    /// # Errors
    /// [`AcceptError`], when no credential at all was received.
    pub async fn accept(
        &self,
        offer: &Offer,
        tx_code: Option<&str>,
        fetcher: &Fetcher,
        clock: &Clock,
    ) -> Result<Accepted, AcceptError> {
        self.sweep_keys()?;
        // A code that cannot be right is told here, and costs none of the few tries.
        let request = TokenRequest::for_offer(&offer.offer, tx_code).map_err(AcceptError::TxCode)?;
        let token = token(offer, &request, fetcher).await?;
        let issuance = Issuance {
            offer,
            anchors: &self.anchors,
            token,
            fetcher,
            clock,
        };
        let (mut received, mut not_received) = (Vec::new(), Vec::new());
        for (configuration_id, configuration) in offer.readable() {
            match self.receive(&issuance, configuration_id, configuration).await {
                Ok(summary) => received.push(summary),
                Err(error) => not_received.push(NotAccepted {
                    configuration_id: configuration_id.to_owned(),
                    error,
                }),
            }
        }
        if received.is_empty() {
            let first = not_received.into_iter().next();
            return Err(first.map_or(AcceptError::NotReadable, |one| one.error));
        }
        for offered in offer.credentials().into_iter().filter(|one| !one.readable) {
            not_received.push(NotAccepted {
                configuration_id: offered.configuration_id,
                error: AcceptError::NotReadable,
            });
        }
        Ok(Accepted { received, not_received })
    }

    async fn receive(
        &self,
        issuance: &Issuance<'_>,
        configuration_id: &str,
        configuration: &CredentialConfiguration,
    ) -> Result<CredentialSummary, AcceptError> {
        let algorithm = *holder::key_algorithms(configuration)
            .first()
            .ok_or(AcceptError::ProofType)?;
        let id = self.fresh_id()?;
        let name = key_item(&id);
        let key = self
            .vault
            .generate_key(&name, algorithm, &mut signer::os_rng())
            .map_err(WalletError::from)?;
        let place = Place {
            id: &id,
            configuration_id,
            configuration,
            key: &key,
        };
        let received = self.receive_with(issuance, &place).await;
        if received.is_err() {
            // If this fails too, the key is swept up before the next offer; the first error is what matters.
            drop(self.vault.remove(&name));
        }
        received
    }

    async fn receive_with(&self, issuance: &Issuance<'_>, place: &Place<'_>) -> Result<CredentialSummary, AcceptError> {
        let (credential, notification_id) = issuance.request(place).await?;
        let kept = match issuance.check(place, &credential).await {
            Ok(record) => self.keep(&record),
            Err(error) => Err(error),
        };
        issuance.notify(notification_id, kept.is_ok()).await;
        kept
    }

    fn keep(&self, record: &CredentialRecord) -> Result<CredentialSummary, AcceptError> {
        let held = record.open().map_err(|source| WalletError::Open {
            id: record.id.clone(),
            source,
        })?;
        self.put_item(&format!("credentials/{}", record.id), record)?;
        Ok(CredentialSummary::of(record, &held))
    }
}

impl Issuance<'_> {
    /// Asks for the credential, with a second nonce if the first was refused.
    async fn request(&self, place: &Place<'_>) -> Result<(Value, Option<String>), AcceptError> {
        let mut tries = 0;
        let body = loop {
            tries += 1;
            match self.request_once(place).await {
                Err(AcceptError::Peer(error)) if error.code() == Some("invalid_nonce") && tries < MAX_NONCE_TRIES => {}
                answer => break answer?,
            }
        };
        match CredentialResponse::parse(&body, 1)? {
            CredentialResponse::Issued {
                credentials,
                notification_id,
            } => {
                let first = credentials.into_iter().next().ok_or(ReceiveError::Format)?;
                Ok((first.credential, notification_id))
            }
            CredentialResponse::Deferred { .. } => Err(AcceptError::Deferred),
        }
    }

    async fn request_once(&self, place: &Place<'_>) -> Result<Vec<u8>, AcceptError> {
        let metadata = &self.offer.metadata;
        let nonce = self.nonce().await?;
        let named = holder::proof_key(place.configuration, place.key.public_key())?;
        let signing = proof::sign(
            &named,
            &metadata.credential_issuer,
            nonce.as_deref(),
            None,
            self.clock.now(),
        );
        let proof = place.key.fulfil(signing)?;
        let body = CredentialRequest::new(&self.token, place.configuration_id, vec![proof]).to_json();
        let at = metadata.credential_endpoint.as_str();
        let request =
            Outgoing::post(at, JSON, body, RESPONSE_LIMITS.max_bytes).map(|post| post.bearer(&self.token.access_token));
        Ok(peer::send(self.fetcher, request, "credential endpoint").await?)
    }

    async fn nonce(&self) -> Result<Option<String>, AcceptError> {
        let Some(at) = &self.offer.metadata.nonce_endpoint else {
            return Ok(None);
        };
        let request = Outgoing::post(at.as_str(), peer::FORM, "", MAX_SMALL_ANSWER_BYTES);
        let body = peer::send(self.fetcher, request, "nonce endpoint").await?;
        let nonce = NonceResponse::parse(&body).map_err(AcceptError::Nonce)?;
        Ok(Some(nonce.c_nonce))
    }

    /// Finds the issuer's key and checks what came.
    async fn check(&self, place: &Place<'_>, credential: &Value) -> Result<CredentialRecord, AcceptError> {
        let (metadata, now) = (&self.offer.metadata, self.clock.now());
        let url = holder::issuer_key_url(credential, place.configuration)?;
        let platform = (Some(&metadata.credential_issuer), self.anchors);
        let (issuer_key, _) = public_key(&url, Purpose::AssertionMethod, platform, self.fetcher, now).await?;
        let needed = Contexts::needed(credential, place.configuration)?;
        let contexts = contexts::find(needed, &metadata.credential_issuer, self.fetcher).await?;
        let expected = Expected {
            configuration: place.configuration,
            holder_key: place.key.public_key(),
            issuer_key: &issuer_key,
            contexts: &contexts,
            now,
        };
        let received = Received::check(credential, &expected)?;
        Ok(CredentialRecord {
            id: place.id.to_owned(),
            format: received.format,
            text: received.text,
            issuer: received.issuer,
            issuer_key: issuer_key.to_jwk(),
            issuer_name: self.offer.issuer_name(),
            holder_key: key_item(place.id),
            received_at: now,
            metadata: stored_metadata(place.configuration),
            contexts,
        })
    }

    /// Tells the issuer how it went, if it asks. "The Wallet MAY" do so, and nothing depends on it.
    async fn notify(&self, notification_id: Option<String>, kept: bool) {
        let endpoint = self.offer.metadata.notification_endpoint.as_ref();
        let (Some(notification_id), Some(at)) = (notification_id, endpoint) else {
            return;
        };
        let notification = NotificationRequest {
            notification_id,
            event: if kept {
                NotificationEvent::CredentialAccepted
            } else {
                NotificationEvent::CredentialFailure
            },
            event_description: None,
        };
        let body = serde_json::to_vec(&notification).unwrap_or_default();
        let request = Outgoing::post(at.as_str(), JSON, body, MAX_SMALL_ANSWER_BYTES)
            .map(|post| post.bearer(&self.token.access_token));
        drop(peer::send(self.fetcher, request, "notification endpoint").await);
    }
}

async fn token(offer: &Offer, request: &TokenRequest, fetcher: &Fetcher) -> Result<TokenResponse, AcceptError> {
    let hint = offer.grant().and_then(|grant| grant.authorization_server.as_ref());
    let server = offer.metadata.authorization_server(hint)?;
    let at = AuthorizationServerMetadata::url(server);
    let get = Outgoing::get(at.as_str(), server_metadata::METADATA_LIMITS.max_bytes);
    let body = peer::send(fetcher, get, "authorization server's metadata endpoint").await?;
    let metadata = AuthorizationServerMetadata::parse(&body, server)?;
    let endpoint = metadata.token_endpoint_for(PRE_AUTHORIZED_CODE_GRANT)?;
    let post = Outgoing::post(
        endpoint.as_str(),
        peer::FORM,
        request.to_form(),
        TOKEN_RESPONSE_LIMITS.max_bytes,
    );
    let body = peer::send(fetcher, post, "token endpoint").await?;
    Ok(TokenResponse::parse(&body)?)
}

/// What the issuer says about how to show the credential, unless it is too large to keep.
fn stored_metadata(configuration: &CredentialConfiguration) -> CredentialMetadata {
    let metadata = configuration.credential_metadata.clone().unwrap_or_default();
    let size = serde_json::to_vec(&metadata).map_or(usize::MAX, |text| text.len());
    if size > MAX_STORED_METADATA_BYTES {
        CredentialMetadata::default()
    } else {
        metadata
    }
}
