//! The state witness: re-executes the registry and cosigns what it computed itself.
//!
//! A cosignature of a state witness says, besides what
//! [tlog-cosignature](https://c2sp.org/tlog-cosignature) says, that the last leaf of the checkpoint is the
//! Snapshot that replay of all entries gives, and that its time was within five minutes of the witness's
//! clock. Such a statement needs a key of its own.
//!
//! Out of scope: storing. A caller stores the returned witness before it fulfils the signing request, so
//! that it never signs a fork, whenever it dies.

use keys::SigningRequest;
use keys::Timestamp;
use thiserror::Error;

use crate::anchor::Anchor;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::SignedCheckpoint;
use crate::cosignature;
use crate::merkle::CompactTree;
use crate::merkle::Hash;
use crate::merkle::leaf_hash;
use crate::note::NoteError;
use crate::note::NoteSignature;
use crate::note::VerifierKey;
use crate::state::PolicyRecord;
use crate::state::Refusal;
use crate::state::State;

/// How far the time of a Snapshot may be from the witness's clock, in seconds, to either side.
pub const MAX_CLOCK_DIFFERENCE: i64 = 300;

/// What a state witness knows: everything up to its last checkpoint.
#[derive(Clone, Debug)]
pub struct StateWitness {
    state: State,
    tree: CompactTree,
}

/// Why a state witness does not cosign. Each but `Key` is the log's fault.
#[derive(Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessRefusal {
    /// The log did not sign the checkpoint.
    #[error("the checkpoint is not the log's")]
    Checkpoint(#[from] CheckpointError),
    /// The Snapshot's time is too far from the witness's clock.
    #[error("expected a snapshot time within {MAX_CLOCK_DIFFERENCE} seconds of {now}, found {found}", now = now.to_rfc3339(), found = found.to_rfc3339())]
    Clock {
        /// The witness's clock.
        now: Timestamp,
        /// Time of the Snapshot.
        found: Timestamp,
    },
    /// The state machine refuses an entry: proof that the log is broken.
    #[error("the entry of index {index} is invalid")]
    Entry {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// The root is not that of the entries: a fork, or other entries than the tree has.
    #[error("expected the root {expected}, found {found}")]
    Fork {
        /// What the entries give.
        expected: Hash,
        /// What the checkpoint says.
        found: Hash,
    },
    /// The witness's key is not one that cosigns.
    #[error("the key does not cosign")]
    Key(#[source] NoteError),
    /// The last leaf is not a Snapshot.
    #[error("expected a Snapshot as the last leaf of the checkpoint")]
    NoSnapshot,
    /// The checkpoint is older than the last one, or entries are missing.
    #[error("expected the {expected} entries that follow size {size}, found {found}")]
    Size {
        /// Size of the witness's tree.
        size: u64,
        /// How many entries lead to the checkpoint; 0 for an older one.
        expected: u64,
        /// How many were given.
        found: u64,
    },
}

impl StateWitness {
    /// A witness that has seen nothing of the log with this anchor.
    #[must_use]
    pub fn new(anchor: Anchor) -> Self {
        Self {
            state: State::new(anchor),
            tree: CompactTree::default(),
        }
    }

    /// Judges `checkpoint`, to which `entries` lead from the witness's last one, at the time `now`.
    ///
    /// Returns the witness as it then is and the request for its cosignature. Consistency is not taken from
    /// a proof: the root is recomputed over every leaf.
    ///
    /// # Errors
    /// [`WitnessRefusal`]; `self` stays as it was.
    pub fn advance(
        &self,
        checkpoint: &SignedCheckpoint,
        entries: &[Vec<u8>],
        now: Timestamp,
        key: &VerifierKey,
    ) -> Result<(Self, SigningRequest<NoteSignature>), WitnessRefusal> {
        let claimed = checkpoint.unverified();
        let size = self.tree.size();
        let expected = claimed.size().saturating_sub(size);
        let found = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if claimed.size() < size || found != expected {
            return Err(WitnessRefusal::Size { size, expected, found });
        }
        let mut next = self.clone();
        for leaf in entries {
            next.follow(leaf)?;
        }
        let request = next.judge(checkpoint, now, key)?;
        Ok((next, request))
    }

    /// Takes the next leaf of a log: for one that is too long to be at hand as a whole. Nothing is stated by that; what
    /// was followed counts when a checkpoint is judged with it, and is to be thrown away when that is refused.
    ///
    /// # Errors
    /// [`WitnessRefusal::Entry`].
    pub fn follow(&mut self, leaf: &[u8]) -> Result<(), WitnessRefusal> {
        let index = self.tree.size();
        self.state
            .apply(index, leaf)
            .map_err(|refusal| WitnessRefusal::Entry { index, refusal })?;
        self.tree.append(leaf_hash(leaf));
        Ok(())
    }

    /// Judges `checkpoint`, to which the leaves that were followed have led, at the time `now`. Returns the request for
    /// its cosignature.
    ///
    /// # Errors
    /// [`WitnessRefusal`].
    pub fn judge(
        &self,
        checkpoint: &SignedCheckpoint,
        now: Timestamp,
        key: &VerifierKey,
    ) -> Result<SigningRequest<NoteSignature>, WitnessRefusal> {
        let claimed = checkpoint.unverified();
        let size = self.tree.size();
        if claimed.size() != size {
            return Err(WitnessRefusal::Size {
                size,
                expected: claimed.size().saturating_sub(size),
                found: 0,
            });
        }
        self.check_log(checkpoint)?;
        if self.tree.root() != claimed.root() {
            return Err(WitnessRefusal::Fork {
                expected: self.tree.root(),
                found: claimed.root(),
            });
        }
        self.check_snapshot(now)?;
        cosignature::cosign(checkpoint, now, key).map_err(WitnessRefusal::Key)
    }

    /// The state that the witness has computed.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Size and root of its last checkpoint.
    #[must_use]
    pub fn tree(&self) -> (u64, Hash) {
        (self.tree.size(), self.tree.root())
    }

    /// The log signed the checkpoint as the Policy in force demands.
    fn check_log(&self, checkpoint: &SignedCheckpoint) -> Result<(), WitnessRefusal> {
        let anchor = std::slice::from_ref(self.state.anchor().log());
        let logs = self
            .state
            .policy()
            .map_or(anchor, |policy: &PolicyRecord| policy.witnesses().logs());
        checkpoint.verify_log(logs)?;
        Ok(())
    }

    /// The last leaf is a Snapshot of about now. That it is the right one, the state machine has checked.
    fn check_snapshot(&self, now: Timestamp) -> Result<(), WitnessRefusal> {
        let last = self
            .state
            .clock()
            .filter(|clock| clock.index.checked_add(1) == Some(self.tree.size()));
        let found = last.ok_or(WitnessRefusal::NoSnapshot)?.time;
        if now.seconds_since(found).abs() > MAX_CLOCK_DIFFERENCE {
            return Err(WitnessRefusal::Clock { now, found });
        }
        Ok(())
    }
}
