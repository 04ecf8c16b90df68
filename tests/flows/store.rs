//! The platform on a PostgreSQL database: issue, revoke, restart, kill.

use e2e::Database;
use e2e::LogView;
use e2e::Place;
use e2e::Wallet;
use e2e::status_of;
use serde_json::json;

#[test]
fn a_platform_lives_in_postgresql() {
    let Some(database) = Database::create("platform") else {
        return;
    };
    let place = Place::new();
    let store = ["--store", database.url()];
    let platform = place.up(&[&["--sample"][..], &store].concat());
    let client = platform.client();
    let mut log = LogView::pin(client);
    log.follow(client);
    let subjects = ["X0000001A", "X0000002C", "X0000014K"];
    let offers = subjects.map(|subject| platform.offer("population", "PersonIdentity", subject));
    let [first, second, _] = offers
        .each_ref()
        .map(|offer| status_of(&Wallet::new().accept(client, offer)));
    let issued = client.credentials("population", Some("X0000001A"));
    let revoke = format!(
        "/issuers/population/admin/credentials/{}/revoke",
        issued[0]["id"].as_str().unwrap()
    );
    assert_eq!(client.admin_post(&revoke, &json!({})).expect(200)["committed"], true);
    let listed = client.credentials("population", None);
    platform.stop();

    // Nothing of the store is in the folder.
    assert!(!place.path("data/store").exists());
    let platform = place.up(&store);
    log.follow(platform.client());
    assert_eq!(platform.client().credentials("population", None), listed);
    let bundle = log.bundle(platform.client());
    let status =
        |(issuer, uri, index): &(String, String, u64)| bundle.status_list(issuer, uri).unwrap().bits.get(*index);
    assert_eq!((status(&first), status(&second)), (Some(1), Some(0)));
    let offer = platform.offer("population", "PersonIdentity", "X0000015A");
    let _ = Wallet::new().accept(platform.client(), &offer);
    platform.kill();

    let platform = place.up(&store);
    log.follow(platform.client());
    assert_eq!(platform.client().credentials("population", None).len(), 4);
    platform.stop();
}
