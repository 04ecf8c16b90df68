//! The records of the commit log: segment headers and frames, as bytes.
//!
//! All numbers are little-endian. A frame holds the commits that were synced together:
//!
//! ```text
//! segment = header frame*
//! header  = "ATSTLOG1" salt[16] first-sequence:u64 previous[32] sha256(all before)
//! frame   = "ATSTFRM1" first-sequence:u64 commits:u32 length:u32 previous[32] payload[length] digest[32]
//! payload = (operations:u32 operation*) per commit
//! operation = 0 key-length:u16 key | 1 key-length:u16 value-length:u32 key value
//! digest  = sha256(salt || all of the frame before it)
//! ```
//!
//! `previous` is the digest of the frame before, so the frames are a chain. A frame without commits
//! says that the store was closed. The salt is new for each segment: no value that a stranger had
//! stored can look like a frame.

use sha2::Digest as _;
use sha2::Sha256;

use crate::engine::Writes;
use crate::limits;

const HEADER_MAGIC: &[u8; 8] = b"ATSTLOG1";
const FRAME_MAGIC: &[u8; 8] = b"ATSTFRM1";

pub(super) const DIGEST_LEN: usize = 32;
pub(super) const HEADER_LEN: usize = 8 + 16 + 8 + DIGEST_LEN + DIGEST_LEN;
/// How often the mark of a frame is followed up in spoiled bytes. Each costs a hash over what may be
/// the whole payload; a value can be full of marks, and then the answer is the careful one.
const MAX_CANDIDATES: usize = 64;

const FRAME_HEAD_LEN: usize = 8 + 8 + 4 + 4 + DIGEST_LEN;

/// Longest payload: a group of commits is closed at the size of the largest transaction, so the
/// last one that enters it can double that; as much again for lengths and counts.
pub(super) const MAX_PAYLOAD_LEN: usize = 4 * limits::MAX_TRANSACTION_BYTES;

/// A link of the chain: the last commit's number, and the digest of the frame that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    /// Number of the last commit, counted from 1; 0 before the first.
    pub(super) sequence: u64,
    /// Digest of its frame, zeros before the first.
    pub(super) digest: [u8; DIGEST_LEN],
}

/// The head of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SegmentHeader {
    pub(super) salt: [u8; 16],
    /// What came before the segment's first frame.
    pub(super) previous: Position,
}

impl SegmentHeader {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN);
        bytes.extend(HEADER_MAGIC);
        bytes.extend(self.salt);
        bytes.extend((self.previous.sequence + 1).to_le_bytes());
        bytes.extend(self.previous.digest);
        let digest: [u8; DIGEST_LEN] = Sha256::digest(&bytes).into();
        bytes.extend(digest);
        bytes
    }

    /// Reads the header at the start of `bytes`; nothing if it is not whole and right.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Cursor(bytes);
        reader.expect(HEADER_MAGIC)?;
        let salt = reader.array()?;
        let first_sequence = u64::from_le_bytes(reader.array()?);
        let digest = reader.array()?;
        let covered = bytes.get(..HEADER_LEN - DIGEST_LEN)?;
        let own: [u8; DIGEST_LEN] = reader.array()?;
        (own == <[u8; DIGEST_LEN]>::from(Sha256::digest(covered))).then_some(Self {
            salt,
            previous: Position {
                sequence: first_sequence.checked_sub(1)?,
                digest,
            },
        })
    }
}

/// Commits that were synced together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// What came before.
    pub(super) previous: Position,
    /// Its last commit, and its digest.
    pub(super) position: Position,
    /// The commits, in order; empty in the frame that says that the store was closed.
    pub(super) commits: Vec<Writes>,
    /// Its length on disk.
    pub(super) length: usize,
}

