//! The cryptosuites, and transformation, hashing and signature of those that sign a whole document:
//! [EdDSA](https://www.w3.org/TR/vc-di-eddsa/#algorithms) and [ECDSA](https://www.w3.org/TR/vc-di-ecdsa/#algorithms).

use jsonld::CanonicalFormError;
use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use keys::Algorithm;
use keys::PublicKey;
use keys::SignatureError;
use keys::SigningRequest;
use keys::data_integrity as jcs_proof;
use keys::data_integrity::JcsSuite;
use keys::multibase;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Bbs2023Error;
use super::EcdsaSdError;
use super::bbs_2023;
use super::ecdsa_sd;
use crate::vc::ProblemType;

/// A way to make a proof of a document. Deliberately closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cryptosuite {
    /// [`bbs-2023`](https://www.w3.org/TR/vc-di-bbs/#bbs-2023): BBS over the statements of the document's RDF, so that
    /// a holder can show some of them in ways that cannot be linked.
    Bbs2023,
    /// [`ecdsa-jcs-2019`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-jcs-2019): P-256 or P-384 over the document's JSON.
    EcdsaJcs2019,
    /// [`ecdsa-rdfc-2019`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-rdfc-2019): P-256 or P-384 over the document's RDF.
    EcdsaRdfc2019,
    /// [`ecdsa-sd-2023`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-sd-2023): P-256 over each statement of the
    /// document's RDF, so that a holder can show some of them.
    EcdsaSd2023,
    /// [`eddsa-jcs-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022): Ed25519 over the document's JSON.
    EddsaJcs2022,
    /// [`eddsa-rdfc-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022): Ed25519 over the document's RDF.
    EddsaRdfc2022,
}

/// How much of what was signed a document shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disclosure {
    /// All, and with it what the holder needs to show less: for the holder alone.
    Base,
    /// What a holder has chosen.
    Derived,
    /// All, as everybody may see it.
    Whole,
}

