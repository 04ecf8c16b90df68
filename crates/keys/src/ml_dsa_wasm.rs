//! ML-DSA-44 in pure Rust, for WebAssembly.

use std::sync::Arc;

use ml_dsa::MlDsa44;
use ml_dsa::VerifyingKey;

use super::PUBLIC_KEY_BYTES;
use super::SIGNATURE_BYTES;
use crate::SignatureError;

pub(super) type ParsedKey = Arc<VerifyingKey<MlDsa44>>;

#[expect(clippy::unnecessary_wraps, reason = "the other library can refuse")]
pub(super) fn parse(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Option<ParsedKey> {
    Some(Arc::new(VerifyingKey::decode(bytes.into())))
}

pub(super) fn verify(key: &ParsedKey, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<(), SignatureError> {
    let signature = ml_dsa::Signature::<MlDsa44>::decode(signature.into()).ok_or(SignatureError)?;
    if key.verify_with_context(message, &[], &signature) {
        Ok(())
    } else {
        Err(SignatureError)
    }
}
