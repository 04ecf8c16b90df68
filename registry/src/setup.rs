//! What the parts of the service share: store, lease, clock and the two keys with their public names.

use std::sync::Arc;

use keys::Signer;
use server::Clock;
use server::Fetcher;
use store::Store;
use trust::entry::PolicyBody;
use trust::note::NoteError;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::tlog_policy::TlogPolicy;
use trust::tlog_policy::Witness;

use crate::genesis::witness_name;
use crate::lease::Lease;

/// Store, lease, clock and keys.
pub(crate) struct Setup {
    pub(crate) store: Store,
    /// Whether this process may write to the log.
    pub(crate) lease: Lease,
    pub(crate) clock: Clock,
    /// For asking the witnesses of elsewhere.
    pub(crate) fetcher: Fetcher,
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
        (store, lease): (Store, Lease),
        clock: Clock,
        fetcher: Fetcher,
        log_key: Arc<dyn Signer>,
        witness_key: Arc<dyn Signer>,
    ) -> Result<Arc<Self>, NoteError> {
        let log = KeyPair::new(log_name, SignatureType::Ed25519, log_key)?;
        let witness = KeyPair::new(&witness_name(log_name), SignatureType::Cosignature, witness_key)?;
        Ok(Arc::new(Self {
            store,
            lease,
            clock,
            fetcher,
            log,
            witness,
        }))
    }

    /// Whether this service can keep a log under the policy: it has the log's key, and every other witness than its own
    /// can be asked.
    pub(crate) fn can_serve(&self, policy: &PolicyBody) -> bool {
        let Ok(policy) = TlogPolicy::parse(&policy.witness_policy) else {
            return false;
        };
        let can_ask = |witness: &Witness| *witness.key() == self.witness.verifier || witness.url().is_some();
        policy.logs().contains(&self.log.verifier) && policy.witnesses().iter().all(can_ask)
    }
}

impl KeyPair {
    fn new(name: &str, signature_type: SignatureType, signer: Arc<dyn Signer>) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, signature_type, signer.public_key().clone())?;
        Ok(Self { signer, verifier })
    }
}
