//! A small nation in memory, with every key in one hand: its registry, its agencies and its bundles.

use credential::status_list::BitsPerEntry;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use did::webvh;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use serde_json::Value;
use signer::SoftwareKey;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
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
use trust::entry::Officer;
use trust::entry::OnStale;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
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
use trust::state::SnapshotTimes;
use trust::state::State;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;

const LOG: LogKeys = LogKeys {
    origin: "registry.attestry.example",
    number: 100,
};
const AUTHORITY: &str = "governance";
const OFFICERS: [&str; 2] = ["officer-1", "officer-2"];

pub(crate) const IDENTITY: &str = "PersonIdentity";
pub(crate) const LICENCE: &str = "DrivingLicence";
pub(crate) const VACCINATION: &str = "VaccinationCertificate";

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// 2026-11-23T00:00:00Z.
pub(crate) const GENESIS: Timestamp = Timestamp::from_unix(1_795_392_000);
/// When the first Snapshot is made, and so how far the bundle knows.
pub(crate) const SNAPSHOT: Timestamp = GENESIS.plus(HOUR);
/// When credentials are issued, unless a test says otherwise.
pub(crate) const ISSUED: Timestamp = GENESIS.plus(30 * MINUTE);
/// When presentations are made and judged, unless a test says otherwise.
pub(crate) const NOW: Timestamp = SNAPSHOT.plus(5 * MINUTE);

/// Places of a status list; the smallest that the tests need.
pub(crate) const CAPACITY: usize = 64;

/// The registry from the point of view of whoever has all its keys.
pub(crate) struct Nation {
    pub(crate) state: State,
    keys: LogKeys,
    leaves: Vec<Vec<u8>>,
    blobs: Vec<Vec<u8>>,
    epoch: u64,
}

/// An agency with a DID of its own, as the binary makes them.
pub(crate) struct Agency {
    pub(crate) did: String,
    pub(crate) es256: SoftwareKey,
    pub(crate) eddsa: SoftwareKey,
    pub(crate) bbs: SoftwareKey,
    first_line: Vec<u8>,
    name: String,
}

/// All keys of an agency's document.
pub(crate) const FRAGMENTS: [&str; 4] = ["es256", "eddsa", "bbs", "login"];

/// Everything about one party's key follows from its number.
pub(crate) fn key(algorithm: Algorithm, number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(algorithm, &[number; 32]).unwrap()
}

/// The log of a nation: its name, and the number that its keys follow from.
#[derive(Clone, Copy)]
pub(crate) struct LogKeys {
    pub(crate) origin: &'static str,
    pub(crate) number: u8,
}

impl LogKeys {
    fn log(self) -> (SoftwareKey, VerifierKey) {
        let key = key(Algorithm::EdDsa, self.number);
        let verifier = VerifierKey::new(self.origin, SignatureType::Ed25519, key.public_key().clone()).unwrap();
        (key, verifier)
    }

    fn witness(self) -> (SoftwareKey, VerifierKey) {
        let key = key(Algorithm::EdDsa, self.number + 1);
        let public = key.public_key().clone();
        let verifier = VerifierKey::new("witness.example/0", SignatureType::Cosignature, public).unwrap();
        (key, verifier)
    }

    fn policy(self) -> PolicyBody {
        let officer = |(id, number): (&&str, u8)| Officer {
            id: (*id).to_owned(),
            key: key(Algorithm::EdDsa, number).public_key().clone(),
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
            witness_policy: format!(
                "log {}\nwitness state {}\nquorum state\n",
                self.log().1,
                self.witness().1
            ),
            state_quorum: "state".to_owned(),
            methods: ["key", "web", "webvh"].map(str::to_owned).to_vec(),
            algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
            recovery: None,
            genesis_time: Some(GENESIS),
            publication: None,
        }
    }
}

