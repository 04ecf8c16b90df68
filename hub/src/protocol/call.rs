//! The rules of a call: what must hold before anything is forwarded to a source.
//!
//! First [`route`] finds the call's place in the API's description, then [`authorize`] holds token, grant and
//! consent against each other. Both refuse with a [`Refusal`], which becomes part of the evidence.

use std::collections::BTreeSet;

use did::Did;
use keys::Timestamp;
use thiserror::Error;
use url::form_urlencoded;

use super::consent::Consent;
use super::consent::ConsentState;
use super::field::Field;
use super::field::FieldSet;
use super::grant::Grant;
use super::grant::Standing;
use super::id::ConsentId;
use super::id::GrantId;
use super::openapi::MatchError;
use super::openapi::Method;
use super::openapi::Operation;
use super::openapi::decode_path;
use super::openapi::encode_path;
use super::publication::Place;
use super::publication::Publication;

/// Path and query. Servers cut request lines at 8 kB.
const MAX_TARGET_BYTES: usize = 4 * 1024;

/// An access token that was verified for the API that is called, read for the hub's own scopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallToken {
    /// The consumer.
    pub client: Did,
    /// The grant that it is bound to.
    pub grant: GrantId,
    /// The consent that it is bound to, if to one.
    pub consent: Option<ConsentId>,
    /// The API's scopes.
    pub scopes: BTreeSet<String>,
}

/// A call's place in the description of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route<'a> {
    /// The operation.
    pub operation: &'a Operation,
    /// Path and query, written in one way: what is forwarded is what was checked.
    pub target: String,
    /// Whom it is about, if the API says where that stands.
    pub subject: Option<String>,
    /// The fields that it asks for, if the API says where they stand.
    pub fields: Option<FieldSet>,
}

/// A call that may be forwarded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Authorized {
    /// What of the answer the consumer may see.
    pub fields: FieldSet,
}

/// Why a call is not forwarded, or its answer not handed out. All but the last five are the consumer's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// No such API.
    #[error("expected an API of the catalogue")]
    ApiUnknown,
    /// The body is too large or did not arrive whole.
    #[error("expected a body of at most {limit} bytes that arrives whole")]
    Body {
        /// The limit.
        limit: usize,
    },
    /// The consent is over.
    #[error("expected a consent that has not expired")]
    ConsentExpired,
    /// The consent does not have all the fields.
    #[error("expected fields that the consent covers; it does not cover {beyond}")]
    ConsentFields {
        /// Which, or all for an answer of which no field is left.
        beyond: String,
    },
    /// The call needs a consent and names none.
    #[error("expected a consent: name it in the token's scope or in the header Consent-Id")]
    ConsentMissing,
    /// The consent was given to somebody else, for another source or API.
    #[error("expected a consent for this consumer, source and API")]
    ConsentParties,
    /// The consent is for another purpose than the grant.
    #[error("expected a consent for the purpose of the grant")]
    ConsentPurpose,
    /// The consent is about somebody else.
    #[error("expected a consent of the subject of this call")]
    ConsentSubject,
    /// There is no such consent, or the token is bound to another.
    #[error("expected a consent that the hub knows and the token allows")]
    ConsentUnknown,
    /// The person took it back.
    #[error("expected a consent that holds, found it withdrawn")]
    ConsentWithdrawn,
    /// Fields that were not approved.
    #[error("expected fields that the grant covers; it does not cover {beyond}")]
    Fields {
        /// Which.
        beyond: String,
    },
    /// The call does not say which fields it needs.
    #[error("expected the fields that are needed in the query parameter {parameter}")]
    FieldsMissing {
        /// Where to name them.
        parameter: String,
    },
    /// The grant is for another consumer or API.
    #[error("expected a grant for this consumer and API")]
    GrantOther,
    /// The grant is not approved, or not any more.
    #[error("expected an approved grant")]
    GrantState {
        /// How it stands.
        standing: Standing,
    },
    /// There is no such grant.
    #[error("expected a grant that the hub knows")]
    GrantUnknown,
    /// The path has no such method.
    #[error("expected another method")]
    Method {
        /// The methods that the path has.
        allowed: Vec<Method>,
    },
    /// No such path.
    #[error("expected a path of the API's description")]
    Path,
    /// A query parameter that the description does not have, or one of the hub's twice.
    #[error("expected query parameters of the API's description, `subject` and `fields` once each")]
    Query,
    /// The token lacks a scope of the API.
    #[error("expected an access token with the scopes of the API")]
    Scope,
    /// The token is not valid: wrong, expired, or for another audience.
    #[error("expected a valid access token for this API")]
    Token,
    /// There is no token.
    #[error("expected an access token in the Authorization header")]
    TokenMissing,
    /// The source answered with something that no field can be cut out of.
    #[error("the source's answer is not the JSON that its fields can be read from")]
    SourceAnswer,
    /// The source answered with an error of its own.
    #[error("the source answered with status {status}")]
    SourceStatus {
        /// The source's status.
        status: u16,
    },
    /// The source's answer is too large.
    #[error("the source's answer is larger than {limit} bytes")]
    SourceTooLarge {
        /// The limit.
        limit: usize,
    },
    /// The source took too long.
    #[error("the source did not answer in time")]
    SourceTimeout,
    /// The source cannot be reached.
    #[error("the source cannot be reached")]
    SourceUnreachable,
}

