//! `did:key`: an identifier that is a public key
//! ([did:key](https://w3c-ccg.github.io/did-key-spec/)).
//!
//! Supported keys are Ed25519, P-256, P-384 and BLS12-381 in G2. The document has Multikey methods and no `keyAgreement`:
//! the specification derives one only on request, and we never ask.

use keys::KeyError;
use keys::PublicKey;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use crate::Did;
use crate::DidUrl;
use crate::Document;
use crate::document::DocumentError;
use crate::syntax::SyntaxError;

/// The method's name.
pub const METHOD: &str = "key";

/// The identifier gives no key: the fault of whoever made it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DidKeyError {
    /// The document made from the key is not sound; cannot happen for a valid key.
    #[error("the document of the key is not sound")]
    Document(#[from] DocumentError),
    /// A DID URL whose fragment is not the key of its DID, or has a path or query.
    #[error("expected the fragment of a did:key URL to repeat its key")]
    Fragment,
    /// Not a key, or of a kind that we do not implement.
    #[error("expected an Ed25519, P-256, P-384 or BLS12-381 G2 key in a did:key")]
    Key(#[from] KeyError),
    /// A DID of another method.
    #[error("expected a did:key, found method {found}")]
    Method {
        /// Its method.
        found: String,
    },
    /// Not base58btc, or another text than the one that the key is written as.
    #[error("expected the key of a did:key in its only base58btc form")]
    Multibase,
    /// The key has no DID syntax; cannot happen for a valid key.
    #[error("the key does not fit DID syntax")]
    Syntax(#[from] SyntaxError),
}

/// The `did:key` of a key.
#[must_use]
pub fn did(key: &PublicKey) -> String {
    format!("did:key:{}", key.to_multikey())
}

/// The DID URL of the only verification method of a key's DID.
#[must_use]
pub fn method_id(key: &PublicKey) -> String {
    let multikey = key.to_multikey();
    format!("did:key:{multikey}#{multikey}")
}

/// The key that `did` is.
///
/// # Errors
/// [`DidKeyError`]; other kinds of key are [`DidKeyError::Key`] with [`KeyError::Unsupported`].
pub fn public_key(did: &Did) -> Result<PublicKey, DidKeyError> {
    if did.method() != METHOD {
        return Err(DidKeyError::Method {
            found: did.method().to_owned(),
        });
    }
    let multikey = did.method_specific_id();
    // Other bases would be other texts for the same key.
    if !multikey.starts_with('z') {
        return Err(DidKeyError::Multibase);
    }
    let key = PublicKey::from_multikey(multikey)?;
    if key.to_multikey() != multikey {
        return Err(DidKeyError::Multibase);
    }
    Ok(key)
}

/// The key of a verification method `did:key:KEY#KEY`; body and fragment must be the same text, or
/// a proof could name one key and be checked with another.
///
/// # Errors
/// [`DidKeyError`].
pub fn public_key_of_method(id: &DidUrl) -> Result<PublicKey, DidKeyError> {
    let plain = id.path().is_empty() && id.query().is_none();
    if !plain || id.fragment() != Some(id.did().method_specific_id()) {
        return Err(DidKeyError::Fragment);
    }
    public_key(id.did())
}

/// The document of a `did:key`.
///
/// # Errors
/// [`DidKeyError`].
pub fn resolve(did: &Did) -> Result<Document, DidKeyError> {
    let key = public_key(did)?;
    let method = method_id(&key);
    let id = Value::from(did.as_str());
    Ok(Document::from_value(json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": id,
        "verificationMethod": [{
            "id": method,
            "type": "Multikey",
            "controller": id,
            "publicKeyMultibase": key.to_multikey(),
        }],
        "authentication": [method],
        "assertionMethod": [method],
        "capabilityInvocation": [method],
        "capabilityDelegation": [method],
    }))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Purpose;

    const GENUINE: &str = "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";

    fn refusal(text: &str) -> DidKeyError {
        public_key(&Did::parse(text).unwrap()).unwrap_err()
    }

    #[test]
    fn document_gives_the_key() {
        let did = Did::parse(GENUINE).unwrap();
        let key = public_key(&did).unwrap();
        assert_eq!(super::did(&key), GENUINE);
        let document = resolve(&did).unwrap();
        let method = DidUrl::parse(&method_id(&key)).unwrap();
        for purpose in [
            Purpose::Authentication,
            Purpose::AssertionMethod,
            Purpose::CapabilityDelegation,
            Purpose::CapabilityInvocation,
        ] {
            assert_eq!(document.key_for(&method, purpose).unwrap(), key);
        }
        assert!(document.key_for(&method, Purpose::KeyAgreement).is_err());
        assert_eq!(public_key_of_method(&method).unwrap(), key);
    }

    #[test]
    fn other_texts_are_refused() {
        assert!(matches!(refusal("did:web:example.com"), DidKeyError::Method { .. }));
        assert_eq!(refusal("did:key:u7QF1"), DidKeyError::Multibase);
        assert_eq!(
            refusal("did:key:1:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"),
            DidKeyError::Multibase
        );
        assert!(matches!(refusal("did:key:z6Mk"), DidKeyError::Key(_)));
        assert!(matches!(refusal("did:key:z0"), DidKeyError::Key(_)));
    }

    #[test]
    fn other_kinds_of_key_are_named_unsupported() {
        // X25519 and secp256k1.
        for text in [
            "did:key:z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW",
            "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme",
        ] {
            assert!(
                matches!(refusal(text), DidKeyError::Key(KeyError::Unsupported { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn fragment_must_repeat_the_key() {
        let of = |text: &str| public_key_of_method(&DidUrl::parse(text).unwrap());
        let key = "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";
        let other = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
        assert!(of(&format!("did:key:{key}#{key}")).is_ok());
        for bad in [
            format!("did:key:{key}#{other}"),
            format!("did:key:{key}"),
            format!("did:key:{key}#"),
            format!("did:key:{key}?a#{key}"),
            format!("did:key:{key}/a#{key}"),
        ] {
            assert_eq!(of(&bad), Err(DidKeyError::Fragment), "{bad}");
        }
    }
}
