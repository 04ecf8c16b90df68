//! Decoders that accept one text for each value give that text back.

use keys::PublicKey;
use keys::Timestamp;
use keys::base64url;
use keys::multibase;

use crate::text;

/// Decodes and encodes.
pub fn fuzz(data: &[u8]) {
    assert_eq!(base64url::decode(&base64url::encode(data)).as_deref(), Ok(data));
    let few = &data[..data.len().min(64)];
    assert_eq!(multibase::decode(&multibase::encode_base58btc(few)).as_deref(), Ok(few));
    let _ = PublicKey::from_p256_sec1(data);
    let Some(text) = text(data) else { return };
    if let Ok(bytes) = base64url::decode(text) {
        assert_eq!(base64url::encode(bytes), text);
    }
    if let Ok(bytes) = multibase::decode(text)
        && text.starts_with('z')
    {
        assert_eq!(multibase::encode_base58btc(&bytes), text);
    }
    if let Ok(key) = PublicKey::from_multikey(text) {
        assert_eq!(key.to_multikey(), text);
        assert_eq!(PublicKey::from_jwk(&key.to_jwk()), Ok(key));
    }
    if let Ok(time) = Timestamp::parse_rfc3339(text) {
        assert_eq!(Timestamp::parse_rfc3339(&time.to_rfc3339()), Ok(time));
    }
}
