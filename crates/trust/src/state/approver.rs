//! Who signs a draft, and with which key.
//!
//! For services that gather the signatures of a draft one by one, and for the programs of those who sign. The rules are
//! those by which the approved entry is judged, under the Policy in force.

use keys::PublicKey;
use keys::SigningRequest;

use super::Refusal;
use super::State;
use super::approval;
use super::policy;
use crate::entry::ApprovalSignature;
use crate::entry::Body;
use crate::entry::Draft;
use crate::entry::PolicyKind;
use crate::merkle::Hash;

/// In whose name a key signs a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    signer: String,
    reveals: bool,
}

impl State {
    /// In whose name the key of this Multikey signs a draft that an authority approves; `None` where it may not. Of a
    /// recovery that is a recovery key. Of another change of the Policy it is the next key of an officer who has
    /// committed to one, and of everybody else, as of every other draft, the key in office.
    #[must_use]
    pub fn approver(&self, draft: &Draft, multikey: &str) -> Option<Approver> {
        let policy = self.policy()?.body();
        let digest = Hash::digest(multikey.as_bytes());
        let change = match &draft.body {
            Body::Policy(new) => Some(new.kind),
            _ => None,
        };
        if change == Some(PolicyKind::Recovery) {
            let keys = &policy.recovery.as_ref()?.keys;
            return keys.contains(&digest).then(|| Approver::new(&digest.to_string(), true));
        }
        let mut officers = policy.authority(&draft.ns)?.officers.iter();
        officers.find_map(|officer| {
            let next = officer.next.filter(|_| change.is_some());
            let signs = next.map_or_else(|| officer.key.to_multikey() == multikey, |next| next == digest);
            signs.then(|| Approver::new(&officer.id, next.is_some()))
        })
    }

    /// Whether a signature counts for a draft that an authority approves.
    ///
    /// # Errors
    /// The [`Refusal`] that the entry would meet with this signature.
    pub fn check_approver(&self, draft: &Draft, signature: &ApprovalSignature) -> Result<(), Refusal> {
        let in_force = self.policy().ok_or(Refusal::Genesis)?;
        if draft.policy != in_force.hash() {
            return Err(Refusal::Policy {
                expected: in_force.hash(),
                found: draft.policy,
            });
        }
        let body = in_force.body();
        let key = if let Body::Policy(new) = &draft.body {
            policy::key_of_change(body, (&draft.ns, new), signature)?
        } else {
            let authority = body.authority(&draft.ns).ok_or_else(|| Refusal::Authority {
                found: draft.ns.clone(),
            })?;
            approval::key_in_office(authority, signature)?.clone()
        };
        self.check_signed(&draft.message(), signature, &key)
    }
}

impl Approver {
    fn new(signer: &str, reveals: bool) -> Self {
        Self {
            signer: signer.to_owned(),
            reveals,
        }
    }

    /// An officer's id, or the digest of a recovery key.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// Asks for the signature, which reveals the key where the Policy knows it by its digest only.
    pub fn sign(&self, draft: &Draft, key: &PublicKey) -> SigningRequest<ApprovalSignature> {
        if self.reveals {
            draft.sign_revealing(&self.signer, key)
        } else {
            draft.sign(&self.signer, key.algorithm())
        }
    }
}
