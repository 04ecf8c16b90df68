//! SD-JWT based verifiable credentials, `dc+sd-jwt`
//! ([draft-ietf-oauth-sd-jwt-vc](https://datatracker.ietf.org/doc/draft-ietf-oauth-sd-jwt-vc/); which draft, `spec/coverage.md` says).
//!
//! Who the issuer is: the draft leaves key discovery to profiles. In ours `iss` is the issuer's DID, and the
//! JOSE header `kid` names one of its verification methods, as an absolute DID URL
//! (`did:webvh:...#key-1`), as a relative one (`#key-1`), or as the bare fragment (`key-1`).
//! [`Unverified::verification_method`] gives the absolute form. A `kid` of another DID than `iss` is refused.
//!
//! An issuer whose `iss` is an HTTPS URL has its keys in [`issuer_metadata`]; for such a one the caller chooses the key
//! there by [`Unverified::key_id`] and [`Unverified::algorithm`].
//!
//! An issuer whose key comes with certificates, `x5c`, is authenticated by their path to a trust anchor
//! ([`Unverified::authenticate_path`]). Which of the ways is an issuer's, is the caller's choice and depends on `iss`
//! alone, never on what else is in the header.

mod certified;
mod issue;
pub mod issuer_metadata;
mod present;
pub mod type_metadata;

pub use issue::NewCredential;
pub use present::PresentError;
pub use present::Presentation;

use std::sync::OnceLock;

use keys::Algorithm;
use keys::Jwk;
use keys::PublicKey;
use keys::Timestamp;
use keys::json;
use keys::json::Json;
use keys::json::Tree;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use keys::x509::X509Error;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Authentic;
use crate::CredentialFormat;
use crate::Facts;
use crate::Held;
use crate::HolderBinding;
use crate::HolderKey;
use crate::Transaction;
use crate::Unverified;
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
use crate::registered_claims::required_string;
use crate::sd_jwt;
use crate::sd_jwt::HashAlgorithm;
use crate::sd_jwt::KeyBindingError;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;
use crate::status_list::StatusReference;
use crate::status_list::StatusReferenceError;

/// The `typ` of the Issuer-signed JWT.
pub const TYPE: &str = "dc+sd-jwt";

/// Claims that must stand in the signed part, with everything inside them
/// ([registered JWT claims](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-registered-jwt-claims)).
pub const NEVER_DISCLOSABLE: [&str; 8] = ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"];

/// An SD-JWT VC, with its Key Binding JWT if it was presented with one.
pub struct SdJwtVc {
    sd_jwt: SdJwt,
    claims: Tree,
    /// The same claims as others want them. A verifier that refuses never asks.
    map: OnceLock<Map<String, Value>>,
    hash: HashAlgorithm,
}

/// An SD-JWT VC before its signature is checked.
pub struct Parsed {
    sd_jwt: SdJwt,
    issuer_signed: UnverifiedJws,
    payload: Tree,
}

