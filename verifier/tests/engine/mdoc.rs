//! mdoc: one genuine presentation, and what a verifier must not accept.

use credential::ClaimPath;
use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::MdocError;
use credential::mdoc::NewMdoc;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use credential::mdoc::mso::DigestAlgorithm;
use credential::status_list::Status;
use credential::status_list::StatusReference;
use json_schema::Evaluator;
use keys::Algorithm;
use keys::Signer as _;
use keys::base64url;
use keys::cbor;
use keys::cose::CoseError;
use keys::jwe::DecryptionKey;
use openid4vc::dcql::AnswerError;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::VpToken;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::Reason;
use verifier::Refused;
use verifier::Verified;

use crate::answer::CLIENT_ID;
use crate::answer::MAX_AGE;
use crate::answer::NONCE;
use crate::answer::RESPONSE_URI;
use crate::answer::judge;
use crate::answer::query;
use crate::answer::question;
use crate::answer::refused;
use crate::nation::Agency;
use crate::nation::DAY;
use crate::nation::GENESIS;
use crate::nation::IDENTITY;
use crate::nation::ISSUED;
use crate::nation::LICENCE;
use crate::nation::NOW;
use crate::nation::Nation;
use crate::nation::SNAPSHOT;
use crate::nation::key;

const INDEX: usize = 7;
const NAMESPACE: &str = "example.attestry.1";

fn device() -> SoftwareKey {
    key(Algorithm::Es256, 50)
}

fn doc_type(id: &str) -> String {
    format!("example.attestry.{id}")
}

/// The agency's mdoc for the device, at place [`INDEX`] of its list.
fn issue(agency: &Agency, change: impl for<'a> FnOnce(&mut NewMdoc<'a>)) -> String {
    let key_id = agency.method("es256");
    let status = StatusReference::token_status_list(agency.list_uri(), INDEX);
    let (device, doc_type) = (device(), doc_type(IDENTITY));
    let mut new = NewMdoc {
        key_id: &key_id,
        certificates: &[],
        doc_type: &doc_type,
        digest_algorithm: DigestAlgorithm::Sha256,
        device_key: device.public_key(),
        signed: ISSUED,
        valid_from: ISSUED,
        valid_until: ISSUED.plus(100 * DAY),
        status: Some(&status),
        namespaces: &[(
            NAMESPACE,
            vec![
                ("family_name", cbor::Value::text("Tan")),
                ("age_over_18", cbor::Value::Bool(true)),
            ],
        )],
    };
    change(&mut new);
    let request = new.issue(Algorithm::Es256, &mut signer::os_rng());
    agency.es256.fulfil(request).unwrap()
}

fn transcript() -> SessionTranscript {
    SessionTranscript::openid4vp(CLIENT_ID, NONCE, None, RESPONSE_URI)
}

/// A document with `age_over_18` and nothing else.
fn document(agency: &Agency, mdoc: &str, transcript: &SessionTranscript) -> Vec<u8> {
    let unverified = Unverified::<Mdoc>::parse(mdoc).unwrap();
    let held = unverified.restore(agency.es256.public_key(), &agency.did).unwrap();
    let path = ClaimPath::of_keys([NAMESPACE, "age_over_18"]).unwrap();
    let presentation = held.present(&[path]).unwrap();
    device().fulfil(presentation.sign(transcript)).unwrap()
}

fn present(agency: &Agency, mdoc: &str) -> Value {
    Value::from(device_response(&[document(agency, mdoc, &transcript())]))
}

fn age() -> DcqlQuery {
    let meta = json!({"doctype_value": doc_type(IDENTITY)});
    query("mso_mdoc", &meta, &[&[NAMESPACE, "age_over_18"]])
}

/// The verdict on an mdoc of the usual nation.
fn with(change: impl for<'a> FnOnce(&mut NewMdoc<'a>)) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    judge(&nation.bundle(), &age(), present(&agency, &issue(&agency, change)))
}

/// The verdict on the genuine mdoc, presented for this session and delivered like this.
fn delivered(transcript: &SessionTranscript, delivered: Delivered<'_>) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let document = document(&agency, &issue(&agency, |_| {}), transcript);
    let mut token = VpToken::default();
    token.add("it", Value::from(device_response(&[document])));
    let query = age();
    let question = Question {
        delivered,
        ..question(&query)
    };
    verifier::verify(
        &token,
        &question,
        &[&nation.bundle()],
        &Policy::new(MAX_AGE, &Evaluator),
        NOW,
    )
}

