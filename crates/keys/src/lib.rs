//! Algorithms, public keys and the envelopes made with them.
//!
//! In scope: verification with Ed25519, ECDSA on P-256, P-384 and P-521, BBS, JWK and Multikey, compact JWS and JWE, COSE, JCS (RFC
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
pub mod data_integrity;
pub mod jcs;
pub mod json;
pub mod jwe;
pub mod jwk;
pub mod jws;
pub mod multibase;
pub mod one_time_key;
pub mod public_key;
pub mod signing;
pub mod time;
pub mod x509;

pub use algorithm::Algorithm;
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

use hmac::KeyInit as _;
use hmac::Mac as _;
use sha2::Digest as _;

/// SHA-256 of `bytes` (FIPS 180-4).
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// HMAC of `message` with SHA-256 (FIPS 198-1) and a key of the length that
/// [RFC 2104](https://www.rfc-editor.org/rfc/rfc2104#section-3) recommends.
#[must_use]
pub fn hmac_sha256(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key that is shorter than a block of the hash is filled up with zeros.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut hmac = hmac::Hmac::<sha2::Sha256>::new(&block.into());
    hmac.update(message);
    hmac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, section 4.2, whose key of 20 bytes HMAC fills up with zeros.
    #[test]
    fn hmac_vector_of_rfc_4231() {
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let digest = hmac_sha256(&key, b"Hi There");
        assert_eq!(digest[..4], [0xb0, 0x34, 0x4c, 0x61]);
        assert_eq!(digest[28..], [0x2e, 0x32, 0xcf, 0xf7]);
    }
}
