//! The test vectors of the [EdDSA](https://www.w3.org/TR/vc-di-eddsa/#test-vectors) and
//! [ECDSA cryptosuites](https://www.w3.org/TR/vc-di-ecdsa/#test-vectors): every intermediate value, then the
//! signature, made and checked. They are unit tests because their issuer is not
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

pub(super) fn folder(name: &str) -> Option<PathBuf> {
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

pub(super) fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(super) fn object(path: &Path) -> Map<String, Value> {
    serde_json::from_str(&text(path)).unwrap()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut out = String::new();
    for byte in bytes {
        write!(out, "{byte:02x}").unwrap();
    }
    out
}

/// The bundled contexts and the two that only the vectors use.
pub(super) fn contexts() -> Option<ContextLoader> {
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
    let secret = ["privateKeyMultibase", "secretKeyMultibase"].map(|member| pair[member].as_str());
    let secret = multibase::decode(secret.into_iter().flatten().next().unwrap()).unwrap();
    let public = PublicKey::from_multikey(pair["publicKeyMultibase"].as_str().unwrap()).unwrap();
    // Two bytes of multicodec, then the secret.
    let secret = SoftwareKey::from_secret(public.algorithm(), &secret[2..]).unwrap();
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
    let request = suite
        .sign(public.algorithm(), document, configuration, contexts)
        .unwrap();
    let made = fulfil(secret, request).unwrap();
    if public.algorithm() == Algorithm::EdDsa {
        assert_eq!(made, Value::Object(proof.clone()));
        return;
    }
    // ECDSA takes a new random number for each signature.
    let made = made.as_object().unwrap();
    suite.verify(document, made, public, contexts).unwrap();
    assert_eq!(
        without(made.clone(), &["proofValue"]),
        without(proof.clone(), &["proofValue"])
    );
}

#[test]
fn eddsa_rdfc_2022() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-eddsa"), contexts()) else {
        return;
    };
    let key = key(&Value::Object(object(&folder.join("keyPair.json"))));
    for (unsigned, part) in [("unsigned.json", ""), ("employmentAuth.json", "/employ")] {
        let document = object(&folder.join(unsigned));
        let part = folder.join(format!("eddsa-rdfc-2022{part}"));
        check_rdfc(Cryptosuite::EddsaRdfc2022, &document, &part, "DataInt", &key, &contexts);
    }
}

/// Every intermediate value of an `rdfc` vector, and its proof. `mark` is in all names of its files.
fn check_rdfc(
    suite: Cryptosuite,
    document: &Map<String, Value>,
    part: &Path,
    mark: &str,
    key: &(SoftwareKey, PublicKey),
    contexts: &ContextLoader,
) {
    let algorithm = key.1.algorithm();
    let hash = match algorithm {
        Algorithm::Bbs | Algorithm::EdDsa | Algorithm::Es256 => jsonld::HashAlgorithm::Sha256,
        Algorithm::Es384 => jsonld::HashAlgorithm::Sha384,
        Algorithm::Es512 => panic!("no suite has P-521"),
    };
    let file = |name: &str, kind: &str| part.join(format!("{name}{mark}.{kind}"));
    let canonical = |map: &Map<String, Value>| cryptosuite::canonical_n_quads(map, None, hash, contexts).unwrap();
    let configuration = object(&file("proofConfig", "json"));
    assert_eq!(
        canonical(document),
        text(&file("canonDoc", "txt")),
        "{}",
        part.display()
    );
    assert_eq!(
        canonical(&configuration),
        text(&file("proofCanon", "txt")),
        "{}",
        part.display()
    );
    let hash_data = cryptosuite::rdfc_hash_data(algorithm, document, &configuration, contexts).unwrap();
    assert_eq!(
        hex(&hash_data),
        text(&file("combinedHash", "txt")),
        "{}",
        part.display()
    );
    let signed = object(&file("signed", "json"));
    assert_eq!(without(signed.clone(), &["proof"]), *document, "{}", part.display());
    check_proof(suite, document, signed["proof"].as_object().unwrap(), key, contexts);
}

#[test]
fn ecdsa_rdfc_2019() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-ecdsa"), contexts()) else {
        return;
    };
    for curve in ["p256", "p384"] {
        let key = key(&Value::Object(object(&folder.join(format!("{curve}KeyPair.json")))));
        for (unsigned, part) in [("unsigned.json", ""), ("employmentAuth.json", "/employ")] {
            let document = object(&folder.join(unsigned));
            let part = folder.join(format!("ecdsa-rdfc-2019-{curve}{part}"));
            let mark = format!("ECDSA{}", curve.to_uppercase());
            check_rdfc(Cryptosuite::EcdsaRdfc2019, &document, &part, &mark, &key, &contexts);
        }
    }
}

#[test]
fn ecdsa_jcs_2019() {
    let (Some(folder), Some(contexts)) = (folder("vc-di-ecdsa"), contexts()) else {
        return;
    };
    for curve in ["p256", "p384"] {
        let key = key(&Value::Object(object(&folder.join(format!("{curve}KeyPair.json")))));
        let part = folder.join(format!("ecdsa-jcs-2019-{curve}"));
        let file = |name: &str, kind: &str| part.join(format!("{name}JCSECDSA{}.{kind}", curve.to_uppercase()));
        let document = object(&folder.join("unsigned.json"));
        let canonical = |map: &Map<String, Value>| keys::jcs::canonicalize_object(map).unwrap();
        assert_eq!(canonical(&document), text(&file("canonDoc", "txt")));
        let configuration = object(&file("proofConfig", "json"));
        assert_eq!(canonical(&configuration), text(&file("proofCanon", "txt")));
        let proof = object(&file("signed", "json"))["proof"].as_object().unwrap().clone();
        check_proof(Cryptosuite::EcdsaJcs2019, &document, &proof, &key, &contexts);
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
