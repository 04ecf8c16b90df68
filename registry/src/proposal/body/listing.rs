//! Names, addresses and certificates of a listing and of the publication, as JSON.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Signer;
use keys::Timestamp;
use keys::x509::Certificate;
use serde::Deserialize;
use serde::de::Error as _;
use trust::entry::Listing;
use trust::entry::Localised;
use trust::entry::Particulars;
use trust::entry::PostalAddress;
use trust::entry::Publication;

use super::BodyError;
use crate::projecting::certify;

/// Texts by the tag of their language.
type Texts = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListingRequest {
    particulars: ParticularsRequest,
    #[serde(default)]
    certificates: Vec<String>,
    federation_entity: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicationRequest {
    particulars: ParticularsRequest,
    territory: String,
    url: String,
    certificate: Option<String>,
    notices: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParticularsRequest {
    names: BTreeMap<String, String>,
    #[serde(default)]
    trade_names: Texts,
    postal_addresses: BTreeMap<String, PostalRequest>,
    electronic_addresses: Texts,
    information: Texts,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostalRequest {
    street: String,
    locality: String,
    province: Option<String>,
    postal_code: String,
    country: String,
}

impl ListingRequest {
    pub(super) fn into_listing(self) -> Result<Listing, BodyError> {
        let certificates: Result<Vec<Vec<u8>>, BodyError> = self.certificates.iter().map(|text| der(text)).collect();
        let mut certificates = certificates?;
        certificates.sort_unstable();
        Ok(Listing {
            particulars: self.particulars.into_particulars(),
            certificates,
            federation_entity: self.federation_entity,
        })
    }
}

impl PublicationRequest {
    /// Where no certificate is said, `key` makes one for itself.
    pub(super) fn into_publication(self, key: Option<&dyn Signer>, now: Timestamp) -> Result<Publication, BodyError> {
        let particulars = self.particulars.into_particulars();
        let certificate = match (self.certificate, key) {
            (Some(certificate), _) => der(&certificate)?,
            (None, Some(key)) => certify(key, &particulars, &self.territory, now)?,
            (None, None) => return Err(BodyError::Certificate),
        };
        Ok(Publication {
            particulars,
            territory: self.territory,
            url: self.url,
            certificate,
            notices: texts(self.notices),
        })
    }
}

impl ParticularsRequest {
    fn into_particulars(self) -> Particulars {
        Particulars {
            names: names(self.names),
            trade_names: texts(self.trade_names),
            postal_addresses: addresses(self.postal_addresses),
            electronic_addresses: texts(self.electronic_addresses),
            information: texts(self.information),
        }
    }
}

fn der(text: &str) -> Result<Vec<u8>, BodyError> {
    let der = STANDARD.decode(text).ok();
    der.filter(|der| Certificate::from_der(der).is_ok()).ok_or_else(|| {
        let expected = "expected X.509 certificates as base64 of their DER, as in x5c";
        BodyError::Members(serde_json::Error::custom(expected))
    })
}

fn names(names: BTreeMap<String, String>) -> Vec<Localised> {
    let name = |(language, text)| Localised { language, text };
    names.into_iter().map(name).collect()
}

fn texts(texts: Texts) -> Vec<Localised> {
    let in_language = |(language, texts): (String, Vec<String>)| {
        texts.into_iter().map(move |text| Localised {
            language: language.clone(),
            text,
        })
    };
    let mut texts: Vec<Localised> = texts.into_iter().flat_map(in_language).collect();
    texts.sort_unstable();
    texts
}

fn addresses(addresses: BTreeMap<String, PostalRequest>) -> Vec<PostalAddress> {
    let address = |(language, request): (String, PostalRequest)| PostalAddress {
        language,
        street: request.street,
        locality: request.locality,
        province: request.province,
        postal_code: request.postal_code,
        country: request.country,
    };
    addresses.into_iter().map(address).collect()
}
