//! CBOR Object Signing and Encryption ([RFC 9052](https://www.rfc-editor.org/rfc/rfc9052),
//! [RFC 9053](https://www.rfc-editor.org/rfc/rfc9053)): `COSE_Sign1`, `COSE_Mac0` and `COSE_Key`.
//!
//! As with JWS, parsing gives something unverified, and only `verify` with a key that the caller chose gives a
//! payload that can be used. What was signed are the received bytes of the protected header and of the payload,
//! never a re-encoding; their CBOR need not be deterministic.
//!
//! Out of scope: several signers or recipients, encryption, countersignatures, external additional data (no
//! standard we implement has any).

mod header;
mod key;
mod mac0;
mod sign1;

pub use header::HeaderMap;
pub use header::Headers;
pub use key::CoseKeyError;
pub use mac0::AgreementKey;
pub use mac0::MacKey;
pub use mac0::UnverifiedMac0;
pub use mac0::VerifiedMac0;
pub use mac0::mac;
pub use mac0::mac_detached;
pub use sign1::UnverifiedSign1;
pub use sign1::VerifiedSign1;
pub use sign1::sign;
pub use sign1::sign_detached;
pub use sign1::tagged;

use thiserror::Error;

use crate::Algorithm;
use crate::SignatureError;
use crate::cbor;
use crate::cbor::CborError;
use crate::cbor::Value;
use crate::cbor::Writer;
use crate::json::Limits;

/// The message, its header map, a list in it, and two levels for what an extension may hold.
const MAX_DEPTH: usize = 8;

/// Heads and context of a message, and an unprotected header without certificates: room, so that nothing is moved while
/// it is written.
const STRUCTURE_BYTES: usize = 128;

/// The peer sent a COSE message that is malformed or not made with the expected key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CoseError {
    /// `alg` is missing from the protected header, or one that is not implemented for this kind of message.
    #[error("expected alg {expected} in the protected header, found {found:?}")]
    Algorithm {
        /// What this kind of message may have.
        expected: &'static str,
        /// What the header says.
        found: Option<Value>,
    },
    /// Not CBOR as it is read here, or too large.
    #[error("the COSE message is not read")]
    Cbor(#[from] CborError),
    /// The header demands to understand a parameter that we do not understand or that is not there.
    #[error("expected only critical header parameters that are understood and protected, found {label:?}")]
    Critical {
        /// The parameter's label.
        label: Value,
    },
    /// A label stands in the protected and in the unprotected header.
    #[error("expected every header parameter once, found {label:?} in both headers")]
    DuplicateLabel {
        /// The label.
        label: Value,
    },
    /// Not the array of the standard, or not its tag.
    #[error("expected {expected} in the COSE message, found something else")]
    Form {
        /// The part and its form.
        expected: &'static str,
    },
    /// The authentication tag is not the expected key's over this payload.
    #[error("expected a MAC with this key over this payload, found none")]
    Mac,
    /// A key shorter than the hash: the caller's fault.
    #[error("expected a MAC key of 32 bytes or more, found {found}")]
    MacKey {
        /// Its length.
        found: usize,
    },
    /// A header parameter of the wrong type.
    #[error("expected the header parameter {parameter} as {expected}, found something else")]
    Parameter {
        /// Its name.
        parameter: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// The payload is in the message where it belongs beside it, or the other way round.
    #[error("expected {expected}, found the other")]
    Payload {
        /// An attached or a detached payload.
        expected: &'static str,
    },
    /// The signature is not the expected key's.
    #[error("the signature is not valid")]
    Signature(#[from] SignatureError),
    /// A parameter that everything rests on is not protected.
    #[error("expected the header parameter {parameter} to be protected, found it unprotected")]
    Unprotected {
        /// Its name.
        parameter: &'static str,
    },
    /// `alg` is not the algorithm of the key.
    #[error("expected alg {expected} for this key, found {found}")]
    WrongKey {
        /// The key's algorithm.
        expected: Algorithm,
        /// The header's.
        found: Algorithm,
    },
    /// `typ` is not the one of this place.
    #[error("expected typ {expected}, found {found:?}")]
    WrongType {
        /// The type of this place.
        expected: &'static str,
        /// The header's.
        found: Option<Value>,
    },
}

/// The four parts that `COSE_Sign1` and `COSE_Mac0` share.
struct Message {
    /// As received: it is signed like that.
    protected: Vec<u8>,
    headers: Headers,
    payload: Option<Vec<u8>>,
    /// The signature or the authentication tag.
    authenticator: Vec<u8>,
}

impl Message {
    /// Reads a message with or without the tag of its kind.
    fn parse(bytes: &[u8], max_bytes: usize, tag: u64) -> Result<Self, CoseError> {
        const FORM: CoseError = CoseError::Form {
            expected: "an array of protected and unprotected header, payload and authenticator",
        };
        let limits = Limits {
            max_bytes,
            max_depth: MAX_DEPTH,
        };
        let message = match cbor::decode_foreign(bytes, limits)? {
            Value::Tag(found, message) if found == tag => *message,
            other => other,
        };
        let Value::Array(parts) = message else { return Err(FORM) };
        let [protected, unprotected, payload, authenticator] = <[Value; 4]>::try_from(parts).map_err(|_| FORM)?;
        let (Value::Bytes(protected), Value::Bytes(authenticator)) = (protected, authenticator) else {
            return Err(FORM);
        };
        let payload = match payload {
            Value::Bytes(payload) => Some(payload),
            Value::Null => None,
            _ => return Err(FORM),
        };
        Ok(Self {
            headers: Headers::parse(&protected, unprotected)?,
            protected,
            payload,
            authenticator,
        })
    }

    /// The payload, which must be inside.
    fn attached(&mut self) -> Result<Vec<u8>, CoseError> {
        let expected = "a payload in the message";
        self.payload.take().ok_or(CoseError::Payload { expected })
    }

    /// There must be none inside where the payload is known from elsewhere: two payloads would be two messages.
    const fn expect_detached(&self) -> Result<(), CoseError> {
        let expected = "a payload beside the message";
        match self.payload {
            None => Ok(()),
            Some(_) => Err(CoseError::Payload { expected }),
        }
    }
}

/// `Sig_structure` and `MAC_structure` without external additional data
/// ([signing](https://www.rfc-editor.org/rfc/rfc9052#section-4.4),
/// [MACs](https://www.rfc-editor.org/rfc/rfc9052#section-6.3)).
fn structure(context: &'static str, protected: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Writer::with_capacity(STRUCTURE_BYTES + protected.len() + payload.len());
    out.array(4);
    out.text(context);
    out.bytes(protected);
    out.bytes(&[]);
    out.bytes(payload);
    out.into_bytes()
}

/// The message with its authenticator; `payload` is `None` if it is detached.
fn encode(protected: &[u8], unprotected: HeaderMap, payload: Option<&[u8]>, authenticator: &[u8]) -> Vec<u8> {
    let length = protected.len() + payload.map_or(0, <[u8]>::len) + authenticator.len();
    let mut out = Writer::with_capacity(STRUCTURE_BYTES + length);
    out.array(4);
    out.bytes(protected);
    out.value(&unprotected.into_value());
    match payload {
        Some(payload) => out.bytes(payload),
        None => out.value(&Value::Null),
    }
    out.bytes(authenticator);
    out.into_bytes()
}

#[cfg(test)]
mod tests;
