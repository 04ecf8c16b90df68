//! The public key of a verification method
//! ([DID Core section 5.2.1](https://www.w3.org/TR/did-core/#verification-material)).

use keys::Jwk;
use keys::PublicKey;
use serde_json::Map;
use serde_json::Value;

use super::KeyForError;
use crate::Did;
use crate::DidUrl;

/// The key of one verification method, by its declared `type`.
pub(super) fn public_key(id: &DidUrl, method: &Map<String, Value>) -> Result<PublicKey, KeyForError> {
    let material = |problem| KeyForError::Material {
        id: id.to_string(),
        problem,
    };
    for member in ["revoked", "expires"] {
        if method.contains_key(member) {
            return Err(KeyForError::Withdrawn {
                id: id.to_string(),
                member,
            });
        }
    }
    let controller = method.get("controller").and_then(Value::as_str);
    if controller.is_none_or(|controller| Did::parse(controller).is_err()) {
        return Err(material("it has no `controller` that is a DID"));
    }
    let kind = method
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| material("it has no `type`"))?;
    match kind {
        "Multikey" => multikey(id, method),
        "Ed25519VerificationKey2020" => match multikey(id, method)? {
            key @ PublicKey::Ed25519(_) => Ok(key),
            PublicKey::Bls12381G2(_) | PublicKey::P256(_) | PublicKey::P384(_) | PublicKey::P521(_) => {
                Err(material("its type says Ed25519, its key says another curve"))
            }
        },
        "JsonWebKey" | "JsonWebKey2020" => {
            let jwk = method
                .get("publicKeyJwk")
                .ok_or_else(|| material("it has no `publicKeyJwk`"))?;
            let jwk = Jwk::from_value(jwk).map_err(|_| material("its `publicKeyJwk` is not a public JWK"))?;
            if !matches!(jwk.crv.as_str(), "Ed25519" | "P-256" | "P-384") {
                return Err(KeyForError::Unsupported {
                    found: format!("a JWK of curve {}", jwk.crv),
                });
            }
            PublicKey::from_jwk(&jwk).map_err(|_| material("its `publicKeyJwk` is not a valid key"))
        }
        other => Err(KeyForError::Unsupported {
            found: other.to_owned(),
        }),
    }
}

fn multikey(id: &DidUrl, method: &Map<String, Value>) -> Result<PublicKey, KeyForError> {
    let material = |problem| KeyForError::Material {
        id: id.to_string(),
        problem,
    };
    let text = method.get("publicKeyMultibase").and_then(Value::as_str);
    let text = text.ok_or_else(|| material("it has no `publicKeyMultibase`"))?;
    PublicKey::from_multikey(text)
        .map_err(|_| material("its `publicKeyMultibase` is not an Ed25519, P-256, P-384 or P-521 Multikey"))
}
