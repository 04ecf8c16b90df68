//! A private key in memory.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use aws_lc_rs::signature::ECDSA_P521_SHA512_FIXED_SIGNING;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::EcdsaSigningAlgorithm;
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
    Ecdsa {
        scalar: Zeroizing<Vec<u8>>,
        pair: Box<EcdsaKeyPair>,
    },
}

impl SoftwareKey {
    /// A new key.
    #[must_use]
    pub fn generate(algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Self {
        loop {
            let mut secret = Zeroizing::new(vec![0; secret_bytes(algorithm)]);
            rng.fill_bytes(secret.as_mut_slice());
            // The order of P-521 has 521 bits, 7 less than its bytes.
            if let (Algorithm::Es512, Some(first)) = (algorithm, secret.first_mut()) {
                *first &= 1;
            }
            // For P-256 one value in 2^32 is no scalar of the group, for BLS12-381 every other; then the next is drawn.
            if let Ok(key) = Self::from_secret(algorithm, &secret) {
                return key;
            }
        }
    }

    /// A key from its secret bytes: the Ed25519 seed (32), or the scalar, big-endian, of P-256 or BLS12-381 (32),
    /// P-384 (48) or P-521 (66).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for another length, and for a scalar of zero or beyond the group order.
    pub fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        match algorithm {
            Algorithm::Bbs => {
                let secret = secret
                    .try_into()
                    .map_err(|_| KeyError::Invalid { curve: "BLS12-381" })?;
                let secret = bbs::SecretKey::from_bytes(secret)?;
                Ok(Self {
                    public: PublicKey::Bls12381G2(secret.public_key().clone()),
                    secret: Secret::Bbs(secret),
                })
            }
            Algorithm::EdDsa => {
                let seed = secret.try_into().map_err(|_| KeyError::Invalid { curve: "Ed25519" })?;
                let signing = ed25519_dalek::SigningKey::from_bytes(seed);
                let public = PublicKey::from_ed25519(signing.verifying_key().as_bytes())?;
                Ok(Self {
                    public,
                    secret: Secret::Ed25519(Box::new(signing)),
                })
            }
            Algorithm::Es256 => {
                let key = p256::SecretKey::from_slice(secret).map_err(|_| KeyError::Invalid { curve: "P-256" })?;
                let point = key.public_key().to_sec1_point(false);
                let public = PublicKey::from_p256_sec1(point.as_bytes())?;
                Self::ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, secret, point.as_bytes(), public)
            }
            Algorithm::Es384 => {
                let key = p384::SecretKey::from_slice(secret).map_err(|_| KeyError::Invalid { curve: "P-384" })?;
                let point = key.public_key().to_sec1_point(false);
                let public = PublicKey::from_p384_sec1(point.as_bytes())?;
                Self::ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, secret, point.as_bytes(), public)
            }
            Algorithm::Es512 => {
                let key = p521::SecretKey::from_slice(secret).map_err(|_| KeyError::Invalid { curve: "P-521" })?;
                let point = key.public_key().to_sec1_point(false);
                let public = PublicKey::from_p521_sec1(point.as_bytes())?;
                Self::ecdsa(&ECDSA_P521_SHA512_FIXED_SIGNING, secret, point.as_bytes(), public)
            }
        }
    }

    fn ecdsa(
        algorithm: &'static EcdsaSigningAlgorithm,
        scalar: &[u8],
        point: &[u8],
        public: PublicKey,
    ) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, point)
            .map_err(|_| KeyError::Invalid { curve: "ECDSA" })?;
        Ok(Self {
            public,
            secret: Secret::Ecdsa {
                scalar: Zeroizing::new(scalar.to_vec()),
                pair: Box::new(pair),
            },
        })
    }

    /// Signs what the request asks for.
    ///
    /// # Errors
    /// [`SignerError::WrongAlgorithm`] when the request was made for another kind of key.
    pub fn fulfil<T>(&self, request: SigningRequest<T>) -> Result<T, SignerError> {
        keys::signing::fulfil(self, request)
    }

    /// The secret bytes, for the key file alone.
    pub(crate) fn expose_secret(&self) -> Zeroizing<Vec<u8>> {
        match &self.secret {
            Secret::Bbs(key) => Zeroizing::new(key.expose_secret().to_vec()),
            Secret::Ed25519(key) => Zeroizing::new(key.as_bytes().to_vec()),
            Secret::Ecdsa { scalar, .. } => scalar.clone(),
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
            Secret::Ecdsa { pair, .. } => {
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

const fn secret_bytes(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Bbs | Algorithm::EdDsa | Algorithm::Es256 => 32,
        Algorithm::Es384 => 48,
        Algorithm::Es512 => 66,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_signs_its_public_key_verifies() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512] {
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
