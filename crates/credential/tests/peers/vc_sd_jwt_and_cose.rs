//! `vc+sd-jwt` and `vp+sd-jwt` against Python `sd-jwt`, `vc+cose` and `vp+cose` against Python `cwt`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::ClaimPath;
use credential::Transaction;
use credential::Unverified;
use credential::VcCose;
use credential::VcSdJwt;
use credential::vc_cose;
use credential::vc_jose_cose::EnvelopedCredential;
use credential::vc_jose_cose::Presentation;
use credential::vc_sd_jwt;
use credential::vc_sd_jwt::Selective;
use keys::Algorithm;
use keys::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::matrix::Exchange;
use crate::mutation;
use crate::mutation::Mutation;
use crate::party::Party;
use crate::party::now;
use crate::peer;
use crate::peer::CWT;
use crate::peer::Peer;
use crate::peer::SD_JWT_IN_PYTHON;

const NONCE: &str = "n-1";
const VERIFIER: &str = "did:example:verifier";

/// What the package reads past: `mutation::of_sd_jwt` names it, and the claim of it is never shown.
const UNREFERENCED: &str = "another value";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mechanism {
    Cose,
    SdJwt,
}

struct Scene {
    mechanism: Mechanism,
    issuer: Party,
    holder: Party,
    valid_from: Timestamp,
}

/// Both mechanisms with both algorithms.
fn scenes() -> impl Iterator<Item = Scene> {
    let installed = peer::are_installed();
    let mechanisms = [Mechanism::Cose, Mechanism::SdJwt].into_iter();
    mechanisms.filter(move |_| installed).flat_map(|mechanism| {
        [Algorithm::Es256, Algorithm::EdDsa].map(|algorithm| Scene {
            mechanism,
            issuer: Party::new(algorithm),
            holder: Party::new(algorithm),
            valid_from: now().minus(60),
        })
    })
}

