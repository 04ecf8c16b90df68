//! Replay gives everybody the same state, and a bundle gives the state back.

use proptest::prelude::*;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::EntryType;
use trust::entry::IncidentBody;
use trust::entry::Reason;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::entry::TombstoneBody;
use trust::state::Projecting;
use trust::state::Refusal;
use trust::state::State;
use trust::status_bits::StatusBits;
use trust::status_bits::compact_digest;

use crate::nation::*;

/// One step of a nation's life; what does not fit the state is refused and changes nothing.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Admit(u8),
    Serve { agency: u8, asserts: bool },
    Grant { agency: u8, action: u8, resource: u8 },
    Delegate { grant: u8, agency: u8, days: u8 },
    Amend { grant: u8, resource: u8, depth: u8 },
    Suspend { grant: u8, officer: Option<u8> },
    Reinstate(u8),
    Revoke(u8),
    Commit { agency: u8, shape: u8, distance: u32 },
    EndList { agency: u8, shape: u8 },
    Declare { agency: u8, key: bool, officer: Option<u8> },
    Withdraw { agency: u8, key: bool },
    End { agency: u8, grant: Option<u8> },
    Snapshot(u32),
}

/// The shapes of the lists that each agency commits to: bits, capacity, encoding. The largest has two chunks.
pub(crate) const SHAPES: [(u8, u64, StatusEncoding); 5] = [
    (1, 1_024, StatusEncoding::GolombRice),
    (2, 999, StatusEncoding::GolombRice),
    (4, 300, StatusEncoding::Zlib),
    (8, 77, StatusEncoding::GolombRice),
    (1, 140_000, StatusEncoding::GolombRice),
];

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8).prop_map(Step::Admit),
        (2..4_u8, prop::bool::weighted(0.8)).prop_map(|(agency, asserts)| Step::Serve { agency, asserts }),
        (0..4_u8, 0..3_u8, 0..2_u8).prop_map(|(agency, action, resource)| Step::Grant {
            agency,
            action,
            resource
        }),
        (0..6_u8, 0..4_u8, 1..200_u8).prop_map(|(grant, agency, days)| Step::Delegate { grant, agency, days }),
        (0..6_u8, 0..2_u8, 0..3_u8).prop_map(|(grant, resource, depth)| Step::Amend { grant, resource, depth }),
        (0..6_u8, prop::option::of(0..3_u8)).prop_map(|(grant, officer)| Step::Suspend { grant, officer }),
        (0..6_u8).prop_map(Step::Reinstate),
        (0..6_u8).prop_map(Step::Revoke),
        (0..4_u8, 0..5_u8, 1..5_000_u32).prop_map(|(agency, shape, distance)| Step::Commit {
            agency,
            shape,
            distance
        }),
        (0..4_u8, 0..5_u8).prop_map(|(agency, shape)| Step::EndList { agency, shape }),
        (0..4_u8, any::<bool>(), prop::option::of(0..3_u8)).prop_map(|(agency, key, officer)| Step::Declare {
            agency,
            key,
            officer
        }),
        (0..4_u8, any::<bool>()).prop_map(|(agency, key)| Step::Withdraw { agency, key }),
        (0..4_u8, prop::option::of(0..6_u8)).prop_map(|(agency, grant)| Step::End { agency, grant }),
        (0..300_000_u32).prop_map(Step::Snapshot),
    ]
}

/// Four agencies, whose keys and DIDs are the same each time. The last one has a did:web.
pub(crate) fn agencies() -> Vec<Agency> {
    let agency = |number: u8| {
        let new = if number == 3 { Agency::web } else { Agency::new };
        new(&format!("agency-{number}"), 20 + number)
    };
    (0..4).map(agency).collect()
}

/// A nation with two schemas and this life, that ends in a Snapshot.
pub(crate) fn nation_after(steps: &[Step], agencies: &[Agency]) -> Nation {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    nation.publish(LICENCE);
    for (step, count) in steps.iter().zip(1..) {
        // `append` inside checks that a refusal changes nothing.
        let _ = perform(&mut nation, agencies, count, step);
    }
    nation.snapshot(nation.state.time().plus(60));
    nation
}

