//! The endpoints, one file each, named as in the standard. Handlers translate; the flows are beside.

mod derive;
mod instances;
mod issue;
mod status;
mod verify;

use axum::Router;
use axum::extract::FromRequest as _;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use keys::json;
use serde::de::DeserializeOwned;
use server::Problem;
use server::TypedBody;

use crate::Instance;
use crate::VcApi;
use crate::access;
use crate::instance::VERIFIER;
use crate::problem::Details;

/// Every endpoint, with full paths.
pub(crate) fn router(api: VcApi) -> Router {
    Router::new()
        .route("/vc-api/instances", get(instances::get))
        .route("/vc-api/{instance}/did.json", get(instances::document))
        .route("/vc-api/{instance}/credentials/issue", post(issue::post))
        .route("/vc-api/{instance}/credentials/derive", post(derive::post))
        .route("/vc-api/{instance}/credentials/status", post(status::post))
        .route("/vc-api/{instance}/credentials/verify", post(verify::credential))
        .route("/vc-api/{instance}/presentations/verify", post(verify::presentation))
        .route("/vc-api/{instance}/status-lists/{list}", get(status::list))
        .with_state(api)
}

/// The instance of a path; `None` for the verifier, which has no key.
fn instance(api: &VcApi, name: &str) -> Result<Option<Instance>, Problem> {
    if name == VERIFIER {
        return Ok(None);
    }
    let found = api.instance(name).map(Some);
    found.ok_or_else(|| Problem::not_found("an instance of this name"))
}

/// The instance of a path that has a key.
fn issuer(instance: Option<Instance>) -> Result<Instance, Problem> {
    instance.ok_or_else(|| {
        Problem::new(
            StatusCode::NOT_FOUND,
            "verifier-only",
            "This instance verifies; it has no key to issue with.",
        )
    })
}

/// Checks who asks, then reads the JSON body.
async fn read<T: DeserializeOwned>(
    api: &VcApi,
    instance: Option<&Instance>,
    request: Request,
) -> Result<Result<T, Details>, Problem> {
    let (mut parts, body) = request.into_parts();
    access::check(api, instance.map(Instance::record), &mut parts).await?;
    let body = TypedBody::from_request(Request::from_parts(parts, body), &()).await?;
    let bytes = body.declared("application/json").ok_or_else(|| {
        Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "The body must be application/json.",
        )
    })?;
    Ok(json::parse_as(bytes, json::DEFAULT_LIMITS).map_err(|error| Details::unreadable(&error)))
}
