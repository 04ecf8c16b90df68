//! `verifier`: ask for presentations, and read what came back.

use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use keys::Signer as _;
use openid4vc::CredentialFormat;
use openid4vc::dcql::CredentialQuery;
use openid4vc::vp::AuthorizationRequest;
use openid4vc::vp::ClientId;
use openid4vc::vp::file::RequestFile;
use serde_json::Value;
use serde_json::json;

use crate::cli;
use crate::output::Output;
use crate::platform::Client;

/// A DCQL query is a page of JSON at most.
const MAX_QUERY_BYTES: usize = 256 * 1024;

pub(crate) async fn run(command: cli::Verifier, output: Output) -> Result<ExitCode> {
    match command {
        cli::Verifier::Request {
            query,
            offline: true,
            out: Some(out),
            ..
        } => offline(&query, &out, output),
        cli::Verifier::Request {
            platform,
            query,
            encrypted,
            ..
        } => {
            let body = json!({"query": read_query(&query)?, "encrypted": encrypted});
            let answer = Client::new(&platform)?.post("/verifier/admin/requests", &body).await?;
            let member = |name: &str| {
                answer
                    .get(name)
                    .and_then(Value::as_str)
                    .with_context(|| format!("the platform's answer has no {name}"))
            };
            output.result(format!("{}\nid {}", member("request")?, member("id")?), &answer);
            Ok(ExitCode::SUCCESS)
        }
        cli::Verifier::Result { platform, id } => {
            let answer = Client::new(&platform)?
                .get(&format!("/verifier/admin/requests/{id}"))
                .await?;
            output.result(serde_json::to_string_pretty(&answer)?, &answer);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A self-contained request, signed by a did:key that this person's folder keeps for asking.
fn offline(query: &str, out: &std::path::Path, output: Output) -> Result<ExitCode> {
    const LIFETIME_SECONDS: i64 = 24 * 60 * 60;
    let query = match read_query(query)? {
        Value::String(name) => verifier_service::built_in(&name).with_context(|| unknown_query(&name))?,
        value => openid4vc::dcql::DcqlQuery::from_value(&value).context("the query is not DCQL")?,
    };
    let is_mdoc = |query: &CredentialQuery| query.format == CredentialFormat::MsoMdoc;
    anyhow::ensure!(
        !query.credentials.iter().all(is_mdoc),
        "expected a query that a file can answer, found one for mdocs alone: no standard says what a device signs for a file"
    );
    let key = offline_key()?;
    let now = server::Clock::System.now();
    let client_id = ClientId::for_did(&did::methods::key::did(key.public_key()))?;
    let request = AuthorizationRequest::for_file(client_id, query, &mut signer::os_rng())?;
    let method = did::methods::key::method_id(key.public_key());
    let signing = openid4vc::vp::request_object::sign(
        &request,
        &method,
        key.public_key().algorithm(),
        now,
        now.plus(LIFETIME_SECONDS),
    )?;
    let file = RequestFile::new(key.fulfil(signing)?);
    std::fs::write(out, file.to_json()).with_context(|| format!("cannot write {}", out.display()))?;
    let value = json!({"file": out.display().to_string(), "client_id": request.client_id.as_str(), "expires_at": now.plus(LIFETIME_SECONDS).to_rfc3339()});
    output.result(
        format!("{}: a request of {}, good for a day", out.display(), request.client_id),
        &value,
    );
    Ok(ExitCode::SUCCESS)
}

/// The key that signs self-contained requests: it says that two requests come from the same verifier, and
/// protects nothing else, so it lies in this person's folder without a passphrase.
fn offline_key() -> Result<signer::SoftwareKey> {
    let home = crate::platform::home()?.join("verifier");
    let passphrase = signer::Passphrase::new("unattended".to_owned());
    let mut rng = signer::os_rng();
    let vault = signer::Vault::open_or_create(&home, &passphrase, &mut rng)?;
    match vault.key("keys/requests")? {
        Some(key) => Ok(key),
        None => Ok(vault.generate_key("keys/requests", keys::Algorithm::Es256, &mut rng)?),
    }
}

/// A built-in name, or the DCQL of a file.
fn read_query(text: &str) -> Result<Value> {
    if verifier_service::built_in(text).is_some() {
        return Ok(Value::from(text));
    }
    let bytes = std::fs::read(text).with_context(|| unknown_query(text))?;
    let limits = keys::json::Limits {
        max_bytes: MAX_QUERY_BYTES,
        ..keys::json::DEFAULT_LIMITS
    };
    keys::json::parse(&bytes, limits).with_context(|| format!("cannot understand the query {text}"))
}

fn unknown_query(found: &str) -> String {
    format!(
        "expected the file of a DCQL query or one of {}, found {found:?}",
        verifier_service::BUILT_IN.join(", ")
    )
}
