//! What a verifier keeps of a request until its answer comes: one answer, in time, to this request.
//!
//! The record is saved with compare-and-swap before the answer is acted upon, so that of two answers one is
//! taken. It holds the key that decrypts the answer; the store is trusted with it for as long as the
//! session lasts. No claim of the answer is ever in it.

use keys::Jwk;
use keys::Timestamp;
use keys::base64url;
use keys::jwe::DecryptionKey;
use keys::jwe::JweError;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;
use zeroize::Zeroizing;

use super::client_id::ClientId;
use super::client_metadata::ClientMetadata;
use super::request::AuthorizationRequest;
use super::request::Delivery;
use super::request::RequestError;
use super::response::AuthorizationResponse;
use super::response::RefusedResponse;
use super::response::ResponseError;
use super::response::VpToken;
use crate::dcql::DcqlQuery;
use crate::secret::Secret;
use crate::url::SecureUrl;

/// Time to find the phone, read what is asked and agree.
pub const DEFAULT_SESSION_LIFETIME_SECONDS: i64 = 10 * 60;

/// The record of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Session {
    /// Waits for its answer.
    Requested(Box<RequestedSession>),
    /// Had its answer. What came of it, the verifier's service keeps.
    Answered {
        /// When.
        answered_at: Timestamp,
    },
    /// The wallet refused.
    Refused {
        /// When.
        refused_at: Timestamp,
        /// The wallet's code.
        error: String,
    },
}

/// A request that waits for its answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedSession {
    client_id: ClientId,
    nonce: String,
    request_state: String,
    response_uri: SecureUrl,
    encryption: Option<SessionKey>,
    dcql_query: DcqlQuery,
    vp_formats_supported: Map<String, Value>,
    expires_at: Timestamp,
}

/// The key for one encrypted answer, as the store keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct SessionKey {
    kid: String,
    /// 32 bytes in base64url.
    secret: String,
}

/// What to ask.
#[derive(Clone, Debug)]
pub struct SessionTerms {
    /// Who asks.
    pub client_id: ClientId,
    /// Where the answer goes: a URL of this session alone, so that an encrypted answer finds its key.
    pub response_uri: SecureUrl,
    /// Whether the answer must be encrypted.
    pub encrypted: bool,
    /// What is asked for.
    pub dcql_query: DcqlQuery,
    /// By format, the algorithms that the verifier can check.
    pub vp_formats_supported: Map<String, Value>,
    /// Seconds.
    pub lifetime: i64,
}

/// Presentations that came in time for a request, and what they must be bound to. Nothing is verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Answer {
    /// The presentations.
    pub vp_token: VpToken,
    /// What was asked for.
    pub dcql_query: DcqlQuery,
    /// The audience that they must name.
    pub client_id: ClientId,
    /// The nonce that they must name.
    pub nonce: String,
    /// Where they were posted.
    pub response_uri: SecureUrl,
    /// The key that they were encrypted to, if they were.
    pub encryption_key: Option<Jwk>,
}

/// What an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Presentations, to be verified.
    Presented(Box<Answer>),
    /// A refusal.
    Refused(RefusedResponse),
}

/// The verifier's own fault: a query or client that it may not send.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionError {
    /// "Verifiers MUST NOT point to the same claim more than once in a single query."
    #[error("expected a query that points to each claim once")]
    RepeatedClaim,
    /// The request would break a rule.
    #[error("expected a request that a wallet can take")]
    Request(#[from] RequestError),
}

