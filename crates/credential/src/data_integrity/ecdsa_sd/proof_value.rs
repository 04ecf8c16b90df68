//! `proofValue` of base and derived proofs: multibase of a header and CBOR
//! ([serializeBaseProofValue](https://www.w3.org/TR/vc-di-ecdsa/#serializebaseproofvalue),
//! [serializeDerivedProofValue](https://www.w3.org/TR/vc-di-ecdsa/#serializederivedproofvalue)).

use std::collections::BTreeSet;

use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::base64url;
use keys::cbor;
use keys::cbor::CborError;
use keys::json::Limits;
use thiserror::Error;

use super::EcdsaSdError;
use crate::data_integrity::MAX_POINTERS;
use crate::data_integrity::Pointer;
use crate::data_integrity::selective::labels;
use crate::data_integrity::selective::labels::HmacKey;

/// Statements of one document, each of which may cost a signature check of 51 us: 52 ms for all of them. The
/// richest published credentials have some hundred.
pub const MAX_STATEMENTS: usize = 1_024;

/// Bytes of a decoded proof value: 1,024 signatures take 68 kB, the most and longest pointers 264 kB, as many labels
/// as statements less. So whatever we sign can be read.
const MAX_PROOF_BYTES: usize = 336 << 10;

const SIGNATURE_BYTES: usize = 64;

/// What a base proof begins with: multibase `u` and the header `d9 5d 00`, whose three bytes are four characters.
pub(in super::super) const BASE_PREFIX: &str = "u2V0A";

/// What a derived proof begins with: the header `d9 5d 01`.
pub(in super::super) const DERIVED_PREFIX: &str = "u2V0B";

/// The fault of the proof's maker, or of whoever changed it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentError {
    /// What follows the header is not deterministic CBOR.
    #[error("the proof value is no CBOR")]
    Cbor(#[from] CborError),
    /// A component is missing or malformed.
    #[error("expected {expected}, found something else")]
    Component {
        /// What belongs there.
        expected: &'static str,
    },
    /// Another header, or no multibase of base64url.
    #[error("expected `proofValue` as base64url multibase of the header of this kind of proof, found another form")]
    Header,
}

/// A base proof's value.
pub(super) struct BaseProof {
    pub(super) base_signature: Signature,
    pub(super) one_time_key: PublicKey,
    pub(super) hmac_key: HmacKey,
    pub(super) signatures: Vec<Signature>,
    pub(super) mandatory: Vec<Pointer>,
}

/// A derived proof's value.
pub(super) struct DerivedProof {
    pub(super) base_signature: Signature,
    pub(super) one_time_key: PublicKey,
    pub(super) signatures: Vec<Signature>,
    /// By the canonical number of the blank node in the revealed document.
    pub(super) labels: Vec<String>,
    /// Positions of the mandatory statements among those that are revealed.
    pub(super) mandatory: Vec<u64>,
}

impl BaseProof {
    pub(super) fn decode(proof_value: &str) -> Result<Self, ComponentError> {
        let components = components(proof_value, BASE_PREFIX)?;
        let [base_signature, one_time_key, hmac_key, signatures, mandatory] = &components;
        let expected = "an HMAC key of 32 bytes";
        let hmac_key = hmac_key.as_bytes().and_then(|bytes| bytes.try_into().ok());
        Ok(Self {
            base_signature: signature(base_signature)?,
            one_time_key: p256_key(one_time_key)?,
            hmac_key: hmac_key.ok_or(ComponentError::Component { expected })?,
            signatures: each(signatures, MAX_STATEMENTS, "signatures", |item| signature(item).ok())?,
            mandatory: each(mandatory, MAX_POINTERS, "JSON pointers", |item| {
                item.as_text()?.parse().ok()
            })?,
        })
    }

    pub(super) fn encode(&self) -> String {
        let mandatory = self
            .mandatory
            .iter()
            .map(|pointer| cbor::Value::text(pointer.to_string()));
        encode(
            BASE_PREFIX,
            vec![
                cbor::Value::bytes(self.base_signature.as_bytes()),
                cbor::Value::bytes(self.one_time_key.to_multikey_bytes()),
                cbor::Value::bytes(self.hmac_key),
                signatures(&self.signatures),
                cbor::Value::Array(mandatory.collect()),
            ],
        )
    }
}

impl DerivedProof {
    pub(super) fn decode(proof_value: &str) -> Result<Self, ComponentError> {
        let components = components(proof_value, DERIVED_PREFIX)?;
        let [base_signature, one_time_key, signatures, label_map, mandatory] = &components;
        Ok(Self {
            base_signature: signature(base_signature)?,
            one_time_key: p256_key(one_time_key)?,
            signatures: each(signatures, MAX_STATEMENTS, "signatures", |item| signature(item).ok())?,
            labels: labels_of(label_map)?,
            mandatory: each(mandatory, MAX_STATEMENTS, "positions", cbor::Value::as_unsigned)?,
        })
    }

