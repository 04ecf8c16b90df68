//! Access tokens as JWTs ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)), for servers that verify
//! a token without asking whoever issued it.

use std::collections::BTreeSet;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::bearer::BearerErrorCode;
use super::bearer::MAX_TOKEN_BYTES;
use crate::claims;
use crate::claims::ClaimError;

/// "MUST include this media type in the "typ" header parameter".
pub const ACCESS_TOKEN_TYP: &str = "at+jwt";
/// Clocks of two servers.
const MAX_CLOCK_SKEW_SECONDS: i64 = 30;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessTokenClaims {
    /// The Authorization Server.
    pub issuer: String,
    /// The one resource server that the token is for.
    pub audience: String,
    /// On whose behalf; the client itself if nobody else's.
    pub subject: String,
    /// Which client it was given to.
    pub client_id: String,
    /// Its own identifier, for logs and revocation.
    pub token_id: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What it allows.
    pub scope: BTreeSet<String>,
}

/// A token as it arrived.
#[derive(Clone, Debug)]
pub struct UnverifiedAccessToken(UnverifiedJws);

/// A token that its issuer signed, for this resource, valid now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct VerifiedAccessToken(AccessTokenClaims);

/// The client's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// For another resource.
    #[error("expected an access token for this resource")]
    Audience,
    /// A claim is absent or of another type.
    #[error("expected the claims of an access token")]
    Claim(#[from] ClaimError),
    /// Its time is over or has not come.
    #[error("the access token is not valid now")]
    Expired,
    /// Of another issuer.
    #[error("expected an access token of this issuer")]
    Issuer,
    /// Not a JWT of this type, or not signed by the issuer's key.
    #[error("expected an access token as JWT of typ at+jwt, signed by its issuer")]
    Jws(#[from] JwsError),
    /// It does not allow this.
    #[error("expected an access token with the scope {scope}")]
    Scope {
        /// What is needed.
        scope: String,
    },
}

/// A request for the signed token. `kid` names the key among the issuer's.
pub fn sign(token: &AccessTokenClaims, kid: &str, algorithm: Algorithm) -> SigningRequest<String> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), ACCESS_TOKEN_TYP.into());
    header.insert("kid".to_owned(), kid.into());
    let mut payload = Map::new();
    let mut put = |name: &str, value: Value| drop(payload.insert(name.to_owned(), value));
    put("iss", token.issuer.as_str().into());
    put("aud", token.audience.as_str().into());
    put("sub", token.subject.as_str().into());
    put("client_id", token.client_id.as_str().into());
    put("jti", token.token_id.as_str().into());
    put("iat", token.issued_at.unix().into());
    put("exp", token.expires_at.unix().into());
    if !token.scope.is_empty() {
        let scope: Vec<_> = token.scope.iter().map(String::as_str).collect();
        put("scope", scope.join(" ").into());
    }
    jws::sign(header, Value::Object(payload).to_string().as_bytes(), algorithm)
}

impl UnverifiedAccessToken {
    /// Reads a token.
    ///
    /// # Errors
    /// [`AccessTokenError`], the client's fault.
    pub fn parse(token: &str) -> Result<Self, AccessTokenError> {
        let jws = UnverifiedJws::parse(token, MAX_TOKEN_BYTES)?;
        jws.header().expect_typ(ACCESS_TOKEN_TYP)?;
        Ok(Self(jws))
    }

    /// Which of the issuer's keys it says it is signed with.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.0.header().kid()
    }

    /// Verifies the token with a key of `issuer`, for the resource `audience`.
    ///
    /// # Errors
    /// [`AccessTokenError`], the client's fault.
    pub fn verify(
        self,
        key: &PublicKey,
        issuer: &str,
        audience: &str,
        now: Timestamp,
    ) -> Result<VerifiedAccessToken, AccessTokenError> {
        let payload = self.0.verify(key)?.claims()?;
        let text = |name| claims::required_string(&payload, name).map(str::to_owned);
        let token = AccessTokenClaims {
            issuer: text("iss")?,
            audience: text("aud")?,
            subject: text("sub")?,
            client_id: text("client_id")?,
            token_id: text("jti")?,
            issued_at: claims::required_date(&payload, "iat")?,
            expires_at: claims::required_date(&payload, "exp")?,
            scope: scope(claims::optional_string(&payload, "scope")?.unwrap_or_default()),
        };
        if token.issuer != issuer {
            return Err(AccessTokenError::Issuer);
        }
        if token.audience != audience {
            return Err(AccessTokenError::Audience);
        }
        if now >= token.expires_at || token.issued_at > now.plus(MAX_CLOCK_SKEW_SECONDS) {
            return Err(AccessTokenError::Expired);
        }
        Ok(VerifiedAccessToken(token))
    }
}

impl VerifiedAccessToken {
    /// What the token says.
    #[must_use]
    pub const fn claims(&self) -> &AccessTokenClaims {
        &self.0
    }