/// With the signatures of this many officers.
fn approved(draft: &Draft, officers: usize) -> Vec<u8> {
    let signature = |(id, number): (&&str, u8)| {
        key(Algorithm::EdDsa, number)
            .fulfil(draft.sign(id, Algorithm::EdDsa))
            .unwrap()
    };
    let signatures = OFFICERS.iter().zip(1..).take(officers).map(signature).collect();
    draft.assemble(signatures).unwrap()
}

/// The sample nation's own context for a type.
pub(crate) fn context(name: &str) -> &'static str {
    match name {
        IDENTITY => include_str!("../../../schemas/types/PersonIdentity/context.jsonld"),
        LICENCE => include_str!("../../../schemas/types/DrivingLicence/context.jsonld"),
        VACCINATION => include_str!("../../../schemas/types/VaccinationCertificate/context.jsonld"),
        other => panic!("no type {other}"),
    }
}

/// The IRI of a sample type: its `vct`, and what its W3C name means.
pub(crate) fn type_iri(name: &str) -> String {
    format!("https://attestry.example/types/{name}")
}

pub(crate) fn context_url(name: &str) -> String {
    format!("{}/context.jsonld", type_iri(name))
}

pub(crate) fn schema(name: &str) -> Schema {
    let context = context(name);
    Schema {
        vct: type_iri(name),
        aliases: Vec::new(),
        w3c_types: vec![name.to_owned()],
        doctype: Some(format!("example.attestry.{name}")),
        status_required: true,
        documents: vec![SchemaDocument {
            role: DocumentRole::Context,
            uri: context_url(name),
            media_type: "application/ld+json".to_owned(),
            digest: Hash::digest(context.as_bytes()),
            length: u64::try_from(context.len()).unwrap(),
        }],
    }
}

/// The right to issue one type for a year, with knowledge of at most a day, refused when older.
pub(crate) fn grant(agency: &Agency, name: &str) -> Grant {
    Grant {
        entity: agency.did.clone(),
        action: Action::Issue,
        resources: vec![Resource {
            id: name.to_owned(),
            schemas: Vec::new(),
        }],
        territories: Vec::new(),
        level_of_assurance: None,
        valid_from: GENESIS,
        valid_until: GENESIS.plus(365 * DAY),
        delegation_depth: 0,
        parent: None,
        max_staleness: u64::try_from(DAY).unwrap(),
        on_stale: OnStale::Refuse,
        backdating: Backdating::Refuse,
        hazard: None,
        listing: None,
    }
}

/// The document of an agency whose keys follow from `number`, with the keys of these fragments.
pub(crate) fn document(did: &str, number: u8, fragments: &[&str]) -> Value {
    let both = &[Purpose::AssertionMethod, Purpose::Authentication][..];
    let keys = [
        ("es256", key(Algorithm::Es256, number), both),
        ("eddsa", key(Algorithm::EdDsa, number + 1), both),
        ("bbs", key(Algorithm::Bbs, number + 3), &both[..1]),
        // Good for proving who it is, not for issuing.
        ("login", key(Algorithm::Es256, number + 2), &both[1..]),
    ];
    let keys = keys.iter().filter(|(fragment, ..)| fragments.contains(fragment));
    let methods: Vec<NewMethod<'_>> = keys
        .map(|(fragment, key, purposes)| NewMethod {
            fragment,
            key: key.public_key(),
            purposes,
        })
        .collect();
    new_document(did, &methods)
}

impl Agency {
    fn new(name: &str, number: u8) -> Self {
        let update = key(Algorithm::EdDsa, number);
        let did = format!("did:webvh:{}:{name}.attestry.example", webvh::SCID_PLACEHOLDER);
        let mut parameters = webvh::ParameterChanges::default();
        parameters.update_keys = Some(vec![update.public_key().to_multikey()]);
        let creation = webvh::create(webvh::NewLog {
            document: document(&did, number, &FRAGMENTS),
            parameters,
            time: GENESIS,
            signer: update.public_key(),
        })
        .unwrap();
        let first_line = update.fulfil(creation.line).unwrap().into_bytes();
        Self::with_keys(creation.did.to_string(), first_line, name, number)
    }

