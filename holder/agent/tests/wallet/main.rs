//! The wallet against an issuer, a registry and a verifier that this test serves on loopback.

#![cfg(test)]

mod accept;
mod folder;
mod issuer;
mod platform;
mod present;
mod registry;
mod verifier;

use std::path::Path;

use holder_agent::Wallet;
use keys::Timestamp;
use server::Fetcher;
use server::fetch::Reach;
use signer::Passphrase;

/// 2026-11-23T03:00:00Z.
const NOW: Timestamp = Timestamp::from_unix(1_795_402_800);

fn passphrase() -> Passphrase {
    Passphrase::new("correct horse".to_owned())
}

fn fetcher() -> Fetcher {
    Fetcher::new(Reach::LoopbackToo).unwrap()
}

/// A new wallet, and its folder, which goes with it.
fn wallet() -> (Wallet, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Wallet::init(folder.path(), &passphrase()).unwrap(), folder)
}

/// The files in a room of the wallet's folder.
fn items(home: &Path, room: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(home.join(room)) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
