//! DIDs: the agencies' own logs and documents, verbatim.

mod web;
mod webvh;

use std::sync::OnceLock;

use did::Did;
use did::DidUrl;
use did::Document;
use did::document::KeyForError;
use did::document::Purpose;
use keys::PublicKey;
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
use crate::entry::DidEventBody;
use crate::entry::Entry;
use crate::entry::EntryType;
pub use web::WebSnapshot;
pub use web::WebSnapshots;
pub use webvh::WebvhLog;

/// A thousand rotations of a document of 1 KiB. A DID with a longer history is due for a new one.
const MAX_HISTORY_BYTES: usize = 1 << 20;

/// What the state keeps of a DID.
///
/// ```cddl
/// did-record = {    ; did:webvh
///   1: tstr,        ; the DID
///   2: head,
///   3: bstr,        ; did.jsonl, verbatim, each line with its newline
///   ? 4: bstr       ; did-witness.json, verbatim
/// } / {             ; did:web
///   1: tstr, 2: head,
///   5: bstr,        ; did.json, verbatim, as the last entry has it
///   6: [* { 1: bstr .size 32, 2: time, 3: bstr }]
///                   ; those of the entries before, the oldest first: leaf hash, Snapshot time, did.json
/// }
/// head = { 1: uint, 2: bstr .size 32, 3: uint, 4: time }  ; seq, leaf hash, index, Snapshot time
/// ```
#[derive(Clone, Debug)]
pub struct DidRecord {
    did: String,
    pub(super) head: Head,
    history: History,
    /// Derived from the newest version, on first use.
    published: OnceLock<Option<Published>>,
}

#[derive(Clone, Debug)]
enum History {
    Webvh(Box<WebvhLog>),
    Web(WebSnapshots),
}

impl DidRecord {
    const fn new(did: String, head: Head, history: History) -> Self {
        Self {
            did,
            head,
            history,
            published: OnceLock::new(),
        }
    }

    /// The DID.
    #[must_use]
    pub fn did(&self) -> &str {
        &self.did
    }

    /// Where its chain of entries stands.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// The log of a did:webvh.
    #[must_use]
    pub const fn webvh(&self) -> Option<&WebvhLog> {
        match &self.history {
            History::Webvh(log) => Some(log),
            History::Web(_) => None,
        }
    }

    /// The snapshots of a did:web.
    #[must_use]
    pub const fn web(&self) -> Option<&WebSnapshots> {
        match &self.history {
            History::Webvh(_) => None,
            History::Web(snapshots) => Some(snapshots),
        }
    }

    /// The newest document; `None` for a DID that was deactivated.
    #[must_use]
    pub fn document(&self) -> Option<&Document> {
        self.published().map(Published::document)
    }

    fn published(&self) -> Option<&Published> {
        let derive = || match &self.history {
            History::Webvh(log) => log.document().map(Published::new),
            History::Web(snapshots) => {
                let did = Did::parse(&self.did).ok()?;
                snapshots.current().document(&did).map(Published::new)
            }
        };
        self.published.get_or_init(derive).as_ref()
    }
}

/// Where the document of a DID comes from.
enum Current<'a> {
    /// The registry's log.
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
        let map = MapBuilder::default()
            .put(1, Value::text(&self.did))
            .put(2, self.head.to_value());
        match &self.history {
            History::Webvh(log) => map
                .put(3, Value::bytes(log.bytes()))
                .optional(4, log.witness_proofs().map(Value::bytes)),
            History::Web(snapshots) => snapshots.put(map),
        }
        .build()
    }

    fn from_value(value: Value) -> Result<Self, DecodeError> {
        let mut fields = Fields::open("did record", value)?;
        let did = fields.text(1)?;
        let head = Head::from_value(fields.value(2)?)?;
        let history = match fields.optional_bytes(3, "the DID's log as bytes")? {
            Some(log) => {
                let witness_proofs = fields.optional_bytes(4, "witness proofs as bytes")?;
                History::Webvh(Box::new(WebvhLog::restore(did.clone(), head.time, log, witness_proofs)))
            }
            None => History::Web(WebSnapshots::from_fields(&mut fields, head)?),
        };
        fields.end()?;
        Ok(Self::new(did, head, history))
    }
}

impl State {
    /// The record of a DID whose log or document is in the registry.
    #[must_use]
    pub fn did(&self, did: &str) -> Option<&DidRecord> {
        self.dids.get(did)
    }

    /// All DIDs whose logs or documents are in the registry.
    pub fn dids(&self) -> impl Iterator<Item = &DidRecord> {
        self.dids.iter()
    }

    /// The current document of an active DID: from the registry's log, or from the DID itself for `key` and `jwk`.
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

    /// The keys of [`Self::document`] under this purpose that can be had, in the order of the document; each key of a DID
    /// in the log is worked out once.
    pub(crate) fn keys_under(&self, did: &str, purpose: Purpose) -> Vec<(DidUrl, PublicKey)> {
        let all = |document: &Document, key: &dyn Fn(&DidUrl) -> Option<PublicKey>| {
            let ids = document.method_ids(purpose).into_iter();
            ids.filter_map(|id| key(&id).map(|key| (id, key))).collect()
        };
        match self.current(did) {
            Some(Current::Logged(record)) => record.published().map_or_else(Vec::new, |published| {
                all(published.document(), &|id| published.key_for(id, purpose).ok())
            }),
            Some(Current::Itself(document)) => all(&document, &|id| document.key_for(id, purpose).ok()),
            None => Vec::new(),
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
        let head = self.head_of(entry);
        let before = self.dids.get(entry.subject());
        let history = match body {
            DidEventBody::Webvh { lines, witness_proofs } => {
                let did = self.did_of_method(entry, did::webvh::METHOD)?;
                if entry.ns() != entry.subject() {
                    return Err(Refusal::Identity {
                        member: "ns",
                        expected: "the DID",
                    });
                }
                let before = before.and_then(DidRecord::webvh);
                let place = (did.as_str(), head.time);
                let log = WebvhLog::continued(before, place, lines, witness_proofs.as_ref())?;
                History::Webvh(Box::new(log))
            }
            DidEventBody::Web { document } => {
                let did = self.did_of_method(entry, did::methods::web::METHOD)?;
                // Whoever can change the document can issue all that the DID is accredited for, by whichever authority.
                let governing = self.governing(entry)?;
                self.check_quorum(entry, governing)?;
                let before = before.and_then(DidRecord::web);
                History::Web(WebSnapshots::continued(before, &did, head, document)?)
            }
        };
        self.dids.put(DidRecord::new(entry.subject().to_owned(), head, history));
        Ok(())
    }

    /// The subject, which must be a DID of this method, and the method one that the Policy allows.
    fn did_of_method(&self, entry: &Entry, method: &str) -> Result<Did, Refusal> {
        let did = Did::parse(entry.subject()).ok();
        let did = did.filter(|did| did.method() == method && self.allows_method(did));
        did.ok_or_else(|| Refusal::Method {
            found: entry.subject().to_owned(),
        })
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
