//! The registry as a Trust Anchor of [OpenID Federation 1.0](https://openid.net/specs/openid-federation-1_0.html): its
//! statements, signed when they are asked for, and subjects resolved.
//!
//! What is signed is the projection of the last Snapshot. Resolving asks the subject for its own Entity Configuration, at
//! the entity identifier that officers approved.

use std::collections::BTreeMap;
use std::string::FromUtf8Error;
use std::sync::Arc;
use std::time::Duration;

use keys::Signer;
use keys::SignerError;
use keys::Timestamp;
use keys::json::JsonError;
use serde_json::Map;
use serde_json::Value;
use server::Fetcher;
use server::fetch::FetchError;
use server::fetch::Outgoing;
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use trust::entry::Publication;
use trust::federation;
use trust::federation::CONFIGURATION_PATH;
use trust::federation::ConfigurationError;
use trust::federation::ENTITY_STATEMENT;
use trust::federation::Federation;
use trust::federation::MAX_CONFIGURATION_BYTES;
use trust::federation::RESOLVE_RESPONSE;
use trust::merkle::Hash;
use trust::projection::Projections;
use trust::state::PolicyRecord;

use crate::ProjectionError;
use crate::Registry;
use crate::projecting::Signing;

/// A subject that has not answered by then is as good as gone: whoever asked us waits, too.
const PATIENCE: Duration = Duration::from_secs(5);
/// Strangers choose who is asked and how often. What a subject answered, or that it did not, holds for so many seconds.
const ANSWER_LIFETIME: i64 = 60;
/// Subjects asked at the same time; each keeps a connection open.
const AT_ONCE: usize = 8;
/// Answers kept, each of up to [`MAX_CONFIGURATION_BYTES`].
const MAX_ANSWERS: usize = 64;

/// What the service remembers of statements and subjects.
pub(crate) struct TrustAnchor {
    statements: Mutex<Option<Statements>>,
    answers: Mutex<BTreeMap<String, Answer>>,
    turns: Semaphore,
}

/// The statements of one projection under one key.
struct Statements {
    of: (Hash, Hash),
    federation: Arc<Federation>,
    /// Whether they name the key that is to sign them.
    names_key: bool,
    /// JWTs by subject, as far as they were asked for.
    signed: BTreeMap<String, Arc<str>>,
}

/// What a subject answered; none where nothing came.
#[derive(Clone)]
struct Answer {
    at: Timestamp,
    configuration: Option<Arc<str>>,
}

/// A question about a subject.
pub(crate) struct ResolveRequest {
    pub(crate) subject: String,
    /// One of them must be the registry.
    pub(crate) trust_anchors: Vec<String>,
    /// None for all.
    pub(crate) entity_types: Vec<String>,
}

