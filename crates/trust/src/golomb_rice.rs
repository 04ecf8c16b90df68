//! Golomb-Rice coded chunks of a status list: close to the entropy of random revocations, and a query
//! reads one chunk only.
//!
//! A list is cut into chunks of [`CHUNK_INDICES`] indices; its compact form is the chunks in order, each
//! after its length in three bytes, big-endian. A chunk is:
//!
//! ```text
//! 0xff  the statuses of the chunk as they are, in the order of the Token Status List
//! k     count in three bytes, big-endian; then bits, the highest of a byte first:
//!       for each index with a status other than 0, ascending, its distance d from the one before (0 for
//!       the next index; from -1 for the first): d >> k ones, a zero, the k low bits of d;
//!       then, with more than one bit per status, the statuses of these indices; zeros up to a whole byte
//! ```
//!
//! The parameter k (0 to 17) is the writer's choice. Every chunk has exactly one meaning, and a reader
//! refuses a chunk with other padding, more indices than it covers or bytes left over.

use crate::entry::StatusList;
use crate::status_bits::StatusBits;
use crate::status_bits::StatusBitsError;

/// The smallest number of credentials that the
/// [Bitstring Status List](https://www.w3.org/TR/vc-bitstring-status-list/) lets a list hold, for herd privacy.
pub const CHUNK_INDICES: u64 = 131_072;

/// Distances within a chunk are below 2^17.
const MAX_PARAMETER: u8 = 17;

/// Of changes: places of all lists of a nation are below 2^40, and a change in 2^32 of them is below every mean.
const MAX_CHANGES_PARAMETER: u8 = 32;

/// First byte of a chunk that is not coded.
const RAW: u8 = 0xff;

/// Encodes a list.
pub(crate) fn encode(list: &StatusBits) -> Vec<u8> {
    let mut compact = Vec::new();
    for raw in list.bytes().chunks(raw_chunk_bytes(list.bits())) {
        let chunk = encode_chunk(raw, list.bits());
        push_u24(&mut compact, chunk.len());
        compact.extend_from_slice(&chunk);
    }
    compact
}

/// The chunks of a compact form, in order. Their number and contents are not judged.
pub(crate) fn chunks(compact: &[u8]) -> Result<Vec<&[u8]>, StatusBitsError> {
    let mut chunks = Vec::new();
    let mut rest = compact;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<3>().ok_or(StatusBitsError::Compression)?;
        let (chunk, after) = after
            .split_at_checked(u24(*length))
            .ok_or(StatusBitsError::Compression)?;
        chunks.push(chunk);
        rest = after;
    }
    Ok(chunks)
}

/// Decodes a list to the bytes of the Token Status List.
pub(crate) fn decode(compact: &[u8], bits: u8, capacity: u64) -> Result<Vec<u8>, StatusBitsError> {
    let chunks = chunks(compact)?;
    if u64::try_from(chunks.len()) != Ok(capacity.div_ceil(CHUNK_INDICES)) {
        return Err(StatusBitsError::Compression);
    }
    let mut bytes = Vec::new();
    let mut indices_left = capacity;
    for chunk in chunks {
        let indices = indices_left.min(CHUNK_INDICES);
        indices_left -= indices;
        let start = bytes.len();
        let length = (indices * u64::from(bits)).div_ceil(8);
        bytes.resize(start + usize::try_from(length).unwrap_or_default(), 0);
        let raw = bytes.get_mut(start..).unwrap_or_default();
        decode_chunk(chunk, bits, indices, raw)?;
    }
    Ok(bytes)
}

/// The statuses of one chunk of a list, by its number.
pub(crate) fn decode_one(list: &StatusList, number: u64, chunk: &[u8]) -> Result<StatusBits, StatusBitsError> {
    let before = number.saturating_mul(CHUNK_INDICES);
    let indices = list.capacity.saturating_sub(before).min(CHUNK_INDICES);
    let length = (indices * u64::from(list.bits)).div_ceil(8);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    decode_chunk(chunk, list.bits, indices, &mut bytes)?;
    StatusBits::new(list.bits, indices, bytes)
}

