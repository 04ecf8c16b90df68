//! The properties of a credential ([basic concepts](https://www.w3.org/TR/vc-data-model-2.0/#basic-concepts)).

use keys::Timestamp;
use serde_json::Map;
use serde_json::Value;

use super::BASE_CONTEXT;
use super::CREDENTIAL_TYPE;
use super::CredentialSchema;
use super::DataModelError;
use super::DataModelVersion;
use super::RelatedResource;
use super::check_context;
use super::identified;
use super::language::check_texts;
use super::malformed;
use super::optional_id;
use super::optional_time;
use super::read_objects;
use super::read_type_strings;
use super::read_types;
use super::typed_objects;
use crate::status_list::BITSTRING_ENTRY;
use crate::status_list::StatusReference;

/// What a credential document says apart from its claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialProperties {
    /// The version of the data model that it declares.
    pub version: DataModelVersion,
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
    /// `credentialSchema`.
    pub schemas: Vec<CredentialSchema>,
    /// `relatedResource`.
    pub related_resources: Vec<RelatedResource>,
}

/// Properties whose objects have a type. The last two are
/// [reserved](https://www.w3.org/TR/vc-data-model-2.0/#reserved-extension-points) for extensions.
const TYPED: [&str; 6] = [
    "evidence",
    "proof",
    "refreshService",
    "termsOfUse",
    "confidenceMethod",
    "renderMethod",
];

impl CredentialProperties {
    /// Checks the shape of a credential document of version 2.0 and reads its properties. The times are not compared with now.
    ///
    /// # Errors
    /// [`DataModelError`], the author's fault.
    pub fn read(document: &Map<String, Value>) -> Result<Self, DataModelError> {
        check_context(document, BASE_CONTEXT)?;
        optional_id(document, "id")?;
        check_texts(document)?;
        for property in TYPED {
            typed_objects(document, property)?;
        }
        let (valid_from, valid_until) = read_validity(document)?;
        let (status, unknown_status) = read_status(document)?;
        Ok(Self {
            version: DataModelVersion::V2_0,
            issuer: read_issuer(document)?,
            types: specific_types(&read_types(document, CREDENTIAL_TYPE)?),
            valid_from,
            valid_until,
            subject: read_subject(document)?,
            status,
            unknown_status,
            schemas: CredentialSchema::read_all(document)?,
            related_resources: RelatedResource::read_all(document)?,
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

pub(super) fn specific_types(types: &[&str]) -> Vec<String> {
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

/// One or more subjects, each with at least one claim or an id. (The Recommendation demands a claim; its test suite has
/// subjects that have only an id and must be accepted.)
pub(super) fn read_subject(document: &Map<String, Value>) -> Result<Option<String>, DataModelError> {
    let property = "credentialSubject";
    let subjects = read_objects(document, property)?;
    let mut ids = Vec::with_capacity(subjects.len());
    for subject in &subjects {
        if subject.is_empty() {
            return Err(malformed(property, "objects that are not empty"));
        }
        ids.push(optional_id(subject, property)?);
        typed_objects(subject, "confidenceMethod")?;
    }
    match ids.as_slice() {
        [] => Err(malformed(property, "one or more objects")),
        [id] => Ok(id.map(str::to_owned)),
        [_, _, ..] => Ok(None),
    }
}

pub(super) fn read_status(
    document: &Map<String, Value>,
) -> Result<(Vec<StatusReference>, Vec<String>), DataModelError> {
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
