//! A small repeatable generator: the same seed gives the same sample nation on every machine.
//!
//! It is xorshift64* and good for nothing secret. Each row has a generator of its own, so that one more
//! column of one person does not change everybody after that person.

/// A stream of pseudo-random numbers.
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one row: `table` keeps the registers apart, `row` the rows of one register.
    pub(crate) fn for_row(seed: u64, table: &str, row: u64) -> Self {
        let mut state = seed;
        for byte in table.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        // Xorshift stands still at zero.
        Self(mix(state ^ row).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number from 0 to `bound` - 1; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // The low bits of xorshift64* are its weakest.
        (self.next() >> 16).checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in `percent` of 100 cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`; the type's default where there is none.
    pub(crate) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let index = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }
}

/// The finalizer of splitmix64: neighbouring inputs give unrelated outputs.
fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_fixed() {
        let mut random = Random::for_row(1, "persons", 7);
        let first: Vec<u64> = (0..3).map(|_| random.below(1_000_000)).collect();
        let mut again = Random::for_row(1, "persons", 7);
        let second: Vec<u64> = (0..3).map(|_| again.below(1_000_000)).collect();
        assert_eq!(first, second);
        let mut other = Random::for_row(1, "persons", 8);
        assert_ne!(first[0], other.below(1_000_000));
    }

    #[test]
    fn bounds_hold() {
        let mut random = Random::for_row(1, "bounds", 0);
        for _ in 0..1_000 {
            assert!((3..=5).contains(&random.between(3, 5)));
            assert!(random.below(2) < 2);
        }
        assert_eq!(random.below(0), 0);
        assert!(!random.chance(0));
        assert!(random.chance(100));
    }
}
