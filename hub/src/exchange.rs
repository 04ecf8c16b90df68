//! The data path: a call comes in, is held against the rules, forwarded, cut down to what the consumer may
//! see, written down as evidence, and only then answered.
//!
//! "An audit-relevant action must not be performed if the audit log cannot be written": nothing reaches the
//! consumer, and nothing that changes something reaches the source, before its record is durable.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::header;
use did::Did;
use keys::base64url;
use keys::json;
use keys::signing::fulfil;
use openid4vc::oauth::bearer::BearerError;
use openid4vc::oauth::bearer::BearerToken;
use serde_json::Value;
use server::fetch::FetchError;
use server::fetch::Fetched;
use server::fetch::Outgoing;
use tokio::time::Instant;
use tokio::time::timeout;

use crate::Hub;
use crate::evidence::AppendError;
use crate::protocol::call::CallToken;
use crate::protocol::call::Refusal;
use crate::protocol::call::Route;
use crate::protocol::call::authorize;
use crate::protocol::call::consent_of;
use crate::protocol::call::route;
use crate::protocol::commitment::Label;
use crate::protocol::commitment::Salt;
use crate::protocol::consent::Consent;
use crate::protocol::context;
use crate::protocol::context::Context;
use crate::protocol::field::FieldSet;
use crate::protocol::grant::Grant;
use crate::protocol::id::ApiId;
use crate::protocol::id::ApiVersion;
use crate::protocol::id::EvidenceId;
use crate::protocol::openapi::Method;
use crate::protocol::publication::Publication;
use crate::protocol::record::CallEvent;
use crate::protocol::record::Draft;
use crate::protocol::record::Event;
use crate::protocol::record::Outcome;
use crate::protocol::token;
use crate::store::Change;

/// The header in which a call names its consent.
pub(crate) const CONSENT_HEADER: &str = "consent-id";

/// Headers that mean something between two neighbours only
/// ([RFC 9110, section 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)), that the hub sets
/// itself, or that would change what the answer is. Never forwarded, even if an API describes them.
const NOT_FORWARDED: [&str; 22] = [
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    CONSENT_HEADER,
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    context::HEADER,
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-for",
];

/// Forwarded whether the API describes them or not: what OpenAPI says of a body stands elsewhere, and
/// tracing is between machines.
const ALWAYS_FORWARDED: [&str; 4] = ["accept-language", "content-type", "traceparent", "tracestate"];

/// A call as it came.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) api: String,
    pub(crate) version: String,
    pub(crate) method: String,
    /// What follows the version, with its slash, not decoded.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: HeaderMap,
    /// `None` if it is too large or did not arrive whole.
    pub(crate) body: Option<Bytes>,
}

/// What the consumer gets, after its evidence is durable.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) evidence: EvidenceId,
    pub(crate) result: Result<Answer, Failure>,
}

/// The source's answer, cut down to what the consumer may see.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// No answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The evidence could not be written; nothing may be told.
    Evidence,
    /// Ours or our environment's fault. The cause is in the log.
    Internal,
    /// A rule.
    Refused(Refusal),
}

/// Makes a call. Runs to its end even if the consumer does not wait: the evidence is of what happened at the
/// source, not of who was still listening.
pub(crate) async fn exchange(hub: Hub, call: Incoming) -> Reply {
    let id = EvidenceId::generate(&mut signer::os_rng());
    let refused = Reply {
        evidence: id.clone(),
        result: Err(Failure::Internal),
    };
    tokio::spawn(async move { Exchange::new(hub, id).run(call).await })
        .await
        .unwrap_or(refused)
}

/// A call under way, and what its evidence will say.
struct Exchange {
    hub: Hub,
    id: EvidenceId,
    begun: Option<EvidenceId>,
    event: CallEvent,
    salt: Salt,
    started: Instant,
}

/// What a call is made with.
struct Basis {
    grant: Option<Grant>,
    consent: Option<Consent>,
}

