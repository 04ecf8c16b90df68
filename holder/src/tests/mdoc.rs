//! mdocs: what an issuer delivers is checked, and what a person is shown is what leaves.

use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::mso::DigestAlgorithm;
use credential::mdoc::parse_device_response;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::cbor;
use keys::jwe::DecryptionKey;
use openid4vc::CredentialFormat;
use openid4vc::SecureUrl;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vci::proof::ProofKey;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::ClientId;
use openid4vc::vp::Delivery;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::client_metadata::ClientMetadata;
use openid4vc::vp::request_object;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::DAY;
use super::ISSUER;
use super::NOW;
use super::Scene;
use crate::Contexts;
use crate::CredentialRecord;
use crate::Expected;
use crate::Holdings;
use crate::PresentationStep;
use crate::ProposalError;
use crate::ProposedCredential;
use crate::ReceiveError;
use crate::Received;
use crate::issuer_key_url;
use crate::proof_key;

const DOC_TYPE: &str = "org.iso.18013.5.1.mDL";
const NAMESPACE: &str = "org.iso.18013.5.1";
const RESPONSE_URI: &str = "https://verifier.example/responses/1";

fn issue(scene: &Scene, device: &PublicKey) -> String {
    let new = NewMdoc {
        key_id: &format!("{ISSUER}#key-1"),
        certificates: &[],
        doc_type: DOC_TYPE,
        digest_algorithm: DigestAlgorithm::Sha256,
        device_key: device,
        signed: NOW.minus(DAY),
        valid_from: NOW.minus(DAY),
        valid_until: NOW.plus(DAY),
        status: None,
        namespaces: &[(
            NAMESPACE,
            vec![
                ("family_name", cbor::Value::text("Doe")),
                ("age_over_18", cbor::Value::Bool(true)),
            ],
        )],
    };
    let request = new.issue(Algorithm::EdDsa, &mut signer::os_rng());
    scene.issuer.fulfil(request).unwrap()
}

fn configuration(doctype: &str, binding: &str) -> CredentialConfiguration {
    serde_json::from_value(json!({
        "format": "mso_mdoc", "doctype": doctype, "cryptographic_binding_methods_supported": [binding],
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}},
    }))
    .unwrap()
}

fn check(scene: &Scene, text: &str, doctype: &str) -> Result<Received, ReceiveError> {
    let configuration = configuration(doctype, "cose_key");
    let credential = Value::from(text);
    assert_eq!(
        issuer_key_url(&credential, &configuration).unwrap(),
        format!("{ISSUER}#key-1")
    );
    let expected = Expected {
        configuration: &configuration,
        holder_key: scene.holder.public_key(),
        issuer_key: scene.issuer.public_key(),
        contexts: &Contexts::default(),
        now: NOW,
    };
    Received::check(&credential, &expected)
}

fn holdings(scene: &Scene) -> Holdings {
    Holdings::open(vec![record(scene)]).unwrap()
}

fn record(scene: &Scene) -> CredentialRecord {
    let received = check(scene, &issue(scene, scene.holder.public_key()), DOC_TYPE).unwrap();
    CredentialRecord {
        id: "a1".to_owned(),
        format: received.format,
        text: received.text,
        issuer: received.issuer,
        issuer_key: scene.issuer.public_key().to_jwk(),
        issuer_name: None,
        holder_key: "keys/a1".to_owned(),
        received_at: NOW,
        metadata: CredentialMetadata::default(),
        contexts: Contexts::default(),
    }
}

fn query() -> Value {
    json!({"credentials": [{"id": "mdl", "format": "mso_mdoc", "meta": {"doctype_value": DOC_TYPE},
        "claims": [{"path": [NAMESPACE, "age_over_18"]}]}]})
}

/// A signed request whose answer is posted, encrypted to `key` if there is one.
fn ask(scene: &Scene, key: Option<&DecryptionKey>) -> ReceivedRequest {
    ask_query(scene, &query(), key)
}

fn ask_query(scene: &Scene, query: &Value, key: Option<&DecryptionKey>) -> ReceivedRequest {
    let url = SecureUrl::parse(RESPONSE_URI).unwrap();
    let metadata = ClientMetadata::new(Map::from_iter([("mso_mdoc".to_owned(), json!({}))]));
    let request = AuthorizationRequest {
        client_id: ClientId::for_did("did:example:verifier").unwrap(),
        nonce: "nonce-of-this-transaction".to_owned(),
        state: Some("state".to_owned()),
        delivery: match key {
            None => Delivery::DirectPost(url),
            Some(_) => Delivery::DirectPostJwt(url),
        },
        dcql_query: DcqlQuery::from_value(query).unwrap(),
        client_metadata: Some(match key {
            None => metadata,
            Some(key) => metadata.with_encryption_key(key.public_jwk(), "1"),
        }),
        wallet_nonce: None,
    };
    let key_id = "did:example:verifier#key-1";
    let signing = request_object::sign(&request, key_id, Algorithm::EdDsa, NOW, NOW.plus(300));
    let jwt = scene.verifier.fulfil(signing.unwrap()).unwrap();
    let unverified = UnverifiedRequestObject::parse(&jwt, None).unwrap();
    unverified.verify(scene.verifier.public_key(), None, NOW).unwrap()
}

