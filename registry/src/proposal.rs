//! Proposals: drafts that wait for officers' signatures.
//!
//! An operator proposes, officers approve on their own machines with their own keys; the signature that
//! completes the quorum appends the entry. No token can approve. A proposal ends appended, expired or, when
//! the log has moved on, refused.

mod body;
mod member;
mod summary;

use keys::PublicKey;
use keys::Timestamp;
use keys::base64url;
use serde::Deserialize;
use serde::Serialize;
use store::CommitError;
use store::Direction;
use store::Transaction;
use store::records::RecordError;
use thiserror::Error;
use trust::entry::AccreditationBody;
use trust::entry::ApprovalSignature;
use trust::entry::AssembleError;
use trust::entry::Authority;
use trust::entry::Body;
use trust::entry::DecodeError;
use trust::entry::Draft;
use trust::entry::IncidentBody;
use trust::entry::Officer;
use trust::merkle::Hash;
use trust::state::PolicyRecord;
use trust::state::State;

use crate::Registry;
use crate::blobs;
use crate::blobs::BlobError;
use crate::store::damaged;
use crate::store::last_proposal;
use crate::store::proposal_key;
use crate::submission::AppendError;
pub use body::BodyError;

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
        /// Verified, each officer once.
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
    /// The officer has signed before.
    #[error("{signer} has approved this already; another officer is needed")]
    Repeated {
        /// The officer.
        signer: String,
    },
    /// Not the officer's signature over this draft, with the officer's key in the Policy.
    #[error("expected a signature of {signer} over this draft with the key in the policy, found another")]
    Signature {
        /// The officer.
        signer: String,
    },
    /// The store failed.
    #[error("the approval was not saved")]
    Store(#[from] RecordError),
    /// Nobody of that name may approve this.
    #[error("expected an officer of {authority}, found {found}")]
    Unknown {
        /// Whose approval counts.
        authority: String,
        /// Who signed.
        found: String,
    },
    /// There is no such proposal.
    #[error("expected the id of a proposal, found {found}")]
    UnknownProposal {
        /// The id.
        found: u64,
    },
}

