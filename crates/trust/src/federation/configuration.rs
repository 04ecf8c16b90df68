//! A subject's Entity Configuration under the registry's statement about it: verified, and what its metadata come to
//! ([validation](https://openid.net/specs/openid-federation-1_0.html#ESValidation),
//! [Trust Chain](https://openid.net/specs/openid-federation-1_0.html#trust_chain_validation)).

use std::collections::BTreeSet;

use keys::Jwk;
use keys::PublicKey;
use keys::Timestamp;
use keys::json::Json;
use keys::jws::Header;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::ENTITY_STATEMENT;
use super::Federation;
use super::Subordinate;

/// An issuer's metadata with some dozen types in every format have a tenth of it.
pub const MAX_CONFIGURATION_BYTES: usize = 512 * 1024;

/// Clocks of agencies differ.
const LEEWAY: i64 = 60;

/// Claims that only others' statements may have, and those of registrations, which this is none of.
const FOREIGN: [&str; 6] = [
    "aud",
    "constraints",
    "metadata_policy",
    "metadata_policy_crit",
    "source_endpoint",
    "trust_anchor",
];

/// What is known of a subject, by its own word and within what the registry says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    metadata: Map<String, Value>,
    expires: Timestamp,
}

/// The Entity Configuration does not count. The subject's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// A claim is missing or another.
    #[error("expected the claim `{name}` {expected}, found another or none")]
    Claim {
        /// Its name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// It is over.
    #[error("expected an Entity Configuration in force at {now}, found one until {expires}", now = now.to_rfc3339(), expires = expires.to_rfc3339())]
    Expired {
        /// Its end.
        expires: Timestamp,
        /// The time.
        now: Timestamp,
    },
    /// A claim that has no place in it.
    #[error("expected an Entity Configuration, found the claim `{name}`, which has no place in one that is served")]
    Foreign {
        /// Its name.
        name: &'static str,
    },
    /// Not a JWT of this kind, or its signature is not valid.
    #[error("the Entity Configuration is no signed Entity Statement")]
    Jws(#[from] JwsError),
    /// Signed with a key that is not the subject's.
    #[error(
        "expected a `kid` of a key that both the entity's own `jwks` and the registry's statement have, found {found:?}"
    )]
    Key {
        /// The header's `kid`.
        found: Option<String>,
    },
    /// Its metadata are of another form, or speak for somebody else.
    #[error("expected `metadata` {expected}, found another")]
    Metadata {
        /// What they must be.
        expected: &'static str,
    },
    /// It is not in force yet.
    #[error("expected an Entity Configuration issued before {now}, found one of {issued_at}", now = now.to_rfc3339(), issued_at = issued_at.to_rfc3339())]
    NotYet {
        /// Its time.
        issued_at: Timestamp,
        /// The time.
        now: Timestamp,
    },
}

impl ConfigurationError {
    /// The [error code](https://openid.net/specs/openid-federation-1_0.html#error_response).
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Metadata { .. } => "invalid_metadata",
            Self::Claim { .. }
            | Self::Expired { .. }
            | Self::Foreign { .. }
            | Self::Jws(_)
            | Self::Key { .. }
            | Self::NotYet { .. } => "invalid_trust_chain",
        }
    }
}

impl Resolved {
    /// The claims of a [resolve response](https://openid.net/specs/openid-federation-1_0.html#resolve-response) about
    /// `subject`, with the metadata of these Entity Types (of all, where there are none) and the three statements of
    /// `trust_chain`. It has no Trust Marks: the registry recognizes none.
    #[must_use]
    pub fn response(
        &self,
        (federation, subject): (&Federation, &str),
        entity_types: &[String],
        trust_chain: [&str; 3],
        now: Timestamp,
    ) -> Map<String, Value> {
        let mut metadata = self.metadata.clone();
        metadata.retain(|entity_type, _| entity_types.is_empty() || entity_types.contains(entity_type));
        let anchor = federation.anchor();
        let ends = number(anchor, "exp").map_or(self.expires, |end| end.min(self.expires));
        Map::from_iter([
            ("iss".to_owned(), anchor.get("iss").cloned().unwrap_or_default()),
            ("sub".to_owned(), subject.into()),
            ("iat".to_owned(), now.unix().into()),
            ("exp".to_owned(), ends.unix().into()),
            ("metadata".to_owned(), metadata.into()),
            ("trust_chain".to_owned(), Value::from(&trust_chain[..])),
        ])
    }
}

