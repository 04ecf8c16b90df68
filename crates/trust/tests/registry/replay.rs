//! Replay gives everybody the same state, and a bundle gives the state back.

use proptest::prelude::*;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Reason;
use trust::state::Refusal;
use trust::state::State;

use crate::nation::*;

/// One step of a nation's life; what does not fit the state is refused and changes nothing.
#[derive(Clone, Debug)]
enum Step {
    Admit(u8),
    Grant { agency: u8, action: u8, resource: u8 },
    Suspend { grant: u8, officer: Option<u8> },
    Reinstate(u8),
    Revoke(u8),
    Commit { agency: u8, index: u16 },
    Snapshot(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..4_u8).prop_map(Step::Admit),
        (0..4_u8, 0..3_u8, 0..2_u8).prop_map(|(agency, action, resource)| Step::Grant {
            agency,
            action,
            resource
        }),
        (0..6_u8, prop::option::of(0..3_u8)).prop_map(|(grant, officer)| Step::Suspend { grant, officer }),
        (0..6_u8).prop_map(Step::Reinstate),
        (0..6_u8).prop_map(Step::Revoke),
        (0..4_u8, 0..1024_u16).prop_map(|(agency, index)| Step::Commit { agency, index }),
        (0..50_000_u16).prop_map(Step::Snapshot),
    ]
}

fn perform(nation: &mut Nation, agencies: &[Agency], count: &mut u64, step: &Step) -> Result<(), Refusal> {
    let id = |number: &u8| format!("grant-{number}");
    *count += 1;
    match step {
        Step::Admit(number) => {
            let agency = &agencies[usize::from(*number)];
            nation.log_lines(&agency.did, vec![agency.first_line.clone()])
        }
        Step::Grant {
            agency,
            action,
            resource,
        } => {
            let action = [Action::Issue, Action::Publish, Action::Verify][usize::from(*action)];
            let terms = grant(
                &agencies[usize::from(*agency)].did,
                action,
                &[[IDENTITY, LICENCE][usize::from(*resource)]],
            );
            nation.grant(&id(&(u8::try_from(*count % 6).unwrap())), terms)
        }
        Step::Suspend { grant, officer } => {
            let body = AccreditationBody::Suspend {
                reason: Reason::NonCompliance,
                emergency: officer.is_some(),
            };
            let draft = nation.draft(&id(grant), Body::Accreditation(body));
            let leaf = officer.map_or_else(|| approved(&draft, &[0, 1]), |officer| approved(&draft, &[officer]));
            nation.append(&leaf)
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
        Step::Commit { agency, index } => {
            nation.commit(&agencies[usize::from(*agency)], *count, &[usize::from(*index)])
        }
        Step::Snapshot(seconds) => {
            nation.snapshot(nation.state.time().plus(i64::from(*seconds)));
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn replay_is_deterministic_and_bundles_give_the_state_back(steps in prop::collection::vec(step(), 1..40)) {
        let agencies: Vec<Agency> = (0..4).map(|number| Agency::new(&format!("agency-{number}"), 20 + number)).collect();
        let mut nation = Nation::new();
        nation.publish(IDENTITY);
        nation.publish(LICENCE);
        let mut count = 0;
        for step in &steps {
            // `append` inside checks that a refusal changes nothing.
            let _ = perform(&mut nation, &agencies, &mut count, step);
        }
        nation.snapshot(nation.state.time().plus(60));

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
        let next = nation.snapshot_leaf(now.plus(60));
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
