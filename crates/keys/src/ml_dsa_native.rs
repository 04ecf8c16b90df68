//! ML-DSA-44 with aws-lc-rs, which is there for ECDSA.

use std::sync::Arc;

use aws_lc_rs::signature::ML_DSA_44;
use aws_lc_rs::signature::ParsedPublicKey;

use super::PUBLIC_KEY_BYTES;
use super::SIGNATURE_BYTES;
use crate::SignatureError;

pub(super) type ParsedKey = Arc<ParsedPublicKey>;

pub(super) fn parse(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Option<ParsedKey> {
    ParsedPublicKey::new(&ML_DSA_44, bytes).ok().map(Arc::new)
}

pub(super) fn verify(key: &ParsedKey, message: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<(), SignatureError> {
    key.verify_sig(message, signature).map_err(|_| SignatureError)
}