impl Scene {
    fn document(&self) -> Value {
        json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential", "PersonIdentity"],
            "issuer": self.issuer.did_key(),
            "validFrom": self.valid_from.to_rfc3339(),
            "name": "Identity",
            "credentialSubject": {"id": self.holder.did_key(), "given_name": "Maya", "age_over_18": true},
        })
    }

    /// The names in the media types of credential and presentation.
    const fn types(&self) -> [&'static str; 2] {
        match self.mechanism {
            Mechanism::Cose => ["vc+cose", "vp+cose"],
            Mechanism::SdJwt => ["vc+sd-jwt", "vp+sd-jwt"],
        }
    }

    const fn peer(&self) -> Peer {
        match self.mechanism {
            Mechanism::Cose => CWT,
            Mechanism::SdJwt => SD_JWT_IN_PYTHON,
        }
    }

    fn exchange<'a>(&self, what: &'a str) -> Exchange<'a> {
        Exchange {
            format: format!("{}, {}", self.types()[0], self.issuer.algorithm()),
            peer: self.peer().name(),
            what,
        }
    }

    fn ours(&self) -> String {
        let document = self.document().as_object().unwrap().clone();
        let (method, algorithm) = (self.issuer.did_key_method(), self.issuer.algorithm());
        match self.mechanism {
            Mechanism::Cose => {
                let request = vc_cose::issue(&document, &method, algorithm);
                vc_cose::to_text(&self.issuer.sign(request.unwrap()))
            }
            Mechanism::SdJwt => {
                let paths = json!([
                    ["name"],
                    ["credentialSubject", "given_name"],
                    ["credentialSubject", "age_over_18"]
                ]);
                let disclosable: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
                let selective = Selective {
                    disclosable: &disclosable,
                    ..Selective::default()
                };
                let request = vc_sd_jwt::issue(&document, selective, &method, algorithm, &mut signer::os_rng());
                self.issuer.sign(request.unwrap())
            }
        }
    }

    fn theirs(&self) -> String {
        self.signed_by_the_peer(&self.issuer, 0, self.document(), &["name", "credentialSubject"])
    }

    /// A credential (0) or a presentation (1), of which the peer makes these members disclosable where it can.
    fn signed_by_the_peer(&self, party: &Party, kind: usize, mut document: Value, disclosable: &[&str]) -> String {
        let content = ["vc", "vp"][kind];
        let method = party.did_key_method();
        match self.mechanism {
            Mechanism::Cose => {
                let mut question = json!({
                    "do": "sign", "key": party.private_jwk(), "kid": method, "content_type": format!("application/{content}"),
                    "typ": format!("application/{}", self.types()[kind]), "payload": document.to_string(),
                });
                if kind == 1 {
                    question["claims"] = json!({"3": VERIFIER, "6": now().unix(), "10": NONCE});
                }
                CWT.ask(&question).unwrap()["message"].as_str().unwrap().to_owned()
            }
            Mechanism::SdJwt => {
                if kind == 1 {
                    document["aud"] = json!(VERIFIER);
                    document["iat"] = json!(now().unix());
                    document["nonce"] = json!(NONCE);
                }
                let header = json!({"typ": self.types()[kind], "cty": content, "kid": method});
                let question = json!({
                    "do": "issue", "issuer": party.private_jwk(), "claims": document, "disclosable": disclosable,
                    "header": header,
                });
                SD_JWT_IN_PYTHON.ask(&question).unwrap()["sd_jwt"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            }
        }
    }

    /// The claims of a credential that we find authentic.
    fn read(&self, text: &str) -> Option<Value> {
        let (key, issuer) = (self.issuer.key(), self.issuer.did_key());
        let claims = match self.mechanism {
            Mechanism::Cose => {
                let credential = Unverified::<VcCose>::parse(text).ok()?;
                let held = credential.authenticate(key, &issuer, now()).ok()?.hold_issued().ok()?;
                held.claims().clone()
            }
            Mechanism::SdJwt => {
                let credential = Unverified::<VcSdJwt>::parse(text).ok()?;
                let held = credential.authenticate(key, &issuer, now()).ok()?.hold_issued().ok()?;
                held.claims().clone()
            }
        };
        Some(Value::Object(claims))
    }

    fn presented_by_us(&self, credential: &str) -> String {
        let (holder, method) = (self.holder.did_key(), self.holder.did_key_method());
        let presentation = Presentation {
            holder: &holder,
            key_id: &method,
            audience: VERIFIER,
            nonce: NONCE,
            issued_at: now(),
        };
        let (envelopes, algorithm) = (vec![self.envelope(credential)], self.holder.algorithm());
        match self.mechanism {
            Mechanism::Cose => vc_cose::to_text(&self.holder.sign(presentation.sign_cose(envelopes, algorithm))),
            Mechanism::SdJwt => self.holder.sign(presentation.sign_sd_jwt(envelopes, algorithm)),
        }
    }

    fn presented_by_the_peer(&self, credential: &str) -> String {
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": self.holder.did_key(),
            "verifiableCredential": [self.envelope(credential)],
        });
        self.signed_by_the_peer(&self.holder, 1, document, &[])
    }

    fn envelope(&self, credential: &str) -> Value {
        let media_type = match self.mechanism {
            Mechanism::Cose => "application/vc+cose;base64",
            Mechanism::SdJwt => "application/vc+sd-jwt",
        };
        json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": format!("data:{media_type},{credential}"),
        })
    }

    /// Whether we find a presentation and the credential in it authentic, made for us, and bound to its presenter.
    fn receive(&self, text: &str) -> bool {
        self.receive_with(text, NONCE).is_some()
    }

    fn receive_with(&self, text: &str, nonce: &str) -> Option<()> {
        let transaction = Transaction {
            audience: VERIFIER,
            nonce,
            now: now(),
            max_age: 300,
        };
        let (key, holder) = (self.holder.key(), self.holder.did_key());
        let presented = match self.mechanism {
            Mechanism::Cose => {
                let presentation = vc_cose::UnverifiedPresentation::parse(text).ok()?;
                presentation.authenticate(key, &holder, &transaction).ok()?
            }
            Mechanism::SdJwt => {
                let presentation = vc_sd_jwt::UnverifiedPresentation::parse(text).ok()?;
                presentation.authenticate(key, &holder, &transaction).ok()?
            }
        };
        let [credential] = <[_; 1]>::try_from(presented.credentials).ok()?;
        let (key, issuer) = (self.issuer.key(), self.issuer.did_key());
        let binding = match credential {
            EnvelopedCredential::Cose(credential) => credential
                .authenticate(key, &issuer, now())
                .ok()?
                .verify_presenter(&presented.presenter),
            EnvelopedCredential::SdJwt(credential) => credential
                .authenticate(key, &issuer, now())
                .ok()?
                .verify_presenter(&presented.presenter),
            EnvelopedCredential::Jwt(_) => return None,
        };
        binding.ok()?.is_proven().then_some(())
    }

    fn question(&self, party: &Party, kind: usize, text: &str) -> Value {
        match self.mechanism {
            Mechanism::Cose => json!({
                "do": "verify", "key": party.jwk(), "kid": party.did_key_method(), "message": text,
                "content_type": (["application/vc", "application/vp"][kind]),
                "typ": format!("application/{}", self.types()[kind]),
            }),
            Mechanism::SdJwt => json!({"do": "verify", "issuer": party.jwk(), "sd_jwt": text}),
        }
    }

    /// What the peer finds signed by `party`.
    fn read_by_the_peer(&self, party: &Party, kind: usize, text: &str) -> Result<Value, String> {
        let answer = self.peer().ask(&self.question(party, kind, text))?;
        Ok(match self.mechanism {
            Mechanism::Cose => serde_json::from_str(answer["payload"].as_str().unwrap()).unwrap(),
            Mechanism::SdJwt => answer["claims"].clone(),
        })
    }

    /// The peer must refuse every mutation, or read nothing of what was changed.
    fn offer_to_the_peer(&self, party: &Party, kind: usize, text: &str, what: &str) {
        let mutations = self.mutations(text);
        let questions = mutations.iter().map(|(_, text)| self.question(party, kind, text));
        let answers = self.peer().ask_all(&questions.collect::<Vec<_>>());
        for answer in answers.iter().flatten() {
            assert!(!answer.to_string().contains("Mallory"), "{answer}");
        }
        let accepted = answers.iter().map(Result::is_ok);
        self.exchange(what)
            .refused_by_the_peer(&mutations, accepted, &[UNREFERENCED]);
    }

    fn mutations(&self, text: &str) -> Vec<Mutation<String>> {
        match self.mechanism {
            Mechanism::Cose => {
                let message = STANDARD.decode(text).unwrap();
                // Nobody signs the tag, and the media type says the same.
                let mutations = mutation::of_tagged_sign1(&message).into_iter();
                let mutations = mutations.filter(|(name, _)| name != "no tag");
                mutations
                    .map(|(name, message)| (name, vc_cose::to_text(&message)))
                    .collect()
            }
            Mechanism::SdJwt => mutation::of_sd_jwt(text),
        }
    }
}

