use serde_json::json;

use super::*;

/// 2026-11-23T03:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

fn mapping() -> Value {
    json!({
        "credential_type": "Membership",
        "register": {"csv": {"path": "members.csv"}},
        "subject": "id",
        "utc_offset": "+08:00",
        "eligible": [{"column": "left_on", "is": "empty"}, {"column": "grade", "is": "one_of", "values": ["A", "B"]}],
        "validity": {"days": 30, "not_after": "paid_until"},
        "status_list": true,
        "claims": [
            {"path": ["name"], "column": "name", "required": true},
            {"path": ["age_over_18"], "column": "born", "as": "age_over", "years": 18},
            {"path": ["address", "town"], "column": "town"},
            {"path": ["address", "street"], "column": "street"},
            {"path": ["countries"], "column": "countries", "as": "list", "separator": ";", "disclosure": "each"},
            {"path": ["club"], "value": "Rowers", "disclosure": "always"}
        ]
    })
}

fn parse(value: &Value) -> Result<Mapping, MappingError> {
    Mapping::parse(value.to_string().as_bytes())
}

fn row(changes: &[(&str, &str)]) -> Row {
    let mut fields = std::collections::BTreeMap::from([
        ("id", "7"),
        ("name", "Maya"),
        ("born", "1990-05-17"),
        ("town", "Port Saga"),
        ("street", ""),
        ("countries", "XA;XB"),
        ("left_on", ""),
        ("grade", "A"),
        ("paid_until", "2027-12-31"),
    ]);
    fields.extend(changes.iter().copied());
    fields
        .into_iter()
        .map(|(column, field)| (column.to_owned(), field.to_owned()))
        .collect()
}

fn claims(row: &Row) -> Result<Value, RowError> {
    parse(&mapping())
        .unwrap()
        .apply(row, NOW)
        .map(|mapped| Value::Object(mapped.claims))
}

#[test]
fn a_row_becomes_claims() {
    assert_eq!(
        claims(&row(&[])),
        Ok(json!({
            "name": "Maya",
            "age_over_18": true,
            "address": {"town": "Port Saga"},
            "countries": ["XA", "XB"],
            "club": "Rowers",
        }))
    );
}

#[test]
fn what_is_empty_is_left_out() {
    let bare = row(&[("born", " "), ("town", ""), ("countries", ";")]);
    assert_eq!(claims(&bare), Ok(json!({"name": "Maya", "club": "Rowers"})));
}

#[test]
fn a_required_value_must_be_there() {
    assert_eq!(
        claims(&row(&[("name", "  ")])),
        Err(RowError::MissingValue {
            column: "name".to_owned()
        })
    );
}

#[test]
fn one_unfit_value_refuses_the_row() {
    let error = claims(&row(&[("born", "17/05/1990")])).unwrap_err();
    assert!(matches!(&error, RowError::UnfitValue { column, .. } if column == "born"));
    // The text names the column and keeps the value out of logs.
    assert!(!error.to_string().contains("1990"), "{error}");
}

#[test]
fn a_register_without_the_column_is_an_error() {
    let row = Row::from_iter([("id".to_owned(), "7".to_owned())]);
    assert_eq!(
        claims(&row),
        Err(RowError::UnknownColumn {
            column: "left_on".to_owned()
        })
    );
}

#[test]
fn conditions_decide_who_gets_it() {
    assert!(claims(&row(&[("grade", "B")])).is_ok());
    for change in [("left_on", "2026-01-01"), ("grade", "C"), ("grade", ""), ("grade", "a")] {
        let error = claims(&row(&[change])).unwrap_err();
        assert_eq!(
            error,
            RowError::NotEligible {
                column: change.0.to_owned()
            },
            "{change:?}"
        );
    }
}

