//! What is done with several proofs of one credential.

use keys::Algorithm;
use keys::Signer as _;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::super::*;
use super::*;
use crate::Unverified;

const SECOND_KEY: &str = "did:web:agency.example#key-2";
const NOTARY: &str = "did:web:notary.example";
const NOTARY_KEY: &str = "did:web:notary.example#key-1";
const FIRST: &str = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544";
const SECOND: &str = "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54";
const THIRD: &str = "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23";

/// An agency with two keys, and a notary.
struct Signers {
    world: World,
    second: SoftwareKey,
    notary: SoftwareKey,
}

impl Signers {
    fn new() -> Self {
        let key = || SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        Self {
            world: World::new(),
            second: key(),
            notary: key(),
        }
    }

    fn key(&self, method: &str) -> &SoftwareKey {
        match method {
            ISSUER_KEY => &self.world.issuer,
            SECOND_KEY => &self.second,
            _ => &self.notary,
        }
    }

    fn keys(&self, methods: &[&str]) -> ProofKeys {
        methods.iter().fold(ProofKeys::new(), |keys, method| {
            keys.with(method, self.key(method).public_key().clone())
        })
    }

    fn add(&self, credential: Value, suite: Cryptosuite, method: &str, id: &str, previous: &[&str]) -> Value {
        let options = ProofOptions {
            verification_method: method,
            ..options(suite)
        };
        let place = ProofPlace { id: Some(id), previous };
        let request = add_proof(as_object(credential), &options, place, &self.world.contexts).unwrap();
        Value::Object(fulfil(self.key(method), request).unwrap())
    }

    /// By both keys of the agency and by the notary.
    fn set(&self, suite: Cryptosuite) -> Value {
        let credential = self.add(credential(), suite, ISSUER_KEY, FIRST, &[]);
        let credential = self.add(credential, suite, SECOND_KEY, SECOND, &[]);
        self.add(credential, suite, NOTARY_KEY, THIRD, &[])
    }

    /// By one key of the agency, by the notary who saw it, and by the other key of the agency over that.
    fn chain(&self, suite: Cryptosuite) -> Value {
        let credential = self.add(credential(), suite, ISSUER_KEY, FIRST, &[]);
        let credential = self.add(credential, suite, NOTARY_KEY, SECOND, &[FIRST]);
        self.add(credential, suite, SECOND_KEY, THIRD, &[SECOND])
    }

    fn check(&self, credential: &Value, methods: &[&str]) -> Result<Vec<String>, LdpVcError> {
        let unverified = Unverified::<LdpVc>::parse(&credential.to_string())?;
        let keys = self.keys(methods);
        let authentic = unverified.authenticate_set(&keys, ISSUER, &self.world.contexts, NOW)?;
        let method = |proof: &VerifiedProof| proof.verification_method().to_owned();
        Ok(authentic.proofs().iter().map(method).collect())
    }
}

const ALL: [&str; 3] = [ISSUER_KEY, SECOND_KEY, NOTARY_KEY];

/// Runs with a set and with a chain of each suite, after the genuine one has passed.
fn each(run: impl Fn(&Signers, Value)) {
    let signers = Signers::new();
    for suite in WHOLE {
        for genuine in [signers.set(suite), signers.chain(suite)] {
            assert_eq!(signers.check(&genuine, &ALL).unwrap().len(), 3);
            run(&signers, genuine);
        }
    }
}

fn unknown_key(method: &str) -> LdpVcError {
    LdpVcError::Proof(ProofError::UnknownKey {
        verification_method: method.to_owned(),
    })
}

#[test]
fn every_proof_of_the_issuer_must_hold() {
    each(|signers, genuine| {
        for number in 0..3 {
            let mut credential = genuine.clone();
            // Another proof that is good by itself.
            credential["proof"][number]["proofValue"] = genuine["proof"][(number + 1) % 3]["proofValue"].clone();
            let refused = signers.check(&credential, &ALL).unwrap_err();
            assert_eq!(
                refused.problem_type(),
                crate::vc::ProblemType::CryptographicSecurityError,
                "{refused:?}"
            );
        }
        for (missing, given) in [
            (ISSUER_KEY, [SECOND_KEY, NOTARY_KEY]),
            (SECOND_KEY, [ISSUER_KEY, NOTARY_KEY]),
        ] {
            assert_eq!(signers.check(&genuine, &given).unwrap_err(), unknown_key(missing));
        }
    });
}

