//! Each check of a `vc+sd-jwt` and a `vp+sd-jwt` fails alone, after the genuine one has passed.

use keys::Signer as _;
use keys::Timestamp;
use keys::base64url;
use keys::jws;
use keys::jws::JwsError;
use keys::signing::fulfil;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::HolderKey;
use crate::Unverified;
use crate::evidence::sealed::Contents as _;

const ISSUER: &str = "did:example:issuer";
const HOLDER: &str = "did:example:holder";
const VERIFIER: &str = "did:example:verifier";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn transaction(nonce: &str) -> Transaction<'_> {
    Transaction {
        audience: VERIFIER,
        nonce,
        now: NOW,
        max_age: 300,
    }
}

fn document() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://a.example/context"],
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": {"id": ISSUER, "name": "Issuer"},
        "credentialSubject": {"id": HOLDER, "name": "A", "address": {"city": "B", "street": "C"}, "phones": ["1", "2"]},
    })
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else {
        panic!("an object")
    };
    object
}

fn paths(value: Value) -> Vec<ClaimPath> {
    serde_json::from_value(value).unwrap()
}

/// Everything about the subject, down to the street.
fn disclosable() -> Vec<ClaimPath> {
    paths(json!([
        ["credentialSubject", "name"],
        ["credentialSubject", "address"],
        ["credentialSubject", "address", "street"],
        ["credentialSubject", "phones", null]
    ]))
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

    fn issue(&self, document: Value, disclosable: &[ClaimPath]) -> Result<String, CredentialError> {
        let selective = Selective {
            disclosable,
            ..Selective::default()
        };
        let request = issue(
            &object(document),
            selective,
            "did:example:issuer#key-1",
            self.issuer.public_key().algorithm(),
            &mut signer::os_rng(),
        )?;
        Ok(fulfil(&self.issuer, request).unwrap())
    }

    /// A document with the holder's key in it.
    fn bound(&self) -> Value {
        let mut document = document();
        document["cnf"] = json!({"jwk": self.holder.public_key().to_jwk().to_value()});
        document
    }

    fn authenticate(&self, text: &str) -> Result<Authentic<VcSdJwt>, CredentialError> {
        Unverified::<VcSdJwt>::parse(text)?.authenticate(self.issuer.public_key(), ISSUER, NOW)
    }

    fn hold(&self, document: Value) -> Held<VcSdJwt> {
        let text = self.issue(document, &disclosable()).unwrap();
        self.authenticate(&text).unwrap().hold_issued().unwrap()
    }

    /// Any header and payload, signed without looking.
    fn signed(&self, header: &Value, payload: &Value) -> String {
        let request = jws::sign(
            object(header.clone()),
            payload.to_string().as_bytes(),
            self.issuer.public_key().algorithm(),
        );
        fulfil(&self.issuer, request).unwrap()
    }

    /// The genuine document with these members besides, and disclosures.
    fn with(&self, more: &Value, disclosures: &[&str]) -> Result<Authentic<VcSdJwt>, CredentialError> {
        let header = json!({"typ": CREDENTIAL_TYP, "kid": "#key-1"});
        let genuine = SdJwt::join(&self.signed(&header, &document()), []);
        assert!(self.authenticate(&genuine).is_ok());
        let mut payload = document();
        payload.as_object_mut().unwrap().extend(object(more.clone()));
        self.authenticate(&SdJwt::join(
            &self.signed(&header, &payload),
            disclosures.iter().copied(),
        ))
    }
}

/// A disclosure and its digest.
fn disclosure(content: &Value) -> (String, String) {
    let encoded = base64url::encode(content.to_string());
    let digest = HashAlgorithm::Sha256.digest(&encoded).as_str().to_owned();
    (encoded, digest)
}

fn sd_jwt_error(result: Result<Authentic<VcSdJwt>, CredentialError>) -> SdJwtError {
    match result {
        Err(CredentialError::SdJwt(error)) => error,
        other => panic!("expected an error of the SD-JWT, found {other:?}"),
    }
}

#[test]
fn header_and_payload_of_what_we_sign() {
    let scene = Scene::new();
    let text = scene.issue(document(), &disclosable()).unwrap();
    let part = |at: usize| -> Value {
        let jwt = text.split('~').next().unwrap();
        serde_json::from_slice(&base64url::decode(jwt.split('.').nth(at).unwrap()).unwrap()).unwrap()
    };
    assert_eq!(
        part(0),
        json!({"alg": "ES256", "cty": "vc", "kid": "did:example:issuer#key-1", "typ": "vc+sd-jwt"})
    );
    let payload = part(1);
    assert_eq!(
        (&payload["type"], &payload["_sd_alg"]),
        (&document()["type"], &json!("sha-256"))
    );
    assert_eq!(payload["credentialSubject"]["id"], HOLDER);
    assert!(payload["credentialSubject"].get("name").is_none());
    assert_eq!(scene.hold(document()).claims(), &object(document()));
}

