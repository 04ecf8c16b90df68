//! `resolve`: a DID and its document, from the registry's resolver.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use serde_json::Value;

use crate::cli;
use crate::output::Output;
use crate::platform;

const MAX_RESULT_BYTES: usize = 1 << 20;

pub(crate) async fn run(options: cli::Resolve, output: Output) -> Result<ExitCode> {
    // The binding appends the DID as it is, with what is percent-encoded in it, such as the colon before a port.
    let url = platform::at(&options.url, &format!("/registry/1.0/identifiers/{}", options.did));
    let request = server::fetch::Outgoing::get(&url, MAX_RESULT_BYTES)?.header("accept", "application/did-resolution");
    let fetched = platform::fetcher()?.send(request).await.with_context(|| {
        format!(
            "the platform at {} does not answer; is `attestry up` running?",
            options.url
        )
    })?;
    let resolved = fetched.is_success();
    let result =
        keys::json::parse(&fetched.body, keys::json::DEFAULT_LIMITS).context("the resolver's answer is not JSON")?;
    let shown = if resolved {
        result.get("didDocument")
    } else {
        result.get("didResolutionMetadata")
    };
    let text = serde_json::to_string_pretty(shown.unwrap_or(&Value::Null))?;
    output.result(text, &result);
    Ok(if resolved { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