/// The fault of the document's author, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CryptosuiteError {
    /// A key of another kind than the suite's.
    #[error("expected a key for {suite}, found one for {found}")]
    Algorithm {
        /// The suite.
        suite: &'static str,
        /// The key's algorithm.
        found: Algorithm,
    },
    /// The proof of `bbs-2023` is refused.
    #[error("the statements of the document are not what was signed")]
    Bbs2023(#[from] Bbs2023Error),
    /// Its blank nodes cannot be told apart with bearable work.
    #[error("the document is too hard to canonicalize")]
    Canonicalization(#[from] jsonld::CanonicalizationError),
    /// The proof with selective disclosure is refused.
    #[error("the statements of the document are not what was signed")]
    EcdsaSd(#[from] EcdsaSdError),
    /// It has no canonical JSON form, or the proof is malformed or of another key.
    #[error("the document's JSON is not what was signed")]
    Json(#[from] jcs_proof::ProofError),
    /// It is not JSON-LD that a proof can cover.
    #[error("the document is no JSON-LD that a proof can cover")]
    JsonLd(#[from] jsonld::Error),
    /// A suite that signs the whole document where a holder is to choose.
    #[error("expected a cryptosuite with selective disclosure, found another")]
    NotSelective,
    /// `proofValue` is not of the form that the suite demands.
    #[error("expected `proofValue` in the form of its cryptosuite, found another")]
    ProofValue,
    /// A suite with selective disclosure where the whole document is signed.
    #[error("expected a cryptosuite that signs the whole document, found one with selective disclosure")]
    Selective,
    /// The signature is not by this key over this document.
    #[error("the document's meaning is not what was signed")]
    Signature(#[from] SignatureError),
}

impl From<CanonicalFormError> for CryptosuiteError {
    fn from(error: CanonicalFormError) -> Self {
        match error {
            CanonicalFormError::Canonicalization(error) => Self::Canonicalization(error),
            CanonicalFormError::JsonLd(error) => Self::JsonLd(error),
        }
    }
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
            Self::Bbs2023(error) => error.problem_type(),
            Self::EcdsaSd(error) => error.problem_type(),
            Self::NotSelective | Self::Selective => ProblemType::ProofGenerationError,
            // The error of `keys` may gain kinds; what is not the signature's fault is the proof's.
            Self::Algorithm { .. } | Self::Json(_) | Self::ProofValue => ProblemType::ProofVerificationError,
        }
    }
}

impl Cryptosuite {
    /// Every suite, in the order of preference that we advertise.
    pub const ALL: [Self; 6] = [
        Self::EddsaRdfc2022,
        Self::EddsaJcs2022,
        Self::EcdsaRdfc2019,
        Self::EcdsaJcs2019,
        Self::EcdsaSd2023,
        Self::Bbs2023,
    ];

    /// The value of `cryptosuite`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bbs2023 => "bbs-2023",
            Self::EcdsaJcs2019 => JcsSuite::EcdsaJcs2019.as_str(),
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
            Self::EcdsaSd2023 => "ecdsa-sd-2023",
            Self::EddsaJcs2022 => JcsSuite::EddsaJcs2022.as_str(),
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
        }
    }

    /// The suite of this name, if we have it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.as_str() == name)
    }

    /// The algorithms that its proofs are made with; the first is the usual one.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::Bbs2023 => &[Algorithm::Bbs],
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => &[Algorithm::Es256, Algorithm::Es384],
            Self::EcdsaSd2023 => &[Algorithm::Es256],
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 => &[Algorithm::EdDsa],
        }
    }

    /// What of a document it signs.
    pub(super) const fn transformation(self) -> Transformation {
        match self {
            Self::Bbs2023 => Transformation::Statements(Statements::Bbs2023),
            Self::EcdsaJcs2019 => Transformation::Jcs(JcsSuite::EcdsaJcs2019),
            Self::EcdsaSd2023 => Transformation::Statements(Statements::EcdsaSd2023),
            Self::EddsaJcs2022 => Transformation::Jcs(JcsSuite::EddsaJcs2022),
            Self::EcdsaRdfc2019 | Self::EddsaRdfc2022 => Transformation::Rdfc,
        }
    }

    /// Whether a holder can show a part of what was signed. Such a suite signs credentials, never presentations.
    #[must_use]
    pub const fn is_selective(self) -> bool {
        matches!(self.transformation(), Transformation::Statements(_))
    }

    /// What the proof with this value is good for.
    pub(super) fn disclosure(self, proof_value: &str) -> Result<Disclosure, CryptosuiteError> {
        match self.transformation() {
            Transformation::Statements(Statements::Bbs2023) => Ok(bbs_2023::disclosure(proof_value)?),
            Transformation::Statements(Statements::EcdsaSd2023) => {
                ecdsa_sd::disclosure(proof_value).ok_or(CryptosuiteError::ProofValue)
            }
            Transformation::Jcs(_) | Transformation::Rdfc => Ok(Disclosure::Whole),
        }
    }

    /// What a derived proof with this value, which was verified, is bound to; none if it cannot be bound.
    pub(super) fn presentation_header(self, proof_value: &str) -> Option<Vec<u8>> {
        match self.transformation() {
            Transformation::Statements(Statements::Bbs2023) => bbs_2023::presentation_header(proof_value),
            Transformation::Statements(Statements::EcdsaSd2023) | Transformation::Jcs(_) | Transformation::Rdfc => None,
        }
    }

    /// "Create Proof": a request for the proof of `document` (without `proof`) under `configuration` (without
    /// `proofValue`) by a key of this algorithm.
    pub(super) fn sign(
        self,
        algorithm: Algorithm,
        document: &Map<String, Value>,
        configuration: Map<String, Value>,
        contexts: &ContextLoader,
    ) -> Result<SigningRequest<Value>, CryptosuiteError> {
        match self.transformation() {
            Transformation::Statements(_) => Err(CryptosuiteError::Selective),
            Transformation::Jcs(suite) => {
                let mut configuration = configuration;
                // So that the proof stays good when it is put into a set with others that need more contexts.
                if let Some(context) = document.get("@context") {
                    configuration.insert("@context".to_owned(), context.clone());
                }
                Ok(jcs_proof::jcs_sign(suite, algorithm, document, configuration)?)
            }
            Transformation::Rdfc => {
                self.check_algorithm(algorithm)?;
                let mut configuration = self.named(configuration);
                let message = rdfc_hash_data(algorithm, document, &configuration, contexts)?;
                Ok(SigningRequest::new(algorithm, message, move |signature| {
                    let value = multibase::encode_base58btc(signature.as_bytes());
                    configuration.insert("proofValue".to_owned(), Value::from(value));
                    Value::Object(configuration)
                }))
            }
        }
    }

    /// The configuration of a proof of this suite.
    pub(super) fn named(self, mut configuration: Map<String, Value>) -> Map<String, Value> {
        configuration.insert("type".to_owned(), Value::from(super::proof::TYPE));
        configuration.insert("cryptosuite".to_owned(), Value::from(self.as_str()));
        configuration
    }

    /// "Verify Proof": checks `proof` over `document` (without `proof`) with `key`.
    pub(super) fn verify(
        self,
        document: &Map<String, Value>,
        proof: &Map<String, Value>,
        key: &PublicKey,
        contexts: &ContextLoader,
    ) -> Result<(), CryptosuiteError> {
        match self.transformation() {
            Transformation::Statements(suite) => {
                self.check_algorithm(key.algorithm())?;
                let mut configuration = proof.clone();
                let proof_value = configuration.remove("proofValue");
                let proof_value = proof_value.as_ref().and_then(Value::as_str).unwrap_or_default();
                let verify = match (suite, self.disclosure(proof_value)?) {
                    (Statements::Bbs2023, Disclosure::Base) => bbs_2023::verify_base,
                    (Statements::Bbs2023, Disclosure::Derived | Disclosure::Whole) => bbs_2023::verify_derived,
                    (Statements::EcdsaSd2023, Disclosure::Base) => ecdsa_sd::verify_base,
                    (Statements::EcdsaSd2023, Disclosure::Derived | Disclosure::Whole) => ecdsa_sd::verify_derived,
                };
                verify(document, &configuration, proof_value, key, contexts)
            }
            Transformation::Jcs(suite) => Ok(jcs_proof::jcs_verify(suite, document, proof, key)?),
            Transformation::Rdfc => {
                self.check_algorithm(key.algorithm())?;
                let mut configuration = proof.clone();
                let value = configuration.remove("proofValue");
                let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
                let signature = jcs_proof::decode_proof_value(text).map_err(|_| CryptosuiteError::ProofValue)?;
                let message = rdfc_hash_data(key.algorithm(), document, &configuration, contexts)?;
                Ok(key.verify(&message, &signature)?)
            }
        }
    }

    /// The algorithm is the suite's, never the key's alone.
    pub(super) fn check_algorithm(self, found: Algorithm) -> Result<(), CryptosuiteError> {
        if self.algorithms().contains(&found) {
            Ok(())
        } else {
            Err(CryptosuiteError::Algorithm {
                suite: self.as_str(),
                found,
            })
        }
    }
}

