//! The Authorization Request
//! ([OpenID4VP 1.0, section 5](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#vp_token_request)):
//! its parameters, wherever they come from.

use keys::Timestamp;
use keys::json;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::client_id::ClientId;
use super::client_id::ClientIdError;
use super::client_metadata::ClientMetadata;
use super::client_metadata::ClientMetadataError;
use super::client_metadata::ResponseEncryption;
use super::error::AuthorizationErrorCode;
use crate::claims;
use crate::claims::ClaimError;
use crate::dcql::DcqlQuery;
use crate::dcql::QueryError;
use crate::dcql::query::QUERY_LIMITS;
use crate::form::Form;
use crate::form::FormError;
use crate::format::CredentialFormat;
use crate::secret::Secret;
use crate::url::SecureUrl;
use crate::url::UrlError;

/// A query of 128 kB and metadata, percent-encoded or in base64url.
pub const MAX_REQUEST_BYTES: usize = 512 * 1_024;
/// Nonces and states of other verifiers may be JWTs.
pub const MAX_NONCE_BYTES: usize = 2_048;

/// A request for presentations that keeps every rule of section 5.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: ClientId,
    /// What binds presentations to this request.
    pub nonce: String,
    /// To be sent back.
    pub state: Option<String>,
    /// How the answer goes back.
    pub delivery: Delivery,
    /// What is asked for.
    pub dcql_query: DcqlQuery,
    /// What the verifier can read.
    pub client_metadata: Option<ClientMetadata>,
    /// The wallet's own nonce, in a request object that it fetched by POST.
    pub wallet_nonce: Option<String>,
}

/// How the answer goes back: `response_mode` and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// `direct_post`: a form to this URL.
    DirectPost(SecureUrl),
    /// `direct_post.jwt`: the same, encrypted.
    DirectPostJwt(SecureUrl),
    /// The answer is handed over as a file and posted nowhere: our own response mode, for requests that
    /// travel without a network.
    File,
}

/// The `response_mode` of [`Delivery::File`], in a namespace of its own since it is no standard's.
pub const FILE_RESPONSE_MODE: &str = "attestry.file";

/// A request as a wallet may act on it: signed by the client that it names, or unsigned from a client that
/// is only a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedRequest {
    pub(super) request: AuthorizationRequest,
    pub(super) signed_by: Option<String>,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) expires_at: Option<Timestamp>,
}

