//! [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/) and
//! [Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/): the lists, as they were committed to the
//! registry.

use axum::extract::Path;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use server::Problem;

use super::desk;
use crate::Issuer;
use crate::status::published_bitstring;
use crate::status::published_token;
use crate::store::RecordError;

/// `GET /issuers/{agency}/status/{list}`
pub(super) async fn token(
    State(issuer): State<Issuer>,
    Path((agency, list)): Path<(String, String)>,
) -> Result<Response, Problem> {
    desk(&issuer, &agency)?;
    answer(
        "application/statuslist+jwt",
        published_token(&issuer, &agency, &list).await,
    )
}

/// `GET /issuers/{agency}/status/{list}/bitstring`
pub(super) async fn bitstring(
    State(issuer): State<Issuer>,
    Path((agency, list)): Path<(String, String)>,
) -> Result<Response, Problem> {
    desk(&issuer, &agency)?;
    answer("application/vc+jwt", published_bitstring(&issuer, &agency, &list).await)
}

fn answer(media_type: &'static str, published: Result<Option<Vec<u8>>, RecordError>) -> Result<Response, Problem> {
    let list = published.map_err(|error| Problem::internal(&error))?;
    let list = list.ok_or_else(|| Problem::not_found("a status list of this id"))?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    Ok((headers, list).into_response())
}
