//! Each check of a `vc+jwt` and a `vp+jwt` fails alone, after the genuine one has passed.

use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::base64url;
use keys::jws;
use keys::jws::JwsError;
use keys::signing::fulfil;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::Authentic;
use crate::Held;
use crate::HolderKey;
use crate::Transaction;
use crate::Unverified;
use crate::evidence::HolderError;
use crate::status_list::StatusPurpose;
use crate::status_list::StatusReference;
use crate::vc::DataModelError;

const ISSUER: &str = "did:example:issuer";
const HOLDER: &str = "did:example:holder";
const VERIFIER: &str = "did:example:verifier";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn transaction() -> Transaction<'static> {
    Transaction {
        audience: VERIFIER,
        nonce: "n-1",
        now: NOW,
        max_age: 300,
    }
}

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": {"id": ISSUER, "name": "Issuer"},
        "validFrom": NOW.minus(10).to_rfc3339(),
        "validUntil": NOW.plus(100).to_rfc3339(),
        "credentialStatus": StatusReference::bitstring("https://i.example/1".to_owned(), 5, StatusPurpose::Revocation).to_value(),
        "credentialSubject": {"id": HOLDER, "name": "A"},
    })
}

struct Scene {
    issuer: SoftwareKey,
    holder: SoftwareKey,
}

impl Scene {
    fn new(algorithm: Algorithm) -> Self {
        let rng = &mut signer::os_rng();
        Self {
            issuer: SoftwareKey::generate(algorithm, rng),
            holder: SoftwareKey::generate(algorithm, rng),
        }
    }

    fn issue(&self, document: Value) -> String {
        let Value::Object(document) = document else {
            panic!("an object")
        };
        let request = issue(
            &document,
            "did:example:issuer#key-1",
            self.issuer.public_key().algorithm(),
        );
        fulfil(&self.issuer, request.unwrap()).unwrap()
    }

    fn authenticate(&self, text: &str) -> Result<Authentic<VcJwt>, VcJwtError> {
        Unverified::<VcJwt>::parse(text)?.authenticate(self.issuer.public_key(), ISSUER, NOW)
    }

    fn hold(&self) -> Held<VcJwt> {
        self.authenticate(&self.issue(document()))
            .unwrap()
            .hold_issued()
            .unwrap()
    }

    fn signed(key: &SoftwareKey, header: Value, payload: &Value) -> String {
        let Value::Object(header) = header else {
            panic!("an object")
        };
        fulfil(
            key,
            jws::sign(header, payload.to_string().as_bytes(), key.public_key().algorithm()),
        )
        .unwrap()
    }

    /// The genuine document with one member changed, signed without looking.
    fn with(&self, member: &str, value: Value) -> Result<Authentic<VcJwt>, VcJwtError> {
        let header = || json!({"typ": CREDENTIAL_TYP});
        assert!(
            self.authenticate(&Self::signed(&self.issuer, header(), &document()))
                .is_ok()
        );
        let mut document = document();
        document[member] = value;
        self.authenticate(&Self::signed(&self.issuer, header(), &document))
    }

    fn present(&self, credentials: &[&Held<VcJwt>]) -> String {
        let presentation = Presentation {
            holder: HOLDER,
            key_id: "did:example:holder#1",
            audience: VERIFIER,
            nonce: "n-1",
            issued_at: NOW,
        };
        fulfil(
            &self.holder,
            presentation.sign(credentials, self.holder.public_key().algorithm()),
        )
        .unwrap()
    }

    fn receive(&self, text: &str) -> Result<PresentedCredentials, VpJwtError> {
        UnverifiedPresentation::parse(text)?.authenticate(self.holder.public_key(), HOLDER, &transaction())
    }

    /// The genuine presentation with one member changed, or removed by `null`.
    fn presented_with(&self, member: &str, value: Value) -> Result<PresentedCredentials, VpJwtError> {
        let genuine = self.present(&[&self.hold()]);
        assert!(self.receive(&genuine).is_ok());
        let mut payload: Value =
            serde_json::from_slice(&base64url::decode(genuine.split('.').nth(1).unwrap()).unwrap()).unwrap();
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(member);
        } else {
            payload[member] = value;
        }
        self.receive(&Self::signed(&self.holder, json!({"typ": PRESENTATION_TYP}), &payload))
    }
}

