//! The VC API of the sample and of an operator, as a test suite and as a command use it.

use std::fs;
use std::process::Command;

use e2e::Place;
use e2e::Platform;
use e2e::Request;
use serde_json::Value;
use serde_json::json;

/// Suites with selective disclosure.
const SELECTIVE: [&str; 2] = ["bbs-2023", "ecdsa-sd-2023"];

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "urn:uuid:86294362-4254-4f36-854f-3952fe42555d",
        "type": ["VerifiableCredential"],
        "credentialSubject": {"id": "did:example:subject", "name": "Alice"},
    })
}

fn issue(platform: &Platform, instance: &str) -> Value {
    let path = format!("/vc-api/{instance}/credentials/issue");
    let request = Request::post_json(&path, &json!({"credential": document()}));
    platform.client().send(&request).expect(201)
}

/// What a holder shows of a credential with a base proof.
fn derive(platform: &Platform, credential: &Value) -> Value {
    let body =
        json!({"verifiableCredential": credential, "options": {"selectivePointers": ["/credentialSubject/name"]}});
    let request = Request::post_json("/vc-api/verifier/credentials/derive", &body);
    platform.client().send(&request).expect(201)
}

fn verify(platform: &Platform, credential: &Value) -> (u16, Value) {
    let body = json!({"verifiableCredential": credential, "options": {"checks": ["proof"]}});
    let request = Request::post_json("/vc-api/verifier/credentials/verify", &body);
    let answer = platform.client().send(&request);
    (answer.status, answer.json())
}

#[test]
fn a_test_suite_drives_the_sample_without_a_token() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let listed = platform.client().admin_get("/vc-api/instances").expect(200);
    let instances = listed["instances"].as_array().unwrap();
    assert_eq!(instances.len(), 12, "{listed}");
    for instance in instances {
        let name = instance["name"].as_str().unwrap();
        assert!(instance["id"].as_str().unwrap().starts_with("did:key:z"), "{name}");
        let credential = issue(&platform, name);
        let shown = if SELECTIVE.contains(&instance["suite"].as_str().unwrap()) {
            // A base proof is for the holder, who derives from it what others see.
            assert_eq!(verify(&platform, &credential).1["verified"], false, "{name}");
            derive(&platform, &credential)
        } else {
            credential
        };
        assert_eq!(verify(&platform, &shown).1["verified"], true, "{name}");
    }
    // One is revoked.
    let credential = issue(&platform, "eddsa-rdfc-2022");
    let status = json!({
        "credentialId": credential["id"],
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        "status": true,
    });
    let request = Request::post_json("/vc-api/eddsa-rdfc-2022/credentials/status", &status);
    let _ = platform.client().send(&request).expect(200);
    let (status, answer) = verify(&platform, &credential);
    assert_eq!((status, &answer["verified"]), (400, &json!(false)));
    // A context that nobody knows is the caller's fault.
    let mut unknown = document();
    unknown["@context"] = json!(["https://www.w3.org/ns/credentials/v2", "https://unknown.example/v1"]);
    let path = "/vc-api/eddsa-rdfc-2022/credentials/issue";
    let request = Request::post_json(path, &json!({"credential": unknown}));
    assert_eq!(platform.client().send(&request).status, 400);
    platform.stop();

    // All of it is there again, and the revocation; but only `--sample` opens it to programs without a token.
    let platform = place.up(&[]);
    let path = "/vc-api/verifier/credentials/verify";
    let body = json!({"verifiableCredential": credential});
    assert_eq!(platform.client().send(&Request::post_json(path, &body)).status, 401);
    assert_eq!(
        platform.client().admin_post(path, &body).problem(),
        (400, "revoked".to_owned())
    );
    platform.stop();
}

#[test]
fn a_schema_of_the_registry_is_evaluated() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let with_schema = |id: &str| {
        let mut document = document();
        document["credentialSchema"] = json!({"id": id, "type": "JsonSchema"});
        let path = "/vc-api/eddsa-rdfc-2022/credentials/issue";
        let request = Request::post_json(path, &json!({"credential": document}));
        verify(&platform, &platform.client().send(&request).expect(201))
    };
    // It describes the claims of another type alone, and allows no other members.
    let (status, answer) = with_schema("https://attestry.example/types/PersonIdentity/schema.json");
    assert_eq!(status, 400, "{answer}");
    assert!(
        answer["type"].as_str().unwrap().ends_with("/schema-failure"),
        "{answer}"
    );
    let (status, answer) = with_schema("https://attestry.example/types/Nothing/schema.json");
    assert_eq!(status, 200, "{answer}");
    assert!(
        answer["problemDetails"].to_string().contains("schema-indeterminate"),
        "{answer}"
    );
    platform.stop();
}

