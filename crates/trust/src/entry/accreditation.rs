//! Accreditation: who may issue, publish or verify what.

use keys::Timestamp;
use keys::cbor::Value;

use super::DecodeError;
use super::Listing;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of an Accreditation entry. Subject is the accreditation's own id. The ns is the authority that
/// grants it, or the DID of the entity that passes on a part of its own accreditation.
///
/// ```cddl
/// accreditation = {
///   1: 0 / 1 / 2 / 3 / 4,  ; grant, amend, suspend, reinstate, revoke
///   ? 2: grant,            ; in grant and amend
///   ? 3: reason,           ; in suspend, reinstate and revoke
///   ? 4: true,             ; in suspend: emergency, by one officer, lapses after 72 hours
///   ? 5: time              ; in revoke: since when; the time of the entry where absent
/// }
/// grant = {
///   1: tstr,               ; entity: a DID
///   2: 0 / 1 / 2,          ; action: issue, publish, verify
///   3: [+ resource],       ; ascending by id
///   4: [* tstr],           ; territories (ISO 3166), ascending; none for everywhere
///   ? 5: tstr,             ; level of assurance
///   6: time, 7: time,      ; valid from, valid until
///   8: uint,               ; how many further levels the entity may accredit
///   ? 9: tstr,             ; parent: the accreditation that this one is a part of
///   10: uint,              ; max-staleness of evidence, in seconds
///   11: 0 / 1 / 2,         ; on-stale: refuse, warn, accept with risk
///   12: 0 / 1,             ; backdating: refuse, accept what was issued before
///   ? 13: uint,            ; hazard: expected revocations per million credentials and year
///   ? 14: listing          ; how lists of trust outside of the registry name the entity
/// }
/// resource = { 1: tstr, ? 2: [+ bstr .size 32] }  ; id; admitted schema digests, ascending
/// reason = 0..5            ; unspecified, key compromise, ceased operation, non-compliance, superseded, withdrawn
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccreditationBody {
    /// A new accreditation.
    Grant(Grant),
    /// New terms of an existing one.
    Amend(Grant),
    /// It does not count for now.
    Suspend {
        /// Why.
        reason: Reason,
        /// By one officer, for 72 hours at most unless a quorum confirms it.
        emergency: bool,
    },
    /// It counts again.
    Reinstate {
        /// Why.
        reason: Reason,
    },
    /// It never counts again.
    Revoke {
        /// Why.
        reason: Reason,
        /// Since when, if earlier than the entry.
        since: Option<Timestamp>,
    },
}

/// The terms of an accreditation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The DID that is accredited.
    pub entity: String,
    /// For what.
    pub action: Action,
    /// Schema ids for issuing and verifying, API ids for publishing; ascending by id, at least one.
    pub resources: Vec<Resource>,
    /// ISO 3166 codes, ascending; empty for everywhere.
    pub territories: Vec<String>,
    /// Level of assurance, as the authority names it.
    pub level_of_assurance: Option<String>,
    /// Not before.
    pub valid_from: Timestamp,
    /// Not at or after.
    pub valid_until: Timestamp,
    /// How many further levels the entity may accredit; 0 for none.
    pub delegation_depth: u64,
    /// Id of the accreditation that this one is a part of.
    pub parent: Option<String>,
    /// How old evidence may be, in seconds.
    pub max_staleness: u64,
    /// What a verifier does with older evidence.
    pub on_stale: OnStale,
    /// Whether what was issued before a revocation counts on.
    pub backdating: Backdating,
    /// Expected revocations per million credentials and year.
    pub hazard: Option<u64>,
    /// How lists of trust outside of the registry name the entity; without it they do not have it.
    pub listing: Option<Listing>,
}

/// One thing that an accreditation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// A schema id or API id.
    pub id: String,
    /// Digests of the schemas that are admitted, ascending; empty for every version of the schema.
    pub schemas: Vec<Hash>,
}

/// What an entity may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Issue credentials of a type.
    Issue = 0,
    /// Publish an API.
    Publish = 1,
    /// Ask for credentials of a type.
    Verify = 2,
}

/// What a verifier does when its evidence is older than `max_staleness`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OnStale {
    /// Refuse.
    Refuse = 0,
    /// Accept and warn.
    Warn = 1,
    /// Accept and report the residual risk.
    AcceptWithRisk = 2,
}

/// Whether credentials from before a revocation or incident count on. A credential's own `iat` proves
/// nothing to the contrary once a key is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backdating {
    /// Nothing of the issuer counts any more.
    Refuse = 0,
    /// What was issued before counts.
    AcceptBefore = 1,
}

/// Why an accreditation was suspended, reinstated or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Not told.
    Unspecified = 0,
    /// A key got lost or stolen.
    KeyCompromise = 1,
    /// The entity no longer operates.
    CeasedOperation = 2,
    /// The entity broke the rules.
    NonCompliance = 3,
    /// Another accreditation takes its place.
    Superseded = 4,
    /// The authority withdrew the privilege.
    Withdrawn = 5,
}

impl Action {
    /// The name, as TRQP queries have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Publish => "publish",
            Self::Verify => "verify",
        }
    }

    /// The action of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Issue, Self::Publish, Self::Verify]
            .into_iter()
            .find(|action| action.name() == name)
    }

    pub(super) fn from_number(number: u64) -> Option<Self> {
        [Self::Issue, Self::Publish, Self::Verify]
            .into_iter()
            .find(|action| *action as u64 == number)
    }
}

impl OnStale {
    fn from_number(number: u64) -> Option<Self> {
        [Self::Refuse, Self::Warn, Self::AcceptWithRisk]
            .into_iter()
            .find(|rule| *rule as u64 == number)
    }
}

