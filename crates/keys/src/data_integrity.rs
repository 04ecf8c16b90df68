//! The `eddsa-jcs-2022` proof by itself
//! ([Data Integrity EdDSA Cryptosuites, section 3.3](https://www.w3.org/TR/vc-di-eddsa/#eddsa-jcs-2022)).
//!
//! did:webvh signs its log lines with it, so it lies below `did`. Rules about credentials (purpose, issuer,
//! expiry, `@context`) are in `credential::data_integrity`.

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

/// The name of the suite.
pub const EDDSA_JCS_2022: &str = "eddsa-jcs-2022";

/// The proof is malformed or not of this key.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
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
/// and `cryptosuite` are set here). Completes to the proof object.
///
/// # Errors
/// [`ProofError`] when the document is already secured or has no canonical form: the caller's fault.
pub fn eddsa_jcs_sign(
    document: &Value,
    mut configuration: Map<String, Value>,
) -> Result<SigningRequest<Value>, ProofError> {
    configuration.insert("type".to_owned(), Value::from("DataIntegrityProof"));
    configuration.insert("cryptosuite".to_owned(), Value::from(EDDSA_JCS_2022));
    let message = hash_data(document, &configuration)?;
    Ok(SigningRequest::new(Algorithm::EdDsa, message, move |signature| {
        configuration.insert(
            "proofValue".to_owned(),
            Value::from(multibase::encode_base58btc(signature.as_bytes())),
        );
        Value::Object(configuration)
    }))
}

/// Checks `proof` over `document` (without its `proof` member; in a chain, with the previous proofs there) with `key`.
///
/// # Errors
/// [`ProofError`], the sender's fault.
pub fn eddsa_jcs_verify(document: &Value, proof: &Value, key: &PublicKey) -> Result<(), ProofError> {
    let mut configuration = proof
        .as_object()
        .ok_or(ProofError::Member {
            member: "proof",
            expected: "an object",
        })?
        .clone();
    let value = configuration.remove("proofValue");
    let text = value.as_ref().and_then(Value::as_str).ok_or(ProofError::Member {
        member: "proofValue",
        expected: "a string",
    })?;
    expect(&configuration, "type", "DataIntegrityProof")?;
    expect(&configuration, "cryptosuite", EDDSA_JCS_2022)?;
    if key.algorithm() != Algorithm::EdDsa {
        return Err(SignatureError.into());
    }
    // The suite demands base58btc; `u` would be another text for the same proof.
    if !text.starts_with('z') {
        return Err(ProofError::Member {
            member: "proofValue",
            expected: "base58btc multibase of 64 bytes",
        });
    }
    let signature = multibase::decode(text).map_err(|_| ProofError::Member {
        member: "proofValue",
        expected: "base58btc multibase of 64 bytes",
    })?;
    let message = hash_data(document, &configuration)?;
    Ok(key.verify(&message, &Signature::from_bytes(&signature)?)?)
}

/// Hash of the configuration, then hash of the document (section 3.3.4).
fn hash_data(document: &Value, configuration: &Map<String, Value>) -> Result<Vec<u8>, ProofError> {
    // A link of a chain covers the proofs before it, and nothing else does.
    if document.get("proof").is_some() != configuration.contains_key("previousProof") {
        return Err(ProofError::Unexpected { found: "proof" });
    }
    if configuration.contains_key("proofValue") {
        return Err(ProofError::Unexpected { found: "proofValue" });
    }
    let configuration = jcs::canonicalize(&Value::Object(configuration.clone()))?;
    let document = jcs::canonicalize(document)?;
    Ok([
        crate::sha256(configuration.as_bytes()),
        crate::sha256(document.as_bytes()),
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