#[test]
fn the_earlier_of_two_ends_holds() {
    let mapping = parse(&mapping()).unwrap();
    let end = |paid_until| {
        mapping
            .apply(&row(&[("paid_until", paid_until)]), NOW)
            .map(|mapped| mapped.expires_at)
    };
    assert_eq!(end("2027-12-31"), Ok(NOW.plus(30 * DAY)));
    assert_eq!(end(""), Ok(NOW.plus(30 * DAY)));
    // The last day ends at midnight in UTC+8.
    assert_eq!(
        end("2026-11-24"),
        Ok(Timestamp::parse_rfc3339("2026-11-24T16:00:00Z").unwrap())
    );
    assert_eq!(
        end("2026-11-23"),
        Ok(Timestamp::parse_rfc3339("2026-11-23T16:00:00Z").unwrap())
    );
    assert_eq!(
        end("2026-11-22"),
        Err(RowError::Ended {
            column: "paid_until".to_owned()
        })
    );
    assert!(matches!(end("soon"), Err(RowError::UnfitValue { .. })));
}

#[test]
fn a_birthday_begins_where_the_agency_is() {
    let mapping = parse(&mapping()).unwrap();
    let over = |now: &str| {
        let now = Timestamp::parse_rfc3339(now).unwrap();
        mapping.apply(&row(&[("born", "2008-11-24")]), now).unwrap().claims["age_over_18"].clone()
    };
    assert_eq!(over("2026-11-23T15:59:59Z"), json!(false));
    assert_eq!(over("2026-11-23T16:00:00Z"), json!(true));
}

#[test]
fn the_register_is_asked_for_the_mapped_columns_alone() {
    let mapping = parse(&mapping()).unwrap();
    let columns: Vec<&str> = mapping.columns().into_iter().collect();
    assert_eq!(
        columns,
        [
            "born",
            "countries",
            "grade",
            "id",
            "left_on",
            "name",
            "paid_until",
            "street",
            "town"
        ]
    );
}

#[test]
fn members_are_disclosable_alone_and_so_are_their_objects() {
    let mapping = parse(&mapping()).unwrap();
    let paths: Vec<String> = mapping.disclosable().iter().map(ClaimPath::to_string).collect();
    assert_eq!(
        paths,
        [
            r#"["address"]"#,
            r#"["address","street"]"#,
            r#"["address","town"]"#,
            r#"["age_over_18"]"#,
            r#"["countries"]"#,
            r#"["countries",null]"#,
            r#"["name"]"#,
        ]
    );
}

/// Each case changes one thing of a mapping that is read, and names the place that is refused.
#[test]
fn wrong_settings_are_refused() {
    assert!(parse(&mapping()).is_ok());
    let cases = [
        ("/credential_type", json!("../Person"), "credential_type"),
        ("/register/csv/path", json!(""), "register.csv.path"),
        ("/subject", json!("a\"b"), "subject"),
        ("/subject", json!(""), "subject"),
        ("/utc_offset", json!("8"), "utc_offset"),
        ("/utc_offset", json!("+8:00"), "utc_offset"),
        ("/utc_offset", json!("+15:00"), "utc_offset"),
        ("/utc_offset", json!("−08:00"), "utc_offset"),
        ("/validity/days", json!(0), "validity.days"),
        ("/validity/days", json!(3_654), "validity.days"),
        ("/eligible/0/values", json!(["x"]), "eligible[0].values"),
        ("/eligible/1/values", json!([]), "eligible[1].values"),
        ("/claims", json!([]), "claims"),
        ("/claims/0/path", json!([]), "claims[0].path"),
        ("/claims/0/path", json!(["a", "b", "c", "d", "e"]), "claims[0].path"),
        ("/claims/0/path", json!(["exp"]), "claims[0].path"),
        ("/claims/0/path", json!(["vct#integrity"]), "claims[0].path"),
        ("/claims/0/path", json!(["person", "_sd"]), "claims[0].path"),
        ("/claims/0/path", json!(["person", "id"]), "claims[0].path"),
        ("/claims/0/path", json!(["@context"]), "claims[0].path"),
        ("/claims/1/path", json!(["name"]), "claims[1].path"),
        ("/claims/1/path", json!(["name", "first"]), "claims[1].path"),
        ("/claims/5/path", json!(["address"]), "claims[5].path"),
        ("/claims/0/disclosure", json!("each"), "claims[0].disclosure"),
        ("/claims/0/years", json!(18), "claims[0]"),
        ("/claims/0/separator", json!(";"), "claims[0]"),
        ("/claims/1/years", json!(0), "claims[1].years"),
        ("/claims/4/separator", json!(""), "claims[4].separator"),
        ("/claims/4/member", json!("_sd"), "claims[4].member"),
        ("/claims/5/required", json!(true), "claims[5]"),
        ("/claims/5/value", json!({"a": 1}), "claims[5].value"),
        ("/claims/5/value", json!(1.5), "claims[5].value"),
        ("/claims/5/column", json!("name"), "claims[5]"),
    ];
    for (pointer, value, expected) in cases {
        let error = parse(&with(pointer, value)).unwrap_err();
        assert!(
            matches!(&error, MappingError::Setting { place, .. } if place == expected),
            "{pointer}: {error}"
        );
    }
}

