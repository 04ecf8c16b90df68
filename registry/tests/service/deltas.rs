//! Deltas as a verifier gets them.

use trust::TrustedBundle;
use trust::bundle::Limits;

use crate::nation::*;

async fn update(nation: &Nation, bundle: &TrustedBundle) -> (TrustedBundle, usize) {
    let path = format!("/registry/bundle/delta?from={}", bundle.checkpoint().size());
    let answer = nation.get(&path).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let (updated, bytes) = bundle.apply(&answer.body, Limits::default()).unwrap();
    assert_eq!(bytes, nation.get("/registry/bundle").await.body);
    (updated, answer.body.len())
}

/// A minute later somebody asks for a bundle, which makes a Snapshot.
async fn later(nation: &Nation) {
    nation.clock.advance(61);
    nation.registry.refresh(60).await.unwrap();
}

#[tokio::test]
async fn a_delta_leads_from_every_earlier_bundle_to_the_one_of_now() {
    let (nation, agency) = Nation::with_issuer().await;
    later(&nation).await;
    let mut bundles = vec![nation.bundle().await];
    let revoked: [&[usize]; 5] = [&[], &[3], &[3, 500], &[3, 500], &[500]];
    for (revoked, epoch) in revoked.iter().zip(1..) {
        let (leaf, compact) = nation.commitment(&agency, epoch, revoked);
        nation.registry.append(leaf, vec![compact]).await.unwrap();
        later(&nation).await;
        let now = nation.bundle().await;
        for before in &bundles {
            let (updated, _) = update(&nation, before).await;
            let list = updated.status_list(&agency.did, &agency.list_uri()).unwrap();
            assert_eq!(list.bits.get(3), Some(u8::from(revoked.contains(&3))));
            assert_eq!(updated.checkpoint(), now.checkpoint());
        }
        bundles.push(now);
    }
    // What is new besides: an agency, and a schema with its document.
    nation.admit(&Agency::new("health", 30)).await;
    nation.agree(changed_schema_json()).await;
    later(&nation).await;
    for before in &bundles {
        let (updated, _) = update(&nation, before).await;
        assert!(updated.document(&Agency::new("health", 30).did).is_some());
        let (_, schema) = updated.schema_of_w3c_type(SCHEMA).unwrap();
        assert!(updated.schema_document(&schema.documents[0]).is_some());
    }
    // A restart forgets nothing of it.
    let nation = nation.restart().await.unwrap();
    let _ = update(&nation, &bundles[0]).await;
}

fn changed_schema_json() -> serde_json::Value {
    let mut json = schema_json();
    json["documents"][0]["content"] = "{\"type\": \"object\", \"title\": \"changed\"}".into();
    json
}

