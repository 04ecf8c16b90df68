//! The Nonce Endpoint
//! ([OpenID4VCI 1.0, section 7](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#nonce-endpoint)).
//!
//! Anyone may ask for a nonce, so none is stored: a `c_nonce` carries its own expiry and a MAC over it. Only
//! a used one is remembered, until it expires by itself; that makes it good for one credential request.
//!
//! Layout before base64url: expiry (8 bytes, big-endian Unix seconds), 16 random bytes, the first 16
//! bytes of the HMAC over context, issuer, expiry and random bytes.

use std::fmt;

use keys::Timestamp;
use keys::base64url;
use keys::json;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroize;
use zeroize::ZeroizeOnDrop;

use crate::url::SecureUrl;

/// Time for a person to unlock the keys; a wallet fetches another one when it is refused.
pub const DEFAULT_NONCE_LIFETIME_SECONDS: i64 = 5 * 60;
/// One short string.
const RESPONSE_LIMITS: json::Limits = json::Limits {
    max_bytes: 16 * 1_024,
    max_depth: 8,
};
/// Other issuers' nonces may hold their state.
const MAX_NONCE_BYTES: usize = 4_096;

const EXPIRY_BYTES: usize = 8;
const RANDOM_BYTES: usize = 16;
const MAC_BYTES: usize = 16;
const HMAC_BLOCK_BYTES: usize = 64;

/// The key that an issuer makes and recognizes its nonces with. All processes of one issuer share it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct NonceKey([u8; 32]);

/// The response of the endpoint. The HTTP response must say `Cache-Control: no-store`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// To be put into proofs.
    pub c_nonce: String,
}

/// A nonce that a request used. Stored under its id, created only if absent, in the transaction that
/// issues; it may be forgotten once it is expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpentNonce {
    /// The key of the record.
    pub id: String,
    /// When the nonce is refused for its age anyway.
    pub expires_at: Timestamp,
}

/// The wallet's fault, or an answer that took too long: it fetches another nonce.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceError {
    /// Too old.
    #[error("the c_nonce has expired")]
    Expired,
    /// Not one of this issuer.
    #[error("the c_nonce is not one of this issuer")]
    Unknown,
    /// Used by an earlier request.
    #[error("the c_nonce was used before")]
    Used,
}

impl NonceKey {
    /// A new key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key from its storage.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key for its storage.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh nonce of `issuer`.
    #[must_use]
    pub fn issue(&self, issuer: &SecureUrl, lifetime: i64, now: Timestamp, rng: &mut dyn CryptoRng) -> NonceResponse {
        let mut random = [0; RANDOM_BYTES];
        rng.fill_bytes(&mut random);
        let mut bytes = now.plus(lifetime).unix().to_be_bytes().to_vec();
        bytes.extend_from_slice(&random);
        let mac = self.mac(issuer, &bytes);
        bytes.extend_from_slice(&mac);
        NonceResponse {
            c_nonce: base64url::encode(bytes),
        }
    }

    /// Recognizes a nonce of `issuer`. Whether it was used before is the store's to say.
    ///
    /// # Errors
    /// [`NonceError::Unknown`] or [`NonceError::Expired`].
    pub fn recognize(&self, nonce: &str, issuer: &SecureUrl, now: Timestamp) -> Result<SpentNonce, NonceError> {
        let bytes = base64url::decode(nonce).map_err(|_| NonceError::Unknown)?;
        let (stamped, mac) = bytes
            .split_at_checked(EXPIRY_BYTES + RANDOM_BYTES)
            .ok_or(NonceError::Unknown)?;
        // `ct_eq` of slices is false for other lengths.
        if !bool::from(self.mac(issuer, stamped).ct_eq(mac)) {
            return Err(NonceError::Unknown);
        }
        let expiry = stamped.first_chunk::<EXPIRY_BYTES>().ok_or(NonceError::Unknown)?;
        let expires_at = Timestamp::from_unix(i64::from_be_bytes(*expiry));
        if now >= expires_at {
            return Err(NonceError::Expired);
        }
        Ok(SpentNonce {
            id: base64url::encode(keys::sha256(nonce.as_bytes())),
            expires_at,
        })
    }

