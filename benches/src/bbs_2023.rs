//! A credential with a `bbs-2023` proof: issued, shown with some of ten claims, and verified.

use credential::Held;
use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Pointer;
use credential::vc::DataModelVersion;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::SigningRequest;
use keys::base64url;
use keys::bbs;
use keys::bbs::SigningInput;
use keys::cbor;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::key;
use crate::material;
use crate::w3c::ISSUER;
use crate::w3c::contexts;
use crate::w3c::document;

/// The claims that are shown.
const CLAIMS: [&str; 3] = ["given_name", "family_name", "age_over_18"];

const NONCE: &[u8] = b"n-1";

/// The number of the issuer's key.
const KEY: u8 = 5;

/// A credential as its holder has it and as the holder shows it.
pub struct Unlinkable {
    issuer: SoftwareKey,
    contexts: ContextLoader,
    held: Held<LdpVc>,
    derived: String,
    chosen: Vec<Pointer>,
    raw: Raw,
}

/// The same BBS operations without a document.
struct Raw {
    message: Vec<u8>,
    input: SigningInput,
    signature: bbs::Signature,
    proof: Vec<u8>,
    indexes: Vec<usize>,
    shown: Vec<Vec<u8>>,
}

impl Unlinkable {
    /// With three of ten claims shown.
    pub fn new() -> Self {
        let (issuer, contexts) = (key(Algorithm::Bbs, KEY), contexts());
        let request = request(issuer.public_key(), &contexts);
        let message = request.message().to_vec();
        let base = Value::Object(issuer.fulfil(request).expect("the issuer's key"));
        let held = Unverified::<LdpVc>::parse(&base.to_string())
            .and_then(|base| base.restore(issuer.public_key(), ISSUER, &contexts))
            .expect("our own credential");
        let pointer = |name| format!("/credentialSubject/{name}").parse();
        let chosen: Result<Vec<Pointer>, _> = CLAIMS.into_iter().map(pointer).collect();
        let chosen = chosen.expect("pointers");
        let derived = held
            .derive(&chosen, NONCE, &contexts, &mut signer::os_rng())
            .expect("our own credential");
        let derived = derived.as_str().to_owned();
        let raw = Raw::new(message, &base, &derived);
        Self {
            issuer,
            contexts,
            held,
            derived,
            chosen,
            raw,
        }
    }

    /// All of issuing, the signature included.
    pub fn issue(&self) {
        let request = request(self.issuer.public_key(), &self.contexts);
        let _credential = self.issuer.fulfil(request).expect("the issuer's key");
    }

    /// The signature alone.
    pub fn raw_issue(&self) {
        let _signature = self.issuer.sign(&self.raw.message).expect("a signature");
    }

    /// All of deriving, with the wallet's own check of what it derived.
    pub fn derive(&self) {
        let _derived = self
            .held
            .derive(&self.chosen, NONCE, &self.contexts, &mut signer::os_rng())
            .expect("our own credential");
    }

    /// Making and checking the proof alone.
    pub fn raw_derive(&self) {
        let (raw, input) = (&self.raw, &self.raw.input);
        let mut rng = signer::os_rng();
        let _proof = self
            .key()
            .prove(
                &raw.signature,
                &input.header,
                NONCE,
                &input.messages,
                &raw.indexes,
                &mut rng,
            )
            .expect("a proof");
        self.raw_verify();
    }

    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let _authentic = Unverified::<LdpVc>::parse(&self.derived)
            .and_then(|parsed| parsed.authenticate(self.issuer.public_key(), ISSUER, &self.contexts, NOW))
            .expect("a genuine credential");
    }

    /// The proof alone.
    pub fn raw_verify(&self) {
        let raw = &self.raw;
        self.key()
            .verify_proof(&raw.proof, &raw.input.header, NONCE, &raw.shown, &raw.indexes)
            .expect("a genuine proof");
    }

    /// For others to verify and to issue.
    pub fn material(&self) -> Value {
        json!({
            "text": self.derived, "tampered": material::other_name(&self.derived), "document": document(),
            "issuer": material::key(Algorithm::Bbs, KEY), "mandatory": material::MANDATORY,
            "method": format!("{ISSUER}#key"), "controller": ISSUER,
        })
    }

    fn key(&self) -> &bbs::PublicKey {
        match self.issuer.public_key() {
            PublicKey::Bls12381G2(key) => key,
            other => panic!("{other:?}"),
        }
    }
}

impl Default for Unlinkable {
    fn default() -> Self {
        Self::new()
    }
}

impl Raw {
    fn new(message: Vec<u8>, base: &Value, derived: &str) -> Self {
        let input = SigningInput::from_bytes(&message).expect("our own request");
        let derived: Value = serde_json::from_str(derived).expect("JSON");
        let (base, derived) = (components(&base["proof"]), components(&derived["proof"]));
        let indexes = derived[3].as_array().expect("an array").iter();
        let indexes: Vec<usize> = indexes
            .filter_map(|index| usize::try_from(index.as_unsigned()?).ok())
            .collect();
        Self {
            signature: bbs::Signature::from_bytes(bytes(&base[0])).expect("a signature"),
            proof: bytes(&derived[0]).to_vec(),
            shown: indexes.iter().map(|index| input.messages[*index].clone()).collect(),
            message,
            input,
            indexes,
        }
    }
}

fn request(key: &PublicKey, contexts: &ContextLoader) -> SigningRequest<Map<String, Value>> {
    let options = BaseProofOptions {
        cryptosuite: Cryptosuite::Bbs2023,
        key,
        verification_method: &format!("{ISSUER}#key"),
        created: None,
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let mut rng = signer::os_rng();
    data_integrity::issue_selective(document(), &options, contexts, &mut rng).expect("a credential")
}

fn components(proof: &Value) -> Vec<cbor::Value> {
    let value = proof["proofValue"].as_str().and_then(|value| value.strip_prefix('u'));
    let bytes = base64url::decode(value.expect("multibase")).expect("base64url");
    let limits = keys::json::Limits {
        max_bytes: 1 << 20,
        max_depth: 3,
    };
    // Three bytes of header.
    let components = cbor::decode(&bytes[3..], limits).expect("CBOR");
    components.as_array().expect("an array").to_vec()
}

fn bytes(value: &cbor::Value) -> &[u8] {
    value.as_bytes().expect("bytes")
}
