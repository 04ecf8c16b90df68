//! Snapshots: where time enters the log, and what a bundle hangs on.

use keys::Timestamp;

use super::Head;
use super::Projecting;
use super::Refusal;
use super::State;
use crate::entry::AssembleError;
use crate::entry::Body;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::SnapshotBody;
use crate::merkle::Hash;

/// The last Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Its index in the log.
    pub index: u64,
    /// Its leaf hash.
    pub entry: Hash,
    /// Counts Snapshots from 0.
    pub epoch: u64,
    /// When it was made.
    pub time: Timestamp,
    /// When the next one is meant to come.
    pub next_update: Timestamp,
    /// Not to be used at all from then on.
    pub hard_expiry: Timestamp,
}

/// The times that the log operator chooses for a Snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotTimes {
    /// Now.
    pub time: Timestamp,
    /// When the next one is meant to come.
    pub next_update: Timestamp,
    /// Not to be used at all from then on.
    pub hard_expiry: Timestamp,
}

impl Clock {
    pub(crate) const fn of(index: u64, entry: Hash, body: &SnapshotBody) -> Self {
        let SnapshotBody {
            epoch,
            time,
            next_update,
            hard_expiry,
            ..
        } = *body;
        Self {
            index,
            entry,
            epoch,
            time,
            next_update,
            hard_expiry,
        }
    }

    pub(super) const fn head(&self) -> Head {
        Head {
            seq: self.epoch,
            entry: self.entry,
            index: self.index,
            time: self.time,
        }
    }
}

impl State {
    /// The leaf of the Snapshot of this state: the next entry of the log, at these times.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn snapshot(&self, times: SnapshotTimes, projecting: Projecting) -> Result<Vec<u8>, AssembleError> {
        let origin = self.anchor().origin();
        let (seq, prev) = self.next_in_chain(EntryType::Snapshot, origin);
        let SnapshotTimes {
            time,
            next_update,
            hard_expiry,
        } = times;
        let body = SnapshotBody {
            state: self.digest(),
            sections: self.sections(),
            covered: self.size(),
            epoch: seq,
            time,
            next_update,
            hard_expiry,
            projections: self
                .next_projections(time, projecting)
                .map(|projections| projections.digests().clone()),
        };
        Entry::without_approval(origin, origin, seq, prev, &Body::Snapshot(body))
    }

    pub(super) fn apply_snapshot(&mut self, entry: &Entry, body: &SnapshotBody) -> Result<(), Refusal> {
        let origin = self.anchor().origin();
        if entry.subject() != origin || entry.ns() != origin {
            return Err(Refusal::Identity {
                member: "subject",
                expected: "the origin",
            });
        }
        if body.time < self.time() {
            return Err(Refusal::TimeGoesBack {
                earliest: self.time(),
                found: body.time,
            });
        }
        if body.time >= body.next_update || body.next_update > body.hard_expiry {
            return Err(Refusal::Snapshot {
                expected: "time, next update and hard expiry in this order",
            });
        }
        if body.covered != self.size() {
            return Err(Refusal::Snapshot {
                expected: "all entries before it covered",
            });
        }
        if body.epoch != entry.seq() {
            return Err(Refusal::Snapshot {
                expected: "its sequence number as the epoch",
            });
        }
        if body.sections != self.sections() || body.state != self.digest() {
            return Err(Refusal::StateDigest {
                expected: self.digest(),
                found: body.state,
            });
        }
        self.projections = self.check_projections(body)?;
        self.clock = Some(Clock::of(self.size(), entry.hash(), body));
        Ok(())
    }
}
