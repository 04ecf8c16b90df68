//! Which of the given bundles count: those of pinned registries, and those of the registries that these recognise.
//!
//! Recognition is not transitive: only what a pinned registry says of another counts, and it is asked in the bundle at hand,
//! which may be newer than the one with which the other was loaded. A bundle that does not count lends no key to anything.

use keys::Timestamp;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Extract;
use trust::bundle::RecognitionError;
use trust::bundle::Standing;
use trust::entry::Action;
use trust::entry::Recognition;

use crate::Reason;

/// The bundles of one verification, sorted; or an extract that came with the answer, and the bundles behind it.
pub(crate) struct Bundles<'b> {
    /// What the register says of issuers, if it is not asked of the bundles.
    extract: Option<(&'b TrustedBundle, Option<Recognised<'b>>)>,
    /// Those of pinned registries first.
    counted: Vec<(&'b TrustedBundle, Option<Recognised<'b>>)>,
    not_counted: Vec<(&'b TrustedBundle, Reason)>,
}

/// By whom a registry is recognised, and for what.
#[derive(Clone, Copy)]
pub(crate) struct Recognised<'b> {
    by: &'b TrustedBundle,
    terms: &'b Recognition,
}

impl<'b> Bundles<'b> {
    pub(crate) fn sort(given: &[&'b TrustedBundle], now: Timestamp) -> Self {
        let pinned = given.iter().filter(|bundle| *bundle.standing() == Standing::Pinned);
        let mut sorted = Self {
            extract: None,
            counted: pinned.map(|bundle| (*bundle, None)).collect(),
            not_counted: Vec::new(),
        };
        for bundle in given {
            if let Standing::Recognised { .. } = bundle.standing() {
                match recognised(given, bundle, now) {
                    Ok(recognised) => sorted.counted.push((bundle, Some(recognised))),
                    Err(reason) => sorted.not_counted.push((bundle, reason)),
                }
            }
        }
        sorted
    }

    /// With an extract as the only one that is asked about issuers. `None` where it does not count: it is older than a bundle
    /// of its registry, or nobody here recognises that.
    pub(crate) fn with_extract(given: &[&'b TrustedBundle], extract: &'b Extract, now: Timestamp) -> Option<Self> {
        let extract = extract.bundle();
        // What a holder kept for long, or somebody forked, must not hide what the verifier knows.
        let hides =
            |bundle: &&TrustedBundle| bundle.anchor() == extract.anchor() && extract.newer_than(bundle).is_err();
        if given.iter().any(hides) {
            return None;
        }
        let recognised = match extract.standing() {
            Standing::Pinned => None,
            Standing::Recognised { .. } => Some(recognised(given, extract, now).ok()?),
        };
        Some(Self {
            extract: Some((extract, recognised)),
            ..Self::sort(given, now)
        })
    }

    /// Those that are asked about issuers.
    pub(crate) fn of_issuers(&self) -> impl Iterator<Item = &'b TrustedBundle> {
        let behind = self.counted.iter().filter(|_| self.extract.is_none());
        self.extract.iter().chain(behind).map(|(bundle, _)| *bundle)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'b TrustedBundle> {
        self.extract.iter().chain(&self.counted).map(|(bundle, _)| *bundle)
    }

    /// Why a DID is unknown: the bundle that has it may be one that does not count.
    pub(crate) fn unknown(&self, did: &str) -> Reason {
        let not_counted = self.not_counted.iter();
        let mut reasons = not_counted.filter(|(bundle, _)| bundle.document(did).is_some());
        reasons.next().map_or_else(
            || Reason::IssuerUnknown { issuer: did.to_owned() },
            |(_, reason)| reason.clone(),
        )
    }

    /// The recognition under which one of these bundles counts; `None` for a pinned one.
    pub(crate) fn recognition(&self, bundle: &TrustedBundle) -> Option<Recognised<'b>> {
        let mut counted = self.extract.iter().chain(&self.counted);
        counted.find(|(one, _)| std::ptr::eq(*one, bundle))?.1
    }
}

impl<'b> Recognised<'b> {
    /// The origin of the registry that recognises.
    pub(crate) fn by(&self) -> &'b str {
        self.by.anchor().origin()
    }

    /// What a type of the recognised registry is called in the one that recognises it.
    pub(crate) fn local(&self, origin: &str, schema: &'b str) -> Result<&'b str, Reason> {
        let not_for = |what: &str| Reason::NotRecognisedFor {
            origin: origin.to_owned(),
            what: what.to_owned(),
        };
        if !self.terms.actions.contains(&Action::Issue) {
            return Err(not_for("issuing"));
        }
        if self.terms.mapping.is_empty() {
            return Ok(schema);
        }
        let mut mapping = self.terms.mapping.iter();
        let mapped = mapping.find(|mapped| mapped.foreign == schema);
        Ok(&mapped.ok_or_else(|| not_for(schema))?.local)
    }

    /// Whether the registry that recognises has a type of its own under this name, and demands a status for it.
    pub(crate) fn demands_status(&self, local: &str) -> bool {
        self.by
            .state()
            .schema(local)
            .is_some_and(|schema| schema.status_required)
    }
}

/// The recognition in the newest bundle of the registry through which `bundle` was believed.
fn recognised<'b>(
    given: &[&'b TrustedBundle],
    bundle: &TrustedBundle,
    now: Timestamp,
) -> Result<Recognised<'b>, Reason> {
    let is_by = |anchor: &Anchor| matches!(bundle.standing(), Standing::Recognised { by } if **by == *anchor);
    let pinned = given.iter().filter(|home| *home.standing() == Standing::Pinned);
    let by = pinned.copied().filter(|home| is_by(home.anchor()));
    let by = by.max_by_key(|home| home.checkpoint().size());
    let by = by.ok_or_else(|| RecognitionError::None {
        origin: bundle.anchor().origin().to_owned(),
    })?;
    if by.has_expired(now) {
        return Err(Reason::BundleExpired {
            expired: by.snapshot().hard_expiry,
        });
    }
    let terms = by.terms_for(bundle, now)?;
    // What says that the other one counts is as perishable as what the other one says.
    let limit = i64::try_from(terms.max_staleness).unwrap_or(i64::MAX);
    for as_of in [by.as_of(), bundle.as_of()] {
        let age = now.seconds_since(as_of);
        if age > limit {
            return Err(Reason::Stale { age, limit, as_of });
        }
    }
    Ok(Recognised { by, terms })
}
