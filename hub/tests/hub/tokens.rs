//! The token endpoint.

use hub::protocol::statement::StatementKind;
use keys::Algorithm;
use openid4vc::oauth::client_assertion;
use serde_json::json;

use crate::world::HUB;
use crate::world::Reply;
use crate::world::World;

fn error(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.headers["cache-control"], "no-store");
    (reply.status, reply.json()["error"].as_str().unwrap().to_owned())
}

async fn granted() -> (World, String) {
    let world = World::new().await;
    world.publish().await;
    let grant = world.grant(&world.bank, &world.application()).await;
    (world, grant)
}

#[tokio::test]
async fn a_client_gets_a_short_lived_bearer_token() {
    let (world, grant) = granted().await;
    let reply = world
        .post_token(&world.assertion(&world.bank), &format!("grant:{grant}"))
        .await;
    let answer = reply.json();
    assert_eq!((reply.status, answer["token_type"].as_str()), (200, Some("Bearer")));
    assert_eq!(answer["expires_in"], 300);
    assert_eq!(answer["scope"], format!("grant:{grant} population.read"));
}

#[tokio::test]
async fn an_assertion_is_good_once() {
    let (world, grant) = granted().await;
    let (assertion, scope) = (world.assertion(&world.bank), format!("grant:{grant}"));
    assert_eq!(world.post_token(&assertion, &scope).await.status, 200);
    assert_eq!(
        error(&world.post_token(&assertion, &scope).await),
        (401, "invalid_client".to_owned())
    );
}

#[tokio::test]
async fn of_two_concurrent_uses_of_one_assertion_exactly_one_succeeds() {
    let (world, grant) = granted().await;
    let scope = format!("grant:{grant}");
    for _ in 0..10 {
        let assertion = world.assertion(&world.bank);
        let (one, other) = tokio::join!(
            world.post_token(&assertion, &scope),
            world.post_token(&assertion, &scope)
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }
}

#[tokio::test]
async fn a_used_assertion_is_remembered_after_a_restart() {
    let (mut world, grant) = granted().await;
    let (assertion, scope) = (world.assertion(&world.bank), format!("grant:{grant}"));
    assert_eq!(world.post_token(&assertion, &scope).await.status, 200);
    world.restart().await;
    assert_eq!(
        error(&world.post_token(&assertion, &scope).await),
        (401, "invalid_client".to_owned())
    );
    assert_eq!(
        world.post_token(&world.assertion(&world.bank), &scope).await.status,
        200
    );
}

#[tokio::test]
async fn other_assertions_are_refused() {
    let (world, grant) = granted().await;
    let scope = format!("grant:{grant}");
    let refused = |reply: &Reply| assert_eq!(error(reply), (401, "invalid_client".to_owned()));
    let kid = world.bank.key_id.to_string();
    let assertion = |client: &str, audience: &str, kid: Option<&str>| {
        let request = client_assertion::sign(
            client,
            audience,
            kid,
            Algorithm::Es256,
            world.now(),
            &mut signer::os_rng(),
        );
        world.bank.key.fulfil(request).unwrap()
    };
    let genuine = assertion(&world.bank.did, HUB, Some(&kid));
    assert_eq!(world.post_token(&genuine, &scope).await.status, 200);
    let elsewhere = assertion(&world.bank.did, "https://other.example", Some(&kid));
    refused(&world.post_token(&elsewhere, &scope).await);
    refused(&world.post_token(&assertion(&world.bank.did, HUB, None), &scope).await);
    // The bank's key under another agency's name, with the bank's and the other's key id.
    refused(
        &world
            .post_token(&assertion(&world.shop.did, HUB, Some(&kid)), &scope)
            .await,
    );
    let others = world.shop.key_id.to_string();
    refused(
        &world
            .post_token(&assertion(&world.shop.did, HUB, Some(&others)), &scope)
            .await,
    );
    let old = assertion(&world.bank.did, HUB, Some(&kid));
    world.clock.advance(61);
    refused(&world.post_token(&old, &scope).await);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let bare = b"grant_type=client_credentials&scope=hub.read";
    refused(&world.send("POST", "/hub/token", &form, bare).await);
    let untyped = world.send("POST", "/hub/token", &[], bare).await;
    assert_eq!(error(&untyped), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn an_agency_that_the_registry_let_go_gets_no_token() {
    let (world, grant) = granted().await;
    let scope = format!("grant:{grant}");
    assert_eq!(
        world.post_token(&world.assertion(&world.bank), &scope).await.status,
        200
    );
    world.directory.consumers.lock().unwrap().remove(&world.bank.did);
    let reply = world.post_token(&world.assertion(&world.bank), &scope).await;
    assert_eq!(error(&reply), (401, "invalid_client".to_owned()));
}

#[tokio::test]
async fn what_was_not_granted_is_not_given() {
    let (world, grant) = granted().await;
    let ask = async |by, scope: String| error(&world.post_token(&world.assertion(by), &scope).await);
    let invalid_scope = (400, "invalid_scope".to_owned());
    assert_eq!(ask(&world.shop, format!("grant:{grant}")).await, invalid_scope);
    assert_eq!(ask(&world.bank, format!("grant:{grant} admin")).await, invalid_scope);
    assert_eq!(
        ask(&world.bank, "grant:AAAAAAAAAAAAAAAAAAAAAA".to_owned()).await,
        invalid_scope
    );
    assert_eq!(
        ask(&world.bank, format!("grant:{grant} consent:AAAAAAAAAAAAAAAAAAAAAA")).await,
        invalid_scope
    );
    let applied = world.apply(&world.bank, &world.application()).await;
    assert_eq!(
        ask(&world.bank, format!("grant:{applied}")).await,
        (400, "unauthorized_client".to_owned())
    );
    let content = json!({"grant": grant, "reason": "The project ended"});
    let statement = world.statement(&world.bank, StatementKind::Revocation, &content);
    world
        .post_statement(&format!("/hub/grants/{grant}/revocation"), &statement)
        .await;
    assert_eq!(
        ask(&world.bank, format!("grant:{grant}")).await,
        (400, "unauthorized_client".to_owned())
    );
}

#[tokio::test]
async fn the_metadata_name_endpoint_and_key() {
    let world = World::new().await;
    let metadata = world
        .send("GET", "/.well-known/oauth-authorization-server/hub", &[], b"")
        .await
        .json();
    assert_eq!(metadata["issuer"], HUB);
    assert_eq!(metadata["token_endpoint"], format!("{HUB}/token"));
    let keys = world.send("GET", "/hub/jwks", &[], b"").await.json();
    assert_eq!(keys["keys"][0]["crv"], "Ed25519");
    assert!(keys["keys"][0].get("d").is_none());
}
