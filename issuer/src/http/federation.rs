//! An agency's [Entity Configuration](https://openid.net/specs/openid-federation-1_0.html#ec-response)
//! of OpenID Federation. Its entity identifier is its Credential Issuer identifier, and the registry its superior.

use axum::extract::Path;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::SignerError;
use openid4vc::oauth::error::ErrorResponse;
use openid4vc::url::UrlError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::problem::chain;
use thiserror::Error;
use trust::federation::ENTITY_STATEMENT;
use trust::federation::Leaf;

use super::metadata::server_metadata;
use super::oauth_error;
use crate::Desk;
use crate::Issuer;
use crate::RegistryError;

/// Signed for each asker that no cache stands before.
const FOR_AN_HOUR: &str = "public, max-age=3600";

/// There is no Entity Configuration to be had.
#[derive(Debug, Error)]
enum ConfigurationError {
    #[error("expected the identifier of an agency that issues here under https and a registry that is a Trust Anchor")]
    NotFound,
    #[error("the metadata are not written")]
    Metadata(#[from] serde_json::Error),
    #[error("the registry does not say who it is")]
    Registry(#[from] RegistryError),
    #[error("the Entity Configuration is not signed")]
    Signer(#[from] SignerError),
    #[error("the endpoints are not named")]
    Url(#[from] UrlError),
}

impl ConfigurationError {
    /// The [error code](https://openid.net/specs/openid-federation-1_0.html#error_response) and its status.
    const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Metadata(_) | Self::Url(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
            Self::Registry(_) | Self::Signer(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        }
    }
}

/// `GET /issuers/{agency}/.well-known/openid-federation`
pub(super) async fn configuration(State(issuer): State<Issuer>, Path(agency): Path<String>) -> Response {
    match signed(&issuer, &agency).await {
        Ok(configuration) => {
            let headers = [
                (header::CONTENT_TYPE, format!("application/{ENTITY_STATEMENT}")),
                (header::CACHE_CONTROL, FOR_AN_HOUR.to_owned()),
            ];
            (headers, configuration).into_response()
        }
        Err(error) => {
            let (status, code) = error.code();
            if status.is_server_error() {
                tracing::error!(agency, cause = %chain(&error), "there is no Entity Configuration");
            }
            oauth_error(status, &ErrorResponse::new(code, &error))
        }
    }
}

async fn signed(issuer: &Issuer, agency: &str) -> Result<String, ConfigurationError> {
    let desk = issuer.desk(agency).ok_or(ConfigurationError::NotFound)?;
    let superior = issuer.0.registry.entity_identifier().await?;
    let superior = superior.ok_or(ConfigurationError::NotFound)?;
    // Entity identifiers are of https; a platform on loopback has none.
    if !desk.identifier.as_str().starts_with("https://") {
        return Err(ConfigurationError::NotFound);
    }
    let leaf = Leaf {
        entity: desk.identifier.as_str(),
        superior: &superior,
        key_id: desk.agency.key_id(),
        key: desk.agency.signer().public_key(),
        metadata: metadata(&desk)?,
        issued_at: issuer.0.clock.now(),
    };
    Ok(keys::signing::fulfil(desk.agency.signer(), leaf.sign())?)
}

/// By Entity Type. What the registry says of the agency is laid over it by whoever resolves it.
fn metadata(desk: &Desk) -> Result<Map<String, Value>, ConfigurationError> {
    let mut issuer = serde_json::to_value(&desk.metadata)?;
    if let Some(parameters) = issuer.as_object_mut() {
        // Some software asks for it as of OpenID Providers. Clients are not registered here.
        parameters.insert("client_registration_types_supported".to_owned(), json!([]));
    }
    Ok(Map::from_iter([
        (
            "federation_entity".to_owned(),
            json!({"organization_name": desk.agency.name()}),
        ),
        (
            "oauth_authorization_server".to_owned(),
            serde_json::to_value(server_metadata(desk)?)?,
        ),
        ("openid_credential_issuer".to_owned(), issuer),
    ]))
}
