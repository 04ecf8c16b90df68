//! A registry whose issuer signs with P-256, the bundle of its state, and a verifier with a question.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use credential::status_list::StatusReference;
use did::webvh;
use json_schema::Evaluator;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use keys::cbor::Value as Cbor;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::VpToken;
use serde_json::json;
use signer::SoftwareKey;
use trust::Anchor;
use trust::TrustedBundle;
use trust::audit::Audit;
use trust::bundle::DeltaStart;
use trust::bundle::Extract;
use trust::bundle::Limits;
use trust::bundle::ListBefore;
use trust::bundle::Subjects;
use trust::bundle::export_delta;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Authority;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Publication;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::StatusList;
use trust::merkle::Hash;
use trust::merkle::consistency_proof;
use trust::merkle::leaf_hash;
use trust::merkle::node_hash;
use trust::merkle::verify_inclusion;
use trust::proof::TlogProof;
use trust::state::Projecting;
use trust::state::SnapshotTimes;
use trust::state::State;
use trust::state::StatusRecord;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::RequestOrigin;

use crate::VERIFIER;
use crate::key;
use crate::nation;
use crate::nation::Agency;
use crate::nation::GENESIS;
use crate::nation::HOUR;
use crate::nation::IDENTITY;
use crate::nation::Leaves;
use crate::nation::Nation;
use crate::nation::approved;
use crate::nation::grant;
use crate::nation::list_uri;
use crate::nation::policy;
use crate::nation::status_list;
use crate::sd_jwt_vc::Presented;
use crate::sd_jwt_vc::VCT;

/// A bundle and an answer to be judged with it.
pub struct Verdict {
    bundle: TrustedBundle,
    answer: VpToken,
    query: DcqlQuery,
    presented: Presented,
    now: Timestamp,
}

/// The bytes of a bundle, and what it is loaded against.
pub struct Packed {
    /// The bundle.
    pub bytes: Vec<u8>,
    anchor: Anchor,
}

impl Verdict {
    /// A presentation of the first `disclosed` claims; the query asks for `given_name`.
    pub fn new(disclosed: usize) -> Self {
        let (nation, agency) = nation(0);
        let now = nation.state.time().plus(60);
        let status = StatusReference::token_status_list(list_uri(&agency), 3);
        let presented = Presented::of_issuer(&agency.did, key(Algorithm::Es256, 3), &status, now, disclosed);
        let query = json!({"credentials": [{"id": "identity", "format": "dc+sd-jwt", "meta": {"vct_values": [VCT]},
            "claims": [{"path": ["age_over_18"]}]}]});
        let query = DcqlQuery::from_value(&query).expect("a query");
        Self {
            bundle: Packed::of(&nation).load(),
            answer: VpToken::from_value(json!({"identity": [presented.text]}), &query).expect("an answer"),
            query,
            presented,
            now,
        }
    }

    /// From the answer to the verdict.
    pub fn verify(&self) {
        let question = Question {
            client_id: VERIFIER,
            nonce: "n-1",
            query: &self.query,
            origin: RequestOrigin::Own,
            delivered: Delivered::Posted {
                response_uri: "https://verifier.example/responses/1",
                encryption_key: None,
            },
        };
        let policy = Policy::new(300, &Evaluator);
        let verified = verifier::verify(&self.answer, &question, &[&self.bundle], &policy, self.now);
        assert_eq!(verified.expect("a genuine answer").credentials().len(), 1);
    }

    /// The two signatures alone.
    pub fn raw(&self) {
        self.presented.raw();
    }
}

impl Packed {
    /// The bundle of a registry with this many agencies, each with a DID, an accreditation and a status list.
    pub fn new(agencies: u8) -> Self {
        Self::of(&nation(agencies).0)
    }

    fn of(nation: &Nation) -> Self {
        Self {
            bytes: nation.bundle(),
            anchor: nation.state.anchor().clone(),
        }
    }

