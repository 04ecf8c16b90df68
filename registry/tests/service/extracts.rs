//! Extracts as a holder gets them, and as evidence of an answer of TRQP.

use keys::base64url;
use serde_json::json;
use trust::bundle::Extract;
use trust::entry::Action;
use trust::state::AccreditationStatus;
use trust::trqp::authority_id;
use url::form_urlencoded;

use crate::nation::*;

fn path(pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    format!("/registry/extract?{}", query.finish())
}

#[tokio::test]
async fn extract_says_what_the_bundle_says_of_one_credential() {
    let (nation, agency) = Nation::with_issuer().await;
    let (leaf, compact) = nation.commitment(&agency, 1, &[3]);
    nation.registry.append(leaf, vec![compact]).await.unwrap();
    nation.admit(&Agency::new("health", 30)).await;
    nation.clock.advance(61);
    let chunk = format!("0,{}", agency.list_uri());
    let answer = nation
        .get(&path(&[("issuer", &agency.did), ("type", SCHEMA), ("chunk", &chunk)]))
        .await;
    assert_eq!(answer.status, 200);
    let extract = Extract::load(&answer.body, &nation.registry.anchor()).unwrap();
    let (bundle, now) = (extract.bundle(), nation.clock.now());
    assert_eq!(bundle.as_of(), now);
    let status = |index| bundle.status(&agency.did, &agency.list_uri(), index).unwrap().status;
    assert_eq!((status(3), status(4)), (Some(1), Some(0)));
    let accreditation = bundle.accreditation(&agency.did, Action::Issue, SCHEMA, now).unwrap();
    assert_eq!(accreditation.status, AccreditationStatus::Active);
    assert!(bundle.document(&Agency::new("health", 30).did).is_none());
}

#[tokio::test]
async fn extract_is_asked_for_by_name() {
    let (nation, agency) = Nation::with_issuer().await;
    let issuer = ("issuer", &*agency.did);
    let many: Vec<(&str, &str)> = (0..17).map(|_| issuer).collect();
    for (pairs, status) in [
        (&[][..], 400),
        (&[("type", SCHEMA)], 400),
        (&[issuer, issuer], 400),
        (&[issuer, ("chunk", "https://list.example/1")], 400),
        (&[issuer, ("chunk", "-1,https://list.example/1")], 400),
        (&[issuer, ("index", "7")], 400),
        (&many, 400),
        (&[("issuer", "did:web:nobody.example")], 404),
        // Nothing is there of such a chunk, and the extract says so by having none.
        (&[issuer, ("chunk", "9,https://list.example/1")], 200),
    ] {
        assert_eq!(nation.get(&path(pairs)).await.status, status, "{pairs:?}");
    }
}

#[tokio::test]
async fn answer_of_trqp_comes_with_evidence_that_says_the_same() {
    let (nation, agency) = Nation::with_issuer().await;
    let mut query = json!({
        "entity_id": agency.did, "authority_id": authority_id(LOG_NAME, AUTHORITY), "action": "issue", "resource": SCHEMA,
    });
    let id = nation.registry.state().accreditations().next().unwrap().id().to_owned();
    for suspended in [false, true] {
        if suspended {
            let (proposal, draft) = nation
                .propose(json!({"type": "accreditation", "action": "suspend", "id": id}))
                .await;
            for officer in [0, 1] {
                assert_eq!(nation.approve(&proposal, &sign(&draft, officer)).await.status, 200);
            }
            nation.clock.advance(61);
        }
        query["context"] = json!({"evidence": "trust_extract"});
        let answer = nation
            .post("/trqp/authorization", "application/json", query.to_string())
            .await;
        let answer = json_of(&answer);
        assert_eq!(answer["authorized"], !suspended);
        let extract = answer["evidence"]["trust_extract"].as_str().unwrap();
        let extract = Extract::load(&base64url::decode(extract).unwrap(), &nation.registry.anchor()).unwrap();
        let found = extract
            .bundle()
            .accreditation(&agency.did, Action::Issue, SCHEMA, nation.clock.now());
        assert_eq!(found.unwrap().status == AccreditationStatus::Active, !suspended);
    }
    // Without being asked, and of a time that has passed, there is none.
    for context in [
        json!({}),
        json!({"evidence": "trust_extract", "time": nation.clock.now().to_rfc3339()}),
    ] {
        query["context"] = context;
        let answer = nation
            .post("/trqp/authorization", "application/json", query.to_string())
            .await;
        assert!(json_of(&answer).get("evidence").is_none());
    }
}
