//! The Credential Endpoint
//! ([OpenID4VCI 1.0, section 8](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-endpoint)).
//!
//! An issuer: [`CredentialRequest::parse`], [`authorize`] with the record of the access token, verify the
//! proofs ([`super::proof`]), issue one credential per key, answer with [`CredentialResponse`]. The new
//! token record and the spent nonces are saved in one transaction before the answer goes out.

use std::collections::BTreeMap;

use keys::Timestamp;
use keys::json;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::configuration::CredentialConfiguration;
use super::configuration::JWT_PROOF_TYPE;
pub use super::credential_error::CredentialError;
pub use super::credential_error::CredentialErrorCode;
pub use super::credential_error::CredentialRequestErrorCode;
use super::grant::AccessTokenRecord;
use super::metadata::IssuerMetadata;
use super::proof::MAX_PROOF_BYTES;
use super::proof::ProofRules;
use super::token::TokenResponse;
use crate::url::SecureUrl;

/// A full batch of the longest proofs.
pub const REQUEST_LIMITS: json::Limits = json::Limits {
    max_bytes: super::metadata::MAX_BATCH_SIZE * MAX_PROOF_BYTES + 4_096,
    max_depth: 16,
};
/// A full batch of credentials with a portrait of 100 kB each.
pub const RESPONSE_LIMITS: json::Limits = json::Limits {
    max_bytes: 16 * 1_024 * 1_024,
    max_depth: 32,
};

/// A request for one or several credentials of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRequest")]
#[non_exhaustive]
pub struct CredentialRequest {
    /// What is asked for.
    #[serde(flatten)]
    pub requested: Requested,
    /// `{"jwt": [...]}`: exactly one proof type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proofs: Option<Proofs>,
}

/// How the credential is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Requested {
    /// A dataset that the token response named.
    #[serde(rename = "credential_identifier")]
    Identifier(String),
    /// A configuration, where the token response named no datasets.
    #[serde(rename = "credential_configuration_id")]
    Configuration(String),
}

/// The proofs of a request: one type, at least one proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proofs {
    /// Proofs of type `jwt`.
    Jwt(Vec<String>),
    /// Of a type that we do not know.
    Other(String),
}

/// A request that its access token covers.
#[derive(Clone, Debug)]
pub struct AuthorizedRequest<'a> {
    /// The configuration's id.
    pub credential_configuration_id: String,
    /// The configuration.
    pub configuration: &'a CredentialConfiguration,
    /// Whose data the credentials will hold.
    pub subject: String,
    /// The proofs to verify, at least one if the configuration asks for proofs.
    pub jwt_proofs: Vec<String>,
    /// The client of the token.
    pub client_id: Option<String>,
}

/// A successful response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawResponse")]
pub enum CredentialResponse {
    /// Issued at once.
    #[serde(untagged)]
    Issued {
        /// At most one for each key.
        credentials: Vec<IssuedCredential>,
        /// To tell the issuer how it went.
        #[serde(skip_serializing_if = "Option::is_none")]
        notification_id: Option<String>,
    },
    /// To be fetched later (HTTP status 202).
    #[serde(untagged)]
    Deferred {
        /// The name of the transaction.
        transaction_id: String,
        /// Seconds to wait at least.
        interval: u64,
    },
}

/// One credential: a string, or an object for `ldp_vc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// As its format has it.
    pub credential: Value,
}

/// Why a wallet does not take a response: the issuer's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialResponseError {
    /// Not the JSON of a response: `credentials` or `transaction_id` with `interval`, not both.
    #[error("expected a credential response as JSON")]
    Json(#[from] json::JsonError),
    /// More credentials than keys were proven.
    #[error("expected at most {limit} credentials")]
    TooMany {
        /// How many keys.
        limit: usize,
    },
}

