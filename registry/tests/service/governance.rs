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

/// An officer's key is replaced by those who are in office; from then on the new one counts, and the old one does not.
#[tokio::test]
async fn officers_change_and_the_new_ones_approve() {
    let nation = Nation::new().await;
    let officer =
        |name: &str, number: u8| serde_json::json!({"id": name, "key": key(number).public_key().to_multikey()});
    let officers = [
        officer(OFFICERS[0], 1),
        officer(OFFICERS[1], 2),
        officer(OFFICERS[2], 9),
    ];
    let body = json!({
        "type": "policy", "action": "authorities",
        "authorities": [{"id": AUTHORITY, "threshold": 2, "officers": officers}],
        "recovery": {"threshold": 2, "keys": ["07".repeat(32), "08".repeat(32)], "delay": 3 * DAY},
    });
    let (id, draft) = nation.propose(body).await;
    let listed = nation.get(&format!("/registry/proposals/{id}")).await;
    let summary = json_of(&listed)["summary"].as_str().unwrap().to_owned();
    let (new, old) = (key(9).public_key().to_multikey(), key(3).public_key().to_multikey());
    let moved =
        format!("officer-3 of governance moves to the key {new}, from {old}; recovery by 2 of 2 keys after 3 days");
    assert!(summary.contains(&moved), "{summary}");
    assert_eq!(nation.approve(&id, &sign(&draft, 0)).await.status, 200);
    // Not yet in office.
    assert_ne!(nation.approve(&id, &sign_as(&draft, OFFICERS[2], 9)).await.status, 200);
    assert_eq!(nation.approve(&id, &sign(&draft, 1)).await.status, 200);

    let (id, draft) = nation.propose(schema_json()).await;
    assert_ne!(nation.approve(&id, &sign(&draft, 2)).await.status, 200);
    assert_eq!(nation.approve(&id, &sign_as(&draft, OFFICERS[2], 9)).await.status, 200);
    assert_eq!(nation.approve(&id, &sign(&draft, 0)).await.status, 200);
    let state = nation.registry.state();
    assert!(state.schema(SCHEMA).is_some());
    let policy = state.policy().unwrap().body();
    assert_eq!(policy.recovery.as_ref().unwrap().threshold, 2);
    // Witnesses and methods are those of before.
    assert_eq!(policy.methods, trust_policy().methods);
    nation.bundle().await;
}

/// Who has committed to a next key changes the Policy with that one and with no other, and everything else with the one
/// in office.
#[tokio::test]
async fn next_keys_are_revealed_by_a_change_of_the_policy() {
    let nation = Nation::new().await;
    let multikey = |number: u8| key(number).public_key().to_multikey();
    let officers = |keys: [u8; 3], next: [u8; 3]| {
        let officers = OFFICERS.iter().zip(keys.into_iter().zip(next));
        let officers: Vec<_> = officers
            .map(|(name, (number, next))| {
                let next = trust::merkle::Hash::digest(multikey(next).as_bytes()).to_string();
                json!({"id": name, "key": multikey(number), "next": next})
            })
            .collect();
        json!({
            "type": "policy", "action": "authorities",
            "authorities": [{"id": AUTHORITY, "threshold": 2, "officers": officers}],
        })
    };
    let (id, draft) = nation.propose(officers([1, 2, 3], [11, 12, 13])).await;
    for officer in [0, 1] {
        assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
    }
    let (id, draft) = nation.propose(schema_json()).await;
    for officer in [0, 1] {
        assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
    }
    let (id, draft) = nation.propose(officers([11, 12, 3], [21, 22, 13])).await;
    let revealing = |name: &str, number: u8| {
        let key = key(number);
        key.fulfil(draft.sign_revealing(name, key.public_key())).unwrap()
    };
    for refused in [
        sign(&draft, 0),
        sign_as(&draft, OFFICERS[0], 11),
        revealing(OFFICERS[0], 1),
        revealing(OFFICERS[0], 12),
    ] {
        assert_eq!(nation.approve(&id, &refused).await.status, 403);
    }
    for (name, number) in [(OFFICERS[0], 11), (OFFICERS[1], 12)] {
        assert_eq!(nation.approve(&id, &revealing(name, number)).await.status, 200);
    }
    let state = nation.registry.state();
    let policy = state.policy().unwrap().body();
    let in_office = policy.authority(AUTHORITY).unwrap().officers[0].key.to_multikey();
    assert_eq!(in_office, multikey(11));
    nation.bundle().await;
}

#[tokio::test]
async fn methods_and_algorithms_change_within_the_rules() {
    let nation = Nation::new().await;
    let methods = |methods: &[&str]| json!({"type": "policy", "action": "methods", "methods": methods});
    let algorithms = |names: &[&str]| json!({"type": "policy", "action": "algorithms", "algorithms": names});
    for (proposal, summary) in [
        (
            methods(&["webvh"]),
            "Change the policy: DID methods that may be accredited: webvh instead of key, webvh",
        ),
        (
            algorithms(&["Ed25519", "ESP256", "ESP384"]),
            "Change the policy: algorithms of approvals: ESP256, ESP384, Ed25519 instead of ESP256, Ed25519",
        ),
    ] {
        let (id, draft) = nation.propose(proposal).await;
        let shown = json_of(&nation.get(&format!("/registry/proposals/{id}")).await);
        assert_eq!(shown["summary"], summary);
        for officer in [0, 1] {
            assert_eq!(nation.approve(&id, &sign(&draft, officer)).await.status, 200);
        }
    }
    let state = nation.registry.state();
    let policy = state.policy().unwrap().body();
    assert_eq!(policy.methods, ["webvh"]);
    assert_eq!(policy.algorithms, trust::entry::APPROVAL_ALGORITHMS);
    for (proposal, status, reason) in [
        (algorithms(&["ESP256"]), 409, "officers' keys of allowed algorithms"),
        (algorithms(&["ES256"]), 400, "expected one of ESP256, ESP384, Ed25519"),
        (algorithms(&[]), 400, "at least one algorithm"),
        (
            algorithms(&["Ed25519", "Ed25519"]),
            400,
            "at least one algorithm, in the order",
        ),
        (methods(&[]), 400, "at least one method"),
        (methods(&["webvh", "webvh"]), 400, "at least one method, ascending"),
        (methods(&["webvh"]), 400, "expected a policy that changes something"),
        (
            json!({"type": "policy", "action": "cancel_recovery"}),
            400,
            "or cancels a recovery, found the one in force",
        ),
    ] {
        let refused = nation.post_admin("/registry/proposals", &proposal).await;
        let detail = json_of(&refused)["detail"].as_str().unwrap().to_owned();
        assert_eq!(refused.status, status, "{proposal} {detail}");
        assert!(detail.contains(reason), "{proposal} {detail}");
    }
}

fn trust_policy() -> trust::entry::PolicyBody {
    let trust::entry::Body::Policy(policy) = trust::entry::Entry::parse(&genesis()).unwrap().body().clone() else {
        panic!("a Policy");
    };
    policy
}
