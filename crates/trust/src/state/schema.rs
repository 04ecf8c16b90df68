//! Schemas: credential types and the names that are theirs alone.

use keys::cbor::Value;

use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::entry::Entry;
use crate::entry::EntryType;
use crate::entry::Schema;
use crate::entry::SchemaBody;
use crate::entry::SchemaName;

/// What the state keeps of a schema.
///
/// ```cddl
/// schema-record = { 1: tstr, 2: head, 3: tstr, ? 4: schema }  ; id, head, ns, absent where withdrawn
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRecord {
    id: String,
    pub(super) head: Head,
    ns: String,
    schema: Option<Schema>,
}

impl SchemaRecord {
    /// The id that accreditations name as their resource.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The schema; `None` where it was withdrawn.
    #[must_use]
    pub const fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// Where its chain of entries stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }
}

impl Record for SchemaRecord {
    fn key(&self) -> String {
        self.id.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.id))
            .put(2, self.head.to_value())
            .put(3, Value::text(&self.ns))
            .optional(4, self.schema.as_ref().map(Schema::to_value))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("schema record", value)?;
        let record = Self {
            id: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            ns: fields.text(3)?,
            schema: fields.optional(4).map(Schema::from_value).transpose()?,
        };
        fields.end()?;
        Ok(record)
    }
}

impl State {
    /// The published schema of this id.
    #[must_use]
    pub fn schema(&self, id: &str) -> Option<&Schema> {
        if self.tombstone(EntryType::Schema, id).is_some() {
            return None;
        }
        self.schemas.get(id)?.schema()
    }

    /// Id and schema of an SD-JWT VC with this `vct`, be it the schema's own or an alias.
    #[must_use]
    pub fn schema_of_vct(&self, vct: &str) -> Option<(&str, &Schema)> {
        self.schema_named(SchemaName::Vct, vct)
    }

    /// Id and schema of a W3C credential that carries this type.
    #[must_use]
    pub fn schema_of_w3c_type(&self, name: &str) -> Option<(&str, &Schema)> {
        self.schema_named(SchemaName::W3cType, name)
    }

    /// Id and schema of an mdoc with this `docType`.
    #[must_use]
    pub fn schema_of_doctype(&self, doctype: &str) -> Option<(&str, &Schema)> {
        self.schema_named(SchemaName::Doctype, doctype)
    }

    /// All schemas, by id.
    pub fn schemas(&self) -> impl Iterator<Item = &SchemaRecord> {
        self.schemas.iter()
    }

    /// Those of which an entry from the index `since` on speaks last.
    pub fn schemas_since(&self, since: u64) -> impl Iterator<Item = &SchemaRecord> {
        self.schemas().filter(move |record| record.head().index >= since)
    }

    pub(super) fn index_schema(&mut self, before: Option<&Schema>, record: &SchemaRecord) {
        for (kind, name) in before.into_iter().flat_map(Schema::names) {
            self.index.by_name.remove(&(kind, name.to_owned()));
        }
        for (kind, name) in record.schema.iter().flat_map(Schema::names) {
            self.index.by_name.insert((kind, name.to_owned()), record.id.clone());
        }
    }

    pub(super) fn apply_schema(&mut self, entry: &Entry, body: &SchemaBody) -> Result<(), Refusal> {
        let before = self.schemas.get(entry.subject());
        let authority = match before {
            Some(record) if entry.ns() != record.ns => self.governing(entry)?,
            _ => self.authority(entry)?,
        };
        self.check_quorum(entry, authority)?;
        if authority
            .scope
            .as_ref()
            .is_some_and(|scope| !scope.iter().any(|id| id == entry.subject()))
        {
            return Err(Refusal::Scope {
                authority: authority.id.clone(),
                found: entry.subject().to_owned(),
            });
        }
        let schema = match body {
            SchemaBody::Publish(schema) => {
                self.check_names(entry.subject(), schema)?;
                Some(schema.clone())
            }
            SchemaBody::Withdraw if before.is_some_and(|record| record.schema.is_some()) => None,
            SchemaBody::Withdraw => {
                return Err(Refusal::Standing {
                    expected: "a published schema",
                    found: "none",
                });
            }
        };
        let ns = before.map_or_else(|| entry.ns().to_owned(), |record| record.ns.clone());
        let old = before.and_then(|record| record.schema.clone());
        let record = SchemaRecord {
            id: entry.subject().to_owned(),
            head: self.head_of(entry),
            ns,
            schema,
        };
        self.index_schema(old.as_ref(), &record);
        self.schemas.put(record);
        Ok(())
    }

    fn check_names(&self, id: &str, schema: &Schema) -> Result<(), Refusal> {
        for (kind, name) in schema.names() {
            if self
                .index
                .by_name
                .get(&(kind, name.to_owned()))
                .is_some_and(|owner| owner != id)
            {
                return Err(Refusal::NameTaken { name: name.to_owned() });
            }
        }
        Ok(())
    }

    fn schema_named(&self, kind: SchemaName, name: &str) -> Option<(&str, &Schema)> {
        let id = self.index.by_name.get(&(kind, name.to_owned()))?;
        Some((id, self.schema(id)?))
    }
}
