//! A consumer hands in a person's consent; the person takes it back.

use did::Did;

use crate::Hub;
use crate::error::FlowError;
use crate::protocol::consent::Consent;
use crate::protocol::consent::ConsentRegistration;
use crate::protocol::consent::ConsentTerms;
use crate::protocol::consent::ConsentWithdrawal;
use crate::protocol::consent::holder_key;
use crate::protocol::field::FieldSet;
use crate::protocol::id::ConsentId;
use crate::protocol::record::StatementEvent;
use crate::protocol::statement::StatementDigest;
use crate::protocol::statement::StatementKind;
use crate::protocol::statement::UnverifiedStatement;
use crate::store::Change;

/// Takes the registration of a consent.
pub(crate) async fn register(hub: &Hub, text: &str) -> Result<Consent, FlowError> {
    let now = hub.clock.now();
    let kind = StatementKind::ConsentRegistration;
    let registration = hub.agency_statement::<ConsentRegistration>(text, kind, now).await?;
    hub.expect_consumer(&registration.issuer).await?;
    let unverified = UnverifiedStatement::parse(&registration.content.consent, StatementKind::Consent)?;
    let key = holder_key(unverified.key_id())?;
    let statement = unverified.verify::<ConsentTerms>(&key, hub.issuer(), now)?;
    let publications = hub.store.publications_of(&statement.content.api).await?;
    let no_api = || FlowError::NotFound { what: "an API" };
    let source = publications.first().map(|one| one.source.clone()).ok_or_else(no_api)?;
    let offered = publications.iter().flat_map(|one| one.fields.iter().cloned());
    let offered = FieldSet::new(offered).map_err(|_| no_api())?;
    let subject = &statement.content.subject;
    let is_subjects_key = hub.directory.is_subjects_key(&source, subject, &key).await?;

    let mut change = Change::by(&registration);
    change.keep_once(&statement);
    let rng = &mut signer::os_rng();
    let consent = Consent::register(statement, &registration.issuer, &source, &offered, is_subjects_key, rng)?;

    change.insert_consent(&consent)?;
    let agency = Some(registration.issuer);
    hub.save(event(kind, &consent, agency, registration.digest), change, now)
        .await?;
    Ok(consent)
}

/// Takes a person's withdrawal of the consent `id`.
pub(crate) async fn withdraw(hub: &Hub, id: &ConsentId, text: &str) -> Result<Consent, FlowError> {
    let now = hub.clock.now();
    let kind = StatementKind::ConsentWithdrawal;
    let unverified = UnverifiedStatement::parse(text, kind)?;
    let key = holder_key(unverified.key_id())?;
    let statement = unverified.verify::<ConsentWithdrawal>(&key, hub.issuer(), now)?;
    let unknown = || FlowError::NotFound { what: "a consent" };
    if statement.content.consent != *id {
        return Err(unknown());
    }
    let stored = hub.store.consent(id).await?.ok_or_else(unknown)?;

    let mut change = Change::by(&statement);
    let digest = statement.digest.clone();
    let consent = stored.value.clone().withdraw(statement, now)?;

    change.replace_consent(stored, &consent)?;
    hub.save(event(kind, &consent, None, digest), change, now).await?;
    Ok(consent)
}

fn event(kind: StatementKind, consent: &Consent, agency: Option<Did>, statement: StatementDigest) -> StatementEvent {
    StatementEvent {
        kind,
        statement,
        agency,
        consumer: Some(consent.terms.consumer.clone()),
        source: Some(consent.terms.source.clone()),
        api: consent.terms.api.clone(),
        version: None,
        grant: None,
        consent: Some(consent.id.clone()),
    }
}