#[test]
fn a_status_list_is_served_over_https() {
    let place = Place::new();
    let platform = place.up(&["--sample", "--tls-self-signed=127.0.0.1:0"]);
    let credential = issue(&platform, "eddsa-rdfc-2022");
    let list = credential["credentialStatus"]["statusListCredential"].as_str().unwrap();
    assert!(list.starts_with("https://127.0.0.1:"), "{list}");
    let output = Command::new("curl").args(["--silent", "--insecure", list]).output();
    match output {
        Err(_) => println!("skipped: no curl here"),
        Ok(output) => {
            let list: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(list["credentialSubject"]["type"], "BitstringStatusList");
            assert_eq!(verify(&platform, &list).1["verified"], true);
        }
    }
    platform.stop();
}

#[test]
fn an_operator_adds_instances() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let add = |arguments: &[&str]| platform.run(&place, &[&["issuer", "add"], arguments].concat());
    let suite = ["--suite", "eddsa-jcs-2022", "--curve", "ed25519"];
    let added = add(&[&["--did", "webvh", "--name", "degrees"], &suite[..]].concat());
    let did = added.expect(0)["id"].as_str().unwrap().to_owned();
    assert!(did.starts_with("did:webvh:"), "{did}");
    // It needs the token, and its DID is in the log.
    let path = "/vc-api/degrees/credentials/issue";
    let body = json!({"credential": document()});
    assert_eq!(platform.client().send(&Request::post_json(path, &body)).status, 401);
    let credential = platform.client().admin_post(path, &body).expect(201);
    assert_eq!(credential["issuer"], did);
    assert_eq!(verify(&platform, &credential).1["verified"], true);
    // Names are given once, suites and curves fit, and a did:web has an https URL.
    let _ = add(&[&["--did", "key", "--name", "degrees"], &suite[..]].concat()).expect(2);
    let _ = add(&["--did", "key", "--suite", "eddsa-jcs-2022", "--curve", "p256"]).expect(2);
    let _ = add(&[&["--did", "web", "--name", "web"], &suite[..]].concat()).expect(2);
    let listed = platform.run(&place, &["issuer", "list"]);
    let names = |listed: &Value| {
        let rows = listed["instances"].as_array().unwrap();
        rows.iter().any(|row| row["name"] == "degrees")
    };
    assert!(names(listed.expect(0)));
    platform.stop();
    let platform = place.up(&["--sample"]);
    assert!(names(&platform.client().admin_get("/vc-api/instances").expect(200)));
    assert_eq!(verify(&platform, &credential).1["verified"], true);
    platform.stop();
}

#[test]
fn a_did_web_is_served_where_it_says() {
    let place = Place::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let listen = format!("127.0.0.1:{port}");
    let public = ["--public-url", "https://attestry.example"];
    let platform = place.up(&[&["--sample", "--listen", &listen][..], &public].concat());
    let added = platform.client().send(
        &Request::post_json(
            "/admin/vc-api/instances",
            &json!({"did": "web", "suite": "vc-jwt", "curve": "p256", "name": "one"}),
        )
        .header("host", "attestry.example")
        .bearer(platform.client().token()),
    );
    assert_eq!(added.expect(201)["id"], "did:web:attestry.example:vc-api:one");
    let request = Request::get("/vc-api/one/did.json").header("host", "attestry.example");
    let document = platform.client().send(&request).expect(200);
    assert_eq!(document["id"], "did:web:attestry.example:vc-api:one");
    assert_eq!(
        document["assertionMethod"],
        json!(["did:web:attestry.example:vc-api:one#key-1"])
    );
    platform.stop();
}

