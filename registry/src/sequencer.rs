//! The sequencer: the one task that puts entries in order.
//!
//! Submissions that come within a few milliseconds share one Snapshot, one checkpoint and their commits.
//! An entry that is refused fails alone; a failure of store or witness fails all of its group, and what is
//! durable by then is published with the next one.
//!
//! Of several processes on one store the one with the lease (`lease.rs`) does this. The task of each other one follows the
//! log, and leaves what is asked of it in the inbox (`inbox.rs`): `follower.rs`.

use std::sync::Arc;
use std::time::Duration;

use store::Snapshot;
use store::records::RecordError;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio::time::MissedTickBehavior;
use trust::state::State;

use crate::Operators;
use crate::SNAPSHOT_INTERVAL;
use crate::follower::Follower;
use crate::inbox;
use crate::inbox::Content;
use crate::lease::Keeper;
use crate::lease::Term;
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
const MAX_GROUP: usize = 2_000;
const MAX_GROUP_BYTES: usize = 4 << 20;

/// How long nobody but a sender of entries makes the witnesses be asked again: whoever wants a fresh Snapshot gets the
/// last one meanwhile.
const RESPITE: Duration = Duration::from_secs(30);

/// From this age in seconds on, a Snapshot that waits for witnesses is followed by another one: state witnesses take none
/// that is [`trust::witness::MAX_CLOCK_DIFFERENCE`] away from their clocks.
const RENEWED_AFTER: i64 = 120;

/// Commands that wait; a further one waits with its sender.
const QUEUE: usize = 2_048;

/// How often one of several processes looks what the others did: an answer takes that much longer where two are involved.
const LOOK: Duration = Duration::from_millis(50);

/// How long the inbox is left alone after a failure.
const PAUSE: Duration = Duration::from_secs(1);

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
    /// Keeps the lease for as long as this task lives; none after this process has resigned.
    keeper: Option<Keeper>,
    /// `None` after a failure, until it is read again.
    log: Option<Log>,
    /// The term for which `log` has all that was there before.
    term: Option<Term>,
    follower: Follower,
    /// Until then the inbox is left alone.
    paused: Option<Instant>,
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

pub(crate) enum Command {
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
    /// Another process shall go on at once.
    Resign {
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

    pub(crate) async fn resign(&self) -> Result<(), AppendError> {
        self.call(|reply| Command::Resign { reply }).await
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
            Self::Snapshot { .. } | Self::Resign { .. } => 0,
        }
    }

    /// Whether witnesses are asked for it, however short ago they did not cosign.
    const fn insists(&self) -> bool {
        match self {
            Self::Append { .. } => true,
            Self::Snapshot { insists, .. } => *insists,
            Self::Resign { .. } => false,
        }
    }

    pub(crate) fn fail(self, error: &AppendError) {
        // Whoever no longer waits for the answer has gone.
        match self {
            Self::Append { reply, .. } => drop(reply.send(Err(error.clone()))),
            Self::Snapshot { reply, .. } | Self::Resign { reply } => drop(reply.send(Err(error.clone()))),
        }
    }
}

impl Sequencer {
    /// Opens the log, settles what a crash left if this process is the sequencer, and starts the task.
    pub(crate) async fn start(
        (setup, keeper): (Arc<Setup>, Keeper),
        operators: Operators,
        genesis: Option<Vec<u8>>,
    ) -> Result<(Handle, Heads), OpenError> {
        let (log, term, head) = open(&setup, genesis).await?;
        let (published, seen) = watch::channel(head);
        let (durable, known) = watch::channel(log.state().clone());
        let (commands, queue) = mpsc::channel(QUEUE);
        let sequencer = Self {
            keeper: Some(keeper),
            log: Some(log),
            term,
            follower: Follower::new(setup.clone(), operators),
            paused: None,
            published,
            durable,
            unwitnessed: None,
            setup: setup.clone(),
        };
        tokio::spawn(sequencer.work(queue, operators));
        let heads = Heads {
            published: seen,
            durable: known,
        };
        Ok((Handle { setup, commands }, heads))
    }

