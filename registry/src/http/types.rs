//! The documents of credential types where their URIs point, if that is here: the type metadata of a `vct`
//! ([retrieval](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-from-a-url-in-the-vct-claim)), JSON
//! Schemas, contexts, names for people. For wallets and developers: verdicts rest on the trust bundle.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::Uri;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;
use trust::state::SchemaRecord;

use crate::Registry;

/// `GET /types/{path}`
pub(super) async fn get(State(registry): State<Registry>, uri: Uri) -> Result<Response, Problem> {
    let not_found = || Problem::not_found("a registered document of this URL");
    let url = format!("{}{}", registry.public_url(), uri.path());
    let state = registry.state();
    let documents = state.schemas().filter_map(SchemaRecord::schema);
    let mut documents = documents.flat_map(|schema| &schema.documents);
    let document = documents.find(|document| document.uri == url).ok_or_else(not_found)?;
    let bytes = registry.blob(document.digest).await;
    let bytes = bytes
        .map_err(|error| Problem::internal(&error))?
        .ok_or_else(not_found)?;
    let media_type = HeaderValue::from_str(&document.media_type).map_err(|_| not_found())?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, HeaderValue::from_static("max-age=3600")),
        // As the draft wants it: nobody shall take these for anything else, and nothing in them runs.
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'"),
        ),
    ];
    Ok((headers, bytes).into_response())
}
