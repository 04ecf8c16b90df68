//! Many Ed25519 signatures of one key at once, with exactly the verdict that each has alone.
//!
//! Batch verification as it is usually done multiplies each equation `s·B = R + h·A` by a random factor and adds
//! them all up. It accepts signatures that strict verification refuses: a signer can add a point of small order
//! to `R`, and one factor in eight makes it vanish
//! ([Taming the many EdDSAs](https://eprint.iacr.org/2020/1244), section 3). A verdict would then be a matter of luck.
//!
//! Here nothing is multiplied. 128 random subsets of the equations are added up, and each sum must hold. If one
//! equation does not hold, whatever it is off by, then of two subsets that differ in this equation alone at most one
//! holds; so a random one holds with probability 1/2 at most, and all of them with 2^-128 at most. What strict
//! verification demands of a signature besides its equation is checked for each, so nothing else can differ.
//!
//! It pays from [`WORTHWHILE`] on; `benches/README.md` says how much.

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::traits::Identity as _;
use curve25519_dalek::traits::IsIdentity as _;
use rand_core::CryptoRng;
use sha2::Digest as _;
use sha2::Sha512;

use super::Signature;
use super::is_canonical_ed25519;

/// From this number on a batch is faster than single checks: the 128 sums cost as much as about 130 of them.
pub(super) const WORTHWHILE: usize = 256;

/// Subsets that one random byte decides about.
const SUBSETS_OF_A_BYTE: usize = 8;

/// Random bytes for each signature: 128 subsets.
const BYTES: usize = 16;

/// What is added up of the equations `R + h·A - s·B = 0`.
#[derive(Clone, Copy)]
struct Sum {
    r: EdwardsPoint,
    h: WideSum,
    s: WideSum,
}

/// Scalars added up as integers, little-endian, which the group order is taken from once at the end: below 2^253 each,
/// of fewer than 2^64.
#[derive(Clone, Copy)]
struct WideSum([u64; 5]);

/// Whether strict verification accepts every one of these signatures by `key` over these messages.
///
/// `key` is canonical and not of small order. `false` says that at least one signature is refused, not which, or that
/// the key has a part of small order, so that its signatures cannot be added up.
pub(super) fn verify(
    key: &ed25519_dalek::VerifyingKey,
    signed: &[(&[u8], &Signature)],
    rng: &mut dyn CryptoRng,
) -> bool {
    let point = key.to_edwards();
    // Sums of scalars are taken modulo the group order, which changes nothing for a point of that order alone.
    if !point.is_torsion_free() {
        return false;
    }
    let equation = |(message, signature): &(&[u8], &Signature)| equation(key, message, signature);
    let Some(equations) = signed.iter().map(equation).collect::<Option<Vec<Sum>>>() else {
        return false;
    };
    let mut random = vec![0; signed.len()];
    (0..BYTES).all(|_| {
        rng.fill_bytes(&mut random);
        sums_of_subsets(&equations, &random).iter().all(|sum| sum.holds(&point))
    })
}

/// Reads a signature as strict verification does (`VerifyingKey::verify_strict`): `s` below the group order, `R` a
/// point in its canonical encoding and not of small order.
fn equation(key: &ed25519_dalek::VerifyingKey, message: &[u8], signature: &Signature) -> Option<Sum> {
    let (r, s) = signature.as_bytes().split_first_chunk::<32>()?;
    let s = Scalar::from_canonical_bytes(s.try_into().ok()?).into_option()?;
    let point = CompressedEdwardsY(*r).decompress()?;
    if !is_canonical_ed25519(r) || point.is_small_order() {
        return None;
    }
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key.as_bytes())
        .chain_update(message);
    let h = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    Some(Sum {
        r: point,
        h: WideSum::of(&h),
        s: WideSum::of(&s),
    })
}

