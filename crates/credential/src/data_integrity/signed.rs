//! Credentials whose issuer has no DID: who signed is known, and nothing ties the signers to the issuer.

use jsonld::ContextLoader;
use keys::Timestamp;

use super::LdpVc;
use super::LdpVcError;
use super::ProofError;
use super::ProofKeys;
use super::VerifiedProof;
use super::proof_set::Makers;
use crate::Authentic;
use crate::Facts;
use crate::Unverified;
use crate::vc::CredentialSchema;
use crate::vc::JsonSchema;
use crate::vc::SchemaEvaluator;
use crate::vc::SchemaOutcome;

/// A credential that keys of some DIDs signed, which names an issuer that is no DID.
///
/// Weaker than [`crate::Authentic`], and no way to it: no claim is released, and nothing is held. An issuer that is a
/// DID says in its document which keys are its own, so such a credential has to be authenticated.
#[derive(Debug)]
#[must_use]
pub struct SignedLdpVc(Authentic<LdpVc>);

impl SignedLdpVc {
    /// Who signed: the DIDs of the verification methods of all proofs, in their order.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        let methods = self.0.proofs().iter().map(VerifiedProof::verification_method);
        methods.filter_map(|method| method.split('#').next())
    }

    /// What the signers say. The issuer among it is a name that they wrote.
    pub const fn facts(&self) -> &Facts {
        self.0.facts()
    }

    /// `credentialSchema`: what the credential may be evaluated against.
    pub fn schemas(&self) -> &[CredentialSchema] {
        self.0.schemas()
    }

    /// As [`Authentic::evaluate`].
    pub fn evaluate(&self, schema: &JsonSchema, evaluator: &dyn SchemaEvaluator) -> SchemaOutcome {
        self.0.evaluate(schema, evaluator)
    }
}

impl Unverified<LdpVc> {
    /// Checks every proof with its key of `keys`, which the caller resolved for each of [`Self::verification_methods`],
    /// and the times of proofs and credential
    /// ([verify proof sets and chains](https://www.w3.org/TR/vc-data-integrity/#verify-proof-sets-and-chains)). Every
    /// context must be one of `contexts`.
    ///
    /// # Errors
    /// [`LdpVcError`]; [`ProofError::VerificationMethod`] for an issuer that is a DID.
    pub fn check_signed(
        self,
        keys: &ProofKeys,
        contexts: &ContextLoader,
        now: Timestamp,
    ) -> Result<SignedLdpVc, LdpVcError> {
        if self.issuer().starts_with("did:") {
            let expected = self.issuer().to_owned();
            return Err(ProofError::VerificationMethod { expected }.into());
        }
        Ok(SignedLdpVc(self.check_shown(keys, Makers::All, contexts, now)?))
    }
}
