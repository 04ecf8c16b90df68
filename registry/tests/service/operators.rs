//! Several processes on one store: one writes, the others follow it and take over.

use std::sync::atomic::Ordering;
use std::time::Duration;

use registry::AppendError;
use registry::Operators;
use registry::Registry;
use registry::SealError;
use store::Store;
use trust::proof::TlogProof;

use crate::nation::*;

/// A holder that is gone is noticed after five seconds; the rest is for a busy machine.
const TAKEN_OVER: Duration = Duration::from_secs(10);

/// The other one sees within a fraction of it what one did.
const SEEN: Duration = Duration::from_secs(5);

struct Process {
    registry: Registry,
    switches: Switches,
}

impl Process {
    async fn start(nation: &Store, clock: &server::Clock, number: u8) -> Self {
        let switches = Switches::new();
        let registry = Registry::open(registry::Config {
            operators: Operators::Several { id: [number; 16] },
            snapshot_min_age: 1,
            ..config(nation, clock, &switches)
        });
        Self {
            registry: registry.await.unwrap(),
            switches,
        }
    }

    fn did_event(&self, agency: &Agency) -> Vec<u8> {
        self.registry
            .did_event(&agency.did, vec![agency.first_line.clone()], None)
            .unwrap()
    }

    async fn try_admit(&self, agency: &Agency) -> Result<registry::Appended, AppendError> {
        self.registry.append(self.did_event(agency), Vec::new()).await
    }

    async fn admit(&self, agency: &Agency) -> u64 {
        let leaf = self.did_event(agency);
        let appended = self.registry.append(leaf.clone(), Vec::new()).await.unwrap();
        let policy = self.registry.state();
        TlogProof::parse(&appended.proof)
            .unwrap()
            .verify(&leaf, policy.policy().unwrap().witnesses())
            .unwrap();
        appended.index
    }

    fn signed(&self) -> u64 {
        self.switches.signed.load(Ordering::SeqCst)
    }
}

async fn eventually(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let done = tokio::time::timeout(limit, wait).await;
    assert!(done.is_ok(), "expected {what} within {limit:?}");
}

struct Processes {
    store: Store,
    clock: server::Clock,
    one: Process,
    two: Process,
    folder: tempfile::TempDir,
}

impl Processes {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, clock) = (open_store(&folder).await, server::Clock::manual(GENESIS));
        let one = Process::start(&store, &clock, 1).await;
        let two = Process::start(&store, &clock, 2).await;
        assert!(one.registry.is_sequencer() && !two.registry.is_sequencer());
        Self {
            store,
            clock,
            one,
            two,
            folder,
        }
    }
}

#[tokio::test]
async fn every_process_takes_entries_and_one_signs() {
    let Processes {
        one,
        two,
        clock,
        folder: _kept,
        ..
    } = Processes::new().await;
    assert_eq!(one.registry.checkpoint(), two.registry.checkpoint());
    let (first, second) = (Agency::new("one", 20), Agency::new("two", 21));
    one.admit(&first).await;
    eventually("the entry at the other one", SEEN, || {
        two.registry.document(&first.did).is_some()
    })
    .await;
    let index = two.admit(&second).await;
    assert_eq!(one.registry.checkpoint(), two.registry.checkpoint());
    // The same entry has the same place, whomever one asks.
    let leaf = one.did_event(&second);
    assert!(one.registry.append(leaf, Vec::new()).await.is_err());
    assert_eq!(two.registry.state().digest(), one.registry.state().digest());
    assert!(index < one.registry.state().size());

    // A Snapshot that the other one asks for.
    clock.advance(100);
    let size = one.registry.state().size();
    two.registry.refresh(60).await.unwrap();
    assert_eq!(two.registry.state().size(), size + 1);
    two.registry.refresh(60).await.unwrap();
    assert_eq!(two.registry.state().size(), size + 1);
    clock.advance(100);
    two.registry.tick().await.unwrap();
    assert_eq!(two.registry.state().size(), size + 1);
    assert_eq!(
        two.registry.bundle().await.unwrap(),
        one.registry.bundle().await.unwrap()
    );
    assert_eq!(two.signed(), 0);
}

#[tokio::test]
async fn what_the_sequencer_refuses_is_refused_everywhere_with_the_reason() {
    let Processes {
        one,
        two,
        folder: _kept,
        ..
    } = Processes::new().await;
    let agency = Agency::new("population", 20);
    two.admit(&agency).await;
    let again = two.did_event(&Agency::new("population", 20));
    // The chain of this DID has gone on: another entry of the same place.
    let here = one.registry.append(again.clone(), Vec::new()).await;
    let there = two.registry.append(again, Vec::new()).await;
    let (Err(AppendError::Refused(here)), Err(AppendError::Refused(there))) = (here, there) else {
        panic!("expected refusals");
    };
    assert_eq!(here.to_string(), there.to_string());
}