#[test]
fn unknown_and_duplicate_members_are_refused() {
    for pointer in [
        "/colum",
        "/validity/hours",
        "/register/rest",
        "/claims/0/optional",
        "/eligible/0/not",
    ] {
        assert!(
            matches!(parse(&with(pointer, json!("x"))), Err(MappingError::Shape(_))),
            "{pointer}"
        );
    }
    let twice = mapping().to_string().replacen('{', "{\"subject\":\"name\",", 1);
    assert!(matches!(Mapping::parse(twice.as_bytes()), Err(MappingError::Json(_))));
}

#[test]
fn records_are_checked_field_by_field() {
    let records = |changes: &[(&str, Value)]| {
        let mut claim = json!({
            "path": ["visits"], "column": "visits", "as": "records", "separator": ";", "field_separator": ":",
            "fields": [{"name": "day", "as": "date"}, {"name": "place"}]
        });
        for (name, value) in changes {
            claim[name] = value.clone();
        }
        let mut mapping = mapping();
        mapping["claims"] = json!([claim]);
        parse(&mapping)
    };
    assert!(records(&[]).is_ok());
    let cases = [
        ("field_separator", json!(";"), "claims[0].field_separator"),
        ("fields", json!([]), "claims[0].fields"),
        (
            "fields",
            json!([{"name": "a"}, {"name": "a"}]),
            "claims[0].fields[1].name",
        ),
        ("fields", json!([{"name": "type"}]), "claims[0].fields[0].name"),
        (
            "fields",
            json!([{"name": "a", "as": "image"}]),
            "claims[0].fields[0].as",
        ),
        (
            "fields",
            json!([{"name": "a", "separator": "+"}]),
            "claims[0].fields[0]",
        ),
        (
            "fields",
            json!([{"name": "a", "as": "list"}]),
            "claims[0].fields[0].separator",
        ),
    ];
    for (name, value, expected) in cases {
        let error = records(&[(name, value)]).unwrap_err();
        assert!(
            matches!(&error, MappingError::Setting { place, .. } if place == expected),
            "{error}"
        );
    }
}

