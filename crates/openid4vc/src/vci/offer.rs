//! The Credential Offer
//! ([OpenID4VCI 1.0, section 4](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-offer)).
//!
//! An offer is "not trustworthy": whoever wrote the QR code wrote it. A wallet takes nothing from it but
//! the issuer to ask and the code to redeem, and checks that issuer as if the person had typed its name.

use std::collections::BTreeSet;
use std::fmt;

use keys::json;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use crate::form;
use crate::form::Form;
use crate::form::FormError;
use crate::url::SecureUrl;
use crate::url::UrlError;

/// An offer has an issuer, some identifiers and a code; a QR code holds less than 3 kB.
pub const OFFER_LIMITS: json::Limits = json::Limits {
    max_bytes: 16 * 1_024,
    max_depth: 8,
};
/// Percent-encoding triples the offer at worst.
pub const MAX_OFFER_URI_BYTES: usize = 3 * OFFER_LIMITS.max_bytes + 1_024;
/// Nobody accepts more credentials at once.
pub const MAX_CONFIGURATIONS: usize = 32;
/// Codes of servers that put signed state into them have a few hundred bytes.
pub const MAX_CODE_BYTES: usize = 2_048;
/// "The length of the string MUST NOT exceed 300 characters."
pub const MAX_DESCRIPTION_CHARS: usize = 300;
/// A person types it.
pub const MAX_TX_CODE_CHARS: usize = 32;
/// Five tries ([`super::grant::MAX_TX_CODE_TRIES`]) at four digits succeed in one of two thousand offers.
pub const MIN_TX_CODE_CHARS: usize = 4;

/// The scheme that wallets register.
const SCHEME: &str = "openid-credential-offer://";

/// An offer, by value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawOffer")]
#[non_exhaustive]
pub struct CredentialOffer {
    /// The Credential Issuer Identifier.
    pub credential_issuer: SecureUrl,
    /// What is offered: unique keys of the issuer's `credential_configurations_supported`, at least one.
    pub credential_configuration_ids: Vec<String>,
    /// How to get it; empty if the server's metadata must tell.
    #[serde(skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
}

/// The grants of an offer. Grant types that we do not know are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// A person must log in at the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCodeGrant>,
    /// The code in the offer is enough.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_code: Option<PreAuthorizedCodeGrant>,
}

/// Grant type `authorization_code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// To be sent back in the authorization request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
    /// Which of several Authorization Servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<SecureUrl>,
}

/// Grant type `urn:ietf:params:oauth:grant-type:pre-authorized_code`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedCodeGrant {
    /// The code to redeem.
    #[serde(rename = "pre-authorized_code")]
    pub pre_authorized_code: String,
    /// What to ask the person for; absent if nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCodeDescription>,
    /// Which of several Authorization Servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<SecureUrl>,
}

/// The Transaction Code that the person was given by another way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TxCodeDescription {
    /// Which characters.
    #[serde(default, skip_serializing_if = "InputMode::is_default")]
    pub input_mode: InputMode,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// Where the person finds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The characters of a Transaction Code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InputMode {
    /// Only digits.
    #[default]
    Numeric,
    /// Any characters.
    Text,
}

/// What an offer URI holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OfferUri {
    /// The offer lies at this URL: GET it and read it with [`CredentialOffer::parse`].
    Reference(SecureUrl),
    /// The offer itself.
    Value(CredentialOffer),
}

/// A Transaction Code, as the issuer gives it to a person and the person types it.
#[derive(Clone)]
pub struct TransactionCode(String);

/// The fault of whoever made the offer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfferError {
    /// Neither or both of `credential_offer` and `credential_offer_uri`.
    #[error("expected either credential_offer or credential_offer_uri")]
    Ambiguous,
    /// A code that is empty or longer than [`MAX_CODE_BYTES`].
    #[error("expected a pre-authorized_code of at most {MAX_CODE_BYTES} bytes")]
    Code,
    /// No identifiers, too many, or one twice.
    #[error("expected 1 to {MAX_CONFIGURATIONS} unique credential_configuration_ids")]
    Configurations,
    /// The query of the URI could not be read.
    #[error("expected the query of an offer URI")]
    Form(#[from] FormError),
    /// A URL in the offer is not one that may be used.
    #[error("expected a Credential Issuer Identifier or URL in the offer")]
    Url(#[from] UrlError),
    /// Not the JSON of an offer.
    #[error("expected a credential offer as JSON")]
    Json(#[from] json::JsonError),
    /// Not an offer URI.
    #[error("expected a URI that begins with {SCHEME} or https://")]
    NotAnOfferUri,
    /// A Transaction Code of other length or characters than announced, or an impossible announcement.
    #[error(
        "expected a transaction code of {MIN_TX_CODE_CHARS} to {MAX_TX_CODE_CHARS} characters as the offer describes it"
    )]
    TxCode,
}

