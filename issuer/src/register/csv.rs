//! A register in a CSV file ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)), UTF-8 with a header line.
//!
//! The file is read once to note where each subject's row begins; a lookup then reads that row alone. When
//! the file has changed since (another length, time or file), it is read anew first, so that an officer's
//! edit shows without a restart. Replace the file by renaming a new one over it: an edit in place can be
//! seen half done, which [`RegisterError::Changed`] reports where it can.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use csv::ErrorKind;
use csv::Position;
use csv::Reader;
use csv::ReaderBuilder;
use csv::StringRecord;

use super::Lookup;
use super::MAX_ROW_BYTES;
use super::Register;
use super::RegisterError;
use super::Row;
use super::is_subject_id;

/// Five million people without portraits; the index in memory takes about a tenth of it.
pub(super) const MAX_FILE_BYTES: u64 = 1 << 30;

/// The register of one CSV file.
#[derive(Debug)]
pub struct CsvRegister(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    subject_column: String,
    columns: BTreeSet<String>,
    /// Replaced as a whole when the file has changed.
    index: Mutex<Arc<Index>>,
}

/// What was learned from one state of the file.
#[derive(Debug)]
struct Index {
    version: Version,
    /// The place of the subject column.
    subject: usize,
    /// The mapping's columns with their places.
    places: Vec<(String, usize)>,
    /// Where the rows of each subject begin; nearly always one.
    rows: HashMap<String, Vec<Position>>,
}

/// What tells one state of a file from the next without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
}

impl CsvRegister {
    /// Opens a file and reads it once.
    ///
    /// # Errors
    /// [`RegisterError`]: the file cannot be read, is too large, lacks a column or has a broken line.
    pub async fn open(path: PathBuf, subject_column: &str, columns: &BTreeSet<&str>) -> Result<Self, RegisterError> {
        let columns: BTreeSet<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let subject_column = subject_column.to_owned();
        off_the_runtime(path.clone(), move || {
            let file = open_file(&path)?;
            let index = Index::build(&path, &file, &subject_column, &columns)?;
            let index = Mutex::new(Arc::new(index));
            Ok(Self(Arc::new(Shared {
                path,
                subject_column,
                columns,
                index,
            })))
        })
        .await
    }
}

impl Register for CsvRegister {
    fn subject<'a>(&'a self, id: &'a str) -> Lookup<'a> {
        Box::pin(async move {
            if !is_subject_id(id) {
                return Ok(None);
            }
            let (shared, id) = (Arc::clone(&self.0), id.to_owned());
            off_the_runtime(self.0.path.clone(), move || shared.subject(&id)).await
        })
    }
}

/// Reading files blocks, and the runtime's threads must not.
async fn off_the_runtime<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> Result<T, RegisterError> + Send + 'static,
) -> Result<T, RegisterError> {
    let lost = |error| RegisterError::File {
        path,
        source: io::Error::other(error),
    };
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}

impl Shared {
    fn subject(&self, id: &str) -> Result<Option<Row>, RegisterError> {
        let file = open_file(&self.path)?;
        let index = self.index_of(&file)?;
        let Some(positions) = index.rows.get(id) else {
            return Ok(None);
        };
        let mut reader = reader(file);
        let mut rows = Vec::new();
        for position in positions {
            rows.push(self.row(&mut reader, &index, position, id)?);
        }
        let first = rows.pop();
        if rows.iter().any(|row| Some(row) != first.as_ref()) {
            return Err(RegisterError::Conflict {
                lines: positions.iter().map(Position::line).collect(),
            });
        }
        match first {
            Some(row) if row.bytes() > MAX_ROW_BYTES => Err(RegisterError::RowTooLarge { found: row.bytes() }),
            row => Ok(row),
        }
    }

    /// The index of the file as it is now.
    fn index_of(&self, file: &File) -> Result<Arc<Index>, RegisterError> {
        // One reader builds, the others wait for it; a poisoned lock holds an index that is still whole.
        let mut index = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if index.version != version(&self.path, file)? {
            *index = Arc::new(Index::build(&self.path, file, &self.subject_column, &self.columns)?);
        }
        Ok(Arc::clone(&index))
    }

    fn row(
        &self,
        reader: &mut Reader<File>,
        index: &Index,
        position: &Position,
        id: &str,
    ) -> Result<Row, RegisterError> {
        let mut record = StringRecord::new();
        let changed = || RegisterError::Changed {
            path: self.path.clone(),
        };
        reader
            .seek(position.clone())
            .map_err(|error| unreadable(&self.path, error))?;
        let is_there = reader
            .read_record(&mut record)
            .map_err(|error| unreadable(&self.path, error))?;
        if !is_there || record.get(index.subject) != Some(id) || version(&self.path, reader.get_ref())? != index.version
        {
            return Err(changed());
        }
        index
            .places
            .iter()
            .map(|(column, place)| Some((column.clone(), record.get(*place)?.to_owned())))
            .collect::<Option<Row>>()
            .ok_or_else(changed)
    }
}

