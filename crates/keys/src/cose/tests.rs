use ed25519_dalek::Signer as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;

use super::*;
use crate::PublicKey;
use crate::Signature;
use crate::SigningRequest;

const MAX_BYTES: usize = 4096;

fn key() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

fn public() -> PublicKey {
    PublicKey::from_ed25519(key().verifying_key().as_bytes()).unwrap()
}

fn fulfil(request: SigningRequest<Vec<u8>>) -> Vec<u8> {
    let signature = Signature::from_bytes(&key().sign(request.message()).to_bytes()).unwrap();
    request.complete(signature)
}

fn genuine() -> Vec<u8> {
    let protected = HeaderMap::new().with_typ("application/statuslist+cwt");
    let unprotected = HeaderMap::new().with_key_id(*b"1");
    fulfil(sign(protected, unprotected, b"payload".to_vec(), Algorithm::EdDsa))
}

/// A message with these headers, signed as it stands.
fn with_headers(protected: Vec<(Value, Value)>, unprotected: Vec<(Value, Value)>) -> Result<VerifiedSign1, CoseError> {
    let protected = Value::Map(protected).to_vec();
    let signature = key().sign(&structure("Signature1", &protected, b"payload"));
    let message = encode(
        &protected,
        HeaderMap::read(Value::Map(unprotected), "").unwrap(),
        Some(b"payload"),
        &signature.to_bytes(),
    );
    UnverifiedSign1::parse(&message, MAX_BYTES)?.verify(&public())
}

fn alg() -> (Value, Value) {
    (Value::from(1_i64), Value::from(-8_i64))
}

#[test]
fn what_is_signed_verifies_tagged_or_not() {
    for message in [genuine(), tagged(&genuine())] {
        let unverified = UnverifiedSign1::parse(&message, MAX_BYTES).unwrap();
        assert_eq!(unverified.unverified_payload(), Some(&b"payload"[..]));
        let verified = unverified.verify(&public()).unwrap();
        assert_eq!(verified.payload(), b"payload");
        assert_eq!(verified.headers().key_id(), Some(&b"1"[..]));
        assert_eq!(verified.headers().expect_typ("StatusList+CWT"), Ok(()));
        assert!(matches!(
            verified.headers().expect_typ("application/cwt"),
            Err(CoseError::WrongType { .. })
        ));
    }
}

#[test]
fn detached_payloads_are_given_and_attached_ones_are_not() {
    let detached = fulfil(sign_detached(
        HeaderMap::new(),
        HeaderMap::new(),
        b"payload",
        Algorithm::EdDsa,
    ));
    let parse = |message: &[u8]| UnverifiedSign1::parse(message, MAX_BYTES).unwrap();
    assert!(parse(&detached).verify_detached(b"payload".to_vec(), &public()).is_ok());
    assert_eq!(
        parse(&detached)
            .verify_detached(b"another".to_vec(), &public())
            .unwrap_err(),
        CoseError::Signature(SignatureError)
    );
    assert!(matches!(
        parse(&detached).verify(&public()),
        Err(CoseError::Payload { .. })
    ));
    assert!(matches!(
        parse(&genuine()).verify_detached(b"payload".to_vec(), &public()),
        Err(CoseError::Payload { .. })
    ));
}

#[test]
fn changed_payload_changed_header_and_another_key_are_refused() {
    let refused = |message: &[u8], key: &PublicKey| {
        UnverifiedSign1::parse(message, MAX_BYTES)
            .unwrap()
            .verify(key)
            .unwrap_err()
    };
    let mut changed = genuine();
    let at = changed.windows(7).position(|window| window == b"payload").unwrap();
    changed[at] ^= 1;
    assert_eq!(refused(&changed, &public()), CoseError::Signature(SignatureError));
    let mut changed = genuine();
    let at = changed.windows(3).position(|window| window == b"cwt").unwrap();
    changed[at] ^= 1;
    assert_eq!(refused(&changed, &public()), CoseError::Signature(SignatureError));
    let other = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
    let other = PublicKey::from_ed25519(other.verifying_key().as_bytes()).unwrap();
    assert_eq!(refused(&genuine(), &other), CoseError::Signature(SignatureError));
}

