//! What decodes, encodes to the same bytes: that is what "deterministic" means. What somebody else's encoder may have
//! written has one deterministic encoding, and its parts put together are the whole.

use keys::cbor;
use keys::json::DEFAULT_LIMITS;

/// Decodes and encodes.
pub fn fuzz(data: &[u8]) {
    if let Ok(value) = cbor::decode(data, DEFAULT_LIMITS) {
        assert_eq!(value.to_vec(), data);
        assert_eq!(cbor::decode_foreign(data, DEFAULT_LIMITS), Ok(value));
    }
    if let Ok(value) = cbor::decode_foreign(data, DEFAULT_LIMITS) {
        let again = cbor::decode(&value.to_vec(), DEFAULT_LIMITS).expect("its own encoding");
        assert_eq!(again.to_vec(), value.to_vec());
        assert_eq!(cbor::items(data, DEFAULT_LIMITS).is_ok(), value.as_array().is_some());
        assert_eq!(cbor::entries(data, DEFAULT_LIMITS).is_ok(), value.as_map().is_some());
    }
    if let Ok(items) = cbor::items(data, DEFAULT_LIMITS) {
        let together = cbor::array_of_encoded(&items);
        // The head of a foreign array may be longer than ours.
        assert!(data.ends_with(items.concat().as_slice()) && together.len() <= data.len());
    }
}
