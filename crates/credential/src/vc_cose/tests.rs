//! Each check of a `vc+cose` and a `vp+cose` fails alone, after the genuine one has passed.

use keys::Signer as _;
use keys::Timestamp;
use keys::cose::CoseError;
use keys::signing::fulfil;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::Authentic;
use crate::Transaction;

const ISSUER: &str = "did:example:issuer";
const HOLDER: &str = "did:example:holder";
const VERIFIER: &str = "did:example:verifier";
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

const ALG: i64 = 1;
const CRIT: i64 = 2;
const CONTENT_TYPE: i64 = 3;
const TYP: i64 = 16;

fn document() -> Map<String, Value> {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": ISSUER,
        "credentialSubject": {"id": HOLDER, "name": "A"},
    });
    document.as_object().unwrap().clone()
}

fn key() -> SoftwareKey {
    SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng())
}

fn genuine() -> HeaderMap {
    HeaderMap::new().with_typ(CREDENTIAL_TYP).with_key_id(*b"#key-1")
}

/// The genuine document under any headers, signed without looking.
fn signed(protected: HeaderMap, unprotected: HeaderMap, key: &SoftwareKey) -> Vec<u8> {
    let payload = Value::Object(document()).to_string().into_bytes();
    fulfil(key, cose::sign(protected, unprotected, payload, Algorithm::Es256)).unwrap()
}

fn authenticate(message: &[u8], key: &SoftwareKey) -> Result<Authentic<VcCose>, CredentialError> {
    Unverified::<VcCose>::from_bytes(message)?.authenticate(key.public_key(), ISSUER, NOW)
}

fn with(protected: HeaderMap, unprotected: HeaderMap) -> Result<Authentic<VcCose>, CredentialError> {
    let key = key();
    assert!(authenticate(&signed(genuine(), HeaderMap::new(), &key), &key).is_ok());
    authenticate(&signed(protected, unprotected, &key), &key)
}

fn cose_error<T: std::fmt::Debug>(result: Result<T, CredentialError>) -> CoseError {
    match result {
        Err(CredentialError::Cose(error)) => error,
        other => panic!("expected an error of COSE, found {other:?}"),
    }
}

fn claims(entries: &[(i64, cbor::Value)]) -> cbor::Value {
    let entries = entries.iter();
    cbor::Value::Map(
        entries
            .map(|(key, value)| (cbor::Value::from(*key), value.clone()))
            .collect(),
    )
}

#[test]
fn headers_of_what_we_sign() {
    let key = key();
    let request = issue(&document(), "did:example:issuer#key-1", Algorithm::Es256).unwrap();
    let message = fulfil(&key, request).unwrap();
    // The tag of COSE_Sign1, and four parts.
    assert_eq!(message.get(..2), Some([0xd2, 0x84].as_slice()));
    let sign1 = UnverifiedSign1::parse(&message, message.len()).unwrap();
    let headers = sign1.headers();
    assert_eq!(headers.typ(), Some("application/vc+cose"));
    assert_eq!(headers.content_type(), Some("application/vc"));
    assert_eq!(headers.key_id(), Some(b"did:example:issuer#key-1".as_slice()));
    assert_eq!(headers.unprotected(), &HeaderMap::new());
    let payload: Value = serde_json::from_slice(sign1.unverified_payload().unwrap()).unwrap();
    assert_eq!(payload, Value::Object(document()));
    assert_eq!(
        authenticate(&message, &key).unwrap().facts().types(),
        ["PersonIdentity"]
    );
}

