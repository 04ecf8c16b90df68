//! Each check of an SD-JWT VC fails alone, after the genuine credential has passed.

use std::num::NonZeroUsize;

use keys::Algorithm;
use keys::Signer as _;
use keys::SigningRequest;
use keys::base64url;
use keys::jws;
use keys::signing::fulfil;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::ClaimPath;
use crate::sd_jwt::Decoys;
use crate::sd_jwt::JsonSerialization;
use crate::sd_jwt::to_json;
use crate::sd_jwt_vc::type_metadata::ResolvedType;
use crate::sd_jwt_vc::type_metadata::TypeMismatch;

pub(crate) const ISSUER: &str = "did:example:issuer";
pub(crate) const VCT: &str = "https://credentials.example.com/identity_credential";
pub(crate) const VERIFIER: &str = "did:example:verifier";
pub(crate) const LIST: &str = "https://issuer.example/status/1";
pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

pub(crate) fn transaction() -> Transaction<'static> {
    Transaction {
        audience: VERIFIER,
        nonce: "n-1",
        now: NOW,
        max_age: 300,
    }
}

pub(crate) struct Scene {
    pub(crate) issuer: SoftwareKey,
    pub(crate) holder: SoftwareKey,
}

impl Scene {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let rng = &mut signer::os_rng();
        Self {
            issuer: SoftwareKey::generate(algorithm, rng),
            holder: SoftwareKey::generate(algorithm, rng),
        }
    }

    fn issue(&self) -> String {
        self.issue_with(HashAlgorithm::Sha256)
    }

    fn issue_with(&self, hash: HashAlgorithm) -> String {
        let jwk = self.holder.public_key().to_jwk();
        let disclosable: Vec<ClaimPath> = serde_json::from_value(json!([
            ["name"],
            ["address"],
            ["address", "city"],
            ["nationalities", null]
        ]))
        .unwrap();
        let Value::Object(claims) = json!({
            "name": "A", "address": {"city": "B", "country": "C"}, "nationalities": ["D", "E"], "open": true
        }) else {
            panic!("an object")
        };
        let credential = NewCredential {
            issuer: ISSUER,
            key_id: "did:example:issuer#key-1",
            vct: VCT,
            type_integrity: Some("sha256-x"),
            other_types: &["urn:example:base".to_owned()],
            holder: Some(&jwk),
            issued_at: NOW.minus(10),
            valid_from: Some(NOW.minus(10)),
            valid_until: Some(NOW.plus(1000)),
            status: Some(&StatusReference::token_status_list(LIST.to_owned(), 3)),
            claims: &claims,
            disclosable: &disclosable,
            decoys: Decoys::FillToMultipleOf(NonZeroUsize::new(4).unwrap()),
        };
        self.sign(
            credential
                .issue_with(hash, self.issuer.public_key().algorithm(), &mut signer::os_rng())
                .unwrap(),
        )
    }

    fn sign<T>(&self, request: SigningRequest<T>) -> T {
        fulfil(&self.issuer, request).unwrap()
    }

    pub(crate) fn authenticate(&self, text: &str) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        Unverified::<SdJwtVc>::parse(text)?.authenticate(self.issuer.public_key(), ISSUER, NOW)
    }

    pub(crate) fn hold(&self) -> Held<SdJwtVc> {
        self.authenticate(&self.issue()).unwrap().hold_issued().unwrap()
    }

    pub(crate) fn present(&self, paths: Value) -> String {
        let paths: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
        let request = self.hold().present(&paths).unwrap().bind(VERIFIER, "n-1", NOW).unwrap();
        fulfil(&self.holder, request).unwrap()
    }

    /// Signs a payload and header of the attacker's or a careless issuer's choice.
    fn signed(&self, header: Value, payload: &Value) -> String {
        let Value::Object(header) = header else {
            panic!("an object")
        };
        self.sign(jws::sign(
            header,
            payload.to_string().as_bytes(),
            self.issuer.public_key().algorithm(),
        ))
    }

    /// A minimal genuine credential with one claim changed, or removed by `null`.
    fn with(&self, name: &str, value: Value) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        let mut payload = json!({"iss": ISSUER, "vct": VCT});
        let genuine = self.signed(json!({"typ": TYPE}), &payload);
        assert!(self.authenticate(&format!("{genuine}~")).is_ok());
        if value.is_null() {
            payload.as_object_mut().unwrap().remove(name);
        } else {
            payload[name] = value;
        }
        self.authenticate(&format!("{}~", self.signed(json!({"typ": TYPE}), &payload)))
    }
}

