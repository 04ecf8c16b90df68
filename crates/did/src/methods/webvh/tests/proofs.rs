//! Who may sign an entry, and what a proof must be.

use super::*;

#[test]
fn unauthorized_key_is_refused() {
    let log = Log::new(|_| ());
    assert_eq!(log.forged(1, |_| ()).map(|state| state.version_number()), Ok(2));
    let mut entry = value(&log.next(1, |_| ()));
    entry.as_object_mut().unwrap().remove("proof");
    let line = signed(entry, log.state.version_id(), 2);
    assert_eq!(
        log.state.append(line.as_bytes(), None),
        Err(EntryError::UnauthorizedKey)
    );
    assert!(matches!(log.request(2, |_| ()), Err(WriteError::Signer)));
}

#[test]
fn new_keys_do_not_sign_their_own_entry() {
    let log = Log::new(|_| ());
    let rotate = |update: &mut Update<'_>| update.parameters.update_keys = Some(multikeys(&[2]));
    assert!(matches!(log.request(2, rotate), Err(WriteError::Signer)));
    let mut log = log;
    log.update(1, rotate);
    assert!(
        matches!(log.request(1, |_| ()), Err(WriteError::Signer)),
        "the old key is no longer active"
    );
    assert!(log.request(2, |_| ()).is_ok());
}

/// The proof of the genuine next entry after `change`; the entry itself stays as it is.
fn with_proof(change: impl FnOnce(&mut Value)) -> Result<LogState, EntryError> {
    let log = Log::new(|_| ());
    let mut entry = value(&log.next(1, |_| ()));
    change(&mut entry["proof"]);
    log.state.append(entry.to_string().as_bytes(), None)
}

#[test]
fn wrong_cryptosuite_is_refused() {
    assert!(with_proof(|_| ()).is_ok());
    for suite in [json!("ecdsa-jcs-2019"), json!("eddsa-rdfc-2022"), json!(null)] {
        let found = with_proof(|proof| proof[0]["cryptosuite"] = suite);
        assert!(
            matches!(
                found,
                Err(EntryError::Proof(data_integrity::ProofError::Member {
                    member: "cryptosuite",
                    ..
                }))
            ),
            "{found:?}"
        );
    }
    let found = with_proof(|proof| drop(proof[0].as_object_mut().unwrap().remove("cryptosuite")));
    assert!(matches!(found, Err(EntryError::Proof(_))));
}

#[test]
fn wrong_type_purpose_and_method_of_the_proof_are_refused() {
    let set = |member: &'static str, value: Value| with_proof(move |proof| proof[0][member] = value);
    assert!(matches!(
        set("type", json!("Ed25519Signature2020")),
        Err(EntryError::Proof(_))
    ));
    assert!(matches!(
        set("proofPurpose", json!("authentication")),
        Err(EntryError::Member {
            member: "proofPurpose",
            ..
        })
    ));
    assert!(matches!(
        set("verificationMethod", json!(7)),
        Err(EntryError::Member {
            member: "verificationMethod",
            ..
        })
    ));
    let (one, two) = (public(1).to_multikey(), public(2).to_multikey());
    // An authorized name in the body, another key in the fragment, and the other way round.
    for (body, fragment) in [(&one, &two), (&two, &one)] {
        let found = set("verificationMethod", json!(format!("did:key:{body}#{fragment}")));
        assert!(
            matches!(found, Err(EntryError::ProofKey(key::DidKeyError::Fragment))),
            "{found:?}"
        );
    }
    assert!(matches!(
        set("verificationMethod", json!("did:web:a.example#k")),
        Err(EntryError::ProofKey(_))
    ));
}

#[test]
fn changed_proof_is_refused() {
    let found = with_proof(|proof| proof[0]["created"] = json!("2020-01-01T00:00:00Z"));
    assert!(
        matches!(found, Err(EntryError::Proof(data_integrity::ProofError::Signature(_)))),
        "{found:?}"
    );
}