#[test]
fn a_proof_that_was_not_checked_is_not_told() {
    let signers = Signers::new();
    for suite in WHOLE {
        let set = signers.set(suite);
        let told = signers.check(&set, &[ISSUER_KEY, SECOND_KEY]).unwrap();
        assert_eq!(told, [ISSUER_KEY, SECOND_KEY]);
        // So a stranger's forgery in the notary's name neither harms nor helps.
        let mut forged = set.clone();
        forged["proof"][2]["proofValue"] = set["proof"][0]["proofValue"].clone();
        assert_eq!(signers.check(&forged, &[ISSUER_KEY, SECOND_KEY]).unwrap(), told);
        assert!(signers.check(&forged, &ALL).is_err());
    }
}

/// A set of one is written as its element, too; the meaning, which was signed, is the same.
#[test]
fn a_previous_proof_is_named_by_a_text_or_by_a_list() {
    let signers = Signers::new();
    let mut chain = signers.chain(Cryptosuite::EddsaRdfc2022);
    for number in [1, 2] {
        chain["proof"][number]["previousProof"] = chain["proof"][number]["previousProof"][0].take();
        assert!(chain["proof"][number]["previousProof"].is_string());
        assert_eq!(signers.check(&chain, &ALL).unwrap().len(), 3);
    }
    for wrong in [
        json!(456_321),
        json!("urn:uuid:38329423-2179-4b2e-88cb-a7c7d9dc4544"),
        json!(FIRST),
    ] {
        let mut other = chain.clone();
        other["proof"][2]["previousProof"] = wrong;
        assert!(signers.check(&other, &ALL).is_err());
    }
}

#[test]
fn a_chain_needs_the_proofs_that_it_rests_on() {
    let signers = Signers::new();
    for suite in WHOLE {
        let chain = signers.chain(suite);
        let without_notary = signers.check(&chain, &[ISSUER_KEY, SECOND_KEY]);
        assert_eq!(without_notary.unwrap_err(), unknown_key(NOTARY_KEY));
        // The end of the chain may be cut off: the rest is what it was before.
        let mut shorter = chain.clone();
        shorter["proof"].as_array_mut().unwrap().pop();
        assert_eq!(signers.check(&shorter, &ALL).unwrap(), [ISSUER_KEY, NOTARY_KEY]);
        // The middle may not.
        let mut gap = chain.clone();
        gap["proof"].as_array_mut().unwrap().remove(1);
        let id = SECOND.to_owned();
        assert_eq!(
            signers.check(&gap, &ALL).unwrap_err(),
            LdpVcError::Proof(ProofError::PreviousProof { id })
        );
    }
}

/// A link covers the proofs before it, not only their ids.
#[test]
fn a_previous_proof_is_exchanged() {
    let signers = Signers::new();
    for suite in WHOLE {
        let mut chain = signers.chain(suite);
        // By the same key, over the same document, with the same id: but made an hour earlier.
        let options = ProofOptions {
            created: Some(NOW.minus(3_600)),
            ..options(suite)
        };
        let place = ProofPlace {
            id: Some(FIRST),
            previous: &[],
        };
        let request = add_proof(as_object(credential()), &options, place, &signers.world.contexts).unwrap();
        let other = Value::Object(fulfil(&signers.world.issuer, request).unwrap());
        assert!(signers.check(&other, &ALL).is_ok());
        chain["proof"][0] = other["proof"][0].clone();
        let refused = signers.check(&chain, &ALL).unwrap_err();
        assert!(matches!(refused, LdpVcError::Cryptosuite(_)), "{refused:?}");
    }
}

/// A link does not become a proof of its own, nor the other way round.
#[test]
fn previous_proof_is_taken_away_or_added() {
    let signers = Signers::new();
    for suite in WHOLE {
        let mut chain = signers.chain(suite);
        chain["proof"][2].as_object_mut().unwrap().remove("previousProof");
        assert!(signers.check(&chain, &ALL).is_err());
        let mut set = signers.set(suite);
        set["proof"][1]["previousProof"] = json!(FIRST);
        assert!(signers.check(&set, &ALL).is_err());
    }
}

