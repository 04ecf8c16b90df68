//! P-256 in pure Rust, for WebAssembly.

use p256::ecdsa::Signature;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::Verifier as _;

use super::SignatureError;

pub(super) type ParsedKey = VerifyingKey;

pub(crate) type SigningKey = p256::ecdsa::SigningKey;

pub(super) fn parse(sec1: &[u8; 65]) -> Option<ParsedKey> {
    VerifyingKey::from_sec1_bytes(sec1).ok()
}

pub(super) fn verify(key: &ParsedKey, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
    key.verify(message, &signature).map_err(|_| SignatureError)
}

pub(crate) fn signing_key(secret: &p256::SecretKey, _public_sec1: &[u8]) -> Option<SigningKey> {
    Some(SigningKey::from(secret))
}

/// With the deterministic nonce of RFC 6979.
pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> Option<[u8; 64]> {
    let signature: Signature = key.try_sign(message).ok()?;
    Some(signature.to_bytes().into())
}
