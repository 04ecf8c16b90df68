//! [`ecdsa-sd-2023`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-sd-2023): P-256 over the statements of a document,
//! of which a holder reveals some.
//!
//! The issuer's *base proof* is for the holder alone. A key of its own, made for this one document, signs each
//! statement that may be left out; the issuer signs that key together with the proof's own terms and all
//! mandatory statements. The holder's *derived proof* has the signatures of what is revealed.

mod proof_value;

#[cfg(test)]
mod vectors;

pub(super) use proof_value::BASE_PREFIX;
pub use proof_value::ComponentError;
pub(super) use proof_value::DERIVED_PREFIX;
pub use proof_value::MAX_STATEMENTS;

use std::collections::BTreeSet;

use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use keys::Algorithm;
use keys::OneTimeKey;
use keys::PublicKey;
use keys::Signature;
use keys::SignatureError;
use keys::SigningRequest;
use keys::one_time_key::OneTimeKeyError;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use self::proof_value::BaseProof;
use self::proof_value::DerivedProof;
use super::CryptosuiteError;
use super::Pointer;
use super::SelectiveError;
use super::cryptosuite::Disclosure;
use super::cryptosuite::canonical_n_quads;
use super::selective::Statements;
use super::selective::labelled_n_quads;
use super::selective::labels;
use super::selective::labels::HmacKey;
use crate::vc::ProblemType;

