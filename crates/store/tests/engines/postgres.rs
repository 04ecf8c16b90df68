//! What only PostgreSQL can do wrong: its settings, its tables, its connections.

use store::CommitError;
use store::FormatError;
use store::OpenError;
use store::Store;
use store::StoreUrl;

use crate::place::Place;

#[tokio::test]
async fn server_that_acknowledges_before_it_syncs_is_refused() {
    let Some(place) = Place::postgres("unsafe_setting").await else {
        return;
    };
    place.open().await.close().await;
    for value in ["off", "local", "remote_write"] {
        let url = format!("{}%20-csynchronous_commit%3D{value}", place.url);
        let refused = Store::open(&StoreUrl::parse(&url).unwrap()).await;
        assert!(
            matches!(
                &refused,
                Err(OpenError::UnsafeSetting { setting: "synchronous_commit", found, .. }) if found == value
            ),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn tables_of_a_newer_format_are_refused() {
    let Some(place) = Place::postgres("newer_format").await else {
        return;
    };
    place.open().await.close().await;
    place.sql("UPDATE attestry_format SET version = 2").await;
    let refused = Store::open(&StoreUrl::parse(&place.url).unwrap()).await;
    assert!(
        matches!(refused, Err(OpenError::Format(FormatError::TooNew { found: 2, .. }))),
        "{refused:?}"
    );
    place.sql("UPDATE attestry_format SET version = 1").await;
    place.open().await;
    place.sql("DELETE FROM attestry_format").await;
    let refused = Store::open(&StoreUrl::parse(&place.url).unwrap()).await;
    assert!(matches!(
        refused,
        Err(OpenError::Format(FormatError::Unreadable { .. }))
    ));
}

#[tokio::test]
async fn processes_that_start_together_create_the_tables_once() {
    let Some(place) = Place::postgres("together").await else {
        return;
    };
    let opening: Vec<_> = (0..8)
        .map(|_| {
            let url = StoreUrl::parse(&place.url).unwrap();
            tokio::spawn(async move { Store::open(&url).await })
        })
        .collect();
    for store in opening {
        store.await.unwrap().unwrap().close().await;
    }
}

#[tokio::test]
async fn lost_connections_are_replaced() {
    let Some(place) = Place::postgres("lost").await else {
        return;
    };
    let name = format!("lost_{}", std::process::id());
    let url = format!("{}&application_name={name}", place.url);
    let store = Store::open(&StoreUrl::parse(&url).unwrap()).await.unwrap();
    put(&store, "before").await.unwrap();
    let open = store.begin().await.unwrap();
    open.get("before").await.unwrap();
    open.put("during", "1").unwrap();
    // All connections of this store, which is what a restarted server looks like.
    place
        .sql(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = '{name}'"
        ))
        .await;
    let failed = open.commit().await;
    assert!(matches!(failed, Err(CommitError::Refused(_))), "{failed:?}");
    put(&store, "after").await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.get("during").await.unwrap(), None);
    assert_eq!(snapshot.get("after").await.unwrap(), Some(b"1".to_vec()));
}

#[tokio::test]
async fn transactions_that_are_given_up_free_their_connections() {
    let Some(place) = Place::postgres("given_up").await else {
        return;
    };
    let store = place.open().await;
    // More than there are connections.
    for number in 0..100 {
        let tx = store.begin().await.unwrap();
        tx.put(number.to_string(), "1").unwrap();
        drop(tx);
    }
    put(&store, "last").await.unwrap();
}

async fn put(store: &Store, key: &str) -> Result<(), CommitError> {
    let tx = store.begin().await?;
    tx.put(key, "1")?;
    tx.commit().await
}