    fn with_keys(did: String, first_line: Vec<u8>, name: &str, number: u8) -> Self {
        Self {
            did,
            es256: key(Algorithm::Es256, number),
            eddsa: key(Algorithm::EdDsa, number + 1),
            bbs: key(Algorithm::Bbs, number + 3),
            first_line,
            name: name.to_owned(),
        }
    }

    pub(crate) fn method(&self, fragment: &str) -> String {
        format!("{}#{fragment}", self.did)
    }

    /// Where its Token Status List stands.
    pub(crate) fn list_uri(&self) -> String {
        format!("https://platform.example/issuers/{}/status/1", self.name)
    }

    /// Where the same list stands as a Bitstring Status List of revocations.
    pub(crate) fn bitstring_uri(&self) -> String {
        format!("{}/revocation", self.list_uri())
    }

    /// Where the same list stands as a Bitstring Status List of suspensions.
    pub(crate) fn suspension_uri(&self) -> String {
        format!("{}/suspension", self.list_uri())
    }
}

impl Nation {
    /// Three types, the agency `population` that may issue `PersonIdentity`, its status list, and a Snapshot.
    pub(crate) fn with_issuer() -> (Self, Agency) {
        Self::with_grant(|_| {})
    }

    /// The same with other terms of the accreditation.
    pub(crate) fn with_grant(change: impl FnOnce(&mut Grant)) -> (Self, Agency) {
        let (mut nation, agency) = Self::before_snapshot(change);
        nation.commit(&agency, &[]);
        nation.snapshot(SNAPSHOT);
        (nation, agency)
    }

    /// The same without status list and Snapshot.
    pub(crate) fn before_snapshot(change: impl FnOnce(&mut Grant)) -> (Self, Agency) {
        let mut nation = Self::founded(LOG);
        let agency = nation.admit("population", 20);
        let mut terms = grant(&agency, IDENTITY);
        change(&mut terms);
        nation.grant("population-issues-identity", terms);
        (nation, agency)
    }

    /// Three types and nobody who may issue them.
    pub(crate) fn founded(keys: LogKeys) -> Self {
        let genesis = approved(&Draft::genesis(keys.origin, keys.policy()), 2);
        let mut nation = Self {
            state: State::new(Anchor::of_genesis(&genesis).unwrap()),
            keys,
            leaves: Vec::new(),
            blobs: Vec::new(),
            epoch: 0,
        };
        nation.append(genesis);
        for name in [IDENTITY, LICENCE, VACCINATION] {
            nation.blobs.push(context(name).as_bytes().to_vec());
            nation.govern(name, Body::Schema(SchemaBody::Publish(schema(name))));
        }
        nation
    }

    fn append(&mut self, leaf: Vec<u8>) {
        self.state.apply(self.state.size(), &leaf).unwrap();
        self.leaves.push(leaf);
    }

    /// Appends a body that the officers approve.
    pub(crate) fn govern(&mut self, subject: &str, body: Body) {
        self.approve(subject, body, 2);
    }

    fn approve(&mut self, subject: &str, body: Body, officers: usize) {
        let expiry = self.state.time().plus(7 * DAY);
        let draft = self.state.draft(AUTHORITY, subject, body, expiry);
        self.append(approved(&draft, officers));
    }

    pub(crate) fn grant(&mut self, id: &str, grant: Grant) {
        self.govern(id, Body::Accreditation(AccreditationBody::Grant(grant)));
    }

    /// Says something else about the accreditation of [`Nation::with_issuer`].
    pub(crate) fn accreditation(&mut self, body: AccreditationBody) {
        let emergency = matches!(body, AccreditationBody::Suspend { emergency: true, .. });
        let officers = if emergency { 1 } else { 2 };
        self.approve("population-issues-identity", Body::Accreditation(body), officers);
    }

