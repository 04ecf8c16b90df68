//! From bytes to claims in steps that cannot be skipped.
//!
//! ```text
//! bytes -> Unverified<T> --authenticate--> Authentic<T> --release(ReleaseEvidence)--> Released   (verifier)
//!                        \                     \--hold_issued--> Held<T>                         (wallet)
//!                         \--restore--> Held<T>
//! ```
//!
//! * [`Unverified`] shows only the hints needed to find a key.
//! * [`Authentic`] is what an issuer's key signed. It shows [`Facts`]: who, which type, when, status, holder
//!   key. It shows no claims, because an authentic credential may come from an issuer without authority, may
//!   be revoked, or may be somebody else's.
//! * [`Released`] has the claims. It is given for a [`ReleaseEvidence`], which needs every fact that a verdict
//!   rests on, each about this very credential. Only the `verifier` crate names [`ReleaseEvidence`]; a test
//!   of the architecture holds everyone else to it.
//! * [`Held`] is what a wallet received for itself: it reads its own claims. What came in a presentation (with a
//!   Key Binding JWT, or inside a `vp+jwt`) cannot be held.
//!
//! `T` is the format: [`crate::SdJwtVc`] and its siblings.

mod presenter;
mod release;

pub use presenter::HolderError;
pub use presenter::Presenter;
pub use release::AuthorityFact;
pub use release::Freshness;
pub use release::ReleaseError;
pub use release::ReleaseEvidence;
pub use release::Released;
pub use release::Staleness;

use std::fmt;

use keys::PublicKey;
use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use crate::CredentialFormat;
use crate::status_list::StatusReference;

/// What a presentation answers: the verifier's own identifier and nonce, and the time.
#[derive(Clone, Copy, Debug)]
pub struct Transaction<'a> {
    /// The verifier as the request named it (the `client_id` in OpenID4VP).
    pub audience: &'a str,
    /// The nonce of the request.
    pub nonce: &'a str,
    /// The time of checking.
    pub now: Timestamp,
    /// How old the holder's signature may be, in seconds.
    pub max_age: i64,
}

/// A credential format's contents. Sealed: formats are added in this crate.
pub trait Credential: sealed::Contents {
    /// What parsing gives, before anything is verified.
    type Parsed;
    /// The format's identifier.
    const FORMAT: CredentialFormat;
}

pub(crate) mod sealed {
    use serde_json::Map;
    use serde_json::Value;

    /// How the evidence types reach the claims; nobody outside holds a value of such a type by itself.
    pub trait Contents {
        fn claims(&self) -> &Map<String, Value>;
        fn into_claims(self) -> Map<String, Value>;
        /// The credential as the holder keeps it.
        fn text(&self) -> &str;
    }
}

/// A parsed credential whose signature nobody has checked.
pub struct Unverified<T: Credential>(pub(crate) T::Parsed);

/// A credential that the named issuer's key signed and that is within its validity period.
#[must_use]
pub struct Authentic<T: Credential> {
    pub(crate) facts: Facts,
    pub(crate) contents: T,
}

/// A wallet's own credential, with its claims.
#[must_use]
pub struct Held<T: Credential> {
    pub(crate) facts: Facts,
    pub(crate) contents: T,
}

/// What is known of an authentic credential apart from its claims.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) format: CredentialFormat,
    pub(crate) holder: Option<HolderKey>,
    pub(crate) issued_at: Option<Timestamp>,
    pub(crate) issuer: String,
    pub(crate) key: PublicKey,
    pub(crate) key_id: Option<String>,
    pub(crate) status: Vec<StatusReference>,
    pub(crate) types: Vec<String>,
    pub(crate) type_integrity: Option<String>,
    pub(crate) unknown_status: Vec<String>,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) valid_until: Option<Timestamp>,
}

