//! Problem details ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)): what a peer or an operator is told
//! where the protocol at hand has no error format of its own.

use axum::Json;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use serde::Serialize;

/// An error for the peer. It says what was expected and what to do; the cause goes to the log.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The kind of problem, stable for programs: the last part of an `https://attestry.example/problems/` URI, or the
    /// whole URI of a problem type that a standard defines.
    #[serde(rename = "type", serialize_with = "as_uri")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Problem {
    /// A problem of `kind`; `title` is a sentence that does not change with the occurrence.
    #[must_use]
    pub const fn new(status: StatusCode, kind: &'static str, title: &'static str) -> Self {
        Self {
            kind,
            title,
            status,
            detail: String::new(),
        }
    }

    /// Says what was found this time. Never a claim, a key or a token.
    #[must_use]
    pub fn detail(mut self, detail: impl std::fmt::Display) -> Self {
        self.detail = detail.to_string();
        self
    }

    /// The fault is ours or our environment's. The cause is logged here, once, and not told to the peer.
    pub fn internal(cause: &dyn std::error::Error) -> Self {
        tracing::error!(cause = %chain(cause), "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The service could not do this now. Nothing was changed; try again later.",
        )
    }

    /// The thing asked for is not here.
    #[must_use]
    pub fn not_found(what: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "What was asked for is not here.").detail(what)
    }

    /// The body is larger than the endpoint takes.
    #[must_use]
    pub const fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large or did not arrive whole.",
        )
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut response = (status, Json(self)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// An error and its sources in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn as_uri<S: serde::Serializer>(kind: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    if kind.contains("://") {
        return serializer.serialize_str(kind);
    }
    serializer.serialize_str(&format!("https://attestry.example/problems/{kind}"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
