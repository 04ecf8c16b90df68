//! The suites that sign a whole document against npm `@digitalbazaar/vc`.

use std::fs;
use std::path::Path;

use credential::Authentic;
use credential::HolderKey;
use credential::LdpVc;
use credential::Transaction;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::LdpVcError;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::PresentedLdpVcs;
use credential::data_integrity::ProofOptions;
use credential::data_integrity::UnverifiedPresentation;
use jsonld::ContextLoader;
use keys::Algorithm;
use serde_json::Value;
use serde_json::json;

use crate::matrix::Exchange;
use crate::mutation;
use crate::party::Party;
use crate::party::now;
use crate::peer;
use crate::peer::DATA_INTEGRITY;

pub(crate) const ISSUER: &str = "did:web:population.attestry.example";
pub(crate) const METHOD: &str = "did:web:population.attestry.example#key-1";
const NONCE: &str = "n-1";
const TYPE: &str = "https://attestry.example/types/PersonIdentity";
const VERIFIER: &str = "did:example:verifier";

/// What `@digitalbazaar/vc` accepts although it was changed.
const LAX: [&str; 0] = [];

/// An issuer and a holder with keys of a suite.
pub(crate) struct Scene {
    pub(crate) suite: Cryptosuite,
    pub(crate) issuer: Party,
    holder: Party,
    pub(crate) contexts: ContextLoader,
}

/// Every suite that signs whole documents, with each of its algorithms.
fn scenes() -> impl Iterator<Item = Scene> {
    let installed = peer::are_installed();
    Cryptosuite::ALL
        .into_iter()
        .filter(move |suite| installed && !suite.is_selective())
        .flat_map(|suite| suite.algorithms().iter().map(move |algorithm| (suite, *algorithm)))
        .map(|(suite, algorithm)| Scene::new(suite, algorithm))
}

