//! Type metadata documents
//! ([SD-JWT VC type metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-sd-jwt-vc-type-metadata)).
//!
//! Read and written: names, display, claims. Not done: `extends`, which is refused rather than ignored, since
//! a consumer must process the extended type too; and SVG rendering, which is kept as it is but not understood.

use keys::json;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::ClaimPath;
use crate::integrity;
use crate::integrity::IntegrityError;

/// Bytes of one document: 100 claims with labels in 20 languages fit twice.
pub const MAX_BYTES: usize = 512 * 1024;

/// What is known about one `vct`.
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
    /// Names and looks of the type for end users, one for each language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<TypeDisplay>,
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
    /// Rendering methods, kept as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendering: Option<Value>,
}

/// What is known about the claims at one path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimMetadata {
    /// Which claims.
    pub path: ClaimPath,
    /// Labels, one for each language.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub display: Vec<ClaimDisplay>,
    /// Whether every credential of the type has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mandatory: bool,
    /// Whether it is selectively disclosable.
    #[serde(default)]
    pub sd: SelectiveDisclosure,
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
    /// The document extends another type.
    #[error("expected a type of its own, found `extends`, which is not supported")]
    Extends,
    /// Another document than the one meant.
    #[error("the integrity of the type metadata is not shown")]
    Integrity(#[from] IntegrityError),
    /// Not a type metadata document.
    #[error("the type metadata is not read")]
    Json(#[from] json::JsonError),
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
    /// Reads the document for the type `vct`; `integrity` is the credential's `vct#integrity`, if it has one.
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
        let value = json::parse(document, limits)?;
        if value.get("extends").is_some() {
            return Err(TypeMetadataError::Extends);
        }
        let shape = |_| json::JsonError::Shape {
            expected: "a type metadata document",
        };
        let read: Self = serde_json::from_value(value).map_err(shape)?;
        if read.vct != vct {
            return Err(TypeMetadataError::WrongType {
                expected: vct.to_owned(),
                found: read.vct,
            });
        }
        Ok(read)
    }

    /// The paths of the claims that an issuer must make selectively disclosable: `sd` is `always`.
    pub fn always_disclosable(&self) -> impl Iterator<Item = &ClaimPath> {
        self.claims
            .iter()
            .filter(|claim| claim.sd == SelectiveDisclosure::Always)
            .map(|claim| &claim.path)
    }
}

impl ClaimMetadata {
    /// The label for the first of these languages that there is one for.
    #[must_use]
    pub fn label(&self, locales: &[&str]) -> Option<&str> {
        let of = |locale: &&str| {
            self.display
                .iter()
                .find(|display| display.locale.eq_ignore_ascii_case(locale))
        };
        locales
            .iter()
            .find_map(of)
            .or_else(|| self.display.first())
            .map(|display| display.label.as_str())
    }
}

#[cfg(test)]
mod tests {
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
        let disclosable: Vec<String> = metadata.always_disclosable().map(ToString::to_string).collect();
        assert_eq!(disclosable, [r#"["name"]"#]);
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
        let mut extending = document();
        extending["extends"] = json!("https://example.com/base");
        assert_eq!(read(&extending, None), Err(TypeMetadataError::Extends));
        for (member, value) in [
            ("claims", json!([{"path": []}])),
            ("claims", json!([{"path": ["a"], "sd": "maybe"}])),
            ("display", json!([{"name": "x"}])),
        ] {
            let mut bad = document();
            bad[member] = value;
            assert!(matches!(read(&bad, None), Err(TypeMetadataError::Json(_))));
        }
    }
}