#[test]
fn a_mac_over_the_payload_is_no_signature_and_the_other_way_round() {
    assert_eq!(
        MacKey::from_bytes(&[1; 31]).unwrap_err(),
        CoseError::MacKey { found: 31 }
    );
    let mac_key = MacKey::from_bytes(&[1; 32]).unwrap();
    let maced = mac(HeaderMap::new(), HeaderMap::new(), b"payload", &mac_key).unwrap();
    assert!(
        UnverifiedMac0::parse(&maced, MAX_BYTES)
            .unwrap()
            .verify(&mac_key)
            .is_ok()
    );
    assert!(matches!(
        UnverifiedSign1::parse(&maced, MAX_BYTES),
        Err(CoseError::Algorithm { .. })
    ));
    assert!(matches!(
        UnverifiedMac0::parse(&genuine(), MAX_BYTES),
        Err(CoseError::Algorithm { .. })
    ));
    // The tag says the same.
    assert!(matches!(
        UnverifiedMac0::parse(&tagged(&maced), MAX_BYTES),
        Err(CoseError::Form { .. })
    ));
}

#[test]
fn macs_with_another_key_over_another_payload_and_cut_short_are_refused() {
    let key = MacKey::from_bytes(&[1; 32]).unwrap();
    let maced = mac_detached(HeaderMap::new(), HeaderMap::new(), b"payload", &key).unwrap();
    let check = |message: &[u8], payload: &[u8], key: &MacKey| {
        UnverifiedMac0::parse(message, MAX_BYTES)
            .unwrap()
            .verify_detached(payload.to_vec(), key)
            .map(|verified| verified.payload().to_vec())
    };
    assert_eq!(check(&maced, b"payload", &key), Ok(b"payload".to_vec()));
    assert_eq!(check(&maced, b"another", &key), Err(CoseError::Mac));
    assert_eq!(
        check(&maced, b"payload", &MacKey::from_bytes(&[2; 32]).unwrap()),
        Err(CoseError::Mac)
    );
    let Value::Array(mut parts) = cbor::decode(&maced, crate::json::DEFAULT_LIMITS).unwrap() else {
        panic!("an array")
    };
    let short = parts[3].as_bytes().unwrap()[..8].to_vec();
    parts[3] = Value::Bytes(short);
    assert_eq!(
        check(&Value::Array(parts).to_vec(), b"payload", &key),
        Err(CoseError::Mac)
    );
}

#[test]
fn both_parties_agree_on_one_mac_key_and_a_third_does_not() {
    let party = |number: u8| AgreementKey::from_bytes(&[number; 32]).unwrap();
    let agreed = |own: u8, peer: u8| {
        let peer = party(peer).public_key().unwrap();
        party(own).agree(&peer, b"salt", b"info").unwrap()
    };
    let maced = mac_detached(HeaderMap::new(), HeaderMap::new(), b"p", &agreed(1, 2)).unwrap();
    let check = |key: &MacKey| {
        UnverifiedMac0::parse(&maced, MAX_BYTES)
            .unwrap()
            .verify_detached(b"p".to_vec(), key)
            .map(drop)
    };
    assert_eq!(check(&agreed(2, 1)), Ok(()));
    assert_eq!(check(&agreed(3, 1)), Err(CoseError::Mac));
    assert!(party(1).agree(&public(), b"salt", b"info").is_err());
}

