//! Log entries: what a leaf is, who signed what in it.
//!
//! A leaf is deterministic CBOR of at most 65,535 bytes. `spec/registry.md` has the whole CDDL; the
//! envelope is:
//!
//! ```cddl
//! entry = {
//!   1: 1,                ; version of this format
//!   2: entry-type,       ; 0..8
//!   3: tstr,             ; ns: whose approval counts: an authority of the Policy, a DID, or the origin
//!   4: tstr,             ; subject: what the entry is about
//!   5: uint,             ; seq: 0, 1, 2... per type and subject
//!   6: bstr .size 32,    ; prev: leaf hash of the entry before it in that chain; zeros where seq is 0
//!   7: body,             ; by type
//!   ? 8: approval        ; absent in DidEvent and Snapshot
//! }
//! approval = {
//!   1: bstr .size 32,    ; policy: leaf hash of the Policy entry in force; zeros in the genesis Policy
//!   2: time, 3: time,    ; not-before, expires: compared with the time of the preceding Snapshot
//!   4: [+ signature]     ; ascending by signer, each signer once
//! }
//! signature = { 1: tstr, 2: alg, 3: bstr .size 64, ? 4: tstr }
//! ```
//!
//! All signatures are over [`Draft::message`]: the domain, then everything above but the signatures, and
//! the origin of the log. Nothing in an entry is about a natural person; officers are named by their role.

mod accreditation;
mod did_event;
mod incident;
mod policy;
mod recognition;
mod schema;
mod snapshot;
mod status_commit;
mod tombstone;

use std::fmt;

use keys::Algorithm;
use keys::PublicKey;
use keys::Signature;
use keys::SigningRequest;
use keys::Timestamp;
use keys::cbor::Value;
use thiserror::Error;

pub use accreditation::AccreditationBody;
pub use accreditation::Action;
pub use accreditation::Backdating;
pub use accreditation::Grant;
pub use accreditation::OnStale;
pub use accreditation::Reason;
pub use accreditation::Resource;
pub use did_event::DidEventBody;
pub use incident::IncidentBody;
pub use policy::Authority;
pub use policy::Officer;
pub use policy::PolicyBody;
pub use policy::PolicyKind;
pub use policy::Recovery;
pub use recognition::Recognition;
pub use recognition::RecognitionBody;
pub use recognition::ResourceMapping;
pub use schema::DocumentRole;
pub use schema::Schema;
pub use schema::SchemaBody;
pub use schema::SchemaDocument;
pub(crate) use schema::SchemaName;
pub use snapshot::SectionDigest;
pub use snapshot::SnapshotBody;
pub(crate) use snapshot::sections_value;
pub use status_commit::StatusCommitBody;
pub use status_commit::StatusEncoding;
pub use status_commit::StatusList;
pub use status_commit::StatusToken;
pub use status_commit::TokenFormat;
pub use tombstone::TombstoneBody;

use crate::codec;
pub use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;
use crate::merkle::leaf_hash;
pub use crate::tiles::MAX_ENTRY_BYTES;

/// The one version of the format.
const VERSION: u64 = 1;

/// A quorum of more officers than this has never met.
const MAX_SIGNATURES: usize = 64;

/// Separates approvals from everything else that the same keys may sign.
const APPROVAL_DOMAIN: &[u8] = b"attestry/registry-approval/v1\0";

/// The nine types of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryType {
    /// Who governs, who witnesses, with which keys.
    Policy = 0,
    /// A line of a DID's log.
    DidEvent = 1,
    /// Who may issue, publish or verify what.
    Accreditation = 2,
    /// A foreign registry that is believed.
    Recognition = 3,
    /// The names and documents of a credential type.
    Schema = 4,
    /// Digests of an issuer's status lists.
    StatusCommit = 5,
    /// The digest of the whole state, and the time.
    Snapshot = 6,
    /// A key that must not be believed.
    Incident = 7,
    /// The end of something.
    Tombstone = 8,
}

/// What an entry says, by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// See [`PolicyBody`].
    Policy(PolicyBody),
    /// See [`DidEventBody`].
    DidEvent(DidEventBody),
    /// See [`AccreditationBody`].
    Accreditation(AccreditationBody),
    /// See [`RecognitionBody`].
    Recognition(RecognitionBody),
    /// See [`SchemaBody`].
    Schema(SchemaBody),
    /// See [`StatusCommitBody`].
    StatusCommit(StatusCommitBody),
    /// See [`SnapshotBody`].
    Snapshot(SnapshotBody),
    /// See [`IncidentBody`].
    Incident(IncidentBody),
    /// See [`TombstoneBody`].
    Tombstone(TombstoneBody),
}

/// A decoded entry. Decoding shows its form only; [`crate::state::State::apply`] decides whether it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    ns: String,
    subject: String,
    seq: u64,
    prev: Hash,
    body: Body,
    /// The body as it was signed.
    body_value: Value,
    approval: Option<Approval>,
    hash: Hash,
}

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
    signer: String,
    algorithm: Algorithm,
    signature: Signature,
    revealed_key: Option<String>,
}

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

impl EntryType {
    /// All types, by number.
    pub const ALL: [Self; 9] = [
        Self::Policy,
        Self::DidEvent,
        Self::Accreditation,
        Self::Recognition,
        Self::Schema,
        Self::StatusCommit,
        Self::Snapshot,
        Self::Incident,
        Self::Tombstone,
    ];

