//! The sample's source: the population register's own service, as `schemas/sample/openapi/population-register.json`
//! describes it, over the same CSV file that the agency issues from.
//!
//! It takes no call that does not come through the hub: each must carry the hub's signed context
//! (`spec/evidence.md`; [`hub::protocol::context`]), which says for whom the call is and which fields may leave
//! the register. The register checks this itself instead of trusting its network.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path as FilePath;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::http::uri::PathAndQuery;
use axum::response::IntoResponse;
use axum::routing::get;
use hub::protocol::context;
use hub::protocol::field::FieldSet;
use issuer::agency::AgencyFile;
use issuer::register::CsvRegister;
use issuer::register::Register as _;
use issuer::register::RegisterError;
use issuer::register::Row;
use keys::PublicKey;
use keys::Timestamp;
use keys::jws::UnverifiedJws;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use server::Clock;
use server::Problem;
use url::form_urlencoded;

/// Where the service is on the platform. Calls are forwarded to paths below.
pub(crate) const PATH: &str = "/sample/population-register/v1";

/// The API's description in the agency's folder; the service runs where it lies.
pub(crate) const DESCRIPTION: &str = "population-register.json";

/// The register in the agency's folder, and its column of subject ids.
const REGISTER: &str = "persons.csv";
const SUBJECT_COLUMN: &str = "subject_id";

/// Lists are written with this between their elements.
const LIST_SEPARATOR: char = ';';

/// A context names at most 128 fields of 128 bytes.
const MAX_CONTEXT_BYTES: usize = 48 * 1024;

/// How far the hub's clock may be ahead of ours.
const MAX_CLOCK_SKEW_SECONDS: i64 = 60;

/// The hub that calls may come from.
pub(crate) struct TrustedHub {
    /// Its issuer identifier.
    pub(crate) issuer: String,
    /// The key of its contexts, from its `jwks`.
    pub(crate) key: PublicKey,
}

/// The running service.
#[derive(Clone)]
struct Service(Arc<Inner>);

struct Inner {
    /// The agency's DID: the audience of contexts.
    did: String,
    hub: TrustedHub,
    register: CsvRegister,
    columns: BTreeMap<String, Form>,
    clock: Clock,
}

/// How a column stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    List,
    Number,
    Text,
}

/// What the hub's context says, as far as this service needs it.
#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: Timestamp,
    exp: Timestamp,
    method: String,
    target: String,
    fields: FieldSet,
}

/// The service of the agency in `folder`; no routes if the folder has no description of it.
pub(crate) async fn router(folder: &FilePath, hub: TrustedHub, clock: Clock) -> Result<Router> {
    let path = folder.join(DESCRIPTION);
    if !path.exists() {
        return Ok(Router::new());
    }
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let description = keys::json::parse(&bytes, keys::json::DEFAULT_LIMITS)
        .with_context(|| format!("cannot understand {}", path.display()))?;
    let columns = columns(&description).with_context(|| format!("expected the schema Person in {}", path.display()))?;
    let names: BTreeSet<&str> = columns.keys().map(String::as_str).collect();
    let register = CsvRegister::open(folder.join(REGISTER), SUBJECT_COLUMN, &names).await?;
    let service = Service(Arc::new(Inner {
        did: AgencyFile::read(folder)?.did,
        hub,
        register,
        columns,
        clock,
    }));
    Ok(Router::new()
        .route(&format!("{PATH}/persons/{{id}}"), get(person))
        .with_state(service))
}

/// The fields that the description lists, with their forms.
pub(crate) fn fields(description: &Value) -> Option<FieldSet> {
    let names: Vec<String> = columns(description)?.into_keys().collect();
    FieldSet::parse_list(&names.join(",")).ok()
}

fn columns(description: &Value) -> Option<BTreeMap<String, Form>> {
    let properties = description
        .pointer("/components/schemas/Person/properties")?
        .as_object()?;
    let form = |schema: &Value| match schema.get("type").and_then(Value::as_str) {
        Some("array") => Form::List,
        Some("integer") => Form::Number,
        _ => Form::Text,
    };
    let columns = properties.iter().map(|(name, schema)| (name.clone(), form(schema)));
    Some(columns.collect())
}

/// `GET /persons/{id}`
async fn person(
    State(Service(service)): State<Service>,
    uri: Uri,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let target = uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let target = target.strip_prefix(PATH).unwrap_or(target);
    let allowed = service.allowed_fields(&headers, target)?;
    let asked = service.asked_fields(uri.query().unwrap_or_default()).ok_or_else(|| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "fields",
            "The parameter `fields` must name fields of this register, separated by commas.",
        )
    })?;
    if !asked.is_within(&allowed) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "fields-not-granted",
            "The hub's context does not cover one of the fields.",
        ));
    }
    let row = service
        .register
        .subject(&id)
        .await
        .map_err(|error| unanswered(&error))?;
    let row = row.ok_or_else(|| Problem::not_found("a person of this id"))?;
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(service.answer(&row, &asked))))
}