#[test]
fn alg_must_be_protected_known_and_the_keys() {
    assert!(with_headers(vec![alg()], vec![]).is_ok());
    // RFC 9864's number of Ed25519.
    assert!(with_headers(vec![(Value::from(1_i64), Value::from(-19_i64))], vec![]).is_ok());
    assert_eq!(
        with_headers(vec![], vec![alg()]).unwrap_err(),
        CoseError::Unprotected { parameter: "alg" }
    );
    for other in [
        Value::from(5_i64),
        Value::from(-37_i64),
        Value::text("EdDSA"),
        Value::Null,
    ] {
        assert!(matches!(
            with_headers(vec![(Value::from(1_i64), other)], vec![]),
            Err(CoseError::Algorithm { .. })
        ));
    }
    assert!(matches!(
        with_headers(vec![], vec![]),
        Err(CoseError::Algorithm { found: None, .. })
    ));
    assert_eq!(
        with_headers(vec![(Value::from(1_i64), Value::from(-7_i64))], vec![]).unwrap_err(),
        CoseError::WrongKey {
            expected: Algorithm::EdDsa,
            found: Algorithm::Es256
        }
    );
}

#[test]
fn shadowed_and_duplicate_parameters_are_refused() {
    let kid = |id: &[u8]| (Value::from(4_i64), Value::bytes(id));
    assert!(with_headers(vec![alg(), kid(b"1")], vec![]).is_ok());
    assert_eq!(
        with_headers(vec![alg(), kid(b"1")], vec![kid(b"2")]).unwrap_err(),
        CoseError::DuplicateLabel {
            label: Value::from(4_i64)
        }
    );
    assert_eq!(
        with_headers(vec![alg()], vec![alg()]).unwrap_err(),
        CoseError::DuplicateLabel {
            label: Value::from(1_i64)
        }
    );
    assert_eq!(
        with_headers(vec![alg(), kid(b"1"), kid(b"2")], vec![]).unwrap_err(),
        CoseError::Cbor(CborError::DuplicateKey)
    );
}

#[test]
fn critical_parameters_must_be_protected_and_understood() {
    let crit = |labels: Vec<Value>| (Value::from(2_i64), Value::Array(labels));
    let typ = (Value::from(16_i64), Value::text("a/b"));
    let own = (Value::text("own"), Value::Null);
    assert!(with_headers(vec![alg(), crit(vec![Value::from(16_i64)]), typ.clone()], vec![]).is_ok());
    assert!(with_headers(vec![alg(), own.clone()], vec![]).is_ok());
    for (protected, unprotected) in [
        (vec![alg(), crit(vec![Value::text("own")]), own.clone()], vec![]),
        (vec![alg(), crit(vec![Value::text("own")])], vec![]),
        (vec![alg(), crit(vec![Value::from(16_i64)])], vec![]),
        (
            vec![alg(), crit(vec![Value::from(33_i64)])],
            vec![(Value::from(33_i64), Value::bytes(*b"x"))],
        ),
    ] {
        assert!(matches!(
            with_headers(protected, unprotected),
            Err(CoseError::Critical { .. })
        ));
    }
    assert!(matches!(
        with_headers(vec![alg(), crit(vec![])], vec![]),
        Err(CoseError::Parameter { parameter: "crit", .. })
    ));
    assert_eq!(
        with_headers(vec![alg()], vec![crit(vec![Value::from(4_i64)])]).unwrap_err(),
        CoseError::Unprotected { parameter: "crit" }
    );
}

#[test]
fn certificate_chains_are_read_in_both_forms() {
    let chain = |count: usize| vec![vec![1_u8]; count];
    for count in [1, 2, 8] {
        let unprotected = HeaderMap::new().with_x5chain(&chain(count));
        let message = fulfil(sign(HeaderMap::new(), unprotected, vec![], Algorithm::EdDsa));
        let verified = UnverifiedSign1::parse(&message, MAX_BYTES)
            .unwrap()
            .verify(&public())
            .unwrap();
        assert_eq!(verified.headers().x5chain(), chain(count));
    }
    for bad in [
        Value::Array(vec![]),
        Value::Array(vec![Value::bytes(*b"x"); 9]),
        Value::Array(vec![Value::text("x")]),
        Value::text("x"),
    ] {
        assert!(matches!(
            with_headers(vec![alg()], vec![(Value::from(33_i64), bad)]),
            Err(CoseError::Parameter {
                parameter: "x5chain",
                ..
            })
        ));
    }
}