impl CredentialRequest {
    /// A wallet's request for a credential of `configuration_id` with the token of `response`, by
    /// identifier or configuration as the token response demands.
    #[must_use]
    pub fn new(response: &TokenResponse, configuration_id: &str, jwt_proofs: Vec<String>) -> Self {
        let details = response.authorization_details.as_deref().unwrap_or_default();
        let detail = details
            .iter()
            .find(|detail| detail.credential_configuration_id == configuration_id);
        let identifier = detail.and_then(|detail| detail.credential_identifiers.as_ref()?.first());
        let requested = match identifier {
            Some(identifier) => Requested::Identifier(identifier.clone()),
            None => Requested::Configuration(configuration_id.to_owned()),
        };
        Self {
            requested,
            proofs: (!jwt_proofs.is_empty()).then_some(Proofs::Jwt(jwt_proofs)),
        }
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// [`CredentialError`], the wallet's fault.
    pub fn parse(body: &[u8]) -> Result<Self, CredentialError> {
        json::parse_as::<RawRequest>(body, REQUEST_LIMITS)?.try_into()
    }

    /// The body of the request, `application/json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Checks a request against its access token and the issuer's metadata, and counts the credentials that
/// it asks for. The new record is saved together with what is issued.
///
/// # Errors
/// [`CredentialError`]; then the record stays as it was.
pub fn authorize<'a>(
    token: &AccessTokenRecord,
    request: &CredentialRequest,
    metadata: &'a IssuerMetadata,
    now: Timestamp,
) -> Result<(AccessTokenRecord, AuthorizedRequest<'a>), CredentialError> {
    if now >= token.expires_at {
        return Err(CredentialError::TokenExpired);
    }
    let configuration_id = requested_configuration(token, &request.requested, metadata)?;
    let unknown = || CredentialError::UnknownConfiguration;
    let configuration = metadata
        .credential_configurations_supported
        .get(configuration_id)
        .ok_or_else(unknown)?;
    let jwt_proofs = match &request.proofs {
        Some(Proofs::Jwt(jwts)) => jwts.clone(),
        Some(Proofs::Other(_)) => return Err(CredentialError::ProofType),
        None if configuration.requires_proof() => return Err(CredentialError::ProofsMissing),
        None => Vec::new(),
    };
    let limit = metadata.max_proofs();
    if jwt_proofs.len() > limit {
        return Err(CredentialError::TooManyProofs { limit });
    }
    let after = token
        .after_issuing(jwt_proofs.len().max(1))
        .ok_or(CredentialError::UsedUp)?;
    let authorized = AuthorizedRequest {
        credential_configuration_id: configuration_id.to_owned(),
        configuration,
        subject: token.subject.clone(),
        jwt_proofs,
        client_id: token.client_id.clone(),
    };
    Ok((after, authorized))
}

fn requested_configuration<'a>(
    token: &'a AccessTokenRecord,
    requested: &Requested,
    metadata: &IssuerMetadata,
) -> Result<&'a str, CredentialError> {
    let by_identifier = token
        .credentials
        .iter()
        .any(|credential| credential.credential_identifier.is_some());
    match requested {
        Requested::Identifier(identifier) => {
            let mut credentials = token.credentials.iter();
            let named = credentials.find(|credential| credential.credential_identifier.as_ref() == Some(identifier));
            Ok(&named
                .ok_or(CredentialError::UnknownIdentifier)?
                .credential_configuration_id)
        }
        // "It MUST NOT be used otherwise."
        Requested::Configuration(_) if by_identifier => Err(CredentialError::Identification),
        Requested::Configuration(id) => {
            if !metadata.credential_configurations_supported.contains_key(id) {
                return Err(CredentialError::UnknownConfiguration);
            }
            let mut credentials = token.credentials.iter();
            let covered = credentials.find(|credential| credential.credential_configuration_id == *id);
            Ok(&covered.ok_or(CredentialError::TokenScope)?.credential_configuration_id)
        }
    }
}

impl AuthorizedRequest<'_> {
    /// What the proofs must keep to.
    #[must_use]
    pub fn proof_rules<'a>(&'a self, credential_issuer: &'a SecureUrl) -> ProofRules<'a> {
        ProofRules {
            credential_issuer,
            configuration: self.configuration,
            client_id: self.client_id.as_deref(),
        }
    }
}

