//! What the issuer's committed status lists say about a credential.

use credential::Facts;
use credential::status_list::BitsPerEntry;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusError;
use credential::status_list::StatusList;
use credential::status_list::StatusReading;
use credential::status_list::StatusReference;
use trust::TrustedBundle;
use trust::bundle::StatusListError;

use crate::Reason;

/// Reads every status entry. A list must be one that the credential's own issuer committed to.
pub(crate) fn read(bundle: &TrustedBundle, facts: &Facts, required: bool) -> Result<Vec<StatusReading>, Reason> {
    if required && facts.status().is_empty() {
        return Err(Reason::StatusMissing);
    }
    // A mechanism that we do not know may say 'revoked'.
    if let Some(name) = facts.unknown_status().first() {
        return Err(Reason::StatusUnknownMechanism { name: name.clone() });
    }
    facts
        .status()
        .iter()
        .map(|reference| read_one(bundle, facts.issuer(), reference))
        .collect()
}

fn read_one(bundle: &TrustedBundle, issuer: &str, reference: &StatusReference) -> Result<StatusReading, Reason> {
    let uri = || reference.uri().to_owned();
    let committed = bundle
        .status_list(issuer, reference.uri())
        .map_err(|error| match error {
            StatusListError::Broken(_) => Reason::StatusBroken { uri: uri() },
            StatusListError::NotIncluded | StatusListError::Unknown => Reason::StatusNotCovered { uri: uri() },
            _ => Reason::StatusNotCovered { uri: uri() },
        })?;
    let bits =
        BitsPerEntry::try_from(u64::from(committed.bits.bits())).map_err(|_| Reason::StatusBroken { uri: uri() })?;
    // The list is copied once per credential; a later fast path reads the one entry in place.
    let array = StatusArray::from_packed(bits, committed.bits.bytes().to_vec());
    let list = StatusList::of_status_types(issuer.to_owned(), uri(), array, committed.committed);
    let reading = list.read(reference).map_err(|error| match error {
        StatusError::IndexOutOfRange { .. } => Reason::StatusNotCovered { uri: uri() },
        _ => Reason::StatusBroken { uri: uri() },
    })?;
    if reading.is_acceptable() {
        return Ok(reading);
    }
    Err(match reading.status() {
        Status::Suspended => Reason::Suspended {
            committed: reading.as_of(),
        },
        Status::Valid | Status::Invalid | Status::Other(_) => Reason::Revoked {
            committed: reading.as_of(),
        },
    })
}
