//! Each check of an mdoc fails alone, after the genuine one has passed.

use keys::Algorithm;
use keys::Signer as _;
use keys::SigningRequest;
use keys::cbor;
use keys::cose;
use keys::cose::AgreementKey;
use keys::cose::HeaderMap;
use keys::signing::fulfil;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Role;
use keys::x509::verify_path;
use serde_json::json;
use signer::SoftwareKey;

use super::mso::DigestAlgorithm;
use super::*;
use crate::ClaimPath;
use crate::status_list::StatusReference;

const ISSUER: &str = "did:example:agency";
const KEY_ID: &str = "did:example:agency#ds-1";
const DOC_TYPE: &str = "org.iso.18013.5.1.mDL";
const LIST: &str = "https://agency.example/status/1";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);
const DAY: i64 = 86_400;

struct Scene {
    iaca: SoftwareKey,
    signer: SoftwareKey,
    device: SoftwareKey,
}

fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng())
}

fn sign<T>(key: &SoftwareKey, request: SigningRequest<T>) -> T {
    fulfil(key, request).unwrap()
}

fn transcript() -> SessionTranscript {
    SessionTranscript::openid4vp("x509_hash:abc", "n-1", None, "https://verifier.example/response")
}

fn paths(paths: &Value) -> Vec<ClaimPath> {
    serde_json::from_value(paths.clone()).unwrap()
}

impl Scene {
    fn new() -> Self {
        Self {
            iaca: key(),
            signer: key(),
            device: key(),
        }
    }

    fn iaca(&self) -> Certificate {
        let certificate = self.certificate(Role::Iaca, self.iaca.public_key(), 1000);
        Certificate::from_der(&certificate).unwrap()
    }

    fn certificate(&self, role: Role, key: &PublicKey, days: i64) -> Vec<u8> {
        let name = |common_name| Name {
            country: "UT",
            common_name,
        };
        let new = NewCertificate {
            subject: name(if role == Role::Iaca { "IACA" } else { "DS" }),
            key,
            issuer: name("IACA"),
            issuer_key: self.iaca.public_key(),
            role,
            valid_from: NOW.minus(days / 4 * DAY),
            valid_until: NOW.plus(days / 2 * DAY),
            issuer_url: "https://agency.example",
            revocation_list_url: "https://agency.example/crl",
            subject_uri: Some(ISSUER),
        };
        sign(&self.iaca, new.issue(&mut signer::os_rng()))
    }

    fn chain(&self) -> Vec<Vec<u8>> {
        vec![self.certificate(Role::DocumentSigner, self.signer.public_key(), 400)]
    }

    fn path(&self, chain: &[Vec<u8>]) -> CertificatePath {
        verify_path(chain, &[self.iaca()], Purpose::MdocDocumentSigner, NOW).unwrap()
    }

