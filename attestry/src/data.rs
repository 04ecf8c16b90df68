//! The data folder of a platform: what lies where, and how it is unlocked.
//!
//! ```text
//! attestry-data/
//!   admin.token    the administrative token, mode 0600
//!   unlock.key     the vault's passphrase, mode 0600; absent when ATTESTRY_PASSPHRASE is set
//!   vault/         the services' private keys, encrypted
//!   store/         the embedded store, when no other is named
//!   agencies/ID/   agency.json, mappings, types, registers: see issuer::agency
//! ```

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use keys::Algorithm;
use keys::Signer;
use server::AdminToken;
use signer::MlDsaKey;
use signer::Passphrase;
use signer::SoftwareKey;
use signer::Vault;
use store::Store;
use store::StoreUrl;

/// An open data folder; no other process can open it until it is dropped.
pub(crate) struct DataFolder {
    path: PathBuf,
    vault: Vault,
    admin: AdminToken,
}

impl DataFolder {
    /// Opens the folder, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut rng = signer::os_rng();
        make_private(path).with_context(|| format!("cannot make the data folder {}", path.display()))?;
        let passphrase = unlock(path)?;
        let vault = Vault::open_or_create(&path.join("vault"), &passphrase, &mut rng)?;
        let admin = AdminToken::load_or_create(path, &mut rng)
            .with_context(|| format!("cannot write to the data folder {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            vault,
            admin,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) const fn admin(&self) -> &AdminToken {
        &self.admin
    }

    /// The store that `--store` names; a bare engine name lies in this folder.
    pub(crate) async fn store(&self, name: &str) -> Result<Store> {
        let url = StoreUrl::parse_in(name, &self.path.join("store"))?;
        Ok(Store::open(&url).await?)
    }

    /// The service key of this name, made on first use.
    pub(crate) fn key(&self, name: &str, algorithm: Algorithm) -> Result<Arc<SoftwareKey>> {
        if let Some(key) = self.existing_key(name, algorithm)? {
            return Ok(key);
        }
        let key = self
            .vault
            .generate_key(&format!("keys/{name}"), algorithm, &mut signer::os_rng())?;
        Ok(Arc::new(key))
    }

    /// The service key of this name, if it was ever made.
    pub(crate) fn existing_key(&self, name: &str, algorithm: Algorithm) -> Result<Option<Arc<SoftwareKey>>> {
        let name = format!("keys/{name}");
        let Some(key) = self.vault.key(&name)? else {
            return Ok(None);
        };
        anyhow::ensure!(
            key.public_key().algorithm() == algorithm,
            "expected the key {name} to be {algorithm}, found {}",
            key.public_key().algorithm()
        );
        Ok(Some(Arc::new(key)))
    }

    /// The service key of ML-DSA-44 of this name, made if it is `wanted` and there is none.
    pub(crate) fn ml_dsa_key(&self, name: &str, wanted: bool) -> Result<Option<Arc<MlDsaKey>>> {
        let name = format!("keys/{name}");
        if let Some(key) = self.vault.ml_dsa_key(&name)? {
            return Ok(Some(Arc::new(key)));
        }
        if !wanted {
            return Ok(None);
        }
        let mut rng = signer::os_rng();
        let key = MlDsaKey::generate(&mut rng)?;
        self.vault.add_ml_dsa_key(&name, &key, &mut rng)?;
        Ok(Some(Arc::new(key)))
    }

    /// The folders of the agencies, sorted.
    pub(crate) fn agencies(&self) -> Result<Vec<PathBuf>> {
        let folder = self.path.join("agencies");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.join("agency.json").exists() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Where the sample's officers keep their keys: beside the data folder, never in it.
pub(crate) fn officers_folder(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push("-officers");
    name.into()
}

fn unlock(path: &Path) -> Result<Passphrase> {
    if let Ok(text) = std::env::var("ATTESTRY_PASSPHRASE") {
        return Ok(Passphrase::new(text));
    }
    let file = path.join("unlock.key");
    if !file.exists() {
        let mut bytes = [0; 32];
        rand_core::Rng::fill_bytes(&mut signer::os_rng(), &mut bytes);
        write_private(&file, keys::base64url::encode(bytes).as_bytes())
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Passphrase::new(text.trim().to_owned()))
}

/// Writes a new file that its owner alone can read, durably.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