/// Why a wallet does not act on a request. The verifier's fault, or that of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Made for another wallet.
    #[error("expected a request object for any wallet or for this one in `aud`")]
    Audience,
    /// A claim of the request object is of another type.
    #[error("expected the parameters of an authorization request with their types")]
    Claim(#[from] ClaimError),
    /// A client that we cannot identify.
    #[error("expected a client_id that this wallet can identify")]
    ClientId(#[from] ClientIdError),
    /// The client in the URI is not the one in the request object.
    #[error("expected the same client_id in the URI and in the request object")]
    ClientIdMismatch,
    /// Metadata that break a rule.
    #[error("expected sound client metadata")]
    ClientMetadata(#[from] ClientMetadataError),
    /// Encryption is demanded, and no key or algorithm of the metadata is one that we do.
    #[error("expected a key for ECDH-ES on P-256 and A128GCM or A256GCM in the client metadata for direct_post.jwt")]
    EncryptionKey,
    /// Its time is over, or has not come.
    #[error("expected a request object that is valid now")]
    Expired,
    /// The query of the URI is not read.
    #[error("expected the parameters of an authorization request, each once")]
    Form(#[from] FormError),
    /// A parameter's JSON is not read.
    #[error("expected JSON in the request")]
    Json(#[from] json::JsonError),
    /// Not the JWT of a request object, of another `typ`, or not signed by the key of its `kid`.
    #[error("expected a request object as JWT of typ oauth-authz-req+jwt, signed by its client")]
    Jws(#[from] keys::jws::JwsError),
    /// A nonce or state with other characters than the text allows, or none.
    #[error("expected `{name}` in ASCII URL safe characters")]
    Nonce {
        /// `nonce`, `state` or `wallet_nonce`.
        name: &'static str,
    },
    /// Not a URI that invokes a wallet.
    #[error("expected a URI that begins with openid4vp: or https://")]
    NotARequestUri,
    /// A query that breaks a rule.
    #[error("expected a valid dcql_query")]
    Query(#[from] QueryError),
    /// Not exactly `dcql_query`: with a `scope`, or without either.
    #[error("expected dcql_query and no scope")]
    QueryOrScope,
    /// `redirect_uri` beside a response that is posted.
    #[error("expected no redirect_uri with a direct_post response mode")]
    RedirectUri,
    /// A request object under `redirect_uri:`, whose requests "cannot be signed".
    #[error("expected an unsigned request from a client of the prefix redirect_uri")]
    RedirectUriSigned,
    /// Both `request` and `request_uri`, or `request_uri_method` without `request_uri`.
    #[error("expected at most one of request and request_uri, and request_uri_method only with the latter")]
    RequestAndUri,
    /// Neither `get` nor `post`.
    #[error("expected the request_uri_method get or post")]
    RequestUriMethod,
    /// Another response mode.
    #[error("expected the response_mode direct_post or direct_post.jwt")]
    ResponseMode,
    /// Another response type.
    #[error("expected the response_type vp_token")]
    ResponseType,
    /// No response URI, or not the one that the client identifier is.
    #[error("expected a response_uri, the client's own under the prefix redirect_uri")]
    ResponseUri,
    /// The signer is not the client.
    #[error("expected a kid that is a DID URL of the client's DID")]
    SignerMismatch,
    /// No state although a presentation may be unbound.
    #[error("expected a state, since a presentation without holder binding is accepted")]
    StateMissing,
    /// Transaction data, which we do not support: "Wallets that do not support this parameter MUST reject".
    #[error("expected no transaction_data")]
    TransactionData,
    /// No signature although the client identifier is a DID.
    #[error("expected a signed request from a client of the prefix decentralized_identifier")]
    Unsigned,
    /// A URL that may not be used.
    #[error("expected a URL that may be used in the request")]
    Url(#[from] UrlError),
    /// The wallet's nonce did not come back: the request object may be an old one.
    #[error("expected the wallet's own wallet_nonce in the request object")]
    WalletNonce,
}

impl AuthorizationRequest {
    /// A request that travels as a file, from a client with a DID. Nonce and state are fresh.
    ///
    /// # Errors
    /// [`RequestError::RedirectUriSigned`] for a client without a DID, since the file must be signed: the
    /// caller's fault.
    pub fn for_file(client_id: ClientId, dcql_query: DcqlQuery, rng: &mut dyn CryptoRng) -> Result<Self, RequestError> {
        if client_id.did().is_none() {
            return Err(RequestError::RedirectUriSigned);
        }
        Ok(Self {
            client_id,
            nonce: Secret::generate(rng).reveal().to_owned(),
            state: Some(Secret::generate(rng).reveal().to_owned()),
            delivery: Delivery::File,
            dcql_query,
            client_metadata: None,
            wallet_nonce: None,
        })
    }

    /// Reads parameters: the claims of a request object, or a query with its JSON parsed.
    pub(super) fn from_parameters(parameters: &Map<String, Value>) -> Result<Self, RequestError> {
        if parameters.contains_key("transaction_data") {
            return Err(RequestError::TransactionData);
        }
        let text = |name| claims::optional_string(parameters, name);
        let client_id = ClientId::parse(claims::required_string(parameters, "client_id")?)?;
        if text("response_type")? != Some("vp_token") {
            return Err(RequestError::ResponseType);
        }
        let dcql_query = match (parameters.get("dcql_query"), parameters.get("scope")) {
            (Some(query), None) => DcqlQuery::from_value(query)?,
            (Some(_) | None, Some(_)) | (None, None) => return Err(RequestError::QueryOrScope),
        };
        let metadata = parameters
            .get("client_metadata")
            .map(ClientMetadata::from_value)
            .transpose()?;
        let request = Self {
            delivery: delivery(parameters, &client_id)?,
            nonce: url_safe(text("nonce")?, "nonce")?.ok_or(RequestError::Nonce { name: "nonce" })?,
            state: url_safe(text("state")?, "state")?,
            dcql_query,
            client_metadata: metadata,
            wallet_nonce: text("wallet_nonce")?.map(str::to_owned),
            client_id,
        };
        if request.dcql_query.accepts_unbound() && request.state.is_none() {
            return Err(RequestError::StateMissing);
        }
        if matches!(request.delivery, Delivery::DirectPostJwt(_)) && request.response_encryption().is_none() {
            return Err(RequestError::EncryptionKey);
        }
        Ok(request)
    }

    /// The parameters as JSON: the claims of a request object.
    #[must_use]
    pub fn to_parameters(&self) -> Map<String, Value> {
        let mut parameters = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                parameters.insert(name.to_owned(), value);
            }
        };
        put("client_id", Some(self.client_id.as_str().into()));
        put("response_type", Some("vp_token".into()));
        put("response_mode", Some(self.delivery.response_mode().into()));
        put(
            "response_uri",
            self.delivery.response_uri().map(|url| url.as_str().into()),
        );
        put("nonce", Some(self.nonce.as_str().into()));
        put("state", self.state.as_deref().map(Value::from));
        put("dcql_query", Some(self.dcql_query.to_value()));
        put(
            "client_metadata",
            self.client_metadata.as_ref().map(ClientMetadata::to_value),
        );
        put("wallet_nonce", self.wallet_nonce.as_deref().map(Value::from));
        parameters
    }

    /// The key and algorithm to encrypt the answer with; `None` if the metadata have none that we can do.
    #[must_use]
    pub fn response_encryption(&self) -> Option<ResponseEncryption> {
        self.client_metadata
            .as_ref()
            .and_then(ClientMetadata::response_encryption)
    }

    /// Whether any of the formats asked for is one of `supported`; if not, a wallet answers
    /// `vp_formats_not_supported`.
    #[must_use]
    pub fn asks_for_any_of(&self, supported: &[CredentialFormat]) -> bool {
        self.dcql_query
            .credentials
            .iter()
            .any(|credential| supported.contains(&credential.format))
    }
}

impl Delivery {
    /// The value of `response_mode`.
    #[must_use]
    pub const fn response_mode(&self) -> &'static str {
        match self {
            Self::DirectPost(_) => "direct_post",
            Self::DirectPostJwt(_) => "direct_post.jwt",
            Self::File => FILE_RESPONSE_MODE,
        }
    }

    /// Where the answer is posted.
    #[must_use]
    pub const fn response_uri(&self) -> Option<&SecureUrl> {
        match self {
            Self::DirectPost(url) | Self::DirectPostJwt(url) => Some(url),
            Self::File => None,
        }
    }
}

impl ReceivedRequest {
    /// Takes an unsigned request from the query of a URI: only from a client that is its own response URI,
    /// so that nobody but the named client gets the answer.
    pub(super) fn unsigned(form: &Form) -> Result<Self, RequestError> {
        let mut parameters = Map::new();
        for (name, value) in form.iter() {
            let is_json = ["dcql_query", "client_metadata", "transaction_data"].contains(&name);
            let value = if is_json {
                json::parse(value.as_bytes(), QUERY_LIMITS)?
            } else {
                Value::from(value)
            };
            parameters.insert(name.to_owned(), value);
        }
        let request = AuthorizationRequest::from_parameters(&parameters)?;
        if request.client_id.did().is_some() {
            return Err(RequestError::Unsigned);
        }
        if request.delivery == Delivery::File {
            return Err(RequestError::ResponseMode);
        }
        Ok(Self {
            request,
            signed_by: None,
            issued_at: None,
            expires_at: None,
        })
    }

    /// The request.
    #[must_use]
    pub const fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// The DID URL of the key that signed it; `None` if it is unsigned.
    #[must_use]
    pub fn signed_by(&self) -> Option<&str> {
        self.signed_by.as_deref()
    }

    /// When it was made, as its signer says.
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// When it ends, as its signer says.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }
}

impl RequestError {
    /// The code for the verifier.
    #[must_use]
    pub const fn code(&self) -> AuthorizationErrorCode {
        match self {
            Self::Audience
            | Self::Claim(_)
            | Self::ClientId(_)
            | Self::ClientIdMismatch
            | Self::ClientMetadata(_)
            | Self::EncryptionKey
            | Self::Expired
            | Self::Form(_)
            | Self::Json(_)
            | Self::Jws(_)
            | Self::Nonce { .. }
            | Self::NotARequestUri
            | Self::Query(_)
            | Self::QueryOrScope
            | Self::RedirectUri
            | Self::RedirectUriSigned
            | Self::RequestAndUri
            | Self::ResponseMode
            | Self::ResponseUri
            | Self::SignerMismatch
            | Self::StateMissing
            | Self::Unsigned
            | Self::Url(_)
            | Self::WalletNonce => AuthorizationErrorCode::InvalidRequest,
            Self::RequestUriMethod => AuthorizationErrorCode::InvalidRequestUriMethod,
            Self::ResponseType => AuthorizationErrorCode::UnsupportedResponseType,
            Self::TransactionData => AuthorizationErrorCode::InvalidTransactionData,
        }
    }
}

fn delivery(parameters: &Map<String, Value>, client_id: &ClientId) -> Result<Delivery, RequestError> {
    let mode = claims::optional_string(parameters, "response_mode")?;
    if mode == Some(FILE_RESPONSE_MODE) {
        return Ok(Delivery::File);
    }
    // The default mode, `fragment`, needs a browser that we do not have.
    let is_encrypted = match mode {
        Some("direct_post") => false,
        Some("direct_post.jwt") => true,
        Some(_) | None => return Err(RequestError::ResponseMode),
    };
    if parameters.contains_key("redirect_uri") {
        return Err(RequestError::RedirectUri);
    }
    let given = claims::optional_string(parameters, "response_uri")?
        .map(SecureUrl::parse)
        .transpose()?;
    let response_uri = match (given, client_id.response_uri()) {
        (Some(given), None) => given,
        (Some(given), Some(own)) if given == *own => given,
        // "The Verifier MAY omit [...] `response_uri`".
        (None, Some(own)) => own.clone(),
        (Some(_), Some(_)) | (None, None) => return Err(RequestError::ResponseUri),
    };
    Ok(if is_encrypted {
        Delivery::DirectPostJwt(response_uri)
    } else {
        Delivery::DirectPost(response_uri)
    })
}

/// "Values MUST only contain ASCII URL safe characters".
pub(super) fn url_safe(text: Option<&str>, name: &'static str) -> Result<Option<String>, RequestError> {
    let Some(text) = text else { return Ok(None) };
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if text.is_empty() || text.len() > MAX_NONCE_BYTES || !text.bytes().all(is_safe) {
        return Err(RequestError::Nonce { name });
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::form;

    pub(in crate::vp) fn parameters() -> Map<String, Value> {
        let value = json!({
            "client_id": "redirect_uri:https://client.example.org/post",
            "response_type": "vp_token",
            "response_mode": "direct_post",
            "response_uri": "https://client.example.org/post",
            "nonce": "n-0S6_WzA2Mj",
            "state": "eyJhb~6.sVA",
            "dcql_query": {"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}}]},
            "client_metadata": {
                "vp_formats_supported": {"dc+sd-jwt": {}},
                "jwks": {"keys": [{"kty": "EC", "kid": "ac", "crv": "P-256", "alg": "ECDH-ES",
                    "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
                    "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}]}
            },
            "unknown": {"ignored": true}
        });
        value.as_object().unwrap().clone()
    }

    fn changed(name: &str, value: Option<Value>) -> Result<AuthorizationRequest, RequestError> {
        let mut parameters = parameters();
        assert!(AuthorizationRequest::from_parameters(&parameters).is_ok());
        match value {
            Some(value) => parameters.insert(name.to_owned(), value),
            None => parameters.remove(name),
        };
        AuthorizationRequest::from_parameters(&parameters)
    }

    fn refused(name: &str, value: Value) -> RequestError {
        changed(name, Some(value)).unwrap_err()
    }

    #[test]
    fn reads_what_it_writes() {
        let request = AuthorizationRequest::from_parameters(&parameters()).unwrap();
        assert_eq!(
            AuthorizationRequest::from_parameters(&request.to_parameters()),
            Ok(request)
        );
    }

    #[test]
    fn required_parameters_are_required() {
        for name in ["client_id", "response_type", "response_mode", "nonce", "dcql_query"] {
            assert!(changed(name, None).is_err(), "{name}");
        }
        assert!(changed("state", None).is_ok());
    }

    #[test]
    fn response_type_and_mode_are_those_we_do() {
        let error = refused("response_type", json!("vp_token id_token"));
        assert_eq!(
            (&error, error.code().as_str()),
            (&RequestError::ResponseType, "unsupported_response_type")
        );
        for mode in ["fragment", "dc_api", "DIRECT_POST"] {
            assert_eq!(refused("response_mode", json!(mode)), RequestError::ResponseMode);
        }
    }

    #[test]
    fn transaction_data_are_refused() {
        let error = refused("transaction_data", json!(["e30"]));
        assert_eq!(
            (&error, error.code().as_str()),
            (&RequestError::TransactionData, "invalid_transaction_data")
        );
    }

    #[test]
    fn scope_is_refused() {
        assert_eq!(refused("scope", json!("com.example.pid")), RequestError::QueryOrScope);
        let mut parameters = parameters();
        parameters.remove("dcql_query");
        parameters.insert("scope".to_owned(), json!("com.example.pid"));
        assert_eq!(
            AuthorizationRequest::from_parameters(&parameters),
            Err(RequestError::QueryOrScope)
        );
    }

    #[test]
    fn redirect_uri_beside_direct_post_is_refused() {
        assert_eq!(
            refused("redirect_uri", json!("https://client.example.org/post")),
            RequestError::RedirectUri
        );
    }

    #[test]
    fn the_response_uri_is_the_clients_own() {
        assert_eq!(
            refused("response_uri", json!("https://evil.example/post")),
            RequestError::ResponseUri
        );
        let own = SecureUrl::parse("https://client.example.org/post").unwrap();
        assert_eq!(
            changed("response_uri", None).unwrap().delivery,
            Delivery::DirectPost(own)
        );
        let mut did = parameters();
        did.insert(
            "client_id".to_owned(),
            json!("decentralized_identifier:did:example:123"),
        );
        assert!(AuthorizationRequest::from_parameters(&did).is_ok());
        did.remove("response_uri");
        assert_eq!(
            AuthorizationRequest::from_parameters(&did),
            Err(RequestError::ResponseUri)
        );
        did.insert("response_uri".to_owned(), json!("http://client.example.org/post"));
        assert_eq!(
            AuthorizationRequest::from_parameters(&did),
            Err(RequestError::Url(UrlError::NotSecure))
        );
    }

    #[test]
    fn nonce_and_state_are_url_safe() {
        for bad in ["", "a b", "a$b", "é", &"a".repeat(MAX_NONCE_BYTES + 1)] {
            assert_eq!(refused("nonce", json!(bad)), RequestError::Nonce { name: "nonce" });
            assert_eq!(refused("state", json!(bad)), RequestError::Nonce { name: "state" });
        }
    }

    #[test]
    fn an_unbound_presentation_needs_a_state() {
        let mut parameters = parameters();
        parameters["dcql_query"]["credentials"][0]["require_cryptographic_holder_binding"] = json!(false);
        assert!(AuthorizationRequest::from_parameters(&parameters).is_ok());
        parameters.remove("state");
        assert_eq!(
            AuthorizationRequest::from_parameters(&parameters),
            Err(RequestError::StateMissing)
        );
    }

    #[test]
    fn encryption_needs_a_key() {
        assert!(changed("response_mode", Some(json!("direct_post.jwt"))).is_ok());
        let mut parameters = parameters();
        parameters.insert("response_mode".to_owned(), json!("direct_post.jwt"));
        parameters.remove("client_metadata");
        assert_eq!(
            AuthorizationRequest::from_parameters(&parameters),
            Err(RequestError::EncryptionKey)
        );
    }

    #[test]
    fn an_unsigned_request_of_a_did_is_refused() {
        let form = |client_id: &str| {
            let query = parameters()["dcql_query"].to_string();
            let text = form::encode([
                ("client_id", client_id),
                ("response_type", "vp_token"),
                ("response_mode", "direct_post"),
                ("response_uri", "https://client.example.org/post"),
                ("nonce", "n-0S6_WzA2Mj"),
                ("dcql_query", query.as_str()),
            ]);
            Form::parse(text.as_bytes(), MAX_REQUEST_BYTES).unwrap()
        };
        let received = ReceivedRequest::unsigned(&form("redirect_uri:https://client.example.org/post")).unwrap();
        assert_eq!(received.signed_by(), None);
        let did = ReceivedRequest::unsigned(&form("decentralized_identifier:did:example:123"));
        assert_eq!(did, Err(RequestError::Unsigned));
    }

    #[test]
    fn a_request_in_a_file_is_signed() {
        let mut parameters = parameters();
        parameters.insert("response_mode".to_owned(), json!(FILE_RESPONSE_MODE));
        parameters.remove("response_uri");
        let request = AuthorizationRequest::from_parameters(&parameters).unwrap();
        assert_eq!(request.delivery, Delivery::File);
        let texts = request.to_parameters().into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        });
        let texts: Vec<_> = texts.collect();
        let text = form::encode(texts.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let form = Form::parse(text.as_bytes(), MAX_REQUEST_BYTES).unwrap();
        assert_eq!(ReceivedRequest::unsigned(&form), Err(RequestError::ResponseMode));
    }

    #[test]
    fn a_request_for_a_file_keeps_the_rules() {
        let query = DcqlQuery::from_value(&parameters()["dcql_query"]).unwrap();
        let make = |client_id: &str| {
            let client_id = ClientId::parse(client_id).unwrap();
            AuthorizationRequest::for_file(client_id, query.clone(), &mut signer::os_rng())
        };
        let request = make("decentralized_identifier:did:example:123").unwrap();
        assert_eq!(
            AuthorizationRequest::from_parameters(&request.to_parameters()),
            Ok(request.clone())
        );
        assert_ne!(
            make("decentralized_identifier:did:example:123").unwrap().nonce,
            request.nonce
        );
        let unsigned = make("redirect_uri:https://client.example.org/post");
        assert_eq!(unsigned, Err(RequestError::RedirectUriSigned));
    }

    #[test]
    fn formats_asked_for_are_told() {
        let request = AuthorizationRequest::from_parameters(&parameters()).unwrap();
        assert!(request.asks_for_any_of(&[CredentialFormat::LdpVc, CredentialFormat::SdJwtVc]));
        assert!(!request.asks_for_any_of(&[CredentialFormat::LdpVc]));
    }
}
