//! The sequencer: the one task that puts entries in order.
//!
//! Submissions that come within a few milliseconds share one Snapshot, one checkpoint and their commits.
//! An entry that is refused fails alone; a failure of store or witness fails all of its group, and what is
//! durable by then is published with the next one.

use std::sync::Arc;
use std::time::Duration;

use store::records::RecordError;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::Instant;
use trust::state::State;

use crate::SNAPSHOT_INTERVAL;
use crate::log::Growth;
use crate::log::Log;
use crate::log::OpenError;
use crate::log::SealError;
use crate::published::Published;
use crate::published::Tiles;
use crate::setup::Setup;
use crate::store::index_of;
use crate::submission::AppendError;
use crate::submission::Submission;

/// How long a group waits for company: less than its own commits take.
const GATHER: Duration = Duration::from_millis(3);

/// Commands of one group, and bytes after which it is closed; with one more submission of the largest size it
/// is below what one transaction of the store takes.
const MAX_GROUP: usize = 1_000;
const MAX_GROUP_BYTES: usize = 4 << 20;

/// How long nobody but a sender of entries makes the witnesses be asked again: whoever wants a fresh Snapshot gets the
/// last one meanwhile.
const RESPITE: Duration = Duration::from_secs(30);

/// From this age in seconds on, a Snapshot that waits for witnesses is followed by another one: state witnesses take none
/// that is [`trust::witness::MAX_CLOCK_DIFFERENCE`] away from their clocks.
const RENEWED_AFTER: i64 = 120;

/// Commands that wait; a further one waits with its sender.
const QUEUE: usize = 1_024;

/// Where an entry stands in the log, and the proof of it.
#[derive(Clone, Debug)]
pub struct Appended {
    /// Its index.
    pub index: u64,
    /// The [tlog-proof](https://c2sp.org/tlog-proof) with a witnessed checkpoint, as text.
    pub proof: String,
}

/// The way to the sequencer. It ends when the last handle is gone.
pub(crate) struct Handle {
    pub(crate) setup: Arc<Setup>,
    commands: mpsc::Sender<Command>,
}

pub(crate) struct Sequencer {
    setup: Arc<Setup>,
    /// `None` after a failure, until it is read again.
    log: Option<Log>,
    published: watch::Sender<Arc<Published>>,
    durable: watch::Sender<Arc<State>>,
    /// When too few witnesses had cosigned.
    unwitnessed: Option<Instant>,
}

/// What the sequencer tells.
pub(crate) struct Heads {
    /// What the world may see.
    pub(crate) published: watch::Receiver<Arc<Published>>,
    /// The state after everything that is in the log for good, witnessed or not: what the next entry follows.
    pub(crate) durable: watch::Receiver<Arc<State>>,
}

enum Command {
    Append {
        submission: Submission,
        reply: oneshot::Sender<Result<Appended, AppendError>>,
    },
    /// A new Snapshot, unless the last one is younger than `age` seconds.
    Snapshot {
        age: i64,
        /// Whether witnesses are asked again that did not cosign a moment ago.
        insists: bool,
        reply: oneshot::Sender<Result<(), AppendError>>,
    },
}

/// What becomes of one submission.
type Outcome = Result<u64, AppendError>;

impl Handle {
    pub(crate) async fn submit(&self, submission: Submission) -> Result<Appended, AppendError> {
        self.call(|reply| Command::Append { submission, reply }).await
    }

    pub(crate) async fn snapshot(&self, age: i64, insists: bool) -> Result<(), AppendError> {
        self.call(|reply| Command::Snapshot { age, insists, reply }).await
    }

    async fn call<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, AppendError>>) -> Command,
    ) -> Result<T, AppendError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| AppendError::Closed)?;
        answer.await.map_err(|_| AppendError::Closed)?
    }
}

impl Command {
    fn bytes(&self) -> usize {
        match self {
            Self::Append { submission, .. } => submission.bytes(),
            Self::Snapshot { .. } => 0,
        }
    }

    /// Whether witnesses are asked for it, however short ago they did not cosign.
    const fn insists(&self) -> bool {
        match self {
            Self::Append { .. } => true,
            Self::Snapshot { insists, .. } => *insists,
        }
    }

