//! [Deserialize JSON-LD to RDF](https://www.w3.org/TR/json-ld11-api/#deserialize-json-ld-to-rdf-algorithm).
//!
//! The standard goes through a node map, which merges the node objects of one identifier. A dataset is a
//! set, so quads made from the expanded document directly come to the same; only what the node map refuses
//! (two indexes for one node) has to be watched here.

use std::collections::HashMap;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

use crate::DataLoss;
use crate::Error;
use crate::ErrorCode;
use crate::Mode;
use crate::Options;
use crate::RdfDirection;
use crate::error::invalid;
use crate::expand;
use crate::expansion::PLACE;
use crate::expansion::expand_with_places;
use crate::rdf;
use crate::rdf::BlankNode;
use crate::rdf::Dataset;
use crate::rdf::Literal;
use crate::rdf::LiteralKind;
use crate::rdf::Object;
use crate::rdf::Quad;
use crate::rdf::Resource;
use crate::syntax;

/// The RDF dataset that `document` stands for. Blank nodes are numbered in the order they are met; language
/// tags become lower case, as the standard allows and the widespread implementations do, so that documents
/// of both sides have one canonical form.
///
/// # Errors
/// [`Error`]: the author's fault, except [`Error::UnknownContext`], which may be ours.
pub fn to_rdf(document: &Value, options: &Options<'_>) -> Result<Dataset, Error> {
    let mut writer = Writer::new(options);
    writer.document(&expand(document, options)?)?;
    Ok(Dataset::new(writer.quads))
}

/// A dataset whose blank nodes are known by where they stand in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The quads.
    pub dataset: Dataset,
    /// For each blank node, by number, the [JSON pointer](https://www.rfc-editor.org/rfc/rfc6901) to the object
    /// that stands for it. For a cell of a list it is that to the item and a `~`, which no pointer ends with.
    pub places: Vec<String>,
}

/// As [`to_rdf`], and where each blank node comes from. The document must be in compacted form
/// ([`Mode::Compact`], whatever `options` say): elsewhere one place can stand for several nodes.
///
/// # Errors
/// [`Error`]; besides, graphs without a name are refused, which no object stands for.
pub fn to_rdf_with_places(document: &Value, options: &Options<'_>) -> Result<Placed, Error> {
    let options = Options {
        mode: Mode::Compact,
        ..*options
    };
    let mut writer = Writer::new(&options);
    writer.places = Some(Vec::new());
    writer.document(&expand_with_places(document, &options)?)?;
    Ok(Placed {
        dataset: Dataset::new(writer.quads),
        places: writer.places.unwrap_or_default(),
    })
}

/// The graph that quads go to.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Graph {
    Default,
    /// Its name is no IRI: its quads are dropped.
    Dropped,
    Named(Resource),
}

struct Writer {
    strict: bool,
    direction: RdfDirection,
    quads: Vec<Quad>,
    /// The blank node for each label of the document.
    blank_nodes: HashMap<String, BlankNode>,
    next_blank_node: u32,
    /// Where each blank node comes from, if that is asked for.
    places: Option<Vec<String>>,
    indexes: HashMap<(Graph, Resource), String>,
}

impl Writer {
    fn new(options: &Options<'_>) -> Self {
        Self {
            strict: options.mode != Mode::Lenient,
            direction: options.rdf_direction,
            quads: Vec::new(),
            blank_nodes: HashMap::new(),
            next_blank_node: 0,
            places: None,
            indexes: HashMap::new(),
        }
    }

    fn document(&mut self, expanded: &[Value]) -> Result<(), Error> {
        for node in expanded {
            self.node(node, &Graph::Default)?;
        }
        Ok(())
    }