impl Session {
    /// A new request with fresh nonce, state and encryption key.
    ///
    /// # Errors
    /// [`SessionError`], the caller's fault.
    pub fn start(terms: SessionTerms, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Self, SessionError> {
        if terms.dcql_query.repeats_a_claim() {
            return Err(SessionError::RepeatedClaim);
        }
        let key = terms.encrypted.then(|| SessionKey {
            kid: Secret::generate(rng).reveal().to_owned(),
            secret: base64url::encode(*DecryptionKey::generate(rng).to_bytes()),
        });
        let requested = RequestedSession {
            client_id: terms.client_id,
            nonce: Secret::generate(rng).reveal().to_owned(),
            request_state: Secret::generate(rng).reveal().to_owned(),
            response_uri: terms.response_uri,
            encryption: key,
            dcql_query: terms.dcql_query,
            vp_formats_supported: terms.vp_formats_supported,
            expires_at: now.plus(terms.lifetime),
        };
        // What a wallet would refuse, we do not send.
        let request = requested.request(None).map_err(|_| RequestError::EncryptionKey)?;
        AuthorizationRequest::from_parameters(&request.to_parameters())?;
        Ok(Self::Requested(Box::new(requested)))
    }

    /// The request to send, with the nonce of a wallet that fetched it by POST. A session that is
    /// answered or expired gives its request to nobody.
    ///
    /// # Errors
    /// [`ResponseError::Answered`] or [`ResponseError::Expired`]; [`ResponseError::Jwe`] for a record whose key
    /// is no key.
    pub fn request(&self, wallet_nonce: Option<String>, now: Timestamp) -> Result<AuthorizationRequest, ResponseError> {
        Ok(self.open(now)?.request(wallet_nonce)?)
    }

    /// When the request ends; `None` once it is answered.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        match self {
            Self::Requested(requested) => Some(requested.expires_at),
            Self::Answered { .. } | Self::Refused { .. } => None,
        }
    }

    /// Takes the form that was posted to the session's response URI. The new state must be saved before
    /// the outcome is acted upon.
    ///
    /// # Errors
    /// [`ResponseError`], the wallet's fault; the session stays as it was.
    pub fn answer(&self, body: &[u8], now: Timestamp) -> Result<(Self, Outcome), ResponseError> {
        let requested = self.open(now)?;
        let key = requested.encryption.as_ref().map(SessionKey::open).transpose()?;
        let state = Some(requested.request_state.as_str());
        match AuthorizationResponse::open(body, &requested.dcql_query, state, key.as_ref())? {
            AuthorizationResponse::Presented(vp_token) => {
                let answer = Answer {
                    vp_token,
                    dcql_query: requested.dcql_query.clone(),
                    client_id: requested.client_id.clone(),
                    nonce: requested.nonce.clone(),
                    response_uri: requested.response_uri.clone(),
                    encryption_key: key.as_ref().map(DecryptionKey::public_jwk),
                };
                Ok((
                    Self::Answered { answered_at: now },
                    Outcome::Presented(Box::new(answer)),
                ))
            }
            AuthorizationResponse::Refused(refused) => {
                let state = Self::Refused {
                    refused_at: now,
                    error: refused.error.clone(),
                };
                Ok((state, Outcome::Refused(refused)))
            }
        }
    }

    fn open(&self, now: Timestamp) -> Result<&RequestedSession, ResponseError> {
        match self {
            Self::Requested(requested) if now < requested.expires_at => Ok(requested),
            Self::Requested(_) => Err(ResponseError::Expired),
            Self::Answered { .. } | Self::Refused { .. } => Err(ResponseError::Answered),
        }
    }
}

impl RequestedSession {
    fn request(&self, wallet_nonce: Option<String>) -> Result<AuthorizationRequest, JweError> {
        let mut metadata = ClientMetadata::new(self.vp_formats_supported.clone());
        let response_uri = self.response_uri.clone();
        let delivery = match &self.encryption {
            None => Delivery::DirectPost(response_uri),
            Some(key) => {
                let public = key.open()?.public_jwk();
                metadata = metadata.with_encryption_key(public, &key.kid);
                Delivery::DirectPostJwt(response_uri)
            }
        };
        Ok(AuthorizationRequest {
            client_id: self.client_id.clone(),
            nonce: self.nonce.clone(),
            state: Some(self.request_state.clone()),
            delivery,
            dcql_query: self.dcql_query.clone(),
            client_metadata: Some(metadata),
            wallet_nonce,
        })
    }
}

