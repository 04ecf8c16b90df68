//! The forms of `proofValue`: base64url of three bytes that tell which it is, and CBOR
//! ([bbs-2023 functions](https://www.w3.org/TR/vc-di-bbs/#bbs-2023-functions)).

use keys::base64url;
use keys::bbs;
use keys::cbor;
use keys::cbor::Value;
use keys::json::Limits;

use super::Bbs2023Error;
use crate::data_integrity::MAX_POINTERS;
use crate::data_integrity::Pointer;
use crate::data_integrity::selective::labels::HmacKey;

/// Bytes of a decoded value. A proof that hides [`bbs::MAX_MESSAGES`] statements takes 33 kB, its indexes and labels
/// 12; a base proof has pointers instead, which are no longer.
const MAX_BYTES: usize = 64 << 10;

/// Bytes of a presentation header: a nonce and a verifier's identifier, or their hash.
pub(super) const MAX_PRESENTATION_HEADER_BYTES: usize = 1_024;

const PREFIX: [u8; 2] = [0xd9, 0x5d];
const BASE: u8 = 0x02;
const DERIVED: u8 = 0x03;
/// Anonymous holder binding, pseudonyms, and both.
const FEATURES: std::ops::RangeInclusive<u8> = 0x04..=0x09;

/// Either form.
pub(super) enum ProofValue {
    Base(BaseProofValue),
    Derived(DerivedProofValue),
}

/// [`serializeBaseProofValue`](https://www.w3.org/TR/vc-di-bbs/#serializebaseproofvalue).
pub(super) struct BaseProofValue {
    /// As it came; 80 bytes if it is one.
    pub(super) signature: Vec<u8>,
    pub(super) header: [u8; 64],
    pub(super) public_key: [u8; 96],
    pub(super) hmac_key: HmacKey,
    pub(super) mandatory: Vec<Pointer>,
}

/// [`serializeDerivedProofValue`](https://www.w3.org/TR/vc-di-bbs/#serializederivedproofvalue).
pub(super) struct DerivedProofValue {
    pub(super) bbs_proof: Vec<u8>,
    /// The number in the label of each blank node, by canonical number.
    pub(super) labels: Vec<usize>,
    /// Of the shown statements, those that are mandatory.
    pub(super) mandatory: Vec<usize>,
    /// Of the signed messages, those that are shown.
    pub(super) selective: Vec<usize>,
    pub(super) presentation_header: Vec<u8>,
}

impl ProofValue {
    pub(super) fn parse(text: &str) -> Result<Self, Bbs2023Error> {
        let text = text.strip_prefix('u').ok_or(MULTIBASE)?;
        // Before decoding: 4 characters carry 3 bytes.
        if text.len() / 4 > MAX_BYTES / 3 {
            return Err(MULTIBASE);
        }
        let bytes = base64url::decode(text).map_err(|_| MULTIBASE)?;
        let (kind, components) = match bytes.strip_prefix(&PREFIX).and_then(<[u8]>::split_first) {
            Some((kind, components)) => (*kind, components),
            None => return Err(KIND),
        };
        match kind {
            BASE => BaseProofValue::parse(components).map(Self::Base),
            DERIVED => DerivedProofValue::parse(components).map(Self::Derived),
            kind if FEATURES.contains(&kind) => Err(Bbs2023Error::Feature),
            _ => Err(KIND),
        }
    }
}

impl BaseProofValue {
    fn parse(components: &[u8]) -> Result<Self, Bbs2023Error> {
        let [signature, header, public_key, hmac_key, mandatory] = five(components)?;
        let pointers = mandatory.as_array().filter(|pointers| pointers.len() <= MAX_POINTERS);
        let mandatory: Option<Vec<Pointer>> =
            pointers.and_then(|pointers| pointers.iter().map(|pointer| pointer.as_text()?.parse().ok()).collect());
        Ok(Self {
            signature: signature.as_bytes().ok_or(COMPONENTS)?.to_vec(),
            header: array(&header)?,
            public_key: array(&public_key)?,
            hmac_key: array(&hmac_key)?,
            mandatory: mandatory.ok_or(COMPONENTS)?,
        })
    }

