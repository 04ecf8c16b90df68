//! What a credential must have to answer a credential query: the rules that wallet and verifier share
//! ([OpenID4VP 1.0, section 6.4](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#dcql_query_lang_processing_rules)).

use std::collections::BTreeSet;

use serde_json::Value;

use super::path::ClaimsPath;
use super::path::Step;
use super::query::ClaimsQuery;
use super::query::CredentialQuery;
use super::query::Meta;

/// Whether `types` answer the type constraint.
pub(super) fn type_fits(meta: &Meta, types: &[String]) -> bool {
    match meta {
        Meta::SdJwtVc { vct_values } => vct_values.iter().any(|vct| types.contains(vct)),
        Meta::W3c { type_values } => type_values.iter().any(|all| all.iter().all(|one| types.contains(one))),
        Meta::MsoMdoc { doctype_value } => types.contains(doctype_value),
        // An empty `meta` constrains nothing; what we do not understand, we cannot say we meet.
        Meta::Other(meta) => meta.is_empty(),
    }
}

/// Whether indices into arrays mean the same as in the credential that the query is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Positions {
    /// The whole credential.
    Kept,
    /// What is left of it after undisclosed array elements went out.
    Lost,
}

/// The places of the claims asked for: those of the first alternative that the credential can serve.
///
/// # Errors
/// The first path that selects nothing of use, of the preferred alternative.
pub(super) fn select_claims(
    query: &CredentialQuery,
    claims: &Value,
    positions: Positions,
) -> Result<BTreeSet<Vec<Step>>, ClaimsPath> {
    if query.claim_sets.is_empty() {
        return places(query.claims.iter(), claims, positions);
    }
    let alternatives = query.claim_sets.iter().map(|set| {
        let named = |claim: &&ClaimsQuery| claim.id.as_ref().is_some_and(|id| set.contains(id));
        places(query.claims.iter().filter(named), claims, positions)
    });
    let mut first_failure = None;
    for alternative in alternatives {
        match alternative {
            Ok(places) => return Ok(places),
            Err(path) => first_failure = first_failure.or(Some(path)),
        }
    }
    // `claim_sets` is not empty here, so there was a failure; without one nothing is asked for.
    first_failure.map_or_else(|| Ok(BTreeSet::new()), Err)
}

fn places<'q>(
    wanted: impl Iterator<Item = &'q ClaimsQuery>,
    claims: &Value,
    positions: Positions,
) -> Result<BTreeSet<Vec<Step>>, ClaimsPath> {
    let mut all = BTreeSet::new();
    for claim in wanted {
        let selected = match positions {
            Positions::Kept => claim.path.select(claims),
            Positions::Lost => claim.path.select_moved(claims),
        };
        let selected = selected.map_err(|_| claim.path.clone())?;
        // A claim with another value "should be treated the same as if it did not exist".
        let of_use = selected
            .into_iter()
            .filter(|one| claim.values.is_empty() || claim.values.contains(one.value));
        let places: Vec<_> = of_use.map(|one| one.place).collect();
        if places.is_empty() {
            return Err(claim.path.clone());
        }
        all.extend(places);
    }
    Ok(all)
}
