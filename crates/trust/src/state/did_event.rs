//! DIDs: the agencies' own logs, verbatim.

use std::sync::OnceLock;

use did::Did;
use did::DidUrl;
use did::Document;
use did::document::KeyForError;
use did::document::Purpose;
use did::webvh::LogState;
use did::webvh::Resolution;
use did::webvh::VersionQuery;
use keys::PublicKey;
use keys::Timestamp;
use keys::cbor::Value;

use super::Head;
use super::Record;
use super::Refusal;
use super::State;
use super::published::Published;
use crate::codec::DecodeError;
use crate::codec::Fields;
use crate::codec::MapBuilder;
use crate::did_log;
use crate::did_log::DidLogError;
use crate::entry::DidEventBody;
use crate::entry::Entry;
use crate::entry::EntryType;

/// A thousand rotations of a document of 1 KiB. A DID with a longer history is due for a new one.
const MAX_DID_LOG_BYTES: usize = 1 << 20;

/// Agencies' clocks may run ahead of the last Snapshot by the time between two Snapshots and some more.
/// Within that day `versionTime` is not held against them; a verifier sees when the line was logged.
const MAX_VERSION_TIME_LEAD: i64 = 86_400;

/// What the state keeps of a DID.
///
/// ```cddl
/// did-record = {
///   1: tstr,        ; the DID
///   2: head,
///   3: bstr,        ; did.jsonl, verbatim, each line with its newline
///   ? 4: bstr       ; did-witness.json, verbatim
/// }
/// head = { 1: uint, 2: bstr .size 32, 3: uint, 4: time }  ; seq, leaf hash, index, Snapshot time
/// ```
#[derive(Clone, Debug)]
pub struct DidRecord {
    did: String,
    pub(super) head: Head,
    log: Vec<u8>,
    witness_proofs: Option<Vec<u8>>,
    /// Derived from the log, on first use where the record was read back.
    newest: OnceLock<Result<LogState, DidLogError>>,
    /// Derived from the newest version, on first use.
    published: OnceLock<Option<Published>>,
}

impl DidRecord {
    /// The DID.
    #[must_use]
    pub fn did(&self) -> &str {
        &self.did
    }

    /// Its `did.jsonl`.
    #[must_use]
    pub fn log(&self) -> &[u8] {
        &self.log
    }

    /// Its `did-witness.json`.
    #[must_use]
    pub fn witness_proofs(&self) -> Option<&[u8]> {
        self.witness_proofs.as_deref()
    }

    /// Where its chain of entries stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The newest version, with every line of the log verified.
    ///
    /// # Errors
    /// [`DidLogError`]; not for a record that this machine or a witness quorum accepted.
    pub fn newest(&self) -> Result<&LogState, &DidLogError> {
        let resolve = || {
            self.resolve(&VersionQuery::Latest)
                .map(|resolution| resolution.newest().clone())
        };
        self.newest.get_or_init(resolve).as_ref()
    }

    /// A version of the log, or all of them: which keys a document had when.
    ///
    /// # Errors
    /// [`DidLogError`], also when the log has no such version.
    pub fn resolve(&self, query: &VersionQuery) -> Result<Resolution, DidLogError> {
        let newest = newest_version_time(self.head.time);
        did_log::resolve(&self.did, &self.log, self.witness_proofs.as_deref(), query, newest)
    }

    /// The newest document; `None` for a DID that was deactivated.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.published().map(Published::document)
    }

    fn published(&self) -> Option<&Published> {
        let derive = || self.newest().ok().and_then(did_log::document).map(Published::new);
        self.published.get_or_init(derive).as_ref()
    }
}

/// Where the document of a DID comes from.
enum Current<'a> {
    /// Its log.
    Logged(&'a DidRecord),
    /// The DID itself.
    Itself(Document),
}

impl Record for DidRecord {
    fn key(&self) -> String {
        self.did.clone()
    }

    fn index(&self) -> u64 {
        self.head.index
    }

    fn to_value(&self) -> Value {
        MapBuilder::default()
            .put(1, Value::text(&self.did))
            .put(2, self.head.to_value())
            .put(3, Value::bytes(self.log.as_slice()))
            .optional(4, self.witness_proofs.as_deref().map(Value::bytes))
            .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("did record", value)?;
        let record = Self {
            did: fields.text(1)?,
            head: Head::from_value(fields.value(2)?)?,
            log: fields.bytes(3)?,
            witness_proofs: match fields.optional(4) {
                Some(Value::Bytes(proofs)) => Some(proofs),
                Some(_) => return Err(fields.shape("witness proofs as bytes")),
                None => None,
            },
            newest: OnceLock::new(),
            published: OnceLock::new(),
        };
        fields.end()?;
        Ok(record)
    }
}

impl State {
    /// The record of a DID whose log is in the registry.
    #[must_use]
    pub fn did(&self, did: &str) -> Option<&DidRecord> {
        self.dids.get(did)
    }

    /// All DIDs whose logs are in the registry.
    pub fn dids(&self) -> impl Iterator<Item = &DidRecord> {
        self.dids.iter()
    }

