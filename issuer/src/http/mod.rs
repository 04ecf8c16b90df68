//! The endpoints, one file each, named as in the standard. Handlers translate; the flows are beside.

mod admin;
mod credential;
mod federation;
mod metadata;
mod negotiation;
mod nonce;
mod offer;
mod status;
mod token;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use openid4vc::oauth::error::ErrorResponse;
use serde::Serialize;
use server::Problem;

use crate::Desk;
use crate::Issuer;

pub use metadata::PublishError;
pub(crate) use metadata::metadata_of;

/// Every endpoint of the issuing service, with full paths.
pub(crate) fn router(issuer: Issuer) -> Router {
    Router::new()
        .route(
            "/.well-known/openid-credential-issuer/issuers/{agency}",
            get(metadata::issuer),
        )
        .route(
            "/.well-known/oauth-authorization-server/issuers/{agency}",
            get(metadata::authorization_server),
        )
        .route(
            "/issuers/{agency}/.well-known/openid-federation",
            get(federation::configuration),
        )
        .route("/issuers/{agency}/offers/{reference}", get(offer::get))
        .route("/issuers/{agency}/token", post(token::post))
        .route("/issuers/{agency}/nonce", post(nonce::post))
        .route("/issuers/{agency}/credential", post(credential::post))
        .route("/issuers/{agency}/status", get(status::aggregation))
        .route("/issuers/{agency}/status/{list}", get(status::token))
        .route("/issuers/{agency}/status/{list}/{purpose}", get(status::bitstring))
        .route("/issuers/{agency}/admin/offers", post(admin::create_offer))
        .route("/issuers/{agency}/admin/credentials", get(admin::list_credentials))
        .route(
            "/issuers/{agency}/admin/credentials/{id}/reinstate",
            post(admin::reinstate),
        )
        .route("/issuers/{agency}/admin/credentials/{id}/revoke", post(admin::revoke))
        .route("/issuers/{agency}/admin/credentials/{id}/suspend", post(admin::suspend))
        .with_state(issuer)
}

fn desk(issuer: &Issuer, agency: &str) -> Result<Arc<Desk>, Problem> {
    issuer
        .desk(agency)
        .ok_or_else(|| Problem::not_found("an agency of this id issues here"))
}

/// A JSON answer that nobody may keep: it holds a code, a token or a credential.
fn private_json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An OAuth error answer.
fn oauth_error(status: StatusCode, body: &ErrorResponse) -> Response {
    private_json(status, body)
}
