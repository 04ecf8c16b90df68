//! The built-in questions.

use openid4vc::dcql::DcqlQuery;
use serde_json::Value;
use serde_json::json;

/// Their names.
pub const BUILT_IN: [&str; 3] = ["age-over-18", "identity", "driving-licence"];

/// The query of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<DcqlQuery> {
    // `null` asks for every element: an array may be disclosed without any.
    let (vct, paths) = match name {
        "age-over-18" => ("PersonIdentity", json!([["age_over_18"]])),
        "identity" => (
            "PersonIdentity",
            json!([["given_name"], ["family_name"], ["birthdate"], ["nationalities", null]]),
        ),
        "driving-licence" => (
            "DrivingLicence",
            json!([
                ["given_name"],
                ["family_name"],
                ["document_number"],
                ["expiry_date"],
                ["driving_privileges", null]
            ]),
        ),
        _ => return None,
    };
    let vct = format!("https://attestry.example/types/{vct}");
    let claims: Vec<Value> = paths.as_array()?.iter().map(|path| json!({"path": path})).collect();
    let query =
        json!({"credentials": [{"id": name, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}, "claims": claims}]});
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
