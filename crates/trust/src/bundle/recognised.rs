//! Bundles of registries that are believed because a pinned one recognises them.

use keys::Timestamp;
use thiserror::Error;

use super::BundleError;
use super::Limits;
use super::Standing;
use super::TrustedBundle;
use super::load::Parsed;
use crate::anchor::Anchor;
use crate::anchor::AnchorError;
use crate::entry::Recognition;
use crate::note::NoteError;
use crate::note::VerifierKey;

/// Why a recognition does not cover a bundle.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecognitionError {
    /// The registry that recognises knows a registry of that name with another key or another beginning.
    #[error("expected the registry {origin} with the anchor that was recognised, found another of that name")]
    Anchor {
        /// The name of both.
        origin: String,
    },
    /// It shows another tree than the one that was seen: a fork.
    #[error("expected the tree of size {size} that was recognised, found another: the log forked")]
    Fork {
        /// Size of both.
        size: u64,
    },
    /// There is no recognition, or it was withdrawn or is over.
    #[error("the registry {origin} is not recognised")]
    None {
        /// Its name.
        origin: String,
    },
    /// It stands before what was seen when the registry was recognised.
    #[error("expected a checkpoint of size {expected} or more, found {found}")]
    Older {
        /// Size in the terms.
        expected: u64,
        /// Size of the bundle.
        found: u64,
    },
    /// The log key in the terms is none: the fault of whoever recognised.
    #[error("the log key in the terms of the recognition cannot be used")]
    Key(#[from] NoteError),
    /// The key in the terms is not that of a log: the fault of whoever recognised.
    #[error("the key in the terms of the recognition is not that of a log")]
    LogKey(#[from] AnchorError),
}

pub(super) fn load(bytes: &[u8], by: &[&TrustedBundle], limits: Limits) -> Result<TrustedBundle, BundleError> {
    let parsed = Parsed::parse(bytes, limits)?;
    let found = find(parsed.origin(), by)?;
    let bundle = parsed.verify(&found.anchor, found.standing)?;
    check(found.terms, &bundle)?;
    Ok(bundle)
}

/// A registry that a pinned one recognises.
pub(super) struct Found<'b> {
    pub(super) anchor: Anchor,
    pub(super) standing: Standing,
    pub(super) terms: &'b Recognition,
}

/// The first recognition of the registry `origin` in those of the bundles `by` that are pinned themselves.
pub(super) fn find<'b>(origin: &str, by: &[&'b TrustedBundle]) -> Result<Found<'b>, BundleError> {
    let pinned = by.iter().filter(|bundle| bundle.standing == Standing::Pinned);
    let mut recognitions = pinned.filter_map(|bundle| {
        let terms = bundle.state.recognition(origin, bundle.as_of())?;
        Some((bundle.anchor(), terms))
    });
    let (by, terms) = recognitions.next().ok_or_else(|| BundleError::NotRecognised {
        found: origin.to_owned(),
    })?;
    Ok(Found {
        anchor: anchor(terms)?,
        standing: Standing::Recognised {
            by: Box::new(by.clone()),
        },
        terms,
    })
}

pub(super) fn terms<'b>(
    by: &'b TrustedBundle,
    other: &TrustedBundle,
    at: Timestamp,
) -> Result<&'b Recognition, RecognitionError> {
    let origin = other.anchor().origin();
    let terms = by.state.recognition(origin, at).ok_or_else(|| RecognitionError::None {
        origin: origin.to_owned(),
    })?;
    if anchor(terms)? != *other.anchor() {
        return Err(RecognitionError::Anchor {
            origin: origin.to_owned(),
        });
    }
    check(terms, other)?;
    Ok(terms)
}

fn anchor(terms: &Recognition) -> Result<Anchor, RecognitionError> {
    Ok(Anchor::new(VerifierKey::parse(&terms.log)?, terms.genesis)?)
}

/// The log that was recognised has gone on since. That it did so without a fork, its witnesses say.
pub(super) fn check(terms: &Recognition, bundle: &TrustedBundle) -> Result<(), RecognitionError> {
    let found = bundle.checkpoint();
    if found.size() < terms.size {
        return Err(RecognitionError::Older {
            expected: terms.size,
            found: found.size(),
        });
    }
    if found.size() == terms.size && found.root() != terms.root {
        return Err(RecognitionError::Fork { size: terms.size });
    }
    Ok(())
}
