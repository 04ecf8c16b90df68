//! Type metadata documents
//! ([SD-JWT VC type metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-sd-jwt-vc-type-metadata)).
//!
//! One document is a [`TypeMetadata`]. What may be used for a decision or shown to a person is a [`ResolvedType`]: the
//! document with all that it extends. A credential is compared with it by `check_type_metadata` of
//! [`crate::Authentic`] and [`crate::Held`].
//!
//! Not done here: retrieving documents, and drawing. Metadata is its publisher's word alone, and to extend a type gives
//! no authority to issue it.

mod check;
mod rendering;
mod resolve;

pub use check::TypeMismatch;
pub use rendering::ColorScheme;
pub use rendering::Contrast;
pub use rendering::Orientation;
pub use rendering::Rendering;
pub use rendering::Resource;
pub use rendering::SimpleRendering;
pub use rendering::SvgProperties;
pub use rendering::SvgTemplate;
pub use resolve::MAX_EXTENDED;
pub use resolve::ResolveError;
pub use resolve::ResolvedType;

use std::collections::BTreeSet;

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use crate::ClaimPath;
use crate::integrity;
use crate::integrity::IntegrityError;

/// Bytes of one document: 100 claims with labels in 20 languages fit twice.
pub const MAX_BYTES: usize = 512 * 1024;

/// Claims in one document. The EUDI PID has 40; merging compares each with those of the extended type.
pub const MAX_CLAIMS: usize = 1_000;

/// What one document says about its type, apart from what it extends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeMetadata {
    /// The type it describes.
    pub vct: String,
    /// A name for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A description for developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The type that this one extends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// What the document of the extended type must hash to.
    #[serde(rename = "extends#integrity", default, skip_serializing_if = "Option::is_none")]
    pub extends_integrity: Option<String>,
    /// Names and looks of the type for end users, one for each language; `None` keeps those of the extended type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<TypeDisplay>>,
    /// The claims of the type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<ClaimMetadata>,
}

/// How a type is shown in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeDisplay {
    /// Language tag.
    pub locale: String,
    /// Name for end users.
    pub name: String,
    /// Description for end users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Rendering methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendering: Option<Rendering>,
}

/// What is known about the claims at one path. What is `None` was not said: then the extended type's word holds, or
/// the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimMetadata {
    /// Which claims.
    pub path: ClaimPath,
    /// Labels, one for each language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<ClaimDisplay>>,
    /// Whether every credential of the type has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandatory: Option<bool>,
    /// Whether it is selectively disclosable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<SelectiveDisclosure>,
    /// Placeholder in SVG templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svg_id: Option<String>,
}

/// How a claim is labelled in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimDisplay {
    /// Language tag.
    pub locale: String,
    /// Label for end users.
    pub label: String,
    /// Description for end users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The value of `sd`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SelectiveDisclosure {
    /// The issuer must make it disclosable.
    Always,
    /// The issuer may.
    #[default]
    Allowed,
    /// The issuer must not.
    Never,
}

