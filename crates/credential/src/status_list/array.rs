//! The record behind every status list: a status for each index
//! ([compressed byte array](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-compressed-byte-array)).

use super::StatusListError;
use super::compression::zlib_compress;

/// How many bits an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BitsPerEntry {
    /// Valid or invalid.
    One,
    /// Valid, invalid, suspended, and one of the application's own.
    Two,
    /// 16 statuses.
    Four,
    /// 256 statuses.
    Eight,
}

/// A status of the
/// [registry of status types](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// 0x00.
    Valid,
    /// 0x01: revoked.
    Invalid,
    /// 0x02.
    Suspended,
    /// Application specific or not registered. Means nothing to us, so it is never acceptable.
    Other(u8),
}

/// One status value for each index, packed as in a Token Status List: the first entry in the least
/// significant bits of the first byte.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusArray {
    bits: BitsPerEntry,
    packed: Vec<u8>,
}

/// A [`StatusArray`] as it is published: compressed with zlib. `lst` of every Status List Token, and the compact form
/// of the registry, are these bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompressedList {
    bits: BitsPerEntry,
    bytes: Vec<u8>,
}

impl CompressedList {
    /// Bits of each entry.
    #[must_use]
    pub const fn bits(&self) -> BitsPerEntry {
        self.bits
    }

    /// The compressed bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl BitsPerEntry {
    /// 1, 2, 4 or 8.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    /// Entries in one byte.
    const fn per_byte(self) -> usize {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }

    /// The value with all its bits set.
    const fn mask(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => 0xff,
        }
    }
}

impl TryFrom<u64> for BitsPerEntry {
    type Error = StatusListError;

    fn try_from(number: u64) -> Result<Self, StatusListError> {
        [Self::One, Self::Two, Self::Four, Self::Eight]
            .into_iter()
            .find(|bits| u64::from(bits.number()) == number)
            .ok_or(StatusListError::Bits { found: number })
    }
}

impl Status {
    /// The registered number.
    #[must_use]
    pub const fn value(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 1,
            Self::Suspended => 2,
            Self::Other(value) => value,
        }
    }
}

impl From<u8> for Status {
    fn from(value: u8) -> Self {
        match value {
            0 => Self::Valid,
            1 => Self::Invalid,
            2 => Self::Suspended,
            other => Self::Other(other),
        }
    }
}

impl StatusArray {
    /// At least `entries` entries (filled up to whole bytes), all valid.
    #[must_use]
    pub fn new(bits: BitsPerEntry, entries: usize) -> Self {
        Self {
            bits,
            packed: vec![0; entries.div_ceil(bits.per_byte())],
        }
    }

    /// The array whose packed bytes these are.
    #[must_use]
    pub const fn from_packed(bits: BitsPerEntry, packed: Vec<u8>) -> Self {
        Self { bits, packed }
    }

    /// Bits of each entry.
    #[must_use]
    pub const fn bits(&self) -> BitsPerEntry {
        self.bits
    }

    /// The packed bytes.
    #[must_use]
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// The list as it is published.
    ///
    /// # Errors
    /// [`StatusListError::NotCompressed`], our fault.
    pub fn compress(&self) -> Result<CompressedList, StatusListError> {
        Ok(CompressedList {
            bits: self.bits,
            bytes: zlib_compress(&self.packed)?,
        })
    }

    /// Number of entries; the last index and one.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.packed.len() * self.bits.per_byte()
    }

    /// Whether there is no entry at all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// The status at `index`; `None` beyond the end.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Status> {
        let byte = self.packed.get(index / self.bits.per_byte())?;
        Some(Status::from((byte >> self.shift(index)) & self.bits.mask()))
    }

    /// Sets the status at `index` and gives the former one; `None`, and nothing changed, beyond the end or
    /// when the status does not fit into the entry's bits.
    #[must_use = "`None` means that nothing was set"]
    pub fn set(&mut self, index: usize, status: Status) -> Option<Status> {
        let former = self.get(index)?;
        if status.value() > self.bits.mask() {
            return None;
        }
        let shift = self.shift(index);
        let byte = self.packed.get_mut(index / self.bits.per_byte())?;
        *byte = (*byte & !(self.bits.mask() << shift)) | (status.value() << shift);
        Some(former)
    }

    /// Every status in order of index.
    pub fn iter(&self) -> impl Iterator<Item = Status> {
        let bits = self.bits;
        self.packed.iter().flat_map(move |byte| {
            (0..8)
                .step_by(usize::from(bits.number()))
                .map(move |shift| Status::from((byte >> shift) & bits.mask()))
        })
    }

    const fn shift(&self, index: usize) -> usize {
        (index % self.bits.per_byte()) * self.bits.number() as usize
    }
}

impl std::fmt::Debug for StatusArray {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StatusArray")
            .field("bits", &self.bits)
            .field("entries", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 2-bit example of the draft.
    #[test]
    fn entries_start_at_the_least_significant_bits() {
        let mut array = StatusArray::new(BitsPerEntry::Two, 12);
        for (index, value) in [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3].into_iter().enumerate() {
            assert_eq!(array.set(index, Status::from(value)), Some(Status::Valid));
        }
        assert_eq!(array.packed(), [0xc9, 0x44, 0xf9]);
        let values: Vec<u8> = array.iter().map(Status::value).collect();
        assert_eq!(values, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
        assert_eq!(array.set(3, Status::Valid), Some(Status::Other(3)));
        assert_eq!(array.packed(), [0x09, 0x44, 0xf9]);
    }

    #[test]
    fn every_width_reads_what_it_set() {
        for bits in [
            BitsPerEntry::One,
            BitsPerEntry::Two,
            BitsPerEntry::Four,
            BitsPerEntry::Eight,
        ] {
            let mut array = StatusArray::new(bits, 17);
            for index in 0..17 {
                let value = u8::try_from(index).unwrap() & bits.mask();
                assert_eq!(array.set(index, Status::from(value)), Some(Status::Valid));
            }
            for index in 0..17 {
                assert_eq!(
                    array.get(index).unwrap().value(),
                    u8::try_from(index).unwrap() & bits.mask(),
                    "{bits:?}"
                );
            }
        }
    }

    #[test]
    fn nothing_is_beyond_the_end() {
        let mut array = StatusArray::new(BitsPerEntry::One, 9);
        assert_eq!(array.len(), 16);
        assert_eq!(array.get(15), Some(Status::Valid));
        assert_eq!(array.get(16), None);
        assert_eq!(array.get(usize::MAX), None);
        assert_eq!(array.set(16, Status::Invalid), None);
    }

    #[test]
    fn a_status_that_does_not_fit_is_not_set() {
        let mut array = StatusArray::new(BitsPerEntry::One, 8);
        assert_eq!(array.set(0, Status::Suspended), None);
        assert_eq!(array.packed(), [0]);
    }

    #[test]
    fn other_widths_are_refused() {
        for number in [0, 3, 5, 16, u64::MAX] {
            assert_eq!(
                BitsPerEntry::try_from(number),
                Err(StatusListError::Bits { found: number })
            );
        }
    }
}
