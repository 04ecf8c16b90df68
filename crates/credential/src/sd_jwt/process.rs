//! Putting disclosures back in their places
//! ([RFC 9901, verification of the SD-JWT](https://www.rfc-editor.org/rfc/rfc9901#name-verification-of-the-sd-jwt), steps 3 to 5).

use keys::json::Json;
use keys::json::Tree;
use keys::json::TreeBuilder;

use super::Disclosure;
use super::Disclosures;
use super::ELLIPSIS;
use super::HashAlgorithm;
use super::MAX_DEPTH;
use super::SD;
use super::SD_ALG;
use super::SdJwtError;
use crate::registered_claims::optional_string;

/// The result of [`process`].
pub(crate) struct Processed {
    /// The "Processed SD-JWT Payload".
    pub(crate) claims: Tree,
    /// The hash named by `_sd_alg`; `sd_hash` uses the same.
    pub(crate) hash: HashAlgorithm,
}

/// Replaces digests in `payload`, an object, by what `disclosures` (encoded) hold for them, and drops the rest.
///
/// `critical` names top-level claims that must stand in the payload itself, with everything inside them.
/// The signature is the caller's business: call this with a payload that was signed.
pub(crate) fn process<'a>(
    payload: Json<'_>,
    disclosures: impl Iterator<Item = &'a str> + Clone,
    critical: &[&'static str],
) -> Result<Processed, SdJwtError> {
    let hash = read_hash(payload)?;
    let bytes = disclosures.clone().fold(0, |bytes, text| bytes + text.len());
    let disclosures = Disclosures::read(disclosures, hash)?;
    for name in critical {
        if payload.get(name).is_some_and(contains_digests) {
            return Err(SdJwtError::CriticalClaim { name });
        }
    }
    let mut processing = Processing {
        critical,
        disclosures: &disclosures,
        places: vec![false; disclosures.len()],
        seen: Vec::with_capacity(disclosures.len() * 2),
        claims: TreeBuilder::with_capacity(bytes),
    };
    processing.value(payload, 1)?;
    let claims = processing.finish()?;
    Ok(Processed { claims, hash })
}

/// Reads `_sd_alg`; SHA-256 if it is not there.
pub(crate) fn read_hash(payload: Json<'_>) -> Result<HashAlgorithm, SdJwtError> {
    match optional_string(payload, SD_ALG)? {
        None => Ok(HashAlgorithm::default()),
        Some(name) => HashAlgorithm::from_name(name).ok_or(SdJwtError::UnsupportedHash),
    }
}

struct Processing<'a> {
    /// Names that no disclosure may bring to the top level.
    critical: &'a [&'static str],
    disclosures: &'a Disclosures,
    /// Which disclosures have found their place, in the order sent.
    places: Vec<bool>,
    /// Every digest met so far, decoys included.
    seen: Vec<&'a str>,
    claims: TreeBuilder,
}

