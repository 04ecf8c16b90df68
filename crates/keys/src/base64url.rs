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

/// As [`decode`], for text that must hold exactly `N` bytes.
///
/// # Errors
/// [`Base64Error`], also for another number of bytes.
pub fn decode_array<const N: usize>(text: &str) -> Result<[u8; N], Base64Error> {
    let mut bytes = [0; N];
    match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
        Ok(length) if length == N => Ok(bytes),
        _ => Err(Base64Error),
    }
}

/// As [`decode`], into a buffer that is used again: what it held before is gone.
///
/// # Errors
/// [`Base64Error`] for anything else than canonical base64url.
pub fn decode_into(text: &str, bytes: &mut Vec<u8>) -> Result<(), Base64Error> {
    bytes.clear();
    URL_SAFE_NO_PAD.decode_vec(text, bytes).map_err(|_| Base64Error)
}

/// As [`encode`], into `text`; gives the number of bytes written, or `None` if they do not fit.
pub fn encode_into(bytes: &[u8], text: &mut [u8]) -> Option<usize> {
    URL_SAFE_NO_PAD.encode_slice(bytes, text).ok()
}

/// As [`encode`], behind what `text` has already.
pub fn append(bytes: &[u8], text: &mut String) {
    // What is short, as disclosures are, needs neither an allocation nor a large buffer.
    let mut short = [0; 256];
    match encode_into(bytes, &mut short).and_then(|length| std::str::from_utf8(short.get(..length)?).ok()) {
        Some(encoded) => text.push_str(encoded),
        None => URL_SAFE_NO_PAD.encode_string(bytes, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_encoding_is_read() {
        assert_eq!(decode("Zm8").unwrap(), b"fo");
        for bad in ["Zm8=", "Zm9", "Zm 8", "Zm8\n", "Z", "+/8"] {
            assert_eq!(decode(bad), Err(Base64Error), "{bad:?}");
            assert_eq!(decode_into(bad, &mut Vec::new()), Err(Base64Error), "{bad:?}");
            assert_eq!(decode_array::<2>(bad), Err(Base64Error), "{bad:?}");
        }
    }

    #[test]
    fn buffers_of_the_caller_are_filled() {
        assert_eq!(decode_array(&encode([7; 32])), Ok([7; 32]));
        for other in [31, 33, 64] {
            assert_eq!(decode_array::<32>(&encode(vec![7; other])), Err(Base64Error), "{other}");
        }
        let mut bytes = b"before".to_vec();
        decode_into("Zm8", &mut bytes).unwrap();
        assert_eq!(bytes, b"fo");
        let mut text = [0; 4];
        assert_eq!(encode_into(b"fo", &mut text), Some(3));
        assert_eq!(&text[..3], b"Zm8");
        assert_eq!(encode_into(b"foob", &mut text), None);
        let mut text = "before".to_owned();
        append(b"fo", &mut text);
        assert_eq!(text, "beforeZm8");
        for bytes in [vec![7; 192], vec![7; 193], vec![7; 5000]] {
            let mut text = "before".to_owned();
            append(&bytes, &mut text);
            assert_eq!(text, format!("before{}", encode(&bytes)));
        }
    }
}
