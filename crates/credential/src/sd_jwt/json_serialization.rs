//! The JWS JSON Serialization of an SD-JWT or SD-JWT+KB
//! ([RFC 9901, JWS JSON serialization](https://www.rfc-editor.org/rfc/rfc9901#name-jws-json-serialization)).
//!
//! Another way to write the same thing: `sd_hash` is over the compact form in any case, so what is read here becomes
//! that form at once, and every check is made there. Disclosures and Key Binding JWT are found where the RFC puts
//! them, in the first unprotected header; drafts of it had them beside `payload`, and that is refused.
//!
//! Of several signatures only the first counts: it is the one that the compact form has. Nothing in an unprotected
//! header means anything, except those two.

use keys::base64url;
use keys::json;
use keys::json::Json;
use keys::json::Tree;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::MAX_BYTES;
use super::SdJwt;
use super::SdJwtError;

/// Which of the two forms of [RFC 7515, section 7.2](https://www.rfc-editor.org/rfc/rfc7515#section-7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonSerialization {
    /// The signature stands beside the payload.
    Flattened,
    /// `signatures` is an array; ours has one.
    General,
}

/// Bytes of the JSON text. A disclosure takes three more than in the compact form, which has its own limit.
const MAX_JSON_BYTES: usize = 2 * MAX_BYTES;

const DISCLOSURES: &str = "disclosures";
const KB_JWT: &str = "kb_jwt";

/// Writes an SD-JWT or SD-JWT+KB, given in its compact form, in the JWS JSON Serialization.
///
/// # Errors
/// [`SdJwtError`] when `sd_jwt` is not in the compact form, the caller's fault.
pub fn to_json(sd_jwt: &str, serialization: JsonSerialization) -> Result<Value, SdJwtError> {
    let sd_jwt = SdJwt::parse(sd_jwt)?;
    let mut parts = sd_jwt.jwt().split('.');
    let (Some(protected), Some(payload), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(SdJwtError::Form);
    };
    let disclosures: Vec<&str> = sd_jwt.disclosures().collect();
    let mut header = Map::new();
    header.insert(DISCLOSURES.to_owned(), json!(disclosures));
    header.extend(sd_jwt.key_binding().map(|jwt| (KB_JWT.to_owned(), json!(jwt))));
    Ok(match serialization {
        JsonSerialization::Flattened => {
            json!({"payload": payload, "protected": protected, "header": header, "signature": signature})
        }
        JsonSerialization::General => {
            let signature = json!({"protected": protected, "header": header, "signature": signature});
            json!({"payload": payload, "signatures": [signature]})
        }
    })
}

