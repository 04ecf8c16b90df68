//! What came to a process that is not the sequencer and waits in the store for the one that is.
//!
//! | Key | Value |
//! |---|---|
//! | `inbox/entry/{leaf hash}` | a leaf |
//! | `inbox/blob/{leaf hash}{digest}` | contents that came with it |
//! | `inbox/snapshot/{who}{number}` | the age in seconds from which on a new Snapshot is wanted, and whether witnesses are asked again |
//!
//! The sequencer removes what it has decided. Whoever waits looks for its entry in the log, and where it is in neither place
//! asks the rules why.

use store::Direction;
use store::Snapshot;
use store::Store;
use store::records::RecordError;
use trust::merkle::Hash;

use crate::store::damaged;
use crate::submission::Submission;

const ENTRY: &[u8] = b"inbox/entry/";
const BLOB: &[u8] = b"inbox/blob/";
const SNAPSHOT: &[u8] = b"inbox/snapshot/";

/// Entries that are taken at once: 16 MiB of the largest.
const MAX_TAKEN: usize = 256;

/// More than an entry can bring.
const MAX_BLOBS: usize = 4_096;

/// What waits, by its key.
pub(crate) struct Item {
    pub(crate) key: Vec<u8>,
    pub(crate) content: Content,
}

pub(crate) enum Content {
    Entry { leaf: Vec<u8>, blobs: Vec<Vec<u8>> },
    Snapshot { age: i64, insists: bool },
}

/// Under which key an entry waits.
pub(crate) fn entry_key(hash: Hash) -> Vec<u8> {
    [ENTRY, hash.as_bytes()].concat()
}

/// Under which key a wish for a Snapshot waits.
pub(crate) fn snapshot_key(who: [u8; 16], number: u64) -> Vec<u8> {
    [SNAPSHOT, &who, &number.to_be_bytes()].concat()
}

/// What a process hands over at once.
#[derive(Default)]
pub(crate) struct Parcel(Vec<(Vec<u8>, Vec<u8>)>);

impl Parcel {
    pub(crate) fn add_entry(&mut self, submission: &Submission) {
        self.0.push((entry_key(submission.hash), submission.leaf.clone()));
        for (digest, bytes) in &submission.blobs {
            self.0.push((blob_key(submission.hash, *digest), bytes.clone()));
        }
    }

    pub(crate) fn add_snapshot(&mut self, key: &[u8], age: i64, insists: bool) {
        let value = [&age.to_be_bytes()[..], &[u8::from(insists)]].concat();
        self.0.push((key.to_vec(), value));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves it for the sequencer, durably.
    pub(crate) async fn send(&self, store: &Store) -> Result<(), RecordError> {
        store
            .transact(|tx| async move {
                for (key, value) in &self.0 {
                    tx.put(key, value.as_slice())?;
                }
                Ok(())
            })
            .await
    }
}

/// What waits now, up to about `max_bytes` of it; an item is never taken in part.
pub(crate) async fn read(store: &Snapshot, max_bytes: usize) -> Result<Vec<Item>, RecordError> {
    let mut items = Vec::new();
    for found in store.prefix(SNAPSHOT, MAX_TAKEN, Direction::Forward).await? {
        let content = parse_snapshot(&found.value).ok_or_else(|| damaged("inbox/snapshot"))?;
        items.push(Item {
            key: found.key,
            content,
        });
    }
    let mut bytes = 0;
    for found in store.prefix(ENTRY, MAX_TAKEN, Direction::Forward).await? {
        if bytes >= max_bytes {
            break;
        }
        let hash = found.key.get(ENTRY.len()..).unwrap_or_default();
        let blobs = store
            .prefix([BLOB, hash].concat(), MAX_BLOBS, Direction::Forward)
            .await?;
        let blobs: Vec<Vec<u8>> = blobs.into_iter().map(|blob| blob.value).collect();
        bytes += found.value.len() + blobs.iter().map(Vec::len).sum::<usize>();
        let content = Content::Entry {
            leaf: found.value,
            blobs,
        };
        items.push(Item {
            key: found.key,
            content,
        });
    }
    Ok(items)
}

/// Whether it still waits.
pub(crate) async fn has(store: &Snapshot, key: &[u8]) -> Result<bool, RecordError> {
    Ok(store.get(key).await?.is_some())
}

/// Removes what is decided, or no longer waited for.
pub(crate) async fn remove(store: &Store, keys: &[Vec<u8>]) -> Result<(), RecordError> {
    store
        .transact(|tx| async move {
            for key in keys {
                tx.delete(key)?;
                if let Some(hash) = key.strip_prefix(ENTRY) {
                    let blobs = tx.prefix([BLOB, hash].concat(), MAX_BLOBS, Direction::Forward).await?;
                    for blob in blobs {
                        tx.delete(blob.key)?;
                    }
                }
            }
            Ok(())
        })
        .await
}

fn parse_snapshot(value: &[u8]) -> Option<Content> {
    let (age, insists) = value.split_first_chunk()?;
    Some(Content::Snapshot {
        age: i64::from_be_bytes(*age),
        insists: *insists.first()? == 1,
    })
}

fn blob_key(hash: Hash, digest: Hash) -> Vec<u8> {
    [BLOB, hash.as_bytes(), digest.as_bytes()].concat()
}