#[test]
fn genuine_mdoc_is_valid_and_shows_what_was_disclosed() {
    let (nation, agency) = Nation::with_issuer();
    let verified = judge(&nation.bundle(), &age(), present(&agency, &issue(&agency, |_| {}))).unwrap();
    let expected = json!({
        "verdict": "valid",
        "reasons": [],
        "query": "it",
        "issuer": {
            "id": agency.did,
            "accreditation": "population-issues-identity",
            "types": [doc_type(IDENTITY)],
            "key": agency.method("es256"),
        },
        "as_of": SNAPSHOT.to_rfc3339(),
        "status": {"value": "valid", "uri": agency.list_uri(), "index": INDEX, "committed": GENESIS.to_rfc3339()},
        "holder_binding": "request",
        "warnings": [],
        "claims": {NAMESPACE: {"age_over_18": true}},
    });
    assert_eq!(verified.to_value(), expected);
}

#[test]
fn mdoc_of_a_type_without_authority_is_refused() {
    let licence: &str = doc_type(LICENCE).leak();
    assert!(with(|_| {}).is_ok());
    assert!(matches!(
        refused(with(|new| new.doc_type = licence)),
        Reason::NotAccredited { .. }
    ));
    assert!(matches!(
        refused(with(|new| new.doc_type = "org.iso.18013.5.1.mDL")),
        Reason::TypeUnknown { .. }
    ));
}

#[test]
fn mdoc_without_status_or_with_a_revoked_one_is_refused() {
    assert_eq!(refused(with(|new| new.status = None)), Reason::StatusMissing);
    let (mut nation, agency) = Nation::before_snapshot(|_| {});
    nation.commit(&agency, &[(INDEX, Status::Invalid)]);
    nation.snapshot(SNAPSHOT);
    let mdoc = issue(&agency, |_| {});
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), present(&agency, &mdoc))),
        Reason::Revoked { .. }
    ));
}

#[test]
fn mdoc_signed_with_another_key_of_the_issuer_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let other: &str = agency.method("eddsa").leak();
    let mdoc = issue(&agency, |new| new.key_id = other);
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), present(&agency, &mdoc))),
        Reason::Mdoc(MdocError::Cose(CoseError::WrongKey { .. }))
    ));
}

#[test]
fn mdoc_without_what_was_asked_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let meta = json!({"doctype_value": doc_type(IDENTITY)});
    let query = query("mso_mdoc", &meta, &[&[NAMESPACE, "family_name"]]);
    assert!(matches!(
        refused(judge(
            &nation.bundle(),
            &query,
            present(&agency, &issue(&agency, |_| {}))
        )),
        Reason::Answer(AnswerError::Claim { .. })
    ));
}

#[test]
fn mdoc_presented_for_another_session_is_refused() {
    let posted = Delivered::Posted {
        response_uri: RESPONSE_URI,
        encryption_key: None,
    };
    assert!(delivered(&transcript(), posted).is_ok());
    for other in [
        SessionTranscript::openid4vp(
            "decentralized_identifier:did:example:another",
            NONCE,
            None,
            RESPONSE_URI,
        ),
        SessionTranscript::openid4vp(CLIENT_ID, "another", None, RESPONSE_URI),
        SessionTranscript::openid4vp(CLIENT_ID, NONCE, Some(&[0; 32]), RESPONSE_URI),
        SessionTranscript::openid4vp(CLIENT_ID, NONCE, None, "https://verifier.example/responses/2"),
    ] {
        assert!(matches!(
            refused(delivered(&other, posted)),
            Reason::Mdoc(MdocError::Cose(CoseError::Signature(_)))
        ));
    }
    // The key that the answer is encrypted to is a part of the session.
    let key = DecryptionKey::generate(&mut signer::os_rng()).public_jwk();
    let transcript = SessionTranscript::openid4vp(CLIENT_ID, NONCE, Some(&key.thumbprint_bytes()), RESPONSE_URI);
    let encrypted = Delivered::Posted {
        response_uri: RESPONSE_URI,
        encryption_key: Some(&key),
    };
    assert!(delivered(&transcript, encrypted).is_ok());
    assert!(delivered(&transcript, posted).is_err());
}

#[test]
fn mdoc_in_a_file_is_refused() {
    assert!(matches!(
        refused(delivered(&transcript(), Delivered::InFile)),
        Reason::Form { .. }
    ));
}

#[test]
fn response_with_two_documents_or_of_another_form_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mdoc = issue(&agency, |_| {});
    let document = document(&agency, &mdoc, &transcript());
    let two = Value::from(device_response(&[document.clone(), document]));
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), two)),
        Reason::Form { .. }
    ));
    for other in [json!(mdoc), json!(base64url::encode([0xa0])), json!("~")] {
        assert!(matches!(
            refused(judge(&nation.bundle(), &age(), other)),
            Reason::Mdoc(_)
        ));
    }
    assert!(matches!(
        refused(judge(&nation.bundle(), &age(), json!({}))),
        Reason::Form { .. }
    ));
}
