//! Accreditations: the rules of granting, narrowing, suspending and revoking, and the one question that
//! everybody asks: may this entity do this with that resource?
//!
//! Fast brake, slow accelerator: a grant needs the quorum; one officer can suspend in an emergency, which
//! lapses after 72 hours of Snapshot time unless a quorum confirms it, once per officer and subject.

mod record;

use keys::Timestamp;
use keys::x509::Certificate;

use super::EMERGENCY_LAPSES_AFTER;
use super::Head;
use super::Refusal;
use super::State;
use crate::entry::AccreditationBody;
use crate::entry::Action;
use crate::entry::Authority;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::Grant;
use crate::entry::Reason;
pub use record::AccreditationRecord;
pub use record::AccreditationStatus;
use record::Standing;

/// Ministry, agency, branch, contractor: four levels; twice that for what we did not think of. It also
/// bounds the walk to the root.
const MAX_DELEGATION_DEPTH: u64 = 8;
/// With the one that an authority gave.
const MAX_DELEGATION_LEVELS: usize = 9;

/// An accreditation and how it stands, with everything above it taken into account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accreditation<'a> {
    /// The entity's own accreditation.
    pub record: &'a AccreditationRecord,
    /// The worst of its own standing and that of every accreditation that it is a part of.
    pub status: AccreditationStatus,
}

