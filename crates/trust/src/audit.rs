//! Auditing: the whole log replayed by somebody who trusts nobody that serves it.
//!
//! An [`Audit`] is given the log's leaves in their order and at the end its checkpoint, and says the first thing that is
//! wrong: an entry against the rules, a tree that is not that of the entries, signatures or cosignatures that the Policy
//! in force does not accept, a Snapshot that is not there. All of it is public and anybody can repeat it.
//!
//! A [`Violation`] says that what was read does not hold. Whether the log is at fault or whoever served it, shows when
//! the same is read from elsewhere: what the log signed is proof against it, and what somebody serves in its name is not.
//!
//! Out of scope: reading the log, and whether its time is now.

use thiserror::Error;

use crate::anchor::Anchor;
use crate::checkpoint::SignedCheckpoint;
use crate::merkle::Hash;
use crate::merkle::leaf_hash;
use crate::state::PolicyRecord;
use crate::state::Refusal;
use crate::state::State;
use crate::tiles::Tile;
use crate::tiles::TreeEdge;
use crate::tlog_policy::TlogPolicy;
use crate::tlog_policy::WitnessError;
use crate::tlog_policy::WitnessedCheckpoint;

/// What an auditor knows after some of the leaves.
#[derive(Clone, Debug)]
pub struct Audit {
    state: State,
    edge: TreeEdge,
    /// A checkpoint of before that the log is held to, until its size is reached.
    earlier: Option<SignedCheckpoint>,
}

/// What an audit found true.
#[derive(Clone, Debug)]
pub struct Audited {
    /// The state that the entries come to.
    pub state: State,
    /// The right edge of the tree.
    pub edge: TreeEdge,
    /// The checkpoint, and since when a quorum of witnesses knows it.
    pub checkpoint: WitnessedCheckpoint,
}

/// The first thing that is wrong with what was read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Violation {
    /// The Policy in force does not accept the checkpoint's signatures.
    #[error("the checkpoint of size {size} is not signed and cosigned as the policy in force demands")]
    Checkpoint {
        /// Its size.
        size: u64,
        /// Why.
        #[source]
        source: WitnessError,
    },
    /// What was given as an earlier checkpoint was never this log's: the fault of who gave it.
    #[error("expected an earlier checkpoint that this log signed, found another")]
    Earlier,
    /// The state machine refuses an entry.
    #[error("the entry of index {index} is invalid")]
    Entry {
        /// Its index.
        index: u64,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// A signed root is not that of the entries: the log shows different entries to different people, or at
    /// different times.
    #[error("expected the root {expected} at size {size}, which the entries give, found {found} signed")]
    Fork {
        /// The size of the tree.
        size: u64,
        /// What the entries give.
        expected: Hash,
        /// What the log signed.
        found: Hash,
    },
    /// The last leaf is no Snapshot.
    #[error("expected a Snapshot as the last of {size} entries, found another entry or none")]
    NoSnapshot {
        /// The size of the tree.
        size: u64,
    },
    /// The checkpoint is of another log than the anchor's.
    #[error("expected a checkpoint of {expected}, found one of {found}")]
    Origin {
        /// The anchor's.
        expected: String,
        /// The checkpoint's.
        found: String,
    },
    /// The log is shorter than it was.
    #[error("expected a log of at least {expected} entries, as it signed before, found {found}")]
    Rollback {
        /// Size of the earlier checkpoint.
        expected: u64,
        /// Size of this one.
        found: u64,
    },
    /// A tile has other hashes than the entries.
    #[error("expected the hashes of the entries in {tile}, found others")]
    Tile {
        /// Which one.
        tile: Tile,
    },
}

impl Audit {
    /// An audit of the log with this anchor, from its first entry on.
    #[must_use]
    pub fn new(anchor: Anchor) -> Self {
        Self {
            state: State::new(anchor),
            edge: TreeEdge::default(),
            earlier: None,
        }
    }

    /// Holds the log to a checkpoint that it signed before: what was then in the tree must be there still.
    ///
    /// # Errors
    /// [`Violation::Earlier`] for a checkpoint of another log. Its signature is checked with the Policy that is in force
    /// at its size.
    pub fn since(mut self, earlier: SignedCheckpoint) -> Result<Self, Violation> {
        if earlier.unverified().origin() != self.state.anchor().origin() {
            return Err(Violation::Earlier);
        }
        // The empty tree has one root, and nothing can be changed in it.
        self.earlier = Some(earlier).filter(|earlier| earlier.unverified().size() > 0);
        Ok(self)
    }

    /// Takes the next leaf. A hash tile that is full with it is handed to `full`, to be compared with the log's.
    ///
    /// # Errors
    /// [`Violation::Entry`], [`Violation::Earlier`], or [`Violation::Fork`] against the earlier checkpoint.
    pub fn leaf(&mut self, leaf: &[u8], full: impl FnMut(Tile, Vec<Hash>)) -> Result<(), Violation> {
        let index = self.edge.size();
        self.state
            .apply(index, leaf)
            .map_err(|refusal| Violation::Entry { index, refusal })?;
        self.edge.append(leaf_hash(leaf), full);
        match self
            .earlier
            .take_if(|earlier| earlier.unverified().size() == self.edge.size())
        {
            Some(earlier) => self.check_earlier(&earlier),
            None => Ok(()),
        }
    }

    /// How many leaves were taken.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Judges the log's checkpoint, to which the leaves have led.
    ///
    /// # Errors
    /// [`Violation`].
    pub fn finish(self, checkpoint: &SignedCheckpoint) -> Result<Audited, Violation> {
        let claimed = checkpoint.unverified();
        let anchor = self.state.anchor();
        if claimed.origin() != anchor.origin() {
            return Err(Violation::Origin {
                expected: anchor.origin().to_owned(),
                found: claimed.origin().to_owned(),
            });
        }
        let size = self.size();
        let no_snapshot = || Violation::NoSnapshot { size };
        let policy = self.state.policy().ok_or_else(no_snapshot)?;
        let witnessed = policy
            .witnesses()
            .verify_with(checkpoint, &policy.body().state_quorum)
            .map_err(|source| Violation::Checkpoint { size, source })?;
        if let Some(earlier) = &self.earlier {
            let expected = earlier.unverified().size();
            return Err(Violation::Rollback { expected, found: size });
        }
        let root = self.edge.root();
        if (claimed.size(), claimed.root()) != (size, root) {
            return Err(Violation::Fork {
                size,
                expected: root,
                found: claimed.root(),
            });
        }
        // That it is the right one, the state machine has checked.
        let last = self.state.clock().and_then(|clock| clock.index.checked_add(1));
        if last != Some(size) {
            return Err(no_snapshot());
        }
        Ok(Audited {
            state: self.state,
            edge: self.edge,
            checkpoint: witnessed,
        })
    }

    /// The log signed it, and what it signed is the tree up to here.
    fn check_earlier(&self, earlier: &SignedCheckpoint) -> Result<(), Violation> {
        let policy = self.state.policy().map(PolicyRecord::witnesses);
        let logs = policy.map_or(&[][..], TlogPolicy::logs);
        if earlier.verify_log(logs).is_err() {
            return Err(Violation::Earlier);
        }
        let (expected, found) = (self.edge.root(), earlier.unverified().root());
        if expected != found {
            return Err(Violation::Fork {
                size: self.size(),
                expected,
                found,
            });
        }
        Ok(())
    }
}
