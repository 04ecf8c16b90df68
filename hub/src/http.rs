//! The endpoints, one file each.

mod api;
mod applications;
mod catalogue;
mod consents;
mod evidence;
mod grants;
mod jwks;
mod metadata;
mod reader;
mod token;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header;
use axum::routing::any;
use axum::routing::get;
use axum::routing::post;
use serde::Deserialize;
use server::Problem;

use crate::Hub;
use crate::protocol::statement::MAX_STATEMENT_BYTES;

pub(crate) fn router(hub: Hub) -> Router {
    let statements = Router::new()
        .route("/hub/catalogue", post(catalogue::publish))
        .route("/hub/applications", post(applications::apply))
        .route("/hub/applications/{id}/decision", post(applications::decide))
        .route("/hub/grants/{id}/revocation", post(grants::revoke))
        .route("/hub/consents", post(consents::register))
        .route("/hub/consents/{id}/withdrawal", post(consents::withdraw))
        .layer(DefaultBodyLimit::max(MAX_STATEMENT_BYTES));
    Router::new()
        .route("/.well-known/oauth-authorization-server/hub", get(metadata::show))
        .route("/hub/jwks", get(jwks::show))
        .route(
            "/hub/token",
            post(token::redeem).layer(DefaultBodyLimit::max(crate::redeem::MAX_FORM_BYTES)),
        )
        .route("/hub/catalogue", get(catalogue::list))
        .route("/hub/catalogue/{api}/{version}", get(catalogue::show))
        .route("/hub/catalogue/{api}/{version}/openapi.json", get(catalogue::openapi))
        .route("/hub/applications", get(applications::list))
        .route("/hub/grants", get(grants::list))
        .route("/hub/grants/{id}", get(grants::show))
        .route("/hub/consents/{id}", get(consents::show))
        .route("/hub/evidence", get(evidence::list))
        .route("/hub/evidence/key", get(evidence::key))
        .route("/hub/evidence/checkpoint", get(evidence::checkpoint))
        .route("/hub/evidence/tile/{*path}", get(evidence::tile))
        .route("/hub/evidence/{id}", get(evidence::show))
        .route("/hub/api/{api}/{version}", any(api::call))
        .route("/hub/api/{api}/{version}/", any(api::call))
        .route("/hub/api/{api}/{version}/{*path}", any(api::call))
        .merge(statements)
        .with_state(hub)
}

/// A page of a list begins after this entry.
#[derive(Debug, Deserialize)]
struct Page {
    after: Option<String>,
}

/// The text of a signed statement.
#[derive(Debug)]
struct StatementText(String);

impl<S: Send + Sync> FromRequest<S> for StatementText {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE);
        let mime = content_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
        if !mime.trim().eq_ignore_ascii_case("application/jwt") {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "media-type",
                "The body must be a signed statement, application/jwt.",
            ));
        }
        let body = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "The body is too large or did not arrive whole.",
            )
        })?;
        let text = String::from_utf8(body.to_vec())
            .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "statement", "The statement is not taken."))?;
        Ok(Self(text))
    }
}