    async fn work(mut self, mut queue: mpsc::Receiver<Command>, operators: Operators) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                first = queue.recv() => {
                    let Some(first) = first else { break };
                    let group = gather(first, &mut queue).await;
                    self.handle(group).await;
                }
                _ = look.tick(), if operators != Operators::One => self.look().await,
            }
        }
    }

    async fn handle(&mut self, group: Vec<Command>) {
        let mut asked = Vec::new();
        for command in group {
            match command {
                Command::Resign { reply } => {
                    let resigned = self.resign().await;
                    drop(reply.send(resigned.map_err(|error| AppendError::Failed(Arc::new(error.into())))));
                }
                Command::Append { .. } | Command::Snapshot { .. } => asked.push(command),
            }
        }
        if asked.is_empty() {
            return;
        }
        if let Some(term) = self.setup.lease.held() {
            return self.lead(&term, asked).await;
        }
        let head = self.published.borrow().clone();
        self.follower.hand_over(asked, &head).await;
    }

    /// Puts what is asked in order.
    async fn lead(&mut self, term: &Term, group: Vec<Command>) {
        if let Err(error) = self.take_up(term).await {
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
            None if growth.is_empty() && age < RENEWED_AFTER => log.publish_again(term).await,
            _ => log.seal(term, growth).await,
        };
        self.durable.send_replace(log.state().clone());
        self.unwitnessed = matches!(sealed, Err(SealError::Unwitnessed(_))).then(Instant::now);
        match sealed {
            Ok(head) => {
                self.published.send_replace(head.clone());
                // The next group does not wait for the proofs of this one.
                let setup = self.setup.clone();
                tokio::spawn(async move { answer(&setup, &head, group, outcomes).await });
            }
            Err(error) => {
                if !error.is_settled() {
                    self.log = None;
                }
                fail(group, error, outcomes);
            }
        }
    }

    /// What one of several processes does again and again: as the sequencer it takes what the others left, else it follows;
    /// and whoever waits for the sequencer's word is told.
    async fn look(&mut self) {
        if self.paused.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.paused = None;
        if let Err(error) = self.look_once().await {
            tracing::warn!(cause = %server::problem::chain(&error), "the log was not followed; it is tried again");
            self.paused = Some(Instant::now() + PAUSE);
            self.log = None;
        }
    }

    async fn look_once(&mut self) -> Result<(), SealError> {
        let term = self.setup.lease.held();
        if let Some(term) = &term {
            self.take_inbox(term).await?;
            if self.follower.is_idle() {
                return Ok(());
            }
        }
        let snapshot = self.setup.store.snapshot().await.map_err(RecordError::from)?;
        if term.is_none() {
            self.catch_up(None, &snapshot).await?;
        }
        if let Some(log) = &self.log {
            self.follower.settle(log, &snapshot).await?;
        }
        Ok(())
    }

    /// Puts in order what the other processes left, and what a sequencer before left unpublished.
    async fn take_inbox(&mut self, term: &Term) -> Result<(), SealError> {
        let is_new = self.term.as_ref() != Some(term);
        let snapshot = self.setup.store.snapshot().await.map_err(RecordError::from)?;
        let items = inbox::read(&snapshot, MAX_GROUP_BYTES).await?;
        drop(snapshot);
        if items.is_empty() && !is_new {
            return Ok(());
        }
        let (mut group, mut answers, mut decided) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match item.content {
                Content::Snapshot { age, insists } => {
                    let (reply, answer) = oneshot::channel();
                    group.push(Command::Snapshot { age, insists, reply });
                    // Whoever waits looks for itself.
                    drop(answer);
                    decided.push(item.key);
                }
                Content::Entry { leaf, blobs } => match Submission::new(leaf, blobs, &self.setup) {
                    Ok(submission) => {
                        let (reply, answer) = oneshot::channel();
                        group.push(Command::Append { submission, reply });
                        answers.push((item.key, answer));
                    }
                    Err(error) => {
                        tracing::error!(cause = %server::problem::chain(&error), "the inbox had what is no entry");
                        decided.push(item.key);
                    }
                },
            }
        }
        self.lead(term, group).await;
        for (key, answer) in answers {
            match answer.await {
                Ok(Ok(_) | Err(AppendError::Pending { .. })) => decided.push(key),
                Ok(Err(error)) if !error.is_temporary() => decided.push(key),
                Ok(Err(_)) | Err(_) => self.paused = Some(Instant::now() + PAUSE),
            }
        }
        if self.log.is_none() {
            self.paused = Some(Instant::now() + PAUSE);
        }
        if !decided.is_empty() {
            inbox::remove(&self.setup.store, &decided).await?;
        }
        Ok(())
    }

    /// Brings the sequencer to what the store has, when its term begins and after a failure.
    async fn take_up(&mut self, term: &Term) -> Result<(), SealError> {
        if self.log.is_some() && self.term.as_ref() == Some(term) {
            return Ok(());
        }
        let snapshot = self.setup.store.snapshot().await.map_err(RecordError::from)?;
        self.catch_up(Some(term), &snapshot).await
    }

    /// Brings this process to what the store has: all of it after a failure.
    async fn catch_up(&mut self, term: Option<&Term>, snapshot: &Snapshot) -> Result<(), SealError> {
        let reopen = |error: OpenError| SealError::Reopen(Box::new(error));
        match &mut self.log {
            Some(log) => {
                if let Err(error) = log.catch_up(snapshot).await {
                    self.log = None;
                    return Err(reopen(error));
                }
            }
            None => self.log = Some(Log::open(self.setup.clone(), snapshot, None).await.map_err(reopen)?),
        }
        self.term = term.cloned();
        let Some(log) = &self.log else { return Ok(()) };
        if let Some(head) = log.last_published() {
            let is_new = !Arc::ptr_eq(&head, &self.published.borrow());
            if is_new {
                self.published.send_replace(head);
            }
        }
        self.durable.send_replace(log.state().clone());
        Ok(())
    }

    async fn resign(&mut self) -> Result<(), RecordError> {
        self.term = None;
        match self.keeper.take() {
            Some(keeper) => keeper.resign().await,
            None => Ok(()),
        }
    }
}

