//! SD-JWT VC against npm `@sd-jwt/sd-jwt-vc` and Python's `sd-jwt`.

use std::num::NonZeroUsize;

use credential::Authentic;
use credential::ClaimPath;
use credential::Held;
use credential::HolderKey;
use credential::SdJwtVc;
use credential::Transaction;
use credential::Unverified;
use credential::sd_jwt::Decoys;
use credential::sd_jwt::KeyBindingError;
use credential::sd_jwt::SdJwtError;
use credential::sd_jwt_vc::NewCredential;
use credential::sd_jwt_vc::SdJwtVcError;
use keys::Algorithm;
use keys::base64url;
use keys::jws::JwsError;
use serde_json::Value;
use serde_json::json;

use crate::matrix::Exchange;
use crate::mutation;
use crate::party::Party;
use crate::party::now;
use crate::party::with_other_signature;
use crate::peer;
use crate::peer::Peer;
use crate::peer::SD_JWT_IN_JAVASCRIPT;
use crate::peer::SD_JWT_IN_PYTHON;

const ISSUER: &str = "did:example:issuer";
const KEY_ID: &str = "did:example:issuer#key-1";
const NONCE: &str = "n-1";
const VCT: &str = "https://attestry.example/types/PersonIdentity";
const VERIFIER: &str = "did:example:verifier";

/// Issuer, holder, and the implementation on the other side.
struct Scene {
    peer: Peer,
    issuer: Party,
    holder: Party,
}

/// Both peers with both algorithms. The one in Python knows holder keys on P-256 only.
fn scenes() -> impl Iterator<Item = Scene> {
    use Algorithm::EdDsa;
    use Algorithm::Es256;
    let all = [
        (SD_JWT_IN_JAVASCRIPT, Es256, Es256),
        (SD_JWT_IN_JAVASCRIPT, EdDsa, EdDsa),
        (SD_JWT_IN_PYTHON, Es256, Es256),
        (SD_JWT_IN_PYTHON, EdDsa, Es256),
    ];
    let installed = peer::are_installed();
    all.into_iter()
        .filter(move |_| installed)
        .map(|(peer, issuer, holder)| Scene {
            peer,
            issuer: Party::new(issuer),
            holder: Party::new(holder),
        })
}

fn subject_claims() -> Value {
    json!({
        "given_name": "Maya",
        "age_over_18": true,
        "nationalities": ["XA", "XB"],
        "address": {"locality": "Teluk Biru", "country": "XA"},
        "issuing_country": "XA",
    })
}

impl Scene {
    /// A credential that the peer made. In JavaScript with disclosures inside of others, and decoys.
    fn theirs(&self) -> String {
        let mut claims = subject_claims();
        for (name, value) in [
            ("iss", json!(ISSUER)),
            ("vct", json!(VCT)),
            ("iat", json!(now().minus(60).unix())),
        ] {
            claims[name] = value;
        }
        let issuer = self.issuer.private_jwk();
        let question = if self.peer == SD_JWT_IN_JAVASCRIPT {
            claims["cnf"] = json!({"jwk": self.holder.jwk()});
            let frame = json!({
                "_sd": ["given_name", "age_over_18", "address"],
                "_sd_decoy": 2,
                "address": {"_sd": ["locality"]},
                "nationalities": {"_sd": [0, 1], "_sd_decoy": 1},
            });
            json!({"do": "issue", "issuer": issuer, "kid": KEY_ID, "claims": claims, "frame": frame})
        } else {
            let disclosable = ["given_name", "age_over_18", "address"];
            json!({
                "do": "issue", "issuer": issuer, "header": {"kid": KEY_ID}, "claims": claims,
                "holder": self.holder.jwk(), "disclosable": disclosable,
            })
        };
        self.text(&question)
    }

    /// A credential of ours: disclosures inside of others and of arrays, and decoys.
    fn ours(&self) -> String {
        let jwk = self.holder.key().to_jwk();
        let disclosable: Vec<ClaimPath> = serde_json::from_value(json!([
            ["given_name"],
            ["age_over_18"],
            ["address"],
            ["address", "locality"],
            ["nationalities", null],
        ]))
        .unwrap();
        let claims = subject_claims();
        let credential = NewCredential {
            issuer: ISSUER,
            key_id: KEY_ID,
            vct: VCT,
            type_integrity: None,
            other_types: &[],
            holder: Some(&jwk),
            issued_at: now().minus(60),
            valid_from: None,
            valid_until: Some(now().plus(3600)),
            status: None,
            claims: claims.as_object().unwrap(),
            disclosable: &disclosable,
            decoys: Decoys::FillToMultipleOf(NonZeroUsize::new(4).unwrap()),
        };
        let request = credential.issue(self.issuer.algorithm(), &mut signer::os_rng());
        self.issuer.sign(request.unwrap())
    }

