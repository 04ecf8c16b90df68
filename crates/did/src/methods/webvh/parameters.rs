//! The parameters of a log: what each entry changes and what is active after it
//! ([parameters](https://identity.foundation/didwebvh/v1.0/#didwebvh-did-method-parameters)).

use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::hash;
use super::identifier::is_scid;
use super::witness::WitnessError;
use super::witness::Witnesses;

/// The only version of the method that we read and write.
pub const METHOD_VERSION: &str = "did:webvh:1.0";

/// `ttl` where none is set: one hour.
pub const DEFAULT_TTL: u32 = 3600;

/// Keys, hashes and watchers of the largest logs we know are below ten; each list is walked for each entry.
pub(crate) const MAX_LIST_ITEMS: usize = 64;

/// "with a range of 0 to 2^31"
const MAX_TTL: u64 = 1 << 31;

/// The parameters of an entry break a rule: the controller's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterError {
    /// Under pre-rotation a member is missing, or a key was not committed to.
    #[error("expected under pre-rotation {expected}")]
    PreRotation {
        /// The broken rule.
        expected: &'static str,
    },
    /// The first entry lacks a member.
    #[error("expected the parameter `{member}` in the first entry")]
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member that later entries must not have, or not with this value.
    #[error("expected `{member}` only in the first entry")]
    OnlyFirst {
        /// Its name.
        member: &'static str,
    },
    /// A member that version 1.0 does not know.
    #[error("expected only parameters of did:webvh:1.0, found another one")]
    Unknown,
    /// A member with a value of another type or outside its range.
    #[error("expected the parameter `{member}` to be {expected}")]
    Value {
        /// Its name.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// The witness configuration is malformed.
    #[error("the parameter `witness` is malformed")]
    Witness(#[from] WitnessError),
}

/// What one entry says; `None` keeps what was active before.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterChanges {
    /// The version of the method; written into the first entry by [`super::create`].
    pub(crate) method: bool,
    /// The SCID; written into the first entry by [`super::create`].
    pub(crate) scid: Option<String>,
    /// Multikeys that may sign updates from now on.
    pub update_keys: Option<Vec<String>>,
    /// Hashes ([`key_hash`]) of the keys that the next entry may have; empty ends pre-rotation.
    pub next_key_hashes: Option<Vec<String>>,
    /// The witnesses from the next entry on; `Some(None)` ends witnessing.
    pub witness: Option<Option<Witnesses>>,
    /// URLs of services that keep copies of the log.
    pub watchers: Option<Vec<String>>,
    /// Whether the DID may move to another place. `true` only in the first entry.
    pub portable: Option<bool>,
    /// `true` ends the DID.
    pub deactivated: Option<bool>,
    /// Seconds for which a resolution may be cached.
    pub ttl: Option<u32>,
}

/// What is active after an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    /// Multikeys that may sign the next entry, unless pre-rotation is active.
    pub update_keys: Vec<String>,
    /// Not empty: pre-rotation is active, and the next entry's keys must have these hashes.
    pub next_key_hashes: Vec<String>,
    /// The witnesses of the next entry.
    pub witness: Option<Witnesses>,
    /// URLs of services that keep copies of the log.
    pub watchers: Vec<String>,
    /// Whether the DID may move to another place.
    pub portable: bool,
    /// Whether the DID has ended.
    pub deactivated: bool,
    /// Seconds for which a resolution may be cached.
    pub ttl: u32,
}

/// The hash of a Multikey that commits to it in `nextKeyHashes`
/// ([pre-rotation](https://identity.foundation/didwebvh/v1.0/#pre-rotation-key-hash-generation-and-verification)).
#[must_use]
pub fn key_hash(multikey: &str) -> String {
    hash(multikey)
}

impl ParameterChanges {
    /// Reads the `parameters` of an entry.
    ///
    /// # Errors
    /// [`ParameterError`]; unknown members are refused, `null` is read as the member's default.
    pub(crate) fn parse(value: &Value) -> Result<Self, ParameterError> {
        let map = value.as_object().ok_or(ParameterError::Value {
            member: "parameters",
            expected: "an object",
        })?;
        let mut changes = Self::default();
        for (member, value) in map {
            changes.read(member, value)?;
        }
        Ok(changes)
    }

