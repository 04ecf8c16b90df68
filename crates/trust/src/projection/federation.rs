//! What a Trust Anchor of [OpenID Federation 1.0](https://openid.net/specs/openid-federation-1_0.html) signs: its
//! [Entity Configuration](https://openid.net/specs/openid-federation-1_0.html#entity-statement) and a Subordinate
//! Statement for each entity that has an entity identifier.
//!
//! ```json
//! {"trust_anchor": {..claims..}, "subordinate_statements": [{..claims..}, ..]}
//! ```
//!
//! Statements are ascending by `sub`. An entity identifier that two DIDs claim, or that is the registry's own, is left out:
//! whoever answers there could not be told from the other.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use did::DidUrl;
use keys::PublicKey;
use keys::Timestamp;
use keys::x509::Certificate;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Entity;
use super::LIFETIME;
use super::Service;
use super::View;
use super::array;
use super::canonical;
use crate::entry::Action;
use crate::entry::Listing;
use crate::entry::Localised;
use crate::entry::Particulars;
use crate::entry::Publication;
use crate::federation::jwk;

/// What a Subordinate Statement has but for its times, in canonical form: the members before `exp`, those between `exp` and
/// `iat`, and those after.
#[derive(Debug)]
pub(super) struct Untimed([String; 3]);

/// All claims that are signed.
pub(super) fn project(view: &View<'_>) -> Vec<u8> {
    let anchor = canonical(&anchor(view));
    let subjects = subjects(view);
    let statements: Vec<String> = subjects.values().filter_map(|entity| timed(view, entity)).collect();
    let statements = array(statements.iter().map(String::as_str));
    format!("{{\"subordinate_statements\":{statements},\"trust_anchor\":{anchor}}}").into_bytes()
}

/// Listed entities by their entity identifiers, those that belong to one DID alone.
fn subjects<'v>(view: &'v View<'_>) -> BTreeMap<&'v str, &'v Entity<'v>> {
    let mut claimed: BTreeMap<&str, Vec<&Entity<'_>>> = BTreeMap::new();
    for entity in &view.entities {
        if let Some(identifier) = &entity.listing.federation_entity {
            claimed.entry(identifier).or_default().push(entity);
        }
    }
    let ours = |(identifier, by): (&'v str, Vec<&'v Entity<'v>>)| match by[..] {
        [entity] if identifier != view.publication.url => Some((identifier, entity)),
        _ => None,
    };
    claimed.into_iter().filter_map(ours).collect()
}

/// The Entity Configuration. It has no `authority_hints`: nobody is above.
fn anchor(view: &View<'_>) -> Value {
    let Publication {
        particulars,
        url,
        certificate,
        notices,
        ..
    } = view.publication;
    let key = Certificate::from_der(certificate).ok();
    let keys = key.map(|certificate| {
        let key = certificate.key();
        jwk(key, &key.to_jwk().thumbprint())
    });
    let mut metadata = federation_entity(particulars);
    let policies = notices.iter().filter(|notice| notice.text.starts_with("https://"));
    insert(&mut metadata, "policy_uri", policies);
    for endpoint in ["fetch", "list", "resolve"] {
        let place = format!("{url}/federation/{endpoint}");
        metadata.insert(format!("federation_{endpoint}_endpoint"), place.into());
    }
    json!({
        "iss": url,
        "sub": url,
        "iat": view.issue.time.unix(),
        "exp": view.issue.time.plus(LIFETIME).unix(),
        "jwks": {"keys": keys.into_iter().collect::<Vec<Value>>()},
        "metadata": {"federation_entity": metadata},
    })
}

