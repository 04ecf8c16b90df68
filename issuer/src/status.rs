//! Status lists: places for new credentials, changes of status, and commitment to the registry.
//!
//! Every list has 131,072 places, the herd that the Bitstring Status List standard asks for at least, and a
//! credential gets a random free one, so that an index tells nothing about order. A list's standard forms are
//! signed anew for each commitment and served as they were committed: a monitor can compare the two.
//!
//! Each list is one record with three views: the Token Status List that SD-JWT VCs name, and the two Bitstring Status
//! Lists, of revocations and of suspensions, that W3C credentials name, at the same address with `/revocation` and
//! `/suspension`. All are made from the same statuses and committed in the same entry, with the same compact form, so
//! that they cannot disagree.

mod change;
mod commit;
mod forms;
mod places;

pub(crate) use change::change;
pub(crate) use commit::commit_due;
pub(crate) use forms::Form;
pub(crate) use forms::Securing;
pub(crate) use forms::aggregation;
pub(crate) use forms::bitstring_uri;
pub(crate) use forms::published;
pub(crate) use places::start_list;
pub(crate) use places::take_places;

use ::credential::data_integrity::LdpVcError;
use ::credential::status_list::BitsPerEntry;
use ::credential::status_list::StatusListError;
use ::credential::vc_jwt::VcJwtError;
use ::store::Entry;
use keys::SignerError;
use thiserror::Error;
use trust::entry::AssembleError;
use trust::status_bits::StatusBitsError;

use crate::RegistryError;
use crate::records::ListRecord;
use crate::store::RecordError;

/// Places of a list; 16 kB for each bit of status.
const CAPACITY: usize = 131_072;
/// Valid, invalid, suspended.
const BITS: BitsPerEntry = BitsPerEntry::Two;
/// A commitment is renewed before verifiers that ask for daily news run out of them.
const RENEW_SECONDS: i64 = 6 * 60 * 60;
/// When verifiers may expect the next state at the latest: two renewals may fail.
const NEXT_UPDATE_SECONDS: i64 = 24 * 60 * 60;
/// How late a verifier that fetches lists itself may learn of a change. A list has some kilobytes, and one copy
/// serves everybody behind a cache.
const TIME_TO_LIVE_SECONDS: u32 = 15 * 60;
/// Lists of one agency that are read at a time; ten years of a national issuer.
const MAX_LISTS: usize = 10_000;

/// A status was not read, changed or committed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatusError {
    /// The entry cannot be assembled: our fault.
    #[error("the status commitment cannot be assembled")]
    Assemble(#[from] AssembleError),
    /// The Bitstring Status List cannot be made: our fault.
    #[error("the bitstring status list cannot be made")]
    BitstringJwt(#[from] VcJwtError),
    /// The Bitstring Status List cannot be made: our fault.
    #[error("the bitstring status list cannot be made")]
    BitstringProof(#[from] LdpVcError),
    /// The compact form for bundles cannot be made: our fault.
    #[error("the compact form of the status list cannot be made")]
    Compact(#[from] StatusBitsError),
    /// The list cannot be written: our fault.
    #[error("the status list cannot be written")]
    List(#[from] StatusListError),
    /// The registry did not take the commitment.
    #[error("the status was not committed")]
    Registry(#[from] RegistryError),
    /// The credential was revoked, and stays so.
    #[error("the credential {id} was revoked for good")]
    Revoked {
        /// Its id.
        id: String,
    },
    /// The key did not sign.
    #[error("the status list was not signed")]
    Signer(#[from] SignerError),
    /// The store failed.
    #[error("the status was not saved")]
    Store(#[from] RecordError),
    /// No such credential.
    #[error("the agency has issued no credential {id}")]
    Unknown {
        /// Its id.
        id: String,
    },
    /// The credential has no place in a status list: its status cannot change, and it ends by itself.
    #[error("the credential {id} has no status list; it ends by itself")]
    Unlisted {
        /// Its id.
        id: String,
    },
}

fn read_list(entry: &Entry) -> Result<ListRecord, RecordError> {
    serde_json::from_slice(&entry.value).map_err(|_| RecordError::Damaged {
        key: String::from_utf8_lossy(&entry.key).into_owned(),
    })
}

fn list_key(agency: &str, list: &str) -> String {
    format!("list/{agency}/{list}")
}

fn status_key(agency: &str, list: &str) -> String {
    format!("status/{agency}/{list}")
}
