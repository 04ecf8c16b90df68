//! Every route of the platform, with everything that should not be sent to it: never an answer of 5xx, never more
//! than two seconds, never a panic.
//!
//! The routes are read from the sources, so that a new one is swept from its first day on.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use e2e::Client;
use e2e::Place;
use e2e::Platform;
use e2e::Request;
use e2e::Wallet;
use e2e::now;
use serde_json::json;

const SLOW: Duration = Duration::from_secs(2);
/// Where the program's own sources are, from the workspace root.
const SOURCES: [&str; 6] = [
    "attestry/src",
    "hub/src",
    "issuer/src",
    "registry/src",
    "vc-api/src",
    "verifier/service/src",
];
/// The only path that the sources put together.
const COMPOSED: &str = "/sample/population-register/v1/persons/{id}";

/// The paths of all `.route("...", ...)` calls.
fn routes() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeSet::from([COMPOSED.to_owned()]);
    let mut folders: Vec<_> = SOURCES.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.extend(routes_of(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found
}

fn routes_of(source: &str) -> Vec<String> {
    let calls = source.split(".route(").skip(1);
    let first = |call: &str| Some(call.trim_start().strip_prefix('"')?.split('"').next()?.to_owned());
    calls.filter_map(first).collect()
}

/// The path with each parameter in turn filled with `value`, the others with something good.
fn filled(route: &str, value: &str) -> Vec<String> {
    let names: Vec<&str> = route
        .split('{')
        .skip(1)
        .map(|rest| rest.split('}').next().unwrap())
        .collect();
    let good = |name: &str| match name {
        "agency" => "population",
        "api" => "population-register",
        "version" => "v1",
        "*path" => "persons/X0000001A",
        _ => "1",
    };
    let fill = |at: usize| {
        let path = names.iter().enumerate().fold(route.to_owned(), |path, (number, name)| {
            path.replacen(&format!("{{{name}}}"), if number == at { value } else { good(name) }, 1)
        });
        // Nothing of a template may be left.
        assert!(!path.contains('{') || value.contains('{'), "{path}");
        path
    };
    (0..names.len().max(1)).map(fill).collect()
}

fn nested(open: &str, close: &str, depth: usize) -> Vec<u8> {
    format!("{}{}", open.repeat(depth), close.repeat(depth)).into_bytes()
}

/// Bodies that nobody should send.
fn bodies() -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "\0",
        "null",
        "true",
        "0",
        "-1e400",
        "[]",
        "{}",
        "\"\"",
        "{\"\":\"\"}",
        "{\"a\":",
        "nul",
        "{'a':1}",
        "{\"a\":1,\"a\":1}",
        "{\"id\":1e308}",
        "{\"id\":-9223372036854775809}",
        "[1,]",
        "\u{feff}{}",
        "{}{}",
        "{}//",
        "\"\\ud800\"",
        "{\"\\u0000\":\"\\u0000\"}",
        "=",
        "&",
        "&&&&",
        "a",
        "a=",
        "a=%",
        "a=%0",
        "a=%00",
        "a=%ff",
        "a=b;c=d",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code",
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Apre-authorized_code&pre-authorized_code=%00",
        "grant_type=client_credentials&client_assertion=a.b.c&client_assertion_type=x",
        "vp_token={}&state=x",
        "vp_token=%5B%5D",
        "response=a.b.c.d.e",
        "response=....",
        "error=%0a&state=%0d",
        "{\"credential_configuration_id\":\"PersonIdentity.dc+sd-jwt\",\"proofs\":{\"jwt\":[\"..\"]}}",
        "{\"credential_configuration_id\":\"PersonIdentity.dc+sd-jwt\",\"proofs\":{\"jwt\":[]}}",
        "{\"credential_configuration_id\":null,\"credential_identifier\":[]}",
        "{\"entry\":\"\",\"blobs\":[\"\"]}",
        "{\"entry\":\"____\",\"blobs\":[]}",
        "{\"signature\":\"\"}",
        "{\"signature\":\"oQ\"}",
        "{\"query\":{}}",
        "{\"query\":{\"credentials\":[]}}",
        "{\"query\":\"\"}",
        "{\"query\":{\"credentials\":[{}]}}",
        "{\"query\":{\"credentials\":[{\"id\":\"\\u0000\",\"format\":\"dc+sd-jwt\",\"meta\":{\"vct_values\":[]}}]}}",
        "{\"type\":\"\",\"subject\":\"\"}",
        "{\"type\":\"PersonIdentity\",\"subject\":\"\\u0000'; --\"}",
        "{\"type\":\"PersonIdentity\",\"subject\":\"X0000001A\",\"tx_code\":\"\"}",
        "{\"type\":\"PersonIdentity\",\"subject\":\"X0000001A\",\"format\":\"mso_mdoc\"}",
        "{\"type\":\"accreditation\"}",
        "{\"type\":\"schema\",\"action\":\"publish\",\"documents\":[{}]}",
        "{\"id\":\"../../x\",\"name\":\"\"}",
        "{\"id\":\"x\",\"name\":\"x\"}",
        "a.b.c",
        "..",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJFUzI1NiJ9.e30.AA",
        "~~~",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    bodies.extend([
        b"\xff\xfe\x00".to_vec(),
        b"\xa1\x01".to_vec(),
        b"\xbf\xff".to_vec(),
        b"\x9b\x7f\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        [0x81; 5_000].to_vec(),
        nested("[", "]", 100_000),
        nested("{\"a\":", "}", 50_000),
        nested("%5B", "%5D", 20_000),
        format!("{{{}\"z\":0}}", "\"k\":0,".repeat(20_000)).into_bytes(),
        format!("[{}0]", "0,".repeat(200_000)).into_bytes(),
        "a=b&".repeat(100_000).into_bytes(),
        format!("{{\"n\":{}}}", "9".repeat(100_000)).into_bytes(),
        format!("vp_token={}", "%7B".repeat(100_000)).into_bytes(),
        format!("{{\"entry\":\"{}\",\"blobs\":[]}}", "A".repeat(900_000)).into_bytes(),
        vec![b'.'; 900_000],
    ]);
    bodies
}

