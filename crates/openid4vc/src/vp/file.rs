//! Requests and presentations as files: OpenID4VP where no network is between wallet and verifier.
//!
//! Our own formats, one JSON object each:
//!
//! ```text
//! {"attestry": "presentation-request/1", "request": "<signed request object>"}
//! {"attestry": "presentation/1", "request": "<signed request object>", "response": {"vp_token": {...}}}
//! {"attestry": "presentation/1", ..., "trust_extracts": ["<base64url>"]}
//! ```
//!
//! `request` is the request object of [`super::request_object`], `response` the JSON of an
//! [authorization response](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#response-parameters).
//! `trust_extracts` is what the register said of the issuers when the holder asked it last (`spec/registry.md`, section 9).
//! A presentation file holds claims in the clear: it is as private as what it discloses.

use keys::base64url;
use keys::json;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::request::MAX_REQUEST_BYTES;
use super::response::ResponseError;
use super::response::VP_TOKEN_LIMITS;
use super::response::VpToken;
use crate::dcql::DcqlQuery;

/// A request object, and the object around it.
pub const MAX_REQUEST_FILE_BYTES: usize = MAX_REQUEST_BYTES + 1_024;
/// Extracts have some kilobytes each, and seldom the log of a DID of up to a MiB.
const MAX_TRUST_EXTRACTS_BYTES: usize = 2 << 20;
/// A request object, a `vp_token`, the extracts, and the objects around them.
pub const MAX_PRESENTATION_FILE_BYTES: usize =
    MAX_REQUEST_FILE_BYTES + VP_TOKEN_LIMITS.max_bytes + MAX_TRUST_EXTRACTS_BYTES;

/// Quotes, a comma and an incomplete group of base64.
const EXTRACT_OVERHEAD: usize = 8;

const REQUEST_KIND: &str = "presentation-request/1";
const PRESENTATION_KIND: &str = "presentation/1";

/// A self-contained request. The request object in it is not verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFile {
    attestry: String,
    request: String,
}

/// A request together with its answer. Nothing in it is verified.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PresentationFile {
    attestry: String,
    request: String,
    response: FileResponse,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trust_extracts: Vec<TrustExtract>,
}

/// Bytes as base64url.
#[derive(Clone, PartialEq, Eq)]
struct TrustExtract(Vec<u8>);

impl Serialize for TrustExtract {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&base64url::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for TrustExtract {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        base64url::decode(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The answer. Without `state`: the request that it would be compared with is in the same file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileResponse {
    vp_token: Map<String, Value>,
}

/// Not such a file: whoever wrote it is at fault, or whoever chose it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileError {
    /// Not the JSON of such a file.
    #[error("expected a JSON object of the kind {expected:?} with its members and no others")]
    Json {
        /// The kind that was expected.
        expected: &'static str,
        /// What is wrong.
        #[source]
        source: json::JsonError,
    },
    /// A file of another kind or of a newer format.
    #[error("expected a file of the kind {expected:?}, found {found:?}; was it made by a newer version?")]
    Kind {
        /// The kind that was expected.
        expected: &'static str,
        /// What the file says.
        found: String,
    },
}

impl RequestFile {
    /// The file of a signed request object.
    #[must_use]
    pub fn new(request_object: String) -> Self {
        Self {
            attestry: REQUEST_KIND.to_owned(),
            request: request_object,
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let limits = json::Limits {
            max_bytes: MAX_REQUEST_FILE_BYTES,
            max_depth: 4,
        };
        read(bytes, limits, REQUEST_KIND)
    }

    /// The signed request object, to be read with [`super::UnverifiedRequestObject::parse`].
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The text of the file.
    #[must_use]
    pub fn to_json(&self) -> String {
        write(self)
    }
}

impl PresentationFile {
    /// The file of an answer to a signed request object.
    #[must_use]
    pub fn new(request_object: String, vp_token: &VpToken) -> Self {
        let mut entries: Map<String, Value> = Map::new();
        for (id, presentation) in vp_token.iter() {
            if let Value::Array(presentations) = entries.entry(id).or_insert_with(|| Value::Array(Vec::new())) {
                presentations.push(presentation.clone());
            }
        }
        Self {
            attestry: PRESENTATION_KIND.to_owned(),
            request: request_object,
            response: FileResponse { vp_token: entries },
            trust_extracts: Vec::new(),
        }
    }

