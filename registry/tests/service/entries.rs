//! Submission: who may append what, contents, duplicates, sizes, many at once.

use keys::base64url;
use serde_json::json;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::proof::TlogProof;
use trust::state::Projecting;
use trust::state::SnapshotTimes;

use crate::nation::*;

#[tokio::test]
async fn a_status_commitment_reaches_verifiers_with_its_list() {
    let (nation, agency) = Nation::with_issuer().await;
    for (epoch, revoked) in [(1, vec![]), (2, vec![7])] {
        let (leaf, compact) = nation.commitment(&agency, epoch, &revoked);
        let body = json!({"entry": base64url::encode(&leaf), "blobs": [base64url::encode(&compact)]});
        let answer = nation
            .post("/registry/entries", "application/json", body.to_string())
            .await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let proof = TlogProof::parse(std::str::from_utf8(&answer.body).unwrap()).unwrap();
        let state = nation.registry.state();
        proof.verify(&leaf, state.policy().unwrap().witnesses()).unwrap();
        nation.clock.advance(61);
        let bundle = nation.bundle().await;
        let list = bundle.status_list(&agency.did, &agency.list_uri()).unwrap();
        assert_eq!(
            (list.bits.get(7), list.bits.get(8)),
            (Some(u8::from(epoch == 2)), Some(0))
        );
    }
    // The first list's contents stay for deltas, and are gone when no delta begins there any more; the second and the
    // schema's document stay.
    assert_eq!(stored(&nation, "blob/").await, 3);
    // When it came, and when it was replaced.
    assert_eq!(stored(&nation, "replaced/").await, 2);
    nation.clock.advance(9 * DAY);
    nation.registry.refresh(0).await.unwrap();
    assert_eq!(stored(&nation, "blob/").await, 2);
    assert_eq!(stored(&nation, "replaced/").await + stored(&nation, "unused/").await, 0);
}

async fn stored(nation: &Nation, prefix: &str) -> usize {
    let snapshot = nation.store.snapshot().await.unwrap();
    let found = snapshot.prefix(prefix, 10, store::Direction::Forward).await;
    found.unwrap().len()
}

#[tokio::test]
async fn contents_that_are_not_the_entrys_are_refused() {
    let (nation, agency) = Nation::with_issuer().await;
    let (leaf, compact) = nation.commitment(&agency, 1, &[3]);
    let (_, other) = nation.commitment(&agency, 1, &[4]);
    let until = nation.clock.now().plus(DAY);
    let (mut smaller, _) = status_list(&agency, 1, &[3], until);
    smaller.capacity = 3;
    let (mut longer, _) = status_list(&agency, 1, &[3], until);
    longer.compact_length += 1;
    let size = nation.registry.state().size();
    for (leaf, blobs) in [
        (leaf.clone(), vec![]),
        (leaf.clone(), vec![&other]),
        (leaf.clone(), vec![&compact, &other]),
        (nation.commitment_of(&agency, smaller), vec![&compact]),
        (nation.commitment_of(&agency, longer), vec![&compact]),
    ] {
        let blobs: Vec<String> = blobs.into_iter().map(base64url::encode).collect();
        let body = json!({"entry": base64url::encode(&leaf), "blobs": blobs});
        let refused = nation
            .post("/registry/entries", "application/json", body.to_string())
            .await;
        assert_eq!((refused.status, kind(&refused).as_str()), (400, "contents"));
    }
    assert_eq!(nation.registry.state().size(), size);
    nation.registry.append(leaf, vec![compact]).await.unwrap();
}

#[tokio::test]
async fn an_entry_that_is_there_keeps_its_index() {
    let nation = Nation::new().await;
    let agency = Agency::new("population", 20);
    let leaf = nation.did_event(&agency);
    let first = nation.registry.append(leaf.clone(), Vec::new()).await.unwrap();
    let size = nation.registry.state().size();
    let (again, twice) = tokio::join!(
        nation.registry.append(leaf.clone(), Vec::new()),
        nation.registry.append(leaf.clone(), Vec::new())
    );
    assert_eq!((again.unwrap().index, twice.unwrap().index), (first.index, first.index));
    assert_eq!(nation.registry.state().size(), size);
    let nation = nation.restart().await.unwrap();
    assert_eq!(
        nation.registry.append(leaf, Vec::new()).await.unwrap().index,
        first.index
    );
}