    fn fail(self, error: &AppendError) {
        // Whoever no longer waits for the answer has gone.
        match self {
            Self::Append { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Snapshot { reply, .. } => drop(reply.send(Err(error.clone()))),
        }
    }
}

impl Sequencer {
    /// Opens the log, settles what a crash left, and starts the task.
    pub(crate) async fn start(setup: Arc<Setup>, genesis: Option<Vec<u8>>) -> Result<(Handle, Heads), OpenError> {
        let (log, head) = open(setup.clone(), genesis).await?;
        let (published, seen) = watch::channel(head);
        let (durable, known) = watch::channel(log.state().clone());
        let (commands, queue) = mpsc::channel(QUEUE);
        let sequencer = Self {
            setup: setup.clone(),
            log: Some(log),
            published,
            durable,
            unwitnessed: None,
        };
        tokio::spawn(sequencer.work(queue));
        let heads = Heads {
            published: seen,
            durable: known,
        };
        Ok((Handle { setup, commands }, heads))
    }

    async fn work(mut self, mut queue: mpsc::Receiver<Command>) {
        while let Some(first) = queue.recv().await {
            let group = gather(first, &mut queue).await;
            self.handle(group).await;
        }
    }

    async fn handle(&mut self, group: Vec<Command>) {
        if let Err(error) = self.reopen().await {
            return fail_all(group, error);
        }
        let Some(log) = &mut self.log else { return };
        let mut growth = log.grow();
        let outcomes = match judge(&self.setup, &mut growth, &group).await {
            Ok(outcomes) => outcomes,
            Err(error) => return fail_all(group, error.into()),
        };
        let is_due = is_due(log, &group, &self.setup);
        let waits = growth.is_empty() && log.published().is_none();
        if waits && !group.iter().any(Command::insists) && self.unwitnessed.is_some_and(|then| then.elapsed() < RESPITE)
        {
            return refuse_for_now(group);
        }
        let age = self.setup.clock.now().seconds_since(log.state().time());
        let sealed = match log.published() {
            Some(head) if growth.is_empty() && !is_due => Ok(head.clone()),
            // What waits for witnesses is shown to them again: another Snapshot each time would be no use.
            None if growth.is_empty() && age < RENEWED_AFTER => log.publish_again().await,
            _ => log.seal(growth).await,
        };
        self.durable.send_replace(log.state().clone());
        self.unwitnessed = matches!(sealed, Err(SealError::Unwitnessed(_))).then(Instant::now);
        match sealed {
            Ok(head) => {
                self.published.send_replace(head.clone());
                answer(&self.setup, &head, group, outcomes).await;
            }
            Err(error) => {
                if !error.is_settled() {
                    self.log = None;
                }
                fail(group, error, outcomes);
            }
        }
    }

