//! `/credentials/issue` and `/credentials/derive`.

use serde_json::Value;
use serde_json::json;
use vc_api::instance;

use crate::service::Change;
use crate::service::EDDSA;
use crate::service::Service;
use crate::service::document;

#[tokio::test]
async fn every_instance_issues_what_the_verifier_verifies() {
    let service = Service::start().await;
    for (name, ..) in instance::sample() {
        let credential = service.issue_and_show(&name, document()).await;
        let answer = service.verify(&credential).await.expect(200);
        assert_eq!(answer["verified"], true, "{name}");
        // Whoever reads the answer is told what it is not.
        let problems = answer["problemDetails"].to_string();
        assert!(problems.contains("authority-not-judged"), "{problems}");
        // Every instance verifies, too.
        let body = json!({"verifiableCredential": credential});
        let path = format!("/vc-api/{name}/credentials/verify");
        assert_eq!(service.post(&path, &body).await.expect(200)["verified"], true);
    }
}

#[tokio::test]
async fn the_credential_is_bare_and_says_what_was_sent() {
    let service = Service::start().await;
    let mut credential = service.issue(EDDSA, document()).await.expect(201);
    assert_eq!(credential["issuer"], service.did(EDDSA));
    assert_eq!(credential["proof"]["cryptosuite"], EDDSA);
    assert_eq!(credential["proof"]["proofPurpose"], "assertionMethod");
    let credential = credential.as_object_mut().unwrap();
    credential.remove("proof");
    credential.remove("issuer");
    assert_eq!(Value::Object(credential.clone()), document());
}

#[tokio::test]
async fn a_jwt_comes_in_an_envelope() {
    let service = Service::start().await;
    let envelope = service.issue("vc-jwt-p256", document()).await.expect(201);
    assert_eq!(envelope["type"], "EnvelopedVerifiableCredential");
    let id = envelope["id"].as_str().unwrap();
    assert!(id.starts_with("data:application/vc+jwt,ey"), "{id}");
}

#[tokio::test]
async fn an_issuer_s_name_and_description_stay() {
    let service = Service::start().await;
    let mut document = document();
    document["issuer"] = json!({"id": service.did(EDDSA), "name": "Agency"});
    let credential = service.issue(EDDSA, document.clone()).await.expect(201);
    assert_eq!(credential["issuer"], document["issuer"]);
}

#[tokio::test]
async fn nobody_else_s_name_is_signed() {
    let service = Service::start().await;
    for issuer in [
        json!("did:example:other"),
        json!(service.did("own")),
        json!({"id": "did:example:other"}),
        json!(null),
        json!({}),
    ] {
        let mut document = document();
        document["issuer"] = issuer.clone();
        let (status, problem) = service.issue(EDDSA, document).await.problem();
        assert_eq!((status, problem.as_str()), (400, "MALFORMED_VALUE_ERROR"), "{issuer}");
    }
}

#[tokio::test]
async fn documents_that_nobody_could_verify_are_refused() {
    let service = Service::start().await;
    assert_eq!(service.issue(EDDSA, document()).await.status, 201);
    let cases: [Change; 6] = [
        ("no context", |document| {
            document.as_object_mut().unwrap().remove("@context");
        }),
        ("no subject", |document| {
            document.as_object_mut().unwrap().remove("credentialSubject");
        }),
        ("undefined term", |document| {
            document["credentialSubject"]["undefinedTerm"] = json!("x");
        }),
        ("undefined type", |document| {
            document["type"] = json!(["VerifiableCredential", "Undefined"]);
        }),
        ("secured already", |document| {
            document["proof"] = json!({"type": "DataIntegrityProof"});
        }),
        ("id that is no URL", |document| document["id"] = json!("not a url")),
    ];
    for (name, change) in cases {
        let mut document = document();
        change(&mut document);
        let answer = service.issue(EDDSA, document).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
        let first = &answer.body["problemDetails"][0];
        assert_eq!(first["type"], answer.body["type"], "{name}");
        assert!(answer.body.get("verified").is_none(), "{name}");
    }
}

#[tokio::test]
async fn words_of_the_examples_have_a_meaning_here() {
    let service = Service::start().await;
    for context in [
        "https://www.w3.org/ns/credentials/examples/v2",
        "https://www.w3.org/ns/credentials/undefined-terms/v2",
    ] {
        let mut document = document();
        document["@context"] = json!(["https://www.w3.org/ns/credentials/v2", context]);
        document["credentialSubject"]["degree"] = json!({"type": "ExampleBachelorDegree", "name": "Science"});
        let credential = service.issue(EDDSA, document).await.expect(201);
        assert_eq!(service.verify(&credential).await.expect(200)["verified"], true);
    }
}

