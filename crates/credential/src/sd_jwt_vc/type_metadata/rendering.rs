//! How a type is drawn
//! ([rendering metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-rendering-metadata)).

use serde::Deserialize;
use serde::Serialize;

use super::TypeMetadataError;
use crate::integrity;
use crate::integrity::IntegrityError;

/// The rendering methods that the draft defines; others are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendering {
    /// Logo and colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simple: Option<SimpleRendering>,
    /// SVG templates, from which the properties choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svg_templates: Option<Vec<SvgTemplate>>,
}

/// The method `simple`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SimpleRendering {
    /// The logo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<Resource>,
    /// A picture behind the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_image: Option<Resource>,
    /// A CSS colour, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_color: Option<String>,
    /// A CSS colour, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_color: Option<String>,
}

/// A picture somewhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// An HTTPS URL or a `data:` URI.
    pub uri: String,
    /// What its bytes must hash to.
    #[serde(rename = "uri#integrity", default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// What to read to those who do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
}

/// One SVG template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SvgTemplate {
    /// An HTTPS URL or a `data:` URI.
    pub uri: String,
    /// What its bytes must hash to.
    #[serde(rename = "uri#integrity", default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// What it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<SvgProperties>,
}

/// What an SVG template is made for; at least one of them is said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SvgProperties {
    /// Shape of the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orientation: Option<Orientation>,
    /// Preferred colours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_scheme: Option<ColorScheme>,
    /// Preferred contrast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contrast: Option<Contrast>,
}

/// `orientation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Orientation {
    /// Wider than high.
    Landscape,
    /// Higher than wide.
    Portrait,
}

/// `color_scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorScheme {
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
}

/// `contrast`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contrast {
    /// For those who see little.
    High,
    /// The usual one.
    Normal,
}

impl Rendering {
    /// What serde does not check.
    pub(super) fn check(&self) -> Result<(), TypeMetadataError> {
        let malformed = |expected| TypeMetadataError::Rendering { expected };
        let simple = self
            .simple
            .iter()
            .flat_map(|simple| [&simple.logo, &simple.background_image]);
        let pictures = simple.flatten().map(|picture| &picture.uri);
        let templates = self.svg_templates.as_deref().unwrap_or_default();
        let mut uris = pictures.chain(templates.iter().map(|template| &template.uri));
        if !uris.all(|uri| uri.starts_with("https://") || uri.starts_with("data:")) {
            return Err(malformed("an HTTPS URL or a data: URI for each picture"));
        }
        let chosen = |template: &SvgTemplate| {
            template
                .properties
                .as_ref()
                .map(|properties| *properties != SvgProperties::default())
        };
        if templates.iter().any(|template| chosen(template) == Some(false)) {
            return Err(malformed("at least one property of an SVG template"));
        }
        if templates.len() > 1 && templates.iter().any(|template| template.properties.is_none()) {
            return Err(malformed("properties to choose one of several SVG templates by"));
        }
        Ok(())
    }
}

impl Resource {
    /// Checks the bytes that were found at `uri`, exactly as retrieved. Without integrity metadata any will do.
    ///
    /// # Errors
    /// [`IntegrityError`], after which they must not be shown.
    pub fn check(&self, bytes: &[u8]) -> Result<(), IntegrityError> {
        check(bytes, self.integrity.as_deref())
    }
}

impl SvgTemplate {
    /// As [`Resource::check`].
    ///
    /// # Errors
    /// [`IntegrityError`], after which they must not be rendered.
    pub fn check(&self, bytes: &[u8]) -> Result<(), IntegrityError> {
        check(bytes, self.integrity.as_deref())
    }
}

fn check(bytes: &[u8], metadata: Option<&str>) -> Result<(), IntegrityError> {
    metadata.map_or(Ok(()), |metadata| integrity::check(bytes, metadata))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::sd_jwt_vc::type_metadata::TypeMetadata;

    fn read(rendering: &Value) -> Result<Rendering, TypeMetadataError> {
        let document = json!({"vct": "urn:a", "display": [{"locale": "en", "name": "A", "rendering": rendering}]});
        let read = TypeMetadata::read(document.to_string().as_bytes(), "urn:a", None)?;
        Ok(read.display.unwrap().remove(0).rendering.unwrap())
    }

    #[test]
    fn both_methods_are_read_and_others_ignored() {
        let rendering = read(&json!({
            "simple": {"logo": {"uri": "https://a.example/logo.png", "alt_text": "a"}, "text_color": "#fff"},
            "svg_templates": [
                {"uri": "data:image/svg+xml,", "properties": {"orientation": "portrait", "contrast": "high"}},
                {"uri": "https://a.example/dark.svg", "properties": {"color_scheme": "dark"}},
            ],
            "own": {},
        }))
        .unwrap();
        assert_eq!(rendering.simple.unwrap().logo.unwrap().alt_text.as_deref(), Some("a"));
        let properties = rendering.svg_templates.unwrap()[1].properties.clone().unwrap();
        assert_eq!(properties.color_scheme, Some(ColorScheme::Dark));
        assert!(read(&json!({"svg_templates": [{"uri": "https://a.example/only.svg"}]})).is_ok());
    }

    #[test]
    fn other_rendering_metadata_is_refused() {
        let template = json!({"uri": "https://a.example/a.svg", "properties": {"contrast": "high"}});
        for bad in [
            json!({"simple": {"logo": {"uri": "http://a.example/logo.png"}}}),
            json!({"simple": {"background_image": {"uri": "javascript:alert(1)"}}}),
            json!({"svg_templates": [{"uri": "file:///etc/passwd"}]}),
            json!({"svg_templates": [{"uri": "https://a.example/a.svg", "properties": {}}]}),
            json!({"svg_templates": [template, {"uri": "https://a.example/b.svg"}]}),
        ] {
            assert!(matches!(read(&bad), Err(TypeMetadataError::Rendering { .. })), "{bad}");
        }
        for bad in [
            json!({"simple": {"logo": {}}}),
            json!({"svg_templates": {}}),
            json!({"svg_templates": [{"uri": "https://a.example/a.svg", "properties": {"contrast": "low"}}]}),
        ] {
            assert!(matches!(read(&bad), Err(TypeMetadataError::Json(_))), "{bad}");
        }
    }

    #[test]
    fn pictures_are_those_that_were_meant() {
        let logo = |bytes: &[u8]| Resource {
            uri: "https://a.example/logo.png".to_owned(),
            integrity: Some(integrity::compute(bytes)),
            alt_text: None,
        };
        assert_eq!(logo(b"picture").check(b"picture"), Ok(()));
        assert_eq!(logo(b"picture").check(b"another"), Err(IntegrityError::Mismatch));
    }
}
