//! Public keys and the one place where a signature is checked: [`PublicKey::verify`].
//!
//! A key is validated when it is made, so a `PublicKey` in hand can be used: the point is on its curve and
//! is not one of the weak Ed25519 points that verify signatures of anything.

use std::fmt;

use thiserror::Error;

use crate::Algorithm;
use crate::Jwk;
use crate::base64url;
use crate::multibase;

#[cfg(not(target_family = "wasm"))]
#[path = "p256_native.rs"]
mod p256_backend;
#[cfg(target_family = "wasm")]
#[path = "p256_wasm.rs"]
mod p256_backend;

/// Multicodec prefixes, as varints ([Controlled Identifiers, Multikey](https://www.w3.org/TR/cid-1.0/#Multikey)).
const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];
const P256_MULTICODEC: [u8; 2] = [0x80, 0x24];

/// A validated public key.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// An Ed25519 key.
    Ed25519(Ed25519PublicKey),
    /// A P-256 key.
    P256(P256PublicKey),
}

/// A validated Ed25519 key: canonical, and not of small order.
#[derive(Clone, PartialEq, Eq)]
pub struct Ed25519PublicKey(ed25519_dalek::VerifyingKey);

/// A validated P-256 key, with the parsed form that verification wants.
#[derive(Clone)]
pub struct P256PublicKey {
    /// Uncompressed SEC1: `04`, x, y.
    sec1: [u8; 65],
    parsed: p256_backend::ParsedKey,
}

/// A signature of either algorithm: 64 bytes, for P-256 `r` and `s` as in JWS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

/// The signature is not this key's over this message. Deliberately says no more.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected a signature by this key over this message, found none")]
pub struct SignatureError;