/// The status at an index within a chunk that covers `indices` of them, without decoding what follows.
pub(crate) fn get(chunk: &[u8], bits: u8, indices: u64, wanted: u64) -> Result<u8, StatusBitsError> {
    let Some((&RAW, raw)) = chunk.split_first() else {
        let mut coded = Coded::open(chunk, indices)?;
        // Statuses stand behind all distances, so with several bits the rest of those is read too.
        let (mut position, mut found) = (0, None);
        while let Some(index) = coded.next_index()? {
            if index == wanted {
                found = Some(position);
            }
            if index >= wanted && (bits == 1 || found.is_none()) {
                break;
            }
            position += 1;
        }
        let Some(position) = found else { return Ok(0) };
        return if bits == 1 { Ok(1) } else { coded.status(bits, position) };
    };
    let list = StatusBits::new(bits, indices, raw.to_vec())?;
    list.get(wanted).ok_or(StatusBitsError::Compression)
}

/// What a status is now, at a place of several lists that are counted through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) index: u64,
    pub(crate) status: u8,
    /// Bits per status of the list that has the place.
    pub(crate) bits: u8,
}

/// Encodes changes, which come in the order of their places: the parameter that makes them shortest, and the bits. Each is
/// its distance from the one before, as in a chunk, and where a status has several bits, these.
pub(crate) fn encode_changes(changes: &[Changed]) -> (u8, Vec<u8>) {
    let mut next = 0;
    let mut distances = Vec::with_capacity(changes.len());
    for change in changes {
        distances.push(change.index - next);
        next = change.index + 1;
    }
    let cost = |parameter: u8| {
        let unary: u64 = distances.iter().map(|distance| distance >> parameter).sum();
        unary + u64::from(parameter) * u64::try_from(distances.len()).unwrap_or(u64::MAX)
    };
    let parameter = (0..=MAX_CHANGES_PARAMETER).min_by_key(|parameter| cost(*parameter));
    let parameter = parameter.unwrap_or_default();
    let mut writer = BitWriter::after(Vec::new());
    for (distance, change) in distances.into_iter().zip(changes) {
        // Of the best parameter, far below 2^32.
        writer.ones(u32::try_from(distance >> parameter).unwrap_or(u32::MAX));
        writer.put(0, 1);
        writer.put_long(distance, parameter);
        if change.bits > 1 {
            writer.put(u32::from(change.status), change.bits);
        }
    }
    (parameter, writer.finish())
}

/// Decodes `count` changes of `places` places. `bits_at` gives the bits per status at a place. Of one bit the status is not
/// told: it is the other one.
pub(crate) fn decode_changes(
    bytes: &[u8],
    (parameter, count): (u8, u64),
    places: u64,
    bits_at: impl Fn(u64) -> u8,
) -> Result<Vec<Changed>, StatusBitsError> {
    let bits = u64::try_from(bytes.len()).unwrap_or(u64::MAX).saturating_mul(8);
    if parameter > MAX_CHANGES_PARAMETER || count > places.min(bits) {
        return Err(StatusBitsError::Compression);
    }
    let mut coded = Coded {
        reader: BitReader { bytes, position: 0 },
        parameter,
        left: count,
        next: 0,
        indices: places,
    };
    let mut changes = Vec::new();
    while let Some(index) = coded.next_index()? {
        let bits = bits_at(index);
        let status = if bits > 1 { coded.reader.take(bits)? } else { 0 };
        let status = u8::try_from(status).map_err(|_| StatusBitsError::Compression)?;
        changes.push(Changed { index, status, bits });
    }
    coded.end()?;
    Ok(changes)
}

fn encode_chunk(raw: &[u8], bits: u8) -> Vec<u8> {
    let set = set_indices(raw, bits);
    let mut distances = Vec::with_capacity(set.len());
    let mut next = 0;
    for (index, _) in &set {
        distances.push(index - next);
        next = index + 1;
    }
    let (parameter, coded_bits) = best_parameter(&distances);
    let statuses_bits = if bits == 1 { 0 } else { set.len() * usize::from(bits) };
    if 4 + (coded_bits + statuses_bits).div_ceil(8) > raw.len() {
        return [&[RAW], raw].concat();
    }
    let mut chunk = vec![parameter];
    push_u24(&mut chunk, set.len());
    let mut writer = BitWriter::after(chunk);
    for distance in distances {
        writer.ones(distance >> parameter);
        writer.put(0, 1);
        writer.put(distance & ((1 << parameter) - 1), parameter);
    }
    if bits > 1 {
        for (_, status) in set {
            writer.put(u32::from(status), bits);
        }
    }
    writer.finish()
}

