//! The description of an API ([OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.0.html)), as far as the data
//! path enforces it: paths, methods and the names of parameters.
//!
//! Not validated: schemas of parameters, bodies and answers; the source does that. Refused, since a gap
//! would let calls through that the description does not have: path items by `$ref`, references to other
//! documents, and templates that mix text with a parameter in one segment.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// The largest public descriptions of registers have about 300 kB. In a statement it is base64 and must
/// stay below the 1 MiB of a request's body.
pub const MAX_OPENAPI_BYTES: usize = 512 * 1024;

/// Paths and methods together; each call looks through them.
const MAX_OPERATIONS: usize = 500;

/// A path template; it is part of each record of evidence.
const MAX_TEMPLATE_BYTES: usize = 512;

/// A method that the hub forwards. `OPTIONS`, `HEAD` and `TRACE` carry no data and are not forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Removes.
    Delete,
    /// Reads, and changes nothing.
    Get,
    /// Changes in part.
    Patch,
    /// Adds or acts.
    Post,
    /// Replaces.
    Put,
}

/// One segment of a path template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
}

/// A path template such as `/persons/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    text: String,
    segments: Vec<Segment>,
}

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path.
    pub path: Template,
    /// The names of its query parameters.
    pub query: BTreeSet<String>,
    /// The names of its header parameters, in lower case.
    pub headers: BTreeSet<String>,
}

/// The operations of a description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenApi {
    title: String,
    operations: Vec<Operation>,
}

/// A call's place in the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// The values of the path's parameters, decoded.
    pub parameters: BTreeMap<String, String>,
}

/// The description cannot be published: its author's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenApiError {
    /// A member is missing or of another type.
    #[error("expected {expected} in the OpenAPI document{}", at(path))]
    Member {
        /// What was expected.
        expected: &'static str,
        /// In which path, if in one.
        path: String,
    },
    /// Paths that differ only in the names of their parameters are the same path.
    #[error("expected each path once, found {path} again under other parameter names")]
    SamePath {
        /// The second one.
        path: String,
    },
    /// A path that the hub cannot match safely.
    #[error("expected a path of whole segments, literal or one {{parameter}} each, found {path}")]
    Template {
        /// The path.
        path: String,
    },
    /// More than a hub enforces.
    #[error("expected 1 to {MAX_OPERATIONS} operations, found {found}")]
    Operations {
        /// How many there are.
        found: usize,
    },
    /// Larger than [`MAX_OPENAPI_BYTES`].
    #[error("expected an OpenAPI document of at most {MAX_OPENAPI_BYTES} bytes, found {found}")]
    TooLarge {
        /// Its size as compact JSON.
        found: usize,
    },
    /// Another version of OpenAPI.
    #[error("expected OpenAPI 3.1, found {found:?}")]
    Version {
        /// What the document says.
        found: String,
    },
}

/// The call is not one of the description: the caller's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum MatchError {
    /// The path exists; the method does not.
    #[error("expected one of the methods {}", list(allowed))]
    Method {
        /// The methods that the path has.
        allowed: Vec<Method>,
    },
    /// No path fits.
    #[error("expected a path of the API's description")]
    Path,
}

impl Method {
    /// Reads the method of a request.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// The method on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// Whether a call with it changes nothing at the source
    /// ([RFC 9110, section 9.2.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1)).
    #[must_use]
    pub const fn is_safe(self) -> bool {
        matches!(self, Self::Get)
    }

