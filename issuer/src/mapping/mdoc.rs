//! The claims as data elements of an mdoc: which name space and identifier each has, and its CBOR type.
//!
//! The type follows from the transform: a `date` is a `full-date`, an `image` the bytes of the file, everything else
//! what it is in JSON. So a register is mapped once, and its mdoc says what the other formats say.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use credential::mdoc::Namespace;
use keys::cbor;
use openid4vc::dcql::ClaimsPath;
use openid4vc::dcql::PathComponent;
use openid4vc::vci::configuration::ClaimDescription;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use super::ClaimRule;
use super::MappingError;
use super::RowError;
use super::file::wrong;

/// The longest names of ISO/IEC 18013-5 and of the EUDI rulebooks have 40 bytes.
const MAX_NAME_BYTES: usize = 128;
/// More than the claims that a mapping may have would say something twice.
const MAX_ELEMENTS: usize = 200;

/// The document type and its data elements.
#[derive(Clone, Debug)]
pub(crate) struct MdocMapping {
    pub(crate) doctype: String,
    elements: Vec<ElementRule>,
}

#[derive(Clone, Debug)]
struct ElementRule {
    namespace: String,
    identifier: String,
    /// The claim, or the object of claims, that it is made of.
    claim: Vec<String>,
    /// Whether a document without it would be none of its type.
    required: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMdoc {
    doctype: String,
    namespaces: BTreeMap<String, BTreeMap<String, RawElement>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawElement {
    claim: Vec<String>,
    #[serde(default)]
    required: bool,
}

pub(super) fn parse(raw: RawMdoc, claims: &[ClaimRule]) -> Result<MdocMapping, MappingError> {
    const A_NAME: &str = "a name of 1 to 128 bytes without control characters";
    if !is_name(&raw.doctype) {
        return Err(wrong("mdoc.doctype", A_NAME, raw.doctype));
    }
    let mut elements = Vec::new();
    for (namespace, of_namespace) in raw.namespaces {
        for (identifier, RawElement { claim, required }) in of_namespace {
            let place = format!("mdoc.namespaces.{namespace}.{identifier}");
            if !is_name(&namespace) || !is_name(&identifier) {
                return Err(wrong(place, A_NAME, "another one"));
            }
            if claim.is_empty() || !claims.iter().any(|rule| rule.path.starts_with(&claim)) {
                let expected = "the path of a claim of this mapping, or of an object of claims";
                return Err(wrong(format!("{place}.claim"), expected, claim.join(".")));
            }
            elements.push(ElementRule {
                namespace: namespace.clone(),
                identifier,
                claim,
                required,
            });
        }
    }
    if elements.is_empty() || elements.len() > MAX_ELEMENTS {
        let found = elements.len().to_string();
        return Err(wrong("mdoc.namespaces", "1 to 200 data elements", found));
    }
    Ok(MdocMapping {
        doctype: raw.doctype,
        elements,
    })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control)
}

impl MdocMapping {
    /// The data elements of what a row became, as [`super::Mapping::apply`] gave it.
    pub(super) fn elements(
        &self,
        rules: &[ClaimRule],
        claims: &Map<String, Value>,
    ) -> Result<Vec<Namespace<'_>>, RowError> {
        let mut namespaces: Vec<Namespace<'_>> = Vec::new();
        for rule in &self.elements {
            let found = claims_at(claims, &rule.claim).and_then(|value| element(rules, &rule.claim, value));
            match (found, namespaces.last_mut()) {
                (None, _) if rule.required => {
                    return Err(RowError::MissingElement {
                        identifier: rule.identifier.clone(),
                    });
                }
                (None, _) => {}
                (Some(value), Some((last, elements))) if *last == rule.namespace => {
                    elements.push((&rule.identifier, value));
                }
                (Some(value), _) => namespaces.push((&rule.namespace, vec![(&rule.identifier, value)])),
            }
        }
        Ok(namespaces)
    }

    /// The descriptions of claims as those of the data elements made of them, in the same order.
    pub(crate) fn describe(&self, claims: &[ClaimDescription]) -> Vec<ClaimDescription> {
        let mut described = Vec::new();
        for claim in claims {
            for rule in &self.elements {
                let Some(inner) = below(&claim.path, &rule.claim) else {
                    continue;
                };
                let names = [&rule.namespace, &rule.identifier].map(|name| PathComponent::Key(name.clone()));
                let path = names.into_iter().chain(inner.iter().cloned()).collect();
                if let Ok(path) = ClaimsPath::new(path) {
                    described.push(ClaimDescription {
                        path,
                        mandatory: if inner.is_empty() {
                            rule.required
                        } else {
                            claim.mandatory
                        },
                        display: claim.display.clone(),
                    });
                }
            }
        }
        described
    }
}

/// What follows `claim` in `path`, if it begins with that.
fn below<'a>(path: &'a ClaimsPath, claim: &[String]) -> Option<&'a [PathComponent]> {
    let (outer, inner) = path.components().split_at_checked(claim.len())?;
    let is_same =
        |(component, name): (&PathComponent, &String)| matches!(component, PathComponent::Key(key) if key == name);
    outer.iter().zip(claim).all(is_same).then_some(inner)
}

fn claims_at<'a>(claims: &'a Map<String, Value>, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(first)?, |value, name| value.get(name))
}

/// The value at `path`, which is that of one claim or an object of several.
fn element(rules: &[ClaimRule], path: &[String], value: &Value) -> Option<cbor::Value> {
    if let Some(rule) = rules.iter().find(|rule| rule.path == path) {
        return Some(rule.origin.element(value));
    }
    let below = rules.iter().filter(|rule| rule.path.starts_with(path));
    let names: BTreeSet<&String> = below.filter_map(|rule| rule.path.get(path.len())).collect();
    let entry = |name: &String| {
        let inner = [path, std::slice::from_ref(name)].concat();
        Some((cbor::Value::text(name), element(rules, &inner, value.get(name)?)?))
    };
    let entries: Vec<_> = names.into_iter().filter_map(entry).collect();
    (!entries.is_empty()).then_some(cbor::Value::Map(entries))
}
