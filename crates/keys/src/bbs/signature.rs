//! Signing and verifying
//! ([`CoreSign`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-coresign),
//! [`CoreVerify`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-coreverify)).

use bls12_381::G1Affine;
use bls12_381::Scalar;
use zeroize::Zeroizing;

use super::BbsError;
use super::G1_BYTES;
use super::PublicKey;
use super::SCALAR_BYTES;
use super::SecretKey;
use super::combination;
use super::combination::Term;
use super::curve;
use super::curve::Point;
use super::generators::Generators;
use super::hash;
use super::scalar_from_octets;
use super::scalar_to_octets;
use crate::cbor;
use crate::json::Limits;

/// Bytes of a signing input: the statements of the largest credential, with its portrait.
const MAX_INPUT_BYTES: usize = 4 << 20;

/// A signature: a point of G1 and a scalar, 80 bytes. Whether they are shows when it is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub(super) [u8; 80]);

/// What one signature is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningInput {
    /// What every proof shows.
    pub header: Vec<u8>,
    /// What a holder may hide.
    pub messages: Vec<Vec<u8>>,
}

impl Signature {
    /// A signature from its 80 bytes.
    ///
    /// # Errors
    /// [`BbsError::Malformed`] for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BbsError> {
        bytes.try_into().map(Self).map_err(|_| BbsError::Malformed)
    }

    /// The 80 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 80] {
        &self.0
    }

    /// The octets of `A`, and `e`.
    pub(super) fn parts(&self) -> Result<(&[u8; G1_BYTES], Scalar), BbsError> {
        let (a, e) = self.0.split_at(G1_BYTES);
        let e: &[u8; SCALAR_BYTES] = e.try_into().map_err(|_| BbsError::Malformed)?;
        let a = a.try_into().map_err(|_| BbsError::Malformed)?;
        Ok((a, scalar_from_octets(e).ok_or(BbsError::Malformed)?))
    }
}

impl SigningInput {
    /// Reads what [`SigningInput::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`BbsError::Malformed`] for other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BbsError> {
        let limits = Limits {
            max_bytes: MAX_INPUT_BYTES,
            max_depth: 2,
        };
        match cbor::decode(bytes, limits) {
            Ok(cbor::Value::Array(items)) => match items.as_slice() {
                [cbor::Value::Bytes(header), cbor::Value::Array(messages)] => Ok(Self {
                    header: header.clone(),
                    messages: messages
                        .iter()
                        .map(|message| message.as_bytes().map(<[u8]>::to_vec))
                        .collect::<Option<_>>()
                        .ok_or(BbsError::Malformed)?,
                }),
                _ => Err(BbsError::Malformed),
            },
            _ => Err(BbsError::Malformed),
        }
    }

    /// The one byte string of a [`crate::SigningRequest`]: deterministic CBOR, `[header, [message, ...]]` as byte
    /// strings. It carries the input to a signer and is not itself what is hashed.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let messages = self.messages.iter().map(|message| cbor::Value::bytes(message.clone()));
        cbor::Value::Array(vec![
            cbor::Value::bytes(self.header.clone()),
            cbor::Value::Array(messages.collect()),
        ])
        .to_vec()
    }
}

impl SecretKey {
    /// Signs `header` and `messages`. The same input gives the same signature.
    ///
    /// # Errors
    /// [`BbsError::TooManyMessages`], the caller's fault.
    pub fn sign(&self, header: &[u8], messages: &[impl AsRef<[u8]>]) -> Result<Signature, BbsError> {
        let generators = Generators::new(messages.len())?;
        let messages = Zeroizing::new(hash::messages(messages));
        let domain = hash::domain(self.public.as_bytes(), &generators, header);
        let mut input = Zeroizing::new(scalar_to_octets(&self.scalar).to_vec());
        input.extend(messages.iter().chain([&domain]).flat_map(scalar_to_octets));
        let e = hash::to_scalar(&[&input]);
        let b = commitment(&generators, &domain, &messages);
        // Zero for one key in 2^255, and then there is no signature.
        let inverse: Option<Scalar> = (*self.scalar + e).invert().into();
        let inverse = Zeroizing::new(inverse.ok_or(BbsError::Malformed)?);
        let a = G1Affine::from(combination::sum(&[Term::new(&b, &inverse)]));
        let mut signature = [0; 80];
        let octets = a.to_compressed().into_iter().chain(scalar_to_octets(&e));
        for (to, from) in signature.iter_mut().zip(octets) {
            *to = from;
        }
        Ok(Signature(signature))
    }
}

impl PublicKey {
    /// Checks `signature` over `header` and `messages`.
    ///
    /// # Errors
    /// [`BbsError`] when it is not this key's signature over them.
    pub fn verify(&self, header: &[u8], messages: &[impl AsRef<[u8]>], signature: &Signature) -> Result<(), BbsError> {
        let (a, e) = signature.parts()?;
        let a = Point::from_octets(a).ok_or(BbsError::Malformed)?;
        let generators = Generators::new(messages.len())?;
        let domain = hash::domain(self.as_bytes(), &generators, header);
        // The standard's e(A, W) * e(A * e - B, BP2) = 1, the other way round.
        let mut terms = vec![
            (a, -e),
            (generators.p1.point, Scalar::one()),
            (generators.q1.point, domain),
        ];
        let points = generators.messages.iter().map(|generator| generator.point);
        terms.extend(points.zip(hash::messages(messages)));
        if curve::pairings_agree(a, self.point(), Point::sum(&terms)) {
            Ok(())
        } else {
            Err(BbsError::Signature)
        }
    }
}

/// `B`: the point that stands for domain and messages.
pub(super) fn commitment(generators: &Generators, domain: &Scalar, messages: &[Scalar]) -> G1Affine {
    let mut terms = vec![
        Term::new(&generators.p1.affine, &Scalar::one()),
        Term::new(&generators.q1.affine, domain),
    ];
    let of_messages = generators.messages.iter().zip(messages);
    terms.extend(of_messages.map(|(generator, message)| Term::new(&generator.affine, message)));
    combination::sum(&terms).into()
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({})", crate::base64url::encode(self.0))
    }
}