/// Indices with a status other than 0, and these.
fn set_indices(raw: &[u8], bits: u8) -> Vec<(u32, u8)> {
    let mask = u8::MAX >> (8 - bits);
    let mut set = Vec::new();
    for (first, byte) in (0..).step_by(usize::from(8 / bits)).zip(raw) {
        let mut rest = *byte;
        while rest != 0 {
            let slot = rest.trailing_zeros() / u32::from(bits);
            let shift = slot * u32::from(bits);
            let status = (rest >> shift) & mask;
            set.push((first + slot, status));
            rest &= !(mask << shift);
        }
    }
    set
}

/// The parameter that gives the fewest bits, and how many.
fn best_parameter(distances: &[u32]) -> (u8, usize) {
    let cost = |parameter: u8| {
        let unary: usize = distances.iter().map(|distance| (distance >> parameter) as usize).sum();
        unary + distances.len() * (1 + usize::from(parameter))
    };
    let costs = (0..=MAX_PARAMETER).map(|parameter| (cost(parameter), parameter));
    costs.min().map_or((0, 0), |(cost, parameter)| (parameter, cost))
}

fn decode_chunk(chunk: &[u8], bits: u8, indices: u64, raw: &mut [u8]) -> Result<(), StatusBitsError> {
    if let Some((&RAW, plain)) = chunk.split_first() {
        if plain.len() != raw.len() {
            return Err(StatusBitsError::Compression);
        }
        raw.copy_from_slice(plain);
        return Ok(());
    }
    let mut coded = Coded::open(chunk, indices)?;
    let mut set = Vec::with_capacity(usize::try_from(coded.left).unwrap_or_default());
    while let Some(index) = coded.next_index()? {
        set.push(index);
    }
    let per_byte = u64::from(8 / bits);
    for index in set {
        let status = if bits == 1 { 1 } else { coded.next_status(bits)? };
        let byte = usize::try_from(index / per_byte).ok().and_then(|at| raw.get_mut(at));
        let byte = byte.ok_or(StatusBitsError::Compression)?;
        *byte |= status << ((index % per_byte) * u64::from(bits));
    }
    coded.end()
}

/// A coded chunk, read from its beginning.
struct Coded<'a> {
    reader: BitReader<'a>,
    parameter: u8,
    /// How many distances there are to come.
    left: u64,
    /// The first index that the next distance can lead to.
    next: u64,
    indices: u64,
}

impl<'a> Coded<'a> {
    fn open(chunk: &'a [u8], indices: u64) -> Result<Self, StatusBitsError> {
        let (&[parameter, a, b, c], bytes) = chunk.split_first_chunk().ok_or(StatusBitsError::Compression)?;
        let left = u64::try_from(u24([a, b, c])).map_err(|_| StatusBitsError::Compression)?;
        if parameter > MAX_PARAMETER || left > indices {
            return Err(StatusBitsError::Compression);
        }
        Ok(Self {
            reader: BitReader { bytes, position: 0 },
            parameter,
            left,
            next: 0,
            indices,
        })
    }

    fn next_index(&mut self) -> Result<Option<u64>, StatusBitsError> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        // No distance is longer than what is left of the chunk, which bounds the ones.
        let high = self.reader.ones((self.indices - self.next) >> self.parameter)?;
        let distance = (high << self.parameter) | self.reader.take(self.parameter)?;
        let index = self.next + distance;
        if index >= self.indices {
            return Err(StatusBitsError::Compression);
        }
        self.next = index + 1;
        Ok(Some(index))
    }

    /// The status at this position, where all distances have been read.
    fn status(&mut self, bits: u8, position: u64) -> Result<u8, StatusBitsError> {
        for _ in 0..position {
            self.next_status(bits)?;
        }
        self.next_status(bits)
    }

    fn next_status(&mut self, bits: u8) -> Result<u8, StatusBitsError> {
        let status = self.reader.take(bits)?;
        // A status of 0 has no place here: it would be a second way to leave the index out.
        u8::try_from(status)
            .ok()
            .filter(|status| *status != 0)
            .ok_or(StatusBitsError::Compression)
    }

    /// Nothing follows but the zeros that fill the last byte.
    fn end(mut self) -> Result<(), StatusBitsError> {
        let padding = (8 - self.reader.position % 8) % 8;
        let zero = self.reader.take(u8::try_from(padding).unwrap_or_default())? == 0;
        let all_read = self.reader.position == self.reader.bytes.len() * 8;
        if zero && all_read {
            Ok(())
        } else {
            Err(StatusBitsError::Compression)
        }
    }
}

