//! COSE messages and keys. What is signed verifies, whatever the payload; a key that is read is written and read again.

use keys::Algorithm;
use keys::PublicKey;
use keys::cbor;
use keys::cose;
use keys::cose::HeaderMap;
use keys::cose::MacKey;
use keys::cose::UnverifiedMac0;
use keys::cose::UnverifiedSign1;
use keys::json::DEFAULT_LIMITS;

use crate::issuer;

/// Larger than any input.
const MAX_BYTES: usize = 1 << 20;

/// Reads, verifies, and signs.
pub fn fuzz(data: &[u8]) {
    if let Ok(unverified) = UnverifiedSign1::parse(data, MAX_BYTES) {
        let _ = unverified.verify(issuer().public());
    }
    let key = MacKey::from_bytes(&[1; 32]).expect("a key of the right length");
    if let Ok(unverified) = UnverifiedMac0::parse(data, MAX_BYTES) {
        let _ = unverified.verify(&key);
    }
    if let Ok(value) = cbor::decode_foreign(data, DEFAULT_LIMITS)
        && let Ok(key) = PublicKey::from_cose_key(&value)
    {
        assert_eq!(PublicKey::from_cose_key(&key.to_cose_key()), Ok(key));
    }
    let headers = || (HeaderMap::new().with_key_id(*b"1"), HeaderMap::new());
    let (protected, unprotected) = headers();
    let signed = issuer().sign(cose::sign(protected, unprotected, data.to_vec(), Algorithm::EdDsa));
    let verified = UnverifiedSign1::parse(&signed, 2 * MAX_BYTES).and_then(|signed| signed.verify(issuer().public()));
    assert_eq!(verified.expect("a signature").payload(), data);
    let (protected, unprotected) = headers();
    let maced = cose::mac_detached(protected, unprotected, data, &key).expect("a MAC");
    let verified =
        UnverifiedMac0::parse(&maced, MAX_BYTES).and_then(|maced| maced.verify_detached(data.to_vec(), &key));
    assert!(verified.is_ok());
}
