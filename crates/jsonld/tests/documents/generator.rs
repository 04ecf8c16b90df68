//! Documents for comparing the two paths: genuine ones with random changes, most of them harmless, so that the
//! direct path takes many of them, and each part of JSON-LD turns up that it must leave alone.
//!
//! The fuzz target `jsonld_paths` includes this file.

use std::sync::LazyLock;

use jsonld::ContextLoader;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// A context with what the direct path does, beyond what W3C contexts have of it.
pub(crate) const PLAIN: &str = "https://a.example/plain";
/// A context with what it does not do, without names for keywords.
pub(crate) const RICH: &str = "https://a.example/rich";
/// A context with names for keywords.
pub(crate) const ALIASES: &str = "https://a.example/aliases";
/// A context with other terms for properties of credentials.
pub(crate) const SYNONYMS: &str = "https://a.example/synonyms";
/// A context with a vocabulary.
pub(crate) const VOCABULARY: &str = "https://a.example/vocabulary";
/// A context with a language.
pub(crate) const LANGUAGE: &str = "https://a.example/language";
/// A context that is not propagated.
pub(crate) const LOCAL: &str = "https://a.example/local";
/// A context that is not valid.
pub(crate) const INVALID: &str = "https://a.example/invalid";

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const TYPES: [(&str, &str); 4] = [
    (
        "https://attestry.example/types/PersonIdentity/context.jsonld",
        include_str!("../../../../schemas/types/PersonIdentity/context.jsonld"),
    ),
    (
        "https://attestry.example/types/DrivingLicence/context.jsonld",
        include_str!("../../../../schemas/types/DrivingLicence/context.jsonld"),
    ),
    (
        "https://attestry.example/types/CompanyRegistration/context.jsonld",
        include_str!("../../../../schemas/types/CompanyRegistration/context.jsonld"),
    ),
    (
        "https://attestry.example/types/VaccinationCertificate/context.jsonld",
        include_str!("../../../../schemas/types/VaccinationCertificate/context.jsonld"),
    ),
];

/// The bundled contexts, those of the sample types, and the ones above.
pub(crate) fn loader() -> ContextLoader {
    let mut loader = ContextLoader::bundled();
    for (url, text) in TYPES {
        loader.register(url, serde_json::from_str(text).expect("JSON"));
    }
    for (url, context) in made_contexts() {
        loader.register(url, json!({ "@context": context }));
    }
    loader
}

