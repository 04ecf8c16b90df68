//! Presenting an SD-JWT VC: a choice of disclosures, and the holder's signature over it.

use keys::Algorithm;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::json::Tree;
use keys::jws::UnverifiedJws;

use super::SdJwtVc;
use crate::ClaimPath;
use crate::Held;
use crate::sd_jwt;
use crate::sd_jwt::Disclosed;
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
        Ok(self.disclosed()?.disclosable_paths())
    }

    /// Shows the claims at `paths` with everything below them, and no other disclosable claim.
    ///
    /// # Errors
    /// [`SelectionError`] when a path selects nothing; nothing is disclosed then.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, PresentError> {
        let SdJwtVc { sd_jwt, hash, .. } = &self.contents;
        let disclosed = self.disclosed()?;
        let chosen = disclosed.select(paths)?;
        let holder = match self.facts.holder() {
            Some(crate::HolderKey::Key(key)) => Some(key.algorithm()),
            Some(crate::HolderKey::Did(_)) | None => None,
        };
        Ok(Presentation {
            sd_jwt: SdJwt::join(sd_jwt.jwt(), chosen),
            hash: *hash,
            holder,
        })
    }

    /// The signed payload and the disclosures. Computed when asked for: a verifier never needs it.
    fn disclosed(&self) -> Result<Disclosed, SdJwtError> {
        let sd_jwt = &self.contents.sd_jwt;
        let jws = UnverifiedJws::parse(sd_jwt.jwt(), sd_jwt::MAX_BYTES)?;
        let payload = Tree::parse(jws.unverified_payload(), json::DEFAULT_LIMITS).map_err(SdJwtError::Payload)?;
        Disclosed::new(payload, sd_jwt.disclosures())
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