    fn issue(&self, change: impl FnOnce(&mut NewMdoc<'_>)) -> String {
        let chain = self.chain();
        let status = StatusReference::token_status_list(LIST.to_owned(), 7);
        let mut new = NewMdoc {
            key_id: KEY_ID,
            certificates: &chain,
            doc_type: DOC_TYPE,
            digest_algorithm: DigestAlgorithm::Sha256,
            device_key: self.device.public_key(),
            signed: NOW.minus(60),
            valid_from: NOW.minus(60),
            valid_until: NOW.plus(DAY),
            status: Some(&status),
            namespaces: &[
                (
                    MDL_NAMESPACE,
                    vec![
                        ("family_name", cbor::Value::text("Doe")),
                        ("birth_date", full_date("1990-01-31")),
                        ("portrait", cbor::Value::bytes([0xff, 0xd8, 0xff])),
                        ("age_over_18", cbor::Value::Bool(true)),
                        ("issuing_country", cbor::Value::text("UT")),
                    ],
                ),
                ("org.example.utopia", vec![("points", cbor::Value::from(-3_i64))]),
            ],
        };
        change(&mut new);
        sign(&self.signer, new.issue(Algorithm::Es256, &mut signer::os_rng()))
    }

    fn authenticate(&self, text: &str) -> Result<Authentic<Mdoc>, MdocError> {
        Unverified::<Mdoc>::parse(text)?.authenticate(self.signer.public_key(), ISSUER, NOW)
    }

    fn held(&self) -> Held<Mdoc> {
        self.authenticate(&self.issue(|_| {})).unwrap().hold_issued().unwrap()
    }

    fn present(&self, chosen: &Value, transcript: &SessionTranscript) -> Vec<u8> {
        let presentation = self.held().present(&paths(chosen)).unwrap();
        sign(&self.device, presentation.sign(transcript))
    }

    /// Authenticates the only document of a response.
    fn receive(&self, document: Vec<u8>) -> Result<Authentic<Mdoc>, MdocError> {
        let mut documents = parse_device_response(&device_response(&[document]))?;
        documents.remove(0).authenticate(self.signer.public_key(), ISSUER, NOW)
    }
}

fn changed(text: &str, from: &[u8], to: &[u8]) -> String {
    base64url::encode(changed_bytes(&base64url::decode(text).unwrap(), from, to))
}

fn changed_bytes(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
    [&bytes[..at], to, &bytes[at + to.len()..]].concat()
}

#[test]
fn an_issued_mdoc_is_held_and_read() {
    let scene = Scene::new();
    let text = scene.issue(|_| {});
    let authentic = scene.authenticate(&text).unwrap();
    let facts = authentic.facts();
    assert_eq!((facts.issuer(), facts.types()), (ISSUER, &[DOC_TYPE.to_owned()][..]));
    assert_eq!(facts.format(), CredentialFormat::MsoMdoc);
    assert_eq!(facts.holder(), Some(&HolderKey::Key(scene.device.public_key().clone())));
    assert_eq!(facts.key_id(), Some(KEY_ID));
    assert_eq!(facts.status(), [StatusReference::token_status_list(LIST.to_owned(), 7)]);
    assert_eq!(
        (facts.issued_at(), facts.valid_until()),
        (Some(NOW.minus(60)), Some(NOW.plus(DAY)))
    );
    let held = authentic.hold_issued().unwrap();
    assert_eq!(
        Value::Object(held.claims().clone()),
        json!({MDL_NAMESPACE: {"family_name": "Doe", "birth_date": "1990-01-31", "portrait": "_9j_",
            "age_over_18": true, "issuing_country": "UT"}, "org.example.utopia": {"points": -3}})
    );
    assert_eq!(held.as_str(), text);
    let restored = Unverified::<Mdoc>::parse(held.as_str()).unwrap();
    assert!(restored.restore(scene.signer.public_key(), ISSUER).is_ok());
}

#[test]
fn every_digest_algorithm_is_read() {
    let scene = Scene::new();
    for algorithm in [
        DigestAlgorithm::Sha256,
        DigestAlgorithm::Sha384,
        DigestAlgorithm::Sha512,
    ] {
        let text = scene.issue(|new| new.digest_algorithm = algorithm);
        assert!(scene.authenticate(&text).is_ok(), "{algorithm:?}");
    }
}

#[test]
fn only_chosen_elements_are_presented_to_one_session() {
    let scene = Scene::new();
    let chosen = json!([[MDL_NAMESPACE, "age_over_18"], ["org.example.utopia", "points"]]);
    let document = scene.present(&chosen, &transcript());
    let authentic = scene.receive(document).unwrap();
    let binding = authentic.verify_device_signature(&transcript()).unwrap();
    assert!(binding.is_proven());
    assert_eq!(
        Value::Object(authentic.contents.claims.clone()),
        json!({MDL_NAMESPACE: {"age_over_18": true}, "org.example.utopia": {"points": -3}})
    );
    let nothing = scene.receive(scene.present(&json!([]), &transcript())).unwrap();
    assert!(nothing.contents.claims.is_empty());
}

#[test]
fn paths_that_are_no_element_disclose_nothing() {
    let held = Scene::new().held();
    assert_eq!(held.disclosable_paths().len(), 6);
    for bad in [
        json!([[MDL_NAMESPACE, "missing"]]),
        json!([["org.example.utopia", "family_name"]]),
        json!([[MDL_NAMESPACE]]),
        json!([[MDL_NAMESPACE, "age_over_18", "deeper"]]),
        json!([[MDL_NAMESPACE, null]]),
    ] {
        assert!(matches!(held.present(&paths(&bad)), Err(MdocError::Selection)), "{bad}");
    }
    // Asked for twice is asked for.
    let twice = json!([[MDL_NAMESPACE, "portrait"], [MDL_NAMESPACE, "portrait"]]);
    assert!(held.present(&paths(&twice)).is_ok());
}

/// What is written piece by piece has sorted keys and no longer heads, also inside of its byte strings.
#[test]
fn what_is_issued_is_deterministic() {
    let scene = Scene::new();
    for text in [scene.issue(|_| {}), scene.issue(|new| new.namespaces = &[])] {
        let issued = cbor::decode(&base64url::decode(&text).unwrap(), LIMITS).unwrap();
        let strict = |encoded: &cbor::Value| cbor::decode(encoded.as_encoded().unwrap(), LIMITS).unwrap();
        let namespaces = issued
            .get("nameSpaces")
            .and_then(cbor::Value::as_map)
            .unwrap_or_default();
        let items = namespaces.iter().flat_map(|(_, items)| items.as_array().unwrap());
        let items: Vec<cbor::Value> = items.map(strict).collect();
        assert_eq!(items.len(), if namespaces.is_empty() { 0 } else { 6 });
        let payload = issued.get("issuerAuth").unwrap().as_array().unwrap()[2]
            .as_bytes()
            .unwrap();
        let mso = strict(&cbor::decode(payload, LIMITS).unwrap());
        assert_eq!(
            mso.get("valueDigests").unwrap().as_map().unwrap().len(),
            namespaces.len()
        );
    }
}

#[test]
fn a_changed_element_is_refused() {
    let scene = Scene::new();
    let text = scene.issue(|_| {});
    assert!(scene.authenticate(&text).is_ok());
    assert!(matches!(
        scene.authenticate(&changed(&text, b"Doe", b"Roe")),
        Err(MdocError::Digest { .. })
    ));
}

#[test]
fn an_element_under_the_digest_of_another_or_of_none_is_refused() {
    let scene = Scene::new();
    let text = scene.issue(|new| new.namespaces = vec![("n", vec![("a", cbor::Value::from(0_u64))])].leak());
    let bytes = base64url::decode(&text).unwrap();
    let (issuer_signed, _) = IssuerSigned::parse(&bytes).unwrap();
    let refused = |namespace: &str, items: &[&[u8]]| {
        let name_spaces = cbor::map_of_encoded(&[(namespace, &cbor::array_of_encoded(items))]);
        let forged = base64url::encode(issue::encode(Some(&name_spaces), &issuer_signed.issuer_auth));
        scene.authenticate(&forged).map(drop)
    };
    let own = issuer_signed.namespaces[0].1[0].encoded.as_slice();
    assert_eq!(refused("n", &[own]), Ok(()));
    let digest = |namespace: &str, digest_id| {
        Err(MdocError::Digest {
            namespace: namespace.to_owned(),
            digest_id,
        })
    };
    // The namespace has no digests, the identifier has none, and the identifier has another's.
    assert_eq!(refused("m", &[own]), digest("m", 0));
    for id in [0, 1] {
        let mut forged = cbor::Writer::new();
        issue::write_item(&mut forged, id, &[0; 32], "a", &cbor::Value::from(0_u64));
        let forged = cbor::tag_24(forged.into_bytes()).to_vec();
        assert_eq!(refused("n", &[&forged]), digest("n", id));
    }
    assert_eq!(
        refused("n", &[own, own]),
        Err(MdocError::Form {
            member: "elementIdentifier",
            expected: "an identifier that comes once"
        })
    );
}

#[test]
fn the_issuers_key_signed_it_and_no_other() {
    let scene = Scene::new();
    let text = scene.issue(|_| {});
    let with = |key: &PublicKey, issuer: &str| {
        Unverified::<Mdoc>::parse(&text)
            .unwrap()
            .authenticate(key, issuer, NOW)
            .map(drop)
    };
    assert_eq!(with(scene.signer.public_key(), ISSUER), Ok(()));
    assert!(matches!(
        with(key().public_key(), ISSUER),
        Err(MdocError::Cose(CoseError::Signature(_)))
    ));
    assert_eq!(
        with(scene.signer.public_key(), "did:example:other"),
        Err(MdocError::KeyId)
    );
    for key_id in [
        "ds-1",
        "did:example:agency",
        "did:example:agency#a#b",
        "did:example:agency/x#a",
    ] {
        let text = scene.issue(|new| new.key_id = key_id);
        let refused = scene.authenticate(&text).map(drop);
        assert_eq!(refused, Err(MdocError::KeyId), "{key_id}");
    }
    // An element of the mobile security object.
    assert!(matches!(
        scene.authenticate(&changed(&text, b"status/1", b"status/2")),
        Err(MdocError::Cose(CoseError::Signature(_)))
    ));
}

#[test]
fn expired_future_and_upside_down_validity_is_refused() {
    let scene = Scene::new();
    let with = |signed, valid_from, valid_until| {
        let text = scene.issue(|new| {
            (new.signed, new.valid_from, new.valid_until) = (signed, valid_from, valid_until);
        });
        scene.authenticate(&text).map(drop)
    };
    assert_eq!(with(NOW.minus(9), NOW.minus(9), NOW.plus(9)), Ok(()));
    assert!(matches!(
        with(NOW.minus(9), NOW.minus(9), NOW),
        Err(MdocError::Validity(ValidityError::Expired { .. }))
    ));
    assert!(matches!(
        with(NOW.minus(9), NOW.plus(100), NOW.plus(900)),
        Err(MdocError::Validity(ValidityError::NotYetValid { .. }))
    ));
    assert!(matches!(
        with(NOW, NOW.minus(9), NOW.plus(9)),
        Err(MdocError::Form {
            member: "validityInfo",
            ..
        })
    ));
}

#[test]
fn another_doc_type_around_the_mdoc_is_refused() {
    let scene = Scene::new();
    let document = scene.present(&json!([]), &transcript());
    assert!(scene.receive(document.clone()).is_ok());
    let other = changed_bytes(
        &document,
        b"docTypeuorg.iso.18013.5.1.mDL",
        b"docTypeuorg.iso.18013.5.1.mID",
    );
    assert_eq!(
        scene.receive(other).unwrap_err(),
        MdocError::DocType {
            expected: DOC_TYPE.to_owned(),
            found: "org.iso.18013.5.1.mID".to_owned()
        }
    );
}

#[test]
fn a_device_signature_over_another_session_is_refused() {
    let scene = Scene::new();
    let authentic = scene.receive(scene.present(&json!([]), &transcript())).unwrap();
    assert!(authentic.verify_device_signature(&transcript()).is_ok());
    for other in [
        SessionTranscript::openid4vp("x509_hash:abd", "n-1", None, "https://verifier.example/response"),
        SessionTranscript::openid4vp("x509_hash:abc", "n-2", None, "https://verifier.example/response"),
        SessionTranscript::openid4vp_dc_api("https://verifier.example", "n-1", None),
    ] {
        assert!(matches!(
            authentic.verify_device_signature(&other),
            Err(MdocError::Cose(CoseError::Signature(_)))
        ));
    }
}

#[test]
fn a_signature_by_another_device_is_refused() {
    let scene = Scene::new();
    let presentation = scene.held().present(&[]).unwrap();
    let stolen = sign(&key(), presentation.sign(&transcript()));
    assert!(matches!(
        scene.receive(stolen).unwrap().verify_device_signature(&transcript()),
        Err(MdocError::Cose(CoseError::Signature(_)))
    ));
}

#[test]
fn an_issued_mdoc_is_no_presentation_and_a_presented_one_is_not_held() {
    let scene = Scene::new();
    let issued = scene.authenticate(&scene.issue(|_| {})).unwrap();
    assert!(matches!(
        issued.verify_device_signature(&transcript()),
        Err(MdocError::Presented { .. })
    ));
    let presented = scene.receive(scene.present(&json!([]), &transcript())).unwrap();
    assert!(matches!(presented.hold_issued(), Err(MdocError::Presented { .. })));
}

#[test]
fn a_mac_with_another_key_or_over_another_session_is_refused() {
    let scene = Scene::new();
    let agreement = |number: u8| AgreementKey::from_bytes(&[number; 32]).unwrap();
    let (device, reader) = (agreement(1), agreement(2));
    let text = scene.issue(|new| new.device_key = &KEYS[0]);
    let held = scene.authenticate(&text).unwrap().hold_issued().unwrap();
    let e_reader_key = cbor::tag_24(KEYS[1].to_cose_key().to_vec()).to_vec();
    let engagement = |number: u8| cbor::tag_24([0x01, number]).to_vec();
    let transcript = |number| SessionTranscript::qr(&engagement(number), &e_reader_key).unwrap();
    let salt = keys::sha256(&transcript(1).to_encoded());
    let key = device.agree(&KEYS[1], &salt, b"EMacKey").unwrap();
    let document = held.present(&[]).unwrap().mac(&transcript(1), &key).unwrap();
    let authentic = scene.receive(document).unwrap();
    assert!(
        authentic
            .verify_device_mac(&transcript(1), &reader)
            .unwrap()
            .is_proven()
    );
    for (session, reader) in [(transcript(2), &reader), (transcript(1), &agreement(3))] {
        assert_eq!(
            authentic.verify_device_mac(&session, reader).unwrap_err(),
            MdocError::Cose(CoseError::Mac)
        );
    }
    assert!(matches!(
        authentic.verify_device_signature(&transcript(1)),
        Err(MdocError::DeviceAuth { .. })
    ));
}

/// The public halves of the agreement keys of numbers 1 and 2.
static KEYS: std::sync::LazyLock<[PublicKey; 2]> = std::sync::LazyLock::new(|| {
    [1, 2].map(|number| AgreementKey::from_bytes(&[number; 32]).unwrap().public_key().unwrap())
});

#[test]
fn a_document_signer_under_an_anchor_authenticates_as_the_anchor() {
    let scene = Scene::new();
    let text = scene.issue(|_| {});
    let unverified = Unverified::<Mdoc>::parse(&text).unwrap();
    let path = scene.path(unverified.certificates());
    let authentic = unverified.authenticate_path(&path, NOW).unwrap();
    assert_eq!(authentic.facts().issuer(), anchor_name(path.anchor()));
    assert!(authentic.facts().issuer().starts_with("ni:///sha-256;"));
    // The certificate names the agency's DID, which an authority could write into any certificate.
    assert_eq!(path.signer().uris(), [ISSUER]);
}

#[test]
fn the_path_of_another_signer_or_purpose_is_refused() {
    let scene = Scene::new();
    let text = scene.issue(|_| {});
    let with = |path: &CertificatePath| {
        Unverified::<Mdoc>::parse(&text)
            .unwrap()
            .authenticate_path(path, NOW)
            .map(drop)
    };
    let own = Unverified::<Mdoc>::parse(&text).unwrap().certificates().to_vec();
    assert_eq!(with(&scene.path(&own)), Ok(()));
    // Another certificate of the same key is another certificate.
    assert_eq!(with(&scene.path(&scene.chain())), Err(MdocError::WrongPath));
    let for_all = verify_path(&own, &[scene.iaca()], Purpose::Signature, NOW).unwrap();
    assert_eq!(with(&for_all), Err(MdocError::WrongPath));
}

#[test]
fn a_signature_outside_the_certificates_time_is_refused() {
    let scene = Scene::new();
    let with = |signed: Timestamp, now: Timestamp| {
        let text = scene.issue(|new| {
            (new.signed, new.valid_from, new.valid_until) = (signed, signed, NOW.plus(900 * DAY));
        });
        let unverified = Unverified::<Mdoc>::parse(&text).unwrap();
        let path = scene.path(unverified.certificates());
        unverified.authenticate_path(&path, now).map(drop)
    };
    assert_eq!(with(NOW.minus(DAY), NOW), Ok(()));
    let before = NOW.minus(101 * DAY);
    assert_eq!(with(before, NOW), Err(MdocError::OutsideCertificate { found: before }));
    // A path that was kept is checked again.
    assert!(matches!(
        with(NOW.minus(DAY), NOW.plus(201 * DAY)),
        Err(MdocError::Certificate(X509Error::Validity { .. }))
    ));
}

#[test]
fn a_licence_of_another_country_than_its_signers_is_refused() {
    let scene = Scene::new();
    let text = scene.issue(|new| {
        new.namespaces = vec![(MDL_NAMESPACE, vec![("issuing_country", cbor::Value::text("ZZ"))])].leak();
    });
    let unverified = Unverified::<Mdoc>::parse(&text).unwrap();
    let path = scene.path(unverified.certificates());
    assert_eq!(
        unverified.authenticate_path(&path, NOW).unwrap_err(),
        MdocError::IssuingCountry {
            expected: Some("UT".to_owned())
        }
    );
}

/// The mobile security object of a genuine mdoc, changed and signed again.
fn with_object(change: impl FnOnce(&mut Vec<(cbor::Value, cbor::Value)>)) -> Result<(), MdocError> {
    let scene = Scene::new();
    let bytes = base64url::decode(&scene.issue(|_| {})).unwrap();
    let (_, issuer_auth) = IssuerSigned::parse(&bytes).unwrap();
    let payload = cbor::decode(issuer_auth.unverified_payload().unwrap(), LIMITS).unwrap();
    let cbor::Value::Map(mut object) = cbor::decode(payload.as_encoded().unwrap(), LIMITS).unwrap() else {
        panic!("a map")
    };
    change(&mut object);
    let payload = cbor::tag_24(cbor::Value::Map(object).to_vec()).to_vec();
    let unprotected = HeaderMap::new().with_key_id(KEY_ID);
    let request = cose::sign(HeaderMap::new(), unprotected, payload, Algorithm::Es256);
    let text = base64url::encode(issue::encode(None, &sign(&scene.signer, request)));
    scene.authenticate(&text).map(drop)
}

#[test]
fn other_mobile_security_objects_are_refused() {
    assert_eq!(with_object(|_| {}), Ok(()));
    let set = |name: &'static str, value: cbor::Value| {
        with_object(move |object| {
            for (key, found) in object.iter_mut().filter(|(key, _)| key.as_text() == Some(name)) {
                assert!(key.as_text().is_some());
                *found = value.clone();
            }
        })
    };
    for (name, value) in [
        ("version", cbor::Value::text("2.0")),
        ("digestAlgorithm", cbor::Value::text("SHA-1")),
        ("docType", cbor::Value::text("")),
        ("valueDigests", cbor::Value::Null),
        ("deviceKeyInfo", cbor::Value::Map(vec![])),
        ("validityInfo", cbor::Value::Map(vec![])),
    ] {
        assert!(matches!(set(name, value), Err(MdocError::Form { .. })), "{name}");
    }
    for status in [
        cbor::Value::Null,
        cbor::Value::Map(vec![(cbor::Value::text("status_list"), cbor::Value::Null)]),
    ] {
        assert!(matches!(set("status", status), Err(MdocError::Status(_))));
    }
    // What a verifier does not know is named, for its policy to decide.
    let unknown = cbor::Value::Map(vec![(cbor::Value::text("identifier_list"), cbor::Value::Null)]);
    assert_eq!(set("status", unknown), Ok(()));
}

