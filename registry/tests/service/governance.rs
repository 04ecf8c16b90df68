//! Officers approve, nobody else does.

use keys::Signer as _;
use serde_json::json;
use trust::entry::Action;
use trust::state::AccreditationStatus;

use crate::nation::*;

#[tokio::test]
async fn two_of_three_officers_grant_over_http() {
    let (nation, agency) = Nation::with_issuer().await;
    let bundle = nation.bundle().await;
    let now = nation.clock.now();
    let accreditation = bundle.accreditation(&agency.did, Action::Issue, SCHEMA, now).unwrap();
    assert_eq!(accreditation.status, AccreditationStatus::Active);
    let (_, schema) = bundle
        .schema_of_vct("https://attestry.example/types/PersonIdentity")
        .unwrap();
    assert_eq!(
        bundle.schema_document(&schema.documents[0]),
        Some(b"{\"type\": \"object\"}".as_slice())
    );
    let listed = json_of(&nation.get("/registry/proposals").await);
    let states: Vec<&str> = listed["proposals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["appended", "appended"]);
    assert_eq!(listed["proposals"][0]["id"], "2");
}

#[tokio::test]
async fn one_officer_does_not_suffice_and_counts_once() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(schema_json()).await;
    let size = nation.registry.state().size();
    let first = nation.approve(&id, &sign(&draft, 0)).await;
    assert_eq!(
        json_of(&first),
        json!({"id": "1", "state": "open", "found": 1, "needed": 2})
    );
    let again = nation.approve(&id, &sign(&draft, 0)).await;
    assert_eq!((again.status, kind(&again).as_str()), (409, "repeated"));
    assert_eq!(nation.registry.state().size(), size);
    let shown = json_of(&nation.get("/registry/proposals/1").await);
    assert_eq!(
        (&shown["state"], &shown["approved_by"]),
        (&json!("open"), &json!(["officer-1"]))
    );
    // The genuine second one completes it.
    let second = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!(json_of(&second)["state"], "appended");
    assert!(nation.registry.state().schema(SCHEMA).is_some());
    let third = nation.approve(&id, &sign(&draft, 2)).await;
    assert_eq!((third.status, kind(&third).as_str()), (409, "ended"));
}

#[tokio::test]
async fn outsiders_and_borrowed_names_do_not_approve() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(schema_json()).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    for signature in [
        sign_as(&draft, "operator", 9),
        // The first officer in the name of the second.
        sign_as(&draft, OFFICERS[1], 1),
        // The second officer over another draft.
        sign(
            &trust::entry::Draft {
                seq: 7,
                ..draft.clone()
            },
            1,
        ),
    ] {
        let refused = nation.approve(&id, &signature).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (403, "signature"));
    }
    let next = trust::entry::ApprovalSignature::parse(&{
        let key = key(2);
        key.fulfil(draft.sign_revealing(OFFICERS[1], key.public_key()))
            .unwrap()
            .to_bytes()
    });
    assert_eq!(nation.approve(&id, &next.unwrap()).await.status, 403);
    let path = format!("/registry/proposals/{id}/approvals");
    for body in [
        json!({"signature": "AAAA"}),
        json!({"signature": "!"}),
        json!({}),
        json!({"signature": "", "by": "x"}),
    ] {
        let refused = nation.post_admin(&path, &body).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (400, "malformed"), "{body}");
    }
    assert!(nation.registry.state().schema(SCHEMA).is_none());
    assert_eq!(nation.approve(&id, &sign(&draft, 2)).await.status, 200);
}

#[tokio::test]
async fn only_the_operator_proposes_and_only_what_can_be_read() {
    let nation = Nation::new().await;
    let refused = nation
        .post("/registry/proposals", "application/json", schema_json().to_string())
        .await;
    assert_eq!((refused.status, kind(&refused).as_str()), (401, "admin-token"));
    let agency = Agency::new("population", 20);
    let mut unknown_authority = grant_json(&agency);
    unknown_authority["authority"] = "ministry".into();
    let mut no_resources = grant_json(&agency);
    no_resources["resources"] = json!([]);
    let mut twice = grant_json(&agency);
    twice["resources"] = json!([SCHEMA, SCHEMA]);
    for body in [
        json!({}),
        json!([]),
        json!({"type": "policy"}),
        unknown_authority,
        no_resources,
        twice,
    ] {
        let refused = nation.post_admin("/registry/proposals", &body).await;
        assert_eq!((refused.status, kind(&refused).as_str()), (400, "proposal"), "{body}");
    }
    for id in ["0", "1", "01", "x"] {
        assert_eq!(nation.get(&format!("/registry/proposals/{id}")).await.status, 404);
    }
    assert_eq!(
        json_of(&nation.get("/registry/proposals").await),
        json!({"proposals": []})
    );
}

#[tokio::test]
async fn a_proposal_that_the_rules_refuse_has_ended() {
    let nation = Nation::new().await;
    // The agency's DID was never logged.
    let (id, draft) = nation.propose(grant_json(&Agency::new("population", 20))).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    let refused = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "refused"));
    let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
    assert_eq!(shown["state"], "refused");
    assert!(
        shown["reason"]
            .as_str()
            .unwrap()
            .contains("expected a DID of the registry"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_proposal_expires_after_a_week() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(schema_json()).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    nation.clock.advance(7 * DAY);
    let refused = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "ended"));
    assert_eq!(
        json_of(&nation.get(&format!("/registry/proposals/{id}")).await)["state"],
        "expired"
    );
}

#[tokio::test]
async fn one_officer_suspends_in_an_emergency() {
    let (nation, agency) = Nation::with_issuer().await;
    let body = json!({
        "type": "accreditation", "action": "suspend", "id": "population-identity", "emergency": true,
        "reason": "key_compromise",
    });
    let (id, draft) = nation.propose(body).await;
    let done = nation.approve(&id, &sign(&draft, 1)).await;
    assert_eq!(json_of(&done)["state"], "appended");
    let state = nation.registry.state();
    let accreditation = state
        .accreditation(&agency.did, Action::Issue, SCHEMA, nation.clock.now())
        .unwrap();
    assert!(matches!(accreditation.status, AccreditationStatus::Suspended { .. }));
}

#[tokio::test]
async fn officers_who_sign_at_once_append_once() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(schema_json()).await;
    let signatures = [0, 1, 2].map(|officer| sign(&draft, officer));
    let (a, b, c) = tokio::join!(
        nation.approve(&id, &signatures[0]),
        nation.approve(&id, &signatures[1]),
        nation.approve(&id, &signatures[2])
    );
    let mut indices: Vec<u64> = [a, b, c]
        .iter()
        .filter_map(|answer| json_of(answer)["index"].as_u64())
        .collect();
    indices.dedup();
    assert_eq!(indices.len(), 1);
    assert_eq!(nation.registry.state().schemas().count(), 1);
}
