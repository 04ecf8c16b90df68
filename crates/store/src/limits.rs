//! The sizes that a store accepts, each with its reason; the same for every engine, so that data
//! can always be copied from one to another.

/// Longest key, the room's prefix included. PostgreSQL keeps at least three keys on an 8 KiB index
/// page and refuses longer ones than about 2,700 bytes; a quarter of that page is left for growth.
pub const MAX_KEY_BYTES: usize = 1024;

/// Longest value. The largest single thing that the actors keep is a trust bundle (1 to 3 MB for a
/// nation); what is larger belongs in a file.
pub const MAX_VALUE_BYTES: usize = 4 * 1024 * 1024;

/// Most bytes of keys and values that one transaction may write, each write counted 16 bytes longer
/// than it is. A transaction is held in memory, and written to the commit log in one piece: three of
/// the largest values, or some 100,000 small ones.
pub const MAX_TRANSACTION_BYTES: usize = 16 * 1024 * 1024;

/// Most bytes of keys and values that one `range` or `prefix` call may return. A scan is held in
/// memory; who meets this limit asks for fewer entries at a time.
pub const MAX_SCAN_BYTES: usize = 32 * 1024 * 1024;

/// The 16 bytes more: what a write costs beside its key and value, so that many tiny ones are
/// limited as well.
pub(crate) const WRITE_OVERHEAD: usize = 16;

/// What a write counts against [`MAX_TRANSACTION_BYTES`].
pub(crate) fn write_size(key: &[u8], value: Option<&Vec<u8>>) -> usize {
    key.len() + value.map_or(0, Vec::len) + WRITE_OVERHEAD
}
