//! The test vectors of the [EdDSA cryptosuites](https://www.w3.org/TR/vc-di-eddsa/#test-vectors): every
//! intermediate value, then the signature, made and checked. They are unit tests because their issuer is not
//! the DID of their key, which authentication refuses.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::multibase;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use signer::SoftwareKey;

use super::*;
use crate::Unverified;

fn folder(name: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or_else(|| PathBuf::from(default), PathBuf::from);
    let path = root.join(name);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_some_and(|value| value == "1");
    assert!(!required, "no vectors at {}", path.display());
    println!("skipped: no vectors at {}", path.display());
    None
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn object(path: &Path) -> Map<String, Value> {
    serde_json::from_str(&text(path)).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

/// The bundled contexts and the two that only the vectors use.
fn contexts() -> Option<ContextLoader> {
    let folder = folder("contexts")?.join("npm");
    let mut contexts = ContextLoader::bundled();
    for (url, file) in [
        (
            "https://www.w3.org/ns/credentials/examples/v2",
            "www.w3.org_ns_credentials_examples_v2.json",
        ),
        ("https://w3id.org/citizenship/v4rc1", "w3id.org_citizenship_v4rc1.json"),
    ] {
        contexts.register(url, Value::Object(object(&folder.join(file))));
    }
    Some(contexts)
}

fn key(pair: &Value) -> (SoftwareKey, PublicKey) {
    let secret = multibase::decode(pair["privateKeyMultibase"].as_str().unwrap()).unwrap();
    // Two bytes of multicodec, then the seed.
    let secret = SoftwareKey::from_secret(Algorithm::EdDsa, secret[2..].try_into().unwrap()).unwrap();
    let public = PublicKey::from_multikey(pair["publicKeyMultibase"].as_str().unwrap()).unwrap();
    assert_eq!(*secret.public_key(), public);
    (secret, public)
}

fn without(mut map: Map<String, Value>, names: &[&str]) -> Map<String, Value> {
    for name in names {
        map.remove(*name);
    }
    map
}

/// Makes the proof again and checks the vector's own.
fn check_proof(
    suite: Cryptosuite,
    document: &Map<String, Value>,
    proof: &Map<String, Value>,
    (secret, public): &(SoftwareKey, PublicKey),
    contexts: &ContextLoader,
) {
    suite.verify(document, proof, public, contexts).unwrap();
    let configuration = without(proof.clone(), &["proofValue", "type", "cryptosuite", "@context"]);
    let made = fulfil(secret, suite.sign(document, configuration, contexts).unwrap()).unwrap();
    assert_eq!(made, Value::Object(proof.clone()));
}

#[test]
fn eddsa_rdfc_2022() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-eddsa"), contexts()) else {
        return;
    };
    let key = key(&Value::Object(object(&folder.join("keyPair.json"))));
    for (unsigned, part) in [
        ("unsigned.json", folder.join("eddsa-rdfc-2022")),
        ("employmentAuth.json", folder.join("eddsa-rdfc-2022/employ")),
    ] {
        let document = object(&folder.join(unsigned));
        let configuration = object(&part.join("proofConfigDataInt.json"));
        let canonical =
            |map: &Map<String, Value>| cryptosuite::canonical_n_quads(&Value::Object(map.clone()), &contexts).unwrap();
        assert_eq!(
            canonical(&document),
            text(&part.join("canonDocDataInt.txt")),
            "{unsigned}"
        );
        assert_eq!(
            canonical(&configuration),
            text(&part.join("proofCanonDataInt.txt")),
            "{unsigned}"
        );
        let hash_data = cryptosuite::rdfc_hash_data(&document, &configuration, &contexts).unwrap();
        assert_eq!(
            hex(&hash_data),
            text(&part.join("combinedHashDataInt.txt")),
            "{unsigned}"
        );
        let signed = object(&part.join("signedDataInt.json"));
        assert_eq!(without(signed.clone(), &["proof"]), document, "{unsigned}");
        let proof = signed["proof"].as_object().unwrap();
        check_proof(Cryptosuite::EddsaRdfc2022, &document, proof, &key, &contexts);
    }
}

