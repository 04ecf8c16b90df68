//! `/hub/token`: the token endpoint ([RFC 6749, section 3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use openid4vc::form;
use openid4vc::oauth::ErrorResponse;
use openid4vc::oauth::TokenErrorCode;
use serde_json::json;
use server::Problem;
use server::TypedBody;

use crate::Hub;
use crate::redeem::RedeemError;
use crate::redeem::redeem as issue;

pub(super) async fn redeem(State(hub): State<Hub>, body: TypedBody) -> Response {
    let uncached = [(header::CACHE_CONTROL, "no-store")];
    let Some(form) = body.declared(form::MEDIA_TYPE) else {
        let code = TokenErrorCode::InvalidRequest.as_str();
        let body = ErrorResponse::new(code, &format_args!("expected {}", form::MEDIA_TYPE));
        return (StatusCode::BAD_REQUEST, uncached, Json(body)).into_response();
    };
    match issue(&hub, form).await {
        Ok(redeemed) => {
            let body = json!({
                "access_token": redeemed.access_token,
                "token_type": "Bearer",
                "expires_in": redeemed.expires_in,
                "scope": redeemed.scope,
            });
            (uncached, Json(body)).into_response()
        }
        Err(error) => match error.code() {
            None => internal(&error),
            Some(code) => {
                let status = match code {
                    TokenErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
                    TokenErrorCode::InvalidGrant
                    | TokenErrorCode::InvalidRequest
                    | TokenErrorCode::InvalidScope
                    | TokenErrorCode::UnauthorizedClient
                    | TokenErrorCode::UnsupportedGrantType
                    | TokenErrorCode::InvalidAuthorizationDetails => StatusCode::BAD_REQUEST,
                };
                let body = ErrorResponse::new(code.as_str(), &server::problem::chain(&error));
                (status, uncached, Json(body)).into_response()
            }
        },
    }
}

fn internal(error: &RedeemError) -> Response {
    Problem::internal(error).into_response()
}