fn made_contexts() -> [(&'static str, Value); 8] {
    let inner =
        json!({"within": "https://a.example/within", "part": {"@id": "https://a.example/part", "@type": "@id"}});
    [
        (
            PLAIN,
            json!({
                "id": "@id",
                "type": "@type",
                "Thing": "https://a.example/Thing",
                "Scoped": {"@id": "https://a.example/Scoped", "@context": inner},
                "Other": {"@id": "https://a.example/Other", "@context": {"within": "https://a.example/other-within"}},
                "Lasting": {"@id": "https://a.example/Lasting", "@context": {"@propagate": true, "lasts": "https://a.example/lasts"}},
                "list": {"@id": "https://a.example/list", "@container": "@list"},
                "links": {"@id": "https://a.example/links", "@container": "@list", "@type": "@id"},
                "set": {"@id": "https://a.example/set", "@container": "@set"},
                "data": {"@id": "https://a.example/data", "@type": "@json"},
                "graph": {"@id": "https://a.example/graph", "@container": "@graph"},
                "graphs": {"@id": "https://a.example/graphs", "@container": ["@graph", "@set"]},
                "double": {"@id": "https://a.example/double", "@type": "http://www.w3.org/2001/XMLSchema#double"},
                "string": {"@id": "https://a.example/string", "@type": "http://www.w3.org/2001/XMLSchema#string"},
                "none": {"@id": "https://a.example/none", "@type": "@none"},
                "kind": {"@id": "https://a.example/kind", "@type": "@vocab"},
                "link": {"@id": "https://a.example/link", "@type": "@id"},
                "node": {"@id": "https://a.example/node", "@context": inner},
                "fresh": {"@id": "https://a.example/fresh", "@type": "@id", "@context": null},
                "plain": "https://a.example/plain",
            }),
        ),
        (
            RICH,
            json!({
                "indexed": {"@id": "https://a.example/indexed", "@container": "@index"},
                "byId": {"@id": "https://a.example/byId", "@container": "@id"},
                "byType": {"@id": "https://a.example/byType", "@container": "@type"},
                "byLanguage": {"@id": "https://a.example/byLanguage", "@container": "@language"},
                "back": {"@reverse": "https://a.example/plain"},
                "english": {"@id": "https://a.example/english", "@language": "en"},
                "right": {"@id": "https://a.example/right", "@direction": "rtl"},
                "pre": {"@id": "https://a.example/pre/", "@prefix": true},
                "did": "https://a.example/did#",
                "pre:defined": {"@id": "https://a.example/pre/defined"},
                "nothing": null,
                "blank": {"@id": "_:blank"},
                "jsonList": {"@id": "https://a.example/jsonList", "@type": "@json", "@container": "@list"},
                "broken": {"@id": "https://a.example/bro ken"},
            }),
        ),
        (
            ALIASES,
            json!({"key": "@id", "kindOf": "@type", "box": "@graph", "nested": "@nest", "value": "@value"}),
        ),
        (
            SYNONYMS,
            json!({"until": "https://www.w3.org/2018/credentials#validUntil", "Item": "https://a.example/Thing"}),
        ),
        (VOCABULARY, json!({"@vocab": "https://a.example/vocabulary#"})),
        (LANGUAGE, json!({"@language": "mi", "@direction": "ltr"})),
        (LOCAL, json!({"@propagate": false, "here": "https://a.example/here"})),
        (INVALID, json!({"@version": 1.0})),
    ]
}

/// Names that mean something in some context, or nowhere.
const NAMES: [&str; 60] = [
    "id",
    "type",
    "name",
    "description",
    "issuer",
    "credentialSubject",
    "credentialStatus",
    "evidence",
    "validUntil",
    "statusListIndex",
    "statusPurpose",
    "proof",
    "created",
    "proofPurpose",
    "given_name",
    "place_of_birth",
    "locality",
    "birthdate",
    "nationalities",
    "address",
    "list",
    "links",
    "set",
    "data",
    "graph",
    "graphs",
    "double",
    "string",
    "none",
    "kind",
    "link",
    "node",
    "fresh",
    "plain",
    "within",
    "part",
    "lasts",
    "here",
    "indexed",
    "byId",
    "byType",
    "byLanguage",
    "back",
    "english",
    "right",
    "pre:x",
    "pre:defined",
    "nothing",
    "blank",
    "jsonList",
    "key",
    "until",
    "anything",
    "@id",
    "@type",
    "@value",
    "@graph",
    "@list",
    "@context",
    "https://a.example/plain",
];

const TEXTS: [&str; 30] = [
    "Aroha",
    "",
    "a \"quoted\"\n\\ text\u{7f}",
    "M\u{101}ori \u{ffff}\u{1f600}",
    "2026-12-01T00:00:00Z",
    "https://a.example/1",
    "https://a.example/2",
    "did:example:holder",
    "did:example:issuer",
    "urn:uuid:1",
    "urn:x:\u{e9}",
    "urn:x:%20",
    "urn:x:%2",
    "urn:x:a#b#c",
    "a b:c",
    "_:b",
    "relative",
    "pre:x",
    "pre:defined",
    "pre://x",
    "VerifiableCredential",
    "DataIntegrityProof",
    "Thing",
    "Scoped",
    "Other",
    "Lasting",
    "Item",
    "en",
    "@id",
    "@json",
];

const CONTEXTS: [&str; 20] = [
    V2,
    V2,
    PLAIN,
    PLAIN,
    PLAIN,
    RICH,
    ALIASES,
    SYNONYMS,
    VOCABULARY,
    LANGUAGE,
    LOCAL,
    INVALID,
    "https://www.w3.org/2018/credentials/v1",
    "https://www.w3.org/ns/credentials/status/v1",
    "https://w3id.org/security/data-integrity/v2",
    "https://w3id.org/security/data-integrity/v1",
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://unknown.example",
    "",
];

fn templates() -> Vec<Value> {
    let status = json!({
        "id": "https://a.example/status#7", "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": "https://a.example/status",
    });
    let identity = json!({
        "@context": [V2, TYPES[0].0],
        "id": "urn:uuid:1", "type": ["VerifiableCredential", "PersonIdentity"],
        "issuer": {"id": "did:example:issuer", "name": [{"@value": "Tari", "@language": "MI", "@direction": "ltr"}, "Agency"]},
        "validFrom": "2026-12-01T00:00:00Z", "credentialStatus": [status],
        "credentialSubject": {
            "id": "did:example:holder", "given_name": "Aroha", "age_over_18": true, "sex": 2,
            "place_of_birth": {"locality": "Porirua", "country": "NZ"}, "nationalities": ["NZ", "WS"],
        },
        "evidence": [{"type": "Thing2", "name": "a"}, {"id": "urn:x:2", "type": "BitstringStatusList"}],
    });
    let mut credential = identity.clone();
    credential["evidence"] = json!([{"type": "JsonSchema", "name": "a"}, {"type": "JsonSchema", "name": "b"}]);
    let proof = json!({
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2026-12-01T00:00:00Z",
        "verificationMethod": "did:example:issuer#key", "proofPurpose": "assertionMethod",
    });
    let mut configuration = proof.clone();
    configuration["@context"] = json!([V2]);
    let mut secured = credential.clone();
    secured["proof"] = proof;
    secured["proof"]["proofValue"] = json!("z3");
    let mut status_list = secured.clone();
    status_list["id"] = json!("https://a.example/status");
    status_list["type"] = json!(["VerifiableCredential", "BitstringStatusListCredential"]);
    status_list["credentialSubject"] =
        json!({"type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": "u"});
    status_list["evidence"] = json!({"id": "urn:x:2", "name": "c"});
    status_list["proof"]["proofValue"] = json!("z4");
    let presentation = json!({
        "@context": [V2], "type": "VerifiablePresentation", "holder": "did:example:holder",
        "verifiableCredential": [secured, status_list],
    });
    let things = json!({
        "@context": [PLAIN], "type": ["Thing", "Scoped"], "plain": [1, -2.5, 1e21, true, "x"],
        "list": ["a", {"plain": 1}, 2], "links": ["urn:x:1"], "set": ["b", "a", "b"], "data": {"b": [1, null], "a": 1e3},
        "graph": {"id": "urn:x:3", "plain": 1}, "graphs": [{"plain": 2}, {"type": "Thing", "plain": 2}],
        "double": [1, 1.5], "string": "s", "none": "n", "kind": ["Thing", "Scoped"], "link": ["urn:x:4", {"id": "urn:x:5", "plain": 0}],
        "node": {"within": "w", "plain": {"within": "w"}}, "within": "top", "part": {"link": {"type": "Lasting", "lasts": 1, "link": {"lasts": 2}}},
        "fresh": {"@context": [V2], "type": "VerifiableCredential", "issuer": "did:example:issuer"},
    });
    let did = json!({
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": "did:example:issuer", "alsoKnownAs": "https://a.example/2",
        "verificationMethod": [{"id": "did:example:issuer#key", "type": "Multikey", "controller": "did:example:issuer", "publicKeyMultibase": "z6"}],
        "assertionMethod": ["did:example:issuer#key"],
    });
    let vocabulary = json!({
        "@context": [V2, VOCABULARY], "type": ["VerifiableCredential", "Unheard"], "issuer": "did:example:issuer",
        "credentialSubject": {"anything": {"more": [1, "x"]}, "type": "Unheard"},
    });
    vec![
        identity,
        credential,
        configuration,
        presentation,
        things,
        did,
        vocabulary,
    ]
}

/// Bytes as a source of choices; zeros after the end.
pub(crate) struct Choices<'b>(pub(crate) &'b [u8]);

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % limit.max(1)
    }

    fn text(&mut self) -> &'static str {
        TEXTS[self.below(TEXTS.len())]
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.below(NAMES.len())]
    }

    fn context(&mut self) -> Value {
        match self.below(12) {
            0 => Value::Null,
            1 => json!({"plain": "https://a.example/plain"}),
            2 => Value::from(CONTEXTS[self.below(CONTEXTS.len())]),
            _ => (0..=self.below(3))
                .map(|_| CONTEXTS[self.below(CONTEXTS.len())])
                .collect(),
        }
    }

    fn scalar(&mut self) -> Value {
        match self.below(10) {
            0 => Value::Null,
            1 => Value::Bool(self.below(2) == 0),
            2 => Value::from([0.0, -0.0, 1.5, 1e21, 1e300, 0.1][self.below(6)]),
            3 => Value::from([0_u64, 1, u64::MAX, 1 << 53][self.below(4)]),
            4 => json!(-7),
            _ => Value::from(self.text()),
        }
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(12) {
            0 if depth > 0 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            1 | 2 if depth > 0 => {
                let entries = (0..self.below(4)).map(|_| (self.name().to_owned(), self.value(depth - 1)));
                Value::Object(entries.collect())
            }
            3 => json!({"@value": self.scalar()}),
            4 => json!({"@value": self.text(), "@language": (["en", "de-CH", "MI", "no tag", ""][self.below(5)])}),
            5 => json!({"@value": self.text(), "@direction": (["ltr", "rtl", "x"][self.below(3)])}),
            6 => json!({"id": self.text()}),
            7 => json!({"type": self.text(), "plain": self.scalar()}),
            _ => self.scalar(),
        }
    }
}

