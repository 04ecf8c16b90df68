//! The test vectors of [`ecdsa-sd-2023`](https://www.w3.org/TR/vc-di-ecdsa/#test-vectors): every intermediate
//! value, then the proofs. Statements, groups and labels are checked beside the code that makes them. Signatures
//! are checked, not made again: ours have a random nonce, those of the vectors have not.

use std::path::Path;

use keys::multibase;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use signer::SoftwareKey;

use super::proof_value::BaseProof;
use super::proof_value::DerivedProof;
use super::*;
use crate::data_integrity::vectors;
use crate::data_integrity::vectors::hex;
use crate::data_integrity::vectors::text;

/// One of the two credentials, and the keys of both.
struct Vector {
    folder: std::path::PathBuf,
    selective: Vec<Pointer>,
    contexts: ContextLoader,
    keys: Value,
}

impl Vector {
    fn all() -> Vec<Self> {
        let Some(folder) = vectors::folder("vc-di-ecdsa") else {
            return Vec::new();
        };
        [("employ", "employSelective.json"), ("prc", "prCredSelective.json")]
            .into_iter()
            .filter_map(|(name, selective)| {
                Some(Self {
                    folder: folder.join("ecdsa-sd-2023").join(name),
                    selective: pointers(&json(&folder.join(selective))),
                    contexts: vectors::contexts()?,
                    keys: json(&folder.join("ecdsa-sd-2023/SDKeyMaterial.json")),
                })
            })
            .collect()
    }

    fn value(&self, file: &str) -> Value {
        json(&self.folder.join(file))
    }

    /// A secured document: what was secured, the proof's configuration and its value.
    fn secured(&self, file: &str) -> (Map<String, Value>, Map<String, Value>, String) {
        let mut document = vectors::object(&self.folder.join(file));
        let Some(Value::Object(mut configuration)) = document.remove("proof") else {
            panic!("{file} without a proof");
        };
        let proof_value = configuration.remove("proofValue").unwrap();
        (document, configuration, proof_value.as_str().unwrap().to_owned())
    }

