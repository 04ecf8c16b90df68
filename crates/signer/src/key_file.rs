//! Secrets at rest: XChaCha20-Poly1305 under a key that Argon2id derives from a passphrase
//! ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106)).
//!
//! A key file is one JSON object: what is sealed, how, and the public key in the clear so that people can
//! tell files apart. The public parts are authenticated as associated data.

use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use argon2::Argon2;
use argon2::Params;
use chacha20poly1305::KeyInit as _;
use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::XNonce;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::aead::Payload;
use keys::Algorithm;
use keys::KeyError;
use keys::Signer as _;
use keys::base64url;
use keys::json;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::SoftwareKey;

/// A key file is under 1 kB; a sealed wallet record carries a credential with a portrait.
const MAX_FILE_BYTES: usize = 4 << 20;
/// RFC 9106's second recommended option (64 MiB, 3 passes) for phones and shared machines. A file may ask
/// for less or as much, never for so much that opening it would starve the machine.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 16;

/// A passphrase, zeroized when dropped and never shown.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

/// A private key in an encrypted file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyFile {
    /// What this is, for people and for format changes.
    attestry_key: u8,
    /// JOSE name of the key's algorithm.
    algorithm: String,
    /// The public key as Multikey.
    public_key: String,
    sealed: Sealed,
}

/// Bytes sealed under a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    /// Always `xchacha20-poly1305+argon2id`.
    method: String,
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
    ciphertext: String,
}

/// The file cannot be read or opened.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file is no key file, or of a format newer than this program.
    #[error("expected an Attestry key file of format 1 at {path}, found another; was it written by a newer version?")]
    Format {
        /// Where.
        path: PathBuf,
    },
    /// The environment's fault.
    #[error("cannot read or write the key file {path}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The secret inside is not a key of its kind.
    #[error("the key file holds no valid key")]
    Key(#[from] KeyError),
    /// The sealed bytes are malformed or ask for more work than allowed.
    #[error("expected bytes sealed with xchacha20-poly1305+argon2id within the work limits, found another form")]
    Sealed,
    /// Wrong passphrase, or the file was changed: the two cannot be told apart.
    #[error("the passphrase does not open this file, or the file was changed")]
    WrongPassphrase,
}

impl Passphrase {
    /// Takes ownership of the text, which is zeroized later.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether it is this text: for typing a new one twice.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        *self.0 == text
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

impl KeyFile {
    /// Seals `key` under `passphrase`.
    ///
    /// # Errors
    /// [`KeyFileError::Sealed`] if the machine cannot spare the memory to derive the key.
    pub fn seal(key: &SoftwareKey, passphrase: &Passphrase, rng: &mut dyn CryptoRng) -> Result<Self, KeyFileError> {
        let algorithm = key.public_key().algorithm().jose_name().to_owned();
        let public_key = key.public_key().to_multikey();
        let sealed = seal(
            key.expose_secret().as_slice(),
            associated(&algorithm, &public_key).as_bytes(),
            passphrase,
            rng,
        )?;
        Ok(Self {
            attestry_key: 1,
            algorithm,
            public_key,
            sealed,
        })
    }

    /// Opens the key.
    ///
    /// # Errors
    /// [`KeyFileError::WrongPassphrase`], also when the file was changed.
    pub fn open(&self, passphrase: &Passphrase) -> Result<SoftwareKey, KeyFileError> {
        let algorithm = Algorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.jose_name() == self.algorithm)
            .ok_or(KeyFileError::Sealed)?;
        let secret = open(
            &self.sealed,
            associated(&self.algorithm, &self.public_key).as_bytes(),
            passphrase,
        )?;
        let key = SoftwareKey::from_secret(algorithm, &secret)?;
        // The public part is authenticated, so this differs only if the writer was wrong.
        if key.public_key().to_multikey() == self.public_key {
            Ok(key)
        } else {
            Err(KeyFileError::WrongPassphrase)
        }
    }

