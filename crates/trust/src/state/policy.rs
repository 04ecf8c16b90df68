//! Policies: the chain from genesis, each accepted by the quorum before it.
//!
//! A regular change is signed by a quorum of the governing authority of the Policy in force. An officer
//! with a committed next key signs it with that key, and with it only: whoever steals the keys of daily
//! use cannot change who governs. A recovery is signed by recovery keys, changes no witness, and takes
//! effect only after its delay of Snapshot time, in which any regular change cancels it.

mod content;

use keys::PublicKey;
use keys::Timestamp;
use keys::cbor::Value;

use super::Clock;
use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use super::approval;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::ApprovalSignature;
use crate::entry::Authority;
use crate::entry::Body;
use crate::entry::Entry;
use crate::entry::Officer;
use crate::entry::PolicyBody;
use crate::entry::PolicyKind;
use crate::entry::Recovery;
use crate::merkle::Hash;
use crate::tlog_policy::TlogPolicy;
use content::check_content;

/// What the state keeps of a Policy: the whole entry, since a bundle proves the chain of them.
///
/// ```cddl
/// policy-record = { 1: bstr, 2: uint, 3: time }  ; the leaf, its index, the Snapshot time it was judged by
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRecord {
    leaf: Vec<u8>,
    index: u64,
    time: Timestamp,
    /// Decoded from the leaf.
    entry: Entry,
    body: PolicyBody,
    witnesses: TlogPolicy,
}

impl PolicyRecord {
    fn new(leaf: &[u8], index: u64, time: Timestamp) -> Result<Self, DecodeError> {
        let entry = Entry::parse(leaf)?;
        let Body::Policy(body) = entry.body().clone() else {
            return Err(DecodeError::Shape {
                what: "policy record",
                expected: "a Policy entry",
            });
        };
        let witnesses = TlogPolicy::parse(&body.witness_policy);
        let witnesses = witnesses.map_err(|_| DecodeError::Shape {
            what: "policy record",
            expected: "a tlog-policy",
        })?;
        Ok(Self {
            leaf: leaf.to_vec(),
            index,
            time,
            entry,
            body,
            witnesses,
        })
    }

    /// What it says.
    #[must_use]
    pub const fn body(&self) -> &PolicyBody {
        &self.body
    }

    /// Its tlog-policy, parsed.
    #[must_use]
    pub const fn witnesses(&self) -> &TlogPolicy {
        &self.witnesses
    }

    /// Its leaf hash: the id that approvals name.
    #[must_use]
    pub const fn hash(&self) -> Hash {
        self.entry.hash()
    }

    /// The Snapshot time that it was judged by: of a recovery, when it was announced.
    #[must_use]
    pub const fn time(&self) -> Timestamp {
        self.time
    }

    /// Its leaf.
    #[must_use]
    pub fn leaf(&self) -> &[u8] {
        &self.leaf
    }

    pub(super) const fn head(&self) -> Head {
        Head {
            seq: self.entry.seq(),
            entry: self.entry.hash(),
            index: self.index,
            time: self.time,
        }
    }
}

impl Record for PolicyRecord {
    /// The sequence number with leading zeros, so that keys sort as numbers do.
    fn key(&self) -> String {
        format!("{:020}", self.entry.seq())
    }

    fn index(&self) -> u64 {
        self.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::bytes(self.leaf.as_slice()))
            .put(2, self.index)
            .put(3, codec::time_value(self.time))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("policy record", value)?;
        let (leaf, index, time) = (fields.bytes(1)?, fields.unsigned(2)?, fields.time(3)?);
        fields.end()?;
        Self::new(&leaf, index, time)
    }
}