/// The peer sent bytes that are not a usable public key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyError {
    /// Bytes that are no point of the curve, or a weak one.
    #[error("expected a valid {curve} public key, found other bytes")]
    Invalid {
        /// The curve.
        curve: &'static str,
    },
    /// A kind of key that we do not verify with.
    #[error("expected an Ed25519 or P-256 key, found {found}")]
    Unsupported {
        /// What was declared.
        found: String,
    },
    /// Broken multibase text.
    #[error("expected a Multikey in multibase")]
    Multibase(#[from] multibase::MultibaseError),
    /// The declared `alg` of the JWK does not fit its curve.
    #[error("expected alg {expected} on this curve, found {found}")]
    WrongAlgorithm {
        /// What fits the curve.
        expected: Algorithm,
        /// What the JWK says.
        found: String,
    },
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point, not the canonical encoding of one, or of small order.
    pub fn from_ed25519(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid { curve: "Ed25519" };
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| invalid())?;
        if key.is_weak() || !is_canonical_ed25519(bytes) {
            return Err(invalid());
        }
        Ok(Self::Ed25519(Ed25519PublicKey(key)))
    }

    /// A P-256 key from SEC1 bytes, compressed (33) or not (65).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the curve.
    pub fn from_p256_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid { curve: "P-256" };
        let sec1: [u8; 65] = if bytes.len() == 65 {
            bytes.try_into().map_err(|_| invalid())?
        } else {
            use p256::elliptic_curve::sec1::ToSec1Point as _;
            let key = p256::PublicKey::from_sec1_bytes(bytes).map_err(|_| invalid())?;
            key.to_sec1_point(false).as_bytes().try_into().map_err(|_| invalid())?
        };
        let parsed = p256_backend::parse(&sec1).ok_or_else(invalid)?;
        Ok(Self::P256(P256PublicKey { sec1, parsed }))
    }

    /// A key from a `publicKeyMultibase` value of type Multikey: `z6Mk...` or `zDn...`.
    ///
    /// # Errors
    /// [`KeyError`]; other kinds of key are [`KeyError::Unsupported`].
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        let bytes = multibase::decode(text)?;
        if let Some(key) = bytes.strip_prefix(&ED25519_MULTICODEC) {
            let key = key.try_into().map_err(|_| KeyError::Invalid { curve: "Ed25519" })?;
            Self::from_ed25519(key)
        } else if let Some(key) = bytes.strip_prefix(&P256_MULTICODEC) {
            if key.len() != 33 {
                return Err(KeyError::Invalid { curve: "P-256" });
            }
            Self::from_p256_sec1(key)
        } else {
            let prefix: Vec<u8> = bytes.iter().take(2).copied().collect();
            Err(KeyError::Unsupported {
                found: format!("multicodec prefix {prefix:02x?}"),
            })
        }
    }

    /// A key from a public JWK.
    ///
    /// # Errors
    /// [`KeyError`]; an `alg` that does not fit the curve is refused.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("OKP", "Ed25519", None) => Self::from_ed25519(&coordinate(&jwk.x, "Ed25519")?)?,
            ("EC", "P-256", Some(y)) => {
                let mut sec1 = [4; 65];
                let (x, y): ([u8; 32], [u8; 32]) = (coordinate(&jwk.x, "P-256")?, coordinate(y, "P-256")?);
                for (to, from) in sec1.iter_mut().skip(1).zip(x.iter().chain(&y)) {
                    *to = *from;
                }
                Self::from_p256_sec1(&sec1)?
            }
            (kty, crv, _) => {
                return Err(KeyError::Unsupported {
                    found: format!("kty {kty:?} with crv {crv:?}"),
                });
            }
        };
        match &jwk.alg {
            Some(alg) if Algorithm::from_jose_name(alg) != Some(key.algorithm()) => Err(KeyError::WrongAlgorithm {
                expected: key.algorithm(),
                found: alg.clone(),
            }),
            _ => Ok(key),
        }
    }

    /// The one algorithm this key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    /// Checks `signature` over `message`: Ed25519 strictly (no small-order points, no malleability),
    /// P-256 over the SHA-256 of the message (high `s` is valid, as in JWS).
    ///
    /// # Errors
    /// [`SignatureError`] when it is not this key's signature.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match self {
            Self::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
                key.0.verify_strict(message, &signature).map_err(|_| SignatureError)
            }
            Self::P256(key) => p256_backend::verify(&key.parsed, message, &signature.0),
        }
    }

    /// The key as a public JWK, without `kid` and `alg`.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        match self {
            Self::Ed25519(key) => Jwk::from_coordinates("OKP", "Ed25519", key.0.as_bytes(), None),
            Self::P256(key) => {
                let (x, y) = key.coordinates();
                Jwk::from_coordinates("EC", "P-256", x, Some(y))
            }
        }
    }

    /// The key as Multikey text: `z6Mk...` or `zDn...`.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        let bytes = match self {
            Self::Ed25519(key) => [ED25519_MULTICODEC.as_slice(), key.0.as_bytes()].concat(),
            Self::P256(key) => {
                let (x, y) = key.coordinates();
                let y_is_odd = y.last().is_some_and(|byte| byte & 1 == 1);
                [P256_MULTICODEC.as_slice(), &[if y_is_odd { 3 } else { 2 }], x].concat()
            }
        };
        multibase::encode_base58btc(&bytes)
    }

    /// The 32 bytes of an Ed25519 key, as signed notes carry them; `None` for P-256.
    #[must_use]
    pub fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match self {
            Self::Ed25519(key) => Some(key.0.to_bytes()),
            Self::P256(_) => None,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_multikey())
    }
}

impl P256PublicKey {
    /// Uncompressed SEC1.
    pub(crate) const fn sec1(&self) -> &[u8; 65] {
        &self.sec1
    }

    /// x and y, 32 bytes each.
    fn coordinates(&self) -> (&[u8], &[u8]) {
        let point = self.sec1.split_first().map_or(&[][..], |(_, point)| point);
        point.split_at(point.len() / 2)
    }
}

impl PartialEq for P256PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.sec1 == other.sec1
    }
}

impl Eq for P256PublicKey {}

