//! [RDF 1.1](https://www.w3.org/TR/rdf11-concepts/) datasets.

use crate::n_quads::write_quad;

pub(crate) const RDF_TYPE: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type";
pub(crate) const RDF_FIRST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first";
pub(crate) const RDF_REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
pub(crate) const RDF_NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";
pub(crate) const RDF_JSON: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON";
pub(crate) const XSD_STRING: &str = "http://www.w3.org/2001/XMLSchema#string";
pub(crate) const XSD_BOOLEAN: &str = "http://www.w3.org/2001/XMLSchema#boolean";
pub(crate) const XSD_INTEGER: &str = "http://www.w3.org/2001/XMLSchema#integer";
pub(crate) const XSD_DOUBLE: &str = "http://www.w3.org/2001/XMLSchema#double";

/// A set of quads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    quads: Vec<Quad>,
    blank_nodes: usize,
}

impl Dataset {
    /// The set of `quads`: sorted, each once.
    #[must_use]
    pub fn new(mut quads: Vec<Quad>) -> Self {
        quads.sort_unstable();
        quads.dedup();
        let blank_nodes = quads
            .iter()
            .flat_map(Quad::blank_nodes)
            .map(|node| node.0 as usize + 1)
            .max()
            .unwrap_or(0);
        Self { quads, blank_nodes }
    }

    /// The quads, sorted.
    #[must_use]
    pub fn quads(&self) -> &[Quad] {
        &self.quads
    }

    /// One more than the highest number of a blank node.
    pub(crate) const fn blank_nodes(&self) -> usize {
        self.blank_nodes
    }
}

/// One statement, in a graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quad {
    /// What the statement is about.
    pub subject: Resource,
    /// The property, an IRI.
    pub predicate: String,
    /// The value.
    pub object: Object,
    /// The graph's name; none for the default graph.
    pub graph: Option<Resource>,
}

impl Quad {
    /// The quad as a line of [canonical N-Quads](https://www.w3.org/TR/rdf-canon/#canonical-quads), line feed
    /// included, with `label` for each blank node (what follows `_:`).
    pub fn to_n_quad<'l>(&self, label: impl Fn(BlankNode) -> &'l str) -> String {
        let mut line = String::new();
        write_quad(&mut line, self, &|node, out| out.push_str(label(node)));
        line
    }

    /// The blank nodes in subject, object and graph name, in this order.
    pub(crate) fn blank_nodes(&self) -> impl Iterator<Item = BlankNode> {
        let object = match &self.object {
            Object::Resource(resource) => resource.blank_node(),
            Object::Literal(_) => None,
        };
        let graph = self.graph.as_ref().and_then(Resource::blank_node);
        [self.subject.blank_node(), object, graph].into_iter().flatten()
    }
}

/// A blank node of one dataset, by number. The number means nothing outside of the dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlankNode(pub u32);

/// Something that statements can be about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Something without a name.
    Blank(BlankNode),
    /// Something with an IRI.
    Iri(String),
}

impl Resource {
    const fn blank_node(&self) -> Option<BlankNode> {
        match self {
            Self::Blank(node) => Some(*node),
            Self::Iri(_) => None,
        }
    }
}

/// The value of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A text with a meaning.
    Literal(Literal),
    /// Another thing.
    Resource(Resource),
}

/// A text with a datatype or a language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The lexical form.
    pub text: String,
    /// Datatype or language.
    pub kind: LiteralKind,
}

/// What the text of a literal is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LiteralKind {
    /// `rdf:langString` with this language tag.
    Language(String),
    /// Of the datatype with this IRI.
    Typed(String),
}
