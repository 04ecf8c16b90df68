//! `/hub/applications`: applying for access, and deciding.

use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;
use server::Problem;

use super::Page;
use super::StatementText;
use super::grants;
use super::reader::Reader;
use crate::Hub;
use crate::protocol::grant::Standing;

pub(super) async fn apply(
    State(hub): State<Hub>,
    StatementText(text): StatementText,
) -> Result<impl IntoResponse, Problem> {
    let grant = crate::access::apply(&hub, &text).await?;
    Ok((StatusCode::CREATED, Json(grants::shown(&hub, &grant))))
}

pub(super) async fn decide(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    StatementText(text): StatementText,
) -> Result<Json<Value>, Problem> {
    let grant = crate::access::decide(&hub, &grants::parse(&id)?, &text).await?;
    Ok(Json(grants::shown(&hub, &grant)))
}

/// Those that are not decided.
pub(super) async fn list(
    State(hub): State<Hub>,
    reader: Reader,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    grants::page(&hub, &reader, page, |standing| standing == Standing::Applied).await
}
