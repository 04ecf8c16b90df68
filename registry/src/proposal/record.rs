//! Proposals in the store.

use keys::Timestamp;
use keys::base64url;
use serde::Deserialize;
use serde::Serialize;
use store::Transaction;
use store::records::RecordError;
use trust::entry::ApprovalSignature;
use trust::entry::Draft;
use trust::state::State;

use super::Proposal;
use super::ProposalState;
use super::needed;
use super::summary::summary;
use crate::Registry;
use crate::store::damaged;
use crate::store::proposal_key;

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

pub(super) fn read(id: u64, bytes: &[u8], registry: &Registry) -> Result<Proposal, RecordError> {
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
        summary: summary(&draft, state),
        needed: needed(&draft, state),
        draft,
        state: stands,
        blobs: record.blobs.iter().map(decode).collect::<Option<_>>()?,
    })
}

pub(super) fn save(tx: &Transaction, proposal: &Proposal) -> Result<(), RecordError> {
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