const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/cbor",
    "application/jwt",
];

/// Path segments that nobody should send.
fn segments() -> Vec<String> {
    let mut segments: Vec<String> = [
        "%00",
        "%ff",
        "%",
        "%2",
        "..",
        "%2e%2e",
        "..%2f..%2fadmin.token",
        "%2F",
        "'",
        "%22",
        "%0d%0aX-Injected:%20y",
        "-1",
        "01",
        "18446744073709551615",
        "18446744073709551616",
        "%F0%9F%92%A9",
        "%E2%80%AE",
        "did:key:z6Mk",
        "did:key:z",
        "did:web:localhost",
        "did:webvh:Q:a.example",
        "did:jwk:e30",
        "did:x:%00",
        "did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z?versionId=%00",
        "x000/000.p/0",
        "0/x001.p/300",
        "entries/999999999999",
        "7/000",
        "0/000.p/1/2",
        "%7Bid%7D",
        "null",
        ".",
        "~",
        "a;b=c",
        "a?b=c&b=d",
        "1?subject=%00&subject=",
        "*",
        "+",
        "%20",
    ]
    .map(str::to_owned)
    .to_vec();
    segments.extend([
        "a".repeat(8_000),
        "%41".repeat(4_000),
        "1/".repeat(2_000),
        "did:key:z".to_owned() + &"1".repeat(8_000),
    ]);
    segments
}

/// Whether a status says that the service is at fault. 501 is how a resolver refuses a method or feature that it
/// does not have.
fn is_fault(request: &Request, status: u16) -> bool {
    let resolves = request.target().starts_with("/registry/1.0/identifiers/");
    status >= 500 && !(status == 501 && resolves)
}

/// Sends each, on a few threads, and holds each answer to the promise.
fn sweep(client: &Client, requests: &[Request]) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let begin = now();
                    let answer = client.send(request);
                    let shown = format!("{request:?}");
                    let shown: String = shown.chars().take(400).collect();
                    let fault = is_fault(request, answer.status);
                    assert!(!fault, "{} {} for {shown}", answer.status, answer.text());
                    assert!(begin.elapsed() < SLOW, "{:?} for {shown}", begin.elapsed());
                    assert!(answer.header("x-injected").is_none(), "{shown}");
                }
            });
        }
    });
}

/// The platform is as it was: it issues, and ends as it should.
fn still_works(place: &Place, platform: Platform) {
    let client = platform.client();
    assert_eq!(client.credentials("population", None).len(), 0);
    let credential = Wallet::new().accept(client, &platform.offer("population", "PersonIdentity", "X0000001A"));
    assert!(credential.contains('~'));
    let answer = client.admin_post("/verifier/admin/requests", &json!({"query": "age-over-18"}));
    assert_eq!(answer.status, 201);
    let address = client.address().to_string();
    platform.stop();
    let again = place.up(&["--listen", &address]);
    assert_eq!(again.client().credentials("population", None).len(), 1);
    again.stop();
}

#[test]
fn the_sources_are_read() {
    let routes = routes();
    for known in [
        "/admin/agencies",
        "/health",
        "/hub/token",
        "/issuers/{agency}/token",
        "/registry/entries",
        "/verifier/responses/{id}",
        "/.well-known/oauth-authorization-server/issuers/{agency}",
    ] {
        assert!(routes.contains(known), "{known} in {routes:?}");
    }
}

