//! The service with an instance of every mechanism, in this process.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::body::to_bytes;
use axum::http::Request;
use axum::http::StatusCode;
use did::Document;
use did::methods;
use keys::Signer as _;
use keys::Timestamp;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use signer::SoftwareKey;
use store::Store;
use store::StoreUrl;
use tower::ServiceExt as _;
use vc_api::BundleAnswer;
use vc_api::BundleError;
use vc_api::Config;
use vc_api::Instance;
use vc_api::InstanceRecord;
use vc_api::Mechanism;
use vc_api::Registry;
use vc_api::SampleAccess;
use vc_api::VcApi;
use vc_api::instance;

/// 2026-11-23T03:00:00Z, the day on which the sample was made.
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);
pub(crate) const ADMIN: &str = "administrative token of this test";
pub(crate) const HOST: &str = "127.0.0.1:8080";
/// The instance of most tests.
pub(crate) const EDDSA: &str = "eddsa-rdfc-2022";

/// What somebody changes, with its name.
pub(crate) type Change = (&'static str, fn(&mut Value));

/// The running service.
pub(crate) struct Service {
    pub(crate) api: VcApi,
    pub(crate) clock: Clock,
    router: Router,
    // Goes with the service.
    _folder: tempfile::TempDir,
}

/// A registry that knows no DID and has no bundle, and in which one DID may be accredited.
struct EmptyRegistry {
    accredited: Option<String>,
}

impl Registry for EmptyRegistry {
    fn document(&self, _: &str) -> Option<Document> {
        None
    }

    fn is_accredited(&self, did: &str) -> bool {
        self.accredited.as_deref() == Some(did)
    }

    fn bundle(&self) -> BundleAnswer<'_> {
        Box::pin(async { Err(BundleError("this registry has none".into())) })
    }
}

/// What an answer says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn expect(self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self.body
    }

    /// The last part of the problem's type.
    pub(crate) fn problem(self) -> (u16, String) {
        let kind = self.body["type"].as_str().unwrap_or_default();
        let name = kind.rsplit(['#', '/']).next().unwrap_or_default().to_owned();
        (self.status.as_u16(), name)
    }
}

/// An instance of a did:key, as the sample has them.
pub(crate) fn instance(name: &str, suite: &str, curve: &str, sample: bool) -> Instance {
    let algorithm = instance::algorithm_of(curve).unwrap();
    let key = SoftwareKey::generate(algorithm, &mut signer::os_rng());
    let record = InstanceRecord {
        name: name.to_owned(),
        did: methods::key::did(key.public_key()),
        verification_method: methods::key::method_id(key.public_key()),
        mechanism: suite.to_owned(),
        curve: curve.to_owned(),
        sample,
    };
    Instance::new(record, Arc::new(key)).unwrap()
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::start_with(SampleAccess::Loopback, false).await
    }

    pub(crate) async fn start_with(sample_access: SampleAccess, accredited: bool) -> Self {
        let instances: Vec<Instance> = instance::sample()
            .map(|(name, mechanism, algorithm)| {
                instance(&name, mechanism.as_str(), instance::curve_of(algorithm), true)
            })
            .chain([instance("own", "eddsa-jcs-2022", "ed25519", false)])
            .collect();
        let first = instances.iter().find(|instance| instance.record().name == EDDSA);
        let did = first.map(|instance| instance.record().did.clone());
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::parse_in("fjall", folder.path()).unwrap();
        let clock = Clock::manual(NOW);
        let config = Config {
            public_url: format!("http://{HOST}"),
            status_url: "https://127.0.0.1:8443".to_owned(),
            store: Store::open(&url).await.unwrap(),
            clock: clock.clone(),
            admin: AdminToken::from_text(ADMIN),
            sample_access,
            registry: Arc::new(EmptyRegistry {
                accredited: did.filter(|_| accredited),
            }),
        };
        let api = VcApi::open(config, instances);
        Self {
            router: api.router(),
            api,
            clock,
            _folder: folder,
        }
    }

    pub(crate) fn did(&self, name: &str) -> String {
        self.api.instance(name).unwrap().record().did.clone()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(post(path, body, &[])).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).header("host", HOST).body(Body::empty()).unwrap())
            .await
    }

    pub(crate) async fn issue(&self, name: &str, credential: Value) -> Answer {
        self.post(
            &format!("/vc-api/{name}/credentials/issue"),
            &json!({"credential": credential}),
        )
        .await
    }

    /// What everybody may see of a new credential: what is derived of a base proof, disclosing `name`.
    pub(crate) async fn issue_and_show(&self, name: &str, credential: Value) -> Value {
        let credential = self.issue(name, credential).await.expect(201);
        let record = self.api.instance(name).unwrap().record().clone();
        if Mechanism::from_name(&record.mechanism).unwrap().is_for_everybody() {
            return credential;
        }
        self.derive(&credential, &["/credentialSubject/name"]).await.expect(201)
    }

    pub(crate) async fn derive(&self, credential: &Value, pointers: &[&str]) -> Answer {
        let body = json!({"verifiableCredential": credential, "options": {"selectivePointers": pointers}});
        self.post("/vc-api/verifier/credentials/derive", &body).await
    }

    pub(crate) async fn verify(&self, credential: &Value) -> Answer {
        self.verify_with(credential, json!({"checks": ["proof"]})).await
    }

    pub(crate) async fn verify_with(&self, credential: &Value, options: Value) -> Answer {
        let body = json!({"verifiableCredential": credential, "options": options});
        self.post("/vc-api/verifier/credentials/verify", &body).await
    }
}

pub(crate) fn post(path: &str, body: &Value, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::post(path).header("content-type", "application/json");
    if !headers.iter().any(|(name, _)| *name == "host") {
        request = request.header("host", HOST);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_string())).unwrap()
}

/// A credential document without an issuer: the instance puts its own in.
pub(crate) fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject", "name": "Alice"},
    })
}
