//! W3C credentials of the same ten claims, with a signature around them and with Data Integrity proofs; Ed25519.

use std::cell::RefCell;
use std::marker::PhantomData;

use credential::ClaimPath;
use credential::LdpVc;
use credential::Transaction;
use credential::Unverified;
use credential::VcJwt;
use credential::VcSdJwt;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
use credential::vc_cose;
use credential::vc_cose::CoseMessage;
use credential::vc_jose_cose::Mechanism;
use credential::vc_jose_cose::W3cCredential;
use credential::vc_jwt;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::SdJwtMessage;
use credential::vc_sd_jwt::Selective;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::Signature;
use keys::Signer as _;
use keys::SigningRequest;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use crate::NOW;
use crate::RawCheck;
use crate::RawSigning;
use crate::VERIFIER;
use crate::key;
use crate::material;

pub(crate) const ISSUER: &str = "did:example:issuer";
const HOLDER: &str = "did:example:holder";

/// A `vc+jwt`, alone and in a `vp+jwt`.
pub struct Jwts {
    credential: String,
    presentation: String,
    issuer: SoftwareKey,
    holder: SoftwareKey,
    document: Map<String, Value>,
    signed: (Vec<u8>, Signature),
    raw: [RawCheck; 2],
    raw_issue: RawSigning,
}

/// Many `vc+jwt` of one issuer.
pub struct ManyJwts {
    credentials: Vec<String>,
    issuer: SoftwareKey,
    raw: Vec<RawCheck>,
}

/// A credential of another mechanism than JOSE.
pub struct Enveloped<M> {
    credential: String,
    issuer: SoftwareKey,
    raw: RawCheck,
    mechanism: PhantomData<M>,
}

/// A credential with an embedded proof.
pub struct Proven {
    cryptosuite: Cryptosuite,
    document: RefCell<Map<String, Value>>,
    text: String,
    issuer: SoftwareKey,
    raw: RawCheck,
    raw_issue: RawSigning,
    contexts: ContextLoader,
}

/// Where the context of the sample's credential type is.
pub(crate) const CONTEXT: &str = "https://attestry.example/types/PersonIdentity/context.jsonld";

/// What is there.
pub(crate) fn context() -> Value {
    let document = include_str!("../../schemas/types/PersonIdentity/context.jsonld");
    serde_json::from_str(document).expect("JSON")
}

/// The bundled contexts and the type's.
pub(crate) fn contexts() -> ContextLoader {
    let mut contexts = ContextLoader::bundled();
    contexts.register(CONTEXT, context());
    contexts
}

pub(crate) fn document() -> Map<String, Value> {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT],
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": ISSUER,
        "validFrom": NOW.minus(60).to_rfc3339(),
        "validUntil": NOW.plus(86_400).to_rfc3339(),
        "credentialSubject": {
            "id": HOLDER,
            "given_name": "Aroha", "family_name": "Ngata", "birthdate": "1996-02-29", "age_over_18": true,
            "birth_family_name": "Parata", "sex": 2, "email": "aroha.ngata@example.org", "phone_number": "+6421000000",
            "personal_administrative_number": "P000001", "document_number": "XA1234567"
        },
        "credentialStatus": {
            "id": "https://issuer.example/status/1#3", "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation", "statusListIndex": "3",
            "statusListCredential": "https://issuer.example/status/1"
        }
    });
    document.as_object().expect("an object").clone()
}

/// The number of the issuer's key.
const KEY: u8 = 3;

fn jwt_request(document: &Map<String, Value>) -> SigningRequest<String> {
    vc_jwt::issue(document, &format!("{ISSUER}#key"), Algorithm::EdDsa).expect("a credential")
}

fn algorithm(cryptosuite: Cryptosuite) -> Algorithm {
    match cryptosuite {
        Cryptosuite::EcdsaRdfc2019 => Algorithm::Es256,
        _ => Algorithm::EdDsa,
    }
}

fn request(
    document: Map<String, Value>,
    cryptosuite: Cryptosuite,
    contexts: &ContextLoader,
) -> SigningRequest<Map<String, Value>> {
    let options = ProofOptions {
        cryptosuite,
        algorithm: algorithm(cryptosuite),
        verification_method: &format!("{ISSUER}#key"),
        created: Some(NOW.minus(60)),
        expires: None,
    };
    data_integrity::issue(document, &options, contexts).expect("a credential")
}

