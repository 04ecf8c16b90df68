//! Bundles as another reader sees them: `tests/interop/peers/trust_bundle.py`, which follows `spec/registry.md` too, must
//! reach the verdicts that we reach, on nations and damages made at random.

#[path = "../../../../tests/interop/ask.rs"]
pub(crate) mod ask;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use did::DidUrl;
use did::document::Purpose;
use keys::Timestamp;
use keys::cbor::Value as Cbor;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::BundleError;
use trust::bundle::Extract;
use trust::bundle::Limits;
use trust::bundle::StatusListError;
use trust::bundle::Subjects;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Recovery;
use trust::merkle::Hash;
use trust::note::NoteSignature;
use trust::proof::TlogProof;
use trust::proof::TlogProofError;
use trust::state::AccreditationStatus;

use crate::bundles;
use crate::nation::*;
use crate::replay;
use crate::replay::SHAPES;
use crate::replay::Step;

const READER: ask::Peer = ask::Peer::new("trust_bundle.py", "the reader in Python");

const CASES: usize = 200;

/// How the Policy changes before the last Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    None,
    /// From then on the state witness suffices.
    Witnesses,
    /// Log and plain witness sign with ML-DSA-44.
    MlDsa,
    /// Officers commit to next keys and use them.
    NextKeys,
    /// A recovery that was announced a day before.
    RecoveryPending,
    /// The same after its delay.
    RecoveryInForce,
}

/// What is done to a bundle on its way.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Bit(prop::sample::Index),
    Truncated(prop::sample::Index),
    Longer,
    OtherOrigin,
    OtherGenesis,
    OneWitness(u8),
    NoLog,
    /// Without the log's second signature, if there is one.
    NoSecondSignature,
    /// The same signature with a byte changed.
    SecondSignature(prop::sample::Index),
    OtherPath,
    OtherRoot,
    NotLast,
    Section(u64),
    NoSection(u8),
    Attachment(u8),
    StrangeAttachment(u8),
    /// A Policy that these officers approved, for a time that ends in so many hours, and so many places too far on.
    ForgedPolicy(Vec<u8>, i64, u64),
}

/// All agencies are there from the beginning, so that more of what follows is accepted.
fn life() -> impl Strategy<Value = Vec<Step>> {
    let admitted = (0..4).map(Step::Admit).collect::<Vec<_>>();
    prop::collection::vec(replay::step(), 1..90).prop_map(move |steps| [admitted.clone(), steps].concat())
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => Just(Change::None),
        2 => Just(Change::Witnesses),
        2 => Just(Change::MlDsa),
        1 => Just(Change::NextKeys),
        1 => Just(Change::RecoveryPending),
        1 => Just(Change::RecoveryInForce),
    ]
}

fn damage() -> impl Strategy<Value = Damage> {
    let officers = prop_oneof![Just(vec![0]), Just(vec![0, 1]), Just(vec![0, 1, 2])];
    prop_oneof![
        16 => Just(Damage::None),
        3 => any::<prop::sample::Index>().prop_map(Damage::Bit),
        1 => any::<prop::sample::Index>().prop_map(Damage::Truncated),
        1 => Just(Damage::Longer),
        1 => Just(Damage::OtherOrigin),
        1 => Just(Damage::OtherGenesis),
        4 => (0..2_u8).prop_map(Damage::OneWitness),
        1 => Just(Damage::NoLog),
        2 => Just(Damage::NoSecondSignature),
        2 => any::<prop::sample::Index>().prop_map(Damage::SecondSignature),
        1 => Just(Damage::OtherPath),
        1 => Just(Damage::OtherRoot),
        1 => Just(Damage::NotLast),
        2 => prop::sample::select(vec![2, 4, 5]).prop_map(Damage::Section),
        1 => (0..8_u8).prop_map(Damage::NoSection),
        1 => (5..7_u8).prop_map(Damage::Attachment),
        1 => (5..7_u8).prop_map(Damage::StrangeAttachment),
        6 => (officers, 0..4_i64, 0..2_u64)
            .prop_map(|(officers, hours, gap)| Damage::ForgedPolicy(officers, hours, gap)),
    ]
}

