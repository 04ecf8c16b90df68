//! A registry of three officers on a store in a temporary folder, served on loopback.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::Signer;
use keys::SignerError;
use keys::Timestamp;
use keys::base64url;
use registry::Config;
use registry::Genesis;
use registry::OpenError;
use registry::Operators;
use registry::Registry;
use serde_json::Value;
use serde_json::json;
use server::AdminToken;
use server::Clock;
use server::Fetcher;
use server::fetch::Fetched;
use server::fetch::Outgoing;
use server::fetch::Reach;
use signer::SoftwareKey;
use store::Keyspace;
use store::Store;
use store::StoreUrl;
use tempfile::TempDir;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::Authority;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Officer;
use trust::entry::PolicyBody;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::entry::StatusToken;
use trust::entry::TokenFormat;
use trust::merkle::Hash;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;

pub(crate) const LOG_NAME: &str = "registry.attestry.example/log";
pub(crate) const AUTHORITY: &str = "governance";
pub(crate) const OFFICERS: [&str; 3] = ["officer-1", "officer-2", "officer-3"];
pub(crate) const SCHEMA: &str = "PersonIdentity";
pub(crate) const TOKEN: &str = "the administrative token";
pub(crate) const DAY: i64 = 86_400;

/// 2026-11-23T00:00:00Z.
pub(crate) const GENESIS: Timestamp = Timestamp::from_unix(1_795_392_000);

const MAX_ANSWER_BYTES: usize = 8 << 20;

/// A running registry and everything around it.
pub(crate) struct Nation {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) registry: Registry,
    pub(crate) switches: Switches,
    url: String,
    fetcher: Fetcher,
}

/// An agency with a DID of its own.
pub(crate) struct Agency {
    pub(crate) did: String,
    pub(crate) key: SoftwareKey,
    pub(crate) first_line: Vec<u8>,
}

/// How tests reach into the log's and the witness's keys.
#[derive(Clone)]
pub(crate) struct Switches {
    /// While it is false, the witness's key fails.
    pub(crate) witness_works: Arc<AtomicBool>,
    /// Signatures that both keys have made.
    pub(crate) signed: Arc<AtomicU64>,
    /// What happens once, just before the log's key signs.
    pub(crate) before_log_signs: Arc<Mutex<Option<Hook>>>,
}

pub(crate) type Hook = Box<dyn FnOnce() + Send>;

struct Watched {
    key: SoftwareKey,
    works: Arc<AtomicBool>,
    signed: Arc<AtomicU64>,
    before: Arc<Mutex<Option<Hook>>>,
}

impl Switches {
    pub(crate) fn new() -> Self {
        Self {
            witness_works: Arc::new(AtomicBool::new(true)),
            signed: Arc::default(),
            before_log_signs: Arc::default(),
        }
    }
}

impl Signer for Watched {
    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        if !self.works.load(Ordering::SeqCst) {
            return Err(SignerError::Unavailable("the key was unplugged".into()));
        }
        if let Some(hook) = self.before.lock().unwrap().take() {
            hook();
        }
        self.signed.fetch_add(1, Ordering::SeqCst);
        self.key.sign(message)
    }
}

/// Everything about one party's key follows from its number.
pub(crate) fn key(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
}

/// The genesis Policy, 2 of 3 officers.
pub(crate) fn genesis() -> Vec<u8> {
    genesis_with(|_| ())
}

/// The same with a change.
pub(crate) fn genesis_with(change: impl FnOnce(&mut PolicyBody)) -> Vec<u8> {
    let officer = |(id, number): (&&str, u8)| Officer {
        id: (*id).to_owned(),
        key: key(number).public_key().clone(),
        next: None,
    };
    let authority = Authority {
        id: AUTHORITY.to_owned(),
        threshold: 2,
        officers: OFFICERS.iter().zip(1..).map(officer).collect(),
        scope: None,
    };
    let (log, witness) = (key(100), key(110));
    let genesis = Genesis {
        log_name: LOG_NAME,
        log_key: log.public_key(),
        second_log_key: None,
        witness_key: witness.public_key(),
        authorities: vec![authority],
        recovery: None,
        publication: None,
        time: GENESIS,
    };
    let mut draft = genesis.draft().unwrap();
    let Body::Policy(policy) = &mut draft.body else {
        panic!("a Policy");
    };
    change(policy);
    draft.assemble(vec![sign(&draft, 0), sign(&draft, 1)]).unwrap()
}

