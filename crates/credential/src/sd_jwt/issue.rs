//! Turning claims into digests and disclosures
//! ([RFC 9901, embedding disclosure digests](https://www.rfc-editor.org/rfc/rfc9901#name-embedding-disclosure-digest)).

use std::num::NonZeroUsize;

use keys::base64url;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Disclosure;
use super::ELLIPSIS;
use super::HashAlgorithm;
use super::MAX_DEPTH;
use super::SD;
use super::SD_ALG;
use super::SdJwtError;
use crate::claim_path::ClaimPath;
use crate::claim_path::PathComponent;
use crate::random::Random;

/// How many digests without a claim are mixed in
/// ([RFC 9901, decoy digests](https://www.rfc-editor.org/rfc/rfc9901#name-decoy-digests)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoys {
    /// None: the number of disclosable claims shows.
    #[default]
    None,
    /// At each level with disclosable claims the digests are filled up to a multiple of this number, so that
    /// persons with and without an optional claim look alike.
    FillToMultipleOf(NonZeroUsize),
}

/// A payload whose disclosable claims are digests, and the disclosures that belong to them.
pub(crate) struct Concealed {
    pub(crate) payload: Map<String, Value>,
    pub(crate) disclosures: Vec<String>,
}

/// Makes the claims at the `disclosable` paths selectively disclosable. `null` in a path means each element.
/// A path below another gives a disclosure inside a disclosure. Paths to absent claims do nothing, since
/// registers have gaps.
///
/// # Errors
/// [`SdJwtError::ReservedName`] for claims named `_sd`, `...` or `_sd_alg`, [`SdJwtError::TooDeep`], and
/// [`SdJwtError::WrongDisclosureKind`] when a path has a key where no object is, or an index where no array is.
pub(crate) fn conceal(
    claims: Map<String, Value>,
    disclosable: &[ClaimPath],
    hash: HashAlgorithm,
    decoys: Decoys,
    rng: &mut dyn CryptoRng,
) -> Result<Concealed, SdJwtError> {
    let mut concealing = Concealing {
        hash,
        decoys,
        random: Random::new(rng),
        disclosures: Vec::with_capacity(disclosable.len()),
    };
    let paths: Vec<_> = disclosable.iter().map(ClaimPath::components).collect();
    let mut payload = concealing.object(claims, &paths, 1)?;
    if !disclosable.is_empty() {
        payload.insert(SD_ALG.to_owned(), Value::from(hash.name()));
    }
    Ok(Concealed {
        payload,
        disclosures: concealing.disclosures,
    })
}

struct Concealing<'a> {
    hash: HashAlgorithm,
    decoys: Decoys,
    random: Random<'a>,
    disclosures: Vec<String>,
}

