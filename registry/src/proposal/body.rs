//! Proposals as JSON: what operators write, turned into the body of an entry.
//!
//! `type` and `action` say which members there are; any other member is refused. Times are RFC 3339, sets
//! may come in any order. `authority` is the governing one where it is left out.
//!
//! | `type` | `action` | members (`?`: may be left out) |
//! |---|---|---|
//! | `accreditation` | `grant`, `amend` | `id`, `entity`, `may` (`issue`, `publish`, `verify`), `resources` (ids, or `{"id", "schemas"}`), `valid_from`?, `valid_until`, `max_staleness` (seconds), `on_stale`?, `backdating`?, `territories`?, `level_of_assurance`?, `delegation_depth`?, `parent`?, `hazard`?, `listing`? (below) |
//! | `accreditation` | `suspend` | `id`, `reason`?, `emergency`? |
//! | `accreditation` | `reinstate` | `id`, `reason`? |
//! | `accreditation` | `revoke` | `id`, `reason`?, `since`? |
//! | `schema` | `publish` | `id`, `vct`, `aliases`?, `w3c_types`?, `doctype`?, `status_required`, `documents`? |
//! | `schema` | `withdraw` | `id` |
//! | `incident` | `declare` | `subject`, `invalid_since`, `backdating`?, `emergency`?, `reason`? |
//! | `incident` | `withdraw` | `subject`, `reason`? |
//! | `policy` | `algorithms` | `algorithms` of approvals (`ESP256`, `ESP384`, `Ed25519`) |
//! | `policy` | `authorities` | `authorities` (`{"id", "threshold", "officers": [{"id", "key", "next"?}], "scope"?}`, the governing one first; `key` is a Multikey, `next` the SHA-256 of the text of the next one), `recovery`? (`{"threshold", "keys", "delay"}`: SHA-256 of the texts of Multikeys, seconds) |
//! | `policy` | `cancel_recovery` | `authorities`?: the next keys of officers who sign with them; the Policy goes on, and the recovery that is pending does not |
//! | `policy` | `methods` | `methods` of DIDs that may be accredited (`webvh`, `key`, `web`) |
//! | `policy` | `ml-dsa` | none: the log's own key of ML-DSA-44 is named, and checkpoints count with both signatures from then on |
//! | `policy` | `publication` | `publication`: under whose name and where the registry is shown in others' forms (below), or null for not at all |
//! | `policy` | `recover` | as `authorities`; holders of recovery keys approve it, and it takes effect after the delay |
//! | `policy` | `recovery_keys` | `recovery`, as in `authorities`, or null for none |
//! | `policy` | `witnesses` | `witness_policy` (a [tlog-policy](https://c2sp.org/tlog-policy)), `state_quorum` (a witness or group of it) |
//! | `did` | `snapshot` | `did` (a did:web), `document` (the text of its `did.json` as it was served) |
//! | `recognition` | `recognise` | `log` (verifier key of the foreign log), `genesis` (leaf hash of its first Policy), `size` and `root` of a checkpoint that was seen, `may` (any of `issue`, `publish`, `verify`), `mapping`? (`{"foreign", "local"}`), `max_staleness` (seconds), `valid_until` |
//! | `recognition` | `withdraw` | `origin` |
//! | `tombstone` | `end` | `target` (`did`, `accreditation`, `recognition`, `schema`), `subject`, `reason`? |
//!
//! A document is `{"role", "uri", "media_type", "content"}` with its text, or with `digest` (hexadecimal
//! SHA-256) and `length` instead, when bundles shall not carry it. Of a Policy everything that is not said stays as it
//! is.
//!
//! A listing is `{"particulars", "certificates"?, "federation_entity"?}`: base64 of the DER of IACA certificates, an entity
//! identifier of OpenID Federation. A publication is `{"particulars", "territory", "url", "certificate"?, "notices"}`:
//! the certificate of the key that signs, as base64 of its DER (one that this registry's key makes for itself, where it is
//! left out), and lists of texts by language. Particulars are
//! `{"names", "trade_names"?, "postal_addresses", "electronic_addresses", "information"}`: a text by language, lists of texts by
//! language, `{"street", "locality", "province"?, "postal_code", "country"}` by language, lists of URIs by language twice.

mod listing;
mod policy;
mod snapshot;
#[cfg(test)]
mod tests;

