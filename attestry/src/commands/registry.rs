//! `registry`: governance. Whoever approves signs on their own machine; only the signature travels.

mod did_web;
mod key;
pub(super) mod log;
mod status;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use keys::Signer as _;
use registry::PendingRecovery;
use serde_json::Value;
use serde_json::json;
use signer::KeyFile;
use trust::TrustedBundle;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Draft;
use trust::entry::PolicyKind;
use trust::state::Approver;
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
        cli::Registry::Key(command) => key::run(command, output)?,
        cli::Registry::Proposals { platform } => proposals(&platform.url, output).await?,
        cli::Registry::Status { platform } => status::run(&platform.url, output).await?,
        cli::Registry::Propose {
            platform,
            file,
            did,
            document,
        } => {
            let body = match (file, did) {
                (Some(file), _) => body_of(&file)?,
                (None, Some(did)) => did_web::proposal(&did, document.as_deref()).await?,
                (None, None) => anyhow::bail!("expected a FILE or --did, found neither"),
            };
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
        cli::Registry::Approve { platform, id, key } => approve(&platform.url, &id, &key, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn proposals(url: &Url, output: Output) -> Result<()> {
    let answer = Client::without_token(url)?.get("/registry/proposals").await?;
    let proposals = answer
        .get("proposals")
        .and_then(Value::as_array)
        .context("the platform's answer has no proposals")?;
    let mut text = table(&["id", "state", "needed", "approved_by", "summary"], proposals);
    if let Some(pending) = answer.get("pending_recovery") {
        text = format!("{text}\n\n{}", status::warning(pending));
    }
    output.result(text, &answer);
    Ok(())
}

/// A proposal that an operator wrote.
fn body_of(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let limits = keys::json::Limits {
        max_bytes: MAX_PROPOSAL_BYTES,
        ..keys::json::DEFAULT_LIMITS
    };
    keys::json::parse(&bytes, limits).with_context(|| format!("cannot understand {}", file.display()))
}

async fn propose(client: &Client, body: &Value, output: Output) -> Result<()> {
    let answer = client.post("/registry/proposals", body).await?;
    let id = answer
        .get("id")
        .and_then(Value::as_str)
        .context("the platform's answer has no id")?;
    output.result(
        format!("proposed {id}; it is approved with `attestry registry approve {id} --key FILE`"),
        &answer,
    );
    Ok(())
}

/// `ID`, or `ID=ID` where the type is called otherwise here.
fn mapped(named: &str) -> Value {
    let (foreign, local) = named.split_once('=').unwrap_or((named, named));
    json!({"foreign": foreign, "local": local})
}

/// Shows what the draft says, signs it with the key, and sends the signature.
async fn approve(url: &Url, id: &str, key: &Path, output: Output) -> Result<()> {
    let client = Client::without_token(url)?;
    let path = format!("/registry/proposals/{id}");
    let proposal = client.get(&path).await?;
    let draft = proposal
        .get("draft")
        .and_then(Value::as_str)
        .context("the proposal has no draft")?;
    let draft = Draft::parse(&keys::base64url::decode(draft)?).context("the draft is not understood")?;
    let file = KeyFile::read(key)?;
    let current = bundle::current(url).await?;
    let approver = approver(&current.bundle, &draft, file.public_key())?;
    current.hint(output);
    tell(&current.bundle, &draft, &approver, output);
    let website = match &draft.body {
        Body::DidEvent(DidEventBody::Web { document }) => Some(did_web::compared(&draft.subject, document).await),
        _ => None,
    };
    if let Some(website) = &website {
        output.tell(&website.told);
    }
    let key = file.open(&platform::passphrase(&format!("Passphrase of {}", key.display()))?)?;
    let signature = key.fulfil(approver.sign(&draft, key.public_key()))?;
    let body = json!({"signature": keys::base64url::encode(signature.to_bytes())});
    let mut answer = client.post(&format!("{path}/approvals"), &body).await?;
    current.add_to(&mut answer);
    if let Some(website) = &website {
        bundle::told(&mut answer, &[("website", website.to_json())]);
    }
    let state = answer.get("state").and_then(Value::as_str).unwrap_or("open");
    let mut text = format!("approved {id}; it is {state}");
    if is_recovery(&draft)
        && state == "appended"
        && let Some(pending) = PendingRecovery::of(bundle::current(url).await?.bundle.state())
    {
        let pending = pending.to_json();
        text = format!("{text}\n\n{}", status::warning(&pending));
        bundle::told(&mut answer, &[("pending_recovery", pending)]);
    }
    output.result(text, &answer);
    Ok(())
}

/// What is signed is what was decoded here and compared with a Policy that was checked, not what a server says about it.
fn tell(bundle: &TrustedBundle, draft: &Draft, approver: &Approver, output: Output) {
    if let Some(pending) = PendingRecovery::of(bundle.state()) {
        output.tell(format!("{}\n", status::warning(&pending.to_json())));
    }
    let who = if is_recovery(draft) {
        format!("the recovery key {}", approver.signer())
    } else {
        format!("{} of {}", approver.signer(), draft.ns)
    };
    let says = match &draft.body {
        Body::DidEvent(DidEventBody::Web { document }) => did_web::shown(&draft.subject, document),
        body => format!("{body:#?}"),
    };
    output.tell(format!(
        "{who} approves about {}:\n{}\n{says}",
        draft.subject,
        registry::summary(draft, bundle.state()),
    ));
}

fn is_recovery(draft: &Draft) -> bool {
    matches!(&draft.body, Body::Policy(policy) if policy.kind == PolicyKind::Recovery)
}

/// In whose name this key signs. The Policy comes from a bundle that was checked against its anchor, and the draft must be for
/// that registry and that Policy.
fn approver(bundle: &TrustedBundle, draft: &Draft, public_key: &str) -> Result<Approver> {
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
    bundle.state().approver(draft, public_key).with_context(|| {
        if is_recovery(draft) {
            return "expected a recovery key that the policy commits to, found another key".to_owned();
        }
        let next = if matches!(draft.body, Body::Policy(_)) {
            ", the next one where one is committed to"
        } else {
            ""
        };
        format!("expected the key of an officer of {}{next}, found another", draft.ns)
    })
}
