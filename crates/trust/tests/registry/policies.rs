//! Who governs, and how that changes.

use keys::Algorithm;
use keys::Signer as _;
use trust::Anchor;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Recovery;
use trust::merkle::Hash;
use trust::state::Refusal;
use trust::state::State;

use crate::nation::*;

/// A Policy that may follow the genesis Policy.
fn next_policy() -> PolicyBody {
    PolicyBody {
        genesis_time: None,
        methods: vec!["webvh".to_owned()],
        ..policy()
    }
}

fn change(nation: &mut Nation, policy: PolicyBody) -> Result<(), Refusal> {
    nation.govern(ORIGIN, Body::Policy(policy))
}

fn digest_of_key(number: u8) -> Hash {
    Hash::digest(public(number).to_multikey().as_bytes())
}

#[test]
fn a_quorum_changes_the_policy_and_old_approvals_end() {
    let mut nation = Nation::new();
    let stale = nation.draft(
        IDENTITY,
        Body::Schema(trust::entry::SchemaBody::Publish(schema(IDENTITY))),
    );
    change(&mut nation, next_policy()).unwrap();
    assert_eq!(nation.state.policy().unwrap().body().methods, ["webvh"]);
    let in_force = nation.state.policy().unwrap().hash();
    let result = nation.append(&approved(&stale, &[0, 1]));
    assert_eq!(
        result,
        Err(Refusal::Policy {
            expected: in_force,
            found: stale.policy
        })
    );
}

#[test]
fn policy_by_too_few_is_refused() {
    let mut nation = Nation::new();
    let leaf = approved(&nation.draft(ORIGIN, Body::Policy(next_policy())), &[2]);
    assert_eq!(nation.append(&leaf), Err(Refusal::Signatures { expected: 2, found: 1 }));
}

#[test]
fn policy_signed_by_its_own_new_officers_is_refused() {
    let mut nation = Nation::new();
    let mut usurped = next_policy();
    for (officer, number) in usurped.authorities[0].officers.iter_mut().zip(60..) {
        officer.key = public(number);
    }
    let draft = nation.draft(ORIGIN, Body::Policy(usurped));
    let signatures = [(0, 60), (1, 61)].map(|(officer, number)| {
        key(number)
            .fulfil(draft.sign(OFFICERS[officer], Algorithm::EdDsa))
            .unwrap()
    });
    let leaf = draft.assemble(signatures.to_vec()).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signature {
            signer: OFFICERS[0].to_owned()
        })
    );
}

#[test]
fn expired_policy_change_is_refused() {
    let mut nation = Nation::new();
    let draft = nation.draft(ORIGIN, Body::Policy(next_policy()));
    nation.snapshot(draft.expires);
    let result = nation.append(&approved(&draft, &[0, 1]));
    assert_eq!(
        result,
        Err(Refusal::Expired {
            time: draft.expires,
            expires: draft.expires
        })
    );
}

#[test]
fn unsound_policies_are_refused() {
    let changes: [Change<PolicyBody>; 13] = [
        Change("a tlog-policy", |policy| policy.witness_policy = "quorum\n".to_owned()),
        Change("a log in its tlog-policy", |policy| {
            let (_, witnesses) = policy.witness_policy.split_once('\n').unwrap();
            policy.witness_policy = witnesses.to_owned();
        }),
        Change("logs of this origin only", |policy| {
            let other =
                trust::note::VerifierKey::new("other.example", trust::note::SignatureType::Ed25519, public(101));
            policy.witness_policy = format!("log {}\n{}", other.unwrap(), policy.witness_policy);
        }),
        Change("a quorum of witnesses", |policy| {
            policy.witness_policy = policy.witness_policy.replace("quorum both", "quorum none");
        }),
        Change("a state quorum that its tlog-policy defines", |policy| {
            policy.state_quorum = "nobody".to_owned();
        }),
        Change("authorities that are not named like DIDs", |policy| {
            policy.authorities[0].id = "did:x:y".to_owned();
        }),
        Change("authorities with names of their own", |policy| {
            policy.authorities.push(policy.authorities[0].clone());
        }),
        Change("thresholds from 2 to the number of officers", |policy| {
            policy.authorities[0].threshold = 1;
        }),
        Change("thresholds from 2 to the number of officers", |policy| {
            policy.authorities[0].threshold = 4;
        }),
        Change("no key twice", |policy| {
            policy.authorities[0].officers[2].key = public(2);
        }),
        Change("no key twice", |policy| {
            policy.authorities[0].officers[2].key = public(110);
        }),
        Change("officers' keys of allowed algorithms", |policy| {
            policy.algorithms = vec![Algorithm::Es256];
        }),
        Change("a governing authority without a scope", |policy| {
            policy.authorities[0].scope = Some(Vec::new());
        }),
    ];
    for Change(expected, change_policy) in changes {
        let mut nation = Nation::new();
        let mut unsound = next_policy();
        change_policy(&mut unsound);
        let draft = nation.draft(ORIGIN, Body::Policy(unsound));
        let result = nation.append(&approved(&draft, &[0, 1]));
        assert_eq!(result, Err(Refusal::PolicyContent { expected }), "{expected}");
    }
    change(&mut Nation::new(), next_policy()).unwrap();
}

