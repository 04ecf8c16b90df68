//! A log, one verified entry after another
//! ([reading a log](https://identity.foundation/didwebvh/v1.0/#read-resolve)).
//!
//! [`LogState`] is the evidence that all entries up to one are well formed, chained and signed by
//! authorized keys. It does not say that witnesses approved ([`super::witness::check`]) nor that the
//! log is complete: whoever hands out a log can leave off its end.

use keys::Timestamp;
use keys::data_integrity;
use keys::data_integrity::JcsSuite;
use serde_json::Value;
use thiserror::Error;

use super::entry::Entry;
use super::entry::EntryError;
use super::entry::VersionId;
use super::identifier::Identifier;
use super::parameters::ParameterChanges;
use super::parameters::ParameterError;
use super::parameters::Parameters;
use super::witness::Witnesses;
use crate::Did;
use crate::DidUrl;
use crate::Document;
use crate::Purpose;
use crate::methods::key;

/// How far a `versionTime` may lie ahead: "no more than 5 minutes".
pub const MAX_CLOCK_SKEW: i64 = 5 * 60;

/// What is known after a verified entry.
#[derive(Clone, Debug, PartialEq)]
pub struct LogState {
    scid: String,
    created: Timestamp,
    version_id: VersionId,
    version_id_text: String,
    version_time: Timestamp,
    parameters: Parameters,
    /// Who must have approved this entry.
    required_witnesses: Option<Witnesses>,
    document: Document,
}

/// Stored bytes are not a state that [`LogState::to_stored`] made: the environment's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected a stored log state, found something else")]
pub struct StoredStateError;

impl LogState {
    /// Verifies the first line of a log.
    ///
    /// `now`, if given, bounds `versionTime` with [`MAX_CLOCK_SKEW`].
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn genesis(line: &[u8], now: Option<Timestamp>) -> Result<Self, EntryError> {
        let entry = Entry::parse(line)?;
        let state = Self::first(&entry)?;
        check_now(&entry, now)?;
        check_proofs(&entry, &state.parameters.update_keys)?;
        Ok(state)
    }

    /// Verifies one more line; `self` stays as it is.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn append(&self, line: &[u8], now: Option<Timestamp>) -> Result<Self, EntryError> {
        let entry = Entry::parse(line)?;
        let state = self.next(&entry)?;
        check_now(&entry, now)?;
        check_proofs(&entry, self.authorized_keys(&state.parameters))?;
        Ok(state)
    }

    /// The DID as this version names it. Portable DIDs had other names before.
    #[must_use]
    pub const fn did(&self) -> &Did {
        self.document.id()
    }

    /// The self-certifying part of the DID, which never changes.
    #[must_use]
    pub fn scid(&self) -> &str {
        &self.scid
    }

    /// The `versionId`, such as `2-Qm...`.
    #[must_use]
    pub fn version_id(&self) -> &str {
        &self.version_id_text
    }

    /// The number of this version, from 1.
    #[must_use]
    pub const fn version_number(&self) -> u64 {
        self.version_id.number()
    }

    /// When this version was made, as its controller says.
    #[must_use]
    pub const fn version_time(&self) -> Timestamp {
        self.version_time
    }

    /// When the first version was made, as its controller says.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.created
    }

    /// What is active for the next entry.
    #[must_use]
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Who must have approved this entry before it counts; `None` if nobody must.
    #[must_use]
    pub const fn required_witnesses(&self) -> Option<&Witnesses> {
        self.required_witnesses.as_ref()
    }

    /// The document of this version, as the log has it. Of a deactivated DID it must not be used.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Whether the DID has ended.
    #[must_use]
    pub const fn is_deactivated(&self) -> bool {
        self.parameters.deactivated
    }

    /// The state as JSON, for a store or a bundle.
    #[must_use]
    pub fn to_stored(&self) -> Value {
        serde_json::json!({
            "scid": self.scid,
            "created": self.created,
            "versionId": self.version_id_text,
            "versionTime": self.version_time,
            "parameters": self.parameters.to_value(),
            "requiredWitnesses": Witnesses::to_parameter(self.required_witnesses.as_ref()),
            "state": self.document.as_map(),
        })
    }

    /// Reads what [`LogState::to_stored`] wrote. Nothing is verified: the caller vouches that the
    /// value comes from its own store, or from a bundle authenticated as a whole.
    ///
    /// # Errors
    /// [`StoredStateError`].
    pub fn from_authenticated_store(value: &Value) -> Result<Self, StoredStateError> {
        let read = || {
            let time = |member: &str| Some(Timestamp::from_unix(value.get(member)?.as_i64()?));
            let version_id_text = value.get("versionId")?.as_str()?.to_owned();
            Some(Self {
                scid: value.get("scid")?.as_str()?.to_owned(),
                created: time("created")?,
                version_id: VersionId::parse(&version_id_text).ok()?,
                version_id_text,
                version_time: time("versionTime")?,
                parameters: Parameters::genesis(&ParameterChanges::parse(value.get("parameters")?).ok()?).ok()?,
                required_witnesses: Witnesses::parse(value.get("requiredWitnesses")?).ok()?,
                document: Document::from_value(value.get("state")?.clone()).ok()?,
            })
        };
        read().ok_or(StoredStateError)
    }

    /// Everything about a first entry but its proofs and the present time.
    pub(crate) fn first(entry: &Entry) -> Result<Self, EntryError> {
        let parameters = Parameters::genesis(&entry.changes)?;
        let scid = entry
            .changes
            .scid
            .as_deref()
            .ok_or(ParameterError::Missing { member: "scid" })?;
        check_number(1, entry)?;
        entry.check_hash(scid)?;
        entry.check_scid(scid)?;
        check_scid_of_document(scid, &entry.document)?;
        let required_witnesses = parameters.witness.clone();
        Ok(Self::of(
            scid,
            entry.version_time,
            parameters,
            required_witnesses,
            entry,
        ))
    }

    /// Everything about a later entry but its proofs and the present time.
    pub(crate) fn next(&self, entry: &Entry) -> Result<Self, EntryError> {
        if self.is_deactivated() {
            return Err(EntryError::AfterDeactivation);
        }
        let parameters = self.parameters.after(&entry.changes)?;
        check_number(self.version_number().saturating_add(1), entry)?;
        if entry.version_time <= self.version_time {
            return Err(EntryError::NotLater {
                previous: self.version_time,
                found: entry.version_time,
            });
        }
        entry.check_hash(self.version_id())?;
        check_scid_of_document(&self.scid, &entry.document)?;
        self.check_move(&parameters, &entry.document)?;
        // New witnesses act from the next entry on; the first ones ever act at once.
        let required_witnesses = self.parameters.witness.clone().or_else(|| parameters.witness.clone());
        Ok(Self::of(
            &self.scid,
            self.created,
            parameters,
            required_witnesses,
            entry,
        ))
    }

    /// Whose proof the next entry needs: under pre-rotation its own keys (they were committed to),
    /// otherwise the keys before it.
    pub(crate) fn authorized_keys<'a>(&'a self, next: &'a Parameters) -> &'a [String] {
        if self.parameters.pre_rotation() {
            &next.update_keys
        } else {
            &self.parameters.update_keys
        }
    }

    fn of(
        scid: &str,
        created: Timestamp,
        parameters: Parameters,
        required_witnesses: Option<Witnesses>,
        entry: &Entry,
    ) -> Self {
        Self {
            scid: scid.to_owned(),
            created,
            version_id_text: entry.version_id.to_string(),
            version_id: entry.version_id.clone(),
            version_time: entry.version_time,
            parameters,
            required_witnesses,
            document: entry.document.clone(),
        }
    }

    /// [DID portability](https://identity.foundation/didwebvh/v1.0/#did-portability)
    fn check_move(&self, parameters: &Parameters, document: &Document) -> Result<(), EntryError> {
        if document.id() == self.did() {
            return Ok(());
        }
        if !parameters.portable {
            return Err(EntryError::NotPortable);
        }
        if document.also_known_as().any(|other| other == self.did().as_str()) {
            Ok(())
        } else {
            Err(EntryError::MovedWithoutTrace)
        }
    }
}

