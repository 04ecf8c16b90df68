//! The log as files, on a folder or in object storage, where any number of readers may have it from without asking the
//! registry: [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) below a prefix, and the anchor beside them.
//!
//! The store stays the truth. Every published checkpoint is followed by its files: full tiles, which are written once and
//! never changed, then partial ones, then the checkpoint, so that whoever reads a checkpoint finds the tree under it. Of
//! several operators the sequencer writes; one that was slower than its lease meets a newer checkpoint and leaves it.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ::store::Snapshot;
use ::store::records::RecordError;
use keys::Timestamp;
use object_store::ObjectStore;
use object_store::ObjectStoreExt as _;
use object_store::PutMode;
use object_store::PutOptions;
use object_store::UpdateVersion;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use thiserror::Error;
use tokio::task::JoinError;
use tokio::task::JoinSet;
use trust::Anchor;
use trust::anchor::AnchorError;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::tiles::Tile;
use trust::tiles::TileKind;
use trust::tiles::tiles_since;
use url::Url;

use crate::Registry;
use crate::published::Published;
use crate::published::Tiles;
use crate::published::at_head;
use crate::published::over_tiles;

/// Under load there is a checkpoint several times a second; readers do with one.
const PAUSE: Duration = Duration::from_secs(1);

/// After a failure, and to look for one that another operator's end left behind.
const RETRY: Duration = Duration::from_secs(10);

/// Files on their way at a time: enough to hide the way to a distant storage. The largest bundle of entries has 16 MiB.
const AT_ONCE: usize = 8;

/// A reader that has a checkpoint finds its partial tiles for as long, in seconds.
const KEEP_PARTIAL: i64 = 600;

/// A place for the files of one log.
pub struct LogFiles {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    /// Folders know no conditions on what is there.
    is_folder: bool,
    /// What was written last.
    last: Option<Written>,
    /// Partial tiles that a newer checkpoint does without, and since when.
    outgrown: VecDeque<(Timestamp, Path)>,
}

struct Written {
    size: u64,
    version: UpdateVersion,
    /// The partial tiles under it; `None` after a start or a failure, when more of them may be there.
    partial: Option<Vec<Path>>,
}