impl CredentialResponse {
    /// Reads a successful response to a request with `keys` proofs.
    ///
    /// # Errors
    /// [`CredentialResponseError`], the issuer's fault.
    pub fn parse(body: &[u8], keys: usize) -> Result<Self, CredentialResponseError> {
        let response: Self = json::parse_as(body, RESPONSE_LIMITS)?;
        let limit = keys.max(1);
        match &response {
            Self::Issued { credentials, .. } if credentials.len() > limit => {
                Err(CredentialResponseError::TooMany { limit })
            }
            Self::Issued { .. } | Self::Deferred { .. } => Ok(response),
        }
    }
}

impl Serialize for Proofs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (name, proofs) = match self {
            Self::Jwt(jwts) => (JWT_PROOF_TYPE, jwts.as_slice()),
            Self::Other(name) => (name.as_str(), [].as_slice()),
        };
        serializer.collect_map([(name, proofs)])
    }
}

#[derive(Deserialize)]
struct RawRequest {
    credential_identifier: Option<String>,
    credential_configuration_id: Option<String>,
    proofs: Option<BTreeMap<String, Value>>,
    credential_response_encryption: Option<Map<String, Value>>,
}

impl TryFrom<RawRequest> for CredentialRequest {
    type Error = CredentialError;

    fn try_from(raw: RawRequest) -> Result<Self, CredentialError> {
        let requested = match (raw.credential_identifier, raw.credential_configuration_id) {
            (Some(identifier), None) => Requested::Identifier(identifier),
            (None, Some(id)) => Requested::Configuration(id),
            (Some(_), Some(_)) | (None, None) => return Err(CredentialError::Identification),
        };
        if raw.credential_response_encryption.is_some() {
            return Err(CredentialError::Encryption);
        }
        let proofs = raw.proofs.map(Proofs::read).transpose()?;
        Ok(Self { requested, proofs })
    }
}

impl Proofs {
    fn read(types: BTreeMap<String, Value>) -> Result<Self, CredentialError> {
        let mut types = types.into_iter();
        let (Some((name, Value::Array(proofs))), None) = (types.next(), types.next()) else {
            return Err(CredentialError::ProofsMalformed);
        };
        if proofs.is_empty() {
            return Err(CredentialError::ProofsMalformed);
        }
        if name != JWT_PROOF_TYPE {
            return Ok(Self::Other(name));
        }
        let jwt = |proof: Value| match proof {
            Value::String(jwt) => Ok(jwt),
            _ => Err(CredentialError::ProofsMalformed),
        };
        proofs.into_iter().map(jwt).collect::<Result<_, _>>().map(Self::Jwt)
    }
}

#[derive(Deserialize)]
struct RawResponse {
    credentials: Option<Vec<IssuedCredential>>,
    notification_id: Option<String>,
    transaction_id: Option<String>,
    interval: Option<u64>,
}

impl TryFrom<RawResponse> for CredentialResponse {
    type Error = &'static str;

    fn try_from(raw: RawResponse) -> Result<Self, Self::Error> {
        let notification_id = raw.notification_id;
        match (raw.credentials, raw.transaction_id, raw.interval) {
            (Some(credentials), None, None) if !credentials.is_empty() => Ok(Self::Issued {
                credentials,
                notification_id,
            }),
            (None, Some(transaction_id), Some(interval)) if interval > 0 && notification_id.is_none() => {
                Ok(Self::Deferred {
                    transaction_id,
                    interval,
                })
            }
            _ => Err("expected either credentials, or transaction_id and interval"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::oauth::bearer::BearerErrorCode;
    use crate::vci::grant::IssuedToken;
    use crate::vci::grant::OfferTerms;
    use crate::vci::grant::PreAuthorizedGrant;
    use crate::vci::grant::TokenPolicy;
    use crate::vci::token::TokenRequest;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn metadata() -> IssuerMetadata {
        let keyed = |format: Value| {
            let mut configuration = json!({
                "cryptographic_binding_methods_supported": ["jwk"],
                "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256"]}}
            });
            configuration
                .as_object_mut()
                .unwrap()
                .extend(format.as_object().unwrap().clone());
            configuration
        };
        let document = json!({
            "credential_issuer": "https://issuer.example/a",
            "credential_endpoint": "https://issuer.example/a/credential",
            "batch_credential_issuance": {"batch_size": 2},
            "credential_configurations_supported": {
                "PersonIdentity": keyed(json!({"format": "dc+sd-jwt", "vct": "urn:pid"})),
                "CompanyRegistration": keyed(json!({"format": "dc+sd-jwt", "vct": "urn:company"})),
                "Ticket": {"format": "dc+sd-jwt", "vct": "urn:ticket"}
            }
        });
        let issuer = SecureUrl::parse_identifier("https://issuer.example/a").unwrap();
        IssuerMetadata::parse(document.to_string().as_bytes(), &issuer).unwrap()
    }

