//! The bitstring of a Bitstring Status List
//! ([bitstring encoding](https://www.w3.org/TR/vc-bitstring-status-list/#bitstring-encoding)).
//!
//! The first entry is the left-most bit. An entry of several bits has the most significant one first, as a number is
//! written.

use keys::base64url;

use super::Status;
use super::StatusArray;
use super::StatusListError;
use super::StatusPurpose;
use super::StatusSize;
use super::compression::gzip_compress;
use super::compression::gzip_decompress;

/// Fewer entries would not hide one credential among others.
pub const MIN_ENTRIES: usize = 131_072;

/// "The uncompressed bitstring MUST be at least 16KB in size."
const MIN_BYTES: usize = MIN_ENTRIES / 8;

/// The bits of a list. How many make an entry, the list or a credential's entry says.
#[derive(Clone, PartialEq, Eq)]
pub struct Bitstring(Vec<u8>);

/// The purposes for which a list can be derived from a record of status types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitstringPurpose {
    /// Set where the status is invalid.
    Revocation,
    /// Set where the status is suspended.
    Suspension,
}

impl BitstringPurpose {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Revocation, Self::Suspension];

    /// The status that shows as set.
    const fn status(self) -> Status {
        match self {
            Self::Revocation => Status::Invalid,
            Self::Suspension => Status::Suspended,
        }
    }
}

impl From<BitstringPurpose> for StatusPurpose {
    fn from(purpose: BitstringPurpose) -> Self {
        match purpose {
            BitstringPurpose::Revocation => Self::Revocation,
            BitstringPurpose::Suspension => Self::Suspension,
        }
    }
}

impl Bitstring {
    /// At least `entries` and [`MIN_ENTRIES`] entries of `size`, all 0.
    #[must_use]
    pub fn new(size: StatusSize, entries: usize) -> Self {
        let bits = entries.max(MIN_ENTRIES).saturating_mul(usize::from(size.bits()));
        Self(vec![0; bits.div_ceil(8)])
    }

    /// Number of entries of `size`; the last index and one.
    #[must_use]
    pub const fn entries(&self, size: StatusSize) -> usize {
        self.0.len() * 8 / size.bits() as usize
    }

    /// The value of an entry; `None` beyond the end.
    #[must_use]
    pub fn get(&self, size: StatusSize, index: usize) -> Option<u32> {
        let start = self.start(size, index)?;
        // An entry of 16 bits that does not begin with a byte lies in three.
        let window = (0..3).fold(0_u32, |window, offset| {
            let byte = self.0.get(start / 8 + offset).copied().unwrap_or(0);
            window << 8 | u32::from(byte)
        });
        Some((window >> (24 - start % 8 - usize::from(size.bits()))) & (size.values() - 1))
    }

    /// Sets an entry and gives its former value; `None`, and nothing changed, beyond the end or when the value does
    /// not fit.
    #[must_use = "`None` means that nothing was set"]
    pub fn set(&mut self, size: StatusSize, index: usize, value: u32) -> Option<u32> {
        let former = self.get(size, index)?;
        if value >= size.values() {
            return None;
        }
        let start = self.start(size, index)?;
        for bit in 0..usize::from(size.bits()) {
            let is_set = value >> (usize::from(size.bits()) - 1 - bit) & 1 == 1;
            self.set_bit(start + bit, is_set)?;
        }
        Some(former)
    }

    /// `encodedList`: GZIP, then base64url with the multibase prefix `u`.
    ///
    /// # Errors
    /// [`StatusListError::NotCompressed`], our fault.
    pub fn to_encoded_list(&self) -> Result<String, StatusListError> {
        Ok(format!("u{}", base64url::encode(gzip_compress(&self.0)?)))
    }

    /// Reads an `encodedList` ([bitstring expansion
    /// algorithm](https://www.w3.org/TR/vc-bitstring-status-list/#bitstring-expansion-algorithm)).
    ///
    /// # Errors
    /// [`StatusListError`], the publisher's fault.
    pub fn from_encoded_list(encoded: &str) -> Result<Self, StatusListError> {
        let malformed = || StatusListError::Encoding {
            expected: "with the multibase prefix u",
        };
        let compressed = encoded.strip_prefix('u').and_then(|rest| base64url::decode(rest).ok());
        let bytes = gzip_decompress(&compressed.ok_or_else(malformed)?)?;
        if bytes.len() < MIN_BYTES {
            return Err(StatusListError::TooShort {
                minimum: MIN_ENTRIES,
                found: bytes.len() * 8,
            });
        }
        Ok(Self(bytes))
    }

    /// The position of an entry's first bit, if the whole entry is there.
    fn start(&self, size: StatusSize, index: usize) -> Option<usize> {
        (index < self.entries(size)).then(|| index * usize::from(size.bits()))
    }

