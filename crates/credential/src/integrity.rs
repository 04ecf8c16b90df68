//! Integrity metadata: what a referenced document must hash to. Written as
//! [SRI](https://www.w3.org/TR/sri/#integrity-metadata) (`sha256-<base64>`, several separated by spaces) in `vct#integrity`
//! ([integrity of referenced documents](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-integrity-of-referenced-doc))
//! and `digestSRI`, or as a multihash in `digestMultibase`
//! ([resource integrity](https://www.w3.org/TR/vc-data-integrity/#resource-integrity)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::multibase;
use thiserror::Error;

/// The document is not the one that was meant, or the integrity metadata cannot be used.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum IntegrityError {
    /// Another document: whoever served it is at fault.
    #[error("expected the document that the integrity metadata names, found another")]
    Mismatch,
    /// No hash that we know: the author of the metadata is at fault.
    #[error("expected integrity metadata with sha256, sha384 or sha512, found none of them")]
    Unsupported,
}

/// What a document must hash to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    hash: Hash,
    value: Vec<u8>,
}

/// The hash functions, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// Integrity metadata of `document` with SHA-256.
#[must_use]
pub fn compute(document: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(keys::sha256(document)))
}

/// Checks a document's bytes, exactly as retrieved, against SRI metadata. Of several hashes only the strongest counts;
/// those that we do not know are passed over, as SRI says.
///
/// # Errors
/// [`IntegrityError`], after which the document must not be processed.
pub fn check(document: &[u8], metadata: &str) -> Result<(), IntegrityError> {
    let expressions = metadata.split_ascii_whitespace();
    let digests: Vec<Digest> = expressions.filter_map(Digest::read_expression).collect();
    check_any(document, &digests)
}

/// Checks a document's bytes, exactly as retrieved: one of the digests with the strongest of the hashes must be theirs
/// ([get the strongest metadata](https://www.w3.org/TR/sri/#get-the-strongest-metadata-from-set)).
///
/// # Errors
/// [`IntegrityError`], after which the document must not be processed.
pub fn check_any(document: &[u8], digests: &[Digest]) -> Result<(), IntegrityError> {
    let strongest = digests.iter().map(|digest| digest.hash).max();
    let hash = strongest.ok_or(IntegrityError::Unsupported)?;
    let found = Digest {
        hash,
        value: hash.digest(document),
    };
    if digests.contains(&found) {
        Ok(())
    } else {
        Err(IntegrityError::Mismatch)
    }
}

impl Digest {
    /// Reads one [`hash-expression`](https://www.w3.org/TR/sri/#the-integrity-attribute); `None` for another form, hash or
    /// length.
    #[must_use]
    pub fn from_hash_expression(text: &str) -> Option<Self> {
        Self::read_expression(text).filter(|digest| digest.value.len() == digest.hash.len())
    }

    /// Reads a multibase multihash; `None` for another form, hash or length.
    ///
    /// A bare SHA-256 value is read as well: the example of the VC Data Model 2.0 and its test suite have no multihash
    /// header, and no multihash that we know is 32 bytes long.
    #[must_use]
    pub fn from_multibase(text: &str) -> Option<Self> {
        let bytes = multibase::decode(text).ok()?;
        if bytes.len() == Hash::Sha256.len() {
            return Some(Self {
                hash: Hash::Sha256,
                value: bytes,
            });
        }
        Hash::ALL.into_iter().find_map(|hash| {
            let value = bytes.strip_prefix(&hash.multihash_header())?;
            (value.len() == hash.len()).then(|| Self {
                hash,
                value: value.to_vec(),
            })
        })
    }

    /// A value that is not base64 is one that no document has. Options behind a question mark are reserved by SRI and
    /// have no meaning yet.
    fn read_expression(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('-')?;
        let hash = Hash::ALL.into_iter().find(|hash| hash.name() == name)?;
        let value = rest.split('?').next().unwrap_or_default();
        Some(Self {
            hash,
            value: STANDARD.decode(value).unwrap_or_default(),
        })
    }
}

impl Hash {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Code and length of a [multihash](https://www.w3.org/TR/cid-1.0/#multihash).
    const fn multihash_header(self) -> [u8; 2] {
        match self {
            Self::Sha256 => [0x12, 32],
            Self::Sha384 => [0x20, 48],
            Self::Sha512 => [0x13, 64],
        }
    }

    fn digest(self, document: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => keys::sha256(document).to_vec(),
            Self::Sha384 => keys::sha384(document).to_vec(),
            Self::Sha512 => keys::sha512(document).to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA384: &str = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO";

    /// The SHA-384 value is that of the SRI specification's own example script.
    #[test]
    fn the_example_of_sri() {
        let script = b"alert('Hello, world.');";
        assert_eq!(check(script, SHA384), Ok(()));
        assert_eq!(check(script, &compute(script)), Ok(()));
        assert_eq!(check(b"alert('Hello, world!');", SHA384), Err(IntegrityError::Mismatch));
    }

    #[test]
    fn the_strongest_hash_counts_and_any_of_several_values() {
        let script = b"alert('Hello, world.');";
        let wrong = compute(b"other");
        assert_eq!(check(script, &format!("{wrong} {}", compute(script))), Ok(()));
        assert_eq!(check(script, &format!("{wrong} {SHA384}")), Ok(()));
        let wrong384 = SHA384.replace("H8BR", "H8BS");
        assert_eq!(
            check(script, &format!("{} {wrong384}", compute(script))),
            Err(IntegrityError::Mismatch)
        );
        assert_eq!(check(script, &format!("{SHA384}?reserved")), Ok(()));
    }

    #[test]
    fn unknown_hashes_are_refused() {
        for metadata in ["", "md5-XrY7u+Ae7tCTyyK7j1rNww==", "sha256", "SHA256-abc"] {
            assert_eq!(check(b"", metadata), Err(IntegrityError::Unsupported), "{metadata}");
        }
        assert_eq!(check(b"", "sha256-*"), Err(IntegrityError::Mismatch));
    }

    /// The value of the VC Data Integrity text is of no document that we have, so the digests are our own.
    #[test]
    fn multihashes_are_read() {
        let document = b"document";
        for hash in Hash::ALL {
            let multihash = [hash.multihash_header().as_slice(), &hash.digest(document)].concat();
            for text in [
                multibase::encode_base58btc(&multihash),
                format!("u{}", keys::base64url::encode(&multihash)),
            ] {
                let digest = Digest::from_multibase(&text).unwrap();
                assert_eq!(check_any(document, std::slice::from_ref(&digest)), Ok(()));
                assert_eq!(check_any(b"other", &[digest]), Err(IntegrityError::Mismatch));
            }
            // Cut short, or of another length than the header says.
            for bad in [&multihash[..multihash.len() - 1], &multihash[1..], &[]] {
                let text = multibase::encode_base58btc(bad);
                assert_eq!(Digest::from_multibase(&text), None, "{text}");
            }
        }
        assert!(Digest::from_multibase("zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n").is_some());
        assert!(Digest::from_multibase("QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n").is_none());
    }

    #[test]
    fn hash_expressions_are_read_strictly() {
        assert!(Digest::from_hash_expression(SHA384).is_some());
        for bad in [
            "",
            "sha384",
            "sha384-",
            "sha384-AAAA",
            "sha1-AAAA",
            "sha512-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO",
        ] {
            assert_eq!(Digest::from_hash_expression(bad), None, "{bad}");
        }
    }
}
