//! BBS signatures: one signature over many messages, and proofs that show some of them without the signature
//! ([draft-irtf-cfrg-bbs-signatures-09](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html)).
//!
//! In scope: the ciphersuite `BLS12-381-SHA-256` with the interface `H2G_HM2S_`, which `bbs-2023` uses: signing,
//! verifying, proving and verifying proofs. The private key is a library's: `crates/signer` keeps it.
//!
//! Out of scope: the SHAKE-256 suite, blind signatures and pseudonyms, whose drafts still move.
//!
//! What a private key, a hidden message or a blinding scalar flows through takes the same time for every value
//! (`bls12_381`, with a sum of its own). What a verifier computes is public and uses the fastest curve of the target.

mod combination;
mod generators;
mod hash;
mod key;
mod proof;
mod signature;

#[cfg(not(target_family = "wasm"))]
mod curve_native;
#[cfg(any(target_family = "wasm", test))]
mod curve_wasm;
#[cfg(not(target_family = "wasm"))]
use curve_native as curve;
#[cfg(target_family = "wasm")]
use curve_wasm as curve;

#[cfg(test)]
mod tests;

pub use generators::MAX_MESSAGES;
pub use key::PublicKey;
pub use key::SecretKey;
pub use signature::Signature;
pub use signature::SigningInput;

use bls12_381::Scalar;
use thiserror::Error;

/// Bytes of a scalar, a point of G1, a point of G2.
const SCALAR_BYTES: usize = 32;
const G1_BYTES: usize = 48;
const G2_BYTES: usize = 96;

/// The fault of whoever made the signature or proof, or of the caller who gave other messages with it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BbsError {
    /// Indexes of disclosed messages that repeat, descend or point nowhere, or another number of messages.
    #[error("expected ascending indexes of the disclosed messages, one for each, found others")]
    Indexes,
    /// Bytes that encode no signature or proof.
    #[error("expected points of the subgroup and scalars below the group order, found other bytes")]
    Malformed,
    /// The signature or proof is not by this key over these messages. Deliberately says no more.
    #[error("expected a signature by this key over these messages, found none")]
    Signature,
    /// More messages than any credential has statements.
    #[error("expected at most {MAX_MESSAGES} messages, found {found}")]
    TooManyMessages {
        /// How many.
        found: usize,
    },
}

/// A scalar from its big-endian bytes, if it is one of 1 to r - 1.
fn scalar_from_octets(octets: &[u8; SCALAR_BYTES]) -> Option<Scalar> {
    let mut little_endian = *octets;
    little_endian.reverse();
    Option::from(Scalar::from_bytes(&little_endian)).filter(|scalar| *scalar != Scalar::zero())
}

fn scalar_to_octets(scalar: &Scalar) -> [u8; SCALAR_BYTES] {
    let mut octets = scalar.to_bytes();
    octets.reverse();
    octets
}

/// `I2OSP(length, 8)`: lengths of memory fit into 64 bits.
fn length_to_octets(length: usize) -> [u8; 8] {
    u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes()
}
