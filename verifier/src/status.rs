//! What the issuer's committed status lists say about a credential.

use credential::Facts;
use credential::status_list::Status;
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
    let broken = || Reason::StatusBroken {
        uri: reference.uri().to_owned(),
    };
    let not_covered = || Reason::StatusNotCovered {
        uri: reference.uri().to_owned(),
    };
    let index = u64::try_from(reference.index()).unwrap_or(u64::MAX);
    let committed = bundle
        .status(issuer, reference.uri(), index)
        .map_err(|error| match error {
            StatusListError::Broken(_) => broken(),
            // The bytes were left out, or nobody committed to such a list.
            _ => not_covered(),
        })?;
    check_purpose(committed.list, reference).ok_or_else(broken)?;
    let status = Status::from(committed.status.ok_or_else(not_covered)?);
    let reading = StatusReading::of_status_type(issuer.to_owned(), reference, status, committed.committed);
    let reading = reading.map_err(|_| broken())?;
    // A credential may name one view only, which says nothing of the other purpose; the record behind all tells.
    let committed = reading.as_of();
    match status {
        Status::Valid if reading.is_acceptable() => Ok(reading),
        Status::Suspended => Err(Reason::Suspended { committed }),
        Status::Valid | Status::Invalid | Status::Other(_) => Err(Reason::Revoked { committed }),
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