impl State {
    /// Whether `entity` may do `action` with `resource` at `now`: the best of its accreditations for it, with
    /// its status. `None` when there is none at all.
    ///
    /// Times of validity are compared with `now`; emergencies lapse by [`State::time`], which may be older.
    /// A status of [`AccreditationStatus::Active`] means that it and everything above it counts.
    #[must_use]
    pub fn accreditation(
        &self,
        entity: &str,
        action: Action,
        resource: &str,
        now: Timestamp,
    ) -> Option<Accreditation<'_>> {
        self.best_of(self.accreditations_of(entity, action), resource, now)
    }

    /// As [`State::accreditation`], of those that `authority` gave: an authority of the Policy by its id, or a DID that
    /// passes its own on.
    #[must_use]
    pub fn accreditation_by(
        &self,
        authority: &str,
        entity: &str,
        action: Action,
        resource: &str,
        now: Timestamp,
    ) -> Option<Accreditation<'_>> {
        let of_entity = self.accreditations_of(entity, action);
        self.best_of(of_entity.filter(|record| record.ns == authority), resource, now)
    }

    fn best_of<'s>(
        &'s self,
        records: impl Iterator<Item = &'s AccreditationRecord>,
        resource: &str,
        now: Timestamp,
    ) -> Option<Accreditation<'s>> {
        let records = records.filter(|record| record.grant.resource(resource).is_some());
        let judged = records.map(|record| Accreditation {
            record,
            status: self.status_in_chain(record, resource, now),
        });
        judged.min_by_key(|accreditation| accreditation.status.badness())
    }

    /// The accreditation of this id.
    #[must_use]
    pub fn accreditation_record(&self, id: &str) -> Option<&AccreditationRecord> {
        self.accreditations.get(id)
    }

    /// All accreditations, by id.
    pub fn accreditations(&self) -> impl Iterator<Item = &AccreditationRecord> {
        self.accreditations.iter()
    }

    /// Ids of an accreditation and of those that it is a part of, up to the one that an authority gave.
    pub(crate) fn ids_upwards(&self, record: &AccreditationRecord) -> Vec<String> {
        let above = |below: &&AccreditationRecord| self.accreditations.get(below.grant.parent.as_deref()?);
        let chain = std::iter::successors(self.accreditations.get(&record.id), above);
        chain
            .take(MAX_DELEGATION_LEVELS)
            .map(|record| record.id.clone())
            .collect()
    }

    /// All accreditations of an entity for an action, whatever their standing.
    pub fn accreditations_of(&self, entity: &str, action: Action) -> impl Iterator<Item = &AccreditationRecord> {
        let ids = self.index.by_entity.get(&(entity.into(), action));
        ids.into_iter().flatten().filter_map(|id| self.accreditations.get(id))
    }

    pub(super) fn index_accreditation(&mut self, record: &AccreditationRecord) {
        let ids = self
            .index
            .by_entity
            .entry((record.grant.entity.as_str().into(), record.grant.action))
            .or_default();
        ids.insert(record.id.as_str().into());
    }

    pub(super) fn apply_accreditation(&mut self, entry: &Entry, body: &AccreditationBody) -> Result<(), Refusal> {
        let record = match (body, self.accreditations.get(entry.subject())) {
            (AccreditationBody::Grant(grant), None) => self.grant(entry, grant)?,
            (AccreditationBody::Grant(_), Some(_)) => return Err(standing("a new accreditation", "an existing one")),
            (_, None) => return Err(standing("an existing accreditation", "a new one")),
            (AccreditationBody::Amend(grant), Some(record)) => self.amend(entry, record, grant)?,
            (
                AccreditationBody::Suspend {
                    reason,
                    emergency: true,
                },
                Some(record),
            ) => self.emergency(entry, record, *reason)?,
            (
                AccreditationBody::Suspend {
                    reason,
                    emergency: false,
                },
                Some(record),
            ) => {
                self.check_may_change(entry, record)?;
                record.expect_not_revoked()?;
                let since = record.suspended_since(self.time());
                let suspended = Standing::Suspended {
                    since,
                    reason: *reason,
                    by: entry.ns().to_owned(),
                    lapses: None,
                };
                record.with(self.head_of(entry), suspended)
            }
            (AccreditationBody::Reinstate { .. }, Some(record)) => {
                self.check_may_change(entry, record)?;
                self.check_may_reinstate(entry, record)?;
                record.with(self.head_of(entry), Standing::Active)
            }
            (AccreditationBody::Revoke { reason, since }, Some(record)) => {
                self.check_may_change(entry, record)?;
                record.expect_not_revoked()?;
                let since = since.unwrap_or_else(|| self.time());
                if since > self.time() {
                    return Err(Refusal::Content {
                        expected: "a revocation that begins no later than the last snapshot",
                    });
                }
                record.with(self.head_of(entry), Standing::Revoked { since, reason: *reason })
            }
        };
        self.index_accreditation(&record);
        self.accreditations.put(record);
        Ok(())
    }

    fn grant(&self, entry: &Entry, grant: &Grant) -> Result<AccreditationRecord, Refusal> {
        self.check_granter(entry, grant)?;
        self.check_terms(grant)?;
        Ok(AccreditationRecord {
            id: entry.subject().to_owned(),
            head: self.head_of(entry),
            ns: entry.ns().to_owned(),
            grant: grant.clone(),
            granted: self.time(),
            standing: Standing::Active,
            emergencies: Vec::new(),
        })
    }

    fn amend(
        &self,
        entry: &Entry,
        record: &AccreditationRecord,
        grant: &Grant,
    ) -> Result<AccreditationRecord, Refusal> {
        if entry.ns() != record.ns {
            return Err(Refusal::Authority {
                found: entry.ns().to_owned(),
            });
        }
        record.expect_not_revoked()?;
        let old = &record.grant;
        if (&grant.entity, grant.action, &grant.parent) != (&old.entity, old.action, &old.parent) {
            return Err(Refusal::Content {
                expected: "the same entity, action and parent in an amendment",
            });
        }
        self.check_granter(entry, grant)?;
        self.check_terms(grant)?;
        Ok(AccreditationRecord {
            head: self.head_of(entry),
            grant: grant.clone(),
            ..record.clone()
        })
    }

    /// One officer stops it at once, for 72 hours, and only once.
    fn emergency(
        &self,
        entry: &Entry,
        record: &AccreditationRecord,
        reason: Reason,
    ) -> Result<AccreditationRecord, Refusal> {
        let authority = self.authority_over(entry, record)?;
        let officer = self.check_one_officer(entry, authority)?;
        record.expect_not_revoked()?;
        let time = self.time();
        if let AccreditationStatus::Suspended { .. } = record.status(time, time) {
            return Err(standing("an accreditation that is not suspended", "suspended"));
        }
        let Err(position) = record.emergencies.binary_search(&officer) else {
            return Err(Refusal::EmergencyRepeated { officer });
        };
        let lapses = Some(time.plus(EMERGENCY_LAPSES_AFTER));
        let suspended = Standing::Suspended {
            since: time,
            reason,
            by: entry.ns().to_owned(),
            lapses,
        };
        let mut record = record.with(self.head_of(entry), suspended);
        record.emergencies.insert(position, officer);
        Ok(record)
    }

    /// That the approval is by who may grant this, and that the grant is within what they may give.
    fn check_granter(&self, entry: &Entry, grant: &Grant) -> Result<(), Refusal> {
        let Some(parent) = &grant.parent else {
            let authority = self.authority(entry)?;
            self.check_quorum(entry, authority)?;
            return check_scope(authority, grant);
        };
        let unusable = || Refusal::Parent { found: parent.clone() };
        let above = self
            .accreditations
            .get(parent)
            .filter(|above| above.grant.entity == entry.ns())
            .ok_or_else(unusable)?;
        self.check_did_signature(entry)?;
        let time = self.time();
        let active = above
            .grant
            .resources
            .iter()
            .all(|resource| self.status_in_chain(above, &resource.id, time) == AccreditationStatus::Active);
        if !active || above.grant.delegation_depth == 0 {
            return Err(unusable());
        }
        check_attenuates(&above.grant, grant)
    }

    /// What every grant keeps.
    fn check_terms(&self, grant: &Grant) -> Result<(), Refusal> {
        self.check_known(&grant.entity)?;
        if grant.delegation_depth > MAX_DELEGATION_DEPTH {
            return Err(Refusal::Content {
                expected: "at most 8 levels of delegation",
            });
        }
        if grant.valid_until <= self.time() {
            return Err(Refusal::Content {
                expected: "a time of validity that is not over",
            });
        }
        if grant.parent.is_some() && grant.listing.is_some() {
            return Err(Refusal::Content {
                expected: "no listing in what an entity passes on: names are what officers approve",
            });
        }
        let certificates = grant.listing.iter().flat_map(|listing| &listing.certificates);
        if certificates.clone().any(|der| Certificate::from_der(der).is_err()) {
            return Err(Refusal::Content {
                expected: "X.509 certificates of algorithms that are known here in the listing",
            });
        }
        if grant.action == Action::Publish {
            return Ok(());
        }
        for resource in &grant.resources {
            let schema = self.schema(&resource.id);
            let admitted = |schema: &crate::entry::Schema| {
                resource.schemas.is_empty() || resource.schemas.contains(&schema.digest())
            };
            if !schema.is_some_and(admitted) {
                return Err(Refusal::UnknownSchema {
                    found: resource.id.clone(),
                });
            }
        }
        Ok(())
    }

    /// That the approval is by the one who granted it, or by the governing authority.
    fn check_may_change(&self, entry: &Entry, record: &AccreditationRecord) -> Result<(), Refusal> {
        if entry.ns() == record.ns && record.grant.parent.is_some() {
            return self.check_did_signature(entry);
        }
        let authority = self.authority_over(entry, record)?;
        self.check_quorum(entry, authority)
    }

    fn authority_over(&self, entry: &Entry, record: &AccreditationRecord) -> Result<&Authority, Refusal> {
        if entry.ns() == record.ns {
            self.authority(entry)
        } else {
            self.governing(entry)
        }
    }

    /// Only a suspension can be lifted, and by nobody below the one who imposed it.
    fn check_may_reinstate(&self, entry: &Entry, record: &AccreditationRecord) -> Result<(), Refusal> {
        let Standing::Suspended { by, .. } = &record.standing else {
            return Err(standing(
                "a suspended accreditation",
                record.status(self.time(), self.time()).name(),
            ));
        };
        if by == entry.ns() {
            Ok(())
        } else {
            self.governing(entry).map(drop)
        }
    }

    /// The worst standing from this accreditation up to the authority. What an ancestor no longer includes
    /// counts as revoked there.
    pub(crate) fn status_in_chain(
        &self,
        record: &AccreditationRecord,
        resource: &str,
        now: Timestamp,
    ) -> AccreditationStatus {
        let mut worst = self.status_with_tombstones(record, now);
        let mut below = record;
        for _ in 0..=MAX_DELEGATION_DEPTH {
            let Some(parent) = &below.grant.parent else {
                return worst;
            };
            let Some(above) = self.accreditations.get(parent) else {
                break;
            };
            let narrowed = above.grant.resource(resource).is_none()
                || above.grant.delegation_depth <= below.grant.delegation_depth;
            let status = if narrowed {
                AccreditationStatus::Revoked {
                    since: above.head.time,
                    reason: Reason::Withdrawn,
                }
            } else {
                self.status_with_tombstones(above, now)
            };
            worst = worse(worst, status);
            below = above;
        }
        AccreditationStatus::Revoked {
            since: record.granted,
            reason: Reason::Unspecified,
        }
    }

    /// The end of the accreditation or of its entity's DID is a revocation.
    fn status_with_tombstones(&self, record: &AccreditationRecord, now: Timestamp) -> AccreditationStatus {
        let ends = [
            (EntryType::Accreditation, &record.id),
            (EntryType::DidEvent, &record.grant.entity),
        ];
        let ended = ends
            .into_iter()
            .filter_map(|(target, subject)| self.tombstone(target, subject));
        let ended = ended.map(|(since, reason)| AccreditationStatus::Revoked { since, reason });
        ended.fold(record.status(self.time(), now), worse)
    }
}