    /// The peer shows `age_over_18` and nothing else.
    fn presented_by_the_peer(&self, credential: &str) -> String {
        let chosen = json!({"age_over_18": true});
        self.text(&json!({
            "do": "present", "sd_jwt": credential, "frame": chosen, "disclose": chosen,
            "holder": self.holder.private_jwk(), "nonce": NONCE, "aud": VERIFIER, "iat": now().unix(),
        }))
    }

    fn text(&self, question: &Value) -> String {
        let answer = self.peer.ask(question).unwrap();
        answer["sd_jwt"].as_str().unwrap().to_owned()
    }

    fn authenticate(&self, text: &str) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        Unverified::<SdJwtVc>::parse(text)?.authenticate(self.issuer.key(), ISSUER, now())
    }

    fn hold(&self, text: &str) -> Held<SdJwtVc> {
        self.authenticate(text).unwrap().hold_issued().unwrap()
    }

    fn question(text: &str, nonce: Option<&str>, issuer: &Party) -> Value {
        let mut question = json!({"do": "verify", "sd_jwt": text, "issuer": issuer.jwk()});
        if let Some(nonce) = nonce {
            question["nonce"] = json!(nonce);
            question["aud"] = json!(VERIFIER);
        }
        question
    }

    /// What the peer reads, or why it refuses.
    fn verify_by_the_peer(&self, text: &str, nonce: Option<&str>, issuer: &Party) -> Result<Value, String> {
        Ok(self.peer.ask(&Self::question(text, nonce, issuer))?["claims"].clone())
    }

    fn exchange<'a>(&self, what: &'a str) -> Exchange<'a> {
        let (issuer, holder) = (self.issuer.algorithm(), self.holder.algorithm());
        Exchange {
            format: format!("dc+sd-jwt, {issuer} with key binding {holder}"),
            peer: self.peer.name(),
            what,
        }
    }

    /// The peer must refuse every mutation, or at least read nothing that was changed.
    fn offer_to_the_peer(&self, text: &str, nonce: Option<&str>, what: &str, known: &[&str]) {
        let mutations = mutation::of_sd_jwt(text);
        let questions: Vec<Value> = mutations
            .iter()
            .map(|(_, text)| Self::question(text, nonce, &self.issuer))
            .collect();
        let answers = self.peer.ask_all(&questions);
        for answer in answers.iter().flatten() {
            assert!(!answer.to_string().contains("Mallory"), "{answer}");
        }
        let accepted = answers.iter().map(Result::is_ok);
        self.exchange(what).refused_by_the_peer(&mutations, accepted, known);
    }
}

const fn transaction() -> Transaction<'static> {
    Transaction {
        audience: VERIFIER,
        nonce: NONCE,
        now: keys::Timestamp::from_unix(0),
        max_age: 300,
    }
}

fn assert_bad_signature(refused: Result<Authentic<SdJwtVc>, SdJwtVcError>) {
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, SdJwtVcError::Jws(JwsError::Signature(_))),
        "{refused:?}"
    );
}

/// The text with the disclosure of a claim saying something else.
fn with_other_claim(text: &str, name: &str, value: &Value) -> String {
    let mut found = 0;
    let mut change = |part: &str| {
        let disclosure = base64url::decode(part)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        match disclosure {
            Some(disclosure) if disclosure[1] == name => {
                found += 1;
                base64url::encode(json!([disclosure[0], name, value]).to_string())
            }
            _ => part.to_owned(),
        }
    };
    let parts: Vec<String> = text.split('~').map(&mut change).collect();
    assert_eq!(found, 1);
    parts.join("~")
}

#[test]
fn credentials_of_others_are_authentic() {
    for scene in scenes() {
        let text = scene.theirs();
        let authentic = scene.authenticate(&text).unwrap();
        let facts = authentic.facts();
        assert_eq!(
            (facts.issuer(), facts.key_id(), facts.types()),
            (ISSUER, Some(KEY_ID), &[VCT.to_owned()][..])
        );
        assert_eq!(facts.holder(), Some(&HolderKey::Key(scene.holder.key().clone())));
        let held = authentic.hold_issued().unwrap();
        for (name, value) in subject_claims().as_object().unwrap() {
            assert_eq!(held.claims().get(name), Some(value), "{:?}", scene.peer);
        }
        assert_bad_signature(scene.authenticate(&with_other_signature(&text)));
        let stranger = Party::new(scene.issuer.algorithm());
        assert_bad_signature(
            Unverified::<SdJwtVc>::parse(&text)
                .unwrap()
                .authenticate(stranger.key(), ISSUER, now()),
        );
        assert!(matches!(
            scene.authenticate(&with_other_claim(&text, "given_name", &json!("Mallory"))),
            Err(SdJwtVcError::SdJwt(SdJwtError::UnreferencedDisclosure))
        ));
        let accepts = |text: &String| scene.authenticate(text).is_ok();
        scene
            .exchange("they issue, we verify")
            .all_refused(&mutation::of_sd_jwt(&text), accepts);
    }
}

