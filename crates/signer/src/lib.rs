//! Where private keys live: key files encrypted at rest, zeroized in memory.
//!
//! In scope: making keys, keeping one in a [`KeyFile`] or many things in a [`Vault`] under a passphrase,
//! signing what a [`keys::SigningRequest`] asks for, and the operating system's randomness.
//!
//! Out of scope: which key may sign what (the actors decide), and HSMs: PKCS#11 comes behind the same
//! [`keys::Signer`] and [`keys::ml_dsa::Signer`] traits.

mod key_file;
mod ml_dsa_key;
mod software_key;
mod vault;

pub use key_file::KeyFile;
pub use key_file::KeyFileError;
pub use key_file::Passphrase;
pub use ml_dsa_key::MlDsaKey;
pub use software_key::SoftwareKey;
pub use vault::Vault;
pub use vault::VaultError;

use rand_core::CryptoRng;

/// The operating system's random number generator: the one source of randomness of the platform. It
/// panics where the system has none, since nothing could be kept secret there.
#[must_use]
pub fn os_rng() -> impl CryptoRng + Send {
    rand_core::UnwrapErr(getrandom::SysRng)
}