    const ALL: [Self; 5] = [Self::Delete, Self::Get, Self::Patch, Self::Post, Self::Put];
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`OpenApiError::Template`].
    pub fn parse(text: &str) -> Result<Self, OpenApiError> {
        let refused = || OpenApiError::Template {
            path: text.chars().take(MAX_TEMPLATE_BYTES).collect(),
        };
        let rest = text.strip_prefix('/').ok_or_else(refused)?;
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(refused());
        }
        let segments: Option<Vec<Segment>> = rest.split('/').map(Segment::parse).collect();
        let segments = segments.ok_or_else(refused)?;
        let names: BTreeSet<&str> = segments.iter().filter_map(Segment::parameter).collect();
        if names.len() != segments.iter().filter_map(Segment::parameter).count() {
            return Err(refused());
        }
        Ok(Self {
            text: text.to_owned(),
            segments,
        })
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has a parameter of this name.
    #[must_use]
    pub fn has_parameter(&self, name: &str) -> bool {
        self.segments.iter().any(|segment| segment.parameter() == Some(name))
    }

    /// The parameters' values, if the decoded segments fit.
    fn matches(&self, path: &[String]) -> Option<BTreeMap<String, String>> {
        if self.segments.len() != path.len() {
            return None;
        }
        let mut parameters = BTreeMap::new();
        for (segment, found) in self.segments.iter().zip(path) {
            match segment {
                Segment::Literal(text) if text == found => {}
                Segment::Literal(_) => return None,
                Segment::Parameter(_) if found.is_empty() => return None,
                Segment::Parameter(name) => {
                    parameters.insert(name.clone(), found.clone());
                }
            }
        }
        Some(parameters)
    }

    /// The template with its parameters' names struck out.
    fn shape(&self) -> Vec<Option<&str>> {
        self.segments.iter().map(Segment::literal).collect()
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let is_word = |word: &str| !word.is_empty() && !word.contains(['{', '}']);
        if let Some(name) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            return is_word(name).then(|| Self::Parameter(name.to_owned()));
        }
        // An empty segment is the trailing slash of `/` or `/persons/`.
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_dots = text == "." || text == "..";
        (text.bytes().all(unreserved) && !is_dots).then(|| Self::Literal(text.to_owned()))
    }

    fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Parameter(_) => None,
        }
    }

    fn parameter(&self) -> Option<&str> {
        match self {
            Self::Literal(_) => None,
            Self::Parameter(name) => Some(name),
        }
    }
}

impl OpenApi {
    /// Reads a description.
    ///
    /// # Errors
    /// [`OpenApiError`], its author's fault.
    pub fn parse(document: &Value) -> Result<Self, OpenApiError> {
        let found = document.to_string().len();
        if found > MAX_OPENAPI_BYTES {
            return Err(OpenApiError::TooLarge { found });
        }
        let version = document.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if !version.starts_with("3.1.") {
            return Err(OpenApiError::Version {
                found: version.chars().take(16).collect(),
            });
        }
        let info = document.get("info").ok_or_else(|| member("`info`", ""))?;
        let title = info
            .get("title")
            .and_then(Value::as_str)
            .ok_or_else(|| member("`info.title`", ""))?;
        info.get("version")
            .and_then(Value::as_str)
            .ok_or_else(|| member("`info.version`", ""))?;
        let paths = document
            .get("paths")
            .and_then(Value::as_object)
            .ok_or_else(|| member("`paths`", ""))?;
        let mut operations = Vec::new();
        let mut shapes = BTreeSet::new();
        for (path, item) in paths {
            // "This object MAY be extended with Specification Extensions."
            if path.starts_with("x-") {
                continue;
            }
            let template = Template::parse(path)?;
            let shape: Vec<Option<String>> = template.shape().into_iter().map(|one| one.map(str::to_owned)).collect();
            if !shapes.insert(shape) {
                return Err(OpenApiError::SamePath { path: path.clone() });
            }
            operations.extend(operations_of(document, &template, item)?);
        }
        if operations.is_empty() || operations.len() > MAX_OPERATIONS {
            return Err(OpenApiError::Operations {
                found: operations.len(),
            });
        }
        // "concrete (non-templated) paths would be matched before their templated counterparts"
        operations.sort_by(|one, other| {
            let templated = |operation: &Operation| -> Vec<bool> {
                operation
                    .path
                    .shape()
                    .into_iter()
                    .map(|literal| literal.is_none())
                    .collect()
            };
            templated(one).cmp(&templated(other))
        });
        Ok(Self {
            title: title.chars().take(200).collect(),
            operations,
        })
    }

    /// What the API is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// All operations.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of a call; `path` is decoded segments (see [`decode_path`]).
    ///
    /// # Errors
    /// [`MatchError`], the caller's fault.
    pub fn find(&self, method: Option<Method>, path: &[String]) -> Result<Matched<'_>, MatchError> {
        let mut fitting = self
            .operations
            .iter()
            .filter_map(|operation| Some((operation, operation.path.matches(path)?)))
            .peekable();
        // The most concrete path decides, also about which methods there are.
        let shape = fitting
            .peek()
            .map(|(operation, _)| operation.path.clone())
            .ok_or(MatchError::Path)?;
        let mut allowed = Vec::new();
        for (operation, parameters) in fitting.filter(|(operation, _)| operation.path == shape) {
            if Some(operation.method) == method {
                return Ok(Matched { operation, parameters });
            }
            allowed.push(operation.method);
        }
        Err(MatchError::Method { allowed })
    }
}

/// The decoded segments of a request's path, which begins with `/`. `None` for paths that two servers could
/// read in two ways: dot segments, encoded slashes, backslashes, control characters, bad encoding.
#[must_use]
pub fn decode_path(path: &str) -> Option<Vec<String>> {
    let segments = path.strip_prefix('/')?.split('/');
    segments.map(decode_segment).collect()
}

