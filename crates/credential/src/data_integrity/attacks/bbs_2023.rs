//! What holders and strangers might do to credentials whose proofs cannot be linked.

use std::collections::BTreeSet;

use keys::bbs::BbsError;
use keys::bbs::MAX_MESSAGES;
use keys::cbor;
use serde_json::Value;
use serde_json::json;

use super::super::*;
use super::selective::NONCE;
use super::selective::Selective;
use super::selective::as_bytes;
use super::selective::change_components;
use super::selective::components;
use super::selective::document;
use super::selective::items;
use super::selective::numbers;
use super::selective::pointers;
use super::*;

const BASE_PREFIX: &str = "u2V0C";
const DERIVED_PREFIX: &str = "u2V0D";

/// Positions of the components in a derived proof.
const BBS_PROOF: usize = 0;
const LABELS: usize = 1;
const MANDATORY: usize = 2;
const SELECTIVE: usize = 3;
const PRESENTATION_HEADER: usize = 4;

const CHOICE: [&str; 2] = ["/credentialSubject/points", "/credentialSubject/knows/1/class"];

/// Of a CBOR map.
type Entries = Vec<(cbor::Value, cbor::Value)>;

fn unlinkable() -> Selective<Bbs2023Error> {
    Selective::new(Cryptosuite::Bbs2023, suite_error)
}

/// A genuine derived credential.
fn derived(unlinkable: &Selective<Bbs2023Error>) -> Value {
    let derived = unlinkable.derive(&unlinkable.base(), &CHOICE).unwrap();
    let _ = unlinkable.authenticate(&derived).unwrap();
    derived
}

fn suite_error(error: LdpVcError) -> Bbs2023Error {
    match error {
        LdpVcError::Cryptosuite(CryptosuiteError::Bbs2023(error)) => error,
        other => panic!("{other:?}"),
    }
}

const NOT_SIGNED: Bbs2023Error = Bbs2023Error::Bbs(BbsError::Signature);
const MALFORMED: Bbs2023Error = Bbs2023Error::Bbs(BbsError::Malformed);
const INDEXES: Bbs2023Error = Bbs2023Error::Bbs(BbsError::Indexes);

#[test]
fn a_holder_shows_what_it_chooses_to_one_verifier() {
    let unlinkable = unlinkable();
    let base = unlinkable.base();
    let held = unlinkable.hold(&base).unwrap();
    assert_eq!(held.claims()["credentialSubject"]["points"], 4);
    let derived = derived(&unlinkable);
    let mut expected = document();
    expected["credentialSubject"] = json!({"id": HOLDER, "points": 4, "knows": [{"class": "3"}]});
    let mut revealed = derived.clone();
    revealed.as_object_mut().unwrap().remove("proof");
    assert_eq!(revealed, expected);
    let authentic = unlinkable.authenticate(&derived).unwrap();
    assert_eq!(authentic.presentation_header(), Some(NONCE));
    assert_eq!(authentic.facts().issuer(), ISSUER);
    assert_eq!(authentic.facts().status().len(), 1);
    assert_eq!(authentic.facts().valid_until(), Some(NOW.plus(3_600)));
    let restored = Unverified::<LdpVc>::parse(held.as_str()).unwrap();
    let restored = restored.restore(unlinkable.issuer.public_key(), ISSUER, &unlinkable.world.contexts);
    let contexts = &unlinkable.world.contexts;
    assert!(
        restored
            .unwrap()
            .derive(&[], &[], contexts, &mut signer::os_rng())
            .is_ok()
    );
}

