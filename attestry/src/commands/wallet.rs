//! `wallet`: keep credentials and present them. Asks before it discloses, and shows exactly what and to whom.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use holder::ShownClaim;
use holder::printable;
use holder_agent::CredentialSummary;
use holder_agent::Disclosure;
use holder_agent::ExtractError;
use holder_agent::KeySource;
use holder_agent::Offer;
use holder_agent::Wallet;
use holder_agent::write_private;
use serde_json::Value;
use serde_json::json;
use server::Clock;
use url::Url;

use crate::anchors;
use crate::cli;
use crate::cli::WalletCommand;
use crate::commands::card;
use crate::commands::issuer::table;
use crate::output::Output;
use crate::output::ask;
use crate::platform;

/// Longer values, portraits above all, are told by their length.
const MAX_SHOWN_CHARS: usize = 120;

pub(crate) async fn run(command: cli::Wallet, output: Output) -> Result<ExitCode> {
    let home = match command.home {
        Some(home) => home,
        None => platform::home()?.join("wallet"),
    };
    match command.command {
        WalletCommand::Init => init(&home, output),
        WalletCommand::Accept { offer, tx_code } => accept(&open_to_resolve(&home)?, &offer, tx_code, output).await,
        WalletCommand::List => list(&open(&home)?, output),
        WalletCommand::Show(options) => card::show(&open(&home)?, &options, output),
        WalletCommand::Refresh { id, url } => refresh(&open(&home)?, id, &url, output).await,
        WalletCommand::History => history(&open(&home)?, output),
        WalletCommand::Present {
            request,
            select,
            out,
            yes,
        } => present(&open_to_resolve(&home)?, &request, &select, out, yes, output).await,
        WalletCommand::Forget { id, yes } => forget(&open(&home)?, &id, yes, output),
    }
}

fn open(home: &Path) -> Result<Wallet> {
    if !Wallet::exists(home) {
        bail!(
            "expected a wallet in {}, found none: make one with `attestry wallet init`",
            home.display()
        );
    }
    Ok(Wallet::open(home, &platform::passphrase("Passphrase of the wallet")?)?)
}

/// Open to find out whose key somebody's is: pinned registries count there.
fn open_to_resolve(home: &Path) -> Result<Wallet> {
    Ok(open(home)?.with_anchors(anchors::pinned()?))
}

fn init(home: &Path, output: Output) -> Result<ExitCode> {
    let passphrase = platform::new_passphrase("Passphrase for the new wallet")?;
    Wallet::init(home, &passphrase)?;
    let text = format!(
        "{} is a new wallet. Nobody can restore it without its passphrase.",
        home.display()
    );
    output.result(text, &json!({"wallet": home.display().to_string()}));
    Ok(ExitCode::SUCCESS)
}

