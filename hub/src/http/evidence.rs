//! `/hub/evidence`: records with their proofs for the parties; the log's key, head and hash tiles for everybody.
//!
//! The log's entries are not public, so there are no bundles of entries
//! ([C2SP tlog-tiles](https://c2sp.org/tlog-tiles)); head and hash tiles let anybody check that the log only grows.

use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use server::Problem;
use trust::tiles::Tile;

use super::reader::Reader;
use crate::Hub;
use crate::error::FlowError;
use crate::protocol::id::EvidenceId;
use crate::protocol::proof::Evidence;

/// A page begins with this sequence.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    from: Option<u64>,
}

pub(super) async fn show(
    State(hub): State<Hub>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Evidence>, Problem> {
    let not_found = || Problem::not_found("a record of evidence that concerns you");
    let id = EvidenceId::parse(&id).map_err(|_| not_found())?;
    let state = hub.reader.now().await.map_err(FlowError::from)?.ok_or_else(not_found)?;
    let found = state.evidence(&id).await.map_err(FlowError::from)?;
    match found.filter(|(record, _)| reader.is_among(&record.event.parties())) {
        Some((_, evidence)) => Ok(Json(evidence)),
        None => Err(not_found()),
    }
}

pub(super) async fn list(
    State(hub): State<Hub>,
    reader: Reader,
    Query(page): Query<From>,
) -> Result<Json<Value>, Problem> {
    let state = hub.reader.now().await.map_err(FlowError::from)?;
    let state = state.ok_or_else(|| Problem::not_found("an evidence log"))?;
    let from = page.from.unwrap_or(0);
    let records = match &reader {
        Reader::Agency(agency) => state.of_party(agency, from).await,
        Reader::Operator => state.all(from).await,
    };
    let records = records.map_err(FlowError::from)?;
    let next = records.last().map(|last| last.sequence.saturating_add(1));
    Ok(Json(json!({"records": records, "next": next})))
}

pub(super) async fn key(State(hub): State<Hub>) -> String {
    format!("{}\n", hub.evidence_key())
}

pub(super) async fn checkpoint(State(hub): State<Hub>) -> Result<impl IntoResponse, Problem> {
    let state = hub.reader.now().await.map_err(FlowError::from)?;
    let state = state.ok_or_else(|| Problem::not_found("an evidence log"))?;
    // A new one may be there at any time.
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, state.head().to_string()))
}

pub(super) async fn tile(State(hub): State<Hub>, Path(path): Path<String>) -> Result<impl IntoResponse, Problem> {
    let not_found = || Problem::not_found("a tile of hashes");
    let tile = Tile::parse(&format!("tile/{path}")).map_err(|_| not_found())?;
    let state = hub.reader.now().await.map_err(FlowError::from)?.ok_or_else(not_found)?;
    let bytes = state.tile(tile).await.map_err(FlowError::from)?.ok_or_else(not_found)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CACHE_CONTROL, "public, max-age=604800, immutable"),
    ];
    Ok((headers, bytes))
}