impl Inner {
    /// The fields that the hub's context lets out for this very call.
    fn allowed_fields(&self, headers: &HeaderMap, target: &str) -> Result<FieldSet, Problem> {
        let refused = |detail: &'static str| {
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "hub-context",
                "This register answers calls that come through the hub.",
            )
            .detail(detail)
        };
        let header = headers.get(context::HEADER).and_then(|value| value.to_str().ok());
        let header = header.ok_or_else(|| refused("expected the hub's signed context, found none"))?;
        let claims = self
            .verified(header)
            .ok_or_else(|| refused("expected a context signed by the hub of this register"))?;
        let now = self.clock.now();
        let is_fresh = claims.iat <= now.plus(MAX_CLOCK_SKEW_SECONDS) && now < claims.exp;
        if claims.iss != self.hub.issuer || claims.aud != self.did || !is_fresh {
            return Err(refused("expected a fresh context of this hub for this register"));
        }
        // Bodies of GET say nothing, so `body_sha256` need not be held against one.
        if claims.method != "GET" || claims.target != target {
            return Err(refused("expected a context for this call"));
        }
        Ok(claims.fields)
    }

    fn asked_fields(&self, query: &str) -> Option<FieldSet> {
        let (_, list) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "fields")?;
        let asked = FieldSet::parse_list(&list).ok()?;
        let is_known = asked.iter().all(|field| self.columns.contains_key(field.as_str()));
        is_known.then_some(asked)
    }

    fn verified(&self, header: &str) -> Option<Claims> {
        let jws = UnverifiedJws::parse(header, MAX_CONTEXT_BYTES).ok()?;
        let verified = jws.verify(&self.hub.key).ok()?;
        verified.header().expect_typ(context::TYP).ok()?;
        serde_json::from_value(Value::Object(verified.claims().ok()?)).ok()
    }

    /// The fields that the row has. What the register does not know is absent.
    fn answer(&self, row: &Row, asked: &FieldSet) -> Value {
        let known = asked.iter().filter_map(|field| {
            let text = row.field(field.as_str()).filter(|text| !text.is_empty())?;
            let value = match self.columns.get(field.as_str())? {
                Form::List => text.split(LIST_SEPARATOR).collect(),
                Form::Number => text.parse::<i64>().map(Value::from).ok()?,
                Form::Text => Value::from(text),
            };
            Some((field.as_str().to_owned(), value))
        });
        Value::Object(known.collect::<Map<String, Value>>())
    }
}

