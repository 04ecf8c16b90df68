//! The Token Endpoint
//! ([OpenID4VCI 1.0, section 6](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#token-endpoint)):
//! messages and errors. What a code becomes is in [`super::grant`].

use std::fmt;

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::authorization_details::AuthorizationDetail;
use super::authorization_details::DetailsError;
use super::offer::CredentialOffer;
use super::offer::OfferError;
use crate::form;
use crate::form::Form;
use crate::form::FormError;
use crate::oauth::error::ErrorResponse;
use crate::oauth::error::TokenErrorCode;
use crate::oauth::server_metadata::PRE_AUTHORIZED_CODE_GRANT;

/// A code of 2 kB, details of 32 kB, percent-encoding.
pub const MAX_TOKEN_REQUEST_BYTES: usize = 64 * 1_024;
/// A token, details and a few numbers.
pub const TOKEN_RESPONSE_LIMITS: json::Limits = json::Limits {
    max_bytes: 64 * 1_024,
    max_depth: 8,
};

/// A token request of the pre-authorized code grant, the only grant of this endpoint.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenRequest {
    /// The code of the offer.
    pub pre_authorized_code: String,
    /// What the person typed.
    pub tx_code: Option<String>,
    /// Which of the offered credentials the token is for; empty if all.
    pub authorization_details: Vec<AuthorizationDetail>,
    /// The wallet's client identifier; anonymous without.
    pub client_id: Option<String>,
}

/// A successful token response.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The token.
    pub access_token: String,
    /// `Bearer`, in any case.
    pub token_type: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<i64>,
    /// Present if credentials must be requested by their identifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details: Option<Vec<AuthorizationDetail>>,
}

/// Why no token is given. The client's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// The code is expired.
    #[error("the pre-authorized code has expired")]
    CodeExpired,
    /// The code is not known.
    #[error("the pre-authorized code is not known")]
    CodeUnknown,
    /// The code was redeemed before.
    #[error("the pre-authorized code was used before")]
    CodeUsed,
    /// Details that the offer does not cover.
    #[error("expected authorization_details of the credentials in the offer")]
    DetailsNotOffered,
    /// Details that are not read.
    #[error("expected authorization_details of type openid_credential")]
    Details(#[from] DetailsError),
    /// The form is not read.
    #[error("expected a token request as a form with each parameter once")]
    Form(#[from] FormError),
    /// Another grant type.
    #[error("expected the grant type {PRE_AUTHORIZED_CODE_GRANT}")]
    GrantType,
    /// Too many wrong transaction codes: the pre-authorized code is dead.
    #[error("the pre-authorized code was withdrawn after too many wrong transaction codes")]
    TooManyTries,
    /// No transaction code where the offer asks for one.
    #[error("expected a transaction code")]
    TxCodeMissing,
    /// A transaction code where the offer asks for none.
    #[error("expected no transaction code")]
    TxCodeUnexpected,
    /// The wrong one.
    #[error("the transaction code is wrong")]
    TxCodeWrong,
}

/// Why a wallet gets no token. Whose fault stands on the variants.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenResponseError {
    /// The server's: not the JSON of a token response.
    #[error("expected a token response as JSON")]
    Json(#[from] json::JsonError),
    /// The server's: another kind of token than we can use.
    #[error("expected a bearer token")]
    TokenType,
    /// The server's: an empty token or one longer than a header carries.
    #[error(
        "expected an access token of at most {} bytes",
        crate::oauth::bearer::MAX_TOKEN_BYTES
    )]
    Token,
}

impl TokenRequest {
    /// Reads the body of a token request.
    ///
    /// # Errors
    /// [`TokenError`], the client's fault.
    pub fn parse(body: &[u8]) -> Result<Self, TokenError> {
        let form = Form::parse(body, MAX_TOKEN_REQUEST_BYTES)?;
        if form.required("grant_type")? != PRE_AUTHORIZED_CODE_GRANT {
            return Err(TokenError::GrantType);
        }
        let details = form
            .optional("authorization_details")
            .map(|text| AuthorizationDetail::parse_all(text.as_bytes()));
        Ok(Self {
            pre_authorized_code: form.required("pre-authorized_code")?.to_owned(),
            tx_code: form.optional("tx_code").map(str::to_owned),
            authorization_details: details.transpose()?.unwrap_or_default(),
            client_id: form.optional("client_id").map(str::to_owned),
        })
    }

