//! Writing a log: the next line as a signing request
//! ([create](https://identity.foundation/didwebvh/v1.0/#create-register),
//! [update](https://identity.foundation/didwebvh/v1.0/#update-rotate)).
//!
//! A line is checked by the reader's own rules before anybody is asked to sign it. Lines are written
//! in canonical JSON without the final line feed.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::data_integrity;
use keys::data_integrity::JcsSuite;
use keys::data_integrity::ProofError;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::SCID_PLACEHOLDER;
use super::entry::Entry;
use super::entry::EntryError;
use super::entry::VersionId;
use super::entry::canonical;
use super::entry::entry_hash;
use super::entry::replace;
use super::hash;
use super::log::LogState;
use super::parameters::ParameterChanges;
use crate::Did;
use crate::Purpose;
use crate::methods::key;
use crate::syntax::SyntaxError;

/// The next line cannot be made: the caller's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteError {
    /// A reader would refuse the entry.
    #[error("the entry would not be valid")]
    Entry(#[from] EntryError),
    /// A parameter that this operation sets itself, or that may not be set here.
    #[error("expected {expected}")]
    Parameters {
        /// The rule.
        expected: &'static str,
    },
    /// The proof cannot be made.
    #[error("the entry cannot be signed")]
    Proof(#[from] ProofError),
    /// The key may not sign this entry.
    #[error("expected an active Ed25519 update key as signer, found another key")]
    Signer,
    /// The document has no `id` of the form `did:webvh:{SCID}:...`.
    #[error("expected an `id` that begins with did:webvh:{{SCID}}: in the first document")]
    Template,
    /// The DID is not one; the host or path of the template is at fault.
    #[error("the DID of the new log has wrong syntax")]
    Syntax(#[from] SyntaxError),
}

/// What a new log begins with.
#[derive(Clone, Debug)]
pub struct NewLog<'a> {
    /// The first document, with [`SCID_PLACEHOLDER`] wherever the SCID belongs, first of all in its `id`.
    pub document: Value,
    /// At least `update_keys`.
    pub parameters: ParameterChanges,
    /// `versionTime`, and `created` of the proof.
    pub time: Timestamp,
    /// The update key that will sign.
    pub signer: &'a PublicKey,
}

/// A new DID whose first line lacks its signature.
#[derive(Debug)]
#[must_use = "the DID exists when its first line is signed and published"]
pub struct Creation {
    /// The DID, fixed by the content of the line.
    pub did: Did,
    /// Completes to the first line; [`LogState::genesis`] verifies it.
    pub line: SigningRequest<String>,
}

/// What the next entry changes.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The new document; `None` keeps the present one.
    pub document: Option<Value>,
    /// Changes to the parameters; under pre-rotation `update_keys` and `next_key_hashes` are required.
    pub parameters: ParameterChanges,
    /// `versionTime`, and `created` of the proof. After the time of the present version.
    pub time: Timestamp,
    /// The update key that will sign.
    pub signer: &'a PublicKey,
}

/// Makes a new log.
///
/// # Errors
/// [`WriteError`].
pub fn create(new: NewLog<'_>) -> Result<Creation, WriteError> {
    let id = new.document.get("id").and_then(Value::as_str).unwrap_or_default();
    if !id.starts_with("did:webvh:{SCID}:") {
        return Err(WriteError::Template);
    }
    let mut parameters = new.parameters;
    parameters.method = true;
    let mut preliminary = members(SCID_PLACEHOLDER, new.time, &parameters, new.document);
    // The placeholder is no SCID, so that it cannot pass through the parameters' own type.
    if let Some(parameters) = preliminary.get_mut("parameters").and_then(Value::as_object_mut) {
        parameters.insert("scid".to_owned(), SCID_PLACEHOLDER.into());
    }
    let preliminary = Value::Object(preliminary);
    let scid = hash(&canonical(&preliminary)?);
    let Value::Object(unsigned) = replace(&preliminary, SCID_PLACEHOLDER, &scid) else {
        return Err(WriteError::Template);
    };
    let entry = chained(unsigned, 1, &scid)?;
    let state = LogState::first(&entry)?;
    check_signer(new.signer, &state.parameters().update_keys)?;
    let did = state.did().clone();
    Ok(Creation {
        did,
        line: signed_line(entry, new.signer, new.time)?,
    })
}

