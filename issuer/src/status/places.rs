//! Places for new credentials, and the lists that have them.

use ::credential::status_list::StatusArray;
use ::store::Direction;
use ::store::Transaction;
use rand_core::CryptoRng;

use super::BITS;
use super::CAPACITY;
use super::MAX_LISTS;
use super::StatusError;
use super::commit::commit;
use super::list_key;
use super::read_list;
use super::status_key;
use crate::Desk;
use crate::Issuer;
use crate::records::CurrentList;
use crate::records::ListRecord;
use crate::records::Place;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::fresh_id;
use crate::store::save;

/// After so many taken places in a row the list is four fifths full or fuller (0.8^16 is 3 %), and a new one
/// is started.
const TRIES: usize = 16;

/// Takes `count` random free places in the current list of a type, within the transaction that issues.
/// `None` when there is no list yet, or it is as good as full: [`start_list`] and try again.
pub(crate) async fn take_places(
    tx: &Transaction,
    desk: &Desk,
    credential_type: &str,
    credentials: &[String],
    rng: &mut impl CryptoRng,
) -> Result<Option<Vec<Place>>, RecordError> {
    let (agency, identifier) = (desk.agency.id(), desk.identifier.as_str());
    let current = tx.load::<CurrentList>(&current_key(agency, credential_type)).await?;
    // After the platform moved, new credentials point to where it is now.
    let Some(CurrentList { list, uri }) = current.filter(|current| current.uri.starts_with(identifier)) else {
        return Ok(None);
    };
    let mut places = Vec::new();
    for credential in credentials {
        let mut tries = 0;
        let index = loop {
            let index = random_index(rng);
            if tx
                .get(place_key(agency, &list, index))
                .await
                .map_err(RecordError::from)?
                .is_none()
            {
                break index;
            }
            tries += 1;
            if tries == TRIES {
                return Ok(None);
            }
        };
        tx.put(place_key(agency, &list, index), credential.as_bytes())
            .map_err(RecordError::from)?;
        places.push(Place {
            list: list.clone(),
            uri: uri.clone(),
            index,
        });
    }
    Ok(Some(places))
}

/// Starts a new list for a type and commits it: a credential must not point to a list that no bundle has.
pub(crate) async fn start_list(issuer: &Issuer, desk: &Desk, credential_type: &str) -> Result<(), StatusError> {
    let agency = desk.agency.id();
    let id = &fresh_id(&mut signer::os_rng());
    let record = issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            if let Some(waiting) = waiting_list(&tx, desk, credential_type).await? {
                return Ok(waiting);
            }
            let record = ListRecord {
                id: id.clone(),
                uri: format!("{}/status/{id}", desk.identifier),
                agency: agency.to_owned(),
                credential_type: credential_type.to_owned(),
                epoch: 0,
                attempted: 0,
                committed: None,
            };
            save(&tx, &list_key(agency, id), &record)?;
            tx.put(status_key(agency, id), StatusArray::new(BITS, CAPACITY).packed())?;
            Ok::<_, RecordError>(record)
        })
        .await?;
    let current = CurrentList {
        list: record.id.clone(),
        uri: record.uri.clone(),
    };
    commit(issuer, desk, &[record]).await?;
    let current = &current;
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move { save(&tx, &current_key(agency, credential_type), current) })
        .await?;
    Ok(())
}

/// A list of the type that was started here and not committed yet: the registry refused it, or somebody else is
/// at it. It is taken up again, so that refused attempts leave one list behind and not one each.
async fn waiting_list(tx: &Transaction, desk: &Desk, credential_type: &str) -> Result<Option<ListRecord>, RecordError> {
    let prefix = list_key(desk.agency.id(), "");
    for entry in tx.prefix(&prefix, MAX_LISTS, Direction::Forward).await? {
        let list = read_list(&entry)?;
        let is_ours = list.credential_type == credential_type && list.uri.starts_with(desk.identifier.as_str());
        if is_ours && list.committed.is_none() {
            return Ok(Some(list));
        }
    }
    Ok(None)
}

fn random_index(rng: &mut impl CryptoRng) -> usize {
    // The capacity is a power of two, so that no index is likelier than another.
    usize::try_from(rng.next_u32()).unwrap_or(0) % CAPACITY
}

fn current_key(agency: &str, credential_type: &str) -> String {
    format!("current/{agency}/{credential_type}")
}

fn place_key(agency: &str, list: &str, index: usize) -> String {
    format!("place/{agency}/{list}/{index:06}")
}
