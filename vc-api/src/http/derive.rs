//! [Derive credential](https://w3c.github.io/vcalm/#derive-credential).

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::instance;
use super::read;
use crate::VcApi;
use crate::derive::DeriveRequest;
use crate::derive::derive;
use crate::problem::Details;
use crate::problem::Refusal;

/// `POST /vc-api/{instance}/credentials/derive`: 201 with the bare credential. No key of the instance is used.
pub(super) async fn post(
    State(api): State<VcApi>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let instance = instance(&api, &name)?;
    let request = read::<DeriveRequest>(&api, instance.as_ref(), request).await?;
    let credential = derive(&api, &request.map_err(Details::refuse)?).await?;
    Ok((StatusCode::CREATED, Json(credential)))
}
