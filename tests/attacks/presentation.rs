//! OpenID4VP with repeated, swapped and late answers, and with requests that somebody else was given.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;

use e2e::Client;
use e2e::LogView;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use e2e::Response;
use e2e::Wallet;
use e2e::older;
use keys::PublicKey;
use openid4vc::form;
use openid4vc::form::Form;
use serde_json::Value;
use serde_json::json;

const PERSON: &str = "X0000001A";

/// A request of the platform's verifier, as a wallet read it.
pub(crate) struct Asked {
    id: String,
    uri: String,
    /// The payload of the request object.
    request: Value,
}

impl Asked {
    fn new(client: &Client) -> Self {
        Self::of(client, &json!("age-over-18"))
    }

    /// A request with this query, or the built-in one of this name.
    pub(crate) fn of(client: &Client, query: &Value) -> Self {
        let body = json!({"query": query});
        let made = client.admin_post("/verifier/admin/requests", &body).expect(201);
        let (id, uri) = (
            made["id"].as_str().unwrap().to_owned(),
            made["request"].as_str().unwrap().to_owned(),
        );
        let object = client.get(&format!("/verifier/requests/{id}"));
        assert_eq!(object.status, 200, "{}", object.text());
        let request = payload(&object.text());
        Self { id, uri, request }
    }

    pub(crate) fn text(&self, member: &str) -> &str {
        self.request[member].as_str().unwrap()
    }

    pub(crate) fn post(&self, form: &str) -> Request {
        Request::post_form(&format!("/verifier/responses/{}", self.id), form)
    }

    pub(crate) fn state(&self, client: &Client) -> Value {
        client
            .admin_get(&format!("/verifier/admin/requests/{}", self.id))
            .expect(200)
    }
}

fn payload(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&keys::base64url::decode(part).unwrap()).unwrap()
}

fn answer_form(state: &str, presentation: &str) -> String {
    let token = json!({"age-over-18": [presentation]}).to_string();
    form::encode([("vp_token", token.as_str()), ("state", state)])
}

/// A person with an identity.
struct Person {
    wallet: Wallet,
    credential: String,
    issuer: PublicKey,
}

impl Person {
    fn new(platform: &Platform) -> Self {
        let wallet = Wallet::new();
        let offer = platform.offer("population", "PersonIdentity", PERSON);
        let credential = wallet.accept(platform.client(), &offer);
        let issuer = LogView::pin(platform.client()).issuer_key(platform.client(), &credential);
        Self {
            wallet,
            credential,
            issuer,
        }
    }

    fn present(&self, asked: &Asked) -> String {
        let (audience, nonce) = (asked.text("client_id"), asked.text("nonce"));
        self.wallet
            .present(&self.credential, &self.issuer, "age_over_18", audience, nonce)
    }

    fn answer(&self, asked: &Asked) -> Request {
        asked.post(&answer_form(asked.text("state"), &self.present(asked)))
    }
}

fn refused() -> (u16, String) {
    (400, "invalid_request".to_owned())
}

#[test]
fn of_answers_at_once_one_is_taken() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform);
    for _ in 0..5 {
        let asked = Asked::new(client);
        let good = person.answer(&asked);
        let refusal = asked.post(&form::encode([
            ("error", "access_denied"),
            ("state", asked.text("state")),
        ]));
        let requests = [&good, &refusal, &good, &refusal, &good, &refusal];
        let answers: Vec<Response> = std::thread::scope(|scope| {
            let threads: Vec<_> = requests
                .iter()
                .map(|request| scope.spawn(|| client.send(request)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let taken: Vec<usize> = (0..answers.len())
            .filter(|number| answers[*number].status == 200)
            .collect();
        assert_eq!(taken.len(), 1, "{answers:?}");
        assert!(
            answers
                .iter()
                .all(|answer| answer.status == 200 || answer.oauth_error() == refused())
        );
        // The verdict is that of the one that was taken.
        let verdict = asked.state(client)["verdict"]["verdict"].clone();
        assert_eq!(verdict, if taken[0].is_multiple_of(2) { "valid" } else { "refused" });
        // And stays so.
        assert_eq!(client.send(&good).oauth_error(), refused());
        assert_eq!(asked.state(client)["verdict"]["verdict"], verdict);
    }
    platform.stop();
}

#[test]
fn an_answer_to_another_request_proves_nothing() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform);
    let (first, second) = (Asked::new(client), Asked::new(client));
    let presentation = person.present(&first);

    // With the state of the first, the second does not even take it; nor does a made-up one.
    let wrong_state = second.post(&answer_form(first.text("state"), &presentation));
    assert_eq!(client.send(&wrong_state).oauth_error(), refused());
    assert_eq!(
        client.send(&second.post(&answer_form("", &presentation))).oauth_error(),
        refused()
    );
    assert_eq!(second.state(client)["state"], "requested");
    // With the right state it is an answer, and worth nothing.
    let replayed = second.post(&answer_form(second.text("state"), &presentation));
    assert_eq!(client.send(&replayed).status, 200);
    let verdict = second.state(client)["verdict"].clone();
    assert_eq!(verdict["verdict"], "refused", "{verdict}");
    assert!(verdict.get("claims").is_none());
    // The first is still open to whom it was shown.
    assert_eq!(
        client
            .send(&first.post(&answer_form(first.text("state"), &presentation)))
            .status,
        200
    );
    assert_eq!(first.state(client)["verdict"]["verdict"], "valid");
    platform.stop();
}

#[test]
fn a_presentation_for_another_verifier_or_by_another_holder_is_refused() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform);
    let thief = Person::new(&platform);
    let verdict_of = |present: &dyn Fn(&Asked) -> String| {
        let asked = Asked::new(client);
        let answer = asked.post(&answer_form(asked.text("state"), &present(&asked)));
        assert_eq!(client.send(&answer).status, 200);
        let verdict = asked.state(client)["verdict"].clone();
        assert_eq!(
            verdict.get("claims").is_some(),
            verdict["verdict"] == "valid",
            "{verdict}"
        );
        verdict["verdict"].as_str().unwrap().to_owned()
    };
    let bind = |wallet: &Wallet, audience: &str, nonce: &str| {
        wallet.present(&person.credential, &person.issuer, "age_over_18", audience, nonce)
    };
    assert_eq!(verdict_of(&|asked| person.present(asked)), "valid");
    assert_eq!(
        verdict_of(&|asked| bind(
            &person.wallet,
            "decentralized_identifier:did:web:evil.example",
            asked.text("nonce")
        )),
        "refused"
    );
    assert_eq!(
        verdict_of(&|asked| bind(&person.wallet, asked.text("client_id"), "another")),
        "refused"
    );
    assert_eq!(
        verdict_of(&|asked| bind(&thief.wallet, asked.text("client_id"), asked.text("nonce"))),
        "refused"
    );
    // Without the holder's signature at all.
    let unbound = |asked: &Asked| {
        let bound = person.present(asked);
        bound[..=bound.rfind('~').unwrap()].to_owned()
    };
    assert_eq!(verdict_of(&unbound), "refused");
    // Without the claim that was asked for.
    let undisclosed = |asked: &Asked| {
        person.wallet.present(
            &person.credential,
            &person.issuer,
            "sex",
            asked.text("client_id"),
            asked.text("nonce"),
        )
    };
    assert_eq!(verdict_of(&undisclosed), "refused");
    platform.stop();
}

