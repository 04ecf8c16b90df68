//! Sums of multiples of points, in a time that depends on their number alone.

use bls12_381::G1Affine;
use bls12_381::G1Projective;
use bls12_381::Scalar;
use subtle::ConditionallySelectable as _;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Four bits of a scalar at a time.
const MULTIPLES: usize = 16;
const DIGITS: usize = 64;

/// A point and its multiple.
pub(super) struct Term {
    multiples: [G1Projective; MULTIPLES],
    /// Of the scalar, the most significant first.
    digits: Zeroizing<[u8; DIGITS]>,
}

impl Term {
    pub(super) fn new(point: &G1Affine, scalar: &Scalar) -> Self {
        let mut next = G1Projective::identity();
        let multiples = std::array::from_fn(|_| {
            let multiple = next;
            next = next.add_mixed(point);
            multiple
        });
        let bytes = Zeroizing::new(scalar.to_bytes());
        let mut digits = Zeroizing::new([0; DIGITS]);
        let nibbles = bytes.iter().rev().flat_map(|byte| [byte >> 4, byte & 0xf]);
        for (digit, nibble) in digits.iter_mut().zip(nibbles) {
            *digit = nibble;
        }
        Self { multiples, digits }
    }

    /// The multiple for one digit. Every one of the table is read, so that no cache tells which was wanted.
    fn multiple(&self, position: usize) -> G1Projective {
        let digit = self.digits.get(position).copied().unwrap_or(0);
        let mut chosen = G1Projective::identity();
        for (number, multiple) in (0_u8..).zip(&self.multiples) {
            chosen.conditional_assign(multiple, number.ct_eq(&digit));
        }
        chosen
    }
}

/// The sum of the terms. The additions of `bls12_381` are complete: they have no special cases to tell apart.
pub(super) fn sum(terms: &[Term]) -> G1Projective {
    let mut sum = G1Projective::identity();
    for position in 0..DIGITS {
        for _ in 0..4 {
            sum = sum.double();
        }
        for term in terms {
            sum += term.multiple(position);
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sum_of_the_products() {
        let base = G1Affine::generator();
        let other = G1Affine::from(base * Scalar::from(5));
        let scalars = [
            Scalar::zero(),
            Scalar::one(),
            -Scalar::one(),
            Scalar::from(0x0123_4567_89ab_cdef).square(),
        ];
        for first in &scalars {
            for second in &scalars {
                let sum = sum(&[Term::new(&base, first), Term::new(&other, second)]);
                assert_eq!(sum, base * first + other * second);
            }
        }
    }
}
