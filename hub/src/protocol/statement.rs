//! Statements: what an agency or a person tells the hub to do, signed with a key of its DID.
//!
//! A statement is a compact JWS. Its signature is at once the authentication of the request and the evidence
//! of who asked for the change, so nobody, the operator included, can change the hub's state for an agency.
//! Header: `typ` (one per kind, so that none passes for another) and `kid`, the DID URL of the key. Claims:
//!
//! ```json
//! {"iss": "did:...", "aud": "<the hub>", "iat": 0, "exp": 0, "jti": "...", "statement": {}}
//! ```

use std::fmt;

use did::Did;
use did::DidUrl;
use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::base64url;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

/// A publication with the largest OpenAPI document, in base64.
pub const MAX_STATEMENT_BYTES: usize = 900 * 1024;

/// An agency signs when it sends. Clocks differ by less.
pub const MAX_LIFETIME_SECONDS: i64 = 300;

/// How far a sender's clock may be ahead of ours.
const MAX_CLOCK_SKEW_SECONDS: i64 = 60;

/// A consent lasts a year at most; then the person is asked again.
pub const MAX_CONSENT_SECONDS: i64 = 366 * 24 * 3_600;

/// A `jti` is a UUID or as many random bytes.
const MAX_JTI_BYTES: usize = 128;

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StatementKind {
    /// A consumer applies for access.
    Application,
    /// A person consents. Signed by the person.
    Consent,
    /// A consumer hands in a person's consent.
    ConsentRegistration,
    /// A person takes a consent back. Signed by the person.
    ConsentWithdrawal,
    /// The agency that decides approves or refuses an application.
    Decision,
    /// A source publishes a version of an API.
    Publication,
    /// Somebody ends a grant.
    Revocation,
}

/// A statement that arrived. It says nothing before its signature is verified.
#[derive(Clone, Debug)]
pub struct UnverifiedStatement {
    jws: UnverifiedJws,
    kind: StatementKind,
    key_id: DidUrl,
    digest: StatementDigest,
    text: String,
}

/// A statement whose signature was verified and that is for this hub and this moment.
#[derive(Clone, Debug)]
#[must_use]
pub struct Statement<T> {
    /// Who signed.
    pub issuer: Did,
    /// The statement's own identifier; the hub takes each once.
    pub jti: String,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// After this moment it is not taken any more.
    pub expires_at: Timestamp,
    /// What it says.
    pub content: T,
    /// What it does.
    pub kind: StatementKind,
    /// The hash of its text, by which the evidence names it.
    pub digest: StatementDigest,
    /// Its text, kept as it came.
    pub text: String,
}

/// The SHA-256 of a statement's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatementDigest(String);

/// The sender's fault.
#[derive(Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum StatementError {
    /// It is for somebody else.
    #[error("expected the audience {expected}, found another")]
    Audience {
        /// This hub.
        expected: String,
    },
    /// A claim is missing or of another type.
    #[error("expected the claim `{name}` as {expected}")]
    Claim {
        /// Its name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// What it says has another form than its kind demands.
    #[error("expected the content of a {kind} statement: {problem}")]
    Content {
        /// The kind.
        kind: StatementKind,
        /// Which member, never its value.
        problem: String,
    },
    /// Too late.
    #[error("expected a statement that has not expired; it did at {expired_at}")]
    Expired {
        /// Its `exp`.
        expired_at: Timestamp,
    },
    /// `iss` is not the DID of `kid`.
    #[error("expected the issuer to be the DID of the key")]
    Issuer,
    /// Not a JWS, of another type, or with a wrong signature.
    #[error("the statement is not signed as it must be")]
    Jws(#[from] JwsError),
    /// `kid` is no DID URL with a fragment.
    #[error("expected `kid` as the DID URL of the signing key")]
    KeyId,
    /// It would be good for longer than its kind may be.
    #[error("expected `exp` at most {limit} seconds after `iat`")]
    Lifetime {
        /// The limit.
        limit: i64,
    },
    /// Signed in the future.
    #[error("expected `iat` not later than now, found {issued_at}")]
    NotYet {
        /// Its `iat`.
        issued_at: Timestamp,
    },
}

impl StatementKind {
    /// The `typ` of its header.
    #[must_use]
    pub const fn typ(self) -> &'static str {
        match self {
            Self::Application => "hub-application+jwt",
            Self::Consent => "hub-consent+jwt",
            Self::ConsentRegistration => "hub-consent-registration+jwt",
            Self::ConsentWithdrawal => "hub-consent-withdrawal+jwt",
            Self::Decision => "hub-decision+jwt",
            Self::Publication => "hub-publication+jwt",
            Self::Revocation => "hub-revocation+jwt",
        }
    }

    /// How many seconds after `iat` its `exp` may be.
    #[must_use]
    pub const fn max_lifetime(self) -> i64 {
        match self {
            Self::Consent => MAX_CONSENT_SECONDS,
            Self::Application
            | Self::ConsentRegistration
            | Self::ConsentWithdrawal
            | Self::Decision
            | Self::Publication
            | Self::Revocation => MAX_LIFETIME_SECONDS,
        }
    }
}

