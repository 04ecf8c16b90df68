//! The baseline test vectors of [`bbs-2023`](https://www.w3.org/TR/vc-di-bbs/#test-vectors): every intermediate value,
//! then both proofs, made again to the byte. Statements, groups and labels are checked beside the code that makes them,
//! BBS alone in `keys`.

use std::convert::Infallible;
use std::path::Path;
use std::path::PathBuf;

use keys::multibase;
use keys::signing::fulfil;
use rand_core::TryCryptoRng;
use rand_core::TryRng;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::data_integrity::vectors;
use crate::data_integrity::vectors::hex;
use crate::data_integrity::vectors::text;

/// One of the two credentials, and what both are made with.
struct Vector {
    folder: PathBuf,
    selective: Vec<Pointer>,
    contexts: ContextLoader,
    keys: Value,
    derive: Value,
}

impl Vector {
    fn all() -> Vec<Self> {
        let Some(folder) = vectors::folder("vc-di-bbs") else {
            return Vec::new();
        };
        let all: Vec<Self> = [(".", "windSelective.json"), ("prc", "prCredSelective.json")]
            .into_iter()
            .filter_map(|(name, selective)| {
                Some(Self {
                    folder: folder.join(name),
                    selective: pointers(&json(&folder.join(selective))),
                    contexts: vectors::contexts()?,
                    keys: json(&folder.join("BBSKeyMaterial.json")),
                    derive: json(&folder.join("BBSDeriveMaterial.json")),
                })
            })
            .collect();
        all
    }

    fn value(&self, file: &str) -> Value {
        json(&self.folder.join(file))
    }

    /// A secured document: what was secured, and the proof.
    fn secured(&self, file: &str) -> (Map<String, Value>, Map<String, Value>) {
        let mut document = vectors::object(&self.folder.join(file));
        let Some(Value::Object(proof)) = document.remove("proof") else {
            panic!("{file} without a proof");
        };
        (document, proof)
    }

    /// The proof of it, and its value apart.
    fn proof(&self, file: &str) -> (Map<String, Value>, String) {
        let (_, mut configuration) = self.secured(file);
        let proof_value = configuration.remove("proofValue").unwrap();
        (configuration, proof_value.as_str().unwrap().to_owned())
    }

    fn issuer_key(&self) -> SoftwareKey {
        let secret = unhex(&self.keys["privateKeyHex"]);
        SoftwareKey::from_secret(Algorithm::Bbs, &secret).unwrap()
    }
}

/// What [mocked random scalars](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-mocked-random-scalars)
/// are reduced from; the separation tag is the interface's identifier.
struct MockRng(std::vec::IntoIter<u8>);

impl MockRng {
    fn new(seed: &[u8], scalars: u16) -> Self {
        let dst = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_";
        let length = scalars * 48;
        let dst_prime = [&dst[..], &[u8::try_from(dst.len()).unwrap()]].concat();
        let first = keys::sha256(&[&[0; 64], seed, &length.to_be_bytes(), &[0], &dst_prime].concat());
        let mut block = [0; 32];
        let mut bytes = Vec::new();
        for number in 1..=u8::try_from(length.div_ceil(32)).unwrap() {
            let mixed: Vec<u8> = first.iter().zip(block).map(|(left, right)| left ^ right).collect();
            block = keys::sha256(&[&mixed, &[number][..], &dst_prime].concat());
            bytes.extend(block);
        }
        bytes.truncate(length.into());
        Self(bytes.into_iter())
    }
}

impl TryRng for MockRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0.next().expect("more scalars than were mocked");
        }
        Ok(())
    }
}

impl TryCryptoRng for MockRng {}