    /// Writes the quads of one item of a graph and returns what stands for it; none if it has no
    /// well-formed identifier.
    fn node(&mut self, node: &Value, graph: &Graph) -> Result<Option<Resource>, Error> {
        let Value::Object(node) = node else {
            return Ok(None);
        };
        let subject = match node.get("@id") {
            Some(id) => self.resource(id.as_str(), "@id")?,
            None => Some(Resource::Blank(self.blank_node_at(node, "")?)),
        };
        self.check_index(node, subject.as_ref(), graph)?;
        let mut keys: Vec<&String> = node.keys().collect();
        keys.sort_unstable();
        for key in keys {
            let Some(value) = node.get(key) else { continue };
            match key.as_str() {
                "@type" => self.types(value, subject.as_ref(), graph)?,
                "@graph" => {
                    let graph = subject.clone().map_or(Graph::Dropped, Graph::Named);
                    self.nodes(value, &graph)?;
                }
                "@included" => self.nodes(value, graph)?,
                "@reverse" => self.reverse(value, subject.as_ref(), graph)?,
                keyword if keyword.starts_with('@') => {}
                property => self.statements(property, value, subject.as_ref(), graph)?,
            }
        }
        Ok(subject)
    }

    fn nodes(&mut self, nodes: &Value, graph: &Graph) -> Result<(), Error> {
        for node in nodes.as_array().into_iter().flatten() {
            self.node(node, graph)?;
        }
        Ok(())
    }

    fn types(&mut self, types: &Value, subject: Option<&Resource>, graph: &Graph) -> Result<(), Error> {
        for name in types.as_array().into_iter().flatten() {
            let class = self.resource(name.as_str(), "@type")?;
            self.push(subject, rdf::RDF_TYPE, class.map(Object::Resource), graph);
        }
        Ok(())
    }

    fn reverse(&mut self, reverse: &Value, object: Option<&Resource>, graph: &Graph) -> Result<(), Error> {
        for (property, items) in reverse.as_object().into_iter().flatten() {
            let is_property = self.is_property(property)?;
            for item in items.as_array().into_iter().flatten() {
                let subject = self.node(item, graph)?;
                if is_property {
                    let object = object.cloned().map(Object::Resource);
                    self.push(subject.as_ref(), property, object, graph);
                }
            }
        }
        Ok(())
    }

    fn statements(
        &mut self,
        property: &str,
        values: &Value,
        subject: Option<&Resource>,
        graph: &Graph,
    ) -> Result<(), Error> {
        let is_property = self.is_property(property)?;
        // What a dropped property leads to still has statements of its own.
        for item in values.as_array().into_iter().flatten() {
            let object = self.object(item, property, graph)?;
            if is_property {
                self.push(subject, property, object, graph);
            }
        }
        Ok(())
    }

