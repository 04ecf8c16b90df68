//! The suites with selective disclosure against npm `@digitalbazaar/vc`: issued, derived and verified on either side.

use credential::LdpVc;
use credential::Unverified;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::Pointer;
use credential::vc::DataModelVersion;
use serde_json::Value;
use serde_json::json;

use crate::data_integrity::ISSUER;
use crate::data_integrity::METHOD;
use crate::data_integrity::Scene;
use crate::data_integrity::ask_the_peer;
use crate::data_integrity::exchange;
use crate::matrix::MIN_MUTATIONS;
use crate::mutation;
use crate::party::now;
use crate::peer;
use crate::peer::DATA_INTEGRITY;

/// What the holder shows besides what every verifier sees.
const SHOWN: [&str; 6] = [
    "/credentialSubject/given_name",
    "/credentialSubject/birthdate",
    "/credentialSubject/age_over_18",
    "/credentialSubject/sex",
    "/credentialSubject/place_of_birth",
    "/credentialSubject/nationalities",
];

/// Their base64url reads past a character too many.
const LAX: [&str; 1] = ["/proof/proofValue changed"];

/// What our issuers always make mandatory.
const MANDATORY: [&str; 3] = ["/issuer", "/validFrom", "/credentialSubject/id"];

fn scenes() -> impl Iterator<Item = Scene> {
    let installed = peer::are_installed();
    Cryptosuite::ALL
        .into_iter()
        .filter(move |suite| installed && suite.is_selective())
        .map(|suite| Scene::new(suite, suite.algorithms()[0]))
}

impl Scene {
    fn base_of_ours(&self) -> Value {
        let options = BaseProofOptions {
            cryptosuite: self.suite,
            key: self.issuer.key(),
            verification_method: METHOD,
            created: Some(now().minus(1)),
            expires: None,
            mandatory: &[],
            data_model: DataModelVersion::V2_0,
        };
        let (document, mut rng) = (self.document().as_object().unwrap().clone(), signer::os_rng());
        let request = data_integrity::issue_selective(document, &options, &self.contexts, &mut rng);
        Value::Object(self.issuer.sign(request.unwrap()))
    }

    fn base_of_theirs(&self) -> Value {
        let question = json!({
            "do": "issue", "suite": self.suite.as_str(), "credential": self.document(),
            "key": self.issuer.private_jwk(), "method": METHOD, "controller": ISSUER, "mandatory": MANDATORY,
        });
        DATA_INTEGRITY.ask(&question).unwrap()["credential"].clone()
    }

    fn derived_by_us(&self, base: &Value) -> Value {
        let pointers: Vec<Pointer> = SHOWN.map(|pointer| pointer.parse().unwrap()).into();
        let held = Unverified::<LdpVc>::parse(&base.to_string())
            .and_then(|base| base.hold_issued(self.issuer.key(), ISSUER, &self.contexts, now()))
            .unwrap();
        let derived = held
            .derive(&pointers, b"", &self.contexts, &mut signer::os_rng())
            .unwrap();
        serde_json::from_str(derived.as_str()).unwrap()
    }

    fn derived_by_the_peer(&self, base: &Value) -> Value {
        let question = json!({
            "do": "derive", "suite": self.suite.as_str(), "credential": base, "selective": SHOWN,
        });
        DATA_INTEGRITY.ask(&question).unwrap()["credential"].clone()
    }

    fn verified_by_the_peer(&self, derived: &Value, what: &str) {
        // Each check of theirs takes a fifth of a second.
        let mut mutations = mutation::of_document(derived);
        mutations.truncate(mutations.len().min(2 * MIN_MUTATIONS));
        let questions = mutations.iter().map(|(_, mutation)| self.question(mutation));
        let accepted = ask_the_peer(self.question(derived), questions);
        exchange(self, what).refused_by_the_peer(&mutations, accepted, &LAX);
    }

    fn verified_by_us(&self, derived: &Value, what: &str) {
        let authentic = self.authenticate(derived).unwrap();
        assert_eq!(authentic.facts().issuer(), ISSUER);
        let mutations = mutation::of_document(derived);
        exchange(self, what).all_refused(&mutations, |mutation| self.authenticate(mutation).is_ok());
    }
}

#[test]
fn ours_derived_by_us_are_read_by_others() {
    for scene in scenes() {
        let derived = scene.derived_by_us(&scene.base_of_ours());
        assert_eq!(derived["credentialSubject"].get("address"), None);
        scene.verified_by_the_peer(&derived, "we issue and derive, they verify");
    }
}

#[test]
fn ours_derived_by_others_are_read_by_both() {
    for scene in scenes() {
        let derived = scene.derived_by_the_peer(&scene.base_of_ours());
        scene.verified_by_us(&derived, "we issue, they derive, we verify");
        scene.verified_by_the_peer(&derived, "we issue, they derive and verify");
    }
}

#[test]
fn theirs_derived_by_us_are_read_by_both() {
    for scene in scenes() {
        let derived = scene.derived_by_us(&scene.base_of_theirs());
        scene.verified_by_us(&derived, "they issue, we derive and verify");
        scene.verified_by_the_peer(&derived, "they issue, we derive, they verify");
    }
}

#[test]
fn theirs_derived_by_others_are_read_by_us() {
    for scene in scenes() {
        let derived = scene.derived_by_the_peer(&scene.base_of_theirs());
        scene.verified_by_us(&derived, "they issue and derive, we verify");
    }
}
