use keys::Algorithm;
use keys::Signer as _;
use serde_json::json;
use signer::SoftwareKey;

use super::*;
use crate::federation::Leaf;
use crate::federation::RESOLVE_RESPONSE;
use crate::federation::jwk;
use crate::federation::sign;

const ANCHOR: &str = "https://registry.example";
const AGENCY: &str = "https://agency.example/issuers/a";
const KEY_ID: &str = "did:web:agency.example#key";
const NOW: Timestamp = Timestamp::from_unix(1_795_392_000);

fn key(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::Es256, &[number; 32]).unwrap()
}

fn statement() -> Value {
    json!({
        "iss": ANCHOR,
        "sub": AGENCY,
        "iat": NOW.unix(),
        "exp": NOW.plus(7 * 86_400).unix(),
        "jwks": {"keys": [jwk(key(9).public_key(), "did:web:agency.example#old"), jwk(key(1).public_key(), KEY_ID)]},
        "metadata": {"federation_entity": {"organization_name": "Office of Examples"}},
        "constraints": {"max_path_length": 0, "allowed_entity_types": ["openid_credential_issuer"]},
    })
}

fn federation(statement: &Value) -> Federation {
    let content = json!({
        "trust_anchor": {"iss": ANCHOR, "sub": ANCHOR, "exp": NOW.plus(6 * 86_400).unix()},
        "subordinate_statements": [statement],
    });
    Federation::parse(content.to_string().as_bytes()).unwrap()
}

fn resolved(statement: &Value, configuration: &str) -> Result<Resolved, ConfigurationError> {
    federation(statement)
        .subordinate(AGENCY)
        .unwrap()
        .resolve(configuration, NOW)
}

fn claims() -> Value {
    json!({
        "iss": AGENCY,
        "sub": AGENCY,
        "iat": NOW.unix(),
        "exp": NOW.plus(3_600).unix(),
        "jwks": {"keys": [jwk(key(1).public_key(), KEY_ID)]},
        "authority_hints": ["https://other.example", ANCHOR],
        "metadata": {
            "federation_entity": {
                "organization_name": "Ministry of Everything",
                "organization_name#fr": "Ministère de tout",
                "display_name": "Examples",
            },
            "openid_credential_issuer": {"credential_issuer": AGENCY},
            "openid_provider": {"issuer": AGENCY},
        },
    })
}

fn signed(claims: &Value) -> String {
    signed_as(ENTITY_STATEMENT, KEY_ID, claims)
}

fn signed_as(typ: &str, key_id: &str, claims: &Value) -> String {
    let request = sign(typ, key_id, claims.as_object().unwrap(), Algorithm::Es256);
    key(1).fulfil(request).unwrap()
}

fn code_of(claims: &Value) -> &'static str {
    resolved(&statement(), &signed(claims)).unwrap_err().code()
}

#[test]
fn a_subject_s_metadata_are_its_own_within_what_the_registry_says() {
    let resolved = resolved(&statement(), &signed(&claims())).unwrap();
    let federation = federation(&statement());
    let all = resolved.response((&federation, AGENCY), &[], ["a", "b", "c"], NOW);
    assert_eq!(
        Value::from(all),
        json!({
            "iss": ANCHOR,
            "sub": AGENCY,
            "iat": NOW.unix(),
            "exp": NOW.plus(3_600).unix(),
            "metadata": {
                "federation_entity": {"organization_name": "Office of Examples", "display_name": "Examples"},
                "openid_credential_issuer": {"credential_issuer": AGENCY},
            },
            "trust_chain": ["a", "b", "c"],
        })
    );
    let asked = ["openid_provider".to_owned(), "openid_credential_issuer".to_owned()];
    let asked = resolved.response((&federation, AGENCY), &asked, ["a", "b", "c"], NOW);
    assert_eq!(
        asked["metadata"],
        json!({"openid_credential_issuer": {"credential_issuer": AGENCY}})
    );
}