#[test]
fn bodies_never_break_an_endpoint() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let session = client
        .admin_post("/verifier/admin/requests", &json!({"query": "identity"}))
        .expect(201);
    let session = session["id"].as_str().unwrap();
    let bodies = bodies();
    let mut requests = Vec::new();
    for route in routes() {
        let value = if route.starts_with("/verifier/") { session } else { "1" };
        let agencies = ["population", value];
        let path = filled(&route, agencies[usize::from(!route.contains("{agency}"))]).remove(0);
        for body in &bodies {
            // Large ones once, as the type that is looked into most.
            let types = if body.len() > 10_000 {
                &MEDIA_TYPES[..2]
            } else {
                &MEDIA_TYPES[..]
            };
            requests.extend(
                types
                    .iter()
                    .map(|media_type| Request::post(&path, media_type, body.clone()).bearer(client.token())),
            );
        }
        requests.push(Request::new("POST", &path));
    }
    sweep(client, &requests);
    println!("{} requests", requests.len());
    still_works(&place, platform);
}

#[test]
fn paths_and_methods_never_break_an_endpoint() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let segments = segments();
    let mut requests = Vec::new();
    for route in routes() {
        for path in segments.iter().flat_map(|segment| filled(&route, segment)) {
            requests.push(Request::get(&path).bearer(client.token()));
            if path.len() < 1_000 {
                requests.push(Request::post_json(&path, &json!({})).bearer(client.token()));
            }
        }
        let path = filled(&route, "1").remove(0);
        for method in [
            "GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "X",
        ] {
            requests.push(Request::new(method, &path));
        }
        for (name, value) in [
            ("authorization", "Bearer \u{80}"),
            ("authorization", "Bearer a b"),
            ("authorization", &"Bearer ".repeat(1_000)),
            ("accept", "*/*;q=x"),
            ("range", "bytes=0-18446744073709551615"),
            ("if-modified-since", "never"),
            ("content-encoding", "gzip"),
            ("expect", "100-continue"),
            ("upgrade", "h2c"),
            ("x-forwarded-host", "evil.example"),
            ("cookie", &"a=b; ".repeat(1_000)),
        ] {
            requests.push(Request::get(&path).header(name, value));
        }
    }
    sweep(client, &requests);
    println!("{} requests", requests.len());
    still_works(&place, platform);
}

/// What is no HTTP, or HTTP that two readers would read differently.
#[test]
fn broken_http_never_breaks_the_server() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let address = platform.client().address();
    let token = "/issuers/population/token";
    let post = |headers: &str, body: &str| format!("POST {token} HTTP/1.1\r\nhost: {address}\r\n{headers}\r\n{body}");
    let mut raw: Vec<Vec<u8>> = [
        "\r\n\r\n".to_owned(),
        "hello\r\n\r\n".to_owned(),
        "GET /health\r\n\r\n".to_owned(),
        "GET /health HTTP/1.0\r\n\r\n".to_owned(),
        "GET /health HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /health HTTP/1.1\nhost: {address}\n\n"),
        format!("GET /he\0alth HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        format!("GET health HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        format!("GET * HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        format!("CONNECT {address} HTTP/1.1\r\nhost: {address}\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nhost: {address}\r\nhost: evil.example\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nhost : {address}\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nhost: {address}\r\n folded: x\r\n\r\n"),
        format!(
            "GET /health HTTP/1.1\r\nhost: {address}\r\n{}\r\n",
            "a: b\r\n".repeat(1_000)
        ),
        format!(
            "GET /health HTTP/1.1\r\nhost: {address}\r\na: {}\r\n\r\n",
            "b".repeat(1_000_000)
        ),
        format!("GET /{} HTTP/1.1\r\nhost: {address}\r\n\r\n", "a".repeat(200_000)),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned() + &"\0".repeat(100),
        post("content-length: -1\r\n", ""),
        post("content-length: 99999999999999999999999\r\n", ""),
        post("content-length: 1\r\ncontent-length: 2\r\n", "ab"),
        post(
            "content-length: 5\r\ntransfer-encoding: chunked\r\n",
            "0\r\n\r\nGET /health HTTP/1.1\r\n\r\n",
        ),
        post("transfer-encoding: chunked\r\n", "zz\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "ffffffffffffffffff\r\n\r\n"),
        post("transfer-encoding: chunked\r\n", "5\r\nab"),
        post("transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        post("transfer-encoding: identity\r\n", "x"),
        post("content-length: 10\r\n", "short"),
    ]
    .map(String::into_bytes)
    .to_vec();
    raw.extend([
        vec![0; 10_000],
        vec![0xff; 10_000],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
    ]);
    for bytes in raw {
        let shown: String = String::from_utf8_lossy(&bytes).chars().take(120).collect();
        let begin = now();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(SLOW)).unwrap();
        // The server may hang up in the middle of it.
        stream
            .write_all(&bytes)
            .and_then(|()| stream.shutdown(Shutdown::Write))
            .ok();
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("{error} for {shown:?}"),
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer} for {shown:?}");
        assert!(begin.elapsed() < SLOW, "{:?} for {shown:?}", begin.elapsed());
        // A second request hidden in the first is answered to nobody.
        assert!(answer.matches("HTTP/1.1 200").count() <= 1, "{answer}");
    }
    still_works(&place, platform);
}
