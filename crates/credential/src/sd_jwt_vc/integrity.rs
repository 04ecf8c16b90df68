//! Integrity metadata such as `vct#integrity`
//! ([integrity of referenced documents](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-integrity-of-referenced-doc),
//! syntax of [SRI](https://www.w3.org/TR/sri/#integrity-metadata)): `sha256-<base64>`, several separated by spaces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use sha2::Sha256;
use sha2::Sha384;
use sha2::Sha512;
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

/// Integrity metadata of `document` with SHA-256.
#[must_use]
pub fn compute(document: &[u8]) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(document)))
}

/// Checks a document's bytes, exactly as retrieved. Of several hashes only the strongest counts.
///
/// # Errors
/// [`IntegrityError`], after which the document must not be processed.
pub fn check(document: &[u8], metadata: &str) -> Result<(), IntegrityError> {
    // Options behind a question mark are reserved by SRI and have no meaning yet.
    let digests = |algorithm: &str| -> Vec<Vec<u8>> {
        let expressions = metadata
            .split_ascii_whitespace()
            .filter_map(|expression| expression.split_once('-'));
        let encoded = expressions
            .filter(|(name, _)| *name == algorithm)
            .map(|(_, rest)| rest.split('?').next());
        encoded
            .map(|digest| STANDARD.decode(digest.unwrap_or_default()).unwrap_or_default())
            .collect()
    };
    let strongest_first: [(&str, &dyn Fn() -> Vec<u8>); 3] = [
        ("sha512", &|| Sha512::digest(document).to_vec()),
        ("sha384", &|| Sha384::digest(document).to_vec()),
        ("sha256", &|| Sha256::digest(document).to_vec()),
    ];
    for (algorithm, digest) in strongest_first {
        let expected = digests(algorithm);
        if expected.is_empty() {
            continue;
        }
        return if expected.contains(&digest()) {
            Ok(())
        } else {
            Err(IntegrityError::Mismatch)
        };
    }
    Err(IntegrityError::Unsupported)
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
}
