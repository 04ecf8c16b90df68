//! `registry`: governance. An officer signs on their own machine; only the signature travels.

pub(super) mod log;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use keys::Signer as _;
use serde_json::Value;
use serde_json::json;
use signer::KeyFile;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Officer;
use trust::merkle::Hash;
use url::Url;

use crate::cli;
use crate::commands::bundle;
use crate::commands::issuer::table;
use crate::commands::verify::seconds;
use crate::output::Output;
use crate::platform;
use crate::platform::Client;

/// A proposal is an entry's body, and an entry holds 65,535 bytes.
const MAX_PROPOSAL_BYTES: usize = 256 * 1024;

pub(crate) async fn run(command: cli::Registry, output: Output) -> Result<ExitCode> {
    match command {
        cli::Registry::Audit {
            source,
            anchor,
            from,
            save,
        } => return log::audit(&source, anchor.as_deref(), from.as_deref(), save.as_deref(), output).await,
        cli::Registry::Mirror { source, to, anchor } => {
            return log::mirror(&source, &to, anchor.as_deref(), output).await;
        }
        cli::Registry::Proposals { platform } => {
            let answer = Client::new(&platform)?.get("/registry/proposals").await?;
            let proposals = answer
                .get("proposals")
                .and_then(Value::as_array)
                .context("the platform's answer has no proposals")?;
            output.result(
                table(&["id", "state", "needed", "approved_by", "summary"], proposals),
                &answer,
            );
        }
        cli::Registry::Propose { platform, file } => {
            let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let limits = keys::json::Limits {
                max_bytes: MAX_PROPOSAL_BYTES,
                ..keys::json::DEFAULT_LIMITS
            };
            let body =
                keys::json::parse(&bytes, limits).with_context(|| format!("cannot understand {}", file.display()))?;
            propose(&Client::new(&platform)?, &body, output).await?;
        }
        cli::Registry::Recognise {
            platform,
            abroad,
            anchor,
            until,
            types,
            max_staleness,
        } => {
            let bundle = bundle::of_another(&abroad, anchor.as_deref(), output).await?;
            let mapping: Vec<Value> = types.iter().map(|named| mapped(named)).collect();
            let (anchor, seen) = (bundle.anchor(), bundle.checkpoint());
            let body = json!({
                "type": "recognition", "action": "recognise",
                "log": anchor.log().to_string(), "genesis": anchor.genesis().to_string(),
                "size": seen.size(), "root": seen.root().to_string(),
                "may": ["issue"], "mapping": mapping,
                "max_staleness": seconds(&max_staleness)?, "valid_until": until,
            });
            propose(&Client::new(&platform)?, &body, output).await?;
        }
        cli::Registry::AddMlDsa { platform } => {
            let body = json!({"type": "policy", "action": "ml-dsa"});
            propose(&Client::new(&platform)?, &body, output).await?;
        }
        cli::Registry::Approve { platform, id, key } => {
            let answer = approve(&Client::new(&platform)?, &platform.url, &id, &key, output).await?;
            let state = answer.get("state").and_then(Value::as_str).unwrap_or("open");
            output.result(format!("approved {id}; it is {state}"), &answer);
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn propose(client: &Client, body: &Value, output: Output) -> Result<()> {
    let answer = client.post("/registry/proposals", body).await?;
    let id = answer
        .get("id")
        .and_then(Value::as_str)
        .context("the platform's answer has no id")?;
    output.result(
        format!("proposed {id}; officers approve it with `attestry registry approve {id} --key FILE`"),
        &answer,
    );
    Ok(())
}

/// `ID`, or `ID=ID` where the type is called otherwise here.
fn mapped(named: &str) -> Value {
    let (foreign, local) = named.split_once('=').unwrap_or((named, named));
    json!({"foreign": foreign, "local": local})
}

/// Shows what the draft says, signs it with the officer's key, and sends the signature.
async fn approve(client: &Client, url: &Url, id: &str, key: &Path, output: Output) -> Result<Value> {
    let path = format!("/registry/proposals/{id}");
    let proposal = client.get(&path).await?;
    let draft = proposal
        .get("draft")
        .and_then(Value::as_str)
        .context("the proposal has no draft")?;
    let draft = Draft::parse(&keys::base64url::decode(draft)?).context("the draft is not understood")?;
    let file = KeyFile::read(key)?;
    let (officer, reveals) = officer_of(url, &draft, file.public_key()).await?;
    // What is signed is what was decoded here, not what a server says about it.
    output.tell(format!(
        "{officer} of {} approves about {}:\n{:#?}",
        draft.ns, draft.subject, draft.body
    ));
    let key = file.open(&platform::passphrase(&format!("Passphrase of {}", key.display()))?)?;
    let request = if reveals {
        draft.sign_revealing(&officer, key.public_key())
    } else {
        draft.sign(&officer, key.public_key().algorithm())
    };
    let signature = key.fulfil(request)?;
    let body = json!({"signature": keys::base64url::encode(signature.to_bytes())});
    client.post(&format!("{path}/approvals"), &body).await
}

/// The role that the Policy in force gives this key, and whether the key is the next one of that role, which is revealed
/// by signing a change of the Policy with it. The Policy comes from a bundle that was checked against its anchor, and the
/// draft must be for that registry and that Policy.
async fn officer_of(url: &Url, draft: &Draft, public_key: &str) -> Result<(String, bool)> {
    let bundle = bundle::current(url).await?;
    anyhow::ensure!(
        draft.origin == bundle.anchor().origin(),
        "expected a draft for the registry {}, found one for {}",
        bundle.anchor().origin(),
        draft.origin
    );
    let policy = bundle.state().policy().context("the registry has no policy")?;
    anyhow::ensure!(
        draft.policy == policy.hash(),
        "the policy has changed since the proposal was made; propose it again"
    );
    let authority = policy
        .body()
        .authority(&draft.ns)
        .with_context(|| format!("the policy has no authority {}", draft.ns))?;
    let changes_policy = matches!(draft.body, Body::Policy(_));
    let digest = Hash::digest(public_key.as_bytes());
    // Who has committed to a next key signs a change of the Policy with that one and with no other.
    let reveals = |officer: &Officer| changes_policy && officer.next == Some(digest);
    let signs = |officer: &Officer| {
        let committed = changes_policy && officer.next.is_some();
        !committed && officer.key.to_multikey() == public_key
    };
    let mut officers = authority.officers.iter();
    let officer = officers.find(|officer| reveals(officer) || signs(officer));
    let officer = officer.with_context(|| {
        let next = if changes_policy {
            ", the next one where one is committed to"
        } else {
            ""
        };
        format!("expected the key of an officer of {}{next}, found another", draft.ns)
    })?;
    Ok((officer.id.clone(), reveals(officer)))
}
