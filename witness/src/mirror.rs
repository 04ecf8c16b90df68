//! A copy of a log in a folder, in the layout of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles): any server of files can
//! serve it.
//!
//! What is read is laid aside until all of it is judged; then the files are moved to their places, and the checkpoint is
//! written last and at once. So at every moment the folder has a log that holds, and nothing of one that does not. The
//! next run continues from there, and holds the log to it: a log that was rewritten or became shorter is found out by
//! whoever mirrors it. One run at a time works on a folder.

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
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

/// Locked by the run that works on the folder.
const LOCK: &str = ".lock";

/// Where files wait to be judged.
const ASIDE: &str = ".aside";

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
    /// Another run works on the folder.
    #[error("expected a folder that nobody writes to, found another run at work on it")]
    Busy,
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
    // Held until the end of the run.
    let lock = File::create(folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(MirrorError::Busy),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let aside = folder.join(ASIDE);
    forget(&aside)?;
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
    let mut new = Vec::new();
    let mut keep = |tile: Tile, contents: Contents<'_>| {
        let path = tile.to_string();
        if !folder.join(&path).exists() {
            write(&aside, &path, &bytes(&contents)?)?;
            new.push(path);
        }
        Ok(())
    };
    // What is here already was judged before, and is judged again.
    let sources = [copy, source.clone()];
    let followed = follow(&sources, anchor.clone(), earlier, &checkpoint, progress, &mut keep).await;
    if followed.is_err() {
        forget(&aside)?;
    }
    let audited = followed?;
    for path in &new {
        let to = folder.join(path);
        make_parents(folder, &to)?;
        fs::rename(aside.join(path), &to)?;
        sync_parents(folder, &to)?;
    }
    write(folder, "anchor", anchor.to_string().as_bytes())?;
    write(folder, "checkpoint", checkpoint.to_string().as_bytes())?;
    forget(&aside)?;
    Ok(audited)
}

fn bytes(contents: &Contents<'_>) -> io::Result<Vec<u8>> {
    match contents {
        Contents::Entries(entries) => {
            let mut bundle = Vec::new();
            for entry in *entries {
                push_entry(&mut bundle, entry).map_err(io::Error::other)?;
            }
            Ok(bundle)
        }
        Contents::Hashes(hashes) => Ok(encode_hashes(hashes)),
    }
}

fn forget(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn make_parents(folder: &Path, path: &Path) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(folder))
}

/// Makes the names on the way from `folder` to `path` durable.
fn sync_parents(folder: &Path, path: &Path) -> io::Result<()> {
    for parent in path.ancestors().skip(1).take_while(|parent| parent.starts_with(folder)) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// Old contents or new contents, never half of them, and durable before anything that is written later.
fn write(folder: &Path, path: &str, bytes: &[u8]) -> io::Result<()> {
    let path = folder.join(path);
    make_parents(folder, &path)?;
    let mut temporary = path.clone().into_os_string();
    temporary.push("~");
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    sync_parents(folder, &path)
}
