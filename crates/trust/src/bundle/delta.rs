//! What leads from one bundle to a later one of the same registry: the records that changed, and of status lists the
//! places that did.
//!
//! ```cddl
//! delta = {
//!   1: "attestry-trust-bundle-delta",
//!   2: 1,                  ; version
//!   3: bstr .size 32,      ; digest of the state that it begins at
//!   4: tstr,               ; tlog-proof of the later Snapshot
//!   5: bstr,               ; that Snapshot's leaf
//!   6: [* bstr .size 32],  ; consistency proof from the checkpoint that it begins at to the later one
//!   7: [* packed],         ; changed records by section, ascending by number, as in a bundle
//!   8: [* packed],         ; schema documents of changed schemas, ascending by SHA-256, as in a bundle
//!   9: [* compact],        ; lists that are given whole, ascending by digest and encoding, as in a bundle
//!   10: patches
//! }
//! patches = { 1: uint, 2: uint, 3: uint, 4: bstr }  ; lists, parameter, count, bits
//! ```
//!
//! Patched are, in the order of the changed records, the lists in Golomb-Rice encoding whose digest is neither what it was
//! under the same key nor given whole, each once. Their places are counted through, with the capacities of now. The bits
//! are the changes, as `golomb_rice.rs` writes them; the compact form of a patched list is the one that it makes.
//!
//! Nothing in a delta is signed. What it makes of a bundle is loaded like any bundle, so whoever leaves something out or
//! puts something in makes a bundle that is refused.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::cbor::Value;
use thiserror::Error;

use super::BundleError;
use super::ExportError;
use super::Limits;
use super::RollbackError;
use super::TrustedBundle;
use super::VERSION;
use super::export;
use super::load;
use crate::codec;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Body;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::StatusEncoding;
use crate::entry::StatusList;
use crate::golomb_rice;
use crate::golomb_rice::Changed;
use crate::merkle;
use crate::merkle::Hash;
use crate::merkle::ProofError;
use crate::proof::TlogProof;
use crate::proof::TlogProofError;
use crate::state::Clock;
use crate::state::SchemaRecord;
use crate::state::State;
use crate::state::StatusRecord;
use crate::status_bits::StatusBits;
use crate::status_bits::StatusBitsError;

/// First member of every delta.
const MAGIC: &str = "attestry-trust-bundle-delta";

/// Where a delta begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaStart {
    /// Size of the tree whose last leaf is the Snapshot of the bundle before.
    pub size: u64,
    /// The digest of the state that this Snapshot commits to.
    pub state: Hash,
    /// The proof that the tree of now continues that one.
    pub consistency: Vec<Hash>,
}

/// What a status list was where a delta begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListBefore {
    /// What it is now.
    Same,
    /// These statuses.
    Other(StatusBits),
    /// Nobody knows, or it was not there: it is given whole.
    Unknown,
}

