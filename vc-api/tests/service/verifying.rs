//! `/credentials/verify`: what an attacker changes, one thing at a time.

use credential::vc::envelope_of_credential;
use credential::vc_cose;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::Selective;
use did::methods;
use keys::Algorithm;
use keys::Signer as _;
use keys::data_integrity::JcsSuite;
use keys::data_integrity::jcs_sign;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::service::Change;
use crate::service::EDDSA;
use crate::service::NOW;
use crate::service::Service;
use crate::service::document;

async fn refused(service: &Service, credential: &Value) -> String {
    let answer = service.verify(credential).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.body["verified"], false);
    assert!(answer.body.get("credential").is_none());
    answer.problem().1
}

#[tokio::test]
async fn every_changed_part_is_refused() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    assert_eq!(service.verify(&good).await.status, 200);
    let cases: [Change; 12] = [
        ("claim", |credential| {
            credential["credentialSubject"]["name"] = json!("Mallory");
        }),
        ("undefined term", |credential| {
            credential["credentialSubject"]["undefinedTerm"] = json!("IfDroppedWillVerify");
        }),
        ("issuer", |credential| {
            credential["issuer"] = json!("did:example:other");
        }),
        ("no proof", |credential| {
            credential.as_object_mut().unwrap().remove("proof");
        }),
        ("proof that is no object", |credential| {
            credential["proof"] = json!(null);
        }),
        ("type of the proof", |credential| {
            credential["proof"]["type"] = json!("UnknownProofType");
        }),
        ("cryptosuite", |credential| {
            credential["proof"]["cryptosuite"] = json!("UnknownCryptosuite");
        }),
        ("purpose", |credential| {
            credential["proof"]["proofPurpose"] = json!("authentication");
        }),
        ("no purpose", |credential| {
            credential["proof"].as_object_mut().unwrap().remove("proofPurpose");
        }),
        ("key that is none", |credential| {
            credential["proof"]["verificationMethod"] = json!("did:key:invalidVm");
        }),
        ("proof value", |credential| {
            credential["proof"]["proofValue"] = json!("z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh");
        }),
        ("proof value without multibase", |credential| {
            let value = credential["proof"]["proofValue"].as_str().unwrap()[1..].to_owned();
            credential["proof"]["proofValue"] = json!(value);
        }),
    ];
    for (name, change) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        assert_ne!(refused(&service, &bad).await, "", "{name}");
    }
}

#[tokio::test]
async fn a_text_is_no_credential() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    assert_eq!(refused(&service, &json!(good.to_string())).await, "PARSING_ERROR");
    assert_eq!(refused(&service, &json!([good])).await, "PARSING_ERROR");
}

#[tokio::test]
async fn another_instance_s_key_signs_nothing_in_this_one_s_name() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    let other = service.issue("own", document()).await;
    // Without the token the operator's own instance issues nothing at all.
    assert_eq!(other.problem().0, 401);
    let jcs = service.issue("eddsa-jcs-2022", document()).await.expect(201);
    let mut swapped = good.clone();
    swapped["issuer"] = jcs["issuer"].clone();
    refused(&service, &swapped).await;
    let mut swapped = good;
    swapped["proof"]["verificationMethod"] = jcs["proof"]["verificationMethod"].clone();
    refused(&service, &swapped).await;
}

#[tokio::test]
async fn expired_credentials_are_refused() {
    let service = Service::start().await;
    let mut document = document();
    document["validUntil"] = json!(NOW.plus(3600).to_rfc3339());
    let credential = service.issue(EDDSA, document).await.expect(201);
    assert_eq!(service.verify(&credential).await.status, 200);
    service.clock.advance(7200);
    refused(&service, &credential).await;
}

#[tokio::test]
async fn checks_ask_for_more_and_never_for_less() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    for checks in [json!([]), json!(["proof"]), json!(["credentialStatus", "validity"])] {
        let answer = service.verify_with(&good, json!({"checks": checks})).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let mut bad = good.clone();
    bad["credentialSubject"]["name"] = json!("Mallory");
    let answer = service.verify_with(&bad, json!({"checks": []})).await;
    assert_eq!(answer.status, 400);
    // A check that we cannot make was not made.
    let answer = service.verify_with(&good, json!({"checks": ["proof", "trust"]})).await;
    assert_eq!(answer.problem(), (400, "MALFORMED_VALUE_ERROR".to_owned()));
    let answer = service.verify_with(&good, json!({"skipEverything": true})).await;
    assert_eq!(answer.problem(), (400, "PARSING_ERROR".to_owned()));
}