#[test]
fn derived_credential_in_a_presentation() {
    let unlinkable = unlinkable();
    let world = &unlinkable.world;
    let held = unlinkable.hold(&unlinkable.base()).unwrap();
    let derived = held.derive(&pointers(&CHOICE), NONCE, &world.contexts, &mut signer::os_rng());
    let suite = Cryptosuite::EddsaRdfc2022;
    let request = presentation(suite).sign(&[&derived.unwrap()], &world.contexts).unwrap();
    let presented = Value::Object(fulfil(&world.holder, request).unwrap());
    let mut checked = world.check(&presented).unwrap();
    let credential = checked.credentials.pop().unwrap();
    let key = unlinkable.issuer.public_key();
    let authentic = credential.authenticate(key, ISSUER, &world.contexts, NOW).unwrap();
    assert!(authentic.verify_presenter(&checked.presenter).is_ok());
    let base = presentation(suite).sign(&[&held], &world.contexts);
    assert_eq!(base.err(), Some(LdpVpError::Credential(LdpVcError::BaseProof)));
}

#[test]
fn base_proof_shown_to_a_verifier() {
    let unlinkable = unlinkable();
    let base = unlinkable.base();
    assert!(unlinkable.hold(&base).is_ok());
    assert_eq!(unlinkable.authenticate(&base).unwrap_err(), LdpVcError::BaseProof);
    // Under the header of a derived proof.
    let mut disguised = base;
    let text = disguised["proof"]["proofValue"].as_str().unwrap();
    disguised["proof"]["proofValue"] = json!(text.replacen(BASE_PREFIX, DERIVED_PREFIX, 1));
    let refused = suite_error(unlinkable.authenticate(&disguised).unwrap_err());
    assert!(matches!(refused, Bbs2023Error::Component { .. }), "{refused:?}");
}

#[test]
fn derived_credentials_are_not_held() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    assert_eq!(unlinkable.hold(&derived).unwrap_err(), LdpVcError::Presented);
    let presented = unlinkable.authenticate(&derived).unwrap().hold_issued();
    assert_eq!(presented.unwrap_err(), LdpVcError::Presented);
}

/// Two presentations of one credential have nothing in common that another credential of the issuer had not.
#[test]
fn presentations_are_not_linked_by_their_proofs() {
    let unlinkable = unlinkable();
    let base = unlinkable.base();
    let [first, second, other] =
        [&base, &base, &unlinkable.base()].map(|base| unlinkable.derive(base, &CHOICE).unwrap());
    let terms = |derived: &Value| {
        let mut proof = derived["proof"].clone();
        proof.as_object_mut().unwrap().remove("proofValue");
        proof
    };
    assert_eq!(terms(&first), terms(&other));
    assert!(first["proof"].get("created").is_none());
    let proofs = [&first, &second].map(|derived| as_bytes(&components(derived, DERIVED_PREFIX)[BBS_PROOF]));
    let base = components(&base, BASE_PREFIX);
    let secrets = [0, 3].map(|at| as_bytes(&base[at]));
    for part in proofs[0].windows(32) {
        for elsewhere in [&proofs[1], &secrets[0], &secrets[1]] {
            assert!(!elsewhere.windows(32).any(|other| other == part));
        }
    }
}

#[test]
fn shown_claim_is_changed() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let refused = unlinkable.refused_in_place(&derived, |derived| {
        derived["credentialSubject"]["points"] = json!(5);
    });
    assert_eq!(refused, NOT_SIGNED);
    let refused = unlinkable.refused(&derived, |derived| {
        derived["credentialSubject"]["knows"][0]["class"] = json!("2B");
    });
    assert_eq!(refused, NOT_SIGNED);
}

/// The holder leaves out a mandatory member, and moves the positions to fit.
#[test]
fn mandatory_statements_left_out() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    for name in ["validFrom", "validUntil"] {
        let refused = unlinkable.refused_in_place(&derived, |derived| {
            derived.as_object_mut().unwrap().remove(name);
        });
        assert_eq!(refused, NOT_SIGNED, "{name}");
    }
}

