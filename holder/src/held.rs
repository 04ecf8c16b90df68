//! What a wallet keeps of a credential, and reading it back.

use credential::Facts;
use credential::Held;
use credential::LdpVc;
use credential::Mdoc;
use credential::SdJwtVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity::LdpVcError;
use credential::evidence::Credential;
use credential::mdoc::MdocError;
use credential::sd_jwt_vc::SdJwtVcError;
use credential::vc_jwt::VcJwtError;
use jsonld::ContextLoader;
use keys::Jwk;
use keys::KeyError;
use keys::PublicKey;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::vci::configuration::CredentialMetadata;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::Contexts;
use crate::ShownClaim;
use crate::claims::flatten;
use crate::contexts::expanded_types;
use crate::text::printable;

/// A credential as the wallet stores it. It is personal data: its place is an encrypted vault.
#[derive(Clone, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// The wallet's own name for it.
    pub id: String,
    /// The identifier of its format in both protocols.
    pub format: CredentialFormat,
    /// The credential as it was issued.
    pub text: String,
    /// The issuer's DID.
    pub issuer: String,
    /// The key that verified it on receipt.
    pub issuer_key: Jwk,
    /// The issuer's name for people, as its metadata gave it.
    pub issuer_name: Option<String>,
    /// Where the wallet keeps the key that the credential is bound to.
    pub holder_key: String,
    /// When it came.
    pub received_at: Timestamp,
    /// Names and colours to show, as the issuer's metadata gave them.
    pub metadata: CredentialMetadata,
    /// What the terms of a W3C credential mean.
    #[serde(default, skip_serializing_if = "Contexts::is_empty")]
    pub contexts: Contexts,
}

/// One of the wallet's own credentials, by format.
#[derive(Debug)]
#[non_exhaustive]
pub enum HeldCredential {
    /// A W3C credential with a Data Integrity proof.
    LdpVc(W3c<LdpVc>),
    /// An mdoc.
    Mdoc(Held<Mdoc>),
    /// An SD-JWT VC.
    SdJwtVc(Held<SdJwtVc>),
    /// A W3C credential as a JWT.
    VcJwt(W3c<VcJwt>),
}

/// A W3C credential with its types as IRIs.
pub struct W3c<T: Credential> {
    pub(crate) held: Held<T>,
    types: Vec<String>,
}

/// A stored credential cannot be read: the wallet's store is damaged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The format is none that this version reads.
    #[error("expected a credential format that this wallet reads, found {found}")]
    Format {
        /// The format.
        found: CredentialFormat,
    },
    /// The stored issuer key is not read.
    #[error("the stored issuer key is damaged")]
    IssuerKey(#[from] KeyError),
    /// The stored credential is not the one that was received.
    #[error("the stored credential is damaged")]
    LdpVc(#[source] Box<LdpVcError>),
    /// The stored credential is not the one that was received.
    #[error("the stored credential is damaged")]
    Mdoc(#[from] MdocError),
    /// The stored credential is not the one that was received.
    #[error("the stored credential is damaged")]
    SdJwtVc(#[from] SdJwtVcError),
    /// The stored credential is not the one that was received.
    #[error("the stored credential is damaged")]
    VcJwt(#[from] VcJwtError),
}

impl CredentialRecord {
    /// Reads the credential and checks the issuer's signature again, at any time: a person may look at an
    /// expired credential.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self) -> Result<HeldCredential, OpenError> {
        let key = PublicKey::from_jwk(&self.issuer_key)?;
        match &self.format {
            CredentialFormat::SdJwtVc => {
                let held = Unverified::<SdJwtVc>::parse(&self.text)?.restore(&key, &self.issuer)?;
                Ok(HeldCredential::SdJwtVc(held))
            }
            CredentialFormat::JwtVcJson => {
                let held = Unverified::<VcJwt>::parse(&self.text)?.restore(&key, &self.issuer)?;
                Ok(HeldCredential::VcJwt(W3c::new(held, &self.contexts.loader())))
            }
            CredentialFormat::LdpVc => {
                let loader = self.contexts.loader();
                let held = Unverified::<LdpVc>::parse(&self.text)
                    .and_then(|read| read.restore(&key, &self.issuer, &loader))
                    .map_err(|error| OpenError::LdpVc(Box::new(error)))?;
                Ok(HeldCredential::LdpVc(W3c::new(held, &loader)))
            }
            CredentialFormat::MsoMdoc => {
                let held = Unverified::<Mdoc>::parse(&self.text)?.restore(&key, &self.issuer)?;
                Ok(HeldCredential::Mdoc(held))
            }
            other @ CredentialFormat::Other(_) => Err(OpenError::Format { found: other.clone() }),
        }
    }

    /// The issuer's name for it in the first of `locales` that it has, else the issuer's first name for it.
    fn display_name(&self, locales: &[&str]) -> Option<&str> {
        let display = &self.metadata.display;
        let preferred = locales
            .iter()
            .find_map(|locale| display.iter().find(|one| one.locale.as_deref() == Some(locale)));
        preferred.or_else(|| display.first())?.name.as_deref()
    }
}

impl<T: Credential> W3c<T> {
    fn new(held: Held<T>, loader: &ContextLoader) -> Self {
        let types = expanded_types(held.claims(), held.facts(), loader);
        Self { held, types }
    }
}

impl<T: Credential> std::fmt::Debug for W3c<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("W3c")
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for CredentialRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialRecord")
            .field("id", &self.id)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl HeldCredential {
    /// Issuer, types, validity, keys and status references.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        match self {
            Self::LdpVc(w3c) => w3c.held.facts(),
            Self::Mdoc(held) => held.facts(),
            Self::SdJwtVc(held) => held.facts(),
            Self::VcJwt(w3c) => w3c.held.facts(),
        }
    }

    /// The claims, all disclosures applied; of a W3C credential the whole document.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        match self {
            Self::LdpVc(w3c) => w3c.held.claims(),
            Self::Mdoc(held) => held.claims(),
            Self::SdJwtVc(held) => held.claims(),
            Self::VcJwt(w3c) => w3c.held.claims(),
        }
    }

    /// The types as a query names them: `vct` and its aliases, `docType`, or IRIs.
    #[must_use]
    pub fn query_types(&self) -> &[String] {
        match self {
            Self::LdpVc(w3c) => &w3c.types,
            Self::Mdoc(held) => held.facts().types(),
            Self::SdJwtVc(held) => held.facts().types(),
            Self::VcJwt(w3c) => &w3c.types,
        }
    }

    /// Every claim, with its label, apart from the [`crate::envelope`]. `record` is the one that this was opened
    /// from: it has the labels.
    #[must_use]
    pub fn shown_claims(&self, record: &CredentialRecord) -> Vec<ShownClaim> {
        flatten(self.claims(), record)
    }

    /// The name to show: the issuer's in the first of `locales` that it has, else the issuer's first, else the
    /// type. Free of characters that a screen would obey. `record` is the one that this was opened from.
    #[must_use]
    pub fn name(&self, record: &CredentialRecord, locales: &[&str]) -> String {
        let own = self.facts().types().first().map(String::as_str);
        printable(record.display_name(locales).or(own).unwrap_or(record.format.as_str()))
    }

    /// Whether it is neither expired nor still to come.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        let facts = self.facts();
        facts.valid_from().is_none_or(|start| start <= now) && facts.valid_until().is_none_or(|end| now < end)
    }
}
