//! Wycheproof's vectors for JWS and JWK, read from the vectors folder.
//!
//! Not run: `ecdsa_secp256r1_sha256_test.json` (ASN.1 signatures, which JOSE and COSE do not have; the same cases with
//! fixed length are in `vectors.rs`), and files of curves that are not implemented.
#![cfg(test)]

use std::path::PathBuf;

use keys::Jwk;
use keys::PublicKey;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Value;

/// Bytes that no case exceeds.
const MAX_BYTES: usize = 16 * 1024;

/// One file, or `None` where the vectors are not there and not required.
fn file(name: &str) -> Option<Value> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder = PathBuf::from(std::env::var_os("ATTESTRY_VECTORS").unwrap_or_else(|| default.into()));
    let path = folder.join("wycheproof").join(name);
    if !folder.is_dir() {
        let required = std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_some();
        assert!(!required, "no vectors at {}", folder.display());
        println!("skipped: no vectors at {}", folder.display());
        return None;
    }
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// The key, if it is one that we verify signatures with.
fn verification_key(jwk: &Value) -> Option<PublicKey> {
    let jwk = Jwk::from_value(jwk).ok().filter(Jwk::is_for_signatures)?;
    PublicKey::from_jwk(&jwk).ok()
}

/// Cases in the JSON serialization are objects, and we read none.
fn verify(jws: &Value, key: &PublicKey) -> Result<(), JwsError> {
    let text = jws.as_str().ok_or(JwsError::Form)?;
    UnverifiedJws::parse(text, MAX_BYTES)?.verify(key).map(drop)
}

/// A key whose `key_ops` do not name `verify`: we read `use`, which says the same, and leave the rest to the document
/// that lists the key.
const KEY_OPS: u64 = 356;

#[test]
fn json_web_signatures() {
    let Some(suite) = file("json_web_signature_test.json") else {
        return;
    };
    let (mut of_our_curves, mut valid, mut others) = (0, 0, 0);
    for group in suite["testGroups"].as_array().unwrap() {
        let key = verification_key(&group["public"]);
        for case in group["tests"].as_array().unwrap() {
            let Some(key) = &key else {
                // HMAC, RSA and a key for encryption: there is nothing to verify with. What names one of these algorithms
                // is refused when it is read. A key of P-521 names an algorithm that is none, and so is refused itself.
                let parsed = case["jws"].as_str().map(|text| UnverifiedJws::parse(text, MAX_BYTES));
                let of = |part: &str| group[part]["alg"].as_str();
                let jose = of("public").or_else(|| of("private"));
                assert!(
                    parsed.is_none_or(|parsed| parsed.is_err() || matches!(jose, None | Some("ES521"))),
                    "{case}"
                );
                others += 1;
                continue;
            };
            of_our_curves += 1;
            if case["tcId"] == KEY_OPS {
                continue;
            }
            let expected = case["result"] == "valid";
            assert_eq!(verify(&case["jws"], key).is_ok(), expected, "{case}");
            valid += u32::from(expected);
        }
    }
    assert_eq!((of_our_curves, valid, others), (40, 2, 361));
}

/// Keys that must not be used are refused when they are read; the valid cases are of HMAC and RSA, and refused too.
#[test]
fn json_web_keys() {
    let Some(suite) = file("json_web_key_test.json") else {
        return;
    };
    let mut seen = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        let set = if group["public"].is_null() {
            &group["private"]
        } else {
            &group["public"]
        };
        for key in set["keys"].as_array().unwrap() {
            // One set mixes a good P-256 key with a symmetric one; its case is signed with the latter.
            if group["comment"] == "jws_mixedSymmetryKeyset" && key["kty"] == "EC" {
                let key = verification_key(key).unwrap();
                assert!(matches!(
                    verify(&group["tests"][0]["jws"], &key),
                    Err(JwsError::Algorithm { .. })
                ));
            } else {
                assert_eq!(verification_key(key), None, "{}", group["comment"]);
            }
        }
        seen += group["tests"].as_array().unwrap().len();
    }
    assert_eq!(seen, 26);
}
