//! The catalogue: a version of an API that a source agency published.

use std::collections::BTreeSet;

use did::Did;
use keys::Timestamp;
use openid4vc::SecureUrl;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::field::FieldSet;
use super::id::ApiId;
use super::id::ApiVersion;
use super::openapi::OpenApi;
use super::openapi::OpenApiError;
use super::statement::Statement;
use super::statement::StatementDigest;

/// An API has a handful of scopes.
const MAX_SCOPES: usize = 32;

/// A scope is a short word.
const MAX_SCOPE_BYTES: usize = 64;

/// What a source says of its API: the content of a publication statement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicationTerms {
    /// The API's name.
    pub api: ApiId,
    /// The version.
    pub version: ApiVersion,
    /// Where the hub forwards calls to; a call's path is put behind it.
    pub upstream: SecureUrl,
    /// The scopes that a token must have for a call. Possibly none.
    #[serde(default)]
    pub scopes: BTreeSet<String>,
    /// The fields that the API answers with and that may be applied for.
    pub fields: FieldSet,
    /// Whether each call needs a person's consent.
    pub consent: ConsentRule,
    /// Where a call names the person or thing that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectParameter>,
    /// The query parameter in which a call names its fields, joined by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_parameter: Option<String>,
    /// The agency that decides on applications; the source itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Did>,
    /// The OpenAPI 3.1 document.
    pub openapi: Value,
}

/// Whether a call needs consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsentRule {
    /// Only if the legal basis of the grant is consent.
    ByLegalBasis,
    /// Always.
    Required,
}

/// Where a call names its subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectParameter {
    /// In the path or in the query.
    #[serde(rename = "in")]
    pub place: Place,
    /// The parameter's name.
    pub name: String,
}

/// A place of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `{name}` in the path.
    Path,
    /// `?name=` in the query.
    Query,
}

/// A published version of an API. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publication {
    /// The API's name.
    pub api: ApiId,
    /// The version.
    pub version: ApiVersion,
    /// Who published it.
    pub source: Did,
    /// Who decides on applications.
    pub decided_by: Did,
    /// Where calls are forwarded to, without a slash at the end.
    pub upstream: String,
    /// The scopes that a token must have.
    pub scopes: BTreeSet<String>,
    /// The fields that may be applied for.
    pub fields: FieldSet,
    /// Whether calls need consent.
    pub consent: ConsentRule,
    /// Where a call names its subject.
    pub subject: Option<SubjectParameter>,
    /// Where a call names its fields.
    pub fields_parameter: Option<String>,
    /// Paths, methods and parameters.
    pub openapi: OpenApi,
    /// When the hub took it.
    pub published_at: Timestamp,
    /// The statement by which it was published.
    pub statement: StatementDigest,
}

/// The source's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicationError {
    /// The name belongs to another source.
    #[error("expected an API name of your own, found one of another source")]
    NotYours,
    /// The document.
    #[error("the OpenAPI document cannot be published")]
    OpenApi(#[from] OpenApiError),
    /// A scope that no OAuth message can carry, that the hub gives another meaning, or too many.
    #[error("expected at most {MAX_SCOPES} scopes of at most {MAX_SCOPE_BYTES} characters, none like the hub's own")]
    Scope,
    /// Consent to a call that does not say whom it is about cannot be checked.
    #[error("expected `subject` to name a parameter of {path}, since calls need consent")]
    Subject {
        /// A path without it.
        path: String,
    },
    /// `subject` stands where it cannot be enforced.
    #[error("expected `subject`, because consent is required")]
    SubjectMissing,
    /// The version is there already.
    #[error("expected a new version, found one that is published: what is published never changes")]
    VersionTaken,
    /// A query or more in the base URL.
    #[error("expected `upstream` as a URL without query and fragment")]
    Upstream,
}

impl PublicationTerms {
    /// A publication of these terms.
    ///
    /// `owner` is the source of the API's earlier versions, if there are any; `taken` says that this very
    /// version is published. Returns the record and the OpenAPI document.
    ///
    /// # Errors
    /// [`PublicationError`], the source's fault.
    pub fn publish(
        statement: Statement<Self>,
        owner: Option<&Did>,
        taken: bool,
        now: Timestamp,
    ) -> Result<(Publication, Value), PublicationError> {
        let terms = statement.content;
        if owner.is_some_and(|owner| *owner != statement.issuer) {
            return Err(PublicationError::NotYours);
        }
        if taken {
            return Err(PublicationError::VersionTaken);
        }
        if terms.scopes.len() > MAX_SCOPES || !terms.scopes.iter().all(|scope| is_scope(scope)) {
            return Err(PublicationError::Scope);
        }
        SecureUrl::parse_identifier(terms.upstream.as_str()).map_err(|_| PublicationError::Upstream)?;
        let openapi = OpenApi::parse(&terms.openapi)?;
        match &terms.subject {
            None if terms.consent == ConsentRule::Required => return Err(PublicationError::SubjectMissing),
            None => {}
            // A path without the parameter would be a way around the consent.
            Some(subject) => {
                let without = openapi.operations().iter().find(|operation| match subject.place {
                    Place::Path => !operation.path.has_parameter(&subject.name),
                    Place::Query => !operation.query.contains(&subject.name),
                });
                if let Some(operation) = without {
                    return Err(PublicationError::Subject {
                        path: operation.path.as_str().to_owned(),
                    });
                }
            }
        }
        let publication = Publication {
            api: terms.api,
            version: terms.version,
            decided_by: terms.decided_by.unwrap_or_else(|| statement.issuer.clone()),
            source: statement.issuer,
            upstream: terms.upstream.as_str().trim_end_matches('/').to_owned(),
            scopes: terms.scopes,
            fields: terms.fields,
            consent: terms.consent,
            subject: terms.subject,
            fields_parameter: terms.fields_parameter,
            openapi,
            published_at: now,
            statement: statement.digest,
        };
        Ok((publication, terms.openapi))
    }
}

