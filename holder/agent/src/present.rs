//! Answering a request
//! ([OpenID4VP 1.0](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html)): read and verify it,
//! propose, and after the person's yes sign and send, or hand over a file.

use credential::data_integrity::Cryptosuite;
use did::Purpose;
use holder::DisclosedClaim;
use holder::Holdings;
use holder::PresentationStep;
use holder::Proposal;
use holder::ProposalError;
use holder::UnsignedPresentation;
use holder::printable;
use keys::Algorithm;
use keys::SignerError;
use keys::Timestamp;
use keys::json::JsonError;
use openid4vc::CredentialFormat;
use openid4vc::SecureUrl;
use openid4vc::form::Form;
use openid4vc::vp::AuthorizationErrorCode;
use openid4vc::vp::Delivery;
use openid4vc::vp::Invocation;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::RequestError;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::VpToken;
use openid4vc::vp::file::FileError;
use openid4vc::vp::file::PresentationFile;
use openid4vc::vp::file::RequestFile;
use openid4vc::vp::invocation::RequestReference;
use openid4vc::vp::request::MAX_REQUEST_BYTES;
use openid4vc::vp::request_object::REQUEST_OBJECT_MEDIA_TYPE;
use openid4vc::vp::response::AuthorizationResponse;
use openid4vc::vp::response::Outgoing as Packed;
use openid4vc::vp::response::PackError;
use openid4vc::vp::response::ResponseReceipt;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;
use trust::Anchor;

use crate::CredentialSummary;
use crate::HistoryEntry;
use crate::KeySource;
use crate::Outcome;
use crate::PeerError;
use crate::ResolveError;
use crate::Wallet;
use crate::WalletError;
use crate::peer;
use crate::resolve::public_key;

/// One URL in JSON.
const MAX_RECEIPT_BYTES: usize = 16 * 1_024;

/// A request that was verified, with the credentials that may answer it.
#[derive(Debug)]
pub struct Prepared {
    request: ReceivedRequest,
    /// The signed request object, which a file carries; unsigned requests have none.
    request_object: Option<String>,
    key_source: Option<KeySource>,
    holdings: Holdings,
}

/// An answer that waits for the person's yes.
#[derive(Debug)]
pub struct Proposed<'a> {
    prepared: &'a Prepared,
    proposal: Proposal<'a>,
}

/// What would be disclosed and to whom, in plain data: what a person is shown. It holds claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Disclosure {
    /// To whom.
    pub verifier: VerifierSummary,
    /// What.
    pub credentials: Vec<CredentialDisclosure>,
    /// What every verifier sees of every credential besides, as the names of registered claims.
    pub always_seen: Vec<&'static str>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifierSummary {
    /// The full client identifier.
    pub client_id: String,
    /// Its DID, if the request is signed.
    pub did: Option<String>,
    /// Who says that the signature is the DID's; `None` for an unsigned request. Whether the verifier may ask
    /// this, nobody has said.
    pub key_source: Option<KeySource>,
    /// Where the answer goes; `None` if it is handed over as a file.
    pub response_uri: Option<SecureUrl>,
}

/// What would be disclosed of one credential.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CredentialDisclosure {
    /// The wallet's id of it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The issuer's DID.
    pub issuer: String,
    /// The issuer's name, as it calls itself.
    pub issuer_name: Option<String>,
    /// Every claim that leaves.
    pub claims: Vec<DisclosedClaim>,
}

/// What the verifier said when it took the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Where the person's browser goes next, as the verifier says.
    pub redirect_uri: Option<String>,
}

