//! Commits one number after the other and prints each as soon as its commit is acknowledged.
//!
//! `store-acknowledge URL [COUNT] [TASKS] [SIZE]`: task `t` writes `number`, padded to `SIZE` bytes,
//! under `ack/<t>/<number>` and prints `ack <t> <number>` in one write. Each task goes on from the highest number it finds. The
//! tests kill it at any moment and look whether all that was printed is there; `fsync.sh` traces it.

use std::error::Error;
use std::io::Write as _;
use std::io::stdout;
use std::process::ExitCode;

use store::CommitError;
use store::Direction;
use store::Keyspace;
use store::Store;
use store::StoreUrl;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause: Option<&dyn Error> = Some(&*error);
            while let Some(error) = cause {
                let _closed = writeln!(std::io::stderr(), "error: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("expected a store URL")?;
    let count: u64 = arguments.next().map_or(Ok(u64::MAX), |text| text.parse())?;
    let tasks: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let size: usize = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let store = Store::open(&StoreUrl::parse(&url)?).await?;
    writeln!(stdout(), "open")?;
    let tasks: Vec<_> = (0..tasks)
        .map(|task| tokio::spawn(write(store.clone(), task, count, size)))
        .collect();
    for task in tasks {
        task.await??;
    }
    store.close().await;
    Ok(())
}

async fn write(store: Store, task: u64, count: u64, size: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    let room = Keyspace::new("ack/")?.within(&format!("{task}/"))?;
    let room = &room;
    let snapshot = store.snapshot().await?;
    let last = snapshot.prefix(room.prefix(), 1, Direction::Reverse).await?;
    drop(snapshot);
    let first = last
        .first()
        .and_then(|entry| room.number(&entry.key))
        .map_or(1, |number| number + 1);
    for number in first..first.saturating_add(count) {
        store
            .transact(|tx| async move {
                // A read as well, so that the conflict check has something to do.
                let before = tx.get(room.numbered(number)).await?;
                debug_assert!(before.is_none(), "nobody else writes here");
                tx.put(room.numbered(number), format!("{number:0size$}"))?;
                Ok::<_, CommitError>(())
            })
            .await?;
        stdout().write_all(format!("ack {task} {number}\n").as_bytes())?;
    }
    Ok(())
}