#[test]
fn a_holder_shows_what_it_chooses_in_an_envelope() {
    let scene = Scene::new();
    let held = scene.hold(document());
    assert_eq!(held.disclosable_paths().unwrap().len(), 5);
    let chosen = held
        .present(&paths(json!([["credentialSubject", "phones", 1]])))
        .unwrap();
    let presentation = crate::vc_jose_cose::Presentation {
        holder: HOLDER,
        key_id: "did:example:holder#1",
        audience: VERIFIER,
        nonce: "n-1",
        issued_at: NOW,
    };
    let text = fulfil(
        &scene.holder,
        presentation.sign_sd_jwt(vec![envelope(chosen)], Algorithm::EdDsa),
    )
    .unwrap();
    let received = UnverifiedPresentation::parse(&text).unwrap();
    let received = received
        .authenticate(scene.holder.public_key(), HOLDER, &transaction("n-1"))
        .unwrap();
    let [crate::vc_jose_cose::EnvelopedCredential::SdJwt(credential)] =
        <[_; 1]>::try_from(received.credentials).unwrap()
    else {
        panic!("a vc+sd-jwt")
    };
    let authentic = credential.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
    assert!(authentic.verify_presenter(&received.presenter).unwrap().is_proven());
    assert_eq!(authentic.contexts().unwrap().len(), 2);
    let claims = authentic.contents.claims();
    assert_eq!(claims["credentialSubject"], json!({"id": HOLDER, "phones": ["2"]}));
}

#[test]
fn a_credential_with_cnf_is_presented_with_key_binding() {
    let scene = Scene::new();
    let held = scene.hold(scene.bound());
    assert_eq!(
        held.facts().holder(),
        Some(&HolderKey::Key(scene.holder.public_key().clone()))
    );
    let chosen = || held.present(&paths(json!([["credentialSubject", "name"]]))).unwrap();
    let bound = fulfil(&scene.holder, chosen().bind(VERIFIER, "n-1", NOW).unwrap()).unwrap();
    let authentic = scene.authenticate(&bound).unwrap();
    assert!(authentic.verify_key_binding(&transaction("n-1")).unwrap().is_proven());
    assert_eq!(
        authentic.verify_key_binding(&transaction("n-2")).unwrap_err(),
        KeyBindingError::WrongNonce
    );
    // A wallet does not keep it.
    assert_eq!(authentic.hold_issued().err(), Some(CredentialError::Presented));
    // Unbound, bound by another, and with another choice of disclosures.
    let unbound = scene.authenticate(&chosen().into_unbound()).unwrap();
    assert_eq!(
        unbound.verify_key_binding(&transaction("n-1")).unwrap_err(),
        KeyBindingError::Missing
    );
    let thief = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let stolen = fulfil(&thief, chosen().bind(VERIFIER, "n-1", NOW).unwrap()).unwrap();
    let stolen = scene.authenticate(&stolen).unwrap();
    assert!(matches!(
        stolen.verify_key_binding(&transaction("n-1")),
        Err(KeyBindingError::Jws(JwsError::Signature(_)))
    ));
    let mut parts: Vec<&str> = bound.split('~').collect();
    parts.remove(1);
    let fewer = scene.authenticate(&parts.join("~")).unwrap();
    assert_eq!(
        fewer.verify_key_binding(&transaction("n-1")).unwrap_err(),
        KeyBindingError::WrongSdHash
    );
}

#[test]
fn a_credential_with_cnf_is_bound_to_the_key_of_the_presentation() {
    let scene = Scene::new();
    let held = scene.hold(scene.bound());
    let binding = |key: &SoftwareKey| {
        let presentation = crate::vc_jose_cose::Presentation {
            holder: HOLDER,
            key_id: "did:example:holder#1",
            audience: VERIFIER,
            nonce: "n-1",
            issued_at: NOW,
        };
        let text = fulfil(key, presentation.sign_jwt(vec![held.envelope()], Algorithm::EdDsa)).unwrap();
        let received = crate::vc_jwt::UnverifiedPresentation::parse(&text).unwrap();
        let received = received
            .authenticate(key.public_key(), HOLDER, &transaction("n-1"))
            .unwrap();
        let authentic = scene.authenticate(held.as_str()).unwrap();
        authentic
            .verify_presenter(&received.presenter)
            .map(|binding| binding.is_proven())
    };
    assert_eq!(binding(&scene.holder), Ok(true));
    let thief = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    assert_eq!(binding(&thief), Err(crate::evidence::HolderError::NotTheSubject));
}

