//! Witnesses: who must approve an entry, their proofs, and whether enough of them did
//! ([DID witnesses](https://identity.foundation/didwebvh/v1.0/#did-witnesses)).

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::data_integrity;
use keys::data_integrity::JcsSuite;
use keys::data_integrity::ProofError;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::log::LogState;
use super::parameters::MAX_LIST_ITEMS;
use crate::Did;
use crate::DidUrl;
use crate::methods::key;

/// One proof is about 500 bytes; 64 witnesses that approved 30 versions each fit.
pub const MAX_WITNESS_FILE_BYTES: usize = 1024 * 1024;

const LIMITS: json::Limits = json::Limits {
    max_bytes: MAX_WITNESS_FILE_BYTES,
    max_depth: 8,
};

/// The witness configuration or file is malformed, or too few witnesses approved.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessError {
    /// The same witness is listed twice: the controller's fault.
    #[error("expected distinct witnesses, found one twice")]
    Duplicate,
    /// The proofs file is not JSON within the limits, or of another shape: the controller's fault.
    #[error("expected the witness file to be {expected}")]
    File {
        /// What it has to be.
        expected: &'static str,
    },
    /// A witness is not the `did:key` of an Ed25519 key: the controller's fault.
    #[error("expected every witness to be a did:key of an Ed25519 key")]
    Id,
    /// The object has another shape: the controller's fault.
    #[error("expected the witness parameter to be {{}} or to have `threshold` and at most 64 `witnesses`")]
    Shape,
    /// The threshold is not between one and the number of witnesses: the controller's fault.
    #[error("expected a threshold from 1 to {witnesses}")]
    Threshold {
        /// How many witnesses are listed.
        witnesses: usize,
    },
    /// Too few distinct witnesses approved this version or a later one.
    #[error("expected {expected} witnesses to approve version {version}, found {found}")]
    TooFew {
        /// The version number.
        version: u64,
        /// The threshold.
        expected: usize,
        /// How many approved.
        found: usize,
    },
}

/// A list of distinct witnesses and how many of them must approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    threshold: usize,
    ids: Vec<Did>,
}

impl Witnesses {
    /// `threshold` of `keys` must approve.
    ///
    /// # Errors
    /// [`WitnessError`] when a key comes twice, is not Ed25519, or the threshold cannot be met.
    pub fn new(threshold: usize, keys: &[PublicKey]) -> Result<Self, WitnessError> {
        let ids: Result<_, _> = keys.iter().map(|key| Did::parse(&key::did(key))).collect();
        Self::checked(threshold, ids.map_err(|_| WitnessError::Id)?)
    }

    /// Reads the `witness` parameter; `{}` and `null` are no witnesses.
    pub(crate) fn parse(value: &Value) -> Result<Option<Self>, WitnessError> {
        let map = match value {
            Value::Null => return Ok(None),
            Value::Object(map) if map.is_empty() => return Ok(None),
            Value::Object(map) if map.len() == 2 => map,
            _ => return Err(WitnessError::Shape),
        };
        let witnesses = map
            .get("witnesses")
            .and_then(Value::as_array)
            .ok_or(WitnessError::Shape)?;
        let threshold = map.get("threshold").ok_or(WitnessError::Shape)?;
        let threshold = threshold.as_u64().and_then(|threshold| usize::try_from(threshold).ok());
        let threshold = threshold.ok_or(WitnessError::Threshold {
            witnesses: witnesses.len(),
        })?;
        if witnesses.len() > MAX_LIST_ITEMS {
            return Err(WitnessError::Shape);
        }
        let id = |witness: &Value| Did::parse(witness.get("id")?.as_str()?).ok();
        let ids: Option<Vec<Did>> = witnesses.iter().map(id).collect();
        Self::checked(threshold, ids.ok_or(WitnessError::Id)?).map(Some)
    }

    /// Whether `did` is one of them.
    #[must_use]
    pub fn contains(&self, did: &Did) -> bool {
        self.ids.contains(did)
    }

    /// How many must approve.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    /// The `did:key` of each.
    #[must_use]
    pub fn ids(&self) -> &[Did] {
        &self.ids
    }

    /// The value of the `witness` parameter.
    pub(crate) fn to_parameter(witnesses: Option<&Self>) -> Value {
        let Some(Self { threshold, .. }) = witnesses else {
            return Value::Object(Map::new());
        };
        serde_json::json!({"threshold": threshold, "witnesses": witnesses.map(Self::to_list)})
    }

    /// The value of the `witness` metadata, where DID Resolution allows no numbers.
    pub(crate) fn to_metadata(&self) -> Value {
        serde_json::json!({"threshold": self.threshold.to_string(), "witnesses": self.to_list()})
    }

