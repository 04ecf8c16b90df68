//! Status lists in memory, and their compact form in a bundle.
//!
//! The bytes are those of the
//! [Token Status List](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/): index 0 stands in
//! the lowest bits of the first byte. The compact form is what a `StatusCommit` names by its digest; turning
//! it back gives the same bits, so anybody can compare it with the list that the issuer serves.

use std::io::Read as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use thiserror::Error;

use crate::entry::StatusEncoding;
use crate::entry::StatusList;
use crate::golomb_rice;
use crate::golomb_rice::CHUNK_INDICES;
use crate::merkle;
use crate::merkle::Hash;
use crate::merkle::leaf_hash;

/// The statuses of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusBits {
    bits: u8,
    capacity: u64,
    bytes: Vec<u8>,
}

/// Why bytes are not the list that they should be: the issuer's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StatusBitsError {
    /// Not the encoding that the commitment names.
    #[error("expected a compact list in the encoding of its commitment")]
    Compression,
    /// Another length than bits and capacity demand.
    #[error("expected {expected} bytes of statuses, found another number")]
    Length {
        /// What bits and capacity demand.
        expected: u64,
    },
    /// Bits beyond the capacity are not zero, or the bits per status are not 1, 2, 4 or 8.
    #[error("expected 1, 2, 4 or 8 bits per status, and zeros beyond the last one")]
    Shape,
}

/// The digest of a compact form: SHA-256 of one encoded with zlib, and for Golomb-Rice the Merkle root over
/// its chunks, so that one chunk has a short proof.
///
/// # Errors
/// [`StatusBitsError::Compression`] for bytes that do not fall into chunks.
pub fn compact_digest(encoding: StatusEncoding, compact: &[u8]) -> Result<Hash, StatusBitsError> {
    match encoding {
        StatusEncoding::Zlib => Ok(Hash::digest(compact)),
        StatusEncoding::GolombRice => {
            let chunks = golomb_rice::chunks(compact)?;
            Ok(merkle::root(&chunks.into_iter().map(leaf_hash).collect::<Vec<_>>()))
        }
    }
}

/// The status at `index` of a committed list, read from its compact form: from one chunk of it where it has
/// chunks. `None` beyond the capacity.
///
/// # Errors
/// [`StatusBitsError`].
pub fn status_in_compact(list: &StatusList, compact: &[u8], index: u64) -> Result<Option<u8>, StatusBitsError> {
    if index >= list.capacity {
        return Ok(None);
    }
    match list.encoding {
        StatusEncoding::Zlib => Ok(StatusBits::from_compact(list, compact)?.get(index)),
        StatusEncoding::GolombRice => {
            let chunks = golomb_rice::chunks(compact)?;
            let number = index / CHUNK_INDICES;
            let chunk = usize::try_from(number)
                .ok()
                .and_then(|number| chunks.get(number).copied());
            let covered = CHUNK_INDICES.min(list.capacity - number * CHUNK_INDICES);
            let chunk = chunk.ok_or(StatusBitsError::Compression)?;
            golomb_rice::get(chunk, list.bits, covered, index % CHUNK_INDICES).map(Some)
        }
    }
}

impl StatusBits {
    /// A list from its bytes.
    ///
    /// # Errors
    /// [`StatusBitsError::Length`], [`StatusBitsError::Shape`].
    pub fn new(bits: u8, capacity: u64, bytes: Vec<u8>) -> Result<Self, StatusBitsError> {
        if ![1, 2, 4, 8].contains(&bits) {
            return Err(StatusBitsError::Shape);
        }
        let expected = byte_length(bits, capacity);
        if u64::try_from(bytes.len()) != Ok(expected) {
            return Err(StatusBitsError::Length { expected });
        }
        let used = (capacity % u64::from(8 / bits)) * u64::from(bits);
        let unused = if used == 0 {
            0
        } else {
            bytes.last().map_or(0, |last| last >> used)
        };
        if unused == 0 {
            Ok(Self { bits, capacity, bytes })
        } else {
            Err(StatusBitsError::Shape)
        }
    }

    /// Reads the compact form of a committed list. The digest is compared by whoever has the bytes.
    ///
    /// # Errors
    /// [`StatusBitsError`].
    pub fn from_compact(list: &StatusList, compact: &[u8]) -> Result<Self, StatusBitsError> {
        let expected = byte_length(list.bits, list.capacity);
        match list.encoding {
            StatusEncoding::Zlib => {
                let bytes = inflate(compact, expected).ok_or(StatusBitsError::Compression)?;
                Self::new(list.bits, list.capacity, bytes)
            }
            StatusEncoding::GolombRice => Self::new(
                list.bits,
                list.capacity,
                golomb_rice::decode(compact, list.bits, list.capacity)?,
            ),
        }
    }