impl<'a> Processing<'a> {
    /// The disclosure of a digest, if it was sent.
    fn resolve(&mut self, digest: Json<'a>, reserved: &'static str) -> Result<Option<Disclosure<'a>>, SdJwtError> {
        let digest = digest.as_str().ok_or(SdJwtError::ReservedName { name: reserved })?;
        self.seen.push(digest);
        let Some((sent, disclosure)) = self.disclosures.find(digest) else {
            return Ok(None);
        };
        match self.places.get_mut(sent) {
            Some(placed) if !*placed => *placed = true,
            _ => return Err(SdJwtError::DuplicateDigest),
        }
        Ok(Some(disclosure))
    }

    /// No digest stands at two places, and every disclosure has found one.
    fn finish(mut self) -> Result<Tree, SdJwtError> {
        self.seen.sort_unstable();
        let twice = |pair: &[&str]| matches!(pair, [one, other] if one == other);
        if self.seen.windows(2).any(twice) {
            return Err(SdJwtError::DuplicateDigest);
        }
        if self.places.contains(&false) {
            return Err(SdJwtError::UnreferencedDisclosure);
        }
        Ok(self.claims.finish())
    }

    fn value(&mut self, value: Json<'a>, depth: usize) -> Result<(), SdJwtError> {
        if let Some(members) = value.members() {
            self.object(members, depth)
        } else if let Some(elements) = value.elements() {
            self.array(elements, depth)
        } else {
            self.claims.scalar(value);
            Ok(())
        }
    }

    fn object(&mut self, members: impl Iterator<Item = (&'a str, Json<'a>)>, depth: usize) -> Result<(), SdJwtError> {
        check_depth(depth)?;
        let object = self.claims.begin_object();
        let mut digests = None;
        for (name, value) in members {
            match name {
                SD => digests = Some(value.elements().ok_or(SdJwtError::ReservedName { name: SD })?),
                // Read before; it has no other place than this.
                SD_ALG if depth == 1 => {}
                SD_ALG => return Err(SdJwtError::ReservedName { name: SD_ALG }),
                ELLIPSIS => return Err(SdJwtError::ReservedName { name: ELLIPSIS }),
                name => {
                    self.claims.name(name);
                    self.value(value, depth + 1)?;
                }
            }
        }
        for digest in digests.into_iter().flatten() {
            let Some(disclosure) = self.resolve(digest, SD)? else {
                continue;
            };
            let name = disclosure.name.ok_or(SdJwtError::WrongDisclosureKind)?;
            if let Some(name) = [SD, ELLIPSIS, SD_ALG].into_iter().find(|reserved| *reserved == name) {
                return Err(SdJwtError::ReservedName { name });
            }
            if let Some(name) = self.critical.iter().find(|critical| depth == 1 && **critical == name) {
                return Err(SdJwtError::CriticalClaim { name });
            }
            self.claims.name(name);
            self.value(disclosure.value, depth + 1)?;
        }
        // The names of a JSON text are unique, so only a disclosure can have brought one again.
        self.claims.end_object(&object).map_err(|_| SdJwtError::ClaimExists)
    }

    fn array(&mut self, elements: impl Iterator<Item = Json<'a>>, depth: usize) -> Result<(), SdJwtError> {
        check_depth(depth)?;
        let array = self.claims.begin_array();
        for element in elements {
            let Some(digest) = element_digest(element)? else {
                self.value(element, depth + 1)?;
                continue;
            };
            let Some(disclosure) = self.resolve(digest, ELLIPSIS)? else {
                continue;
            };
            if disclosure.name.is_some() {
                return Err(SdJwtError::WrongDisclosureKind);
            }
            self.value(disclosure.value, depth + 1)?;
        }
        self.claims.end_array(&array);
        Ok(())
    }
}

