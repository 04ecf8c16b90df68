//! Keys and values of the issuer's room in the store.
//!
//! | Key | Value |
//! |---|---|
//! | `nonce-key` | the key that nonces are made with |
//! | `grant/{digest of code}` | `PreAuthorizedGrant` |
//! | `offer/{id}` | a credential offer to be fetched by reference |
//! | `token/{digest of token}` | `AccessTokenRecord` |
//! | `nonce/{id}` | empty: the nonce was used |
//! | `expiry/{time, 8 bytes}{key}` | empty: the key may go after that time |
//! | `credential/{agency}/{id}` | `IssuedCredential` |
//! | `subject/{agency}/{subject digest}/{id}` | empty: an index |
//! | `list/{agency}/{list}` | `ListRecord` |
//! | `current/{agency}/{type}` | id of the list that takes new credentials |
//! | `place/{agency}/{list}/{index}` | id of the credential in that place |
//! | `status/{agency}/{list}` | the list's packed bytes |
//! | `published/{agency}/{list}` | the Status List Token whose digest the registry has |

use ::store::CommitError;
use ::store::Direction;
use ::store::Snapshot;
use ::store::Store;
use ::store::StoreError;
use ::store::Transaction;
use keys::Timestamp;
use openid4vc::vci::nonce::NonceKey;
use rand_core::CryptoRng;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// How many expired keys one sweep removes: a transaction of some hundred kB.
const SWEEP: usize = 1_000;

/// A record cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The store failed: the environment's fault.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// The change was not saved; nothing was acknowledged.
    #[error("the change was not saved")]
    Commit(#[from] CommitError),
    /// A record is not what this program wrote: the store was changed by other hands.
    #[error("the record {key} is damaged")]
    Damaged {
        /// Its key.
        key: String,
    },
}

/// The issuer's records.
#[derive(Clone, Debug)]
pub(crate) struct Records(Store);

impl Records {
    pub(crate) const fn new(store: Store) -> Self {
        Self(store)
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.0
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot, RecordError> {
        Ok(self.0.snapshot().await?)
    }

    /// The nonce key, made on first use.
    pub(crate) async fn nonce_key(&self, rng: &mut dyn CryptoRng) -> Result<NonceKey, RecordError> {
        let fresh = *NonceKey::generate(rng).as_bytes();
        let key = self
            .0
            .transact(|tx| async move {
                if let Some(bytes) = tx.get("nonce-key").await? {
                    return Ok(bytes);
                }
                tx.put("nonce-key", fresh.to_vec())?;
                Ok::<_, RecordError>(fresh.to_vec())
            })
            .await?;
        let bytes = key.try_into().map_err(|_| RecordError::Damaged {
            key: "nonce-key".to_owned(),
        })?;
        Ok(NonceKey::from_bytes(bytes))
    }

    /// Removes what expired before `now`: grants, tokens, offers and used nonces.
    pub(crate) async fn forget_expired(&self, now: Timestamp) -> Result<(), RecordError> {
        let end = [b"expiry/".as_slice(), &time_bytes(now)].concat();
        let end = &end;
        loop {
            let removed = self
                .0
                .transact(|tx| async move {
                    let due = tx
                        .range(b"expiry/".to_vec()..end.clone(), SWEEP, Direction::Forward)
                        .await?;
                    for entry in &due {
                        // "expiry/", eight bytes of time, then the key itself.
                        tx.delete(entry.key.get(15..).unwrap_or_default())?;
                        tx.delete(&entry.key)?;
                    }
                    Ok::<_, RecordError>(due.len())
                })
                .await?;
            if removed < SWEEP {
                return Ok(());
            }
        }
    }
}

/// Reads a record within a transaction or a snapshot.
pub(crate) trait Load {
    async fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    async fn load<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, RecordError> {
        let Some(bytes) = self.bytes(key).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| RecordError::Damaged { key: key.to_owned() })
    }
}

impl Load for Transaction {
    async fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key).await
    }
}

impl Load for Snapshot {
    async fn bytes(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.get(key).await
    }
}

/// Writes a record.
pub(crate) fn save<T: Serialize>(tx: &Transaction, key: &str, record: &T) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec(record).map_err(|_| RecordError::Damaged { key: key.to_owned() })?;
    Ok(tx.put(key, bytes)?)
}

/// Lets `key` go after `time`.
pub(crate) fn expire(tx: &Transaction, key: &str, time: Timestamp) -> Result<(), RecordError> {
    Ok(tx.put(
        [b"expiry/".as_slice(), &time_bytes(time), key.as_bytes()].concat(),
        Vec::new(),
    )?)
}

/// Times before 1970 expire first; order is that of the numbers.
fn time_bytes(time: Timestamp) -> [u8; 8] {
    u64::try_from(time.unix()).unwrap_or(0).to_be_bytes()
}

/// A fresh id of 128 random bits in hexadecimal: no character of it means anything to a shell or a URL.
pub(crate) fn fresh_id(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex(&bytes)
}

/// The part of a key that stands for a subject id, which may hold any character.
pub(crate) fn subject_key(subject: &str) -> String {
    hex(&keys::sha256(subject.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
