//! `proofValue` of base and derived proofs: multibase of a header and CBOR
//! ([serializeBaseProofValue](https://www.w3.org/TR/vc-di-bbs/#serializebaseproofvalue),
//! [serializeDerivedProofValue](https://www.w3.org/TR/vc-di-bbs/#serializederivedproofvalue)).

use std::collections::BTreeSet;

use keys::base64url;
use keys::bbs::MAX_MESSAGES;
use keys::cbor;
use keys::json::Limits;

use super::Bbs2023Error;
use crate::data_integrity::MAX_POINTERS;
use crate::data_integrity::Pointer;
use crate::data_integrity::selective::labels::HmacKey;

/// Bytes of a decoded proof value: a proof that hides 1,023 messages takes 33 kB, as many labels and positions 12 kB,
/// and 512 pointers of 100 bytes 51 kB.
const MAX_PROOF_BYTES: usize = 64 << 10;

/// Bytes of a presentation header: a nonce and who it is for, or their hash.
pub(super) const MAX_PRESENTATION_HEADER_BYTES: usize = 1_024;

/// What a base proof begins with: multibase `u` and the header `d9 5d 02`, whose three bytes are four characters.
pub(super) const BASE_PREFIX: &str = "u2V0C";

/// What a derived proof begins with: the header `d9 5d 03`.
pub(super) const DERIVED_PREFIX: &str = "u2V0D";

/// The same with anonymous holder binding, with a pseudonym, and with both: `d9 5d 04` to `d9 5d 09`.
pub(super) const FEATURES: [&str; 6] = ["u2V0E", "u2V0F", "u2V0G", "u2V0H", "u2V0I", "u2V0J"];

/// A base proof's value.
pub(super) struct Base {
    /// As it came: 80 bytes, if it is one.
    pub(super) signature: Vec<u8>,
    pub(super) header: [u8; 64],
    pub(super) public_key: [u8; 96],
    pub(super) hmac_key: HmacKey,
    pub(super) mandatory: Vec<Pointer>,
}

/// A derived proof's value.
pub(super) struct Derived {
    pub(super) bbs_proof: Vec<u8>,
    /// By the canonical number of the blank node in what is shown.
    pub(super) labels: Vec<String>,
    /// Positions of the mandatory statements among those that are shown.
    pub(super) mandatory: Vec<usize>,
    /// Indexes of the messages that are shown among those that were signed.
    pub(super) selective: Vec<usize>,
    pub(super) presentation_header: Vec<u8>,
}

impl Base {
    pub(super) fn decode(proof_value: &str) -> Result<Self, Bbs2023Error> {
        let components = components(proof_value, BASE_PREFIX)?;
        let [signature, header, public_key, hmac_key, mandatory] = &components;
        Ok(Self {
            signature: bytes(signature, "a signature of 80 bytes")?,
            header: array(header, "a header of 64 bytes")?,
            public_key: array(public_key, "a public key of 96 bytes")?,
            hmac_key: array(hmac_key, "an HMAC key of 32 bytes")?,
            mandatory: each(mandatory, MAX_POINTERS, "JSON pointers", |item| {
                item.as_text()?.parse().ok()
            })?,
        })
    }

    pub(super) fn encode(&self) -> String {
        let mandatory = self.mandatory.iter();
        let mandatory = mandatory.map(|pointer| cbor::Value::text(pointer.to_string()));
        encode(
            BASE_PREFIX,
            vec![
                cbor::Value::bytes(self.signature.clone()),
                cbor::Value::bytes(self.header),
                cbor::Value::bytes(self.public_key),
                cbor::Value::bytes(self.hmac_key),
                cbor::Value::Array(mandatory.collect()),
            ],
        )
    }
}

impl Derived {
    pub(super) fn decode(proof_value: &str) -> Result<Self, Bbs2023Error> {
        let components = components(proof_value, DERIVED_PREFIX)?;
        let [bbs_proof, label_map, mandatory, selective, presentation_header] = &components;
        let presentation_header = bytes(presentation_header, "a presentation header")?;
        let found = presentation_header.len();
        if found > MAX_PRESENTATION_HEADER_BYTES {
            return Err(Bbs2023Error::PresentationHeader { found });
        }
        Ok(Self {
            bbs_proof: bytes(bbs_proof, "a BBS proof")?,
            labels: labels_of(label_map)?,
            mandatory: each(mandatory, MAX_MESSAGES, "positions", index)?,
            selective: each(selective, MAX_MESSAGES, "indexes of messages", index)?,
            presentation_header,
        })
    }

