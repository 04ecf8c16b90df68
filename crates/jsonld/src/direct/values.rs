//! Scalars and value objects: `expansion/value.rs` and the literals of `to_rdf.rs`.

use std::borrow::Cow;

use serde_json::Map;
use serde_json::Value;

use super::quads::Kind;
use super::quads::Literal;
use super::quads::Node;
use super::quads::Object;
use super::walk::Statement;
use super::walk::Walker;
use crate::RdfDirection;
use crate::context::Role;
use crate::context::Table;
use crate::context::Values;
use crate::rdf;
use crate::syntax;
use crate::to_rdf::lexical_number;

impl<'d> Walker<'d> {
    /// A scalar under the property of `statement`, whose own context counts as well.
    pub(super) fn scalar(
        &mut self,
        scalar: &'d Value,
        statement: Statement<'d, '_>,
        table: &'d Table,
    ) -> Option<Object<'d>> {
        let Some(term) = statement.term.filter(|term| term.has_scoped_context()) else {
            return self.scalar_in(scalar, statement.values, table);
        };
        let table = self.tables.below(table, Some(term), false, &mut self.contexts)?;
        match &table.term(statement.key)?.role {
            Role::Property(property) => self.scalar_in(scalar, &property.values, table),
            Role::Id | Role::Other | Role::Type => None,
        }
    }

    /// [Value Expansion](https://www.w3.org/TR/json-ld11-api/#value-expansion).
    fn scalar_in(&mut self, scalar: &'d Value, values: &'d Values, table: &'d Table) -> Option<Object<'d>> {
        match (values, scalar) {
            (Values::Json, _) => None,
            (Values::Reference, Value::String(text)) => {
                let iri = self.absolute_iri(table, text)?;
                Some(Object::Node(Node::Iri(iri)))
            }
            (Values::Vocabulary, Value::String(text)) => Some(Object::Class(self.class(table, text)?)),
            (Values::Typed(datatype), scalar) => {
                self.spend_bytes(datatype)?;
                literal(scalar, Some(datatype))
            }
            (Values::Plain | Values::Reference | Values::Vocabulary, scalar) => literal(scalar, None),
        }
    }

    /// An identifier as written.
    pub(super) fn absolute_iri(&mut self, table: &Table, text: &'d str) -> Option<&'d str> {
        self.spend_bytes(text)?;
        table.is_absolute_iri(text).then_some(text)
    }

    /// The IRI of a type, or of a value of a `@vocab` property.
    pub(super) fn class(&mut self, table: &'d Table, name: &str) -> Option<Cow<'d, str>> {
        let class = match table.term(name) {
            Some(term) => Cow::Borrowed(term.class.as_deref()?),
            None => Cow::Owned(table.class_in_vocabulary(name)?),
        };
        self.spend_bytes(&class)?;
        Some(class)
    }

    /// A value object of `@value`, `@language` and `@direction`.
    pub(super) fn value_object(&self, map: &'d Map<String, Value>) -> Option<Object<'d>> {
        let (mut value, mut language, mut direction) = (None, None, None);
        for (key, entry) in map {
            match key.as_str() {
                "@direction" => direction = Some(entry.as_str().filter(|text| matches!(*text, "ltr" | "rtl"))?),
                "@language" => language = Some(entry.as_str().filter(|tag| syntax::is_language_tag(tag))?),
                "@value" => value = Some(entry),
                _ => return None,
            }
        }
        if language.is_none() && direction.is_none() {
            return literal(value?, None);
        }
        // Only strings have a language; a direction is rare with anything else.
        let text = Cow::Borrowed(value?.as_str()?);
        let language = language.map(lower_case);
        let kind = match direction {
            None => Kind::Language(language?),
            Some(direction) if self.direction == RdfDirection::I18nDatatype => {
                let language = language.unwrap_or_default();
                Kind::Typed(format!("https://www.w3.org/ns/i18n#{language}_{direction}").into())
            }
            Some(_) => return None,
        };
        Some(Object::Literal(Literal { text, kind }))
    }

    /// A value of a `@json` property.
    pub(super) fn json_literal(value: &Value) -> Option<Object<'d>> {
        Some(Object::Literal(Literal {
            text: keys::jcs::canonicalize(value).ok()?.into(),
            kind: Kind::Typed(Cow::Borrowed(rdf::RDF_JSON)),
        }))
    }
}

/// A scalar of this datatype, or of the one that its JSON type has.
fn literal<'d>(scalar: &'d Value, datatype: Option<&'d str>) -> Option<Object<'d>> {
    let (text, own) = match scalar {
        Value::Bool(true) => (Cow::Borrowed("true"), rdf::XSD_BOOLEAN),
        Value::Bool(false) => (Cow::Borrowed("false"), rdf::XSD_BOOLEAN),
        Value::Number(number) => {
            let (text, own) = lexical_number(number, datatype == Some(rdf::XSD_DOUBLE))?;
            (Cow::Owned(text), own)
        }
        Value::String(text) => (Cow::Borrowed(text.as_str()), rdf::XSD_STRING),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    let kind = Kind::Typed(Cow::Borrowed(datatype.unwrap_or(own)));
    Some(Object::Literal(Literal { text, kind }))
}

fn lower_case(tag: &str) -> Cow<'_, str> {
    if tag.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(tag.to_ascii_lowercase())
    } else {
        Cow::Borrowed(tag)
    }
}
