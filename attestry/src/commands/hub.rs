//! `hub`: exchange data between agencies. Agencies and people sign statements; the hub takes nothing else.

mod agency;
mod call;
mod evidence;
mod person;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::ensure;
use hub::protocol::grant::Application;
use hub::protocol::grant::Decision;
use hub::protocol::grant::Grant;
use hub::protocol::grant::LegalBasis;
use hub::protocol::grant::Revocation;
use hub::protocol::grant::Verdict;
use hub::protocol::id::GrantId;
use hub::protocol::openapi::MAX_OPENAPI_BYTES;
use hub::protocol::publication::ConsentRule;
use hub::protocol::publication::Place;
use hub::protocol::publication::PublicationTerms;
use hub::protocol::publication::SubjectParameter;
use keys::json;
use openid4vc::SecureUrl;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use server::fetch::Outgoing;
use url::Url;

use self::agency::AsAgency;
use crate::cli;
use crate::cli::Hub;
use crate::commands::issuer::table;
use crate::hub::StatementRequest;
use crate::output::Output;
use crate::platform;
use crate::platform::Client;

/// A page of the catalogue or of grants, and each record of the hub.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// How long access is applied for.
const ONE_YEAR: i64 = 365 * 86_400;

pub(crate) async fn run(command: Hub, output: Output) -> Result<ExitCode> {
    match command {
        Hub::Publish(options) => publish(options, output).await,
        Hub::Catalogue { platform } => catalogue(&platform.url, output).await,
        Hub::Apply(options) => apply(options, output).await,
        Hub::Applications { platform, all } => applications(&platform, all, output).await,
        Hub::Decide {
            platform,
            id,
            agency,
            approve: _,
            refuse,
        } => decide(&platform, &id, &agency, refuse, output).await,
        Hub::Revoke {
            platform,
            id,
            agency,
            reason,
        } => revoke(&AsAgency::new(&platform, &agency)?, &id, reason, output).await,
        Hub::Enrol {
            platform,
            home,
            agency,
            subject,
        } => person::enrol(&platform, &home, &agency, &subject, output).await,
        Hub::Consent(options) => person::consent(options, output).await,
        Hub::Withdraw { platform, home, id } => person::withdraw(&platform.url, &home, &id, output).await,
        Hub::Call(options) => call::call(options, output).await,
        Hub::Evidence { platform, id, out } => evidence::show(&platform, &id, out.as_deref(), output).await,
        Hub::Key { platform } => evidence::key(&platform.url, output).await,
        Hub::VerifyEvidence { file, key } => evidence::verify(&file, &key, output),
    }
}

async fn publish(options: cli::Publish, output: Output) -> Result<ExitCode> {
    let description = read_json(&options.openapi, MAX_OPENAPI_BYTES)?;
    let subject = options.subject.map(|name| SubjectParameter {
        place: if has_path_parameter(&description, &name) {
            Place::Path
        } else {
            Place::Query
        },
        name,
    });
    let request = StatementRequest::Publication(Box::new(PublicationTerms {
        api: options.api.id,
        version: options.api.version,
        upstream: SecureUrl::parse(options.upstream.as_str().trim_end_matches('/'))
            .context("expected --upstream as https, or http on loopback")?,
        scopes: scopes(&description),
        fields: options.fields,
        consent: if options.consent {
            ConsentRule::Required
        } else {
            ConsentRule::ByLegalBasis
        },
        subject,
        fields_parameter: has_fields_parameter(&description).then(|| "fields".to_owned()),
        decided_by: None,
        openapi: description,
    }));
    let agency = AsAgency::new(&options.platform, &options.agency)?;
    let answer = agency.state(&request, "/hub/catalogue").await?;
    output.result(format!("published; calls go to {}", text(&answer, "/url")), &answer);
    Ok(ExitCode::SUCCESS)
}

