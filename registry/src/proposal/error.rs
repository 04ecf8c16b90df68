//! Why nothing was proposed, or a signature not counted.

use store::CommitError;
use store::records::RecordError;
use thiserror::Error;
use trust::entry::AssembleError;
use trust::entry::DecodeError;
use trust::state::Refusal;

use super::BodyError;
use crate::blobs::BlobError;
use crate::submission::AppendError;

/// Nothing was proposed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// The proposed authority is none: the proposer's fault.
    #[error("expected an authority of the policy, found {found}")]
    Authority {
        /// Its name.
        found: String,
    },
    /// The contents do not fit: the proposer's fault.
    #[error("the documents do not fit the schema")]
    Blob(#[from] BlobError),
    /// The JSON says no entry: the proposer's fault.
    #[error("the proposal cannot be read")]
    Body(#[from] BodyError),
    /// The entry that it says would not be well formed: the proposer's fault.
    #[error("the proposed entry is not well formed")]
    Decode(#[from] DecodeError),
    /// The Policy would be what it is, and there is no recovery that it would cancel: the proposer's fault.
    #[error("expected a policy that changes something or cancels a recovery, found the one in force")]
    NoChange,
    /// The registry's rules would refuse the Policy, whoever approves it: the proposer's fault.
    #[error("the registry's rules refuse the policy")]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error("the proposal was not saved")]
    Store(#[from] RecordError),
}

/// A signature was not counted, or the entry not appended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// The log did not take the finished entry. When the rules refuse it, the proposal has ended.
    #[error("the approved entry was not appended")]
    Append(#[from] AppendError),
    /// The signatures make no entry: ours or the draft's fault.
    #[error("the approved entry cannot be assembled")]
    Assemble(#[from] AssembleError),
    /// The bytes are no signature: the sender's fault.
    #[error("the approval is not a signature")]
    Decode(#[from] DecodeError),
    /// The proposal has ended.
    #[error("expected an open proposal, found one that is {found}")]
    Ended {
        /// How it ended.
        found: &'static str,
    },
    /// The policy has changed since it was proposed, so that its signatures would not count.
    #[error("the policy has changed since this was proposed; propose it anew")]
    OtherPolicy,
    /// The signer has signed before.
    #[error("{signer} has approved this already; another signer is needed")]
    Repeated {
        /// The officer, or the digest of the recovery key.
        signer: String,
    },
    /// Not a signature over this draft by one who may approve it: the sender's fault.
    #[error("the signature does not count")]
    Signature(#[source] Refusal),
    /// The store failed.
    #[error("the approval was not saved")]
    Store(#[from] RecordError),
    /// There is no such proposal.
    #[error("expected the id of a proposal, found {found}")]
    UnknownProposal {
        /// The id.
        found: u64,
    },
}

impl From<Refusal> for ApprovalError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Policy { .. } => Self::OtherPolicy,
            refusal => Self::Signature(refusal),
        }
    }
}

impl From<CommitError> for ApprovalError {
    fn from(error: CommitError) -> Self {
        Self::Store(error.into())
    }
}
