//! The built-in questions.

use openid4vc::dcql::DcqlQuery;
use serde_json::Value;
use serde_json::json;

/// Their names.
pub const BUILT_IN: [&str; 3] = ["age-over-18", "identity", "driving-licence"];

/// The query of this name.
#[must_use]
pub fn built_in(name: &str) -> Option<DcqlQuery> {
    let (vct, claims): (&str, &[&[&str]]) = match name {
        "age-over-18" => ("https://attestry.example/types/PersonIdentity", &[&["age_over_18"]]),
        "identity" => (
            "https://attestry.example/types/PersonIdentity",
            &[&["given_name"], &["family_name"], &["birthdate"], &["nationalities"]],
        ),
        "driving-licence" => (
            "https://attestry.example/types/DrivingLicence",
            &[
                &["given_name"],
                &["family_name"],
                &["document_number"],
                &["expiry_date"],
                &["driving_privileges"],
            ],
        ),
        _ => return None,
    };
    let claims: Vec<Value> = claims.iter().map(|path| json!({"path": path})).collect();
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
