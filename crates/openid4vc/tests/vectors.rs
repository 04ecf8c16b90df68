//! The examples of OpenID4VCI 1.0 and OpenID4VP 1.0: what they show is read, and written again as it was.

#![cfg(test)]

use std::path::Path;
use std::path::PathBuf;

use keys::json;
use keys::jws::UnverifiedJws;
use openid4vc::dcql::DcqlQuery;
use openid4vc::dcql::HeldCredential;
use openid4vc::dcql::Selection;
use openid4vc::dcql::path::Step;
use openid4vc::dcql::select::Disclosure;
use openid4vc::dcql::select::Mismatch;
use openid4vc::format::CredentialFormat;
use openid4vc::url::SecureUrl;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::CredentialError;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::CredentialResponse;
use openid4vc::vci::IssuerMetadata;
use openid4vc::vci::authorization_details::AuthorizationDetail;
use openid4vc::vci::metadata::MetadataError;
use openid4vc::vp::ClientId;
use openid4vc::vp::ClientMetadata;
use serde_json::Value;

/// The folder of examples; `None`, said aloud, if it is not there and need not be.
fn examples(standard: &str) -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let root = std::env::var_os("ATTESTRY_VECTORS").map_or(default, PathBuf::from);
    let folder = root.join(standard).join("examples");
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_some_and(|value| value == "1");
    assert!(!required, "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}

/// The files of a folder whose names begin with `start`; at least one.
fn files(folder: &Path, start: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let named = entries.filter_map(|path| Some((path.file_name()?.to_str()?.to_owned(), path.clone())));
    let read = |(name, path): (String, PathBuf)| (name, std::fs::read_to_string(path).unwrap());
    let found: Vec<_> = named.filter(|(name, _)| name.starts_with(start)).map(read).collect();
    assert!(!found.is_empty(), "no {start}* in {}", folder.display());
    found
}

/// The body of an example that shows an HTTP message, and without the line breaks "for display purposes".
fn body(text: &str) -> String {
    let start = text.find('{').unwrap();
    text[start..].lines().map(str::trim_start).collect()
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes(), json::DEFAULT_LIMITS).unwrap()
}

#[test]
fn authorization_details_are_read_and_written() {
    let Some(folder) = examples("openid4vci") else { return };
    for (name, text) in files(&folder, "authorization_details") {
        let details = AuthorizationDetail::parse_all(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(details).unwrap(), value(&text), "{name}");
    }
}

#[test]
fn credential_offers_are_read_and_written() {
    let Some(folder) = examples("openid4vci") else { return };
    for (name, text) in files(&folder, "credential_offer") {
        let text = body(&text);
        let offer = CredentialOffer::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut expected = value(&text);
        // The default is not written.
        if let Some(tx_code) =
            expected.pointer_mut("/grants/urn:ietf:params:oauth:grant-type:pre-authorized_code/tx_code")
        {
            let object = tx_code.as_object_mut().unwrap();
            if object.get("input_mode") == Some(&Value::from("numeric")) {
                object.remove("input_mode");
            }
        }
        assert_eq!(serde_json::to_value(offer).unwrap(), expected, "{name}");
    }
}

#[test]
fn credential_configurations_are_read_and_written() {
    let Some(folder) = examples("openid4vci") else { return };
    for (name, text) in files(&folder, "credential_metadata_") {
        let configurations = value(&text)["credential_configurations_supported"]
            .as_object()
            .unwrap()
            .clone();
        for (id, configuration) in configurations {
            let read: CredentialConfiguration =
                serde_json::from_value(configuration.clone()).unwrap_or_else(|error| panic!("{name} {id}: {error}"));
            assert_eq!(serde_json::to_value(read).unwrap(), configuration, "{name} {id}");
        }
    }
}

#[test]
fn issuer_metadata_are_read_and_written() {
    let Some(folder) = examples("openid4vci") else { return };
    let issuer = SecureUrl::parse_identifier("https://credential-issuer.example.com").unwrap();
    for (name, text) in files(&folder, "credential_issuer_metadata_sd_jwt_long") {
        let metadata =
            IssuerMetadata::parse(text.as_bytes(), &issuer).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(&metadata).unwrap(), value(&text), "{name}");
        assert_eq!(metadata.expect_plain(), Err(MetadataError::EncryptionRequired));
        assert_eq!(metadata.max_proofs(), 10);
    }
    for (name, text) in files(&folder, "credential_issuer_metadata_sd_jwt_jwt") {
        let jwt: String = text.split_whitespace().collect();
        let jws = UnverifiedJws::parse(&jwt, 1 << 20).unwrap();
        jws.header().expect_typ("openidvci-issuer-metadata+jwt").unwrap();
        let metadata = IssuerMetadata::parse(jws.unverified_payload(), &issuer);
        assert!(metadata.is_ok(), "{name}");
    }
}

