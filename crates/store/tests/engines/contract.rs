//! What every engine must do, tested against each of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use store::CommitError;
use store::Direction;
use store::Entry;
use store::Keyspace;
use store::MAX_KEY_BYTES;
use store::MAX_TRANSACTION_BYTES;
use store::MAX_VALUE_BYTES;
use store::Store;
use store::StoreError;

use crate::place::Numbers;
use crate::place::Place;

/// Runs each test on each engine.
macro_rules! contract {
    ($($test:ident),* $(,)?) => {
        mod fjall {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Place::embedded("fjall")).await;
            })*
        }

        #[cfg(feature = "sled")]
        mod sled {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(Place::embedded("sled")).await;
            })*
        }

        mod postgres {
            use super::*;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(place) = Place::postgres(stringify!($test)).await {
                    super::$test(place).await;
                }
            })*
        }
    };
}

contract!(
    all_or_nothing_is_written,
    bytes_order_the_keys,
    closed_store_refuses,
    concurrent_increments_all_count,
    engine_behaves_like_a_map,
    large_scans_are_refused_not_cut,
    lost_update_conflicts,
    nonce_is_used_once,
    own_writes_are_read,
    phantom_conflicts,
    reads_alone_do_not_conflict,
    reopened_store_has_everything,
    rooms_are_apart,
    sizes_are_limited,
    snapshot_stays_while_others_write,
    state_is_fixed_at_the_beginning,
    unrelated_writes_do_not_conflict,
    write_skew_conflicts,
);

async fn all_or_nothing_is_written(place: Place) {
    let store = place.open().await;
    let given_up = store.begin().await.unwrap();
    given_up.put("a", "1").unwrap();
    drop(given_up);
    assert_eq!(get(&store, "a").await, None);

    let kept = store.begin().await.unwrap();
    kept.put("a", "1").unwrap();
    kept.put("b", "2").unwrap();
    assert_eq!(get(&store, "a").await, None, "not before the commit");
    kept.commit().await.unwrap();
    assert_eq!(get(&store, "a").await, Some(b"1".to_vec()));
    assert_eq!(get(&store, "b").await, Some(b"2".to_vec()));

    let change = store.begin().await.unwrap();
    change.delete("a").unwrap();
    change.delete("never there").unwrap();
    change.put("b", "3").unwrap();
    change.commit().await.unwrap();
    assert_eq!(all(&store).await, [entry("b", "3")]);
}

async fn bytes_order_the_keys(place: Place) {
    let store = place.open().await;
    let keys: [&[u8]; 8] = [b"\0", b"\0\0", b"A", b"Z", b"a", b"a\0", b"\x80", b"\xff\xff"];
    let tx = store.begin().await.unwrap();
    for key in keys.iter().rev() {
        tx.put(key, *key).unwrap();
    }
    tx.commit().await.unwrap();

    let snapshot = store.snapshot().await.unwrap();
    let scan = async |direction, limit| {
        let found = snapshot.range::<&[u8]>(.., limit, direction).await.unwrap();
        found.into_iter().map(|entry| entry.key).collect::<Vec<_>>()
    };
    assert_eq!(scan(Direction::Forward, 100).await, keys);
    assert_eq!(scan(Direction::Forward, 3).await, keys[..3]);
    let mut reversed = keys;
    reversed.reverse();
    assert_eq!(scan(Direction::Reverse, 100).await, reversed);
    assert_eq!(scan(Direction::Reverse, 2).await, reversed[..2]);
    assert_eq!(scan(Direction::Forward, 0).await, Vec::<Vec<u8>>::new());

    let part = snapshot.range("A".."a", 10, Direction::Reverse).await.unwrap();
    assert_eq!(part, [entry("Z", "Z"), entry("A", "A")]);
    let part = snapshot.range("a"..="a", 10, Direction::Forward).await.unwrap();
    assert_eq!(part, [entry("a", "a")]);
    let backward = snapshot.range("b".."a", 10, Direction::Forward).await.unwrap();
    assert_eq!(backward, []);
    let prefix = snapshot.prefix(b"\xff", 10, Direction::Forward).await.unwrap();
    assert_eq!(prefix.len(), 1);
}

