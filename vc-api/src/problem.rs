//! What a caller is told when something is refused: problem details
//! ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)) with the types of the standard that was broken. The members
//! `verified` and `problemDetails` are those of the VC API's own answers.

use axum::Json;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::vc::DataModelError;
use credential::vc::ProblemType;
use credential::vc_jwt::VcJwtError;
use credential::vc_jwt::VpJwtError;
use keys::json::JsonError;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use crate::resolve::ResolveError;

/// Of [Controlled Identifiers](https://www.w3.org/TR/cid-1.0/#retrieve-verification-method); the other types of standards
/// are [`ProblemType`].
const INVALID_VERIFICATION_METHOD: &str = "https://w3id.org/security#INVALID_VERIFICATION_METHOD";
/// Types of our own, as `server::Problem` has them.
const OWN: &str = "https://attestry.example/problems/";

/// One thing that is wrong, or that the caller should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Details {
    problem_type: String,
    detail: String,
}

/// The answer to a request that was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No request that we serve: access, unknown names, our own failures.
    Service(Problem),
    /// What was sent is refused. Whether it was to be verified.
    Input { details: Details, was_verification: bool },
}

impl Details {
    /// A problem with a type of the standards.
    pub(crate) fn typed(problem_type: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            problem_type: problem_type.as_str().to_owned(),
            detail: detail.into(),
        }
    }

    /// The same for an error, with its causes.
    pub(crate) fn of(problem_type: ProblemType, error: &dyn std::error::Error) -> Self {
        Self::typed(problem_type, server::problem::chain(error))
    }

    /// Not what is read at this place.
    pub(crate) fn parsing(detail: impl Into<String>) -> Self {
        Self::typed(ProblemType::ParsingError, detail)
    }

    /// The request itself is malformed.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::typed(ProblemType::MalformedValueError, detail)
    }

    /// The request is not what the endpoint reads.
    pub(crate) fn unreadable(error: &JsonError) -> Self {
        Self::parsing(error.to_string())
    }

    /// Something that no standard has a type for.
    pub(crate) fn own(kind: &str, detail: impl Into<String>) -> Self {
        Self {
            problem_type: format!("{OWN}{kind}"),
            detail: detail.into(),
        }
    }

    /// The short name: the last part of the type.
    fn title(&self) -> &str {
        self.problem_type.rsplit(['#', '/']).next().unwrap_or_default()
    }

    pub(crate) fn to_value(&self) -> Value {
        json!({"type": self.problem_type, "title": self.title(), "detail": self.detail})
    }

    /// Nothing was issued, derived or changed.
    pub(crate) const fn refuse(self) -> Refusal {
        Refusal::Input {
            details: self,
            was_verification: false,
        }
    }

    /// What was sent does not verify.
    pub(crate) const fn not_verified(self) -> Refusal {
        Refusal::Input {
            details: self,
            was_verification: true,
        }
    }
}

impl From<&LdpVcError> for Details {
    fn from(error: &LdpVcError) -> Self {
        Self::of(error.problem_type(), error)
    }
}

impl From<&LdpVpError> for Details {
    fn from(error: &LdpVpError) -> Self {
        Self::of(error.problem_type(), error)
    }
}

impl From<&DataModelError> for Details {
    fn from(error: &DataModelError) -> Self {
        Self::of(error.problem_type(), error)
    }
}

impl From<&VcJwtError> for Details {
    fn from(error: &VcJwtError) -> Self {
        Self::of(error.problem_type(), error)
    }
}

impl From<&VpJwtError> for Details {
    fn from(error: &VpJwtError) -> Self {
        Self::of(error.problem_type(), error)
    }
}

impl From<&ResolveError> for Details {
    fn from(error: &ResolveError) -> Self {
        Self {
            problem_type: INVALID_VERIFICATION_METHOD.to_owned(),
            detail: server::problem::chain(error),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Service(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (details, was_verification) = match self {
            Self::Service(problem) => return problem.into_response(),
            Self::Input {
                details,
                was_verification,
            } => (details, was_verification),
        };
        let status = StatusCode::BAD_REQUEST;
        let one = details.to_value();
        let mut body = one.clone();
        if let Value::Object(body) = &mut body {
            body.insert("status".to_owned(), status.as_u16().into());
            body.insert("problemDetails".to_owned(), json!([one]));
            if was_verification {
                body.insert("verified".to_owned(), Value::Bool(false));
            }
        }
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
