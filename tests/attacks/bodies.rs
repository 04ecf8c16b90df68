//! Bodies that are too large, too deep, double or of another type, at each endpoint that takes one: the error of
//! its standard, and nothing has changed.

use e2e::Client;
use e2e::LogView;
use e2e::Offer;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use e2e::Response;
use e2e::Wallet;
use serde_json::Value;
use serde_json::json;

const PERSON: &str = "X0000001A";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// An endpoint with a body that it takes.
struct Endpoint {
    target: String,
    token: Option<String>,
    media_type: &'static str,
    body: String,
    /// How it refuses a body of the right type and the wrong form.
    malformed: Refusal,
    /// How it refuses JSON that is no object.
    misshapen: Refusal,
    /// How it refuses a body of another type.
    mistyped: Refusal,
}

/// Status, and the code of the standard.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refusal {
    Oauth(u16, &'static str),
    Problem(u16, &'static str),
}

impl Refusal {
    fn holds(self, answer: &Response) {
        match self {
            Self::Oauth(status, code) => {
                assert_eq!(answer.oauth_error(), (status, code.to_owned()), "{}", answer.text());
            }
            Self::Problem(status, kind) => assert_eq!(answer.problem(), (status, kind.to_owned()), "{}", answer.text()),
        }
    }
}

impl Endpoint {
    /// One that answers with problem details.
    fn of_json(target: &str, token: Option<&str>, body: &Value) -> Self {
        Self {
            target: target.to_owned(),
            token: token.map(str::to_owned),
            media_type: JSON,
            body: body.to_string(),
            malformed: Refusal::Problem(400, "malformed"),
            misshapen: Refusal::Problem(400, "malformed"),
            mistyped: Refusal::Problem(415, "media-type"),
        }
    }

    fn request(&self, media_type: &str, body: impl Into<Vec<u8>>) -> Request {
        let request = Request::post(&self.target, media_type, body);
        match &self.token {
            Some(token) => request.bearer(token),
            None => request,
        }
    }

    fn is_json(&self) -> bool {
        self.media_type == JSON
    }
}

/// Everything that bad input could have changed, as far as it can be seen from outside.
#[derive(Debug, PartialEq)]
struct Standing {
    credentials: Vec<Value>,
    proposals: Value,
    entries: u64,
    session: Value,
}

impl Standing {
    fn of(client: &Client, session: &str) -> Self {
        Self {
            credentials: client.credentials("population", None),
            proposals: client.get("/registry/proposals").expect(200),
            entries: LogView::pin(client).bundle(client).state().accreditations().count() as u64,
            session: client
                .admin_get(&format!("/verifier/admin/requests/{session}"))
                .expect(200),
        }
    }
}

struct World {
    platform: Platform,
    offer: Offer,
    session: String,
    endpoints: Vec<Endpoint>,
}

/// A platform where something is under way everywhere, and one good request for each endpoint. None of them is
/// sent.
fn world(place: &Place) -> World {
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let access_token = platform.offer("population", "PersonIdentity", PERSON).token(client);
    let offer = platform.offer("population", "PersonIdentity", PERSON);
    let asked = client.admin_post("/verifier/admin/requests", &json!({"query": "age-over-18"}));
    let session = asked.expect(201)["id"].as_str().unwrap().to_owned();
    let proposal = json!({"type": "accreditation", "action": "suspend", "id": "health-issues-vaccinationcertificate"});
    let proposed = client.admin_post("/registry/proposals", &proposal).expect(201)["id"].clone();
    let mut endpoints = protocol_endpoints(client, &offer, access_token, &session);
    endpoints.extend(other_endpoints(client, &proposal, proposed.as_str().unwrap()));
    World {
        platform,
        offer,
        session,
        endpoints,
    }
}

fn protocol_endpoints(client: &Client, offer: &Offer, access_token: String, session: &str) -> Vec<Endpoint> {
    let nonce = Wallet::nonce(client, "population").unwrap();
    let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
    let credential = json!({"credential_configuration_id": offer.configuration(), "proofs": {"jwt": [proof]}});
    let oauth = |target: String, code, media_type, body| Endpoint {
        target,
        token: None,
        media_type,
        body,
        malformed: Refusal::Oauth(400, code),
        misshapen: Refusal::Oauth(400, code),
        mistyped: Refusal::Oauth(400, code),
    };
    let token = "/issuers/population/token".to_owned();
    let refusal = "error=access_denied".to_owned();
    let credential = oauth(
        "/issuers/population/credential".to_owned(),
        "invalid_credential_request",
        JSON,
        credential.to_string(),
    );
    vec![
        oauth(token, "invalid_request", FORM, offer.form(None)),
        oauth(
            "/hub/token".to_owned(),
            "invalid_request",
            FORM,
            "grant_type=client_credentials".to_owned(),
        ),
        Endpoint {
            token: Some(access_token),
            ..credential
        },
        oauth(
            format!("/verifier/responses/{session}"),
            "invalid_request",
            FORM,
            refusal,
        ),
        Endpoint {
            media_type: FORM,
            body: "wallet_nonce=1".to_owned(),
            ..Endpoint::of_json(&format!("/verifier/requests/{session}"), None, &Value::Null)
        },
    ]
}

fn other_endpoints(client: &Client, proposal: &Value, proposed: &str) -> Vec<Endpoint> {
    let admin = Some(client.token());
    let offer = json!({"type": "PersonIdentity", "subject": PERSON});
    let entry = json!({"entry": "AA", "blobs": []});
    let approvals = format!("/registry/proposals/{proposed}/approvals");
    vec![
        Endpoint::of_json("/issuers/population/admin/offers", admin, &offer),
        Endpoint::of_json("/verifier/admin/requests", admin, &json!({"query": "identity"})),
        Endpoint::of_json("/registry/entries", None, &entry),
        Endpoint {
            misshapen: Refusal::Problem(400, "proposal"),
            ..Endpoint::of_json("/registry/proposals", admin, proposal)
        },
        Endpoint::of_json(&approvals, None, &json!({"signature": "AA"})),
        Endpoint::of_json("/admin/agencies", admin, &json!({"id": "new", "name": "x"})),
    ]
}

fn nested(depth: usize) -> String {
    format!("{}{}", "{\"a\":[".repeat(depth), "]}".repeat(depth))
}

/// A body of the endpoint with one member twice, the second time with another value.
fn doubled(endpoint: &Endpoint) -> String {
    if endpoint.is_json() {
        let value: Value = serde_json::from_str(&endpoint.body).unwrap();
        let (name, _) = value.as_object().unwrap().iter().next().unwrap();
        return endpoint.body.replacen('{', &format!("{{\"{name}\":\"x\","), 1);
    }
    let (name, _) = endpoint.body.split_once('=').unwrap();
    format!("{}&{name}=x", endpoint.body)
}

#[test]
fn a_malformed_body_gets_the_error_of_its_standard_and_changes_nothing() {
    let place = Place::new();
    let World {
        platform,
        offer,
        session,
        endpoints,
    } = world(&place);
    let client = platform.client();
    let before = Standing::of(client, &session);
    for endpoint in &endpoints {
        let mut bodies = vec![doubled(endpoint)];
        if endpoint.is_json() {
            let with = |member: &str| endpoint.body.replacen('{', &format!("{{{member},"), 1);
            bodies.extend([
                String::new(),
                "{".to_owned(),
                format!("{}x", endpoint.body),
                format!("\u{feff}{}", endpoint.body),
                with("\"deep\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"),
                with(&format!("\"deep\":{}", nested(10_000))),
                with("\"x\":\"\\ud800\""),
                with("\"x\":1e999"),
                with("\"x\":{\"a\":1,\"a\":2}"),
            ]);
        } else {
            bodies.extend([
                "%".to_owned(),
                "a=%zz".to_owned(),
                "a=%ff".to_owned(),
                "a=1&a=2".to_owned(),
            ]);
            let many: Vec<String> = (0..100).map(|number| format!("p{number}=1")).collect();
            bodies.push(many.join("&"));
        }
        for body in bodies {
            let answer = client.send(&endpoint.request(endpoint.media_type, body.clone()));
            let shown: String = body.chars().take(80).collect();
            println!("{} {shown}", endpoint.target);
            endpoint.malformed.holds(&answer);
        }
        for body in ["[]", "null", "7", "\"text\""]
            .into_iter()
            .filter(|_| endpoint.is_json())
        {
            endpoint
                .misshapen
                .holds(&client.send(&endpoint.request(endpoint.media_type, body)));
        }
        let bytes = client.send(&endpoint.request(endpoint.media_type, b"\xff\xfe{}=\xff".to_vec()));
        endpoint.malformed.holds(&bytes);
    }
    assert_eq!(Standing::of(client, &session), before);
    // The code, the session and the rest are as good as before.
    assert_eq!(offer.redeem(client, None).unwrap().status, 200);
    platform.stop();
}

#[test]
fn a_body_of_another_type_gets_the_error_of_its_standard_and_changes_nothing() {
    let place = Place::new();
    let World {
        platform,
        offer,
        session,
        endpoints,
    } = world(&place);
    let client = platform.client();
    let before = Standing::of(client, &session);
    for endpoint in &endpoints {
        let other = if endpoint.is_json() { FORM } else { JSON };
        for media_type in [
            other,
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "",
        ] {
            let answer = client.send(&endpoint.request(media_type, endpoint.body.clone()));
            println!("{} {media_type}", endpoint.target);
            endpoint.mistyped.holds(&answer);
        }
        let mut untyped = Request::new("POST", &endpoint.target).body(endpoint.body.clone());
        if let Some(token) = &endpoint.token {
            untyped = untyped.bearer(token);
        }
        endpoint.mistyped.holds(&client.send(&untyped));
    }
    assert_eq!(Standing::of(client, &session), before);
    assert_eq!(offer.redeem(client, None).unwrap().status, 200);
    platform.stop();
}

/// The body in one chunk, without a length in the head.
fn chunked(body: &str) -> String {
    format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())
}

#[test]
fn a_body_that_is_too_large_is_not_taken() {
    let place = Place::new();
    let World {
        platform,
        offer,
        session,
        endpoints,
    } = world(&place);
    let client = platform.client();
    let before = Standing::of(client, &session);
    for endpoint in &endpoints {
        let body = |megabytes: usize| {
            let padding = "x".repeat(megabytes << 20);
            if endpoint.is_json() {
                format!("{{\"a\":\"{padding}\"}}")
            } else {
                format!("a={padding}")
            }
        };
        let request = |body: String| endpoint.request(endpoint.media_type, body);
        let in_chunks = request(chunked(&body(5))).header("transfer-encoding", "chunked");
        // It is the declared length that counts, and nobody waits for the rest.
        let declared = request("{}".to_owned()).header("content-length", "1000000000000");
        for request in [request(body(5)), request(body(40)), in_chunks, declared] {
            let answer = client.send(&request);
            assert_eq!(answer.problem(), (413, "too-large".to_owned()), "{}", endpoint.target);
        }
    }
    assert_eq!(Standing::of(client, &session), before);
    assert_eq!(offer.redeem(client, None).unwrap().status, 200);
    platform.stop();
}