/// The signature of an officer, counted from 0.
pub(crate) fn sign(draft: &Draft, officer: u8) -> trust::entry::ApprovalSignature {
    sign_as(draft, OFFICERS[usize::from(officer)], officer + 1)
}

pub(crate) fn sign_as(draft: &Draft, name: &str, number: u8) -> trust::entry::ApprovalSignature {
    key(number).fulfil(draft.sign(name, Algorithm::EdDsa)).unwrap()
}

pub(crate) async fn open_store(folder: &TempDir) -> Store {
    let url = StoreUrl::parse_in("fjall", folder.path()).unwrap();
    Store::open(&url)
        .await
        .unwrap()
        .room(&Keyspace::new("registry/").unwrap())
}

pub(crate) fn config(store: &Store, clock: &Clock, switches: &Switches) -> Config {
    let watched = |number, works: &Arc<AtomicBool>, before: &Arc<Mutex<Option<Hook>>>| -> Arc<dyn Signer> {
        Arc::new(Watched {
            key: key(number),
            works: works.clone(),
            signed: switches.signed.clone(),
            before: before.clone(),
        })
    };
    Config {
        log_name: LOG_NAME.to_owned(),
        public_url: "https://attestry.example".to_owned(),
        store: store.clone(),
        clock: clock.clone(),
        admin: AdminToken::from_text(TOKEN),
        log_key: watched(100, &Arc::new(AtomicBool::new(true)), &switches.before_log_signs),
        second_log_key: None,
        witness_key: watched(110, &switches.witness_works, &Arc::default()),
        publication_key: None,
        fetcher: Fetcher::new(Reach::LoopbackToo).unwrap(),
        genesis: Some(genesis()),
        snapshot_min_age: 60,
        operators: Operators::One,
    }
}

impl Nation {
    pub(crate) async fn new() -> Self {
        Self::at(tempfile::tempdir().unwrap(), Clock::manual(GENESIS))
            .await
            .unwrap()
    }

    /// The registry on the store in a folder that may have been used before.
    pub(crate) async fn at(folder: TempDir, clock: Clock) -> Result<Self, OpenError> {
        Self::founded(folder, clock, genesis()).await
    }

    /// The registry that begins, or began, with this genesis Policy.
    pub(crate) async fn founded(folder: TempDir, clock: Clock, genesis: Vec<u8>) -> Result<Self, OpenError> {
        Self::configured(folder, clock, |config| config.genesis = Some(genesis)).await
    }