#[test]
fn other_parameters_keep_their_types() {
    for (label, value) in [(4_i64, Value::text("1")), (3, Value::bytes([])), (16, Value::Null)] {
        assert!(matches!(
            with_headers(vec![alg(), (Value::from(label), value)], vec![]),
            Err(CoseError::Parameter { .. })
        ));
    }
}

#[test]
fn other_forms_are_refused() {
    let Value::Array(parts) = cbor::decode(&genuine(), crate::json::DEFAULT_LIMITS).unwrap() else {
        panic!("an array")
    };
    let parse = |parts: Vec<Value>| UnverifiedSign1::parse(&Value::Array(parts).to_vec(), MAX_BYTES).map(drop);
    assert_eq!(parse(parts.clone()), Ok(()));
    assert!(parse(parts[..3].to_vec()).is_err());
    assert!(parse([&parts[..], &[Value::Null]].concat()).is_err());
    for (place, bad) in [
        (0, Value::Map(vec![])),
        (0, Value::bytes([0x80])),
        (0, Value::bytes([0xa1])),
        (0, Value::bytes(Value::Map(vec![(Value::Null, Value::Null)]).to_vec())),
        (1, Value::Array(vec![])),
        (2, Value::text("payload")),
        (3, Value::bytes([0; 63])),
        (3, Value::Null),
    ] {
        let mut changed = parts.clone();
        changed[place] = bad;
        assert!(parse(changed).is_err());
    }
    assert!(matches!(
        UnverifiedSign1::parse(&genuine(), 10),
        Err(CoseError::Cbor(CborError::TooLarge { .. }))
    ));
}

#[test]
fn keys_are_read_as_written() {
    let p256 = AgreementKey::from_bytes(&[3; 32]).unwrap().public_key().unwrap();
    let p384 = p384::SecretKey::from_slice(&[3; 48])
        .unwrap()
        .public_key()
        .to_sec1_point(false);
    let p384 = PublicKey::from_p384_sec1(p384.as_bytes()).unwrap();
    for key in [public(), p256.clone(), p384] {
        assert_eq!(PublicKey::from_cose_key(&key.to_cose_key()), Ok(key));
    }
    let changed = |label: i64, value: Option<Value>| {
        let Value::Map(mut entries) = p256.to_cose_key() else {
            panic!("a map")
        };
        entries.retain(|(found, _)| *found != Value::from(label));
        entries.extend(value.map(|value| (Value::from(label), value)));
        PublicKey::from_cose_key(&Value::Map(entries))
    };
    assert!(changed(3, Some(Value::from(-7_i64))).is_ok());
    assert!(changed(2, Some(Value::bytes(*b"kid"))).is_ok());
    assert_eq!(changed(-4, Some(Value::bytes([3; 32]))), Err(CoseKeyError::Private));
    assert!(matches!(
        changed(3, Some(Value::from(-8_i64))),
        Err(CoseKeyError::WrongAlgorithm { .. })
    ));
    for (label, value) in [
        (1, None),
        (1, Some(Value::from(1_i64))),
        (-1, Some(Value::from(3_i64))),
        (-2, None),
        (-2, Some(Value::bytes([1; 31]))),
        (-3, None),
        (-3, Some(Value::Bool(true))),
        (-3, Some(Value::bytes([1; 32]))),
    ] {
        assert!(changed(label, value.clone()).is_err(), "{label} {value:?}");
    }
}

#[test]
fn secrets_are_not_printed() {
    assert_eq!(format!("{:?}", MacKey::from_bytes(&[1; 32]).unwrap()), "MacKey { .. }");
    assert_eq!(
        format!("{:?}", AgreementKey::from_bytes(&[1; 32]).unwrap()),
        "AgreementKey { .. }"
    );
}
