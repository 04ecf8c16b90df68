//! W3C credentials: received, shown and presented whole, by their own rules.

use credential::LdpVc;
use credential::Transaction;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity;
use credential::data_integrity::BaseProofOptions;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
use credential::vc::DataModelVersion;
use credential::vc_jwt;
use jsonld::ContextLoader;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::proof::ProofKey;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::DAY;
use super::ISSUER;
use super::NOW;
use super::Scene;
use super::object;
use crate::Contexts;
use crate::CredentialRecord;
use crate::Expected;
use crate::Holdings;
use crate::PresentationStep;
use crate::Proposal;
use crate::ProposalError;
use crate::ReceiveError;
use crate::Received;
use crate::issuer_key_url;
use crate::key_algorithms;
use crate::proof_key;

const CONTEXT: &str = "https://types.example/identity";
const CLIENT: &str = "decentralized_identifier:did:example:verifier";

/// The two formats.
const FORMATS: [&str; 2] = ["jwt_vc_json", "ldp_vc"];

fn contexts() -> Contexts {
    let mut contexts = Contexts::default();
    contexts.add(
        CONTEXT.to_owned(),
        json!({"@context": {
            "Identity": "https://types.example/vocab#Identity",
            "age_over_18": "https://types.example/vocab#age_over_18",
            "family_name": "https://types.example/vocab#family_name",
        }}),
    );
    contexts
}

fn configuration(format: &str, methods: &[&str]) -> CredentialConfiguration {
    serde_json::from_value(json!({
        "format": format,
        "credential_definition": {"type": ["VerifiableCredential", "Identity"], "@context": [CONTEXT]},
        "cryptographic_binding_methods_supported": methods,
        "proof_types_supported": {"jwt": {"proof_signing_alg_values_supported": ["ES256", "EdDSA"]}},
        "credential_metadata": {"claims": [
            {"path": ["credentialSubject", "age_over_18"], "display": [{"name": "Adult", "locale": "en"}]},
        ]},
    }))
    .unwrap()
}

fn document(holder: &str) -> Map<String, Value> {
    object(json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT],
        "type": ["VerifiableCredential", "Identity"],
        "issuer": {"id": ISSUER, "name": "Population Office"},
        "validFrom": NOW.minus(DAY).to_rfc3339(),
        "validUntil": NOW.plus(DAY).to_rfc3339(),
        "credentialSubject": {"id": holder, "age_over_18": true, "family_name": "Doe"},
    }))
}

/// What an issuer delivers for a subject.
fn issue(scene: &Scene, format: &str, document: Map<String, Value>) -> Value {
    let method = format!("{ISSUER}#key-1");
    if format == "jwt_vc_json" {
        let signing = vc_jwt::issue(&document, &method, Algorithm::EdDsa).unwrap();
        return scene.issuer.fulfil(signing).unwrap().into();
    }
    let options = ProofOptions {
        cryptosuite: Cryptosuite::EddsaRdfc2022,
        algorithm: Algorithm::EdDsa,
        verification_method: &method,
        created: Some(NOW.minus(60)),
        expires: None,
    };
    let signing = data_integrity::issue(document, &options, &loader()).unwrap();
    scene.issuer.fulfil(signing).unwrap().into()
}

fn loader() -> ContextLoader {
    contexts().loader()
}

fn check(credential: &Value, format: &str, issuer: &PublicKey, holder: &PublicKey) -> Result<Received, ReceiveError> {
    let expected = Expected {
        configuration: &configuration(format, &["did:key"]),
        holder_key: holder,
        issuer_key: issuer,
        contexts: &contexts(),
        now: NOW,
    };
    Received::check(credential, &expected)
}

/// A wallet's Ed25519 key, and its DID.
fn holder() -> (SoftwareKey, String) {
    let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    let did = did::methods::key::did(key.public_key());
    (key, did)
}

fn record(scene: &Scene, format: &str, received: Received) -> CredentialRecord {
    CredentialRecord {
        id: "a1".to_owned(),
        format: received.format,
        text: received.text,
        issuer: received.issuer,
        issuer_key: scene.issuer.public_key().to_jwk(),
        issuer_name: None,
        holder_key: "keys/a1".to_owned(),
        received_at: NOW,
        metadata: configuration(format, &[]).credential_metadata.unwrap(),
        contexts: contexts(),
    }
}

