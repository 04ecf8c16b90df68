//! The members of a [proof](https://www.w3.org/TR/vc-data-integrity/#proofs) and what must be true of them.

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Cryptosuite;
use crate::key_id::absolute_key_id;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::vc::ProblemType;

/// The only `type` of a proof.
pub(super) const TYPE: &str = "DataIntegrityProof";

/// Values of a `domain`; a proof is made for one verifier, two are a proxy and its origin.
const MAX_DOMAINS: usize = 8;

/// What a proof is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofPurpose {
    /// To assert claims: credentials.
    AssertionMethod,
    /// To show who one is: presentations.
    Authentication,
}

impl ProofPurpose {
    /// The value of `proofPurpose`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AssertionMethod => "assertionMethod",
            Self::Authentication => "authentication",
        }
    }
}

/// The fault of the proof's maker, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// `previousProof` makes it a link of a chain.
    #[error("expected a proof by itself, found one of a chain")]
    Chain,
    /// `@context` of the proof is not the beginning of the document's, or is there where the suite has none.
    #[error("expected the proof's `@context` to be the beginning of the document's, found another")]
    Context,
    /// A suite that we do not have.
    #[error("expected the cryptosuite eddsa-rdfc-2022 or eddsa-jcs-2022, found another")]
    Cryptosuite,
    /// A member is missing or malformed.
    #[error("expected `{member}` as {expected}, found something else or nothing")]
    Member {
        /// Its name.
        member: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// There is no proof.
    #[error("expected a proof, found none")]
    Missing,
    /// More than one proof, or none, in an array.
    #[error("expected one proof, found {found}")]
    Set {
        /// How many.
        found: usize,
    },
    /// Expired, or made in the future.
    #[error("the proof is not valid now")]
    Validity(#[from] ValidityError),
    /// The verification method is not one of this identity.
    #[error("expected a verification method of {expected:?}, found another")]
    VerificationMethod {
        /// Whose key it should be.
        expected: String,
    },
    /// Made for something else.
    #[error("expected the purpose {expected:?}, found another")]
    WrongPurpose {
        /// What it should have been made for.
        expected: &'static str,
    },
}

impl ProofError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            // "If [...] `proof` is not a map": there is nothing to verify.
            Self::Missing | Self::Set { .. } => ProblemType::ParsingError,
            Self::Chain
            | Self::Context
            | Self::Cryptosuite
            | Self::Member { .. }
            | Self::Validity(_)
            | Self::VerificationMethod { .. }
            | Self::WrongPurpose { .. } => ProblemType::ProofVerificationError,
        }
    }
}

/// One proof, apart from its document.
pub(super) struct Proof {
    /// All members, as received.
    pub(super) map: Map<String, Value>,
    pub(super) cryptosuite: Cryptosuite,
    pub(super) verification_method: String,
    pub(super) created: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
}

impl Proof {
    /// Takes the proof out of `document`, which is then the document that was signed: a JCS proof names the
    /// contexts that were there when it was made, and those that others added after them go.
    pub(super) fn take(document: &mut Map<String, Value>) -> Result<Self, ProofError> {
        let map = match document.remove("proof") {
            None => return Err(ProofError::Missing),
            Some(Value::Object(map)) => map,
            Some(Value::Array(mut proofs)) => match (proofs.len(), proofs.pop()) {
                (1, Some(Value::Object(map))) => map,
                (found, _) => return Err(ProofError::Set { found }),
            },
            Some(_) => return Err(malformed("proof", "an object")),
        };
        if string(&map, "type", "a string")? != TYPE {
            return Err(malformed("type", TYPE));
        }
        if map.contains_key("previousProof") {
            return Err(ProofError::Chain);
        }
        let name = string(&map, "cryptosuite", "a string")?;
        let cryptosuite = Cryptosuite::from_name(name).ok_or(ProofError::Cryptosuite)?;
        string(&map, "proofValue", "a string")?;
        string(&map, "proofPurpose", "a string")?;
        let proof = Self {
            cryptosuite,
            verification_method: string(&map, "verificationMethod", "a DID URL")?.to_owned(),
            created: time(&map, "created")?,
            expires: time(&map, "expires")?,
            map,
        };
        proof.restore_context(document)?;
        Ok(proof)
    }

    /// Checks purpose, verification method and times.
    pub(super) fn check(&self, purpose: ProofPurpose, identity: &str, now: Timestamp) -> Result<(), ProofError> {
        self.check_maker(purpose, identity)?;
        Ok(check_validity(self.created, self.expires, now)?)
    }

    /// Checks purpose and verification method.
    pub(super) fn check_maker(&self, purpose: ProofPurpose, identity: &str) -> Result<(), ProofError> {
        let expected = purpose.as_str();
        if self.map.get("proofPurpose").and_then(Value::as_str) != Some(expected) {
            return Err(ProofError::WrongPurpose { expected });
        }
        check_method(identity, &self.verification_method)
    }

    pub(super) fn challenge(&self) -> Option<&str> {
        self.map.get("challenge").and_then(Value::as_str)
    }

    /// Whether the proof was made for this domain alone.
    pub(super) fn is_for_domain(&self, domain: &str) -> bool {
        match self.map.get("domain") {
            Some(Value::String(found)) => found == domain,
            // A set with repetitions is no set; an empty one is made for nobody.
            Some(Value::Array(domains)) if domains.len() <= MAX_DOMAINS => {
                matches!(domains.as_slice(), [Value::String(found)] if found == domain)
            }
            _ => false,
        }
    }

    /// Step 4 of [verify proof](https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-jcs-2022).
    fn restore_context(&self, document: &mut Map<String, Value>) -> Result<(), ProofError> {
        let Some(own) = self.map.get("@context") else {
            return Ok(());
        };
        let begins = match self.cryptosuite {
            Cryptosuite::EddsaJcs2022 => document
                .get("@context")
                .is_some_and(|context| as_slice(context).starts_with(as_slice(own))),
            // There the document's context replaces the proof's, which nothing would cover.
            Cryptosuite::EddsaRdfc2022 => false,
        };
        if !begins {
            return Err(ProofError::Context);
        }
        document.insert("@context".to_owned(), own.clone());
        Ok(())
    }
}

/// The verification method must be an absolute DID URL of `identity`.
pub(super) fn check_method(identity: &str, method: &str) -> Result<(), ProofError> {
    if absolute_key_id(identity, method).as_deref() == Some(method) {
        return Ok(());
    }
    Err(ProofError::VerificationMethod {
        expected: identity.to_owned(),
    })
}

fn string<'a>(
    map: &'a Map<String, Value>,
    member: &'static str,
    expected: &'static str,
) -> Result<&'a str, ProofError> {
    map.get(member)
        .and_then(Value::as_str)
        .ok_or_else(|| malformed(member, expected))
}

fn time(map: &Map<String, Value>, member: &'static str) -> Result<Option<Timestamp>, ProofError> {
    let Some(value) = map.get(member) else {
        return Ok(None);
    };
    let time = value
        .as_str()
        .and_then(|text| Timestamp::parse_date_time_stamp(text).ok());
    time.map(Some).ok_or_else(|| malformed(member, "a dateTimeStamp"))
}

const fn malformed(member: &'static str, expected: &'static str) -> ProofError {
    ProofError::Member { member, expected }
}

fn as_slice(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        single => std::slice::from_ref(single),
    }
}