    /// Bundle and anchor as files in a folder.
    pub fn write(&self, folder: &Path) {
        fs::write(folder.join("bundle"), &self.bytes).expect("a file");
        fs::write(folder.join("anchor"), self.anchor.to_string()).expect("a file");
    }

    /// What was written.
    pub fn read(folder: &Path) -> Self {
        let anchor = fs::read(folder.join("anchor")).expect("a file");
        Self {
            bytes: fs::read(folder.join("bundle")).expect("a file"),
            anchor: Anchor::parse(&anchor).expect("our own anchor"),
        }
    }

    /// Verifies and loads it.
    pub fn load(&self) -> TrustedBundle {
        TrustedBundle::load(&self.bytes, &self.anchor, Limits::default()).expect("our own bundle")
    }
}

/// Entries with one signature each that can be appended in any order: a ministry passes its accreditation on, again and
/// again.
pub struct Delegations {
    /// What a registry with this genesis must have before, with the contents that each names.
    pub setup: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    /// The entries.
    pub leaves: Vec<Vec<u8>>,
}

/// A log of single-signature entries, to be replayed.
pub struct Long {
    anchor: Anchor,
    leaves: Vec<Vec<u8>>,
}

/// Statuses of which some are set, the same in every run.
pub struct Statuses {
    bits: StatusBits,
    set: u64,
}

/// One leaf of a large tree and its proof.
pub struct Inclusion {
    leaf: Hash,
    index: u64,
    size: u64,
    path: Vec<Hash>,
    root: Hash,
}

/// Indices of a list in [`Day`].
const CHUNK: u64 = 131_072;

/// Numbers by [SplitMix64](https://prng.di.unimi.it/splitmix64.c).
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::from_fn(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = state;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(number ^ (number >> 31))
    })
}

/// A bundle, and what leads to the one of the next day.
pub struct Day {
    before: TrustedBundle,
    /// The delta.
    pub delta: Vec<u8>,
}

impl Day {
    /// So many agencies with a list of 131,072 one-bit statuses each, of which `per_mille` are set. In a day so many more
    /// are, and every agency commits to its list anew.
    pub fn new(agencies: u16, per_mille: u64, revocations: usize) -> Self {
        let mut nation = Nation::new();
        nation.publish(IDENTITY);
        let mut blobs = BTreeMap::new();
        let mut lists: Vec<(Agency, Statuses)> = Vec::new();
        for number in 0..agencies {
            let agency = Agency::new(&format!("agency-{number}"), number.to_le_bytes()[0]);
            let lines = vec![agency.first_line.clone()];
            nation.log_lines(&agency.did, lines).expect("a log line");
            let terms = grant(&agency.did, Action::Issue, &[IDENTITY]);
            nation
                .grant(&format!("accreditation-{number}"), terms)
                .expect("an accreditation");
            let statuses = Statuses::new(u64::from(number), CHUNK, per_mille);
            statuses.commit(&mut nation, &agency, 1, &mut blobs);
            lists.push((agency, statuses));
        }
        nation.snapshot(GENESIS.plus(HOUR));
        let (old, size) = (nation.state.clone(), nation.state.size());
        let before = export(&old, &nation, |digest| blobs.get(&digest).cloned());
        let before = TrustedBundle::load(&before, old.anchor(), Limits::default()).expect("our own bundle");
        let was: BTreeMap<String, StatusBits> = lists
            .iter()
            .map(|(agency, statuses)| (list_uri(agency), statuses.bits.clone()))
            .collect();
        let places = usize::from(agencies) as u64 * CHUNK;
        let mut left = revocations;
        for place in numbers(99).map(|number| number % places) {
            if left == 0 {
                break;
            }
            let (_, statuses) = &mut lists[usize::try_from(place / CHUNK).expect("it fits")];
            // Nobody is revoked twice.
            if statuses.bits.get(place % CHUNK) == Some(0) {
                statuses.set(place % CHUNK);
                left -= 1;
            }
        }
        for (agency, statuses) in &lists {
            statuses.commit(&mut nation, agency, 2, &mut blobs);
        }
        nation.snapshot(GENESIS.plus(25 * HOUR));
        let consistency = consistency_proof(&Leaves(nation.hashes()), size, nation.state.size());
        let start = DeltaStart {
            size,
            state: old.digest(),
            consistency: consistency.expect("leaves at hand"),
        };
        let proof = proof(&nation);
        let snapshot = nation.leaves.last().expect("a Snapshot");
        let before_of = |record: &StatusRecord| ListBefore::Other(was[&record.list().uri].clone());
        let blob = |digest| blobs.get(&digest).cloned();
        let delta = export_delta(&nation.state, snapshot, &proof, &start, before_of, blob);
        Self {
            before,
            delta: delta.expect("our own delta"),
        }
    }