/// What of a document is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transformation {
    /// Its JSON, canonicalized.
    Jcs(JcsSuite),
    /// Its RDF, canonicalized.
    Rdfc,
    /// Each statement of its RDF.
    Statements(Statements),
}

/// The suites that sign the statements of a document one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Statements {
    Bbs2023,
    EcdsaSd2023,
}

/// Hash of the proof configuration, then hash of the document
/// ([hashing](https://www.w3.org/TR/vc-di-ecdsa/#hashing-ecdsa-rdfc-2019)).
pub(super) fn rdfc_hash_data(
    algorithm: Algorithm,
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    contexts: &ContextLoader,
) -> Result<Vec<u8>, CryptosuiteError> {
    // The terms of the proof mean what they mean in the document.
    let hash = match algorithm {
        Algorithm::Bbs | Algorithm::EdDsa | Algorithm::Es256 => HashAlgorithm::Sha256,
        // No suite takes a key of P-521, so that none comes here.
        Algorithm::Es384 | Algorithm::Es512 => HashAlgorithm::Sha384,
    };
    let configuration = canonical_n_quads(configuration, document.get("@context"), hash, contexts)?;
    let document = canonical_n_quads(document, None, hash, contexts)?;
    Ok([
        algorithm.digest(configuration.as_bytes()),
        algorithm.digest(document.as_bytes()),
    ]
    .concat())
}

/// The canonical form of `document`, with `context` in the place of its own and `hash` inside of the algorithm.
pub(super) fn canonical_n_quads(
    document: &Map<String, Value>,
    context: Option<&Value>,
    hash: HashAlgorithm,
    contexts: &ContextLoader,
) -> Result<String, CryptosuiteError> {
    let (options, work) = (Options::compact(contexts), MAX_CANONICALIZATION_WORK);
    Ok(jsonld::canonical_n_quads(document, context, &options, hash, work)?)
}
