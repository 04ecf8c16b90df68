//! The JOSE cases of the W3C test suite for VC-JOSE-COSE.

use std::fs;
use std::path::Path;

use credential::Transaction;
use credential::Unverified;
use credential::VcJwt;
use credential::vc_jwt;
use credential::vc_jwt::UnverifiedPresentation;
use keys::Jwk;
use keys::PublicKey;
use keys::Timestamp;
use serde_json::Value;
use signer::SoftwareKey;

use crate::vectors;

const ISSUER: &str = "https://example.issuer/vc-jose-cose";
const NOW: Timestamp = Timestamp::from_unix(1_734_300_000);

/// Cases whose key is on a curve that we do not implement (P-384, P-521) but which must succeed.
const OTHER_CURVES: [u64; 3] = [2, 4, 7];

/// Asks that unknown properties are refused although a context with `@vocab` defines them all. VC-JOSE-COSE
/// itself says that they are ignored.
const UNKNOWN_EXTENSION: u64 = 5;

fn public_key(path: &Path) -> Option<PublicKey> {
    let method = vectors::json(&path.to_path_buf());
    PublicKey::from_jwk(&Jwk::from_value(&method["publicKeyJwk"]).unwrap()).ok()
}

fn secret_key(path: &Path) -> SoftwareKey {
    let method = vectors::json(&path.to_path_buf());
    let secret = keys::base64url::decode(method["secretKeyJwk"]["d"].as_str().unwrap()).unwrap();
    let algorithm = public_key(path).unwrap().algorithm();
    SoftwareKey::from_secret(algorithm, &secret).unwrap()
}

fn issue(input: &str, key: &Path) -> bool {
    let Ok(Value::Object(document)) = serde_json::from_str(input) else {
        return false;
    };
    let key = secret_key(key);
    let algorithm = keys::Signer::public_key(&key).algorithm();
    let Ok(request) = vc_jwt::issue(document, &format!("{ISSUER}#key-1"), algorithm) else {
        return false;
    };
    verify(
        &keys::signing::fulfil(&key, request).unwrap(),
        keys::Signer::public_key(&key),
    )
}

fn verify(input: &str, key: &PublicKey) -> bool {
    let parsed = Unverified::<VcJwt>::parse(input.trim());
    parsed.and_then(|parsed| parsed.authenticate(key, ISSUER, NOW)).is_ok()
}

fn verify_presentation(input: &str, key: &PublicKey) -> bool {
    let transaction = Transaction {
        audience: "",
        nonce: "",
        now: NOW,
        max_age: i64::MAX,
    };
    let parsed = UnverifiedPresentation::parse(input.trim());
    parsed
        .and_then(|parsed| parsed.authenticate(key, ISSUER, &transaction))
        .is_ok()
}

#[test]
fn jose_cases_of_the_test_suite() {
    let Some(root) = vectors::folder("vc-jose-cose-inputs") else {
        return;
    };
    let cases = vectors::json(&root.join("cases.json"));
    let mut run = Vec::new();
    for (name, case) in cases.as_object().unwrap() {
        let text = |member: &str| case[member].as_str().unwrap();
        let number = case["number"].as_u64().unwrap();
        if !text("feature").ends_with("jose") || OTHER_CURVES.contains(&number) || number == UNKNOWN_EXTENSION {
            continue;
        }
        let input = fs::read_to_string(root.join("input").join(text("input_file"))).unwrap();
        let key = root.join("input").join(text("key_file"));
        let passed = match (text("fn"), text("feature"), public_key(&key)) {
            ("issue", "credential_jose", Some(_)) => issue(&input, &key),
            ("verify", "credential_jose", Some(key)) => verify(&input, &key),
            ("verify", "presentation_jose", Some(key)) => verify_presentation(&input, &key),
            // What a holder presents is made from held credentials, see the unit tests.
            ("issue", "presentation_jose", _) => continue,
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(passed, text("expected_result") == "success", "{name}");
        run.push(number);
    }
    run.sort_unstable();
    assert_eq!(run, [1, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
}
