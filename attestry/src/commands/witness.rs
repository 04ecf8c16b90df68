//! `witness`: watching over logs, on a machine of its own.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use keys::Algorithm;
use serde_json::json;
use server::Clock;
use server::Listen;
use server::listen::termination;
use store::Keyspace;
use store::Store;
use trust::Anchor;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use witness::Config;
use witness::Source;
use witness::Witness;

use crate::anchors;
use crate::cli;
use crate::commands::registry::log::anchor_of;
use crate::commands::registry::log::place;
use crate::data::DataFolder;
use crate::files::write;
use crate::output::Output;

/// The witness's keys in the vault. Each signs nothing but cosignatures of its kind.
const PLAIN_KEY: &str = "plain-witness";
const STATE_KEY: &str = "state-witness";

/// Where the store says whose memory it is.
const MEMORY_OF: &str = "key";

pub(super) async fn serve(options: cli::Serve, output: Output) -> Result<ExitCode> {
    let logs = options.log.iter().map(|key| log_key(key)).collect::<Result<Vec<_>>>()?;
    let has_first = |name: &str| {
        let is_first = |log: &VerifierKey| log.signature_type() == SignatureType::Ed25519 && log.name() == name;
        logs.iter().any(is_first)
    };
    for log in &logs {
        anyhow::ensure!(
            has_first(log.name()),
            "expected a verifier key of type 0x01 of the log {}, too: its checkpoints count with both signatures",
            log.name()
        );
    }
    let (public_url, tls) = options.facing.into_parts();
    let data = DataFolder::open(&options.data)?;
    let mut registries = Vec::new();
    for url in &options.registry {
        let source = place(url)?;
        registries.push((anchor(&data, url, &source, output).await?, source));
    }
    let is_new = data.existing_key(PLAIN_KEY, Algorithm::EdDsa)?.is_none();
    let store = data.store(&options.store).await?;
    let room = store.room(&Keyspace::new("witness/")?);
    let listen = Listen::bind(options.listen, public_url, tls).await?;
    let witness = Witness::new(Config {
        name: options.name,
        plain_key: data.key(PLAIN_KEY, Algorithm::EdDsa)?,
        state_key: data.key(STATE_KEY, Algorithm::EdDsa)?,
        logs,
        registries,
        store: room.clone(),
        clock: Clock::System,
    })
    .context("the witness's name cannot be used")?;
    expect_memory(&room, &witness, is_new, &options.data).await?;
    let stop = termination()?;
    let url = listen.public_url().as_str().trim_end_matches('/').to_owned();
    let (plain, state) = (witness.plain_key().to_string(), witness.state_key().to_string());
    output.result(
        format!("ready {url} {plain} {state}"),
        &json!({"ready": url, "plain_key": plain, "state_key": state}),
    );
    let served = listen.serve(witness.router(), stop).await;
    // What was acknowledged is durable already; this only ends the store's own work in peace.
    store.close().await;
    served?;
    Ok(ExitCode::SUCCESS)
}

/// The anchor of the registry at this URL: the one that this witness has begun with.
async fn anchor(data: &DataFolder, url: &str, source: &Source, output: Output) -> Result<Anchor> {
    let folder = data.path().join("registries");
    let file = folder.join(format!("{}.anchor", Hash::digest(url.as_bytes())));
    if file.exists() {
        return anchors::read(&file);
    }
    let anchor = anchor_of(source, None, output).await?;
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write(&file, anchor.to_string().as_bytes())?;
    Ok(anchor)
}

/// A key that has cosigned must find what it cosigned: in another store it would cosign anything again.
async fn expect_memory(room: &Store, witness: &Witness, is_new: bool, data: &Path) -> Result<()> {
    let key = witness.plain_key().to_string();
    let remembered = room.snapshot().await?.get(MEMORY_OF).await?;
    if remembered.as_deref() == Some(key.as_bytes()) {
        return Ok(());
    }
    anyhow::ensure!(
        is_new && remembered.is_none(),
        "expected the store of the witness {key}, found another: what that key has cosigned is not there, and it would cosign a fork. Give the store that it had, or begin a new witness with another data folder than {}",
        data.display()
    );
    let tx = room.begin().await?;
    tx.put(MEMORY_OF, key.as_bytes())?;
    Ok(tx.commit().await?)
}

fn log_key(text: &str) -> Result<VerifierKey> {
    let key = VerifierKey::parse(text).with_context(|| format!("expected a log's verifier key, found {text:?}"))?;
    anyhow::ensure!(
        key.signature_type() != SignatureType::Cosignature,
        "expected the verifier key of a log (type 0x01 or 0x06), found that of a witness: {text}"
    );
    Ok(key)
}
