//! Public keys and the one place where a signature is checked: [`PublicKey::verify`].
//!
//! A key is validated when it is made, so a `PublicKey` in hand can be used: the point is on its curve and
//! is not one of the weak Ed25519 points that verify signatures of anything.

use std::fmt;

use rand_core::CryptoRng;
use thiserror::Error;

use crate::Algorithm;

use crate::Jwk;
use crate::base64url;
use crate::bbs;
use crate::ed25519::Ed25519PublicKey;
use crate::multibase;

#[cfg(not(target_family = "wasm"))]
#[path = "ecdsa_native.rs"]
pub(crate) mod ecdsa_backend;
#[cfg(target_family = "wasm")]
#[path = "ecdsa_wasm.rs"]
pub(crate) mod ecdsa_backend;

/// Multicodec prefix, as a varint ([Controlled Identifiers, Multikey](https://www.w3.org/TR/cid-1.0/#Multikey)).
const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];
const BLS12381_G2_MULTICODEC: [u8; 2] = [0xeb, 0x01];

/// Its JWK curve ([draft-ietf-cose-bls-key-representations](https://datatracker.ietf.org/doc/draft-ietf-cose-bls-key-representations/)).
const BLS12381_G2_CURVE: &str = "BLS12381G2";

/// Uncompressed SEC1 of the largest curve.
const MAX_SEC1_BYTES: usize = 133;

/// A validated public key.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// A BLS12-381 key in G2, which verifies BBS.
    Bls12381G2(bbs::PublicKey),
    /// An Ed25519 key.
    Ed25519(Ed25519PublicKey),
    /// A P-256 key.
    P256(EcPublicKey),
    /// A P-384 key.
    P384(EcPublicKey),
    /// A P-521 key.
    P521(EcPublicKey),
}

/// A validated key of a NIST curve, with the parsed form that verification wants.
#[derive(Clone)]
pub struct EcPublicKey {
    curve: EcCurve,
    /// Uncompressed SEC1: `04`, x, y; zeros behind.
    sec1: [u8; MAX_SEC1_BYTES],
    parsed: ecdsa_backend::ParsedKey,
}

/// The curves of ECDSA.
#[derive(Clone, Copy, PartialEq, Eq)]
enum EcCurve {
    P256,
    P384,
    P521,
}

