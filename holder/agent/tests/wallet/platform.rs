//! One server with the three peers of a wallet.

use std::sync::Arc;
use std::sync::Mutex;

use axum::Router;
use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use did::webvh::NewLog;
use did::webvh::ParameterChanges;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::SecureUrl;
use serde_json::Value;
use server::Clock;
use signer::SoftwareKey;

use crate::NOW;
use crate::issuer;
use crate::issuer::Issuer;
use crate::registry;
use crate::registry::Registry;
use crate::verifier;
use crate::verifier::Verifier;

/// The name in the DIDs of this platform's agencies. No such name can ever exist.
pub(crate) const DOMAIN: &str = "agency.invalid%3A1";

/// The running server.
#[derive(Clone)]
pub(crate) struct Platform(pub(crate) Arc<Peers>);

pub(crate) struct Peers {
    pub(crate) origin: String,
    pub(crate) clock: Clock,
    pub(crate) issuer: Mutex<Issuer>,
    pub(crate) verifier: Mutex<Verifier>,
    pub(crate) registry: Mutex<Registry>,
}

/// The document of a DID whose `#key-1` is `key`.
pub(crate) fn document(did: &str, key: &PublicKey) -> Value {
    let method = NewMethod {
        fragment: "key-1",
        key,
        purposes: &[Purpose::AssertionMethod, Purpose::Authentication],
    };
    new_document(did, &[method])
}

impl Platform {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let platform = Self(Arc::new(Peers {
            clock: Clock::manual(NOW),
            issuer: Mutex::new(Issuer::new(&origin)),
            verifier: Mutex::new(Verifier::new()),
            registry: Mutex::new(Registry::new()),
            origin,
        }));
        let router = Router::new()
            .merge(registry::router())
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

    /// A new DID whose `#key-1` is `key`, and its log. Not yet in the registry.
    pub(crate) fn new_did(key: &PublicKey) -> (String, String) {
        let update_key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let mut parameters = ParameterChanges::default();
        parameters.update_keys = Some(vec![update_key.public_key().to_multikey()]);
        let creation = did::webvh::create(NewLog {
            document: document(&format!("did:webvh:{{SCID}}:{DOMAIN}"), key),
            parameters,
            time: NOW.minus(60),
            signer: update_key.public_key(),
        })
        .unwrap();
        let line = update_key.fulfil(creation.line).unwrap();
        (creation.did.to_string(), line + "\n")
    }

    /// Has the registry serve `log` for the SCID of `did`.
    pub(crate) fn publish(&self, did: &str, log: &str) {
        let scid = did.split(':').nth(2).unwrap().to_owned();
        self.registry(|registry| registry.logs.insert(scid, log.to_owned()));
    }
}
