//! `ecdsa-rdfc-2019` and `ecdsa-jcs-2019`, with both curves.

use super::*;

const ECDSA: [Cryptosuite; 2] = [Cryptosuite::EcdsaRdfc2019, Cryptosuite::EcdsaJcs2019];
const CURVES: [Algorithm; 2] = [Algorithm::Es256, Algorithm::Es384];

fn world(algorithm: Algorithm) -> World {
    let key = || SoftwareKey::generate(algorithm, &mut signer::os_rng());
    World {
        issuer: key(),
        holder: key(),
        ..World::new()
    }
}

fn issue_with(world: &World, suite: Cryptosuite) -> Value {
    let options = ProofOptions {
        algorithm: world.issuer.public_key().algorithm(),
        ..options(suite)
    };
    let request = issue(as_object(credential()), &options, &world.contexts).unwrap();
    Value::Object(fulfil(&world.issuer, request).unwrap())
}

fn is_bad_signature(error: &LdpVcError) -> bool {
    matches!(
        error,
        LdpVcError::Cryptosuite(CryptosuiteError::Signature(_) | CryptosuiteError::Json(JcsProofError::Signature(_)))
    )
}

#[test]
fn changed_claim() {
    for (suite, algorithm) in ECDSA.into_iter().flat_map(|suite| CURVES.map(|curve| (suite, curve))) {
        let world = world(algorithm);
        let mut credential = issue_with(&world, suite);
        assert!(world.authenticate(&credential).is_ok());
        credential["credentialSubject"]["points"] = json!(0);
        let refused = world.authenticate(&credential).unwrap_err();
        assert!(is_bad_signature(&refused), "{suite:?} {algorithm}: {refused:?}");
    }
}

#[test]
fn key_of_the_other_curve() {
    for suite in ECDSA {
        let [p256, p384] = CURVES.map(world);
        for (signed, other) in [(&p256, &p384), (&p384, &p256)] {
            let credential = issue_with(signed, suite);
            assert!(signed.authenticate(&credential).is_ok());
            let refused = other.authenticate(&credential).unwrap_err();
            assert!(is_bad_signature(&refused), "{suite:?}: {refused:?}");
        }
    }
}

#[test]
fn key_of_another_family() {
    for suite in ECDSA {
        let credential = issue_with(&world(Algorithm::Es256), suite);
        assert!(matches!(
            World::new().authenticate(&credential).unwrap_err(),
            LdpVcError::Cryptosuite(
                CryptosuiteError::Algorithm { .. } | CryptosuiteError::Json(JcsProofError::Algorithm { .. })
            )
        ));
        let eddsa = options(suite);
        assert!(
            issue(
                as_object(credential_without_proof(credential)),
                &eddsa,
                &World::new().contexts
            )
            .is_err()
        );
    }
}

/// Both suites are of one family: a signature over the JSON must not pass as one over the meaning.
#[test]
fn suite_renamed() {
    for (suite, other) in [(ECDSA[0], ECDSA[1]), (ECDSA[1], ECDSA[0])] {
        let world = world(Algorithm::Es256);
        let mut credential = issue_with(&world, suite);
        assert!(world.authenticate(&credential).is_ok());
        credential["proof"]["cryptosuite"] = json!(other.as_str());
        assert!(world.authenticate(&credential).is_err());
    }
}

/// `s` and the group order less `s` are both the key's signature, as in JWS.
#[test]
fn high_s_is_valid() {
    let world = world(Algorithm::Es256);
    let mut credential = issue_with(&world, Cryptosuite::EcdsaRdfc2019);
    let bytes = keys::multibase::decode(credential["proof"]["proofValue"].as_str().unwrap()).unwrap();
    let negated = negate_s(&bytes);
    assert_ne!(bytes, negated);
    credential["proof"]["proofValue"] = json!(keys::multibase::encode_base58btc(&negated));
    assert!(world.authenticate(&credential).is_ok());
}

fn negate_s(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
        0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut negated = signature.to_vec();
    let mut borrow = false;
    for (position, order) in ORDER.iter().enumerate().rev() {
        let byte = &mut negated[32 + position];
        let (difference, under) = order.overflowing_sub(*byte);
        let (difference, under_again) = difference.overflowing_sub(u8::from(borrow));
        *byte = difference;
        borrow = under || under_again;
    }
    negated
}

fn credential_without_proof(mut credential: Value) -> Value {
    credential.as_object_mut().unwrap().remove("proof");
    credential
}

#[test]
fn holder_presents_with_ecdsa() {
    let world = world(Algorithm::Es256);
    let credential = issue_with(&world, Cryptosuite::EcdsaRdfc2019);
    let held = world.authenticate(&credential).unwrap().hold_issued().unwrap();
    let signing = Presentation {
        algorithm: Algorithm::Es256,
        ..presentation(Cryptosuite::EcdsaRdfc2019)
    };
    let request = signing.sign(&[&held], &world.contexts).unwrap();
    let mut presentation = Value::Object(fulfil(&world.holder, request).unwrap());
    assert!(world.check(&presentation).is_ok());
    presentation["proof"]["challenge"] = json!("another");
    assert_eq!(world.check(&presentation).unwrap_err(), LdpVpError::WrongChallenge);
}
