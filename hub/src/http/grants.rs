//! `/hub/grants`: what was applied for and how it stands.

use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use super::Page;
use super::StatementText;
use super::reader::Reader;
use crate::Hub;
use crate::error::FlowError;
use crate::protocol::grant::Grant;
use crate::protocol::grant::Standing;
use crate::protocol::id::GrantId;

pub(super) async fn list(
    State(hub): State<Hub>,
    reader: Reader,
    Query(query): Query<Page>,
) -> Result<Json<Value>, Problem> {
    page(&hub, &reader, query, |_| true).await
}

pub(super) async fn show(
    State(hub): State<Hub>,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = hub.store.grant(&parse(&id)?).await.map_err(FlowError::from)?;
    let grant = found.map(|stored| stored.value);
    match grant.filter(|grant| reader.is_among(&grant.parties())) {
        Some(grant) => Ok(Json(shown(&hub, &grant))),
        None => Err(Problem::not_found("a grant of yours")),
    }
}

pub(super) async fn revoke(
    State(hub): State<Hub>,
    Path(id): Path<String>,
    StatementText(text): StatementText,
) -> Result<Json<Value>, Problem> {
    let grant = crate::access::revoke(&hub, &parse(&id)?, &text).await?;
    Ok(Json(shown(&hub, &grant)))
}

/// A page of the reader's grants that stand as `wanted`.
pub(super) async fn page(
    hub: &Hub,
    reader: &Reader,
    page: Page,
    wanted: impl Fn(Standing) -> bool,
) -> Result<Json<Value>, Problem> {
    let after = page.after.as_deref();
    let found = match reader {
        Reader::Agency(agency) => hub.store.grants_of(agency, after).await,
        Reader::Operator => hub.store.grants(after).await,
    };
    let (grants, next) = found.map_err(FlowError::from)?;
    let now = hub.clock.now();
    let grants: Vec<Value> = grants
        .iter()
        .filter(|grant| wanted(grant.standing(now)))
        .map(|grant| shown(hub, grant))
        .collect();
    Ok(Json(json!({"grants": grants, "next": next})))
}

pub(super) fn parse(id: &str) -> Result<GrantId, Problem> {
    GrantId::parse(id).map_err(|_| Problem::not_found("a grant of yours"))
}

/// The record, and how it stands now.
pub(super) fn shown(hub: &Hub, grant: &Grant) -> Value {
    let mut shown = json!(grant);
    if let Value::Object(members) = &mut shown {
        members.insert("standing".to_owned(), json!(grant.standing(hub.clock.now())));
    }
    shown
}