fn query(format: &str, bound: bool) -> Value {
    json!({"credentials": [{
        "id": "id", "format": format, "require_cryptographic_holder_binding": bound,
        "meta": {"type_values": [["https://types.example/vocab#Identity"]]},
        "claims": [{"path": ["credentialSubject", "age_over_18"], "values": [true]}],
    }]})
}

#[test]
fn what_was_offered_is_kept_and_read_again() {
    let scene = Scene::new();
    let (key, did) = holder();
    for format in FORMATS {
        let credential = issue(&scene, format, document(&did));
        let configuration = configuration(format, &["did:key"]);
        assert_eq!(
            issuer_key_url(&credential, &configuration).unwrap(),
            format!("{ISSUER}#key-1")
        );
        assert_eq!(Contexts::needed(&credential, &configuration).unwrap(), [CONTEXT]);
        let received = check(&credential, format, scene.issuer.public_key(), key.public_key()).unwrap();
        assert_eq!((received.format.as_str(), received.issuer.as_str()), (format, ISSUER));
        let record = record(&scene, format, received);
        // Through the form in which it is stored.
        let stored: CredentialRecord = serde_json::from_slice(&serde_json::to_vec(&record).unwrap()).unwrap();
        let held = stored.open().unwrap();
        let types = [
            "https://www.w3.org/2018/credentials#VerifiableCredential",
            "https://types.example/vocab#Identity",
        ];
        let mut found = held.query_types().to_vec();
        found.sort_by_key(|iri| !iri.contains("w3.org"));
        assert_eq!(found, types, "{format}");
        let shown: Vec<(String, String)> = held
            .shown_claims(&stored)
            .iter()
            .map(|claim| (claim.label.clone(), claim.value_text()))
            .collect();
        let expected = [("Adult", "true"), ("family_name", "Doe")];
        assert_eq!(
            shown,
            expected.map(|(label, value)| (label.to_owned(), value.to_owned()))
        );
    }
}

#[test]
fn anything_else_is_not() {
    let scene = Scene::new();
    let (key, did) = holder();
    let (other_key, other_did) = holder();
    let (issuer, own) = (scene.issuer.public_key(), key.public_key());
    for format in FORMATS {
        let good = issue(&scene, format, document(&did));
        assert!(check(&good, format, issuer, own).is_ok());
        let by_another = check(&good, format, other_key.public_key(), own).unwrap_err();
        assert!(
            matches!(by_another, ReceiveError::VcJwt(_) | ReceiveError::LdpVc(_)),
            "{by_another}"
        );
        let to_another = check(&issue(&scene, format, document(&other_did)), format, issuer, own).unwrap_err();
        assert!(matches!(to_another, ReceiveError::Binding), "{to_another}");
        let mut bearer = document(&did);
        bearer["credentialSubject"].as_object_mut().unwrap().remove("id");
        let to_nobody = check(&issue(&scene, format, bearer), format, issuer, own).unwrap_err();
        assert!(matches!(to_nobody, ReceiveError::Binding), "{to_nobody}");
        let mut untyped = document(&did);
        untyped.insert("type".to_owned(), json!(["VerifiableCredential"]));
        let other_type = check(&issue(&scene, format, untyped), format, issuer, own).unwrap_err();
        assert!(matches!(other_type, ReceiveError::Type), "{other_type}");
        let mut expired = document(&did);
        expired.insert("validUntil".to_owned(), NOW.to_rfc3339().into());
        let expired = check(&issue(&scene, format, expired), format, issuer, own).unwrap_err();
        assert!(
            matches!(expired, ReceiveError::VcJwt(_) | ReceiveError::LdpVc(_)),
            "{expired}"
        );
        // The other format's form.
        let swapped = if good.is_string() { json!({}) } else { json!("a.b.c") };
        let other_form = check(&swapped, format, issuer, own).unwrap_err();
        assert!(matches!(other_form, ReceiveError::Format), "{other_form}");
    }
}

#[test]
fn a_proof_is_not_checked_without_its_contexts() {
    let scene = Scene::new();
    let (key, did) = holder();
    let credential = issue(&scene, "ldp_vc", document(&did));
    let expected = Expected {
        configuration: &configuration("ldp_vc", &["did:key"]),
        holder_key: key.public_key(),
        issuer_key: scene.issuer.public_key(),
        contexts: &Contexts::default(),
        now: NOW,
    };
    let error = Received::check(&credential, &expected).unwrap_err();
    assert!(matches!(error, ReceiveError::LdpVc(_)), "{error}");
}

