//! The file that says whom a verifier trusts.

use credential::sd_jwt_vc::issuer_metadata::IssuerMetadataError;
use keys::json::JsonError;
use keys::x509::X509Error;
use verifier::TrustAnchorError;

use super::*;

fn with(chosen: TrustAnchors, anchors: &Value) -> Result<TrustAnchors, TrustAnchorError> {
    let file = json!({"attestry": "trust-anchors/1", "anchors": anchors});
    chosen.with(file.to_string().as_bytes())
}

fn refused(anchor: &Value) -> TrustAnchorError {
    with(TrustAnchors::default(), &json!([anchor])).unwrap_err()
}

fn by_metadata() -> Value {
    let key = university().public_key().to_jwk().to_value();
    json!({"issuer": ISSUER, "metadata": {"issuer": ISSUER, "jwks": {"keys": [key]}}, "types": [DEGREE]})
}

#[test]
fn several_files_are_one_choice() {
    let none = TrustAnchors::default();
    assert!(none.is_empty());
    let one = with(none, &json!([authority_anchor(&root(), &[DEGREE])])).unwrap();
    let both = with(one, &json!([by_metadata()])).unwrap();
    assert!(!both.is_empty());
    let name = ISSUER.to_owned();
    let twice = with(both, &json!([by_metadata()]));
    assert_eq!(twice.unwrap_err(), TrustAnchorError::Duplicate { name });
}

#[test]
fn other_files_are_refused() {
    let read = |file: &[u8]| TrustAnchors::default().with(file);
    for text in [
        "",
        "[]",
        r#"{"anchors": []}"#,
        r#"{"attestry": "trust-anchors/2", "anchors": []}"#,
        r#"{"attestry": "trust-anchors/1", "anchors": [], "anchors": []}"#,
        r#"{"attestry": "trust-anchors/1", "anchors": [], "more": 1}"#,
        r#"{"attestry": "trust-anchors/1", "anchors": [{"types": ["a"], "trust": "all"}]}"#,
    ] {
        assert!(
            matches!(read(text.as_bytes()), Err(TrustAnchorError::Json(_))),
            "{text}"
        );
    }
    let large = vec![b' '; (1 << 20) + 1];
    assert!(matches!(
        read(&large),
        Err(TrustAnchorError::Json(JsonError::TooLarge { .. }))
    ));
    let key = university().public_key().to_jwk().to_value();
    let many = (0..=500).map(|number| {
        let issuer = format!("{ISSUER}/{number}");
        json!({"issuer": issuer, "metadata": {"issuer": issuer, "jwks": {"keys": [key]}}, "types": ["a"]})
    });
    let many: Vec<Value> = many.collect();
    with(TrustAnchors::default(), &json!(many[1..])).unwrap();
    let too_many = with(TrustAnchors::default(), &json!(many));
    assert_eq!(too_many.unwrap_err(), TrustAnchorError::TooMany);
}

#[test]
fn an_anchor_is_one_thing_with_its_types() {
    let whole = by_metadata();
    for (name, value) in [
        ("types", json!([])),
        ("types", json!([""])),
        ("metadata", json!(null)),
        ("issuer", json!(null)),
        ("certificate", json!(STANDARD.encode(root()))),
        ("jwks", json!({"keys": []})),
    ] {
        let mut changed = whole.clone();
        changed[name] = value.clone();
        let refusal = refused(&changed);
        assert!(
            matches!(refusal, TrustAnchorError::Members { place: 1, .. }),
            "{name} {value}: {refusal:?}"
        );
    }
    let mut beside = authority_anchor(&root(), &[DEGREE]);
    beside["jwks"] = json!({"keys": []});
    assert!(matches!(refused(&beside), TrustAnchorError::Members { .. }));
}

#[test]
fn certificates_that_are_none_are_refused() {
    let with = |certificate: &str| refused(&json!({"certificate": certificate, "types": [DEGREE]}));
    assert_eq!(with("*"), TrustAnchorError::Base64 { place: 1 });
    assert!(matches!(
        with("AAAA"),
        TrustAnchorError::Certificate {
            source: X509Error::Form { .. },
            ..
        }
    ));
}

#[test]
fn metadata_is_of_the_issuer_with_keys_in_one_place() {
    let url = "https://issuer.example/keys";
    let source = |anchor: &Value| match refused(anchor) {
        TrustAnchorError::Metadata { source, .. } => source,
        other => panic!("{other:?}"),
    };
    let changed = |pointer: &str, value: Value| {
        let mut anchor = by_metadata();
        *anchor.pointer_mut(pointer).unwrap() = value;
        anchor
    };
    assert!(matches!(
        source(&changed("/metadata/issuer", json!("https://university.example"))),
        IssuerMetadataError::WrongIssuer { .. }
    ));
    let mut both = by_metadata();
    both["metadata"]["jwks_uri"] = json!(url);
    assert!(matches!(source(&both), IssuerMetadataError::Member { .. }));
    let mut nowhere = by_metadata();
    nowhere["metadata"] = json!({"issuer": ISSUER});
    assert!(matches!(source(&nowhere), IssuerMetadataError::Member { .. }));
    // Nobody fetches what is not in the file.
    let mut elsewhere = by_metadata();
    elsewhere["metadata"] = json!({"issuer": ISSUER, "jwks_uri": url});
    assert!(matches!(refused(&elsewhere), TrustAnchorError::Members { .. }));
    for iss in ["did:web:university.example", "http://university.example", "university"] {
        let mut anchor = by_metadata();
        anchor["issuer"] = json!(iss);
        anchor["metadata"]["issuer"] = json!(iss);
        assert_eq!(source(&anchor), IssuerMetadataError::NoUrl, "{iss}");
    }
}
