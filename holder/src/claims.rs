//! Claims for people: each with its label, flattened so that nothing hides inside of an object.

use std::collections::BTreeMap;

use credential::ClaimPath;
use credential::claim_path::PathComponent;
use openid4vc::CredentialFormat;
use openid4vc::vci::configuration::ClaimDescription;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

use crate::CredentialRecord;
use crate::text::printable;

/// What every verifier sees of every credential of a format, as names of its members: issuer, type, dates, status
/// entry, the credential's key. A person is told that once, not in each list. `sub` and `id` are not among them:
/// they may be a number of the person.
#[must_use]
pub const fn envelope(format: &CredentialFormat) -> &'static [&'static str] {
    match format {
        CredentialFormat::SdJwtVc => &[
            "iss",
            "vct",
            "vct#integrity",
            "aka_vcts",
            "cnf",
            "iat",
            "nbf",
            "exp",
            "status",
        ],
        CredentialFormat::JwtVcJson | CredentialFormat::LdpVc => &[
            "@context",
            "type",
            "issuer",
            "validFrom",
            "validUntil",
            "credentialSchema",
            "credentialStatus",
            "iss",
            "iat",
            "nbf",
            "exp",
        ],
        CredentialFormat::MsoMdoc => &["docType", "validityInfo", "deviceKeyInfo", "status", "issuerAuth"],
        CredentialFormat::Other(_) => &[],
    }
}

/// Where a W3C credential has its claims.
pub(crate) const SUBJECT: &str = "credentialSubject";

/// One claim as a person is shown it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ShownClaim {
    /// Its name for people, where the issuer gave one; else its path.
    pub label: String,
    /// Where it stands, such as `address.locality`.
    pub path: String,
    /// Its value.
    pub value: Value,
    #[serde(skip)]
    pub(crate) components: Vec<PathComponent>,
}

impl ShownClaim {
    /// The value on one line, free of characters that a screen would obey.
    #[must_use]
    pub fn value_text(&self) -> String {
        match &self.value {
            Value::String(text) => printable(text),
            other => printable(&other.to_string()),
        }
    }
}

/// Every claim of `claims` apart from the [`envelope`]: the members of objects one by one, arrays as they are.
pub(crate) fn flatten(claims: &Map<String, Value>, record: &CredentialRecord) -> Vec<ShownClaim> {
    let mut list = List {
        labels: labels(&record.metadata.claims),
        shown: Vec::new(),
    };
    // Beside the name spaces of an mdoc there are no other members; one with such a name must show all the same.
    let envelope = match record.format {
        CredentialFormat::MsoMdoc => &[],
        ref format => envelope(format),
    };
    let is_w3c = matches!(record.format, CredentialFormat::JwtVcJson | CredentialFormat::LdpVc);
    for (name, value) in claims.iter().filter(|(name, _)| !envelope.contains(&name.as_str())) {
        let path = [PathComponent::Key(name.clone())];
        match value {
            Value::Object(subject) if is_w3c && name == SUBJECT => list.add_subject(subject, &path),
            _ => list.add(value, &path),
        }
    }
    list.in_order_of(&record.metadata.claims)
}

struct List {
    labels: BTreeMap<ClaimPath, String>,
    shown: Vec<ShownClaim>,
}

impl List {
    /// The subject's `id` is the holder's key as a DID, which every verifier sees.
    fn add_subject(&mut self, subject: &Map<String, Value>, path: &[PathComponent]) {
        for (name, value) in subject.iter().filter(|(name, _)| *name != "id") {
            self.add(value, &within(path, name));
        }
    }

    fn add(&mut self, value: &Value, path: &[PathComponent]) {
        match value {
            Value::Object(members) if !members.is_empty() => {
                for (name, value) in members {
                    self.add(value, &within(path, name));
                }
            }
            _ => self.shown.push(ShownClaim {
                label: self.label(path),
                path: path_text(path),
                value: value.clone(),
                components: path.to_vec(),
            }),
        }
    }

    /// The claim's own label; else that of what it is in, and its name there.
    fn label(&self, path: &[PathComponent]) -> String {
        let own = ClaimPath::try_from(path.to_vec()).ok();
        if let Some(label) = own.and_then(|path| self.labels.get(&path)) {
            return label.clone();
        }
        match path.split_last() {
            Some((last, outer)) if !outer.is_empty() && !is_subject(outer) => {
                format!("{}.{}", self.label(outer), path_text(std::slice::from_ref(last)))
            }
            Some((last, _)) => path_text(std::slice::from_ref(last)),
            None => String::new(),
        }
    }

    /// As the issuer orders its descriptions, the claims without one after them.
    fn in_order_of(mut self, descriptions: &[ClaimDescription]) -> Vec<ShownClaim> {
        let paths: Vec<ClaimPath> = descriptions.iter().filter_map(claim_path).collect();
        let place = |claim: &ShownClaim| {
            let described = |path: &ClaimPath| claim.components.starts_with(path.components());
            paths.iter().position(described).unwrap_or(usize::MAX)
        };
        self.shown.sort_by_key(place);
        self.shown
    }
}

fn labels(descriptions: &[ClaimDescription]) -> BTreeMap<ClaimPath, String> {
    let label = |claim: &ClaimDescription| {
        let english = claim
            .display
            .iter()
            .find(|one| one.locale.as_deref().is_none_or(|locale| locale.starts_with("en")));
        let name = english.or_else(|| claim.display.first())?.name.as_deref()?;
        Some((claim_path(claim)?, printable(name)))
    };
    descriptions.iter().filter_map(label).collect()
}

/// The path of a description; `None` if it is longer than any claim is deep.
pub(crate) fn claim_path(claim: &ClaimDescription) -> Option<ClaimPath> {
    serde_json::from_value(serde_json::to_value(&claim.path).ok()?).ok()
}

fn within(path: &[PathComponent], name: &str) -> Vec<PathComponent> {
    let inner = PathComponent::Key(name.to_owned());
    path.iter().cloned().chain([inner]).collect()
}

/// What is in the subject is a claim of its own.
fn is_subject(path: &[PathComponent]) -> bool {
    matches!(path, [PathComponent::Key(name)] if name == SUBJECT)
}

fn path_text(path: &[PathComponent]) -> String {
    let component = |component: &PathComponent| match component {
        PathComponent::Key(name) => printable(name),
        PathComponent::Index(index) => index.to_string(),
        PathComponent::All => "*".to_owned(),
    };
    path.iter().map(component).collect::<Vec<_>>().join(".")
}
