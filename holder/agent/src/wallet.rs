//! The wallet's folder.
//!
//! | Item of the vault | Content |
//! |---|---|
//! | `credentials/{id}` | a [`CredentialRecord`] as JSON |
//! | `keys/{id}` | the key that this credential, and no other, is bound to |
//! | `extracts/{id}` | what the register said of its issuer when the wallet asked last |
//! | `history/{time}-{count}` | a [`crate::HistoryEntry`] as JSON |

use std::path::Path;
use std::path::PathBuf;

use holder::CredentialRecord;
use holder::HeldCredential;
use holder::OpenError;
use holder::ShownClaim;
use holder::printable;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use rand_core::Rng as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use signer::Passphrase;
use signer::Vault;
use signer::VaultError;
use thiserror::Error;
use trust::Anchor;

use crate::extract::extract_item;

/// 40 random bits: short enough to type, and a wallet holds hundreds of credentials, not millions.
const ID_BYTES: usize = 5;

/// An open wallet. No other process can open it meanwhile.
#[derive(Debug)]
pub struct Wallet {
    pub(crate) vault: Vault,
    pub(crate) anchors: Vec<Anchor>,
}

/// A credential in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CredentialSummary {
    /// The wallet's name for it.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// Its format.
    pub format: CredentialFormat,
    /// Its types, the main one first.
    pub types: Vec<String>,
    /// The issuer's DID.
    pub issuer: String,
    /// The issuer's name, as it calls itself.
    pub issuer_name: Option<String>,
    /// When it came.
    #[serde(serialize_with = "rfc3339")]
    pub received_at: Timestamp,
    /// Valid from then on.
    #[serde(serialize_with = "optional_rfc3339")]
    pub valid_from: Option<Timestamp>,
    /// No longer valid from then on.
    #[serde(serialize_with = "optional_rfc3339")]
    pub valid_until: Option<Timestamp>,
}

/// A credential with its claims.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CredentialDetails {
    /// What the list shows.
    #[serde(flatten)]
    pub summary: CredentialSummary,
    /// The claims with their labels, in the issuer's order.
    pub shown: Vec<ShownClaim>,
    /// All claims as they stand, those of the credential itself included.
    pub claims: Map<String, Value>,
}

/// The wallet cannot be used, or not so.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WalletError {
    /// A wallet is already there: it is never replaced.
    #[error("expected no wallet in {home}, found one; use it, or choose another folder")]
    Exists {
        /// Where.
        home: PathBuf,
    },
    /// No wallet is there.
    #[error("expected a wallet in {home}, found none; make one with `attestry wallet init`")]
    Missing {
        /// Where.
        home: PathBuf,
    },
    /// Something stored is not what this program wrote.
    #[error("the item {name} of the wallet is damaged; restore the folder from a backup, or remove the item")]
    Item {
        /// The item.
        name: String,
    },
    /// The key of a credential is not there.
    #[error("the key {name} is missing from the wallet; restore the folder from a backup")]
    KeyMissing {
        /// The item.
        name: String,
    },
    /// No passphrase.
    #[error("expected a passphrase, found an empty one")]
    NoPassphrase,
    /// A credential cannot be read.
    #[error("the credential {id} cannot be read; restore the folder from a backup, or forget the credential")]
    Open {
        /// Its id.
        id: String,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// No such credential.
    #[error("expected the id of a credential in this wallet, found {id:?}; `attestry wallet list` shows them")]
    Unknown {
        /// What was asked for.
        id: String,
    },
    /// The folder: wrong passphrase, in use, damaged, or not writable.
    #[error("the wallet cannot be used")]
    Vault(#[source] VaultError),
}

impl Wallet {
    /// Makes a new, empty wallet in `home`.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn init(home: &Path, passphrase: &Passphrase) -> Result<Self, WalletError> {
        if passphrase.is_empty() {
            return Err(WalletError::NoPassphrase);
        }
        let vault = Vault::create(home, passphrase, &mut signer::os_rng())?;
        Ok(Self {
            vault,
            anchors: Vec::new(),
        })
    }

    /// Whether a wallet is in `home`.
    #[must_use]
    pub fn exists(home: &Path) -> bool {
        Vault::exists(home)
    }

    /// Opens the wallet in `home`.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn open(home: &Path, passphrase: &Passphrase) -> Result<Self, WalletError> {
        let vault = Vault::open(home, passphrase)?;
        Ok(Self {
            vault,
            anchors: Vec::new(),
        })
    }

    /// Believes the registries of these anchors, which the person has pinned, about documents of `did:web`.
    #[must_use]
    pub fn with_anchors(self, anchors: Vec<Anchor>) -> Self {
        Self { anchors, ..self }
    }

    /// The credentials, in the order in which they came.
    ///
    /// # Errors
    /// [`WalletError`]; a damaged credential is an error, not silently left out.
    pub fn list(&self) -> Result<Vec<CredentialSummary>, WalletError> {
        let mut summaries = Vec::new();
        for record in self.records()? {
            summaries.push(CredentialSummary::of(&record, &open(&record)?));
        }
        summaries.sort_by(|a, b| (a.received_at, &a.id).cmp(&(b.received_at, &b.id)));
        Ok(summaries)
    }

    /// One credential with its claims.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn show(&self, id: &str) -> Result<CredentialDetails, WalletError> {
        let (record, held) = self.credential(id)?;
        Ok(CredentialDetails {
            summary: CredentialSummary::of(&record, &held),
            shown: held.shown_claims(&record),
            claims: held.claims().clone(),
        })
    }

    /// One credential as it is stored, and read: what a card is drawn from.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn credential(&self, id: &str) -> Result<(CredentialRecord, HeldCredential), WalletError> {
        let unknown = || WalletError::Unknown { id: id.to_owned() };
        let name = credential_item(id).ok_or_else(unknown)?;
        let record: CredentialRecord = self.item(&name)?.ok_or_else(unknown)?;
        let held = open(&record)?;
        Ok((record, held))
    }

    /// Removes a credential and its key, also one that cannot be read.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn forget(&self, id: &str) -> Result<(), WalletError> {
        let unknown = || WalletError::Unknown { id: id.to_owned() };
        let name = credential_item(id).ok_or_else(unknown)?;
        // The credential first: a key without one is swept up later, a credential without a key is of no use.
        if !self.vault.remove(&name)? {
            return Err(unknown());
        }
        self.vault.remove(&key_item(id))?;
        self.vault.remove(&extract_item(id))?;
        Ok(())
    }

    /// Every record.
    pub(crate) fn records(&self) -> Result<Vec<CredentialRecord>, WalletError> {
        let names = self.vault.list("credentials")?;
        let read = |name: &String| {
            let damaged = || WalletError::Item { name: name.clone() };
            self.item(name)?.ok_or_else(damaged)
        };
        names.iter().map(read).collect()
    }

    /// Reads an item that this program wrote as JSON.
    pub(crate) fn item<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, WalletError> {
        let damaged = |_| WalletError::Item { name: name.to_owned() };
        let bytes = self.vault.read(name)?;
        bytes
            .map(|bytes| serde_json::from_slice(&bytes).map_err(damaged))
            .transpose()
    }

    /// Writes an item as JSON, durable when it returns.
    pub(crate) fn put_item(&self, name: &str, item: &impl Serialize) -> Result<(), WalletError> {
        let bytes = serde_json::to_vec(item).map_err(|_| WalletError::Item { name: name.to_owned() })?;
        self.vault.put(name, &bytes, &mut signer::os_rng())?;
        Ok(())
    }

    /// An id that no credential and no key has.
    pub(crate) fn fresh_id(&self) -> Result<String, WalletError> {
        let taken = [self.vault.list("credentials")?, self.vault.list("keys")?].concat();
        loop {
            let id = random_id();
            if !taken.iter().any(|name| name.ends_with(&id)) {
                return Ok(id);
            }
        }
    }

    /// Removes keys that no credential is bound to: the rest of an issuance that ended in a crash.
    pub(crate) fn sweep_keys(&self) -> Result<(), WalletError> {
        let credentials = self.vault.list("credentials")?;
        for name in self.vault.list("keys")? {
            let id = name.strip_prefix("keys/").unwrap_or_default();
            if credential_item(id).is_some_and(|credential| !credentials.contains(&credential)) {
                self.vault.remove(&name)?;
            }
        }
        Ok(())
    }
}

