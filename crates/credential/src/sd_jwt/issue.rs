//! Turning claims into digests and disclosures
//! ([RFC 9901, embedding disclosure digests](https://www.rfc-editor.org/rfc/rfc9901#name-embedding-disclosure-digest)).

use std::num::NonZeroUsize;

use keys::base64url;
use keys::json;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use super::ELLIPSIS;
use super::HashAlgorithm;
use super::MAX_DEPTH;
use super::SD;
use super::SD_ALG;
use super::SdJwtError;
use super::hash::Digest;
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
    /// The payload as JSON.
    pub(crate) payload: Vec<u8>,
    /// Each disclosure with the tilde behind it, as they follow the Issuer-signed JWT in the compact form.
    pub(crate) disclosures: String,
}

/// A claim as it lies.
#[derive(Clone, Copy)]
pub(crate) enum Claim<'c> {
    Json(&'c Value),
    Number(i64),
    Text(&'c str),
    /// In JSON already. Nothing inside of it can be disclosable.
    Written(&'c [u8]),
}

/// 128 bits, as RFC 9901 recommends ("Entropy of the salt").
const SALT_BYTES: usize = 16;

/// Room for what a credential has beside its claims, and for each disclosure, so that no text is moved while it is
/// written.
const TYPICAL_BYTES: usize = 1024;
const TYPICAL_DISCLOSURE: usize = 128;

/// Makes the claims at the `disclosable` paths selectively disclosable. `null` in a path means each element.
/// A path below another gives a disclosure inside a disclosure. Paths to absent claims do nothing, since
/// registers have gaps. `claims` are the members of the payload, each name once.
///
/// # Errors
/// [`SdJwtError::ReservedName`] for claims named `_sd`, `...` or `_sd_alg`, [`SdJwtError::TooDeep`], and
/// [`SdJwtError::WrongDisclosureKind`] when a path has a key where no object is, or an index where no array is.
pub(crate) fn conceal<'c>(
    claims: impl Iterator<Item = (&'c str, Claim<'c>)>,
    disclosable: &[ClaimPath],
    hash: HashAlgorithm,
    decoys: Decoys,
    rng: &mut dyn CryptoRng,
) -> Result<Concealed, SdJwtError> {
    let mut concealing = Concealing {
        hash,
        decoys,
        random: Random::new(rng),
        disclosures: String::with_capacity(disclosable.len() * TYPICAL_DISCLOSURE),
    };
    let paths: Vec<_> = disclosable.iter().map(ClaimPath::components).collect();
    let mut payload = Vec::with_capacity(TYPICAL_BYTES);
    payload.push(b'{');
    let mut separator = Separator::default();
    if !disclosable.is_empty() {
        separator.write(&mut payload);
        write_member(SD_ALG, hash.name(), &mut payload);
    }
    concealing.members(claims, &paths, 1, separator, &mut payload)?;
    Ok(Concealed {
        payload,
        disclosures: concealing.disclosures,
    })
}

/// The members of an object.
pub(crate) fn members_of(object: &Map<String, Value>) -> impl Iterator<Item = (&str, Claim<'_>)> {
    object.iter().map(|(name, value)| (name.as_str(), Claim::Json(value)))
}

/// Claims are read where they lie, and written once: into the payload, or into the disclosure around them.
struct Concealing<'a> {
    hash: HashAlgorithm,
    decoys: Decoys,
    random: Random<'a>,
    disclosures: String,
}