impl Concealing<'_> {
    /// `paths` are the rests of those paths that lead through this value.
    fn value(&mut self, value: Value, paths: &[&[PathComponent]], depth: usize) -> Result<Value, SdJwtError> {
        match value {
            Value::Object(map) => self.object(map, paths, depth).map(Value::Object),
            Value::Array(items) => self.array(items, paths, depth).map(Value::Array),
            scalar if paths.is_empty() => Ok(scalar),
            _ => Err(SdJwtError::WrongDisclosureKind),
        }
    }

    fn object(
        &mut self,
        claims: Map<String, Value>,
        paths: &[&[PathComponent]],
        depth: usize,
    ) -> Result<Map<String, Value>, SdJwtError> {
        if depth > MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        if paths
            .iter()
            .any(|path| !matches!(path.first(), Some(PathComponent::Key(_))))
        {
            return Err(SdJwtError::WrongDisclosureKind);
        }
        let mut payload = Map::new();
        let mut digests = Vec::new();
        for (name, value) in claims {
            if let Some(name) = [SD, ELLIPSIS, SD_ALG].into_iter().find(|reserved| *reserved == name) {
                return Err(SdJwtError::ReservedName { name });
            }
            let step = Step::of(
                paths,
                |component| matches!(component, PathComponent::Key(key) if *key == name),
            );
            let value = self.value(value, &step.below, depth + 1)?;
            if step.ends_here {
                digests.push(self.disclosure(Some(&name), &value));
            } else {
                payload.insert(name, value);
            }
        }
        if paths.iter().any(|path| path.len() == 1) {
            digests.extend(self.decoys_for(digests.len()));
            // Sorted digests tell nothing about the order of the claims.
            digests.sort_unstable();
        }
        if !digests.is_empty() {
            payload.insert(SD.to_owned(), Value::from(digests));
        }
        Ok(payload)
    }

    fn array(&mut self, items: Vec<Value>, paths: &[&[PathComponent]], depth: usize) -> Result<Vec<Value>, SdJwtError> {
        if depth > MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        if paths
            .iter()
            .any(|path| !matches!(path.first(), Some(PathComponent::Index(_) | PathComponent::All)))
        {
            return Err(SdJwtError::WrongDisclosureKind);
        }
        let mut elements = Vec::with_capacity(items.len());
        let mut concealed = 0;
        for (place, item) in items.into_iter().enumerate() {
            let step = Step::of(paths, |component| match component {
                PathComponent::Index(index) => *index == place,
                PathComponent::All => true,
                PathComponent::Key(_) => false,
            });
            let item = self.value(item, &step.below, depth + 1)?;
            if step.ends_here {
                concealed += 1;
                elements.push(json!({ ELLIPSIS: self.disclosure(None, &item) }));
            } else {
                elements.push(item);
            }
        }
        if paths.iter().any(|path| path.len() == 1) {
            for decoy in self.decoys_for(concealed) {
                // Anywhere, so that a decoy cannot be told by its place.
                let place = self.random_below(elements.len() + 1);
                elements.insert(place, json!({ ELLIPSIS: decoy }));
            }
        }
        Ok(elements)
    }

    /// Adds a disclosure and gives its digest.
    fn disclosure(&mut self, name: Option<&str>, value: &Value) -> String {
        let encoded = Disclosure::encode(name, value, &mut self.random);
        let digest = self.hash.digest(&encoded).as_str().to_owned();
        self.disclosures.push(encoded);
        digest
    }

    fn decoys_for(&mut self, digests: usize) -> Vec<String> {
        let Decoys::FillToMultipleOf(number) = self.decoys else {
            return Vec::new();
        };
        // None at all would be telling too.
        let wanted = digests.max(1).next_multiple_of(number.get());
        (digests..wanted).map(|_| self.decoy()).collect()
    }

    fn decoy(&mut self) -> String {
        let random: [u8; 64] = self.random.take();
        self.hash.digest(&base64url::encode(random)).as_str().to_owned()
    }

    fn random_below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        // The bias of the remainder is below 2^-50 for any array that fits in memory.
        usize::try_from(self.random.number() % bound).unwrap_or(0)
    }
}

/// What the paths ask of one member or element.
struct Step<'a> {
    ends_here: bool,
    below: Vec<&'a [PathComponent]>,
}

impl<'a> Step<'a> {
    fn of(paths: &[&'a [PathComponent]], fits: impl Fn(&PathComponent) -> bool) -> Self {
        let (mut ends_here, mut below) = (false, Vec::new());
        for path in paths {
            match path.split_first() {
                Some((first, [])) if fits(first) => ends_here = true,
                Some((first, rest)) if fits(first) => below.push(rest),
                _ => {}
            }
        }
        Self { ends_here, below }
    }
}

#[cfg(test)]
mod tests {
    use keys::json::DEFAULT_LIMITS;
    use keys::json::Tree;

    use super::super::process;
    use super::*;

    fn issue(claims: &Value, paths: &Value, decoys: Decoys) -> Result<Concealed, SdJwtError> {
        let Value::Object(claims) = claims.clone() else {
            panic!("an object")
        };
        let paths: Vec<ClaimPath> = serde_json::from_value(paths.clone()).unwrap();
        conceal(claims, &paths, HashAlgorithm::default(), decoys, &mut signer::os_rng())
    }

