//! Presentations with an embedded proof: presenting credentials, and checking who presents them
//! ([verifiable presentations](https://www.w3.org/TR/vc-data-model-2.0/#verifiable-presentations)).
//!
//! `challenge` is the nonce of the request and `domain` the verifier's identifier, as
//! [OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-ldp-vcs) has it.

use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::Cryptosuite;
use super::CryptosuiteError;
use super::DocumentError;
use super::LdpVc;
use super::LdpVcError;
use super::MAX_CREDENTIALS;
use super::MAX_PRESENTATION_BYTES;
use super::ProofError;
use super::ProofOptions;
use super::ProofPurpose;
use super::add_proof::with_proof;
use super::document;
use super::proof::Proof;
use super::proof::check_method;
use super::proof_set::ProofSet;
use crate::Held;
use crate::Transaction;
use crate::Unverified;
use crate::evidence::Fingerprint;
use crate::evidence::Presenter;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::vc::BASE_CONTEXT;
use crate::vc::DataModelError;
use crate::vc::PRESENTATION_TYPE;
use crate::vc::PresentationProperties;
use crate::vc::ProblemType;

/// A presentation to be signed by the holder.
#[derive(Clone, Debug)]
pub struct Presentation<'a> {
    /// The holder's DID: the subject of the credentials.
    pub holder: &'a str,
    /// Absolute DID URL of the holder's key.
    pub verification_method: &'a str,
    /// How the proof is made.
    pub cryptosuite: Cryptosuite,
    /// The algorithm of the holder's key, one of the suite's.
    pub algorithm: Algorithm,
    /// The verifier.
    pub domain: &'a str,
    /// The nonce of the request.
    pub challenge: &'a str,
    /// When the proof is made.
    pub created: Timestamp,
}

/// A presentation whose proof nobody has checked.
pub struct UnverifiedPresentation {
    document: Map<String, Value>,
    proof: Proof,
    holder: String,
    credentials: Vec<Unverified<LdpVc>>,
}

/// Who presented, and what came with it; the credentials themselves are still to be authenticated.
#[must_use]
pub struct PresentedLdpVcs {
    /// Evidence of the presenter, for [`crate::Authentic::verify_presenter`].
    pub presenter: Presenter,
    /// The credentials in order.
    pub credentials: Vec<Unverified<LdpVc>>,
}

/// What a presentation's proof must have been made for, as its receiver says: `None` where the proof must not name
/// anything either. For a receiver that gave no nonce and no name of its own; see [`SignedLdpVp`].
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// `challenge`.
    pub challenge: Option<&'a str>,
    /// `domain`.
    pub domain: Option<&'a str>,
    /// The time of checking.
    pub now: Timestamp,
}

/// Who signed a presentation. No evidence of a presenter: the proof may be an old one, so that no holder binding can
/// be made of it.
#[must_use]
pub struct SignedLdpVp {
    /// The holder's DID.
    pub holder: String,
    /// The credentials in order, still to be authenticated.
    pub credentials: Vec<Unverified<LdpVc>>,
}