/// Writes a frame of `commits` behind `previous`; also gives the position after it.
pub(super) fn encode<'a>(
    salt: &[u8; 16],
    previous: &Position,
    commits: impl IntoIterator<Item = &'a Writes>,
) -> Option<(Vec<u8>, Position)> {
    let mut bytes = vec![0; FRAME_HEAD_LEN];
    let mut count: u32 = 0;
    for writes in commits {
        encode_commit(&mut bytes, writes)?;
        count = count.checked_add(1)?;
    }
    let length = bytes.len() - FRAME_HEAD_LEN;
    if length > MAX_PAYLOAD_LEN {
        return None;
    }
    let head = [
        &FRAME_MAGIC[..],
        &(previous.sequence + 1).to_le_bytes(),
        &count.to_le_bytes(),
        &u32::try_from(length).ok()?.to_le_bytes(),
        &previous.digest,
    ]
    .concat();
    bytes.get_mut(..FRAME_HEAD_LEN)?.copy_from_slice(&head);
    let digest = digest(salt, &bytes);
    bytes.extend(digest);
    let position = Position {
        sequence: previous.sequence + u64::from(count),
        digest,
    };
    Some((bytes, position))
}

/// Reads the frame at the start of `bytes`; nothing unless it is whole and its digest is right.
/// Whether `previous` is what really came before is the caller's to compare.
pub(super) fn parse(salt: &[u8; 16], bytes: &[u8]) -> Option<Frame> {
    let head = FrameHead::parse(bytes)?;
    let covered = bytes.get(..FRAME_HEAD_LEN + head.payload_len)?;
    let own = Cursor(bytes.get(covered.len()..)?).array()?;
    if own != digest(salt, covered) {
        return None;
    }
    let mut payload = Cursor(covered.get(FRAME_HEAD_LEN..)?);
    let commits = (0..head.commits)
        .map(|_| parse_commit(&mut payload))
        .collect::<Option<Vec<_>>>()?;
    payload.0.is_empty().then_some(Frame {
        previous: head.previous,
        position: Position {
            sequence: head.previous.sequence.checked_add(u64::from(head.commits))?,
            digest: own,
        },
        commits,
        length: covered.len() + DIGEST_LEN,
    })
}

/// Whether `bytes`, the end of the last segment from its first invalid frame on, holds more than
/// one write that was never synced.
///
/// A frame is written only after the one before it was synced. So a power cut or a kill can spoil
/// the last frame only, and whatever lies behind the first invalid frame proves that it was synced,
/// that is, altered later.
pub(super) fn has_synced_bytes(salt: &[u8; 16], previous: &Position, bytes: &[u8]) -> bool {
    let whole = FrameHead::parse(bytes)
        .filter(|head| head.previous == *previous)
        .map(|head| FRAME_HEAD_LEN + head.payload_len + DIGEST_LEN);
    if whole.is_some_and(|whole| bytes.len() > whole) {
        return true;
    }
    let candidates = bytes
        .windows(FRAME_MAGIC.len())
        .enumerate()
        .skip(1)
        .filter(|(_, window)| window == FRAME_MAGIC)
        .filter_map(|(offset, _)| bytes.get(offset..));
    for (tried, candidate) in candidates.enumerate() {
        if tried == MAX_CANDIDATES {
            return true;
        }
        if parse(salt, candidate).is_some_and(|frame| frame.previous.sequence > previous.sequence) {
            return true;
        }
    }
    false
}

struct FrameHead {
    previous: Position,
    commits: u32,
    payload_len: usize,
}

impl FrameHead {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Cursor(bytes);
        reader.expect(FRAME_MAGIC)?;
        let first_sequence = u64::from_le_bytes(reader.array()?);
        let commits = u32::from_le_bytes(reader.array()?);
        let payload_len = usize::try_from(u32::from_le_bytes(reader.array()?)).ok()?;
        let previous = Position {
            sequence: first_sequence.checked_sub(1)?,
            digest: reader.array()?,
        };
        (payload_len <= MAX_PAYLOAD_LEN).then_some(Self {
            previous,
            commits,
            payload_len,
        })
    }
}

fn digest(salt: &[u8; 16], covered: &[u8]) -> [u8; DIGEST_LEN] {
    Sha256::new().chain_update(salt).chain_update(covered).finalize().into()
}

fn encode_commit(bytes: &mut Vec<u8>, writes: &Writes) -> Option<()> {
    bytes.extend(u32::try_from(writes.len()).ok()?.to_le_bytes());
    for (key, value) in writes {
        let key_len = u16::try_from(key.len()).ok()?.to_le_bytes();
        match value {
            None => {
                bytes.push(0);
                bytes.extend(key_len);
                bytes.extend(key);
            }
            Some(value) => {
                bytes.push(1);
                bytes.extend(key_len);
                bytes.extend(u32::try_from(value.len()).ok()?.to_le_bytes());
                bytes.extend(key);
                bytes.extend(value);
            }
        }
    }
    Some(())
}

