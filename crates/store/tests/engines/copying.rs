//! A copy has everything, whatever the two engines.

use store::CopyError;
use store::Direction;
use store::Entry;
use store::MAX_VALUE_BYTES;
use store::Store;
use store::copy;

use crate::place::Place;

#[tokio::test]
async fn copy_from_fjall_to_fjall_is_whole() {
    check(Place::embedded("fjall"), Place::embedded("fjall")).await;
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn copies_between_fjall_and_sled_are_whole() {
    check(Place::embedded("fjall"), Place::embedded("sled")).await;
    check(Place::embedded("sled"), Place::embedded("fjall")).await;
}

#[tokio::test]
async fn copies_between_fjall_and_postgres_are_whole() {
    if let Some(postgres) = Place::postgres("copy_to").await {
        check(Place::embedded("fjall"), postgres).await;
    }
    if let Some(postgres) = Place::postgres("copy_from").await {
        check(postgres, Place::embedded("fjall")).await;
    }
}

#[tokio::test]
async fn store_with_entries_is_not_copied_over() {
    let (from, to) = (Place::embedded("fjall"), Place::embedded("fjall"));
    let (from, to) = (from.open().await, to.open().await);
    let tx = to.begin().await.unwrap();
    tx.put("already", "here").unwrap();
    tx.commit().await.unwrap();
    let refused = copy(&from, &to, |_| ()).await;
    assert!(matches!(refused, Err(CopyError::NotEmpty)));
}

async fn check(from: Place, to: Place) {
    let (from, to) = (from.open().await, to.open().await);
    let tx = from.begin().await.unwrap();
    for number in 0..2_500 {
        tx.put(format!("small/{number}"), number.to_string()).unwrap();
    }
    tx.commit().await.unwrap();
    for number in 0..9 {
        let tx = from.begin().await.unwrap();
        tx.put(format!("large/{number}"), vec![number; MAX_VALUE_BYTES])
            .unwrap();
        tx.put([0xff, number], []).unwrap();
        tx.commit().await.unwrap();
    }

    let mut calls = 0;
    let done = copy(&from, &to, |_| calls += 1).await.unwrap();
    assert_eq!(done.entries, 2_518);
    assert!(calls > 5, "found only {calls} transactions");
    assert_eq!(entries(&from).await, entries(&to).await);
}

async fn entries(store: &Store) -> Vec<Entry> {
    let snapshot = store.snapshot().await.unwrap();
    let mut entries = Vec::new();
    for prefix in ["large/0", "large/8", "small/"] {
        entries.extend(snapshot.prefix(prefix, 5_000, Direction::Forward).await.unwrap());
    }
    entries.extend(snapshot.prefix([0xff], 100, Direction::Forward).await.unwrap());
    entries
}
