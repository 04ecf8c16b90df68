//! `vc+jwt` and `vp+jwt` against npm `jose`.

use credential::Authentic;
use credential::HolderKey;
use credential::Transaction;
use credential::Unverified;
use credential::VcJwt;
use credential::vc_jwt;
use credential::vc_jwt::PresentedCredentials;
use credential::vc_jwt::UnverifiedPresentation;
use credential::vc_jwt::VcJwtError;
use credential::vc_jwt::VpJwtError;
use keys::Algorithm;
use keys::Timestamp;
use keys::jws::JwsError;
use serde_json::Value;
use serde_json::json;

use crate::matrix::Exchange;
use crate::mutation;
use crate::party::Party;
use crate::party::now;
use crate::party::with_other_payload;
use crate::party::with_other_signature;
use crate::peer;
use crate::peer::JOSE;

const NONCE: &str = "n-1";
const VERIFIER: &str = "did:example:verifier";

struct Scene {
    issuer: Party,
    holder: Party,
    valid_from: Timestamp,
}

/// Both algorithms.
fn scenes() -> impl Iterator<Item = Scene> {
    let installed = peer::are_installed();
    let both = [Algorithm::Es256, Algorithm::EdDsa].into_iter();
    both.filter(move |_| installed).map(|algorithm| Scene {
        issuer: Party::new(algorithm),
        holder: Party::new(algorithm),
        valid_from: now().minus(60),
    })
}

impl Scene {
    fn document(&self) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential", "PersonIdentity"],
            "issuer": self.issuer.did_key(),
            "validFrom": self.valid_from.to_rfc3339(),
            "credentialSubject": {"id": self.holder.did_key(), "given_name": "Maya"},
        })
    }

    fn ours(&self) -> String {
        let document = self.document().as_object().unwrap().clone();
        let request = vc_jwt::issue(&document, &self.issuer.did_key_method(), self.issuer.algorithm());
        self.issuer.sign(request.unwrap())
    }

    fn theirs(&self) -> String {
        signed_by_the_peer(&self.issuer, "vc+jwt", "vc", &self.document())
    }

    fn authenticate(&self, text: &str) -> Result<Authentic<VcJwt>, VcJwtError> {
        Unverified::<VcJwt>::parse(text)?.authenticate(self.issuer.key(), &self.issuer.did_key(), now())
    }

    fn presented_by_us(&self, credential: &str) -> String {
        let held = self.authenticate(credential).unwrap().hold_issued().unwrap();
        let presentation = vc_jwt::Presentation {
            holder: &self.holder.did_key(),
            key_id: &self.holder.did_key_method(),
            audience: VERIFIER,
            nonce: NONCE,
            issued_at: now(),
        };
        self.holder.sign(presentation.sign(&[&held], self.holder.algorithm()))
    }

    fn presented_by_the_peer(&self, credential: &str) -> String {
        let envelope = json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": format!("data:application/vc+jwt,{credential}"),
        });
        let presentation = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": "VerifiablePresentation",
            "holder": self.holder.did_key(),
            "verifiableCredential": [envelope],
            "aud": VERIFIER,
            "nonce": NONCE,
            "iat": now().unix(),
        });
        signed_by_the_peer(&self.holder, "vp+jwt", "vp", &presentation)
    }

    fn receive(&self, text: &str, nonce: &str) -> Result<PresentedCredentials, VpJwtError> {
        let transaction = Transaction {
            audience: VERIFIER,
            nonce,
            now: now(),
            max_age: 300,
        };
        UnverifiedPresentation::parse(text)?.authenticate(self.holder.key(), &self.holder.did_key(), &transaction)
    }
}

fn signed_by_the_peer(party: &Party, typ: &str, cty: &str, payload: &Value) -> String {
    let header = json!({"typ": typ, "cty": cty, "kid": party.did_key_method()});
    let question = json!({"do": "sign", "key": party.private_jwk(), "header": header, "payload": payload});
    JOSE.ask(&question).unwrap()["jwt"].as_str().unwrap().to_owned()
}

fn question(party: &Party, typ: &str, jwt: &str) -> Value {
    let mut question = json!({"do": "verify", "key": party.jwk(), "typ": typ, "jwt": jwt});
    if typ == "vp+jwt" {
        question["audience"] = json!(VERIFIER);
    }
    question
}