impl State {
    /// The Policy in force at the time of the last Snapshot. `None` only before the genesis.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyRecord> {
        self.policy_at(self.time())
    }

    /// The Policy of this leaf hash, which approvals and drafts name it by.
    #[must_use]
    pub fn policy_of(&self, hash: Hash) -> Option<&PolicyRecord> {
        self.policies.iter().rev().find(|record| record.hash() == hash)
    }

    /// Leaf hash of the newest Policy, in force or not. `None` only before the genesis.
    pub(crate) fn newest_policy(&self) -> Option<Hash> {
        self.policies.last().map(PolicyRecord::hash)
    }

    /// Whether the Policy with this leaf hash is one of this log.
    pub(crate) fn has_policy(&self, hash: Hash) -> bool {
        self.policies.iter().any(|record| record.hash() == hash)
    }

    /// A recovery that was announced and has not taken effect, with the time when it will.
    #[must_use]
    pub fn pending_recovery(&self) -> Option<(&PolicyRecord, Timestamp)> {
        let last = self
            .policies
            .last()
            .filter(|record| record.body.kind == PolicyKind::Recovery)?;
        let due = self.recovery_due(last)?;
        (due > self.time()).then_some((last, due))
    }

    /// Verifies the chain of Policies again, from the genesis of the anchor on: for a state that was read
    /// back instead of replayed. Times are those of the records.
    ///
    /// # Errors
    /// The [`Refusal`] of the first Policy that does not follow.
    pub(crate) fn verify_policies(&self) -> Result<(), Refusal> {
        let mut replay = Self::new(self.anchor().clone());
        for record in self.policies.iter() {
            // Stands in for the Snapshot that this Policy was judged by.
            replay.clock = (!replay.policies.is_empty()).then_some(Clock {
                index: record.index,
                entry: Hash::ZERO,
                epoch: 0,
                time: record.time,
                next_update: record.time,
                hard_expiry: record.time,
            });
            replay.size = record.index;
            replay.check_chain(&record.entry)?;
            if record.entry.subject() != self.anchor().origin() {
                return Err(Refusal::Identity {
                    member: "subject",
                    expected: "the origin",
                });
            }
            if replay.policies.is_empty() {
                replay.check_genesis(&record.entry, &record.body)?;
            } else {
                replay.check_change(&record.entry, &record.body)?;
            }
            replay.policies.put(record.clone());
        }
        if replay.policies.is_empty() {
            Err(Refusal::Genesis)
        } else {
            Ok(())
        }
    }

    pub(super) fn apply_policy(&mut self, entry: &Entry, leaf: &[u8], body: &PolicyBody) -> Result<(), Refusal> {
        if entry.subject() != self.anchor().origin() {
            return Err(Refusal::Identity {
                member: "subject",
                expected: "the origin",
            });
        }
        if self.policies.is_empty() {
            self.check_genesis(entry, body)?;
        } else {
            self.check_change(entry, body)?;
        }
        let time = body.genesis_time.unwrap_or_else(|| self.time());
        self.policies.put(PolicyRecord::new(leaf, self.size, time)?);
        Ok(())
    }

    fn policy_at(&self, time: Timestamp) -> Option<&PolicyRecord> {
        let mut records = self.policies.iter().rev();
        let last = records.next()?;
        if last.body.kind == PolicyKind::Regular {
            return Some(last);
        }
        // Two recoveries never follow each other unless the first is in force, so one step back suffices
        // where this one is not.
        match self.recovery_due(last) {
            Some(due) if due <= time => Some(last),
            _ => self.before(last),
        }
    }

    /// When a recovery takes effect: its time plus the delay of the Policy that it recovers.
    fn recovery_due(&self, record: &PolicyRecord) -> Option<Timestamp> {
        let delay = self.before(record)?.body.recovery.as_ref()?.delay;
        Some(record.time.plus(i64::try_from(delay).unwrap_or(i64::MAX)))
    }

    /// The Policy that was in force when this one was applied: the one that its approval names.
    fn before(&self, record: &PolicyRecord) -> Option<&PolicyRecord> {
        self.policy_of(record.entry.approval()?.policy)
    }

    fn check_genesis(&self, entry: &Entry, body: &PolicyBody) -> Result<(), Refusal> {
        let approval = approval::required(entry)?;
        let is_first = entry.hash() == self.anchor().genesis() && approval.policy == Hash::ZERO;
        if !is_first || body.kind != PolicyKind::Regular || body.genesis_time.is_none() {
            return Err(Refusal::Genesis);
        }
        let witnesses = check_content(body, self.anchor().origin())?;
        if witnesses.logs().first() != Some(self.anchor().log()) {
            return Err(Refusal::Genesis);
        }
        let governing = governing(body, entry.ns())?;
        // Its own officers show that they hold their keys.
        let found = approval::count(approval);
        if found < governing.threshold {
            return Err(Refusal::Signatures {
                expected: governing.threshold,
                found,
            });
        }
        for signature in &approval.signatures {
            let officer = approval::officer(governing, signature)?;
            self.check_signature(entry, approval, signature, &officer.key)?;
        }
        Ok(())
    }

    /// Whether this Policy may follow the one in force, all but its signatures: for whoever proposes it, before anybody
    /// signs. `ns` is the authority whose approval counts.
    ///
    /// # Errors
    /// The [`Refusal`] that the approved entry would meet.
    pub fn check_next_policy(&self, ns: &str, new: &PolicyBody) -> Result<(), Refusal> {
        let in_force = &self.policy().ok_or(Refusal::Genesis)?.body;
        if new.genesis_time.is_some() {
            return Err(Refusal::PolicyContent {
                expected: "a genesis time in the genesis Policy only",
            });
        }
        check_content(new, self.anchor().origin())?;
        match new.kind {
            PolicyKind::Regular => {
                governing(in_force, ns)?;
                check_next_keys(new, in_force)
            }
            PolicyKind::Recovery => self.check_recovery(ns, new, in_force),
        }
    }

    /// Whether `body` may follow the Policy in force, approved at this time.
    fn check_change(&self, entry: &Entry, body: &PolicyBody) -> Result<(), Refusal> {
        let approval = self.current_approval(entry)?;
        self.check_next_policy(entry.ns(), body)?;
        let in_force = &self.policy().ok_or(Refusal::Genesis)?.body;
        let expected = match body.kind {
            PolicyKind::Regular => governing(in_force, entry.ns())?.threshold,
            PolicyKind::Recovery => recovery(in_force)?.threshold,
        };
        let found = approval::count(approval);
        if found < expected {
            return Err(Refusal::Signatures { expected, found });
        }
        for signature in &approval.signatures {
            let key = key_of_change(in_force, (entry.ns(), body), signature)?;
            self.check_signature(entry, approval, signature, &key)?;
        }
        Ok(())
    }

    fn check_recovery(&self, ns: &str, new: &PolicyBody, old: &PolicyBody) -> Result<(), Refusal> {
        recovery(old)?;
        if self.pending_recovery().is_some() {
            return Err(Refusal::RecoveryPending);
        }
        governing(new, ns)?;
        // The witnesses enforce the delay, so a recovery must not choose them.
        if new.witness_policy != old.witness_policy || new.state_quorum != old.state_quorum {
            return Err(Refusal::PolicyContent {
                expected: "the same logs and witnesses in a recovery",
            });
        }
        Ok(())
    }
}

