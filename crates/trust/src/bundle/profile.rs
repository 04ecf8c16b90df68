//! What somebody needs of a bundle. The state is always whole, or nothing could be proven of it; what may be left out are
//! the status lists and schema documents, which are most of its bytes.

use std::collections::BTreeSet;

use crate::entry::Action;
use crate::merkle::Hash;
use crate::state::SchemaRecord;
use crate::state::State;
use crate::state::StatusRecord;

/// Whose credentials are verified with a bundle. An empty set leaves nothing out; of several, all must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Profile {
    /// DIDs of issuers.
    pub issuers: BTreeSet<String>,
    /// Ids of schemas, or what credentials call them: a `vct`, a W3C type, a `docType`.
    pub types: BTreeSet<String>,
    /// Territories, as accreditations name them; one that names none is for all.
    pub territories: BTreeSet<String>,
}

impl Profile {
    /// Whether nothing is left out.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a status list is of use: its issuer is one of those asked for, and is or was accredited to issue such a type
    /// in such a territory.
    #[must_use]
    pub fn has_list(&self, state: &State, record: &StatusRecord) -> bool {
        let issuer = record.issuer();
        if !self.issuers.is_empty() && !self.issuers.contains(issuer) {
            return false;
        }
        if self.types.is_empty() && self.territories.is_empty() {
            return true;
        }
        state.accreditations_of(issuer, Action::Issue).any(|record| {
            let grant = record.grant();
            let mut resources = grant.resources.iter();
            let of_type = self.types.is_empty() || resources.any(|resource| self.has_type(state, &resource.id));
            let territories = &grant.territories;
            let is_there = self.territories.is_empty()
                || territories.is_empty()
                || territories.iter().any(|territory| self.territories.contains(territory));
            of_type && is_there
        })
    }

    /// The digests of the contents that are of use, of records that an entry from the index `since` on has changed.
    #[must_use]
    pub fn contents(&self, state: &State, since: u64) -> BTreeSet<Hash> {
        let lists = state.status_lists_since(since);
        let lists = lists
            .filter(|record| self.has_list(state, record))
            .map(|record| record.list().compact);
        let schemas = state
            .schemas_since(since)
            .filter(|record| self.types.is_empty() || self.has_type(state, record.id()));
        let documents = schemas
            .filter_map(SchemaRecord::schema)
            .flat_map(|schema| &schema.documents);
        lists.chain(documents.map(|document| document.digest)).collect()
    }

    fn has_type(&self, state: &State, id: &str) -> bool {
        is_named(&self.types, state, id)
    }
}

/// Whether a schema is one of `types`, by its id or by what credentials call it.
pub(super) fn is_named(types: &BTreeSet<String>, state: &State, id: &str) -> bool {
    types.contains(id)
        || state.schema(id).is_some_and(|schema| {
            let mut names = [&schema.vct].into_iter().chain(&schema.aliases);
            names.any(|name| types.contains(name))
                || schema
                    .w3c_types
                    .iter()
                    .chain(&schema.doctype)
                    .any(|name| types.contains(name))
        })
}
