//! RFC 8785, COSE and Wycheproof vectors, read from the vectors folder.
#![cfg(test)]

#[path = "../src/counter.rs"]
mod counter;

use std::path::Path;
use std::path::PathBuf;

use keys::PublicKey;
use keys::Signature;
use keys::cbor;
use keys::cose::AgreementKey;
use keys::cose::MacKey;
use keys::cose::UnverifiedMac0;
use keys::cose::UnverifiedSign1;
use keys::jcs;
use keys::json;
use serde_json::Value;

/// The folder, or `None` where it is not there and not required.
fn vectors() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder = PathBuf::from(std::env::var_os("ATTESTRY_VECTORS").unwrap_or_else(|| default.into()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none(),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn jcs_documents() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("jcs-rfc8785");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.join("input")).unwrap() {
        let name = entry.unwrap().file_name();
        let input: Value = serde_json::from_str(&read(&folder.join("input").join(&name))).unwrap();
        assert_eq!(
            jcs::canonicalize(&input).unwrap(),
            read(&folder.join("output").join(&name)).trim_end(),
            "{name:?}"
        );
        seen += 1;
    }
    assert_eq!(seen, 6);
}

#[test]
fn jcs_numbers() {
    let Some(folder) = vectors() else { return };
    let numbers = read(&folder.join("jcs-rfc8785/numbers/es6-10000.txt"));
    let mut seen = 0;
    for line in numbers.lines() {
        let (bits, expected) = line.split_once(',').unwrap();
        let double = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(jcs::canonicalize(&Value::from(double)).unwrap(), expected, "{bits}");
        seen += 1;
    }
    assert_eq!(seen, 10_000);
}

/// Runs `verify` over every case of a Wycheproof file. `acceptable` cases may go either way.
fn wycheproof(file: &str, expected_cases: u64, verify: impl Fn(&Value, &[u8], &[u8]) -> bool) {
    let Some(folder) = vectors() else { return };
    let suite: Value = serde_json::from_str(&read(&folder.join("wycheproof").join(file))).unwrap();
    let mut seen = 0;
    for group in suite["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            seen += 1;
            let accepted = verify(
                group,
                &hex(case["msg"].as_str().unwrap()),
                &hex(case["sig"].as_str().unwrap()),
            );
            match case["result"].as_str().unwrap() {
                "valid" => assert!(accepted, "{file} {}: {}", case["tcId"], case["comment"]),
                "invalid" => assert!(!accepted, "{file} {}: {}", case["tcId"], case["comment"]),
                _ => {}
            }
        }
    }
    assert_eq!(seen, expected_cases);
    assert_eq!(Some(seen), suite["numberOfTests"].as_u64());
}

fn check(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    Signature::from_bytes(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

#[test]
fn wycheproof_ed25519() {
    wycheproof("ed25519_test.json", 151, |group, message, signature| {
        let key = hex(group["publicKey"]["pk"].as_str().unwrap());
        let key = PublicKey::from_ed25519(&key.try_into().unwrap()).expect("every key of the file is a good one");
        let accepted = check(&key, message, signature);
        // So many at once are added up first, which must not accept what one alone is refused for.
        if let Ok(signature) = Signature::from_bytes(signature) {
            let together = key.verify_all(&vec![(message, &signature); 256], &mut counter::Counter(0));
            assert!(together.iter().all(|verdict| verdict.is_ok() == accepted));
        }
        accepted
    });
}

#[test]
fn wycheproof_ecdsa_p384() {
    wycheproof(
        "ecdsa_secp384r1_sha384_p1363_test.json",
        280,
        |group, message, signature| {
            let key = hex(group["publicKey"]["uncompressed"].as_str().unwrap());
            let key = PublicKey::from_p384_sec1(&key).expect("every key of the file is a good one");
            check(&key, message, signature)
        },
    );
}

#[test]
fn wycheproof_ecdsa_p256() {
    wycheproof(
        "ecdsa_secp256r1_sha256_p1363_test.json",
        262,
        |group, message, signature| {
            let key = hex(group["publicKey"]["uncompressed"].as_str().unwrap());
            let key = PublicKey::from_p256_sec1(&key).expect("every key of the file is a good one");
            check(&key, message, signature)
        },
    );
}

/// Examples of the COSE working group, as isomdl has them.
#[test]
fn cose_examples() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("mdoc/definitions");
    let file = |name: &str| hex(read(&folder.join(name)).trim());

    let key = cbor::decode_foreign(&file("cose_key/ec_p256.cbor"), json::DEFAULT_LIMITS).unwrap();
    let public = PublicKey::from_cose_key(&key).unwrap();
    assert_eq!(
        cbor::decode(&public.to_cose_key().to_vec(), json::DEFAULT_LIMITS).unwrap(),
        {
            let mut sorted = key.as_map().unwrap().to_vec();
            sorted.sort_by_key(|(label, _)| label.to_vec());
            cbor::Value::Map(sorted)
        }
    );

    let secret: [u8; 32] = file("cose/sign1/secret_key").try_into().unwrap();
    let public = AgreementKey::from_bytes(&secret).unwrap().public_key().unwrap();
    let sign1 = UnverifiedSign1::parse(&file("cose/sign1/serialized.cbor"), 4096).unwrap();
    assert_eq!(sign1.headers().key_id(), Some(&b"11"[..]));
    assert_eq!(sign1.verify(&public).unwrap().payload(), b"This is the content.");

    // isomdl takes the encoding of the key as the key.
    let secret = file("cose/mac0/secret_key");
    let mac0 = UnverifiedMac0::parse(&file("cose/mac0/serialized.cbor"), 4096).unwrap();
    let verified = mac0.verify(&MacKey::from_bytes(&secret).unwrap()).unwrap();
    assert_eq!(verified.payload(), b"This is the content.");
}
