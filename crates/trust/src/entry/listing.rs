//! What lists of trust outside of the registry say of an entity, and of whoever keeps the registry.
//!
//! Names and addresses are what officers approved, so that what an entity passes on has none: a list that took them from
//! a DID document would let an agency call itself a ministry.
//!
//! Here is their form. That certificates are some, the state machine checks when an entry is applied: whoever reads
//! records back need not.

use keys::cbor::Value;

use super::DecodeError;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;

/// How an entity is listed, in a grant.
///
/// ```cddl
/// listing = {
///   1: particulars,
///   ? 2: [+ bstr],         ; DER certificates of the authorities (IACA) under whom it issues mdocs, ascending
///   ? 3: https-url         ; its entity identifier of OpenID Federation
/// }
/// particulars = {
///   1: [+ localised],      ; names, one for each language
///   ? 2: [+ localised],    ; names that it trades under, and identifiers of registers
///   3: [+ postal-address], ; one for each language
///   4: [+ localised],      ; electronic addresses: https and mailto URIs
///   5: [+ localised]       ; where to read about it: https URIs
/// }
/// localised = { 1: language, 2: tstr }          ; lists of them are ascending
/// postal-address = {
///   1: language, 2: tstr, 3: tstr,              ; street and number; locality
///   ? 4: tstr, 5: tstr, 6: country              ; state or province; postal code
/// }
/// language = tstr          ; a tag of BCP 47 that begins with two or three small letters
/// country = tstr           ; ISO 3166-1 alpha-2
/// https-url = tstr         ; ASCII, without query, fragment and a slash at the end
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Names and addresses.
    pub particulars: Particulars,
    /// DER certificates of issuing authorities (IACA), ascending.
    pub certificates: Vec<Vec<u8>>,
    /// Its entity identifier of OpenID Federation.
    pub federation_entity: Option<String>,
}

/// Who somebody is, as lists of trust have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particulars {
    /// One for each language, ascending.
    pub names: Vec<Localised>,
    /// Trade names, and identifiers of registers; ascending.
    pub trade_names: Vec<Localised>,
    /// One for each language, ascending.
    pub postal_addresses: Vec<PostalAddress>,
    /// `https` and `mailto` URIs, ascending.
    pub electronic_addresses: Vec<Localised>,
    /// `https` URIs, ascending.
    pub information: Vec<Localised>,
}

/// A text, or what a URI leads to, in a language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Localised {
    /// A tag of [BCP 47](https://www.rfc-editor.org/info/bcp47), such as `en`.
    pub language: String,
    /// The text.
    pub text: String,
}

/// A postal address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostalAddress {
    /// As in [`Localised`].
    pub language: String,
    /// Street and number.
    pub street: String,
    /// Town.
    pub locality: String,
    /// State or province.
    pub province: Option<String>,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
}

/// Under whose name and where the registry is shown in the forms of others (its *projections*), in a Policy.
///
/// ```cddl
/// publication = {
///   1: particulars,        ; of whoever keeps the registry
///   2: country,            ; the territory
///   3: https-url,          ; the projections are below it; it is the entity identifier of OpenID Federation
///   4: bstr,               ; DER certificate of the key that signs them
///   5: [+ localised]       ; the policy or legal notice under which they are published
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Of whoever keeps the registry.
    pub particulars: Particulars,
    /// ISO 3166-1 alpha-2.
    pub territory: String,
    /// Where the projections are, without a slash at the end.
    pub url: String,
    /// DER certificate of the key that signs them.
    pub certificate: Vec<u8>,
    /// Policy or legal notice, ascending.
    pub notices: Vec<Localised>,
}

impl Listing {
    pub(super) fn to_value(&self) -> Value {
        let certificates = self.certificates.iter().map(|der| Value::bytes(der.as_slice()));
        MapBuilder::default()
            .put(1, self.particulars.to_value())
            .optional(
                2,
                (!self.certificates.is_empty()).then(|| Value::Array(certificates.collect())),
            )
            .optional(3, self.federation_entity.as_ref().map(Value::text))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("listing", value)?;
        let listing = Self {
            particulars: Particulars::from_value(fields.value(1)?)?,
            certificates: match fields.optional(2) {
                Some(value) => certificates(value)?,
                None => Vec::new(),
            },
            federation_entity: fields.optional_text(3)?,
        };
        if !listing.federation_entity.as_deref().is_none_or(is_https_url) {
            return Err(fields.shape("an https URL without query, fragment and slash at the end as entity identifier"));
        }
        fields.end()?;
        Ok(listing)
    }
}