/// Bits of bytes, the highest first.
struct BitReader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl BitReader<'_> {
    /// The next 57 bits or more, in the high bits of the word; zeros beyond the end.
    fn window(&self) -> u64 {
        let rest = self.bytes.get(self.position / 8..).unwrap_or_default();
        let word = rest.first_chunk::<8>().map_or_else(
            || {
                rest.iter()
                    .zip([56, 48, 40, 32, 24, 16, 8, 0])
                    .fold(0, |word, (byte, shift)| word | (u64::from(*byte) << shift))
            },
            |bytes| u64::from_be_bytes(*bytes),
        );
        word << (self.position % 8)
    }

    fn advance(&mut self, count: usize) -> Result<(), StatusBitsError> {
        self.position += count;
        if self.position <= self.bytes.len() * 8 {
            Ok(())
        } else {
            Err(StatusBitsError::Compression)
        }
    }

    /// Up to 57 bits as a number.
    fn take(&mut self, count: u8) -> Result<u64, StatusBitsError> {
        if count == 0 {
            return Ok(0);
        }
        let value = self.window() >> (64 - count);
        self.advance(usize::from(count))?;
        Ok(value)
    }

    /// The number of ones before the next zero, which is read too; at most `limit`.
    fn ones(&mut self, limit: u64) -> Result<u64, StatusBitsError> {
        let mut ones = 0;
        loop {
            let run = self.window().leading_ones().min(56);
            ones += u64::from(run);
            if ones > limit {
                return Err(StatusBitsError::Compression);
            }
            self.advance(run as usize)?;
            if run < 56 {
                self.advance(1)?;
                return Ok(ones);
            }
        }
    }
}

/// Bits into bytes, the highest first.
struct BitWriter {
    bytes: Vec<u8>,
    pending: u64,
    /// Bits in `pending`, below 8 between calls.
    count: u8,
}

impl BitWriter {
    const fn after(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            pending: 0,
            count: 0,
        }
    }

    /// The low `count` bits of a number that may have more than [`BitWriter::put`] takes.
    fn put_long(&mut self, value: u64, count: u8) {
        let [.., a, b, c, d] = value.to_be_bytes();
        let low = u32::from(u16::from_be_bytes([c, d]));
        if count <= 16 {
            self.put(low & ((1 << count) - 1), count);
        } else {
            let high = u32::from(u16::from_be_bytes([a, b]));
            self.put(high & ((1 << (count - 16)) - 1), count - 16);
            self.put(low, 16);
        }
    }

    /// The low `count` bits of `value`, at most 17.
    fn put(&mut self, value: u32, count: u8) {
        self.pending = (self.pending << count) | u64::from(value);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.bytes.push(low_byte(self.pending >> self.count));
        }
    }

    fn ones(&mut self, mut count: u32) {
        while count > 0 {
            let some = count.min(16);
            self.put((1 << some) - 1, u8::try_from(some).unwrap_or_default());
            count -= some;
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            self.bytes.push(low_byte(self.pending << (8 - self.count)));
        }
        self.bytes
    }
}

const fn low_byte(word: u64) -> u8 {
    let [low, ..] = word.to_le_bytes();
    low
}

fn raw_chunk_bytes(bits: u8) -> usize {
    usize::try_from(CHUNK_INDICES / 8)
        .unwrap_or(usize::MAX)
        .saturating_mul(usize::from(bits))
}

/// Chunks and counts are below 2^18.
fn push_u24(bytes: &mut Vec<u8>, number: usize) {
    let [.., a, b, c] = number.to_be_bytes();
    bytes.extend_from_slice(&[a, b, c]);
}