#[test]
fn wrong_types_are_refused() {
    for typ in ["application/vp+cose", "application/vc+jwt", "application/cose"] {
        let refused = with(genuine().with_typ(typ), HeaderMap::new());
        assert!(matches!(cose_error(refused), CoseError::WrongType { .. }), "{typ}");
    }
    let refused = with(HeaderMap::new(), HeaderMap::new());
    assert!(matches!(cose_error(refused), CoseError::WrongType { .. }));
    let content = |content: cbor::Value| with(genuine().with(CONTENT_TYPE, content), HeaderMap::new()).map(|_| ());
    assert_eq!(content(cbor::Value::text("application/vc")), Ok(()));
    let expected = "vc";
    // 50 is JSON as a CoAP content format.
    for other in [cbor::Value::text("application/vp"), cbor::Value::Unsigned(50)] {
        assert_eq!(content(other), Err(CredentialError::ContentType { expected }));
    }
}

#[test]
fn parameters_that_everything_rests_on_are_protected_and_stand_once() {
    let text = |text: &str| cbor::Value::text(text);
    for (label, value) in [
        (ALG, cbor::Value::Negative(7)),
        (CRIT, cbor::Value::Array(vec![text("x")])),
        (CONTENT_TYPE, text("application/vp")),
        (TYP, text("application/vp+cose")),
    ] {
        let unprotected = HeaderMap::new().with(label, value);
        let refused = cose_error(with(genuine().with_content_type("application/vc"), unprotected));
        // `alg`, `typ` and the content type stand in the protected header already.
        let shadowed = matches!(refused, CoseError::DuplicateLabel { .. });
        assert!(
            shadowed || label == CRIT && matches!(refused, CoseError::Unprotected { .. }),
            "{refused:?}"
        );
    }
    let both = with(genuine(), HeaderMap::new().with_key_id(*b"#key-2"));
    assert!(matches!(cose_error(both), CoseError::DuplicateLabel { .. }));
    // Where it is in one only, the unprotected one does not count.
    let unprotected = HeaderMap::new().with_typ(CREDENTIAL_TYP);
    let refused = with(HeaderMap::new().with_key_id(*b"#key-1"), unprotected);
    assert!(matches!(cose_error(refused), CoseError::Unprotected { .. }));
}

#[test]
fn a_label_twice_in_one_header_is_refused() {
    let key = key();
    let message = signed(genuine(), HeaderMap::new(), &key);
    let cbor::Value::Array(mut parts) = cbor::decode_foreign(&message, json::DEFAULT_LIMITS).unwrap() else {
        panic!("four parts")
    };
    // Two labels 4, written by hand since no encoder of ours does.
    let doubled = [0xa2, 0x04, 0x41, 0x61, 0x04, 0x41, 0x62];
    parts[0] = cbor::Value::bytes(doubled);
    let refused = authenticate(&cbor::Value::Array(parts).to_vec(), &key);
    assert!(matches!(cose_error(refused), CoseError::Cbor(_)));
}

#[test]
fn unknown_critical_parameters_are_refused() {
    let critical = cbor::Value::Array(vec![cbor::Value::text("x")]);
    let header = || genuine().with(CRIT, critical.clone());
    assert!(matches!(
        cose_error(with(header(), HeaderMap::new())),
        CoseError::Critical { .. }
    ));
}

#[test]
fn other_keys_and_algorithms_are_refused() {
    let (key, other) = (key(), key());
    let message = signed(genuine(), HeaderMap::new(), &key);
    assert!(matches!(
        cose_error(authenticate(&message, &other)),
        CoseError::Signature(_)
    ));
    let ed25519 = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
    assert!(matches!(
        cose_error(authenticate(&message, &ed25519)),
        CoseError::WrongKey { .. }
    ));
    let mut changed = message;
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert!(matches!(
        cose_error(authenticate(&changed, &key)),
        CoseError::Signature(_)
    ));
}

#[test]
fn a_payload_beside_the_message_is_none() {
    let key = key();
    let payload = Value::Object(document()).to_string();
    let request = cose::sign_detached(genuine(), HeaderMap::new(), payload.as_bytes(), Algorithm::Es256);
    let detached = fulfil(&key, request).unwrap();
    assert!(matches!(
        cose_error(authenticate(&detached, &key)),
        CoseError::Payload { .. }
    ));
}

