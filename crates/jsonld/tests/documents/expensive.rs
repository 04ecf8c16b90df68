//! Documents made to be expensive. `crates/jsonld/tests` sees that they are refused, `benches` how soon.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// What a document is, and how it is made.
type Named = (&'static str, fn() -> Value);

/// Graphs of blank nodes that canonicalization cannot tell apart, or not without more work than is allowed.
pub(crate) const POISON: [Named; 5] = [
    ("clique of 10", || clique(10)),
    ("clique of 30", || clique(30)),
    ("clique of 100", || clique(100)),
    ("ring of 100", || ring(100)),
    ("ring of 1000", || ring(1_000)),
];

/// A graph of `size` blank nodes where each refers to every other.
fn clique(size: usize) -> Value {
    let node = |number: usize| {
        let others: Vec<Value> = (0..size)
            .filter(|other| *other != number)
            .map(|other| json!({"@id": format!("_:n{other}")}))
            .collect();
        json!({"@id": format!("_:n{number}"), "https://a.example/knows": others})
    };
    json!({"@graph": (0..size).map(node).collect::<Vec<_>>()})
}

/// A ring of `size` blank nodes that all look alike.
pub(crate) fn ring(size: usize) -> Value {
    let node = |number: usize| {
        json!({
            "@id": format!("_:n{number}"),
            "https://a.example/next": {"@id": format!("_:n{}", (number + 1) % size)},
        })
    };
    json!({"@graph": (0..size).map(node).collect::<Vec<_>>()})
}

/// A node with `size` blank nodes that look alike, and are easy all the same.
pub(crate) fn alike(size: usize) -> Value {
    let same: Vec<Value> = (0..size).map(|_| json!({"https://a.example/p": 1})).collect();
    json!({"@id": "https://a.example/hub", "https://a.example/has": same})
}

/// A document with so many levels, and one more.
pub(crate) fn nested(levels: usize) -> Value {
    (0..levels).fold(
        json!({"https://a.example/p": 1}),
        |inner, _| json!({"https://a.example/p": inner}),
    )
}

/// 60,000 elements.
pub(crate) fn many_elements() -> Value {
    let items: Vec<Value> = (0..60_000).map(Value::from).collect();
    json!({"https://a.example/p": items})
}

/// 40,000 short names of a long one.
pub(crate) fn unfolding() -> Value {
    let long = format!("https://a.example/{}", "x".repeat(4_000));
    let items: Vec<Value> = (0..40_000).map(|_| json!("t:a")).collect();
    json!({"@context": {"t": {"@id": long, "@prefix": true}}, "@type": items})
}

/// 1,000 nodes, each of which loads a context with 300 terms again.
pub(crate) fn many_contexts() -> Value {
    let terms: Map<String, Value> = (0..300)
        .map(|number| (format!("t{number}"), json!("https://a.example/t")))
        .collect();
    let nodes: Vec<Value> = (0..1_000)
        .map(|_| json!({"@context": terms, "https://a.example/p": 1}))
        .collect();
    json!({"@graph": nodes})
}

/// 5,000 prefixes; sorted by name, the first needs all others.
pub(crate) fn many_prefixes() -> Value {
    let terms: Map<String, Value> = (0..5_000)
        .map(|number| (format!("t{number:05}"), json!(format!("t{:05}:x", number + 1))))
        .collect();
    json!({"@context": terms})
}