    /// Asks for a scope.
    ///
    /// # Errors
    /// [`AccessTokenError::Scope`].
    pub fn expect_scope(&self, scope: &str) -> Result<(), AccessTokenError> {
        if self.0.scope.contains(scope) {
            Ok(())
        } else {
            Err(AccessTokenError::Scope {
                scope: scope.to_owned(),
            })
        }
    }
}

impl AccessTokenError {
    /// The code for the client.
    #[must_use]
    pub const fn code(&self) -> BearerErrorCode {
        match self {
            Self::Audience | Self::Claim(_) | Self::Expired | Self::Issuer | Self::Jws(_) => {
                BearerErrorCode::InvalidToken
            }
            Self::Scope { .. } => BearerErrorCode::InsufficientScope,
        }
    }
}

/// The scope values of a space-separated list ([RFC 6749, section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
#[must_use]
pub fn scope(list: &str) -> BTreeSet<String> {
    list.split(' ')
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use keys::json;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn token() -> AccessTokenClaims {
        AccessTokenClaims {
            issuer: "https://hub.example".to_owned(),
            audience: "https://hub.example/hub/api".to_owned(),
            subject: "did:web:transport.example".to_owned(),
            client_id: "did:web:transport.example".to_owned(),
            token_id: "t1".to_owned(),
            issued_at: now(),
            expires_at: now().plus(300),
            scope: scope("population:read population:search"),
        }
    }

    fn verify(jwt: &str, key: &SoftwareKey, now: Timestamp) -> Result<VerifiedAccessToken, AccessTokenError> {
        let token = token();
        UnverifiedAccessToken::parse(jwt)?.verify(key.public_key(), &token.issuer, &token.audience, now)
    }

    fn refused(change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> AccessTokenError {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let genuine = key.fulfil(sign(&token(), "k1", Algorithm::EdDsa)).unwrap();
        assert!(verify(&genuine, &key, now()).is_ok());
        let jws = UnverifiedJws::parse(&genuine, MAX_TOKEN_BYTES).unwrap();
        let mut payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).unwrap();
        let mut header = Map::from_iter([("typ".to_owned(), Value::from(ACCESS_TOKEN_TYP))]);
        change(&mut header, &mut payload);
        let payload = Value::Object(payload).to_string();
        let jwt = key
            .fulfil(jws::sign(header, payload.as_bytes(), Algorithm::EdDsa))
            .unwrap();
        verify(&jwt, &key, now()).unwrap_err()
    }

    fn refused_claim(name: &str, value: Value) -> AccessTokenError {
        refused(|_, payload| drop(payload.insert(name.to_owned(), value)))
    }

    #[test]
    fn a_genuine_token_is_taken_while_it_lasts() {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let jwt = key.fulfil(sign(&token(), "k1", Algorithm::EdDsa)).unwrap();
        assert_eq!(UnverifiedAccessToken::parse(&jwt).unwrap().kid(), Some("k1"));
        let verified = verify(&jwt, &key, now().plus(299)).unwrap();
        assert_eq!(verified.claims(), &token());
        assert_eq!(verify(&jwt, &key, now().plus(300)), Err(AccessTokenError::Expired));
    }

    #[test]
    fn each_claim_is_checked() {
        assert_eq!(
            refused_claim("iss", json!("https://other.example")),
            AccessTokenError::Issuer
        );
        assert_eq!(
            refused_claim("aud", json!("https://other.example")),
            AccessTokenError::Audience
        );
        let early = now().plus(MAX_CLOCK_SKEW_SECONDS + 1).unix();
        assert_eq!(refused_claim("iat", json!(early)), AccessTokenError::Expired);
        for name in ["iss", "aud", "sub", "client_id", "jti", "iat", "exp"] {
            let error = refused(|_, payload| drop(payload.remove(name)));
            assert!(matches!(error, AccessTokenError::Claim(_)), "{name}");
        }
    }

    #[test]
    fn a_token_of_another_kind_is_refused() {
        for typ in ["JWT", "client-authentication+jwt"] {
            let error = refused(|header, _| drop(header.insert("typ".to_owned(), typ.into())));
            assert!(matches!(error, AccessTokenError::Jws(JwsError::WrongType { .. })));
        }
        let error = refused(|header, _| drop(header.remove("typ")));
        assert!(matches!(error, AccessTokenError::Jws(JwsError::WrongType { .. })));
    }

    #[test]
    fn another_key_is_refused() {
        let [key, other] = [(); 2].map(|()| SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()));
        let jwt = key.fulfil(sign(&token(), "k1", Algorithm::EdDsa)).unwrap();
        assert!(matches!(
            verify(&jwt, &other, now()),
            Err(AccessTokenError::Jws(JwsError::Signature(_)))
        ));
    }

    #[test]
    fn a_missing_scope_is_refused() {
        let verified = VerifiedAccessToken(token());
        assert_eq!(verified.expect_scope("population:read"), Ok(()));
        let error = verified.expect_scope("population").unwrap_err();
        assert_eq!(error.code(), BearerErrorCode::InsufficientScope);
    }
}