async fn lost_update_conflicts(place: Place) {
    let store = place.open().await;
    put(&store, "balance", "10").await;
    let (first, second) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    first.get("balance").await.unwrap();
    second.get("balance").await.unwrap();
    first.put("balance", "11").unwrap();
    second.put("balance", "12").unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(CommitError::Conflict)));
    assert_eq!(get(&store, "balance").await, Some(b"11".to_vec()));
}

async fn write_skew_conflicts(place: Place) {
    let store = place.open().await;
    put(&store, "officer/a", "on duty").await;
    put(&store, "officer/b", "on duty").await;
    let (first, second) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    for tx in [&first, &second] {
        tx.get("officer/a").await.unwrap();
        tx.get("officer/b").await.unwrap();
    }
    first.put("officer/a", "off").unwrap();
    second.put("officer/b", "off").unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(CommitError::Conflict)));
}

async fn phantom_conflicts(place: Place) {
    let store = place.open().await;
    put(&store, "vote/1", "yes").await;
    // Once reading the range empty-handed, once finding something, once backward.
    for (prefix, direction) in [
        ("none/", Direction::Forward),
        ("vote/", Direction::Forward),
        ("vote/", Direction::Reverse),
    ] {
        let (first, second) = (store.begin().await.unwrap(), store.begin().await.unwrap());
        first.prefix(prefix, 10, direction).await.unwrap();
        second.prefix(prefix, 10, direction).await.unwrap();
        first.put(format!("{prefix}2{direction:?}"), "yes").unwrap();
        second.put(format!("{prefix}3{direction:?}"), "yes").unwrap();
        first.commit().await.unwrap();
        let result = second.commit().await;
        assert!(matches!(result, Err(CommitError::Conflict)), "{prefix} {direction:?}");
    }
    // A deletion changes a range as well.
    let (first, second) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    second.prefix("vote/", 10, Direction::Forward).await.unwrap();
    second.put("count", "many").unwrap();
    first.delete("vote/1").unwrap();
    first.get("count").await.unwrap();
    first.commit().await.unwrap();
    assert!(matches!(second.commit().await, Err(CommitError::Conflict)));
}

async fn unrelated_writes_do_not_conflict(place: Place) {
    if !place.is_embedded() {
        return;
    }
    let store = place.open().await;
    for key in ["a", "b", "c", "d"] {
        put(&store, key, "1").await;
    }
    let tx = store.begin().await.unwrap();
    tx.get("a").await.unwrap();
    // The limit was met at "b": "c" and "d" were not seen.
    tx.range("a".."z", 2, Direction::Forward).await.unwrap();
    put(&store, "c", "2").await;
    put(&store, "bb", "2").await;
    tx.put("mine", "1").unwrap();
    tx.commit().await.unwrap();

    let tx = store.begin().await.unwrap();
    tx.range("a".."z", 1, Direction::Reverse).await.unwrap();
    put(&store, "d", "2").await;
    tx.put("mine", "2").unwrap();
    tx.commit().await.unwrap();

    let tx = store.begin().await.unwrap();
    tx.range("a"..="b", 9, Direction::Forward).await.unwrap();
    put(&store, "aa", "new").await;
    tx.put("mine", "3").unwrap();
    assert!(matches!(tx.commit().await, Err(CommitError::Conflict)));
}

async fn reads_alone_do_not_conflict(place: Place) {
    let store = place.open().await;
    put(&store, "a", "1").await;
    let reader = store.begin().await.unwrap();
    assert_eq!(reader.get("a").await.unwrap(), Some(b"1".to_vec()));
    put(&store, "a", "2").await;
    assert_eq!(reader.get("a").await.unwrap(), Some(b"1".to_vec()));
    reader.commit().await.unwrap();
}

