//! Who signs a draft: what services and officers' programs are told beforehand is what the rules say in the end.

use keys::Algorithm;
use keys::Signer as _;
use trust::entry::ApprovalSignature;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Recovery;
use trust::entry::SchemaBody;
use trust::merkle::Hash;
use trust::state::Refusal;

use crate::nation::*;

fn digest_of_key(number: u8) -> Hash {
    Hash::digest(public(number).to_multikey().as_bytes())
}

/// Officer 1 has key 1 and committed to key 61, the others have keys 2 and 3; recovery keys are 70 and 71.
fn nation() -> Nation {
    let mut policy = policy();
    policy.authorities[0].officers[0].next = Some(digest_of_key(61));
    let mut keys = [70, 71].map(digest_of_key).to_vec();
    keys.sort();
    policy.recovery = Some(Recovery {
        threshold: 2,
        keys,
        delay: 7 * 86_400,
    });
    Nation::with_policy(policy).unwrap()
}

/// The Policy in force with officer 1's next key in office.
fn next_policy(nation: &Nation) -> PolicyBody {
    let mut policy = nation.state.policy().unwrap().body().clone();
    policy.genesis_time = None;
    policy.authorities[0].officers[0].key = public(61);
    policy.authorities[0].officers[0].next = None;
    policy
}

/// A draft that everybody signs with the key in office, a change of the Policy, and a recovery.
fn drafts(nation: &Nation) -> [Draft; 3] {
    let regular = next_policy(nation);
    let recovery = PolicyBody {
        kind: PolicyKind::Recovery,
        ..regular.clone()
    };
    [
        nation.draft(IDENTITY, Body::Schema(SchemaBody::Publish(schema(IDENTITY)))),
        nation.draft(ORIGIN, Body::Policy(regular)),
        nation.draft(ORIGIN, Body::Policy(recovery)),
    ]
}

#[test]
fn the_key_says_who_signs_and_whether_it_is_revealed() {
    let nation = nation();
    let [schema, regular, recovery] = drafts(&nation);
    let signer = |draft: &Draft, number: u8| {
        let approver = nation.state.approver(draft, &public(number).to_multikey())?;
        let key = key(number);
        let signature = key.fulfil(approver.sign(draft, key.public_key())).unwrap();
        assert_eq!(nation.state.check_approver(draft, &signature), Ok(()), "{number}");
        Some((approver.signer().to_owned(), signature.revealed_key().is_some()))
    };
    let officer = |number: usize, reveals| Some((OFFICERS[number].to_owned(), reveals));
    assert_eq!(signer(&schema, 1), officer(0, false));
    assert_eq!(signer(&schema, 2), officer(1, false));
    assert_eq!(signer(&regular, 61), officer(0, true));
    assert_eq!(signer(&regular, 2), officer(1, false));
    assert_eq!(signer(&recovery, 70), Some((digest_of_key(70).to_string(), true)));
    for (draft, numbers) in [
        (&schema, [61, 70, 9].as_slice()),
        (&regular, &[1, 70, 9]),
        (&recovery, &[1, 2, 61, 9]),
    ] {
        for number in numbers {
            assert_eq!(signer(draft, *number), None, "{number}");
        }
    }
}

#[test]
fn a_signature_that_the_rules_would_refuse_does_not_count() {
    let nation = nation();
    let [schema, regular, recovery] = drafts(&nation);
    let plain = |draft: &Draft, name: &str, number: u8| {
        let request = draft.sign(name, Algorithm::EdDsa);
        key(number).fulfil(request).unwrap()
    };
    let revealing = |draft: &Draft, name: &str, number: u8| {
        let key = key(number);
        key.fulfil(draft.sign_revealing(name, key.public_key())).unwrap()
    };
    let check = |draft: &Draft, signature: &ApprovalSignature| nation.state.check_approver(draft, signature);
    let committed = |signer: &str| {
        Err(Refusal::CommittedKey {
            signer: signer.to_owned(),
        })
    };
    let [first, second, _] = OFFICERS;
    assert_eq!(check(&schema, &revealing(&schema, second, 2)), committed(second));
    assert_eq!(check(&regular, &plain(&regular, first, 1)), committed(first));
    assert_eq!(check(&regular, &revealing(&regular, second, 2)), committed(second));
    let digest = digest_of_key(70).to_string();
    assert_eq!(check(&recovery, &plain(&recovery, &digest, 70)), committed(&digest));
    let unknown = Err(Refusal::RecoveryKey {
        found: first.to_owned(),
    });
    assert_eq!(check(&recovery, &revealing(&recovery, first, 70)), unknown);
    assert!(check(&recovery, &revealing(&recovery, &digest, 70)).is_ok());
    let borrowed = check(&schema, &plain(&schema, second, 1));
    assert_eq!(
        borrowed,
        Err(Refusal::Signature {
            signer: second.to_owned()
        })
    );
    let unknown = check(&schema, &plain(&schema, "operator", 9));
    assert_eq!(
        unknown,
        Err(Refusal::Signer {
            found: "operator".to_owned()
        })
    );
    let stale = Draft {
        policy: Hash::ZERO,
        ..schema.clone()
    };
    assert!(matches!(
        check(&stale, &plain(&stale, second, 2)),
        Err(Refusal::Policy { .. })
    ));
}

/// The key that signs a change has to be the one that the change puts into office.
#[test]
fn an_officer_who_reveals_a_key_gets_it() {
    let nation = nation();
    let mut policy = next_policy(&nation);
    policy.authorities[0].officers[0].key = public(1);
    let draft = nation.draft(ORIGIN, Body::Policy(policy));
    let key = key(61);
    let approver = nation.state.approver(&draft, &key.public_key().to_multikey()).unwrap();
    let signature = key.fulfil(approver.sign(&draft, key.public_key())).unwrap();
    let refused = Err(Refusal::NextKey {
        officer: OFFICERS[0].to_owned(),
    });
    assert_eq!(nation.state.check_approver(&draft, &signature), refused);
}

#[test]
fn what_may_follow_is_known_before_anybody_signs() {
    let nation = nation();
    let good = next_policy(&nation);
    let check = |ns: &str, policy: &PolicyBody| nation.state.check_next_policy(ns, policy);
    assert_eq!(check(AUTHORITY, &good), Ok(()));
    assert_eq!(
        check("ministry", &good),
        Err(Refusal::Authority {
            found: "ministry".to_owned()
        })
    );
    let mut moved = good.clone();
    moved.authorities[0].officers[0].key = public(62);
    assert!(matches!(check(AUTHORITY, &moved), Err(Refusal::NextKey { .. })));
    let mut alone = good;
    alone.authorities[0].threshold = 1;
    assert!(matches!(check(AUTHORITY, &alone), Err(Refusal::PolicyContent { .. })));
}
