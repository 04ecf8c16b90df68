//! Extracts of the register: what a wallet takes along for verifiers who were online before it.
//!
//! The wallet believes nothing of them; who verifies a presentation verifies them.

use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;
use trust::bundle::MAX_EXTRACT_BYTES;
use trust::golomb_rice::CHUNK_INDICES;
use url::Url;

use crate::PeerError;
use crate::Wallet;
use crate::WalletError;
use crate::peer;

/// There is no newer extract; the one at hand stays.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// The registry does not answer, or does not know the issuer.
    #[error("the registry gives no extract")]
    Peer(#[from] PeerError),
    /// The wallet's folder.
    #[error("the extract was not stored")]
    Wallet(#[from] WalletError),
}

impl Wallet {
    /// Asks the registry at `platform` what it says of the issuer, the types and the status lists of a credential. The registry learns of the issuer, of the types, and which 131,072 credentials this
    /// one is among.
    ///
    /// # Errors
    /// [`ExtractError`].
    pub async fn fetch_extract(&self, id: &str, platform: &Url, fetcher: &Fetcher) -> Result<Vec<u8>, ExtractError> {
        let (_, held) = self.credential(id)?;
        let facts = held.facts();
        let mut url = platform.clone();
        url.set_path("/registry/extract");
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("issuer", facts.issuer());
            query.extend_pairs(facts.types().iter().map(|name| ("type", name)));
            for status in facts.status() {
                let number = u64::try_from(status.index()).unwrap_or(u64::MAX) / CHUNK_INDICES;
                query.append_pair("chunk", &format!("{number},{}", status.uri()));
            }
        }
        let request = Outgoing::get(url.as_str(), MAX_EXTRACT_BYTES);
        Ok(peer::send(fetcher, request, "registry").await?)
    }

    /// Keeps the extract for a credential in the place of the one before.
    ///
    /// # Errors
    /// [`WalletError`].
    pub fn keep_extract(&self, id: &str, extract: &[u8]) -> Result<(), WalletError> {
        Ok(self.vault.put(&extract_item(id), extract, &mut signer::os_rng())?)
    }

    /// The extract for a credential, if one was taken.
    pub(crate) fn extract(&self, id: &str) -> Result<Option<Vec<u8>>, WalletError> {
        Ok(self.vault.read(&extract_item(id))?.map(|bytes| bytes.to_vec()))
    }
}

/// Where it lies.
pub(crate) fn extract_item(id: &str) -> String {
    format!("extracts/{id}")
}
