//! Verifier metadata in the request
//! ([OpenID4VP 1.0, section 5.1](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#new_parameters),
//! [section 11](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#client_metadata)), and the
//! choice of a key to encrypt the response to
//! ([section 8.3](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#response_encryption)).

use std::collections::BTreeSet;

use keys::Jwk;
use keys::jwe::ContentEncryption;
use keys::jwk::JwkError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

/// A verifier has one key for each algorithm it can do.
pub const MAX_KEYS: usize = 32;

/// The only key agreement we do.
const KEY_AGREEMENT: &str = "ECDH-ES";
/// "allowing for the default value of A128GCM when not explicitly set".
const DEFAULT_ENCRYPTION: &str = "A128GCM";

/// The parameters of `client_metadata` that OpenID4VP defines; "Other metadata parameters MUST be ignored".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientMetadata {
    /// Public keys that we can read, each with a unique `kid`. Never to verify the request with.
    jwks: Vec<Jwk>,
    /// `enc` algorithms for the response, the verifier's order; empty means the default.
    encrypted_response_enc_values_supported: Vec<String>,
    /// By format, the algorithms that the verifier supports. Empty if it does not say.
    vp_formats_supported: Map<String, Value>,
}

/// A key and an algorithm to encrypt the response with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseEncryption {
    /// The verifier's key.
    pub key: Jwk,
    /// The content encryption.
    pub enc: ContentEncryption,
}

/// The verifier's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientMetadataError {
    /// A key without `kid`, or two with the same.
    #[error("expected a unique kid in each key of the client metadata")]
    KeyId,
    /// More than [`MAX_KEYS`].
    #[error("expected at most {MAX_KEYS} keys in the client metadata")]
    TooManyKeys,
    /// A private key.
    #[error("expected public keys in the client metadata, found a private one")]
    PrivateKey,
    /// A parameter of another type.
    #[error("expected `{member}` in the client metadata as {expected}")]
    Shape {
        /// The parameter.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

impl ClientMetadata {
    /// Metadata for a request.
    #[must_use]
    pub const fn new(vp_formats_supported: Map<String, Value>) -> Self {
        Self {
            jwks: Vec::new(),
            encrypted_response_enc_values_supported: Vec::new(),
            vp_formats_supported,
        }
    }

    /// The same metadata with a key to encrypt the response to. `kid` must be unique in the request.
    #[must_use]
    pub fn with_encryption_key(mut self, mut key: Jwk, kid: &str) -> Self {
        key.kid = Some(kid.to_owned());
        key.alg = Some(KEY_AGREEMENT.to_owned());
        key.use_ = Some("enc".to_owned());
        self.jwks.push(key);
        let both = [ContentEncryption::A256Gcm, ContentEncryption::A128Gcm];
        self.encrypted_response_enc_values_supported = both.map(|enc| enc.jose_name().to_owned()).to_vec();
        self
    }

    /// Reads the parameter. Keys of kinds that we do not know are left out.
    ///
    /// # Errors
    /// [`ClientMetadataError`], the verifier's fault.
    pub fn from_value(value: &Value) -> Result<Self, ClientMetadataError> {
        let shape = |member, expected| ClientMetadataError::Shape { member, expected };
        let object = value.as_object().ok_or_else(|| shape("client_metadata", "an object"))?;
        let formats = match object.get("vp_formats_supported") {
            None => Map::new(),
            Some(Value::Object(formats)) => formats.clone(),
            Some(_) => return Err(shape("vp_formats_supported", "an object")),
        };
        let encryption = match object.get("encrypted_response_enc_values_supported") {
            None => Vec::new(),
            Some(Value::Array(names)) if !names.is_empty() && names.iter().all(Value::is_string) => {
                names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => {
                return Err(shape(
                    "encrypted_response_enc_values_supported",
                    "a non-empty array of strings",
                ));
            }
        };
        Ok(Self {
            jwks: object.get("jwks").map(read_keys).transpose()?.unwrap_or_default(),
            encrypted_response_enc_values_supported: encryption,
            vp_formats_supported: formats,
        })
    }

    /// The parameter as JSON.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        if !self.vp_formats_supported.is_empty() {
            object.insert(
                "vp_formats_supported".to_owned(),
                self.vp_formats_supported.clone().into(),
            );
        }
        if !self.jwks.is_empty() {
            let keys: Vec<_> = self.jwks.iter().map(Jwk::to_value).collect();
            object.insert("jwks".to_owned(), json!({"keys": keys}));
        }
        if !self.encrypted_response_enc_values_supported.is_empty() {
            let names = self.encrypted_response_enc_values_supported.clone();
            object.insert("encrypted_response_enc_values_supported".to_owned(), names.into());
        }
        Value::Object(object)
    }

    /// By format, the algorithms that the verifier supports. Empty if it does not say.
    #[must_use]
    pub const fn vp_formats_supported(&self) -> &Map<String, Value> {
        &self.vp_formats_supported
    }

    /// The first key and the first content encryption that we can do; `None` if there is none.
    #[must_use]
    pub fn response_encryption(&self) -> Option<ResponseEncryption> {
        let fits = |key: &&Jwk| {
            let for_encryption = key.use_.as_deref().is_none_or(|purpose| purpose == "enc");
            for_encryption && key.kty == "EC" && key.crv == "P-256" && key.alg.as_deref() == Some(KEY_AGREEMENT)
        };
        let key = self.jwks.iter().find(fits)?.clone();
        let names = &self.encrypted_response_enc_values_supported;
        let enc = if names.is_empty() {
            ContentEncryption::from_jose_name(DEFAULT_ENCRYPTION)
        } else {
            names.iter().find_map(|name| ContentEncryption::from_jose_name(name))
        };
        Some(ResponseEncryption { key, enc: enc? })
    }
}

