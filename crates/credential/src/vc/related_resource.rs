//! Documents that a credential refers to, with what they must hash to
//! ([integrity of related resources](https://www.w3.org/TR/vc-data-model-2.0/#integrity-of-related-resources)).

use std::collections::HashSet;

use serde_json::Map;
use serde_json::Value;

use super::DataModelError;
use super::malformed;
use super::one_or_many;
use super::optional_id;
use super::read_objects;
use crate::integrity;
use crate::integrity::Digest;
use crate::integrity::IntegrityError;

const PROPERTY: &str = "relatedResource";

/// One object of `relatedResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelatedResource {
    id: String,
    media_type: Option<String>,
    digests: Digests,
}

/// The digests that an object with an `id` tells of what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Digests {
    sri: Vec<Digest>,
    multibase: Vec<Digest>,
}

impl RelatedResource {
    /// The resource's URL.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What to ask for in `Accept`, and the only `Content-Type` of an answer that is not rejected.
    #[must_use]
    pub fn media_type(&self) -> Option<&str> {
        self.media_type.as_deref()
    }

    /// Checks the resource's bytes, exactly as retrieved, before any use is made of them. Where there is a `digestSRI`
    /// and a `digestMultibase`, both must hold; of several values of one of them, one with the strongest hash.
    ///
    /// # Errors
    /// [`IntegrityError`], after which the resource must not be used.
    pub fn verify(&self, resource: &[u8]) -> Result<(), IntegrityError> {
        self.digests.verify(resource)
    }

    pub(super) fn read_all(document: &Map<String, Value>) -> Result<Vec<Self>, DataModelError> {
        let resources: Vec<Self> = read_objects(document, PROPERTY)?
            .into_iter()
            .map(Self::read)
            .collect::<Result<_, _>>()?;
        let mut ids = HashSet::new();
        if resources.iter().all(|resource| ids.insert(resource.id())) {
            Ok(resources)
        } else {
            Err(malformed(PROPERTY, "objects whose ids are unique"))
        }
    }

    fn read(object: &Map<String, Value>) -> Result<Self, DataModelError> {
        let id = optional_id(object, PROPERTY)?.ok_or_else(|| malformed(PROPERTY, "objects with an id"))?;
        let digests = Digests::read(object)?;
        if digests.is_empty() {
            return Err(malformed(PROPERTY, "objects with a digestSRI or a digestMultibase"));
        }
        Ok(Self {
            id: id.to_owned(),
            media_type: read_media_type(object)?,
            digests,
        })
    }
}

impl Digests {
    pub(super) fn read(object: &Map<String, Value>) -> Result<Self, DataModelError> {
        let sri = read_digests(object, "digestSRI", |text| {
            text.split_ascii_whitespace()
                .map(Digest::from_hash_expression)
                .collect()
        })?;
        let multibase = read_digests(object, "digestMultibase", |text| {
            Digest::from_multibase(text).map(|digest| vec![digest])
        })?;
        Ok(Self { sri, multibase })
    }

    const fn is_empty(&self) -> bool {
        self.sri.is_empty() && self.multibase.is_empty()
    }

    /// Every kind of digest that is there must hold.
    pub(super) fn verify(&self, resource: &[u8]) -> Result<(), IntegrityError> {
        [&self.sri, &self.multibase]
            .into_iter()
            .filter(|digests| !digests.is_empty())
            .try_for_each(|digests| integrity::check_any(resource, digests))
    }
}

/// One or more texts, each with one or more digests.
fn read_digests(
    object: &Map<String, Value>,
    member: &'static str,
    read: impl Fn(&str) -> Option<Vec<Digest>>,
) -> Result<Vec<Digest>, DataModelError> {
    let Some(value) = object.get(member) else {
        return Ok(Vec::new());
    };
    let read = |value: &Value| read(value.as_str()?).filter(|digests| !digests.is_empty());
    let digests: Option<Vec<Vec<Digest>>> = one_or_many(value).map(read).collect();
    digests
        .map(|digests| digests.concat())
        .filter(|digests| !digests.is_empty())
        .ok_or_else(|| malformed(member, "one or more digests with SHA-256, SHA-384 or SHA-512"))
}

fn read_media_type(object: &Map<String, Value>) -> Result<Option<String>, DataModelError> {
    let Some(value) = object.get("mediaType") else {
        return Ok(None);
    };
    let text = value.as_str().filter(|text| is_media_type(text));
    text.map(|text| Some(text.to_owned()))
        .ok_or_else(|| malformed("mediaType", "a media type"))
}

/// `type/subtype` of [restricted names](https://www.rfc-editor.org/rfc/rfc6838#section-4.2), perhaps with parameters.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let essence = text.split(';').next().unwrap_or_default().trim_ascii_end();
    essence
        .split_once('/')
        .is_some_and(|(type_, subtype)| is_name(type_) && is_name(subtype))
}
