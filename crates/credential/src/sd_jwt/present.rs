//! Choosing disclosures ([RFC 9901, processing by the Holder](https://www.rfc-editor.org/rfc/rfc9901#name-processing-by-the-holder)).

use std::collections::BTreeSet;
use std::collections::HashMap;

use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::Disclosure;
use super::ELLIPSIS;
use super::SD;
use super::SdJwtError;
use super::process::take_hash;
use crate::claim_path::ClaimPath;
use crate::claim_path::PathComponent;
use crate::claim_path::PathMismatch;

/// A signed payload as it stands, with the disclosures that go with it: what a holder chooses from.
///
/// Made only from what [`super::process()`] accepted, so that digests and disclosures fit together.
pub(crate) struct Disclosed {
    payload: Value,
    encoded: Vec<String>,
    disclosures: Vec<Disclosure>,
    by_digest: HashMap<String, usize>,
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

/// A value on the way along a path, and the disclosures needed so far.
struct Branch<'a> {
    value: &'a Value,
    needed: Vec<usize>,
}

impl Disclosed {
    pub(crate) fn new<'a>(
        mut payload: Map<String, Value>,
        encoded: impl Iterator<Item = &'a str>,
    ) -> Result<Self, SdJwtError> {
        let hash = take_hash(&mut payload)?;
        let encoded: Vec<String> = encoded.map(str::to_owned).collect();
        let disclosures = encoded
            .iter()
            .map(|text| Disclosure::parse(text))
            .collect::<Result<_, _>>()?;
        let by_digest = encoded
            .iter()
            .enumerate()
            .map(|(place, text)| (hash.digest(text), place))
            .collect();
        Ok(Self {
            payload: Value::Object(payload),
            encoded,
            disclosures,
            by_digest,
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

    /// The path of every claim that has a disclosure of its own.
    pub(crate) fn disclosable_paths(&self) -> Vec<ClaimPath> {
        let mut found = Vec::new();
        self.list_below(&self.payload, &mut Vec::new(), &mut found);
        found
    }

    fn follow(&self, path: &ClaimPath) -> Result<Vec<Branch<'_>>, PathMismatch> {
        let mut branches = vec![Branch {
            value: &self.payload,
            needed: Vec::new(),
        }];
        for (place, component) in path.components().iter().enumerate() {
            let mut next = Vec::new();
            for branch in branches {
                let children: Vec<(Option<usize>, &Value)> = match (component, branch.value) {
                    (PathComponent::Key(key), Value::Object(map)) => self.member(map, key).into_iter().collect(),
                    (PathComponent::Index(index), Value::Array(items)) => {
                        self.elements(items).nth(*index).into_iter().collect()
                    }
                    (PathComponent::All, Value::Array(items)) => self.elements(items).collect(),
                    _ => return Err(PathMismatch { component: place }),
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

    fn collect_below(&self, value: &Value, chosen: &mut BTreeSet<usize>) {
        let children: Vec<(Option<usize>, &Value)> = match value {
            Value::Object(map) => self
                .members(map)
                .map(|(_, disclosure, value)| (disclosure, value))
                .collect(),
            Value::Array(items) => self.elements(items).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
        for (disclosure, value) in children {
            chosen.extend(disclosure);
            self.collect_below(value, chosen);
        }
    }

    fn list_below(&self, value: &Value, prefix: &mut Vec<PathComponent>, found: &mut Vec<ClaimPath>) {
        let children: Vec<(PathComponent, Option<usize>, &Value)> = match value {
            Value::Object(map) => self
                .members(map)
                .map(|(name, disclosure, value)| (PathComponent::Key(name.to_owned()), disclosure, value))
                .collect(),
            Value::Array(items) => self
                .elements(items)
                .enumerate()
                .map(|(index, (disclosure, value))| (PathComponent::Index(index), disclosure, value))
                .collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return,
        };
        for (component, disclosure, value) in children {
            prefix.push(component);
            if disclosure.is_some() {
                // As deep as MAX_DEPTH at most, so it always is a path.
                found.extend(ClaimPath::try_from(prefix.clone()));
            }
            self.list_below(value, prefix, found);
            prefix.pop();
        }
    }

    fn member<'a>(&'a self, map: &'a Map<String, Value>, key: &str) -> Option<(Option<usize>, &'a Value)> {
        self.members(map)
            .find(|(name, ..)| *name == key)
            .map(|(_, disclosure, value)| (disclosure, value))
    }

    /// Signed and disclosed members of an object, each with its disclosure.
    fn members<'a>(&'a self, map: &'a Map<String, Value>) -> impl Iterator<Item = (&'a str, Option<usize>, &'a Value)> {
        let signed = map
            .iter()
            .filter(|(name, _)| *name != SD)
            .map(|(name, value)| (name.as_str(), None, value));
        let digests = map.get(SD).and_then(Value::as_array).into_iter().flatten();
        let disclosed = digests.filter_map(|digest| {
            let (place, disclosure) = self.resolve(digest)?;
            Some((disclosure.name.as_deref()?, Some(place), &disclosure.value))
        });
        signed.chain(disclosed)
    }

    /// Signed and disclosed elements of an array, in order, each with its disclosure.
    fn elements<'a>(&'a self, items: &'a [Value]) -> impl Iterator<Item = (Option<usize>, &'a Value)> {
        items
            .iter()
            .filter_map(|item| match item.as_object().and_then(|map| map.get(ELLIPSIS)) {
                None => Some((None, item)),
                Some(digest) => self
                    .resolve(digest)
                    .map(|(place, disclosure)| (Some(place), &disclosure.value)),
            })
    }

    fn resolve(&self, digest: &Value) -> Option<(usize, &Disclosure)> {
        let place = *self.by_digest.get(digest.as_str()?)?;
        self.disclosures.get(place).map(|disclosure| (place, disclosure))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use serde_json::json;

    use super::super::Decoys;
    use super::super::conceal;
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
        let Value::Object(claims) = claims else {
            panic!("an object")
        };
        let concealed = conceal(claims, &disclosable, decoys, &mut signer::os_rng()).unwrap();
        let all = concealed.disclosures.iter().map(String::as_str);
        let disclosed = Disclosed::new(concealed.payload.clone(), all).unwrap();
        assert_eq!(disclosed.disclosable_paths().len(), concealed.disclosures.len());

        let paths: Vec<ClaimPath> = serde_json::from_value(paths).unwrap();
        let selected = disclosed.select(&paths)?;
        let done = process(concealed.payload, selected.into_iter(), &[]).unwrap();
        Ok(Value::Object(done.claims))
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
