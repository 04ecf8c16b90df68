//! `/.well-known/oauth-authorization-server/hub`: where the token endpoint is
//! ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use serde_json::json;

use crate::Hub;

pub(super) async fn show(State(hub): State<Hub>) -> Json<Value> {
    let issuer = hub.issuer();
    Json(json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "EdDSA"],
    }))
}
