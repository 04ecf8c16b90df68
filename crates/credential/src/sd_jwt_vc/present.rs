//! Presenting an SD-JWT VC: a choice of disclosures, and the holder's signature over it.

use keys::Algorithm;
use keys::SigningRequest;
use keys::Timestamp;

use super::SdJwtVc;
use crate::ClaimPath;
use crate::Held;
use crate::HolderKey;
use crate::sd_jwt;
use crate::sd_jwt::HashAlgorithm;
use crate::sd_jwt::KeyBindingError;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;
use crate::sd_jwt::SelectionError;

/// A credential with the disclosures that the holder chose, ready to be bound or sent.
#[must_use]
pub struct Presentation {
    sd_jwt: String,
    hash: HashAlgorithm,
    holder: Option<Algorithm>,
}

impl Held<SdJwtVc> {
    /// The path of every claim that can be shown or left out.
    ///
    /// # Errors
    /// [`SdJwtError`], which cannot occur for a credential that was authenticated.
    pub fn disclosable_paths(&self) -> Result<Vec<ClaimPath>, SdJwtError> {
        Ok(self.contents.sd_jwt.disclosed()?.disclosable_paths())
    }

    /// Shows the claims at `paths` with everything below them, and no other disclosable claim.
    ///
    /// # Errors
    /// [`SelectionError`] when a path selects nothing; nothing is disclosed then.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, PresentError> {
        let SdJwtVc { sd_jwt, hash, .. } = &self.contents;
        Presentation::choose(sd_jwt, *hash, self.facts.holder(), paths)
    }
}

/// The holder's choice does not fit the credential.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PresentError {
    /// A path selects nothing.
    #[error("the selection does not fit the credential")]
    Selection(#[from] SelectionError),
    /// The stored credential is damaged.
    #[error("the credential is not read")]
    SdJwt(#[from] SdJwtError),
}

impl Presentation {
    /// Of an SD-JWT that was authenticated, bound to the key of `holder` if it is one.
    pub(crate) fn choose(
        sd_jwt: &SdJwt,
        hash: HashAlgorithm,
        holder: Option<&HolderKey>,
        paths: &[ClaimPath],
    ) -> Result<Self, PresentError> {
        let disclosed = sd_jwt.disclosed()?;
        let holder = match holder {
            Some(HolderKey::Key(key)) => Some(key.algorithm()),
            Some(HolderKey::Did(_)) | None => None,
        };
        Ok(Self {
            sd_jwt: SdJwt::join(sd_jwt.jwt(), disclosed.select(paths)?),
            hash,
            holder,
        })
    }

    /// Without key binding: whoever sees it can present it again. For bearer credentials only.
    #[must_use]
    pub fn into_unbound(self) -> String {
        self.sd_jwt
    }

    /// The SD-JWT+KB for one verifier and one transaction, once signed by the holder's key.
    ///
    /// # Errors
    /// [`KeyBindingError::NoHolderKey`] for a bearer credential, the caller's fault.
    pub fn bind(
        self,
        audience: &str,
        nonce: &str,
        issued_at: Timestamp,
    ) -> Result<SigningRequest<String>, KeyBindingError> {
        let algorithm = self.holder.ok_or(KeyBindingError::NoHolderKey)?;
        Ok(sd_jwt::bind(
            self.sd_jwt,
            self.hash,
            audience,
            nonce,
            issued_at,
            algorithm,
        ))
    }
}
