//! Calling an API through the hub.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::ensure;
use keys::json;
use serde_json::Value;
use serde_json::json;
use server::fetch::Fetched;
use server::fetch::Outgoing;

use super::MAX_ANSWER_BYTES;
use super::agency::AsAgency;
use super::agency::Token;
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
    let fetched = send(agency, &call, &token).await?;
    let evidence = fetched.headers.get("hub-evidence").cloned();
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
