//! Many Ed25519 signatures of one key at once, with exactly the verdict that each has alone.
//!
//! Batch verification as it is usually done multiplies each equation `s·B = R + h·A` by a random factor and adds
//! them all up. It accepts signatures that strict verification refuses: a signer can add a point of small order
//! to `R`, and one factor in eight makes it vanish
//! ([Taming the many EdDSAs](https://eprint.iacr.org/2020/1244), section 3). A verdict would then be a matter of luck.
//!
//! So two things are shown of the same random factors of 128 bits. The sum of the multiplied equations holds: what they
//! are off by in the group of prime order is caught but for one time in 2^128. And for each of the 128 bits, the sum of
//! those `R` whose factor has it is free of a part of small order: if one `R` has such a part, then of two factors that
//! differ in this bit alone at most one passes, so that each bit catches it every other time, and all of them but
//! for one time in 2^128. The key is free of such a part, so nothing else in an equation can be off.
//!
//! The sums by bits are also how the multiplied `R` are added up. What strict verification demands of a signature
//! besides its equation is checked for each.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::traits::IsIdentity as _;
use rand_core::CryptoRng;

use super::Signed;
use super::is_canonical;

/// From this number on a batch is faster than single checks: what is done once costs as much as about 100 of them.
pub(super) const WORTHWHILE: usize = 256;

/// Bytes of a random factor.
const BYTES: usize = 16;

/// `s·B = R + h·A`
struct Equation {
    r: EdwardsPoint,
    h: Scalar,
    s: Scalar,
}

/// Whether strict verification accepts every one of these signatures by `key` over these messages.
///
/// `key` is canonical and not of small order. `false` says that at least one signature is refused, not which, or that
/// the key has a part of small order, so that its signatures cannot be added up.
pub(super) fn verify(
    key: &ed25519_dalek::VerifyingKey,
    signed: &[(&[u8], &[u8; 64])],
    rng: &mut dyn CryptoRng,
) -> bool {
    let point = key.to_edwards();
    // Scalars are taken modulo the group order, which changes nothing for a point of that order alone.
    if !is_torsion_free(&point) {
        return false;
    }
    let mut buffer = Vec::new();
    let equations = signed.iter().map(|(message, signature)| {
        let Signed { r, h, s } = Signed::read(key, message, signature, &mut buffer)?;
        // Of two encodings of one point, the signature with the other is no signature.
        let r = is_canonical(&r.0).then_some(r)?.decompress()?;
        Some(Equation { r, h, s })
    });
    let Some(equations) = equations.collect::<Option<Vec<Equation>>>() else {
        return false;
    };
    let mut factors = vec![[0; BYTES]; equations.len()];
    rng.fill_bytes(factors.as_flattened_mut());

    let (mut h, mut s) = (Scalar::ZERO, Scalar::ZERO);
    for (equation, factor) in equations.iter().zip(&factors) {
        let factor = Scalar::from(u128::from_le_bytes(*factor));
        h += factor * equation.h;
        s += factor * equation.s;
    }
    let sums = sums_by_bits(&equations, &factors);
    let r = sums.iter().rev().fold(EdwardsPoint::identity(), |r, sum| r + r + sum);
    let rest = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, &point, &-s);
    (r + rest).is_identity() && sums.iter().all(is_torsion_free)
}

/// For each bit of the factors, the lowest first, the sum of those `R` whose factor has it.
fn sums_by_bits(equations: &[Equation], factors: &[[u8; BYTES]]) -> Vec<EdwardsPoint> {
    let mut sums = Vec::with_capacity(8 * BYTES);
    let mut of_byte = vec![EdwardsPoint::identity(); 256];
    for place in 0..BYTES {
        // First those with the same byte, so that each is added once instead of for every bit.
        of_byte.fill(EdwardsPoint::identity());
        for (equation, factor) in equations.iter().zip(factors) {
            let byte = factor.get(place).copied().unwrap_or_default();
            if let Some(sum) = of_byte.get_mut(usize::from(byte)) {
                *sum += equation.r;
            }
        }
        let mut rest = of_byte.as_mut_slice();
        let mut of_bits = [EdwardsPoint::identity(); 8];
        for sum in of_bits.iter_mut().rev() {
            // The upper half has the highest bit. Without it, it belongs to the lower half.
            let (without, with) = rest.split_at_mut(rest.len() / 2);
            for (lower, upper) in without.iter_mut().zip(with) {
                *sum += &*upper;
                *lower += &*upper;
            }
            rest = without;
        }
        sums.extend(of_bits);
    }
    sums
}

/// Whether the point is in the group of prime order l: l - 1 times it is its negative.
///
/// As `EdwardsPoint::is_torsion_free`, but not in constant time: nothing here is secret.
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO) == -point
}

#[cfg(test)]
mod tests {
    use super::super::tests::Issuer;
    use super::*;
    use crate::counter::Counter;

    type Signed = ([u8; 2], [u8; 64]);

    fn batch(issuer: &Issuer, signed: &[Signed], seed: u64) -> bool {
        let signed: Vec<_> = signed.iter().map(|(message, one)| (message.as_slice(), one)).collect();
        verify(&issuer.key, &signed, &mut Counter(seed << 32))
    }