impl SdJwt {
    /// Reads either form and writes it as the compact one.
    pub(crate) fn parse_json(text: &str) -> Result<Self, SdJwtError> {
        let limits = json::Limits {
            max_bytes: MAX_JSON_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let tree = Tree::parse_object(text.as_bytes(), limits).map_err(SdJwtError::Json)?;
        let root = tree.root();
        if root.get(DISCLOSURES).or_else(|| root.get(KB_JWT)).is_some() {
            return Err(form("disclosures and kb_jwt in the unprotected header"));
        }
        let signature = first_signature(root)?;
        let mut compact = String::with_capacity(text.len());
        compact.push_str(base64url_member(signature, "protected")?);
        compact.push('.');
        compact.push_str(base64url_member(root, "payload")?);
        compact.push('.');
        compact.push_str(base64url_member(signature, "signature")?);
        compact.push('~');
        let header = signature.get("header");
        check_disjoint(signature, header)?;
        if let Some(disclosures) = header.and_then(|header| header.get(DISCLOSURES)) {
            let malformed = || form("disclosures as an array of base64url texts");
            for disclosure in disclosures.elements().ok_or_else(malformed)? {
                let text = disclosure.as_str().filter(|text| is_base64url(text));
                compact.push_str(text.ok_or_else(malformed)?);
                compact.push('~');
            }
        }
        if let Some(key_binding) = header.and_then(|header| header.get(KB_JWT)) {
            let is_jws = |text: &&str| text.split('.').all(is_base64url);
            compact.push_str(
                key_binding
                    .as_str()
                    .filter(is_jws)
                    .ok_or(form("kb_jwt as a compact JWS"))?,
            );
        }
        Self::parse(&compact)
    }
}

/// The object that has `protected`, `header` and `signature`: the root itself, or the first of `signatures`.
fn first_signature(root: Json<'_>) -> Result<Json<'_>, SdJwtError> {
    let Some(signatures) = root.get("signatures") else {
        return Ok(root);
    };
    if ["protected", "header", "signature"]
        .iter()
        .any(|name| root.get(name).is_some())
    {
        return Err(form("either signature or signatures"));
    }
    let mut signatures = signatures.elements().ok_or(form("signatures as an array"))?;
    let first = signatures.next().ok_or(form("at least one signature"))?;
    for other in signatures {
        base64url_member(other, "protected")?;
        base64url_member(other, "signature")?;
        let header = other.get("header");
        if [DISCLOSURES, KB_JWT]
            .iter()
            .any(|name| header.and_then(|header| header.get(name)).is_some())
        {
            return Err(form("disclosures and kb_jwt in the first unprotected header alone"));
        }
    }
    Ok(first)
}

/// "The Header Parameter names in the two locations MUST be disjoint" (RFC 7515, section 7.2.1); and `crit` names what
/// must be understood, so it "MUST be integrity protected" (section 4.1.11).
fn check_disjoint(signature: Json<'_>, header: Option<Json<'_>>) -> Result<(), SdJwtError> {
    let Some(header) = header else { return Ok(()) };
    let names = header.members().ok_or(form("header as an object"))?;
    let protected = base64url::decode(base64url_member(signature, "protected")?);
    let protected = protected.map_err(|_| form("protected in base64url"))?;
    let protected = Tree::parse_object(&protected, json::DEFAULT_LIMITS).map_err(SdJwtError::Json)?;
    for (name, _) in names {
        if name == "crit" || protected.root().get(name).is_some() {
            return Err(form("an unprotected header without members of the protected one"));
        }
    }
    Ok(())
}

fn base64url_member<'a>(object: Json<'a>, name: &'static str) -> Result<&'a str, SdJwtError> {
    let text = object.get(name).and_then(Json::as_str);
    text.filter(|text| is_base64url(text))
        .ok_or(form("payload, protected and signature in base64url"))
}

/// Only by its alphabet, so that no part can bring a dot or a tilde into the compact form.
fn is_base64url(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(fits)
}

const fn form(expected: &'static str) -> SdJwtError {
    SdJwtError::JsonForm { expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"alg":"ES256"}`, then anything.
    const BOUND: &str = "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~RA~RQ~a2I.a2I.a2I";

    fn read(json: &Value) -> Result<String, SdJwtError> {
        let sd_jwt = SdJwt::parse_json(&json.to_string())?;
        Ok(format!(
            "{}{}",
            sd_jwt.without_key_binding(),
            sd_jwt.key_binding().unwrap_or_default()
        ))
    }

    fn flattened() -> Value {
        to_json(BOUND, JsonSerialization::Flattened).unwrap()
    }

    fn general() -> Value {
        to_json(BOUND, JsonSerialization::General).unwrap()
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in [
            "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~",
            "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~RA~",
            BOUND,
        ] {
            for serialization in [JsonSerialization::Flattened, JsonSerialization::General] {
                let written = to_json(text, serialization).unwrap();
                assert_eq!(read(&written).as_deref(), Ok(text), "{written}");
            }
        }
        let mut without_header = to_json("eyJhbGciOiJFUzI1NiJ9.e30.c2ln~", JsonSerialization::Flattened).unwrap();
        without_header.as_object_mut().unwrap().remove("header");
        assert!(read(&without_header).is_ok());
    }

    #[test]
    fn other_signatures_are_not_read() {
        let mut json = general();
        let other = json!({"protected": "e30", "signature": "b3RoZXI", "header": {"kid": "2"}});
        json["signatures"].as_array_mut().unwrap().push(other);
        assert_eq!(read(&json).as_deref(), Ok(BOUND));
        for name in [DISCLOSURES, KB_JWT] {
            let mut bad = json.clone();
            bad["signatures"][1]["header"][name] = json!([]);
            assert!(matches!(read(&bad), Err(SdJwtError::JsonForm { .. })), "{name}");
        }
    }

    /// The form of drafts, in which a reader of the RFC would overlook the Key Binding JWT.
    #[test]
    fn disclosures_beside_the_payload_are_refused() {
        for name in [DISCLOSURES, KB_JWT] {
            let mut json = flattened();
            json[name] = json["header"].as_object_mut().unwrap().remove(name).unwrap();
            assert!(matches!(read(&json), Err(SdJwtError::JsonForm { .. })), "{name}");
        }
    }

    #[test]
    fn parts_that_would_shift_the_others_are_refused() {
        for (pointer, value) in [
            ("/protected", json!("eyJhbGciOiJFUzI1NiJ9.e30")),
            ("/payload", json!("e30.c2ln")),
            ("/payload", json!("")),
            ("/signature", json!("c2ln~RA")),
            ("/header/disclosures/0", json!("RA~RB")),
            ("/header/disclosures/0", json!("")),
            ("/header/disclosures/0", json!(1)),
            ("/header/disclosures", json!("RA")),
            ("/header/kb_jwt", json!("a2I~a2I")),
            ("/header/kb_jwt", json!("")),
            ("/header", json!([])),
        ] {
            let mut json = flattened();
            *json.pointer_mut(pointer).unwrap() = value;
            assert!(matches!(read(&json), Err(SdJwtError::JsonForm { .. })), "{json}");
        }
    }

    #[test]
    fn headers_that_overlap_are_refused() {
        for name in ["alg", "crit"] {
            let mut json = flattened();
            json["header"][name] = json!("ES256");
            assert!(matches!(read(&json), Err(SdJwtError::JsonForm { .. })), "{name}");
        }
        let mut json = flattened();
        json["header"]["kid"] = json!("not protected, and not read");
        assert!(read(&json).is_ok());
    }

    #[test]
    fn both_forms_at_once_and_no_signature_are_refused() {
        let mut both = flattened();
        both["signatures"] = general()["signatures"].clone();
        let mut none = general();
        none["signatures"] = json!([]);
        for bad in [both, none, json!({"payload": "e30"}), json!({})] {
            assert!(matches!(read(&bad), Err(SdJwtError::JsonForm { .. })), "{bad}");
        }
        for bad in ["[]", "{", r#"{"payload":"e30","payload":"e30"}"#] {
            assert!(matches!(SdJwt::parse_json(bad), Err(SdJwtError::Json(_))), "{bad}");
        }
    }
}
