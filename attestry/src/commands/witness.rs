//! `witness`: watching over logs, on a machine of its own.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use keys::Algorithm;
use serde_json::json;
use server::Clock;
use server::Listen;
use server::listen::termination;
use store::Keyspace;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use witness::Config;
use witness::Witness;

use crate::cli;
use crate::commands::registry::log::anchor_of;
use crate::commands::registry::log::place;
use crate::data::DataFolder;
use crate::output::Output;

/// The witness's keys in the vault. Each signs nothing but cosignatures of its kind.
const PLAIN_KEY: &str = "plain-witness";
const STATE_KEY: &str = "state-witness";

pub(super) async fn serve(options: cli::Serve, output: Output) -> Result<ExitCode> {
    let logs = options.log.iter().map(|key| log_key(key)).collect::<Result<Vec<_>>>()?;
    let mut registries = Vec::new();
    for url in &options.registry {
        let source = place(url)?;
        registries.push((anchor_of(&source, None, output).await?, source));
    }
    let (public_url, tls) = options.facing.into_parts();
    let data = DataFolder::open(&options.data)?;
    let store = data.store(&options.store).await?;
    let listen = Listen::bind(options.listen, public_url, tls).await?;
    let witness = Witness::new(Config {
        name: options.name,
        plain_key: data.key(PLAIN_KEY, Algorithm::EdDsa)?,
        state_key: data.key(STATE_KEY, Algorithm::EdDsa)?,
        logs,
        registries,
        store: store.room(&Keyspace::new("witness/")?),
        clock: Clock::System,
    })
    .context("the witness's name cannot be used")?;
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

fn log_key(text: &str) -> Result<VerifierKey> {
    let key = VerifierKey::parse(text).with_context(|| format!("expected a log's verifier key, found {text:?}"))?;
    anyhow::ensure!(
        key.signature_type() == SignatureType::Ed25519,
        "expected the verifier key of a log (type 0x01), found that of a witness: {text}"
    );
    Ok(key)
}
