//! Quorums, replay, expiry: each test breaks one check of an approval that is good otherwise.

use keys::Algorithm;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::merkle::Hash;
use trust::state::MAX_APPROVAL_LIFETIME;
use trust::state::Refusal;

use crate::nation::*;

/// A grant that officers 0 and 1 may approve as it is.
fn good_draft(nation: &Nation, agency: &Agency) -> Draft {
    nation.draft(
        "accreditation-2",
        Body::Accreditation(AccreditationBody::Grant(grant(&agency.did, Action::Verify, &[LICENCE]))),
    )
}

#[test]
fn two_of_three_officers_grant() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    nation.append(&approved(&draft, &[2, 0])).unwrap();
    assert!(nation.state.accreditation_record("accreditation-2").is_some());
}

#[test]
fn grant_by_too_few_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(&good_draft(&nation, &agency), &[1]);
    assert_eq!(nation.append(&leaf), Err(Refusal::Signatures { expected: 2, found: 1 }));
}

#[test]
fn same_officer_twice_is_no_entry() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let signature = || key(1).fulfil(draft.sign(OFFICERS[0], Algorithm::EdDsa)).unwrap();
    assert!(draft.assemble(vec![signature(), signature()]).is_err());
    // Written by hand, past `assemble`: the second officer's name is changed to the first one's.
    let leaf = approved(&draft, &[0, 1]);
    let forged = replace(&leaf, OFFICERS[1].as_bytes(), OFFICERS[0].as_bytes());
    assert!(matches!(nation.append(&forged), Err(Refusal::Decode(_))));
}

#[test]
fn officer_under_another_name_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    // The first officer signs twice, once in the name of the second.
    let own = key(1).fulfil(draft.sign(OFFICERS[0], Algorithm::EdDsa)).unwrap();
    let borrowed = key(1).fulfil(draft.sign(OFFICERS[1], Algorithm::EdDsa)).unwrap();
    let leaf = draft.assemble(vec![own, borrowed]).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signature {
            signer: OFFICERS[1].to_owned()
        })
    );
}

#[test]
fn signer_who_is_no_officer_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let officer = key(1).fulfil(draft.sign(OFFICERS[0], Algorithm::EdDsa)).unwrap();
    let stranger = key(9).fulfil(draft.sign("operator", Algorithm::EdDsa)).unwrap();
    let leaf = draft.assemble(vec![officer, stranger]).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signer {
            found: "operator".to_owned()
        })
    );
}

#[test]
fn signature_of_another_algorithm_than_the_key_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let officer = key(1).fulfil(draft.sign(OFFICERS[0], Algorithm::EdDsa)).unwrap();
    let other = signer::SoftwareKey::from_secret(Algorithm::Es256, &[2; 32]).unwrap();
    let other = other.fulfil(draft.sign(OFFICERS[1], Algorithm::Es256)).unwrap();
    let leaf = draft.assemble(vec![officer, other]).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Algorithm {
            signer: OFFICERS[1].to_owned()
        })
    );
}

#[test]
fn changed_body_breaks_the_signatures() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(&good_draft(&nation, &agency), &[0, 1]);
    let forged = replace(&leaf, LICENCE.as_bytes(), b"VehicleLicence");
    assert_eq!(
        nation.append(&forged),
        Err(Refusal::Signature {
            signer: OFFICERS[0].to_owned()
        })
    );
}

#[test]
fn approval_for_another_log_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = Draft {
        origin: "other.attestry.example".to_owned(),
        ..good_draft(&nation, &agency)
    };
    let leaf = approved(&draft, &[0, 1]);
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signature {
            signer: OFFICERS[0].to_owned()
        })
    );
}

#[test]
fn approval_under_another_policy_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let in_force = nation.state.policy().unwrap().hash();
    let draft = Draft {
        policy: Hash::ZERO,
        ..good_draft(&nation, &agency)
    };
    let leaf = approved(&draft, &[0, 1]);
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Policy {
            expected: in_force,
            found: Hash::ZERO
        })
    );
}

#[test]
fn replayed_approval_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(&good_draft(&nation, &agency), &[0, 1]);
    nation.append(&leaf).unwrap();
    assert_eq!(nation.append(&leaf), Err(Refusal::Sequence { expected: 1, found: 0 }));
}

#[test]
fn skipped_sequence_number_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(
        &Draft {
            seq: 1,
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    assert_eq!(nation.append(&leaf), Err(Refusal::Sequence { expected: 0, found: 1 }));
}

#[test]
fn wrong_previous_hash_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let prev = Hash::digest(b"another history");
    let leaf = approved(
        &Draft {
            prev,
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::PreviousHash {
            expected: Hash::ZERO,
            found: prev
        })
    );
}

#[test]
fn approval_counts_to_the_second_before_it_expires() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let leaf = approved(&draft, &[0, 1]);
    nation.snapshot(draft.expires.minus(1));
    nation.append(&leaf).unwrap();
}

#[test]
fn expired_approval_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let leaf = approved(&draft, &[0, 1]);
    nation.snapshot(draft.expires);
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Expired {
            time: draft.expires,
            expires: draft.expires
        })
    );
}

