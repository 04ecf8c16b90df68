//! [Verify credential](https://w3c.github.io/vcalm/#verify-credential) and
//! [verify presentation](https://w3c.github.io/vcalm/#verify-presentation).

use axum::Json;
use axum::extract::Path;
use axum::extract::Request;
use axum::extract::State;
use serde_json::Value;

use super::instance;
use super::read;
use crate::VcApi;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::verify;
use crate::verify::CredentialRequest;
use crate::verify::PresentationRequest;

/// `POST /vc-api/{instance}/credentials/verify`: 200 if it verifies, 400 if not.
pub(super) async fn credential(
    State(api): State<VcApi>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let instance = instance(&api, &name)?;
    let request = read::<CredentialRequest>(&api, instance.as_ref(), request).await?;
    let answer = verify::credential(&api, request.map_err(Details::not_verified)?).await?;
    Ok(Json(answer))
}

/// `POST /vc-api/{instance}/presentations/verify`: 200 if it and every credential in it verifies, 400 if not.
pub(super) async fn presentation(
    State(api): State<VcApi>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let instance = instance(&api, &name)?;
    let request = read::<PresentationRequest>(&api, instance.as_ref(), request).await?;
    let answer = verify::presentation(&api, request.map_err(Details::not_verified)?).await?;
    Ok(Json(answer))
}