fn json(path: &Path) -> Value {
    serde_json::from_str(&text(path)).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

fn pointers(value: &Value) -> Vec<Pointer> {
    let texts = value.as_array().unwrap().iter();
    texts
        .map(|pointer| pointer.as_str().unwrap().parse().unwrap())
        .collect()
}

fn lines(value: &Value) -> Vec<String> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn documents_and_configurations_have_their_canonical_form() {
    for vector in Vector::all() {
        let (document, _) = vector.secured("addSignedSDBase.json");
        let (mut configuration, _) = vector.proof("addSignedSDBase.json");
        let canonical = canonical_n_quads(&document, None, HashAlgorithm::Sha256, &vector.contexts).unwrap();
        assert_eq!(canonical, lines(&vector.value("addBaseDocCanon.json")).concat());
        configuration.insert("@context".to_owned(), document["@context"].clone());
        assert_eq!(
            Value::Object(configuration.clone()),
            vector.value("addProofConfig.json")
        );
        let canonical = canonical_n_quads(&configuration, None, HashAlgorithm::Sha256, &vector.contexts).unwrap();
        assert_eq!(canonical, text(&vector.folder.join("addProofConfigCanon.txt")));
    }
}

#[test]
fn base_proofs() {
    for vector in Vector::all() {
        let (document, proof) = vector.secured("addSignedSDBase.json");
        let (configuration, proof_value) = vector.proof("addSignedSDBase.json");
        let secret = vector.issuer_key();
        let key = keys::Signer::public_key(&secret);
        assert_eq!(hex(&key.to_multikey_bytes()[2..]), vector.keys["publicKeyHex"]);
        let method = proof["verificationMethod"].as_str().unwrap();
        assert_eq!(method.split('#').nth(1), Some(key.to_multikey().as_str()));

        let base = Base::decode(&proof_value).unwrap();
        for file in ["addRawBaseSignatureInfo.json", "derivedRecoveredBaseData.json"] {
            let info = vector.value(file);
            assert_eq!(hex(&base.signature), info["bbsSignature"], "{file}");
            assert_eq!(base.mandatory, pointers(&info["mandatoryPointers"]), "{file}");
        }
        let recovered = vector.value("derivedRecoveredBaseData.json");
        assert_eq!(hex(&base.hmac_key), recovered["hmacKey"]);
        let hashes = vector.value("addHashData.json");
        let expected = [&hashes["proofHash"], &hashes["mandatoryHash"]].map(|hash| hash.as_str().unwrap());
        assert_eq!(hex(&base.header), expected.concat());
        assert_eq!(base.encode(), proof_value);
        verify_base(&document, &configuration, &proof_value, key, &vector.contexts).unwrap();

        let signed = Signed::new(
            &document,
            &configuration,
            &base.mandatory,
            &base.hmac_key,
            &vector.contexts,
        );
        let signed = signed.unwrap();
        assert_eq!(signed.header, base.header);
        let transform = vector.value("addBaseTransform.json");
        let others = transform["nonMandatory"]["value"].as_array().unwrap().iter();
        let others: Vec<&str> = others.map(|entry| entry[1].as_str().unwrap()).collect();
        assert_eq!(signed.messages().collect::<Vec<_>>(), others);

        let contexts = &vector.contexts;
        let made = sign_with(&document, configuration, key, base.mandatory, base.hmac_key, contexts);
        let made = fulfil(&secret, made.unwrap()).unwrap();
        assert_eq!(made, Value::Object(proof));
    }
}

#[test]
fn derived_proofs() {
    for vector in Vector::all() {
        let (document, base_proof) = vector.secured("addSignedSDBase.json");
        let key = vector.issuer_key();
        let key = keys::Signer::public_key(&key);
        let (revealed, _) = vector.secured("derivedRevealDocument.json");
        let (configuration, derived_value) = vector.proof("derivedRevealDocument.json");
        assert_eq!(
            Value::Object(revealed.clone()),
            vector.value("derivedUnsignedReveal.json")
        );

        let derived = Derived::decode(&derived_value).unwrap();
        let info = vector.value("derivedDisclosureData.json");
        check_info(&derived, &info, "adjSelectiveIndexes");
        assert_eq!(
            hex(&derived.presentation_header),
            vector.derive["presentationHeaderHex"]
        );
        let adjusted = vector.value("derivedAdjIndexes.json");
        assert_eq!(json!(derived.mandatory), adjusted["adjMandatoryIndexes"]);
        assert_eq!(json!(derived.selective), adjusted["adjSelectiveIndexes"]);
        assert_eq!(derived.encode().unwrap(), derived_value);
        // The credential in the top folder comes without these two files.
        if vector.folder.ends_with("prc") {
            check_info(
                &derived,
                &vector.value("verifyDerivedProofValue.json"),
                "adjSelectedIndexes",
            );
            let shown = labelled_n_quads(&revealed, &vector.contexts, &derived.labels).unwrap();
            assert_eq!(shown, lines(&vector.value("verifyNQuads.json")));
        }
        verify_derived(&revealed, &configuration, &derived_value, key, &vector.contexts).unwrap();

        let hidden = derived.bbs_proof.len() / 32 - 8;
        let mut rng = MockRng::new(
            &unhex(&vector.derive["pseudoRandSeedHex"]),
            5 + u16::try_from(hidden).unwrap(),
        );
        let derivation = Derivation {
            selective: &vector.selective,
            presentation_header: &derived.presentation_header,
        };
        let made = derive(&document, &base_proof, &derivation, &vector.contexts, &mut rng).unwrap();
        assert_eq!(made, (revealed, derived_value));
    }
}

fn check_info(derived: &Derived, info: &Value, selective: &str) {
    assert_eq!(hex(&derived.bbs_proof), info["bbsProof"]);
    assert_eq!(json!(derived.mandatory), info["mandatoryIndexes"]);
    assert_eq!(json!(derived.selective), info[selective]);
    let labels = (0_usize..).zip(&derived.labels);
    let labels = labels.map(|(number, label)| json!([format!("c14n{number}"), label]));
    let expected = info["labelMap"].get("value").unwrap_or_else(|| &info["labelMap"]);
    assert_eq!(labels.collect::<Value>(), *expected);
}

/// The features at risk: their base and derived proofs are refused by name.
#[test]
fn optional_features_are_refused() {
    let Some(folder) = vectors::folder("vc-di-bbs") else {
        return;
    };
    for part in ["HolderBinding", "Pseudonym", "PseudonymHB"] {
        for file in ["addSignedSDBase.json", "derivedRevealDocument.json"] {
            let secured = vectors::object(&folder.join(part).join(file));
            let proof_value = secured["proof"]["proofValue"].as_str().unwrap();
            assert!(multibase::decode(proof_value).is_ok());
            assert_eq!(disclosure(proof_value), Err(Bbs2023Error::Feature), "{part}/{file}");
        }
    }
}