    /// The current document of an active DID: from its log, or from the DID itself for `key` and `jwk`.
    /// `None` for a DID that is unknown, deactivated or ended by a Tombstone, or of a method that the
    /// Policy does not allow.
    #[must_use]
    pub fn document(&self, did: &str) -> Option<Document> {
        match self.current(did)? {
            Current::Logged(record) => record.document().cloned(),
            Current::Itself(document) => Some(document),
        }
    }

    /// [`Document::key_for`] of [`Self::document`], which is `None` where that is. A key of a DID in the log is worked
    /// out once: to put a compressed point on its curve takes about as long as to check a signature.
    ///
    /// # Errors
    /// [`KeyForError`].
    #[must_use]
    pub fn key_for(&self, did: &str, id: &DidUrl, purpose: Purpose) -> Option<Result<PublicKey, KeyForError>> {
        match self.current(did)? {
            Current::Logged(record) => Some(record.published()?.key_for(id, purpose)),
            Current::Itself(document) => Some(document.key_for(id, purpose)),
        }
    }

    fn current(&self, did: &str) -> Option<Current<'_>> {
        let parsed = Did::parse(did).ok()?;
        if self.tombstone(EntryType::DidEvent, did).is_some() || !self.allows_method(&parsed) {
            return None;
        }
        match self.dids.get(did) {
            Some(record) => Some(Current::Logged(record)),
            None => did_log::self_contained(&parsed).map(Current::Itself),
        }
    }

    pub(super) fn apply_did_event(&mut self, entry: &Entry, body: &DidEventBody) -> Result<(), Refusal> {
        let did = Did::parse(entry.subject()).map_err(|_| Refusal::Method {
            found: entry.subject().to_owned(),
        })?;
        if did.method() != "webvh" || !self.allows_method(&did) {
            return Err(Refusal::Method {
                found: entry.subject().to_owned(),
            });
        }
        if entry.ns() != entry.subject() {
            return Err(Refusal::Identity {
                member: "ns",
                expected: "the DID",
            });
        }
        let before = self.dids.get(entry.subject());
        let mut log = before.map(|record| record.log.clone()).unwrap_or_default();
        for line in &body.lines {
            log.extend_from_slice(line);
            log.push(b'\n');
        }
        if log.len() > MAX_DID_LOG_BYTES {
            return Err(Refusal::Content {
                expected: "a DID log of at most 1 MiB",
            });
        }
        let head = self.head_of(entry);
        let kept = || before.and_then(|record| record.witness_proofs.clone());
        let witness_proofs = body.witness_proofs.clone().or_else(kept);
        let newest = OnceLock::new();
        if let Some(version) = appended(before, body, head.time)? {
            // A fresh cell takes the value.
            let _ = newest.set(Ok(version));
        }
        let record = DidRecord {
            did: entry.subject().to_owned(),
            head,
            log,
            witness_proofs,
            newest,
            published: OnceLock::new(),
        };
        record.newest().map_err(|error| Refusal::DidLog(error.clone()))?;
        self.dids.put(record);
        Ok(())
    }

    /// That a DID can be accredited: its method is allowed and it resolves here.
    pub(super) fn check_known(&self, did: &str) -> Result<(), Refusal> {
        let parsed = Did::parse(did).map_err(|_| Refusal::Method { found: did.to_owned() })?;
        if !self.allows_method(&parsed) {
            return Err(Refusal::Method { found: did.to_owned() });
        }
        self.document(did)
            .map(drop)
            .ok_or_else(|| Refusal::UnknownDid { found: did.to_owned() })
    }

    /// The key of the verification method `signer` in the current document of `did`, for assertions, unless
    /// an incident stands against it.
    pub(super) fn assertion_key(&self, did: &str, signer: &str) -> Result<PublicKey, Refusal> {
        let document = self
            .document(did)
            .ok_or_else(|| Refusal::UnknownDid { found: did.to_owned() })?;
        let unknown = || Refusal::Signer {
            found: signer.to_owned(),
        };
        let method = DidUrl::parse(signer).map_err(|_| unknown())?;
        if self.incident_on(&method).is_some() {
            return Err(unknown());
        }
        document
            .key_for(&method, Purpose::AssertionMethod)
            .map_err(|_| unknown())
    }

    fn allows_method(&self, did: &Did) -> bool {
        self.policy()
            .is_some_and(|policy| policy.body().methods.iter().any(|method| method == did.method()))
    }
}

/// The version after the new lines, checked without going through the old ones again; `None` where that is
/// not possible.
fn appended(before: Option<&DidRecord>, body: &DidEventBody, time: Timestamp) -> Result<Option<LogState>, DidLogError> {
    match before.and_then(|record| record.newest().ok()) {
        Some(version) if version.required_witnesses().is_none() => {
            did_log::append(version, &body.lines, newest_version_time(time))
        }
        _ => Ok(None),
    }
}

fn newest_version_time(time: Timestamp) -> Timestamp {
    time.plus(MAX_VERSION_TIME_LEAD)
}