impl UnverifiedStatement {
    /// Reads the text of a statement of the expected kind.
    ///
    /// # Errors
    /// [`StatementError`], the sender's fault.
    pub fn parse(text: &str, kind: StatementKind) -> Result<Self, StatementError> {
        let text = text.trim_ascii();
        let jws = UnverifiedJws::parse(text, MAX_STATEMENT_BYTES)?;
        jws.header().expect_typ(kind.typ())?;
        let key_id = jws.header().kid().and_then(|kid| DidUrl::parse(kid).ok());
        let key_id = key_id.filter(|id| id.fragment().is_some() && id.path().is_empty() && id.query().is_none());
        Ok(Self {
            key_id: key_id.ok_or(StatementError::KeyId)?,
            jws,
            kind,
            digest: StatementDigest::of(text),
            text: text.to_owned(),
        })
    }

    /// The key that it claims to be signed with.
    #[must_use]
    pub const fn key_id(&self) -> &DidUrl {
        &self.key_id
    }

    /// Verifies signature, audience and times, and reads the content.
    ///
    /// # Errors
    /// [`StatementError`], the sender's fault.
    pub fn verify<T: DeserializeOwned>(
        self,
        key: &PublicKey,
        hub: &str,
        now: Timestamp,
    ) -> Result<Statement<T>, StatementError> {
        let verified = self.jws.verify(key)?;
        let mut claims = verified.claims()?;
        if text(&claims, "iss")? != self.key_id.did().as_str() {
            return Err(StatementError::Issuer);
        }
        if text(&claims, "aud")? != hub {
            return Err(StatementError::Audience {
                expected: hub.to_owned(),
            });
        }
        let (issued_at, expires_at) = (date(&claims, "iat")?, date(&claims, "exp")?);
        if expires_at <= now {
            return Err(StatementError::Expired { expired_at: expires_at });
        }
        if issued_at > now.plus(MAX_CLOCK_SKEW_SECONDS) {
            return Err(StatementError::NotYet { issued_at });
        }
        let limit = self.kind.max_lifetime();
        if expires_at.seconds_since(issued_at) > limit {
            return Err(StatementError::Lifetime { limit });
        }
        let jti = text(&claims, "jti")?.to_owned();
        if jti.len() > MAX_JTI_BYTES {
            return Err(claim("jti", "a string of at most 128 bytes"));
        }
        let content = claims
            .remove("statement")
            .ok_or_else(|| claim("statement", "an object"))?;
        let content = T::deserialize(content).map_err(|error| StatementError::Content {
            kind: self.kind,
            problem: shape_of(&error),
        })?;
        Ok(Statement {
            issuer: self.key_id.did().clone(),
            jti,
            issued_at,
            expires_at,
            content,
            kind: self.kind,
            digest: self.digest,
            text: self.text,
        })
    }
}

impl StatementDigest {
    fn of(text: &str) -> Self {
        Self(base64url::encode(keys::sha256(text.as_bytes())))
    }

    /// 43 characters of base64url.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who signs a statement, for whom and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// The DID URL of the signing key.
    pub key_id: &'a DidUrl,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// The hub's issuer identifier.
    pub hub: &'a str,
    /// The present.
    pub now: Timestamp,
    /// When the statement ends.
    pub expires_at: Timestamp,
}

/// A request for a statement.
pub fn sign(
    kind: StatementKind,
    content: &impl Serialize,
    signing: Signing<'_>,
    rng: &mut dyn CryptoRng,
) -> SigningRequest<String> {
    let Signing {
        key_id,
        algorithm,
        hub,
        now,
        expires_at,
    } = signing;
    let mut jti = [0; 16];
    rng.fill_bytes(&mut jti);
    let header = Map::from_iter([
        ("typ".to_owned(), Value::from(kind.typ())),
        ("kid".to_owned(), Value::from(key_id.to_string())),
    ]);
    let claims = json!({
        "iss": key_id.did().as_str(),
        "aud": hub,
        "iat": now,
        "exp": expires_at,
        "jti": base64url::encode(jti),
        // Our own types serialize; anything else makes a statement that no hub takes.
        "statement": serde_json::to_value(content).unwrap_or(Value::Null),
    });
    jws::sign(header, claims.to_string().as_bytes(), algorithm)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, StatementError> {
    let found = claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.ok_or_else(|| claim(name, "a string"))
}

fn date(claims: &Map<String, Value>, name: &'static str) -> Result<Timestamp, StatementError> {
    let found = claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix);
    found.ok_or_else(|| claim(name, "whole seconds"))
}

const fn claim(name: &'static str, expected: &'static str) -> StatementError {
    StatementError::Claim { name, expected }
}

