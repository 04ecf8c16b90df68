//! The members of a [proof](https://www.w3.org/TR/vc-data-integrity/#proofs) and what must be true of them.

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Cryptosuite;
use super::MAX_PROOFS;
use super::cryptosuite::Transformation;
use crate::key_id::absolute_key_id;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::status_list::is_uri;
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
    /// A proof that makes itself part of the order in which it stands: directly or by way of others, it is its own
    /// previous proof.
    #[error("expected an order of proofs, found a circle")]
    Circle,
    /// `@context` of the proof is not the beginning of the document's, is there where the suite has none, or is not the
    /// one of the document's other proofs.
    #[error("expected the proof's `@context` to be the beginning of the document's, found another")]
    Context,
    /// A suite that we do not have.
    #[error("expected a cryptosuite of this version, found another")]
    Cryptosuite,
    /// Several proofs have the same `id`.
    #[error("expected proofs with an id of their own, found one twice")]
    Id,
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
    /// `previousProof` names a proof that is not there.
    #[error("expected the previous proof {id:?}, found none of this id")]
    PreviousProof {
        /// Its `id`.
        id: String,
    },
    /// More proofs than a document may have here, or none in an array.
    #[error("expected 1 to {most} proofs, found {found}")]
    Set {
        /// How many it may have.
        most: usize,
        /// How many it has.
        found: usize,
    },
    /// A proof that must hold is of a verification method whose key is not given.
    #[error("expected the key of {verification_method:?}, found none")]
    UnknownKey {
        /// The verification method.
        verification_method: String,
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
            Self::Circle
            | Self::Context
            | Self::Cryptosuite
            | Self::Id
            | Self::Member { .. }
            | Self::PreviousProof { .. }
            | Self::UnknownKey { .. }
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
    pub(super) id: Option<String>,
    /// The ids of the proofs that must hold for this one to hold, each once.
    pub(super) previous: Vec<String>,
    pub(super) cryptosuite: Cryptosuite,
    pub(super) verification_method: String,
    pub(super) created: Option<Timestamp>,
    pub(super) expires: Option<Timestamp>,
}

impl Proof {
    /// Reads the members of a proof.
    pub(super) fn read(map: Map<String, Value>) -> Result<Self, ProofError> {
        if string(&map, "type", "a string")? != TYPE {
            return Err(malformed("type", TYPE));
        }
        let name = string(&map, "cryptosuite", "a string")?;
        let cryptosuite = Cryptosuite::from_name(name).ok_or(ProofError::Cryptosuite)?;
        string(&map, "proofValue", "a string")?;
        string(&map, "proofPurpose", "a string")?;
        for member in ["challenge", "nonce"] {
            if map.contains_key(member) {
                string(&map, member, "a string")?;
            }
        }
        let (id, previous) = read_place(&map)?;
        Ok(Self {
            id,
            previous,
            cryptosuite,
            verification_method: string(&map, "verificationMethod", "a DID URL")?.to_owned(),
            created: time(&map, "created")?,
            expires: time(&map, "expires")?,
            map,
        })
    }

    /// Checks purpose, verification method and times.
    pub(super) fn check(&self, purpose: ProofPurpose, identity: &str, now: Timestamp) -> Result<(), ProofError> {
        self.check_purpose(purpose)?;
        check_method(identity, &self.verification_method)?;
        self.check_times(now)
    }

    pub(super) fn check_purpose(&self, purpose: ProofPurpose) -> Result<(), ProofError> {
        let expected = purpose.as_str();
        if self.map.get("proofPurpose").and_then(Value::as_str) == Some(expected) {
            Ok(())
        } else {
            Err(ProofError::WrongPurpose { expected })
        }
    }

    pub(super) fn check_times(&self, now: Timestamp) -> Result<(), ProofError> {
        Ok(check_validity(self.created, self.expires, now)?)
    }

    /// `proofValue`, which is there since the proof was read.
    pub(super) fn value(&self) -> &str {
        self.map.get("proofValue").and_then(Value::as_str).unwrap_or_default()
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

    /// The `@context` that the proof covers: a JCS proof names the contexts that were there when it was made, and those
    /// that others added after them go
    /// (step 4 of [verify proof](https://www.w3.org/TR/vc-di-eddsa/#verify-proof-eddsa-jcs-2022)).
    pub(super) fn covered_context<'a>(
        &'a self,
        document: &'a Map<String, Value>,
    ) -> Result<Option<&'a Value>, ProofError> {
        let whole = document.get("@context");
        let Some(own) = self.map.get("@context") else {
            return Ok(whole);
        };
        let begins = match self.cryptosuite.transformation() {
            Transformation::Jcs(_) => whole.is_some_and(|context| as_slice(context).starts_with(as_slice(own))),
            // There the document's context replaces the proof's, which nothing would cover.
            Transformation::Rdfc | Transformation::Statements(_) => false,
        };
        if begins {
            Ok(Some(own))
        } else {
            Err(ProofError::Context)
        }
    }
}

/// The verification method must be an absolute DID URL of `identity`.
pub(super) fn check_method(identity: &str, method: &str) -> Result<(), ProofError> {
    if is_method_of(identity, method) {
        return Ok(());
    }
    Err(ProofError::VerificationMethod {
        expected: identity.to_owned(),
    })
}

/// Whether `method` is an absolute DID URL of `identity`.
pub(super) fn is_method_of(identity: &str, method: &str) -> bool {
    absolute_key_id(identity, method).as_deref() == Some(method)
}

/// The place of a proof among others: its `id`, and the ids of the proofs before it.
pub(super) fn read_place(map: &Map<String, Value>) -> Result<(Option<String>, Vec<String>), ProofError> {
    Ok((read_id(map)?, read_previous(map)?))
}

/// `id`, one URL if present.
fn read_id(map: &Map<String, Value>) -> Result<Option<String>, ProofError> {
    let Some(value) = map.get("id") else { return Ok(None) };
    let id = value.as_str().filter(|id| is_uri(id));
    id.map(|id| Some(id.to_owned())).ok_or_else(|| malformed("id", "a URL"))
}

/// `previousProof`, a string or a set of strings if present.
fn read_previous(map: &Map<String, Value>) -> Result<Vec<String>, ProofError> {
    let Some(value) = map.get("previousProof") else {
        return Ok(Vec::new());
    };
    let mut ids: Vec<String> = Vec::new();
    for value in as_slice(value) {
        match value.as_str() {
            Some(id) if ids.len() < MAX_PROOFS && !ids.iter().any(|other| other == id) => ids.push(id.to_owned()),
            _ => return Err(malformed("previousProof", "a set of ids")),
        }
    }
    if ids.is_empty() {
        return Err(malformed("previousProof", "a set of ids"));
    }
    Ok(ids)
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
