//! Authenticating a credential, whatever the mechanism
//! ([algorithms](https://www.w3.org/TR/vc-jose-cose/#algorithms)).

use keys::PublicKey;
use keys::Timestamp;
use keys::cose::CoseError;
use keys::json;
use keys::jws::JwsError;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Kind;
use super::Mechanism;
use super::MessageError;
use super::Read;
use super::check_claims;
use crate::Authentic;
use crate::CredentialFormat;
use crate::Facts;
use crate::Held;
use crate::HolderKey;
use crate::Unverified;
use crate::data_integrity::context_urls;
use crate::evidence::Credential;
use crate::evidence::Fingerprint;
use crate::evidence::sealed::Contents;
use crate::key_id::absolute_key_id;
use crate::registered_claims::ClaimError;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::registered_claims::numeric_date;
use crate::registered_claims::optional_string;
use crate::sd_jwt::SdJwtError;
use crate::vc::CredentialProperties;
use crate::vc::CredentialSchema;
use crate::vc::DataModelError;
use crate::vc::ProblemType;
use crate::vc::RelatedResource;

/// A W3C credential with a signature around it: [`crate::VcJwt`], [`crate::VcSdJwt`] or [`crate::VcCose`].
pub struct W3cCredential<M: Mechanism> {
    text: String,
    document: Map<String, Value>,
    schemas: Vec<CredentialSchema>,
    related_resources: Vec<RelatedResource>,
    presented: bool,
    pub(crate) kept: M::Kept,
}

/// A credential before its signature is checked.
pub struct Parsed<M> {
    pub(crate) message: M,
    pub(crate) contents: ParsedContents,
}

/// What was read of it.
pub(crate) struct ParsedContents {
    text: String,
    document: Map<String, Value>,
    claims: Option<Map<String, Value>>,
    properties: CredentialProperties,
    /// The key in `cnf`.
    holder: Option<HolderKey>,
    /// Whether it came inside of a presentation, or with a holder's signature.
    presented: bool,
}

