//! `registry key`: keys that sign approvals. What a key is for, officer, next or recovery, stands in the Policy and not in
//! its file.

use std::path::Path;

use anyhow::Result;
use keys::Algorithm;
use serde_json::json;
use signer::KeyFile;
use signer::SoftwareKey;
use trust::merkle::Hash;

use crate::cli;
use crate::cli::ApprovalAlgorithm;
use crate::output::Output;
use crate::platform;

pub(super) fn run(command: cli::Key, output: Output) -> Result<()> {
    match command {
        cli::Key::New { file, algorithm } => new(&file, algorithm, output),
        cli::Key::Show { file } => {
            show(&file, &KeyFile::read(&file)?, output);
            Ok(())
        }
    }
}

fn new(path: &Path, algorithm: ApprovalAlgorithm, output: Output) -> Result<()> {
    // Before anybody thinks of a passphrase; writing looks again.
    anyhow::ensure!(
        !path.exists(),
        "expected a file that is not there yet, found {}: it may be the only copy of a key",
        path.display()
    );
    let passphrase = platform::new_passphrase(&format!("Passphrase of {}", path.display()))?;
    anyhow::ensure!(!passphrase.is_empty(), "expected a passphrase, found an empty one");
    let mut rng = signer::os_rng();
    let key = SoftwareKey::generate(algorithm.into(), &mut rng);
    let file = KeyFile::seal(&key, &passphrase, &mut rng)?;
    file.write_new(path)?;
    show(path, &file, output);
    Ok(())
}

fn show(path: &Path, file: &KeyFile, output: Output) {
    let (key, path) = (file.public_key(), path.display().to_string());
    let digest = Hash::digest(key.as_bytes()).to_string();
    output.result(
        format!("file    {path}\nkey     {key}\ndigest  {digest}"),
        &json!({"file": path, "key": key, "digest": digest}),
    );
}

impl From<ApprovalAlgorithm> for Algorithm {
    fn from(algorithm: ApprovalAlgorithm) -> Self {
        match algorithm {
            ApprovalAlgorithm::Ed25519 => Self::EdDsa,
            ApprovalAlgorithm::Esp256 => Self::Es256,
            ApprovalAlgorithm::Esp384 => Self::Es384,
        }
    }
}
