//! What the service keeps of each issued credential and each status list.

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
    /// It never counts again.
    Revoked { place: Place, revoked_at: Timestamp },
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
            Self::Revoked { .. } => "revoked",
        }
    }
}
