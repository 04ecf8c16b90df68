//! A full disk is an error to the caller, never an acknowledgement, and costs nothing that was
//! acknowledged before.
//!
//! The disk is a small one in memory, which needs the right to mount; without it the test says
//! `skipped`.

use std::process::Command;

use store::CommitError;
use store::Store;
use store::StoreUrl;

use crate::place::Numbers;
use crate::place::copy_folder;

/// A mounted file system in memory; unmounted when dropped.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .status();
        status.is_ok_and(|status| status.success()).then_some(Self { folder })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a store may still have files open.
        let _status = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_is_an_error_on_fjall() {
    fill("fjall", "12m").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_that_fills_up_during_a_checkpoint_is_an_error_on_fjall() {
    fill("fjall", "40m").await;
}

#[cfg(feature = "sled")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn full_disk_is_an_error_on_sled() {
    fill("sled", "60m").await;
}

async fn fill(engine: &str, size: &str) {
    let Some(disk) = Disk::mount(size) else {
        println!("skipped: this user cannot mount a small disk");
        return;
    };
    let url = format!("{engine}:{}", disk.folder.path().join("store").display());
    let store = Store::open(&StoreUrl::parse(&url).unwrap()).await.unwrap();
    let mut acknowledged = 0_u64;
    let refused = loop {
        match put(&store, acknowledged).await {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
        assert!(acknowledged < 1_000, "the disk never fills up");
    };
    assert!(!matches!(refused, CommitError::Conflict), "{refused}");
    assert!(acknowledged > 5, "{refused}");
    check(&store, acknowledged).await;
    store.close().await;

    // A process that goes on: sled keeps its files open after a failure, so it gets a copy.
    let larger = tempfile::tempdir().unwrap();
    copy_folder(disk.folder.path(), larger.path());
    let url = format!("{engine}:{}", larger.path().join("store").display());
    let store = Store::open(&StoreUrl::parse(&url).unwrap()).await.unwrap();
    check(&store, acknowledged).await;
    // The one that was not acknowledged may be there or not; the store goes on.
    put(&store, acknowledged).await.unwrap();
    check(&store, acknowledged + 1).await;
    store.close().await;
}

async fn put(store: &Store, number: u64) -> Result<(), CommitError> {
    let tx = store.begin().await?;
    tx.put(number.to_be_bytes(), value(number))?;
    tx.commit().await
}

async fn check(store: &Store, count: u64) {
    let snapshot = store.snapshot().await.unwrap();
    for number in 0..count {
        let kept = snapshot.get(number.to_be_bytes()).await.unwrap();
        assert_eq!(kept, Some(value(number)), "number {number} of {count}");
    }
}

/// Half a megabyte that no engine can compress.
fn value(number: u64) -> Vec<u8> {
    Numbers(number).bytes(1 << 19)
}
