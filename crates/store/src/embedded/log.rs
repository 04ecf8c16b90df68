//! The commit log: our own chain of commits, synced before any is acknowledged.
//!
//! The engine's journal is not trusted with what was acknowledged: fjall drops what it cannot read
//! in its journal without a word (its issue 311), sled 0.34 never syncs. So each group of commits
//! is first appended here and synced; only then the engine applies it, without a sync of its own.
//! When the log has grown, the engine puts all it has into synced, checksummed tables, and the
//! segments before are deleted ([`Log::start_segment`], [`delete_before`]).
//!
//! When the store is opened, the log is read from its oldest segment on. A spoiled end is a commit
//! that was never acknowledged, and is left out; anything else that is missing or altered is
//! [`OpenError::Damaged`]. `recovery` then compares the engine with what the log says.
//!
//! The last frame may have been read from memory although its sync had failed before the restart,
//! so the new segment, which every opening starts, begins with a copy of it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::fs;
use std::fs::File;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::io;
use std::io::Seek as _;
use std::io::SeekFrom;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use super::folder;
use super::frame;
use super::frame::DIGEST_LEN;
use super::frame::Frame;
use super::frame::HEADER_LEN;
use super::frame::Position;
use super::frame::SegmentHeader;
use crate::OpenError;
use crate::engine::Writes;

/// The log, open for appending.
#[derive(Debug)]
pub(super) struct Log {
    folder: PathBuf,
    generation: u64,
    salt: [u8; 16],
    file: File,
    /// Length of the valid part of `file`.
    length: u64,
    position: Position,
}

/// Why a frame could not be appended.
#[derive(Debug)]
pub(super) enum AppendError {
    /// The file is as it was before: the frame is not in it.
    Refused(io::Error),
    /// It is not known what the disk holds; nothing more may be appended.
    Unknown(io::Error),
}

impl Log {
    /// Starts the log of a new store.
    pub(super) fn create(folder: &Path) -> Result<Self, OpenError> {
        Self::new_segment(folder, 1, Position::default(), None)
    }

    /// Starts a new segment behind what was read from the older ones.
    pub(super) fn resume(folder: &Path, replay: &Replay) -> Result<Self, OpenError> {
        let generation = replay.last_generation + 1;
        let unused = segment_path(folder, generation);
        if unused.exists() {
            fs::remove_file(&unused).map_err(folder::io("remove", &unused))?;
        }
        match &replay.last_frame {
            None => Self::new_segment(folder, generation, replay.position, None),
            Some(last) => Self::new_segment(folder, generation, last.previous, Some(last)),
        }
    }

    /// Goes on in a new segment, so that the ones before can be deleted once the engine has all
    /// that they hold. Gives its generation.
    pub(super) fn start_segment(&mut self) -> Result<u64, OpenError> {
        let generation = self.generation + 1;
        match Self::new_segment(&self.folder, generation, self.position, None) {
            Ok(segment) => *self = segment,
            Err(error) => {
                // Half a segment must not stand behind the one that is still written to.
                let path = segment_path(&self.folder, generation);
                fs::remove_file(&path).map_err(folder::io("remove", &path))?;
                return Err(error);
            }
        }
        Ok(generation)
    }