impl CredentialOffer {
    /// An offer of the pre-authorized code flow. Issuers use [`super::grant::PreAuthorizedGrant::offer`],
    /// which makes the code too.
    ///
    /// # Errors
    /// [`OfferError`], the caller's fault here.
    pub fn pre_authorized(
        credential_issuer: &SecureUrl,
        credential_configuration_ids: Vec<String>,
        grant: PreAuthorizedCodeGrant,
    ) -> Result<Self, OfferError> {
        RawOffer {
            credential_issuer: credential_issuer.as_str().to_owned(),
            credential_configuration_ids,
            grants: Some(Grants {
                authorization_code: None,
                pre_authorized_code: Some(grant),
            }),
        }
        .try_into()
    }

    /// Reads an offer from JSON: the body behind a `credential_offer_uri`.
    ///
    /// # Errors
    /// [`OfferError`], the fault of whoever made it.
    pub fn parse(text: &[u8]) -> Result<Self, OfferError> {
        json::parse_as::<RawOffer>(text, OFFER_LIMITS)?.try_into()
    }

    /// The URI that carries this offer by value.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let offer = serde_json::to_string(self).unwrap_or_default();
        format!("{SCHEME}?{}", form::encode([("credential_offer", offer.as_str())]))
    }
}

impl OfferUri {
    /// Reads an offer URI: of the registered scheme, or an `https` link of a wallet.
    ///
    /// # Errors
    /// [`OfferError`], the fault of whoever made it.
    pub fn parse(uri: &str) -> Result<Self, OfferError> {
        let known = ["openid-credential-offer:", "https://"]
            .iter()
            .any(|start| uri.starts_with(start));
        let (_, query) = uri.split_once('?').filter(|_| known).ok_or(OfferError::NotAnOfferUri)?;
        let form = Form::parse(query.as_bytes(), MAX_OFFER_URI_BYTES)?;
        match (form.optional("credential_offer"), form.optional("credential_offer_uri")) {
            (Some(offer), None) => CredentialOffer::parse(offer.as_bytes()).map(Self::Value),
            (None, Some(uri)) => Ok(Self::Reference(SecureUrl::parse(uri)?)),
            (Some(_), Some(_)) | (None, None) => Err(OfferError::Ambiguous),
        }
    }

    /// The URI that carries an offer by reference: short enough for any QR code.
    #[must_use]
    pub fn reference(at: &SecureUrl) -> String {
        format!("{SCHEME}?{}", form::encode([("credential_offer_uri", at.as_str())]))
    }
}

impl Grants {
    fn is_empty(&self) -> bool {
        self.authorization_code.is_none() && self.pre_authorized_code.is_none()
    }
}

impl fmt::Debug for PreAuthorizedCodeGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreAuthorizedCodeGrant")
            .field("tx_code", &self.tx_code)
            .finish_non_exhaustive()
    }
}

impl InputMode {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    const fn is_default(&self) -> bool {
        matches!(self, Self::Numeric)
    }
}

impl TransactionCode {
    /// A code that an officer chose.
    ///
    /// # Errors
    /// [`OfferError::TxCode`] for one that is too short, too long, or not printable ASCII without spaces.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let fits = (MIN_TX_CODE_CHARS..=MAX_TX_CODE_CHARS).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OfferError::TxCode);
        }
        Ok(Self(text.to_owned()))
    }

    /// Six random digits.
    #[must_use]
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        // Rejection keeps all codes equally likely: 4294 times a million fit into 32 bits.
        let number = loop {
            let drawn = rng.next_u32();
            if drawn < 4_294_000_000 {
                break drawn % 1_000_000;
            }
        };
        Self(format!("{number:06}"))
    }

    /// What the person is told.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the offer says about it.
    #[must_use]
    pub fn describe(&self, description: Option<String>) -> TxCodeDescription {
        let digits = self.0.bytes().all(|byte| byte.is_ascii_digit());
        let input_mode = if digits { InputMode::Numeric } else { InputMode::Text };
        TxCodeDescription {
            input_mode,
            length: Some(self.0.len()),
            description,
        }
    }
}