static GENUINE: LazyLock<Vec<Value>> = LazyLock::new(templates);

/// A document that the bytes describe.
pub(crate) fn document(bytes: &[u8]) -> Map<String, Value> {
    let mut choices = Choices(bytes);
    let mut document = GENUINE[choices.below(GENUINE.len())].clone();
    for _ in 0..choices.below(5) {
        change(&mut document, &mut choices);
    }
    match document {
        Value::Object(map) => map,
        other => Map::from_iter([("value".to_owned(), other)]),
    }
}

/// One change somewhere.
fn change(document: &mut Value, choices: &mut Choices<'_>) {
    let mut place = document;
    for _ in 0..choices.below(6) {
        let below = match place {
            Value::Array(items) => items.len(),
            Value::Object(map) => map.len(),
            _ => 0,
        };
        if below == 0 {
            break;
        }
        let chosen = choices.below(below);
        place = match place {
            Value::Array(items) => &mut items[chosen],
            Value::Object(map) => map.iter_mut().nth(chosen).expect("within the length").1,
            _ => return,
        };
    }
    match place {
        Value::Object(map) => change_map(map, choices),
        Value::Array(items) => change_array(items, choices),
        scalar => match choices.below(4) {
            0 => *scalar = Value::Array(vec![scalar.take()]),
            1 => *scalar = choices.value(2),
            _ => *scalar = choices.scalar(),
        },
    }
}

