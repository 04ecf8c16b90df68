//! How much one document may cost. Every limit is counted while working, so that a small document that
//! unfolds into a large one ends in an error early.

use crate::Error;

/// Objects and arrays inside each other. The deepest credential of any standard we implement nests 10
/// levels; foreign JSON is parsed with at most 32 (`keys::json::DEFAULT_LIMITS`).
pub(crate) const MAX_DEPTH: usize = 64;
/// Objects, arrays and scalars of one document. A presentation of 16 credentials with 100 claims each has
/// about 5,000.
pub(crate) const MAX_ELEMENTS: usize = 50_000;
/// Bytes of all IRIs that expansion writes. 50,000 elements of 100 bytes; a 2 kB IRI mapping used 50,000
/// times ends here instead of in 100 MB.
pub(crate) const MAX_EXPANDED_BYTES: usize = 8 << 20;
/// Term definitions made or copied while contexts are processed, 0.2 to 1 µs each. `credentials/v2` with its
/// scoped contexts costs about 600 and is then kept, so only contexts inside a document are paid for each time.
pub(crate) const MAX_CONTEXT_WORK: usize = 40_000;
/// Contexts that include each other by URL, one inside the other.
pub(crate) const MAX_REMOTE_CONTEXTS: usize = 32;
/// Scoped contexts and compact IRIs that depend on each other while one context is processed.
pub(crate) const MAX_CONTEXT_DEPTH: usize = 48;

/// Bounds for one call of [`crate::expand`] or [`crate::to_rdf`]. The defaults are the constants of this
/// module.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Objects and arrays inside each other.
    pub max_depth: usize,
    /// Objects, arrays and scalars.
    pub max_elements: usize,
    /// Bytes of all IRIs that expansion writes.
    pub max_expanded_bytes: usize,
    /// Term definitions made or copied while contexts are processed.
    pub max_context_work: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_depth: MAX_DEPTH,
            max_elements: MAX_ELEMENTS,
            max_expanded_bytes: MAX_EXPANDED_BYTES,
            max_context_work: MAX_CONTEXT_WORK,
        }
    }
}

/// One countdown.
#[derive(Debug)]
pub(crate) struct Budget {
    what: &'static str,
    limit: usize,
    left: usize,
}

impl Budget {
    pub(crate) const fn new(what: &'static str, limit: usize) -> Self {
        Self {
            what,
            limit,
            left: limit,
        }
    }

    /// Takes `amount`.
    pub(crate) fn spend(&mut self, amount: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(amount).ok_or(Error::LimitExceeded {
            what: self.what,
            limit: self.limit,
        })?;
        Ok(())
    }
}
