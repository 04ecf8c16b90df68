//! The [Trust Registry Query Protocol](https://trustoverip.github.io/tswg-trust-registry-protocol/) v2: may this entity
//! do that, and is that registry recognized for it? The answers are a view of the state, like everything else.
//!
//! An authority of this registry is `https://ORIGIN#ID`, with the origin of the log and the id that the Policy gives it;
//! an entity that passes its own accreditation on is its DID; a foreign registry is `https://ORIGIN`. A resource is the id
//! of a schema, or a `vct` of it.
//!
//! Out of scope: which state a question is asked of. For a time that has passed it is the one of the last Snapshot then.

use std::collections::BTreeSet;

use keys::Timestamp;
use keys::json;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use crate::bundle::Subjects;
use crate::entry::Action;
use crate::state::AccreditationStatus;
use crate::state::State;

/// Four identifiers and a context.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;

/// DIDs of did:webvh with their domain have some hundred characters.
const MAX_IDENTIFIER_CHARS: usize = 2_048;

/// A question, of either kind: both have the same members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    entity_id: String,
    authority_id: String,
    action: String,
    resource: String,
    context: Option<Map<String, Value>>,
    time: Option<Timestamp>,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the authority authorizes the entity.
    Authorization,
    /// Whether the authority recognizes the entity, another authority.
    Recognition,
}

/// The query is none. The asker's fault: HTTP 400.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// A member of `context` has another form.
    #[error("expected `context` as an object of texts, with `time` in RFC 3339 and Z as its offset, found another")]
    Context,
    /// An identifier is missing or none.
    #[error(
        "expected `{member}` as an identifier of RFC 3986, of at most {MAX_IDENTIFIER_CHARS} characters, found another or none"
    )]
    Identifier {
        /// Which one.
        member: &'static str,
    },
    /// Not strict JSON, or too large.
    #[error("the query is not read")]
    Json(#[from] json::JsonError),
    /// The time asked for has not come.
    #[error("expected a time up to {now}, found {found}")]
    Future {
        /// The time now.
        now: Timestamp,
        /// What was asked for.
        found: Timestamp,
    },
}

/// Something in the query is not known here: HTTP 404.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected {member} that this registry knows at that time, found {found}")]
pub struct Unknown {
    /// Which member.
    pub member: &'static str,
    /// What it says.
    pub found: String,
}

