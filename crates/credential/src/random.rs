//! Random bytes for salts, drawn ahead: where they come from the operating system, a call costs more than the hash of a
//! disclosure.

use rand_core::CryptoRng;

/// As much as the kernel gives in one piece ([getrandom(2)](https://man7.org/linux/man-pages/man2/getrandom.2.html)):
/// the salts of 16 claims.
const DRAWN: usize = 256;

pub(crate) struct Random<'a> {
    rng: &'a mut dyn CryptoRng,
    drawn: [u8; DRAWN],
    /// How many of them nobody has taken.
    left: usize,
}

impl<'a> Random<'a> {
    pub(crate) fn new(rng: &'a mut dyn CryptoRng) -> Self {
        Self {
            rng,
            drawn: [0; DRAWN],
            left: 0,
        }
    }

    /// The next bytes; no more than [`DRAWN`].
    pub(crate) fn take<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        const { assert!(BYTES <= DRAWN) };
        if self.left < BYTES {
            self.rng.fill_bytes(&mut self.drawn);
            self.left = DRAWN;
        }
        let (rest, taken) = self.drawn.split_at(self.left - BYTES);
        self.left = rest.len();
        let mut bytes = [0; BYTES];
        for (to, from) in bytes.iter_mut().zip(taken) {
            *to = *from;
        }
        bytes
    }

    /// A number, every one equally likely.
    pub(crate) fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_bytes_are_given_twice() {
        let rng = &mut signer::os_rng();
        let mut random = Random::new(rng);
        let mut seen = HashSet::new();
        for _ in 0..100 {
            // 40 bytes do not go into 256 without a rest.
            let taken: [u8; 40] = random.take();
            for eight in taken.chunks(8) {
                assert!(seen.insert(eight.to_vec()));
            }
            assert!(seen.insert(random.number().to_le_bytes().to_vec()));
        }
    }
}
