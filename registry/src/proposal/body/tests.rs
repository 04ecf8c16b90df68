//! Each member broken once, after the genuine proposal is read.

use keys::PublicKey;
use serde_json::json;
use trust::entry::APPROVAL_ALGORITHMS;
use trust::entry::Authority;
use trust::entry::Officer;
use trust::entry::PolicyKind;
use trust::entry::Recovery;

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_795_392_000);

const ORIGIN: &str = "registry.example/log";

fn policy() -> PolicyBody {
    PolicyBody {
        kind: PolicyKind::Regular,
        authorities: Vec::new(),
        witness_policy: "quorum none\n".to_owned(),
        state_quorum: "state".to_owned(),
        methods: vec!["webvh".to_owned()],
        algorithms: Vec::new(),
        recovery: None,
        genesis_time: Some(NOW),
        publication: None,
    }
}

/// `read` at [`NOW`], for a log with one key.
fn read(json: Value, now: Timestamp, policy: (&str, &PolicyBody)) -> Result<Proposed, BodyError> {
    let present = Present {
        now,
        policy,
        second_log_key: None,
        publication_key: None,
    };
    super::read(json, &present)
}

#[test]
fn the_second_log_key_is_the_logs_own_and_the_rest_of_the_policy_stays() {
    let key = signer::MlDsaKey::from_seed(&[9; 32]).unwrap();
    let key = VerifierKey::ml_dsa(ORIGIN, keys::ml_dsa::Signer::public_key(&key).clone()).unwrap();
    let before = policy();
    let present = |second_log_key| Present {
        now: NOW,
        policy: (ORIGIN, &before),
        second_log_key,
        publication_key: None,
    };
    let json = json!({"type": "policy", "action": "ml-dsa"});
    let proposed = super::read(json.clone(), &present(Some(&key))).unwrap();
    let expected = PolicyBody {
        witness_policy: format!("quorum none\nlog {key}\n"),
        genesis_time: None,
        ..policy()
    };
    assert_eq!(proposed.body, Body::Policy(expected));
    assert!(matches!(
        super::read(json.clone(), &present(None)),
        Err(BodyError::MlDsa)
    ));
    let refused = super::read(with(json, "log", json!(key.to_string())), &present(Some(&key)));
    assert!(matches!(refused, Err(BodyError::Members(_))));
}