/// Who may present the credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HolderKey {
    /// Whoever controls this DID (`credentialSubject.id` of a W3C credential).
    Did(String),
    /// Whoever has this key (`cnf.jwk` of an SD-JWT VC).
    Key(PublicKey),
}

/// SHA-256 of a credential as presented: ties evidence to the credential it is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(pub(crate) [u8; 32]);

/// Evidence of the step "holder binding" for one presented credential.
#[derive(Clone, Debug)]
#[must_use]
pub struct HolderBinding {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) proven: bool,
}

impl<T: Credential> Authentic<T> {
    /// Issuer, types, validity, keys and status references; never a claim about the subject.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Opens the claims for the wallet. Each format has its own `hold_issued`, which first refuses what was
    /// presented: a verifier must not find its claims this way.
    pub(crate) fn hold(self) -> Held<T> {
        Held {
            facts: self.facts,
            contents: self.contents,
        }
    }

    /// Says that this credential may be shown by anybody. RFC 9901 leaves this to the verifier's policy and
    /// demands that it does not depend on what the holder sent.
    pub const fn waive_holder_binding(&self) -> HolderBinding {
        HolderBinding {
            fingerprint: self.facts.fingerprint,
            proven: false,
        }
    }

    /// Hands out the claims, if the evidence is complete and about this credential.
    ///
    /// # Errors
    /// [`ReleaseError`]: a mistake of the caller, who should have refused before.
    pub fn release(self, evidence: &ReleaseEvidence) -> Result<Released, ReleaseError> {
        evidence.check(&self.facts)?;
        Ok(Released::new(self.facts, self.contents.into_claims()))
    }
}

impl<T: Credential> Held<T> {
    /// Issuer, types, validity, keys and status references.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The claims, all disclosures applied. For a W3C credential the whole document.
    pub fn claims(&self) -> &Map<String, Value> {
        self.contents.claims()
    }

    /// The credential as received, to be stored. [`Unverified::parse`] and `restore` read it again.
    pub fn as_str(&self) -> &str {
        self.contents.text()
    }
}

impl Facts {
    /// Ties evidence to this credential as it was presented.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The format.
    #[must_use]
    pub const fn format(&self) -> CredentialFormat {
        self.format
    }

    /// Who may present it; `None` for a bearer credential.
    #[must_use]
    pub const fn holder(&self) -> Option<&HolderKey> {
        self.holder.as_ref()
    }

    /// `iat`, if the issuer tells it. After a revocation of the issuer it proves nothing.
    #[must_use]
    pub const fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    /// The issuer's identifier, equal to the one that the key was resolved for.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that verified the signature.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// `kid` of the issuer's signature, as written.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Every status entry of a mechanism that we know.
    #[must_use]
    pub fn status(&self) -> &[StatusReference] {
        &self.status
    }

    /// Every type that the issuer asserts, the main one (`vct`) first. Authority is needed for each.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// `vct#integrity`: what the type metadata document of `vct` must hash to.
    #[must_use]
    pub fn type_integrity(&self) -> Option<&str> {
        self.type_integrity.as_deref()
    }

    /// Names of status mechanisms that we do not know. The standards let a verifier ignore them; whether it
    /// does is its policy's decision.
    #[must_use]
    pub fn unknown_status(&self) -> &[String] {
        &self.unknown_status
    }

    /// Valid from then on.
    #[must_use]
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// No longer valid from then on.
    #[must_use]
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }
}

impl HolderBinding {
    /// Whether a holder's signature was checked; `false` after [`Authentic::waive_holder_binding`].
    #[must_use]
    pub const fn is_proven(&self) -> bool {
        self.proven
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({})", keys::base64url::encode(self.0))
    }
}

impl<T: Credential> fmt::Debug for Unverified<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unverified")
            .field("format", &T::FORMAT)
            .finish_non_exhaustive()
    }
}

impl<T: Credential> fmt::Debug for Authentic<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authentic")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl<T: Credential> fmt::Debug for Held<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