    /// The public key, readable without the passphrase.
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeyFileError::Io`] and [`KeyFileError::Format`].
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let bytes = std::fs::read(path).map_err(|source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        })?;
        let format = || KeyFileError::Format { path: path.to_owned() };
        let limits = json::Limits {
            max_bytes: MAX_FILE_BYTES,
            max_depth: 4,
        };
        let file: Self = json::parse_as(&bytes, limits).map_err(|_| format())?;
        if file.attestry_key == 1 {
            Ok(file)
        } else {
            Err(format())
        }
    }

    /// Writes the file with mode 0600, synced; an existing file is never overwritten, since it may be the
    /// only copy of a key.
    ///
    /// # Errors
    /// [`KeyFileError::Io`].
    pub fn write_new(&self, path: &Path) -> Result<(), KeyFileError> {
        let write = || -> std::io::Result<()> {
            let mut options = std::fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(path)?;
            let text = serde_json::to_string_pretty(self)?;
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                std::fs::File::open(parent)?.sync_all()?;
            }
            Ok(())
        };
        write().map_err(|source| KeyFileError::Io {
            path: path.to_owned(),
            source,
        })
    }
}

/// Seals `secret` under `passphrase`; `associated` is authenticated with it and must be given again to open.
///
/// # Errors
/// [`KeyFileError::Sealed`] if the machine cannot spare the memory to derive the key.
pub(crate) fn seal(
    secret: &[u8],
    associated: &[u8],
    passphrase: &Passphrase,
    rng: &mut dyn CryptoRng,
) -> Result<Sealed, KeyFileError> {
    let (mut salt, mut nonce) = ([0; 16], [0; 24]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let key = derive(passphrase, &salt, MEMORY_KIB, PASSES)?;
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let ciphertext = cipher
        .encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: secret,
                aad: associated,
            },
        )
        .map_err(|_| KeyFileError::Sealed)?;
    Ok(Sealed {
        method: METHOD.to_owned(),
        memory_kib: MEMORY_KIB,
        passes: PASSES,
        salt: base64url::encode(salt),
        nonce: base64url::encode(nonce),
        ciphertext: base64url::encode(ciphertext),
    })
}

/// Opens what [`seal`] made.
///
/// # Errors
/// [`KeyFileError::WrongPassphrase`] and [`KeyFileError::Sealed`].
pub(crate) fn open(
    sealed: &Sealed,
    associated: &[u8],
    passphrase: &Passphrase,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    if sealed.method != METHOD || sealed.memory_kib > MAX_MEMORY_KIB || sealed.passes > MAX_PASSES {
        return Err(KeyFileError::Sealed);
    }
    let decode = |text: &str| base64url::decode(text).map_err(|_| KeyFileError::Sealed);
    let salt = decode(&sealed.salt)?;
    let nonce: [u8; 24] = decode(&sealed.nonce)?.try_into().map_err(|_| KeyFileError::Sealed)?;
    let ciphertext = decode(&sealed.ciphertext)?;
    let key = derive(passphrase, &salt, sealed.memory_kib, sealed.passes)?;
    let cipher = XChaCha20Poly1305::new((&*key).into());
    let secret = cipher
        .decrypt(
            &XNonce::from(nonce),
            Payload {
                msg: &ciphertext,
                aad: associated,
            },
        )
        .map_err(|_| KeyFileError::WrongPassphrase)?;
    Ok(Zeroizing::new(secret))
}

const METHOD: &str = "xchacha20-poly1305+argon2id";

fn derive(
    passphrase: &Passphrase,
    salt: &[u8],
    memory_kib: u32,
    passes: u32,
) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
    let params = Params::new(memory_kib, passes, 1, Some(32)).map_err(|_| KeyFileError::Sealed)?;
    let argon2 = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
    let mut key = Zeroizing::new([0; 32]);
    argon2
        .hash_password_into(passphrase.0.as_bytes(), salt, key.as_mut_slice())
        .map_err(|_| KeyFileError::Sealed)?;
    Ok(key)
}

fn associated(algorithm: &str, public_key: &str) -> String {
    format!("attestry key file 1\n{algorithm}\n{public_key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed_key() -> (KeyFile, Passphrase) {
        let passphrase = Passphrase::new("correct horse".to_owned());
        let key = SoftwareKey::from_secret(Algorithm::EdDsa, &[7; 32]).unwrap();
        (
            KeyFile::seal(&key, &passphrase, &mut crate::os_rng()).unwrap(),
            passphrase,
        )
    }

    #[test]
    fn a_written_key_opens_again_and_is_private_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("officer.key");
        let (file, passphrase) = sealed_key();
        file.write_new(&path).unwrap();
        let key = KeyFile::read(&path).unwrap().open(&passphrase).unwrap();
        assert_eq!(key.public_key().to_multikey(), file.public_key());
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        assert!(
            matches!(file.write_new(&path), Err(KeyFileError::Io { .. })),
            "an existing key must not be overwritten"
        );
    }

    #[test]
    fn a_wrong_passphrase_does_not_open() {
        let (file, passphrase) = sealed_key();
        assert!(file.open(&passphrase).is_ok());
        let wrong = Passphrase::new("correct horsf".to_owned());
        assert!(matches!(file.open(&wrong), Err(KeyFileError::WrongPassphrase)));
    }

    #[test]
    fn a_changed_public_key_or_ciphertext_does_not_open() {
        let (mut file, passphrase) = sealed_key();
        let other = SoftwareKey::from_secret(Algorithm::EdDsa, &[8; 32]).unwrap();
        let genuine = std::mem::replace(&mut file.public_key, other.public_key().to_multikey());
        assert!(matches!(file.open(&passphrase), Err(KeyFileError::WrongPassphrase)));
        file.public_key = genuine;
        assert!(file.open(&passphrase).is_ok());
        let first = if file.sealed.ciphertext.starts_with('A') {
            "B"
        } else {
            "A"
        };
        file.sealed.ciphertext.replace_range(..1, first);
        assert!(matches!(file.open(&passphrase), Err(KeyFileError::WrongPassphrase)));
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused() {
        let (mut file, passphrase) = sealed_key();
        file.sealed.memory_kib = MAX_MEMORY_KIB + 1;
        assert!(matches!(file.open(&passphrase), Err(KeyFileError::Sealed)));
    }

    #[test]
    fn the_secret_is_not_in_the_file_and_passphrases_are_not_shown() {
        let (file, passphrase) = sealed_key();
        let text = serde_json::to_string(&file).unwrap();
        assert!(!text.contains(&base64url::encode([7; 32])) && !text.contains("0707") && !text.contains("correct"));
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    }
}
