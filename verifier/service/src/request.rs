//! Asking: a session, and the request object that a wallet fetches.

use credential::data_integrity::Cryptosuite;
use keys::Algorithm;
use keys::SignerError;
use keys::Timestamp;
use openid4vc::Secret;
use openid4vc::SecureUrl;
use openid4vc::dcql::DcqlQuery;
use openid4vc::url::UrlError;
use openid4vc::vp::RequestError;
use openid4vc::vp::Session;
use openid4vc::vp::invocation::RequestReference;
use openid4vc::vp::invocation::RequestUriMethod;
use openid4vc::vp::request_object;
use openid4vc::vp::response::ResponseError;
use openid4vc::vp::session::DEFAULT_SESSION_LIFETIME_SECONDS;
use openid4vc::vp::session::SessionError;
use openid4vc::vp::session::SessionTerms;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use store::records::Load as _;
use store::records::RecordError;
use store::records::expire;
use store::records::save;
use thiserror::Error;

use crate::VerifierService;

/// How long a session is remembered after its time: a late wallet is told `expired`, not `unknown`.
const REMEMBERED_SECONDS: i64 = 60 * 60;

/// A request that a wallet can be invoked with.
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) uri: String,
    pub(crate) expires_at: Timestamp,
}

/// No request was made.
#[derive(Debug, Error)]
pub(crate) enum AskError {
    /// The query or client may not be sent.
    #[error("the request cannot be made")]
    Session(#[from] SessionError),
    /// The store failed.
    #[error("the request was not saved")]
    Store(#[from] RecordError),
    /// The public URL makes no endpoint.
    #[error("the public URL makes no endpoint")]
    Url(#[from] UrlError),
}

/// No request object was given out.
#[derive(Debug, Error)]
pub(crate) enum FetchError {
    /// The session is over or was answered.
    #[error("the request is over")]
    Over(#[from] ResponseError),
    /// The request breaks a rule: our fault.
    #[error("the request object cannot be made")]
    Request(#[from] RequestError),
    /// The key did not sign.
    #[error("the request object was not signed")]
    Signer(#[from] SignerError),
    /// The store failed.
    #[error("the session was not read")]
    Store(#[from] RecordError),
    /// No such session.
    #[error("there is no request of this id")]
    Unknown,
}

/// Starts a session and says how to invoke a wallet.
pub(crate) async fn ask(service: &VerifierService, query: DcqlQuery, encrypted: bool) -> Result<Asked, AskError> {
    let config = &service.0.config;
    let now = config.clock.now();
    let mut rng = signer::os_rng();
    // The id is in the request URI and so known to whoever sees the QR code; it opens nothing by itself.
    let id = keys::base64url::encode(
        keys::sha256(Secret::generate(&mut rng).reveal().as_bytes())
            .get(..16)
            .unwrap_or_default(),
    );
    let id = id.replace(['-', '_'], "x");
    let terms = SessionTerms {
        client_id: service.0.client_id.clone(),
        response_uri: endpoint(service, "responses", &id)?,
        encrypted,
        dcql_query: query,
        vp_formats_supported: vp_formats_supported(),
        lifetime: DEFAULT_SESSION_LIFETIME_SECONDS,
    };
    let session = Session::start(terms, now, &mut rng)?;
    let expires_at = session.expires_at().unwrap_or(now);
    let key = session_key(&id);
    let (key, session) = (&key, &session);
    config
        .store
        .transact(|tx| async move {
            save(&tx, key, session)?;
            expire(&tx, key, expires_at.plus(REMEMBERED_SECONDS))
        })
        .await?;
    let reference = RequestReference {
        client_id: service.0.client_id.clone(),
        request_uri: endpoint(service, "requests", &id)?,
        method: RequestUriMethod::Post,
    };
    Ok(Asked {
        id,
        uri: reference.to_uri(),
        expires_at,
    })
}

/// The signed request object of a session, for one wallet.
pub(crate) async fn request_object(
    service: &VerifierService,
    id: &str,
    wallet_nonce: Option<String>,
) -> Result<String, FetchError> {
    let config = &service.0.config;
    let now = config.clock.now();
    let session = session(service, id).await?.ok_or(FetchError::Unknown)?;
    let request = session.request(wallet_nonce, now)?;
    let expires_at = session.expires_at().unwrap_or(now);
    let algorithm = config.signer.public_key().algorithm();
    let signing = request_object::sign(&request, &config.verification_method, algorithm, now, expires_at)?;
    Ok(keys::signing::fulfil(&*config.signer, signing)?)
}

pub(crate) async fn session(service: &VerifierService, id: &str) -> Result<Option<Session>, RecordError> {
    service.0.config.store.snapshot().await?.load(&session_key(id)).await
}

pub(crate) fn session_key(id: &str) -> String {
    format!("session/{id}")
}

fn endpoint(service: &VerifierService, name: &str, id: &str) -> Result<SecureUrl, UrlError> {
    SecureUrl::parse(&format!(
        "{}/verifier/{name}/{id}",
        service.0.config.public_url.as_str().trim_end_matches('/')
    ))
}

/// What the engine checks.
fn vp_formats_supported() -> Map<String, Value> {
    let algorithms = json!(["ES256", "EdDSA", "Ed25519"]);
    let cose = [Algorithm::Es256, Algorithm::EdDsa].map(Algorithm::cose_id);
    let suites: Vec<&str> = Cryptosuite::ALL.into_iter().map(Cryptosuite::as_str).collect();
    Map::from_iter([
        (
            "dc+sd-jwt".to_owned(),
            json!({"sd-jwt_alg_values": algorithms, "kb-jwt_alg_values": algorithms}),
        ),
        ("jwt_vc_json".to_owned(), json!({"alg_values": algorithms})),
        (
            "ldp_vc".to_owned(),
            json!({"proof_type_values": ["DataIntegrityProof"], "cryptosuite_values": suites}),
        ),
        (
            "mso_mdoc".to_owned(),
            json!({"issuerauth_alg_values": cose, "deviceauth_alg_values": cose}),
        ),
    ])
}