impl Index {
    /// Reads a file that was just opened: its handle still stands at the beginning.
    fn build(
        path: &Path,
        file: &File,
        subject_column: &str,
        columns: &BTreeSet<String>,
    ) -> Result<Self, RegisterError> {
        let version = version(path, file)?;
        if version.length > MAX_FILE_BYTES {
            let (limit, found) = (MAX_FILE_BYTES, version.length);
            return Err(RegisterError::FileTooLarge {
                path: path.to_owned(),
                limit,
                found,
            });
        }
        let handle = file.try_clone().map_err(|source| RegisterError::File {
            path: path.to_owned(),
            source,
        })?;
        let mut reader = reader(handle);
        let mut record = StringRecord::new();
        let is_there = reader
            .read_record(&mut record)
            .map_err(|error| unreadable(path, error))?;
        if !is_there {
            return Err(line(
                path,
                1,
                "a header line with the names of the columns",
                "an empty file",
            ));
        }
        let header = Header::read(path, &record)?;
        let places = header.places(path, columns)?;
        let subject = header
            .place(subject_column)
            .ok_or_else(|| missing(path, subject_column))?;
        let mut rows: HashMap<String, Vec<Position>> = HashMap::new();
        while reader
            .read_record(&mut record)
            .map_err(|error| unreadable(path, error))?
        {
            let position = record.position().cloned().unwrap_or_else(Position::new);
            let id = header.subject(path, &record, subject, position.line())?;
            rows.entry(id.to_owned()).or_default().push(position);
        }
        Ok(Self {
            version,
            subject,
            places,
            rows,
        })
    }
}

/// The first line.
struct Header(Vec<String>);

impl Header {
    fn read(path: &Path, record: &StringRecord) -> Result<Self, RegisterError> {
        let names: Vec<String> = record.iter().map(str::to_owned).collect();
        let mut seen = BTreeSet::new();
        match names.iter().find(|name| !seen.insert(name.as_str())) {
            // Whichever of the two was meant, the other would be issued one day.
            Some(twice) => Err(line(path, 1, "each column once", format!("two columns `{twice}`"))),
            None => Ok(Self(names)),
        }
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.0.iter().position(|name| name == column)
    }

    fn places(&self, path: &Path, columns: &BTreeSet<String>) -> Result<Vec<(String, usize)>, RegisterError> {
        let absent: Vec<&str> = columns
            .iter()
            .map(String::as_str)
            .filter(|column| self.place(column).is_none())
            .collect();
        if !absent.is_empty() {
            return Err(missing(path, absent.join(", ")));
        }
        Ok(columns
            .iter()
            .filter_map(|column| Some((column.clone(), self.place(column)?)))
            .collect())
    }

    /// The subject id of a row that has as many fields as the header.
    fn subject<'a>(
        &self,
        path: &Path,
        record: &'a StringRecord,
        subject: usize,
        number: u64,
    ) -> Result<&'a str, RegisterError> {
        if record.len() != self.0.len() {
            let found = format!("{} fields", record.len());
            return Err(line(
                path,
                number,
                format!("{} fields, as in the header", self.0.len()),
                found,
            ));
        }
        let id = record.get(subject).unwrap_or_default();
        if !is_subject_id(id) {
            return Err(line(path, number, "a subject id of 1 to 128 printable bytes", "none"));
        }
        Ok(id)
    }
}

fn reader(file: File) -> Reader<File> {
    // The header is read as a row, since a reader that seeks would take the next row for it; the number
    // of fields is compared by us, for an error that names both numbers.
    ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file)
}

fn open_file(path: &Path) -> Result<File, RegisterError> {
    File::open(path).map_err(|source| RegisterError::File {
        path: path.to_owned(),
        source,
    })
}

