//! A folder of secrets under one passphrase: a service's keys, or a person's wallet.
//!
//! `vault.json` holds a random master key, sealed under the passphrase with Argon2id once, so that opening
//! a vault costs one derivation however many items it has. Every item is a file of its own, sealed with
//! XChaCha20-Poly1305 under the master key, with its name as associated data: an item copied over
//! another is noticed. A lock on `vault.lock` keeps two processes from writing at the same time.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use chacha20poly1305::KeyInit as _;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::XNonce;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::aead::Payload;
use keys::Algorithm;
use keys::Signer as _;
use keys::json;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::KeyFileError;
use crate::MlDsaKey;
use crate::Passphrase;
use crate::SoftwareKey;
use crate::key_file;
use crate::key_file::Sealed;

const MASTER_KEY_LABEL: &[u8] = b"attestry vault 1";
const NONCE_BYTES: usize = 24;
/// A credential with a portrait is some 100 kB; nothing in a vault is a bulk file.
const MAX_ITEM_BYTES: usize = 4 << 20;
/// Enough for `keys/` and a type before a hash; far below what file systems allow.
const MAX_NAME_BYTES: usize = 100;

/// An open vault. It holds the folder's lock until it is dropped.
#[derive(Debug)]
pub struct Vault {
    folder: PathBuf,
    cipher: Cipher,
    /// Held for its lock.
    _lock: File,
}

struct Cipher(XChaCha20Poly1305);

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cipher(..)")
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    attestry_vault: u8,
    master_key: Sealed,
}

