//! `x5c`: every certificate and every name in them that must not be believed.

use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt_vc::SdJwtVcError;
use keys::jws::JwsError;
use keys::x509::Certificate;
use keys::x509::X509Error;
use verifier::NO_TRUST_ANCHORS;
use verifier::Reason;

use super::*;
use crate::answer::not_covered;
use crate::answer::query_with;
use crate::answer::refused;
use crate::nation::HOUR;
use crate::nation::Nation;

fn chosen() -> TrustAnchors {
    anchors(&[authority_anchor(&root(), &[DEGREE])])
}

fn verdict(credential: New) -> Result<Verified, Refused> {
    judge(&chosen(), credential.present())
}

/// The name of the anchor that a choice of one certificate makes.
fn name_of(der: &[u8]) -> String {
    credential::mdoc::anchor_name(&Certificate::from_der(der).unwrap())
}

#[test]
fn issuer_that_a_chosen_authority_vouches_for_is_valid() {
    let root = root();
    let chosen = anchors(&[authority_anchor(&root, &[DEGREE])]);
    let verified = judge(&chosen, certified(&[leaf()]).present()).unwrap();
    let expected = json!({
        "verdict": "valid", "reasons": [], "query": "it",
        "issuer": {"id": ISSUER, "trust_anchor": name_of(&root), "types": [DEGREE], "key": null},
        "as_of": null, "status": {"value": "unlisted"}, "holder_binding": "request", "warnings": [],
        "claims": {"degree": "MSc"},
    });
    assert_eq!(verified.to_value(), expected);
    // Beside a registry as well, which knows nothing of it.
    let (nation, _) = Nation::with_issuer();
    let presentation = certified(&[leaf()]).present();
    assert!(judge_at(&[&nation.bundle()], &chosen, &degree(), presentation, NOW).is_ok());
}

#[test]
fn issuer_without_a_name_is_named_by_its_authority() {
    let root = root();
    let chosen = anchors(&[authority_anchor(&root, &[DEGREE])]);
    let verified = judge(&chosen, certified(&[leaf()]).without("iss").present()).unwrap();
    assert_eq!(verified.credentials()[0].facts().issuer(), name_of(&root));
}

#[test]
fn leaf_of_another_authority_is_refused() {
    let other = key(Algorithm::Es256, 72);
    let forged = certificate_by(&other, Role::DocumentSigner, university().public_key(), |_| {});
    let own_root = certificate_by(&other, Role::Iaca, other.public_key(), |_| {});
    // The same name in both roots, so that nothing but the key tells them apart.
    for chain in [vec![forged.clone()], vec![forged, own_root]] {
        let reason = refused(verdict(certified(&chain)));
        assert!(matches!(reason, Reason::Certificates(_)), "{reason:?}");
    }
    let reason = refused(judge_at(
        &[&Nation::with_issuer().0.bundle()],
        &NO_TRUST_ANCHORS,
        &degree(),
        certified(&[leaf()]).present(),
        NOW,
    ));
    assert_eq!(reason, Reason::Certificates(X509Error::NoAnchor));
}

#[test]
fn expired_certificate_is_refused() {
    let expired = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.valid_until = NOW.minus(1);
    });
    let reason = refused(verdict(certified(&[expired])));
    assert!(matches!(reason, Reason::Certificates(X509Error::Validity { .. })));
    let early = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.valid_from = NOW.plus(1);
    });
    let reason = refused(verdict(certified(&[early])));
    assert!(matches!(reason, Reason::Certificates(X509Error::Validity { .. })));
    let presentation = certified(&[leaf()]).present();
    let later = judge_at(&[], &chosen(), &degree(), presentation, NOW.plus(101 * DAY));
    assert!(matches!(
        refused(later),
        Reason::Certificates(X509Error::Validity { .. })
    ));
}

