//! Making a credential offer.

use ::credential::CredentialFormat;
use keys::Timestamp;
use openid4vc::SecureUrl;
use openid4vc::vci::grant::DEFAULT_CODE_LIFETIME_SECONDS;
use openid4vc::vci::grant::OfferTerms;
use openid4vc::vci::grant::PreAuthorizedGrant;
use openid4vc::vci::offer;
use openid4vc::vci::offer::CredentialOffer;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::offer::TransactionCode;
use thiserror::Error;

use crate::Desk;
use crate::Issuer;
use crate::mapping::RowError;
use crate::register::RegisterError;
use crate::store::RecordError;
use crate::store::expire;
use crate::store::fresh_id;
use crate::store::save;

/// What an officer asks for.
pub(crate) struct Terms {
    pub(crate) credential_type: String,
    pub(crate) subject: String,
    pub(crate) format: CredentialFormat,
    pub(crate) tx_code: Option<String>,
    pub(crate) by_reference: bool,
}

/// A finished offer.
pub(crate) struct Offered {
    pub(crate) id: String,
    pub(crate) uri: String,
    pub(crate) expires_at: Timestamp,
}

/// No offer was made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OfferError {
    /// The agency does not issue this in this format: the officer's fault.
    #[error("expected a type and format that the agency issues, found {found}; it issues {known}")]
    Configuration {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// The person may not have the credential, or the row is wrong.
    #[error("the register's row gives no credential")]
    Row(#[from] RowError),
    /// The register failed.
    #[error("the register cannot be read")]
    Register(#[from] RegisterError),
    /// The offer breaks a rule of the standard.
    #[error("the offer cannot be made")]
    Offer(#[from] offer::OfferError),
    /// The store failed.
    #[error("the offer was not saved")]
    Store(#[from] RecordError),
    /// No such person in the register.
    #[error("the register has no subject {subject:?}")]
    UnknownSubject {
        /// The id.
        subject: String,
    },
}

/// The key of a configuration in the issuer's metadata.
pub(crate) fn configuration_id(credential_type: &str, format: CredentialFormat) -> String {
    format!("{credential_type}.{}", format.as_str())
}

/// Makes an offer for a person who is in the register and may have the credential now: an officer learns
/// of a missing row at the counter, not the person at home.
pub(crate) async fn create(issuer: &Issuer, desk: &Desk, terms: Terms) -> Result<Offered, OfferError> {
    let now = issuer.0.clock.now();
    let configuration = configuration_id(&terms.credential_type, terms.format);
    let supported = &desk.metadata.credential_configurations_supported;
    let credential_type = desk
        .agency
        .types()
        .get(&terms.credential_type)
        .filter(|_| supported.contains_key(&configuration));
    let credential_type = credential_type.ok_or_else(|| OfferError::Configuration {
        found: configuration.clone(),
        known: supported.keys().cloned().collect::<Vec<_>>().join(", "),
    })?;
    let unknown = || OfferError::UnknownSubject {
        subject: terms.subject.clone(),
    };
    let row = credential_type
        .register
        .subject(&terms.subject)
        .await?
        .ok_or_else(unknown)?;
    credential_type.mapping.apply(&row, now)?;

    let mut rng = signer::os_rng();
    let id = fresh_id(&mut rng);
    let (grant, offer) = PreAuthorizedGrant::offer(
        OfferTerms {
            credential_issuer: desk.identifier.clone(),
            credential_configuration_ids: vec![configuration],
            subject: terms.subject.clone(),
            tx_code: terms.tx_code.as_deref().map(TransactionCode::parse).transpose()?,
            tx_code_description: None,
            lifetime: DEFAULT_CODE_LIFETIME_SECONDS,
        },
        now,
        &mut rng,
    )?;
    let expires_at = grant.forget_after();
    let uri = if terms.by_reference {
        OfferUri::reference(&reference(desk, &id)?)
    } else {
        offer.to_uri()
    };
    keep(issuer, &id, &grant, &offer, terms.by_reference, expires_at).await?;
    Ok(Offered { id, uri, expires_at })
}

async fn keep(
    issuer: &Issuer,
    id: &str,
    grant: &PreAuthorizedGrant,
    offer: &CredentialOffer,
    by_reference: bool,
    expires_at: Timestamp,
) -> Result<(), RecordError> {
    let code = offer
        .grants
        .pre_authorized_code
        .as_ref()
        .map(|grant| grant.pre_authorized_code.as_str());
    let grant_key = format!("grant/{}", PreAuthorizedGrant::key(code.unwrap_or_default()));
    let offer_key = format!("offer/{id}");
    let (grant_key, offer_key) = (&grant_key, &offer_key);
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            save(&tx, grant_key, grant)?;
            expire(&tx, grant_key, expires_at)?;
            // An offer by value is in the URI alone: it holds the code.
            if by_reference {
                save(&tx, offer_key, offer)?;
                expire(&tx, offer_key, expires_at)?;
            }
            Ok::<_, RecordError>(())
        })
        .await
}

fn reference(desk: &Desk, id: &str) -> Result<SecureUrl, OfferError> {
    SecureUrl::parse(&format!("{}/offers/{id}", desk.identifier)).map_err(|error| OfferError::Offer(error.into()))
}
