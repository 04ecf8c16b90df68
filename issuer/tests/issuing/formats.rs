//! One person's credential in each format.

use std::collections::BTreeSet;

use credential::Facts;
use credential::Held;
use credential::HolderKey;
use credential::LdpVc;
use credential::SdJwtVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity::LdpVcError;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReference;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::vci::proof::ProofKey;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::service::NOW;
use crate::service::PERSON;
use crate::service::Service;
use crate::service::by_did_key;
use crate::service::schemas;

/// The last parts of the configurations' ids.
pub(crate) const FORMATS: [&str; 5] = [
    "dc+sd-jwt",
    "jwt_vc_json",
    "ldp_vc",
    "ldp_vc.ecdsa-sd-2023",
    "ldp_vc.bbs-2023",
];

pub(crate) fn holder(format: &str) -> SoftwareKey {
    let algorithm = if format.starts_with("ldp_vc") {
        Algorithm::EdDsa
    } else {
        Algorithm::Es256
    };
    SoftwareKey::generate(algorithm, &mut signer::os_rng())
}

/// What a wallet checks before it keeps a credential: facts and the subject's claims.
pub(crate) fn accepted(service: &Service, format: &str, credential: &Value) -> (Facts, Map<String, Value>) {
    let (did, es256, eddsa) = (
        &service.identity.did,
        service.identity.es256.public_key(),
        service.identity.eddsa.public_key(),
    );
    match format {
        "dc+sd-jwt" => {
            let unverified = Unverified::<SdJwtVc>::parse(credential.as_str().unwrap()).unwrap();
            assert_eq!(unverified.verification_method().unwrap(), format!("{did}#es256"));
            let held = unverified.authenticate(es256, did, NOW).unwrap().hold_issued().unwrap();
            (held.facts().clone(), held.claims().clone())
        }
        "jwt_vc_json" => {
            let unverified = Unverified::<VcJwt>::parse(credential.as_str().unwrap()).unwrap();
            assert_eq!(unverified.verification_method().unwrap(), format!("{did}#es256"));
            let held = unverified.authenticate(es256, did, NOW).unwrap().hold_issued().unwrap();
            (held.facts().clone(), subject(held.claims()))
        }
        ldp_vc => {
            let (suite, fragment, key) = match ldp_vc.strip_prefix("ldp_vc").unwrap() {
                ".ecdsa-sd-2023" => ("ecdsa-sd-2023", "es256", es256),
                ".bbs-2023" => ("bbs-2023", "bbs", service.identity.bbs.public_key()),
                _ => ("eddsa-rdfc-2022", "eddsa", eddsa),
            };
            let held = held(service, credential, (suite, fragment, key));
            (held.facts().clone(), subject(held.claims()))
        }
    }
}

/// A credential with a Data Integrity proof of this suite by this key.
fn held(service: &Service, credential: &Value, (suite, fragment, key): (&str, &str, &PublicKey)) -> Held<LdpVc> {
    let did = &service.identity.did;
    let unverified = Unverified::<LdpVc>::from_object(credential.as_object().unwrap()).unwrap();
    assert_eq!(unverified.verification_method(), format!("{did}#{fragment}"));
    assert_eq!(unverified.cryptosuite().as_str(), suite);
    unverified.hold_issued(key, did, &contexts(), NOW).unwrap()
}

fn subject(document: &Map<String, Value>) -> Map<String, Value> {
    assert_eq!(document["issuer"]["name"], "Population Agency");
    document["credentialSubject"].as_object().unwrap().clone()
}

fn contexts() -> ContextLoader {
    let text = std::fs::read(schemas().join("types/PersonIdentity/context.jsonld")).unwrap();
    let mut loader = ContextLoader::bundled();
    let url = "https://attestry.example/types/PersonIdentity/context.jsonld";
    loader.register(url, serde_json::from_slice(&text).unwrap());
    loader
}

