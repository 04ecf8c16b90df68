//! Questions of the Trust Registry Query Protocol, answered from the state.

use keys::Timestamp;
use serde_json::Value;
use serde_json::json;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use trust::entry::ResourceMapping;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::trqp::MAX_QUERY_BYTES;
use trust::trqp::Query;
use trust::trqp::QueryError;
use trust::trqp::Question;
use trust::trqp::authority_id;

use crate::nation::*;

const NOW: Timestamp = Timestamp::from_unix(GENESIS.unix() + 2 * HOUR);
const FOREIGN: &str = "registry.other.example";

fn query(entity: &str) -> Value {
    json!({
        "entity_id": entity, "authority_id": authority_id(ORIGIN, AUTHORITY), "action": "issue", "resource": IDENTITY,
    })
}

fn with(mut query: Value, member: &str, value: Value) -> Value {
    query[member] = value;
    query
}

fn parse(query: &Value) -> Result<Query, QueryError> {
    Query::parse(query.to_string().as_bytes(), NOW)
}

/// Whether it holds; `None` where something is unknown.
fn holds(nation: &Nation, question: Question, query: &Value) -> Option<bool> {
    let answer = parse(query).unwrap().answer(question, &nation.state, NOW).ok()?;
    let member = match question {
        Question::Authorization => "authorized",
        Question::Recognition => "recognized",
    };
    assert_eq!(answer["time_evaluated"], NOW.to_rfc3339());
    for name in ["entity_id", "authority_id", "action", "resource"] {
        assert_eq!(answer[name], query[name]);
    }
    answer[member].as_bool()
}

#[test]
fn an_accreditation_authorizes_its_entity_for_its_action_and_resources() {
    let (nation, agency) = Nation::with_issuer();
    let ask = |query: Value| holds(&nation, Question::Authorization, &query);
    let good = query(&agency.did);
    assert_eq!(ask(good.clone()), Some(true));
    assert_eq!(ask(query("did:example:nobody")), Some(false));
    assert_eq!(ask(with(good.clone(), "action", json!("verify"))), Some(false));
    assert_eq!(ask(with(good.clone(), "resource", json!(LICENCE))), Some(false));
    // By the name that credentials have.
    let vct = nation.state.schema(IDENTITY).unwrap().vct.clone();
    assert_eq!(ask(with(good.clone(), "resource", json!(vct))), Some(true));
    for (member, unknown) in [
        ("authority_id", json!(authority_id(ORIGIN, "others"))),
        ("authority_id", json!(authority_id(FOREIGN, AUTHORITY))),
        ("authority_id", json!("did:example:nobody")),
        ("authority_id", json!(AUTHORITY)),
        ("action", json!("dance")),
        ("resource", json!("Nothing")),
    ] {
        assert_eq!(ask(with(good.clone(), member, unknown.clone())), None, "{unknown}");
    }
    // It passes nothing on, so that its own word is no authority's.
    assert_eq!(ask(with(good, "authority_id", json!(agency.did))), Some(false));
}

#[test]
fn the_time_asked_for_is_compared_with_the_validity() {
    let (nation, agency) = Nation::with_issuer();
    let valid_from = nation.state.accreditations().next().unwrap().grant().valid_from;
    for (time, expected) in [(valid_from, true), (valid_from.minus(1), false)] {
        let asked = with(
            query(&agency.did),
            "context",
            json!({"time": time.to_rfc3339(), "locator": "x"}),
        );
        let parsed = parse(&asked).unwrap();
        assert_eq!(parsed.time(), Some(time));
        let answer = parsed.answer(Question::Authorization, &nation.state, NOW).unwrap();
        assert_eq!(answer["authorized"], expected, "{time}");
        assert_eq!(answer["time_requested"], time.to_rfc3339());
        assert_eq!(answer["context"], asked["context"]);
    }
}

#[test]
fn a_recognition_holds_for_its_actions_and_resources() {
    let (mut nation, _) = Nation::with_issuer();
    let log = VerifierKey::new(FOREIGN, SignatureType::Ed25519, public(60)).unwrap();
    let terms = |mapping: Vec<ResourceMapping>| {
        Body::Recognition(RecognitionBody::Recognise(Recognition {
            log: log.to_string(),
            genesis: Hash::ZERO,
            size: 1,
            root: Hash::ZERO,
            actions: vec![Action::Issue],
            mapping,
            max_staleness: 86_400,
            valid_until: GENESIS.plus(DAY),
        }))
    };
    let foreign = query(&format!("https://{FOREIGN}"));
    let ask = |nation: &Nation, query: &Value| holds(nation, Question::Recognition, query);
    assert_eq!(ask(&nation, &foreign), Some(false));
    nation.govern(FOREIGN, terms(Vec::new())).unwrap();
    assert_eq!(ask(&nation, &foreign), Some(true));
    assert_eq!(
        ask(&nation, &with(foreign.clone(), "action", json!("verify"))),
        Some(false)
    );
    assert_eq!(ask(&nation, &query(FOREIGN)), Some(false), "not a URL");
    let mapping = ResourceMapping {
        foreign: "Permit".to_owned(),
        local: LICENCE.to_owned(),
    };
    nation.govern(FOREIGN, terms(vec![mapping])).unwrap();
    assert_eq!(ask(&nation, &foreign), Some(false));
    assert_eq!(
        ask(&nation, &with(foreign.clone(), "resource", json!(LICENCE))),
        Some(true)
    );
    nation
        .govern(FOREIGN, Body::Recognition(RecognitionBody::Withdraw))
        .unwrap();
    assert_eq!(ask(&nation, &with(foreign, "resource", json!(LICENCE))), Some(false));
}

#[test]
fn identifiers_with_odd_characters_and_other_forms_are_refused() {
    let good = query("did:example:agency");
    assert!(parse(&good).is_ok());
    let long = "x".repeat(2_049);
    for member in ["entity_id", "authority_id", "action", "resource"] {
        for odd in [
            "", " ", "a b", "a\n", "a\u{0}", "é", "a\\b", "a|b", "<x>", "\"", "%", "%4", "%4g", "a^", "{}", &long,
        ] {
            let refused = parse(&with(good.clone(), member, json!(odd)));
            assert_eq!(refused, Err(QueryError::Identifier { member }), "{odd:?}");
        }
        for other in [json!(7), json!(null), json!(["x"]), json!({})] {
            assert_eq!(
                parse(&with(good.clone(), member, other)),
                Err(QueryError::Identifier { member })
            );
        }
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove(member);
        assert_eq!(parse(&missing), Err(QueryError::Identifier { member }));
    }
    for context in [
        json!([]),
        json!("now"),
        json!({"time": 7}),
        json!({"time": "2026-11-23"}),
        json!({"time": "2026-11-23T01:00:00+01:00"}),
        json!({"time": "yesterdayZ"}),
        json!({"locator": {}}),
    ] {
        assert_eq!(
            parse(&with(good.clone(), "context", context.clone())),
            Err(QueryError::Context),
            "{context}"
        );
    }
    let future = with(good.clone(), "context", json!({"time": NOW.plus(1).to_rfc3339()}));
    assert!(matches!(parse(&future), Err(QueryError::Future { .. })));
    for text in [
        "",
        "[]",
        "{}{}",
        &good.to_string().replacen('{', "{\"action\":\"x\",", 1),
        &" ".repeat(MAX_QUERY_BYTES + 1),
    ] {
        assert!(Query::parse(text.as_bytes(), NOW).is_err(), "{text:.40}");
    }
}