#[tokio::test]
async fn a_new_did_is_admitted_by_the_operator_only() {
    let nation = Nation::new().await;
    let agency = Agency::new("population", 20);
    let leaf = nation.did_event(&agency);
    let refused = nation.post("/registry/entries", "application/cbor", leaf.clone()).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (401, "admin-token"));
    assert!(nation.registry.document(&agency.did).is_none());
    let admitted = nation.post_leaf_admin(leaf).await;
    assert_eq!(admitted.status, 200);
    assert!(nation.registry.document(&agency.did).is_some());
    // Its next line is signed by a key that the registry knows.
    let newest = agency.newest(&nation.registry);
    let update = did::webvh::Update {
        document: None,
        parameters: did::webvh::ParameterChanges::default(),
        time: GENESIS.plus(1),
        signer: keys::Signer::public_key(&agency.key),
    };
    let line = agency.key.fulfil(newest.update(update).unwrap()).unwrap().into_bytes();
    let next = nation.registry.did_event(&agency.did, vec![line], None).unwrap();
    assert_eq!(
        nation.post("/registry/entries", "application/cbor", next).await.status,
        200
    );
}

#[tokio::test]
async fn what_is_no_entry_or_not_a_strangers_to_make_is_refused() {
    let nation = Nation::new().await;
    let agency = Agency::new("population", 20);
    let state = nation.registry.state();
    let time = GENESIS.plus(100 * DAY);
    let times = SnapshotTimes {
        time,
        next_update: time.plus(1),
        hard_expiry: time.plus(2),
    };
    let snapshot = state.snapshot(times, Projecting::IfDue).unwrap();
    // The state machine would take it: it is right but for its time, which a witness alone can judge.
    (*state).clone().apply(state.size(), &snapshot).unwrap();
    for (body, status, expected) in [
        (snapshot, 400, "snapshot"),
        (vec![0; 65_536], 413, "too-large"),
        (b"no entry".to_vec(), 400, "malformed"),
        (Vec::new(), 400, "malformed"),
        (vec![0; 5 << 20], 413, "too-large"),
        // The genuine case: this one is there already.
        (genesis(), 200, ""),
    ] {
        let answer = nation.post_leaf_admin(body).await;
        assert_eq!(answer.status, status, "{expected}");
        if status != 200 {
            assert_eq!(kind(&answer), expected);
        }
    }
    let entry = Entry::parse(&nation.did_event(&agency)).unwrap();
    let skipped =
        Entry::without_approval(&agency.did, &agency.did, 1, trust::merkle::Hash::ZERO, entry.body()).unwrap();
    let refused = nation.post("/registry/entries", "application/cbor", skipped).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "refused"));
    let refused = nation.post("/registry/entries", "text/plain", "x").await;
    assert_eq!(refused.status, 415);
    let refused = nation
        .post(
            "/registry/entries",
            "application/json",
            "{\"entry\": \"\", \"entry\": \"\"}",
        )
        .await;
    assert_eq!((refused.status, kind(&refused).as_str()), (400, "malformed"));
    assert_eq!(nation.registry.state().size(), state.size());
}

#[tokio::test]
async fn a_policy_that_this_service_cannot_keep_is_refused() {
    let nation = Nation::new().await;
    let state = nation.registry.state();
    let mut policy = state.policy().unwrap().body().clone();
    policy.genesis_time = None;
    let stranger = trust::note::VerifierKey::new(
        "witness.example",
        trust::note::SignatureType::Cosignature,
        keys::Signer::public_key(&key(50)).clone(),
    );
    policy.witness_policy = policy.witness_policy.replace(
        "quorum state\n",
        &format!(
            "witness other {}\ngroup both all state other\nquorum both\n",
            stranger.unwrap()
        ),
    );
    let draft = nation
        .registry
        .draft(AUTHORITY, LOG_NAME, trust::entry::Body::Policy(policy));
    let leaf = draft.assemble(vec![sign(&draft, 0), sign(&draft, 1)]).unwrap();
    (*state).clone().apply(state.size(), &leaf).unwrap();
    let refused = nation.post_leaf_admin(leaf).await;
    assert_eq!((refused.status, kind(&refused).as_str()), (409, "policy"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_once_are_all_included_once() {
    let nation = Nation::new().await;
    let agencies: Vec<Agency> = (0..100).map(|n| Agency::new(&format!("agency-{n}"), 120 + n)).collect();
    let mut tasks = tokio::task::JoinSet::new();
    for agency in &agencies {
        let (registry, leaf) = (nation.registry.clone(), nation.did_event(agency));
        tasks.spawn(async move { (registry.append(leaf.clone(), Vec::new()).await.unwrap(), leaf) });
    }
    let mut indices = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (appended, leaf) = done.unwrap();
        let proof = TlogProof::parse(&appended.proof).unwrap();
        proof
            .verify(&leaf, nation.registry.state().policy().unwrap().witnesses())
            .unwrap();
        indices.push(appended.index);
    }
    indices.sort_unstable();
    indices.dedup();
    assert_eq!(indices.len(), 100);
    let state = nation.registry.state();
    assert_eq!(state.dids().count(), 100);
    // They shared Snapshots: far fewer than one each.
    let snapshots = state.next_in_chain(EntryType::Snapshot, LOG_NAME).0;
    assert!(snapshots < 50, "{snapshots}");
}
