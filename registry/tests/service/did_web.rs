//! DIDs of method web: officers look at the website, and the log keeps what they saw.

use did::DidUrl;
use did::document::Purpose;
use serde_json::Value;
use serde_json::json;
use trust::state::WebSnapshot;

use crate::nation::*;

/// With a port, which must arrive as it is written.
const DID: &str = "did:web:agency.example%3A8443:population";

/// A `did.json` with the key of this number, as a website would format it.
fn document(did: &str, number: u8) -> String {
    let key = key(number);
    let method = did::document::NewMethod {
        fragment: "key",
        key: keys::Signer::public_key(&key),
        purposes: &[Purpose::AssertionMethod],
    };
    format!("{:#}\n", did::document::new_document(did, &[method]))
}

fn snapshot_json(did: &str, document: &str) -> Value {
    json!({"type": "did", "action": "snapshot", "did": did, "document": document})
}

/// Two officers approve.
async fn govern(nation: &Nation, body: Value) {
    let (id, draft) = nation.propose(body).await;
    for officer in [0, 1] {
        let approved = nation.approve(&id, &sign(&draft, officer)).await;
        assert_eq!(approved.status, 200, "{}", String::from_utf8_lossy(&approved.body));
    }
}

/// A registry whose officers have allowed the method.
async fn nation() -> Nation {
    let nation = Nation::new().await;
    let methods = ["webvh", "web", "key"];
    govern(
        &nation,
        json!({"type": "policy", "action": "methods", "methods": methods}),
    )
    .await;
    nation
}

/// The status, and the result of a resolution.
async fn resolve(nation: &Nation, did: &str) -> (u16, Value) {
    let answer = nation.get(&format!("/registry/1.0/identifiers/{did}")).await;
    (answer.status, json_of(&answer))
}

#[tokio::test]
async fn officers_log_a_document_and_it_resolves_from_the_log() {
    let nation = nation().await;
    assert_eq!(resolve(&nation, DID).await.0, 404);
    let text = document(DID, 20);
    let (id, draft) = nation.propose(snapshot_json(DID, &text)).await;
    let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
    let digest = trust::merkle::Hash::digest(text.as_bytes()).to_string();
    assert!(shown["summary"].as_str().unwrap().ends_with(&digest), "{shown}");
    nation.approve(&id, &sign(&draft, 0)).await;
    assert_eq!(resolve(&nation, DID).await.0, 404, "one officer does not suffice");
    assert_eq!(nation.approve(&id, &sign(&draft, 2)).await.status, 200);
    let (status, result) = resolve(&nation, DID).await;
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &result["didDocument"]), (200, &expected));
    let metadata = &result["didDocumentMetadata"];
    let genesis = GENESIS.to_rfc3339();
    let times = [&metadata["versionTime"], &metadata["created"], &metadata["updated"]];
    assert_eq!(times, [&json!(genesis), &json!(genesis), &json!(genesis)]);
    assert_eq!(metadata["deactivated"], false);
    // Whoever verifies offline has it from the bundle.
    let method = DidUrl::parse(&format!("{DID}#key")).unwrap();
    let found = nation.bundle().await.key_for(DID, &method, Purpose::AssertionMethod);
    assert_eq!(&found.unwrap().unwrap(), keys::Signer::public_key(&key(20)));
}

