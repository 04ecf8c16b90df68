//! `did:jwk`: an identifier that is a public JWK
//! ([did:jwk](https://github.com/quartzjer/did-jwk/blob/main/spec.md)).
//!
//! One key can have many identifiers, because the JSON is not canonical; only the identifier
//! compares, never the key.

use keys::Jwk;
use keys::KeyError;
use keys::PublicKey;
use keys::base64url;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Did;
use crate::Document;
use crate::document::DocumentError;

/// The method's name.
pub const METHOD: &str = "jwk";

/// A JWK with its certificates left out is below 500 bytes; the DID's own limit allows 1530.
const LIMITS: json::Limits = json::Limits {
    max_bytes: 1536,
    max_depth: 4,
};

/// The identifier gives no key: the fault of whoever made it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DidJwkError {
    /// The document made from the key is not sound; cannot happen for a valid key.
    #[error("the document of the key is not sound")]
    Document(#[from] DocumentError),
    /// Not base64url of a JSON object.
    #[error("expected base64url of a JWK in a did:jwk")]
    Encoding,
    /// Not a public JWK, or of a kind that we do not implement.
    #[error("expected an Ed25519, P-256, P-384 or P-521 key in a did:jwk")]
    Key(#[from] KeyError),
    /// A DID of another method.
    #[error("expected a did:jwk, found method {found}")]
    Method {
        /// Its method.
        found: String,
    },
    /// A JWK with private members, or without the public ones.
    #[error("expected a public JWK in a did:jwk")]
    NotPublic(#[from] keys::jwk::JwkError),
}

/// The `did:jwk` of a key, with the members of its thumbprint only, in their order.
#[must_use]
pub fn did(key: &PublicKey) -> String {
    format!("did:jwk:{}", base64url::encode(key.to_jwk().required_members()))
}

/// The document of a `did:jwk`.
///
/// # Errors
/// [`DidJwkError`]; other kinds of key are [`DidJwkError::Key`] with [`KeyError::Unsupported`].
pub fn resolve(did: &Did) -> Result<Document, DidJwkError> {
    if did.method() != METHOD {
        return Err(DidJwkError::Method {
            found: did.method().to_owned(),
        });
    }
    let bytes = base64url::decode(did.method_specific_id()).map_err(|_| DidJwkError::Encoding)?;
    let value = json::parse(&bytes, LIMITS).map_err(|_| DidJwkError::Encoding)?;
    let jwk = Jwk::from_value(&value)?;
    PublicKey::from_jwk(&jwk)?;
    let uses: &[&str] = match jwk.use_.as_deref() {
        Some("sig") => &[
            "assertionMethod",
            "authentication",
            "capabilityInvocation",
            "capabilityDelegation",
        ],
        Some("enc") => &["keyAgreement"],
        _ => &[
            "assertionMethod",
            "authentication",
            "capabilityInvocation",
            "capabilityDelegation",
            "keyAgreement",
        ],
    };
    let id = did.as_str();
    let method = format!("{id}#0");
    let mut document = Map::new();
    document.insert(
        "@context".into(),
        [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/jws-2020/v1",
        ]
        .as_slice()
        .into(),
    );
    document.insert("id".into(), id.into());
    document.insert(
        "verificationMethod".into(),
        // The JWK as it came: custom members belong to the method.
        serde_json::json!([{ "id": method, "type": "JsonWebKey2020", "controller": id, "publicKeyJwk": value }]),
    );
    for member in uses {
        document.insert((*member).into(), vec![method.clone()].into());
    }
    Ok(Document::from_value(Value::Object(document))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DidUrl;
    use crate::Purpose;

    /// The example of the specification.
    const GENUINE: &str = "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAiLCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9";

    fn of(jwk: &str) -> Result<Document, DidJwkError> {
        resolve(&Did::parse(&format!("did:jwk:{}", base64url::encode(jwk))).unwrap())
    }

    #[test]
    fn example_of_the_specification() {
        let document = resolve(&Did::parse(GENUINE).unwrap()).unwrap();
        let method = DidUrl::parse(&format!("{GENUINE}#0")).unwrap();
        let key = document.key_for(&method, Purpose::AssertionMethod).unwrap();
        assert_eq!(key.to_jwk().x, "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0");
        assert_eq!(document.key_for(&method, Purpose::KeyAgreement).unwrap(), key);
        assert_eq!(did(&key), GENUINE);
    }

    #[test]
    fn use_limits_the_purposes() {
        let jwk = |usage: &str| {
            format!(
                r#"{{"kty":"EC","crv":"P-256","use":"{usage}","x":"acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0","y":"_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE"}}"#
            )
        };
        let signing = of(&jwk("sig")).unwrap();
        assert_eq!(signing.method_ids(Purpose::AssertionMethod).len(), 1);
        assert!(signing.method_ids(Purpose::KeyAgreement).is_empty());
        let encryption = of(&jwk("enc")).unwrap();
        assert!(encryption.method_ids(Purpose::AssertionMethod).is_empty());
        assert_eq!(encryption.method_ids(Purpose::KeyAgreement).len(), 1);
    }

    #[test]
    fn what_is_no_public_key_is_refused() {
        let x = "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0";
        assert_eq!(
            resolve(&Did::parse("did:jwk:e30=").unwrap_or_else(|_| Did::parse("did:jwk:e3").unwrap())),
            Err(DidJwkError::Encoding)
        );
        assert_eq!(
            of("[]").unwrap_err(),
            DidJwkError::NotPublic(keys::jwk::JwkError::NotAnObject)
        );
        assert!(matches!(of("{}"), Err(DidJwkError::NotPublic(_))));
        assert!(matches!(
            of(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}","d":"AA"}}"#)),
            Err(DidJwkError::NotPublic(_))
        ));
        assert!(matches!(
            of(&format!(r#"{{"kty":"OKP","crv":"X25519","x":"{x}"}}"#)),
            Err(DidJwkError::Key(KeyError::Unsupported { .. }))
        ));
        assert!(matches!(
            of(&format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{x}"}}"#)),
            Err(DidJwkError::Key(KeyError::Invalid { .. }))
        ));
        assert_eq!(of(r#"{"kty":"EC","kty":"OKP"}"#), Err(DidJwkError::Encoding));
        assert!(matches!(
            resolve(&Did::parse("did:key:z6Mk").unwrap()),
            Err(DidJwkError::Method { .. })
        ));
    }
}
