//! Compact JWE with direct key agreement: `ECDH-ES` on P-256, `A128GCM` or `A256GCM`
//! ([RFC 7516](https://www.rfc-editor.org/rfc/rfc7516),
//! [RFC 7518 section 4.6](https://www.rfc-editor.org/rfc/rfc7518#section-4.6)).
//!
//! This is what OpenID4VP and OpenID4VCI encrypt responses with. In scope: one recipient, a fresh
//! ephemeral key per message. Out of scope: key wrapping, compression (`zip` is refused, it leaks
//! lengths), RSA and CBC content encryption; every other algorithm is refused by name.
//!
//! A JWE says nothing about its sender. Who sent it must follow from what is inside.

use std::fmt;

use aes_gcm::Aes128Gcm;
use aes_gcm::Aes256Gcm;
use aes_gcm::KeyInit;
use aes_gcm::aead::Aead;
use aes_gcm::aead::Payload;
use p256::elliptic_curve::Generate as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use sha2::Digest as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::Jwk;
use crate::base64url;
use crate::json;

/// Header, apu and apv of real messages stay below 1 KiB; a header is parsed before anything proves
/// that its sender knows the recipient's key.
const MAX_HEADER_BYTES: usize = 4096;

/// The header holds `epk`, one level below the top.
const HEADER_LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_HEADER_BYTES,
    max_depth: 4,
};

const KEY_AGREEMENT: &str = "ECDH-ES";
const COORDINATE_BYTES: usize = 32;
/// [RFC 7518 section 5.3](https://www.rfc-editor.org/rfc/rfc7518#section-5.3).
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;

/// The `enc` of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentEncryption {
    /// AES-GCM with a 128-bit key.
    A128Gcm,
    /// AES-GCM with a 256-bit key.
    A256Gcm,
}

impl ContentEncryption {
    /// The value of `enc`.
    #[must_use]
    pub const fn jose_name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The encryption of an `enc` header; `None` for what we do not implement.
    #[must_use]
    pub fn from_jose_name(name: &str) -> Option<Self> {
        match name {
            "A128GCM" => Some(Self::A128Gcm),
            "A256GCM" => Some(Self::A256Gcm),
            _ => None,
        }
    }

    const fn key_bytes(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}

/// What the sender adds to the protected header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderHeader {
    /// `kid`: which of the recipient's keys is meant. Without it, the `kid` of the recipient's JWK.
    pub kid: Option<String>,
    /// `apu`, before base64url: information about the sender that enters the key derivation.
    pub apu: Option<Vec<u8>>,
    /// `apv`, before base64url: information about the recipient that enters the key derivation.
    pub apv: Option<Vec<u8>>,
}

/// Why a message was not encrypted or not decrypted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum JweError {
    /// The header names another key agreement or content encryption: the peer's fault, or ours if
    /// the metadata promised it.
    #[error("expected `{member}` {expected}, found another value")]
    Algorithm {
        /// `alg` or `enc`.
        member: &'static str,
        /// What we implement.
        expected: &'static str,
    },
    /// The ciphertext was changed, or made for another key.
    #[error("the message does not decrypt with this key")]
    Decryption,
    /// The plaintext cannot be encrypted: the caller's fault, it is beyond 2^36 bytes.
    #[error("the plaintext is too long for one AES-GCM message")]
    Encryption,
    /// A header member that must be understood, and is not.
    #[error("expected no `{member}` in the header, found one")]
    ForbiddenMember {
        /// `crit` or `zip`.
        member: &'static str,
    },
    /// The `epk` of the header or the key of the recipient is not a point of P-256.
    #[error("expected a P-256 public key in {place}")]
    Key {
        /// `epk` or the recipient's JWK.
        place: &'static str,
    },
    /// Not five parts of canonical base64url, or parts of other lengths.
    #[error("expected {expected} in the compact serialization")]
    Malformed {
        /// The part and its form.
        expected: &'static str,
    },
    /// A private key that is not a number of the curve: the environment's fault, stored bytes rot.
    #[error("expected 32 bytes of a P-256 private key")]
    PrivateKey,
    /// The message is longer than its place allows.
    #[error("expected at most {limit} bytes of JWE, found {found}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// The length found.
        found: usize,
    },
}