    /// With extracts of registers, as they came. What does not fit a file any more is left out: they help a verifier, and
    /// nothing depends on them.
    #[must_use]
    pub fn with_trust_extracts(mut self, extracts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut bytes_left = MAX_TRUST_EXTRACTS_BYTES / 4 * 3;
        for extract in extracts {
            if let Some(left) = bytes_left.checked_sub(extract.len() + EXTRACT_OVERHEAD) {
                bytes_left = left;
                self.trust_extracts.push(TrustExtract(extract));
            }
        }
        self
    }

    /// The extracts of registers that came along. Nothing in them is verified.
    pub fn trust_extracts(&self) -> impl Iterator<Item = &[u8]> {
        self.trust_extracts.iter().map(|extract| extract.0.as_slice())
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`FileError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, FileError> {
        let limits = json::Limits {
            max_bytes: MAX_PRESENTATION_FILE_BYTES,
            // The file and its response are two objects around the `vp_token`.
            max_depth: VP_TOKEN_LIMITS.max_depth + 2,
        };
        read(bytes, limits, PRESENTATION_KIND)
    }

    /// The signed request object that was answered, to be read with
    /// [`super::UnverifiedRequestObject::parse`].
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }

    /// The presentations, by the rules of the query that they answer.
    ///
    /// # Errors
    /// [`ResponseError::VpToken`], the wallet's fault.
    pub fn vp_token(&self, query: &DcqlQuery) -> Result<VpToken, ResponseError> {
        VpToken::from_value(Value::Object(self.response.vp_token.clone()), query)
    }

    /// The text of the file. It holds claims: write it where only its owner reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        write(self)
    }
}

impl std::fmt::Debug for PresentationFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentationFile").finish_non_exhaustive()
    }
}

/// The kind is looked at first: a file of another kind gets a better answer than "another shape".
fn read<T: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    limits: json::Limits,
    expected: &'static str,
) -> Result<T, FileError> {
    let wrong = |source| FileError::Json { expected, source };
    let object = json::parse_object(bytes, limits).map_err(wrong)?;
    match object.get("attestry").and_then(Value::as_str) {
        Some(found) if found == expected => {}
        found => {
            // A name of ours is short; anything else is shown in part.
            let found = found.unwrap_or("no name").chars().take(MAX_SHOWN_CHARS).collect();
            return Err(FileError::Kind { expected, found });
        }
    }
    serde_json::from_value(Value::Object(object)).map_err(|_| wrong(json::JsonError::Shape { expected }))
}

const MAX_SHOWN_CHARS: usize = 64;

fn write(file: &impl Serialize) -> String {
    // Strings and JSON values always serialize.
    serde_json::to_string(file).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn query() -> DcqlQuery {
        let query = json!({"credentials": [{"id": "pid", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:pid"]}}]});
        DcqlQuery::from_value(&query).unwrap()
    }

    fn presentation() -> Value {
        json!({"attestry": "presentation/1", "request": "a.b.c", "response": {"vp_token": {"pid": ["x~y"]}}})
    }

    fn parse(file: &Value) -> Result<PresentationFile, FileError> {
        PresentationFile::parse(file.to_string().as_bytes())
    }

    #[test]
    fn a_request_survives_its_file() {
        let file = RequestFile::new("a.b.c".to_owned());
        let text = file.to_json();
        assert_eq!(text, r#"{"attestry":"presentation-request/1","request":"a.b.c"}"#);
        assert_eq!(RequestFile::parse(text.as_bytes()).unwrap(), file);
        assert_eq!(file.request(), "a.b.c");
    }

    #[test]
    fn a_presentation_survives_its_file() {
        let mut vp_token = VpToken::default();
        vp_token.add("pid", "x~y".into());
        let file = PresentationFile::new("a.b.c".to_owned(), &vp_token);
        assert_eq!(serde_json::from_str::<Value>(&file.to_json()).unwrap(), presentation());
        let read = parse(&presentation()).unwrap();
        assert_eq!(read.request(), "a.b.c");
        assert_eq!(read.vp_token(&query()).unwrap(), vp_token);
    }

    #[test]
    fn extracts_go_along_as_far_as_they_fit() {
        let mut vp_token = VpToken::default();
        vp_token.add("pid", "x~y".into());
        let file = PresentationFile::new("a.b.c".to_owned(), &vp_token);
        let large = vec![1; 1 << 20];
        let file = file.with_trust_extracts([vec![7, 8], large.clone(), large.clone(), vec![9]]);
        let extracts: Vec<&[u8]> = file.trust_extracts().collect();
        assert_eq!(extracts, [&[7, 8][..], &large, &[9]]);
        let read = PresentationFile::parse(file.to_json().as_bytes()).unwrap();
        assert!(read == file && file.to_json().len() < MAX_PRESENTATION_FILE_BYTES);
        let mut wrong = presentation();
        wrong["trust_extracts"] = json!(["not base64url"]);
        assert!(matches!(parse(&wrong), Err(FileError::Json { .. })));
    }

    #[test]
    fn other_kinds_are_named() {
        let request = RequestFile::new("a.b.c".to_owned()).to_json();
        let found = PresentationFile::parse(request.as_bytes()).unwrap_err();
        assert!(matches!(found, FileError::Kind { found, .. } if found == "presentation-request/1"));
        let mut newer = presentation();
        newer["attestry"] = "presentation/2".into();
        assert!(matches!(parse(&newer), Err(FileError::Kind { .. })));
        assert!(matches!(parse(&json!({})), Err(FileError::Kind { .. })));
        let long = json!({"attestry": "x".repeat(1_000)});
        assert!(matches!(parse(&long), Err(FileError::Kind { found, .. }) if found.len() == MAX_SHOWN_CHARS));
    }

    #[test]
    fn members_are_exact() {
        let change = |change: fn(&mut Value)| {
            let mut file = presentation();
            change(&mut file);
            parse(&file)
        };
        assert!(change(|_| {}).is_ok());
        let wrong: [fn(&mut Value); 5] = [
            |file| file["more"] = 1.into(),
            |file| file["response"]["state"] = "s".into(),
            |file| file["response"]["vp_token"] = json!(["x~y"]),
            |file| file["request"] = Value::Null,
            |file| drop(file.as_object_mut().unwrap().remove("response")),
        ];
        for wrong in wrong {
            assert!(matches!(change(wrong), Err(FileError::Json { .. })));
        }
        let twice = br#"{"attestry":"presentation-request/1","request":"a","request":"b"}"#;
        assert!(matches!(RequestFile::parse(twice), Err(FileError::Json { .. })));
        let large = RequestFile::new("x".repeat(MAX_REQUEST_FILE_BYTES)).to_json();
        assert!(matches!(
            RequestFile::parse(large.as_bytes()),
            Err(FileError::Json {
                source: json::JsonError::TooLarge { .. },
                ..
            })
        ));
    }

    #[test]
    fn a_vp_token_must_fit_the_query() {
        let mut file = presentation();
        file["response"]["vp_token"] = json!({"other": ["x~y"]});
        assert_eq!(parse(&file).unwrap().vp_token(&query()), Err(ResponseError::VpToken));
    }

    #[test]
    fn debug_output_has_no_presentation() {
        assert!(!format!("{:?}", parse(&presentation()).unwrap()).contains("x~y"));
    }
}
