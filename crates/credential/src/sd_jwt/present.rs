//! Choosing disclosures ([RFC 9901, processing by the Holder](https://www.rfc-editor.org/rfc/rfc9901#name-processing-by-the-holder)).

use std::collections::BTreeSet;

use keys::json;
use keys::json::Json;
use keys::json::Tree;
use keys::jws::UnverifiedJws;
use thiserror::Error;

use super::Disclosure;
use super::Disclosures;
use super::ELLIPSIS;
use super::MAX_BYTES;
use super::SD;
use super::SD_ALG;
use super::SdJwt;
use super::SdJwtError;
use super::process::read_hash;
use crate::claim_path::ClaimPath;
use crate::claim_path::PathComponent;
use crate::claim_path::PathMismatch;

/// A signed payload as it stands, with the disclosures that go with it: what a holder chooses from.
///
/// Made only from what [`super::process()`] accepted, so that digests and disclosures fit together.
pub(crate) struct Disclosed {
    payload: Tree,
    encoded: Vec<String>,
    disclosures: Disclosures,
}

/// The paths do not fit this credential, the fault of whoever asks.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SelectionError {
    /// A component meets a value of the wrong type.
    #[error("the path {path} does not fit the credential")]
    Mismatch {
        /// The path.
        path: ClaimPath,
        /// Where it does not fit.
        #[source]
        source: PathMismatch,
    },
    /// Nothing is there.
    #[error("expected a claim at {path}, found nothing")]
    NothingThere {
        /// The path.
        path: ClaimPath,
    },
}

/// What [`Disclosed::select_as_issued`] selects.
pub(crate) struct AsIssued {
    /// For each selected claim, whether it has a disclosure of its own.
    pub(crate) disclosable: Vec<bool>,
    /// Whether a digest whose disclosure was not sent may hold a further one.
    pub(crate) may_be_hidden: bool,
}

/// A value on the way along a path, and the disclosures needed so far.
struct Branch<'a> {
    value: Json<'a>,
    needed: Vec<usize>,
}

impl SdJwt {
    /// The signed payload and the disclosures. Computed when asked for: a verifier never needs it.
    pub(crate) fn disclosed(&self) -> Result<Disclosed, SdJwtError> {
        let jws = UnverifiedJws::parse(self.jwt(), MAX_BYTES)?;
        let payload = Tree::parse(jws.unverified_payload(), json::DEFAULT_LIMITS).map_err(SdJwtError::Payload)?;
        Disclosed::new(payload, self.disclosures())
    }
}