/// A private P-256 key that messages are encrypted to. Zeroized when dropped.
///
/// It decrypts and does nothing else, which is why it may live in a pure crate: a verifier makes
/// one for each request and forgets it with the response.
#[derive(Clone)]
pub struct DecryptionKey(p256::SecretKey);

impl DecryptionKey {
    /// A fresh key.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self(p256::SecretKey::generate_from_rng(rng))
    }

    /// A key from its 32 bytes, as [`DecryptionKey::to_bytes`] gave them.
    ///
    /// # Errors
    /// [`JweError::PrivateKey`] for zero and for numbers beyond the order of the curve.
    pub fn from_bytes(bytes: &[u8; COORDINATE_BYTES]) -> Result<Self, JweError> {
        p256::SecretKey::from_slice(bytes)
            .map(Self)
            .map_err(|_| JweError::PrivateKey)
    }

    /// The private number, big endian, for storage between request and response.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; COORDINATE_BYTES]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public half, without `kid`, `use` and `alg`: those are the metadata's to say.
    #[must_use]
    pub fn public_jwk(&self) -> Jwk {
        public_jwk(&self.0.public_key())
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").finish_non_exhaustive()
    }
}

/// Encrypts `plaintext` to the P-256 key `recipient` and gives the compact serialization.
///
/// # Errors
/// [`JweError::Key`] when the recipient's JWK is not a P-256 key (the peer's fault: it published it),
/// [`JweError::Encryption`] when the plaintext is too long.
pub fn encrypt(
    plaintext: &[u8],
    recipient: &Jwk,
    enc: ContentEncryption,
    header: &SenderHeader,
    rng: &mut dyn CryptoRng,
) -> Result<String, JweError> {
    let recipient_key = public_key(recipient, "the recipient's JWK")?;
    let ephemeral = p256::SecretKey::generate_from_rng(rng);
    let protected = protected_header(&ephemeral, recipient, enc, header);
    let content_key = derive_key(
        &ephemeral,
        &recipient_key,
        enc,
        header.apu.as_deref().unwrap_or_default(),
        header.apv.as_deref().unwrap_or_default(),
    );
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let sealed = seal(enc, &content_key, &nonce, plaintext, protected.as_bytes())?;
    // AES-GCM appends the tag; JOSE wants it as a part of its own.
    let (ciphertext, tag) = sealed
        .split_at_checked(sealed.len().saturating_sub(TAG_BYTES))
        .ok_or(JweError::Encryption)?;
    Ok(format!(
        "{protected}..{}.{}.{}",
        base64url::encode(nonce),
        base64url::encode(ciphertext),
        base64url::encode(tag)
    ))
}

/// Decrypts a compact JWE of at most `max_bytes` characters.
///
/// # Errors
/// [`JweError`], the sender's fault. Nothing about the plaintext is told unless the tag is right.
pub fn decrypt(jwe: &str, key: &DecryptionKey, max_bytes: usize) -> Result<Vec<u8>, JweError> {
    let compact = Compact::parse(jwe, max_bytes)?;
    let header = &compact.header;
    check_text(header, "alg", KEY_AGREEMENT)?;
    let enc = header
        .get("enc")
        .and_then(Value::as_str)
        .and_then(ContentEncryption::from_jose_name)
        .ok_or(JweError::Algorithm {
            member: "enc",
            expected: "A128GCM or A256GCM",
        })?;
    let epk = header
        .get("epk")
        .and_then(|epk| Jwk::from_value(epk).ok())
        .ok_or(JweError::Key { place: "epk" })?;
    let ephemeral = public_key(&epk, "epk")?;
    let content_key = derive_key(
        &key.0,
        &ephemeral,
        enc,
        &party_info(header, "apu")?,
        &party_info(header, "apv")?,
    );
    open(enc, &content_key, &compact)
}

