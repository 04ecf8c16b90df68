//! Proposals as JSON: what operators write, turned into the body of an entry.
//!
//! `type` and `action` say which members there are; any other member is refused. Times are RFC 3339, sets
//! may come in any order. `authority` is the governing one where it is left out.
//!
//! | `type` | `action` | members (`?`: may be left out) |
//! |---|---|---|
//! | `accreditation` | `grant`, `amend` | `id`, `entity`, `may` (`issue`, `publish`, `verify`), `resources` (ids, or `{"id", "schemas"}`), `valid_from`?, `valid_until`, `max_staleness` (seconds), `on_stale`?, `backdating`?, `territories`?, `level_of_assurance`?, `delegation_depth`?, `parent`?, `hazard`? |
//! | `accreditation` | `suspend` | `id`, `reason`?, `emergency`? |
//! | `accreditation` | `reinstate` | `id`, `reason`? |
//! | `accreditation` | `revoke` | `id`, `reason`?, `since`? |
//! | `schema` | `publish` | `id`, `vct`, `aliases`?, `w3c_types`?, `doctype`?, `status_required`, `documents`? |
//! | `schema` | `withdraw` | `id` |
//! | `incident` | `declare` | `subject`, `invalid_since`, `backdating`?, `emergency`?, `reason`? |
//! | `incident` | `withdraw` | `subject`, `reason`? |
//! | `tombstone` | `end` | `target` (`did`, `accreditation`, `recognition`, `schema`), `subject`, `reason`? |
//!
//! A document is `{"role", "uri", "media_type", "content"}` with its text, or with `digest` (hexadecimal
//! SHA-256) and `length` instead, when bundles shall not carry it. Policies and recognitions are not
//! proposed in JSON yet.

use keys::Timestamp;
use serde::Deserialize;
use serde::Deserializer;
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
use trust::entry::Reason;
use trust::entry::Resource;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::SchemaDocument;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;

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

/// The JSON says no entry. The proposer's fault.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BodyError {
    /// Type and action are none that can be proposed.
    #[error("expected `type` accreditation, schema, incident or tombstone and an `action` of it, found {found:?}")]
    Kind {
        /// Both.
        found: String,
    },
    /// A member is missing, unknown or of another form.
    #[error("the members of the proposal are not those of its type and action")]
    Members(#[source] serde_json::Error),
    /// Not a JSON object.
    #[error("expected a JSON object")]
    Object,
}

