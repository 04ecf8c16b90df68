//! What waits in this process for a sequencer in another one.

use std::sync::Arc;
use std::time::Duration;

use store::Snapshot;
use store::records::RecordError;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::Operators;
use crate::inbox;
use crate::inbox::Parcel;
use crate::log::Log;
use crate::log::SealError;
use crate::published::Published;
use crate::published::Tiles;
use crate::sequencer::Appended;
use crate::sequencer::Command;
use crate::setup::Setup;
use crate::store::index_of;
use crate::submission::AppendError;
use crate::submission::Submission;

/// How long somebody waits for the sequencer: as long as it takes for another one to take over, and less than a request
/// may last.
const PATIENCE: Duration = Duration::from_secs(12);

/// How long an entry in the log waits for its witnesses before its sender is told where to ask: longer than the sequencer
/// waits for them.
const WITNESSED_WITHIN: Duration = Duration::from_secs(6);

/// Commands that wait; whoever brings a further one is told to come again.
const MAX_WAITING: usize = 1_024;

pub(crate) struct Follower {
    setup: Arc<Setup>,
    id: [u8; 16],
    /// Wishes for Snapshots so far.
    wishes: u64,
    waiting: Vec<Waiting>,
}

struct Waiting {
    since: Instant,
    key: Vec<u8>,
    what: What,
}

enum What {
    Append {
        submission: Submission,
        reply: oneshot::Sender<Result<Appended, AppendError>>,
    },
    Snapshot {
        reply: oneshot::Sender<Result<(), AppendError>>,
    },
}

/// How one that waits is answered.
enum Answer {
    Append(Result<Appended, AppendError>),
    Snapshot(Result<(), AppendError>),
}

impl Follower {
    pub(crate) const fn new(setup: Arc<Setup>, operators: Operators) -> Self {
        let id = match operators {
            Operators::One => [0; 16],
            Operators::Several { id } => id,
        };
        Self {
            setup,
            id,
            wishes: 0,
            waiting: Vec::new(),
        }
    }

    /// Leaves what is asked to the sequencer.
    pub(crate) async fn hand_over(&mut self, group: Vec<Command>, head: &Published) {
        let (mut parcel, mut sent) = (Parcel::default(), Vec::new());
        let since = Instant::now();
        for command in group {
            if self.waiting.len() + sent.len() >= MAX_WAITING {
                command.fail(&not_taken());
                continue;
            }
            match command {
                Command::Append { submission, reply } => {
                    parcel.add_entry(&submission);
                    let key = inbox::entry_key(submission.hash);
                    let what = What::Append { submission, reply };
                    sent.push(Waiting { since, key, what });
                }
                Command::Snapshot { age, insists, reply } => {
                    if self.setup.clock.now().seconds_since(head.state.time()) < age {
                        drop(reply.send(Ok(())));
                        continue;
                    }
                    self.wishes += 1;
                    let key = inbox::snapshot_key(self.id, self.wishes);
                    parcel.add_snapshot(&key, age, insists);
                    let what = What::Snapshot { reply };
                    sent.push(Waiting { since, key, what });
                }
                Command::Resign { .. } => command.fail(&AppendError::Closed),
            }
        }
        if parcel.is_empty() {
            return;
        }
        match parcel.send(&self.setup.store).await {
            Ok(()) => self.waiting.extend(sent),
            Err(error) => {
                let error = AppendError::Failed(Arc::new(error.into()));
                for waiting in sent {
                    waiting.tell_failure(&error);
                }
            }
        }
    }

    pub(crate) const fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Tells those of whom the log or the inbox says what became of them. `log` has all that the snapshot has.
    pub(crate) async fn settle(&mut self, log: &Log, snapshot: &Snapshot) -> Result<(), RecordError> {
        let (mut left, mut withdrawn, mut known) = (Vec::new(), Vec::new(), Tiles::default());
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting.answer(snapshot, log, &mut known).await? {
                Some(answer) => waiting.tell(answer),
                None if waiting.since.elapsed() >= PATIENCE => {
                    withdrawn.push(waiting.key.clone());
                    waiting.tell_failure(&not_taken());
                }
                None => left.push(waiting),
            }
        }
        self.waiting = left;
        if !withdrawn.is_empty() {
            inbox::remove(&self.setup.store, &withdrawn).await?;
        }
        Ok(())
    }
}

impl Waiting {
    /// What the sequencer made of it; `None` while that is open.
    async fn answer(&self, store: &Snapshot, log: &Log, known: &mut Tiles) -> Result<Option<Answer>, RecordError> {
        match &self.what {
            What::Snapshot { .. } => {
                let is_open = inbox::has(store, &self.key).await?;
                let answer = match log.published() {
                    Some(_) => Ok(()),
                    None => Err(AppendError::Unwitnessed),
                };
                Ok((!is_open).then_some(Answer::Snapshot(answer)))
            }
            What::Append { submission, .. } => {
                let Some(index) = index_of(store, submission.hash).await? else {
                    let is_open = inbox::has(store, &self.key).await?;
                    return Ok((!is_open).then(|| Answer::Append(Err(refused(log, submission)))));
                };
                if let Some(head) = log.last_published().filter(|head| index < head.size()) {
                    let proof = head.proof(store, index, known).await?.to_string();
                    return Ok(Some(Answer::Append(Ok(Appended { index, proof }))));
                }
                let hash = submission.hash;
                let is_late = self.since.elapsed() >= WITNESSED_WITHIN;
                Ok(is_late.then_some(Answer::Append(Err(AppendError::Pending { index, hash }))))
            }
        }
    }

    fn tell(self, answer: Answer) {
        // Whoever no longer waits for the answer has gone.
        match (self.what, answer) {
            (What::Append { reply, .. }, Answer::Append(answer)) => drop(reply.send(answer)),
            (What::Snapshot { reply }, Answer::Snapshot(answer)) => drop(reply.send(answer)),
            (What::Append { .. }, Answer::Snapshot(_)) | (What::Snapshot { .. }, Answer::Append(_)) => {}
        }
    }

    fn tell_failure(self, error: &AppendError) {
        match self.what {
            What::Append { reply, .. } => drop(reply.send(Err(error.clone()))),
            What::Snapshot { reply } => drop(reply.send(Err(error.clone()))),
        }
    }
}

/// Why the sequencer did not take an entry: the same rules, asked here.
fn refused(log: &Log, submission: &Submission) -> AppendError {
    // One that is acceptable by now is sent again, and finds out.
    log.refusal(&submission.leaf)
        .map_or_else(not_taken, AppendError::Refused)
}

fn not_taken() -> AppendError {
    AppendError::Failed(Arc::new(SealError::NotSequencer))
}
