//! Every intermediate value of the published vectors that does not depend on the signature scheme, and what
//! could go wrong when parts of a document are named.

use std::path::Path;

use jsonld::ContextLoader;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::data_integrity::vectors;

const CONTEXT: &str = "https://agency.example/contexts/parts/v1";

fn pointers(texts: &[&str]) -> Vec<Pointer> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn loader() -> ContextLoader {
    let mut contexts = ContextLoader::bundled();
    let term = |name: &str| format!("https://agency.example/{name}");
    contexts.register(
        CONTEXT,
        json!({"@context": {
            "Card": {"@id": term("Card"), "@context": {"inCard": term("inCard")}},
            "plain": term("plain"),
            "thing": {"@id": term("thing"), "@type": "@id"},
            "json": {"@id": term("json"), "@type": "@json"},
            "label": {"@id": term("label"), "@container": "@language"},
            "list": {"@id": term("list"), "@container": "@list"},
            "byId": {"@id": term("byId"), "@container": "@id"},
            "graph": {"@id": term("graph"), "@container": "@graph"},
            "namedGraph": {"@id": term("namedGraph"), "@container": ["@graph", "@id"]},
        }}),
    );
    contexts
}

fn document(subject: &Value) -> Map<String, Value> {
    let document = json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT],
        "type": "VerifiableCredential",
        "issuer": "did:web:agency.example",
        "credentialSubject": subject,
    });
    document.as_object().unwrap().clone()
}

/// What `texts` select of a document with this subject: the subject's part and the lines. The lines are also
/// those that somebody gets who has only the part and its labels.
fn selected(subject: &Value, texts: &[&str]) -> Result<(Value, Vec<String>), SelectiveError> {
    let (document, contexts) = (document(subject), loader());
    let statements = Statements::new(&document, &contexts, |count| labels::hmac(&[7; 32], count))?;
    let selected = statements.select(&pointers(texts))?;
    let of_whole: Vec<String> = selected
        .positions
        .iter()
        .map(|at| statements.n_quads()[*at].clone())
        .collect();
    let of_part = labelled_n_quads(&selected.document, &contexts, &selected.labels).unwrap();
    assert_eq!(of_part, of_whole);
    Ok((selected.document["credentialSubject"].clone(), of_whole))
}

fn subject_of(subject: &Value, texts: &[&str]) -> Value {
    selected(subject, texts).unwrap().0
}

fn refusal(subject: &Value, texts: &[&str]) -> SelectiveError {
    selected(subject, texts).unwrap_err()
}

#[test]
fn what_is_on_the_way_comes_with_id_and_type() {
    let subject = json!({"id": "did:example:s", "plain": "x", "thing": {
        "type": "Card", "plain": "y", "inCard": {"plain": "a", "thing": {"plain": "b"}},
    }});
    assert_eq!(
        subject_of(&subject, &["/credentialSubject/thing/inCard/plain"]),
        json!({"id": "did:example:s", "thing": {"type": "Card", "inCard": {"plain": "a"}}})
    );
    assert_eq!(
        subject_of(&subject, &["/credentialSubject/id"]),
        json!({"id": "did:example:s"})
    );
    let whole = ["/credentialSubject", "/credentialSubject/thing/plain"];
    assert_eq!(subject_of(&subject, &whole), subject);
    let whole_last = ["/credentialSubject/thing/plain", "/credentialSubject"];
    assert_eq!(subject_of(&subject, &whole_last), subject);
}

#[test]
fn items_of_an_array_keep_their_order_and_their_labels() {
    let things = json!([{"plain": "a"}, {"plain": "b"}, {"thing": [{"plain": "c"}, {"plain": "d"}]}, {"plain": "e"}]);
    assert_eq!(
        subject_of(
            &json!({"thing": things}),
            &["/credentialSubject/thing/3", "/credentialSubject/thing/2/thing/1"]
        ),
        json!({"thing": [{"thing": [{"plain": "d"}]}, {"plain": "e"}]})
    );
    let things = json!([[{"plain": "a"}], [{"plain": "b"}, {"plain": "c"}]]);
    assert_eq!(
        subject_of(&json!({"thing": things}), &["/credentialSubject/thing/1/1"]),
        json!({"thing": [[{"plain": "c"}]]})
    );
}

/// Two blank nodes that say the same until the part leaves out where they differ.
#[test]
fn things_that_look_alike_in_the_part_are_told_apart() {
    let things = json!([
        {"thing": {"plain": "same"}, "plain": "first"},
        {"thing": {"plain": "same"}, "plain": "second"},
    ]);
    let pointers = ["/credentialSubject/thing/0/thing", "/credentialSubject/thing/1/thing"];
    let (_, lines) = selected(&json!({"thing": things}), &pointers).unwrap();
    let same = |line: &&String| line.contains("\"same\"");
    assert_eq!(lines.iter().filter(same).count(), 2);
}

