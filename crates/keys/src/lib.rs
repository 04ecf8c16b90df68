//! Algorithms, public keys and the envelopes made with them.
//!
//! In scope: verification with Ed25519, ECDSA on P-256, P-384 and P-521, BBS, ML-DSA-44 for logs, JWK and Multikey, compact JWS and JWE, COSE, JCS (RFC
//! 8785), deterministic CBOR (RFC 8949), strict JSON, X.509 paths, the JCS proofs of Data Integrity, and signing
//! *requests*.
//!
//! Out of scope: keeping private keys and randomness (`crates/signer`), what a payload means (`crates/credential`,
//! `crates/trust`), and who a key belongs to (`crates/did`). Private keys themselves are here only where no library
//! has them ([`bbs::SecretKey`]) or nobody keeps them ([`OneTimeKey`]).
//!
//! Nothing here reads a clock, a file or a socket; time and randomness come as arguments.

pub mod algorithm;
pub mod base64url;
pub mod bbs;
pub mod cbor;
pub mod cose;
#[cfg(test)]
mod counter;
pub mod data_integrity;
pub mod digest;
pub mod ed25519;
pub mod jcs;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod ml_dsa;
pub mod multibase;
pub mod one_time_key;
pub mod public_key;
pub mod signing;
pub mod time;
pub mod x509;

pub use algorithm::Algorithm;
pub use digest::hmac_sha256;
pub use digest::sha256;
pub use digest::sha384;
pub use digest::sha512;
pub use jwk::Jwk;
pub use one_time_key::OneTimeKey;
pub use public_key::KeyError;
pub use public_key::PublicKey;
pub use public_key::Signature;
pub use public_key::SignatureError;
pub use signing::Signer;
pub use signing::SignerError;
pub use signing::SigningRequest;
pub use time::Timestamp;