/// The issuer's fault, or that of whoever changed the credential.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialError {
    /// A registered claim is of another type, or `vc` or `vp` is there.
    #[error("a claim of the credential is not read")]
    Claim(#[from] ClaimError),
    /// `cty` or `content type` says that something else is inside.
    #[error("expected the content type {expected} or none, found another")]
    ContentType {
        /// What belongs there.
        expected: &'static str,
    },
    /// The COSE message: form, type, algorithm or signature.
    #[error("the COSE message is refused")]
    Cose(#[from] CoseError),
    /// The document does not follow the data model.
    #[error("the credential document is refused")]
    DataModel(#[from] DataModelError),
    /// A COSE message as text is in base64 as of RFC 2397, with its padding.
    #[error("expected a COSE message in base64 with padding, found another encoding")]
    Encoding,
    /// Issued in the future.
    #[error("expected a credential issued before {now}, found {found}")]
    IssuedInTheFuture {
        /// The time of checking.
        now: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the JWT is refused")]
    Jws(#[from] JwsError),
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the issuer, found another or none")]
    KeyId,
    /// The payload is not strict JSON.
    #[error("the payload of the credential is not read")]
    Payload(#[source] json::JsonError),
    /// A presented credential was to be kept.
    #[error("expected a credential as issued, found one from a presentation")]
    Presented,
    /// The SD-JWT mechanism: disclosures and digests.
    #[error("the SD-JWT is refused")]
    SdJwt(#[from] SdJwtError),
    /// Expired or not valid yet.
    #[error("the credential is not valid now")]
    Validity(#[from] ValidityError),
    /// `issuer` or `iss` is not the one whose key is given.
    #[error("expected the issuer {expected:?}, found {found:?}")]
    WrongIssuer {
        /// Whose key it is.
        expected: String,
        /// Whom the credential names.
        found: String,
    },
}

impl CredentialError {
    /// The `type` of a problem report
    /// ([problem details](https://www.w3.org/TR/vc-data-model-2.0/#problem-details)).
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Claim(_) | Self::ContentType { .. } => ProblemType::MalformedValueError,
            Self::Cose(error) => cose_problem_type(error),
            Self::DataModel(error) => error.problem_type(),
            Self::IssuedInTheFuture { .. } | Self::Validity(_) => ProblemType::RangeError,
            Self::Jws(error) => jws_problem_type(error),
            Self::Encoding | Self::Payload(_) => ProblemType::ParsingError,
            Self::SdJwt(error) => sd_jwt_problem_type(error),
            Self::KeyId | Self::Presented | Self::WrongIssuer { .. } => ProblemType::CryptographicSecurityError,
        }
    }
}

/// The signature's fault, or that of the text around it.
pub(super) const fn jws_problem_type(error: &JwsError) -> ProblemType {
    match error {
        JwsError::Form | JwsError::Header(_) | JwsError::Payload(_) | JwsError::TooLong { .. } => {
            ProblemType::ParsingError
        }
        // Signature, algorithm, type, and whatever `keys` may add: nothing shows that this was secured.
        _ => ProblemType::CryptographicSecurityError,
    }
}

/// As [`jws_problem_type`].
pub(super) const fn cose_problem_type(error: &CoseError) -> ProblemType {
    match error {
        CoseError::Cbor(_) | CoseError::Form { .. } | CoseError::Parameter { .. } | CoseError::Payload { .. } => {
            ProblemType::ParsingError
        }
        _ => ProblemType::CryptographicSecurityError,
    }
}

/// The fault of the text, or of disclosures that are not those of the signed part.
pub(super) const fn sd_jwt_problem_type(error: &SdJwtError) -> ProblemType {
    match error {
        SdJwtError::Jws(error) => jws_problem_type(error),
        SdJwtError::EmptyDisclosure
        | SdJwtError::Form
        | SdJwtError::Json(_)
        | SdJwtError::JsonForm { .. }
        | SdJwtError::MalformedDisclosure
        | SdJwtError::Payload(_)
        | SdJwtError::TooDeep
        | SdJwtError::TooLarge { .. }
        | SdJwtError::TooManyDisclosures => ProblemType::ParsingError,
        SdJwtError::Claim(_) | SdJwtError::ReservedName { .. } => ProblemType::MalformedValueError,
        SdJwtError::ClaimExists
        | SdJwtError::CriticalClaim { .. }
        | SdJwtError::DuplicateDigest
        | SdJwtError::DuplicateDisclosure
        | SdJwtError::UnreferencedDisclosure
        | SdJwtError::UnsupportedHash
        | SdJwtError::WrongDisclosureKind => ProblemType::CryptographicSecurityError,
    }
}

impl From<MessageError> for CredentialError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Claim(error) => Self::Claim(error),
            MessageError::ContentType { expected } => Self::ContentType { expected },
            MessageError::Cose(error) => Self::Cose(error),
            MessageError::Encoding => Self::Encoding,
            MessageError::Jws(error) => Self::Jws(error),
            MessageError::Payload(error) => Self::Payload(error),
            MessageError::SdJwt(error) => Self::SdJwt(error),
        }
    }
}

/// Whether a document can be issued: it follows the data model.
pub(crate) fn check_credential(document: &Map<String, Value>) -> Result<(), CredentialError> {
    check_claims(document)?;
    CredentialProperties::read(document)?;
    Ok(())
}

impl<M: Mechanism> Credential for W3cCredential<M> {
    type Parsed = Parsed<M>;
    const FORMAT: CredentialFormat = M::FORMAT;
}

impl<M: Mechanism> Contents for W3cCredential<M> {
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

impl<M: Mechanism> Unverified<W3cCredential<M>> {
    /// Reads the form of a credential and of the document in it. No signature is checked.
    ///
    /// # Errors
    /// [`CredentialError`], the sender's fault.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        let Read {
            message,
            text,
            document,
            claims,
            holder,
            is_key_bound,
        } = M::read(text, Kind::Credential)?;
        check_claims(claims.as_ref().unwrap_or(&document))?;
        let properties = CredentialProperties::read(&document)?;
        Ok(Self(Parsed {
            message,
            contents: ParsedContents {
                text,
                document,
                claims,
                properties,
                holder,
                presented: is_key_bound,
            },
        }))
    }

    /// `issuer`: a hint for finding the key.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.contents.properties.issuer
    }

    /// `kid` as written.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.0.message.key_id()
    }

    /// The absolute DID URL of the key that the issuer says it signed with.
    ///
    /// # Errors
    /// [`CredentialError::KeyId`] when `kid` is missing or belongs to another DID.
    pub fn verification_method(&self) -> Result<String, CredentialError> {
        let key_id = self.key_id().ok_or(CredentialError::KeyId)?;
        absolute_key_id(self.issuer(), key_id).ok_or(CredentialError::KeyId)
    }

    /// Checks the issuer's signature with `key`, which the caller resolved as `issuer`'s, and the times.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Authentic<W3cCredential<M>>, CredentialError> {
        check_times(self.check_signature(key, issuer)?, now)
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the time.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn restore(self, key: &PublicKey, issuer: &str) -> Result<Held<W3cCredential<M>>, CredentialError> {
        self.check_signature(key, issuer)?.hold_issued()
    }

    fn check_signature(self, key: &PublicKey, issuer: &str) -> Result<Authentic<W3cCredential<M>>, CredentialError> {
        let Parsed { message, contents } = self.0;
        let key_id = message.key_id().map(str::to_owned);
        let kept = message.verify(key)?;
        contents.check_claims(kept, key, key_id, issuer)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        self.0.contents.fingerprint()
    }

    pub(super) fn presented(mut self) -> Self {
        self.0.contents.presented = true;
        self
    }
}