#[test]
fn unsound_recoveries_are_refused() {
    let keys = || {
        let mut keys: Vec<Hash> = [70, 71, 72].map(digest_of_key).to_vec();
        keys.sort();
        keys
    };
    let day = 86_400;
    for (threshold, delay, good) in [
        (2, 3 * day, true),
        (1, 3 * day, false),
        (4, 3 * day, false),
        (2, 3 * day - 1, false),
        (2, 400 * day, false),
    ] {
        let recovery = Some(Recovery {
            threshold,
            keys: keys(),
            delay,
        });
        let result = change(
            &mut Nation::new(),
            PolicyBody {
                recovery,
                ..next_policy()
            },
        );
        assert_eq!(result.is_ok(), good, "{threshold} {delay} {result:?}");
    }
}

/// spec/registry.md, section 2.3: -9, -51, -19.
#[test]
fn algorithms_come_in_the_order_of_the_text() {
    let policy = |algorithms: &[Algorithm]| PolicyBody {
        algorithms: algorithms.to_vec(),
        ..next_policy()
    };
    let all = trust::entry::APPROVAL_ALGORITHMS;
    change(&mut Nation::new(), policy(&all)).unwrap();
    let [es256, es384, eddsa] = all;
    for others in [
        [es384, es256, eddsa].as_slice(),
        &[es256, eddsa, es384],
        &[es256, es256, eddsa],
        &[],
    ] {
        let result = change(&mut Nation::new(), policy(others));
        assert!(matches!(result, Err(Refusal::Decode(_))), "{others:?} {result:?}");
    }
}

#[test]
fn genesis_time_in_a_later_policy_is_refused() {
    let policy = PolicyBody {
        genesis_time: Some(GENESIS),
        ..next_policy()
    };
    let expected = "a genesis time in the genesis Policy only";
    assert_eq!(
        change(&mut Nation::new(), policy),
        Err(Refusal::PolicyContent { expected })
    );
}

#[test]
fn policy_of_another_subject_is_refused() {
    let mut nation = Nation::new();
    let result = nation.govern("other.example", Body::Policy(next_policy()));
    assert_eq!(
        result,
        Err(Refusal::Identity {
            member: "subject",
            expected: "the origin"
        })
    );
}

#[test]
fn genesis_that_is_not_the_anchor_s_is_refused() {
    let nation = Nation::new();
    let mut other = policy();
    other.genesis_time = Some(GENESIS.plus(1));
    let leaf = approved(&Draft::genesis(ORIGIN, other), &[0, 1]);
    let mut state = State::new(nation.state.anchor().clone());
    assert_eq!(state.apply(0, &leaf), Err(Refusal::Genesis));
    // Nor does anything but a Policy begin a log.
    assert_eq!(state.apply(0, &nation.snapshot_leaf(GENESIS)), Err(Refusal::Genesis));
    assert_eq!(state.apply(0, &nation.leaves[0]), Ok(()));
}

#[test]
fn genesis_with_another_log_key_than_the_anchor_is_refused() {
    let nation = Nation::new();
    let log = trust::note::VerifierKey::new(ORIGIN, trust::note::SignatureType::Ed25519, public(99)).unwrap();
    let anchor = Anchor::new(log, nation.state.anchor().genesis()).unwrap();
    assert_eq!(State::new(anchor).apply(0, &nation.leaves[0]), Err(Refusal::Genesis));
}

#[test]
fn genesis_without_a_quorum_of_its_officers_is_refused() {
    let leaf = approved(&Draft::genesis(ORIGIN, policy()), &[0]);
    assert_eq!(
        Nation::with_genesis(&leaf).err(),
        Some(Refusal::Signatures { expected: 2, found: 1 })
    );
}

// Pre-committed keys.

/// A nation whose first officer committed to key 61 as the next one.
fn with_commitment() -> Nation {
    let mut policy = policy();
    policy.authorities[0].officers[0].next = Some(digest_of_key(61));
    Nation::with_policy(policy).unwrap()
}

