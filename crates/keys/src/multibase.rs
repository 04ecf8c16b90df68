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
    base58btc("z", bytes)
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
    base58btc("", bytes)
}

/// Base58btc behind `prefix`.
fn base58btc(prefix: &str, bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let bytes = bytes.get(zeros..).unwrap_or_default();
    let (first, words) = bytes.split_at(bytes.len() % 4);
    let mut groups = Vec::with_capacity(bytes.len() / 3 + 1);
    for word in std::iter::once(first).chain(words.chunks(4)) {
        let word = word.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        multiply_and_add::<GROUP>(&mut groups, 1 << 32, word);
    }
    let mut digits: Vec<u8> = Vec::with_capacity(GROUP_DIGITS * groups.len());
    for mut group in groups {
        for _ in 0..GROUP_DIGITS {
            digits.push(low_byte(group % 58));
            group /= 58;
        }
    }
    let leading = digits.iter().rev().take_while(|digit| **digit == 0).count();
    let mut text = Vec::with_capacity(prefix.len() + zeros + digits.len());
    text.extend_from_slice(prefix.as_bytes());
    text.resize(prefix.len() + zeros, b'1');
    text.extend(
        digits
            .iter()
            .rev()
            .skip(leading)
            .filter_map(|digit| ALPHABET.get(usize::from(*digit))),
    );
    // Nothing of it is beyond ASCII.
    String::from_utf8(text).unwrap_or_default()
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
    let characters = text.as_bytes().get(zeros..).unwrap_or_default();
    let (first, groups) = characters.split_at(characters.len() % GROUP_DIGITS);
    let mut words = Vec::with_capacity(characters.len() / GROUP_DIGITS + 1);
    for group in std::iter::once(first).chain(groups.chunks(GROUP_DIGITS)) {
        let group = group
            .iter()
            .try_fold(0, |group, character| Some(group * 58 + u64::from(digit(*character)?)));
        let group = group.ok_or(MultibaseError::Characters { base: 'z' })?;
        multiply_and_add::<{ 1 << 32 }>(&mut words, GROUP, group);
    }
    let mut decoded = vec![0; zeros];
    let bytes = words.iter().rev().flat_map(|word| word.to_be_bytes());
    decoded.extend(bytes.skip_while(|byte| *byte == 0));
    Ok(decoded)
}

/// As many digits of base 58 as fit into 32 bits, so that a number is converted in a twentieth of the steps.
const GROUP_DIGITS: usize = 5;

/// `58^5`
const GROUP: u64 = 656_356_768;

/// `number * factor + summand`, in digits of base `BASE`, the lowest first. Neither base nor factor is above 2^32, and one of
/// them is [`GROUP`], so nothing overflows.
fn multiply_and_add<const BASE: u64>(number: &mut Vec<u32>, factor: u64, summand: u64) {
    let mut carry = summand;
    for digit in number.iter_mut() {
        carry += u64::from(*digit) * factor;
        *digit = low_word(carry % BASE);
        carry /= BASE;
    }
    while carry > 0 {
        number.push(low_word(carry % BASE));
        carry /= BASE;
    }
}

/// The place of a character in [`ALPHABET`], which has neither `0`, `I`, `O` nor `l`.
const fn digit(character: u8) -> Option<u8> {
    Some(match character {
        b'1'..=b'9' => character - b'1',
        b'A'..=b'H' => character - b'A' + 9,
        b'J'..=b'N' => character - b'J' + 17,
        b'P'..=b'Z' => character - b'P' + 22,
        b'a'..=b'k' => character - b'a' + 33,
        b'm'..=b'z' => character - b'm' + 44,
        _ => return None,
    })
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

/// The callers have already reduced `value` below 2^32.
const fn low_word(value: u64) -> u32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn every_character_has_its_place() {
        for character in 0..=u8::MAX {
            let place = ALPHABET.iter().position(|known| *known == character);
            assert_eq!(digit(character).map(usize::from), place, "{character}");
        }
    }

    /// One digit after the other, as one would by hand.
    fn encode_slowly(bytes: &[u8]) -> String {
        let (mut number, mut text) = (bytes.to_vec(), Vec::new());
        while number.iter().any(|byte| *byte != 0) {
            let mut rest = 0_u32;
            for byte in &mut number {
                rest = rest << 8 | u32::from(*byte);
                *byte = low_byte(rest / 58);
                rest %= 58;
            }
            text.push(char::from(ALPHABET[usize::from(low_byte(rest))]));
        }
        text.extend(bytes.iter().take_while(|byte| **byte == 0).map(|_| '1'));
        text.iter().rev().collect()
    }

    proptest! {
        #[test]
        fn words_and_groups_are_converted_as_digits_are(
            zeros in 0_usize..6,
            bytes in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 0..140),
        ) {
            let bytes = [vec![0; zeros], bytes].concat();
            let encoded = base58btc_encode(&bytes);
            prop_assert_eq!(&encoded, &encode_slowly(&bytes));
            prop_assert_eq!(base58btc_decode(&encoded), Ok(bytes));
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
