//! What holders and strangers might do to credentials that are shown in part, with signatures of their statements.

use keys::Algorithm;
use keys::OneTimeKey;
use keys::Signature;
use keys::Signer as _;
use keys::base64url;
use keys::cbor;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::super::*;
use super::selective::Selective;
use super::selective::change_components;
use super::selective::components;
use super::selective::document;
use super::selective::items;
use super::selective::pointers;
use super::*;
use crate::HolderKey;
use crate::data_integrity::ecdsa_sd::BASE_PREFIX;
use crate::data_integrity::ecdsa_sd::DERIVED_PREFIX;
use crate::vc::DataModelError;

/// Positions of the components in a derived proof.
const KEY: usize = 1;
const SIGNATURES: usize = 2;
const LABELS: usize = 3;
const MANDATORY: usize = 4;

fn selective() -> Selective<EcdsaSdError> {
    Selective::new(Cryptosuite::EcdsaSd2023, suite_error)
}

fn derive(held: &Held<LdpVc>, selective: &[&str], contexts: &ContextLoader) -> Result<Held<LdpVc>, LdpVcError> {
    held.derive(&pointers(selective), &[], contexts, &mut signer::os_rng())
}

fn suite_error(error: LdpVcError) -> EcdsaSdError {
    match error {
        LdpVcError::Cryptosuite(CryptosuiteError::EcdsaSd(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn is_base_signature(error: &EcdsaSdError) -> bool {
    matches!(error, EcdsaSdError::BaseSignature(_))
}

fn is_statement_signature(error: &EcdsaSdError) -> bool {
    matches!(error, EcdsaSdError::StatementSignature(_))
}

#[test]
fn a_holder_shows_what_it_chooses() {
    let selective = selective();
    let base = selective.base();
    let held = selective.hold(&base).unwrap();
    assert_eq!(held.claims()["credentialSubject"]["points"], 4);
    let choice = ["/credentialSubject/points", "/credentialSubject/knows/1/class"];
    let derived = selective.derive(&base, &choice).unwrap();
    let mut expected = document();
    expected["credentialSubject"] = json!({"id": HOLDER, "points": 4, "knows": [{"class": "3"}]});
    let mut revealed = derived.clone();
    revealed.as_object_mut().unwrap().remove("proof");
    assert_eq!(revealed, expected);
    let authentic = selective.authenticate(&derived).unwrap();
    let facts = authentic.facts();
    assert_eq!(facts.types(), ["Licence"]);
    assert_eq!(facts.issuer(), ISSUER);
    assert_eq!(facts.holder(), Some(&HolderKey::Did(HOLDER.to_owned())));
    assert_eq!(facts.status().len(), 1);
    assert_eq!(facts.issued_at(), Some(NOW));
    assert_eq!(facts.valid_until(), Some(NOW.plus(3_600)));
    let restored = Unverified::<LdpVc>::parse(held.as_str()).unwrap();
    let restored = restored.restore(selective.issuer.public_key(), ISSUER, &selective.world.contexts);
    assert!(derive(&restored.unwrap(), &[], &selective.world.contexts).is_ok());
}

#[test]
fn derived_credential_in_a_presentation() {
    let selective = selective();
    let world = &selective.world;
    let held = selective.hold(&selective.base()).unwrap();
    let derived = derive(&held, &["/credentialSubject/class"], &world.contexts).unwrap();
    for suite in WHOLE {
        let request = presentation(suite).sign(&[&derived], &world.contexts).unwrap();
        let presented = Value::Object(fulfil(&world.holder, request).unwrap());
        let mut checked = world.check(&presented).unwrap();
        let credential = checked.credentials.pop().unwrap();
        let key = selective.issuer.public_key();
        let authentic = credential.authenticate(key, ISSUER, &world.contexts, NOW).unwrap();
        assert!(authentic.verify_presenter(&checked.presenter).is_ok());
        let base = presentation(suite).sign(&[&held], &world.contexts);
        assert_eq!(base.err(), Some(LdpVpError::Credential(LdpVcError::BaseProof)));
    }
}

#[test]
fn base_proof_shown_to_a_verifier() {
    let selective = selective();
    let base = selective.base();
    assert!(selective.hold(&base).is_ok());
    assert_eq!(selective.authenticate(&base).unwrap_err(), LdpVcError::BaseProof);
    // By a holder that does not care, inside of a presentation.
    let world = &selective.world;
    let mut presented = world.present(Cryptosuite::EddsaRdfc2022);
    presented.as_object_mut().unwrap().remove("proof");
    presented["verifiableCredential"] = json!([base]);
    let configuration = as_object(json!({
        "verificationMethod": HOLDER_KEY,
        "proofPurpose": "authentication",
        "challenge": transaction().nonce,
        "domain": transaction().audience,
    }));
    let presented = as_object(presented);
    let request = Cryptosuite::EddsaJcs2022.sign(Algorithm::EdDsa, &presented, configuration, &world.contexts);
    let proof = fulfil(&world.holder, request.unwrap()).unwrap();
    let mut presented = Value::Object(presented);
    presented["proof"] = proof;
    let credential = world.check(&presented).unwrap().credentials.pop().unwrap();
    let refused = credential.authenticate(selective.issuer.public_key(), ISSUER, &world.contexts, NOW);
    assert_eq!(refused.unwrap_err(), LdpVcError::BaseProof);
}

#[test]
fn derived_credentials_are_not_held() {
    let selective = selective();
    let derived = selective.derive(&selective.base(), &[]).unwrap();
    let presented = selective.authenticate(&derived).unwrap().hold_issued();
    assert_eq!(presented.unwrap_err(), LdpVcError::Presented);
    assert_eq!(selective.hold(&derived).unwrap_err(), LdpVcError::Presented);
    let read = Unverified::<LdpVc>::parse(&derived.to_string()).unwrap();
    let restored = read.restore(selective.issuer.public_key(), ISSUER, &selective.world.contexts);
    assert_eq!(restored.unwrap_err(), LdpVcError::Presented);
}

#[test]
fn nothing_is_derived_from_what_was_derived_or_is_whole() {
    let selective = selective();
    let contexts = &selective.world.contexts;
    let derived = derive(&selective.hold(&selective.base()).unwrap(), &[], contexts).unwrap();
    assert_eq!(derive(&derived, &[], contexts).unwrap_err(), LdpVcError::NoBaseProof);
    let whole = selective.world.held(Cryptosuite::EddsaRdfc2022);
    assert_eq!(derive(&whole, &[], contexts).unwrap_err(), LdpVcError::NoBaseProof);
}

/// The holder leaves out a mandatory member, and does everything else right: positions and signatures fit.
#[test]
fn mandatory_statements_left_out() {
    let selective = selective();
    let derived = selective
        .derive(&selective.base(), &["/credentialSubject/points"])
        .unwrap();
    for name in ["validFrom", "validUntil", "credentialStatus"] {
        let refused = selective.refused_in_place(&derived, |derived| {
            derived.as_object_mut().unwrap().remove(name);
        });
        assert!(is_base_signature(&refused), "{name}: {refused:?}");
    }
    let refused = selective.refused_in_place(&derived, |derived| derived["type"] = json!("VerifiableCredential"));
    assert!(is_base_signature(&refused), "{refused:?}");
}

#[test]
fn subject_left_out() {
    let selective = selective();
    let derived = selective
        .derive(&selective.base(), &["/credentialSubject/points"])
        .unwrap();
    let refused = selective.refused(&derived, |derived| {
        derived["credentialSubject"].as_object_mut().unwrap().remove("id");
    });
    assert_eq!(refused, EcdsaSdError::Selective(SelectiveError::Labels { expected: 1 }));
    let mut without = derived;
    without.as_object_mut().unwrap().remove("credentialSubject");
    let refused = selective.authenticate(&without).unwrap_err();
    let expected = matches!(
        refused,
        LdpVcError::DataModel(DataModelError::Property {
            property: "credentialSubject",
            ..
        })
    );
    assert!(expected, "{refused:?}");
}

/// Both ids are mandatory, so that nobody makes himself the only subject.
#[test]
fn one_of_two_subjects_left_out() {
    let selective = selective();
    let mut two = document();
    two["credentialSubject"] = json!([
        {"id": HOLDER, "points": 4},
        {"id": "did:key:z6MkOther", "points": 5},
    ]);
    let base = selective.try_issue(two, &[]).unwrap();
    let derived = selective.derive(&base, &["/credentialSubject/0/points"]).unwrap();
    assert_eq!(selective.authenticate(&derived).unwrap().facts().holder(), None);
    let refused = selective.refused_in_place(&derived, |derived| {
        derived["credentialSubject"] = derived["credentialSubject"][0].clone();
    });
    assert!(is_base_signature(&refused), "{refused:?}");
}

#[test]
fn statements_changed() {
    let selective = selective();
    let derived = selective
        .derive(&selective.base(), &["/credentialSubject/points"])
        .unwrap();
    let claim = selective.refused(&derived, |derived| derived["credentialSubject"]["points"] = json!(5));
    assert!(is_statement_signature(&claim), "{claim:?}");
    let mandatory = selective.refused(&derived, |derived| {
        derived["validUntil"] = json!("2029-01-01T00:00:00Z");
    });
    assert!(is_base_signature(&mandatory), "{mandatory:?}");
    let status = selective.refused(&derived, |derived| {
        derived["credentialStatus"]["statusListIndex"] = json!("8");
    });
    assert!(is_base_signature(&status), "{status:?}");
}

#[test]
fn statements_added() {
    let selective = selective();
    let derived = selective
        .derive(&selective.base(), &["/credentialSubject/points"])
        .unwrap();
    let add = |derived: &mut Value| derived["credentialSubject"]["class"] = json!("4");
    let refused = selective.refused_in_place(&derived, add);
    assert!(matches!(refused, EcdsaSdError::SignatureCount { .. }), "{refused:?}");
    // With a signature of another statement.
    let refused = selective.refused_in_place(&derived, |derived| {
        add(derived);
        change_components(derived, DERIVED_PREFIX, |components| {
            let signatures = items(&mut components[SIGNATURES]);
            signatures.push(signatures[0].clone());
        });
    });
    assert!(is_statement_signature(&refused), "{refused:?}");
}

#[test]
fn statement_of_another_credential() {
    let selective = selective();
    let choice = ["/credentialSubject/points"];
    let derived = selective.derive(&selective.base(), &choice).unwrap();
    let mut better = document();
    better["credentialSubject"]["points"] = json!(12);
    let better = selective.try_issue(better, &[]).unwrap();
    let better = selective.derive(&better, &choice).unwrap();
    let refused = selective.refused(&derived, |derived| {
        derived["credentialSubject"]["points"] = json!(12);
        let theirs = components(&better, DERIVED_PREFIX)[SIGNATURES].clone();
        change_components(derived, DERIVED_PREFIX, |components| components[SIGNATURES] = theirs);
    });
    assert!(is_statement_signature(&refused), "{refused:?}");
}

#[test]
fn signatures_swapped_or_missing() {
    let selective = selective();
    let choice = ["/credentialSubject/points", "/credentialSubject/class"];
    let derived = selective.derive(&selective.base(), &choice).unwrap();
    let swapped = selective.refused_with(&derived, |components| items(&mut components[SIGNATURES]).swap(0, 1));
    assert!(is_statement_signature(&swapped), "{swapped:?}");
    let missing = selective.refused_with(&derived, |components| {
        items(&mut components[SIGNATURES]).pop();
    });
    assert!(matches!(missing, EcdsaSdError::SignatureCount { .. }), "{missing:?}");
    let more = selective.refused_with(&derived, |components| {
        let signatures = items(&mut components[SIGNATURES]);
        signatures.push(signatures[0].clone());
    });
    assert!(matches!(more, EcdsaSdError::SignatureCount { .. }), "{more:?}");
}

#[test]
fn labels_that_are_not_those_of_the_issuer() {
    let selective = selective();
    let choice = ["/credentialSubject/knows"];
    let derived = selective.derive(&selective.base(), &choice).unwrap();
    let label_map = |change: fn(&mut Vec<(cbor::Value, cbor::Value)>)| {
        selective.refused_with(&derived, |components| match &mut components[LABELS] {
            cbor::Value::Map(entries) => {
                assert_eq!(entries.len(), 2);
                change(entries);
            }
            other => panic!("{other:?}"),
        })
    };
    let labels = EcdsaSdError::Selective(SelectiveError::Labels { expected: 2 });
    let duplicate = label_map(|entries| entries[1].1 = entries[0].1.clone());
    assert_eq!(duplicate, labels);
    let unknown = label_map(|entries| entries.push((cbor::Value::from(2_u64), entries[0].1.clone())));
    assert_eq!(unknown, labels);
    let missing = label_map(|entries| drop(entries.pop()));
    assert_eq!(missing, labels);
    let other = label_map(|entries| entries[0].1 = cbor::Value::bytes([7; 32]));
    assert!(is_statement_signature(&other), "{other:?}");
    let swapped = label_map(|entries| {
        let first = entries[0].1.clone();
        entries[0].1 = std::mem::replace(&mut entries[1].1, first);
    });
    assert!(is_statement_signature(&swapped), "{swapped:?}");
    for malformed in [
        label_map(|entries| entries[1].0 = cbor::Value::from(7_u64)),
        label_map(|entries| entries[0].0 = cbor::Value::text("c14n0")),
        label_map(|entries| entries[0].1 = cbor::Value::bytes([7; 31])),
        label_map(|entries| entries[0].1 = cbor::Value::text("u")),
    ] {
        assert!(
            matches!(malformed, EcdsaSdError::Component(ComponentError::Component { .. })),
            "{malformed:?}"
        );
    }
}

/// The signed statements say that one person has class 3 and 2 points; the document speaks of two.
#[test]
fn one_thing_made_two() {
    let selective = selective();
    let choice = ["/credentialSubject/knows/1"];
    let derived = selective.derive(&selective.base(), &choice).unwrap();
    let refused = selective.refused(&derived, |derived| {
        derived["credentialSubject"]["knows"] = json!([{"class": "3"}, {"points": 2}]);
        change_components(derived, DERIVED_PREFIX, |components| match &mut components[LABELS] {
            cbor::Value::Map(entries) => entries.push((cbor::Value::from(1_u64), entries[0].1.clone())),
            other => panic!("{other:?}"),
        });
    });
    assert_eq!(refused, EcdsaSdError::Selective(SelectiveError::Labels { expected: 2 }));
}

#[test]
fn another_one_time_key() {
    let selective = selective();
    let derived = selective
        .derive(&selective.base(), &["/credentialSubject/points"])
        .unwrap();
    let own = OneTimeKey::generate(&mut signer::os_rng()).unwrap();
    let refused = selective.refused(&derived, |derived| {
        derived["credentialSubject"]["points"] = json!(12);
        let (lines, mandatory) = selective.statements(derived);
        let others = lines.iter().enumerate().filter(|(at, _)| !mandatory.contains(at));
        let signatures = others.map(|(_, line)| own.sign(line.as_bytes()).unwrap());
        let signatures = signatures.map(|signature| cbor::Value::bytes(signature.as_bytes()));
        let signatures = cbor::Value::Array(signatures.collect());
        change_components(derived, DERIVED_PREFIX, |components| {
            components[KEY] = cbor::Value::bytes(own.public_key().to_multikey_bytes());
            components[SIGNATURES] = signatures;
        });
    });
    assert!(is_base_signature(&refused), "{refused:?}");
    let ed25519 = selective.world.holder.public_key().to_multikey_bytes();
    for bytes in [ed25519, vec![0x80, 0x24], [&[0x80, 0x24, 2][..], &[0xff; 32]].concat()] {
        let refused = selective.refused_with(&derived, |components| components[KEY] = cbor::Value::bytes(bytes));
        assert!(
            matches!(refused, EcdsaSdError::Component(ComponentError::Component { .. })),
            "{refused:?}"
        );
    }
}

#[test]
fn another_issuers_key() {
    let selective = selective();
    let derived = selective.derive(&selective.base(), &[]).unwrap();
    let _ = selective.authenticate(&derived).unwrap();
    let by = |algorithm: Algorithm| {
        let other = SoftwareKey::generate(algorithm, &mut signer::os_rng());
        let world = &selective.world;
        let refused = world.authenticate_at(&derived, other.public_key(), ISSUER, NOW);
        refused.unwrap_err()
    };
    assert!(is_base_signature(&suite_error(by(Algorithm::Es256))));
    for found in [Algorithm::EdDsa, Algorithm::Es384, Algorithm::Bbs] {
        let suite = "ecdsa-sd-2023";
        let expected = CryptosuiteError::Algorithm { suite, found };
        assert_eq!(by(found), LdpVcError::Cryptosuite(expected));
    }
    let refused = selective.refused_with(&derived, |components| components[0] = cbor::Value::bytes([1; 64]));
    assert!(is_base_signature(&refused), "{refused:?}");
}

#[test]
fn proof_terms_changed() {
    let selective = selective();
    let derived = selective.derive(&selective.base(), &[]).unwrap();
    for (name, value) in [
        ("created", NOW.minus(60).to_rfc3339()),
        ("expires", NOW.plus(7_200).to_rfc3339()),
    ] {
        let refused = selective.refused(&derived, |derived| derived["proof"][name] = json!(value));
        assert!(is_base_signature(&refused), "{name}: {refused:?}");
    }
}

#[test]
fn mandatory_positions_that_are_none() {
    let selective = selective();
    let derived = selective.derive(&selective.base(), &[]).unwrap();
    let (statements, _) = selective.statements(&derived);
    let statements = statements.len();
    for found in [u64::try_from(statements).unwrap(), u64::MAX, 0] {
        let refused = selective.refused_with(&derived, |components| {
            items(&mut components[MANDATORY]).push(cbor::Value::from(found));
        });
        assert_eq!(refused, EcdsaSdError::MandatoryPosition { statements, found });
    }
    let negative = selective.refused_with(&derived, |components| {
        items(&mut components[MANDATORY])[0] = cbor::Value::from(-1_i64);
    });
    assert!(matches!(negative, EcdsaSdError::Component(_)), "{negative:?}");
    let none = selective.refused_with(&derived, |components| items(&mut components[MANDATORY]).clear());
    assert!(matches!(none, EcdsaSdError::SignatureCount { .. }), "{none:?}");
}

#[test]
fn malformed_proof_values() {
    let selective = selective();
    let derived = selective.derive(&selective.base(), &[]).unwrap();
    let component = |change: &dyn Fn(&mut Vec<cbor::Value>)| {
        let refused = selective.refused_with(&derived, |components| change(components));
        assert!(
            matches!(refused, EcdsaSdError::Component(ComponentError::Component { .. })),
            "{refused:?}"
        );
    };
    let signature = cbor::Value::bytes([1; 64]);
    component(&|components| drop(components.pop()));
    component(&|components| components.push(cbor::Value::Null));
    component(&|components| components[0] = cbor::Value::bytes([1; 63]));
    component(&|components| components[0] = cbor::Value::Tag(64, Box::new(signature.clone())));
    component(&|components| components[SIGNATURES] = cbor::Value::Array(vec![signature.clone(); 1_025]));
    component(&|components| components[MANDATORY] = cbor::Value::Array(vec![cbor::Value::from(0_u64); 1_025]));
    component(&|components| components[SIGNATURES] = cbor::Value::bytes([1; 64]));
    let text = derived["proof"]["proofValue"].as_str().unwrap().to_owned();
    let bytes = base64url::decode(text.strip_prefix('u').unwrap()).unwrap();
    let as_cbor = |bytes: &[u8]| {
        selective.refused(&derived, |derived| {
            derived["proof"]["proofValue"] = json!(format!("u{}", base64url::encode(bytes)));
        })
    };
    for damaged in [&bytes[..3], &bytes[..bytes.len() - 1], &[&bytes[..], &[0]].concat()] {
        let refused = as_cbor(damaged);
        assert!(
            matches!(refused, EcdsaSdError::Component(ComponentError::Cbor(_))),
            "{refused:?}"
        );
    }
    // An array that claims to have 2^32 - 1 items.
    let claims = as_cbor(&[&bytes[..3], &[0x9a, 0xff, 0xff, 0xff, 0xff]].concat());
    assert!(
        matches!(claims, EcdsaSdError::Component(ComponentError::Cbor(_))),
        "{claims:?}"
    );
    let large = as_cbor(&[&bytes[..], &vec![0; 350_000]].concat());
    assert_eq!(large, EcdsaSdError::Component(ComponentError::Header));
    for other in ["", "u", "u2V0C", "z2V0B", "u2V1B"] {
        let mut changed = derived.clone();
        changed["proof"]["proofValue"] = json!(other);
        let refused = Unverified::<LdpVc>::parse(&changed.to_string()).unwrap_err();
        assert_eq!(
            refused,
            LdpVcError::Cryptosuite(CryptosuiteError::ProofValue),
            "{other}"
        );
    }
}

#[test]
fn base_proof_changed_on_the_way_to_the_holder() {
    let selective = selective();
    let base = selective.base();
    let refused = |change: &dyn Fn(&mut Value)| {
        assert!(selective.hold(&base).is_ok());
        let mut changed = base.clone();
        change(&mut changed);
        suite_error(selective.hold(&changed).unwrap_err())
    };
    let in_components =
        |change: fn(&mut Vec<cbor::Value>)| refused(&|base: &mut Value| change_components(base, BASE_PREFIX, change));
    let claim = refused(&|base| base["credentialSubject"]["points"] = json!(5));
    assert!(is_statement_signature(&claim), "{claim:?}");
    let mandatory = refused(&|base| base["validUntil"] = json!("2029-01-01T00:00:00Z"));
    assert!(is_base_signature(&mandatory), "{mandatory:?}");
    let fewer_pointers = in_components(|components| drop(items(&mut components[4]).pop()));
    assert!(
        matches!(fewer_pointers, EcdsaSdError::SignatureCount { .. }),
        "{fewer_pointers:?}"
    );
    let hmac_key = in_components(|components| components[2] = cbor::Value::bytes([0; 32]));
    assert!(is_statement_signature(&hmac_key), "{hmac_key:?}");
    let signature = in_components(|components| {
        items(&mut components[3])[0] = cbor::Value::bytes(Signature::from_bytes(&[1; 64]).unwrap().as_bytes());
    });
    assert!(is_statement_signature(&signature), "{signature:?}");
    for malformed in [
        in_components(|components| components[2] = cbor::Value::bytes([0; 31])),
        in_components(|components| components[4] = cbor::Value::Array(vec![cbor::Value::text("issuer")])),
        in_components(|components| components[4] = cbor::Value::Array(vec![cbor::Value::text("/a"); 513])),
        in_components(|components| components[3] = cbor::Value::Null),
    ] {
        assert!(
            matches!(malformed, EcdsaSdError::Component(ComponentError::Component { .. })),
            "{malformed:?}"
        );
    }
    let nowhere = in_components(|components| items(&mut components[4]).push(cbor::Value::text("/absent")));
    assert!(
        matches!(nowhere, EcdsaSdError::Selective(SelectiveError::NotInDocument { .. })),
        "{nowhere:?}"
    );
}

#[test]
fn suites_are_used_for_what_they_are_made_for() {
    let selective = selective();
    let contexts = &selective.world.contexts;
    let whole = issue(as_object(document()), &options(Cryptosuite::EcdsaSd2023), contexts);
    let expected = LdpVcError::Cryptosuite(CryptosuiteError::Selective);
    assert_eq!(whole.unwrap_err(), expected);
    for suite in WHOLE {
        let mut rng = signer::os_rng();
        let options = base_options(suite, selective.issuer.public_key(), &[]);
        let part = issue_selective(as_object(document()), &options, contexts, &mut rng);
        let expected = LdpVcError::Cryptosuite(CryptosuiteError::NotSelective);
        assert_eq!(part.unwrap_err(), expected);
    }
    let held = selective.world.held(Cryptosuite::EddsaRdfc2022);
    let presented = presentation(Cryptosuite::EcdsaSd2023).sign(&[&held], contexts);
    let expected = LdpVpError::Cryptosuite(CryptosuiteError::Selective);
    assert_eq!(presented.unwrap_err(), expected);
    let mut presented = selective.world.present(Cryptosuite::EddsaRdfc2022);
    presented["proof"]["cryptosuite"] = json!("ecdsa-sd-2023");
    assert_eq!(selective.world.check(&presented).unwrap_err(), expected);
}

#[test]
fn pointers_of_issuer_and_holder_must_lead_somewhere() {
    let selective = selective();
    let nowhere = EcdsaSdError::Selective(SelectiveError::NotInDocument {
        pointer: "/credentialSubject/absent".to_owned(),
    });
    let issued = selective.try_issue(document(), &["/credentialSubject/absent"]);
    assert_eq!(suite_error(issued.unwrap_err()), nowhere);
    let derived = selective.derive(&selective.base(), &["/credentialSubject/absent"]);
    assert_eq!(suite_error(derived.unwrap_err()), nowhere);
}

#[test]
fn more_statements_than_any_credential_has() {
    let selective = selective();
    let mut large = document();
    large["credentialSubject"]["class"] = (0..1_100).map(|class| json!(format!("class {class}"))).collect();
    let refused = suite_error(selective.try_issue(large, &[]).unwrap_err());
    assert!(matches!(refused, EcdsaSdError::TooManyStatements { .. }), "{refused:?}");
}