#[test]
fn certificate_for_another_issuer_is_refused() {
    let other = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.subject_uri = Some("https://university.example");
    });
    let nameless = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.subject_uri = None;
    });
    for certificate in [other, nameless] {
        let reason = refused(verdict(certified(&[certificate])));
        let found = ISSUER.to_owned();
        assert_eq!(reason, Reason::SdJwtVc(SdJwtVcError::UncertifiedIssuer { found }));
    }
    // Letter by letter.
    let reason = refused(verdict(certified(&[leaf()]).claim("iss", json!(format!("{ISSUER}/")))));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::UncertifiedIssuer { .. })
    ));
}

#[test]
fn did_that_a_certificate_claims_is_not_believed() {
    let (nation, agency) = Nation::with_issuer();
    let did: &'static str = Box::leak(agency.did.clone().into_boxed_str());
    let claiming = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.subject_uri = Some(did);
    });
    let credential = || certified(std::slice::from_ref(&claiming)).claim("iss", json!(did));
    // The registry knows the DID: its document counts, and the certificate is not read.
    let with_kid = credential().header("kid", json!(agency.method("es256"))).present();
    let reason = refused(judge_at(&[&nation.bundle()], &chosen(), &degree(), with_kid, NOW));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
    // Nobody knows it.
    let with_kid = credential().header("kid", json!(agency.method("es256")));
    assert!(matches!(refused(verdict(with_kid)), Reason::IssuerUnknown { .. }));
    // Without a kid, and in letters that are no DID's.
    assert_eq!(refused(verdict(credential())), Reason::SdJwtVc(SdJwtVcError::KeyId));
    let shouted: &'static str = Box::leak(did.replacen("did:", "DID:", 1).into_boxed_str());
    let claiming = certificate(Role::DocumentSigner, university().public_key(), |new| {
        new.subject_uri = Some(shouted);
    });
    let reason = refused(verdict(certified(&[claiming]).claim("iss", json!(shouted))));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::UncertifiedIssuer { .. })
    ));
}

#[test]
fn kid_of_a_did_beside_certificates_is_refused() {
    let (_, agency) = Nation::with_issuer();
    let reason = refused(verdict(
        certified(&[leaf()]).header("kid", json!(agency.method("es256"))),
    ));
    assert_eq!(reason, Reason::SdJwtVc(SdJwtVcError::KeyIdBesideCertificates));
    // Another kid says nothing, and is not told.
    let verified = verdict(certified(&[leaf()]).header("kid", json!("2026-11"))).unwrap();
    assert_eq!(verified.to_value()["issuer"]["key"], Value::Null);
}

#[test]
fn authority_as_signer_is_refused() {
    let ca = certificate(Role::Iaca, university().public_key(), |new| new.subject = SIGNER);
    let reason = refused(verdict(certified(&[ca])));
    assert!(matches!(reason, Reason::Certificates(X509Error::Purpose { .. })));
    // The anchor itself, whose key signs certificates and no credentials.
    let reason = refused(verdict(certified(&[root()]).by(authority())));
    assert!(matches!(reason, Reason::Certificates(X509Error::Purpose { .. })));
}

#[test]
fn path_that_is_longer_than_the_authority_allows_is_refused() {
    let between = key(Algorithm::Es256, 73);
    let name = Name {
        country: "XA",
        common_name: "Between",
    };
    let sub = certificate(Role::Iaca, between.public_key(), |new| new.subject = name);
    let below = certificate_by(&between, Role::DocumentSigner, university().public_key(), |new| {
        new.issuer = name;
    });
    let reason = refused(verdict(certified(&[below.clone(), sub])));
    assert!(matches!(reason, Reason::Certificates(X509Error::NotAnAuthority { .. })));
    // More certificates than any path has.
    let reason = refused(verdict(certified(&vec![below; 9])));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Header(_)))
    ));
}