impl Refusal {
    /// The word for it, in problems and in evidence.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ApiUnknown => "api-unknown",
            Self::Body { .. } => "body-too-large",
            Self::ConsentExpired => "consent-expired",
            Self::ConsentFields { .. } => "consent-fields",
            Self::ConsentMissing => "consent-missing",
            Self::ConsentParties => "consent-parties",
            Self::ConsentPurpose => "consent-purpose",
            Self::ConsentSubject => "consent-subject",
            Self::ConsentUnknown => "consent-unknown",
            Self::ConsentWithdrawn => "consent-withdrawn",
            Self::Fields { .. } => "fields-not-granted",
            Self::FieldsMissing { .. } => "fields-missing",
            Self::GrantOther => "grant-other",
            Self::GrantState { standing } => match standing {
                Standing::Applied | Standing::Approved => "grant-not-approved",
                Standing::Expired => "grant-expired",
                Standing::Refused => "grant-refused",
                Standing::Revoked => "grant-revoked",
            },
            Self::GrantUnknown => "grant-unknown",
            Self::Method { .. } => "method-not-allowed",
            Self::Path => "path-unknown",
            Self::Query => "query-parameter",
            Self::Scope => "scope-missing",
            Self::Token => "token-invalid",
            Self::TokenMissing => "token-missing",
            Self::SourceAnswer => "source-answer",
            Self::SourceStatus { .. } => "source-status",
            Self::SourceTooLarge { .. } => "source-answer-too-large",
            Self::SourceTimeout => "source-timeout",
            Self::SourceUnreachable => "source-unreachable",
        }
    }
}

/// Finds a call's place in the description. `path` is what follows the API's version in the request's path,
/// `query` what follows the `?`, both as they came.
///
/// # Errors
/// [`Refusal`], the consumer's fault.
pub fn route<'a>(
    publication: &'a Publication,
    method: &str,
    path: &str,
    query: Option<&str>,
) -> Result<Route<'a>, Refusal> {
    let query = query.unwrap_or_default();
    if path.len() + query.len() > MAX_TARGET_BYTES {
        return Err(Refusal::Path);
    }
    let segments = decode_path(path).ok_or(Refusal::Path)?;
    let matched = publication
        .openapi
        .find(Method::parse(method), &segments)
        .map_err(|error| match error {
            MatchError::Method { allowed } => Refusal::Method { allowed },
            MatchError::Path => Refusal::Path,
        })?;
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if pairs.iter().any(|(name, _)| !matched.operation.query.contains(name)) {
        return Err(Refusal::Query);
    }
    let fields = match &publication.fields_parameter {
        Some(parameter) if matched.operation.query.contains(parameter) => {
            let missing = || Refusal::FieldsMissing {
                parameter: parameter.clone(),
            };
            let list = once(&pairs, parameter)?.ok_or_else(missing)?;
            Some(FieldSet::parse_list(list).map_err(|_| missing())?)
        }
        Some(_) | None => None,
    };
    let subject = match &publication.subject {
        None => None,
        Some(subject) => Some(match subject.place {
            Place::Path => matched.parameters.get(&subject.name).cloned().ok_or(Refusal::Path)?,
            Place::Query => once(&pairs, &subject.name)?.ok_or(Refusal::Query)?.to_owned(),
        }),
    };
    let mut target = encode_path(&segments);
    if !pairs.is_empty() {
        target.push('?');
        target.push_str(
            &form_urlencoded::Serializer::new(String::new())
                .extend_pairs(&pairs)
                .finish(),
        );
    }
    Ok(Route {
        operation: matched.operation,
        target,
        subject,
        fields,
    })
}

