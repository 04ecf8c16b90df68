//! What decodes, encodes to the same bytes: that is what "deterministic" means.

use keys::cbor;
use keys::json::DEFAULT_LIMITS;

/// Decodes and encodes.
pub fn fuzz(data: &[u8]) {
    if let Ok(value) = cbor::decode(data, DEFAULT_LIMITS) {
        assert_eq!(value.to_vec(), data);
    }
}
