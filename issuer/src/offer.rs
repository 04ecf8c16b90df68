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
use openid4vc::vci::offer_reference::OfferRecord;
use openid4vc::vci::offer_reference::ReferencedOffer;
use thiserror::Error;

use crate::Desk;
use crate::Issuer;
use crate::document::CRYPTOSUITE;
use crate::mapping::RowError;
use crate::register::RegisterError;
use crate::store::RecordError;
use crate::store::expire;
use crate::store::fresh_id;
use crate::store::grant_key;
use crate::store::save;

/// What an officer asks for.
pub(crate) struct Terms {
    pub(crate) credential_type: String,
    pub(crate) subject: String,
    pub(crate) format: CredentialFormat,
    /// The cryptosuite, if another one than usual.
    pub(crate) suite: Option<String>,
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

/// The key of a configuration in the issuer's metadata. A suite is told where it is not the usual one.
pub(crate) fn configuration_id(credential_type: &str, format: CredentialFormat, suite: Option<&str>) -> String {
    match suite.filter(|suite| *suite != CRYPTOSUITE.as_str()) {
        Some(suite) => format!("{credential_type}.{}.{suite}", format.as_str()),
        None => format!("{credential_type}.{}", format.as_str()),
    }
}

/// Makes an offer for a person who is in the register and may have the credential now: an officer learns
/// of a missing row at the counter, not the person at home.
pub(crate) async fn create(issuer: &Issuer, desk: &Desk, terms: Terms) -> Result<Offered, OfferError> {
    let now = issuer.0.clock.now();
    let configuration = configuration_id(&terms.credential_type, terms.format, terms.suite.as_deref());
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
    let mapped = credential_type.mapping.apply(&row, now)?;
    if terms.format == CredentialFormat::MsoMdoc {
        credential_type.mapping.elements(&mapped)?;
    }

    let offer_terms = OfferTerms {
        credential_issuer: desk.identifier.clone(),
        credential_configuration_ids: vec![configuration],
        subject: terms.subject.clone(),
        tx_code: terms.tx_code.as_deref().map(TransactionCode::parse).transpose()?,
        tx_code_description: None,
        lifetime: DEFAULT_CODE_LIFETIME_SECONDS,
    };
    let mut rng = signer::os_rng();
    let id = fresh_id(&mut rng);
    if terms.by_reference {
        let ReferencedOffer {
            reference: secret,
            grant,
            record,
        } = OfferRecord::offer(offer_terms, now, &mut rng)?;
        let offer = record.fetch(secret.reveal(), now);
        keep(
            issuer,
            desk.agency.id(),
            &grant,
            code(offer.as_ref()),
            Some((secret.reveal(), &record)),
        )
        .await?;
        let uri = OfferUri::reference(&reference(desk, secret.reveal())?);
        return Ok(Offered {
            id,
            uri,
            expires_at: grant.forget_after(),
        });
    }
    let (grant, offer) = PreAuthorizedGrant::offer(offer_terms, now, &mut rng)?;
    keep(issuer, desk.agency.id(), &grant, code(Some(&offer)), None).await?;
    Ok(Offered {
        id,
        uri: offer.to_uri(),
        expires_at: grant.forget_after(),
    })
}

fn code(offer: Option<&CredentialOffer>) -> &str {
    let grant = offer.and_then(|offer| offer.grants.pre_authorized_code.as_ref());
    grant
        .map(|grant| grant.pre_authorized_code.as_str())
        .unwrap_or_default()
}

/// Keeps the grant under the digest of its code, and an offer by reference under the digest of its reference:
/// neither the code nor the link is in the store.
async fn keep(
    issuer: &Issuer,
    agency: &str,
    grant: &PreAuthorizedGrant,
    code: &str,
    referenced: Option<(&str, &OfferRecord)>,
) -> Result<(), RecordError> {
    let grant_key = &grant_key(agency, code);
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            save(&tx, grant_key, grant)?;
            expire(&tx, grant_key, grant.forget_after())?;
            if let Some((reference, record)) = referenced {
                let key = format!("offer/{}", OfferRecord::key(reference));
                save(&tx, &key, record)?;
                expire(&tx, &key, record.forget_after())?;
            }
            Ok::<_, RecordError>(())
        })
        .await
}

fn reference(desk: &Desk, id: &str) -> Result<SecureUrl, OfferError> {
    SecureUrl::parse(&format!("{}/offers/{id}", desk.identifier)).map_err(|error| OfferError::Offer(error.into()))
}
