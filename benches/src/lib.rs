//! Credentials, presentations and bundles to measure with, and the rows of the table in `RESULTS.md`.
//!
//! A [`Row`] does one piece of work in two ways: whole, and only the signature checks in it over the same bytes. Their
//! ratio is what the project promises. `benches/ratios.rs` measures both ways in turns, so that a busy machine slows
//! both alike; `benches/operations.rs` measures them, and other work, with criterion; `benches/registry.rs` prints the figures of the registry.

pub mod bbs_2023;
pub mod material;
pub mod mdoc;
pub mod measure;
pub mod rows;
pub mod sd_jwt_vc;
pub mod selective;
pub mod w3c;

/// A small registry with an issuer, as the tests of `crates/trust` make it.
#[path = "../../crates/trust/tests/registry/nation.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod nation;

pub mod registry;

use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::Signer as _;
use keys::Timestamp;
use keys::base64url;
use signer::SoftwareKey;

pub use rows::Row;
pub use rows::rows;

/// The time at which everything is checked: 2027-01-15.
pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// Who asks.
pub const VERIFIER: &str = "decentralized_identifier:did:example:verifier";

/// The key of this number: always the same one, so that runs can be compared.
pub fn key(algorithm: Algorithm, number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(algorithm, &[number; 32]).expect("a secret key")
}

/// One signature, to be made: key and message.
pub struct RawSigning {
    key: SoftwareKey,
    message: Vec<u8>,
}

impl RawSigning {
    /// Signs, and throws the signature away.
    pub fn run(&self) {
        let _signature = self.key.sign(&self.message).expect("a signature");
    }
}

/// One signature check: key, message, signature.
pub struct RawCheck {
    key: RawKey,
    message: Vec<u8>,
    signature: Signature,
}

/// Who checks it: for Ed25519 the library itself, since ours has the same verdict in less time.
enum RawKey {
    Ed25519(ed25519_dalek::VerifyingKey, ed25519_dalek::Signature),
    Other(PublicKey),
}

impl RawCheck {
    /// A signature over any bytes.
    pub fn new(key: &SoftwareKey, message: Vec<u8>) -> Self {
        let signature = key.sign(&message).expect("a signature");
        Self::of(key.public_key(), message, signature)
    }

    /// The signature of a compact JWS.
    pub fn of_jws(jws: &str, key: &PublicKey) -> Self {
        let (message, signature) = jws.rsplit_once('.').expect("a JWS");
        let signature = base64url::decode(signature).expect("base64url");
        let signature = Signature::from_bytes(&signature).expect("64 bytes");
        Self::of(key, message.as_bytes().to_vec(), signature)
    }

    /// Somebody's signature.
    pub(crate) fn of(key: &PublicKey, message: Vec<u8>, signature: Signature) -> Self {
        let key = match key.ed25519_bytes() {
            Some(bytes) => RawKey::Ed25519(
                ed25519_dalek::VerifyingKey::from_bytes(&bytes).expect("a key"),
                ed25519_dalek::Signature::from_slice(signature.as_bytes()).expect("64 bytes"),
            ),
            None => RawKey::Other(key.clone()),
        };
        Self {
            key,
            message,
            signature,
        }
    }

    /// Checks it.
    pub fn run(&self) {
        let holds = match &self.key {
            RawKey::Ed25519(key, signature) => key.verify_strict(&self.message, signature).is_ok(),
            RawKey::Other(key) => key.verify(&self.message, &self.signature).is_ok(),
        };
        assert!(holds);
    }
}
