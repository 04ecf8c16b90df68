//! Extracts of the register: what it says of some issuers, in a few kilobytes, believed by the same signatures as a bundle.
//!
//! ```cddl
//! extract = {
//!   1: "attestry-trust-extract",
//!   2: 1,                  ; version
//!   3: tstr,               ; tlog-proof of the Snapshot
//!   4: bstr,               ; the Snapshot's leaf
//!   5: [4 packed],         ; the sections 0, 3, 7 and 8, whole, as in a bundle
//!   6: [* located],        ; records of the sections 1, 2, 4 and 5, ascending by section and index
//!   7: [* chunk]           ; chunks of compact lists in encoding 1, ascending by digest and number
//! }
//! located = { 1: uint, 2: uint, 3: bstr, 4: [* bstr .size 32] }          ; section, index, record, inclusion proof
//! chunk = { 1: bstr .size 32, 2: uint, 3: bstr, 4: [* bstr .size 32] }   ; digest, number, chunk, inclusion proof
//! ```
//!
//! What is missing may only make a verdict stricter. A DID, an accreditation, a type or a status that is not there is not
//! known; but a Policy, a withdrawn recognition, an incident or an end that is not there would make something count that does
//! not, so these sections are whole, and they are short.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::cbor::Value;

use super::BundleError;
use super::ExportError;
use super::Limits;
use super::Standing;
use super::TrustedBundle;
use super::VERSION;
use super::export;
use super::load;
use super::load::Proven;
use super::profile;
use super::recognised;
use crate::anchor::Anchor;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Action;
use crate::entry::EntryType;
use crate::entry::SectionDigest;
use crate::entry::SnapshotBody;
use crate::entry::StatusEncoding;
use crate::entry::StatusList;
use crate::golomb_rice;
use crate::golomb_rice::CHUNK_INDICES;
use crate::merkle;
use crate::merkle::Hash;
use crate::merkle::leaf_hash;
use crate::proof::TlogProof;
use crate::state::Located;
use crate::state::Record as _;
use crate::state::State;
use crate::state::StatusRecord;
use crate::state::state_digest;

/// First member of every extract.
const MAGIC: &str = "attestry-trust-extract";

/// Sections that an extract has whole.
const WHOLE: [EntryType; 4] = [
    EntryType::Policy,
    EntryType::Recognition,
    EntryType::Incident,
    EntryType::Tombstone,
];

/// Sections of which an extract has records.
const PICKED: [EntryType; 4] = [
    EntryType::DidEvent,
    EntryType::Accreditation,
    EntryType::Schema,
    EntryType::StatusCommit,
];

/// The largest DID's log has 1 MiB; all else that is of use for one credential has some kilobytes.
pub const MAX_EXTRACT_BYTES: usize = 4 << 20;

/// The whole sections compress to a fifth.
const LIMITS: Limits = Limits {
    max_bytes: MAX_EXTRACT_BYTES,
    max_plain_bytes: 16 << 20,
};

/// An extract whose every byte was authenticated. What is not in it, it says nothing about.
#[derive(Debug)]
pub struct Extract(TrustedBundle);

/// What an extract is to be about.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subjects {
    /// DIDs whose documents and accreditations are wanted.
    pub entities: BTreeSet<String>,
    /// Ids of schemas, or what credentials call them: a `vct`, a W3C type, a `docType`; with none, all that the entities are accredited for.
    pub types: BTreeSet<String>,
    /// Status lists of the entities by URI, each with the number of a chunk: a credential's index divided by
    /// [`CHUNK_INDICES`].
    pub chunks: BTreeSet<(String, u64)>,
}

impl Extract {
    /// Verifies an extract against the anchor that the verifier pinned, as [`TrustedBundle::load`] verifies a bundle, but for
    /// sections that are not whole: of these each record is proven by itself.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn load(bytes: &[u8], anchor: &Anchor) -> Result<Self, BundleError> {
        Parsed::parse(bytes)?.verify(anchor, Standing::Pinned)
    }

    /// Verifies an extract of a registry that is recognised in one of the bundles `by`, as
    /// [`TrustedBundle::load_recognised`].
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn load_recognised(bytes: &[u8], by: &[&TrustedBundle]) -> Result<Self, BundleError> {
        let parsed = Parsed::parse(bytes)?;
        let found = recognised::find(parsed.proven.origin(), by)?;
        let extract = parsed.verify(&found.anchor, found.standing)?;
        recognised::check(found.terms, &extract.0)?;
        Ok(extract)
    }

    /// What it says. Of what is not in it, nothing is known: a question about it is answered as if the registry had it not,
    /// which is never in anybody's favour.
    #[must_use]
    pub const fn bundle(&self) -> &TrustedBundle {
        &self.0
    }
}

