//! [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/): the lists, as they were
//! committed to the registry.

use axum::extract::Path;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;

use super::desk;
use crate::Issuer;
use crate::status::published;

/// `GET /issuers/{agency}/status/{list}`
pub(super) async fn get(
    State(issuer): State<Issuer>,
    Path((agency, list)): Path<(String, String)>,
) -> Result<Response, Problem> {
    desk(&issuer, &agency)?;
    let token = published(&issuer, &agency, &list)
        .await
        .map_err(|error| Problem::internal(&error))?;
    let token = token.ok_or_else(|| Problem::not_found("a status list of this id"))?;
    let headers = [
        (header::CONTENT_TYPE, "application/statuslist+jwt"),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    Ok((headers, token).into_response())
}
