//! Holder binding of W3C credentials: the presenter controls the DID that is the credential's subject, or the key that
//! the credential is bound to.

use keys::PublicKey;
use thiserror::Error;

use super::Authentic;
use super::Credential;
use super::Fingerprint;
use super::HolderBinding;
use super::HolderKey;

/// Evidence that the controller of a DID signed a presentation of certain credentials for this transaction.
#[derive(Clone, Debug)]
#[must_use]
pub struct Presenter {
    pub(crate) holder: String,
    /// What the presentation was signed with.
    pub(crate) key: PublicKey,
    pub(crate) presented: Vec<Fingerprint>,
}

/// The presenter's fault: the credential is somebody else's.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum HolderError {
    /// The credential names no holder whose key could be checked.
    #[error("expected one credential subject with a DID, found none")]
    NoHolder,
    /// The credential was not part of what was signed.
    #[error("expected a credential of this presentation, found another")]
    NotPresented,
    /// The presenter is not the subject.
    #[error("expected a presentation by the credential's subject, found one by another")]
    NotTheSubject,
}

impl Presenter {
    /// The holder's DID.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }
}

impl<T: Credential> Authentic<T> {
    /// Checks that the presenter is this credential's subject, or has the key it is bound to, and presented this very credential.
    ///
    /// # Errors
    /// [`HolderError`], after which the presentation is refused.
    pub fn verify_presenter(&self, presenter: &Presenter) -> Result<HolderBinding, HolderError> {
        if !presenter.presented.contains(&self.facts.fingerprint) {
            return Err(HolderError::NotPresented);
        }
        let is_holder = match self.facts.holder() {
            Some(HolderKey::Did(subject)) => *subject == presenter.holder,
            Some(HolderKey::Key(key)) => *key == presenter.key,
            None => return Err(HolderError::NoHolder),
        };
        if !is_holder {
            return Err(HolderError::NotTheSubject);
        }
        Ok(HolderBinding {
            fingerprint: self.facts.fingerprint,
            proven: true,
        })
    }
}
