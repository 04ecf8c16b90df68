//! [Update status](https://w3c.github.io/vcalm/#update-status) and the status lists, which everybody may read.

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use credential::vc::Envelope;
use serde_json::Value;
use serde_json::json;
use server::Problem;

use super::instance;
use super::issuer;
use super::read;
use crate::VcApi;
use crate::issue::JWT_MEDIA_TYPE;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::status;
use crate::status::UpdateRequest;

/// `POST /vc-api/{instance}/credentials/status`
pub(super) async fn post(
    State(api): State<VcApi>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let instance = instance(&api, &name)?;
    let request = read::<UpdateRequest>(&api, instance.as_ref(), request).await?;
    let instance = issuer(instance)?;
    status::update(&api, &instance, request.map_err(Details::refuse)?).await?;
    Ok(Json(json!({})))
}

/// `GET /vc-api/{instance}/status-lists/{list}`
pub(super) async fn list(
    State(api): State<VcApi>,
    Path((name, list)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let instance = issuer(instance(&api, &name)?)?;
    let list = status::list(&api, &instance, &list).await?;
    let list = list.ok_or_else(|| Problem::not_found("a status list of this id"))?;
    let envelope = list.as_object().map(Envelope::of_credential).and_then(Result::ok);
    let jwt = envelope.map(|envelope| envelope.data());
    let cached = (header::CACHE_CONTROL, "public, max-age=60");
    if let Some(jwt) = jwt {
        let media_type = (header::CONTENT_TYPE, JWT_MEDIA_TYPE);
        return Ok(([media_type, cached], jwt.to_owned()).into_response());
    }
    let media_type = (header::CONTENT_TYPE, media_type(&headers));
    Ok(([media_type, cached], list.to_string()).into_response())
}

/// `application/vc` for whoever knows it. Older software reads JSON only under a name that says so.
fn media_type(headers: &HeaderMap) -> &'static str {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let mut accepted = accepts.unwrap_or_default().split([',', ';']).map(str::trim);
    if accepted.any(|name| name == "application/vc") {
        "application/vc"
    } else {
        "application/ld+json"
    }
}