/// The sums of eight subsets: an equation is in the subset of every bit that its random byte has.
fn sums_of_subsets(equations: &[Sum], random: &[u8]) -> [Sum; SUBSETS_OF_A_BYTE] {
    // First those with the same byte, so that each is added once instead of for every bit.
    let mut of_byte = vec![Sum::zero(); 1 << SUBSETS_OF_A_BYTE];
    for (equation, byte) in equations.iter().zip(random) {
        if let Some(sum) = of_byte.get_mut(usize::from(*byte)) {
            sum.add(equation);
        }
    }
    let mut rest = of_byte.as_mut_slice();
    let mut sums = [Sum::zero(); SUBSETS_OF_A_BYTE];
    for sum in &mut sums {
        // The upper half has the highest bit. Without it, it belongs to the lower half.
        let (without, with) = rest.split_at_mut(rest.len() / 2);
        for (lower, upper) in without.iter_mut().zip(with) {
            sum.add(upper);
            lower.add(upper);
        }
        rest = without;
    }
    sums
}

impl Sum {
    fn zero() -> Self {
        Self {
            r: EdwardsPoint::identity(),
            h: WideSum([0; 5]),
            s: WideSum([0; 5]),
        }
    }

    fn add(&mut self, other: &Self) {
        self.r += other.r;
        self.h.add(&other.h);
        self.s.add(&other.s);
    }

    /// In the whole group: no cofactor clears what is of small order.
    fn holds(&self, key: &EdwardsPoint) -> bool {
        let (h, s) = (self.h.reduced(), self.s.reduced());
        let rest = EdwardsPoint::vartime_double_scalar_mul_basepoint(&h, key, &-s);
        (self.r + rest).is_identity()
    }
}

impl WideSum {
    fn of(scalar: &Scalar) -> Self {
        let (words, _) = scalar.as_bytes().as_chunks::<8>();
        let mut sum = [0; 5];
        for (to, word) in sum.iter_mut().zip(words) {
            *to = u64::from_le_bytes(*word);
        }
        Self(sum)
    }

    fn add(&mut self, other: &Self) {
        let mut carry = false;
        for (to, word) in self.0.iter_mut().zip(other.0) {
            (*to, carry) = to.carrying_add(word, carry);
        }
    }

