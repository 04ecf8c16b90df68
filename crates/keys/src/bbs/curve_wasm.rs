//! The curve for public values in pure Rust, for WebAssembly.

use bls12_381::G1Affine;
use bls12_381::G2Affine;
use bls12_381::G2Prepared;
use bls12_381::Gt;
use bls12_381::Scalar;
use bls12_381::multi_miller_loop;

use super::G1_BYTES;
use super::G2_BYTES;
use super::combination;
use super::combination::Term;

/// A point of the subgroup G1.
#[derive(Clone, Copy)]
pub(super) struct Point(G1Affine);

/// A point of the subgroup G2, not the identity, prepared for pairings.
pub(super) struct Key(G2Prepared);

impl Point {
    /// `octets_to_point_E1` with the subgroup check; `None` for the identity as well.
    pub(super) fn from_octets(octets: &[u8; G1_BYTES]) -> Option<Self> {
        let point: Option<G1Affine> = G1Affine::from_compressed(octets).into();
        point.filter(|point| !bool::from(point.is_identity())).map(Self)
    }

    /// The sum of the multiples.
    pub(super) fn sum(terms: &[(Self, Scalar)]) -> Self {
        let terms: Vec<Term> = terms
            .iter()
            .map(|(point, scalar)| Term::new(&point.0, scalar))
            .collect();
        Self(combination::sum(&terms).into())
    }

    pub(super) fn to_octets(self) -> [u8; G1_BYTES] {
        self.0.to_compressed()
    }
}

impl Key {
    /// The same for G2.
    pub(super) fn from_octets(octets: &[u8; G2_BYTES]) -> Option<Self> {
        let point: Option<G2Affine> = G2Affine::from_compressed(octets).into();
        point
            .filter(|point| !bool::from(point.is_identity()))
            .map(|point| Self(point.into()))
    }
}

/// Whether `e(a, key) = e(b, BP2)`.
pub(super) fn pairings_agree(a: Point, key: &Key, b: Point) -> bool {
    // Pairings with the identity agree on everything.
    if bool::from(a.0.is_identity() | b.0.is_identity()) {
        return false;
    }
    let negative_base = G2Prepared::from(-G2Affine::generator());
    let product = multi_miller_loop(&[(&a.0, &key.0), (&b.0, &negative_base)]);
    product.final_exponentiation() == Gt::identity()
}
