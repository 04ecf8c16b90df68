//! What is the same for both suites whose credentials are shown in part: an issuer, a holder, and the proof's
//! components.

use std::collections::BTreeSet;

use keys::Signer as _;
use keys::base64url;
use keys::cbor;
use keys::signing::fulfil;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::super::*;
use super::*;
use crate::data_integrity::selective::labelled_n_quads;

/// What proofs are bound to that can be.
pub(super) const NONCE: &[u8] = b"n-0S6_WzA2Mj for did:web:shop.example";

/// An issuer that signs with a suite, and whoever holds or shows what it signed. `E` is the suite's error.
pub(super) struct Selective<E> {
    pub(super) world: World,
    pub(super) issuer: SoftwareKey,
    suite: Cryptosuite,
    suite_error: fn(LdpVcError) -> E,
}

/// Where a suite's derived proof has its components.
struct Parts {
    prefix: &'static str,
    labels: usize,
    mandatory: usize,
}

impl<E> Selective<E> {
    pub(super) fn new(suite: Cryptosuite, suite_error: fn(LdpVcError) -> E) -> Self {
        Self {
            world: World::new(),
            issuer: SoftwareKey::generate(suite.algorithms()[0], &mut signer::os_rng()),
            suite,
            suite_error,
        }
    }

    const fn parts(&self) -> Parts {
        match self.suite {
            Cryptosuite::Bbs2023 => Parts {
                prefix: "u2V0D",
                labels: 1,
                mandatory: 2,
            },
            _ => Parts {
                prefix: "u2V0B",
                labels: 3,
                mandatory: 4,
            },
        }
    }

    pub(super) fn try_issue(&self, document: Value, mandatory: &[&str]) -> Result<Value, LdpVcError> {
        let mandatory = pointers(mandatory);
        let options = base_options(self.suite, self.issuer.public_key(), &mandatory);
        let (contexts, mut rng) = (&self.world.contexts, signer::os_rng());
        let request = issue_selective(as_object(document), &options, contexts, &mut rng)?;
        Ok(Value::Object(fulfil(&self.issuer, request).unwrap()))
    }

    /// A credential with a base proof, of which nothing else is mandatory than what always is.
    pub(super) fn base(&self) -> Value {
        self.try_issue(document(), &[]).unwrap()
    }

    pub(super) fn hold(&self, base: &Value) -> Result<Held<LdpVc>, LdpVcError> {
        let unverified = Unverified::<LdpVc>::parse(&base.to_string())?;
        unverified.hold_issued(self.issuer.public_key(), ISSUER, &self.world.contexts, NOW)
    }

    pub(super) fn derive(&self, base: &Value, selective: &[&str]) -> Result<Value, LdpVcError> {
        let held = self.hold(base).unwrap();
        let derived = held.derive(&pointers(selective), NONCE, &self.world.contexts, &mut signer::os_rng())?;
        Ok(derived.as_str().parse().unwrap())
    }

    pub(super) fn authenticate(&self, derived: &Value) -> Result<Authentic<LdpVc>, LdpVcError> {
        let (key, world) = (self.issuer.public_key(), &self.world);
        world.authenticate_at(derived, key, ISSUER, NOW)
    }

    /// Why a derived credential, which is genuine, is refused after `change`.
    pub(super) fn refused(&self, derived: &Value, change: impl FnOnce(&mut Value)) -> E {
        let _ = self.authenticate(derived).unwrap();
        let mut derived = derived.clone();
        change(&mut derived);
        (self.suite_error)(self.authenticate(&derived).unwrap_err())
    }

    /// The same for a change of its proof value's components.
    pub(super) fn refused_with(&self, derived: &Value, change: impl FnOnce(&mut Vec<cbor::Value>)) -> E {
        let prefix = self.parts().prefix;
        self.refused(derived, |derived| change_components(derived, prefix, change))
    }

    /// The statements of a derived credential, and the positions of the mandatory ones.
    pub(super) fn statements(&self, derived: &Value) -> (Vec<String>, BTreeSet<usize>) {
        let parts = self.parts();
        let components = components(derived, parts.prefix);
        let label = |label: &cbor::Value| match label.as_unsigned() {
            Some(number) => format!("b{number}"),
            None => format!("u{}", base64url::encode(as_bytes(label))),
        };
        let labels = components[parts.labels].as_map().unwrap().iter();
        let labels: Vec<String> = labels.map(|(_, name)| label(name)).collect();
        let mut document = as_object(derived.clone());
        document.remove("proof");
        let lines = labelled_n_quads(&document, &self.world.contexts, &labels).unwrap();
        (lines, numbers(&components[parts.mandatory]).into_iter().collect())
    }

    /// As [`Self::refused`], by somebody who also moves the mandatory positions to where their statements are after
    /// the change.
    pub(super) fn refused_in_place(&self, derived: &Value, change: impl FnOnce(&mut Value)) -> E {
        let (before, mandatory) = self.statements(derived);
        let mandatory: BTreeSet<&String> = mandatory.iter().map(|at| &before[*at]).collect();
        let parts = self.parts();
        self.refused(derived, |derived| {
            change(derived);
            let (now, _) = self.statements(derived);
            assert_ne!(now, before);
            let positions = (0_u64..).zip(&now).filter(|(_, line)| mandatory.contains(line));
            let positions = positions.map(|(at, _)| cbor::Value::from(at)).collect();
            change_components(derived, parts.prefix, |components| {
                components[parts.mandatory] = cbor::Value::Array(positions);
            });
        })
    }
}

/// With a blank node, an array of them, and all that is mandatory.
pub(super) fn document() -> Value {
    let mut document = credential();
    document["credentialSubject"]["knows"] = json!([
        {"class": "2B", "points": 1},
        {"class": "3", "points": 2},
    ]);
    document
}

pub(super) fn pointers(texts: &[&str]) -> Vec<Pointer> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub(super) fn components(credential: &Value, prefix: &str) -> Vec<cbor::Value> {
    let text = credential["proof"]["proofValue"].as_str().unwrap();
    let bytes = base64url::decode(text.strip_prefix(prefix).unwrap()).unwrap();
    let limits = keys::json::Limits {
        max_bytes: 1 << 20,
        max_depth: 3,
    };
    cbor::decode(&bytes, limits).unwrap().as_array().unwrap().to_vec()
}

fn set_components(credential: &mut Value, prefix: &str, components: Vec<cbor::Value>) {
    let bytes = cbor::Value::Array(components).to_vec();
    credential["proof"]["proofValue"] = json!(format!("{prefix}{}", base64url::encode(bytes)));
}

pub(super) fn change_components(credential: &mut Value, prefix: &str, change: impl FnOnce(&mut Vec<cbor::Value>)) {
    let mut changed = components(credential, prefix);
    change(&mut changed);
    set_components(credential, prefix, changed);
}

pub(super) fn items(component: &mut cbor::Value) -> &mut Vec<cbor::Value> {
    match component {
        cbor::Value::Array(items) => items,
        other => panic!("{other:?}"),
    }
}

pub(super) fn as_bytes(component: &cbor::Value) -> Vec<u8> {
    component.as_bytes().unwrap().to_vec()
}

pub(super) fn numbers(component: &cbor::Value) -> Vec<usize> {
    let items = component.as_array().unwrap().iter();
    items
        .map(|item| usize::try_from(item.as_unsigned().unwrap()).unwrap())
        .collect()
}