impl ParsedContents {
    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(keys::sha256(self.text.as_bytes()))
    }

    /// For what came with a signature that `key` has verified.
    pub(crate) fn check_claims<M: Mechanism>(
        self,
        kept: M::Kept,
        key: &PublicKey,
        key_id: Option<String>,
        issuer: &str,
    ) -> Result<Authentic<W3cCredential<M>>, CredentialError> {
        let fingerprint = self.fingerprint();
        let Self {
            text,
            document,
            claims,
            properties,
            holder,
            presented,
        } = self;
        let claims = claims.as_ref().unwrap_or(&document);
        for found in [Some(properties.issuer.as_str()), optional_string(claims, "iss")?]
            .into_iter()
            .flatten()
        {
            if found != issuer {
                return Err(CredentialError::WrongIssuer {
                    expected: issuer.to_owned(),
                    found: found.to_owned(),
                });
            }
        }
        let is_did = |subject: &String| subject.starts_with("did:");
        let facts = Facts {
            fingerprint,
            format: M::FORMAT,
            holder: holder.or_else(|| properties.subject.filter(is_did).map(HolderKey::Did)),
            // Nothing depends on iat, and W3C's own test suite writes it as text: then it tells us nothing.
            issued_at: numeric_date(claims, "iat").unwrap_or_default(),
            issuer: properties.issuer,
            key: key.clone(),
            key_id,
            status: properties.status,
            types: properties.types,
            type_integrity: None,
            unknown_status: properties.unknown_status,
            // The signature's period and the document's: both must hold.
            valid_from: properties.valid_from.max(numeric_date(claims, "nbf")?),
            valid_until: earlier(properties.valid_until, numeric_date(claims, "exp")?),
        };
        Ok(Authentic {
            facts,
            contents: W3cCredential {
                text,
                document,
                schemas: properties.schemas,
                related_resources: properties.related_resources,
                presented,
                kept,
            },
        })
    }
}

impl<M: Mechanism> Authentic<W3cCredential<M>> {
    /// `credentialSchema`: what the credential may be evaluated against.
    #[must_use]
    pub fn schemas(&self) -> &[CredentialSchema] {
        &self.contents.schemas
    }

    /// `relatedResource`: what must be checked before it is used.
    #[must_use]
    pub fn related_resources(&self) -> &[RelatedResource] {
        &self.contents.related_resources
    }

    /// The contexts that say what the types and terms mean, in order; `None` where one is written out in the document,
    /// so that no URL names it. A reader that goes by the terms compares this list with the one it expects.
    #[must_use]
    pub fn contexts(&self) -> Option<Vec<&str>> {
        context_urls(&self.contents.document).ok()
    }

    /// Keeps a credential as issued.
    ///
    /// # Errors
    /// [`CredentialError::Presented`] for a credential from a presentation, or with a Key Binding JWT.
    pub fn hold_issued(self) -> Result<Held<W3cCredential<M>>, CredentialError> {
        if self.contents.presented {
            return Err(CredentialError::Presented);
        }
        Ok(self.hold())
    }
}

pub(crate) fn check_times<M: Mechanism>(
    authentic: Authentic<W3cCredential<M>>,
    now: Timestamp,
) -> Result<Authentic<W3cCredential<M>>, CredentialError> {
    let facts = &authentic.facts;
    check_validity(facts.valid_from, facts.valid_until, now)?;
    if let Some(found) = facts
        .issued_at
        .filter(|issued_at| *issued_at > now.plus(MAX_CLOCK_SKEW))
    {
        return Err(CredentialError::IssuedInTheFuture { now, found });
    }
    Ok(authentic)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
