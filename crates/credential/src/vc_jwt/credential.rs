//! `vc+jwt`: issuing and authenticating
//! ([securing credentials with JOSE](https://www.w3.org/TR/vc-jose-cose/#securing-with-jose)).

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::json::Json;
use keys::jws;
use keys::jws::Header;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use keys::jws::VerifiedJws;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::CREDENTIAL_TYP;
use super::MAX_CREDENTIAL_BYTES;
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
use crate::vc::CredentialProperties;
use crate::vc::CredentialSchema;
use crate::vc::DataModelError;
use crate::vc::ProblemType;
use crate::vc::RelatedResource;

/// A credential secured as `vc+jwt`.
pub struct VcJwt {
    text: String,
    document: Map<String, Value>,
    schemas: Vec<CredentialSchema>,
    related_resources: Vec<RelatedResource>,
    presented: bool,
}

/// A `vc+jwt` before its signature is checked.
pub struct Parsed {
    jws: UnverifiedJws,
    pub(super) contents: ParsedContents,
}

/// What was read of it.
pub(super) struct ParsedContents {
    pub(super) text: String,
    document: Map<String, Value>,
    properties: CredentialProperties,
    /// Whether it came inside of a presentation.
    pub(super) presented: bool,
}

/// The issuer's fault, or that of whoever changed the credential.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VcJwtError {
    /// A registered claim is of another type, or `vc` or `vp` is there.
    #[error("a claim of the vc+jwt is not read")]
    Claim(#[from] ClaimError),
    /// `cty` says that something else is inside.
    #[error("expected cty {expected} or none, found another")]
    ContentType {
        /// What belongs there.
        expected: &'static str,
    },
    /// The document does not follow the data model.
    #[error("the credential document is refused")]
    DataModel(#[from] DataModelError),
    /// Issued in the future.
    #[error("expected a vc+jwt issued before {now}, found {found}")]
    IssuedInTheFuture {
        /// The time of checking.
        now: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the vc+jwt is refused")]
    Jws(#[from] JwsError),
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the issuer, found another or none")]
    KeyId,
    /// The payload is not strict JSON.
    #[error("the payload of the vc+jwt is not read")]
    Payload(#[source] json::JsonError),
    /// A presented credential was to be kept.
    #[error("expected a credential as issued, found one from a presentation")]
    Presented,
    /// Expired or not valid yet.
    #[error("the vc+jwt is not valid now")]
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

impl VcJwtError {
    /// The `type` of a problem report
    /// ([problem details](https://www.w3.org/TR/vc-data-model-2.0/#problem-details)).
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Claim(_) | Self::ContentType { .. } => ProblemType::MalformedValueError,
            Self::DataModel(error) => error.problem_type(),
            Self::IssuedInTheFuture { .. } | Self::Validity(_) => ProblemType::RangeError,
            Self::Jws(error) => jws_problem_type(error),
            Self::Payload(_) => ProblemType::ParsingError,
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

/// The `vc+jwt` of a credential document, once signed by the key with the DID URL `key_id`.
///
/// `iat`, `exp` and other JWT claims may stand in the document.
///
/// # Errors
/// [`VcJwtError::DataModel`] and [`VcJwtError::Claim`], the caller's fault.
pub fn issue(
    document: Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<String>, VcJwtError> {
    check_claims(&document)?;
    CredentialProperties::read(&document)?;
    let header = [("cty", "vc"), ("kid", key_id), ("typ", CREDENTIAL_TYP)];
    let header = header
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    Ok(jws::sign(
        header,
        Value::Object(document).to_string().as_bytes(),
        algorithm,
    ))
}

impl Credential for VcJwt {
    type Parsed = Parsed;
    const FORMAT: CredentialFormat = CredentialFormat::JwtVcJson;
}

impl Contents for VcJwt {
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

impl Unverified<VcJwt> {
    /// Reads the form of a `vc+jwt` and of the document in it. No signature is checked.
    ///
    /// # Errors
    /// [`VcJwtError`], the sender's fault.
    pub fn parse(text: &str) -> Result<Self, VcJwtError> {
        let jws = UnverifiedJws::parse(text, MAX_CREDENTIAL_BYTES)?;
        jws.header().expect_typ(CREDENTIAL_TYP)?;
        check_content_type(jws.header(), "vc")?;
        let payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS);
        let document = payload.map_err(VcJwtError::Payload)?;
        check_claims(&document)?;
        let properties = CredentialProperties::read(&document)?;
        Ok(Self(Parsed {
            jws,
            contents: ParsedContents {
                text: text.to_owned(),
                document,
                properties,
                presented: false,
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
        self.0.jws.header().kid()
    }

    /// The absolute DID URL of the key that the issuer says it signed with.
    ///
    /// # Errors
    /// [`VcJwtError::KeyId`] when `kid` is missing or belongs to another DID.
    pub fn verification_method(&self) -> Result<String, VcJwtError> {
        let key_id = self.key_id().ok_or(VcJwtError::KeyId)?;
        absolute_key_id(self.issuer(), key_id).ok_or(VcJwtError::KeyId)
    }

    /// Checks the issuer's signature with `key`, which the caller resolved as `issuer`'s, and the times.
    ///
    /// # Errors
    /// [`VcJwtError`].
    pub fn authenticate(self, key: &PublicKey, issuer: &str, now: Timestamp) -> Result<Authentic<VcJwt>, VcJwtError> {
        check_times(self.check_signature(key, issuer)?, now)
    }

    /// [`Self::authenticate`] for many credentials of one issuer, with the same verdicts in the same order. Several
    /// hundred signed with Ed25519 take less time together ([`PublicKey::verify_all`]).
    ///
    /// `rng` must not be foreseeable for the issuer.
    pub fn authenticate_all(
        credentials: Vec<Self>,
        key: &PublicKey,
        issuer: &str,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Vec<Result<Authentic<VcJwt>, VcJwtError>> {
        let (signed, contents): (Vec<_>, Vec<_>) = credentials.into_iter().map(Self::split).unzip();
        let verified = jws::verify_all(signed, key, rng).into_iter().zip(contents);
        verified
            .map(|(verified, contents)| check_times(contents.check_claims(&verified?, key, issuer)?, now))
            .collect()
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the time.
    ///
    /// # Errors
    /// [`VcJwtError`].
    pub fn restore(self, key: &PublicKey, issuer: &str) -> Result<Held<VcJwt>, VcJwtError> {
        self.check_signature(key, issuer)?.hold_issued()
    }

    fn check_signature(self, key: &PublicKey, issuer: &str) -> Result<Authentic<VcJwt>, VcJwtError> {
        let (jws, contents) = self.split();
        contents.check_claims(&jws.verify(key)?, key, issuer)
    }

    fn split(self) -> (UnverifiedJws, ParsedContents) {
        (self.0.jws, self.0.contents)
    }
}

impl ParsedContents {
    /// `verified` is the JWT that these contents were parsed from.
    fn check_claims(
        self,
        verified: &VerifiedJws,
        key: &PublicKey,
        issuer: &str,
    ) -> Result<Authentic<VcJwt>, VcJwtError> {
        let Self {
            text,
            document,
            properties,
            presented,
        } = self;
        for found in [Some(properties.issuer.as_str()), optional_string(&document, "iss")?]
            .into_iter()
            .flatten()
        {
            if found != issuer {
                return Err(VcJwtError::WrongIssuer {
                    expected: issuer.to_owned(),
                    found: found.to_owned(),
                });
            }
        }
        let is_did = |subject: &String| subject.starts_with("did:");
        let facts = Facts {
            fingerprint: Fingerprint(keys::sha256(text.as_bytes())),
            format: CredentialFormat::JwtVcJson,
            holder: properties.subject.filter(is_did).map(HolderKey::Did),
            // Nothing depends on iat, and W3C's own test suite writes it as text: then it tells us nothing.
            issued_at: numeric_date(&document, "iat").unwrap_or_default(),
            issuer: properties.issuer,
            key: key.clone(),
            key_id: verified.header().kid().map(str::to_owned),
            status: properties.status,
            types: properties.types,
            type_integrity: None,
            unknown_status: properties.unknown_status,
            // The signature's period and the document's: both must hold.
            valid_from: properties.valid_from.max(numeric_date(&document, "nbf")?),
            valid_until: earlier(properties.valid_until, numeric_date(&document, "exp")?),
        };
        Ok(Authentic {
            facts,
            contents: VcJwt {
                text,
                document,
                schemas: properties.schemas,
                related_resources: properties.related_resources,
                presented,
            },
        })
    }
}

impl Authentic<VcJwt> {
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
    /// [`VcJwtError::Presented`] for a credential from a presentation.
    pub fn hold_issued(self) -> Result<Held<VcJwt>, VcJwtError> {
        if self.contents.presented {
            return Err(VcJwtError::Presented);
        }
        Ok(self.hold())
    }
}

/// "The JWT Claim Names `vc` and `vp` MUST NOT be present."
pub(super) fn check_claims(claims: &Map<String, Value>) -> Result<(), ClaimError> {
    match ["vc", "vp"].into_iter().find(|name| claims.contains_key(*name)) {
        Some(name) => Err(ClaimError::malformed(name, "absent")),
        None => Ok(()),
    }
}

pub(super) fn check_content_type(header: &Header, expected: &'static str) -> Result<(), VcJwtError> {
    let Some(found) = header.member("cty").and_then(Json::as_str) else {
        return Ok(());
    };
    let bare = found.strip_prefix("application/").unwrap_or(found);
    if bare == expected {
        Ok(())
    } else {
        Err(VcJwtError::ContentType { expected })
    }
}

fn check_times(authentic: Authentic<VcJwt>, now: Timestamp) -> Result<Authentic<VcJwt>, VcJwtError> {
    let facts = &authentic.facts;
    check_validity(facts.valid_from, facts.valid_until, now)?;
    if let Some(found) = facts
        .issued_at
        .filter(|issued_at| *issued_at > now.plus(MAX_CLOCK_SKEW))
    {
        return Err(VcJwtError::IssuedInTheFuture { now, found });
    }
    Ok(authentic)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}
