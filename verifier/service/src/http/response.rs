//! [`direct_post` and `direct_post.jwt`](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#response_mode_post).

use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use openid4vc::form;
use openid4vc::oauth::error::ErrorResponse;
use openid4vc::vp::response::ResponseReceipt;
use server::Problem;
use server::TypedBody;

use crate::VerifierService;
use crate::response::AnswerError;
use crate::response::answer;

/// `POST /verifier/responses/{id}`. What the verdict is, the wallet is not told.
pub(super) async fn post(
    State(service): State<VerifierService>,
    Path(id): Path<String>,
    body: TypedBody,
) -> Result<Response, Problem> {
    let Some(form) = body.declared(form::MEDIA_TYPE) else {
        return Ok(invalid(&format_args!("expected {}", form::MEDIA_TYPE)));
    };
    let mut response = match answer(&service, &id, form).await {
        Ok(()) => Json(ResponseReceipt::default()).into_response(),
        Err(AnswerError::Unknown) => return Err(Problem::not_found("a request of this id")),
        Err(AnswerError::Refused(error)) => {
            tracing::info!(id, cause = %server::problem::chain(&error), "response refused");
            invalid(&error)
        }
        Err(error @ (AnswerError::Bundles(_) | AnswerError::Store(_))) => return Err(Problem::internal(&error)),
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn invalid(cause: &impl std::fmt::Display) -> Response {
    let body = Json(ErrorResponse::new("invalid_request", cause));
    (StatusCode::BAD_REQUEST, body).into_response()
}
