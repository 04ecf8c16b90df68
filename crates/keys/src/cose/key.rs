//! `COSE_Key` ([RFC 9052 section 7](https://www.rfc-editor.org/rfc/rfc9052#section-7),
//! [RFC 9053 section 7](https://www.rfc-editor.org/rfc/rfc9053#section-7)) of the public keys that we verify with.

use thiserror::Error;

use crate::Algorithm;
use crate::Jwk;
use crate::KeyError;
use crate::PublicKey;
use crate::base64url;
use crate::cbor::Value;

/// Labels of [COSE key parameters](https://www.iana.org/assignments/cose/cose.xhtml#key-common-parameters).
const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
const D: i64 = -4;

/// Key types and curves, with their names in JOSE.
const OKP: (i64, &str) = (1, "OKP");
const EC2: (i64, &str) = (2, "EC");
const CURVES: [((i64, &str), i64, &str); 4] = [
    (EC2, 1, "P-256"),
    (EC2, 2, "P-384"),
    (EC2, 3, "P-521"),
    (OKP, 6, "Ed25519"),
];

/// The peer sent something that is no public `COSE_Key`, or one that we do not verify with.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CoseKeyError {
    /// A parameter is missing or of the wrong type.
    #[error("expected the COSE_Key parameter {label} as {expected}, found something else")]
    Parameter {
        /// Its label.
        label: i64,
        /// What belongs there.
        expected: &'static str,
    },
    /// A private key where a public one belongs.
    #[error("expected a public COSE_Key, found a private one")]
    Private,
    /// The key itself.
    #[error("the COSE_Key is no public key that we use")]
    Key(#[from] KeyError),
    /// `alg` does not fit the curve.
    #[error("expected alg {expected} on this curve, found another")]
    WrongAlgorithm {
        /// What fits the curve.
        expected: Algorithm,
    },
}

impl PublicKey {
    /// A key from a public `COSE_Key` of type OKP or EC2; parameters that say something else than which key it is are
    /// ignored.
    ///
    /// # Errors
    /// [`CoseKeyError`]; a private key and an `alg` that does not fit the curve are refused.
    pub fn from_cose_key(value: &Value) -> Result<Self, CoseKeyError> {
        let map = value.as_map().ok_or(CoseKeyError::Parameter {
            label: KTY,
            expected: "a member of a map",
        })?;
        let get = |label: i64| {
            let label = Value::from(label);
            map.iter().find_map(|(found, value)| (*found == label).then_some(value))
        };
        if get(D).is_some() {
            return Err(CoseKeyError::Private);
        }
        let named = CURVES
            .into_iter()
            .find(|((kty, _), crv, _)| get(KTY) == Some(&Value::from(*kty)) && get(CRV) == Some(&Value::from(*crv)));
        let ((_, kty), _, crv) = named.ok_or_else(|| KeyError::Unsupported {
            found: format!("COSE kty {:?} with crv {:?}", get(KTY), get(CRV)),
        })?;
        let coordinate = |label: i64| {
            get(label).and_then(Value::as_bytes).ok_or(CoseKeyError::Parameter {
                label,
                expected: "a byte string",
            })
        };
        let x = coordinate(X)?;
        // The curves and their coordinates are those of JOSE. A compressed point, whose y is a boolean, is refused by
        // its type: the standard allows it, and mdoc's device keys have both coordinates.
        let y = (kty == EC2.1).then(|| coordinate(Y)).transpose()?;
        let key = Self::from_jwk(&Jwk::from_coordinates(kty, crv, x, y))?;
        match get(ALG) {
            Some(alg) if Algorithm::from_cose_id(alg) != Some(key.algorithm()) => Err(CoseKeyError::WrongAlgorithm {
                expected: key.algorithm(),
            }),
            _ => Ok(key),
        }
    }

    /// The key as a public `COSE_Key`, without `kid` and `alg`.
    #[must_use]
    pub fn to_cose_key(&self) -> Value {
        let jwk = self.to_jwk();
        let mut entries = Vec::new();
        let named = CURVES.into_iter().find(|(_, _, crv)| *crv == jwk.crv);
        if let Some(((kty, _), crv, _)) = named {
            entries.push((Value::from(KTY), Value::from(kty)));
            entries.push((Value::from(CRV), Value::from(crv)));
        }
        let coordinates = [(X, Some(&jwk.x)), (Y, jwk.y.as_ref())];
        for (label, coordinate) in coordinates {
            // Written by `to_jwk` a moment ago.
            let bytes = coordinate.and_then(|text| base64url::decode(text).ok());
            entries.extend(bytes.map(|bytes| (Value::from(label), Value::Bytes(bytes))));
        }
        Value::Map(entries)
    }
}
