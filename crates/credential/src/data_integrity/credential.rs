//! `ldp_vc`: issuing and authenticating
//! ([add proof](https://www.w3.org/TR/vc-data-integrity/#add-proof),
//! [verify proof](https://www.w3.org/TR/vc-data-integrity/#verify-proof)).

use jsonld::ContextLoader;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Cryptosuite;
use super::CryptosuiteError;
use super::DocumentError;
use super::MAX_CREDENTIAL_BYTES;
use super::ProofError;
use super::ProofPurpose;
use super::document;
use super::proof::Proof;
use super::proof::check_method;
use crate::Authentic;
use crate::CredentialFormat;
use crate::Facts;
use crate::Held;
use crate::HolderKey;
use crate::Unverified;
use crate::evidence::Credential;
use crate::evidence::Fingerprint;
use crate::evidence::sealed::Contents;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::vc::CredentialProperties;
use crate::vc::DataModelError;

/// A credential with an embedded proof.
pub struct LdpVc {
    text: String,
    /// The document that was signed, without the proof.
    document: Map<String, Value>,
    presented: bool,
}

/// An `ldp_vc` before its proof is checked.
pub struct Parsed {
    pub(super) text: String,
    document: Map<String, Value>,
    proof: Proof,
    properties: CredentialProperties,
    /// Whether it came inside of a presentation.
    pub(super) presented: bool,
}

/// What goes into a proof besides the document.
#[derive(Clone, Copy, Debug)]
pub struct ProofOptions<'a> {
    /// How the proof is made.
    pub cryptosuite: Cryptosuite,
    /// Absolute DID URL of the issuer's key.
    pub verification_method: &'a str,
    /// When the proof is made.
    pub created: Option<Timestamp>,
    /// From when on the proof (not the credential) is void.
    pub expires: Option<Timestamp>,
}