#[tokio::test]
async fn versions_are_found_by_id_number_and_time() {
    let nation = nation().await;
    govern(&nation, snapshot_json(DID, &document(DID, 20))).await;
    nation.clock.advance(DAY);
    nation.registry.refresh(60).await.unwrap();
    govern(&nation, snapshot_json(DID, &document(DID, 21))).await;
    let state = nation.registry.state();
    let snapshots = state.did(DID).unwrap().web().unwrap();
    let ids: Vec<String> = snapshots.iter().map(WebSnapshot::version_id).collect();
    let (first, second) = (document(DID, 20), document(DID, 21));
    for (query, version, text) in [
        (String::new(), 1, &second),
        (format!("?versionId={}", ids[0]), 0, &first),
        (format!("?versionId={}", ids[1]), 1, &second),
        ("?versionNumber=1".to_owned(), 0, &first),
        (format!("?versionTime={}", GENESIS.to_rfc3339()), 0, &first),
        (
            format!("?versionTime={}", GENESIS.plus(DAY - 1).to_rfc3339()),
            0,
            &first,
        ),
        (format!("?versionTime={}", GENESIS.plus(DAY).to_rfc3339()), 1, &second),
    ] {
        let (status, result) = resolve(&nation, &format!("{DID}{query}")).await;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!((status, &result["didDocument"]), (200, &expected), "{query}");
        let metadata = &result["didDocumentMetadata"];
        assert_eq!(metadata["versionId"], ids[version], "{query}");
        assert_eq!(metadata["created"], GENESIS.to_rfc3339());
        assert_eq!(metadata["updated"], GENESIS.plus(DAY).to_rfc3339());
    }
    for query in [
        "versionNumber=3".to_owned(),
        "versionId=1".to_owned(),
        format!("versionTime={}", GENESIS.plus(-1).to_rfc3339()),
    ] {
        let (status, result) = resolve(&nation, &format!("{DID}?{query}")).await;
        let error = &result["didResolutionMetadata"]["error"]["type"];
        assert_eq!(
            (status, error),
            (404, &json!("https://www.w3.org/ns/did#NOT_FOUND")),
            "{query}"
        );
    }
}

/// Before any officer is asked.
#[tokio::test]
async fn what_is_no_document_of_the_did_is_not_proposed() {
    let nation = nation().await;
    let genuine = document(DID, 20);
    let twice = genuine.replacen('{', &format!("{{\"id\": \"{DID}\","), 1);
    let large = format!("{genuine}{}", " ".repeat(trust::entry::MAX_WEB_DOCUMENT_BYTES));
    for (did, document) in [
        ("did:web:other.example", genuine.as_str()),
        ("did:web:agency.example:..", &document("did:web:agency.example:..", 20)),
        ("did:webvh:agency.example", &document("did:webvh:agency.example", 20)),
        ("agency.example", &genuine),
        (DID, &twice),
        (DID, &large),
        (DID, "{}"),
        (DID, ""),
    ] {
        let refused = nation
            .post_admin("/registry/proposals", &snapshot_json(did, document))
            .await;
        assert_eq!((refused.status, kind(&refused).as_str()), (400, "proposal"), "{did}");
    }
    nation.propose(snapshot_json(DID, &genuine)).await;
}

#[tokio::test]
async fn method_that_the_policy_does_not_allow_is_refused() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(snapshot_json(DID, &document(DID, 20))).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    let refused = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "refused"));
    let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
    let reason = shown["reason"].as_str().unwrap();
    assert!(reason.contains("expected a DID of an allowed method"), "{reason}");
}

#[tokio::test]
async fn ended_did_web_is_gone_and_the_others_of_the_standard_are_told() {
    let nation = nation().await;
    govern(&nation, snapshot_json(DID, &document(DID, 20))).await;
    govern(
        &nation,
        json!({"type": "tombstone", "action": "end", "target": "did", "subject": DID}),
    )
    .await;
    let (status, result) = resolve(&nation, DID).await;
    assert_eq!((status, &result["didDocument"]), (410, &Value::Null));
    assert_eq!(result["didDocumentMetadata"]["deactivated"], true);
    for (did, status, expected) in [
        ("did:web:example.com", 404, "NOT_FOUND"),
        ("did:web:127.0.0.1", 400, "INVALID_DID"),
        ("did:web:example.com:..", 400, "INVALID_DID"),
        ("did:web:example.com%23key", 400, "INVALID_DID"),
    ] {
        let (found, result) = resolve(&nation, did).await;
        let error = result["didResolutionMetadata"]["error"]["type"].as_str().unwrap();
        assert_eq!((found, error.rsplit('#').next()), (status, Some(expected)), "{did}");
    }
}