#[test]
fn a_holder_key_that_we_cannot_check_is_refused() {
    let scene = Scene::new();
    for cnf in [json!({"kid": "x"}), json!({"jwk": {"kty": "RSA"}}), json!("x")] {
        let refused = scene.with(&json!({"cnf": cnf}), &[]);
        assert!(matches!(refused, Err(CredentialError::Claim(_))), "{cnf}");
    }
}

#[test]
fn what_decides_about_validity_is_not_disclosable() {
    let scene = Scene::new();
    for name in NEVER_DISCLOSABLE {
        let refused = scene.issue(document(), &paths(json!([[name]]))).unwrap_err();
        assert_eq!(refused, CredentialError::SdJwt(SdJwtError::CriticalClaim { name }));
        // A part of it neither.
        let refused = scene.issue(document(), &paths(json!([[name, "x"]]))).unwrap_err();
        assert_eq!(refused, CredentialError::SdJwt(SdJwtError::CriticalClaim { name }));
        // Others may issue it so; it is refused whether it is shown or partly hidden.
        let (shown, digest) = disclosure(&json!(["salt", name, "x"]));
        let header = json!({"typ": CREDENTIAL_TYP});
        let mut payload = document();
        payload.as_object_mut().unwrap().remove(name);
        payload["_sd"] = json!([digest]);
        let text = SdJwt::join(&scene.signed(&header, &payload), [shown.as_str()]);
        assert_eq!(
            sd_jwt_error(scene.authenticate(&text)),
            SdJwtError::CriticalClaim { name }
        );
        let hidden = scene.with(&json!({name: {"_sd": ["x"]}}), &[]);
        assert_eq!(sd_jwt_error(hidden), SdJwtError::CriticalClaim { name });
    }
    // One context of several would change what the terms mean.
    let contexts = json!({"@context": ["https://www.w3.org/ns/credentials/v2", {"...": "x"}]});
    assert_eq!(
        sd_jwt_error(scene.with(&contexts, &[])),
        SdJwtError::CriticalClaim { name: "@context" }
    );
}

#[test]
fn duplicate_and_foreign_disclosures_are_refused() {
    let scene = Scene::new();
    let (shown, digest) = disclosure(&json!(["salt", "evidence", {"type": "E"}]));
    let payload = json!({"_sd": [digest]});
    assert!(scene.with(&payload, &[]).is_ok() && scene.with(&payload, &[&shown]).is_ok());
    assert_eq!(
        sd_jwt_error(scene.with(&payload, &[&shown, &shown])),
        SdJwtError::DuplicateDisclosure
    );
    let twice = json!({"_sd": [digest, digest]});
    assert_eq!(sd_jwt_error(scene.with(&twice, &[])), SdJwtError::DuplicateDigest);
    // That of another credential has no digest here.
    let (foreign, _) = disclosure(&json!(["salt", "name", "B"]));
    assert_eq!(
        sd_jwt_error(scene.with(&payload, &[&foreign])),
        SdJwtError::UnreferencedDisclosure
    );
    let (one, other) = (scene.hold(document()), scene.hold(document()));
    let mine = one.as_str().split('~').nth(1).unwrap();
    let mixed = format!("{}{mine}~", other.as_str());
    assert_eq!(
        sd_jwt_error(scene.authenticate(&mixed)),
        SdJwtError::UnreferencedDisclosure
    );
    // What is signed is not overwritten.
    let (over, digest) = disclosure(&json!(["salt", "credentialSubject", {"id": "did:example:thief"}]));
    assert_eq!(
        sd_jwt_error(scene.with(&json!({"_sd": [digest]}), &[&over])),
        SdJwtError::ClaimExists
    );
}

#[test]
fn vc_and_vp_claims_are_refused_in_disclosures_too() {
    let scene = Scene::new();
    for name in ["vc", "vp"] {
        assert!(matches!(
            scene.with(&json!({name: {}}), &[]),
            Err(CredentialError::Claim(_))
        ));
        let (shown, digest) = disclosure(&json!(["salt", name, {}]));
        let refused = scene.with(&json!({"_sd": [digest]}), &[&shown]);
        assert!(matches!(refused, Err(CredentialError::Claim(_))), "{name}");
        let mut document = document();
        document[name] = json!({});
        assert!(matches!(scene.issue(document, &[]), Err(CredentialError::Claim(_))));
    }
}