    /// How many bytes of the delta are statuses; the rest is records, digests and the proof.
    pub fn status_bytes(&self) -> usize {
        let limits = keys::json::Limits {
            max_bytes: self.delta.len(),
            max_depth: 32,
        };
        let Ok(Cbor::Map(members)) = keys::cbor::decode(&self.delta, limits) else {
            unreachable!("our own delta");
        };
        let patches = members.into_iter().find(|(key, _)| *key == Cbor::Unsigned(10));
        patches.expect("patches").1.to_vec().len()
    }

    /// Applies the delta and verifies what it makes.
    pub fn apply(&self) -> TrustedBundle {
        self.before
            .apply(&self.delta, Limits::default())
            .expect("our own delta")
            .0
    }
}

fn proof(nation: &Nation) -> TlogProof {
    let now = nation.state.time();
    nation.proof(nation.state.size() - 1, nation.witnessed(&[(0, now), (1, now)]))
}

fn export(state: &State, nation: &Nation, blob: impl FnMut(Hash) -> Option<Vec<u8>>) -> Vec<u8> {
    let snapshot = nation.leaves.last().expect("a Snapshot");
    trust::bundle::export(state, snapshot, &proof(nation), blob).expect("our own bundle")
}

/// A nation with so many agencies and schemas, and so many statuses for each agency, of which `per_mille` are set.
fn large_nation(agencies: u16, schemas: u16, statuses: u64, per_mille: u64) -> Nation {
    let mut nation = Nation::new();
    for number in 0..schemas {
        nation.publish(&format!("Schema{number:03}"));
    }
    for number in 0..agencies {
        let agency = Agency::new(&format!("agency-{number}"), number.to_le_bytes()[0]);
        nation
            .log_lines(&agency.did, vec![agency.first_line.clone()])
            .expect("a log line");
        let schema = format!("Schema{:03}", number % schemas);
        nation
            .grant(
                &format!("accreditation-{number}"),
                grant(&agency.did, Action::Issue, &[&schema]),
            )
            .expect("an accreditation");
        let (list, compact) = Statuses::new(u64::from(number), statuses, per_mille).list(&list_uri(&agency), &nation);
        nation.blobs.push(compact);
        let body = StatusCommitBody {
            lists: vec![list],
            ended: Vec::new(),
        };
        nation.commit_lists(&agency, body).expect("a commitment");
    }
    nation.snapshot(GENESIS.plus(HOUR));
    nation
}

impl Packed {
    /// The bundle of a nation with so many agencies and schemas, and so many statuses for each agency, of which
    /// `per_mille` are set.
    pub fn of_a_nation(agencies: u16, schemas: u16, statuses: u64, per_mille: u64) -> Self {
        Self::of(&large_nation(agencies, schemas, statuses, per_mille))
    }
}

/// What the register of a large nation says for one credential.
pub struct Extracted {
    /// The extract.
    pub bytes: Vec<u8>,
    anchor: Anchor,
    issuer: String,
    list: String,
}

