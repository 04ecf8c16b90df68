//! Failures that no real engine and no real disk gives when asked: a log that cannot be written, an
//! engine that cannot apply. And that a group shares its sync.

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::frame::Position;
use super::*;

/// An engine in memory.
#[derive(Default)]
struct Memory {
    state: Mutex<(Writes, Position)>,
    applied: AtomicUsize,
    is_broken: AtomicBool,
    /// While it is set, `apply` waits.
    is_waiting: AtomicBool,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, (Writes, Position)> {
        self.state.lock().unwrap()
    }
}

impl Backend for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn position(&self) -> Result<Position, BackendError> {
        Ok(self.state().1)
    }

    fn snapshot(&self) -> Result<(u64, Arc<dyn BackendSnapshot>), BackendError> {
        let (data, position) = self.state().clone();
        Ok((position.sequence, Arc::new(View(data))))
    }

    fn check_room(&self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

    fn apply(&self, writes: Writes, position: &Position) -> Result<(), BackendError> {
        while self.is_waiting.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
        }
        if self.is_broken.load(Ordering::Relaxed) {
            return Err("broken".into());
        }
        self.applied.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        state.0.extend(writes);
        state.1 = *position;
        Ok(())
    }

    fn persist(&self) -> Result<(), BackendError> {
        Ok(())
    }

    fn checkpoint(&self) -> Result<(), BackendError> {
        Ok(())
    }
}

struct View(Writes);

impl BackendSnapshot for View {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, BackendError> {
        Ok(self.0.get(key).cloned().flatten())
    }

    fn scan(
        &self,
        _range: &KeyRange,
        _direction: Direction,
        _visit: &mut dyn FnMut(Entry) -> bool,
    ) -> Result<(), BackendError> {
        Ok(())
    }
}

struct Setup {
    store: Embedded,
    memory: Arc<Memory>,
    _folder: tempfile::TempDir,
}

fn setup(prepare: impl FnOnce(&mut Log)) -> Setup {
    let path = tempfile::tempdir().unwrap();
    let memory = Arc::new(Memory::default());
    let (folder, _) = Folder::open(path.path(), "memory").unwrap();
    let mut log = Log::create(path.path()).unwrap();
    prepare(&mut log);
    let opened = Arc::new(Opened {
        backend: memory.clone(),
        failure: Failure::default(),
        snapshots: Mutex::default(),
        folder,
    });
    let commits = committer::start(opened.clone(), log, 0).unwrap();
    Setup {
        store: Embedded {
            opened: Mutex::new(Some(opened)),
            commits,
            engine: "memory",
        },
        memory,
        _folder: path,
    }
}

async fn commit(store: &Embedded, key: &str) -> Result<(), CommitError> {
    let transaction = store.begin_now(Access::ReadWrite)?;
    let writes = Writes::from([(key.as_bytes().to_vec(), Some(vec![]))]);
    transaction.commit(writes).await
}

#[tokio::test]
async fn unknown_outcome_ends_all_commits_but_no_reads() {
    let setup = setup(Log::break_disk);
    setup.store.check().await.unwrap();
    let first = commit(&setup.store, "a").await;
    assert!(matches!(first, Err(CommitError::Unknown { .. })), "{first:?}");
    let second = commit(&setup.store, "b").await;
    assert!(
        matches!(second, Err(CommitError::Refused(StoreError::Failed { .. }))),
        "{second:?}"
    );
    assert_eq!(setup.memory.applied.load(Ordering::Relaxed), 0);
    assert!(matches!(setup.store.check().await, Err(StoreError::Failed { .. })));
    let mut reader = setup.store.begin_now(Access::ReadOnly).unwrap();
    assert_eq!(reader.get(b"a").await.unwrap(), None);
}

#[tokio::test]
async fn engine_that_cannot_apply_is_not_acknowledged() {
    let setup = setup(|_| ());
    commit(&setup.store, "a").await.unwrap();
    setup.memory.is_broken.store(true, Ordering::Relaxed);
    let failed = commit(&setup.store, "b").await;
    assert!(matches!(failed, Err(CommitError::Unknown { .. })), "{failed:?}");
    setup.memory.is_broken.store(false, Ordering::Relaxed);
    let refused = commit(&setup.store, "c").await;
    assert!(matches!(refused, Err(CommitError::Refused(StoreError::Failed { .. }))));
}

#[tokio::test]
async fn commits_that_wait_share_a_sync() {
    let setup = setup(|_| ());
    let memory = setup.memory;
    memory.is_waiting.store(true, Ordering::Relaxed);
    let store = Arc::new(setup.store);
    let tasks: Vec<_> = (0..50)
        .map(|number| {
            let store = store.clone();
            tokio::spawn(async move { commit(&store, &number.to_string()).await })
        })
        .collect();
    // All are sent, and the first group waits for the engine.
    tokio::task::yield_now().await;
    memory.is_waiting.store(false, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(memory.state().1.sequence, 50);
    let groups = memory.applied.load(Ordering::Relaxed);
    assert!(groups < 10, "50 commits took {groups} groups");
}

#[tokio::test]
async fn conflict_inside_a_group_is_seen() {
    let setup = setup(|_| ());
    let begin = || setup.store.begin_now(Access::ReadWrite).unwrap();
    let (mut first, mut second) = (begin(), begin());
    first.get(b"k").await.unwrap();
    second.get(b"k").await.unwrap();
    let writes = || Writes::from([(b"k".to_vec(), Some(vec![]))]);
    setup.memory.is_waiting.store(true, Ordering::Relaxed);
    let busy = tokio::spawn(begin().commit(Writes::from([(b"x".to_vec(), None)])));
    let both = (
        tokio::spawn(first.commit(writes())),
        tokio::spawn(second.commit(writes())),
    );
    tokio::task::yield_now().await;
    setup.memory.is_waiting.store(false, Ordering::Relaxed);
    busy.await.unwrap().unwrap();
    both.0.await.unwrap().unwrap();
    assert!(matches!(both.1.await.unwrap(), Err(CommitError::Conflict)));
}
