//! [Credential Endpoint](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-endpoint).

use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::Response;
use openid4vc::oauth::bearer;
use openid4vc::oauth::bearer::BearerErrorCode;
use openid4vc::oauth::bearer::BearerToken;
use openid4vc::oauth::error::ErrorResponse;
use openid4vc::vci::credential::CredentialError;
use openid4vc::vci::credential::CredentialErrorCode;
use openid4vc::vci::credential::CredentialRequest;
use openid4vc::vci::credential::CredentialRequestErrorCode;
use server::Problem;
use server::TypedBody;

use super::desk;
use super::oauth_error;
use super::private_json;
use crate::Issuer;
use crate::credential::IssueError;
use crate::credential::issue;

/// `POST /issuers/{agency}/credential`
pub(super) async fn post(
    State(issuer): State<Issuer>,
    Path(agency): Path<String>,
    headers: HeaderMap,
    body: TypedBody,
) -> Result<Response, Problem> {
    let desk = desk(&issuer, &agency)?;
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = match BearerToken::from_header(authorization) {
        Ok(token) => token,
        Err(error) => return Ok(challenge(error.code(), &error)),
    };
    let Some(body) = body.declared("application/json") else {
        let code = CredentialRequestErrorCode::InvalidCredentialRequest.as_str();
        let error = ErrorResponse::new(code, &"expected application/json");
        return Ok(oauth_error(StatusCode::BAD_REQUEST, &error));
    };
    let request = match CredentialRequest::parse(body) {
        Ok(request) => request,
        Err(error) => return Ok(refused(&error)),
    };
    match issue(&issuer, &desk, token.reveal(), &request).await {
        Ok(response) => Ok(private_json(StatusCode::OK, &response)),
        Err(IssueError::Refused(error)) => {
            tracing::info!(agency, cause = %server::problem::chain(&error), "credential refused");
            Ok(refused(&error))
        }
        Err(IssueError::Row(cause)) => {
            tracing::info!(agency, cause = %cause, "the register gives no credential");
            Ok(refused(&CredentialError::Denied))
        }
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn refused(error: &CredentialError) -> Response {
    match error.code() {
        CredentialErrorCode::Authorization(code) => challenge(Some(code), error),
        CredentialErrorCode::Request(_) => oauth_error(StatusCode::BAD_REQUEST, &error.to_response()),
    }
}

/// RFC 6750: the code stands in the challenge, and for people in the body.
fn challenge(code: Option<BearerErrorCode>, cause: &dyn std::error::Error) -> Response {
    let status = match code {
        None | Some(BearerErrorCode::InvalidToken) => StatusCode::UNAUTHORIZED,
        Some(BearerErrorCode::InvalidRequest) => StatusCode::BAD_REQUEST,
        Some(BearerErrorCode::InsufficientScope) => StatusCode::FORBIDDEN,
    };
    let body = ErrorResponse::new(
        code.map_or("invalid_token", BearerErrorCode::as_str),
        &cause.to_string(),
    );
    let mut response = oauth_error(status, &body);
    if let Ok(value) = HeaderValue::from_str(&bearer::challenge(code, &cause.to_string())) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    response
}
