//! Status lists: one array of statuses, and its published views.
//!
//! [`StatusArray`] is the record. A Token Status List
//! ([draft-ietf-oauth-status-list](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)) and a
//! [Bitstring Status List 1.0](https://www.w3.org/TR/vc-bitstring-status-list/) are both written from it, so
//! they cannot disagree about a credential.
//!
//! A [`StatusList`] has status types, whether it came as a token or from the trust bundle; a [`BitstringStatusList`] has
//! the purposes of its credential, with entries of one or more bits.
//!
//! Fetching is the caller's business, and so is deciding how old a list may be: a [`StatusReading`] carries
//! the time it speaks of, and a [`Lifetime`] says when to fetch again.

mod aggregation;
mod array;
mod bitstring;
mod bitstring_credential;
mod compression;
mod cwt;
mod list;
mod problem;
mod reference;
mod size;
mod token;

pub use aggregation::AggregationError;
pub use aggregation::StatusListAggregation;
pub use array::BitsPerEntry;
pub use array::CompressedList;
pub use array::Status;
pub use array::StatusArray;
pub use bitstring::Bitstring;
pub use bitstring::BitstringPurpose;
pub use bitstring::MIN_ENTRIES;
pub use bitstring_credential::BitstringCredential;
pub use bitstring_credential::BitstringCredentialError;
pub use bitstring_credential::BitstringStatusList;
pub use bitstring_credential::STATUS_LIST_CREDENTIAL;
pub use compression::MAX_LIST_BYTES;
pub use cwt::STATUS_LIST_CWT_TYPE;
pub use cwt::UnverifiedStatusListCwt;
pub use list::Lifetime;
pub use list::StatusError;
pub use list::StatusList;
pub use list::StatusReading;
pub use problem::StatusProblem;
pub(crate) use reference::BITSTRING_ENTRY;
pub use reference::StatusPurpose;
pub use reference::StatusReference;
pub use reference::StatusReferenceError;
pub(crate) use reference::is_uri;
pub use size::StatusMessages;
pub use size::StatusSize;
pub use size::StatusSizeError;
pub use token::STATUS_LIST_TYPE;
pub use token::StatusListToken;
pub use token::StatusListTokenError;
pub use token::UnverifiedStatusListToken;

use thiserror::Error;

/// The publisher's fault: the list's bytes are not a status list.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusListError {
    /// Not 1, 2, 4 or 8 bits for each entry.
    #[error("expected 1, 2, 4 or 8 bits for each entry, found {found}")]
    Bits {
        /// What was found.
        found: u64,
    },
    /// Not the text encoding of its standard.
    #[error("expected base64url ({expected})")]
    Encoding {
        /// Which standard's form.
        expected: &'static str,
    },
    /// Not the compression format of its standard, or cut off.
    #[error("expected {expected} data, found other or incomplete bytes")]
    Compression {
        /// Which format.
        expected: &'static str,
    },
    /// Nothing came out of the compressor: our fault.
    #[error("the status list was not compressed")]
    NotCompressed,
    /// Larger than we expand.
    #[error("expected a list of at most {MAX_LIST_BYTES} bytes after decompression, found more")]
    TooLarge,
    /// Too short to hide one credential among others.
    #[error("expected a bitstring of at least {minimum} entries, found {found}")]
    TooShort {
        /// The standard's minimum.
        minimum: usize,
        /// Entries found.
        found: usize,
    },
}
