//! The trust bundle: the whole state in one file, authenticated by one proof.
//!
//! ```cddl
//! bundle = {
//!   1: "attestry-trust-bundle",
//!   2: 1,                  ; version
//!   3: tstr,               ; tlog-proof of the Snapshot
//!   4: bstr,               ; the Snapshot's leaf
//!   5: [+ packed],         ; sections, ascending by number: CBOR arrays of encoded records
//!   6: [* packed],         ; schema documents, ascending by SHA-256
//!   7: [* compact]         ; compact status lists, ascending by digest and encoding
//! }
//! packed = {
//!   1: uint / bstr .size 32,   ; number of the section / SHA-256 of the plain bytes
//!   2: 0 / 1,                  ; plain, zlib
//!   3: uint,                   ; length of the plain bytes
//!   4: bstr
//! }
//! compact = { 1: bstr .size 32, 2: 0 / 1, 3: bstr }   ; digest and encoding as in the commitment
//! ```
//!
//! Nothing in it has a signature of its own but the Policies: their chain leads from the anchor to the
//! latest one, whose witness quorum cosigned the Snapshot, whose digests cover the rest.

mod delta;
mod export;
mod extract;
mod load;
mod profile;
mod recognised;
mod seen;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use did::DidUrl;
use did::Document;
use did::document::KeyForError;
use did::document::Purpose;
use keys::PublicKey;
use keys::Timestamp;
use thiserror::Error;

use crate::anchor::Anchor;
use crate::checkpoint::Checkpoint;
use crate::entry::Action;
use crate::entry::DocumentRole;
use crate::entry::Recognition;
use crate::entry::Schema;
use crate::entry::SchemaDocument;
use crate::entry::SnapshotBody;
use crate::entry::StatusEncoding;
use crate::entry::StatusList;
use crate::golomb_rice;
use crate::golomb_rice::CHUNK_INDICES;
use crate::merkle::Hash;
use crate::state::Accreditation;
use crate::state::IncidentStanding;
use crate::state::SchemaRecord;
use crate::state::State;
use crate::status_bits::StatusBits;
use crate::status_bits::StatusBitsError;
use crate::tlog_policy::WitnessedCheckpoint;
pub use delta::DeltaError;
pub use delta::DeltaStart;
pub use delta::ListBefore;
pub use delta::export_delta;
pub use export::ExportError;
pub use export::export;
pub use extract::Extract;
pub use extract::MAX_EXTRACT_BYTES;
pub use extract::Subjects;
pub use extract::export_extract;
pub use load::BundleError;
pub use load::Limits;
pub use profile::Profile;
pub use recognised::RecognitionError;
pub use seen::Seen;
pub use seen::SeenError;

/// First member of every bundle.
const MAGIC: &str = "attestry-trust-bundle";

/// The one version of the format.
const VERSION: u64 = 1;

/// Numbers of the two ways to pack bytes.
const PLAIN: u64 = 0;
const ZLIB: u64 = 1;

/// A bundle whose every byte was authenticated. Only [`TrustedBundle::load`] and [`TrustedBundle::load_recognised`] make
/// one.
pub struct TrustedBundle {
    standing: Standing,
    state: State,
    snapshot: SnapshotBody,
    witnessed: WitnessedCheckpoint,
    /// Schema documents by SHA-256.
    documents: BTreeMap<Hash, Vec<u8>>,
    /// Compact status lists by digest and encoding.
    lists: BTreeMap<(Hash, StatusEncoding), CompactList>,
    /// Of an extract, which has no whole ones: chunks of lists in Golomb-Rice encoding by digest and number.
    chunks: BTreeMap<(Hash, u64), Vec<u8>>,
}

/// By what right a bundle was believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its anchor is pinned.
    Pinned,
    /// A registry whose anchor is pinned recognises it. What counts of it, and until when, is in that registry's terms,
    /// which change: ask [`TrustedBundle::terms_for`] of the newest bundle of that registry.
    Recognised {
        /// The anchor of the registry that recognises it.
        by: Box<Anchor>,
    },
}

struct CompactList {
    compact: Vec<u8>,
    /// Decoded on first use.
    bits: OnceLock<Result<StatusBits, StatusBitsError>>,
}

/// A status list that an issuer committed to, with its statuses.
#[derive(Clone, Copy, Debug)]
pub struct CommittedList<'a> {
    /// What the issuer committed to.
    pub list: &'a StatusList,
    /// Snapshot time of the commitment: the age of every status in it counts from here.
    pub committed: Timestamp,
    /// The statuses.
    pub bits: &'a StatusBits,
}

/// What an issuer committed to about one credential.
#[derive(Clone, Copy, Debug)]
pub struct CommittedStatus<'a> {
    /// The list that it stands in.
    pub list: &'a StatusList,
    /// Snapshot time of the commitment, from which the age of the status counts.
    pub committed: Timestamp,
    /// The status; `None` for an index beyond the list.
    pub status: Option<u8>,
}