#[test]
fn a_tampered_signature_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.issue();
    let (jwt, rest) = text.split_once('~').unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let mut bytes = base64url::decode(signature).unwrap();
    bytes[0] ^= 1;
    let tampered = format!("{signed}.{}~{rest}", base64url::encode(bytes));
    assert!(matches!(
        scene.authenticate(&tampered),
        Err(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn a_tampered_payload_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.issue();
    let parts: Vec<&str> = text.splitn(3, '.').collect();
    let mut payload: Value = serde_json::from_slice(&base64url::decode(parts[1]).unwrap()).unwrap();
    payload["open"] = json!(false);
    let tampered = format!("{}.{}.{}", parts[0], base64url::encode(payload.to_string()), parts[2]);
    assert!(matches!(
        scene.authenticate(&tampered),
        Err(SdJwtVcError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn a_forged_disclosure_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.issue();
    assert!(scene.authenticate(&text).is_ok());
    let forged = base64url::encode(r#"["salt","admin",true]"#);
    let refused = scene.authenticate(&format!("{text}{forged}~"));
    assert!(matches!(
        refused,
        Err(SdJwtVcError::SdJwt(SdJwtError::UnreferencedDisclosure))
    ));
}

#[test]
fn another_credentials_disclosure_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let (text, other) = (scene.issue(), scene.issue());
    let disclosure = |text: &str| text.split('~').nth(1).unwrap().to_owned();
    let swapped = text.replacen(&disclosure(&text), &disclosure(&other), 1);
    let refused = scene.authenticate(&swapped);
    assert!(matches!(
        refused,
        Err(SdJwtVcError::SdJwt(SdJwtError::UnreferencedDisclosure))
    ));
}

#[test]
fn alg_none_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.issue();
    let (_, rest) = text.split_once('.').unwrap();
    for alg in ["none", "None", "HS256"] {
        let header = base64url::encode(json!({"alg": alg, "typ": TYPE}).to_string());
        let refused = scene.authenticate(&format!("{header}.{rest}"));
        assert!(
            matches!(refused, Err(SdJwtVcError::Jws(JwsError::Algorithm { .. }))),
            "{alg}"
        );
    }
}

#[test]
fn alg_of_another_key_is_refused() {
    let (scene, other) = (Scene::new(Algorithm::EdDsa), Scene::new(Algorithm::Es256));
    let text = scene.issue();
    let refused = Unverified::<SdJwtVc>::parse(&text)
        .unwrap()
        .authenticate(other.issuer.public_key(), ISSUER, NOW);
    assert!(matches!(refused, Err(SdJwtVcError::Jws(JwsError::WrongKey { .. }))));
}

#[test]
fn unknown_critical_header_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let payload = json!({"iss": ISSUER, "vct": VCT});
    let text = scene.signed(json!({"typ": TYPE, "crit": ["exp"], "exp": 1}), &payload);
    assert!(matches!(
        scene.authenticate(&format!("{text}~")),
        Err(SdJwtVcError::Jws(JwsError::Critical))
    ));
}

#[test]
fn wrong_type_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let payload = json!({"iss": ISSUER, "vct": VCT});
    for header in [
        json!({}),
        json!({"typ": "JWT"}),
        json!({"typ": "vc+sd-jwt"}),
        json!({"typ": "kb+jwt"}),
    ] {
        let text = scene.signed(header.clone(), &payload);
        let refused = scene.authenticate(&format!("{text}~"));
        assert!(
            matches!(refused, Err(SdJwtVcError::Jws(JwsError::WrongType { .. }))),
            "{header}"
        );
    }
}

#[test]
fn wrong_issuer_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.with("iss", json!("did:example:other")),
        Err(SdJwtVcError::WrongIssuer { .. })
    ));
    assert!(matches!(scene.with("iss", Value::Null), Err(SdJwtVcError::Claim(_))));
}

#[test]
fn type_claims_are_checked() {
    let scene = Scene::new(Algorithm::EdDsa);
    for (name, value) in [
        ("vct", Value::Null),
        ("vct", json!("")),
        ("vct", json!([VCT])),
        ("aka_vcts", json!([])),
        ("aka_vcts", json!([VCT])),
        ("aka_vcts", json!("urn:x")),
        ("aka_vcts", json!([1])),
        ("vct#integrity", json!(1)),
    ] {
        assert!(
            matches!(scene.with(name, value.clone()), Err(SdJwtVcError::Claim(_))),
            "{name}: {value}"
        );
    }
}

