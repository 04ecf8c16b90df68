//! `attestry verify --trust-anchor`: a verifier without a registry, which chose an authority or an issuer itself.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::Outcome;
use e2e::Place;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::jws;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Role;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

const ISSUER: &str = "https://university.example";
const DEGREE: &str = "urn:example:degree";

fn key(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::Es256, &[number; 32]).unwrap()
}

fn sign(key: &SoftwareKey, header: &Value, payload: &Value) -> String {
    let header: Map<String, Value> = header.as_object().unwrap().clone();
    let request = jws::sign(header, payload.to_string().as_bytes(), Algorithm::Es256);
    key.fulfil(request).unwrap()
}

/// A certificate by the authority, good for a day.
fn certificate(role: Role, subject: &PublicKey, now: keys::Timestamp) -> Vec<u8> {
    let (authority, name) = (key(1), |common_name| Name {
        country: "XA",
        common_name,
    });
    let new = NewCertificate {
        subject: name(if role == Role::Iaca { "Authority" } else { "University" }),
        key: subject,
        issuer: name("Authority"),
        issuer_key: authority.public_key(),
        role,
        valid_from: now.minus(3_600),
        valid_until: now.plus(86_400),
        issuer_url: "https://authority.example",
        revocation_list_url: "https://authority.example/crl",
        subject_uri: Some(ISSUER),
    };
    authority.fulfil(new.issue(&mut signer::os_rng())).unwrap()
}

fn write(place: &Place, name: &str, value: &Value) -> String {
    let path = place.path(name);
    fs::write(&path, value.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_issuer_that_the_verifier_chose_is_verified_without_a_registry() {
    let place = Place::new();
    let now = server::Clock::System.now();
    let query = json!({"credentials": [
        {"id": "degree", "format": "dc+sd-jwt", "meta": {"vct_values": [DEGREE]}, "claims": [{"path": ["degree"]}]}
    ]});
    let query = write(&place, "query.json", &query);
    let request = place.path("request.json").to_str().unwrap().to_owned();
    let asked = ["verifier", "request", "--offline", "--query", &query, "--out", &request];
    let client_id = place.run(&asked).expect(0)["client_id"].clone();
    let file: Value = serde_json::from_slice(&fs::read(&request).unwrap()).unwrap();
    let payload = file["request"].as_str().unwrap().split('.').nth(1).unwrap();
    let asked: Value = serde_json::from_slice(&keys::base64url::decode(payload).unwrap()).unwrap();

    let (university, wallet) = (key(2), key(3));
    let leaf = certificate(Role::DocumentSigner, university.public_key(), now);
    let claims = json!({
        "iss": ISSUER, "vct": DEGREE, "iat": now.unix(), "degree": "MSc",
        "cnf": {"jwk": wallet.public_key().to_jwk().to_value()},
    });
    let header = json!({"typ": "dc+sd-jwt", "x5c": [STANDARD.encode(leaf)]});
    let credential = format!("{}~", sign(&university, &header, &claims));
    let bound = json!({
        "aud": client_id, "nonce": asked["nonce"], "iat": now.unix(),
        "sd_hash": keys::base64url::encode(keys::sha256(credential.as_bytes())),
    });
    let token = format!("{credential}{}", sign(&wallet, &json!({"typ": "kb+jwt"}), &bound));
    let answer = json!({
        "attestry": "presentation/1", "request": file["request"], "response": {"vp_token": {"degree": [token]}},
    });
    let presentation = write(&place, "presentation.json", &answer);

    let root = certificate(Role::Iaca, key(1).public_key(), now);
    let anchors = |name: &str, anchor: Value| {
        let file = json!({"attestry": "trust-anchors/1", "anchors": [anchor]});
        write(&place, name, &file)
    };
    let authority = |types: &[&str]| json!({"certificate": STANDARD.encode(&root), "types": types});
    let verify = |anchors: &str| -> Outcome {
        place.run(&[
            "verify",
            "--trust-anchor",
            anchors,
            "--request",
            &request,
            &presentation,
        ])
    };
    let by_authority = anchors("authority.json", authority(&[DEGREE]));
    let verdict = verify(&by_authority).expect(0).clone();
    assert_eq!(
        (&verdict["verdict"], &verdict["claims"]["degree"]),
        (&json!("valid"), &json!("MSc"))
    );
    assert_eq!(verdict["issuer"]["id"], ISSUER);
    let jwk = university.public_key().to_jwk().to_value();
    let metadata =
        json!({"issuer": ISSUER, "metadata": {"issuer": ISSUER, "jwks": {"keys": [jwk]}}, "types": [DEGREE]});
    let verdict = verify(&anchors("metadata.json", metadata)).expect(0).clone();
    assert_eq!(verdict["issuer"]["trust_anchor"], ISSUER);
    let other = anchors("other.json", authority(&["urn:example:other"]));
    assert_eq!(verify(&other).expect(1)["verdict"], "refused");

    // A file that is none, and nothing to trust at all, are wrong use.
    let broken = anchors("broken.json", json!({"types": [DEGREE]}));
    assert_eq!(verify(&broken).code, 2);
    assert_eq!(place.run(&["verify", "--request", &request, &presentation]).code, 2);
}
