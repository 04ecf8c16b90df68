//! The direct path: JSON to canonical N-Quads in one walk, for documents as nearly all credentials are.
//!
//! # What it takes
//! - [`Mode::Compact`] or [`Mode::Strict`], no base IRI, no expand context;
//! - contexts by URL only, in which `id` and `type` are the only names for keywords;
//! - keys that are terms, or names in the contexts' `@vocab`;
//! - properties with no container, `@set`, `@list` or `@graph`, and any type; strings without a default
//!   language; value objects of `@value`, `@language` and `@direction`;
//! - scoped contexts of all kinds;
//! - blank nodes that differ in their own statements.
//!
//! Everything else, and whatever is to be refused, is left to the general path: [`n_quads`] gives `None` and has
//! shown nothing. So no error is ever made here, and a document that compact mode would refuse is never taken.
//!
//! # Why the result is the same
//! Contexts are processed by the general path's own [`ContextProcessor`](crate::context::ContextProcessor), and a
//! [`Table`](crate::context::Table) only restates what the active context says of each term. Where the walk
//! differs from expansion and toRdf, it takes less: each of the standard's steps is either done here or makes the
//! walk stop. Canonical N-Quads depend on neither the order of statements nor the numbers of blank nodes; when all
//! first degree hashes differ, RDFC-1.0 labels by them alone and does no further work. `tests/documents/paths.rs`
//! and the fuzz target `jsonld_paths` compare both paths.

mod labels;
mod quads;
mod values;
mod walk;

#[cfg(test)]
mod tests;

use serde_json::Map;
use serde_json::Value;

use crate::HashAlgorithm;
use crate::Mode;
use crate::Options;
use quads::Quad;
use walk::Walker;

/// The canonical N-Quads of `document` with `context` in the place of its own; `None` if it is not one that the
/// direct path takes.
pub(crate) fn n_quads(
    document: &Map<String, Value>,
    context: Option<&Value>,
    options: &Options<'_>,
    algorithm: HashAlgorithm,
) -> Option<String> {
    let (quads, blank_nodes) = walk(document, context, options)?;
    let labels = labels::labels(&quads, blank_nodes, algorithm)?;
    Some(quads::sorted_lines(&quads, &labels))
}

/// Whether the direct path takes `document`, which is therefore one that nobody refuses.
pub(crate) fn takes(document: &Map<String, Value>, options: &Options<'_>) -> bool {
    walk(document, None, options).is_some()
}

/// The statements of `document`, and how many blank nodes they have.
fn walk<'d>(
    document: &'d Map<String, Value>,
    context: Option<&Value>,
    options: &Options<'d>,
) -> Option<(Vec<Quad<'d>>, u32)> {
    if options.mode == Mode::Lenient || options.base.is_some() || options.expand_context.is_some() {
        return None;
    }
    Walker::new(options).document(document, context)
}
