//! Where the tests keep their stores: a temporary folder, or a schema of a PostgreSQL database.
//!
//! `ATTESTRY_TEST_POSTGRES` names that database (`postgres://user@host:port/database`); without it
//! its tests say `skipped`, or fail if `ATTESTRY_REQUIRE_POSTGRES=1`.

use std::path::Path;
use std::path::PathBuf;

use store::Store;
use store::StoreUrl;
use tempfile::TempDir;

/// A place for one store; gone when dropped.
pub(crate) struct Place {
    /// The store's URL, as text.
    pub(crate) url: String,
    folder: Option<TempDir>,
}

impl Place {
    /// A new place for an embedded engine.
    pub(crate) fn embedded(engine: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("{engine}:{}", folder.path().join("store").display()),
            folder: Some(folder),
        }
    }

    /// A new schema named after the test, if there is a database.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        let Ok(database) = std::env::var("ATTESTRY_TEST_POSTGRES") else {
            assert_ne!(
                std::env::var("ATTESTRY_REQUIRE_POSTGRES").as_deref(),
                Ok("1"),
                "ATTESTRY_TEST_POSTGRES must name a database"
            );
            println!("skipped: ATTESTRY_TEST_POSTGRES names no database");
            return None;
        };
        let schema = format!("{test}_{}", std::process::id());
        let (client, connection) = tokio_postgres::connect(&database, tokio_postgres::NoTls)
            .await
            .expect("ATTESTRY_TEST_POSTGRES must name a database");
        tokio::spawn(connection);
        client
            .batch_execute(&format!(
                "DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}"
            ))
            .await
            .unwrap();
        let separator = if database.contains('?') { '&' } else { '?' };
        Some(Self {
            url: format!("{database}{separator}options=-csearch_path%3D{schema}"),
            folder: None,
        })
    }

    /// Opens the store.
    pub(crate) async fn open(&self) -> Store {
        Store::open(&StoreUrl::parse(&self.url).unwrap()).await.unwrap()
    }

    /// Runs statements where the store's tables are.
    pub(crate) async fn sql(&self, statements: &str) {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(statements).await.unwrap();
    }

    /// The folder of an embedded store.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("store")
    }

    /// Whether conflicts are exact: PostgreSQL locks pages of its index at times, and then lets a
    /// transaction fail that conflicts with none.
    pub(crate) fn is_embedded(&self) -> bool {
        self.folder.is_some()
    }
}

/// Copies a folder as a kill would leave it. Files that end in zeros, as journals do which were made
/// long in advance, end in a hole in the copy.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            let bytes = std::fs::read(entry.path()).unwrap();
            let used = used_length(&bytes);
            std::fs::write(&target, &bytes[..used]).unwrap();
            let file = std::fs::File::options().write(true).open(&target).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
        }
    }
}

/// Where the zeros begin that `bytes` ends in, to the page.
pub(crate) fn used_length(bytes: &[u8]) -> usize {
    let zeros = [0; 4096];
    let pages = bytes.chunks(zeros.len());
    let last = pages.clone().rposition(|page| page != &zeros[..page.len()]);
    last.map_or(0, |last| pages.take(last + 1).map(<[u8]>::len).sum())
}

/// Numbers that look random and are the same in each run.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    /// Bytes that nothing can compress.
    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length.div_ceil(3))
            .flat_map(|_| {
                let [_, bytes @ ..] = u32::to_be_bytes(u32::try_from(self.below(1 << 24)).unwrap());
                bytes
            })
            .take(length)
            .collect()
    }
}