pub(crate) fn exchange<'a>(scene: &Scene, what: &'a str) -> Exchange<'a> {
    Exchange {
        format: scene.format(),
        peer: DATA_INTEGRITY.name(),
        what,
    }
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
    pub(crate) fn new(suite: Cryptosuite, algorithm: Algorithm) -> Self {
        Self {
            suite,
            issuer: Party::new(algorithm),
            // BBS signs no presentations, so its holder has a key of another kind.
            holder: Party::new(if algorithm == Algorithm::Bbs {
                Algorithm::EdDsa
            } else {
                algorithm
            }),
            contexts: contexts(),
        }
    }

    /// With objects inside of each other, arrays, dates, numbers and other scripts: all that canonicalization
    /// could get wrong.
    pub(crate) fn document(&self) -> Value {
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
            cryptosuite: self.suite,
            algorithm: self.issuer.algorithm(),
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
            "do": "issue", "suite": self.suite.as_str(), "credential": self.document(), "key": self.issuer.private_jwk(),
            "method": METHOD, "controller": ISSUER,
        });
        DATA_INTEGRITY.ask(&question).unwrap()["credential"].clone()
    }

    pub(crate) fn authenticate(&self, credential: &Value) -> Result<Authentic<LdpVc>, LdpVcError> {
        Unverified::<LdpVc>::parse(&credential.to_string())?.authenticate(
            self.issuer.key(),
            ISSUER,
            &self.contexts,
            now(),
        )
    }

    pub(crate) fn question(&self, credential: &Value) -> Value {
        json!({
            "do": "verify", "suite": self.suite.as_str(), "credential": credential, "key": self.issuer.jwk(),
            "method": METHOD, "controller": ISSUER,
        })
    }

    fn presented_by_us(&self, credential: &Value) -> Value {
        let held = self.authenticate(credential).unwrap().hold_issued().unwrap();
        let presentation = data_integrity::Presentation {
            holder: &self.holder.did_key(),
            verification_method: &self.holder.did_key_method(),
            cryptosuite: self.suite,
            algorithm: self.holder.algorithm(),
            domain: VERIFIER,
            challenge: NONCE,
            created: now().minus(1),
        };
        let request = presentation.sign(&[&held], &self.contexts);
        Value::Object(self.holder.sign(request.unwrap()))
    }

    fn presented_by_the_peer(&self, credential: &Value) -> Value {
        let question = json!({
            "do": "present", "suite": self.suite.as_str(), "credential": credential, "holder": self.holder.private_jwk(),
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

    /// Whether the presentation and the credential in it hold, and belong together.
    fn accept(&self, presentation: &Value) -> bool {
        let Ok(presented) = self.receive(presentation, NONCE) else {
            return false;
        };
        let Ok([credential]) = <[_; 1]>::try_from(presented.credentials) else {
            return false;
        };
        let authentic = credential.authenticate(self.issuer.key(), ISSUER, &self.contexts, now());
        authentic.is_ok_and(|authentic| authentic.verify_presenter(&presented.presenter).is_ok())
    }

    fn presentation_question(&self, presentation: &Value, challenge: &str) -> Value {
        json!({
            "do": "verify_presentation", "suite": self.suite.as_str(), "presentation": presentation, "key": self.issuer.jwk(), "method": METHOD,
            "controller": ISSUER, "holder": self.holder.jwk(), "challenge": challenge, "domain": VERIFIER,
        })
    }

    fn format(&self) -> String {
        match self.suite.algorithms() {
            [_] => self.suite.as_str().to_owned(),
            _ => format!("{}, {}", self.suite.as_str(), self.issuer.algorithm()),
        }
    }
}

/// The peer's answer to the genuine thing, which must be yes, and then to each mutation.
pub(crate) fn ask_the_peer(genuine: Value, mutations: impl Iterator<Item = Value>) -> Vec<bool> {
    let questions: Vec<Value> = std::iter::once(genuine).chain(mutations).collect();
    let mut answers = DATA_INTEGRITY.ask_all(&questions).into_iter();
    answers.next().expect("an answer").expect("a genuine document");
    answers.map(|answer| answer.is_ok()).collect()
}

#[test]
fn others_read_our_credentials() {
    for scene in scenes() {
        let credential = scene.ours();
        let mutations = mutation::of_document(&credential);
        let questions = mutations.iter().map(|(_, mutation)| scene.question(mutation));
        let accepted = ask_the_peer(scene.question(&credential), questions);
        exchange(&scene, "we issue, they verify").refused_by_the_peer(&mutations, accepted, &LAX);
    }
}

#[test]
fn credentials_of_others_are_authentic() {
    for scene in scenes() {
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
        let mutations = mutation::of_document(&credential);
        exchange(&scene, "they issue, we verify")
            .all_refused(&mutations, |mutation| scene.authenticate(mutation).is_ok());
    }
}

#[test]
fn others_read_our_presentations() {
    for scene in scenes() {
        let presentation = scene.presented_by_us(&scene.ours());
        let mut mutations = mutation::of_document(&presentation);
        mutations.push(("answer to another nonce".to_owned(), presentation.clone()));
        let (nonces, last) = (mutations.len() - 1, "n-2");
        let questions = mutations
            .iter()
            .enumerate()
            .map(|(at, (_, mutation))| scene.presentation_question(mutation, if at == nonces { last } else { NONCE }));
        let accepted = ask_the_peer(scene.presentation_question(&presentation, NONCE), questions);
        exchange(&scene, "we present, they verify").refused_by_the_peer(&mutations, accepted, &LAX);
    }
}

#[test]
fn presentations_of_others_are_bound() {
    for scene in scenes() {
        let presentation = scene.presented_by_the_peer(&scene.theirs());
        assert!(scene.accept(&presentation));
        assert_eq!(
            scene.receive(&presentation, "n-2").unwrap_err(),
            LdpVpError::WrongChallenge
        );
        let mutations = mutation::of_document(&presentation);
        exchange(&scene, "they present, we verify").all_refused(&mutations, |mutation| scene.accept(mutation));
    }
}
