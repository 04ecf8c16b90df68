use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::scalar::clamp_integer;
use proptest::prelude::*;
use sha2::Digest as _;
use sha2::Sha512;

use super::*;

/// A signer who may cheat: adds points of small order to its key and to `R`.
pub(super) struct Issuer {
    secret: Scalar,
    pub(super) key: ed25519_dalek::VerifyingKey,
}

impl Issuer {
    pub(super) fn new(torsion: usize) -> Self {
        let secret = Scalar::from_bytes_mod_order(clamp_integer([7; 32]));
        let key = (EdwardsPoint::mul_base(&secret) + EIGHT_TORSION[torsion]).into();
        Self { secret, key }
    }

    pub(super) fn sign(&self, message: &[u8], r: Scalar, torsion: usize) -> [u8; 64] {
        let point = (EdwardsPoint::mul_base(&r) + EIGHT_TORSION[torsion]).compress();
        self.sign_with(message, r, point.to_bytes())
    }

    /// With these bytes as `R`.
    fn sign_with(&self, message: &[u8], r: Scalar, encoded: [u8; 32]) -> [u8; 64] {
        let hash = Sha512::new()
            .chain_update(encoded)
            .chain_update(self.key.as_bytes())
            .chain_update(message);
        let s = r + Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * self.secret;
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&encoded);
        signature[32..].copy_from_slice(s.as_bytes());
        signature
    }

    /// What the library says.
    pub(super) fn strict(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }

    /// What we say, which must be the same.
    fn accepts(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let ours = Ed25519PublicKey(self.key).verify(message, signature).is_ok();
        assert_eq!(
            ours,
            self.strict(message, signature),
            "{signature:02x?} over {message:02x?}"
        );
        ours
    }
}

#[test]
fn every_point_of_small_order_is_known() {
    let mut found = Vec::new();
    for point in EIGHT_TORSION {
        let encoded = point.compress().to_bytes();
        assert!(is_of_small_order(&encoded), "{encoded:02x?}");
        let mut y = encoded;
        y[31] &= 0x7f;
        found.push(y);
    }
    assert!(SMALL_ORDER.iter().all(|known| found.contains(known)));
    assert!(!is_of_small_order(Issuer::new(0).key.as_bytes()));
}

/// Keys and `R` with every part of small order: some of the signatures are good if their hash is a multiple of that order.
#[test]
fn parts_of_small_order_have_the_strict_verdict() {
    let mut accepted = [0; 8];
    for of_key in 0..8 {
        let issuer = Issuer::new(of_key);
        for (of_r, accepted) in accepted.iter_mut().enumerate() {
            for number in 0..32_u8 {
                let signature = issuer.sign(&[number], Scalar::from(u64::from(number) + 1), of_r);
                *accepted += usize::from(issuer.accepts(&[number], &signature));
            }
        }
    }
    // The part in `R` and that in `h·A` cancel out now and then, but never without one in the key.
    assert!(accepted.iter().all(|number| *number > 0), "{accepted:?}");
    let honest = Issuer::new(0);
    assert!(honest.accepts(b"", &honest.sign(b"", Scalar::from(5_u64), 0)));
    assert!((1..8).all(|of_r| !honest.accepts(b"", &honest.sign(b"", Scalar::from(5_u64), of_r))));
}

/// `s` is right for each; only that the point is of small order, or its encoding not the canonical one, is wrong.
#[test]
fn r_of_small_order_is_refused_in_every_encoding() {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let mut above = prime;
    above[0] = 0xee;
    let canonical = EIGHT_TORSION.map(|point| point.compress().to_bytes());
    for mut encoded in canonical.into_iter().chain([prime, above]) {
        for _ in 0..2 {
            for of_key in 0..8 {
                let issuer = Issuer::new(of_key);
                for message in 0..16 {
                    assert!(!issuer.accepts(&[message], &issuer.sign_with(&[message], Scalar::ZERO, encoded)));
                }
            }
            // The other sign of x.
            encoded[31] ^= 0x80;
        }
    }
}

/// y = p + 3 is the point of y = 3, written in another way.
#[test]
fn r_in_another_encoding_is_refused() {
    let mut encoded = [0xff; 32];
    (encoded[0], encoded[31]) = (0xf0, 0x7f);
    assert!(!is_canonical(&encoded));
    let issuer = Issuer::new(0);
    assert!(!issuer.accepts(b"", &issuer.sign_with(b"", Scalar::ZERO, encoded)));
}

proptest! {
    #[test]
    fn changed_signatures_have_the_strict_verdict(
        number in 1_u64..1000,
        changes in prop::collection::vec((0_usize..64, any::<u8>()), 0..3),
    ) {
        let issuer = Issuer::new(0);
        let message = number.to_be_bytes();
        let genuine = issuer.sign(&message, Scalar::from(number), 0);
        let mut signature = genuine;
        for (place, byte) in changes {
            signature[place] = byte;
        }
        prop_assert_eq!(issuer.accepts(&message, &signature), signature == genuine);
    }

    #[test]
    fn any_bytes_have_the_strict_verdict(key: [u8; 32], signature: [u8; 32], s: [u8; 32], message: [u8; 4]) {
        if let Some(key) = Ed25519PublicKey::from_bytes(&key) {
            let issuer = Issuer { secret: Scalar::ZERO, key: key.0 };
            let mut bytes = [0; 64];
            bytes[..32].copy_from_slice(&signature);
            bytes[32..].copy_from_slice(&s);
            prop_assert!(!issuer.accepts(&message, &bytes));
        }
    }
}
