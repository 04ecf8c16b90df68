//! What is done with presentations.

use keys::Algorithm;
use keys::Signer as _;
use keys::data_integrity::ProofError as JcsProofError;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::super::*;
use super::*;
use crate::Transaction;
use crate::Unverified;
use crate::evidence::HolderError;

#[test]
fn presentations_bind_the_holder() {
    let world = World::new();
    for suite in WHOLE {
        let presented = world.check(&world.present(suite)).unwrap();
        assert_eq!(presented.presenter.holder(), HOLDER);
        let credential = presented.credentials.into_iter().next().unwrap();
        let credential = credential
            .authenticate(world.issuer.public_key(), ISSUER, &world.contexts, NOW)
            .unwrap();
        assert!(credential.verify_presenter(&presented.presenter).unwrap().is_proven());
        // A credential that was not in the presentation.
        let other = world.authenticate(&world.issue(suite, |_| {})).unwrap();
        let other = Unverified::<LdpVc>::parse(&(other.hold_issued().unwrap().as_str().to_owned() + " "))
            .unwrap()
            .authenticate(world.issuer.public_key(), ISSUER, &world.contexts, NOW)
            .unwrap();
        assert_eq!(
            other.verify_presenter(&presented.presenter).unwrap_err(),
            HolderError::NotPresented
        );
    }
}

#[test]
fn presented_credentials_are_not_held() {
    let world = World::new();
    for suite in WHOLE {
        let presentation = world.present(suite);
        let presented = || world.check(&presentation).unwrap().credentials.remove(0);
        let key = world.issuer.public_key();
        let authentic = presented().authenticate(key, ISSUER, &world.contexts, NOW).unwrap();
        assert_eq!(authentic.hold_issued().unwrap_err(), LdpVcError::Presented);
        let restored = presented().restore(key, ISSUER, &world.contexts);
        assert_eq!(restored.unwrap_err(), LdpVcError::Presented);
    }
}

/// A thief presents a credential with a proof of his own.
#[test]
fn stolen_credential() {
    let world = World::new();
    let thief = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    for suite in WHOLE {
        let held = world.held(suite);
        let stolen = Presentation {
            holder: "did:key:z6MkThief",
            verification_method: "did:key:z6MkThief#z6MkThief",
            ..presentation(suite)
        };
        let request = stolen.sign(&[&held], &world.contexts).unwrap();
        let presentation = Value::Object(fulfil(&thief, request).unwrap());
        let presented = world
            .check_with(&presentation, thief.public_key(), "did:key:z6MkThief", &transaction())
            .unwrap();
        let credential = presented.credentials.into_iter().next().unwrap();
        let credential = credential
            .authenticate(world.issuer.public_key(), ISSUER, &world.contexts, NOW)
            .unwrap();
        assert_eq!(
            credential.verify_presenter(&presented.presenter).unwrap_err(),
            HolderError::NotTheSubject
        );
        // Under the holder's name the thief's key does not fit.
        let refused = world.check_with(&presentation, thief.public_key(), HOLDER, &transaction());
        assert_eq!(
            refused.unwrap_err(),
            LdpVpError::WrongHolder {
                expected: HOLDER.to_owned()
            }
        );
        let mut presentation = presentation;
        presentation["holder"] = json!(HOLDER);
        let refused = world.check_with(&presentation, thief.public_key(), HOLDER, &transaction());
        assert!(matches!(
            refused,
            Err(LdpVpError::Proof(ProofError::VerificationMethod { .. }))
        ));
    }
}

#[test]
fn wrong_challenge() {
    let world = World::new();
    for suite in WHOLE {
        let presentation = world.present(suite);
        let replayed = Transaction {
            nonce: "another",
            ..transaction()
        };
        let refused = world.check_with(&presentation, world.holder.public_key(), HOLDER, &replayed);
        assert_eq!(refused.unwrap_err(), LdpVpError::WrongChallenge);
    }
    for error in World::new().presentation_refused(|presentation| {
        presentation["proof"].as_object_mut().unwrap().remove("challenge");
    }) {
        assert_eq!(error, LdpVpError::WrongChallenge);
    }
}