fn read_by_the_peer(party: &Party, typ: &str, jwt: &str) -> Result<Value, String> {
    JOSE.ask(&question(party, typ, jwt))
}

fn exchange<'a>(scene: &Scene, what: &'a str) -> Exchange<'a> {
    Exchange {
        format: format!("vc+jwt, {}", scene.issuer.algorithm()),
        peer: JOSE.name(),
        what,
    }
}

/// The peer must refuse every mutation.
fn offer_to_the_peer(scene: &Scene, party: &Party, typ: &str, text: &str, what: &str) {
    let mutations = mutation::of_jws(text);
    let questions: Vec<Value> = mutations.iter().map(|(_, jwt)| question(party, typ, jwt)).collect();
    let accepted = JOSE.ask_all(&questions).into_iter().map(|answer| answer.is_ok());
    exchange(scene, what).refused_by_the_peer(&mutations, accepted, &[]);
}

#[test]
fn jose_reads_our_credentials() {
    for scene in scenes() {
        let text = scene.ours();
        let read = read_by_the_peer(&scene.issuer, "vc+jwt", &text).unwrap();
        assert_eq!(read["payload"], scene.document());
        assert_eq!(read["header"]["kid"], scene.issuer.did_key_method());
        read_by_the_peer(&scene.issuer, "vp+jwt", &text).unwrap_err();
        read_by_the_peer(&scene.holder, "vc+jwt", &text).unwrap_err();
        offer_to_the_peer(&scene, &scene.issuer, "vc+jwt", &text, "we issue, they verify");
    }
}

#[test]
fn credentials_of_jose_are_authentic() {
    for scene in scenes() {
        let text = scene.theirs();
        let authentic = scene.authenticate(&text).unwrap();
        assert_eq!(authentic.facts().issuer(), scene.issuer.did_key());
        assert_eq!(
            authentic.facts().holder(),
            Some(&HolderKey::Did(scene.holder.did_key()))
        );
        let held = authentic.hold_issued().unwrap();
        assert_eq!(held.claims()["credentialSubject"]["given_name"], "Maya");
        let other_name = |document: &mut Value| document["credentialSubject"]["given_name"] = json!("Mallory");
        for forged in [with_other_signature(&text), with_other_payload(&text, other_name)] {
            let refused = scene.authenticate(&forged).unwrap_err();
            assert!(
                matches!(refused, VcJwtError::Jws(JwsError::Signature(_))),
                "{refused:?}"
            );
        }
        let accepts = |jwt: &String| scene.authenticate(jwt).is_ok();
        exchange(&scene, "they issue, we verify").all_refused(&mutation::of_jws(&text), accepts);
    }
}

#[test]
fn jose_reads_our_presentations() {
    for scene in scenes() {
        let credential = scene.ours();
        let text = scene.presented_by_us(&credential);
        let read = read_by_the_peer(&scene.holder, "vp+jwt", &text).unwrap();
        assert_eq!(read["payload"]["nonce"], NONCE);
        assert_eq!(
            read["payload"]["verifiableCredential"][0]["id"],
            format!("data:application/vc+jwt,{credential}")
        );
        offer_to_the_peer(&scene, &scene.holder, "vp+jwt", &text, "we present, they verify");
    }
}

#[test]
fn presentations_of_jose_are_bound() {
    for scene in scenes() {
        let text = scene.presented_by_the_peer(&scene.theirs());
        let presented = scene.receive(&text, NONCE).unwrap();
        let [credential] = <[_; 1]>::try_from(presented.credentials).unwrap();
        let authentic = credential
            .into_jwt()
            .unwrap()
            .authenticate(scene.issuer.key(), &scene.issuer.did_key(), now())
            .unwrap();
        assert!(authentic.verify_presenter(&presented.presenter).unwrap().is_proven());
        assert_eq!(scene.receive(&text, "n-2").unwrap_err(), VpJwtError::WrongNonce);
        let of_another = |payload: &mut Value| payload["holder"] = json!("did:example:another");
        for forged in [with_other_signature(&text), with_other_payload(&text, of_another)] {
            let refused = scene.receive(&forged, NONCE).unwrap_err();
            assert!(
                matches!(refused, VpJwtError::Jws(JwsError::Signature(_))),
                "{refused:?}"
            );
        }
        let accepts = |jwt: &String| scene.receive(jwt, NONCE).is_ok();
        exchange(&scene, "they present, we verify").all_refused(&mutation::of_jws(&text), accepts);
    }
}