/// Why a bundle has no statuses of a list.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusListError {
    /// The issuer's bytes are not what it committed to in form.
    #[error("the compact form of the status list is broken")]
    Broken(#[from] StatusBitsError),
    /// The bundle was made without the bytes of the list.
    #[error("expected the status list in the bundle, found its digest only")]
    NotIncluded,
    /// The issuer committed to no such list: a credential that names it has no status.
    #[error("expected a status list that this issuer committed to, found none")]
    Unknown,
}

/// Why a bundle does not replace the one before: it may be an attempt to hide a revocation.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RollbackError {
    /// It is of another registry.
    #[error("expected a bundle of the same anchor, found one of {found}")]
    Anchor {
        /// Origin of the other one.
        found: String,
    },
    /// It shows another tree of the same size: a fork.
    #[error("expected the same tree at size {size}, found another: the log forked")]
    Fork {
        /// Size of both.
        size: u64,
    },
    /// It is older.
    #[error("expected a checkpoint of size {expected} or more, found {found}")]
    Older {
        /// Size of the bundle before.
        expected: u64,
        /// Size of this one.
        found: u64,
    },
    /// It lacks the newest Policy of the bundle before, and with it what that Policy demands of a checkpoint.
    #[error("expected a bundle with the Policy {expected}, found one without it")]
    Policy {
        /// Leaf hash of that Policy.
        expected: Hash,
    },
    /// Its clock goes back although it is longer.
    #[error("expected a time from {expected} on, found {found}", expected = expected.to_rfc3339(), found = found.to_rfc3339())]
    TimeGoesBack {
        /// Time of the bundle before.
        expected: Timestamp,
        /// Time of this one.
        found: Timestamp,
    },
}

impl TrustedBundle {
    /// Verifies a bundle against the anchor that the verifier pinned.
    ///
    /// Verified: form and sizes; the chain of Policies from the anchor's genesis; the digests of all
    /// sections; the log's signature and the witness quorum (state witnesses among them) of the latest
    /// Policy on a checkpoint whose last leaf is the Snapshot; the digests of all attached documents.
    /// Not judged here: whether it is fresh enough, for which see [`TrustedBundle::as_of`].
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn load(bytes: &[u8], anchor: &Anchor, limits: Limits) -> Result<Self, BundleError> {
        load::load(bytes, anchor, limits)
    }

    /// Verifies a bundle whose registry is recognised in one of the bundles `by`, of which those count that are pinned
    /// themselves: recognition is not transitive. Its anchor is the one in the terms of the recognition.
    ///
    /// Verified besides what [`TrustedBundle::load`] verifies: that it does not stand before the checkpoint in the terms.
    /// Not judged here, for want of a clock: whether the recognition still counts, and how old both bundles may be.
    ///
    /// # Errors
    /// [`BundleError`]; [`BundleError::NotRecognised`] where none of `by` recognises its registry.
    pub fn load_recognised(bytes: &[u8], by: &[&Self], limits: Limits) -> Result<Self, BundleError> {
        recognised::load(bytes, by, limits)
    }

    /// The later bundle to which a delta leads from this one, and its bytes. It is verified like a bundle that came whole,
    /// counts by the same right, and continues this one's log.
    ///
    /// # Errors
    /// [`DeltaError`]; the bundle at hand stays good.
    pub fn apply(&self, delta: &[u8], limits: Limits) -> Result<(Self, Vec<u8>), DeltaError> {
        delta::apply(self, delta, limits)
    }

    /// A later bundle of the same registry that came whole. It counts by the same right as this one.
    ///
    /// # Errors
    /// [`DeltaError::Bundle`], [`DeltaError::Rollback`].
    pub fn load_later(&self, bytes: &[u8], limits: Limits) -> Result<Self, DeltaError> {
        let mut later = Self::load(bytes, self.anchor(), limits)?;
        later.standing = self.standing.clone();
        later.newer_than(self)?;
        Ok(later)
    }

    /// By what right it was believed.
    #[must_use]
    pub const fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The terms under which this registry recognises the registry of `other` at `at`, if `other` is under them.
    ///
    /// # Errors
    /// [`RecognitionError`].
    pub fn terms_for(&self, other: &Self, at: Timestamp) -> Result<&Recognition, RecognitionError> {
        recognised::terms(self, other, at)
    }

    /// Which registry it is of.
    #[must_use]
    pub const fn anchor(&self) -> &Anchor {
        self.state.anchor()
    }