/// The `kid` of a message, to find the key for [`decrypt`]. Nothing vouches for it.
///
/// # Errors
/// [`JweError`], the sender's fault.
pub fn key_id(jwe: &str, max_bytes: usize) -> Result<Option<String>, JweError> {
    let compact = Compact::parse(jwe, max_bytes)?;
    Ok(compact.header.get("kid").and_then(Value::as_str).map(str::to_owned))
}

struct Compact<'a> {
    /// The first part as received: it is the additional data of the encryption.
    protected: &'a str,
    header: Map<String, Value>,
    nonce: [u8; NONCE_BYTES],
    /// Ciphertext and tag, as AES-GCM wants them.
    sealed: Vec<u8>,
}

impl<'a> Compact<'a> {
    fn parse(jwe: &'a str, max_bytes: usize) -> Result<Self, JweError> {
        if jwe.len() > max_bytes {
            return Err(JweError::TooLarge {
                limit: max_bytes,
                found: jwe.len(),
            });
        }
        let mut parts = jwe.split('.');
        let five = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        let (
            [
                Some(protected),
                Some(encrypted_key),
                Some(nonce),
                Some(ciphertext),
                Some(tag),
            ],
            None,
        ) = (five, parts.next())
        else {
            return Err(JweError::Malformed { expected: "five parts" });
        };
        if !encrypted_key.is_empty() {
            return Err(JweError::Malformed {
                expected: "an empty encrypted key",
            });
        }
        let header = parse_header(protected)?;
        let nonce = decode_part(nonce, "12 bytes of nonce")?;
        let nonce = nonce.try_into().map_err(|_| JweError::Malformed {
            expected: "12 bytes of nonce",
        })?;
        let mut sealed = decode_part(ciphertext, "base64url ciphertext")?;
        let tag = decode_part(tag, "16 bytes of tag")?;
        if tag.len() != TAG_BYTES {
            return Err(JweError::Malformed {
                expected: "16 bytes of tag",
            });
        }
        sealed.extend(tag);
        Ok(Self {
            protected,
            header,
            nonce,
            sealed,
        })
    }
}

fn parse_header(protected: &str) -> Result<Map<String, Value>, JweError> {
    const EXPECTED: JweError = JweError::Malformed {
        expected: "a JSON object of at most 4096 bytes as header",
    };
    if protected.len() > MAX_HEADER_BYTES {
        return Err(EXPECTED);
    }
    let bytes = base64url::decode(protected).map_err(|_| EXPECTED)?;
    let header = json::parse_object(&bytes, HEADER_LIMITS).map_err(|_| EXPECTED)?;
    // RFC 7516 section 4.1.13: what is named in `crit` must be understood, and we have no extension.
    for member in ["crit", "zip"] {
        if header.contains_key(member) {
            return Err(JweError::ForbiddenMember { member });
        }
    }
    Ok(header)
}

fn decode_part(part: &str, expected: &'static str) -> Result<Vec<u8>, JweError> {
    base64url::decode(part).map_err(|_| JweError::Malformed { expected })
}

fn check_text(header: &Map<String, Value>, member: &'static str, expected: &'static str) -> Result<(), JweError> {
    match header.get(member).and_then(Value::as_str) {
        Some(found) if found == expected => Ok(()),
        _ => Err(JweError::Algorithm { member, expected }),
    }
}

/// `apu` or `apv`: absent is the same as empty (RFC 7518 section 4.6.2).
fn party_info(header: &Map<String, Value>, member: &str) -> Result<Vec<u8>, JweError> {
    const EXPECTED: &str = "base64url in `apu` and `apv`";
    match header.get(member) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => decode_part(text, EXPECTED),
        Some(_) => Err(JweError::Malformed { expected: EXPECTED }),
    }
}

