//! A type's own SVG template
//! ([SVG rendering](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-svg-rendering)).
//!
//! A template is a document of strangers that is drawn beside a person's data. It is not searched for what is dangerous:
//! it is read by a strict XML reader, and only the elements, attributes and values of the lists below are written anew.
//! Everything else refuses the template, so that nobody sees a card with a part missing. There is no element that
//! repeats another (`use`, `pattern`, `marker`), so that drawing takes as long as the template is.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use credential::integrity::IntegrityError;
use credential::sd_jwt_vc::type_metadata::ResolvedType;
use credential::sd_jwt_vc::type_metadata::SvgProperties;
use credential::sd_jwt_vc::type_metadata::SvgTemplate;
use roxmltree::Document;
use roxmltree::Node;
use roxmltree::ParsingOptions;
use serde_json::Map;
use serde_json::Value as Json;
use thiserror::Error;

use super::Picture;
use super::escape::escape;
use super::language;
use super::picture::data_url;
use super::words::Words;
use crate::text::printable_lines;

/// Bytes of a template. Drawings of coats of arms have some 100 kB, a background picture adds its own.
pub const MAX_TEMPLATE_BYTES: usize = 512 * 1024;

/// Elements, texts and comments: a detailed drawing has some thousand paths.
const MAX_NODES: u32 = 10_000;

/// Elements inside of each other; drawing programs group a dozen deep.
const MAX_DEPTH: usize = 32;

const SVG: &str = "http://www.w3.org/2000/svg";
const XLINK: &str = "http://www.w3.org/1999/xlink";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

const ELEMENTS: [&str; 20] = [
    "circle",
    "clipPath",
    "defs",
    "desc",
    "ellipse",
    "g",
    "image",
    "line",
    "linearGradient",
    "mask",
    "path",
    "polygon",
    "polyline",
    "radialGradient",
    "rect",
    "stop",
    "svg",
    "text",
    "title",
    "tspan",
];

const ATTRIBUTES: [&str; 70] = [
    "aria-hidden",
    "aria-label",
    "aria-labelledby",
    "clip-path",
    "clip-rule",
    "clipPathUnits",
    "color",
    "cx",
    "cy",
    "d",
    "direction",
    "dominant-baseline",
    "dx",
    "dy",
    "fill",
    "fill-opacity",
    "fill-rule",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "fx",
    "fy",
    "gradientTransform",
    "gradientUnits",
    "height",
    "id",
    "lang",
    "lengthAdjust",
    "letter-spacing",
    "mask",
    "maskContentUnits",
    "maskUnits",
    "offset",
    "opacity",
    "points",
    "preserveAspectRatio",
    "r",
    "role",
    "rotate",
    "rx",
    "ry",
    "spreadMethod",
    "stop-color",
    "stop-opacity",
    "stroke",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-opacity",
    "stroke-width",
    "text-anchor",
    "text-decoration",
    "textLength",
    "transform",
    "unicode-bidi",
    "version",
    "viewBox",
    "visibility",
    "width",
    "word-spacing",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];

/// A checked template.
#[derive(Clone, Debug)]
#[must_use]
pub struct Template {
    parts: Vec<Part>,
}

/// Written as it is, or the claims of an `svg_id`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Markup(String),
    Placeholder(String),
}

/// The template is not drawn. Its author's fault, or that of whoever served it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplateError {
    /// An attribute that is not on the list: event handlers, styles, and what nobody needs.
    #[error("expected only plain presentation attributes in the SVG template, found {name:?}")]
    Attribute {
        /// Its name.
        name: String,
    },
    /// A `data:` URI that is none, or of more than [`MAX_TEMPLATE_BYTES`].
    #[error("expected an SVG template of at most {MAX_TEMPLATE_BYTES} bytes in the data: URI, found something else")]
    DataUri,
    /// More elements inside of each other than any drawing needs.
    #[error("expected at most {MAX_DEPTH} elements inside of each other in the SVG template, found more")]
    Depth,
    /// An element that is not on the list: scripts, foreign content, animation, style sheets, and what repeats others.
    #[error("expected only shapes, text and embedded pictures in the SVG template, found the element {name:?}")]
    Element {
        /// Its name.
        name: String,
    },
    /// Another template than the one meant.
    #[error("the integrity of the SVG template is not shown")]
    Integrity(#[from] IntegrityError),
    /// The type has no template that can be used without fetching it.
    #[error("expected an SVG template in a data: URI or the file of one that the type names by digest, found none")]
    Missing,
    /// A placeholder that is not `{{svg_id}}`, or not in text.
    #[error("expected placeholders of the form {{{{svg_id}}}} in text only, found another in the SVG template")]
    Placeholder,
    /// An instruction for programs, such as a style sheet.
    #[error("expected no processing instruction in the SVG template, found one")]
    ProcessingInstruction,
    /// A reference to something outside of the template, or to a picture that is none.
    #[error("expected references within the SVG template and embedded PNG and JPEG only, found another in {name:?}")]
    Reference {
        /// The attribute.
        name: String,
    },
    /// More than [`MAX_TEMPLATE_BYTES`].
    #[error("expected an SVG template of at most {MAX_TEMPLATE_BYTES} bytes, found more")]
    TooLarge,
    /// "If the `svg_id` is not present in the claim metadata, the consuming application SHOULD reject".
    #[error("expected placeholders of the type's claims in the SVG template, found {svg_id:?}")]
    UnknownPlaceholder {
        /// The placeholder.
        svg_id: String,
    },
    /// Not well-formed, with a document type, or larger inside than outside.
    #[error("expected an SVG template in well-formed XML without a document type: {reason}")]
    Xml {
        /// What the reader says.
        reason: String,
    },
}