/// Writes decoded segments as a path, each in one way only.
#[must_use]
pub fn encode_path(segments: &[String]) -> String {
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                let hex = |digit: u8| char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase());
                path.push('%');
                path.extend([byte >> 4, byte & 0x0f].into_iter().filter_map(hex));
            }
        }
    }
    path
}

fn decode_segment(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    let segment = String::from_utf8(bytes).ok()?;
    let is_ambiguous = segment.contains(['/', '\\', ';']) || segment.chars().any(char::is_control);
    (!is_ambiguous && segment != "." && segment != "..").then_some(segment)
}

fn operations_of(document: &Value, path: &Template, item: &Value) -> Result<Vec<Operation>, OpenApiError> {
    let item = item.as_object().ok_or_else(|| member("a path item", path.as_str()))?;
    if item.contains_key("$ref") {
        return Err(member("a path item without `$ref`", path.as_str()));
    }
    let mut operations = Vec::new();
    for method in Method::ALL {
        let Some(operation) = item.get(&method.as_str().to_ascii_lowercase()) else {
            continue;
        };
        let operation = operation
            .as_object()
            .ok_or_else(|| member("an operation object", path.as_str()))?;
        let mut found = Operation {
            method,
            path: path.clone(),
            query: BTreeSet::new(),
            headers: BTreeSet::new(),
        };
        for owner in [item, operation] {
            add_parameters(&mut found, document, owner)?;
        }
        operations.push(found);
    }
    Ok(operations)
}

fn add_parameters(operation: &mut Operation, document: &Value, owner: &Map<String, Value>) -> Result<(), OpenApiError> {
    let malformed = || member("parameters with `name` and `in`", operation.path.as_str());
    let parameters = match owner.get("parameters") {
        None => return Ok(()),
        Some(parameters) => parameters.as_array().ok_or_else(malformed)?,
    };
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for parameter in parameters {
        let parameter = match parameter.get("$ref") {
            None => parameter,
            Some(reference) => reference
                .as_str()
                .and_then(|reference| reference.strip_prefix("#/components/parameters/"))
                .and_then(|name| document.get("components")?.get("parameters")?.get(name))
                .ok_or_else(malformed)?,
        };
        let name = parameter.get("name").and_then(Value::as_str).ok_or_else(malformed)?;
        match parameter.get("in").and_then(Value::as_str).ok_or_else(malformed)? {
            "query" => query.push(name.to_owned()),
            "header" => headers.push(name.to_ascii_lowercase()),
            "path" if operation.path.has_parameter(name) => {}
            // Cookies are not forwarded: the hub keeps no sessions.
            "cookie" => {}
            _ => return Err(malformed()),
        }
    }
    operation.query.extend(query);
    operation.headers.extend(headers);
    Ok(())
}

fn member(expected: &'static str, path: &str) -> OpenApiError {
    OpenApiError::Member {
        expected,
        path: path.to_owned(),
    }
}

fn at(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" at {path}")
    }
}

fn list(methods: &[Method]) -> String {
    let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    names.join(", ")
}

impl TryFrom<String> for Template {
    type Error = OpenApiError;

