//! P-256 verification in pure Rust, for WebAssembly.

use p256::ecdsa::Signature;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;

use super::SignatureError;

pub(super) type ParsedKey = VerifyingKey;

pub(super) fn parse(sec1: &[u8; 65]) -> Option<ParsedKey> {
    VerifyingKey::from_sec1_bytes(sec1).ok()
}

pub(super) fn verify(key: &ParsedKey, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
    let signature = Signature::from_slice(signature).map_err(|_| SignatureError)?;
    key.verify(message, &signature).map_err(|_| SignatureError)
}
