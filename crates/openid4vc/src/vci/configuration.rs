//! One entry of `credential_configurations_supported`
//! ([OpenID4VCI 1.0, section 12.2.4](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-parameters)
//! and appendix A for the formats).
//!
//! The parser takes what is published in the wild, such as the text's own examples that lack the
//! `proof_types_supported` it demands; [`CredentialConfiguration::keyed`] makes only what keeps every rule.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Algorithm;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::dcql::ClaimsPath;
use crate::dcql::PathComponent;
use crate::format::CredentialFormat;

/// The `jwt` proof type.
pub const JWT_PROOF_TYPE: &str = "jwt";

/// What an issuer says about one kind of credential in one format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawConfiguration", into = "Map<String, Value>")]
#[non_exhaustive]
pub struct CredentialConfiguration {
    /// The format and its type.
    pub profile: FormatProfile,
    /// The OAuth scope that asks for it.
    pub scope: Option<String>,
    /// What the issuer signs with: JOSE names, Data Integrity cryptosuites or COSE numbers, by format.
    pub credential_signing_alg_values_supported: Vec<Value>,
    /// `jwk`, `cose_key`, `did:key` and the like; empty if the credential is bound to no key.
    pub cryptographic_binding_methods_supported: Vec<String>,
    /// By proof type; empty if no proofs are asked for.
    pub proof_types_supported: BTreeMap<String, ProofTypeMetadata>,
    /// What to show people.
    pub credential_metadata: Option<CredentialMetadata>,
}

/// The parameters of a format that say which type of credential it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatProfile {
    /// `dc+sd-jwt`.
    SdJwtVc {
        /// The type.
        vct: String,
    },
    /// `jwt_vc_json`.
    JwtVcJson {
        /// All types.
        types: Vec<String>,
    },
    /// `ldp_vc`.
    LdpVc {
        /// The contexts.
        context: Vec<Value>,
        /// All types.
        types: Vec<String>,
    },
    /// `mso_mdoc`.
    MsoMdoc {
        /// The document type.
        doctype: String,
    },
    /// A format that we do not know.
    Other(String),
    /// A configuration in a form that we do not read, such as that of an old draft.
    Unreadable(String),
}

/// How keys are proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofTypeMetadata {
    /// At least one.
    pub proof_signing_alg_values_supported: Vec<Value>,
    /// Present if the wallet must attest where the key lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<Map<String, Value>>,
}

/// What to show about a credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// By language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<Display>,
    /// The claims, in the order to show them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimDescription>,
}

/// Names and colours in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Image>,
    /// A sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// A picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_image: Option<Image>,
    /// A CSS colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
}

/// A picture by URI. The scheme may be `https:`, `data:` or any other: the wallet decides what it loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Where it is.
    pub uri: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// How a claim is shown (appendix B.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Where it is.
    pub path: ClaimsPath,
    /// Whether every credential has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Its name by language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<ClaimDisplay>,
}

/// A claim's name in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDisplay {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language (BCP 47).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// The issuer's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigurationError {
    /// Two claim descriptions speak about one claim, or contradict each other (appendix B.3).
    #[error("expected claim descriptions without repetition and contradiction")]
    Claims,
    /// An array that must have elements.
    #[error("expected a non-empty array in `{member}`")]
    Empty {
        /// Its name.
        member: &'static str,
    },
    /// Two display objects for one language.
    #[error("expected one display object for each language")]
    Languages,
    /// A member of the format is absent or of another type.
    #[error("expected the member `{member}` of the format")]
    Profile {
        /// Its name.
        member: &'static str,
    },
}

impl CredentialConfiguration {
    /// A configuration for credentials that are bound to a key which a `jwt` proof shows.
    ///
    /// # Errors
    /// [`ConfigurationError`], the caller's fault here.
    pub fn keyed(
        profile: FormatProfile,
        scope: Option<String>,
        signing: Vec<Value>,
        binding_methods: Vec<String>,
        proof_algorithms: &[Algorithm],
        metadata: CredentialMetadata,
    ) -> Result<Self, ConfigurationError> {
        let names = proof_algorithms
            .iter()
            .map(|algorithm| Value::from(algorithm.jose_name()))
            .collect();
        let jwt = ProofTypeMetadata {
            proof_signing_alg_values_supported: names,
            key_attestations_required: None,
        };
        let configuration = Self {
            profile,
            scope,
            credential_signing_alg_values_supported: signing,
            cryptographic_binding_methods_supported: binding_methods,
            proof_types_supported: BTreeMap::from([(JWT_PROOF_TYPE.to_owned(), jwt)]),
            credential_metadata: Some(metadata),
        };
        for (is_empty, member) in [
            (
                configuration.credential_signing_alg_values_supported.is_empty(),
                "credential_signing_alg_values_supported",
            ),
            (
                configuration.cryptographic_binding_methods_supported.is_empty(),
                "cryptographic_binding_methods_supported",
            ),
            (proof_algorithms.is_empty(), "proof_signing_alg_values_supported"),
        ] {
            if is_empty {
                return Err(ConfigurationError::Empty { member });
            }
        }
        check_metadata(configuration.credential_metadata.as_ref())?;
        Ok(configuration)
    }

