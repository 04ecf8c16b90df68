//! Calls that are answered: what the consumer gets, and what the source learns.

use keys::Signer as _;
use keys::jws::UnverifiedJws;
use serde_json::json;

use crate::world::SUBJECT;
use crate::world::World;
use crate::world::ready;

#[tokio::test]
async fn a_consented_call_gives_the_fields_that_were_asked_for_and_no_others() {
    let (world, token) = ready().await;
    let reply = world
        .call("GET", "/persons/X0000001A?fields=given_name", &token, &[])
        .await;
    assert_eq!((reply.status, reply.json()), (200, json!({"given_name": "Maya"})));
    assert_eq!(reply.headers["cache-control"], "no-store");
    assert_eq!(world.source.last().target, "/v1/persons/X0000001A?fields=given_name");
}

#[tokio::test]
async fn the_source_gets_a_signed_context_and_never_the_token() {
    let (world, token) = ready().await;
    let headers = [
        ("request-id", "r1"),
        ("cookie", "c=1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("hub-context", "forged"),
    ];
    world
        .call("GET", "/persons/X0000001A?fields=given_name", &token, &headers)
        .await;
    let received = world.source.last();
    assert_eq!(received.method, "GET");
    assert!(!received.headers.contains_key("authorization"));
    assert!(!received.headers.contains_key("cookie"));
    assert!(!received.headers.contains_key("x-forwarded-for"));
    assert_eq!(received.headers["request-id"], "r1");
    let context = UnverifiedJws::parse(&received.headers["hub-context"], 8_192).unwrap();
    let claims = context.verify(world.token_key.public_key()).unwrap().claims().unwrap();
    assert_eq!(claims["aud"], world.population.did.as_str());
    assert_eq!(claims["consumer"], world.bank.did.as_str());
    assert_eq!(claims["fields"], json!(["given_name"]));
    assert_eq!(claims["target"], "/persons/X0000001A?fields=given_name");
    assert_eq!(claims["consent"], received.headers["consent-id"].as_str());
}

#[tokio::test]
async fn a_token_without_consent_is_used_with_the_consent_of_each_call() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    let token = world.token(&world.bank, &format!("grant:{grant}")).await;
    let target = "/persons/X0000001A?fields=given_name";
    assert_eq!(
        world.call("GET", target, &token, &[]).await.problem(),
        "consent-missing"
    );
    let consent = world.consent(&world.consent_terms()).await;
    let reply = world.call("GET", target, &token, &[("consent-id", &consent)]).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn an_api_that_needs_no_consent_is_called_without() {
    let world = World::new().await;
    let mut publication = world.publication();
    publication["consent"] = json!("by-legal-basis");
    let kind = hub::protocol::statement::StatementKind::Publication;
    let statement = world.statement(&world.population, kind, &publication);
    assert_eq!(world.post_statement("/hub/catalogue", &statement).await.status, 201);
    let mut application = world.application();
    application["legal_basis"] = json!({"basis": "legal-obligation", "reference": "Banking Act, section 4"});
    let grant = world.grant(&world.bank, &application).await;
    let token = world.token(&world.bank, &format!("grant:{grant}")).await;
    let reply = world
        .call("GET", &format!("/persons/{SUBJECT}?fields=family_name"), &token, &[])
        .await;
    assert_eq!(reply.json(), json!({"family_name": "Temasuka-Lakshmore"}));
}

#[tokio::test]
async fn a_call_that_changes_something_is_forwarded_with_its_body() {
    let (world, token) = ready().await;
    let headers = [("content-type", "application/json")];
    let target = format!("/persons/{SUBJECT}/notes");
    let reply = world
        .call_with_body("POST", &target, &token, &headers, b"{\"note\":1}")
        .await;
    // The path names no fields, so the answer has what grant and consent both cover.
    assert_eq!((reply.status, reply.json()), (200, json!({"given_name": "Maya"})));
    let received = world.source.last();
    assert_eq!(
        (received.method.as_str(), received.body.as_slice()),
        ("POST", b"{\"note\":1}".as_slice())
    );
    assert_eq!(received.headers["content-type"], "application/json");
}
