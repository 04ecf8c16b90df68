//! Handing in a person's consent, and taking it back.

use hub::protocol::field::FieldSet;
use hub::protocol::statement::StatementKind;
use serde_json::json;

use crate::world::Party;
use crate::world::World;

async fn published() -> World {
    let world = World::new().await;
    world.publish().await;
    world
}

#[tokio::test]
async fn a_consent_is_kept_without_the_subject_in_clear() {
    let world = published().await;
    let reply = world.register(&world.consent_terms(), &world.bank, &world.maya).await;
    assert_eq!(reply.status, 201);
    let consent = reply.json();
    assert_eq!(consent["proof"]["holder"], world.maya.did.as_str());
    assert!(!consent.to_string().contains(crate::world::SUBJECT));
    let shown = world
        .read(
            &world.population,
            &format!("/hub/consents/{}", consent["id"].as_str().unwrap()),
        )
        .await;
    assert_eq!(shown.json(), consent);
}

#[tokio::test]
async fn only_a_key_that_the_source_knows_consents() {
    let world = published().await;
    let stranger = Party::person();
    let reply = world.register(&world.consent_terms(), &world.bank, &stranger).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "consent-key"));
    // An agency's key is no person's, even if it is in the directory.
    let reply = world.register(&world.consent_terms(), &world.bank, &world.bank).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "consent-key"));
    assert_eq!(
        world
            .register(&world.consent_terms(), &world.bank, &world.maya)
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn only_who_was_consented_to_hands_it_in() {
    let world = published().await;
    let reply = world.register(&world.consent_terms(), &world.shop, &world.maya).await;
    assert_eq!((reply.status, reply.problem().as_str()), (422, "terms"));
}

#[tokio::test]
async fn a_consent_is_handed_in_once() {
    let world = published().await;
    let end = world.now().plus(3_600);
    let terms = json!(world.consent_terms());
    let consent = world.statement_until(&world.maya, StatementKind::Consent, &terms, end);
    assert_eq!(world.register_text(&consent, &world.bank).await.status, 201);
    let again = world.register_text(&consent, &world.bank).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "changed"));
}

#[tokio::test]
async fn other_terms_are_refused() {
    let world = published().await;
    let mut terms = world.consent_terms();
    terms.fields = FieldSet::parse_list("secret").unwrap();
    assert_eq!(
        world.register(&terms, &world.bank, &world.maya).await.problem(),
        "terms"
    );
    let mut terms = world.consent_terms();
    terms.source = world.shop.did();
    assert_eq!(
        world.register(&terms, &world.bank, &world.maya).await.problem(),
        "terms"
    );
    let mut terms = world.consent_terms();
    terms.api = hub::protocol::id::ApiId::parse("other").unwrap();
    assert_eq!(
        world.register(&terms, &world.bank, &world.maya).await.problem(),
        "not-found"
    );
    let terms = json!(world.consent_terms());
    let too_long = world.now().plus(400 * 24 * 3_600);
    let consent = world.statement_until(&world.maya, StatementKind::Consent, &terms, too_long);
    assert_eq!(world.register_text(&consent, &world.bank).await.problem(), "statement");
}

#[tokio::test]
async fn only_the_person_takes_it_back() {
    let world = published().await;
    let consent = world.consent(&world.consent_terms()).await;
    let path = format!("/hub/consents/{consent}/withdrawal");
    let withdrawal = |by| world.statement(by, StatementKind::ConsentWithdrawal, &json!({"consent": consent}));
    let stranger = Party::person();
    let reply = world.post_statement(&path, &withdrawal(&stranger)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "not-yours"));
    let reply = world.post_statement(&path, &withdrawal(&world.maya)).await;
    assert_eq!(
        (reply.status, reply.json()["state"]["state"].as_str()),
        (200, Some("withdrawn"))
    );
    let again = world.post_statement(&path, &withdrawal(&world.maya)).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "consent-state"));
}
