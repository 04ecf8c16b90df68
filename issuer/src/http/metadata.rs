//! [Credential Issuer Metadata](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-metadata)
//! and [OAuth server metadata](https://www.rfc-editor.org/rfc/rfc8414).

use std::collections::BTreeMap;

use ::credential::CredentialFormat;
use ::credential::data_integrity::Cryptosuite;
use axum::Json;
use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::response::Response;
use keys::Algorithm;
use openid4vc::SecureUrl;
use openid4vc::dcql::ClaimsPath;
use openid4vc::dcql::PathComponent;
use openid4vc::oauth::server_metadata::AuthorizationServerMetadata;
use openid4vc::url::UrlError;
use openid4vc::vci::configuration::ConfigurationError;
use openid4vc::vci::configuration::CredentialConfiguration;
use openid4vc::vci::configuration::CredentialMetadata;
use openid4vc::vci::configuration::Display;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vci::metadata::BatchCredentialIssuance;
use openid4vc::vci::metadata::IssuerMetadata;
use openid4vc::vci::metadata::MetadataError;
use server::Problem;
use thiserror::Error;

use super::desk;
use crate::Agency;
use crate::Desk;
use crate::Issuer;
use crate::agency::CredentialType;
use crate::document::CRYPTOSUITE;
use crate::document::SELECTIVE_CRYPTOSUITES;
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
    let metadata = server_metadata(&desk).map_err(|error| Problem::internal(&error))?;
    Ok(Json(metadata).into_response())
}

/// An agency as the authorization server of its own issuing.
pub(super) fn server_metadata(desk: &Desk) -> Result<AuthorizationServerMetadata, UrlError> {
    let token_endpoint = endpoint(&desk.identifier, "token")?;
    let mut metadata = AuthorizationServerMetadata::pre_authorized(desk.identifier.clone(), token_endpoint);
    metadata.status_list_aggregation_endpoint = Some(endpoint(&desk.identifier, "status")?);
    Ok(metadata)
}

/// What an agency publishes about itself.
pub(crate) fn metadata_of(agency: &Agency, identifier: &SecureUrl) -> Result<IssuerMetadata, PublishError> {
    let mut configurations = BTreeMap::new();
    for credential_type in agency.types().values() {
        for ((format, suite), configuration) in configurations_of(agency, credential_type)? {
            let id = configuration_id(&credential_type.name, format, suite.map(Cryptosuite::as_str));
            configurations.insert(id, configuration);
        }
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

/// What a configuration is for: a format, and of Data Integrity the suite.
type Secured = (CredentialFormat, Option<Cryptosuite>);

/// One type in every format that the agency issues it in.
fn configurations_of(
    agency: &Agency,
    credential_type: &CredentialType,
) -> Result<Vec<(Secured, CredentialConfiguration)>, ConfigurationError> {
    let jose = || vec![agency.signer().public_key().algorithm().jose_name().into()];
    let methods = |methods: &[&str]| methods.iter().map(ToString::to_string).collect();
    let scope = Some(credential_type.name.clone());
    let sd_jwt_vc = CredentialConfiguration::keyed(
        FormatProfile::SdJwtVc {
            vct: credential_type.vct.clone(),
        },
        scope.clone(),
        jose(),
        methods(&["jwk", "did:key", "did:jwk"]),
        &[Algorithm::Es256, Algorithm::EdDsa],
        credential_type.metadata.clone(),
    )?;
    let mut configurations = vec![((CredentialFormat::DcSdJwt, None), sd_jwt_vc)];
    configurations.extend(mso_mdoc(agency, credential_type)?.map(|mdoc| ((CredentialFormat::MsoMdoc, None), mdoc)));
    let Some(w3c) = &credential_type.w3c else {
        return Ok(configurations);
    };
    // The subject of a W3C credential has a DID, so the proof must name one.
    let dids = || methods(&["did:key", "did:jwk"]);
    let metadata = || below_subject(&credential_type.metadata);
    let jwt_vc_json = CredentialConfiguration::keyed(
        FormatProfile::JwtVcJson { types: w3c.types() },
        scope.clone(),
        jose(),
        dids(),
        &[Algorithm::Es256, Algorithm::EdDsa],
        metadata()?,
    )?;
    configurations.push(((CredentialFormat::JwtVcJson, None), jwt_vc_json));
    let suites = [CRYPTOSUITE].into_iter().chain(SELECTIVE_CRYPTOSUITES);
    for suite in suites.filter(|suite| agency.proof_signer(*suite).is_some()) {
        let ldp_vc = CredentialConfiguration::keyed(
            FormatProfile::LdpVc {
                context: w3c.context_urls(),
                types: w3c.types(),
            },
            scope.clone(),
            vec![suite.as_str().into()],
            dids(),
            presenting_algorithms(suite),
            metadata()?,
        )?;
        configurations.push(((CredentialFormat::LdpVc, Some(suite)), ldp_vc));
    }
    Ok(configurations)
}

/// The holder presents with the same kind of proof, unless that signs no presentations.
const fn presenting_algorithms(suite: Cryptosuite) -> &'static [Algorithm] {
    if suite.is_selective() {
        &[Algorithm::EdDsa, Algorithm::Es256]
    } else {
        suite.algorithms()
    }
}

/// The type as an mdoc, if its mapping has data elements and the agency a certificate
/// ([OpenID4VCI 1.0, appendix A.2](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#mdocs)).
fn mso_mdoc(
    agency: &Agency,
    credential_type: &CredentialType,
) -> Result<Option<CredentialConfiguration>, ConfigurationError> {
    let (Some(mdoc), Some(_)) = (credential_type.mapping.mdoc(), agency.document_signer()) else {
        return Ok(None);
    };
    let configuration = CredentialConfiguration::keyed(
        FormatProfile::MsoMdoc {
            doctype: mdoc.doctype.clone(),
        },
        Some(credential_type.name.clone()),
        vec![agency.signer().public_key().algorithm().cose_id().into()],
        vec!["cose_key".to_owned()],
        &[Algorithm::Es256, Algorithm::EdDsa],
        CredentialMetadata {
            display: credential_type.metadata.display.clone(),
            claims: mdoc.describe(&credential_type.metadata.claims),
        },
    )?;
    Ok(Some(configuration))
}

/// The claims of a W3C credential stand below `credentialSubject`.
fn below_subject(metadata: &CredentialMetadata) -> Result<CredentialMetadata, ConfigurationError> {
    let mut metadata = metadata.clone();
    for claim in &mut metadata.claims {
        let subject = PathComponent::Key("credentialSubject".to_owned());
        let path = std::iter::once(subject).chain(claim.path.components().iter().cloned());
        claim.path = ClaimsPath::new(path.collect()).map_err(|_| ConfigurationError::Claims)?;
    }
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