impl Jwts {
    /// Both.
    pub fn new() -> Self {
        let (issuer, holder) = (key(Algorithm::EdDsa, KEY), key(Algorithm::EdDsa, 4));
        let request = jwt_request(&document());
        let raw_issue = RawSigning {
            key: key(Algorithm::EdDsa, KEY),
            message: request.message().to_vec(),
        };
        let signature = issuer.sign(request.message()).expect("a signature");
        let signed = (request.message().to_vec(), signature);
        let credential = issuer.fulfil(request).expect("the issuer's key");
        let held = Unverified::<VcJwt>::parse(&credential)
            .and_then(|credential| credential.restore(issuer.public_key(), ISSUER))
            .expect("our own credential");
        let presentation = vc_jwt::Presentation {
            holder: HOLDER,
            key_id: &format!("{HOLDER}#key"),
            audience: VERIFIER,
            nonce: "n-1",
            issued_at: NOW,
        };
        let presentation = holder
            .fulfil(presentation.sign(&[&held], Algorithm::EdDsa))
            .expect("the holder's key");
        Self {
            signed,
            raw: [
                RawCheck::of_jws(&credential, issuer.public_key()),
                RawCheck::of_jws(&presentation, holder.public_key()),
            ],
            raw_issue,
            credential,
            presentation,
            document: document(),
            issuer,
            holder,
        }
    }

    /// The credential again, the signature included.
    pub fn issue(&self) {
        let request = jwt_request(&self.document);
        let _credential = self.issuer.fulfil(request).expect("the issuer's key");
    }

    /// That signature alone.
    pub fn raw_issue(&self) {
        self.raw_issue.run();
    }

    /// The credential for others to verify and to issue.
    pub fn material(&self) -> Value {
        json!({
            "text": self.credential, "tampered": material::other_signature(&self.credential),
            "issuer": material::key(Algorithm::EdDsa, KEY), "method": format!("{ISSUER}#key"), "controller": ISSUER,
            "document": self.document,
        })
    }

    /// The credential's signature as `crates/keys` checks it.
    pub fn verify_signature(&self) {
        let (message, signature) = &self.signed;
        let verified = self.issuer.public_key().verify(message, signature);
        verified.expect("a signature that holds");
    }

    /// The credential alone.
    pub fn verify_credential(&self) {
        let _authentic = Unverified::<VcJwt>::parse(&self.credential)
            .and_then(|credential| credential.authenticate(self.issuer.public_key(), ISSUER, NOW))
            .expect("a genuine credential");
    }

    /// The credential's signature alone.
    pub fn raw_credential(&self) {
        let [credential, _] = &self.raw;
        credential.run();
    }

    /// Presentation and credential, and that they belong together.
    pub fn verify_presentation(&self) {
        let transaction = Transaction {
            audience: VERIFIER,
            nonce: "n-1",
            now: NOW,
            max_age: 300,
        };
        let presented = vc_jwt::UnverifiedPresentation::parse(&self.presentation)
            .and_then(|presentation| presentation.authenticate(self.holder.public_key(), HOLDER, &transaction))
            .expect("a genuine presentation");
        for credential in presented.credentials {
            let authentic = credential
                .into_jwt()
                .expect("a vc+jwt")
                .authenticate(self.issuer.public_key(), ISSUER, NOW)
                .expect("a genuine credential");
            let binding = authentic
                .verify_presenter(&presented.presenter)
                .expect("the holder's credential");
            assert!(binding.is_proven());
        }
    }

    /// Both signatures alone.
    pub fn raw_presentation(&self) {
        self.raw.iter().for_each(RawCheck::run);
    }
}

impl ManyJwts {
    /// This many.
    pub fn new(number: usize) -> Self {
        let issuer = key(Algorithm::EdDsa, KEY);
        let credentials: Vec<String> = (0..number)
            .map(|number| {
                let mut document = document();
                document.insert(
                    "id".to_owned(),
                    json!(format!("https://issuer.example/credentials/{number}")),
                );
                issuer.fulfil(jwt_request(&document)).expect("the issuer's key")
            })
            .collect();
        let raw = credentials.iter().map(|one| RawCheck::of_jws(one, issuer.public_key()));
        Self {
            raw: raw.collect(),
            credentials,
            issuer,
        }
    }

    /// All of them together.
    pub fn verify(&self) {
        let parsed = self.credentials.iter().map(|text| Unverified::<VcJwt>::parse(text));
        let parsed = parsed.collect::<Result<Vec<_>, _>>().expect("genuine credentials");
        let key = self.issuer.public_key();
        let authentic = Unverified::<VcJwt>::authenticate_all(parsed, key, ISSUER, NOW, &mut signer::os_rng());
        assert!(authentic.iter().all(Result::is_ok));
    }