#[tokio::test]
async fn a_document_may_say_itself_what_it_means() {
    let service = Service::start().await;
    let mut document = document();
    let base = "https://www.w3.org/ns/credentials/v2";
    document["@context"] = json!([base, {"Example": "https://example.org/#Example"}]);
    document["type"] = json!(["VerifiableCredential", "Example"]);
    // As a test suite of W3C writes it, in the form of a context document.
    let mut wrapped = document.clone();
    wrapped["@context"][1] = json!({"@context": document["@context"][1]});
    let credential = service.issue(EDDSA, wrapped).await.expect(201);
    assert_eq!(service.verify(&credential).await.expect(200)["verified"], true);
    let mut changed = credential;
    changed["@context"][1]["@context"]["Example"] = json!("https://example.org/#Other");
    assert_eq!(service.verify(&changed).await.status, 400);
    for name in [EDDSA, "eddsa-jcs-2022"] {
        let credential = service.issue(name, document.clone()).await.expect(201);
        assert_eq!(service.verify(&credential).await.expect(200)["verified"], true);
        // Another meaning was not signed.
        let mut changed = credential.clone();
        changed["@context"][1]["Example"] = json!("https://example.org/#Other");
        assert_eq!(service.verify(&changed).await.status, 400, "{name}");
    }
    // What the data model defines stays, and contexts stand at the top.
    let mut redefining = document.clone();
    redefining["@context"][1] = json!({"VerifiableCredential": "https://example.org/#Other"});
    assert_eq!(service.issue(EDDSA, redefining).await.status, 400);
    let mut below = document.clone();
    below["credentialSubject"]["@context"] = json!({"name": "https://example.org/#other"});
    assert_eq!(service.issue(EDDSA, below).await.status, 400);
    for context in [json!(123_192_875), json!(null), json!([base])] {
        let mut other = document.clone();
        other["@context"][1] = context;
        assert_eq!(service.issue(EDDSA, other).await.status, 400);
    }
}

#[tokio::test]
async fn documents_of_data_model_1_1_get_the_context_of_the_proof() {
    let service = Service::start().await;
    let document = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "id": "urn:uuid:86294362-4254-4f36-854f-3952fe42555d",
        "type": ["VerifiableCredential"],
        "issuanceDate": "2020-03-16T22:37:26.544Z",
        "credentialSubject": {"id": "did:example:subject"},
    });
    let credential = service.issue(EDDSA, document.clone()).await.expect(201);
    let injected = "https://w3id.org/security/data-integrity/v2";
    assert_eq!(credential["@context"][1], injected);
    assert_eq!(service.verify(&credential).await.expect(200)["verified"], true);
    // Once is enough.
    let mut complete = document.clone();
    complete["@context"] = credential["@context"].clone();
    let credential = service.issue(EDDSA, complete.clone()).await.expect(201);
    assert_eq!(credential["@context"], complete["@context"]);
    // Its times count.
    let mut expired = document.clone();
    expired["expirationDate"] = json!("2021-03-16T22:37:26Z");
    let expired = service.issue(EDDSA, expired).await.expect(201);
    assert_eq!(service.verify(&expired).await.status, 400);
    let mut timeless = document;
    timeless.as_object_mut().unwrap().remove("issuanceDate");
    assert_eq!(service.issue(EDDSA, timeless.clone()).await.status, 400);
    // A JWT secures 2.0 alone.
    timeless["issuanceDate"] = json!("2020-03-16T22:37:26Z");
    assert_eq!(service.issue("vc-jwt-p256", timeless).await.status, 400);
}

#[tokio::test]
async fn options_that_nobody_serves_are_refused() {
    let service = Service::start().await;
    let issue = async |options: Value| {
        let body = json!({"credential": document(), "options": options});
        service
            .post(&format!("/vc-api/{EDDSA}/credentials/issue"), &body)
            .await
            .problem()
    };
    assert_eq!(issue(json!({})).await.0, 201);
    assert_eq!(issue(json!(null)).await.0, 201);
    let selective = issue(json!({"mandatoryPointers": ["/issuer"]})).await;
    assert_eq!(selective, (400, "not-selective".to_owned()));
    assert_eq!(
        issue(json!({"cryptosuite": "bbs-2023"})).await,
        (400, "PARSING_ERROR".to_owned())
    );
}