    /// Reads a configuration of a foreign document; one that breaks a rule becomes
    /// [`FormatProfile::Unreadable`].
    pub(super) fn read(value: &Value) -> Self {
        Self::deserialize(value).unwrap_or_else(|_| {
            let identifier = value.get("format").and_then(Value::as_str).unwrap_or_default();
            Self {
                profile: FormatProfile::Unreadable(identifier.to_owned()),
                scope: None,
                credential_signing_alg_values_supported: Vec::new(),
                cryptographic_binding_methods_supported: Vec::new(),
                proof_types_supported: BTreeMap::new(),
                credential_metadata: None,
            }
        })
    }

    /// Whether it was read.
    pub(super) const fn is_readable(&self) -> bool {
        !matches!(self.profile, FormatProfile::Unreadable(_))
    }

    /// The format.
    #[must_use]
    pub fn format(&self) -> CredentialFormat {
        self.profile.format()
    }

    /// The algorithms for `jwt` proofs that we implement; empty if this proof type is not supported.
    #[must_use]
    pub fn jwt_proof_algorithms(&self) -> Vec<Algorithm> {
        let values = self
            .proof_types_supported
            .get(JWT_PROOF_TYPE)
            .map(|jwt| &jwt.proof_signing_alg_values_supported);
        values
            .into_iter()
            .flatten()
            .filter_map(|name| Algorithm::from_jose_name(name.as_str()?))
            .collect()
    }

    /// Whether the wallet must prove a key.
    #[must_use]
    pub fn requires_proof(&self) -> bool {
        !self.proof_types_supported.is_empty()
    }
}

impl FormatProfile {
    /// The format.
    #[must_use]
    pub fn format(&self) -> CredentialFormat {
        match self {
            Self::SdJwtVc { .. } => CredentialFormat::SdJwtVc,
            Self::JwtVcJson { .. } => CredentialFormat::JwtVcJson,
            Self::LdpVc { .. } => CredentialFormat::LdpVc,
            Self::MsoMdoc { .. } => CredentialFormat::MsoMdoc,
            Self::Other(identifier) => CredentialFormat::Other(identifier.clone()),
            Self::Unreadable(identifier) => CredentialFormat::from(identifier.as_str()),
        }
    }

    fn read(raw: &mut RawConfiguration) -> Result<Self, ConfigurationError> {
        Ok(match CredentialFormat::from(raw.format.as_str()) {
            CredentialFormat::SdJwtVc => Self::SdJwtVc {
                vct: member(raw.vct.take(), "vct")?,
            },
            CredentialFormat::JwtVcJson => Self::JwtVcJson {
                types: member(raw.credential_definition.take(), "credential_definition")?.types()?,
            },
            CredentialFormat::LdpVc => {
                let mut definition = member(raw.credential_definition.take(), "credential_definition")?;
                Self::LdpVc {
                    context: member(definition.context.take(), "@context")?,
                    types: definition.types()?,
                }
            }
            CredentialFormat::MsoMdoc => Self::MsoMdoc {
                doctype: member(raw.doctype.take(), "doctype")?,
            },
            CredentialFormat::Other(identifier) => Self::Other(identifier),
        })
    }

    fn write(self, object: &mut Map<String, Value>) {
        object.insert("format".to_owned(), self.format().as_str().into());
        let definition = |pairs: Vec<(&str, Value)>| {
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            )
        };
        let (name, value) = match self {
            Self::SdJwtVc { vct } => ("vct", Value::from(vct)),
            Self::JwtVcJson { types } => ("credential_definition", definition(vec![("type", types.into())])),
            Self::LdpVc { context, types } => (
                "credential_definition",
                definition(vec![("@context", context.into()), ("type", types.into())]),
            ),
            Self::MsoMdoc { doctype } => ("doctype", Value::from(doctype)),
            Self::Other(_) | Self::Unreadable(_) => return,
        };
        object.insert(name.to_owned(), value);
    }
}