impl fmt::Debug for TransactionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransactionCode").finish_non_exhaustive()
    }
}

impl TxCodeDescription {
    /// Whether what the person typed can be the code, before one of the few tries is spent on it.
    ///
    /// # Errors
    /// [`OfferError::TxCode`], the person's slip.
    pub fn accept(&self, typed: &str) -> Result<(), OfferError> {
        let characters = typed.chars().count();
        let length_fits = match self.length {
            Some(length) => length == characters,
            None => (1..=MAX_TX_CODE_CHARS).contains(&characters),
        };
        let mode_fits = match self.input_mode {
            InputMode::Numeric => typed.bytes().all(|byte| byte.is_ascii_digit()),
            InputMode::Text => true,
        };
        if length_fits && mode_fits {
            Ok(())
        } else {
            Err(OfferError::TxCode)
        }
    }
}

#[derive(Deserialize)]
struct RawOffer {
    credential_issuer: String,
    credential_configuration_ids: Vec<String>,
    grants: Option<Grants>,
}

impl TryFrom<RawOffer> for CredentialOffer {
    type Error = OfferError;

    fn try_from(raw: RawOffer) -> Result<Self, OfferError> {
        let ids = raw.credential_configuration_ids;
        let unique = ids.iter().collect::<BTreeSet<_>>().len() == ids.len();
        if !(1..=MAX_CONFIGURATIONS).contains(&ids.len()) || !unique {
            return Err(OfferError::Configurations);
        }
        let grants = raw.grants.unwrap_or_default();
        if let Some(grant) = &grants.pre_authorized_code {
            if !(1..=MAX_CODE_BYTES).contains(&grant.pre_authorized_code.len()) {
                return Err(OfferError::Code);
            }
            grant.tx_code.as_ref().map_or(Ok(()), check_description)?;
        }
        let credential_issuer = SecureUrl::parse_identifier(&raw.credential_issuer)?;
        Ok(Self {
            credential_issuer,
            credential_configuration_ids: ids,
            grants,
        })
    }
}

