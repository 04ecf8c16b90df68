//! Why an entry is invalid.

use did::methods::web::DidWebError;
use keys::Timestamp;
use thiserror::Error;

use crate::codec::DecodeError;
use crate::did_log::DidLogError;
use crate::entry::EntryType;
use crate::merkle::Hash;

/// Why an entry is refused: on append, and on replay by everybody. Its author's fault, or the log
/// operator's where index, Snapshot or genesis are wrong.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The leaf is not an entry.
    #[error("the leaf is no entry")]
    Decode(#[from] DecodeError),

    // The log.
    /// Entries were left out or come in another order.
    #[error("expected the entry of index {expected}, found {found}")]
    Index {
        /// The next index.
        expected: u64,
        /// The index claimed.
        found: u64,
    },
    /// The log does not begin with the Policy of the anchor.
    #[error("expected the genesis Policy of the anchor as the first entry")]
    Genesis,

    // The chain of type and subject.
    /// An entry of the chain was left out, or comes again.
    #[error("expected sequence number {expected}, found {found}")]
    Sequence {
        /// The next number.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// The author did not know the entry before.
    #[error("expected the previous hash {expected}, found {found}")]
    PreviousHash {
        /// Leaf hash of the last entry of the chain.
        expected: Hash,
        /// What the entry says.
        found: Hash,
    },
    /// A Tombstone ended the subject.
    #[error("expected a subject that goes on, found one that a Tombstone ended")]
    Tombstoned,
    /// Subject or namespace is not one that this type has.
    #[error("expected {expected} as the {member}, found another")]
    Identity {
        /// `ns` or `subject`.
        member: &'static str,
        /// What the type has there.
        expected: &'static str,
    },

    // The approval.
    /// Approved under another Policy than the one in force.
    #[error("expected an approval under the policy {expected}, found {found}")]
    Policy {
        /// The Policy in force.
        expected: Hash,
        /// The Policy of the approval.
        found: Hash,
    },
    /// The approval counts only later.
    #[error("expected an approval that counts at {time}, found one from {not_before} on", time = time.to_rfc3339(), not_before = not_before.to_rfc3339())]
    NotYet {
        /// Time of the preceding Snapshot.
        time: Timestamp,
        /// Start of the approval.
        not_before: Timestamp,
    },
    /// The approval has expired.
    #[error("expected an approval that counts at {time}, found one that expired at {expires}", time = time.to_rfc3339(), expires = expires.to_rfc3339())]
    Expired {
        /// Time of the preceding Snapshot.
        time: Timestamp,
        /// End of the approval.
        expires: Timestamp,
    },
    /// The approval would count for too long.
    #[error("expected an approval that expires by {latest}, found {expires}", latest = latest.to_rfc3339(), expires = expires.to_rfc3339())]
    Lifetime {
        /// The latest expiry allowed.
        latest: Timestamp,
        /// The expiry found.
        expires: Timestamp,
    },
    /// The namespace is no authority of the Policy that may do this.
    #[error("expected an authority of the policy that may do this, found {found}")]
    Authority {
        /// The namespace.
        found: String,
    },
    /// A signer is no officer of the authority, or a key of the document.
    #[error("expected signers that the authority or document names, found {found}")]
    Signer {
        /// The signer.
        found: String,
    },
    /// A signature is not the signer's over this entry in this log.
    #[error("expected a signature of {signer} over this entry, found another")]
    Signature {
        /// The signer.
        signer: String,
    },
    /// A key was revealed that the policy did not commit to, or none where it did.
    #[error("expected {signer} to sign with the key that the policy commits to")]
    CommittedKey {
        /// The signer.
        signer: String,
    },
    /// A recovery is signed in the name of a key that the policy did not commit to.
    #[error("expected a recovery key that the policy commits to, found {found}")]
    RecoveryKey {
        /// The signer: the hexadecimal digest of the key.
        found: String,
    },
    /// A signature is of an algorithm that the policy does not allow, or not of the key's.
    #[error("expected {signer} to sign with an algorithm of its key that the policy allows")]
    Algorithm {
        /// The signer.
        signer: String,
    },
    /// Too few, or for an entry of one signer too many.
    #[error("expected {expected} signatures, found {found}")]
    Signatures {
        /// How many it takes.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The officer suspended the same subject in an emergency before.
    #[error("expected another officer: {officer} has declared an emergency on this subject before")]
    EmergencyRepeated {
        /// The officer.
        officer: String,
    },

    // Policy.
    /// The Policy is not sound.
    #[error("expected a policy with {expected}")]
    PolicyContent {
        /// What was expected.
        expected: &'static str,
    },
    /// An officer's key changes to one that was not committed to.
    #[error("expected the committed next key of officer {officer}, found another")]
    NextKey {
        /// The officer.
        officer: String,
    },
    /// A recovery is under way already.
    #[error("expected no recovery under way, found one")]
    RecoveryPending,

    // DIDs.
    /// Not a DID, or of a method that the policy does not allow.
    #[error("expected a DID of an allowed method, found {found}")]
    Method {
        /// The text.
        found: String,
    },
    /// The DID's log does not hold.
    #[error("the log of the DID does not hold")]
    DidLog(#[from] DidLogError),
    /// The DID names no place on the web, or what was seen there is not its document.
    #[error("expected a did:web with a place on the web, and its document")]
    DidWeb(#[from] DidWebError),
    /// The DID is not in the registry, or it was deactivated.
    #[error("expected a DID of the registry that is active, found {found}")]
    UnknownDid {
        /// The DID.
        found: String,
    },

    // Accreditations, schemas, recognitions.
    /// The subject is not in the state that this needs.
    #[error("expected {expected}, found {found}")]
    Standing {
        /// What this needs.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
    /// The accreditation names a schema that is not there, or not in an admitted version.
    #[error("expected a published schema in an admitted version, found {found}")]
    UnknownSchema {
        /// The schema's id.
        found: String,
    },
    /// The resource is outside of what the authority may accredit.
    #[error("expected resources in the scope of {authority}, found {found}")]
    Scope {
        /// The authority.
        authority: String,
        /// The resource.
        found: String,
    },
    /// The parent does not allow a further level.
    #[error("expected an active parent accreditation of the same entity that may be passed on, found {found}")]
    Parent {
        /// The parent's id, or none.
        found: String,
    },
    /// A delegated accreditation allows more than its parent.
    #[error("expected no more than the parent allows: {member}")]
    Widened {
        /// What is wider.
        member: &'static str,
    },
    /// A name belongs to another schema.
    #[error("expected names that no other schema has, found {name}")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A content rule of the type is broken.
    #[error("expected {expected}")]
    Content {
        /// What was expected.
        expected: &'static str,
    },
    /// A Tombstone for something that is not there.
    #[error("expected a {target} of this subject, found none")]
    NothingToEnd {
        /// Type of what should end.
        target: EntryType,
    },

    // Status lists.
    /// The issuer has no accreditation to issue.
    #[error("expected an accredited issuer, found {found}")]
    NotAccredited {
        /// The DID.
        found: String,
    },
    /// A list is not the continuation of itself.
    #[error("list {uri}: expected {expected}")]
    StatusList {
        /// The list.
        uri: String,
        /// What was expected.
        expected: &'static str,
    },

    // Snapshots.
    /// The Snapshot is not that of this state.
    #[error("expected the snapshot that the entries give: {expected}")]
    Snapshot {
        /// What was expected.
        expected: &'static str,
    },
    /// The Snapshot commits to another state.
    #[error("expected the state digest {expected}, found {found}")]
    StateDigest {
        /// What replay gives.
        expected: Hash,
        /// What the Snapshot says.
        found: Hash,
    },
    /// The clock goes back.
    #[error("expected a time from {earliest} on, found {found}", earliest = earliest.to_rfc3339(), found = found.to_rfc3339())]
    TimeGoesBack {
        /// Time of the Snapshot before.
        earliest: Timestamp,
        /// Time of this one.
        found: Timestamp,
    },
}
