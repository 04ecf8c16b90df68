//! Putting disclosures back in their places
//! ([RFC 9901, verification of the SD-JWT](https://www.rfc-editor.org/rfc/rfc9901#name-verification-of-the-sd-jwt), steps 3 to 5).

use serde_json::Map;
use serde_json::Value;

use super::Disclosure;
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
    pub(crate) claims: Map<String, Value>,
    /// The hash named by `_sd_alg`; `sd_hash` uses the same.
    pub(crate) hash: HashAlgorithm,
}

/// Replaces digests in `payload` by what `disclosures` (encoded) hold for them, and drops the rest.
///
/// `critical` names top-level claims that must stand in the payload itself, with everything inside them.
/// The signature is the caller's business: call this with a payload that was signed.
pub(crate) fn process<'a>(
    mut payload: Map<String, Value>,
    disclosures: impl Iterator<Item = &'a str>,
    critical: &[&'static str],
) -> Result<Processed, SdJwtError> {
    let hash = take_hash(&mut payload)?;
    let mut by_digest = Vec::new();
    for encoded in disclosures {
        // The digest is over the text, so a disclosure can only be read the way the issuer wrote it.
        by_digest.push((hash.digest(encoded), Some(Disclosure::parse(encoded)?)));
    }
    // Sorted lists rather than hash maps: there are a dozen entries, and this is the verifier's hot path.
    by_digest.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if by_digest
        .windows(2)
        .any(|pair| matches!(pair, [(one, _), (other, _)] if one == other))
    {
        return Err(SdJwtError::DuplicateDisclosure);
    }
    for name in critical {
        if payload.get(*name).is_some_and(contains_digests) {
            return Err(SdJwtError::CriticalClaim { name });
        }
    }
    let mut processing = Processing {
        by_digest,
        critical,
        seen: Vec::new(),
    };
    processing.object(&mut payload, 1)?;
    processing.finish()?;
    Ok(Processed { claims: payload, hash })
}

/// Removes `_sd_alg` and reads it; SHA-256 if it is not there.
pub(crate) fn take_hash(payload: &mut Map<String, Value>) -> Result<HashAlgorithm, SdJwtError> {
    let hash = match optional_string(payload, SD_ALG)? {
        None => HashAlgorithm::default(),
        Some(name) => HashAlgorithm::from_name(name).ok_or(SdJwtError::UnsupportedHash)?,
    };
    payload.remove(SD_ALG);
    Ok(hash)
}

struct Processing<'a> {
    /// Names that no disclosure may bring to the top level.
    critical: &'a [&'static str],
    /// Each disclosure until it has found its place, sorted by digest.
    by_digest: Vec<(String, Option<Disclosure>)>,
    /// Every digest met so far, decoys included.
    seen: Vec<String>,
}

