//! What holds for the three mechanisms alike, and that none of them passes for another.

use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::Authentic;
use crate::Facts;
use crate::HolderBinding;
use crate::Transaction;
use crate::Unverified;
use crate::VcCose;
use crate::VcJwt;
use crate::VcSdJwt;
use crate::evidence::HolderError;
use crate::evidence::Presenter;
use crate::vc::envelope_of_credential;
use crate::vc_cose;
use crate::vc_cose::CoseMessage;
use crate::vc_jwt;
use crate::vc_jwt::JwtMessage;
use crate::vc_sd_jwt;
use crate::vc_sd_jwt::SdJwtMessage;
use crate::vc_sd_jwt::Selective;

const ISSUER: &str = "did:example:issuer";
const HOLDER: &str = "did:example:holder";
const VERIFIER: &str = "did:example:verifier";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// The three, where a test runs over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Securing {
    Cose,
    Jose,
    SdJwt,
}

const ALL: [Securing; 3] = [Securing::Cose, Securing::Jose, Securing::SdJwt];

fn document() -> Map<String, Value> {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": ISSUER,
        "validUntil": NOW.plus(100).to_rfc3339(),
        "credentialSubject": {"id": HOLDER, "name": "A"},
    });
    document.as_object().unwrap().clone()
}

struct Scene {
    issuer: SoftwareKey,
    holder: SoftwareKey,
}

impl Scene {
    fn new() -> Self {
        let rng = &mut signer::os_rng();
        Self {
            issuer: SoftwareKey::generate(Algorithm::Es256, rng),
            holder: SoftwareKey::generate(Algorithm::EdDsa, rng),
        }
    }

    fn issue(&self, securing: Securing, document: &Map<String, Value>) -> String {
        let (key_id, algorithm) = ("did:example:issuer#key-1", self.issuer.public_key().algorithm());
        let rng = &mut signer::os_rng();
        match securing {
            Securing::Cose => {
                let request = vc_cose::issue(document, key_id, algorithm).unwrap();
                vc_cose::to_text(&fulfil(&self.issuer, request).unwrap())
            }
            Securing::Jose => {
                let request = vc_jwt::issue(document, key_id, algorithm).unwrap();
                fulfil(&self.issuer, request).unwrap()
            }
            Securing::SdJwt => {
                let selective = Selective::default();
                let request = vc_sd_jwt::issue(document, selective, key_id, algorithm, rng).unwrap();
                fulfil(&self.issuer, request).unwrap()
            }
        }
    }

    fn present(&self, securing: Securing, envelopes: Vec<Value>) -> String {
        let presentation = Presentation {
            holder: HOLDER,
            key_id: "did:example:holder#1",
            audience: VERIFIER,
            nonce: "n-1",
            issued_at: NOW,
        };
        let algorithm = self.holder.public_key().algorithm();
        match securing {
            Securing::Cose => {
                let request = presentation.sign_cose(envelopes, algorithm);
                vc_cose::to_text(&fulfil(&self.holder, request).unwrap())
            }
            Securing::Jose => fulfil(&self.holder, presentation.sign_jwt(envelopes, algorithm)).unwrap(),
            Securing::SdJwt => fulfil(&self.holder, presentation.sign_sd_jwt(envelopes, algorithm)).unwrap(),
        }
    }
}

/// A wallet's step: authenticated, held, read back from what it stored, and put into an envelope.
fn hold<M: Mechanism>(text: &str, key: &PublicKey) -> Result<Value, CredentialError> {
    let held = Unverified::<W3cCredential<M>>::parse(text)?
        .authenticate(key, ISSUER, NOW)?
        .hold_issued()?;
    assert_eq!(held.claims()["credentialSubject"]["name"], "A");
    let again = Unverified::<W3cCredential<M>>::parse(held.as_str())?.restore(key, ISSUER)?;
    assert_eq!(again.claims(), held.claims());
    Ok(again.envelope())
}

fn hold_of(securing: Securing, text: &str, key: &PublicKey) -> Result<Value, CredentialError> {
    match securing {
        Securing::Cose => hold::<CoseMessage>(text, key),
        Securing::Jose => hold::<JwtMessage>(text, key),
        Securing::SdJwt => hold::<SdJwtMessage>(text, key),
    }
}

fn receive<M: Mechanism>(
    text: &str,
    key: &PublicKey,
    (audience, nonce): (&str, &str),
) -> Result<PresentedCredentials, PresentationError> {
    let transaction = Transaction {
        audience,
        nonce,
        now: NOW,
        max_age: 300,
    };
    let presentation = UnverifiedPresentation::<M>::parse(text)?;
    assert_eq!(
        presentation.verification_method(),
        Ok("did:example:holder#1".to_owned())
    );
    presentation.authenticate(key, HOLDER, &transaction)
}