#[test]
fn malformed_sets() {
    let set = |found| ProofError::Set {
        most: MAX_PROOFS,
        found,
    };
    let member = |member, expected| ProofError::Member { member, expected };
    each(|signers, genuine| {
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut credential = genuine.clone();
            change(&mut credential["proof"]);
            match signers.check(&credential, &ALL).unwrap_err() {
                LdpVcError::Proof(error) => error,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(&|proof| *proof = json!([])), set(0));
        assert_eq!(refused(&|proof| *proof = json!(null)), member("proof", "objects"));
        assert_eq!(refused(&|proof| proof[1] = json!("x")), member("proof", "objects"));
        assert_eq!(
            refused(&|proof| *proof = json!(vec![proof[0].clone(); MAX_PROOFS + 1])),
            set(MAX_PROOFS + 1)
        );
        assert_eq!(refused(&|proof| proof[1]["id"] = json!(FIRST)), ProofError::Id);
        assert_eq!(
            refused(&|proof| proof[1]["id"] = json!("no url")),
            member("id", "a URL")
        );
        for previous in [
            json!([]),
            json!(7),
            json!([FIRST, FIRST]),
            json!([FIRST, 7]),
            json!(null),
        ] {
            assert_eq!(
                refused(&|proof| proof[1]["previousProof"] = previous.clone()),
                member("previousProof", "a set of ids")
            );
        }
        for nonce in ["challenge", "nonce"] {
            assert_eq!(refused(&|proof| proof[0][nonce] = json!(7)), member(nonce, "a string"));
        }
        assert_eq!(
            refused(&|proof| proof[2]["cryptosuite"] = json!("none")),
            ProofError::Cryptosuite
        );
        assert_eq!(
            refused(&|proof| proof[0]["previousProof"] = json!(THIRD.replace('d', "e"))),
            ProofError::PreviousProof {
                id: THIRD.replace('d', "e")
            }
        );
    });
}

#[test]
fn circles() {
    let signers = Signers::new();
    for suite in WHOLE {
        for (number, previous) in [(0, FIRST), (0, SECOND), (0, THIRD)] {
            let mut chain = signers.chain(suite);
            chain["proof"][number]["previousProof"] = json!(previous);
            assert_eq!(
                signers.check(&chain, &ALL).unwrap_err(),
                LdpVcError::Proof(ProofError::Circle)
            );
        }
    }
}

/// An expired proof of the issuer, or one for another purpose, is one that does not hold.
#[test]
fn one_proof_of_a_set_is_expired_or_for_another_purpose() {
    each(|signers, genuine| {
        for number in 0..3 {
            let mut expired = genuine.clone();
            expired["proof"][number]["expires"] = json!(NOW.to_rfc3339());
            assert!(matches!(
                signers.check(&expired, &ALL).unwrap_err(),
                LdpVcError::Proof(ProofError::Validity(_))
            ));
            let mut other = genuine.clone();
            other["proof"][number]["proofPurpose"] = json!("authentication");
            let expected = "assertionMethod";
            assert_eq!(
                signers.check(&other, &ALL).unwrap_err(),
                LdpVcError::Proof(ProofError::WrongPurpose { expected })
            );
        }
    });
}

#[test]
fn no_proof_by_the_issuer() {
    let signers = Signers::new();
    for suite in WHOLE {
        let credential = signers.add(credential(), suite, NOTARY_KEY, FIRST, &[]);
        let expected = ISSUER.to_owned();
        assert_eq!(
            signers.check(&credential, &ALL).unwrap_err(),
            LdpVcError::Proof(ProofError::VerificationMethod { expected })
        );
    }
}