#[test]
fn a_url_in_place_of_a_variable_is_not_repeated() {
    let database =
        |table: &str, variable: &str| with("/register", json!({"postgres": {"table": table, "url_env": variable}}));
    assert!(parse(&database("population.persons", "ATTESTRY_REGISTER_URL")).is_ok());
    assert!(parse(&database("a.b.c", "URL")).is_err());
    assert!(parse(&database("a\".b", "URL")).is_err());
    let error = parse(&database("persons", "postgres://me:secret@localhost/x")).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

/// The mapping with one member set to `value`.
fn with(pointer: &str, value: Value) -> Value {
    let mut mapping = mapping();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match mapping.pointer_mut(parent).unwrap() {
        Value::Object(object) => {
            object.insert(name.to_owned(), value);
        }
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        _ => panic!("no such place: {pointer}"),
    }
    mapping
}

fn mdoc() -> Value {
    let mut mapping = mapping();
    let claims = mapping["claims"].as_array_mut().unwrap();
    claims.push(json!({"path": ["birth_date"], "column": "born", "as": "date"}));
    claims.push(json!({"path": ["portrait"], "column": "portrait", "as": "image"}));
    claims.push(
        json!({"path": ["boats"], "column": "boats", "as": "records", "separator": ";", "field_separator": ":",
        "fields": [{"name": "class"}, {"name": "since", "as": "date"}]}),
    );
    mapping["mdoc"] = json!({"doctype": "org.example.membership.1", "namespaces": {
        "org.example.1": {
            "birth_date": {"claim": ["birth_date"]},
            "boats": {"claim": ["boats"]},
            "portrait": {"claim": ["portrait"], "required": true},
            "resident": {"claim": ["address"]},
        },
        "org.example.2": {"age_over_18": {"claim": ["age_over_18"]}, "town": {"claim": ["address", "town"]}},
    }});
    mapping
}

#[test]
fn claims_become_data_elements_of_their_types() {
    let mapping = parse(&mdoc()).unwrap();
    assert_eq!(mapping.doctype(), Some("org.example.membership.1"));
    let elements = |changes: &[(&str, &str)]| {
        let row = row(&[&[("portrait", "/9j/4A=="), ("boats", "8+:2020-05-01;1x:")], changes].concat());
        mapping.elements(&mapping.apply(&row, NOW).unwrap()).map(|found| {
            let owned = |(namespace, elements): &Namespace<'_>| {
                let elements = elements.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
                ((*namespace).to_owned(), elements.collect::<Vec<_>>())
            };
            found.iter().map(owned).collect::<Vec<_>>()
        })
    };
    let text = |text: &str| cbor::Value::text(text);
    let date = |date: &str| cbor::Value::Tag(1004, Box::new(text(date)));
    let map = |entries: Vec<(&str, cbor::Value)>| {
        cbor::Value::Map(entries.into_iter().map(|(name, value)| (text(name), value)).collect())
    };
    let boats = cbor::Value::Array(vec![
        map(vec![("class", text("8+")), ("since", date("2020-05-01"))]),
        map(vec![("class", text("1x"))]),
    ]);
    let first = vec![
        ("birth_date".to_owned(), date("1990-05-17")),
        ("boats".to_owned(), boats),
        ("portrait".to_owned(), cbor::Value::bytes([0xff, 0xd8, 0xff, 0xe0])),
        ("resident".to_owned(), map(vec![("town", text("Port Saga"))])),
    ];
    let second = vec![
        ("age_over_18".to_owned(), cbor::Value::Bool(true)),
        ("town".to_owned(), text("Port Saga")),
    ];
    let both = vec![
        ("org.example.1".to_owned(), first),
        ("org.example.2".to_owned(), second),
    ];
    assert_eq!(elements(&[]), Ok(both));
    // A name space without a value is not there.
    let found = elements(&[("born", ""), ("town", "")]).unwrap();
    assert_eq!(
        found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["org.example.1"]
    );
    assert_eq!(
        elements(&[("portrait", "")]),
        Err(RowError::MissingElement {
            identifier: "portrait".to_owned()
        })
    );
}

#[test]
fn data_elements_are_made_of_claims() {
    assert!(parse(&mdoc()).is_ok());
    for (pointer, value) in [
        ("/mdoc/doctype", json!("")),
        ("/mdoc/doctype", json!("a\nb")),
        ("/mdoc/namespaces", json!({})),
        ("/mdoc/namespaces/org.example.1", json!({"": {"claim": ["name"]}})),
        ("/mdoc/namespaces/org.example.1/portrait/claim", json!(["picture"])),
        ("/mdoc/namespaces/org.example.1/portrait/claim", json!([])),
        (
            "/mdoc/namespaces/org.example.1/portrait/claim",
            json!(["portrait", "inside"]),
        ),
        (
            "/mdoc/namespaces/org.example.1/portrait",
            json!({"claim": ["portrait"], "as": "image"}),
        ),
    ] {
        let mut wrong = mdoc();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(parse(&wrong).is_err(), "{pointer}");
    }
}
