//! An entry on its way into the log: everything that can be judged without knowing the state.

use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;
use trust::entry::Body;
use trust::entry::DecodeError;
use trust::entry::Entry;
use trust::entry::MAX_ENTRY_BYTES;
use trust::entry::PolicyBody;
use trust::merkle::Hash;
use trust::state::Refusal;

use crate::blobs;
use crate::blobs::BlobError;
use crate::log::SealError;
use crate::setup::Setup;

/// A leaf of good form with all its contents.
pub(crate) struct Submission {
    pub(crate) leaf: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) blobs: BTreeMap<Hash, Vec<u8>>,
    policy: Option<Box<PolicyBody>>,
}

/// An entry was not appended.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum AppendError {
    /// The contents do not fit the entry: the sender's fault.
    #[error("the contents do not fit the entry")]
    Blob(#[from] BlobError),
    /// The service is shutting down.
    #[error("the registry is shutting down")]
    Closed,
    /// The leaf is no entry: the sender's fault.
    #[error("the leaf is no entry")]
    Decode(#[from] DecodeError),
    /// The store, a key or the witness failed: the environment's fault. The entry may be in the log already;
    /// whoever sends it again gets its index.
    #[error("the entry has no witnessed checkpoint yet; send it again")]
    Failed(#[source] Arc<SealError>),
    /// The entry is in the log for good, and too few witnesses have cosigned yet: the proof comes later.
    #[error("the entry has the index {index} and waits for witnesses")]
    Pending {
        /// Its index.
        index: u64,
        /// Its leaf hash, by which to ask again.
        hash: Hash,
    },
    /// The state machine refuses it, and so does everybody else's: the author's fault.
    #[error("the registry's rules refuse the entry")]
    Refused(#[source] Refusal),
    /// Only the log itself makes Snapshots: a stranger's could set the clock.
    #[error("expected an entry other than a Snapshot")]
    Snapshot,
    /// Larger than a leaf may be: the sender's fault.
    #[error("expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {found}")]
    TooLarge {
        /// Its size.
        found: usize,
    },
    /// Too few witnesses cosigned a moment ago: the environment's fault.
    #[error("too few witnesses cosigned a moment ago; they are asked again in half a minute")]
    Unwitnessed,
    /// The witnesses that a Policy demands do not cosign: the proposer's fault. Nothing could be published under it.
    #[error("expected a policy whose witnesses cosign this log now, found one whose witnesses do not")]
    Untried,
    /// A Policy with witnesses or a log key that this service does not have: nothing could be published
    /// under it.
    #[error("expected a policy with this log's key, and a URL for every witness but this service's own")]
    Unserviceable,
}

impl AppendError {
    /// Whether sending the same entry again later may help.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Closed | Self::Failed(_) | Self::Pending { .. } | Self::Unwitnessed => true,
            Self::Blob(_)
            | Self::Decode(_)
            | Self::Refused(_)
            | Self::Snapshot
            | Self::TooLarge { .. }
            | Self::Unserviceable
            | Self::Untried => false,
        }
    }
}

impl Submission {
    /// # Errors
    /// [`AppendError`], but neither `Refused` nor `Failed`.
    pub(crate) fn new(leaf: Vec<u8>, blobs: Vec<Vec<u8>>, setup: &Setup) -> Result<Self, AppendError> {
        if leaf.len() > MAX_ENTRY_BYTES {
            return Err(AppendError::TooLarge { found: leaf.len() });
        }
        let entry = Entry::parse(&leaf)?;
        match entry.body() {
            Body::Snapshot(_) => return Err(AppendError::Snapshot),
            Body::Policy(policy) if !setup.can_serve(policy) => return Err(AppendError::Unserviceable),
            Body::Policy(_)
            | Body::DidEvent(_)
            | Body::Accreditation(_)
            | Body::Recognition(_)
            | Body::Schema(_)
            | Body::StatusCommit(_)
            | Body::Incident(_)
            | Body::Tombstone(_) => {}
        }
        let blobs = blobs::check(entry.body(), blobs)?;
        let policy = match entry.body() {
            Body::Policy(policy) => Some(Box::new(policy.clone())),
            _ => None,
        };
        Ok(Self {
            hash: entry.hash(),
            leaf,
            blobs,
            policy,
        })
    }

    /// The Policy, if it is one.
    pub(crate) fn policy(&self) -> Option<&PolicyBody> {
        self.policy.as_deref()
    }

    /// What it adds to a transaction of the store.
    pub(crate) fn bytes(&self) -> usize {
        self.leaf.len() + self.blobs.values().map(Vec::len).sum::<usize>()
    }
}
