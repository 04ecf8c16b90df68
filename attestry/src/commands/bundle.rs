//! `bundle`: fetch, update and look into trust bundles.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use serde_json::Value;
use serde_json::json;
use server::fetch::Outgoing;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use url::Url;

use crate::anchors;
use crate::cli;
use crate::files::write;
use crate::output::Output;
use crate::platform;
use crate::seen;

const MAX_ANCHOR_BYTES: usize = 64 * 1024;

pub(crate) async fn run(command: cli::Bundle, output: Output) -> Result<ExitCode> {
    match command {
        cli::Bundle::Fetch {
            url,
            out,
            recognised_by: Some(by),
            ..
        } => fetch_recognised(&url, &out, &by, output).await?,
        cli::Bundle::Fetch { url, out, anchor, .. } => fetch(&url, &out, anchor.as_deref(), output).await?,
        cli::Bundle::Update {
            file,
            url,
            recognised_by,
        } => update(&file, &url, recognised_by.as_deref(), output).await?,
        cli::Bundle::Show { file, recognised_by } => {
            let bundle = anchors::load_by(&file, recognised_by.as_deref())?;
            let value = summary(&bundle);
            output.result(serde_json::to_string_pretty(&value)?, &value);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The registry's state as of now, checked against the pinned anchor, or against the registry's own where none
/// of its name is pinned.
pub(crate) async fn current(url: &Url) -> Result<TrustedBundle> {
    let own = download_anchor(url).await?;
    let pinned = anchors::pinned()?
        .into_iter()
        .find(|anchor| anchor.origin() == own.origin());
    Ok(download_bundle(url, &pinned.unwrap_or(own)).await?.1)
}

/// A registry as it is now, by the anchor given or by its own, which is told so that it can be compared.
pub(crate) async fn of_another(url: &Url, anchor: Option<&Path>, output: Output) -> Result<TrustedBundle> {
    let anchor = if let Some(path) = anchor {
        anchors::read(path)?
    } else {
        let own = download_anchor(url).await?;
        output.tell(format!(
            "the anchor of {}:\n{own}\nCompare it with one from another channel before anybody approves.",
            own.origin()
        ));
        own
    };
    Ok(download_bundle(url, &anchor).await?.1)
}

async fn download_anchor(url: &Url) -> Result<Anchor> {
    let bytes = download(url, "/registry/anchor", MAX_ANCHOR_BYTES).await?;
    Anchor::parse(&bytes).context("the registry's anchor is not understood")
}

async fn fetch(url: &Url, out: &Path, anchor: Option<&Path>, output: Output) -> Result<()> {
    let anchor = match anchor {
        Some(path) => anchors::read(path)?,
        None => download_anchor(url).await?,
    };
    let (bytes, bundle) = download_bundle(url, &anchor).await?;
    let is_new = anchors::pin(&anchor)?;
    seen::admit(&bundle)?;
    write(out, &bytes)?;
    if is_new {
        output.tell(format!("pinned the anchor of {}:\n{anchor}\nCompare it with one from another channel; every later bundle must have it.", anchor.origin()));
    }
    let mut value = summary(&bundle);
    if let Some(object) = value.as_object_mut() {
        object.insert("anchor_pinned".to_owned(), is_new.into());
        object.insert("file".to_owned(), out.display().to_string().into());
    }
    output.result(format!("{}: trust as of {}", out.display(), bundle.as_of()), &value);
    Ok(())
}

/// Nothing is pinned: the bundle counts by what the one in the file `by` says.
async fn fetch_recognised(url: &Url, out: &Path, by: &Path, output: Output) -> Result<()> {
    let bytes = download(url, "/registry/bundle", Limits::default().max_bytes).await?;
    let bundle = anchors::load_recognised(&bytes, by).context("the bundle is refused")?;
    seen::admit(&bundle)?;
    write(out, &bytes)?;
    let mut value = summary(&bundle);
    if let Some(object) = value.as_object_mut() {
        object.insert("anchor_pinned".to_owned(), false.into());
        object.insert("file".to_owned(), out.display().to_string().into());
    }
    output.result(format!("{}: trust as of {}", out.display(), bundle.as_of()), &value);
    Ok(())
}

async fn update(file: &Path, url: &Url, recognised_by: Option<&Path>, output: Output) -> Result<()> {
    let previous = anchors::load_by(file, recognised_by)?;
    let (bytes, bundle) = download_bundle(url, previous.anchor()).await?;
    bundle
        .newer_than(&previous)
        .context("the bundle does not replace the one at hand")?;
    seen::admit(&bundle)?;
    write(file, &bytes)?;
    output.result(
        format!("{}: trust as of {}", file.display(), bundle.as_of()),
        &summary(&bundle),
    );
    Ok(())
}

async fn download_bundle(url: &Url, anchor: &Anchor) -> Result<(Vec<u8>, TrustedBundle)> {
    let limits = Limits::default();
    let bytes = download(url, "/registry/bundle", limits.max_bytes).await?;
    let bundle = TrustedBundle::load(&bytes, anchor, limits).context("the bundle is refused")?;
    Ok((bytes, bundle))
}

async fn download(url: &Url, path: &str, max_bytes: usize) -> Result<Vec<u8>> {
    let request = Outgoing::get(&platform::at(url, path), max_bytes)?;
    let fetched = platform::fetcher()?
        .send(request)
        .await
        .with_context(|| format!("the platform at {url} does not answer; is `attestry up` running?"))?;
    if fetched.is_success() {
        return Ok(fetched.body);
    }
    Err(platform::answer(&fetched)
        .err()
        .unwrap_or_else(|| anyhow::anyhow!("the platform refused")))
}

fn summary(bundle: &TrustedBundle) -> Value {
    let state = bundle.state();
    json!({
        "origin": bundle.anchor().origin(),
        "as_of": bundle.as_of().to_rfc3339(),
        "size": bundle.checkpoint().size(),
        "epoch": bundle.snapshot().epoch,
        "next_update": bundle.snapshot().next_update.to_rfc3339(),
        "hard_expiry": bundle.snapshot().hard_expiry.to_rfc3339(),
        "accreditations": state.accreditations().count(),
        "schemas": state.schemas().map(|record| record.id().to_owned()).collect::<Vec<_>>(),
        "status_lists": state.status_lists().count(),
        "witnesses": bundle.witnessed().cosigned().keys().collect::<Vec<_>>(),
    })
}
