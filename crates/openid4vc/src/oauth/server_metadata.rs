//! Authorization Server metadata ([RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)) with the parameter of
//! [OpenID4VCI 1.0, section 12.3](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#as-metadata),
//! and that of the
//! [Token Status List](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-issuer-metadata).

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use crate::url::SecureUrl;

/// The documents of large servers have about 10 kB.
pub const METADATA_LIMITS: json::Limits = json::Limits {
    max_bytes: 64 * 1_024,
    max_depth: 8,
};

/// The grant type of the pre-authorized code flow.
pub const PRE_AUTHORIZED_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";

/// What a wallet or a client of the hub needs to know of an Authorization Server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The identifier that the document's URL was made from.
    pub issuer: SecureUrl,
    /// Where codes and assertions become tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_endpoint: Option<SecureUrl>,
    /// Where people authorize.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<SecureUrl>,
    /// Where the keys of its tokens are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<SecureUrl>,
    /// May be left out by a server that knows only the pre-authorized code grant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_types_supported: Option<Vec<String>>,
    /// Absent means `authorization_code` and `implicit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types_supported: Option<Vec<String>>,
    /// How clients authenticate; absent means `client_secret_basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// The algorithms for `private_key_jwt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg_values_supported: Option<Vec<String>>,
    /// The types of `authorization_details`, such as `openid_credential`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types_supported: Option<Vec<String>>,
    /// Whether a pre-authorized code may be redeemed without a `client_id`.
    #[serde(
        rename = "pre-authorized_grant_anonymous_access_supported",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub pre_authorized_grant_anonymous_access_supported: bool,
    /// Where the URIs of all its Status List Tokens are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_list_aggregation_endpoint: Option<SecureUrl>,
}

/// The server's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerMetadataError {
    /// The document is about another server: it "MUST NOT be used".
    #[error("expected the metadata of {expected}, found those of another issuer")]
    Issuer {
        /// Whose metadata was asked for.
        expected: SecureUrl,
    },
    /// Not the JSON of such a document.
    #[error("expected OAuth server metadata as JSON")]
    Json(#[from] json::JsonError),
    /// No token endpoint, or it does not know the grant type.
    #[error("expected a token endpoint for the grant type {grant_type}")]
    NoTokenEndpoint {
        /// The grant type wanted.
        grant_type: String,
    },
}

impl AuthorizationServerMetadata {
    /// Where the metadata of a server is.
    #[must_use]
    pub fn url(issuer: &SecureUrl) -> SecureUrl {
        issuer.well_known("oauth-authorization-server")
    }

    /// A server of the pre-authorized code grant that takes anonymous wallets.
    #[must_use]
    pub fn pre_authorized(issuer: SecureUrl, token_endpoint: SecureUrl) -> Self {
        Self {
            issuer,
            token_endpoint: Some(token_endpoint),
            authorization_endpoint: None,
            jwks_uri: None,
            response_types_supported: None,
            grant_types_supported: Some(vec![PRE_AUTHORIZED_CODE_GRANT.to_owned()]),
            token_endpoint_auth_methods_supported: Some(vec!["none".to_owned()]),
            token_endpoint_auth_signing_alg_values_supported: None,
            authorization_details_types_supported: Some(vec!["openid_credential".to_owned()]),
            pre_authorized_grant_anonymous_access_supported: true,
            status_list_aggregation_endpoint: None,
        }
    }

    /// Reads the document that was fetched for `issuer`.
    ///
    /// # Errors
    /// [`ServerMetadataError`], the server's fault.
    pub fn parse(document: &[u8], issuer: &SecureUrl) -> Result<Self, ServerMetadataError> {
        let metadata: Self = json::parse_as(document, METADATA_LIMITS)?;
        if metadata.issuer != *issuer {
            return Err(ServerMetadataError::Issuer {
                expected: issuer.clone(),
            });
        }
        Ok(metadata)
    }

    /// The token endpoint, if it takes this grant type.
    ///
    /// # Errors
    /// [`ServerMetadataError::NoTokenEndpoint`].
    pub fn token_endpoint_for(&self, grant_type: &str) -> Result<&SecureUrl, ServerMetadataError> {
        let takes = match &self.grant_types_supported {
            Some(grant_types) => grant_types.iter().any(|one| one == grant_type),
            None => grant_type == "authorization_code",
        };
        let no_endpoint = || ServerMetadataError::NoTokenEndpoint {
            grant_type: grant_type.to_owned(),
        };
        self.token_endpoint.as_ref().filter(|_| takes).ok_or_else(no_endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> SecureUrl {
        SecureUrl::parse(text).unwrap()
    }

    fn genuine() -> AuthorizationServerMetadata {
        AuthorizationServerMetadata::pre_authorized(url("https://as.example/a"), url("https://as.example/a/token"))
    }

    #[test]
    fn the_document_lies_between_host_and_path() {
        let at = AuthorizationServerMetadata::url(&genuine().issuer);
        assert_eq!(
            at.as_str(),
            "https://as.example/.well-known/oauth-authorization-server/a"
        );
    }

    #[test]
    fn reads_what_it_writes() {
        let document = serde_json::to_vec(&genuine()).unwrap();
        assert_eq!(
            AuthorizationServerMetadata::parse(&document, &genuine().issuer),
            Ok(genuine())
        );
        assert!(genuine().token_endpoint_for(PRE_AUTHORIZED_CODE_GRANT).is_ok());
    }

    #[test]
    fn the_document_of_another_issuer_is_refused() {
        let document = serde_json::to_vec(&genuine()).unwrap();
        let expected = url("https://as.example/a/");
        let refused = AuthorizationServerMetadata::parse(&document, &expected);
        assert_eq!(refused, Err(ServerMetadataError::Issuer { expected }));
    }

    #[test]
    fn an_endpoint_without_the_grant_type_is_none() {
        assert!(genuine().token_endpoint_for("authorization_code").is_err());
        let mut silent = genuine();
        silent.grant_types_supported = None;
        assert!(silent.token_endpoint_for(PRE_AUTHORIZED_CODE_GRANT).is_err());
        assert!(silent.token_endpoint_for("authorization_code").is_ok());
    }
}