/// Theirs, and ours with digests inside of disclosures and arrays.
#[test]
fn presentations_by_others_are_bound() {
    for scene in scenes() {
        for credential in [scene.theirs(), scene.ours()] {
            let text = scene.presented_by_the_peer(&credential);
            let genuine = Transaction {
                now: now(),
                ..transaction()
            };
            let check = |text: &str, transaction: &Transaction<'_>| {
                scene
                    .authenticate(text)
                    .unwrap()
                    .verify_key_binding(transaction)
                    .map(|binding| binding.is_proven())
            };
            assert_eq!(check(&text, &genuine), Ok(true));
            assert_eq!(
                check(
                    &text,
                    &Transaction {
                        nonce: "n-2",
                        ..genuine
                    }
                ),
                Err(KeyBindingError::WrongNonce)
            );
            assert!(matches!(
                check(
                    &text,
                    &Transaction {
                        audience: "did:example:another",
                        ..genuine
                    }
                ),
                Err(KeyBindingError::WrongAudience { .. })
            ));
            assert!(matches!(
                check(
                    &text,
                    &Transaction {
                        now: now().plus(600),
                        ..genuine
                    }
                ),
                Err(KeyBindingError::OutsideWindow { .. })
            ));
            let (presented, key_binding) = text.rsplit_once('~').unwrap();
            let (jwt, _) = presented.split_once('~').unwrap();
            let withheld = format!("{jwt}~{key_binding}");
            assert_eq!(check(&withheld, &genuine), Err(KeyBindingError::WrongSdHash));
            let forged = format!("{presented}~{}", with_other_signature(key_binding));
            assert!(matches!(
                check(&forged, &genuine),
                Err(KeyBindingError::Jws(JwsError::Signature(_)))
            ));
            let accepts = |text: &String| {
                scene
                    .authenticate(text)
                    .is_ok_and(|authentic| authentic.verify_key_binding(&genuine).is_ok())
            };
            scene
                .exchange("they present, we verify")
                .all_refused(&mutation::of_sd_jwt(&text), accepts);
        }
    }
}

#[test]
fn others_read_our_credentials() {
    for scene in scenes() {
        let text = scene.ours();
        let read = scene.verify_by_the_peer(&text, None, &scene.issuer).unwrap();
        for (name, value) in subject_claims().as_object().unwrap() {
            assert_eq!(&read[name], value, "{:?}", scene.peer);
        }
        assert_eq!(read["cnf"]["jwk"], scene.holder.jwk());
        let stranger = Party::new(scene.issuer.algorithm());
        scene.verify_by_the_peer(&text, None, &stranger).unwrap_err();
        scene
            .verify_by_the_peer(&with_other_signature(&text), None, &scene.issuer)
            .unwrap_err();
        // These packages read past a disclosure that no digest fits; the forged claim must not appear.
        let forged = with_other_claim(&text, "given_name", &json!("Mallory"));
        let read = scene.verify_by_the_peer(&forged, None, &scene.issuer);
        assert!(read.is_ok_and(|read| read.get("given_name").is_none()));
        scene.offer_to_the_peer(&text, None, "we issue, they verify", &["disclosure"]);
    }
}

#[test]
fn others_read_our_presentations() {
    for scene in scenes() {
        let paths: Vec<ClaimPath> =
            serde_json::from_value(json!([["age_over_18"], ["nationalities", 1], ["address", "locality"]])).unwrap();
        let request = scene
            .hold(&scene.ours())
            .present(&paths)
            .unwrap()
            .bind(VERIFIER, NONCE, now());
        let text = scene.holder.sign(request.unwrap());
        let read = scene.verify_by_the_peer(&text, Some(NONCE), &scene.issuer).unwrap();
        assert_eq!(read["age_over_18"], true);
        assert_eq!(read["nationalities"], json!(["XB"]));
        assert_eq!(read["address"], json!({"locality": "Teluk Biru", "country": "XA"}));
        assert_eq!(read.get("given_name"), None);
        scene.verify_by_the_peer(&text, Some("n-2"), &scene.issuer).unwrap_err();
        let (presented, key_binding) = text.rsplit_once('~').unwrap();
        for forged in [
            format!("{presented}~{}", with_other_signature(key_binding)),
            with_other_claim(&text, "age_over_18", &json!(false)),
            with_other_signature(&text),
        ] {
            scene
                .verify_by_the_peer(&forged, Some(NONCE), &scene.issuer)
                .unwrap_err();
        }
        scene.offer_to_the_peer(&text, Some(NONCE), "we present, they verify", &[]);
    }
}