    /// The compact form in this encoding. [`compact_digest`] gives its digest.
    #[must_use]
    pub fn to_compact(&self, encoding: StatusEncoding) -> Vec<u8> {
        match encoding {
            StatusEncoding::Zlib => deflate(&self.bytes),
            StatusEncoding::GolombRice => golomb_rice::encode(self),
        }
    }

    /// The list with these statuses at these places, and room for `capacity`. Of one bit per status the other one is set.
    pub(crate) fn patched(&self, capacity: u64, changes: &[(u64, u8)]) -> Result<Self, StatusBitsError> {
        let expected = byte_length(self.bits, capacity);
        let length = usize::try_from(expected).map_err(|_| StatusBitsError::Length { expected })?;
        if length < self.bytes.len() {
            return Err(StatusBitsError::Length { expected });
        }
        let mut bytes = self.bytes.clone();
        bytes.resize(length, 0);
        let per_byte = u64::from(8 / self.bits);
        let mask = u8::MAX >> (8 - self.bits);
        for (index, status) in changes {
            let shift = (index % per_byte) * u64::from(self.bits);
            let byte = usize::try_from(index / per_byte).ok().and_then(|at| bytes.get_mut(at));
            let byte = byte.ok_or(StatusBitsError::Shape)?;
            *byte = if self.bits == 1 {
                *byte ^ (1 << shift)
            } else {
                *byte & !(mask << shift) | (status << shift)
            };
        }
        Self::new(self.bits, capacity, bytes)
    }

    /// The status at `index`; `None` beyond the capacity.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u8> {
        if index >= self.capacity {
            return None;
        }
        let per_byte = u64::from(8 / self.bits);
        let byte = self.bytes.get(usize::try_from(index / per_byte).ok()?)?;
        let shift = (index % per_byte) * u64::from(self.bits);
        // For 8 bits the mask is all ones: 1 << 8 does not fit the byte.
        let mask = u8::MAX >> (8 - self.bits);
        Some((byte >> shift) & mask)
    }

    /// Bits per status.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// How many indices there are.
    #[must_use]
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// The bytes in the order of the Token Status List.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

const fn byte_length(bits: u8, capacity: u64) -> u64 {
    capacity.saturating_mul(bits as u64).div_ceil(8)
}

/// Compresses with zlib.
pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Decompresses zlib that must give exactly `length` bytes and have nothing behind it.
pub(crate) fn inflate(compressed: &[u8], length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut decoder = ZlibDecoder::new(compressed);
    // One byte more than expected shows that there is too much, and nothing larger is ever held.
    decoder
        .by_ref()
        .take(length.saturating_add(1))
        .read_to_end(&mut bytes)
        .ok()?;
    let all_read = decoder.total_in() == u64::try_from(compressed.len()).ok()?;
    (all_read && u64::try_from(bytes.len()) == Ok(length)).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stand_where_the_token_status_list_has_them() {
        // "Status List of Length 16" with 1 bit: 0xB9, 0xA3 of the draft's first example.
        let one = StatusBits::new(1, 16, vec![0xb9, 0xa3]).unwrap();
        let expected = [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1];
        assert_eq!(
            (0..16).map(|index| one.get(index).unwrap()).collect::<Vec<_>>(),
            expected
        );
        assert_eq!(one.get(16), None);
        // 2 bits: 0xC9, 0x44, 0xF9 of its second example.
        let two = StatusBits::new(2, 12, vec![0xc9, 0x44, 0xf9]).unwrap();
        assert_eq!(
            (0..12).map(|index| two.get(index).unwrap()).collect::<Vec<_>>(),
            [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]
        );
        assert_eq!(StatusBits::new(8, 1, vec![0xfe]).unwrap().get(0), Some(0xfe));
    }

    #[test]
    fn lists_of_another_shape_are_refused() {
        assert_eq!(
            StatusBits::new(1, 17, vec![0, 0]),
            Err(StatusBitsError::Length { expected: 3 })
        );
        assert_eq!(StatusBits::new(1, 15, vec![0, 0x80]), Err(StatusBitsError::Shape));
        assert_eq!(StatusBits::new(3, 8, vec![0, 0, 0]), Err(StatusBitsError::Shape));
    }

    #[test]
    fn inflating_stops_at_the_length_and_refuses_what_follows() {
        let compressed = deflate(&[7; 1000]);
        assert_eq!(inflate(&compressed, 1000), Some(vec![7; 1000]));
        assert_eq!(inflate(&compressed, 999), None);
        assert_eq!(inflate(&compressed, 1001), None);
        let mut longer = compressed;
        longer.push(0);
        assert_eq!(inflate(&longer, 1000), None);
    }
}