#[test]
fn approval_before_its_time_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let not_before = nation.state.time().plus(1);
    let leaf = approved(
        &Draft {
            not_before,
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::NotYet {
            time: nation.state.time(),
            not_before
        })
    );
    nation.snapshot(not_before);
    nation.append(&leaf).unwrap();
}

#[test]
fn approval_that_would_count_for_too_long_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let latest = nation.state.time().plus(MAX_APPROVAL_LIFETIME);
    let leaf = approved(
        &Draft {
            expires: latest.plus(1),
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Lifetime {
            latest,
            expires: latest.plus(1)
        })
    );
    let leaf = approved(
        &Draft {
            expires: latest,
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    nation.append(&leaf).unwrap();
}

#[test]
fn unknown_authority_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(
        &Draft {
            ns: "ministry".to_owned(),
            ..good_draft(&nation, &agency)
        },
        &[0, 1],
    );
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Authority {
            found: "ministry".to_owned()
        })
    );
}

#[test]
fn p256_officers_approve_too() {
    let mut policy = policy();
    let second = signer::SoftwareKey::from_secret(Algorithm::Es256, &[2; 32]).unwrap();
    policy.authorities[0].officers[1].key = keys::Signer::public_key(&second).clone();
    let genesis = Draft::genesis(ORIGIN, policy);
    let signed = |draft: &Draft| {
        let first = key(1).fulfil(draft.sign(OFFICERS[0], Algorithm::EdDsa)).unwrap();
        let second = second.fulfil(draft.sign(OFFICERS[1], Algorithm::Es256)).unwrap();
        draft.assemble(vec![first, second]).unwrap()
    };
    let mut nation = Nation::with_genesis(&signed(&genesis)).unwrap();
    let agency = nation.admit("population", 20);
    let draft = nation.draft(
        "api",
        Body::Accreditation(AccreditationBody::Grant(grant(&agency.did, Action::Publish, &["api"]))),
    );
    nation.append(&signed(&draft)).unwrap();
}

#[test]
fn drafts_and_signatures_travel_as_bytes() {
    let (mut nation, agency) = Nation::with_issuer();
    let draft = good_draft(&nation, &agency);
    let received = Draft::parse(&draft.to_bytes()).unwrap();
    assert_eq!(received, draft);
    let signatures = [0_u8, 2].map(|number| {
        let signature = key(number + 1)
            .fulfil(received.sign(OFFICERS[usize::from(number)], Algorithm::EdDsa))
            .unwrap();
        trust::entry::ApprovalSignature::parse(&signature.to_bytes()).unwrap()
    });
    let leaf = draft.assemble(signatures.to_vec()).unwrap();
    nation.append(&leaf).unwrap();
    let entry = Entry::parse(&leaf).unwrap();
    assert_eq!(entry.approval().unwrap().signatures.len(), 2);
}

#[test]
fn entry_of_another_version_or_with_an_unknown_member_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let leaf = approved(&good_draft(&nation, &agency), &[0, 1]);
    // a8 01 01: a map of eight members whose first is version 1.
    assert_eq!(leaf[..3], [0xa8, 1, 1]);
    let mut other_version = leaf.clone();
    other_version[2] = 2;
    assert!(matches!(nation.append(&other_version), Err(Refusal::Decode(_))));
    let mut with_member = leaf.clone();
    with_member[0] = 0xa9;
    with_member.extend([9, 0]);
    assert!(matches!(nation.append(&with_member), Err(Refusal::Decode(_))));
    nation.append(&leaf).unwrap();
}

/// Replaces the last occurrence of some bytes by others of the same length.
fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).rposition(|window| window == from).unwrap();
    let mut changed = bytes.to_vec();
    changed[at..at + to.len()].copy_from_slice(to);
    changed
}

#[test]
fn algorithm_that_the_policy_does_not_allow_is_refused() {
    for (algorithms, allowed) in [
        (vec![Algorithm::Es256, Algorithm::EdDsa], true),
        (vec![Algorithm::EdDsa], false),
    ] {
        let mut nation = Nation::with_policy(trust::entry::PolicyBody { algorithms, ..policy() }).unwrap();
        nation.publish(IDENTITY);
        let issuer = signer::SoftwareKey::from_secret(Algorithm::Es256, &[20; 32]).unwrap();
        let did = did::methods::key::did(keys::Signer::public_key(&issuer));
        nation.grant("a", grant(&did, Action::Issue, &[IDENTITY])).unwrap();
        let (list, _) = status_list("https://issuer.example/1", 1, &[], GENESIS.plus(DAY));
        let body = trust::entry::StatusCommitBody {
            lists: vec![list],
            ended: Vec::new(),
        };
        let draft = nation.draft_by(&did, &did, Body::StatusCommit(body));
        let method = did::methods::key::method_id(keys::Signer::public_key(&issuer));
        let signature = issuer.fulfil(draft.sign(&method, Algorithm::Es256)).unwrap();
        let leaf = draft.assemble(vec![signature]).unwrap();
        let expected = if allowed {
            Ok(())
        } else {
            Err(Refusal::Algorithm { signer: method })
        };
        assert_eq!(nation.append(&leaf), expected);
    }
}