impl Exchange {
    fn new(hub: Hub, id: EvidenceId) -> Self {
        Self {
            hub,
            id,
            begun: None,
            event: CallEvent::default(),
            salt: Salt::generate(&mut signer::os_rng()),
            started: Instant::now(),
        }
    }

    async fn run(mut self, call: Incoming) -> Reply {
        let result = self.perform(call).await;
        let (status, outcome) = match &result {
            Ok(answer) => {
                self.event.response_sha256 = Some(digest(&answer.body));
                let begun = self.begun.clone();
                (answer.status, Outcome::Answered { begun })
            }
            Err(failure) => {
                let begun = self.begun.clone();
                let reason = failure.code().to_owned();
                (failure.status().as_u16(), Outcome::Refused { reason, begun })
            }
        };
        self.event.status = Some(status);
        let evidence = self.id.clone();
        let result = match self.append(outcome, evidence.clone()).await {
            Ok(()) => result,
            Err(_) => Err(Failure::Evidence),
        };
        Reply { evidence, result }
    }

    /// Everything between the request and its evidence. What is learned on the way is noted in the event.
    async fn perform(&mut self, call: Incoming) -> Result<Answer, Failure> {
        self.event.method = Method::parse(&call.method);
        let publication = self.find_api(&call).await?;
        let token = self.verify_token(&call, &publication)?;
        let route = route(&publication, &call.method, &call.path, call.query.as_deref())?;
        self.note_route(&route);
        let limit = self.hub.config.max_body_bytes;
        let body = call.body.as_ref().ok_or(Refusal::Body { limit })?;
        self.event.request_sha256 = Some(digest(body));
        let basis = self.load(&token, &call.headers).await?;
        let authorized = authorize(
            &route,
            &publication,
            &token,
            basis.grant.as_ref(),
            basis.consent.as_ref(),
            self.hub.clock.now(),
        )?;
        self.event.fields = Some(authorized.fields.clone());
        let grant = basis.grant.ok_or(Refusal::GrantUnknown)?;
        if !route.operation.method.is_safe() {
            self.write_begun().await?;
        }
        let context = Context {
            call: &self.id,
            source: &publication.source,
            grant: &grant,
            consent: basis.consent.as_ref(),
            fields: &authorized.fields,
            method: route.operation.method,
            target: &route.target,
            body,
        };
        let request = self.outgoing(&publication, &route, &context, &call.headers)?;
        let answer = self.forward(request).await?;
        self.event.source_response_sha256 = Some(digest(&answer.body));
        Ok(cut(&answer, &authorized.fields)?)
    }

    async fn find_api(&mut self, call: &Incoming) -> Result<Publication, Failure> {
        let names = ApiId::parse(&call.api).ok().zip(ApiVersion::parse(&call.version).ok());
        let (api, version) = names.ok_or(Refusal::ApiUnknown)?;
        let found = self
            .hub
            .store
            .publication(&api, &version)
            .await
            .map_err(|error| internal(&error))?;
        self.event.api = Some(api);
        self.event.version = Some(version);
        let publication = found.ok_or(Refusal::ApiUnknown)?;
        self.event.source = Some(publication.source.clone());
        Ok(publication)
    }

    fn verify_token(&mut self, call: &Incoming, publication: &Publication) -> Result<CallToken, Refusal> {
        let header = call
            .headers
            .get(header::AUTHORIZATION)
            .map(|value| value.to_str().unwrap_or_default());
        let bearer = BearerToken::from_header(header).map_err(|error| match error {
            BearerError::Missing => Refusal::TokenMissing,
            _ => Refusal::Token,
        })?;
        let audience = token::api_url(self.hub.issuer(), publication);
        let claims = self
            .hub
            .verify_token(bearer.reveal(), &audience)
            .map_err(|_| Refusal::Token)?;
        self.event.consumer = Did::parse(&claims.client_id).ok();
        let token = token::call_token(&claims).ok_or(Refusal::Token)?;
        self.event.grant = Some(token.grant.clone());
        Ok(token)
    }