    fn read(&mut self, member: &str, value: &Value) -> Result<(), ParameterError> {
        match member {
            "method" if value == METHOD_VERSION => self.method = true,
            "method" => {
                return Err(ParameterError::Value {
                    member: "method",
                    expected: METHOD_VERSION,
                });
            }
            "scid" => {
                let scid = value.as_str().filter(|scid| is_scid(scid));
                self.scid = Some(
                    scid.ok_or(ParameterError::Value {
                        member: "scid",
                        expected: "a SCID",
                    })?
                    .to_owned(),
                );
            }
            "updateKeys" => self.update_keys = Some(distinct_strings("updateKeys", value)?),
            "nextKeyHashes" => self.next_key_hashes = Some(distinct_strings("nextKeyHashes", value)?),
            "watchers" => self.watchers = Some(distinct_strings("watchers", value)?),
            "witness" => self.witness = Some(Witnesses::parse(value)?),
            "portable" => self.portable = Some(boolean("portable", value)?),
            "deactivated" => self.deactivated = Some(boolean("deactivated", value)?),
            "ttl" => self.ttl = Some(ttl(value)?),
            _ => return Err(ParameterError::Unknown),
        }
        Ok(())
    }

    pub(crate) fn to_value(&self) -> Value {
        let mut map = Map::new();
        let mut set = |member: &str, value: Option<Value>| {
            if let Some(value) = value {
                map.insert(member.to_owned(), value);
            }
        };
        set("method", self.method.then(|| METHOD_VERSION.into()));
        set("scid", self.scid.clone().map(Value::from));
        set("updateKeys", self.update_keys.clone().map(Value::from));
        set("nextKeyHashes", self.next_key_hashes.clone().map(Value::from));
        set("watchers", self.watchers.clone().map(Value::from));
        set(
            "witness",
            self.witness
                .as_ref()
                .map(|witness| Witnesses::to_parameter(witness.as_ref())),
        );
        set("portable", self.portable.map(Value::from));
        set("deactivated", self.deactivated.map(Value::from));
        set("ttl", self.ttl.map(Value::from));
        Value::Object(map)
    }
}

impl Parameters {
    /// What is active after the first entry.
    pub(crate) fn genesis(changes: &ParameterChanges) -> Result<Self, ParameterError> {
        if !changes.method {
            return Err(ParameterError::Missing { member: "method" });
        }
        Ok(Self {
            update_keys: changes
                .update_keys
                .clone()
                .ok_or(ParameterError::Missing { member: "updateKeys" })?,
            next_key_hashes: changes.next_key_hashes.clone().unwrap_or_default(),
            witness: changes.witness.clone().unwrap_or_default(),
            watchers: changes.watchers.clone().unwrap_or_default(),
            portable: changes.portable.unwrap_or(false),
            deactivated: changes.deactivated.unwrap_or(false),
            ttl: changes.ttl.unwrap_or(DEFAULT_TTL),
        })
    }

    /// What is active after a later entry.
    pub(crate) fn after(&self, changes: &ParameterChanges) -> Result<Self, ParameterError> {
        if changes.scid.is_some() {
            return Err(ParameterError::OnlyFirst { member: "scid" });
        }
        if changes.portable == Some(true) {
            return Err(ParameterError::OnlyFirst { member: "portable" });
        }
        self.check_pre_rotation(changes)?;
        Ok(Self {
            update_keys: changes.update_keys.clone().unwrap_or_else(|| self.update_keys.clone()),
            next_key_hashes: changes
                .next_key_hashes
                .clone()
                .unwrap_or_else(|| self.next_key_hashes.clone()),
            witness: changes.witness.clone().unwrap_or_else(|| self.witness.clone()),
            watchers: changes.watchers.clone().unwrap_or_else(|| self.watchers.clone()),
            portable: changes.portable.unwrap_or(self.portable),
            deactivated: changes.deactivated.unwrap_or(self.deactivated),
            ttl: changes.ttl.unwrap_or(self.ttl),
        })
    }

