//! [Credential Issuer Metadata](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-metadata)
//! and [OAuth server metadata](https://www.rfc-editor.org/rfc/rfc8414).

use std::collections::BTreeMap;

use ::credential::CredentialFormat;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::Algorithm;
use openid4vc::SecureUrl;
use openid4vc::oauth::server_metadata::AuthorizationServerMetadata;
use openid4vc::url::UrlError;
use openid4vc::vci::configuration::ConfigurationError;
use openid4vc::vci::configuration::CredentialConfiguration;
use openid4vc::vci::configuration::Display;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vci::metadata::BatchCredentialIssuance;
use openid4vc::vci::metadata::IssuerMetadata;
use openid4vc::vci::metadata::MetadataError;
use server::Problem;
use thiserror::Error;

use super::desk;
use crate::Agency;
use crate::Issuer;
use crate::offer::configuration_id;

/// Copies of a credential at a time, each for its own key, so that a holder can show each once.
const BATCH_SIZE: usize = 16;

/// `GET /.well-known/openid-credential-issuer/issuers/{agency}`
pub(super) async fn issuer(State(issuer): State<Issuer>, Path(agency): Path<String>) -> Result<Response, Problem> {
    Ok(Json(&desk(&issuer, &agency)?.metadata).into_response())
}

/// `GET /.well-known/oauth-authorization-server/issuers/{agency}`
pub(super) async fn authorization_server(
    State(issuer): State<Issuer>,
    Path(agency): Path<String>,
) -> Result<Response, Problem> {
    let desk = desk(&issuer, &agency)?;
    let token_endpoint = endpoint(&desk.identifier, "token").map_err(|error| Problem::internal(&error))?;
    let metadata = AuthorizationServerMetadata::pre_authorized(desk.identifier.clone(), token_endpoint);
    Ok(Json(metadata).into_response())
}

/// What an agency publishes about itself.
pub(crate) fn metadata_of(agency: &Agency, identifier: &SecureUrl) -> Result<IssuerMetadata, PublishError> {
    let mut configurations = BTreeMap::new();
    for credential_type in agency.types().values() {
        let format = CredentialFormat::DcSdJwt;
        let configuration = CredentialConfiguration::keyed(
            FormatProfile::SdJwtVc {
                vct: credential_type.vct.clone(),
            },
            Some(credential_type.name.clone()),
            vec![agency.signer().public_key().algorithm().jose_name().into()],
            vec!["jwk".to_owned(), "did:key".to_owned(), "did:jwk".to_owned()],
            &[Algorithm::Es256, Algorithm::EdDsa],
            credential_type.metadata.clone(),
        )?;
        configurations.insert(configuration_id(&credential_type.name, format), configuration);
    }
    let metadata = IssuerMetadata {
        credential_issuer: identifier.clone(),
        authorization_servers: Vec::new(),
        credential_endpoint: endpoint(identifier, "credential")?,
        nonce_endpoint: Some(endpoint(identifier, "nonce")?),
        deferred_credential_endpoint: None,
        notification_endpoint: None,
        batch_credential_issuance: Some(BatchCredentialIssuance { batch_size: BATCH_SIZE }),
        display: vec![Display {
            name: Some(agency.name().to_owned()),
            locale: Some("en".to_owned()),
            ..Display::default()
        }],
        credential_request_encryption: None,
        credential_response_encryption: None,
        credential_configurations_supported: configurations,
    };
    metadata.check()?;
    Ok(metadata)
}

/// An agency's metadata cannot be published: its folder or the public URL is at fault.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A configuration breaks a rule of the standard.
    #[error("a credential configuration cannot be published")]
    Configuration(#[from] ConfigurationError),
    /// The metadata as a whole break a rule of the standard.
    #[error("the metadata cannot be published")]
    Metadata(#[from] MetadataError),
    /// An endpoint is no URL that wallets accept.
    #[error("an endpoint cannot be published")]
    Url(#[from] UrlError),
}

fn endpoint(identifier: &SecureUrl, name: &str) -> Result<SecureUrl, UrlError> {
    SecureUrl::parse(&format!("{identifier}/{name}"))
}
