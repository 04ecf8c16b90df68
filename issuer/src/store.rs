//! Keys and values of the issuer's room in the store.
//!
//! | Key | Value |
//! |---|---|
//! | `nonce-key` | the key that nonces are made with |
//! | `grant/{agency}/{digest of code}` | `PreAuthorizedGrant` |
//! | `offer/{digest of reference}` | `OfferRecord` of an offer by reference |
//! | `token/{agency}/{digest of token}` | `AccessTokenRecord` |
//! | `nonce/{id}` | empty: the nonce was used |
//! | `expiry/{time, 8 bytes}{key}` | empty: the key may go after that time |
//! | `credential/{agency}/{id}` | `IssuedCredential` |
//! | `subject/{agency}/{subject digest}/{id}` | empty: an index |
//! | `list/{agency}/{list}` | `ListRecord` |
//! | `current/{agency}/{type}` | `CurrentList`: which list takes new credentials |
//! | `place/{agency}/{list}/{index}` | id of the credential in that place |
//! | `status/{agency}/{list}` | the list's packed bytes |
//! | `published/{agency}/{list}/{form}` | the list in a form whose digest the registry has |

pub(crate) use ::store::records::Load;
pub(crate) use ::store::records::RecordError;
pub(crate) use ::store::records::expire;
pub(crate) use ::store::records::save;

use ::store::Snapshot;
use ::store::Store;
use openid4vc::vci::grant::AccessTokenRecord;
use openid4vc::vci::grant::PreAuthorizedGrant;
use openid4vc::vci::nonce::NonceKey;
use rand_core::CryptoRng;

/// The issuer's records.
#[derive(Clone, Debug)]
pub(crate) struct Records(Store);

impl Records {
    pub(crate) const fn new(store: Store) -> Self {
        Self(store)
    }

    pub(crate) const fn store(&self) -> &Store {
        &self.0
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot, RecordError> {
        Ok(self.0.snapshot().await?)
    }

    /// The nonce key, made on first use.
    pub(crate) async fn nonce_key(&self, rng: &mut dyn CryptoRng) -> Result<NonceKey, RecordError> {
        let fresh = *NonceKey::generate(rng).as_bytes();
        let key = self
            .0
            .transact(|tx| async move {
                if let Some(bytes) = tx.get("nonce-key").await? {
                    return Ok(bytes);
                }
                tx.put("nonce-key", fresh.to_vec())?;
                Ok::<_, RecordError>(fresh.to_vec())
            })
            .await?;
        let bytes = key.try_into().map_err(|_| RecordError::Damaged {
            key: "nonce-key".to_owned(),
        })?;
        Ok(NonceKey::from_bytes(bytes))
    }
}

/// Where the grant of a code lies. The agency is a part of it: a code is good where it was given, and two agencies
/// may issue types of one name.
pub(crate) fn grant_key(agency: &str, code: &str) -> String {
    format!("grant/{agency}/{}", PreAuthorizedGrant::key(code))
}

/// Where the record of an access token lies; it is good at the agency that gave it.
pub(crate) fn token_key(agency: &str, token: &str) -> String {
    format!("token/{agency}/{}", AccessTokenRecord::key(token))
}

/// A fresh id of 128 random bits in hexadecimal: no character of it means anything to a shell or a URL.
pub(crate) fn fresh_id(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    hex(&bytes)
}

/// The part of a key that stands for a subject id, which may hold any character.
pub(crate) fn subject_key(subject: &str) -> String {
    hex(&keys::sha256(subject.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
