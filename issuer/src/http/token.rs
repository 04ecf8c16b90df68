//! [Token Endpoint](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#token-endpoint).

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use openid4vc::form;
use openid4vc::oauth::error::ErrorResponse;
use openid4vc::oauth::error::TokenErrorCode;
use openid4vc::vci::token::TokenRequest;
use server::Problem;
use server::TypedBody;

use super::desk;
use super::oauth_error;
use super::private_json;
use crate::Issuer;
use crate::token::redeem;

/// `POST /issuers/{agency}/token`
pub(super) async fn post(
    State(issuer): State<Issuer>,
    Path(agency): Path<String>,
    body: TypedBody,
) -> Result<Response, Problem> {
    desk(&issuer, &agency)?;
    let Some(form) = body.declared(form::MEDIA_TYPE) else {
        let code = TokenErrorCode::InvalidRequest.as_str();
        let error = ErrorResponse::new(code, &format_args!("expected {}", form::MEDIA_TYPE));
        return Ok(oauth_error(StatusCode::BAD_REQUEST, &error));
    };
    let request = match TokenRequest::parse(form) {
        Ok(request) => request,
        Err(error) => return Ok(oauth_error(StatusCode::BAD_REQUEST, &error.to_response())),
    };
    match redeem(&issuer, &agency, &request)
        .await
        .map_err(|error| Problem::internal(&error))?
    {
        Ok(response) => Ok(private_json(StatusCode::OK, &response)),
        Err(error) => {
            tracing::info!(agency, cause = %error, "token refused");
            Ok(oauth_error(StatusCode::BAD_REQUEST, &error.to_response()))
        }
    }
}
