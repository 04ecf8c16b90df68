//! A type with all that it extends
//! ([extending type metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-extending-type-metadata)).

use thiserror::Error;

use super::ClaimMetadata;
use super::SelectiveDisclosure;
use super::TypeDisplay;
use super::TypeMetadata;
use super::TypeMetadataError;
use super::check_svg_ids;
use crate::ClaimPath;

/// Types that one type may extend, one after the other. A credential of a town extends one of the country, and that one
/// of the union; the rest is room.
pub const MAX_EXTENDED: usize = 8;

/// Type metadata after all extensions: what a credential is compared with and shown by.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct ResolvedType {
    types: Vec<String>,
    display: Vec<TypeDisplay>,
    claims: Vec<ClaimMetadata>,
}

/// The type cannot be resolved. [`Self::Missing`] says what to fetch and to come back with; every other is the fault of
/// an author of the documents, and the credential is refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResolveError {
    /// A type extends itself, by way of others perhaps.
    #[error("expected types that do not extend themselves, found {vct:?} twice")]
    Circular {
        /// The type that stands twice.
        vct: String,
    },
    /// One of the documents is refused.
    #[error("the type metadata of {vct:?} is refused")]
    Document {
        /// The type it was to describe.
        vct: String,
        /// Why.
        #[source]
        source: TypeMetadataError,
    },
    /// A mandatory claim of the extended type was made optional.
    #[error("expected the claims at {path} to stay mandatory, found them optional in an extending type")]
    MandatoryChanged {
        /// Which claims.
        path: ClaimPath,
    },
    /// No document of this type was given.
    #[error("expected a type metadata document of {vct:?}, found none")]
    Missing {
        /// The type.
        vct: String,
    },
    /// `always` or `never` of the extended type was changed.
    #[error("expected `sd` of {path} as in the extended type, found another")]
    SelectiveDisclosureChanged {
        /// Which claims.
        path: ClaimPath,
    },
    /// More extensions than [`MAX_EXTENDED`].
    #[error("expected at most {MAX_EXTENDED} extended types, found more")]
    TooManyExtended,
}

impl ResolvedType {
    /// Resolves the type `vct`. `document` gives the bytes of the document of a type, exactly as retrieved, if the
    /// caller has them; `integrity` is the credential's `vct#integrity`.
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve<'a>(
        vct: &str,
        integrity: Option<&str>,
        document: impl Fn(&str) -> Option<&'a [u8]>,
    ) -> Result<Self, ResolveError> {
        let mut chain: Vec<TypeMetadata> = Vec::new();
        let mut next = Some((vct.to_owned(), integrity.map(str::to_owned)));
        while let Some((vct, integrity)) = next {
            if chain.iter().any(|extending| extending.vct == vct) {
                return Err(ResolveError::Circular { vct });
            }
            if chain.len() > MAX_EXTENDED {
                return Err(ResolveError::TooManyExtended);
            }
            let Some(bytes) = document(&vct) else {
                return Err(ResolveError::Missing { vct });
            };
            let read = TypeMetadata::read(bytes, &vct, integrity.as_deref())
                .map_err(|source| ResolveError::Document { vct, source })?;
            next = read
                .extends
                .clone()
                .map(|extended| (extended, read.extends_integrity.clone()));
            chain.push(read);
        }
        Self::merge(chain)
    }

    /// From the type that extends nothing to the one that was asked for.
    fn merge(chain: Vec<TypeMetadata>) -> Result<Self, ResolveError> {
        let types = chain.iter().map(|metadata| metadata.vct.clone()).collect();
        let (mut display, mut claims) = (Vec::new(), Vec::new());
        for metadata in chain.into_iter().rev() {
            display = metadata.display.unwrap_or(display);
            for claim in metadata.claims {
                merge_claim(&mut claims, claim)?;
            }
            // Unique in each document, but perhaps no longer together.
            check_svg_ids(&claims).map_err(|source| ResolveError::Document {
                vct: metadata.vct,
                source,
            })?;
        }
        Ok(Self { types, display, claims })
    }

    /// The type, then what it extends, the nearest first. Without any authority: that is for the issuer to have.
    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// Names and looks for end users.
    #[must_use]
    pub fn display(&self) -> &[TypeDisplay] {
        &self.display
    }

    /// What is known about the claims.
    #[must_use]
    pub fn claims(&self) -> &[ClaimMetadata] {
        &self.claims
    }

    /// The paths of the claims that an issuer must make selectively disclosable: `sd` is `always`.
    pub fn always_disclosable(&self) -> impl Iterator<Item = &ClaimPath> {
        self.claims
            .iter()
            .filter(|claim| claim.selective_disclosure() == SelectiveDisclosure::Always)
            .map(|claim| &claim.path)
    }
}

