//! Issuers outside of every registry that a verifier trusts by its own choice: certificate authorities, and issuers whose
//! JWT VC Issuer Metadata it has at hand. Which types each may issue is part of the choice; nothing is fetched.
//!
//! The file is one JSON object. `types` are values of `vct`, and `docType` of mdocs:
//!
//! ```text
//! {"attestry": "trust-anchors/1", "anchors": [
//!   {"certificate": "<base64 of DER, as in x5c>", "types": ["..."]},
//!   {"issuer": "https://...", "metadata": {"issuer": "https://...", "jwks": {...}}, "types": ["..."]},
//!   {"issuer": "https://...", "metadata": {"issuer": "https://...", "jwks_uri": "https://..."}, "jwks": {...}, "types": ["..."]}
//! ]}
//! ```
//!
//! `jwks` beside the metadata is the document at `jwks_uri`, which belongs there exactly if the metadata has none.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use credential::mdoc::anchor_name;
use credential::sd_jwt_vc::issuer_metadata::IssuerKeys;
use credential::sd_jwt_vc::issuer_metadata::IssuerMetadata;
use credential::sd_jwt_vc::issuer_metadata::IssuerMetadataError;
use credential::sd_jwt_vc::issuer_metadata::KeySet;
use credential::sd_jwt_vc::issuer_metadata::metadata_url;
use keys::json;
use keys::json::JsonError;
use keys::x509::Certificate;
use keys::x509::X509Error;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

/// `attestry` of a file.
const KIND: &str = "trust-anchors/1";
/// Every authority of a union of states, each with a certificate of 2 KiB and a dozen types, fits three times.
const MAX_BYTES: usize = 1 << 20;
/// Anchors of all files together: each certificate is compared with that of each presentation.
const MAX_ANCHORS: usize = 500;

/// What a verifier trusts besides the registries. Empty is a choice as well.
#[derive(Debug, Default)]
pub struct TrustAnchors {
    certificates: Vec<Certificate>,
    /// By `iss`.
    key_sets: BTreeMap<String, KeySet>,
    /// By the name of the anchor: `iss`, or the certificate's `ni:` name.
    types: BTreeMap<String, Vec<String>>,
}

/// For verifiers that go by registries alone.
pub static NO_TRUST_ANCHORS: TrustAnchors = TrustAnchors {
    certificates: Vec::new(),
    key_sets: BTreeMap::new(),
    types: BTreeMap::new(),
};

/// The fault of whoever wrote the file. Nothing of it is used then.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrustAnchorError {
    /// Not base64, or no certificate.
    #[error("expected a certificate as base64 of DER in anchor {place}")]
    Base64 {
        /// Its place, from 1.
        place: usize,
    },
    /// The certificate cannot be an anchor.
    #[error("the certificate of anchor {place} is not read")]
    Certificate {
        /// Its place, from 1.
        place: usize,
        /// What is wrong.
        source: X509Error,
    },
    /// Two anchors of one name: which types count would be a guess.
    #[error("expected one anchor for {name}, found two")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Not a file of this kind.
    #[error("the trust anchors are not read")]
    Json(#[from] JsonError),
    /// Members that do not belong together.
    #[error("expected {expected} in anchor {place}, found something else")]
    Members {
        /// Its place, from 1.
        place: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// The issuer metadata.
    #[error("the issuer metadata of anchor {place} is refused")]
    Metadata {
        /// Its place, from 1.
        place: usize,
        /// What is wrong.
        source: IssuerMetadataError,
    },
    /// More anchors than any verifier needs.
    #[error("expected at most {MAX_ANCHORS} trust anchors, found more")]
    TooMany,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    attestry: String,
    anchors: Vec<Anchor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Anchor {
    certificate: Option<String>,
    issuer: Option<String>,
    metadata: Option<Map<String, Value>>,
    jwks: Option<Map<String, Value>>,
    types: Vec<String>,
}

impl TrustAnchors {
    /// These, and the anchors of a file.
    ///
    /// # Errors
    /// [`TrustAnchorError`]; then there are none at all, since a part of a choice is another choice.
    pub fn with(mut self, file: &[u8]) -> Result<Self, TrustAnchorError> {
        let limits = json::Limits {
            max_bytes: MAX_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let file: File = json::parse_as(file, limits)?;
        if file.attestry != KIND {
            return Err(JsonError::Shape {
                expected: "\"attestry\": \"trust-anchors/1\"",
            }
            .into());
        }
        for (anchor, place) in file.anchors.into_iter().zip(1..) {
            self.add_anchor(anchor, place)?;
        }
        Ok(self)
    }

    fn add_anchor(&mut self, anchor: Anchor, place: usize) -> Result<(), TrustAnchorError> {
        let members = |expected| TrustAnchorError::Members { place, expected };
        if anchor.types.is_empty() || anchor.types.iter().any(String::is_empty) {
            return Err(members("the types that it may issue"));
        }
        if self.types.len() >= MAX_ANCHORS {
            return Err(TrustAnchorError::TooMany);
        }
        let name = match (anchor.certificate, anchor.issuer, anchor.metadata) {
            (Some(certificate), None, None) if anchor.jwks.is_none() => {
                let certificate = read_certificate(&certificate, place)?;
                let name = anchor_name(&certificate);
                self.certificates.push(certificate);
                name
            }
            (None, Some(issuer), Some(metadata)) => {
                let keys = read_keys(&issuer, metadata, anchor.jwks).map_err(|error| match error {
                    Some(source) => TrustAnchorError::Metadata { place, source },
                    None => members("jwks beside metadata with jwks_uri, and nowhere else"),
                })?;
                self.key_sets.insert(issuer.clone(), keys);
                issuer
            }
            _ => return Err(members("either a certificate, or an issuer with its metadata")),
        };
        match self.types.insert(name.clone(), anchor.types) {
            None => Ok(()),
            Some(_) => Err(TrustAnchorError::Duplicate { name }),
        }
    }

    /// Whether nothing was chosen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    pub(crate) fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The keys of the issuer with this `iss`.
    pub(crate) fn key_set(&self, iss: &str) -> Option<&KeySet> {
        self.key_sets.get(iss)
    }

    /// What the anchor of this name may issue.
    pub(crate) fn types(&self, name: &str) -> &[String] {
        self.types.get(name).map_or(&[], Vec::as_slice)
    }
}

fn read_certificate(text: &str, place: usize) -> Result<Certificate, TrustAnchorError> {
    let der = STANDARD.decode(text).map_err(|_| TrustAnchorError::Base64 { place })?;
    Certificate::from_der(&der).map_err(|source| TrustAnchorError::Certificate { place, source })
}

/// `None` where `jwks` does not belong, or is missing.
fn read_keys(
    issuer: &str,
    metadata: Map<String, Value>,
    jwks: Option<Map<String, Value>>,
) -> Result<KeySet, Option<IssuerMetadataError>> {
    // An issuer of another form never has such metadata.
    metadata_url(issuer)?;
    let bytes = |document: Map<String, Value>| Value::Object(document).to_string().into_bytes();
    let metadata = IssuerMetadata::read(&bytes(metadata), issuer)?;
    match (metadata.keys, jwks) {
        (IssuerKeys::Embedded(keys), None) => Ok(keys),
        (IssuerKeys::At(_), Some(jwks)) => Ok(KeySet::read(&bytes(jwks))?),
        (IssuerKeys::Embedded(_), Some(_)) | (IssuerKeys::At(_), None) => Err(None),
    }
}