#[test]
fn validity_is_checked() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.with("exp", json!(NOW.unix())),
        Err(SdJwtVcError::Validity(_))
    ));
    assert!(scene.with("exp", json!(NOW.plus(1).unix())).is_ok());
    assert!(matches!(
        scene.with("nbf", json!(NOW.plus(61).unix())),
        Err(SdJwtVcError::Validity(_))
    ));
    assert!(matches!(
        scene.with("iat", json!(NOW.plus(61).unix())),
        Err(SdJwtVcError::IssuedInTheFuture { .. })
    ));
    for name in ["exp", "nbf", "iat"] {
        assert!(
            matches!(scene.with(name, json!("soon")), Err(SdJwtVcError::Claim(_))),
            "{name}"
        );
    }
}

#[test]
fn a_holder_key_that_we_cannot_check_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let good = scene.holder.public_key().to_jwk().to_value();
    assert!(scene.with("cnf", json!({"jwk": good})).is_ok());
    let mut private = good;
    private["d"] = json!("AAAA");
    for cnf in [
        json!({}),
        json!({"kid": "x"}),
        json!({"jwk": {"kty": "RSA"}}),
        json!({"jwk": private}),
        json!("x"),
    ] {
        assert!(
            matches!(scene.with("cnf", cnf.clone()), Err(SdJwtVcError::Claim(_))),
            "{cnf}"
        );
    }
}

#[test]
fn malformed_status_is_refused_and_unknown_mechanisms_are_told() {
    let scene = Scene::new(Algorithm::EdDsa);
    assert!(matches!(
        scene.with("status", json!({"status_list": {"idx": 1}})),
        Err(SdJwtVcError::Status(_))
    ));
    let authentic = scene.with("status", json!({"own": {}})).unwrap();
    assert_eq!(authentic.facts().unknown_status(), ["own"]);
    assert!(authentic.facts().status().is_empty());
}

#[test]
fn security_critical_claims_are_not_disclosable() {
    let scene = Scene::new(Algorithm::EdDsa);
    for name in NEVER_DISCLOSABLE {
        let disclosure = base64url::encode(json!(["salt", name, "x"]).to_string());
        let digest = HashAlgorithm::Sha256.digest(&disclosure);
        let mut payload = json!({"iss": ISSUER, "vct": VCT, "_sd": [digest.as_str()]});
        payload.as_object_mut().unwrap().remove(name);
        let text = scene.signed(json!({"typ": TYPE}), &payload);
        let refused = scene.authenticate(&format!("{text}~{disclosure}~")).unwrap_err();
        let expected = match name {
            // Found missing from the signed part even before disclosures are looked at.
            "iss" => SdJwtVcError::Claim(ClaimError::missing("iss", "a string")),
            name => SdJwtVcError::SdJwt(SdJwtError::CriticalClaim { name }),
        };
        assert_eq!(refused, expected);
    }
}

#[test]
fn an_issuer_cannot_make_critical_claims_disclosable_or_set_them_twice() {
    let scene = Scene::new(Algorithm::EdDsa);
    let issue = |claims: Value, disclosable: Value| {
        let Value::Object(claims) = claims else {
            panic!("an object")
        };
        let disclosable: Vec<ClaimPath> = serde_json::from_value(disclosable).unwrap();
        let credential = NewCredential {
            issuer: ISSUER,
            key_id: "#1",
            vct: VCT,
            type_integrity: None,
            other_types: &[],
            holder: None,
            issued_at: NOW,
            valid_from: None,
            valid_until: None,
            status: None,
            claims: &claims,
            disclosable: &disclosable,
            decoys: Decoys::None,
        };
        credential
            .issue(Algorithm::EdDsa, &mut signer::os_rng())
            .map(|request| scene.sign(request))
    };
    let text = issue(json!({"a": 1}), json!([["iat"], ["a"]])).unwrap();
    assert!(
        scene.authenticate(&text).unwrap().facts().issued_at().is_some(),
        "iat may be disclosed"
    );
    for name in NEVER_DISCLOSABLE {
        assert_eq!(
            issue(json!({}), json!([[name]])),
            Err(SdJwtError::CriticalClaim { name })
        );
        assert_eq!(issue(json!({ name: 1 }), json!([])), Err(SdJwtError::ClaimExists));
    }
}

#[test]
fn a_presentation_without_key_binding_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let authentic = scene
        .authenticate(&scene.hold().present(&[]).unwrap().into_unbound())
        .unwrap();
    assert_eq!(
        authentic.verify_key_binding(&transaction()).unwrap_err(),
        KeyBindingError::Missing
    );
}