/// Holds token, grant and consent against the call. `named` is the consent that the call names in its header,
/// `consent` the record of it or of the token's.
///
/// # Errors
/// [`Refusal`], the consumer's fault.
pub fn authorize(
    route: &Route<'_>,
    publication: &Publication,
    token: &CallToken,
    grant: Option<&Grant>,
    consent: Option<&Consent>,
    now: Timestamp,
) -> Result<Authorized, Refusal> {
    if !publication.scopes.is_subset(&token.scopes) {
        return Err(Refusal::Scope);
    }
    let grant = grant.ok_or(Refusal::GrantUnknown)?;
    let application = &grant.application;
    let is_of_this = grant.consumer == token.client
        && grant.source == publication.source
        && application.api == publication.api
        && application.version == publication.version;
    if !is_of_this {
        return Err(Refusal::GrantOther);
    }
    let approval = grant
        .approval(now)
        .map_err(|standing| Refusal::GrantState { standing })?;
    let mut fields = approval.fields.clone();
    if let Some(wanted) = &route.fields {
        let beyond = wanted.beyond(&approval.fields);
        if !beyond.is_empty() {
            return Err(Refusal::Fields { beyond: names(&beyond) });
        }
        fields = wanted.clone();
    }
    match consent {
        None if grant.needs_consent => Err(Refusal::ConsentMissing),
        None => Ok(Authorized { fields }),
        Some(consent) => {
            check_consent(consent, route, grant, now)?;
            covered(fields, route.fields.is_some(), consent).map(|fields| Authorized { fields })
        }
    }
}

/// Which consent a call is made under: the token's, or the header's where the token leaves it open.
///
/// # Errors
/// [`Refusal::ConsentUnknown`] where the two differ.
pub fn consent_of(token: &CallToken, header: Option<&str>) -> Result<Option<ConsentId>, Refusal> {
    let named = header
        .map(ConsentId::parse)
        .transpose()
        .map_err(|_| Refusal::ConsentUnknown)?;
    match (&token.consent, named) {
        (Some(bound), Some(named)) if *bound != named => Err(Refusal::ConsentUnknown),
        (Some(bound), _) => Ok(Some(bound.clone())),
        (None, named) => Ok(named),
    }
}

fn check_consent(consent: &Consent, route: &Route<'_>, grant: &Grant, now: Timestamp) -> Result<(), Refusal> {
    let terms = &consent.terms;
    if terms.consumer != grant.consumer || terms.source != grant.source || terms.api != grant.application.api {
        return Err(Refusal::ConsentParties);
    }
    match consent.state {
        ConsentState::Given => {}
        ConsentState::Withdrawn { .. } => return Err(Refusal::ConsentWithdrawn),
    }
    if consent.valid_until <= now {
        return Err(Refusal::ConsentExpired);
    }
    if terms.purpose != grant.application.purpose {
        return Err(Refusal::ConsentPurpose);
    }
    let subject = route.subject.as_deref().ok_or(Refusal::ConsentSubject)?;
    if !terms.subject.is_subject(subject) {
        return Err(Refusal::ConsentSubject);
    }
    Ok(())
}

