//! [Issue credential](https://w3c.github.io/vcalm/#issue-credential).

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use super::instance;
use super::issuer;
use super::read;
use crate::VcApi;
use crate::issue::IssueRequest;
use crate::issue::issue;
use crate::problem::Details;
use crate::problem::Refusal;

/// `POST /vc-api/{instance}/credentials/issue`: 201 with the bare credential.
pub(super) async fn post(
    State(api): State<VcApi>,
    Path(name): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let instance = instance(&api, &name)?;
    let request = read::<IssueRequest>(&api, instance.as_ref(), request).await?;
    let instance = issuer(instance)?;
    let credential = issue(&api, &instance, request.map_err(Details::refuse)?).await?;
    Ok((StatusCode::CREATED, Json(credential)))
}