#[tokio::test]
async fn a_schema_that_is_not_within_reach_is_told() {
    let service = Service::start().await;
    for kind in ["JsonSchema", "JsonSchemaCredential"] {
        let mut document = document();
        document["credentialSchema"] = json!({"id": "https://agency.example/schema.json", "type": kind});
        let credential = service.issue(EDDSA, document).await.expect(201);
        let answer = service.verify(&credential).await.expect(200);
        let warnings = answer["problemDetails"].to_string();
        assert!(warnings.contains("schema-indeterminate"), "{warnings}");
        let strict = service
            .verify_with(&credential, json!({"checks": ["credentialSchema"]}))
            .await;
        assert_eq!(strict.problem(), (400, "schema-indeterminate".to_owned()));
    }
}

#[tokio::test]
async fn a_proof_for_nobody_is_not_one_for_the_caller() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    let domain = service.verify_with(&good, json!({"domain": "domain.example"})).await;
    assert_eq!(domain.problem(), (400, "INVALID_DOMAIN_ERROR".to_owned()));
    let challenge = service.verify_with(&good, json!({"challenge": "1235abcd6789"})).await;
    assert_eq!(challenge.problem(), (400, "INVALID_CHALLENGE_ERROR".to_owned()));
}

/// A credential with another issuer than its signer, as `issuer` names it, by a key of its own.
fn signed_for(issuer: &str) -> Value {
    let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    // The library refuses to issue it, so it is made by hand: of JSON alone.
    let mut document = document();
    document["issuer"] = json!(issuer);
    let configuration = json!({
        "created": NOW.to_rfc3339(),
        "verificationMethod": methods::key::method_id(key.public_key()),
        "proofPurpose": "assertionMethod",
        "@context": document["@context"],
    });
    let configuration = configuration.as_object().unwrap().clone();
    let request = jcs_sign(
        JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        document.as_object().unwrap(),
        configuration,
    );
    document["proof"] = key.fulfil(request.unwrap()).unwrap();
    document
}

#[tokio::test]
async fn nobody_signs_in_the_name_of_a_did_and_an_issuer_without_one_is_told() {
    let service = Service::start().await;
    let unattributed = signed_for("https://university.example/issuers/1");
    let answer = service.verify(&unattributed).await.expect(200);
    assert!(
        answer["problemDetails"].to_string().contains("issuer-not-checked"),
        "{answer}"
    );
    let strict = service.verify_with(&unattributed, json!({"checks": ["issuer"]})).await;
    assert_eq!(strict.problem(), (400, "issuer-not-checked".to_owned()));
    for did in [service.did(EDDSA), "did:web:university.example".to_owned()] {
        assert_eq!(
            refused(&service, &signed_for(&did)).await,
            "PROOF_VERIFICATION_ERROR",
            "{did}"
        );
    }
    let mut changed = unattributed;
    changed["credentialSubject"]["name"] = json!("Mallory");
    refused(&service, &changed).await;
}

#[tokio::test]
async fn the_credential_and_the_results_come_back_on_request() {
    let service = Service::start().await;
    let good = service.issue(EDDSA, document()).await.expect(201);
    let plain = service.verify(&good).await.expect(200);
    assert!(plain.get("credential").is_none() && plain.get("results").is_none());
    let options = json!({"returnCredential": true, "returnResults": true, "returnProblemDetails": true});
    let full = service.verify_with(&good, options).await.expect(200);
    assert_eq!(full["credential"], good);
    assert_eq!(full["results"]["proof"][0]["verified"], true);
}

#[tokio::test]
async fn envelopes_need_their_context_type_and_data_url() {
    let service = Service::start().await;
    let good = service.issue("vc-jwt-p256", document()).await.expect(201);
    assert_eq!(service.verify(&good).await.status, 200);
    let cases: [Change; 6] = [
        ("empty context", |envelope| envelope["@context"] = json!([])),
        ("other context", |envelope| {
            envelope["@context"] = json!("https://www.w3.org/ns/credentials/examples/v2");
        }),
        ("bare JWT", |envelope| {
            envelope["id"] = json!(envelope["id"].as_str().unwrap().split(',').next_back().unwrap());
        }),
        ("no type", |envelope| {
            envelope.as_object_mut().unwrap().remove("type");
        }),
        ("other type", |envelope| {
            envelope["type"] = json!("VerifiableCredential");
        }),
        ("changed signature", |envelope| {
            let id = envelope["id"].as_str().unwrap();
            let (start, signature) = id.rsplit_once('.').unwrap();
            envelope["id"] = json!(format!("{start}.{}", signature.chars().rev().collect::<String>()));
        }),
    ];
    for (name, change) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        assert_ne!(refused(&service, &bad).await, "", "{name}");
    }
}