/// A Subordinate Statement about an entity without its times; none where it has no entity identifier.
pub(super) fn subordinate(
    publication: &Publication,
    did: &str,
    listing: &Listing,
    keys: &[(DidUrl, PublicKey)],
    services: &[Service<'_>],
) -> Option<Untimed> {
    let identifier = listing.federation_entity.as_ref()?;
    let url = &publication.url;
    let keys = keys.iter().map(|(id, key)| jwk(key, &id.to_string()));
    let accreditations = services.iter().map(|service| {
        let schema = service.schema.map(|schema| ("vct", schema.vct.as_str()));
        let members = [
            ("action", service.record.grant().action.name()),
            ("resource", service.resource),
        ];
        let members = members.into_iter().chain(schema);
        members
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect::<Map<String, Value>>()
    });
    let vouched = json!({
        "did": did,
        "accreditations": accreditations.collect::<Vec<Map<String, Value>>>(),
    });
    let before = json!({"constraints": {"max_path_length": 0, "allowed_entity_types": entity_types(services)}});
    // It begins with `https`, which comes after `exp` and before `iat`.
    let between = json!({format!("{url}/federation/accreditation"): vouched});
    let after = json!({
        "iss": url,
        "sub": identifier,
        "jwks": {"keys": keys.collect::<Vec<Value>>()},
        "metadata": {"federation_entity": federation_entity(&listing.particulars)},
    });
    Some(Untimed([&before, &between, &after].map(members)))
}

fn timed(view: &View<'_>, entity: &Entity<'_>) -> Option<String> {
    let Untimed([before, between, after]) = entity.known.said.as_ref()?.federation.as_ref()?;
    let (expires, issued_at) = (expires(view, entity).unix(), view.issue.time.unix());
    Some(format!(
        "{{{before},\"exp\":{expires},{between},\"iat\":{issued_at},{after}}}"
    ))
}

/// The members of an object, without its braces.
fn members(object: &Value) -> String {
    let object = canonical(object);
    let members = object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    members.unwrap_or_default().to_owned()
}

/// No later than the last of the accreditations ends.
fn expires(view: &View<'_>, entity: &Entity<'_>) -> Timestamp {
    let latest = view.issue.time.plus(LIFETIME);
    let ends = entity.services.iter().map(|service| service.record.grant().valid_until);
    ends.max().map_or(latest, |end| end.min(latest))
}

/// The [Entity Types](https://openid.net/specs/openid-federation-1_0.html#entity_type_constraints) that go with its
/// accreditations, `federation_entity` apart. Those of credentials are from
/// [OpenID Federation for Wallet Architectures](https://openid.net/specs/openid-federation-wallet-1_0.html).
fn entity_types(services: &[Service<'_>]) -> BTreeSet<&'static str> {
    let of_action = |action| -> &[&str] {
        match action {
            Action::Issue => &["oauth_authorization_server", "openid_credential_issuer"],
            Action::Verify => &["openid_credential_verifier"],
            // An API of the hub is none of the hub's agencies' own servers.
            Action::Publish => &[],
        }
    };
    let actions = services.iter().map(|service| service.record.grant().action);
    actions.flat_map(of_action).copied().collect()
}

/// The [informational parameters](https://openid.net/specs/openid-federation-1_0.html#informational_metadata)
/// that officers approved.
fn federation_entity(particulars: &Particulars) -> Map<String, Value> {
    let mut metadata = Map::new();
    let addresses = &particulars.electronic_addresses;
    insert(&mut metadata, "organization_name", particulars.names.iter());
    let websites = addresses.iter().filter(|address| address.text.starts_with("https://"));
    insert(&mut metadata, "organization_uri", websites);
    insert(&mut metadata, "information_uri", particulars.information.iter());
    let contacts: BTreeSet<&str> = addresses
        .iter()
        .filter_map(|address| address.text.strip_prefix("mailto:"))
        .collect();
    if !contacts.is_empty() {
        metadata.insert("contacts".to_owned(), contacts.into_iter().collect());
    }
    metadata
}

/// The first text of each language, with [language tags](https://openid.net/specs/openid-federation-1_0.html#ClaimsLanguagesAndScripts)
/// where there are several. The first of all stands without one, for whoever reads no tags.
fn insert<'t>(metadata: &mut Map<String, Value>, name: &str, texts: impl Iterator<Item = &'t Localised>) {
    let mut by_language: BTreeMap<&str, &str> = BTreeMap::new();
    for Localised { language, text } in texts {
        by_language.entry(language).or_insert(text);
    }
    if let Some(text) = by_language.values().next() {
        metadata.insert(name.to_owned(), (*text).into());
    }
    if by_language.len() > 1 {
        let tagged = |(language, text): (&str, &str)| (format!("{name}#{language}"), text.into());
        metadata.extend(by_language.into_iter().map(tagged));
    }
}