async fn own_writes_are_read(place: Place) {
    let store = place.open().await;
    for key in ["a", "b", "c", "d"] {
        put(&store, key, "stored").await;
    }
    let tx = store.begin().await.unwrap();
    tx.delete("b").unwrap();
    tx.put("c", "own").unwrap();
    tx.put("bb", "own").unwrap();
    tx.put("z", "own").unwrap();
    assert_eq!(tx.get("b").await.unwrap(), None);
    assert_eq!(tx.get("c").await.unwrap(), Some(b"own".to_vec()));
    let expected = [
        entry("a", "stored"),
        entry("bb", "own"),
        entry("c", "own"),
        entry("d", "stored"),
        entry("z", "own"),
    ];
    for limit in 0..=6 {
        let found = tx.prefix("", limit, Direction::Forward).await.unwrap();
        assert_eq!(found, expected[..limit.min(5)], "limit {limit}");
        let found = tx.prefix("", limit, Direction::Reverse).await.unwrap();
        let reversed: Vec<_> = expected.iter().rev().take(limit).cloned().collect();
        assert_eq!(found, reversed, "limit {limit}, reverse");
    }
    tx.commit().await.unwrap();
    assert_eq!(all(&store).await, expected);
}

async fn snapshot_stays_while_others_write(place: Place) {
    let store = place.open().await;
    for number in 0..50 {
        put(&store, &format!("key/{number:02}"), "old").await;
    }
    let before = all(&store).await;
    let snapshot = store.snapshot().await.unwrap();
    for number in 0..50 {
        let tx = store.begin().await.unwrap();
        if number % 3 == 0 {
            tx.delete(format!("key/{number:02}")).unwrap();
        } else {
            tx.put(format!("key/{number:02}"), "new").unwrap();
        }
        tx.put(format!("key/{number:02}x"), "added").unwrap();
        tx.commit().await.unwrap();
        // A second, younger snapshot keeps its own state as well.
        let now = all(&store).await;
        assert!(now.contains(&entry(&format!("key/{number:02}x"), "added")));
    }
    for direction in [Direction::Forward, Direction::Reverse] {
        let mut seen = snapshot.prefix("key/", 1_000, direction).await.unwrap();
        if direction == Direction::Reverse {
            seen.reverse();
        }
        assert_eq!(seen, before);
    }
    assert_eq!(snapshot.get("key/00").await.unwrap(), Some(b"old".to_vec()));
    assert_eq!(snapshot.get("key/01").await.unwrap(), Some(b"old".to_vec()));
    assert_eq!(snapshot.get("key/01x").await.unwrap(), None);
    let part = snapshot.range("key/03".."key/06", 2, Direction::Reverse).await.unwrap();
    assert_eq!(part, [entry("key/05", "old"), entry("key/04", "old")]);
    drop(snapshot);
    assert_eq!(get(&store, "key/00").await, None);
}

async fn state_is_fixed_at_the_beginning(place: Place) {
    let store = place.open().await;
    let tx = store.begin().await.unwrap();
    put(&store, "a", "late").await;
    assert_eq!(tx.get("a").await.unwrap(), None);
    tx.put("b", "because there was no a").unwrap();
    let result = tx.commit().await;
    // PostgreSQL may put it before the other one, which did not see it either.
    if place.is_embedded() {
        assert!(matches!(result, Err(CommitError::Conflict)));
    }
}

async fn concurrent_increments_all_count(place: Place) {
    const TASKS: usize = 16;
    const EACH: usize = 10;
    let store = place.open().await;
    let attempts = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, attempts) = (store.clone(), attempts.clone());
            tokio::spawn(async move {
                let attempts = &attempts;
                for _ in 0..EACH {
                    store
                        .transact(|tx| async move {
                            attempts.fetch_add(1, Ordering::Relaxed);
                            let count = tx.get("count").await?;
                            let count: usize =
                                count.map_or(0, |text| String::from_utf8(text).unwrap().parse().unwrap());
                            tx.put("count", (count + 1).to_string())?;
                            Ok::<_, CommitError>(())
                        })
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let expected = (TASKS * EACH).to_string().into_bytes();
    assert_eq!(get(&store, "count").await, Some(expected));
    assert!(
        attempts.load(Ordering::Relaxed) > TASKS * EACH,
        "nothing ever conflicted"
    );
}

async fn nonce_is_used_once(place: Place) {
    let store = place.open().await;
    put(&store, "nonce", "fresh").await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let use_nonce = store.transact(|tx| async move {
                    let is_fresh = tx.get("nonce").await?.is_some();
                    tx.delete("nonce")?;
                    Ok::<_, CommitError>(is_fresh)
                });
                use_nonce.await.unwrap()
            })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += usize::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
}

