//! Error responses ([RFC 6749, section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).

use std::fmt;

use keys::json;
use serde::Deserialize;
use serde::Serialize;

/// An error code and a sentence; more would be log, not protocol.
const ERROR_LIMITS: json::Limits = json::Limits {
    max_bytes: 8 * 1_024,
    max_depth: 8,
};

/// One or two short sentences; the whole cause is in the server's log.
const MAX_DESCRIPTION_CHARS: usize = 240;

/// The JSON body of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The code, which a program reads.
    pub error: String,
    /// A sentence for the developer at the other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

impl ErrorResponse {
    /// A response with `code`, and `cause` in the characters that the standards allow
    /// (`%x20-21 / %x23-5B / %x5D-7E`). The texts of our errors hold no claim, key or code.
    #[must_use]
    pub fn new(code: &str, cause: &impl fmt::Display) -> Self {
        let allowed = |character: char| match character {
            '"' | '`' => '\'',
            '\\' => '/',
            ' '..='~' => character,
            _ => '?',
        };
        let description = cause
            .to_string()
            .chars()
            .take(MAX_DESCRIPTION_CHARS)
            .map(allowed)
            .collect();
        Self {
            error: code.to_owned(),
            error_description: Some(description),
        }
    }

    /// Reads the body of an error response.
    ///
    /// # Errors
    /// [`json::JsonError`], the server's fault.
    pub fn parse(body: &[u8]) -> Result<Self, json::JsonError> {
        json::parse_as(body, ERROR_LIMITS)
    }
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug escapes control characters: the text comes from elsewhere and goes to a terminal.
        write!(f, "{:?}", self.error)?;
        match &self.error_description {
            Some(description) => write!(f, " ({description:?})"),
            None => Ok(()),
        }
    }
}

/// The codes of a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenErrorCode {
    /// Client authentication failed or is missing.
    InvalidClient,
    /// The code is unknown, expired, used or not for this client, or the transaction code is wrong.
    InvalidGrant,
    /// A parameter is missing, repeated or not expected.
    InvalidRequest,
    /// The scope is unknown or exceeds what was granted.
    InvalidScope,
    /// This client may not use this grant type.
    UnauthorizedClient,
    /// The server does not know the grant type.
    UnsupportedGrantType,
    /// [RFC 9396, section 5](https://www.rfc-editor.org/rfc/rfc9396#section-5).
    InvalidAuthorizationDetails,
}

impl TokenErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_keep_to_the_allowed_characters() {
        let response = ErrorResponse::new("invalid_request", &"expected `a` \"b\\\" é\n");
        assert_eq!(response.error_description.unwrap(), "expected 'a' 'b/' ??");
        let long = ErrorResponse::new("invalid_request", &"x".repeat(1_000));
        assert_eq!(long.error_description.unwrap().len(), MAX_DESCRIPTION_CHARS);
    }

    #[test]
    fn foreign_text_is_shown_escaped() {
        let response = ErrorResponse::parse(b"{\"error\":\"\\u001b[2J\"}").unwrap();
        assert_eq!(response.to_string(), "\"\\u{1b}[2J\"");
    }
}