/// The extract of `state`, whose Snapshot is `snapshot`, proven by `proof`, about `subjects`. What the state does not have of
/// these is left out.
///
/// `blob` gives the bytes of a compact status list by its digest; chunks of a list that it does not have are left out, and so
/// are those of lists without chunks.
///
/// # Errors
/// [`ExportError`].
pub fn export_extract(
    state: &State,
    snapshot: &[u8],
    proof: &TlogProof,
    subjects: &Subjects,
    mut blob: impl FnMut(Hash) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, ExportError> {
    export::check(state, snapshot, proof)?;
    let whole = WHOLE.map(|section| export::packed_records(section, state.records(section)));
    let located = subjects.keys(state).into_iter().flat_map(|(section, keys)| {
        let mut located: Vec<Located> = keys.iter().filter_map(|key| state.located(section, key)).collect();
        located.sort_by_key(|located| located.index);
        located.into_iter().map(move |located| located_value(section, located))
    });
    let located: Vec<Value> = located.collect();
    let mut chunks = BTreeMap::new();
    for (list, number) in subjects.lists(state) {
        let Some(compact) = blob(list.compact) else { continue };
        let wrong = |_| ExportError::Blob { expected: list.compact };
        let of_list = golomb_rice::chunks(&compact).map_err(wrong)?;
        let leaves: Vec<Hash> = of_list.iter().map(|chunk| leaf_hash(chunk)).collect();
        if merkle::root(&leaves) != list.compact {
            return Err(ExportError::Blob { expected: list.compact });
        }
        if let Some(chunk) = usize::try_from(number).ok().and_then(|at| of_list.get(at)) {
            let path = merkle::inclusion_proof_of(&leaves, number);
            chunks.insert((list.compact, number), chunk_value(list.compact, number, chunk, &path));
        }
    }
    let extract = MapBuilder::default()
        .put(1, Value::text(MAGIC))
        .put(2, VERSION)
        .put(3, Value::text(proof.to_string()))
        .put(4, Value::bytes(snapshot))
        .put(5, Value::Array(whole.into()))
        .put(6, Value::Array(located))
        .put(7, Value::Array(chunks.into_values().collect()));
    Ok(extract.build().to_vec())
}

impl Subjects {
    /// The digests of the compact lists whose chunks are wanted.
    #[must_use]
    pub fn contents(&self, state: &State) -> BTreeSet<Hash> {
        self.lists(state).map(|(list, _)| list.compact).collect()
    }

    /// Lists of the entities in which the state has such chunks.
    fn lists<'s>(&'s self, state: &'s State) -> impl Iterator<Item = (&'s StatusList, u64)> {
        let named = self.chunks.iter().flat_map(move |(uri, number)| {
            let records = self.entities.iter().filter_map(|issuer| state.status_list(issuer, uri));
            records.map(|record| (record.list(), *number))
        });
        named.filter(|(list, _)| list.encoding == StatusEncoding::GolombRice)
    }

    /// Keys of the records that are wanted, by section.
    fn keys(&self, state: &State) -> BTreeMap<EntryType, BTreeSet<String>> {
        let is_wanted = |id: &str| self.types.is_empty() || profile::is_named(&self.types, state, id);
        let (mut accreditations, mut schemas, mut lists) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for entity in &self.entities {
            for action in [Action::Issue, Action::Publish, Action::Verify] {
                for record in state.accreditations_of(entity, action) {
                    let resources = record.grant().resources.iter().map(|resource| &resource.id);
                    let wanted: Vec<&String> = resources.filter(|id| is_wanted(id)).collect();
                    if !wanted.is_empty() {
                        schemas.extend(wanted.into_iter().cloned());
                        accreditations.extend(state.ids_upwards(record));
                    }
                }
            }
            let named = self.chunks.iter().map(|(uri, _)| uri);
            lists.extend(named.filter_map(|uri| Some(state.status_list(entity, uri)?.key())));
        }
        let dids = self.entities.clone();
        BTreeMap::from(PICKED.map(|section| {
            let keys = match section {
                EntryType::DidEvent => &dids,
                EntryType::Accreditation => &accreditations,
                EntryType::Schema => &schemas,
                _ => &lists,
            };
            (section, keys.clone())
        }))
    }
}

/// The parts of an extract, none of them believed yet.
struct Parsed {
    proven: Proven,
    whole: BTreeMap<EntryType, Vec<Vec<u8>>>,
    located: Vec<(EntryType, Located)>,
    chunks: BTreeMap<(Hash, u64), (Vec<u8>, Vec<Hash>)>,
}