/// Contents come with the entry, and leave the inbox with it.
#[tokio::test]
async fn contents_find_their_way_through_the_inbox() {
    let (nation, agency) = Nation::with_issuer().await;
    let (folder, clock) = nation.stop().await;
    let store = open_store(&folder).await;
    let one = Process::start(&store, &clock, 1).await;
    // The lease of the process before was not given back.
    eventually("a take-over", TAKEN_OVER, || one.registry.is_sequencer()).await;
    let two = Process::start(&store, &clock, 2).await;
    let (list, compact) = status_list(&agency, 1, &[3], clock.now().plus(DAY));
    let body = trust::entry::Body::StatusCommit(trust::entry::StatusCommitBody {
        lists: vec![list],
        ended: Vec::new(),
    });
    let draft = two.registry.draft(&agency.did, &agency.did, body);
    let request = draft.sign(&format!("{}#key", agency.did), keys::Algorithm::EdDsa);
    let leaf = draft.assemble(vec![agency.key.fulfil(request).unwrap()]).unwrap();
    two.registry.append(leaf, vec![compact]).await.unwrap();
    let bytes = two.registry.bundle().await.unwrap();
    let anchor = trust::Anchor::of_genesis(&genesis()).unwrap();
    let bundle = trust::TrustedBundle::load(&bytes, &anchor, trust::bundle::Limits::default()).unwrap();
    assert!(bundle.status_list(&agency.did, &agency.list_uri()).is_ok());
    let left = store.snapshot().await.unwrap();
    let left = left.prefix("inbox/", 10, store::Direction::Forward).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
    drop((one, two));
}

#[tokio::test]
async fn a_sequencer_that_resigns_is_followed_at_once() {
    let Processes {
        one,
        two,
        folder: _kept,
        ..
    } = Processes::new().await;
    one.admit(&Agency::new("one", 20)).await;
    let (before, began) = (one.signed(), tokio::time::Instant::now());
    one.registry.resign().await.unwrap();
    assert!(!one.registry.is_sequencer());
    two.admit(&Agency::new("two", 21)).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    // It is served as well, and signs nothing.
    one.admit(&Agency::new("three", 22)).await;
    assert_eq!(one.signed(), before);
    assert_eq!(one.registry.checkpoint(), two.registry.checkpoint());
}

#[tokio::test]
async fn a_sequencer_that_is_gone_is_followed_by_the_one_that_others_wait_at() {
    let Processes {
        store,
        clock,
        one,
        two,
        folder: _kept,
    } = Processes::new().await;
    one.admit(&Agency::new("one", 20)).await;
    drop(one);
    let began = tokio::time::Instant::now();
    two.admit(&Agency::new("two", 21)).await;
    assert!(began.elapsed() < TAKEN_OVER, "{:?}", began.elapsed());
    let three = Process::start(&store, &clock, 3).await;
    assert!(two.registry.is_sequencer() && !three.registry.is_sequencer());
    three.admit(&Agency::new("three", 22)).await;
}

/// Whatever a process thinks of itself, its term is looked at in the transaction.
#[tokio::test]
async fn who_lost_the_lease_neither_writes_nor_signs() {
    let Processes {
        store,
        one,
        two: _waits,
        folder: _kept,
        ..
    } = Processes::new().await;
    let (head, signed) = (one.registry.checkpoint(), one.signed());
    let entries = async || {
        let snapshot = store.snapshot().await.unwrap();
        snapshot.get("pending").await.unwrap()
    };
    let before = entries().await;
    usurp(&store).await;
    let failed = one.try_admit(&Agency::new("one", 20)).await;
    assert!(is_not_sequencer(&failed), "{failed:?}");
    assert_eq!(entries().await, before);
    assert_eq!(one.signed(), signed);
    assert_eq!(one.registry.checkpoint(), head);
    eventually("that it notices", SEEN, || !one.registry.is_sequencer()).await;
}

/// The lease is lost while the log signs: its witness does not, and nothing is published.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_after_the_lease_was_lost_is_not_published() {
    let Processes {
        store,
        one,
        two: _waits,
        folder: _kept,
        ..
    } = Processes::new().await;
    let (head, signed) = (one.registry.checkpoint(), one.signed());
    let record = async || store.snapshot().await.unwrap().get("witness/checkpoint").await.unwrap();
    let before = record().await;
    let runtime = tokio::runtime::Handle::current();
    let usurped = store.clone();
    *one.switches.before_log_signs.lock().unwrap() = Some(Box::new(move || {
        tokio::task::block_in_place(|| runtime.block_on(usurp(&usurped)));
    }));
    let failed = one.try_admit(&Agency::new("one", 20)).await;
    assert!(matches!(failed, Err(AppendError::Failed(_))), "{failed:?}");
    // The log's signature, which nobody has seen, and no cosignature.
    assert_eq!(one.signed(), signed + 1);
    assert_eq!(record().await, before);
    assert_eq!(one.registry.checkpoint(), head);
}

/// Witnesses of elsewhere are out of reach: who asks at the other process is told that the entry waits.
#[tokio::test]
async fn an_entry_that_waits_for_witnesses_is_told_to_wait_everywhere() {
    let Processes {
        one,
        two,
        folder: _kept,
        ..
    } = Processes::new().await;
    let leaf = two.did_event(&Agency::new("one", 20));
    one.switches.witness_works.store(false, Ordering::SeqCst);
    let waits = two.registry.append(leaf.clone(), Vec::new()).await;
    let Err(AppendError::Pending { index, .. }) = waits else {
        panic!("expected an entry that waits, found {waits:?}");
    };
    one.switches.witness_works.store(true, Ordering::SeqCst);
    assert_eq!(two.registry.append(leaf, Vec::new()).await.unwrap().index, index);
}

/// Another process takes the term, whatever the lease says.
async fn usurp(store: &Store) {
    let tx = store.begin().await.unwrap();
    tx.put("lease/term", [9_u8; 24]).unwrap();
    tx.commit().await.unwrap();
}

fn is_not_sequencer<T>(result: &Result<T, AppendError>) -> bool {
    let Err(AppendError::Failed(error)) = result else {
        return false;
    };
    matches!(**error, SealError::NotSequencer)
}
