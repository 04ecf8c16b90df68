//! What the service keeps of each issued credential and each status list.

use ::credential::status_list::Status;
use keys::Timestamp;
use serde::Deserialize;
use serde::Serialize;

/// One issued credential. It holds no claims: they are in the register and in the wallet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssuedCredential {
    pub(crate) id: String,
    pub(crate) agency: String,
    pub(crate) credential_type: String,
    /// The agency's own reference to the person.
    pub(crate) subject: String,
    /// OpenID4VCI name of the format.
    pub(crate) format: String,
    pub(crate) issued_at: Timestamp,
    pub(crate) valid_until: Timestamp,
    pub(crate) status: CredentialStatus,
}

/// Whether a credential counts, and where that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(crate) enum CredentialStatus {
    /// Its type has no status list: it ends by itself.
    Unlisted,
    /// It counts.
    Valid { place: Place },
    /// It does not count now.
    Suspended { place: Place, suspended_at: Timestamp },
    /// It never counts again.
    Revoked { place: Place, revoked_at: Timestamp },
}

/// What an officer does to a credential's status.
///
/// ```text
/// valid <--reinstate-- suspended    valid --suspend--> suspended    valid, suspended --revoke--> revoked
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusChange {
    Reinstate,
    Revoke,
    Suspend,
}

/// Why a status cannot be changed so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unchangeable {
    Revoked,
    Unlisted,
}

/// A credential's place in a status list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) list: String,
    /// The list as the credential names it.
    pub(crate) uri: String,
    pub(crate) index: usize,
}

/// One status list of an agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListRecord {
    pub(crate) id: String,
    /// What credentials name it by. Fixed when the list is started: should the platform move to another URL,
    /// a revocation must still reach the credentials of before.
    pub(crate) uri: String,
    pub(crate) agency: String,
    pub(crate) credential_type: String,
    /// Rises with every change and every renewal.
    pub(crate) epoch: u64,
    /// The highest epoch that was ever sent to the registry, whether it said so or not.
    pub(crate) attempted: u64,
    /// What the registry has, as it said itself.
    pub(crate) committed: Option<Committed>,
}

/// The list that takes the next credentials of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CurrentList {
    pub(crate) list: String,
    pub(crate) uri: String,
}

/// A commitment of a list that the registry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Committed {
    pub(crate) epoch: u64,
    pub(crate) at: Timestamp,
}

impl CredentialStatus {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Unlisted => "unlisted",
            Self::Valid { .. } => "valid",
            Self::Suspended { .. } => "suspended",
            Self::Revoked { .. } => "revoked",
        }
    }

    /// What the status list says in the credential's place. One without a list has none; it counts.
    pub(crate) const fn value(&self) -> Status {
        match self {
            Self::Unlisted | Self::Valid { .. } => Status::Valid,
            Self::Suspended { .. } => Status::Suspended,
            Self::Revoked { .. } => Status::Invalid,
        }
    }

    /// The credential's place, and its status after a change; the same status if it is so already.
    pub(crate) fn after(&self, change: StatusChange, now: Timestamp) -> Result<(Place, Self), Unchangeable> {
        let (Self::Valid { place } | Self::Suspended { place, .. } | Self::Revoked { place, .. }) = self else {
            return Err(Unchangeable::Unlisted);
        };
        let listed = place.clone();
        let after = match (self, change) {
            (Self::Valid { .. }, StatusChange::Reinstate)
            | (Self::Suspended { .. }, StatusChange::Suspend)
            | (Self::Revoked { .. }, StatusChange::Revoke) => self.clone(),
            (Self::Revoked { .. }, StatusChange::Reinstate | StatusChange::Suspend) => {
                return Err(Unchangeable::Revoked);
            }
            (_, StatusChange::Reinstate) => Self::Valid { place: listed },
            (_, StatusChange::Suspend) => Self::Suspended {
                place: listed,
                suspended_at: now,
            },
            (_, StatusChange::Revoke) => Self::Revoked {
                place: listed,
                revoked_at: now,
            },
        };
        Ok((place.clone(), after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

    fn place() -> Place {
        Place {
            list: "1".to_owned(),
            uri: "https://a.example/status/1".to_owned(),
            index: 7,
        }
    }

    #[test]
    fn suspensions_end_and_revocations_do_not() {
        use StatusChange::Reinstate;
        use StatusChange::Revoke;
        use StatusChange::Suspend;
        let valid = CredentialStatus::Valid { place: place() };
        for (changes, expected) in [
            (&[][..], Ok("valid")),
            (&[Reinstate], Ok("valid")),
            (&[Suspend], Ok("suspended")),
            (&[Suspend, Suspend], Ok("suspended")),
            (&[Suspend, Reinstate], Ok("valid")),
            (&[Suspend, Reinstate, Suspend], Ok("suspended")),
            (&[Revoke], Ok("revoked")),
            (&[Revoke, Revoke], Ok("revoked")),
            (&[Suspend, Revoke], Ok("revoked")),
            (&[Revoke, Reinstate], Err(Unchangeable::Revoked)),
            (&[Revoke, Suspend], Err(Unchangeable::Revoked)),
            (&[Suspend, Revoke, Reinstate], Err(Unchangeable::Revoked)),
        ] {
            let after = changes.iter().try_fold(valid.clone(), |status, change| {
                status.after(*change, NOW).map(|(_, after)| after)
            });
            assert_eq!(
                after.as_ref().map(CredentialStatus::name),
                expected.as_ref().copied(),
                "{changes:?}"
            );
        }
        for change in [Reinstate, Revoke, Suspend] {
            let refused = CredentialStatus::Unlisted.after(change, NOW);
            assert_eq!(refused, Err(Unchangeable::Unlisted));
        }
    }

    /// The time of a status is that of its change, not of a repetition.
    #[test]
    fn what_is_done_twice_keeps_its_time() {
        let valid = CredentialStatus::Valid { place: place() };
        for change in [StatusChange::Suspend, StatusChange::Revoke] {
            let (_, once) = valid.after(change, NOW).unwrap();
            assert_eq!(once.after(change, NOW.plus(1)), Ok((place(), once.clone())));
        }
    }
}