/// The log with a head that the world may see. As the sequencer this process publishes first what is durable, and makes a
/// Snapshot where the last one is old; else it waits until there is a head.
async fn open(
    setup: &Arc<Setup>,
    mut genesis: Option<Vec<u8>>,
) -> Result<(Log, Option<Term>, Arc<Published>), OpenError> {
    let snapshot = setup.store.snapshot().await.map_err(RecordError::from)?;
    let mut log = Log::open(setup.clone(), &snapshot, genesis.as_deref()).await?;
    drop(snapshot);
    loop {
        if let Some(term) = setup.lease.held() {
            // Another process may have written until now.
            let snapshot = setup.store.snapshot().await.map_err(RecordError::from)?;
            log.catch_up(&snapshot).await?;
            drop(snapshot);
            let head = begin(setup, &mut log, &term, genesis.take()).await?;
            return Ok((log, Some(term), head));
        }
        if let Some(head) = log.last_published() {
            return Ok((log, None, head));
        }
        tokio::time::sleep(LOOK).await;
        let snapshot = setup.store.snapshot().await.map_err(RecordError::from)?;
        log.catch_up(&snapshot).await?;
    }
}

/// The sequencer's first head.
async fn begin(
    setup: &Setup,
    log: &mut Log,
    term: &Term,
    genesis: Option<Vec<u8>>,
) -> Result<Arc<Published>, OpenError> {
    let mut growth = log.grow();
    if log.state().size() == 0 {
        let genesis = genesis.ok_or(OpenError::NoGenesis)?;
        growth
            .append(genesis, std::collections::BTreeMap::new())
            .map_err(|refusal| OpenError::Entry { index: 0, refusal })?;
    }
    let age = setup.clock.now().seconds_since(log.state().time());
    match log.published() {
        Some(head) if age < SNAPSHOT_INTERVAL => Ok(head.clone()),
        _ => match log.seal(term, growth).await {
            Ok(head) => Ok(head),
            // Witnesses are out of reach: the world sees what it saw, and they are asked again.
            Err(error @ SealError::Unwitnessed(_)) => {
                tracing::error!(cause = %server::problem::chain(&error), "begun without a new checkpoint");
                Ok(log.last_published().ok_or(error)?)
            }
            Err(error) => Err(error.into()),
        },
    }
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
        Command::Append { .. } | Command::Resign { .. } => false,
    })
}

/// Tells everybody what became of their command, with proofs from the published checkpoint.
async fn answer(setup: &Setup, head: &Published, group: Vec<Command>, outcomes: Vec<Outcome>) {
    let stored = match setup.store.snapshot().await {
        Ok(stored) => stored,
        Err(error) => return fail_all(group, SealError::Record(error.into())),
    };
    let mut outcomes = outcomes.into_iter();
    let mut known = Tiles::default();
    for command in group {
        match command {
            Command::Snapshot { reply, .. } | Command::Resign { reply } => drop(reply.send(Ok(()))),
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
            Command::Snapshot { .. } | Command::Resign { .. } => None,
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