impl AccreditationRecord {
    fn with(&self, head: Head, standing: Standing) -> Self {
        Self {
            head,
            standing,
            ..self.clone()
        }
    }

    fn expect_not_revoked(&self) -> Result<(), Refusal> {
        match self.standing {
            Standing::Revoked { .. } => Err(standing("an accreditation that is not revoked", "revoked")),
            Standing::Active | Standing::Suspended { .. } => Ok(()),
        }
    }

    /// A confirmed emergency counts from its beginning.
    fn suspended_since(&self, now: Timestamp) -> Timestamp {
        match self.status(now, now) {
            AccreditationStatus::Suspended { since, .. } => since,
            _ => now,
        }
    }
}

const fn standing(expected: &'static str, found: &'static str) -> Refusal {
    Refusal::Standing { expected, found }
}

fn worse(left: AccreditationStatus, right: AccreditationStatus) -> AccreditationStatus {
    if right.badness() > left.badness() { right } else { left }
}

fn check_scope(authority: &Authority, grant: &Grant) -> Result<(), Refusal> {
    let Some(scope) = &authority.scope else { return Ok(()) };
    match grant.resources.iter().find(|resource| !scope.contains(&resource.id)) {
        Some(outside) => Err(Refusal::Scope {
            authority: authority.id.clone(),
            found: outside.id.clone(),
        }),
        None => Ok(()),
    }
}

