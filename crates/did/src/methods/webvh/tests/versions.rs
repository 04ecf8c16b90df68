//! Versions, moves and the end of a DID.

use super::witnesses::witnessed;
use super::*;

#[test]
fn deactivated_did_has_no_document_and_no_future() {
    let mut log = Log::new(|_| ());
    let before = log.state.clone();
    let line = signer(1)
        .fulfil(log.state.deactivate(at(1), &public(1)).unwrap())
        .unwrap();
    log.state = log.state.append(line.as_bytes(), None).unwrap();
    log.lines.push(line);
    let resolution = log.resolve(&VersionQuery::Latest).unwrap();
    assert!(resolution.document().is_none());
    assert_eq!(resolution.metadata()["deactivated"], true);
    let earlier = log.resolve(&VersionQuery::Number(1)).unwrap();
    assert!(earlier.document().is_some());
    assert_eq!(
        earlier.metadata()["deactivated"],
        true,
        "an earlier version tells it too"
    );
    assert_eq!(
        log.request(1, |_| ()).unwrap_err(),
        WriteError::Entry(EntryError::AfterDeactivation)
    );
    // What would be a good entry but for the deactivation.
    let other = Log {
        lines: Vec::new(),
        state: before,
    }
    .next(1, |_| ());
    assert_eq!(
        log.state.append(other.as_bytes(), None),
        Err(EntryError::AfterDeactivation)
    );
}

#[test]
fn pre_rotation_must_end_before_the_did() {
    let log = Log::new(|parameters| parameters.next_key_hashes = Some(hashes(&[2])));
    assert!(matches!(
        log.state.deactivate(at(1), &public(1)),
        Err(WriteError::Parameters { .. })
    ));
}

/// The document of `log` at its new place.
fn moved(log: &Log, trace: bool) -> Value {
    let mut document = value(
        &document()
            .to_string()
            .replace(HOME, ELSEWHERE)
            .replace(SCID_PLACEHOLDER, log.state.scid()),
    );
    if trace {
        document["alsoKnownAs"] = json!([log.state.did()]);
    }
    document
}

#[test]
fn portable_did_moves_and_keeps_its_history() {
    let mut log = Log::new(|_| ());
    let old = log.state.did().clone();
    let document = moved(&log, true);
    log.update(1, |update| update.document = Some(document));
    assert!(log.state.did().as_str().ends_with(":elsewhere.example:a"));
    for did in [&old, log.state.did()] {
        let resolution = resolve_log(Some(did), &log.bytes(), None, &VersionQuery::Latest, None).unwrap();
        assert_eq!(resolution.document().unwrap().id(), log.state.did());
    }
    let never = Did::parse(&old.as_str().replace("agency", "never")).unwrap();
    let found = resolve_log(Some(&never), &log.bytes(), None, &VersionQuery::Latest, None);
    assert!(matches!(found, Err(ResolveLogError::OtherDid { .. })));
}

#[test]
fn move_without_trace_or_portability_is_refused() {
    let log = Log::new(|_| ());
    let trackless = moved(&log, false);
    let found = log.forged(1, |entry| entry["state"] = trackless);
    assert_eq!(found, Err(EntryError::MovedWithoutTrace));
    let bound = Log::new(|parameters| parameters.portable = Some(false));
    let document = moved(&bound, true);
    assert_eq!(
        bound.forged(1, |entry| entry["state"] = document),
        Err(EntryError::NotPortable)
    );
    let mut ended = Log::new(|_| ());
    ended.update(1, |update| update.parameters.portable = Some(false));
    let document = moved(&ended, true);
    assert_eq!(
        ended.forged(1, |entry| entry["state"] = document),
        Err(EntryError::NotPortable)
    );
}

#[test]
fn log_of_another_did_is_refused() {
    let log = Log::new(|_| ());
    let other = Log::new(|parameters| parameters.ttl = Some(1));
    let found = resolve_log(Some(other.state.did()), &log.bytes(), None, &VersionQuery::Latest, None);
    assert!(matches!(found, Err(ResolveLogError::OtherDid { .. })));
}

fn three_versions() -> Log {
    let mut log = Log::new(|_| ());
    log.update(1, |update| update.time = at(100));
    log.update(1, |update| update.time = at(200));
    log
}