#[test]
fn key_binding_to_another_choice_of_disclosures_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = scene.present(json!([["name"]]));
    assert!(
        scene
            .authenticate(&presented)
            .unwrap()
            .verify_key_binding(&transaction())
            .is_ok()
    );
    let (jwt, rest) = presented.split_once('~').unwrap();
    let (_, key_binding) = rest.rsplit_once('~').unwrap();
    let fewer = scene.authenticate(&format!("{jwt}~{key_binding}")).unwrap();
    assert_eq!(
        fewer.verify_key_binding(&transaction()).unwrap_err(),
        KeyBindingError::WrongSdHash
    );
}

#[test]
fn key_binding_by_another_holder_is_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let thief = Scene::new(Algorithm::EdDsa).holder;
    let request = scene.hold().present(&[]).unwrap().bind(VERIFIER, "n-1", NOW).unwrap();
    let presented = fulfil(&thief, request).unwrap();
    let refused = scene
        .authenticate(&presented)
        .unwrap()
        .verify_key_binding(&transaction());
    assert!(matches!(refused, Err(KeyBindingError::Jws(JwsError::Signature(_)))));
}

#[test]
fn a_bearer_credential_has_no_key_binding() {
    let scene = Scene::new(Algorithm::EdDsa);
    let bearer = scene.with("a", json!(1)).unwrap();
    assert_eq!(
        bearer
            .hold_issued()
            .unwrap()
            .present(&[])
            .unwrap()
            .bind("a", "n", NOW)
            .err(),
        Some(KeyBindingError::NoHolderKey)
    );
}

#[test]
fn a_holder_refuses_a_key_bound_credential() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = scene.present(json!([]));
    assert_eq!(
        scene.authenticate(&presented).unwrap().hold_issued().err(),
        Some(SdJwtVcError::KeyBound)
    );
}

#[test]
fn a_wallet_restores_what_it_stored_even_when_expired() {
    let scene = Scene::new(Algorithm::Es256);
    let held = scene.hold();
    let restore = |text: &str, key: &PublicKey, issuer: &str| Unverified::<SdJwtVc>::parse(text)?.restore(key, issuer);
    let key = scene.issuer.public_key();
    assert_eq!(restore(held.as_str(), key, ISSUER).unwrap().claims(), held.claims());
    assert!(restore(held.as_str(), scene.holder.public_key(), ISSUER).is_err());
    assert!(restore(held.as_str(), key, "did:example:other").is_err());
    let payload = json!({"iss": ISSUER, "vct": VCT, "exp": 1});
    let expired = format!("{}~", scene.signed(json!({"typ": TYPE}), &payload));
    assert!(scene.authenticate(&expired).is_err());
    assert!(restore(&expired, key, ISSUER).is_ok());
}

/// From issuing to key binding with every hash, in every way to write it down.
#[test]
fn every_hash_and_serialization_goes_all_the_way() {
    let scene = Scene::new(Algorithm::Es256);
    let paths: Vec<ClaimPath> = serde_json::from_value(json!([["address", "city"], ["nationalities", 1]])).unwrap();
    for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
        let issued = scene.issue_with(hash);
        let held = scene.authenticate(&issued).unwrap().hold_issued().unwrap();
        let request = held.present(&paths).unwrap().bind(VERIFIER, "n-1", NOW).unwrap();
        let presented = fulfil(&scene.holder, request).unwrap();
        let check = |parsed: Unverified<SdJwtVc>| {
            let authentic = parsed.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
            assert!(authentic.verify_key_binding(&transaction()).unwrap().is_proven());
            let claims = authentic.contents.into_claims();
            assert_eq!(claims["address"], json!({"city": "B", "country": "C"}));
            assert_eq!(claims["nationalities"], json!(["E"]));
        };
        check(Unverified::<SdJwtVc>::parse(&presented).unwrap());
        for serialization in [JsonSerialization::Flattened, JsonSerialization::General] {
            let json = to_json(&presented, serialization).unwrap();
            check(Unverified::<SdJwtVc>::parse_json(&json.to_string()).unwrap());
            let json = to_json(&issued, serialization).unwrap().to_string();
            assert!(matches!(
                Unverified::<SdJwtVc>::parse(&json),
                Err(SdJwtVcError::SdJwt(SdJwtError::Form))
            ));
            let parsed = Unverified::<SdJwtVc>::parse_json(&json).unwrap();
            let again = parsed.restore(scene.issuer.public_key(), ISSUER).unwrap();
            assert_eq!(again.as_str(), issued);
        }
    }
}

