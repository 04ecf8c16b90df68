//! The state machine: what the entries of the log add up to.
//!
//! [`State::apply`] is a pure function of state, index and leaf. Replaying a log gives everybody the same
//! state and the same digest; an entry that it refuses is provably invalid to everybody, with the
//! [`Refusal`] as the reason. A refused entry changes nothing.
//!
//! Time comes from Snapshots only: every rule about time uses [`State::time`], the time of the preceding
//! Snapshot (before the first one, the time in the genesis Policy), so that replay is deterministic.
//!
//! One file per entry type holds its record (what the state keeps) and its rules.

mod accreditation;
mod approval;
mod approver;
mod did_event;
mod incident;
mod policy;
mod projections;
mod published;
mod recognition;
mod refusal;
mod schema;
mod section;
mod snapshot;
mod status_commit;
mod tombstone;

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use imbl::OrdSet;
use keys::Timestamp;
use keys::cbor::Value;

use crate::anchor::Anchor;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Action;
use crate::entry::Body;
use crate::entry::Draft;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::ProjectionDigests;
use crate::entry::SchemaName;
use crate::entry::SectionDigest;
use crate::entry::sections_value;
use crate::merkle::Hash;
use crate::projection::Projections;
pub use accreditation::Accreditation;
pub use accreditation::AccreditationRecord;
pub use accreditation::AccreditationStatus;
pub use approval::EMERGENCY_LAPSES_AFTER;
pub use approval::MAX_APPROVAL_LIFETIME;
pub use approver::Approver;
pub use did_event::DidRecord;
pub use did_event::WebSnapshot;
pub use did_event::WebSnapshots;
pub use did_event::WebvhLog;
pub use incident::IncidentRecord;
pub use incident::IncidentStanding;
pub use policy::PolicyRecord;
pub use projections::Projecting;
pub use recognition::RecognitionRecord;
pub use refusal::Refusal;
pub use schema::SchemaRecord;
pub(crate) use section::Located;
pub(crate) use section::Record;
pub(crate) use section::Section;
pub use snapshot::Clock;
pub use snapshot::SnapshotTimes;
pub use status_commit::StatusRecord;
pub use tombstone::TombstoneRecord;

/// Separates the digest of a state from every other digest.
const STATE_DOMAIN: &[u8] = b"attestry/registry-state/v1\0";

/// The registry's state after some number of entries.
#[derive(Clone, Debug)]
pub struct State {
    anchor: Anchor,
    size: u64,
    clock: Option<Clock>,
    policies: Section<PolicyRecord>,
    dids: Section<DidRecord>,
    accreditations: Section<AccreditationRecord>,
    recognitions: Section<RecognitionRecord>,
    schemas: Section<SchemaRecord>,
    status_lists: Section<StatusRecord>,
    incidents: Section<IncidentRecord>,
    tombstones: Section<TombstoneRecord>,
    index: Index,
    /// Of the last Snapshot. Derived: never part of a digest.
    projections: Option<Projections>,
}

/// Where a chain of entries (same type and subject) stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Position of its last entry in the chain.
    pub seq: u64,
    /// Leaf hash of its last entry.
    pub entry: Hash,
    /// Index of its last entry in the log.
    pub index: u64,
    /// Snapshot time that its last entry was judged by.
    pub time: Timestamp,
}

/// Ways into the sections that are not by their keys. Derived: never part of a digest.
#[derive(Clone, Debug, Default)]
struct Index {
    /// Accreditation ids by entity and action.
    by_entity: OrdMap<(Arc<str>, Action), OrdSet<Arc<str>>>,
    /// Schema ids by the names that are theirs.
    by_name: OrdMap<(SchemaName, String), String>,
}

impl State {
    /// The state before the genesis Policy of this anchor.
    #[must_use]
    pub fn new(anchor: Anchor) -> Self {
        Self {
            anchor,
            size: 0,
            clock: None,
            policies: Section::default(),
            dids: Section::default(),
            accreditations: Section::default(),
            recognitions: Section::default(),
            schemas: Section::default(),
            status_lists: Section::default(),
            incidents: Section::default(),
            tombstones: Section::default(),
            index: Index::default(),
            projections: None,
        }
    }

    /// Applies the leaf at `index`, which must be the next one.
    ///
    /// # Errors
    /// [`Refusal`]; the state is then as it was.
    pub fn apply(&mut self, index: u64, leaf: &[u8]) -> Result<(), Refusal> {
        if index != self.size {
            return Err(Refusal::Index {
                expected: self.size,
                found: index,
            });
        }
        let entry = Entry::parse(leaf)?;
        self.check_chain(&entry)?;
        match entry.body() {
            Body::Policy(body) => self.apply_policy(&entry, leaf, body),
            Body::DidEvent(body) => self.apply_did_event(&entry, body),
            Body::Accreditation(body) => self.apply_accreditation(&entry, body),
            Body::Recognition(body) => self.apply_recognition(&entry, body),
            Body::Schema(body) => self.apply_schema(&entry, body),
            Body::StatusCommit(body) => self.apply_status_commit(&entry, body),
            Body::Snapshot(body) => self.apply_snapshot(&entry, body),
            Body::Incident(body) => self.apply_incident(&entry, body),
            Body::Tombstone(body) => self.apply_tombstone(&entry, *body),
        }?;
        self.size += 1;
        Ok(())
    }