#[test]
fn other_responses_are_refused() {
    let scene = Scene::new();
    let document = scene.present(&json!([]), &transcript());
    assert!(scene.receive(document.clone()).is_ok());
    let response = |entries: &[(&str, &[u8])]| parse_device_response(&base64url::encode(cbor::map_of_encoded(entries)));
    let documents = cbor::array_of_encoded(&[&document]);
    let (version, status) = (cbor::Value::text("1.0").to_vec(), cbor::Value::from(0_u64).to_vec());
    let all: [(&str, &[u8]); 3] = [("version", &version), ("documents", &documents), ("status", &status)];
    assert!(response(&all).is_ok());
    for missing in 0..all.len() {
        let mut some = all.to_vec();
        some.remove(missing);
        assert!(response(&some).is_err(), "{missing}");
    }
    for (place, bad) in [
        (0, cbor::Value::text("2.0").to_vec()),
        (1, cbor::Value::Array(vec![]).to_vec()),
        (2, cbor::Value::from(10_u64).to_vec()),
    ] {
        let mut changed = all;
        changed[place].1 = &bad;
        assert!(response(&changed).is_err(), "{place}");
    }
    let signed = cbor::tag_24(cbor::Value::Map(vec![(cbor::Value::text("n"), cbor::Value::Map(vec![]))]).to_vec());
    let with_elements = changed_device_signed(&document, &signed);
    assert_eq!(
        scene.receive(with_elements).unwrap_err(),
        MdocError::DeviceSignedElements
    );
    assert!(matches!(parse_device_response("!"), Err(MdocError::Base64)));
}