impl Signature {
    /// A signature from its 64 bytes.
    ///
    /// # Errors
    /// [`SignatureError`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        bytes.try_into().map(Self).map_err(|_| SignatureError)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", base64url::encode(self.0))
    }
}

fn coordinate(text: &str, curve: &'static str) -> Result<[u8; 32], KeyError> {
    let bytes = base64url::decode(text).map_err(|_| KeyError::Invalid { curve })?;
    bytes.try_into().map_err(|_| KeyError::Invalid { curve })
}

/// Whether the y coordinate is below the field prime 2^255 - 19. dalek reduces it silently, which would
/// give one key several encodings.
fn is_canonical_ed25519(bytes: &[u8; 32]) -> bool {
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
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    const ED25519_KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const ED25519_SIGNATURE: &str = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    fn ed25519() -> PublicKey {
        PublicKey::from_ed25519(&hex(ED25519_KEY).try_into().unwrap()).unwrap()
    }

    /// RFC 7515, appendix A.3.
    fn p256() -> (PublicKey, Vec<u8>, Signature) {
        let jwk = Jwk::from_value(&serde_json::json!({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})).unwrap();
        let message = b"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ".to_vec();
        let signature =
            base64url::decode("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
                .unwrap();
        (
            PublicKey::from_jwk(&jwk).unwrap(),
            message,
            Signature::from_bytes(&signature).unwrap(),
        )
    }

    #[test]
    fn ed25519_vector_of_rfc_8032() {
        let signature = Signature::from_bytes(&hex(ED25519_SIGNATURE)).unwrap();
        assert_eq!(ed25519().verify(&[0x72], &signature), Ok(()));
        assert_eq!(ed25519().verify(&[0x73], &signature), Err(SignatureError));
    }

    #[test]
    fn p256_vector_of_rfc_7515() {
        let (key, mut message, signature) = p256();
        assert_eq!(key.verify(&message, &signature), Ok(()));
        message[0] ^= 1;
        assert_eq!(key.verify(&message, &signature), Err(SignatureError));
    }

    #[test]
    fn encodings_round_trip() {
        for key in [ed25519(), p256().0] {
            assert_eq!(PublicKey::from_multikey(&key.to_multikey()).unwrap(), key);
            assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        }
        assert!(ed25519().to_multikey().starts_with("z6Mk"));
        assert!(p256().0.to_multikey().starts_with("zDn"));
    }

    #[test]
    fn weak_and_non_canonical_ed25519_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        // The same point of order 4 twice: y = 0, and y = p, which is 0 written non-canonically.
        let mut prime = [0xff; 32];
        (prime[0], prime[31]) = (0xed, 0x7f);
        // y = p + 3: a good point, written non-canonically.
        let mut above = prime;
        above[0] = 0xf0;
        for weak in [identity, [0; 32], prime, above] {
            assert_eq!(
                PublicKey::from_ed25519(&weak),
                Err(KeyError::Invalid { curve: "Ed25519" }),
                "{weak:02x?}"
            );
        }
        let mut canonical = [0; 32];
        canonical[0] = 3;
        assert!(PublicKey::from_ed25519(&canonical).is_ok());
    }

    #[test]
    fn a_point_off_the_curve_is_refused() {
        let (key, ..) = p256();
        let mut jwk = key.to_jwk();
        jwk.y = Some(jwk.x.clone());
        assert_eq!(PublicKey::from_jwk(&jwk), Err(KeyError::Invalid { curve: "P-256" }));
    }

    #[test]
    fn alg_must_fit_the_curve() {
        let mut jwk = ed25519().to_jwk();
        jwk.alg = Some("Ed25519".to_owned());
        assert!(PublicKey::from_jwk(&jwk).is_ok());
        jwk.alg = Some("ES256".to_owned());
        assert!(matches!(
            PublicKey::from_jwk(&jwk),
            Err(KeyError::WrongAlgorithm { .. })
        ));
    }
}
