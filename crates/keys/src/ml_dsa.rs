//! ML-DSA-44: keys, signatures and what is asked for them.
//!
//! [FIPS 204](https://csrc.nist.gov/pubs/fips/204/final), the pure form with an empty context. Only logs and their
//! witnesses sign with it, so it stands beside [`crate::Algorithm`] and not in it: no credential, approval or token can
//! name it, and none can be verified with it.

use std::fmt;

use thiserror::Error;

use crate::SignatureError;
use crate::SignerError;

#[cfg(not(target_family = "wasm"))]
#[path = "ml_dsa_native.rs"]
mod backend;
#[cfg(target_family = "wasm")]
#[path = "ml_dsa_wasm.rs"]
mod backend;

/// What verifies on WebAssembly, to be held against the native one.
#[cfg(all(test, not(target_family = "wasm")))]
#[path = "ml_dsa_wasm.rs"]
mod other;

/// Bytes of an encoded public key ([FIPS 204, table 2](https://csrc.nist.gov/pubs/fips/204/final)).
pub const PUBLIC_KEY_BYTES: usize = 1_312;

/// Bytes of a signature, from the same table.
pub const SIGNATURE_BYTES: usize = 2_420;

/// A public key of ML-DSA-44.
#[derive(Clone)]
pub struct PublicKey {
    bytes: Box<[u8; PUBLIC_KEY_BYTES]>,
    parsed: backend::ParsedKey,
}

/// A signature by ML-DSA-44, as it came: [`PublicKey::verify`] reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signature(Box<[u8; SIGNATURE_BYTES]>);

/// Bytes that are no key of ML-DSA-44: their author's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected the {PUBLIC_KEY_BYTES} bytes of an ML-DSA-44 public key, found {found} others")]
pub struct PublicKeyError {
    found: usize,
}

/// Something that lacks only a signature over [`SigningRequest::message`], as [`crate::SigningRequest`] is for the
/// algorithms of credentials.
#[must_use = "nothing is signed until the request is fulfilled"]
pub struct SigningRequest<T> {
    message: Vec<u8>,
    complete: Box<dyn FnOnce(Signature) -> T + Send>,
}

/// A private key of ML-DSA-44 somewhere: a file, an HSM.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// A signature over `message`, with an empty context.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] when the key cannot be used now.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

impl PublicKey {
    /// A key from its encoding. Every text of this length is the encoding of some key.
    ///
    /// # Errors
    /// [`PublicKeyError`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PublicKeyError> {
        let wrong = || PublicKeyError { found: bytes.len() };
        // The length comes first: the native library would read a certificate's form of a key, too.
        let bytes: Box<[u8; PUBLIC_KEY_BYTES]> = bytes.to_vec().try_into().map_err(|_| wrong())?;
        let parsed = backend::parse(&bytes).ok_or_else(wrong)?;
        Ok(Self { bytes, parsed })
    }

    /// Checks `signature` over `message`.
    ///
    /// # Errors
    /// [`SignatureError`] when it is not this key's, or encoded in another way than
    /// [FIPS 204, algorithm 27](https://csrc.nist.gov/pubs/fips/204/final) reads.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        backend::verify(&self.parsed, message, &signature.0)
    }

    /// Its encoding.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; PUBLIC_KEY_BYTES] {
        &self.bytes
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell keys apart; all of it would fill a screen.
        let [first, second, third, fourth, ..] = crate::sha256(self.bytes.as_slice());
        write!(
            f,
            "ml_dsa::PublicKey(SHA-256 {first:02x}{second:02x}{third:02x}{fourth:02x}...)"
        )
    }
}

impl Signature {
    /// A signature from its bytes.
    ///
    /// # Errors
    /// [`SignatureError`] for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        let bytes: Box<[u8; SIGNATURE_BYTES]> = bytes.to_vec().try_into().map_err(|_| SignatureError)?;
        Ok(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; SIGNATURE_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ml_dsa::Signature").finish_non_exhaustive()
    }
}

impl<T> SigningRequest<T> {
    /// A request for a signature over `message`; `complete` puts the signature in its place.
    pub fn new(message: Vec<u8>, complete: impl FnOnce(Signature) -> T + Send + 'static) -> Self {
        Self {
            message,
            complete: Box::new(complete),
        }
    }

