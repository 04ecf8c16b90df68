//! Making an entry: a draft travels to its approvers, their signatures come back, and the leaf is put together.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::cbor::Value;
use thiserror::Error;

use super::Approval;
use super::ApprovalSignature;
use super::Body;
use super::DecodeError;
use super::Entry;
use super::EntryType;
use super::MAX_ENTRY_BYTES;
use super::PolicyBody;
use super::VERSION;
use super::approval::MAX_SIGNATURES;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Separates approvals from everything else that the same keys may sign.
const APPROVAL_DOMAIN: &[u8] = b"attestry/registry-approval/v1\0";

/// An entry on its way: everything that is signed, and no signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Origin of the log that it is meant for.
    pub origin: String,
    /// Leaf hash of the Policy entry in force.
    pub policy: Hash,
    /// Whose approval counts.
    pub ns: String,
    /// What the entry is about.
    pub subject: String,
    /// Position in the chain of type and subject.
    pub seq: u64,
    /// Leaf hash of the entry before it in that chain.
    pub prev: Hash,
    /// What it says.
    pub body: Body,
    /// Refused before this Snapshot time.
    pub not_before: Timestamp,
    /// Refused from this Snapshot time on.
    pub expires: Timestamp,
}

/// Why a finished entry cannot be made from its parts: the caller's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssembleError {
    /// No signature, or more than any quorum has.
    #[error("expected 1 to {MAX_SIGNATURES} signatures, found {found}")]
    Count {
        /// How many.
        found: usize,
    },
    /// Two signatures of one signer.
    #[error("expected one signature per signer, found two of {signer}")]
    Duplicate {
        /// The signer.
        signer: String,
    },
    /// The entry is larger than a leaf may be.
    #[error("expected an entry of at most {MAX_ENTRY_BYTES} bytes, found {found}")]
    TooLarge {
        /// Its size.
        found: usize,
    },
}

impl Draft {
    /// A draft of the first entry of a log: the Policy that its own governing authority signs. Its window of
    /// validity counts from the genesis time and is judged by nobody.
    #[must_use]
    pub fn genesis(origin: &str, policy: PolicyBody) -> Self {
        let time = policy.genesis_time.unwrap_or(Timestamp::from_unix(0));
        Self {
            origin: origin.to_owned(),
            policy: Hash::ZERO,
            ns: policy
                .governing()
                .map(|authority| authority.id.clone())
                .unwrap_or_default(),
            subject: origin.to_owned(),
            seq: 0,
            prev: Hash::ZERO,
            body: Body::Policy(policy),
            not_before: time,
            expires: time.plus(1),
        }
    }

