//! Calling an API through the hub.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::ensure;
use hub::protocol::grant::Grant;
use hub::protocol::id::EvidenceId;
use hub::protocol::record::Event;
use hub::protocol::record::Outcome;
use hub::protocol::record::Record;
use keys::base64url;
use keys::json;
use serde_json::Value;
use serde_json::json;
use server::fetch::Fetched;
use server::fetch::Outgoing;

use super::MAX_ANSWER_BYTES;
use super::agency::AsAgency;
use super::agency::Token;
use super::evidence::log_size;
use super::get;
use super::text;
use crate::cli;
use crate::output::Output;
use crate::platform;

pub(super) async fn call(call: cli::Call, output: Output) -> Result<ExitCode> {
    ensure!(
        call.path.starts_with('/'),
        "expected a path that begins with /, found {}",
        call.path
    );
    let agency = &AsAgency::new(&call.platform, &call.agency)?;
    let reader = agency.read_token().await?;
    let grant = agency.grant(&call.api, &reader).await?;
    let scope = match &call.consent {
        Some(consent) => format!("grant:{} consent:{consent}", grant.id),
        None => format!("grant:{}", grant.id),
    };
    let token = agency.token(&scope).await?;
    let before = log_size(agency.url()).await?;
    let fetched = send(agency, &call, &token).await?;
    let evidence = evidence_of(agency, &reader, before, &grant, &fetched).await?;
    let limits = json::Limits {
        max_bytes: MAX_ANSWER_BYTES,
        ..json::DEFAULT_LIMITS
    };
    let answer = json::parse(&fetched.body, limits).unwrap_or(Value::Null);
    let value = json!({"status": fetched.status, "evidence": evidence, "answer": answer});
    let recorded = evidence.map_or_else(
        || "There is no evidence of it.".to_owned(),
        |id| format!("Evidence: {id}"),
    );
    if fetched.is_success() {
        output.result(format!("{answer:#}\n{recorded}"), &value);
        return Ok(ExitCode::SUCCESS);
    }
    let (title, detail) = (text(&answer, "/title"), text(&answer, "/detail"));
    output.result(format!("{} {title} {detail}\n{recorded}", fetched.status), &value);
    Ok(ExitCode::FAILURE)
}

async fn send(agency: &AsAgency<'_>, call: &cli::Call, token: &Token) -> Result<Fetched> {
    let url = platform::at(agency.url(), &format!("/hub/api/{}{}", call.api, call.path));
    let body = match &call.body {
        None => Vec::new(),
        Some(path) => std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
    };
    let mut request = Outgoing::request(call.method.clone(), &url, body, MAX_ANSWER_BYTES)?.bearer(&token.text);
    if call.body.is_some() {
        request = request.header("content-type", "application/json");
    }
    Ok(platform::fetcher()?.send(request).await?)
}

/// The record of the call among those since `before`: the last one under its grant that ended as it did.
async fn evidence_of(
    agency: &AsAgency<'_>,
    reader: &Token,
    before: u64,
    grant: &Grant,
    fetched: &Fetched,
) -> Result<Option<EvidenceId>> {
    let digest = base64url::encode(keys::sha256(&fetched.body));
    let is_it = |record: &Record| {
        let Event::Call(call) = &record.event else {
            return false;
        };
        let as_answered = match call.outcome {
            Outcome::Answered { .. } => call.response_sha256.as_deref() == Some(digest.as_str()),
            Outcome::Refused { .. } => !fetched.is_success(),
            Outcome::Begun => false,
        };
        as_answered && call.grant.as_ref() == Some(&grant.id) && call.status == Some(fetched.status)
    };
    let (mut from, mut found) = (before, None);
    loop {
        let page = get(agency.url(), format!("/hub/evidence?from={from}"), Some(&reader.text)).await?;
        let records = page.get("records").cloned().unwrap_or_default();
        let records: Vec<Record> = serde_json::from_value(records).context("the hub's answer is no list of records")?;
        let last = records.into_iter().rfind(|record| is_it(record));
        found = last.map(|record| record.id).or(found);
        match page.get("next").and_then(Value::as_u64) {
            None => return Ok(found),
            Some(next) => from = next,
        }
    }
}
