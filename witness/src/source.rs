//! Where a log is read: over HTTP below a URL prefix, or in a folder of the same layout.

use std::io;
use std::path::PathBuf;

use server::Fetcher;
use server::fetch::FetchError;
use server::fetch::Outgoing;
use thiserror::Error;
use trust::Anchor;
use trust::anchor::AnchorError;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::Hash;
use trust::note::MAX_NOTE_BYTES;
use trust::tiles::MAX_ENTRY_BYTES;
use trust::tiles::TILE_WIDTH;
use trust::tiles::Tile;
use trust::tiles::TileError;
use trust::tiles::parse_entries;
use trust::tiles::parse_hashes;
use url::Url;

/// A name, a key and a hash.
const MAX_ANCHOR_BYTES: usize = 64 * 1024;

/// A full bundle of entries of the largest size, each with its length.
const MAX_BUNDLE_BYTES: usize = TILE_WIDTH as usize * (MAX_ENTRY_BYTES + 2);

/// A full tile.
const MAX_TILE_BYTES: usize = TILE_WIDTH as usize * 32;

/// The place of a log, or of a copy of it. Nothing that comes from there is believed.
#[derive(Clone, Debug)]
pub struct Source(Place);

#[derive(Clone, Debug)]
enum Place {
    Folder(PathBuf),
    Url { fetcher: Fetcher, prefix: Url },
}

/// A file of the log could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// What is served as the anchor is none.
    #[error("the anchor that is served beside the log is not understood")]
    Anchor(#[from] AnchorError),
    /// What is served as the checkpoint is none.
    #[error("the log's checkpoint is not understood")]
    Checkpoint(#[from] CheckpointError),
    /// Nothing came over HTTP.
    #[error("the log cannot be fetched")]
    Fetch(#[from] FetchError),
    /// The folder cannot be read.
    #[error("{path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server refused or failed.
    #[error("expected {path} of the log, found HTTP status {status}")]
    Status {
        /// The file below the prefix.
        path: String,
        /// What the server said.
        status: u16,
    },
    /// A file that the checkpoint's tree must have is not there: the fault of who serves the log.
    #[error("expected {path} of the log, found no such file")]
    Missing {
        /// The file below the prefix.
        path: String,
    },
    /// A file has another form than its name says: the fault of who serves the log.
    #[error("{tile} is not understood")]
    Tile {
        /// Which one.
        tile: Tile,
        /// Why.
        #[source]
        source: TileError,
    },
    /// A file is larger than any of its kind.
    #[error("expected at most {limit} bytes in {path}, found {found}")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit: usize,
        /// Its length.
        found: u64,
    },
}

impl Source {
    /// A log below a URL prefix, such as `https://registry.example/registry`.
    #[must_use]
    pub const fn url(fetcher: Fetcher, prefix: Url) -> Self {
        Self(Place::Url { fetcher, prefix })
    }

    /// A copy in a folder, as [`crate::mirror`] makes it.
    #[must_use]
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Place::Folder(path.into()))
    }

    /// The checkpoint, of which no signature is checked.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn checkpoint(&self) -> Result<SignedCheckpoint, SourceError> {
        let bytes = self.expect("checkpoint", MAX_NOTE_BYTES).await?;
        Ok(SignedCheckpoint::parse(&bytes)?)
    }

    /// The checkpoint; `None` if there is no copy yet.
    pub(crate) async fn find_checkpoint(&self) -> Result<Option<SignedCheckpoint>, SourceError> {
        let bytes = self.read("checkpoint", MAX_NOTE_BYTES).await?;
        Ok(bytes.map(|bytes| SignedCheckpoint::parse(&bytes)).transpose()?)
    }

    /// The anchor that is served beside the log: for whoever has none from another channel.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn anchor(&self) -> Result<Anchor, SourceError> {
        Ok(Anchor::parse(&self.expect("anchor", MAX_ANCHOR_BYTES).await?)?)
    }

    /// The entries of a bundle. A partial one may be gone when a fuller one is there
    /// ([partial tiles](https://github.com/C2SP/C2SP/blob/main/tlog-tiles.md#partial-tiles)).
    pub(crate) async fn entries(&self, tile: Tile) -> Result<Vec<Vec<u8>>, SourceError> {
        let (bytes, found) = self.tile(tile, MAX_BUNDLE_BYTES).await?;
        let entries = parse_entries(&bytes, found.width()).map_err(|source| SourceError::Tile { tile, source })?;
        let entries = entries.into_iter().take(usize::from(tile.width()));
        Ok(entries.map(<[u8]>::to_vec).collect())
    }

    /// The hashes of a tile.
    pub(crate) async fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, SourceError> {
        let (bytes, found) = self.tile(tile, MAX_TILE_BYTES).await?;
        let mut hashes = parse_hashes(&bytes, found.width()).map_err(|source| SourceError::Tile { tile, source })?;
        hashes.truncate(usize::from(tile.width()));
        Ok(hashes)
    }

    /// The bytes of a tile, or of the full one in its place; which of them they are.
    async fn tile(&self, tile: Tile, limit: usize) -> Result<(Vec<u8>, Tile), SourceError> {
        let path = tile.to_string();
        if let Some(bytes) = self.read(&path, limit).await? {
            return Ok((bytes, tile));
        }
        if tile.is_partial()
            && let Some(bytes) = self.read(&tile.full().to_string(), limit).await?
        {
            return Ok((bytes, tile.full()));
        }
        Err(SourceError::Missing { path })
    }

    async fn expect(&self, path: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
        let missing = || SourceError::Missing { path: path.to_owned() };
        self.read(path, limit).await?.ok_or_else(missing)
    }

    /// `None` if there is no such file.
    async fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, SourceError> {
        match &self.0 {
            Place::Folder(folder) => read_file(folder.join(path), limit).await,
            Place::Url { fetcher, prefix } => {
                let url = format!("{}/{path}", prefix.as_str().trim_end_matches('/'));
                let fetched = fetcher.send(Outgoing::get(&url, limit)?).await?;
                match fetched.status {
                    200 => Ok(Some(fetched.body)),
                    404 | 410 => Ok(None),
                    status => Err(SourceError::Status {
                        path: path.to_owned(),
                        status,
                    }),
                }
            }
        }
    }
}

async fn read_file(path: PathBuf, limit: usize) -> Result<Option<Vec<u8>>, SourceError> {
    let failed = |source| SourceError::File {
        path: path.clone(),
        source,
    };
    let found = match tokio::fs::metadata(&path).await {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if usize::try_from(found).map_or(true, |found| found > limit) {
        return Err(SourceError::TooLarge { path, limit, found });
    }
    tokio::fs::read(&path).await.map(Some).map_err(failed)
}
