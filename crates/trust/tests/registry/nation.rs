//! A nation of three officers, two witnesses and some agencies, with all keys derived from numbers.

use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::ml_dsa;
use keys::x509::NewListSigner;
use serde_json::json;
use signer::MlDsaKey;
use signer::SoftwareKey;
use trust::Anchor;
use trust::bundle::Subjects;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::cosignature;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Authority;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::DocumentRole;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::Grant;
use trust::entry::Listing;
use trust::entry::Localised;
use trust::entry::Officer;
use trust::entry::OnStale;
use trust::entry::Particulars;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::PostalAddress;
use trust::entry::Publication;
use trust::entry::Resource;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::SchemaDocument;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::entry::StatusToken;
use trust::entry::TokenFormat;
use trust::merkle;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::proof::TlogProof;
use trust::state::Projecting;
use trust::state::Refusal;
use trust::state::SnapshotTimes;
use trust::state::State;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;

pub(crate) const ORIGIN: &str = "registry.attestry.example";
pub(crate) const AUTHORITY: &str = "governance";
pub(crate) const OFFICERS: [&str; 3] = ["officer-1", "officer-2", "officer-3"];
pub(crate) const IDENTITY: &str = "PersonIdentity";
pub(crate) const LICENCE: &str = "DrivingLicence";
pub(crate) const HOUR: i64 = 3_600;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-11-23T00:00:00Z.
pub(crate) const GENESIS: Timestamp = Timestamp::from_unix(1_795_392_000);

/// The registry from the point of view of whoever has all its keys.
pub(crate) struct Nation {
    pub(crate) state: State,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) blobs: Vec<Vec<u8>>,
}

/// An agency with a DID of its own.
pub(crate) struct Agency {
    pub(crate) did: String,
    pub(crate) key: SoftwareKey,
    /// Of its did.jsonl; of a did:web the first did.json.
    pub(crate) first_line: Vec<u8>,
}