    fn to_list(&self) -> Vec<Value> {
        self.ids.iter().map(|id| serde_json::json!({"id": id})).collect()
    }

    fn checked(threshold: usize, ids: Vec<Did>) -> Result<Self, WitnessError> {
        // A witness that can never sign must not become part of a configuration.
        if !ids
            .iter()
            .all(|id| key::public_key(id).is_ok_and(|key| key.algorithm() == Algorithm::EdDsa))
        {
            return Err(WitnessError::Id);
        }
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return Err(WitnessError::Duplicate);
        }
        if threshold < 1 || threshold > ids.len() {
            return Err(WitnessError::Threshold { witnesses: ids.len() });
        }
        Ok(Self { threshold, ids })
    }
}

/// A witness's proof that it approves `version_id` and everything before it; completes to the proof
/// object for [`WitnessFile::add`].
///
/// # Errors
/// [`ProofError`] for a witness whose key is not Ed25519: the caller's fault.
pub fn approve(version_id: &str, witness: &PublicKey, created: Timestamp) -> Result<SigningRequest<Value>, ProofError> {
    data_integrity::jcs_sign(
        JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        &approved(version_id),
        super::write::proof_configuration(witness, created),
    )
}

/// The file `did-witness.json`
/// ([witness proofs file](https://identity.foundation/didwebvh/v1.0/#the-witness-proofs-file)).
/// Nothing in it is verified until [`check`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WitnessFile {
    /// Proofs by `versionId`, in the order of the file.
    entries: Vec<(String, Vec<Value>)>,
}

impl WitnessFile {
    /// Reads the file.
    ///
    /// # Errors
    /// [`WitnessError::File`].
    pub fn parse(bytes: &[u8]) -> Result<Self, WitnessError> {
        let value = json::parse(bytes, LIMITS).map_err(|_| WitnessError::File {
            expected: "JSON of at most 1 MiB",
        })?;
        let entry = |entry: &Value| {
            let version_id = entry.get("versionId")?.as_str()?;
            let proofs = entry.get("proof")?.as_array()?;
            Some((version_id.to_owned(), proofs.clone()))
        };
        let entries: Option<Vec<_>> = value.as_array().and_then(|entries| entries.iter().map(entry).collect());
        entries.map(|entries| Self { entries }).ok_or(WitnessError::File {
            expected: "an array of `versionId` and `proof`",
        })
    }

    /// Adds a proof of a witness for a version.
    pub fn add(&mut self, version_id: &str, proof: Value) {
        match self.entries.iter_mut().find(|(id, _)| id == version_id) {
            Some((_, proofs)) => proofs.push(proof),
            None => self.entries.push((version_id.to_owned(), vec![proof])),
        }
    }

    /// The bytes to publish.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let entry =
            |(version_id, proofs): &(String, Vec<Value>)| serde_json::json!({"versionId": version_id, "proof": proofs});
        Value::Array(self.entries.iter().map(entry).collect())
            .to_string()
            .into_bytes()
    }
}

/// Checks that every version that needs witnesses was approved by enough of them. `versions` are
/// consecutive and verified in every other respect. On failure, tells how many of them stand.
///
/// # Errors
/// The number of leading versions that are approved, and [`WitnessError::TooFew`] for the next one.
pub fn check(versions: &[LogState], file: &WitnessFile) -> Result<(), (usize, WitnessError)> {
    let newest = newest_approvals(versions, file);
    for (position, version) in versions.iter().enumerate() {
        let Some(required) = version.required_witnesses() else {
            continue;
        };
        let number = version.version_number();
        // A valid proof for a later version approves the earlier ones.
        let found = required
            .ids
            .iter()
            .filter(|id| newest.get(*id).is_some_and(|approved| *approved >= number))
            .count();
        if found < required.threshold {
            return Err((
                position,
                WitnessError::TooFew {
                    version: number,
                    expected: required.threshold,
                    found,
                },
            ));
        }
    }
    Ok(())
}

/// For each witness the newest version that it has validly approved. Proofs for versions outside the
/// log, of strangers, and proofs that fail are passed over, as the specification tells.
fn newest_approvals(versions: &[LogState], file: &WitnessFile) -> BTreeMap<Did, u64> {
    let numbers: BTreeMap<&str, u64> = versions
        .iter()
        .map(|version| (version.version_id(), version.version_number()))
        .collect();
    let listed: BTreeSet<&Did> = versions
        .iter()
        .filter_map(LogState::required_witnesses)
        .flat_map(|witnesses| &witnesses.ids)
        .collect();
    let mut newest: BTreeMap<Did, u64> = BTreeMap::new();
    for (version_id, proofs) in &file.entries {
        let Some(number) = numbers.get(version_id.as_str()) else {
            continue;
        };
        for proof in proofs {
            let Some(id) = proof_method(proof) else { continue };
            let did = id.did();
            if !listed.contains(did) || newest.get(did).is_some_and(|known| known >= number) {
                continue;
            }
            if verifies(version_id, proof, &id) {
                newest.insert(did.clone(), *number);
            }
        }
    }
    newest
}