/// One bundle, with what both are asked.
struct Case {
    steps: Vec<Step>,
    change: Change,
    damage: Damage,
    anchor: Anchor,
    /// `bundle` or `extract`, and its bytes.
    kind: &'static str,
    bytes: Vec<u8>,
    questions: Vec<Value>,
}

#[test]
fn an_independent_reader_reaches_the_same_verdicts() {
    if !ask::are_installed() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let strategy = (life(), change(), damage());
    let agencies = replay::agencies();
    let mut previous = None;
    let cases: Vec<Case> = (0..CASES)
        .map(|_| {
            let (steps, change, damage) = strategy.new_tree(&mut runner).unwrap().current();
            let case = case(steps, change, damage, &agencies, previous.as_deref());
            if matches!(case.damage, Damage::None) {
                previous = Some(case.bytes.clone());
            }
            case
        })
        .collect();
    let (read, refused) = compare(&cases);
    assert!(read >= CASES / 3, "{read} bundles of {CASES} were read");
    let rules = ["anchor", "attachment", "digest", "form", "last", "policies", "proof"];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), rules);
}

/// Extracts about some of the agencies and lists: what is left out is not known to either.
#[test]
fn an_independent_reader_reaches_the_same_verdicts_by_extracts() {
    if !ask::are_installed() {
        return;
    }
    let mut runner = TestRunner::deterministic();
    let agencies = replay::agencies();
    let strategy = (life(), change(), prop::collection::vec(any::<bool>(), 20), wear());
    let cases: Vec<Case> = (0..CASES)
        .map(|_| {
            let (steps, change, chosen, wear) = strategy.new_tree(&mut runner).unwrap().current();
            extract_case(steps, change, &chosen, &wear, &agencies)
        })
        .collect();
    let (read, refused) = compare(&cases);
    assert!(read >= CASES / 3, "{read} extracts of {CASES} were read");
    let rules = ["attachment", "digest", "form", "proof", "record"];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), rules);
}

/// What is done to an extract on its way.
#[derive(Clone, Debug)]
enum Wear {
    None,
    Bit(prop::sample::Index),
    /// A member less of the array at this position.
    Less(u8, prop::sample::Index),
    /// Another number in the place of the index of a record, or the number of a chunk.
    Moved(u8, prop::sample::Index, u64),
    /// The last byte of a record or a chunk.
    Changed(u8, prop::sample::Index),
    /// The last byte of a section that is whole: of its last record, or the count of an empty one.
    Section(u64),
}

fn wear() -> impl Strategy<Value = Wear> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => Just(Wear::None),
        3 => index().prop_map(Wear::Bit),
        5 => (4..7_u8, index()).prop_map(|(position, at)| Wear::Less(position, at)),
        4 => (5..7_u8, index(), 0..4_u64).prop_map(|(position, at, to)| Wear::Moved(position, at, to)),
        6 => (5..7_u8, index()).prop_map(|(position, at)| Wear::Changed(position, at)),
        2 => prop::sample::select(vec![7, 8]).prop_map(Wear::Section),
    ]
}