#[test]
fn mandatory_statements_called_selective_and_the_reverse() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let refused = unlinkable.refused_with(&derived, |components| {
        items(&mut components[MANDATORY]).pop();
        let next = components[SELECTIVE]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .as_unsigned()
            .unwrap()
            + 1;
        items(&mut components[SELECTIVE]).push(cbor::Value::from(next));
    });
    assert_eq!(refused, NOT_SIGNED);
    let statements = unlinkable.statements(&derived).0.len();
    for positions in [
        vec![0, 0],
        vec![1, 0],
        vec![0, u64::try_from(statements).unwrap()],
        vec![u64::MAX],
    ] {
        let refused = unlinkable.refused_with(&derived, |components| {
            components[MANDATORY] = cbor::Value::Array(positions.into_iter().map(cbor::Value::from).collect());
        });
        assert_eq!(refused, Bbs2023Error::MandatoryPosition { statements });
    }
}

#[test]
fn swapped_repeated_and_other_disclosed_indexes() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let change = |change: &dyn Fn(&mut Vec<cbor::Value>)| {
        unlinkable.refused_with(&derived, |components| change(items(&mut components[SELECTIVE])))
    };
    assert_eq!(change(&|indexes| indexes.swap(0, 1)), INDEXES);
    assert_eq!(change(&|indexes| indexes[1] = indexes[0].clone()), INDEXES);
    assert_eq!(change(&|indexes| indexes.truncate(1)), INDEXES);
    assert_eq!(change(&|indexes| indexes.push(cbor::Value::from(1_000_u64))), INDEXES);
    let last = |indexes: &mut Vec<cbor::Value>, to: u64| *indexes.last_mut().unwrap() = cbor::Value::from(to);
    assert_eq!(change(&|indexes| last(indexes, u64::MAX)), INDEXES);
    let all = BTreeSet::from_iter(numbers(&components(&derived, DERIVED_PREFIX)[SELECTIVE]));
    let free = (0..=all.len()).find(|index| !all.contains(index)).unwrap();
    let moved = change(&|indexes| {
        indexes.remove(0);
        indexes.push(cbor::Value::from(u64::try_from(free).unwrap()));
        indexes.sort_by_key(cbor::Value::as_unsigned);
    });
    assert_eq!(moved, NOT_SIGNED);
}

#[test]
fn labels_that_name_other_blank_nodes() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let labels = |change: &dyn Fn(&mut Entries)| {
        unlinkable.refused_with(&derived, |components| match &mut components[LABELS] {
            cbor::Value::Map(entries) => change(entries),
            other => panic!("{other:?}"),
        })
    };
    let count = components(&derived, DERIVED_PREFIX)[LABELS].as_map().unwrap().len();
    let expected = Bbs2023Error::Selective(SelectiveError::Labels { expected: count });
    assert_eq!(labels(&|entries| entries[0].1 = cbor::Value::from(77_u64)), NOT_SIGNED);
    assert_eq!(labels(&|entries| drop(entries.pop())), expected);
    if count > 1 {
        assert_eq!(labels(&|entries| entries[0].1 = entries[1].1.clone()), expected);
    }
    let gap = labels(&|entries| entries[0].0 = cbor::Value::from(9_u64));
    assert!(matches!(gap, Bbs2023Error::Component { .. }), "{gap:?}");
}

#[test]
fn presentation_header_of_another_verifier() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    for header in [&b"n-2 for did:web:shop.example"[..], &[]] {
        let refused = unlinkable.refused_with(&derived, |components| {
            components[PRESENTATION_HEADER] = cbor::Value::bytes(header);
        });
        assert_eq!(refused, NOT_SIGNED);
    }
    let refused = unlinkable.refused_with(&derived, |components| {
        components[PRESENTATION_HEADER] = cbor::Value::bytes(vec![0; 1_025]);
    });
    assert_eq!(refused, Bbs2023Error::PresentationHeader { found: 1_025 });
    let held = unlinkable.hold(&unlinkable.base()).unwrap();
    let contexts = &unlinkable.world.contexts;
    let derived = held
        .derive(&[], &[0; 1_025], contexts, &mut signer::os_rng())
        .unwrap_err();
    assert_eq!(suite_error(derived), Bbs2023Error::PresentationHeader { found: 1_025 });
}

