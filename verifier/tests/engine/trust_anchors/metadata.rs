//! JWT VC Issuer Metadata that the verifier has at hand.

use credential::sd_jwt_vc::SdJwtVcError;
use credential::sd_jwt_vc::issuer_metadata::IssuerMetadataError;
use keys::jws::JwsError;
use verifier::Reason;

use super::*;
use crate::answer::refused;

fn jwk(key: &SoftwareKey, kid: &str) -> Value {
    let mut jwk = key.public_key().to_jwk().to_value();
    jwk["kid"] = json!(kid);
    jwk
}

fn metadata_anchor(keys: &[Value]) -> Value {
    json!({"issuer": ISSUER, "metadata": {"issuer": ISSUER, "jwks": {"keys": keys}}, "types": [DEGREE]})
}

fn verdict(keys: &[Value], credential: New) -> Result<Verified, Refused> {
    judge(&anchors(&[metadata_anchor(keys)]), credential.present())
}

#[test]
fn issuer_whose_metadata_was_chosen_is_valid() {
    let keys = [jwk(&university(), "a"), jwk(&key(Algorithm::Es256, 76), "b")];
    let verified = verdict(&keys, new().header("kid", json!("a"))).unwrap();
    let issuer = json!({"id": ISSUER, "trust_anchor": ISSUER, "types": [DEGREE], "key": "a"});
    assert_eq!(verified.to_value()["issuer"], issuer);
    // The one key needs no name.
    assert!(verdict(&keys[..1], new()).is_ok());
    // Keys that the metadata has elsewhere.
    let url = "https://university.example/keys";
    let anchor = json!({
        "issuer": ISSUER, "metadata": {"issuer": ISSUER, "jwks_uri": url}, "jwks": {"keys": keys}, "types": [DEGREE],
    });
    let presentation = new().header("kid", json!("a")).present();
    assert!(judge(&anchors(&[anchor]), presentation).is_ok());
}

#[test]
fn key_must_be_one_and_of_the_algorithm() {
    let own = jwk(&university(), "a");
    let ambiguous = |found| Reason::IssuerKeys(IssuerMetadataError::AmbiguousKey { found });
    let named = |kid: &str| new().header("kid", json!(kid));
    assert_eq!(refused(verdict(&[own.clone(), own.clone()], named("a"))), ambiguous(2));
    assert_eq!(refused(verdict(std::slice::from_ref(&own), named("b"))), ambiguous(0));
    let other = jwk(&key(Algorithm::Es256, 76), "b");
    assert_eq!(refused(verdict(&[own.clone(), other.clone()], new())), ambiguous(2));
    let ed25519 = jwk(&key(Algorithm::EdDsa, 77), "a");
    assert_eq!(refused(verdict(&[ed25519], named("a"))), ambiguous(0));
    let reason = refused(verdict(&[own, other], named("b")));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn metadata_of_an_issuer_is_for_no_other() {
    let keys = [jwk(&university(), "a")];
    for other in ["https://university.example", "https://university.example/diplomas/"] {
        let reason = refused(verdict(&keys, new().claim("iss", json!(other))));
        let issuer = other.to_owned();
        assert_eq!(reason, Reason::IssuerUnknown { issuer });
    }
}

#[test]
fn certificates_do_not_replace_the_chosen_metadata() {
    let thief = key(Algorithm::Es256, 78);
    let certificate = certificate(Role::DocumentSigner, thief.public_key(), |_| {});
    let both = anchors(&[
        metadata_anchor(&[jwk(&university(), "a")]),
        authority_anchor(&root(), &[DEGREE]),
    ]);
    let presentation = certified(std::slice::from_ref(&certificate)).by(thief).present();
    let reason = refused(judge(&both, presentation.clone()));
    assert!(matches!(
        reason,
        Reason::SdJwtVc(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
    // It would do where the certificates are the issuer's way.
    let authority = anchors(&[authority_anchor(&root(), &[DEGREE])]);
    assert!(judge(&authority, presentation).is_ok());
}

#[test]
fn type_that_was_not_chosen_is_refused() {
    let credential = new().claim("vct", json!("urn:example:medic"));
    let reason = refused(verdict(&[jwk(&university(), "a")], credential));
    assert!(matches!(reason, Reason::TypeNotChosen { anchor, .. } if anchor == ISSUER));
}