async fn reopened_store_has_everything(place: Place) {
    for round in 0..4 {
        let store = place.open().await;
        for earlier in 0..round {
            let found = get(&store, &format!("round/{earlier}")).await;
            assert_eq!(found, Some(b"kept".to_vec()), "round {round}");
        }
        put(&store, &format!("round/{round}"), "kept").await;
        put(&store, "last", &round.to_string()).await;
        if round % 2 == 0 {
            store.close().await;
        }
    }
    let store = place.open().await;
    assert_eq!(get(&store, "last").await, Some(b"3".to_vec()));
}

async fn closed_store_refuses(place: Place) {
    let store = place.open().await;
    let clone = store.clone();
    let open = store.begin().await.unwrap();
    open.put("a", "1").unwrap();
    clone.check().await.unwrap();
    store.close().await;
    assert!(matches!(clone.check().await, Err(StoreError::Closed)));
    assert!(matches!(clone.begin().await, Err(StoreError::Closed)));
    assert!(matches!(clone.snapshot().await, Err(StoreError::Closed)));
    assert!(matches!(open.get("b").await, Err(StoreError::Closed)));
    assert!(matches!(
        open.commit().await,
        Err(CommitError::Refused(StoreError::Closed))
    ));
    let reopened = place.open().await;
    assert_eq!(get(&reopened, "a").await, None);
}

async fn rooms_are_apart(place: Place) {
    let store = place.open().await;
    let issuer = store.room(&Keyspace::new("issuer/").unwrap());
    let registry = store.room(&Keyspace::new("registry/").unwrap());
    put(&issuer, "a", "issuer's").await;
    put(&registry, "a", "registry's").await;
    put(&store, "issuer0", "behind the room").await;
    assert_eq!(get(&issuer, "a").await, Some(b"issuer's".to_vec()));
    assert_eq!(all(&issuer).await, [entry("a", "issuer's")]);
    assert_eq!(get(&issuer, "0").await, None);
    let nested = issuer.room(&Keyspace::new("nonce/").unwrap());
    put(&nested, "n", "1").await;
    let keys: Vec<_> = all(&store).await.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, [&b"issuer/a"[..], b"issuer/nonce/n", b"issuer0", b"registry/a"]);
}

async fn sizes_are_limited(place: Place) {
    let store = place.open().await;
    let tx = store.begin().await.unwrap();
    let longest = vec![0xff; MAX_KEY_BYTES];
    tx.put(&longest, "v").unwrap();
    tx.put("large", vec![7; MAX_VALUE_BYTES]).unwrap();
    let too_long = vec![b'k'; MAX_KEY_BYTES + 1];
    assert!(matches!(tx.put(&too_long, "v"), Err(StoreError::KeySize { .. })));
    // What cannot be written is not there.
    assert_eq!(tx.get(&too_long).await.unwrap(), None);
    assert_eq!(tx.get("").await.unwrap(), None);
    assert_eq!(get(&store, std::str::from_utf8(&too_long).unwrap()).await, None);
    assert!(matches!(tx.put("", "v"), Err(StoreError::KeySize { found: 0 })));
    assert!(matches!(
        tx.put("k", vec![0; MAX_VALUE_BYTES + 1]),
        Err(StoreError::ValueSize { .. })
    ));
    tx.commit().await.unwrap();
    assert_eq!(get(&store, "large").await, Some(vec![7; MAX_VALUE_BYTES]));
    let snapshot = store.snapshot().await.unwrap();
    let last = snapshot.prefix("", 1, Direction::Reverse).await.unwrap();
    assert_eq!(last[0].key, longest);

    let tx = store.begin().await.unwrap();
    let mut written = 0;
    let refused = loop {
        match tx.put(format!("k{written}"), vec![0; MAX_VALUE_BYTES]) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::TransactionSize { .. }));
    assert_eq!(written, MAX_TRANSACTION_BYTES / MAX_VALUE_BYTES - 1);
    // Replacing is not adding.
    for _ in 0..9 {
        tx.put("k0", vec![1; MAX_VALUE_BYTES]).unwrap();
    }
}