#[test]
fn a_key_identifier_is_text() {
    let refused = with(genuine().with_key_id([0xff]), HeaderMap::new());
    assert!(matches!(
        cose_error(refused),
        CoseError::Parameter { parameter: "kid", .. }
    ));
}

#[test]
fn claims_of_the_signature_are_in_the_protected_header() {
    let with_claims =
        |entries: &[(i64, cbor::Value)]| with(genuine().with(CWT_CLAIMS, claims(entries)), HeaderMap::new());
    let at = |time: Timestamp| cbor::Value::from(time.unix());
    let text = |text: &str| cbor::Value::text(text);
    let valid = with_claims(&[
        (1, text(ISSUER)),
        (4, at(NOW.plus(5))),
        (6, at(NOW)),
        (99, text("unknown")),
    ])
    .unwrap();
    assert_eq!(valid.facts().valid_until(), Some(NOW.plus(5)));
    assert_eq!(valid.facts().issued_at(), Some(NOW));
    assert!(matches!(
        with_claims(&[(4, at(NOW))]),
        Err(CredentialError::Validity(_))
    ));
    assert!(matches!(
        with_claims(&[(5, at(NOW.plus(61)))]),
        Err(CredentialError::Validity(_))
    ));
    assert!(matches!(
        with_claims(&[(6, at(NOW.plus(61)))]),
        Err(CredentialError::IssuedInTheFuture { .. })
    ));
    assert!(matches!(
        with_claims(&[(1, text("did:example:other"))]),
        Err(CredentialError::WrongIssuer { .. })
    ));
    for malformed in [(4, text("soon")), (1, cbor::Value::Unsigned(1)), (4, cbor::Value::Null)] {
        assert!(matches!(with_claims(&[malformed]), Err(CredentialError::Claim(_))));
    }
    assert!(matches!(
        cose_error(with(genuine().with(CWT_CLAIMS, text("x")), HeaderMap::new())),
        CoseError::Parameter { .. }
    ));
    // Anybody may have written these.
    let unprotected = HeaderMap::new().with(CWT_CLAIMS, claims(&[(4, at(NOW.plus(5)))]));
    assert!(matches!(
        cose_error(with(genuine(), unprotected)),
        CoseError::Unprotected { .. }
    ));
}

#[test]
fn members_of_the_document_are_no_claims() {
    let key = key();
    let mut document = document();
    document.insert("exp".to_owned(), json!(NOW.unix()));
    let message = fulfil(&key, issue(&document, "#key-1", Algorithm::Es256).unwrap()).unwrap();
    assert!(authenticate(&message, &key).is_ok());
}

#[test]
fn a_transaction_in_the_document_or_unprotected_is_none() {
    let key = key();
    let presentation = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": HOLDER,
        "aud": VERIFIER,
        "nonce": "n-1",
    });
    let presentation = presentation.as_object().unwrap().clone();
    let transaction = Transaction {
        audience: VERIFIER,
        nonce: "n-1",
        now: NOW,
        max_age: 300,
    };
    let receive = |message: &[u8]| {
        let parsed = UnverifiedPresentation::parse(&to_text(message))?;
        parsed.authenticate(key.public_key(), HOLDER, &transaction).map(|_| ())
    };
    let claims = json!({"aud": VERIFIER, "nonce": "n-1"});
    let kind = Kind::Presentation;
    let signed = |claims: &Map<String, Value>| {
        let request = sign(&presentation, claims, kind, "did:example:holder#1", Algorithm::Es256);
        fulfil(&key, request).unwrap()
    };
    assert_eq!(receive(&signed(claims.as_object().unwrap())), Ok(()));
    assert!(matches!(
        receive(&signed(&Map::new())),
        Err(PresentationError::Claim(_))
    ));
    let issued = issue_presentation(&presentation, "did:example:holder#1", Algorithm::Es256).unwrap();
    assert!(matches!(
        receive(&fulfil(&key, issued).unwrap()),
        Err(PresentationError::Claim(_))
    ));
}
