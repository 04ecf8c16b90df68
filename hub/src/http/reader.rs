//! Who may read what is not public: the operator, and each agency what concerns it.

use axum::extract::FromRef;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use did::Did;
use openid4vc::oauth::bearer::BearerToken;
use server::AdminToken;
use server::Problem;
use server::admin::Admin;

use crate::Hub;
use crate::protocol::token::READ_SCOPE;

/// Proof of who reads.
#[derive(Clone, Debug)]
pub(super) enum Reader {
    /// An agency, by an access token with the scope `hub.read`.
    Agency(Did),
    /// The operator, by the administrative token.
    Operator,
}

impl Reader {
    /// Whether it may read what concerns these agencies.
    pub(super) fn is_among(&self, parties: &[&Did]) -> bool {
        match self {
            Self::Agency(agency) => parties.contains(&agency),
            Self::Operator => true,
        }
    }
}

impl FromRef<Hub> for AdminToken {
    fn from_ref(hub: &Hub) -> Self {
        hub.admin.clone()
    }
}

impl FromRequestParts<Hub> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, hub: &Hub) -> Result<Self, Problem> {
        let value = parts.headers.get(header::AUTHORIZATION);
        let header = value.map(|value| value.to_str().unwrap_or_default());
        let claims = BearerToken::from_header(header)
            .ok()
            .and_then(|bearer| hub.verify_token(bearer.reveal(), hub.issuer()).ok())
            .filter(|claims| claims.scope.contains(READ_SCOPE));
        if let Some(agency) = claims.and_then(|claims| Did::parse(&claims.client_id).ok()) {
            return Ok(Self::Agency(agency));
        }
        Admin::from_request_parts(parts, hub)
            .await
            .map(|_| Self::Operator)
            .map_err(|_| {
                Problem::new(
                    StatusCode::UNAUTHORIZED,
                    "token",
                    "This needs an access token with the scope hub.read, or the administrative token.",
                )
            })
    }
}
