//! JSON records over keys: what every actor's `store.rs` does with a transaction.
//!
//! A record that may go one day is registered under `expiry/` with its time; [`forget_expired`] removes what
//! is due, a bounded number of keys at a time.

use keys::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::CommitError;
use crate::Direction;
use crate::Snapshot;
use crate::Store;
use crate::StoreError;
use crate::Transaction;

/// How many expired keys one transaction removes: some hundred kB.
const SWEEP: usize = 1_000;

/// Where due times are noted: `expiry/`, eight bytes of time, the key itself.
const EXPIRY: &[u8] = b"expiry/";
const EXPIRY_PREFIX_BYTES: usize = EXPIRY.len() + 8;

/// A record cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The change was not saved; nothing was acknowledged.
    #[error("the change was not saved")]
    Commit(#[from] CommitError),
    /// A record is not what this program wrote: the store was changed by other hands.
    #[error("the record {key} is damaged")]
    Damaged {
        /// Its key.
        key: String,
    },
    /// The store failed: the environment's fault.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Reads records within one state of the store.
pub trait Load {
    /// The bytes of `key`.
    fn bytes(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>> + Send;

    /// The record of `key`.
    fn load<T: DeserializeOwned>(&self, key: &str) -> impl Future<Output = Result<Option<T>, RecordError>> + Send
    where
        Self: Sync,
    {
        async move {
            let Some(bytes) = self.bytes(key).await? else {
                return Ok(None);
            };
            parse(key.as_bytes(), &bytes).map(Some)
        }
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

/// Reads the record in the bytes of `key`.
///
/// # Errors
/// [`RecordError::Damaged`].
pub fn parse<T: DeserializeOwned>(key: &[u8], bytes: &[u8]) -> Result<T, RecordError> {
    serde_json::from_slice(bytes).map_err(|_| RecordError::Damaged {
        key: String::from_utf8_lossy(key).into_owned(),
    })
}

/// Writes a record.
///
/// # Errors
/// [`RecordError`].
pub fn save<T: Serialize>(tx: &Transaction, key: &str, record: &T) -> Result<(), RecordError> {
    let bytes = serde_json::to_vec(record).map_err(|_| RecordError::Damaged { key: key.to_owned() })?;
    Ok(tx.put(key, bytes)?)
}

/// Lets `key` go after `time`.
///
/// # Errors
/// [`RecordError::Store`].
pub fn expire(tx: &Transaction, key: &str, time: Timestamp) -> Result<(), RecordError> {
    Ok(tx.put([EXPIRY, &time_bytes(time), key.as_bytes()].concat(), Vec::new())?)
}

/// Removes every key that was to go before `now`.
///
/// # Errors
/// [`RecordError`].
pub async fn forget_expired(store: &Store, now: Timestamp) -> Result<(), RecordError> {
    let end = [EXPIRY, &time_bytes(now)].concat();
    let end = &end;
    loop {
        let removed = store
            .transact(|tx| async move {
                let due = tx
                    .range(EXPIRY.to_vec()..end.clone(), SWEEP, Direction::Forward)
                    .await?;
                for entry in &due {
                    tx.delete(entry.key.get(EXPIRY_PREFIX_BYTES..).unwrap_or_default())?;
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

/// Times before 1970 are due first; the order of the bytes is that of the times.
fn time_bytes(time: Timestamp) -> [u8; 8] {
    u64::try_from(time.unix()).unwrap_or(0).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreUrl;

    #[tokio::test]
    async fn records_come_back_and_go_when_they_are_due() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&StoreUrl::parse_in("fjall", folder.path()).unwrap())
            .await
            .unwrap();
        store
            .transact(|tx| async move {
                for (key, due) in [("early", 10), ("late", 20)] {
                    save(&tx, key, &due)?;
                    expire(&tx, key, Timestamp::from_unix(due))?;
                }
                Ok::<_, RecordError>(())
            })
            .await
            .unwrap();
        forget_expired(&store, Timestamp::from_unix(20)).await.unwrap();
        let snapshot = store.snapshot().await.unwrap();
        assert_eq!(snapshot.load::<i64>("early").await.unwrap(), None);
        assert_eq!(snapshot.load::<i64>("late").await.unwrap(), Some(20));
        assert!(matches!(
            snapshot.load::<String>("late").await,
            Err(RecordError::Damaged { .. })
        ));
    }
}
