//! `agency`: bring an agency to a running platform, from its folder to the proposals that officers approve.

use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use did::DidUrl;
use did::Purpose;
use issuer::agency::AgencyFile;
use keys::Timestamp;
use keys::json;
use serde_json::Value;
use serde_json::json;

use crate::agencies::is_agency_id;
use crate::cli;
use crate::commands::bundle;
use crate::iaca::Iaca;
use crate::output::Output;
use crate::platform::Client;
use crate::platform::passphrase;

/// A type's documents travel with their proposal.
const MAX_DOCUMENT_BYTES: u64 = 128 * 1024;

pub(crate) async fn run(command: cli::Agency, output: Output) -> Result<ExitCode> {
    match command {
        cli::Agency::Add {
            platform,
            id,
            name,
            folder,
        } => add(&platform, &id, &name, &folder, output).await,
        cli::Agency::Certify {
            platform,
            id,
            authority,
        } => certify(&platform, &id, &authority, output).await,
    }
}

async fn add(platform: &cli::Platform, id: &str, name: &str, folder: &Path, output: Output) -> Result<ExitCode> {
    anyhow::ensure!(
        is_agency_id(id),
        "expected an agency id of 1 to 63 of a-z, 0-9 and '-', found {id:?}"
    );
    let target = platform.data.join("agencies").join(id);
    // Before anything is copied or done: what was copied is not overwritten when the person has mended it.
    let listing = listing(folder)?;
    copy_folder(folder, &target)?;
    let client = Client::new(platform)?;
    let admitted = client.post("/admin/agencies", &json!({"id": id, "name": name})).await?;
    let did = admitted
        .get("did")
        .and_then(Value::as_str)
        .context("the platform's answer has no did")?;
    let now = server::Clock::System.now();
    let mut proposals = Vec::new();
    for (name, doctype) in types(&target)? {
        for proposal in [
            schema_proposal(&target, &name, doctype.as_deref())?,
            accreditation_proposal(id, did, (&name, listing.as_ref()), now),
        ] {
            let answer = client.post("/registry/proposals", &proposal).await?;
            proposals.push(answer.get("id").cloned().context("the platform's answer has no id")?);
        }
    }
    let ids: Vec<String> = proposals
        .iter()
        .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned))
        .collect();
    let text = format!(
        "{id} is admitted as {did}\nit may issue when the officers have approved the proposals {}:\n  attestry registry approve ID --key FILE",
        ids.join(", ")
    );
    output.result(text, &json!({"did": did, "proposals": proposals}));
    Ok(ExitCode::SUCCESS)
}

/// Certifies the key that the registry has for the agency. Whether the agency should have it is the authority's to know.
async fn certify(platform: &cli::Platform, id: &str, authority: &Path, output: Output) -> Result<ExitCode> {
    anyhow::ensure!(is_agency_id(id), "expected an agency id, found {id:?}");
    let folder = platform.data.join("agencies").join(id);
    let agency = AgencyFile::read(&folder)?;
    let current = bundle::current(&platform.url).await?;
    current.hint(output);
    let document = current.bundle.document(&agency.did);
    let document = document.with_context(|| format!("the registry has no document of {}", agency.did))?;
    let key = document.key_for(&DidUrl::parse(&agency.verification_method)?, Purpose::AssertionMethod)?;
    let iaca = Iaca::open(authority, &passphrase("Passphrase of the issuing authority's key")?)?;
    let certificate = iaca.certify(&agency.name, &agency.did, &key, server::Clock::System.now())?;
    let path = folder.join("document-signer.der");
    std::fs::write(&path, certificate).with_context(|| format!("cannot write {}", path.display()))?;
    let text = format!(
        "{}: the platform signs mdocs of {id} under it from its next start on",
        path.display()
    );
    let mut value = json!({"certificate": path.display().to_string()});
    current.add_to(&mut value);
    output.result(text, &value);
    Ok(ExitCode::SUCCESS)
}

