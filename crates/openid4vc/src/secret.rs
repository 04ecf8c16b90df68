//! Codes and tokens that whoever knows them may use: made from 256 random bits, kept only as hashes.
//!
//! A thief of the store learns no code that still works. A plain SHA-256 is enough for a value of 256
//! random bits; short codes that people type are hashed together with such a value
//! (see [`SecretDigest::of_pair`]).

use std::fmt;

use keys::base64url;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use subtle::ConstantTimeEq as _;

/// A fresh secret in base64url: 43 characters, all of them safe in URLs. Shown to the peer once.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new secret of 256 random bits.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(base64url::encode(bytes))
    }

    /// The text to hand to the peer.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What to keep.
    #[must_use]
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").finish_non_exhaustive()
    }
}

/// The hash of a secret: the key of its record in a store. Compared in constant time.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest of a secret of high entropy, or of whatever a peer presents as one.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(keys::sha256(secret.as_bytes()))
    }

    /// The digest of a short code bound to a secret that is not kept: without the secret the store gives
    /// nothing to try the million six-digit codes against.
    #[must_use]
    pub fn of_pair(secret: &str, code: &str) -> Self {
        let mut bytes = keys::sha256(secret.as_bytes()).to_vec();
        bytes.extend_from_slice(b"tx_code\0");
        bytes.extend_from_slice(code.as_bytes());
        Self(keys::sha256(&bytes))
    }

    /// The digest in base64url, for the key of a record.
    #[must_use]
    pub fn to_text(self) -> String {
        base64url::encode(self.0)
    }
}

impl PartialEq for SecretDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretDigest {}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretDigest").finish_non_exhaustive()
    }
}

impl Serialize for SecretDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for SecretDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = base64url::decode(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)?;
        Ok(Self(
            bytes
                .try_into()
                .map_err(|_| serde::de::Error::custom("expected 32 bytes"))?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret("c2VjcmV0".to_owned());
        assert_eq!(
            format!("{secret:?} {:?}", secret.digest()),
            "Secret { .. } SecretDigest { .. }"
        );
    }

    #[test]
    fn digests_bind_code_and_secret() {
        assert_eq!(SecretDigest::of("a"), SecretDigest::of("a"));
        assert_ne!(SecretDigest::of("a"), SecretDigest::of("b"));
        assert_ne!(SecretDigest::of_pair("a", "1"), SecretDigest::of_pair("b", "1"));
        assert_ne!(SecretDigest::of_pair("a", "1"), SecretDigest::of_pair("a", "2"));
    }

    #[test]
    fn digests_survive_the_store() {
        let digest = SecretDigest::of("a");
        let stored = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<SecretDigest>(&stored).unwrap(), digest);
        assert!(serde_json::from_str::<SecretDigest>("\"YQ\"").is_err());
    }
}