    /// Appends `commits` as one frame and syncs it. Gives the position after it.
    pub(super) fn append<'a>(
        &mut self,
        commits: impl IntoIterator<Item = &'a Writes>,
    ) -> Result<Position, AppendError> {
        let (bytes, position) = frame::encode(&self.salt, &self.position, commits)
            .ok_or_else(|| AppendError::Refused(io::ErrorKind::FileTooLarge.into()))?;
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(&bytes));
        if let Err(error) = written {
            // A part of it may be there (a full disk): with it, no later frame would be found.
            return Err(match self.file.set_len(self.length) {
                Ok(()) => AppendError::Refused(error),
                Err(_) => AppendError::Unknown(error),
            });
        }
        // After a failed sync the system may have dropped the pages and call them clean: a second
        // try would succeed and mean nothing.
        self.file.sync_data().map_err(AppendError::Unknown)?;
        self.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.position = position;
        Ok(position)
    }

    /// Says that the store was closed: whatever the engine lacks from now on, it has lost.
    pub(super) fn append_closed(&mut self) -> Result<(), AppendError> {
        self.append([]).map(|_| ())
    }

    pub(super) fn position(&self) -> Position {
        self.position
    }

    /// Bytes in the current segment.
    pub(super) fn segment_len(&self) -> u64 {
        self.length
    }

    /// Number of the current segment.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    fn new_segment(
        folder: &Path,
        generation: u64,
        previous: Position,
        copied: Option<&Frame>,
    ) -> Result<Self, OpenError> {
        let path = segment_path(folder, generation);
        let salt = new_salt();
        let mut bytes = SegmentHeader { salt, previous }.to_bytes();
        let mut position = previous;
        if let Some((frame, after)) = copied.and_then(|copied| frame::encode(&salt, &previous, &copied.commits)) {
            bytes.extend(frame);
            position = after;
        }
        let create = || {
            let mut file = File::create_new(&path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            folder::sync_folder(folder)?;
            Ok(file)
        };
        Ok(Self {
            file: create().map_err(folder::io("create the commit log", &path))?,
            folder: folder.to_owned(),
            generation,
            salt,
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            position,
        })
    }
}

/// What the log says that the store holds.
#[derive(Debug)]
pub(super) struct Replay {
    /// The end of the chain.
    pub(super) position: Position,
    /// Number of the last commit that the log does not hold any more: the engine must have it.
    pub(super) base: u64,
    /// Whether the store was closed in order, after [`Replay::position`].
    pub(super) closed: bool,
    /// Last value of each key that the log holds, with the number of the commit that wrote it.
    pub(super) last_writes: BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>,
    /// Bytes of all segments.
    pub(super) length: u64,
    /// How many segments there are.
    pub(super) segments: usize,
    /// Number of the last segment that has a valid head.
    last_generation: u64,
    last_frame: Option<Frame>,
    /// What stands behind the valid frames of that segment.
    tail: Tail,
    /// Digests after each commit that ends a frame. A frame that was copied to a new segment has
    /// one in each.
    links: HashMap<u64, Vec<[u8; DIGEST_LEN]>>,
}

/// The spoiled end of a segment.
#[derive(Debug, Default)]
struct Tail {
    salt: [u8; 16],
    /// The end of the valid part.
    previous: Position,
    bytes: Vec<u8>,
}

impl Replay {
    /// Reads and checks all segments.
    pub(super) fn read(folder: &Path) -> Result<Self, OpenError> {
        let generations = generations(folder)?;
        let (Some(first), Some(last)) = (generations.first(), generations.last()) else {
            return Err(damaged(folder, "expected a commit log, found none".to_owned()));
        };
        let mut replay = Self {
            position: Position::default(),
            base: 0,
            closed: false,
            last_writes: BTreeMap::new(),
            length: 0,
            segments: generations.len(),
            last_generation: *first,
            last_frame: None,
            tail: Tail::default(),
            links: HashMap::new(),
        };
        for (generation, expected) in generations.iter().zip(*first..) {
            let path = segment_path(folder, *generation);
            if *generation != expected {
                let detail = format!("expected commit log number {expected}, found {generation}");
                return Err(damaged(&path, detail));
            }
            let bytes = fs::read(&path).map_err(folder::io("read", &path))?;
            replay.length += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            match SegmentHeader::parse(&bytes) {
                Some(header) => replay.read_segment(&path, &bytes, &header, generation == first)?,
                None if generation == last && generation != first => {
                    replay.check_unused(&path, &bytes)?;
                    continue;
                }
                None => return Err(damaged(&path, "its head is altered".to_owned())),
            }
            replay.last_generation = *generation;
        }
        let Tail { salt, previous, bytes } = std::mem::take(&mut replay.tail);
        if frame::has_synced_bytes(&salt, &previous, &bytes) {
            let detail = format!("commit {} is altered, but was synced to disk", previous.sequence + 1);
            return Err(damaged(&segment_path(folder, replay.last_generation), detail));
        }
        Ok(replay)
    }

    /// Whether the chain has this link.
    pub(super) fn contains(&self, position: &Position) -> bool {
        self.links
            .get(&position.sequence)
            .is_some_and(|digests| digests.contains(&position.digest))
    }

