//! W3C credentials and presentations with an embedded proof
//! ([Data Integrity](https://www.w3.org/TR/vc-data-integrity/)). OpenID4VCI and OpenID4VP call the format
//! `ldp_vc`.
//!
//! In scope: the cryptosuites [`Cryptosuite`] names; creating and verifying one proof; the issuer's and the
//! holder's binding to it; purpose, times, challenge and domain.
//!
//! # What a document must be
//! A signature covers a document's meaning, an application reads its JSON. Both must be the same thing, so:
//! * `@context` is a list of URLs, each known to the [`jsonld::ContextLoader`] given; contexts written into the
//!   document, and contexts below the top of a credential, are refused
//!   ([Validating Contexts](https://www.w3.org/TR/vc-data-integrity/#validating-contexts)). Which list of contexts
//!   belongs to a type is the caller's policy: see [`crate::Unverified::contexts`]. Who secures or checks the words of
//!   others and acts on none gives a loader that takes contexts written into a document:
//!   [`jsonld::ContextLoader::accepting_embedded`].
//! * With an `rdfc` suite it is in compacted form ([`jsonld::Mode::Compact`]): no undefined terms, no other
//!   spelling of anything, and nothing of the credential or its subject is said at another place.
//! * Integers are within ±2^53, beyond which implementations read different numbers.
//!
//! What RDF itself does not keep, nobody can check: the order of an array, and repetitions in it.
//!
//! # Proof sets and chains
//! Refused: `proof` must be one proof (alone, or in an array by itself), without `previousProof`. Of a set, a
//! verifier might check one proof and an application act on another.
//!
//! # Verification method
//! Must be an absolute DID URL of the issuer (or holder) whose key the caller resolved. There is no way to switch
//! this off: who signed is what a credential is about. Where the issuer is no DID, [`SignedLdpVc`] says who signed, and
//! is evidence of nothing else.

mod credential;
mod cryptosuite;
mod document;
mod presentation;
mod proof;
mod signed;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod vectors;

pub use credential::LdpVc;
pub use credential::LdpVcError;
pub use credential::ProofOptions;
pub use credential::issue;
pub use cryptosuite::Cryptosuite;
pub use cryptosuite::CryptosuiteError;
pub use document::DocumentError;
pub(crate) use document::context_urls;
pub use presentation::Expected;
pub use presentation::LdpVpError;
pub use presentation::Presentation;
pub use presentation::PresentedLdpVcs;
pub use presentation::SignedLdpVp;
pub use presentation::UnverifiedPresentation;
pub use proof::ProofError;
pub use proof::ProofPurpose;
pub use signed::SignedLdpVc;

/// Bytes of a credential; as large as an SD-JWT may be, for the same portrait.
pub const MAX_CREDENTIAL_BYTES: usize = crate::sd_jwt::MAX_BYTES;

/// Bytes of a presentation: two large credentials, or some hundred small ones.
pub const MAX_PRESENTATION_BYTES: usize = 2 << 20;

/// Credentials in one presentation. A request asks for a handful; each costs a canonicalization and a signature
/// check.
pub const MAX_CREDENTIALS: usize = 64;

/// Contexts of one document. Known credential types need 2 to 4.
pub const MAX_CONTEXTS: usize = 16;
