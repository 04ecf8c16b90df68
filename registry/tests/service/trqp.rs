//! TRQP over HTTP, now and at times before.

use serde_json::Value;
use serde_json::json;
use trust::trqp::authority_id;

use crate::nation::*;

fn query(agency: &Agency) -> Value {
    json!({
        "entity_id": agency.did, "authority_id": authority_id(LOG_NAME, AUTHORITY), "action": "issue", "resource": SCHEMA,
    })
}

async fn ask(nation: &Nation, question: &str, query: &Value) -> (u16, Value) {
    let answer = nation
        .post(&format!("/trqp/{question}"), "application/json", query.to_string())
        .await;
    (answer.status, json_of(&answer))
}

/// Whether the agency was authorized at a time; `None` where the registry says that it knows no such thing then.
async fn authorized_at(nation: &Nation, agency: &Agency, time: keys::Timestamp) -> Option<bool> {
    let mut query = query(agency);
    query["context"] = json!({"time": time.to_rfc3339()});
    match ask(nation, "authorization", &query).await {
        (200, answer) => {
            assert_eq!(answer["time_requested"], time.to_rfc3339());
            answer["authorized"].as_bool()
        }
        (404, _) => None,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_accreditation_is_told_as_it_stood_at_every_time() {
    let (nation, agency) = Nation::with_issuer().await;
    let granted = nation.clock.now();
    assert_eq!(
        ask(&nation, "authorization", &query(&agency)).await.1["authorized"],
        true
    );
    nation.clock.advance(3_600);
    let id = nation.registry.state().accreditations().next().unwrap().id().to_owned();
    let mut changed = Vec::new();
    for action in ["suspend", "reinstate", "revoke"] {
        nation.clock.advance(3_600);
        nation.registry.refresh(1).await.unwrap();
        let (proposal, draft) = nation
            .propose(json!({"type": "accreditation", "action": action, "id": id}))
            .await;
        for officer in [0, 1] {
            assert_eq!(nation.approve(&proposal, &sign(&draft, officer)).await.status, 200);
        }
        changed.push(nation.clock.now());
    }
    nation.clock.advance(3_600);
    // More times than states that are kept, and back and forth.
    for _ in 0..2 {
        let [suspended, reinstated, revoked] = changed[..] else {
            panic!()
        };
        for (time, expected) in [
            (revoked.plus(60), Some(false)),
            (reinstated, Some(true)),
            (granted.plus(60), Some(true)),
            (suspended, Some(false)),
            (reinstated.minus(1), Some(false)),
            (suspended.minus(1), Some(true)),
            (revoked, Some(false)),
            (revoked.minus(1), Some(true)),
            (granted.minus(DAY), None),
        ] {
            assert_eq!(authorized_at(&nation, &agency, time).await, expected, "{time}");
        }
    }
    assert_eq!(
        ask(&nation, "authorization", &query(&agency)).await.1["authorized"],
        false
    );
}

#[tokio::test]
async fn refusals_are_problems_and_metadata_says_what_there_is() {
    let (nation, agency) = Nation::with_issuer().await;
    let good = query(&agency);
    let (status, recognized) = ask(&nation, "recognition", &good).await;
    assert_eq!((status, &recognized["recognized"]), (200, &json!(false)));
    for (member, value, status, kind) in [
        ("action", json!("dance"), 404, "trqp-unknown"),
        ("resource", json!("a b"), 400, "trqp-query"),
        (
            "context",
            json!({"time": nation.clock.now().plus(60).to_rfc3339()}),
            400,
            "trqp-query",
        ),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        let (found, problem) = ask(&nation, "authorization", &bad).await;
        assert_eq!(found, status, "{problem}");
        assert!(problem["type"].as_str().unwrap().ends_with(kind), "{problem}");
    }
    let other = nation.post("/trqp/authorization", "text/plain", good.to_string()).await;
    assert_eq!(other.status, 415);
    let metadata = json_of(&nation.get("/trqp/metadata").await);
    assert_eq!(metadata["authorities"], json!([authority_id(LOG_NAME, AUTHORITY)]));
    assert_eq!(metadata["resources"], json!([SCHEMA]));
}
