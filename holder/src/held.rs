//! What a wallet keeps of a credential, and reading it back.

use credential::Facts;
use credential::Held;
use credential::SdJwtVc;
use credential::Unverified;
use credential::sd_jwt_vc::SdJwtVcError;
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

use crate::ShownClaim;
use crate::claims::flatten;
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
}

/// One of the wallet's own credentials, by format.
#[derive(Debug)]
#[non_exhaustive]
pub enum HeldCredential {
    /// An SD-JWT VC.
    SdJwtVc(Held<SdJwtVc>),
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
    SdJwtVc(#[from] SdJwtVcError),
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
            other => Err(OpenError::Format { found: other.clone() }),
        }
    }

    /// The name to show, in the first of `locales` that the issuer has; else the issuer's first name for it,
    /// else the format. Free of characters that a screen would obey.
    #[must_use]
    pub fn name(&self, locales: &[&str]) -> String {
        let display = &self.metadata.display;
        let preferred = locales
            .iter()
            .find_map(|locale| display.iter().find(|one| one.locale.as_deref() == Some(locale)));
        let name = preferred
            .or_else(|| display.first())
            .and_then(|one| one.name.as_deref());
        printable(name.unwrap_or(self.format.as_str()))
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
            Self::SdJwtVc(held) => held.facts(),
        }
    }

    /// The claims, all disclosures applied.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        match self {
            Self::SdJwtVc(held) => held.claims(),
        }
    }

    /// Every claim, with its label, apart from [`crate::ENVELOPE`]. `record` is the one that this was opened
    /// from: it has the labels.
    #[must_use]
    pub fn shown_claims(&self, record: &CredentialRecord) -> Vec<ShownClaim> {
        flatten(self.claims(), record)
    }

    /// Whether it is neither expired nor still to come.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        let facts = self.facts();
        facts.valid_from().is_none_or(|start| start <= now) && facts.valid_until().is_none_or(|end| now < end)
    }
}