    /// Their signatures one by one.
    pub fn raw(&self) {
        self.raw.iter().for_each(RawCheck::run);
    }
}

impl Enveloped<SdJwtMessage> {
    /// A `vc+sd-jwt` that shows three of its ten claims.
    pub fn sd_jwt() -> Self {
        let issuer = key(Algorithm::EdDsa, 3);
        let names = document()["credentialSubject"].as_object().expect("a subject").clone();
        let claim = |name: &String| ClaimPath::of_keys(["credentialSubject", name]).expect("a path");
        let disclosable: Vec<ClaimPath> = names.keys().filter(|name| *name != "id").map(claim).collect();
        let selective = Selective {
            disclosable: &disclosable,
            ..Selective::default()
        };
        let (key_id, rng) = (format!("{ISSUER}#key"), &mut signer::os_rng());
        let request = vc_sd_jwt::issue(&document(), selective, &key_id, Algorithm::EdDsa, rng);
        let credential = issuer.fulfil(request.expect("a credential")).expect("the issuer's key");
        let held = Unverified::<VcSdJwt>::parse(&credential)
            .and_then(|credential| credential.restore(issuer.public_key(), ISSUER))
            .expect("our own credential");
        let shown = held
            .present(disclosable.get(..3).expect("ten claims"))
            .expect("its own claims");
        let credential = shown.into_unbound();
        let jwt = credential.split('~').next().expect("a JWT");
        Self {
            raw: RawCheck::of_jws(jwt, issuer.public_key()),
            credential,
            issuer,
            mechanism: PhantomData,
        }
    }
}

impl Enveloped<CoseMessage> {
    /// A `vc+cose`.
    pub fn cose() -> Self {
        let issuer = key(Algorithm::EdDsa, 3);
        let request = vc_cose::issue(&document(), &format!("{ISSUER}#key"), Algorithm::EdDsa).expect("a credential");
        let raw = RawCheck::new(&issuer, request.message().to_vec());
        let message = issuer.fulfil(request).expect("the issuer's key");
        Self {
            credential: vc_cose::to_text(&message),
            raw,
            issuer,
            mechanism: PhantomData,
        }
    }
}

impl<M: Mechanism> Enveloped<M> {
    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let _authentic = Unverified::<W3cCredential<M>>::parse(&self.credential)
            .and_then(|credential| credential.authenticate(self.issuer.public_key(), ISSUER, NOW))
            .expect("a genuine credential");
    }

    /// The signature alone.
    pub fn raw(&self) {
        self.raw.run();
    }
}

impl Default for Jwts {
    fn default() -> Self {
        Self::new()
    }
}

impl Proven {
    /// A credential secured with this suite.
    pub fn new(cryptosuite: Cryptosuite) -> Self {
        let (issuer, contexts) = (key(algorithm(cryptosuite), KEY), contexts());
        let request = request(document(), cryptosuite, &contexts);
        let message = request.message().to_vec();
        let raw = RawCheck::new(&issuer, message.clone());
        let raw_issue = RawSigning {
            key: key(algorithm(cryptosuite), KEY),
            message,
        };
        let secured = issuer.fulfil(request).expect("the issuer's key");
        Self {
            cryptosuite,
            document: RefCell::new(document()),
            text: Value::Object(secured).to_string(),
            issuer,
            raw,
            raw_issue,
            contexts,
        }
    }

    /// A proof for the same document, which goes in and comes back, so that no copy of it is measured.
    pub fn issue(&self) {
        let request = request(self.document.take(), self.cryptosuite, &self.contexts);
        let mut secured = self.issuer.fulfil(request).expect("the issuer's key");
        let _proof = secured.remove("proof").expect("a proof");
        self.document.replace(secured);
    }

    /// The signature alone.
    pub fn raw_issue(&self) {
        self.raw_issue.run();
    }

    /// For others to verify and to issue.
    pub fn material(&self) -> Value {
        json!({
            "text": self.text, "tampered": material::other_name(&self.text), "document": *self.document.borrow(),
            "issuer": material::key(algorithm(self.cryptosuite), KEY),
            "method": format!("{ISSUER}#key"), "controller": ISSUER,
        })
    }

    /// Everything that `crates/credential` checks.
    pub fn verify(&self) {
        let _authentic = Unverified::<LdpVc>::parse(&self.text)
            .and_then(|parsed| parsed.authenticate(self.issuer.public_key(), ISSUER, &self.contexts, NOW))
            .expect("a genuine credential");
    }

    /// The signature alone.
    pub fn raw(&self) {
        self.raw.run();
    }
}
