//! `/presentations/verify`, with a holder of a few lines.

use std::sync::Arc;

use credential::Held;
use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Presentation;
use did::Did;
use did::methods;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::Signer as _;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::service::Answer;
use crate::service::Change;
use crate::service::EDDSA;
use crate::service::NOW;
use crate::service::Service;
use crate::service::document;

const DOMAIN: &str = "https://verifier.example";
const CHALLENGE: &str = "d436f0c8-fbd9-4e48-bbb2-55fc5d0920a8";

/// A presentation of `credentials`, signed by a new holder's key.
fn present(credentials: &[Value]) -> Value {
    let key = Arc::new(SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()));
    let holder = methods::key::did(key.public_key());
    let presentation = Presentation {
        holder: &holder,
        verification_method: &methods::key::method_id(key.public_key()),
        cryptosuite: Cryptosuite::EddsaRdfc2022,
        algorithm: Algorithm::EdDsa,
        domain: DOMAIN,
        challenge: CHALLENGE,
        created: NOW,
    };
    let contexts = ContextLoader::bundled();
    let held: Vec<Held<LdpVc>> = credentials
        .iter()
        .map(|credential| hold(credential, &contexts))
        .collect();
    let request = presentation.sign(&held.iter().collect::<Vec<_>>(), &contexts).unwrap();
    Value::Object(key.fulfil(request).unwrap())
}

fn hold(credential: &Value, contexts: &ContextLoader) -> Held<LdpVc> {
    let credential = Unverified::<LdpVc>::from_object(credential.as_object().unwrap()).unwrap();
    let issuer = credential.issuer().to_owned();
    let key = methods::key::public_key(&Did::parse(&issuer).unwrap()).unwrap();
    let authentic = credential.authenticate(&key, &issuer, contexts, NOW).unwrap();
    authentic.hold_issued().unwrap()
}

async fn verify(service: &Service, presentation: &Value, options: Value) -> Answer {
    let body = json!({"verifiablePresentation": presentation, "options": options});
    service.post("/vc-api/verifier/presentations/verify", &body).await
}

fn options() -> Value {
    json!({"challenge": CHALLENGE, "domain": DOMAIN})
}

async fn credential(service: &Service) -> Value {
    service.issue(EDDSA, document()).await.expect(201)
}

#[tokio::test]
async fn a_presentation_and_its_credentials_are_verified() {
    let service = Service::start().await;
    let credentials = [credential(&service).await, credential(&service).await];
    let presentation = present(&credentials);
    let answer = verify(&service, &presentation, options()).await.expect(200);
    assert_eq!(answer["verified"], true);
    assert!(answer.get("verifiablePresentation").is_none());
    assert!(
        answer["problemDetails"]
            .to_string()
            .contains("holder-binding-not-judged")
    );
    let mut full = options();
    full["returnPresentation"] = json!(true);
    full["returnResults"] = json!(true);
    let answer = verify(&service, &presentation, full).await.expect(200);
    assert_eq!(answer["verifiablePresentation"], presentation);
    assert_eq!(
        answer["results"]["presentation"]["holder"]["input"],
        presentation["holder"]
    );
    assert_eq!(answer["results"]["credentials"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn another_transaction_s_presentation_is_refused() {
    let service = Service::start().await;
    let presentation = present(&[credential(&service).await]);
    assert_eq!(verify(&service, &presentation, options()).await.status, 200);
    for (options, problem) in [
        (
            json!({"challenge": "another", "domain": DOMAIN}),
            "INVALID_CHALLENGE_ERROR",
        ),
        (json!({"domain": DOMAIN}), "INVALID_CHALLENGE_ERROR"),
        (
            json!({"challenge": CHALLENGE, "domain": "https://other.example"}),
            "INVALID_DOMAIN_ERROR",
        ),
        (json!({"challenge": CHALLENGE}), "INVALID_DOMAIN_ERROR"),
    ] {
        let answer = verify(&service, &presentation, options.clone()).await;
        assert_eq!(answer.body["verified"], false);
        assert_eq!(answer.problem(), (400, problem.to_owned()), "{options}");
    }
}

#[tokio::test]
async fn one_bad_credential_refuses_the_presentation() {
    let service = Service::start().await;
    let good = credential(&service).await;
    let mut document = document();
    document["validUntil"] = json!(NOW.plus(3600).to_rfc3339());
    let short = service.issue(EDDSA, document).await.expect(201);
    let presentation = present(&[good.clone(), short]);
    assert_eq!(verify(&service, &presentation, options()).await.status, 200);
    service.clock.advance(7200);
    assert_eq!(verify(&service, &presentation, options()).await.status, 400);
    assert_eq!(verify(&service, &present(&[good]), options()).await.status, 200);
}

#[tokio::test]
async fn every_changed_part_of_a_presentation_is_refused() {
    let service = Service::start().await;
    let good = present(&[credential(&service).await]);
    assert_eq!(verify(&service, &good, options()).await.status, 200);
    let cases: [Change; 6] = [
        ("no context", |presentation| {
            presentation.as_object_mut().unwrap().remove("@context");
        }),
        ("holder", |presentation| {
            presentation["holder"] = json!("did:example:other");
        }),
        ("no credentials", |presentation| {
            presentation["verifiableCredential"] = json!([]);
        }),
        ("type", |presentation| {
            presentation["type"] = json!(["NonconformingDocument"]);
        }),
        ("purpose", |presentation| {
            presentation["proof"]["proofPurpose"] = json!("assertionMethod");
        }),
        ("proof value", |presentation| {
            presentation["proof"]["proofValue"] = json!("z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh");
        }),
    ];
    for (name, change) in cases {
        let mut bad = good.clone();
        change(&mut bad);
        let answer = verify(&service, &bad, options()).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        assert_eq!(answer.body["verified"], false, "{name}");
    }
}
