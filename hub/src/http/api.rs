//! `/hub/api/{api}/{version}/...`: the data path.

use axum::body::Body;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use openid4vc::oauth::BearerErrorCode;
use openid4vc::oauth::bearer::challenge;
use server::Problem;

use crate::Hub;
use crate::error::evidence_unavailable;
use crate::exchange::Answer;
use crate::exchange::Failure;
use crate::exchange::Incoming;
use crate::exchange::exchange;
use crate::protocol::call::Refusal;

/// Names the record of evidence of a call, in each answer.
const EVIDENCE_HEADER: HeaderName = HeaderName::from_static("hub-evidence");

pub(super) async fn call(State(hub): State<Hub>, request: Request) -> Response {
    let limit = hub.config.max_body_bytes;
    let (parts, body) = request.into_parts();
    // The path as it came: decoding it twice, or by two decoders, is how checks get around.
    let rest = parts.uri.path().strip_prefix("/hub/api/").unwrap_or_default();
    let (api, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let (version, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let incoming = Incoming {
        api: api.to_owned(),
        version: version.to_owned(),
        method: parts.method.as_str().to_owned(),
        path: if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        },
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: to_bytes(body, limit).await.ok(),
    };
    let reply = exchange(hub, incoming).await;
    let is_recorded = !matches!(reply.result, Err(Failure::Evidence | Failure::Internal));
    let mut response = match reply.result {
        Ok(answer) => answered(answer),
        Err(failure) => refused(failure),
    };
    let id = HeaderValue::from_str(reply.evidence.as_str());
    if let (true, Ok(id)) = (is_recorded, id) {
        response.headers_mut().insert(EVIDENCE_HEADER, id);
    }
    response
}

fn answered(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let is_empty = answer.body.is_empty();
    let mut response = (status, Body::from(answer.body)).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if !is_empty {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn refused(failure: Failure) -> Response {
    let refusal = match failure {
        Failure::Evidence => return evidence_unavailable().into_response(),
        Failure::Internal => {
            return Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The hub could not do this now; try again later.",
            )
            .into_response();
        }
        Failure::Refused(refusal) => refusal,
    };
    let problem = Problem::new(status(&refusal), refusal.code(), title(&refusal)).detail(&refusal);
    let mut response = problem.into_response();
    let headers = response.headers_mut();
    let code = match &refusal {
        Refusal::TokenMissing => Some(None),
        Refusal::Token => Some(Some(BearerErrorCode::InvalidToken)),
        Refusal::Scope => Some(Some(BearerErrorCode::InsufficientScope)),
        Refusal::Method { allowed } => {
            let names: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
            headers.extend(
                HeaderValue::from_str(&names.join(", "))
                    .ok()
                    .map(|value| (header::ALLOW, value)),
            );
            None
        }
        _ => None,
    };
    if let Some(code) = code {
        let value = HeaderValue::from_str(&challenge(code, &refusal)).ok();
        headers.extend(value.map(|value| (header::WWW_AUTHENTICATE, value)));
    }
    response
}

impl Failure {
    /// The word for it in evidence.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Evidence => "evidence-unavailable",
            Self::Internal => "internal",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// What the consumer gets.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Evidence => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Refused(refusal) => status(refusal),
        }
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::ApiUnknown | Refusal::Path => StatusCode::NOT_FOUND,
        Refusal::Body { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::ConsentExpired
        | Refusal::ConsentFields { .. }
        | Refusal::ConsentMissing
        | Refusal::ConsentParties
        | Refusal::ConsentPurpose
        | Refusal::ConsentSubject
        | Refusal::ConsentUnknown
        | Refusal::ConsentWithdrawn
        | Refusal::Fields { .. }
        | Refusal::GrantOther
        | Refusal::GrantState { .. }
        | Refusal::GrantUnknown
        | Refusal::Scope => StatusCode::FORBIDDEN,
        Refusal::FieldsMissing { .. } | Refusal::Query => StatusCode::BAD_REQUEST,
        Refusal::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Refusal::Token | Refusal::TokenMissing => StatusCode::UNAUTHORIZED,
        Refusal::SourceStatus { status } => match status {
            // The consumer's doing or the register's state; others are between the hub and the source.
            400 | 404 | 409 | 410 | 412 | 422 | 429 | 503 => {
                StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY)
            }
            _ => StatusCode::BAD_GATEWAY,
        },
        Refusal::SourceAnswer | Refusal::SourceTooLarge { .. } | Refusal::SourceUnreachable => StatusCode::BAD_GATEWAY,
        Refusal::SourceTimeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

const fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::SourceAnswer
        | Refusal::SourceStatus { .. }
        | Refusal::SourceTimeout
        | Refusal::SourceTooLarge { .. }
        | Refusal::SourceUnreachable => "The source gave no answer that the hub can hand out.",
        Refusal::ApiUnknown
        | Refusal::Body { .. }
        | Refusal::ConsentExpired
        | Refusal::ConsentFields { .. }
        | Refusal::ConsentMissing
        | Refusal::ConsentParties
        | Refusal::ConsentPurpose
        | Refusal::ConsentSubject
        | Refusal::ConsentUnknown
        | Refusal::ConsentWithdrawn
        | Refusal::Fields { .. }
        | Refusal::FieldsMissing { .. }
        | Refusal::GrantOther
        | Refusal::GrantState { .. }
        | Refusal::GrantUnknown
        | Refusal::Method { .. }
        | Refusal::Path
        | Refusal::Query
        | Refusal::Scope
        | Refusal::Token
        | Refusal::TokenMissing => "The call was refused and not forwarded.",
    }
}