/// "The child type's properties are combined with those of the extended type, with the child type's properties taking
/// precedence", and their contents are never merged.
fn merge_claim(claims: &mut Vec<ClaimMetadata>, child: ClaimMetadata) -> Result<(), ResolveError> {
    let Some(base) = claims.iter_mut().find(|base| base.path == child.path) else {
        claims.push(child);
        return Ok(());
    };
    let fixed = base.selective_disclosure() != SelectiveDisclosure::Allowed;
    if fixed && child.sd.is_some_and(|sd| sd != base.selective_disclosure()) {
        return Err(ResolveError::SelectiveDisclosureChanged { path: child.path });
    }
    if base.is_mandatory() && child.mandatory == Some(false) {
        return Err(ResolveError::MandatoryChanged { path: child.path });
    }
    let ClaimMetadata {
        path: _,
        display,
        mandatory,
        sd,
        svg_id,
    } = child;
    base.display = display.or_else(|| base.display.take());
    base.mandatory = mandatory.or(base.mandatory);
    base.sd = sd.or(base.sd);
    base.svg_id = svg_id.or_else(|| base.svg_id.take());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::integrity;
    use crate::integrity::IntegrityError;

    const BASE: &str = "https://example.com/base-type-metadata";
    const CHILD: &str = "https://example.com/custom-type-metadata";

    /// As in the draft's example.
    fn base() -> Value {
        json!({"vct": BASE, "display": [{"locale": "en", "name": "Base"}], "claims": [
            {"path": ["name"], "display": [{"label": "Full Name", "locale": "en"}]},
            {"path": ["address", "city"], "display": [{"label": "City", "locale": "en"}, {"label": "Stadt", "locale": "de"}], "sd": "always", "mandatory": true},
        ]})
    }

    fn child() -> Value {
        json!({"vct": CHILD, "extends": BASE, "claims": [
            {"path": ["address", "city"], "display": [{"label": "Town", "locale": "en"}]},
            {"path": ["nationalities"], "display": [{"label": "Nationalities", "locale": "en"}]},
        ]})
    }

    fn resolve(vct: &str, documents: &[Value]) -> Result<ResolvedType, ResolveError> {
        let documents: BTreeMap<String, Vec<u8>> = documents
            .iter()
            .map(|document| {
                (
                    document["vct"].as_str().unwrap().to_owned(),
                    document.to_string().into_bytes(),
                )
            })
            .collect();
        ResolvedType::resolve(vct, None, |vct| documents.get(vct).map(Vec::as_slice))
    }

    #[test]
    fn the_example_of_the_draft() {
        let resolved = resolve(CHILD, &[base(), child()]).unwrap();
        assert_eq!(resolved.types(), [CHILD, BASE]);
        let labels: Vec<_> = resolved
            .claims()
            .iter()
            .map(|claim| claim.label(&["de"]).unwrap())
            .collect();
        assert_eq!(labels, ["Full Name", "Town", "Nationalities"]);
        // What the child does not say stays, and so does the display of a type without its own.
        assert!(resolved.claims()[1].is_mandatory());
        assert_eq!(resolved.always_disclosable().count(), 1);
        assert_eq!(resolved.display()[0].name, "Base");
        let mut with_display = child();
        with_display["display"] = json!([{"locale": "fr", "name": "Enfant"}]);
        let resolved = resolve(CHILD, &[base(), with_display]).unwrap();
        assert_eq!(resolved.display().len(), 1);
        assert_eq!(resolved.display()[0].name, "Enfant");
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = |vct: &str| Err(ResolveError::Missing { vct: vct.to_owned() });
        assert_eq!(resolve(CHILD, &[]), missing(CHILD));
        assert_eq!(resolve(CHILD, &[child()]), missing(BASE));
    }

    #[test]
    fn circles_and_long_chains_are_refused() {
        let link =
            |vct: usize, extends: usize| json!({"vct": format!("urn:{vct}"), "extends": format!("urn:{extends}")});
        let own = resolve("urn:0", &[link(0, 0)]);
        assert_eq!(
            own,
            Err(ResolveError::Circular {
                vct: "urn:0".to_owned()
            })
        );
        let circle = resolve("urn:0", &[link(0, 1), link(1, 2), link(2, 1)]);
        assert_eq!(
            circle,
            Err(ResolveError::Circular {
                vct: "urn:1".to_owned()
            })
        );
        let chain = |extended: usize| {
            let mut documents: Vec<Value> = (0..extended).map(|at| link(at, at + 1)).collect();
            documents.push(json!({"vct": format!("urn:{extended}")}));
            resolve("urn:0", &documents)
        };
        assert_eq!(chain(MAX_EXTENDED).unwrap().types().len(), MAX_EXTENDED + 1);
        assert_eq!(chain(MAX_EXTENDED + 1), Err(ResolveError::TooManyExtended));
    }

    #[test]
    fn integrity_of_extended_types_is_checked() {
        let mut extending = child();
        extending["extends#integrity"] = json!(integrity::compute(base().to_string().as_bytes()));
        assert!(resolve(CHILD, &[base(), extending.clone()]).is_ok());
        let mut other = base();
        other["name"] = json!("other");
        let refused = resolve(CHILD, &[other, extending]).unwrap_err();
        let source = TypeMetadataError::Integrity(IntegrityError::Mismatch);
        assert_eq!(
            refused,
            ResolveError::Document {
                vct: BASE.to_owned(),
                source
            }
        );
    }

    #[test]
    fn what_the_extended_type_fixes_is_not_changed() {
        let with = |sd: &str, child_sd: &str| {
            let (mut base, mut child) = (base(), child());
            base["claims"][1]["sd"] = json!(sd);
            child["claims"][0]["sd"] = json!(child_sd);
            resolve(CHILD, &[base, child]).map(|resolved| resolved.claims()[1].selective_disclosure())
        };
        assert_eq!(with("allowed", "never"), Ok(SelectiveDisclosure::Never));
        assert_eq!(with("allowed", "always"), Ok(SelectiveDisclosure::Always));
        assert_eq!(with("always", "always"), Ok(SelectiveDisclosure::Always));
        for (sd, changed) in [
            ("always", "allowed"),
            ("always", "never"),
            ("never", "always"),
            ("never", "allowed"),
        ] {
            let refused = with(sd, changed);
            assert!(
                matches!(refused, Err(ResolveError::SelectiveDisclosureChanged { .. })),
                "{sd} {changed}"
            );
        }
        let mut optional = child();
        optional["claims"][0]["mandatory"] = json!(true);
        assert!(resolve(CHILD, &[base(), optional.clone()]).is_ok());
        optional["claims"][0]["mandatory"] = json!(false);
        assert!(matches!(
            resolve(CHILD, &[base(), optional]),
            Err(ResolveError::MandatoryChanged { .. })
        ));
    }

    #[test]
    fn svg_ids_stay_unique() {
        let (mut base, mut child) = (base(), child());
        base["claims"][0]["svg_id"] = json!("a");
        child["claims"][1]["svg_id"] = json!("b");
        assert!(resolve(CHILD, &[base.clone(), child.clone()]).is_ok());
        child["claims"][1]["svg_id"] = json!("a");
        let refused = resolve(CHILD, &[base, child]).unwrap_err();
        assert!(matches!(
            refused,
            ResolveError::Document {
                source: TypeMetadataError::SvgId,
                ..
            }
        ));
    }
}
