//! Transformation, hashing and signature of the cryptosuites that sign a whole document:
//! [EdDSA](https://www.w3.org/TR/vc-di-eddsa/#algorithms) and [ECDSA](https://www.w3.org/TR/vc-di-ecdsa/#algorithms).

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

/// A way to make a proof of a document. Deliberately closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cryptosuite {
    /// [`ecdsa-jcs-2019`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-jcs-2019): P-256 or P-384 over the document's JSON.
    EcdsaJcs2019,
    /// [`ecdsa-rdfc-2019`](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-rdfc-2019): P-256 or P-384 over the document's RDF.
    EcdsaRdfc2019,
    /// [`eddsa-jcs-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022): Ed25519 over the document's JSON.
    EddsaJcs2022,
    /// [`eddsa-rdfc-2022`](https://www.w3.org/TR/vc-di-eddsa/#eddsa-rdfc-2022): Ed25519 over the document's RDF.
    EddsaRdfc2022,
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
    #[error("expected `proofValue` as base58btc multibase of a signature, found another form")]
    ProofValue,
    /// The signature is not by this key over this document.
    #[error("the document's meaning is not what was signed")]
    Signature(#[from] SignatureError),
}

impl Cryptosuite {
    /// Every suite, in the order of preference that we advertise.
    pub const ALL: [Self; 4] = [
        Self::EddsaRdfc2022,
        Self::EddsaJcs2022,
        Self::EcdsaRdfc2019,
        Self::EcdsaJcs2019,
    ];

    /// The value of `cryptosuite`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaJcs2019 => JcsSuite::EcdsaJcs2019.as_str(),
            Self::EcdsaRdfc2019 => "ecdsa-rdfc-2019",
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
            Self::EcdsaJcs2019 | Self::EcdsaRdfc2019 => &[Algorithm::Es256, Algorithm::Es384],
            Self::EddsaJcs2022 | Self::EddsaRdfc2022 => &[Algorithm::EdDsa],
        }
    }

    /// How it signs: the document's JSON, or its meaning.
    pub(super) const fn transformation(self) -> Transformation {
        match self {
            Self::EcdsaJcs2019 => Transformation::Jcs(JcsSuite::EcdsaJcs2019),
            Self::EddsaJcs2022 => Transformation::Jcs(JcsSuite::EddsaJcs2022),
            Self::EcdsaRdfc2019 | Self::EddsaRdfc2022 => Transformation::Rdfc,
        }
    }

    /// "Create Proof": a request for the proof of `document` (without `proof`) under `configuration` (without
    /// `proofValue`) by a key of this algorithm.
    pub(super) fn sign(
        self,
        algorithm: Algorithm,
        document: &Map<String, Value>,
        mut configuration: Map<String, Value>,
        contexts: &ContextLoader,
    ) -> Result<SigningRequest<Value>, CryptosuiteError> {
        configuration.insert("type".to_owned(), Value::from(super::proof::TYPE));
        configuration.insert("cryptosuite".to_owned(), Value::from(self.as_str()));
        match self.transformation() {
            Transformation::Jcs(suite) => {
                // So that the proof stays good when it is put into a set with others that need more contexts.
                if let Some(context) = document.get("@context") {
                    configuration.insert("@context".to_owned(), context.clone());
                }
                Ok(jcs_proof::jcs_sign(
                    suite,
                    algorithm,
                    &Value::Object(document.clone()),
                    configuration,
                )?)
            }
            Transformation::Rdfc => {
                self.check_algorithm(algorithm)?;
                let message = rdfc_hash_data(algorithm, document, &configuration, contexts)?;
                Ok(SigningRequest::new(algorithm, message, move |signature| {
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
        match self.transformation() {
            Transformation::Jcs(suite) => Ok(jcs_proof::jcs_verify(
                suite,
                &Value::Object(document.clone()),
                &Value::Object(proof.clone()),
                key,
            )?),
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
    fn check_algorithm(self, found: Algorithm) -> Result<(), CryptosuiteError> {
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
}

/// Hash of the proof configuration, then hash of the document
/// ([hashing](https://www.w3.org/TR/vc-di-ecdsa/#hashing-ecdsa-rdfc-2019)).
pub(super) fn rdfc_hash_data(
    algorithm: Algorithm,
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
    contexts: &ContextLoader,
) -> Result<Vec<u8>, CryptosuiteError> {
    let mut configuration = configuration.clone();
    // The terms of the proof mean what they mean in the document.
    if let Some(context) = document.get("@context") {
        configuration.insert("@context".to_owned(), context.clone());
    }
    let hash = match algorithm {
        Algorithm::EdDsa | Algorithm::Es256 => HashAlgorithm::Sha256,
        Algorithm::Es384 => HashAlgorithm::Sha384,
    };
    let configuration = canonical_n_quads(&Value::Object(configuration), hash, contexts)?;
    let document = canonical_n_quads(&Value::Object(document.clone()), hash, contexts)?;
    Ok([
        algorithm.digest(configuration.as_bytes()),
        algorithm.digest(document.as_bytes()),
    ]
    .concat())
}

/// The RDF of `document`, canonicalized with `hash` inside.
pub(super) fn canonical_n_quads(
    document: &Value,
    hash: HashAlgorithm,
    contexts: &ContextLoader,
) -> Result<String, CryptosuiteError> {
    let dataset = jsonld::to_rdf(document, &Options::compact(contexts))?;
    let canonical = jsonld::canonicalize(&dataset, hash, MAX_CANONICALIZATION_WORK)?;
    Ok(canonical.n_quads)
}
