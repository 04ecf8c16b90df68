//! The one thread that writes: it checks, logs, syncs and applies commits, a group at a time.
//!
//! What waits while a sync is under way forms the next group, so that one sync serves many commits.
//! Nobody is told of a commit before its sync and before the engine has it.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;

use tokio::sync::mpsc;
use tokio::sync::oneshot;

use super::Opened;
use super::conflicts::ReadSet;
use super::conflicts::RecentWrites;
use super::log;
use super::log::AppendError;
use super::log::Log;
use crate::CommitError;
use crate::OpenError;
use crate::StoreError;
use crate::engine::Writes;
use crate::limits::MAX_TRANSACTION_BYTES;
use crate::limits::write_size;

/// A group is closed at this size: see [`super::frame::MAX_PAYLOAD_LEN`].
const MAX_GROUP_BYTES: usize = MAX_TRANSACTION_BYTES;

/// When a segment of the log has grown to this size, a checkpoint is made. What is in the log is
/// read again when the store is opened, and stays in the engine's memory until then: a fraction of
/// a second, and a sixth of the 100 MB that the process may have.
const CHECKPOINT_BYTES: u64 = 16 * 1024 * 1024;

/// What a transaction asks of the committer.
pub(super) struct Request {
    /// Number of the last commit that the transaction saw.
    pub(super) snapshot: u64,
    pub(super) reads: ReadSet,
    pub(super) writes: Writes,
    pub(super) reply: oneshot::Sender<Result<(), CommitError>>,
}

pub(super) enum Message {
    Commit(Request),
    /// Finish, let go of the files, then reply.
    Close(oneshot::Sender<()>),
}

/// The first failure, after which nothing more is committed.
#[derive(Debug, Default)]
pub(super) struct Failure {
    is_set: AtomicBool,
    reason: Mutex<String>,
}

impl Failure {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.is_set.load(Ordering::Acquire) {
            let reason = self.reason().clone();
            return Err(StoreError::Failed { reason });
        }
        Ok(())
    }

    fn set(&self, reason: &str) {
        let mut first = self.reason();
        if first.is_empty() {
            reason.clone_into(&mut first);
            tracing::error!(reason, "the store takes no more commits");
        }
        self.is_set.store(true, Ordering::Release);
    }

    fn reason(&self) -> MutexGuard<'_, String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread. It ends with [`Message::Close`], or when no sender is left.
pub(super) fn start(opened: Arc<Opened>, log: Log, replayed: u64) -> io::Result<mpsc::UnboundedSender<Message>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let committer = Committer {
        recent: RecentWrites::new(log.position().sequence),
        opened,
        log,
        replayed,
        checkpoint: None,
    };
    thread::Builder::new()
        .name("store-commit".to_owned())
        .spawn(move || committer.run(receiver))?;
    Ok(sender)
}

struct Committer {
    opened: Arc<Opened>,
    log: Log,
    /// Bytes of older segments that no checkpoint has covered.
    replayed: u64,
    recent: RecentWrites,
    checkpoint: Option<JoinHandle<Result<(), OpenError>>>,
}