impl Subordinate {
    /// Verifies the Entity Configuration that the subject serves, and applies what the registry says of it.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn resolve(&self, configuration: &str, now: Timestamp) -> Result<Resolved, ConfigurationError> {
        let jws = UnverifiedJws::parse(configuration, MAX_CONFIGURATION_BYTES)?;
        let header = jws.header();
        header.expect_typ(ENTITY_STATEMENT)?;
        check_chains(header)?;
        let key_id = header.kid().map(str::to_owned);
        let unknown = || ConfigurationError::Key { found: key_id.clone() };
        let key = key_id.as_deref().and_then(|id| key_of(self.claims(), id));
        let verified = jws.verify(&key.clone().ok_or_else(unknown)?)?;
        let claims = verified.claims()?;
        check_keys(&claims)?;
        // The subject itself must have the key, too, and under the same name.
        if key_id.as_deref().and_then(|id| key_of(&claims, id)) != key {
            return Err(unknown());
        }
        let expires = self.check(&claims, now)?;
        Ok(Resolved {
            metadata: self.metadata(claims)?,
            expires,
        })
    }

    /// Everything but keys and metadata; gives the end of the chain up to the registry's statement.
    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<Timestamp, ConfigurationError> {
        let claim = |name, expected| ConfigurationError::Claim { name, expected };
        let subject = self.claims().get("sub");
        for name in ["iss", "sub"] {
            if claims.get(name) != subject {
                return Err(claim(name, "as the entity identifier that officers approved"));
            }
        }
        let time = |name| number(claims, name).ok_or_else(|| claim(name, "in whole seconds"));
        let (issued_at, expires) = (time("iat")?, time("exp")?);
        if issued_at > now.plus(LEEWAY) {
            return Err(ConfigurationError::NotYet { issued_at, now });
        }
        // The registry's statement may be over before it.
        let expires = number(self.claims(), "exp").map_or(expires, |end| end.min(expires));
        if expires <= now {
            return Err(ConfigurationError::Expired { expires, now });
        }
        if let Some(name) = FOREIGN.iter().find(|name| claims.contains_key(**name)) {
            return Err(ConfigurationError::Foreign { name });
        }
        if claims.contains_key("crit") {
            return Err(claim("crit", "not at all, for no extension is known here"));
        }
        let hints = claims.get("authority_hints").and_then(texts);
        if !hints.is_some_and(|hints| {
            self.claims()
                .get("iss")
                .and_then(Value::as_str)
                .is_some_and(|iss| hints.contains(&iss))
        }) {
            return Err(claim(
                "authority_hints",
                "as texts with the registry's entity identifier",
            ));
        }
        let optional = |name, is_right: fn(&Value) -> bool| claims.get(name).is_none_or(is_right);
        if !optional("trust_anchor_hints", |hints| {
            texts(hints).is_some_and(|hints| !hints.is_empty())
        }) {
            return Err(claim("trust_anchor_hints", "as texts"));
        }
        if !optional("trust_marks", are_trust_marks) {
            return Err(claim(
                "trust_marks",
                "as objects with `trust_mark_type` and `trust_mark`",
            ));
        }
        for name in ["trust_mark_issuers", "trust_mark_owners"] {
            if !optional(name, Value::is_object) {
                return Err(claim(name, "as an object"));
            }
        }
        Ok(expires)
    }

    /// The subject's metadata with the registry's laid over them, of the Entity Types that the registry allows.
    fn metadata(&self, mut claims: Map<String, Value>) -> Result<Map<String, Value>, ConfigurationError> {
        let expected = |expected| ConfigurationError::Metadata { expected };
        let metadata = claims.remove("metadata").unwrap_or_else(|| Map::new().into());
        let form = || expected("as an object of objects without null");
        let Value::Object(metadata) = metadata else {
            return Err(form());
        };
        let stated = self.claims().get("metadata");
        let mut resolved = Map::new();
        for (entity_type, parameters) in metadata {
            let Value::Object(mut parameters) = parameters else {
                return Err(form());
            };
            if parameters.values().any(Value::is_null) {
                return Err(form());
            }
            if !self.allows(&entity_type) {
                continue;
            }
            if let Some(stated) = stated
                .and_then(|stated| stated.get(&entity_type))
                .and_then(Value::as_object)
            {
                // A name that officers approved is not added to in further languages.
                parameters.retain(|name, _| !name.split_once('#').is_some_and(|(bare, _)| stated.contains_key(bare)));
                parameters.extend(stated.clone());
            }
            resolved.insert(entity_type, parameters.into());
        }
        // Like the `issuer` of an OpenID Provider: nobody's metadata are another's.
        let issuer = resolved.get("openid_credential_issuer");
        if issuer.is_some_and(|issuer| issuer.get("credential_issuer") != self.claims().get("sub")) {
            return Err(expected("with the entity identifier as `credential_issuer`"));
        }
        Ok(resolved)
    }
}