#[tokio::test]
async fn each_format_has_the_same_claims_for_the_holder_s_key() {
    let service = Service::start().await;
    for format in FORMATS {
        let key = holder(format);
        let credentials = service.obtain(format, &[(&key, by_did_key(&key))]).await.credentials();
        let (facts, claims) = accepted(&service, format, &credentials[0]);
        assert_eq!(facts.issuer(), service.identity.did);
        // A second of its own would link what is derived of it.
        let issued_at = (format != "ldp_vc.bbs-2023").then_some(NOW);
        assert_eq!(facts.issued_at(), issued_at, "{format}");
        let did = did::methods::key::did(key.public_key());
        let (holder, type_name) = if format == "dc+sd-jwt" {
            (
                HolderKey::Key(key.public_key().clone()),
                "https://attestry.example/types/PersonIdentity",
            )
        } else {
            assert_eq!(claims["id"], did);
            (HolderKey::Did(did), "PersonIdentity")
        };
        assert_eq!(facts.holder(), Some(&holder), "{format}");
        assert_eq!(facts.types(), [type_name]);
        assert_eq!(claims["issuing_country"], "XA");
        assert_eq!(claims["personal_administrative_number"], PERSON, "{format}");
        assert!(facts.valid_until().unwrap() > NOW);
        let purposes: Vec<_> = facts.status().iter().map(StatusReference::purpose).collect();
        if format == "dc+sd-jwt" {
            assert_eq!(purposes, [None]);
        } else {
            assert_eq!(
                purposes,
                [Some(&StatusPurpose::Revocation), Some(&StatusPurpose::Suspension)]
            );
            assert_eq!(facts.status()[0].index(), facts.status()[1].index());
        }
    }
}

#[tokio::test]
async fn several_keys_get_a_credential_each_at_places_of_their_own() {
    let service = Service::start().await;
    for format in FORMATS {
        let keys: Vec<SoftwareKey> = (0..3).map(|_| holder(format)).collect();
        let holders: Vec<_> = keys.iter().map(|key| (key, by_did_key(key))).collect();
        let credentials = service.obtain(format, &holders).await.credentials();
        assert_eq!(credentials.len(), 3);
        let facts = |credential| accepted(&service, format, credential).0;
        let places: BTreeSet<usize> = credentials.iter().map(|one| facts(one).status()[0].index()).collect();
        assert_eq!(places.len(), 3, "{format}");
    }
}

#[tokio::test]
async fn w3c_credential_for_a_key_without_a_did_is_refused() {
    let service = Service::start().await;
    for format in FORMATS {
        let key = holder(format);
        let answer = service
            .obtain(format, &[(&key, ProofKey::Jwk(key.public_key().clone()))])
            .await;
        if format == "dc+sd-jwt" {
            assert_eq!(answer.status, 200);
        } else {
            assert_eq!(
                (answer.status, &answer.body["error"]),
                (400, &json!("invalid_proof")),
                "{format}"
            );
        }
    }
}

/// Issuer, type, times, status and subject, and the claims that the mapping always shows.
#[tokio::test]
async fn what_a_holder_withholds_is_none_of_what_must_be_seen() {
    let service = Service::start().await;
    for (suite, fragment, key) in [
        ("ecdsa-sd-2023", "es256", service.identity.es256.public_key()),
        ("bbs-2023", "bbs", service.identity.bbs.public_key()),
    ] {
        let holder = holder("ldp_vc");
        let answer = service
            .obtain(&format!("ldp_vc.{suite}"), &[(&holder, by_did_key(&holder))])
            .await;
        let base = &answer.credentials()[0];
        let unverified = Unverified::<LdpVc>::from_object(base.as_object().unwrap()).unwrap();
        let shown = unverified.authenticate(key, &service.identity.did, &contexts(), NOW);
        assert_eq!(shown.err(), Some(LdpVcError::BaseProof));
        let held = held(&service, base, (suite, fragment, key));
        let derived = held.derive(&[], &[], &contexts(), &mut signer::os_rng()).unwrap();
        let mut expected = base.as_object().unwrap().clone();
        expected.remove("proof");
        expected["credentialSubject"] = json!({
            "id": did::methods::key::did(holder.public_key()),
            "issuing_authority": "Population Office of the Sample Nation",
            "issuing_country": "XA",
        });
        assert_eq!(*derived.claims(), expected, "{suite}");
        assert_eq!(derived.facts().status().len(), 2);
    }
}

#[tokio::test]
async fn unknown_cryptosuite_is_not_offered() {
    let service = Service::start().await;
    for (format, suite) in [
        ("ldp_vc", "ecdsa-sd-2019"),
        ("dc+sd-jwt", "bbs-2023"),
        ("jwt_vc_json", "ecdsa-sd-2023"),
    ] {
        assert_eq!(
            service.offer(&format!("{format}.{suite}")).await,
            400,
            "{format} {suite}"
        );
    }
    assert_eq!(service.offer("ldp_vc.eddsa-rdfc-2022").await, 201);
}

/// Nobody could present it.
#[tokio::test]
async fn ldp_vc_for_a_key_that_makes_no_such_proofs_is_refused() {
    let service = Service::start().await;
    let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let answer = service.obtain("ldp_vc", &[(&key, by_did_key(&key))]).await;
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_proof")));
}
