//! Keys and values of this service's room in the store.
//!
//! | Key | Value |
//! |---|---|
//! | `instance/{name}` | `InstanceRecord` |
//! | `current/{instance}` | `ListRecord` of the list that takes new credentials |
//! | `list/{digest of URI}` | `ListRecord` |
//! | `status/{digest of URI}` | the list's packed bytes |
//! | `place/{digest of URI}/{index}` | empty: the place is taken |
//! | `credential/{instance}/{digest of id}` | `Place` of the credential with this id |

use ::store::Direction;
use ::store::Store;
use ::store::records::RecordError;
use ::store::records::parse;
use ::store::records::save;
use serde::Deserialize;
use serde::Serialize;

use crate::InstanceRecord;

/// Instances that are read at start. A platform has some dozen.
const MAX_INSTANCES: usize = 10_000;

/// One status list of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ListRecord {
    pub(crate) instance: String,
    pub(crate) id: String,
    /// What credentials name it by. Fixed when the list is started, wherever the platform moves.
    pub(crate) uri: String,
}

/// A credential's place in a status list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) uri: String,
    pub(crate) index: usize,
}

/// The records of all instances, for opening their keys at start.
///
/// # Errors
/// [`RecordError`].
pub async fn instance_records(store: &Store) -> Result<Vec<InstanceRecord>, RecordError> {
    let snapshot = store.snapshot().await?;
    let entries = snapshot.prefix("instance/", MAX_INSTANCES, Direction::Forward).await?;
    entries.iter().map(|entry| parse(&entry.key, &entry.value)).collect()
}

/// Saves a new record; whether there was none of its name.
pub(crate) async fn create(store: &Store, record: &InstanceRecord) -> Result<bool, RecordError> {
    let key = &format!("instance/{}", record.name);
    store
        .transact(|tx| async move {
            if tx.get(key).await?.is_some() {
                return Ok(false);
            }
            save(&tx, key, record)?;
            Ok::<_, RecordError>(true)
        })
        .await
}

pub(crate) fn current_key(instance: &str) -> String {
    format!("current/{instance}")
}

pub(crate) fn list_key(uri: &str) -> String {
    format!("list/{}", digest(uri))
}

pub(crate) fn status_key(uri: &str) -> String {
    format!("status/{}", digest(uri))
}

pub(crate) fn place_key(uri: &str, index: usize) -> String {
    format!("place/{}/{index}", digest(uri))
}

pub(crate) fn credential_key(instance: &str, id: &str) -> String {
    format!("credential/{instance}/{}", digest(id))
}

/// The part of a key that stands for a text of any characters.
fn digest(text: &str) -> String {
    keys::base64url::encode(keys::sha256(text.as_bytes()))
}
