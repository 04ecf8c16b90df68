//! Registers in a real PostgreSQL: the sample's SQL gives the same claims as its CSV, and the session
//! keeps its promises.
//!
//! Needs a server in `ATTESTRY_TEST_POSTGRES` (a URL of a role that may create databases); without it the
//! tests say that they are skipped, unless `ATTESTRY_REQUIRE_POSTGRES=1`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "test code: a panic is how it fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use issuer::mapping::Mapping;
use issuer::register;
use issuer::register::PostgresRegister;
use issuer::register::Register;
use issuer::register::RegisterError;
use keys::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::Config;
use tokio_postgres::NoTls;

/// 2026-11-23T03:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas/sample")
}

/// A database of one test.
struct Database {
    name: String,
    url: String,
    client: Client,
    admin: Client,
}

impl Database {
    /// Makes a database named after the test; none where there is no server.
    async fn create(name: &str) -> Option<Self> {
        let Ok(server) = std::env::var("ATTESTRY_TEST_POSTGRES") else {
            let is_required = std::env::var("ATTESTRY_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
            assert!(!is_required, "expected a server in ATTESTRY_TEST_POSTGRES");
            println!("skipped: no server in ATTESTRY_TEST_POSTGRES");
            return None;
        };
        let admin = connect(&server.parse().unwrap()).await;
        let name = format!("attestry_issuer_{name}_{}", std::process::id());
        // A run that was killed may have left it.
        admin
            .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
            .await
            .unwrap();
        admin
            .batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
            .await
            .unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        let client = connect(&url.parse().unwrap()).await;
        Some(Self {
            name,
            url,
            client,
            admin,
        })
    }

    /// Leaves the server as it was; a failed test leaves its database to look at.
    async fn remove(self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.admin.batch_execute(&drop).await.unwrap();
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(sql).await.unwrap();
    }

    async fn register(&self, table: &str, columns: &[&str]) -> Result<PostgresRegister, RegisterError> {
        PostgresRegister::connect(&self.url, table, "id", &columns.iter().copied().collect()).await
    }
}

async fn connect(config: &Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn the_sample_s_tables_give_the_same_claims_as_its_files() {
    let Some(database) = Database::create("sample").await else {
        return;
    };
    for (name, table) in [
        ("PersonIdentity", "population.persons"),
        ("DrivingLicence", "transport.driving_licences"),
        ("VaccinationCertificate", "health.vaccinations"),
        ("CompanyRegistration", "business.companies"),
    ] {
        let (_, file) = table.split_once('.').unwrap();
        database
            .run(&fs::read_to_string(sample().join(format!("{file}.sql"))).unwrap())
            .await;
        let mapping = Mapping::parse(&fs::read(sample().join(format!("mappings/{name}.json"))).unwrap()).unwrap();
        let columns = mapping.columns();
        let from_csv = register::open(&mapping, &sample().join("mappings")).await.unwrap();
        let from_sql = PostgresRegister::connect(&database.url, table, mapping.subject_column(), &columns)
            .await
            .unwrap();
        let mut reader = csv::Reader::from_path(sample().join(format!("{file}.csv"))).unwrap();
        let ids: BTreeSet<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        for id in ids {
            let row = from_csv.subject(&id).await.unwrap().unwrap();
            let other = from_sql.subject(&id).await.unwrap().unwrap();
            assert_eq!(mapping.apply(&row, NOW), mapping.apply(&other, NOW), "{id}");
        }
    }
    database.remove().await;
}

#[tokio::test]
async fn a_subject_is_found_by_its_exact_id() {
    let Some(database) = Database::create("ids").await else {
        return;
    };
    database
        .run(
            "CREATE TABLE numbered (id integer PRIMARY KEY, name text); INSERT INTO numbered VALUES (7, 'Maya');
             CREATE TABLE padded (id char(12), name varchar(20)); INSERT INTO padded VALUES ('X1', 'Ann');
             CREATE TABLE short (id varchar(4), name text); INSERT INTO short VALUES ('abcd', 'Bao');
             CREATE TABLE twice (id text, name text, seen date);
             INSERT INTO twice VALUES ('1', 'Maya', '2026-01-01'), ('1', 'Maya', '2026-02-02'), ('2', 'A', NULL), ('2', 'B', NULL);",
        )
        .await;
    let find = async |table: &str, id: &str| {
        let row = database
            .register(table, &["id", "name"])
            .await
            .unwrap()
            .subject(id)
            .await?;
        Ok::<_, RegisterError>(row.map(|row| row.field("name").unwrap().to_owned()))
    };
    assert_eq!(find("numbered", "7").await.unwrap().as_deref(), Some("Maya"));
    // Other spellings of the number 7, no number at all, an attempt at SQL.
    for id in [
        "007",
        " 7",
        "+7",
        "8",
        "x",
        "99999999999999999999",
        "7; DROP TABLE numbered",
        "7' OR '1'='1",
    ] {
        assert_eq!(find("numbered", id).await.unwrap(), None, "{id}");
    }
    assert_eq!(find("padded", "X1").await.unwrap().as_deref(), Some("Ann"));
    // Not cut to the column's length.
    assert_eq!(find("short", "abcd").await.unwrap().as_deref(), Some("Bao"));
    assert_eq!(find("short", "abcde").await.unwrap(), None);
    // Two rows that differ where the mapping does not look are one; others are a conflict.
    assert_eq!(find("twice", "1").await.unwrap().as_deref(), Some("Maya"));
    assert!(matches!(find("twice", "2").await, Err(RegisterError::Conflict { .. })));
    database.remove().await;
}

#[tokio::test]
async fn tables_and_columns_are_checked_when_connecting() {
    let Some(database) = Database::create("columns").await else {
        return;
    };
    database
        .run(r#"CREATE SCHEMA "odd one"; CREATE TABLE "odd one"."t""x" (id text, "Full Name" text, tags text[])"#)
        .await;
    database
        .run(r#"CREATE VIEW public.people AS SELECT id, "Full Name", tags FROM "odd one"."t""x""#)
        .await;
    assert!(database.register("people", &["id", "Full Name"]).await.is_ok());
    let refused = database.register("people", &["id", "absent"]).await;
    assert!(matches!(refused, Err(RegisterError::MissingColumns { missing, .. }) if missing == "absent"));
    // System columns are no fields.
    assert!(matches!(
        database.register("people", &["id", "ctid"]).await,
        Err(RegisterError::MissingColumns { .. })
    ));
    assert!(matches!(
        database.register("people", &["id", "tags"]).await,
        Err(RegisterError::Setting { .. })
    ));
    assert!(matches!(
        database.register("nobody", &["id"]).await,
        Err(RegisterError::Setting { .. })
    ));
    database.remove().await;
}

#[tokio::test]
async fn the_session_is_read_only_and_bounded_in_time() {
    let Some(database) = Database::create("session").await else {
        return;
    };
    database
        .run(
            "CREATE TABLE log (line text);
             CREATE FUNCTION writes() RETURNS text VOLATILE LANGUAGE sql AS $$ INSERT INTO log VALUES ('x') RETURNING line $$;
             CREATE FUNCTION sleeps() RETURNS text VOLATILE LANGUAGE sql AS $$ SELECT pg_sleep(30)::text $$;
             CREATE VIEW writing AS SELECT '1' AS id, writes() AS name;
             CREATE VIEW sleeping AS SELECT '1' AS id, sleeps() AS name;",
        )
        .await;
    let message = async |view: &str| {
        let register = database.register(view, &["id", "name"]).await.unwrap();
        match register.subject("1").await.unwrap_err() {
            RegisterError::Database {
                source: Some(source), ..
            } => source.code().unwrap().code().to_owned(),
            other => panic!("{other}"),
        }
    };
    // read_only_sql_transaction and query_canceled.
    assert_eq!(message("writing").await, "25006");
    assert_eq!(message("sleeping").await, "57014");
    database.remove().await;
}

#[tokio::test]
async fn a_lost_session_is_replaced() {
    let Some(database) = Database::create("lost").await else {
        return;
    };
    database
        .run("CREATE TABLE people (id text, name text); INSERT INTO people VALUES ('1', 'Maya')")
        .await;
    let register = database.register("people", &["id", "name"]).await.unwrap();
    assert!(register.subject("1").await.unwrap().is_some());
    database
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'attestry-issuer' AND datname = current_database()")
        .await;
    assert!(register.subject("1").await.unwrap().is_some());
    database.remove().await;
}
