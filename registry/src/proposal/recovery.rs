//! A recovery that is pending: its delay is there for officers to notice it, so it is told to everybody who asks.

use keys::Timestamp;
use serde_json::Value;
use serde_json::json;
use trust::merkle::Hash;
use trust::state::PolicyRecord;
use trust::state::State;

use super::summary;

/// A recovery of the Policy that was announced, takes effect later, and can still be stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRecovery {
    /// Leaf hash of the Policy that will be in force.
    pub policy: Hash,
    /// What it changes, in plain words.
    pub changes: String,
    /// The Snapshot time when it was logged.
    pub announced_at: Timestamp,
    /// The first Snapshot from then on puts it in force.
    pub takes_effect_at: Timestamp,
    /// The authority whose officers can stop it.
    pub authority: String,
    /// How many of them it takes.
    pub officers: u64,
}

impl PendingRecovery {
    /// The recovery that is pending in a state, such as that of a trust bundle.
    #[must_use]
    pub fn of(state: &State) -> Option<Self> {
        let (record, takes_effect_at) = state.pending_recovery()?;
        let in_force = state.policy().map(PolicyRecord::body)?;
        let governing = in_force.governing()?;
        Some(Self {
            policy: record.hash(),
            changes: summary::changes(record.body(), Some(in_force)),
            announced_at: record.time(),
            takes_effect_at,
            authority: governing.id.clone(),
            officers: governing.threshold,
        })
    }

    /// As programs read it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "policy": self.policy.to_string(),
            "changes": self.changes,
            "announced_at": self.announced_at.to_rfc3339(),
            "takes_effect_at": self.takes_effect_at.to_rfc3339(),
            "stopped_by": self.stopped_by(),
        })
    }

    fn stopped_by(&self) -> String {
        format!(
            "a change of the policy that {} officers of {} approve before then, such as {{\"type\": \"policy\", \"action\": \"cancel_recovery\"}}",
            self.officers, self.authority
        )
    }
}