/// A signature of any algorithm: 64 bytes, 96 for P-384, 132 for P-521, for ECDSA `r` and `s` as in JWS; or the 80 bytes of BBS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(Bytes);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bytes {
    Bbs(bbs::Signature),
    Of64([u8; 64]),
    Of96([u8; 96]),
    Of132([u8; 132]),
}

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
    #[error("expected an Ed25519, P-256, P-384, P-521 or BLS12-381 G2 key, found {found}")]
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
        let key = Ed25519PublicKey::from_bytes(bytes).ok_or(KeyError::Invalid { curve: "Ed25519" })?;
        Ok(Self::Ed25519(key))
    }

    /// A P-256 key from SEC1 bytes, compressed (33) or not (65).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the curve.
    pub fn from_p256_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        EcPublicKey::from_sec1(EcCurve::P256, bytes).map(Self::P256)
    }

    /// A P-384 key from SEC1 bytes, compressed (49) or not (97).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the curve.
    pub fn from_p384_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        EcPublicKey::from_sec1(EcCurve::P384, bytes).map(Self::P384)
    }

    /// A P-521 key from SEC1 bytes, compressed (67) or not (133).
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the curve.
    pub fn from_p521_sec1(bytes: &[u8]) -> Result<Self, KeyError> {
        EcPublicKey::from_sec1(EcCurve::P521, bytes).map(Self::P521)
    }

    /// A BLS12-381 key from its 96 bytes, the compressed point of G2.
    ///
    /// # Errors
    /// [`KeyError::Invalid`] for bytes that are no point of the subgroup, or the identity.
    pub fn from_bls12381_g2(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes.try_into().map_err(|_| KeyError::Invalid { curve: "BLS12-381" })?;
        bbs::PublicKey::from_bytes(bytes).map(Self::Bls12381G2)
    }

    /// A key from a `publicKeyMultibase` value of type Multikey: `z6Mk...`, `zDn...`, `z82...`, `z2J9...` or `zUC7...`.
    ///
    /// # Errors
    /// [`KeyError`]; other kinds of key are [`KeyError::Unsupported`].
    pub fn from_multikey(text: &str) -> Result<Self, KeyError> {
        Self::from_multikey_bytes(&multibase::decode(text)?)
    }

    /// A key from the bytes of a Multikey: the multicodec prefix, then the key.
    ///
    /// # Errors
    /// [`KeyError`]; other kinds of key are [`KeyError::Unsupported`].
    pub fn from_multikey_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if let Some(key) = bytes.strip_prefix(&ED25519_MULTICODEC) {
            let key = key.try_into().map_err(|_| KeyError::Invalid { curve: "Ed25519" })?;
            return Self::from_ed25519(key);
        }
        if let Some(key) = bytes.strip_prefix(&BLS12381_G2_MULTICODEC) {
            return Self::from_bls12381_g2(key);
        }
        for curve in EcCurve::ALL {
            if let Some(point) = bytes.strip_prefix(&curve.multicodec()) {
                if point.len() != 1 + curve.coordinate_bytes() {
                    return Err(KeyError::Invalid { curve: curve.name() });
                }
                return EcPublicKey::from_sec1(curve, point).map(Self::from);
            }
        }
        let prefix: Vec<u8> = bytes.iter().take(2).copied().collect();
        Err(KeyError::Unsupported {
            found: format!("multicodec prefix {prefix:02x?}"),
        })
    }

    /// A key from a public JWK.
    ///
    /// # Errors
    /// [`KeyError`]; an `alg` that does not fit the curve is refused.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        let key = match (jwk.kty.as_str(), jwk.crv.as_str(), &jwk.y) {
            ("OKP", "Ed25519", None) => Self::from_ed25519(&coordinate(&jwk.x, "Ed25519")?)?,
            ("EC", "P-256", Some(y)) => Self::P256(EcPublicKey::from_coordinates::<32>(EcCurve::P256, &jwk.x, y)?),
            ("EC", "P-384", Some(y)) => Self::P384(EcPublicKey::from_coordinates::<48>(EcCurve::P384, &jwk.x, y)?),
            ("EC", "P-521", Some(y)) => Self::P521(EcPublicKey::from_coordinates::<66>(EcCurve::P521, &jwk.x, y)?),
            ("OKP", BLS12381_G2_CURVE, None) => {
                let invalid = |_| KeyError::Invalid { curve: "BLS12-381" };
                Self::from_bls12381_g2(&base64url::decode(&jwk.x).map_err(invalid)?)?
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
            Self::Bls12381G2(_) => Algorithm::Bbs,
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::P384(_) => Algorithm::Es384,
            Self::P521(_) => Algorithm::Es512,
        }
    }

    /// Checks `signature` over `message`: Ed25519 strictly (no small-order points, no malleability),
    /// P-256 over the SHA-256 of the message, P-384 over its SHA-384 and P-521 over its SHA-512 (high `s` is valid, as in JWS), BBS over the
    /// header and messages of which the message is the [`bbs::SigningInput`].
    ///
    /// # Errors
    /// [`SignatureError`] when it is not this key's signature.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        match (self, &signature.0) {
            (Self::Bls12381G2(key), Bytes::Bbs(signature)) => {
                let input = bbs::SigningInput::from_bytes(message).map_err(|_| SignatureError)?;
                let verified = key.verify(&input.header, &input.messages, signature);
                verified.map_err(|_| SignatureError)
            }
            (Self::Ed25519(key), Bytes::Of64(bytes)) => key.verify(message, bytes),
            (Self::P256(key), Bytes::Of64(bytes)) => ecdsa_backend::verify(&key.parsed, message, bytes),
            (Self::P384(key), Bytes::Of96(bytes)) => ecdsa_backend::verify(&key.parsed, message, bytes),
            (Self::P521(key), Bytes::Of132(bytes)) => ecdsa_backend::verify(&key.parsed, message, bytes),
            (Self::Bls12381G2(_), Bytes::Of64(_) | Bytes::Of96(_) | Bytes::Of132(_))
            | (Self::Ed25519(_) | Self::P256(_), Bytes::Bbs(_) | Bytes::Of96(_) | Bytes::Of132(_))
            | (Self::P384(_), Bytes::Bbs(_) | Bytes::Of64(_) | Bytes::Of132(_))
            | (Self::P521(_), Bytes::Bbs(_) | Bytes::Of64(_) | Bytes::Of96(_)) => Err(SignatureError),
        }
    }

    /// Checks many signatures of this key, each with the verdict of [`Self::verify`], in their order. Several hundred
    /// of Ed25519 together take less time than one by one if all of them are good, and somewhat more if one is not.
    ///
    /// `rng` must not be foreseeable for the signer.
    #[must_use]
    pub fn verify_all(
        &self,
        signed: &[(&[u8], &Signature)],
        rng: &mut dyn CryptoRng,
    ) -> Vec<Result<(), SignatureError>> {
        if let Self::Ed25519(key) = self {
            let of_64 = signed.iter().map(|(message, signature)| match &signature.0 {
                Bytes::Of64(bytes) => Some((*message, bytes)),
                Bytes::Bbs(_) | Bytes::Of96(_) | Bytes::Of132(_) => None,
            });
            let of_64: Option<Vec<_>> = of_64.collect();
            if of_64.is_some_and(|signed| key.verify_together(&signed, rng)) {
                return vec![Ok(()); signed.len()];
            }
        }
        signed
            .iter()
            .map(|(message, signature)| self.verify(message, signature))
            .collect()
    }

    /// The key as a public JWK, without `kid` and `alg`.
    #[must_use]
    pub fn to_jwk(&self) -> Jwk {
        match self {
            Self::Bls12381G2(key) => Jwk::from_coordinates("OKP", BLS12381_G2_CURVE, key.as_bytes(), None),
            Self::Ed25519(key) => Jwk::from_coordinates("OKP", "Ed25519", key.as_bytes(), None),
            Self::P256(key) | Self::P384(key) | Self::P521(key) => {
                let (x, y) = key.coordinates();
                Jwk::from_coordinates("EC", key.curve.name(), x, Some(y))
            }
        }
    }

    /// The key as Multikey text: `z6Mk...`, `zDn...`, `z82...`, `z2J9...` or `zUC7...`.
    #[must_use]
    pub fn to_multikey(&self) -> String {
        multibase::encode_base58btc(&self.to_multikey_bytes())
    }

    /// The bytes of the key's Multikey.
    #[must_use]
    pub fn to_multikey_bytes(&self) -> Vec<u8> {
        match self {
            Self::Bls12381G2(key) => [BLS12381_G2_MULTICODEC.as_slice(), key.as_bytes()].concat(),
            Self::Ed25519(key) => [ED25519_MULTICODEC.as_slice(), key.as_bytes()].concat(),
            Self::P256(key) | Self::P384(key) | Self::P521(key) => {
                let (x, y) = key.coordinates();
                let y_is_odd = y.last().is_some_and(|byte| byte & 1 == 1);
                [key.curve.multicodec().as_slice(), &[if y_is_odd { 3 } else { 2 }], x].concat()
            }
        }
    }

    /// The 32 bytes of an Ed25519 key, as signed notes carry them; `None` for other keys.
    #[must_use]
    pub fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match self {
            Self::Ed25519(key) => Some(*key.as_bytes()),
            Self::Bls12381G2(_) | Self::P256(_) | Self::P384(_) | Self::P521(_) => None,
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.to_multikey())
    }
}