    /// Whether the next entry is bound by `next_key_hashes`.
    #[must_use]
    pub fn pre_rotation(&self) -> bool {
        !self.next_key_hashes.is_empty()
    }

    /// All parameters, as an entry would set them.
    pub(crate) fn to_value(&self) -> Value {
        let all = ParameterChanges {
            method: true,
            scid: None,
            update_keys: Some(self.update_keys.clone()),
            next_key_hashes: Some(self.next_key_hashes.clone()),
            witness: Some(self.witness.clone()),
            watchers: Some(self.watchers.clone()),
            portable: Some(self.portable),
            deactivated: Some(self.deactivated),
            ttl: Some(self.ttl),
        };
        all.to_value()
    }

    /// "Inheritance of `updateKeys` is never permitted while pre-rotation is active."
    fn check_pre_rotation(&self, changes: &ParameterChanges) -> Result<(), ParameterError> {
        if !self.pre_rotation() {
            return Ok(());
        }
        let keys = changes.update_keys.as_ref().ok_or(ParameterError::PreRotation {
            expected: "explicit `updateKeys`",
        })?;
        if changes.next_key_hashes.is_none() {
            return Err(ParameterError::PreRotation {
                expected: "explicit `nextKeyHashes`",
            });
        }
        let committed: BTreeSet<&str> = self.next_key_hashes.iter().map(String::as_str).collect();
        if keys.iter().any(|key| !committed.contains(key_hash(key).as_str())) {
            return Err(ParameterError::PreRotation {
                expected: "only keys whose hashes the previous entry committed to",
            });
        }
        Ok(())
    }
}

/// An array of distinct strings; `null`, which early writers used, is the empty array.
fn distinct_strings(member: &'static str, value: &Value) -> Result<Vec<String>, ParameterError> {
    let refused = ParameterError::Value {
        member,
        expected: "an array of at most 64 distinct strings",
    };
    let items = match value {
        Value::Null => return Ok(Vec::new()),
        Value::Array(items) if items.len() <= MAX_LIST_ITEMS => items,
        _ => return Err(refused),
    };
    let strings: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    let strings = strings.ok_or_else(|| refused.clone())?;
    if strings.iter().collect::<BTreeSet<_>>().len() < strings.len() {
        return Err(refused);
    }
    Ok(strings)
}

fn boolean(member: &'static str, value: &Value) -> Result<bool, ParameterError> {
    value.as_bool().ok_or(ParameterError::Value {
        member,
        expected: "true or false",
    })
}

