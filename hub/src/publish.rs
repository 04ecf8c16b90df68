//! A source publishes a version of an API.

use crate::Hub;
use crate::error::FlowError;
use crate::protocol::publication::Publication;
use crate::protocol::publication::PublicationTerms;
use crate::protocol::record::StatementEvent;
use crate::protocol::statement::StatementKind;
use crate::store::Change;

/// Takes a publication statement.
pub(crate) async fn publish(hub: &Hub, text: &str) -> Result<Publication, FlowError> {
    let now = hub.clock.now();
    let statement = hub
        .agency_statement::<PublicationTerms>(text, StatementKind::Publication, now)
        .await?;
    hub.expect_source(&statement.issuer).await?;
    let terms = &statement.content;
    let owner = hub.store.owner(&terms.api).await?;
    let taken = hub.store.publication(&terms.api, &terms.version).await?.is_some();

    let mut change = Change::by(&statement);
    let source = owner.as_ref().map(|owner| &owner.value);
    let (publication, openapi) = PublicationTerms::publish(statement, source, taken, now)?;

    change.publish(&publication, &openapi, owner)?;
    let event = StatementEvent {
        kind: StatementKind::Publication,
        statement: publication.statement.clone(),
        agency: Some(publication.source.clone()),
        consumer: None,
        source: Some(publication.source.clone()),
        api: publication.api.clone(),
        version: Some(publication.version.clone()),
        grant: None,
        consent: None,
    };
    hub.save(event, change, now).await?;
    Ok(publication)
}
