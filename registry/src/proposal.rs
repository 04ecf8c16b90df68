//! Proposals: drafts that wait for officers' signatures.
//!
//! An operator proposes, officers approve on their own machines with their own keys, a recovery those who hold its keys; the
//! signature that completes the quorum appends the entry. No token can approve. A proposal ends appended, expired or, when
//! the log has moved on, refused.

mod body;
mod error;
mod member;
mod record;
mod recovery;
mod summary;

use store::Direction;
use store::Transaction;
use store::records::RecordError;
use trust::entry::AccreditationBody;
use trust::entry::ApprovalSignature;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::IncidentBody;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::state::PolicyRecord;
use trust::state::State;

use crate::Registry;
use crate::blobs;
use crate::store::damaged;
use crate::store::last_proposal;
use crate::store::proposal_key;
pub use body::BodyError;
pub use error::ApprovalError;
pub use error::ProposalError;
use record::read;
use record::save;
pub use recovery::PendingRecovery;
pub use summary::duration;
pub use summary::summary;

/// A week: officers have weekends and holidays.
const LIFETIME: i64 = 7 * 86_400;

/// Proposals of one list. They expire after a week, so an older open one is not missed.
const MAX_LISTED: usize = 200;

/// A draft and how far it is.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Counts from 1.
    pub id: u64,
    /// What officers sign.
    pub draft: Draft,
    /// The draft in plain words, made from the draft itself.
    pub summary: String,
    /// How many signatures it takes.
    pub needed: u64,
    /// How far it is.
    pub state: ProposalState,
    /// The contents that the entry names.
    blobs: Vec<Vec<u8>>,
}

/// How far a proposal is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProposalState {
    /// It waits for signatures, or with all of them for the log to take it.
    Open {
        /// Verified, each signer once.
        signatures: Vec<ApprovalSignature>,
    },
    /// It is in the log.
    Appended {
        /// The index of its entry.
        index: u64,
    },
    /// Its time is over. What was signed cannot be used any more.
    Expired,
    /// The registry's rules refused the finished entry: the log has moved on. Propose it anew.
    Refused {
        /// What the rules said.
        reason: String,
    },
}

/// What a signature did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Approval {
    /// More signatures are needed.
    Waiting {
        /// How many there are.
        found: u64,
        /// How many it takes.
        needed: u64,
    },
    /// It was the last one.
    Appended {
        /// The index of the entry.
        index: u64,
    },
}

/// Saves a new proposal.
pub(crate) async fn propose(registry: &Registry, json: serde_json::Value) -> Result<Proposal, ProposalError> {
    let state = registry.durable_state();
    // A registry without a Policy does not open.
    let nobody = || ProposalError::Authority { found: String::new() };
    let policy = state.policy().map(PolicyRecord::body).ok_or_else(nobody)?;
    let setup = &registry.0.sequencer.setup;
    let present = body::Present {
        now: registry.now(),
        policy: (state.anchor().origin(), policy),
        second_log_key: setup.second.as_ref().map(|second| &second.verifier),
        publication_key: registry.0.publisher.key(),
    };
    let body::Proposed {
        authority,
        subject,
        body,
        blobs,
    } = body::read(json, &present)?;
    let governing = policy.governing().map(|authority| authority.id.clone());
    let ns = authority.or(governing).unwrap_or_default();
    // A recovery speaks for an authority that may be new.
    if !matches!(body, Body::Policy(_)) && policy.authority(&ns).is_none() {
        return Err(ProposalError::Authority { found: ns });
    }
    blobs::check(&body, blobs.clone())?;
    let draft = registry.draft_until(&ns, &subject, body, LIFETIME);
    // Reading it back applies every rule of form before anybody signs.
    let draft = Draft::parse(&draft.to_bytes())?;
    if let Body::Policy(new) = &draft.body {
        check_change(&state, &ns, (new, policy))?;
    }
    let proposal = Proposal {
        id: 0,
        summary: summary(&draft, &state),
        needed: needed(&draft, &state),
        draft,
        state: ProposalState::Open { signatures: Vec::new() },
        blobs,
    };
    let proposal = &proposal;
    let save = |tx: Transaction| async move {
        let id = last_proposal(&tx).await?.saturating_add(1);
        let proposal = Proposal { id, ..proposal.clone() };
        save(&tx, &proposal)?;
        Ok::<_, RecordError>(proposal)
    };
    Ok(registry.0.store.transact(save).await?)
}

/// That the rules would take this change of the Policy, and that there is a reason for it: officers shall not meet to sign
/// what is refused in the end.
fn check_change(state: &State, ns: &str, (new, in_force): (&PolicyBody, &PolicyBody)) -> Result<(), ProposalError> {
    state.check_next_policy(ns, new)?;
    if state.pending_recovery().is_none() && !summary::is_change(new, in_force) {
        return Err(ProposalError::NoChange);
    }
    Ok(())
}

/// The newest proposals.
pub(crate) async fn list(registry: &Registry) -> Result<Vec<Proposal>, RecordError> {
    let snapshot = registry.0.store.snapshot().await?;
    let mut proposals = Vec::new();
    for entry in snapshot.prefix("proposal/", MAX_LISTED, Direction::Reverse).await? {
        let number = entry.key.last_chunk::<8>().ok_or_else(|| damaged("proposal"))?;
        proposals.push(read(u64::from_be_bytes(*number), &entry.value, registry)?);
    }
    Ok(proposals)
}

