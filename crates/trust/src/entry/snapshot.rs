//! Snapshot: the digest of the whole state, and the time.

use keys::Timestamp;
use keys::cbor::Value;

use super::DecodeError;
use super::EntryType;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of a Snapshot entry. Subject and ns are the origin. There is no approval: everybody computes the
/// same digests, and state witnesses cosign a checkpoint only if its last leaf is the Snapshot that they
/// compute themselves, with a time within five minutes of their own.
///
/// ```cddl
/// snapshot = {
///   1: bstr .size 32,      ; digest of the state before this entry
///   2: [+ section],        ; ascending by number
///   3: uint,               ; covered size: the number of entries before this one
///   4: uint,               ; epoch: 0, 1, 2...
///   5: time,               ; not before that of the Snapshot before
///   6: time,               ; next update
///   7: time,               ; hard expiry: not to be used at all from then on
///   ? 8: projections       ; where the Policy has a publication
/// }
/// section = { 1: uint, 2: uint, 3: bstr .size 32 }  ; number, count of records, Merkle root over them
/// projections = { 1: time, 2: [+ projection] }      ; when they were made, ascending by name
/// projection = { 1: tstr, 2: bstr .size 32 }        ; name, SHA-256 of the bytes that are signed
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotBody {
    /// Digest of the state before this entry.
    pub state: Hash,
    /// Digests of the sections, ascending by number.
    pub sections: Vec<SectionDigest>,
    /// The number of entries before this one: its own index.
    pub covered: u64,
    /// Counts Snapshots from 0.
    pub epoch: u64,
    /// When it was made.
    pub time: Timestamp,
    /// When the next one is meant to come.
    pub next_update: Timestamp,
    /// Not to be used at all from then on.
    pub hard_expiry: Timestamp,
    /// What is published in the forms of others, made from this state or carried over from the Snapshot before.
    pub projections: Option<ProjectionDigests>,
}

/// The registry in the forms of others, by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectionDigests {
    /// The time of the Snapshot that they were made for.
    pub made: Timestamp,
    /// Names and SHA-256 of the bytes that are signed, ascending by name.
    pub digests: Vec<(String, Hash)>,
}

/// A section of the state: its records in the order of their keys, as leaves of a Merkle tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionDigest {
    /// The type of entries that the section comes from.
    pub section: EntryType,
    /// How many records it has.
    pub count: u64,
    /// The Merkle root over them.
    pub root: Hash,
}

impl SnapshotBody {
    pub(super) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, codec::hash_value(self.state))
            .put(2, sections_value(&self.sections))
            .put(3, self.covered)
            .put(4, self.epoch)
            .put(5, codec::time_value(self.time))
            .put(6, codec::time_value(self.next_update))
            .put(7, codec::time_value(self.hard_expiry))
            .optional(8, self.projections.as_ref().map(ProjectionDigests::to_value))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("snapshot", value)?;
        let body = Self {
            state: fields.hash(1)?,
            sections: fields.array(2, SectionDigest::from_value)?,
            covered: fields.unsigned(3)?,
            epoch: fields.unsigned(4)?,
            time: fields.time(5)?,
            next_update: fields.time(6)?,
            hard_expiry: fields.time(7)?,
            projections: fields.optional(8).map(ProjectionDigests::from_value).transpose()?,
        };
        if !body.sections.is_sorted_by(|left, right| left.section < right.section) {
            return Err(fields.shape("sections ascending by number"));
        }
        fields.end()?;
        Ok(body)
    }

    /// The digest of this section.
    #[must_use]
    pub fn section(&self, section: EntryType) -> Option<&SectionDigest> {
        self.sections.iter().find(|digest| digest.section == section)
    }
}

/// The list of sections, as a Snapshot and the state digest have it.
pub(crate) fn sections_value(sections: &[SectionDigest]) -> Value {
    let section = |digest: &SectionDigest| {
        MapBuilder::default()
            .put(1, digest.section.number())
            .put(2, digest.count)
            .put(3, codec::hash_value(digest.root))
            .build()
    };
    Value::Array(sections.iter().map(section).collect())
}

impl SectionDigest {
    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("section", value)?;
        let digest = Self {
            section: fields.variant(1, "a section number from 0 to 8", EntryType::from_number)?,
            count: fields.unsigned(2)?,
            root: fields.hash(3)?,
        };
        fields.end()?;
        Ok(digest)
    }
}

impl ProjectionDigests {
    /// The digest of the projection of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Hash> {
        let named = self.digests.iter().find(|(known, _)| known == name);
        named.map(|(_, digest)| *digest)
    }

    fn to_value(&self) -> Value {
        let projection = |(name, digest): &(String, Hash)| {
            MapBuilder::default()
                .put(1, Value::text(name))
                .put(2, codec::hash_value(*digest))
                .build()
        };
        MapBuilder::default()
            .put(1, codec::time_value(self.made))
            .put(2, Value::Array(self.digests.iter().map(projection).collect()))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("projections", value)?;
        let projections = Self {
            made: fields.time(1)?,
            digests: fields.array(2, projection_from_value)?,
        };
        let digests = &projections.digests;
        if digests.is_empty() || !digests.is_sorted_by(|left, right| left.0 < right.0) {
            return Err(fields.shape("projections ascending by name, at least one"));
        }
        fields.end()?;
        Ok(projections)
    }
}

fn projection_from_value(value: Value) -> Result<(String, Hash), DecodeError> {
    let mut fields = Fields::open("projection", value)?;
    let projection = (fields.text(1)?, fields.hash(2)?);
    fields.end()?;
    Ok(projection)
}
