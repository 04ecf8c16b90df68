//! Suspending, reinstating and revoking.

use ::credential::status_list::StatusArray;
use ::store::Transaction;
use keys::Timestamp;

use super::BITS;
use super::StatusError;
use super::commit::commit;
use super::list_key;
use super::status_key;
use crate::Desk;
use crate::Issuer;
use crate::records::IssuedCredential;
use crate::records::ListRecord;
use crate::records::StatusChange;
use crate::records::Unchangeable;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::save;

/// Changes a credential's status; what is done twice is done. Returns the record, and whether the registry has the
/// status already; if not, [`super::commit_due`] goes on trying.
pub(crate) async fn change(
    issuer: &Issuer,
    desk: &Desk,
    id: &str,
    change: StatusChange,
) -> Result<(IssuedCredential, bool), StatusError> {
    let agency = desk.agency.id();
    let now = issuer.0.clock.now();
    let changed = issuer
        .0
        .records
        .store()
        .transact(|tx| async move { change_in(&tx, agency, id, change, now).await })
        .await?;
    let id_of = || id.to_owned();
    let (credential, list) = changed.map_err(|not| match not {
        NotChanged::Unknown => StatusError::Unknown { id: id_of() },
        NotChanged::Unchangeable(Unchangeable::Unlisted) => StatusError::Unlisted { id: id_of() },
        NotChanged::Unchangeable(Unchangeable::Revoked) => StatusError::Revoked { id: id_of() },
    })?;
    let committed = match commit(issuer, desk, &[list]).await {
        Ok(()) => true,
        Err(error) => {
            let (status, cause) = (credential.status.name(), server::problem::chain(&error));
            tracing::warn!(agency, credential = id, status, %cause, "status changed, not yet committed");
            false
        }
    };
    Ok((credential, committed))
}

enum NotChanged {
    Unchangeable(Unchangeable),
    Unknown,
}

async fn change_in(
    tx: &Transaction,
    agency: &str,
    id: &str,
    change: StatusChange,
    now: Timestamp,
) -> Result<Result<(IssuedCredential, ListRecord), NotChanged>, RecordError> {
    let key = format!("credential/{agency}/{id}");
    let Some(mut credential) = tx.load::<IssuedCredential>(&key).await? else {
        return Ok(Err(NotChanged::Unknown));
    };
    let (place, after) = match credential.status.after(change, now) {
        Ok(after) => after,
        Err(reason) => return Ok(Err(NotChanged::Unchangeable(reason))),
    };
    let list_key = list_key(agency, &place.list);
    let damaged = |key: &str| RecordError::Damaged { key: key.to_owned() };
    let list = tx.load::<ListRecord>(&list_key).await?;
    let mut list = list.ok_or_else(|| damaged(&list_key))?;
    if after == credential.status {
        return Ok(Ok((credential, list)));
    }
    let status_key = status_key(agency, &place.list);
    let packed = tx.get(&status_key).await?.ok_or_else(|| damaged(&status_key))?;
    let mut array = StatusArray::from_packed(BITS, packed);
    if array.set(place.index, after.value()).is_none() {
        return Err(damaged(&status_key));
    }
    list.epoch += 1;
    credential.status = after;
    tx.put(&status_key, array.packed())?;
    save(tx, &list_key, &list)?;
    save(tx, &key, &credential)?;
    Ok(Ok((credential, list)))
}
