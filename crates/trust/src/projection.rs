//! Projections: the registry in the forms of others, for software that knows nothing of its log.
//!
//! | Name | Form | File |
//! |---|---|---|
//! | `etsi-lote` | List of Trusted Entities of [ETSI TS 119 602](https://www.etsi.org/deliver/etsi_ts/119600_119699/119602/), JSON | `projection/lote.rs` |
//! | `openid-federation` | statements of a Trust Anchor of [OpenID Federation 1.0](https://openid.net/specs/openid-federation-1_0.html) | `projection/federation.rs` |
//! | `vical` | Verified Issuer Certificate Authority List of ISO/IEC 18013-5 annex C, CBOR | `projection/vical.rs` |
//!
//! Each is a function of the state, the Policy's publication and the Snapshot that it is made for, to the last byte. A
//! Snapshot has the digests, the state machine makes them again, and so does every witness and auditor: whoever publishes
//! another list than the registry's is found out by comparing one digest.
//!
//! A projection has only what counts at its time: accreditations that are active with everything above them, of entities
//! whose DIDs are, with keys that no incident stands against. What is not in it has been withdrawn, or was never there.
//!
//! Out of scope: signing and serving (`registry/`). What is signed is in the Snapshot, signatures are not: they differ
//! each time.

mod federation;
mod lote;
mod vical;

use std::collections::BTreeMap;
use std::sync::Arc;

use did::DidUrl;
use did::Purpose;
use keys::Algorithm;
use keys::PublicKey;
use keys::Timestamp;
use keys::jcs;
use serde_json::Value;

use crate::entry::Listing;
use crate::entry::ProjectionDigests;
use crate::entry::Publication;
use crate::entry::Schema;
use crate::merkle::Hash;
use crate::state::AccreditationRecord;
use crate::state::AccreditationStatus;
use crate::state::State;

/// For how long a projection says that it holds: verifiers may be offline for days, and a list without a change is made
/// again after a day.
const LIFETIME: i64 = 7 * 86_400;

/// All projections of one state, with their digests.
#[derive(Clone, Debug)]
pub struct Projections {
    digests: ProjectionDigests,
    contents: BTreeMap<&'static str, Arc<[u8]>>,
    /// By DID, what is said of each entity, for the next ones: most of a nation is as it was. Shared by copies of a state,
    /// of which there is one for every group of entries.
    known: Arc<BTreeMap<String, Arc<Known>>>,
}

/// What is said of an entity, as long as nothing changes that it comes from.
#[derive(Debug)]
struct Known {
    basis: Vec<u64>,
    /// `None` for one without a key that counts.
    said: Option<Said>,
}

/// An entity in each form that has a part for it.
#[derive(Debug)]
struct Said {
    lote: String,
    federation: Option<federation::Untimed>,
}

/// The Snapshot that projections are made for.
#[derive(Clone, Copy)]
pub(crate) struct Issue {
    /// Its epoch plus one: grows with each issue.
    pub(crate) number: u64,
    /// Its time.
    pub(crate) time: Timestamp,
}

impl Projections {
    /// The name of the List of Trusted Entities.
    pub const LOTE: &'static str = "etsi-lote";
    /// The name of the statements of OpenID Federation.
    pub const FEDERATION: &'static str = "openid-federation";
    /// The name of the list of issuing authorities of mdocs.
    pub const VICAL: &'static str = "vical";

    /// Makes all of them; `before` are the last ones of the same log.
    pub(crate) fn new(state: &State, publication: &Publication, issue: Issue, before: Option<&Self>) -> Self {
        let entities = entities(state, publication, issue.time, before);
        let known = entities
            .iter()
            .map(|entity| (entity.did.to_owned(), entity.known.clone()));
        let known = Arc::new(known.collect());
        let mut view = View {
            publication,
            issue,
            entities,
        };
        view.entities.retain(|entity| entity.known.said.is_some());
        let contents = BTreeMap::from([
            (Self::LOTE, lote::project(&view).into()),
            (Self::FEDERATION, federation::project(&view).into()),
            (Self::VICAL, vical::project(&view).into()),
        ]);
        let digest = |(name, bytes): (&&str, &Arc<[u8]>)| ((*name).to_owned(), Hash::digest(bytes));
        Self {
            digests: ProjectionDigests {
                made: issue.time,
                digests: contents.iter().map(digest).collect(),
            },
            contents,
            known,
        }
    }

    /// Of which nothing but the digests is known.
    pub(crate) fn known(digests: ProjectionDigests) -> Self {
        Self {
            digests,
            contents: BTreeMap::new(),
            known: Arc::default(),
        }
    }