use did::methods::web::DidWebError;
use did::syntax::SyntaxError;
use keys::Signer;
use keys::SignerError;
use keys::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::Error as _;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::DocumentRole;
use trust::entry::EntryType;
use trust::entry::Grant;
use trust::entry::IncidentBody;
use trust::entry::OnStale;
use trust::entry::PolicyBody;
use trust::entry::Reason;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use trust::entry::Resource;
use trust::entry::ResourceMapping;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::SchemaDocument;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;
use trust::note::VerifierKey;

use super::member;
use listing::ListingRequest;

/// What a proposal says.
#[derive(Debug)]
pub(crate) struct Proposed {
    /// Whose approval counts; the governing authority where it is not said.
    pub(crate) authority: Option<String>,
    pub(crate) subject: String,
    pub(crate) body: Body,
    /// Contents that the body names by digest.
    pub(crate) blobs: Vec<Vec<u8>>,
}

impl Proposed {
    const fn new(authority: Option<String>, subject: String, body: Body) -> Self {
        Self {
            authority,
            subject,
            body,
            blobs: Vec::new(),
        }
    }
}

/// What a proposal refers to and does not say.
pub(crate) struct Present<'a> {
    /// The start of validity where none is said.
    pub(crate) now: Timestamp,
    /// The Policy in force, with its subject.
    pub(crate) policy: (&'a str, &'a PolicyBody),
    /// The key of ML-DSA-44 that this log signs with.
    pub(crate) second_log_key: Option<&'a VerifierKey>,
    /// The key that signs this registry's projections.
    pub(crate) publication_key: Option<&'a dyn Signer>,
}

/// The JSON says no entry. The proposer's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BodyError {
    /// There is no certificate of the key that signs, and none can be made.
    #[error("expected `certificate`, since this registry has no key of its own for it")]
    Certificate,
    /// The key did not sign its certificate.
    #[error("the certificate is not made")]
    Certify(#[from] SignerError),
    /// The subject is not a DID.
    #[error("expected `did` to be a DID")]
    Did(#[from] SyntaxError),
    /// Not a did:web, or not its document.
    #[error("expected `did` to be a did:web and `document` its document")]
    DidWeb(#[from] DidWebError),
    /// Type and action are none that can be proposed.
    #[error(
        "expected `type` accreditation, schema, policy, did, recognition, incident or tombstone and an `action` of it, found {found:?}"
    )]
    Kind {
        /// Both.
        found: String,
    },
    /// The log signs with one key only.
    #[error("expected a log that signs with ML-DSA-44, too: start it with --ml-dsa first")]
    MlDsa,
    /// A member is missing, unknown or of another form.
    #[error("the members of the proposal are not those of its type and action")]
    Members(#[source] serde_json::Error),
    /// Not a JSON object.
    #[error("expected a JSON object")]
    Object,
}

/// Reads a proposal.
pub(crate) fn read(json: Value, present: &Present<'_>) -> Result<Proposed, BodyError> {
    let now = present.now;
    let Value::Object(mut members) = json else {
        return Err(BodyError::Object);
    };
    let mut text = |name: &str| match members.remove(name) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    };
    let (kind, action) = (text("type"), text("action"));
    match (kind.as_str(), action.as_str()) {
        ("accreditation", "grant") => grant(members, now, AccreditationBody::Grant),
        ("accreditation", "amend") => grant(members, now, AccreditationBody::Amend),
        ("accreditation", "suspend") => standing(members, |change| AccreditationBody::Suspend {
            reason: change.reason,
            emergency: change.emergency,
        }),
        ("accreditation", "reinstate") => {
            let Reasoned { authority, id, reason } = parse(members)?;
            Ok(accreditation(authority, id, AccreditationBody::Reinstate { reason }))
        }
        ("accreditation", "revoke") => {
            let Revoke {
                authority,
                id,
                reason,
                since,
            } = parse(members)?;
            Ok(accreditation(
                authority,
                id,
                AccreditationBody::Revoke { reason, since },
            ))
        }
        ("schema", "publish") => publish(members),
        ("schema", "withdraw") => {
            let Withdraw { authority, id } = parse(members)?;
            Ok(Proposed::new(authority, id, Body::Schema(SchemaBody::Withdraw)))
        }
        ("policy", action) => policy::read(action, members, present),
        ("did", "snapshot") => snapshot::read(members),
        ("recognition", "recognise") => recognise(members),
        ("recognition", "withdraw") => {
            let WithdrawRecognition { authority, origin } = parse(members)?;
            Ok(Proposed::new(
                authority,
                origin,
                Body::Recognition(RecognitionBody::Withdraw),
            ))
        }
        ("incident", "declare") => declare(members),
        ("incident", "withdraw") => {
            let IncidentWithdraw {
                authority,
                subject,
                reason,
            } = parse(members)?;
            let body = Body::Incident(IncidentBody::Withdraw { reason });
            Ok(Proposed::new(authority, subject, body))
        }
        ("tombstone", "end") => {
            let End {
                authority,
                target,
                subject,
                reason,
            } = parse(members)?;
            let body = Body::Tombstone(TombstoneBody { target, reason });
            Ok(Proposed::new(authority, subject, body))
        }
        (kind, action) => Err(unknown(kind, action)),
    }
}

