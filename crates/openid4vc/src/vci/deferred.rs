//! The messages of the Deferred Credential Endpoint
//! ([OpenID4VCI 1.0, section 9](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#deferred-credential-issuance)).
//!
//! The response is a [`super::credential::CredentialResponse`]. What an issuer keeps between the two is not
//! here yet: our issuers answer at once.

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::credential::CredentialRequestErrorCode;
use crate::oauth::error::ErrorResponse;

/// One string.
const REQUEST_LIMITS: json::Limits = json::Limits {
    max_bytes: 8 * 1_024,
    max_depth: 8,
};

/// A request for what was deferred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferredCredentialRequest {
    /// From the credential response.
    pub transaction_id: String,
}

/// The wallet's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeferredCredentialError {
    /// Not the JSON of a request.
    #[error("expected a deferred credential request as JSON")]
    Json(#[from] json::JsonError),
    /// The transaction is not known, or over.
    #[error("the transaction_id is not known or was used before")]
    TransactionId,
}

impl DeferredCredentialRequest {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`DeferredCredentialError::Json`], the wallet's fault.
    pub fn parse(body: &[u8]) -> Result<Self, DeferredCredentialError> {
        Ok(json::parse_as(body, REQUEST_LIMITS)?)
    }
}

impl DeferredCredentialError {
    /// The code for the wallet.
    #[must_use]
    pub const fn code(&self) -> CredentialRequestErrorCode {
        match self {
            Self::Json(_) => CredentialRequestErrorCode::InvalidCredentialRequest,
            Self::TransactionId => CredentialRequestErrorCode::InvalidTransactionId,
        }
    }

    /// The body for the wallet.
    #[must_use]
    pub fn to_response(&self) -> ErrorResponse {
        ErrorResponse::new(self.code().as_str(), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_text_is_read() {
        let request = DeferredCredentialRequest::parse(br#"{"transaction_id": "8xLOxBtZp8"}"#).unwrap();
        assert_eq!(request.transaction_id, "8xLOxBtZp8");
        let error = DeferredCredentialRequest::parse(b"{}").unwrap_err();
        assert_eq!(error.to_response().error, "invalid_credential_request");
        assert_eq!(
            DeferredCredentialError::TransactionId.to_response().error,
            "invalid_transaction_id"
        );
    }
}
