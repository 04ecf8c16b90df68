//! Wycheproof's JWE vectors, as far as they concern `ECDH-ES` on P-256 with AES-GCM.
#![cfg(test)]

use std::path::PathBuf;

use keys::base64url;
use keys::jwe;
use keys::jwe::DecryptionKey;
use keys::jwe::JweError;
use serde_json::Value;

#[test]
fn wycheproof_ecdh_es_direct() {
    let Some(vectors) = vectors("wycheproof/json_web_encryption_test.json") else {
        return;
    };
    let mut decrypted = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let private = &group["private"];
        if private["crv"] != "P-256" {
            continue;
        }
        let key = base64url::decode(private["d"].as_str().unwrap()).unwrap();
        let key = DecryptionKey::from_bytes(&key.try_into().unwrap()).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let found = jwe::decrypt(test["jwe"].as_str().unwrap(), &key, 1 << 16);
            let ours = private["alg"] == "ECDH-ES" && (test["enc"] == "A128GCM" || test["enc"] == "A256GCM");
            if ours && test["result"] == "valid" {
                assert_eq!(
                    found.as_deref().map(hex),
                    Ok(test["pt"].as_str().unwrap().to_owned()),
                    "{test}"
                );
                decrypted += 1;
            } else if test["result"] == "valid" {
                assert!(
                    matches!(found, Err(JweError::Algorithm { .. } | JweError::Malformed { .. })),
                    "{test}"
                );
            } else {
                assert!(found.is_err(), "{test}");
            }
        }
    }
    assert!(
        decrypted >= 2,
        "the vectors have A128GCM and A256GCM, found {decrypted} that decrypt"
    );
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The parsed vector file; `None`, said aloud, where there are no vectors and none are demanded.
fn vectors(file: &str) -> Option<Value> {
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let path = root.join(file);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(_) if std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none_or(|required| required != "1") => {
            println!("skipped: no vectors at {}", path.display());
            None
        }
        Err(error) => panic!("expected vectors at {}: {error}", path.display()),
    }
}