impl Disclosed {
    pub(crate) fn new<'a>(payload: Tree, encoded: impl Iterator<Item = &'a str> + Clone) -> Result<Self, SdJwtError> {
        let hash = read_hash(payload.root())?;
        Ok(Self {
            disclosures: Disclosures::read(encoded.clone(), hash)?,
            encoded: encoded.map(str::to_owned).collect(),
            payload,
        })
    }

    /// The encoded disclosures that show the claims at `paths`, with everything below them, and no more.
    ///
    /// Places in arrays count the elements whose disclosure the holder has: decoys are not elements.
    pub(crate) fn select(&self, paths: &[ClaimPath]) -> Result<Vec<&str>, SelectionError> {
        let mut chosen = BTreeSet::new();
        for path in paths {
            let branches = self.follow(path).map_err(|source| SelectionError::Mismatch {
                path: path.clone(),
                source,
            })?;
            if branches.is_empty() {
                return Err(SelectionError::NothingThere { path: path.clone() });
            }
            for branch in branches {
                chosen.extend(branch.needed);
                self.collect_below(branch.value, &mut chosen);
            }
        }
        Ok(chosen
            .into_iter()
            .filter_map(|place| self.encoded.get(place))
            .map(String::as_str)
            .collect())
    }

    /// What a path of type metadata selects, counting array elements as the issuer signed them: those that were not
    /// disclosed have their places too. To a holder (`all_disclosed`) a digest without disclosure is a decoy; to a
    /// verifier it may be any claim.
    pub(crate) fn select_as_issued(&self, path: &ClaimPath, all_disclosed: bool) -> Result<AsIssued, PathMismatch> {
        // Each value with whether it has a disclosure of its own; `None` for an element that was not disclosed.
        let mut selected = vec![(Some(self.payload.root()), false)];
        let mut may_be_hidden = false;
        for (place, component) in path.components().iter().enumerate() {
            let mismatch = PathMismatch { component: place };
            let mut next = Vec::new();
            for (value, _) in selected {
                let Some(value) = value else {
                    may_be_hidden |= !all_disclosed;
                    continue;
                };
                match component {
                    PathComponent::Key(key) => {
                        let mut members = self.members(value).ok_or(mismatch)?;
                        match members.find(|(name, ..)| name == key) {
                            Some((_, disclosure, value)) => next.push((Some(value), disclosure.is_some())),
                            None => may_be_hidden |= !all_disclosed && self.has_hidden_members(value),
                        }
                    }
                    PathComponent::Index(index) => {
                        next.extend(self.elements_as_issued(value).ok_or(mismatch)?.nth(*index));
                    }
                    PathComponent::All => next.extend(self.elements_as_issued(value).ok_or(mismatch)?),
                }
            }
            selected = next;
        }
        Ok(AsIssued {
            disclosable: selected.into_iter().map(|(_, disclosable)| disclosable).collect(),
            may_be_hidden,
        })
    }

    /// Every element that was signed, if it is an array: its value, if it is known, and whether it has a disclosure.
    fn elements_as_issued<'a>(&'a self, value: Json<'a>) -> Option<impl Iterator<Item = (Option<Json<'a>>, bool)>> {
        Some(value.elements()?.map(|element| match element.get(ELLIPSIS) {
            None => (Some(element), false),
            Some(digest) => (self.resolve(digest).map(|(_, disclosure)| disclosure.value), true),
        }))
    }

    fn has_hidden_members(&self, value: Json<'_>) -> bool {
        let mut digests = value.get(SD).and_then(Json::elements).into_iter().flatten();
        digests.any(|digest| self.resolve(digest).is_none())
    }

    /// The path of every claim that has a disclosure of its own.
    pub(crate) fn disclosable_paths(&self) -> Vec<ClaimPath> {
        let mut found = Vec::new();
        self.list_below(self.payload.root(), &mut Vec::new(), &mut found);
        found
    }

    fn follow(&self, path: &ClaimPath) -> Result<Vec<Branch<'_>>, PathMismatch> {
        let mut branches = vec![Branch {
            value: self.payload.root(),
            needed: Vec::new(),
        }];
        for (place, component) in path.components().iter().enumerate() {
            let mut next = Vec::new();
            for branch in branches {
                let mismatch = PathMismatch { component: place };
                let children: Vec<(Option<usize>, Json<'_>)> = match component {
                    PathComponent::Key(key) => {
                        let mut members = self.members(branch.value).ok_or(mismatch)?;
                        let found = members.find(|(name, ..)| name == key);
                        found
                            .map(|(_, disclosure, value)| (disclosure, value))
                            .into_iter()
                            .collect()
                    }
                    PathComponent::Index(index) => {
                        let mut elements = self.elements(branch.value).ok_or(mismatch)?;
                        elements.nth(*index).into_iter().collect()
                    }
                    PathComponent::All => self.elements(branch.value).ok_or(mismatch)?.collect(),
                };
                next.extend(children.into_iter().map(|(disclosure, value)| {
                    let needed = branch.needed.iter().copied().chain(disclosure).collect();
                    Branch { value, needed }
                }));
            }
            branches = next;
        }
        Ok(branches)
    }

    fn collect_below(&self, value: Json<'_>, chosen: &mut BTreeSet<usize>) {
        for (disclosure, value) in self.children(value).map(|(_, disclosure, value)| (disclosure, value)) {
            chosen.extend(disclosure);
            self.collect_below(value, chosen);
        }
    }

    fn list_below(&self, value: Json<'_>, prefix: &mut Vec<PathComponent>, found: &mut Vec<ClaimPath>) {
        for (component, disclosure, value) in self.children(value) {
            prefix.push(component);
            if disclosure.is_some() {
                // As deep as MAX_DEPTH at most, so it always is a path.
                found.extend(ClaimPath::try_from(prefix.clone()));
            }
            self.list_below(value, prefix, found);
            prefix.pop();
        }
    }

    /// Members of an object or elements of an array, each with the component that leads to it and its disclosure.
    fn children<'a>(&'a self, value: Json<'a>) -> impl Iterator<Item = (PathComponent, Option<usize>, Json<'a>)> {
        let members = self.members(value).into_iter().flatten();
        let members = members.map(|(name, disclosure, value)| (PathComponent::Key(name.to_owned()), disclosure, value));
        let elements = self.elements(value).into_iter().flatten().enumerate();
        members.chain(elements.map(|(index, (disclosure, value))| (PathComponent::Index(index), disclosure, value)))
    }

    /// Signed and disclosed members, if it is an object, each with its disclosure.
    fn members<'a>(&'a self, value: Json<'a>) -> Option<impl Iterator<Item = (&'a str, Option<usize>, Json<'a>)>> {
        let is_claim = |(name, _): &(&str, Json<'_>)| *name != SD && *name != SD_ALG;
        let signed = value
            .members()?
            .filter(is_claim)
            .map(|(name, value)| (name, None, value));
        let digests = value.get(SD).and_then(Json::elements).into_iter().flatten();
        let disclosed = digests.filter_map(|digest| {
            let (sent, disclosure) = self.resolve(digest)?;
            Some((disclosure.name?, Some(sent), disclosure.value))
        });
        Some(signed.chain(disclosed))
    }

    /// Signed and disclosed elements, if it is an array, in order, each with its disclosure.
    fn elements<'a>(&'a self, value: Json<'a>) -> Option<impl Iterator<Item = (Option<usize>, Json<'a>)>> {
        Some(value.elements()?.filter_map(|element| {
            match element.get(ELLIPSIS) {
                None => Some((None, element)),
                Some(digest) => self
                    .resolve(digest)
                    .map(|(sent, disclosure)| (Some(sent), disclosure.value)),
            }
        }))
    }

    fn resolve(&self, digest: Json<'_>) -> Option<(usize, Disclosure<'_>)> {
        self.disclosures.find(digest.as_str()?)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use keys::json::DEFAULT_LIMITS;
    use serde_json::Value;
    use serde_json::json;

    use super::super::Decoys;
    use super::super::HashAlgorithm;
    use super::super::conceal;
    use super::super::members_of;
    use super::super::process;
    use super::*;

    /// What a verifier sees after the holder selected `paths`.
    fn shown(paths: Value) -> Result<Value, SelectionError> {
        let claims = json!({
            "name": "A",
            "address": {"street": "B", "city": {"code": 1, "label": "C"}},
            "degrees": [{"type": "D", "year": 1}, {"type": "E", "year": 2}, {"year": 3}],
            "nationalities": ["F", "G"],
            "open": 1,
        });
        let disclosable: Vec<ClaimPath> = serde_json::from_value(json!([
            ["name"],
            ["address"],
            ["address", "street"],
            ["address", "city", "code"],
            ["degrees", null],
            ["degrees", null, "type"],
            ["nationalities", null]
        ]))
        .unwrap();
        let decoys = Decoys::FillToMultipleOf(NonZeroUsize::new(5).unwrap());
        let concealed = conceal(
            members_of(claims.as_object().unwrap()),
            &disclosable,
            HashAlgorithm::Sha384,
            decoys,
            &mut signer::os_rng(),
        )
        .unwrap();
        let all = concealed.disclosures.split_terminator('~');
        let payload = Tree::parse(&concealed.payload, DEFAULT_LIMITS).unwrap();
        let disclosed = Disclosed::new(payload.clone(), all.clone()).unwrap();
        assert_eq!(disclosed.disclosable_paths().len(), all.count());

        let paths: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
        let selected = disclosed.select(&paths)?;
        let done = process(payload.root(), selected.into_iter(), &[]).unwrap();
        Ok(done.claims.root().to_value())
    }

    #[test]
    fn nothing_more_than_asked_is_shown() {
        let rest = |more: Value| {
            let mut base = json!({"degrees": [], "nationalities": [], "open": 1});
            base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            base
        };
        assert_eq!(shown(json!([])), Ok(rest(json!({}))));
        assert_eq!(shown(json!([["name"]])), Ok(rest(json!({"name": "A"}))));
        assert_eq!(shown(json!([["open"]])), Ok(rest(json!({}))));
        let street = json!({"address": {"street": "B", "city": {"label": "C"}}});
        assert_eq!(shown(json!([["address", "street"]])), Ok(rest(street)));
        assert_eq!(
            shown(json!([["nationalities", 1]])),
            Ok(rest(json!({"nationalities": ["G"]})))
        );
        // The third degree has no type, so it stays hidden.
        let types = json!({"degrees": [{"type": "D", "year": 1}, {"type": "E", "year": 2}]});
        assert_eq!(shown(json!([["degrees", null, "type"]])), Ok(rest(types)));
    }

    #[test]
    fn a_claim_comes_with_what_is_below_it() {
        let address = json!({"street": "B", "city": {"code": 1, "label": "C"}});
        assert_eq!(shown(json!([["address"]])).unwrap()["address"], address);
        assert_eq!(
            shown(json!([["nationalities"]])).unwrap()["nationalities"],
            json!(["F", "G"])
        );
    }

    #[test]
    fn paths_to_nothing_or_through_the_wrong_type_are_errors() {
        for nothing in [
            json!(["missing"]),
            json!(["nationalities", 2]),
            json!(["address", "missing"]),
        ] {
            assert!(
                matches!(shown(json!([nothing])), Err(SelectionError::NothingThere { .. })),
                "{nothing}"
            );
        }
        for mismatch in [
            json!(["name", "x"]),
            json!(["address", 0]),
            json!(["nationalities", "x"]),
        ] {
            assert!(
                matches!(shown(json!([mismatch])), Err(SelectionError::Mismatch { .. })),
                "{mismatch}"
            );
        }
        // The names of the mechanism are not claims.
        assert!(matches!(
            shown(json!([["_sd"]])),
            Err(SelectionError::NothingThere { .. })
        ));
    }
}
