//! Logs written by us, read by us, and broken in one place at a time.

mod chain;
mod peer;
mod proofs;
mod versions;
mod witnesses;

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::data_integrity;
use keys::data_integrity::JcsSuite;
use serde_json::Value;
use serde_json::json;
use signer::SoftwareKey;

use super::entry::canonical;
use super::*;
use crate::Did;
use crate::DidUrl;
use crate::Purpose;
use crate::document::NewMethod;
use crate::document::new_document;
use crate::methods::key;

const HOME: &str = "did:webvh:{SCID}:agency.example";
const ELSEWHERE: &str = "did:webvh:{SCID}:elsewhere.example:a";

fn signer(number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(Algorithm::EdDsa, &[number; 32]).unwrap()
}

fn public(number: u8) -> PublicKey {
    keys::Signer::public_key(&signer(number)).clone()
}

fn multikeys(numbers: &[u8]) -> Vec<String> {
    numbers.iter().map(|number| public(*number).to_multikey()).collect()
}

fn hashes(numbers: &[u8]) -> Vec<String> {
    numbers
        .iter()
        .map(|number| key_hash(&public(*number).to_multikey()))
        .collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(1_700_000_000 + seconds)
}

fn document() -> Value {
    new_document(
        HOME,
        &[NewMethod {
            fragment: "key-1",
            key: &public(100),
            purposes: &[Purpose::AssertionMethod],
        }],
    )
}

/// A log under construction: its lines and the state after them.
#[derive(Clone)]
struct Log {
    lines: Vec<String>,
    state: LogState,
}

impl Log {
    /// Key 1 may update; `change` may say more.
    fn new(change: impl FnOnce(&mut ParameterChanges)) -> Self {
        let mut parameters = ParameterChanges {
            update_keys: Some(multikeys(&[1])),
            portable: Some(true),
            ..ParameterChanges::default()
        };
        change(&mut parameters);
        let creation = create(NewLog {
            document: document(),
            parameters,
            time: at(0),
            signer: &public(1),
        })
        .unwrap();
        let line = signer(1).fulfil(creation.line).unwrap();
        let state = LogState::genesis(line.as_bytes(), None).unwrap();
        assert_eq!(state.did(), &creation.did);
        Self {
            lines: vec![line],
            state,
        }
    }

    fn update(&mut self, by: u8, change: impl FnOnce(&mut Update<'_>)) {
        let line = self.next(by, change);
        self.state = self.state.append(line.as_bytes(), None).unwrap();
        self.lines.push(line);
    }

    /// The next line, not appended.
    fn next(&self, by: u8, change: impl FnOnce(&mut Update<'_>)) -> String {
        signer(by).fulfil(self.request(by, change).unwrap()).unwrap()
    }

    fn request(&self, by: u8, change: impl FnOnce(&mut Update<'_>)) -> Result<SigningRequest<String>, WriteError> {
        let key = public(by);
        let time = self.state.version_time().plus(1);
        let mut update = Update {
            document: None,
            parameters: ParameterChanges::default(),
            time,
            signer: &key,
        };
        change(&mut update);
        self.state.update(update)
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.join("\n").into_bytes()
    }

    fn resolve(&self, query: &VersionQuery) -> Result<Resolution, ResolveLogError> {
        resolve_log(Some(self.state.did()), &self.bytes(), None, query, None)
    }

    /// A next entry with `change` applied after all of the writer's own checks, hashed and signed anew
    /// by `by`: only what `change` broke is broken.
    fn forged(&self, by: u8, change: impl FnOnce(&mut Value)) -> Result<LogState, EntryError> {
        let mut entry = value(&self.next(by, |_| ()));
        entry.as_object_mut().unwrap().remove("proof");
        change(&mut entry);
        self.state
            .append(signed(entry, self.state.version_id(), by).as_bytes(), None)
    }
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

/// The entry with its hash and proof made again.
fn signed(mut entry: Value, previous: &str, by: u8) -> String {
    let number = entry["versionId"]
        .as_str()
        .unwrap()
        .split('-')
        .next()
        .unwrap()
        .to_owned();
    let hash = entry::entry_hash(entry.as_object().unwrap(), previous).unwrap();
    entry["versionId"] = format!("{number}-{hash}").into();
    let request = data_integrity::jcs_sign(
        JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        entry.as_object().unwrap(),
        write::proof_configuration(&public(by), at(0)),
    )
    .unwrap();
    entry["proof"] = json!([signer(by).fulfil(request).unwrap()]);
    canonical(&entry).unwrap()
}