/// The presenter's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LdpVpError {
    /// A credential in it is not read.
    #[error("a credential of the presentation is refused")]
    Credential(#[source] LdpVcError),
    /// The proof is not by this key over this presentation.
    #[error("the proof does not hold")]
    Cryptosuite(#[from] CryptosuiteError),
    /// The document does not follow the data model.
    #[error("the presentation document is refused")]
    DataModel(#[from] DataModelError),
    /// The document could be read in two ways.
    #[error("the form of the presentation document is refused")]
    Document(#[from] DocumentError),
    /// Not strict JSON.
    #[error("the presentation is not read")]
    Json(#[from] json::JsonError),
    /// Made before the window of acceptance, or in the future.
    #[error("expected a proof made between {earliest} and {latest}, found {found}")]
    OutsideWindow {
        /// Start of the window.
        earliest: Timestamp,
        /// End of the window.
        latest: Timestamp,
        /// Its `created`.
        found: Timestamp,
    },
    /// The proof itself.
    #[error("the proof is refused")]
    Proof(#[from] ProofError),
    /// Too many credentials.
    #[error("expected at most {MAX_CREDENTIALS} credentials, found {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// Made for another transaction.
    #[error("expected the challenge of this transaction, found another or none")]
    WrongChallenge,
    /// Made for another verifier.
    #[error("expected the domain {expected:?}, found another or none")]
    WrongDomain {
        /// Who we are.
        expected: String,
    },
    /// `holder` is not the DID whose key is given.
    #[error("expected the holder {expected:?}, found another")]
    WrongHolder {
        /// Whose key it is.
        expected: String,
    },
}

impl LdpVpError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Credential(error) => error.problem_type(),
            Self::Cryptosuite(error) => error.problem_type(),
            Self::DataModel(error) => error.problem_type(),
            Self::Document(error) => error.problem_type(),
            Self::Json(_) => ProblemType::ParsingError,
            Self::OutsideWindow { .. } | Self::WrongHolder { .. } => ProblemType::ProofVerificationError,
            Self::Proof(error) => error.problem_type(),
            Self::TooMany { .. } => ProblemType::RangeError,
            Self::WrongChallenge => ProblemType::InvalidChallengeError,
            Self::WrongDomain { .. } => ProblemType::InvalidDomainError,
        }
    }
}

impl Presentation<'_> {
    /// The presentation of these credentials with the holder's proof in it, once signed. Of one with a base proof
    /// it takes what was derived ([`Held::derive`]).
    ///
    /// # Errors
    /// [`LdpVpError`], the caller's fault: a presentation that nobody could verify.
    pub fn sign(
        &self,
        credentials: &[&Held<LdpVc>],
        contexts: &ContextLoader,
    ) -> Result<SigningRequest<Map<String, Value>>, LdpVpError> {
        check_method(self.holder, self.verification_method)?;
        let credentials = credentials
            .iter()
            .map(|held| {
                let shown = held.shown().ok_or(LdpVpError::Credential(LdpVcError::BaseProof))?;
                Ok(json::parse(shown.as_bytes(), limits())?)
            })
            .collect::<Result<Vec<_>, LdpVpError>>()?;
        let mut document = Map::from_iter([
            ("@context".to_owned(), json!([BASE_CONTEXT])),
            ("type".to_owned(), json!([PRESENTATION_TYPE])),
            ("holder".to_owned(), Value::from(self.holder)),
        ]);
        // One or more, or no such member.
        if !credentials.is_empty() {
            document.insert("verifiableCredential".to_owned(), Value::Array(credentials));
        }
        let options = ProofOptions {
            cryptosuite: self.cryptosuite,
            algorithm: self.algorithm,
            verification_method: self.verification_method,
            created: Some(self.created),
            expires: None,
        };
        let mut configuration = options.configuration(ProofPurpose::Authentication);
        configuration.insert("challenge".to_owned(), Value::from(self.challenge));
        configuration.insert("domain".to_owned(), Value::from(self.domain));
        let request = self
            .cryptosuite
            .sign(self.algorithm, &document, configuration, contexts)?;
        Ok(request.map(|proof| with_proof(document, proof)))
    }
}

impl UnverifiedPresentation {
    /// Reads the form of a presentation and of the credentials in it. No signature is checked.
    ///
    /// # Errors
    /// [`LdpVpError`], the presenter's fault.
    pub fn parse(text: &str) -> Result<Self, LdpVpError> {
        let mut document = json::parse_object(text.as_bytes(), limits())?;
        let proof = ProofSet::take_one(&mut document)?;
        if proof.cryptosuite.is_selective() {
            return Err(CryptosuiteError::Selective.into());
        }
        let properties = PresentationProperties::read(&document)?;
        let found = properties.credentials.len();
        if found > MAX_CREDENTIALS {
            return Err(LdpVpError::TooMany { found });
        }
        let credentials = properties
            .credentials
            .iter()
            .map(|object| open(object))
            .collect::<Result<_, _>>()?;
        // Without `holder` the key's DID is the presenter.
        let of_key = proof.verification_method.split('#').next().unwrap_or_default();
        let holder = properties.holder.unwrap_or(of_key).to_owned();
        Ok(Self {
            document,
            proof,
            holder,
            credentials,
        })
    }

    /// The same for a presentation that stood inside of other JSON, which was parsed strictly.
    ///
    /// # Errors
    /// [`LdpVpError`], the presenter's fault.
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, LdpVpError> {
        Self::parse(&Value::Object(object.clone()).to_string())
    }

    /// The holder's DID: a hint for finding the key.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// `verificationMethod`: the DID URL of the key that the holder says it signed with.
    #[must_use]
    pub fn verification_method(&self) -> &str {
        &self.proof.verification_method
    }

    /// The credentials in order, for finding their issuers' keys and their contexts: the presentation's proof
    /// covers what they mean.
    #[must_use]
    pub fn credentials(&self) -> &[Unverified<LdpVc>] {
        &self.credentials
    }

    /// Checks the holder's proof with `key`, which the caller resolved as `holder`'s, and that it was made for
    /// us in this transaction. Every context must be one of `contexts`.
    ///
    /// # Errors
    /// [`LdpVpError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        holder: &str,
        transaction: &Transaction<'_>,
        contexts: &ContextLoader,
    ) -> Result<PresentedLdpVcs, LdpVpError> {
        self.check_maker(holder, transaction.now)?;
        check_transaction(&self.proof, transaction)?;
        self.check_proof(key, contexts)?;
        let fingerprint = |credential: &Unverified<LdpVc>| Fingerprint(keys::sha256(credential.0.text.as_bytes()));
        let presented = self.credentials.iter().map(fingerprint).collect();
        Ok(PresentedLdpVcs {
            presenter: Presenter {
                holder: self.holder,
                key: key.clone(),
                presented,
            },
            credentials: self.credentials,
        })
    }

    /// Checks the holder's proof with `key`, which the caller resolved as `holder`'s, and that it was made for what
    /// the receiver names ([verify proof](https://www.w3.org/TR/vc-data-integrity/#verify-proof)).
    ///
    /// # Errors
    /// [`LdpVpError`].
    pub fn check_signed(
        self,
        key: &PublicKey,
        holder: &str,
        expected: &Expected<'_>,
        contexts: &ContextLoader,
    ) -> Result<SignedLdpVp, LdpVpError> {
        self.check_maker(holder, expected.now)?;
        match expected.domain {
            Some(domain) if self.proof.is_for_domain(domain) => {}
            None if !self.proof.map.contains_key("domain") => {}
            found => {
                return Err(LdpVpError::WrongDomain {
                    expected: found.unwrap_or_default().to_owned(),
                });
            }
        }
        let named = self.proof.map.get("challenge");
        if named.map(Value::as_str) != expected.challenge.map(Some) {
            return Err(LdpVpError::WrongChallenge);
        }
        self.check_proof(key, contexts)?;
        Ok(SignedLdpVp {
            holder: self.holder,
            credentials: self.credentials,
        })
    }

    fn check_maker(&self, holder: &str, now: Timestamp) -> Result<(), LdpVpError> {
        if self.holder != holder {
            return Err(LdpVpError::WrongHolder {
                expected: holder.to_owned(),
            });
        }
        Ok(self.proof.check(ProofPurpose::Authentication, holder, now)?)
    }

    fn check_proof(&self, key: &PublicKey, contexts: &ContextLoader) -> Result<(), LdpVpError> {
        self.check_document(contexts)?;
        let suite = self.proof.cryptosuite;
        Ok(suite.verify(&self.document, &self.proof.map, key, contexts)?)
    }

    /// The presentation around the credentials. They have contexts of their own and are checked as documents
    /// of their own.
    fn check_document(&self, contexts: &ContextLoader) -> Result<(), DocumentError> {
        let mut outside = self.document.clone();
        outside.remove("verifiableCredential");
        document::check(&outside, contexts)
    }
}