fn receive_of(
    securing: Securing,
    text: &str,
    key: &PublicKey,
    expected: (&str, &str),
) -> Result<PresentedCredentials, PresentationError> {
    match securing {
        Securing::Cose => receive::<CoseMessage>(text, key, expected),
        Securing::Jose => receive::<JwtMessage>(text, key, expected),
        Securing::SdJwt => receive::<SdJwtMessage>(text, key, expected),
    }
}

fn bind<M: Mechanism>(
    credential: Unverified<W3cCredential<M>>,
    key: &PublicKey,
    presenter: &Presenter,
) -> (Facts, Result<HolderBinding, HolderError>, Result<(), CredentialError>) {
    let method = credential.verification_method();
    assert_eq!(method, Ok("did:example:issuer#key-1".to_owned()));
    let authentic: Authentic<W3cCredential<M>> = credential.authenticate(key, ISSUER, NOW).unwrap();
    let binding = authentic.verify_presenter(presenter);
    (authentic.facts().clone(), binding, authentic.hold_issued().map(|_| ()))
}

#[test]
fn every_mechanism_presents_every_other() {
    let scene = Scene::new();
    let key = scene.issuer.public_key();
    for (inner, outer) in ALL.iter().flat_map(|inner| ALL.map(|outer| (*inner, outer))) {
        let envelope = hold_of(inner, &scene.issue(inner, &document()), key).unwrap();
        let text = scene.present(outer, vec![envelope]);
        let expected = (VERIFIER, "n-1");
        let received = receive_of(outer, &text, scene.holder.public_key(), expected).unwrap();
        let [credential] = <[_; 1]>::try_from(received.credentials).unwrap();
        let (facts, binding, kept) = match (inner, credential) {
            (Securing::Cose, EnvelopedCredential::Cose(one)) => bind(one, key, &received.presenter),
            (Securing::Jose, EnvelopedCredential::Jwt(one)) => bind(one, key, &received.presenter),
            (Securing::SdJwt, EnvelopedCredential::SdJwt(one)) => bind(one, key, &received.presenter),
            (_, other) => panic!("expected {inner:?}, found {other:?}"),
        };
        assert_eq!(facts.types(), ["PersonIdentity"]);
        assert_eq!(facts.key_id(), Some("did:example:issuer#key-1"));
        assert_eq!(facts.valid_until(), Some(NOW.plus(100)));
        assert!(binding.unwrap().is_proven());
        assert_eq!(kept, Err(CredentialError::Presented), "{inner:?} in {outer:?}");
    }
}

#[test]
fn nothing_passes_for_another_mechanism_or_another_kind() {
    let scene = Scene::new();
    let key = scene.issuer.public_key();
    let secured = ALL.map(|securing| (securing, scene.issue(securing, &document())));
    for (securing, text) in &secured {
        for other in ALL {
            assert_eq!(
                hold_of(other, text, key).is_ok(),
                other == *securing,
                "{securing:?} as {other:?}"
            );
            let as_presentation = receive_of(other, text, key, (VERIFIER, "n-1"));
            assert!(as_presentation.is_err(), "{securing:?} as {other:?}");
        }
    }
    for securing in ALL {
        let text = scene.present(securing, Vec::new());
        for other in ALL {
            let received = receive_of(other, &text, scene.holder.public_key(), (VERIFIER, "n-1"));
            assert_eq!(received.is_ok(), other == securing, "{securing:?} as {other:?}");
            let as_credential = hold_of(other, &text, scene.holder.public_key());
            assert!(as_credential.is_err(), "{securing:?} as {other:?}");
        }
    }
}

#[test]
fn presentations_are_for_one_verifier_and_one_transaction() {
    let scene = Scene::new();
    let key = scene.holder.public_key();
    for securing in ALL {
        let text = scene.present(securing, Vec::new());
        assert!(receive_of(securing, &text, key, (VERIFIER, "n-1")).is_ok());
        let other_verifier = receive_of(securing, &text, key, ("did:example:x", "n-1"));
        assert!(
            matches!(other_verifier, Err(PresentationError::WrongAudience { .. })),
            "{securing:?}"
        );
        let other_nonce = receive_of(securing, &text, key, (VERIFIER, "n-2"));
        assert!(
            matches!(other_nonce, Err(PresentationError::WrongNonce)),
            "{securing:?}"
        );
        let other_key = receive_of(securing, &text, scene.issuer.public_key(), (VERIFIER, "n-1"));
        assert!(other_key.is_err(), "{securing:?}");
    }
}

