//! Presenting credentials, and checking who presents them, whatever the mechanism
//! ([algorithms](https://www.w3.org/TR/vc-jose-cose/#algorithms)).

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::cose::CoseError;
use keys::json;
use keys::jws::JwsError;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::CredentialError;
use super::EnvelopedCredential;
use super::Kind;
use super::MAX_CREDENTIALS;
use super::Mechanism;
use super::MessageError;
use super::Read;
use super::check_claims;
use super::check_envelopes;
use super::credential::cose_problem_type;
use super::credential::jws_problem_type;
use super::credential::sd_jwt_problem_type;
use crate::Held;
use crate::Transaction;
use crate::VcJwt;
use crate::evidence::Presenter;
use crate::key_id::absolute_key_id;
use crate::registered_claims::ClaimError;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::registered_claims::numeric_date;
use crate::registered_claims::optional_string;
use crate::registered_claims::required_string;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;
use crate::vc::BASE_CONTEXT;
use crate::vc::DataModelError;
use crate::vc::Envelope;
use crate::vc::PRESENTATION_TYPE;
use crate::vc::PresentationProperties;
use crate::vc::ProblemType;
use crate::vc_cose;
use crate::vc_jwt;
use crate::vc_sd_jwt;

/// A presentation to be signed by the holder.
#[derive(Clone, Debug)]
pub struct Presentation<'a> {
    /// The holder's DID: the subject of the credentials.
    pub holder: &'a str,
    /// Absolute DID URL of the holder's key.
    pub key_id: &'a str,
    /// `aud`: the verifier.
    pub audience: &'a str,
    /// `nonce` of the request.
    pub nonce: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
}

/// A presentation whose signature nobody has checked.
pub struct UnverifiedPresentation<M> {
    message: M,
    document: Map<String, Value>,
    claims: Option<Map<String, Value>>,
    holder: String,
    credentials: Vec<EnvelopedCredential>,
}

/// Who presented, and what came with it; the credentials themselves are still to be authenticated.
#[must_use]
pub struct PresentedCredentials {
    /// Evidence of the presenter, for [`crate::Authentic::verify_presenter`].
    pub presenter: Presenter,
    /// The credentials in order.
    pub credentials: Vec<EnvelopedCredential>,
}

/// Who signed a presentation. No evidence of a presenter: it may be an old one or another verifier's, so that no holder
/// binding can be made of it.
#[must_use]
pub struct SignedPresentation {
    /// The holder.
    pub holder: String,
    /// The credentials in order, still to be authenticated.
    pub credentials: Vec<EnvelopedCredential>,
}

