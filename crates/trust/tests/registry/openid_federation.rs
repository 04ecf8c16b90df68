//! The registry as a Trust Anchor of OpenID Federation: what its Snapshots commit to.

use keys::Timestamp;
use keys::x509::Certificate;
use serde_json::Value;
use serde_json::json;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Grant;
use trust::entry::Listing;
use trust::entry::Localised;
use trust::entry::Particulars;
use trust::entry::Publication;
use trust::entry::Reason;
use trust::federation::Federation;
use trust::merkle::Hash;
use trust::projection::Projections;
use trust::state::Projecting;

use crate::nation::*;

const ANCHOR: &str = "https://registry.attestry.example";
const PLACE: &str = "https://population.attestry.example";
const WEEK: i64 = 7 * DAY;

fn in_two_languages(name: &str) -> Particulars {
    let mut particulars = particulars(name);
    // One of each language is shown.
    particulars.information = localised(&["https://agency.example/about", "https://agency.example/more"]);
    particulars.names.push(Localised {
        language: "fr".to_owned(),
        text: format!("{name} (fr)"),
    });
    particulars
}

fn listed(agency: &Agency, action: Action, resource: &str, place: &str) -> Grant {
    Grant {
        listing: Some(Listing {
            particulars: in_two_languages("Population Office"),
            certificates: Vec::new(),
            federation_entity: Some(place.to_owned()),
        }),
        ..grant(&agency.did, action, &[resource])
    }
}

/// A nation with an issuer that is listed under `PLACE`.
fn nation() -> (Nation, Agency) {
    let mut policy = policy();
    policy.publication = Some(Publication {
        particulars: in_two_languages("Governance"),
        notices: localised(&["Data of a test.", "https://agency.example/notice"]),
        ..publication()
    });
    let mut nation = Nation::with_policy(policy).unwrap();
    nation.publish(IDENTITY);
    let agency = nation.admit("population", 20);
    nation
        .grant("a-1", listed(&agency, Action::Issue, IDENTITY, PLACE))
        .unwrap();
    (nation, agency)
}

/// What a Snapshot of this time commits to.
fn content(nation: &mut Nation, time: Timestamp) -> Vec<u8> {
    let leaf = nation.snapshot_leaf_with(time, Projecting::Anew);
    nation.append(&leaf).unwrap();
    let projections = nation.state.projections().unwrap();
    let content = projections.content(Projections::FEDERATION).unwrap().to_vec();
    let digest = projections.digests().get(Projections::FEDERATION);
    assert_eq!(digest, Some(Hash::digest(&content)));
    let parsed: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(keys::jcs::canonicalize(&parsed).unwrap().as_bytes(), content);
    content
}

fn subjects(content: &[u8]) -> Vec<String> {
    let federation = Federation::parse(content).unwrap();
    federation.list(&[]).map(str::to_owned).collect()
}

#[test]
fn the_registry_is_a_trust_anchor_over_what_officers_approved() {
    let (mut nation, agency) = nation();
    let time = GENESIS.plus(HOUR);
    let content = content(&mut nation, time);
    let federation = Federation::parse(&content).unwrap();
    let jwk = Certificate::from_der(&certificate(130)).unwrap().key().to_jwk();
    assert_eq!(
        Value::from(federation.anchor().clone()),
        json!({
            "iss": ANCHOR,
            "sub": ANCHOR,
            "iat": time.unix(),
            "exp": time.plus(WEEK).unix(),
            "jwks": {"keys": [{
                "kty": "OKP", "crv": "Ed25519", "x": jwk.x, "kid": jwk.thumbprint(), "alg": "EdDSA", "use": "sig",
            }]},
            "metadata": {"federation_entity": {
                "organization_name": "Governance",
                "organization_name#en": "Governance",
                "organization_name#fr": "Governance (fr)",
                "organization_uri": "https://agency.example",
                "information_uri": "https://agency.example/about",
                "policy_uri": "https://agency.example/notice",
                "contacts": ["office@agency.example"],
                "federation_fetch_endpoint": "https://registry.attestry.example/federation/fetch",
                "federation_list_endpoint": "https://registry.attestry.example/federation/list",
                "federation_resolve_endpoint": "https://registry.attestry.example/federation/resolve",
            }},
        })
    );
    let key = public(20).to_jwk();
    assert_eq!(
        Value::from(federation.subordinate(PLACE).unwrap().claims().clone()),
        json!({
            "iss": ANCHOR,
            "sub": PLACE,
            "iat": time.unix(),
            "exp": time.plus(WEEK).unix(),
            "jwks": {"keys": [{
                "kty": "OKP", "crv": "Ed25519", "x": key.x, "kid": agency.method(), "alg": "EdDSA", "use": "sig",
            }]},
            "metadata": {"federation_entity": {
                "organization_name": "Population Office",
                "organization_name#en": "Population Office",
                "organization_name#fr": "Population Office (fr)",
                "organization_uri": "https://agency.example",
                "information_uri": "https://agency.example/about",
                "contacts": ["office@agency.example"],
            }},
            "constraints": {
                "max_path_length": 0,
                "allowed_entity_types": ["oauth_authorization_server", "openid_credential_issuer"],
            },
            "https://registry.attestry.example/federation/accreditation": {
                "did": agency.did,
                "accreditations": [{
                    "action": "issue", "resource": IDENTITY, "vct": "https://attestry.example/types/PersonIdentity",
                }],
            },
        })
    );
}

