//! Entity Configurations of OpenID Federation, as they come and behind the subject's own signature.

use std::sync::LazyLock;

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use trust::federation::ENTITY_STATEMENT;
use trust::federation::Federation;
use trust::federation::Leaf;

use crate::NOW;
use crate::issuer;
use crate::text;

const ANCHOR: &str = "https://registry.example";
const AGENCY: &str = "https://agency.example";
const NAME: &str = "An Agency";
const ENDS: Timestamp = NOW.plus(86_400);

/// What the registry says of the subject.
static FEDERATION: LazyLock<Federation> = LazyLock::new(|| {
    let content = json!({
        "trust_anchor": {"iss": ANCHOR, "exp": ENDS.unix()},
        "subordinate_statements": [{
            "iss": ANCHOR,
            "sub": AGENCY,
            "exp": ENDS.unix(),
            "jwks": {"keys": [key()]},
            "metadata": {"federation_entity": {"organization_name": NAME}},
            "constraints": {"allowed_entity_types": ["openid_credential_issuer"]},
        }],
    });
    Federation::parse(content.to_string().as_bytes()).expect("a projection")
});

fn key() -> Value {
    let mut jwk = issuer().public().to_jwk();
    jwk.kid = Some(issuer().method.clone());
    jwk.to_value()
}

/// The input as projection, as JWT, and as what the subject signed. Whatever comes of it is within what the registry says.
pub fn fuzz(data: &[u8]) {
    if let Ok(federation) = Federation::parse(data) {
        let _ = federation.list(&["openid_provider".to_owned()]).count();
    }
    if let Some(text) = text(data) {
        read(text);
    }
    read(&issuer().jws(ENTITY_STATEMENT, data));
}

fn read(configuration: &str) {
    let statement = FEDERATION.subordinate(AGENCY).expect("the subject");
    let Ok(resolved) = statement.resolve(configuration, NOW) else {
        return;
    };
    let response = resolved.response((&FEDERATION, AGENCY), &[], [configuration, "", ""], NOW);
    assert!(response.get("exp").and_then(Value::as_i64).expect("an end") <= ENDS.unix());
    let metadata = response.get("metadata").and_then(Value::as_object).expect("metadata");
    for (entity_type, parameters) in metadata {
        match entity_type.as_str() {
            "federation_entity" => {
                assert_eq!(parameters["organization_name"], NAME);
                let names = parameters.as_object().expect("parameters").keys();
                assert!(names.filter(|name| name.starts_with("organization_name")).count() == 1);
            }
            "openid_credential_issuer" => assert_eq!(parameters["credential_issuer"], AGENCY),
            other => panic!("{other} is not allowed"),
        }
    }
}

pub(crate) fn seeds() -> Vec<String> {
    let metadata = json!({
        "federation_entity": {"organization_name": "Another", "organization_name#fr": "Un autre"},
        "openid_credential_issuer": {"credential_issuer": AGENCY},
        "openid_provider": {},
    });
    let leaf = Leaf {
        entity: AGENCY,
        superior: ANCHOR,
        key_id: &issuer().method,
        key: issuer().public(),
        metadata: metadata.as_object().cloned().unwrap_or_default(),
        issued_at: NOW,
    };
    let signed = issuer().sign(leaf.sign());
    let claims: Map<String, Value> = Map::from_iter([
        ("iss".to_owned(), AGENCY.into()),
        ("sub".to_owned(), AGENCY.into()),
        ("iat".to_owned(), NOW.unix().into()),
        ("exp".to_owned(), ENDS.unix().into()),
        ("jwks".to_owned(), json!({"keys": [key()]})),
        ("authority_hints".to_owned(), json!([ANCHOR])),
        ("metadata".to_owned(), metadata),
        (
            "trust_marks".to_owned(),
            json!([{"trust_mark_type": "https://mark.example", "trust_mark": "e30.e30.AA"}]),
        ),
    ]);
    let content = json!({"trust_anchor": {}, "subordinate_statements": [{"sub": AGENCY, "constraints": {}}]});
    vec![signed, Value::from(claims).to_string(), content.to_string()]
}
