//! What the fuzz targets do: one module for each, with `fuzz` called for every input.
//!
//! A finding is a panic, an input that takes seconds, memory without bound, or a broken property: what was read
//! and written again must be the same, and what we sign ourselves must verify. Targets that would stop at a
//! signature also sign the input as a genuine issuer would, so that what lies behind is reached as well.
//!
//! [`seeds`] writes a few inputs of our own for each target before it starts.

pub mod bbs_2023;
pub mod bundle;
pub mod cbor;
pub mod cose;
pub mod data_integrity;
pub mod dcql;
pub mod delta;
pub mod did;
pub mod encodings;
pub mod federation;
pub mod json;
pub mod json_schema;
pub mod jsonld;
pub mod jsonld_paths;
pub mod jwt;
pub mod mapping;
pub mod mdoc;
pub mod sd_jwt;
pub mod seeds;
pub mod status_list;
pub mod svg_template;
pub mod tlog;
pub mod vci;
pub mod verdict;
pub mod vp;
pub mod wallet;

/// A small registry with an issuer, as the tests of `crates/trust` make it.
#[path = "../../crates/trust/tests/registry/nation.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod nation;

/// The issuer's mapping, from its source files: the crate around it brings databases and a web server, which would
/// double the time that all targets take to build.
#[path = "../../issuer/src"]
#[expect(dead_code, reason = "the service needs more of it")]
mod issuer_source {
    pub(crate) mod mapping;
}

/// What the mapping needs of the issuer's registers.
mod register;

use keys::Algorithm;
use keys::SigningRequest;
use keys::Timestamp;
use keys::jws;
use serde_json::Map;
use serde_json::Value;
use signer::SoftwareKey;

/// The time at which everything is checked: 2027-01-15.
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// Who signs what is put behind a signature.
struct Party {
    did: String,
    method: String,
    key: SoftwareKey,
}

impl Party {
    /// The party of this number, with a did:key. Always the same, so that findings can be repeated.
    fn new(number: u8) -> Self {
        Self::of(Algorithm::EdDsa, number)
    }

    /// The same with a key of another kind.
    fn of(algorithm: Algorithm, number: u8) -> Self {
        let key = SoftwareKey::from_secret(algorithm, &[number; 32]).expect("a seed");
        let public = keys::Signer::public_key(&key).clone();
        Self {
            did: ::did::methods::key::did(&public),
            method: ::did::methods::key::method_id(&public),
            key,
        }
    }

    fn public(&self) -> &keys::PublicKey {
        keys::Signer::public_key(&self.key)
    }

    fn sign<T>(&self, request: SigningRequest<T>) -> T {
        self.key.fulfil(request).expect("a key of the right kind")
    }

    /// A compact JWS over any payload.
    fn jws(&self, typ: &str, payload: &[u8]) -> String {
        let header = [("typ", typ), ("kid", self.method.as_str())];
        let header: Map<String, Value> = header
            .map(|(name, value)| (name.to_owned(), value.into()))
            .into_iter()
            .collect();
        self.sign(jws::sign(header, payload, Algorithm::EdDsa))
    }
}

fn issuer() -> &'static Party {
    static PARTY: std::sync::LazyLock<Party> = std::sync::LazyLock::new(|| Party::new(1));
    &PARTY
}

fn holder() -> &'static Party {
    static PARTY: std::sync::LazyLock<Party> = std::sync::LazyLock::new(|| Party::new(2));
    &PARTY
}

fn transaction() -> credential::Transaction<'static> {
    credential::Transaction {
        audience: "did:example:verifier",
        nonce: "n-1",
        now: NOW,
        max_age: 300,
    }
}

/// The input as text, if it is text.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// The input as JSON object, if it is one.
fn object(data: &[u8]) -> Option<Map<String, Value>> {
    keys::json::parse_object(data, keys::json::DEFAULT_LIMITS).ok()
}
