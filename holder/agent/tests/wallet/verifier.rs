//! A verifier, made from the verifier's half of `openid4vc`, that can be told to misbehave.

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use axum::routing::post;
use credential::SdJwtVc;
use credential::Transaction;
use credential::Unverified;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::SecureUrl;
use openid4vc::dcql::DcqlQuery;
use openid4vc::oauth::error::ErrorResponse;
use openid4vc::vp::ClientId;
use openid4vc::vp::Session;
use openid4vc::vp::VpToken;
use openid4vc::vp::invocation::RequestReference;
use openid4vc::vp::invocation::RequestUriMethod;
use openid4vc::vp::invocation::RequestUriPost;
use openid4vc::vp::request_object;
use openid4vc::vp::response::ResponseReceipt;
use openid4vc::vp::session::Outcome;
use openid4vc::vp::session::SessionTerms;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::platform::Platform;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Signed by another key than the DID's.
    OtherKey,
    /// The request object of another client.
    OtherClient,
    /// An old request object, made for another fetch.
    NoWalletNonce,
}

pub(crate) struct Verifier {
    pub(crate) key: SoftwareKey,
    pub(crate) did: String,
    pub(crate) key_id: String,
    pub(crate) fault: Fault,
    pub(crate) session: Option<Session>,
    pub(crate) outcome: Option<Outcome>,
}

impl Verifier {
    pub(crate) fn new() -> Self {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        Self {
            did: did::methods::key::did(key.public_key()),
            key_id: did::methods::key::method_id(key.public_key()),
            fault: Fault::None,
            session: None,
            outcome: None,
            key,
        }
    }

    /// From now on its DID is one that the registry resolves.
    pub(crate) fn take_did(&mut self, did: &str) {
        self.did = did.to_owned();
        self.key_id = format!("{did}#key-1");
    }

    /// The signed request object of the session.
    pub(crate) fn request_object(&self, wallet_nonce: Option<String>) -> String {
        let wallet_nonce = wallet_nonce.filter(|_| self.fault != Fault::NoWalletNonce);
        let mut request = self.session.as_ref().unwrap().request(wallet_nonce, NOW).unwrap();
        let mut key_id = self.key_id.clone();
        let other = Self::new();
        if self.fault == Fault::OtherClient {
            request.client_id = ClientId::for_did(&other.did).unwrap();
            key_id.clone_from(&other.key_id);
        }
        let key = if self.fault == Fault::None || self.fault == Fault::NoWalletNonce {
            &self.key
        } else {
            &other.key
        };
        let signing = request_object::sign(&request, &key_id, Algorithm::EdDsa, NOW, NOW.plus(300)).unwrap();
        key.fulfil(signing).unwrap()
    }
}

impl Platform {
    /// Starts a session that asks whether a person is an adult.
    pub(crate) fn ask(&self, encrypted: bool) -> Session {
        let client_id = self.verifier(|verifier| ClientId::for_did(&verifier.did).unwrap());
        self.ask_as(client_id, self.url("/verifier/responses/1"), encrypted)
    }

    pub(crate) fn ask_as(&self, client_id: ClientId, response_uri: SecureUrl, encrypted: bool) -> Session {
        let terms = SessionTerms {
            client_id,
            response_uri,
            encrypted,
            dcql_query: adult(),
            vp_formats_supported: Map::from_iter([("dc+sd-jwt".to_owned(), json!({"kb-jwt_alg_values": ["ES256"]}))]),
            lifetime: 600,
        };
        let session = Session::start(terms, NOW, &mut signer::os_rng()).unwrap();
        self.verifier(|verifier| {
            verifier.session = Some(session.clone());
            verifier.outcome = None;
        });
        session
    }

    /// The URI that a wallet is invoked with.
    pub(crate) fn request_uri(&self, method: RequestUriMethod) -> String {
        let client_id = self.verifier(|verifier| ClientId::for_did(&verifier.did).unwrap());
        RequestReference {
            client_id,
            request_uri: self.url("/verifier/requests/1"),
            method,
        }
        .to_uri()
    }
}

/// The built-in question.
pub(crate) fn adult() -> DcqlQuery {
    DcqlQuery::from_value(&json!({"credentials": [
        {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]},
            "claims": [{"path": ["age_over_18"], "values": [true]}]},
    ]}))
    .unwrap()
}

/// The claims of the only presentation, which must be bound to this request.
pub(crate) fn seen(vp_token: &VpToken, client_id: &str, nonce: &str, issuer: (&str, &PublicKey)) -> Map<String, Value> {
    let presented: Vec<_> = vp_token.iter().collect();
    let [("pid", Value::String(text))] = presented.as_slice() else {
        panic!("expected one presentation, found {}", presented.len())
    };
    let transaction = Transaction {
        audience: client_id,
        nonce,
        now: NOW,
        max_age: 60,
    };
    let (did, key) = issuer;
    let authentic = Unverified::<SdJwtVc>::parse(text)
        .unwrap()
        .authenticate(key, did, NOW)
        .unwrap();
    assert!(authentic.verify_key_binding(&transaction).unwrap().is_proven());
    let bare = text.rsplit_once('~').unwrap().0.to_owned() + "~";
    let read = Unverified::<SdJwtVc>::parse(&bare).unwrap().restore(key, did).unwrap();
    let mut claims = read.claims().clone();
    claims.retain(|name, _| !holder::envelope(&openid4vc::CredentialFormat::SdJwtVc).contains(&name.as_str()));
    claims
}

pub(crate) fn router() -> Router<Platform> {
    Router::new()
        .route("/verifier/requests/1", post(request).get(request))
        .route("/verifier/responses/1", post(response))
}

async fn request(State(platform): State<Platform>, body: Bytes) -> String {
    let post = RequestUriPost::parse(&body).unwrap();
    platform.verifier(|verifier| verifier.request_object(post.wallet_nonce))
}

async fn response(State(platform): State<Platform>, body: Bytes) -> Response {
    platform.verifier(|verifier| match verifier.session.as_ref().unwrap().answer(&body, NOW) {
        Ok((session, outcome)) => {
            verifier.session = Some(session);
            verifier.outcome = Some(outcome);
            let receipt = ResponseReceipt {
                redirect_uri: Some("https://shop.example/thanks".to_owned()),
            };
            Json(receipt).into_response()
        }
        Err(error) => {
            let body = ErrorResponse::new(error.code(), &error);
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    })
}