impl Processing<'_> {
    /// The disclosure of a digest, if it was sent and has no place yet.
    fn resolve(&mut self, digest: Value, reserved: &'static str) -> Result<Option<Disclosure>, SdJwtError> {
        let Value::String(digest) = digest else {
            return Err(SdJwtError::ReservedName { name: reserved });
        };
        let place = self.by_digest.binary_search_by(|(known, _)| known.cmp(&digest));
        let entry = place.ok().and_then(|place| self.by_digest.get_mut(place));
        let disclosure = entry.and_then(|(_, disclosure)| disclosure.take());
        self.seen.push(digest);
        Ok(disclosure)
    }

    /// No digest stands at two places, and every disclosure has found one.
    fn finish(mut self) -> Result<(), SdJwtError> {
        self.seen.sort_unstable();
        if self
            .seen
            .windows(2)
            .any(|pair| matches!(pair, [one, other] if one == other))
        {
            return Err(SdJwtError::DuplicateDigest);
        }
        if self.by_digest.iter().any(|(_, disclosure)| disclosure.is_some()) {
            return Err(SdJwtError::UnreferencedDisclosure);
        }
        Ok(())
    }

    fn value(&mut self, value: &mut Value, depth: usize) -> Result<(), SdJwtError> {
        match value {
            Value::Object(map) => self.object(map, depth),
            Value::Array(items) => self.array(items, depth),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
        }
    }

    fn object(&mut self, map: &mut Map<String, Value>, depth: usize) -> Result<(), SdJwtError> {
        check_depth(depth)?;
        let digests = match map.remove(SD) {
            None => Vec::new(),
            Some(Value::Array(digests)) => digests,
            Some(_) => return Err(SdJwtError::ReservedName { name: SD }),
        };
        // The top-level _sd_alg is already taken, so here it is misplaced at any level.
        if let Some(name) = [ELLIPSIS, SD_ALG].into_iter().find(|name| map.contains_key(*name)) {
            return Err(SdJwtError::ReservedName { name });
        }
        for value in map.values_mut() {
            self.value(value, depth + 1)?;
        }
        for digest in digests {
            let Some(disclosure) = self.resolve(digest, SD)? else {
                continue;
            };
            let Disclosure {
                name: Some(name),
                mut value,
            } = disclosure
            else {
                return Err(SdJwtError::WrongDisclosureKind);
            };
            if let Some(name) = [SD, ELLIPSIS, SD_ALG].into_iter().find(|reserved| *reserved == name) {
                return Err(SdJwtError::ReservedName { name });
            }
            if let Some(name) = self.critical.iter().find(|critical| depth == 1 && **critical == name) {
                return Err(SdJwtError::CriticalClaim { name });
            }
            if map.contains_key(&name) {
                return Err(SdJwtError::ClaimExists);
            }
            self.value(&mut value, depth + 1)?;
            map.insert(name, value);
        }
        Ok(())
    }

    fn array(&mut self, items: &mut Vec<Value>, depth: usize) -> Result<(), SdJwtError> {
        check_depth(depth)?;
        let mut kept = Vec::with_capacity(items.len());
        for mut item in items.drain(..) {
            if let Some(digest) = take_element_digest(&mut item)? {
                let Some(disclosure) = self.resolve(digest, ELLIPSIS)? else {
                    continue;
                };
                let Disclosure { name: None, value } = disclosure else {
                    return Err(SdJwtError::WrongDisclosureKind);
                };
                item = value;
            }
            self.value(&mut item, depth + 1)?;
            kept.push(item);
        }
        *items = kept;
        Ok(())
    }
}

/// The digest, if the array element is the object that stands for a disclosable one.
fn take_element_digest(item: &mut Value) -> Result<Option<Value>, SdJwtError> {
    let Value::Object(map) = item else { return Ok(None) };
    match map.remove(ELLIPSIS) {
        None => Ok(None),
        Some(digest) if map.is_empty() => Ok(Some(digest)),
        Some(_) => Err(SdJwtError::ReservedName { name: ELLIPSIS }),
    }
}

fn check_depth(depth: usize) -> Result<(), SdJwtError> {
    if depth > MAX_DEPTH {
        Err(SdJwtError::TooDeep)
    } else {
        Ok(())
    }
}

fn contains_digests(value: &Value) -> bool {
    match value {
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| name == SD || name == ELLIPSIS || contains_digests(value)),
        Value::Array(items) => items.iter().any(contains_digests),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use keys::base64url;
    use serde_json::json;

    use super::*;

    fn encode(disclosure: &Value) -> String {
        base64url::encode(disclosure.to_string())
    }

    fn digest(disclosure: &Value) -> String {
        HashAlgorithm::Sha256.digest(&encode(disclosure))
    }

    fn run(payload: Value, disclosures: &[Value]) -> Result<Value, SdJwtError> {
        let Value::Object(payload) = payload else {
            panic!("an object")
        };
        let encoded: Vec<String> = disclosures.iter().map(encode).collect();
        process(payload, encoded.iter().map(String::as_str), &["cnf", "exp"]).map(|done| Value::Object(done.claims))
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