#[test]
fn an_identifier_of_two_dids_or_of_the_registry_is_nobody_s() {
    let (mut nation, _) = nation();
    nation.publish(LICENCE);
    let other = nation.admit("transport", 21);
    nation
        .grant("a-2", listed(&other, Action::Issue, LICENCE, "https://other.example"))
        .unwrap();
    assert_eq!(
        subjects(&content(&mut nation, GENESIS.plus(HOUR))),
        ["https://other.example", PLACE]
    );
    // The same DID twice is no two.
    nation
        .grant("a-3", listed(&other, Action::Verify, IDENTITY, "https://other.example"))
        .unwrap();
    assert_eq!(
        subjects(&content(&mut nation, GENESIS.plus(2 * HOUR))),
        ["https://other.example", PLACE]
    );
    // An authority's newest word is the one that counts.
    nation
        .grant("a-4", listed(&other, Action::Verify, LICENCE, PLACE))
        .unwrap();
    assert!(subjects(&content(&mut nation, GENESIS.plus(3 * HOUR))).is_empty());
    nation
        .grant("a-5", listed(&other, Action::Publish, IDENTITY, ANCHOR))
        .unwrap();
    assert_eq!(subjects(&content(&mut nation, GENESIS.plus(4 * HOUR))), [PLACE]);
}

#[test]
fn what_does_not_count_now_is_not_vouched_for() {
    let (mut nation, _) = nation();
    let before = content(&mut nation, GENESIS.plus(HOUR));
    assert_eq!(subjects(&before), [PLACE]);
    let change = |nation: &mut Nation, body| nation.govern("a-1", Body::Accreditation(body)).unwrap();
    let reason = Reason::NonCompliance;
    let suspend = AccreditationBody::Suspend {
        reason,
        emergency: false,
    };
    let reinstate = AccreditationBody::Reinstate { reason };
    change(&mut nation, suspend);
    let suspended = content(&mut nation, GENESIS.plus(2 * HOUR));
    assert!(subjects(&suspended).is_empty());
    assert_ne!(Hash::digest(&before), Hash::digest(&suspended));
    change(&mut nation, reinstate);
    assert_eq!(subjects(&content(&mut nation, GENESIS.plus(3 * HOUR))), [PLACE]);
}

#[test]
fn a_statement_without_a_change_has_the_time_of_its_snapshot() {
    let (mut nation, _) = nation();
    for hours in [1, 2, 30] {
        let time = GENESIS.plus(hours * HOUR);
        let federation = Federation::parse(&content(&mut nation, time)).unwrap();
        let statement = federation.subordinate(PLACE).unwrap().claims();
        for claims in [statement, federation.anchor()] {
            assert_eq!(claims["iat"], time.unix());
            assert_eq!(claims["exp"], time.plus(WEEK).unix());
        }
    }
}

#[test]
fn a_statement_ends_with_the_accreditations_behind_it() {
    let (mut nation, _) = nation();
    let near_the_end = GENESIS.plus(364 * DAY);
    let federation = Federation::parse(&content(&mut nation, near_the_end)).unwrap();
    let statement = federation.subordinate(PLACE).unwrap().claims();
    assert_eq!(statement["exp"], GENESIS.plus(365 * DAY).unix());
    assert_eq!(federation.anchor()["exp"], near_the_end.plus(WEEK).unix());
}

#[test]
fn entity_types_go_with_accreditations() {
    let (mut nation, _) = nation();
    let other = nation.admit("transport", 21);
    nation
        .grant(
            "a-2",
            listed(&other, Action::Verify, IDENTITY, "https://verifier.example"),
        )
        .unwrap();
    let third = nation.admit("health", 22);
    nation
        .grant("a-3", listed(&third, Action::Publish, "api", "https://api.example"))
        .unwrap();
    let federation = Federation::parse(&content(&mut nation, GENESIS.plus(HOUR))).unwrap();
    let of = |entity_types: &[&str]| {
        let entity_types: Vec<String> = entity_types.iter().map(|name| (*name).to_owned()).collect();
        federation
            .list(&entity_types)
            .map(str::to_owned)
            .collect::<Vec<String>>()
    };
    assert_eq!(of(&["openid_credential_issuer"]), [PLACE]);
    assert_eq!(of(&["openid_credential_verifier"]), ["https://verifier.example"]);
    assert_eq!(
        of(&["openid_credential_verifier", "oauth_authorization_server"]),
        [PLACE, "https://verifier.example"]
    );
    assert_eq!(of(&["federation_entity"]).len(), 3);
    assert_eq!(of(&["openid_provider"]).len(), 0);
}
