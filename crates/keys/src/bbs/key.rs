//! Keys ([key generation](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-key-generation-operations)).

use std::sync::Arc;

use bls12_381::G2Affine;
use bls12_381::Scalar;
use zeroize::Zeroizing;

use super::G2_BYTES;
use super::SCALAR_BYTES;
use super::curve::Key;
use super::scalar_from_octets;
use super::scalar_to_octets;
use crate::KeyError;

/// A validated public key: a point of the subgroup G2 that is not the identity.
#[derive(Clone)]
pub struct PublicKey(Arc<Validated>);

/// Validated once and shared: it takes a twentieth of the time of a verification.
struct Validated {
    octets: [u8; G2_BYTES],
    point: Key,
}

/// A private key, zeroized when dropped.
pub struct SecretKey {
    pub(super) scalar: Zeroizing<Scalar>,
    pub(super) public: PublicKey,
}

impl PublicKey {
    /// A key from its 96 bytes, the compressed point.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the curve, one outside the subgroup, or the identity.
    pub fn from_bytes(octets: &[u8; 96]) -> Result<Self, KeyError> {
        let point = Key::from_octets(octets).ok_or(INVALID)?;
        let octets = *octets;
        Ok(Self(Arc::new(Validated { octets, point })))
    }

    /// The 96 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 96] {
        &self.0.octets
    }

    pub(super) fn point(&self) -> &Key {
        &self.0.point
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.octets == other.0.octets
    }
}

impl Eq for PublicKey {}

impl SecretKey {
    /// A key from its 32 bytes, the scalar big-endian.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for zero and for what is not below the group order.
    pub fn from_bytes(octets: &[u8; 32]) -> Result<Self, KeyError> {
        let scalar = Zeroizing::new(scalar_from_octets(octets).ok_or(INVALID)?);
        let point = G2Affine::from(G2Affine::generator() * *scalar);
        Ok(Self {
            scalar,
            public: PublicKey::from_bytes(&point.to_compressed())?,
        })
    }

    /// The public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The 32 secret bytes.
    #[must_use]
    pub fn expose_secret(&self) -> Zeroizing<[u8; SCALAR_BYTES]> {
        Zeroizing::new(scalar_to_octets(&self.scalar))
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretKey").finish_non_exhaustive()
    }
}

const INVALID: KeyError = KeyError::Invalid { curve: "BLS12-381" };
