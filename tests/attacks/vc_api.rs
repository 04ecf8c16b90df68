//! The sample's instances are open to programs of this machine: what pages, proxies and neighbours try.

use std::net::TcpListener;

use e2e::Client;
use e2e::LogView;
use e2e::Place;
use e2e::Request;
use serde_json::json;

fn issue() -> Request {
    let credential = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject"},
    });
    Request::post_json(
        "/vc-api/eddsa-rdfc-2022/credentials/issue",
        &json!({"credential": credential}),
    )
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn status(client: &Client, request: &Request) -> u16 {
    client.send(request).status
}

#[test]
fn nobody_but_a_program_of_this_machine_signs_with_the_sample_s_keys() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    assert_eq!(status(client, &issue()), 201);
    let own = platform.url();
    for (name, value, expected) in [
        // A page of another site, by DNS rebinding and without.
        ("host", "evil.example", 421),
        ("origin", "https://evil.example", 403),
        ("origin", own, 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "cross-site", 403),
        // A proxy in front, whoever it speaks for.
        ("forwarded", "for=192.0.2.1;host=attestry.example", 401),
        ("x-forwarded-for", "127.0.0.1", 401),
        ("x-forwarded-host", "attestry.example", 401),
        ("via", "1.1 proxy", 401),
        ("authorization", "Bearer guess", 401),
    ] {
        let request = issue().header(name, value);
        let found = status(client, &request);
        // A wrong token takes nothing away from a request that needs none.
        let expected = if name == "authorization" { 201 } else { expected };
        assert_eq!(found, expected, "{name}: {value}");
    }
    // A form of a page needs no permission of the browser's, and is not read.
    let form = Request::post("/vc-api/eddsa-rdfc-2022/credentials/issue", "text/plain", "{}");
    assert_eq!(status(client, &form), 415);
    // The keys are accredited for nothing.
    let log = LogView::pin(client);
    let bundle = log.bundle(client);
    for record in bundle.state().accreditations() {
        assert!(!record.grant().entity.starts_with("did:key:"));
    }
    platform.stop();
}

#[test]
fn a_platform_with_a_public_name_opens_nothing() {
    let place = Place::new();
    let listen = format!("127.0.0.1:{}", free_port());
    let public = ["--public-url", "https://attestry.example"];
    let platform = place.up(&[&["--sample", "--listen", &listen][..], &public].concat());
    let client = platform.client();
    for host in ["attestry.example".to_owned(), client.address().to_string()] {
        let request = issue().header("host", &host);
        assert_eq!(status(client, &request), 401, "{host}");
        assert_eq!(status(client, &request.bearer(client.token())), 201, "{host}");
    }
    platform.stop();
}

#[test]
fn a_platform_beyond_loopback_opens_nothing() {
    let place = Place::new();
    let listen = format!("0.0.0.0:{}", free_port());
    let platform = place.up(&[
        "--sample",
        "--listen",
        &listen,
        "--public-url",
        "https://attestry.example",
    ]);
    let request = issue().header("host", "attestry.example");
    assert_eq!(status(platform.client(), &request), 401);
    platform.stop();
}
