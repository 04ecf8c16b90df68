//! `did:key` vectors of its test suite, and the documents in the reports of the DID Core test suite.
#![cfg(test)]

use std::fs;
use std::path::PathBuf;

use did::Did;
use did::DidUrl;
use did::Document;
use did::Purpose;
use did::methods::key;
use did::methods::key::DidKeyError;
use keys::Jwk;
use keys::KeyError;
use keys::PublicKey;
use keys::multibase;
use serde_json::Value;

#[test]
fn keys_of_every_kind_that_we_have_resolve() {
    let Some(root) = vectors("did-key") else { return };
    let mut resolved = 0;
    for file in ["bls12381.json", "ed25519-x25519.json", "nist-curves.json"] {
        for (did, vector) in members(&root.join(file)) {
            let did = Did::parse(&did).unwrap();
            let method = &vector["didDocument"]["verificationMethod"][0];
            let Some(expected) = expected_key(method) else {
                assert!(is_unsupported(&did), "{did}");
                continue;
            };
            let id = DidUrl::parse(method["id"].as_str().unwrap()).unwrap();
            let document = key::resolve(&did).unwrap();
            for purpose in [Purpose::AssertionMethod, Purpose::Authentication] {
                assert_eq!(document.key_for(&id, purpose).unwrap(), expected, "{did}");
            }
            resolved += 1;
        }
    }
    assert!(
        resolved == 17,
        "expected five keys of BLS12-381, five Ed25519, three P-256, two P-384 and two P-521, found {resolved}"
    );
}

#[test]
fn other_kinds_of_key_are_told_apart_from_broken_ones() {
    let Some(root) = vectors("did-key") else { return };
    let mut refused = 0;
    for file in ["rsa.json", "secp256k1.json", "x25519.json"] {
        let mut vectors = members(&root.join(file));
        // One file has its vectors one level deeper.
        if let Some(Value::Object(inner)) = vectors.remove("didDocument") {
            vectors = inner;
        }
        for (did, _) in vectors {
            assert!(is_unsupported(&Did::parse(&did).unwrap()), "{did}");
            refused += 1;
        }
    }
    assert!(refused == 12, "found {refused}");
}

#[test]
fn documents_of_many_methods_parse() {
    let Some(root) = vectors("did-core-suite") else { return };
    let mut parsed = 0;
    for entry in fs::read_dir(root).unwrap() {
        let report: Value =
            serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap_or_default()).unwrap_or_default();
        for did in report["dids"].as_array().into_iter().flatten() {
            let did = did.as_str().unwrap();
            let properties = report[did]["didDocumentDataModel"]["properties"].clone();
            if properties.is_object() {
                let document = Document::from_value(properties).unwrap_or_else(|error| panic!("{did}: {error}"));
                document.expect_id(&Did::parse(did).unwrap()).unwrap();
                parsed += 1;
            }
        }
    }
    assert!(parsed >= 15, "found only {parsed} documents");
}

/// The first key of the vector's document, if it is of a kind that we implement.
fn expected_key(method: &Value) -> Option<PublicKey> {
    match method["type"].as_str().unwrap() {
        "Ed25519VerificationKey2018" => {
            let bytes = multibase::base58btc_decode(method["publicKeyBase58"].as_str().unwrap()).unwrap();
            Some(PublicKey::from_ed25519(&bytes.try_into().unwrap()).unwrap())
        }
        "JsonWebKey2020" => {
            let jwk = Jwk::from_value(&method["publicKeyJwk"]).unwrap();
            matches!(jwk.crv.as_str(), "Ed25519" | "P-256" | "P-384" | "P-521")
                .then(|| PublicKey::from_jwk(&jwk).unwrap())
        }
        "Bls12381G2Key2020" => {
            let bytes = multibase::base58btc_decode(method["publicKeyBase58"].as_str().unwrap()).unwrap();
            Some(PublicKey::from_bls12381_g2(&bytes).unwrap())
        }
        "P256Key2021" => {
            let bytes = multibase::base58btc_decode(method["publicKeyBase58"].as_str().unwrap()).unwrap();
            Some(PublicKey::from_p256_sec1(&bytes).unwrap())
        }
        other => panic!("expected a type that the vectors are known to have, found {other}"),
    }
}

/// Keys of 4096-bit RSA are beyond any that we decode at all.
fn is_unsupported(did: &Did) -> bool {
    use multibase::MultibaseError::TooLong;
    matches!(
        key::public_key(did),
        Err(DidKeyError::Key(
            KeyError::Unsupported { .. } | KeyError::Multibase(TooLong { .. })
        ))
    )
}

fn members(path: &PathBuf) -> serde_json::Map<String, Value> {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The folder of vectors; `None`, said aloud, where there are no vectors and none are demanded.
fn vectors(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors")),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none_or(|required| required != "1"),
        "no vectors at {}",
        path.display()
    );
    println!("skipped: no vectors at {}", path.display());
    None
}