    /// The type of this number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|entry_type| entry_type.number() == number)
    }

    /// Its number in the encoding, and that of its section in the state.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// Whether entries of the type carry an approval. A DID's log lines carry their own proofs, and a
    /// Snapshot says nothing that not everybody can compute.
    #[must_use]
    pub const fn is_approved(self) -> bool {
        !matches!(self, Self::DidEvent | Self::Snapshot)
    }
}

impl fmt::Display for EntryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl Body {
    /// The type of entry that it belongs to.
    #[must_use]
    pub const fn entry_type(&self) -> EntryType {
        match self {
            Self::Policy(_) => EntryType::Policy,
            Self::DidEvent(_) => EntryType::DidEvent,
            Self::Accreditation(_) => EntryType::Accreditation,
            Self::Recognition(_) => EntryType::Recognition,
            Self::Schema(_) => EntryType::Schema,
            Self::StatusCommit(_) => EntryType::StatusCommit,
            Self::Snapshot(_) => EntryType::Snapshot,
            Self::Incident(_) => EntryType::Incident,
            Self::Tombstone(_) => EntryType::Tombstone,
        }
    }

    fn to_value(&self) -> Value {
        match self {
            Self::Policy(body) => body.to_value(),
            Self::DidEvent(body) => body.to_value(),
            Self::Accreditation(body) => body.to_value(),
            Self::Recognition(body) => body.to_value(),
            Self::Schema(body) => body.to_value(),
            Self::StatusCommit(body) => body.to_value(),
            Self::Snapshot(body) => body.to_value(),
            Self::Incident(body) => body.to_value(),
            Self::Tombstone(body) => body.to_value(),
        }
    }

    fn from_value(entry_type: EntryType, value: Value) -> Result<Self, DecodeError> {
        match entry_type {
            EntryType::Policy => PolicyBody::from_value(value).map(Self::Policy),
            EntryType::DidEvent => DidEventBody::from_value(value).map(Self::DidEvent),
            EntryType::Accreditation => AccreditationBody::from_value(value).map(Self::Accreditation),
            EntryType::Recognition => RecognitionBody::from_value(value).map(Self::Recognition),
            EntryType::Schema => SchemaBody::from_value(value).map(Self::Schema),
            EntryType::StatusCommit => StatusCommitBody::from_value(value).map(Self::StatusCommit),
            EntryType::Snapshot => SnapshotBody::from_value(value).map(Self::Snapshot),
            EntryType::Incident => IncidentBody::from_value(value).map(Self::Incident),
            EntryType::Tombstone => TombstoneBody::from_value(value).map(Self::Tombstone),
        }
    }
}

impl Entry {
    /// Decodes a leaf.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn parse(leaf: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("entry", codec::decode("entry", leaf, MAX_ENTRY_BYTES)?)?;
        fields.variant(1, "version 1", |version| (version == VERSION).then_some(()))?;
        let entry_type = fields.variant(2, "an entry type from 0 to 8", EntryType::from_number)?;
        let ns = fields.text(3)?;
        let subject = fields.text(4)?;
        let seq = fields.unsigned(5)?;
        let prev = fields.hash(6)?;
        let body_value = fields.value(7)?;
        let approval = fields.optional(8).map(Approval::from_value).transpose()?;
        if approval.is_some() != entry_type.is_approved() {
            return Err(fields.shape("an approval in every type but DidEvent and Snapshot"));
        }
        fields.end()?;
        let body = Body::from_value(entry_type, body_value.clone())?;
        Ok(Self {
            ns,
            subject,
            seq,
            prev,
            body,
            body_value,
            approval,
            hash: leaf_hash(leaf),
        })
    }

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

    /// The type.
    #[must_use]
    pub const fn entry_type(&self) -> EntryType {
        self.body.entry_type()
    }

    /// Whose approval counts.
    #[must_use]
    pub fn ns(&self) -> &str {
        &self.ns
    }

    /// What the entry is about.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Position in the chain of type and subject.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Leaf hash of the entry before it in that chain.
    #[must_use]
    pub const fn prev(&self) -> Hash {
        self.prev
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Who approved it; present in every type but `DidEvent` and Snapshot.
    #[must_use]
    pub const fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// The leaf hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
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

impl Approval {
    fn from_value(value: Value) -> Result<Self, DecodeError> {
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

    fn to_value(&self) -> Value {
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
            Signature::from_bytes(&fields.bytes(3)?).map_err(|_| fields.shape("a signature of 64 bytes"))?;
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
            .put(3, Value::bytes(*self.signature.as_bytes()))
            .optional(4, self.revealed_key.as_ref().map(Value::text))
            .build()
    }
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

/// Fully specified COSE algorithms of [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864.html#name-fully-specified-signature-):
/// ESP256 is -9, Ed25519 is -19. ML-DSA-44 (-48) has its number here and no code yet.
const ESP256: u64 = 8;
const ED25519: u64 = 18;

/// The COSE number as CBOR, which counts negative numbers from -1.
fn algorithm_value(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::EdDsa => Value::Negative(ED25519),
        Algorithm::Es256 => Value::Negative(ESP256),
    }
}

fn algorithm_from_value(value: &Value) -> Result<Algorithm, DecodeError> {
    match value {
        Value::Negative(ED25519) => Ok(Algorithm::EdDsa),
        Value::Negative(ESP256) => Ok(Algorithm::Es256),
        _ => Err(DecodeError::Shape {
            what: "algorithm",
            expected: "-9 (ESP256) or -19 (Ed25519)",
        }),
    }
}
