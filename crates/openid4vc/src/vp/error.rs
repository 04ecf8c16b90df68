//! The codes of Authorization Error Responses
//! ([OpenID4VP 1.0, section 8.5](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#error-response),
//! [RFC 6749, section 4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)).

/// What a wallet tells a verifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationErrorCode {
    /// The person refused, or the wallet lacks what was asked for: a verifier cannot tell which.
    AccessDenied,
    /// The client metadata contradict what the wallet knows of the client.
    InvalidClient,
    /// The request is malformed or breaks a rule of its client identifier prefix.
    InvalidRequest,
    /// `request_uri_method` is neither `get` nor `post`.
    InvalidRequestUriMethod,
    /// `transaction_data` that the wallet does not support.
    InvalidTransactionData,
    /// The wallet failed.
    ServerError,
    /// Another response type than `vp_token`.
    UnsupportedResponseType,
    /// None of the formats asked for is supported.
    VpFormatsNotSupported,
}

impl AuthorizationErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::InvalidClient => "invalid_client",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidRequestUriMethod => "invalid_request_uri_method",
            Self::InvalidTransactionData => "invalid_transaction_data",
            Self::ServerError => "server_error",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::VpFormatsNotSupported => "vp_formats_not_supported",
        }
    }
}
