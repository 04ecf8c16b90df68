//! The Authorization Response
//! ([OpenID4VP 1.0, section 8](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#response)):
//! the `vp_token`, posted in a form or encrypted in it.
//!
//! A JWE says nothing about who made it; what binds a response to the holder is inside the presentations.

use std::collections::BTreeMap;

use keys::json;
use keys::jwe;
use keys::jwe::DecryptionKey;
use keys::jwe::JweError;
use keys::jwe::SenderHeader;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::error::AuthorizationErrorCode;
use super::request::AuthorizationRequest;
use super::request::Delivery;
use crate::dcql::DcqlQuery;
use crate::form;
use crate::form::Form;
use crate::form::FormError;
use crate::url::SecureUrl;

/// A dozen presentations with a portrait of 100 kB each.
pub const VP_TOKEN_LIMITS: json::Limits = json::Limits {
    max_bytes: 2 * 1_024 * 1_024,
    max_depth: 32,
};
/// The same in base64url or percent-encoded.
pub const MAX_RESPONSE_BYTES: usize = 2 * VP_TOKEN_LIMITS.max_bytes;
/// Each presentation costs several signature checks.
pub const MAX_PRESENTATIONS: usize = 64;
/// Codes are short; descriptions are a sentence.
const MAX_ERROR_BYTES: usize = 2_048;

/// Presentations by the id of the credential query that they answer. Nothing in it is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct VpToken(BTreeMap<String, Vec<Value>>);

/// What a wallet sends, before it is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// Presentations.
    Presented(VpToken),
    /// A refusal.
    Refused(RefusedResponse),
}

/// An Authorization Error Response as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedResponse {
    /// The code; see [`AuthorizationErrorCode`] for those that we send.
    pub error: String,
    /// A sentence from the wallet: text of a stranger.
    pub error_description: Option<String>,
}

/// What a wallet does with its response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// Keeps it for a file: the response as JSON.
    File(Map<String, Value>),
    /// Posts it. Redirects must not be followed.
    Post {
        /// Where to.
        url: SecureUrl,
        /// `application/x-www-form-urlencoded`.
        form: String,
    },
}

/// What the verifier answers to the wallet, as JSON with HTTP status 200.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseReceipt {
    /// Where the wallet sends the person's browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}