fn check_number(expected: u64, entry: &Entry) -> Result<(), EntryError> {
    let found = entry.version_id.number();
    if found == expected {
        Ok(())
    } else {
        Err(EntryError::VersionNumber { expected, found })
    }
}

fn check_now(entry: &Entry, now: Option<Timestamp>) -> Result<(), EntryError> {
    match now {
        Some(now) if entry.version_time > now.plus(MAX_CLOCK_SKEW) => Err(EntryError::Future {
            now,
            found: entry.version_time,
        }),
        _ => Ok(()),
    }
}

fn check_scid_of_document(expected: &str, document: &Document) -> Result<(), EntryError> {
    let identifier = Identifier::parse(document.id())?;
    if identifier.scid() == expected {
        return Ok(());
    }
    Err(EntryError::ScidChanged {
        expected: expected.to_owned(),
        found: identifier.scid().to_owned(),
    })
}

/// Every proof must be of an authorized key and verify
/// ([authorized keys](https://identity.foundation/didwebvh/v1.0/#authorized-keys)).
fn check_proofs(entry: &Entry, authorized: &[String]) -> Result<(), EntryError> {
    for proof in &entry.proofs {
        let member = |member| proof.get(member).and_then(Value::as_str);
        if member("proofPurpose") != Some(Purpose::AssertionMethod.name()) {
            return Err(EntryError::Member {
                member: "proofPurpose",
                expected: "assertionMethod",
            });
        }
        let method = member("verificationMethod").and_then(|method| DidUrl::parse(method).ok());
        let method = method.ok_or(EntryError::Member {
            member: "verificationMethod",
            expected: "a did:key URL",
        })?;
        let key = key::public_key_of_method(&method)?;
        if !authorized
            .iter()
            .any(|authorized| authorized == method.did().method_specific_id())
        {
            return Err(EntryError::UnauthorizedKey);
        }
        check_expiry(proof, entry.version_time)?;
        let proof = proof.as_object().ok_or(EntryError::Member {
            member: "proof",
            expected: "objects",
        })?;
        data_integrity::jcs_verify(JcsSuite::EddsaJcs2022, &entry.unsigned, proof, &key)?;
    }
    Ok(())
}

/// A log must verify the same at any time, so `expires` is compared with the time of the entry.
fn check_expiry(proof: &Value, version_time: Timestamp) -> Result<(), EntryError> {
    let Some(expires) = proof.get("expires") else {
        return Ok(());
    };
    let expires = expires
        .as_str()
        .and_then(|expires| Timestamp::parse_rfc3339(expires).ok());
    match expires {
        Some(expires) if expires > version_time => Ok(()),
        _ => Err(EntryError::ProofExpired),
    }
}