#[test]
fn json_literals_are_selected_as_a_whole() {
    let subject = json!({"json": {"type": "x", "a": [1, {"b": 2}], "c": null}, "plain": "x"});
    assert_eq!(
        subject_of(&subject, &["/credentialSubject/json"]),
        json!({"json": subject["json"]})
    );
    for part in ["/credentialSubject/json/a", "/credentialSubject/json/a/1"] {
        assert_eq!(refusal(&subject, &[part]), SelectiveError::NotWhole, "{part}");
    }
}

#[test]
fn texts_with_a_language_are_selected_as_a_whole() {
    let text = json!({"@value": "Ausweis", "@language": "de"});
    let subject = json!({"plain": text});
    assert_eq!(subject_of(&subject, &["/credentialSubject/plain"]), subject);
    let part = ["/credentialSubject/plain/@value"];
    assert_eq!(refusal(&subject, &part), SelectiveError::NotWhole);
}

#[test]
fn entries_of_language_and_id_maps_are_selected() {
    let subject = json!({
        "label": {"de": "Ausweis", "en": ["card", "licence"]},
        "byId": {"did:example:a": {"plain": "a"}, "did:example:b": {"plain": "b"}},
    });
    assert_eq!(
        subject_of(
            &subject,
            &[
                "/credentialSubject/label/en/1",
                "/credentialSubject/byId/did:example:b/plain"
            ]
        ),
        json!({"label": {"en": ["licence"]}, "byId": {"did:example:b": {"plain": "b"}}})
    );
}

#[test]
fn lists_are_selected_as_a_whole() {
    let subject = json!({"list": ["a", {"plain": "b"}, ["c", "d"]], "plain": "x"});
    let (part, lines) = selected(&subject, &["/credentialSubject/list"]).unwrap();
    assert_eq!(part, json!({"list": subject["list"]}));
    let cells = |line: &&String| line.contains("22-rdf-syntax-ns#first");
    assert_eq!(lines.iter().filter(cells).count(), 5);
    for item in 0..3 {
        let part = format!("/credentialSubject/list/{item}");
        assert_eq!(refusal(&subject, &[&part]), SelectiveError::NotWhole, "{item}");
    }
}

#[test]
fn graphs_need_a_name() {
    let named = json!({"namedGraph": {"urn:example:g": {"plain": "a", "thing": {"plain": "b"}}}});
    let part = ["/credentialSubject/namedGraph/urn:example:g/thing"];
    assert_eq!(
        subject_of(&named, &part),
        json!({"namedGraph": {"urn:example:g": {"thing": {"plain": "b"}}}})
    );
    let unnamed = json!({"graph": {"plain": "a"}});
    assert_eq!(
        refusal(&unnamed, &["/credentialSubject"]),
        SelectiveError::JsonLd(jsonld::Error::UnnamedGraph)
    );
}

#[test]
fn pointers_that_lead_nowhere_are_refused() {
    let subject = json!({"thing": [{"plain": "a"}], "plain": "x"});
    assert!(selected(&subject, &["/credentialSubject/thing/0"]).is_ok());
    for nowhere in [
        "/absent",
        "/credentialSubject/thing/1",
        "/credentialSubject/thing/00",
        "/credentialSubject/thing/+0",
        "/credentialSubject/thing/-",
        "/credentialSubject/thing/",
        "/credentialSubject/thing/18446744073709551616",
        "/credentialSubject/plain/x",
        "/credentialSubject/plain/0",
    ] {
        let pointer = nowhere.to_owned();
        let refused = refusal(&subject, &[nowhere]);
        assert_eq!(refused, SelectiveError::NotInDocument { pointer }, "{nowhere}");
    }
    let whole = ["/credentialSubject", "/credentialSubject/thing/1"];
    assert!(matches!(
        refusal(&subject, &whole),
        SelectiveError::NotInDocument { .. }
    ));
}

/// RFC 6901, section 5, as far as it is not the whole document.
#[test]
fn pointers_are_read_and_written() {
    for (text, names) in [
        ("/foo", vec!["foo"]),
        ("/foo/0", vec!["foo", "0"]),
        ("/", vec![""]),
        ("/a~1b", vec!["a/b"]),
        ("/m~0n", vec!["m~n"]),
        ("/~01", vec!["~1"]),
        ("/i\\j", vec!["i\\j"]),
        ("/ ", vec![" "]),
    ] {
        let pointer: Pointer = text.parse().unwrap();
        assert_eq!(pointer.names(), names, "{text}");
        assert_eq!(pointer.to_string(), text);
    }
    let long = format!("/{}", "a".repeat(2_000));
    for bad in ["", "foo", "#/foo", "/~", "/~2", "/a~", "/~\u{e9}", long.as_str()] {
        assert_eq!(bad.parse::<Pointer>(), Err(SelectiveError::PointerSyntax), "{bad}");
    }
}

