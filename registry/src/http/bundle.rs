//! The trust bundle: everything a verifier needs, in one file.

use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::State;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use serde::Deserialize;
use server::Problem;

use crate::DeltaError;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct From {
    from: u64,
}

/// `GET /registry/bundle/delta?from=SIZE`: what leads from the bundle of that size to the one of now; 204 where that is the
/// same one, and 410 where the bundle is older than what is kept.
pub(super) async fn delta(
    State(registry): State<Registry>,
    query: Result<Query<From>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(From { from }) = query.map_err(|_| {
        let title = "The query must be from=SIZE, the size of the tree that the bundle at hand stands on.";
        Problem::new(StatusCode::BAD_REQUEST, "malformed", title)
    })?;
    match registry.delta(from).await {
        Ok(Some(delta)) => {
            let headers = [
                (header::CONTENT_TYPE, "application/cbor"),
                (header::CACHE_CONTROL, "no-cache"),
            ];
            Ok((headers, Bytes::from_owner(delta)).into_response())
        }
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(DeltaError::NoBundle { .. }) => Err(Problem::not_found("a bundle of that size")),
        Err(error @ DeltaError::TooOld) => {
            let title = "The bundle is older than what is kept for deltas. Fetch the whole one.";
            Err(Problem::new(StatusCode::GONE, "too-old", title).detail(error))
        }
        Err(error @ (DeltaError::Export(_) | DeltaError::Moving | DeltaError::Store(_))) => {
            Err(Problem::internal(&error))
        }
    }
}