impl LogState {
    /// Makes the next line of this log; [`LogState::append`] verifies it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn update(&self, update: Update<'_>) -> Result<SigningRequest<String>, WriteError> {
        if update.parameters.method || update.parameters.scid.is_some() {
            return Err(WriteError::Parameters {
                expected: "no `method` and `scid` in an update",
            });
        }
        let document = update
            .document
            .unwrap_or_else(|| Value::Object(self.document().as_map().clone()));
        let unsigned = members(self.version_id(), update.time, &update.parameters, document);
        let entry = chained(unsigned, self.version_number().saturating_add(1), self.version_id())?;
        let state = self.next(&entry)?;
        check_signer(update.signer, self.authorized_keys(state.parameters()))?;
        signed_line(entry, update.signer, update.time)
    }

    /// Makes the line that ends this DID. Without pre-rotation it also withdraws all update keys;
    /// with pre-rotation first end that by an update with empty `next_key_hashes`.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn deactivate(&self, time: Timestamp, signer: &PublicKey) -> Result<SigningRequest<String>, WriteError> {
        if self.parameters().pre_rotation() {
            return Err(WriteError::Parameters {
                expected: "pre-rotation to have ended before the DID does",
            });
        }
        let parameters = ParameterChanges {
            deactivated: Some(true),
            update_keys: Some(Vec::new()),
            ..ParameterChanges::default()
        };
        self.update(Update {
            document: None,
            parameters,
            time,
            signer,
        })
    }
}

/// The proof options of log entries and witnesses alike.
pub(crate) fn proof_configuration(signer: &PublicKey, created: Timestamp) -> Map<String, Value> {
    let mut configuration = Map::new();
    configuration.insert("created".to_owned(), created.to_rfc3339().into());
    configuration.insert("verificationMethod".to_owned(), key::method_id(signer).into());
    configuration.insert("proofPurpose".to_owned(), Purpose::AssertionMethod.name().into());
    configuration
}

fn members(version_id: &str, time: Timestamp, parameters: &ParameterChanges, document: Value) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("versionId".to_owned(), version_id.into());
    members.insert("versionTime".to_owned(), time.to_rfc3339().into());
    members.insert("parameters".to_owned(), parameters.to_value());
    members.insert("state".to_owned(), document);
    members
}

/// The entry with the `versionId` that its content and `previous` give.
fn chained(mut unsigned: Map<String, Value>, number: u64, previous: &str) -> Result<Entry, EntryError> {
    let version_id = VersionId::new(number, entry_hash(&unsigned, previous)?);
    unsigned.insert("versionId".to_owned(), version_id.to_string().into());
    Entry::unsigned(unsigned)
}

fn check_signer(signer: &PublicKey, authorized: &[String]) -> Result<(), WriteError> {
    let active = signer.algorithm() == Algorithm::EdDsa && authorized.contains(&signer.to_multikey());
    if active { Ok(()) } else { Err(WriteError::Signer) }
}

fn signed_line(entry: Entry, signer: &PublicKey, time: Timestamp) -> Result<SigningRequest<String>, WriteError> {
    let mut members = entry.unsigned;
    let request = data_integrity::jcs_sign(
        JcsSuite::EddsaJcs2022,
        Algorithm::EdDsa,
        &members,
        proof_configuration(signer, time),
    )?;
    Ok(request.map(move |proof| {
        members.insert("proof".to_owned(), Value::Array(vec![proof]));
        let entry = Value::Object(members);
        // The entry was canonicalized for its hash; the plain text is as good a line.
        canonical(&entry).unwrap_or_else(|_| entry.to_string())
    }))
}