    /// What a Snapshot says of them.
    #[must_use]
    pub const fn digests(&self) -> &ProjectionDigests {
        &self.digests
    }

    /// The bytes of the projection of this name: what is signed. `None` in a state that was read back from a bundle, which
    /// has digests only.
    #[must_use]
    pub fn content(&self, name: &str) -> Option<&Arc<[u8]>> {
        self.contents.get(name)
    }
}

/// What projections are made of.
struct View<'s> {
    publication: &'s Publication,
    issue: Issue,
    /// By DID.
    entities: Vec<Entity<'s>>,
}

/// An entity with a listing that counts.
struct Entity<'s> {
    did: &'s str,
    listing: &'s Listing,
    services: Vec<Service<'s>>,
    known: Arc<Known>,
}

/// One thing that it may do.
struct Service<'s> {
    record: &'s AccreditationRecord,
    resource: &'s str,
    /// The schema of the resource, for issuing and verifying.
    schema: Option<&'s Schema>,
}

impl<'s> Service<'s> {
    /// Those of the accreditation's own listing, whoever else lists the entity.
    fn certificates(&self) -> &'s [Vec<u8>] {
        let listing = self.record.grant().listing.as_ref();
        listing
            .map(|listing| listing.certificates.as_slice())
            .unwrap_or_default()
    }
}

fn entities<'s>(
    state: &'s State,
    publication: &Publication,
    time: Timestamp,
    before: Option<&Projections>,
) -> Vec<Entity<'s>> {
    let mut records: BTreeMap<&str, Vec<&AccreditationRecord>> = BTreeMap::new();
    for record in state.accreditations() {
        records.entry(&record.grant().entity).or_default().push(record);
    }
    let known = |did: &str| before.and_then(|before| before.known.get(did));
    let entities = records.into_iter();
    entities
        .filter_map(|(did, records)| entity(state, publication, time, (did, &records), known(did)))
        .collect()
}

fn entity<'s>(
    state: &'s State,
    publication: &Publication,
    time: Timestamp,
    (did, records): (&'s str, &[&'s AccreditationRecord]),
    known: Option<&Arc<Known>>,
) -> Option<Entity<'s>> {
    let mut services = Vec::new();
    for record in records.iter().copied() {
        for resource in &record.grant().resources {
            if state.status_in_chain(record, &resource.id, time) == AccreditationStatus::Active {
                services.push(Service {
                    record,
                    resource: &resource.id,
                    schema: state.schema(&resource.id),
                });
            }
        }
    }
    // The word of the governing authority before that of the others, then the newest.
    let governing = state.policy().and_then(|policy| policy.body().governing());
    let rank = |record: &AccreditationRecord| {
        let governs = governing.is_some_and(|governing| governing.id == record.granted_by());
        (governs, record.head().index)
    };
    let listed = services
        .iter()
        .filter(|service| service.record.grant().listing.is_some());
    let speaks = listed.max_by_key(|service| rank(service.record))?;
    let listing = speaks.record.grant().listing.as_ref()?;
    let basis = state.basis(did, services.iter().map(|service| (service.record, service.resource)));
    let known = known.filter(|known| known.basis == basis).cloned();
    let known = known.unwrap_or_else(|| {
        let keys = keys(state, did);
        let said = (!keys.is_empty()).then(|| Said {
            lote: lote::entity(publication, did, listing, &keys, &services),
            federation: federation::subordinate(publication, did, listing, &keys, &services),
        });
        Arc::new(Known { basis, said })
    });
    Some(Entity {
        did,
        listing,
        services,
        known,
    })
}

/// The keys that sign credentials and that no incident stands against. Keys of BBS have no JWK that is a standard.
fn keys(state: &State, did: &str) -> Vec<(DidUrl, PublicKey)> {
    let mut keys = state.keys_under(did, Purpose::AssertionMethod);
    keys.retain(|(id, key)| key.algorithm() != Algorithm::Bbs && state.incident_on(id).is_none());
    keys
}

/// JSON as it is signed: in one form ([RFC 8785](https://www.rfc-editor.org/rfc/rfc8785)).
fn canonical(json: &Value) -> String {
    // Every number here is whole, and it refuses none of these.
    jcs::canonicalize(json).unwrap_or_default()
}

/// Elements that are in that form, as an array in it.
fn array<'s>(elements: impl Iterator<Item = &'s str>) -> String {
    let elements: Vec<&str> = elements.collect();
    format!("[{}]", elements.join(","))
}

impl PartialEq for Projections {
    fn eq(&self, other: &Self) -> bool {
        (&self.digests, &self.contents) == (&other.digests, &other.contents)
    }
}

impl Eq for Projections {}