fn proof_method(proof: &Value) -> Option<DidUrl> {
    DidUrl::parse(proof.get("verificationMethod")?.as_str()?).ok()
}

/// The key comes from the body of the `did:key` and from nowhere else.
fn verifies(version_id: &str, proof: &Value, id: &DidUrl) -> bool {
    let purpose = proof.get("proofPurpose").and_then(Value::as_str);
    let Ok(key) = key::public_key_of_method(id) else {
        return false;
    };
    purpose == Some(crate::Purpose::AssertionMethod.name())
        && proof.as_object().is_some_and(|proof| {
            data_integrity::jcs_verify(JcsSuite::EddsaJcs2022, &approved(version_id), proof, &key).is_ok()
        })
}

/// What a witness signs.
fn approved(version_id: &str) -> Map<String, Value> {
    Map::from_iter([("versionId".to_owned(), Value::from(version_id))])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG";
    const TWO: &str = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";

    fn parse(threshold: &Value, ids: &[&str]) -> Result<Option<Witnesses>, WitnessError> {
        let witnesses: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
        Witnesses::parse(&json!({"threshold": threshold, "witnesses": witnesses}))
    }

    #[test]
    fn configuration_is_read_and_written() {
        let witnesses = parse(&json!(2), &[ONE, TWO]).unwrap().unwrap();
        assert_eq!(witnesses.threshold(), 2);
        assert_eq!(
            Witnesses::parse(&Witnesses::to_parameter(Some(&witnesses))).unwrap(),
            Some(witnesses.clone())
        );
        assert_eq!(witnesses.to_metadata()["threshold"], "2");
        assert_eq!(Witnesses::parse(&json!({})), Ok(None));
        assert_eq!(Witnesses::to_parameter(None), json!({}));
    }

    #[test]
    fn duplicate_witness_ids_are_refused() {
        assert_eq!(parse(&json!(1), &[ONE, ONE]), Err(WitnessError::Duplicate));
    }

    #[test]
    fn thresholds_out_of_range_are_refused() {
        for bad in [json!(0), json!(3), json!(-1), json!(1.5), json!("1"), json!(null)] {
            assert_eq!(
                parse(&bad, &[ONE, TWO]),
                Err(WitnessError::Threshold { witnesses: 2 }),
                "{bad}"
            );
        }
        assert_eq!(parse(&json!(1), &[]), Err(WitnessError::Threshold { witnesses: 0 }));
    }

    #[test]
    fn malformed_configurations_are_not_coerced_to_none() {
        for bad in [
            json!([]),
            json!(1),
            json!({"threshold": 1}),
            json!({"witnesses": []}),
            json!({"threshold": 1, "witnesses": {}}),
            json!({"threshold": 1, "witnesses": [], "x": 1}),
        ] {
            assert_eq!(Witnesses::parse(&bad), Err(WitnessError::Shape), "{bad}");
        }
        assert_eq!(parse(&json!(1), &vec![ONE; 65]), Err(WitnessError::Shape));
    }

    #[test]
    fn witnesses_must_be_ed25519_keys() {
        for bad in [
            "did:web:example.com",
            "did:key:zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
            "did:key:z6Mk",
            "witness",
            "",
        ] {
            assert_eq!(parse(&json!(1), &[bad]), Err(WitnessError::Id), "{bad}");
        }
        assert_eq!(
            Witnesses::parse(&json!({"threshold": 1, "witnesses": [ONE]})),
            Err(WitnessError::Id)
        );
    }

    #[test]
    fn file_of_another_shape_is_refused() {
        assert!(WitnessFile::parse(br#"[{"versionId":"1-Qm","proof":[]}]"#).is_ok());
        for bad in [
            "",
            "{}",
            "[1]",
            r#"[{"versionId":1,"proof":[]}]"#,
            r#"[{"versionId":"1"}]"#,
            r#"[{"versionId":"1","proof":{}}]"#,
        ] {
            assert!(
                matches!(WitnessFile::parse(bad.as_bytes()), Err(WitnessError::File { .. })),
                "{bad}"
            );
        }
        assert!(matches!(
            WitnessFile::parse(&vec![b' '; MAX_WITNESS_FILE_BYTES + 1]),
            Err(WitnessError::File { .. })
        ));
    }
}
