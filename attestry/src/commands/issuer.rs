//! `offer`, `credentials`, `suspend`, `reinstate` and `revoke`: what an agency's officer does.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use clap::ValueEnum as _;
use serde_json::Value;
use serde_json::json;

use crate::cli;
use crate::output::Output;
use crate::platform::Client;

pub(crate) async fn offer(command: cli::Offer, output: Output) -> Result<ExitCode> {
    let cli::Offer::Create {
        platform,
        agency,
        credential_type,
        subject,
        tx_code,
        format,
        suite,
        by_reference,
    } = command;
    let format = format
        .to_possible_value()
        .context("every format has a name")?
        .get_name()
        .to_owned();
    let mut body = json!({"type": credential_type, "subject": subject, "format": format, "by_reference": by_reference});
    if let Some(body) = body.as_object_mut() {
        let optional = [("suite", suite), ("tx_code", tx_code)];
        body.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?.into()))),
        );
    }
    let answer = Client::new(&platform)?
        .post(&format!("/issuers/{agency}/admin/offers"), &body)
        .await?;
    let uri = answer
        .get("offer")
        .and_then(Value::as_str)
        .context("the platform's answer has no offer")?;
    output.result(uri, &answer);
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn credentials(command: cli::Credentials, output: Output) -> Result<ExitCode> {
    let cli::Credentials::List {
        platform,
        agency,
        subject,
    } = command;
    let mut path = format!("/issuers/{agency}/admin/credentials");
    if let Some(subject) = subject {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("subject", &subject)
            .finish();
        path = format!("{path}?{query}");
    }
    let answer = Client::new(&platform)?.get(&path).await?;
    let credentials = answer
        .get("credentials")
        .and_then(Value::as_array)
        .context("the platform's answer has no credentials")?;
    let columns = ["id", "type", "subject", "format", "issued_at", "status"];
    output.result(table(&columns, credentials), &answer);
    Ok(ExitCode::SUCCESS)
}

/// Suspends, reinstates or revokes: the last part of the endpoint's path says which.
pub(crate) async fn change(options: &cli::ChangeStatus, change: &str, output: Output) -> Result<ExitCode> {
    let cli::ChangeStatus {
        platform,
        agency,
        credential,
    } = options;
    let path = format!("/issuers/{agency}/admin/credentials/{credential}/{change}");
    let answer = Client::new(platform)?.post(&path, &json!({})).await?;
    let status = answer
        .get("status")
        .and_then(Value::as_str)
        .context("the platform's answer has no status")?;
    let when = if answer.get("committed").and_then(Value::as_bool) == Some(true) {
        "the registry has it, and bundles fetched from now on show it"
    } else {
        "the registry will have it with its next commitment"
    };
    output.result(format!("{credential} is {status}; {when}"), &answer);
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn instances(command: cli::Issuer, output: Output) -> Result<ExitCode> {
    match command {
        cli::Issuer::Add {
            platform,
            did,
            suite,
            curve,
            name,
        } => {
            let did = did.to_possible_value().context("every method has a name")?;
            let mut body = json!({"did": did.get_name(), "suite": suite, "curve": curve});
            if let (Some(name), Some(body)) = (name, body.as_object_mut()) {
                body.insert("name".to_owned(), name.into());
            }
            let answer = Client::new(&platform)?.post("/admin/vc-api/instances", &body).await?;
            let member = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or("-");
            let text = format!("{} issues as {}\n{}", member("name"), member("id"), member("issue"));
            output.result(text, &answer);
        }
        cli::Issuer::List { platform } => {
            let answer = Client::new(&platform)?.get("/vc-api/instances").await?;
            let instances = answer
                .get("instances")
                .and_then(Value::as_array)
                .context("the platform's answer has no instances")?;
            output.result(table(&["name", "suite", "curve", "id"], instances), &answer);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Rows of JSON objects under their column names, in aligned columns.
pub(crate) fn table(columns: &[&str], rows: &[Value]) -> String {
    let cell = |row: &Value, column: &str| match row.get(column) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut lines = vec![columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>()];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|column| cell(row, column)).collect()),
    );
    let width = |index: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(index))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let align = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(align).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_show_what_is_missing() {
        let rows = [
            json!({"id": "a", "type": "PersonIdentity"}),
            json!({"id": "long-id", "type": null}),
        ];
        assert_eq!(
            table(&["id", "type"], &rows),
            "id       type\na        PersonIdentity\nlong-id  -"
        );
    }
}