fn perform(nation: &mut Nation, agencies: &[Agency], count: u64, step: &Step) -> Result<(), Refusal> {
    let id = |number: &u8| format!("grant-{number}");
    let number = |count: u64| format!("grant-{}", count % 6);
    let incident_subject = |agency: &u8, key: bool| {
        let agency = &agencies[usize::from(*agency)];
        if key { agency.method() } else { agency.did.clone() }
    };
    let by = |nation: &mut Nation, draft: &Draft, officer: &Option<u8>| {
        let officers = officer.map_or_else(|| vec![0, 1], |officer| vec![officer]);
        nation.append(&approved(draft, &officers))
    };
    match step {
        Step::Admit(number) => nation.log_did(&agencies[usize::from(*number)]),
        Step::Serve { agency, asserts } => serve(nation, &agencies[usize::from(*agency)].did, 20 + agency, *asserts),
        Step::Grant {
            agency,
            action,
            resource,
        } => {
            let action = [Action::Issue, Action::Publish, Action::Verify][usize::from(*action)];
            let resource = [IDENTITY, LICENCE][usize::from(*resource)];
            let mut terms = grant(&agencies[usize::from(*agency)].did, action, &[resource]);
            terms.delegation_depth = 2;
            nation.grant(&number(count), terms)
        }
        Step::Delegate { grant, agency, days } => {
            let to = &agencies[usize::from(*agency)].did;
            delegate(nation, agencies, &id(grant), &number(count), to, i64::from(*days))
        }
        Step::Amend { grant, resource, depth } => amend(nation, &id(grant), usize::from(*resource), u64::from(*depth)),
        Step::Suspend { grant, officer } => {
            let body = AccreditationBody::Suspend {
                reason: Reason::NonCompliance,
                emergency: officer.is_some(),
            };
            let draft = nation.draft(&id(grant), Body::Accreditation(body));
            by(nation, &draft, officer)
        }
        Step::Reinstate(grant) => {
            let body = AccreditationBody::Reinstate {
                reason: Reason::Unspecified,
            };
            nation.govern(&id(grant), Body::Accreditation(body))
        }
        Step::Revoke(grant) => {
            let body = AccreditationBody::Revoke {
                reason: Reason::Withdrawn,
                since: None,
            };
            nation.govern(&id(grant), Body::Accreditation(body))
        }
        Step::Commit {
            agency,
            shape,
            distance,
        } => commit(
            nation,
            &agencies[usize::from(*agency)],
            usize::from(*shape),
            *distance,
            count,
        ),
        Step::EndList { agency, shape } => {
            let agency = &agencies[usize::from(*agency)];
            let (lists, ended) = (Vec::new(), vec![list_of_shape(agency, usize::from(*shape))]);
            nation.commit_lists(agency, StatusCommitBody { lists, ended })
        }
        Step::Declare { agency, key, officer } => {
            let body = IncidentBody::Declare {
                invalid_since: nation.state.time(),
                backdating: if *key {
                    Backdating::Refuse
                } else {
                    Backdating::AcceptBefore
                },
                emergency: officer.is_some(),
                reason: Reason::KeyCompromise,
            };
            let draft = nation.draft(&incident_subject(agency, *key), Body::Incident(body));
            by(nation, &draft, officer)
        }
        Step::Withdraw { agency, key } => {
            let reason = Reason::Unspecified;
            let body = Body::Incident(IncidentBody::Withdraw { reason });
            nation.govern(&incident_subject(agency, *key), body)
        }
        Step::End { agency, grant } => {
            let (target, subject) = match grant {
                Some(grant) => (EntryType::Accreditation, id(grant)),
                None => (EntryType::DidEvent, incident_subject(agency, false)),
            };
            let reason = Reason::CeasedOperation;
            nation.govern(&subject, Body::Tombstone(TombstoneBody { target, reason }))
        }
        Step::Snapshot(seconds) => {
            // Even ones as `nation_after` makes its last, so that a nation's log can begin with another's.
            let projecting = [Projecting::IfDue, Projecting::Anew][usize::from(!seconds.is_multiple_of(2))];
            let time = nation.state.time().plus(i64::from(*seconds));
            nation.append(&nation.snapshot_leaf_with(time, projecting))
        }
    }
}

/// Officers log what this website serves from now on. A did:webvh has none that counts.
fn serve(nation: &mut Nation, did: &str, number: u8, asserts: bool) -> Result<(), Refusal> {
    nation.log_document(did, &web_document(did, number, asserts))
}

/// What has this accreditation passes it on, for so many days.
fn delegate(
    nation: &mut Nation,
    agencies: &[Agency],
    parent: &str,
    id: &str,
    to: &str,
    days: i64,
) -> Result<(), Refusal> {
    let Some(above) = nation.state.accreditation_record(parent) else {
        return Ok(());
    };
    let mut terms = above.grant().clone();
    terms.parent = Some(parent.to_owned());
    terms.listing = None;
    terms.valid_until = nation.state.time().plus(days * DAY).min(terms.valid_until);
    terms.delegation_depth = terms.delegation_depth.saturating_sub(1);
    let from = agencies.iter().find(|agency| agency.did == terms.entity).unwrap();
    to.clone_into(&mut terms.entity);
    let body = Body::Accreditation(AccreditationBody::Grant(terms));
    let leaf = from.approved(&nation.draft_by(&from.did, id, body));
    nation.append(&leaf)
}

fn amend(nation: &mut Nation, id: &str, resource: usize, depth: u64) -> Result<(), Refusal> {
    let Some(record) = nation.state.accreditation_record(id) else {
        return Ok(());
    };
    let mut terms = record.grant().clone();
    [IDENTITY, LICENCE][resource].clone_into(&mut terms.resources[0].id);
    terms.delegation_depth = depth;
    nation.govern(id, Body::Accreditation(AccreditationBody::Amend(terms)))
}

