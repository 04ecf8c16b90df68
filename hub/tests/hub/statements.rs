//! Publishing, applying, deciding: who may, and once.

use did::Purpose;
use hub::protocol::statement::StatementKind;
use serde_json::Value;
use serde_json::json;

use crate::world::Party;
use crate::world::World;

async fn publish(world: &World, by: &Party, change: impl FnOnce(&mut Value)) -> (u16, String) {
    let mut publication = world.publication();
    change(&mut publication);
    let statement = world.statement(by, StatementKind::Publication, &publication);
    let reply = world.post_statement("/hub/catalogue", &statement).await;
    (
        reply.status,
        if reply.status < 300 {
            String::new()
        } else {
            reply.problem()
        },
    )
}

#[tokio::test]
async fn what_is_published_stands_in_the_catalogue() {
    let world = World::new().await;
    world.publish().await;
    let catalogue = world.send("GET", "/hub/catalogue", &[], b"").await.json();
    let api = &catalogue["apis"][0];
    assert_eq!(api["title"], "Population register");
    assert_eq!(api["url"], "https://attestry.example/hub/api/population/v1");
    assert!(
        !catalogue.to_string().contains(&world.upstream),
        "where a source runs is not public"
    );
    assert_eq!(
        world.send("GET", "/hub/catalogue/population/v1", &[], b"").await.json(),
        *api
    );
    let openapi = world
        .send("GET", "/hub/catalogue/population/v1/openapi.json", &[], b"")
        .await
        .json();
    assert_eq!(
        openapi["servers"],
        json!([{"url": "https://attestry.example/hub/api/population/v1"}])
    );
    assert_eq!(
        world.send("GET", "/hub/catalogue/population/v2", &[], b"").await.status,
        404
    );
}

#[tokio::test]
async fn what_is_published_never_changes_and_has_one_owner() {
    let world = World::new().await;
    world.publish().await;
    let taken = (409, "version-taken".to_owned());
    assert_eq!(
        publish(&world, &world.population, |it| it["upstream"] =
            json!("https://other.example"))
        .await,
        taken
    );
    world.directory.sources.lock().unwrap().insert(world.bank.did.clone());
    let theirs = (403, "not-yours".to_owned());
    assert_eq!(
        publish(&world, &world.bank, |it| it["version"] = json!("v2")).await,
        theirs
    );
    assert_eq!(
        publish(&world, &world.population, |it| it["version"] = json!("v2"))
            .await
            .0,
        201
    );
}

#[tokio::test]
async fn only_admitted_sources_publish() {
    let world = World::new().await;
    assert_eq!(
        publish(&world, &world.bank, |_| {}).await,
        (403, "not-admitted".to_owned())
    );
    assert_eq!(
        publish(&world, &Party::person(), |_| {}).await,
        (403, "unknown-key".to_owned())
    );
    assert_eq!(publish(&world, &world.population, |_| {}).await.0, 201);
}

#[tokio::test]
async fn a_bad_document_is_not_published() {
    let world = World::new().await;
    let terms = (422, "terms".to_owned());
    assert_eq!(
        publish(&world, &world.population, |it| it["openapi"]["openapi"] =
            json!("3.0.0"))
        .await,
        terms
    );
    assert_eq!(
        publish(&world, &world.population, |it| it["subject"] = Value::Null).await,
        terms
    );
    let statement = (400, "statement".to_owned());
    assert_eq!(
        publish(&world, &world.population, |it| it["admin"] = json!(true)).await,
        statement
    );
    assert_eq!(
        publish(&world, &world.population, |it| it["upstream"] =
            json!("http://10.0.0.1"))
        .await,
        statement
    );
    let large = "x".repeat(600 * 1024);
    assert_eq!(
        publish(&world, &world.population, |it| it["openapi"]["info"]["x"] =
            json!(large))
        .await,
        terms
    );
    let larger = "x".repeat(700 * 1024);
    let too_large = (413, "too-large".to_owned());
    assert_eq!(
        publish(&world, &world.population, |it| it["openapi"]["info"]["x"] =
            json!(larger))
        .await,
        too_large
    );
    assert_eq!(
        world.send("GET", "/hub/catalogue", &[], b"").await.json()["apis"],
        json!([])
    );
}

