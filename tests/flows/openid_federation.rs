//! The sample nation as a federation of OpenID Federation: agencies under a public https URL, resolved by the registry.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use e2e::Place;
use keys::jws::UnverifiedJws;
use serde_json::Value;
use trust::federation::CONFIGURATION_PATH;
use trust::federation::ENTITY_STATEMENT;
use trust::federation::Federation;
use trust::federation::RESOLVE_RESPONSE;

/// A certificate that stands for itself: TLS libraries take no authority for a server.
const CERTIFICATE: &str = "[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\n[dn]\nCN=localhost\n\
                           [v3]\nsubjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\n";

/// What a tool of the system prints; none where it is missing.
fn tool(place: &Place, program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(place.path(""))
        .output();
    let Ok(output) = output else {
        println!("skipped: no {program} here");
        return None;
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {stderr}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn claims(jwt: &str) -> Value {
    let jws = UnverifiedJws::parse(jwt, 1 << 20).unwrap();
    serde_json::from_slice(jws.unverified_payload()).unwrap()
}

fn chain_of(resolved: &Value) -> Vec<&str> {
    let chain = resolved["trust_chain"].as_array().unwrap();
    chain.iter().filter_map(Value::as_str).collect()
}

fn encoded(identifier: &str) -> String {
    identifier.replace(':', "%3A").replace('/', "%2F")
}

#[test]
fn an_agency_is_resolved_up_to_the_registry() {
    let place = Place::new();
    std::fs::write(place.path("openssl.cnf"), CERTIFICATE).unwrap();
    let make = "req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                -keyout key.pem -out chain.pem";
    let arguments: Vec<&str> = make.split_whitespace().collect();
    if tool(&place, "openssl", &arguments).is_none() {
        return;
    }
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (listen, anchor) = (free.to_string(), format!("https://localhost:{}", free.port()));
    let arguments = [
        "--sample",
        "--listen",
        &listen,
        "--public-url",
        &anchor,
        "--tls-certificate",
        "chain.pem",
        "--tls-key",
        "key.pem",
    ];
    // The platform asks its own agencies over https, and so must trust its certificate.
    let chain = place.path("chain.pem");
    let platform = place.up_with(&arguments, &[("SSL_CERT_FILE", chain.to_str().unwrap())]);
    let ask = |path: &str| {
        let url = format!("{anchor}{path}");
        let arguments = ["--silent", "--max-time", "20", "--cacert", "chain.pem", &url];
        tool(&place, "curl", &arguments)
    };
    let agency = format!("{anchor}/issuers/population");
    let query = format!("sub={}&trust_anchor={}", encoded(&agency), encoded(&anchor));
    let resolve = format!("/federation/resolve?{query}&entity_type=openid_credential_issuer");
    if ask("/health").is_none() {
        return;
    }
    // While the nation is young, other statements may be made between two answers.
    let same_time = |content: &Value, chain: &[&str], statement: &str, configuration: &str| {
        let time = &content["trust_anchor"]["iat"];
        let told = chain.iter().skip(1).copied().chain([statement, configuration]);
        told.map(claims).all(|claims| claims["iat"] == *time)
    };
    let (content, response, statement, configuration) = e2e::eventually(
        "statements of one time about four agencies",
        Duration::from_secs(20),
        || {
            let content = ask("/export/openid-federation.json")?;
            let parsed: Value = serde_json::from_str(&content).ok()?;
            let response = ask(&resolve).filter(|response| !response.contains("not_found"))?;
            let statement = ask(&format!("/federation/fetch?sub={}", encoded(&agency)))?;
            let configuration = ask(CONFIGURATION_PATH)?;
            let resolved = claims(&response);
            let is_whole = parsed["subordinate_statements"].as_array()?.len() == 4;
            let is_one = same_time(&parsed, &chain_of(&resolved), &statement, &configuration);
            (is_whole && is_one).then_some((content, response, statement, configuration))
        },
    );
    let resolved = claims(&response);
    assert_eq!(resolved["iss"], anchor);
    assert_eq!(resolved["sub"], agency);
    let metadata: Value =
        serde_json::from_str(&ask("/.well-known/openid-credential-issuer/issuers/population").unwrap()).unwrap();
    let found = &resolved["metadata"]["openid_credential_issuer"];
    assert_eq!(found["credential_endpoint"], metadata["credential_endpoint"]);
    assert_eq!(resolved["metadata"].as_object().unwrap().len(), 1);
    let chain = chain_of(&resolved);
    assert_eq!(claims(chain[0])["sub"], agency);
    assert_eq!(chain[1..], [&*statement, &*configuration]);
    // All of it is signed with the key that the registry has committed to.
    let federation = Federation::parse(content.as_bytes()).unwrap();
    assert_eq!(Value::from(federation.anchor().clone()), claims(chain[2]));
    let jwk = keys::Jwk::from_value(&federation.anchor()["jwks"]["keys"][0]).unwrap();
    let key = keys::PublicKey::from_jwk(&jwk).unwrap();
    for (jwt, typ) in [
        (chain[1], ENTITY_STATEMENT),
        (chain[2], ENTITY_STATEMENT),
        (&response, RESOLVE_RESPONSE),
    ] {
        let verified = UnverifiedJws::parse(jwt, 1 << 20).unwrap().verify(&key).unwrap();
        verified.header().expect_typ(typ).unwrap();
        assert_eq!(verified.header().kid(), jwk.kid.as_deref());
    }
    platform.stop();
}