#[test]
fn only_the_issuers_own_key_counts_while_the_credential_is_valid() {
    let scene = Scene::new();
    let key = scene.issuer.public_key();
    let other = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    for securing in ALL {
        let with = |name: &str, value: Value| {
            let mut document = document();
            document.insert(name.to_owned(), value);
            hold_of(securing, &scene.issue(securing, &document), key)
        };
        assert!(with("validFrom", json!(NOW.to_rfc3339())).is_ok());
        let refused = with("validUntil", json!(NOW.to_rfc3339()));
        assert!(matches!(refused, Err(CredentialError::Validity(_))), "{securing:?}");
        let refused = with("issuer", json!("did:example:other"));
        assert!(
            matches!(refused, Err(CredentialError::WrongIssuer { .. })),
            "{securing:?}"
        );
        let genuine = scene.issue(securing, &document());
        assert!(hold_of(securing, &genuine, other.public_key()).is_err(), "{securing:?}");
        assert!(
            hold_of(securing, &genuine, scene.holder.public_key()).is_err(),
            "{securing:?}"
        );
    }
}

#[test]
fn envelopes_hold_what_their_media_type_says() {
    let scene = Scene::new();
    let key = scene.holder.public_key();
    let (cose, jose) = (
        scene.issue(Securing::Cose, &document()),
        scene.issue(Securing::Jose, &document()),
    );
    let present = |envelope: Value| {
        let text = scene.present(Securing::SdJwt, vec![envelope]);
        receive_of(Securing::SdJwt, &text, key, (VERIFIER, "n-1")).map(|_| ())
    };
    let envelope = envelope_of_credential;
    assert!(present(envelope("application/vc+jwt", &jose)).is_ok());
    assert!(present(envelope("application/vc+cose;base64", &cose)).is_ok());
    for other in [
        "application/vc+cose",
        "application/vp+jwt",
        "application/vc+jwt;base64",
        "application/jwt",
        "text/plain",
    ] {
        assert_eq!(
            present(envelope(other, &jose)),
            Err(PresentationError::Envelope),
            "{other}"
        );
    }
    for (media_type, data) in [
        ("application/vc+sd-jwt", jose.as_str()),
        ("application/vc+jwt", cose.as_str()),
        ("application/vc+cose;base64", jose.as_str()),
    ] {
        let refused = present(envelope(media_type, data));
        assert!(matches!(refused, Err(PresentationError::Credential(_))), "{media_type}");
    }
    // RFC 2397 has padding, and the alphabet that is not for URLs.
    for data in [cose.trim_end_matches('=').to_owned() + "A", cose.replacen('o', "-", 1)] {
        let refused = present(envelope("application/vc+cose;base64", &data));
        assert!(matches!(refused, Err(PresentationError::Credential(_))), "{data}");
    }
}

#[test]
fn unsecured_and_nested_documents_and_too_many_are_refused() {
    let scene = Scene::new();
    let key = scene.holder.public_key();
    for securing in ALL {
        let present = |credentials: Vec<Value>| {
            let text = scene.present(securing, credentials);
            receive_of(securing, &text, key, (VERIFIER, "n-1")).map(|_| ())
        };
        assert_eq!(
            present(vec![Value::Object(document())]),
            Err(PresentationError::Envelope)
        );
        let inner = scene.present(securing, Vec::new());
        let nested = json!({
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiablePresentation",
            "id": format!("data:application/vp+jwt,{inner}"),
        });
        assert!(matches!(present(vec![nested]), Err(PresentationError::DataModel(_))));
        let one = envelope_of_credential("application/vc+jwt", &scene.issue(Securing::Jose, &document()));
        assert!(present(vec![one.clone(); MAX_CREDENTIALS]).is_ok());
        let many = present(vec![one; MAX_CREDENTIALS + 1]);
        assert_eq!(
            many,
            Err(PresentationError::TooMany {
                found: MAX_CREDENTIALS + 1
            })
        );
    }
}

#[test]
fn what_is_too_long_is_not_decoded() {
    let long = "A".repeat(MAX_PRESENTATION_BYTES.div_ceil(3) * 4 + 4);
    assert!(matches!(
        Unverified::<VcJwt>::parse(&long),
        Err(CredentialError::Jws(JwsError::TooLong { .. }))
    ));
    assert!(matches!(
        Unverified::<VcSdJwt>::parse(&long),
        Err(CredentialError::SdJwt(SdJwtError::TooLarge { .. }))
    ));
    assert!(matches!(
        Unverified::<VcCose>::parse(&long),
        Err(CredentialError::Encoding)
    ));
    assert!(UnverifiedPresentation::<CoseMessage>::parse(&long).is_err());
}
