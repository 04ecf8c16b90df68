//! What the state keeps of an accreditation, and how it stands.

use keys::Timestamp;
use keys::cbor::Value;

use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Grant;
use crate::entry::Reason;
use crate::state::Head;
use crate::state::Record;

/// What the state keeps of an accreditation.
///
/// ```cddl
/// accreditation-record = {
///   1: tstr,          ; id
///   2: head,
///   3: tstr,          ; ns: who granted it
///   4: grant,         ; as in the entry
///   5: time,          ; Snapshot time of the grant
///   6: standing,
///   7: [* tstr]       ; officers who declared an emergency on it, ascending
/// }
/// standing = { 1: 0 }                                              ; active
///          / { 1: 1, 2: time, 3: reason, 4: tstr, ? 5: time }      ; suspended: since, reason, by, lapses
///          / { 1: 2, 2: time, 3: reason }                          ; revoked: since, reason
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccreditationRecord {
    pub(super) id: String,
    pub(in crate::state) head: Head,
    pub(super) ns: String,
    pub(super) grant: Grant,
    pub(super) granted: Timestamp,
    pub(super) standing: Standing,
    pub(super) emergencies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Active,
    Suspended {
        since: Timestamp,
        reason: Reason,
        by: String,
        lapses: Option<Timestamp>,
    },
    Revoked {
        since: Timestamp,
        reason: Reason,
    },
}

/// How an accreditation stands at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccreditationStatus {
    /// It counts.
    Active,
    /// Its time of validity has not begun.
    NotYetValid,
    /// Its time of validity is over.
    Expired,
    /// It does not count for now.
    Suspended {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: Reason,
    },
    /// It never counts again. What was issued before counts only if the grant's `backdating` says so.
    Revoked {
        /// Since when.
        since: Timestamp,
        /// Why.
        reason: Reason,
    },
}

impl AccreditationRecord {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who granted it: an authority, or the DID of the entity that passed it on.
    #[must_use]
    pub fn granted_by(&self) -> &str {
        &self.ns
    }

    /// Its terms.
    #[must_use]
    pub const fn grant(&self) -> &Grant {
        &self.grant
    }

    /// Snapshot time of the grant.
    #[must_use]
    pub const fn granted(&self) -> Timestamp {
        self.granted
    }

    /// Where its chain of entries stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Its own standing at `now`, as far as the Snapshot of time `known` shows it. A suspension lapses in
    /// Snapshot time only: a later one may have confirmed it.
    pub(super) fn status(&self, known: Timestamp, now: Timestamp) -> AccreditationStatus {
        match &self.standing {
            Standing::Revoked { since, reason } => AccreditationStatus::Revoked {
                since: *since,
                reason: *reason,
            },
            Standing::Suspended {
                since, reason, lapses, ..
            } if lapses.is_none_or(|lapses| known < lapses) => AccreditationStatus::Suspended {
                since: *since,
                reason: *reason,
            },
            Standing::Active | Standing::Suspended { .. } if now < self.grant.valid_from => {
                AccreditationStatus::NotYetValid
            }
            Standing::Active | Standing::Suspended { .. } if now >= self.grant.valid_until => {
                AccreditationStatus::Expired
            }
            Standing::Active | Standing::Suspended { .. } => AccreditationStatus::Active,
        }
    }
}

impl AccreditationStatus {
    /// The worse one counts: revoked, then suspended, then the rest.
    pub(super) const fn badness(self) -> u8 {
        match self {
            Self::Active => 0,
            Self::NotYetValid => 1,
            Self::Expired => 2,
            Self::Suspended { .. } => 3,
            Self::Revoked { .. } => 4,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotYetValid => "not yet valid",
            Self::Expired => "expired",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
        }
    }
}

impl Record for AccreditationRecord {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.id))
            .put(2, self.head.to_value())
            .put(3, Value::text(&self.ns))
            .put(4, self.grant.to_value())
            .put(5, codec::time_value(self.granted))
            .put(6, self.standing.to_value())
            .put(7, codec::texts_value(&self.emergencies))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("accreditation record", value)?;
        let record = Self {
            id: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            ns: fields.text(3)?,
            grant: Grant::from_value(fields.value(4)?)?,
            granted: fields.time(5)?,
            standing: Standing::from_value(fields.value(6)?)?,
            emergencies: fields.texts(7)?,
        };
        if !codec::is_sorted_set(&record.emergencies) {
            return Err(fields.shape("officers ascending"));
        }
        fields.end()?;
        Ok(record)
    }
}

impl Standing {
    fn to_value(&self) -> Value {
        let map = MapBuilder::default();
        match self {
            Self::Active => map.put(1, 0_u64),
            Self::Suspended {
                since,
                reason,
                by,
                lapses,
            } => map
                .put(1, 1_u64)
                .put(2, codec::time_value(*since))
                .put(3, *reason as u64)
                .put(4, Value::text(by))
                .optional(5, lapses.map(codec::time_value)),
            Self::Revoked { since, reason } => map
                .put(1, 2_u64)
                .put(2, codec::time_value(*since))
                .put(3, *reason as u64),
        }
        .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("standing", value)?;
        let standing = match fields.unsigned(1)? {
            0 => Self::Active,
            1 => Self::Suspended {
                since: fields.time(2)?,
                reason: fields.variant(3, "a reason", Reason::from_number)?,
                by: fields.text(4)?,
                lapses: fields.optional_time(5)?,
            },
            2 => Self::Revoked {
                since: fields.time(2)?,
                reason: fields.variant(3, "a reason", Reason::from_number)?,
            },
            _ => return Err(fields.shape("0 (active), 1 (suspended) or 2 (revoked)")),
        };
        fields.end()?;
        Ok(standing)
    }
}