    /// Publishes a new version of a type with another context.
    pub(crate) fn publish_context(&mut self, name: &str, url: &str, context: &str) {
        self.blobs.push(context.as_bytes().to_vec());
        let mut changed = schema(name);
        let document = &mut changed.documents[0];
        document.uri = url.to_owned();
        document.digest = Hash::digest(context.as_bytes());
        document.length = u64::try_from(context.len()).unwrap();
        self.publish(name, changed);
    }

    /// What bundles may carry.
    pub(crate) fn add_blob(&mut self, bytes: Vec<u8>) {
        self.blobs.push(bytes);
    }

    /// Publishes a new version of a type.
    pub(crate) fn publish(&mut self, name: &str, schema: Schema) {
        self.govern(name, Body::Schema(SchemaBody::Publish(schema)));
    }

    /// Logs the DID of a new agency.
    pub(crate) fn admit(&mut self, name: &str, number: u8) -> Agency {
        let agency = Agency::new(name, number);
        let did = &agency.did;
        let (seq, prev) = self.state.next_in_chain(EntryType::DidEvent, did);
        let body = Body::DidEvent(DidEventBody::Webvh {
            lines: vec![agency.first_line.clone()],
            witness_proofs: None,
        });
        self.append(Entry::without_approval(did, did, seq, prev, &body).unwrap());
        agency
    }

    /// An agency whose DID is its website, with the document that the officers logged.
    pub(crate) fn admit_web(&mut self, name: &str, number: u8) -> Agency {
        let did = format!("did:web:{name}.attestry.example");
        self.log_document(&did, &document(&did, number, &FRAGMENTS));
        Agency::with_keys(did, Vec::new(), name, number)
    }

    /// The officers log what they saw at the website of a did:web.
    pub(crate) fn log_document(&mut self, did: &str, document: &Value) {
        let document = document.to_string().into_bytes();
        self.govern(did, Body::DidEvent(DidEventBody::Web { document }));
    }

    /// The agency commits to its list in all views, with these statuses.
    pub(crate) fn commit(&mut self, agency: &Agency, statuses: &[(usize, Status)]) {
        let compact = statuses_of(statuses).to_compact(StatusEncoding::Zlib);
        self.commit_compact(agency, compact, |_| {});
    }

    /// The same in a compact form of which an extract can have a chunk.
    pub(crate) fn commit_chunked(&mut self, agency: &Agency, statuses: &[(usize, Status)]) {
        let compact = statuses_of(statuses).to_compact(StatusEncoding::GolombRice);
        self.commit_compact(agency, compact.clone(), |list| {
            list.encoding = StatusEncoding::GolombRice;
            list.compact = compact_digest(list.encoding, &compact).unwrap();
        });
    }

    /// The agency commits to these bytes as its list, with some change to what it says of each view.
    pub(crate) fn commit_compact(&mut self, agency: &Agency, compact: Vec<u8>, change: impl Fn(&mut StatusList)) {
        self.epoch += 1;
        let list = |uri: String, format, purpose: Option<&str>| {
            let mut list = StatusList {
                uri,
                bits: 2,
                capacity: u64::try_from(CAPACITY).unwrap(),
                tokens: vec![StatusToken {
                    format,
                    digest: Hash::digest(b"the standard form"),
                }],
                encoding: StatusEncoding::Zlib,
                compact: compact_digest(StatusEncoding::Zlib, &compact).unwrap(),
                compact_length: u64::try_from(compact.len()).unwrap(),
                next_update: self.state.time().plus(DAY),
                epoch: self.epoch,
                purpose: purpose.map(str::to_owned),
            };
            change(&mut list);
            list
        };
        let lists = vec![
            list(agency.list_uri(), TokenFormat::Jwt, None),
            list(agency.bitstring_uri(), TokenFormat::Bitstring, Some("revocation")),
            list(agency.suspension_uri(), TokenFormat::Bitstring, Some("suspension")),
        ];
        let body = Body::StatusCommit(StatusCommitBody {
            lists,
            ended: Vec::new(),
        });
        self.blobs.push(compact);
        let draft = self
            .state
            .draft(&agency.did, &agency.did, body, self.state.time().plus(DAY));
        let signature = agency
            .es256
            .fulfil(draft.sign(&agency.method("es256"), Algorithm::Es256))
            .unwrap();
        self.append(draft.assemble(vec![signature]).unwrap());
    }