    /// The bytes to sign, before any hashing of the algorithm's own.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Signs what is asked for with `signer`.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] when the key cannot be used now.
    pub fn fulfil<S: Signer + ?Sized>(self, signer: &S) -> Result<T, SignerError> {
        let signature = signer.sign(&self.message)?;
        Ok((self.complete)(signature))
    }
}

impl<T> fmt::Debug for SigningRequest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ml_dsa::SigningRequest")
            .field("message_bytes", &self.message.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::KeyPair as _;
    use aws_lc_rs::signature::ML_DSA_44_SIGNING;
    use aws_lc_rs::signature::PqdsaKeyPair;
    use ml_dsa::MlDsa44;
    use ml_dsa::Signature as OtherSignature;
    use ml_dsa::signature::Keypair as _;
    use ml_dsa::signature::Signer as _;
    use proptest::prelude::*;

    use super::*;

    fn native(seed: [u8; 32]) -> (PqdsaKeyPair, PublicKey) {
        let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, &seed).unwrap();
        let public = PublicKey::from_bytes(pair.public_key().as_ref()).unwrap();
        (pair, public)
    }

    fn sign(pair: &PqdsaKeyPair, message: &[u8]) -> Signature {
        let mut bytes = [0; SIGNATURE_BYTES];
        pair.sign(message, &mut bytes).unwrap();
        Signature::from_bytes(&bytes).unwrap()
    }

    /// Both libraries' verdicts, which must be one.
    fn verdict(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let ours = key.verify(message, signature).is_ok();
        let parsed = other::parse(key.as_bytes()).unwrap();
        assert_eq!(other::verify(&parsed, message, signature.as_bytes()).is_ok(), ours);
        ours
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn two_implementations_agree_in_both_directions(seed: [u8; 32], message: Vec<u8>, at in 0..SIGNATURE_BYTES, flip in 1..=u8::MAX) {
            let (pair, key) = native(seed);
            let theirs = ml_dsa::SigningKey::<MlDsa44>::from_seed(&seed.into());
            let their_key = theirs.verifying_key().encode();
            prop_assert_eq!(key.as_bytes().as_slice(), their_key.as_slice());
            let by_them: OtherSignature<MlDsa44> = theirs.sign(&message);
            for signature in [sign(&pair, &message), Signature::from_bytes(&by_them.encode()).unwrap()] {
                prop_assert!(verdict(&key, &message, &signature));
                prop_assert!(!verdict(&key, &[&message[..], b"x"].concat(), &signature));
                let mut changed = signature.clone();
                changed.0[at] ^= flip;
                prop_assert!(!verdict(&key, &message, &changed));
            }
        }
    }

    /// The last 84 bytes are the hint: positions ascending within each polynomial, then zeros, then four counts. Every other
    /// way to write it is refused, or one signature would have many texts.
    #[test]
    fn every_changed_byte_of_the_hint_is_refused() {
        let (pair, key) = native([7; 32]);
        let genuine = sign(&pair, b"message");
        assert!(verdict(&key, b"message", &genuine));
        for at in SIGNATURE_BYTES - 84..SIGNATURE_BYTES {
            for flip in [1, 0x80, 0xff] {
                let mut changed = genuine.clone();
                changed.0[at] ^= flip;
                assert!(!verdict(&key, b"message", &changed), "byte {at}");
            }
        }
    }

    #[test]
    fn other_lengths_and_other_keys_are_refused() {
        let (pair, key) = native([7; 32]);
        let signature = sign(&pair, b"message");
        assert!(verdict(&key, b"message", &signature));
        assert!(!verdict(&native([8; 32]).1, b"message", &signature));
        for length in [0, 64, SIGNATURE_BYTES - 1, SIGNATURE_BYTES + 1] {
            assert_eq!(Signature::from_bytes(&vec![1; length]), Err(SignatureError));
        }
        for length in [0, 32, PUBLIC_KEY_BYTES - 1, PUBLIC_KEY_BYTES + 1, PUBLIC_KEY_BYTES + 22] {
            assert_eq!(
                PublicKey::from_bytes(&vec![1; length]),
                Err(PublicKeyError { found: length })
            );
        }
    }
}
