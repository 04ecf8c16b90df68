//! What claims are called, and in which order they are shown.

use credential::ClaimPath;
use credential::claim_path::PathComponent;
use credential::sd_jwt_vc::type_metadata::ResolvedType;
use openid4vc::vci::configuration::ClaimDescription;

use super::Phrase;
use super::View;
use super::language;
use crate::claims::claim_path;

/// The labels in the wanted language, by path, in the order in which the claims are to stand.
pub(crate) struct Labels(Vec<(ClaimPath, Option<Phrase>)>);

impl Labels {
    /// Those of the type metadata, then those of the issuer's metadata for paths that the type says nothing about.
    pub(crate) fn new(descriptions: &[ClaimDescription], view: &View<'_>) -> Self {
        let mut labels = Vec::new();
        for claim in view.resolved.map(ResolvedType::claims).unwrap_or_default() {
            let displays = claim.display.as_deref().unwrap_or_default();
            let display = language::best(view.locale, displays, |display| Some(&display.locale));
            let label = display.map(|display| Phrase::new(&display.label, Some(&display.locale)));
            labels.push((claim.path.clone(), label));
        }
        let of_type = labels.len();
        for claim in descriptions {
            let Some(path) = claim_path(claim) else { continue };
            let display = language::best(view.locale, &claim.display, |display| display.locale.as_deref());
            let label =
                display.and_then(|display| Some(Phrase::new(display.name.as_deref()?, display.locale.as_deref())));
            let known = labels
                .get_mut(..of_type)
                .and_then(|known| known.iter_mut().find(|one| one.0 == path));
            match known {
                Some((_, known)) => *known = known.take().or(label),
                None => labels.push((path, label)),
            }
        }
        Self(labels)
    }

    /// The label for the claim at `path`.
    pub(crate) fn label(&self, path: &[PathComponent]) -> Option<&Phrase> {
        let fits = |(described, _): &&(ClaimPath, Option<Phrase>)| {
            described.components().len() == path.len() && leads_to(described, path)
        };
        self.0.iter().find(fits).and_then(|(_, label)| label.as_ref())
    }

    /// Its place among the claims beside it: where it, or something in it, is described first.
    pub(crate) fn place(&self, path: &[PathComponent]) -> usize {
        let described = |one: &(ClaimPath, Option<Phrase>)| leads_to(&one.0, path);
        self.0.iter().position(described).unwrap_or(usize::MAX)
    }
}

/// Whether `described` begins with `path`.
fn leads_to(described: &ClaimPath, path: &[PathComponent]) -> bool {
    let fits = |(described, found): (&PathComponent, &PathComponent)| {
        described == found || matches!((described, found), (PathComponent::All, PathComponent::Index(_)))
    };
    described.components().len() >= path.len() && described.components().iter().zip(path).all(fits)
}