    /// A token for `PersonIdentity` and `Ticket`, for at most three credentials.
    fn token(with_details: bool) -> IssuedToken {
        let ids = ["PersonIdentity", "Ticket"];
        let terms = OfferTerms {
            credential_issuer: metadata().credential_issuer,
            credential_configuration_ids: ids.map(str::to_owned).to_vec(),
            subject: "person-1".to_owned(),
            tx_code: None,
            tx_code_description: None,
            lifetime: 600,
        };
        let (grant, offer) = PreAuthorizedGrant::offer(terms, now(), &mut signer::os_rng()).unwrap();
        let mut request = TokenRequest::for_offer(&offer, None).unwrap();
        if with_details {
            request.authorization_details = ids
                .map(crate::vci::authorization_details::AuthorizationDetail::request)
                .to_vec();
        }
        let policy = TokenPolicy {
            lifetime: 600,
            max_credentials: 3,
        };
        grant.redeem(&request, policy, now(), &mut signer::os_rng()).1.unwrap()
    }

    fn proofs(count: usize) -> Vec<String> {
        vec!["a.b.c".to_owned(); count]
    }

    fn request(id: &str, count: usize) -> CredentialRequest {
        CredentialRequest::new(&token(false).response, id, proofs(count))
    }

    fn refused(token: &AccessTokenRecord, request: &CredentialRequest) -> CredentialError {
        authorize(token, request, &metadata(), now())
            .map(|(record, _)| record)
            .unwrap_err()
    }

    #[test]
    fn requests_are_read_as_written() {
        for request in [request("PersonIdentity", 2), request("Ticket", 0)] {
            assert_eq!(CredentialRequest::parse(request.to_json().as_bytes()), Ok(request));
        }
        let with_details = token(true);
        let request = CredentialRequest::new(&with_details.response, "PersonIdentity", proofs(1));
        assert!(matches!(request.requested, Requested::Identifier(_)));
        assert!(authorize(&with_details.record, &request, &metadata(), now()).is_ok());
    }

    #[test]
    fn malformed_requests_are_refused() {
        let parse = |value: Value| CredentialRequest::parse(value.to_string().as_bytes()).unwrap_err();
        assert_eq!(
            parse(json!({"credential_identifier": "a", "credential_configuration_id": "b"})),
            CredentialError::Identification
        );
        assert_eq!(
            parse(json!({"proofs": {"jwt": ["a"]}})),
            CredentialError::Identification
        );
        let with = |proofs: Value| parse(json!({"credential_configuration_id": "a", "proofs": proofs}));
        for bad in [
            json!({}),
            json!({"jwt": []}),
            json!({"jwt": ["a"], "di_vp": [{}]}),
            json!({"jwt": "a"}),
            json!({"jwt": [1]}),
        ] {
            assert_eq!(with(bad.clone()), CredentialError::ProofsMalformed, "{bad}");
        }
        assert!(matches!(with(json!("a")), CredentialError::Json(_)));
        let encrypted = json!({"credential_configuration_id": "a", "credential_response_encryption": {}});
        assert_eq!(parse(encrypted), CredentialError::Encryption);
    }

    #[test]
    fn a_covered_request_is_counted() {
        let token = token(false).record;
        let metadata = metadata();
        let (record, authorized) = authorize(&token, &request("PersonIdentity", 2), &metadata, now()).unwrap();
        assert_eq!(authorized.subject, "person-1");
        assert_eq!(record.remaining_credentials, 1);
        assert_eq!(refused(&record, &request("PersonIdentity", 2)), CredentialError::UsedUp);
        assert!(authorize(&record, &request("PersonIdentity", 1), &metadata, now()).is_ok());
    }