    /// Adds one segment.
    fn read_segment(
        &mut self,
        path: &Path,
        bytes: &[u8],
        header: &SegmentHeader,
        is_first: bool,
    ) -> Result<(), OpenError> {
        if is_first {
            self.base = header.previous.sequence;
            self.position = header.previous;
            self.add_link(header.previous);
        } else if !self.contains(&header.previous) {
            let detail = format!(
                "expected it to go on at commit {}, found {}",
                self.position.sequence + 1,
                header.previous.sequence + 1
            );
            return Err(damaged(path, detail));
        }
        self.closed = false;
        let mut previous = header.previous;
        let mut rest = bytes.get(HEADER_LEN..).unwrap_or_default();
        while let Some(frame) = frame::parse(&header.salt, rest) {
            if frame.previous != previous {
                let detail = format!("the chain breaks at commit {}", previous.sequence + 1);
                return Err(damaged(path, detail));
            }
            previous = frame.position;
            rest = rest.get(frame.length..).unwrap_or_default();
            self.closed = frame.commits.is_empty();
            if !self.closed {
                self.add_frame(frame);
            }
        }
        self.tail = Tail {
            salt: header.salt,
            previous,
            bytes: rest.to_vec(),
        };
        Ok(())
    }

    fn add_frame(&mut self, frame: Frame) {
        for (sequence, writes) in (frame.previous.sequence + 1..).zip(&frame.commits) {
            for (key, value) in writes {
                self.last_writes.insert(key.clone(), (sequence, value.clone()));
            }
        }
        self.add_link(frame.position);
        self.position = frame.position;
        self.last_frame = Some(frame);
    }

    fn add_link(&mut self, position: Position) {
        self.links.entry(position.sequence).or_default().push(position.digest);
    }

    /// A segment without a valid head was being created when the process ended. Then it holds no
    /// more than its head and the copied frame.
    fn check_unused(&self, path: &Path, bytes: &[u8]) -> Result<(), OpenError> {
        let copied = self.last_frame.as_ref().map_or(0, |frame| frame.length);
        if bytes.len() <= HEADER_LEN + copied {
            return Ok(());
        }
        Err(damaged(path, "its head is altered".to_owned()))
    }
}

/// Deletes the segments before `generation`, the oldest first, so that what is left is without gaps
/// whenever the process ends.
pub(super) fn delete_before(folder: &Path, generation: u64) -> Result<(), OpenError> {
    for old in generations(folder)? {
        if old < generation {
            let path = segment_path(folder, old);
            fs::remove_file(&path).map_err(folder::io("remove", &path))?;
        }
    }
    folder::sync_folder(folder).map_err(folder::io("sync the folder", folder))
}

pub(super) fn damaged(path: &Path, detail: String) -> OpenError {
    OpenError::Damaged {
        path: path.to_owned(),
        detail,
    }
}

/// Whether a file of this name is a segment.
pub(super) fn is_segment(name: &str) -> bool {
    generation_of(name).is_some()
}

fn generation_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("commits-")?.strip_suffix(".log")?;
    digits.parse().ok()
}

fn segment_path(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("commits-{generation:010}.log"))
}

/// The numbers of the segments in the folder, ascending.
fn generations(folder: &Path) -> Result<Vec<u64>, OpenError> {
    let list = || {
        let mut generations = Vec::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            generations.extend(name.to_str().and_then(generation_of));
        }
        generations.sort_unstable();
        Ok(generations)
    };
    list().map_err(folder::io("list the folder", folder))
}

/// Sixteen bytes that nobody can guess. The standard library seeds its hash tables from the
/// system's randomness for the same purpose: against who chooses data to make them slow.
fn new_salt() -> [u8; 16] {
    let state = RandomState::new();
    let number = u128::from(state.hash_one(0_u8)) << 64 | u128::from(state.hash_one(1_u8));
    number.to_le_bytes()
}

#[cfg(test)]
impl Log {
    /// The log on a disk on which every write fails, and cannot be taken back.
    pub(super) fn break_disk(&mut self) {
        let full = File::options().write(true).open("/dev/full");
        self.file = full.expect("Linux has it");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes(key: &str, value: &str) -> Writes {
        Writes::from([(key.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))])
    }