impl Concealing<'_> {
    /// `paths` are the rests of those paths that lead through this value.
    fn value(
        &mut self,
        claim: Claim<'_>,
        paths: &[&[PathComponent]],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), SdJwtError> {
        match claim {
            Claim::Json(Value::Object(map)) => {
                out.push(b'{');
                return self.members(members_of(map), paths, depth, Separator::default(), out);
            }
            Claim::Json(Value::Array(items)) => return self.array(items, paths, depth, out),
            _ if !paths.is_empty() => return Err(SdJwtError::WrongDisclosureKind),
            Claim::Json(scalar) => json::write(scalar, out),
            Claim::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Claim::Text(text) => json::write_text(text, out),
            Claim::Written(written) => out.extend_from_slice(written),
        }
        Ok(())
    }

    /// Writes an object from behind its first brace, or from behind a member that it has already.
    fn members<'c>(
        &mut self,
        claims: impl Iterator<Item = (&'c str, Claim<'c>)>,
        paths: &[&[PathComponent]],
        depth: usize,
        mut separator: Separator,
        out: &mut Vec<u8>,
    ) -> Result<(), SdJwtError> {
        if depth > MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        if paths
            .iter()
            .any(|path| !matches!(path.first(), Some(PathComponent::Key(_))))
        {
            return Err(SdJwtError::WrongDisclosureKind);
        }
        let mut digests = Vec::with_capacity(paths.len());
        for (name, value) in claims {
            if let Some(name) = [SD, ELLIPSIS, SD_ALG].into_iter().find(|reserved| *reserved == name) {
                return Err(SdJwtError::ReservedName { name });
            }
            let step = Step::of(
                paths,
                |component| matches!(component, PathComponent::Key(key) if key == name),
            );
            if step.ends_here {
                digests.push(self.disclosure(Some(name), value, &step.below, depth + 1)?);
            } else {
                separator.write(out);
                json::write_text(name, out);
                out.push(b':');
                self.value(value, &step.below, depth + 1, out)?;
            }
        }
        if paths.iter().any(|path| path.len() == 1) {
            self.add_decoys(&mut digests);
            // Sorted digests tell nothing about the order of the claims.
            digests.sort_unstable_by(|one, other| one.as_bytes().cmp(other.as_bytes()));
        }
        if !digests.is_empty() {
            separator.write(out);
            json::write_text(SD, out);
            out.extend_from_slice(b":[");
            let mut separator = Separator::default();
            for digest in digests {
                separator.write(out);
                json::write_text(digest.as_str(), out);
            }
            out.push(b']');
        }
        out.push(b'}');
        Ok(())
    }

    fn array(
        &mut self,
        items: &[Value],
        paths: &[&[PathComponent]],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), SdJwtError> {
        if depth > MAX_DEPTH {
            return Err(SdJwtError::TooDeep);
        }
        if paths
            .iter()
            .any(|path| !matches!(path.first(), Some(PathComponent::Index(_) | PathComponent::All)))
        {
            return Err(SdJwtError::WrongDisclosureKind);
        }
        if paths.is_empty() {
            // Nothing in it is disclosable, so its elements are only written.
            return self.elements(items, depth, out);
        }
        let mut elements = Vec::with_capacity(items.len());
        let mut digests = Vec::new();
        for (place, item) in items.iter().enumerate() {
            let step = Step::of(paths, |component| match component {
                PathComponent::Index(index) => *index == place,
                PathComponent::All => true,
                PathComponent::Key(_) => false,
            });
            if step.ends_here {
                let digest = self.disclosure(None, Claim::Json(item), &step.below, depth + 1)?;
                elements.push(place_holder(&digest));
                digests.push(digest);
            } else {
                let mut element = Vec::new();
                self.value(Claim::Json(item), &step.below, depth + 1, &mut element)?;
                elements.push(element);
            }
        }
        if paths.iter().any(|path| path.len() == 1) {
            let of_claims = digests.len();
            self.add_decoys(&mut digests);
            for decoy in digests.iter().skip(of_claims) {
                // Anywhere, so that a decoy cannot be told by its place.
                let place = self.random_below(elements.len() + 1);
                elements.insert(place, place_holder(decoy));
            }
        }
        out.push(b'[');
        out.extend_from_slice(&elements.join(&b','));
        out.push(b']');
        Ok(())
    }

    fn elements(&mut self, items: &[Value], depth: usize, out: &mut Vec<u8>) -> Result<(), SdJwtError> {
        out.push(b'[');
        let mut separator = Separator::default();
        for item in items {
            separator.write(out);
            self.value(Claim::Json(item), &[], depth + 1, out)?;
        }
        out.push(b']');
        Ok(())
    }

    /// Adds `[salt, name, value]` or `[salt, value]` with a salt of its own, and gives its digest.
    fn disclosure(
        &mut self,
        name: Option<&str>,
        value: Claim<'_>,
        below: &[&[PathComponent]],
        depth: usize,
    ) -> Result<Digest, SdJwtError> {
        let salt: [u8; SALT_BYTES] = self.random.take();
        let mut text = Vec::with_capacity(TYPICAL_DISCLOSURE);
        text.push(b'[');
        json::write_text(Digest::encode(&salt).as_str(), &mut text);
        text.push(b',');
        if let Some(name) = name {
            json::write_text(name, &mut text);
            text.push(b',');
        }
        self.value(value, below, depth, &mut text)?;
        text.push(b']');
        let begin = self.disclosures.len();
        base64url::append(&text, &mut self.disclosures);
        let digest = self.hash.digest(self.disclosures.get(begin..).unwrap_or_default());
        self.disclosures.push('~');
        Ok(digest)
    }

    /// Fills up the digests of one level.
    fn add_decoys(&mut self, digests: &mut Vec<Digest>) {
        if let Decoys::FillToMultipleOf(number) = self.decoys {
            // None at all would be telling too.
            let wanted = digests.len().max(1).next_multiple_of(number.get());
            digests.resize_with(wanted, || self.decoy());
        }
    }

    fn decoy(&mut self) -> Digest {
        let random: [u8; 64] = self.random.take();
        self.hash.digest(&base64url::encode(random))
    }

    fn random_below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        // The bias of the remainder is below 2^-50 for any array that fits in memory.
        usize::try_from(self.random.number() % bound).unwrap_or(0)
    }
}