impl EcPublicKey {
    fn from_sec1(curve: EcCurve, bytes: &[u8]) -> Result<Self, KeyError> {
        let invalid = || KeyError::Invalid { curve: curve.name() };
        // The tag is looked at here: the curve crates also read a tag of 5, an x without the parity of its y, and with it
        // one key would have two texts.
        let uncompressed = match bytes.first() {
            Some(4) if bytes.len() == curve.sec1_bytes() => bytes.to_vec(),
            Some(2 | 3) if bytes.len() == 1 + curve.coordinate_bytes() => {
                curve.decompress(bytes).ok_or_else(invalid)?
            }
            _ => return Err(invalid()),
        };
        let parsed = ecdsa_backend::parse(curve, &uncompressed).ok_or_else(invalid)?;
        let mut sec1 = [0; MAX_SEC1_BYTES];
        for (to, from) in sec1.iter_mut().zip(&uncompressed) {
            *to = *from;
        }
        Ok(Self { curve, sec1, parsed })
    }

    fn from_coordinates<const BYTES: usize>(curve: EcCurve, x: &str, y: &str) -> Result<Self, KeyError> {
        let [x, y]: [[u8; BYTES]; 2] = [coordinate(x, curve.name())?, coordinate(y, curve.name())?];
        Self::from_sec1(curve, &[[4].as_slice(), &x, &y].concat())
    }

