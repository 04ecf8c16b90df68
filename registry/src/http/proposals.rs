//! Governance: an operator proposes with the administrative token, officers approve with their keys, and holders of
//! recovery keys with theirs.
//!
//! Proposals and approvals are open to read and to send: what counts is a signature, and no token stands for one.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::base64url;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;
use server::problem::chain;

use super::append_problem;
use crate::Approval;
use crate::ApprovalError;
use crate::Proposal;
use crate::ProposalError;
use crate::ProposalState;
use crate::Registry;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApprovalRequest {
    signature: String,
}

/// `GET /registry/proposals`
pub(super) async fn list(State(registry): State<Registry>) -> Result<Json<Value>, Problem> {
    let proposals = registry.proposals().await.map_err(|error| Problem::internal(&error))?;
    let proposals: Vec<Value> = proposals.iter().map(describe).collect();
    let mut answer = json!({ "proposals": proposals });
    // Here everybody looks, and the delay of a recovery is for them to look.
    if let (Some(pending), Some(members)) = (registry.pending_recovery(), answer.as_object_mut()) {
        members.insert("pending_recovery".to_owned(), pending.to_json());
    }
    Ok(Json(answer))
}

/// `POST /registry/proposals`
pub(super) async fn create(
    _: Admin,
    State(registry): State<Registry>,
    StrictJson(body): StrictJson<Value>,
) -> Result<Response, Problem> {
    let proposal = registry.propose(body).await.map_err(|error| proposal_problem(&error))?;
    tracing::info!(proposal = proposal.id, summary = proposal.summary, "proposed");
    Ok((StatusCode::CREATED, Json(describe(&proposal))).into_response())
}

/// `GET /registry/proposals/{id}`
pub(super) async fn get(State(registry): State<Registry>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let proposal = registry
        .proposal(number(&id)?)
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(Json(describe(&proposal.ok_or_else(unknown)?)))
}

/// `POST /registry/proposals/{id}/approvals`
pub(super) async fn approve(
    State(registry): State<Registry>,
    Path(id): Path<String>,
    StrictJson(request): StrictJson<ApprovalRequest>,
) -> Result<Json<Value>, Problem> {
    let malformed = || Problem::new(StatusCode::BAD_REQUEST, "malformed", "The signature must be base64url.");
    let signature = base64url::decode(&request.signature).map_err(|_| malformed())?;
    let approval = registry
        .approve(number(&id)?, &signature)
        .await
        .map_err(|error| approval_problem(&error))?;
    tracing::info!(proposal = id, ?approval, "approved");
    Ok(Json(match approval {
        Approval::Waiting { found, needed } => json!({"id": id, "state": "open", "found": found, "needed": needed}),
        Approval::Appended { index } => json!({"id": id, "state": "appended", "index": index}),
    }))
}

/// A proposal as operators and officers see it. Officers' programs sign `draft`, after showing what it says.
fn describe(proposal: &Proposal) -> Value {
    let (index, reason) = match &proposal.state {
        ProposalState::Appended { index } => (Some(index), None),
        ProposalState::Refused { reason } => (None, Some(reason)),
        ProposalState::Open { .. } | ProposalState::Expired => (None, None),
    };
    let mut value = json!({
        "id": proposal.id.to_string(),
        "state": proposal.state.name(),
        "summary": proposal.summary,
        "draft": base64url::encode(proposal.draft.to_bytes()),
        "authority": proposal.draft.ns,
        "needed": proposal.needed,
        "approved_by": proposal.approved_by().collect::<Vec<_>>(),
        "expires_at": proposal.draft.expires.to_rfc3339(),
        "index": index,
        "reason": reason,
    });
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, member| !member.is_null());
    }
    value
}

/// Ids are numbers without leading zeros.
fn number(id: &str) -> Result<u64, Problem> {
    let number = id.parse::<u64>().ok().filter(|number| number.to_string() == id);
    number.ok_or_else(unknown)
}

fn unknown() -> Problem {
    Problem::not_found("a proposal of this id")
}

fn proposal_problem(error: &ProposalError) -> Problem {
    match error {
        ProposalError::Authority { .. }
        | ProposalError::Blob(_)
        | ProposalError::Body(_)
        | ProposalError::Decode(_)
        | ProposalError::NoChange => Problem::new(
            StatusCode::BAD_REQUEST,
            "proposal",
            "The body proposes no entry of the registry.",
        )
        .detail(chain(error)),
        ProposalError::Refused(refusal) => super::refused(refusal),
        ProposalError::Store(_) => Problem::internal(error),
    }
}

fn approval_problem(error: &ApprovalError) -> Problem {
    let problem = |status, kind, title| Problem::new(status, kind, title).detail(chain(error));
    match error {
        ApprovalError::Append(error) => append_problem(error),
        ApprovalError::Decode(_) => problem(StatusCode::BAD_REQUEST, "malformed", "The approval is not a signature."),
        ApprovalError::Ended { .. } | ApprovalError::OtherPolicy => problem(
            StatusCode::CONFLICT,
            "ended",
            "This proposal takes no approvals any more.",
        ),
        ApprovalError::Repeated { .. } => problem(
            StatusCode::CONFLICT,
            "repeated",
            "The signer has approved this already; another one is needed.",
        ),
        ApprovalError::Signature(_) => problem(
            StatusCode::FORBIDDEN,
            "signature",
            "The signature is not of one who may approve this.",
        ),
        ApprovalError::UnknownProposal { .. } => unknown(),
        ApprovalError::Assemble(_) | ApprovalError::Store(_) => Problem::internal(error),
    }
}
