//! `authorization_details` of type `openid_credential`
//! ([OpenID4VCI 1.0, section 5.1.1](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#authorization-details),
//! [RFC 9396](https://www.rfc-editor.org/rfc/rfc9396)).

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::offer::MAX_CONFIGURATIONS;
use crate::dcql::ClaimsPath;

/// Some identifiers and claims paths.
const DETAILS_LIMITS: json::Limits = json::Limits {
    max_bytes: 32 * 1_024,
    max_depth: 8,
};

/// The one type of this specification.
const OPENID_CREDENTIAL: &str = "openid_credential";

/// What a wallet asks to be issued, or may ask for with its access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationDetail {
    /// Always `openid_credential`.
    #[serde(rename = "type")]
    kind: String,
    /// A key of the issuer's `credential_configurations_supported`.
    pub credential_configuration_id: String,
    /// The issuer, where one Authorization Server serves several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locations: Option<Vec<String>>,
    /// The claims wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<RequestedClaim>>,
    /// In token responses: the datasets that may be requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_identifiers: Option<Vec<String>>,
}

/// A claim that a wallet asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedClaim {
    /// Where it is in the credential.
    pub path: ClaimsPath,
    /// Whether a credential without it is of no use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
}

/// The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DetailsError {
    /// An empty array where one must have elements.
    #[error("expected 1 to {MAX_CONFIGURATIONS} authorization details")]
    Count,
    /// Not the JSON of authorization details.
    #[error("expected authorization_details as JSON")]
    Json(#[from] json::JsonError),
    /// A type that we do not know: the server must refuse it (RFC 9396, section 5).
    #[error("expected authorization details of type {OPENID_CREDENTIAL}")]
    Type,
}

impl AuthorizationDetail {
    /// A request for one configuration.
    #[must_use]
    pub fn request(credential_configuration_id: &str) -> Self {
        Self {
            kind: OPENID_CREDENTIAL.to_owned(),
            credential_configuration_id: credential_configuration_id.to_owned(),
            locations: None,
            claims: None,
            credential_identifiers: None,
        }
    }

    /// Reads the parameter of a request.
    ///
    /// # Errors
    /// [`DetailsError`], the client's fault.
    pub fn parse_all(text: &[u8]) -> Result<Vec<Self>, DetailsError> {
        let details: Vec<Self> = json::parse_as(text, DETAILS_LIMITS)?;
        if !(1..=MAX_CONFIGURATIONS).contains(&details.len()) {
            return Err(DetailsError::Count);
        }
        if details.iter().any(|detail| detail.kind != OPENID_CREDENTIAL) {
            return Err(DetailsError::Type);
        }
        Ok(details)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openid_credential_is_taken() {
        let text = |kind: &str| format!(r#"[{{"type":"{kind}","credential_configuration_id":"a","other":1}}]"#);
        assert_eq!(
            AuthorizationDetail::parse_all(text("openid_credential").as_bytes())
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            AuthorizationDetail::parse_all(text("payment").as_bytes()),
            Err(DetailsError::Type)
        );
        assert_eq!(AuthorizationDetail::parse_all(b"[]"), Err(DetailsError::Count));
        assert!(matches!(
            AuthorizationDetail::parse_all(b"[{}]"),
            Err(DetailsError::Json(_))
        ));
    }
}