/// The issuer's fault, or that of whoever changed the credential.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SdJwtVcError {
    /// The certificates do not hold any more.
    #[error("the path of the issuer's certificates does not hold")]
    Certificate(#[from] X509Error),
    /// A registered claim is missing or of another type.
    #[error("a claim of the SD-JWT VC is not read")]
    Claim(#[from] ClaimError),
    /// Issued in the future.
    #[error("expected an SD-JWT VC issued before {now}, found {found}")]
    IssuedInTheFuture {
        /// The time of checking.
        now: Timestamp,
        /// Its `iat`.
        found: Timestamp,
    },
    /// The issuer-signed JWT: form, type, algorithm or signature.
    #[error("the Issuer-signed JWT is refused")]
    Jws(#[from] JwsError),
    /// `kid` names another DID's key, or none.
    #[error("expected a kid of the issuer, found another or none")]
    KeyId,
    /// A DID's key is named beside certificates, which say nothing about DIDs.
    #[error("expected no kid of a DID beside x5c, found one")]
    KeyIdBesideCertificates,
    /// A Key Binding JWT came with a credential that was to be issued.
    #[error("expected an SD-JWT without key binding, found one with it")]
    KeyBound,
    /// The SD-JWT mechanism: disclosures and digests.
    #[error("the SD-JWT is refused")]
    SdJwt(#[from] SdJwtError),
    /// `status` is malformed.
    #[error("the status claim is not read")]
    Status(#[from] StatusReferenceError),
    /// Expired or not valid yet.
    #[error("the SD-JWT VC is not valid now")]
    Validity(#[from] ValidityError),
    /// The certificate does not vouch for `iss`, or `iss` is a DID, for which no certificate can.
    #[error("expected an iss among the URIs of the signer's certificate, or none, found {found:?}")]
    UncertifiedIssuer {
        /// The credential's `iss`.
        found: String,
    },
    /// `iss` is not the issuer whose key is given.
    #[error("expected iss {expected:?}, found {found:?}")]
    WrongIssuer {
        /// Whose key it is.
        expected: String,
        /// The credential's `iss`.
        found: String,
    },
    /// The path is not that of the credential's own `x5c`, or was checked for another purpose.
    #[error("expected the path of the certificates in x5c to the issuer of an SD-JWT VC, found another")]
    WrongPath,
}

impl Credential for SdJwtVc {
    type Parsed = Parsed;
    const FORMAT: CredentialFormat = CredentialFormat::DcSdJwt;
}

impl Contents for SdJwtVc {
    fn claims(&self) -> &Map<String, Value> {
        self.map.get_or_init(|| self.claims.root().to_map().unwrap_or_default())
    }

    fn into_claims(self) -> Map<String, Value> {
        let Self { claims, map, .. } = self;
        map.into_inner().or_else(|| claims.root().to_map()).unwrap_or_default()
    }

    fn text(&self) -> &str {
        self.sd_jwt.without_key_binding()
    }
}

impl Unverified<SdJwtVc> {
    /// Reads the form of an SD-JWT VC or of its presentation. No signature is checked and no disclosure read.
    ///
    /// # Errors
    /// [`SdJwtVcError`], the sender's fault.
    pub fn parse(text: &str) -> Result<Self, SdJwtVcError> {
        Self::read(SdJwt::parse(text)?)
    }

    /// As [`Self::parse`], of the JWS JSON Serialization, flattened or general. Which of the two forms a sender uses is
    /// agreed with it; they are not told apart by trying.
    ///
    /// # Errors
    /// [`SdJwtVcError`], the sender's fault.
    pub fn parse_json(text: &str) -> Result<Self, SdJwtVcError> {
        Self::read(SdJwt::parse_json(text)?)
    }

    fn read(sd_jwt: SdJwt) -> Result<Self, SdJwtVcError> {
        let issuer_signed = UnverifiedJws::parse(sd_jwt.jwt(), sd_jwt::MAX_BYTES)?;
        issuer_signed.header().expect_typ(TYPE)?;
        let payload = Tree::parse_object(issuer_signed.unverified_payload(), json::DEFAULT_LIMITS)
            .map_err(SdJwtError::Payload)?;
        Ok(Self(Parsed {
            sd_jwt,
            issuer_signed,
            payload,
        }))
    }

    /// `iss`: a hint for finding the key.
    ///
    /// # Errors
    /// [`SdJwtVcError::Claim`] when there is none.
    pub fn issuer(&self) -> Result<&str, SdJwtVcError> {
        Ok(required_string(self.0.payload.root(), "iss")?)
    }

    /// `iss`, which the draft leaves out where certificates tell the issuer: a hint for choosing the way to the key.
    ///
    /// # Errors
    /// [`SdJwtVcError::Claim`] when it is there and no text.
    pub fn stated_issuer(&self) -> Result<Option<&str>, SdJwtVcError> {
        Ok(optional_string(self.0.payload.root(), "iss")?)
    }

    /// `vct`: a hint, for choosing what to do with what was received.
    ///
    /// # Errors
    /// [`SdJwtVcError::Claim`] when there is none.
    pub fn type_hint(&self) -> Result<&str, SdJwtVcError> {
        Ok(required_string(self.0.payload.root(), "vct")?)
    }

    /// `alg`: what the key must be able to do.
    pub fn algorithm(&self) -> Algorithm {
        self.0.issuer_signed.header().algorithm()
    }

    /// `kid` as written.
    pub fn key_id(&self) -> Option<&str> {
        self.0.issuer_signed.header().kid()
    }

    /// `x5c`: the certificates that the issuer sent, a hint until their path to a trust anchor is checked
    /// ([`keys::jws::Header::certificates`]).
    ///
    /// # Errors
    /// [`SdJwtVcError::Jws`] when they are not read.
    pub fn certificates(&self) -> Result<Option<Vec<Vec<u8>>>, SdJwtVcError> {
        Ok(self.0.issuer_signed.header().certificates()?)
    }

    /// The absolute DID URL of the key that the issuer says it signed with (see the module's text).
    ///
    /// # Errors
    /// [`SdJwtVcError::KeyId`] when `kid` is missing or belongs to another DID, [`SdJwtVcError::Claim`] without `iss`.
    pub fn verification_method(&self) -> Result<String, SdJwtVcError> {
        let issuer = self.issuer()?;
        let key_id = self.key_id().ok_or(SdJwtVcError::KeyId)?;
        absolute_key_id(issuer, key_id).ok_or(SdJwtVcError::KeyId)
    }

    /// Checks the issuer's signature with `key`, which the caller resolved as `issuer`'s, puts the
    /// disclosures in their places, and checks every registered claim.
    ///
    /// # Errors
    /// [`SdJwtVcError`].
    pub fn authenticate(
        self,
        key: &PublicKey,
        issuer: &str,
        now: Timestamp,
    ) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        check_time(self.check_signature(key, issuer)?, now)
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the time, since a person
    /// may look at an expired credential.
    ///
    /// # Errors
    /// [`SdJwtVcError`].
    pub fn restore(self, key: &PublicKey, issuer: &str) -> Result<Held<SdJwtVc>, SdJwtVcError> {
        self.check_signature(key, issuer)?.hold_issued()
    }

    fn check_signature(self, key: &PublicKey, issuer: &str) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        self.check_signature_of(key, |claims| match required_string(claims, "iss")? {
            found if found == issuer => Ok(found.to_owned()),
            found => Err(SdJwtVcError::WrongIssuer {
                expected: issuer.to_owned(),
                found: found.to_owned(),
            }),
        })
    }

    /// `issuer` tells from the claims who it is whose key this is.
    fn check_signature_of(
        self,
        key: &PublicKey,
        issuer: impl FnOnce(Json<'_>) -> Result<String, SdJwtVcError>,
    ) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
        let Parsed {
            sd_jwt,
            issuer_signed,
            payload,
        } = self.0;
        // The payload was parsed from these very bytes, so the verified copy is not needed.
        let verified = issuer_signed.verify(key)?;
        let key_id = verified.header().kid().map(str::to_owned);
        let issuer = issuer(payload.root())?;
        let processed = sd_jwt::process(payload.root(), sd_jwt.disclosures(), &NEVER_DISCLOSABLE)?;
        let fingerprint = Fingerprint(keys::sha256(sd_jwt.without_key_binding().as_bytes()));
        let facts = read_facts(processed.claims.root(), issuer, key.clone(), key_id, fingerprint)?;
        let contents = SdJwtVc {
            sd_jwt,
            claims: processed.claims,
            map: OnceLock::new(),
            hash: processed.hash,
        };
        Ok(Authentic { facts, contents })
    }
}

impl Authentic<SdJwtVc> {
    /// Keeps a credential as issued.
    ///
    /// # Errors
    /// [`SdJwtVcError::KeyBound`]: RFC 9901 has a holder refuse an issued SD-JWT+KB.
    pub fn hold_issued(self) -> Result<Held<SdJwtVc>, SdJwtVcError> {
        if self.contents.sd_jwt.key_binding().is_some() {
            return Err(SdJwtVcError::KeyBound);
        }
        Ok(self.hold())
    }

    /// Checks that the holder, and nobody else, presented this credential to us in this transaction.
    ///
    /// # Errors
    /// [`KeyBindingError`], the presenter's fault; after it the presentation is refused.
    pub fn verify_key_binding(&self, transaction: &Transaction<'_>) -> Result<HolderBinding, KeyBindingError> {
        let SdJwtVc { sd_jwt, hash, .. } = &self.contents;
        sd_jwt::verify_bound(sd_jwt, *hash, &self.facts, transaction)
    }
}

fn check_time(authentic: Authentic<SdJwtVc>, now: Timestamp) -> Result<Authentic<SdJwtVc>, SdJwtVcError> {
    let facts = &authentic.facts;
    check_validity(facts.valid_from, facts.valid_until, now)?;
    match facts
        .issued_at
        .filter(|issued_at| *issued_at > now.plus(MAX_CLOCK_SKEW))
    {
        Some(found) => Err(SdJwtVcError::IssuedInTheFuture { now, found }),
        None => Ok(authentic),
    }
}

/// Reads the registered claims.
fn read_facts(
    claims: Json<'_>,
    issuer: String,
    key: PublicKey,
    key_id: Option<String>,
    fingerprint: Fingerprint,
) -> Result<Facts, SdJwtVcError> {
    let (status, unknown_status) = match claims.get("status") {
        None => (None, Vec::new()),
        Some(status) => StatusReference::from_status_claim(status)?,
    };
    Ok(Facts {
        fingerprint,
        format: CredentialFormat::DcSdJwt,
        holder: claims.get("cnf").map(read_confirmation).transpose()?,
        issued_at: numeric_date(claims, "iat")?,
        issuer,
        key,
        key_id,
        status: status.into_iter().collect(),
        types: read_types(claims)?,
        type_integrity: optional_string(claims, "vct#integrity")?.map(str::to_owned),
        unknown_status,
        valid_from: numeric_date(claims, "nbf")?,
        valid_until: numeric_date(claims, "exp")?,
    })
}

/// `vct`, then `aka_vcts`.
fn read_types(claims: Json<'_>) -> Result<Vec<String>, ClaimError> {
    let vct = required_string(claims, "vct")?;
    if vct.is_empty() {
        return Err(ClaimError::malformed("vct", "a collision-resistant name"));
    }
    let mut types = vec![vct.to_owned()];
    if let Some(others) = claims.get("aka_vcts") {
        let malformed = || ClaimError::malformed("aka_vcts", "a non-empty array of other types");
        for other in others.elements().ok_or_else(malformed)? {
            let other = other
                .as_str()
                .filter(|other| !other.is_empty() && *other != vct)
                .ok_or_else(malformed)?;
            types.push(other.to_owned());
        }
        if types.len() == 1 {
            return Err(malformed());
        }
    }
    Ok(types)
}

/// The key in `cnf` ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800#section-3.2)). Other confirmation
/// methods are refused: a holder key that we cannot check must not look like none.
pub(crate) fn read_confirmation(cnf: Json<'_>) -> Result<HolderKey, ClaimError> {
    let malformed = || ClaimError::malformed("cnf", "an object with a `jwk` of Ed25519 or P-256 for signatures");
    let jwk = Jwk::from_json(cnf.get("jwk").ok_or_else(malformed)?).map_err(|_| malformed())?;
    if !jwk.is_for_signatures() {
        return Err(malformed());
    }
    PublicKey::from_jwk(&jwk).map(HolderKey::Key).map_err(|_| malformed())
}

#[cfg(test)]
pub(crate) mod tests;
