//! Ed25519 ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)), strictly: a signature that one verifier accepts, all
//! accept.
//!
//! The RFC leaves open what happens to points of small order, to other encodings than the canonical one, and to
//! equations that hold up to the cofactor only ([Taming the many EdDSAs](https://eprint.iacr.org/2020/1244)). Here, as
//! with `VerifyingKey::verify_strict` of ed25519-dalek: `s` is below the group order, neither the key nor `R` is of
//! small order, both are canonical, and `s·B = R + h·A` holds in the whole group.

mod batch;

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::CompressedEdwardsY;
use rand_core::CryptoRng;

use crate::SignatureError;

/// A validated key: canonical, and not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct Ed25519PublicKey(ed25519_dalek::VerifyingKey);

/// The y coordinates of the eight points of small order, little-endian; two differ from others in the sign of x alone.
const SMALL_ORDER: [[u8; 32]; 5] = [
    // 1: the identity.
    [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ],
    // -1: order 2.
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    // 0: order 4.
    [0; 32],
    // Order 8, and its negative.
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

impl Ed25519PublicKey {
    /// `None` for bytes that are no point, not the canonical encoding of one, or of small order.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?;
        (is_canonical(bytes) && !key.is_weak()).then_some(Self(key))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// Has the verdict of `verify_strict` in less time: that decompresses `R` to see whether it is a point of large
    /// order. Here the point computed from `s` and the key is compared with `R` as encoded, so that `R` is a point in
    /// its canonical encoding if they are equal; and the few of small order are known by their encodings.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), SignatureError> {
        let signed = Signed::read(&self.0, message, signature, &mut Vec::new()).ok_or(SignatureError)?;
        let minus_key = -self.0.to_edwards();
        let r = EdwardsPoint::vartime_double_scalar_mul_basepoint(&signed.h, &minus_key, &signed.s);
        if r.compress() == signed.r {
            Ok(())
        } else {
            Err(SignatureError)
        }
    }

    /// Whether [`Self::verify`] accepts each of these. `false` may also say that they are too few for it to pay, or
    /// that this key's signatures cannot be checked together. `rng` must not be foreseeable for the signer.
    pub(crate) fn verify_together(&self, signed: &[(&[u8], &[u8; 64])], rng: &mut dyn CryptoRng) -> bool {
        signed.len() >= batch::WORTHWHILE && batch::verify(&self.0, signed, rng)
    }
}

/// What the equation `s·B = R + h·A` is about.
struct Signed {
    /// As encoded; not of small order.
    r: CompressedEdwardsY,
    h: Scalar,
    s: Scalar,
}

impl Signed {
    /// `None` if `s` is not below the group order, or `R` of small order. `buffer` is there to be used again.
    fn read(
        key: &ed25519_dalek::VerifyingKey,
        message: &[u8],
        signature: &[u8; 64],
        buffer: &mut Vec<u8>,
    ) -> Option<Self> {
        let (r, s) = signature.split_first_chunk::<32>()?;
        let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
        if is_of_small_order(r) {
            return None;
        }
        buffer.clear();
        buffer.reserve(64 + message.len());
        for part in [r, key.as_bytes(), message] {
            buffer.extend_from_slice(part);
        }
        Some(Self {
            r: CompressedEdwardsY(*r),
            h: Scalar::from_bytes_mod_order_wide(&crate::sha512(buffer)),
            s,
        })
    }
}

/// Whether y is that of a point of small order. Both signs of x are: with y of 1 or -1, x is 0 and has no other sign,
/// and then these bytes are no point.
fn is_of_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y)
}

/// Whether the y coordinate is below the field prime 2^255 - 19. dalek reduces it silently, which would
/// give one key several encodings.
fn is_canonical(bytes: &[u8; 32]) -> bool {
    let top = bytes
        .iter()
        .rev()
        .enumerate()
        .map(|(position, byte)| if position == 0 { byte & 0x7f } else { *byte });
    let prime = std::iter::once(0x7f)
        .chain(std::iter::repeat_n(0xff, 30))
        .chain(std::iter::once(0xed));
    top.lt(prime)
}

#[cfg(test)]
mod tests;
