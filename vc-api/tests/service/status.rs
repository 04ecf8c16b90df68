//! `/credentials/status` and the status lists.

use serde_json::Value;
use serde_json::json;
use vc_api::instance;

use crate::service::Answer;
use crate::service::EDDSA;
use crate::service::Service;
use crate::service::document;

const ID: &str = "urn:uuid:86294362-4254-4f36-854f-3952fe42555d";

async fn issue(service: &Service, name: &str, id: &str) -> Value {
    let mut document = document();
    document["id"] = json!(id);
    service.issue(name, document).await.expect(201)
}

async fn update(service: &Service, id: &str, status: Value) -> Answer {
    update_of(service, EDDSA, id, status).await
}

/// Of what the instance of this name has issued.
async fn update_of(service: &Service, name: &str, id: &str, status: Value) -> Answer {
    let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation"});
    let mut body = json!({"credentialId": id, "credentialStatus": entry});
    if !status.is_null() {
        body["status"] = status;
    }
    service.post(&format!("/vc-api/{name}/credentials/status"), &body).await
}

/// Where the list of a credential is served, as a path of this service.
fn path(credential: &Value) -> String {
    let uri = credential["credentialStatus"]["statusListCredential"].as_str().unwrap();
    uri.strip_prefix("https://127.0.0.1:8443").unwrap().to_owned()
}

#[tokio::test]
async fn what_is_revoked_is_refused_and_may_come_back() {
    let service = Service::start().await;
    let credential = issue(&service, EDDSA, ID).await;
    let other = issue(&service, EDDSA, "urn:uuid:other").await;
    assert_eq!(service.verify(&credential).await.status, 200);
    update(&service, ID, json!(true)).await.expect(200);
    let refused = service.verify(&credential).await;
    assert_eq!(refused.body["verified"], false);
    assert_eq!(refused.problem(), (400, "revoked".to_owned()));
    // Nobody else is.
    assert_eq!(service.verify(&other).await.status, 200);
    update(&service, ID, json!(false)).await.expect(200);
    assert_eq!(service.verify(&credential).await.status, 200);
    // As W3C's suite asks.
    update(&service, ID, json!(null)).await.expect(200);
    assert_eq!(service.verify(&credential).await.status, 400);
}