async fn catalogue(url: &Url, output: Output) -> Result<ExitCode> {
    let apis = pages(|after| get(url, format!("/hub/catalogue{after}"), None), "apis").await?;
    let row = |api: &Value| {
        let fields = api.get("fields").and_then(Value::as_array).map(|fields| join(fields));
        json!({
            "api": format!("{}/{}", text(api, "/api"), text(api, "/version")), "title": api.get("title"),
            "consent": api.get("consent"), "fields": fields,
        })
    };
    let rows: Vec<Value> = apis.iter().map(row).collect();
    output.result(
        table(&["api", "title", "consent", "fields"], &rows),
        &json!({"apis": apis}),
    );
    Ok(ExitCode::SUCCESS)
}

async fn apply(options: cli::Apply, output: Output) -> Result<ExitCode> {
    let reference = options.law;
    let request = StatementRequest::Application(Application {
        api: options.api.id,
        version: options.api.version,
        purpose: options.purpose,
        legal_basis: reference.map_or(LegalBasis::Consent, |reference| LegalBasis::PublicTask { reference }),
        fields: options.fields,
        valid_until: Clock::System.now().plus(ONE_YEAR),
    });
    let agency = AsAgency::new(&options.platform, &options.agency)?;
    let answer = agency.state(&request, "/hub/applications").await?;
    let id = text(&answer, "/id");
    let text = format!("applied; the source decides with `attestry hub decide {id} --agency ID --approve`");
    output.result(text, &answer);
    Ok(ExitCode::SUCCESS)
}

async fn applications(platform: &cli::Platform, all: bool, output: Output) -> Result<ExitCode> {
    let client = &Client::new(platform)?;
    let path = if all { "/hub/grants" } else { "/hub/applications" };
    let get = |after: String| async move { client.get(&format!("{path}{after}")).await };
    let grants = pages(get, "grants").await?;
    let row = |grant: &Value| {
        let fields = grant.pointer("/application/fields").and_then(Value::as_array);
        json!({
            "id": grant.get("id"), "standing": grant.get("standing"), "consumer": grant.get("consumer"),
            "api": format!("{}/{}", text(grant, "/application/api"), text(grant, "/application/version")),
            "fields": fields.map(|fields| join(fields)), "purpose": grant.pointer("/application/purpose"),
        })
    };
    let rows: Vec<Value> = grants.iter().map(row).collect();
    output.result(
        table(&["id", "standing", "api", "fields", "purpose", "consumer"], &rows),
        &json!({"applications": grants}),
    );
    Ok(ExitCode::SUCCESS)
}

/// Approves all that was applied for, unless there is a reason to refuse.
async fn decide(
    platform: &cli::Platform,
    id: &str,
    agency: &str,
    refuse: Option<String>,
    output: Output,
) -> Result<ExitCode> {
    let id = grant_id(id)?;
    let verdict = if let Some(reason) = refuse {
        Verdict::Refuse { reason }
    } else {
        let shown = Client::new(platform)?.get(&format!("/hub/grants/{id}")).await?;
        let grant: Grant = serde_json::from_value(shown).context("the hub's answer is no application")?;
        Verdict::Approve {
            fields: grant.application.fields,
            valid_until: grant.application.valid_until,
        }
    };
    let path = format!("/hub/applications/{id}/decision");
    let request = StatementRequest::Decision(Decision { grant: id, verdict });
    let answer = AsAgency::new(platform, agency)?.state(&request, &path).await?;
    output.result(text(&answer, "/standing"), &answer);
    Ok(ExitCode::SUCCESS)
}

async fn revoke(agency: &AsAgency<'_>, id: &str, reason: String, output: Output) -> Result<ExitCode> {
    let id = grant_id(id)?;
    let path = format!("/hub/grants/{id}/revocation");
    let request = StatementRequest::Revocation(Revocation { grant: id, reason });
    let answer = agency.state(&request, &path).await?;
    output.result("revoked; the next call is refused", &answer);
    Ok(ExitCode::SUCCESS)
}

fn grant_id(text: &str) -> Result<GrantId> {
    GrantId::parse(text).context("that is no application's id; `attestry hub applications --all` shows them")
}