/// A question of OpenID Federation is not answered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FederationError {
    /// Too many subjects are being asked. Try again.
    #[error("too many subjects are being asked now; try again in some seconds")]
    Busy,
    /// The subject's own configuration does not count. The subject's fault.
    #[error("the subject's Entity Configuration does not count")]
    Configuration(#[from] ConfigurationError),
    /// The projection of the Snapshot is not read: our fault.
    #[error("the projection is not read")]
    Content(#[from] JsonError),
    /// A subject was asked for that is the registry itself.
    #[error("expected `sub` as the identifier of a subordinate, found the registry's own")]
    OwnIdentifier,
    /// A parameter is missing, repeated or has another form. The asker's fault.
    #[error("expected the parameter `{name}` {expected}")]
    Parameter {
        /// Its name.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// There is nothing to sign, or no key for it.
    #[error("the registry speaks for no federation now")]
    Projection(#[from] ProjectionError),
    /// The subject does not serve its configuration.
    #[error("the subject does not serve an Entity Configuration at its entity identifier now")]
    Silent,
    /// The anchor that was asked for is another.
    #[error("expected the registry's entity identifier as `trust_anchor`, found none that is it")]
    TrustAnchor,
    /// No statement is made of this subject: it was never listed, or is no longer.
    #[error("expected the entity identifier of an entity that the registry lists, found another")]
    Unknown,
    /// A filter that the registry does not have. The asker's fault.
    #[error("expected no parameter `{name}`: the registry does not filter by it")]
    Unsupported {
        /// Its name.
        name: &'static str,
    },
}

impl FederationError {
    /// The [error code](https://openid.net/specs/openid-federation-1_0.html#error_response) and the HTTP status
    /// that goes with it.
    #[must_use]
    pub const fn code(&self) -> (u16, &'static str) {
        match self {
            Self::Configuration(error) => (400, error.code()),
            Self::Content(_) => (500, "server_error"),
            Self::OwnIdentifier | Self::Parameter { .. } => (400, "invalid_request"),
            Self::Projection(ProjectionError::NoPublication) | Self::Unknown => (404, "not_found"),
            Self::Busy | Self::Projection(ProjectionError::Key | ProjectionError::Signer(_)) => {
                (503, "temporarily_unavailable")
            }
            Self::Silent => (404, "invalid_subject"),
            Self::TrustAnchor => (404, "invalid_trust_anchor"),
            Self::Unsupported { .. } => (400, "unsupported_parameter"),
        }
    }
}

impl From<SignerError> for FederationError {
    fn from(error: SignerError) -> Self {
        Self::Projection(error.into())
    }
}

impl Registry {
    /// The registry's entity identifier of OpenID Federation, if its Policy has a publication.
    #[must_use]
    pub fn entity_identifier(&self) -> Option<String> {
        let state = self.state();
        let publication = state.policy().map(PolicyRecord::body)?.publication.as_ref();
        publication.map(|Publication { url, .. }| url.clone())
    }

    /// The registry's Entity Configuration, a JWT.
    ///
    /// # Errors
    /// [`FederationError`].
    pub async fn entity_configuration(&self) -> Result<Arc<str>, FederationError> {
        self.with_statements(Statements::anchor).await
    }

    /// The Subordinate Statement about `subject`, a JWT.
    ///
    /// # Errors
    /// [`FederationError`].
    pub async fn subordinate_statement(&self, subject: &str) -> Result<Arc<str>, FederationError> {
        self.with_statements(|statements, signing| statements.subordinate(signing, subject))
            .await
    }

    /// The projection as the Snapshot has its digest, not signed: what statements are held against.
    pub(crate) async fn federation_content(&self) -> Result<Arc<[u8]>, ProjectionError> {
        self.refresh_kindly().await;
        let state = self.state();
        let projections = state.projections().ok_or(ProjectionError::NoPublication)?;
        let content = projections.content(Projections::FEDERATION);
        content.cloned().ok_or(ProjectionError::NoPublication)
    }

    /// What the registry says, not signed.
    pub(crate) async fn federation(&self) -> Result<Arc<Federation>, FederationError> {
        self.with_statements(|statements, _| Ok(statements.federation.clone()))
            .await
    }

    /// The resolve response about a subject, a JWT.
    pub(crate) async fn resolve_entity(&self, request: &ResolveRequest) -> Result<String, FederationError> {
        let subject = request.subject.as_str();
        let ours = |statements: &mut Statements, signing: &Signing<'_>| {
            if !request.trust_anchors.contains(&signing.publication.url) {
                return Err(FederationError::TrustAnchor);
            }
            let signed = (statements.subordinate(signing, subject)?, statements.anchor(signing)?);
            Ok((statements.federation.clone(), signed))
        };
        let (federation, (statement, anchor)) = self.with_statements(ours).await?;
        let known = federation.subordinate(subject).ok_or(FederationError::Unknown)?;
        let now = self.now();
        let fetcher = &self.0.sequencer.setup.fetcher;
        let own = self.0.trust_anchor.ask(fetcher, subject, now).await?;
        let resolved = known.resolve(&own, now)?;
        let chain = [&*own, &*statement, &*anchor];
        let claims = resolved.response((&federation, subject), &request.entity_types, chain, now);
        let key = self.0.publisher.key().ok_or(ProjectionError::Key)?;
        Ok(sign(key, RESOLVE_RESPONSE, &claims)?)
    }

    /// Reads the statements of the last Snapshot, after a new one where that is older than the configuration allows.
    async fn with_statements<T>(
        &self,
        read: impl FnOnce(&mut Statements, &Signing<'_>) -> Result<T, FederationError>,
    ) -> Result<T, FederationError> {
        self.refresh_kindly().await;
        let state = self.state();
        let signing = self.0.publisher.signing(&state, Projections::FEDERATION)?;
        let mut kept = self.0.trust_anchor.statements.lock().await;
        let of = signing.of();
        let statements = match kept.take().filter(|statements| statements.of == of) {
            Some(statements) => statements,
            None => Statements::new(&signing)?,
        };
        read(kept.insert(statements).of_key()?, &signing)
    }
}

impl TrustAnchor {
    pub(crate) fn new() -> Self {
        Self {
            statements: Mutex::default(),
            answers: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }

    /// The Entity Configuration that a subject serves, or served a moment ago.
    async fn ask(&self, fetcher: &Fetcher, subject: &str, now: Timestamp) -> Result<Arc<str>, FederationError> {
        let is_young = |answer: &Answer| now.seconds_since(answer.at) < ANSWER_LIFETIME;
        let known = self.answers.lock().await.get(subject).cloned().filter(is_young);
        if let Some(known) = known {
            return known.configuration.ok_or(FederationError::Silent);
        }
        let configuration = {
            let _turn = self.turns.try_acquire().map_err(|_| FederationError::Busy)?;
            match timeout(PATIENCE, fetch(fetcher, subject)).await {
                Ok(Ok(found)) => Some(Arc::from(found)),
                Ok(Err(error)) => {
                    tracing::warn!(subject, cause = %server::problem::chain(&error), "no Entity Configuration");
                    None
                }
                Err(_) => {
                    tracing::warn!(subject, "no Entity Configuration in time");
                    None
                }
            }
        };
        let answer = Answer {
            at: now,
            configuration: configuration.clone(),
        };
        let mut answers = self.answers.lock().await;
        answers.retain(|_, answer| is_young(answer));
        if answers.len() >= MAX_ANSWERS {
            let oldest = answers.iter().min_by_key(|(_, answer)| answer.at);
            let oldest = oldest.map(|(subject, _)| subject.clone());
            oldest.and_then(|oldest| answers.remove(&oldest));
        }
        answers.insert(subject.to_owned(), answer);
        configuration.ok_or(FederationError::Silent)
    }
}

impl Statements {
    fn new(signing: &Signing<'_>) -> Result<Self, FederationError> {
        let federation = Federation::parse(signing.content)?;
        // Of another certificate than the one that the Policy has since: not signed until the next Snapshot.
        let keys = federation.anchor().get("jwks").and_then(|jwks| jwks.get("keys"));
        let keys = keys.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let id = key_id(signing.key);
        let names_key = keys.iter().any(|key| key.get("kid").is_some_and(|found| *found == id));
        Ok(Self {
            of: signing.of(),
            federation: Arc::new(federation),
            names_key,
            signed: BTreeMap::new(),
        })
    }

    /// These statements, if they name the key that is to sign them.
    fn of_key(&mut self) -> Result<&mut Self, ProjectionError> {
        if self.names_key {
            Ok(self)
        } else {
            Err(ProjectionError::Key)
        }
    }

    fn anchor(&mut self, signing: &Signing<'_>) -> Result<Arc<str>, FederationError> {
        self.signed(&signing.publication.url, signing)
    }

    fn subordinate(&mut self, signing: &Signing<'_>, subject: &str) -> Result<Arc<str>, FederationError> {
        if subject == signing.publication.url {
            return Err(FederationError::OwnIdentifier);
        }
        self.signed(subject, signing)
    }

    fn signed(&mut self, subject: &str, signing: &Signing<'_>) -> Result<Arc<str>, FederationError> {
        if let Some(signed) = self.signed.get(subject) {
            return Ok(signed.clone());
        }
        let claims = if subject == signing.publication.url {
            self.federation.anchor()
        } else {
            let statement = self.federation.subordinate(subject);
            statement.ok_or(FederationError::Unknown)?.claims()
        };
        let signed: Arc<str> = sign(signing.key, ENTITY_STATEMENT, claims)?.into();
        self.signed.insert(subject.to_owned(), signed.clone());
        Ok(signed)
    }
}

fn sign(key: &dyn Signer, typ: &str, claims: &Map<String, Value>) -> Result<String, SignerError> {
    let request = federation::sign(typ, &key_id(key), claims, key.public_key().algorithm());
    keys::signing::fulfil(key, request)
}

/// As the projection has it.
fn key_id(key: &dyn Signer) -> String {
    key.public_key().to_jwk().thumbprint()
}

/// A subject did not serve what it should. Told to the log; the asker learns that nothing came.
#[derive(Debug, Error)]
enum AskError {
    #[error("expected HTTP status 200 and application/{ENTITY_STATEMENT}, found {status} and {content_type:?}")]
    Answer { status: u16, content_type: Option<String> },
    #[error("the subject does not answer")]
    Fetch(#[from] FetchError),
    #[error("expected a text, found other bytes")]
    Text(#[from] FromUtf8Error),
}

async fn fetch(fetcher: &Fetcher, subject: &str) -> Result<String, AskError> {
    let media_type = format!("application/{ENTITY_STATEMENT}");
    let request = Outgoing::get(&format!("{subject}{CONFIGURATION_PATH}"), MAX_CONFIGURATION_BYTES)?;
    let answer = fetcher.send(request.header("accept", media_type.as_str())).await?;
    let found = answer.content_type().and_then(|found| found.split(';').next());
    if answer.status != 200 || !found.is_some_and(|found| found.trim().eq_ignore_ascii_case(&media_type)) {
        return Err(AskError::Answer {
            status: answer.status,
            content_type: answer.content_type().map(str::to_owned),
        });
    }
    Ok(String::from_utf8(answer.body)?)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering;

    use axum::Router;
    use axum::http::header;
    use axum::routing::get;
    use keys::Algorithm;
    use serde_json::json;
    use server::fetch::Reach;
    use signer::SoftwareKey;
    use trust::entry::Particulars;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix(1_795_392_000);

    fn key(number: u8) -> SoftwareKey {
        SoftwareKey::from_secret(Algorithm::Es256, &[number; 32]).unwrap()
    }

    /// A server of subjects `/a`, `/b` and so on, by plain HTTP, and how often it was asked.
    async fn subjects(content_type: &'static str, answers_after: Duration) -> (String, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = asked.clone();
        let answer = get(move || async move {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(answers_after).await;
            ([(header::CONTENT_TYPE, content_type)], "a.b.c")
        });
        let router = Router::new().route(&format!("/{{subject}}{CONFIGURATION_PATH}"), answer);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (url, asked)
    }

    fn fetcher() -> Fetcher {
        Fetcher::new(Reach::LoopbackToo).unwrap()
    }

    #[tokio::test]
    async fn a_subject_is_asked_once_a_minute() {
        let (url, asked) = subjects("application/entity-statement+jwt; charset=utf-8", Duration::ZERO).await;
        let (anchor, fetcher, subject) = (TrustAnchor::new(), fetcher(), format!("{url}/a"));
        for (later, times) in [(0, 1), (ANSWER_LIFETIME - 1, 1), (ANSWER_LIFETIME, 2)] {
            let found = anchor.ask(&fetcher, &subject, NOW.plus(later)).await.unwrap();
            assert_eq!((&*found, asked.load(Ordering::SeqCst)), ("a.b.c", times), "{later}");
        }
        assert!(anchor.ask(&fetcher, &format!("{url}/b"), NOW).await.is_ok());
        assert_eq!(asked.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn what_is_no_statement_is_as_good_as_nothing() {
        let (url, asked) = subjects("text/html", Duration::ZERO).await;
        let (anchor, fetcher) = (TrustAnchor::new(), fetcher());
        for _ in 0..2 {
            let found = anchor.ask(&fetcher, &format!("{url}/a"), NOW).await;
            assert!(matches!(found, Err(FederationError::Silent)), "{found:?}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        let elsewhere = anchor.ask(&fetcher, &format!("{url}/a/b"), NOW).await;
        assert!(matches!(elsewhere, Err(FederationError::Silent)));
    }

    #[tokio::test]
    async fn few_subjects_are_asked_at_a_time() {
        let (url, asked) = subjects("application/entity-statement+jwt", Duration::from_mins(1)).await;
        let (anchor, fetcher) = (Arc::new(TrustAnchor::new()), fetcher());
        let mut asking = tokio::task::JoinSet::new();
        for number in 0..AT_ONCE {
            let (anchor, fetcher, subject) = (anchor.clone(), fetcher.clone(), format!("{url}/{number}"));
            asking.spawn(async move { anchor.ask(&fetcher, &subject, NOW).await });
        }
        while asked.load(Ordering::SeqCst) < AT_ONCE {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let one_more = anchor.ask(&fetcher, &format!("{url}/more"), NOW).await;
        assert!(matches!(one_more, Err(FederationError::Busy)), "{one_more:?}");
        // Whoever does not answer in time did not answer.
        while let Some(silent) = asking.join_next().await {
            assert!(matches!(silent.unwrap(), Err(FederationError::Silent)));
        }
        assert_eq!(anchor.turns.available_permits(), AT_ONCE);
    }

    #[test]
    fn a_key_signs_only_what_names_it() {
        let (mine, other) = (key(1), key(2));
        let content = json!({
            "trust_anchor": {"jwks": {"keys": [{"kid": key_id(&mine)}]}},
            "subordinate_statements": [],
        });
        let publication = Publication {
            particulars: Particulars {
                names: Vec::new(),
                trade_names: Vec::new(),
                postal_addresses: Vec::new(),
                electronic_addresses: Vec::new(),
                information: Vec::new(),
            },
            territory: String::new(),
            url: String::new(),
            certificate: Vec::new(),
            notices: Vec::new(),
        };
        let statements = |key: &dyn Signer| {
            let content = content.to_string();
            Statements::new(&Signing {
                publication: &publication,
                content: content.as_bytes(),
                digest: Hash::digest(content.as_bytes()),
                key,
            })
            .unwrap()
        };
        assert!(statements(&mine).of_key().is_ok());
        // The Policy's certificate was changed since the projection was made.
        assert!(matches!(statements(&other).of_key(), Err(ProjectionError::Key)));
    }
}