async fn accept(wallet: &Wallet, uri: &str, tx_code: Option<String>, output: Output) -> Result<ExitCode> {
    let fetcher = platform::fetcher()?;
    let offer = Offer::read(uri, &fetcher).await?;
    let names: Vec<String> = offer
        .credentials()
        .into_iter()
        .map(|one| one.name.unwrap_or(one.configuration_id))
        .collect();
    let issuer = offer.issuer_name().unwrap_or_else(|| offer.issuer().to_string());
    output.tell(format!("{issuer} offers: {}", names.join(", ")));
    let tx_code = match (offer.tx_code(), tx_code) {
        (Some(description), None) => {
            let hint = description
                .description
                .as_deref()
                .map_or_else(|| "it came to you over another channel".to_owned(), printable);
            let typed = ask(&format!("The issuer asks for a code ({hint}):"));
            Some(typed.context("expected the issuer's code, found no terminal to ask on: give it with --tx-code")?)
        }
        (_, given) => given,
    };
    let accepted = wallet
        .accept(&offer, tx_code.as_deref(), &fetcher, &Clock::System)
        .await?;
    let mut lines: Vec<String> = accepted
        .received
        .iter()
        .map(|one| format!("received {} as {}", one.name, one.id))
        .collect();
    let failed = |one: &holder_agent::NotAccepted| {
        format!(
            "not received {}: {}",
            one.configuration_id,
            server::problem::chain(&one.error)
        )
    };
    lines.extend(accepted.not_received.iter().map(failed));
    let value = json!({
        "received": accepted.received,
        "not_received": accepted.not_received.iter().map(|one| json!({"configuration": one.configuration_id, "reason": server::problem::chain(&one.error)})).collect::<Vec<_>>(),
    });
    output.result(lines.join("\n"), &value);
    Ok(if accepted.not_received.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn list(wallet: &Wallet, output: Output) -> Result<ExitCode> {
    let credentials = wallet.list()?;
    let now = Clock::System.now();
    let row = |one: &CredentialSummary| {
        let issuer = one.issuer_name.clone().unwrap_or_else(|| one.issuer.clone());
        let state = if one.is_current(now) {
            "current"
        } else {
            "not valid now"
        };
        let until = one.valid_until.map(keys::Timestamp::to_rfc3339);
        json!({
            "id": one.id, "name": one.name, "format": one.format, "issuer": issuer, "valid_until": until, "state": state,
        })
    };
    let rows: Vec<Value> = credentials.iter().map(row).collect();
    output.result(
        table(&["id", "name", "format", "issuer", "valid_until", "state"], &rows),
        &json!({"credentials": credentials}),
    );
    Ok(ExitCode::SUCCESS)
}

async fn refresh(wallet: &Wallet, ids: Vec<String>, url: &Url, output: Output) -> Result<ExitCode> {
    let fetcher = platform::fetcher()?;
    let ids = if ids.is_empty() {
        wallet.list()?.into_iter().map(|one| one.id).collect()
    } else {
        ids
    };
    let (mut lines, mut rows, mut all) = (Vec::new(), Vec::new(), true);
    for id in ids {
        match wallet.fetch_extract(&id, url, &fetcher).await {
            Ok(extract) => {
                let as_of = match anchors::load_extract(&extract, &[]) {
                    Ok(loaded) => Some(loaded.bundle().as_of()),
                    // The wallet need not know the register; whoever verifies does.
                    Err(error) if anchors::is_of_nobody(&error) => None,
                    Err(error) => {
                        lines.push(format!("{id}  {error:#}"));
                        rows.push(json!({"id": id, "reason": format!("{error:#}")}));
                        all = false;
                        continue;
                    }
                };
                wallet.keep_extract(&id, &extract)?;
                let known = as_of.map_or_else(String::new, |as_of| format!(", as of {as_of}"));
                lines.push(format!("{id}  {} bytes{known}", extract.len()));
                rows.push(json!({"id": id, "bytes": extract.len(), "as_of": as_of.map(keys::Timestamp::to_rfc3339)}));
            }
            Err(ExtractError::Wallet(error)) => return Err(error.into()),
            Err(error) => {
                let reason = server::problem::chain(&error);
                lines.push(format!("{id}  {reason}"));
                rows.push(json!({"id": id, "reason": reason}));
                all = false;
            }
        }
    }
    output.result(lines.join("\n"), &json!({"extracts": rows}));
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn history(wallet: &Wallet, output: Output) -> Result<ExitCode> {
    let entries = wallet.history()?;
    let line = |entry: &holder_agent::HistoryEntry| {
        let claims: Vec<&str> = entry
            .credentials
            .iter()
            .flat_map(|one| one.claims.iter().map(String::as_str))
            .collect();
        format!(
            "{}  {:?}  {}  {}",
            entry.at,
            entry.outcome,
            entry.verifier,
            claims.join(", ")
        )
    };
    output.result(
        entries.iter().map(line).collect::<Vec<_>>().join("\n"),
        &json!({"history": entries}),
    );
    Ok(ExitCode::SUCCESS)
}

async fn present(
    wallet: &Wallet,
    request: &str,
    select: &[String],
    out: Option<PathBuf>,
    yes: bool,
    output: Output,
) -> Result<ExitCode> {
    let (fetcher, clock) = (platform::fetcher()?, Clock::System);
    // A URI, or the name of a request file.
    let text = if request.contains("://") {
        request.to_owned()
    } else {
        std::fs::read_to_string(request)
            .with_context(|| format!("expected an openid4vp:// URI or a request file, cannot read {request}"))?
    };
    let prepared = wallet.prepare(&text, &fetcher, &clock).await?;
    let proposed = prepared.propose(select, clock.now())?;
    let disclosure = proposed.disclosure();
    if !yes {
        // People must see it whatever the output format is, and stdout may be a file.
        eprint_all(&describe(&disclosure));
        let agreed = ask("Disclose this? Type yes:")
            .context("expected your consent, found no terminal to ask on: look at what is asked, then give --yes")?;
        if !agreed.eq_ignore_ascii_case("yes") {
            prepared.decline(wallet, &fetcher, &clock).await?;
            output.result("declined; nothing was disclosed", &json!({"presented": false}));
            return Ok(ExitCode::FAILURE);
        }
    }
    let mut value =
        json!({"presented": true, "disclosed": disclosure.credentials, "verifier": disclosure.verifier.client_id});
    let text = if let Some(path) = out {
        let file = proposed.to_file(wallet, &clock)?;
        write_private(&path, &file).with_context(|| format!("cannot write {}", path.display()))?;
        insert(&mut value, "file", path.display().to_string().into());
        format!("{}: hand it to the verifier; it is not encrypted", path.display())
    } else {
        let receipt = proposed.send(wallet, &fetcher, &clock).await?;
        insert(&mut value, "redirect_uri", receipt.redirect_uri.clone().into());
        receipt
            .redirect_uri
            .map_or_else(|| "presented".to_owned(), |next| format!("presented; go on at {next}"))
    };
    output.result(text, &value);
    Ok(ExitCode::SUCCESS)
}

fn forget(wallet: &Wallet, id: &str, yes: bool, output: Output) -> Result<ExitCode> {
    if !yes {
        let name = wallet.show(id)?.summary.name;
        let agreed = ask(&format!("Forget {name} ({id}) and its key for good? Type yes:"));
        let agreed = agreed.context("expected your consent, found no terminal to ask on: give --yes")?;
        if !agreed.eq_ignore_ascii_case("yes") {
            output.result("kept", &json!({"forgotten": false}));
            return Ok(ExitCode::FAILURE);
        }
    }
    wallet.forget(id)?;
    output.result(format!("forgotten {id}"), &json!({"forgotten": true, "id": id}));
    Ok(ExitCode::SUCCESS)
}

fn describe(disclosure: &Disclosure) -> Vec<String> {
    let verifier = &disclosure.verifier;
    let mut lines = vec![format!("{} asks for:", verifier.client_id)];
    if verifier.did.is_none() {
        lines.push("  The request is not signed; you know only where the answer goes.".to_owned());
    }
    if let Some(key_source) = &verifier.key_source {
        lines.push(format!("  Its signature was checked: {}", source(key_source)));
    }
    if let Some(uri) = &verifier.response_uri {
        lines.push(format!("  The answer goes to {uri}"));
    }
    for credential in &disclosure.credentials {
        let issuer = credential.issuer_name.as_deref().unwrap_or(&credential.issuer);
        lines.push(format!("From {} ({issuer}):", credential.name));
        for disclosed in &credential.claims {
            let note = match (disclosed.requested, disclosed.retained) {
                (false, _) => "   (cannot be withheld)",
                (true, true) => "   (the verifier will keep it)",
                (true, false) => "",
            };
            lines.push(format!(
                "  {}: {}{note}",
                disclosed.claim.label,
                shown(&disclosed.claim)
            ));
        }
    }
    lines.push(format!(
        "With every credential go: {}",
        disclosure.always_seen.join(", ")
    ));
    lines
}

/// The value as text that cannot move the cursor or hide other text.
fn shown(claim: &ShownClaim) -> String {
    let text = claim.value_text();
    let length = text.chars().count();
    if length <= MAX_SHOWN_CHARS {
        text
    } else {
        format!("({length} characters)")
    }
}

fn source(source: &KeySource) -> String {
    match source {
        KeySource::Did => "its DID is its key".to_owned(),
        KeySource::Registry(origin) => format!("by the DID's own log, kept at {origin}"),
        KeySource::Logged(origin) => format!("by its document as officers logged it, kept at {origin}"),
        KeySource::Website => "by the website in its DID".to_owned(),
        _ => "by a way this version cannot name".to_owned(),
    }
}

fn eprint_all(lines: &[String]) {
    use std::io::Write as _;
    let mut stderr = std::io::stderr().lock();
    for line in lines {
        writeln!(stderr, "{line}").ok();
    }
}

fn insert(value: &mut Value, name: &str, member: Value) {
    if let Some(object) = value.as_object_mut() {
        object.insert(name.to_owned(), member);
    }
}