#[test]
fn a_leaf_is_resolved_as_it_was_signed() {
    let metadata = claims()["metadata"].as_object().unwrap().clone();
    let agency = key(1);
    let leaf = Leaf {
        entity: AGENCY,
        superior: ANCHOR,
        key_id: KEY_ID,
        key: agency.public_key(),
        metadata,
        issued_at: NOW,
    };
    let configuration = agency.fulfil(leaf.sign()).unwrap();
    assert!(resolved(&statement(), &configuration).is_ok());
    // By another than the agency.
    let other = key(2).fulfil(leaf.sign()).unwrap();
    assert!(matches!(
        resolved(&statement(), &other),
        Err(ConfigurationError::Jws(JwsError::Signature(_)))
    ));
}

#[test]
fn the_chain_ends_with_the_first_of_its_statements() {
    let mut long = claims();
    long["exp"] = NOW.plus(30 * 86_400).unix().into();
    let ends = |statement: Value| {
        let resolved = resolved(&statement, &signed(&long)).unwrap();
        let response = resolved.response((&federation(&statement), AGENCY), &[], ["", "", ""], NOW);
        response["exp"].as_i64().unwrap() - NOW.unix()
    };
    assert_eq!(ends(statement()), 6 * 86_400);
    let mut short = statement();
    short["exp"] = NOW.plus(60).unix().into();
    assert_eq!(ends(short.clone()), 60);
    short["exp"] = NOW.unix().into();
    let over = resolved(&short, &signed(&long)).unwrap_err();
    assert!(matches!(over, ConfigurationError::Expired { .. }), "{over}");
}

#[test]
fn keys_are_the_ones_that_both_sides_name() {
    assert!(resolved(&statement(), &signed(&claims())).is_ok());
    // Its own key, which the registry does not have.
    let mut own = claims();
    own["jwks"]["keys"] = json!([jwk(key(1).public_key(), "mine")]);
    let found = |configuration: &str, statement: &Value| match resolved(statement, configuration) {
        Err(ConfigurationError::Key { found }) => found,
        other => panic!("{other:?}"),
    };
    let signed_with_own = signed_as(ENTITY_STATEMENT, "mine", &own);
    assert_eq!(found(&signed_with_own, &statement()).as_deref(), Some("mine"));
    // The registry's, which the subject does not name, or by which it names another.
    assert!(found(&signed(&own), &statement()).is_some());
    own["jwks"]["keys"] = json!([jwk(key(2).public_key(), KEY_ID)]);
    assert!(found(&signed(&own), &statement()).is_some());
    // Not for signatures.
    let mut statement_for_encryption = statement();
    statement_for_encryption["jwks"]["keys"][1]["use"] = "enc".into();
    assert!(found(&signed(&claims()), &statement_for_encryption).is_some());
    // A key that the registry has under another id.
    let by_old = signed_as(ENTITY_STATEMENT, "did:web:agency.example#old", &claims());
    assert!(matches!(
        resolved(&statement(), &by_old),
        Err(ConfigurationError::Jws(JwsError::Signature(_)))
    ));
    for keys in [json!([]), json!([{"kty": "RSA"}]), json!([{"kid": ""}]), json!("none")] {
        let mut with = claims();
        with["jwks"]["keys"] = keys;
        assert_eq!(code_of(&with), "invalid_trust_chain", "{with}");
    }
    let mut two = claims();
    let mine = two["jwks"]["keys"][0].clone();
    for id in [KEY_ID, ""] {
        two["jwks"]["keys"] = json!([mine, {"kty": "RSA", "kid": id}]);
        assert!(matches!(
            resolved(&statement(), &signed(&two)),
            Err(ConfigurationError::Claim { name: "jwks", .. })
        ));
    }
    // Keys of kinds that we do not know are no matter.
    two["jwks"]["keys"][1]["kid"] = "another".into();
    assert!(resolved(&statement(), &signed(&two)).is_ok());
}

#[test]
fn a_jwt_of_another_kind_is_refused() {
    let other = signed_as(RESOLVE_RESPONSE, KEY_ID, &claims());
    assert!(matches!(
        resolved(&statement(), &other),
        Err(ConfigurationError::Jws(JwsError::WrongType { .. }))
    ));
    let long = "a".repeat(MAX_CONFIGURATION_BYTES + 1);
    assert!(matches!(
        resolved(&statement(), &long),
        Err(ConfigurationError::Jws(JwsError::TooLong { .. }))
    ));
}

