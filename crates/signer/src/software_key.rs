//! A private key in memory.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use ed25519_dalek::Signer as _;
use keys::Algorithm;
use keys::KeyError;
use keys::PublicKey;
use keys::Signature;
use keys::Signer;
use keys::SignerError;
use keys::SigningRequest;
use keys::bbs;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// A private key held by this process, zeroized when dropped.
pub struct SoftwareKey {
    public: PublicKey,
    secret: Secret,
}

enum Secret {
    Bbs(bbs::SecretKey),
    /// dalek zeroizes it.
    Ed25519(Box<ed25519_dalek::SigningKey>),
    /// The scalar, for writing the key file, and the pair that signs; aws-lc zeroizes its own copy.
    P256 {
        scalar: Zeroizing<[u8; 32]>,
        pair: Box<EcdsaKeyPair>,
    },
}

impl SoftwareKey {
    /// A new key.
    #[must_use]
    pub fn generate(algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Self {
        loop {
            let mut secret = Zeroizing::new([0; 32]);
            rng.fill_bytes(secret.as_mut_slice());
            // For P-256 one value in 2^32 is no scalar of the group, for BLS12-381 every other; then the next is drawn.
            if let Ok(key) = Self::from_secret(algorithm, &secret) {
                return key;
            }
        }
    }

    /// A key from its 32 secret bytes: the Ed25519 seed, or the P-256 or BLS12-381 scalar, big-endian.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for a scalar of zero or beyond the group order.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8; 32]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Bbs => {
                let secret = bbs::SecretKey::from_bytes(secret)?;
                Ok(Self {
                    public: PublicKey::Bls12381G2(secret.public_key().clone()),
                    secret: Secret::Bbs(secret),
                })
            }
            Algorithm::EdDsa => {
                let signing = ed25519_dalek::SigningKey::from_bytes(secret);
                let public = PublicKey::from_ed25519(signing.verifying_key().as_bytes())?;
                Ok(Self {
                    public,
                    secret: Secret::Ed25519(Box::new(signing)),
                })
            }
            Algorithm::Es256 => {
                use p256::elliptic_curve::sec1::ToSec1Point as _;
                let invalid = |()| KeyError::Invalid { curve: "P-256" };
                let point = p256::SecretKey::from_slice(secret)
                    .map_err(|_| invalid(()))?
                    .public_key()
                    .to_sec1_point(false);
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    secret,
                    point.as_bytes(),
                )
                .map_err(|_| invalid(()))?;
                let public = PublicKey::from_p256_sec1(point.as_bytes())?;
                Ok(Self {
                    public,
                    secret: Secret::P256 {
                        scalar: Zeroizing::new(*secret),
                        pair: Box::new(pair),
                    },
                })
            }
        }
    }

    /// Signs what the request asks for.
    ///
    /// # Errors
    /// [`SignerError::WrongAlgorithm`] when the request was made for another kind of key.
    pub fn fulfil<T>(&self, request: SigningRequest<T>) -> Result<T, SignerError> {
        keys::signing::fulfil(self, request)
    }

    /// The 32 secret bytes, for the key file alone.
    pub(crate) fn expose_secret(&self) -> Zeroizing<[u8; 32]> {
        match &self.secret {
            Secret::Bbs(key) => key.expose_secret(),
            Secret::Ed25519(key) => Zeroizing::new(key.to_bytes()),
            Secret::P256 { scalar, .. } => scalar.clone(),
        }
    }
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match &self.secret {
            Secret::Bbs(key) => {
                let input = bbs::SigningInput::from_bytes(message).map_err(SignerError::Message)?;
                let signature = key.sign(&input.header, &input.messages);
                signature.map(Signature::from).map_err(SignerError::Message)
            }
            Secret::Ed25519(key) => Signature::from_bytes(&key.sign(message).to_bytes())
                .map_err(|error| SignerError::Unavailable(error.into())),
            Secret::P256 { pair, .. } => {
                let signature = pair
                    .sign(&SystemRandom::new(), message)
                    .map_err(|error| SignerError::Unavailable(error.into()))?;
                Signature::from_bytes(signature.as_ref()).map_err(|error| SignerError::Unavailable(error.into()))
            }
        }
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoftwareKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_signs_its_public_key_verifies() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let key = SoftwareKey::generate(algorithm, &mut crate::os_rng());
            let signature = key.sign(b"message").unwrap();
            assert_eq!(key.public_key().verify(b"message", &signature), Ok(()));
            assert!(key.public_key().verify(b"other", &signature).is_err());
        }
    }

    #[test]
    fn a_bbs_key_signs_a_header_and_messages_and_nothing_else() {
        let key = SoftwareKey::generate(Algorithm::Bbs, &mut crate::os_rng());
        let input = bbs::SigningInput {
            header: b"header".to_vec(),
            messages: vec![b"first".to_vec(), b"second".to_vec()],
        };
        let message = input.to_bytes();
        let signature = key.sign(&message).unwrap();
        assert_eq!(key.public_key().verify(&message, &signature), Ok(()));
        assert!(matches!(key.sign(b"message"), Err(SignerError::Message(_))));
    }

    #[test]
    fn a_request_for_another_algorithm_is_refused() {
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut crate::os_rng());
        let request = SigningRequest::new(Algorithm::Es256, b"message".to_vec(), |signature| signature);
        assert!(matches!(key.fulfil(request), Err(SignerError::WrongAlgorithm { .. })));
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = SoftwareKey::from_secret(Algorithm::EdDsa, &[7; 32]).unwrap();
        assert_eq!(
            format!("{key:?}"),
            "SoftwareKey { public: PublicKey(z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z), .. }"
        );
    }
}
