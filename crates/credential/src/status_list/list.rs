//! A status list that was authenticated, and what it says about one credential.

use std::time::Duration;

use keys::Timestamp;
use thiserror::Error;

use super::MIN_ENTRIES;
use super::Status;
use super::StatusArray;
use super::StatusProblem;
use super::StatusPurpose;
use super::StatusReference;
use super::StatusSize;

/// A list that says a time to live of nothing must not be fetched without a pause.
const MIN_TIME_TO_LIVE: Duration = Duration::from_mins(1);
/// Longer than a day no list is used without looking for a newer one, whatever it says.
const MAX_TIME_TO_LIVE: Duration = Duration::from_hours(24);

/// A published list of status types whose origin was checked: a verified Status List Token, or a list of the trust
/// bundle.
#[derive(Clone, Debug)]
pub struct StatusList {
    issuer: String,
    uri: String,
    lifetime: Lifetime,
    aggregation_uri: Option<String>,
    array: StatusArray,
}

/// When a list was true, and how long it may be used
/// ([caching](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-update-interval)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub(super) as_of: Timestamp,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) time_to_live: Option<Duration>,
}

/// What a list says about one credential. Made only by reading a list that was authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct StatusReading {
    pub(super) issuer: String,
    pub(super) reference: StatusReference,
    pub(super) status: Status,
    pub(super) value: u32,
    pub(super) message: Option<String>,
    pub(super) as_of: Timestamp,
}

/// No statement about the credential can be made, so it is not to be accepted.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusError {
    /// The index is beyond the list's end: the issuer's fault.
    #[error("expected an index below {entries}, found {index}")]
    IndexOutOfRange {
        /// The credential's index.
        index: usize,
        /// Entries of the list.
        entries: usize,
    },
    /// Too few entries to hide one credential among others: the publisher's fault.
    #[error("expected a list of at least {MIN_ENTRIES} entries, found {entries}")]
    TooShort {
        /// Entries of the list.
        entries: usize,
    },
    /// Another list than the one the credential names: the caller's fault, or a swapped file.
    #[error("expected the list {expected}, found {found}")]
    WrongList {
        /// The list that the credential names.
        expected: String,
        /// The list at hand.
        found: String,
    },
    /// The list does not speak of this purpose.
    #[error("expected a list for {expected}, found one for another purpose")]
    WrongPurpose {
        /// The credential's purpose.
        expected: String,
    },
    /// The list has entries of another size than the credential says.
    #[error("expected entries of {expected} bits, found a list of {found} bits")]
    WrongSize {
        /// Bits by the credential.
        expected: u8,
        /// Bits by the list.
        found: u8,
    },
}

impl StatusError {
    pub(super) fn wrong_purpose(reference: &StatusReference) -> Self {
        let expected = reference.purpose().map_or("status types", StatusPurpose::as_str);
        Self::WrongPurpose {
            expected: expected.to_owned(),
        }
    }

    /// What the standard calls it.
    #[must_use]
    pub const fn problem(&self) -> StatusProblem {
        match self {
            Self::IndexOutOfRange { .. } => StatusProblem::Range,
            Self::TooShort { .. } => StatusProblem::ListLength,
            Self::WrongList { .. } | Self::WrongPurpose { .. } | Self::WrongSize { .. } => StatusProblem::Verification,
        }
    }
}

impl Lifetime {
    /// When the list was true.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// From then on nobody may rely on it.
    #[must_use]
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// When a copy that was fetched at `fetched` should be replaced: after its time to live, within the bounds of
    /// reason, and at its end at the latest. `None` if the list tells neither.
    #[must_use]
    pub fn refresh_at(&self, fetched: Timestamp) -> Option<Timestamp> {
        let lived = self.time_to_live.map(|time| {
            let seconds = time.clamp(MIN_TIME_TO_LIVE, MAX_TIME_TO_LIVE).as_secs();
            // At most a day.
            fetched.plus(i64::try_from(seconds).unwrap_or(i64::MAX))
        });
        lived.into_iter().chain(self.valid_until).min()
    }
}

impl StatusList {
    /// A list with registered status types, as of a time. The caller vouches for its origin: the trust
    /// bundle does this for lists whose digest the registry has logged.
    #[must_use]
    pub const fn of_status_types(issuer: String, uri: String, array: StatusArray, as_of: Timestamp) -> Self {
        let lifetime = Lifetime {
            as_of,
            valid_until: None,
            time_to_live: None,
        };
        Self::published(issuer, uri, array, lifetime, None)
    }

