//! `/hub/jwks`: the key of access tokens and of the context that sources get
//! ([RFC 7517, section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use serde_json::json;

use crate::Hub;

pub(super) async fn show(State(hub): State<Hub>) -> Json<Value> {
    let public = hub.token_key.public_key();
    let mut jwk = public.to_jwk();
    jwk.kid = Some(hub.token_kid());
    jwk.alg = Some(public.algorithm().jose_name().to_owned());
    jwk.use_ = Some("sig".to_owned());
    Json(json!({"keys": [jwk]}))
}
