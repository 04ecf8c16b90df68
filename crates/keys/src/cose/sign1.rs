//! `COSE_Sign1`: one signature ([RFC 9052 section 4.2](https://www.rfc-editor.org/rfc/rfc9052#section-4.2)).

use super::CoseError;
use super::HeaderMap;
use super::Headers;
use super::Message;
use super::encode;
use super::structure;
use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::SigningRequest;
use crate::cbor::Value;

/// The tag of a `COSE_Sign1` that does not stand where one is expected anyway.
const TAG: u64 = 18;
/// Major type 6 and the tag, which fit into one byte.
const TAG_HEAD: u8 = 0xd2;
const CONTEXT: &str = "Signature1";

/// A `COSE_Sign1` as it arrived. Its payload is nobody's word yet.
pub struct UnverifiedSign1 {
    message: Message,
    algorithm: Algorithm,
    signature: Signature,
}

/// A `COSE_Sign1` whose signature a given key verified.
#[derive(Clone, Debug)]
#[must_use]
pub struct VerifiedSign1 {
    headers: Headers,
    payload: Vec<u8>,
}

impl UnverifiedSign1 {
    /// Reads a `COSE_Sign1` of at most `max_bytes`, tagged or not: a place that takes only one of the two forms compares
    /// the first byte.
    ///
    /// # Errors
    /// [`CoseError`], the sender's fault.
    pub fn parse(bytes: &[u8], max_bytes: usize) -> Result<Self, CoseError> {
        let message = Message::parse(bytes, max_bytes, TAG)?;
        let found = message.headers.algorithm();
        let algorithm = found
            .and_then(Algorithm::from_cose_id)
            .ok_or_else(|| CoseError::Algorithm {
                expected: "EdDSA (-8), ES256 (-7), ES384 (-35) or ES512 (-36)",
                found: found.cloned(),
            })?;
        let signature = Signature::from_bytes(&message.authenticator)?;
        Ok(Self {
            message,
            algorithm,
            signature,
        })
    }

    /// The headers, which may tell where to look for the key.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.message.headers
    }

    /// The payload before verification, for one purpose only: to read who claims to have signed. `None` if it is detached.
    #[must_use]
    pub fn unverified_payload(&self) -> Option<&[u8]> {
        self.message.payload.as_deref()
    }

    /// Checks the signature with `key`, whose algorithm must be the header's.
    ///
    /// # Errors
    /// [`CoseError::WrongKey`], [`CoseError::Signature`], or [`CoseError::Payload`] for a detached payload.
    pub fn verify(mut self, key: &PublicKey) -> Result<VerifiedSign1, CoseError> {
        let payload = self.message.attached()?;
        self.check(&payload, key)?;
        Ok(VerifiedSign1 {
            headers: self.message.headers,
            payload,
        })
    }

    /// Checks the signature over `payload`, which came another way or was computed.
    ///
    /// # Errors
    /// [`CoseError::WrongKey`], [`CoseError::Signature`], or [`CoseError::Payload`] for an attached payload.
    pub fn verify_detached(self, payload: Vec<u8>, key: &PublicKey) -> Result<VerifiedSign1, CoseError> {
        self.message.expect_detached()?;
        self.check(&payload, key)?;
        Ok(VerifiedSign1 {
            headers: self.message.headers,
            payload,
        })
    }

    fn check(&self, payload: &[u8], key: &PublicKey) -> Result<(), CoseError> {
        if key.algorithm() != self.algorithm {
            return Err(CoseError::WrongKey {
                expected: key.algorithm(),
                found: self.algorithm,
            });
        }
        Ok(key.verify(&structure(CONTEXT, &self.message.protected, payload), &self.signature)?)
    }
}

impl std::fmt::Debug for UnverifiedSign1 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedSign1")
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl VerifiedSign1 {
    /// The headers, of which the signature covers the protected one.
    #[must_use]
    pub const fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed bytes, for good.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

/// A request for an untagged `COSE_Sign1` with `payload` inside. `alg` is set here, so that header and key cannot
/// disagree.
pub fn sign(
    protected: HeaderMap,
    unprotected: HeaderMap,
    payload: Vec<u8>,
    algorithm: Algorithm,
) -> SigningRequest<Vec<u8>> {
    let protected = protected.with_algorithm(algorithm.cose_id()).into_protected();
    let message = structure(CONTEXT, &protected, &payload);
    SigningRequest::new(algorithm, message, move |signature| {
        encode(&protected, unprotected, Some(&payload), signature.as_bytes())
    })
}

/// As [`sign`], with the payload beside the message.
pub fn sign_detached(
    protected: HeaderMap,
    unprotected: HeaderMap,
    payload: &[u8],
    algorithm: Algorithm,
) -> SigningRequest<Vec<u8>> {
    let protected = protected.with_algorithm(algorithm.cose_id()).into_protected();
    let message = structure(CONTEXT, &protected, payload);
    SigningRequest::new(algorithm, message, move |signature| {
        encode(&protected, unprotected, None, signature.as_bytes())
    })
}

/// `COSE_Sign1_Tagged` of an untagged message, for places that take several kinds.
#[must_use]
pub fn tagged(sign1: &[u8]) -> Vec<u8> {
    [&[TAG_HEAD], sign1].concat()
}

impl Algorithm {
    /// The [COSE algorithm](https://www.iana.org/assignments/cose/cose.xhtml#algorithms) written into what we sign.
    ///
    /// The older, polymorphic names as in JOSE: every deployed library reads them, and mdoc knows no others.
    #[must_use]
    pub const fn cose_id(self) -> i64 {
        match self {
            // BBS signs no COSE; 0 is reserved, and whoever reads it refuses it.
            Self::Bbs => 0,
            Self::EdDsa => -8,
            Self::Es256 => -7,
            Self::Es384 => -35,
            Self::Es512 => -36,
        }
    }

    /// The algorithm of an `alg` parameter, also by its fully-specified number of
    /// [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864); `None` for everything we do not implement.
    #[must_use]
    pub fn from_cose_id(id: &Value) -> Option<Self> {
        match id {
            // Major type 1 holds -1 - n.
            Value::Negative(7 | 18) => Some(Self::EdDsa),
            Value::Negative(6 | 8) => Some(Self::Es256),
            Value::Negative(34 | 50) => Some(Self::Es384),
            Value::Negative(35 | 51) => Some(Self::Es512),
            _ => None,
        }
    }
}
