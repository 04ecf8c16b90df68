//! Verifying a bundle.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use keys::cbor::Value;
use thiserror::Error;

use super::CompactList;
use super::MAGIC;
use super::PLAIN;
use super::RecognitionError;
use super::Standing;
use super::TrustedBundle;
use super::VERSION;
use super::ZLIB;
use super::export::documents_of;
use super::export::lists_of;
use crate::anchor::Anchor;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::entry::Body;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::SnapshotBody;
use crate::entry::StatusEncoding;
use crate::merkle::Hash;
use crate::merkle::ProofError;
use crate::proof::TlogProof;
use crate::proof::TlogProofError;
use crate::state::Clock;
use crate::state::Refusal;
use crate::state::State;
use crate::status_bits::compact_digest;
use crate::status_bits::inflate;
use crate::tlog_policy::WitnessedCheckpoint;

/// How large a bundle may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file; checked before anything is decoded.
    pub max_bytes: usize,
    /// Bytes of all sections and attachments together, decompressed; checked before each is.
    pub max_plain_bytes: u64,
}

impl Default for Limits {
    /// A nation's bundle is 1 to 3 MB; this leaves room for twenty times that, and for text that
    /// compresses to a fifth.
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_plain_bytes: 320 << 20,
        }
    }
}

/// Why a bundle is refused. Whoever made or carried it is at fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleError {
    /// It is of another registry than the one that is believed.
    #[error("expected a bundle of {expected}, found one of {found}")]
    Anchor {
        /// Origin of the anchor.
        expected: String,
        /// Origin that the bundle names.
        found: String,
    },
    /// An attachment is not what its digest says, or nothing refers to it.
    #[error("expected only attachments that the state refers to, found {found}")]
    Attachment {
        /// The digest that it goes by.
        found: Hash,
    },
    /// Not the format.
    #[error("the bundle cannot be read")]
    Decode(#[from] DecodeError),
    /// The sections are not the ones that the Snapshot commits to.
    #[error("expected the section {section} of the snapshot, found another")]
    Digest {
        /// The first section that differs.
        section: EntryType,
    },
    /// The Snapshot is not the last leaf: something may have been revoked after it.
    #[error("expected the snapshot as the last leaf of the checkpoint of size {size}, found it at index {index}")]
    NotLast {
        /// Index of the proof.
        index: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// No pinned registry recognises its registry.
    #[error("expected a bundle of a registry that a pinned one recognises, found one of {found}")]
    NotRecognised {
        /// Origin that the bundle names.
        found: String,
    },
    /// A Policy does not follow from the ones before.
    #[error("the chain of policies from the anchor does not hold")]
    Policy(#[source] Refusal),
    /// The proof of the Snapshot does not hold.
    #[error("the proof of the snapshot does not hold")]
    Proof(#[from] TlogProofError),
    /// A record of an extract is not in the section that the Snapshot commits to.
    #[error("the proof of a record of section {section} does not hold")]
    Record {
        /// The section that it is said to be of.
        section: EntryType,
        /// Why.
        source: ProofError,
    },
    /// The terms of the recognition are of something else.
    #[error("the bundle is not what the recognition of its registry is about")]
    Recognition(#[from] RecognitionError),
    /// The leaf is not a Snapshot.
    #[error("expected a snapshot, found another entry")]
    Snapshot,
    /// More bytes than the limits allow.
    #[error("expected at most {limit} bytes, found {found}")]
    TooLarge {
        /// The limit.
        limit: u64,
        /// The size found.
        found: u64,
    },
}

pub(super) fn load(bytes: &[u8], anchor: &Anchor, limits: Limits) -> Result<TrustedBundle, BundleError> {
    Parsed::parse(bytes, limits)?.verify(anchor, Standing::Pinned)
}

/// A Snapshot and its proof, neither of them believed yet.
pub(super) struct Proven {
    proof: TlogProof,
    leaf: Vec<u8>,
    entry: Entry,
    pub(super) snapshot: SnapshotBody,
}

impl Proven {
    /// The members with the proof and, behind it, the Snapshot's leaf.
    pub(super) fn parse(fields: &mut Fields, member: u64) -> Result<Self, BundleError> {
        let proof = TlogProof::parse(&fields.lines(member)?)?;
        let leaf = fields.bytes(member + 1)?;
        let entry = Entry::parse(&leaf)?;
        let Body::Snapshot(snapshot) = entry.body().clone() else {
            return Err(BundleError::Snapshot);
        };
        Ok(Self {
            proof,
            leaf,
            entry,
            snapshot,
        })
    }

    /// The origin that it names.
    pub(super) fn origin(&self) -> &str {
        self.entry.subject()
    }

    /// The state of these records, if they lead to the anchor: `check` compares them with the Snapshot, which the witnesses
    /// of the last Policy in them cosigned.
    pub(super) fn verify(
        &self,
        anchor: &Anchor,
        records: &BTreeMap<EntryType, Vec<Vec<u8>>>,
        check: impl FnOnce(&State) -> Result<(), BundleError>,
    ) -> Result<(State, WitnessedCheckpoint), BundleError> {
        let snapshot = &self.snapshot;
        if self.origin() != anchor.origin() {
            return Err(BundleError::Anchor {
                expected: anchor.origin().to_owned(),
                found: self.origin().to_owned(),
            });
        }
        let clock = Clock::of(snapshot.covered, self.entry.hash(), snapshot);
        let state = State::restore(anchor.clone(), clock, snapshot.projections.clone(), records)?;
        check(&state)?;
        state.verify_policies().map_err(BundleError::Policy)?;
        let policy = state.policy().ok_or(BundleError::Policy(Refusal::Genesis))?;
        let witnessed = self
            .proof
            .verify_with(&self.leaf, policy.witnesses(), &policy.body().state_quorum)?;
        let (index, size) = (self.proof.index(), witnessed.checkpoint().size());
        if index != snapshot.covered || size.checked_sub(1) != Some(index) {
            return Err(BundleError::NotLast { index, size });
        }
        Ok((state, witnessed))
    }
}

/// The parts of a bundle, none of them believed yet.
pub(super) struct Parsed {
    proven: Proven,
    sections: BTreeMap<EntryType, Vec<Vec<u8>>>,
    documents: BTreeMap<Hash, Vec<u8>>,
    lists: BTreeMap<(Hash, StatusEncoding), CompactList>,
}

impl Parsed {
    /// The origin that it names.
    pub(super) fn origin(&self) -> &str {
        self.proven.origin()
    }

    /// Believes it if everything leads to the anchor.
    pub(super) fn verify(self, anchor: &Anchor, standing: Standing) -> Result<TrustedBundle, BundleError> {
        let check = |state: &State| check_digests(state, &self.proven.snapshot);
        let (state, witnessed) = self.proven.verify(anchor, &self.sections, check)?;
        let documents: BTreeSet<Hash> = documents_of(&state).collect();
        let lists: BTreeSet<(Hash, StatusEncoding)> = lists_of(&state).collect();
        let strange_document = self.documents.keys().find(|digest| !documents.contains(*digest));
        let strange_list = self
            .lists
            .keys()
            .find(|list| !lists.contains(*list))
            .map(|(digest, _)| digest);
        if let Some(found) = strange_document.or(strange_list) {
            return Err(BundleError::Attachment { found: *found });
        }
        Ok(TrustedBundle {
            standing,
            snapshot: self.proven.snapshot,
            witnessed,
            documents: self.documents,
            lists: self.lists,
            chunks: BTreeMap::new(),
            state,
        })
    }

    pub(super) fn parse(bytes: &[u8], limits: Limits) -> Result<Self, BundleError> {
        check_size(bytes, limits)?;
        let mut fields = Fields::open("bundle", codec::decode("bundle", bytes, limits.max_bytes)?)?;
        if fields.text(1)? != MAGIC || fields.unsigned(2)? != VERSION {
            return Err(fields.shape("an attestry-trust-bundle of version 1").into());
        }
        let proven = Proven::parse(&mut fields, 3)?;
        let mut plain_bytes_left = limits.max_plain_bytes;
        let sections = sections(&mut fields, 5, &mut plain_bytes_left)?;
        let all = EntryType::ALL
            .into_iter()
            .filter(|section| *section != EntryType::Snapshot);
        if !sections.keys().copied().eq(all) {
            return Err(fields.shape("the eight sections").into());
        }
        let documents = documents(&mut fields, 6, &mut plain_bytes_left)?;
        let lists = lists(fields.array(7, Ok)?)?;
        fields.end()?;
        Ok(Self {
            proven,
            sections,
            documents,
            lists,
        })
    }
}

/// Checked before anything is decoded.
pub(super) fn check_size(bytes: &[u8], limits: Limits) -> Result<(), BundleError> {
    if bytes.len() <= limits.max_bytes {
        return Ok(());
    }
    Err(BundleError::TooLarge {
        limit: u64::try_from(limits.max_bytes).unwrap_or(u64::MAX),
        found: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
    })
}

/// The records of sections, which come ascending by number.
pub(super) fn sections(
    fields: &mut Fields,
    member: u64,
    plain_bytes_left: &mut u64,
) -> Result<BTreeMap<EntryType, Vec<Vec<u8>>>, BundleError> {
    let mut sections = BTreeMap::new();
    for value in fields.array(member, Ok)? {
        let (name, plain) = Packed::from_value(value)?.unpack(plain_bytes_left)?;
        let section = name.as_unsigned().and_then(EntryType::from_number);
        let section = section.filter(|section| sections.last_key_value().is_none_or(|(last, _)| last < section));
        let section = section.ok_or_else(|| fields.shape("sections ascending by number"))?;
        sections.insert(section, records(&plain)?);
    }
    Ok(sections)
}

/// Schema documents, each under its SHA-256, ascending.
pub(super) fn documents(
    fields: &mut Fields,
    member: u64,
    plain_bytes_left: &mut u64,
) -> Result<BTreeMap<Hash, Vec<u8>>, BundleError> {
    let mut documents = BTreeMap::new();
    for value in fields.array(member, Ok)? {
        let (name, plain) = Packed::from_value(value)?.unpack(plain_bytes_left)?;
        let digest = Hash::digest(&plain);
        let in_order = documents.last_key_value().is_none_or(|(last, _)| *last < digest);
        if name != codec::hash_value(digest) || !in_order {
            return Err(BundleError::Attachment { found: digest });
        }
        documents.insert(digest, plain);
    }
    Ok(documents)
}

struct Packed {
    name: Value,
    encoding: u64,
    length: u64,
    bytes: Vec<u8>,
}

impl Packed {
    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("packed", value)?;
        let packed = Self {
            name: fields.value(1)?,
            encoding: fields.unsigned(2)?,
            length: fields.unsigned(3)?,
            bytes: fields.bytes(4)?,
        };
        fields.end()?;
        Ok(packed)
    }

    /// Name and plain bytes. The length is counted against the limit before anything is decompressed.
    fn unpack(self, plain_bytes_left: &mut u64) -> Result<(Value, Vec<u8>), BundleError> {
        let too_large = BundleError::TooLarge {
            limit: *plain_bytes_left,
            found: self.length,
        };
        *plain_bytes_left = plain_bytes_left.checked_sub(self.length).ok_or(too_large)?;
        let plain = match self.encoding {
            PLAIN => Some(self.bytes).filter(|bytes| u64::try_from(bytes.len()) == Ok(self.length)),
            ZLIB => inflate(&self.bytes, self.length),
            _ => None,
        };
        let wrong = DecodeError::Shape {
            what: "packed",
            expected: "plain or zlib bytes of the length told",
        };
        Ok((self.name, plain.ok_or(wrong)?))
    }
}

/// Compact status lists, each under its own digest. They count as they are: their decoded size is bounded
/// by the rules of a commitment.
pub(super) fn lists(values: Vec<Value>) -> Result<BTreeMap<(Hash, StatusEncoding), CompactList>, BundleError> {
    let mut lists = BTreeMap::new();
    for value in values {
        let mut fields = Fields::open("compact list", value)?;
        let found = fields.hash(1)?;
        let encoding = fields.variant(2, "0 (zlib) or 1 (Golomb-Rice)", StatusEncoding::from_number)?;
        let compact = fields.bytes(3)?;
        fields.end()?;
        let key = (found, encoding);
        let in_order = lists.last_key_value().is_none_or(|(last, _)| *last < key);
        if compact_digest(encoding, &compact) != Ok(found) || !in_order {
            return Err(BundleError::Attachment { found });
        }
        lists.insert(
            key,
            CompactList {
                compact,
                bits: OnceLock::new(),
            },
        );
    }
    Ok(lists)
}

/// The records of a section: a CBOR array of byte strings.
fn records(plain: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let wrong = || DecodeError::Shape {
        what: "section",
        expected: "an array of encoded records",
    };
    let Value::Array(items) = codec::decode("section", plain, plain.len())? else {
        return Err(wrong());
    };
    let record = |item| {
        if let Value::Bytes(record) = item {
            Ok(record)
        } else {
            Err(wrong())
        }
    };
    items.into_iter().map(record).collect()
}

fn check_digests(state: &State, snapshot: &SnapshotBody) -> Result<(), BundleError> {
    let found = state.sections();
    for digest in &found {
        if snapshot.section(digest.section) != Some(digest) {
            return Err(BundleError::Digest {
                section: digest.section,
            });
        }
    }
    if snapshot.sections != found || snapshot.state != state.digest() {
        return Err(BundleError::Digest {
            section: EntryType::Snapshot,
        });
    }
    Ok(())
}
