//! Reading the log: records with their proofs, pages of an agency's records, the checkpoint and hash tiles.

use std::collections::BTreeMap;

use did::Did;
use store::Direction;
use store::Snapshot;
use store::Store;
use store::StoreError;
use thiserror::Error;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;
use trust::tiles::TILE_WIDTH;
use trust::tiles::Tile;
use trust::tiles::TileError;
use trust::tiles::TileKind;
use trust::tiles::TileNodes;
use trust::tiles::TileNodesError;
use trust::tiles::encode_hashes;
use trust::tiles::parse_hashes;

use super::HEAD;
use super::id_key;
use super::record_key;
use super::salt_key;
use super::tile_key;
use crate::protocol::commitment::CommitmentError;
use crate::protocol::commitment::Salt;
use crate::protocol::id::EvidenceId;
use crate::protocol::proof::Evidence;
use crate::protocol::record::Record;
use crate::protocol::record::RecordError;
use crate::store::MAX_PAGE;
use crate::store::party_prefix;

/// A proof needs one tile for each level of tiles; no tree has more than these.
const MAX_TILES_OF_A_PROOF: usize = 64;

/// The log cannot be read: the store's fault, or damage.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The stored checkpoint is broken.
    #[error("expected a signed checkpoint in the store")]
    Checkpoint(#[from] CheckpointError),
    /// A record, tile or salt that must be there is not, or is something else.
    #[error("expected {what} of the evidence log in the store, found none")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// A record is not readable.
    #[error("expected a record of evidence in the store")]
    Record(#[from] RecordError),
    /// A salt is not readable.
    #[error("expected a salt in the store")]
    Salt(#[from] CommitmentError),
    /// The store.
    #[error("the evidence log cannot be read")]
    Store(#[from] StoreError),
    /// A tile has another length.
    #[error("expected a full tile in the store")]
    Tile(#[from] TileError),
}

/// Reads the log as it is in the store.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceReader {
    store: Store,
}

/// One state of the log.
pub(crate) struct LogState {
    snapshot: Snapshot,
    head: SignedCheckpoint,
}

impl EvidenceReader {
    pub(crate) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// The log as it is now; `None` before its first checkpoint.
    pub(crate) async fn now(&self) -> Result<Option<LogState>, ReadError> {
        let snapshot = self.store.snapshot().await?;
        let Some(head) = snapshot.get(HEAD).await? else {
            return Ok(None);
        };
        let head = SignedCheckpoint::parse(&head)?;
        Ok(Some(LogState { snapshot, head }))
    }
}

impl LogState {
    /// The head, as it was signed.
    pub(crate) const fn head(&self) -> &SignedCheckpoint {
        &self.head
    }

    /// The number of records.
    pub(crate) const fn size(&self) -> u64 {
        self.head.unverified().size()
    }

    /// A record with its proof.
    pub(crate) async fn evidence(&self, id: &EvidenceId) -> Result<Option<(Record, Evidence)>, ReadError> {
        let Some(sequence) = self.snapshot.get(id_key(id)).await? else {
            return Ok(None);
        };
        let missing = ReadError::Missing { what: "a sequence" };
        let sequence = u64::from_be_bytes(sequence.try_into().map_err(|_| missing)?);
        let bytes = self.record(sequence).await?;
        let record = Record::parse(&bytes)?;
        let path = self.inclusion_path(sequence).await?;
        let salt = match self.snapshot.get(salt_key(id)).await? {
            None => None,
            Some(salt) => Some(Salt::try_from(String::from_utf8_lossy(&salt).into_owned())?),
        };
        let evidence = Evidence {
            record: String::from_utf8(bytes).map_err(|_| ReadError::Missing {
                what: "a record in UTF-8",
            })?,
            inclusion_path: path.into_iter().map(Hash::to_base64).collect(),
            checkpoint: self.head.to_string(),
            salt,
        };
        Ok(Some((record, evidence)))
    }

    /// The records of an agency with sequences from `from` on, a page of them.
    pub(crate) async fn of_party(&self, party: &Did, from: u64) -> Result<Vec<Record>, ReadError> {
        let prefix = party_prefix("evidence/party/", party);
        let start = [prefix.as_slice(), &from.to_be_bytes()].concat();
        let end = [prefix.as_slice(), &[0xff; 9]].concat();
        let entries = self.snapshot.range(start..end, MAX_PAGE, Direction::Forward).await?;
        let sequences = entries.iter().filter_map(|entry| {
            let sequence = entry.key.strip_prefix(prefix.as_slice())?;
            Some(u64::from_be_bytes(sequence.try_into().ok()?))
        });
        let mut records = Vec::new();
        for sequence in sequences {
            records.push(Record::parse(&self.record(sequence).await?)?);
        }
        Ok(records)
    }

    /// All records from `from` on, a page of them.
    pub(crate) async fn all(&self, from: u64) -> Result<Vec<Record>, ReadError> {
        let mut records = Vec::new();
        for bytes in self.records(from, MAX_PAGE).await? {
            records.push(Record::parse(&bytes)?);
        }
        Ok(records)
    }

    /// The bytes of a tile of hashes; `None` if the tree has no such tile.
    pub(crate) async fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, ReadError> {
        let TileKind::Hashes(_) = tile.kind() else {
            return Ok(None);
        };
        let Some(widest) = Tile::in_tree(tile.kind(), tile.index(), self.size()) else {
            return Ok(None);
        };
        if tile.width() > widest.width() {
            return Ok(None);
        }
        let mut hashes = self.hashes(widest).await?;
        hashes.truncate(usize::from(tile.width()));
        Ok(Some(encode_hashes(&hashes)))
    }

    /// The hashes of a tile as wide as the tree makes it.
    pub(super) async fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, ReadError> {
        if !tile.is_partial() {
            let bytes = self.snapshot.get(tile_key(tile)).await?;
            let bytes = bytes.ok_or(ReadError::Missing { what: "a full tile" })?;
            return Ok(parse_hashes(&bytes, TILE_WIDTH)?);
        }
        let first = tile.index().saturating_mul(u64::from(TILE_WIDTH));
        match tile.kind() {
            TileKind::Entries => Err(ReadError::Missing {
                what: "a bundle of entries",
            }),
            TileKind::Hashes(0) => {
                let records = self.records(first, usize::from(tile.width())).await?;
                if records.len() != usize::from(tile.width()) {
                    return Err(ReadError::Missing { what: "a record" });
                }
                Ok(records.iter().map(|record| leaf_hash(record)).collect())
            }
            TileKind::Hashes(level) => {
                let mut hashes = Vec::new();
                for index in first..first + u64::from(tile.width()) {
                    let below = Tile::new(TileKind::Hashes(level - 1), index, TILE_WIDTH)?;
                    let bytes = self.snapshot.get(tile_key(below)).await?;
                    let bytes = bytes.ok_or(ReadError::Missing { what: "a full tile" })?;
                    hashes.push(merkle::root(&parse_hashes(&bytes, TILE_WIDTH)?));
                }
                Ok(hashes)
            }
        }
    }

    pub(super) async fn record(&self, sequence: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.snapshot.get(record_key(sequence)).await?;
        bytes.ok_or(ReadError::Missing { what: "a record" })
    }

    async fn records(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, ReadError> {
        let range = record_key(from)..record_key(self.size());
        let entries = self.snapshot.range(range, limit, Direction::Forward).await?;
        Ok(entries.into_iter().map(|entry| entry.value).collect())
    }

    /// Asks for the path, loads the tile that is missing, and asks again.
    async fn inclusion_path(&self, index: u64) -> Result<Vec<Hash>, ReadError> {
        let mut loaded = BTreeMap::new();
        for _ in 0..=MAX_TILES_OF_A_PROOF {
            let tile = match path_in(&loaded, index, self.size()) {
                Ok(path) => return Ok(path),
                Err(TileNodesError::Fetch(tile)) => tile,
                Err(TileNodesError::Missing { .. }) => break,
            };
            loaded.insert(tile, self.hashes(tile).await?);
        }
        Err(ReadError::Missing {
            what: "a path of tiles",
        })
    }
}

fn path_in(loaded: &BTreeMap<Tile, Vec<Hash>>, index: u64, size: u64) -> Result<Vec<Hash>, TileNodesError<Tile>> {
    merkle::inclusion_proof(
        &TileNodes::new(size, |tile: Tile| loaded.get(&tile).cloned().ok_or(tile)),
        index,
        size,
    )
}
