//! The trust bundle: everything a verifier needs, in one file.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;

use crate::Registry;

/// `GET /registry/bundle`
pub(super) async fn get(State(registry): State<Registry>) -> Result<Response, Problem> {
    let bundle = registry.bundle().await.map_err(|error| Problem::internal(&error))?;
    let headers = [
        (header::CONTENT_TYPE, "application/cbor"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    Ok((headers, Bytes::from_owner(bundle)).into_response())
}