impl From<VaultError> for WalletError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Damaged { name, .. } => Self::Item { name },
            VaultError::Exists { folder } => Self::Exists { home: folder },
            VaultError::Missing { folder } => Self::Missing { home: folder },
            other => Self::Vault(other),
        }
    }
}

impl CredentialSummary {
    /// The languages of names, in order.
    pub(crate) const LOCALES: [&'static str; 3] = ["en", "en-US", "en-GB"];

    pub(crate) fn of(record: &CredentialRecord, held: &HeldCredential) -> Self {
        let facts = held.facts();
        Self {
            id: record.id.clone(),
            name: held.name(record, &Self::LOCALES),
            format: record.format.clone(),
            types: facts.types().to_vec(),
            issuer: record.issuer.clone(),
            issuer_name: record.issuer_name.as_deref().map(printable),
            received_at: record.received_at,
            valid_from: facts.valid_from(),
            valid_until: facts.valid_until(),
        }
    }

    /// Whether it is neither expired nor still to come.
    #[must_use]
    pub fn is_current(&self, now: Timestamp) -> bool {
        self.valid_from.is_none_or(|start| start <= now) && self.valid_until.is_none_or(|end| now < end)
    }
}

/// Where a credential lies; `None` for what is no id of ours.
pub(crate) fn credential_item(id: &str) -> Option<String> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (id.len() == 2 * ID_BYTES && id.bytes().all(is_hex)).then(|| format!("credentials/{id}"))
}

/// Where a credential's key lies.
pub(crate) fn key_item(id: &str) -> String {
    format!("keys/{id}")
}

/// Lower-case hexadecimal: safe in every shell and file name.
fn random_id() -> String {
    let mut bytes = [0; ID_BYTES];
    signer::os_rng().fill_bytes(&mut bytes);
    bytes.iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"))
}

fn open(record: &CredentialRecord) -> Result<HeldCredential, WalletError> {
    record.open().map_err(|source| WalletError::Open {
        id: record.id.clone(),
        source,
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn rfc3339<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339())
}

#[expect(clippy::ref_option, reason = "serde passes a reference")]
fn optional_rfc3339<S: serde::Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => rfc3339(time, serializer),
        None => serializer.serialize_none(),
    }
}
