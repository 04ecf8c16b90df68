//! A process that is killed loses nothing that it had acknowledged.
//!
//! `store-acknowledge` commits and prints; here it is killed at any moment, and then the store must
//! open and hold every number that was printed, and none with a gap before it.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use store::Direction;
use store::Keyspace;
use store::Snapshot;

use crate::place::Numbers;
use crate::place::Place;

const ROUNDS: u64 = 20;
const MAX_ROUNDS: u64 = 10 * ROUNDS;
/// Commits that were acknowledged before a kill, below which the test would show nothing.
const ENOUGH: u64 = 100;
const TASKS: u64 = 4;

#[tokio::test]
async fn killed_process_on_fjall_loses_nothing() {
    kill_and_look(&Place::embedded("fjall"), 1, 0).await;
}

/// With values so large that most rounds see a checkpoint.
#[tokio::test]
async fn killed_during_checkpoints_on_fjall_loses_nothing() {
    let place = Place::embedded("fjall");
    kill_and_look(&place, 4, 60_000).await;
    let first = place.path().join("commits-0000000001.log");
    assert!(place.path().exists() && !first.exists(), "no checkpoint was made");
}

#[cfg(feature = "sled")]
#[tokio::test]
async fn killed_process_on_sled_loses_nothing() {
    kill_and_look(&Place::embedded("sled"), 2, 0).await;
}

/// A kill while sled writes one of its own snapshots, which happens too seldom to wait for.
#[cfg(feature = "sled")]
#[tokio::test]
async fn half_a_snapshot_of_sled_is_no_damage() {
    let place = Place::embedded("sled");
    let store = place.open().await;
    let room = Keyspace::new("ack/").unwrap();
    let transaction = store.begin().await.unwrap();
    transaction.put(room.numbered(1), "kept").unwrap();
    transaction.commit().await.unwrap();
    store.close().await;
    let half = place.path().join("engine/snap.00000000FFFFFFFF.generating");
    std::fs::write(&half, "half").unwrap();

    let snapshot = place.open().await.snapshot().await.unwrap();
    assert_eq!(snapshot.get(room.numbered(1)).await.unwrap(), Some(b"kept".to_vec()));
    assert!(!half.exists());
}

#[tokio::test]
async fn killed_process_on_postgres_loses_nothing() {
    if let Some(place) = Place::postgres("killed").await {
        kill_and_look(&place, 3, 0).await;
    }
}

async fn kill_and_look(place: &Place, seed: u64, size: usize) {
    let mut numbers = Numbers(seed);
    let mut acknowledged: BTreeMap<u64, u64> = BTreeMap::new();
    let total = |acknowledged: &BTreeMap<u64, u64>| acknowledged.values().sum::<u64>();
    for round in 0..MAX_ROUNDS {
        // On a slow machine many kills come before the first commit; then more rounds are needed.
        if round >= ROUNDS && total(&acknowledged) > ENOUGH {
            break;
        }
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-acknowledge"))
            .arg(&place.url)
            .args([u64::MAX, TASKS, size as u64].map(|number| number.to_string()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // At times so soon that it has not even opened the store; later where that never came to a commit.
        let delay = Duration::from_millis(numbers.below(150 * (1 + round / ROUNDS)));
        for (task, number) in kill_after(&mut child, delay) {
            acknowledged.insert(task, number);
        }

        let store = place.open().await;
        let snapshot = store.snapshot().await.unwrap();
        for task in 0..TASKS {
            let room = Keyspace::new(&format!("ack/{task}/")).unwrap();
            let printed = acknowledged.get(&task).copied().unwrap_or(0);
            let count = count_whole(&snapshot, &room, size).await;
            assert!(count >= printed, "round {round}: {printed} acknowledged, {count} kept");
        }
        drop(snapshot);
        // Half of the rounds leave the store as a kill does.
        if round % 2 == 0 {
            store.close().await;
        }
    }
    let total = total(&acknowledged);
    assert!(
        total > ENOUGH,
        "only {total} commits were acknowledged: the test shows nothing"
    );
}

/// How many numbers a room holds; they must be those from 1 on, each with its value.
async fn count_whole(snapshot: &Snapshot, room: &Keyspace, size: usize) -> u64 {
    let mut next = 1;
    loop {
        let range = room.numbered(next)..room.numbered(u64::MAX);
        let page = snapshot.range(range, 500, Direction::Forward).await.unwrap();
        if page.is_empty() {
            return next - 1;
        }
        for entry in page {
            assert_eq!(room.number(&entry.key), Some(next));
            assert_eq!(entry.value, format!("{next:0size$}").into_bytes());
            next += 1;
        }
    }
}

/// Kills the child, and gives the last number that each of its tasks had printed.
fn kill_after(child: &mut Child, delay: Duration) -> BTreeMap<u64, u64> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let reader = thread::spawn(move || {
        let mut last = BTreeMap::new();
        for line in lines.map_while(Result::ok) {
            let mut words = line.split(' ');
            if words.next() == Some("ack") {
                let mut number = || words.next().and_then(|word| word.parse().ok());
                if let (Some(task), Some(number)) = (number(), number()) {
                    last.insert(task, number);
                }
            }
        }
        last
    });
    thread::sleep(delay);
    // SIGKILL: nothing of the process runs after it.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}