#[test]
fn terms_of_the_proof_are_changed() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    for (name, value) in [
        ("expires", json!("2099-01-01T00:00:00Z")),
        ("created", json!("2026-06-01T00:00:00Z")),
        ("verificationMethod", json!("did:web:agency.example#key-2")),
    ] {
        let refused = unlinkable.refused(&derived, |derived| derived["proof"][name] = value);
        assert_eq!(refused, NOT_SIGNED, "{name}");
    }
}

#[test]
fn proof_by_another_key_and_of_another_credential() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let other = SoftwareKey::generate(Algorithm::Bbs, &mut signer::os_rng());
    let world = &unlinkable.world;
    let by_other = world.authenticate_at(&derived, other.public_key(), ISSUER, NOW);
    assert_eq!(suite_error(by_other.unwrap_err()), NOT_SIGNED);
    let by_kind = world.authenticate(&derived);
    let expected = CryptosuiteError::Algorithm {
        suite: "bbs-2023",
        found: Algorithm::EdDsa,
    };
    assert_eq!(by_kind.unwrap_err(), LdpVcError::Cryptosuite(expected));
    let mut document = document();
    document["credentialSubject"]["points"] = json!(9);
    let better = unlinkable
        .derive(&unlinkable.try_issue(document, &[]).unwrap(), &CHOICE)
        .unwrap();
    let refused = unlinkable.refused(&derived, |derived| derived["proof"] = better["proof"].clone());
    assert_eq!(refused, NOT_SIGNED);
}

#[test]
fn points_and_scalars_that_nobody_may_use_in_a_proof() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let forge = |at: usize, bytes: &[u8]| {
        unlinkable.refused_with(&derived, |components| {
            let mut proof = as_bytes(&components[BBS_PROOF]);
            proof[at..at + bytes.len()].copy_from_slice(bytes);
            components[BBS_PROOF] = cbor::Value::bytes(proof);
        })
    };
    let mut identity = [0; 48];
    identity[0] = 0xc0;
    for at in [0, 48, 96] {
        assert_eq!(forge(at, &identity), MALFORMED);
    }
    for at in [144, 240] {
        assert_eq!(forge(at, &[0; 32]), MALFORMED);
        assert_eq!(forge(at, &[0xff; 32]), MALFORMED);
    }
    let shorter = unlinkable.refused_with(&derived, |components| {
        let proof = as_bytes(&components[BBS_PROOF]);
        components[BBS_PROOF] = cbor::Value::bytes(&proof[..proof.len() - 1]);
    });
    assert_eq!(shorter, MALFORMED);
}

#[test]
fn proof_value_in_another_form() {
    let unlinkable = unlinkable();
    let derived = derived(&unlinkable);
    let text = derived["proof"]["proofValue"].as_str().unwrap().to_owned();
    let refused = |value: String| unlinkable.refused(&derived, |derived| derived["proof"]["proofValue"] = json!(value));
    for (value, expected) in [
        (String::new(), Bbs2023Error::Header),
        (text.replacen('u', "z", 1), Bbs2023Error::Header),
        (text.replacen(DERIVED_PREFIX, "u2V0A", 1), Bbs2023Error::Header),
        (text.replacen(DERIVED_PREFIX, "u2V0F", 1), Bbs2023Error::Feature),
        (format!("{text}="), Bbs2023Error::Header),
        (format!("{DERIVED_PREFIX}{}", "A".repeat(90_000)), Bbs2023Error::Header),
    ] {
        assert_eq!(refused(value), expected);
    }
    for cut in [5, 9, text.len() / 2, text.len() - 4] {
        let refused = refused(text[..cut].to_owned());
        let expected = matches!(refused, Bbs2023Error::Component { .. } | Bbs2023Error::Header);
        assert!(expected, "{cut}: {refused:?}");
    }
    let longer = unlinkable.refused_with(&derived, |components| components.push(cbor::Value::from(0_u64)));
    assert!(matches!(longer, Bbs2023Error::Component { .. }));
    let tagged = unlinkable.refused_with(&derived, |components| {
        components[MANDATORY] = cbor::Value::Tag(24, Box::new(components[MANDATORY].clone()));
    });
    assert!(matches!(tagged, Bbs2023Error::Component { .. }));
    let many = unlinkable.refused_with(&derived, |components| {
        components[SELECTIVE] = cbor::Value::Array(vec![cbor::Value::from(0_u64); MAX_MESSAGES + 1]);
    });
    assert!(matches!(many, Bbs2023Error::Component { .. }));
}

