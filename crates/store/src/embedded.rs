//! The embedded store: one process, one folder, and a choice of engines ([`backend`]).
//!
//! A commit takes this way: `EmbeddedTransaction::commit` -> [`committer`] (conflicts, group) ->
//! [`log`] (append, sync) -> [`backend`] (apply) -> reply. Opening takes this one: [`folder`] (lock,
//! format) -> [`log`] (read, check the chain) -> engine -> [`recovery`] (compare, apply again).

mod backend;
mod committer;
mod conflicts;
mod fjall;
mod folder;
mod frame;
mod log;
mod recovery;
#[cfg(feature = "sled")]
mod sled;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

use self::backend::Backend;
use self::backend::BackendError;
use self::backend::BackendSnapshot;
use self::committer::Failure;
use self::committer::Message;
use self::committer::Request;
use self::conflicts::ReadSet;
use self::folder::Folder;
use self::folder::Found;
use self::log::Log;
use self::log::Replay;
use crate::CommitError;
use crate::Direction;
use crate::Entry;
use crate::OpenError;
use crate::StoreError;
use crate::engine::Access;
use crate::engine::BoxFuture;
use crate::engine::Engine;
use crate::engine::EngineTransaction;
use crate::engine::Writes;
use crate::range::KeyRange;

/// Every opening starts a segment of the log; more than these are merged at once, so that a process
/// that is restarted over and over does not fill the folder with small files.
const MAX_SEGMENTS: usize = 8;

/// Opens or creates a store on fjall.
pub(crate) async fn open_fjall(folder: &Path) -> Result<Arc<dyn Engine>, OpenError> {
    open(folder.to_owned(), "fjall", fjall::Fjall::open).await
}

/// Opens or creates a store on sled.
#[cfg(feature = "sled")]
pub(crate) async fn open_sled(folder: &Path) -> Result<Arc<dyn Engine>, OpenError> {
    open(folder.to_owned(), "sled", sled::Sled::open).await
}

/// Says that this program cannot.
#[cfg(not(feature = "sled"))]
#[expect(clippy::unused_async, reason = "the same signature as with the feature")]
pub(crate) async fn open_sled(_folder: &Path) -> Result<Arc<dyn Engine>, OpenError> {
    Err(OpenError::NotBuilt { engine: "sled" })
}

/// Opens an engine's files in a folder.
type OpenBackend = fn(&Path) -> Result<Arc<dyn Backend>, BackendError>;

async fn open(folder: PathBuf, engine: &'static str, open_backend: OpenBackend) -> Result<Arc<dyn Engine>, OpenError> {
    let opening = spawn_blocking(move || open_blocking(&folder, engine, open_backend));
    // An engine may panic over damaged files; that must not take the process down. (Over some bytes
    // of a manifest fjall panics twice, which ends the process all the same: not silently, at least.)
    let embedded = opening.await.map_err(|panic| OpenError::Engine {
        engine,
        source: panic.into(),
    })??;
    Ok(Arc::new(embedded))
}

fn open_blocking(path: &Path, engine: &'static str, open_backend: OpenBackend) -> Result<Embedded, OpenError> {
    let failed = |source| OpenError::Engine { engine, source };
    let (folder, found) = Folder::open(path, engine)?;
    let mut replay = match found {
        Found::Empty => None,
        Found::Store => Some(Replay::read(path)?),
    };
    let backend = open_backend(&folder.engine_path()).map_err(failed)?;
    let log = match &mut replay {
        None => {
            // The engine's own folder entry, before anything is acknowledged.
            backend.persist().map_err(failed)?;
            let log = Log::create(path)?;
            folder.finish_creation(engine)?;
            log
        }
        Some(replay) => {
            recovery::recover(path, &*backend, replay)?;
            let log = Log::resume(path, replay)?;
            // The copied frame has another digest: the old one goes with the old segment.
            backend.apply(Writes::new(), &log.position()).map_err(failed)?;
            log
        }
    };
    let opened = Arc::new(Opened {
        backend,
        failure: Failure::default(),
        snapshots: Mutex::default(),
        folder,
    });
    let mut replayed = replay.as_ref().map_or(0, |replay| replay.length);
    if replay.is_some_and(|replay| replay.segments >= MAX_SEGMENTS) {
        committer::checkpoint_now(&opened, &log)?;
        replayed = 0;
    }
    let commits = committer::start(opened.clone(), log, replayed).map_err(folder::io("start a thread for", path))?;
    Ok(Embedded {
        opened: Mutex::new(Some(opened)),
        commits,
        engine,
    })
}

/// Everything that must stay open until the last transaction is gone. The folder comes last: it is
/// unlocked after the engine has let go of its files.
struct Opened {
    backend: Arc<dyn Backend>,
    failure: Failure,
    /// The states that open transactions read, and how many read each.
    snapshots: Mutex<BTreeMap<u64, usize>>,
    folder: Folder,
}

