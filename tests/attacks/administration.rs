//! The administrative token: who may use it, from where, under which name of the machine.

use std::process::Stdio;

use e2e::Client;
use e2e::Place;
use e2e::Request;
use serde_json::json;

/// Every administrative endpoint, with a request that is good but for its token.
fn administrative() -> Vec<Request> {
    let offer = json!({"type": "PersonIdentity", "subject": "X0000001A"});
    vec![
        Request::post_json("/issuers/population/admin/offers", &offer),
        Request::get("/issuers/population/admin/credentials"),
        Request::post_json("/issuers/population/admin/credentials/0/reinstate", &json!({})),
        Request::post_json("/issuers/population/admin/credentials/0/revoke", &json!({})),
        Request::post_json("/issuers/population/admin/credentials/0/suspend", &json!({})),
        Request::post_json("/verifier/admin/requests", &json!({"query": "age-over-18"})),
        Request::get("/verifier/admin/requests/0"),
        Request::post_json("/registry/proposals", &json!({})),
        Request::post_json("/admin/agencies", &json!({"id": "x", "name": "x"})),
        Request::post_json(
            "/admin/vc-api/instances",
            &json!({"did": "key", "suite": "vc-jwt", "curve": "p256", "name": "x"}),
        ),
    ]
}

fn problem(client: &Client, request: &Request) -> (u16, String) {
    client.send(request).problem()
}

#[test]
fn only_the_token_administers() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let wrong = "A".repeat(client.token().len());
    let refused = (401, "admin-token".to_owned());
    for request in administrative() {
        let with = |value: &str| request.clone().header("authorization", value);
        assert_eq!(problem(client, &request), refused, "{request:?}");
        assert_eq!(
            problem(client, &with(&format!("Bearer {wrong}"))),
            refused,
            "{request:?}"
        );
        assert_eq!(problem(client, &with(&format!("Basic {}", client.token()))), refused);
        assert_eq!(problem(client, &with(client.token())), refused);
        assert_eq!(problem(client, &with("Bearer ")), refused);
        let shortened = &client.token()[..client.token().len() - 1];
        assert_eq!(problem(client, &with(&format!("Bearer {shortened}"))), refused);
        let good = client.send(&request.clone().bearer(client.token()));
        assert_ne!(good.status, 401, "{request:?}");
    }
    platform.stop();
}

#[test]
fn a_page_administers_nothing() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let own = platform.url();
    let from = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", own),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
        ("Sec-Fetch-Site", "none"),
    ];
    for request in administrative() {
        for (name, value) in from {
            let request = request.clone().bearer(client.token()).header(name, value);
            assert_eq!(
                problem(client, &request),
                (403, "browser-origin".to_owned()),
                "{request:?}"
            );
        }
    }
    assert_eq!(client.credentials("population", None).len(), 0);
    platform.stop();
}

/// DNS rebinding: a name of the attacker's that points to this machine.
#[test]
fn a_foreign_host_is_answered_nowhere() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let port = client.address().port();
    let mut requests = administrative();
    requests.extend([
        Request::get("/health"),
        Request::get("/registry/bundle"),
        Request::get("/nowhere"),
    ]);
    for request in &requests {
        let request = request.clone().bearer(client.token());
        for host in [
            "evil.example",
            &format!("evil.example:{port}"),
            "127.0.0.1",
            &format!("127.0.0.2:{port}"),
            "",
        ] {
            let answer = client.send(&request.clone().header("host", host));
            assert_eq!(answer.problem(), (421, "host".to_owned()), "{host} {request:?}");
        }
    }
    // The name in the request line comes before that in the header.
    let absolute = Request::get("http://evil.example/health");
    assert_eq!(problem(client, &absolute), (421, "host".to_owned()));
    for host in [
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("[::1]:{port}"),
    ] {
        assert_eq!(
            client.send(&Request::get("/health").header("host", &host)).status,
            200,
            "{host}"
        );
    }
    platform.stop();
}

#[test]
fn plain_http_beyond_loopback_is_not_served() {
    let place = Place::new();
    place.up(&["--sample"]).stop();
    let refused = |arguments: &[&str], reason: &str| {
        let mut command = place.command(&["up"]);
        command
            .args(arguments)
            .env_remove("ATTESTRY_PASSPHRASE")
            .stdin(Stdio::null());
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(stderr.contains(reason), "{arguments:?}: {stderr}");
    };
    refused(&["--listen", "0.0.0.0:0"], "--tls-certificate");
    refused(&["--listen", "[::]:0"], "--tls-certificate");
    // A proxy in front must be one that speaks TLS.
    refused(
        &["--listen", "0.0.0.0:0", "--public-url", "http://attestry.example"],
        "--tls-certificate",
    );
    refused(
        &["--listen", "127.0.0.1:0", "--public-url", "http://attestry.example"],
        "https",
    );
    refused(
        &[
            "--listen",
            "127.0.0.1:0",
            "--public-url",
            "https://user:pw@attestry.example",
        ],
        "https",
    );
    refused(
        &["--listen", "0.0.0.0:0", "--tls-certificate", "a", "--tls-key", "a"],
        "--public-url",
    );
    // And a certificate must be one.
    let file = place.path("nothing.pem");
    std::fs::write(&file, "nothing").unwrap();
    let file = file.to_str().unwrap();
    refused(
        &["--listen", "127.0.0.1:0", "--tls-certificate", file, "--tls-key", file],
        "certificate",
    );
    refused(&["--listen", "127.0.0.1:0", "--tls-certificate", file], "--tls-key");
}

/// What the operator trusts to this machine's owner alone.
#[test]
fn secrets_of_the_data_folder_are_the_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/admin.token"), 0o600);
    assert_eq!(mode("data/unlock.key"), 0o600);
    for officer in 1..=3 {
        assert_eq!(mode(&format!("data-officers/officer-{officer}.key")), 0o600);
    }
    // The token is in no log and on no page.
    let token = platform.client().token().to_owned();
    assert!(!platform.stderr().contains(&token));
    assert!(!platform.client().get("/").text().contains(&token));
    platform.stop();
}