    pub(super) fn to_text(&self) -> String {
        let mandatory = self.mandatory.iter().map(|pointer| Value::text(pointer.to_string()));
        to_text(
            BASE,
            vec![
                Value::bytes(self.signature.clone()),
                Value::bytes(self.header),
                Value::bytes(self.public_key),
                Value::bytes(self.hmac_key),
                Value::Array(mandatory.collect()),
            ],
        )
    }
}

impl DerivedProofValue {
    fn parse(components: &[u8]) -> Result<Self, Bbs2023Error> {
        let [bbs_proof, labels, mandatory, selective, presentation_header] = five(components)?;
        let presentation_header = presentation_header.as_bytes().ok_or(COMPONENTS)?;
        if presentation_header.len() > MAX_PRESENTATION_HEADER_BYTES {
            return Err(COMPONENTS);
        }
        let labels = labels.as_map().ok_or(COMPONENTS)?;
        // One for each canonical number, so the keys say nothing that their order does not.
        let numbered = labels.iter().zip(0..).all(|((key, _), number)| key.as_unsigned() == Some(number));
        if !numbered {
            return Err(COMPONENTS);
        }
        Ok(Self {
            bbs_proof: bbs_proof.as_bytes().ok_or(COMPONENTS)?.to_vec(),
            labels: indexes(labels.iter().map(|(_, value)| value))?,
            mandatory: indexes(mandatory.as_array().ok_or(COMPONENTS)?.iter())?,
            selective: indexes(selective.as_array().ok_or(COMPONENTS)?.iter())?,
            presentation_header: presentation_header.to_vec(),
        })
    }

    pub(super) fn to_text(&self) -> String {
        let labels = (0_u64..).zip(&self.labels);
        to_text(
            DERIVED,
            vec![
                Value::bytes(self.bbs_proof.clone()),
                Value::Map(labels.map(|(key, label)| (Value::from(key), number(label))).collect()),
                Value::Array(self.mandatory.iter().map(number).collect()),
                Value::Array(self.selective.iter().map(number).collect()),
                Value::bytes(self.presentation_header.clone()),
            ],
        )
    }
}

const MULTIBASE: Bbs2023Error = Bbs2023Error::ProofValue {
    expected: "base64url multibase of at most 64 kB",
};
const KIND: Bbs2023Error = Bbs2023Error::ProofValue {
    expected: "a base or derived proof",
};
const COMPONENTS: Bbs2023Error = Bbs2023Error::ProofValue {
    expected: "CBOR of the five components",
};

fn five(components: &[u8]) -> Result<[Value; 5], Bbs2023Error> {
    let limits = Limits {
        max_bytes: MAX_BYTES,
        max_depth: 2,
    };
    match cbor::decode(components, limits) {
        Ok(Value::Array(items)) => items.try_into().map_err(|_| COMPONENTS),
        _ => Err(COMPONENTS),
    }
}

fn to_text(kind: u8, components: Vec<Value>) -> String {
    let mut bytes = PREFIX.to_vec();
    bytes.push(kind);
    bytes.extend(Value::Array(components).to_vec());
    format!("u{}", base64url::encode(bytes))
}

fn array<const N: usize>(value: &Value) -> Result<[u8; N], Bbs2023Error> {
    let bytes = value.as_bytes().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(COMPONENTS)
}

fn indexes<'v>(values: impl ExactSizeIterator<Item = &'v Value>) -> Result<Vec<usize>, Bbs2023Error> {
    if values.len() > bbs::MAX_MESSAGES {
        return Err(COMPONENTS);
    }
    let index = |value: &Value| usize::try_from(value.as_unsigned()?).ok();
    values.map(index).collect::<Option<_>>().ok_or(COMPONENTS)
}

fn number(index: &usize) -> Value {
    // Counts of what is in memory fit.
    Value::from(u64::try_from(*index).unwrap_or(u64::MAX))
}
