//! Reading an offer, before the person accepts it
//! ([OpenID4VCI 1.0, section 4](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-offer)).
//!
//! Whoever made the offer names the issuer; what the issuer calls itself and its credentials comes from the
//! issuer's own metadata, which must be about the same identifier.

use holder::is_readable;
use holder::printable;
use openid4vc::CredentialFormat;
use openid4vc::SecureUrl;
use openid4vc::vci::CredentialConfiguration;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::IssuerMetadata;
use openid4vc::vci::configuration::Display;
use openid4vc::vci::metadata::METADATA_LIMITS;
use openid4vc::vci::metadata::MetadataError;
use openid4vc::vci::offer::OFFER_LIMITS;
use openid4vc::vci::offer::OfferError;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::offer::PreAuthorizedCodeGrant;
use openid4vc::vci::offer::TxCodeDescription;
use serde::Serialize;
use server::Fetcher;
use server::fetch::Outgoing;
use thiserror::Error;

use crate::PeerError;
use crate::peer;

/// An offer that this wallet can accept, with what its issuer says about it.
#[derive(Clone, Debug)]
pub struct Offer {
    pub(crate) offer: CredentialOffer,
    pub(crate) metadata: IssuerMetadata,
}

/// One offered credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfferedCredential {
    /// The issuer's identifier of its kind.
    pub configuration_id: String,
    /// Its name for people, if the issuer gives one.
    pub name: Option<String>,
    /// Its format.
    pub format: CredentialFormat,
    /// Whether this wallet reads the format.
    pub readable: bool,
}

/// The offer cannot be accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadOfferError {
    /// The issuer's metadata: of another issuer, without what is offered, or demanding what the wallet lacks.
    #[error("the issuer's metadata do not fit the offer")]
    Metadata(#[from] MetadataError),
    /// It works only through a login at the issuer, in a browser.
    #[error("expected an offer with a pre-authorized code, found one that needs a login at the issuer")]
    NoCode,
    /// Not an offer.
    #[error("the offer is not read")]
    Offer(#[from] OfferError),
    /// The issuer does not answer.
    #[error("the offer cannot be followed")]
    Peer(#[from] PeerError),
    /// None of the credentials is in a format that this wallet reads.
    #[error(
        "expected a credential in a format that this wallet reads (dc+sd-jwt, jwt_vc_json, ldp_vc, mso_mdoc), found {found}"
    )]
    Unreadable {
        /// The formats.
        found: String,
    },
}

impl Offer {
    /// Reads an `openid-credential-offer://` URI, fetches the offer if it lies elsewhere, and asks the issuer
    /// about it. Nothing is accepted.
    ///
    /// # Errors
    /// [`ReadOfferError`].
    pub async fn read(uri: &str, fetcher: &Fetcher) -> Result<Self, ReadOfferError> {
        let offer = match OfferUri::parse(uri.trim())? {
            OfferUri::Value(offer) => offer,
            OfferUri::Reference(at) => {
                let request = Outgoing::get(at.as_str(), OFFER_LIMITS.max_bytes);
                CredentialOffer::parse(&peer::send(fetcher, request, "offer's URL").await?)?
            }
        };
        if offer.grants.pre_authorized_code.is_none() {
            return Err(ReadOfferError::NoCode);
        }
        let at = IssuerMetadata::url(&offer.credential_issuer);
        let request = Outgoing::get(at.as_str(), METADATA_LIMITS.max_bytes).map(|get| get.header("accept", JSON));
        let body = peer::send(fetcher, request, "issuer's metadata endpoint").await?;
        let metadata = IssuerMetadata::parse(&body, &offer.credential_issuer)?;
        metadata.expect_plain()?;
        for id in &offer.credential_configuration_ids {
            // One in a form that is not read is left out later; one that is not there shows a forged offer.
            match metadata.configuration(id) {
                Ok(_) | Err(MetadataError::UnreadableConfiguration { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let offer = Self { offer, metadata };
        if offer.readable().next().is_none() {
            let formats: Vec<String> = offer.credentials().iter().map(|one| one.format.to_string()).collect();
            return Err(ReadOfferError::Unreadable {
                found: printable(&formats.join(", ")),
            });
        }
        Ok(offer)
    }

    /// The Credential Issuer Identifier.
    #[must_use]
    pub const fn issuer(&self) -> &SecureUrl {
        &self.offer.credential_issuer
    }

    /// What the issuer calls itself.
    #[must_use]
    pub fn issuer_name(&self) -> Option<String> {
        name(&self.metadata.display)
    }

    /// What is offered.
    #[must_use]
    pub fn credentials(&self) -> Vec<OfferedCredential> {
        let supported = &self.metadata.credential_configurations_supported;
        let offered = |id: &String| {
            let configuration = supported.get(id)?;
            let metadata = configuration.credential_metadata.as_ref();
            Some(OfferedCredential {
                configuration_id: id.clone(),
                name: metadata.and_then(|metadata| name(&metadata.display)),
                format: configuration.format(),
                readable: is_readable(configuration),
            })
        };
        self.offer
            .credential_configuration_ids
            .iter()
            .filter_map(offered)
            .collect()
    }

    /// The transaction code to ask the person for, if one is needed. The description is text of the offer.
    #[must_use]
    pub fn tx_code(&self) -> Option<&TxCodeDescription> {
        self.grant()?.tx_code.as_ref()
    }

    pub(crate) const fn grant(&self) -> Option<&PreAuthorizedCodeGrant> {
        self.offer.grants.pre_authorized_code.as_ref()
    }

    /// What is offered and can be received, by the issuer's identifiers.
    pub(crate) fn readable(&self) -> impl Iterator<Item = (&str, &CredentialConfiguration)> {
        let supported = &self.metadata.credential_configurations_supported;
        let ids = self.offer.credential_configuration_ids.iter();
        ids.filter_map(|id| Some((id.as_str(), supported.get(id)?)))
            .filter(|(_, configuration)| is_readable(configuration))
    }
}

const JSON: &str = "application/json";

fn name(display: &[Display]) -> Option<String> {
    let is_english = |one: &&Display| one.locale.as_deref().is_none_or(|locale| locale.starts_with("en"));
    let one = display.iter().find(is_english).or_else(|| display.first())?;
    one.name.as_deref().map(printable)
}
