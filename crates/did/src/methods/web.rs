//! `did:web`: a document at a place on the web
//! ([did:web](https://w3c-ccg.github.io/did-method-web/)).
//!
//! It says only that the host answered so at this moment: no history, no proof. Where it matters,
//! use `did:webvh`, or what a registry has logged of it (`crates/trust`).
//!
//! The specification wants absolute DID URLs inside the document; many published documents have
//! relative ones. They are read against the document's own `id`, so that no other key can be meant.

use thiserror::Error;

use crate::Did;
use crate::Document;
use crate::document::DocumentError;
use crate::location::Location;
pub use crate::location::LocationError;

/// The method's name.
pub const METHOD: &str = "web";

/// The file name under the DID's place.
const FILE: &str = "did.json";

/// The DID has no place, or the document found there is not its document.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DidWebError {
    /// What the host sent is not the document of this DID.
    #[error("the host sent no document of this DID")]
    Document(#[from] DocumentError),
    /// The identifier names no place on the web.
    #[error("the did:web names no place on the web")]
    Location(#[from] LocationError),
    /// A DID of another method.
    #[error("expected a did:web, found method {found}")]
    Method {
        /// Its method.
        found: String,
    },
}

/// The HTTPS URL of the document of `did`.
///
/// # Errors
/// [`DidWebError`], the fault of whoever made the DID.
pub fn url(did: &Did) -> Result<String, DidWebError> {
    if did.method() != METHOD {
        return Err(DidWebError::Method {
            found: did.method().to_owned(),
        });
    }
    Ok(Location::parse(did.method_specific_id())?.file(FILE))
}

/// Reads what was fetched from [`url()`].
///
/// # Errors
/// [`DidWebError::Document`], the host's fault; also for the document of another DID. For a DID that has no
/// such URL what [`url()`] says.
pub fn read(did: &Did, bytes: &[u8]) -> Result<Document, DidWebError> {
    url(did)?;
    let document = Document::parse(bytes)?;
    document.expect_id(did)?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_of(text: &str) -> Result<String, DidWebError> {
        url(&Did::parse(text).unwrap())
    }

    #[test]
    fn examples_of_the_specification() {
        for (did, expected) in [
            (
                "did:web:w3c-ccg.github.io",
                "https://w3c-ccg.github.io/.well-known/did.json",
            ),
            (
                "did:web:w3c-ccg.github.io:user:alice",
                "https://w3c-ccg.github.io/user/alice/did.json",
            ),
            (
                "did:web:example.com%3A3000:user:alice",
                "https://example.com:3000/user/alice/did.json",
            ),
        ] {
            assert_eq!(url_of(did).unwrap(), expected);
        }
        assert!(matches!(
            url_of("did:web:127.0.0.1"),
            Err(DidWebError::Location(LocationError::IpAddress))
        ));
        assert!(matches!(
            url_of("did:web:example.com:.."),
            Err(DidWebError::Location(LocationError::PathSegment))
        ));
        assert!(matches!(
            url_of("did:webvh:example.com"),
            Err(DidWebError::Method { .. })
        ));
    }

    #[test]
    fn document_must_be_of_this_did() {
        let did = Did::parse("did:web:example.com").unwrap();
        assert_eq!(read(&did, br#"{"id":"did:web:example.com"}"#).unwrap().id(), &did);
        for bad in [
            r#"{"id":"did:web:example.org"}"#,
            r#"{"id":"did:web:EXAMPLE.com"}"#,
            "{}",
            "",
            "\u{feff}{}",
        ] {
            assert!(
                matches!(read(&did, bad.as_bytes()), Err(DidWebError::Document(_))),
                "{bad}"
            );
        }
    }
}