fn commit(nation: &mut Nation, agency: &Agency, shape: usize, distance: u32, epoch: u64) -> Result<(), Refusal> {
    let next_update = nation.state.time().plus(DAY);
    let uri = list_of_shape(agency, shape);
    let encoding = SHAPES[shape].2;
    let (mut list, mut compact) = committed(&uri, &scattered(shape, distance), encoding, epoch, next_update);
    // Nobody who cosigns has the bytes, so an issuer can commit to broken ones. They fall into chunks all the
    // same, or nobody could tell their digest.
    let mut broken = compact.clone();
    let middle = 3 + usize::try_from(distance).unwrap() % (compact.len() - 3);
    broken[middle] ^= 1 << (distance % 7);
    if let (true, Ok(digest)) = (distance.is_multiple_of(4), compact_digest(encoding, &broken)) {
        (list.compact, compact) = (digest, broken);
    }
    nation.blobs.push(compact);
    let (lists, ended) = (vec![list], Vec::new());
    nation.commit_lists(agency, StatusCommitBody { lists, ended })
}

/// Where an agency's list of this shape is.
pub(crate) fn list_of_shape(agency: &Agency, shape: usize) -> String {
    format!("{}-{shape}", list_uri(agency))
}

/// A list of this shape with a status other than 0 about every so many indices, or full of them.
fn scattered(shape: usize, distance: u32) -> StatusBits {
    let (bits, capacity, _) = SHAPES[shape];
    let per_byte = u64::from(8 / bits);
    let mut bytes = vec![0_u8; usize::try_from(capacity.div_ceil(per_byte)).unwrap()];
    // Distances between half and one and a half of it: every parameter of the coding comes up.
    let mut index = u64::from(distance % 7);
    while index < capacity {
        let status = 1 + index % ((1 << bits) - 1);
        let byte = &mut bytes[usize::try_from(index / per_byte).unwrap()];
        *byte |= u8::try_from(status << ((index % per_byte) * u64::from(bits))).unwrap();
        index += u64::from(distance / 2) + 1 + index % u64::from(distance);
    }
    StatusBits::new(bits, capacity, bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn replay_is_deterministic_and_bundles_give_the_state_back(steps in prop::collection::vec(step(), 1..40)) {
        let agencies = agencies();
        let nation = nation_after(&steps, &agencies);
        let mut replayed = State::new(nation.state.anchor().clone());
        for (index, leaf) in (0..).zip(&nation.leaves) {
            prop_assert_eq!(replayed.apply(index, leaf), Ok(()));
        }
        prop_assert_eq!(replayed.digest(), nation.state.digest());
        prop_assert_eq!(replayed.sections(), nation.state.sections());

        let bytes = nation.bundle();
        let bundle = TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default()).unwrap();
        prop_assert_eq!(bundle.state().digest(), nation.state.digest());
        prop_assert_eq!(bundle.state().size(), nation.state.size());
        prop_assert_eq!(bundle.state().time(), nation.state.time());
        let now = nation.state.time();
        for agency in &agencies {
            prop_assert_eq!(bundle.document(&agency.did), nation.state.document(&agency.did));
            for resource in [IDENTITY, LICENCE] {
                let of = |state: &State| state.accreditation(&agency.did, Action::Issue, resource, now).map(|found| found.status);
                prop_assert_eq!(of(bundle.state()), of(&nation.state));
            }
        }
        // What was read back makes the same bundle, and goes on like the original.
        let last = nation.leaves.last().unwrap();
        let proof = nation.proof(nation.state.size() - 1, nation.witnessed(&[(0, now), (1, now)]));
        let again = trust::bundle::export(bundle.state(), last, &proof, |digest| nation.blob(digest)).unwrap();
        prop_assert_eq!(again, bytes);
        let next = nation.snapshot_leaf_with(now.plus(60), Projecting::Anew);
        let mut restored = bundle.state().clone();
        prop_assert_eq!(restored.apply(restored.size(), &next), Ok(()));
    }
}

#[test]
fn reordered_left_out_or_repeated_entries_are_refused() {
    let (nation, _) = Nation::with_issuer();
    let replay = |leaves: &[Vec<u8>]| {
        let mut state = State::new(nation.state.anchor().clone());
        let mut results = (0..).zip(leaves).map(|(index, leaf)| state.apply(index, leaf));
        results.find_map(Result::err)
    };
    assert_eq!(replay(&nation.leaves), None);
    for at in 1..nation.leaves.len() - 1 {
        let mut reordered = nation.leaves.clone();
        reordered.swap(at, at + 1);
        let mut shorter = nation.leaves.clone();
        shorter.remove(at);
        let mut repeated = nation.leaves.clone();
        repeated.insert(at, nation.leaves[at].clone());
        // Not every order matters to the rules of the entries, but to the digest of the Snapshot it does.
        for changed in [reordered, shorter, repeated] {
            assert!(replay(&changed).is_some(), "{at}");
        }
    }
}

#[test]
fn entry_at_another_index_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let leaf = nation.snapshot_leaf(nation.state.time());
    let expected = nation.state.size();
    for found in [expected - 1, expected + 1] {
        assert_eq!(
            nation.state.apply(found, &leaf),
            Err(Refusal::Index { expected, found })
        );
    }
}
