//! The anchor: which registry this is. A verifier that fetches it here trusts on first use.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;

use crate::Registry;

/// `GET /registry/anchor`
pub(super) async fn get(State(registry): State<Registry>) -> Response {
    (
        [(header::CONTENT_TYPE, "application/json")],
        registry.anchor().to_string(),
    )
        .into_response()
}
