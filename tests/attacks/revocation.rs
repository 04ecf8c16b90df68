//! Revocations at once, and what an agency leaves behind that may not issue.

use std::path::Path;

use e2e::LogView;
use e2e::Place;
use e2e::Wallet;
use e2e::credential_request;
use e2e::older;
use e2e::status_of;
use serde_json::Value;
use serde_json::json;

#[test]
fn revocations_at_once_are_all_committed() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let subjects = [
        "X0000001A",
        "X0000002C",
        "X0000008D",
        "X0000013H",
        "X0000014K",
        "X0000015A",
        "X0000016C",
        "X0000018G",
    ];
    let issued: Vec<(String, String, u64)> = subjects
        .iter()
        .map(|subject| platform.offer("population", "PersonIdentity", subject))
        .map(|offer| status_of(&Wallet::new().accept(client, &offer)))
        .collect();
    let spared = Wallet::new().accept(client, &platform.offer("population", "PersonIdentity", "X0000019J"));
    let revoke = |subject: &str| {
        let id = client.credentials("population", Some(subject))[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        client.admin_post(
            &format!("/issuers/population/admin/credentials/{id}/revoke"),
            &json!({}),
        )
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = subjects
            .iter()
            .map(|subject| scope.spawn(move || revoke(subject)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for answer in answers {
        assert_eq!(answer.expect(200)["committed"], true, "{}", answer.text());
    }
    let bundle = LogView::pin(client).bundle(client);
    let status =
        |(issuer, uri, index): &(String, String, u64)| bundle.status_list(issuer, uri).unwrap().bits.get(*index);
    assert!(issued.iter().all(|one| status(one) == Some(1)));
    assert_eq!(status(&status_of(&spared)), Some(0));
    // What is done twice is done.
    assert_eq!(revoke(subjects[0]).expect(200)["committed"], true);
    assert_eq!(
        client
            .admin_post("/issuers/population/admin/credentials/0/revoke", &json!({}))
            .status,
        404
    );
    // Another agency has no such credential.
    let id = client.credentials("population", None)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let foreign = client.admin_post(&format!("/issuers/transport/admin/credentials/{id}/revoke"), &json!({}));
    assert_eq!(foreign.problem(), (404, "not-found".to_owned()));
    platform.stop();
}

/// Whoever races a revocation with a reinstatement does not win.
#[test]
fn changes_at_once_end_revoked() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", "X0000001A");
    let (issuer, uri, index) = status_of(&Wallet::new().accept(client, &offer));
    let id = client.credentials("population", None)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let change = |change: &str| {
        let path = format!("/issuers/population/admin/credentials/{id}/{change}");
        client.admin_post(&path, &json!({}))
    };
    let changes = [
        "suspend",
        "reinstate",
        "revoke",
        "reinstate",
        "suspend",
        "reinstate",
        "revoke",
        "suspend",
    ];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = changes.iter().map(|one| scope.spawn(move || change(one))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (change, answer) in changes.iter().zip(answers) {
        match answer.status {
            200 => {}
            409 => assert_eq!(answer.problem().1, "revoked"),
            other => panic!("{change}: {other} {}", answer.text()),
        }
    }
    assert_eq!(client.credentials("population", None)[0]["status"], "revoked");
    assert_eq!(change("revoke").expect(200)["committed"], true);
    assert_eq!(change("reinstate").problem(), (409, "revoked".to_owned()));
    let bundle = LogView::pin(client).bundle(client);
    assert_eq!(bundle.status_list(&issuer, &uri).unwrap().bits.get(index), Some(1));
    platform.stop();
}

/// Nothing that an agency without accreditation tries is issued, and it holds up nobody who has one.
#[test]
fn an_agency_that_is_not_accredited_disturbs_nobody() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    // Its name comes first, so that it has the first turn of everything.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/library");
    let arguments = [
        "agency",
        "add",
        "--id",
        "aaa",
        "--name",
        "a",
        "--folder",
        folder.to_str().unwrap(),
    ];
    let added = platform.run(&place, &arguments).expect(0).clone();
    let offer = platform.offer("aaa", "LibraryCard", "R-17");
    let token = offer.token(platform.client());
    let wallet = Wallet::new();
    let ask = |client: &e2e::Client| {
        let proof = wallet.proof(offer.issuer(), Some(&Wallet::nonce(client, "aaa").unwrap()));
        client.send(&credential_request(&offer, &token, vec![proof]))
    };
    for _ in 0..3 {
        assert_ne!(ask(platform.client()).status, 200);
    }
    assert_eq!(platform.client().credentials("aaa", None).len(), 0);
    let address = platform.client().address().to_string();
    platform.stop();

    // A status list of another agency is due while the stranger's is refused.
    let lists = place.change_records("issuer/", "list/aaa/", |_| true);
    assert_eq!(lists, 1, "one list waits, however often it was asked for");
    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    let person = platform.offer("population", "PersonIdentity", "X0000001A");
    let status = status_of(&Wallet::new().accept(client, &person));
    let id = client.credentials("population", None)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let revoke = format!("/issuers/population/admin/credentials/{id}/revoke");
    assert_eq!(client.admin_post(&revoke, &json!({})).expect(200)["committed"], true);
    platform.stop();
    // The commitment grows old; at the next start it is renewed.
    let aged = |list: &mut Value| older(list, "/committed/at", 7 * 3_600);
    assert_eq!(place.change_records("issuer/", "list/population/", aged), 1);
    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    let bundle = LogView::pin(client).bundle(client);
    let list = bundle.status_list(&status.0, &status.1).unwrap();
    assert_eq!(list.bits.get(status.2), Some(1));
    assert!(list.list.epoch > 2, "{}", list.list.epoch);

    // Once it is accredited it issues.
    for proposal in added["proposals"].as_array().unwrap() {
        place.approve(&platform, proposal.as_str().unwrap());
    }
    assert_eq!(ask(client).status, 200);
    platform.stop();
}
