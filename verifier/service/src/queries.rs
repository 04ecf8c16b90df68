//! The built-in questions.

use openid4vc::dcql::DcqlQuery;
use serde_json::Value;
use serde_json::json;

/// Their names.
pub const BUILT_IN: [&str; 4] = ["age-over-18", "identity", "driving-licence", "driving-licence-mdoc"];

/// The query of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<DcqlQuery> {
    // `null` asks for every element: an array may be disclosed without any.
    match name {
        "age-over-18" => sd_jwt_vc(name, "PersonIdentity", &json!([["age_over_18"]])),
        "identity" => sd_jwt_vc(
            name,
            "PersonIdentity",
            &json!([["given_name"], ["family_name"], ["birthdate"], ["nationalities", null]]),
        ),
        "driving-licence" => sd_jwt_vc(
            name,
            "DrivingLicence",
            &json!([
                ["given_name"],
                ["family_name"],
                ["document_number"],
                ["expiry_date"],
                ["driving_privileges", null]
            ]),
        ),
        "driving-licence-mdoc" => mdl(
            name,
            &[
                "given_name",
                "family_name",
                "document_number",
                "expiry_date",
                "driving_privileges",
            ],
        ),
        _ => None,
    }
}

fn sd_jwt_vc(id: &str, type_name: &str, paths: &Value) -> Option<DcqlQuery> {
    let vct = format!("https://attestry.example/types/{type_name}");
    let claims = paths.as_array()?.iter().map(|path| json!({"path": path}));
    query(id, "dc+sd-jwt", &json!({"vct_values": [vct]}), claims)
}

/// Data elements of a mobile driving licence; the result is forgotten after ten minutes, so none is retained.
fn mdl(id: &str, elements: &[&str]) -> Option<DcqlQuery> {
    let claim = |element| json!({"path": ["org.iso.18013.5.1", element], "intent_to_retain": false});
    let meta = json!({"doctype_value": "org.iso.18013.5.1.mDL"});
    query(id, "mso_mdoc", &meta, elements.iter().map(claim))
}

fn query(id: &str, format: &str, meta: &Value, claims: impl Iterator<Item = Value>) -> Option<DcqlQuery> {
    let claims: Vec<Value> = claims.collect();
    let query = json!({"credentials": [{"id": id, "format": format, "meta": meta, "claims": claims}]});
    DcqlQuery::from_value(&query).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_query() {
        for name in BUILT_IN {
            assert!(built_in(name).is_some(), "{name}");
        }
        assert!(built_in("age-over-17").is_none());
    }
}