/// The issuer's fault, or that of whoever changed the credential.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LdpVcError {
    /// The proof is not by this key over this document.
    #[error("the proof does not hold")]
    Cryptosuite(#[from] CryptosuiteError),
    /// The document does not follow the data model.
    #[error("the credential document is refused")]
    DataModel(#[from] DataModelError),
    /// The document could be read in two ways.
    #[error("the form of the credential document is refused")]
    Document(#[from] DocumentError),
    /// Not strict JSON.
    #[error("the credential is not read")]
    Json(#[from] json::JsonError),
    /// A presented credential was to be kept.
    #[error("expected a credential as issued, found one from a presentation")]
    Presented,
    /// The proof itself.
    #[error("the proof is refused")]
    Proof(#[from] ProofError),
    /// The document is already secured: the caller's fault.
    #[error("expected a document without a proof")]
    Secured,
    /// Expired or not valid yet.
    #[error("the credential is not valid now")]
    Validity(#[from] ValidityError),
    /// `issuer` is not the one whose key is given.
    #[error("expected the issuer {expected:?}, found {found:?}")]
    WrongIssuer {
        /// Whose key it is.
        expected: String,
        /// Whom the credential names.
        found: String,
    },
}

impl LdpVcError {
    /// The `type` of a problem report
    /// ([processing errors](https://www.w3.org/TR/vc-data-integrity/#processing-errors)).
    #[must_use]
    pub const fn problem_type(&self) -> &'static str {
        match self {
            Self::Cryptosuite(
                CryptosuiteError::Canonicalization(_) | CryptosuiteError::Json(_) | CryptosuiteError::JsonLd(_),
            ) => "https://w3id.org/security#PROOF_TRANSFORMATION_ERROR",
            Self::Json(_) => "https://www.w3.org/TR/vc-data-model#PARSING_ERROR",
            Self::Secured => "https://w3id.org/security#PROOF_GENERATION_ERROR",
            Self::Cryptosuite(_)
            | Self::DataModel(_)
            | Self::Document(_)
            | Self::Presented
            | Self::Proof(_)
            | Self::Validity(_)
            | Self::WrongIssuer { .. } => "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
        }
    }
}

/// The credential `document` with a proof in it, once signed. Every context must be one of `contexts`.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document that nobody could verify.
pub fn issue(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    contexts: &ContextLoader,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    if document.contains_key("proof") {
        return Err(LdpVcError::Secured);
    }
    let properties = CredentialProperties::read_1_1_or_2_0(&document)?;
    check_method(&properties.issuer, options.verification_method)?;
    document::check(&document, contexts)?;
    document::check_places(&document)?;
    let configuration = options.configuration(ProofPurpose::AssertionMethod);
    let request = options.cryptosuite.sign(&document, configuration, contexts)?;
    Ok(request.map(|proof| with_proof(document, proof)))
}

pub(super) fn with_proof(mut document: Map<String, Value>, proof: Value) -> Map<String, Value> {
    document.insert("proof".to_owned(), proof);
    document
}

impl ProofOptions<'_> {
    /// The proof configuration, apart from what the suite adds.
    pub(super) fn configuration(&self, purpose: ProofPurpose) -> Map<String, Value> {
        let mut configuration = Map::from_iter([
            ("verificationMethod".to_owned(), Value::from(self.verification_method)),
            ("proofPurpose".to_owned(), Value::from(purpose.as_str())),
        ]);
        for (name, time) in [("created", self.created), ("expires", self.expires)] {
            configuration.extend(time.map(|time| (name.to_owned(), Value::from(time.to_rfc3339()))));
        }
        configuration
    }
}

impl Credential for LdpVc {
    type Parsed = Parsed;
    const FORMAT: CredentialFormat = CredentialFormat::LdpVc;
}

impl Contents for LdpVc {
    fn claims(&self) -> &Map<String, Value> {
        &self.document
    }

    fn into_claims(self) -> Map<String, Value> {
        self.document
    }

    fn text(&self) -> &str {
        &self.text
    }
}

impl Unverified<LdpVc> {
    /// Reads the form of a credential and its proof. No signature is checked.
    ///
    /// # Errors
    /// [`LdpVcError`], the sender's fault.
    pub fn parse(text: &str) -> Result<Self, LdpVcError> {
        let limits = json::Limits {
            max_bytes: MAX_CREDENTIAL_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let document = json::parse_object(text.as_bytes(), limits)?;
        Self::read(document, text.to_owned())
    }

    /// The same for a credential that stood inside of other JSON, which was parsed strictly.
    ///
    /// # Errors
    /// [`LdpVcError`], the sender's fault.
    pub fn from_object(object: &Map<String, Value>) -> Result<Self, LdpVcError> {
        Self::parse(&Value::Object(object.clone()).to_string())
    }

    fn read(mut document: Map<String, Value>, text: String) -> Result<Self, LdpVcError> {
        let proof = Proof::take(&mut document)?;
        let properties = CredentialProperties::read_1_1_or_2_0(&document)?;
        document::check_form(&document)?;
        Ok(Self(Parsed {
            text,
            document,
            proof,
            properties,
            presented: false,
        }))
    }

    /// `issuer`: a hint for finding the key.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.properties.issuer
    }

    /// `verificationMethod`: the DID URL of the key that the issuer says it signed with.
    #[must_use]
    pub fn verification_method(&self) -> &str {
        &self.0.proof.verification_method
    }

    /// How the proof was made.
    #[must_use]
    pub const fn cryptosuite(&self) -> Cryptosuite {
        self.0.proof.cryptosuite
    }

    /// The contexts that the signature was made with, in order. They say what the terms mean, so a verifier
    /// that reads claims by their terms compares this list with the one it expects for the type. Empty where one is
    /// written out in the document, which no URL names and only [`ContextLoader::accepting_embedded`] takes.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        document::context_urls(&self.0.document).unwrap_or_default().into_iter()
    }

    /// Checks the proof with `key`, which the caller resolved as `issuer`'s, and the times of proof and
    /// credential. Every context must be one of `contexts`.
    ///
    /// # Errors
    /// [`LdpVcError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        issuer: &str,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        self.authenticate_as(key, issuer, issuer, contexts, now)
    }

    /// The same with a proof by `signer`'s key.
    pub(super) fn authenticate_as(
        self,
        key: &PublicKey,
        issuer: &str,
        signer: &str,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        self.0.proof.check(ProofPurpose::AssertionMethod, signer, now)?;
        check_validity(self.0.properties.valid_from, self.0.properties.valid_until, now)?;
        self.check_proof(key, issuer, contexts)
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the times.
    ///
    /// # Errors
    /// [`LdpVcError`].
    pub fn restore(self, key: &PublicKey, issuer: &str, contexts: &ContextLoader) -> Result<Held<LdpVc>, LdpVcError> {
        self.0.proof.check_maker(ProofPurpose::AssertionMethod, issuer)?;
        self.check_proof(key, issuer, contexts)?.hold_issued()
    }

    fn check_proof(
        self,
        key: &PublicKey,
        issuer: &str,
        contexts: &ContextLoader,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        let Parsed {
            text,
            document,
            proof,
            properties,
            presented,
        } = self.0;
        if properties.issuer != issuer {
            return Err(LdpVcError::WrongIssuer {
                expected: issuer.to_owned(),
                found: properties.issuer,
            });
        }
        document::check(&document, contexts)?;
        document::check_places(&document)?;
        proof.cryptosuite.verify(&document, &proof.map, key, contexts)?;
        let is_did = |subject: &String| subject.starts_with("did:");
        let facts = Facts {
            fingerprint: Fingerprint(keys::sha256(text.as_bytes())),
            format: CredentialFormat::LdpVc,
            holder: properties.subject.filter(is_did).map(HolderKey::Did),
            issued_at: proof.created,
            issuer: properties.issuer,
            key: key.clone(),
            key_id: Some(proof.verification_method),
            status: properties.status,
            types: properties.types,
            type_integrity: None,
            unknown_status: properties.unknown_status,
            valid_from: properties.valid_from,
            // The proof's period and the credential's: both must hold.
            valid_until: [properties.valid_until, proof.expires].into_iter().flatten().min(),
        };
        Ok(Authentic {
            facts,
            contents: LdpVc {
                text,
                document,
                presented,
            },
        })
    }
}

impl Authentic<LdpVc> {
    /// See [`Unverified::contexts`].
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        document::context_urls(&self.contents.document)
            .unwrap_or_default()
            .into_iter()
    }

    /// Keeps a credential as issued.
    ///
    /// # Errors
    /// [`LdpVcError::Presented`] for a credential from a presentation.
    pub fn hold_issued(self) -> Result<Held<LdpVc>, LdpVcError> {
        if self.contents.presented {
            return Err(LdpVcError::Presented);
        }
        Ok(self.hold())
    }
}