    #[test]
    fn an_expired_token_is_refused() {
        let token = token(false).record;
        let (metadata, request) = (metadata(), request("PersonIdentity", 1));
        assert!(authorize(&token, &request, &metadata, now().plus(599)).is_ok());
        let late = authorize(&token, &request, &metadata, now().plus(600));
        assert_eq!(late.map(|(record, _)| record), Err(CredentialError::TokenExpired));
    }

    #[test]
    fn unknown_and_uncovered_configurations_are_refused() {
        let token = token(false).record;
        let unknown = refused(&token, &request("Other", 1));
        assert_eq!(unknown, CredentialError::UnknownConfiguration);
        assert_eq!(unknown.to_response().error, "unknown_credential_configuration");
        let uncovered = refused(&token, &request("CompanyRegistration", 1));
        assert_eq!(
            uncovered.code(),
            CredentialErrorCode::Authorization(BearerErrorCode::InsufficientScope)
        );
    }

    #[test]
    fn the_identifier_goes_with_the_token() {
        let with_details = token(true).record;
        assert_eq!(
            refused(&with_details, &request("PersonIdentity", 1)),
            CredentialError::Identification
        );
        let by_identifier = CredentialRequest {
            requested: Requested::Identifier("PersonIdentity/2".to_owned()),
            ..request("", 1)
        };
        assert_eq!(
            refused(&with_details, &by_identifier),
            CredentialError::UnknownIdentifier
        );
        let known = CredentialRequest {
            requested: Requested::Identifier("PersonIdentity/1".to_owned()),
            ..request("", 1)
        };
        assert_eq!(
            refused(&token(false).record, &known),
            CredentialError::UnknownIdentifier
        );
    }

    #[test]
    fn proofs_are_as_the_configuration_asks() {
        let token = token(false).record;
        assert_eq!(
            refused(&token, &request("PersonIdentity", 0)),
            CredentialError::ProofsMissing
        );
        assert!(authorize(&token, &request("Ticket", 0), &metadata(), now()).is_ok());
        assert_eq!(
            refused(&token, &request("PersonIdentity", 3)),
            CredentialError::TooManyProofs { limit: 2 }
        );
        let other = CredentialRequest {
            proofs: Some(Proofs::Other("di_vp".to_owned())),
            ..request("PersonIdentity", 1)
        };
        assert_eq!(refused(&token, &other), CredentialError::ProofType);
    }

    #[test]
    fn responses_are_read_as_written() {
        let issued = CredentialResponse::Issued {
            credentials: vec![
                IssuedCredential {
                    credential: json!("a.b.c~"),
                },
                IssuedCredential {
                    credential: json!({"a": 1}),
                },
            ],
            notification_id: Some("3fwe98js".to_owned()),
        };
        let body = serde_json::to_string(&issued).unwrap();
        assert_eq!(
            body,
            r#"{"credentials":[{"credential":"a.b.c~"},{"credential":{"a":1}}],"notification_id":"3fwe98js"}"#
        );
        assert_eq!(CredentialResponse::parse(body.as_bytes(), 2), Ok(issued));
        assert_eq!(
            CredentialResponse::parse(body.as_bytes(), 1),
            Err(CredentialResponseError::TooMany { limit: 1 })
        );
        let deferred = CredentialResponse::Deferred {
            transaction_id: "8xLOxBtZp8".to_owned(),
            interval: 3_600,
        };
        assert_eq!(
            CredentialResponse::parse(serde_json::to_string(&deferred).unwrap().as_bytes(), 1),
            Ok(deferred)
        );
    }

    #[test]
    fn contradictory_responses_are_refused() {
        for bad in [
            json!({}),
            json!({"credentials": []}),
            json!({"credentials": [{"credential": "a"}], "transaction_id": "t", "interval": 1}),
            json!({"credentials": [{"credential": "a"}], "interval": 1}),
            json!({"transaction_id": "t"}),
            json!({"transaction_id": "t", "interval": 0}),
            json!({"transaction_id": "t", "interval": 1, "notification_id": "n"}),
            json!({"credentials": ["a"]}),
        ] {
            assert!(
                CredentialResponse::parse(bad.to_string().as_bytes(), 1).is_err(),
                "{bad}"
            );
        }
    }
}