#[test]
fn a_request_that_is_over_is_given_to_nobody() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform);
    let (answered, waiting) = (Asked::new(client), Asked::new(client));
    let late = person.answer(&waiting);
    assert_eq!(client.send(&person.answer(&answered)).status, 200);
    let object = |client: &Client, asked: &Asked| client.get(&format!("/verifier/requests/{}", asked.id)).problem();
    assert_eq!(object(client, &answered), (410, "request-over".to_owned()));
    assert_eq!(
        client.get("/verifier/requests/none").problem(),
        (404, "not-found".to_owned())
    );
    let address = client.address().to_string();
    platform.stop();

    // Ten minutes go by for the other one.
    assert_eq!(
        place.change_records("verifier/", "session/", |record| older(record, "/expires_at", 601)),
        1
    );
    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    assert_eq!(object(client, &waiting), (410, "request-over".to_owned()));
    assert_eq!(client.send(&late).oauth_error(), refused());
    assert_eq!(waiting.state(client)["state"], "expired");
    platform.stop();
}

/// Somebody else's request object, served again: a wallet that asked with its own nonce does not take it.
#[test]
fn a_replayed_request_object_is_refused_by_the_wallet() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let _ = platform.run(&place, &["wallet", "init"]).expect(0);
    let offer = client.admin_post(
        "/issuers/population/admin/offers",
        &json!({"type": "PersonIdentity", "subject": PERSON}),
    );
    let offer = offer.expect(201)["offer"].as_str().unwrap().to_owned();
    let _ = platform.run(&place, &["wallet", "accept", &offer]).expect(0);

    let asked = Asked::new(client);
    let target = format!("/verifier/requests/{}", asked.id);
    let captured = client.send(&Request::post_form(
        &target,
        form::encode([("wallet_nonce", "of-somebody-else")]),
    ));
    assert_eq!(payload(&captured.text())["wallet_nonce"], "of-somebody-else");
    let thief = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = asked.uri.replace(
        &client.address().port().to_string(),
        &thief.local_addr().unwrap().port().to_string(),
    );
    assert_ne!(uri, asked.uri);
    let serving = std::thread::spawn(move || serve_once(&thief, &captured.body));
    let presented = platform.run(&place, &["wallet", "present", &uri, "--yes"]);
    let posted = serving.join().unwrap();
    assert!(posted.contains("wallet_nonce="), "{posted}");
    assert_ne!(presented.code, 0, "{}", presented.value);
    assert!(presented.stderr.contains("nonce"), "{}", presented.stderr);
    assert_eq!(asked.state(client)["state"], "requested");
    // The genuine one is answered.
    let _ = platform
        .run(&place, &["wallet", "present", &asked.uri, "--yes"])
        .expect(0);
    assert_eq!(asked.state(client)["verdict"]["verdict"], "valid");
    platform.stop();
}

/// Answers one request with a request object, and returns what was asked.
fn serve_once(listener: &TcpListener, body: &[u8]) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&bytes).contains("wallet_nonce=") {
        let count = stream.read(&mut buffer).unwrap();
        assert_ne!(count, 0);
        bytes.extend_from_slice(&buffer[..count]);
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/oauth-authz-req+jwt\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What a wallet can learn from a verifier that it was shown: nothing of others.
#[test]
fn a_result_is_for_the_operator_alone() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let person = Person::new(&platform);
    let asked = Asked::new(client);
    let taken = client.send(&person.answer(&asked));
    assert_eq!(taken.expect(200), json!({}), "the wallet is not told the verdict");
    let form = Form::parse(asked.uri.split_once('?').unwrap().1.as_bytes(), 10_000).unwrap();
    assert!(form.required("request_uri").unwrap().ends_with(&asked.id));
    let target = format!("/verifier/admin/requests/{}", asked.id);
    assert_eq!(client.get(&target).problem(), (401, "admin-token".to_owned()));
    // No claim of it is on the disk.
    let address = client.address().to_string();
    platform.stop();
    let platform = place.up(&["--listen", &address]);
    assert_eq!(asked.state(platform.client())["verdict"], Value::Null);
    platform.stop();
}
