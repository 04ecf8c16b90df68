//! `COSE_Mac0` with HMAC-SHA-256 ([RFC 9052 section 6.2](https://www.rfc-editor.org/rfc/rfc9052#section-6.2)), and the
//! key for it that two parties agree on.

use std::fmt;

use hkdf::Hkdf;
use hmac::Hmac;
use hmac::KeyInit as _;
use hmac::Mac as _;
use p256::elliptic_curve::Generate as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use rand_core::CryptoRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::CoseError;
use super::HeaderMap;
use super::Headers;
use super::Message;
use super::encode;
use super::structure;
use crate::KeyError;
use crate::PublicKey;
use crate::cbor::Value;

/// The tag of a `COSE_Mac0` that does not stand where one is expected anyway.
const TAG: u64 = 17;
const CONTEXT: &str = "MAC0";
/// `HMAC 256/256`.
const HMAC_SHA_256: i64 = 5;
/// As long as the hash ([RFC 9053 section 3.1](https://www.rfc-editor.org/rfc/rfc9053#section-3.1)).
const KEY_BYTES: usize = 32;

/// A secret key of HMAC-SHA-256. Zeroized when dropped.
#[derive(Clone)]
pub struct MacKey(Zeroizing<Vec<u8>>);

/// A private P-256 key for key agreement, which does nothing else. Zeroized when dropped.
///
/// A reader makes one for each session and forgets it with the session, which is why it may live in a pure crate.
#[derive(Clone)]
pub struct AgreementKey(p256::SecretKey);

/// A `COSE_Mac0` as it arrived.
pub struct UnverifiedMac0(Message);

/// A `COSE_Mac0` that was made with a given key.
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedMac0 {
    headers: Headers,
    payload: Vec<u8>,
}

impl AgreementKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(p256::SecretKey::generate_from_rng(rng))
    }

    /// A key from its private number, big endian.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for zero and for numbers beyond the order of the curve.
    pub fn from_bytes(bytes: &[u8; KEY_BYTES]) -> Result<Self, KeyError> {
        p256::SecretKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| KeyError::Invalid { curve: "P-256" })
    }

    /// The public half, to be sent to the other party.
    ///
    /// # Errors
    /// [`KeyError`], which cannot occur: the key is a point of the curve.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        PublicKey::from_p256_sec1(self.0.public_key().to_sec1_point(false).as_bytes())
    }

    /// The key that this party and the holder of `peer`'s private key can compute, and nobody else: ECDH, then
    /// [HKDF](https://www.rfc-editor.org/rfc/rfc5869) with SHA-256.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] when `peer` is not on P-256.
    pub fn agree(&self, peer: &PublicKey, salt: &[u8], info: &[u8]) -> Result<MacKey, KeyError> {
        let unsupported = || KeyError::Unsupported {
            found: peer.algorithm().to_string(),
        };
        let PublicKey::P256(peer_key) = peer else {
            return Err(unsupported());
        };
        let peer_key = p256::PublicKey::from_sec1_bytes(peer_key.sec1()).map_err(|_| unsupported())?;
        let shared = p256::ecdh::diffie_hellman(self.0.to_nonzero_scalar(), peer_key.as_affine());
        let mut key = Zeroizing::new(vec![0; KEY_BYTES]);
        Hkdf::<Sha256>::new(Some(salt), shared.raw_secret_bytes())
            .expand(info, key.as_mut_slice())
            .map_err(|_| unsupported())?;
        Ok(MacKey(key))
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgreementKey").finish_non_exhaustive()
    }
}

impl MacKey {
    /// A key that was agreed on elsewhere.
    ///
    /// # Errors
    /// [`CoseError::MacKey`] for a key that is easier to guess than the tag.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CoseError> {
        if bytes.len() < KEY_BYTES {
            return Err(CoseError::MacKey { found: bytes.len() });
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    fn hmac(&self, message: &[u8]) -> Result<Hmac<Sha256>, CoseError> {
        // HMAC takes keys of any length; the error belongs to algorithms that do not.
        let hmac = Hmac::<Sha256>::new_from_slice(self.0.as_slice()).map_err(|_| CoseError::Mac)?;
        Ok(hmac.chain_update(message))
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MacKey").finish_non_exhaustive()
    }
}

impl UnverifiedMac0 {
    /// Reads a `COSE_Mac0` of at most `max_bytes`, tagged or not.
    ///
    /// # Errors
    /// [`CoseError`], the sender's fault.
    pub fn parse(bytes: &[u8], max_bytes: usize) -> Result<Self, CoseError> {
        let message = Message::parse(bytes, max_bytes, TAG)?;
        let found = message.headers.algorithm();
        if found == Some(&Value::from(HMAC_SHA_256)) {
            Ok(Self(message))
        } else {
            Err(CoseError::Algorithm {
                expected: "HMAC 256/256 (5)",
                found: found.cloned(),
            })
        }
    }

    /// The headers.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Checks the authentication tag with `key`, in constant time.
    ///
    /// # Errors
    /// [`CoseError::Mac`], or [`CoseError::Payload`] for a detached payload.
    pub fn verify(mut self, key: &MacKey) -> Result<VerifiedMac0, CoseError> {
        let payload = self.0.attached()?;
        self.check(payload, key)
    }

    /// Checks the authentication tag over `payload`, which came another way or was computed.
    ///
    /// # Errors
    /// [`CoseError::Mac`], or [`CoseError::Payload`] for an attached payload.
    pub fn verify_detached(self, payload: Vec<u8>, key: &MacKey) -> Result<VerifiedMac0, CoseError> {
        self.0.expect_detached()?;
        self.check(payload, key)
    }

    fn check(self, payload: Vec<u8>, key: &MacKey) -> Result<VerifiedMac0, CoseError> {
        // The whole tag: `verify_slice` takes no shorter one.
        key.hmac(&structure(CONTEXT, &self.0.protected, &payload))?
            .verify_slice(&self.0.authenticator)
            .map_err(|_| CoseError::Mac)?;
        Ok(VerifiedMac0 {
            headers: self.0.headers,
            payload,
        })
    }
}

impl fmt::Debug for UnverifiedMac0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedMac0").finish_non_exhaustive()
    }
}

impl VerifiedMac0 {
    /// The headers, of which the tag covers the protected one.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The authenticated bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// An untagged `COSE_Mac0` with `payload` inside.
///
/// # Errors
/// [`CoseError::Mac`], which cannot occur: HMAC takes every key.
pub fn mac(protected: HeaderMap, unprotected: HeaderMap, payload: &[u8], key: &MacKey) -> Result<Vec<u8>, CoseError> {
    let protected = protected.with_algorithm(HMAC_SHA_256).into_protected();
    let tag = key.hmac(&structure(CONTEXT, &protected, payload))?.finalize();
    Ok(encode(&protected, unprotected, Some(payload), &tag.into_bytes()))
}

/// As [`mac`], with the payload beside the message.
///
/// # Errors
/// As [`mac`].
pub fn mac_detached(
    protected: HeaderMap,
    unprotected: HeaderMap,
    payload: &[u8],
    key: &MacKey,
) -> Result<Vec<u8>, CoseError> {
    let protected = protected.with_algorithm(HMAC_SHA_256).into_protected();
    let tag = key.hmac(&structure(CONTEXT, &protected, payload))?.finalize();
    Ok(encode(&protected, unprotected, None, &tag.into_bytes()))
}
