//! A database of one test, on the server that `ATTESTRY_TEST_POSTGRES` names.

use tokio::runtime::Runtime;
use tokio_postgres::Client;
use tokio_postgres::NoTls;

/// A database that is dropped with this value. Stop what uses it first.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    server: String,
    runtime: Runtime,
}

impl Database {
    /// Makes a database named after the test; none where there is no server.
    #[must_use]
    pub fn create(name: &str) -> Option<Self> {
        let Ok(server) = std::env::var("ATTESTRY_TEST_POSTGRES") else {
            let is_required = std::env::var("ATTESTRY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!is_required, "expected a server in ATTESTRY_TEST_POSTGRES");
            println!("skipped: no server in ATTESTRY_TEST_POSTGRES");
            return None;
        };
        let (base, _) = server.rsplit_once('/').unwrap();
        let name = format!("attestry_e2e_{name}_{}", std::process::id());
        let database = Self {
            url: format!("{base}/{name}"),
            name,
            runtime: Runtime::new().unwrap(),
            server,
        };
        database.drop_database();
        let create = format!("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'", database.name);
        database.run_at(&database.server, &create);
        Some(database)
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs SQL in it.
    pub fn run(&self, sql: &str) {
        self.run_at(&self.url, sql);
    }

    fn drop_database(&self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        self.run_at(&self.server, &drop);
    }

    fn run_at(&self, url: &str, sql: &str) {
        self.runtime.block_on(async {
            let (client, connection): (Client, _) = tokio_postgres::connect(url, NoTls).await.unwrap();
            tokio::spawn(connection);
            client.batch_execute(sql).await.unwrap();
        });
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A test that failed leaves it to look at.
        if !std::thread::panicking() {
            self.drop_database();
        }
    }
}
