//! `private_key_jwt`: clients authenticate with a signed JWT
//! ([RFC 7523](https://www.rfc-editor.org/rfc/rfc7523#section-3),
//! [OpenID Connect Core, section 9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)).
//!
//! The server looks up the client that the assertion names, verifies with a key registered for that
//! client, and stores the [`UsedAssertion`] only if absent: each assertion is good once.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::json;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::error::TokenErrorCode;
use crate::claims;
use crate::claims::ClaimError;
use crate::form::Form;
use crate::form::FormError;
use crate::secret::Secret;

/// The value of `client_assertion_type`.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Six short claims and a signature.
pub const MAX_ASSERTION_BYTES: usize = 8 * 1_024;
/// Longer lived ones would have to be remembered longer.
pub const MAX_LIFETIME_SECONDS: i64 = 5 * 60;
/// Made for one request, at once.
pub const DEFAULT_LIFETIME_SECONDS: i64 = 60;
/// Clocks of two servers.
const MAX_CLOCK_SKEW_SECONDS: i64 = 30;
/// A UUID or a random string.
const MAX_JTI_BYTES: usize = 256;

/// The `typ` of what we sign; an older name is read too, and none, as clients commonly write none.
const TYP: &str = "client-authentication+jwt";

/// A request for an assertion by `client_id` to the server named `audience` (its issuer identifier).
/// `kid` names the key among those registered.
pub fn sign(
    client_id: &str,
    audience: &str,
    kid: Option<&str>,
    algorithm: Algorithm,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> SigningRequest<String> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), TYP.into());
    if let Some(kid) = kid {
        header.insert("kid".to_owned(), kid.into());
    }
    let mut payload = Map::new();
    let mut put = |name: &str, value: Value| drop(payload.insert(name.to_owned(), value));
    put("iss", client_id.into());
    put("sub", client_id.into());
    put("aud", audience.into());
    put("jti", Secret::generate(rng).reveal().into());
    put("iat", now.unix().into());
    put("exp", now.plus(DEFAULT_LIFETIME_SECONDS).unix().into());
    jws::sign(header, Value::Object(payload).to_string().as_bytes(), algorithm)
}

/// An assertion as it arrived. Nothing in it means anything yet but where its key is.
#[derive(Clone, Debug)]
pub struct UnverifiedAssertion {
    jws: UnverifiedJws,
    client_id: String,
}

/// A client that has proven who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AuthenticatedClient {
    client_id: String,
    used: UsedAssertion,
}

/// The record that makes an assertion good once: stored under its id only if absent, before the request is
/// acted upon; it may be forgotten once it is expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedAssertion {
    /// The key of the record.
    pub id: String,
    /// When the assertion is refused for its age anyway.
    pub expires_at: Timestamp,
}

