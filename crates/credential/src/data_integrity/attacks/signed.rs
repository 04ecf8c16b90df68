//! What is checked where no evidence of authenticity or of a presenter is made.

use keys::Signer as _;
use keys::data_integrity::JcsSuite;
use keys::data_integrity::jcs_sign;
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
    for suite in [Cryptosuite::EddsaRdfc2022, Cryptosuite::EddsaJcs2022] {
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
    document["proof"] = proof(&document, ISSUER_KEY, &world.issuer);
    document
}

/// A proof of `document`, which has none, that says it is by the key of `method`.
fn proof(document: &Value, method: &str, key: &SoftwareKey) -> Value {
    let configuration = json!({
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    });
    let request = jcs_sign(
        JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        document.as_object().unwrap(),
        as_object(configuration),
    );
    fulfil(key, request.unwrap()).unwrap()
}

const UNIVERSITY: &str = "https://university.example/1";

impl World {
    fn check_signed(&self, credential: &Value, now: Timestamp) -> Result<SignedLdpVc, LdpVcError> {
        let keys = ProofKeys::new()
            .with(ISSUER_KEY, self.issuer.public_key().clone())
            .with(HOLDER_KEY, self.holder.public_key().clone());
        Unverified::<LdpVc>::parse(&credential.to_string())?.check_signed(&keys, &self.contexts, now)
    }
}

#[test]
fn a_signer_is_told_for_an_issuer_without_a_did_and_for_no_other() {
    let world = World::new();
    let check = |credential: &Value, at: Timestamp| world.check_signed(credential, at);
    let good = signed_for(&world, UNIVERSITY);
    let signed = check(&good, NOW).unwrap();
    assert_eq!(signed.signers().collect::<Vec<_>>(), [ISSUER]);
    assert_eq!(signed.facts().issuer(), UNIVERSITY);
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

#[test]
fn every_proof_of_a_signed_credential_must_hold() {
    let world = World::new();
    let mut bare = signed_for(&world, UNIVERSITY);
    let first = bare.as_object_mut().unwrap().remove("proof").unwrap();
    let with = |method: &str, key: &SoftwareKey| {
        let mut credential = bare.clone();
        credential["proof"] = json!([first, proof(&bare, method, key)]);
        world.check_signed(&credential, NOW)
    };
    let signed = with(HOLDER_KEY, &world.holder).unwrap();
    assert_eq!(signed.signers().collect::<Vec<_>>(), [ISSUER, HOLDER]);
    let forged = with(HOLDER_KEY, &world.issuer);
    assert!(matches!(forged, Err(LdpVcError::Cryptosuite(_))), "{forged:?}");
    let unknown = with("did:web:other.example#key", &world.holder);
    assert!(
        matches!(unknown, Err(LdpVcError::Proof(ProofError::UnknownKey { .. }))),
        "{unknown:?}"
    );
}

/// Whoever the issuer is: a base proof is for its holder alone.
#[test]
fn a_base_proof_of_an_issuer_without_a_did_is_refused() {
    let world = World::new();
    let issuer = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let options = base_options(Cryptosuite::EcdsaSd2023, issuer.public_key(), &[]);
    let mut rng = signer::os_rng();
    let request = issue_selective(as_object(credential()), &options, &world.contexts, &mut rng);
    let base = Value::Object(fulfil(&issuer, request.unwrap()).unwrap());
    let held = Unverified::<LdpVc>::parse(&base.to_string()).unwrap().hold_issued(
        issuer.public_key(),
        ISSUER,
        &world.contexts,
        NOW,
    );
    let derived = held
        .unwrap()
        .derive(&[], &[], &world.contexts, &mut signer::os_rng())
        .unwrap();
    let derived: Value = derived.as_str().parse().unwrap();
    let check = |mut credential: Value| {
        credential["issuer"] = json!(UNIVERSITY);
        let keys = ProofKeys::new().with(ISSUER_KEY, issuer.public_key().clone());
        let credential = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
        credential.check_signed(&keys, &world.contexts, NOW).unwrap_err()
    };
    // What was derived is looked at, and is not what was signed.
    assert!(matches!(check(derived), LdpVcError::Cryptosuite(_)));
    assert_eq!(check(base), LdpVcError::BaseProof);
}