/// What serde says, unless it could quote a value: then only that something does not fit.
fn shape_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quotes_no_value = ["missing field", "unknown field", "expected "]
        .iter()
        .any(|start| text.starts_with(start));
    if quotes_no_value {
        text
    } else {
        "a member has another form".to_owned()
    }
}

impl fmt::Display for StatementKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.typ().trim_end_matches("+jwt"))
    }
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use signer::SoftwareKey;

    use super::*;

    const HUB: &str = "https://attestry.example/hub";
    const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Content {
        word: String,
    }

    fn key() -> SoftwareKey {
        SoftwareKey::from_secret(Algorithm::Es256, &[7; 32]).unwrap()
    }

    fn key_id() -> DidUrl {
        DidUrl::parse("did:web:agency.example#key-1").unwrap()
    }

    fn signed(lifetime: i64) -> String {
        let content = Content { word: "yes".to_owned() };
        let kind = StatementKind::Decision;
        let signing = Signing {
            key_id: &key_id(),
            algorithm: Algorithm::Es256,
            hub: HUB,
            now: NOW,
            expires_at: NOW.plus(lifetime),
        };
        key()
            .fulfil(sign(kind, &content, signing, &mut signer::os_rng()))
            .unwrap()
    }

    fn with_claims(change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": "did:web:agency.example", "aud": HUB, "iat": NOW, "exp": NOW.plus(60), "jti": "1", "statement": {"word": "yes"}
        });
        change(&mut claims);
        let header = json!({"typ": "hub-decision+jwt", "kid": key_id().to_string()});
        let header = header.as_object().unwrap().clone();
        key()
            .fulfil(jws::sign(header, claims.to_string().as_bytes(), Algorithm::Es256))
            .unwrap()
    }

    fn read(text: &str, at: Timestamp) -> Result<Statement<Content>, StatementError> {
        UnverifiedStatement::parse(text, StatementKind::Decision)?.verify(key().public_key(), HUB, at)
    }

    #[test]
    fn what_is_signed_is_read() {
        let statement = read(&signed(300), NOW.plus(299)).unwrap();
        assert_eq!(statement.content, Content { word: "yes".to_owned() });
        assert_eq!(statement.issuer.as_str(), "did:web:agency.example");
        assert_eq!(statement.digest, StatementDigest::of(&statement.text));
    }

    #[test]
    fn a_statement_of_another_kind_is_refused() {
        let parsed = UnverifiedStatement::parse(&signed(60), StatementKind::Revocation);
        assert!(matches!(
            parsed.unwrap_err(),
            StatementError::Jws(JwsError::WrongType { .. })
        ));
    }

    #[test]
    fn times_are_kept() {
        assert!(matches!(
            read(&signed(300), NOW.plus(300)),
            Err(StatementError::Expired { .. })
        ));
        assert!(matches!(
            read(&signed(301), NOW),
            Err(StatementError::Lifetime { limit: 300 })
        ));
        assert!(matches!(
            read(&signed(300), NOW.minus(61)),
            Err(StatementError::NotYet { .. })
        ));
        assert!(read(&signed(300), NOW.minus(60)).is_ok());
    }

    #[test]
    fn each_claim_is_checked() {
        assert!(read(&with_claims(|_| {}), NOW).is_ok());
        let refused = |change: fn(&mut Value)| read(&with_claims(change), NOW).unwrap_err();
        assert!(matches!(
            refused(|it| it["aud"] = json!("https://other.example")),
            StatementError::Audience { .. }
        ));
        assert_eq!(
            refused(|it| it["iss"] = json!("did:web:other.example")),
            StatementError::Issuer
        );
        assert_eq!(refused(|it| it["jti"] = json!("")), claim("jti", "a string"));
        assert_eq!(refused(|it| it["exp"] = json!("soon")), claim("exp", "whole seconds"));
        assert!(matches!(
            refused(|it| it["statement"]["x"] = json!(1)),
            StatementError::Content { .. }
        ));
        assert!(matches!(
            refused(|it| it["jti"] = json!("x".repeat(200))),
            StatementError::Claim { .. }
        ));
    }

    #[test]
    fn a_key_id_that_is_no_did_url_with_fragment_is_refused() {
        for kid in ["key-1", "did:web:agency.example", "did:web:agency.example?x#key-1"] {
            let header = Map::from_iter([
                ("typ".to_owned(), json!("hub-decision+jwt")),
                ("kid".to_owned(), json!(kid)),
            ]);
            let text = key().fulfil(jws::sign(header, b"{}", Algorithm::Es256)).unwrap();
            let parsed = UnverifiedStatement::parse(&text, StatementKind::Decision);
            assert_eq!(parsed.unwrap_err(), StatementError::KeyId, "{kid}");
        }
    }

    #[test]
    fn errors_quote_no_value() {
        let error = read(&with_claims(|it| it["statement"]["word"] = json!(12_345)), NOW).unwrap_err();
        assert!(!error.to_string().contains("12345"), "{error}");
    }
}