/// `sd_hash` covers the disclosures, so that one taken out or put in later is noticed.
#[test]
fn disclosures_changed_in_the_json_serialization_are_refused() {
    let scene = Scene::new(Algorithm::EdDsa);
    let presented = scene.present(json!([["name"], ["nationalities", 0]]));
    let mut json = to_json(&presented, JsonSerialization::Flattened).unwrap();
    let bound = |json: &Value| {
        let parsed = Unverified::<SdJwtVc>::parse_json(&json.to_string()).unwrap();
        let authentic = parsed.authenticate(scene.issuer.public_key(), ISSUER, NOW).unwrap();
        authentic.verify_key_binding(&transaction()).map(|_| ())
    };
    assert_eq!(bound(&json), Ok(()));
    json["header"]["disclosures"].as_array_mut().unwrap().pop();
    assert_eq!(bound(&json), Err(KeyBindingError::WrongSdHash));
}

/// Name, city and nationalities are disclosable in the scene's credential, the country is not.
#[test]
fn credentials_are_compared_with_the_metadata_of_their_type() {
    let scene = Scene::new(Algorithm::EdDsa);
    let held = scene.hold();
    let presented = scene.present(json!([["address", "city"], ["nationalities", 1]]));
    let presented = scene.authenticate(&presented).unwrap();
    let check = |claim: Value| {
        let document = json!({"vct": VCT, "claims": [claim]}).to_string();
        let metadata = ResolvedType::resolve(VCT, None, |_| Some(document.as_bytes())).unwrap();
        (
            held.check_type_metadata(&metadata),
            presented.check_type_metadata(&metadata),
        )
    };
    for fits in [
        json!({"path": ["name"], "sd": "always", "mandatory": true}),
        json!({"path": ["address", "country"], "sd": "never", "mandatory": true}),
        json!({"path": ["nationalities", null], "sd": "always", "mandatory": true}),
        json!({"path": ["nationalities", 1], "sd": "always"}),
        json!({"path": ["missing"], "sd": "never"}),
        json!({"path": ["vct"], "sd": "never", "mandatory": true}),
        json!({"path": ["open"]}),
    ] {
        assert_eq!(check(fits.clone()), (Ok(()), Ok(())), "{fits}");
    }
    for not_disclosable in [json!(["open"]), json!(["address", "country"]), json!(["vct"])] {
        let (holder, verifier) = check(json!({"path": not_disclosable, "sd": "always"}));
        assert!(
            matches!(holder, Err(TypeMismatch::NotDisclosable { .. })),
            "{not_disclosable}"
        );
        assert!(
            matches!(verifier, Err(TypeMismatch::NotDisclosable { .. })),
            "{not_disclosable}"
        );
    }
    // Elements that were not disclosed have a disclosure too.
    for disclosable in [
        json!(["address", "city"]),
        json!(["nationalities", 0]),
        json!(["nationalities", null]),
    ] {
        let (holder, verifier) = check(json!({"path": disclosable, "sd": "never"}));
        assert!(matches!(holder, Err(TypeMismatch::Disclosable { .. })), "{disclosable}");
        assert!(
            matches!(verifier, Err(TypeMismatch::Disclosable { .. })),
            "{disclosable}"
        );
    }
    // Whether it is in the credential, only the holder can know.
    let (holder, verifier) = check(json!({"path": ["missing"], "mandatory": true}));
    assert!(matches!(holder, Err(TypeMismatch::Mandatory { .. })));
    assert_eq!(verifier, Ok(()));
    let (holder, verifier) = check(json!({"path": ["open", "x"]}));
    assert!(matches!(holder, Err(TypeMismatch::Path { .. })));
    assert!(matches!(verifier, Err(TypeMismatch::Path { .. })));
    let other = ResolvedType::resolve("urn:other", None, |_| Some(br#"{"vct":"urn:other"}"#)).unwrap();
    assert!(matches!(
        held.check_type_metadata(&other),
        Err(TypeMismatch::WrongType { .. })
    ));
}

/// Where the signed part leaves nothing open, a verifier sees that a mandatory claim is missing.
#[test]
fn a_missing_mandatory_claim_is_refused_where_nothing_is_hidden() {
    let scene = Scene::new(Algorithm::EdDsa);
    let text = scene.signed(json!({"typ": TYPE}), &json!({"iss": ISSUER, "vct": VCT}));
    let authentic = scene.authenticate(&format!("{text}~")).unwrap();
    let document = json!({"vct": VCT, "claims": [{"path": ["name"], "mandatory": true}]}).to_string();
    let metadata = ResolvedType::resolve(VCT, None, |_| Some(document.as_bytes())).unwrap();
    assert!(matches!(
        authentic.check_type_metadata(&metadata),
        Err(TypeMismatch::Mandatory { .. })
    ));
}