impl Particulars {
    fn to_value(&self) -> Value {
        let postal = self.postal_addresses.iter().map(PostalAddress::to_value);
        MapBuilder::default()
            .put(1, localised_value(&self.names))
            .optional(
                2,
                (!self.trade_names.is_empty()).then(|| localised_value(&self.trade_names)),
            )
            .put(3, Value::Array(postal.collect()))
            .put(4, localised_value(&self.electronic_addresses))
            .put(5, localised_value(&self.information))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("particulars", value)?;
        let particulars = Self {
            names: localised(fields.value(1)?)?,
            trade_names: match fields.optional(2) {
                Some(value) => localised(value)?,
                None => Vec::new(),
            },
            postal_addresses: fields.array(3, PostalAddress::from_value)?,
            electronic_addresses: localised(fields.value(4)?)?,
            information: localised(fields.value(5)?)?,
        };
        if !particulars
            .names
            .is_sorted_by(|left, right| left.language < right.language)
        {
            return Err(fields.shape("one name for each language"));
        }
        let postal = &particulars.postal_addresses;
        if postal.is_empty() || !postal.is_sorted_by(|left, right| left.language < right.language) {
            return Err(fields.shape("one postal address for each language, ascending"));
        }
        let electronic = particulars.electronic_addresses.iter().map(|address| &address.text);
        if !electronic.clone().all(|text| is_uri(text, &["https://", "mailto:"])) {
            return Err(fields.shape("electronic addresses as https or mailto URIs"));
        }
        let information = particulars.information.iter().map(|place| &place.text);
        if !information.clone().all(|text| is_uri(text, &["https://"])) {
            return Err(fields.shape("places of information as https URIs"));
        }
        fields.end()?;
        Ok(particulars)
    }
}

impl PostalAddress {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.language))
            .put(2, Value::text(&self.street))
            .put(3, Value::text(&self.locality))
            .optional(4, self.province.as_ref().map(Value::text))
            .put(5, Value::text(&self.postal_code))
            .put(6, Value::text(&self.country))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("postal address", value)?;
        let address = Self {
            language: fields.text(1)?,
            street: fields.text(2)?,
            locality: fields.text(3)?,
            province: fields.optional_text(4)?,
            postal_code: fields.text(5)?,
            country: fields.text(6)?,
        };
        if !is_language(&address.language) || !is_country(&address.country) {
            return Err(fields.shape("a language tag, and a country of two letters"));
        }
        fields.end()?;
        Ok(address)
    }
}

impl Publication {
    pub(super) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, self.particulars.to_value())
            .put(2, Value::text(&self.territory))
            .put(3, Value::text(&self.url))
            .put(4, Value::bytes(self.certificate.as_slice()))
            .put(5, localised_value(&self.notices))
            .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("publication", value)?;
        let publication = Self {
            particulars: Particulars::from_value(fields.value(1)?)?,
            territory: fields.text(2)?,
            url: fields.text(3)?,
            certificate: fields.bytes(4)?,
            notices: localised(fields.value(5)?)?,
        };
        if !is_country(&publication.territory) {
            return Err(fields.shape("a territory of two letters"));
        }
        if !is_https_url(&publication.url) {
            return Err(fields.shape("an https URL without query, fragment and slash at the end"));
        }
        fields.end()?;
        Ok(publication)
    }
}

fn localised_value(items: &[Localised]) -> Value {
    let item = |item: &Localised| {
        MapBuilder::default()
            .put(1, Value::text(&item.language))
            .put(2, Value::text(&item.text))
            .build()
    };
    Value::Array(items.iter().map(item).collect())
}

fn localised(value: Value) -> Result<Vec<Localised>, DecodeError> {
    let expected = |expected| DecodeError::Shape {
        what: "texts in languages",
        expected,
    };
    let Value::Array(items) = value else {
        return Err(expected("an array"));
    };
    let read = |item| {
        let mut fields = Fields::open("text in a language", item)?;
        let (language, text) = (fields.text(1)?, fields.text(2)?);
        if !is_language(&language) {
            return Err(fields.shape("a language tag"));
        }
        fields.end()?;
        Ok(Localised { language, text })
    };
    let items: Vec<Localised> = items.into_iter().map(read).collect::<Result<_, _>>()?;
    if items.is_empty() || !codec::is_sorted_set(&items) {
        return Err(expected("at least one, ascending"));
    }
    Ok(items)
}

fn certificates(value: Value) -> Result<Vec<Vec<u8>>, DecodeError> {
    let expected = DecodeError::Shape {
        what: "listing",
        expected: "certificates as bytes, ascending",
    };
    let Value::Array(items) = value else {
        return Err(expected);
    };
    let der = |item| match item {
        Value::Bytes(der) => Some(der),
        _ => None,
    };
    let certificates: Option<Vec<Vec<u8>>> = items.into_iter().map(der).collect();
    let in_order = |certificates: &Vec<Vec<u8>>| !certificates.is_empty() && codec::is_sorted_set(certificates);
    certificates.filter(in_order).ok_or(expected)
}

fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let is_primary = |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_further =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    parts.next().is_some_and(is_primary) && parts.all(is_further)
}

fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// A URI of one of these beginnings, as far as two readers agree without a parser: printable ASCII.
fn is_uri(text: &str, beginnings: &[&str]) -> bool {
    let rest = beginnings.iter().find_map(|beginning| text.strip_prefix(beginning));
    rest.is_some_and(|rest| !rest.is_empty()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_https_url(text: &str) -> bool {
    is_uri(text, &["https://"]) && !text.ends_with('/') && !text.contains(['?', '#'])
}