/// Reads a proposal; `now` is the start of validity where none is said.
pub(crate) fn read(json: Value, now: Timestamp) -> Result<Proposed, BodyError> {
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
            Ok(Proposed {
                authority,
                subject: id,
                body: Body::Schema(SchemaBody::Withdraw),
                blobs: Vec::new(),
            })
        }
        ("incident", "declare") => declare(members),
        ("incident", "withdraw") => {
            let IncidentWithdraw {
                authority,
                subject,
                reason,
            } = parse(members)?;
            let body = Body::Incident(IncidentBody::Withdraw { reason });
            Ok(Proposed {
                authority,
                subject,
                body,
                blobs: Vec::new(),
            })
        }
        ("tombstone", "end") => {
            let End {
                authority,
                target,
                subject,
                reason,
            } = parse(members)?;
            let body = Body::Tombstone(TombstoneBody { target, reason });
            Ok(Proposed {
                authority,
                subject,
                body,
                blobs: Vec::new(),
            })
        }
        _ => Err(BodyError::Kind {
            found: format!("{kind} {action}").chars().take(100).collect(),
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantRequest {
    authority: Option<String>,
    id: String,
    entity: String,
    #[serde(deserialize_with = "action")]
    may: Action,
    resources: Vec<ResourceRequest>,
    #[serde(default)]
    territories: Vec<String>,
    level_of_assurance: Option<String>,
    #[serde(default, deserialize_with = "optional_time")]
    valid_from: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    valid_until: Timestamp,
    #[serde(default)]
    delegation_depth: u64,
    parent: Option<String>,
    max_staleness: u64,
    #[serde(default = "refuse_stale", deserialize_with = "on_stale")]
    on_stale: OnStale,
    #[serde(default = "refuse_backdated", deserialize_with = "backdating")]
    backdating: Backdating,
    hazard: Option<u64>,
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
    #[serde(deserialize_with = "hashes")]
    schemas: Vec<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suspend {
    authority: Option<String>,
    id: String,
    #[serde(default = "unspecified", deserialize_with = "reason")]
    reason: Reason,
    #[serde(default)]
    emergency: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reasoned {
    authority: Option<String>,
    id: String,
    #[serde(default = "unspecified", deserialize_with = "reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revoke {
    authority: Option<String>,
    id: String,
    #[serde(default = "unspecified", deserialize_with = "reason")]
    reason: Reason,
    #[serde(default, deserialize_with = "optional_time")]
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
    #[serde(deserialize_with = "role")]
    role: DocumentRole,
    uri: String,
    media_type: String,
    content: Option<String>,
    #[serde(default, deserialize_with = "optional_hash")]
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
struct Declare {
    authority: Option<String>,
    subject: String,
    #[serde(deserialize_with = "time")]
    invalid_since: Timestamp,
    #[serde(default = "refuse_backdated", deserialize_with = "backdating")]
    backdating: Backdating,
    #[serde(default)]
    emergency: bool,
    #[serde(default = "unspecified", deserialize_with = "reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentWithdraw {
    authority: Option<String>,
    subject: String,
    #[serde(default = "unspecified", deserialize_with = "reason")]
    reason: Reason,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    authority: Option<String>,
    #[serde(deserialize_with = "target")]
    target: EntryType,
    subject: String,
    #[serde(default = "unspecified", deserialize_with = "reason")]
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
    Proposed {
        authority,
        subject: id,
        body: Body::Accreditation(body),
        blobs: Vec::new(),
    }
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
    Ok(Proposed {
        authority,
        subject,
        body,
        blobs: Vec::new(),
    })
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

const fn refuse_stale() -> OnStale {
    OnStale::Refuse
}

const fn refuse_backdated() -> Backdating {
    Backdating::Refuse
}

const fn unspecified() -> Reason {
    Reason::Unspecified
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    Timestamp::parse_rfc3339(&text).map_err(|_| D::Error::custom("expected a time such as 2026-11-23T03:00:00Z"))
}

fn optional_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    time(deserializer).map(Some)
}

fn hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    let text = String::deserialize(deserializer)?;
    Hash::parse_hex(&text).map_err(|_| D::Error::custom("expected a SHA-256 digest of 64 hexadecimal digits"))
}

fn optional_hash<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Hash>, D::Error> {
    hash(deserializer).map(Some)
}

fn hashes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Hash>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let parse = |text: &String| Hash::parse_hex(text);
    let hashes: Result<Vec<Hash>, _> = texts.iter().map(parse).collect();
    hashes.map_err(|_| D::Error::custom("expected SHA-256 digests of 64 hexadecimal digits"))
}

/// One of the names of an enumeration.
fn named<'de, D: Deserializer<'de>, T: Copy>(deserializer: D, names: &[(&str, T)]) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let found = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        D::Error::custom(format!("expected one of {}", names.join(", ")))
    })
}

fn action<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Action, D::Error> {
    named(
        deserializer,
        &[
            ("issue", Action::Issue),
            ("publish", Action::Publish),
            ("verify", Action::Verify),
        ],
    )
}

fn on_stale<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OnStale, D::Error> {
    let names = [
        ("refuse", OnStale::Refuse),
        ("warn", OnStale::Warn),
        ("accept_with_risk", OnStale::AcceptWithRisk),
    ];
    named(deserializer, &names)
}

fn backdating<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Backdating, D::Error> {
    named(
        deserializer,
        &[
            ("refuse", Backdating::Refuse),
            ("accept_before", Backdating::AcceptBefore),
        ],
    )
}

