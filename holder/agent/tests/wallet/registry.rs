//! The registry of the platform: logs of did:webvh by their SCID, and one log in which officers keep documents of did:web.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use axum::Router;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use serde_json::Value;
use signer::SoftwareKey;
use trust::Anchor;
use trust::bundle::Subjects;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::entry::Authority;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Draft;
use trust::entry::EntryType;
use trust::entry::Officer;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Reason;
use trust::entry::TombstoneBody;
use trust::merkle;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::proof::TlogProof;
use trust::state::Projecting;
use trust::state::SnapshotTimes;

use crate::NOW;
use crate::platform::Platform;

const ORIGIN: &str = "registry.example";
const AUTHORITY: &str = "governance";
const OFFICERS: [(&str, u8); 2] = [("officer-1", 1), ("officer-2", 2)];
const FOUNDED: Timestamp = NOW.minus(3_600);
/// How long a Snapshot is good for.
const GOOD_FOR: i64 = 86_400;

/// What the platform serves, with every key in one hand.
pub(crate) struct Registry {
    /// DID logs by SCID.
    pub(crate) logs: BTreeMap<String, String>,
    /// What is served as extracts in the place of genuine ones.
    pub(crate) forged: Option<Vec<u8>>,
    state: trust::state::State,
    leaves: Vec<Vec<u8>>,
}

fn key(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
}

fn log() -> VerifierKey {
    VerifierKey::new(ORIGIN, SignatureType::Ed25519, key(100).public_key().clone()).unwrap()
}

fn witness() -> VerifierKey {
    let key = key(101).public_key().clone();
    VerifierKey::new("witness.example", SignatureType::Cosignature, key).unwrap()
}

fn policy() -> PolicyBody {
    let officers = OFFICERS.map(|(id, number)| Officer {
        id: id.to_owned(),
        key: key(number).public_key().clone(),
        next: None,
    });
    PolicyBody {
        kind: PolicyKind::Regular,
        authorities: vec![Authority {
            id: AUTHORITY.to_owned(),
            threshold: 2,
            officers: officers.into(),
            scope: None,
        }],
        witness_policy: format!("log {}\nwitness state {}\nquorum state\n", log(), witness()),
        state_quorum: "state".to_owned(),
        methods: vec!["web".to_owned()],
        algorithms: vec![Algorithm::EdDsa],
        recovery: None,
        genesis_time: Some(FOUNDED),
        publication: None,
    }
}

fn approved(draft: &Draft) -> Vec<u8> {
    let signatures = OFFICERS.map(|(id, number)| key(number).fulfil(draft.sign(id, Algorithm::EdDsa)).unwrap());
    draft.assemble(signatures.into()).unwrap()
}

impl Registry {
    pub(crate) fn new() -> Self {
        let genesis = approved(&Draft::genesis(ORIGIN, policy()));
        let mut registry = Self {
            logs: BTreeMap::new(),
            forged: None,
            state: trust::state::State::new(Anchor::of_genesis(&genesis).unwrap()),
            leaves: Vec::new(),
        };
        registry.append(genesis);
        registry.snapshot(FOUNDED);
        registry
    }

    fn append(&mut self, leaf: Vec<u8>) {
        self.state.apply(self.state.size(), &leaf).unwrap();
        self.leaves.push(leaf);
    }

    fn snapshot(&mut self, time: Timestamp) {
        let times = SnapshotTimes {
            time,
            next_update: time.plus(60),
            hard_expiry: time.plus(GOOD_FOR),
        };
        let leaf = self.state.snapshot(times, Projecting::IfDue).unwrap();
        self.append(leaf);
    }

    /// The officers log a document, and a Snapshot follows.
    pub(crate) fn log(&mut self, did: &str, document: &Value) {
        let document = document.to_string().into_bytes();
        self.govern(did, Body::DidEvent(DidEventBody::Web { document }));
    }

    /// The officers end a DID, and a Snapshot follows.
    pub(crate) fn end(&mut self, did: &str) {
        let (target, reason) = (EntryType::DidEvent, Reason::CeasedOperation);
        self.govern(did, Body::Tombstone(TombstoneBody { target, reason }));
    }

    fn govern(&mut self, subject: &str, body: Body) {
        let expiry = self.state.time().plus(GOOD_FOR);
        let draft = self.state.draft(AUTHORITY, subject, body, expiry);
        self.append(approved(&draft));
        self.snapshot(self.state.time().plus(1));
    }

    pub(crate) const fn anchor(&self) -> &Anchor {
        self.state.anchor()
    }

    /// When its newest Snapshot is good for nothing any more.
    pub(crate) fn hard_expiry(&self) -> Timestamp {
        self.state.time().plus(GOOD_FOR)
    }

    fn extract(&self, did: String) -> Option<Vec<u8>> {
        if let Some(forged) = &self.forged {
            return Some(forged.clone());
        }
        let _known = self.state.did(&did)?;
        let hashes: Vec<Hash> = self.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        let size = self.state.size();
        let checkpoint = Checkpoint::new(ORIGIN, size, merkle::root(&hashes)).unwrap();
        let mut checkpoint = key(100)
            .fulfil(SignedCheckpoint::sign(checkpoint, &log()).unwrap())
            .unwrap();
        let cosignature = cosignature::cosign(&checkpoint, self.state.time(), &witness()).unwrap();
        checkpoint.add(key(101).fulfil(cosignature).unwrap());
        let proof = TlogProof::new(size - 1, merkle::inclusion_proof_of(&hashes, size - 1), checkpoint);
        let subjects = Subjects {
            entities: BTreeSet::from([did]),
            ..Subjects::default()
        };
        let snapshot = self.leaves.last().unwrap();
        Some(trust::bundle::export_extract(&self.state, snapshot, &proof, &subjects, |_| None).unwrap())
    }
}

impl Platform {
    pub(crate) fn registry<T>(&self, then: impl FnOnce(&mut Registry) -> T) -> T {
        then(&mut self.0.registry.lock().unwrap())
    }
}

pub(crate) fn router() -> Router<Platform> {
    Router::new()
        .route("/registry/dids/{scid}/did.jsonl", get(did_log))
        .route("/registry/anchor", get(anchor))
        .route("/registry/extract", get(extract))
}

async fn did_log(State(platform): State<Platform>, Path(scid): Path<String>) -> Result<String, StatusCode> {
    let log = platform.registry(|registry| registry.logs.get(&scid).cloned());
    log.ok_or(StatusCode::NOT_FOUND)
}

async fn anchor(State(platform): State<Platform>) -> String {
    platform.registry(|registry| registry.anchor().to_string())
}

async fn extract(
    State(platform): State<Platform>,
    Query(mut query): Query<BTreeMap<String, String>>,
) -> Result<Vec<u8>, StatusCode> {
    let did = query.remove("issuer").ok_or(StatusCode::BAD_REQUEST)?;
    let extract = platform.registry(|registry| registry.extract(did));
    extract.ok_or(StatusCode::NOT_FOUND)
}