fn check_description(tx_code: &TxCodeDescription) -> Result<(), OfferError> {
    let length_fits = tx_code
        .length
        .is_none_or(|length| (1..=MAX_TX_CODE_CHARS).contains(&length));
    let characters = tx_code
        .description
        .as_ref()
        .map_or(0, |description| description.chars().count());
    if length_fits && characters <= MAX_DESCRIPTION_CHARS {
        Ok(())
    } else {
        Err(OfferError::TxCode)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn genuine() -> Value {
        json!({
            "credential_issuer": "https://issuer.example/a",
            "credential_configuration_ids": ["PersonIdentity", "DrivingLicence"],
            "grants": {
                "urn:ietf:params:oauth:grant-type:pre-authorized_code": {
                    "pre-authorized_code": "oaKazRN8I0IbtZ0C7JuMn5",
                    "tx_code": {"length": 6, "description": "Sent to you by letter"}
                },
                "urn:example:other": {"ignored": true}
            }
        })
    }

    fn changed(pointer: &str, value: Value) -> Result<CredentialOffer, OfferError> {
        let mut offer = genuine();
        assert!(CredentialOffer::parse(offer.to_string().as_bytes()).is_ok());
        *offer.pointer_mut(pointer).unwrap() = value;
        CredentialOffer::parse(offer.to_string().as_bytes())
    }

    const GRANT: &str = "/grants/urn:ietf:params:oauth:grant-type:pre-authorized_code";

    #[test]
    fn the_uri_by_value_carries_the_offer() {
        let offer = CredentialOffer::parse(genuine().to_string().as_bytes()).unwrap();
        assert!(
            offer
                .to_uri()
                .starts_with("openid-credential-offer://?credential_offer=%7B")
        );
        assert_eq!(OfferUri::parse(&offer.to_uri()), Ok(OfferUri::Value(offer)));
    }

    #[test]
    fn the_uri_by_reference_carries_the_url() {
        let at = SecureUrl::parse("https://server.example.com/credential-offer/GkurKxf5T0Y").unwrap();
        assert_eq!(OfferUri::parse(&OfferUri::reference(&at)), Ok(OfferUri::Reference(at)));
    }

    #[test]
    fn uris_of_neither_kind_are_refused() {
        let offer = form::encode([("credential_offer", genuine().to_string().as_str())]);
        assert!(OfferUri::parse(&format!("https://wallet.example/offer?{offer}")).is_ok());
        let both = format!("openid-credential-offer://?{offer}&credential_offer_uri=https%3A%2F%2Fa.example");
        assert_eq!(OfferUri::parse(&both), Err(OfferError::Ambiguous));
        assert_eq!(
            OfferUri::parse("openid-credential-offer://?"),
            Err(OfferError::Ambiguous)
        );
        assert_eq!(
            OfferUri::parse(&format!("file:///offer?{offer}")),
            Err(OfferError::NotAnOfferUri)
        );
        let insecure = "openid-credential-offer://?credential_offer_uri=http%3A%2F%2Fa.example";
        assert_eq!(OfferUri::parse(insecure), Err(OfferError::Url(UrlError::NotSecure)));
    }

    #[test]
    fn identifiers_are_unique_and_present() {
        let ids = |value: Value| changed("/credential_configuration_ids", value);
        assert_eq!(ids(json!([])), Err(OfferError::Configurations));
        assert_eq!(ids(json!(["a", "a"])), Err(OfferError::Configurations));
        assert_eq!(
            ids(json!((0..=32).map(|n| n.to_string()).collect::<Vec<_>>())),
            Err(OfferError::Configurations)
        );
    }

    #[test]
    fn the_issuer_is_an_identifier() {
        let issuer = |value: &str| changed("/credential_issuer", json!(value));
        assert_eq!(
            issuer("https://issuer.example/?a=b"),
            Err(OfferError::Url(UrlError::Query))
        );
        assert_eq!(
            issuer("http://issuer.example"),
            Err(OfferError::Url(UrlError::NotSecure))
        );
    }

    #[test]
    fn the_grant_is_checked() {
        let grant = |member: &str, value: Value| changed(&format!("{GRANT}/{member}"), value);
        assert_eq!(grant("pre-authorized_code", json!("")), Err(OfferError::Code));
        assert_eq!(
            grant("pre-authorized_code", json!("x".repeat(MAX_CODE_BYTES + 1))),
            Err(OfferError::Code)
        );
        assert_eq!(
            grant("tx_code/description", json!("é".repeat(301))),
            Err(OfferError::TxCode)
        );
        assert!(grant("tx_code/description", json!("é".repeat(300))).is_ok());
        assert_eq!(grant("tx_code/length", json!(0)), Err(OfferError::TxCode));
        assert!(matches!(
            grant("tx_code", json!({"input_mode": "voice"})),
            Err(OfferError::Json(_))
        ));
        // "if present, even if empty": an empty object still asks for a code.
        let offer = grant("tx_code", json!({})).unwrap();
        assert_eq!(
            offer.grants.pre_authorized_code.unwrap().tx_code,
            Some(TxCodeDescription::default())
        );
    }

    #[test]
    fn typed_codes_are_checked_against_the_description() {
        let described = |code: &str| TransactionCode::parse(code).unwrap().describe(None);
        assert!(described("493536").accept("123456").is_ok());
        assert_eq!(described("493536").accept("12345"), Err(OfferError::TxCode));
        assert_eq!(described("493536").accept("12345a"), Err(OfferError::TxCode));
        assert!(described("abcd").accept("12Fé").is_ok());
        assert!(TxCodeDescription::default().accept("").is_err());
        for bad in ["123", "with space", "ünïcode", &"1".repeat(33)] {
            assert_eq!(TransactionCode::parse(bad).unwrap_err(), OfferError::TxCode, "{bad}");
        }
    }

    #[test]
    fn debug_hides_codes() {
        let offer = CredentialOffer::parse(genuine().to_string().as_bytes()).unwrap();
        assert!(!format!("{offer:?}").contains("oaKazRN8I0IbtZ0C7JuMn5"));
        assert_eq!(
            format!("{:?}", TransactionCode::parse("493536").unwrap()),
            "TransactionCode { .. }"
        );
    }
}
