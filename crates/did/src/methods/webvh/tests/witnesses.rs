//! Approvals of witnesses.

use super::versions::number;
use super::*;

/// A log with two of the witnesses 11, 12, 13 required from the first entry on.
pub(super) fn witnessed() -> Log {
    let mut log = Log::new(|parameters| {
        parameters.witness = Some(Some(Witnesses::new(2, &[public(11), public(12), public(13)]).unwrap()));
    });
    log.update(1, |_| ());
    log
}

fn approvals(approvals: &[(&Log, usize, u8)]) -> WitnessFile {
    let mut file = WitnessFile::default();
    for (log, version, witness) in approvals {
        let id = value(&log.lines[version - 1])["versionId"].as_str().unwrap().to_owned();
        let request = witness::approve(&id, &public(*witness), at(500)).unwrap();
        file.add(&id, signer(*witness).fulfil(request).unwrap());
    }
    file
}

fn with_witnesses(log: &Log, file: &WitnessFile) -> Result<u64, ResolveLogError> {
    number(resolve_log(
        None,
        &log.bytes(),
        Some(&file.to_vec()),
        &VersionQuery::Latest,
        None,
    ))
}

fn too_few(version: u64, found: usize) -> Result<u64, ResolveLogError> {
    Err(ResolveLogError::Witness(witness::WitnessError::TooFew {
        version,
        expected: 2,
        found,
    }))
}

#[test]
fn later_approval_covers_earlier_versions() {
    let log = witnessed();
    assert_eq!(with_witnesses(&log, &approvals(&[(&log, 2, 11), (&log, 2, 13)])), Ok(2));
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&log, 1, 11), (&log, 1, 13)])),
        too_few(2, 0)
    );
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&log, 1, 11), (&log, 2, 13)])),
        too_few(2, 1)
    );
}

#[test]
fn one_witness_counts_once() {
    let log = witnessed();
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&log, 2, 11), (&log, 2, 11)])),
        too_few(1, 1)
    );
}

#[test]
fn strangers_and_unpublished_versions_do_not_count() {
    let log = witnessed();
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&log, 2, 11), (&log, 2, 99)])),
        too_few(1, 1)
    );
    let mut longer = log.clone();
    longer.update(1, |_| ());
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&longer, 3, 11), (&longer, 3, 12)])),
        too_few(1, 0)
    );
}

#[test]
fn replayed_witness_proof_does_not_count() {
    let log = witnessed();
    // Proofs of version 1, offered as proofs of version 2.
    let old: Value = serde_json::from_slice(&approvals(&[(&log, 1, 11), (&log, 1, 12)]).to_vec()).unwrap();
    let mut replayed = WitnessFile::default();
    for proof in old[0]["proof"].as_array().unwrap() {
        replayed.add(log.state.version_id(), proof.clone());
    }
    assert_eq!(with_witnesses(&log, &replayed), too_few(1, 0));
}

#[test]
fn witness_proof_with_wrong_purpose_suite_or_fragment_does_not_count() {
    let log = witnessed();
    let genuine = approvals(&[(&log, 2, 11), (&log, 2, 12)]);
    assert_eq!(with_witnesses(&log, &genuine), Ok(2));
    let other = public(13).to_multikey();
    for (member, bad) in [
        ("proofPurpose", json!("authentication")),
        ("cryptosuite", json!("ecdsa-jcs-2019")),
        (
            "verificationMethod",
            json!(format!("did:key:{}#{other}", public(11).to_multikey())),
        ),
        ("verificationMethod", json!(key::method_id(&public(13)))),
    ] {
        let mut file: Value = serde_json::from_slice(&genuine.to_vec()).unwrap();
        file[0]["proof"][0][member] = bad;
        let found = with_witnesses(&log, &WitnessFile::parse(file.to_string().as_bytes()).unwrap());
        assert_eq!(found, too_few(1, 1), "{member}");
    }
}

#[test]
fn first_witnesses_act_at_once_and_new_ones_from_the_next_entry() {
    let mut log = Log::new(|_| ());
    assert!(log.state.required_witnesses().is_none());
    let two_of = |keys: &[u8]| {
        Some(Some(
            Witnesses::new(2, &keys.iter().map(|key| public(*key)).collect::<Vec<_>>()).unwrap(),
        ))
    };
    log.update(1, |update| update.parameters.witness = two_of(&[11, 12]));
    assert!(
        log.state
            .required_witnesses()
            .unwrap()
            .contains(&Did::parse(&key::did(&public(11))).unwrap())
    );
    log.update(1, |update| update.parameters.witness = two_of(&[13, 14]));
    assert!(
        log.state
            .required_witnesses()
            .unwrap()
            .contains(&Did::parse(&key::did(&public(11))).unwrap())
    );
    // The old witnesses approve the entry that ends their office; the new ones alone do not do.
    assert_eq!(with_witnesses(&log, &approvals(&[(&log, 3, 11), (&log, 3, 12)])), Ok(3));
    assert_eq!(
        with_witnesses(&log, &approvals(&[(&log, 3, 13), (&log, 3, 14)])),
        too_few(2, 0)
    );
    log.update(1, |update| update.parameters.witness = Some(None));
    assert!(
        log.state
            .required_witnesses()
            .unwrap()
            .contains(&Did::parse(&key::did(&public(13))).unwrap())
    );
    log.update(1, |_| ());
    assert!(log.state.required_witnesses().is_none());
}

#[test]
fn versions_before_the_missing_approval_stand() {
    let log = witnessed();
    let file = approvals(&[(&log, 1, 11), (&log, 1, 12)]).to_vec();
    let of = |query| number(resolve_log(None, &log.bytes(), Some(&file), &query, None));
    assert_eq!(of(VersionQuery::Number(1)), Ok(1));
    assert_eq!(of(VersionQuery::Latest), too_few(2, 0));
}

#[test]
fn resolution_fetches_the_log_and_then_the_witnesses() {
    use crate::resolve::Options;
    use crate::resolve::ResolutionError;
    use crate::resolve::Step;
    use crate::resolve::resolve;

    let log = witnessed();
    let start = || {
        resolve(
            log.state.did(),
            Options {
                version: VersionQuery::Latest,
                now: at(1000),
            },
        )
    };
    let Ok(Step::Fetch(first)) = start() else {
        panic!("expected something to fetch")
    };
    assert_eq!(
        (first.url(), first.limit()),
        ("https://agency.example/.well-known/did.jsonl", MAX_LOG_BYTES)
    );
    let Ok(Step::Fetch(second)) = first.resume(Some(&log.bytes())) else {
        panic!("expected something more to fetch")
    };
    assert_eq!(second.url(), "https://agency.example/.well-known/did-witness.json");
    let file = approvals(&[(&log, 2, 11), (&log, 2, 12)]).to_vec();
    let Ok(Step::Done(resolved)) = second.resume(Some(&file)) else {
        panic!("expected a document")
    };
    assert_eq!(resolved.document.unwrap().id(), log.state.did());
    assert_eq!(resolved.metadata["witness"]["threshold"], "2");
    let Ok(Step::Fetch(first)) = start() else {
        panic!("expected something to fetch")
    };
    assert_eq!(first.resume(None).unwrap_err(), ResolutionError::NotFound);
}