#[test]
fn eddsa_jcs_2022() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-eddsa"), contexts()) else {
        return;
    };
    let key = key(&Value::Object(object(&folder.join("keyPair.json"))));
    let document = object(&folder.join("unsigned.json"));
    let part = folder.join("eddsa-jcs-2022");
    let canonical = |map: Map<String, Value>| keys::jcs::canonicalize(&Value::Object(map)).unwrap();
    assert_eq!(canonical(document.clone()), text(&part.join("canonDocJCS.txt")));
    assert_eq!(
        canonical(object(&part.join("proofConfigJCS.json"))),
        text(&part.join("proofCanonJCS.txt"))
    );
    let proof = object(&part.join("signedJCS.json"))["proof"]
        .as_object()
        .unwrap()
        .clone();
    check_proof(Cryptosuite::EddsaJcs2022, &document, &proof, &key, &contexts);
}

/// Every file of the vectors for sets and chains: what each proof covers, its configuration, and the proof itself, made
/// and checked. (`Ed25519Signature2020`, in a folder beside, is a legacy proof type that is not one of our suites.)
#[test]
fn proof_sets_and_chains() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-eddsa"), contexts()) else {
        return;
    };
    let folder = folder.join("proof-set-chain");
    let file = |name: &str| object(&folder.join(name));
    let pairs = Value::Object(file("multiKeyPairs.json"));
    let unsigned = file("unsigned.json");
    let mut checked = 0;
    for (signed, configurations, covered) in [
        ("signedProofSet1.json", &["proofSetConfig1.json"][..], &[][..]),
        (
            "signedProofSet2.json",
            &["proofSetConfig1.json", "proofSetConfig2.json"],
            &[],
        ),
        (
            "signedProofChain1.json",
            &["proofSetConfig1.json", "proofSetConfig2.json", "proofChainConfig1.json"],
            &[(2, "proofChainTempDoc1.json")],
        ),
        (
            "signedProofChain2.json",
            &[
                "proofSetConfig1.json",
                "proofSetConfig2.json",
                "proofChainConfig1.json",
                "proofChainConfig2.json",
            ],
            &[(2, "proofChainTempDoc1.json"), (3, "proofChainTempDoc2.json")],
        ),
    ] {
        let mut document = file(signed);
        let set = proof_set::ProofSet::take(&mut document).unwrap();
        assert_eq!(document, unsigned, "{signed}");
        assert_eq!(set.proofs().len(), configurations.len());
        for (position, (proof, configuration)) in set.proofs().iter().zip(configurations).enumerate() {
            let key = key(&pairs[format!("keyPair{}", position + 1)]);
            let input = set.covered(proof, &document).into_owned();
            if let Some((_, expected)) = covered.iter().find(|(number, _)| *number == position) {
                assert_eq!(input, file(expected), "{expected}");
            }
            let with_context = without(file(configuration), &["@context"]);
            assert_eq!(
                without(proof.map.clone(), &["proofValue"]),
                with_context,
                "{configuration}"
            );
            check_proof(Cryptosuite::EddsaRdfc2022, &input, &proof.map, &key, &contexts);
            let secured = file(&configuration.replace("Config", "ConfigSigned"));
            assert_eq!(proof.map, without(secured, &["@context"]), "{configuration}");
            checked += 1;
        }
    }
    assert_eq!(checked, 10);
}

/// The proof of the vector is good, and it is by a key that is not its issuer's.
#[test]
fn the_issuer_of_the_vectors_is_not_the_owner_of_the_key() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-eddsa"), contexts()) else {
        return;
    };
    let (_, public) = key(&Value::Object(object(&folder.join("keyPair.json"))));
    let signed = object(&folder.join("eddsa-rdfc-2022/signedDataInt.json"));
    let credential = Unverified::<LdpVc>::from_object(&signed).unwrap();
    let issuer = credential.issuer().to_owned();
    let now = Timestamp::parse_rfc3339("2024-01-01T00:00:00Z").unwrap();
    let refused = credential.authenticate(&public, &issuer, &contexts, now).unwrap_err();
    assert_eq!(
        refused,
        LdpVcError::Proof(ProofError::VerificationMethod { expected: issuer })
    );
}
