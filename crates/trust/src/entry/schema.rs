//! Schema: the names and documents of a credential type.

use keys::cbor::Value;

use super::DecodeError;
use crate::codec;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::merkle::Hash;

/// Body of a Schema entry. Subject is the schema's id, which accreditations name as their resource; ns is
/// an authority with that id in its scope. Every name is of one schema only, so that a credential cannot
/// borrow the authority of another type.
///
/// ```cddl
/// schema-entry = { 1: 0 / 1, ? 2: schema }  ; publish (also a new version), withdraw
/// schema = {
///   1: tstr,               ; vct of SD-JWT VC
///   2: [* tstr],           ; further vct values (extends), ascending
///   3: [* tstr],           ; W3C types other than VerifiableCredential, ascending
///   ? 4: tstr,             ; doctype of mdoc
///   5: bool,               ; whether a credential must have a status
///   6: [* document]        ; ascending by role and URI
/// }
/// document = {
///   1: 0 / 1 / 2 / 3,      ; SD-JWT VC type metadata, JSON Schema, JSON-LD context, display
///   2: tstr,               ; URI
///   3: tstr,               ; media type
///   4: bstr .size 32,      ; SHA-256 of its bytes
///   5: uint                ; length in bytes
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaBody {
    /// A new schema or a new version of it.
    Publish(Schema),
    /// No credential of the type counts any more.
    Withdraw,
}

/// A credential type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// `vct` of SD-JWT VC.
    pub vct: String,
    /// Further `vct` values that mean this type; ascending.
    pub aliases: Vec<String>,
    /// W3C types that credentials of this type carry besides `VerifiableCredential`; ascending.
    pub w3c_types: Vec<String>,
    /// `docType` of mdoc.
    pub doctype: Option<String>,
    /// Whether a credential without a status reference is refused.
    pub status_required: bool,
    /// Ascending by role and URI.
    pub documents: Vec<SchemaDocument>,
}

/// A document that belongs to a credential type, known by its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaDocument {
    /// What it is for.
    pub role: DocumentRole,
    /// Where it is published.
    pub uri: String,
    /// Its media type.
    pub media_type: String,
    /// SHA-256 of its bytes.
    pub digest: Hash,
    /// Length in bytes.
    pub length: u64,
}

/// What a schema document is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentRole {
    /// SD-JWT VC Type Metadata.
    TypeMetadata = 0,
    /// JSON Schema.
    JsonSchema = 1,
    /// JSON-LD context.
    Context = 2,
    /// Names and colours for people.
    Display = 3,
}

/// The type that every W3C credential has: it says nothing about which one it is.
const BASE_TYPE: &str = "VerifiableCredential";

impl SchemaBody {
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Publish(schema) => MapBuilder::default().put(1, 0_u64).put(2, schema.to_value()),
            Self::Withdraw => MapBuilder::default().put(1, 1_u64),
        }
        .build()
    }

    pub(super) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("schema entry", value)?;
        let body = match fields.unsigned(1)? {
            0 => Self::Publish(Schema::from_value(fields.value(2)?)?),
            1 => Self::Withdraw,
            _ => return Err(fields.shape("0 (publish) or 1 (withdraw)")),
        };
        fields.end()?;
        Ok(body)
    }
}

impl Schema {
    /// SHA-256 of the deterministic encoding: what an accreditation pins.
    #[must_use]
    pub fn digest(&self) -> Hash {
        Hash::digest(&self.to_value().to_vec())
    }

    /// The names that only this schema has, each with the kind of credential that it is a name in.
    pub(crate) fn names(&self) -> impl Iterator<Item = (SchemaName, &str)> {
        let vcts = std::iter::once(&self.vct)
            .chain(&self.aliases)
            .map(|vct| (SchemaName::Vct, vct.as_str()));
        let types = self.w3c_types.iter().map(|name| (SchemaName::W3cType, name.as_str()));
        let doctype = self.doctype.iter().map(|name| (SchemaName::Doctype, name.as_str()));
        vcts.chain(types).chain(doctype)
    }

    pub(crate) fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.vct))
            .put(2, codec::texts_value(&self.aliases))
            .put(3, codec::texts_value(&self.w3c_types))
            .optional(4, self.doctype.as_ref().map(Value::text))
            .put(5, Value::Bool(self.status_required))
            .put(
                6,
                Value::Array(self.documents.iter().map(SchemaDocument::to_value).collect()),
            )
            .build()
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("schema", value)?;
        let schema = Self {
            vct: fields.text(1)?,
            aliases: fields.texts(2)?,
            w3c_types: fields.texts(3)?,
            doctype: fields.optional_text(4)?,
            status_required: fields.boolean(5)?,
            documents: fields.array(6, SchemaDocument::from_value)?,
        };
        if !codec::is_sorted_set(&schema.aliases) || schema.aliases.contains(&schema.vct) {
            return Err(fields.shape("aliases other than the vct, ascending"));
        }
        if !codec::is_sorted_set(&schema.w3c_types) || schema.w3c_types.iter().any(|name| name == BASE_TYPE) {
            return Err(fields.shape("W3C types other than VerifiableCredential, ascending"));
        }
        let in_order =
            |left: &SchemaDocument, right: &SchemaDocument| (left.role, &left.uri) < (right.role, &right.uri);
        if !schema.documents.is_sorted_by(in_order) {
            return Err(fields.shape("documents ascending by role and URI"));
        }
        fields.end()?;
        Ok(schema)
    }
}

/// In which kind of credential a name names a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SchemaName {
    Vct,
    W3cType,
    Doctype,
}

impl SchemaDocument {
    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, self.role as u64)
            .put(2, Value::text(&self.uri))
            .put(3, Value::text(&self.media_type))
            .put(4, codec::hash_value(self.digest))
            .put(5, self.length)
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("schema document", value)?;
        let role = |number| {
            let all = [
                DocumentRole::TypeMetadata,
                DocumentRole::JsonSchema,
                DocumentRole::Context,
                DocumentRole::Display,
            ];
            all.into_iter().find(|role| *role as u64 == number)
        };
        let document = Self {
            role: fields.variant(1, "a role from 0 to 3", role)?,
            uri: fields.text(2)?,
            media_type: fields.text(3)?,
            digest: fields.hash(4)?,
            length: fields.unsigned(5)?,
        };
        fields.end()?;
        Ok(document)
    }
}