impl Committer {
    fn run(mut self, mut receiver: mpsc::UnboundedReceiver<Message>) {
        let mut closing = None;
        while closing.is_none()
            && let Some(first) = receiver.blocking_recv()
        {
            let mut group = Vec::new();
            let mut size = 0;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Commit(request) => {
                        size += size_of(&request.writes);
                        group.push(request);
                    }
                    Message::Close(reply) => closing = Some(reply),
                }
                let is_full = size >= MAX_GROUP_BYTES || closing.is_some();
                next = if is_full { None } else { receiver.try_recv().ok() };
            }
            self.commit(group);
            self.watch_checkpoint();
        }
        // Whoever still waits in the channel gets its error from the dropped reply.
        receiver.close();
        while let Ok(message) = receiver.try_recv() {
            if let Message::Commit(request) = message {
                respond(request.reply, Err(StoreError::Closed.into()));
            }
        }
        self.close();
        if let Some(reply) = closing {
            let _nobody_waits = reply.send(());
        }
    }

    fn commit(&mut self, group: Vec<Request>) {
        let mut accepted = Vec::new();
        let mut replies = Vec::new();
        let mut sequence = self.log.position().sequence;
        for request in group {
            if let Err(error) = self.opened.failure.check() {
                respond(request.reply, Err(error.into()));
            } else if self.recent.changed_since(request.snapshot, &request.reads) {
                respond(request.reply, Err(CommitError::Conflict));
            } else {
                sequence += 1;
                self.recent.record(sequence, &request.writes);
                accepted.push(request.writes);
                replies.push(request.reply);
            }
        }
        if accepted.is_empty() {
            return;
        }
        let outcome = self.write(accepted);
        for reply in replies {
            let result = match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(error.for_one()),
            };
            respond(reply, result);
        }
        self.recent
            .forget(self.opened.oldest_snapshot(self.log.position().sequence));
    }

    /// Makes a group durable, then visible.
    fn write(&mut self, group: Vec<Writes>) -> Result<(), GroupError> {
        let size = group.iter().map(size_of).sum();
        let room = self.opened.backend.check_room(size);
        let logged = room
            .map_err(AppendError::Refused)
            .and_then(|()| self.log.append(&group));
        let position = logged.map_err(|error| {
            // The group's writes are remembered under numbers that others will get.
            self.recent = RecentWrites::new(self.log.position().sequence);
            match error {
                AppendError::Refused(error) => {
                    tracing::warn!(%error, "a commit could not be written");
                    GroupError::Refused(error)
                }
                AppendError::Unknown(error) => self.fail(&format!("cannot sync the commit log: {error}")),
            }
        })?;
        // Later commits of the group win, as they do in the log.
        let writes = group.into_iter().flatten().collect();
        self.opened
            .backend
            .apply(writes, &position)
            .map_err(|error| self.fail(&format!("cannot apply what was logged: {error}")))?;
        if self.log.segment_len() + self.replayed >= CHECKPOINT_BYTES && self.checkpoint.is_none() {
            self.start_checkpoint();
        }
        Ok(())
    }

    fn fail(&self, reason: &str) -> GroupError {
        self.opened.failure.set(reason);
        GroupError::Unknown(reason.to_owned())
    }

    /// Lets the engine write its tables while commits go on in a new segment.
    fn start_checkpoint(&mut self) {
        let generation = match self.log.start_segment() {
            Ok(generation) => generation,
            Err(error) => {
                // The old segment is whole and grows on. On a full disk its appends fail as well.
                tracing::warn!(%error, "no checkpoint");
                return;
            }
        };
        self.replayed = 0;
        let opened = self.opened.clone();
        let spawned = thread::Builder::new()
            .name("store-checkpoint".to_owned())
            .spawn(move || opened.checkpoint(generation));
        match spawned {
            Ok(thread) => self.checkpoint = Some(thread),
            Err(error) => tracing::warn!(%error, "no checkpoint"),
        }
    }

    fn watch_checkpoint(&mut self) {
        if self.checkpoint.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join_checkpoint();
        }
    }

    fn join_checkpoint(&mut self) {
        match self.checkpoint.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => self.opened.failure.set(&format!("checkpoint: {error}")),
            Some(Err(_panic)) => self.opened.failure.set("checkpoint: it panicked"),
        }
    }

    fn close(mut self) {
        self.join_checkpoint();
        if self.opened.failure.check().is_err() {
            return;
        }
        let closed = self
            .opened
            .backend
            .persist()
            .map_err(|error| error.to_string())
            .and_then(|()| self.log.append_closed().map_err(|error| format!("{error:?}")));
        if let Err(error) = closed {
            tracing::warn!(error, "the store was not closed in order");
        }
    }
}

/// Why a whole group failed.
enum GroupError {
    Refused(io::Error),
    Unknown(String),
}

impl GroupError {
    fn for_one(&self) -> CommitError {
        match self {
            Self::Refused(error) => CommitError::Refused(StoreError::Engine {
                action: "write the commit log",
                source: io::Error::new(error.kind(), error.to_string()).into(),
            }),
            Self::Unknown(reason) => CommitError::Unknown { reason: reason.clone() },
        }
    }
}

fn respond(reply: oneshot::Sender<Result<(), CommitError>>, result: Result<(), CommitError>) {
    // Who stopped waiting will learn from a read.
    let _nobody_waits = reply.send(result);
}

fn size_of(writes: &Writes) -> usize {
    writes.iter().map(|(key, value)| write_size(key, value.as_ref())).sum()
}

/// A checkpoint made while nobody commits: what [`Committer::start_checkpoint`] does beside them.
pub(super) fn checkpoint_now(opened: &Opened, log: &Log) -> Result<(), OpenError> {
    opened.checkpoint(log.generation())
}

impl Opened {
    /// Puts all that was applied into the engine's tables, then deletes the segments before
    /// `generation`, which hold nothing else.
    fn checkpoint(&self, generation: u64) -> Result<(), OpenError> {
        self.backend.checkpoint().map_err(|source| OpenError::Engine {
            engine: self.backend.name(),
            source,
        })?;
        log::delete_before(self.folder.path(), generation)
    }
}