    /// The list of a verified Status List Token.
    pub(super) const fn published(
        issuer: String,
        uri: String,
        array: StatusArray,
        lifetime: Lifetime,
        aggregation_uri: Option<String>,
    ) -> Self {
        Self {
            issuer,
            uri,
            lifetime,
            aggregation_uri,
            array,
        }
    }

    /// Who signed or committed to it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it is published: its identifier.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was true.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.lifetime.as_of
    }

    /// When it was true, and how long it may be used.
    #[must_use]
    pub const fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// Where the publisher names its other lists, too ([`super::StatusListAggregation`]).
    #[must_use]
    pub fn aggregation_uri(&self) -> Option<&str> {
        self.aggregation_uri.as_deref()
    }

    /// The values.
    #[must_use]
    pub const fn array(&self) -> &StatusArray {
        &self.array
    }

    /// What the list says about the credential with this reference. A reference for a purpose is answered from the
    /// record behind both views, in which revoked and suspended are two values of one entry.
    ///
    /// # Errors
    /// [`StatusError`], after which the credential must be refused.
    pub fn read(&self, reference: &StatusReference) -> Result<StatusReading, StatusError> {
        if reference.uri() != self.uri {
            return Err(StatusError::WrongList {
                expected: reference.uri().to_owned(),
                found: self.uri.clone(),
            });
        }
        let (index, entries) = (reference.index(), self.array.len());
        let value = self.array.get(index);
        let value = value.ok_or(StatusError::IndexOutOfRange { index, entries })?;
        StatusReading::of_status_type(self.issuer.clone(), reference, value, self.lifetime.as_of)
    }
}

/// The value of another purpose than the one asked for is "not set"; a value that nobody defined stays what it is.
const fn not_set(value: Status) -> Status {
    match value {
        Status::Valid | Status::Invalid | Status::Suspended => Status::Valid,
        Status::Other(other) => Status::Other(other),
    }
}

impl StatusPurpose {
    /// The registered status type that stands for this purpose in a [`StatusArray`] of status types.
    pub(crate) const fn status(&self) -> Option<Status> {
        match self {
            Self::Revocation => Some(Status::Invalid),
            Self::Suspension => Some(Status::Suspended),
            Self::Message | Self::Refresh | Self::Other(_) => None,
        }
    }

    /// What a set entry means. "Refresh" and "message" do not invalidate a credential.
    pub(super) const fn when_set(&self) -> Status {
        match self {
            Self::Revocation => Status::Invalid,
            Self::Suspension => Status::Suspended,
            Self::Message | Self::Refresh => Status::Valid,
            // Nobody told us what it means, so it is not good enough.
            Self::Other(_) => Status::Other(1),
        }
    }
}

impl StatusReading {
    /// What a record of status types says about the credential with this reference, by its value at the reference's index,
    /// as of a time. The caller vouches that it is the list that the reference names, of `issuer`: the trust bundle does
    /// this for lists whose digest the registry has logged.
    ///
    /// # Errors
    /// [`StatusError::WrongPurpose`], [`StatusError::WrongSize`].
    pub fn of_status_type(
        issuer: String,
        reference: &StatusReference,
        value: Status,
        as_of: Timestamp,
    ) -> Result<Self, StatusError> {
        let status = match reference.purpose() {
            None => value,
            Some(purpose) => {
                let set = purpose.status().ok_or_else(|| StatusError::wrong_purpose(reference))?;
                // A record of status types has a value for an entry of one bit, and none for messages.
                if reference.size() != StatusSize::ONE {
                    return Err(StatusError::WrongSize {
                        expected: reference.size().bits(),
                        found: StatusSize::ONE.bits(),
                    });
                }
                if value == set { set } else { not_set(value) }
            }
        };
        Ok(Self {
            issuer,
            reference: reference.clone(),
            status,
            value: u32::from(status.value()),
            message: None,
            as_of,
        })
    }

    /// Who signed or committed to the list.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Which entry was read.
    #[must_use]
    pub const fn reference(&self) -> &StatusReference {
        &self.reference
    }

    /// What it says.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The entry's number as the list has it; 0 where nothing is set.
    #[must_use]
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// What the issuer says that the number means, in an entry of a Bitstring Status List. For developers.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// When the list was true.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// Whether the credential may be accepted as far as this entry goes: only a plain "valid" may.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        self.status == Status::Valid
    }
}