fn version(path: &Path, file: &File) -> Result<Version, RegisterError> {
    let of = |metadata: Metadata| Version {
        device: metadata.dev(),
        inode: metadata.ino(),
        length: metadata.len(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    };
    file.metadata().map(of).map_err(|source| RegisterError::File {
        path: path.to_owned(),
        source,
    })
}

fn line(path: &Path, line: u64, expected: impl Into<String>, found: impl Into<String>) -> RegisterError {
    RegisterError::Line {
        path: path.to_owned(),
        line,
        expected: expected.into(),
        found: found.into(),
    }
}

fn missing(path: &Path, columns: impl Into<String>) -> RegisterError {
    RegisterError::MissingColumns {
        register: path.display().to_string(),
        missing: columns.into(),
    }
}

fn unreadable(path: &Path, error: csv::Error) -> RegisterError {
    let at = error.position().map_or(0, Position::line);
    match error.into_kind() {
        ErrorKind::Io(source) => RegisterError::File {
            path: path.to_owned(),
            source,
        },
        ErrorKind::Utf8 { .. } => line(path, at, "UTF-8", "another encoding"),
        _ => line(path, at, "CSV", "something else"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    struct Fixture {
        folder: TempDir,
    }

    impl Fixture {
        fn new(content: impl AsRef<[u8]>) -> Self {
            let fixture = Self {
                folder: TempDir::new().unwrap(),
            };
            fixture.replace(content);
            fixture
        }

        fn path(&self) -> PathBuf {
            self.folder.path().join("people.csv")
        }

        fn replace(&self, content: impl AsRef<[u8]>) {
            let new = self.folder.path().join("new.csv");
            fs::write(&new, content).unwrap();
            fs::rename(new, self.path()).unwrap();
        }

        async fn open(&self) -> Result<CsvRegister, RegisterError> {
            CsvRegister::open(self.path(), "id", &BTreeSet::from(["id", "name"])).await
        }

        async fn refusal(&self) -> String {
            let text = self.open().await.unwrap_err().to_string();
            text.replace(&self.path().display().to_string(), "FILE")
        }
    }

    async fn name(register: &CsvRegister, id: &str) -> Option<String> {
        let row = register.subject(id).await.unwrap()?;
        Some(row.field("name").unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_subject_is_found_by_its_exact_id() {
        let file = Fixture::new("name,secret,id\nMaya,s,1\n\"O\"\"Neil,\nAnn\",s,2\n,s,3\n");
        let register = file.open().await.unwrap();
        assert_eq!(name(&register, "1").await.as_deref(), Some("Maya"));
        assert_eq!(name(&register, "2").await.as_deref(), Some("O\"Neil,\nAnn"));
        assert_eq!(name(&register, "3").await.as_deref(), Some(""));
        for unknown in ["4", "", "01", " 1", "1\n", "id"] {
            assert_eq!(name(&register, unknown).await, None, "{unknown:?}");
        }
    }

    #[tokio::test]
    async fn columns_that_are_not_mapped_stay_in_the_file() {
        let file = Fixture::new("name,secret,id\nMaya,s,1\n");
        let row = file.open().await.unwrap().subject("1").await.unwrap().unwrap();
        assert_eq!(row.field("secret"), None);
        assert_eq!(row.field("id"), Some("1"));
    }

    #[tokio::test]
    async fn equal_rows_are_one_and_differing_rows_are_an_error_for_their_subject() {
        let file = Fixture::new("id,name,seen\n1,Maya,monday\n2,Ann,x\n1,Maya,friday\n3,Bao,x\n3,Bo,x\n");
        let register = file.open().await.unwrap();
        // They differ only where the mapping does not look.
        assert_eq!(name(&register, "1").await.as_deref(), Some("Maya"));
        assert_eq!(name(&register, "2").await.as_deref(), Some("Ann"));
        let error = register.subject("3").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected one row for the subject, found rows that differ in lines 5 and 6"
        );
    }

    #[tokio::test]
    async fn a_changed_file_is_read_anew() {
        let file = Fixture::new("id,name\n1,Maya\n");
        let register = file.open().await.unwrap();
        file.replace("id,name\n0,Someone\n1,Maja\n");
        assert_eq!(name(&register, "1").await.as_deref(), Some("Maja"));
        file.replace("id,name\n1,Maja,surplus\n");
        assert!(matches!(
            register.subject("1").await,
            Err(RegisterError::Line { line: 2, .. })
        ));
        fs::remove_file(file.path()).unwrap();
        assert!(matches!(register.subject("1").await, Err(RegisterError::File { .. })));
    }

    #[tokio::test]
    async fn a_spreadsheet_s_byte_order_mark_and_line_ends_are_understood() {
        let file = Fixture::new("\u{FEFF}id,name\r\n1,Maya\r\n");
        assert_eq!(name(&file.open().await.unwrap(), "1").await.as_deref(), Some("Maya"));
    }

    #[tokio::test]
    async fn broken_files_are_refused_with_the_line() {
        let cases: [(&[u8], &str); 6] = [
            (
                b"",
                "FILE, line 1: expected a header line with the names of the columns, found an empty file",
            ),
            (
                b"id,name,name\n",
                "FILE, line 1: expected each column once, found two columns `name`",
            ),
            (
                b"key,title\n",
                "expected the columns id, name, found none of that name in FILE",
            ),
            (
                b"id,name\n1,Maya\n2\n",
                "FILE, line 3: expected 2 fields, as in the header, found 1 fields",
            ),
            (
                b"id,name\n,Maya\n",
                "FILE, line 2: expected a subject id of 1 to 128 printable bytes, found none",
            ),
            (
                b"id,name\n1,M\xFFa\n",
                "FILE, line 2: expected UTF-8, found another encoding",
            ),
        ];
        for (content, message) in cases {
            assert_eq!(Fixture::new(content).refusal().await, message);
        }
    }

    #[tokio::test]
    async fn a_row_larger_than_the_limit_is_refused() {
        let fits = MAX_ROW_BYTES - 1;
        let file = Fixture::new(format!("id,name\n1,{}\n2,{}\n", "x".repeat(fits), "x".repeat(fits + 1)));
        let register = file.open().await.unwrap();
        assert!(register.subject("1").await.unwrap().is_some());
        let error = register.subject("2").await.unwrap_err();
        assert!(matches!(error, RegisterError::RowTooLarge { found } if found == MAX_ROW_BYTES + 1));
    }
}