/// What a rule expects, and a change that breaks it.
pub(crate) struct Change<T>(pub(crate) &'static str, pub(crate) fn(&mut T));

/// Everything about one party's key follows from its number.
pub(crate) fn key(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
}

pub(crate) fn public(number: u8) -> PublicKey {
    key(number).public_key().clone()
}

pub(crate) fn log_key() -> VerifierKey {
    VerifierKey::new(ORIGIN, SignatureType::Ed25519, public(100)).unwrap()
}

/// The state witness is number 0, the plain one number 1.
pub(crate) fn witness_key(number: u8) -> VerifierKey {
    VerifierKey::new(
        &format!("witness.example/{number}"),
        SignatureType::Cosignature,
        public(110 + number),
    )
    .unwrap()
}

/// As [`key`], of ML-DSA-44.
pub(crate) fn ml_dsa_key(number: u8) -> MlDsaKey {
    MlDsaKey::from_seed(&[number; 32]).unwrap()
}

pub(crate) fn ml_dsa_verifier(name: &str, number: u8) -> VerifierKey {
    let public = ml_dsa::Signer::public_key(&ml_dsa_key(number)).clone();
    VerifierKey::ml_dsa(name, public).unwrap()
}

/// The key with which the log signs again, where the Policy names it.
pub(crate) fn second_log_key() -> VerifierKey {
    ml_dsa_verifier(ORIGIN, 120)
}

/// The tlog-policy that names it, and a plain witness that cosigns with ML-DSA-44.
pub(crate) fn ml_dsa_policy() -> String {
    let plain = ml_dsa_verifier("witness.example/1", 111);
    format!(
        "{}log {}\n",
        witness_policy().replace(&witness_key(1).to_string(), &plain.to_string()),
        second_log_key()
    )
}

pub(crate) fn witness_policy() -> String {
    format!(
        "log {}\nwitness state {}\nwitness plain {}\ngroup both all state plain\nquorum both\n",
        log_key(),
        witness_key(0),
        witness_key(1)
    )
}

/// The genesis Policy: 2 of 3 officers.
pub(crate) fn policy() -> PolicyBody {
    let officer = |(id, number): (&&str, u8)| Officer {
        id: (*id).to_owned(),
        key: public(number),
        next: None,
    };
    PolicyBody {
        kind: PolicyKind::Regular,
        authorities: vec![Authority {
            id: AUTHORITY.to_owned(),
            threshold: 2,
            officers: OFFICERS.iter().zip(1..).map(officer).collect(),
            scope: None,
        }],
        witness_policy: witness_policy(),
        state_quorum: "state".to_owned(),
        methods: ["key", "web", "webvh"].map(str::to_owned).to_vec(),
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        recovery: None,
        genesis_time: Some(GENESIS),
        publication: Some(publication()),
    }
}

/// Under whose name the nation's registry is shown in others' forms; the key has the number 130.
pub(crate) fn publication() -> Publication {
    Publication {
        particulars: particulars("Governance of the Nation"),
        territory: "XA".to_owned(),
        url: format!("https://{ORIGIN}"),
        certificate: certificate(130),
        notices: localised(&["Data of a test."]),
    }
}

/// A certificate of the key of this number.
pub(crate) fn certificate(number: u8) -> Vec<u8> {
    let new = NewListSigner {
        country: "XA",
        organization: "Governance of the Nation",
        common_name: "Trust registry",
        key: &public(number),
        valid_from: GENESIS,
        valid_until: GENESIS.plus(365 * DAY),
    };
    key(number).fulfil(new.issue()).unwrap()
}

pub(crate) fn particulars(name: &str) -> Particulars {
    Particulars {
        names: localised(&[name]),
        trade_names: Vec::new(),
        postal_addresses: vec![PostalAddress {
            language: "en".to_owned(),
            street: "1 Register Square".to_owned(),
            locality: "Sampleton".to_owned(),
            province: None,
            postal_code: "10001".to_owned(),
            country: "XA".to_owned(),
        }],
        electronic_addresses: localised(&["https://agency.example", "mailto:office@agency.example"]),
        information: localised(&["https://agency.example/about"]),
    }
}

pub(crate) fn localised(texts: &[&str]) -> Vec<Localised> {
    let english = |text: &&str| Localised {
        language: "en".to_owned(),
        text: (*text).to_owned(),
    };
    texts.iter().map(english).collect()
}

/// Signatures of these officers (counted from 0) with their current keys.
pub(crate) fn approved(draft: &Draft, officers: &[u8]) -> Vec<u8> {
    let signature = |number: &u8| {
        let request = draft.sign(OFFICERS[usize::from(*number)], Algorithm::EdDsa);
        key(number + 1).fulfil(request).unwrap()
    };
    draft.assemble(officers.iter().map(signature).collect()).unwrap()
}

pub(crate) fn schema(id: &str) -> Schema {
    let context = context_bytes(id);
    Schema {
        vct: format!("https://attestry.example/types/{id}"),
        aliases: vec![format!("urn:attestry:{id}")],
        w3c_types: vec![id.to_owned()],
        doctype: Some(format!("example.attestry.{id}")),
        status_required: true,
        documents: vec![SchemaDocument {
            role: DocumentRole::Context,
            uri: format!("https://attestry.example/contexts/{id}"),
            media_type: "application/ld+json".to_owned(),
            digest: Hash::digest(&context),
            length: u64::try_from(context.len()).unwrap(),
        }],
    }
}

/// A `did.json` with the key of this number as `#key`, for assertions or for nothing. As on many websites, what is
/// in the document is named relative to it.
pub(crate) fn web_document(did: &str, number: u8, asserts: bool) -> Vec<u8> {
    let multikey = public(number).to_multikey();
    let document = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": did,
        "verificationMethod": [
            {"id": "#key", "type": "Multikey", "controller": did, "publicKeyMultibase": multikey}
        ],
        "assertionMethod": if asserts { json!(["#key"]) } else { json!([]) },
    });
    format!("{document:#}\n").into_bytes()
}

fn context_bytes(id: &str) -> Vec<u8> {
    format!("{{\"@context\": {{\"{id}\": \"https://attestry.example/terms#{id}\"}}}}").into_bytes()
}

pub(crate) fn grant(entity: &str, action: Action, resources: &[&str]) -> Grant {
    Grant {
        entity: entity.to_owned(),
        action,
        resources: resources
            .iter()
            .map(|id| Resource {
                id: (*id).to_owned(),
                schemas: Vec::new(),
            })
            .collect(),
        territories: Vec::new(),
        level_of_assurance: None,
        valid_from: GENESIS,
        valid_until: GENESIS.plus(365 * DAY),
        delegation_depth: 0,
        parent: None,
        max_staleness: 7 * 86_400,
        on_stale: OnStale::Refuse,
        backdating: Backdating::Refuse,
        hazard: None,
        listing: Some(Listing {
            particulars: particulars("An Agency"),
            certificates: vec![certificate(131)],
            federation_entity: None,
        }),
    }
}