async fn large_scans_are_refused_not_cut(place: Place) {
    let store = place.open().await;
    for number in 0..9 {
        put(&store, &format!("large/{number}"), "").await;
        let tx = store.begin().await.unwrap();
        tx.put(format!("large/{number}"), vec![number; MAX_VALUE_BYTES])
            .unwrap();
        tx.commit().await.unwrap();
    }
    let snapshot = store.snapshot().await.unwrap();
    let some = snapshot.prefix("large/", 7, Direction::Forward).await.unwrap();
    assert_eq!(some.len(), 7);
    assert!(matches!(
        snapshot.prefix("large/", 9, Direction::Forward).await,
        Err(StoreError::ScanSize)
    ));
}

/// Random transactions against a `BTreeMap`, with a reopening now and then.
async fn engine_behaves_like_a_map(place: Place) {
    let mut numbers = Numbers(7);
    let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut store = place.open().await;
    for step in 0..200 {
        let tx = store.begin().await.unwrap();
        let mut changed = model.clone();
        for _ in 0..numbers.below(6) {
            let key = random_key(&mut numbers);
            if numbers.below(3) == 0 {
                tx.delete(&key).unwrap();
                changed.remove(&key);
            } else {
                let value = vec![b'v'; usize::try_from(numbers.below(40)).unwrap()];
                tx.put(&key, value.clone()).unwrap();
                changed.insert(key, value);
            }
        }
        let (a, b) = (random_key(&mut numbers), random_key(&mut numbers));
        let limit = usize::try_from(numbers.below(30)).unwrap();
        let expected: Vec<_> = changed
            .iter()
            .filter(|(key, _)| **key >= a && **key < b)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let found = tx.range(&a[..]..&b[..], limit, Direction::Forward).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|e| (e.key, e.value)).collect();
        assert_eq!(found, expected[..limit.min(expected.len())], "step {step}");
        let found = tx.range(&a[..]..&b[..], limit, Direction::Reverse).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|e| (e.key, e.value)).collect();
        let reversed: Vec<_> = expected.into_iter().rev().take(limit).collect();
        assert_eq!(found, reversed, "step {step}");
        if numbers.below(4) > 0 {
            tx.commit().await.unwrap();
            model = changed;
        } else {
            drop(tx);
        }
        if step % 50 == 49 {
            store.close().await;
            store = place.open().await;
        }
    }
    let found: BTreeMap<_, _> = all(&store).await.into_iter().map(|e| (e.key, e.value)).collect();
    assert_eq!(found, model);
    assert!(model.len() > 20, "the test wrote too little");
}

fn random_key(numbers: &mut Numbers) -> Vec<u8> {
    let letters = [b'a', b'b', b'c', 0x00, 0xff];
    (0..=numbers.below(3))
        .map(|_| letters[usize::try_from(numbers.below(5)).unwrap()])
        .collect()
}

fn entry(key: &str, value: &str) -> Entry {
    Entry::new(key, value)
}

async fn put(store: &Store, key: &str, value: &str) {
    let tx = store.begin().await.unwrap();
    tx.put(key, value).unwrap();
    tx.commit().await.unwrap();
}

async fn get(store: &Store, key: &str) -> Option<Vec<u8>> {
    store.snapshot().await.unwrap().get(key).await.unwrap()
}

async fn all(store: &Store) -> Vec<Entry> {
    let snapshot = store.snapshot().await.unwrap();
    snapshot.prefix("", 10_000, Direction::Forward).await.unwrap()
}