fn unanswered(error: &RegisterError) -> Problem {
    tracing::warn!(cause = %server::problem::chain(error), "the register gave no answer");
    match error {
        RegisterError::Conflict { .. } => Problem::new(
            StatusCode::CONFLICT,
            "register-row",
            "The register's rows of this person contradict each other.",
        ),
        _ => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "register",
            "The register gives no answer at present.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use keys::jws;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::*;

    const HUB: &str = "https://attestry.example/hub";
    const DID: &str = "did:web:population.example";
    const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);
    const TARGET: &str = "/persons/X1?fields=given_name,sex";

    struct World {
        service: Service,
        key: SoftwareKey,
        _folder: tempfile::TempDir,
    }

    async fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(REGISTER);
        std::fs::write(
            &path,
            "subject_id,given_name,sex,nationalities\nX1,Maya,2,XA;XB\nX2,,9,\n",
        )
        .unwrap();
        let description = json!({"components": {"schemas": {"Person": {"properties": {
            "given_name": {"type": "string"}, "sex": {"type": "integer"}, "nationalities": {"type": "array"}
        }}}}});
        let columns = columns(&description).unwrap();
        let names: BTreeSet<&str> = columns.keys().map(String::as_str).collect();
        let register = CsvRegister::open(path, SUBJECT_COLUMN, &names).await.unwrap();
        let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let service = Service(Arc::new(Inner {
            did: DID.to_owned(),
            hub: TrustedHub {
                issuer: HUB.to_owned(),
                key: key.public_key().clone(),
            },
            register,
            columns,
            clock: Clock::manual(NOW),
        }));
        World {
            service,
            key,
            _folder: folder,
        }
    }

    impl World {
        fn context(&self, typ: &str, change: impl FnOnce(&mut Value)) -> String {
            let mut claims = json!({
                "iss": HUB, "aud": DID, "iat": NOW, "exp": NOW.plus(60), "method": "GET", "target": TARGET,
                "fields": ["given_name", "sex"]
            });
            change(&mut claims);
            let header = Map::from_iter([("typ".to_owned(), Value::from(typ))]);
            let request = jws::sign(header, claims.to_string().as_bytes(), Algorithm::EdDsa);
            self.key.fulfil(request).unwrap()
        }

        async fn call(&self, target: &str, context: Option<String>) -> (StatusCode, Value) {
            let mut headers = HeaderMap::new();
            if let Some(context) = context {
                headers.insert(context::HEADER, context.parse().unwrap());
            }
            let id = target["/persons/".len()..].split('?').next().unwrap().to_owned();
            let uri: Uri = format!("{PATH}{target}").parse().unwrap();
            let answer = person(State(self.service.clone()), uri, Path(id), headers).await;
            let response = answer.into_response();
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), 1 << 16).await.unwrap();
            (status, serde_json::from_slice(&body).unwrap())
        }

        async fn status(&self, change: impl FnOnce(&mut Value)) -> StatusCode {
            self.call(TARGET, Some(self.context(context::TYP, change))).await.0
        }
    }

    #[tokio::test]
    async fn a_call_through_the_hub_gets_the_fields_in_their_forms() {
        let world = world().await;
        let context = world.context(context::TYP, |_| {});
        let answer = world.call(TARGET, Some(context)).await;
        assert_eq!(answer, (StatusCode::OK, json!({"given_name": "Maya", "sex": 2})));
        let target = "/persons/X2?fields=given_name%2Cnationalities";
        let context = world.context(context::TYP, |it| {
            it["target"] = json!(target);
            it["fields"] = json!(["given_name", "nationalities"]);
        });
        assert_eq!(world.call(target, Some(context)).await, (StatusCode::OK, json!({})));
        let target = "/persons/X1?fields=nationalities";
        let context = world.context(context::TYP, |it| {
            it["target"] = json!(target);
            it["fields"] = json!(["nationalities"]);
        });
        let answer = world.call(target, Some(context)).await;
        assert_eq!(answer, (StatusCode::OK, json!({"nationalities": ["XA", "XB"]})));
    }

    #[tokio::test]
    async fn every_other_call_is_refused() {
        let world = world().await;
        assert_eq!(world.status(|_| {}).await, StatusCode::OK);
        let refused = StatusCode::UNAUTHORIZED;
        assert_eq!(world.call(TARGET, None).await.0, refused);
        assert_eq!(world.call(TARGET, Some("x".to_owned())).await.0, refused);
        let other_typ = world.context("hub-consent+jwt", |_| {});
        assert_eq!(world.call(TARGET, Some(other_typ)).await.0, refused);
        let stranger = World {
            service: world.service.clone(),
            key: SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng()),
            _folder: tempfile::tempdir().unwrap(),
        };
        assert_eq!(stranger.status(|_| {}).await, refused);
        let changes: [fn(&mut Value); 6] = [
            |it| it["iss"] = json!("https://other.example/hub"),
            |it| it["aud"] = json!("did:web:other.example"),
            |it| it["exp"] = json!(NOW),
            |it| it["iat"] = json!(NOW.plus(61)),
            |it| it["method"] = json!("POST"),
            |it| it["target"] = json!("/persons/X2?fields=given_name,sex"),
        ];
        for change in changes {
            assert_eq!(world.status(change).await, refused);
        }
        let narrower = world.status(|it| it["fields"] = json!(["sex"])).await;
        assert_eq!(narrower, StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn who_and_what_is_not_there_is_told_apart() {
        let world = world().await;
        for (target, expected) in [
            ("/persons/X9?fields=sex", StatusCode::NOT_FOUND),
            ("/persons/X1?fields=secret", StatusCode::BAD_REQUEST),
            ("/persons/X1", StatusCode::BAD_REQUEST),
        ] {
            let context = world.context(context::TYP, |it| it["target"] = json!(target));
            assert_eq!(world.call(target, Some(context)).await.0, expected, "{target}");
        }
    }

    #[test]
    fn the_samples_description_lists_what_its_register_has() {
        let text = include_str!("../../schemas/sample/openapi/population-register.json");
        let description: Value = serde_json::from_str(text).unwrap();
        let header = include_str!("../../schemas/sample/persons.csv").lines().next().unwrap();
        let columns: BTreeSet<&str> = header.split(',').collect();
        let listed = fields(&description).unwrap();
        assert!(listed.iter().all(|field| columns.contains(field.as_str())));
        assert!(listed.iter().any(|field| field.as_str() == "given_name"));
    }
}
