//! W3C credentials and presentations with an embedded proof
//! ([Data Integrity](https://www.w3.org/TR/vc-data-integrity/)). OpenID4VCI and OpenID4VP call the format
//! `ldp_vc`.
//!
//! In scope: the cryptosuites [`Cryptosuite`] names; creating and verifying proofs, in sets and chains too; the issuer's and the
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
//! # Selective disclosure
//! `ecdsa-sd-2023` and `bbs-2023` have two kinds of proof. An issuer makes a *base proof* ([`issue_selective`]), which a wallet
//! checks and keeps ([`Unverified::hold_issued`](crate::Unverified::hold_issued)); the wallet derives what it
//! shows of it ([`Held::derive`](crate::Held::derive)). Nobody accepts a base proof as presented, and nobody holds
//! what was derived. Of `bbs-2023`, no two derived proofs can be linked by their proofs.
//!
//! # Proof sets and chains
//! A credential has 1 to [`MAX_PROOFS`] proofs, all over the same contexts. Those of the issuer must all hold, one at
//! least; those of others are checked where the caller gives their key, and must hold then. A proof in a chain covers
//! those that it names in `previousProof`, and holds only if they do. [`Authentic::proofs`](crate::Authentic::proofs)
//! tells those that held, and no others. A presentation has one proof: it is made by one holder for one transaction.
//!
//! # Verification method
//! Must be an absolute DID URL of the issuer (or holder) whose key the caller resolved. There is no way to switch
//! this off: who signed is what a credential is about. Where the issuer is no DID, [`SignedLdpVc`] says who signed, and
//! is evidence of nothing else.

mod add_proof;
mod bbs_2023;
mod credential;
mod cryptosuite;
mod document;
mod ecdsa_sd;
mod issuing;
mod presentation;
mod proof;
mod proof_set;
mod selective;
mod signed;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod vectors;

pub use add_proof::ProofOptions;
pub use add_proof::ProofPlace;
pub use add_proof::add_proof;
pub use add_proof::issue;
pub use add_proof::issue_1_1;
pub use bbs_2023::Bbs2023Error;
pub use credential::LdpVc;
pub use credential::LdpVcError;
pub use cryptosuite::Cryptosuite;
pub use cryptosuite::CryptosuiteError;
pub use document::DocumentError;
pub(crate) use document::context_urls;
pub use ecdsa_sd::ComponentError;
pub use ecdsa_sd::EcdsaSdError;
pub use ecdsa_sd::MAX_STATEMENTS;
pub use issuing::BaseProofOptions;
pub use issuing::issue_selective;
pub use presentation::Expected;
pub use presentation::LdpVpError;
pub use presentation::Presentation;
pub use presentation::PresentedLdpVcs;
pub use presentation::SignedLdpVp;
pub use presentation::UnverifiedPresentation;
pub use proof::ProofError;
pub use proof::ProofPurpose;
pub use proof_set::ProofKeys;
pub use proof_set::VerifiedProof;
pub use selective::MAX_POINTERS;
pub use selective::Pointer;
pub use selective::SelectiveError;
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

/// Proofs of one credential: the issuer's, its successor's after a change of keys, a notary's and a registry's, twice.
/// Each costs a canonicalization and a signature check.
pub const MAX_PROOFS: usize = 8;
