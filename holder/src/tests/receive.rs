//! What an issuer delivers is checked before it is kept.

use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::CredentialFormat;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::ISSUER;
use super::Issued;
use super::NOW;
use super::Scene;
use crate::Contexts;
use crate::Expected;
use crate::ReceiveError;
use crate::Received;
use crate::issuer_key_url;
use crate::proof_key;

fn configuration(change: fn(&mut Value)) -> CredentialConfiguration {
    let mut configuration = json!({
        "format": "dc+sd-jwt", "vct": "urn:pid",
        "cryptographic_binding_methods_supported": ["did:key", "jwk"],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
    });
    change(&mut configuration);
    serde_json::from_value(configuration).unwrap()
}

fn check(
    credential: &Value,
    configuration: &CredentialConfiguration,
    issuer_key: &PublicKey,
    holder_key: &PublicKey,
) -> Result<Received, ReceiveError> {
    let expected = Expected {
        configuration,
        holder_key,
        issuer_key,
        contexts: &Contexts::default(),
        now: NOW,
    };
    Received::check(credential, &expected)
}

#[test]
fn what_was_offered_is_kept() {
    let scene = Scene::new();
    let credential = Value::from(scene.issue(Issued::default()));
    let configuration = configuration(|_| ());
    assert_eq!(
        issuer_key_url(&credential, &configuration).unwrap(),
        format!("{ISSUER}#key-1")
    );
    let received = check(
        &credential,
        &configuration,
        scene.issuer.public_key(),
        scene.holder.public_key(),
    )
    .unwrap();
    assert_eq!(received.format, CredentialFormat::SdJwtVc);
    assert_eq!(received.issuer, ISSUER);
    assert_eq!(Value::from(received.text), credential);
}

#[test]
fn anything_else_is_not() {
    let scene = Scene::new();
    let other = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let (issuer, holder) = (scene.issuer.public_key(), scene.holder.public_key());
    let pid = configuration(|_| ());
    let refused = |credential: Value, configuration: &CredentialConfiguration| {
        check(&credential, configuration, issuer, holder).unwrap_err()
    };
    let good = || scene.issue(Issued::default());
    assert!(check(&good().into(), &pid, issuer, holder).is_ok());

    let tampered = refused(good().replacen('~', "~x", 1).into(), &pid);
    assert!(matches!(tampered, ReceiveError::SdJwtVc(_)), "{tampered}");
    let by_another = check(&good().into(), &pid, other.public_key(), holder).unwrap_err();
    assert!(matches!(by_another, ReceiveError::SdJwtVc(_)), "{by_another}");
    let to_another = refused(scene.issue_to(&other, Issued::default()).into(), &pid);
    assert!(matches!(to_another, ReceiveError::Binding), "{to_another}");
    let licence = Issued {
        vct: "urn:licence",
        ..Issued::default()
    };
    let other_type = refused(scene.issue(licence).into(), &pid);
    assert!(matches!(other_type, ReceiveError::Type), "{other_type}");
    let expired = Issued {
        valid_until: Some(NOW),
        ..Issued::default()
    };
    let expired = refused(scene.issue(expired).into(), &pid);
    assert!(matches!(expired, ReceiveError::SdJwtVc(_)), "{expired}");
    let no_string = refused(json!({}), &pid);
    assert!(matches!(no_string, ReceiveError::Format), "{no_string}");
    let unknown = configuration(|configuration| *configuration = json!({"format": "ac_vc"}));
    let other_format = refused(good().into(), &unknown);
    assert!(matches!(other_format, ReceiveError::Format), "{other_format}");
}

#[test]
fn the_proof_names_the_key_as_the_issuer_binds_it() {
    let scene = Scene::new();
    let key = scene.holder.public_key();
    let named = proof_key(&configuration(|_| ()), key).unwrap();
    assert_eq!(named, ProofKey::Jwk(key.clone()));
    let without = configuration(|configuration| {
        configuration["cryptographic_binding_methods_supported"] = json!(["did:key", "cose_key"]);
    });
    assert!(matches!(proof_key(&without, key), Err(ReceiveError::KeyNaming)));
}
