//! Credentials of version 1.1 (<https://www.w3.org/TR/2022/REC-vc-data-model-20220303/>), which are still held and
//! presented. This platform does not issue them of its own accord.

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use super::BASE_CONTEXT;
use super::CREDENTIAL_TYPE;
use super::CredentialProperties;
use super::CredentialSchema;
use super::DataModelError;
use super::check_context;
use super::credential::read_status;
use super::credential::read_subject;
use super::credential::specific_types;
use super::identified;
use super::malformed;
use super::optional_id;
use super::optional_time;
use super::read_types;
use super::typed_objects;

/// The context that every document of version 1.1 begins with.
pub const BASE_CONTEXT_1_1: &str = "https://www.w3.org/2018/credentials/v1";

/// A version of the data model. Deliberately closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataModelVersion {
    /// Verifiable Credentials Data Model 1.1.
    V1_1,
    /// Verifiable Credentials Data Model 2.0.
    V2_0,
}

impl DataModelVersion {
    /// The version that a document declares by its first context, and by nothing else.
    ///
    /// # Errors
    /// [`DataModelError`] when it declares none.
    pub fn of(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        let first = document.get("@context").and_then(|contexts| contexts.get(0));
        match first.and_then(Value::as_str) {
            Some(BASE_CONTEXT) => Ok(Self::V2_0),
            Some(BASE_CONTEXT_1_1) => Ok(Self::V1_1),
            _ => Err(malformed(
                "@context",
                "the context of the VC data model 2.0 or 1.1 first",
            )),
        }
    }
}

impl CredentialProperties {
    /// Checks the shape of a credential document of the version that it declares, for verifying. The times are not
    /// compared with now.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read_received(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        match DataModelVersion::of(document)? {
            DataModelVersion::V1_1 => Self::read_1_1(document),
            DataModelVersion::V2_0 => Self::read(document),
        }
    }

    /// Checks the shape of a credential document of version 1.1 and reads its properties. The times are not compared with
    /// now.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read_1_1(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        check_context(document, BASE_CONTEXT_1_1)?;
        optional_id(document, "id")?;
        for property in ["evidence", "proof", "termsOfUse"] {
            typed_objects(document, property)?;
        }
        for property in ["credentialStatus", "refreshService"] {
            let objects = typed_objects(document, property)?;
            if !objects.iter().all(|object| object.contains_key("id")) {
                return Err(malformed(property, "objects with an id"));
            }
        }
        let issuer = document.get("issuer").unwrap_or(&Value::Null);
        let (valid_from, valid_until) = read_validity(document)?;
        let (status, unknown_status) = read_status(document)?;
        Ok(Self {
            version: DataModelVersion::V1_1,
            issuer: identified(issuer, "issuer")?.to_owned(),
            types: specific_types(&read_types(document, CREDENTIAL_TYPE)?),
            valid_from: Some(valid_from),
            valid_until,
            subject: read_subject(document)?,
            status,
            unknown_status,
            schemas: CredentialSchema::read_all(document)?,
            related_resources: Vec::new(),
        })
    }
}

/// `issuanceDate` and `expirationDate`; `validFrom` and `validUntil`, which the text announces for later versions and
/// the context defines already, narrow the period if they are there.
fn read_validity(document: &Map<String, Value>) -> Result<(Timestamp, Option<Timestamp>), DataModelError> {
    let issued = optional_date_time(document, "issuanceDate")?;
    let issued = issued.ok_or_else(|| malformed("issuanceDate", "a date and time"))?;
    let expires = optional_date_time(document, "expirationDate")?;
    if expires.is_some_and(|expires| expires < issued) {
        return Err(malformed("expirationDate", "a time not before issuanceDate"));
    }
    let from = optional_time(document, "validFrom")?.map_or(issued, |from| from.max(issued));
    let until = optional_time(document, "validUntil")?;
    Ok((from, [expires, until].into_iter().flatten().min()))
}

/// An XSD `dateTime`. One without an offset
/// [means UTC](https://www.w3.org/TR/vc-data-model-2.0/#representing-time).
fn optional_date_time(
    document: &Map<String, Value>,
    property: &'static str,
) -> Result<Option<Timestamp>, DataModelError> {
    let Some(value) = document.get(property) else {
        return Ok(None);
    };
    let text = value.as_str().ok_or_else(|| malformed(property, "a date and time"))?;
    Timestamp::parse_date_time_stamp(text)
        .or_else(|_| Timestamp::parse_date_time_stamp(&format!("{text}Z")))
        .map(Some)
        .map_err(|_| malformed(property, "a date and time"))
}