#[test]
fn wrong_domain() {
    let world = World::new();
    for suite in WHOLE {
        let presentation = world.present(suite);
        let elsewhere = Transaction {
            audience: "decentralized_identifier:did:web:bank.example",
            ..transaction()
        };
        let refused = world.check_with(&presentation, world.holder.public_key(), HOLDER, &elsewhere);
        assert!(matches!(refused, Err(LdpVpError::WrongDomain { .. })));
    }
    let ours = transaction().audience;
    for domain in [
        json!(null),
        json!([]),
        json!([ours, "did:web:bank.example"]),
        json!([ours, ours]),
    ] {
        for error in World::new().presentation_refused(|presentation| {
            presentation["proof"]["domain"] = domain.clone();
        }) {
            assert!(matches!(error, LdpVpError::WrongDomain { .. }), "{domain}");
        }
    }
}

/// Challenge and domain are covered by the signature.
#[test]
fn challenge_and_domain_moved_to_another_transaction() {
    for (member, transaction) in [
        (
            "challenge",
            Transaction {
                nonce: "another",
                ..transaction()
            },
        ),
        (
            "domain",
            Transaction {
                audience: "another",
                ..transaction()
            },
        ),
    ] {
        let world = World::new();
        for suite in WHOLE {
            let mut presentation = world.present(suite);
            presentation["proof"][member] = json!("another");
            let refused = world.check_with(&presentation, world.holder.public_key(), HOLDER, &transaction);
            assert!(
                matches!(
                    refused,
                    Err(LdpVpError::Cryptosuite(
                        CryptosuiteError::Signature(_) | CryptosuiteError::Json(JcsProofError::Signature(_))
                    ))
                ),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn old_presentation() {
    let world = World::new();
    for suite in WHOLE {
        let presentation = world.present(suite);
        let at = |now| {
            let transaction = Transaction { now, ..transaction() };
            world.check_with(&presentation, world.holder.public_key(), HOLDER, &transaction)
        };
        assert!(at(NOW.plus(300)).is_ok());
        assert!(matches!(at(NOW.plus(301)), Err(LdpVpError::OutsideWindow { .. })));
        assert!(matches!(
            at(NOW.minus(61)),
            Err(LdpVpError::Proof(ProofError::Validity(_)))
        ));
    }
}

#[test]
fn credential_exchanged_inside_a_presentation() {
    let world = World::new();
    for suite in WHOLE {
        let mut presentation = world.present(suite);
        presentation["verifiableCredential"][0] = world.issue(suite, |document| {
            document["credentialSubject"]["points"] = json!(12);
        });
        let refused = world.check(&presentation);
        assert!(matches!(refused, Err(LdpVpError::Cryptosuite(_))), "{refused:?}");
    }
}

#[test]
fn unsecured_credential_in_a_presentation() {
    for error in World::new().presentation_refused(|presentation| {
        presentation["verifiableCredential"][0]
            .as_object_mut()
            .unwrap()
            .remove("proof");
    }) {
        assert_eq!(error, LdpVpError::Credential(LdpVcError::Proof(ProofError::Missing)));
    }
}

#[test]
fn too_many_credentials() {
    for error in World::new().presentation_refused(|presentation| {
        let credential = presentation["verifiableCredential"][0].clone();
        presentation["verifiableCredential"] = json!(vec![credential; MAX_CREDENTIALS + 1]);
    }) {
        assert_eq!(
            error,
            LdpVpError::TooMany {
                found: MAX_CREDENTIALS + 1
            }
        );
    }
}

/// An issuer's assertion is no presentation.
#[test]
fn wrong_purpose() {
    for error in World::new().presentation_refused(|presentation| {
        presentation["proof"]["proofPurpose"] = json!("assertionMethod");
    }) {
        let expected = "authentication";
        assert_eq!(error, LdpVpError::Proof(ProofError::WrongPurpose { expected }));
    }
}