#[test]
fn the_request_in_the_form_of_an_old_draft_is_refused() {
    let Some(folder) = examples("openid4vci") else { return };
    for (name, text) in files(&folder, "credential_request_") {
        // `format` and `doctype` went out of the request before the final text.
        assert_eq!(
            CredentialRequest::parse(text.as_bytes()),
            Err(CredentialError::Identification),
            "{name}"
        );
    }
}

#[test]
fn credential_responses_are_read_and_written() {
    let Some(folder) = examples("openid4vci") else { return };
    for (name, text) in files(&folder, "credential_response_") {
        let text = body(&text);
        let response = CredentialResponse::parse(text.as_bytes(), 1).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(serde_json::to_value(response).unwrap(), value(&text), "{name}");
    }
}

#[test]
fn queries_are_read_and_written() {
    let Some(folder) = examples("openid4vp") else { return };
    let queries = files(&folder.join("query_lang"), "")
        .into_iter()
        .chain(files(&folder.join("request"), "dcql_"));
    for (name, text) in queries {
        let query = DcqlQuery::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(query.to_value(), value(&text), "{name}");
    }
}

#[test]
fn client_metadata_are_read_and_written() {
    let Some(folder) = examples("openid4vp") else { return };
    for (name, text) in files(&folder.join("client_metadata"), "") {
        let metadata = ClientMetadata::from_value(&value(&text)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(metadata.to_value(), value(&text), "{name}");
    }
}

#[test]
fn the_client_of_the_request_object_is_read() {
    let Some(folder) = examples("openid4vp") else { return };
    for (name, text) in files(&folder.join("request"), "request_object_client_id_did") {
        let request = value(&text.replace("{ ... }", "{}"));
        let client_id = ClientId::parse(request["client_id"].as_str().unwrap()).unwrap();
        assert_eq!(client_id.did(), Some("did:example:123"), "{name}");
        assert!(
            ClientMetadata::from_value(&request["client_metadata"]).is_ok(),
            "{name}"
        );
    }
}

/// The example credentials of the text against its example queries.
#[test]
fn the_example_credentials_answer_the_example_queries() {
    let Some(folder) = examples("openid4vp") else { return };
    let read = |name: &str| value(&std::fs::read_to_string(folder.join(name)).unwrap());
    let disclosure = |format: CredentialFormat, kind: &str, claims: &Value, query: &str| {
        let query = DcqlQuery::from_value(&read(query)).unwrap();
        let held = HeldCredential {
            id: "1",
            format,
            types: vec![kind.to_owned()],
            claims,
            can_prove_holder_binding: true,
            authorities: vec![],
        };
        let selection = Selection::evaluate(&query, &[held]);
        let id = &query.credentials[0].id;
        match selection.matches(id).first() {
            Some(found) => Ok(found.disclosure.clone()),
            None => Err(selection.mismatches(id)[0].1.clone()),
        }
    };
    let jwt = read("credentials/jwt_vc.json")["vc"].clone();
    let found = disclosure(
        CredentialFormat::JwtVcJson,
        "IDCredential",
        &jwt,
        "request/dcql_jwt_vc.json",
    );
    assert_eq!(found, Ok(Disclosure::Whole));
    let ldp = read("credentials/ldp_vc.json");
    let found = disclosure(
        CredentialFormat::LdpVc,
        "IDCredential",
        &ldp,
        "request/dcql_ldp_vc.json",
    );
    // Whether it can be shown in part depends on its proof; what would then leave is what was asked for.
    let Ok(Disclosure::Claims(paths)) = found else {
        panic!("expected claims, found {found:?}");
    };
    let subject = Step::Key("credentialSubject".to_owned());
    let of_the_subject = paths.iter().filter(|path| path.first() == Some(&subject));
    assert_eq!((of_the_subject.count(), paths.len()), (7, 7));
    // The example SD-JWT VC has no address, which the example query asks for.
    let mut sd_jwt = read("credentials/sd_jwt_vc_unsecured.json");
    let vct = sd_jwt["vct"].as_str().unwrap().to_owned();
    let query = "query_lang/simple.json";
    let found = disclosure(CredentialFormat::SdJwtVc, &vct, &sd_jwt, query);
    assert!(matches!(found, Err(Mismatch::Claim { path }) if path.to_string() == r#"["address","street_address"]"#));
    sd_jwt["address"] = serde_json::json!({"street_address": "Heidestrasse 17", "locality": "Koeln"});
    let found = disclosure(CredentialFormat::SdJwtVc, &vct, &sd_jwt, query);
    assert!(matches!(found, Ok(Disclosure::Claims(places)) if places.len() == 3));
}
