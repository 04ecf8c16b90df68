//! The folder of an embedded store: who may open it, what it says it is, and its creation.
//!
//! ```text
//! FORMAT                  three lines: what this is, the format's version, the engine
//! LOCK                    locked while the store is open
//! CREATING                only while the folder is being laid out
//! commits-0000000001.log  the commit log (`log`), one file per segment
//! engine/                 the engine's own files
//! ```

use std::fs;
use std::fs::File;
use std::fs::TryLockError;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::log;
use crate::OpenError;
use crate::format;

const FORMAT: &str = "FORMAT";
const LOCK: &str = "LOCK";
const CREATING: &str = "CREATING";
const ENGINE: &str = "engine";

/// How often, and how long apart in milliseconds, a taken lock is tried again: a store that was
/// just dropped, or a process that was just told to stop, needs a moment to let go.
const LOCK_ATTEMPTS: u32 = 10;
const LOCK_PAUSE: u64 = 100;

/// A locked folder. Unlocked when dropped.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The lock is on the open file, so the system releases it whatever way the process ends.
    _lock: File,
}

/// What was found in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: it must be laid out, and then [`Folder::finish_creation`] called.
    Empty,
    /// A store of the expected engine and a readable format.
    Store,
}

impl Folder {
    /// Creates the folder if it is absent, locks it and reads what it is.
    pub(super) fn open(path: &Path, engine: &'static str) -> Result<(Self, Found), OpenError> {
        create_private(path).map_err(io("create the folder", path))?;
        let lock_path = path.join(LOCK);
        let folder = Self {
            path: path.to_owned(),
            _lock: lock(&lock_path)?,
        };
        let found = folder.inspect(engine)?;
        if found == Found::Empty {
            folder.start_creation()?;
        }
        Ok((folder, found))
    }

    /// Says on disk that the folder is laid out: from here on it is a store.
    pub(super) fn finish_creation(&self, engine: &str) -> Result<(), OpenError> {
        self.write_synced(FORMAT, &format::to_text(engine))?;
        let marker = self.path.join(CREATING);
        fs::remove_file(&marker).map_err(io("remove", &marker))?;
        self.sync()
    }

    /// Makes created and removed files of the folder durable.
    pub(super) fn sync(&self) -> Result<(), OpenError> {
        sync_folder(&self.path).map_err(io("sync the folder", &self.path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn engine_path(&self) -> PathBuf {
        self.path.join(ENGINE)
    }

    fn inspect(&self, engine: &'static str) -> Result<Found, OpenError> {
        if self.path.join(CREATING).exists() {
            return Ok(Found::Empty);
        }
        let format_path = self.path.join(FORMAT);
        if !format_path.exists() {
            let is_empty = self.entries()?.iter().all(|path| path.ends_with(LOCK));
            return if is_empty {
                Ok(Found::Empty)
            } else {
                Err(OpenError::NotAStore {
                    path: self.path.clone(),
                })
            };
        }
        let text = fs::read(&format_path).map_err(io("read", &format_path))?;
        let (_version, found) = format::parse_text(&String::from_utf8_lossy(&text))?;
        if found == engine {
            Ok(Found::Store)
        } else {
            Err(OpenError::OtherEngine {
                path: self.path.clone(),
                expected: engine,
                found,
            })
        }
    }

    /// Marks the folder as unfinished, and removes what an interrupted creation left: nothing was
    /// ever acknowledged from it.
    fn start_creation(&self) -> Result<(), OpenError> {
        self.write_synced(CREATING, "")?;
        self.sync()?;
        for path in self.entries()? {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == ENGINE {
                fs::remove_dir_all(&path).map_err(io("remove the folder", &path))?;
            } else if name == FORMAT || log::is_segment(name) {
                fs::remove_file(&path).map_err(io("remove", &path))?;
            }
        }
        self.sync()
    }

    fn entries(&self) -> Result<Vec<PathBuf>, OpenError> {
        let list =
            || -> std::io::Result<Vec<PathBuf>> { fs::read_dir(&self.path)?.map(|entry| Ok(entry?.path())).collect() };
        list().map_err(io("list the folder", &self.path))
    }

    fn write_synced(&self, name: &str, text: &str) -> Result<(), OpenError> {
        let path = self.path.join(name);
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(io("write", &path))
    }
}

/// Wraps a file error with what was attempted on which path.
pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { action, path, source }
}

/// Creates a folder that only its owner may enter: what is in it names people.
fn create_private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes created, renamed and removed names in a folder durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io("open", path))?;
    for _ in 1..LOCK_ATTEMPTS {
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        thread::sleep(Duration::from_millis(LOCK_PAUSE));
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(io("lock", path)(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_creation_starts_again() {
        let folder = tempfile::tempdir().unwrap();
        let (first, found) = Folder::open(folder.path(), "fjall").unwrap();
        assert_eq!(found, Found::Empty);
        fs::create_dir(first.engine_path()).unwrap();
        fs::write(folder.path().join("commits-0000000001.log"), "half").unwrap();
        drop(first);

        let (second, found) = Folder::open(folder.path(), "fjall").unwrap();
        assert_eq!(found, Found::Empty);
        assert!(!second.engine_path().exists());
        second.finish_creation("fjall").unwrap();
        drop(second);

        let (_third, found) = Folder::open(folder.path(), "fjall").unwrap();
        assert_eq!(found, Found::Store);
    }

    #[cfg(unix)]
    #[test]
    fn new_folder_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("store");
        let _folder = Folder::open(&path, "fjall").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn folder_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
        assert!(matches!(
            Folder::open(folder.path(), "fjall"),
            Err(OpenError::NotAStore { .. })
        ));
        assert!(folder.path().join("thesis.txt").exists());
    }

    #[test]
    fn other_engine_and_newer_format_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (first, _) = Folder::open(folder.path(), "fjall").unwrap();
        first.finish_creation("fjall").unwrap();
        drop(first);
        assert!(matches!(
            Folder::open(folder.path(), "sled"),
            Err(OpenError::OtherEngine { found, .. }) if found == "fjall"
        ));
        fs::write(folder.path().join(FORMAT), "attestry store\nformat 2\n").unwrap();
        assert!(matches!(
            Folder::open(folder.path(), "fjall"),
            Err(OpenError::Format(format::FormatError::TooNew { found: 2, .. }))
        ));
    }

    #[test]
    fn second_opener_is_locked_out() {
        let folder = tempfile::tempdir().unwrap();
        let (_first, _) = Folder::open(folder.path(), "fjall").unwrap();
        assert!(matches!(
            Folder::open(folder.path(), "fjall"),
            Err(OpenError::Locked { .. })
        ));
    }
}