    fn is_property(&self, property: &str) -> Result<bool, Error> {
        if syntax::is_blank_node(property) {
            self.lose(property, DataLoss::BlankNodeProperty)?;
            return Ok(false);
        }
        if !syntax::is_well_formed_iri(property) {
            self.lose(property, DataLoss::RelativeOrMalformedIri)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// [Object to RDF Conversion](https://www.w3.org/TR/json-ld11-api/#object-to-rdf-conversion).
    fn object(&mut self, item: &Value, property: &str, graph: &Graph) -> Result<Option<Object>, Error> {
        if let (Some(items), Value::Object(list)) = (item.get("@list"), item) {
            return Ok(Some(Object::Resource(self.list(items, list, property, graph)?)));
        }
        match (item.get("@value"), item) {
            (Some(value), Value::Object(item)) => Ok(self.literal(value, item, property)?.map(Object::Literal)),
            _ => Ok(self.node(item, graph)?.map(Object::Resource)),
        }
    }

    /// [List to RDF Conversion](https://www.w3.org/TR/json-ld11-api/#list-to-rdf-conversion).
    fn list(
        &mut self,
        items: &Value,
        list: &Map<String, Value>,
        property: &str,
        graph: &Graph,
    ) -> Result<Resource, Error> {
        let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut rest = Resource::Iri(rdf::RDF_NIL.to_owned());
        // From the end, so that each cell knows the next one.
        for (index, item) in items.iter().enumerate().rev() {
            let cell = Resource::Blank(self.blank_node_at(list, &format!("/{index}~"))?);
            let first = self.object(item, property, graph)?;
            self.push(Some(&cell), rdf::RDF_FIRST, first, graph);
            self.push(Some(&cell), rdf::RDF_REST, Some(Object::Resource(rest)), graph);
            rest = cell;
        }
        Ok(rest)
    }

    /// Steps 4 to 15 of Object to RDF Conversion.
    fn literal(&self, value: &Value, item: &Map<String, Value>, property: &str) -> Result<Option<Literal>, Error> {
        if item.contains_key("@index") {
            self.lose(property, DataLoss::Index)?;
        }
        let datatype = item.get("@type").and_then(Value::as_str);
        if datatype.is_some_and(|datatype| datatype != "@json" && !syntax::is_well_formed_iri(datatype)) {
            self.lose(property, DataLoss::RelativeOrMalformedIri)?;
            return Ok(None);
        }
        let language = item.get("@language").and_then(Value::as_str);
        if language.is_some_and(|language| !syntax::is_language_tag(language)) {
            self.lose(property, DataLoss::MalformedLanguageTag)?;
            return Ok(None);
        }
        let (text, default_datatype) = match value {
            json if datatype == Some("@json") => match keys::jcs::canonicalize(json) {
                Ok(text) => (text, rdf::RDF_JSON),
                Err(_) => return invalid(ErrorCode::InvalidJsonLiteral, property),
            },
            Value::Bool(boolean) => (boolean.to_string(), rdf::XSD_BOOLEAN),
            Value::Number(number) => match lexical_number(number, datatype == Some(rdf::XSD_DOUBLE)) {
                Some(lexical) => lexical,
                None => return invalid(ErrorCode::InvalidValueObjectValue, property),
            },
            Value::String(text) => (text.clone(), rdf::XSD_STRING),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return invalid(ErrorCode::InvalidValueObjectValue, property);
            }
        };
        let language = language.map(str::to_lowercase);
        let kind = match item.get("@direction").and_then(Value::as_str) {
            Some(direction) if self.direction == RdfDirection::I18nDatatype => {
                let language = language.unwrap_or_default();
                LiteralKind::Typed(format!("https://www.w3.org/ns/i18n#{language}_{direction}"))
            }
            direction => {
                if direction.is_some() {
                    self.lose(property, DataLoss::Direction)?;
                }
                match language {
                    Some(tag) => LiteralKind::Language(tag),
                    None => LiteralKind::Typed(
                        datatype
                            .filter(|datatype| *datatype != "@json")
                            .unwrap_or(default_datatype)
                            .to_owned(),
                    ),
                }
            }
        };
        Ok(Some(Literal { text, kind }))
    }

    /// The IRI or blank node that an expanded identifier stands for.
    fn resource(&mut self, id: Option<&str>, key: &str) -> Result<Option<Resource>, Error> {
        match id {
            Some(label) if syntax::is_blank_node(label) => {
                let node = match self.blank_nodes.get(label) {
                    Some(node) => *node,
                    None => self.fresh_blank_node(Some(label.to_owned()))?,
                };
                self.blank_nodes.insert(label.to_owned(), node);
                Ok(Some(Resource::Blank(node)))
            }
            Some(iri) if syntax::is_well_formed_iri(iri) => Ok(Some(Resource::Iri(iri.to_owned()))),
            _ => {
                self.lose(key, DataLoss::RelativeOrMalformedIri)?;
                Ok(None)
            }
        }
    }

    /// The blank node that `object` stands for, or the cell of it.
    fn blank_node_at(&mut self, object: &Map<String, Value>, cell: &str) -> Result<BlankNode, Error> {
        let place = object.get(PLACE).and_then(Value::as_str);
        self.fresh_blank_node(place.map(|place| format!("{place}{cell}")))
    }

    fn fresh_blank_node(&mut self, place: Option<String>) -> Result<BlankNode, Error> {
        if let Some(places) = &mut self.places {
            places.push(place.ok_or(Error::UnnamedGraph)?);
        }
        let node = BlankNode(self.next_blank_node);
        self.next_blank_node += 1;
        Ok(node)
    }

    /// Step 6.8 of Node Map Generation.
    fn check_index(&mut self, node: &Map<String, Value>, id: Option<&Resource>, graph: &Graph) -> Result<(), Error> {
        let (Some(index), Some(id)) = (node.get("@index").and_then(Value::as_str), id) else {
            return Ok(());
        };
        self.lose("@index", DataLoss::Index)?;
        let known = self
            .indexes
            .entry((graph.clone(), id.clone()))
            .or_insert_with(|| index.to_owned());
        if known != index {
            return invalid(ErrorCode::ConflictingIndexes, "@index");
        }
        Ok(())
    }

    fn push(&mut self, subject: Option<&Resource>, predicate: &str, object: Option<Object>, graph: &Graph) {
        let graph = match graph {
            Graph::Default => None,
            Graph::Named(name) => Some(name.clone()),
            Graph::Dropped => return,
        };
        if let (Some(subject), Some(object)) = (subject, object) {
            self.quads.push(Quad {
                subject: subject.clone(),
                predicate: predicate.to_owned(),
                object,
                graph,
            });
        }
    }

    fn lose(&self, term: &str, loss: DataLoss) -> Result<(), Error> {
        if self.strict {
            return Err(Error::DataLoss {
                term: term.to_owned(),
                loss,
            });
        }
        Ok(())
    }
}

/// The canonical lexical form and default datatype of a JSON number
/// ([Data Round Tripping](https://www.w3.org/TR/json-ld11-api/#data-round-tripping)). None for a number that
/// is no finite double.
pub(crate) fn lexical_number(number: &Number, as_double: bool) -> Option<(String, &'static str)> {
    if !as_double {
        if let Some(integer) = number.as_i64() {
            return Some((integer.to_string(), rdf::XSD_INTEGER));
        }
        if let Some(integer) = number.as_u64() {
            return Some((integer.to_string(), rdf::XSD_INTEGER));
        }
    }
    let double = number.as_f64().filter(|double| double.is_finite())?;
    if as_double || double.fract() != 0.0 || double.abs() >= 1e21 {
        return Some((canonical_double(double), rdf::XSD_DOUBLE));
    }
    // Adding zero turns -0 into 0.
    Some((format!("{:.0}", double + 0.0), rdf::XSD_INTEGER))
}

/// One digit before the point, at least one and at most 15 after it, no zeros at the end.
fn canonical_double(double: f64) -> String {
    let printed = format!("{:.15E}", double + 0.0);
    let (mantissa, exponent) = printed.split_once('E').unwrap_or((&printed, "0"));
    let mantissa = mantissa.trim_end_matches('0');
    let zero = if mantissa.ends_with('.') { "0" } else { "" };
    format!("{mantissa}{zero}E{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_canonical_form() {
        let lexical = |json: &str| lexical_number(&json.parse().unwrap(), false).unwrap();
        for (json, expected) in [
            ("0", ("0", rdf::XSD_INTEGER)),
            ("-0", ("0", rdf::XSD_INTEGER)),
            ("-0.0", ("0", rdf::XSD_INTEGER)),
            ("1.0", ("1", rdf::XSD_INTEGER)),
            ("1e3", ("1000", rdf::XSD_INTEGER)),
            ("18446744073709551615", ("18446744073709551615", rdf::XSD_INTEGER)),
            ("1e20", ("100000000000000000000", rdf::XSD_INTEGER)),
            ("1e21", ("1.0E21", rdf::XSD_DOUBLE)),
            ("5.3", ("5.3E0", rdf::XSD_DOUBLE)),
            ("-0.00012", ("-1.2E-4", rdf::XSD_DOUBLE)),
            ("0.1", ("1.0E-1", rdf::XSD_DOUBLE)),
        ] {
            let (text, datatype) = lexical(json);
            assert_eq!((text.as_str(), datatype), expected, "{json}");
        }
        assert_eq!(lexical_number(&Number::from(10), true).unwrap().0, "1.0E1");
        assert_eq!(lexical_number(&Number::from(0), true).unwrap().0, "0.0E0");
    }
}