impl std::fmt::Debug for UnverifiedPresentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedPresentation")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for SignedLdpVp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedLdpVp")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PresentedLdpVcs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedLdpVcs")
            .field("presenter", &self.presenter)
            .finish_non_exhaustive()
    }
}

fn open(object: &Map<String, Value>) -> Result<Unverified<LdpVc>, LdpVpError> {
    let mut credential = Unverified::<LdpVc>::from_object(object).map_err(LdpVpError::Credential)?;
    credential.0.presented = true;
    Ok(credential)
}

const fn limits() -> json::Limits {
    json::Limits {
        max_bytes: MAX_PRESENTATION_BYTES,
        ..json::DEFAULT_LIMITS
    }
}

fn check_transaction(proof: &Proof, transaction: &Transaction<'_>) -> Result<(), LdpVpError> {
    let now = transaction.now;
    // `created` is optional: the challenge shows that the proof is fresh.
    if let Some(found) = proof.created {
        let (earliest, latest) = (now.minus(transaction.max_age), now.plus(MAX_CLOCK_SKEW));
        if found < earliest || found > latest {
            return Err(LdpVpError::OutsideWindow {
                earliest,
                latest,
                found,
            });
        }
    }
    if !proof.is_for_domain(transaction.audience) {
        return Err(LdpVpError::WrongDomain {
            expected: transaction.audience.to_owned(),
        });
    }
    if proof.challenge() != Some(transaction.nonce) {
        return Err(LdpVpError::WrongChallenge);
    }
    Ok(())
}