#[test]
fn others_read_our_credentials() {
    for scene in scenes() {
        let text = scene.ours();
        let read = scene.read_by_the_peer(&scene.issuer, 0, &text).unwrap();
        assert_eq!(read, scene.document());
        scene.read_by_the_peer(&scene.holder, 0, &text).unwrap_err();
        scene.offer_to_the_peer(&scene.issuer, 0, &text, "we issue, they verify");
    }
}

#[test]
fn credentials_of_others_are_authentic() {
    for scene in scenes() {
        let text = scene.theirs();
        assert_eq!(scene.read(&text), Some(scene.document()));
        let accepts = |text: &String| scene.read(text).is_some();
        scene
            .exchange("they issue, we verify")
            .all_refused(&scene.mutations(&text), accepts);
    }
}

#[test]
fn others_read_our_presentations() {
    for scene in scenes() {
        let credential = scene.ours();
        let text = scene.presented_by_us(&credential);
        let read = scene.read_by_the_peer(&scene.holder, 1, &text).unwrap();
        assert_eq!(read["verifiableCredential"], json!([scene.envelope(&credential)]));
        scene.offer_to_the_peer(&scene.holder, 1, &text, "we present, they verify");
    }
}

#[test]
fn presentations_of_others_are_bound() {
    for scene in scenes() {
        for credential in [scene.theirs(), scene.ours()] {
            let text = scene.presented_by_the_peer(&credential);
            assert!(scene.receive(&text));
            assert_eq!(scene.receive_with(&text, "n-2"), None);
            scene
                .exchange("they present, we verify")
                .all_refused(&scene.mutations(&text), |text| scene.receive(text));
        }
    }
}