#[test]
fn replayed_proof_is_refused() {
    let log = Log::new(|_| ());
    let earlier = value(&log.lines[0])["proof"].clone();
    let found = with_proof(|proof| *proof = earlier);
    assert!(
        matches!(found, Err(EntryError::Proof(data_integrity::ProofError::Signature(_)))),
        "{found:?}"
    );
}

#[test]
fn every_proof_must_verify() {
    let found = with_proof(|proof| {
        let mut second = proof[0].clone();
        second["created"] = json!("2020-01-01T00:00:00Z");
        proof.as_array_mut().unwrap().push(second);
    });
    assert!(matches!(found, Err(EntryError::Proof(_))));
    let doubled = with_proof(|proof| *proof = json!([proof[0], proof[0]]));
    assert!(doubled.is_ok(), "two good proofs");
}

#[test]
fn proof_that_expired_before_the_entry_is_refused() {
    let log = Log::new(|_| ());
    for (expires, good) in [
        ("2030-01-01T00:00:00Z", true),
        ("2023-11-14T22:13:21Z", false),
        ("never", false),
    ] {
        let mut entry = value(&log.next(1, |_| ()));
        entry.as_object_mut().unwrap().remove("proof");
        let mut configuration = write::proof_configuration(&public(1), at(0));
        configuration.insert("expires".into(), expires.into());
        let unsigned = entry.as_object().unwrap();
        let request = data_integrity::jcs_sign(JcsSuite::EddsaJcs2022, Algorithm::EdDsa, unsigned, configuration);
        let request = request.unwrap();
        entry["proof"] = json!([signer(1).fulfil(request).unwrap()]);
        let found = log.state.append(entry.to_string().as_bytes(), None);
        assert_eq!(found.is_ok(), good, "{expires}");
        assert!(good || found == Err(EntryError::ProofExpired));
    }
}

#[test]
fn pre_rotation_binds_the_next_keys() {
    let mut log = Log::new(|parameters| parameters.next_key_hashes = Some(hashes(&[2, 3])));
    let rotate = |to: &'static [u8], next: &'static [u8]| {
        move |update: &mut Update<'_>| {
            update.parameters.update_keys = Some(multikeys(to));
            update.parameters.next_key_hashes = Some(hashes(next));
        }
    };
    // Signed by the committed key that it reveals, not by the old one.
    assert!(matches!(log.request(1, rotate(&[2], &[4])), Err(WriteError::Signer)));
    assert!(matches!(
        log.request(1, rotate(&[1], &[4])),
        Err(WriteError::Entry(EntryError::Parameters(
            ParameterError::PreRotation { .. }
        )))
    ));
    log.update(2, rotate(&[2], &[4]));
    // Committed to once, but not by the entry before.
    assert!(log.request(3, rotate(&[3], &[5])).is_err());
    log.update(4, rotate(&[4], &[]));
    // Pre-rotation has ended: the old key signs again.
    log.update(4, |update| update.parameters.update_keys = Some(multikeys(&[9])));
    assert!(log.request(9, |_| ()).is_ok());
}

#[test]
fn omitted_pre_rotated_keys_are_refused() {
    let log = Log::new(|parameters| parameters.next_key_hashes = Some(hashes(&[2])));
    let genuine = json!({"updateKeys": multikeys(&[2]), "nextKeyHashes": hashes(&[3])});
    let forged = |parameters: Value, by| {
        let mut entry = value(&log.next(2, |update| {
            update.parameters.update_keys = Some(multikeys(&[2]));
            update.parameters.next_key_hashes = Some(hashes(&[3]));
        }));
        entry.as_object_mut().unwrap().remove("proof");
        entry["parameters"] = parameters;
        log.state
            .append(signed(entry, log.state.version_id(), by).as_bytes(), None)
    };
    assert!(forged(genuine, 2).is_ok());
    for parameters in [
        json!({}),
        json!({"updateKeys": multikeys(&[2])}),
        json!({"nextKeyHashes": hashes(&[3])}),
    ] {
        for by in [1, 2] {
            let found = forged(parameters.clone(), by);
            assert!(
                matches!(found, Err(EntryError::Parameters(ParameterError::PreRotation { .. }))),
                "{parameters}"
            );
        }
    }
}
