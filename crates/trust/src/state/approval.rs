//! Who approved an entry: windows of validity, quorums, single officers and keys of DID documents.

use keys::Algorithm;
use keys::PublicKey;

use super::Refusal;
use super::State;
use crate::entry::Approval;
use crate::entry::ApprovalSignature;
use crate::entry::Authority;
use crate::entry::Entry;
use crate::entry::Officer;
use crate::merkle::Hash;

/// Thirty days in seconds: long enough for a quorum on three continents, short enough that a forgotten
/// approval does not surprise anybody.
pub const MAX_APPROVAL_LIFETIME: i64 = 30 * 86_400;

/// 72 hours in seconds, of Snapshot time.
pub const EMERGENCY_LAPSES_AFTER: i64 = 72 * 3_600;

impl State {
    /// The approval, if it is of the Policy in force and counts at the time of the preceding Snapshot.
    pub(super) fn current_approval<'a>(&self, entry: &'a Entry) -> Result<&'a Approval, Refusal> {
        let in_force = self.policy().map_or(Hash::ZERO, super::PolicyRecord::hash);
        let time = self.time();
        let approval = required(entry)?;
        if approval.policy != in_force {
            return Err(Refusal::Policy {
                expected: in_force,
                found: approval.policy,
            });
        }
        if time < approval.not_before {
            return Err(Refusal::NotYet {
                time,
                not_before: approval.not_before,
            });
        }
        if time >= approval.expires {
            return Err(Refusal::Expired {
                time,
                expires: approval.expires,
            });
        }
        let latest = time.plus(MAX_APPROVAL_LIFETIME);
        if approval.expires > latest {
            return Err(Refusal::Lifetime {
                latest,
                expires: approval.expires,
            });
        }
        Ok(approval)
    }

    /// The authority that governs, if it is the entry's namespace.
    pub(super) fn governing(&self, entry: &Entry) -> Result<&Authority, Refusal> {
        let governing = self.policy().and_then(|policy| policy.body().governing());
        governing
            .filter(|authority| authority.id == entry.ns())
            .ok_or_else(|| Refusal::Authority {
                found: entry.ns().to_owned(),
            })
    }

    /// The authority that is the entry's namespace.
    pub(super) fn authority(&self, entry: &Entry) -> Result<&Authority, Refusal> {
        let authority = self.policy().and_then(|policy| policy.body().authority(entry.ns()));
        authority.ok_or_else(|| Refusal::Authority {
            found: entry.ns().to_owned(),
        })
    }

    /// m of n officers of the authority approve.
    pub(super) fn check_quorum(&self, entry: &Entry, authority: &Authority) -> Result<(), Refusal> {
        let approval = self.current_approval(entry)?;
        let found = count(approval);
        if found < authority.threshold {
            return Err(Refusal::Signatures {
                expected: authority.threshold,
                found,
            });
        }
        self.check_officers(entry, approval, authority)
    }

    /// Exactly one officer of the authority approves; returns the officer's id.
    pub(super) fn check_one_officer(&self, entry: &Entry, authority: &Authority) -> Result<String, Refusal> {
        let approval = self.current_approval(entry)?;
        let [only] = approval.signatures.as_slice() else {
            return Err(Refusal::Signatures {
                expected: 1,
                found: count(approval),
            });
        };
        self.check_officers(entry, approval, authority)?;
        Ok(only.signer().to_owned())
    }

    /// Exactly one signature, by an assertion key of the current document of the DID that is the namespace.
    pub(super) fn check_did_signature(&self, entry: &Entry) -> Result<(), Refusal> {
        let approval = self.current_approval(entry)?;
        let [only] = approval.signatures.as_slice() else {
            return Err(Refusal::Signatures {
                expected: 1,
                found: count(approval),
            });
        };
        let key = self.assertion_key(entry.ns(), only.signer())?;
        if only.revealed_key().is_some() {
            return Err(Refusal::CommittedKey {
                signer: only.signer().to_owned(),
            });
        }
        self.check_signature(entry, approval, only, &key)
    }

    /// One signature with a key that is already known to be the signer's.
    pub(super) fn check_signature(
        &self,
        entry: &Entry,
        approval: &Approval,
        signature: &ApprovalSignature,
        key: &PublicKey,
    ) -> Result<(), Refusal> {
        self.check_signed(&entry.message(self.anchor().origin(), approval), signature, key)
    }

    /// One signature over this message with a key that is already known to be the signer's.
    pub(super) fn check_signed(
        &self,
        message: &[u8],
        signature: &ApprovalSignature,
        key: &PublicKey,
    ) -> Result<(), Refusal> {
        let signer = || signature.signer().to_owned();
        if signature.algorithm() != key.algorithm() || !self.allows(signature.algorithm()) {
            return Err(Refusal::Algorithm { signer: signer() });
        }
        key.verify(message, signature.signature())
            .map_err(|_| Refusal::Signature { signer: signer() })
    }

    /// Every signature is of an officer of the authority, with the officer's current key. Signers are
    /// distinct by the form of the entry, keys are distinct by the rules of the Policy.
    fn check_officers(&self, entry: &Entry, approval: &Approval, authority: &Authority) -> Result<(), Refusal> {
        for signature in &approval.signatures {
            let key = key_in_office(authority, signature)?;
            self.check_signature(entry, approval, signature, key)?;
        }
        Ok(())
    }

    fn allows(&self, algorithm: Algorithm) -> bool {
        self.policy()
            .is_none_or(|policy| policy.body().algorithms.contains(&algorithm))
    }
}

/// The approval of an entry whose type has one.
pub(super) fn required(entry: &Entry) -> Result<&Approval, Refusal> {
    // `Entry::parse` refuses an approved type without it.
    entry.approval().ok_or(Refusal::Signatures { expected: 1, found: 0 })
}

/// The officer in whose name a signature is.
pub(super) fn officer<'a>(authority: &'a Authority, signature: &ApprovalSignature) -> Result<&'a Officer, Refusal> {
    let officer = authority.officer(signature.signer());
    officer.ok_or_else(|| Refusal::Signer {
        found: signature.signer().to_owned(),
    })
}

/// The key that an officer signs everything with but a change of the Policy, which alone reveals keys.
pub(super) fn key_in_office<'a>(
    authority: &'a Authority,
    signature: &ApprovalSignature,
) -> Result<&'a PublicKey, Refusal> {
    let officer = officer(authority, signature)?;
    if signature.revealed_key().is_some() {
        return Err(Refusal::CommittedKey {
            signer: officer.id.clone(),
        });
    }
    Ok(&officer.key)
}

pub(super) fn count(approval: &Approval) -> u64 {
    u64::try_from(approval.signatures.len()).unwrap_or(u64::MAX)
}