pub(super) fn number(resolution: Result<Resolution, ResolveLogError>) -> Result<u64, ResolveLogError> {
    resolution.map(|resolution| resolution.selected().version_number())
}

#[test]
fn versions_are_found_by_id_number_and_time() {
    let log = three_versions();
    let second = value(&log.lines[1])["versionId"].as_str().unwrap().to_owned();
    for (query, expected) in [
        (VersionQuery::Latest, Ok(3)),
        (VersionQuery::Id(second), Ok(2)),
        (VersionQuery::Id("2-Qm".into()), Err(ResolveLogError::VersionNotFound)),
        (VersionQuery::Number(1), Ok(1)),
        (VersionQuery::Number(4), Err(ResolveLogError::VersionNotFound)),
        (VersionQuery::Time(at(-1)), Err(ResolveLogError::VersionNotFound)),
        (VersionQuery::Time(at(0)), Ok(1)),
        (VersionQuery::Time(at(99)), Ok(1)),
        (VersionQuery::Time(at(100)), Ok(2)),
        (VersionQuery::Time(at(999)), Ok(3)),
    ] {
        assert_eq!(number(log.resolve(&query)), expected, "{query:?}");
    }
}

#[test]
fn invalid_end_leaves_the_earlier_versions_resolvable() {
    let mut log = three_versions();
    log.lines[2] = log.lines[2].replace("key-1", "key-2");
    let fault = ResolveLogError::Entry {
        number: 3,
        source: EntryError::EntryHash,
    };
    for (query, expected) in [
        (VersionQuery::Latest, Err(fault.clone())),
        (VersionQuery::Number(2), Ok(2)),
        (VersionQuery::Number(3), Err(fault.clone())),
        (VersionQuery::Time(at(50)), Ok(1)),
        // Whether version 2 was still active then, nobody can tell.
        (VersionQuery::Time(at(150)), Err(fault)),
    ] {
        assert_eq!(number(log.resolve(&query)), expected, "{query:?}");
    }
}

#[test]
fn version_queries_are_read_from_did_urls() {
    let of = |query: &str| VersionQuery::of_url(&DidUrl::parse(&format!("did:webvh:a{query}")).unwrap());
    assert_eq!(of(""), Some(VersionQuery::Latest));
    assert_eq!(of("?versionId=1-Qm"), Some(VersionQuery::Id("1-Qm".into())));
    assert_eq!(of("?versionNumber=12"), Some(VersionQuery::Number(12)));
    assert_eq!(of("?versionTime=2023-11-14T22:13:20Z"), Some(VersionQuery::Time(at(0))));
    for bad in [
        "?versionNumber=+1",
        "?versionNumber=",
        "?versionTime=yesterday",
        "?versionId=1-Qm&versionNumber=1",
    ] {
        assert_eq!(of(bad), None, "{bad}");
    }
}

#[test]
fn sizes_are_limited() {
    let log = Log::new(|_| ());
    assert_eq!(
        resolve_log(None, b"", None, &VersionQuery::Latest, None),
        Err(ResolveLogError::Size { found: 0 })
    );
    let large = vec![b' '; MAX_LOG_BYTES + 1];
    assert_eq!(
        resolve_log(None, &large, None, &VersionQuery::Latest, None),
        Err(ResolveLogError::Size { found: large.len() })
    );
    let padded = format!("{}{}", log.lines[0], " ".repeat(MAX_LINE_BYTES));
    assert!(matches!(
        LogState::genesis(padded.as_bytes(), None),
        Err(EntryError::Json(_))
    ));
}

#[test]
fn state_survives_storage() {
    let log = witnessed();
    let stored = log.state.to_stored();
    let read = LogState::from_authenticated_store(&stored).unwrap();
    assert_eq!(read, log.state);
    assert!(read.append(log.next(1, |_| ()).as_bytes(), None).is_ok());
    for member in [
        "scid",
        "created",
        "versionId",
        "versionTime",
        "parameters",
        "requiredWitnesses",
        "state",
    ] {
        let mut broken = stored.clone();
        broken.as_object_mut().unwrap().remove(member);
        assert_eq!(
            LogState::from_authenticated_store(&broken),
            Err(StoredStateError),
            "{member}"
        );
    }
}
