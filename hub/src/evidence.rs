//! The evidence log: appending records and handing them out with proofs.
//!
//! Keys in the hub's room of the store:
//!
//! | key | value |
//! |---|---|
//! | `evidence/record/{sequence}` | the record's bytes: the leaf |
//! | `evidence/id/{id}` | its sequence, 8 bytes |
//! | `evidence/salt/{id}` | the salt of its commitments; deleting it is how personal data are forgotten |
//! | `evidence/party/{party}{sequence}` | nothing: which records an agency may read |
//! | `evidence/tile/{level}{index}` | 256 hashes, a full tile |
//! | `evidence/head` | the signed checkpoint |
//!
//! Partial tiles are not kept: they follow from the records and the full tiles below.

mod read;
mod write;

pub(crate) use read::EvidenceReader;
pub use read::ReadError;
pub(crate) use write::AppendError;
pub(crate) use write::EvidenceLog;
pub use write::LogError;

use trust::tiles::Tile;
use trust::tiles::TileKind;

use crate::protocol::id::EvidenceId;

const HEAD: &[u8] = b"evidence/head";

fn record_key(sequence: u64) -> Vec<u8> {
    [b"evidence/record/".as_slice(), &sequence.to_be_bytes()].concat()
}

fn id_key(id: &EvidenceId) -> Vec<u8> {
    format!("evidence/id/{id}").into_bytes()
}

fn salt_key(id: &EvidenceId) -> Vec<u8> {
    format!("evidence/salt/{id}").into_bytes()
}

/// The key of a full tile of hashes.
fn tile_key(tile: Tile) -> Vec<u8> {
    let level = match tile.kind() {
        // Bundles of entries are not kept: the log's entries are for their parties.
        TileKind::Entries => u8::MAX,
        TileKind::Hashes(level) => level,
    };
    [b"evidence/tile/".as_slice(), &[level], &tile.index().to_be_bytes()].concat()
}