    pub(crate) fn snapshot(&mut self, time: Timestamp) {
        let times = SnapshotTimes {
            time,
            next_update: time.plus(HOUR),
            hard_expiry: time.plus(30 * DAY),
        };
        let leaf = self.state.snapshot(times, Projecting::IfDue).unwrap();
        self.append(leaf);
    }

    /// The bundle of the last Snapshot, cosigned at its time and loaded as a verifier loads it.
    pub(crate) fn bundle(&self) -> TrustedBundle {
        self.bundle_without(|_| false)
    }

    /// The same without those attachments that `left_out` names.
    pub(crate) fn bundle_without(&self, left_out: impl Fn(&[u8]) -> bool) -> TrustedBundle {
        TrustedBundle::load(&self.bundle_bytes(left_out), self.state.anchor(), Limits::default()).unwrap()
    }

    /// The checkpoint of the whole log.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let hashes: Vec<Hash> = self.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        Checkpoint::new(self.keys.origin, self.state.size(), merkle::root(&hashes)).unwrap()
    }

    /// The verifier key of its log.
    pub(crate) fn log_verifier(&self) -> VerifierKey {
        self.keys.log().1
    }

    pub(crate) fn bundle_bytes(&self, left_out: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        let snapshot = self.leaves.last().unwrap();
        let bytes = trust::bundle::export(&self.state, snapshot, &self.proof(), |digest| {
            self.blob(digest).filter(|blob| !left_out(blob))
        });
        bytes.unwrap()
    }

    /// The extract of the last Snapshot about these subjects.
    pub(crate) fn extract_bytes(&self, subjects: &Subjects) -> Vec<u8> {
        let snapshot = self.leaves.last().unwrap();
        let bytes = trust::bundle::export_extract(&self.state, snapshot, &self.proof(), subjects, |digest| {
            self.blob(digest)
        });
        bytes.unwrap()
    }

    fn blob(&self, digest: Hash) -> Option<Vec<u8>> {
        let is_named = |blob: &&Vec<u8>| {
            Hash::digest(blob) == digest || compact_digest(StatusEncoding::GolombRice, blob) == Ok(digest)
        };
        self.blobs.iter().find(is_named).cloned()
    }

    /// The proof of the last leaf, cosigned at the time of the state.
    fn proof(&self) -> TlogProof {
        let hashes: Vec<Hash> = self.leaves.iter().map(|leaf| merkle::leaf_hash(leaf)).collect();
        let (size, index) = (self.state.size(), self.state.size() - 1);
        let ((log, log_verifier), (witness, witness_verifier)) = (self.keys.log(), self.keys.witness());
        let mut checkpoint = log
            .fulfil(SignedCheckpoint::sign(self.checkpoint(), &log_verifier).unwrap())
            .unwrap();
        let cosignature = cosignature::cosign(&checkpoint, self.state.time(), &witness_verifier).unwrap();
        checkpoint.add(witness.fulfil(cosignature).unwrap());
        let path = merkle::inclusion_proof(&Leaves(hashes), index, size).unwrap();
        TlogProof::new(index, path, checkpoint)
    }
}

fn statuses_of(statuses: &[(usize, Status)]) -> StatusBits {
    let mut array = StatusArray::new(BitsPerEntry::Two, CAPACITY);
    for (index, status) in statuses {
        array.set(*index, *status).unwrap();
    }
    StatusBits::new(2, u64::try_from(CAPACITY).unwrap(), array.packed().to_vec()).unwrap()
}

/// All leaf hashes in memory.
struct Leaves(Vec<Hash>);

impl merkle::Nodes for Leaves {
    type Error = std::convert::Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let width = 1_usize << level;
        let start = usize::try_from(index).unwrap() * width;
        Ok(merkle::root(&self.0[start..start + width]))
    }
}