fn protected_header(
    ephemeral: &p256::SecretKey,
    recipient: &Jwk,
    enc: ContentEncryption,
    sender: &SenderHeader,
) -> String {
    let mut header = Map::new();
    header.insert("alg".to_owned(), KEY_AGREEMENT.into());
    header.insert("enc".to_owned(), enc.jose_name().into());
    header.insert("epk".to_owned(), public_jwk(&ephemeral.public_key()).to_value());
    if let Some(kid) = sender.kid.as_ref().or(recipient.kid.as_ref()) {
        header.insert("kid".to_owned(), kid.as_str().into());
    }
    for (member, info) in [("apu", &sender.apu), ("apv", &sender.apv)] {
        if let Some(info) = info {
            header.insert(member.to_owned(), base64url::encode(info).into());
        }
    }
    base64url::encode(Value::Object(header).to_string())
}

fn public_jwk(key: &p256::PublicKey) -> Jwk {
    let point = key.to_sec1_point(false);
    Jwk::from_coordinates(
        "EC",
        "P-256",
        point.x().map(AsRef::as_ref).unwrap_or_default(),
        point.y().map(AsRef::as_ref),
    )
}

/// Also proves that the point is on the curve, without which key agreement leaks the private key.
fn public_key(jwk: &Jwk, place: &'static str) -> Result<p256::PublicKey, JweError> {
    let coordinate = |text: &str| -> Option<[u8; COORDINATE_BYTES]> { base64url::decode(text).ok()?.try_into().ok() };
    let point = || {
        if jwk.kty != "EC" || jwk.crv != "P-256" {
            return None;
        }
        let mut encoded = vec![0x04];
        encoded.extend(coordinate(&jwk.x)?);
        encoded.extend(coordinate(jwk.y.as_deref()?)?);
        p256::PublicKey::from_sec1_bytes(&encoded).ok()
    };
    point().ok_or(JweError::Key { place })
}

