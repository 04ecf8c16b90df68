//! Who reads what.

use crate::world::ADMIN;
use crate::world::World;
use crate::world::ready;

#[tokio::test]
async fn parties_see_their_grants_and_others_do_not() {
    let world = World::new().await;
    world.publish().await;
    let grant = world.apply(&world.bank, &world.application()).await;
    for (reader, sees) in [(&world.bank, 1), (&world.population, 1), (&world.shop, 0)] {
        for list in ["/hub/grants", "/hub/applications"] {
            let shown = world.read(reader, list).await.json();
            assert_eq!(shown["grants"].as_array().unwrap().len(), sees, "{} {list}", reader.did);
        }
        let shown = world.read(reader, &format!("/hub/grants/{grant}")).await;
        assert_eq!(shown.status, if sees == 1 { 200 } else { 404 }, "{}", reader.did);
    }
    world.decide(&grant, &world.population, &world.approval()).await;
    let open = world.read(&world.population, "/hub/applications").await.json();
    assert_eq!(open["grants"].as_array().unwrap().len(), 0);
    let all = world.read_with(ADMIN, "/hub/grants").await.json();
    assert_eq!(all["grants"][0]["standing"], "approved");
    world.clock.advance(86_400);
    let all = world.read_with(ADMIN, "/hub/grants").await.json();
    assert_eq!(all["grants"][0]["standing"], "expired");
}

#[tokio::test]
async fn nobody_else_reads() {
    let (world, call_token) = ready().await;
    for path in [
        "/hub/grants",
        "/hub/applications",
        "/hub/evidence",
        "/hub/grants/x",
        "/hub/evidence/x",
        "/hub/consents/x",
    ] {
        assert_eq!(world.send("GET", path, &[], b"").await.status, 401, "{path}");
        assert_eq!(world.read_with("nonsense", path).await.status, 401, "{path}");
        assert_eq!(world.read_with(&call_token, path).await.status, 401, "{path}");
    }
    let authorization = format!("Bearer {ADMIN}");
    let from_a_page = [
        ("authorization", authorization.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(world.send("GET", "/hub/grants", &from_a_page, b"").await.status, 401);
    assert_eq!(
        world.send("GET", "/hub/grants", &from_a_page[..1], b"").await.status,
        200
    );
}

#[tokio::test]
async fn long_lists_come_in_pages() {
    let world = World::new().await;
    world.publish().await;
    let application = world.application();
    for _ in 0..205 {
        world.apply(&world.bank, &application).await;
    }
    let token = world.token(&world.bank, "hub.read").await;
    for reader in [token.as_str(), ADMIN] {
        let first = world.read_with(reader, "/hub/grants").await.json();
        assert_eq!(first["grants"].as_array().unwrap().len(), 200);
        let next = first["next"].as_str().unwrap();
        let second = world
            .read_with(reader, &format!("/hub/grants?after={next}"))
            .await
            .json();
        assert_eq!(second["grants"].as_array().unwrap().len(), 5);
        assert!(second["next"].is_null());
    }
}