/// The issuer is a did:key, so that the service finds the key in its name.
#[tokio::test]
async fn the_other_mechanisms_are_read_in_envelopes() {
    let service = Service::start().await;
    let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let did = format!("did:key:{}", key.public_key().to_multikey());
    let key_id = format!("{did}#{}", key.public_key().to_multikey());
    let mut credential = document();
    credential["issuer"] = json!(did);
    let document = || credential.as_object().unwrap().clone();
    let cose = vc_cose::issue(&document(), &key_id, Algorithm::Es256).unwrap();
    let cose = vc_cose::to_text(&key.fulfil(cose).unwrap());
    let rng = &mut signer::os_rng();
    let sd_jwt = vc_sd_jwt::issue(&document(), Selective::default(), &key_id, Algorithm::Es256, rng).unwrap();
    let sd_jwt = key.fulfil(sd_jwt).unwrap();
    for (media_type, secured) in [
        ("application/vc+cose;base64", &cose),
        ("application/vc+sd-jwt", &sd_jwt),
    ] {
        let good = envelope_of_credential(media_type, secured);
        assert_eq!(service.verify(&good).await.status, 200, "{media_type}");
        let other = envelope_of_credential("application/vc+jwt", secured);
        assert_ne!(refused(&service, &other).await, "", "{media_type}");
        // In the middle, where every character counts.
        let (before, after) = secured.split_at(secured.len() / 2);
        let other = if after.starts_with('A') { "B" } else { "A" };
        let changed = format!("{before}{other}{}", &after[1..]);
        assert_ne!(
            refused(&service, &envelope_of_credential(media_type, &changed)).await,
            "",
            "{media_type}"
        );
    }
    let unknown = envelope_of_credential("application/vc+pgp", &cose);
    assert_eq!(refused(&service, &unknown).await, "MALFORMED_VALUE_ERROR");
}

/// A further proof of `credential` by `key`, of whom the verifier knows what its did:key says.
fn with_second_proof(credential: &Value, method: &str, key: &SoftwareKey) -> Value {
    let mut bare = credential.clone();
    let first = bare.as_object_mut().unwrap().remove("proof").unwrap();
    let configuration = json!({
        "created": NOW.to_rfc3339(),
        "verificationMethod": method,
        "proofPurpose": "assertionMethod",
        "@context": bare["@context"],
    });
    let configuration = configuration.as_object().unwrap().clone();
    let unsigned = bare.as_object().unwrap();
    let request = jcs_sign(JcsSuite::EddsaJcs2022, Algorithm::EdDsa, unsigned, configuration).unwrap();
    let mut both = bare;
    both["proof"] = json!([first, key.fulfil(request).unwrap()]);
    both
}

#[tokio::test]
async fn every_proof_of_a_set_must_hold() {
    let service = Service::start().await;
    let key = || SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let (notary, other) = (key(), key());
    let notary_s = methods::key::method_id(notary.public_key());
    let unattributed = signed_for("https://university.example/issuers/1");
    for credential in [service.issue(EDDSA, document()).await.expect(201), unattributed] {
        let both = with_second_proof(&credential, &notary_s, &notary);
        assert_eq!(service.verify(&both).await.expect(200)["verified"], true);
        // In the notary's name, by another; and by somebody whose key nobody here can tell.
        let forged = with_second_proof(&credential, &notary_s, &other);
        assert_eq!(refused(&service, &forged).await, "CRYPTOGRAPHIC_SECURITY_ERROR");
        let unknown = with_second_proof(&credential, "did:web:notary.example#key", &notary);
        assert_eq!(refused(&service, &unknown).await, "INVALID_VERIFICATION_METHOD");
        // One that does not hold is not outweighed by one that does.
        let mut changed = both.clone();
        changed["proof"][0]["proofValue"] = changed["proof"][1]["proofValue"].clone();
        refused(&service, &changed).await;
    }
}