#[test]
fn the_whole_way_from_issuer_to_holder_binding() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let scene = Scene::new(algorithm);
        let held = scene.hold();
        assert_eq!(held.claims()["credentialSubject"]["name"], "A");

        let text = scene.present(&[&held]);
        let unverified = UnverifiedPresentation::parse(&text).unwrap();
        assert_eq!(unverified.holder(), HOLDER);
        assert_eq!(unverified.verification_method(), Ok("did:example:holder#1".to_owned()));
        let presented = scene.receive(&text).unwrap();
        assert_eq!(presented.presenter.holder(), HOLDER);
        let [credential] = <[_; 1]>::try_from(presented.credentials).ok().unwrap();
        let credential = credential.into_jwt().unwrap();
        assert_eq!(credential.issuer(), ISSUER);
        assert_eq!(
            credential.verification_method(),
            Ok("did:example:issuer#key-1".to_owned())
        );
        let authentic = credential.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
        let facts = authentic.facts();
        assert_eq!(facts.types(), ["PersonIdentity"]);
        assert_eq!(facts.holder(), Some(&HolderKey::Did(HOLDER.to_owned())));
        assert_eq!(
            (facts.valid_from(), facts.valid_until()),
            (Some(NOW.minus(10)), Some(NOW.plus(100)))
        );
        assert_eq!(facts.status().len(), 1);
        assert!(authentic.verify_presenter(&presented.presenter).unwrap().is_proven());
    }
}

#[test]
fn header_of_what_we_sign() {
    let text = Scene::new(Algorithm::Es256).issue(document());
    let header: Value = serde_json::from_slice(&base64url::decode(text.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(
        header,
        json!({"alg": "ES256", "cty": "vc", "kid": "did:example:issuer#key-1", "typ": "vc+jwt"})
    );
}

#[test]
fn wrong_types_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    for typ in ["JWT", "vc-ld+jwt", "vp+jwt", "dc+sd-jwt"] {
        let refused = scene.authenticate(&Scene::signed(&scene.issuer, json!({"typ": typ}), &document()));
        assert!(
            matches!(refused, Err(VcJwtError::Jws(JwsError::WrongType { .. }))),
            "{typ}"
        );
    }
    let cty = |cty: &str| Scene::signed(&scene.issuer, json!({"typ": CREDENTIAL_TYP, "cty": cty}), &document());
    assert!(scene.authenticate(&cty("vc")).is_ok() && scene.authenticate(&cty("application/vc")).is_ok());
    assert!(matches!(
        scene.authenticate(&cty("vp")),
        Err(VcJwtError::ContentType { .. })
    ));
}

#[test]
fn a_wrong_key_and_alg_none_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.issue(document());
    let other = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        other.authenticate(&text),
        Err(VcJwtError::Jws(JwsError::Signature(_)))
    ));
    let confused = Scene::new(Algorithm::Es256);
    assert!(matches!(
        confused.authenticate(&text),
        Err(VcJwtError::Jws(JwsError::WrongKey { .. }))
    ));
    let none = base64url::encode(r#"{"alg":"none","typ":"vc+jwt"}"#);
    let (_, rest) = text.split_once('.').unwrap();
    assert!(matches!(
        scene.authenticate(&format!("{none}.{rest}")),
        Err(VcJwtError::Jws(JwsError::Algorithm { .. }))
    ));
}

#[test]
fn the_issuer_is_the_keys_owner() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.with("issuer", json!("did:example:other")),
        Err(VcJwtError::WrongIssuer { .. })
    ));
    assert!(matches!(
        scene.with("iss", json!("did:example:other")),
        Err(VcJwtError::WrongIssuer { .. })
    ));
    assert!(scene.with("iss", json!(ISSUER)).is_ok());
}

#[test]
fn vc_and_vp_claims_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    for name in ["vc", "vp"] {
        assert!(matches!(scene.with(name, json!({})), Err(VcJwtError::Claim(_))));
        let mut document = document();
        document[name] = json!({});
        let Value::Object(document) = document else {
            panic!("an object")
        };
        assert!(matches!(
            issue(&document, "#1", Algorithm::EdDsa),
            Err(VcJwtError::Claim(_))
        ));
    }
}