/// The Concat KDF of [RFC 7518 section 4.6.2](https://www.rfc-editor.org/rfc/rfc7518#section-4.6.2).
/// Both key lengths fit in one round of SHA-256.
fn derive_key(
    private: &p256::SecretKey,
    public: &p256::PublicKey,
    enc: ContentEncryption,
    apu: &[u8],
    apv: &[u8],
) -> Zeroizing<Vec<u8>> {
    let shared = private.diffie_hellman(public);
    let key_bits = u32::try_from(enc.key_bytes() * 8).unwrap_or(u32::MAX);
    let mut hash = sha2::Sha256::new();
    hash.update(1_u32.to_be_bytes());
    hash.update(shared.raw_secret_bytes());
    for info in [enc.jose_name().as_bytes(), apu, apv] {
        // Headers are limited to 4096 bytes; our own infos are the caller's and as short.
        hash.update(u32::try_from(info.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(info);
    }
    hash.update(key_bits.to_be_bytes());
    let digest: Zeroizing<[u8; 32]> = Zeroizing::new(hash.finalize().into());
    Zeroizing::new(digest.iter().copied().take(enc.key_bytes()).collect())
}

fn seal(
    enc: ContentEncryption,
    key: &[u8],
    nonce: &[u8; NONCE_BYTES],
    plaintext: &[u8],
    aad: &[u8],
) -> Result<Vec<u8>, JweError> {
    let payload = Payload { msg: plaintext, aad };
    let nonce = &(*nonce).into();
    match enc {
        ContentEncryption::A128Gcm => cipher::<Aes128Gcm>(key)?.encrypt(nonce, payload),
        ContentEncryption::A256Gcm => cipher::<Aes256Gcm>(key)?.encrypt(nonce, payload),
    }
    .map_err(|_| JweError::Encryption)
}

fn open(enc: ContentEncryption, key: &[u8], compact: &Compact<'_>) -> Result<Vec<u8>, JweError> {
    let payload = Payload {
        msg: &compact.sealed,
        aad: compact.protected.as_bytes(),
    };
    let nonce = &compact.nonce.into();
    match enc {
        ContentEncryption::A128Gcm => cipher::<Aes128Gcm>(key)?.decrypt(nonce, payload),
        ContentEncryption::A256Gcm => cipher::<Aes256Gcm>(key)?.decrypt(nonce, payload),
    }
    .map_err(|_| JweError::Decryption)
}

/// `derive_key` gives the right length for each `enc`, so this does not fail.
fn cipher<C: KeyInit>(key: &[u8]) -> Result<C, JweError> {
    C::new_from_slice(key).map_err(|_| JweError::Encryption)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Counter;

    const MAX: usize = 1 << 16;

    fn key(d: &str) -> DecryptionKey {
        DecryptionKey::from_bytes(&base64url::decode(d).unwrap().try_into().unwrap()).unwrap()
    }

    fn genuine(enc: ContentEncryption) -> (DecryptionKey, String) {
        let mut rng = Counter(0);
        let key = DecryptionKey::generate(&mut rng);
        let header = SenderHeader {
            kid: Some("k1".into()),
            apu: Some(b"Alice".to_vec()),
            apv: Some(b"Bob".to_vec()),
        };
        let jwe = encrypt(b"attribute", &key.public_jwk(), enc, &header, &mut rng).unwrap();
        assert_eq!(decrypt(&jwe, &key, MAX).unwrap(), b"attribute");
        (key, jwe)
    }

    /// The genuine message with another header, which of course breaks its tag.
    fn with_header(change: impl FnOnce(&mut Map<String, Value>)) -> JweError {
        let (key, jwe) = genuine(ContentEncryption::A128Gcm);
        let (protected, rest) = jwe.split_once('.').unwrap();
        let mut header = parse_header(protected).unwrap();
        change(&mut header);
        let changed = format!("{}.{rest}", base64url::encode(Value::Object(header).to_string()));
        decrypt(&changed, &key, MAX).unwrap_err()
    }

    /// RFC 7518 appendix C.
    #[test]
    fn key_derivation_vector() {
        let alice = key("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo");
        let bob = key("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw");
        assert_eq!(bob.public_jwk().x, "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ");
        assert_eq!(
            alice.public_jwk().y.unwrap(),
            "SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"
        );
        for (private, public) in [(&alice, &bob), (&bob, &alice)] {
            let derived = derive_key(
                &private.0,
                &public.0.public_key(),
                ContentEncryption::A128Gcm,
                b"Alice",
                b"Bob",
            );
            assert_eq!(base64url::encode(&*derived), "VqqN6vgjbSBcIijNcacQGg");
        }
    }

    #[test]
    fn both_encryptions_round_trip() {
        for enc in [ContentEncryption::A128Gcm, ContentEncryption::A256Gcm] {
            let (_, jwe) = genuine(enc);
            assert_eq!(key_id(&jwe, MAX).unwrap().as_deref(), Some("k1"));
        }
    }

    #[test]
    fn kid_of_the_recipient_is_the_default() {
        let mut rng = Counter(0);
        let mut recipient = DecryptionKey::generate(&mut rng).public_jwk();
        recipient.kid = Some("own".into());
        let jwe = encrypt(
            b"x",
            &recipient,
            ContentEncryption::A128Gcm,
            &SenderHeader::default(),
            &mut rng,
        )
        .unwrap();
        assert_eq!(key_id(&jwe, MAX).unwrap().as_deref(), Some("own"));
    }

    #[test]
    fn every_changed_part_is_refused() {
        let (key, jwe) = genuine(ContentEncryption::A256Gcm);
        let parts: Vec<&str> = jwe.split('.').collect();
        for part in [2, 3, 4] {
            let mut changed = parts.clone();
            let flipped = if parts[part].starts_with('A') {
                format!("B{}", &parts[part][1..])
            } else {
                format!("A{}", &parts[part][1..])
            };
            changed[part] = &flipped;
            assert_eq!(
                decrypt(&changed.join("."), &key, MAX),
                Err(JweError::Decryption),
                "part {part}"
            );
        }
        assert_eq!(
            with_header(|header| drop(header.insert("apu".into(), "Qm9i".into()))),
            JweError::Decryption
        );
        assert_eq!(
            with_header(|header| drop(header.insert("cty".into(), "x".into()))),
            JweError::Decryption
        );
    }

    #[test]
    fn another_key_does_not_decrypt() {
        let (_, jwe) = genuine(ContentEncryption::A128Gcm);
        assert_eq!(
            decrypt(&jwe, &DecryptionKey::generate(&mut Counter(99)), MAX),
            Err(JweError::Decryption)
        );
    }

    #[test]
    fn size_is_checked_before_decoding() {
        let (key, jwe) = genuine(ContentEncryption::A128Gcm);
        let limit = jwe.len() - 1;
        assert_eq!(
            decrypt(&jwe, &key, limit),
            Err(JweError::TooLarge {
                limit,
                found: jwe.len()
            })
        );
        let header = format!("{}....", "A".repeat(MAX_HEADER_BYTES + 1));
        assert!(matches!(decrypt(&header, &key, MAX), Err(JweError::Malformed { .. })));
    }

    #[test]
    fn other_algorithms_and_extensions_are_refused_by_name() {
        let set =
            |member: &'static str, value: Value| with_header(move |header| drop(header.insert(member.into(), value)));
        assert!(matches!(
            set("alg", "ECDH-ES+A128KW".into()),
            JweError::Algorithm { member: "alg", .. }
        ));
        assert!(matches!(
            set("alg", "none".into()),
            JweError::Algorithm { member: "alg", .. }
        ));
        assert!(matches!(
            set("enc", "A128CBC-HS256".into()),
            JweError::Algorithm { member: "enc", .. }
        ));
        assert_eq!(set("zip", "DEF".into()), JweError::ForbiddenMember { member: "zip" });
        assert_eq!(
            set("crit", Value::Array(vec!["exp".into()])),
            JweError::ForbiddenMember { member: "crit" }
        );
        assert!(matches!(set("apv", 7.into()), JweError::Malformed { .. }));
    }

    #[test]
    fn ephemeral_key_off_the_curve_is_refused() {
        let place = JweError::Key { place: "epk" };
        let off = |x: [u8; 32]| with_header(move |header| header["epk"]["x"] = base64url::encode(x).into());
        assert_eq!(off([7; 32]), place);
        assert_eq!(with_header(|header| header["epk"]["crv"] = "P-384".into()), place);
        assert_eq!(
            with_header(|header| header["epk"]["d"] = "AA".into()),
            place,
            "a private key"
        );
        assert_eq!(with_header(|header| drop(header.remove("epk"))), place);
    }

    #[test]
    fn malformed_serializations_are_refused() {
        let (key, jwe) = genuine(ContentEncryption::A128Gcm);
        let parts: Vec<&str> = jwe.split('.').collect();
        let five =
            |encrypted_key: &str, nonce: &str, tag: &str| [parts[0], encrypted_key, nonce, parts[3], tag].join(".");
        assert!(decrypt(&five("", parts[2], parts[4]), &key, MAX).is_ok());
        for bad in [
            String::new(),
            "....".into(),
            format!("{jwe}."),
            parts[..4].join("."),
            five("AA", parts[2], parts[4]),
            five("", "AAAA", parts[4]),
            five("", parts[2], &parts[4][..20]),
            five("", parts[2], "AA=="),
        ] {
            assert!(
                matches!(decrypt(&bad, &key, MAX), Err(JweError::Malformed { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn recipient_of_another_curve_is_refused() {
        let other = Jwk::from_coordinates("OKP", "X25519", &[9; 32], None);
        let refused = encrypt(
            b"x",
            &other,
            ContentEncryption::A128Gcm,
            &SenderHeader::default(),
            &mut Counter(0),
        );
        assert_eq!(
            refused,
            Err(JweError::Key {
                place: "the recipient's JWK"
            })
        );
    }

    #[test]
    fn key_survives_storage_and_hides_in_debug() {
        let key = DecryptionKey::generate(&mut Counter(3));
        let read = DecryptionKey::from_bytes(&key.to_bytes()).unwrap();
        assert_eq!(read.public_jwk(), key.public_jwk());
        assert_eq!(format!("{key:?}"), "DecryptionKey { .. }");
        assert!(matches!(DecryptionKey::from_bytes(&[0; 32]), Err(JweError::PrivateKey)));
        assert!(matches!(
            DecryptionKey::from_bytes(&[0xff; 32]),
            Err(JweError::PrivateKey)
        ));
    }
}
