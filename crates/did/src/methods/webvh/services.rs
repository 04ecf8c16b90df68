//! The services that every `did:webvh` has without naming them
//! ([DID URL resolution](https://identity.foundation/didwebvh/v1.0/#did-url-resolution)).

use serde_json::Value;
use serde_json::json;

use super::identifier::Identifier;
use super::identifier::IdentifierError;
use crate::Document;
use crate::document::DocumentError;

/// `document` with `#files` and `#whois` added, where it does not define its own.
///
/// # Errors
/// [`IdentifierError`] when the document is not that of a `did:webvh`, which no [`super::LogState`] has.
pub fn with_implicit_services(document: &Document) -> Result<Document, ServicesError> {
    let base = Identifier::parse(document.id())?.base_url();
    let id = document.id();
    let mut services = document.services().to_vec();
    if document.service("files").is_none() {
        services.push(json!({"id": format!("{id}#files"), "type": "relativeRef", "serviceEndpoint": base}));
    }
    if document.service("whois").is_none() {
        services.push(json!({
            "@context": "https://identity.foundation/linked-vp/contexts/v1",
            "id": format!("{id}#whois"),
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": format!("{base}/whois.vp"),
        }));
    }
    let mut value = document.as_map().clone();
    value.insert("service".to_owned(), Value::Array(services));
    Ok(Document::from_value(Value::Object(value))?)
}

/// The document cannot have the services added.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServicesError {
    /// The document with services is not sound; cannot happen for a sound document.
    #[error("the document with services is not sound")]
    Document(#[from] DocumentError),
    /// Not the document of a `did:webvh`.
    #[error("the document is not that of a did:webvh")]
    Identifier(#[from] IdentifierError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const DID: &str = "did:webvh:QmTYXE8TR3uLUWWrefCtFCLhdFWDBk7Eyq5DQRmiHFVAEL:example.com:a";

    #[test]
    fn both_services_are_added_once() {
        let document = Document::from_value(json!({"id": DID})).unwrap();
        let resolved = with_implicit_services(&document).unwrap();
        assert_eq!(
            resolved.service("files").unwrap()["serviceEndpoint"],
            "https://example.com/a"
        );
        assert_eq!(
            resolved.service("whois").unwrap()["serviceEndpoint"],
            "https://example.com/a/whois.vp"
        );
        assert_eq!(with_implicit_services(&resolved).unwrap(), resolved);
    }

    #[test]
    fn own_services_take_precedence() {
        let own = json!({"id": "#whois", "type": "Other", "serviceEndpoint": "https://other.example"});
        let document = Document::from_value(json!({"id": DID, "service": [own]})).unwrap();
        let resolved = with_implicit_services(&document).unwrap();
        assert_eq!(resolved.service("whois").unwrap()["type"], "Other");
        assert_eq!(resolved.services().len(), 2);
    }
}