fn parse_commit(payload: &mut Cursor<'_>) -> Option<Writes> {
    let operations = u32::from_le_bytes(payload.array()?);
    let mut writes = Writes::new();
    for _ in 0..operations {
        let [kind] = payload.array()?;
        let key_len = u16::from_le_bytes(payload.array()?);
        let value_len = match kind {
            0 => None,
            1 => Some(u32::from_le_bytes(payload.array()?)),
            _ => return None,
        };
        let key = payload.take(usize::from(key_len))?.to_vec();
        let value = match value_len {
            None => None,
            Some(length) => Some(payload.take(usize::try_from(length).ok()?)?.to_vec()),
        };
        writes.insert(key, value);
    }
    Some(writes)
}

/// Reads bytes from the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn expect(&mut self, expected: &[u8]) -> Option<()> {
        (self.take(expected.len())? == expected).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [7; 16];

    fn commits() -> Vec<Writes> {
        vec![
            Writes::from([(b"a".to_vec(), Some(b"1".to_vec())), (b"b".to_vec(), None)]),
            Writes::from([(b"c".to_vec(), Some(vec![]))]),
        ]
    }

    #[test]
    fn frame_comes_back_as_written() {
        let previous = Position {
            sequence: 41,
            digest: [9; 32],
        };
        let (bytes, position) = encode(&SALT, &previous, &commits()).unwrap();
        assert_eq!(position.sequence, 43);
        let frame = parse(&SALT, &bytes).unwrap();
        assert_eq!(frame.previous, previous);
        assert_eq!(frame.position, position);
        assert_eq!(frame.commits, commits());
        assert_eq!(frame.length, bytes.len());
    }

    #[test]
    fn header_comes_back_and_no_flipped_bit_passes() {
        let header = SegmentHeader {
            salt: SALT,
            previous: Position {
                sequence: 3,
                digest: [1; 32],
            },
        };
        let bytes = header.to_bytes();
        assert_eq!(bytes.len(), HEADER_LEN);
        assert_eq!(SegmentHeader::parse(&bytes), Some(header));
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 1;
            assert_eq!(SegmentHeader::parse(&flipped), None, "byte {position}");
        }
    }

    #[test]
    fn no_flipped_bit_and_no_truncation_of_a_frame_passes() {
        let (bytes, _) = encode(&SALT, &Position::default(), &commits()).unwrap();
        for position in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[position] ^= 0x80;
            assert_eq!(parse(&SALT, &flipped), None, "byte {position}");
            assert_eq!(parse(&SALT, &bytes[..position]), None, "cut at {position}");
        }
    }

    #[test]
    fn torn_last_frame_is_told_from_an_altered_one() {
        let start = Position::default();
        let (first, position) = encode(&SALT, &start, &commits()).unwrap();
        let (second, _) = encode(&SALT, &position, &commits()).unwrap();
        for cut in 0..first.len() {
            assert!(!has_synced_bytes(&SALT, &start, &first[..cut]), "cut at {cut}");
        }
        // A power cut may leave any page of the last write out, also the first one.
        let mut zeroed = first.clone();
        zeroed[..FRAME_HEAD_LEN].fill(0);
        assert!(!has_synced_bytes(&SALT, &start, &zeroed));
        let both = [first.clone(), second].concat();
        for flip in 0..first.len() {
            let mut altered = both.clone();
            altered[flip] ^= 1;
            assert!(has_synced_bytes(&SALT, &start, &altered), "byte {flip}");
        }
    }

    #[test]
    fn value_that_imitates_a_frame_does_not_count() {
        let start = Position::default();
        let imitation = {
            let far = Position {
                sequence: 1_000,
                digest: [0; 32],
            };
            encode(&[0; 16], &far, &commits()).unwrap().0
        };
        let hostile = Writes::from([(b"k".to_vec(), Some(imitation))]);
        let (mut bytes, _) = encode(&SALT, &start, [&hostile]).unwrap();
        bytes[..FRAME_HEAD_LEN].fill(0);
        assert!(!has_synced_bytes(&SALT, &start, &bytes));
    }
}
