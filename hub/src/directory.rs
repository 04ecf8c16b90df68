//! Who is an agency: the hub asks, the binary answers from the registry or a trust bundle.

use std::error::Error as StdError;
use std::pin::Pin;

use did::Did;
use did::DidUrl;
use did::Purpose;
use keys::PublicKey;
use thiserror::Error;

use crate::protocol::commitment::OpenCommitment;

/// The future of a directory's method; the alias keeps the signatures below readable.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, DirectoryError>> + Send + 'a>>;

/// The directory could not be read: its fault or its environment's. Nothing may then be assumed.
#[derive(Debug, Error)]
#[error("the directory of agencies cannot be read")]
pub struct DirectoryError(#[source] pub Box<dyn StdError + Send + Sync>);

/// The agencies of the federation.
///
/// Answers are those of now: an agency that lost its place in the registry is `false` from then on.
pub trait AgencyDirectory: Send + Sync {
    /// The key that an agency's DID document names for `purpose`; `None` if the DID is no agency's, or its
    /// document has no such key.
    fn key<'a>(&'a self, key_id: &'a DidUrl, purpose: Purpose) -> Answer<'a, Option<PublicKey>>;

    /// Whether the agency may publish APIs.
    fn may_publish<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool>;

    /// Whether the agency may apply for access and call.
    fn may_consume<'a>(&'a self, agency: &'a Did) -> Answer<'a, bool>;

    /// Whether `source` knows `key` as a key of the subject, for instance because it issued the person a
    /// credential bound to it. A consent signed with any other key is not taken, or everybody could consent
    /// for everybody.
    fn is_subjects_key<'a>(
        &'a self,
        source: &'a Did,
        subject: &'a OpenCommitment,
        key: &'a PublicKey,
    ) -> Answer<'a, bool>;
}
