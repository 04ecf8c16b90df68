//! Who is an agency, by the registry of this platform, and which keys the agencies know as their people's.

use did::Did;
use did::DidUrl;
use did::Purpose;
use hub::AgencyDirectory;
use hub::Answer;
use hub::DirectoryError;
use hub::protocol::commitment::OpenCommitment;
use keys::PublicKey;
use keys::Timestamp;
use registry::Registry;
use serde::Deserialize;
use serde::Serialize;
use server::Clock;
use store::Store;
use store::records::Load as _;
use store::records::RecordError;
use store::records::save;
use trust::entry::Action;
use trust::state::AccreditationStatus;
use trust::state::State;

/// The registry of the same process, as the hub needs it.
pub(crate) struct Directory {
    pub(crate) registry: Registry,
    pub(crate) persons: Persons,
    pub(crate) clock: Clock,
}

/// The keys that agencies know as their people's: each agency's desk enrols them.
#[derive(Clone)]
pub(crate) struct Persons(Store);

/// Whose key it is. `key/{agency DID}/{Multikey}` is its key in the store.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Enrolment {
    subject: String,
    enrolled_at: Timestamp,
}

impl AgencyDirectory for Directory {
    /// A key that somebody reported as compromised is none any more.
    fn key<'a>(&'a self, key_id: &'a DidUrl, purpose: Purpose) -> Answer<'a, Option<PublicKey>> {
        let is_reported = self.registry.state().incident_on(key_id).is_some();
        let document = self.registry.document(key_id.did().as_str()).filter(|_| !is_reported);
        let key = document.and_then(|document| document.key_for(key_id, purpose).ok());
        Box::pin(async { Ok(key) })
    }

    /// Who is accredited to publish.
    fn may_publish<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool> {
        let may = self.is_accredited(agency, &[Action::Publish]);
        Box::pin(async move { Ok(may) })
    }

    /// Who is accredited for anything at all. What it may read, the source decides for each application.
    fn may_consume<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool> {
        let may = self.is_accredited(agency, &[Action::Issue, Action::Publish, Action::Verify]);
        Box::pin(async move { Ok(may) })
    }

    fn is_subjects_key<'a>(
        &'a self,
        source: &'a Did,
        subject: &'a OpenCommitment,
        key: &'a PublicKey,
    ) -> Answer<'a, bool> {
        Box::pin(async move {
            let known = self.persons.subject_of(source, key).await;
            let known = known.map_err(|error| DirectoryError(error.into()))?;
            Ok(known.is_some_and(|known| subject.is_subject(&known)))
        })
    }
}

impl Directory {
    fn is_accredited(&self, agency: &Did, actions: &[Action]) -> bool {
        let (state, now) = (self.registry.state(), self.clock.now());
        let is_active = self.registry.document(agency.as_str()).is_some();
        is_active && actions.iter().any(|&action| counts(&state, agency, action, now))
    }
}

/// Whether the agency has an accreditation for the action that counts now, with all above it.
fn counts(state: &State, agency: &Did, action: Action, now: Timestamp) -> bool {
    let records = state.accreditations_of(agency.as_str(), action);
    let mut resources = records.flat_map(|record| &record.grant().resources);
    resources.any(|resource| {
        let found = state.accreditation(agency.as_str(), action, &resource.id, now);
        found.is_some_and(|found| found.status == AccreditationStatus::Active)
    })
}

impl Persons {
    /// Over a room of its own.
    pub(crate) const fn new(room: Store) -> Self {
        Self(room)
    }

    /// Notes that `key` is the subject's. `false` if the agency knows it as somebody else's already.
    pub(crate) async fn enrol(
        &self,
        agency: &Did,
        subject: &str,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<bool, RecordError> {
        let name = &item(agency, key);
        self.0
            .transact(|tx| async move {
                if let Some(known) = tx.load::<Enrolment>(name).await? {
                    return Ok(known.subject == subject);
                }
                let enrolment = Enrolment {
                    subject: subject.to_owned(),
                    enrolled_at: now,
                };
                save(&tx, name, &enrolment)?;
                Ok(true)
            })
            .await
    }

    async fn subject_of(&self, agency: &Did, key: &PublicKey) -> Result<Option<String>, RecordError> {
        let snapshot = self.0.snapshot().await?;
        let known = snapshot.load::<Enrolment>(&item(agency, key)).await?;
        Ok(known.map(|known| known.subject))
    }
}

fn item(agency: &Did, key: &PublicKey) -> String {
    format!("key/{agency}/{}", key.to_multikey())
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use signer::SoftwareKey;
    use store::StoreUrl;

    use super::*;

    #[tokio::test]
    async fn a_key_is_one_persons_at_one_agency() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreUrl::parse_in("fjall", folder.path()).unwrap())
            .await
            .unwrap();
        let persons = Persons::new(store);
        let (office, other) = (
            Did::parse("did:web:office.example").unwrap(),
            Did::parse("did:web:other.example").unwrap(),
        );
        let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        let (key, now) = (key.public_key(), Timestamp::from_unix(1_795_000_000));
        assert!(persons.enrol(&office, "X1", key, now).await.unwrap());
        assert!(persons.enrol(&office, "X1", key, now).await.unwrap());
        assert!(!persons.enrol(&office, "X2", key, now).await.unwrap());
        assert_eq!(persons.subject_of(&office, key).await.unwrap().as_deref(), Some("X1"));
        assert_eq!(persons.subject_of(&other, key).await.unwrap(), None);
    }
}
