//! OpenID Federation over HTTP: what the registry signs as a Trust Anchor, and what it answers to wrong questions.

use std::sync::Arc;
use std::time::Duration;

use keys::Algorithm;
use keys::Signer as _;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::fetch::Fetched;
use signer::SoftwareKey;
use trust::entry::Localised;
use trust::entry::Particulars;
use trust::entry::PostalAddress;
use trust::entry::Publication;
use trust::projection::Projections;

use crate::nation::*;

const ANCHOR: &str = "https://registry.attestry.example";
/// Nobody listens there.
const AGENCY: &str = "https://localhost:1/issuers/population";

fn publication_key() -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::Es256, &[77; 32]).unwrap()
}

fn publication() -> Publication {
    let english = |text: &str| Localised {
        language: "en".to_owned(),
        text: text.to_owned(),
    };
    let particulars = Particulars {
        names: vec![english("Governance")],
        trade_names: Vec::new(),
        postal_addresses: vec![PostalAddress {
            language: "en".to_owned(),
            street: "1 Register Square".to_owned(),
            locality: "Sampleton".to_owned(),
            province: None,
            postal_code: "10001".to_owned(),
            country: "XA".to_owned(),
        }],
        electronic_addresses: vec![english("mailto:office@office.example")],
        information: vec![english("https://office.example")],
    };
    Publication {
        certificate: registry::certify(&publication_key(), &particulars, "XA", GENESIS).unwrap(),
        particulars,
        territory: "XA".to_owned(),
        url: ANCHOR.to_owned(),
        notices: vec![english("For tests.")],
    }
}

async fn configured(publication_key: SoftwareKey) -> Nation {
    let folder = tempfile::tempdir().unwrap();
    let change = |config: &mut registry::Config| {
        config.genesis = Some(genesis_with(|policy| policy.publication = Some(publication())));
        config.publication_key = Some(Arc::new(publication_key));
    };
    Nation::configured(folder, Clock::manual(GENESIS), change)
        .await
        .unwrap()
}

/// A registry that publishes, with one agency that is listed.
async fn listed() -> Nation {
    let nation = configured(publication_key()).await;
    let agency = Agency::new("population", 20);
    nation.admit(&agency).await;
    nation.agree(schema_json()).await;
    let mut grant = grant_json(&agency);
    grant["listing"] = json!({
        "particulars": {
            "names": {"en": "Population Office"},
            "postal_addresses": {"en": {
                "street": "2 Register Square", "locality": "Sampleton", "postal_code": "10001", "country": "XA",
            }},
            "electronic_addresses": {"en": ["mailto:population@office.example"]},
            "information": {"en": ["https://population.example"]},
        },
        "federation_entity": AGENCY,
    });
    nation.agree(grant).await;
    nation
}

/// Asks until the answer is as expected: projections are made anew no more often than they take time.
async fn ask_until(nation: &Nation, path: &str, status: u16, body: impl Fn(&Fetched) -> bool) -> Fetched {
    for _ in 0..100 {
        nation.clock.advance(61);
        let answer = nation.get(path).await;
        if answer.status == status && body(&answer) {
            return answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} does not come to {status}")
}

/// The claims, signed with the key of the Policy's certificate.
fn signed(answer: &Fetched, typ: &'static str) -> Map<String, Value> {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.content_type(), Some(format!("application/{typ}").as_str()));
    let text = std::str::from_utf8(&answer.body).unwrap();
    let verified = UnverifiedJws::parse(text, 1 << 20)
        .unwrap()
        .verify(publication_key().public_key());
    let verified = verified.unwrap();
    verified.header().expect_typ(typ).unwrap();
    let thumbprint = publication_key().public_key().to_jwk().thumbprint();
    assert_eq!(verified.header().kid(), Some(thumbprint.as_str()));
    verified.claims().unwrap()
}

fn refused(answer: &Fetched) -> (u16, String) {
    assert_eq!(answer.content_type(), Some("application/json"));
    let body = json_of(answer);
    assert!(!body["error_description"].as_str().unwrap().is_empty());
    (answer.status, body["error"].as_str().unwrap().to_owned())
}

fn encoded(identifier: &str) -> String {
    identifier.replace(':', "%3A").replace('/', "%2F")
}

#[tokio::test]
async fn statements_are_those_that_the_snapshot_commits_to() {
    let nation = listed().await;
    let listed_agency = |answer: &Fetched| json_of(answer) == json!([AGENCY]);
    ask_until(&nation, "/federation/list", 200, listed_agency).await;
    let fetch = format!("/federation/fetch?sub={}&iss={}", encoded(AGENCY), encoded(ANCHOR));
    let statement = signed(&nation.get(&fetch).await, "entity-statement+jwt");
    let anchor = signed(
        &nation.get("/.well-known/openid-federation").await,
        "entity-statement+jwt",
    );
    let state = nation.registry.state();
    let content = state.projections().unwrap().content(Projections::FEDERATION).unwrap();
    assert_eq!(nation.get("/export/openid-federation.json").await.body, **content);
    let content: Value = serde_json::from_slice(content).unwrap();
    assert_eq!(Value::from(anchor), content["trust_anchor"]);
    assert_eq!(json!([statement]), content["subordinate_statements"]);
    assert_eq!(statement["sub"], AGENCY);
    let told = json_of(&nation.get("/registry/projections").await);
    let names: Vec<&str> = told["projections"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&Projections::FEDERATION), "{names:?}");
    assert_eq!(nation.registry.entity_identifier().as_deref(), Some(ANCHOR));
}

