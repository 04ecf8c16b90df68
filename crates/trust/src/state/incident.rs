//! Incidents: keys and DIDs that must not be believed.

use did::DidUrl;
use keys::Timestamp;
use keys::cbor::Value;

use super::EMERGENCY_LAPSES_AFTER;
use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Backdating;
use crate::entry::Entry;
use crate::entry::IncidentBody;
use crate::entry::Reason;

/// What the state keeps of an incident.
///
/// ```cddl
/// incident-record = {
///   1: tstr,        ; DID or DID URL of a verification method
///   2: head,
///   ? 3: incident-standing,   ; absent where withdrawn
///   4: [* tstr]     ; officers who declared an emergency on it, ascending
/// }
/// incident-standing = { 1: time, 2: 0 / 1, 3: reason, ? 4: time }  ; invalid-since, backdating, reason, lapses
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRecord {
    subject: String,
    pub(super) head: Head,
    standing: Option<IncidentStanding>,
    emergencies: Vec<String>,
}

/// An incident that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentStanding {
    /// What was signed since then does not count.
    pub invalid_since: Timestamp,
    /// Whether what was signed before counts.
    pub backdating: Backdating,
    /// Why.
    pub reason: Reason,
    /// When it lapses, unless a quorum confirms it.
    pub lapses: Option<Timestamp>,
}

impl IncidentRecord {
    /// The DID or verification method.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The incident, if it stands at `at`.
    #[must_use]
    pub fn standing(&self, at: Timestamp) -> Option<&IncidentStanding> {
        self.standing
            .as_ref()
            .filter(|standing| standing.lapses.is_none_or(|lapses| at < lapses))
    }
}

impl Record for IncidentRecord {
    fn key(&self) -> String {
        self.subject.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.subject))
            .put(2, self.head.to_value())
            .optional(3, self.standing.map(IncidentStanding::to_value))
            .put(4, codec::texts_value(&self.emergencies))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("incident record", value)?;
        let record = Self {
            subject: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            standing: fields.optional(3).map(IncidentStanding::from_value).transpose()?,
            emergencies: fields.texts(4)?,
        };
        if !codec::is_sorted_set(&record.emergencies) {
            return Err(fields.shape("officers ascending"));
        }
        fields.end()?;
        Ok(record)
    }
}

impl IncidentStanding {
    fn to_value(self) -> Value {
        MapBuilder::default()
            .put(1, codec::time_value(self.invalid_since))
            .put(2, self.backdating as u64)
            .put(3, self.reason as u64)
            .optional(4, self.lapses.map(codec::time_value))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("incident standing", value)?;
        let standing = Self {
            invalid_since: fields.time(1)?,
            backdating: fields.variant(2, "0 (refuse) or 1 (accept before)", Backdating::from_number)?,
            reason: fields.variant(3, "a reason", Reason::from_number)?,
            lapses: fields.optional_time(4)?,
        };
        fields.end()?;
        Ok(standing)
    }
}

impl State {
    /// The incident that stands against this verification method, or against the whole DID, at the time of
    /// the last Snapshot. Where both do, the earlier one.
    #[must_use]
    pub fn incident_on(&self, method: &DidUrl) -> Option<&IncidentStanding> {
        let (method, did) = (method.to_string(), method.did().to_string());
        let records = [method.as_str(), did.as_str()]
            .into_iter()
            .filter_map(|subject| self.incidents.get(subject));
        records
            .filter_map(|record| record.standing(self.time()))
            .min_by_key(|standing| standing.invalid_since)
    }

    /// All incidents, by subject.
    pub fn incidents(&self) -> impl Iterator<Item = &IncidentRecord> {
        self.incidents.iter()
    }

    pub(super) fn apply_incident(&mut self, entry: &Entry, body: &IncidentBody) -> Result<(), Refusal> {
        if DidUrl::parse(entry.subject()).is_err() {
            return Err(Refusal::Identity {
                member: "subject",
                expected: "a DID or the DID URL of a key",
            });
        }
        let governing = self.governing(entry)?;
        let before = self.incidents.get(entry.subject());
        let mut emergencies = before.map(|record| record.emergencies.clone()).unwrap_or_default();
        let time = self.time();
        let standing = match body {
            IncidentBody::Declare {
                invalid_since,
                backdating,
                emergency,
                reason,
            } => {
                let lapses = if *emergency {
                    let officer = self.check_one_officer(entry, governing)?;
                    if before.is_some_and(|record| record.standing(time).is_some()) {
                        return Err(Refusal::Standing {
                            expected: "no incident that stands",
                            found: "one",
                        });
                    }
                    let Err(position) = emergencies.binary_search(&officer) else {
                        return Err(Refusal::EmergencyRepeated { officer });
                    };
                    emergencies.insert(position, officer);
                    Some(time.plus(EMERGENCY_LAPSES_AFTER))
                } else {
                    self.check_quorum(entry, governing)?;
                    None
                };
                if *invalid_since > time {
                    return Err(Refusal::Content {
                        expected: "an incident that begins no later than the last snapshot",
                    });
                }
                Some(IncidentStanding {
                    invalid_since: *invalid_since,
                    backdating: *backdating,
                    reason: *reason,
                    lapses,
                })
            }
            IncidentBody::Withdraw { .. } => {
                self.check_quorum(entry, governing)?;
                if before.is_none_or(|record| record.standing(time).is_none()) {
                    return Err(Refusal::Standing {
                        expected: "an incident that stands",
                        found: "none",
                    });
                }
                None
            }
        };
        let record = IncidentRecord {
            subject: entry.subject().to_owned(),
            head: self.head_of(entry),
            standing,
            emergencies,
        };
        self.incidents.put(record);
        Ok(())
    }
}
