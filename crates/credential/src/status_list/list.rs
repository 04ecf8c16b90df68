//! A status list that was authenticated, and what it says about one credential.

use keys::Timestamp;
use thiserror::Error;

use super::Status;
use super::StatusArray;
use super::StatusPurpose;
use super::StatusReference;

/// A published status list whose origin was checked: a verified Status List Token, a verified
/// `BitstringStatusListCredential`, or a list of the trust bundle.
#[derive(Clone, Debug)]
pub struct StatusList {
    issuer: String,
    uri: String,
    as_of: Timestamp,
    array: StatusArray,
    meaning: Meaning,
}

/// What the values of the array mean.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// The registry of status types: valid, invalid, suspended.
    StatusTypes,
    /// Anything but zero means that the purpose applies.
    Purpose(StatusPurpose),
}

/// What a list says about one credential. Made only by [`StatusList::read`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct StatusReading {
    issuer: String,
    reference: StatusReference,
    status: Status,
    as_of: Timestamp,
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
}

impl StatusList {
    /// A list with registered status types, as of a time. The caller vouches for its origin: the trust
    /// bundle does this for lists whose digest the registry has logged.
    #[must_use]
    pub const fn of_status_types(issuer: String, uri: String, array: StatusArray, as_of: Timestamp) -> Self {
        Self {
            issuer,
            uri,
            as_of,
            array,
            meaning: Meaning::StatusTypes,
        }
    }

    /// A Bitstring Status List of one purpose.
    pub(crate) const fn of_purpose(
        issuer: String,
        uri: String,
        array: StatusArray,
        purpose: StatusPurpose,
        as_of: Timestamp,
    ) -> Self {
        Self {
            issuer,
            uri,
            as_of,
            array,
            meaning: Meaning::Purpose(purpose),
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
        self.as_of
    }

    /// The values.
    #[must_use]
    pub const fn array(&self) -> &StatusArray {
        &self.array
    }

    /// What the list says about the credential with this reference.
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
        let value = self
            .array
            .get(index)
            .ok_or(StatusError::IndexOutOfRange { index, entries })?;
        let wrong_purpose = || StatusError::WrongPurpose {
            expected: reference
                .purpose()
                .map_or("status types", StatusPurpose::as_str)
                .to_owned(),
        };
        let status = match (&self.meaning, reference.purpose()) {
            (Meaning::StatusTypes, None) => value,
            // The record behind both views: revoked and suspended are two values of one entry.
            (Meaning::StatusTypes, Some(purpose)) => {
                let set = purpose.status().ok_or_else(wrong_purpose)?;
                if value == set { set } else { not_set(value) }
            }
            (Meaning::Purpose(list), Some(purpose)) if list == purpose => match value {
                Status::Valid => Status::Valid,
                Status::Invalid | Status::Suspended | Status::Other(_) => purpose.when_set(),
            },
            (Meaning::Purpose(_), _) => return Err(wrong_purpose()),
        };
        Ok(StatusReading {
            issuer: self.issuer.clone(),
            reference: reference.clone(),
            status,
            as_of: self.as_of,
        })
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
    const fn when_set(&self) -> Status {
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
    fn a_list_of_one_purpose_speaks_of_that_purpose_only() {
        let mut array = StatusArray::new(BitsPerEntry::One, 8);
        array.set(1, Status::Invalid).unwrap();
        for (purpose, set) in [
            ("revocation", Status::Invalid),
            ("suspension", Status::Suspended),
            ("refresh", Status::Valid),
            ("own", Status::Other(1)),
        ] {
            let list = StatusList::of_purpose(ISSUER.to_owned(), URI.to_owned(), array.clone(), purpose.into(), AS_OF);
            assert_eq!(read(&list, &bitstring(0, purpose)), Ok(Status::Valid));
            assert_eq!(read(&list, &bitstring(1, purpose)), Ok(set));
            assert!(matches!(
                read(&list, &bitstring(0, "other")),
                Err(StatusError::WrongPurpose { .. })
            ));
            assert!(matches!(read(&list, &token(0)), Err(StatusError::WrongPurpose { .. })));
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