impl std::fmt::Debug for RequestedSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("RequestedSession");
        debug
            .field("client_id", &self.client_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl SessionKey {
    fn open(&self) -> Result<DecryptionKey, JweError> {
        let bytes = base64url::decode(&self.secret).map(Zeroizing::new).unwrap_or_default();
        let bytes: [u8; 32] = bytes.as_slice().try_into().map_err(|_| JweError::PrivateKey)?;
        DecryptionKey::from_bytes(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::form;
    use crate::vp::error::AuthorizationErrorCode;
    use crate::vp::response::Outgoing;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn terms(encrypted: bool) -> SessionTerms {
        let query = json!({"credentials": [
            {"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}},
            {"id": "cards", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:card"]}, "multiple": true}
        ]});
        SessionTerms {
            client_id: ClientId::for_did("did:example:123").unwrap(),
            response_uri: SecureUrl::parse("https://client.example.org/responses/1").unwrap(),
            encrypted,
            dcql_query: DcqlQuery::from_value(&query).unwrap(),
            vp_formats_supported: Map::from_iter([("dc+sd-jwt".to_owned(), json!({}))]),
            lifetime: 600,
        }
    }

    fn session(encrypted: bool) -> Session {
        let session = Session::start(terms(encrypted), now(), &mut signer::os_rng()).unwrap();
        // Through the store: the record alone must be enough.
        serde_json::from_slice(&serde_json::to_vec(&session).unwrap()).unwrap()
    }

    fn presented() -> AuthorizationResponse {
        let mut vp_token = VpToken::default();
        vp_token.add("pid", json!("eyJhb.eyJhb.YMetA~"));
        AuthorizationResponse::Presented(vp_token)
    }

    fn body(session: &Session, response: &AuthorizationResponse) -> String {
        let request = session.request(None, now()).unwrap();
        match response.pack(&request, &mut signer::os_rng()).unwrap() {
            Outgoing::Post { form, .. } => form,
            Outgoing::File(_) => panic!("a post"),
        }
    }

    /// A `direct_post` body with these parameters and the right state.
    fn with(session: &Session, parameters: &[(&str, &str)]) -> Result<(Session, Outcome), ResponseError> {
        let state = session.request(None, now()).unwrap().state.unwrap();
        let parameters = parameters.iter().copied().chain([("state", state.as_str())]);
        session.answer(form::encode(parameters).as_bytes(), now())
    }

    #[test]
    fn an_answer_is_taken_once() {
        for encrypted in [false, true] {
            let session = session(encrypted);
            let body = body(&session, &presented());
            assert_eq!(body.contains("YMetA"), !encrypted);
            let (answered, outcome) = session.answer(body.as_bytes(), now()).unwrap();
            let Outcome::Presented(answer) = outcome else {
                panic!("an answer")
            };
            let request = session.request(None, now()).unwrap();
            assert_eq!((&answer.nonce, &answer.client_id), (&request.nonce, &request.client_id));
            assert_eq!(AuthorizationResponse::Presented(answer.vp_token), presented());
            assert_eq!(answered.answer(body.as_bytes(), now()), Err(ResponseError::Answered));
            assert_eq!(answered.request(None, now()), Err(ResponseError::Answered));
            assert!(!serde_json::to_string(&answered).unwrap().contains("YMetA"));
        }
    }

    #[test]
    fn each_session_has_its_own_nonce_state_and_key() {
        let requests = [session(true), session(true)].map(|session| session.request(None, now()).unwrap());
        let [first, second] = requests;
        assert_ne!(first.nonce, second.nonce);
        assert_ne!(first.state, second.state);
        assert_ne!(
            first.response_encryption().unwrap().key,
            second.response_encryption().unwrap().key
        );
        assert!(
            session(false)
                .request(None, now())
                .unwrap()
                .response_encryption()
                .is_none()
        );
    }

    #[test]
    fn an_expired_session_is_refused() {
        let session = session(false);
        let body = body(&session, &presented());
        assert!(session.answer(body.as_bytes(), now().plus(599)).is_ok());
        assert_eq!(
            session.answer(body.as_bytes(), now().plus(600)),
            Err(ResponseError::Expired)
        );
        assert_eq!(session.request(None, now().plus(600)), Err(ResponseError::Expired));
    }

    #[test]
    fn an_unencrypted_answer_to_direct_post_jwt_is_refused() {
        let vp_token = r#"{"pid":["a"]}"#;
        assert!(with(&session(false), &[("vp_token", vp_token)]).is_ok());
        assert_eq!(
            with(&session(true), &[("vp_token", vp_token)]),
            Err(ResponseError::NotEncrypted)
        );
    }

    #[test]
    fn an_encrypted_answer_to_direct_post_is_refused() {
        let body = body(&session(true), &presented());
        assert_eq!(
            session(false).answer(body.as_bytes(), now()),
            Err(ResponseError::Encrypted)
        );
    }

    #[test]
    fn an_answer_to_another_session_is_refused() {
        let body_of_plain = body(&session(false), &presented());
        assert_eq!(
            session(false).answer(body_of_plain.as_bytes(), now()),
            Err(ResponseError::State)
        );
        let body_of_encrypted = body(&session(true), &presented());
        assert!(matches!(
            session(true).answer(body_of_encrypted.as_bytes(), now()),
            Err(ResponseError::Jwe(_))
        ));
    }

    #[test]
    fn a_missing_state_is_refused() {
        let stateless = form::encode([("vp_token", r#"{"pid":["a"]}"#)]);
        assert_eq!(
            session(false).answer(stateless.as_bytes(), now()),
            Err(ResponseError::State)
        );
    }

    #[test]
    fn vp_tokens_that_the_query_does_not_allow_are_refused() {
        let session = session(false);
        assert!(with(&session, &[("vp_token", r#"{"pid":["a"],"cards":["a",{"b":1}]}"#)]).is_ok());
        for bad in [
            "{}",
            "[]",
            r#"{"pid":[]}"#,
            r#"{"pid":"a"}"#,
            r#"{"pid":["a","b"]}"#,
            r#"{"pid":[1]}"#,
            r#"{"other":["a"]}"#,
        ] {
            assert_eq!(
                with(&session, &[("vp_token", bad)]),
                Err(ResponseError::VpToken),
                "{bad}"
            );
        }
        let many = json!({"cards": vec!["a"; super::super::response::MAX_PRESENTATIONS + 1]}).to_string();
        assert_eq!(with(&session, &[("vp_token", &many)]), Err(ResponseError::VpToken));
        assert!(matches!(
            with(&session, &[("vp_token", r#"{"pid":["a"],"pid":["b"]}"#)]),
            Err(ResponseError::Json(_))
        ));
        assert_eq!(with(&session, &[]), Err(ResponseError::VpToken));
        assert_eq!(
            with(&session, &[("vp_token", r#"{"pid":["a"]}"#), ("error", "x")]),
            Err(ResponseError::VpToken)
        );
    }

    #[test]
    fn a_refusal_ends_the_session() {
        for encrypted in [false, true] {
            let session = session(encrypted);
            let refusal = AuthorizationResponse::refusal(AuthorizationErrorCode::AccessDenied);
            let (state, outcome) = session.answer(body(&session, &refusal).as_bytes(), now()).unwrap();
            assert!(matches!(outcome, Outcome::Refused(refused) if refused.error == "access_denied"));
            assert!(matches!(state, Session::Refused { .. }));
            // "it MAY send an error response without encryption"
            assert!(with(&session, &[("error", "access_denied")]).is_ok());
        }
    }

    #[test]
    fn the_wallets_nonce_goes_into_its_request_only() {
        let session = session(false);
        let request = session.request(Some("qPmxiNFCR3QTm19POc8u".to_owned()), now()).unwrap();
        assert_eq!(request.wallet_nonce.as_deref(), Some("qPmxiNFCR3QTm19POc8u"));
        assert_eq!(session.request(None, now()).unwrap().wallet_nonce, None);
    }

    #[test]
    fn what_a_wallet_would_refuse_is_not_sent() {
        let start = |terms| Session::start(terms, now(), &mut signer::os_rng());
        let query = json!({"credentials": [{"id": "a", "format": "dc+sd-jwt", "meta": {},
            "claims": [{"path": ["x"]}, {"path": ["x"]}]}]});
        let repeated = SessionTerms {
            dcql_query: DcqlQuery::from_value(&query).unwrap(),
            ..terms(false)
        };
        assert_eq!(start(repeated), Err(SessionError::RepeatedClaim));
        let client_id = ClientId::parse("redirect_uri:https://other.example/cb").unwrap();
        let foreign = start(SessionTerms {
            client_id,
            ..terms(false)
        });
        assert_eq!(foreign, Err(SessionError::Request(RequestError::ResponseUri)));
    }

    #[test]
    fn debug_hides_the_key() {
        let session = session(true);
        let stored = serde_json::to_value(&session).unwrap();
        let secret = stored["encryption"]["secret"].as_str().unwrap();
        assert!(!format!("{session:?}").contains(secret));
    }
}