#[test]
fn every_claim_is_as_the_standard_has_it() {
    assert!(resolved(&statement(), &signed(&claims())).is_ok());
    for (name, value, code) in [
        ("iss", json!("https://other.example"), "invalid_trust_chain"),
        ("iss", Value::Null, "invalid_trust_chain"),
        ("sub", json!("https://other.example"), "invalid_trust_chain"),
        ("iat", json!(NOW.plus(61).unix()), "invalid_trust_chain"),
        ("iat", json!("now"), "invalid_trust_chain"),
        ("exp", json!(NOW.unix()), "invalid_trust_chain"),
        ("exp", Value::Null, "invalid_trust_chain"),
        (
            "authority_hints",
            json!(["https://other.example"]),
            "invalid_trust_chain",
        ),
        ("authority_hints", json!([]), "invalid_trust_chain"),
        ("authority_hints", json!([ANCHOR, 1]), "invalid_trust_chain"),
        ("authority_hints", json!(ANCHOR), "invalid_trust_chain"),
        ("trust_anchor_hints", json!([]), "invalid_trust_chain"),
        ("trust_marks", json!([{"trust_mark": "x"}]), "invalid_trust_chain"),
        ("trust_mark_issuers", json!([]), "invalid_trust_chain"),
        ("trust_mark_owners", json!("x"), "invalid_trust_chain"),
        ("crit", json!(["x"]), "invalid_trust_chain"),
        ("aud", json!(ANCHOR), "invalid_trust_chain"),
        ("constraints", json!({}), "invalid_trust_chain"),
        ("metadata_policy", json!({}), "invalid_trust_chain"),
        ("metadata_policy_crit", json!(["x"]), "invalid_trust_chain"),
        ("source_endpoint", json!("https://x.example"), "invalid_trust_chain"),
        ("trust_anchor", json!(ANCHOR), "invalid_trust_chain"),
        ("metadata", json!([]), "invalid_metadata"),
        ("metadata", json!({"openid_provider": "x"}), "invalid_metadata"),
        ("metadata", json!({"openid_provider": {"x": null}}), "invalid_metadata"),
        (
            "metadata",
            json!({"openid_credential_issuer": {"credential_issuer": "https://other.example"}}),
            "invalid_metadata",
        ),
        ("metadata", json!({"openid_credential_issuer": {}}), "invalid_metadata"),
    ] {
        let mut changed = claims();
        changed[name] = value;
        assert_eq!(code_of(&changed), code, "{name}: {}", changed[name]);
    }
    for (name, value) in [
        ("iat", json!(NOW.plus(60).unix())),
        ("trust_anchor_hints", json!([ANCHOR])),
        (
            "trust_marks",
            json!([{"trust_mark_type": "https://mark.example", "trust_mark": "e30.e30.AA"}]),
        ),
        ("trust_mark_issuers", json!({})),
        ("metadata", json!({})),
        ("https://agency.example/own", json!(1)),
    ] {
        let mut changed = claims();
        changed[name] = value;
        let found = resolved(&statement(), &signed(&changed));
        assert!(found.is_ok(), "{name}: {found:?}");
    }
}

#[test]
fn trust_chains_in_the_header_are_texts() {
    let with = |chain: Value| {
        let header = Map::from_iter([
            ("typ".to_owned(), ENTITY_STATEMENT.into()),
            ("kid".to_owned(), KEY_ID.into()),
            ("trust_chain".to_owned(), chain),
        ]);
        let request = keys::jws::sign(header, claims().to_string().as_bytes(), Algorithm::Es256);
        resolved(&statement(), &key(1).fulfil(request).unwrap())
    };
    assert!(with(json!(["a", "b"])).is_ok());
    for chain in [json!("a"), json!(["a", 1])] {
        let name = "trust_chain";
        assert!(matches!(with(chain), Err(ConfigurationError::Claim { name: found, .. }) if found == name));
    }
}

#[test]
fn another_s_projection_is_no_federation() {
    for content in [
        json!({"LoTE": {}}),
        json!({"trust_anchor": {}, "subordinate_statements": [{}]}),
        json!({"trust_anchor": [], "subordinate_statements": []}),
    ] {
        assert!(Federation::parse(content.to_string().as_bytes()).is_err(), "{content}");
    }
}