/// The fields that the consent covers. A call that named its fields must have named covered ones; one that
/// could not name them gets what both cover.
fn covered(fields: FieldSet, were_named: bool, consent: &Consent) -> Result<FieldSet, Refusal> {
    let beyond = fields.beyond(&consent.terms.fields);
    if beyond.is_empty() {
        return Ok(fields);
    }
    let refused = Refusal::ConsentFields { beyond: names(&beyond) };
    if were_named {
        return Err(refused);
    }
    let covered = fields.iter().filter(|field| !beyond.contains(field)).cloned();
    // A consent to a part of a granted field: the part is what both cover.
    let parts = consent
        .terms
        .fields
        .iter()
        .filter(|part| FieldSet::new([(*part).clone()]).is_ok_and(|part| part.is_within(&fields)));
    FieldSet::new(covered.chain(parts.cloned())).map_err(|_| refused)
}

fn once<'a>(pairs: &'a [(String, String)], name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = pairs
        .iter()
        .filter(|(found, _)| found == name)
        .map(|(_, value)| value.as_str());
    let value = values.next();
    // Hub and source could each take another one of two.
    if values.next().is_some() {
        Err(Refusal::Query)
    } else {
        Ok(value)
    }
}

fn names(fields: &[Field]) -> String {
    let names: Vec<&str> = fields.iter().map(Field::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::consent::tests::consent;
    use super::super::grant::tests::approved;
    use super::super::publication::tests::NOW;
    use super::super::publication::tests::publication;
    use super::*;

    const QUERY: &str = "fields=given_name";

    fn token(grant: &Grant) -> CallToken {
        CallToken {
            client: Did::parse("did:web:consumer.example").unwrap(),
            grant: grant.id.clone(),
            consent: None,
            scopes: ["population.read".to_owned()].into(),
        }
    }

    struct Case {
        publication: Publication,
        query: &'static str,
        path: &'static str,
        token: CallToken,
        grant: Option<Grant>,
        consent: Option<Consent>,
        now: Timestamp,
    }

    fn refused(change: impl FnOnce(&mut Case)) -> Refusal {
        decide(change).unwrap_err()
    }

    fn decide(change: impl FnOnce(&mut Case)) -> Result<Authorized, Refusal> {
        let grant = approved();
        let mut case = Case {
            publication: publication(),
            query: QUERY,
            path: "/persons/X1",
            token: token(&grant),
            grant: Some(grant),
            consent: Some(consent()),
            now: NOW,
        };
        change(&mut case);
        let route = route(&case.publication, "GET", case.path, Some(case.query))?;
        authorize(
            &route,
            &case.publication,
            &case.token,
            case.grant.as_ref(),
            case.consent.as_ref(),
            case.now,
        )
    }

    #[test]
    fn a_genuine_call_is_authorized_for_the_fields_it_names() {
        let authorized = decide(|_| {}).unwrap();
        assert_eq!(authorized.fields.to_string(), "given_name");
    }

    #[test]
    fn what_is_forwarded_is_what_was_checked() {
        let publication = publication();
        let route = route(
            &publication,
            "GET",
            "/persons/%58%31",
            Some("lang=de%20x&fields=given_name"),
        )
        .unwrap();
        assert_eq!(route.target, "/persons/X1?lang=de+x&fields=given_name");
        assert_eq!(route.subject.as_deref(), Some("X1"));
    }

    #[test]
    fn calls_outside_the_description_are_refused() {
        assert_eq!(refused(|it| it.path = "/persons"), Refusal::Path);
        assert_eq!(refused(|it| it.path = "/persons/../X1"), Refusal::Path);
        assert_eq!(refused(|it| it.query = "fields=given_name&admin=1"), Refusal::Query);
        assert_eq!(
            refused(|it| it.query = "fields=given_name&fields=birthdate"),
            Refusal::Query
        );
        assert!(matches!(
            refused(|it| it.query = "lang=de"),
            Refusal::FieldsMissing { .. }
        ));
        assert!(matches!(
            refused(|it| it.query = "fields="),
            Refusal::FieldsMissing { .. }
        ));
        let publication = publication();
        let wrong = route(&publication, "POST", "/persons/X1", Some(QUERY));
        assert_eq!(
            wrong,
            Err(Refusal::Method {
                allowed: vec![Method::Get]
            })
        );
        let long = "x".repeat(MAX_TARGET_BYTES);
        assert_eq!(
            route(&publication, "GET", &format!("/persons/{long}"), Some(QUERY)),
            Err(Refusal::Path)
        );
    }

    #[test]
    fn token_and_grant_must_fit_the_call() {
        assert_eq!(refused(|it| it.token.scopes.clear()), Refusal::Scope);
        assert_eq!(refused(|it| it.grant = None), Refusal::GrantUnknown);
        assert_eq!(
            refused(|it| it.token.client = Did::parse("did:web:other.example").unwrap()),
            Refusal::GrantOther
        );
        let other_version =
            |it: &mut Case| it.publication.version = crate::protocol::id::ApiVersion::parse("v2").unwrap();
        assert_eq!(refused(other_version), Refusal::GrantOther);
        let expired = refused(|it| it.now = NOW.plus(86_400));
        assert_eq!(
            expired,
            Refusal::GrantState {
                standing: Standing::Expired
            }
        );
        assert_eq!(
            refused(|it| it.query = "fields=given_name,birthdate"),
            Refusal::Fields {
                beyond: "birthdate".to_owned()
            }
        );
    }

    #[test]
    fn the_consent_must_cover_the_call() {
        assert_eq!(refused(|it| it.consent = None), Refusal::ConsentMissing);
        assert_eq!(refused(|it| it.path = "/persons/X2"), Refusal::ConsentSubject);
        // The consent covers given name and birthdate, the grant given name and family name.
        assert_eq!(
            refused(|it| it.query = "fields=family_name"),
            Refusal::ConsentFields {
                beyond: "family_name".to_owned()
            }
        );
        assert_eq!(refused(|it| it.now = NOW.plus(60)), Refusal::ConsentExpired);
        let changed = |change: fn(&mut Consent)| refused(|it| change(it.consent.as_mut().unwrap()));
        assert_eq!(
            changed(|it| it.terms.purpose = "To sell".to_owned()),
            Refusal::ConsentPurpose
        );
        assert_eq!(
            changed(|it| it.terms.consumer = Did::parse("did:web:other.example").unwrap()),
            Refusal::ConsentParties
        );
        assert_eq!(
            changed(|it| it.terms.source = Did::parse("did:web:other.example").unwrap()),
            Refusal::ConsentParties
        );
        assert_eq!(
            changed(|it| it.terms.api = crate::protocol::id::ApiId::parse("other").unwrap()),
            Refusal::ConsentParties
        );
        let withdrawn = |it: &mut Consent| {
            it.state = ConsentState::Withdrawn {
                withdrawn_at: NOW,
                statement: serde_json::from_value(json!("d")).unwrap(),
            };
        };
        assert_eq!(changed(withdrawn), Refusal::ConsentWithdrawn);
    }

    #[test]
    fn without_a_fields_parameter_the_answer_has_what_both_cover() {
        let authorized = decide(|it| {
            it.publication.fields_parameter = None;
            it.query = "";
        });
        assert_eq!(authorized.unwrap().fields.to_string(), "given_name");
        let nothing = refused(|it| {
            it.publication.fields_parameter = None;
            it.query = "";
            it.consent.as_mut().unwrap().terms.fields = FieldSet::parse_list("birthdate").unwrap();
        });
        assert!(matches!(nothing, Refusal::ConsentFields { .. }));
    }

    #[test]
    fn a_grant_that_needs_no_consent_goes_without() {
        let authorized = decide(|it| {
            it.consent = None;
            it.grant.as_mut().unwrap().needs_consent = false;
        });
        assert!(authorized.is_ok());
    }

    #[test]
    fn the_consent_of_the_token_is_not_exchanged_in_the_header() {
        let (one, other) = (consent().id, consent().id);
        let bound = CallToken {
            consent: Some(one.clone()),
            ..token(&approved())
        };
        let open = token(&approved());
        assert_eq!(consent_of(&bound, None), Ok(Some(one.clone())));
        assert_eq!(consent_of(&bound, Some(one.as_str())), Ok(Some(one.clone())));
        assert_eq!(consent_of(&bound, Some(other.as_str())), Err(Refusal::ConsentUnknown));
        assert_eq!(consent_of(&open, Some(one.as_str())), Ok(Some(one)));
        assert_eq!(consent_of(&open, None), Ok(None));
        assert_eq!(consent_of(&open, Some("nonsense")), Err(Refusal::ConsentUnknown));
    }
}
