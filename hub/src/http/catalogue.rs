//! `/hub/catalogue`: what is published.

use axum::Json;
use axum::extract::Path;
use axum::extract::Query;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use super::Page;
use super::StatementText;
use crate::Hub;
use crate::error::FlowError;
use crate::protocol::id::ApiId;
use crate::protocol::id::ApiVersion;
use crate::protocol::publication::Publication;
use crate::protocol::token::api_url;

pub(super) async fn publish(
    State(hub): State<Hub>,
    StatementText(text): StatementText,
) -> Result<impl IntoResponse, Problem> {
    let publication = crate::publish::publish(&hub, &text).await?;
    let location = format!("{}/catalogue/{}/{}", hub.issuer(), publication.api, publication.version);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(shown(&hub, &publication)),
    ))
}

pub(super) async fn list(State(hub): State<Hub>, Query(page): Query<Page>) -> Result<Json<Value>, Problem> {
    let (publications, next) = hub
        .store
        .catalogue(page.after.as_deref())
        .await
        .map_err(FlowError::from)?;
    let apis: Vec<Value> = publications
        .iter()
        .map(|publication| shown(&hub, publication))
        .collect();
    Ok(Json(json!({"apis": apis, "next": next})))
}

pub(super) async fn show(
    State(hub): State<Hub>,
    Path((api, version)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let publication = load(&hub, &api, &version).await?;
    Ok(Json(shown(&hub, &publication)))
}

/// The source's document with the hub's own addresses in it, for callers. What the source signed is in its
/// statement.
pub(super) async fn openapi(
    State(hub): State<Hub>,
    Path((api, version)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let publication = load(&hub, &api, &version).await?;
    let document = hub.store.openapi(&publication.api, &publication.version).await;
    let mut document = document
        .map_err(FlowError::from)?
        .ok_or_else(|| Problem::not_found("an OpenAPI document"))?;
    if let Value::Object(members) = &mut document {
        members.insert(
            "servers".to_owned(),
            json!([{"url": api_url(hub.issuer(), &publication)}]),
        );
    }
    if let Some(flow) = document.pointer_mut("/components/securitySchemes/hub/flows/clientCredentials") {
        *flow = json!({"tokenUrl": format!("{}/token", hub.issuer()), "scopes": flow.get("scopes")});
    }
    Ok(Json(document))
}

async fn load(hub: &Hub, api: &str, version: &str) -> Result<Publication, Problem> {
    let not_found = || Problem::not_found("an API of this name and version");
    let api = ApiId::parse(api).map_err(|_| not_found())?;
    let version = ApiVersion::parse(version).map_err(|_| not_found())?;
    let found = hub.store.publication(&api, &version).await.map_err(FlowError::from)?;
    found.ok_or_else(not_found)
}

/// What a consumer needs to know. Where the source runs is between it and the hub.
fn shown(hub: &Hub, publication: &Publication) -> Value {
    json!({
        "api": publication.api,
        "version": publication.version,
        "title": publication.openapi.title(),
        "source": publication.source,
        "decided_by": publication.decided_by,
        "scopes": publication.scopes,
        "fields": publication.fields,
        "consent": publication.consent,
        "subject": publication.subject,
        "fields_parameter": publication.fields_parameter,
        "published_at": publication.published_at,
        "statement": publication.statement,
        "url": api_url(hub.issuer(), publication),
        "openapi": format!("{}/catalogue/{}/{}/openapi.json", hub.issuer(), publication.api, publication.version),
    })
}
