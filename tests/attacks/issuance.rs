//! OpenID4VCI with stolen, repeated, guessed and misdirected messages.

use std::fs;
use std::path::Path;
use std::sync::Barrier;

use e2e::Client;
use e2e::Offer;
use e2e::Place;
use e2e::Request;
use e2e::Wallet;
use e2e::credential_request;
use e2e::older;
use openid4vc::SecureUrl;
use serde_json::Value;
use serde_json::json;

const PERSON: &str = "X0000001A";

/// Does the same on several threads at one moment.
fn at_once<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(count);
    std::thread::scope(|scope| {
        let run = |number| {
            let (start, work) = (&start, &work);
            scope.spawn(move || {
                start.wait();
                work(number)
            })
        };
        let threads: Vec<_> = (0..count).map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn error(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

fn number_of(client: &Client, agency: &str) -> usize {
    client.credentials(agency, None).len()
}

#[test]
fn a_code_is_redeemed_once_by_sixteen_at_once() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    for _ in 0..5 {
        let offer = platform.offer("population", "PersonIdentity", PERSON);
        let answers = at_once(16, |_| offer.redeem(client, None).unwrap());
        let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(good.len(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.oauth_error(), error(400, "invalid_grant"));
        }
        // The one token is good.
        let token = good[0].json()["access_token"].as_str().unwrap().to_owned();
        let nonce = Wallet::nonce(client, "population").unwrap();
        let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
        assert_eq!(
            client.send(&credential_request(&offer, &token, vec![proof])).status,
            200
        );
    }
    platform.stop();
}

#[test]
fn a_nonce_is_good_for_one_of_eight_at_once() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let token = offer.token(client);
    for round in 1..=5 {
        let nonce = Wallet::nonce(client, "population").unwrap();
        let requests: Vec<Request> = (0..8)
            .map(|_| Wallet::new().proof(offer.issuer(), Some(&nonce)))
            .map(|proof| credential_request(&offer, &token, vec![proof]))
            .collect();
        let answers = at_once(requests.len(), |number| client.send(&requests[number]));
        assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
        for refused in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!(refused.oauth_error(), error(400, "invalid_nonce"));
        }
        assert_eq!(number_of(client, "population"), round);
    }
    platform.stop();
}

#[test]
fn a_request_is_not_taken_again() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let token = offer.token(client);
    let nonce = Wallet::nonce(client, "population").unwrap();
    let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
    let request = credential_request(&offer, &token, vec![proof.clone()]);
    assert_eq!(client.send(&request).status, 200);
    assert_eq!(client.send(&request).oauth_error(), error(400, "invalid_nonce"));
    // Nor its proof with another token.
    let second = platform.offer("population", "PersonIdentity", PERSON);
    let request = credential_request(&second, &second.token(client), vec![proof]);
    assert_eq!(client.send(&request).oauth_error(), error(400, "invalid_nonce"));
    assert_eq!(number_of(client, "population"), 1);
    platform.stop();
}

#[test]
fn a_proof_for_another_issuer_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let token = offer.token(client);
    let wallet = Wallet::new();
    let (nonce, foreign) = (
        Wallet::nonce(client, "population").unwrap(),
        Wallet::nonce(client, "transport").unwrap(),
    );
    let transport = SecureUrl::parse_identifier(&format!("{}/issuers/transport", platform.url())).unwrap();
    let ask = |proofs: Vec<String>| client.send(&credential_request(&offer, &token, proofs)).oauth_error();
    let good = |nonce: &str| wallet.proof(offer.issuer(), Some(nonce));

    assert_eq!(
        ask(vec![wallet.proof(&transport, Some(&nonce))]),
        error(400, "invalid_proof")
    );
    assert_eq!(ask(vec![good(&foreign)]), error(400, "invalid_nonce"));
    assert_eq!(ask(vec![good("made-up")]), error(400, "invalid_nonce"));
    assert_eq!(
        ask(vec![wallet.proof(offer.issuer(), None)]),
        error(400, "invalid_proof")
    );
    // One key gets one credential, and a batch is as large as the metadata say.
    assert_eq!(ask(vec![good(&nonce), good(&nonce)]), error(400, "invalid_proof"));
    let many = (0..17)
        .map(|_| Wallet::new().proof(offer.issuer(), Some(&nonce)))
        .collect();
    assert_eq!(ask(many), error(400, "invalid_credential_request"));
    // One wrong proof spoils the whole request.
    let other = Wallet::new().proof(&transport, Some(&nonce));
    assert_eq!(ask(vec![good(&nonce), other]), error(400, "invalid_proof"));
    let mut tampered = good(&nonce);
    let last = if tampered.pop() == Some('A') { 'Q' } else { 'A' };
    tampered.push(last);
    assert_eq!(ask(vec![tampered]), error(400, "invalid_proof"));
    assert_eq!(number_of(client, "population"), 0);
    // None of all that used up the nonce.
    assert_eq!(
        client
            .send(&credential_request(&offer, &token, vec![good(&nonce)]))
            .status,
        200
    );
    platform.stop();
}