/// The change by officer 0 with `first` and officer 1 as usual.
fn change_with(nation: &mut Nation, policy: PolicyBody, reveal: bool, first: u8) -> Result<(), Refusal> {
    let draft = nation.draft(ORIGIN, Body::Policy(policy));
    let signer = key(first);
    let request = if reveal {
        draft.sign_revealing(OFFICERS[0], signer.public_key())
    } else {
        draft.sign(OFFICERS[0], Algorithm::EdDsa)
    };
    let second = key(2).fulfil(draft.sign(OFFICERS[1], Algorithm::EdDsa)).unwrap();
    let leaf = draft.assemble(vec![signer.fulfil(request).unwrap(), second]).unwrap();
    nation.append(&leaf)
}

fn with_first_key(number: u8) -> PolicyBody {
    let mut policy = next_policy();
    policy.authorities[0].officers[0].key = public(number);
    policy
}

#[test]
fn officer_rotates_to_the_committed_key() {
    let mut nation = with_commitment();
    change_with(&mut nation, with_first_key(61), true, 61).unwrap();
    assert_eq!(
        nation.state.policy().unwrap().body().authorities[0].officers[0].key,
        public(61)
    );
}

#[test]
fn policy_signed_with_the_key_of_daily_use_is_refused_where_a_next_one_is_committed() {
    let mut nation = with_commitment();
    let refused = Err(Refusal::CommittedKey {
        signer: OFFICERS[0].to_owned(),
    });
    assert_eq!(change_with(&mut nation, with_first_key(1), false, 1), refused);
    // Nor with a key of the thief's own.
    assert_eq!(change_with(&mut nation, with_first_key(1), true, 62), refused);
}

#[test]
fn key_revealed_where_none_was_committed_is_refused() {
    let mut nation = Nation::new();
    let refused = Err(Refusal::CommittedKey {
        signer: OFFICERS[0].to_owned(),
    });
    assert_eq!(change_with(&mut nation, with_first_key(61), true, 61), refused);
}

#[test]
fn officer_s_key_that_changes_to_another_than_the_committed_one_is_refused() {
    let refused = Err(Refusal::NextKey {
        officer: OFFICERS[0].to_owned(),
    });
    // The officer signs with the revealed key, and the Policy gives another one.
    assert_eq!(
        change_with(&mut with_commitment(), with_first_key(62), true, 61),
        refused
    );
    // The others change the key of an officer who does not sign.
    let mut nation = with_commitment();
    let draft = nation.draft(ORIGIN, Body::Policy(with_first_key(62)));
    assert_eq!(nation.append(&approved(&draft, &[1, 2])), refused);
    let draft = nation.draft(ORIGIN, Body::Policy(with_first_key(61)));
    nation.append(&approved(&draft, &[1, 2])).unwrap();
}

// Recovery.

const DELAY: i64 = 7 * DAY;

/// A nation with 2 of 3 recovery keys (70 to 72) and a delay of a week.
fn with_recovery() -> Nation {
    let mut keys: Vec<Hash> = [70, 71, 72].map(digest_of_key).to_vec();
    keys.sort();
    let recovery = Some(Recovery {
        threshold: 2,
        keys,
        delay: u64::try_from(DELAY).unwrap(),
    });
    Nation::with_policy(PolicyBody { recovery, ..policy() }).unwrap()
}

/// New officers with keys 80 to 82.
fn recovered() -> PolicyBody {
    let mut policy = PolicyBody {
        kind: PolicyKind::Recovery,
        ..next_policy()
    };
    for (officer, number) in policy.authorities[0].officers.iter_mut().zip(80..) {
        officer.key = public(number);
    }
    policy
}

fn recover(nation: &mut Nation, policy: PolicyBody, recovery_keys: &[u8]) -> Result<(), Refusal> {
    let draft = nation.draft(ORIGIN, Body::Policy(policy));
    let signature = |number: &u8| {
        let signer = key(*number);
        let request = draft.sign_revealing(&digest_of_key(*number).to_string(), signer.public_key());
        signer.fulfil(request).unwrap()
    };
    let leaf = draft.assemble(recovery_keys.iter().map(signature).collect()).unwrap();
    nation.append(&leaf)
}

#[test]
fn recovery_takes_effect_after_its_delay() {
    let mut nation = with_recovery();
    let before = nation.state.policy().unwrap().hash();
    recover(&mut nation, recovered(), &[70, 72]).unwrap();
    assert_eq!(nation.state.policy().unwrap().hash(), before);
    assert_eq!(nation.state.pending_recovery().unwrap().1, GENESIS.plus(DELAY));
    nation.snapshot(GENESIS.plus(DELAY - 1));
    assert_eq!(nation.state.policy().unwrap().hash(), before);
    nation.snapshot(GENESIS.plus(DELAY));
    assert_eq!(nation.state.policy().unwrap().body(), &recovered());
    assert!(nation.state.pending_recovery().is_none());
    // A bundle carries both Policies, and the chain verifies offline.
    trust::TrustedBundle::load(
        &nation.bundle(),
        nation.state.anchor(),
        trust::bundle::Limits::default(),
    )
    .unwrap();
}

