//! The service at work for one agency, and a wallet of a few lines.

use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use issuer::Agency;
use issuer::AgencySigners;
use issuer::Config;
use issuer::Issuer;
use issuer::agency::AgencyFile;
use keys::Signer as _;
use keys::Timestamp;
use openid4vc::SecureUrl;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::TokenResponse;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::proof;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::Fetcher;
use server::fetch::Fetched;
use server::fetch::Outgoing;
use server::fetch::Reach;
use signer::SoftwareKey;
use store::Store;
use store::StoreUrl;

use crate::registry::Identity;
use crate::registry::Registry;

/// 2026-11-23T03:00:00Z, the day on which the sample was made.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);
/// Somebody of the sample's register.
pub(crate) const PERSON: &str = "X0000001A";

const ADMIN: &str = "administrative token of this test";
const MAX_BYTES: usize = 1 << 20;

/// The running service.
pub(crate) struct Service {
    common: Arc<Common>,
    origin: String,
    public_url: String,
    fetcher: Fetcher,
}

/// What all processes of the service have.
pub(crate) struct Common {
    pub(crate) registry: Arc<Registry>,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    store: Store,
    folder: tempfile::TempDir,
}

impl Deref for Service {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

/// The answer to a credential request.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas")
}

/// The folder of the sample's agency `population`.
pub(crate) fn agency_folder(folder: &Path, did: &str) {
    let file = AgencyFile {
        id: "population".to_owned(),
        name: "Population Agency".to_owned(),
        did: did.to_owned(),
        verification_method: format!("{did}#es256"),
    };
    let types = folder.join("types/PersonIdentity");
    fs::create_dir_all(&types).unwrap();
    fs::create_dir_all(folder.join("mappings")).unwrap();
    fs::write(folder.join("agency.json"), serde_json::to_string(&file).unwrap()).unwrap();
    for (from, to) in [
        ("sample/persons.csv", "persons.csv"),
        ("sample/mappings/PersonIdentity.json", "mappings/PersonIdentity.json"),
        ("types/PersonIdentity/type.json", "types/PersonIdentity/type.json"),
        ("types/PersonIdentity/display.json", "types/PersonIdentity/display.json"),
        (
            "types/PersonIdentity/context.jsonld",
            "types/PersonIdentity/context.jsonld",
        ),
    ] {
        fs::copy(schemas().join(from), folder.join(to)).unwrap();
    }
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// With some change to the agency's folder.
    pub(crate) async fn start_with(change: impl FnOnce(&Path)) -> Self {
        Self::start_as(|folder, _| change(folder)).await
    }

    /// With some change to the agency's folder that depends on who it is.
    pub(crate) async fn start_as(change: impl FnOnce(&Path, &Identity)) -> Self {
        let (registry, identity) = Registry::with_agency();
        let folder = tempfile::tempdir().unwrap();
        let agency = folder.path().join("population");
        agency_folder(&agency, &identity.did);
        change(&agency, &identity);
        let store = StoreUrl::parse_in("fjall", &folder.path().join("store")).unwrap();
        let common = Common {
            registry: Arc::new(registry),
            identity,
            clock: Clock::manual(NOW),
            store: Store::open(&store).await.unwrap(),
            folder,
        };
        Self::run(Arc::new(common), None).await
    }

    /// Another process of the same service on the same store, which calls itself by the same URL.
    pub(crate) async fn another(&self) -> Self {
        Self::run(self.common.clone(), Some(&self.public_url)).await
    }

    /// The same, with another public URL.
    pub(crate) async fn called(&self, public_url: &str) -> Self {
        Self::run(self.common.clone(), Some(public_url)).await
    }

    /// What is under a path here, whatever the public URL is.
    pub(crate) async fn get_here(&self, path: &str) -> Fetched {
        self.get(&format!("{}{path}", self.origin), &[]).await
    }

    async fn run(common: Arc<Common>, public_url: Option<&str>) -> Self {
        let signers = AgencySigners {
            jose: common.identity.es256.clone(),
            data_integrity: common.identity.eddsa.clone(),
            bbs: Some(common.identity.bbs.clone()),
        };
        let agency = Agency::load(&common.folder.path().join("population"), signers).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let public_url = public_url.unwrap_or(&origin).to_owned();
        let issuer = Issuer::open(Config {
            public_url: SecureUrl::parse_identifier(&public_url).unwrap(),
            store: common.store.clone(),
            clock: common.clock.clone(),
            admin: AdminToken::from_text(ADMIN),
            agencies: vec![agency.unwrap()],
            registry: common.registry.clone(),
        })
        .await
        .unwrap();
        let router = issuer.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            common,
            origin,
            public_url,
            fetcher: Fetcher::new(Reach::LoopbackToo).unwrap(),
        }
    }

    pub(crate) fn identifier(&self) -> SecureUrl {
        SecureUrl::parse(&format!("{}/issuers/population", self.origin)).unwrap()
    }

    pub(crate) async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Fetched {
        let request = Outgoing::get(url, MAX_BYTES).unwrap();
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request).await
    }

    pub(crate) async fn metadata(&self) -> Value {
        let path = "/.well-known/openid-credential-issuer/issuers/population";
        json_of(&self.get(&format!("{}{path}", self.origin), &[]).await)
    }

    pub(crate) async fn server_metadata(&self) -> Value {
        let path = "/.well-known/oauth-authorization-server/issuers/population";
        json_of(&self.get(&format!("{}{path}", self.origin), &[]).await)
    }

    async fn send(&self, request: Outgoing) -> Fetched {
        self.fetcher.send(request).await.unwrap()
    }

    async fn post(&self, path: &str, media_type: &str, body: String, token: Option<&str>) -> Fetched {
        let url = format!("{}/{path}", self.identifier());
        let request = Outgoing::post(&url, media_type, body, MAX_BYTES).unwrap();
        self.send(match token {
            Some(token) => request.bearer(token),
            None => request,
        })
        .await
    }

    async fn admin(&self, path: &str, body: &Value) -> Fetched {
        self.post(path, "application/json", body.to_string(), Some(ADMIN)).await
    }

    /// The status of the answer to whoever asks for an offer.
    pub(crate) async fn offer(&self, format: &str) -> u16 {
        self.ask_for_offer(format).await.status
    }

    async fn ask_for_offer(&self, format: &str) -> Fetched {
        let mut terms = json!({"type": "PersonIdentity", "subject": PERSON, "format": format});
        if let Some((format, suite)) = format.split_once('.') {
            terms["format"] = json!(format);
            terms["suite"] = json!(suite);
        }
        self.admin("admin/offers", &terms).await
    }

    /// Offers one credential and asks for it with a proof of each of these keys. After a format may stand a `.` and a
    /// cryptosuite.
    pub(crate) async fn obtain(&self, format: &str, holders: &[(&SoftwareKey, ProofKey)]) -> Answered {
        let offered = self.ask_for_offer(format).await;
        assert_eq!(offered.status, 201, "{}", String::from_utf8_lossy(&offered.body));
        let OfferUri::Value(offer) = OfferUri::parse(json_of(&offered)["offer"].as_str().unwrap()).unwrap() else {
            panic!("an offer by value")
        };
        let form = TokenRequest::for_offer(&offer, None).unwrap().to_form();
        let media_type = "application/x-www-form-urlencoded";
        let token = TokenResponse::parse(&self.post("token", media_type, form, None).await.body).unwrap();
        let nonce = json_of(&self.post("nonce", "application/json", String::new(), None).await);
        let nonce = nonce["c_nonce"].as_str().unwrap();
        let (issuer, now) = (self.identifier(), self.clock.now());
        let proof = |(key, named): &(&SoftwareKey, ProofKey)| {
            let request = proof::sign(named, &issuer, Some(nonce), None, now);
            key.fulfil(request).unwrap()
        };
        let configuration = &offer.credential_configuration_ids[0];
        let request = CredentialRequest::new(&token, configuration, holders.iter().map(proof).collect());
        let body = request.to_json();
        let answer = self
            .post("credential", "application/json", body, Some(&token.access_token))
            .await;
        Answered {
            status: answer.status,
            body: json_of(&answer),
        }
    }

    /// The ids of all credentials, in no order that means anything.
    pub(crate) async fn ids(&self) -> Vec<String> {
        let url = format!("{}/admin/credentials", self.identifier());
        let request = Outgoing::get(&url, MAX_BYTES).unwrap().bearer(ADMIN);
        let listed = json_of(&self.send(request).await);
        let credentials = listed["credentials"].as_array().unwrap();
        credentials
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Asks to "suspend", "reinstate" or "revoke" a credential.
    pub(crate) async fn change(&self, id: &str, change: &str) -> Answered {
        let answer = self
            .admin(&format!("admin/credentials/{id}/{change}"), &json!({}))
            .await;
        Answered {
            status: answer.status,
            body: json_of(&answer),
        }
    }
}

impl Answered {
    /// The credentials of a good answer.
    pub(crate) fn credentials(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.body);
        let credentials = self.body["credentials"].as_array().unwrap();
        credentials.iter().map(|one| one["credential"].clone()).collect()
    }
}

/// The proof names the key by its did:key.
pub(crate) fn by_did_key(key: &SoftwareKey) -> ProofKey {
    ProofKey::DidUrl {
        url: did::methods::key::method_id(key.public_key()),
        key: key.public_key().clone(),
    }
}

pub(crate) fn json_of(answer: &Fetched) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&answer.body)))
}