/// A holder is not fooled by a base proof that would be of no use to it.
#[test]
fn base_proof_that_is_not_of_the_document() {
    let unlinkable = unlinkable();
    let base = unlinkable.base();
    assert!(unlinkable.hold(&base).is_ok());
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut base = base.clone();
        change(&mut base);
        suite_error(unlinkable.hold(&base).unwrap_err())
    };
    let component = |at: usize, value: cbor::Value| {
        refused(&|base: &mut Value| change_components(base, BASE_PREFIX, |components| components[at] = value.clone()))
    };
    let other = SoftwareKey::generate(Algorithm::Bbs, &mut signer::os_rng());
    let other = &other.public_key().to_multikey_bytes()[2..];
    assert_eq!(component(0, cbor::Value::bytes([1; 80])), MALFORMED);
    assert_eq!(component(0, cbor::Value::bytes([1; 79])), MALFORMED);
    assert_eq!(component(1, cbor::Value::bytes([0; 64])), Bbs2023Error::Mismatch);
    assert_eq!(component(2, cbor::Value::bytes(other)), Bbs2023Error::Mismatch);
    // Without the mandatory pointers the header is another.
    assert_eq!(component(4, cbor::Value::Array(Vec::new())), Bbs2023Error::Mismatch);
    // Another key may happen to shuffle the labels in the same way, and then nothing is wrong.
    let others: Vec<Bbs2023Error> = (0..32_u8)
        .filter_map(|byte| {
            let mut base = base.clone();
            change_components(&mut base, BASE_PREFIX, |components| {
                components[3] = cbor::Value::bytes([byte; 32]);
            });
            unlinkable.hold(&base).err().map(suite_error)
        })
        .collect();
    assert!(!others.is_empty() && others.iter().all(|error| *error == NOT_SIGNED));
    let changed = refused(&|base: &mut Value| base["credentialSubject"]["points"] = json!(5));
    assert_eq!(changed, NOT_SIGNED);
    let changed = refused(&|base: &mut Value| base["validUntil"] = json!("2099-01-01T00:00:00Z"));
    assert_eq!(changed, Bbs2023Error::Mismatch);
}

#[test]
fn more_statements_than_any_credential_has() {
    let unlinkable = unlinkable();
    let with = |count: usize| {
        let mut document = document();
        let classes: Vec<String> = (0..count).map(|number| format!("class {number}")).collect();
        document["credentialSubject"]["class"] = json!(classes);
        unlinkable.try_issue(document, &[])
    };
    assert!(with(100).is_ok());
    let refused = suite_error(with(MAX_MESSAGES + 1).unwrap_err());
    assert!(matches!(refused, Bbs2023Error::Bbs(BbsError::TooManyMessages { .. })));
}

#[test]
fn keys_and_suites_that_do_not_fit() {
    let unlinkable = unlinkable();
    let contexts = &unlinkable.world.contexts;
    let whole = issue(as_object(document()), &options(Cryptosuite::Bbs2023), contexts);
    assert_eq!(whole.unwrap_err(), LdpVcError::Cryptosuite(CryptosuiteError::Selective));
    let ed25519 = unlinkable.world.issuer.public_key();
    for suite in [Cryptosuite::Bbs2023, Cryptosuite::EcdsaSd2023] {
        let (options, mut rng) = (base_options(suite, ed25519, &[]), signer::os_rng());
        let refused = issue_selective(as_object(document()), &options, contexts, &mut rng).err();
        let expected = CryptosuiteError::Algorithm {
            suite: suite.as_str(),
            found: Algorithm::EdDsa,
        };
        assert_eq!(refused, Some(LdpVcError::Cryptosuite(expected)));
    }
}
