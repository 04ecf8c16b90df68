//! What a relying party does with the administrative token: ask, and read the result.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::Session;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use server::StrictJson;
use server::admin::Admin;

use crate::BUILT_IN;
use crate::VerifierService;
use crate::built_in;
use crate::request::AskError;
use crate::request::ask as start;
use crate::request::session;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AskRequest {
    /// A DCQL query, or the name of a built-in one.
    query: Value,
    #[serde(default)]
    encrypted: bool,
}

/// `POST /verifier/admin/requests`
pub(super) async fn ask(
    _: Admin,
    State(service): State<VerifierService>,
    StrictJson(request): StrictJson<AskRequest>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let wrong = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "query",
            "The query must be DCQL, or the name of a built-in query.",
        )
    };
    let query = match &request.query {
        Value::String(name) => {
            built_in(name).ok_or_else(|| wrong().detail(format!("the built-in ones are {}", BUILT_IN.join(", "))))?
        }
        other => DcqlQuery::from_value(other).map_err(|error| wrong().detail(error))?,
    };
    let asked = start(&service, query, request.encrypted)
        .await
        .map_err(|error| match error {
            AskError::Session(cause) => wrong().detail(server::problem::chain(&cause)),
            AskError::Store(_) | AskError::Url(_) => Problem::internal(&error),
        })?;
    let body = json!({"id": asked.id, "request": asked.uri, "expires_at": asked.expires_at.to_rfc3339()});
    Ok((StatusCode::CREATED, Json(body)))
}

/// `GET /verifier/admin/requests/{id}`
pub(super) async fn result(
    _: Admin,
    State(service): State<VerifierService>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let session = session(&service, &id)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let session = session.ok_or_else(|| Problem::not_found("a request of this id"))?;
    let now = service.0.config.clock.now();
    let state = match &session {
        Session::Requested(_) if session.expires_at().is_some_and(|end| now < end) => "requested",
        Session::Requested(_) => "expired",
        Session::Answered { .. } | Session::Refused { .. } => "answered",
    };
    Ok(Json(
        json!({"id": id, "state": state, "verdict": service.0.results.find(&id, now)}),
    ))
}