    fn mac(&self, issuer: &SecureUrl, stamped: &[u8]) -> [u8; MAC_BYTES] {
        let mut message = b"c_nonce\0".to_vec();
        message.extend_from_slice(issuer.as_str().as_bytes());
        message.push(0);
        message.extend_from_slice(stamped);
        let mut mac = [0; MAC_BYTES];
        for (to, from) in mac.iter_mut().zip(hmac_sha256(&self.0, &message)) {
            *to = from;
        }
        mac
    }
}

impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceKey").finish_non_exhaustive()
    }
}

impl NonceResponse {
    /// Reads the response of an issuer.
    ///
    /// # Errors
    /// [`json::JsonError`], the issuer's fault.
    pub fn parse(body: &[u8]) -> Result<Self, json::JsonError> {
        let response: Self = json::parse_as(body, RESPONSE_LIMITS)?;
        if response.c_nonce.is_empty() || response.c_nonce.len() > MAX_NONCE_BYTES {
            return Err(json::JsonError::Shape { expected: "a c_nonce" });
        }
        Ok(response)
    }
}

/// HMAC with SHA-256 ([RFC 2104](https://www.rfc-editor.org/rfc/rfc2104)), for keys of 32 bytes.
fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| {
        let mut padded = vec![byte; HMAC_BLOCK_BYTES];
        for (to, from) in padded.iter_mut().zip(key) {
            *to ^= from;
        }
        padded
    };
    let mut inner = pad(0x36);
    inner.extend_from_slice(message);
    let mut outer = pad(0x5c);
    outer.extend_from_slice(&keys::sha256(&inner));
    let mac = keys::sha256(&outer);
    inner.zeroize();
    outer.zeroize();
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(name: &str) -> SecureUrl {
        SecureUrl::parse_identifier(&format!("https://{name}.example")).unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn issued() -> (NonceKey, String) {
        let key = NonceKey::generate(&mut signer::os_rng());
        let nonce = key.issue(&issuer("a"), 300, now(), &mut signer::os_rng()).c_nonce;
        (key, nonce)
    }

    /// RFC 4231, test case 2 with the key padded to 32 bytes, which HMAC does anyway.
    #[test]
    fn hmac_vector() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = hmac_sha256(&key, b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let byte = |at: usize| u8::from_str_radix(&expected[2 * at..2 * at + 2], 16).unwrap();
        assert_eq!(mac, std::array::from_fn(byte));
    }

    #[test]
    fn a_fresh_nonce_is_recognized() {
        let (key, nonce) = issued();
        let spent = key.recognize(&nonce, &issuer("a"), now()).unwrap();
        assert_eq!(spent.expires_at, now().plus(300));
        let stored = NonceKey::from_bytes(*key.as_bytes());
        assert_eq!(stored.recognize(&nonce, &issuer("a"), now().plus(299)), Ok(spent));
        assert_ne!(
            nonce,
            key.issue(&issuer("a"), 300, now(), &mut signer::os_rng()).c_nonce
        );
    }

    #[test]
    fn an_expired_nonce_is_refused() {
        let (key, nonce) = issued();
        assert_eq!(
            key.recognize(&nonce, &issuer("a"), now().plus(300)),
            Err(NonceError::Expired)
        );
    }

    #[test]
    fn a_nonce_of_another_issuer_or_key_is_refused() {
        let (key, nonce) = issued();
        assert_eq!(key.recognize(&nonce, &issuer("b"), now()), Err(NonceError::Unknown));
        assert_eq!(
            issued().0.recognize(&nonce, &issuer("a"), now()),
            Err(NonceError::Unknown)
        );
    }

    #[test]
    fn a_changed_nonce_is_refused() {
        let (key, nonce) = issued();
        let bytes = base64url::decode(&nonce).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            let refused = key.recognize(&base64url::encode(changed), &issuer("a"), now());
            assert_eq!(refused, Err(NonceError::Unknown), "byte {at}");
        }
        for bad in ["", "AAAA", &nonce[..20], &format!("{nonce}AA"), "not base64url!"] {
            assert_eq!(
                key.recognize(bad, &issuer("a"), now()),
                Err(NonceError::Unknown),
                "{bad}"
            );
        }
    }

    #[test]
    fn responses_are_read() {
        let body = br#"{"c_nonce": "wKI4LT17ac15ES9bw8ac4"}"#;
        assert_eq!(NonceResponse::parse(body).unwrap().c_nonce, "wKI4LT17ac15ES9bw8ac4");
        assert!(NonceResponse::parse(br#"{"c_nonce": ""}"#).is_err());
        assert!(NonceResponse::parse(b"{}").is_err());
    }
}