/// The proposal of this id.
pub(crate) async fn find(registry: &Registry, id: u64) -> Result<Option<Proposal>, RecordError> {
    let snapshot = registry.0.store.snapshot().await?;
    let bytes = snapshot.get(proposal_key(id)).await?;
    bytes.map(|bytes| read(id, &bytes, registry)).transpose()
}

/// Verifies and adds a signature; appends the entry when it was the last one.
pub(crate) async fn approve(registry: &Registry, id: u64, signature: &[u8]) -> Result<Approval, ApprovalError> {
    let signature = ApprovalSignature::parse(signature)?;
    let proposal = find(registry, id)
        .await?
        .ok_or(ApprovalError::UnknownProposal { found: id })?;
    registry.durable_state().check_approver(&proposal.draft, &signature)?;
    let signature = &signature;
    let proposal = registry
        .0
        .store
        .transact(|tx| async move {
            let bytes = tx.get(proposal_key(id)).await.map_err(RecordError::from)?;
            let bytes = bytes.ok_or(ApprovalError::UnknownProposal { found: id })?;
            let proposal = read(id, &bytes, registry)?.with(signature)?;
            save(&tx, &proposal)?;
            Ok::<_, ApprovalError>(proposal)
        })
        .await?;
    match proposal.quorum() {
        Some(signatures) => {
            let index = finish(registry, &proposal, signatures.to_vec()).await?;
            Ok(Approval::Appended { index })
        }
        None => Ok(Approval::Waiting {
            found: proposal.found(),
            needed: proposal.needed,
        }),
    }
}

/// Appends proposals that have all signatures and are still open: the process died, or the log could not
/// take them, after the last signature was saved.
pub(crate) async fn finish_approved(registry: &Registry) -> Result<(), RecordError> {
    for proposal in list(registry).await? {
        let Some(signatures) = proposal.quorum().map(<[_]>::to_vec) else {
            continue;
        };
        if let Err(error) = finish(registry, &proposal, signatures).await {
            tracing::warn!(proposal = proposal.id, cause = %server::problem::chain(&error), "approved, not appended");
        }
    }
    Ok(())
}

/// Appends the entry and notes how that ended. Doing it again gives the same index.
async fn finish(
    registry: &Registry,
    proposal: &Proposal,
    signatures: Vec<ApprovalSignature>,
) -> Result<u64, ApprovalError> {
    let leaf = proposal.draft.assemble(signatures)?;
    let appended = registry.append(leaf, proposal.blobs.clone()).await;
    let state = match &appended {
        Ok(appended) => ProposalState::Appended { index: appended.index },
        Err(error) if error.is_temporary() => return Ok(appended?.index),
        Err(error) => ProposalState::Refused {
            reason: server::problem::chain(error),
        },
    };
    let ended = &Proposal {
        state,
        ..proposal.clone()
    };
    registry.0.store.transact(|tx| async move { save(&tx, ended) }).await?;
    Ok(appended?.index)
}

/// How many must sign: one officer in an emergency, the authority's quorum otherwise; of a recovery as many recovery keys as
/// the Policy says. It is the Policy that the draft goes by, also when another one is in force by now.
fn needed(draft: &Draft, state: &State) -> u64 {
    let policy = state.policy_of(draft.policy).map(PolicyRecord::body);
    let needed = match &draft.body {
        Body::Accreditation(AccreditationBody::Suspend { emergency: true, .. })
        | Body::Incident(IncidentBody::Declare { emergency: true, .. }) => Some(1),
        Body::Policy(new) if new.kind == PolicyKind::Recovery => policy
            .and_then(|policy| policy.recovery.as_ref())
            .map(|recovery| recovery.threshold),
        _ => policy
            .and_then(|policy| policy.authority(&draft.ns))
            .map(|authority| authority.threshold),
    };
    // Nobody whose approval counts: the state machine would refuse it.
    needed.unwrap_or(u64::MAX)
}

impl Proposal {
    /// The officers, or of a recovery the digests of the keys, that have approved, while it is open.
    pub fn approved_by(&self) -> impl Iterator<Item = &str> {
        self.signatures().iter().map(ApprovalSignature::signer)
    }

    fn with(mut self, signature: &ApprovalSignature) -> Result<Self, ApprovalError> {
        let is_complete = self.quorum().is_some();
        match &mut self.state {
            // With all signatures there, one more would make it another entry.
            ProposalState::Open { .. } if is_complete => Ok(self),
            ProposalState::Open { signatures } => {
                if signatures.iter().any(|known| known.signer() == signature.signer()) {
                    return Err(ApprovalError::Repeated {
                        signer: signature.signer().to_owned(),
                    });
                }
                signatures.push(signature.clone());
                Ok(self)
            }
            ProposalState::Appended { .. } | ProposalState::Expired | ProposalState::Refused { .. } => {
                Err(ApprovalError::Ended {
                    found: self.state.name(),
                })
            }
        }
    }

    /// The signatures, if they suffice.
    fn quorum(&self) -> Option<&[ApprovalSignature]> {
        let signatures = self.signatures();
        (!signatures.is_empty() && self.found() >= self.needed).then_some(signatures)
    }

    fn found(&self) -> u64 {
        u64::try_from(self.signatures().len()).unwrap_or(u64::MAX)
    }

    fn signatures(&self) -> &[ApprovalSignature] {
        match &self.state {
            ProposalState::Open { signatures } => signatures,
            ProposalState::Appended { .. } | ProposalState::Expired | ProposalState::Refused { .. } => &[],
        }
    }
}

impl ProposalState {
    /// The name in answers.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Appended { .. } => "appended",
            Self::Expired => "expired",
            Self::Refused { .. } => "refused",
        }
    }
}
