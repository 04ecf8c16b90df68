//! Proofs over canonical JSON by themselves: `eddsa-jcs-2022`
//! ([Data Integrity EdDSA Cryptosuites](https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022)) and `ecdsa-jcs-2019`
//! ([Data Integrity ECDSA Cryptosuites](https://www.w3.org/TR/vc-di-ecdsa/#ecdsa-jcs-2019)).
//!
//! did:webvh signs its log lines with the first, so they lie below `did`. Rules about credentials (purpose,
//! issuer, expiry, `@context`) are in `credential::data_integrity`.

use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Algorithm;
use crate::PublicKey;
use crate::Signature;
use crate::SignatureError;
use crate::SigningRequest;
use crate::jcs;
use crate::multibase;

/// The suites that sign canonical JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JcsSuite {
    /// ECDSA on P-256 or P-384.
    EcdsaJcs2019,
    /// Ed25519.
    EddsaJcs2022,
}

impl JcsSuite {
    /// The value of `cryptosuite`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EcdsaJcs2019 => "ecdsa-jcs-2019",
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
        }
    }

    /// The algorithms that its proofs are made with.
    #[must_use]
    pub const fn algorithms(self) -> &'static [Algorithm] {
        match self {
            Self::EcdsaJcs2019 => &[Algorithm::Es256, Algorithm::Es384],
            Self::EddsaJcs2022 => &[Algorithm::EdDsa],
        }
    }
}

/// The proof is malformed or not of this key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// A key of another kind than the suite's.
    #[error("expected a key for {suite}, found one for {found}")]
    Algorithm {
        /// The suite.
        suite: &'static str,
        /// The key's algorithm.
        found: Algorithm,
    },
    /// The document or proof has no canonical form.
    #[error("the document has no canonical form")]
    Canonicalization(#[from] jcs::JcsError),
    /// A member of the proof is missing or of another type or value.
    #[error("expected the proof member `{member}` to be {expected}")]
    Member {
        /// Its name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The signature is not the key's.
    #[error("the proof value is not a valid signature")]
    Signature(#[from] SignatureError),
    /// The document still carries a `proof` (or has lost the one that `previousProof` names), or the configuration a
    /// `proofValue`.
    #[error("expected a document without `{found}`")]
    Unexpected {
        /// Which member is too much.
        found: &'static str,
    },
}

/// A request for the proof of `document` under `configuration` (the proof without `proofValue`; `type`
/// and `cryptosuite` are set here) by a key of this algorithm. Completes to the proof object.
///
/// # Errors
/// [`ProofError`] when the document is already secured or has no canonical form, or the suite has no such
/// algorithm: the caller's fault.
pub fn jcs_sign(
    suite: JcsSuite,
    algorithm: Algorithm,
    document: &Map<String, Value>,
    mut configuration: Map<String, Value>,
) -> Result<SigningRequest<Value>, ProofError> {
    check_algorithm(suite, algorithm)?;
    configuration.insert("type".to_owned(), Value::from("DataIntegrityProof"));
    configuration.insert("cryptosuite".to_owned(), Value::from(suite.as_str()));
    let message = hash_data(algorithm, document, &configuration)?;
    Ok(SigningRequest::new(algorithm, message, move |signature| {
        configuration.insert(
            "proofValue".to_owned(),
            Value::from(multibase::encode_base58btc(signature.as_bytes())),
        );
        Value::Object(configuration)
    }))
}

/// Checks `proof`, which must be of this suite, over `document` (without its `proof` member; in a chain, with the
/// previous proofs there) with `key`.
///
/// # Errors
/// [`ProofError`], the sender's fault.
pub fn jcs_verify(
    suite: JcsSuite,
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    key: &PublicKey,
) -> Result<(), ProofError> {
    let mut configuration = proof.clone();
    let value = configuration.remove("proofValue");
    let text = value.as_ref().and_then(Value::as_str).ok_or(ProofError::Member {
        member: "proofValue",
        expected: "a string",
    })?;
    expect(&configuration, "type", "DataIntegrityProof")?;
    expect(&configuration, "cryptosuite", suite.as_str())?;
    check_algorithm(suite, key.algorithm())?;
    let signature = decode_proof_value(text)?;
    let message = hash_data(key.algorithm(), document, &configuration)?;
    Ok(key.verify(&message, &signature)?)
}

/// A `proofValue` that is a signature alone. The suites demand base58btc; `u` would be another text for the
/// same proof.
///
/// # Errors
/// [`ProofError::Member`].
pub fn decode_proof_value(text: &str) -> Result<Signature, ProofError> {
    let bytes = text.starts_with('z').then(|| multibase::decode(text).ok()).flatten();
    bytes
        .and_then(|bytes| Signature::from_bytes(&bytes).ok())
        .ok_or(ProofError::Member {
            member: "proofValue",
            expected: "base58btc multibase of a signature",
        })
}

/// The algorithm is the suite's, never the key's alone.
fn check_algorithm(suite: JcsSuite, found: Algorithm) -> Result<(), ProofError> {
    if suite.algorithms().contains(&found) {
        Ok(())
    } else {
        Err(ProofError::Algorithm {
            suite: suite.as_str(),
            found,
        })
    }
}

/// Hash of the configuration, then hash of the document
/// ([hashing](https://www.w3.org/TR/vc-di-ecdsa/#hashing-ecdsa-jcs-2019)).
fn hash_data(
    algorithm: Algorithm,
    document: &Map<String, Value>,
    configuration: &Map<String, Value>,
) -> Result<Vec<u8>, ProofError> {
    // A link of a chain covers the proofs before it, and nothing else does.
    if document.contains_key("proof") != configuration.contains_key("previousProof") {
        return Err(ProofError::Unexpected { found: "proof" });
    }
    if configuration.contains_key("proofValue") {
        return Err(ProofError::Unexpected { found: "proofValue" });
    }
    let configuration = jcs::canonicalize_object(configuration)?;
    let document = jcs::canonicalize_object(document)?;
    Ok([
        algorithm.digest(configuration.as_bytes()),
        algorithm.digest(document.as_bytes()),
    ]
    .concat())
}

fn expect(configuration: &Map<String, Value>, member: &'static str, expected: &'static str) -> Result<(), ProofError> {
    if configuration.get(member).and_then(Value::as_str) == Some(expected) {
        Ok(())
    } else {
        Err(ProofError::Member { member, expected })
    }
}
