//! The hash function of an SD-JWT ([RFC 9901, hash function claim](https://www.rfc-editor.org/rfc/rfc9901#name-hash-function-claim)).

use keys::base64url;

/// A hash that `_sd_alg` may name. SHA-256 is what we issue with and what everyone must read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashAlgorithm {
    /// `sha-256`.
    #[default]
    Sha256,
    /// `sha-384`.
    Sha384,
    /// `sha-512`.
    Sha512,
}

impl HashAlgorithm {
    /// The name in the IANA "Named Information Hash Algorithm" registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    /// The algorithm of that name; names are case-sensitive, and weak or truncated ones are not known here.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }

    /// The digest of `text` in base64url, as it stands in `_sd`, `...` and `sd_hash`.
    pub(crate) fn digest(self, text: &str) -> Digest {
        match self {
            Self::Sha256 => Digest::encode(&keys::sha256(text.as_bytes())),
            Self::Sha384 => Digest::encode(&keys::sha384(text.as_bytes())),
            Self::Sha512 => Digest::encode(&keys::sha512(text.as_bytes())),
        }
    }
}

/// A digest in base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest {
    text: [u8; MAX_DIGEST_TEXT],
    length: usize,
}

/// The 64 bytes of SHA-512 in base64url.
const MAX_DIGEST_TEXT: usize = 86;

impl Digest {
    pub(crate) fn encode(hash: &[u8]) -> Self {
        let mut text = [0; MAX_DIGEST_TEXT];
        // No hash is longer than that of SHA-512, so it always fits.
        let length = base64url::encode_into(hash, &mut text).unwrap_or_default();
        Self { text, length }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.length).unwrap_or_default()
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9901, "Hashing Disclosures".
    #[test]
    fn the_digest_is_over_the_encoded_text() {
        let disclosure = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0";
        assert_eq!(
            HashAlgorithm::Sha256.digest(disclosure).as_str(),
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
        );
    }

    #[test]
    fn names_are_case_sensitive_and_digests_have_their_length() {
        for (algorithm, bytes) in [
            (HashAlgorithm::Sha256, 32),
            (HashAlgorithm::Sha384, 48),
            (HashAlgorithm::Sha512, 64),
        ] {
            assert_eq!(HashAlgorithm::from_name(algorithm.name()), Some(algorithm));
            assert_eq!(base64url::decode(algorithm.digest("").as_str()).unwrap().len(), bytes);
        }
        for unknown in ["SHA-256", "sha-256-128", "sha-1", ""] {
            assert_eq!(HashAlgorithm::from_name(unknown), None, "{unknown}");
        }
    }
}
