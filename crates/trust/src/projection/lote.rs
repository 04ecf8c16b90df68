//! The List of Trusted Entities of
//! [ETSI TS 119 602](https://www.etsi.org/deliver/etsi_ts/119600_119699/119602/01.01.01_60/ts_119602v010101p.pdf) V1.1.1,
//! JSON binding, with its scheme told explicitly.
//!
//! Types of list and services have no name among those that ETSI gives to the lists of the European Union, so they are
//! named by the place of the list and a fragment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use did::DidUrl;
use keys::PublicKey;
use serde_json::Value;
use serde_json::json;

use super::LIFETIME;
use super::Service;
use super::View;
use super::array;
use super::canonical;
use crate::entry::Action;
use crate::entry::Listing;
use crate::entry::Localised;
use crate::entry::PostalAddress;
use crate::entry::Publication;

/// Of the rules for reading it.
const VERSION: u64 = 1;

/// The claims of the signed list.
pub(super) fn project(view: &View<'_>) -> Vec<u8> {
    let scheme = canonical(&scheme(view));
    let entities = array(
        view.entities
            .iter()
            .filter_map(|entity| Some(entity.known.said.as_ref()?.lote.as_str())),
    );
    // Clause 6.1: the list of entities is left out where there is none.
    let entities = if view.entities.is_empty() {
        String::new()
    } else {
        format!(",\"TrustedEntitiesList\":{entities}")
    };
    format!("{{\"LoTE\":{{\"ListAndSchemeInformation\":{scheme}{entities}}}}}").into_bytes()
}

fn place(publication: &Publication) -> String {
    format!("{}/export/lote.json", publication.url)
}

fn scheme(view: &View<'_>) -> Value {
    let (publication, issue) = (view.publication, view.issue);
    let operator = &publication.particulars;
    let place = place(publication);
    let titled =
        |name: &Localised| json!({"lang": name.language, "value": format!("{}:{}", publication.territory, name.text)});
    let notice = |notice: &Localised| json!({"LoTELegalNotice": text(notice)});
    json!({
        "LoTEVersionIdentifier": VERSION,
        "LoTESequenceNumber": issue.number,
        "LoTEType": place,
        "SchemeOperatorName": texts(&operator.names),
        "SchemeOperatorAddress": {
            "SchemeOperatorPostalAddress": addresses(&operator.postal_addresses),
            "SchemeOperatorElectronicAddress": uris(&operator.electronic_addresses),
        },
        "SchemeName": operator.names.iter().map(titled).collect::<Vec<Value>>(),
        "SchemeInformationURI": uris(&operator.information),
        "StatusDeterminationApproach": format!("{place}#accreditation"),
        "SchemeTypeCommunityRules": uris(&operator.information),
        "SchemeTerritory": publication.territory,
        "PolicyOrLegalNotice": publication.notices.iter().map(notice).collect::<Vec<Value>>(),
        "ListIssueDateTime": issue.time.to_rfc3339(),
        "NextUpdate": issue.time.plus(LIFETIME).to_rfc3339(),
        "DistributionPoints": [place],
    })
}

/// One of the trusted entities.
pub(super) fn entity(
    publication: &Publication,
    did: &str,
    listing: &Listing,
    keys: &[(DidUrl, PublicKey)],
    services: &[Service<'_>],
) -> String {
    let particulars = &listing.particulars;
    let address = json!({
        "TEPostalAddress": addresses(&particulars.postal_addresses),
        "TEElectronicAddress": uris(&particulars.electronic_addresses),
    });
    let trades = !particulars.trade_names.is_empty();
    let information = object([
        ("TEName", Some(texts(&particulars.names))),
        ("TETradeName", trades.then(|| texts(&particulars.trade_names))),
        ("TEAddress", Some(address)),
        ("TEInformationURI", Some(uris(&particulars.information))),
    ]);
    let keys = keys.iter().map(|(id, key)| {
        let mut jwk = key.to_jwk();
        jwk.kid = Some(id.to_string());
        jwk.to_value()
    });
    let keys: Value = keys.collect();
    let place = place(publication);
    let services = services.iter().map(|of| service(of, listing, (did, &keys), &place));
    canonical(&json!({
        "TrustedEntityInformation": information,
        "TrustedEntityServices": services.collect::<Vec<Value>>(),
    }))
}

fn service(service: &Service<'_>, listing: &Listing, (did, keys): (&str, &Value), place: &str) -> Value {
    let grant = service.record.grant();
    // They stand for signers of mdocs.
    let is_mdoc = service.schema.is_some_and(|schema| schema.doctype.is_some());
    let certificates = service.certificates();
    let certified = grant.action == Action::Issue && is_mdoc && !certificates.is_empty();
    let certificates = certificates.iter().map(|der| json!({"val": STANDARD.encode(der)}));
    let identity = object([
        ("PublicKeyValues", Some(keys.clone())),
        ("OtherIds", Some(json!([did]))),
        ("X509Certificates", certified.then(|| certificates.collect())),
    ]);
    // The name of a resource is one for all languages, and so is the URI of its type.
    let names = || listing.particulars.names.iter();
    let definition = |vct: &str| {
        names()
            .map(|name| json!({"lang": name.language, "uriValue": vct}))
            .collect()
    };
    let information = object([
        (
            "ServiceName",
            Some(
                names()
                    .map(|name| json!({"lang": name.language, "value": service.resource}))
                    .collect(),
            ),
        ),
        (
            "ServiceTypeIdentifier",
            Some(format!("{place}#{}", grant.action.name()).into()),
        ),
        (
            "ServiceDefinitionURI",
            service.schema.map(|schema| definition(&schema.vct)),
        ),
        ("ServiceDigitalIdentity", Some(identity)),
    ]);
    json!({"ServiceInformation": information})
}

/// An object without the members that are not there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter();
    let there = there.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect())
}

fn texts(items: &[Localised]) -> Value {
    items.iter().map(text).collect()
}

fn text(item: &Localised) -> Value {
    json!({"lang": item.language, "value": item.text})
}

fn uris(items: &[Localised]) -> Value {
    let uri = |item: &Localised| json!({"lang": item.language, "uriValue": item.text});
    items.iter().map(uri).collect()
}

fn addresses(items: &[PostalAddress]) -> Value {
    let address = |item: &PostalAddress| {
        object([
            ("lang", Some(item.language.as_str().into())),
            ("StreetAddress", Some(item.street.as_str().into())),
            ("Locality", Some(item.locality.as_str().into())),
            ("StateOrProvince", item.province.as_deref().map(Value::from)),
            ("PostalCode", Some(item.postal_code.as_str().into())),
            ("Country", Some(item.country.as_str().into())),
        ])
    };
    items.iter().map(address).collect()
}