    pub(super) fn encode(&self) -> Result<String, ComponentError> {
        let label_map = self.labels.iter().zip(0_u64..).map(|(label, number)| {
            let digest = labels::digest(label).ok_or(ComponentError::Component { expected: LABELS })?;
            Ok((cbor::Value::from(number), cbor::Value::bytes(digest)))
        });
        Ok(encode(
            DERIVED_PREFIX,
            vec![
                cbor::Value::bytes(self.base_signature.as_bytes()),
                cbor::Value::bytes(self.one_time_key.to_multikey_bytes()),
                signatures(&self.signatures),
                cbor::Value::Map(label_map.collect::<Result<_, ComponentError>>()?),
                cbor::Value::Array(self.mandatory.iter().copied().map(cbor::Value::from).collect()),
            ],
        ))
    }

    /// The mandatory positions among so many `statements`: each there, and named once.
    pub(super) fn positions(&self, statements: usize) -> Result<BTreeSet<usize>, EcdsaSdError> {
        let mut positions = BTreeSet::new();
        for found in self.mandatory.iter().copied() {
            let position = usize::try_from(found).ok().filter(|position| *position < statements);
            if !position.is_some_and(|position| positions.insert(position)) {
                return Err(EcdsaSdError::MandatoryPosition { statements, found });
            }
        }
        Ok(positions)
    }
}

const LABELS: &str = "a map of the numbers of blank nodes, without a gap, to digests";

fn components(proof_value: &str, prefix: &str) -> Result<[cbor::Value; 5], ComponentError> {
    let text = proof_value
        .strip_prefix(prefix)
        .filter(|text| text.len() <= MAX_PROOF_BYTES * 4 / 3)
        .ok_or(ComponentError::Header)?;
    let bytes = base64url::decode(text).map_err(|_| ComponentError::Header)?;
    let limits = Limits {
        max_bytes: MAX_PROOF_BYTES,
        max_depth: 2,
    };
    let cbor::Value::Array(items) = cbor::decode(&bytes, limits)? else {
        return Err(ComponentError::Component { expected: COMPONENTS });
    };
    items
        .try_into()
        .map_err(|_| ComponentError::Component { expected: COMPONENTS })
}

const COMPONENTS: &str = "an array of five components";

fn encode(prefix: &str, components: Vec<cbor::Value>) -> String {
    let components = cbor::Value::Array(components).to_vec();
    format!("{prefix}{}", base64url::encode(components))
}

fn signatures(signatures: &[Signature]) -> cbor::Value {
    let bytes = signatures
        .iter()
        .map(|signature| cbor::Value::bytes(signature.as_bytes()));
    cbor::Value::Array(bytes.collect())
}

fn signature(value: &cbor::Value) -> Result<Signature, ComponentError> {
    let bytes = value.as_bytes().filter(|bytes| bytes.len() == SIGNATURE_BYTES);
    let signature = bytes.and_then(|bytes| Signature::from_bytes(bytes).ok());
    signature.ok_or(ComponentError::Component {
        expected: "a signature of 64 bytes",
    })
}

fn p256_key(value: &cbor::Value) -> Result<PublicKey, ComponentError> {
    let key = value
        .as_bytes()
        .and_then(|bytes| PublicKey::from_multikey_bytes(bytes).ok());
    key.filter(|key| key.algorithm() == Algorithm::Es256)
        .ok_or(ComponentError::Component {
            expected: "a compressed P-256 key as Multikey",
        })
}

/// At most `limit` items, each of which `read` takes.
fn each<T>(
    value: &cbor::Value,
    limit: usize,
    expected: &'static str,
    read: impl Fn(&cbor::Value) -> Option<T>,
) -> Result<Vec<T>, ComponentError> {
    let items = value.as_array().filter(|items| items.len() <= limit);
    items
        .and_then(|items| items.iter().map(read).collect())
        .ok_or(ComponentError::Component { expected })
}

/// Deterministic CBOR has the keys sorted and each once.
fn labels_of(value: &cbor::Value) -> Result<Vec<String>, ComponentError> {
    let label = |((key, digest), number): (&(cbor::Value, cbor::Value), u64)| {
        let digest = digest.as_bytes()?.try_into().ok()?;
        (key.as_unsigned() == Some(number)).then(|| labels::from_digest(digest))
    };
    let entries = value.as_map().filter(|entries| entries.len() <= MAX_STATEMENTS);
    entries
        .and_then(|entries| entries.iter().zip(0..).map(label).collect())
        .ok_or(ComponentError::Component { expected: LABELS })
}