#[test]
fn a_token_of_nobody_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let token = offer.token(client);
    let nonce = Wallet::nonce(client, "population").unwrap();
    let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
    let ask = |token: &str| client.send(&credential_request(&offer, token, vec![proof.clone()]));
    for wrong in ["", "x", &token[1..], client.token(), offer.code()] {
        let answer = ask(wrong);
        assert_eq!(answer.oauth_error(), error(401, "invalid_token"), "{wrong:?}");
        assert!(
            answer
                .header("www-authenticate")
                .is_some_and(|value| value.starts_with("Bearer"))
        );
    }
    assert_eq!(ask("two words").oauth_error(), error(400, "invalid_request"));
    let without = credential_request(&offer, "x", vec![proof.clone()]);
    let bare = Request::post(without.target(), "application/json", "{}");
    assert_eq!(client.send(&bare).status, 401);
    assert_eq!(ask(&token).status, 200);
    platform.stop();
}

/// Two agencies issue a type of the same name to subjects of the same id. What one gave is worth nothing at the
/// other.
#[test]
fn a_code_and_a_token_of_one_agency_are_nothing_at_another() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/library");
    for agency in ["library", "archive"] {
        let folder = place.path(agency);
        for file in [
            "mappings/LibraryCard.json",
            "types/LibraryCard/type.json",
            "types/LibraryCard/display.json",
        ] {
            let target = folder.join(file);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let text = fs::read_to_string(library.join(file)).unwrap();
            fs::write(target, text.replace("library.example", &format!("{agency}.example"))).unwrap();
        }
        fs::write(
            folder.join("readers.csv"),
            format!("reader,name,joined,branches\nR-1,{agency},2020-01-01,A\n"),
        )
        .unwrap();
    }
    // Each has its accreditation for its own type; the registry names a type once.
    place.admit(&platform, "library", &place.path("library"));
    let added = platform.run(
        &place,
        &[
            "agency",
            "add",
            "--id",
            "archive",
            "--name",
            "a",
            "--folder",
            place.path("archive").to_str().unwrap(),
        ],
    );
    let _ = added.expect(0);
    place.approve(&platform, added.value["proposals"][1].as_str().unwrap());

    let wallet = Wallet::new();
    let ask = |agency: &str, offer: &Offer, token: &str| {
        let issuer = SecureUrl::parse_identifier(&format!("{}/issuers/{agency}", platform.url())).unwrap();
        let proof = wallet.proof(&issuer, Some(&Wallet::nonce(client, agency).unwrap()));
        let body = json!({"credential_configuration_id": offer.configuration(), "proofs": {"jwt": [proof]}});
        client.send(&Request::post_json(&format!("/issuers/{agency}/credential"), &body).bearer(token))
    };
    let offer = platform.offer("library", "LibraryCard", "R-1");
    let stolen = client.send(&Request::post_form("/issuers/archive/token", offer.form(None)));
    assert_eq!(stolen.oauth_error(), error(400, "invalid_grant"));
    let token = offer.token(client);
    assert_eq!(
        ask("archive", &offer, &token).oauth_error(),
        error(401, "invalid_token")
    );
    assert_eq!(number_of(client, "archive"), 0);
    assert_eq!(ask("library", &offer, &token).status, 200);
    // The other agency does issue to those it made an offer.
    let own = platform.offer("archive", "LibraryCard", "R-1");
    let own_token = own.token(client);
    assert_eq!(ask("archive", &own, &own_token).status, 200);
    platform.stop();
}