/// Why a verifier does not take a response: the wallet's fault. The session stays as it was.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseError {
    /// The session had its answer.
    #[error("the request was answered before")]
    Answered,
    /// Encrypted, though that was not asked for.
    #[error("expected a response that is not encrypted")]
    Encrypted,
    /// The time for an answer is over.
    #[error("the request has expired")]
    Expired,
    /// The form is not read.
    #[error("expected an authorization response as a form with each parameter once")]
    Form(#[from] FormError),
    /// The JSON of the response is not read.
    #[error("expected an authorization response as JSON")]
    Json(#[from] json::JsonError),
    /// Not encrypted to this request's key.
    #[error("expected a response encrypted to the key of the request")]
    Jwe(#[from] JweError),
    /// Presentations in the clear, though encryption was asked for.
    #[error("expected an encrypted response")]
    NotEncrypted,
    /// Another request's state, or none.
    #[error("expected the state of the request")]
    State,
    /// The `vp_token` is not what the query allows.
    #[error("expected a vp_token with one or more presentations for each query id that it answers")]
    VpToken,
}

/// Why a wallet cannot pack its response: its own fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackError {
    /// The request has no key that we can use; a received request was checked for that.
    #[error("the request has no key to encrypt the response to")]
    NoKey,
    /// Encryption failed.
    #[error("the response was not encrypted")]
    Jwe(#[from] JweError),
}

impl VpToken {
    /// Adds a presentation that answers a credential query.
    pub fn add(&mut self, query_id: &str, presentation: Value) {
        self.0.entry(query_id.to_owned()).or_default().push(presentation);
    }

    /// The presentations, each with the id of its credential query.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0
            .iter()
            .flat_map(|(id, presentations)| presentations.iter().map(move |one| (id.as_str(), one)))
    }

    /// Reads the JSON of a `vp_token` that answers `query`.
    ///
    /// # Errors
    /// [`ResponseError::VpToken`], the wallet's fault.
    pub fn from_value(value: Value, query: &DcqlQuery) -> Result<Self, ResponseError> {
        let Value::Object(entries) = value else {
            return Err(ResponseError::VpToken);
        };
        let mut token = Self::default();
        for (id, presentations) in entries {
            let wanted = query.credential(&id).ok_or(ResponseError::VpToken)?;
            let Value::Array(presentations) = presentations else {
                return Err(ResponseError::VpToken);
            };
            let count_fits = presentations.len() == 1 || (presentations.len() > 1 && wanted.multiple);
            if !count_fits || !presentations.iter().all(|one| one.is_string() || one.is_object()) {
                return Err(ResponseError::VpToken);
            }
            token.0.insert(id, presentations);
        }
        let count: usize = token.0.values().map(Vec::len).sum();
        if (1..=MAX_PRESENTATIONS).contains(&count) {
            Ok(token)
        } else {
            Err(ResponseError::VpToken)
        }
    }
}

impl AuthorizationResponse {
    /// A refusal. Nothing is told beyond the code: why a person refuses is nobody's business.
    #[must_use]
    pub fn refusal(code: AuthorizationErrorCode) -> Self {
        Self::Refused(RefusedResponse {
            error: code.as_str().to_owned(),
            error_description: None,
        })
    }

    /// Packs the response in the way that the request asks for.
    ///
    /// # Errors
    /// [`PackError`].
    pub fn pack(&self, request: &AuthorizationRequest, rng: &mut dyn CryptoRng) -> Result<Outgoing, PackError> {
        let parameters = self.parameters(request.state.as_deref());
        match &request.delivery {
            Delivery::File => Ok(Outgoing::File(parameters)),
            Delivery::DirectPost(url) => {
                let texts: Vec<_> = parameters
                    .into_iter()
                    .map(|(name, value)| (name, plain(value)))
                    .collect();
                let form = form::encode(texts.iter().map(|(name, value)| (name.as_str(), value.as_str())));
                Ok(Outgoing::Post { url: url.clone(), form })
            }
            Delivery::DirectPostJwt(url) => {
                let encryption = request.response_encryption().ok_or(PackError::NoKey)?;
                let plaintext = Value::Object(parameters).to_string();
                // `apv` ties the key derivation to this request; `kid` is the key's own.
                let header = SenderHeader {
                    kid: None,
                    apu: None,
                    apv: Some(request.nonce.clone().into_bytes()),
                };
                let jwe = jwe::encrypt(plaintext.as_bytes(), &encryption.key, encryption.enc, &header, rng)?;
                Ok(Outgoing::Post {
                    url: url.clone(),
                    form: form::encode([("response", jwe.as_str())]),
                })
            }
        }
    }

    /// Opens the form that was posted for a request. A refusal may come in the clear even where encryption
    /// was asked for.
    ///
    /// # Errors
    /// [`ResponseError`], the wallet's fault.
    pub fn open(
        body: &[u8],
        query: &DcqlQuery,
        state: Option<&str>,
        key: Option<&DecryptionKey>,
    ) -> Result<Self, ResponseError> {
        let form = Form::parse(body, MAX_RESPONSE_BYTES)?;
        let parameters = match (form.optional("response"), key) {
            (Some(jwe), Some(key)) => {
                let plaintext = jwe::decrypt(jwe, key, MAX_RESPONSE_BYTES)?;
                json::parse_object(&plaintext, VP_TOKEN_LIMITS)?
            }
            (Some(_), None) => return Err(ResponseError::Encrypted),
            (None, Some(_)) if form.optional("vp_token").is_some() => return Err(ResponseError::NotEncrypted),
            (None, _) => from_form(&form)?,
        };
        Self::from_parameters(parameters, query, state)
    }

    /// Reads the JSON of a response: that of a file, or what was encrypted.
    ///
    /// # Errors
    /// [`ResponseError`], the wallet's fault.
    pub fn from_parameters(
        mut parameters: Map<String, Value>,
        query: &DcqlQuery,
        state: Option<&str>,
    ) -> Result<Self, ResponseError> {
        if let Some(expected) = state
            && parameters.get("state").and_then(Value::as_str) != Some(expected)
        {
            return Err(ResponseError::State);
        }
        match (parameters.remove("vp_token"), parameters.remove("error")) {
            (Some(vp_token), None) => VpToken::from_value(vp_token, query).map(Self::Presented),
            (None, Some(Value::String(error))) if error.len() <= MAX_ERROR_BYTES => {
                let description = parameters.get("error_description").and_then(Value::as_str);
                let error_description = description
                    .filter(|text| text.len() <= MAX_ERROR_BYTES)
                    .map(str::to_owned);
                Ok(Self::Refused(RefusedResponse {
                    error,
                    error_description,
                }))
            }
            (Some(_), Some(_)) | (None, Some(_) | None) => Err(ResponseError::VpToken),
        }
    }

    fn parameters(&self, state: Option<&str>) -> Map<String, Value> {
        let mut parameters = Map::new();
        let mut put = |name: &str, value: Value| drop(parameters.insert(name.to_owned(), value));
        match self {
            Self::Presented(vp_token) => put("vp_token", serde_json::to_value(vp_token).unwrap_or_default()),
            Self::Refused(refused) => {
                put("error", refused.error.as_str().into());
                if let Some(description) = &refused.error_description {
                    put("error_description", description.as_str().into());
                }
            }
        }
        if let Some(state) = state {
            put("state", state.into());
        }
        parameters
    }
}

impl ResponseReceipt {
    /// Reads the verifier's answer. An empty body is an empty receipt: some verifiers send none.
    ///
    /// # Errors
    /// [`json::JsonError`], the verifier's fault.
    pub fn parse(body: &[u8]) -> Result<Self, json::JsonError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        json::parse_as(
            body,
            json::Limits {
                max_bytes: 16 * 1_024,
                max_depth: 8,
            },
        )
    }
}

impl ResponseError {
    /// The code for the wallet. The standard defines none for this endpoint; OAuth's fit.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Answered
            | Self::Encrypted
            | Self::Expired
            | Self::Form(_)
            | Self::Json(_)
            | Self::Jwe(_)
            | Self::NotEncrypted
            | Self::State
            | Self::VpToken => "invalid_request",
        }
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn from_form(form: &Form) -> Result<Map<String, Value>, ResponseError> {
    let mut parameters = Map::new();
    for (name, value) in form.iter() {
        let value = if name == "vp_token" {
            json::parse(value.as_bytes(), VP_TOKEN_LIMITS)?
        } else {
            Value::from(value)
        };
        parameters.insert(name.to_owned(), value);
    }
    Ok(parameters)
}