    fn note_route(&mut self, route: &Route<'_>) {
        self.event.path = Some(route.operation.path.clone());
        self.event.target = Some(self.salt.commit(Label::Target, &route.target));
        let subject = route.subject.as_deref();
        self.event.subject = subject.map(|subject| self.salt.commit(Label::Subject, subject));
    }

    async fn load(&mut self, token: &CallToken, headers: &HeaderMap) -> Result<Basis, Failure> {
        let grant = self
            .hub
            .store
            .grant(&token.grant)
            .await
            .map_err(|error| internal(&error))?;
        let named = headers
            .get(CONSENT_HEADER)
            .map(|value| value.to_str().unwrap_or_default());
        let consent = match consent_of(token, named)? {
            None => None,
            Some(id) => {
                let found = self.hub.store.consent(&id).await.map_err(|error| internal(&error))?;
                self.event.consent = Some(id);
                Some(found.ok_or(Refusal::ConsentUnknown)?.value)
            }
        };
        Ok(Basis {
            grant: grant.map(|grant| grant.value),
            consent,
        })
    }

    /// The record before a call that changes something at the source.
    async fn write_begun(&mut self) -> Result<(), Failure> {
        let id = EvidenceId::generate(&mut signer::os_rng());
        self.append(Outcome::Begun, id.clone())
            .await
            .map_err(|_| Failure::Evidence)?;
        self.begun = Some(id);
        Ok(())
    }

    fn outgoing(
        &self,
        publication: &Publication,
        route: &Route<'_>,
        context: &Context<'_>,
        headers: &HeaderMap,
    ) -> Result<Outgoing, Failure> {
        let key = &*self.hub.token_key;
        let kid = self.hub.token_kid();
        let request = context::sign(
            context,
            self.hub.issuer(),
            &kid,
            key.public_key().algorithm(),
            self.hub.clock.now(),
        );
        let signed = fulfil(key, request).map_err(|error| internal(&error))?;
        let url = format!("{}{}", publication.upstream, route.target);
        let method = match route.operation.method {
            Method::Delete => axum::http::Method::DELETE,
            Method::Get => axum::http::Method::GET,
            Method::Patch => axum::http::Method::PATCH,
            Method::Post => axum::http::Method::POST,
            Method::Put => axum::http::Method::PUT,
        };
        let limit = self.hub.config.max_body_bytes;
        let mut outgoing = Outgoing::request(method, &url, context.body, limit)
            .map_err(|_| Refusal::SourceUnreachable)?
            .header("accept", "application/json")
            .header(context::HEADER, signed);
        if let Some(consent) = context.consent {
            outgoing = outgoing.header(CONSENT_HEADER, consent.id.as_str());
        }
        for (name, value) in forwarded(headers, &route.operation.headers) {
            outgoing = outgoing.header(name, value);
        }
        Ok(outgoing)
    }

    async fn forward(&self, request: Outgoing) -> Result<Fetched, Refusal> {
        let limit = self.hub.config.max_body_bytes;
        let sent = timeout(self.hub.config.source_timeout, self.hub.fetcher.send(request)).await;
        // The errors name the URL, which names the subject: they are not logged.
        sent.map_err(|_| Refusal::SourceTimeout)?.map_err(|error| match error {
            FetchError::TooLarge { .. } => Refusal::SourceTooLarge { limit },
            _ => Refusal::SourceUnreachable,
        })
    }