/// A verification method of W3C's suite for VC-JOSE-COSE.
const KEY: &str = r#"{
    "id": "https://example.issuer/vc-jose-cose#key-1",
    "type": "JsonWebKey",
    "controller": "https://example.issuer/vc-jose-cose",
    "publicKeyJwk": {
        "crv": "P-256", "kty": "EC",
        "x": "WfTi93YuhsQxKbD0ftnjOXJndqhnJ5kgDV-ZDGyrhBQ", "y": "qUd_55EjX0mjKZ6W6mF4UXVYTQ41K6jfdnYFwN5uPyk"
    },
    "secretKeyJwk": {
        "crv": "P-256", "kty": "EC", "d": "J_a5KH6A2Ru7iOAzvUkQEjKCJQCdxUXVajaW3CaPORs",
        "x": "WfTi93YuhsQxKbD0ftnjOXJndqhnJ5kgDV-ZDGyrhBQ", "y": "qUd_55EjX0mjKZ6W6mF4UXVYTQ41K6jfdnYFwN5uPyk"
    }
}"#;

#[test]
fn jose_issues_and_verifies_from_files() {
    let place = Place::new();
    let run = |action: &str, input: &str, feature: &str| {
        let arguments = [
            "jose",
            action,
            "--input",
            input,
            "--key",
            "key.json",
            "--feature",
            feature,
        ];
        place.run(&arguments)
    };
    let mut document = document();
    document["issuer"] = json!("https://example.issuer/vc-jose-cose");
    fs::write(place.path("key.json"), KEY).unwrap();
    fs::write(place.path("credential.json"), document.to_string()).unwrap();
    let issued = run("issue", "credential.json", "credential_jose");
    assert_eq!(issued.expect(0)["result"], "success");
    let jwt = issued.value["data"].as_str().unwrap();
    fs::write(place.path("credential.txt"), jwt).unwrap();
    assert_eq!(
        run("verify", "credential.txt", "credential_jose").expect(0)["result"],
        "success"
    );
    // Presented, and read back.
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": "https://example.issuer/vc-jose-cose",
        "verifiableCredential": [{
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": format!("data:application/vc+jwt,{jwt}"),
        }],
    });
    fs::write(place.path("presentation.json"), presentation.to_string()).unwrap();
    let issued = run("issue", "presentation.json", "presentation_jose");
    fs::write(
        place.path("presentation.txt"),
        issued.expect(0)["data"].as_str().unwrap(),
    )
    .unwrap();
    let verified = run("verify", "presentation.txt", "presentation_jose");
    assert_eq!(verified.expect(0)["result"], "success");
    // The other mechanisms.
    for mechanism in ["sdjwt", "cose"] {
        for (input, kind) in [("credential.json", "credential"), ("presentation.json", "presentation")] {
            let feature = format!("{kind}_{mechanism}");
            let issued = run("issue", input, &feature);
            fs::write(place.path("secured.txt"), issued.expect(0)["data"].as_str().unwrap()).unwrap();
            let verified = run("verify", "secured.txt", &feature);
            assert_eq!(verified.expect(0)["result"], "success", "{feature}");
            let as_jose = run("verify", "secured.txt", &format!("{kind}_jose"));
            assert_eq!(as_jose.expect(1)["result"], "failure", "{feature}");
        }
    }
    let selective = |paths: &str| {
        let arguments = ["jose", "issue", "--input", "credential.json", "--key", "key.json"];
        place.run(&[&arguments[..], &["--feature", "credential_sdjwt", "--sd", paths]].concat())
    };
    let issued = selective(r#"["credentialSubject.name"]"#);
    let data = issued.expect(0)["data"].as_str().unwrap();
    // The JWT, one disclosure, and nothing behind the last tilde.
    assert_eq!(data.split('~').count(), 3);
    let _ = selective(r#"["credentialSubject.missing"]"#).expect(2);
    assert_eq!(selective(r#"["issuer"]"#).expect(1)["result"], "failure");
    // One is not the other, a changed one is none, and what is not there is not guessed.
    assert_eq!(
        run("verify", "presentation.txt", "credential_jose").expect(1)["result"],
        "failure"
    );
    fs::write(place.path("changed.txt"), jwt.replacen('.', ".e", 1)).unwrap();
    assert_eq!(
        run("verify", "changed.txt", "credential_jose").expect(1)["result"],
        "failure"
    );
    assert_eq!(
        run("issue", "key.json", "credential_jose").expect(1)["result"],
        "failure"
    );
    let _ = run("verify", "credential.txt", "credential_pgp").expect(2);
}
