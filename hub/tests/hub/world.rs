//! A hub with a source, two consumers and a person, and the requests that they make.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use did::Did;
use did::DidUrl;
use did::Purpose;
use hub::AgencyDirectory;
use hub::Answer;
use hub::Config;
use hub::Evidence;
use hub::Hub;
use hub::Parts;
use hub::StartError;
use hub::protocol::commitment::OpenCommitment;
use hub::protocol::consent::ConsentTerms;
use hub::protocol::field::FieldSet;
use hub::protocol::statement::Signing;
use hub::protocol::statement::StatementKind;
use hub::protocol::statement::sign;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::Signer;
use keys::SignerError;
use keys::Timestamp;
use openid4vc::oauth::client_assertion;
use openid4vc::oauth::client_assertion::ASSERTION_TYPE;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::fetch::Reach;
use signer::SoftwareKey;
use store::Store;
use store::StoreUrl;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

pub(crate) const HUB: &str = "https://attestry.example/hub";
pub(crate) const PURPOSE: &str = "To open an account";
pub(crate) const ADMIN: &str = "the administrative token";
pub(crate) const SUBJECT: &str = "X0000001A";

/// An agency or a person, with a key.
pub(crate) struct Party {
    pub(crate) did: String,
    pub(crate) key_id: DidUrl,
    pub(crate) key: SoftwareKey,
}

impl Party {
    fn agency(name: &str) -> Self {
        let did = format!("did:web:{name}.example");
        Self {
            key_id: DidUrl::parse(&format!("{did}#key-1")).unwrap(),
            key: SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng()),
            did,
        }
    }

    pub(crate) fn person() -> Self {
        let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        let key_id = DidUrl::parse(&did::methods::key::method_id(key.public_key())).unwrap();
        Self {
            did: key_id.did().to_string(),
            key_id,
            key,
        }
    }

    pub(crate) fn did(&self) -> Did {
        Did::parse(&self.did).unwrap()
    }
}

/// Who is what. Tests take things away.
#[derive(Default)]
pub(crate) struct Directory {
    /// By DID URL and verification relationship.
    pub(crate) keys: Mutex<BTreeMap<(String, Purpose), PublicKey>>,
    pub(crate) sources: Mutex<BTreeSet<String>>,
    pub(crate) consumers: Mutex<BTreeSet<String>>,
    /// Subject and the key that the source bound to it.
    pub(crate) subjects: Mutex<Vec<(String, PublicKey)>>,
}

impl AgencyDirectory for Directory {
    fn key<'a>(&'a self, key_id: &'a DidUrl, purpose: Purpose) -> Answer<'a, Option<PublicKey>> {
        let key = self.keys.lock().unwrap().get(&(key_id.to_string(), purpose)).cloned();
        Box::pin(async { Ok(key) })
    }

    fn may_publish<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool> {
        let may = self.sources.lock().unwrap().contains(agency.as_str());
        Box::pin(async move { Ok(may) })
    }

    fn may_consume<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool> {
        let may = self.consumers.lock().unwrap().contains(agency.as_str());
        Box::pin(async move { Ok(may) })
    }

    fn is_subjects_key<'a>(
        &'a self,
        _source: &'a Did,
        subject: &'a OpenCommitment,
        key: &'a PublicKey,
    ) -> Answer<'a, bool> {
        let subjects = self.subjects.lock().unwrap();
        let is = subjects
            .iter()
            .any(|(id, known)| subject.is_subject(id) && known == key);
        Box::pin(async move { Ok(is) })
    }
}

/// A key that can be unplugged.
pub(crate) struct Unpluggable {
    key: SoftwareKey,
    pub(crate) is_unplugged: AtomicBool,
}

impl Signer for Unpluggable {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        if self.is_unplugged.load(Ordering::SeqCst) {
            return Err(SignerError::Unavailable("unplugged".into()));
        }
        self.key.sign(message)
    }
}

/// What the source got.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A register behind HTTP.
#[derive(Clone, Default)]
pub(crate) struct Source {
    pub(crate) received: Arc<Mutex<Vec<Received>>>,
}

