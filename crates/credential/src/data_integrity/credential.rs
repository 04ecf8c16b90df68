//! `ldp_vc`: authenticating and holding
//! ([verify proof](https://www.w3.org/TR/vc-data-integrity/#verify-proof)).

use jsonld::ContextLoader;
use keys::PublicKey;
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
use super::cryptosuite::Disclosure;
use super::document;
use super::proof::Proof;
use super::proof_set::Makers;
use super::proof_set::ProofKeys;
use super::proof_set::ProofSet;
use super::proof_set::VerifiedProof;
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
use crate::vc::CredentialSchema;
use crate::vc::DataModelError;
use crate::vc::DataModelVersion;
use crate::vc::ProblemType;
use crate::vc::RelatedResource;

/// A credential with an embedded proof.
pub struct LdpVc {
    text: String,
    /// The document that was signed, without the proof.
    document: Map<String, Value>,
    disclosure: Disclosure,
    presentation_header: Option<Vec<u8>>,
    version: DataModelVersion,
    schemas: Vec<CredentialSchema>,
    related_resources: Vec<RelatedResource>,
    pub(super) proofs: Vec<VerifiedProof>,
    presented: bool,
}

/// An `ldp_vc` before its proof is checked.
pub struct Parsed {
    pub(super) text: String,
    pub(super) document: Map<String, Value>,
    pub(super) proofs: ProofSet,
    /// Hints: of the issuer's first proof.
    verification_method: String,
    cryptosuite: Cryptosuite,
    properties: CredentialProperties,
    disclosure: Disclosure,
    /// Whether it came inside of a presentation.
    pub(super) presented: bool,
}

