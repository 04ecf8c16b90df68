//! The properties of a credential ([basic concepts](https://www.w3.org/TR/vc-data-model-2.0/#basic-concepts)).

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use super::BASE_CONTEXT_1_1;
use super::CREDENTIAL_TYPE;
use super::DataModelError;
use super::check_context;
use super::check_context_with;
use super::identified;
use super::language::check_texts;
use super::malformed;
use super::one_or_many;
use super::optional_id;
use super::optional_time;
use super::read_type_strings;
use super::read_types;
use super::typed_objects;
use crate::status_list::BITSTRING_ENTRY;
use crate::status_list::StatusReference;

/// What a credential document says apart from its claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialProperties {
    /// `issuer`, or its `id`.
    pub issuer: String,
    /// `type` without `VerifiableCredential`; only that one if there is no other, so that authority for
    /// "every type" is never authority for none.
    pub types: Vec<String>,
    /// `validFrom`.
    pub valid_from: Option<Timestamp>,
    /// `validUntil`.
    pub valid_until: Option<Timestamp>,
    /// `id` of the one subject; `None` if there are several, or it has none.
    pub subject: Option<String>,
    /// `credentialStatus` entries of type `BitstringStatusListEntry`.
    pub status: Vec<StatusReference>,
    /// Types of the other entries.
    pub unknown_status: Vec<String>,
}

impl CredentialProperties {
    /// Checks the shape of a credential document and reads its properties. The times are not compared with now.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        check_context(document)?;
        Self::read_members(document, read_validity(document)?)
    }

    /// The same for a document of the [data model 1.1](https://www.w3.org/TR/vc-data-model-1.1/), which Data Integrity
    /// secures as well, or of 2.0. The times are those of `issuanceDate` and `expirationDate`.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read_1_1_or_2_0(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        if check_context_with(document, BASE_CONTEXT_1_1).is_err() {
            return Self::read(document);
        }
        let issued = optional_time(document, "issuanceDate")?;
        let issued = issued.ok_or_else(|| malformed("issuanceDate", "a date and time with an offset"))?;
        let expires = optional_time(document, "expirationDate")?;
        // 1.1 announces the members of 2.0; where both are there, both hold.
        let (from, until) = read_validity(document)?;
        let validity = (from.max(Some(issued)), [expires, until].into_iter().flatten().min());
        Self::read_members(document, validity)
    }

    fn read_members(
        document: &Map<String, Value>,
        (valid_from, valid_until): (Option<Timestamp>, Option<Timestamp>),
    ) -> Result<Self, DataModelError> {
        optional_id(document, "id")?;
        check_texts(document)?;
        for property in ["evidence", "proof", "refreshService", "termsOfUse"] {
            typed_objects(document, property)?;
        }
        for schema in typed_objects(document, "credentialSchema")? {
            if !schema.contains_key("id") {
                return Err(malformed("credentialSchema", "objects with an id"));
            }
        }
        let (status, unknown_status) = read_status(document)?;
        Ok(Self {
            issuer: read_issuer(document)?,
            types: specific_types(&read_types(document, CREDENTIAL_TYPE)?),
            valid_from,
            valid_until,
            subject: read_subject(document)?,
            status,
            unknown_status,
        })
    }
}

fn read_issuer(document: &Map<String, Value>) -> Result<String, DataModelError> {
    let issuer = document
        .get("issuer")
        .ok_or_else(|| malformed("issuer", "a URL or an object with a URL as id"))?;
    if let Value::Object(object) = issuer {
        check_texts(object)?;
    }
    identified(issuer, "issuer").map(str::to_owned)
}

fn specific_types(types: &[&str]) -> Vec<String> {
    let specific: Vec<String> = types
        .iter()
        .filter(|type_| **type_ != CREDENTIAL_TYPE)
        .map(ToString::to_string)
        .collect();
    if specific.is_empty() {
        vec![CREDENTIAL_TYPE.to_owned()]
    } else {
        specific
    }
}

/// `validFrom` not after `validUntil`.
fn read_validity(document: &Map<String, Value>) -> Result<(Option<Timestamp>, Option<Timestamp>), DataModelError> {
    let from = optional_time(document, "validFrom")?;
    let until = optional_time(document, "validUntil")?;
    if let (Some(from), Some(until)) = (from, until)
        && from > until
    {
        return Err(malformed("validUntil", "a time not before validFrom"));
    }
    Ok((from, until))
}

/// One or more subjects, each with at least one claim or an id.
fn read_subject(document: &Map<String, Value>) -> Result<Option<String>, DataModelError> {
    let malformed = || malformed("credentialSubject", "one or more objects that are not empty");
    let subjects: Vec<_> = one_or_many(document.get("credentialSubject").ok_or_else(malformed)?)
        .map(|subject| subject.as_object().filter(|subject| !subject.is_empty()))
        .collect::<Option<_>>()
        .ok_or_else(malformed)?;
    let ids: Vec<_> = subjects
        .iter()
        .map(|subject| optional_id(subject, "credentialSubject"))
        .collect::<Result<_, _>>()?;
    match ids.as_slice() {
        [] => Err(malformed()),
        [id] => Ok(id.map(str::to_owned)),
        [_, _, ..] => Ok(None),
    }
}

fn read_status(document: &Map<String, Value>) -> Result<(Vec<StatusReference>, Vec<String>), DataModelError> {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for entry in typed_objects(document, "credentialStatus")? {
        let types = read_type_strings(entry).unwrap_or_default();
        if types.contains(&BITSTRING_ENTRY) {
            known.push(StatusReference::from_bitstring_entry(entry)?);
        } else {
            unknown.extend(types.into_iter().map(str::to_owned));
        }
    }
    Ok((known, unknown))
}