#[test]
fn both_validity_periods_count() {
    let scene = Scene::new(Algorithm::EdDsa);
    for (name, value) in [
        ("validUntil", json!(NOW.to_rfc3339())),
        ("exp", json!(NOW.unix())),
        ("validFrom", json!(NOW.plus(61).to_rfc3339())),
        ("nbf", json!(NOW.plus(61).unix())),
    ] {
        assert!(
            matches!(scene.with(name, value), Err(VcJwtError::Validity(_))),
            "{name}"
        );
    }
    assert!(matches!(
        scene.with("iat", json!(NOW.plus(61).unix())),
        Err(VcJwtError::IssuedInTheFuture { .. })
    ));
    assert!(matches!(scene.with("exp", json!("soon")), Err(VcJwtError::Claim(_))));
    assert_eq!(
        scene
            .with("exp", json!(NOW.plus(5).unix()))
            .unwrap()
            .facts()
            .valid_until(),
        Some(NOW.plus(5))
    );
    assert_eq!(
        scene
            .with("exp", json!(NOW.plus(500).unix()))
            .unwrap()
            .facts()
            .valid_until(),
        Some(NOW.plus(100))
    );
}

#[test]
fn documents_outside_the_data_model_are_not_issued_or_read() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.with("type", json!(["Other"])),
        Err(VcJwtError::DataModel(_))
    ));
    assert!(matches!(
        issue(&Map::new(), "#1", Algorithm::EdDsa),
        Err(VcJwtError::DataModel(DataModelError::Property {
            property: "@context",
            ..
        }))
    ));
}

#[test]
fn a_wallet_restores_an_expired_credential() {
    let scene = Scene::new(Algorithm::EdDsa);
    let mut document = document();
    document["validUntil"] = json!(NOW.to_rfc3339());
    let text = scene.issue(document);
    assert!(scene.authenticate(&text).is_err());
    let restore = |key: &PublicKey| Unverified::<VcJwt>::parse(&text).unwrap().restore(key, ISSUER);
    assert_eq!(restore(scene.issuer.public_key()).unwrap().as_str(), text);
    assert!(restore(scene.holder.public_key()).is_err());
}

#[test]
fn wrong_audience_and_nonce_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.presented_with("aud", json!("did:example:x")),
        Err(VpJwtError::WrongAudience { .. })
    ));
    assert!(matches!(
        scene.presented_with("nonce", json!("n-2")),
        Err(VpJwtError::WrongNonce)
    ));
    for member in ["aud", "nonce"] {
        assert!(matches!(
            scene.presented_with(member, Value::Null),
            Err(VpJwtError::Claim(_))
        ));
    }
    assert!(matches!(
        scene.presented_with("aud", json!([VERIFIER])),
        Err(VpJwtError::Claim(_))
    ));
}

#[test]
fn old_and_future_presentations_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    for (seconds, accepted) in [(-300, true), (-301, false), (60, true), (61, false)] {
        let result = scene.presented_with("iat", json!(NOW.plus(seconds).unix()));
        assert_eq!(result.is_ok(), accepted, "{seconds}");
    }
    assert!(scene.presented_with("iat", Value::Null).is_ok());
    assert!(matches!(
        scene.presented_with("exp", json!(NOW.unix())),
        Err(VpJwtError::Validity(_))
    ));
}

