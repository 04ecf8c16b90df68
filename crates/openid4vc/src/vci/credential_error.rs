//! The errors of the Credential Endpoint and their codes
//! ([OpenID4VCI 1.0, section 8.3.1](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-error-response)).

use keys::json;
use thiserror::Error;

use super::configuration::JWT_PROOF_TYPE;
use super::proof::ProofError;
use crate::oauth::bearer::BearerErrorCode;
use crate::oauth::error::ErrorResponse;

/// Why nothing is issued. The wallet's fault, unless a variant says otherwise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// The issuer's own decision or data: for good.
    #[error("the credential is not issued")]
    Denied,
    /// Encryption parameters, which this issuer does not support.
    #[error("expected no credential_response_encryption: this issuer does not support it")]
    Encryption,
    /// Both or neither of `credential_identifier` and `credential_configuration_id`, or the one that
    /// does not go with the token.
    #[error("expected the one of credential_identifier and credential_configuration_id that goes with the token")]
    Identification,
    /// Not the JSON of a request.
    #[error("expected a credential request as JSON")]
    Json(#[from] json::JsonError),
    /// No proofs where the configuration asks for them.
    #[error("expected proofs")]
    ProofsMissing,
    /// Not exactly one proof type with at least one proof.
    #[error("expected one proof type with one or more proofs")]
    ProofsMalformed,
    /// Another proof type than `jwt`.
    #[error("expected proofs of the type {JWT_PROOF_TYPE}")]
    ProofType,
    /// A proof is not good.
    #[error("expected key proofs that are good")]
    Proof(#[from] ProofError),
    /// The token is not good for this credential.
    #[error("the access token does not cover this credential")]
    TokenScope,
    /// The token is over.
    #[error("the access token has expired")]
    TokenExpired,
    /// The token is not known.
    #[error("the access token is not known")]
    TokenUnknown,
    /// More proofs than the batch size.
    #[error("expected at most {limit} proofs")]
    TooManyProofs {
        /// The batch size.
        limit: usize,
    },
    /// The token's credentials are used up.
    #[error("no more credentials are issued for this access token")]
    UsedUp,
    /// Not a configuration of this issuer.
    #[error("expected a credential configuration of this issuer")]
    UnknownConfiguration,
    /// Not a dataset of this token.
    #[error("expected a credential identifier of this token")]
    UnknownIdentifier,
}

/// The code of an error, and with it the form of the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialErrorCode {
    /// About the token: a `WWW-Authenticate` challenge ([`crate::oauth::bearer::challenge`]).
    Authorization(BearerErrorCode),
    /// About the request: HTTP 400 with [`CredentialError::to_response`].
    Request(CredentialRequestErrorCode),
}

/// The codes of [section 8.3.1.2](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-request-errors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialRequestErrorCode {
    /// Malformed, or a parameter missing or not supported.
    InvalidCredentialRequest,
    /// The configuration is not known.
    UnknownCredentialConfiguration,
    /// The identifier is not known.
    UnknownCredentialIdentifier,
    /// A proof is missing or not good.
    InvalidProof,
    /// A nonce is not good: the wallet gets another one.
    InvalidNonce,
    /// Encryption parameters are missing or not good.
    InvalidEncryptionParameters,
    /// For good.
    CredentialRequestDenied,
    /// Of the deferred credential endpoint only.
    InvalidTransactionId,
}

impl CredentialError {
    /// The code for the wallet.
    #[must_use]
    pub const fn code(&self) -> CredentialErrorCode {
        use CredentialErrorCode::Authorization;
        use CredentialErrorCode::Request;
        match self {
            Self::TokenExpired | Self::TokenUnknown => Authorization(BearerErrorCode::InvalidToken),
            Self::TokenScope => Authorization(BearerErrorCode::InsufficientScope),
            Self::Denied | Self::UsedUp => Request(CredentialRequestErrorCode::CredentialRequestDenied),
            Self::Encryption => Request(CredentialRequestErrorCode::InvalidEncryptionParameters),
            Self::Identification | Self::Json(_) | Self::ProofsMalformed | Self::TooManyProofs { .. } => {
                Request(CredentialRequestErrorCode::InvalidCredentialRequest)
            }
            Self::Proof(ProofError::Nonce(_)) => Request(CredentialRequestErrorCode::InvalidNonce),
            Self::Proof(
                ProofError::Algorithm { .. }
                | ProofError::Audience
                | ProofError::BindingMethod
                | ProofError::Claim(_)
                | ProofError::ClientId
                | ProofError::DuplicateKey
                | ProofError::IssuedAt
                | ProofError::Jws(_)
                | ProofError::Key
                | ProofError::NonceMissing
                | ProofError::PrivateKey
                | ProofError::Unresolved,
            )
            | Self::ProofType
            | Self::ProofsMissing => Request(CredentialRequestErrorCode::InvalidProof),
            Self::UnknownConfiguration => Request(CredentialRequestErrorCode::UnknownCredentialConfiguration),
            Self::UnknownIdentifier => Request(CredentialRequestErrorCode::UnknownCredentialIdentifier),
        }
    }

    /// The body for the wallet.
    #[must_use]
    pub fn to_response(&self) -> ErrorResponse {
        let code = match self.code() {
            CredentialErrorCode::Authorization(code) => code.as_str(),
            CredentialErrorCode::Request(code) => code.as_str(),
        };
        match self {
            Self::Proof(cause) => ErrorResponse::new(code, cause),
            _ => ErrorResponse::new(code, self),
        }
    }
}

impl CredentialRequestErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidCredentialRequest => "invalid_credential_request",
            Self::UnknownCredentialConfiguration => "unknown_credential_configuration",
            Self::UnknownCredentialIdentifier => "unknown_credential_identifier",
            Self::InvalidProof => "invalid_proof",
            Self::InvalidNonce => "invalid_nonce",
            Self::InvalidEncryptionParameters => "invalid_encryption_parameters",
            Self::CredentialRequestDenied => "credential_request_denied",
            Self::InvalidTransactionId => "invalid_transaction_id",
        }
    }
}