    /// Uncompressed SEC1.
    pub(crate) fn sec1(&self) -> &[u8] {
        self.sec1.get(..self.curve.sec1_bytes()).unwrap_or_default()
    }

    /// x and y.
    fn coordinates(&self) -> (&[u8], &[u8]) {
        let bytes = self.curve.coordinate_bytes();
        let point = self.sec1().get(1..).unwrap_or_default();
        point.split_at_checked(bytes).unwrap_or_default()
    }
}

impl PartialEq for EcPublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.curve == other.curve && self.sec1 == other.sec1
    }
}

impl Eq for EcPublicKey {}

impl From<EcPublicKey> for PublicKey {
    fn from(key: EcPublicKey) -> Self {
        match key.curve {
            EcCurve::P256 => Self::P256(key),
            EcCurve::P384 => Self::P384(key),
            EcCurve::P521 => Self::P521(key),
        }
    }
}

impl EcCurve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Of the uncompressed form.
    const fn sec1_bytes(self) -> usize {
        1 + 2 * self.coordinate_bytes()
    }

    /// Of the compressed key in a Multikey, as a varint.
    const fn multicodec(self) -> [u8; 2] {
        match self {
            Self::P256 => [0x80, 0x24],
            Self::P384 => [0x81, 0x24],
            Self::P521 => [0x82, 0x24],
        }
    }

    /// The uncompressed form of a compressed point.
    fn decompress(self, bytes: &[u8]) -> Option<Vec<u8>> {
        use p256::elliptic_curve::sec1::ToSec1Point as _;
        match self {
            Self::P256 => {
                let key = p256::PublicKey::from_sec1_bytes(bytes).ok()?;
                Some(key.to_sec1_point(false).as_bytes().to_vec())
            }
            Self::P384 => {
                let key = p384::PublicKey::from_sec1_bytes(bytes).ok()?;
                Some(key.to_sec1_point(false).as_bytes().to_vec())
            }
            Self::P521 => {
                let key = p521::PublicKey::from_sec1_bytes(bytes).ok()?;
                Some(key.to_sec1_point(false).as_bytes().to_vec())
            }
        }
    }
}

impl Signature {
    /// A signature from its 64, 80, 96 or 132 bytes.
    ///
    /// # Errors
    /// [`SignatureError`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SignatureError> {
        if let Ok(bytes) = bytes.try_into() {
            return Ok(Self(Bytes::Of64(bytes)));
        }
        if let Ok(bytes) = bytes.try_into() {
            return Ok(Self(Bytes::Of96(bytes)));
        }
        if let Ok(bytes) = bytes.try_into() {
            return Ok(Self(Bytes::Of132(bytes)));
        }
        bbs::Signature::from_bytes(bytes)
            .map(Self::from)
            .map_err(|_| SignatureError)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Bbs(signature) => signature.as_bytes(),
            Bytes::Of64(bytes) => bytes,
            Bytes::Of96(bytes) => bytes,
            Bytes::Of132(bytes) => bytes,
        }
    }
}

