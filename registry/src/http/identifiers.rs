//! [DID Resolution, HTTP(S) binding](https://www.w3.org/TR/did-resolution/#bindings-https), GET.

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use did::Document;
use did::resolve::CONTENT_TYPE;

use crate::Registry;

const RESULT_TYPE: &str = "application/did-resolution";

/// `GET /registry/1.0/identifiers/{did}`, with resolution options as the query
pub(super) async fn get(
    State(registry): State<Registry>,
    uri: Uri,
    Path(decoded): Path<String>,
    headers: HeaderMap,
) -> Response {
    // "Append the input DID": one that stands there as it is may hold percent-encoded characters of its own,
    // such as the colon before a port. Only one that was encoded as a whole is decoded.
    let raw = uri.path().rsplit('/').next().unwrap_or_default();
    let did = if raw.starts_with("did:") { raw } else { decoded.as_str() };
    let did_url = match uri.query() {
        Some(query) if !query.is_empty() => format!("{did}{}{query}", if did.contains('?') { '&' } else { '?' }),
        _ => did.to_owned(),
    };
    let resolved = match registry.resolve(&did_url) {
        Ok(resolved) => resolved,
        Err(error) => {
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return answer(status, RESULT_TYPE, &error.to_value());
        }
    };
    if resolved.is_deactivated() {
        return answer(StatusCode::GONE, RESULT_TYPE, &resolved.to_value());
    }
    match &resolved.document {
        Some(document) if wants_document_only(&headers) => {
            answer(StatusCode::OK, CONTENT_TYPE, &Document::as_map(document).clone().into())
        }
        _ => answer(StatusCode::OK, RESULT_TYPE, &resolved.to_value()),
    }
}

/// Whether the caller asks for the document instead of the whole result.
fn wants_document_only(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let first = accept.split([',', ';']).next().unwrap_or_default().trim();
    [CONTENT_TYPE, "application/did+json", "application/did+ld+json"].contains(&first)
}

fn answer(status: StatusCode, content_type: &'static str, body: &serde_json::Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (status, headers, Json(body).into_response().into_body()).into_response()
}
