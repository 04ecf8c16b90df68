//! ECDSA in pure Rust, for WebAssembly.

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::Verifier as _;

use super::EcCurve;
use super::SignatureError;

#[derive(Clone)]
pub(super) enum ParsedKey {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// A private P-256 key.
pub(crate) type SigningKey = p256::ecdsa::SigningKey;

/// A key from uncompressed SEC1; `None` for a point off the curve.
pub(super) fn parse(curve: EcCurve, sec1: &[u8]) -> Option<ParsedKey> {
    match curve {
        EcCurve::P256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(sec1)
            .ok()
            .map(ParsedKey::P256),
        EcCurve::P384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(sec1)
            .ok()
            .map(ParsedKey::P384),
        EcCurve::P521 => p521::ecdsa::VerifyingKey::from_sec1_bytes(sec1)
            .ok()
            .map(ParsedKey::P521),
    }
}

pub(super) fn verify(key: &ParsedKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    match key {
        ParsedKey::P256(key) => {
            p256::ecdsa::Signature::from_slice(signature).and_then(|signature| key.verify(message, &signature))
        }
        ParsedKey::P384(key) => {
            p384::ecdsa::Signature::from_slice(signature).and_then(|signature| key.verify(message, &signature))
        }
        ParsedKey::P521(key) => {
            p521::ecdsa::Signature::from_slice(signature).and_then(|signature| key.verify(message, &signature))
        }
    }
    .map_err(|_| SignatureError)
}

pub(crate) fn signing_key(secret: &p256::SecretKey, _public_sec1: &[u8]) -> Option<SigningKey> {
    Some(SigningKey::from(secret))
}

/// With the deterministic nonce of RFC 6979.
pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> Option<[u8; 64]> {
    let signature: p256::ecdsa::Signature = key.try_sign(message).ok()?;
    Some(signature.to_bytes().into())
}
