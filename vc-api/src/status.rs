//! The status of what was issued here ([Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/)): a
//! place in a list for every credential that has an id, revocation, and the list as a credential of the instance.
//!
//! A credential id has one place, however often it is issued: whoever revokes it revokes all its copies. Lists are
//! signed when they are asked for. They are not committed to the registry: nobody relies on these instances.

use ::store::Transaction;
use ::store::records::Load as _;
use ::store::records::RecordError;
use ::store::records::save;
use credential::Facts;
use credential::status_list::BitsPerEntry;
use credential::status_list::BitstringCredential;
use credential::status_list::BitstringPurpose;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReading;
use credential::status_list::StatusReference;
use credential::vc::DataModelVersion;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde_json::Value;
use server::Problem;
use thiserror::Error;

use crate::BundleError;
use crate::Instance;
use crate::InstanceRecord;
use crate::VcApi;
use crate::derive;
use crate::issue::secure;
use crate::problem::Details;
use crate::problem::Refusal;
use crate::store::ListRecord;
use crate::store::Place;
use crate::store::credential_key;
use crate::store::current_key;
use crate::store::list_key;
use crate::store::place_key;
use crate::store::status_key;

/// Places of a list: the herd that the standard asks for at least.
const CAPACITY: usize = 131_072;
/// After so many taken places in a row the list is four fifths full or fuller (0.8^16 is 3 %).
const TRIES: usize = 16;
/// The type of an entry, and the one purpose that our lists have.
const ENTRY_TYPE: &str = "BitstringStatusListEntry";

/// The body of a status update.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct UpdateRequest {
    credential_id: String,
    credential_status: EntryToUpdate,
    /// Without it the bit is set: so W3C's test suite asks.
    #[serde(default = "set")]
    status: bool,
}

/// Which entry of the credential: it has one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EntryToUpdate {
    #[serde(rename = "type")]
    entry_type: String,
    status_purpose: String,
    #[serde(rename = "id")]
    _id: Option<String>,
    #[serde(rename = "statusListIndex")]
    _index: Option<Value>,
    #[serde(rename = "statusListCredential")]
    _list: Option<String>,
}

const fn set() -> bool {
    true
}

/// What the lists within reach say of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Not revoked.
    Clear,
    /// Revoked or suspended.
    Set,
    /// The list is another issuer's, or not within reach.
    Unknown(&'static str),
}

/// A status was not read.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Bundle(#[from] BundleError),
    #[error(transparent)]
    Store(#[from] RecordError),
}

/// The status entry of the credential with this id; its place is taken on first use, durably.
pub(crate) async fn entry(api: &VcApi, record: &InstanceRecord, id: &str) -> Result<StatusReference, RecordError> {
    let key = &credential_key(&record.name, id);
    let prefix = &list_prefix(api, &record.name);
    let place = api
        .0
        .store
        .transact(|tx| async move {
            if let Some(place) = tx.load::<Place>(key).await? {
                return Ok(place);
            }
            let place = take_place(&tx, &record.name, prefix).await?;
            save(&tx, key, &place)?;
            Ok::<_, RecordError>(place)
        })
        .await?;
    Ok(StatusReference::bitstring(
        place.uri,
        place.index,
        StatusPurpose::Revocation,
    ))
}

/// What the URIs of an instance's lists begin with.
fn list_prefix(api: &VcApi, instance: &str) -> String {
    format!("{}/vc-api/{instance}/status-lists/", api.0.status_url)
}

/// A random free place of the current list, or of a new one. After the platform moved, a new list is where it is now.
async fn take_place(tx: &Transaction, instance: &str, prefix: &str) -> Result<Place, RecordError> {
    let mut rng = signer::os_rng();
    let current = tx.load::<ListRecord>(&current_key(instance)).await?;
    if let Some(list) = current.filter(|list| list.uri.starts_with(prefix)) {
        for _ in 0..TRIES {
            let index = random_index(&mut rng);
            let key = place_key(&list.uri, index);
            if tx.get(&key).await?.is_none() {
                tx.put(key, Vec::new())?;
                return Ok(Place { uri: list.uri, index });
            }
        }
    }
    let list = start_list(tx, instance, prefix, &mut rng)?;
    let index = random_index(&mut rng);
    tx.put(place_key(&list.uri, index), Vec::new())?;
    Ok(Place { uri: list.uri, index })
}

fn start_list(
    tx: &Transaction,
    instance: &str,
    prefix: &str,
    rng: &mut dyn CryptoRng,
) -> Result<ListRecord, RecordError> {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    let id = keys::base64url::encode(bytes);
    let list = ListRecord {
        instance: instance.to_owned(),
        uri: format!("{prefix}{id}"),
        id,
    };
    save(tx, &current_key(instance), &list)?;
    save(tx, &list_key(&list.uri), &list)?;
    let empty = StatusArray::new(BitsPerEntry::One, CAPACITY);
    tx.put(status_key(&list.uri), empty.packed().to_vec())?;
    Ok(list)
}

/// The remainder is without bias: the capacity is a power of two.
fn random_index(rng: &mut impl CryptoRng) -> usize {
    usize::try_from(rng.next_u32()).unwrap_or_default() % CAPACITY
}

