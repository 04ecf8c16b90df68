//! What the parts of the service share: store, clock and the two keys with their public names.

use std::sync::Arc;

use keys::Signer;
use server::Clock;
use store::Store;
use trust::entry::PolicyBody;
use trust::note::NoteError;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::tlog_policy::TlogPolicy;

use crate::genesis::witness_name;

/// Store, clock and keys.
pub(crate) struct Setup {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) log: KeyPair,
    pub(crate) witness: KeyPair,
}

/// A private key and what verifiers know of it.
pub(crate) struct KeyPair {
    pub(crate) signer: Arc<dyn Signer>,
    pub(crate) verifier: VerifierKey,
}

impl Setup {
    pub(crate) fn new(
        log_name: &str,
        store: Store,
        clock: Clock,
        log_key: Arc<dyn Signer>,
        witness_key: Arc<dyn Signer>,
    ) -> Result<Arc<Self>, NoteError> {
        let log = KeyPair::new(log_name, SignatureType::Ed25519, log_key)?;
        let witness = KeyPair::new(&witness_name(log_name), SignatureType::Cosignature, witness_key)?;
        Ok(Arc::new(Self {
            store,
            clock,
            log,
            witness,
        }))
    }

    /// Whether this service alone can keep a log under the policy: it has the log's key, and no other
    /// witness than its own is asked for. Cosignatures of others are not collected here.
    pub(crate) fn can_serve(&self, policy: &PolicyBody) -> bool {
        let Ok(policy) = TlogPolicy::parse(&policy.witness_policy) else {
            return false;
        };
        let own = |witness: &trust::tlog_policy::Witness| *witness.key() == self.witness.verifier;
        policy.logs().contains(&self.log.verifier) && policy.witnesses().iter().all(own)
    }
}

impl KeyPair {
    fn new(name: &str, signature_type: SignatureType, signer: Arc<dyn Signer>) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, signature_type, signer.public_key().clone())?;
        Ok(Self { signer, verifier })
    }
}