#[tokio::test]
async fn a_statement_is_taken_once_also_by_two_at_a_time() {
    let world = World::new().await;
    world.publish().await;
    for _ in 0..5 {
        let statement = world.statement(&world.bank, StatementKind::Application, &world.application());
        let post = || world.post_statement("/hub/applications", &statement);
        let (one, other) = tokio::join!(post(), post());
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        assert_eq!(post().await.problem(), "changed");
    }
}

#[tokio::test]
async fn of_two_decisions_at_a_time_exactly_one_holds() {
    let world = World::new().await;
    world.publish().await;
    for _ in 0..5 {
        let grant = world.apply(&world.bank, &world.application()).await;
        let refusal = json!({"refuse": {"reason": "No legal basis"}});
        let approval = world.approval();
        let (one, other) = tokio::join!(
            world.decide(&grant, &world.population, &approval),
            world.decide(&grant, &world.population, &refusal)
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn only_the_deciding_agency_decides() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.apply(&world.bank, &world.application()).await;
    for other in [&world.bank, &world.shop] {
        let reply = world.decide(&grant, other, &world.approval()).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "not-yours"));
    }
    assert_eq!(
        world.decide(&grant, &world.population, &world.approval()).await.status,
        200
    );
    let again = world.decide(&grant, &world.population, &world.approval()).await;
    assert_eq!((again.status, again.problem().as_str()), (409, "grant-state"));
}

#[tokio::test]
async fn a_decision_about_one_grant_is_not_taken_for_another() {
    let world = World::new().await;
    world.publish().await;
    let one = world.apply(&world.bank, &world.application()).await;
    let other = world.apply(&world.shop, &world.application()).await;
    let content = json!({"grant": one, "verdict": world.approval()});
    let statement = world.statement(&world.population, StatementKind::Decision, &content);
    let reply = world
        .post_statement(&format!("/hub/applications/{other}/decision"), &statement)
        .await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not-found"));
}

#[tokio::test]
async fn a_statement_of_another_form_time_or_hub_is_refused() {
    let world = World::new().await;
    world.publish().await;
    let application = world.application();
    let late = world.statement_until(&world.bank, StatementKind::Application, &application, world.now());
    let wrong_kind = world.statement(&world.bank, StatementKind::Revocation, &application);
    let genuine = world.statement(&world.bank, StatementKind::Application, &application);
    let tampered = genuine.replacen('.', ".e", 1);
    for statement in [late.as_str(), &wrong_kind, &tampered, "nonsense", ""] {
        let reply = world.post_statement("/hub/applications", statement).await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "statement"),
            "{statement}"
        );
    }
    let reply = world.send("POST", "/hub/applications", &[], genuine.as_bytes()).await;
    assert_eq!((reply.status, reply.problem().as_str()), (415, "media-type"));
    assert_eq!(world.post_statement("/hub/applications", &genuine).await.status, 201);
}

#[tokio::test]
async fn a_key_is_used_for_what_its_document_names_it_for() {
    let world = World::new().await;
    world.publish().await;
    let id = world.bank.key_id.to_string();
    let take = |purpose| {
        world
            .directory
            .keys
            .lock()
            .unwrap()
            .remove(&(id.clone(), purpose))
            .unwrap()
    };
    let key = take(Purpose::AssertionMethod);
    let statement = world.statement(&world.bank, StatementKind::Application, &world.application());
    assert_eq!(
        world.post_statement("/hub/applications", &statement).await.problem(),
        "unknown-key"
    );
    assert_eq!(
        world.post_token(&world.assertion(&world.bank), "hub.read").await.status,
        200
    );
    take(Purpose::Authentication);
    world
        .directory
        .keys
        .lock()
        .unwrap()
        .insert((id.clone(), Purpose::AssertionMethod), key);
    assert_eq!(world.post_statement("/hub/applications", &statement).await.status, 201);
    assert_eq!(
        world.post_token(&world.assertion(&world.bank), "hub.read").await.status,
        401
    );
}