fn ttl(value: &Value) -> Result<u32, ParameterError> {
    if value.is_null() {
        return Ok(DEFAULT_TTL);
    }
    let seconds = value
        .as_u64()
        .filter(|seconds| *seconds <= MAX_TTL)
        .and_then(|seconds| u32::try_from(seconds).ok());
    seconds.ok_or(ParameterError::Value {
        member: "ttl",
        expected: "a whole number from 0 to 2^31",
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCID: &str = "QmTYXE8TR3uLUWWrefCtFCLhdFWDBk7Eyq5DQRmiHFVAEL";

    fn first() -> Value {
        json!({"method": METHOD_VERSION, "scid": SCID, "updateKeys": ["k1"], "portable": true})
    }

    fn genesis(value: &Value) -> Result<Parameters, ParameterError> {
        Parameters::genesis(&ParameterChanges::parse(value)?)
    }

    fn genesis_with(member: &str, value: Value) -> Result<Parameters, ParameterError> {
        let mut parameters = first();
        parameters[member] = value;
        genesis(&parameters)
    }

    fn after(before: &Value, change: &Value) -> Result<Parameters, ParameterError> {
        genesis(before).unwrap().after(&ParameterChanges::parse(change)?)
    }

    #[test]
    fn defaults_of_the_first_entry() {
        let parameters = genesis(&first()).unwrap();
        assert_eq!(parameters.ttl, DEFAULT_TTL);
        assert!(parameters.portable && !parameters.deactivated && !parameters.pre_rotation());
        assert!(parameters.witness.is_none() && parameters.watchers.is_empty());
        assert!(!genesis_with("portable", json!(false)).unwrap().portable);
    }

    #[test]
    fn null_is_read_as_the_default() {
        for member in ["updateKeys", "nextKeyHashes", "watchers", "witness", "ttl"] {
            assert!(genesis_with(member, Value::Null).is_ok(), "{member}");
        }
    }

    #[test]
    fn first_entry_needs_method_and_keys() {
        for member in ["method", "updateKeys"] {
            let mut parameters = first();
            parameters.as_object_mut().unwrap().remove(member);
            assert_eq!(genesis(&parameters), Err(ParameterError::Missing { member }));
        }
    }

    #[test]
    fn unknown_method_versions_are_refused() {
        for bad in [
            "did:webvh:99.0",
            "did:webvh:1.0-rc1",
            "didwebvh:1.0",
            "did:webvh:0.5",
            "did:tdw:1",
            "did:webvh:1",
        ] {
            assert!(
                matches!(
                    genesis_with("method", json!(bad)),
                    Err(ParameterError::Value { member: "method", .. })
                ),
                "{bad}"
            );
        }
    }

    #[test]
    fn unknown_members_and_wrong_types_are_refused() {
        assert_eq!(genesis_with("prerotation", json!(true)), Err(ParameterError::Unknown));
        for (member, bad) in [
            ("scid", json!("Qm")),
            ("updateKeys", json!("k1")),
            ("updateKeys", json!([1])),
            ("updateKeys", json!(["k", "k"])),
            ("nextKeyHashes", json!({})),
            ("watchers", json!(vec!["w"; 65])),
            ("portable", json!("true")),
            ("portable", Value::Null),
            ("deactivated", json!(1)),
            ("ttl", json!("300")),
            ("ttl", json!(-1)),
            ("ttl", json!(1.5)),
            ("ttl", json!((1_u64 << 31) + 1)),
        ] {
            let found = genesis_with(member, bad.clone());
            assert!(matches!(found, Err(ParameterError::Value { .. })), "{member}: {bad}");
        }
    }

    #[test]
    fn later_entries_keep_what_they_do_not_set() {
        let mut before = first();
        before["ttl"] = json!(5);
        before["watchers"] = json!(["https://w.example"]);
        let kept = after(&before, &json!({})).unwrap();
        assert_eq!(kept, genesis(&before).unwrap());
        assert_eq!(
            after(&before, &json!({"updateKeys": ["k2"]})).unwrap().update_keys,
            ["k2"]
        );
    }

    #[test]
    fn scid_and_portability_belong_to_the_first_entry() {
        assert_eq!(
            after(&first(), &json!({"scid": SCID})),
            Err(ParameterError::OnlyFirst { member: "scid" })
        );
        assert_eq!(
            after(&first(), &json!({"portable": true})),
            Err(ParameterError::OnlyFirst { member: "portable" })
        );
        assert!(!after(&first(), &json!({"portable": false})).unwrap().portable);
    }

    #[test]
    fn pre_rotated_keys_must_be_explicit_and_committed() {
        let mut before = first();
        before["nextKeyHashes"] = json!([key_hash("k2"), key_hash("k3"), "a random string"]);
        let next = |change: Value| after(&before, &change);
        assert!(next(json!({"updateKeys": ["k2"], "nextKeyHashes": [key_hash("k4")]})).is_ok());
        assert!(next(json!({"updateKeys": ["k3", "k2"], "nextKeyHashes": []})).is_ok());
        let refused = |expected| Err(ParameterError::PreRotation { expected });
        assert_eq!(next(json!({"nextKeyHashes": []})), refused("explicit `updateKeys`"));
        assert_eq!(next(json!({"updateKeys": ["k2"]})), refused("explicit `nextKeyHashes`"));
        for keys in [json!(["k1"]), json!(["k2", "k1"]), json!(["k4"])] {
            let found = next(json!({"updateKeys": keys, "nextKeyHashes": []}));
            assert_eq!(
                found,
                refused("only keys whose hashes the previous entry committed to"),
                "{keys}"
            );
        }
    }

    #[test]
    fn active_parameters_survive_storage() {
        let parameters = genesis(&first()).unwrap();
        assert_eq!(genesis(&parameters.to_value()).unwrap(), parameters);
    }
}