/// The registry's terms for a type that a small agency issues; officers see them before they sign.
fn accreditation_proposal(agency: &str, did: &str, (name, listing): (&str, Option<&Value>), now: Timestamp) -> Value {
    const TEN_YEARS: i64 = 10 * 365 * 86_400;
    let mut proposal = json!({
        "type": "accreditation",
        "action": "grant",
        "id": format!("{agency}-issues-{}", name.to_ascii_lowercase()),
        "entity": did,
        "may": "issue",
        "resources": [name],
        "valid_until": now.plus(TEN_YEARS).to_rfc3339(),
        "max_staleness": 7 * 86_400,
        "on_stale": "refuse",
    });
    if let (Some(members), Some(listing)) = (proposal.as_object_mut(), listing) {
        members.insert("listing".to_owned(), listing.clone());
    }
    proposal
}

/// How lists of trust shall name the agency, if its folder says so.
fn listing(folder: &Path) -> Result<Option<Value>> {
    let path = folder.join("listing.json");
    if !path.exists() {
        return Ok(None);
    }
    let listing = json::parse(&read(&path)?, json::DEFAULT_LIMITS);
    let listing = listing.with_context(|| format!("cannot understand {}", path.display()))?;
    Ok(Some(listing))
}

fn schema_proposal(folder: &Path, name: &str, doctype: Option<&str>) -> Result<Value> {
    let types = folder.join("types").join(name);
    let type_path = types.join("type.json");
    let metadata = json::parse(&read(&type_path)?, json::DEFAULT_LIMITS)
        .with_context(|| format!("cannot understand {}", type_path.display()))?;
    let vct = metadata
        .get("vct")
        .and_then(Value::as_str)
        .with_context(|| format!("expected `vct` in {}", type_path.display()))?;
    let document = |role: &str, file: &str, uri: String, media_type: &str| -> Result<Option<Value>> {
        let path = types.join(file);
        if !path.exists() {
            return Ok(None);
        }
        let content =
            String::from_utf8(read(&path)?).with_context(|| format!("expected text in {}", path.display()))?;
        Ok(Some(
            json!({"role": role, "uri": uri, "media_type": media_type, "content": content}),
        ))
    };
    let documents = [
        document("type_metadata", "type.json", vct.to_owned(), "application/json")?,
        document(
            "json_schema",
            "schema.json",
            format!("{vct}/schema.json"),
            "application/schema+json",
        )?,
        document(
            "context",
            "context.jsonld",
            format!("{vct}/context.jsonld"),
            "application/ld+json",
        )?,
        document(
            "display",
            "display.json",
            format!("{vct}/display.json"),
            "application/json",
        )?,
    ];
    let documents: Vec<Value> = documents.into_iter().flatten().collect();
    Ok(json!({
        "type": "schema",
        "action": "publish",
        "id": name,
        "vct": vct,
        "w3c_types": [name],
        "doctype": doctype,
        "status_required": true,
        "documents": documents,
    }))
}

/// The types of the agency's mappings, with the document type of those that are issued as mdocs, too.
fn types(folder: &Path) -> Result<Vec<(String, Option<String>)>> {
    let mut names = Vec::new();
    for path in files(&folder.join("mappings"))? {
        let mapping = json::parse(&read(&path)?, json::DEFAULT_LIMITS)
            .with_context(|| format!("cannot understand {}", path.display()))?;
        let text = |pointer| mapping.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let name = text("/credential_type");
        let name = name.with_context(|| format!("expected `credential_type` in {}", path.display()))?;
        names.push((name, text("/mdoc/doctype")));
    }
    names.sort();
    Ok(names)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    crate::files::read(path, "document", MAX_DOCUMENT_BYTES)
}

/// Copies files two levels deep, as an agency's folder has them; nothing that is there is overwritten.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let target = to.join(path.file_name().context("a folder entry has a name")?);
        if path.is_dir() {
            copy_folder(&path, &target)?;
        } else if !target.exists() {
            std::fs::copy(&path, &target)
                .with_context(|| format!("cannot copy {} to {}", path.display(), target.display()))?;
        }
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
