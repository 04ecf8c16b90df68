//! DID Resolution over HTTP.

use serde_json::Value;

use crate::nation::*;

const KEY: &str = "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";

fn error_type(answer: &server::fetch::Fetched) -> String {
    assert_eq!(answer.content_type(), Some("application/did-resolution"));
    let result = json_of(answer);
    assert_eq!(result["didDocument"], Value::Null);
    let url = result["didResolutionMetadata"]["error"]["type"].as_str().unwrap();
    url.strip_prefix("https://www.w3.org/ns/did#").unwrap().to_owned()
}

#[tokio::test]
async fn logged_dids_and_keys_resolve() {
    let nation = Nation::new().await;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    for did in [agency.did.as_str(), KEY] {
        let answer = nation
            .get_as(
                &format!("/registry/1.0/identifiers/{did}"),
                "application/did-resolution",
            )
            .await;
        assert_eq!(
            (answer.status, answer.content_type()),
            (200, Some("application/did-resolution"))
        );
        assert_eq!(json_of(&answer)["didDocument"]["id"], did);
        // The same, encoded as a whole, and the document alone.
        let encoded = did.replace(':', "%3A");
        let answer = nation
            .get_as(&format!("/registry/1.0/identifiers/{encoded}"), "application/did")
            .await;
        assert_eq!((answer.status, answer.content_type()), (200, Some("application/did")));
        assert_eq!(json_of(&answer)["id"], did);
    }
    let result = json_of(
        &nation
            .get(&format!("/registry/1.0/identifiers/{}?versionNumber=1", agency.did))
            .await,
    );
    assert!(
        result["didDocumentMetadata"]["versionId"]
            .as_str()
            .unwrap()
            .starts_with("1-")
    );
    let scid = agency.did.split(':').nth(2).unwrap();
    let log = nation.get(&format!("/registry/dids/{scid}/did.jsonl")).await;
    assert_eq!(log.body, [agency.first_line.as_slice(), b"\n"].concat());
    assert_eq!(
        nation
            .get(&format!("/registry/dids/{scid}/did-witness.json"))
            .await
            .status,
        404
    );
    assert_eq!(nation.get("/registry/dids/Qm/did.jsonl").await.status, 404);
}

#[tokio::test]
async fn errors_have_the_types_and_statuses_of_the_standard() {
    let nation = Nation::new().await;
    let unknown = Agency::new("unknown", 21).did;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    for (did, status, expected) in [
        (unknown, 404, "NOT_FOUND"),
        (format!("{}?versionNumber=2", agency.did), 404, "NOT_FOUND"),
        (
            format!("{}?versionNumber=1&versionId=1", agency.did),
            400,
            "INVALID_OPTIONS",
        ),
        ("did:web:example.com".to_owned(), 404, "NOT_FOUND"),
        ("did:ethr:0x1".to_owned(), 501, "METHOD_NOT_SUPPORTED"),
        ("did:key:u7QF".to_owned(), 400, "INVALID_DID"),
        ("did:webvh:example.com".to_owned(), 400, "INVALID_DID"),
        ("nonsense".to_owned(), 400, "INVALID_DID"),
        (format!("{KEY}%23key"), 400, "INVALID_DID"),
        (format!("did%3Akey%3A{}%23key", &KEY[8..]), 501, "FEATURE_NOT_SUPPORTED"),
        (format!("{KEY}?versionNumber=1"), 501, "FEATURE_NOT_SUPPORTED"),
    ] {
        let answer = nation.get(&format!("/registry/1.0/identifiers/{did}")).await;
        assert_eq!(
            (answer.status, error_type(&answer).as_str()),
            (status, expected),
            "{did}"
        );
    }
}

#[tokio::test]
async fn ended_dids_are_gone() {
    let nation = Nation::new().await;
    let (own, ended) = (Agency::new("own", 20), Agency::new("ended", 21));
    for agency in [&own, &ended] {
        nation.admit(agency).await;
    }
    let request = own
        .newest(&nation.registry)
        .deactivate(GENESIS.plus(1), keys::Signer::public_key(&own.key))
        .unwrap();
    let line = own.key.fulfil(request).unwrap().into_bytes();
    let leaf = nation.registry.did_event(&own.did, vec![line], None).unwrap();
    nation.registry.append(leaf, Vec::new()).await.unwrap();
    let body = serde_json::json!({"type": "tombstone", "action": "end", "target": "did", "subject": ended.did});
    let (id, draft) = nation.propose(body).await;
    for officer in [0, 1] {
        assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
    }
    for agency in [own, ended] {
        let answer = nation.get(&format!("/registry/1.0/identifiers/{}", agency.did)).await;
        assert_eq!(answer.status, 410);
        assert_eq!(json_of(&answer)["didDocumentMetadata"]["deactivated"], true);
    }
}