/// The comma before every member or element but the first.
#[derive(Default)]
struct Separator {
    is_due: bool,
}

impl Separator {
    fn write(&mut self, out: &mut Vec<u8>) {
        if self.is_due {
            out.push(b',');
        }
        self.is_due = true;
    }
}

fn write_member(name: &str, text: &str, out: &mut Vec<u8>) {
    json::write_text(name, out);
    out.push(b':');
    json::write_text(text, out);
}

/// What stands in an array for an element that is disclosed or never was.
fn place_holder(digest: &Digest) -> Vec<u8> {
    let mut out = vec![b'{'];
    write_member(ELLIPSIS, digest.as_str(), &mut out);
    out.push(b'}');
    out
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
    use serde_json::json;

    use super::super::process;
    use super::*;

    fn issue(claims: &Value, paths: &Value, decoys: Decoys) -> Result<Concealed, SdJwtError> {
        let claims = members_of(claims.as_object().unwrap());
        let paths: Vec<ClaimPath> = serde_json::from_value(paths.clone()).unwrap();
        conceal(claims, &paths, HashAlgorithm::default(), decoys, &mut signer::os_rng())
    }

    fn payload(concealed: &Concealed) -> Value {
        serde_json::from_slice(&concealed.payload).unwrap()
    }

    fn reveal(concealed: &Concealed, disclosures: &[&str]) -> Value {
        let payload = Tree::parse(&concealed.payload, DEFAULT_LIMITS).unwrap();
        let done = process(payload.root(), disclosures.iter().copied(), &[]).unwrap();
        done.claims.root().to_value()
    }

    fn everything(concealed: &Concealed) -> Vec<&str> {
        concealed.disclosures.split_terminator('~').collect()
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
            assert_eq!(everything(&concealed).len(), 8);
            assert_eq!(reveal(&concealed, &everything(&concealed)), claims);
            assert_eq!(reveal(&concealed, &[]), json!({"e": ["x"], "g": {}}));
        }
    }

    #[test]
    fn what_is_encoded_is_read_back() {
        let claims = json!({"a\"\\\u{7}ü": {"b": [1, null, {"c\n": "é"}]}, "list": ["é", "\""], "n": -1.5e300});
        let paths = json!([["a\"\\\u{7}ü"], ["list", null], ["n"]]);
        let concealed = issue(&claims, &paths, Decoys::None).unwrap();
        assert_eq!(reveal(&concealed, &everything(&concealed)), claims);
        let again = issue(&claims, &paths, Decoys::None).unwrap();
        for disclosure in everything(&again) {
            assert!(!concealed.disclosures.contains(disclosure), "salts are fresh");
        }
    }

    #[test]
    fn nothing_disclosable_adds_nothing() {
        let claims = json!({"a": [1, {"b": 2}]});
        let concealed = issue(&claims, &json!([]), Decoys::None).unwrap();
        assert_eq!(payload(&concealed), claims);
        assert!(concealed.disclosures.is_empty());
    }

    #[test]
    fn decoys_hide_the_number_of_claims() {
        let number = |claims: Value| {
            let four = Decoys::FillToMultipleOf(NonZeroUsize::new(4).unwrap());
            let concealed = issue(&claims, &json!([["a"], ["b"], ["list", null]]), four).unwrap();
            let payload = payload(&concealed);
            (
                payload["_sd"].as_array().unwrap().len(),
                payload["list"].as_array().unwrap().len(),
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
        let payload = payload(&concealed);
        let digests = payload["_sd"].as_array().unwrap();
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