/// The governing authority, if it is this one.
fn governing<'a>(policy: &'a PolicyBody, ns: &str) -> Result<&'a Authority, Refusal> {
    let governing = policy.governing().filter(|authority| authority.id == ns);
    governing.ok_or_else(|| Refusal::Authority { found: ns.to_owned() })
}

fn recovery(policy: &PolicyBody) -> Result<&Recovery, Refusal> {
    policy.recovery.as_ref().ok_or(Refusal::PolicyContent {
        expected: "recovery keys in the policy before",
    })
}

/// The key that this signature of a change of the Policy in force must be of.
pub(super) fn key_of_change(
    in_force: &PolicyBody,
    (ns, new): (&str, &PolicyBody),
    signature: &ApprovalSignature,
) -> Result<PublicKey, Refusal> {
    if new.kind == PolicyKind::Recovery {
        return recovery_key(recovery(in_force)?, signature);
    }
    let governing = governing(in_force, ns)?;
    let officer = approval::officer(governing, signature)?;
    let key = officer_key(officer, signature)?;
    let after = new
        .authority(&governing.id)
        .and_then(|authority| authority.officer(&officer.id));
    // A key that was revealed is in office from then on.
    if signature.revealed_key().is_some() && after.is_some_and(|after| after.key != key) {
        return Err(Refusal::NextKey {
            officer: officer.id.clone(),
        });
    }
    Ok(key)
}

/// The key that an officer signs a change of policy with: the committed next one, where there is one.
fn officer_key(officer: &Officer, signature: &ApprovalSignature) -> Result<PublicKey, Refusal> {
    let wrong = || Refusal::CommittedKey {
        signer: officer.id.clone(),
    };
    match (officer.next, signature.revealed_key()) {
        (None, None) => Ok(officer.key.clone()),
        (Some(next), Some(revealed)) if Hash::digest(revealed.as_bytes()) == next => {
            PublicKey::from_multikey(revealed).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

/// The signer of a recovery is the hexadecimal digest of its key: a key has no second name to sign under.
fn recovery_key(recovery: &Recovery, signature: &ApprovalSignature) -> Result<PublicKey, Refusal> {
    let signer = signature.signer();
    let committed = recovery.keys.iter().find(|digest| digest.to_string() == signer);
    let committed = committed.ok_or_else(|| Refusal::RecoveryKey {
        found: signer.to_owned(),
    })?;
    let revealed = signature
        .revealed_key()
        .filter(|revealed| Hash::digest(revealed.as_bytes()) == *committed);
    let key = revealed.and_then(|revealed| PublicKey::from_multikey(revealed).ok());
    key.ok_or_else(|| Refusal::CommittedKey {
        signer: signer.to_owned(),
    })
}

/// An officer with a committed next key keeps the key or moves to that one.
fn check_next_keys(new: &PolicyBody, old: &PolicyBody) -> Result<(), Refusal> {
    for authority in &old.authorities {
        let after = new.authority(&authority.id);
        for officer in &authority.officers {
            let after = after.and_then(|authority| authority.officer(&officer.id));
            let (Some(next), Some(after)) = (officer.next, after) else {
                continue;
            };
            if after.key != officer.key && Hash::digest(after.key.to_multikey().as_bytes()) != next {
                return Err(Refusal::NextKey {
                    officer: officer.id.clone(),
                });
            }
        }
    }
    Ok(())
}