impl Source {
    pub(crate) fn calls(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> Received {
        self.received.lock().unwrap().last().unwrap().clone()
    }

    async fn serve(&self) -> SocketAddr {
        let router = Router::new()
            .route("/v1/persons/{id}", get(person).delete(person))
            .route("/v1/persons/{id}/notes", post(person))
            .with_state(self.clone());
        serve(router).await.0
    }
}

async fn person(State(source): State<Source>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let headers = parts.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    source.received.lock().unwrap().push(Received {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        headers: headers.collect(),
        body: body.to_vec(),
    });
    if parts.uri.query().is_some_and(|query| query.contains("lang=slow")) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    match id.as_str() {
        "unknown" => StatusCode::NOT_FOUND.into_response(),
        "broken" => (StatusCode::INTERNAL_SERVER_ERROR, "a stack trace with X0000001A in it").into_response(),
        "html" => axum::response::Html("<p>hello</p>").into_response(),
        "large" => axum::Json(json!({"given_name": "x".repeat(70_000)})).into_response(),
        "slow" => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            StatusCode::OK.into_response()
        }
        _ => axum::Json(json!({
            "subject_id": id, "given_name": "Maya", "family_name": "Temasuka-Lakshmore", "birthdate": "1990-05-17", "secret": "no"
        }))
        .into_response(),
    }
}

/// An answer of the hub.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }

    /// The kind of a problem: the last part of its type.
    pub(crate) fn problem(&self) -> String {
        let problem = self.json();
        let kind = problem["type"]
            .as_str()
            .unwrap_or_else(|| panic!("no problem: {problem}"));
        kind.rsplit('/').next().unwrap().to_owned()
    }
}

pub(crate) struct World {
    pub(crate) hub: Hub,
    pub(crate) address: SocketAddr,
    server: JoinHandle<()>,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) directory: Arc<Directory>,
    pub(crate) evidence_key: Arc<Unpluggable>,
    pub(crate) token_key: Arc<SoftwareKey>,
    pub(crate) source: Source,
    pub(crate) upstream: String,
    pub(crate) population: Party,
    pub(crate) bank: Party,
    pub(crate) shop: Party,
    pub(crate) maya: Party,
    folder: tempfile::TempDir,
}