/// Whoever derives chooses what to show, but not whether the status is among it.
#[tokio::test]
async fn what_is_shown_in_part_is_revoked_as_well() {
    let service = Service::start().await;
    for (name, ..) in instance::sample().filter(|(_, mechanism, _)| !mechanism.is_for_everybody()) {
        let base = issue(&service, &name, ID).await;
        let derive = async |pointers: &[&str]| service.derive(&base, pointers).await.expect(201);
        let shown = [derive(&["/credentialSubject/name"]).await, derive(&[]).await];
        for derived in &shown {
            assert_eq!(derived["credentialStatus"], base["credentialStatus"], "{name}");
            assert_eq!(service.verify(derived).await.expect(200)["verified"], true, "{name}");
            let mut hidden = derived.clone();
            hidden.as_object_mut().unwrap().remove("credentialStatus");
            assert_eq!(service.verify(&hidden).await.status, 400, "{name}");
        }
        // The list is for everybody, and so not with a base proof.
        let list = service.get(&path(&base)).await.expect(200);
        assert_eq!(service.verify(&list).await.expect(200)["verified"], true, "{name}");
        let before = list["credentialSubject"]["encodedList"].clone();
        update_of(&service, &name, ID, json!(true)).await.expect(200);
        for derived in &shown {
            assert_eq!(
                service.verify(derived).await.problem(),
                (400, "revoked".to_owned()),
                "{name}"
            );
        }
        let list = service.get(&path(&base)).await.expect(200);
        assert_ne!(list["credentialSubject"]["encodedList"], before, "{name}");
        update_of(&service, &name, ID, json!(false)).await.expect(200);
        assert_eq!(service.verify(&shown[0]).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_credential_issued_again_has_the_same_place() {
    let service = Service::start().await;
    let first = issue(&service, EDDSA, ID).await;
    let again = issue(&service, EDDSA, ID).await;
    assert_eq!(first["credentialStatus"], again["credentialStatus"]);
    let other = issue(&service, EDDSA, "urn:uuid:other").await;
    assert_ne!(first["credentialStatus"], other["credentialStatus"]);
    // Without an id nobody could ask for its status.
    let nameless = service.issue(EDDSA, document()).await.expect(201);
    assert!(nameless.get("credentialStatus").is_none());
}

#[tokio::test]
async fn the_list_is_a_credential_of_the_instance() {
    let service = Service::start().await;
    for name in [EDDSA, "eddsa-jcs-2022"] {
        let credential = issue(&service, name, ID).await;
        let list = service.get(&path(&credential)).await.expect(200);
        assert_eq!(list["issuer"], credential["issuer"]);
        assert_eq!(list["id"], credential["credentialStatus"]["statusListCredential"]);
        assert!(
            list["type"]
                .as_array()
                .unwrap()
                .contains(&json!("BitstringStatusListCredential"))
        );
        let subject = &list["credentialSubject"];
        assert_eq!(subject["type"], "BitstringStatusList");
        assert_eq!(subject["statusPurpose"], "revocation");
        assert!(subject["encodedList"].as_str().unwrap().starts_with('u'));
        assert_eq!(service.verify(&list).await.expect(200)["verified"], true);
        let before = subject["encodedList"].clone();
        if name == EDDSA {
            update(&service, ID, json!(true)).await.expect(200);
            let after = service.get(&path(&credential)).await.expect(200);
            assert_ne!(after["credentialSubject"]["encodedList"], before);
        }
        // Another instance does not serve it under its own name.
        let elsewhere = path(&credential).replace(name, "vc-jwt-p256");
        assert_eq!(service.get(&elsewhere).await.status, 404);
    }
}

#[tokio::test]
async fn nobody_points_to_a_list_of_another_issuer() {
    let service = Service::start().await;
    let victim = issue(&service, EDDSA, ID).await;
    update(&service, ID, json!(true)).await.expect(200);
    // A credential of another instance, with the entry of the revoked one: its issuer does not keep that list.
    let mut document = document();
    document["credentialStatus"] = victim["credentialStatus"].clone();
    let credential = service.issue("eddsa-jcs-2022", document).await.expect(201);
    let answer = service.verify(&credential).await.expect(200);
    assert!(
        answer["problemDetails"].to_string().contains("status-unknown"),
        "{answer}"
    );
    let strict = service
        .verify_with(&credential, json!({"checks": ["credentialStatus"]}))
        .await;
    assert_eq!(strict.problem(), (400, "status-unknown".to_owned()));
}

#[tokio::test]
async fn updates_of_nothing_known_are_refused() {
    let service = Service::start().await;
    issue(&service, EDDSA, ID).await;
    assert_eq!(update(&service, ID, json!(false)).await.status, 200);
    assert_eq!(update(&service, "urn:uuid:unknown", json!(true)).await.problem().0, 404);
    let path = format!("/vc-api/{EDDSA}/credentials/status");
    for entry in [
        json!({"type": "BitstringStatusListEntry", "statusPurpose": "suspension"}),
        json!({"type": "StatusList2021Entry", "statusPurpose": "revocation"}),
    ] {
        let body = json!({"credentialId": ID, "credentialStatus": entry, "status": true});
        assert_eq!(service.post(&path, &body).await.problem().0, 400, "{entry}");
    }
    // Another instance has not issued it.
    let entry = json!({"type": "BitstringStatusListEntry", "statusPurpose": "revocation"});
    let body = json!({"credentialId": ID, "credentialStatus": entry, "status": true});
    let answer = service.post("/vc-api/eddsa-jcs-2022/credentials/status", &body).await;
    assert_eq!(answer.problem().0, 404);
}

#[tokio::test]
async fn a_list_out_of_reach_is_told_and_is_an_error_on_request() {
    let service = Service::start().await;
    let mut document = document();
    document["@context"] = json!([
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/examples/v2"
    ]);
    document["credentialStatus"] = json!({"id": "did:example:status", "type": "CredentialStatusList2017"});
    let credential = service.issue(EDDSA, document).await.expect(201);
    let answer = service.verify(&credential).await.expect(200);
    assert!(
        answer["problemDetails"].to_string().contains("status-unknown"),
        "{answer}"
    );
    let strict = service
        .verify_with(&credential, json!({"checks": ["proof", "credentialStatus"]}))
        .await;
    assert_eq!(strict.problem(), (400, "status-unknown".to_owned()));
}
