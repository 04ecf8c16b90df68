//! Prints how many entries a registry takes through HTTP, and how long one takes until a quorum of witnesses has it.
//!
//! `cargo bench -p benches --bench appends [-- --check]`; with `--check` a figure that is not reached is a failure.
//! Everything runs on this machine: the clients, the registry on its embedded store, and the witnesses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use benches::measure::now;
use benches::registry::BEGIN;
use benches::registry::Delegations;
use benches::registry::approve_genesis;
use benches::registry::authority;
use benches::registry::key_of;
use benches::registry::publication;
use keys::Signer as _;
use registry::Genesis;
use registry::Registry;
use server::AdminToken;
use server::Clock;
use server::Fetcher;
use server::fetch::Reach;
use store::Store;
use store::StoreUrl;
use tempfile::TempDir;
use tokio::io::AsyncBufReadExt as _;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use trust::entry::Body;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use witness::Witness;

const LOG_NAME: &str = "registry.attestry.example";

/// Connections, each with one entry on its way: what it takes to fill groups.
const CLIENTS: usize = 2_048;

const ENTRIES: usize = 30_000;

/// One after the other, so that no entry waits for others.
const TIMED: usize = 300;

const WITNESSES: u8 = 5;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    println!("| Work | Found | To reach | Kept |\n|---|---|---|---|");
    let rate = runtime.block_on(appends());
    let wait = runtime.block_on(quorum());
    let rows = [
        (
            "durable appends through HTTP, entries/s",
            rate,
            "at least 10,000",
            rate >= 10_000.0,
        ),
        (
            "append to a quorum of 5 witnesses, p99, ms",
            wait,
            "under 2,000",
            wait < 2_000.0,
        ),
    ];
    for (what, found, bound, kept) in rows {
        println!(
            "| {what} | {found:.0} | {bound} | {} |",
            if kept { "yes" } else { "**no**" }
        );
    }
    if std::env::args().any(|argument| argument == "--check") && rows.iter().any(|(.., kept)| !kept) {
        std::process::exit(1);
    }
}

/// Entries in a second, each acknowledged with its proof under a signed and cosigned checkpoint.
async fn appends() -> f64 {
    let (address, leaves, _folder) = nation(ENTRIES, &[]).await;
    let (leaves, next) = (Arc::new(leaves), Arc::new(AtomicUsize::new(0)));
    let begin = now();
    let clients = (0..CLIENTS).map(|_| {
        let (leaves, next) = (leaves.clone(), next.clone());
        tokio::spawn(async move {
            let mut connection = connect(address).await;
            while let Some(leaf) = leaves.get(next.fetch_add(1, Ordering::Relaxed)) {
                assert_eq!(post(&mut connection, leaf).await, 200);
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("a client that ends");
    }
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let entries = ENTRIES as f64;
    entries / begin.elapsed().as_secs_f64()
}

/// Milliseconds within which all but one of a hundred entries are cosigned by all witnesses.
async fn quorum() -> f64 {
    let mut witnesses = Vec::new();
    let mut folders = Vec::new();
    for number in 0..WITNESSES {
        let folder = tempfile::tempdir().expect("a folder");
        let log = VerifierKey::new(LOG_NAME, SignatureType::Ed25519, key_of(100).public_key().clone());
        let witness = Witness::new(witness::Config {
            name: format!("witness.example/{number}"),
            plain_key: Arc::new(key_of(120 + number)),
            state_key: Arc::new(key_of(130 + number)),
            logs: vec![log.expect("a log key")],
            registries: Vec::new(),
            store: open(&folder).await,
            clock: Clock::manual(BEGIN),
        });
        let address = serve(witness.expect("a witness").router()).await;
        folders.push(folder);
        witnesses.push((number, address));
    }
    let (address, leaves, _folder) = nation(TIMED, &witnesses).await;
    let mut connection = connect(address).await;
    let mut times = Vec::new();
    for leaf in &leaves {
        let begin = now();
        assert_eq!(post(&mut connection, leaf).await, 200);
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let slow = times.get(TIMED - TIMED / 100 - 1).copied().unwrap_or(Duration::MAX);
    slow.as_secs_f64() * 1e3
}

/// A registry with a ministry that may pass its accreditation on, and the entries by which it does.
async fn nation(entries: usize, witnesses: &[(u8, SocketAddr)]) -> (SocketAddr, Vec<Vec<u8>>, TempDir) {
    let genesis = genesis(witnesses);
    let material = Delegations::new(&genesis, entries);
    let folder = tempfile::tempdir().expect("a folder");
    let registry = Registry::open(registry::Config {
        operators: registry::Operators::One,
        log_name: LOG_NAME.to_owned(),
        public_url: "https://attestry.example".to_owned(),
        store: open(&folder).await,
        clock: Clock::manual(BEGIN),
        admin: AdminToken::from_text("the administrative token"),
        log_key: Arc::new(key_of(100)),
        second_log_key: None,
        witness_key: Arc::new(key_of(110)),
        publication_key: Some(Arc::new(key_of(130))),
        fetcher: Fetcher::new(Reach::LoopbackToo).expect("a fetcher"),
        genesis: Some(genesis),
        snapshot_min_age: 60,
    })
    .await
    .expect("a registry");
    for (leaf, blobs) in material.setup {
        registry.append(leaf, blobs).await.expect("an entry");
    }
    (serve(registry.router()).await, material.leaves, folder)
}

/// The genesis Policy; these witnesses have to cosign besides the registry's own.
fn genesis(witnesses: &[(u8, SocketAddr)]) -> Vec<u8> {
    let (log, witness) = (key_of(100), key_of(110));
    let genesis = Genesis {
        log_name: LOG_NAME,
        log_key: log.public_key(),
        second_log_key: None,
        witness_key: witness.public_key(),
        authorities: vec![authority()],
        recovery: None,
        publication: Some(publication()),
        time: BEGIN,
    };
    let mut draft = genesis.draft().expect("a draft");
    if let (Body::Policy(policy), false) = (&mut draft.body, witnesses.is_empty()) {
        let mut text = policy.witness_policy.replace("quorum state\n", "");
        let mut names = String::new();
        for (number, address) in witnesses {
            let name = format!("witness.example/{number}");
            let key = VerifierKey::new(
                &name,
                SignatureType::Cosignature,
                key_of(120 + number).public_key().clone(),
            );
            let key = key.expect("a witness's key");
            text = format!("{text}witness w{number} {key} http://{address}\n");
            names = format!("{names} w{number}");
        }
        policy.witness_policy = format!("{text}group everybody all state{names}\nquorum everybody\n");
    }
    approve_genesis(&draft)
}

async fn open(folder: &TempDir) -> Store {
    let url = StoreUrl::parse_in("fjall", folder.path()).expect("a store");
    Store::open(&url).await.expect("a store")
}

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("an option");
    BufReader::new(stream)
}

/// Sends an entry and reads the answer; its status.
async fn post(connection: &mut BufReader<TcpStream>, leaf: &[u8]) -> u16 {
    let head = format!(
        "POST /registry/entries HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\n\r\n",
        leaf.len()
    );
    let request = [head.as_bytes(), leaf].concat();
    connection.get_mut().write_all(&request).await.expect("a request");
    let (mut status, mut length) = (0, 0);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line).await.expect("a line");
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(rest) = line.strip_prefix("http/1.1 ") {
            status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.parse().expect("a length");
        } else if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body).await.expect("a body");
    status
}
