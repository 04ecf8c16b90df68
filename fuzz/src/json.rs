//! Both readers of JSON read the same. Canonical JSON is read again as the same value, and stays as it is.

use keys::jcs;
use keys::json;
use keys::json::DEFAULT_LIMITS;

/// Parses, canonicalizes, and does both again.
pub fn fuzz(data: &[u8]) {
    let tree = json::Tree::parse(data, DEFAULT_LIMITS);
    let Ok(value) = json::parse(data, DEFAULT_LIMITS) else {
        assert!(tree.is_err(), "one reader refuses what the other accepts");
        return;
    };
    assert_eq!(tree.map(|tree| tree.root().to_value()).as_ref(), Ok(&value));
    let Ok(canonical) = jcs::canonicalize(&value) else {
        return;
    };
    // Numbers change their spelling (1.0 is 1), so the texts are compared and not the values.
    if let Ok(again) = json::parse(
        canonical.as_bytes(),
        json::Limits {
            max_bytes: usize::MAX,
            ..DEFAULT_LIMITS
        },
    ) {
        assert_eq!(jcs::canonicalize(&again).as_ref(), Ok(&canonical));
    } else {
        panic!("canonical JSON is not read");
    }
    let _ = keys::Jwk::from_value(&value).map(|jwk| keys::PublicKey::from_jwk(&jwk));
}