#[test]
fn too_many_pointers_are_refused() {
    let many = vec!["/credentialSubject/plain"; MAX_POINTERS];
    assert!(selected(&json!({"plain": "x"}), &many).is_ok());
    let found = MAX_POINTERS + 1;
    let more = vec!["/credentialSubject/plain"; found];
    assert_eq!(
        refusal(&json!({"plain": "x"}), &more),
        SelectiveError::TooManyPointers { found }
    );
}

#[test]
fn labels_must_be_one_for_each_blank_node() {
    let document = document(&json!({"thing": {"plain": "a"}}));
    let check = |labels: &[&str]| {
        let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
        labelled_n_quads(&document, &loader(), &labels)
    };
    assert!(check(&["u0", "u1", "u2"]).is_ok());
    for labels in [&["u0", "u1"][..], &["u0", "u1", "u2", "u3"], &["u0", "u1", "u1"]] {
        let refused = check(labels).unwrap_err();
        assert_eq!(refused, SelectiveError::Labels { expected: 3 }, "{labels:?}");
    }
}

/// Makes the values of a vector's folder, whose labels are made with `labels`.
fn check_vector(
    contexts: &ContextLoader,
    folder: &Path,
    selective: &Path,
    labels: fn(&labels::HmacKey, usize) -> Vec<String>,
) {
    let value = |file: &str| -> Value { serde_json::from_str(&vectors::text(&folder.join(file))).unwrap() };
    let lines = |value: &Value| -> Vec<String> { serde_json::from_value(value.clone()).unwrap() };
    // 00112233...FF, twice.
    let key: labels::HmacKey = std::array::from_fn(|at| u8::try_from(at % 16 * 0x11).unwrap());
    let mut document = vectors::object(&folder.join("addSignedSDBase.json"));
    document.remove("proof");
    let statements = Statements::new(&document, contexts, |count| labels(&key, count)).unwrap();
    assert_eq!(statements.n_quads(), lines(&value("addBaseDocHMACCanon.json")));

    let transform = value("addBaseTransform.json");
    let mandatory_pointers = read(&transform["mandatoryPointers"]);
    let mandatory = statements.select(&mandatory_pointers).unwrap();
    let in_group = |group: &str| -> Vec<usize> {
        let entries = transform[group]["value"].as_array().unwrap().iter();
        entries.map(|entry| index_of(&entry[0])).collect()
    };
    assert_eq!(Vec::from_iter(mandatory.positions.clone()), in_group("mandatory"));
    for entry in transform["mandatory"]["value"].as_array().unwrap() {
        assert_eq!(statements.n_quads()[index_of(&entry[0])], *entry[1].as_str().unwrap());
    }

    let selective_pointers = read(&serde_json::from_str(&vectors::text(selective)).unwrap());
    let groups = value("derivedGroupIndexes.json");
    let expected =
        |group: &str| -> BTreeSet<usize> { groups[group].as_array().unwrap().iter().map(index_of).collect() };
    let selective = statements.select(&selective_pointers).unwrap();
    let combined = statements
        .select(&[mandatory_pointers, selective_pointers].concat())
        .unwrap();
    assert_eq!(mandatory.positions, expected("mandatoryIndexes"));
    assert_eq!(selective.positions, expected("selectiveIndexes"));
    assert_eq!(combined.positions, expected("combinedIndexes"));
    assert_eq!(
        Value::Object(combined.document.clone()),
        value("derivedUnsignedReveal.json")
    );
    let labels: Vec<String> = value("derivedDisclosureData.json")["labelMap"]["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry[1].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(combined.labels, labels);
    let revealed = labelled_n_quads(&combined.document, contexts, &labels).unwrap();
    let of_whole: Vec<String> = combined
        .positions
        .iter()
        .map(|at| statements.n_quads()[*at].clone())
        .collect();
    assert_eq!(revealed, of_whole);
}

fn read(pointers: &Value) -> Vec<Pointer> {
    let texts = pointers.as_array().unwrap().iter();
    texts.map(|text| text.as_str().unwrap().parse().unwrap()).collect()
}

fn index_of(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn vectors_of_ecdsa_sd_2023() {
    let (Some(folder), Some(contexts)) = (vectors::folder("vc-di-ecdsa"), vectors::contexts()) else {
        return;
    };
    for (name, selective) in [("employ", "employSelective.json"), ("prc", "prCredSelective.json")] {
        let part = folder.join("ecdsa-sd-2023").join(name);
        check_vector(&contexts, &part, &folder.join(selective), labels::hmac);
    }
}

#[test]
fn vectors_of_bbs_2023() {
    let (Some(folder), Some(contexts)) = (vectors::folder("vc-di-bbs"), vectors::contexts()) else {
        return;
    };
    for (part, selective) in [(".", "windSelective.json"), ("prc", "prCredSelective.json")] {
        check_vector(&contexts, &folder.join(part), &folder.join(selective), labels::shuffled);
    }
}