/// The digest, if the array element is the object that stands for a disclosable one.
fn element_digest(element: Json<'_>) -> Result<Option<Json<'_>>, SdJwtError> {
    let Some(digest) = element.get(ELLIPSIS) else {
        return Ok(None);
    };
    if element.members().into_iter().flatten().count() > 1 {
        return Err(SdJwtError::ReservedName { name: ELLIPSIS });
    }
    Ok(Some(digest))
}

fn check_depth(depth: usize) -> Result<(), SdJwtError> {
    if depth > MAX_DEPTH {
        Err(SdJwtError::TooDeep)
    } else {
        Ok(())
    }
}

fn contains_digests(value: Json<'_>) -> bool {
    let in_members = value.members().is_some_and(|mut members| {
        members.any(|(name, value)| name == SD || name == ELLIPSIS || contains_digests(value))
    });
    in_members
        || value
            .elements()
            .is_some_and(|mut elements| elements.any(contains_digests))
}

#[cfg(test)]
mod tests {
    use keys::base64url;
    use keys::json::DEFAULT_LIMITS;
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn encode(disclosure: &Value) -> String {
        base64url::encode(disclosure.to_string())
    }

    fn digest(disclosure: &Value) -> String {
        HashAlgorithm::Sha256.digest(&encode(disclosure)).as_str().to_owned()
    }

    #[expect(clippy::needless_pass_by_value, reason = "payloads are written where they are used")]
    fn run(payload: Value, disclosures: &[Value]) -> Result<Value, SdJwtError> {
        let payload = Tree::parse(payload.to_string().as_bytes(), DEFAULT_LIMITS).unwrap();
        let encoded: Vec<String> = disclosures.iter().map(encode).collect();
        process(payload.root(), encoded.iter().map(String::as_str), &["cnf", "exp"])
            .map(|done| done.claims.root().to_value())
    }

    fn name() -> Value {
        json!(["salt1", "name", "A"])
    }

    #[test]
    fn members_and_elements_come_back_and_the_rest_goes() {
        let element = json!(["salt2", {"_sd": [digest(&name())]}]);
        let payload = json!({"list": [1, {"...": digest(&element)}, {"...": "decoy1"}], "_sd": ["decoy2"], "_sd_alg": "sha-256", "empty": {"_sd": []}});
        assert_eq!(
            run(payload.clone(), &[element, name()]),
            Ok(json!({"list": [1, {"name": "A"}], "empty": {}}))
        );
        assert_eq!(run(payload, &[]), Ok(json!({"list": [1], "empty": {}})));
    }

    #[test]
    fn the_same_disclosure_twice_is_refused() {
        let payload = json!({"_sd": [digest(&name())]});
        assert!(run(payload.clone(), &[name()]).is_ok());
        assert_eq!(run(payload, &[name(), name()]), Err(SdJwtError::DuplicateDisclosure));
    }

    #[test]
    fn the_same_digest_twice_is_refused_even_for_decoys() {
        for payload in [
            json!({"_sd": ["decoy", "decoy"]}),
            json!({"_sd": ["decoy"], "a": {"_sd": ["decoy"]}}),
            json!({"_sd": ["decoy"], "a": [{"...": "decoy"}]}),
            json!({"_sd": [digest(&name()), digest(&name())]}),
        ] {
            assert_eq!(run(payload.clone(), &[]), Err(SdJwtError::DuplicateDigest), "{payload}");
        }
        let inside = json!(["salt", "inner", {"_sd": ["decoy"]}]);
        let payload = json!({"_sd": ["decoy", digest(&inside)]});
        assert!(run(payload.clone(), &[]).is_ok());
        assert_eq!(run(payload, &[inside]), Err(SdJwtError::DuplicateDigest));
    }

    #[test]
    fn a_disclosure_without_digest_is_refused() {
        assert_eq!(
            run(json!({"_sd": ["decoy"]}), &[name()]),
            Err(SdJwtError::UnreferencedDisclosure)
        );
        // Its parent disclosure is missing.
        let parent = json!(["salt", "parent", {"_sd": [digest(&name())]}]);
        let payload = json!({"_sd": [digest(&parent)]});
        assert!(run(payload.clone(), &[parent, name()]).is_ok());
        assert_eq!(run(payload, &[name()]), Err(SdJwtError::UnreferencedDisclosure));
    }

    #[test]
    fn a_changed_disclosure_is_refused() {
        let payload = json!({"_sd": [digest(&name())]});
        assert_eq!(
            run(payload, &[json!(["salt1", "name", "B"])]),
            Err(SdJwtError::UnreferencedDisclosure)
        );
    }

    #[test]
    fn disclosures_of_the_wrong_kind_are_refused() {
        let element = json!(["salt", "A"]);
        assert_eq!(
            run(json!({"_sd": [digest(&element)]}), &[element]),
            Err(SdJwtError::WrongDisclosureKind)
        );
        assert_eq!(
            run(json!({"a": [{"...": digest(&name())}]}), &[name()]),
            Err(SdJwtError::WrongDisclosureKind)
        );
    }

    #[test]
    fn a_claim_that_exists_is_not_overwritten() {
        assert_eq!(
            run(json!({"_sd": [digest(&name())], "name": "B"}), &[name()]),
            Err(SdJwtError::ClaimExists)
        );
        let other = json!(["salt3", "name", "B"]);
        let payload = json!({"_sd": [digest(&name()), digest(&other)]});
        assert!(run(payload.clone(), &[name()]).is_ok());
        assert_eq!(run(payload, &[name(), other]), Err(SdJwtError::ClaimExists));
    }

    #[test]
    fn disclosed_names_are_not_reserved_ones() {
        for reserved in ["_sd", "...", "_sd_alg"] {
            let disclosure = json!(["salt", reserved, []]);
            let payload = json!({"a": {"_sd": [digest(&disclosure)]}});
            assert_eq!(
                run(payload, &[disclosure]),
                Err(SdJwtError::ReservedName { name: reserved })
            );
        }
    }

    #[test]
    fn reserved_names_elsewhere_are_refused() {
        for (payload, name) in [
            (json!({"_sd": "x"}), SD),
            (json!({"_sd": [1]}), SD),
            (json!({"a": {"...": "x"}}), ELLIPSIS),
            (json!({"...": "x"}), ELLIPSIS),
            (json!({"a": [{"...": "x", "b": 1}]}), ELLIPSIS),
            (json!({"a": [{"...": 1}]}), ELLIPSIS),
            (json!({"a": {"_sd_alg": "sha-256"}}), SD_ALG),
            (json!({"a": [{"_sd_alg": "sha-256"}]}), SD_ALG),
        ] {
            assert_eq!(
                run(payload.clone(), &[]),
                Err(SdJwtError::ReservedName { name }),
                "{payload}"
            );
        }
    }

    #[test]
    fn the_hash_is_known_and_a_string() {
        assert!(run(json!({"_sd_alg": "sha-384"}), &[]).is_ok());
        assert_eq!(run(json!({"_sd_alg": "sha-1"}), &[]), Err(SdJwtError::UnsupportedHash));
        assert!(matches!(run(json!({"_sd_alg": 256}), &[]), Err(SdJwtError::Claim(_))));
        // Digests of another hash than the named one fit nothing.
        let payload = json!({"_sd_alg": "sha-512", "_sd": [digest(&name())]});
        assert_eq!(run(payload, &[name()]), Err(SdJwtError::UnreferencedDisclosure));
    }

    #[test]
    fn critical_claims_and_their_parts_are_not_disclosable() {
        let exp = json!(["salt", "exp", 1]);
        let payload = json!({"_sd": [digest(&exp)]});
        assert!(run(payload.clone(), &[]).is_ok());
        assert_eq!(run(payload, &[exp]), Err(SdJwtError::CriticalClaim { name: "exp" }));
        for cnf in [
            json!({"_sd": ["decoy"]}),
            json!({"jwk": {"_sd": []}}),
            json!([{"...": "decoy"}]),
        ] {
            assert_eq!(
                run(json!({"cnf": cnf}), &[]),
                Err(SdJwtError::CriticalClaim { name: "cnf" })
            );
        }
        // The name deeper down is an ordinary claim.
        let inner = json!(["salt", "exp", 1]);
        assert!(run(json!({"a": {"_sd": [digest(&inner)]}}), &[inner]).is_ok());
    }

    #[test]
    fn depth_is_bounded_across_disclosures() {
        let chain = |levels: usize| {
            let mut disclosures = vec![json!(["salt", "leaf", 1])];
            for _ in 1..levels {
                let inner = digest(disclosures.last().unwrap());
                disclosures.push(json!(["salt", "a", {"_sd": [inner]}]));
            }
            run(json!({"_sd": [digest(disclosures.last().unwrap())]}), &disclosures)
        };
        assert!(chain(MAX_DEPTH).is_ok());
        assert_eq!(chain(MAX_DEPTH + 1), Err(SdJwtError::TooDeep));
    }
}