fn read_keys(jwks: &Value) -> Result<Vec<Jwk>, ClientMetadataError> {
    let keys = jwks.get("keys").and_then(Value::as_array);
    let keys = keys.ok_or(ClientMetadataError::Shape {
        member: "jwks",
        expected: "a JSON Web Key Set",
    })?;
    if keys.len() > MAX_KEYS {
        return Err(ClientMetadataError::TooManyKeys);
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::new();
    for key in keys {
        let kid = key
            .get("kid")
            .and_then(Value::as_str)
            .ok_or(ClientMetadataError::KeyId)?;
        if !seen.insert(kid) {
            return Err(ClientMetadataError::KeyId);
        }
        match Jwk::from_value(key) {
            Ok(key) => read.push(key),
            Err(JwkError::Private { .. }) => return Err(ClientMetadataError::PrivateKey),
            // An RSA key, say: of no use to us, and no fault.
            Err(_) => {}
        }
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the example of section 8.3.
    fn genuine() -> Value {
        json!({
            "vp_formats_supported": {"dc+sd-jwt": {"sd-jwt_alg_values": ["ES256"]}},
            "jwks": {"keys": [
                {"kty": "RSA", "kid": "r", "use": "enc", "alg": "RSA-OAEP", "n": "AQAB", "e": "AQAB"},
                {"kty": "OKP", "kid": "jc", "use": "enc", "crv": "X25519", "alg": "ECDH-ES",
                 "x": "WPX7wnwq10hFNK9aDSyG1QlLswE_CJY14LdhcFUIVVc"},
                {"kty": "EC", "kid": "ac", "use": "enc", "crv": "P-256", "alg": "ECDH-ES",
                 "x": "YO4epjifD-KWeq1sL2tNmm36BhXnkJ0He-WqMYrp9Fk",
                 "y": "Hekpm0zfK7C-YccH5iBjcIXgf6YdUvNUac_0At55Okk"}
            ]},
            "encrypted_response_enc_values_supported": ["A128CBC-HS256", "A256GCM", "A128GCM"],
            "client_name": "ignored"
        })
    }

    fn encryption(change: impl FnOnce(&mut Value)) -> Option<ResponseEncryption> {
        let mut metadata = genuine();
        change(&mut metadata);
        ClientMetadata::from_value(&metadata).unwrap().response_encryption()
    }

    fn refused(change: impl FnOnce(&mut Value)) -> ClientMetadataError {
        assert!(ClientMetadata::from_value(&genuine()).is_ok());
        let mut metadata = genuine();
        change(&mut metadata);
        ClientMetadata::from_value(&metadata).unwrap_err()
    }

    #[test]
    fn the_first_usable_key_and_algorithm_are_chosen() {
        let chosen = encryption(|_| ()).unwrap();
        assert_eq!(
            (chosen.key.kid.as_deref(), chosen.enc),
            (Some("ac"), ContentEncryption::A256Gcm)
        );
        let without_use = encryption(|metadata| {
            metadata["jwks"]["keys"][2].as_object_mut().unwrap().remove("use");
        });
        assert_eq!(without_use.unwrap().key.kid.as_deref(), Some("ac"));
    }

    #[test]
    fn the_default_encryption_is_a128gcm() {
        let chosen = encryption(|metadata| {
            metadata
                .as_object_mut()
                .unwrap()
                .remove("encrypted_response_enc_values_supported");
        });
        assert_eq!(chosen.unwrap().enc, ContentEncryption::A128Gcm);
    }

    #[test]
    fn keys_for_other_purposes_are_not_chosen() {
        for (member, value) in [("use", "sig"), ("alg", "ECDH-ES+A128KW"), ("crv", "P-384")] {
            assert_eq!(
                encryption(|metadata| metadata["jwks"]["keys"][2][member] = json!(value)),
                None,
                "{member}"
            );
        }
        let missing = encryption(|metadata| drop(metadata["jwks"]["keys"][2].as_object_mut().unwrap().remove("alg")));
        assert_eq!(missing, None);
        assert_eq!(
            encryption(|metadata| metadata["encrypted_response_enc_values_supported"] = json!(["A128CBC-HS256"])),
            None
        );
    }

    #[test]
    fn key_sets_are_checked() {
        assert_eq!(
            refused(|metadata| metadata["jwks"]["keys"][2]["d"] = json!("AA")),
            ClientMetadataError::PrivateKey
        );
        assert_eq!(
            refused(|metadata| metadata["jwks"]["keys"][2]["kid"] = json!("jc")),
            ClientMetadataError::KeyId
        );
        assert_eq!(
            refused(|metadata| metadata["jwks"]["keys"][1]["kid"] = json!(1)),
            ClientMetadataError::KeyId
        );
        assert!(matches!(
            refused(|metadata| metadata["jwks"] = json!([])),
            ClientMetadataError::Shape { .. }
        ));
        let many: Vec<_> = (0..=MAX_KEYS).map(|n| json!({"kid": n.to_string()})).collect();
        assert_eq!(
            refused(|metadata| metadata["jwks"]["keys"] = json!(many)),
            ClientMetadataError::TooManyKeys
        );
    }

    #[test]
    fn types_are_checked() {
        for (member, bad) in [
            ("vp_formats_supported", json!([])),
            ("encrypted_response_enc_values_supported", json!([])),
            ("encrypted_response_enc_values_supported", json!([1])),
        ] {
            assert!(
                matches!(
                    refused(|metadata| metadata[member] = bad),
                    ClientMetadataError::Shape { .. }
                ),
                "{member}"
            );
        }
    }

    #[test]
    fn reads_what_it_writes() {
        let key = ClientMetadata::from_value(&genuine()).unwrap().jwks[1].clone();
        let ours = ClientMetadata::new(Map::new()).with_encryption_key(key, "own");
        assert_eq!(ClientMetadata::from_value(&ours.to_value()), Ok(ours.clone()));
        assert_eq!(ours.response_encryption().unwrap().key.kid.as_deref(), Some("own"));
    }
}