#[tokio::test]
async fn the_list_is_filtered_as_asked_or_not_given() {
    let nation = listed().await;
    ask_until(&nation, "/federation/list", 200, |answer| {
        json_of(answer) == json!([AGENCY])
    })
    .await;
    for (query, found) in [
        ("entity_type=openid_credential_issuer", json!([AGENCY])),
        ("entity_type=openid_provider", json!([])),
        (
            "entity_type=openid_provider&entity_type=federation_entity",
            json!([AGENCY]),
        ),
        ("intermediate=false", json!([AGENCY])),
        ("intermediate=true", json!([])),
        ("whatever=1", json!([AGENCY])),
    ] {
        let answer = nation.get(&format!("/federation/list?{query}")).await;
        assert_eq!((answer.status, json_of(&answer)), (200, found), "{query}");
    }
    for (query, code) in [
        ("trust_marked=true", "unsupported_parameter"),
        ("trust_mark_type=https%3A%2F%2Fmark.example", "unsupported_parameter"),
        ("intermediate=perhaps", "invalid_request"),
        ("intermediate=true&intermediate=false", "invalid_request"),
    ] {
        let answer = nation.get(&format!("/federation/list?{query}")).await;
        assert_eq!(refused(&answer), (400, code.to_owned()), "{query}");
    }
    // A question is held against every statement, so it may not be as long as a stranger likes. The same type again is one.
    let asked = |count: usize| {
        let types = (0..count).map(|number| format!("entity_type=t{number}"));
        let query: Vec<String> = types.chain(["entity_type=t0".to_owned()]).collect();
        format!("/federation/list?{}", query.join("&"))
    };
    assert_eq!(nation.get(&asked(16)).await.status, 200);
    let answer = nation.get(&asked(17)).await;
    assert_eq!(refused(&answer), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn wrong_questions_get_the_codes_of_the_standard() {
    let nation = listed().await;
    ask_until(&nation, "/federation/list", 200, |answer| {
        json_of(answer) == json!([AGENCY])
    })
    .await;
    let (agency, anchor) = (encoded(AGENCY), encoded(ANCHOR));
    let other = encoded("https://other.example");
    for (path, status, code) in [
        ("fetch".to_owned(), 400, "invalid_request"),
        (format!("fetch?sub={agency}&sub={agency}"), 400, "invalid_request"),
        ("fetch?sub=%ff".to_owned(), 404, "not_found"),
        (format!("fetch?sub={anchor}"), 400, "invalid_request"),
        (format!("fetch?sub={other}"), 404, "not_found"),
        (format!("fetch?sub={agency}%2F"), 404, "not_found"),
        (format!("resolve?sub={agency}"), 400, "invalid_request"),
        (format!("resolve?trust_anchor={anchor}"), 400, "invalid_request"),
        (
            format!("resolve?sub={agency}&trust_anchor={other}"),
            404,
            "invalid_trust_anchor",
        ),
        (format!("resolve?sub={other}&trust_anchor={anchor}"), 404, "not_found"),
        (
            format!("resolve?sub={anchor}&trust_anchor={anchor}"),
            400,
            "invalid_request",
        ),
        (
            format!("resolve?sub={agency}&trust_anchor={other}&trust_anchor={anchor}"),
            404,
            "invalid_subject",
        ),
    ] {
        let answer = nation.get(&format!("/federation/{path}")).await;
        assert_eq!(refused(&answer), (status, code.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn an_agency_that_is_suspended_is_not_vouched_for() {
    let nation = listed().await;
    ask_until(&nation, "/federation/list", 200, |answer| {
        json_of(answer) == json!([AGENCY])
    })
    .await;
    let fetch = format!("/federation/fetch?sub={}", encoded(AGENCY));
    assert_eq!(nation.get(&fetch).await.status, 200);
    let id = nation.registry.state().accreditations().next().unwrap().id().to_owned();
    nation
        .agree(json!({"type": "accreditation", "action": "suspend", "id": id}))
        .await;
    let gone = ask_until(&nation, &fetch, 404, |_| true).await;
    assert_eq!(refused(&gone).1, "not_found");
    assert_eq!(json_of(&nation.get("/federation/list").await), json!([]));
}

#[tokio::test]
async fn without_publication_or_key_there_is_no_federation() {
    let unpublished = Nation::new().await;
    let configuration = unpublished.get("/.well-known/openid-federation").await;
    assert_eq!(refused(&configuration), (404, "not_found".to_owned()));
    assert_eq!(unpublished.registry.entity_identifier(), None);
    let other_key = configured(SoftwareKey::from_secret(Algorithm::Es256, &[78; 32]).unwrap()).await;
    let configuration = other_key.get("/.well-known/openid-federation").await;
    assert_eq!(refused(&configuration), (503, "temporarily_unavailable".to_owned()));
}
