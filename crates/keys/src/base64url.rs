//! base64url without padding, as JOSE demands ([RFC 7515, section 2](https://www.rfc-editor.org/rfc/rfc7515#section-2)).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;

/// The peer sent text that is not canonical base64url.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected base64url without padding")]
pub struct Base64Error;

/// Encodes without padding.
#[must_use]
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes; padding, white space, other alphabets and non-zero trailing bits are refused, so that
/// one byte string has exactly one encoding.
///
/// # Errors
/// [`Base64Error`] for anything else than canonical base64url.
pub fn decode(text: &str) -> Result<Vec<u8>, Base64Error> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Base64Error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_encoding_is_read() {
        assert_eq!(decode("Zm8").unwrap(), b"fo");
        for bad in ["Zm8=", "Zm9", "Zm 8", "Zm8\n", "Z", "+/8"] {
            assert_eq!(decode(bad), Err(Base64Error), "{bad:?}");
        }
    }
}
