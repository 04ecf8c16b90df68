//! What is valid, what is not, and what nobody should try.

use serde_json::Map;
use serde_json::json;

use super::*;

const DIALECT: &str = credential::vc::DIALECT;

fn evaluate(schema: &Value, document: &Value) -> Option<bool> {
    let mut whole = json!({"$id": "https://example.com/schemas/email.json", "$schema": DIALECT});
    whole
        .as_object_mut()
        .unwrap()
        .extend(schema.as_object().unwrap().clone());
    Evaluator.evaluate(&whole, document)
}

/// The example of the Recommendation, with both outcomes that it gives.
#[test]
fn the_example_of_the_recommendation() {
    let schema = json!({
        "title": "EmailCredential", "type": "object",
        "properties": {"credentialSubject": {
            "type": "object",
            "properties": {"emailAddress": {"type": "string", "format": "email"}},
            "required": ["emailAddress"],
        }},
    });
    let of = |subject: Value| evaluate(&schema, &json!({"credentialSubject": subject}));
    assert_eq!(of(json!({"emailAddress": "subject@example.com"})), Some(true));
    assert_eq!(of(json!({"emailAddress": "not an email"})), Some(false));
    assert_eq!(of(json!({"id": "did:example:a"})), Some(false));
}

#[test]
fn references_within_the_schema_are_followed() {
    for reference in ["#/$defs/age", "#age"] {
        let schema = json!({
            "properties": {"age": {"$ref": reference}},
            "$defs": {"age": {"$anchor": "age", "type": "integer", "minimum": 18}},
        });
        assert_eq!(evaluate(&schema, &json!({"age": 18})), Some(true), "{reference}");
        assert_eq!(evaluate(&schema, &json!({"age": 17})), Some(false), "{reference}");
    }
}

#[test]
fn references_to_anything_else_are_not_followed() {
    for reference in [
        "https://example.com/other.json",
        "https://json-schema.org/draft/2020-12/schema",
        "other.json",
        "file:///etc/passwd",
        "#missing",
        "#/$defs/missing",
        "#/%24defs/a",
    ] {
        let schema = json!({"properties": {"a": {"$ref": reference}}, "$defs": {"a": {}}});
        assert_eq!(evaluate(&schema, &json!({"a": 1})), None, "{reference}");
    }
    for unread in [
        json!({"$dynamicRef": "#a", "$defs": {"a": {"$dynamicAnchor": "a"}}}),
        json!({"properties": {"a": {"$id": "https://example.com/a", "type": "string"}}}),
        json!({"allOf": [{"$anchor": "a"}, {"$anchor": "a"}]}),
    ] {
        assert_eq!(evaluate(&unread, &json!({"a": "b"})), None, "{unread}");
    }
    // A property of such a name is no keyword.
    let schema = json!({"properties": {"$id": {"type": "string"}, "$ref": {"type": "string"}}});
    assert_eq!(evaluate(&schema, &json!({"$id": "a"})), Some(true));
}

#[test]
fn schemas_that_are_none_are_indeterminate() {
    for broken in [
        json!({"required": 7}),
        json!({"type": "text"}),
        json!({"properties": {"a": {"pattern": "("}}}),
    ] {
        assert_eq!(evaluate(&broken, &json!({"a": "b"})), None, "{broken}");
    }
}

/// An engine that backtracks would not come to an end here.
#[test]
fn patterns_do_not_backtrack() {
    let long = "a".repeat(100_000);
    let schema = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
    assert_eq!(evaluate(&schema, &json!({"a": long})), Some(true));
    assert_eq!(evaluate(&schema, &json!({"a": format!("{long}!")})), Some(false));
    for refused in ["^(?=a)a$", "^(a)\\1$", "^(((a{100}){100}){100}){100}$"] {
        let schema = json!({"properties": {"a": {"pattern": refused}}});
        assert_eq!(evaluate(&schema, &json!({"a": "a"})), None, "{refused}");
    }
    let many = |count: usize| -> Value {
        let one = |number: usize| (format!("^{number}$"), json!({}));
        json!({"patternProperties": (0..count).map(one).collect::<Map<String, Value>>()})
    };
    assert_eq!(evaluate(&many(100), &json!({})), Some(true));
    assert_eq!(evaluate(&many(101), &json!({})), None);
}

#[test]
fn depth_and_branching_are_bounded() {
    let nested = |levels: usize| (0..levels).fold(json!({}), |inner, _| json!({"not": inner}));
    assert!(evaluate(&nested(20), &json!({})).is_some());
    assert_eq!(evaluate(&nested(1_000), &json!({})), None);
    // Each definition refers twice to the next.
    let doubling = |levels: usize| {
        let mut definitions = Map::from_iter([(format!("d{levels}"), json!({"type": "object"}))]);
        for level in 0..levels {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            definitions.insert(format!("d{level}"), json!({"allOf": [next, next]}));
        }
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    };
    assert_eq!(evaluate(&doubling(5), &json!({})), Some(true));
    assert_eq!(evaluate(&doubling(20), &json!({})), None);
    // Each refers to itself, at once or a level deeper in the document.
    let deep = (0..30).fold(json!([]), |inner, _| json!([inner]));
    for looping in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}),
        json!({"properties": {"definitions": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}),
    ] {
        assert_eq!(evaluate(&looping, &deep), None, "{looping}");
    }
    // What is unevaluated is told by evaluating everything beside it once more.
    let unevaluated = |levels: usize| {
        (0..levels).fold(
            json!({"properties": {"a": {}}}),
            |inner, _| json!({"unevaluatedProperties": false, "allOf": [inner]}),
        )
    };
    assert_eq!(evaluate(&unevaluated(3), &json!({"a": 1})), Some(true));
    assert_eq!(evaluate(&unevaluated(3), &json!({"b": 1})), Some(false));
    assert_eq!(evaluate(&unevaluated(25), &json!({"a": 1})), None);
    // A chain of references as deep as a stack.
    let chain: Map<String, Value> = (0..5_000)
        .map(|number| {
            (
                format!("d{number}"),
                json!({"$ref": format!("#/$defs/d{}", number + 1)}),
            )
        })
        .collect();
    assert_eq!(
        evaluate(&json!({"$ref": "#/$defs/d0", "$defs": chain}), &json!({})),
        None
    );
}