/// The files are not up to date. What is there still holds.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LogFilesError {
    /// The anchor or checkpoint that is there is none.
    #[error("what is there as the anchor is none")]
    Anchor(#[from] AnchorError),
    /// The anchor or checkpoint that is there is none.
    #[error("what is there as the checkpoint is none")]
    Checkpoint(#[from] CheckpointError),
    /// The folder cannot be made.
    #[error("the folder cannot be made")]
    Folder(#[from] std::io::Error),
    /// The head moved on each time before it could be read, or somebody else wrote a checkpoint meanwhile.
    #[error("the log moved on meanwhile; the files follow in a moment")]
    Moving,
    /// Another log is there, or one that this one does not continue: the operator's fault, or a fork.
    #[error("expected an empty place or files of this log, found {path} of another")]
    OtherLog {
        /// The first file that is not ours.
        path: String,
    },
    /// The storage failed.
    #[error("the object storage does not do what is asked")]
    Storage(#[from] object_store::Error),
    /// Our store failed.
    #[error("the registry's store cannot be read")]
    Store(#[from] RecordError),
    /// A task of our own ended early: our fault.
    #[error("writing was broken off")]
    Task(#[from] JoinError),
    /// Not a place.
    #[error("expected file:///FOLDER or s3://BUCKET/PREFIX, found {found}")]
    Url {
        /// What was given.
        found: Url,
    },
}

impl LogFiles {
    /// A place by its URL: `file:///FOLDER`, which is made if it is absent, or `s3://BUCKET/PREFIX` with what the environment
    /// says of it (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`). Nothing is read yet.
    ///
    /// # Errors
    /// [`LogFilesError::Url`], [`LogFilesError::Folder`], [`LogFilesError::Storage`].
    pub fn at(url: &Url) -> Result<Self, LogFilesError> {
        let wrong = || LogFilesError::Url { found: url.clone() };
        let (objects, prefix, is_folder): (Arc<dyn ObjectStore>, _, _) = match url.scheme() {
            "file" => {
                let folder = url.to_file_path().map_err(|()| wrong())?;
                std::fs::create_dir_all(&folder)?;
                // A checkpoint that survives a power cut must not outlive its tiles.
                let files = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                (Arc::new(files), Path::default(), true)
            }
            "s3" if url.has_host() => {
                let bucket = AmazonS3Builder::from_env().with_url(url.as_str()).build()?;
                let prefix = Path::from_url_path(url.path()).map_err(object_store::Error::from)?;
                (Arc::new(bucket), prefix, false)
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            objects,
            prefix,
            is_folder,
            last: None,
            outgrown: VecDeque::new(),
        })
    }

    fn path(&self, name: &str) -> Path {
        self.prefix.parts().chain(Path::from(name).parts()).collect()
    }

    async fn read(&self, name: &str) -> Result<Option<(Vec<u8>, UpdateVersion)>, LogFilesError> {
        match self.objects.get(&self.path(name)).await {
            Ok(found) => {
                let version = UpdateVersion {
                    e_tag: found.meta.e_tag.clone(),
                    version: found.meta.version.clone(),
                };
                Ok(Some((found.bytes().await?.to_vec(), version)))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The size that is there, after a start or a failure; it must be one that this log has had.
    async fn resume(
        &self,
        (store, head): (&Snapshot, &Published),
        anchor: &Anchor,
    ) -> Result<Option<Written>, LogFilesError> {
        let other = |path: &str| LogFilesError::OtherLog { path: path.to_owned() };
        match self.read("anchor").await? {
            Some((bytes, _)) if Anchor::parse(&bytes)? != *anchor => return Err(other("anchor")),
            Some(_) => {}
            None => {
                let text = anchor.to_string().into_bytes();
                put_once(&*self.objects, self.path("anchor"), text).await?;
            }
        }
        let Some((bytes, version)) = self.read("checkpoint").await? else {
            return Ok(None);
        };
        let found = SignedCheckpoint::parse(&bytes)?;
        let found = found.unverified();
        let size = found.size();
        if found.origin() != anchor.origin() {
            return Err(other("checkpoint"));
        }
        if size <= head.size() {
            let mut known = Tiles::default();
            let root: Hash = over_tiles(store, &head.edge, &mut known, |nodes| merkle::tree_root(nodes, size)).await?;
            if root != found.root() {
                return Err(other("checkpoint"));
            }
        }
        Ok(Some(Written {
            size,
            version,
            partial: None,
        }))
    }

    /// The partial tiles that are there and that the tree of `size` leaves does without. Looked through are the folders with
    /// the last tile of each level, of a thousand tiles at most: what earlier ones have is of long ago, and was removed then.
    async fn left_behind(&self, size: u64) -> Result<Vec<Path>, LogFilesError> {
        let last: BTreeMap<TileKind, Tile> = tiles_since(0, size).map(|tile| (tile.kind(), tile)).collect();
        let is_outgrown = |path: &Path| {
            let name = path.as_ref().strip_prefix(self.prefix.as_ref());
            let tile = Tile::parse(name.unwrap_or_default().trim_start_matches('/'));
            let now = |tile: &Tile| Tile::in_tree(tile.kind(), tile.index(), size);
            tile.is_ok_and(|tile| now(&tile).is_some_and(|now| tile.width() < now.width()))
        };
        let mut outgrown = Vec::new();
        for tile in last.values() {
            let folder = self.path(&tile.full().to_string()).parent();
            let found = self.objects.list_with_delimiter(folder.as_ref()).await?;
            for partial in found
                .common_prefixes
                .iter()
                .filter(|path| path.extension() == Some("p"))
            {
                let found = self.objects.list_with_delimiter(Some(partial)).await?;
                outgrown.extend(
                    found
                        .objects
                        .into_iter()
                        .map(|found| found.location)
                        .filter(is_outgrown),
                );
            }
        }
        Ok(outgrown)
    }

    /// Brings the files up to the published head, and tells its size.
    async fn write(&mut self, registry: &Registry) -> Result<u64, LogFilesError> {
        let inner = &registry.0;
        let (store, head) = at_head(&inner.store, &inner.published)
            .await?
            .ok_or(LogFilesError::Moving)?;
        let before = match self.last.take() {
            Some(written) => Some(written),
            None => self.resume((&store, &head), &registry.anchor()).await?,
        };
        let from = before.as_ref().map_or(0, |before| before.size);
        if from >= head.size() {
            // A larger tree is held against ours when ours has grown to it.
            self.last = before.filter(|before| before.size == head.size());
            return Ok(from);
        }
        self.write_tiles(&store, &head, from).await?;
        let outgrown = match before.as_ref().and_then(|before| before.partial.clone()) {
            Some(partial) => partial,
            None => self.left_behind(head.size()).await?,
        };
        let version = self.write_checkpoint(&head, before.as_ref()).await?;
        let partial: Vec<Path> = tiles_since(0, head.size())
            .filter(Tile::is_partial)
            .map(|tile| self.path(&tile.to_string()))
            .collect();
        let now = registry.now();
        for path in outgrown {
            if !partial.contains(&path) && self.outgrown.iter().all(|(_, known)| *known != path) {
                self.outgrown.push_back((now, path));
            }
        }
        self.last = Some(Written {
            size: head.size(),
            version,
            partial: Some(partial),
        });
        self.forget(now).await?;
        Ok(head.size())
    }

    async fn write_tiles(&self, store: &Snapshot, head: &Published, from: u64) -> Result<(), LogFilesError> {
        let mut writing: JoinSet<Result<(), LogFilesError>> = JoinSet::new();
        for tile in tiles_since(from, head.size()) {
            while writing.len() >= AT_ONCE {
                writing.join_next().await.transpose()?.transpose()?;
            }
            let bytes = head.tile(store, tile).await?.ok_or(LogFilesError::Moving)?;
            let (objects, path) = (self.objects.clone(), self.path(&tile.to_string()));
            writing.spawn(async move {
                if tile.is_partial() {
                    objects.put(&path, bytes.into()).await?;
                    return Ok(());
                }
                put_once(&*objects, path, bytes).await
            });
        }
        while let Some(written) = writing.join_next().await {
            written??;
        }
        Ok(())
    }

    async fn write_checkpoint(
        &self,
        head: &Published,
        before: Option<&Written>,
    ) -> Result<UpdateVersion, LogFilesError> {
        let mode = match before {
            _ if self.is_folder => PutMode::Overwrite,
            Some(before) => PutMode::Update(before.version.clone()),
            None => PutMode::Create,
        };
        let text = head.checkpoint.to_string().into_bytes();
        let options = PutOptions::from(mode);
        match self
            .objects
            .put_opts(&self.path("checkpoint"), text.into(), options)
            .await
        {
            Ok(written) => Ok(written.into()),
            Err(object_store::Error::Precondition { .. } | object_store::Error::AlreadyExists { .. }) => {
                Err(LogFilesError::Moving)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes partial tiles that nobody has a use for any more.
    async fn forget(&mut self, now: Timestamp) -> Result<(), LogFilesError> {
        while let Some((_, path)) = self
            .outgrown
            .pop_front_if(|(since, _)| now.seconds_since(*since) > KEEP_PARTIAL)
        {
            match self.objects.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// Writes what never changes. Another content under the name is another log's.
async fn put_once(objects: &dyn ObjectStore, path: Path, bytes: Vec<u8>) -> Result<(), LogFilesError> {
    let created = objects
        .put_opts(&path, bytes.clone().into(), PutOptions::from(PutMode::Create))
        .await;
    match created {
        Ok(_) => Ok(()),
        Err(object_store::Error::AlreadyExists { .. }) => {
            let found = objects.get(&path).await?.bytes().await?;
            if *found == *bytes {
                return Ok(());
            }
            Err(LogFilesError::OtherLog { path: path.to_string() })
        }
        Err(error) => Err(error.into()),
    }
}

impl Registry {
    /// Brings the files of the log up to its published head. Returns the size of the tree that is there then.
    ///
    /// # Errors
    /// [`LogFilesError`]; the next call begins where this one stopped.
    pub async fn write_files(&self, files: &mut LogFiles) -> Result<u64, LogFilesError> {
        files.write(self).await
    }

    /// Keeps the files of the log up to date for as long as it is polled, while this process is the sequencer.
    pub async fn keep_files(&self, mut files: LogFiles) {
        let mut published = self.0.published.clone();
        loop {
            published.mark_unchanged();
            if self.is_sequencer() {
                match self.write_files(&mut files).await {
                    Ok(_) | Err(LogFilesError::Moving) => {}
                    Err(error) => {
                        tracing::error!(cause = %server::problem::chain(&error), "the files of the log are not up to date");
                    }
                }
            } else {
                // Whoever leads now writes; what is there is read again when it is our turn.
                files.last = None;
            }
            tokio::time::sleep(PAUSE).await;
            if let Ok(Err(_closed)) = tokio::time::timeout(RETRY, published.changed()).await {
                return;
            }
        }
    }
}