    fn try_from(text: String) -> Result<Self, OpenApiError> {
        Self::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {"title": "Register", "version": "1"},
            "paths": {
                "/persons/{id}": {
                    "parameters": [{"name": "id", "in": "path"}],
                    "get": {"parameters": [
                        {"name": "fields", "in": "query"},
                        {"$ref": "#/components/parameters/Request"}
                    ]},
                    "delete": {}
                },
                "/persons/me": {"get": {}},
                "/persons": {"post": {}}
            },
            "components": {"parameters": {"Request": {"name": "Request-Id", "in": "header"}}}
        })
    }

    fn find(method: &str, path: &str) -> Result<String, MatchError> {
        let api = OpenApi::parse(&document()).unwrap();
        let path = decode_path(path).ok_or(MatchError::Path)?;
        let matched = api.find(Method::parse(method), &path)?;
        Ok(format!("{} {:?}", matched.operation.path.as_str(), matched.parameters))
    }

    fn refusal(change: impl FnOnce(&mut Value)) -> OpenApiError {
        let mut changed = document();
        change(&mut changed);
        OpenApi::parse(&changed).unwrap_err()
    }

    #[test]
    fn the_sample_register_is_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../schemas/sample/openapi/population-register.json"
        );
        let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let api = OpenApi::parse(&document).unwrap();
        assert_eq!(api.title(), "Population register");
        let [operation] = api.operations() else {
            panic!("{api:?}")
        };
        assert_eq!(operation.path.as_str(), "/persons/{id}");
        assert!(operation.query.contains("fields") && operation.headers.contains("consent-id"));
    }

    #[test]
    fn calls_find_their_operation_and_concrete_paths_come_first() {
        assert_eq!(find("GET", "/persons/X1").unwrap(), "/persons/{id} {\"id\": \"X1\"}");
        assert_eq!(
            find("GET", "/persons/a%20b").unwrap(),
            "/persons/{id} {\"id\": \"a b\"}"
        );
        assert_eq!(find("GET", "/persons/me").unwrap(), "/persons/me {}");
        assert_eq!(find("POST", "/persons").unwrap(), "/persons {}");
    }

    #[test]
    fn other_paths_and_methods_are_refused() {
        for path in [
            "",
            "/",
            "/person/X1",
            "/persons/",
            "/persons/X1/",
            "/persons/X1/y",
            "persons/X1",
        ] {
            assert_eq!(find("GET", path), Err(MatchError::Path), "{path}");
        }
        assert_eq!(
            find("PUT", "/persons/X1"),
            Err(MatchError::Method {
                allowed: vec![Method::Delete, Method::Get]
            })
        );
        // `/persons/me` is the more concrete path, and has no DELETE.
        assert!(matches!(find("DELETE", "/persons/me"), Err(MatchError::Method { .. })));
        assert!(matches!(find("OPTIONS", "/persons"), Err(MatchError::Method { .. })));
    }

    #[test]
    fn paths_that_two_servers_could_read_in_two_ways_are_refused() {
        for path in [
            "/persons/..",
            "/persons/%2e%2E",
            "/persons/.",
            "/persons/X1%2Fy",
            "/persons/X1%5Cy",
            "/persons/a;b",
            "/persons/%00",
            "/persons/%zz",
            "/persons/%f",
            "/persons/%ff",
        ] {
            assert_eq!(decode_path(path), None, "{path}");
        }
    }

    #[test]
    fn a_decoded_path_is_written_in_one_way() {
        assert_eq!(
            encode_path(&decode_path("/%70ersons/a%20b%3f").unwrap()),
            "/persons/a%20b%3F"
        );
    }

    #[test]
    fn each_rule_of_a_description_refuses() {
        assert_eq!(
            refusal(|it| it["openapi"] = json!("3.0.3")),
            OpenApiError::Version {
                found: "3.0.3".to_owned()
            }
        );
        assert_eq!(
            refusal(|it| it["info"] = json!({"version": "1"})),
            member("`info.title`", "")
        );
        assert_eq!(
            refusal(|it| it["info"] = json!({"title": "x"})),
            member("`info.version`", "")
        );
        assert_eq!(refusal(|it| it["paths"] = json!([])), member("`paths`", ""));
        assert_eq!(
            refusal(|it| it["paths"] = json!({})),
            OpenApiError::Operations { found: 0 }
        );
        assert!(matches!(
            refusal(|it| it["paths"]["/persons/{other}"] = json!({"get": {}})),
            OpenApiError::SamePath { .. }
        ));
        assert!(matches!(
            refusal(|it| it["paths"]["/persons/me"] = json!({"$ref": "other.json"})),
            OpenApiError::Member { .. }
        ));
        assert!(matches!(
            refusal(|it| it["paths"]["/persons"]["post"]["parameters"] = json!([{"$ref": "https://x.example/p"}])),
            OpenApiError::Member { .. }
        ));
        assert!(matches!(
            refusal(|it| it["paths"]["/persons"]["post"]["parameters"] = json!([{"name": "id", "in": "path"}])),
            OpenApiError::Member { .. }
        ));
        for path in ["persons", "/a{b}", "/{a}{b}", "/{}", "/{a}/{a}", "/..", "/a b", "/a%2F"] {
            assert!(
                matches!(
                    refusal(|it| it["paths"][path] = json!({"get": {}})),
                    OpenApiError::Template { .. }
                ),
                "{path}"
            );
        }
        let long = "x".repeat(MAX_OPENAPI_BYTES);
        assert!(matches!(
            refusal(|it| it["info"]["summary"] = json!(long)),
            OpenApiError::TooLarge { .. }
        ));
    }

    #[test]
    fn the_stored_form_is_read_back() {
        let api = OpenApi::parse(&document()).unwrap();
        let stored = serde_json::to_string(&api).unwrap();
        assert_eq!(serde_json::from_str::<OpenApi>(&stored).unwrap(), api);
    }
}