#[tokio::test]
async fn a_suite_without_selective_disclosure_derives_nothing() {
    let service = Service::start().await;
    let credential = service.issue(EDDSA, document()).await.expect(201);
    let body = json!({"verifiableCredential": credential, "options": {"selectivePointers": ["/credentialSubject/id"]}});
    let answer = service.post("/vc-api/verifier/credentials/derive", &body).await;
    assert_eq!(answer.problem(), (400, "not-selective".to_owned()));
}

#[tokio::test]
async fn unknown_instances_and_the_verifier_issue_nothing() {
    let service = Service::start().await;
    assert_eq!(service.issue("unknown", document()).await.problem().0, 404);
    assert_eq!(
        service.issue("verifier", document()).await.problem(),
        (404, "verifier-only".to_owned())
    );
}

#[tokio::test]
async fn the_list_of_instances_is_what_a_suite_s_configuration_needs() {
    let service = Service::start().await;
    let listed = service.get("/vc-api/instances").await.expect(200);
    let instances = listed["instances"].as_array().unwrap();
    for (name, mechanism, _) in instance::sample() {
        let row = instances.iter().find(|row| row["name"] == name).unwrap();
        assert_eq!(row["id"], service.did(&name));
        assert_eq!(row["suite"], mechanism.as_str());
        let issue = format!("http://127.0.0.1:8080/vc-api/{name}/credentials/issue");
        assert_eq!(row["issue"], issue);
    }
}

#[tokio::test]
async fn what_is_derived_shows_what_is_mandatory_and_what_was_chosen() {
    let service = Service::start().await;
    for (name, ..) in instance::sample().filter(|(_, mechanism, _)| !mechanism.is_for_everybody()) {
        let mut document = document();
        let examples = "https://www.w3.org/ns/credentials/examples/v2";
        document["@context"] = json!(["https://www.w3.org/ns/credentials/v2", examples]);
        document["validUntil"] = json!("2027-11-23T03:00:00Z");
        document["credentialSubject"]["alumniOf"] = json!("The School of Examples");
        document["credentialSubject"]["age"] = json!("42");
        let body = json!({"credential": document, "options": {"mandatoryPointers": ["/credentialSubject/age"]}});
        let path = format!("/vc-api/{name}/credentials/issue");
        let base = service.post(&path, &body).await.expect(201);
        // The base proof is for its holder, who would otherwise show all.
        assert_eq!(service.verify(&base).await.problem().0, 400, "{name}");
        let derived = service.derive(&base, &["/credentialSubject/name"]).await.expect(201);
        assert_eq!(
            derived["credentialSubject"],
            json!({"id": "did:example:subject", "name": "Alice", "age": "42"}),
            "{name}"
        );
        assert_eq!(derived["validUntil"], document["validUntil"]);
        assert_eq!(service.verify(&derived).await.expect(200)["verified"], true, "{name}");
        let mut changed = derived.clone();
        changed["credentialSubject"]["age"] = json!("43");
        assert_eq!(service.verify(&changed).await.status, 400, "{name}");
        // Nothing is derived of what was derived, and nothing that is not there is shown.
        assert_eq!(service.derive(&derived, &[]).await.status, 400, "{name}");
        for pointer in ["/credentialSubject/shoeSize", "name", ""] {
            assert_eq!(
                service.derive(&base, &[pointer]).await.status,
                400,
                "{name}: {pointer:?}"
            );
        }
        let body = json!({"credential": document, "options": {"mandatoryPointers": ["/nothing"]}});
        assert_eq!(service.post(&path, &body).await.status, 400, "{name}");
    }
}

#[tokio::test]
async fn documents_of_data_model_1_1_are_derived_with_their_times() {
    let service = Service::start().await;
    let document = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": ["VerifiableCredential"],
        "issuanceDate": "2020-03-16T22:37:26Z",
        "expirationDate": "2027-03-16T22:37:26Z",
        "credentialSubject": {"id": "did:example:subject"},
    });
    for name in ["ecdsa-sd-2023-p256", "bbs-2023"] {
        let base = service.issue(name, document.clone()).await.expect(201);
        let derived = service.derive(&base, &[]).await.expect(201);
        for time in ["issuanceDate", "expirationDate"] {
            assert_eq!(derived[time], document[time], "{name}");
        }
        assert_eq!(service.verify(&derived).await.expect(200)["verified"], true, "{name}");
    }
}
