//! Credentials whose issuer has no DID: who signed is known, and nothing ties the signer to the issuer.

use jsonld::ContextLoader;
use keys::PublicKey;
use keys::Timestamp;

use super::LdpVc;
use super::LdpVcError;
use super::ProofError;
use crate::Facts;
use crate::Unverified;

/// A credential that the key of some DID signed, which names an issuer that is no DID.
///
/// Weaker than [`crate::Authentic`], and no way to it: no claim is released, and nothing is held. An issuer that is a
/// DID says in its document which keys are its own, so such a credential has to be authenticated.
#[derive(Debug)]
#[must_use]
pub struct SignedLdpVc {
    facts: Facts,
    signer: String,
}

impl SignedLdpVc {
    /// Who signed: the DID of the verification method.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// What the signer says. The issuer among it is a name that the signer wrote.
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }
}

impl Unverified<LdpVc> {
    /// Checks the proof with `key`, which the caller resolved as that of [`Self::verification_method`], and the times
    /// of proof and credential ([verify proof](https://www.w3.org/TR/vc-data-integrity/#verify-proof)). Every context
    /// must be one of `contexts`.
    ///
    /// # Errors
    /// [`LdpVcError`]; [`ProofError::VerificationMethod`] for an issuer that is a DID.
    pub fn check_signed(
        self,
        key: &PublicKey,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<SignedLdpVc, LdpVcError> {
        let issuer = self.issuer().to_owned();
        if issuer.starts_with("did:") {
            return Err(ProofError::VerificationMethod { expected: issuer }.into());
        }
        let method = self.verification_method();
        let signer = method.split('#').next().unwrap_or_default().to_owned();
        let authentic = self.authenticate_as(key, &issuer, &signer, contexts, now)?;
        Ok(SignedLdpVc {
            facts: authentic.facts,
            signer,
        })
    }
}
