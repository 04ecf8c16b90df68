//! Bearer tokens in requests ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).

use std::fmt;

use thiserror::Error;

use super::error::ErrorResponse;
use crate::secret::SecretDigest;

/// A JWT access token has about 1 kB; servers cut headers at 8 kB.
pub const MAX_TOKEN_BYTES: usize = 4_096;

/// The token of an `Authorization: Bearer` header. Nothing is known of it yet.
#[derive(Clone)]
pub struct BearerToken(String);

/// The client's fault. Section 3.1: no token at all gets a bare challenge, without an error code.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BearerError {
    /// Not `Bearer` and a token of the allowed characters.
    #[error("expected an Authorization header with Bearer and one token")]
    Malformed,
    /// No `Authorization` header, or one of another scheme.
    #[error("expected an Authorization header with a bearer token")]
    Missing,
}

/// The codes of a resource endpoint ([section 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerErrorCode {
    /// The token is good for other things (HTTP 403).
    InsufficientScope,
    /// The request is malformed (HTTP 400).
    InvalidRequest,
    /// The token is unknown, expired or revoked (HTTP 401).
    InvalidToken,
}

impl BearerToken {
    /// Reads the value of the `Authorization` header.
    ///
    /// # Errors
    /// [`BearerError`], the client's fault.
    pub fn from_header(value: Option<&str>) -> Result<Self, BearerError> {
        let (scheme, token) = value
            .and_then(|value| value.split_once(' '))
            .ok_or(BearerError::Missing)?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(BearerError::Missing);
        }
        let token = token.trim_start_matches(' ');
        let unpadded = token.trim_end_matches('=');
        let is_token68 = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        if unpadded.is_empty() || token.len() > MAX_TOKEN_BYTES || !unpadded.bytes().all(is_token68) {
            return Err(BearerError::Malformed);
        }
        Ok(Self(token.to_owned()))
    }

    /// The token's text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The key of the token's record.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken").finish_non_exhaustive()
    }
}

impl BearerError {
    /// The code for the challenge; none where the client sent no token.
    #[must_use]
    pub const fn code(self) -> Option<BearerErrorCode> {
        match self {
            Self::Malformed => Some(BearerErrorCode::InvalidRequest),
            Self::Missing => None,
        }
    }
}

impl BearerErrorCode {
    /// The code on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
        }
    }
}

/// The value of the `WWW-Authenticate` header.
#[must_use]
pub fn challenge(code: Option<BearerErrorCode>, cause: &impl fmt::Display) -> String {
    let Some(code) = code else { return "Bearer".to_owned() };
    let response = ErrorResponse::new(code.as_str(), cause);
    let description = response.error_description.unwrap_or_default();
    format!(
        "Bearer error=\"{}\", error_description=\"{description}\"",
        response.error
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read() {
        for good in ["Bearer czZCaGRSa3F0MzpnWDFmQmF0M2JW", "BEARER a-._~+/=="] {
            let token = good.split_once(' ').unwrap().1;
            assert_eq!(BearerToken::from_header(Some(good)).unwrap().reveal(), token);
        }
    }

    #[test]
    fn other_headers_are_refused() {
        let refused = |value: Option<&str>| BearerToken::from_header(value).unwrap_err();
        assert_eq!(refused(None), BearerError::Missing);
        assert_eq!(refused(Some("Basic YTpi")), BearerError::Missing);
        for bad in ["Bearer ", "Bearer a b", "Bearer =", "Bearer a,b", "Bearer a=b"] {
            assert_eq!(refused(Some(bad)), BearerError::Malformed, "{bad}");
        }
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_BYTES + 1));
        assert_eq!(refused(Some(&long)), BearerError::Malformed);
    }

    #[test]
    fn challenges_are_those_of_the_text() {
        assert_eq!(challenge(BearerError::Missing.code(), &BearerError::Missing), "Bearer");
        assert_eq!(
            challenge(Some(BearerErrorCode::InvalidToken), &"the token expired"),
            "Bearer error=\"invalid_token\", error_description=\"the token expired\""
        );
    }
}
