//! Labels for blank nodes that tell nothing of the document they are in.

use keys::base64url;

/// A key for the labels of one document. Who knows it knows which canonical labels they stand for, and so
/// something of what was not revealed; it goes from the issuer to the holder and no further.
pub(in super::super) type HmacKey = [u8; 32];

/// For each canonical number its HMAC: `u` and base64url
/// ([createHmacIdLabelMapFunction](https://www.w3.org/TR/vc-di-ecdsa/#createhmacidlabelmapfunction)).
pub(in super::super) fn hmac(key: &HmacKey, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| {
            let digest = keys::hmac_sha256(key, format!("c14n{number}").as_bytes());
            from_digest(&digest)
        })
        .collect()
}

/// The label of a digest.
pub(in super::super) fn from_digest(digest: &[u8; 32]) -> String {
    format!("u{}", base64url::encode(digest))
}

/// The digest of a label; none for a label of another kind.
pub(in super::super) fn digest(label: &str) -> Option<Vec<u8>> {
    base64url::decode(label.strip_prefix('u')?).ok()
}

/// For each canonical number `b` and the position of its HMAC among all, sorted
/// ([createShuffledIdLabelMapFunction](https://www.w3.org/TR/vc-di-bbs/#createshuffledidlabelmapfunction)).
pub(in super::super) fn shuffled(key: &HmacKey, count: usize) -> Vec<String> {
    let digests = hmac(key, count);
    let mut sorted = digests.clone();
    sorted.sort_unstable();
    let position = |digest: &String| sorted.binary_search(digest).unwrap_or_default();
    digests.iter().map(|digest| format!("b{}", position(digest))).collect()
}
