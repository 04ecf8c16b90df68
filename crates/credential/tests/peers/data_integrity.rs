//! `eddsa-rdfc-2022` against npm `@digitalbazaar/vc`.

use std::fs;
use std::path::Path;

use credential::Authentic;
use credential::HolderKey;
use credential::LdpVc;
use credential::Transaction;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::CryptosuiteError;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::PresentedLdpVcs;
use credential::data_integrity::ProofOptions;
use credential::data_integrity::UnverifiedPresentation;
use jsonld::ContextLoader;
use keys::Algorithm;
use serde_json::Value;
use serde_json::json;

use crate::party::Party;
use crate::party::now;
use crate::peer;
use crate::peer::DATA_INTEGRITY;

const ISSUER: &str = "did:web:population.attestry.example";
const METHOD: &str = "did:web:population.attestry.example#key-1";
const NONCE: &str = "n-1";
const TYPE: &str = "https://attestry.example/types/PersonIdentity";
const VERIFIER: &str = "did:example:verifier";

struct Scene {
    issuer: Party,
    holder: Party,
    contexts: ContextLoader,
}

fn scene() -> Option<Scene> {
    peer::are_installed().then(|| Scene {
        issuer: Party::new(Algorithm::EdDsa),
        holder: Party::new(Algorithm::EdDsa),
        contexts: contexts(),
    })
}

/// The contexts that everyone has, and that of the type.
fn contexts() -> ContextLoader {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/types/PersonIdentity/context.jsonld");
    let context = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let mut contexts = ContextLoader::bundled();
    contexts.register(&format!("{TYPE}/context.jsonld"), context);
    contexts
}

impl Scene {
    /// With objects inside of each other, arrays, dates, numbers and other scripts: all that canonicalization
    /// could get wrong.
    fn document(&self) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2", format!("{TYPE}/context.jsonld")],
            "type": ["VerifiableCredential", "PersonIdentity"],
            "issuer": {"id": ISSUER, "name": "人口"},
            "validFrom": now().minus(60).to_rfc3339(),
            "credentialSubject": {
                "id": self.holder.did_key(),
                "given_name": "Maya \"Mai\" ஆ",
                "birthdate": "1990-05-17",
                "age_over_18": true,
                "sex": 2,
                "nationalities": ["XA", "XB"],
                "place_of_birth": {"locality": "Port Saga", "country": "XA"},
                "address": {"street_address": "88 Durian Loop", "locality": "Teluk Biru", "country": "XA"},
            },
        })
    }

    fn ours(&self) -> Value {
        let options = ProofOptions {
            cryptosuite: Cryptosuite::EddsaRdfc2022,
            algorithm: Algorithm::EdDsa,
            verification_method: METHOD,
            created: Some(now().minus(1)),
            expires: None,
        };
        let document = self.document().as_object().unwrap().clone();
        let request = data_integrity::issue(document, &options, &self.contexts);
        Value::Object(self.issuer.sign(request.unwrap()))
    }

    fn theirs(&self) -> Value {
        let question = json!({
            "do": "issue", "credential": self.document(), "key": self.issuer.private_jwk(),
            "method": METHOD, "controller": ISSUER,
        });
        DATA_INTEGRITY.ask(&question).unwrap()["credential"].clone()
    }

    fn authenticate(&self, credential: &Value) -> Result<Authentic<LdpVc>, LdpVcError> {
        Unverified::<LdpVc>::parse(&credential.to_string())?.authenticate(
            self.issuer.key(),
            ISSUER,
            &self.contexts,
            now(),
        )
    }

    fn read_by_the_peer(&self, credential: &Value) -> Result<Value, String> {
        DATA_INTEGRITY.ask(&json!({
            "do": "verify", "credential": credential, "key": self.issuer.jwk(), "method": METHOD, "controller": ISSUER,
        }))
    }

    fn presented_by_us(&self, credential: &Value) -> Value {
        let held = self.authenticate(credential).unwrap().hold_issued().unwrap();
        let presentation = data_integrity::Presentation {
            holder: &self.holder.did_key(),
            verification_method: &self.holder.did_key_method(),
            cryptosuite: Cryptosuite::EddsaRdfc2022,
            algorithm: Algorithm::EdDsa,
            domain: VERIFIER,
            challenge: NONCE,
            created: now().minus(1),
        };
        let request = presentation.sign(&[&held], &self.contexts);
        Value::Object(self.holder.sign(request.unwrap()))
    }

    fn presented_by_the_peer(&self, credential: &Value) -> Value {
        let question = json!({
            "do": "present", "credential": credential, "holder": self.holder.private_jwk(),
            "challenge": NONCE, "domain": VERIFIER,
        });
        DATA_INTEGRITY.ask(&question).unwrap()["presentation"].clone()
    }

    fn receive(&self, presentation: &Value, nonce: &str) -> Result<PresentedLdpVcs, LdpVpError> {
        let transaction = Transaction {
            audience: VERIFIER,
            nonce,
            now: now(),
            max_age: 300,
        };
        UnverifiedPresentation::parse(&presentation.to_string())?.authenticate(
            self.holder.key(),
            &self.holder.did_key(),
            &transaction,
            &self.contexts,
        )
    }

    fn received_by_the_peer(&self, presentation: &Value, challenge: &str) -> Result<Value, String> {
        DATA_INTEGRITY.ask(&json!({
            "do": "verify_presentation", "presentation": presentation, "key": self.issuer.jwk(), "method": METHOD,
            "controller": ISSUER, "holder": self.holder.jwk(), "challenge": challenge, "domain": VERIFIER,
        }))
    }
}