/// Why there is no later bundle. Whoever made or carried a delta is at fault; the whole bundle helps.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeltaError {
    /// It begins at another state.
    #[error("expected a delta from the state {expected}, found one from {found}")]
    Base {
        /// The digest of the state at hand.
        expected: Hash,
        /// Where it begins.
        found: Hash,
    },
    /// What it makes is no bundle of the registry.
    #[error("the later bundle is refused")]
    Bundle(#[from] BundleError),
    /// The later log does not continue the one at hand.
    #[error("the later log does not continue the one of the bundle at hand")]
    Consistency(#[from] ProofError),
    /// Not the format.
    #[error("the delta cannot be read")]
    Decode(#[from] DecodeError),
    /// The records are not those of the Snapshot.
    #[error("the records of the delta are not those of its snapshot")]
    Export(#[from] ExportError),
    /// The patches are for other lists than those at hand.
    #[error("expected patches of the lists at hand, found others")]
    Lists,
    /// The patches cannot be read, or a list at hand cannot.
    #[error("the status lists cannot be patched")]
    Patch(#[from] StatusBitsError),
    /// The proof cannot be read.
    #[error("the proof of the delta cannot be read")]
    Proof(#[from] TlogProofError),
    /// It leads back.
    #[error("the delta does not lead to a later bundle")]
    Rollback(#[from] RollbackError),
}

/// A list that is patched: before and after.
struct Patched<'s> {
    before: StatusBits,
    record: &'s StatusRecord,
}

/// The delta from an earlier bundle to that of `state`, whose Snapshot is `snapshot`, proven by `proof`.
///
/// `before` tells what a list was where the delta begins, `blob` gives the bytes of a digest as for [`export()`].
///
/// # Errors
/// [`ExportError`].
pub fn export_delta(
    state: &State,
    snapshot: &[u8],
    proof: &TlogProof,
    start: &DeltaStart,
    mut before: impl FnMut(&StatusRecord) -> ListBefore,
    mut blob: impl FnMut(Hash) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, ExportError> {
    export::check(state, snapshot, proof)?;
    let sections = EntryType::ALL.into_iter().filter_map(|section| {
        let records = state.records_since(section, start.size);
        (!records.is_empty()).then(|| export::packed_records(section, records))
    });
    let sections: Vec<Value> = sections.collect();
    let mut documents = BTreeMap::new();
    let schemas = state.schemas_since(start.size);
    for document in schemas
        .filter_map(SchemaRecord::schema)
        .flat_map(|schema| &schema.documents)
    {
        documents.extend(blob(document.digest).map(|bytes| (document.digest, bytes)));
    }
    let (mut whole, mut patches, mut seen) = (BTreeMap::new(), Patches::default(), BTreeSet::new());
    for record in state.status_lists_since(start.size) {
        let list = record.list();
        let before = match before(record) {
            ListBefore::Same => continue,
            ListBefore::Other(before) => Some(before),
            ListBefore::Unknown => None,
        };
        if !seen.insert((list.compact, list.encoding)) {
            continue;
        }
        let Some(bytes) = blob(list.compact) else { continue };
        // Whoever encodes otherwise than we do is not patched.
        let is_golomb_rice = list.encoding == StatusEncoding::GolombRice;
        let now = StatusBits::from_compact(list, &bytes).ok();
        let now = now.filter(|now| is_golomb_rice && now.to_compact(list.encoding) == bytes);
        let before = before.filter(|before| before.bits() == list.bits && before.capacity() <= list.capacity);
        match before.zip(now) {
            Some((before, now)) => patches.add(&before, &now),
            None => drop(whole.insert((list.compact, list.encoding), bytes)),
        }
    }
    let consistency = start.consistency.iter().map(|hash| codec::hash_value(*hash));
    let delta = MapBuilder::default()
        .put(1, Value::text(MAGIC))
        .put(2, VERSION)
        .put(3, codec::hash_value(start.state))
        .put(4, Value::text(proof.to_string()))
        .put(5, Value::bytes(snapshot))
        .put(6, Value::Array(consistency.collect()))
        .put(7, Value::Array(sections))
        .put(8, export::packed_documents(&documents))
        .put(9, export::compact_lists(whole))
        .put(10, patches.build());
    Ok(delta.build().to_vec())
}

/// The patches of a delta that is being made.
#[derive(Default)]
struct Patches {
    lists: u64,
    /// Places of the lists so far.
    places: u64,
    changes: Vec<Changed>,
}

impl Patches {
    fn add(&mut self, before: &StatusBits, now: &StatusBits) {
        let (first, bits) = (self.places, now.bits());
        self.changes
            .extend(changed_places(before, now).map(|(index, status)| Changed {
                index: first + index,
                status,
                bits,
            }));
        self.lists += 1;
        self.places += now.capacity();
    }

    fn build(&self) -> Value {
        let (parameter, bits) = golomb_rice::encode_changes(&self.changes);
        MapBuilder::default()
            .put(1, self.lists)
            .put(2, u64::from(parameter))
            .put(3, u64::try_from(self.changes.len()).unwrap_or(u64::MAX))
            .put(4, Value::Bytes(bits))
            .build()
    }
}

/// Places with another status than before, and the status of now. Only bytes that differ are looked into.
fn changed_places<'a>(before: &'a StatusBits, now: &'a StatusBits) -> impl Iterator<Item = (u64, u8)> + 'a {
    let before_bytes = before.bytes().iter().chain(std::iter::repeat(&0));
    let differing = now.bytes().iter().zip(before_bytes).zip(0_u64..);
    let differing = differing.filter(|((now, before), _)| now != before);
    let per_byte = u64::from(8 / now.bits());
    differing.flat_map(move |(_, byte)| {
        (byte * per_byte..(byte + 1) * per_byte).filter_map(move |index| {
            let status = now.get(index)?;
            (before.get(index).unwrap_or(0) != status).then_some((index, status))
        })
    })
}

/// The later bundle and its bytes, verified as a whole.
pub(super) fn apply(
    base: &TrustedBundle,
    bytes: &[u8],
    limits: Limits,
) -> Result<(TrustedBundle, Vec<u8>), DeltaError> {
    let delta = Delta::parse(bytes, limits)?;
    let expected = base.snapshot.state;
    if delta.start != expected {
        return Err(DeltaError::Base {
            expected,
            found: delta.start,
        });
    }
    let (old, new) = (base.checkpoint(), delta.proof.checkpoint().unverified());
    merkle::verify_consistency(old.size(), new.size(), old.root(), new.root(), &delta.consistency)?;
    let state = delta.state(base)?;
    let patched = delta.patched_lists(base, &state, limits)?;
    let blob = |digest: Hash| {
        let document = delta.documents.get(&digest).or_else(|| base.documents.get(&digest));
        let list = || {
            let encodings = [StatusEncoding::Zlib, StatusEncoding::GolombRice];
            let keys = encodings.map(|encoding| (digest, encoding));
            let given = |key: &(Hash, StatusEncoding)| patched.get(key).or_else(|| delta.whole.get(key));
            let held = |key| base.lists.get(key).map(|list| &list.compact);
            keys.iter().find_map(|key| given(key).or_else(|| held(key)))
        };
        document.or_else(list).cloned()
    };
    let bytes = export(&state, &delta.leaf, &delta.proof, blob)?;
    Ok((base.load_later(&bytes, limits)?, bytes))
}

/// The parts of a delta, none of them believed.
struct Delta {
    start: Hash,
    proof: TlogProof,
    leaf: Vec<u8>,
    consistency: Vec<Hash>,
    sections: BTreeMap<EntryType, Vec<Vec<u8>>>,
    documents: BTreeMap<Hash, Vec<u8>>,
    whole: BTreeMap<(Hash, StatusEncoding), Vec<u8>>,
    /// Lists, parameter, count and bits of the patches.
    patches: (u64, u8, u64, Vec<u8>),
}

impl Delta {
    fn parse(bytes: &[u8], limits: Limits) -> Result<Self, DeltaError> {
        load::check_size(bytes, limits)?;
        let mut fields = Fields::open("delta", codec::decode("delta", bytes, limits.max_bytes)?)?;
        if fields.text(1)? != MAGIC || fields.unsigned(2)? != VERSION {
            return Err(fields.shape("an attestry-trust-bundle-delta of version 1").into());
        }
        let mut plain_bytes_left = limits.max_plain_bytes;
        let start = fields.hash(3)?;
        let proof = TlogProof::parse(&fields.lines(4)?)?;
        let leaf = fields.bytes(5)?;
        let consistency = fields.hashes(6)?;
        let sections = load::sections(&mut fields, 7, &mut plain_bytes_left)?;
        let documents = load::documents(&mut fields, 8, &mut plain_bytes_left)?;
        let whole = load::lists(fields.array(9, Ok)?)?;
        let mut patches = Fields::open("patches", fields.value(10)?)?;
        let parameter = patches.variant(2, "a parameter of Golomb-Rice", |number| u8::try_from(number).ok())?;
        let read = (patches.unsigned(1)?, parameter, patches.unsigned(3)?, patches.bytes(4)?);
        patches.end()?;
        fields.end()?;
        Ok(Self {
            start,
            proof,
            leaf,
            consistency,
            sections,
            documents,
            whole: whole.into_iter().map(|(key, list)| (key, list.compact)).collect(),
            patches: read,
        })
    }

    /// The state before with the changed records.
    fn state(&self, base: &TrustedBundle) -> Result<State, DeltaError> {
        let entry = Entry::parse(&self.leaf)?;
        let Body::Snapshot(snapshot) = entry.body() else {
            return Err(DeltaError::Bundle(BundleError::Snapshot));
        };
        let clock = Clock::of(snapshot.covered, entry.hash(), snapshot);
        let mut sections = BTreeMap::new();
        for section in EntryType::ALL {
            let changed = self.sections.get(&section).map(Vec::as_slice).unwrap_or_default();
            sections.insert(section, base.state.records_with(section, changed)?);
        }
        let projections = snapshot.projections.clone();
        Ok(State::restore(base.anchor().clone(), clock, projections, &sections)?)
    }

    /// The compact forms of the lists that are patched.
    fn patched_lists(
        &self,
        base: &TrustedBundle,
        state: &State,
        limits: Limits,
    ) -> Result<BTreeMap<(Hash, StatusEncoding), Vec<u8>>, DeltaError> {
        let patched = self.patched(base, state)?;
        // Nobody has vouched for the records yet: what they make of the lists is limited like everything that is unpacked.
        let bytes = |patched: &Patched<'_>| {
            (patched.record.list().capacity / 8).saturating_mul(patched.record.list().bits.into())
        };
        let found = patched.iter().map(bytes).fold(0, u64::saturating_add);
        if found > limits.max_plain_bytes {
            let limit = limits.max_plain_bytes;
            return Err(DeltaError::Bundle(BundleError::TooLarge { limit, found }));
        }
        let (lists, parameter, count, bits) = &self.patches;
        if u64::try_from(patched.len()) != Ok(*lists) {
            return Err(DeltaError::Lists);
        }
        let mut ends = Vec::new();
        let mut places = 0_u64;
        for Patched { record, .. } in &patched {
            places = places.saturating_add(record.list().capacity);
            ends.push(places);
        }
        let list_at = |place: u64| ends.partition_point(|end| *end <= place);
        let bits_at = |place: u64| patched.get(list_at(place)).map_or(1, |patched| patched.before.bits());
        let changes = golomb_rice::decode_changes(bits, (*parameter, *count), places, bits_at)?;
        let mut changes = changes.into_iter().peekable();
        let (mut made, mut first) = (BTreeMap::new(), 0);
        for (Patched { before, record }, end) in patched.iter().zip(ends) {
            let list = record.list();
            let mut own = Vec::new();
            while let Some(change) = changes.next_if(|change| change.index < end) {
                own.push((change.index - first, change.status));
            }
            let compact = before.patched(list.capacity, &own)?.to_compact(list.encoding);
            made.insert((list.compact, list.encoding), compact);
            first = end;
        }
        Ok(made)
    }

    fn patched<'s>(&self, base: &TrustedBundle, state: &'s State) -> Result<Vec<Patched<'s>>, DeltaError> {
        let (mut patched, mut seen) = (Vec::new(), BTreeSet::new());
        for record in state.status_lists_since(base.checkpoint().size()) {
            let list = record.list();
            let key = (list.compact, list.encoding);
            let before = base.state.status_list(record.issuer(), &list.uri);
            let Some(before) = before.map(StatusRecord::list).filter(|list| !list_is(list, key)) else {
                continue;
            };
            if list.encoding != StatusEncoding::GolombRice || self.whole.contains_key(&key) {
                continue;
            }
            if let Some(held) = base.lists.get(&(before.compact, before.encoding))
                && seen.insert(key)
            {
                let before = StatusBits::from_compact(before, &held.compact)?;
                patched.push(Patched { before, record });
            }
        }
        Ok(patched)
    }
}

fn list_is(list: &StatusList, key: (Hash, StatusEncoding)) -> bool {
    (list.compact, list.encoding) == key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_place_is_found_and_no_other() {
        for bits in [1_u8, 2, 4, 8] {
            let before = StatusBits::new(bits, 16, vec![0; 2 * usize::from(bits)]).unwrap();
            let mut bytes = vec![0; 3 * usize::from(bits)];
            bytes[0] = 1;
            *bytes.last_mut().unwrap() = 0x80;
            let now = StatusBits::new(bits, 24, bytes).unwrap();
            let changes: Vec<(u64, u8)> = changed_places(&before, &now).collect();
            assert_eq!(changes, [(0, 1), (23, 0x80 >> (8 - bits))], "{bits}");
            assert_eq!(before.patched(24, &changes).unwrap(), now);
        }
    }
}