    fn log_of(folder: &Path, commits: u8) -> Log {
        let mut log = Log::create(folder).unwrap();
        for number in 0..commits {
            log.append([&writes("key", &number.to_string())]).unwrap();
        }
        log
    }

    #[test]
    fn log_tells_what_was_appended() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log_of(folder.path(), 3);
        let group = [writes("a", "1"), writes("a", "2")];
        assert_eq!(log.append(&group).unwrap().sequence, 5);

        let replay = Replay::read(folder.path()).unwrap();
        assert_eq!(replay.position, log.position());
        assert_eq!((replay.base, replay.closed), (0, false));
        assert_eq!(replay.last_writes[&b"key".to_vec()], (3, Some(b"2".to_vec())));
        assert_eq!(replay.last_writes[&b"a".to_vec()], (5, Some(b"2".to_vec())));

        log.append_closed().unwrap();
        let replay = Replay::read(folder.path()).unwrap();
        assert!(replay.closed);
        assert_eq!(replay.position.sequence, 5);
    }

    #[test]
    fn resumed_log_repeats_the_last_frame() {
        let folder = tempfile::tempdir().unwrap();
        log_of(folder.path(), 3);
        let mut replay = Replay::read(folder.path()).unwrap();
        let mut log = Log::resume(folder.path(), &replay).unwrap();
        log.append([&writes("more", "")]).unwrap();
        // What had never reached the disk in the first segment is in the second.
        let first = segment_path(folder.path(), 1);
        let bytes = fs::read(&first).unwrap();
        let last = bytes.windows(8).rposition(|bytes| bytes == b"ATSTFRM1").unwrap();
        fs::write(&first, &bytes[..last + 20]).unwrap();
        replay = Replay::read(folder.path()).unwrap();
        assert_eq!(replay.position.sequence, 4);
        assert_eq!(replay.last_writes[&b"key".to_vec()], (3, Some(b"2".to_vec())));
        // But no more than the last frame may be missing there.
        let before = bytes[..last].windows(8).rposition(|bytes| bytes == b"ATSTFRM1");
        fs::write(&first, &bytes[..before.unwrap() + 20]).unwrap();
        assert!(matches!(Replay::read(folder.path()), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn copied_frame_that_is_altered_is_damage() {
        let folder = tempfile::tempdir().unwrap();
        log_of(folder.path(), 1);
        let replay = Replay::read(folder.path()).unwrap();
        let mut log = Log::resume(folder.path(), &replay).unwrap();
        log.append([&writes("more", "")]).unwrap();
        assert!(Replay::read(folder.path()).is_ok());
        let second = segment_path(folder.path(), 2);
        let mut bytes = fs::read(&second).unwrap();
        bytes[HEADER_LEN + 60] ^= 1;
        fs::write(&second, bytes).unwrap();
        assert!(matches!(Replay::read(folder.path()), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn segment_that_was_being_created_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        log_of(folder.path(), 2);
        let unused = segment_path(folder.path(), 2);
        for left in [&b""[..], b"ATSTLOG1", &[0; HEADER_LEN]] {
            fs::write(&unused, left).unwrap();
            let replay = Replay::read(folder.path()).unwrap();
            assert_eq!(replay.position.sequence, 2);
            let log = Log::resume(folder.path(), &replay).unwrap();
            assert_eq!(log.generation(), 2);
        }
        // A longer one was in use.
        fs::write(&unused, [0; 500]).unwrap();
        assert!(matches!(Replay::read(folder.path()), Err(OpenError::Damaged { .. })));
    }

    #[test]
    fn deleting_what_a_checkpoint_covers_moves_the_base() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log_of(folder.path(), 3);
        let generation = log.start_segment().unwrap();
        log.append([&writes("later", "")]).unwrap();
        delete_before(folder.path(), generation).unwrap();
        let replay = Replay::read(folder.path()).unwrap();
        assert_eq!((replay.base, replay.position.sequence), (3, 4));
        assert_eq!(replay.last_writes.len(), 1);
    }

    #[test]
    fn write_that_cannot_be_taken_back_leaves_the_outcome_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log_of(folder.path(), 1);
        log.break_disk();
        let result = log.append([&writes("lost", "")]);
        assert!(matches!(result, Err(AppendError::Unknown(_))));
        assert_eq!(Replay::read(folder.path()).unwrap().position.sequence, 1);
    }
}
