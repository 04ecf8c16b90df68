//! Request bodies as strict JSON.

use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header;
use keys::json;
use serde::de::DeserializeOwned;

use crate::Problem;

/// A JSON body read with [`keys::json`]: no duplicate members, bounded depth and size. Administrative and
/// internal endpoints use it; protocol endpoints parse their bytes themselves, for their own error codes.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                value
                    .split(';')
                    .next()
                    .is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body must be application/json.",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large or did not arrive whole.",
            )
        })?;
        json::parse_as(&bytes, json::DEFAULT_LIMITS).map(Self).map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                "The body is not the JSON that is expected here.",
            )
            .detail(error)
        })
    }
}