impl Template {
    /// The best template of the type for `preferred`, in the language of `locale`. `given` are documents that the
    /// caller has, from files perhaps: one of them is a template of the type if the type's metadata has its digest.
    /// Templates that would have to be fetched are passed over.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn choose(
        resolved: &ResolvedType,
        locale: &str,
        preferred: &SvgProperties,
        given: &[Vec<u8>],
    ) -> Result<Self, TemplateError> {
        let display = language::best(locale, resolved.display(), |display| Some(&display.locale));
        let rendering = display.and_then(|display| display.rendering.as_ref());
        let templates = rendering.and_then(|rendering| rendering.svg_templates.as_deref());
        let mut templates: Vec<&SvgTemplate> = templates.unwrap_or_default().iter().collect();
        templates.sort_by_key(|template| distance(template.properties.as_ref(), preferred));
        for template in templates {
            let named = |bytes: &&Vec<u8>| template.integrity.is_some() && template.check(bytes).is_ok();
            if let Some(bytes) = given.iter().find(named) {
                return Self::read(bytes, resolved);
            }
            if template
                .uri
                .get(..5)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
            {
                let bytes = data_url(&template.uri, MAX_TEMPLATE_BYTES).ok_or(TemplateError::DataUri)?;
                template.check(&bytes)?;
                return Self::read(&bytes, resolved);
            }
        }
        Err(TemplateError::Missing)
    }

    /// Checks a template; its placeholders are compared with the claims of the type.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn read(bytes: &[u8], resolved: &ResolvedType) -> Result<Self, TemplateError> {
        if bytes.len() > MAX_TEMPLATE_BYTES {
            return Err(TemplateError::TooLarge);
        }
        let text = std::str::from_utf8(bytes).map_err(|error| TemplateError::Xml {
            reason: error.to_string(),
        })?;
        let options = ParsingOptions {
            allow_dtd: false,
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(text, options).map_err(|error| TemplateError::Xml {
            reason: error.to_string(),
        })?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" {
            return Err(TemplateError::Element {
                name: root.tag_name().name().to_owned(),
            });
        }
        let mut writer = Writer::default();
        writer.children(document.root(), 0)?;
        writer.end_markup();
        let known = |svg_id: &str| {
            resolved
                .claims()
                .iter()
                .any(|claim| claim.svg_id.as_deref() == Some(svg_id))
        };
        for part in &writer.parts {
            if let Part::Placeholder(svg_id) = part
                && !known(svg_id)
            {
                return Err(TemplateError::UnknownPlaceholder { svg_id: svg_id.clone() });
            }
        }
        Ok(Self { parts: writer.parts })
    }

    /// The template with the values of `claims` in it; nothing where a claim is not in the credential.
    #[must_use]
    pub fn fill(&self, resolved: &ResolvedType, claims: &Map<String, Json>, locale: &str) -> String {
        let words = Words::of(locale);
        let root = Json::Object(claims.clone());
        let values: BTreeMap<&str, String> = resolved
            .claims()
            .iter()
            .filter_map(|claim| {
                let found = claim.path.select(&root).unwrap_or_default();
                let texts: Vec<String> = found.into_iter().map(|value| line(words, value)).collect();
                Some((
                    claim.svg_id.as_deref()?,
                    escape(&printable_lines(&texts.join(", ")).replace('\n', " ")),
                ))
            })
            .collect();
        let part = |part: &Part| match part {
            Part::Markup(markup) => markup.clone(),
            Part::Placeholder(svg_id) => values.get(svg_id.as_str()).cloned().unwrap_or_default(),
        };
        self.parts.iter().map(part).collect()
    }
}