#[test]
fn a_jwt_without_its_contexts_answers_no_query_for_its_type() {
    let scene = Scene::new();
    let (key, did) = holder();
    let credential = issue(&scene, "jwt_vc_json", document(&did));
    let received = check(&credential, "jwt_vc_json", scene.issuer.public_key(), key.public_key()).unwrap();
    let known = record(&scene, "jwt_vc_json", received);
    let unknown = CredentialRecord {
        contexts: Contexts::default(),
        ..known.clone()
    };
    let request = scene.ask_query(&query("jwt_vc_json", true));
    assert!(
        Holdings::open(vec![known])
            .unwrap()
            .propose(&request, &[], NOW, &mut signer::os_rng())
            .is_ok()
    );
    let holdings = Holdings::open(vec![unknown]).unwrap();
    let error = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap_err();
    assert!(matches!(error, ProposalError::Lacking { .. }), "{error}");
}

#[test]
fn the_person_is_told_that_all_of_it_leaves_and_signs_for_this_verifier() {
    let scene = Scene::new();
    let (key, did) = holder();
    for format in FORMATS {
        let credential = issue(&scene, format, document(&did));
        let received = check(&credential, format, scene.issuer.public_key(), key.public_key()).unwrap();
        let holdings = Holdings::open(vec![record(&scene, format, received)]).unwrap();
        let request = scene.ask_query(&query(format, true));
        let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
        let disclosed = proposal.credentials()[0].disclosed();
        let shown: Vec<(&str, bool)> = disclosed
            .iter()
            .map(|one| (one.claim.label.as_str(), one.requested))
            .collect();
        assert_eq!(shown, [("Adult", true), ("family_name", false)], "{format}");
        let mut unsigned = proposal.present(NOW, &mut signer::os_rng()).unwrap();
        let PresentationStep::Sign { holder_key, signing } = unsigned.remove(0).step else {
            panic!("to be signed")
        };
        assert_eq!(holder_key, "keys/a1");
        let presentation = key.fulfil(signing).unwrap();
        let transaction = Transaction {
            audience: CLIENT,
            nonce: &request.request().nonce,
            now: NOW,
            max_age: 60,
        };
        verify(&scene, &presentation, &key, &did, &transaction);
    }
}

/// What a verifier does, as far as it is about the holder.
fn verify(scene: &Scene, presentation: &Value, key: &SoftwareKey, did: &str, transaction: &Transaction<'_>) {
    let issuer = scene.issuer.public_key();
    match presentation {
        Value::String(text) => {
            let unverified = vc_jwt::UnverifiedPresentation::parse(text).unwrap();
            let received = unverified.authenticate(key.public_key(), did, transaction).unwrap();
            let [credential] = received.credentials.try_into().unwrap();
            let credential = credential.into_jwt().unwrap();
            let authentic = credential.authenticate(issuer, ISSUER, NOW).unwrap();
            assert!(authentic.verify_presenter(&received.presenter).unwrap().is_proven());
        }
        Value::Object(object) => {
            let unverified = data_integrity::UnverifiedPresentation::from_object(object).unwrap();
            let received = unverified
                .authenticate(key.public_key(), did, transaction, &loader())
                .unwrap();
            let [credential] = received.credentials.try_into().unwrap();
            let authentic = credential.authenticate(issuer, ISSUER, &loader(), NOW).unwrap();
            assert!(authentic.verify_presenter(&received.presenter).unwrap().is_proven());
        }
        other => panic!("expected a presentation, found {other}"),
    }
}

const SELECTIVE: [Cryptosuite; 2] = [Cryptosuite::EcdsaSd2023, Cryptosuite::Bbs2023];

/// With a base proof, which a verifier must never see.
fn issue_selective(scene: &Scene, suite: Cryptosuite, document: Map<String, Value>) -> Value {
    let options = BaseProofOptions {
        cryptosuite: suite,
        key: scene.issuer.public_key(),
        verification_method: &format!("{ISSUER}#key-1"),
        created: Some(NOW.minus(60)),
        expires: None,
        mandatory: &[],
        data_model: DataModelVersion::V2_0,
    };
    let signing = data_integrity::issue_selective(document, &options, &loader(), &mut signer::os_rng());
    scene.issuer.fulfil(signing.unwrap()).unwrap().into()
}

