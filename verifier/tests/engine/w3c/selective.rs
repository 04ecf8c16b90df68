//! Credentials of which the holder shows a part: what is derived is judged like any other, and nothing else is taken.

use credential::Held;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Pointer;
use credential::vc::DataModelVersion;

use super::*;

const SUITES: [Cryptosuite; 2] = [Cryptosuite::EcdsaSd2023, Cryptosuite::Bbs2023];

/// The credential as its holder keeps it.
fn issue(agency: &Agency, suite: Cryptosuite, document: Value) -> Held<LdpVc> {
    let (key, method) = match suite {
        Cryptosuite::Bbs2023 => (&agency.bbs, agency.method("bbs")),
        _ => (&agency.es256, agency.method("es256")),
    };
    let options = BaseProofOptions {
        cryptosuite: suite,
        key: key.public_key(),
        verification_method: &method,
        created: Some(ISSUED),
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let Value::Object(document) = document else {
        panic!("an object")
    };
    let request = data_integrity::issue_selective(document, &options, &loader(), &mut signer::os_rng());
    let base = key.fulfil(request.unwrap()).unwrap();
    let unverified = Unverified::<LdpVc>::from_object(&base).unwrap();
    unverified.restore(key.public_key(), &agency.did, &loader()).unwrap()
}

fn derive_for(held: &Held<LdpVc>, names: &[&str], header: &str) -> Held<LdpVc> {
    let pointer = |name: &&str| Pointer::of_names(["credentialSubject", name]).unwrap();
    let pointers: Vec<Pointer> = names.iter().map(pointer).collect();
    held.derive(&pointers, header.as_bytes(), &loader(), &mut signer::os_rng())
        .unwrap()
}

fn derive(held: &Held<LdpVc>, names: &[&str]) -> Held<LdpVc> {
    derive_for(held, names, NONCE)
}

fn as_json(held: &Held<LdpVc>) -> Value {
    serde_json::from_str(held.as_str()).unwrap()
}

/// What a wallet with this key presents for the transaction.
fn present(derived: &Held<LdpVc>, wallet: &Wallet) -> Value {
    let presentation = data_integrity::Presentation {
        holder: &wallet.did,
        verification_method: &wallet.method,
        cryptosuite: Cryptosuite::EddsaRdfc2022,
        algorithm: Algorithm::EdDsa,
        domain: CLIENT_ID,
        challenge: NONCE,
        created: NOW.minus(MINUTE),
    };
    let request = presentation.sign(&[derived], &loader()).unwrap();
    Value::Object(wallet.key.fulfil(request).unwrap())
}

/// Runs with the nation, and what the usual wallet derives of a credential of each suite, after that was found valid.
fn each(run: impl Fn(&Nation, &Agency, Cryptosuite, &Held<LdpVc>)) {
    for suite in SUITES {
        let (nation, agency) = Nation::with_issuer();
        let held = issue(&agency, suite, RDFC.document(&agency));
        let derived = derive(&held, &["age_over_18"]);
        let verified = judge(&nation.bundle(), &RDFC.query(), present(&derived, &RDFC.wallet())).unwrap();
        assert_eq!(verified.to_value()["claims"], json!({"age_over_18": true}), "{suite:?}");
        assert_eq!(verified.to_value()["holder_binding"], "request");
        run(&nation, &agency, suite, &derived);
    }
}

/// The verdict on a credential that the usual wallet presents, whatever it is.
fn judged(nation: &Nation, credential: &Value) -> Result<Verified, Refused> {
    judge(&nation.bundle(), &RDFC.query(), resigned(credential))
}

/// That the proof of the issuer does not hold.
fn assert_unproven(reason: &Reason, what: &str) {
    let is_suite = matches!(reason, Reason::LdpVc(LdpVcError::Cryptosuite(_)));
    assert!(is_suite, "{what}: {reason:?}");
}

#[test]
fn derived_credential_of_a_careless_wallet_is_taken_as_well() {
    each(|nation, _, suite, derived| {
        assert!(judged(nation, &as_json(derived)).is_ok(), "{suite:?}");
    });
}

#[test]
fn base_proof_is_refused() {
    each(|nation, agency, suite, _| {
        let base = as_json(&issue(agency, suite, RDFC.document(agency)));
        assert_eq!(refused(judged(nation, &base)), Reason::LdpVc(LdpVcError::BaseProof));
        let unbound = RDFC.query_with(|one| one["require_cryptographic_holder_binding"] = json!(false));
        let result = judge(&nation.bundle(), &unbound, base);
        assert_eq!(refused(result), Reason::LdpVc(LdpVcError::BaseProof), "{suite:?}");
    });
}

#[test]
fn claim_that_was_added_or_changed_is_refused() {
    each(|nation, _, suite, derived| {
        for (name, value) in [("family_name", json!("Tan")), ("age_over_18", json!(false))] {
            let mut changed = as_json(derived);
            changed["credentialSubject"][name] = value;
            assert_unproven(&refused(judged(nation, &changed)), &format!("{suite:?} {name}"));
        }
    });
}

#[test]
fn status_and_end_of_validity_cannot_be_hidden() {
    each(|nation, _, suite, derived| {
        for name in ["credentialStatus", "validUntil", "validFrom"] {
            let mut hidden = as_json(derived);
            hidden.as_object_mut().unwrap().remove(name).unwrap();
            assert_unproven(&refused(judged(nation, &hidden)), &format!("{suite:?} {name}"));
        }
    });
}

#[test]
fn proof_of_another_credential_is_refused() {
    each(|nation, agency, suite, derived| {
        let mut document = RDFC.document(agency);
        document["credentialSubject"]["age_over_18"] = json!(false);
        let other = derive(&issue(agency, suite, document), &["age_over_18"]);
        let mut swapped = as_json(derived);
        swapped["proof"] = as_json(&other)["proof"].clone();
        assert_unproven(&refused(judged(nation, &swapped)), &format!("{suite:?}"));
    });
}

#[test]
fn presentation_by_another_key_is_refused() {
    each(|nation, _, suite, derived| {
        let by = |wallet: &Wallet| refused(judge(&nation.bundle(), &RDFC.query(), present(derived, wallet)));
        let thief = Wallet::new(RDFC, 51);
        assert_eq!(by(&thief), Reason::Holder(HolderError::NotTheSubject), "{suite:?}");
        let disguised = Wallet {
            key: thief.key,
            ..RDFC.wallet()
        };
        let reason = by(&disguised);
        let is_proof = matches!(reason, Reason::LdpVp(LdpVpError::Cryptosuite(_)));
        assert!(is_proof, "{suite:?} {reason:?}");
    });
}

#[test]
fn claim_that_was_asked_for_must_be_shown() {
    each(|nation, agency, suite, _| {
        let held = issue(agency, suite, RDFC.document(agency));
        let presented = present(&derive(&held, &["family_name"]), &RDFC.wallet());
        let reason = refused(judge(&nation.bundle(), &RDFC.query(), presented));
        assert!(
            matches!(reason, Reason::Answer(AnswerError::Claim { .. })),
            "{suite:?} {reason:?}"
        );
    });
}

#[test]
fn revoked_credential_is_refused_however_little_is_shown() {
    for suite in SUITES {
        let (mut nation, agency) = Nation::before_snapshot(|_| {});
        nation.commit(&agency, &[(INDEX, Status::Invalid)]);
        nation.snapshot(SNAPSHOT);
        let held = issue(&agency, suite, RDFC.document(&agency));
        let presented = present(&derive(&held, &["age_over_18"]), &RDFC.wallet());
        let reason = refused(judge(&nation.bundle(), &RDFC.query(), presented));
        assert_eq!(reason, Reason::Revoked { committed: GENESIS }, "{suite:?}");
    }
}

/// Nobody has to be its holder, but what was derived for another verifier's question is no answer to ours.
#[test]
fn what_was_derived_for_another_transaction_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let bare = RDFC.query_with(|one| one["require_cryptographic_holder_binding"] = json!(false));
    let held = issue(&agency, Cryptosuite::Bbs2023, RDFC.document(&agency));
    let shown = |header: &str| {
        let derived = as_json(&derive_for(&held, &["age_over_18"], header));
        judge(&nation.bundle(), &bare, derived)
    };
    for header in [NONCE, ""] {
        assert_eq!(shown(header).unwrap().to_value()["holder_binding"], "none");
    }
    assert_eq!(
        refused(shown("nonce of another")),
        Reason::LdpVp(LdpVpError::WrongChallenge)
    );
}
