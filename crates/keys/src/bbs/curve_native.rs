//! The curve for public values, with blst: its assembly verifies in less than half the time of the pure-Rust curve.
//! Its sums take a time that depends on the scalars, so no secret comes here.

use std::sync::OnceLock;

use bls12_381::G2Affine;
use bls12_381::Scalar;
use blst::MultiPoint as _;
use blst::blst_fp12;
use blst::blst_p1_affine;
use blst::blst_p2_affine;
use blst::min_sig;

use super::G1_BYTES;
use super::G2_BYTES;

/// A point of the subgroup G1. blst calls them after the signatures that it is made for.
#[derive(Clone, Copy)]
pub(super) struct Point(min_sig::Signature);

/// A point of the subgroup G2, not the identity.
pub(super) struct Key(blst_p2_affine);

impl Point {
    /// `octets_to_point_E1` with the subgroup check; `None` for the identity as well.
    pub(super) fn from_octets(octets: &[u8; G1_BYTES]) -> Option<Self> {
        min_sig::Signature::sig_validate(octets, true).ok().map(Self)
    }

    /// The sum of the multiples.
    pub(super) fn sum(terms: &[(Self, Scalar)]) -> Self {
        if terms.is_empty() {
            return Self(blst_p1_affine::default().into());
        }
        let points: Vec<min_sig::Signature> = terms.iter().map(|(point, _)| point.0).collect();
        let scalars: Vec<u8> = terms.iter().flat_map(|(_, scalar)| scalar.to_bytes()).collect();
        Self(points.as_slice().mult(&scalars, 255).to_signature())
    }

    pub(super) fn to_octets(self) -> [u8; G1_BYTES] {
        self.0.compress()
    }
}

impl Key {
    /// The same for G2.
    pub(super) fn from_octets(octets: &[u8; G2_BYTES]) -> Option<Self> {
        let key = min_sig::PublicKey::key_validate(octets).ok()?;
        Some(Self(key.into()))
    }
}

/// Whether `e(a, key) = e(b, BP2)`.
pub(super) fn pairings_agree(a: Point, key: &Key, b: Point) -> bool {
    let (a, b): (blst_p1_affine, blst_p1_affine) = (a.0.into(), b.0.into());
    let identity = blst_p1_affine::default();
    // Pairings with the identity agree on everything.
    if a == identity || b == identity {
        return false;
    }
    let Some(negative_base) = negative_base() else {
        return false;
    };
    let product = blst_fp12::miller_loop_n(&[key.0, negative_base.0], &[a, b]);
    product.final_exp() == blst_fp12::default()
}

/// `-BP2`.
fn negative_base() -> Option<&'static Key> {
    static KEY: OnceLock<Option<Key>> = OnceLock::new();
    KEY.get_or_init(|| Key::from_octets(&(-G2Affine::generator()).to_compressed()))
        .as_ref()
}