impl Extracted {
    /// About the first agency of a nation as [`Packed::of_a_nation`] has it, with the first chunk of its list.
    pub fn of_a_nation(agencies: u16, schemas: u16, statuses: u64, per_mille: u64) -> Self {
        let nation = large_nation(agencies, schemas, statuses, per_mille);
        let agency = Agency::new("agency-0", 0);
        let list = list_uri(&agency);
        let subjects = Subjects {
            entities: BTreeSet::from([agency.did.clone()]),
            types: BTreeSet::from(["Schema000".to_owned()]),
            chunks: BTreeSet::from([(list.clone(), 0)]),
        };
        Self {
            bytes: nation.extract(&subjects),
            anchor: nation.state.anchor().clone(),
            issuer: agency.did,
            list,
        }
    }

    /// Verifies and loads it, and reads a status.
    pub fn load(&self) -> u8 {
        let extract = Extract::load(&self.bytes, &self.anchor).expect("our own extract");
        let found = extract.bundle().status(&self.issuer, &self.list, 7);
        found.expect("its list").status.expect("a status")
    }
}

/// A large nation whose Snapshot makes its projections.
pub struct Projected {
    nation: Nation,
    /// The same state, of which no projection was made before.
    fresh: State,
}

impl Projected {
    /// A nation as [`Packed::of_a_nation`] has it.
    pub fn of_a_nation(agencies: u16, schemas: u16) -> Self {
        let nation = large_nation(agencies, schemas, 1_000, 50);
        let fresh = Packed::of(&nation).load().state().clone();
        Self { nation, fresh }
    }

    /// The Snapshot with projections that are made for it.
    pub fn make_first(&self) -> Vec<u8> {
        let time = self.fresh.time().plus(HOUR);
        let times = SnapshotTimes {
            time,
            next_update: time.plus(HOUR),
            hard_expiry: time.plus(30 * 24 * HOUR),
        };
        self.fresh.snapshot(times, Projecting::Anew).expect("a Snapshot")
    }

    /// The same where the ones before were made of much the same.
    pub fn make_again(&self) -> Vec<u8> {
        let time = self.nation.state.time().plus(HOUR);
        self.nation.snapshot_leaf_with(time, Projecting::Anew)
    }