/// The issuer's fault, or that of whoever changed the credential.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LdpVcError {
    /// A base proof was shown to somebody else than the holder, or derived from by somebody else.
    #[error("expected what a holder derives from a base proof, found the base proof")]
    BaseProof,
    /// The proof is not by this key over this document.
    #[error("the proof does not hold")]
    Cryptosuite(#[from] CryptosuiteError),
    /// The document does not follow the data model.
    #[error("the credential document is refused")]
    DataModel(#[from] DataModelError),
    /// The document could be read in two ways.
    #[error("the form of the credential document is refused")]
    Document(#[from] DocumentError),
    /// A proof cannot be added to those that are there: the caller's fault.
    #[error("no proof can be added")]
    Generation(#[source] ProofError),
    /// The credential is not one to derive others from: the caller's fault.
    #[error("expected a credential with a base proof, found another")]
    NoBaseProof,
    /// Not strict JSON.
    #[error("the credential is not read")]
    Json(#[from] json::JsonError),
    /// A presented or derived credential was to be kept.
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
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Cryptosuite(error) => error.problem_type(),
            Self::DataModel(error) => error.problem_type(),
            Self::Document(error) => error.problem_type(),
            Self::Json(_) => ProblemType::ParsingError,
            Self::Proof(error) => error.problem_type(),
            Self::Generation(_) | Self::NoBaseProof | Self::Secured => ProblemType::ProofGenerationError,
            Self::Validity(_) => ProblemType::RangeError,
            Self::BaseProof | Self::Presented | Self::WrongIssuer { .. } => ProblemType::ProofVerificationError,
        }
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
        let proofs = ProofSet::take(&mut document)?;
        let properties = CredentialProperties::read_received(&document)?;
        document::check_form(&document)?;
        let disclosure = proofs.disclosure()?;
        let main = proofs.main(&properties.issuer).ok_or(ProofError::Missing)?;
        Ok(Self(Parsed {
            text,
            document,
            verification_method: main.verification_method.clone(),
            cryptosuite: main.cryptosuite,
            proofs,
            properties,
            disclosure,
            presented: false,
        }))
    }

    /// `issuer`: a hint for finding the key.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.properties.issuer
    }

    /// `verificationMethod`: the DID URL of the key that the issuer says it signed with; of several, the first.
    #[must_use]
    pub fn verification_method(&self) -> &str {
        &self.0.verification_method
    }

    /// The verification methods of all proofs in order, by whomever they are.
    pub fn verification_methods(&self) -> impl Iterator<Item = &str> {
        self.0.proofs.verification_methods()
    }

    /// The verification methods of the issuer's proofs, the first of which is [`Self::verification_method`]. The key of
    /// each is needed.
    pub fn issuer_methods(&self) -> impl Iterator<Item = &str> {
        let proofs = self.0.proofs.of(self.issuer());
        proofs.map(|proof| proof.verification_method.as_str())
    }

    /// How the issuer's (first) proof was made.
    #[must_use]
    pub const fn cryptosuite(&self) -> Cryptosuite {
        self.0.cryptosuite
    }

    /// The contexts that the signature was made with, in order. They say what the terms mean, so a verifier
    /// that reads claims by their terms compares this list with the one it expects for the type. Empty where one is
    /// written out in the document, which no URL names and only [`ContextLoader::accepting_embedded`] takes.
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        document::context_urls(&self.0.document).unwrap_or_default().into_iter()
    }

    /// Checks the issuer's proofs with `key`, which the caller resolved as `issuer`'s under [`Self::verification_method`],
    /// and the times of proofs and credential. Every context must be one of `contexts`.
    ///
    /// # Errors
    /// [`LdpVcError`]; [`LdpVcError::BaseProof`] for what is for its holder alone
    /// ([base proof](https://www.w3.org/TR/vc-di-ecdsa/#base-proof-serialization-ecdsa-sd-2023)).
    pub fn authenticate(
        self,
        key: &PublicKey,
        issuer: &str,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        let keys = ProofKeys::new().with(self.verification_method(), key.clone());
        self.authenticate_set(&keys, issuer, contexts, now)
    }

    /// The same for a credential with proofs of several keys. Every proof of the issuer must hold, and every proof whose
    /// key is given. What is not checked is not part of the evidence: see [`Authentic::proofs`].
    ///
    /// # Errors
    /// [`LdpVcError`].
    pub fn authenticate_set(
        self,
        keys: &ProofKeys,
        issuer: &str,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        self.check_shown(keys, Makers::Issuer(issuer), contexts, now)
    }

    /// Checks what is for everybody, by the proofs that must hold.
    pub(super) fn check_shown(
        self,
        keys: &ProofKeys,
        makers: Makers<'_>,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        if self.0.disclosure == Disclosure::Base {
            return Err(LdpVcError::BaseProof);
        }
        self.check_now(keys, makers, contexts, now)
    }

    /// For a wallet: checks what an issuer has delivered like [`Self::authenticate`], a base proof as well, and
    /// keeps it.
    ///
    /// # Errors
    /// [`LdpVcError`]; [`LdpVcError::Presented`] for what was presented or derived.
    pub fn hold_issued(
        self,
        key: &PublicKey,
        issuer: &str,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Held<LdpVc>, LdpVcError> {
        let keys = ProofKeys::new().with(self.verification_method(), key.clone());
        self.check_now(&keys, Makers::Issuer(issuer), contexts, now)?
            .hold_issued()
    }

    fn check_now(
        self,
        keys: &ProofKeys,
        makers: Makers<'_>,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        for proof in self.0.proofs.required(makers, keys)? {
            proof.check_times(now)?;
        }
        check_validity(self.0.properties.valid_from, self.0.properties.valid_until, now)?;
        self.check_proofs(keys, makers, contexts)
    }

    /// For a wallet that reads back what it accepted earlier: checks everything but the times.
    ///
    /// # Errors
    /// [`LdpVcError`].
    pub fn restore(self, key: &PublicKey, issuer: &str, contexts: &ContextLoader) -> Result<Held<LdpVc>, LdpVcError> {
        let keys = ProofKeys::new().with(self.verification_method(), key.clone());
        self.restore_set(&keys, issuer, contexts)
    }

    /// The same for a credential with proofs of several keys.
    ///
    /// # Errors
    /// [`LdpVcError`].
    pub fn restore_set(
        self,
        keys: &ProofKeys,
        issuer: &str,
        contexts: &ContextLoader,
    ) -> Result<Held<LdpVc>, LdpVcError> {
        self.check_proofs(keys, Makers::Issuer(issuer), contexts)?.hold_issued()
    }

    /// All but the times.
    pub(super) fn check_proofs(
        self,
        keys: &ProofKeys,
        makers: Makers<'_>,
        contexts: &ContextLoader,
    ) -> Result<Authentic<LdpVc>, LdpVcError> {
        let Parsed {
            text,
            document,
            proofs,
            verification_method,
            cryptosuite: _,
            properties,
            disclosure,
            presented,
        } = self.0;
        let required = proofs.required(makers, keys)?;
        for proof in &required {
            proof.check_purpose(ProofPurpose::AssertionMethod)?;
        }
        if let Makers::Issuer(issuer) = makers
            && properties.issuer != issuer
        {
            return Err(LdpVcError::WrongIssuer {
                expected: issuer.to_owned(),
                found: properties.issuer,
            });
        }
        document::check(&document, contexts)?;
        document::check_places(&document)?;
        document::check_context_digests(&document, &properties.related_resources, contexts)?;
        let verify = |proof: &&Proof| proofs.verify(proof, &required, &document, keys, contexts);
        let verified: Vec<VerifiedProof> = required.iter().map(verify).collect::<Result<_, _>>()?;
        let key = keys.get(&verification_method).ok_or(ProofError::Missing)?;
        let of_issuer = || verified.iter().filter(|proof| makers.made(&proof.verification_method));
        let presentation_header = proofs.presentation_header();
        let is_did = |subject: &String| subject.starts_with("did:");
        let facts = Facts {
            fingerprint: Fingerprint(keys::sha256(text.as_bytes())),
            format: CredentialFormat::LdpVc,
            holder: properties.subject.filter(is_did).map(HolderKey::Did),
            issued_at: of_issuer().next().and_then(VerifiedProof::created),
            issuer: properties.issuer,
            key: key.clone(),
            key_id: Some(verification_method),
            status: properties.status,
            types: properties.types,
            type_integrity: None,
            unknown_status: properties.unknown_status,
            valid_from: properties.valid_from,
            // The issuer's proofs' periods and the credential's: all must hold.
            valid_until: of_issuer()
                .filter_map(VerifiedProof::expires)
                .chain(properties.valid_until)
                .min(),
        };
        Ok(Authentic {
            facts,
            contents: LdpVc {
                text,
                document,
                disclosure,
                presentation_header,
                version: properties.version,
                schemas: properties.schemas,
                related_resources: properties.related_resources,
                proofs: verified,
                presented,
            },
        })
    }
}