/// A list of 1,024 one-bit statuses in which these are set, at this epoch, and its compact form.
pub(crate) fn status_list(uri: &str, epoch: u64, revoked: &[usize], next_update: Timestamp) -> (StatusList, Vec<u8>) {
    let mut bytes = vec![0_u8; 128];
    for index in revoked {
        bytes[index / 8] |= 1 << (index % 8);
    }
    let statuses = StatusBits::new(1, 1024, bytes).unwrap();
    committed(uri, &statuses, StatusEncoding::GolombRice, epoch, next_update)
}

/// What is committed to of these statuses, and their compact form.
pub(crate) fn committed(
    uri: &str,
    statuses: &StatusBits,
    encoding: StatusEncoding,
    epoch: u64,
    next_update: Timestamp,
) -> (StatusList, Vec<u8>) {
    let compact = statuses.to_compact(encoding);
    let list = StatusList {
        uri: uri.to_owned(),
        bits: statuses.bits(),
        capacity: statuses.capacity(),
        tokens: vec![StatusToken {
            format: TokenFormat::Jwt,
            digest: Hash::digest(b"token"),
        }],
        encoding,
        compact: compact_digest(encoding, &compact).unwrap(),
        compact_length: u64::try_from(compact.len()).unwrap(),
        next_update,
        epoch,
        purpose: None,
    };
    (list, compact)
}

impl Agency {
    /// A did:webvh whose update key is also its assertion key `#key`.
    pub(crate) fn new(name: &str, number: u8) -> Self {
        Self::webvh(name, number, None)
    }

    /// The same, which may move or may not.
    pub(crate) fn webvh(name: &str, number: u8, portable: Option<bool>) -> Self {
        let key = key(number);
        let multikey = key.public_key().to_multikey();
        let did = format!("did:webvh:{{SCID}}:{name}.attestry.example");
        let mut parameters = did::webvh::ParameterChanges::default();
        parameters.update_keys = Some(vec![multikey.clone()]);
        parameters.portable = portable;
        let new = did::webvh::NewLog {
            document: json!({
                "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
                "id": did,
                "verificationMethod": [{
                    "id": format!("{did}#key"), "type": "Multikey", "controller": did, "publicKeyMultibase": multikey
                }],
                "assertionMethod": [format!("{did}#key")],
            }),
            parameters,
            time: GENESIS,
            signer: key.public_key(),
        };
        let creation = did::webvh::create(new).unwrap();
        let did = creation.did.to_string();
        let first_line = key.fulfil(creation.line).unwrap().into_bytes();
        Self { did, key, first_line }
    }

    /// A did:web whose assertion key is `#key`.
    pub(crate) fn web(name: &str, number: u8) -> Self {
        let did = format!("did:web:{name}.attestry.example");
        let first_line = web_document(&did, number, true);
        let key = key(number);
        Self { did, key, first_line }
    }

    pub(crate) fn method(&self) -> String {
        format!("{}#key", self.did)
    }

    /// The agency's signature, as the only one.
    pub(crate) fn approved(&self, draft: &Draft) -> Vec<u8> {
        let signature = self.key.fulfil(draft.sign(&self.method(), Algorithm::EdDsa)).unwrap();
        draft.assemble(vec![signature]).unwrap()
    }
}

impl Nation {
    /// The genesis Policy and nothing else.
    pub(crate) fn new() -> Self {
        Self::with_policy(policy()).unwrap()
    }

    pub(crate) fn with_policy(policy: PolicyBody) -> Result<Self, Refusal> {
        Self::with_genesis(&approved(&Draft::genesis(ORIGIN, policy), &[0, 1]))
    }

    pub(crate) fn with_genesis(leaf: &[u8]) -> Result<Self, Refusal> {
        let mut nation = Self {
            state: State::new(Anchor::of_genesis(leaf).unwrap()),
            leaves: Vec::new(),
            blobs: Vec::new(),
        };
        nation.append(leaf)?;
        Ok(nation)
    }

    /// Two schemas, an agency that may issue `PersonIdentity` with a status list, and a Snapshot.
    pub(crate) fn with_issuer() -> (Self, Agency) {
        let mut nation = Self::new();
        nation.publish(IDENTITY);
        nation.publish(LICENCE);
        let agency = nation.admit("population", 20);
        nation
            .grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
            .unwrap();
        nation.commit(&agency, 1, &[]).unwrap();
        nation.snapshot(GENESIS.plus(HOUR));
        (nation, agency)
    }