    /// The registry with a change of how it is set up.
    pub(crate) async fn configured(
        folder: TempDir,
        clock: Clock,
        change: impl FnOnce(&mut Config),
    ) -> Result<Self, OpenError> {
        let store = open_store(&folder).await;
        let switches = Switches::new();
        let mut config = config(&store, &clock, &switches);
        change(&mut config);
        let registry = match Registry::open(config).await {
            Ok(registry) => registry,
            Err(error) => {
                store.close().await;
                return Err(error);
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = registry.router();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let fetcher = Fetcher::new(Reach::LoopbackToo).unwrap();
        Ok(Self {
            folder,
            clock,
            store,
            registry,
            switches,
            url,
            fetcher,
        })
    }

    /// Stops everything and starts again on the same folder, as after a restart.
    pub(crate) async fn restart(self) -> Result<Self, OpenError> {
        let (folder, clock) = self.stop().await;
        Self::at(folder, clock).await
    }

    pub(crate) async fn stop(self) -> (TempDir, Clock) {
        self.store.close().await;
        (self.folder, self.clock)
    }

    /// An agency whose DID is logged, a schema, and the accreditation to issue it.
    pub(crate) async fn with_issuer() -> (Self, Agency) {
        let nation = Self::new().await;
        let agency = Agency::new("population", 20);
        nation.admit(&agency).await;
        for proposal in [schema_json(), grant_json(&agency)] {
            nation.agree(proposal).await;
        }
        (nation, agency)
    }

    pub(crate) async fn admit(&self, agency: &Agency) -> u64 {
        let leaf = self.did_event(agency);
        self.registry.append(leaf, Vec::new()).await.unwrap().index
    }

    pub(crate) fn did_event(&self, agency: &Agency) -> Vec<u8> {
        self.registry
            .did_event(&agency.did, vec![agency.first_line.clone()], None)
            .unwrap()
    }

    /// Proposes over HTTP and returns the id and what officers sign.
    pub(crate) async fn propose(&self, body: Value) -> (String, Draft) {
        let answer = self.post_admin("/registry/proposals", &body).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
        let answer = json_of(&answer);
        let draft = base64url::decode(answer["draft"].as_str().unwrap()).unwrap();
        (answer["id"].as_str().unwrap().to_owned(), Draft::parse(&draft).unwrap())
    }

    /// Proposes over HTTP, has two of the three officers approve it, and returns the id.
    pub(crate) async fn agree(&self, body: Value) -> String {
        let (id, draft) = self.propose(body).await;
        for officer in [0, 2] {
            assert_eq!(self.approve(&id, &sign(&draft, officer)).await.status, 200);
        }
        id
    }

    pub(crate) async fn approve(&self, id: &str, signature: &trust::entry::ApprovalSignature) -> Fetched {
        let body = json!({"signature": base64url::encode(signature.to_bytes())});
        self.post(
            &format!("/registry/proposals/{id}/approvals"),
            "application/json",
            body.to_string(),
        )
        .await
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn get(&self, path: &str) -> Fetched {
        self.send(Outgoing::get(&format!("{}{path}", self.url), MAX_ANSWER_BYTES).unwrap())
            .await
    }

    pub(crate) async fn get_as(&self, path: &str, accept: &str) -> Fetched {
        let request = Outgoing::get(&format!("{}{path}", self.url), MAX_ANSWER_BYTES).unwrap();
        self.send(request.header("accept", accept)).await
    }

    pub(crate) async fn post(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Fetched {
        self.send(Outgoing::post(&format!("{}{path}", self.url), content_type, body, MAX_ANSWER_BYTES).unwrap())
            .await
    }

    pub(crate) async fn post_admin(&self, path: &str, body: &Value) -> Fetched {
        let url = format!("{}{path}", self.url);
        let request = Outgoing::post(&url, "application/json", body.to_string(), MAX_ANSWER_BYTES).unwrap();
        self.send(request.bearer(TOKEN)).await
    }

    pub(crate) async fn post_leaf_admin(&self, leaf: Vec<u8>) -> Fetched {
        let url = format!("{}/registry/entries", self.url);
        let request = Outgoing::post(&url, "application/cbor", leaf, MAX_ANSWER_BYTES).unwrap();
        self.send(request.bearer(TOKEN)).await
    }

    /// The bundle over HTTP, as a verifier with the anchor loads it.
    pub(crate) async fn bundle(&self) -> TrustedBundle {
        let anchor = Anchor::parse(&self.get("/registry/anchor").await.body).unwrap();
        assert_eq!(anchor, Anchor::of_genesis(&genesis()).unwrap());
        let bytes = self.get("/registry/bundle").await.body;
        TrustedBundle::load(&bytes, &anchor, Limits::default()).unwrap()
    }

    /// A commitment of one list with these indices revoked, and the list's compact form.
    pub(crate) fn commitment(&self, agency: &Agency, epoch: u64, revoked: &[usize]) -> (Vec<u8>, Vec<u8>) {
        let (list, compact) = status_list(agency, epoch, revoked, self.clock.now().plus(DAY));
        (self.commitment_of(agency, list), compact)
    }

    pub(crate) fn commitment_of(&self, agency: &Agency, list: StatusList) -> Vec<u8> {
        let body = Body::StatusCommit(StatusCommitBody {
            lists: vec![list],
            ended: Vec::new(),
        });
        let draft = self.registry.draft(&agency.did, &agency.did, body);
        let request = draft.sign(&format!("{}#key", agency.did), Algorithm::EdDsa);
        draft.assemble(vec![agency.key.fulfil(request).unwrap()]).unwrap()
    }

    async fn send(&self, request: Outgoing) -> Fetched {
        self.fetcher.send(request).await.unwrap()
    }
}

impl Agency {
    /// A did:webvh whose update key is also its assertion key `#key`.
    pub(crate) fn new(name: &str, number: u8) -> Self {
        let key = key(number);
        let did = format!("did:webvh:{{SCID}}:{name}.attestry.example");
        let method = did::document::NewMethod {
            fragment: "key",
            key: key.public_key(),
            purposes: &[did::Purpose::AssertionMethod],
        };
        let mut parameters = did::webvh::ParameterChanges::default();
        parameters.update_keys = Some(vec![key.public_key().to_multikey()]);
        let new = did::webvh::NewLog {
            document: did::document::new_document(&did, &[method]),
            parameters,
            time: GENESIS,
            signer: key.public_key(),
        };
        let creation = did::webvh::create(new).unwrap();
        let did = creation.did.to_string();
        let first_line = key.fulfil(creation.line).unwrap().into_bytes();
        Self { did, key, first_line }
    }

    /// The newest version in the log of its DID.
    pub(crate) fn newest(&self, registry: &Registry) -> did::webvh::LogState {
        let state = registry.state();
        let log = state.did(&self.did).unwrap().webvh().unwrap();
        log.newest().unwrap().clone()
    }

    pub(crate) fn list_uri(&self) -> String {
        format!("https://{}/status/1", self.did.rsplit(':').next().unwrap())
    }
}

/// A list of 1,024 one-bit statuses in which these are set, and its compact form; one encoding after the other.
pub(crate) fn status_list(agency: &Agency, epoch: u64, revoked: &[usize], until: Timestamp) -> (StatusList, Vec<u8>) {
    let mut bytes = vec![0_u8; 128];
    for index in revoked {
        bytes[index / 8] |= 1 << (index % 8);
    }
    let encodings = [StatusEncoding::Zlib, StatusEncoding::GolombRice];
    let encoding = encodings[usize::try_from(epoch % 2).unwrap()];
    let compact = StatusBits::new(1, 1024, bytes).unwrap().to_compact(encoding);
    let list = StatusList {
        uri: agency.list_uri(),
        bits: 1,
        capacity: 1024,
        tokens: vec![StatusToken {
            format: TokenFormat::Jwt,
            digest: Hash::digest(b"token"),
        }],
        encoding,
        compact: compact_digest(encoding, &compact).unwrap(),
        compact_length: u64::try_from(compact.len()).unwrap(),
        next_update: until,
        epoch,
        purpose: None,
    };
    (list, compact)
}

pub(crate) fn schema_json() -> Value {
    json!({
        "type": "schema", "action": "publish", "id": SCHEMA, "vct": "https://attestry.example/types/PersonIdentity",
        "w3c_types": [SCHEMA], "status_required": true,
        "documents": [{
            "role": "json_schema", "uri": "https://attestry.example/types/PersonIdentity/schema.json",
            "media_type": "application/schema+json", "content": "{\"type\": \"object\"}",
        }],
    })
}

pub(crate) fn grant_json(agency: &Agency) -> Value {
    json!({
        "type": "accreditation", "action": "grant", "id": "population-identity", "entity": agency.did, "may": "issue",
        "resources": [SCHEMA], "valid_until": "2027-11-23T00:00:00Z", "max_staleness": 604_800,
    })
}

pub(crate) fn json_of(answer: &Fetched) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// The last part of a problem's type.
pub(crate) fn kind(answer: &Fetched) -> String {
    json_of(answer)["type"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned()
}