/// Sets or clears the status of a credential that was issued here, durably.
pub(crate) async fn update(api: &VcApi, instance: &Instance, request: UpdateRequest) -> Result<(), Refusal> {
    let UpdateRequest {
        credential_id,
        credential_status: EntryToUpdate {
            entry_type,
            status_purpose,
            ..
        },
        status,
    } = request;
    if entry_type != ENTRY_TYPE || status_purpose != StatusPurpose::Revocation.as_str() {
        let detail = "expected an entry of type BitstringStatusListEntry with the purpose revocation";
        return Err(Details::malformed(detail).refuse());
    }
    let key = &credential_key(&instance.record().name, &credential_id);
    let found = api
        .0
        .store
        .transact(|tx| async move {
            let Some(place) = tx.load::<Place>(key).await? else {
                return Ok(false);
            };
            let mut array = load_array(&tx, &place.uri).await?;
            let status = if status { Status::Invalid } else { Status::Valid };
            if array.set(place.index, status).is_none() {
                return Err(damaged(&place.uri));
            }
            tx.put(status_key(&place.uri), array.packed().to_vec())?;
            Ok::<_, RecordError>(true)
        })
        .await
        .map_err(|error| Problem::internal(&error))?;
    if found {
        Ok(())
    } else {
        Err(Problem::not_found("a credential of this id that was issued here").into())
    }
}

async fn load_array(records: &(impl ::store::records::Load + Sync), uri: &str) -> Result<StatusArray, RecordError> {
    let packed = records.bytes(&status_key(uri)).await?.ok_or_else(|| damaged(uri))?;
    Ok(StatusArray::from_packed(BitsPerEntry::One, packed))
}

fn damaged(uri: &str) -> RecordError {
    RecordError::Damaged { key: status_key(uri) }
}

/// The list as a credential of its instance; `None` if the instance has no such list.
pub(crate) async fn list(api: &VcApi, instance: &Instance, id: &str) -> Result<Option<Value>, Refusal> {
    let uri = format!("{}{id}", list_prefix(api, &instance.record().name));
    let internal = |error: RecordError| Refusal::from(Problem::internal(&error));
    let snapshot = api.0.store.snapshot().await.map_err(RecordError::from);
    let snapshot = snapshot.map_err(internal)?;
    if snapshot
        .load::<ListRecord>(&list_key(&uri))
        .await
        .map_err(internal)?
        .is_none()
    {
        return Ok(None);
    }
    let array = load_array(&snapshot, &uri).await.map_err(internal)?;
    let document = BitstringCredential {
        uri: &uri,
        issuer: &instance.record().did,
        purposes: &[StatusPurpose::Revocation],
        valid_from: api.0.clock.now(),
        valid_until: None,
        time_to_live: None,
        bitstring: &array.to_bitstring(BitstringPurpose::Revocation),
        messages: None,
    };
    let document = document.document().map_err(|error| Problem::internal(&error))?;
    let list = secure(api, instance, document, DataModelVersion::V2_0, None).await?;
    Ok(Some(match list {
        Value::Object(list) if !instance.mechanism().is_for_everybody() => derive::show(api, list).await?,
        list => list,
    }))
}

/// What our own lists, or those that the credential's issuer committed to the registry, say of an entry.
pub(crate) async fn read(api: &VcApi, facts: &Facts, reference: &StatusReference) -> Result<Reading, ReadError> {
    let snapshot = api.0.store.snapshot().await.map_err(RecordError::from)?;
    if let Some(list) = snapshot.load::<ListRecord>(&list_key(reference.uri())).await? {
        let ours = api.instance(&list.instance);
        if ours.is_none_or(|instance| instance.record().did != facts.issuer()) {
            return Ok(Reading::Unknown("the status list is another issuer's"));
        }
        let array = load_array(&snapshot, reference.uri()).await?;
        return Ok(match (reference.purpose(), array.get(reference.index())) {
            (Some(StatusPurpose::Revocation), Some(Status::Valid)) => Reading::Clear,
            (Some(StatusPurpose::Revocation), Some(_)) => Reading::Set,
            _ => Reading::Unknown("the status list has no such entry"),
        });
    }
    let bundle = api.0.registry.bundle().await?;
    let index = u64::try_from(reference.index()).unwrap_or(u64::MAX);
    let Ok(committed) = bundle.status(facts.issuer(), reference.uri(), index) else {
        return Ok(Reading::Unknown(
            "the status list is not within reach: nothing is fetched",
        ));
    };
    if committed.list.purpose.as_deref() != reference.purpose().map(StatusPurpose::as_str) {
        return Ok(Reading::Unknown("the status list has another purpose"));
    }
    let none = Reading::Unknown("the status list has no such entry");
    let Some(status) = committed.status.map(Status::from) else {
        return Ok(none);
    };
    let issuer = facts.issuer().to_owned();
    // An entry may name one purpose only; the record behind all tells.
    Ok(
        match StatusReading::of_status_type(issuer, reference, status, committed.committed) {
            Ok(reading) if reading.is_acceptable() && status == Status::Valid => Reading::Clear,
            Ok(_) => Reading::Set,
            Err(_) => none,
        },
    )
}
