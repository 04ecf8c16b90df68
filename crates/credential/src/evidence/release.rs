//! The evidence that opens a credential, and the claims it gives.
//!
//! For the `verifier` crate only. Each part of [`ReleaseEvidence`] is the result of one check; the verifier
//! makes the checks against its trust bundle and policy, and [`Authentic::release`](super::Authentic::release)
//! compares the parts with the credential once more. A part that was made for another credential, leaves out
//! a type or a status entry, or is too old is refused here, even if the verifier forgot to look.

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Facts;
use super::HolderBinding;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::status_list::StatusReading;
use crate::status_list::StatusReference;

/// The complete set of facts that a verdict rests on.
#[derive(Clone, Debug)]
#[must_use]
pub struct ReleaseEvidence {
    /// The issuer may issue these types.
    pub authority: AuthorityFact,
    /// One reading for each status entry of the credential.
    pub status: Vec<StatusReading>,
    /// How old the knowledge is, and how old it may be.
    pub freshness: Freshness,
    /// Who presented it.
    pub holder_binding: HolderBinding,
}

/// An issuer's authority over credential types, as the registry's state has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorityFact {
    /// The issuer's identifier.
    pub issuer: String,
    /// The types it may issue; at least those that the credential asserts.
    pub types: Vec<String>,
}

/// When the verifier looks, and what age of knowledge its policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The time of the verdict.
    pub now: Timestamp,
    /// When the state was true that authority comes from.
    pub as_of: Timestamp,
    /// The type's rule for old knowledge.
    pub staleness: Staleness,
}

/// What happens with knowledge that is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staleness {
    /// Older than this many seconds is refused.
    RefuseAfter(i64),
    /// The type's logged policy accepts any age; the verdict tells it.
    AcceptAnyAge,
}

/// A mistake of the verifier: it asked for claims without sufficient evidence.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReleaseError {
    /// Evidence about another presentation.
    #[error("expected the holder binding of this presentation, found that of another")]
    HolderBindingOfAnother,
    /// The authority is another issuer's.
    #[error("expected authority of {expected}, found that of {found}")]
    IssuerWithoutAuthority {
        /// The credential's issuer.
        expected: String,
        /// Whose authority was given.
        found: String,
    },
    /// The status list says that the credential is not to be accepted.
    #[error("expected the status valid, found another")]
    NotValid,
    /// Another issuer's status list.
    #[error("expected a status list of {expected}, found one of {found}")]
    StatusOfAnother {
        /// The credential's issuer.
        expected: String,
        /// Whose list was read.
        found: String,
    },
    /// Knowledge older than the policy allows.
    #[error("expected knowledge of {limit} seconds at most, found {age}")]
    Stale {
        /// The policy's limit.
        limit: i64,
        /// The age found.
        age: i64,
    },
    /// A status entry was not looked up.
    #[error("expected a status reading for {} index {}, found none", reference.uri(), reference.index())]
    StatusNotRead {
        /// The entry.
        reference: StatusReference,
    },
    /// A type that the issuer has no authority for.
    #[error("expected authority for the type {type_}, found none")]
    TypeWithoutAuthority {
        /// The type.
        type_: String,
    },
    /// Outside its validity period at the time of the verdict.
    #[error("the credential is not valid at the time of the verdict")]
    Validity(#[from] ValidityError),
}

/// Claims of a credential for which everything was checked. The `verifier` wraps them into its `Verified`.
#[must_use]
pub struct Released {
    facts: Facts,
    claims: Map<String, Value>,
}

impl Released {
    pub(super) const fn new(facts: Facts, claims: Map<String, Value>) -> Self {
        Self { facts, claims }
    }

    /// The facts, and the claims that were disclosed.
    pub fn into_parts(self) -> (Facts, Map<String, Value>) {
        (self.facts, self.claims)
    }
}

impl std::fmt::Debug for Released {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Released")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

impl ReleaseEvidence {
    pub(super) fn check(&self, facts: &Facts) -> Result<(), ReleaseError> {
        self.check_authority(facts)?;
        check_validity(facts.valid_from(), facts.valid_until(), self.freshness.now)?;
        self.freshness.check(self.freshness.as_of)?;
        for reference in facts.status() {
            let reading = self
                .status
                .iter()
                .find(|reading| reading.reference() == reference)
                .ok_or_else(|| ReleaseError::StatusNotRead {
                    reference: reference.clone(),
                })?;
            if reading.issuer() != facts.issuer {
                return Err(ReleaseError::StatusOfAnother {
                    expected: facts.issuer.clone(),
                    found: reading.issuer().to_owned(),
                });
            }
            if !reading.is_acceptable() {
                return Err(ReleaseError::NotValid);
            }
            self.freshness.check(reading.as_of())?;
        }
        if self.holder_binding.fingerprint != facts.fingerprint {
            return Err(ReleaseError::HolderBindingOfAnother);
        }
        Ok(())
    }

    fn check_authority(&self, facts: &Facts) -> Result<(), ReleaseError> {
        if self.authority.issuer != facts.issuer {
            return Err(ReleaseError::IssuerWithoutAuthority {
                expected: facts.issuer.clone(),
                found: self.authority.issuer.clone(),
            });
        }
        match facts.types.iter().find(|type_| !self.authority.types.contains(type_)) {
            Some(type_) => Err(ReleaseError::TypeWithoutAuthority { type_: type_.clone() }),
            None => Ok(()),
        }
    }
}

impl Freshness {
    fn check(&self, as_of: Timestamp) -> Result<(), ReleaseError> {
        let age = self.now.seconds_since(as_of);
        match self.staleness {
            Staleness::RefuseAfter(limit) if age > limit => Err(ReleaseError::Stale { limit, age }),
            Staleness::RefuseAfter(_) | Staleness::AcceptAnyAge => Ok(()),
        }
    }
}