/// "scope-token = 1*( %x21 / %x23-5B / %x5D-7E )" ([RFC 6749, section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
fn is_scope(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    let is_the_hubs = ["grant:", "consent:", "hub."]
        .iter()
        .any(|start| text.starts_with(start));
    !text.is_empty() && text.len() <= MAX_SCOPE_BYTES && text.bytes().all(allowed) && !is_the_hubs
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::protocol::statement::StatementKind;

    pub(crate) const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

    pub(crate) fn terms() -> PublicationTerms {
        serde_json::from_value(json!({
            "api": "population", "version": "v1", "upstream": "https://population.example/v1/",
            "scopes": ["population.read"], "fields": ["given_name", "family_name", "birthdate"],
            "consent": "required", "subject": {"in": "path", "name": "id"}, "fields_parameter": "fields",
            "openapi": {
                "openapi": "3.1.0", "info": {"title": "Register", "version": "1"},
                "paths": {"/persons/{id}": {"get": {"parameters": [
                    {"name": "fields", "in": "query"}, {"name": "lang", "in": "query"}, {"name": "Request-Id", "in": "header"}
                ]}}}
            }
        }))
        .unwrap()
    }

    /// A statement as if it had been verified.
    pub(crate) fn statement<T>(issuer: &str, kind: StatementKind, content: T) -> Statement<T> {
        Statement {
            issuer: Did::parse(issuer).unwrap(),
            jti: "1".to_owned(),
            issued_at: NOW,
            expires_at: NOW.plus(60),
            content,
            kind,
            digest: serde_json::from_value(json!("digest")).unwrap(),
            text: String::new(),
        }
    }

    pub(crate) fn publication() -> Publication {
        publish(terms(), None, false).unwrap()
    }

    fn publish(terms: PublicationTerms, owner: Option<&str>, taken: bool) -> Result<Publication, PublicationError> {
        let owner = owner.map(|owner| Did::parse(owner).unwrap());
        let statement = statement("did:web:source.example", StatementKind::Publication, terms);
        PublicationTerms::publish(statement, owner.as_ref(), taken, NOW).map(|(publication, _)| publication)
    }

    #[test]
    fn a_source_publishes_and_decides_itself() {
        let publication = publication();
        assert_eq!(publication.source.as_str(), "did:web:source.example");
        assert_eq!(publication.decided_by, publication.source);
        assert_eq!(publication.upstream, "https://population.example/v1");
        assert!(publish(terms(), Some("did:web:source.example"), false).is_ok());
    }

    #[test]
    fn each_rule_refuses() {
        let refused = |change: fn(&mut PublicationTerms)| {
            let mut terms = terms();
            change(&mut terms);
            publish(terms, None, false).unwrap_err()
        };
        assert_eq!(
            publish(terms(), Some("did:web:other.example"), false),
            Err(PublicationError::NotYours)
        );
        assert_eq!(publish(terms(), None, true), Err(PublicationError::VersionTaken));
        assert_eq!(
            refused(|it| it.scopes = ["a b".to_owned()].into()),
            PublicationError::Scope
        );
        assert_eq!(
            refused(|it| it.scopes = ["grant:x".to_owned()].into()),
            PublicationError::Scope
        );
        assert_eq!(refused(|it| it.subject = None), PublicationError::SubjectMissing);
        assert_eq!(
            refused(|it| it.openapi["paths"]["/persons"] = json!({"get": {}})),
            PublicationError::Subject {
                path: "/persons".to_owned()
            }
        );
        assert_eq!(
            refused(|it| it.subject = Some(SubjectParameter {
                place: Place::Query,
                name: "id".to_owned()
            })),
            PublicationError::Subject {
                path: "/persons/{id}".to_owned()
            }
        );
        assert_eq!(
            refused(|it| it.upstream = SecureUrl::parse("https://population.example/?x=1").unwrap()),
            PublicationError::Upstream
        );
        assert!(matches!(
            refused(|it| it.openapi = json!({})),
            PublicationError::OpenApi(_)
        ));
    }

    #[test]
    fn a_plain_upstream_is_no_term() {
        let mut written = serde_json::to_value(terms()).unwrap();
        written["upstream"] = json!("http://population.example");
        assert!(serde_json::from_value::<PublicationTerms>(written).is_err());
    }
}
