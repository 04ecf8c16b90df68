//! [Request URI](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#request_uri_method_post): the
//! signed request object, by GET or with the wallet's nonce by POST.

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use openid4vc::form;
use openid4vc::vp::invocation::RequestUriPost;
use openid4vc::vp::request_object::REQUEST_OBJECT_MEDIA_TYPE;
use server::Problem;
use server::TypedBody;

use crate::VerifierService;
use crate::request::FetchError;
use crate::request::request_object;

/// `GET /verifier/requests/{id}`
pub(super) async fn get(State(service): State<VerifierService>, Path(id): Path<String>) -> Result<Response, Problem> {
    answer(&service, &id, None).await
}

/// `POST /verifier/requests/{id}`
pub(super) async fn post(
    State(service): State<VerifierService>,
    Path(id): Path<String>,
    body: TypedBody,
) -> Result<Response, Problem> {
    let form = body.declared(form::MEDIA_TYPE).ok_or_else(|| {
        let problem = Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "The body must be a form.",
        );
        problem.detail(format_args!("expected {}", form::MEDIA_TYPE))
    })?;
    let post = RequestUriPost::parse(form).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed",
            "The form is not a request URI POST.",
        )
        .detail(error)
    })?;
    answer(&service, &id, post.wallet_nonce).await
}

async fn answer(service: &VerifierService, id: &str, wallet_nonce: Option<String>) -> Result<Response, Problem> {
    let jwt = request_object(service, id, wallet_nonce)
        .await
        .map_err(|error| match error {
            FetchError::Unknown => Problem::not_found("a request of this id"),
            FetchError::Over(cause) => {
                Problem::new(StatusCode::GONE, "request-over", "This request is over.").detail(cause)
            }
            FetchError::Request(_) | FetchError::Signer(_) | FetchError::Store(_) => Problem::internal(&error),
        })?;
    let headers = [
        (header::CONTENT_TYPE, REQUEST_OBJECT_MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, jwt).into_response())
}
