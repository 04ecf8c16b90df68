//! Multibase, base58btc and multihash, as far as DIDs and Data Integrity use them
//! ([Controlled Identifiers, Multibase](https://www.w3.org/TR/cid-1.0/#multibase-0)).

use thiserror::Error;

use crate::base64url;

/// Decoding base58 costs the square of its length, so only key-, hash- and signature-sized texts are read.
const MAX_BASE58_CHARS: usize = 512;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// The peer sent text in another encoding than it declares.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MultibaseError {
    /// The text has a character outside the alphabet, or non-canonical bits.
    #[error("expected multibase text of base `{base}`, found other characters")]
    Characters {
        /// The multibase prefix that the text declares.
        base: char,
    },
    /// The text is empty or declares another base.
    #[error("expected multibase prefix `z` (base58btc) or `u` (base64url), found {found:?}")]
    Prefix {
        /// The first character, if there is one.
        found: Option<char>,
    },
    /// The text is longer than any key, hash or signature.
    #[error("expected at most {MAX_BASE58_CHARS} base58 characters, found {found}")]
    TooLong {
        /// Its length.
        found: usize,
    },
}

/// Base58btc with the multibase prefix `z`.
#[must_use]
pub fn encode_base58btc(bytes: &[u8]) -> String {
    format!("z{}", base58btc_encode(bytes))
}

/// Decodes a multibase text of base58btc (`z`) or base64url without padding (`u`).
///
/// # Errors
/// [`MultibaseError`] for other bases and characters.
pub fn decode(text: &str) -> Result<Vec<u8>, MultibaseError> {
    if let Some(rest) = text.strip_prefix('z') {
        base58btc_decode(rest)
    } else if let Some(rest) = text.strip_prefix('u') {
        base64url::decode(rest).map_err(|_| MultibaseError::Characters { base: 'u' })
    } else {
        Err(MultibaseError::Prefix {
            found: text.chars().next(),
        })
    }
}

/// Bare base58btc, as did:webvh writes its SCID and hashes.
#[must_use]
pub fn base58btc_encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    // Little-endian base-58 digits; each input byte multiplies by 256 and carries.
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 138 / 100 + 1);
    for byte in bytes.iter().skip(zeros) {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = low_byte(carry % 58);
            carry /= 58;
        }
        while carry > 0 {
            digits.push(low_byte(carry % 58));
            carry /= 58;
        }
    }
    let leading = std::iter::repeat_n('1', zeros);
    leading
        .chain(
            digits
                .iter()
                .rev()
                .filter_map(|digit| ALPHABET.get(usize::from(*digit)).map(|c| char::from(*c))),
        )
        .collect()
}

/// Decodes bare base58btc.
///
/// # Errors
/// [`MultibaseError`] for characters outside the alphabet and for texts over the length limit.
pub fn base58btc_decode(text: &str) -> Result<Vec<u8>, MultibaseError> {
    if text.len() > MAX_BASE58_CHARS {
        return Err(MultibaseError::TooLong { found: text.len() });
    }
    let zeros = text.bytes().take_while(|byte| *byte == b'1').count();
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    for character in text.bytes().skip(zeros) {
        let position = ALPHABET
            .iter()
            .position(|known| *known == character)
            .ok_or(MultibaseError::Characters { base: 'z' })?;
        // The alphabet has 58 characters.
        let mut carry = u32::try_from(position).unwrap_or(0);
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = low_byte(carry & 0xff);
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(low_byte(carry & 0xff));
            carry >>= 8;
        }
    }
    let mut decoded = vec![0; zeros];
    decoded.extend(bytes.iter().rev());
    Ok(decoded)
}

/// A multihash of `bytes` with SHA-256: code `0x12`, length `0x20`, digest.
#[must_use]
pub fn sha256_multihash(bytes: &[u8]) -> Vec<u8> {
    let mut multihash = vec![0x12, 0x20];
    multihash.extend(crate::sha256(bytes));
    multihash
}

/// The callers have already reduced `value` below 256.
const fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of draft-msporny-base58.
    #[test]
    fn base58_vectors() {
        for (plain, encoded) in [
            (b"Hello World!".as_slice(), "2NEpo7TZRRrLZSi2U"),
            (
                b"The quick brown fox jumps over the lazy dog.",
                "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
            ),
            (&[0x00, 0x00, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
            (b"", ""),
        ] {
            assert_eq!(base58btc_encode(plain), encoded);
            assert_eq!(base58btc_decode(encoded).unwrap(), plain);
        }
    }

    #[test]
    fn other_characters_bases_and_lengths_are_refused() {
        assert_eq!(base58btc_decode("0OIl"), Err(MultibaseError::Characters { base: 'z' }));
        assert_eq!(decode("f00"), Err(MultibaseError::Prefix { found: Some('f') }));
        assert_eq!(decode(""), Err(MultibaseError::Prefix { found: None }));
        assert!(matches!(
            decode(&format!("z{}", "1".repeat(600))),
            Err(MultibaseError::TooLong { .. })
        ));
    }
}
