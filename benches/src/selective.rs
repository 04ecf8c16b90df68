//! A credential with an `ecdsa-sd-2023` proof, of which a holder shows some of ten claims.

use std::collections::BTreeSet;

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Pointer;
use credential::vc::DataModelVersion;
use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use keys::Algorithm;
use keys::OneTimeKey;
use keys::PublicKey;
use keys::Signature;
use keys::Signer as _;
use keys::SigningRequest;
use keys::base64url;
use keys::cbor;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::RawCheck;
use crate::key;
use crate::material;
use crate::w3c::ISSUER;
use crate::w3c::contexts;
use crate::w3c::document;

/// The claims that are shown, in this order.
const CLAIMS: [&str; 10] = [
    "given_name",
    "family_name",
    "age_over_18",
    "birthdate",
    "birth_family_name",
    "sex",
    "email",
    "phone_number",
    "personal_administrative_number",
    "document_number",
];

/// A credential as a holder shows it.
pub struct Shown {
    text: String,
    document: Map<String, Value>,
    issuer: SoftwareKey,
    contexts: ContextLoader,
    raw: Vec<RawCheck>,
}

/// The number of the issuer's key.
const KEY: u8 = 5;

fn request(
    document: Map<String, Value>,
    key: &PublicKey,
    contexts: &ContextLoader,
) -> SigningRequest<Map<String, Value>> {
    let options = BaseProofOptions {
        cryptosuite: Cryptosuite::EcdsaSd2023,
        key,
        verification_method: &format!("{ISSUER}#key"),
        created: Some(NOW.minus(60)),
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let mut rng = signer::os_rng();
    data_integrity::issue_selective(document, &options, contexts, &mut rng).expect("a credential")
}

impl Shown {
    /// With so many claims.
    pub fn new(claims: usize) -> Self {
        let (issuer, contexts) = (key(Algorithm::Es256, KEY), contexts());
        let mut rng = signer::os_rng();
        let request = request(document(), issuer.public_key(), &contexts);
        let base_message = request.message().to_vec();
        let base = Value::Object(issuer.fulfil(request).expect("the issuer's key")).to_string();
        let pointer = |name| format!("/credentialSubject/{name}").parse::<Pointer>();
        let chosen: Result<Vec<Pointer>, _> = CLAIMS.into_iter().take(claims).map(pointer).collect();
        let derived = Unverified::<LdpVc>::parse(&base)
            .and_then(|base| base.restore(issuer.public_key(), ISSUER, &contexts))
            .and_then(|held| held.derive(&chosen.expect("pointers"), &[], &contexts, &mut rng))
            .expect("our own credential");
        let text = derived.as_str().to_owned();
        let raw = checks(&text, issuer.public_key(), base_message, &contexts);
        assert_eq!(raw.len(), 1 + claims, "the issuer's signature and one for each claim");
        Self {
            text,
            document: document(),
            issuer,
            contexts,
            raw,
        }
    }

    /// All of issuing, the signatures included.
    pub fn issue(&self) {
        let request = request(self.document.clone(), self.issuer.public_key(), &self.contexts);
        let _credential = self.issuer.fulfil(request).expect("the issuer's key");
    }

    /// Making the one-time key, and the signatures alone: the issuer's, and one for each claim that is shown, which
    /// should be all.
    pub fn raw_issue(&self) {
        let one_time_key = OneTimeKey::generate(&mut signer::os_rng()).expect("a key");
        let (base, statements) = self.raw.split_first().expect("the issuer's signature");
        let _signature = self.issuer.sign(&base.message).expect("a signature");
        for statement in statements {
            let _signature = one_time_key.sign(&statement.message).expect("a signature");
        }
    }

    /// For others to verify and to issue.
    pub fn material(&self) -> Value {
        json!({
            "text": self.text, "tampered": material::other_name(&self.text), "document": self.document,
            "issuer": material::key(Algorithm::Es256, KEY), "mandatory": material::MANDATORY,
            "method": format!("{ISSUER}#key"), "controller": ISSUER,
        })
    }

    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let _authentic = Unverified::<LdpVc>::parse(&self.text)
            .and_then(|parsed| parsed.authenticate(self.issuer.public_key(), ISSUER, &self.contexts, NOW))
            .expect("a genuine credential");
    }

    /// The signatures alone.
    pub fn raw(&self) {
        self.raw.iter().for_each(RawCheck::run);
    }
}

/// The signature checks in a derived proof of a credential whose one blank node is the credential itself.
fn checks(text: &str, issuer: &PublicKey, base_message: Vec<u8>, contexts: &ContextLoader) -> Vec<RawCheck> {
    let mut document: Map<String, Value> = serde_json::from_str(text).expect("JSON");
    let proof = document.remove("proof").expect("a proof");
    let [base_signature, one_time_key, signatures, labels, mandatory] = components(&proof);
    let label = match labels.as_map() {
        Some([(_, digest)]) => base64url::encode(digest.as_bytes().expect("a digest")),
        _ => panic!("{labels:?}"),
    };
    let dataset =
        jsonld::to_rdf(&Value::Object(document), &jsonld::Options::compact(contexts)).expect("our own document");
    let canonical =
        jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK).expect("a simple document");
    let lines = canonical.n_quads.replace("_:c14n0", &format!("_:u{label}"));
    let mut lines: Vec<&str> = lines.split_inclusive('\n').collect();
    lines.sort_unstable();
    let mandatory: BTreeSet<u64> = items(&mandatory).iter().filter_map(cbor::Value::as_unsigned).collect();
    let others = (0..).zip(lines).filter(|(at, _)| !mandatory.contains(at));
    let one_time_key = PublicKey::from_multikey_bytes(one_time_key.as_bytes().expect("bytes")).expect("a key");
    let mut checks = vec![RawCheck::of(issuer, base_message, signature(&base_signature))];
    checks.extend(
        others
            .zip(items(&signatures))
            .map(|((_, line), value)| RawCheck::of(&one_time_key, line.as_bytes().to_vec(), signature(value))),
    );
    checks.iter().for_each(RawCheck::run);
    checks
}

fn components(proof: &Value) -> [cbor::Value; 5] {
    let value = proof["proofValue"].as_str().and_then(|value| value.strip_prefix('u'));
    let bytes = base64url::decode(value.expect("multibase")).expect("base64url");
    let limits = keys::json::Limits {
        max_bytes: 1 << 20,
        max_depth: 3,
    };
    // Three bytes of header.
    let components = cbor::decode(&bytes[3..], limits).expect("CBOR");
    items(&components).to_vec().try_into().expect("five components")
}

fn items(value: &cbor::Value) -> &[cbor::Value] {
    value.as_array().expect("an array")
}

fn signature(value: &cbor::Value) -> Signature {
    Signature::from_bytes(value.as_bytes().expect("bytes")).expect("64 bytes")
}
