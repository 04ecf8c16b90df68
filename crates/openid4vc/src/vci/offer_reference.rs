//! Offers by reference, without a code in the store
//! ([OpenID4VCI 1.0, section 4.1.3](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-offer)).
//!
//! An issuer that serves the offer at a `credential_offer_uri` must be able to give out the code each time
//! the URL is asked for, and still keep no code. So the URL ends in a secret of its own, and the code
//! follows from that secret: the store has only the hash of the one and of the other.

use keys::Timestamp;
use keys::base64url;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;

use super::grant::OfferTerms;
use super::grant::PreAuthorizedGrant;
use super::offer::CredentialOffer;
use super::offer::OfferError;
use super::offer::PreAuthorizedCodeGrant;
use super::offer::TxCodeDescription;
use crate::secret::Secret;
use crate::secret::SecretDigest;
use crate::url::SecureUrl;

/// An offer as the store keeps it: all but the code. Its key is [`OfferRecord::key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    reference: SecretDigest,
    credential_issuer: SecureUrl,
    credential_configuration_ids: Vec<String>,
    tx_code: Option<TxCodeDescription>,
    expires_at: Timestamp,
}

/// A new offer by reference.
#[derive(Clone, Debug)]
pub struct ReferencedOffer {
    /// The last part of the `credential_offer_uri`. Given to the person, and not kept.
    pub reference: Secret,
    /// The record of the grant.
    pub grant: PreAuthorizedGrant,
    /// The record of the offer.
    pub record: OfferRecord,
}

impl OfferRecord {
    /// Makes an offer to be fetched.
    ///
    /// # Errors
    /// [`OfferError`], the caller's fault.
    pub fn offer(terms: OfferTerms, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<ReferencedOffer, OfferError> {
        let reference = Secret::generate(rng);
        let (grant, offer) = PreAuthorizedGrant::with_code(terms, &code(reference.reveal()), now)?;
        let record = Self {
            reference: reference.digest(),
            credential_issuer: offer.credential_issuer,
            credential_configuration_ids: offer.credential_configuration_ids,
            tx_code: offer.grants.pre_authorized_code.and_then(|grant| grant.tx_code),
            expires_at: grant.forget_after(),
        };
        Ok(ReferencedOffer {
            reference,
            grant,
            record,
        })
    }

    /// The key of the record for the last part of a URL, whether that is real or not.
    #[must_use]
    pub fn key(reference: &str) -> String {
        SecretDigest::of(reference).to_text()
    }

    /// The offer, for whoever asks with the reference in time; `None` for anybody else.
    #[must_use]
    pub fn fetch(&self, reference: &str, now: Timestamp) -> Option<CredentialOffer> {
        if SecretDigest::of(reference) != self.reference || now >= self.expires_at {
            return None;
        }
        let grant = PreAuthorizedCodeGrant {
            pre_authorized_code: code(reference),
            tx_code: self.tx_code.clone(),
            authorization_server: None,
        };
        let ids = self.credential_configuration_ids.clone();
        CredentialOffer::pre_authorized(&self.credential_issuer, ids, grant).ok()
    }

    /// When the record may be forgotten.
    #[must_use]
    pub const fn forget_after(&self) -> Timestamp {
        self.expires_at
    }
}

/// The code that follows from a reference; the context keeps it apart from the record's key, which is a
/// plain hash of the reference.
fn code(reference: &str) -> String {
    let context = b"pre-authorized_code\0".as_slice();
    base64url::encode(keys::sha256(&[context, reference.as_bytes()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vci::grant::TokenPolicy;
    use crate::vci::offer::TransactionCode;
    use crate::vci::token::TokenRequest;

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    fn referenced() -> ReferencedOffer {
        let terms = OfferTerms {
            credential_issuer: SecureUrl::parse_identifier("https://issuer.example/a").unwrap(),
            credential_configuration_ids: vec!["PersonIdentity".to_owned()],
            subject: "person-1".to_owned(),
            tx_code: Some(TransactionCode::parse("493536").unwrap()),
            tx_code_description: None,
            lifetime: 600,
        };
        OfferRecord::offer(terms, now(), &mut signer::os_rng()).unwrap()
    }

    #[test]
    fn the_offer_fetched_is_redeemed() {
        let ReferencedOffer {
            reference,
            grant,
            record,
        } = referenced();
        let stored = serde_json::to_string(&record).unwrap();
        let record: OfferRecord = serde_json::from_str(&stored).unwrap();
        assert_eq!(OfferRecord::key(reference.reveal()), record.reference.to_text());
        let offer = record.fetch(reference.reveal(), now()).unwrap();
        assert_eq!(record.fetch(reference.reveal(), now()), Some(offer.clone()));
        let request = TokenRequest::for_offer(&offer, Some("493536")).unwrap();
        assert!(!stored.contains(&request.pre_authorized_code) && !stored.contains(reference.reveal()));
        let key = PreAuthorizedGrant::key(&request.pre_authorized_code);
        assert!(serde_json::to_string(&grant).unwrap().contains(&key));
        assert!(
            grant
                .redeem(&request, TokenPolicy::default(), now(), &mut signer::os_rng())
                .1
                .is_ok()
        );
    }

    #[test]
    fn another_reference_or_time_gives_nothing() {
        let ReferencedOffer { reference, record, .. } = referenced();
        assert!(record.fetch(reference.reveal(), now().plus(599)).is_some());
        assert_eq!(record.fetch(reference.reveal(), now().plus(600)), None);
        assert_eq!(record.fetch(referenced().reference.reveal(), now()), None);
    }
}