/// A child allows no more than its parent, in every member.
fn check_attenuates(above: &Grant, below: &Grant) -> Result<(), Refusal> {
    let within = |holds: bool, member| {
        if holds {
            Ok(())
        } else {
            Err(Refusal::Widened { member })
        }
    };
    within(below.delegation_depth < above.delegation_depth, "delegation depth")?;
    within(below.action == above.action, "action")?;
    for resource in &below.resources {
        let Some(allowed) = above.resource(&resource.id) else {
            return Err(Refusal::Widened { member: "resources" });
        };
        let pinned =
            !resource.schemas.is_empty() && resource.schemas.iter().all(|schema| allowed.schemas.contains(schema));
        within(allowed.schemas.is_empty() || pinned, "schema digests")?;
    }
    let placed = !below.territories.is_empty()
        && below
            .territories
            .iter()
            .all(|territory| above.territories.contains(territory));
    within(above.territories.is_empty() || placed, "territories")?;
    let level = above.level_of_assurance.is_none()
        || below.level_of_assurance.is_none()
        || above.level_of_assurance == below.level_of_assurance;
    within(level, "level of assurance")?;
    within(
        below.valid_from >= above.valid_from && below.valid_until <= above.valid_until,
        "validity",
    )?;
    within(below.max_staleness <= above.max_staleness, "max-staleness")?;
    within(below.on_stale <= above.on_stale, "on-stale")?;
    within(below.backdating <= above.backdating, "backdating")
}
