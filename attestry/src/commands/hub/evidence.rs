//! Evidence: fetching it with its proof, and checking it without the hub.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use holder_agent::write_private;
use hub::Evidence;
use hub::protocol::id::EvidenceId;
use hub::protocol::record::Event;
use hub::protocol::record::Outcome;
use hub::protocol::record::Record;
use serde_json::json;
use server::fetch::Outgoing;
use trust::note::VerifierKey;
use url::Url;

use super::MAX_ANSWER_BYTES;
use super::read_json;
use crate::cli;
use crate::output::Output;
use crate::platform;
use crate::platform::Client;

/// A record, a checkpoint with many signatures, and 64 hashes.
const MAX_EVIDENCE_BYTES: usize = 512 * 1024;

pub(super) async fn show(platform: &cli::Platform, id: &str, out: Option<&Path>, output: Output) -> Result<ExitCode> {
    let id = EvidenceId::parse(id).context("that is no id of evidence")?;
    let answer = Client::new(platform)?.get(&format!("/hub/evidence/{id}")).await?;
    let evidence: Evidence = serde_json::from_value(answer.clone()).context("the hub's answer is no evidence")?;
    let record = Record::parse(evidence.record.as_bytes())?;
    let described = describe(&record);
    let written = if let Some(path) = out {
        write_private(path, &answer.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
        format!("{described}\nWritten to {} with its proof.", path.display())
    } else {
        described
    };
    output.result(written, &answer);
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn key(url: &Url, output: Output) -> Result<ExitCode> {
    let key = public_text(url, "/hub/evidence/key").await?;
    let key = VerifierKey::parse(key.trim())?.to_string();
    output.result(&key, &json!({"key": key}));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn verify(file: &Path, key: &str, output: Output) -> Result<ExitCode> {
    let key = VerifierKey::parse(key.trim()).context("expected a key as `attestry hub key` prints it")?;
    let evidence: Evidence = serde_json::from_value(read_json(file, MAX_EVIDENCE_BYTES)?)
        .with_context(|| format!("expected evidence in {}", file.display()))?;
    match evidence.verify(&key) {
        Ok(verified) => {
            let record = verified.record();
            let text = format!("valid: the log of {} has this record\n{}", key.name(), describe(record));
            output.result(text, &json!({"verdict": "valid", "reasons": [], "record": record}));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let reason = server::problem::chain(&error);
            let value = json!({"verdict": "refused", "reasons": [reason]});
            output.result(format!("refused: {reason}"), &value);
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn public_text(url: &Url, path: &str) -> Result<String> {
    let request = Outgoing::get(&platform::at(url, path), MAX_ANSWER_BYTES)?;
    let fetched = platform::fetcher()?.send(request).await?;
    if !fetched.is_success() {
        platform::answer(&fetched)?;
        anyhow::bail!("the hub gave no answer to {path}");
    }
    Ok(String::from_utf8(fetched.body)?)
}

fn describe(record: &Record) -> String {
    let what = match &record.event {
        Event::Call(call) => {
            let outcome = match &call.outcome {
                Outcome::Answered { .. } => "answered".to_owned(),
                Outcome::Begun => "begun".to_owned(),
                Outcome::Refused { reason, .. } => format!("refused ({reason})"),
            };
            let name = |did: &Option<did::Did>| did.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let fields = call
                .fields
                .as_ref()
                .map_or_else(|| "none".to_owned(), ToString::to_string);
            format!(
                "a call, {outcome}\n  consumer {}\n  source {}\n  fields {fields}",
                name(&call.consumer),
                name(&call.source)
            )
        }
        Event::Statement(statement) => format!("a {} about {}", statement.kind, statement.api),
    };
    format!("record {} of {}: {what}", record.sequence, record.time)
}