/// The document with one value changed.
fn changed(document: &Value, pointer: &str, value: Value) -> Value {
    let mut document = document.clone();
    let place = document.pointer_mut(pointer).unwrap();
    assert_ne!(*place, value);
    *place = value;
    document
}

/// Changes of a credential that break its signature: claims, and the time of the proof.
fn forgeries(credential: &Value) -> [Value; 4] {
    [
        changed(credential, "/credentialSubject/given_name", json!("Mallory")),
        changed(credential, "/credentialSubject/place_of_birth/country", json!("XB")),
        changed(credential, "/credentialSubject/age_over_18", json!(false)),
        changed(credential, "/proof/created", json!("2026-01-01T00:00:00Z")),
    ]
}

#[test]
fn others_read_our_credentials() {
    let Some(scene) = scene() else { return };
    let credential = scene.ours();
    scene.read_by_the_peer(&credential).unwrap();
    for forged in forgeries(&credential) {
        scene.read_by_the_peer(&forged).unwrap_err();
    }
}

#[test]
fn credentials_of_others_are_authentic() {
    let Some(scene) = scene() else { return };
    let credential = scene.theirs();
    let authentic = scene.authenticate(&credential).unwrap();
    assert_eq!(authentic.facts().issuer(), ISSUER);
    assert_eq!(
        authentic.facts().holder(),
        Some(&HolderKey::Did(scene.holder.did_key()))
    );
    let held = authentic.hold_issued().unwrap();
    assert_eq!(
        held.claims()["credentialSubject"],
        scene.document()["credentialSubject"]
    );
    for forged in forgeries(&credential) {
        let refused = scene.authenticate(&forged).unwrap_err();
        assert!(
            matches!(refused, LdpVcError::Cryptosuite(CryptosuiteError::Signature(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn others_read_our_presentations() {
    let Some(scene) = scene() else { return };
    let presentation = scene.presented_by_us(&scene.ours());
    scene.received_by_the_peer(&presentation, NONCE).unwrap();
    scene.received_by_the_peer(&presentation, "n-2").unwrap_err();
    let forged = changed(&presentation, "/verifiableCredential/0/credentialSubject/sex", json!(1));
    scene.received_by_the_peer(&forged, NONCE).unwrap_err();
    let forged = changed(&presentation, "/proof/domain", json!("did:example:another"));
    scene.received_by_the_peer(&forged, NONCE).unwrap_err();
}

#[test]
fn presentations_of_others_are_bound() {
    let Some(scene) = scene() else { return };
    let presentation = scene.presented_by_the_peer(&scene.theirs());
    let presented = scene.receive(&presentation, NONCE).unwrap();
    let [credential] = <[_; 1]>::try_from(presented.credentials).unwrap();
    let authentic = credential
        .authenticate(scene.issuer.key(), ISSUER, &scene.contexts, now())
        .unwrap();
    assert!(authentic.verify_presenter(&presented.presenter).unwrap().is_proven());
    assert_eq!(
        scene.receive(&presentation, "n-2").unwrap_err(),
        LdpVpError::WrongChallenge
    );
    let forged = changed(&presentation, "/proof/challenge", json!("n-2"));
    let refused = scene.receive(&forged, "n-2").unwrap_err();
    assert!(
        matches!(refused, LdpVpError::Cryptosuite(CryptosuiteError::Signature(_))),
        "{refused:?}"
    );
}
