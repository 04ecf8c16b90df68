//! Who presents, to whom, and when.

use super::*;

fn bound(wallet: &SoftwareKey, audience: &str, nonce: &str, at: Timestamp) -> Result<Verified, Refused> {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present_with(&agency, &issue(&agency), wallet, audience, nonce, at);
    judge(&nation.bundle(), &age(), presentation)
}

fn key_binding(result: Result<Verified, Refused>) -> KeyBindingError {
    match refused(result) {
        Reason::KeyBinding(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn presentation_without_key_binding_is_refused_unless_waived() {
    let (nation, agency) = Nation::with_issuer();
    let presentation = present(&agency, &issue(&agency));
    let (unbound, _) = presentation.as_str().unwrap().rsplit_once('~').unwrap();
    let unbound = Value::from(format!("{unbound}~"));
    let result = judge(&nation.bundle(), &age(), unbound.clone());
    assert_eq!(key_binding(result), KeyBindingError::Missing);

    let waived = query_with(
        "dc+sd-jwt",
        &json!({"vct_values": [type_iri(IDENTITY)]}),
        &[&["age_over_18"]],
        |one| one["require_cryptographic_holder_binding"] = json!(false),
    );
    let verified = judge(&nation.bundle(), &waived, unbound).unwrap();
    assert_eq!(verified.to_value()["holder_binding"], "none");
}

#[test]
fn key_binding_by_another_key_is_refused() {
    let thief = key(Algorithm::Es256, 51);
    assert!(bound(&wallet(), CLIENT_ID, NONCE, NOW).is_ok());
    assert!(matches!(
        key_binding(bound(&thief, CLIENT_ID, NONCE, NOW)),
        KeyBindingError::Jws(_)
    ));
}

#[test]
fn key_binding_for_another_verifier_is_refused() {
    let result = bound(&wallet(), "decentralized_identifier:did:example:other", NONCE, NOW);
    assert!(matches!(key_binding(result), KeyBindingError::WrongAudience { .. }));
}

#[test]
fn key_binding_for_another_transaction_is_refused() {
    assert_eq!(
        key_binding(bound(&wallet(), CLIENT_ID, "another", NOW)),
        KeyBindingError::WrongNonce
    );
}

#[test]
fn key_binding_outside_its_time_is_refused() {
    assert!(bound(&wallet(), CLIENT_ID, NONCE, NOW.minus(MAX_AGE)).is_ok());
    for at in [NOW.minus(MAX_AGE + 1), NOW.plus(DAY)] {
        assert!(matches!(
            key_binding(bound(&wallet(), CLIENT_ID, NONCE, at)),
            KeyBindingError::OutsideWindow { .. }
        ));
    }
}
