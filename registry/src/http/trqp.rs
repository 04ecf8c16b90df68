//! [TRQP v2 over HTTPS](https://trustoverip.github.io/tswg-trust-registry-protocol/): authorization and recognition, now
//! and at any time before, and what there is to ask about. Open to all: everything in it is public.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::base64url;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use server::TypedBody;
use trust::state::SchemaRecord;
use trust::trqp::Query;
use trust::trqp::Question;
use trust::trqp::authority_id;

use crate::Registry;
use crate::history::HistoryError;

/// `POST /trqp/authorization`
pub(super) async fn authorization(State(registry): State<Registry>, body: TypedBody) -> Result<Response, Problem> {
    answer(&registry, &body, Question::Authorization).await
}

/// `POST /trqp/recognition`
pub(super) async fn recognition(State(registry): State<Registry>, body: TypedBody) -> Result<Response, Problem> {
    answer(&registry, &body, Question::Recognition).await
}

/// `GET /trqp/metadata`: the identifiers that queries of now are made of.
pub(super) async fn metadata(State(registry): State<Registry>) -> Json<Value> {
    let state = registry.state();
    let origin = state.anchor().origin();
    let authorities = state.policy().map(|policy| policy.body().authorities.as_slice());
    let authorities = authorities.unwrap_or_default().iter();
    let authorities: Vec<String> = authorities
        .map(|authority| authority_id(origin, &authority.id))
        .collect();
    let resources: Vec<&str> = state
        .schemas()
        .filter(|record| record.schema().is_some())
        .map(SchemaRecord::id)
        .collect();
    Json(json!({
        "id": format!("https://{origin}"),
        "protocol": "https://trustoverip.github.io/tswg-trust-registry-protocol/#v2",
        "authorities": authorities,
        "actions": ["issue", "publish", "verify"],
        "resources": resources,
    }))
}

async fn answer(registry: &Registry, body: &TypedBody, question: Question) -> Result<Response, Problem> {
    let bytes = body.declared("application/json").ok_or_else(|| {
        let title = "The body must be application/json.";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", title)
    })?;
    let now = registry.now();
    let query = Query::parse(bytes, now).map_err(|error| {
        let title = "The body is no TRQP query.";
        Problem::new(StatusCode::BAD_REQUEST, "trqp-query", title).detail(server::problem::chain(&error))
    })?;
    let mut evidence = None;
    let state = match query.time() {
        None if let Some(subjects) = query.evidence() => {
            let (state, extract) = registry
                .extract(&subjects)
                .await
                .map_err(|error| Problem::internal(&error))?;
            evidence = Some(extract);
            Some(state)
        }
        None => Some(registry.state()),
        Some(time) => registry.state_at(time).await.map_err(|error| match &error {
            HistoryError::Busy => {
                let title = "Too many questions about the past are open.";
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", title).detail(&error)
            }
            HistoryError::Entry { .. } | HistoryError::Record(_) => Problem::internal(&error),
        })?,
    };
    let missing = |detail: String| {
        let title = "The registry knows no such authority, action or resource at that time.";
        Problem::new(StatusCode::NOT_FOUND, "trqp-unknown", title).detail(detail)
    };
    let state =
        state.ok_or_else(|| missing("expected a time since the registry began, found an earlier one".to_owned()))?;
    let answer = query.answer(question, &state, now);
    let mut answer = answer.map_err(|unknown| missing(unknown.to_string()))?;
    if let (Some(extract), Some(members)) = (evidence, answer.as_object_mut()) {
        members.insert(
            "evidence".to_owned(),
            json!({"trust_extract": base64url::encode(extract)}),
        );
    }
    Ok(Json(answer).into_response())
}
