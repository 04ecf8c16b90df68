//! The in-process state witness: a key and records of its own, and a re-execution of its own.
//!
//! It takes nothing from the log but entries and checkpoints. Its record is durable before it signs, so that
//! it never cosigns a fork or a smaller tree, whenever it dies and whatever the log's own keys say. That it
//! lives in the log's process and store makes it a witness against mistakes, not against the operator: for
//! that, the Policy names witnesses that run elsewhere.

use std::sync::Arc;
use std::sync::mpsc;

use keys::SignerError;
use keys::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use store::Snapshot;
use store::Transaction;
use store::records::RecordError;
use thiserror::Error;
use tokio::task::JoinError;
use tokio::task::JoinHandle;
use tokio::task::spawn_blocking;
use trust::Anchor;
use trust::checkpoint::SignedCheckpoint;
use trust::note::NoteSignature;
use trust::witness::StateWitness;
use trust::witness::WitnessRefusal;

use crate::lease::Term;
use crate::setup::Setup;
use crate::store::damaged;

/// Where the witness's record is; nothing else writes there.
const RECORD: &str = "witness/checkpoint";

pub(crate) struct Witness {
    setup: Arc<Setup>,
    state: StateWitness,
    /// The record as it must still be stored.
    record: Option<Vec<u8>>,
}

/// The witness's own execution of entries, on another thread: it goes on while the log judges and saves them.
pub(crate) struct Replay {
    leaves: mpsc::Sender<Vec<u8>>,
    outcome: JoinHandle<Result<StateWitness, WitnessRefusal>>,
}

impl Replay {
    pub(crate) fn add(&self, leaf: Vec<u8>) {
        // Whether it has stopped, and why, its outcome tells.
        drop(self.leaves.send(leaf));
    }

    async fn outcome(self) -> Result<StateWitness, WitnessError> {
        drop(self.leaves);
        Ok(self.outcome.await.map_err(WitnessError::Stopped)??)
    }
}

/// The last checkpoint that the witness agreed to, and its time then.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    checkpoint: String,
    time: Timestamp,
}

/// There is no cosignature.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The witness's record was changed by another process.
    #[error("expected the witness's record as it was left, and to be the sequencer; found another process at work")]
    OtherWitness,
    /// The log is not what the witness remembers, or breaks a rule.
    #[error("the witness refuses the checkpoint")]
    Refused(#[from] WitnessRefusal),
    /// The service is shutting down.
    #[error("the witness's execution of the entries was given up")]
    Stopped(#[source] JoinError),
    /// The record was not saved, so nothing was signed.
    #[error("the witness's record was not saved")]
    Record(#[from] RecordError),
    /// The key did not sign.
    #[error("the witness did not sign")]
    Signer(#[from] SignerError),
    /// The log is shorter than what the witness remembers: it was rolled back.
    #[error("expected a log of at least {expected} entries, as witnessed before, found {found}")]
    Rollback {
        /// Size of the witness's tree.
        expected: u64,
        /// Entries of the log.
        found: u64,
    },
}

impl Witness {
    /// A witness that has seen nothing.
    pub(crate) fn new(setup: Arc<Setup>, anchor: Anchor) -> Self {
        Self {
            setup,
            state: StateWitness::new(anchor),
            record: None,
        }
    }

    /// Brings the witness to where its record is, to which `leaves`, the log from `first` on, must lead.
    pub(crate) async fn catch_up(
        &mut self,
        snapshot: &Snapshot,
        first: u64,
        leaves: &[Vec<u8>],
    ) -> Result<(), WitnessError> {
        let record = snapshot.get(RECORD).await.map_err(RecordError::from)?;
        if record == self.record {
            return Ok(());
        }
        // Another one's record cannot go away: then the store was rolled back.
        let bytes = record.as_deref().ok_or_else(|| damaged(RECORD))?;
        let parsed: Record = serde_json::from_slice(bytes).map_err(|_| damaged(RECORD))?;
        let checkpoint = SignedCheckpoint::parse(parsed.checkpoint.as_bytes()).map_err(|_| damaged(RECORD))?;
        let expected = checkpoint.unverified().size();
        let found = first.saturating_add(u64::try_from(leaves.len()).unwrap_or(u64::MAX));
        let place = |size: u64| size.checked_sub(first).and_then(|size| usize::try_from(size).ok());
        let news = place(self.size()).zip(place(expected));
        let news = news.and_then(|(seen, end)| leaves.get(seen..end));
        let news = news.ok_or(WitnessError::Rollback { expected, found })?;
        // The request is dropped: this cosignature was given, or the process died before. Then the log
        // asks for the next one.
        let key = &self.setup.witness.verifier;
        (self.state, _) = self.state.advance(&checkpoint, news, parsed.time, key)?;
        self.record = record;
        Ok(())
    }

    /// How many entries it has seen: the next ones come from here.
    pub(crate) fn size(&self) -> u64 {
        self.state.tree().0
    }

    /// Begins to execute the leaves from [`Witness::size`] on, as they are added. Nothing is stated by that.
    pub(crate) fn replay(&self) -> Replay {
        let (leaves, added) = mpsc::channel::<Vec<u8>>();
        let mut next = self.state.clone();
        let outcome = spawn_blocking(move || {
            for leaf in added {
                next.follow(&leaf)?;
            }
            Ok(next)
        });
        Replay { leaves, outcome }
    }

    /// Judges the checkpoint to which a replay led, remembers it, and cosigns it, while this process is the sequencer.
    pub(crate) async fn cosign(
        &mut self,
        term: &Term,
        checkpoint: &SignedCheckpoint,
        replay: Replay,
    ) -> Result<NoteSignature, WitnessError> {
        let setup = self.setup.clone();
        let now = setup.clock.now();
        let next = replay.outcome().await?;
        let request = next.judge(checkpoint, now, &setup.witness.verifier)?;
        let record = Record {
            checkpoint: checkpoint.to_string(),
            time: now,
        };
        let record = serde_json::to_vec(&record).map_err(|_| damaged(RECORD))?;
        self.remember(term, &record).await?;
        self.record = Some(record);
        self.state = next;
        if !setup.lease.is_held(term) {
            return Err(WitnessError::OtherWitness);
        }
        Ok(setup.witness.signer.fulfil(request)?)
    }

    async fn remember(&self, term: &Term, record: &[u8]) -> Result<(), WitnessError> {
        let before = &self.record;
        let step = |tx: Transaction| async move {
            let unchanged = term.is_in_force(&tx).await? && tx.get(RECORD).await? == *before;
            if unchanged {
                tx.put(RECORD, record)?;
            }
            Ok::<_, RecordError>(unchanged)
        };
        if self.setup.store.transact(step).await? {
            Ok(())
        } else {
            Err(WitnessError::OtherWitness)
        }
    }
}