    pub(super) fn encode(&self) -> Result<String, Bbs2023Error> {
        let label_map = self.labels.iter().zip(0_u64..).map(|(label, number)| {
            let label = number_of(label).ok_or(Bbs2023Error::Component { expected: LABELS })?;
            Ok((cbor::Value::from(number), cbor::Value::from(label)))
        });
        Ok(encode(
            DERIVED_PREFIX,
            vec![
                cbor::Value::bytes(self.bbs_proof.clone()),
                cbor::Value::Map(label_map.collect::<Result<_, Bbs2023Error>>()?),
                indexes(&self.mandatory),
                indexes(&self.selective),
                cbor::Value::bytes(self.presentation_header.clone()),
            ],
        ))
    }

    /// The mandatory positions among so many `statements`: each there, and named once, in order.
    pub(super) fn positions(&self, statements: usize) -> Result<BTreeSet<usize>, Bbs2023Error> {
        let ascending = self.mandatory.is_sorted_by(|left, right| left < right);
        if !ascending || self.mandatory.last().is_some_and(|last| *last >= statements) {
            return Err(Bbs2023Error::MandatoryPosition { statements });
        }
        Ok(self.mandatory.iter().copied().collect())
    }
}

const LABELS: &str = "a map of the numbers of blank nodes, without a gap, to numbers";

fn components(proof_value: &str, prefix: &str) -> Result<[cbor::Value; 5], Bbs2023Error> {
    let text = proof_value
        .strip_prefix(prefix)
        .filter(|text| text.len() <= MAX_PROOF_BYTES * 4 / 3)
        .ok_or(Bbs2023Error::Header)?;
    let bytes = base64url::decode(text).map_err(|_| Bbs2023Error::Header)?;
    let limits = Limits {
        max_bytes: MAX_PROOF_BYTES,
        max_depth: 2,
    };
    let expected = "an array of five components in deterministic CBOR";
    match cbor::decode(&bytes, limits) {
        Ok(cbor::Value::Array(items)) => items.try_into().map_err(|_| Bbs2023Error::Component { expected }),
        _ => Err(Bbs2023Error::Component { expected }),
    }
}

fn encode(prefix: &str, components: Vec<cbor::Value>) -> String {
    let components = cbor::Value::Array(components).to_vec();
    format!("{prefix}{}", base64url::encode(components))
}

fn bytes(value: &cbor::Value, expected: &'static str) -> Result<Vec<u8>, Bbs2023Error> {
    let bytes = value.as_bytes().map(<[u8]>::to_vec);
    bytes.ok_or(Bbs2023Error::Component { expected })
}

fn array<const N: usize>(value: &cbor::Value, expected: &'static str) -> Result<[u8; N], Bbs2023Error> {
    let bytes = value.as_bytes().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Bbs2023Error::Component { expected })
}

/// At most `limit` items, each of which `read` takes.
fn each<T>(
    value: &cbor::Value,
    limit: usize,
    expected: &'static str,
    read: impl Fn(&cbor::Value) -> Option<T>,
) -> Result<Vec<T>, Bbs2023Error> {
    let items = value.as_array().filter(|items| items.len() <= limit);
    items
        .and_then(|items| items.iter().map(read).collect())
        .ok_or(Bbs2023Error::Component { expected })
}

fn index(value: &cbor::Value) -> Option<usize> {
    usize::try_from(value.as_unsigned()?).ok()
}

fn indexes(indexes: &[usize]) -> cbor::Value {
    // Positions in memory fit.
    let numbers = indexes.iter().map(|index| u64::try_from(*index).unwrap_or(u64::MAX));
    cbor::Value::Array(numbers.map(cbor::Value::from).collect())
}

/// Deterministic CBOR has the keys sorted and each once.
fn labels_of(value: &cbor::Value) -> Result<Vec<String>, Bbs2023Error> {
    let label = |((key, label), number): (&(cbor::Value, cbor::Value), u64)| {
        (key.as_unsigned() == Some(number)).then_some(format!("b{}", label.as_unsigned()?))
    };
    let entries = value.as_map().filter(|entries| entries.len() <= MAX_MESSAGES);
    entries
        .and_then(|entries| entries.iter().zip(0..).map(label).collect())
        .ok_or(Bbs2023Error::Component { expected: LABELS })
}

/// The number in a label of [`crate::data_integrity::selective::labels::shuffled`].
fn number_of(label: &str) -> Option<u64> {
    label.strip_prefix('b')?.parse().ok()
}