#[test]
fn key_of_another_algorithm_than_the_signature_is_refused() {
    let ed25519 = key(Algorithm::EdDsa, 74);
    let certificate = certificate(Role::DocumentSigner, ed25519.public_key(), |_| {});
    let certificate = std::slice::from_ref(&certificate);
    assert!(verdict(certified(certificate).by(ed25519)).is_ok());
    let reason = refused(verdict(certified(certificate)));
    assert!(matches!(reason, Reason::SdJwtVc(SdJwtVcError::Jws(_))), "{reason:?}");
    let reason = refused(verdict(certified(&[leaf()]).by(key(Algorithm::Es256, 75))));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn issuer_without_certificates_is_unknown() {
    let reason = refused(verdict(new()));
    let issuer = ISSUER.to_owned();
    assert_eq!(reason, Reason::IssuerUnknown { issuer });
    assert!(matches!(
        refused(verdict(new().without("iss"))),
        Reason::IssuerUnknown { .. }
    ));
    let reason = refused(verdict(new().header("x5c", json!(["???"]))));
    assert!(matches!(reason, Reason::SdJwtVc(SdJwtVcError::Jws(_))));
}

#[test]
fn every_type_must_be_among_those_that_were_chosen() {
    let reason = refused(verdict(
        certified(&[leaf()]).claim("aka_vcts", json!(["urn:example:medic"])),
    ));
    assert!(matches!(reason, Reason::TypeNotChosen { type_name, .. } if type_name == "urn:example:medic"));
    let other = anchors(&[authority_anchor(&root(), &["urn:example:medic"])]);
    let reason = refused(judge(&other, certified(&[leaf()]).present()));
    assert!(matches!(reason, Reason::TypeNotChosen { type_name, .. } if type_name == DEGREE));
    let both = anchors(&[authority_anchor(&root(), &[DEGREE, "urn:example:medic"])]);
    let presentation = certified(&[leaf()])
        .claim("aka_vcts", json!(["urn:example:medic"]))
        .present();
    assert!(judge(&both, presentation).is_ok());
}

#[test]
fn status_of_an_issuer_outside_of_the_registries_is_not_covered() {
    let uri = "https://university.example/status/1".to_owned();
    let status = json!({"status_list": {"uri": uri, "idx": 3}});
    let result = verdict(certified(&[leaf()]).claim("status", status));
    assert_eq!(not_covered(result), Reason::StatusNotCovered { uri });
    let result = verdict(certified(&[leaf()]).claim("status", json!({"other": {}})));
    assert!(matches!(refused(result), Reason::StatusUnknownMechanism { .. }));
}

#[test]
fn time_and_holder_are_checked_as_always() {
    let expired = certified(&[leaf()]).claim("exp", json!(NOW.unix()));
    assert!(matches!(
        refused(verdict(expired)),
        Reason::SdJwtVc(SdJwtVcError::Validity(_))
    ));
    let future = certified(&[leaf()]).claim("iat", json!(NOW.plus(HOUR).unix()));
    assert!(matches!(
        refused(verdict(future)),
        Reason::SdJwtVc(SdJwtVcError::IssuedInTheFuture { .. })
    ));
    let unbound = certified(&[leaf()]).without("cnf");
    assert!(matches!(
        refused(verdict(unbound)),
        Reason::KeyBinding(KeyBindingError::NoHolderKey)
    ));
    let query = query_with("dc+sd-jwt", &json!({"vct_values": [DEGREE]}), &[], |query| {
        query["require_cryptographic_holder_binding"] = json!(false);
    });
    let presentation = certified(&[leaf()]).present();
    let bare = presentation.as_str().unwrap().rsplit_once('~').unwrap().0;
    let verified = judge_at(&[], &chosen(), &query, json!(format!("{bare}~")), NOW).unwrap();
    assert_eq!(verified.to_value()["holder_binding"], "none");
}

#[test]
fn without_bundle_and_anchor_nothing_is_judged() {
    let reason = refused(judge(&NO_TRUST_ANCHORS, certified(&[leaf()]).present()));
    assert_eq!(reason, Reason::NoBundle);
}