fn reason<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Reason, D::Error> {
    let names = [
        ("unspecified", Reason::Unspecified),
        ("key_compromise", Reason::KeyCompromise),
        ("ceased_operation", Reason::CeasedOperation),
        ("non_compliance", Reason::NonCompliance),
        ("superseded", Reason::Superseded),
        ("withdrawn", Reason::Withdrawn),
    ];
    named(deserializer, &names)
}

fn role<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DocumentRole, D::Error> {
    let names = [
        ("type_metadata", DocumentRole::TypeMetadata),
        ("json_schema", DocumentRole::JsonSchema),
        ("context", DocumentRole::Context),
        ("display", DocumentRole::Display),
    ];
    named(deserializer, &names)
}

fn target<'de, D: Deserializer<'de>>(deserializer: D) -> Result<EntryType, D::Error> {
    let names = [
        ("did", EntryType::DidEvent),
        ("accreditation", EntryType::Accreditation),
        ("recognition", EntryType::Recognition),
        ("schema", EntryType::Schema),
    ];
    named(deserializer, &names)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_392_000);

    fn grant_json() -> Value {
        json!({
            "type": "accreditation", "action": "grant", "id": "population", "entity": "did:web:example.com",
            "may": "issue", "resources": ["PersonIdentity", {"id": "Adult", "schemas": ["00".repeat(32)]}],
            "valid_until": "2027-11-23T00:00:00Z", "max_staleness": 86_400,
        })
    }

    fn with(mut json: Value, member: &str, value: Value) -> Value {
        json[member] = value;
        json
    }

    #[test]
    fn a_grant_is_read_and_defaults_refuse() {
        let proposed = read(grant_json(), NOW).unwrap();
        let Body::Accreditation(AccreditationBody::Grant(grant)) = proposed.body else {
            panic!("expected a grant")
        };
        assert_eq!((proposed.subject.as_str(), proposed.authority), ("population", None));
        assert_eq!((grant.action, grant.valid_from), (Action::Issue, NOW));
        assert_eq!(
            (grant.on_stale, grant.backdating),
            (OnStale::Refuse, Backdating::Refuse)
        );
        let ids: Vec<&str> = grant.resources.iter().map(|resource| resource.id.as_str()).collect();
        assert_eq!(ids, ["Adult", "PersonIdentity"]);
        assert_eq!(grant.resources[0].schemas, [Hash::ZERO]);
        let amended = read(with(grant_json(), "action", json!("amend")), NOW).unwrap();
        assert!(matches!(amended.body, Body::Accreditation(AccreditationBody::Amend(_))));
    }

    #[test]
    fn another_member_or_value_is_refused() {
        for (member, value) in [
            ("unknown", json!(1)),
            ("may", json!("Issue")),
            ("valid_until", json!(1_800_000_000)),
            ("valid_from", json!(null)),
            ("max_staleness", json!("86400")),
            ("max_staleness", json!(-1)),
            ("on_stale", json!("ignore")),
            ("resources", json!("PersonIdentity")),
            ("resources", json!([{"id": "Adult", "schemas": ["00"]}])),
            ("resources", json!([{"id": "Adult", "schemas": [], "more": 1}])),
        ] {
            let refused = read(with(grant_json(), member, value.clone()), NOW);
            assert!(matches!(refused, Err(BodyError::Members(_))), "{member} {value}");
        }
        for member in ["id", "entity", "may", "resources", "valid_until", "max_staleness"] {
            let mut json = grant_json();
            json.as_object_mut().unwrap().remove(member);
            assert!(matches!(read(json, NOW), Err(BodyError::Members(_))), "{member}");
        }
    }

    #[test]
    fn another_type_or_action_is_refused() {
        for (member, value) in [
            ("type", json!("policy")),
            ("action", json!("delete")),
            ("type", json!(2)),
        ] {
            assert!(matches!(
                read(with(grant_json(), member, value), NOW),
                Err(BodyError::Kind { .. })
            ));
        }
        assert!(matches!(read(json!([]), NOW), Err(BodyError::Object)));
    }

    #[test]
    fn changes_of_standing_are_read() {
        let change = |action: &str, more: Value| {
            let mut json = json!({"type": "accreditation", "action": action, "id": "a"});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(json, NOW).map(|proposed| proposed.body)
        };
        let of = |body| Body::Accreditation(body);
        let (reason, unspecified) = (Reason::KeyCompromise, Reason::Unspecified);
        assert_eq!(
            change("suspend", json!({"reason": "key_compromise", "emergency": true})).unwrap(),
            of(AccreditationBody::Suspend {
                reason,
                emergency: true
            })
        );
        assert_eq!(
            change("suspend", json!({})).unwrap(),
            of(AccreditationBody::Suspend {
                reason: unspecified,
                emergency: false
            })
        );
        assert_eq!(
            change("reinstate", json!({})).unwrap(),
            of(AccreditationBody::Reinstate { reason: unspecified })
        );
        assert_eq!(
            change("revoke", json!({"since": "2026-11-23T00:00:00Z"})).unwrap(),
            of(AccreditationBody::Revoke {
                reason: unspecified,
                since: Some(NOW)
            })
        );
        assert!(change("reinstate", json!({"emergency": true})).is_err());
        assert!(change("suspend", json!({"since": "2026-11-23T00:00:00Z"})).is_err());
        assert!(change("revoke", json!({"reason": "because"})).is_err());
    }

    #[test]
    fn a_schema_takes_its_documents_with_or_without_their_bytes() {
        let document = |more: Value| {
            let mut json =
                json!({"role": "context", "uri": "https://example.com/c", "media_type": "application/ld+json"});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            read(
                json!({
                    "type": "schema", "action": "publish", "id": "s", "vct": "urn:s", "w3c_types": ["B", "A"],
                    "status_required": true, "documents": [json],
                }),
                NOW,
            )
        };
        let digest = Hash::digest(b"{}");
        for (more, blobs) in [
            (json!({"content": "{}"}), vec![b"{}".to_vec()]),
            (json!({"digest": digest.to_string(), "length": 2}), Vec::new()),
        ] {
            let proposed = document(more).unwrap();
            let Body::Schema(SchemaBody::Publish(schema)) = proposed.body else {
                panic!("expected a schema")
            };
            assert_eq!((schema.documents[0].digest, schema.documents[0].length), (digest, 2));
            assert_eq!(
                (schema.w3c_types, proposed.blobs),
                (vec!["A".to_owned(), "B".to_owned()], blobs)
            );
        }
        for more in [
            json!({}),
            json!({"content": "{}", "length": 2}),
            json!({"digest": digest.to_string()}),
            json!({"content": "{}", "role": "picture"}),
        ] {
            assert!(matches!(document(more), Err(BodyError::Members(_))));
        }
    }

    #[test]
    fn incidents_and_tombstones_are_read() {
        let declared = json!({
            "type": "incident", "action": "declare", "subject": "did:web:example.com",
            "invalid_since": "2026-11-23T00:00:00Z", "reason": "key_compromise", "authority": "ministry",
        });
        let proposed = read(declared, NOW).unwrap();
        assert_eq!(proposed.authority.as_deref(), Some("ministry"));
        let (backdating, emergency, reason) = (Backdating::Refuse, false, Reason::KeyCompromise);
        let expected = IncidentBody::Declare {
            invalid_since: NOW,
            backdating,
            emergency,
            reason,
        };
        assert_eq!(proposed.body, Body::Incident(expected));
        let ended = json!({"type": "tombstone", "action": "end", "target": "schema", "subject": "s"});
        let target = TombstoneBody {
            target: EntryType::Schema,
            reason: Reason::Unspecified,
        };
        assert_eq!(read(ended.clone(), NOW).unwrap().body, Body::Tombstone(target));
        assert!(read(with(ended, "target", json!("policy")), NOW).is_err());
    }
}