#[test]
fn a_token_is_good_for_what_was_offered() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let token = offer.token(client);
    let nonce = Wallet::nonce(client, "population").unwrap();
    let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
    let ask = |body: &Value| {
        client
            .send(&Request::post_json("/issuers/population/credential", body).bearer(&token))
            .oauth_error()
    };
    let proofs = json!({"jwt": [proof]});
    let configuration = |id: &str| json!({"credential_configuration_id": id, "proofs": proofs});
    assert_eq!(
        ask(&configuration("DrivingLicence.dc+sd-jwt")),
        error(400, "unknown_credential_configuration")
    );
    assert_eq!(
        ask(&json!({"credential_identifier": "x", "proofs": proofs})),
        error(400, "unknown_credential_identifier")
    );
    assert_eq!(number_of(client, "population"), 0);
    platform.stop();
}

#[test]
fn guessing_a_transaction_code_ends_after_five() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let terms = json!({"type": "PersonIdentity", "subject": PERSON, "tx_code": "493536"});
    let guess = |offer: &Offer, code: Option<&str>| offer.redeem(client, code).unwrap().oauth_error();
    let refused = error(400, "invalid_grant");

    // A missing code is no guess.
    let offer = platform.offer_with("population", &terms);
    for _ in 0..6 {
        assert_eq!(guess(&offer, None), error(400, "invalid_request"));
    }
    for number in 0..4 {
        assert_eq!(guess(&offer, Some(&format!("00000{number}"))), refused);
    }
    assert_eq!(offer.redeem(client, Some("493536")).unwrap().status, 200);

    let offer = platform.offer_with("population", &terms);
    for number in 0..5 {
        assert_eq!(guess(&offer, Some(&format!("00000{number}"))), refused);
    }
    assert_eq!(guess(&offer, Some("493536")), refused);

    // Nor do guesses count less when they come together.
    let offer = platform.offer_with("population", &terms);
    let guesses = at_once(8, |number| guess(&offer, Some(&format!("00000{number}"))));
    assert!(guesses.iter().all(|answer| *answer == refused), "{guesses:?}");
    assert_eq!(guess(&offer, Some("493536")), refused);
    assert_eq!(number_of(client, "population"), 0);
    platform.stop();
}

#[test]
fn what_has_expired_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let offers = [(); 2].map(|()| platform.offer("population", "PersonIdentity", PERSON));
    let referenced = json!({"type": "PersonIdentity", "subject": PERSON, "by_reference": true});
    let uri = client
        .admin_post("/issuers/population/admin/offers", &referenced)
        .expect(201)["offer"]
        .clone();
    let reference = uri.as_str().unwrap().rsplit("%2F").next().unwrap().to_owned();
    let reference = format!("/issuers/population/offers/{reference}");
    assert_eq!(client.get(&reference).status, 200);
    let token = offers[0].token(client);
    let address = client.address().to_string();
    platform.stop();

    // Ten minutes go by.
    for (prefix, count) in [("grant/", 2), ("token/", 1), ("offer/", 1)] {
        assert_eq!(
            place.change_records("issuer/", prefix, |record| older(record, "/expires_at", 601)),
            count
        );
    }
    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    assert_eq!(
        offers[1].redeem(client, None).unwrap().oauth_error(),
        error(400, "invalid_grant")
    );
    let nonce = Wallet::nonce(client, "population").unwrap();
    let proof = Wallet::new().proof(offers[0].issuer(), Some(&nonce));
    let late = client.send(&credential_request(&offers[0], &token, vec![proof]));
    assert_eq!(late.oauth_error(), error(401, "invalid_token"));
    assert_eq!(client.get(&reference).problem(), (404, "not-found".to_owned()));
    assert_eq!(number_of(client, "population"), 0);
    platform.stop();
}
