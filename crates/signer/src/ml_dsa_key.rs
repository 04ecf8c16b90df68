//! A private key of ML-DSA-44 in memory.

use std::fmt;

use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::signature::ML_DSA_44_SIGNING;
use aws_lc_rs::signature::PqdsaKeyPair;
use keys::SignerError;
use keys::ml_dsa;
use keys::ml_dsa::PublicKey;
use keys::ml_dsa::PublicKeyError;
use keys::ml_dsa::SIGNATURE_BYTES;
use keys::ml_dsa::Signature;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Bytes of the seed that a key follows from ([FIPS 204, algorithm 1](https://csrc.nist.gov/pubs/fips/204/final)).
const SEED_BYTES: usize = 32;

/// A private key of ML-DSA-44 held by this process: what a log signs its checkpoints with a second time.
pub struct MlDsaKey {
    public: PublicKey,
    /// For the vault.
    seed: Zeroizing<[u8; SEED_BYTES]>,
    /// aws-lc zeroizes its own copy.
    pair: PqdsaKeyPair,
}

impl MlDsaKey {
    /// A new key.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] when the library makes no key of the seed.
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, SignerError> {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seed(seed.as_slice())
    }

    /// The key of a seed.
    ///
    /// # Errors
    /// [`SignerError::Unavailable`] for a seed of another length than 32 bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, SignerError> {
        let pair = PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed);
        let pair = pair.map_err(|error| SignerError::Unavailable(error.into()))?;
        let public = PublicKey::from_bytes(pair.public_key().as_ref());
        let public = public.map_err(|error: PublicKeyError| SignerError::Unavailable(error.into()))?;
        let kept = seed.try_into().map(Zeroizing::new);
        Ok(Self {
            public,
            seed: kept.map_err(|error: std::array::TryFromSliceError| SignerError::Unavailable(error.into()))?,
            pair,
        })
    }

    /// The seed, for the vault alone.
    pub(crate) fn expose_seed(&self) -> &[u8] {
        self.seed.as_slice()
    }
}

impl ml_dsa::Signer for MlDsaKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Hedged: what is drawn for the signature is of aws-lc's own generator, which nothing can replace.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        let mut bytes = vec![0; SIGNATURE_BYTES];
        let signed = self.pair.sign(message, &mut bytes);
        signed.map_err(|error| SignerError::Unavailable(error.into()))?;
        Signature::from_bytes(&bytes).map_err(|error| SignerError::Unavailable(error.into()))
    }
}

impl fmt::Debug for MlDsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MlDsaKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use keys::ml_dsa::Signer as _;

    use super::*;

    #[test]
    fn what_it_signs_its_public_key_verifies() {
        let key = MlDsaKey::generate(&mut crate::os_rng()).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(key.public_key().verify(b"message", &signature), Ok(()));
        assert!(key.public_key().verify(b"other", &signature).is_err());
        let again = MlDsaKey::from_seed(key.expose_seed()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        assert!(MlDsaKey::from_seed(&[7; 31]).is_err());
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = MlDsaKey::from_seed(&[7; 32]).unwrap();
        let text = format!("{key:?}");
        assert!(
            text.starts_with("MlDsaKey { public: ml_dsa::PublicKey(SHA-256 "),
            "{text}"
        );
        assert!(text.ends_with("...), .. }"), "{text}");
    }
}
