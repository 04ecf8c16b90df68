//! `vp+jwt`: presenting credentials, and checking who presents them
//! ([securing presentations with JOSE](https://www.w3.org/TR/vc-jose-cose/#securing-vps-with-jose)).

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use thiserror::Error;

use super::MAX_CREDENTIALS;
use super::MAX_PRESENTATION_BYTES;
use super::PRESENTATION_TYP;
use super::VcJwt;
use super::VcJwtError;
use super::credential::check_claims;
use super::credential::check_content_type;
use super::credential::jws_problem_type;
use crate::Held;
use crate::Transaction;
use crate::Unverified;
use crate::evidence::Fingerprint;
use crate::evidence::Presenter;
use crate::key_id::absolute_key_id;
use crate::registered_claims::ClaimError;
use crate::registered_claims::MAX_CLOCK_SKEW;
use crate::registered_claims::ValidityError;
use crate::registered_claims::check_validity;
use crate::registered_claims::numeric_date;
use crate::registered_claims::optional_string;
use crate::registered_claims::required_string;
use crate::vc::BASE_CONTEXT;
use crate::vc::DataModelError;
use crate::vc::ENVELOPED_CREDENTIAL;
use crate::vc::Envelope;
use crate::vc::PRESENTATION_TYPE;
use crate::vc::PresentationProperties;
use crate::vc::ProblemType;

/// The media type of what is in an envelope.
const ENVELOPE: &str = "application/vc+jwt";

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

/// A `vp+jwt` whose signature nobody has checked.
pub struct UnverifiedPresentation {
    jws: UnverifiedJws,
    document: Map<String, Value>,
    holder: String,
    credentials: Vec<Unverified<VcJwt>>,
}

/// Who presented, and what came with it; the credentials themselves are still to be authenticated.
#[must_use]
pub struct PresentedVcJwts {
    /// Evidence of the presenter, for [`crate::Authentic::verify_presenter`].
    pub presenter: Presenter,
    /// The credentials in order.
    pub credentials: Vec<Unverified<VcJwt>>,
}

/// Who signed a presentation. No evidence of a presenter: it may be an old one or another verifier's, so that no holder
/// binding can be made of it.
#[must_use]
pub struct SignedVpJwt {
    /// The holder.
    pub holder: String,
    /// The credentials in order, still to be authenticated.
    pub credentials: Vec<Unverified<VcJwt>>,
}