fn change_map(map: &mut Map<String, Value>, choices: &mut Choices<'_>) {
    let chosen = choices.below(map.len());
    let key = map.keys().nth(chosen).cloned();
    match (choices.below(8), key) {
        (0, Some(key)) => {
            map.remove(&key);
        }
        (1, Some(key)) => {
            let value = map.remove(&key).unwrap_or_default();
            map.insert(choices.name().to_owned(), value);
        }
        (2, _) => {
            map.remove("id");
        }
        (3, _) => {
            map.insert("id".to_owned(), Value::from(choices.text()));
        }
        (4, _) => {
            let context = choices.context();
            map.insert("@context".to_owned(), context);
        }
        (5, _) => {
            let types = (0..=choices.below(3)).map(|_| choices.text()).collect();
            map.insert("type".to_owned(), types);
        }
        (6, Some(key)) => {
            let value = map.get(&key).cloned().unwrap_or_default();
            map.insert(choices.name().to_owned(), value);
        }
        _ => {
            let value = choices.value(3);
            map.insert(choices.name().to_owned(), value);
        }
    }
}

fn change_array(items: &mut Vec<Value>, choices: &mut Choices<'_>) {
    let chosen = choices.below(items.len());
    match choices.below(5) {
        0 if !items.is_empty() => {
            items.remove(chosen);
        }
        1 if !items.is_empty() => items.push(items[chosen].clone()),
        2 => items.reverse(),
        3 => {
            let context = choices.context();
            items.push(context);
        }
        _ => {
            let value = choices.value(3);
            items.push(value);
        }
    }
}