/// Of two proofs over different contexts, neither says what the other's terms mean.
#[test]
fn proofs_over_different_contexts() {
    let signers = Signers::new();
    let mut credential = signers.add(credential(), Cryptosuite::EddsaJcs2022, ISSUER_KEY, FIRST, &[]);
    credential["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!(OTHER_CONTEXT));
    // The JCS proof names its contexts, so it stands.
    assert!(signers.check(&credential, &ALL).is_ok());
    let mut both = credential.clone();
    let second = signers.add(super::credential(), Cryptosuite::EddsaRdfc2022, SECOND_KEY, SECOND, &[]);
    both["proof"].as_array_mut().unwrap().push(second["proof"][0].clone());
    assert_eq!(
        signers.check(&both, &ALL).unwrap_err(),
        LdpVcError::Proof(ProofError::Context)
    );
}

#[test]
fn proofs_of_both_suites() {
    let signers = Signers::new();
    let credential = signers.add(credential(), Cryptosuite::EddsaRdfc2022, ISSUER_KEY, FIRST, &[]);
    let credential = signers.add(credential, Cryptosuite::EddsaJcs2022, SECOND_KEY, SECOND, &[FIRST]);
    assert_eq!(signers.check(&credential, &ALL).unwrap(), [ISSUER_KEY, SECOND_KEY]);
    // The other way round, the `@context` in the JCS proof would be processed below the top of the document.
    let credential = signers.add(super::credential(), Cryptosuite::EddsaJcs2022, ISSUER_KEY, FIRST, &[]);
    let place = ProofPlace {
        id: None,
        previous: &[FIRST],
    };
    let options = options(Cryptosuite::EddsaRdfc2022);
    let refused = add_proof(as_object(credential), &options, place, &signers.world.contexts);
    assert_eq!(refused.unwrap_err(), LdpVcError::Document(DocumentError::InlineContext));
}

/// The facts are those of the issuer's proofs: the earliest end, and the first key.
#[test]
fn facts_of_a_set() {
    let signers = Signers::new();
    let end = NOW.plus(60);
    let contexts = &signers.world.contexts;
    let expiring = |method, expires| ProofOptions {
        verification_method: method,
        expires: Some(expires),
        ..options(Cryptosuite::EddsaRdfc2022)
    };
    let sign = |credential: Value, options: ProofOptions<'_>| {
        let request = add_proof(as_object(credential), &options, ProofPlace::default(), contexts).unwrap();
        Value::Object(fulfil(signers.key(options.verification_method), request).unwrap())
    };
    let credential = sign(credential(), expiring(NOTARY_KEY, NOW.plus(10)));
    let credential = sign(credential, expiring(ISSUER_KEY, NOW.plus(600)));
    let credential = sign(credential, expiring(SECOND_KEY, end));
    let unverified = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
    assert_eq!(unverified.verification_method(), ISSUER_KEY);
    assert_eq!(
        unverified.verification_methods().collect::<Vec<_>>(),
        [NOTARY_KEY, ISSUER_KEY, SECOND_KEY]
    );
    assert_eq!(
        unverified.issuer_methods().collect::<Vec<_>>(),
        [ISSUER_KEY, SECOND_KEY]
    );
    let authentic = unverified
        .authenticate_set(&signers.keys(&ALL), ISSUER, contexts, NOW)
        .unwrap();
    let facts = authentic.facts();
    assert_eq!(facts.key(), signers.world.issuer.public_key());
    assert_eq!((facts.key_id(), facts.valid_until()), (Some(ISSUER_KEY), Some(end)));
    let notary = authentic.proofs().iter().find(|proof| proof.is_by(NOTARY)).unwrap();
    assert_eq!((notary.id(), notary.created()), (None, Some(NOW)));
    assert_eq!(notary.cryptosuite(), Cryptosuite::EddsaRdfc2022);
    // The wallet reads it back when a proof has expired.
    let unverified = Unverified::<LdpVc>::parse(&credential.to_string()).unwrap();
    let held = unverified.restore_set(&signers.keys(&[ISSUER_KEY, SECOND_KEY]), ISSUER, contexts);
    assert!(held.unwrap().claims().get("proof").is_none());
}

#[test]
fn proofs_are_not_added_where_nobody_could_verify_them() {
    let signers = Signers::new();
    let contexts = &signers.world.contexts;
    for suite in WHOLE {
        let credential = as_object(signers.add(credential(), suite, ISSUER_KEY, FIRST, &[]));
        let add = |credential: &Map<String, Value>, id, previous: &[&str]| {
            add_proof(
                credential.clone(),
                &options(suite),
                ProofPlace { id, previous },
                contexts,
            )
            .map(drop)
        };
        assert_eq!(add(&credential, Some(SECOND), &[FIRST]), Ok(()));
        for (id, previous, error) in [
            (Some(FIRST), vec![], ProofError::Id),
            (None, vec![THIRD], ProofError::PreviousProof { id: THIRD.to_owned() }),
            (
                Some(SECOND),
                vec![SECOND],
                ProofError::PreviousProof { id: SECOND.to_owned() },
            ),
            (
                Some("no url"),
                vec![],
                ProofError::Member {
                    member: "id",
                    expected: "a URL",
                },
            ),
        ] {
            let refused = add(&credential, id, &previous).unwrap_err();
            assert_eq!(refused, LdpVcError::Generation(error));
            assert_eq!(refused.problem_type(), crate::vc::ProblemType::ProofGenerationError);
        }
        let mut full = credential.clone();
        let mut proof = credential["proof"][0].clone();
        proof.as_object_mut().unwrap().remove("id");
        full.insert("proof".to_owned(), json!(vec![proof; MAX_PROOFS]));
        assert_eq!(
            add(&full, None, &[]).unwrap_err(),
            LdpVcError::Generation(ProofError::Set {
                most: MAX_PROOFS,
                found: MAX_PROOFS + 1
            })
        );
    }
}

/// A presentation is made by one holder for one transaction.
#[test]
fn presentations_have_one_proof() {
    for error in World::new().presentation_refused(|presentation| {
        let proof = presentation["proof"].clone();
        presentation["proof"] = json!([proof, proof]);
    }) {
        assert_eq!(error, LdpVpError::Proof(ProofError::Set { most: 1, found: 2 }));
    }
    for error in World::new().presentation_refused(|presentation| {
        presentation["proof"]["previousProof"] = json!(FIRST);
    }) {
        let id = FIRST.to_owned();
        assert_eq!(error, LdpVpError::Proof(ProofError::PreviousProof { id }));
    }
}