    /// A wallet's request for everything in an offer, anonymously.
    ///
    /// # Errors
    /// [`OfferError::TxCode`] when what the person typed cannot be the code, or is missing or not asked
    /// for; [`OfferError::Code`] when the offer has no pre-authorized code.
    pub fn for_offer(offer: &CredentialOffer, tx_code: Option<&str>) -> Result<Self, OfferError> {
        let grant = offer.grants.pre_authorized_code.as_ref().ok_or(OfferError::Code)?;
        match (&grant.tx_code, tx_code) {
            (None, None) => {}
            (Some(description), Some(typed)) => description.accept(typed)?,
            (None, Some(_)) | (Some(_), None) => return Err(OfferError::TxCode),
        }
        Ok(Self {
            pre_authorized_code: grant.pre_authorized_code.clone(),
            tx_code: tx_code.map(str::to_owned),
            authorization_details: Vec::new(),
            client_id: None,
        })
    }

    /// The body of the request, `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn to_form(&self) -> String {
        let details = serde_json::to_string(&self.authorization_details).unwrap_or_default();
        let optional = [
            ("tx_code", self.tx_code.as_deref()),
            (
                "authorization_details",
                Some(details.as_str()).filter(|_| !self.authorization_details.is_empty()),
            ),
            ("client_id", self.client_id.as_deref()),
        ];
        let required = [
            ("grant_type", PRE_AUTHORIZED_CODE_GRANT),
            ("pre-authorized_code", &self.pre_authorized_code),
        ];
        form::encode(
            required
                .into_iter()
                .chain(optional.into_iter().filter_map(|(name, value)| Some((name, value?)))),
        )
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

impl TokenResponse {
    /// Reads a successful response.
    ///
    /// # Errors
    /// [`TokenResponseError`], the server's fault.
    pub fn parse(body: &[u8]) -> Result<Self, TokenResponseError> {
        let response: Self = json::parse_as(body, TOKEN_RESPONSE_LIMITS)?;
        if !response.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(TokenResponseError::TokenType);
        }
        let header = format!("Bearer {}", response.access_token);
        crate::oauth::bearer::BearerToken::from_header(Some(&header)).map_err(|_| TokenResponseError::Token)?;
        Ok(response)
    }
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TokenResponse");
        debug
            .field("token_type", &self.token_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

impl TokenError {
    /// The code for the client.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::CodeExpired | Self::CodeUnknown | Self::CodeUsed | Self::TooManyTries | Self::TxCodeWrong => {
                TokenErrorCode::InvalidGrant
            }
            Self::Details(_) | Self::DetailsNotOffered => TokenErrorCode::InvalidAuthorizationDetails,
            Self::Form(_) | Self::TxCodeMissing | Self::TxCodeUnexpected => TokenErrorCode::InvalidRequest,
            Self::GrantType => TokenErrorCode::UnsupportedGrantType,
        }
    }

    /// The body for the client. Whether a code is unknown, expired, used or withdrawn is not told to
    /// whoever may be guessing.
    #[must_use]
    pub fn to_response(&self) -> ErrorResponse {
        let code = self.code().as_str();
        match self {
            Self::CodeExpired | Self::CodeUnknown | Self::CodeUsed | Self::TooManyTries => {
                ErrorResponse::new(code, &"the pre-authorized code is not valid")
            }
            Self::Details(_)
            | Self::DetailsNotOffered
            | Self::Form(_)
            | Self::GrantType
            | Self::TxCodeMissing
            | Self::TxCodeUnexpected
            | Self::TxCodeWrong => ErrorResponse::new(code, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of section 6.1.1.
    const EXAMPLE: &str = "grant_type=urn:ietf:params:oauth:grant-type:pre-authorized_code\
        &pre-authorized_code=SplxlOBeZQQYbYS6WxSbIA&tx_code=493536\
        &authorization_details=%5B%7B%22type%22%3A%20%22openid_credential%22%2C%20%22\
        credential_configuration_id%22%3A%20%22UniversityDegreeCredential%22%7D%5D";

    #[test]
    fn the_example_of_the_text_is_read() {
        let request = TokenRequest::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(request.pre_authorized_code, "SplxlOBeZQQYbYS6WxSbIA");
        assert_eq!(request.tx_code.as_deref(), Some("493536"));
        assert_eq!(
            request.authorization_details[0].credential_configuration_id,
            "UniversityDegreeCredential"
        );
        assert_eq!(TokenRequest::parse(request.to_form().as_bytes()), Ok(request));
    }

    #[test]
    fn bad_requests_get_their_code() {
        let code = |body: &str| TokenRequest::parse(body.as_bytes()).unwrap_err().code();
        assert_eq!(
            code("grant_type=authorization_code&code=a"),
            TokenErrorCode::UnsupportedGrantType
        );
        assert_eq!(code("pre-authorized_code=a"), TokenErrorCode::InvalidRequest);
        assert_eq!(
            code(&EXAMPLE.replace("pre-authorized_code=S", "other=S")),
            TokenErrorCode::InvalidRequest
        );
        assert_eq!(code(&format!("{EXAMPLE}&tx_code=1")), TokenErrorCode::InvalidRequest);
        assert_eq!(
            code(&EXAMPLE.replace("openid_credential", "payment")),
            TokenErrorCode::InvalidAuthorizationDetails
        );
        assert_eq!(
            code(&"x".repeat(MAX_TOKEN_REQUEST_BYTES + 1)),
            TokenErrorCode::InvalidRequest
        );
    }

    #[test]
    fn a_guesser_learns_nothing() {
        let bodies = [
            TokenError::CodeExpired,
            TokenError::CodeUnknown,
            TokenError::CodeUsed,
            TokenError::TooManyTries,
        ];
        assert!(
            bodies
                .iter()
                .all(|error| error.to_response() == TokenError::CodeUnknown.to_response())
        );
    }

    /// The example of section 6.2.
    #[test]
    fn responses_are_read() {
        let body = r#"{"access_token": "eyJhbGciOiJSUzI1NiIsInR5cCI6Ikp..sHQ", "token_type": "Bearer",
            "expires_in": 86400, "authorization_details": [{"type": "openid_credential",
            "credential_configuration_id": "UniversityDegreeCredential",
            "credential_identifiers": ["CivilEngineeringDegree-2023", "ElectricalEngineeringDegree-2023"]}]}"#;
        let response = TokenResponse::parse(body.as_bytes()).unwrap();
        let identifiers = response
            .authorization_details
            .unwrap()
            .remove(0)
            .credential_identifiers
            .unwrap();
        assert_eq!(
            identifiers,
            ["CivilEngineeringDegree-2023", "ElectricalEngineeringDegree-2023"]
        );
        let dpop = TokenResponse::parse(body.replace("Bearer", "DPoP").as_bytes());
        assert_eq!(dpop, Err(TokenResponseError::TokenType));
        let split = TokenResponse::parse(body.replace("..sHQ", "\\r\\nX: y").as_bytes());
        assert_eq!(split, Err(TokenResponseError::Token));
    }

    #[test]
    fn debug_hides_codes_and_tokens() {
        let request = TokenRequest::parse(EXAMPLE.as_bytes()).unwrap();
        assert_eq!(format!("{request:?}"), "TokenRequest { client_id: None, .. }");
        let response = TokenResponse::parse(br#"{"access_token":"secret","token_type":"bearer"}"#).unwrap();
        assert!(!format!("{response:?}").contains("secret"));
    }
}