/// The document with other `DeviceNameSpacesBytes`.
fn changed_device_signed(document: &[u8], namespaces: &cbor::Value) -> Vec<u8> {
    let members = cbor::entries(document, LIMITS).unwrap();
    let member = |name| issuer_signed::member(&members, name).unwrap();
    let device_signed = cbor::entries(member("deviceSigned"), LIMITS).unwrap();
    let auth = issuer_signed::member(&device_signed, "deviceAuth").unwrap();
    let device_signed = cbor::map_of_encoded(&[("nameSpaces", &namespaces.to_vec()), ("deviceAuth", auth)]);
    cbor::map_of_encoded(&[
        ("docType", member("docType")),
        ("issuerSigned", member("issuerSigned")),
        ("deviceSigned", &device_signed),
    ])
}

#[test]
fn digest_numbers_do_not_tell_the_order_of_the_elements() {
    let scene = Scene::new();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let order = || {
        let text = scene.issue(|new| {
            new.namespaces = vec![("n", names.map(|name| (name, cbor::Value::Null)).to_vec())].leak();
        });
        let bytes = base64url::decode(&text).unwrap();
        let (issuer_signed, _) = IssuerSigned::parse(&bytes).unwrap();
        let items = &issuer_signed.namespaces[0].1;
        let ids = |item: &issuer_signed::Item| {
            let item = cbor::decode(&item.encoded, LIMITS).unwrap();
            cbor::decode(item.as_encoded().unwrap(), LIMITS)
                .unwrap()
                .get("digestID")
                .unwrap()
                .as_unsigned()
        };
        items.iter().map(|item| ids(item).unwrap()).collect::<Vec<_>>()
    };
    let (one, other) = (order(), order());
    assert_ne!(one, other);
    let mut sorted = one;
    sorted.sort_unstable();
    assert_eq!(sorted, (0..12).collect::<Vec<_>>());
}