#[test]
fn other_witnesses_are_read_and_the_rest_of_the_policy_stays() {
    let json = json!({
        "type": "policy", "action": "witnesses", "witness_policy": "quorum w\n", "state_quorum": "w",
    });
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!((proposed.subject.as_str(), proposed.authority), (ORIGIN, None));
    let expected = PolicyBody {
        witness_policy: "quorum w\n".to_owned(),
        state_quorum: "w".to_owned(),
        genesis_time: None,
        ..policy()
    };
    assert_eq!(proposed.body, Body::Policy(expected));
    for member in ["witness_policy", "state_quorum", "authority"] {
        let refused = read(with(json.clone(), member, json!(7)), NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{member}");
    }
}

fn officer_key(number: u8) -> PublicKey {
    let key = signer::SoftwareKey::from_secret(keys::Algorithm::EdDsa, &[number; 32]).unwrap();
    Signer::public_key(&key).clone()
}

#[test]
fn other_officers_are_read_and_the_rest_of_the_policy_stays() {
    let key = |number| officer_key(number).to_multikey();
    let json = json!({
        "type": "policy", "action": "authorities",
        "authorities": [
            {"id": "governance", "threshold": 2, "officers": [
                {"id": "b", "key": key(2), "next": "03".repeat(32)}, {"id": "a", "key": key(1)}]},
            {"id": "health", "threshold": 2, "officers": [{"id": "c", "key": key(3)}, {"id": "d", "key": key(4)}],
                "scope": ["Y", "X"]},
        ],
        "recovery": {"threshold": 2, "keys": ["02".repeat(32), "01".repeat(32)], "delay": 604_800},
    });
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    let officer = |id: &str, number, next: Option<u8>| Officer {
        id: id.to_owned(),
        key: officer_key(number),
        next: next.map(|byte| Hash::from_bytes([byte; 32])),
    };
    let expected = PolicyBody {
        authorities: vec![
            Authority {
                id: "governance".to_owned(),
                threshold: 2,
                officers: vec![officer("a", 1, None), officer("b", 2, Some(3))],
                scope: None,
            },
            Authority {
                id: "health".to_owned(),
                threshold: 2,
                officers: vec![officer("c", 3, None), officer("d", 4, None)],
                scope: Some(vec!["X".to_owned(), "Y".to_owned()]),
            },
        ],
        recovery: Some(Recovery {
            threshold: 2,
            keys: vec![Hash::from_bytes([1; 32]), Hash::from_bytes([2; 32])],
            delay: 604_800,
        }),
        genesis_time: None,
        ..policy()
    };
    assert_eq!(
        (proposed.subject.as_str(), proposed.body),
        (ORIGIN, Body::Policy(expected))
    );
    for (pointer, value) in [
        ("/authorities/0/officers/0/key", json!("z6Mk")),
        ("/authorities/0/officers/0/next", json!("03")),
        ("/authorities/0/threshold", json!("2")),
        ("/recovery/keys", json!([1])),
        ("/recovery/delay", json!(-1)),
        ("/authorities", json!({})),
    ] {
        let mut changed = json.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let refused = read(changed, NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{pointer}");
    }
}

fn changed(json: &Value) -> PolicyBody {
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    let Body::Policy(body) = proposed.body else {
        panic!("a Policy");
    };
    body
}

#[test]
fn a_recovery_speaks_for_the_authority_that_it_puts_in_place() {
    let officers = [1, 2].map(|number| json!({"id": number.to_string(), "key": officer_key(number).to_multikey()}));
    let json = json!({
        "type": "policy", "action": "recover",
        "authorities": [{"id": "restored", "threshold": 2, "officers": officers}],
    });
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!(proposed.authority.as_deref(), Some("restored"));
    assert_eq!(changed(&json).kind, PolicyKind::Recovery);
    for member in ["witness_policy", "authority", "methods"] {
        let refused = read(with(json.clone(), member, json!("x")), NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{member}");
    }
}

#[test]
fn recovery_keys_are_committed_to_or_explicitly_none() {
    let keys = json!({"threshold": 2, "keys": ["02".repeat(32), "01".repeat(32)], "delay": 604_800});
    let json = json!({"type": "policy", "action": "recovery_keys", "recovery": keys});
    let committed = changed(&json).recovery.unwrap();
    assert_eq!(committed.keys, [1, 2].map(|byte| Hash::from_bytes([byte; 32])));
    assert_eq!((committed.threshold, committed.delay), (2, 604_800));
    let none = json!({"type": "policy", "action": "recovery_keys", "recovery": null});
    assert_eq!(changed(&none).recovery, None);
    let silent = json!({"type": "policy", "action": "recovery_keys"});
    let refused = read(silent, NOW, (ORIGIN, &policy()));
    assert!(matches!(refused, Err(BodyError::Members(_))));
}

#[test]
fn methods_and_algorithms_come_in_the_order_of_the_encoding() {
    let methods = json!({"type": "policy", "action": "methods", "methods": ["webvh", "key"]});
    assert_eq!(changed(&methods).methods, ["key", "webvh"]);
    let all = json!({"type": "policy", "action": "algorithms", "algorithms": ["Ed25519", "ESP384", "ESP256"]});
    assert_eq!(changed(&all).algorithms, APPROVAL_ALGORITHMS);
    for name in ["ES256", "EdDSA", "ESP512", "ed25519"] {
        let refused = read(with(all.clone(), "algorithms", json!([name])), NOW, (ORIGIN, &policy()));
        let Err(BodyError::Members(error)) = refused else {
            panic!("expected {name} to be refused");
        };
        assert_eq!(error.to_string(), "expected one of ESP256, ESP384, Ed25519");
    }
}

#[test]
fn a_recovery_is_cancelled_by_the_policy_in_force_or_with_next_keys() {
    let cancel = json!({"type": "policy", "action": "cancel_recovery"});
    let expected = PolicyBody {
        genesis_time: None,
        ..policy()
    };
    assert_eq!(changed(&cancel), expected);
    let officers = [1, 2].map(|number| json!({"id": number.to_string(), "key": officer_key(number).to_multikey()}));
    let authorities = json!([{"id": "governance", "threshold": 2, "officers": officers}]);
    assert_eq!(changed(&with(cancel, "authorities", authorities)).authorities.len(), 1);
}

fn log() -> String {
    let key = signer::SoftwareKey::from_secret(keys::Algorithm::EdDsa, &[9; 32]).unwrap();
    let public = Signer::public_key(&key).clone();
    let key = VerifierKey::new("registry.abroad.example", trust::note::SignatureType::Ed25519, public).unwrap();
    key.to_string()
}

fn recognition_json() -> Value {
    json!({
        "type": "recognition", "action": "recognise", "log": log(), "genesis": "01".repeat(32), "size": 5,
        "root": "02".repeat(32), "may": ["verify", "issue"], "max_staleness": 3_600,
        "mapping": [{"foreign": "b", "local": "here"}, {"foreign": "a", "local": "a"}],
        "valid_until": "2027-11-23T00:00:00Z",
    })
}

#[test]
fn a_recognition_is_of_the_registry_whose_key_it_has() {
    let proposed = read(recognition_json(), NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!(
        (proposed.subject.as_str(), proposed.authority),
        ("registry.abroad.example", None)
    );
    let Body::Recognition(RecognitionBody::Recognise(terms)) = proposed.body else {
        panic!("a recognition");
    };
    let foreign: Vec<&str> = terms.mapping.iter().map(|mapping| mapping.foreign.as_str()).collect();
    assert_eq!((terms.log, terms.genesis), (log(), Hash::from_bytes([1; 32])));
    assert_eq!((terms.size, terms.root), (5, Hash::from_bytes([2; 32])));
    assert_eq!(
        (terms.actions, foreign),
        (vec![Action::Issue, Action::Verify], vec!["a", "b"])
    );
    assert_eq!(
        (terms.max_staleness, terms.valid_until.to_rfc3339().as_str()),
        (3_600, "2027-11-23T00:00:00Z")
    );
    for (member, value) in [
        ("log", json!("registry.abroad.example")),
        ("genesis", json!("01")),
        ("root", json!(1)),
        ("may", json!(["steal"])),
        ("may", json!("issue")),
        ("mapping", json!([{"foreign": "a"}])),
        ("max_staleness", json!(-1)),
        ("origin", json!("registry.abroad.example")),
    ] {
        let refused = read(with(recognition_json(), member, value), NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{member}");
    }
    let withdraw = json!({"type": "recognition", "action": "withdraw", "origin": "registry.abroad.example"});
    let proposed = read(withdraw, NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!(proposed.subject, "registry.abroad.example");
    assert_eq!(proposed.body, Body::Recognition(RecognitionBody::Withdraw));
}

fn grant_json() -> Value {
    json!({
        "type": "accreditation", "action": "grant", "id": "population", "entity": "did:web:example.com",
        "may": "issue", "resources": ["PersonIdentity", {"id": "Adult", "schemas": ["00".repeat(32)]}],
        "valid_until": "2027-11-23T00:00:00Z", "max_staleness": 86_400,
    })
}

fn with(mut json: Value, member: &str, value: Value) -> Value {
    json[member] = value;
    json
}

#[test]
fn a_grant_is_read_and_defaults_refuse() {
    let proposed = read(grant_json(), NOW, (ORIGIN, &policy())).unwrap();
    let Body::Accreditation(AccreditationBody::Grant(grant)) = proposed.body else {
        panic!("expected a grant")
    };
    assert_eq!((proposed.subject.as_str(), proposed.authority), ("population", None));
    assert_eq!((grant.action, grant.valid_from), (Action::Issue, NOW));
    assert_eq!(
        (grant.on_stale, grant.backdating),
        (OnStale::Refuse, Backdating::Refuse)
    );
    let ids: Vec<&str> = grant.resources.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids, ["Adult", "PersonIdentity"]);
    assert_eq!(grant.resources[0].schemas, [Hash::ZERO]);
    let amended = read(with(grant_json(), "action", json!("amend")), NOW, (ORIGIN, &policy())).unwrap();
    assert!(matches!(amended.body, Body::Accreditation(AccreditationBody::Amend(_))));
}

#[test]
fn another_member_or_value_is_refused() {
    for (member, value) in [
        ("unknown", json!(1)),
        ("may", json!("Issue")),
        ("valid_until", json!(1_800_000_000)),
        ("valid_from", json!(null)),
        ("max_staleness", json!("86400")),
        ("max_staleness", json!(-1)),
        ("on_stale", json!("ignore")),
        ("resources", json!("PersonIdentity")),
        ("resources", json!([{"id": "Adult", "schemas": ["00"]}])),
        ("resources", json!([{"id": "Adult", "schemas": [], "more": 1}])),
    ] {
        let refused = read(with(grant_json(), member, value.clone()), NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{member} {value}");
    }
    for member in ["id", "entity", "may", "resources", "valid_until", "max_staleness"] {
        let mut json = grant_json();
        json.as_object_mut().unwrap().remove(member);
        assert!(
            matches!(read(json, NOW, (ORIGIN, &policy())), Err(BodyError::Members(_))),
            "{member}"
        );
    }
}

#[test]
fn another_type_or_action_is_refused() {
    for (member, value) in [
        ("type", json!("policy")),
        ("action", json!("delete")),
        ("type", json!(2)),
    ] {
        assert!(matches!(
            read(with(grant_json(), member, value), NOW, (ORIGIN, &policy())),
            Err(BodyError::Kind { .. })
        ));
    }
    assert!(matches!(
        read(json!([]), NOW, (ORIGIN, &policy())),
        Err(BodyError::Object)
    ));
}

#[test]
fn changes_of_standing_are_read() {
    let change = |action: &str, more: Value| {
        let mut json = json!({"type": "accreditation", "action": action, "id": "a"});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(json, NOW, (ORIGIN, &policy())).map(|proposed| proposed.body)
    };
    let of = |body| Body::Accreditation(body);
    let (reason, unspecified) = (Reason::KeyCompromise, Reason::Unspecified);
    assert_eq!(
        change("suspend", json!({"reason": "key_compromise", "emergency": true})).unwrap(),
        of(AccreditationBody::Suspend {
            reason,
            emergency: true
        })
    );
    assert_eq!(
        change("suspend", json!({})).unwrap(),
        of(AccreditationBody::Suspend {
            reason: unspecified,
            emergency: false
        })
    );
    assert_eq!(
        change("reinstate", json!({})).unwrap(),
        of(AccreditationBody::Reinstate { reason: unspecified })
    );
    assert_eq!(
        change("revoke", json!({"since": "2026-11-23T00:00:00Z"})).unwrap(),
        of(AccreditationBody::Revoke {
            reason: unspecified,
            since: Some(NOW)
        })
    );
    assert!(change("reinstate", json!({"emergency": true})).is_err());
    assert!(change("suspend", json!({"since": "2026-11-23T00:00:00Z"})).is_err());
    assert!(change("revoke", json!({"reason": "because"})).is_err());
}

#[test]
fn a_schema_takes_its_documents_with_or_without_their_bytes() {
    let document = |more: Value| {
        let mut json = json!({"role": "context", "uri": "https://example.com/c", "media_type": "application/ld+json"});
        json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read(
            json!({
                "type": "schema", "action": "publish", "id": "s", "vct": "urn:s", "w3c_types": ["B", "A"],
                "status_required": true, "documents": [json],
            }),
            NOW,
            (ORIGIN, &policy()),
        )
    };
    let digest = Hash::digest(b"{}");
    for (more, blobs) in [
        (json!({"content": "{}"}), vec![b"{}".to_vec()]),
        (json!({"digest": digest.to_string(), "length": 2}), Vec::new()),
    ] {
        let proposed = document(more).unwrap();
        let Body::Schema(SchemaBody::Publish(schema)) = proposed.body else {
            panic!("expected a schema")
        };
        assert_eq!((schema.documents[0].digest, schema.documents[0].length), (digest, 2));
        assert_eq!(
            (schema.w3c_types, proposed.blobs),
            (vec!["A".to_owned(), "B".to_owned()], blobs)
        );
    }
    for more in [
        json!({}),
        json!({"content": "{}", "length": 2}),
        json!({"digest": digest.to_string()}),
        json!({"content": "{}", "role": "picture"}),
    ] {
        assert!(matches!(document(more), Err(BodyError::Members(_))));
    }
}

#[test]
fn incidents_and_tombstones_are_read() {
    let declared = json!({
        "type": "incident", "action": "declare", "subject": "did:web:example.com",
        "invalid_since": "2026-11-23T00:00:00Z", "reason": "key_compromise", "authority": "ministry",
    });
    let proposed = read(declared, NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!(proposed.authority.as_deref(), Some("ministry"));
    let (backdating, emergency, reason) = (Backdating::Refuse, false, Reason::KeyCompromise);
    let expected = IncidentBody::Declare {
        invalid_since: NOW,
        backdating,
        emergency,
        reason,
    };
    assert_eq!(proposed.body, Body::Incident(expected));
    let ended = json!({"type": "tombstone", "action": "end", "target": "schema", "subject": "s"});
    let target = TombstoneBody {
        target: EntryType::Schema,
        reason: Reason::Unspecified,
    };
    assert_eq!(
        read(ended.clone(), NOW, (ORIGIN, &policy())).unwrap().body,
        Body::Tombstone(target)
    );
    assert!(read(with(ended, "target", json!("policy")), NOW, (ORIGIN, &policy())).is_err());
}

#[test]
fn other_methods_are_read_and_the_rest_of_the_policy_stays() {
    let json = json!({"type": "policy", "action": "methods", "methods": ["webvh", "web"]});
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    assert_eq!((proposed.subject.as_str(), proposed.authority), (ORIGIN, None));
    let expected = PolicyBody {
        methods: vec!["web".to_owned(), "webvh".to_owned()],
        genesis_time: None,
        ..policy()
    };
    assert_eq!(proposed.body, Body::Policy(expected));
    for member in ["methods", "authority"] {
        let refused = read(with(json.clone(), member, json!(7)), NOW, (ORIGIN, &policy()));
        assert!(matches!(refused, Err(BodyError::Members(_))), "{member}");
    }
}

#[test]
fn document_of_a_did_web_is_read_verbatim() {
    let document = "{ \"id\": \"did:web:agency.example\" }\n";
    let json = json!({
        "type": "did", "action": "snapshot", "did": "did:web:agency.example", "document": document,
    });
    let proposed = read(json.clone(), NOW, (ORIGIN, &policy())).unwrap();
    let subject = proposed.subject.as_str();
    assert_eq!((subject, proposed.authority), ("did:web:agency.example", None));
    let document = document.as_bytes().to_vec();
    let expected = trust::entry::DidEventBody::Web { document };
    assert_eq!(proposed.body, Body::DidEvent(expected));
    let refused = |member, value| read(with(json.clone(), member, value), NOW, (ORIGIN, &policy())).unwrap_err();
    assert!(matches!(refused("did", json!("agency")), BodyError::Did(_)));
    for (member, value) in [
        ("did", "did:web:other.example"),
        ("did", "did:web:agency.example:.."),
        ("did", "did:key:z6Mk"),
        ("document", "{}"),
    ] {
        assert!(matches!(refused(member, json!(value)), BodyError::DidWeb(_)), "{value}");
    }
    assert!(matches!(refused("authority", json!("ministry")), BodyError::Members(_)));
}