#[test]
fn alg_none_other_types_and_critical_headers_are_refused() {
    let scene = Scene::new();
    let text = scene.issue(document(), &disclosable()).unwrap();
    let none = base64url::encode(r#"{"alg":"none","typ":"vc+sd-jwt"}"#);
    let (_, rest) = text.split_once('.').unwrap();
    assert!(matches!(
        scene.authenticate(&format!("{none}.{rest}")),
        Err(CredentialError::Jws(JwsError::Algorithm { .. }))
    ));
    let with_header = |header: Value| {
        let jwt = scene.signed(&header, &document());
        scene.authenticate(&SdJwt::join(&jwt, [])).map(|_| ())
    };
    assert_eq!(with_header(json!({"typ": "vc+sd-jwt"})), Ok(()));
    assert_eq!(
        with_header(json!({"typ": "application/vc+sd-jwt", "cty": "vc"})),
        Ok(())
    );
    for typ in ["dc+sd-jwt", "vp+sd-jwt", "vc+jwt", "sd-jwt", "JWT"] {
        let refused = with_header(json!({"typ": typ}));
        assert!(
            matches!(refused, Err(CredentialError::Jws(JwsError::WrongType { .. }))),
            "{typ}"
        );
    }
    let refused = with_header(json!({"typ": "vc+sd-jwt", "cty": "vp"}));
    assert!(matches!(refused, Err(CredentialError::ContentType { .. })));
    let refused = with_header(json!({"typ": "vc+sd-jwt", "crit": ["x"], "x": 1}));
    assert_eq!(refused, Err(CredentialError::Jws(JwsError::Critical)));
    // Without its tilde it is no SD-JWT.
    let bare = scene.signed(&json!({"typ": "vc+sd-jwt"}), &document());
    assert_eq!(sd_jwt_error(scene.authenticate(&bare)), SdJwtError::Form);
}

#[test]
fn a_presentation_may_hide_its_holder_but_not_its_transaction() {
    let scene = Scene::new();
    let presentation = |more: Value, disclosable: Value| {
        let mut document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "holder": HOLDER,
        });
        document.as_object_mut().unwrap().extend(object(more));
        let disclosable = paths(disclosable);
        let selective = Selective {
            disclosable: &disclosable,
            ..Selective::default()
        };
        let key_id = "did:example:holder#1";
        issue_presentation(
            &object(document),
            selective,
            key_id,
            Algorithm::EdDsa,
            &mut signer::os_rng(),
        )
    };
    let sign = |request: SigningRequest<String>| fulfil(&scene.holder, request).unwrap();
    let check = |text: &str| {
        let parsed = UnverifiedPresentation::parse(text)?;
        parsed.check_signed(scene.holder.public_key(), HOLDER, NOW)
    };
    let text = sign(presentation(json!({}), json!([["holder"], ["type"]])).unwrap());
    assert_eq!(check(&text).unwrap().holder, HOLDER);
    // Withheld, `kid` says who it is; but a presentation has its type.
    let parts: Vec<&str> = text.split('~').collect();
    let without = |name: &str| {
        let decoded = |part: &str| String::from_utf8(base64url::decode(part).unwrap()).unwrap();
        let of_name = parts.iter().skip(1).find(|part| decoded(part).contains(name));
        text.replace(&format!("{}~", of_name.unwrap()), "")
    };
    let without_holder = without("\"holder\"");
    assert_eq!(check(&without_holder).unwrap().holder, HOLDER);
    let without_type = without("\"type\"");
    assert!(matches!(check(&without_type), Err(PresentationError::DataModel(_))));
    for name in NEVER_DISCLOSABLE_IN_PRESENTATIONS {
        let refused = presentation(json!({name: ["https://www.w3.org/ns/credentials/v2"]}), json!([[name]])).err();
        assert_eq!(
            refused,
            Some(PresentationError::SdJwt(SdJwtError::CriticalClaim { name }))
        );
    }
    // The holder signs the presentation itself; a second signature of it would be one that nobody checks.
    let bound = sd_jwt::bind(text, HashAlgorithm::Sha256, VERIFIER, "n-1", NOW, Algorithm::EdDsa);
    assert!(matches!(check(&sign(bound)), Err(PresentationError::KeyBound)));
}
