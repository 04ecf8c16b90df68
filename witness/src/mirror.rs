//! A copy of a log in a folder, in the layout of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles): any server of files can
//! serve it.
//!
//! Nothing is kept before it is judged, and the checkpoint is written last and at once, so that at every moment the
//! folder holds a log that holds. The next run continues from there, and holds the log to it: a log that was rewritten
//! or became shorter is found out by whoever mirrors it.

use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::Path;

use thiserror::Error;
use trust::Anchor;
use trust::audit::Audited;
use trust::tiles::Tile;
use trust::tiles::encode_hashes;
use trust::tiles::push_entry;

use crate::FollowError;
use crate::Progress;
use crate::Source;
use crate::follow::Contents;
use crate::follow::follow;

/// There is no newer copy. The one that is there, if one is, stays as it was.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// The folder holds the copy of another log: the caller's fault.
    #[error("expected a folder for {expected}, found one with a copy of {found}")]
    OtherLog {
        /// The log to be mirrored.
        expected: String,
        /// Whose copy is there.
        found: String,
    },
    /// The log does not hold, or was not read.
    #[error("the log is not copied")]
    Follow(#[from] FollowError),
    /// The folder cannot be written.
    #[error("the folder cannot be written")]
    Write(#[from] io::Error),
}

/// Brings the copy of a log in `folder` up to the log's checkpoint.
///
/// # Errors
/// [`MirrorError`], with the first violation.
pub async fn mirror(
    source: &Source,
    folder: &Path,
    anchor: Anchor,
    progress: Progress<'_>,
) -> Result<Audited, MirrorError> {
    fs::create_dir_all(folder)?;
    let copy = Source::folder(folder);
    let earlier = copy.find_checkpoint().await.map_err(FollowError::Source)?;
    if let Some(other) = earlier
        .as_ref()
        .map(|earlier| earlier.unverified().origin())
        .filter(|origin| *origin != anchor.origin())
    {
        return Err(MirrorError::OtherLog {
            expected: anchor.origin().to_owned(),
            found: other.to_owned(),
        });
    }
    let checkpoint = source.checkpoint().await.map_err(FollowError::Source)?;
    let mut keep = |tile: Tile, contents: Contents<'_>| keep(folder, tile, &contents);
    // What is here already was judged before, and is judged again.
    let sources = [copy, source.clone()];
    let audited = follow(&sources, anchor.clone(), earlier, &checkpoint, progress, &mut keep).await?;
    write(folder, "anchor", anchor.to_string().as_bytes())?;
    write(folder, "checkpoint", checkpoint.to_string().as_bytes())?;
    Ok(audited)
}

/// Writes a tile that holds, unless it is there.
fn keep(folder: &Path, tile: Tile, contents: &Contents<'_>) -> io::Result<()> {
    let path = tile.to_string();
    if folder.join(&path).exists() {
        return Ok(());
    }
    let bytes = match contents {
        Contents::Entries(entries) => {
            let mut bundle = Vec::new();
            for entry in *entries {
                push_entry(&mut bundle, entry).map_err(io::Error::other)?;
            }
            bundle
        }
        Contents::Hashes(hashes) => encode_hashes(hashes),
    };
    write(folder, &path, &bytes)
}

/// Old contents or new contents, never half of them, and durable before anything that is written later.
fn write(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(path);
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent)?;
    let mut temporary = path.clone().into_os_string();
    temporary.push("~");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    File::open(parent)?.sync_all()
}