/// A wallet with such a credential, its holder's key and DID.
fn selective_wallet(scene: &mut Scene, suite: Cryptosuite) -> (Holdings, SoftwareKey, String) {
    scene.issuer = SoftwareKey::generate(suite.algorithms()[0], &mut signer::os_rng());
    let (key, did) = holder();
    let credential = issue_selective(scene, suite, document(&did));
    let received = check(&credential, "ldp_vc", scene.issuer.public_key(), key.public_key()).unwrap();
    let holdings = Holdings::open(vec![record(scene, "ldp_vc", received)]).unwrap();
    (holdings, key, did)
}

fn shown<'a>(proposal: &'a Proposal<'_>) -> Vec<(&'a str, bool)> {
    let disclosed = proposal.credentials()[0].disclosed().iter();
    disclosed.map(|one| (one.claim.label.as_str(), one.requested)).collect()
}

#[test]
fn of_a_credential_with_selective_disclosure_only_what_is_asked_for_leaves() {
    for suite in SELECTIVE {
        let mut scene = Scene::new();
        let (holdings, key, did) = selective_wallet(&mut scene, suite);
        for bound in [true, false] {
            let request = scene.ask_query(&query("ldp_vc", bound));
            let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
            assert_eq!(shown(&proposal), [("Adult", true)]);
            let transaction = Transaction {
                audience: CLIENT,
                nonce: &request.request().nonce,
                now: NOW,
                max_age: 60,
            };
            let presented = match proposal.present(NOW, &mut signer::os_rng()).unwrap().remove(0).step {
                PresentationStep::Ready(bare) => bare,
                PresentationStep::Sign { signing, .. } => {
                    let presentation = key.fulfil(signing).unwrap();
                    verify(&scene, &presentation, &key, &did, &transaction);
                    presentation["verifiableCredential"][0].clone()
                }
            };
            let subject = json!({"id": did, "age_over_18": true});
            assert_eq!(presented["credentialSubject"], subject);
            let presented = Unverified::<LdpVc>::from_object(presented.as_object().unwrap()).unwrap();
            let issuer = scene.issuer.public_key();
            assert!(presented.authenticate(issuer, ISSUER, &loader(), NOW).is_ok());
        }
    }
}

/// The first set that the wallet can serve, and not every claim that is named.
#[test]
fn of_several_sets_of_claims_one_leaves() {
    for suite in SELECTIVE {
        let mut scene = Scene::new();
        let (holdings, ..) = selective_wallet(&mut scene, suite);
        let mut query = query("ldp_vc", true);
        let claim = |id: &str, name: &str| json!({"id": id, "path": ["credentialSubject", name]});
        query["credentials"][0]["claims"] = json!([
            claim("height", "height"),
            claim("name", "family_name"),
            claim("adult", "age_over_18")
        ]);
        query["credentials"][0]["claim_sets"] = json!([["height"], ["adult"], ["name"]]);
        let request = scene.ask_query(&query);
        let proposal = holdings.propose(&request, &[], NOW, &mut signer::os_rng()).unwrap();
        assert_eq!(shown(&proposal), [("Adult", true)], "{suite:?}");
    }
}

#[test]
fn another_cryptosuite_than_the_offer_s_is_not_kept() {
    let (key, did) = holder();
    let mut scene = Scene::new();
    let offered = |suites: Value| {
        let mut configuration = configuration("ldp_vc", &["did:key"]);
        configuration.credential_signing_alg_values_supported = suites.as_array().unwrap().clone();
        configuration
    };
    let received = |scene: &Scene, credential: &Value, suites: Value| {
        let expected = Expected {
            configuration: &offered(suites),
            holder_key: key.public_key(),
            issuer_key: scene.issuer.public_key(),
            contexts: &contexts(),
            now: NOW,
        };
        Received::check(credential, &expected).map(drop)
    };
    let whole = issue(&scene, "ldp_vc", document(&did));
    assert!(received(&scene, &whole, json!(["eddsa-rdfc-2022"])).is_ok());
    assert!(received(&scene, &whole, json!([])).is_ok());
    // That we do not know the one that was offered is no reason to take another.
    assert!(received(&scene, &whole, json!(["Ed25519Signature2020"])).is_err());
    for suite in SELECTIVE {
        let refused = received(&scene, &whole, json!([suite.as_str()])).unwrap_err();
        let found = Cryptosuite::EddsaRdfc2022;
        assert!(matches!(refused, ReceiveError::Suite { found: other } if other == found));
    }
    for suite in SELECTIVE {
        scene.issuer = SoftwareKey::generate(suite.algorithms()[0], &mut signer::os_rng());
        let base = issue_selective(&scene, suite, document(&did));
        assert!(received(&scene, &base, json!([suite.as_str()])).is_ok());
        assert!(received(&scene, &base, json!(["eddsa-rdfc-2022"])).is_err());
    }
}

