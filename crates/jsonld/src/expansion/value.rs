//! [Value Expansion](https://www.w3.org/TR/json-ld11-api/#value-expansion) of scalars.

use serde_json::Map;
use serde_json::Value;

use super::Expander;
use super::object;
use crate::DataLoss;
use crate::Error;
use crate::context::ActiveContext;
use crate::context::Relative;
use crate::context::TermDefinition;
use crate::syntax;

impl Expander<'_> {
    /// `scalar` under the property `name`, which `definition` defines.
    pub(super) fn value(
        &mut self,
        scalar: &Value,
        context: &ActiveContext,
        definition: Option<&std::sync::Arc<TermDefinition>>,
        name: &str,
    ) -> Result<Value, Error> {
        let mapping = definition.and_then(|definition| definition.type_mapping.as_deref());
        if let Value::String(text) = scalar {
            match mapping {
                Some("@id") => return self.reference(context, text, Relative::Document, name),
                Some("@vocab") => return self.reference(context, text, Relative::VocabularyOrDocument, name),
                _ => {}
            }
        }
        let mut result = Map::new();
        result.insert("@value".to_owned(), scalar.clone());
        match mapping {
            Some(datatype) if !matches!(datatype, "@id" | "@vocab" | "@none") => {
                self.bytes.spend(datatype.len())?;
                result.insert("@type".to_owned(), Value::from(datatype));
            }
            _ if scalar.is_string() => {
                let language = match definition {
                    Some(definition) => definition.language.or(context.language.as_ref()),
                    None => context.language.as_ref(),
                };
                if let Some(language) = language {
                    self.bytes.spend(language.len())?;
                    result.insert("@language".to_owned(), Value::from(&**language));
                }
                let direction = match definition {
                    Some(definition) => definition.direction.or(context.direction.as_ref()),
                    None => context.direction.as_ref(),
                };
                if let Some(direction) = direction {
                    result.insert("@direction".to_owned(), Value::from(direction.as_str()));
                }
            }
            _ => {}
        }
        Ok(Value::Object(result))
    }

    fn reference(
        &mut self,
        context: &ActiveContext,
        text: &str,
        relative: Relative,
        name: &str,
    ) -> Result<Value, Error> {
        let iri = self.written_iri(context, text, relative)?;
        if relative == Relative::VocabularyOrDocument {
            self.check_term(context, text, iri.as_deref(), name)?;
        }
        self.check_reference(iri.as_deref(), name)?;
        Ok(object([("@id", iri.map_or(Value::Null, Value::from))]))
    }

    /// An identifier or type must be absolute, unless lenient.
    pub(super) fn check_reference(&self, iri: Option<&str>, name: &str) -> Result<(), Error> {
        match iri {
            Some(label) if syntax::is_blank_node(label) => self.check_no_blank_node(name),
            Some(iri) if syntax::is_well_formed_iri(iri) => Ok(()),
            Some(_) | None => self.lose(name, DataLoss::RelativeOrMalformedIri),
        }
    }
}