fn extract_case(steps: Vec<Step>, change: Change, chosen: &[bool], wear: &Wear, agencies: &[Agency]) -> Case {
    let mut nation = replay::nation_after(&steps, agencies);
    apply(&mut nation, change);
    let mut chosen = chosen.iter().copied();
    // Few nations have a chunk; what is done to one would mostly be done to none.
    let is_about_chunks = matches!(wear, Wear::Less(6, _) | Wear::Moved(6, ..) | Wear::Changed(6, _));
    let mut is_chosen = || is_about_chunks || chosen.next().unwrap_or(true);
    let mut subjects = Subjects::default();
    for agency in agencies {
        if !is_chosen() {
            continue;
        }
        subjects.entities.insert(agency.did.clone());
        for shape in 0..SHAPES.len() {
            let uri = replay::list_of_shape(agency, shape);
            subjects.chunks.extend(is_chosen().then_some((uri, 0)));
        }
    }
    subjects.types.extend(is_chosen().then(|| IDENTITY.to_owned()));
    let mut bytes = nation.extract(&subjects);
    let at = |items: &[Cbor], at: &prop::sample::Index| (!items.is_empty()).then(|| at.index(items.len().max(1)));
    let member = |item: &mut Cbor, number: usize, change: &dyn Fn(&mut Cbor)| {
        let Cbor::Map(members) = item else { panic!() };
        change(&mut members[number].1);
    };
    match wear {
        Wear::None => {}
        Wear::Section(number) => bytes = with_changed_section(&bytes, *number),
        Wear::Bit(at) => {
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Wear::Less(position, index) => edit(&mut bytes, usize::from(*position), |items| {
            drop(at(items, index).map(|at| items.remove(at)));
        }),
        Wear::Moved(position, index, to) => edit(&mut bytes, usize::from(*position), |items| {
            if let Some(at) = at(items, index) {
                member(&mut items[at], 1, &|value| *value = Cbor::Unsigned(*to));
            }
        }),
        Wear::Changed(position, index) => edit(&mut bytes, usize::from(*position), |items| {
            if let Some(at) = at(items, index) {
                member(&mut items[at], 2, &|value| {
                    let Cbor::Bytes(bytes) = value else { panic!() };
                    *bytes.last_mut().unwrap() ^= 1;
                });
            }
        }),
    }
    Case {
        damage: match wear {
            Wear::Bit(at) => Damage::Bit(*at),
            _ => Damage::None,
        },
        questions: questions(&nation, agencies),
        anchor: nation.state.anchor().clone(),
        steps,
        change,
        kind: "extract",
        bytes,
    }
}

/// How many were read, and the rules that the others break; both readers must agree on each.
fn compare(cases: &[Case]) -> (usize, BTreeSet<String>) {
    let asked: Vec<Value> = cases.iter().map(Case::to_question).collect();
    let mut read = 0;
    let mut refused = BTreeSet::new();
    let answers = READER.ask_all(&asked);
    // Alone as in company.
    assert_eq!(READER.ask(&asked[0]), answers[0]);
    for (case, theirs) in cases.iter().zip(answers) {
        let told = || format!("{:?} {:?} {:?}", case.steps, case.change, case.damage);
        match (case.our_answer(), theirs) {
            (Ok(ours), Ok(mut theirs)) => {
                read += 1;
                theirs.as_object_mut().unwrap().remove("ok");
                for (at, question) in case.questions.iter().enumerate() {
                    assert_eq!(
                        ours["answers"][at],
                        theirs["answers"][at],
                        "{question} after {}",
                        told()
                    );
                }
                assert_eq!(ours, theirs, "{}", told());
            }
            (Err(ours), Err(theirs)) => {
                let rule = theirs.strip_prefix("Refused: ").and_then(|text| text.split(':').next());
                let rule = rule.unwrap_or_else(|| panic!("{}: {theirs} after {}", READER.name(), told()));
                // Where a flipped bit is found depends on what is looked at first.
                if !matches!(case.damage, Damage::Bit(_)) {
                    assert_eq!(rule_of(&ours), rule, "{ours:?} and {theirs} after {}", told());
                }
                refused.insert(rule.to_owned());
            }
            (ours, theirs) => panic!("{ours:?} and {theirs:?} after {}", told()),
        }
    }
    (read, refused)
}

fn case(steps: Vec<Step>, change: Change, damage: Damage, agencies: &[Agency], previous: Option<&[u8]>) -> Case {
    let mut nation = replay::nation_after(&steps, agencies);
    apply(&mut nation, change);
    let mut questions = questions(&nation, agencies);
    if let Some(previous) = previous {
        questions.push(json!({"replaces": {"bundle": STANDARD.encode(previous)}}));
    }
    let mut anchor = nation.state.anchor().clone();
    if let Damage::OtherOrigin = damage {
        let log = trust::note::VerifierKey::new("other.example", trust::note::SignatureType::Ed25519, public(100));
        anchor = Anchor::new(log.unwrap(), anchor.genesis()).unwrap();
    }
    if let Damage::OtherGenesis = damage {
        anchor = Anchor::new(log_key(), Hash::digest(b"another genesis")).unwrap();
    }
    let bundle = damaged(nation, &damage);
    Case {
        steps,
        change,
        damage,
        anchor,
        kind: "bundle",
        bytes: bundle,
        questions,
    }
}

fn apply(nation: &mut Nation, change: Change) {
    let next = PolicyBody {
        genesis_time: None,
        ..policy()
    };
    let govern = |nation: &mut Nation, policy| nation.govern(ORIGIN, Body::Policy(policy)).unwrap();
    let digest = |number| Hash::digest(public(number).to_multikey().as_bytes());
    match change {
        Change::None => return,
        Change::Witnesses => {
            let witness_policy = witness_policy().replace("all", "any");
            govern(nation, PolicyBody { witness_policy, ..next });
        }
        Change::MlDsa => {
            let witness_policy = ml_dsa_policy();
            govern(nation, PolicyBody { witness_policy, ..next });
        }
        Change::NextKeys => {
            let mut committing = next.clone();
            for (officer, number) in committing.authorities[0].officers.iter_mut().zip(61..) {
                officer.next = Some(digest(number));
            }
            govern(nation, committing);
            nation.snapshot(nation.state.time().plus(HOUR));
            let mut rotated = next;
            for (officer, number) in rotated.authorities[0].officers.iter_mut().zip(61..) {
                officer.key = public(number);
            }
            let draft = nation.draft(ORIGIN, Body::Policy(rotated));
            let signatures = [(0, 61), (1, 62)].map(|(officer, number)| {
                let request = draft.sign_revealing(OFFICERS[officer], &public(number));
                key(number).fulfil(request).unwrap()
            });
            nation.append(&draft.assemble(signatures.to_vec()).unwrap()).unwrap();
        }
        Change::RecoveryPending | Change::RecoveryInForce => {
            let mut keys = vec![digest(71), digest(72), digest(73)];
            keys.sort();
            let (threshold, delay) = (2, 3 * 86_400);
            let recovery = Some(Recovery { threshold, keys, delay });
            govern(
                nation,
                PolicyBody {
                    recovery,
                    ..next.clone()
                },
            );
            let recovered = PolicyBody {
                kind: PolicyKind::Recovery,
                ..next
            };
            let draft = nation.draft(ORIGIN, Body::Policy(recovered));
            let signatures = [71, 72].map(|number| {
                let request = draft.sign_revealing(&digest(number).to_string(), &public(number));
                key(number).fulfil(request).unwrap()
            });
            nation.append(&draft.assemble(signatures.to_vec()).unwrap()).unwrap();
            let days = if change == Change::RecoveryPending { 1 } else { 3 };
            nation.snapshot(nation.state.time().plus(days * DAY));
            return;
        }
    }
    nation.snapshot(nation.state.time().plus(HOUR));
}

/// The line with a byte behind its key id changed.
fn changed(line: &NoteSignature, at: prop::sample::Index) -> String {
    let mut bytes = [&line.id().to_be_bytes(), line.bytes()].concat();
    let at = 4 + at.index(line.bytes().len());
    bytes[at] ^= 1;
    format!("\u{2014} {} {}", line.name(), STANDARD.encode(bytes))
}

fn damaged(mut nation: Nation, damage: &Damage) -> Vec<u8> {
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let both = [(0, time.plus(60)), (1, time.plus(5))];
    let proof = nation.proof(index, nation.witnessed(&both));
    let mut bytes = nation.bundle_with(&proof);
    match damage {
        Damage::None | Damage::OtherOrigin | Damage::OtherGenesis => {}
        Damage::Bit(at) => {
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        Damage::Truncated(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Longer => bytes.push(0xf6),
        Damage::OneWitness(number) => {
            let one = nation.witnessed(&[(*number, time)]);
            bytes = nation.bundle_with(&nation.proof(index, one));
        }
        Damage::NoLog => {
            let text = proof.to_string();
            let line = text.lines().find(|line| line.starts_with("\u{2014} registry")).unwrap();
            let text = text.replace(&format!("{line}\n"), "");
            bytes = nation.bundle_with(&TlogProof::parse(&text).unwrap());
        }
        Damage::NoSecondSignature | Damage::SecondSignature(_) => {
            if let Some(line) = second_log_key().find(proof.checkpoint().note()) {
                let other = match damage {
                    Damage::SecondSignature(at) => format!("{}\n", changed(line, *at)),
                    _ => String::new(),
                };
                let text = proof.to_string().replace(&format!("{line}\n"), &other);
                bytes = nation.bundle_with(&TlogProof::parse(&text).unwrap());
            }
        }
        Damage::OtherPath => {
            let other = nation.proof(index - 1, nation.witnessed(&both)).to_string();
            let text = other.replace(&format!("index {}\n", index - 1), &format!("index {index}\n"));
            bytes = nation.bundle_with(&TlogProof::parse(&text).unwrap());
        }
        Damage::OtherRoot => {
            // Cosigned for another tree of this size.
            nation.leaves[1][20] ^= 1;
            let other = nation.witnessed(&both);
            nation.leaves[1][20] ^= 1;
            bytes = nation.bundle_with(&nation.proof(index, other));
        }
        Damage::NotLast => {
            nation.snapshot(time.plus(1));
            let proof = nation.proof(index, nation.witnessed(&both));
            bytes = bundles::with_proof(&bytes, &proof);
        }
        Damage::Section(number) => bytes = with_changed_section(&bytes, *number),
        Damage::NoSection(position) => edit(&mut bytes, 4, |sections| drop(sections.remove(usize::from(*position)))),
        Damage::Attachment(position) => edit(&mut bytes, usize::from(*position), |attached| {
            if let Some(Cbor::Map(first)) = attached.first_mut() {
                first[0].1 = Cbor::bytes([0; 32]);
            }
        }),
        Damage::StrangeAttachment(position) => edit(&mut bytes, usize::from(*position), |attached| {
            let member = |key, value| (Cbor::Unsigned(key), value);
            let (number, name, bytes) = (
                |n| Cbor::Unsigned(n),
                Hash::digest(b"strange"),
                Cbor::bytes(*b"strange"),
            );
            let name = Cbor::bytes(*name.as_bytes());
            let strange = match position {
                5 => vec![
                    member(1, name),
                    member(2, number(0)),
                    member(3, number(7)),
                    member(4, bytes),
                ],
                _ => vec![member(1, name), member(2, number(0)), member(3, bytes)],
            };
            attached.push(Cbor::Map(strange));
            attached.sort_by_key(Cbor::to_vec);
        }),
        Damage::ForgedPolicy(officers, hours, gap) => {
            let next = PolicyBody {
                genesis_time: None,
                ..policy()
            };
            let draft = nation.draft(ORIGIN, Body::Policy(next));
            let draft = Draft {
                not_before: GENESIS,
                expires: time.plus(hours * HOUR),
                seq: draft.seq + gap,
                ..draft
            };
            bytes = bundles::forge_policy_section(&nation, &approved(&draft, officers));
        }
    }
    bytes
}

/// Another last byte of a section: of its last record, or the count of an empty one.
fn with_changed_section(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut bundle = bundles::decode(bytes);
    let packed = bundles::packed(&mut bundle, 5, number);
    let mut plain = bundles::plain(packed);
    *plain.last_mut().unwrap() ^= 1;
    bundles::set_plain(packed, plain);
    bundle.to_vec()
}

/// Changes the array at this position of the bundle.
fn edit(bytes: &mut Vec<u8>, position: usize, change: impl FnOnce(&mut Vec<Cbor>)) {
    let mut members = bundles::members(bytes);
    let Cbor::Array(array) = &mut members[position].1 else {
        panic!()
    };
    change(array);
    *bytes = Cbor::Map(members).to_vec();
}

/// Everything that a verifier may want to know of these agencies.
fn questions(nation: &Nation, agencies: &[Agency]) -> Vec<Value> {
    let time = nation.state.time();
    let mut questions = Vec::new();
    // Around both ends of what the grants of `replay` allow, and when the Snapshot expires.
    let year = GENESIS.plus(365 * DAY);
    for now in [
        GENESIS.plus(-1),
        GENESIS,
        time,
        time.plus(30 * DAY),
        year.plus(-1),
        year,
    ] {
        questions.push(json!({"expired": {"now": now.unix()}}));
        for agency in agencies {
            for (action, resource) in [(0, IDENTITY), (0, LICENCE), (1, IDENTITY), (2, LICENCE)] {
                let now = now.unix();
                let asked = json!({"entity": agency.did, "action": action, "resource": resource, "now": now});
                questions.push(json!({"accreditation": asked}));
            }
        }
    }
    for agency in agencies {
        let method = agency.method();
        questions.push(json!({"incident": {"method": method}}));
        questions.push(json!({"key": {"did": agency.did, "method": method}}));
        questions.push(json!({"key": {"did": agency.did, "method": format!("{}#other", agency.did)}}));
        for (shape, (_, capacity, _)) in SHAPES.iter().enumerate() {
            let uri = replay::list_of_shape(agency, shape);
            // A run of indices finds set ones and others.
            for index in (0..12).chain([capacity / 2, capacity - 1, *capacity]) {
                questions.push(json!({"status": {"issuer": agency.did, "uri": uri, "index": index}}));
            }
        }
    }
    questions
}

impl Case {
    fn to_question(&self) -> Value {
        json!({
            "do": "ask",
            "anchor": self.anchor.to_string(),
            self.kind: STANDARD.encode(&self.bytes),
            "questions": self.questions,
        })
    }

    fn our_answer(&self) -> Result<Value, BundleError> {
        if self.kind == "extract" {
            return Ok(self.our_answers(Extract::load(&self.bytes, &self.anchor)?.bundle()));
        }
        let bundle = TrustedBundle::load(&self.bytes, &self.anchor, Limits::default())?;
        Ok(self.our_answers(&bundle))
    }

    fn our_answers(&self, bundle: &TrustedBundle) -> Value {
        let answers: Vec<Value> = self
            .questions
            .iter()
            .map(|question| self.our_answer_to(bundle, question))
            .collect();
        json!({
            "as_of": bundle.as_of().unix(),
            "size": bundle.checkpoint().size(),
            "policy": bundle.state().policy().unwrap().hash().to_string(),
            "answers": answers,
        })
    }

    fn our_answer_to(&self, bundle: &TrustedBundle, question: &Value) -> Value {
        let (kind, about) = question.as_object().unwrap().iter().next().unwrap();
        let text = |name: &str| about[name].as_str().unwrap();
        let now = || Timestamp::from_unix(about["now"].as_i64().unwrap());
        match kind.as_str() {
            "accreditation" => {
                let action = [Action::Issue, Action::Publish, Action::Verify];
                let action = action[usize::try_from(about["action"].as_u64().unwrap()).unwrap()];
                let found = bundle.accreditation(text("entity"), action, text("resource"), now());
                found.map_or(Value::Null, |found| {
                    let standing = match found.status {
                        AccreditationStatus::Active => 0,
                        AccreditationStatus::NotYetValid => 1,
                        AccreditationStatus::Expired => 2,
                        AccreditationStatus::Suspended { .. } => 3,
                        AccreditationStatus::Revoked { .. } => 4,
                    };
                    json!({"id": found.record.id(), "standing": standing})
                })
            }
            "status" => match bundle.status(text("issuer"), text("uri"), about["index"].as_u64().unwrap()) {
                Ok(found) => found.status.map_or_else(|| json!("beyond"), Value::from),
                Err(StatusListError::Broken(_)) => json!("broken"),
                Err(StatusListError::NotIncluded) => json!("not included"),
                Err(_) => json!("unknown"),
            },
            "incident" => {
                let found = bundle.incident_on(&DidUrl::parse(text("method")).unwrap());
                found.map_or(
                    Value::Null,
                    |found| json!({"invalid_since": found.invalid_since.unix(), "backdating": found.backdating as u64}),
                )
            }
            "key" => {
                let method = DidUrl::parse(text("method")).unwrap();
                let key = bundle.key_for(text("did"), &method, Purpose::AssertionMethod);
                key.and_then(Result::ok)
                    .map_or(Value::Null, |key| key.to_multikey().into())
            }
            "expired" => bundle.has_expired(now()).into(),
            "replaces" => {
                let previous = STANDARD.decode(text("bundle")).unwrap();
                // Refused for another anchor in the one and the other.
                let previous = TrustedBundle::load(&previous, &self.anchor, Limits::default()).unwrap();
                bundle.newer_than(&previous).is_ok().into()
            }
            other => panic!("{other}"),
        }
    }
}

/// The rule of the specification that a bundle breaks, as the reader names it.
const fn rule_of(error: &BundleError) -> &'static str {
    match error {
        BundleError::Anchor { .. } => "anchor",
        BundleError::Attachment { .. } => "attachment",
        BundleError::Digest { .. } => "digest",
        BundleError::NotLast { .. } => "last",
        BundleError::Policy(_) => "policies",
        BundleError::Proof(TlogProofError::Inclusion(_) | TlogProofError::Witnesses(_)) => "proof",
        BundleError::Record { .. } => "record",
        _ => "form",
    }
}