impl World {
    /// A hub on which nothing is published.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::default();
        let upstream = format!("http://{}/v1", source.serve().await);
        let (population, bank, shop) = (
            Party::agency("population"),
            Party::agency("bank"),
            Party::agency("shop"),
        );
        let maya = Party::person();
        let directory = Arc::new(Directory::default());
        for agency in [&population, &bank, &shop] {
            for purpose in [Purpose::AssertionMethod, Purpose::Authentication] {
                let id = (agency.key_id.to_string(), purpose);
                directory
                    .keys
                    .lock()
                    .unwrap()
                    .insert(id, agency.key.public_key().clone());
            }
        }
        directory.sources.lock().unwrap().insert(population.did.clone());
        directory
            .consumers
            .lock()
            .unwrap()
            .extend([bank.did.clone(), shop.did.clone()]);
        let bound = (SUBJECT.to_owned(), maya.key.public_key().clone());
        directory.subjects.lock().unwrap().push(bound);
        let evidence_key = Arc::new(Unpluggable {
            key: SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()),
            is_unplugged: AtomicBool::new(false),
        });
        let token_key = Arc::new(SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()));
        let clock = Clock::manual(Timestamp::from_unix(1_795_000_000));
        let store = Store::open(&StoreUrl::parse_in("fjall", folder.path()).unwrap())
            .await
            .unwrap();
        let (hub, address, server) = start(&store, &directory, &token_key, &evidence_key, &clock).await;
        Self {
            hub,
            address,
            server,
            clock,
            store,
            directory,
            evidence_key,
            token_key,
            source,
            upstream,
            population,
            bank,
            shop,
            maya,
            folder,
        }
    }

    /// Stops the hub and starts it on what its folder holds.
    pub(crate) async fn restart(&mut self) {
        self.server.abort();
        self.store.close().await;
        let url = StoreUrl::parse_in("fjall", self.folder.path()).unwrap();
        self.store = Store::open(&url).await.unwrap();
        let (hub, address, server) = start(
            &self.store,
            &self.directory,
            &self.token_key,
            &self.evidence_key,
            &self.clock,
        )
        .await;
        (self.hub, self.address, self.server) = (hub, address, server);
    }

    /// A second hub on the same store.
    pub(crate) async fn try_start_again(&self) -> Result<Hub, StartError> {
        let parts = parts(
            &self.store,
            &self.directory,
            &self.token_key,
            &self.evidence_key,
            &self.clock,
        );
        Hub::start(parts).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A statement of a party, good for a minute.
    pub(crate) fn statement(&self, by: &Party, kind: StatementKind, content: &Value) -> String {
        self.statement_until(by, kind, content, self.now().plus(60))
    }

    pub(crate) fn statement_until(&self, by: &Party, kind: StatementKind, content: &Value, end: Timestamp) -> String {
        let signing = Signing {
            key_id: &by.key_id,
            algorithm: Algorithm::Es256,
            hub: HUB,
            now: self.now(),
            expires_at: end,
        };
        by.key
            .fulfil(sign(kind, content, signing, &mut signer::os_rng()))
            .unwrap()
    }

    pub(crate) async fn post_statement(&self, path: &str, statement: &str) -> Reply {
        self.send(
            "POST",
            path,
            &[("content-type", "application/jwt")],
            statement.as_bytes(),
        )
        .await
    }

    pub(crate) fn publication(&self) -> Value {
        json!({
            "api": "population", "version": "v1", "upstream": self.upstream, "scopes": ["population.read"],
            "fields": ["subject_id", "given_name", "family_name", "birthdate"],
            "consent": "required", "subject": {"in": "path", "name": "id"}, "fields_parameter": "fields",
            "openapi": {
                "openapi": "3.1.0", "info": {"title": "Population register", "version": "1"},
                "servers": [{"url": "https://population.example/v1"}],
                "paths": {
                    "/persons/{id}": {
                        "get": {"parameters": [
                            {"name": "fields", "in": "query"}, {"name": "lang", "in": "query"},
                            {"name": "Request-Id", "in": "header"}
                        ]}
                    },
                    "/persons/{id}/notes": {"post": {}}
                }
            }
        })
    }

    /// Publishes the register.
    pub(crate) async fn publish(&self) {
        let statement = self.statement(&self.population, StatementKind::Publication, &self.publication());
        let reply = self.post_statement("/hub/catalogue", &statement).await;
        assert_eq!(reply.status, 201, "{:?}", reply.json());
    }

    pub(crate) fn application(&self) -> Value {
        json!({
            "api": "population", "version": "v1", "purpose": PURPOSE, "legal_basis": {"basis": "consent"},
            "fields": ["given_name", "family_name"], "valid_until": self.now().plus(86_400)
        })
    }

    /// Applies and returns the grant's id.
    pub(crate) async fn apply(&self, by: &Party, application: &Value) -> String {
        let statement = self.statement(by, StatementKind::Application, application);
        let reply = self.post_statement("/hub/applications", &statement).await;
        assert_eq!(reply.status, 201, "{:?}", reply.json());
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn decide(&self, grant: &str, by: &Party, verdict: &Value) -> Reply {
        let content = json!({"grant": grant, "verdict": verdict});
        let statement = self.statement(by, StatementKind::Decision, &content);
        self.post_statement(&format!("/hub/applications/{grant}/decision"), &statement)
            .await
    }

    pub(crate) fn approval(&self) -> Value {
        json!({"approve": {"fields": ["given_name", "family_name"], "valid_until": self.now().plus(86_400)}})
    }

    /// Applies, is approved, and returns the grant's id.
    pub(crate) async fn grant(&self, by: &Party, application: &Value) -> String {
        let grant = self.apply(by, application).await;
        let reply = self.decide(&grant, &self.population, &self.approval()).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        grant
    }

    pub(crate) fn consent_terms(&self) -> ConsentTerms {
        ConsentTerms {
            consumer: self.bank.did(),
            source: self.population.did(),
            api: hub::protocol::id::ApiId::parse("population").unwrap(),
            purpose: PURPOSE.to_owned(),
            fields: FieldSet::parse_list("given_name,birthdate").unwrap(),
            subject: OpenCommitment::to_subject(SUBJECT, &mut signer::os_rng()),
        }
    }

    /// The person signs for an hour, the consumer hands it in.
    pub(crate) async fn register(&self, terms: &ConsentTerms, by: &Party, person: &Party) -> Reply {
        let end = self.now().plus(3_600);
        let consent = self.statement_until(person, StatementKind::Consent, &json!(terms), end);
        self.register_text(&consent, by).await
    }

    pub(crate) async fn register_text(&self, consent: &str, by: &Party) -> Reply {
        let kind = StatementKind::ConsentRegistration;
        let statement = self.statement(by, kind, &json!({"consent": consent}));
        self.post_statement("/hub/consents", &statement).await
    }

    /// A consent of Maya for the bank; returns its id.
    pub(crate) async fn consent(&self, terms: &ConsentTerms) -> String {
        let reply = self.register(terms, &self.bank, &self.maya).await;
        assert_eq!(reply.status, 201, "{:?}", reply.json());
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn assertion(&self, by: &Party) -> String {
        let kid = by.key_id.to_string();
        let rng = &mut signer::os_rng();
        let request = client_assertion::sign(&by.did, HUB, Some(&kid), Algorithm::Es256, self.now(), rng);
        by.key.fulfil(request).unwrap()
    }

    pub(crate) async fn post_token(&self, assertion: &str, scope: &str) -> Reply {
        let form = openid4vc::form::encode([
            ("grant_type", "client_credentials"),
            ("scope", scope),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion),
        ]);
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/hub/token", &headers, form.as_bytes()).await
    }

    /// An access token.
    pub(crate) async fn token(&self, by: &Party, scope: &str) -> String {
        let reply = self.post_token(&self.assertion(by), scope).await;
        assert_eq!(reply.status, 200, "{:?}", reply.json());
        reply.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// A call of the register's API.
    pub(crate) async fn call(&self, method: &str, target: &str, token: &str, headers: &[(&str, &str)]) -> Reply {
        self.call_with_body(method, target, token, headers, b"").await
    }

    pub(crate) async fn call_with_body(
        &self,
        method: &str,
        target: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let authorization = format!("Bearer {token}");
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.send(method, &format!("/hub/api/population/v1{target}"), &all, body)
            .await
    }

    /// What the hub shows to a reader.
    pub(crate) async fn read(&self, by: &Party, path: &str) -> Reply {
        let token = self.token(by, "hub.read").await;
        self.read_with(&token, path).await
    }

    pub(crate) async fn read_with(&self, token: &str, path: &str) -> Reply {
        let authorization = format!("Bearer {token}");
        self.send("GET", path, &[("authorization", &authorization)], b"").await
    }

    /// The evidence of an answered call.
    pub(crate) async fn evidence(&self, by: &Party, reply: &Reply) -> Evidence {
        let id = reply
            .headers
            .get("hub-evidence")
            .unwrap_or_else(|| panic!("no evidence: {reply:?}"));
        let shown = self.read(by, &format!("/hub/evidence/{id}")).await;
        assert_eq!(shown.status, 200, "{:?}", shown.json());
        serde_json::from_value(shown.json()).unwrap()
    }

    /// The newest record, as the operator sees it.
    pub(crate) async fn newest_record(&self) -> Value {
        let shown = self.read_with(ADMIN, "/hub/evidence").await.json();
        shown["records"].as_array().unwrap().last().unwrap().clone()
    }

    /// Another process on the same store, as far as the store can tell.
    pub(crate) async fn address_of_another(&self) -> SocketAddr {
        serve(hub::router(self.try_start_again().await.unwrap())).await.0
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        send(self.address, method, path, headers, body).await
    }
}

/// One request on a connection of its own, its path exactly as given.
pub(crate) async fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let length = body.len().to_string();
    let own = [
        ("host", "attestry.example"),
        ("connection", "close"),
        ("content-length", &length),
    ];
    let lines = own
        .iter()
        .chain(headers)
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    let request = format!("{method} {path} HTTP/1.1\r\n{}\r\n", lines.collect::<String>());
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // A server that refuses a body early may close before it is sent.
    stream.write_all(body).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    parse(&answer)
}

/// A world in which the bank may call with the returned token under the returned consent.
pub(crate) async fn ready() -> (World, String) {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let consent = world.consent(&world.consent_terms()).await;
    let scope = format!("population.read grant:{grant} consent:{consent}");
    let token = world.token(&world.bank, &scope).await;
    (world, token)
}

async fn start(
    store: &Store,
    directory: &Arc<Directory>,
    token_key: &Arc<SoftwareKey>,
    evidence_key: &Arc<Unpluggable>,
    clock: &Clock,
) -> (Hub, SocketAddr, JoinHandle<()>) {
    let hub = Hub::start(parts(store, directory, token_key, evidence_key, clock))
        .await
        .unwrap();
    let (address, server) = serve(hub::router(hub.clone())).await;
    (hub, address, server)
}

fn parts(
    store: &Store,
    directory: &Arc<Directory>,
    token_key: &Arc<SoftwareKey>,
    evidence_key: &Arc<Unpluggable>,
    clock: &Clock,
) -> Parts {
    let mut config = Config::new("https://attestry.example", "attestry.example/hub/evidence").unwrap();
    config.reach = Reach::LoopbackToo;
    config.source_timeout = Duration::from_millis(500);
    config.max_body_bytes = 64 * 1024;
    Parts {
        config,
        store: store.clone(),
        directory: directory.clone(),
        token_key: token_key.clone(),
        evidence_key: evidence_key.clone(),
        clock: clock.clone(),
        admin: AdminToken::from_text(ADMIN),
    }
}

async fn serve(router: Router) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}

fn parse(answer: &[u8]) -> Reply {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("an HTTP answer");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    Reply {
        status,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: answer[end + 4..].to_vec(),
    }
}