/// Every entry of a list that comes in pages.
async fn pages<F: Future<Output = Result<Value>>>(page: impl Fn(String) -> F, member: &str) -> Result<Vec<Value>> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let answer = page(after).await?;
        let entries = answer.get(member).and_then(Value::as_array);
        found.extend(entries.context("the hub's answer is no list")?.iter().cloned());
        match answer.get("next").and_then(Value::as_str) {
            None => return Ok(found),
            Some(next) => {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("after", next)
                    .finish();
                after = format!("?{query}");
            }
        }
    }
}

/// What the hub shows to anybody, or to the bearer of a token.
async fn get(url: &Url, path: String, token: Option<&str>) -> Result<Value> {
    let mut request = Outgoing::get(&platform::at(url, &path), MAX_ANSWER_BYTES)?;
    if let Some(token) = token {
        request = request.bearer(token);
    }
    platform::answer(&platform::fetcher()?.send(request).await?)
}

/// Hands a signed statement to the hub.
async fn send_statement(url: &Url, path: &str, statement: String) -> Result<Value> {
    let url = platform::at(url, path);
    let request = Outgoing::post(&url, "application/jwt", statement, MAX_ANSWER_BYTES)?;
    platform::answer(&platform::fetcher()?.send(request).await?)
}

/// The hub's issuer identifier: whom statements are for.
async fn hub_of(url: &Url) -> Result<String> {
    let metadata = get(url, "/.well-known/oauth-authorization-server/hub".to_owned(), None).await?;
    let issuer = text(&metadata, "/issuer");
    ensure!(!issuer.is_empty(), "the hub does not say who it is");
    Ok(issuer.to_owned())
}

fn read_json(path: &Path, max_bytes: usize) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let limits = json::Limits {
        max_bytes,
        ..json::DEFAULT_LIMITS
    };
    json::parse(&bytes, limits).with_context(|| format!("cannot understand {}", path.display()))
}

/// The text at a JSON pointer, or nothing.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn join(values: &[Value]) -> String {
    values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

fn scopes(description: &Value) -> BTreeSet<String> {
    let requirements = description.get("security").and_then(Value::as_array);
    let schemes = requirements.into_iter().flatten().filter_map(Value::as_object);
    let scopes = schemes.flat_map(|scheme| scheme.values()).filter_map(Value::as_array);
    scopes.flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn has_path_parameter(description: &Value, name: &str) -> bool {
    let paths = description.get("paths").and_then(Value::as_object);
    let template = format!("{{{name}}}");
    paths.is_some_and(|paths| paths.keys().any(|path| path.contains(&template)))
}

fn has_fields_parameter(description: &Value) -> bool {
    let paths = description.get("paths").and_then(Value::as_object);
    let items = paths
        .into_iter()
        .flat_map(|paths| paths.values())
        .filter_map(Value::as_object);
    let operations = items
        .flat_map(|item| item.values())
        .filter_map(|operation| operation.get("parameters"));
    let mut parameters = operations.filter_map(Value::as_array).flatten();
    parameters.any(|parameter| text(parameter, "/name") == "fields" && text(parameter, "/in") == "query")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_says_scopes_subject_and_fields() {
        let text = include_str!("../../../schemas/sample/openapi/population-register.json");
        let description: Value = serde_json::from_str(text).unwrap();
        assert_eq!(scopes(&description), BTreeSet::from(["population.read".to_owned()]));
        assert!(has_path_parameter(&description, "id"));
        assert!(!has_path_parameter(&description, "fields"));
        assert!(has_fields_parameter(&description));
        assert!(!has_fields_parameter(&json!({"paths": {"/a": {"get": {}}}})));
    }

    #[tokio::test]
    async fn pages_are_read_to_the_end() {
        let page = |after: String| async move {
            Ok(match after.as_str() {
                "" => json!({"list": [1, 2], "next": "a b"}),
                "?after=a+b" => json!({"list": [3], "next": null}),
                other => panic!("{other}"),
            })
        };
        assert_eq!(pages(page, "list").await.unwrap(), [json!(1), json!(2), json!(3)]);
    }
}