    /// Appends a leaf if the state machine takes it. A refusal must leave the state alone.
    pub(crate) fn append(&mut self, leaf: &[u8]) -> Result<(), Refusal> {
        let before = (self.state.size(), self.state.digest(), self.state.time());
        let result = self.state.apply(self.state.size(), leaf);
        match &result {
            Ok(()) => self.leaves.push(leaf.to_vec()),
            Err(_) => assert_eq!((self.state.size(), self.state.digest(), self.state.time()), before),
        }
        result
    }

    /// A draft by the governing authority, good for a day.
    pub(crate) fn draft(&self, subject: &str, body: Body) -> Draft {
        self.draft_by(AUTHORITY, subject, body)
    }

    pub(crate) fn draft_by(&self, ns: &str, subject: &str, body: Body) -> Draft {
        self.state.draft(ns, subject, body, self.state.time().plus(DAY))
    }

    /// Appends a body that officers 0 and 1 approve.
    pub(crate) fn govern(&mut self, subject: &str, body: Body) -> Result<(), Refusal> {
        let leaf = approved(&self.draft(subject, body), &[0, 1]);
        self.append(&leaf)
    }

    pub(crate) fn grant(&mut self, id: &str, grant: Grant) -> Result<(), Refusal> {
        self.govern(id, Body::Accreditation(AccreditationBody::Grant(grant)))
    }

    pub(crate) fn publish(&mut self, id: &str) {
        self.blobs.push(context_bytes(id));
        self.govern(id, Body::Schema(SchemaBody::Publish(schema(id)))).unwrap();
    }

    /// Logs the DID of a new agency.
    pub(crate) fn admit(&mut self, name: &str, number: u8) -> Agency {
        let agency = Agency::new(name, number);
        self.log_lines(&agency.did, vec![agency.first_line.clone()]).unwrap();
        agency
    }

    pub(crate) fn log_lines(&mut self, did: &str, lines: Vec<Vec<u8>>) -> Result<(), Refusal> {
        let leaf = self.did_event(did, lines);
        self.append(&leaf)
    }

    /// Logs the DID of an agency by the rules of its method.
    pub(crate) fn log_did(&mut self, agency: &Agency) -> Result<(), Refusal> {
        if agency.did.starts_with("did:web:") {
            self.log_document(&agency.did, &agency.first_line)
        } else {
            self.log_lines(&agency.did, vec![agency.first_line.clone()])
        }
    }

    /// Logs the document of a did:web as officers 0 and 1 have seen it.
    pub(crate) fn log_document(&mut self, did: &str, document: &[u8]) -> Result<(), Refusal> {
        let document = document.to_vec();
        self.govern(did, Body::DidEvent(DidEventBody::Web { document }))
    }

    pub(crate) fn did_event(&self, did: &str, lines: Vec<Vec<u8>>) -> Vec<u8> {
        let (seq, prev) = self.state.next_in_chain(EntryType::DidEvent, did);
        let body = Body::DidEvent(DidEventBody::Webvh {
            lines,
            witness_proofs: None,
        });
        Entry::without_approval(did, did, seq, prev, &body).unwrap()
    }

    /// The agency commits to its list, with these indices revoked.
    pub(crate) fn commit(&mut self, agency: &Agency, epoch: u64, revoked: &[usize]) -> Result<(), Refusal> {
        let (list, compact) = status_list(&list_uri(agency), epoch, revoked, self.state.time().plus(DAY));
        self.blobs.push(compact);
        self.commit_lists(
            agency,
            StatusCommitBody {
                lists: vec![list],
                ended: Vec::new(),
            },
        )
    }

    pub(crate) fn commit_lists(&mut self, agency: &Agency, body: StatusCommitBody) -> Result<(), Refusal> {
        let leaf = agency.approved(&self.draft_by(&agency.did, &agency.did, Body::StatusCommit(body)));
        self.append(&leaf)
    }

    pub(crate) fn snapshot(&mut self, time: Timestamp) {
        let leaf = self.snapshot_leaf(time);
        self.append(&leaf).unwrap();
    }

    pub(crate) fn snapshot_leaf(&self, time: Timestamp) -> Vec<u8> {
        self.snapshot_leaf_with(time, Projecting::IfDue)
    }

    pub(crate) fn snapshot_leaf_with(&self, time: Timestamp, projecting: Projecting) -> Vec<u8> {
        let times = SnapshotTimes {
            time,
            next_update: time.plus(HOUR),
            hard_expiry: time.plus(30 * DAY),
        };
        self.state.snapshot(times, projecting).unwrap()
    }

