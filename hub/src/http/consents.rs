//! `/hub/consents`: handing in a person's consent, and taking it back.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use super::StatementText;
use super::reader::Reader;
use crate::Hub;
use crate::error::FlowError;
use crate::protocol::id::ConsentId;

pub(super) async fn register(
    State(hub): State<Hub>,
    StatementText(text): StatementText,
) -> Result<impl IntoResponse, Problem> {
    let consent = crate::consent::register(&hub, &text).await?;
    Ok((StatusCode::CREATED, Json(json!(consent))))
}

pub(super) async fn withdraw(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    StatementText(text): StatementText,
) -> Result<Json<Value>, Problem> {
    let consent = crate::consent::withdraw(&hub, &parse(&id)?, &text).await?;
    Ok(Json(json!(consent)))
}

pub(super) async fn show(
    State(hub): State<Hub>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = hub.store.consent(&parse(&id)?).await.map_err(FlowError::from)?;
    let consent = found.map(|stored| stored.value);
    match consent.filter(|consent| reader.is_among(&[&consent.terms.consumer, &consent.terms.source])) {
        Some(consent) => Ok(Json(json!(consent))),
        None => Err(Problem::not_found("a consent that concerns you")),
    }
}

fn parse(id: &str) -> Result<ConsentId, Problem> {
    ConsentId::parse(id).map_err(|_| Problem::not_found("a consent that concerns you"))
}
