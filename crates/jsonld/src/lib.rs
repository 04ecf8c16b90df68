//! JSON-LD 1.1 for signed documents: expansion, RDF, and the canonical form that is signed.
//!
//! # What's in scope
//! - [JSON-LD 1.1 API](https://www.w3.org/TR/json-ld11-api/): context processing, [`expand`], [`to_rdf`];
//! - [RDF Dataset Canonicalization](https://www.w3.org/TR/rdf-canon/) (RDFC-1.0), [`canonicalize`], with a
//!   bound on its work;
//! - a [`ContextLoader`] that holds the contexts documents may use, those of W3C bundled;
//! - a strict mode that refuses whatever would not be covered by a signature, and a compact mode that also
//!   refuses other spellings of what is covered ([`Mode`]).
//!
//! # What's out of scope
//! Fetching (an unknown context is an error), compaction, framing, HTML, the `json-ld-1.0` processing mode,
//! generalized RDF. Proofs are in `credential::data_integrity`.
//!
//! ```
//! use jsonld::{ContextLoader, HashAlgorithm, Options};
//!
//! let loader = ContextLoader::bundled(); // once: it keeps what it worked out
//! let document = serde_json::json!({
//!     "@context": "https://www.w3.org/ns/credentials/v2",
//!     "type": "VerifiableCredential",
//!     "issuer": "did:web:agency.example",
//! });
//! let dataset = jsonld::to_rdf(&document, &Options::compact(&loader))?;
//! let canonical = jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, jsonld::MAX_CANONICALIZATION_WORK)?;
//! assert!(canonical.n_quads.starts_with("_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Helpers of the tests under `tests/` name the crate, and unit tests use some of them.
#[cfg(test)]
extern crate self as jsonld;

mod canonical_form;
mod canonicalization;
mod context;
mod direct;
mod error;
mod expansion;
mod limits;
mod n_quads;
mod options;
mod rdf;
mod syntax;
mod to_rdf;

pub use canonical_form::CanonicalFormError;
pub use canonical_form::canonical_n_quads;
pub use canonical_form::check;
pub use canonical_form::direct_n_quads;
pub use canonicalization::Canonical;
pub use canonicalization::CanonicalizationError;
pub use canonicalization::HashAlgorithm;
pub use canonicalization::MAX_CANONICALIZATION_WORK;
pub use canonicalization::canonicalize;
pub use context::ContextLoader;
pub use error::DataLoss;
pub use error::Error;
pub use error::ErrorCode;
pub use expansion::expand;
pub use limits::Limits;
pub use options::Mode;
pub use options::Options;
pub use options::RdfDirection;
pub use rdf::BlankNode;
pub use rdf::Dataset;
pub use rdf::Literal;
pub use rdf::LiteralKind;
pub use rdf::Object;
pub use rdf::Quad;
pub use rdf::Resource;
pub use to_rdf::Placed;
pub use to_rdf::to_rdf;
pub use to_rdf::to_rdf_with_places;
