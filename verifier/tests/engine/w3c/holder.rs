//! Who presents, to whom, and when; and what was changed on the way.

use super::*;

#[test]
fn credential_of_another_subject_is_refused() {
    for kind in ALL {
        let other = Wallet::new(kind, 51).did;
        let result = changed(kind, |_, document| document["credentialSubject"]["id"] = json!(other));
        assert_eq!(refused(result), Reason::Holder(HolderError::NotTheSubject), "{kind:?}");
    }
}

#[test]
fn credential_without_a_subject_s_did_is_refused() {
    for kind in ALL {
        let result = changed(kind, |_, document| {
            document["credentialSubject"].as_object_mut().unwrap().remove("id");
        });
        assert_eq!(refused(result), Reason::Holder(HolderError::NoHolder), "{kind:?}");
    }
}

#[test]
fn presentation_signed_by_another_key_is_refused() {
    for kind in ALL {
        let result = sent(kind, |sent| sent.wallet.key = Wallet::new(kind, 51).key);
        match (kind, refused(result)) {
            (Kind::Jwt, Reason::VpJwt(VpJwtError::Jws(JwsError::Signature(_))))
            | (Kind::Ldp(_), Reason::LdpVp(LdpVpError::Cryptosuite(_))) => {}
            (kind, other) => panic!("{kind:?} {other:?}"),
        }
    }
}

#[test]
fn holder_whose_key_nobody_can_find_is_refused() {
    for kind in ALL {
        let did = "did:web:holder.example";
        let result = sent(kind, |sent| {
            sent.wallet.did = did.to_owned();
            sent.wallet.method = format!("{did}#1");
        });
        assert_eq!(refused(result), Reason::HolderKeyUnknown, "{kind:?}");
    }
}

#[test]
fn presentation_for_another_verifier_is_refused() {
    for kind in ALL {
        match refused(sent(kind, |sent| {
            sent.audience = "decentralized_identifier:did:example:other";
        })) {
            Reason::VpJwt(VpJwtError::WrongAudience { .. }) | Reason::LdpVp(LdpVpError::WrongDomain { .. }) => {}
            other => panic!("{kind:?} {other:?}"),
        }
    }
}

#[test]
fn presentation_for_another_transaction_is_refused() {
    for kind in ALL {
        match refused(sent(kind, |sent| sent.nonce = "another")) {
            Reason::VpJwt(VpJwtError::WrongNonce) | Reason::LdpVp(LdpVpError::WrongChallenge) => {}
            other => panic!("{kind:?} {other:?}"),
        }
    }
}

#[test]
fn presentation_that_is_too_old_is_refused() {
    for kind in ALL {
        assert!(sent(kind, |sent| sent.at = NOW.minus(MAX_AGE)).is_ok());
        match refused(sent(kind, |sent| sent.at = NOW.minus(MAX_AGE + 1))) {
            Reason::VpJwt(VpJwtError::OutsideWindow { .. }) | Reason::LdpVp(LdpVpError::OutsideWindow { .. }) => {}
            other => panic!("{kind:?} {other:?}"),
        }
    }
}

#[test]
fn missing_proof_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let genuine = RDFC.present(&agency, &[RDFC.issue(&agency, RDFC.document(&agency))]);
    let judge = |presentation: Value| refused(judge(&nation.bundle(), &RDFC.query(), presentation));

    let mut without = genuine.clone();
    without.as_object_mut().unwrap().remove("proof");
    assert_eq!(judge(without), Reason::LdpVp(LdpVpError::Proof(ProofError::Missing)));

    let mut without = genuine;
    without["verifiableCredential"][0]
        .as_object_mut()
        .unwrap()
        .remove("proof");
    let missing = LdpVcError::Proof(ProofError::Missing);
    assert_eq!(judge(without), Reason::LdpVp(LdpVpError::Credential(missing)));
}

#[test]
fn claim_changed_after_signing_is_refused() {
    // The holder signs the presentation of it all the same.
    let (nation, agency) = Nation::with_issuer();
    let text = RDFC.issue(&agency, RDFC.document(&agency));
    let mut credential: Value = serde_json::from_str(&text).unwrap();
    credential["credentialSubject"]["age_over_18"] = json!(false);
    let result = judge(&nation.bundle(), &RDFC.query(), resigned(&credential));
    assert!(matches!(refused(result), Reason::LdpVc(LdpVcError::Cryptosuite(_))));

    let text = JWT.issue(&agency, JWT.document(&agency));
    let parts: Vec<&str> = text.split('.').collect();
    let payload = String::from_utf8(keys::base64url::decode(parts[1]).unwrap()).unwrap();
    let payload = keys::base64url::encode(payload.replace("true", "false"));
    let forged = [parts[0], &payload, parts[2]].join(".");
    let waived = JWT.query_with(|one| one["require_cryptographic_holder_binding"] = json!(false));
    let result = judge(&nation.bundle(), &waived, Value::from(forged));
    assert!(matches!(
        refused(result),
        Reason::VcJwt(VcJwtError::Jws(JwsError::Signature(_)))
    ));
}