fn unknown(kind: &str, action: &str) -> BodyError {
    BodyError::Kind {
        found: format!("{kind} {action}").chars().take(100).collect(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    authority: Option<String>,
    id: String,
    entity: String,
    #[serde(deserialize_with = "member::action")]
    may: Action,
    resources: Vec<ResourceRequest>,
    #[serde(default)]
    territories: Vec<String>,
    level_of_assurance: Option<String>,
    #[serde(default, deserialize_with = "member::optional_time")]
    valid_from: Option<Timestamp>,
    #[serde(deserialize_with = "member::time")]
    valid_until: Timestamp,
    #[serde(default)]
    delegation_depth: u64,
    parent: Option<String>,
    max_staleness: u64,
    #[serde(default = "member::refuse_stale", deserialize_with = "member::on_stale")]
    on_stale: OnStale,
    #[serde(default = "member::refuse_backdated", deserialize_with = "member::backdating")]
    backdating: Backdating,
    hazard: Option<u64>,
    listing: Option<ListingRequest>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ResourceRequest {
    Id(String),
    Pinned(PinnedResource),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinnedResource {
    id: String,
    #[serde(deserialize_with = "member::hashes")]
    schemas: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspend {
    authority: Option<String>,
    id: String,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
    #[serde(default)]
    emergency: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasoned {
    authority: Option<String>,
    id: String,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    authority: Option<String>,
    id: String,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
    #[serde(default, deserialize_with = "member::optional_time")]
    since: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Publish {
    authority: Option<String>,
    id: String,
    vct: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    w3c_types: Vec<String>,
    doctype: Option<String>,
    status_required: bool,
    #[serde(default)]
    documents: Vec<DocumentRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DocumentRequest {
    #[serde(deserialize_with = "member::role")]
    role: DocumentRole,
    uri: String,
    media_type: String,
    content: Option<String>,
    #[serde(default, deserialize_with = "member::optional_hash")]
    digest: Option<Hash>,
    length: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Withdraw {
    authority: Option<String>,
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recognise {
    authority: Option<String>,
    log: String,
    #[serde(deserialize_with = "member::hash")]
    genesis: Hash,
    size: u64,
    #[serde(deserialize_with = "member::hash")]
    root: Hash,
    #[serde(deserialize_with = "member::actions")]
    may: Vec<Action>,
    #[serde(default)]
    mapping: Vec<Mapped>,
    max_staleness: u64,
    #[serde(deserialize_with = "member::time")]
    valid_until: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mapped {
    foreign: String,
    local: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WithdrawRecognition {
    authority: Option<String>,
    origin: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declare {
    authority: Option<String>,
    subject: String,
    #[serde(deserialize_with = "member::time")]
    invalid_since: Timestamp,
    #[serde(default = "member::refuse_backdated", deserialize_with = "member::backdating")]
    backdating: Backdating,
    #[serde(default)]
    emergency: bool,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentWithdraw {
    authority: Option<String>,
    subject: String,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    authority: Option<String>,
    #[serde(deserialize_with = "member::target")]
    target: EntryType,
    subject: String,
    #[serde(default = "member::unspecified", deserialize_with = "member::reason")]
    reason: Reason,
}

fn parse<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, BodyError> {
    serde_json::from_value(Value::Object(members)).map_err(BodyError::Members)
}

fn grant(
    members: Map<String, Value>,
    now: Timestamp,
    body: impl FnOnce(Grant) -> AccreditationBody,
) -> Result<Proposed, BodyError> {
    let request: GrantRequest = parse(members)?;
    let mut resources: Vec<Resource> = request
        .resources
        .into_iter()
        .map(ResourceRequest::into_resource)
        .collect();
    resources.sort_by(|left, right| left.id.cmp(&right.id));
    let grant = Grant {
        entity: request.entity,
        action: request.may,
        resources,
        territories: sorted(request.territories),
        level_of_assurance: request.level_of_assurance,
        valid_from: request.valid_from.unwrap_or(now),
        valid_until: request.valid_until,
        delegation_depth: request.delegation_depth,
        parent: request.parent,
        max_staleness: request.max_staleness,
        on_stale: request.on_stale,
        backdating: request.backdating,
        hazard: request.hazard,
        listing: request.listing.map(ListingRequest::into_listing).transpose()?,
    };
    Ok(accreditation(request.authority, request.id, body(grant)))
}

fn standing(
    members: Map<String, Value>,
    body: impl FnOnce(&Suspend) -> AccreditationBody,
) -> Result<Proposed, BodyError> {
    let request: Suspend = parse(members)?;
    let body = body(&request);
    Ok(accreditation(request.authority, request.id, body))
}

fn accreditation(authority: Option<String>, id: String, body: AccreditationBody) -> Proposed {
    Proposed::new(authority, id, Body::Accreditation(body))
}

fn publish(members: Map<String, Value>) -> Result<Proposed, BodyError> {
    let request: Publish = parse(members)?;
    let (mut documents, mut blobs) = (Vec::new(), Vec::new());
    for document in request.documents {
        let (document, content) = document.into_document()?;
        documents.push(document);
        blobs.extend(content);
    }
    documents.sort_by(|left, right| (left.role, &left.uri).cmp(&(right.role, &right.uri)));
    let schema = Schema {
        vct: request.vct,
        aliases: sorted(request.aliases),
        w3c_types: sorted(request.w3c_types),
        doctype: request.doctype,
        status_required: request.status_required,
        documents,
    };
    let body = Body::Schema(SchemaBody::Publish(schema));
    Ok(Proposed {
        authority: request.authority,
        subject: request.id,
        body,
        blobs,
    })
}

/// The subject is the origin: the name of the foreign log's key.
fn recognise(members: Map<String, Value>) -> Result<Proposed, BodyError> {
    let request: Recognise = parse(members)?;
    let log = VerifierKey::parse(&request.log).map_err(|_| {
        let expected = "expected `log` to be the verifier key of a log, NAME+ID+KEY";
        BodyError::Members(serde_json::Error::custom(expected))
    })?;
    let mut mapping: Vec<ResourceMapping> = request.mapping.into_iter().map(Mapped::into_mapping).collect();
    mapping.sort_by(|left, right| left.foreign.cmp(&right.foreign));
    let mut actions = request.may;
    actions.sort_unstable();
    let terms = Recognition {
        log: request.log,
        genesis: request.genesis,
        size: request.size,
        root: request.root,
        actions,
        mapping,
        max_staleness: request.max_staleness,
        valid_until: request.valid_until,
    };
    Ok(Proposed::new(
        request.authority,
        log.name().to_owned(),
        Body::Recognition(RecognitionBody::Recognise(terms)),
    ))
}

impl Mapped {
    fn into_mapping(self) -> ResourceMapping {
        ResourceMapping {
            foreign: self.foreign,
            local: self.local,
        }
    }
}

fn declare(members: Map<String, Value>) -> Result<Proposed, BodyError> {
    let Declare {
        authority,
        subject,
        invalid_since,
        backdating,
        emergency,
        reason,
    } = parse(members)?;
    let body = Body::Incident(IncidentBody::Declare {
        invalid_since,
        backdating,
        emergency,
        reason,
    });
    Ok(Proposed::new(authority, subject, body))
}

impl ResourceRequest {
    fn into_resource(self) -> Resource {
        match self {
            Self::Id(id) => Resource {
                id,
                schemas: Vec::new(),
            },
            Self::Pinned(PinnedResource { id, mut schemas }) => {
                schemas.sort_unstable();
                Resource { id, schemas }
            }
        }
    }
}

impl DocumentRequest {
    fn into_document(self) -> Result<(SchemaDocument, Option<Vec<u8>>), BodyError> {
        let Self {
            role,
            uri,
            media_type,
            content,
            digest,
            length,
        } = self;
        let (digest, length, content) = match (content, digest, length) {
            (Some(text), None, None) => {
                let bytes = text.into_bytes();
                (
                    Hash::digest(&bytes),
                    u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                    Some(bytes),
                )
            }
            (None, Some(digest), Some(length)) => (digest, length, None),
            _ => {
                let expected = "expected a document with `content`, or with `digest` and `length`";
                return Err(BodyError::Members(serde_json::Error::custom(expected)));
            }
        };
        Ok((
            SchemaDocument {
                role,
                uri,
                media_type,
                digest,
                length,
            },
            content,
        ))
    }
}

/// The order of the encoding. A member that is there twice stays so, and is refused by the rules of form.
fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort_unstable();
    items
}
