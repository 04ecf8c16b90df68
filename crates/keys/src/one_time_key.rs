//! A key that signs on the spot and is forgotten.

use std::fmt;

use p256::elliptic_curve::Generate as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use rand_core::CryptoRng;
use thiserror::Error;

use crate::PublicKey;
use crate::Signature;
use crate::public_key::ecdsa_backend;

/// A private P-256 key that is made for one document, signs its parts, and is zeroized when dropped.
///
/// Everywhere else a pure crate asks for a signature by a [`crate::SigningRequest`], because whose key it is
/// matters: a person's or an agency's, kept in a file, an HSM or a device. This key is nobody's. `ecdsa-sd-2023`
/// makes it to tie the statements of one document together
/// ([base proof serialization](https://www.w3.org/TR/vc-di-ecdsa/#base-proof-serialization-ecdsa-sd-2023)), and
/// it counts for nothing until the issuer, by a request as always, signs its public half. It cannot be stored or
/// read back, so there is nothing that an edge crate could keep for it.
pub struct OneTimeKey {
    public: PublicKey,
    signing: ecdsa_backend::SigningKey,
}

/// The environment's fault: the library has failed to make or use the key, which it has no reason to.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected a one-time key that signs, found that the library refuses it")]
pub struct OneTimeKeyError;

impl OneTimeKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`OneTimeKeyError`].
    pub fn generate(rng: &mut dyn CryptoRng) -> Result<Self, OneTimeKeyError> {
        let secret = p256::SecretKey::generate_from_rng(rng);
        let point = secret.public_key().to_sec1_point(false);
        Ok(Self {
            public: PublicKey::from_p256_sec1(point.as_bytes()).map_err(|_| OneTimeKeyError)?,
            signing: ecdsa_backend::signing_key(&secret, point.as_bytes()).ok_or(OneTimeKeyError)?,
        })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// A signature over the SHA-256 of `message`.
    ///
    /// # Errors
    /// [`OneTimeKeyError`].
    pub fn sign(&self, message: &[u8]) -> Result<Signature, OneTimeKeyError> {
        let signature = ecdsa_backend::sign(&self.signing, message).ok_or(OneTimeKeyError)?;
        Signature::from_bytes(&signature).map_err(|_| OneTimeKeyError)
    }
}

impl fmt::Debug for OneTimeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeKey")
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counter::Counter;

    #[test]
    fn what_it_signs_verifies_with_its_public_half() {
        let key = OneTimeKey::generate(&mut Counter(0)).unwrap();
        let signature = key.sign(b"statement").unwrap();
        assert_eq!(key.public_key().verify(b"statement", &signature), Ok(()));
        assert!(key.public_key().verify(b"another", &signature).is_err());
        let other = OneTimeKey::generate(&mut Counter(7)).unwrap();
        assert_ne!(other.public_key(), key.public_key());
        assert!(other.public_key().verify(b"statement", &signature).is_err());
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("OneTimeKey {{ public: {:?}, .. }}", key.public_key()));
    }
}