impl Authentic<LdpVc> {
    /// The proofs that were checked and held, in the order of the document: every one of the issuer's, and those of
    /// others whose keys were given. Others that the document may have are not told: nothing must rest on them.
    #[must_use]
    pub fn proofs(&self) -> &[VerifiedProof] {
        &self.contents.proofs
    }

    /// The version of the data model. One of 1.1 is as authentic as any; whether it will do is the verifier's to say.
    #[must_use]
    pub const fn data_model(&self) -> DataModelVersion {
        self.contents.version
    }

    /// `credentialSchema`: what the credential may be evaluated against.
    #[must_use]
    pub fn schemas(&self) -> &[CredentialSchema] {
        &self.contents.schemas
    }

    /// `relatedResource`: what must be checked before it is used. The contexts among them are.
    #[must_use]
    pub fn related_resources(&self) -> &[RelatedResource] {
        &self.contents.related_resources
    }

    /// See [`Unverified::contexts`].
    pub fn contexts(&self) -> impl Iterator<Item = &str> {
        document::context_urls(&self.contents.document)
            .unwrap_or_default()
            .into_iter()
    }

    /// What a derived proof of `bbs-2023` was made for, as its holder says. A verifier to whom nobody presents by a
    /// holder's key compares it with what it asked for: another header is a replay.
    #[must_use]
    pub fn presentation_header(&self) -> Option<&[u8]> {
        self.contents.presentation_header.as_deref()
    }

    /// Keeps a credential as issued.
    ///
    /// # Errors
    /// [`LdpVcError::Presented`] for a credential from a presentation, or derived for one.
    pub fn hold_issued(self) -> Result<Held<LdpVc>, LdpVcError> {
        if self.contents.presented || self.contents.disclosure == Disclosure::Derived {
            return Err(LdpVcError::Presented);
        }
        Ok(self.hold())
    }
}

impl Held<LdpVc> {
    /// The credential as others may see it; none if first a part of it must be derived.
    pub(super) fn shown(&self) -> Option<&str> {
        (!self.is_selective()).then_some(self.contents.text.as_str())
    }

    /// Whether it has a base proof: what others see of it is chosen, see [`Held::derive`].
    #[must_use]
    pub fn is_selective(&self) -> bool {
        self.contents.disclosure == Disclosure::Base
    }
}
