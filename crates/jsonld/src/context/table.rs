//! An active context as the direct path reads it: what each term comes to, worked out once.

use std::sync::Arc;

use foldhash::HashMap;
use foldhash::HashMapExt;

use super::ActiveContext;
use super::Container;
use super::TermDefinition;
use super::tables::Link;
use crate::syntax;

/// One active context, compiled.
pub(crate) struct Table {
    /// Its slot in [`super::tables::Tables`].
    pub(super) number: usize,
    pub(super) active: Arc<ActiveContext>,
    terms: HashMap<Arc<str>, Term>,
    /// Terms that compact IRIs can begin with.
    prefixes: Vec<Arc<str>>,
    /// `id` stands for `@id`.
    pub(crate) has_id: bool,
    /// `type` stands for `@type`.
    pub(crate) has_type: bool,
    /// Some term is spelled like an IRI.
    has_term_with_colon: bool,
    pub(super) previous: Option<Link>,
}

/// One term, compiled.
pub(crate) struct Term {
    pub(crate) role: Role,
    /// The IRI, if the term is the one way to write it as a type or as the value of a `@vocab` property.
    pub(crate) class: Option<Arc<str>>,
    pub(super) definition: Arc<TermDefinition>,
    /// The context of objects below the property: where the type's context stays, and where it ends.
    pub(super) below: [Link; 2],
    /// The context of nodes of this type.
    pub(super) inside: Link,
}

/// What a term is as a key.
pub(crate) enum Role {
    /// `id`, which stands for `@id`.
    Id,
    /// Something that the direct path does not do.
    Other,
    /// A property.
    Property(Property),
    /// `type`, which stands for `@type`.
    Type,
}

/// How a property writes its values.
pub(crate) struct Property {
    pub(crate) iri: Arc<str>,
    pub(crate) values: Values,
    pub(crate) shape: Shape,
}

/// What the scalars of a property are.
#[derive(Clone)]
pub(crate) enum Values {
    /// Values of JSON types.
    Plain,
    /// `@id`.
    Reference,
    /// `@vocab`.
    Vocabulary,
    /// `@json`: whatever stands there.
    Json,
    /// Literals of this datatype.
    Typed(Arc<str>),
}

/// What the values of a property are together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One statement each.
    Set,
    /// One list.
    List,
    /// One graph each.
    Graph,
}

impl Table {
    /// None if keys can stand for keywords other than `id` for `@id` and `type` for `@type`.
    pub(super) fn compile(active: &Arc<ActiveContext>, number: usize) -> Option<Self> {
        let mut table = Self {
            number,
            active: Arc::clone(active),
            terms: HashMap::with_capacity(active.terms.len()),
            prefixes: Vec::new(),
            has_id: false,
            has_type: false,
            has_term_with_colon: false,
            previous: active.previous.as_ref().map(|_| Link::default()),
        };
        for (name, definition) in &active.terms {
            let is_keyword = definition.iri.as_deref().is_some_and(|iri| iri.starts_with('@'));
            let role = match (&**name, definition.iri.as_deref()) {
                ("id", Some("@id")) => Role::Id,
                ("type", Some("@type")) => Role::Type,
                _ if is_keyword || name.starts_with('@') => return None,
                _ => property(name, definition, active).map_or(Role::Other, Role::Property),
            };
            table.has_id |= matches!(role, Role::Id);
            table.has_type |= matches!(role, Role::Type);
            if definition.prefix {
                table.prefixes.push(Arc::clone(name));
            }
            table.has_term_with_colon |= name.contains(':');
            let term = Term {
                role,
                class: definition
                    .iri
                    .clone()
                    .filter(|iri| syntax::is_well_formed_iri(iri) && !active.has_synonym(name)),
                definition: Arc::clone(definition),
                below: [Link::default(), Link::default()],
                inside: Link::default(),
            };
            table.terms.insert(Arc::clone(name), term);
        }
        Some(table)
    }

    pub(crate) fn term(&self, name: &str) -> Option<&Term> {
        self.terms.get(name)
    }

    /// Whether the context of a type ends below the nodes of the type.
    pub(crate) const fn is_type_scoped(&self) -> bool {
        self.previous.is_some()
    }

    /// Whether strings are tagged with a language or direction of the context.
    pub(crate) fn has_language(&self) -> bool {
        self.active.language.is_some() || self.active.direction.is_some()
    }

    /// Whether `text` is a well-formed absolute IRI and stands for itself.
    pub(crate) fn is_absolute_iri(&self, text: &str) -> bool {
        syntax::is_well_formed_iri(text)
            && !(self.has_term_with_colon && self.terms.contains_key(text))
            && (self.prefixes.is_empty() || !self.is_compact_iri(text))
    }

    fn is_compact_iri(&self, text: &str) -> bool {
        text.split_once(':').is_some_and(|(prefix, suffix)| {
            !suffix.starts_with("//") && self.prefixes.iter().any(|known| **known == *prefix)
        })
    }

    /// What `@vocab` makes of `name`, which is no term; none without `@vocab`, or if that is no IRI.
    pub(crate) fn in_vocabulary(&self, name: &str) -> Option<String> {
        if name.starts_with('@') || name.contains(':') {
            return None;
        }
        let iri = format!("{}{name}", self.active.vocabulary.as_deref()?);
        syntax::is_well_formed_iri(&iri).then_some(iri)
    }

    /// As [`Self::in_vocabulary`] for a type or value: none also if there is a term for the IRI.
    pub(crate) fn class_in_vocabulary(&self, name: &str) -> Option<String> {
        self.in_vocabulary(name).filter(|iri| !self.active.has_term_for(iri))
    }
}

impl Term {
    pub(crate) fn has_scoped_context(&self) -> bool {
        self.definition.scoped_context.is_some()
    }

    /// Whether both came from one definition.
    pub(crate) fn is_same_definition(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.definition, &other.definition)
    }
}

/// The property, if the direct path can write it and compact mode takes the term as its name.
fn property(name: &str, definition: &TermDefinition, active: &ActiveContext) -> Option<Property> {
    let iri = definition.iri.as_ref()?;
    let is_the_name = !name.contains(':') && !definition.reverse && !active.has_synonym(name);
    if !is_the_name || !syntax::is_well_formed_iri(iri) {
        return None;
    }
    let shape = match definition.container {
        container if container == Container::default() || container == Container::SET => Shape::Set,
        Container::LIST => Shape::List,
        container if container.without(Container::SET) == Container::GRAPH => Shape::Graph,
        _ => return None,
    };
    let values = match definition.type_mapping.as_deref() {
        Some("@id") => Values::Reference,
        Some("@vocab") => Values::Vocabulary,
        Some("@json") if shape == Shape::Set => Values::Json,
        Some("@json") => return None,
        None | Some("@none") => {
            let language = definition.language.or(active.language.as_ref());
            let direction = definition.direction.or(active.direction.as_ref());
            if language.is_some() || direction.is_some() {
                return None;
            }
            Values::Plain
        }
        Some(datatype) if syntax::is_well_formed_iri(datatype) => {
            definition.type_mapping.clone().map_or(Values::Plain, Values::Typed)
        }
        Some(_) => return None,
    };
    Some(Property {
        iri: Arc::clone(iri),
        values,
        shape,
    })
}