#[test]
fn officers_cancel_a_recovery_within_its_delay() {
    let mut nation = with_recovery();
    recover(&mut nation, recovered(), &[70, 72]).unwrap();
    nation.snapshot(GENESIS.plus(DELAY - 1));
    change(&mut nation, next_policy()).unwrap();
    nation.snapshot(GENESIS.plus(2 * DELAY));
    assert_eq!(nation.state.policy().unwrap().body(), &next_policy());
    trust::TrustedBundle::load(
        &nation.bundle(),
        nation.state.anchor(),
        trust::bundle::Limits::default(),
    )
    .unwrap();
}

#[test]
fn recovery_by_too_few_or_other_keys_is_refused() {
    let mut nation = with_recovery();
    assert_eq!(
        recover(&mut nation, recovered(), &[70]),
        Err(Refusal::Signatures { expected: 2, found: 1 })
    );
    let unknown = |number: u8| {
        let found = digest_of_key(number).to_string();
        Err(Refusal::RecoveryKey { found })
    };
    // Signers are ascending, and the first one that does not count is told.
    let first = [73, 74]
        .into_iter()
        .min_by_key(|number| digest_of_key(*number))
        .unwrap();
    assert_eq!(recover(&mut nation, recovered(), &[73, 74]), unknown(first));
    assert_eq!(recover(&mut nation, recovered(), &[70, 73]), unknown(73));
    // The officers have other means.
    let leaf = approved(&nation.draft(ORIGIN, Body::Policy(recovered())), &[0, 1]);
    assert!(matches!(nation.append(&leaf), Err(Refusal::RecoveryKey { .. })));
    // In the name of a recovery key with another one, or without revealing it.
    let draft = nation.draft(ORIGIN, Body::Policy(recovered()));
    let named = digest_of_key(70).to_string();
    let genuine = key(72).fulfil(draft.sign_revealing(&digest_of_key(72).to_string(), key(72).public_key()));
    let genuine = genuine.unwrap();
    for request in [
        draft.sign_revealing(&named, key(73).public_key()),
        draft.sign(&named, Algorithm::EdDsa),
    ] {
        let borrowed = key(73).fulfil(request).unwrap();
        let leaf = draft.assemble(vec![borrowed, genuine.clone()]).unwrap();
        let refused = Err(Refusal::CommittedKey { signer: named.clone() });
        assert_eq!(nation.append(&leaf), refused);
    }
}

/// Signers are told apart by their names, so a recovery key has one only: its digest in lower case.
#[test]
fn recovery_by_the_same_key_twice_is_refused() {
    let mut nation = with_recovery();
    let draft = nation.draft(ORIGIN, Body::Policy(recovered()));
    let digest = digest_of_key(70).to_string();
    let signed_as = |name: &str| {
        let signer = key(70);
        signer.fulfil(draft.sign_revealing(name, signer.public_key())).unwrap()
    };
    let twice = draft.assemble(vec![signed_as(&digest), signed_as(&digest)]);
    assert!(twice.is_err(), "{twice:?}");
    let other_name = digest.to_uppercase();
    let leaf = draft
        .assemble(vec![signed_as(&digest), signed_as(&other_name)])
        .unwrap();
    let refused = Err(Refusal::RecoveryKey { found: other_name });
    assert_eq!(nation.append(&leaf), refused);
}

#[test]
fn recovery_that_changes_the_witnesses_is_refused() {
    let mut nation = with_recovery();
    let mut policy = recovered();
    policy.witness_policy = policy.witness_policy.replace("all", "any");
    let expected = "the same logs and witnesses in a recovery";
    assert_eq!(
        recover(&mut nation, policy, &[70, 72]),
        Err(Refusal::PolicyContent { expected })
    );
}

#[test]
fn second_recovery_while_one_is_pending_is_refused() {
    let mut nation = with_recovery();
    recover(&mut nation, recovered(), &[70, 72]).unwrap();
    assert_eq!(
        recover(&mut nation, recovered(), &[70, 71]),
        Err(Refusal::RecoveryPending)
    );
}

#[test]
fn recovery_without_recovery_keys_is_refused() {
    let mut nation = Nation::new();
    let expected = "recovery keys in the policy before";
    assert_eq!(
        recover(&mut nation, recovered(), &[70, 72]),
        Err(Refusal::PolicyContent { expected })
    );
}
