//! What the parts of the service share: store, lease, clock and the keys with their public names.

use std::sync::Arc;

use keys::Signer;
use keys::ml_dsa;
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
    /// For asking the witnesses of elsewhere, and subjects of OpenID Federation.
    pub(crate) fetcher: Fetcher,
    pub(crate) log: KeyPair,
    /// With it the log signs each checkpoint again, where it has one.
    pub(crate) second: Option<SecondKey>,
    pub(crate) witness: KeyPair,
}

/// The private keys that the service signs with.
pub(crate) struct ServiceKeys {
    pub(crate) log: Arc<dyn Signer>,
    pub(crate) second: Option<Arc<dyn ml_dsa::Signer>>,
    pub(crate) witness: Arc<dyn Signer>,
}

/// The log's key of ML-DSA-44.
pub(crate) struct SecondKey {
    pub(crate) signer: Arc<dyn ml_dsa::Signer>,
    pub(crate) verifier: VerifierKey,
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
        keys: ServiceKeys,
    ) -> Result<Arc<Self>, NoteError> {
        let log = KeyPair::new(log_name, SignatureType::Ed25519, keys.log)?;
        let second = keys.second.map(|signer| {
            let verifier = VerifierKey::ml_dsa(log_name, signer.public_key().clone())?;
            Ok(SecondKey { signer, verifier })
        });
        let witness = KeyPair::new(&witness_name(log_name), SignatureType::Cosignature, keys.witness)?;
        Ok(Arc::new(Self {
            store,
            lease,
            clock,
            fetcher,
            log,
            second: second.transpose()?,
            witness,
        }))
    }

    /// Whether this service can keep a log under the policy: it has the log's key, and the second one where the policy
    /// demands it, and every other witness than its own can be asked.
    pub(crate) fn can_serve(&self, policy: &PolicyBody) -> bool {
        let Ok(policy) = TlogPolicy::parse(&policy.witness_policy) else {
            return false;
        };
        let can_ask = |witness: &Witness| *witness.key() == self.witness.verifier || witness.url().is_some();
        let signs = |key: &VerifierKey| policy.logs().contains(key);
        let second = self.second.as_ref().is_some_and(|second| signs(&second.verifier));
        signs(&self.log.verifier)
            && (second || !policy.demands_ml_dsa(self.log.verifier.name()))
            && policy.witnesses().iter().all(can_ask)
    }
}

impl KeyPair {
    fn new(name: &str, signature_type: SignatureType, signer: Arc<dyn Signer>) -> Result<Self, NoteError> {
        let verifier = VerifierKey::new(name, signature_type, signer.public_key().clone())?;
        Ok(Self { signer, verifier })
    }
}