    fn issuer_key(&self) -> (SoftwareKey, PublicKey) {
        let pair = &self.keys["baseKeyPair"];
        let secret = multibase::decode(pair["secretKeyMultibase"].as_str().unwrap()).unwrap();
        let secret = SoftwareKey::from_secret(Algorithm::Es256, secret[2..].try_into().unwrap()).unwrap();
        (
            secret,
            PublicKey::from_multikey(pair["publicKeyMultibase"].as_str().unwrap()).unwrap(),
        )
    }
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

fn pointers(value: &Value) -> Vec<Pointer> {
    let texts = value.as_array().unwrap().iter();
    texts
        .map(|pointer| pointer.as_str().unwrap().parse().unwrap())
        .collect()
}

fn all_hex(signatures: &[Signature]) -> Value {
    let texts = signatures.iter().map(|signature| hex(signature.as_bytes()));
    texts.map(Value::from).collect()
}

fn n_quads(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn documents_and_configurations_have_their_canonical_form() {
    for vector in Vector::all() {
        let (document, configuration, _) = vector.secured("addSignedSDBase.json");
        let canonical = canonical_n_quads(&document, None, HashAlgorithm::Sha256, &vector.contexts).unwrap();
        assert_eq!(canonical, n_quads(&vector.value("addBaseDocCanon.json")).concat());
        for pointer in vector.value("addPointerValues.json").as_array().unwrap() {
            let found = Value::Object(document.clone());
            let found = found.pointer(pointer["pointer"].as_str().unwrap()).unwrap().clone();
            assert_eq!(found, pointer["value"]);
        }
        let mut with_context = configuration;
        with_context.insert("@context".to_owned(), document["@context"].clone());
        assert_eq!(Value::Object(with_context.clone()), vector.value("addProofConfig.json"));
        let canonical = canonical_n_quads(&with_context, None, HashAlgorithm::Sha256, &vector.contexts).unwrap();
        assert_eq!(canonical, text(&vector.folder.join("addProofConfigCanon.txt")));
    }
}

#[test]
fn base_proofs() {
    for vector in Vector::all() {
        let (document, configuration, proof_value) = vector.secured("addSignedSDBase.json");
        let (secret, key) = vector.issuer_key();
        let base = BaseProof::decode(&proof_value).unwrap();
        let raw = vector.value("addRawBaseSignatureInfo.json");
        let recovered = vector.value("derivedRecoveredBaseData.json");
        for info in [&raw, &recovered] {
            assert_eq!(hex(base.base_signature.as_bytes()), info["baseSignature"]);
            assert_eq!(all_hex(&base.signatures), info["signatures"]);
            assert_eq!(base.mandatory, pointers(&info["mandatoryPointers"]));
        }
        assert_eq!(base.one_time_key.to_multikey(), raw["publicKey"]);
        assert_eq!(base.one_time_key.to_multikey(), recovered["proofPublicKey"]);
        assert_eq!(
            base.one_time_key.to_multikey(),
            vector.keys["proofKeyPair"]["publicKeyMultibase"]
        );
        assert_eq!(hex(&base.hmac_key), recovered["hmacKey"]);
        assert_eq!(base.encode(), proof_value);
        verify_base(&document, &configuration, &proof_value, &key, &vector.contexts).unwrap();

        let make_labels = |count| labels::hmac(&base.hmac_key, count);
        let statements = Statements::new(&document, &vector.contexts, make_labels).unwrap();
        let positions = statements.select(&base.mandatory).unwrap().positions;
        let groups = Groups::new(statements.n_quads(), &positions).unwrap();
        let others = vector.value("addBaseTransform.json")["nonMandatory"]["value"].clone();
        let others: Vec<&str> = others
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry[1].as_str().unwrap())
            .collect();
        assert_eq!(groups.others, others);
        let message = groups
            .signed_data(&document, &configuration, &base.one_time_key, &vector.contexts)
            .unwrap();
        let hashes = vector.value("addHashData.json");
        let expected = [
            hashes["proofHash"].as_str().unwrap(),
            &hex(&base.one_time_key.to_multikey_bytes()),
            hashes["mandatoryHash"].as_str().unwrap(),
        ];
        assert_eq!(hex(&message), expected.concat());

        let mut rng = signer::os_rng();
        let made = sign(
            &document,
            configuration.clone(),
            base.mandatory,
            &vector.contexts,
            &mut rng,
        )
        .unwrap();
        let made = fulfil(&secret, made).unwrap();
        let made = made["proofValue"].as_str().unwrap();
        verify_base(&document, &configuration, made, &key, &vector.contexts).unwrap();
    }
}

#[test]
fn derived_proofs() {
    for vector in Vector::all() {
        let (document, configuration, proof_value) = vector.secured("addSignedSDBase.json");
        let (_, key) = vector.issuer_key();
        let (revealed, derived_value) = derive(&document, &proof_value, &vector.selective, &vector.contexts).unwrap();
        let expected = vector.secured("derivedRevealDocument.json");
        assert_eq!((revealed, configuration, derived_value), expected);
        let (revealed, configuration, derived_value) = expected;
        assert_eq!(
            Value::Object(revealed.clone()),
            vector.value("derivedUnsignedReveal.json")
        );

        let derived = DerivedProof::decode(&derived_value).unwrap();
        for file in ["derivedDisclosureData.json", "verifyDerivedProofValue.json"] {
            let info = vector.value(file);
            assert_eq!(hex(derived.base_signature.as_bytes()), info["baseSignature"], "{file}");
            assert_eq!(derived.one_time_key.to_multikey(), info["publicKey"], "{file}");
            assert_eq!(all_hex(&derived.signatures), info["signatures"], "{file}");
            assert_eq!(
                Value::from(derived.mandatory.clone()),
                info["mandatoryIndexes"],
                "{file}"
            );
            let ours = (0_usize..).zip(&derived.labels);
            let ours = ours.map(|(number, label)| serde_json::json!([format!("c14n{number}"), label]));
            let theirs = info["labelMap"].get("value").unwrap_or_else(|| &info["labelMap"]);
            assert_eq!(ours.collect::<Value>(), *theirs, "{file}");
        }
        assert_eq!(
            Value::from(derived.mandatory.clone()),
            vector.value("derivedAdjMandatoryIndexes.json")["adjMandatoryIndexes"]
        );
        assert_eq!(
            all_hex(&derived.signatures),
            vector.value("derivedAdjSignatures.json")["filteredSignatures"]
        );
        assert_eq!(derived.encode().unwrap(), derived_value);
        check_derived(&vector, &revealed, &configuration, &derived);
        verify_derived(&revealed, &configuration, &derived_value, &key, &vector.contexts).unwrap();
    }
}

fn check_derived(
    vector: &Vector,
    revealed: &Map<String, Value>,
    configuration: &Map<String, Value>,
    derived: &DerivedProof,
) {
    let lines = labelled_n_quads(revealed, &vector.contexts, &derived.labels).unwrap();
    assert_eq!(lines, n_quads(&vector.value("verifyNQuads.json")));
    let groups = Groups::new(&lines, &derived.positions(lines.len()).unwrap()).unwrap();
    let data = vector.value("verifyCreateVerifyData.json");
    assert_eq!(groups.others, n_quads(&data["nonMandatory"]));
    assert_eq!(hex(derived.base_signature.as_bytes()), data["baseSignature"]);
    assert_eq!(all_hex(&derived.signatures), data["signatures"]);
    assert_eq!(derived.one_time_key.to_multikey(), data["publicKey"]);
    let message = groups
        .signed_data(revealed, configuration, &derived.one_time_key, &vector.contexts)
        .unwrap();
    let expected = [
        data["proofHash"].as_str().unwrap(),
        &hex(&derived.one_time_key.to_multikey_bytes()),
        data["mandatoryHash"].as_str().unwrap(),
    ];
    assert_eq!(hex(&message), expected.concat());
}
