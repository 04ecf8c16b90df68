//! A consumer applies for access; the deciding agency approves or refuses; a party ends a grant.

use did::Did;

use crate::Hub;
use crate::error::FlowError;
use crate::protocol::grant::Application;
use crate::protocol::grant::Decision;
use crate::protocol::grant::Grant;
use crate::protocol::grant::Revocation;
use crate::protocol::id::GrantId;
use crate::protocol::record::StatementEvent;
use crate::protocol::statement::StatementDigest;
use crate::protocol::statement::StatementKind;
use crate::store::Change;
use crate::store::Stored;

/// Takes an application statement.
pub(crate) async fn apply(hub: &Hub, text: &str) -> Result<Grant, FlowError> {
    let now = hub.clock.now();
    let statement = hub
        .agency_statement::<Application>(text, StatementKind::Application, now)
        .await?;
    hub.expect_consumer(&statement.issuer).await?;
    let (api, version) = (&statement.content.api, &statement.content.version);
    let publication = hub.store.publication(api, version).await?;
    let publication = publication.ok_or(FlowError::NotFound { what: "an API" })?;

    let mut change = Change::by(&statement);
    let (agency, digest) = (statement.issuer.clone(), statement.digest.clone());
    let grant = Grant::apply(statement, &publication, now, &mut signer::os_rng())?;

    change.insert_grant(&grant)?;
    hub.save(event(StatementKind::Application, &grant, agency, digest), change, now)
        .await?;
    Ok(grant)
}

/// Takes a decision statement about the application `id`.
pub(crate) async fn decide(hub: &Hub, id: &GrantId, text: &str) -> Result<Grant, FlowError> {
    let now = hub.clock.now();
    let statement = hub
        .agency_statement::<Decision>(text, StatementKind::Decision, now)
        .await?;
    let stored = load(hub, id, &statement.content.grant).await?;

    let mut change = Change::by(&statement);
    let (agency, digest) = (statement.issuer.clone(), statement.digest.clone());
    let grant = stored.value.clone().decide(statement, now)?;

    change.replace_grant(stored, &grant)?;
    hub.save(event(StatementKind::Decision, &grant, agency, digest), change, now)
        .await?;
    Ok(grant)
}

/// Takes a revocation statement about the grant `id`.
pub(crate) async fn revoke(hub: &Hub, id: &GrantId, text: &str) -> Result<Grant, FlowError> {
    let now = hub.clock.now();
    let statement = hub
        .agency_statement::<Revocation>(text, StatementKind::Revocation, now)
        .await?;
    let stored = load(hub, id, &statement.content.grant).await?;

    let mut change = Change::by(&statement);
    let (agency, digest) = (statement.issuer.clone(), statement.digest.clone());
    let grant = stored.value.clone().revoke(statement, now)?;

    change.replace_grant(stored, &grant)?;
    hub.save(event(StatementKind::Revocation, &grant, agency, digest), change, now)
        .await?;
    Ok(grant)
}

/// The grant that both the URL and the signed statement name.
async fn load(hub: &Hub, in_url: &GrantId, in_statement: &GrantId) -> Result<Stored<Grant>, FlowError> {
    let unknown = FlowError::NotFound { what: "a grant" };
    if in_url != in_statement {
        return Err(unknown);
    }
    hub.store.grant(in_url).await?.ok_or(unknown)
}

fn event(kind: StatementKind, grant: &Grant, agency: Did, statement: StatementDigest) -> StatementEvent {
    StatementEvent {
        kind,
        statement,
        agency: Some(agency),
        consumer: Some(grant.consumer.clone()),
        source: Some(grant.source.clone()),
        api: grant.application.api.clone(),
        version: Some(grant.application.version.clone()),
        grant: Some(grant.id.clone()),
        consent: None,
    }
}