/// Two agencies with lists; somebody needs one of them.
#[tokio::test]
async fn who_needs_a_part_gets_that_part_and_its_deltas() {
    let (nation, agency) = Nation::with_issuer().await;
    let other = Agency::new("health", 30);
    nation.admit(&other).await;
    let mut grant = grant_json(&other);
    grant["id"] = "health-issues".into();
    grant["territories"] = serde_json::json!(["XB"]);
    nation.agree(grant).await;
    let commit = async |agency: &Agency, epoch: u64, revoked: &[usize]| {
        let (leaf, compact) = nation.commitment(agency, epoch, revoked);
        nation.registry.append(leaf, vec![compact]).await.unwrap();
    };
    // One encoding after the other: the third commitment patches the first one.
    for (agency, revoked) in [(&agency, 3), (&other, 9)] {
        commit(agency, 1, &[revoked]).await;
    }
    later(&nation).await;
    let load = async |query: &str| {
        let bytes = nation.get(&format!("/registry/bundle?{query}")).await.body;
        let anchor = trust::Anchor::of_genesis(&genesis()).unwrap();
        (
            TrustedBundle::load(&bytes, &anchor, Limits::default()).unwrap(),
            bytes.len(),
        )
    };
    let (_, whole) = load("").await;
    let has = |bundle: &TrustedBundle, agency: &Agency| bundle.status_list(&agency.did, &agency.list_uri()).is_ok();
    let document = |bundle: &TrustedBundle| {
        let (_, schema) = bundle.schema_of_w3c_type(SCHEMA).unwrap();
        bundle.schema_document(&schema.documents[0]).is_some()
    };
    let did = agency.did.replace(':', "%3A");
    let queries = [
        (format!("issuer={did}"), (true, false, true)),
        ("territory=XB".to_owned(), (true, true, true)),
        ("territory=XC".to_owned(), (true, false, true)),
        (format!("type={SCHEMA}"), (true, true, true)),
        (
            "type=https%3A%2F%2Fattestry.example%2Ftypes%2FPersonIdentity".to_owned(),
            (true, true, true),
        ),
        ("type=DrivingLicence".to_owned(), (false, false, false)),
        (format!("issuer={did}&type={SCHEMA}&territory=XA"), (true, false, true)),
    ];
    let mut before = Vec::new();
    for (query, expected) in &queries {
        let (bundle, size) = load(query).await;
        assert_eq!(
            (has(&bundle, &agency), has(&bundle, &other), document(&bundle)),
            *expected,
            "{query}"
        );
        assert!(size <= whole);
        before.push(bundle);
    }
    for epoch in [2, 3] {
        commit(&agency, epoch, &[3, 7]).await;
        commit(&other, epoch, &[9, 11]).await;
    }
    later(&nation).await;
    for ((query, expected), bundle) in queries.iter().zip(&before) {
        let from = bundle.checkpoint().size();
        let delta = nation.get(&format!("/registry/bundle/delta?from={from}&{query}")).await;
        assert_eq!(delta.status, 200, "{query}");
        let (updated, bytes) = bundle.apply(&delta.body, Limits::default()).unwrap();
        assert_eq!(
            bytes,
            nation.get(&format!("/registry/bundle?{query}")).await.body,
            "{query}"
        );
        let found = (has(&updated, &agency), has(&updated, &other), document(&updated));
        assert_eq!(found, *expected, "{query}");
        if expected.0 {
            let list = updated.status_list(&agency.did, &agency.list_uri()).unwrap();
            assert_eq!((list.bits.get(7), list.bits.get(8)), (Some(1), Some(0)));
        }
    }
    for query in ["issuer=a&issuer=a", "from=1", "nation=x", &"type=a&".repeat(200)] {
        assert_eq!(
            nation.get(&format!("/registry/bundle?{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn where_no_delta_begins_the_asker_is_told() {
    let (nation, agency) = Nation::with_issuer().await;
    later(&nation).await;
    let bundle = nation.bundle().await;
    let size = bundle.checkpoint().size();
    let status = async |query: String| nation.get(&format!("/registry/bundle/delta{query}")).await.status;
    assert_eq!(status(format!("?from={size}")).await, 204);
    for (query, expected) in [
        (String::new(), 400),
        ("?from=-1".to_owned(), 400),
        (format!("?from={size}&from={size}"), 400),
        (format!("?from={size}&to=1"), 400),
        ("?from=0".to_owned(), 404),
        ("?from=1".to_owned(), 404),
        (format!("?from={}", size + 1), 404),
        (format!("?from={}", u64::MAX), 404),
    ] {
        assert_eq!(status(query.clone()).await, expected, "{query}");
    }
    // Under the head, and the last leaf is no Snapshot.
    let (leaf, compact) = nation.commitment(&agency, 1, &[3]);
    nation.registry.append(leaf, vec![compact]).await.unwrap();
    assert_eq!(status(format!("?from={}", size + 1)).await, 404);

    nation.clock.advance(8 * DAY - 62);
    let (updated, _) = update(&nation, &bundle).await;
    assert!(updated.checkpoint().size() > size);
    nation.clock.advance(63);
    assert_eq!(status(format!("?from={size}")).await, 410);
}
