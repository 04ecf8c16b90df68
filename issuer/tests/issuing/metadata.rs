//! What an agency says that it issues.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::service::Service;

fn configurations(metadata: &Value) -> Vec<&str> {
    let configurations = metadata["credential_configurations_supported"].as_object().unwrap();
    configurations.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn type_with_a_context_is_issued_in_three_formats_and_for_selective_disclosure() {
    let metadata = Service::start().await.metadata().await;
    assert_eq!(
        configurations(&metadata),
        [
            "PersonIdentity.dc+sd-jwt",
            "PersonIdentity.jwt_vc_json",
            "PersonIdentity.ldp_vc",
            "PersonIdentity.ldp_vc.bbs-2023",
            "PersonIdentity.ldp_vc.ecdsa-sd-2023",
        ]
    );
    let of = |format: &str| &metadata["credential_configurations_supported"][format!("PersonIdentity.{format}")];
    let types = json!(["VerifiableCredential", "PersonIdentity"]);
    let dids = json!(["did:key", "did:jwk"]);

    let jwt = of("jwt_vc_json");
    assert_eq!(jwt["credential_definition"], json!({"type": types}));
    assert_eq!(jwt["credential_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(jwt["cryptographic_binding_methods_supported"], dids);

    let ldp = of("ldp_vc");
    let contexts = json!([
        "https://www.w3.org/ns/credentials/v2",
        "https://attestry.example/types/PersonIdentity/context.jsonld"
    ]);
    assert_eq!(
        ldp["credential_definition"],
        json!({"@context": contexts, "type": types})
    );
    assert_eq!(
        ldp["credential_signing_alg_values_supported"],
        json!(["eddsa-rdfc-2022"])
    );
    assert_eq!(ldp["cryptographic_binding_methods_supported"], dids);
    let algorithms = &ldp["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"];
    assert_eq!(*algorithms, json!(["EdDSA"]));

    for suite in ["bbs-2023", "ecdsa-sd-2023"] {
        let selective = of(&format!("ldp_vc.{suite}"));
        assert_eq!(selective["format"], "ldp_vc");
        assert_eq!(selective["credential_definition"], ldp["credential_definition"]);
        assert_eq!(selective["credential_signing_alg_values_supported"], json!([suite]));
        // The suite signs no presentations, so that the holder's key may be of any that do.
        let algorithms = &selective["proof_types_supported"]["jwt"]["proof_signing_alg_values_supported"];
        assert_eq!(*algorithms, json!(["EdDSA", "ES256"]));
        assert_eq!(selective["credential_metadata"], ldp["credential_metadata"]);
    }

    // The same claims, where each format has them.
    let claims = |format: &str| of(format)["credential_metadata"]["claims"].as_array().unwrap().clone();
    assert_eq!(claims("dc+sd-jwt")[0]["path"], json!(["given_name"]));
    for format in ["jwt_vc_json", "ldp_vc"] {
        assert_eq!(claims(format)[0]["path"], json!(["credentialSubject", "given_name"]));
        assert_eq!(claims(format).len(), claims("dc+sd-jwt").len());
    }
}

#[tokio::test]
async fn type_without_a_context_that_fits_is_issued_as_sd_jwt_vc_alone() {
    for context in [
        None,
        Some(r#"{"@context": {"PersonIdentity": "https://attestry.example/types/PersonIdentity"}}"#),
    ] {
        let service = Service::start_with(|folder| {
            let path = folder.join("types/PersonIdentity/context.jsonld");
            match context {
                None => fs::remove_file(path).unwrap(),
                Some(text) => fs::write(path, text).unwrap(),
            }
        })
        .await;
        assert_eq!(configurations(&service.metadata().await), ["PersonIdentity.dc+sd-jwt"]);
    }
}
