//! Approvals: under which policy, for how long and by whom an entry was approved. The envelope and what the
//! signatures are over stand in [`crate::entry`].

use keys::Algorithm;
use keys::Signature;
use keys::Timestamp;
use keys::cbor::Value;

use super::DecodeError;
use super::MAX_ENTRY_BYTES;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// A quorum of more officers than this has never met.
pub(super) const MAX_SIGNATURES: usize = 64;

/// The algorithms that approvals may be signed with, in the order that a Policy has them in: ESP256, ESP384, Ed25519.
pub const APPROVAL_ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];

/// Under which policy, for how long and by whom an entry was approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Leaf hash of the Policy entry that the signers went by.
    pub policy: Hash,
    /// The entry is refused before this Snapshot time.
    pub not_before: Timestamp,
    /// The entry is refused from this Snapshot time on.
    pub expires: Timestamp,
    /// Ascending by signer.
    pub signatures: Vec<ApprovalSignature>,
}

/// One signature of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSignature {
    pub(super) signer: String,
    pub(super) algorithm: Algorithm,
    pub(super) signature: Signature,
    pub(super) revealed_key: Option<String>,
}

impl Approval {
    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("approval", value)?;
        let policy = fields.hash(1)?;
        let not_before = fields.time(2)?;
        let expires = fields.time(3)?;
        let signatures = fields.array(4, ApprovalSignature::from_value)?;
        let sorted = signatures.is_sorted_by(|left, right| left.signer < right.signer);
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES || !sorted {
            return Err(fields.shape("1 to 64 signatures, ascending by signer, each signer once"));
        }
        fields.end()?;
        Ok(Self {
            policy,
            not_before,
            expires,
            signatures,
        })
    }

    pub(super) fn to_value(&self) -> Value {
        let signatures = self.signatures.iter().map(ApprovalSignature::to_value).collect();
        MapBuilder::default()
            .put(1, codec::hash_value(self.policy))
            .put(2, codec::time_value(self.not_before))
            .put(3, codec::time_value(self.expires))
            .put(4, Value::Array(signatures))
            .build()
    }
}

impl ApprovalSignature {
    /// Who signed: an officer's id, or the DID URL of a verification method.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// What it was signed with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature.
    #[must_use]
    pub const fn signature(&self) -> &Signature {
        &self.signature
    }

    /// The Multikey that a digest in the policy stood for until now.
    #[must_use]
    pub fn revealed_key(&self) -> Option<&str> {
        self.revealed_key.as_deref()
    }

    /// Encodes the signature alone, for its way from an officer to the proposal.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_value().to_vec()
    }

    /// Decodes a signature that came alone.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::from_value(codec::decode("signature", bytes, MAX_ENTRY_BYTES)?)
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("signature", value)?;
        let signer = fields.text(1)?;
        let algorithm = algorithm_from_value(&fields.value(2)?)?;
        let signature =
            Signature::from_bytes(&fields.bytes(3)?).map_err(|_| fields.shape("a signature of 64 or 96 bytes"))?;
        let revealed_key = fields.optional_text(4)?;
        fields.end()?;
        Ok(Self {
            signer,
            algorithm,
            signature,
            revealed_key,
        })
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.signer))
            .put(2, algorithm_value(self.algorithm))
            .put(3, Value::bytes(self.signature.as_bytes()))
            .optional(4, self.revealed_key.as_ref().map(Value::text))
            .build()
    }
}

/// Fully specified COSE algorithms of [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864.html#name-fully-specified-signature-):
/// ESP256 is -9, ESP384 is -51, Ed25519 is -19. ML-DSA-44 (-48) has its number here and no code yet.
const ESP256: u64 = 8;
const ESP384: u64 = 50;
const ED25519: u64 = 18;

/// The name of an algorithm of [`APPROVAL_ALGORITHMS`] in
/// [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864.html#name-fully-specified-signature-), which says the curve where
/// the older names leave it open; `None` for every other.
#[must_use]
pub const fn approval_algorithm_name(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Bbs | Algorithm::Es512 => None,
        Algorithm::EdDsa => Some("Ed25519"),
        Algorithm::Es256 => Some("ESP256"),
        Algorithm::Es384 => Some("ESP384"),
    }
}

/// The COSE number as CBOR, which counts negative numbers from -1.
pub(super) fn algorithm_value(algorithm: Algorithm) -> Value {
    match algorithm {
        // They have no number here, and whoever reads the entry refuses it.
        Algorithm::Bbs | Algorithm::Es512 => Value::Null,
        Algorithm::EdDsa => Value::Negative(ED25519),
        Algorithm::Es256 => Value::Negative(ESP256),
        Algorithm::Es384 => Value::Negative(ESP384),
    }
}

pub(super) fn algorithm_from_value(value: &Value) -> Result<Algorithm, DecodeError> {
    match value {
        Value::Negative(ED25519) => Ok(Algorithm::EdDsa),
        Value::Negative(ESP256) => Ok(Algorithm::Es256),
        Value::Negative(ESP384) => Ok(Algorithm::Es384),
        _ => Err(DecodeError::Shape {
            what: "algorithm",
            expected: "-9 (ESP256), -51 (ESP384) or -19 (Ed25519)",
        }),
    }
}
