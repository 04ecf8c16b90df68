//! The in-process state witness: a key and records of its own, and a re-execution of its own.
//!
//! It takes nothing from the log but entries and checkpoints. Its record is durable before it signs, so that
//! it never cosigns a fork or a smaller tree, whenever it dies and whatever the log's own keys say. That it
//! lives in the log's process and store makes it a witness against mistakes, not against the operator: for
//! that, the Policy names witnesses that run elsewhere.

use std::sync::Arc;

use keys::SignerError;
use keys::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use store::CommitError;
use store::Snapshot;
use store::records::RecordError;
use thiserror::Error;
use trust::Anchor;
use trust::checkpoint::SignedCheckpoint;
use trust::note::NoteSignature;
use trust::witness::StateWitness;
use trust::witness::WitnessRefusal;

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
    #[error("expected the witness's record as it was left, found another")]
    OtherWitness,
    /// The log is not what the witness remembers, or breaks a rule.
    #[error("the witness refuses the checkpoint")]
    Refused(#[from] WitnessRefusal),
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
    /// The witness as its record says, which `leaves`, the whole log, must lead to.
    pub(crate) async fn open(
        setup: Arc<Setup>,
        anchor: Anchor,
        snapshot: &Snapshot,
        leaves: &[Vec<u8>],
    ) -> Result<Self, WitnessError> {
        let mut state = StateWitness::new(anchor);
        let record = snapshot.get(RECORD).await.map_err(RecordError::from)?;
        if let Some(bytes) = &record {
            let record: Record = serde_json::from_slice(bytes).map_err(|_| damaged(RECORD))?;
            let checkpoint = SignedCheckpoint::parse(record.checkpoint.as_bytes()).map_err(|_| damaged(RECORD))?;
            let expected = checkpoint.unverified().size();
            let found = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
            let witnessed = usize::try_from(expected).ok().and_then(|size| leaves.get(..size));
            let witnessed = witnessed.ok_or(WitnessError::Rollback { expected, found })?;
            // The request is dropped: this cosignature was given, or the process died before. Then the log
            // asks for the next one.
            (state, _) = state.advance(&checkpoint, witnessed, record.time, &setup.witness.verifier)?;
        }
        Ok(Self { setup, state, record })
    }

    /// How many entries it has seen: the next ones come from here.
    pub(crate) fn size(&self) -> u64 {
        self.state.tree().0
    }

    /// Judges the checkpoint to which `leaves` lead from [`Witness::size`] on, remembers it, and cosigns it.
    pub(crate) async fn cosign(
        &mut self,
        checkpoint: &SignedCheckpoint,
        leaves: &[Vec<u8>],
    ) -> Result<NoteSignature, WitnessError> {
        let setup = self.setup.clone();
        let now = setup.clock.now();
        let (next, request) = self.state.advance(checkpoint, leaves, now, &setup.witness.verifier)?;
        let record = Record {
            checkpoint: checkpoint.to_string(),
            time: now,
        };
        let record = serde_json::to_vec(&record).map_err(|_| damaged(RECORD))?;
        self.remember(&record).await?;
        self.record = Some(record);
        self.state = next;
        Ok(setup.witness.signer.fulfil(request)?)
    }

    async fn remember(&self, record: &[u8]) -> Result<(), WitnessError> {
        let save = async {
            let tx = self.setup.store.begin().await?;
            let unchanged = tx.get(RECORD).await? == self.record;
            if unchanged {
                tx.put(RECORD, record)?;
                tx.commit().await?;
            }
            Ok::<_, CommitError>(unchanged)
        };
        match save.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(WitnessError::OtherWitness),
            Err(error) => Err(WitnessError::Record(error.into())),
        }
    }
}