/// The client's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionError {
    /// Made for another server, or for several.
    #[error("expected this server alone as aud of the client assertion")]
    Audience,
    /// A claim is absent or of another type.
    #[error("expected the claims of a client assertion")]
    Claim(#[from] ClaimError),
    /// `client_id` beside the assertion is another one.
    #[error("expected iss, sub and client_id of the client assertion to be the same")]
    ClientId,
    /// The form is not read.
    #[error("expected a client assertion in the form")]
    Form(#[from] FormError),
    /// The payload is not read.
    #[error("expected a client assertion as JSON")]
    Json(#[from] json::JsonError),
    /// Not a JWT of this type, or not signed by the client's key.
    #[error("expected a client assertion as JWT, signed by the client's key")]
    Jws(#[from] JwsError),
    /// Its time is over, has not come, or is too long.
    #[error("expected a client assertion that is valid now, and for at most {MAX_LIFETIME_SECONDS} seconds")]
    Time,
    /// Another kind of assertion.
    #[error("expected the client_assertion_type {ASSERTION_TYPE}")]
    Type,
    /// Used before.
    #[error("the client assertion was used before")]
    Used,
}

impl UnverifiedAssertion {
    /// Reads the assertion of a token request; `None` if the form has none.
    ///
    /// # Errors
    /// [`AssertionError`], the client's fault.
    pub fn from_form(form: &Form) -> Result<Option<Self>, AssertionError> {
        match (
            form.optional("client_assertion_type"),
            form.optional("client_assertion"),
        ) {
            (None, None) => Ok(None),
            (Some(ASSERTION_TYPE), Some(jwt)) => {
                let assertion = Self::parse(jwt)?;
                if form
                    .optional("client_id")
                    .is_some_and(|client_id| client_id != assertion.client_id)
                {
                    return Err(AssertionError::ClientId);
                }
                Ok(Some(assertion))
            }
            (Some(_), Some(_)) => Err(AssertionError::Type),
            (None, Some(_)) => Err(FormError::Missing {
                name: "client_assertion_type",
            }
            .into()),
            (Some(_), None) => Err(FormError::Missing {
                name: "client_assertion",
            }
            .into()),
        }
    }

    /// Reads an assertion.
    ///
    /// # Errors
    /// [`AssertionError`], the client's fault.
    pub fn parse(jwt: &str) -> Result<Self, AssertionError> {
        let jws = UnverifiedJws::parse(jwt, MAX_ASSERTION_BYTES)?;
        let header = jws.header();
        if header.typ().is_some() {
            // A token of another kind must not pass for an assertion, whatever claims it has.
            header
                .expect_typ(TYP)
                .or_else(|error| header.expect_typ("JWT").map_err(|_| error))?;
        }
        let payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS)?;
        let client_id = claims::required_string(&payload, "sub")?;
        if claims::required_string(&payload, "iss")? != client_id {
            return Err(AssertionError::ClientId);
        }
        let client_id = client_id.to_owned();
        Ok(Self { jws, client_id })
    }

    /// Whose assertion it says it is: where to look for the key.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Which of the client's keys it says it is signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jws.header().kid()
    }

    /// Verifies the assertion with a key of the client. `audience` is the server's issuer identifier.
    ///
    /// # Errors
    /// [`AssertionError`], the client's fault.
    pub fn verify(
        self,
        key: &PublicKey,
        audience: &str,
        now: Timestamp,
    ) -> Result<AuthenticatedClient, AssertionError> {
        let payload = self.jws.verify(key)?.claims()?;
        let for_us = match payload.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => matches!(all.as_slice(), [Value::String(one)] if one == audience),
            _ => false,
        };
        if !for_us {
            return Err(AssertionError::Audience);
        }
        let expires_at = claims::required_date(&payload, "exp")?;
        let too_early = |from: Timestamp| from > now.plus(MAX_CLOCK_SKEW_SECONDS);
        let early = [
            claims::optional_date(&payload, "iat")?,
            claims::optional_date(&payload, "nbf")?,
        ];
        let too_long = expires_at > now.plus(MAX_LIFETIME_SECONDS + MAX_CLOCK_SKEW_SECONDS);
        if now >= expires_at || too_long || early.into_iter().flatten().any(too_early) {
            return Err(AssertionError::Time);
        }
        let jti = claims::required_string(&payload, "jti")?;
        if jti.is_empty() || jti.len() > MAX_JTI_BYTES {
            return Err(ClaimError {
                name: "jti",
                expected: "a short string",
            }
            .into());
        }
        let id = keys::sha256([self.client_id.as_bytes(), b"\0", jti.as_bytes()].concat().as_slice());
        let used = UsedAssertion {
            id: base64url::encode(id),
            expires_at,
        };
        Ok(AuthenticatedClient {
            client_id: self.client_id,
            used,
        })
    }
}

impl AuthenticatedClient {
    /// Who it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What to store before the request is acted upon; if it is there already, the answer is
    /// [`AssertionError::Used`].
    #[must_use]
    pub const fn used_assertion(&self) -> &UsedAssertion {
        &self.used
    }
}

impl AssertionError {
    /// The code for the client.
    #[must_use]
    pub const fn code(&self) -> TokenErrorCode {
        match self {
            Self::Audience
            | Self::Claim(_)
            | Self::ClientId
            | Self::Json(_)
            | Self::Jws(_)
            | Self::Time
            | Self::Type
            | Self::Used => TokenErrorCode::InvalidClient,
            Self::Form(_) => TokenErrorCode::InvalidRequest,
        }
    }
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::*;
    use crate::form;