impl Opened {
    /// The oldest state that an open transaction reads; `newest` if there is none.
    fn oldest_snapshot(&self, newest: u64) -> u64 {
        let snapshots = self.snapshots();
        snapshots.keys().next().copied().unwrap_or(newest)
    }

    fn snapshots(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open embedded store.
struct Embedded {
    /// `None` once closed.
    opened: Mutex<Option<Arc<Opened>>>,
    commits: mpsc::UnboundedSender<Message>,
    engine: &'static str,
}

impl Embedded {
    fn opened(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin_now(&self, access: Access) -> Result<Box<dyn EngineTransaction>, StoreError> {
        let opened = self.opened().clone().ok_or(StoreError::Closed)?;
        // Registered under the lock, so that no commit between the two is forgotten too early.
        let mut snapshots = opened.snapshots();
        let (sequence, view) = opened.backend.snapshot().map_err(engine_error("begin"))?;
        *snapshots.entry(sequence).or_default() += 1;
        drop(snapshots);
        Ok(Box::new(EmbeddedTransaction {
            view,
            sequence,
            reads: (access == Access::ReadWrite).then(ReadSet::default),
            commits: self.commits.clone(),
            opened,
        }))
    }
}

impl Engine for Embedded {
    fn begin(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn EngineTransaction>, StoreError>> {
        Box::pin(async move { self.begin_now(access) })
    }

    fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let opened = self.opened().clone().ok_or(StoreError::Closed)?;
            if self.commits.is_closed() {
                return Err(StoreError::Closed);
            }
            opened.failure.check()
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            drop(self.opened().take());
            let (reply, closed) = oneshot::channel();
            if self.commits.send(Message::Close(reply)).is_ok() {
                // An error means that it has ended, by another clone's call.
                let _ended = closed.await;
            }
        })
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn name(&self) -> &'static str {
        self.engine
    }
}

struct EmbeddedTransaction {
    view: Arc<dyn BackendSnapshot>,
    /// Number of the last commit that `view` shows.
    sequence: u64,
    /// `None` if the transaction is read-only.
    reads: Option<ReadSet>,
    commits: mpsc::UnboundedSender<Message>,
    opened: Arc<Opened>,
}

impl Drop for EmbeddedTransaction {
    fn drop(&mut self) {
        let mut snapshots = self.opened.snapshots();
        if let Some(readers) = snapshots.get_mut(&self.sequence) {
            *readers -= 1;
            if *readers == 0 {
                snapshots.remove(&self.sequence);
            }
        }
    }
}

impl EmbeddedTransaction {
    fn check_open(&self) -> Result<(), StoreError> {
        if self.commits.is_closed() {
            return Err(StoreError::Closed);
        }
        Ok(())
    }
}

impl EngineTransaction for EmbeddedTransaction {
    fn get<'a>(&'a mut self, key: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            self.check_open()?;
            if let Some(reads) = &mut self.reads {
                reads.add_key(key);
            }
            // On this thread: mostly a look into memory, cheaper than a change of threads.
            self.view.get(key).map_err(engine_error("read"))
        })
    }

    fn scan(
        &mut self,
        range: KeyRange,
        limit: usize,
        direction: Direction,
    ) -> BoxFuture<'_, Result<Vec<Entry>, StoreError>> {
        Box::pin(async move {
            self.check_open()?;
            let view = self.view.clone();
            let (range, scanned) = spawn_blocking(move || {
                let scanned = backend::collect(&*view, &range, limit, direction);
                (range, scanned)
            })
            .await
            .map_err(|panic| engine_error("scan")(panic.into()))?;
            let entries = scanned?;
            if let Some(reads) = &mut self.reads {
                reads.add_range(match entries.last() {
                    Some(last) if entries.len() == limit => range.seen_up_to(&last.key, direction),
                    _ => range,
                });
            }
            Ok(entries)
        })
    }

    fn commit(mut self: Box<Self>, writes: Writes) -> BoxFuture<'static, Result<(), CommitError>> {
        Box::pin(async move {
            self.check_open()?;
            if writes.is_empty() {
                // It saw one committed state, and stands in the order of commits behind it.
                return Ok(());
            }
            self.opened.failure.check()?;
            let (reply, result) = oneshot::channel();
            let request = Request {
                snapshot: self.sequence,
                reads: self.reads.take().unwrap_or_default(),
                writes,
                reply,
            };
            self.commits
                .send(Message::Commit(request))
                .map_err(|_| StoreError::Closed)?;
            result.await.unwrap_or_else(|_| {
                Err(CommitError::Unknown {
                    reason: "the committing thread ended".to_owned(),
                })
            })
        })
    }
}

fn engine_error(action: &'static str) -> impl FnOnce(BackendError) -> StoreError {
    move |source| StoreError::Engine { action, source }
}