#[test]
fn another_holder_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let other = json!("did:example:other");
    assert!(matches!(
        scene.presented_with("holder", other.clone()),
        Err(VpJwtError::WrongHolder { .. })
    ));
    assert!(matches!(
        scene.presented_with("iss", other),
        Err(VpJwtError::WrongHolder { .. })
    ));
    let thief = Scene {
        holder: Scene::new(Algorithm::EdDsa).holder,
        ..Scene::new(Algorithm::EdDsa)
    };
    let text = thief.present(&[&scene.hold()]);
    assert!(matches!(
        scene.receive(&text),
        Err(VpJwtError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn credentials_that_are_not_enveloped_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.hold().as_str().to_owned();
    let envelope = |id: &str| json!([{"@context": "https://www.w3.org/ns/credentials/v2", "type": "EnvelopedVerifiableCredential", "id": id}]);
    assert!(
        scene
            .presented_with(
                "verifiableCredential",
                envelope(&format!("data:application/vc+jwt,{text}"))
            )
            .is_ok()
    );
    let refused = |credentials: Value| scene.presented_with("verifiableCredential", credentials).err().unwrap();
    assert!(
        matches!(refused(json!([document()])), VpJwtError::Envelope),
        "unsecured"
    );
    assert!(matches!(
        refused(envelope(&format!("data:application/vp+jwt,{text}"))),
        VpJwtError::Envelope
    ));
    assert!(matches!(
        refused(envelope(&format!("data:application/vc+jwt;base64,{text}"))),
        VpJwtError::Envelope
    ));
    assert!(matches!(
        refused(envelope("not-a-credential")),
        VpJwtError::DataModel(_)
    ));
    assert!(matches!(refused(json!([text])), VpJwtError::DataModel(_)));
    assert!(matches!(
        refused(envelope("data:application/vc+jwt,x")),
        VpJwtError::Credential(_)
    ));
    let many = envelope(&format!("data:application/vc+jwt,{text}"))[0].clone();
    assert!(matches!(
        refused(json!(vec![many; MAX_CREDENTIALS + 1])),
        VpJwtError::TooMany { .. }
    ));
}

#[test]
fn somebody_elses_credential_is_not_bound() {
    let scene = Scene::new(Algorithm::EdDsa);
    let bind = |subject: Value| {
        let mut document = document();
        document["credentialSubject"] = subject;
        let held = scene
            .authenticate(&scene.issue(document))
            .unwrap()
            .hold_issued()
            .unwrap();
        let presented = scene.receive(&scene.present(&[&held])).unwrap();
        let credential = presented.credentials.into_iter().next().unwrap().into_jwt().unwrap();
        let authentic = credential.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
        authentic
            .verify_presenter(&presented.presenter)
            .map(|binding| binding.is_proven())
    };
    assert_eq!(bind(json!({"id": HOLDER})), Ok(true));
    assert_eq!(
        bind(json!({"id": "did:example:other"})),
        Err(HolderError::NotTheSubject)
    );
    assert_eq!(bind(json!({"name": "A"})), Err(HolderError::NoHolder));
    assert_eq!(
        bind(json!([{"id": HOLDER}, {"id": "did:example:other"}])),
        Err(HolderError::NoHolder)
    );
    assert_eq!(
        bind(json!({"id": "https://holder.example"})),
        Err(HolderError::NoHolder)
    );
}

#[test]
fn a_credential_of_another_presentation_is_not_bound() {
    let scene = Scene::new(Algorithm::Es256);
    let (first, second) = (scene.hold(), scene.hold());
    let presented = scene.receive(&scene.present(&[&first])).unwrap();
    let other = scene.authenticate(second.as_str()).unwrap();
    assert_eq!(
        other.verify_presenter(&presented.presenter).err(),
        Some(HolderError::NotPresented)
    );
}

#[test]
fn a_presented_credential_is_not_held() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = || {
        scene
            .receive(&scene.present(&[&scene.hold()]))
            .unwrap()
            .credentials
            .remove(0)
            .into_jwt()
            .unwrap()
    };
    let key = scene.issuer.public_key();
    let authentic = presented().authenticate(key, ISSUER, NOW).unwrap();
    assert_eq!(authentic.hold_issued().err(), Some(VcJwtError::Presented));
    assert_eq!(presented().restore(key, ISSUER).err(), Some(VcJwtError::Presented));
}

#[test]
fn without_any_type_of_its_own_a_credential_asserts_the_base_type() {
    let scene = Scene::new(Algorithm::EdDsa);
    let authentic = scene.with("type", json!("VerifiableCredential")).unwrap();
    assert_eq!(authentic.facts().types(), ["VerifiableCredential"]);
}

#[test]
fn debug_output_has_no_claims() {
    let scene = Scene::new(Algorithm::EdDsa);
    let held = scene.hold();
    let unverified = UnverifiedPresentation::parse(&scene.present(&[&held])).unwrap();
    let text = format!(
        "{held:?} {unverified:?} {:?}",
        scene.receive(&scene.present(&[&held])).unwrap()
    );
    assert!(!text.contains("credentialSubject"), "{text}");
}

#[test]
fn contexts_are_told_unless_one_is_written_out() {
    let base = "https://www.w3.org/ns/credentials/v2";
    let with = |contexts: Value| Scene::new(Algorithm::EdDsa).with("@context", contexts).unwrap();
    let several = with(json!([base, "https://a.example/context"]));
    assert_eq!(several.contexts(), Some(vec![base, "https://a.example/context"]));
    let written_out = with(json!([base, {"term": "https://a.example/term"}]));
    assert_eq!(written_out.contexts(), None);
}

#[test]
fn a_presentation_document_is_issued_and_read_without_a_transaction() {
    let scene = Scene::new(Algorithm::Es256);
    let held = scene.hold();
    let envelope = json!({
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": format!("data:application/vc+jwt,{}", held.as_str()),
    });
    let presentation = |credential: &Value| {
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": HOLDER,
            "verifiableCredential": [credential],
        });
        issue_presentation(
            document.as_object().unwrap(),
            "did:example:holder#key-1",
            Algorithm::Es256,
        )
    };
    let text = fulfil(&scene.holder, presentation(&envelope).unwrap()).unwrap();
    let check = |key: &SoftwareKey, holder: &str| {
        let presentation = UnverifiedPresentation::parse(&text).unwrap();
        presentation.check_signed(key.public_key(), holder, NOW)
    };
    let signed = check(&scene.holder, HOLDER).unwrap();
    assert_eq!((signed.holder.as_str(), signed.credentials.len()), (HOLDER, 1));
    assert!(matches!(check(&scene.issuer, HOLDER), Err(VpJwtError::Jws(_))));
    assert!(matches!(
        check(&scene.holder, ISSUER),
        Err(VpJwtError::WrongHolder { .. })
    ));
    // It says nothing of a verifier, so nobody takes it as an answer.
    assert!(scene.receive(&text).is_err());
    // What is not in an envelope would not be secured.
    assert_eq!(presentation(&document()).unwrap_err(), VpJwtError::Envelope);
}