    fn reduced(&self) -> Scalar {
        let mut bytes = [0; 64];
        for (to, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        Scalar::from_bytes_mod_order_wide(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::scalar::clamp_integer;

    use super::*;

    /// Not random, so that a failure can be repeated: SHA-512 of a counter.
    struct Counter(u64);

    impl rand_core::TryRng for Counter {
        type Error = core::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            rand_core::utils::next_word_via_fill(self)
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for chunk in bytes.chunks_mut(64) {
                self.0 += 1;
                let hash = Sha512::digest(self.0.to_be_bytes());
                chunk.copy_from_slice(&hash[..chunk.len()]);
            }
            Ok(())
        }
    }

    impl rand_core::TryCryptoRng for Counter {}

    /// A signer who may cheat: adds points of small order to its key and to `R`.
    struct Issuer {
        secret: Scalar,
        key: ed25519_dalek::VerifyingKey,
    }

    impl Issuer {
        fn new(torsion: usize) -> Self {
            let secret = Scalar::from_bytes_mod_order(clamp_integer([7; 32]));
            let key = (EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[torsion]).into();
            Self { secret, key }
        }

        fn sign(&self, message: &[u8], r: Scalar, torsion: usize) -> Signature {
            let point = (EdwardsPoint::mul_base(&r) + EIGHT_TORSION[torsion]).compress();
            let hash = Sha512::new()
                .chain_update(point.as_bytes())
                .chain_update(self.key.as_bytes())
                .chain_update(message);
            let s = r + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * self.secret;
            Signature::from_bytes(&[point.to_bytes(), s.to_bytes()].concat()).unwrap()
        }

        fn strict(&self, message: &[u8], signature: &Signature) -> bool {
            let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes().try_into().unwrap());
            self.key.verify_strict(message, &signature).is_ok()
        }

        fn batch(&self, signed: &[([u8; 2], Signature)], seed: u64) -> bool {
            let signed: Vec<_> = signed.iter().map(|(message, one)| (message.as_slice(), one)).collect();
            verify(&self.key, &signed, &mut Counter(seed << 32))
        }

        /// Signatures that strict verification accepts.
        fn genuine(&self, number: usize) -> Vec<([u8; 2], Signature)> {
            let all = (0..u16::MAX).map(|at| {
                let message = at.to_be_bytes();
                (message, self.sign(&message, Scalar::from(u64::from(at) + 1), 0))
            });
            all.filter(|(message, one)| self.strict(message, one))
                .take(number)
                .collect()
        }
    }

    fn edited(signature: &Signature, edit: impl FnOnce(&mut [u8])) -> Signature {
        let mut bytes = signature.as_bytes().to_vec();
        edit(&mut bytes);
        Signature::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn sums_are_reduced_at_the_end() {
        let largest = -Scalar::ONE;
        let mut sum = WideSum([0; 5]);
        for number in 0..5_000_u64 {
            assert_eq!(sum.reduced(), largest * Scalar::from(number));
            sum.add(&WideSum::of(&largest));
        }
    }

    #[test]
    fn genuine_signatures_pass_and_one_changed_one_does_not() {
        let issuer = Issuer::new(0);
        let genuine = issuer.genuine(20);
        for number in [0, 1, 2, 20] {
            assert!(issuer.batch(&genuine[..number], 1), "{number}");
        }
        for place in [0, 7, 19] {
            for bit in [0, 200, 256, 300] {
                let mut changed = genuine.clone();
                changed[place].1 = edited(&changed[place].1, |bytes| bytes[bit / 8] ^= 1 << (bit % 8));
                assert!(!issuer.batch(&changed, 2), "signature {place}, bit {bit}");
            }
            let mut changed = genuine.clone();
            changed[place].0[0] ^= 0x80;
            assert!(!issuer.batch(&changed, 3), "message {place}");
        }
    }

    /// Two faults that cancel out in a plain sum.
    #[test]
    fn signatures_that_are_wrong_together_are_refused() {
        let issuer = Issuer::new(0);
        let mut signed = issuer.genuine(4);
        for (place, change) in [(1, Scalar::ONE), (2, -Scalar::ONE)] {
            signed[place].1 = edited(&signed[place].1, |bytes| {
                let s = Scalar::from_canonical_bytes(bytes[32..].try_into().unwrap()).unwrap() + change;
                bytes[32..].copy_from_slice(s.as_bytes());
            });
        }
        assert!((0..20).all(|seed| !issuer.batch(&signed, seed)));
    }

    /// Cofactored verification, and one random factor in two to eight, would accept these.
    #[test]
    fn points_of_small_order_in_r_are_refused() {
        let issuer = Issuer::new(0);
        for torsion in 1..8 {
            let cheating = ([0, 0], issuer.sign(&[0, 0], Scalar::from(9_u64), torsion));
            assert!(!issuer.strict(&cheating.0, &cheating.1));
            for others in [0, 1, 8] {
                let mut signed = issuer.genuine(others);
                signed.push(cheating);
                assert!((0..20).all(|seed| !issuer.batch(&signed, seed)), "order {torsion}");
            }
            // Two of them, whose small parts cancel out.
            let other = ([0, 1], issuer.sign(&[0, 1], Scalar::from(8_u64), 8 - torsion));
            assert!(
                (0..20).all(|seed| !issuer.batch(&[cheating, other], seed)),
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
            assert!(!issuer.batch(&[([0, 0], signature)], 1), "{torsion}");
        }
    }

    #[test]
    fn s_beyond_the_group_order_is_refused() {
        let issuer = Issuer::new(0);
        let mut signed = issuer.genuine(2);
        // s + l, added byte by byte.
        let order = (-Scalar::ONE).to_bytes();
        signed[1].1 = edited(&signed[1].1, |bytes| {
            let mut carry = 1_u16;
            for (to, from) in bytes[32..].iter_mut().zip(order) {
                carry += u16::from(*to) + u16::from(from);
                *to = carry.to_be_bytes()[1];
                carry >>= 8;
            }
        });
        assert!(!issuer.strict(&signed[1].0, &signed[1].1));
        assert!(!issuer.batch(&signed, 1));
    }

    /// A key with a part of small order signs validly now and then; its signatures are left to single checks.
    #[test]
    fn keys_with_a_part_of_small_order_do_not_pass() {
        for torsion in 1..8 {
            let issuer = Issuer::new(torsion);
            let genuine = issuer.genuine(5);
            assert_eq!(genuine.len(), 5);
            assert!((1..=5).all(|number| !issuer.batch(&genuine[..number], 1)));
        }
    }
}
