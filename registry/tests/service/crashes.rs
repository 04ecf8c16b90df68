//! Restarts and crashes between any two steps: nothing acknowledged is lost, and no fork is ever signed.

use std::sync::atomic::Ordering;

use registry::AppendError;
use registry::OpenError;
use registry::WitnessError;
use store::Direction;
use trust::checkpoint::SignedCheckpoint;
use trust::proof::TlogProof;
use trust::witness::WitnessRefusal;

use crate::nation::*;

async fn value(nation: &Nation, key: &str) -> Vec<u8> {
    nation.store.snapshot().await.unwrap().get(key).await.unwrap().unwrap()
}

/// Changes the store behind the service's back.
async fn write(folder: &tempfile::TempDir, changes: &[(&[u8], Option<&[u8]>)]) {
    let store = open_store(folder).await;
    let tx = store.begin().await.unwrap();
    for (key, value) in changes {
        match value {
            Some(value) => tx.put(key, *value).unwrap(),
            None => tx.delete(key).unwrap(),
        }
    }
    tx.commit().await.unwrap();
    store.close().await;
}

fn expect_failure(result: Result<Nation, OpenError>) -> OpenError {
    match result {
        Ok(_) => panic!("expected a refusal to open"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_restart_continues_the_same_tree() {
    let (nation, agency) = Nation::with_issuer().await;
    let before = nation.registry.state();
    let bundle = nation.bundle().await;
    let nation = nation.restart().await.unwrap();
    assert_eq!(nation.registry.state().size(), before.size());
    assert_eq!(nation.registry.state().digest(), before.digest());
    assert!(nation.registry.document(&agency.did).is_some());
    let (leaf, compact) = nation.commitment(&agency, 1, &[]);
    nation.registry.append(leaf, vec![compact]).await.unwrap();
    nation.bundle().await.newer_than(&bundle).unwrap();
}

/// Between the commit of the entries and the cosignature: the witness's key fails after its record is saved.
#[tokio::test]
async fn what_was_not_cosigned_is_neither_published_nor_lost() {
    for (downtime, goes_on_running) in [(0, true), (0, false), (10 * DAY, false)] {
        let nation = Nation::new().await;
        let agency = Agency::new("population", 20);
        let leaf = nation.did_event(&agency);
        let (published, size) = (nation.registry.checkpoint(), nation.registry.state().size());
        let record = value(&nation, "witness/checkpoint").await;
        nation.switches.witness_works.store(false, Ordering::SeqCst);
        let failed = nation.registry.append(leaf.clone(), Vec::new()).await;
        assert!(matches!(failed, Err(AppendError::Failed(_))));
        // The witness had agreed, and remembers it although it did not sign.
        assert_ne!(value(&nation, "witness/checkpoint").await, record);
        assert_eq!(nation.post_leaf_admin(leaf.clone()).await.status, 503);
        assert_eq!(nation.registry.checkpoint(), published);
        assert!(nation.registry.document(&agency.did).is_none());
        let nation = if goes_on_running {
            nation.switches.witness_works.store(true, Ordering::SeqCst);
            nation
        } else {
            let (folder, clock) = nation.stop().await;
            clock.advance(downtime);
            let nation = Nation::at(folder, clock).await.unwrap();
            assert!(nation.registry.document(&agency.did).is_some());
            nation
        };
        // Whoever sends it again gets the place that it has had since.
        let appended = nation.registry.append(leaf.clone(), Vec::new()).await.unwrap();
        assert_eq!(appended.index, size);
        let proof = TlogProof::parse(&appended.proof).unwrap();
        proof
            .verify(&leaf, nation.registry.state().policy().unwrap().witnesses())
            .unwrap();
        nation.bundle().await;
    }
}

#[tokio::test]
async fn nothing_is_signed_that_is_not_durable() {
    let nation = Nation::new().await;
    let agency = Agency::new("population", 20);
    let signed = nation.switches.signed.load(Ordering::SeqCst);
    // Genesis and first Snapshot: once by the log, once by the witness.
    assert_eq!(signed, 2);
    let leaf = nation.did_event(&agency);
    nation.store.close().await;
    assert!(nation.registry.append(leaf, Vec::new()).await.is_err());
    assert!(nation.registry.refresh(0).await.is_err());
    assert_eq!(nation.switches.signed.load(Ordering::SeqCst), signed);
    assert_eq!(nation.get("/registry/bundle").await.status, 500);
}

/// After the commit of the entries, before the witness has seen anything.
#[tokio::test]
async fn entries_without_a_signature_are_finished_at_the_next_start() {
    let nation = Nation::new().await;
    let old_head = value(&nation, "head").await;
    let old_record = value(&nation, "witness/checkpoint").await;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    let (folder, clock) = nation.stop().await;
    write(
        &folder,
        &[(b"head", Some(&old_head)), (b"witness/checkpoint", Some(&old_record))],
    )
    .await;
    let nation = Nation::at(folder, clock).await.unwrap();
    assert!(nation.registry.document(&agency.did).is_some());
    nation.bundle().await;
}

/// After the witness's record, before the head is saved.
#[tokio::test]
async fn a_cosigned_checkpoint_is_finished_at_the_next_start() {
    let nation = Nation::new().await;
    let old_head = value(&nation, "head").await;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    let (folder, clock) = nation.stop().await;
    write(&folder, &[(b"head", Some(&old_head))]).await;
    let nation = Nation::at(folder, clock).await.unwrap();
    assert!(nation.registry.document(&agency.did).is_some());
    nation.bundle().await;
}

/// The first start died before its first checkpoint was published.
#[tokio::test]
async fn a_genesis_that_was_not_published_is_finished_at_the_next_start() {
    let (folder, clock) = Nation::new().await.stop().await;
    write(&folder, &[(b"head", None), (b"witness/checkpoint", None)]).await;
    let nation = Nation::at(folder, clock).await.unwrap();
    assert_eq!(nation.registry.state().size(), 3);
    nation.bundle().await;
}

#[tokio::test]
async fn a_log_that_was_rolled_back_does_not_open() {
    let nation = Nation::new().await;
    let (old_head, old_pending) = (value(&nation, "head").await, value(&nation, "pending").await);
    nation.admit(&Agency::new("population", 20)).await;
    let (folder, clock) = nation.stop().await;
    write(&folder, &[(b"head", Some(&old_head)), (b"pending", Some(&old_pending))]).await;
    let error = expect_failure(Nation::at(folder, clock).await);
    assert!(
        matches!(
            error,
            OpenError::Witness(WitnessError::Rollback { expected: 4, found: 2 })
        ),
        "{error:?}"
    );
}

/// The log's own files are changed consistently, with its own key: the witness still knows better.
#[tokio::test]
async fn a_fork_is_not_cosigned() {
    let trunk = Nation::new().await;
    trunk.admit(&Agency::new("population", 20)).await;
    let record = value(&trunk, "witness/checkpoint").await;
    drop(trunk.stop().await);
    // Another history of the same length, by the same keys.
    let fork = Nation::new().await;
    fork.admit(&Agency::new("usurper", 21)).await;
    let (folder, clock) = fork.stop().await;
    write(&folder, &[(b"witness/checkpoint", Some(&record))]).await;
    let error = expect_failure(Nation::at(folder, clock).await);
    let is_fork = |error: &OpenError| {
        matches!(
            error,
            OpenError::Witness(WitnessError::Refused(WitnessRefusal::Fork { .. }))
        )
    };
    assert!(is_fork(&error), "{error:?}");
}

#[tokio::test]
async fn a_changed_or_missing_entry_is_found() {
    let nation = Nation::new().await;
    nation.admit(&Agency::new("population", 20)).await;
    let other = nation.did_event(&Agency::new("usurper", 21));
    let entry = nation
        .store
        .snapshot()
        .await
        .unwrap()
        .prefix("entry/", 3, Direction::Forward)
        .await
        .unwrap()[2]
        .clone();
    let (folder, clock) = nation.stop().await;
    write(&folder, &[(&entry.key, Some(&other))]).await;
    assert!(matches!(
        expect_failure(Nation::at(folder, clock).await),
        OpenError::Entry { index: 3, .. }
    ));

    let nation = Nation::new().await;
    nation.admit(&Agency::new("population", 20)).await;
    let (folder, clock) = nation.stop().await;
    write(&folder, &[(&entry.key, None)]).await;
    assert!(matches!(
        expect_failure(Nation::at(folder, clock).await),
        OpenError::Store(_)
    ));
}

#[tokio::test]
async fn a_clock_that_runs_away_stops_the_witness_and_nothing_else() {
    let nation = Nation::new().await;
    nation.clock.advance(-400);
    // Snapshots never go back, so this one is 400 seconds ahead of the witness's clock.
    let refused = nation.registry.refresh(-1_000).await;
    assert!(matches!(refused, Err(AppendError::Failed(_))));
    assert_eq!(nation.registry.state().size(), 2);
    nation.bundle().await;
    nation.clock.advance(400);
    nation.registry.refresh(0).await.unwrap();
    // What waited for the witness is published as it is.
    let checkpoint = SignedCheckpoint::parse(nation.registry.checkpoint().as_bytes()).unwrap();
    assert_eq!(checkpoint.unverified().size(), 3);
}

/// The last signature is saved, the log fails: the next tick appends, with no further approval.
#[tokio::test]
async fn an_approved_proposal_is_appended_later() {
    let nation = Nation::new().await;
    let (id, draft) = nation.propose(schema_json()).await;
    nation.approve(&id, &sign(&draft, 0)).await;
    nation.switches.witness_works.store(false, Ordering::SeqCst);
    assert_eq!(nation.approve(&id, &sign(&draft, 1)).await.status, 503);
    assert_eq!(
        json_of(&nation.get(&format!("/registry/proposals/{id}")).await)["state"],
        "open"
    );
    nation.switches.witness_works.store(true, Ordering::SeqCst);
    nation.registry.tick().await.unwrap();
    assert_eq!(
        json_of(&nation.get(&format!("/registry/proposals/{id}")).await)["state"],
        "appended"
    );
    assert!(nation.registry.state().schema(SCHEMA).is_some());
}

#[tokio::test]
async fn a_log_begins_with_its_own_genesis_only() {
    let nation = Nation::new().await;
    let (folder, clock) = nation.stop().await;
    let works = Switches::new();
    let store = open_store(&folder).await;
    let mut other = config(&store, &clock, &works);
    let last = other.genesis.as_ref().unwrap().len() - 1;
    other.genesis.as_mut().unwrap()[last] ^= 1;
    assert!(matches!(
        registry::Registry::open(other).await.err(),
        Some(OpenError::OtherGenesis)
    ));
    let mut other = config(&store, &clock, &works);
    other.log_key = std::sync::Arc::new(key(101));
    assert!(matches!(
        registry::Registry::open(other).await.err(),
        Some(OpenError::Keys)
    ));
    let mut other = config(&store, &clock, &works);
    other.witness_key = std::sync::Arc::new(key(111));
    assert!(matches!(
        registry::Registry::open(other).await.err(),
        Some(OpenError::Keys)
    ));
    let mut none = config(&store, &clock, &works);
    none.genesis = None;
    registry::Registry::open(none).await.unwrap();

    let empty = tempfile::tempdir().unwrap();
    let empty = open_store(&empty).await;
    let mut none = config(&empty, &clock, &works);
    none.genesis = None;
    assert!(matches!(
        registry::Registry::open(none).await.err(),
        Some(OpenError::NoGenesis)
    ));
    let mut broken = config(&empty, &clock, &works);
    broken.genesis.as_mut().unwrap()[last] ^= 1;
    assert!(matches!(
        registry::Registry::open(broken).await.err(),
        Some(OpenError::Entry { index: 0, .. })
    ));
}