impl Parsed {
    fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        load::check_size(bytes, LIMITS)?;
        let mut fields = Fields::open("extract", codec::decode("extract", bytes, LIMITS.max_bytes)?)?;
        if fields.text(1)? != MAGIC || fields.unsigned(2)? != VERSION {
            return Err(fields.shape("an attestry-trust-extract of version 1").into());
        }
        let proven = Proven::parse(&mut fields, 3)?;
        let mut plain_bytes_left = LIMITS.max_plain_bytes;
        let whole = load::sections(&mut fields, 5, &mut plain_bytes_left)?;
        if !whole.keys().copied().eq(WHOLE) {
            return Err(fields.shape("the sections 0, 3, 7 and 8 whole").into());
        }
        let located = fields.array(6, located_from_value)?;
        let place = |located: &(EntryType, Located)| (located.0, located.1.index);
        if !located.is_sorted_by(|left, right| place(left) < place(right)) {
            return Err(fields.shape("records ascending by section and index").into());
        }
        let mut chunks = BTreeMap::new();
        for (key, chunk) in fields.array(7, chunk_from_value)? {
            if chunks.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(fields.shape("chunks ascending by digest and number").into());
            }
            chunks.insert(key, chunk);
        }
        fields.end()?;
        Ok(Self {
            proven,
            whole,
            located,
            chunks,
        })
    }

    /// Believes it if everything leads to the anchor.
    fn verify(mut self, anchor: &Anchor, standing: Standing) -> Result<Extract, BundleError> {
        for (section, located) in &self.located {
            check_located(&self.proven.snapshot, *section, located)?;
        }
        let mut records = std::mem::take(&mut self.whole);
        for (section, located) in self.located {
            records.entry(section).or_default().push(located.record);
        }
        let check = |state: &State| check_whole(state, &self.proven.snapshot);
        let (state, witnessed) = self.proven.verify(anchor, &records, check)?;
        for ((digest, number), (chunk, path)) in &self.chunks {
            check_chunk(&state, *digest, *number, chunk, path)?;
        }
        let chunks = self.chunks.into_iter().map(|(key, (chunk, _))| (key, chunk));
        Ok(Extract(TrustedBundle {
            standing,
            snapshot: self.proven.snapshot,
            witnessed,
            documents: BTreeMap::new(),
            lists: BTreeMap::new(),
            chunks: chunks.collect(),
            state,
        }))
    }
}

/// That a record stands in the section that the Snapshot commits to.
fn check_located(snapshot: &SnapshotBody, section: EntryType, located: &Located) -> Result<(), BundleError> {
    let digest = snapshot.section(section).ok_or(BundleError::Digest { section })?;
    let leaf = leaf_hash(&located.record);
    merkle::verify_inclusion(leaf, located.index, digest.count, &located.path, digest.root)
        .map_err(|source| BundleError::Record { section, source })
}

/// That the whole sections are those of the Snapshot, and that these sections are those of its state.
fn check_whole(state: &State, snapshot: &SnapshotBody) -> Result<(), BundleError> {
    let found = state.sections();
    for digest in found.iter().filter(|digest| WHOLE.contains(&digest.section)) {
        if snapshot.section(digest.section) != Some(digest) {
            return Err(BundleError::Digest {
                section: digest.section,
            });
        }
    }
    let numbers =
        |sections: &[SectionDigest]| -> Vec<EntryType> { sections.iter().map(|digest| digest.section).collect() };
    let same = numbers(&snapshot.sections) == numbers(&found);
    if !same || snapshot.state != state_digest(state.anchor(), &snapshot.sections) {
        return Err(BundleError::Digest {
            section: EntryType::Snapshot,
        });
    }
    Ok(())
}

/// That a chunk is of a list that a record in the extract names.
fn check_chunk(state: &State, digest: Hash, number: u64, chunk: &[u8], path: &[Hash]) -> Result<(), BundleError> {
    let of_digest = |list: &&StatusList| list.encoding == StatusEncoding::GolombRice && list.compact == digest;
    let lists = state.status_lists().filter(|record| !record.has_ended());
    let list = lists.map(StatusRecord::list).find(of_digest);
    let count = list.map(|list| list.capacity.div_ceil(CHUNK_INDICES));
    let holds =
        count.is_some_and(|count| merkle::verify_inclusion(leaf_hash(chunk), number, count, path, digest).is_ok());
    if holds {
        Ok(())
    } else {
        Err(BundleError::Attachment { found: digest })
    }
}

fn located_value(section: EntryType, located: Located) -> Value {
    MapBuilder::default()
        .put(1, section.number())
        .put(2, located.index)
        .put(3, Value::Bytes(located.record))
        .put(4, codec::hashes_value(&located.path))
        .build()
}

fn located_from_value(value: Value) -> Result<(EntryType, Located), DecodeError> {
    let mut fields = Fields::open("located record", value)?;
    let picked = |number| EntryType::from_number(number).filter(|section| PICKED.contains(section));
    let section = fields.variant(1, "a section of 1, 2, 4 and 5", picked)?;
    let located = Located {
        index: fields.unsigned(2)?,
        record: fields.bytes(3)?,
        path: fields.hashes(4)?,
    };
    fields.end()?;
    Ok((section, located))
}

fn chunk_value(digest: Hash, number: u64, chunk: &[u8], path: &[Hash]) -> Value {
    MapBuilder::default()
        .put(1, codec::hash_value(digest))
        .put(2, number)
        .put(3, Value::bytes(chunk))
        .put(4, codec::hashes_value(path))
        .build()
}

type Chunk = ((Hash, u64), (Vec<u8>, Vec<Hash>));

fn chunk_from_value(value: Value) -> Result<Chunk, DecodeError> {
    let mut fields = Fields::open("chunk", value)?;
    let key = (fields.hash(1)?, fields.unsigned(2)?);
    let chunk = (fields.bytes(3)?, fields.hashes(4)?);
    fields.end()?;
    Ok((key, chunk))
}
