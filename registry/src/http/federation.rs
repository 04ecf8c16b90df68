//! The endpoints of a Trust Anchor of
//! [OpenID Federation 1.0](https://openid.net/specs/openid-federation-1_0.html#federation_endpoints), and its errors.

use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde_json::json;
use server::problem::chain;
use trust::federation::ENTITY_STATEMENT;
use trust::federation::RESOLVE_RESPONSE;

use super::FOR_A_MINUTE;
use crate::FederationError;
use crate::Registry;
use crate::federation::ResolveRequest;

/// Distinct ones of one question.
const MAX_ENTITY_TYPES: usize = 16;

/// `GET /.well-known/openid-federation`
pub(super) async fn configuration(State(registry): State<Registry>) -> Result<Response, FederationError> {
    Ok(jwt(
        ENTITY_STATEMENT,
        registry.entity_configuration().await?.to_string(),
    ))
}

/// `GET /federation/fetch`
pub(super) async fn fetch(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
) -> Result<Response, FederationError> {
    let subject = one(&all(query.as_deref()), "sub")?;
    let statement = registry.subordinate_statement(&subject).await?;
    Ok(jwt(ENTITY_STATEMENT, statement.to_string()))
}

/// `GET /federation/list`
pub(super) async fn list(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
) -> Result<Response, FederationError> {
    let parameters = all(query.as_deref());
    if let Some(name) = ["trust_marked", "trust_mark_type"]
        .into_iter()
        .find(|name| !values(&parameters, name).is_empty())
    {
        return Err(FederationError::Unsupported { name });
    }
    let intermediates = match &values(&parameters, "intermediate")[..] {
        [] => false,
        [value] if value == "false" => false,
        [value] if value == "true" => true,
        _ => {
            return Err(FederationError::Parameter {
                name: "intermediate",
                expected: "as true or false",
            });
        }
    };
    let federation = registry.federation().await?;
    let entity_types = entity_types(&parameters)?;
    // None of them is one: they are agencies.
    let found = federation.list(&entity_types).filter(|_| !intermediates);
    let headers = [(header::CACHE_CONTROL, FOR_A_MINUTE)];
    Ok((headers, Json(found.collect::<Vec<&str>>())).into_response())
}

/// `GET /federation/resolve`
pub(super) async fn resolve(
    State(registry): State<Registry>,
    RawQuery(query): RawQuery,
) -> Result<Response, FederationError> {
    let parameters = all(query.as_deref());
    let request = ResolveRequest {
        subject: one(&parameters, "sub")?,
        trust_anchors: values(&parameters, "trust_anchor"),
        entity_types: entity_types(&parameters)?,
    };
    if request.trust_anchors.is_empty() {
        return Err(FederationError::Parameter {
            name: "trust_anchor",
            expected: "at least once",
        });
    }
    Ok(jwt(RESOLVE_RESPONSE, registry.resolve_entity(&request).await?))
}

/// `GET /export/openid-federation.json`: every claim that is signed, as the Snapshot has the digest of them.
pub(super) async fn content(State(registry): State<Registry>) -> Result<Response, FederationError> {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, FOR_A_MINUTE),
    ];
    Ok((headers, Bytes::from_owner(registry.federation_content().await?)).into_response())
}

impl IntoResponse for FederationError {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        if matches!(self, Self::Busy) {
            tracing::debug!("too many subjects are asked for at once");
        } else if status >= 500 {
            tracing::error!(cause = %chain(&self), "a question of OpenID Federation is not answered");
        }
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({"error": code, "error_description": chain(&self)});
        (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    }
}

fn jwt(typ: &str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format!("application/{typ}")),
        (header::CACHE_CONTROL, FOR_A_MINUTE.to_owned()),
    ];
    (headers, text).into_response()
}

/// The parameters in their order; a name may be there more than once.
fn all(query: Option<&str>) -> Vec<(String, String)> {
    let parameters = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    parameters.into_owned().collect()
}

fn values(parameters: &[(String, String)], name: &str) -> Vec<String> {
    let named = parameters.iter().filter(|(found, _)| found == name);
    named.map(|(_, value)| value.clone()).collect()
}

/// Each once. The standards have some dozen Entity Types; a stranger's query is held against every statement.
fn entity_types(parameters: &[(String, String)]) -> Result<Vec<String>, FederationError> {
    let mut found = values(parameters, "entity_type");
    found.sort_unstable();
    found.dedup();
    if found.len() > MAX_ENTITY_TYPES {
        return Err(FederationError::Parameter {
            name: "entity_type",
            expected: "at most sixteen times",
        });
    }
    Ok(found)
}

fn one(parameters: &[(String, String)], name: &'static str) -> Result<String, FederationError> {
    match <[String; 1]>::try_from(values(parameters, name)) {
        Ok([value]) => Ok(value),
        Err(_) => Err(FederationError::Parameter { name, expected: "once" }),
    }
}
