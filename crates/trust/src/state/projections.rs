//! What a Snapshot says of the registry in the forms of others: the state machine makes it again.
//!
//! To make projections takes as long as to apply some hundred entries, and Snapshots come several a second under load. So
//! a Snapshot may carry over what the one before it has, for a day.

use keys::Timestamp;

use super::AccreditationRecord;
use super::DidRecord;
use super::Record;
use super::Refusal;
use super::State;
use crate::entry::EntryType;
use crate::entry::ProjectionDigests;
use crate::entry::Publication;
use crate::entry::SnapshotBody;
use crate::projection::Issue;
use crate::projection::Projections;

/// From this age in seconds on, projections are made again, whether anything changed or not.
const MAX_AGE: i64 = 86_400;

/// Whether a new Snapshot makes projections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Projecting {
    /// It makes them of its own state.
    Anew,
    /// It carries over those of the Snapshot before, if they may be.
    IfDue,
}

impl State {
    /// The projections of the last Snapshot. `None` where the Policy had no publication.
    #[must_use]
    pub const fn projections(&self) -> Option<&Projections> {
        self.projections.as_ref()
    }

    /// The projections that a Snapshot of `time` and its epoch has.
    pub(super) fn next_projections(&self, time: Timestamp, projecting: Projecting) -> Option<Projections> {
        let publication = self.publication()?;
        let carried = self
            .projections
            .as_ref()
            .filter(|known| may_carry(known.digests(), time));
        match (carried, projecting) {
            (Some(carried), Projecting::IfDue) => Some(carried.clone()),
            _ => Some(self.project(publication, time)),
        }
    }

    /// The projections that this Snapshot has, if they are those of this state or may be carried over.
    pub(super) fn check_projections(&self, body: &SnapshotBody) -> Result<Option<Projections>, Refusal> {
        let refuse = |expected| Err(Refusal::Snapshot { expected });
        let (publication, found) = match (self.publication(), &body.projections) {
            (None, None) => return Ok(None),
            (None, Some(_)) => return refuse("no projections, since the policy has no publication"),
            (Some(_), None) => return refuse("projections, since the policy has a publication"),
            (Some(publication), Some(found)) => (publication, found),
        };
        let carried = self.projections.as_ref().filter(|known| known.digests() == found);
        if let Some(carried) = carried.filter(|known| may_carry(known.digests(), body.time)) {
            return Ok(Some(carried.clone()));
        }
        let made = self.project(publication, body.time);
        if made.digests() == found {
            Ok(Some(made))
        } else {
            refuse("the projections of this state, or those of the snapshot before if they are less than a day old")
        }
    }

    fn project(&self, publication: &Publication, time: Timestamp) -> Projections {
        let (epoch, _) = self.next_in_chain(EntryType::Snapshot, self.anchor().origin());
        let issue = Issue {
            number: epoch + 1,
            time,
        };
        Projections::new(self, publication, issue, self.projections.as_ref())
    }

    /// The entries that what is said of an entity comes from: as long as these are the same, so is that.
    pub(crate) fn basis<'s>(
        &'s self,
        did: &str,
        services: impl Iterator<Item = (&'s AccreditationRecord, &'s str)>,
    ) -> Vec<u64> {
        const NONE: u64 = u64::MAX;
        let policy = self.policy().map_or(NONE, |policy| policy.head().index);
        let document = self.did(did).map_or(NONE, |record| record.head.index);
        let mut basis = vec![policy, document];
        for (record, resource) in services {
            let resources = &record.grant().resources;
            let place = resources.iter().position(|known| known.id == resource);
            let place = place.and_then(|place| u64::try_from(place).ok()).unwrap_or(NONE);
            let schema = self.schema(resource).and_then(|_| self.schemas.get(resource));
            let schema = schema.map_or(NONE, |record| record.head.index);
            basis.extend([record.head.index, place, schema]);
        }
        // Keys are of the name that the document has now: a did:webvh may have moved. Incidents of a DID that begins alike
        // are among them; then something is made again that would not have to be.
        let named = self.did(did).and_then(DidRecord::document);
        let named = named.map_or_else(|| did.to_owned(), |document| document.id().to_string());
        let incidents = self.incidents.with_prefix(&named);
        let standing = incidents.filter(|record| record.standing(self.time()).is_some());
        basis.extend(standing.map(Record::index));
        basis
    }

    fn publication(&self) -> Option<&Publication> {
        self.policy()?.body().publication.as_ref()
    }
}

const fn may_carry(known: &ProjectionDigests, time: Timestamp) -> bool {
    time.seconds_since(known.made) < MAX_AGE
}