/// The presenter's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresentationError {
    /// A claim is missing or of another type.
    #[error("a claim of the presentation is not read")]
    Claim(#[from] ClaimError),
    /// `cty` or `content type` says that something else is inside.
    #[error("expected the content type vp or none, found another")]
    ContentType,
    /// The COSE message: form, type, algorithm or signature.
    #[error("the COSE message is refused")]
    Cose(#[from] CoseError),
    /// A credential in it is not read.
    #[error("a credential of the presentation is refused")]
    Credential(#[source] CredentialError),
    /// The document does not follow the data model.
    #[error("the presentation document is refused")]
    DataModel(#[from] DataModelError),
    /// A COSE message as text is in base64 as of RFC 2397, with its padding.
    #[error("expected a COSE message in base64 with padding, found another encoding")]
    Encoding,
    /// Something that is not a secured credential in an envelope.
    #[error("expected credentials in envelopes of vc+jwt, vc+sd-jwt or vc+cose, found another form")]
    Envelope,
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the JWT is refused")]
    Jws(#[from] JwsError),
    /// A Key Binding JWT came with a `vp+sd-jwt`, which the holder signs itself.
    #[error("expected an SD-JWT without key binding, found one with it")]
    KeyBound,
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the holder, found another or none")]
    KeyId,
    /// Made before the window of acceptance, or in the future.
    #[error("expected a presentation made between {earliest} and {latest}, found {found}")]
    OutsideWindow {
        /// Start of the window.
        earliest: Timestamp,
        /// End of the window.
        latest: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The payload is not strict JSON.
    #[error("the payload of the presentation is not read")]
    Payload(#[source] json::JsonError),
    /// The SD-JWT mechanism: disclosures and digests.
    #[error("the SD-JWT is refused")]
    SdJwt(#[from] SdJwtError),
    /// Too many credentials.
    #[error("expected at most {MAX_CREDENTIALS} credentials, found {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// Its own `nbf` or `exp` says that it is not valid now.
    #[error("the presentation is not valid now")]
    Validity(#[from] ValidityError),
    /// Made for another verifier.
    #[error("expected aud {expected:?}, found another")]
    WrongAudience {
        /// Who we are.
        expected: String,
    },
    /// `holder` and `iss` are not the DID whose key is given.
    #[error("expected the holder {expected:?}, found another")]
    WrongHolder {
        /// Whose key it is.
        expected: String,
    },
    /// Made for another transaction.
    #[error("expected the nonce of this transaction, found another")]
    WrongNonce,
}

impl PresentationError {
    /// The `type` of a problem report
    /// ([problem details](https://www.w3.org/TR/vc-data-model-2.0/#problem-details)).
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Claim(_) | Self::ContentType | Self::Envelope | Self::KeyBound => ProblemType::MalformedValueError,
            Self::Cose(error) => cose_problem_type(error),
            Self::Credential(error) => error.problem_type(),
            Self::DataModel(error) => error.problem_type(),
            Self::Jws(error) => jws_problem_type(error),
            Self::OutsideWindow { .. } | Self::TooMany { .. } | Self::Validity(_) => ProblemType::RangeError,
            Self::Encoding | Self::Payload(_) => ProblemType::ParsingError,
            Self::SdJwt(error) => sd_jwt_problem_type(error),
            Self::KeyId | Self::WrongHolder { .. } => ProblemType::CryptographicSecurityError,
            Self::WrongAudience { .. } => ProblemType::InvalidDomainError,
            Self::WrongNonce => ProblemType::InvalidChallengeError,
        }
    }
}

impl From<MessageError> for PresentationError {
    fn from(error: MessageError) -> Self {
        match error {
            MessageError::Claim(error) => Self::Claim(error),
            MessageError::ContentType { .. } => Self::ContentType,
            MessageError::Cose(error) => Self::Cose(error),
            MessageError::Encoding => Self::Encoding,
            MessageError::Jws(error) => Self::Jws(error),
            MessageError::Payload(error) => Self::Payload(error),
            MessageError::SdJwt(error) => Self::SdJwt(error),
        }
    }
}

/// Whether a document can be issued: it follows the data model, and the credentials in it are in envelopes, which are not
/// opened.
pub(crate) fn check_presentation(document: &Map<String, Value>) -> Result<(), PresentationError> {
    check_claims(document)?;
    check_envelopes(&PresentationProperties::read(document)?.credentials)
}

impl Presentation<'_> {
    /// The `vp+jwt` with these credentials, once signed by the holder's key.
    pub fn sign(&self, credentials: &[&Held<VcJwt>], algorithm: Algorithm) -> SigningRequest<String> {
        self.sign_jwt(credentials.iter().map(|held| held.envelope()).collect(), algorithm)
    }

    /// The `vp+jwt` with these envelopes, of any mechanism, once signed by the holder's key.
    pub fn sign_jwt(&self, envelopes: Vec<Value>, algorithm: Algorithm) -> SigningRequest<String> {
        let document = self.with_claims(self.document(envelopes));
        vc_jwt::sign(&document, Kind::Presentation, self.key_id, algorithm)
    }

    /// The `vp+sd-jwt` with these envelopes, of any mechanism, once signed by the holder's key. The holder has chosen what
    /// to show already, so that nothing in it is selectively disclosable.
    pub fn sign_sd_jwt(&self, envelopes: Vec<Value>, algorithm: Algorithm) -> SigningRequest<String> {
        let document = self.with_claims(self.document(envelopes));
        let payload = json::to_text(&document);
        let request = vc_sd_jwt::sign(payload.as_bytes(), Kind::Presentation, self.key_id, algorithm);
        request.map(|jwt| SdJwt::join(&jwt, []))
    }

    /// The `vp+cose` with these envelopes, of any mechanism, once signed by the holder's key.
    pub fn sign_cose(&self, envelopes: Vec<Value>, algorithm: Algorithm) -> SigningRequest<Vec<u8>> {
        let claims = self.with_claims(Map::new());
        vc_cose::sign(
            &self.document(envelopes),
            &claims,
            Kind::Presentation,
            self.key_id,
            algorithm,
        )
    }

    fn document(&self, envelopes: Vec<Value>) -> Map<String, Value> {
        let mut document = Map::from_iter([
            ("@context".to_owned(), json!([BASE_CONTEXT])),
            ("type".to_owned(), json!([PRESENTATION_TYPE])),
            ("holder".to_owned(), json!(self.holder)),
        ]);
        // One or more, or no such member.
        if !envelopes.is_empty() {
            document.insert("verifiableCredential".to_owned(), Value::Array(envelopes));
        }
        document
    }

    fn with_claims(&self, mut members: Map<String, Value>) -> Map<String, Value> {
        members.insert("aud".to_owned(), json!(self.audience));
        members.insert("nonce".to_owned(), json!(self.nonce));
        members.insert("iat".to_owned(), json!(self.issued_at.unix()));
        members
    }
}

impl<M: Mechanism> UnverifiedPresentation<M> {
    /// Reads the form of a presentation and of the credentials in it. No signature is checked.
    ///
    /// # Errors
    /// [`PresentationError`], the presenter's fault.
    pub fn parse(text: &str) -> Result<Self, PresentationError> {
        let Read {
            message,
            document,
            claims,
            is_key_bound,
            ..
        } = M::read(text, Kind::Presentation)?;
        if is_key_bound {
            return Err(PresentationError::KeyBound);
        }
        let of_signature = claims.as_ref().unwrap_or(&document);
        check_claims(of_signature)?;
        let properties = PresentationProperties::read(&document)?;
        let found = properties.credentials.len();
        if found > MAX_CREDENTIALS {
            return Err(PresentationError::TooMany { found });
        }
        let credentials = properties
            .credentials
            .iter()
            .map(|object| open(object))
            .collect::<Result<_, _>>()?;
        let iss = optional_string(of_signature, "iss")?;
        let holder = read_holder(properties.holder, iss, message.key_id())?;
        Ok(Self {
            message,
            document,
            claims,
            holder,
            credentials,
        })
    }

    /// The holder's DID: a hint for finding the key.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The absolute DID URL of the key that the holder says it signed with.
    ///
    /// # Errors
    /// [`PresentationError::KeyId`] when `kid` is missing or belongs to another DID.
    pub fn verification_method(&self) -> Result<String, PresentationError> {
        let key_id = self.message.key_id().ok_or(PresentationError::KeyId)?;
        absolute_key_id(&self.holder, key_id).ok_or(PresentationError::KeyId)
    }

    /// Checks the holder's signature with `key`, which the caller resolved as `holder`'s, and that it was made
    /// for us in this transaction.
    ///
    /// # Errors
    /// [`PresentationError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        holder: &str,
        transaction: &Transaction<'_>,
    ) -> Result<PresentedCredentials, PresentationError> {
        let (claims, signed) = self.check_signature(key, holder)?;
        check_transaction(&claims, transaction)?;
        let presented = signed.credentials.iter().map(EnvelopedCredential::fingerprint);
        Ok(PresentedCredentials {
            presenter: Presenter {
                holder: signed.holder,
                key: key.clone(),
                presented: presented.collect(),
            },
            credentials: signed.credentials,
        })
    }

    /// Checks the holder's signature with `key`, which the caller resolved as `holder`'s, and the times; not for whom
    /// and in which transaction it was made.
    ///
    /// # Errors
    /// [`PresentationError`].
    pub fn check_signed(
        self,
        key: &PublicKey,
        holder: &str,
        now: Timestamp,
    ) -> Result<SignedPresentation, PresentationError> {
        let (claims, signed) = self.check_signature(key, holder)?;
        check_validity(numeric_date(&claims, "nbf")?, numeric_date(&claims, "exp")?, now)?;
        Ok(signed)
    }

    /// The claims of the signature, and who made it.
    fn check_signature(
        self,
        key: &PublicKey,
        holder: &str,
    ) -> Result<(Map<String, Value>, SignedPresentation), PresentationError> {
        // The document was read from these very bytes.
        let _kept = self.message.verify(key)?;
        if self.holder != holder {
            return Err(PresentationError::WrongHolder {
                expected: holder.to_owned(),
            });
        }
        let signed = SignedPresentation {
            holder: self.holder,
            credentials: self.credentials,
        };
        Ok((self.claims.unwrap_or(self.document), signed))
    }
}

impl std::fmt::Debug for SignedPresentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedPresentation")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl<M> std::fmt::Debug for UnverifiedPresentation<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedPresentation")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PresentedCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedCredentials")
            .field("presenter", &self.presenter)
            .finish_non_exhaustive()
    }
}

/// "Credentials in verifiable presentations MUST be secured."
fn open(object: &Map<String, Value>) -> Result<EnvelopedCredential, PresentationError> {
    let envelope = Envelope::of_credential(object).map_err(|_| PresentationError::Envelope)?;
    let credential = EnvelopedCredential::open(envelope).map_err(PresentationError::Credential)?;
    credential
        .map(EnvelopedCredential::presented)
        .ok_or(PresentationError::Envelope)
}

/// `holder`, `iss` and the DID in `kid` name the same holder; at least one of them must be there.
fn read_holder(holder: Option<&str>, iss: Option<&str>, key_id: Option<&str>) -> Result<String, PresentationError> {
    let of_key = key_id
        .and_then(|key_id| key_id.split_once('#'))
        .map(|(did, _)| did)
        .filter(|did| !did.is_empty());
    let found = holder.or(iss).or(of_key).ok_or(PresentationError::KeyId)?;
    if iss.is_some_and(|iss| iss != found) {
        return Err(PresentationError::WrongHolder {
            expected: found.to_owned(),
        });
    }
    Ok(found.to_owned())
}

fn check_transaction(claims: &Map<String, Value>, transaction: &Transaction<'_>) -> Result<(), PresentationError> {
    let now = transaction.now;
    // iat is optional: the nonce shows that it is fresh.
    if let Some(found) = numeric_date(claims, "iat")? {
        let (earliest, latest) = (now.minus(transaction.max_age), now.plus(MAX_CLOCK_SKEW));
        if found < earliest || found > latest {
            return Err(PresentationError::OutsideWindow {
                earliest,
                latest,
                found,
            });
        }
    }
    check_validity(numeric_date(claims, "nbf")?, numeric_date(claims, "exp")?, now)?;
    if required_string(claims, "aud")? != transaction.audience {
        return Err(PresentationError::WrongAudience {
            expected: transaction.audience.to_owned(),
        });
    }
    if required_string(claims, "nonce")? != transaction.nonce {
        return Err(PresentationError::WrongNonce);
    }
    Ok(())
}
