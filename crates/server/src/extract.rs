//! Request bodies: with their declared type, and as strict JSON.

use axum::body::Bytes;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header;
use keys::json;
use serde::de::DeserializeOwned;

use crate::Problem;

/// A body with the media type that the request declares. Protocol endpoints take it: what a type or a form means
/// is theirs, and so is the error code. A body that is too large is told here.
#[derive(Clone, Debug)]
pub struct TypedBody {
    media_type: String,
    bytes: Bytes,
}

impl TypedBody {
    /// The bytes, if the request declares them as `media_type`. Parameters such as a charset do not count.
    #[must_use]
    pub fn declared(&self, media_type: &str) -> Option<&[u8]> {
        self.media_type.eq_ignore_ascii_case(media_type).then_some(&self.bytes)
    }
}

impl<S: Send + Sync> FromRequest<S> for TypedBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let media_type = declared.split(';').next().unwrap_or_default().trim().to_owned();
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|_| Problem::too_large())?;
        Ok(Self { media_type, bytes })
    }
}

/// A JSON body read with [`keys::json`]: no duplicate members, bounded depth and size. Administrative and
/// internal endpoints use it; protocol endpoints parse their bytes themselves, for their own error codes.
#[derive(Debug)]
pub struct StrictJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for StrictJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = TypedBody::from_request(request, state).await?;
        let bytes = body.declared("application/json").ok_or_else(|| {
            Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body must be application/json.",
            )
        })?;
        json::parse_as(bytes, json::DEFAULT_LIMITS).map(Self).map_err(|error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed",
                "The body is not the JSON that is expected here.",
            )
            .detail(error)
        })
    }
}