fn u24([a, b, c]: [u8; 3]) -> usize {
    usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(bits: u8, capacity: u64, set: &[(u64, u8)]) -> StatusBits {
        let mut bytes = vec![0_u8; usize::try_from((capacity * u64::from(bits)).div_ceil(8)).unwrap()];
        let per_byte = u64::from(8 / bits);
        for (index, status) in set {
            let byte = &mut bytes[usize::try_from(index / per_byte).unwrap()];
            let shift = (index % per_byte) * u64::from(bits);
            *byte = *byte & !((u8::MAX >> (8 - bits)) << shift) | (status << shift);
        }
        StatusBits::new(bits, capacity, bytes).unwrap()
    }

    fn check(original: &StatusBits, indices: impl Iterator<Item = u64>) {
        let compact = encode(original);
        assert_eq!(
            decode(&compact, original.bits(), original.capacity()).unwrap(),
            original.bytes()
        );
        let chunks = chunks(&compact).unwrap();
        for index in indices {
            let (chunk, within) = (index / CHUNK_INDICES, index % CHUNK_INDICES);
            let covered = CHUNK_INDICES.min(original.capacity() - chunk * CHUNK_INDICES);
            let found = get(
                chunks[usize::try_from(chunk).unwrap()],
                original.bits(),
                covered,
                within,
            );
            assert_eq!(found, Ok(original.get(index).unwrap()), "{index}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn every_list_comes_back_and_every_query_is_exact(
            shape in prop_oneof![Just(1_u8), Just(2), Just(4), Just(8)],
            capacity in 1..300_000_u64,
            set in prop::collection::vec((any::<u64>(), 1..=255_u8), 0..300),
        ) {
            let mask = u8::MAX >> (8 - shape);
            let set: Vec<(u64, u8)> = set.into_iter().map(|(index, status)| (index % capacity, (status & mask).max(1))).collect();
            check(&list(shape, capacity, &set), set.iter().flat_map(|(index, _)| [*index, (*index + 1) % capacity]));
        }

        #[test]
        fn foreign_bytes_never_panic_and_what_decodes_has_one_shape(bytes in prop::collection::vec(any::<u8>(), 0..200), capacity in 1..300_u64) {
            if let Ok(decoded) = decode(&bytes, 1, capacity) {
                prop_assert_eq!(decoded.len(), usize::try_from(capacity.div_ceil(8)).unwrap());
            }
            let _ = get(&bytes, 2, capacity, capacity - 1);
        }
    }

    #[test]
    fn dense_lists_are_kept_as_they_are() {
        let capacity = CHUNK_INDICES + 5;
        let set: Vec<(u64, u8)> = (0..capacity)
            .filter(|index| index % 2 == 0)
            .map(|index| (index, 1))
            .collect();
        let dense = list(1, capacity, &set);
        assert_eq!(encode(&dense)[3], RAW);
        check(&dense, [0, 1, CHUNK_INDICES, CHUNK_INDICES + 4].into_iter());
        check(&list(1, 1, &[(0, 1)]), 0..1);
    }

    #[test]
    fn malformed_chunks_are_refused() {
        let good = encode(&list(1, 1000, &[(3, 1), (700, 1)]));
        assert!(decode(&good, 1, 1000).is_ok());
        // The length of the chunk, its parameter and its count stand in bytes 2, 3 and 6.
        for (at, value) in [(2, good[2] + 1), (2, good[2] - 1), (3, 18), (6, 1), (6, 3)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(decode(&bad, 1, 1000), Err(StatusBitsError::Compression), "{at} {value}");
        }
        let mut padded = good.clone();
        *padded.last_mut().unwrap() |= 1;
        assert_eq!(decode(&padded, 1, 1000), Err(StatusBitsError::Compression));
        // One list of a chunk cannot pass for one of two, nor can an index lie beyond the capacity.
        assert_eq!(decode(&good, 1, CHUNK_INDICES + 1), Err(StatusBitsError::Compression));
        assert_eq!(decode(&good, 1, 700), Err(StatusBitsError::Compression));
        let longer = [good.as_slice(), &[0]].concat();
        assert_eq!(decode(&longer, 1, 1000), Err(StatusBitsError::Compression));
    }

    /// Random revocations: at most 1.02 times the entropy, at 1 % and at 5 %.
    #[test]
    fn the_size_is_close_to_the_entropy() {
        let capacity = 20 * CHUNK_INDICES;
        for rate in [0.01_f64, 0.05] {
            // splitmix64: any generator will do.
            let mut seed = 1_u64;
            let mut random = || {
                seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut word = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                word ^ (word >> 31)
            };
            let mut bytes = vec![0_u8; usize::try_from(capacity / 8).unwrap()];
            let mut revoked = 0_u32;
            for index in 0..usize::try_from(capacity).unwrap() {
                if f64::from(u32::try_from(random() >> 32).unwrap()) < rate * 4_294_967_296.0 {
                    bytes[index / 8] |= 1 << (index % 8);
                    revoked += 1;
                }
            }
            let list = StatusBits::new(1, capacity, bytes).unwrap();
            let compact = encode(&list);
            assert_eq!(decode(&compact, 1, capacity).unwrap(), list.bytes());
            let total = f64::from(u32::try_from(capacity).unwrap());
            let share = f64::from(revoked) / total;
            let entropy = total * (-share * share.log2() - (1.0 - share) * (1.0 - share).log2()) / 8.0;
            let ratio = f64::from(u32::try_from(compact.len()).unwrap()) / entropy;
            assert!(ratio < 1.02, "{rate}: {ratio}");
        }
    }
}
