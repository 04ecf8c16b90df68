//! Why a change of the hub's state was not made.

use server::Problem;
use thiserror::Error;

use crate::directory::DirectoryError;
use crate::evidence::AppendError;
use crate::evidence::ReadError;
use crate::protocol::consent::ConsentError;
use crate::protocol::consent::HolderKeyError;
use crate::protocol::grant::AccessError;
use crate::protocol::publication::PublicationError;
use crate::protocol::statement::StatementError;
use crate::store::StoreFailure;

/// A statement that the hub does not act upon, or cannot.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FlowError {
    /// The rules of access: the sender's fault.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Somebody else was faster, or the statement was used before: the sender looks again.
    #[error("expected a statement that was not used before, about something that nobody else is changing")]
    Changed,
    /// The rules of consent: the sender's fault.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The directory of agencies.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The evidence cannot be written, so nothing is done.
    #[error("the evidence log cannot be written, and without evidence nothing is done")]
    EvidenceUnavailable {
        /// Why, for the log.
        reason: String,
    },
    /// The person's key: the sender's fault.
    #[error(transparent)]
    HolderKey(#[from] HolderKeyError),
    /// The agency is not admitted for this.
    #[error("expected an agency that the registry admits as {role}")]
    NotAdmitted {
        /// As what.
        role: &'static str,
    },
    /// What the statement is about does not exist.
    #[error("expected {what} that the hub knows")]
    NotFound {
        /// What.
        what: &'static str,
    },
    /// The rules of publication: the source's fault.
    #[error(transparent)]
    Publication(#[from] PublicationError),
    /// The evidence log cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The statement itself: the sender's fault.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFailure),
    /// The key is not one of an agency of this federation.
    #[error("expected a key that the DID document of an agency names")]
    UnknownKey,
}

impl From<AppendError> for FlowError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Changed => Self::Changed,
            AppendError::Unavailable { reason } => Self::EvidenceUnavailable { reason },
        }
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        use axum::http::StatusCode as Code;
        let told = |status, kind, title| Self::new(status, kind, title).detail(server::problem::chain(&error));
        match &error {
            FlowError::Access(access) => match access {
                AccessError::NotYours { .. } => {
                    told(Code::FORBIDDEN, "not-yours", "Another agency has the say in this.")
                }
                AccessError::State { .. } => told(Code::CONFLICT, "grant-state", "The grant is in another state."),
                AccessError::Fields { .. }
                | AccessError::NoSubject
                | AccessError::Text { .. }
                | AccessError::ValidUntil { .. } => {
                    told(Code::UNPROCESSABLE_ENTITY, "terms", "The terms cannot be accepted.")
                }
            },
            FlowError::Changed => told(
                Code::CONFLICT,
                "changed",
                "The statement was used before, or what it is about has changed. Nothing was changed now.",
            ),
            FlowError::Consent(consent) => match consent {
                ConsentError::NotYours => told(Code::FORBIDDEN, "not-yours", "Another person has the say in this."),
                ConsentError::Withdrawn => told(Code::CONFLICT, "consent-state", "The consent was withdrawn before."),
                ConsentError::Subject => told(Code::FORBIDDEN, "consent-key", "The key is not known as the subject's."),
                ConsentError::Consumer | ConsentError::Fields | ConsentError::Purpose | ConsentError::Source => {
                    told(Code::UNPROCESSABLE_ENTITY, "terms", "The terms cannot be accepted.")
                }
            },
            FlowError::EvidenceUnavailable { .. } => evidence_unavailable(),
            FlowError::HolderKey(_) => told(Code::FORBIDDEN, "consent-key", "The key is not known as the subject's."),
            FlowError::NotAdmitted { .. } => {
                told(Code::FORBIDDEN, "not-admitted", "The agency is not admitted for this.")
            }
            FlowError::NotFound { .. } => {
                told(Code::NOT_FOUND, "not-found", "What the statement is about is not here.")
            }
            FlowError::Publication(publication) => match publication {
                PublicationError::NotYours => told(Code::FORBIDDEN, "not-yours", "The API belongs to another source."),
                PublicationError::VersionTaken => told(Code::CONFLICT, "version-taken", "The version is published."),
                PublicationError::OpenApi(_)
                | PublicationError::Scope
                | PublicationError::Subject { .. }
                | PublicationError::SubjectMissing
                | PublicationError::Upstream => told(
                    Code::UNPROCESSABLE_ENTITY,
                    "terms",
                    "The API cannot be published like this.",
                ),
            },
            FlowError::Statement(_) => told(Code::BAD_REQUEST, "statement", "The statement is not taken."),
            FlowError::UnknownKey => told(Code::FORBIDDEN, "unknown-key", "The key is not known as an agency's."),
            FlowError::Directory(_) | FlowError::Read(_) | FlowError::Store(_) => Self::internal(&error),
        }
    }
}

/// "An audit-relevant action must not be performed if the audit log cannot be written."
pub(crate) fn evidence_unavailable() -> Problem {
    Problem::new(
        axum::http::StatusCode::SERVICE_UNAVAILABLE,
        "evidence-unavailable",
        "The evidence log cannot be written, and without evidence nothing is done. Try again later.",
    )
}
