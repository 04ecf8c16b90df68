//! Transformation, hashing and signature of the
//! [EdDSA cryptosuites](https://www.w3.org/TR/vc-di-eddsa/#algorithms).

use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::SignatureError;
use keys::SigningRequest;
use keys::data_integrity as jcs_proof;
use keys::multibase;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::vc::ProblemType;

/// A way to make a proof of a document. Deliberately closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cryptosuite {
    /// [`eddsa-jcs-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022): Ed25519 over the document's JSON.
    EddsaJcs2022,
    /// [`eddsa-rdfc-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022): Ed25519 over the document's RDF.
    EddsaRdfc2022,
}

/// The fault of the document's author, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptosuiteError {
    /// Its blank nodes cannot be told apart with bearable work.
    #[error("the document is too hard to canonicalize")]
    Canonicalization(#[from] jsonld::CanonicalizationError),
    /// It has no canonical JSON form, or the proof is malformed or of another key.
    #[error("the document's JSON is not what was signed")]
    Json(#[from] jcs_proof::ProofError),
    /// It is not JSON-LD that a proof can cover.
    #[error("the document is no JSON-LD that a proof can cover")]
    JsonLd(#[from] jsonld::Error),
    /// `proofValue` is not of the form that the suite demands.
    #[error("expected `proofValue` as base58btc multibase of 64 bytes, found another form")]
    ProofValue,
    /// The signature is not by this key over this document.
    #[error("the document's meaning is not what was signed")]
    Signature(#[from] SignatureError),
}

impl CryptosuiteError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Canonicalization(_) | Self::JsonLd(_) | Self::Json(jcs_proof::ProofError::Canonicalization(_)) => {
                ProblemType::ProofTransformationError
            }
            Self::Json(jcs_proof::ProofError::Signature(_)) | Self::Signature(_) => {
                ProblemType::CryptographicSecurityError
            }
            // The error of `keys` may gain kinds; what is not the signature's fault is the proof's.
            Self::Json(_) | Self::ProofValue => ProblemType::ProofVerificationError,
        }
    }
}

impl Cryptosuite {
    /// Every suite, in the order of preference that we advertise.
    pub const ALL: [Self; 2] = [Self::EddsaRdfc2022, Self::EddsaJcs2022];

    /// The value of `cryptosuite`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => jcs_proof::EDDSA_JCS_2022,
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
        }
    }

    /// The suite of this name, if we have it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.as_str() == name)
    }

    /// The algorithm that the key must have.
    #[must_use]
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 => Algorithm::EdDsa,
        }
    }

    /// "Create Proof": a request for the proof of `document` (without `proof`) under `configuration` (without
    /// `proofValue`).
    pub(super) fn sign(
        self,
        document: &Map<String, Value>,
        mut configuration: Map<String, Value>,
        contexts: &ContextLoader,
    ) -> Result<SigningRequest<Value>, CryptosuiteError> {
        configuration.insert("type".to_owned(), Value::from(super::proof::TYPE));
        configuration.insert("cryptosuite".to_owned(), Value::from(self.as_str()));
        match self {
            Self::EddsaJcs2022 => {
                // So that the proof stays good when it is put into a set with others that need more contexts.
                if let Some(context) = document.get("@context") {
                    configuration.insert("@context".to_owned(), context.clone());
                }
                Ok(jcs_proof::eddsa_jcs_sign(
                    &Value::Object(document.clone()),
                    configuration,
                )?)
            }
            Self::EddsaRdfc2022 => {
                let message = rdfc_hash_data(document, &configuration, contexts)?;
                Ok(SigningRequest::new(self.algorithm(), message, move |signature| {
                    let value = multibase::encode_base58btc(signature.as_bytes());
                    configuration.insert("proofValue".to_owned(), Value::from(value));
                    Value::Object(configuration)
                }))
            }
        }
    }

    /// "Verify Proof": checks `proof` over `document` (without `proof`) with `key`.
    pub(super) fn verify(
        self,
        document: &Map<String, Value>,
        proof: &Map<String, Value>,
        key: &PublicKey,
        contexts: &ContextLoader,
    ) -> Result<(), CryptosuiteError> {
        match self {
            Self::EddsaJcs2022 => Ok(jcs_proof::eddsa_jcs_verify(
                &Value::Object(document.clone()),
                &Value::Object(proof.clone()),
                key,
            )?),
            Self::EddsaRdfc2022 => {
                // The algorithm is the suite's, never the key's.
                if key.algorithm() != self.algorithm() {
                    return Err(SignatureError.into());
                }
                let mut configuration = proof.clone();
                let signature = configuration
                    .remove("proofValue")
                    .as_ref()
                    .and_then(Value::as_str)
                    .filter(|text| text.starts_with('z'))
                    .and_then(|text| multibase::decode(text).ok())
                    .and_then(|bytes| Signature::from_bytes(&bytes).ok())
                    .ok_or(CryptosuiteError::ProofValue)?;
                let message = rdfc_hash_data(document, &configuration, contexts)?;
                Ok(key.verify(&message, &signature)?)
            }
        }
    }
}

/// Hash of the proof configuration, then hash of the document
/// ([hashing](https://www.w3.org/TR/vc-di-eddsa/#hashing-eddsa-rdfc-2022)).
pub(super) fn rdfc_hash_data(
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    contexts: &ContextLoader,
) -> Result<Vec<u8>, CryptosuiteError> {
    let mut configuration = configuration.clone();
    // The terms of the proof mean what they mean in the document.
    if let Some(context) = document.get("@context") {
        configuration.insert("@context".to_owned(), context.clone());
    }
    let configuration = canonical_n_quads(&Value::Object(configuration), contexts)?;
    let document = canonical_n_quads(&Value::Object(document.clone()), contexts)?;
    Ok([
        keys::sha256(configuration.as_bytes()),
        keys::sha256(document.as_bytes()),
    ]
    .concat())
}

pub(super) fn canonical_n_quads(document: &Value, contexts: &ContextLoader) -> Result<String, CryptosuiteError> {
    let dataset = jsonld::to_rdf(document, &Options::compact(contexts))?;
    let canonical = jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)?;
    Ok(canonical.n_quads)
}