    fn reveal(concealed: &Concealed, disclosures: &[&str]) -> Value {
        let payload = Value::Object(concealed.payload.clone()).to_string();
        let payload = Tree::parse(payload.as_bytes(), DEFAULT_LIMITS).unwrap();
        let done = process(payload.root(), disclosures.iter().copied(), &[]).unwrap();
        done.claims.root().to_value()
    }

    fn everything(concealed: &Concealed) -> Vec<&str> {
        concealed.disclosures.iter().map(String::as_str).collect()
    }

    #[test]
    fn everything_disclosed_is_the_input() {
        let claims = json!({"a": 1, "b": {"c": [1, [2, 3]], "d": null}, "e": ["x", {"f": "y"}], "g": {}});
        let paths = json!([
            ["a"],
            ["b"],
            ["b", "c"],
            ["b", "c", null],
            ["b", "c", 1, 0],
            ["e", 1],
            ["e", 1, "f"],
            ["missing"],
            ["b", "missing", "deeper"]
        ]);
        for decoys in [Decoys::None, Decoys::FillToMultipleOf(NonZeroUsize::new(4).unwrap())] {
            let concealed = issue(&claims, &paths, decoys).unwrap();
            assert_eq!(concealed.disclosures.len(), 8);
            assert_eq!(reveal(&concealed, &everything(&concealed)), claims);
            assert_eq!(reveal(&concealed, &[]), json!({"e": ["x"], "g": {}}));
        }
    }

    #[test]
    fn nothing_disclosable_adds_nothing() {
        let claims = json!({"a": [1, {"b": 2}]});
        let concealed = issue(&claims, &json!([]), Decoys::None).unwrap();
        assert_eq!(Value::Object(concealed.payload), claims);
        assert!(concealed.disclosures.is_empty());
    }

    #[test]
    fn decoys_hide_the_number_of_claims() {
        let number = |claims: Value| {
            let four = Decoys::FillToMultipleOf(NonZeroUsize::new(4).unwrap());
            let concealed = issue(&claims, &json!([["a"], ["b"], ["list", null]]), four).unwrap();
            (
                concealed.payload["_sd"].as_array().unwrap().len(),
                concealed.payload["list"].as_array().unwrap().len(),
            )
        };
        assert_eq!(number(json!({"a": 1, "b": 2, "list": [1, 2, 3]})), (4, 4));
        assert_eq!(number(json!({"a": 1, "list": [1]})), (4, 4));
        assert_eq!(number(json!({"list": []})), (4, 4));
        assert_eq!(number(json!({"list": [1, 2, 3, 4, 5]})), (4, 8));
    }

    #[test]
    fn digests_are_sorted() {
        let claims = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5});
        let concealed = issue(&claims, &json!([["a"], ["b"], ["c"], ["d"], ["e"]]), Decoys::None).unwrap();
        let digests = concealed.payload["_sd"].as_array().unwrap();
        assert!(digests.is_sorted_by_key(|digest| digest.as_str()));
    }

    #[test]
    fn paths_that_do_not_fit_are_refused() {
        let claims = json!({"a": "text", "list": [1], "o": {}});
        for path in [
            json!(["a", "b"]),
            json!(["a", 0]),
            json!(["list", "b"]),
            json!(["o", 0]),
            json!(["o", null]),
            json!([0]),
        ] {
            let refused = issue(&claims, &json!([path]), Decoys::None).err();
            assert_eq!(refused, Some(SdJwtError::WrongDisclosureKind), "{path}");
        }
    }

    #[test]
    fn reserved_names_are_refused() {
        for claims in [
            json!({"_sd": 1}),
            json!({"a": {"...": 1}}),
            json!({"a": [{"_sd_alg": 1}]}),
        ] {
            assert!(matches!(
                issue(&claims, &json!([]), Decoys::None),
                Err(SdJwtError::ReservedName { .. })
            ));
        }
    }
}