/// The presenter's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum VpJwtError {
    /// A claim is missing or of another type.
    #[error("a claim of the vp+jwt is not read")]
    Claim(#[from] ClaimError),
    /// `cty` says that something else is inside.
    #[error("expected cty vp or none, found another")]
    ContentType,
    /// A credential in it is not read.
    #[error("a credential of the presentation is refused")]
    Credential(#[source] VcJwtError),
    /// The document does not follow the data model.
    #[error("the presentation document is refused")]
    DataModel(#[from] DataModelError),
    /// Something that is not a secured credential in an envelope.
    #[error("expected enveloped credentials as data:{ENVELOPE},..., found another form")]
    Envelope,
    /// The JWT itself: form, type, algorithm or signature.
    #[error("the vp+jwt is refused")]
    Jws(#[from] JwsError),
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the holder, found another or none")]
    KeyId,
    /// Made before the window of acceptance, or in the future.
    #[error("expected a vp+jwt made between {earliest} and {latest}, found {found}")]
    OutsideWindow {
        /// Start of the window.
        earliest: Timestamp,
        /// End of the window.
        latest: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The payload is not strict JSON.
    #[error("the payload of the vp+jwt is not read")]
    Payload(#[source] json::JsonError),
    /// Too many credentials.
    #[error("expected at most {MAX_CREDENTIALS} credentials, found {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
    /// Its own `nbf` or `exp` says that it is not valid now.
    #[error("the vp+jwt is not valid now")]
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

impl VpJwtError {
    /// The `type` of a problem report
    /// ([problem details](https://www.w3.org/TR/vc-data-model-2.0/#problem-details)).
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Claim(_) | Self::ContentType | Self::Envelope => ProblemType::MalformedValueError,
            Self::Credential(error) => error.problem_type(),
            Self::DataModel(error) => error.problem_type(),
            Self::Jws(error) => jws_problem_type(error),
            Self::OutsideWindow { .. } | Self::TooMany { .. } | Self::Validity(_) => ProblemType::RangeError,
            Self::Payload(_) => ProblemType::ParsingError,
            Self::KeyId | Self::WrongHolder { .. } => ProblemType::CryptographicSecurityError,
            Self::WrongAudience { .. } => ProblemType::InvalidDomainError,
            Self::WrongNonce => ProblemType::InvalidChallengeError,
        }
    }
}

/// The `vp+jwt` of a presentation document, once signed by the key with the DID URL `key_id`: for documents that come
/// from elsewhere. The credentials in it are enveloped, and are not opened.
///
/// # Errors
/// [`VpJwtError::DataModel`], [`VpJwtError::Claim`] and [`VpJwtError::Envelope`], the caller's fault.
pub fn issue_presentation(
    document: &Map<String, Value>,
    key_id: &str,
    algorithm: Algorithm,
) -> Result<SigningRequest<String>, VpJwtError> {
    check_claims(document)?;
    for object in PresentationProperties::read(document)?.credentials {
        read_envelope(object)?;
    }
    Ok(sign(&Value::Object(document.clone()), key_id, algorithm))
}

fn sign(document: &Value, key_id: &str, algorithm: Algorithm) -> SigningRequest<String> {
    let header = [("cty", "vp"), ("kid", key_id), ("typ", PRESENTATION_TYP)];
    let header = header
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    jws::sign(header, document.to_string().as_bytes(), algorithm)
}

impl Presentation<'_> {
    /// The `vp+jwt` with these credentials, once signed by the holder's key.
    pub fn sign(&self, credentials: &[&Held<VcJwt>], algorithm: Algorithm) -> SigningRequest<String> {
        let envelope = |held: &&Held<VcJwt>| {
            json!({
                "@context": BASE_CONTEXT,
                "type": ENVELOPED_CREDENTIAL,
                "id": format!("data:{ENVELOPE},{}", held.as_str()),
            })
        };
        let mut document = json!({
            "@context": [BASE_CONTEXT],
            "type": [PRESENTATION_TYPE],
            "holder": self.holder,
            "aud": self.audience,
            "nonce": self.nonce,
            "iat": self.issued_at.unix(),
        });
        // One or more, or no such member.
        if let (false, Value::Object(members)) = (credentials.is_empty(), &mut document) {
            members.insert(
                "verifiableCredential".to_owned(),
                credentials.iter().map(envelope).collect(),
            );
        }
        sign(&document, self.key_id, algorithm)
    }
}

impl UnverifiedPresentation {
    /// Reads the form of a `vp+jwt` and of the credentials in it. No signature is checked.
    ///
    /// # Errors
    /// [`VpJwtError`], the presenter's fault.
    pub fn parse(text: &str) -> Result<Self, VpJwtError> {
        let jws = UnverifiedJws::parse(text, MAX_PRESENTATION_BYTES)?;
        jws.header().expect_typ(PRESENTATION_TYP)?;
        check_content_type(jws.header(), "vp").map_err(|_| VpJwtError::ContentType)?;
        let limits = json::Limits {
            max_bytes: MAX_PRESENTATION_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let document = json::parse_object(jws.unverified_payload(), limits).map_err(VpJwtError::Payload)?;
        check_claims(&document)?;
        let properties = PresentationProperties::read(&document)?;
        let found = properties.credentials.len();
        if found > MAX_CREDENTIALS {
            return Err(VpJwtError::TooMany { found });
        }
        let credentials = properties
            .credentials
            .iter()
            .map(|object| open_envelope(object))
            .collect::<Result<_, _>>()?;
        let holder = read_holder(
            properties.holder,
            optional_string(&document, "iss")?,
            jws.header().kid(),
        )?;
        Ok(Self {
            jws,
            document,
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
    /// [`VpJwtError::KeyId`] when `kid` is missing or belongs to another DID.
    pub fn verification_method(&self) -> Result<String, VpJwtError> {
        let key_id = self.jws.header().kid().ok_or(VpJwtError::KeyId)?;
        absolute_key_id(&self.holder, key_id).ok_or(VpJwtError::KeyId)
    }

    /// Checks the holder's signature with `key`, which the caller resolved as `holder`'s, and that it was made
    /// for us in this transaction.
    ///
    /// # Errors
    /// [`VpJwtError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        holder: &str,
        transaction: &Transaction<'_>,
    ) -> Result<PresentedVcJwts, VpJwtError> {
        let Self {
            jws,
            document,
            holder: found,
            credentials,
        } = self;
        // The document was parsed from these very bytes.
        let _verified = jws.verify(key)?;
        if found != holder {
            return Err(VpJwtError::WrongHolder {
                expected: holder.to_owned(),
            });
        }
        check_transaction(&document, transaction)?;
        let fingerprint =
            |credential: &Unverified<VcJwt>| Fingerprint(keys::sha256(credential.0.contents.text.as_bytes()));
        let presented = credentials.iter().map(fingerprint).collect();
        Ok(PresentedVcJwts {
            presenter: Presenter {
                holder: found,
                presented,
            },
            credentials,
        })
    }
}

impl UnverifiedPresentation {
    /// Checks the holder's signature with `key`, which the caller resolved as `holder`'s, and the times; not for whom
    /// and in which transaction it was made.
    ///
    /// # Errors
    /// [`VpJwtError`].
    pub fn check_signed(self, key: &PublicKey, holder: &str, now: Timestamp) -> Result<SignedVpJwt, VpJwtError> {
        let _verified = self.jws.verify(key)?;
        if self.holder != holder {
            return Err(VpJwtError::WrongHolder {
                expected: holder.to_owned(),
            });
        }
        let time = |name| numeric_date(&self.document, name);
        check_validity(time("nbf")?, time("exp")?, now)?;
        Ok(SignedVpJwt {
            holder: self.holder,
            credentials: self.credentials,
        })
    }
}

impl std::fmt::Debug for SignedVpJwt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedVpJwt")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UnverifiedPresentation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnverifiedPresentation")
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PresentedVcJwts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedVcJwts")
            .field("presenter", &self.presenter)
            .finish_non_exhaustive()
    }
}

/// "Credentials in verifiable presentations MUST be secured", and here they are as `vc+jwt`.
fn read_envelope(object: &Map<String, Value>) -> Result<&str, VpJwtError> {
    let envelope = Envelope::of_credential(object).map_err(|_| VpJwtError::Envelope)?;
    if envelope.media_type() == ENVELOPE {
        Ok(envelope.data())
    } else {
        Err(VpJwtError::Envelope)
    }
}

fn open_envelope(object: &Map<String, Value>) -> Result<Unverified<VcJwt>, VpJwtError> {
    let jwt = read_envelope(object)?;
    let mut credential = Unverified::<VcJwt>::parse(jwt).map_err(VpJwtError::Credential)?;
    credential.0.contents.presented = true;
    Ok(credential)
}

/// `holder`, `iss` and the DID in `kid` name the same holder; at least one of them must be there.
fn read_holder(holder: Option<&str>, iss: Option<&str>, key_id: Option<&str>) -> Result<String, VpJwtError> {
    let of_key = key_id
        .and_then(|key_id| key_id.split_once('#'))
        .map(|(did, _)| did)
        .filter(|did| !did.is_empty());
    let found = holder.or(iss).or(of_key).ok_or(VpJwtError::KeyId)?;
    if iss.is_some_and(|iss| iss != found) {
        return Err(VpJwtError::WrongHolder {
            expected: found.to_owned(),
        });
    }
    Ok(found.to_owned())
}

fn check_transaction(claims: &Map<String, Value>, transaction: &Transaction<'_>) -> Result<(), VpJwtError> {
    let now = transaction.now;
    // iat is optional in a vp+jwt: the nonce shows that it is fresh.
    if let Some(found) = numeric_date(claims, "iat")? {
        let (earliest, latest) = (now.minus(transaction.max_age), now.plus(MAX_CLOCK_SKEW));
        if found < earliest || found > latest {
            return Err(VpJwtError::OutsideWindow {
                earliest,
                latest,
                found,
            });
        }
    }
    check_validity(numeric_date(claims, "nbf")?, numeric_date(claims, "exp")?, now)?;
    if required_string(claims, "aud")? != transaction.audience {
        return Err(VpJwtError::WrongAudience {
            expected: transaction.audience.to_owned(),
        });
    }
    if required_string(claims, "nonce")? != transaction.nonce {
        return Err(VpJwtError::WrongNonce);
    }
    Ok(())
}