    /// How many bytes all projections of the last Snapshot have.
    pub fn len(&self) -> usize {
        let projections = self.nation.state.projections().expect("a publication");
        let digests = projections.digests().digests.iter();
        digests
            .filter_map(|(name, _)| projections.content(name))
            .map(|bytes| bytes.len())
            .sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// When the registry begins, by a clock that stands.
pub const BEGIN: Timestamp = GENESIS;

/// The key of the party of this number: officers from 1, the log 100, the registry's own witness 110, others above.
pub fn key_of(number: u8) -> SoftwareKey {
    nation::key(number)
}

/// The governing authority.
pub fn authority() -> Authority {
    policy().authorities.remove(0)
}

/// Under whose name the registry is shown in others' forms, with the certificate of the key of number 130.
pub fn publication() -> Publication {
    nation::publication()
}

/// The genesis Policy with the approval of its officers.
pub fn approve_genesis(draft: &Draft) -> Vec<u8> {
    approved(draft, &[0, 1])
}

impl Delegations {
    /// So many for the registry that begins with this genesis.
    pub fn new(genesis: &[u8], entries: usize) -> Self {
        let mut nation = Nation::with_genesis(genesis).expect("a genesis");
        nation.publish(IDENTITY);
        let (ministry, agency) = (Agency::new("ministry", 20), Agency::new("agency", 21));
        for agency in [&ministry, &agency] {
            nation
                .log_lines(&agency.did, vec![agency.first_line.clone()])
                .expect("a log line");
        }
        let mut terms = grant(&ministry.did, Action::Issue, &[IDENTITY]);
        terms.delegation_depth = 1;
        nation.grant("ministry", terms.clone()).expect("an accreditation");
        terms.entity.clone_from(&agency.did);
        terms.parent = Some("ministry".to_owned());
        // As most entries of a nation are, which are of status lists: some hundred bytes.
        terms.listing = None;
        terms.delegation_depth = 0;
        let leaf = |number| {
            let body = Body::Accreditation(AccreditationBody::Grant(terms.clone()));
            ministry.approved(&nation.draft_by(&ministry.did, &format!("passed-on-{number}"), body))
        };
        let leaves = (0..entries).map(leaf).collect();
        // The schema's documents are all that is named by digest.
        let blobs = |(position, leaf): (usize, &Vec<u8>)| {
            let named = if position == 0 {
                nation.blobs.clone()
            } else {
                Vec::new()
            };
            (leaf.clone(), named)
        };
        let setup = nation.leaves.iter().skip(1).enumerate().map(blobs).collect();
        Self { setup, leaves }
    }
}

impl Long {
    /// So many commitments to a status list, in turns of some agencies, with a Snapshot after each hundred.
    pub fn new(entries: u64) -> Self {
        let (mut nation, _) = nation(10);
        let agencies: Vec<Agency> = (0..10)
            .map(|number| Agency::new(&format!("agency-{number}"), number))
            .collect();
        for number in 0..entries {
            let place = usize::try_from(number).expect("few") % agencies.len();
            nation
                .commit(&agencies[place], 2 + number, &[1, 5])
                .expect("a commitment");
            if number % 100 == 99 {
                let time = nation.state.time().plus(1);
                nation.snapshot(time);
            }
        }
        Self {
            anchor: nation.state.anchor().clone(),
            leaves: nation.leaves,
        }
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.leaves.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Audits all of it but the checkpoint.
    pub fn replay(&self) {
        let mut audit = Audit::new(self.anchor.clone());
        for leaf in &self.leaves {
            audit.leaf(leaf, |_, _| {}).expect("our own entries");
        }
    }
}

impl Statuses {
    /// So many one-bit statuses, of which `per_mille` are set at random.
    pub fn new(seed: u64, capacity: u64, per_mille: u64) -> Self {
        let mut bytes = vec![0_u8; usize::try_from(capacity.div_ceil(8)).expect("it fits")];
        let mut set = 0;
        for (index, number) in (0..capacity).zip(numbers(seed)) {
            if number % 1_000 < per_mille {
                bytes[usize::try_from(index / 8).expect("it fits")] |= 1 << (index % 8);
                set += 1;
            }
        }
        let bits = StatusBits::new(1, capacity, bytes).expect("statuses");
        Self { bits, set }
    }

    /// The compact form.
    pub fn encode(&self) -> Vec<u8> {
        self.bits.to_compact(StatusEncoding::GolombRice)
    }

    /// The list that names the compact form, and that.
    fn list(&self, uri: &str, nation: &Nation) -> (StatusList, Vec<u8>) {
        let compact = self.encode();
        let (mut list, _) = status_list(uri, 1, &[], nation.state.time().plus(24 * HOUR));
        list.capacity = u64::try_from(self.bits.bytes().len()).expect("it fits") * 8;
        list.compact = compact_digest(StatusEncoding::GolombRice, &compact).expect("chunks");
        list.compact_length = u64::try_from(compact.len()).expect("it fits");
        (list, compact)
    }

    /// Sets one more.
    fn set(&mut self, index: u64) {
        let mut bytes = self.bits.bytes().to_vec();
        bytes[usize::try_from(index / 8).expect("it fits")] |= 1 << (index % 8);
        self.bits = StatusBits::new(1, self.bits.capacity(), bytes).expect("statuses");
    }

    fn commit(&self, nation: &mut Nation, agency: &Agency, epoch: u64, blobs: &mut BTreeMap<Hash, Vec<u8>>) {
        let (mut list, compact) = self.list(&list_uri(agency), nation);
        list.epoch = epoch;
        blobs.insert(list.compact, compact);
        let body = StatusCommitBody {
            lists: vec![list],
            ended: Vec::new(),
        };
        nation.commit_lists(agency, body).expect("a commitment");
    }

    /// The list and its compact form.
    pub fn committed(&self) -> (StatusList, Vec<u8>) {
        self.list("https://issuer.example/status/1", &Nation::new())
    }

    /// Bytes below which no code can be on average that knows how many statuses are set.
    pub fn entropy_bytes(&self) -> f64 {
        let capacity = as_f64(u64::try_from(self.bits.bytes().len()).expect("it fits") * 8);
        let share = as_f64(self.set) / capacity;
        capacity * -(share * share.log2() + (1.0 - share) * (1.0 - share).log2()) / 8.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^52")]
fn as_f64(number: u64) -> f64 {
    number as f64
}

impl Inclusion {
    /// Of some leaf of a tree of `2^height` leaves.
    pub fn new(height: u8) -> Self {
        let size = 1_u64 << height;
        let index = size / 3;
        let mut level: Vec<Hash> = (0..size).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
        let (leaf, mut place, mut path) = (level[usize::try_from(index).expect("it fits")], index, Vec::new());
        while level.len() > 1 {
            path.push(level[usize::try_from(place ^ 1).expect("it fits")]);
            place /= 2;
            level = level
                .as_chunks::<2>()
                .0
                .iter()
                .map(|[left, right]| node_hash(*left, *right))
                .collect();
        }
        Self {
            leaf,
            index,
            size,
            path,
            root: level[0],
        }
    }

    /// Checks it.
    pub fn verify(&self) {
        verify_inclusion(self.leaf, self.index, self.size, &self.path, self.root).expect("our own proof");
    }
}

/// The registry, with an issuer that signs credentials with P-256, and further agencies.
fn nation(others: u8) -> (Nation, Agency) {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    let agency = issuer();
    admit(&mut nation, "accreditation-issuer", &agency);
    for number in 0..others {
        let other = Agency::new(&format!("agency-{number}"), number);
        admit(&mut nation, &format!("accreditation-{number}"), &other);
    }
    nation.snapshot(GENESIS.plus(HOUR));
    (nation, agency)
}

fn admit(nation: &mut Nation, accreditation: &str, agency: &Agency) {
    nation
        .log_lines(&agency.did, vec![agency.first_line.clone()])
        .expect("a log line");
    nation
        .grant(accreditation, grant(&agency.did, Action::Issue, &[IDENTITY]))
        .expect("an accreditation");
    nation.commit(agency, 1, &[1, 5, 900]).expect("a status list");
}

/// As [`Agency::new`], with a second key for credentials.
fn issuer() -> Agency {
    let (update, credentials) = (key(Algorithm::EdDsa, 20), key(Algorithm::Es256, 3));
    let did = "did:webvh:{SCID}:population.attestry.example";
    let mut parameters = webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![update.public_key().to_multikey()]);
    let method = |fragment: &str, multikey: String| json!({"id": format!("{did}#{fragment}"), "type": "Multikey", "controller": did, "publicKeyMultibase": multikey});
    let creation = webvh::create(webvh::NewLog {
        document: json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "verificationMethod": [
                method("key", update.public_key().to_multikey()),
                method("p256", credentials.public_key().to_multikey()),
            ],
            "assertionMethod": [format!("{did}#key"), format!("{did}#p256")],
        }),
        parameters,
        time: GENESIS,
        signer: update.public_key(),
    });
    let creation = creation.expect("a DID");
    let did = creation.did.to_string();
    let first_line = update.fulfil(creation.line).expect("the update key").into_bytes();
    Agency {
        did,
        key: update,
        first_line,
    }
}
