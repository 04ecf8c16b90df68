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
//!   ? 8: approval        ; absent in Snapshot, and in DidEvent of a did:webvh
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
mod approval;
mod did_event;
mod draft;
mod incident;
mod listing;
mod policy;
mod recognition;
mod schema;
mod snapshot;
mod status_commit;
mod tombstone;

use std::fmt;

use keys::cbor::Value;

pub use accreditation::AccreditationBody;
pub use accreditation::Action;
pub use accreditation::Backdating;
pub use accreditation::Grant;
pub use accreditation::OnStale;
pub use accreditation::Reason;
pub use accreditation::Resource;
pub use approval::APPROVAL_ALGORITHMS;
pub use approval::Approval;
pub use approval::ApprovalSignature;
pub use approval::approval_algorithm_name;
pub use did_event::DidEventBody;
pub use did_event::MAX_WEB_DOCUMENT_BYTES;
pub use draft::AssembleError;
pub use draft::Draft;
pub use incident::IncidentBody;
pub use listing::Listing;
pub use listing::Localised;
pub use listing::Particulars;
pub use listing::PostalAddress;
pub use listing::Publication;
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
pub use snapshot::ProjectionDigests;
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
use crate::merkle::Hash;
use crate::merkle::leaf_hash;
pub use crate::tiles::MAX_ENTRY_BYTES;

/// The one version of the format.
const VERSION: u64 = 1;

/// The nine types of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryType {
    /// Who governs, who witnesses, with which keys.
    Policy = 0,
    /// Lines of a DID's log, or a snapshot of its document.
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

    /// Whether its entry carries an approval. Lines of a DID's log carry their own proofs, and a Snapshot says
    /// nothing that not everybody can compute.
    #[must_use]
    pub const fn is_approved(&self) -> bool {
        match self {
            Self::DidEvent(body) => body.is_approved(),
            Self::Snapshot(_) => false,
            Self::Policy(_)
            | Self::Accreditation(_)
            | Self::Recognition(_)
            | Self::Schema(_)
            | Self::StatusCommit(_)
            | Self::Incident(_)
            | Self::Tombstone(_) => true,
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
        let body = Body::from_value(entry_type, body_value.clone())?;
        if approval.is_some() != body.is_approved() {
            return Err(fields.shape("an approval in everything but lines of a did:webvh and Snapshots"));
        }
        fields.end()?;
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

    /// Who approved it; present where [`Body::is_approved`] says so.
    #[must_use]
    pub const fn approval(&self) -> Option<&Approval> {
        self.approval.as_ref()
    }

    /// The leaf hash.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.hash
    }
}