/// Nothing was presented, unless a variant says otherwise.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PresentError {
    /// The request is answered by file.
    #[error("expected a request that says where to send the answer, found one that is answered by a file; use --out")]
    AnsweredByFile,
    /// Not a request file.
    #[error("the request file is not read")]
    File(#[from] FileError),
    /// The response was not packed.
    #[error("the response was not made")]
    Pack(#[from] PackError),
    /// The verifier does not answer, or refuses. After an answer was sent it may have read it.
    #[error("the verifier does not take part")]
    Peer(#[from] PeerError),
    /// The wallet cannot answer.
    #[error("nothing is presented")]
    Proposal(#[from] ProposalError),
    /// The verifier took the answer; what it said then is not read.
    #[error("the answer was delivered, but the verifier's receipt is not read")]
    Receipt(#[source] JsonError),
    /// The request is refused: malformed, not signed by its client, expired.
    #[error("the request is refused")]
    Request(#[from] RequestError),
    /// The key of the verifier was not found.
    #[error("the verifier's key is not found")]
    Resolve(#[from] ResolveError),
    /// The wallet's key did not sign.
    #[error("the presentation was not signed")]
    Signer(#[from] SignerError),
    /// An unsigned request in a file would prove nothing to whoever verifies it.
    #[error("expected a signed request for a file, found an unsigned one, which can only be answered directly")]
    UnsignedRequest,
    /// The wallet's folder.
    #[error("the wallet does not answer")]
    Wallet(#[from] WalletError),
}

impl Wallet {
    /// Reads and verifies a request: an `openid4vp://` URI, or the content of a request file.
    ///
    /// # Errors
    /// [`PresentError`].
    pub async fn prepare(&self, request: &str, fetcher: &Fetcher, clock: &Clock) -> Result<Prepared, PresentError> {
        let request = request.trim();
        let (request, request_object, key_source) = if request.starts_with('{') {
            let file = RequestFile::parse(request.as_bytes())?;
            let unverified = UnverifiedRequestObject::parse(file.request(), None)?;
            let signed = Signed::alone(unverified, file.request());
            signed.verify(&self.anchors, fetcher, clock).await?
        } else {
            match Invocation::parse(request)? {
                Invocation::Unsigned(received) => (*received, None, None),
                Invocation::Signed(unverified) => {
                    let signed = Signed::alone(unverified, &inline_request_object(request)?);
                    signed.verify(&self.anchors, fetcher, clock).await?
                }
                Invocation::Reference(reference) => {
                    let signed = fetch(&reference, fetcher).await?;
                    signed.verify(&self.anchors, fetcher, clock).await?
                }
            }
        };
        Ok(Prepared {
            request,
            request_object,
            key_source,
            holdings: Holdings::open(self.records()?)?,
        })
    }
}

/// A signed request object on its way.
struct Signed {
    unverified: UnverifiedRequestObject,
    text: String,
    wallet_nonce: Option<String>,
    /// Where it came from.
    platform: Option<SecureUrl>,
}

impl Signed {
    /// One that was not fetched.
    fn alone(unverified: UnverifiedRequestObject, text: &str) -> Self {
        Self {
            unverified,
            text: text.to_owned(),
            wallet_nonce: None,
            platform: None,
        }
    }

    async fn verify(
        self,
        anchors: &[Anchor],
        fetcher: &Fetcher,
        clock: &Clock,
    ) -> Result<(ReceivedRequest, Option<String>, Option<KeySource>), PresentError> {
        let now = clock.now();
        let (url, platform) = (self.unverified.did_url(), (self.platform.as_ref(), anchors));
        let (key, source) = public_key(url, Purpose::Authentication, platform, fetcher, now).await?;
        let received = self.unverified.verify(&key, self.wallet_nonce.as_deref(), now)?;
        Ok((received, Some(self.text), Some(source)))
    }
}

/// Gets the request object from the `request_uri`.
async fn fetch(reference: &RequestReference, fetcher: &Fetcher) -> Result<Signed, PresentError> {
    let (fetch, awaited) = reference.fetch(&wallet_metadata(), &mut signer::os_rng());
    let url = fetch.url.as_str();
    let request = match fetch.form {
        None => Outgoing::get(url, MAX_REQUEST_BYTES),
        Some(form) => Outgoing::post(url, peer::FORM, form, MAX_REQUEST_BYTES),
    };
    let request = request.map(|request| request.header("accept", REQUEST_OBJECT_MEDIA_TYPE));
    let body = peer::send(fetcher, request, "verifier's request_uri").await?;
    // A JWT is ASCII; anything else is refused when it is parsed.
    let text = String::from_utf8_lossy(&body).trim().to_owned();
    Ok(Signed {
        unverified: awaited.receive(&text)?,
        text,
        wallet_nonce: awaited.wallet_nonce().map(str::to_owned),
        platform: Some(fetch.url),
    })
}

/// What the wallet can do
/// ([OpenID4VP 1.0, section 10](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#pre-reg-wallet-metadata)).
fn wallet_metadata() -> Map<String, Value> {
    let algorithms = json!(["ES256", "EdDSA", "Ed25519"]);
    let formats = json!({
        "dc+sd-jwt": {"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms},
        "jwt_vc_json": {"alg_values": algorithms},
        "ldp_vc": {"proof_type_values": ["DataIntegrityProof"], "cryptosuite_values": Cryptosuite::ALL.map(Cryptosuite::as_str)},
        "mso_mdoc": {"issuerauth_alg_values": cose_algorithms(), "deviceauth_alg_values": cose_algorithms()},
    });
    Map::from_iter([
        ("vp_formats_supported".to_owned(), formats),
        (
            "client_id_prefixes_supported".to_owned(),
            json!(["decentralized_identifier", "redirect_uri"]),
        ),
        ("request_object_signing_alg_values_supported".to_owned(), algorithms),
    ])
}

/// `ES256` and `EdDSA` as COSE has them.
fn cose_algorithms() -> [i64; 2] {
    [Algorithm::Es256, Algorithm::EdDsa].map(Algorithm::cose_id)
}

/// The `request` parameter of a URI that was parsed before.
fn inline_request_object(uri: &str) -> Result<String, RequestError> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let form = Form::parse(query.as_bytes(), MAX_REQUEST_BYTES)?;
    Ok(form.required("request")?.to_owned())
}

impl Prepared {
    /// Who asks.
    #[must_use]
    pub fn verifier(&self) -> VerifierSummary {
        let request = self.request.request();
        VerifierSummary {
            client_id: request.client_id.as_str().to_owned(),
            did: request.client_id.did().map(str::to_owned),
            key_source: self.key_source.clone(),
            response_uri: request.delivery.response_uri().cloned(),
        }
    }

    /// Whether the answer is handed over as a file, so that only [`Proposed::to_file`] gives it.
    #[must_use]
    pub fn is_answered_by_file(&self) -> bool {
        self.request.request().delivery == Delivery::File
    }

    /// What would be presented. `selected` are ids of credentials to use where several fit.
    ///
    /// # Errors
    /// [`ProposalError`] when the wallet cannot answer.
    pub fn propose(&self, selected: &[String], now: Timestamp) -> Result<Proposed<'_>, ProposalError> {
        Ok(Proposed {
            prepared: self,
            proposal: self
                .holdings
                .propose(&self.request, selected, now, &mut signer::os_rng())?,
        })
    }

    /// Tells the verifier that the person declines, and writes it down. A verifier cannot tell this from a
    /// wallet that lacks what is asked for. A request that is answered by file is only written down.
    ///
    /// # Errors
    /// [`PresentError`].
    pub async fn decline(&self, wallet: &Wallet, fetcher: &Fetcher, clock: &Clock) -> Result<(), PresentError> {
        wallet.record(&HistoryEntry::new(&self.request, None, Outcome::Declined, clock.now()))?;
        let refusal = AuthorizationResponse::refusal(AuthorizationErrorCode::AccessDenied);
        match refusal.pack(self.request.request(), &mut signer::os_rng())? {
            Packed::File(_) => Ok(()),
            Packed::Post { url, form } => post(&url, form, fetcher).await.map(drop),
        }
    }
}

impl Proposed<'_> {
    /// What the person is asked to agree to.
    #[must_use]
    pub fn disclosure(&self) -> Disclosure {
        let credential = |proposed: &holder::ProposedCredential<'_>| {
            let record = proposed.record();
            CredentialDisclosure {
                id: record.id.clone(),
                name: proposed.name(&CredentialSummary::LOCALES),
                issuer: record.issuer.clone(),
                issuer_name: record.issuer_name.as_deref().map(printable),
                claims: proposed.disclosed().to_vec(),
            }
        };
        Disclosure {
            verifier: self.prepared.verifier(),
            credentials: self.proposal.credentials().iter().map(credential).collect(),
            always_seen: self.always_seen(),
        }
    }

    fn always_seen(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        for proposed in self.proposal.credentials() {
            for name in holder::envelope(&proposed.record().format) {
                if !names.contains(name) {
                    names.push(*name);
                }
            }
        }
        names
    }

    /// Signs the answer and sends it to the verifier. The person's yes comes before this call.
    ///
    /// The journal has the entry before anything leaves, so that no crash can hide a disclosure.
    ///
    /// # Errors
    /// [`PresentError`].
    pub async fn send(&self, wallet: &Wallet, fetcher: &Fetcher, clock: &Clock) -> Result<Receipt, PresentError> {
        if self.prepared.is_answered_by_file() {
            return Err(PresentError::AnsweredByFile);
        }
        let now = clock.now();
        let response = AuthorizationResponse::Presented(self.sign(wallet, now)?);
        let packed = response.pack(self.prepared.request.request(), &mut signer::os_rng())?;
        let Packed::Post { url, form } = packed else {
            return Err(PresentError::AnsweredByFile);
        };
        let entry = self.entry(Outcome::Sending, now);
        let name = wallet.record(&entry)?;
        let answer = post(&url, form, fetcher).await;
        let outcome = match &answer {
            Ok(_) => Outcome::Delivered,
            Err(PresentError::Peer(PeerError::Refused { .. })) => Outcome::Refused,
            Err(_) => Outcome::Sending,
        };
        wallet.record_outcome(&name, entry, outcome)?;
        let receipt = ResponseReceipt::parse(&answer?).map_err(PresentError::Receipt)?;
        Ok(Receipt {
            redirect_uri: receipt.redirect_uri.as_deref().map(printable),
        })
    }

    /// Signs the answer and returns it as the text of a presentation file, with the request and the extracts that were taken
    /// ([`Wallet::keep_extract`]); nothing is sent and nothing is encrypted. Write it with [`crate::write_private`].
    ///
    /// # Errors
    /// [`PresentError`].
    pub fn to_file(&self, wallet: &Wallet, clock: &Clock) -> Result<String, PresentError> {
        let request_object = self.prepared.request_object.as_ref();
        let request_object = request_object.ok_or(PresentError::UnsignedRequest)?;
        // The device would sign for the address that the request names, and a file is not delivered there.
        let is_mdoc = |one: &holder::ProposedCredential<'_>| one.record().format == CredentialFormat::MsoMdoc;
        if self.proposal.credentials().iter().any(is_mdoc) {
            return Err(ProposalError::NoSession.into());
        }
        let now = clock.now();
        let vp_token = self.sign(wallet, now)?;
        wallet.record(&self.entry(Outcome::File, now))?;
        let mut extracts = Vec::new();
        for proposed in self.proposal.credentials() {
            extracts.extend(wallet.extract(&proposed.record().id)?);
        }
        extracts.dedup();
        let file = PresentationFile::new(request_object.clone(), &vp_token);
        Ok(file.with_trust_extracts(extracts).to_json())
    }

    fn sign(&self, wallet: &Wallet, now: Timestamp) -> Result<VpToken, PresentError> {
        // The person may have taken long to agree.
        if self.prepared.request.expires_at().is_some_and(|end| now >= end) {
            return Err(RequestError::Expired.into());
        }
        let mut signed = Vec::new();
        for unsigned in self.proposal.present(now, &mut signer::os_rng())? {
            let presentation = match unsigned.step {
                PresentationStep::Ready(presentation) => presentation,
                PresentationStep::Sign { holder_key, signing } => {
                    let key = wallet.vault.key(&holder_key).map_err(WalletError::from)?;
                    let key = key.ok_or(WalletError::KeyMissing { name: holder_key })?;
                    key.fulfil(signing)?
                }
            };
            signed.push((unsigned.query_id, presentation));
        }
        Ok(UnsignedPresentation::collect(signed))
    }

    fn entry(&self, outcome: Outcome, at: Timestamp) -> HistoryEntry {
        HistoryEntry::new(&self.prepared.request, Some(&self.proposal), outcome, at)
    }
}

async fn post(url: &SecureUrl, form: String, fetcher: &Fetcher) -> Result<Vec<u8>, PresentError> {
    let request = Outgoing::post(url.as_str(), peer::FORM, form, MAX_RECEIPT_BYTES);
    Ok(peer::send(fetcher, request, "verifier's response_uri").await?)
}