    /// Signatures that strict verification accepts.
    fn genuine(issuer: &Issuer, number: usize) -> Vec<Signed> {
        let all = (0..u16::MAX).map(|at| {
            let message = at.to_be_bytes();
            (message, issuer.sign(&message, Scalar::from(u64::from(at) + 1), 0))
        });
        all.filter(|(message, one)| issuer.strict(message, one))
            .take(number)
            .collect()
    }

    #[test]
    fn sums_are_those_of_the_bits() {
        let point = |number: u64| EdwardsPoint::mul_base(&Scalar::from(number));
        let [one, two, four] = [1, 2, 4].map(|number| Equation {
            r: point(number),
            h: Scalar::ZERO,
            s: Scalar::ZERO,
        });
        let mut factors = [[0; BYTES]; 3];
        factors[0] = [0xff; BYTES];
        factors[1][0] = 0b101;
        factors[2][15] = 0x80;
        let sums = sums_by_bits(&[one, two, four], &factors);
        let expected = (0..128).map(|bit| match bit {
            0 | 2 => point(1 + 2),
            127 => point(1 + 4),
            _ => point(1),
        });
        assert_eq!(sums, expected.collect::<Vec<_>>());
    }

    #[test]
    fn torsion_is_seen() {
        let point = EdwardsPoint::mul_base(&Scalar::from(9_u64));
        for torsion in curve25519_dalek::constants::EIGHT_TORSION {
            assert_eq!(is_torsion_free(&(point + torsion)), torsion.is_identity());
            assert_eq!(is_torsion_free(&torsion), torsion.is_identity());
        }
    }

    #[test]
    fn genuine_signatures_pass_and_one_changed_one_does_not() {
        let issuer = Issuer::new(0);
        let genuine = genuine(&issuer, 20);
        for number in [0, 1, 2, 20] {
            assert!(batch(&issuer, &genuine[..number], 1), "{number}");
        }
        for place in [0, 7, 19] {
            for bit in [0, 200, 256, 300] {
                let mut changed = genuine.clone();
                changed[place].1[bit / 8] ^= 1 << (bit % 8);
                assert!(!batch(&issuer, &changed, 2), "signature {place}, bit {bit}");
            }
            let mut changed = genuine.clone();
            changed[place].0[0] ^= 0x80;
            assert!(!batch(&issuer, &changed, 3), "message {place}");
        }
    }

    /// Two faults that cancel out in a plain sum.
    #[test]
    fn signatures_that_are_wrong_together_are_refused() {
        let issuer = Issuer::new(0);
        let mut signed = genuine(&issuer, 4);
        for (place, change) in [(1, Scalar::ONE), (2, -Scalar::ONE)] {
            let s = &mut signed[place].1[32..];
            let changed = Scalar::from_canonical_bytes(s.try_into().unwrap()).unwrap() + change;
            s.copy_from_slice(changed.as_bytes());
        }
        assert!((0..20).all(|seed| !batch(&issuer, &signed, seed)));
    }

    /// Cofactored verification, and one random factor in two to eight, would accept these.
    #[test]
    fn points_of_small_order_in_r_are_refused() {
        let issuer = Issuer::new(0);
        for torsion in 1..8 {
            let cheating = ([0, 0], issuer.sign(&[0, 0], Scalar::from(9_u64), torsion));
            assert!(!issuer.strict(&cheating.0, &cheating.1));
            for others in [0, 1, 8] {
                let mut signed = genuine(&issuer, others);
                signed.push(cheating);
                assert!((0..20).all(|seed| !batch(&issuer, &signed, seed)), "order {torsion}");
            }
            // Two of them, whose small parts cancel out.
            let other = ([0, 1], issuer.sign(&[0, 1], Scalar::from(8_u64), 8 - torsion));
            assert!(
                (0..20).all(|seed| !batch(&issuer, &[cheating, other], seed)),
                "order {torsion}"
            );
        }
    }

    #[test]
    fn r_of_small_order_is_refused() {
        let issuer = Issuer::new(0);
        for torsion in 0..8 {
            let signature = issuer.sign(&[0, 0], Scalar::ZERO, torsion);
            assert!(!issuer.strict(&[0, 0], &signature));
            assert!(!batch(&issuer, &[([0, 0], signature)], 1), "{torsion}");
        }
    }

    #[test]
    fn s_beyond_the_group_order_is_refused() {
        let issuer = Issuer::new(0);
        let mut signed = genuine(&issuer, 2);
        // s + l, added byte by byte.
        let order = (-Scalar::ONE).to_bytes();
        let mut carry = 1_u16;
        for (to, from) in signed[1].1[32..].iter_mut().zip(order) {
            carry += u16::from(*to) + u16::from(from);
            *to = carry.to_be_bytes()[1];
            carry >>= 8;
        }
        assert!(!issuer.strict(&signed[1].0, &signed[1].1));
        assert!(!batch(&issuer, &signed, 1));
    }

    /// A key with a part of small order signs validly now and then; its signatures are left to single checks.
    #[test]
    fn keys_with_a_part_of_small_order_do_not_pass() {
        for torsion in 1..8 {
            let issuer = Issuer::new(torsion);
            let genuine = genuine(&issuer, 5);
            assert_eq!(genuine.len(), 5);
            assert!((1..=5).all(|number| !batch(&issuer, &genuine[..number], 1)));
        }
    }
}
