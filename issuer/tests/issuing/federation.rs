//! An agency in OpenID Federation.

use keys::Signer as _;
use serde_json::Value;
use serde_json::json;
use server::fetch::Fetched;
use trust::federation::Federation;

use crate::service::NOW;
use crate::service::Service;

const ANCHOR: &str = "https://registry.attestry.example";
const AGENCY: &str = "https://attestry.example/issuers/population";
const PLACE: &str = "/issuers/population/.well-known/openid-federation";

/// What the registry would say of the agency.
fn vouched(service: &Service) -> Federation {
    let mut jwk = service.identity.es256.public_key().to_jwk();
    jwk.kid = Some(format!("{}#es256", service.identity.did));
    let content = json!({
        "trust_anchor": {"iss": ANCHOR},
        "subordinate_statements": [{
            "iss": ANCHOR,
            "sub": AGENCY,
            "jwks": {"keys": [jwk]},
            "constraints": {"allowed_entity_types": ["oauth_authorization_server", "openid_credential_issuer"]},
        }],
    });
    Federation::parse(content.to_string().as_bytes()).unwrap()
}

fn code(answer: &Fetched) -> (u16, Value) {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, body["error"].clone())
}

#[tokio::test]
async fn an_agency_says_of_itself_what_its_metadata_say() {
    let loopback = Service::start().await;
    *loopback.registry.entity_identifier.lock().unwrap() = Some(ANCHOR.to_owned());
    let service = loopback.called("https://attestry.example").await;
    let answer = service.get_here(PLACE).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.content_type(), Some("application/entity-statement+jwt"));
    let federation = vouched(&service);
    let statement = federation.subordinate(AGENCY).unwrap();
    let resolved = statement
        .resolve(std::str::from_utf8(&answer.body).unwrap(), NOW)
        .unwrap();
    let found = resolved.response((&federation, AGENCY), &[], ["", "", ""], NOW);
    assert_eq!(found["exp"], NOW.plus(86_400).unix());
    let mut metadata = service.metadata().await;
    metadata["client_registration_types_supported"] = json!([]);
    assert_eq!(
        found["metadata"],
        json!({
            "federation_entity": {"organization_name": "Population Agency"},
            "oauth_authorization_server": service.server_metadata().await,
            "openid_credential_issuer": metadata,
        })
    );
}

#[tokio::test]
async fn without_https_or_a_trust_anchor_there_is_no_entity() {
    let loopback = Service::start().await;
    let service = loopback.called("https://attestry.example").await;
    let missing = (404, json!("not_found"));
    assert_eq!(code(&service.get_here(PLACE).await), missing);
    *loopback.registry.entity_identifier.lock().unwrap() = Some(ANCHOR.to_owned());
    assert_eq!(service.get_here(PLACE).await.status, 200);
    assert_eq!(code(&loopback.get_here(PLACE).await), missing);
    let other = service.get_here(&PLACE.replace("population", "other")).await;
    assert_eq!(code(&other), missing);
}