impl Query {
    /// Reads the body of a query.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn parse(bytes: &[u8], now: Timestamp) -> Result<Self, QueryError> {
        let limits = json::Limits {
            max_bytes: MAX_QUERY_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let mut members = json::parse_object(bytes, limits)?;
        let context = match members.remove("context") {
            None => None,
            Some(Value::Object(context)) if context.values().all(Value::is_string) => Some(context),
            Some(_) => return Err(QueryError::Context),
        };
        let time = context
            .as_ref()
            .and_then(|context| context.get("time"))
            .and_then(Value::as_str);
        // "RFC3339 required, using only Z (+00:00) offset."
        let read = |text: &str| {
            text.ends_with('Z')
                .then(|| Timestamp::parse_rfc3339(text).ok())
                .flatten()
        };
        let time = time.map(|text| read(text).ok_or(QueryError::Context)).transpose()?;
        if let Some(found) = time.filter(|time| *time > now) {
            return Err(QueryError::Future { now, found });
        }
        let mut identifier = |member: &'static str| match members.remove(member) {
            Some(Value::String(text)) if is_identifier(&text) => Ok(text),
            _ => Err(QueryError::Identifier { member }),
        };
        Ok(Self {
            entity_id: identifier("entity_id")?,
            authority_id: identifier("authority_id")?,
            action: identifier("action")?,
            resource: identifier("resource")?,
            context,
            time,
        })
    }

    /// The time that the question is about; `None` for now.
    #[must_use]
    pub const fn time(&self) -> Option<Timestamp> {
        self.time
    }

    /// What an extract has to be about that proves the answer, where the question asks for one with
    /// `"evidence": "trust_extract"` in its context. There is none about a time that has passed: then the log is the proof.
    #[must_use]
    pub fn evidence(&self) -> Option<Subjects> {
        let asked = self.context.as_ref()?.get("evidence")?.as_str()?;
        (asked == "trust_extract" && self.time.is_none()).then(|| Subjects {
            entities: BTreeSet::from([self.entity_id.clone()]),
            types: BTreeSet::from([self.resource.clone()]),
            chunks: BTreeSet::new(),
        })
    }

    /// The answer that `state` gives, which is the one of the time asked about, at `now`.
    ///
    /// # Errors
    /// [`Unknown`] for an authority, action or resource that the state does not have. An entity that it does not have is
    /// authorized and recognized for nothing.
    pub fn answer(&self, question: Question, state: &State, now: Timestamp) -> Result<Value, Unknown> {
        let at = self.time.unwrap_or(now);
        let unknown = |member, found: &str| Unknown {
            member,
            found: found.to_owned(),
        };
        let authority = self
            .authority(state)
            .ok_or_else(|| unknown("authority_id", &self.authority_id))?;
        let action = Action::from_name(&self.action).ok_or_else(|| unknown("action", &self.action))?;
        let resource = resource(state, &self.resource).ok_or_else(|| unknown("resource", &self.resource))?;
        let (member, holds) = match question {
            Question::Authorization => ("authorized", self.is_authorized(state, authority, action, resource, at)),
            Question::Recognition => ("recognized", self.is_recognized(state, authority, action, resource, at)),
        };
        let mut answer = Map::from_iter([
            ("entity_id".to_owned(), Value::from(self.entity_id.as_str())),
            ("authority_id".to_owned(), Value::from(self.authority_id.as_str())),
            ("action".to_owned(), Value::from(self.action.as_str())),
            ("resource".to_owned(), Value::from(self.resource.as_str())),
            (member.to_owned(), Value::from(holds)),
            ("time_evaluated".to_owned(), Value::from(now.to_rfc3339())),
        ]);
        answer.extend(
            self.time
                .map(|time| ("time_requested".to_owned(), time.to_rfc3339().into())),
        );
        answer.extend(
            self.context
                .clone()
                .map(|context| ("context".to_owned(), context.into())),
        );
        Ok(Value::Object(answer))
    }

    /// Whose word is asked for, as entries name it.
    fn authority(&self, state: &State) -> Option<&str> {
        if self.authority_id.starts_with("did:") {
            // One that has passed something on, or could.
            let passes_on = |action| state.accreditations_of(&self.authority_id, action).next().is_some();
            let actions = [Action::Issue, Action::Publish, Action::Verify];
            return actions.into_iter().any(passes_on).then_some(&self.authority_id);
        }
        let (registry, id) = self.authority_id.split_once('#')?;
        let is_here = registry.strip_prefix("https://") == Some(state.anchor().origin());
        let known = state.policy()?.body().authority(id).is_some();
        (is_here && known).then_some(id)
    }

    fn is_authorized(&self, state: &State, authority: &str, action: Action, resource: &str, at: Timestamp) -> bool {
        let granted = state.accreditation_by(authority, &self.entity_id, action, resource, at);
        granted.is_some_and(|granted| granted.status == AccreditationStatus::Active)
    }

    /// Only the first authority recognizes others.
    fn is_recognized(&self, state: &State, authority: &str, action: Action, resource: &str, at: Timestamp) -> bool {
        let governing = state.policy().and_then(|policy| policy.body().governing());
        if governing.is_none_or(|governing| governing.id != authority) {
            return false;
        }
        let terms = self
            .entity_id
            .strip_prefix("https://")
            .and_then(|origin| state.recognition(origin, at));
        terms.is_some_and(|terms| {
            let mapped = terms.mapping.is_empty() || terms.mapping.iter().any(|mapping| mapping.local == resource);
            mapped && terms.actions.contains(&action)
        })
    }
}

/// The identifier of an authority of the registry with this origin.
#[must_use]
pub fn authority_id(origin: &str, id: &str) -> String {
    format!("https://{origin}#{id}")
}

/// The schema of this id, or with this `vct`.
fn resource<'s>(state: &'s State, name: &'s str) -> Option<&'s str> {
    if state.schema(name).is_some() {
        return Some(name);
    }
    state.schema_of_vct(name).map(|(id, _)| id)
}

/// Characters of [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-2), with whole percent encodings.
fn is_identifier(text: &str) -> bool {
    let is_of_uri = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    let is_whole = |rest: &str| {
        let mut digits = rest.bytes().take(2);
        let is_hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        is_hex(digits.next()) && is_hex(digits.next())
    };
    !text.is_empty()
        && text.len() <= MAX_IDENTIFIER_CHARS
        && text.bytes().all(is_of_uri)
        && text.split('%').skip(1).all(is_whole)
}
