//! What the issuer's committed status lists say about a credential.

use credential::Facts;
use credential::status_list::BitsPerEntry;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusError;
use credential::status_list::StatusList;
use credential::status_list::StatusPurpose;
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
            // The bytes were left out, or nobody committed to such a list.
            _ => Reason::StatusNotCovered { uri: uri() },
        })?;
    check_purpose(committed.list, reference).ok_or_else(|| Reason::StatusBroken { uri: uri() })?;
    let bits =
        BitsPerEntry::try_from(u64::from(committed.bits.bits())).map_err(|_| Reason::StatusBroken { uri: uri() })?;
    // The list is copied once per credential; a later fast path reads the one entry in place.
    let array = StatusArray::from_packed(bits, committed.bits.bytes().to_vec());
    let list = StatusList::of_status_types(issuer.to_owned(), uri(), array, committed.committed);
    let reading = list.read(reference).map_err(|error| match error {
        StatusError::IndexOutOfRange { .. } => Reason::StatusNotCovered { uri: uri() },
        _ => Reason::StatusBroken { uri: uri() },
    })?;
    // A credential may name one view only, which says nothing of the other purpose; the record behind all tells.
    let committed = reading.as_of();
    match list.array().get(reference.index()) {
        Some(Status::Valid) if reading.is_acceptable() => Ok(reading),
        Some(Status::Suspended) => Err(Reason::Suspended { committed }),
        Some(Status::Valid | Status::Invalid | Status::Other(_)) | None => Err(Reason::Revoked { committed }),
    }
}

/// Whether the list speaks of what the credential refers to. A committed list has the statuses of the Token Status
/// List in either view; the purpose says which of them the Bitstring view shows as set, and one bit has room for
/// revocation only.
fn check_purpose(list: &trust::entry::StatusList, reference: &StatusReference) -> Option<()> {
    let fits = match (list.purpose.as_deref(), reference.purpose()) {
        (None, None) => true,
        (Some(found), Some(StatusPurpose::Revocation)) => found == StatusPurpose::Revocation.as_str(),
        (Some(found), Some(StatusPurpose::Suspension)) => found == StatusPurpose::Suspension.as_str() && list.bits > 1,
        // Messages and refreshes are no status types, and other purposes mean nothing to us.
        (Some(_), Some(StatusPurpose::Message | StatusPurpose::Refresh | StatusPurpose::Other(_)) | None)
        | (None, Some(_)) => false,
    };
    fits.then_some(())
}