#[test]
fn what_was_offered_is_kept_and_anything_else_is_not() {
    let scene = Scene::new();
    let text = issue(&scene, scene.holder.public_key());
    let received = check(&scene, &text, DOC_TYPE).unwrap();
    assert_eq!(
        (received.format, received.issuer.as_str()),
        (CredentialFormat::MsoMdoc, ISSUER)
    );
    assert!(matches!(check(&scene, &text, "another"), Err(ReceiveError::Type)));
    let other = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let to_another = issue(&scene, other.public_key());
    assert!(matches!(
        check(&scene, &to_another, DOC_TYPE),
        Err(ReceiveError::Binding)
    ));
    let of_another = Scene {
        issuer: other,
        ..Scene::new()
    };
    assert!(matches!(
        check(&of_another, &text, DOC_TYPE),
        Err(ReceiveError::Mdoc(_))
    ));
}

#[test]
fn the_proof_names_the_key_that_becomes_the_device_key() {
    let scene = Scene::new();
    let key = scene.holder.public_key();
    let named = proof_key(&configuration(DOC_TYPE, "cose_key"), key).unwrap();
    assert_eq!(named, ProofKey::Jwk(key.clone()));
    assert!(matches!(
        proof_key(&configuration(DOC_TYPE, "jwk"), key),
        Err(ReceiveError::KeyNaming)
    ));
}

#[test]
fn only_what_is_asked_for_is_shown_and_leaves() {
    let scene = Scene::new();
    let holdings = holdings(&scene);
    let encryption = DecryptionKey::generate(&mut signer::os_rng());
    for key in [None, Some(&encryption)] {
        let request = ask(&scene, key);
        let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
        let disclosed = proposal.credentials().iter().flat_map(ProposedCredential::disclosed);
        let shown: Vec<_> = disclosed.map(|one| (one.claim.path.as_str(), one.requested)).collect();
        assert_eq!(shown, [("org.iso.18013.5.1.age_over_18", true)]);

        let step = proposal.present(NOW, &mut signer::os_rng()).unwrap().remove(0).step;
        let PresentationStep::Sign { holder_key, signing } = step else {
            panic!("to be signed")
        };
        assert_eq!(holder_key, "keys/a1");
        let presented = scene.holder.fulfil(signing).unwrap();
        let unverified = parse_device_response(presented.as_str().unwrap()).unwrap().remove(0);
        let authentic = unverified.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
        let thumbprint = key.map(|key| key.public_jwk().thumbprint_bytes());
        let transcript = SessionTranscript::openid4vp(
            "decentralized_identifier:did:example:verifier",
            "nonce-of-this-transaction",
            thumbprint.as_ref(),
            RESPONSE_URI,
        );
        assert!(authentic.verify_device_signature(&transcript).unwrap().is_proven());
    }
}

#[test]
fn what_the_verifier_will_keep_is_told() {
    let scene = Scene::new();
    let holdings = holdings(&scene);
    for (intent, retained) in [(json!(true), true), (json!(false), false), (Value::Null, false)] {
        let mut query = query();
        if !intent.is_null() {
            query["credentials"][0]["claims"][0]["intent_to_retain"] = intent;
        }
        let request = ask_query(&scene, &query, None);
        let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
        let disclosed = proposal.credentials().iter().flat_map(ProposedCredential::disclosed);
        assert_eq!(disclosed.map(|one| one.retained).collect::<Vec<_>>(), [retained]);
    }
}

#[test]
fn a_name_space_cannot_hide_behind_the_name_of_a_member() {
    let record = CredentialRecord {
        format: CredentialFormat::MsoMdoc,
        ..record(&Scene::new())
    };
    let claims = Map::from_iter([("status".to_owned(), json!({"family_name": "Doe"}))]);
    let shown = crate::claims::flatten(&claims, &record);
    assert_eq!(
        shown.iter().map(|claim| claim.path.as_str()).collect::<Vec<_>>(),
        ["status.family_name"]
    );
}

#[test]
fn a_request_for_a_file_is_not_answered_with_an_mdoc() {
    let scene = Scene::new();
    let holdings = holdings(&scene);
    let request = scene.ask_query(&query());
    let refused = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap_err();
    assert!(matches!(refused, ProposalError::NoSession), "{refused}");
    assert!(refused.to_string().contains("an mdoc cannot go into one"), "{refused}");
    // What the wallet does not have it lacks all the same.
    let mut other = query();
    other["credentials"][0]["meta"]["doctype_value"] = json!("another");
    let request = scene.ask_query(&other);
    assert!(matches!(
        holdings.propose(&request, &[], NOW, &mut signer::os_rng()),
        Err(ProposalError::Lacking { .. })
    ));
}