/// Together each credential has the verdict that it has alone, whatever the others are.
#[test]
fn credentials_together_get_the_verdicts_of_each_alone() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
        let scene = Scene::new(algorithm);
        let genuine = scene.issue(document());
        let (signed, signature) = genuine.rsplit_once('.').unwrap();
        let foreign = fulfil(
            &scene.holder,
            issue(document().as_object().unwrap(), "did:example:issuer#key-1", algorithm).unwrap(),
        );
        let mut expired = document();
        expired["validUntil"] = json!(NOW.minus(1).to_rfc3339());
        let other_kind = match algorithm {
            Algorithm::EdDsa => Scene::new(Algorithm::Es256),
            Algorithm::Bbs | Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => Scene::new(Algorithm::EdDsa),
        };
        let bad = [
            foreign.unwrap(),
            format!(
                "{signed}.{}",
                signature.replacen(&signature[..1], if signature.starts_with('A') { "B" } else { "A" }, 1)
            ),
            scene.issue(expired),
            other_kind.issue(document()),
        ];
        // Once with nothing wrong but the time and the algorithm, so that the signatures hold together, and once with all.
        for bad in [&bad[2..], &bad[..]] {
            let texts: Vec<&str> = std::iter::repeat_n(genuine.as_str(), 300)
                .chain(bad.iter().map(String::as_str))
                .collect();
            let parsed = texts
                .iter()
                .map(|text| Unverified::<VcJwt>::parse(text).unwrap())
                .collect();
            let key = scene.issuer.public_key();
            let together = Unverified::<VcJwt>::authenticate_all(parsed, key, ISSUER, NOW, &mut signer::os_rng());
            assert_eq!(together.len(), texts.len());
            for (text, verdict) in texts.iter().zip(together).skip(295) {
                assert_eq!(verdict.map(|_| ()), scene.authenticate(text).map(|_| ()));
            }
        }
    }
}
