//! Algorithms, public keys and the envelopes made with them.
//!
//! In scope: Ed25519 and P-256 verification, JWK and Multikey, compact JWS and JWE, COSE, JCS (RFC
//! 8785), deterministic CBOR (RFC 8949), strict JSON, the `eddsa-jcs-2022` proof, and signing *requests*.
//!
//! Out of scope: private signing keys and randomness (`crates/signer`), what a payload means
//! (`crates/credential`, `crates/trust`), and who a key belongs to (`crates/did`).
//!
//! Nothing here reads a clock, a file or a socket; time and randomness come as arguments.

pub mod algorithm;
pub mod base64url;
pub mod cbor;
pub mod cose;
pub mod data_integrity;
pub mod jcs;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod multibase;
pub mod public_key;
pub mod signing;
pub mod time;

pub use algorithm::Algorithm;
pub use jwk::Jwk;
pub use public_key::KeyError;
pub use public_key::PublicKey;
pub use public_key::Signature;
pub use public_key::SignatureError;
pub use signing::Signer;
pub use signing::SignerError;
pub use signing::SigningRequest;
pub use time::Timestamp;

use sha2::Digest as _;

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}