    fn set_bit(&mut self, position: usize, is_set: bool) -> Option<()> {
        let byte = self.0.get_mut(position / 8)?;
        let mask = 0x80 >> (position % 8);
        *byte = if is_set { *byte | mask } else { *byte & !mask };
        Some(())
    }
}

impl StatusArray {
    /// The bitstring of one purpose, with one bit for each entry.
    #[must_use]
    pub fn to_bitstring(&self, purpose: BitstringPurpose) -> Bitstring {
        let mut bitstring = Bitstring::new(StatusSize::ONE, self.len());
        let set = purpose.status();
        for (index, _) in self.iter().enumerate().filter(|(_, status)| *status == set) {
            // The bitstring is as long as this array, or longer.
            let _ = bitstring.set_bit(index, true);
        }
        bitstring
    }
}

impl std::fmt::Debug for Bitstring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bitstring")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::BitsPerEntry;
    use super::*;

    fn size(bits: u64) -> StatusSize {
        StatusSize::try_from(bits).unwrap()
    }

    #[test]
    fn the_first_entry_is_the_left_most_bit() {
        let mut array = StatusArray::new(BitsPerEntry::Two, 200_000);
        for (index, status) in [(0, Status::Invalid), (7, Status::Suspended), (199_999, Status::Invalid)] {
            array.set(index, status).unwrap();
        }
        let revoked = array.to_bitstring(BitstringPurpose::Revocation);
        assert_eq!((revoked.0[0], revoked.0[24_999], revoked.0.len()), (0x80, 0x01, 25_000));
        let suspended = array.to_bitstring(BitstringPurpose::Suspension);
        assert_eq!((suspended.0[0], suspended.0[24_999]), (0x01, 0x00));
    }

    #[test]
    fn larger_entries_have_their_most_significant_bit_first() {
        let mut bitstring = Bitstring::new(size(3), 10);
        for (index, value) in [(0, 0b101), (1, 0b011), (2, 0b110), (3, 0b001)] {
            assert_eq!(bitstring.set(size(3), index, value), Some(0));
        }
        assert_eq!(bitstring.0[..2], [0b1010_1111, 0b0001_0000]);
    }

    #[test]
    fn every_size_reads_what_it_set() {
        for bits in 1..=16 {
            let size = size(bits);
            let mut bitstring = Bitstring::new(size, MIN_ENTRIES);
            assert_eq!(bitstring.entries(size), MIN_ENTRIES);
            let value = |index: usize| u32::try_from(index).unwrap().wrapping_mul(40_503) & (size.values() - 1);
            let last = MIN_ENTRIES - 20..MIN_ENTRIES;
            for index in (0..20).chain(last.clone()) {
                assert_eq!(bitstring.set(size, index, value(index)), Some(0));
            }
            for index in (0..20).chain(last) {
                assert_eq!(bitstring.get(size, index), Some(value(index)), "{bits} {index}");
            }
            assert_eq!(bitstring.get(size, 20), Some(0));
            assert_eq!(bitstring.set(size, 0, size.values()), None, "does not fit");
            for beyond in [MIN_ENTRIES, usize::MAX] {
                assert_eq!(
                    (bitstring.get(size, beyond), bitstring.set(size, beyond, 0)),
                    (None, None)
                );
            }
        }
    }

    #[test]
    fn lists_are_read_as_written_and_short_ones_are_refused() {
        let mut bitstring = Bitstring::new(StatusSize::ONE, 8);
        bitstring.set(StatusSize::ONE, 94_567, 1).unwrap();
        let encoded = bitstring.to_encoded_list().unwrap();
        assert_eq!(Bitstring::from_encoded_list(&encoded), Ok(bitstring));
        let short = Bitstring(vec![0; MIN_BYTES - 1]).to_encoded_list().unwrap();
        assert!(matches!(
            Bitstring::from_encoded_list(&short),
            Err(StatusListError::TooShort { .. })
        ));
    }

    #[test]
    fn other_encodings_are_refused() {
        let good = Bitstring::new(StatusSize::ONE, 8).to_encoded_list().unwrap();
        for bad in [
            good[1..].to_owned(),
            format!("z{}", &good[1..]),
            format!("{good}="),
            String::new(),
        ] {
            assert!(
                matches!(
                    Bitstring::from_encoded_list(&bad),
                    Err(StatusListError::Encoding { .. })
                ),
                "{bad}"
            );
        }
        let zlib = super::super::compression::zlib_compress(&vec![0; 20_000]).unwrap();
        assert!(matches!(
            Bitstring::from_encoded_list(&format!("u{}", base64url::encode(zlib))),
            Err(StatusListError::Compression { .. })
        ));
    }
}
