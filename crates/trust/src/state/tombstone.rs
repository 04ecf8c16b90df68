//! Tombstones: what has ended.

use keys::Timestamp;
use keys::cbor::Value;

use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::Reason;
use crate::entry::TombstoneBody;

/// What the state keeps of the ends of one subject; a subject may name things of several types.
///
/// ```cddl
/// tombstone-record = { 1: tstr, 2: head, 3: [+ end] }
/// end = { 1: 1 / 2 / 3 / 4, 2: time, 3: reason }   ; type of what ended, Snapshot time, reason
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TombstoneRecord {
    subject: String,
    pub(super) head: Head,
    ends: Vec<(EntryType, Timestamp, Reason)>,
}

impl TombstoneRecord {
    /// What has ended.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The types under which it has ended, when and why.
    #[must_use]
    pub fn ends(&self) -> &[(EntryType, Timestamp, Reason)] {
        &self.ends
    }
}

impl Record for TombstoneRecord {
    fn key(&self) -> String {
        self.subject.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        let end = |(target, time, reason): &(EntryType, Timestamp, Reason)| {
            MapBuilder::default()
                .put(1, target.number())
                .put(2, codec::time_value(*time))
                .put(3, *reason as u64)
                .build()
        };
        MapBuilder::default()
            .put(1, Value::text(&self.subject))
            .put(2, self.head.to_value())
            .put(3, Value::Array(self.ends.iter().map(end).collect()))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("tombstone record", value)?;
        let end = |value| {
            let mut fields = Fields::open("end", value)?;
            let target = fields.variant(1, "a type from 0 to 8", EntryType::from_number)?;
            let end = (
                target,
                fields.time(2)?,
                fields.variant(3, "a reason", Reason::from_number)?,
            );
            fields.end()?;
            Ok(end)
        };
        let record = Self {
            subject: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            ends: fields.array(3, end)?,
        };
        fields.end()?;
        Ok(record)
    }
}

impl State {
    /// When and why something of this type and subject ended.
    #[must_use]
    pub fn tombstone(&self, target: EntryType, subject: &str) -> Option<(Timestamp, Reason)> {
        let ends = &self.tombstones.get(subject)?.ends;
        ends.iter()
            .find(|(ended, _, _)| *ended == target)
            .map(|(_, time, reason)| (*time, *reason))
    }

    pub(super) fn apply_tombstone(&mut self, entry: &Entry, body: TombstoneBody) -> Result<(), Refusal> {
        let governing = self.governing(entry)?;
        self.check_quorum(entry, governing)?;
        if self.head(body.target, entry.subject()).is_none() {
            return Err(Refusal::NothingToEnd { target: body.target });
        }
        if self.tombstone(body.target, entry.subject()).is_some() {
            return Err(Refusal::Tombstoned);
        }
        let mut ends = self
            .tombstones
            .get(entry.subject())
            .map(|record| record.ends.clone())
            .unwrap_or_default();
        ends.push((body.target, self.time(), body.reason));
        let record = TombstoneRecord {
            subject: entry.subject().to_owned(),
            head: self.head_of(entry),
            ends,
        };
        self.tombstones.put(record);
        Ok(())
    }
}
