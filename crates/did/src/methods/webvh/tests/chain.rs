//! The chain of entries: hashes, SCID, numbers, times.

use super::*;

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
    // A P-256 key can be listed, but eddsa-jcs-2022 cannot be signed with it.
    let p256 = SoftwareKey::from_secret(Algorithm::Es256, &[7; 32]).unwrap();
    let key = keys::Signer::public_key(&p256);
    let parameters = ParameterChanges {
        update_keys: Some(vec![key.to_multikey()]),
        ..ParameterChanges::default()
    };
    let found = create(NewLog {
        document: document(),
        parameters,
        time: at(0),
        signer: key,
    });
    assert!(matches!(found, Err(WriteError::Signer)));
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
