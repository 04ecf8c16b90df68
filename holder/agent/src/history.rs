//! The journal: what was asked for by whom, and what left the wallet. It holds names of claims, never a value.

use holder::Proposal;
use keys::Timestamp;
use openid4vc::vp::ReceivedRequest;
use serde::Deserialize;
use serde::Serialize;

use crate::CredentialSummary;
use crate::Wallet;
use crate::WalletError;
use crate::wallet::rfc3339;

/// One request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// When.
    #[serde(serialize_with = "rfc3339", deserialize_with = "from_rfc3339")]
    pub at: Timestamp,
    /// The verifier's client identifier.
    pub verifier: String,
    /// Where the answer went; `None` for a file.
    pub response_uri: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
    /// What was, or would have been, disclosed.
    pub credentials: Vec<HistoryCredential>,
}

/// What was disclosed of one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryCredential {
    /// The wallet's id of it. It may be forgotten by now.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The labels of the claims.
    pub claims: Vec<String>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The person declined; nothing was disclosed.
    Declined,
    /// The verifier took the answer.
    Delivered,
    /// The answer was written to a file, for the person to hand over.
    File,
    /// The answer was sent, and the verifier said that it does not take it. It may have read it all the same.
    Refused,
    /// The answer was being sent; whether it arrived is not known.
    Sending,
}

impl Wallet {
    /// The journal, oldest entry first.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn history(&self) -> Result<Vec<HistoryEntry>, WalletError> {
        let names = self.vault.list("history")?;
        let read = |name: &String| {
            let damaged = || WalletError::Item { name: name.clone() };
            self.item(name)?.ok_or_else(damaged)
        };
        names.iter().map(read).collect()
    }

    /// Writes an entry; the name is for [`Wallet::record_outcome`].
    pub(crate) fn record(&self, entry: &HistoryEntry) -> Result<String, WalletError> {
        // By time, for the next thirty thousand years, and within a second by order.
        let count = self.vault.list("history")?.len();
        let name = format!("history/{:012}-{count:06}", entry.at.unix().max(0));
        self.put_item(&name, entry)?;
        Ok(name)
    }

    /// Writes down how it ended.
    pub(crate) fn record_outcome(&self, name: &str, entry: HistoryEntry, outcome: Outcome) -> Result<(), WalletError> {
        self.put_item(name, &HistoryEntry { outcome, ..entry })
    }
}

impl HistoryEntry {
    pub(crate) fn new(
        request: &ReceivedRequest,
        proposal: Option<&Proposal<'_>>,
        outcome: Outcome,
        at: Timestamp,
    ) -> Self {
        let request = request.request();
        let credential = |proposed: &holder::ProposedCredential<'_>| HistoryCredential {
            id: proposed.record().id.clone(),
            name: proposed.name(&CredentialSummary::LOCALES),
            claims: proposed.disclosed().iter().map(|one| one.claim.label.clone()).collect(),
        };
        let response_uri = match outcome {
            Outcome::File => None,
            Outcome::Declined | Outcome::Delivered | Outcome::Refused | Outcome::Sending => {
                request.delivery.response_uri().map(ToString::to_string)
            }
        };
        Self {
            at,
            verifier: request.client_id.as_str().to_owned(),
            response_uri,
            outcome,
            credentials: proposal.map_or_else(Vec::new, |proposal| {
                proposal.credentials().iter().map(credential).collect()
            }),
        }
    }
}

fn from_rfc3339<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Timestamp::parse_rfc3339(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}
