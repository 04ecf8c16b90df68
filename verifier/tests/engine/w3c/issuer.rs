//! Whose key it is, and whether its owner may issue this.

use super::*;

#[test]
fn issuer_that_no_bundle_knows_is_refused() {
    for kind in ALL {
        let (nation, _) = Nation::with_issuer();
        let (mut elsewhere, _) = Nation::with_issuer();
        let stranger = elsewhere.admit("stranger", 60);
        let result = genuine(kind, &nation, &stranger);
        assert_eq!(
            refused(result),
            Reason::IssuerUnknown { issuer: stranger.did },
            "{kind:?}"
        );
    }
}

#[test]
fn agency_without_accreditation_for_the_type_is_refused() {
    for kind in ALL {
        let (mut nation, _) = Nation::before_snapshot(|_| {});
        let other = nation.admit("transport", 30);
        nation.grant("transport-issues-licences", grant(&other, LICENCE));
        nation.commit(&other, &[]);
        nation.snapshot(SNAPSHOT);
        assert!(
            matches!(refused(genuine(kind, &nation, &other)), Reason::NotAccredited { schema, .. } if schema == IDENTITY),
            "{kind:?}"
        );
    }
}

#[test]
fn every_further_type_needs_an_accreditation_as_well() {
    for kind in ALL {
        let result = changed(kind, |_, document| {
            document["type"] = json!(["VerifiableCredential", IDENTITY, LICENCE]);
            document["@context"] = json!([BASE, context_url(IDENTITY), context_url(LICENCE)]);
        });
        assert!(
            matches!(refused(result), Reason::NotAccredited { schema, .. } if schema == LICENCE),
            "{kind:?}"
        );
    }
}

#[test]
fn credential_of_no_type_of_its_own_is_refused() {
    for kind in ALL {
        let result = changed(kind, |_, document| {
            document["type"] = json!(["VerifiableCredential"]);
            document["@context"] = json!([BASE]);
            document["credentialSubject"] = json!({"id": kind.wallet().did});
        });
        assert!(matches!(refused(result), Reason::Form { .. }), "{kind:?}");
    }
}

#[test]
fn type_that_the_registry_does_not_know_is_refused() {
    let result = changed(JWT, |_, document| {
        document["type"] = json!(["VerifiableCredential", "Unknown"]);
    });
    let type_name = "Unknown".to_owned();
    assert_eq!(refused(result), Reason::TypeUnknown { type_name });
}

/// Of several proofs, every one of the issuer's must hold; whose else is there, is nobody's evidence.
#[test]
fn further_proofs_are_checked_if_they_are_the_issuer_s() {
    for suite in [Cryptosuite::EddsaRdfc2022, Cryptosuite::EddsaJcs2022] {
        let kind = Kind::Ldp(suite);
        let (nation, agency) = Nation::with_issuer();
        let credential: Value = serde_json::from_str(&kind.issue(&agency, kind.document(&agency))).unwrap();
        let with_second = |method: &str| {
            let mut credential = credential.clone();
            let mut second = credential["proof"].clone();
            second["verificationMethod"] = json!(method);
            credential["proof"] = json!([credential["proof"], second]);
            credential
        };
        let query = kind.query_with(|one| one["require_cryptographic_holder_binding"] = json!(false));
        let bundle = nation.bundle();
        let check = |credential: Value| judge(&bundle, &query, credential);
        assert!(check(credential.clone()).is_ok());
        assert!(check(with_second("did:web:notary.example#key-1")).is_ok());
        let (same_key, no_key) = (agency.method("eddsa"), agency.method("none"));
        assert!(check(with_second(&no_key)).is_err());
        // The same key again, over another configuration: not what it signed.
        let mut changed = with_second(&same_key);
        changed["proof"][1]["created"] = json!(NOW.minus(MINUTE).to_rfc3339());
        assert!(matches!(
            refused(check(changed)),
            Reason::LdpVc(LdpVcError::Cryptosuite(_))
        ));
    }
}
