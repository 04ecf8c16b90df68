//! One server with the three peers of a wallet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use keys::PublicKey;
use openid4vc::SecureUrl;
use serde_json::Value;
use serde_json::json;
use server::Clock;

use crate::NOW;
use crate::issuer;
use crate::issuer::Issuer;
use crate::verifier;
use crate::verifier::Verifier;

/// A DID whose documents only a registry has.
pub(crate) const WEBVH: &str = "did:webvh:QmTYXE8TR3uLUWWrefCtFCLhdFWDBk7Eyq5DQRmiHFVAEL:agency.localhost%3A1";

/// The running server.
#[derive(Clone)]
pub(crate) struct Platform(pub(crate) Arc<Peers>);

pub(crate) struct Peers {
    pub(crate) origin: String,
    pub(crate) clock: Clock,
    pub(crate) issuer: Mutex<Issuer>,
    pub(crate) verifier: Mutex<Verifier>,
    /// DID documents by DID.
    pub(crate) registry: Mutex<BTreeMap<String, Value>>,
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let platform = Self(Arc::new(Peers {
            clock: Clock::manual(NOW),
            issuer: Mutex::new(Issuer::new(&origin)),
            verifier: Mutex::new(Verifier::new()),
            registry: Mutex::default(),
            origin,
        }));
        let router = Router::new()
            .route("/registry/1.0/identifiers/{did}", get(resolve))
            .merge(issuer::router())
            .merge(verifier::router())
            .with_state(platform.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        platform
    }

    pub(crate) fn url(&self, path: &str) -> SecureUrl {
        SecureUrl::parse(&format!("{}{path}", self.0.origin)).unwrap()
    }

    pub(crate) fn issuer<T>(&self, then: impl FnOnce(&mut Issuer) -> T) -> T {
        then(&mut self.0.issuer.lock().unwrap())
    }

    pub(crate) fn verifier<T>(&self, then: impl FnOnce(&mut Verifier) -> T) -> T {
        then(&mut self.0.verifier.lock().unwrap())
    }

    /// Has the registry answer for `did` with a document of `subject`, whose `#key-1` is `key`.
    pub(crate) fn publish(&self, did: &str, subject: &str, key: &PublicKey) {
        let method = NewMethod {
            fragment: "key-1",
            key,
            purposes: &[Purpose::AssertionMethod, Purpose::Authentication],
        };
        let document = new_document(subject, &[method]);
        self.0.registry.lock().unwrap().insert(did.to_owned(), document);
    }
}

async fn resolve(State(platform): State<Platform>, Path(did): Path<String>) -> (StatusCode, Json<Value>) {
    match platform.0.registry.lock().unwrap().get(&did) {
        Some(document) => (
            StatusCode::OK,
            Json(json!({"didDocument": document, "didDocumentMetadata": {}, "didResolutionMetadata": {}})),
        ),
        None => (StatusCode::NOT_FOUND, Json(json!({"didDocument": null}))),
    }
}