/// Why a vault or an item cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VaultError {
    /// An item is not what was put there under this name: damaged, or copied from elsewhere.
    #[error("the item {name} in the vault {folder} is damaged; restore it from a backup")]
    Damaged {
        /// The vault.
        folder: PathBuf,
        /// The item.
        name: String,
    },
    /// A vault is already there.
    #[error("expected no vault in {folder}, found one")]
    Exists {
        /// Where.
        folder: PathBuf,
    },
    /// `vault.json` is no vault of this format.
    #[error("expected a vault of format 1 in {folder}, found another; was it written by a newer version?")]
    Format {
        /// Where.
        folder: PathBuf,
    },
    /// The environment's fault.
    #[error("cannot read or write the vault {folder}")]
    Io {
        /// Where.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the vault open.
    #[error("the vault {folder} is in use by another process")]
    Locked {
        /// Where.
        folder: PathBuf,
    },
    /// No vault is there.
    #[error("expected a vault in {folder}, found none")]
    Missing {
        /// Where.
        folder: PathBuf,
    },
    /// The caller's fault: names are lower-case letters, digits, `-`, `_`, `.` and inner `/`.
    #[error("expected an item name of a-z, 0-9, '-', '_', '.' and '/', found {name:?}")]
    Name {
        /// The name.
        name: String,
    },
    /// The item is larger than the vault takes.
    #[error("expected an item of at most {MAX_ITEM_BYTES} bytes, found {found}")]
    TooLarge {
        /// Its size.
        found: usize,
    },
    /// The master key cannot be sealed or opened.
    #[error("the vault cannot be opened")]
    Unlock(#[from] KeyFileError),
}

impl Vault {
    /// Makes a new vault in `folder`, which is created with mode 0700 if it is not there.
    ///
    /// # Errors
    /// [`VaultError::Exists`] if there is one already, [`VaultError::Io`].
    pub fn create(folder: &Path, passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Result<Self, VaultError> {
        let io = |source| VaultError::Io {
            folder: folder.to_owned(),
            source,
        };
        make_private_folder(folder).map_err(io)?;
        let lock = lock(folder)?;
        let header_path = folder.join("vault.json");
        if header_path.exists() {
            return Err(VaultError::Exists {
                folder: folder.to_owned(),
            });
        }
        let mut master = Zeroizing::new([0; 32]);
        rng.fill_bytes(master.as_mut_slice());
        let header = Header {
            attestry_vault: 1,
            master_key: key_file::seal(master.as_slice(), MASTER_KEY_LABEL, passphrase, rng)?,
        };
        let text = serde_json::to_vec_pretty(&header).map_err(|error| io(error.into()))?;
        replace_file(&header_path, &text).map_err(io)?;
        Ok(Self {
            folder: folder.to_owned(),
            cipher: Cipher(XChaCha20Poly1305::new((&*master).into())),
            _lock: lock,
        })
    }

    /// Whether a vault is in `folder`.
    #[must_use]
    pub fn exists(folder: &Path) -> bool {
        folder.join("vault.json").exists()
    }

    /// Opens the vault in `folder`.
    ///
    /// # Errors
    /// [`VaultError::Missing`], [`VaultError::Locked`], [`VaultError::Unlock`] for a wrong passphrase.
    pub fn open(folder: &Path, passphrase: &Passphrase) -> Result<Self, VaultError> {
        let io = |source| VaultError::Io {
            folder: folder.to_owned(),
            source,
        };
        if !Self::exists(folder) {
            return Err(VaultError::Missing {
                folder: folder.to_owned(),
            });
        }
        let lock = lock(folder)?;
        let bytes = std::fs::read(folder.join("vault.json")).map_err(io)?;
        let format = || VaultError::Format {
            folder: folder.to_owned(),
        };
        let header: Header = json::parse_as(&bytes, json::DEFAULT_LIMITS).map_err(|_| format())?;
        if header.attestry_vault != 1 {
            return Err(format());
        }
        let master = key_file::open(&header.master_key, MASTER_KEY_LABEL, passphrase)?;
        let master: Zeroizing<[u8; 32]> = Zeroizing::new(master.as_slice().try_into().map_err(|_| format())?);
        Ok(Self {
            folder: folder.to_owned(),
            cipher: Cipher(XChaCha20Poly1305::new((&*master).into())),
            _lock: lock,
        })
    }

    /// Opens the vault in `folder`, or makes it.
    ///
    /// # Errors
    /// As [`Vault::open`] and [`Vault::create`].
    pub fn open_or_create(folder: &Path, passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Result<Self, VaultError> {
        if Self::exists(folder) {
            Self::open(folder, passphrase)
        } else {
            Self::create(folder, passphrase, rng)
        }
    }

    /// Seals `bytes` under `name`, replacing what is there. Durable when it returns.
    ///
    /// # Errors
    /// [`VaultError::Name`], [`VaultError::TooLarge`], [`VaultError::Io`].
    pub fn put(&self, name: &str, bytes: &[u8], rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        let path = self.path(name)?;
        if bytes.len() > MAX_ITEM_BYTES {
            return Err(VaultError::TooLarge { found: bytes.len() });
        }
        let mut nonce = [0; NONCE_BYTES];
        rng.fill_bytes(&mut nonce);
        let payload = Payload {
            msg: bytes,
            aad: name.as_bytes(),
        };
        let sealed = self
            .cipher
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultError::TooLarge { found: bytes.len() })?;
        let write = || -> std::io::Result<()> {
            if let Some(parent) = path.parent() {
                make_private_folder(parent)?;
            }
            replace_file(&path, &[nonce.as_slice(), &sealed].concat())
        };
        write().map_err(|source| self.io(source))
    }

    /// Opens the item `name`, if there is one.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when it is not what was put there under this name.
    pub fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        let bytes = match std::fs::read(self.path(name)?) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.io(source)),
        };
        let damaged = || VaultError::Damaged {
            folder: self.folder.clone(),
            name: name.to_owned(),
        };
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or_else(damaged)?;
        let payload = Payload {
            msg: sealed,
            aad: name.as_bytes(),
        };
        let opened = self
            .cipher
            .0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| damaged())?;
        Ok(Some(Zeroizing::new(opened)))
    }

    /// Removes the item `name`; whether it was there.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn remove(&self, name: &str) -> Result<bool, VaultError> {
        match std::fs::remove_file(self.path(name)?) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(source) => Err(self.io(source)),
        }
    }

    /// The names of the items in the room `room` (`keys` lists `keys/...`), sorted.
    ///
    /// # Errors
    /// [`VaultError::Io`].
    pub fn list(&self, room: &str) -> Result<Vec<String>, VaultError> {
        let entries = match std::fs::read_dir(self.path(room)?) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.io(source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(|source| self.io(source))?.file_name();
            // A name that is not text is none of ours; one that ends in ~ is the rest of a crash.
            if let Some(name) = name.to_str().filter(|name| !name.ends_with('~')) {
                names.push(format!("{room}/{name}"));
            }
        }
        names.sort();
        Ok(names)
    }

    /// A new key under `name`, durable when it returns.
    ///
    /// # Errors
    /// As [`Vault::put`], and [`VaultError::Exists`]: a key is never replaced.
    pub fn generate_key(
        &self,
        name: &str,
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<SoftwareKey, VaultError> {
        if self.path(name)?.exists() {
            return Err(VaultError::Exists {
                folder: self.folder.join(name),
            });
        }
        let key = SoftwareKey::generate(algorithm, rng);
        self.put_key(name, &key, rng)?;
        Ok(key)
    }

    /// Keeps `key` under `name`.
    ///
    /// # Errors
    /// As [`Vault::put`].
    pub fn put_key(&self, name: &str, key: &SoftwareKey, rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        let mut item = Zeroizing::new(vec![algorithm_code(key.public_key().algorithm())]);
        item.extend_from_slice(key.expose_secret().as_slice());
        self.put(name, &item, rng)
    }

    /// The key under `name`, if there is one.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when the item is no key.
    pub fn key(&self, name: &str) -> Result<Option<SoftwareKey>, VaultError> {
        let Some(item) = self.read(name)? else { return Ok(None) };
        let damaged = || VaultError::Damaged {
            folder: self.folder.clone(),
            name: name.to_owned(),
        };
        let (code, secret) = item.split_first().ok_or_else(damaged)?;
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm_code(*algorithm) == *code);
        SoftwareKey::from_secret(algorithm.ok_or_else(damaged)?, secret)
            .map(Some)
            .map_err(|_| damaged())
    }

    /// Keeps the ML-DSA-44 `key` under `name`, where there must be none yet.
    ///
    /// # Errors
    /// As [`Vault::put`], and [`VaultError::Exists`]: a key is never replaced.
    pub fn add_ml_dsa_key(&self, name: &str, key: &MlDsaKey, rng: &mut dyn CryptoRng) -> Result<(), VaultError> {
        if self.path(name)?.exists() {
            return Err(VaultError::Exists {
                folder: self.folder.join(name),
            });
        }
        let mut item = Zeroizing::new(vec![ML_DSA_44_CODE]);
        item.extend_from_slice(key.expose_seed());
        self.put(name, &item, rng)
    }

    /// The ML-DSA-44 key under `name`, if there is one.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when the item is no such key.
    pub fn ml_dsa_key(&self, name: &str) -> Result<Option<MlDsaKey>, VaultError> {
        let Some(item) = self.read(name)? else { return Ok(None) };
        let seed = item.strip_prefix(&[ML_DSA_44_CODE]);
        let key = seed.and_then(|seed| MlDsaKey::from_seed(seed).ok());
        key.map(Some).ok_or_else(|| VaultError::Damaged {
            folder: self.folder.clone(),
            name: name.to_owned(),
        })
    }

    fn path(&self, name: &str) -> Result<PathBuf, VaultError> {
        let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte);
        let parts_are_names = name.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
        let is_own_file = matches!(name, "vault.json" | "vault.lock");
        if name.len() > MAX_NAME_BYTES || !name.bytes().all(is_allowed) || !parts_are_names || is_own_file {
            return Err(VaultError::Name { name: name.to_owned() });
        }
        Ok(self.folder.join(name))
    }

    fn io(&self, source: std::io::Error) -> VaultError {
        VaultError::Io {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// As [`algorithm_code`], of the one algorithm that is none of [`Algorithm`].
const ML_DSA_44_CODE: u8 = 6;

/// What stands before a key's secret bytes in its item; never renumber.
const fn algorithm_code(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::EdDsa => 1,
        Algorithm::Es256 => 2,
        Algorithm::Es384 => 3,
        Algorithm::Bbs => 4,
        Algorithm::Es512 => 5,
    }
}

fn lock(folder: &Path) -> Result<File, VaultError> {
    let path = folder.join("vault.lock");
    let io = |source| VaultError::Io {
        folder: folder.to_owned(),
        source,
    };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(VaultError::Locked {
            folder: folder.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(io(source)),
    }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Old content or new content, never half of it, and durable on return: temporary file, fsync, rename,
/// fsync of the folder.
fn replace_file(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push("~");
    let mut options = File::options();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase() -> Passphrase {
        Passphrase::new("correct horse".to_owned())
    }

    fn vault(folder: &Path) -> Vault {
        Vault::open_or_create(folder, &passphrase(), &mut crate::os_rng()).unwrap()
    }

    #[test]
    fn items_and_keys_are_there_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = crate::os_rng();
        let public = {
            let vault = vault(folder.path());
            vault.put("credentials/one", b"secret", &mut rng).unwrap();
            vault
                .generate_key("keys/holder", Algorithm::Es256, &mut rng)
                .unwrap()
                .public_key()
                .clone()
        };
        let vault = vault(folder.path());
        assert_eq!(vault.read("credentials/one").unwrap().unwrap().as_slice(), b"secret");
        assert_eq!(vault.key("keys/holder").unwrap().unwrap().public_key(), &public);
        assert_eq!(vault.list("credentials").unwrap(), ["credentials/one"]);
        assert!(vault.remove("credentials/one").unwrap());
        assert!(vault.read("credentials/one").unwrap().is_none());
    }

    #[test]
    fn a_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        vault
            .generate_key("keys/holder", Algorithm::EdDsa, &mut crate::os_rng())
            .unwrap();
        let again = vault.generate_key("keys/holder", Algorithm::EdDsa, &mut crate::os_rng());
        assert!(matches!(again, Err(VaultError::Exists { .. })));
    }

    #[test]
    fn an_ml_dsa_key_comes_back_and_is_no_key_of_another_kind() {
        use keys::ml_dsa::Signer as _;
        let folder = tempfile::tempdir().unwrap();
        let (vault, mut rng) = (vault(folder.path()), crate::os_rng());
        let key = MlDsaKey::generate(&mut rng).unwrap();
        assert!(vault.ml_dsa_key("keys/log-ml-dsa").unwrap().is_none());
        vault.add_ml_dsa_key("keys/log-ml-dsa", &key, &mut rng).unwrap();
        let back = vault.ml_dsa_key("keys/log-ml-dsa").unwrap().unwrap();
        assert_eq!(back.public_key(), key.public_key());
        assert!(matches!(vault.key("keys/log-ml-dsa"), Err(VaultError::Damaged { .. })));
        let again = vault.add_ml_dsa_key("keys/log-ml-dsa", &key, &mut rng);
        assert!(matches!(again, Err(VaultError::Exists { .. })));
        vault.generate_key("keys/log", Algorithm::EdDsa, &mut rng).unwrap();
        assert!(matches!(vault.ml_dsa_key("keys/log"), Err(VaultError::Damaged { .. })));
    }

    #[test]
    fn a_wrong_passphrase_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        drop(vault(folder.path()));
        let wrong = Vault::open(folder.path(), &Passphrase::new("wrong".to_owned()));
        assert!(matches!(wrong, Err(VaultError::Unlock(KeyFileError::WrongPassphrase))));
    }

    #[test]
    fn a_flipped_byte_and_an_exchanged_item_are_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        let mut rng = crate::os_rng();
        vault.put("a", b"first", &mut rng).unwrap();
        vault.put("b", b"second", &mut rng).unwrap();
        let genuine = std::fs::read(folder.path().join("a")).unwrap();
        std::fs::write(folder.path().join("b"), &genuine).unwrap();
        assert!(matches!(vault.read("b"), Err(VaultError::Damaged { .. })));
        let mut flipped = genuine;
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(folder.path().join("a"), flipped).unwrap();
        assert!(matches!(vault.read("a"), Err(VaultError::Damaged { .. })));
    }

    #[test]
    fn two_openings_at_once_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _open = vault(folder.path());
        assert!(matches!(
            Vault::open(folder.path(), &passphrase()),
            Err(VaultError::Locked { .. })
        ));
    }

    #[test]
    fn names_stay_inside_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        for bad in [
            "../x",
            "/etc/x",
            "a//b",
            "",
            ".hidden",
            "vault.json",
            "a/../b",
            "A",
            "x~",
            &"a".repeat(101),
        ] {
            assert!(matches!(vault.read(bad), Err(VaultError::Name { .. })), "{bad}");
        }
    }

    #[test]
    fn nothing_readable_lies_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let vault = vault(folder.path());
        vault.put("item", b"a very secret claim", &mut crate::os_rng()).unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(11).any(|window| window == b"very secret"));
        }
    }
}