/// What is stored: binary parts as base64url.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProposalRecord {
    draft: String,
    blobs: Vec<String>,
    state: RecordState,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RecordState {
    Open { signatures: Vec<String> },
    Appended { index: u64 },
    Expired,
    Refused { reason: String },
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
    };
    let body::Proposed {
        authority,
        subject,
        body,
        blobs,
    } = body::read(json, &present)?;
    let governing = policy.governing().map(|authority| authority.id.clone());
    let ns = authority.or(governing).unwrap_or_default();
    if policy.authority(&ns).is_none() {
        return Err(ProposalError::Authority { found: ns });
    }
    blobs::check(&body, blobs.clone())?;
    let draft = registry.draft_until(&ns, &subject, body, LIFETIME);
    // Reading it back applies every rule of form before anybody signs.
    let draft = Draft::parse(&draft.to_bytes())?;
    let proposal = Proposal {
        id: 0,
        summary: summary::of(&draft),
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
    verify(&registry.durable_state(), &proposal.draft, &signature)?;
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

/// That the signature is of an officer of the draft's authority, with the key in the Policy now; of a change of the Policy
/// by an officer who has committed to a next key, with that one.
fn verify(state: &State, draft: &Draft, signature: &ApprovalSignature) -> Result<(), ApprovalError> {
    let policy = state
        .policy()
        .filter(|policy| policy.hash() == draft.policy)
        .ok_or(ApprovalError::OtherPolicy)?;
    let signer = || signature.signer().to_owned();
    let officer = policy
        .body()
        .authority(&draft.ns)
        .and_then(|authority: &Authority| authority.officer(signature.signer()));
    let officer = officer.ok_or_else(|| ApprovalError::Unknown {
        authority: draft.ns.clone(),
        found: signer(),
    })?;
    let key = key_for(draft, officer, signature).filter(|key| {
        signature.algorithm() == key.algorithm()
            && policy.body().algorithms.contains(&signature.algorithm())
            && key.verify(&draft.message(), signature.signature()).is_ok()
    });
    match key {
        Some(_) => Ok(()),
        None => Err(ApprovalError::Signature { signer: signer() }),
    }
}

/// The key with which this officer has to sign.
fn key_for(draft: &Draft, officer: &Officer, signature: &ApprovalSignature) -> Option<PublicKey> {
    let next = officer.next.filter(|_| matches!(draft.body, Body::Policy(_)));
    match (next, signature.revealed_key()) {
        (None, None) => Some(officer.key.clone()),
        (Some(next), Some(revealed)) if Hash::digest(revealed.as_bytes()) == next => {
            PublicKey::from_multikey(revealed).ok()
        }
        (None | Some(_), _) => None,
    }
}

/// How many officers must sign: one in an emergency, the authority's quorum otherwise.
fn needed(draft: &Draft, state: &State) -> u64 {
    let emergency = matches!(
        draft.body,
        Body::Accreditation(AccreditationBody::Suspend { emergency: true, .. })
            | Body::Incident(IncidentBody::Declare { emergency: true, .. })
    );
    let authority = state.policy().and_then(|policy| policy.body().authority(&draft.ns));
    // No authority, no quorum: the state machine would refuse it.
    if emergency {
        1
    } else {
        authority.map_or(u64::MAX, |authority| authority.threshold)
    }
}

impl From<CommitError> for ApprovalError {
    fn from(error: CommitError) -> Self {
        Self::Store(error.into())
    }
}

impl Proposal {
    /// The officers who have approved, while it is open.
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

fn read(id: u64, bytes: &[u8], registry: &Registry) -> Result<Proposal, RecordError> {
    parse(id, bytes, &registry.durable_state(), registry.now()).ok_or_else(|| damaged(&format!("proposal/{id}")))
}

fn parse(id: u64, bytes: &[u8], state: &State, now: Timestamp) -> Option<Proposal> {
    let record: ProposalRecord = serde_json::from_slice(bytes).ok()?;
    let decode = |text: &String| base64url::decode(text).ok();
    let draft = Draft::parse(&decode(&record.draft)?).ok()?;
    let signature = |text: &String| ApprovalSignature::parse(&decode(text)?).ok();
    let stands = match record.state {
        RecordState::Open { .. } if now >= draft.expires => ProposalState::Expired,
        RecordState::Open { signatures } => ProposalState::Open {
            signatures: signatures.iter().map(signature).collect::<Option<_>>()?,
        },
        RecordState::Appended { index } => ProposalState::Appended { index },
        RecordState::Expired => ProposalState::Expired,
        RecordState::Refused { reason } => ProposalState::Refused { reason },
    };
    Some(Proposal {
        id,
        summary: summary::of(&draft),
        needed: needed(&draft, state),
        draft,
        state: stands,
        blobs: record.blobs.iter().map(decode).collect::<Option<_>>()?,
    })
}

fn save(tx: &Transaction, proposal: &Proposal) -> Result<(), RecordError> {
    let record = ProposalRecord {
        draft: base64url::encode(proposal.draft.to_bytes()),
        blobs: proposal.blobs.iter().map(base64url::encode).collect(),
        state: match &proposal.state {
            ProposalState::Open { signatures } => RecordState::Open {
                signatures: signatures
                    .iter()
                    .map(|signature| base64url::encode(signature.to_bytes()))
                    .collect(),
            },
            ProposalState::Appended { index } => RecordState::Appended { index: *index },
            ProposalState::Expired => RecordState::Expired,
            ProposalState::Refused { reason } => RecordState::Refused { reason: reason.clone() },
        },
    };
    let bytes = serde_json::to_vec(&record).map_err(|_| damaged("proposal"))?;
    Ok(tx.put(proposal_key(proposal.id), bytes)?)
}
