//! Tombstone: the end of something. Nothing is ever deleted.

use keys::cbor::Value;

use super::DecodeError;
use super::EntryType;
use super::Reason;
use crate::codec::Fields;
use crate::codec::MapBuilder;

/// Body of a Tombstone entry. Subject is the subject of what ends; ns is the governing authority. From then
/// on no entry of that type and subject is accepted. The end of a DID ends its status lists too.
///
/// ```cddl
/// tombstone = { 1: 1 / 2 / 3 / 4, 2: reason }   ; type: DidEvent, Accreditation, Recognition, Schema
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TombstoneBody {
    /// The type of what ends.
    pub target: EntryType,
    /// Why.
    pub reason: Reason,
}

impl TombstoneBody {
    pub(super) fn to_value(self) -> Value {
        MapBuilder::default()
            .put(1, self.target.number())
            .put(2, self.reason as u64)
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("tombstone", value)?;
        let ends = |target: &EntryType| {
            matches!(
                target,
                EntryType::DidEvent | EntryType::Accreditation | EntryType::Recognition | EntryType::Schema
            )
        };
        let body = Self {
            target: fields.variant(1, "the type of a DID, accreditation, recognition or schema", |number| {
                EntryType::from_number(number).filter(ends)
            })?,
            reason: fields.variant(2, "a reason", Reason::from_number)?,
        };
        fields.end()?;
        Ok(body)
    }
}