/// A claim in the text of a drawing.
fn line(words: &Words, value: &Json) -> String {
    match value {
        Json::String(text) => words.text(text, false).to_line(),
        Json::Bool(true) => words.yes.to_owned(),
        Json::Bool(false) => words.no.to_owned(),
        Json::Null => String::new(),
        Json::Number(number) => number.to_string(),
        Json::Array(items) => items
            .iter()
            .map(|item| line(words, item))
            .collect::<Vec<_>>()
            .join(", "),
        Json::Object(members) => members
            .values()
            .map(|member| line(words, member))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// How many of the preferred properties a template is not made for; what it does not say fits a little less than what
/// it says.
fn distance(properties: Option<&SvgProperties>, preferred: &SvgProperties) -> usize {
    fn one<T: PartialEq>(found: Option<&T>, wanted: Option<&T>) -> usize {
        match (found, wanted) {
            (_, None) => 0,
            (Some(found), Some(wanted)) if found == wanted => 0,
            (None, Some(_)) => 1,
            (Some(_), Some(_)) => 4,
        }
    }
    let none = SvgProperties::default();
    let found = properties.unwrap_or(&none);
    one(found.orientation.as_ref(), preferred.orientation.as_ref())
        + one(found.color_scheme.as_ref(), preferred.color_scheme.as_ref())
        + one(found.contrast.as_ref(), preferred.contrast.as_ref())
}

/// Writes what it knows.
#[derive(Default)]
struct Writer {
    parts: Vec<Part>,
    markup: String,
}

impl Writer {
    fn children(&mut self, parent: Node<'_, '_>, depth: usize) -> Result<(), TemplateError> {
        if depth > MAX_DEPTH {
            return Err(TemplateError::Depth);
        }
        for node in parent.children() {
            if node.is_element() {
                self.element(node, depth)?;
            } else if node.is_pi() {
                return Err(TemplateError::ProcessingInstruction);
            } else if node.is_comment() {
                // "MUST NOT be used in any other part of the SVG template, e.g., in attributes or comments."
                no_placeholder(node.text().unwrap_or_default())?;
            } else {
                self.text(node.text().unwrap_or_default())?;
            }
        }
        Ok(())
    }

    fn element(&mut self, node: Node<'_, '_>, depth: usize) -> Result<(), TemplateError> {
        let name = node.tag_name().name();
        if node.tag_name().namespace() != Some(SVG) || !ELEMENTS.contains(&name) {
            return Err(TemplateError::Element { name: name.to_owned() });
        }
        write!(self.markup, "<{name}").ok();
        if depth == 0 {
            write!(self.markup, " xmlns=\"{SVG}\"").ok();
        }
        // With and without the prefix of XLink: one of them is written, and which one counts, nobody says.
        if node.attributes().filter(|attribute| attribute.name() == "href").count() > 1 {
            return Err(TemplateError::Attribute {
                name: "href".to_owned(),
            });
        }
        for attribute in node.attributes() {
            self.attribute(name, attribute.namespace(), attribute.name(), attribute.value())?;
        }
        self.markup.push('>');
        self.children(node, depth + 1)?;
        write!(self.markup, "</{name}>").ok();
        Ok(())
    }

    fn attribute(
        &mut self,
        element: &str,
        namespace: Option<&str>,
        name: &str,
        value: &str,
    ) -> Result<(), TemplateError> {
        no_placeholder(value)?;
        if name == "href" && matches!(namespace, None | Some(XLINK)) {
            let picture = (element == "image").then(|| Picture::from_data_url(value)).flatten();
            let picture = picture.ok_or_else(|| TemplateError::Reference { name: name.to_owned() })?;
            write!(self.markup, " href=\"{}\"", picture.to_data_url()).ok();
            return Ok(());
        }
        let written = match namespace {
            Some(XML) if matches!(name, "lang" | "space") => format!("xml:{name}"),
            None if ATTRIBUTES.contains(&name) => name.to_owned(),
            _ => return Err(TemplateError::Attribute { name: name.to_owned() }),
        };
        if !is_local(value) {
            return Err(TemplateError::Reference { name: name.to_owned() });
        }
        write!(self.markup, " {written}=\"{}\"", escape(value)).ok();
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), TemplateError> {
        // Two braces that only a comment keeps apart.
        if self.markup.ends_with('{') && text.starts_with('{') {
            return Err(TemplateError::Placeholder);
        }
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (svg_id, after) = after.split_once("}}").ok_or(TemplateError::Placeholder)?;
            let is_identifier = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if svg_id.is_empty() || !svg_id.bytes().all(is_identifier) {
                return Err(TemplateError::Placeholder);
            }
            self.markup.push_str(&escape(before));
            self.end_markup();
            self.parts.push(Part::Placeholder(svg_id.to_owned()));
            rest = after;
        }
        self.markup.push_str(&escape(rest));
        Ok(())
    }

    fn end_markup(&mut self) {
        if !self.markup.is_empty() {
            self.parts.push(Part::Markup(std::mem::take(&mut self.markup)));
        }
    }
}

fn no_placeholder(text: &str) -> Result<(), TemplateError> {
    if text.contains("{{") {
        Err(TemplateError::Placeholder)
    } else {
        Ok(())
    }
}

/// Whether a value names nothing outside of the document: functions with an address have one of its own elements. CSS
/// escapes, which could hide such a function, and comments have no use in attributes.
fn is_local(value: &str) -> bool {
    if value.contains('\\') || value.contains("/*") {
        return false;
    }
    let value = value.to_ascii_lowercase();
    let addresses = value.split("url(").skip(1);
    let mut others = ["image(", "image-set(", "src(", "var(", "attr(", "expression("].iter();
    addresses
        .map(|address| address.trim_start().trim_start_matches(['"', '\'']))
        .all(|address| address.starts_with('#'))
        && !others.any(|function| value.contains(function))
}