#[test]
fn where_no_holder_binding_is_asked_for_the_bare_credential_goes() {
    let scene = Scene::new();
    let (key, did) = holder();
    for format in FORMATS {
        let credential = issue(&scene, format, document(&did));
        let received = check(&credential, format, scene.issuer.public_key(), key.public_key()).unwrap();
        let holdings = Holdings::open(vec![record(&scene, format, received)]).unwrap();
        let request = scene.ask_query(&query(format, false));
        let mut unsigned = holdings
            .propose(&request, &[], NOW, &mut signer::os_rng())
            .unwrap()
            .present(NOW, &mut signer::os_rng())
            .unwrap();
        let PresentationStep::Ready(bare) = unsigned.remove(0).step else {
            panic!("nothing to sign")
        };
        assert_eq!(bare, credential, "{format}");
    }
}

#[test]
fn the_proof_names_a_did_that_the_issuer_binds_to() {
    let (key, did) = holder();
    let key = key.public_key();
    for format in FORMATS {
        let by_key = proof_key(&configuration(format, &["jwk", "did:jwk", "did:key"]), key).unwrap();
        assert!(matches!(&by_key, ProofKey::DidUrl { url, .. } if url.starts_with(&format!("{did}#"))));
        let by_jwk = proof_key(&configuration(format, &["did:jwk"]), key).unwrap();
        assert!(matches!(&by_jwk, ProofKey::DidUrl { url, .. } if url.starts_with("did:jwk:") && url.ends_with("#0")));
        let neither = proof_key(&configuration(format, &["jwk", "did:web"]), key);
        assert!(matches!(neither, Err(ReceiveError::KeyNaming)));
    }
    // More verifiers read the Data Integrity proofs of Ed25519.
    assert_eq!(
        key_algorithms(&configuration("ldp_vc", &[])),
        [Algorithm::EdDsa, Algorithm::Es256]
    );
    assert_eq!(
        key_algorithms(&configuration("jwt_vc_json", &[])),
        [Algorithm::Es256, Algorithm::EdDsa]
    );
}

#[test]
fn a_holder_with_a_did_jwk_can_present() {
    let scene = Scene::new();
    let key = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
    let did = did::methods::jwk::did(key.public_key());
    let credential = issue(&scene, "jwt_vc_json", document(&did));
    let received = check(&credential, "jwt_vc_json", scene.issuer.public_key(), key.public_key()).unwrap();
    let holdings = Holdings::open(vec![record(&scene, "jwt_vc_json", received)]).unwrap();
    let request = scene.ask_query(&query("jwt_vc_json", true));
    let mut unsigned = holdings
        .propose(&request, &[], NOW, &mut signer::os_rng())
        .unwrap()
        .present(NOW, &mut signer::os_rng())
        .unwrap();
    let PresentationStep::Sign { signing, .. } = unsigned.remove(0).step else {
        panic!("to be signed")
    };
    let Value::String(text) = key.fulfil(signing).unwrap() else {
        panic!("a JWT")
    };
    let presentation = vc_jwt::UnverifiedPresentation::parse(&text).unwrap();
    assert_eq!(presentation.verification_method().unwrap(), format!("{did}#0"));
    assert!(Unverified::<VcJwt>::parse(credential.as_str().unwrap()).is_ok());
}

#[test]
fn damaged_records_are_errors() {
    let scene = Scene::new();
    let (key, did) = holder();
    for format in FORMATS {
        let credential = issue(&scene, format, document(&did));
        let received = check(&credential, format, scene.issuer.public_key(), key.public_key()).unwrap();
        let good = record(&scene, format, received);
        assert!(good.open().is_ok());
        let other_issuer = CredentialRecord {
            issuer: "did:example:other".to_owned(),
            ..good.clone()
        };
        assert!(other_issuer.open().is_err(), "{format}");
        let other_key = CredentialRecord {
            issuer_key: key.public_key().to_jwk(),
            ..good
        };
        assert!(other_key.open().is_err(), "{format}");
    }
}
