//! Selective Disclosure for JWTs ([RFC 9901](https://www.rfc-editor.org/rfc/rfc9901)).
//!
//! The mechanism alone: disclosures, digests, the compact form and the JSON serialization, processing, key binding. It
//! does not know what a claim means, and it is private to this crate, because a processed payload is claims without
//! evidence: [`crate::sd_jwt_vc`] is what others use.

mod compact;
mod disclosure;
mod hash;
mod issue;
mod json_serialization;
mod key_binding;
mod present;
mod process;
#[cfg(test)]
mod vectors;

pub(crate) use compact::SdJwt;
pub(crate) use disclosure::Disclosure;
pub(crate) use disclosure::Disclosures;
pub(crate) use hash::Digest;
pub use hash::HashAlgorithm;
pub(crate) use issue::Claim;
pub(crate) use issue::Concealed;
pub use issue::Decoys;
pub(crate) use issue::conceal;
pub(crate) use issue::members_of;
pub use json_serialization::JsonSerialization;
pub use json_serialization::to_json;
pub use key_binding::KeyBindingError;
pub(crate) use key_binding::bind;
pub(crate) use key_binding::verify_bound;
pub(crate) use present::Disclosed;
pub use present::SelectionError;
pub(crate) use process::process;

use keys::json::JsonError;
use keys::jws::JwsError;
use thiserror::Error;

use crate::registered_claims::ClaimError;

/// Bytes of a whole SD-JWT. The largest credential we know carries a 30 kB portrait, which is 55 kB after
/// base64 twice; the rest is room for another face, a fingerprint and a signature image.
pub const MAX_BYTES: usize = 512 * 1024;

/// Disclosures in one SD-JWT. The EUDI PID with everything disclosable has about 60; each costs a hash
/// and a parse before anything is known about it.
pub const MAX_DISCLOSURES: usize = 1_000;

/// Levels of arrays and objects in the processed payload, disclosures inside disclosures included. As deep
/// as JSON may be anywhere ([`keys::json::DEFAULT_LIMITS`]).
pub const MAX_DEPTH: usize = 32;

/// The name of the member that holds digests of disclosable members.
pub(crate) const SD: &str = "_sd";
/// The name of the only member of an object that stands for a disclosable array element.
pub(crate) const ELLIPSIS: &str = "...";
/// The name of the top-level claim that names the hash algorithm.
pub(crate) const SD_ALG: &str = "_sd_alg";

/// The sender's fault: this is no SD-JWT, or one whose disclosures do not fit its signed part.
/// No variant tells a claim or its name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SdJwtError {
    /// A disclosure would write a claim that is already there.
    #[error("expected disclosures with new claim names, found one whose name exists beside it")]
    ClaimExists,
    /// A registered claim of the signed part is not readable.
    #[error("a registered claim is not read")]
    Claim(#[from] ClaimError),
    /// A security-critical claim, or a part of it, is selectively disclosable.
    #[error("expected the claim `{name}` in the signed part, found it disclosable")]
    CriticalClaim {
        /// Its registered name.
        name: &'static str,
    },
    /// The same digest stands at two places.
    #[error("expected each digest once, found one twice")]
    DuplicateDigest,
    /// The same disclosure was sent twice.
    #[error("expected each disclosure once, found one twice")]
    DuplicateDisclosure,
    /// Between two tildes there is nothing.
    #[error("expected a disclosure between two tildes, found nothing")]
    EmptyDisclosure,
    /// No tilde: a plain JWT, perhaps.
    #[error("expected an Issuer-signed JWT and a tilde, found no tilde")]
    Form,
    /// The JSON serialization is not strict JSON.
    #[error("the JSON serialization is not read")]
    Json(#[source] JsonError),
    /// A member of the JSON serialization is missing, of another type or elsewhere.
    #[error("expected {expected} in the JSON serialization, found something else")]
    JsonForm {
        /// What belongs there.
        expected: &'static str,
    },
    /// The issuer-signed JWT is not read.
    #[error("the Issuer-signed JWT is refused")]
    Jws(#[from] JwsError),
    /// A disclosure is not base64url or not an array of salt, name and value.
    #[error("expected a disclosure as base64url of [salt, name, value] or [salt, value], found another form")]
    MalformedDisclosure,
    /// The payload is not strict JSON.
    #[error("the payload is not read")]
    Payload(#[source] JsonError),
    /// `_sd`, `...` or `_sd_alg` where the RFC does not allow it.
    #[error("expected `{name}` only as RFC 9901 defines it, found it elsewhere or of another type")]
    ReservedName {
        /// Which of the three.
        name: &'static str,
    },
    /// Too large as a whole.
    #[error("expected an SD-JWT of at most {MAX_BYTES} bytes, found {found}")]
    TooLarge {
        /// Bytes found.
        found: usize,
    },
    /// Too deep after processing.
    #[error("expected claims nested at most {MAX_DEPTH} levels deep, found more")]
    TooDeep,
    /// Too many disclosures.
    #[error("expected at most {MAX_DISCLOSURES} disclosures, found more")]
    TooManyDisclosures,
    /// No digest in the signed part, or in a disclosure that was sent, fits this disclosure.
    #[error("expected a digest for every disclosure, found a disclosure without one")]
    UnreferencedDisclosure,
    /// `_sd_alg` names a hash that we do not accept.
    #[error("expected _sd_alg sha-256, sha-384 or sha-512, found another")]
    UnsupportedHash,
    /// A member's disclosure stands at an array element's digest, or the other way round.
    #[error("expected [salt, name, value] for a member and [salt, value] for an element, found them swapped")]
    WrongDisclosureKind,
}