    /// Reads the log again after a failure that left it open what the store holds.
    async fn reopen(&mut self) -> Result<(), SealError> {
        if self.log.is_none() {
            let opened = open(self.setup.clone(), None).await;
            let (log, head) = opened.map_err(|error| SealError::Reopen(Box::new(error)))?;
            self.published.send_replace(head);
            self.durable.send_replace(log.state().clone());
            self.log = Some(log);
        }
        Ok(())
    }
}

/// The log with everything durable published, and a Snapshot that is not old.
async fn open(setup: Arc<Setup>, genesis: Option<Vec<u8>>) -> Result<(Log, Arc<Published>), OpenError> {
    let mut log = Log::open(setup.clone(), genesis.as_deref()).await?;
    let mut growth = log.grow();
    if log.state().size() == 0 {
        let genesis = genesis.ok_or(OpenError::NoGenesis)?;
        growth
            .append(genesis, std::collections::BTreeMap::new())
            .map_err(|refusal| OpenError::Entry { index: 0, refusal })?;
    }
    let age = setup.clock.now().seconds_since(log.state().time());
    let head = match log.published() {
        Some(head) if age < SNAPSHOT_INTERVAL => head.clone(),
        _ => match log.seal(growth).await {
            Ok(head) => head,
            // Witnesses are out of reach: the world sees what it saw, and they are asked again.
            Err(error @ SealError::Unwitnessed(_)) => {
                tracing::error!(cause = %server::problem::chain(&error), "begun without a new checkpoint");
                log.last_published().ok_or(error)?
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok((log, head))
}

/// Adds company to the first command of a group.
async fn gather(first: Command, queue: &mut mpsc::Receiver<Command>) -> Vec<Command> {
    let mut bytes = first.bytes();
    let mut group = vec![first];
    let window = tokio::time::sleep(GATHER);
    tokio::pin!(window);
    while group.len() < MAX_GROUP && bytes < MAX_GROUP_BYTES {
        let next = tokio::select! {
            biased;
            next = queue.recv() => next,
            () = &mut window => None,
        };
        let Some(next) = next else { break };
        bytes += next.bytes();
        group.push(next);
    }
    group
}

/// Adds what the state machine accepts; one outcome for each command that appends, in order.
async fn judge(setup: &Setup, growth: &mut Growth, group: &[Command]) -> Result<Vec<Outcome>, RecordError> {
    let stored = setup.store.snapshot().await?;
    let mut outcomes = Vec::new();
    for command in group {
        let Command::Append { submission, .. } = command else {
            continue;
        };
        let known = match growth.index_of(submission.hash) {
            Some(index) => Some(index),
            None => index_of(&stored, submission.hash).await?,
        };
        outcomes.push(match known {
            Some(index) => Ok(index),
            None => growth
                .append(submission.leaf.clone(), submission.blobs.clone())
                .map_err(AppendError::Refused),
        });
    }
    Ok(outcomes)
}

/// Tells those who ask for Snapshots that there is none now, without asking the witnesses.
fn refuse_for_now(group: Vec<Command>) {
    for command in group {
        command.fail(&AppendError::Unwitnessed);
    }
}

/// Whether somebody asks for a Snapshot that is younger than the last one.
fn is_due(log: &Log, group: &[Command], setup: &Setup) -> bool {
    let last = setup.clock.now().seconds_since(log.state().time());
    group.iter().any(|command| match command {
        Command::Snapshot { age, .. } => last >= *age,
        Command::Append { .. } => false,
    })
}

/// Tells everybody what became of their command, with proofs from the published checkpoint.
async fn answer(setup: &Setup, head: &Published, group: Vec<Command>, outcomes: Vec<Outcome>) {
    let stored = match setup.store.snapshot().await {
        Ok(stored) => stored,
        Err(error) => return fail_all(group, SealError::Record(error.into())),
    };
    let mut outcomes = outcomes.into_iter();
    let mut known = Tiles::new();
    for command in group {
        match command {
            Command::Snapshot { reply, .. } => drop(reply.send(Ok(()))),
            Command::Append { reply, .. } => {
                let outcome = outcomes.next().unwrap_or(Err(AppendError::Closed));
                let appended = match outcome {
                    Ok(index) => match head.proof(&stored, index, &mut known).await {
                        Ok(proof) => Ok(Appended {
                            index,
                            proof: proof.to_string(),
                        }),
                        Err(error) => Err(AppendError::Failed(Arc::new(error.into()))),
                    },
                    Err(error) => Err(error),
                };
                drop(reply.send(appended));
            }
        }
    }
}

fn fail_all(group: Vec<Command>, error: SealError) {
    fail(group, error, Vec::new());
}

/// Tells everybody of the failure, and of a refusal who was refused: sending that entry again is no use.
fn fail(group: Vec<Command>, error: SealError, outcomes: Vec<Outcome>) {
    tracing::error!(cause = %server::problem::chain(&error), "a group of entries was not published");
    let waits = matches!(error, SealError::Unwitnessed(_));
    let error = AppendError::Failed(Arc::new(error));
    let mut outcomes = outcomes.into_iter();
    for command in group {
        let told = match &command {
            Command::Snapshot { .. } => None,
            Command::Append { submission, .. } => match outcomes.next() {
                Some(Ok(index)) if waits => Some(AppendError::Pending {
                    index,
                    hash: submission.hash,
                }),
                Some(Err(refused)) => Some(refused),
                Some(Ok(_)) | None => None,
            },
        };
        command.fail(told.as_ref().unwrap_or(&error));
    }
}