    async fn append(&self, outcome: Outcome, id: EvidenceId) -> Result<(), AppendError> {
        let event = CallEvent {
            outcome,
            duration_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            ..self.event.clone()
        };
        let draft = Draft {
            id,
            time: self.hub.clock.now(),
            event: Event::Call(Box::new(event)),
            salt: Some(self.salt.clone()),
        };
        self.hub.evidence.append(draft, Change::default()).await?;
        Ok(())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What of the source's answer the consumer may see.
fn cut(answer: &Fetched, fields: &FieldSet) -> Result<Answer, Refusal> {
    let status = answer.status;
    if !answer.is_success() {
        // An error's text may say anything, so only its status is passed on.
        return Err(Refusal::SourceStatus { status });
    }
    if answer.body.is_empty() {
        return Ok(Answer {
            status,
            body: Vec::new(),
        });
    }
    let mime = answer.content_type().and_then(|value| value.split(';').next());
    let mime = mime.unwrap_or_default().trim().to_ascii_lowercase();
    if mime != "application/json" && !mime.ends_with("+json") {
        return Err(Refusal::SourceAnswer);
    }
    let limits = json::Limits {
        max_bytes: answer.body.len(),
        ..json::DEFAULT_LIMITS
    };
    let parsed: Value = json::parse(&answer.body, limits).map_err(|_| Refusal::SourceAnswer)?;
    let kept = fields.keep(parsed).ok_or(Refusal::SourceAnswer)?;
    Ok(Answer {
        status,
        body: kept.to_string().into_bytes(),
    })
}

/// The headers that the API describes, without those that are never forwarded.
fn forwarded(headers: &HeaderMap, described: &BTreeSet<String>) -> Vec<(String, String)> {
    // "Connection: x-secret" says that the next hop must not get `X-Secret`.
    let named: BTreeSet<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let may = |name: &HeaderName| {
        let name = name.as_str();
        (described.contains(name) || ALWAYS_FORWARDED.contains(&name))
            && !NOT_FORWARDED.contains(&name)
            && !named.contains(name)
    };
    headers
        .iter()
        .filter(|(name, _)| may(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

fn digest(bytes: &[u8]) -> String {
    base64url::encode(keys::sha256(bytes))
}

fn internal(error: &(dyn StdError + 'static)) -> Failure {
    tracing::error!(cause = %server::problem::chain(error), "a call failed within the hub");
    Failure::Internal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetched(status: u16, content_type: &str, body: &str) -> Fetched {
        Fetched {
            status,
            headers: [("content-type".to_owned(), content_type.to_owned())].into(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn only_fields_of_json_answers_are_handed_out() {
        let fields = FieldSet::parse_list("a").unwrap();
        let answer = cut(
            &fetched(200, "application/json; charset=utf-8", r#"{"a":1,"b":2}"#),
            &fields,
        )
        .unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, br#"{"a":1}"#.as_slice()));
        let refused = |status, content_type, body| cut(&fetched(status, content_type, body), &fields).unwrap_err();
        assert_eq!(refused(200, "text/html", r#"{"a":1}"#), Refusal::SourceAnswer);
        assert_eq!(refused(200, "application/json", "{\"a\":1"), Refusal::SourceAnswer);
        assert_eq!(
            refused(200, "application/json", r#"{"a":1,"a":2}"#),
            Refusal::SourceAnswer
        );
        assert_eq!(refused(200, "application/json", "\"text\""), Refusal::SourceAnswer);
        assert_eq!(
            refused(404, "application/json", r#"{"a":1}"#),
            Refusal::SourceStatus { status: 404 }
        );
        assert_eq!(
            refused(302, "application/json", ""),
            Refusal::SourceStatus { status: 302 }
        );
        assert_eq!(cut(&fetched(204, "", ""), &fields).unwrap().body, b"");
    }

    #[test]
    fn described_headers_are_forwarded_and_those_of_a_hop_are_not() {
        let described = ["request-id", "x-secret", "authorization", "cookie"]
            .map(str::to_owned)
            .into();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("request-id", "r1"),
            ("x-secret", "s"),
            ("x-other", "o"),
            ("authorization", "Bearer t"),
            ("cookie", "c"),
            ("content-type", "application/json"),
            ("connection", "close, X-Secret"),
        ] {
            headers.append(name, value.parse().unwrap());
        }
        let names: BTreeSet<String> = forwarded(&headers, &described)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names, ["content-type", "request-id"].map(str::to_owned).into());
    }
}