    /// When a quorum of witnesses had seen its checkpoint: what it says is known as of this time.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.witnessed.as_of()
    }

    /// The checkpoint that it stands on.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.witnessed.checkpoint()
    }

    /// The witnesses of the checkpoint and their times.
    #[must_use]
    pub const fn witnessed(&self) -> &WitnessedCheckpoint {
        &self.witnessed
    }

    /// Whether the Snapshot's hard expiry has come: the bundle must not be used at all any more.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        now >= self.snapshot.hard_expiry
    }

    /// The Snapshot: epoch, time, next update, hard expiry and digests.
    #[must_use]
    pub const fn snapshot(&self) -> &SnapshotBody {
        &self.snapshot
    }

    /// The state at the Snapshot, for every question that has no accessor here.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// The current document of an active DID; see [`State::document`].
    #[must_use]
    pub fn document(&self, did: &str) -> Option<Document> {
        self.state.document(did)
    }

    /// A key of the current document of an active DID; see [`State::key_for`].
    ///
    /// # Errors
    /// [`KeyForError`].
    #[must_use]
    pub fn key_for(&self, did: &str, id: &DidUrl, purpose: Purpose) -> Option<Result<PublicKey, KeyForError>> {
        self.state.key_for(did, id, purpose)
    }

    /// Whether an entity may do something at `now`; see [`State::accreditation`].
    #[must_use]
    pub fn accreditation(
        &self,
        entity: &str,
        action: Action,
        resource: &str,
        now: Timestamp,
    ) -> Option<Accreditation<'_>> {
        self.state.accreditation(entity, action, resource, now)
    }

    /// The incident that stands against a key or its whole DID.
    #[must_use]
    pub fn incident_on(&self, method: &DidUrl) -> Option<&IncidentStanding> {
        self.state.incident_on(method)
    }

    /// Id and schema for a `vct` of SD-JWT VC, own or alias.
    #[must_use]
    pub fn schema_of_vct(&self, vct: &str) -> Option<(&str, &Schema)> {
        self.state.schema_of_vct(vct)
    }

    /// Id and schema for a type of a W3C credential.
    #[must_use]
    pub fn schema_of_w3c_type(&self, name: &str) -> Option<(&str, &Schema)> {
        self.state.schema_of_w3c_type(name)
    }

    /// Id and schema for a `docType` of an mdoc.
    #[must_use]
    pub fn schema_of_doctype(&self, doctype: &str) -> Option<(&str, &Schema)> {
        self.state.schema_of_doctype(doctype)
    }

    /// The bytes of a schema document, if the bundle has them.
    #[must_use]
    pub fn schema_document(&self, document: &SchemaDocument) -> Option<&[u8]> {
        self.documents.get(&document.digest).map(Vec::as_slice)
    }

    /// The document of this role that is registered under `uri`, for whichever type, with its bytes. None if the bundle
    /// does not have them, or if the registry has different contents under the one URI: nobody could tell which is meant.
    #[must_use]
    pub fn document_at(&self, role: DocumentRole, uri: &str) -> Option<(&SchemaDocument, &[u8])> {
        let schemas = self.state.schemas().filter_map(SchemaRecord::schema);
        let documents = schemas.flat_map(|schema| &schema.documents);
        let mut found = documents.filter(|document| document.role == role && document.uri == uri);
        let document = found.next()?;
        if found.any(|other| other.digest != document.digest) {
            return None;
        }
        Some((document, self.schema_document(document)?))
    }

    /// The statuses that `issuer` committed to under `uri`.
    ///
    /// # Errors
    /// [`StatusListError`]: in each case a credential that names the list has no known status.
    pub fn status_list(&self, issuer: &str, uri: &str) -> Result<CommittedList<'_>, StatusListError> {
        let record = self.state.status_list(issuer, uri).ok_or(StatusListError::Unknown)?;
        let list = record.list();
        let included = self
            .lists
            .get(&(list.compact, list.encoding))
            .ok_or(StatusListError::NotIncluded)?;
        let decode = || StatusBits::from_compact(list, &included.compact);
        let bits = included.bits.get_or_init(decode).as_ref().map_err(|error| *error)?;
        // Two lists of one digest and different shapes: the second one is not what was decoded.
        if (bits.bits(), bits.capacity()) != (list.bits, list.capacity) {
            return Err(StatusListError::Broken(StatusBitsError::Shape));
        }
        Ok(CommittedList {
            list,
            committed: record.committed(),
            bits,
        })
    }

    /// The status at `index` of the list that `issuer` committed to under `uri`, in a bundle with the list or an extract with
    /// the chunk that it stands in.
    ///
    /// # Errors
    /// As [`TrustedBundle::status_list`].
    pub fn status(&self, issuer: &str, uri: &str, index: u64) -> Result<CommittedStatus<'_>, StatusListError> {
        let record = self.state.status_list(issuer, uri).ok_or(StatusListError::Unknown)?;
        let list = record.list();
        let number = index / CHUNK_INDICES;
        let status = match self.chunks.get(&(list.compact, number)) {
            Some(chunk) => golomb_rice::decode_one(list, number, chunk)?.get(index % CHUNK_INDICES),
            None => self.status_list(issuer, uri)?.bits.get(index),
        };
        Ok(CommittedStatus {
            list,
            committed: record.committed(),
            status,
        })
    }
}

impl fmt::Debug for TrustedBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustedBundle")
            .field("origin", &self.anchor().origin())
            .field("size", &self.checkpoint().size())
            .field("as_of", &self.as_of())
            .finish_non_exhaustive()
    }
}
