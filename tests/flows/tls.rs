//! Serving beyond loopback: with a certificate of its own, and behind a proxy that has one.

use std::net::TcpListener;
use std::process::Command;

use e2e::Place;
use e2e::Request;

/// Runs a tool of the system; none where it is missing.
fn tool(place: &Place, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(place.path(""))
        .output();
    let Ok(output) = output else {
        println!("skipped: no {program} here");
        return None;
    };
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn https_is_served_with_a_certificate() {
    let place = Place::new();
    let make = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost -keyout key.pem -out chain.pem";
    let arguments: Vec<&str> = make.split_whitespace().collect();
    if tool(&place, "openssl", &arguments).is_none() {
        return;
    }
    let port = free_port();
    let (listen, public_url) = (format!("0.0.0.0:{port}"), format!("https://localhost:{port}"));
    let tls = ["--tls-certificate", "chain.pem", "--tls-key", "key.pem"];
    let platform = place.up(&[
        &["--sample", "--listen", &listen, "--public-url", &public_url][..],
        &tls,
    ]
    .concat());
    assert_eq!(platform.url(), public_url);
    let at = format!("{public_url}/health");
    let ask = |more: &[&str]| {
        let arguments = [
            &["--silent", "--max-time", "10", "--cacert", "chain.pem"][..],
            more,
            &[&at],
        ]
        .concat();
        tool(&place, "curl", &arguments)
    };
    let Some(answer) = ask(&[]) else { return };
    assert!(answer.contains("\"ok\""), "{answer}");
    assert!(
        ask(&["--header", "host: evil.example"])
            .unwrap()
            .contains("problems/host")
    );
    // Who speaks plain HTTP to it is not answered.
    let plain = Request::get("/health").send(platform.client().address());
    assert!(plain.is_err(), "{plain:?}");
    platform.stop();
}

#[test]
fn a_platform_behind_a_proxy_goes_by_the_proxy_s_name() {
    let place = Place::new();
    let listen = format!("0.0.0.0:{}", free_port());
    let platform = place.up(&[
        "--sample",
        "--listen",
        &listen,
        "--public-url",
        "https://attestry.example",
    ]);
    let client = platform.client();
    let metadata = "/.well-known/openid-credential-issuer/issuers/population";
    let through = Request::get(metadata).header("host", "attestry.example");
    assert_eq!(
        client.send(&through).expect(200)["credential_issuer"],
        "https://attestry.example/issuers/population"
    );
    let other = Request::get(metadata).header("host", "other.example");
    assert_eq!(client.send(&other).problem(), (421, "host".to_owned()));
    platform.stop();
}