#[cfg(test)]
mod tests {
    use super::super::BitsPerEntry;
    use super::super::StatusMessages;
    use super::*;

    const ISSUER: &str = "did:example:issuer";
    const URI: &str = "https://example.com/1";
    const AS_OF: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn array() -> StatusArray {
        let mut array = StatusArray::new(BitsPerEntry::Two, 8);
        for (index, value) in [0, 1, 2, 3].into_iter().enumerate() {
            array.set(index, Status::from(value)).unwrap();
        }
        array
    }

    fn token(index: usize) -> StatusReference {
        StatusReference::token_status_list(URI.to_owned(), index)
    }

    fn bitstring(index: usize, purpose: &str) -> StatusReference {
        StatusReference::bitstring(URI.to_owned(), index, purpose.into())
    }

    fn read(list: &StatusList, reference: &StatusReference) -> Result<Status, StatusError> {
        list.read(reference).map(|reading| reading.status())
    }

    #[test]
    fn status_types_are_read_directly() {
        let list = StatusList::of_status_types(ISSUER.to_owned(), URI.to_owned(), array(), AS_OF);
        for (index, status) in [Status::Valid, Status::Invalid, Status::Suspended, Status::Other(3)]
            .into_iter()
            .enumerate()
        {
            let reading = list.read(&token(index)).unwrap();
            assert_eq!((reading.status(), reading.as_of()), (status, AS_OF));
            assert_eq!(reading.is_acceptable(), index == 0);
        }
    }

    #[test]
    fn purposes_are_read_from_status_types() {
        let list = StatusList::of_status_types(ISSUER.to_owned(), URI.to_owned(), array(), AS_OF);
        for (index, revocation, suspension) in [
            (0, Status::Valid, Status::Valid),
            (1, Status::Invalid, Status::Valid),
            (2, Status::Valid, Status::Suspended),
            (3, Status::Other(3), Status::Other(3)),
        ] {
            assert_eq!(read(&list, &bitstring(index, "revocation")), Ok(revocation));
            assert_eq!(read(&list, &bitstring(index, "suspension")), Ok(suspension));
        }
        assert!(matches!(
            read(&list, &bitstring(0, "refresh")),
            Err(StatusError::WrongPurpose { .. })
        ));
    }

    #[test]
    fn an_entry_of_another_size_is_refused() {
        let list = StatusList::of_status_types(ISSUER.to_owned(), URI.to_owned(), array(), AS_OF);
        let messages = StatusMessages::new(vec![String::new(); 4]).unwrap();
        assert_eq!(
            read(&list, &bitstring(1, "revocation").with_messages(messages)),
            Err(StatusError::WrongSize { expected: 2, found: 1 })
        );
    }

    #[test]
    fn a_copy_is_refreshed_in_time() {
        let lifetime = |valid_until, seconds: Option<u64>| Lifetime {
            as_of: AS_OF,
            valid_until,
            time_to_live: seconds.map(Duration::from_secs),
        };
        let (fetched, end) = (AS_OF.plus(500), AS_OF.plus(1_000));
        for (valid_until, time_to_live, expected) in [
            (None, None, None),
            (Some(end), None, Some(end)),
            (None, Some(300), Some(fetched.plus(300))),
            (Some(end), Some(300), Some(fetched.plus(300))),
            (Some(end), Some(700), Some(end)),
            // Neither a storm of requests nor a list for ever.
            (None, Some(0), Some(fetched.plus(60))),
            (None, Some(u64::MAX), Some(fetched.plus(86_400))),
        ] {
            assert_eq!(lifetime(valid_until, time_to_live).refresh_at(fetched), expected);
        }
    }

    #[test]
    fn an_index_out_of_range_is_refused() {
        let list = StatusList::of_status_types(ISSUER.to_owned(), URI.to_owned(), array(), AS_OF);
        assert!(list.read(&token(7)).is_ok());
        assert_eq!(
            read(&list, &token(8)),
            Err(StatusError::IndexOutOfRange { index: 8, entries: 8 })
        );
    }

    #[test]
    fn another_list_is_refused() {
        let list = StatusList::of_status_types(ISSUER.to_owned(), URI.to_owned(), array(), AS_OF);
        let other = StatusReference::token_status_list("https://example.com/2".to_owned(), 0);
        assert!(matches!(list.read(&other), Err(StatusError::WrongList { .. })));
    }
}