/// Trust Chains in the header are hints for others: read as far as the standard demands, and not used.
fn check_chains(header: &Header) -> Result<(), ConfigurationError> {
    for name in ["peer_trust_chain", "trust_chain"] {
        let is_chain = |chain: Json<'_>| {
            let mut statements = chain.elements()?;
            statements.all(|statement| statement.as_str().is_some()).then_some(())
        };
        if header.member(name).is_some_and(|chain| is_chain(chain).is_none()) {
            return Err(ConfigurationError::Claim {
                name,
                expected: "of the header as texts",
            });
        }
    }
    Ok(())
}

/// "Every JWK in the JWK Set MUST have a unique `kid`." They may be of kinds that we do not know.
fn check_keys(claims: &Map<String, Value>) -> Result<(), ConfigurationError> {
    let mut seen = BTreeSet::new();
    let mut is_new = |key: &Value| {
        let id = key.get("kid").and_then(Value::as_str).unwrap_or_default();
        !id.is_empty() && seen.insert(id.to_owned())
    };
    // Where there are none, the signing key is not among them.
    if !keys_of(claims).unwrap_or_default().iter().all(&mut is_new) {
        return Err(ConfigurationError::Claim {
            name: "jwks",
            expected: "as keys, each with a `kid` of its own",
        });
    }
    Ok(())
}

fn keys_of(claims: &Map<String, Value>) -> Option<&[Value]> {
    let keys = claims.get("jwks")?.get("keys")?.as_array()?;
    Some(keys)
}

fn key_of(claims: &Map<String, Value>, id: &str) -> Option<PublicKey> {
    let mut keys = keys_of(claims)?.iter();
    let key = keys.find(|key| key.get("kid").and_then(Value::as_str) == Some(id))?;
    let jwk = Jwk::from_value(key).ok().filter(Jwk::is_for_signatures)?;
    PublicKey::from_jwk(&jwk).ok()
}

fn number(claims: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix)
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn are_trust_marks(value: &Value) -> bool {
    let has = |mark: &Value, name| mark.get(name).is_some_and(Value::is_string);
    let is_mark = |mark: &Value| has(mark, "trust_mark_type") && has(mark, "trust_mark");
    value.as_array().is_some_and(|marks| marks.iter().all(is_mark))
}

#[cfg(test)]
mod tests;