/// The fault of the proof's maker, or of whoever changed it or its document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EcdsaSdError {
    /// The issuer's key has not signed the one-time key with these mandatory statements and this proof.
    #[error("expected the issuer's signature over the mandatory statements, found another")]
    BaseSignature(#[source] SignatureError),
    /// `proofValue` is malformed.
    #[error("the proof value is refused")]
    Component(#[from] ComponentError),
    /// A statement is counted as mandatory that is not there.
    #[error("expected positions of mandatory statements among {statements}, found {found}")]
    MandatoryPosition {
        /// How many statements there are.
        statements: usize,
        /// The position.
        found: u64,
    },
    /// The environment's fault.
    #[error("the statements are not signed")]
    OneTimeKey(#[from] OneTimeKeyError),
    /// The parts of the document are not named as they should be.
    #[error("the selection is refused")]
    Selective(#[from] SelectiveError),
    /// There are not as many signatures as statements that are not mandatory.
    #[error("expected a signature for each of {expected} statements, found {found}")]
    SignatureCount {
        /// How many statements there are.
        expected: usize,
        /// How many signatures.
        found: usize,
    },
    /// A statement was not signed with the one-time key.
    #[error("expected a signature by the one-time key over each statement, found another")]
    StatementSignature(#[source] SignatureError),
    /// More statements than any credential has.
    #[error("expected at most {MAX_STATEMENTS} statements, found {found}")]
    TooManyStatements {
        /// How many.
        found: usize,
    },
}

impl EcdsaSdError {
    /// The `type` of a problem report.
    pub(super) const fn problem_type(&self) -> ProblemType {
        match self {
            Self::BaseSignature(_) | Self::StatementSignature(_) => ProblemType::CryptographicSecurityError,
            Self::Component(_)
            | Self::MandatoryPosition { .. }
            | Self::OneTimeKey(_)
            | Self::Selective(_)
            | Self::SignatureCount { .. }
            | Self::TooManyStatements { .. } => ProblemType::ProofVerificationError,
        }
    }
}

/// [Create Base Proof](https://www.w3.org/TR/vc-di-ecdsa/#create-base-proof-ecdsa-sd-2023): a request for the
/// proof of `document` (without `proof`) under `configuration` (without `proofValue`).
pub(super) fn sign(
    document: &Map<String, Value>,
    mut configuration: Map<String, Value>,
    mandatory: Vec<Pointer>,
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Value>, CryptosuiteError> {
    let mut hmac_key: HmacKey = [0; 32];
    rng.fill_bytes(&mut hmac_key);
    let statements = statements(document, contexts, &hmac_key)?;
    let positions = statements.select(&mandatory).map_err(refused)?.positions;
    let groups = Groups::new(statements.n_quads(), &positions)?;
    let key = OneTimeKey::generate(rng).map_err(EcdsaSdError::OneTimeKey)?;
    let signatures = groups.others.iter().map(|line| key.sign(line.as_bytes()));
    let signatures = signatures.collect::<Result<_, _>>().map_err(EcdsaSdError::OneTimeKey)?;
    let one_time_key = key.public_key().clone();
    let message = groups.signed_data(document, &configuration, &one_time_key, contexts)?;
    Ok(SigningRequest::new(Algorithm::Es256, message, move |base_signature| {
        let base = BaseProof {
            base_signature,
            one_time_key,
            hmac_key,
            signatures,
            mandatory,
        };
        configuration.insert("proofValue".to_owned(), Value::from(base.encode()));
        Value::Object(configuration)
    }))
}

/// Checks a base proof as its holder: everything is made again. There is no such step in the standard, where a
/// holder would learn only from a verifier that it holds nothing.
pub(super) fn verify_base(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    proof_value: &str,
    key: &PublicKey,
    contexts: &ContextLoader,
) -> Result<(), CryptosuiteError> {
    let base = BaseProof::decode(proof_value).map_err(EcdsaSdError::Component)?;
    let statements = statements(document, contexts, &base.hmac_key)?;
    let positions = statements.select(&base.mandatory).map_err(refused)?.positions;
    let groups = Groups::new(statements.n_quads(), &positions)?;
    groups.check_count(&base.signatures)?;
    let message = groups.signed_data(document, configuration, &base.one_time_key, contexts)?;
    verify_issuer(key, &message, &base.base_signature)?;
    groups.verify(&base.one_time_key, &base.signatures)
}

/// [Add Derived Proof](https://www.w3.org/TR/vc-di-ecdsa/#add-derived-proof-ecdsa-sd-2023): what is mandatory in
/// `document` and what `selective` selects, with its `proofValue`.
pub(super) fn derive(
    document: &Map<String, Value>,
    proof_value: &str,
    selective: &[Pointer],
    contexts: &ContextLoader,
) -> Result<(Map<String, Value>, String), CryptosuiteError> {
    let base = BaseProof::decode(proof_value).map_err(EcdsaSdError::Component)?;
    let statements = statements(document, contexts, &base.hmac_key)?;
    let mandatory = statements.select(&base.mandatory).map_err(refused)?.positions;
    Groups::new(statements.n_quads(), &mandatory)?.check_count(&base.signatures)?;
    let pointers = [base.mandatory.as_slice(), selective].concat();
    let revealed = statements.select(&pointers).map_err(refused)?;
    let is_mandatory = |position: &usize| mandatory.contains(position);
    let others = (0..statements.n_quads().len()).filter(|position| !is_mandatory(position));
    let signatures = others
        .zip(&base.signatures)
        .filter(|(position, _)| revealed.positions.contains(position))
        .map(|(_, signature)| *signature)
        .collect();
    let relative = revealed.positions.iter().zip(0..);
    let derived = DerivedProof {
        base_signature: base.base_signature,
        one_time_key: base.one_time_key,
        signatures,
        labels: revealed.labels,
        mandatory: relative
            .filter(|(position, _)| is_mandatory(position))
            .map(|(_, relative)| relative)
            .collect(),
    };
    let proof_value = derived.encode().map_err(EcdsaSdError::Component)?;
    Ok((revealed.document, proof_value))
}

/// [Verify Derived Proof](https://www.w3.org/TR/vc-di-ecdsa/#verify-derived-proof-ecdsa-sd-2023).
pub(super) fn verify_derived(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    proof_value: &str,
    key: &PublicKey,
    contexts: &ContextLoader,
) -> Result<(), CryptosuiteError> {
    let derived = DerivedProof::decode(proof_value).map_err(EcdsaSdError::Component)?;
    let n_quads = labelled_n_quads(document, contexts, &derived.labels).map_err(refused)?;
    let groups = Groups::new(&n_quads, &derived.positions(n_quads.len())?)?;
    groups.check_count(&derived.signatures)?;
    let message = groups.signed_data(document, configuration, &derived.one_time_key, contexts)?;
    verify_issuer(key, &message, &derived.base_signature)?;
    groups.verify(&derived.one_time_key, &derived.signatures)
}

fn statements<'d>(
    document: &'d Map<String, Value>,
    contexts: &'d ContextLoader,
    hmac_key: &HmacKey,
) -> Result<Statements<'d>, CryptosuiteError> {
    Statements::new(document, contexts, |count| labels::hmac(hmac_key, count)).map_err(refused)
}

/// Statements by who signs them.
struct Groups<'q> {
    /// Signed together by the issuer.
    mandatory: String,
    /// Signed one by one with the one-time key.
    others: Vec<&'q str>,
}

impl<'q> Groups<'q> {
    fn new(n_quads: &'q [String], mandatory: &BTreeSet<usize>) -> Result<Self, EcdsaSdError> {
        let found = n_quads.len();
        if found > MAX_STATEMENTS {
            return Err(EcdsaSdError::TooManyStatements { found });
        }
        let mut groups = Self {
            mandatory: String::new(),
            others: Vec::new(),
        };
        for (position, line) in n_quads.iter().enumerate() {
            if mandatory.contains(&position) {
                groups.mandatory.push_str(line);
            } else {
                groups.others.push(line);
            }
        }
        Ok(groups)
    }

    /// What the issuer signs
    /// ([serializeSignData](https://www.w3.org/TR/vc-di-ecdsa/#serializesigndata)).
    fn signed_data(
        &self,
        document: &Map<String, Value>,
        configuration: &Map<String, Value>,
        one_time_key: &PublicKey,
        contexts: &ContextLoader,
    ) -> Result<Vec<u8>, CryptosuiteError> {
        // The terms of the proof mean what they mean in the document.
        let context = document.get("@context");
        let configuration = canonical_n_quads(configuration, context, HashAlgorithm::Sha256, contexts)?;
        Ok([
            &keys::sha256(configuration.as_bytes())[..],
            &one_time_key.to_multikey_bytes(),
            &keys::sha256(self.mandatory.as_bytes()),
        ]
        .concat())
    }

    fn check_count(&self, signatures: &[Signature]) -> Result<(), EcdsaSdError> {
        let (expected, found) = (self.others.len(), signatures.len());
        if expected != found {
            return Err(EcdsaSdError::SignatureCount { expected, found });
        }
        Ok(())
    }

    /// After [`Self::check_count`]: none is left over.
    fn verify(&self, one_time_key: &PublicKey, signatures: &[Signature]) -> Result<(), CryptosuiteError> {
        for (line, signature) in self.others.iter().zip(signatures) {
            one_time_key
                .verify(line.as_bytes(), signature)
                .map_err(EcdsaSdError::StatementSignature)?;
        }
        Ok(())
    }
}

/// What the proof with this value is good for; none if it is not of this suite.
pub(super) fn disclosure(proof_value: &str) -> Option<Disclosure> {
    if proof_value.starts_with(BASE_PREFIX) {
        Some(Disclosure::Base)
    } else if proof_value.starts_with(DERIVED_PREFIX) {
        Some(Disclosure::Derived)
    } else {
        None
    }
}

fn verify_issuer(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), EcdsaSdError> {
    key.verify(message, signature).map_err(EcdsaSdError::BaseSignature)
}

/// What makes a document no JSON-LD is the same fault under every suite.
fn refused(error: SelectiveError) -> CryptosuiteError {
    match error {
        SelectiveError::Canonicalization(error) => error.into(),
        SelectiveError::JsonLd(error) => error.into(),
        other => EcdsaSdError::Selective(other).into(),
    }
}
