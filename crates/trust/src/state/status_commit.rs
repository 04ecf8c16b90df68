//! Status lists: what each issuer has committed to, and when.

use keys::Timestamp;
use keys::cbor::Value;

use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Action;
use crate::entry::Entry;
use crate::entry::StatusCommitBody;
use crate::entry::StatusList;

/// What the state keeps of a status list. Its head is that of the commitment that last named the list.
///
/// ```cddl
/// status-record = { 1: tstr, 2: head, 3: status-list, ? 4: true }  ; issuer, head, list, ended
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRecord {
    issuer: String,
    pub(super) head: Head,
    list: StatusList,
    ended: bool,
}

impl StatusRecord {
    /// The issuer's DID.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The list at its last commitment.
    #[must_use]
    pub const fn list(&self) -> &StatusList {
        &self.list
    }

    /// Snapshot time of that commitment: the age of a status counts from here.
    #[must_use]
    pub const fn committed(&self) -> Timestamp {
        self.head.time
    }

    /// Index of the entry that named it last.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.head.index
    }

    /// Whether the issuer ended the list.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Record for StatusRecord {
    fn key(&self) -> String {
        key(&self.issuer, &self.list.uri)
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.issuer))
            .put(2, self.head.to_value())
            .put(3, self.list.to_value())
            .optional(4, self.ended.then_some(Value::Bool(true)))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("status record", value)?;
        let record = Self {
            issuer: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            list: StatusList::from_value(fields.value(3)?)?,
            ended: match fields.optional(4) {
                None => false,
                Some(Value::Bool(true)) => true,
                Some(_) => return Err(fields.shape("ended absent or true")),
            },
        };
        fields.end()?;
        Ok(record)
    }
}

impl State {
    /// The commitment of this issuer to this list, if the list goes on.
    #[must_use]
    pub fn status_list(&self, issuer: &str, uri: &str) -> Option<&StatusRecord> {
        self.status_lists.get(&key(issuer, uri)).filter(|record| !record.ended)
    }

    /// All status lists, by issuer and URI.
    pub fn status_lists(&self) -> impl Iterator<Item = &StatusRecord> {
        self.status_lists.iter()
    }

    /// Those that have not ended, of which an entry from the index `since` on speaks last.
    pub fn status_lists_since(&self, since: u64) -> impl Iterator<Item = &StatusRecord> {
        let lists = self.status_lists();
        lists.filter(move |record| !record.ended && record.index() >= since)
    }

    /// The chain of an issuer's commitments ends in the list that was named last.
    pub(super) fn status_head(&self, issuer: &str) -> Option<Head> {
        let prefix = key(issuer, "");
        self.status_lists
            .with_prefix(&prefix)
            .map(|record| record.head)
            .max_by_key(|head| head.seq)
    }

    pub(super) fn apply_status_commit(&mut self, entry: &Entry, body: &StatusCommitBody) -> Result<(), Refusal> {
        let issuer = entry.subject();
        if entry.ns() != issuer {
            return Err(Refusal::Identity {
                member: "ns",
                expected: "the issuer's DID",
            });
        }
        // A suspended or revoked issuer must still be able to revoke its credentials.
        if self.accreditations_of(issuer, Action::Issue).next().is_none() {
            return Err(Refusal::NotAccredited {
                found: issuer.to_owned(),
            });
        }
        self.check_did_signature(entry)?;
        let head = self.head_of(entry);
        let mut records = Vec::new();
        for list in &body.lists {
            self.check_list(issuer, list)?;
            records.push(StatusRecord {
                issuer: issuer.to_owned(),
                head,
                list: list.clone(),
                ended: false,
            });
        }
        for uri in &body.ended {
            let Some(record) = self.status_list(issuer, uri) else {
                return Err(Refusal::StatusList {
                    uri: uri.clone(),
                    expected: "a list that goes on",
                });
            };
            records.push(StatusRecord {
                head,
                ended: true,
                ..record.clone()
            });
        }
        for record in records {
            self.status_lists.put(record);
        }
        Ok(())
    }

    fn check_list(&self, issuer: &str, list: &StatusList) -> Result<(), Refusal> {
        let refuse = |expected| {
            Err(Refusal::StatusList {
                uri: list.uri.clone(),
                expected,
            })
        };
        if list.next_update <= self.time() {
            return refuse("a next update after the last snapshot");
        }
        let Some(before) = self.status_lists.get(&key(issuer, &list.uri)) else {
            return Ok(());
        };
        if before.ended {
            return refuse("a list that goes on");
        }
        let before = &before.list;
        if list.epoch <= before.epoch {
            return refuse("a higher epoch");
        }
        if list.bits != before.bits || list.purpose != before.purpose || list.capacity < before.capacity {
            return refuse("the same bits and purpose, and no smaller capacity");
        }
        Ok(())
    }
}

/// Neither part can have a newline, so the key is theirs alone.
fn key(issuer: &str, uri: &str) -> String {
    format!("{issuer}\n{uri}")
}