    const SERVER: &str = "https://hub.example";
    const CLIENT: &str = "did:web:transport.example";

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn key() -> SoftwareKey {
        SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng())
    }

    fn genuine(key: &SoftwareKey) -> String {
        let request = sign(
            CLIENT,
            SERVER,
            Some("k1"),
            Algorithm::Es256,
            now(),
            &mut signer::os_rng(),
        );
        key.fulfil(request).unwrap()
    }

    fn verify(jwt: &str, key: &SoftwareKey) -> Result<AuthenticatedClient, AssertionError> {
        UnverifiedAssertion::parse(jwt)?.verify(key.public_key(), SERVER, now())
    }

    fn refused(change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> AssertionError {
        let key = key();
        assert!(verify(&genuine(&key), &key).is_ok());
        let jws = UnverifiedJws::parse(&genuine(&key), MAX_ASSERTION_BYTES).unwrap();
        let mut payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).unwrap();
        let mut header = Map::new();
        change(&mut header, &mut payload);
        let payload = Value::Object(payload).to_string();
        let jwt = key
            .fulfil(jws::sign(header, payload.as_bytes(), Algorithm::Es256))
            .unwrap();
        verify(&jwt, &key).unwrap_err()
    }

    fn refused_claim(name: &str, value: Value) -> AssertionError {
        refused(|_, payload| drop(payload.insert(name.to_owned(), value)))
    }

    #[test]
    fn a_genuine_assertion_authenticates_once() {
        let key = key();
        let unverified = UnverifiedAssertion::parse(&genuine(&key)).unwrap();
        assert_eq!((unverified.client_id(), unverified.kid()), (CLIENT, Some("k1")));
        let client = unverified.clone().verify(key.public_key(), SERVER, now()).unwrap();
        assert_eq!(client.client_id(), CLIENT);
        let again = unverified.verify(key.public_key(), SERVER, now()).unwrap();
        assert_eq!(client.used_assertion(), again.used_assertion());
        let other = verify(&genuine(&key), &key).unwrap();
        assert_ne!(client.used_assertion().id, other.used_assertion().id);
    }

    #[test]
    fn another_audience_is_refused() {
        assert_eq!(
            refused_claim("aud", json!("https://other.example")),
            AssertionError::Audience
        );
        assert_eq!(
            refused_claim("aud", json!([SERVER, "https://other.example"])),
            AssertionError::Audience
        );
        assert_eq!(
            refused(|_, payload| drop(payload.remove("aud"))),
            AssertionError::Audience
        );
    }

    #[test]
    fn another_time_is_refused() {
        assert_eq!(refused_claim("exp", json!(now().unix())), AssertionError::Time);
        let too_long = now().plus(MAX_LIFETIME_SECONDS + MAX_CLOCK_SKEW_SECONDS + 1);
        assert_eq!(refused_claim("exp", json!(too_long.unix())), AssertionError::Time);
        for name in ["iat", "nbf"] {
            let early = now().plus(MAX_CLOCK_SKEW_SECONDS + 1);
            assert_eq!(refused_claim(name, json!(early.unix())), AssertionError::Time);
        }
        assert!(matches!(
            refused(|_, payload| drop(payload.remove("exp"))),
            AssertionError::Claim(_)
        ));
    }

    #[test]
    fn an_assertion_without_jti_is_refused() {
        assert!(matches!(
            refused(|_, payload| drop(payload.remove("jti"))),
            AssertionError::Claim(_)
        ));
        assert!(matches!(refused_claim("jti", json!("")), AssertionError::Claim(_)));
    }

    #[test]
    fn issuer_and_subject_are_the_client() {
        assert_eq!(
            refused_claim("iss", json!("did:web:health.example")),
            AssertionError::ClientId
        );
        let key = key();
        let jwt = genuine(&key);
        let form = |client_id: &str| {
            let text = form::encode([
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", jwt.as_str()),
                ("client_id", client_id),
            ]);
            Form::parse(text.as_bytes(), 10_000).unwrap()
        };
        assert!(UnverifiedAssertion::from_form(&form(CLIENT)).unwrap().is_some());
        let other = UnverifiedAssertion::from_form(&form("did:web:health.example"));
        assert_eq!(other.unwrap_err(), AssertionError::ClientId);
    }

    #[test]
    fn a_token_of_another_kind_is_refused() {
        let error = refused(|header, _| drop(header.insert("typ".to_owned(), "at+jwt".into())));
        assert!(matches!(error, AssertionError::Jws(JwsError::WrongType { .. })));
    }

    #[test]
    fn another_key_is_refused() {
        let refused = verify(&genuine(&key()), &key());
        assert!(matches!(refused, Err(AssertionError::Jws(JwsError::Signature(_)))));
    }

    #[test]
    fn half_an_assertion_is_refused() {
        let parse = |pairs: &[(&str, &str)]| {
            let text = form::encode(pairs.iter().copied());
            UnverifiedAssertion::from_form(&Form::parse(text.as_bytes(), 10_000).unwrap())
        };
        assert!(parse(&[]).unwrap().is_none());
        assert!(matches!(
            parse(&[("client_assertion", "a.b.c")]),
            Err(AssertionError::Form(_))
        ));
        assert!(matches!(
            parse(&[("client_assertion_type", ASSERTION_TYPE)]),
            Err(AssertionError::Form(_))
        ));
        let saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
        let other = parse(&[("client_assertion", "a.b.c"), ("client_assertion_type", saml)]);
        assert_eq!(other.unwrap_err(), AssertionError::Type);
    }
}
