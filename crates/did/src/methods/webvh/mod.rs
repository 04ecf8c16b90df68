//! `did:webvh` 1.0, read and written ([specification](https://identity.foundation/didwebvh/v1.0/)).
//!
//! A DID is the hash of its own first log entry, and every later entry is chained to the one before
//! and signed by a key that the log itself named. So a log verifies wherever it comes from: from its
//! host, from a registry, from a bundle.
//!
//! Where things are: [`Identifier`] takes the DID apart, [`LogState`] checks one line after another,
//! [`witness`] counts approvals, [`resolve_log`] puts them together, [`create`] and
//! [`LogState::update`] write the next line.
//!
//! Out of scope: watchers are listed, never asked; `/whois` and paths are URLs in the services that
//! [`with_implicit_services`] adds, never fetched.

mod entry;
mod identifier;
mod log;
mod parameters;
mod resolution;
mod services;
#[cfg(test)]
mod tests;
pub mod witness;
mod write;

pub use entry::EntryError;
pub use entry::MAX_LINE_BYTES;
pub use entry::VersionId;
pub use identifier::Identifier;
pub use identifier::IdentifierError;
pub use identifier::METHOD;
pub use log::LogState;
pub use log::MAX_CLOCK_SKEW;
pub use log::StoredStateError;
pub use parameters::DEFAULT_TTL;
pub use parameters::METHOD_VERSION;
pub use parameters::ParameterChanges;
pub use parameters::ParameterError;
pub use parameters::Parameters;
pub use parameters::key_hash;
pub use resolution::MAX_LOG_BYTES;
pub use resolution::Resolution;
pub use resolution::ResolveLogError;
pub use resolution::VersionQuery;
pub use resolution::resolve_log;
pub use services::with_implicit_services;
pub use witness::WitnessFile;
pub use witness::Witnesses;
pub use write::Creation;
pub use write::NewLog;
pub use write::Update;
pub use write::WriteError;
pub use write::create;

use keys::multibase;

/// Stands for the SCID while the SCID is being calculated.
pub const SCID_PLACEHOLDER: &str = "{SCID}";

/// The only hash of version 1.0: base58btc of the SHA-256 multihash of `text`.
fn hash(text: &str) -> String {
    multibase::base58btc_encode(&multibase::sha256_multihash(text.as_bytes()))
}