    /// Which registry this is.
    #[must_use]
    pub const fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// How many entries were applied: the index of the next one.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The time that the next entry is judged by: that of the last Snapshot, or of the genesis.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let genesis = || self.policies.first().and_then(|record| record.body().genesis_time);
        self.clock
            .map(|clock| clock.time)
            .or_else(genesis)
            .unwrap_or(Timestamp::from_unix(0))
    }

    /// The last Snapshot.
    #[must_use]
    pub const fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    /// A draft of the next entry of this subject, for the approvers to sign. It counts from now on and
    /// expires at `expires`, which may be up to [`MAX_APPROVAL_LIFETIME`] seconds after [`State::time`].
    #[must_use]
    pub fn draft(&self, ns: &str, subject: &str, body: Body, expires: Timestamp) -> Draft {
        let (seq, prev) = self.next_in_chain(body.entry_type(), subject);
        Draft {
            origin: self.anchor.origin().to_owned(),
            policy: self.policy().map_or(Hash::ZERO, PolicyRecord::hash),
            ns: ns.to_owned(),
            subject: subject.to_owned(),
            seq,
            prev,
            body,
            not_before: self.time(),
            expires,
        }
    }

    /// Sequence number and previous hash of the next entry of this type and subject.
    #[must_use]
    pub fn next_in_chain(&self, entry_type: EntryType, subject: &str) -> (u64, Hash) {
        self.head(entry_type, subject)
            .map_or((0, Hash::ZERO), |head| (head.seq + 1, head.entry))
    }

    /// The digests of all sections, ascending by number.
    #[must_use]
    pub fn sections(&self) -> Vec<SectionDigest> {
        let digest = |section, (count, root)| SectionDigest { section, count, root };
        vec![
            digest(EntryType::Policy, self.policies.digest()),
            digest(EntryType::DidEvent, self.dids.digest()),
            digest(EntryType::Accreditation, self.accreditations.digest()),
            digest(EntryType::Recognition, self.recognitions.digest()),
            digest(EntryType::Schema, self.schemas.digest()),
            digest(EntryType::StatusCommit, self.status_lists.digest()),
            digest(EntryType::Incident, self.incidents.digest()),
            digest(EntryType::Tombstone, self.tombstones.digest()),
        ]
    }

    /// The digest of the state that a Snapshot commits to.
    #[must_use]
    pub fn digest(&self) -> Hash {
        state_digest(&self.anchor, &self.sections())
    }

    /// The records of a section as they are encoded, in the order of their keys. Empty for Snapshot.
    pub(crate) fn records(&self, section: EntryType) -> Vec<Vec<u8>> {
        match section {
            EntryType::Policy => self.policies.encode(),
            EntryType::DidEvent => self.dids.encode(),
            EntryType::Accreditation => self.accreditations.encode(),
            EntryType::Recognition => self.recognitions.encode(),
            EntryType::Schema => self.schemas.encode(),
            EntryType::StatusCommit => self.status_lists.encode(),
            EntryType::Snapshot => Vec::new(),
            EntryType::Incident => self.incidents.encode(),
            EntryType::Tombstone => self.tombstones.encode(),
        }
    }

    /// The record of a section with this key, and its proof.
    pub(crate) fn located(&self, section: EntryType, key: &str) -> Option<Located> {
        match section {
            EntryType::Policy => self.policies.located(key),
            EntryType::DidEvent => self.dids.located(key),
            EntryType::Accreditation => self.accreditations.located(key),
            EntryType::Recognition => self.recognitions.located(key),
            EntryType::Schema => self.schemas.located(key),
            EntryType::StatusCommit => self.status_lists.located(key),
            EntryType::Snapshot => None,
            EntryType::Incident => self.incidents.located(key),
            EntryType::Tombstone => self.tombstones.located(key),
        }
    }

    /// The records of a section that an entry from `index` on has changed.
    pub(crate) fn records_since(&self, section: EntryType, index: u64) -> Vec<Vec<u8>> {
        match section {
            EntryType::Policy => self.policies.encode_since(index),
            EntryType::DidEvent => self.dids.encode_since(index),
            EntryType::Accreditation => self.accreditations.encode_since(index),
            EntryType::Recognition => self.recognitions.encode_since(index),
            EntryType::Schema => self.schemas.encode_since(index),
            EntryType::StatusCommit => self.status_lists.encode_since(index),
            EntryType::Snapshot => Vec::new(),
            EntryType::Incident => self.incidents.encode_since(index),
            EntryType::Tombstone => self.tombstones.encode_since(index),
        }
    }

    /// The records of a section with `changed` ones, which come in the order of their keys, in place of those of before.
    pub(crate) fn records_with(&self, section: EntryType, changed: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, DecodeError> {
        match section {
            EntryType::Policy => self.policies.encode_with(changed),
            EntryType::DidEvent => self.dids.encode_with(changed),
            EntryType::Accreditation => self.accreditations.encode_with(changed),
            EntryType::Recognition => self.recognitions.encode_with(changed),
            EntryType::Schema => self.schemas.encode_with(changed),
            EntryType::StatusCommit => self.status_lists.encode_with(changed),
            EntryType::Snapshot => Ok(Vec::new()),
            EntryType::Incident => self.incidents.encode_with(changed),
            EntryType::Tombstone => self.tombstones.encode_with(changed),
        }
    }

    /// The state after a Snapshot, read back from the records of its sections. Nothing is verified here but
    /// the form: the caller compares [`State::digest`] with that Snapshot before it believes anything.
    pub(crate) fn restore(
        anchor: Anchor,
        clock: Clock,
        projections: Option<ProjectionDigests>,
        records: &BTreeMap<EntryType, Vec<Vec<u8>>>,
    ) -> Result<Self, DecodeError> {
        let of = |section| records.get(&section).map(Vec::as_slice).unwrap_or_default();
        let mut state = Self {
            size: clock.index.saturating_add(1),
            clock: Some(clock),
            projections: projections.map(Projections::known),
            policies: Section::decode(of(EntryType::Policy))?,
            dids: Section::decode(of(EntryType::DidEvent))?,
            accreditations: Section::decode(of(EntryType::Accreditation))?,
            recognitions: Section::decode(of(EntryType::Recognition))?,
            schemas: Section::decode(of(EntryType::Schema))?,
            status_lists: Section::decode(of(EntryType::StatusCommit))?,
            incidents: Section::decode(of(EntryType::Incident))?,
            tombstones: Section::decode(of(EntryType::Tombstone))?,
            ..Self::new(anchor)
        };
        let accreditations: Vec<AccreditationRecord> = state.accreditations.iter().cloned().collect();
        for record in &accreditations {
            state.index_accreditation(record);
        }
        let schemas: Vec<SchemaRecord> = state.schemas.iter().cloned().collect();
        for record in &schemas {
            state.index_schema(None, record);
        }
        Ok(state)
    }

    /// Sequence, previous hash, and that the chain has not ended.
    fn check_chain(&self, entry: &Entry) -> Result<(), Refusal> {
        if entry.entry_type() != EntryType::Policy && self.policies.is_empty() {
            return Err(Refusal::Genesis);
        }
        let (seq, prev) = self.next_in_chain(entry.entry_type(), entry.subject());
        if entry.seq() != seq {
            return Err(Refusal::Sequence {
                expected: seq,
                found: entry.seq(),
            });
        }
        if entry.prev() != prev {
            return Err(Refusal::PreviousHash {
                expected: prev,
                found: entry.prev(),
            });
        }
        let ended = match entry.entry_type() {
            EntryType::StatusCommit => EntryType::DidEvent,
            other => other,
        };
        if self.tombstone(ended, entry.subject()).is_some() {
            Err(Refusal::Tombstoned)
        } else {
            Ok(())
        }
    }

    fn head(&self, entry_type: EntryType, subject: &str) -> Option<Head> {
        let of_log = subject == self.anchor.origin();
        match entry_type {
            EntryType::Policy if of_log => self.policies.last().map(PolicyRecord::head),
            EntryType::Snapshot if of_log => self.clock.map(|clock| clock.head()),
            EntryType::Policy | EntryType::Snapshot => None,
            EntryType::DidEvent => self.dids.get(subject).map(|record| record.head),
            EntryType::Accreditation => self.accreditations.get(subject).map(|record| record.head),
            EntryType::Recognition => self.recognitions.get(subject).map(|record| record.head),
            EntryType::Schema => self.schemas.get(subject).map(|record| record.head),
            EntryType::StatusCommit => self.status_head(subject),
            EntryType::Incident => self.incidents.get(subject).map(|record| record.head),
            EntryType::Tombstone => self.tombstones.get(subject).map(|record| record.head),
        }
    }

    /// What a record keeps of the entry that is being applied.
    fn head_of(&self, entry: &Entry) -> Head {
        Head {
            seq: entry.seq(),
            entry: entry.hash(),
            index: self.size,
            time: self.time(),
        }
    }
}

/// SHA-256 of the domain and `{1: origin, 2: genesis, 3: sections}`.
pub(crate) fn state_digest(anchor: &Anchor, sections: &[SectionDigest]) -> Hash {
    let content = MapBuilder::default()
        .put(1, Value::text(anchor.origin()))
        .put(2, codec::hash_value(anchor.genesis()))
        .put(3, sections_value(sections))
        .build();
    let mut bytes = STATE_DOMAIN.to_vec();
    bytes.extend_from_slice(&content.to_vec());
    Hash::digest(&bytes)
}

impl Head {
    fn to_value(self) -> Value {
        MapBuilder::default()
            .put(1, self.seq)
            .put(2, codec::hash_value(self.entry))
            .put(3, self.index)
            .put(4, codec::time_value(self.time))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("head", value)?;
        let head = Self {
            seq: fields.unsigned(1)?,
            entry: fields.hash(2)?,
            index: fields.unsigned(3)?,
            time: fields.time(4)?,
        };
        fields.end()?;
        Ok(head)
    }
}
