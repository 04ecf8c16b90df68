//! The endpoints, one file each. Handlers translate; the flows are beside.

mod admin;
mod request;
mod response;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use axum::routing::post;
use openid4vc::vp::response::MAX_RESPONSE_BYTES;

use crate::VerifierService;

/// Every endpoint of the relying party, with full paths.
pub(crate) fn router(service: VerifierService) -> Router {
    let responses = post(response::post).layer(DefaultBodyLimit::max(MAX_RESPONSE_BYTES));
    Router::new()
        .route("/verifier/requests/{id}", get(request::get).post(request::post))
        .route("/verifier/responses/{id}", responses)
        .route("/verifier/admin/requests", post(admin::ask))
        .route("/verifier/admin/requests/{id}", get(admin::result))
        .with_state(service)
}
