//! Logs written by us, read by us, and broken in one place at a time.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::entry::canonical;
use super::*;
use crate::Did;
use crate::DidUrl;
use crate::Purpose;
use crate::document::NewMethod;
use crate::document::new_document;
use crate::methods::key;

const HOME: &str = "did:webvh:{SCID}:agency.example";
const ELSEWHERE: &str = "did:webvh:{SCID}:elsewhere.example:a";

fn signer(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
}

fn public(number: u8) -> PublicKey {
    keys::Signer::public_key(&signer(number)).clone()
}

fn multikeys(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(|number| public(*number).to_multikey()).collect()
}

fn hashes(numbers: &[u8]) -> Vec<String> {
    numbers
        .iter()
        .map(|number| key_hash(&public(*number).to_multikey()))
        .collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000 + seconds)
}

fn document() -> Value {
    new_document(
        HOME,
        &[NewMethod {
            fragment: "key-1",
            key: &public(100),
            purposes: &[Purpose::AssertionMethod],
        }],
    )
}

/// A log under construction: its lines and the state after them.
#[derive(Clone)]
struct Log {
    lines: Vec<String>,
    state: LogState,
}

impl Log {
    /// Key 1 may update; `change` may say more.
    fn new(change: impl FnOnce(&mut ParameterChanges)) -> Self {
        let mut parameters = ParameterChanges {
            update_keys: Some(multikeys(&[1])),
            portable: Some(true),
            ..ParameterChanges::default()
        };
        change(&mut parameters);
        let creation = create(NewLog {
            document: document(),
            parameters,
            time: at(0),
            signer: &public(1),
        })
        .unwrap();
        let line = signer(1).fulfil(creation.line).unwrap();
        let state = LogState::genesis(line.as_bytes(), None).unwrap();
        assert_eq!(state.did(), &creation.did);
        Self {
            lines: vec![line],
            state,
        }
    }