/// Checks display and claims: they are shown to people, who must not read two things about one claim.
///
/// # Errors
/// [`ConfigurationError`], the writer's fault.
pub fn check_metadata(metadata: Option<&CredentialMetadata>) -> Result<(), ConfigurationError> {
    let Some(metadata) = metadata else { return Ok(()) };
    check_languages(metadata.display.iter().map(|display| display.locale.as_deref()))?;
    for claim in &metadata.claims {
        check_languages(claim.display.iter().map(|display| display.locale.as_deref()))?;
    }
    check_claims(&metadata.claims)
}

/// "There MUST be only one object for each language identifier."
pub(super) fn check_languages<'a>(locales: impl Iterator<Item = Option<&'a str>>) -> Result<(), ConfigurationError> {
    let mut seen = BTreeSet::new();
    for locale in locales.flatten() {
        if !seen.insert(locale.to_ascii_lowercase()) {
            return Err(ConfigurationError::Languages);
        }
    }
    Ok(())
}

/// The three rules of "Processing Rules for Claims Description Objects".
fn check_claims(claims: &[ClaimDescription]) -> Result<(), ConfigurationError> {
    let mut paths = BTreeSet::new();
    // What the path so far leads to, as the next component implies it.
    let mut kinds: BTreeMap<&[PathComponent], Container> = BTreeMap::new();
    for claim in claims {
        let components = claim.path.components();
        if !paths.insert(components) {
            return Err(ConfigurationError::Claims);
        }
        for (depth, component) in components.iter().enumerate() {
            let kind = match component {
                PathComponent::Key(_) => Container::Object,
                PathComponent::AllElements => Container::WholeArray,
                PathComponent::Index(_) => Container::SomeElements,
            };
            let before = components.get(..depth).unwrap_or_default();
            if *kinds.entry(before).or_insert(kind) != kind {
                return Err(ConfigurationError::Claims);
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    SomeElements,
    WholeArray,
}

#[derive(Deserialize)]
struct RawConfiguration {
    format: String,
    scope: Option<String>,
    #[serde(default)]
    credential_signing_alg_values_supported: Vec<Value>,
    #[serde(default)]
    cryptographic_binding_methods_supported: Vec<String>,
    #[serde(default)]
    proof_types_supported: BTreeMap<String, ProofTypeMetadata>,
    credential_metadata: Option<CredentialMetadata>,
    vct: Option<String>,
    doctype: Option<String>,
    credential_definition: Option<RawDefinition>,
}

#[derive(Deserialize)]
struct RawDefinition {
    #[serde(rename = "@context")]
    context: Option<Vec<Value>>,
    #[serde(rename = "type")]
    types: Option<Vec<String>>,
}

impl RawDefinition {
    fn types(self) -> Result<Vec<String>, ConfigurationError> {
        member(self.types.filter(|types| !types.is_empty()), "type")
    }
}

impl TryFrom<RawConfiguration> for CredentialConfiguration {
    type Error = ConfigurationError;

    fn try_from(mut raw: RawConfiguration) -> Result<Self, ConfigurationError> {
        check_metadata(raw.credential_metadata.as_ref())?;
        Ok(Self {
            profile: FormatProfile::read(&mut raw)?,
            scope: raw.scope,
            credential_signing_alg_values_supported: raw.credential_signing_alg_values_supported,
            cryptographic_binding_methods_supported: raw.cryptographic_binding_methods_supported,
            proof_types_supported: raw.proof_types_supported,
            credential_metadata: raw.credential_metadata,
        })
    }
}

impl From<CredentialConfiguration> for Map<String, Value> {
    fn from(configuration: CredentialConfiguration) -> Self {
        let mut object = Self::new();
        configuration.profile.write(&mut object);
        let mut put = |name: &str, value: Value| {
            let is_empty = match &value {
                Value::Null => true,
                Value::Array(items) => items.is_empty(),
                Value::Object(members) => members.is_empty(),
                Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
            };
            if !is_empty {
                object.insert(name.to_owned(), value);
            }
        };
        put("scope", configuration.scope.into());
        put(
            "credential_signing_alg_values_supported",
            configuration.credential_signing_alg_values_supported.into(),
        );
        put(
            "cryptographic_binding_methods_supported",
            configuration.cryptographic_binding_methods_supported.into(),
        );
        // Only strings and lists inside: these two cannot fail.
        put(
            "proof_types_supported",
            serde_json::to_value(configuration.proof_types_supported).unwrap_or_default(),
        );
        put(
            "credential_metadata",
            serde_json::to_value(configuration.credential_metadata).unwrap_or_default(),
        );
        object
    }
}

fn member<T>(value: Option<T>, member: &'static str) -> Result<T, ConfigurationError> {
    value.ok_or(ConfigurationError::Profile { member })
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "`json!(..)` reads better as an argument")]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(paths: Value) -> Result<(), ConfigurationError> {
        let descriptions = paths.as_array().unwrap().iter().map(|path| json!({"path": path}));
        let descriptions: Vec<ClaimDescription> = descriptions
            .map(|value| serde_json::from_value(value).unwrap())
            .collect();
        check_metadata(Some(&CredentialMetadata {
            display: vec![],
            claims: descriptions,
        }))
    }

    #[test]
    fn claim_descriptions_do_not_contradict_each_other() {
        assert_eq!(
            claims(json!([
                ["a"],
                ["a", "b"],
                ["c", null],
                ["c", null, "d"],
                ["e", 0],
                ["e", 1]
            ])),
            Ok(())
        );
        for bad in [
            json!([["a"], ["a"]]),
            json!([["c", null], ["c", 0]]),
            json!([["a", "b"], ["a", null]]),
            json!([["a", 0, "x"], ["a", "b"]]),
        ] {
            assert_eq!(claims(bad.clone()), Err(ConfigurationError::Claims), "{bad}");
        }
    }

    #[test]
    fn one_display_for_each_language() {
        let display = |locale: &str| Display {
            locale: Some(locale.to_owned()),
            ..Display::default()
        };
        let metadata = |locales: [&str; 2]| CredentialMetadata {
            display: locales.map(display).to_vec(),
            claims: vec![],
        };
        assert_eq!(check_metadata(Some(&metadata(["en", "fr"]))), Ok(()));
        assert_eq!(
            check_metadata(Some(&metadata(["en-US", "en-us"]))),
            Err(ConfigurationError::Languages)
        );
    }

    #[test]
    fn each_format_reads_what_it_writes() {
        for format in [
            json!({"format": "dc+sd-jwt", "vct": "urn:a"}),
            json!({"format": "jwt_vc_json", "credential_definition": {"type": ["VerifiableCredential", "A"]}}),
            json!({"format": "ldp_vc", "credential_definition": {"@context": ["https://a"], "type": ["A"]}}),
            json!({"format": "mso_mdoc", "doctype": "org.iso.18013.5.1.mDL"}),
            json!({"format": "other"}),
        ] {
            let configuration: CredentialConfiguration = serde_json::from_value(format.clone()).unwrap();
            assert_eq!(serde_json::to_value(&configuration).unwrap(), format);
        }
    }

    #[test]
    fn the_members_of_the_format_are_required() {
        for bad in [
            json!({"format": "dc+sd-jwt"}),
            json!({"format": "jwt_vc_json"}),
            json!({"format": "jwt_vc_json", "credential_definition": {"type": []}}),
            json!({"format": "ldp_vc", "credential_definition": {"type": ["A"]}}),
            json!({"format": "mso_mdoc"}),
            json!({"vct": "urn:a"}),
        ] {
            assert!(
                serde_json::from_value::<CredentialConfiguration>(bad.clone()).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn our_own_keep_every_rule() {
        let keyed = |signing: Vec<Value>, binding: Vec<String>, algorithms: &[Algorithm]| {
            let profile = FormatProfile::SdJwtVc {
                vct: "urn:a".to_owned(),
            };
            CredentialConfiguration::keyed(
                profile,
                None,
                signing,
                binding,
                algorithms,
                CredentialMetadata::default(),
            )
        };
        let (signing, binding) = (vec![json!("ES256")], vec!["jwk".to_owned()]);
        let configuration = keyed(signing.clone(), binding.clone(), &[Algorithm::Es256]).unwrap();
        assert_eq!(configuration.jwt_proof_algorithms(), [Algorithm::Es256]);
        assert!(configuration.requires_proof());
        assert!(keyed(vec![], binding.clone(), &[Algorithm::Es256]).is_err());
        assert!(keyed(signing.clone(), vec![], &[Algorithm::Es256]).is_err());
        assert!(keyed(signing, binding, &[]).is_err());
    }
}