    pub(crate) fn hashes(&self) -> Vec<Hash> {
        self.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect()
    }

    /// The log's checkpoint of its present size, without witnesses, signed as the Policy demands.
    pub(crate) fn checkpoint(&self) -> SignedCheckpoint {
        let mut checkpoint = self.signed_once();
        let policy = self.state.policy().unwrap().witnesses();
        if policy.demands_ml_dsa(ORIGIN) {
            let request = checkpoint.sign_again(self.state.time(), &second_log_key()).unwrap();
            checkpoint.add(request.fulfil(&ml_dsa_key(120)).unwrap());
        }
        checkpoint
    }

    /// The checkpoint with the log's signature by Ed25519 alone.
    pub(crate) fn signed_once(&self) -> SignedCheckpoint {
        let checkpoint = Checkpoint::new(ORIGIN, self.state.size(), merkle::root(&self.hashes())).unwrap();
        key(100)
            .fulfil(SignedCheckpoint::sign(checkpoint, &log_key()).unwrap())
            .unwrap()
    }

    /// The checkpoint, cosigned by these witnesses at these times.
    pub(crate) fn witnessed(&self, witnesses: &[(u8, Timestamp)]) -> SignedCheckpoint {
        self.cosigned(self.checkpoint(), witnesses)
    }

    /// `checkpoint`, cosigned by these witnesses with the keys that the Policy has of them.
    pub(crate) fn cosigned(&self, mut checkpoint: SignedCheckpoint, witnesses: &[(u8, Timestamp)]) -> SignedCheckpoint {
        let known = self.state.policy().unwrap().witnesses().witnesses();
        for (number, time) in witnesses {
            let second = ml_dsa_verifier(&format!("witness.example/{number}"), 110 + number);
            let line = if known.iter().any(|witness| *witness.key() == second) {
                let request = cosignature::cosign_ml_dsa(checkpoint.unverified(), *time, &second).unwrap();
                request.fulfil(&ml_dsa_key(110 + number)).unwrap()
            } else {
                let request = cosignature::cosign(&checkpoint, *time, &witness_key(*number)).unwrap();
                key(110 + number).fulfil(request).unwrap()
            };
            checkpoint.add(line);
        }
        checkpoint
    }

    /// A proof of the leaf at `index` under this checkpoint of the present size.
    pub(crate) fn proof(&self, index: u64, checkpoint: SignedCheckpoint) -> TlogProof {
        TlogProof::new(
            index,
            merkle::inclusion_proof(&Leaves(self.hashes()), index, self.state.size()).unwrap(),
            checkpoint,
        )
    }

    /// The bundle of the state, whose last leaf must be a Snapshot; both witnesses cosign at its time.
    pub(crate) fn bundle(&self) -> Vec<u8> {
        let time = self.state.time();
        let proof = self.proof(self.state.size() - 1, self.witnessed(&[(0, time), (1, time)]));
        self.bundle_with(&proof)
    }

    pub(crate) fn bundle_with(&self, proof: &TlogProof) -> Vec<u8> {
        trust::bundle::export(&self.state, self.leaves.last().unwrap(), proof, |digest| {
            self.blob(digest)
        })
        .unwrap()
    }

    /// The extract about these subjects, under the checkpoint of [`Nation::bundle`].
    pub(crate) fn extract(&self, subjects: &Subjects) -> Vec<u8> {
        let time = self.state.time();
        let proof = self.proof(self.state.size() - 1, self.witnessed(&[(0, time), (1, time)]));
        trust::bundle::export_extract(&self.state, self.leaves.last().unwrap(), &proof, subjects, |digest| {
            self.blob(digest)
        })
        .unwrap()
    }

    /// A schema document or a compact list.
    pub(crate) fn blob(&self, digest: Hash) -> Option<Vec<u8>> {
        let is_named = |bytes: &&Vec<u8>| {
            Hash::digest(bytes) == digest || compact_digest(StatusEncoding::GolombRice, bytes) == Ok(digest)
        };
        self.blobs.iter().find(is_named).cloned()
    }
}

pub(crate) fn list_uri(agency: &Agency) -> String {
    format!("https://{}/status/1", agency.did.rsplit(':').next().unwrap())
}

/// All leaf hashes in memory.
pub(crate) struct Leaves(pub(crate) Vec<Hash>);

impl merkle::Nodes for Leaves {
    type Error = std::convert::Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let width = 1_usize << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(merkle::root(&self.0[start..start + width]))
    }
}