    fn update(&mut self, by: u8, change: impl FnOnce(&mut Update<'_>)) {
        let line = self.next(by, change);
        self.state = self.state.append(line.as_bytes(), None).unwrap();
        self.lines.push(line);
    }

    /// The next line, not appended.
    fn next(&self, by: u8, change: impl FnOnce(&mut Update<'_>)) -> String {
        signer(by).fulfil(self.request(by, change).unwrap()).unwrap()
    }

    fn request(&self, by: u8, change: impl FnOnce(&mut Update<'_>)) -> Result<SigningRequest<String>, WriteError> {
        let key = public(by);
        let time = self.state.version_time().plus(1);
        let mut update = Update {
            document: None,
            parameters: ParameterChanges::default(),
            time,
            signer: &key,
        };
        change(&mut update);
        self.state.update(update)
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.join("\n").into_bytes()
    }

    fn resolve(&self, query: &VersionQuery) -> Result<Resolution, ResolveLogError> {
        resolve_log(Some(self.state.did()), &self.bytes(), None, query, None)
    }

    /// A next entry with `change` applied after all of the writer's own checks, hashed and signed anew
    /// by `by`: only what `change` broke is broken.
    fn forged(&self, by: u8, change: impl FnOnce(&mut Value)) -> Result<LogState, EntryError> {
        let mut entry = value(&self.next(by, |_| ()));
        entry.as_object_mut().unwrap().remove("proof");
        change(&mut entry);
        self.state
            .append(signed(entry, self.state.version_id(), by).as_bytes(), None)
    }
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// The entry with its hash and proof made again.
fn signed(mut entry: Value, previous: &str, by: u8) -> String {
    let number = entry["versionId"]
        .as_str()
        .unwrap()
        .split('-')
        .next()
        .unwrap()
        .to_owned();
    let hash = entry::entry_hash(entry.as_object().unwrap(), previous).unwrap();
    entry["versionId"] = format!("{number}-{hash}").into();
    let request = keys::data_integrity::eddsa_jcs_sign(&entry, write::proof_configuration(&public(by), at(0))).unwrap();
    entry["proof"] = json!([signer(by).fulfil(request).unwrap()]);
    canonical(&entry).unwrap()
}

/// The first entry with `change` applied and everything made anew but the SCID.
fn forged_genesis(change: impl FnOnce(&mut Value)) -> Result<LogState, EntryError> {
    let log = Log::new(|_| ());
    let mut entry = value(&log.lines[0]);
    entry.as_object_mut().unwrap().remove("proof");
    change(&mut entry);
    let scid = entry["parameters"]["scid"].as_str().unwrap_or_default().to_owned();
    LogState::genesis(signed(entry, &scid, 1).as_bytes(), None)
}

#[test]
fn created_log_resolves_to_its_document() {
    let log = Log::new(|_| ());
    let resolution = log.resolve(&VersionQuery::Latest).unwrap();
    let did = log.state.did();
    assert_eq!(did.as_str(), format!("did:webvh:{}:agency.example", log.state.scid()));
    let method = DidUrl::parse(&format!("{did}#key-1")).unwrap();
    assert_eq!(
        resolution
            .document()
            .unwrap()
            .key_for(&method, Purpose::AssertionMethod)
            .unwrap(),
        public(100)
    );
    let metadata = resolution.metadata();
    assert_eq!(metadata["versionId"], log.state.version_id());
    assert_eq!(metadata["created"], "2023-11-14T22:13:20Z");
    assert_eq!(metadata["ttl"], "3600");
    assert_eq!(
        (&metadata["portable"], &metadata["deactivated"]),
        (&json!(true), &json!(false))
    );
}

#[test]
fn updates_change_document_and_keys() {
    let mut log = Log::new(|_| ());
    log.update(1, |update| update.parameters.update_keys = Some(multikeys(&[2])));
    log.update(2, |update| {
        let mut document = value(
            &document()
                .to_string()
                .replace(SCID_PLACEHOLDER, log_scid(update.signer)),
        );
        document["alsoKnownAs"] = json!(["did:web:agency.example"]);
        update.document = Some(document);
    });
    assert_eq!(log.state.version_number(), 3);
    assert_eq!(log.state.document().also_known_as().count(), 1);
}

/// The SCID of every [`Log::new`] without changes is the same, for its time and keys are.
fn log_scid(_: &PublicKey) -> &'static str {
    static SCID: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SCID.get_or_init(|| Log::new(|_| ()).state.scid().to_owned())
}

#[test]
fn genesis_is_genuine_when_nothing_is_changed() {
    assert!(forged_genesis(|_| ()).is_ok());
    let log = Log::new(|_| ());
    assert!(log.forged(1, |_| ()).is_ok());
}

#[test]
fn tampered_scid_is_refused() {
    // Another SCID throughout, hashed and signed anew: only that it is no hash of the entry shows.
    let scid = Log::new(|_| ()).state.scid().to_owned();
    let other = hash("another entry");
    let found = forged_genesis(|entry| *entry = entry::replace(entry, &scid, &other));
    assert_eq!(found, Err(EntryError::Scid));
    let found = forged_genesis(|entry| entry["versionTime"] = json!("2023-11-14T22:13:21Z"));
    assert_eq!(found, Err(EntryError::Scid));
}

#[test]
fn scid_of_another_hash_is_refused() {
    let scid = Log::new(|_| ()).state.scid().to_owned();
    // 46 characters of base58, but no SHA-256 multihash.
    let found = forged_genesis(|entry| *entry = entry::replace(entry, &scid, &"z".repeat(46)));
    assert_eq!(found, Err(EntryError::HashAlgorithm { member: "scid" }));
}

#[test]
fn placeholder_left_in_the_first_entry_is_refused() {
    let found = forged_genesis(|entry| entry["state"]["alsoKnownAs"] = json!(["{SCID}"]));
    assert_eq!(found, Err(EntryError::Placeholder));
}

#[test]
fn scid_of_the_document_must_be_that_of_the_log() {
    let log = Log::new(|_| ());
    let other = hash("another entry");
    let found = log.forged(1, |entry| {
        entry["state"]["id"] = format!("did:webvh:{other}:agency.example").into();
    });
    assert!(matches!(found, Err(EntryError::ScidChanged { .. })), "{found:?}");
}

#[test]
fn state_must_be_of_a_did_webvh() {
    let log = Log::new(|_| ());
    for bad in [
        "did:web:agency.example".to_owned(),
        format!("did:webvh:{}:127.0.0.1", log.state.scid()),
        format!("did:webvh:{}:a.example:%2e%2e", log.state.scid()),
    ] {
        let found = log.forged(1, |entry| entry["state"]["id"] = bad.clone().into());
        assert!(matches!(found, Err(EntryError::Identifier(_))), "{bad}");
    }
}

#[test]
fn changed_entry_is_refused() {
    let log = Log::new(|_| ());
    let line = log.next(1, |_| ());
    let changed = line.replace("key-1", "key-2");
    assert_eq!(log.state.append(changed.as_bytes(), None), Err(EntryError::EntryHash));
}

#[test]
fn skipped_and_repeated_versions_are_refused() {
    let log = Log::new(|_| ());
    for number in [1, 3, 99] {
        let found = log.forged(1, |entry| {
            entry["versionId"] = entry["versionId"]
                .as_str()
                .unwrap()
                .replacen('2', &number.to_string(), 1)
                .into();
        });
        assert_eq!(
            found,
            Err(EntryError::VersionNumber {
                expected: 2,
                found: number
            })
        );
    }
}

#[test]
fn skipped_entry_breaks_the_chain() {
    let mut log = Log::new(|_| ());
    let before = log.state.clone();
    log.update(1, |_| ());
    let third = log.next(1, |_| ());
    assert!(log.state.append(third.as_bytes(), None).is_ok());
    assert_eq!(
        before.append(third.as_bytes(), None),
        Err(EntryError::VersionNumber { expected: 2, found: 3 })
    );
    // Renumbered and signed anew, but chained to the skipped entry.
    let mut entry = value(&third);
    entry.as_object_mut().unwrap().remove("proof");
    entry["versionId"] = entry["versionId"].as_str().unwrap().replacen('3', "2", 1).into();
    let line = signed(entry, log.state.version_id(), 1);
    assert_eq!(before.append(line.as_bytes(), None), Err(EntryError::EntryHash));
}

#[test]
fn version_times_must_increase() {
    let log = Log::new(|_| ());
    for (time, good) in [(at(1), true), (at(0), false), (at(-1), false)] {
        let found = log.forged(1, |entry| entry["versionTime"] = time.to_rfc3339().into());
        assert_eq!(found.is_ok(), good, "{time}");
        if !good {
            assert_eq!(
                found,
                Err(EntryError::NotLater {
                    previous: at(0),
                    found: time
                })
            );
        }
    }
    // Fractions do not make a second.
    let found = log.forged(1, |entry| entry["versionTime"] = "2023-11-14T22:13:20.9Z".into());
    assert!(matches!(found, Err(EntryError::NotLater { .. })));
}

#[test]
fn future_version_time_is_refused_beyond_five_minutes() {
    let log = Log::new(|_| ());
    let line = log.next(1, |update| update.time = at(300));
    assert!(log.state.append(line.as_bytes(), Some(at(0))).is_ok());
    let found = log.state.append(line.as_bytes(), Some(at(-1)));
    assert_eq!(
        found,
        Err(EntryError::Future {
            now: at(-1),
            found: at(300)
        })
    );
    let first = log.lines[0].as_bytes();
    assert!(matches!(
        LogState::genesis(first, Some(at(-301))),
        Err(EntryError::Future { .. })
    ));
    assert!(LogState::genesis(first, Some(at(-300))).is_ok());
}

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
                Err(EntryError::Proof(keys::data_integrity::ProofError::Member {
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
        matches!(
            found,
            Err(EntryError::Proof(keys::data_integrity::ProofError::Signature(_)))
        ),
        "{found:?}"
    );
}

#[test]
fn replayed_proof_is_refused() {
    let log = Log::new(|_| ());
    let earlier = value(&log.lines[0])["proof"].clone();
    let found = with_proof(|proof| *proof = earlier);
    assert!(
        matches!(
            found,
            Err(EntryError::Proof(keys::data_integrity::ProofError::Signature(_)))
        ),
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
        let request = keys::data_integrity::eddsa_jcs_sign(&entry, configuration).unwrap();
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

fn number(resolution: Result<Resolution, ResolveLogError>) -> Result<u64, ResolveLogError> {
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

/// A log with two of the witnesses 11, 12, 13 required from the first entry on.
fn witnessed() -> Log {
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

#[test]
fn creation_needs_a_template_a_key_and_a_host() {
    let with = |document: Value, keys: Option<Vec<String>>, by: u8| {
        let parameters = ParameterChanges {
            update_keys: keys,
            ..ParameterChanges::default()
        };
        create(NewLog {
            document,
            parameters,
            time: at(0),
            signer: &public(by),
        })
        .map(|creation| creation.did)
    };
    assert!(with(document(), Some(multikeys(&[1])), 1).is_ok());
    assert_eq!(
        with(json!({"id": "did:web:a.example"}), Some(multikeys(&[1])), 1),
        Err(WriteError::Template)
    );
    assert!(matches!(
        with(json!({"id": "did:webvh:{SCID}:localhost"}), Some(multikeys(&[1])), 1),
        Err(WriteError::Entry(EntryError::Identifier(_)))
    ));
    assert_eq!(with(document(), Some(multikeys(&[2])), 1), Err(WriteError::Signer));
    assert!(matches!(
        with(document(), None, 1),
        Err(WriteError::Entry(EntryError::Parameters(ParameterError::Missing {
            member: "updateKeys"
        })))
    ));
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..256)) {
        let _ = resolve_log(None, &bytes, Some(&bytes), &VersionQuery::Latest, None);
        let _ = LogState::genesis(&bytes, None);
        let _ = WitnessFile::parse(&bytes);
        let _ = crate::Document::parse(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        let _ = DidUrl::parse(&text);
    }

    #[test]
    fn no_change_of_a_byte_passes_unnoticed(position in 0_usize..1500, byte in 0x20_u8..0x7f) {
        let log = Log::new(|_| ());
        let mut line = log.lines[0].clone().into_bytes();
        let position = position % line.len();
        let same = line[position] == byte;
        line[position] = byte;
        proptest::prop_assert_eq!(LogState::genesis(&line, None).is_ok(), same);
    }
}