    /// The bytes that every approver signs: a domain, then deterministic CBOR of version, type, ns, subject,
    /// seq, prev, body, policy, the window of validity and the origin.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        message(&self.content())
    }

    /// Asks for the signature of `signer` (an officer's id, or the DID URL of a verification method).
    pub fn sign(&self, signer: &str, algorithm: Algorithm) -> SigningRequest<ApprovalSignature> {
        let signer = signer.to_owned();
        SigningRequest::new(algorithm, self.message(), move |signature| ApprovalSignature {
            signer,
            algorithm,
            signature,
            revealed_key: None,
        })
    }

    /// As [`Draft::sign`], with a key that the policy so far knows by its digest: for changes of policy.
    pub fn sign_revealing(&self, signer: &str, key: &PublicKey) -> SigningRequest<ApprovalSignature> {
        let revealed = key.to_multikey();
        self.sign(signer, key.algorithm())
            .map(move |signature| ApprovalSignature {
                revealed_key: Some(revealed),
                ..signature
            })
    }

    /// The leaf with these signatures, in any order. Whether they suffice, the state machine decides.
    ///
    /// # Errors
    /// [`AssembleError`].
    pub fn assemble(&self, mut signatures: Vec<ApprovalSignature>) -> Result<Vec<u8>, AssembleError> {
        if signatures.is_empty() || signatures.len() > MAX_SIGNATURES {
            return Err(AssembleError::Count {
                found: signatures.len(),
            });
        }
        signatures.sort_by(|left, right| left.signer.cmp(&right.signer));
        if let Some([twice, _]) = signatures
            .array_windows()
            .find(|[left, right]| left.signer == right.signer)
        {
            return Err(AssembleError::Duplicate {
                signer: twice.signer.clone(),
            });
        }
        let approval = Approval {
            policy: self.policy,
            not_before: self.not_before,
            expires: self.expires,
            signatures,
        };
        finish(envelope(&self.ns, &self.subject, self.seq, self.prev, &self.body).put(8, approval.to_value()))
    }

    /// Encodes the draft, for its way to the officers.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.content().to_vec()
    }

    /// Decodes a draft; an officer's program shows what it says before it signs.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("draft", codec::decode("draft", bytes, MAX_ENTRY_BYTES)?)?;
        fields.variant(1, "version 1", |version| (version == VERSION).then_some(()))?;
        let entry_type = fields.variant(2, "an entry type from 0 to 8", EntryType::from_number)?;
        let draft = Self {
            ns: fields.text(3)?,
            subject: fields.text(4)?,
            seq: fields.unsigned(5)?,
            prev: fields.hash(6)?,
            body: Body::from_value(entry_type, fields.value(7)?)?,
            policy: fields.hash(8)?,
            not_before: fields.time(9)?,
            expires: fields.time(10)?,
            origin: fields.text(11)?,
        };
        fields.end()?;
        Ok(draft)
    }

    fn content(&self) -> Value {
        let window = (self.not_before, self.expires);
        let content = (self.body.entry_type(), self.body.to_value());
        signed_content(
            &self.origin,
            self.policy,
            (&self.ns, &self.subject),
            self.seq,
            self.prev,
            content,
            window,
        )
    }
}

impl Entry {
    /// The leaf of a type that carries no approval.
    ///
    /// # Errors
    /// [`AssembleError::TooLarge`].
    pub fn without_approval(
        ns: &str,
        subject: &str,
        seq: u64,
        prev: Hash,
        body: &Body,
    ) -> Result<Vec<u8>, AssembleError> {
        finish(envelope(ns, subject, seq, prev, body))
    }

    /// What the signatures of `approval` are over, in the log of `origin`.
    pub(crate) fn message(&self, origin: &str, approval: &Approval) -> Vec<u8> {
        let window = (approval.not_before, approval.expires);
        let content = (self.entry_type(), self.body_value.clone());
        message(&signed_content(
            origin,
            approval.policy,
            (&self.ns, &self.subject),
            self.seq,
            self.prev,
            content,
            window,
        ))
    }
}

fn signed_content(
    origin: &str,
    policy: Hash,
    (ns, subject): (&str, &str),
    seq: u64,
    prev: Hash,
    (entry_type, body): (EntryType, Value),
    (not_before, expires): (Timestamp, Timestamp),
) -> Value {
    head(entry_type, ns, subject, seq, prev)
        .put(7, body)
        .put(8, codec::hash_value(policy))
        .put(9, codec::time_value(not_before))
        .put(10, codec::time_value(expires))
        .put(11, Value::text(origin))
        .build()
}

fn message(content: &Value) -> Vec<u8> {
    let mut message = APPROVAL_DOMAIN.to_vec();
    message.extend_from_slice(&content.to_vec());
    message
}

fn envelope(ns: &str, subject: &str, seq: u64, prev: Hash, body: &Body) -> MapBuilder {
    head(body.entry_type(), ns, subject, seq, prev).put(7, body.to_value())
}

/// Members 1 to 6, which a leaf and what is signed have in common.
fn head(entry_type: EntryType, ns: &str, subject: &str, seq: u64, prev: Hash) -> MapBuilder {
    MapBuilder::default()
        .put(1, VERSION)
        .put(2, entry_type.number())
        .put(3, Value::text(ns))
        .put(4, Value::text(subject))
        .put(5, seq)
        .put(6, codec::hash_value(prev))
}

fn finish(map: MapBuilder) -> Result<Vec<u8>, AssembleError> {
    let leaf = map.build().to_vec();
    if leaf.len() > MAX_ENTRY_BYTES {
        Err(AssembleError::TooLarge { found: leaf.len() })
    } else {
        Ok(leaf)
    }
}
