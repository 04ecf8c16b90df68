//! What is checked where no evidence of authenticity or of a presenter is made.

use keys::Signer as _;
use keys::data_integrity::eddsa_jcs_sign;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;

use super::super::*;
use super::*;
use crate::Unverified;

fn expected() -> Expected<'static> {
    let Transaction { audience, nonce, .. } = transaction();
    Expected {
        challenge: Some(nonce),
        domain: Some(audience),
        now: NOW,
    }
}

fn check(world: &World, presentation: &Value, expected: &Expected<'_>) -> Result<SignedLdpVp, LdpVpError> {
    UnverifiedPresentation::parse(&presentation.to_string())?.check_signed(
        world.holder.public_key(),
        HOLDER,
        expected,
        &world.contexts,
    )
}

#[test]
fn a_signed_presentation_was_made_for_what_its_receiver_names() {
    let world = World::new();
    for suite in Cryptosuite::ALL {
        let presentation = world.present(suite);
        let signed = check(&world, &presentation, &expected()).unwrap();
        assert_eq!((signed.holder.as_str(), signed.credentials.len()), (HOLDER, 1));
        for challenge in [Some("another"), None] {
            let expected = Expected {
                challenge,
                ..expected()
            };
            assert_eq!(
                check(&world, &presentation, &expected).unwrap_err(),
                LdpVpError::WrongChallenge
            );
        }
        for domain in [Some("another"), None] {
            let refused = check(&world, &presentation, &Expected { domain, ..expected() });
            assert!(matches!(refused, Err(LdpVpError::WrongDomain { .. })), "{refused:?}");
        }
        let mut changed = presentation;
        changed["proof"]["proofPurpose"] = json!("assertionMethod");
        let refused = check(&world, &changed, &expected());
        assert!(matches!(
            refused,
            Err(LdpVpError::Proof(ProofError::WrongPurpose { .. }))
        ));
    }
}

/// A credential that the issuer's key signed and that names `issuer`.
fn signed_for(world: &World, issuer: &str) -> Value {
    let mut document = credential();
    document["issuer"] = json!(issuer);
    let configuration = json!({
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "verificationMethod": ISSUER_KEY,
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    });
    let request = eddsa_jcs_sign(&document, as_object(configuration)).unwrap();
    document["proof"] = fulfil(&world.issuer, request).unwrap();
    document
}

#[test]
fn a_signer_is_told_for_an_issuer_without_a_did_and_for_no_other() {
    let world = World::new();
    let check = |credential: &Value, at: Timestamp| {
        let credential = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
        credential.check_signed(world.issuer.public_key(), &world.contexts, at)
    };
    let good = signed_for(&world, "https://university.example/1");
    let signed = check(&good, NOW).unwrap();
    assert_eq!(signed.signer(), ISSUER);
    assert_eq!(signed.facts().issuer(), "https://university.example/1");
    // A DID says itself whose keys are its own: whoever it is, it takes `authenticate`.
    for did in [ISSUER, "did:web:other.example"] {
        let refused = check(&signed_for(&world, did), NOW).unwrap_err();
        let expected = did.to_owned();
        assert_eq!(refused, LdpVcError::Proof(ProofError::VerificationMethod { expected }));
    }
    let mut changed = good.clone();
    changed["credentialSubject"]["class"] = json!("C");
    assert!(matches!(check(&changed, NOW), Err(LdpVcError::Cryptosuite(_))));
    let mut expiring = good;
    expiring["proof"]["expires"] = json!(NOW.plus(10).to_rfc3339());
    assert!(matches!(
        check(&expiring, NOW.plus(600)),
        Err(LdpVcError::Proof(ProofError::Validity(_)))
    ));
}