impl From<bbs::Signature> for Signature {
    fn from(signature: bbs::Signature) -> Self {
        Self(Bytes::Bbs(signature))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", base64url::encode(self.as_bytes()))
    }
}

fn coordinate<const BYTES: usize>(text: &str, curve: &'static str) -> Result<[u8; BYTES], KeyError> {
    base64url::decode_array(text).map_err(|_| KeyError::Invalid { curve })
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

    /// Data Integrity ECDSA Cryptosuites, the P-384 key of the test vectors.
    fn p384() -> PublicKey {
        PublicKey::from_multikey("z82LkuBieyGShVBhvtE2zoiD6Kma4tJGFtkAhxR5pfkp5QPw4LutoYWhvQCnGjdVn14kujQ").unwrap()
    }

    /// RFC 7515, appendix A.4.
    fn p521() -> (PublicKey, Vec<u8>, Signature) {
        let jwk = Jwk::from_value(&serde_json::json!({"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})).unwrap();
        let signature = base64url::decode("AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn").unwrap();
        (
            PublicKey::from_jwk(&jwk).unwrap(),
            b"eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA".to_vec(),
            Signature::from_bytes(&signature).unwrap(),
        )
    }

    #[test]
    fn es512_of_rfc_7515_verifies() {
        let (key, message, signature) = p521();
        assert_eq!(key.algorithm(), Algorithm::Es512);
        assert_eq!(key.verify(&message, &signature), Ok(()));
        assert_eq!(key.verify(b"other", &signature), Err(SignatureError));
        assert_eq!(key.verify(&message, &p256().2), Err(SignatureError));
        assert_eq!(p384().verify(&message, &signature), Err(SignatureError));
        let twice = PublicKey::from_cose_key(&key.to_cose_key());
        assert_eq!(twice, Ok(key));
    }

    #[test]
    fn signature_of_another_length_is_refused() {
        let short = Signature::from_bytes(&[1; 64]).unwrap();
        let long = Signature::from_bytes(&[1; 96]).unwrap();
        assert_eq!(p384().verify(b"message", &short), Err(SignatureError));
        for key in [ed25519(), p256().0] {
            assert_eq!(key.verify(b"message", &long), Err(SignatureError));
        }
        for length in [0, 63, 65, 95, 97] {
            assert_eq!(Signature::from_bytes(&vec![1; length]), Err(SignatureError));
        }
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

    /// The example of [Multikey](https://www.w3.org/TR/vc-di-bbs/#multikey), which is that of its vectors.
    const BLS12381_G2_KEY: &str = "zUC7DerdEmfZ8f4pFajXgGwJoMkV1ofMTmEG5UoNvnWiPiLuGKNeqgRpLH2TV4Xe5mJ2cXV76gRN7LFQwapF1VFu6x2yrr5ci1mXqC1WNUrnHnLgvfZfMH7h6xP6qsf9EKRQrPQ";
    /// JWS does not ask for the lower of the two values of `s`, and deployed signers do not care.
    #[test]
    fn ecdsa_with_high_s_is_valid() {
        let (key, message, signature) = p256();
        let order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
        let mut other = signature.as_bytes().to_vec();
        let mut borrow = 0;
        for at in (0..32).rev() {
            let difference = i32::from(order[at]) - i32::from(other[32 + at]) - borrow;
            borrow = i32::from(difference < 0);
            other[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        let other = Signature::from_bytes(&other).unwrap();
        assert_ne!(other, signature);
        for genuine in [signature, other] {
            assert_eq!(key.verify(&message, &genuine), Ok(()));
        }
    }

    #[test]
    fn ed25519_with_s_beyond_the_group_order_is_refused() {
        let genuine = hex(ED25519_SIGNATURE);
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut beyond = genuine.clone();
        let mut carry = 0;
        for (to, from) in beyond[32..].iter_mut().zip(order) {
            let [high, low] = (u16::from(*to) + u16::from(from) + carry).to_be_bytes();
            (*to, carry) = (low, u16::from(high));
        }
        let verify = |bytes: &[u8]| ed25519().verify(&[0x72], &Signature::from_bytes(bytes).unwrap());
        assert_eq!(verify(&genuine), Ok(()));
        assert_eq!(verify(&beyond), Err(SignatureError));
    }

    #[test]
    fn encodings_round_trip() {
        let bbs = PublicKey::from_multikey(BLS12381_G2_KEY).unwrap();
        assert_eq!(bbs.algorithm(), Algorithm::Bbs);
        assert_eq!(bbs.to_multikey(), BLS12381_G2_KEY);
        for key in [ed25519(), p256().0, p384(), p521().0, bbs] {
            assert_eq!(PublicKey::from_multikey(&key.to_multikey()).unwrap(), key);
            assert_eq!(PublicKey::from_jwk(&key.to_jwk()).unwrap(), key);
        }
        assert!(ed25519().to_multikey().starts_with("z6Mk"));
        assert!(p256().0.to_multikey().starts_with("zDn"));
        assert!(p384().to_multikey().starts_with("z82"));
        assert!(p521().0.to_multikey().starts_with("z2J9"));
    }

    #[test]
    fn a_signature_of_one_kind_is_none_for_a_key_of_another() {
        let secret = bbs::SecretKey::from_bytes(&[7; 32]).unwrap();
        let input = bbs::SigningInput {
            header: vec![1],
            messages: vec![vec![2], vec![3]],
        };
        let message = input.to_bytes();
        let bbs_key = PublicKey::from_bls12381_g2(secret.public_key().as_bytes()).unwrap();
        let signature = Signature::from(secret.sign(&input.header, &input.messages).unwrap());
        assert_eq!(bbs_key.verify(&message, &signature), Ok(()));
        assert_eq!(Signature::from_bytes(signature.as_bytes()), Ok(signature));
        for key in [ed25519(), p256().0] {
            assert_eq!(key.verify(&message, &signature), Err(SignatureError));
        }
        let (_, message, signature) = p256();
        assert_eq!(bbs_key.verify(&message, &signature), Err(SignatureError));
        assert_eq!(Signature::from_bytes(&[1; 79]), Err(SignatureError));
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

    /// The tags that SEC1 or a library around it knows besides: identity, compact, and the two hybrid ones.
    #[test]
    fn a_point_has_one_compressed_and_one_uncompressed_form() {
        for (key, read) in [
            (p256().0, PublicKey::from_p256_sec1 as fn(&[u8]) -> _),
            (p384(), PublicKey::from_p384_sec1),
            (p521().0, PublicKey::from_p521_sec1),
        ] {
            let multikey = key.to_multikey_bytes();
            let (multicodec, compressed) = multikey.split_at(2);
            let (PublicKey::P256(parts) | PublicKey::P384(parts) | PublicKey::P521(parts)) = &key else {
                panic!("a key of ECDSA");
            };
            let uncompressed = parts.sec1();
            for form in [compressed, uncompressed] {
                assert_eq!(read(form).as_ref(), Ok(&key));
                for tag in (0..=u8::MAX).filter(|tag| !(2..=4).contains(tag)) {
                    let other = [&[tag], &form[1..]].concat();
                    assert!(matches!(read(&other), Err(KeyError::Invalid { .. })), "tag {tag}");
                    let other = [multicodec, &other].concat();
                    assert!(PublicKey::from_multikey_bytes(&other).is_err(), "tag {tag}");
                }
            }
            assert!(read(&[&[4], &compressed[1..]].concat()).is_err());
            assert!(read(&[&[2], &uncompressed[1..]].concat()).is_err());
        }
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