impl Backdating {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        [Self::Refuse, Self::AcceptBefore]
            .into_iter()
            .find(|rule| *rule as u64 == number)
    }
}

impl Reason {
    pub(crate) fn from_number(number: u64) -> Option<Self> {
        let all = [
            Self::Unspecified,
            Self::KeyCompromise,
            Self::CeasedOperation,
            Self::NonCompliance,
            Self::Superseded,
            Self::Withdrawn,
        ];
        all.into_iter().find(|reason| *reason as u64 == number)
    }
}

impl AccreditationBody {
    pub(super) fn to_value(&self) -> Value {
        let map = MapBuilder::default();
        match self {
            Self::Grant(grant) => map.put(1, 0_u64).put(2, grant.to_value()),
            Self::Amend(grant) => map.put(1, 1_u64).put(2, grant.to_value()),
            Self::Suspend { reason, emergency } => map
                .put(1, 2_u64)
                .put(3, *reason as u64)
                .optional(4, emergency.then_some(Value::Bool(true))),
            Self::Reinstate { reason } => map.put(1, 3_u64).put(3, *reason as u64),
            Self::Revoke { reason, since } => map
                .put(1, 4_u64)
                .put(3, *reason as u64)
                .optional(5, since.map(codec::time_value)),
        }
        .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("accreditation", value)?;
        let body = match fields.unsigned(1)? {
            0 => Self::Grant(Grant::from_value(fields.value(2)?)?),
            1 => Self::Amend(Grant::from_value(fields.value(2)?)?),
            2 => {
                let reason = fields.variant(3, "a reason", Reason::from_number)?;
                let emergency = match fields.optional(4) {
                    None => false,
                    Some(Value::Bool(true)) => true,
                    Some(_) => return Err(fields.shape("emergency absent or true")),
                };
                Self::Suspend { reason, emergency }
            }
            3 => Self::Reinstate {
                reason: fields.variant(3, "a reason", Reason::from_number)?,
            },
            4 => Self::Revoke {
                reason: fields.variant(3, "a reason", Reason::from_number)?,
                since: fields.optional_time(5)?,
            },
            _ => return Err(fields.shape("an action from 0 to 4")),
        };
        fields.end()?;
        Ok(body)
    }
}

impl Grant {
    /// The resource of this id.
    #[must_use]
    pub fn resource(&self, id: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == id)
    }

    pub(crate) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.entity))
            .put(2, self.action as u64)
            .put(3, Value::Array(self.resources.iter().map(Resource::to_value).collect()))
            .put(4, codec::texts_value(&self.territories))
            .optional(5, self.level_of_assurance.as_ref().map(Value::text))
            .put(6, codec::time_value(self.valid_from))
            .put(7, codec::time_value(self.valid_until))
            .put(8, self.delegation_depth)
            .optional(9, self.parent.as_ref().map(Value::text))
            .put(10, self.max_staleness)
            .put(11, self.on_stale as u64)
            .put(12, self.backdating as u64)
            .optional(13, self.hazard)
            .optional(14, self.listing.as_ref().map(Listing::to_value))
            .build()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("grant", value)?;
        let grant = Self {
            entity: fields.text(1)?,
            action: fields.variant(2, "0 (issue), 1 (publish) or 2 (verify)", Action::from_number)?,
            resources: fields.array(3, Resource::from_value)?,
            territories: fields.texts(4)?,
            level_of_assurance: fields.optional_text(5)?,
            valid_from: fields.time(6)?,
            valid_until: fields.time(7)?,
            delegation_depth: fields.unsigned(8)?,
            parent: fields.optional_text(9)?,
            max_staleness: fields.unsigned(10)?,
            on_stale: fields.variant(11, "0 (refuse), 1 (warn) or 2 (accept with risk)", OnStale::from_number)?,
            backdating: fields.variant(12, "0 (refuse) or 1 (accept before)", Backdating::from_number)?,
            hazard: if let Some(value) = fields.optional(13) {
                Some(hazard(&value)?)
            } else {
                None
            },
            listing: fields.optional(14).map(Listing::from_value).transpose()?,
        };
        if grant.resources.is_empty() || !grant.resources.is_sorted_by(|left, right| left.id < right.id) {
            return Err(fields.shape("at least one resource, ascending by id"));
        }
        if !codec::is_sorted_set(&grant.territories) {
            return Err(fields.shape("territories, ascending"));
        }
        if grant.valid_from >= grant.valid_until {
            return Err(fields.shape("a time of validity that is not empty"));
        }
        fields.end()?;
        Ok(grant)
    }
}

impl Resource {
    fn to_value(&self) -> Value {
        let schemas = (!self.schemas.is_empty()).then(|| codec::hashes_value(&self.schemas));
        MapBuilder::default()
            .put(1, Value::text(&self.id))
            .optional(2, schemas)
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("resource", value)?;
        let id = fields.text(1)?;
        let schemas = match fields.optional(2) {
            Some(value) => digests(value)?,
            None => Vec::new(),
        };
        fields.end()?;
        Ok(Self { id, schemas })
    }
}

fn digests(value: Value) -> Result<Vec<Hash>, DecodeError> {
    // Opened as a map of one member, so that array and digests are read by the one piece that does it.
    let mut fields = Fields::open("resource", MapBuilder::default().put(2, value).build())?;
    let digests = fields.hashes(2)?;
    // An empty list would be a second way to say that every version is admitted.
    if digests.is_empty() || !codec::is_sorted_set(&digests) {
        return Err(fields.shape("at least one schema digest, ascending"));
    }
    Ok(digests)
}

fn hazard(value: &Value) -> Result<u64, DecodeError> {
    value.as_unsigned().ok_or(DecodeError::Shape {
        what: "grant",
        expected: "the hazard as an unsigned number",
    })
}