/// The fault of the document's author or of whoever served it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeMetadataError {
    /// Two entries for the same claims: which one counts, nobody says.
    #[error("expected one entry for each path, found two for {path}")]
    DuplicatePath {
        /// The path.
        path: ClaimPath,
    },
    /// Another document than the one meant.
    #[error("the integrity of the type metadata is not shown")]
    Integrity(#[from] IntegrityError),
    /// Not a type metadata document.
    #[error("the type metadata is not read")]
    Json(#[from] json::JsonError),
    /// Rendering metadata that nobody could render safely or choose from.
    #[error("expected rendering metadata with {expected}, found something else")]
    Rendering {
        /// What belongs there.
        expected: &'static str,
    },
    /// `svg_id` is no identifier, or not the only one of its name.
    #[error("expected each svg_id once, of letters, digits and underscores and no digit first, found another")]
    SvgId,
    /// More claims than [`MAX_CLAIMS`].
    #[error("expected metadata of at most {MAX_CLAIMS} claims, found more")]
    TooManyClaims,
    /// A document about another type.
    #[error("expected the type {expected:?}, found {found:?}")]
    WrongType {
        /// `vct` of the credential.
        expected: String,
        /// `vct` of the document.
        found: String,
    },
}

impl TypeMetadata {
    /// Reads the document for the type `vct`; `integrity` is what the reference says beside it, `vct#integrity` of the
    /// credential or `extends#integrity` of another document.
    ///
    /// # Errors
    /// [`TypeMetadataError`], after which a credential whose type metadata must be processed is refused.
    pub fn read(document: &[u8], vct: &str, integrity: Option<&str>) -> Result<Self, TypeMetadataError> {
        if let Some(integrity) = integrity {
            integrity::check(document, integrity)?;
        }
        let limits = json::Limits {
            max_bytes: MAX_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let read: Self = json::parse_as(document, limits)?;
        if read.vct != vct {
            return Err(TypeMetadataError::WrongType {
                expected: vct.to_owned(),
                found: read.vct,
            });
        }
        if read.claims.len() > MAX_CLAIMS {
            return Err(TypeMetadataError::TooManyClaims);
        }
        let mut paths = BTreeSet::new();
        if let Some(claim) = read.claims.iter().find(|claim| !paths.insert(&claim.path)) {
            let path = claim.path.clone();
            return Err(TypeMetadataError::DuplicatePath { path });
        }
        check_svg_ids(&read.claims)?;
        for display in read.display.iter().flatten() {
            display.rendering.as_ref().map_or(Ok(()), Rendering::check)?;
        }
        Ok(read)
    }
}

/// "The ID MUST be unique within the type metadata. It MUST consist of only alphanumeric characters and underscores
/// and MUST NOT start with a digit."
fn check_svg_ids(claims: &[ClaimMetadata]) -> Result<(), TypeMetadataError> {
    let mut seen = BTreeSet::new();
    for id in claims.iter().filter_map(|claim| claim.svg_id.as_deref()) {
        let alphabet = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let first = id.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if !alphabet || !first || !seen.insert(id) {
            return Err(TypeMetadataError::SvgId);
        }
    }
    Ok(())
}

impl ClaimMetadata {
    /// `mandatory`, or its default.
    #[must_use]
    pub fn is_mandatory(&self) -> bool {
        self.mandatory.unwrap_or_default()
    }

    /// `sd`, or its default.
    #[must_use]
    pub fn selective_disclosure(&self) -> SelectiveDisclosure {
        self.sd.unwrap_or_default()
    }

    /// The label for the first of these languages that there is one for.
    #[must_use]
    pub fn label(&self, locales: &[&str]) -> Option<&str> {
        let labels = self.display.as_deref().unwrap_or_default();
        let of = |locale: &&str| {
            labels
                .iter()
                .find(|display| display.locale.eq_ignore_ascii_case(locale))
        };
        locales
            .iter()
            .find_map(of)
            .or_else(|| labels.first())
            .map(|display| display.label.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "vct": "https://example.com/identity",
            "name": "Identity",
            "unknown": {"ignored": true},
            "display": [{"locale": "en", "name": "Identity", "rendering": {"simple": {"text_color": "#fff"}}}],
            "claims": [
                {"path": ["name"], "display": [{"locale": "en", "label": "Name"}, {"locale": "zh", "label": "姓名"}], "sd": "always", "mandatory": true},
                {"path": ["nationalities", null], "sd": "allowed"},
                {"path": ["vct"]},
            ]
        })
    }

    fn read(document: &Value, integrity: Option<&str>) -> Result<TypeMetadata, TypeMetadataError> {
        TypeMetadata::read(
            document.to_string().as_bytes(),
            "https://example.com/identity",
            integrity,
        )
    }

    #[test]
    fn a_document_is_read_and_written() {
        let metadata = read(&document(), None).unwrap();
        assert_eq!(metadata.claims[0].selective_disclosure(), SelectiveDisclosure::Always);
        assert_eq!(metadata.claims[2].selective_disclosure(), SelectiveDisclosure::Allowed);
        assert!(metadata.claims[0].is_mandatory() && !metadata.claims[1].is_mandatory());
        assert_eq!(metadata.claims[0].label(&["fr", "zh"]), Some("姓名"));
        assert_eq!(metadata.claims[0].label(&["fr"]), Some("Name"));
        assert_eq!(metadata.claims[1].label(&["en"]), None);
        let written = serde_json::to_value(&metadata).unwrap();
        assert_eq!(read(&written, None), Ok(metadata));
    }

    #[test]
    fn integrity_is_checked_over_the_bytes() {
        let right = integrity::compute(document().to_string().as_bytes());
        assert!(read(&document(), Some(&right)).is_ok());
        let wrong = integrity::compute(b"");
        assert_eq!(
            read(&document(), Some(&wrong)),
            Err(TypeMetadataError::Integrity(IntegrityError::Mismatch))
        );
    }

    #[test]
    fn another_type_is_refused() {
        let mut other = document();
        other["vct"] = json!("https://example.com/other");
        assert!(matches!(read(&other, None), Err(TypeMetadataError::WrongType { .. })));
    }

    #[test]
    fn what_we_cannot_process_is_refused() {
        for (member, value) in [
            ("claims", json!([{"path": []}])),
            ("claims", json!([{"path": ["a"], "sd": "maybe"}])),
            ("claims", json!([{"path": ["a"], "mandatory": "yes"}])),
            ("display", json!([{"name": "x"}])),
            ("extends", json!(1)),
        ] {
            let mut bad = document();
            bad[member] = value;
            assert!(matches!(read(&bad, None), Err(TypeMetadataError::Json(_))));
        }
        let mut twice = document();
        twice["claims"][1]["path"] = json!(["name"]);
        assert!(matches!(
            read(&twice, None),
            Err(TypeMetadataError::DuplicatePath { .. })
        ));
    }

    #[test]
    fn the_number_of_claims_is_bounded() {
        let with = |number: usize| {
            let mut changed = document();
            changed["claims"] = (0..number).map(|at| json!({"path": [at.to_string()]})).collect();
            read(&changed, None)
        };
        assert!(with(MAX_CLAIMS).is_ok());
        assert_eq!(with(MAX_CLAIMS + 1), Err(TypeMetadataError::TooManyClaims));
    }

    #[test]
    fn svg_ids_are_identifiers_and_unique() {
        let with = |first: &str, second: &str| {
            let mut changed = document();
            changed["claims"][0]["svg_id"] = json!(first);
            changed["claims"][1]["svg_id"] = json!(second);
            read(&changed, None)
        };
        assert!(with("name_1", "_2").is_ok());
        for bad in ["1name", "na-me", "", "näme", "name_1"] {
            assert_eq!(with("name_1", bad), Err(TypeMetadataError::SvgId), "{bad}");
        }
    }
}
