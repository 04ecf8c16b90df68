//! `bundle`: fetch, update and look into trust bundles.

mod compare;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use registry::PendingRecovery;
use serde_json::Value;
use serde_json::json;
use server::fetch::Fetched;
use server::fetch::Outgoing;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;
use trust::checkpoint::SignedCheckpoint;
use trust::note::MAX_NOTE_BYTES;
use trust::tlog_policy::WitnessedCheckpoint;
use url::Url;
use url::form_urlencoded;

use crate::anchors;
use crate::cli;
use crate::cli::Needs;
use crate::files;
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
            needs,
            ..
        } => fetch_recognised(&url, &needs, &out, &by, output).await?,
        cli::Bundle::Fetch {
            url,
            out,
            anchor,
            needs,
            ..
        } => fetch(&url, &needs, &out, anchor.as_deref(), output).await?,
        cli::Bundle::Update {
            file,
            source,
            recognised_by,
            needs,
        } => update(&file, (&source, &needs), recognised_by.as_deref(), output).await?,
        cli::Bundle::Delta {
            file,
            url,
            out,
            recognised_by,
            needs,
        } => fetch_delta(&file, (&url, &needs), &out, recognised_by.as_deref(), output).await?,
        cli::Bundle::Compare {
            bundle,
            form,
            file,
            recognised_by,
        } => {
            let bundle = anchors::load_by(&bundle, recognised_by.as_deref())?;
            compare::compare(&bundle, form, &file, output)?;
        }
        cli::Bundle::Show { file, recognised_by } => {
            let bundle = anchors::load_by(&file, recognised_by.as_deref())?;
            let value = summary(&bundle);
            output.result(serde_json::to_string_pretty(&value)?, &value);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A registry's state as of now.
pub(crate) struct Current {
    pub(crate) bundle: TrustedBundle,
    /// What is to be told where the registry's own anchor was believed, and how to pin one.
    pub(crate) unpinned: Option<String>,
}

/// The registry's state as of now, checked against the pinned anchor, or against the registry's own where none
/// of its name is pinned.
pub(crate) async fn current(url: &Url) -> Result<Current> {
    let own = download_anchor(url).await?;
    let pinned = anchors::pinned()?
        .into_iter()
        .find(|anchor| anchor.origin() == own.origin());
    let unpinned = pinned.is_none().then(|| {
        format!(
            "no anchor of {} is pinned, so the registry's own is believed: pin one that you have from another channel, `attestry bundle fetch {url} --out trust.bundle --anchor anchor.json`",
            own.origin()
        )
    });
    let (_, bundle) = download_bundle(url, &EVERYTHING, &pinned.unwrap_or(own)).await?;
    Ok(Current { bundle, unpinned })
}

impl Current {
    /// Tells people before they read on or sign; [`Current::add_to`] tells programs.
    pub(crate) fn hint(&self, output: Output) {
        if let Some(unpinned) = &self.unpinned {
            output.hint(unpinned);
        }
    }

    /// Adds `unpinned_anchor` to what programs read, where it is so.
    pub(crate) fn add_to(&self, value: &mut Value) {
        if let Some(unpinned) = &self.unpinned {
            told(value, &[("unpinned_anchor", unpinned.as_str().into())]);
        }
    }
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
    Ok(download_bundle(url, &EVERYTHING, &anchor).await?.1)
}

async fn download_anchor(url: &Url) -> Result<Anchor> {
    let bytes = download(url, "/registry/anchor", MAX_ANCHOR_BYTES).await?;
    Anchor::parse(&bytes).context("the registry's anchor is not understood")
}

async fn fetch(url: &Url, needs: &Needs, out: &Path, anchor: Option<&Path>, output: Output) -> Result<()> {
    let anchor = match anchor {
        Some(path) => anchors::read(path)?,
        None => download_anchor(url).await?,
    };
    let (bytes, bundle) = download_bundle(url, needs, &anchor).await?;
    let is_new = anchors::pin(&anchor)?;
    seen::admit(&bundle)?;
    write(out, &bytes)?;
    if is_new {
        output.tell(format!("pinned the anchor of {}:\n{anchor}\nCompare it with one from another channel; every later bundle must have it.", anchor.origin()));
    }
    tell_fetched(&bundle, out, is_new, output);
    Ok(())
}

fn tell_fetched(bundle: &TrustedBundle, out: &Path, anchor_pinned: bool, output: Output) {
    let mut value = summary(bundle);
    let file = out.display().to_string();
    told(
        &mut value,
        &[("anchor_pinned", anchor_pinned.into()), ("file", file.into())],
    );
    output.result(format!("{}: trust as of {}", out.display(), bundle.as_of()), &value);
}

/// Nothing is pinned: the bundle counts by what the one in the file `by` says.
async fn fetch_recognised(url: &Url, needs: &Needs, out: &Path, by: &Path, output: Output) -> Result<()> {
    let bytes = download_whole(url, needs).await?;
    let bundle = anchors::load_recognised(&bytes, by).context("the bundle is refused")?;
    seen::admit(&bundle)?;
    write(out, &bytes)?;
    tell_fetched(&bundle, out, false, output);
    Ok(())
}

/// A bundle after an update, and how many bytes that took.
struct Updated {
    bundle: TrustedBundle,
    bytes: Vec<u8>,
    fetched: usize,
    by_delta: bool,
}

async fn update(
    file: &Path,
    (source, needs): (&str, &Needs),
    recognised_by: Option<&Path>,
    output: Output,
) -> Result<()> {
    let previous = anchors::load_by(file, recognised_by)?;
    let updated = match Url::parse(source) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => update_from(&previous, (&url, needs), output).await?,
        _ => {
            let delta = files::read(Path::new(source), "delta", anchors::max_bundle_bytes());
            Some(by_delta(
                &previous,
                &delta.context("expected a URL or a file with a delta")?,
            )?)
        }
    };
    let Some(Updated {
        bundle,
        bytes,
        fetched,
        by_delta,
    }) = updated
    else {
        let mut value = summary(&previous);
        told(&mut value, &[("fetched_bytes", 0.into()), ("changed", false.into())]);
        output.result(format!("{}: there is nothing newer", file.display()), &value);
        return Ok(());
    };
    seen::admit(&bundle)?;
    write(file, &bytes)?;
    let mut value = summary(&bundle);
    let more = [
        ("fetched_bytes", fetched.into()),
        ("by_delta", by_delta.into()),
        ("changed", true.into()),
    ];
    told(&mut value, &more);
    let text = format!(
        "{}: trust as of {}, {fetched} bytes fetched",
        file.display(),
        bundle.as_of()
    );
    output.result(text, &value);
    Ok(())
}

/// By what changed, or whole where that cannot be had or does not fit: the registry forgets after a week, and a bundle may
/// lack lists. `None` where there is nothing newer.
async fn update_from(
    previous: &TrustedBundle,
    (url, needs): (&Url, &Needs),
    output: Output,
) -> Result<Option<Updated>> {
    let unfit = match ask_delta(previous, url, needs).await? {
        Delta::Nothing => return Ok(None),
        Delta::Bytes(bytes) => match by_delta(previous, &bytes) {
            Ok(updated) => return Ok(Some(updated)),
            Err(error) => Some(error),
        },
        Delta::None => None,
    };
    if let Some(error) = &unfit {
        output.tell(format!("the whole bundle is fetched: {error:#}"));
    }
    let bytes = download_whole(url, needs).await?;
    let later = previous.load_later(&bytes, Limits::default());
    let bundle = later.context("the bundle does not replace the one at hand")?;
    if bundle.checkpoint() == previous.checkpoint() {
        return match unfit {
            Some(error) => Err(error.context("the delta leads nowhere, and the whole bundle is no later one")),
            None => Ok(None),
        };
    }
    Ok(Some(Updated {
        bundle,
        fetched: bytes.len(),
        bytes,
        by_delta: false,
    }))
}

fn by_delta(previous: &TrustedBundle, delta: &[u8]) -> Result<Updated> {
    let applied = previous.apply(delta, Limits::default());
    let (bundle, bytes) = applied.context("the delta does not lead on from the bundle at hand")?;
    Ok(Updated {
        bundle,
        bytes,
        fetched: delta.len(),
        by_delta: true,
    })
}

async fn fetch_delta(
    file: &Path,
    (url, needs): (&Url, &Needs),
    out: &Path,
    recognised_by: Option<&Path>,
    output: Output,
) -> Result<()> {
    let previous = anchors::load_by(file, recognised_by)?;
    let bytes = match ask_delta(&previous, url, needs).await? {
        Delta::Bytes(bytes) => bytes,
        Delta::Nothing => anyhow::bail!("there is nothing newer than {}", file.display()),
        Delta::None => anyhow::bail!(
            "expected a bundle that the registry still knows, found {} to be older: fetch a whole one",
            file.display()
        ),
    };
    // Whoever carries it away should know that it fits.
    let updated = by_delta(&previous, &bytes)?;
    write(out, &bytes)?;
    let text = format!(
        "{}: {} bytes, to trust as of {}",
        out.display(),
        bytes.len(),
        updated.bundle.as_of()
    );
    let value = json!({
        "file": out.display().to_string(), "bytes": bytes.len(), "as_of": updated.bundle.as_of().to_rfc3339(),
    });
    output.result(text, &value);
    Ok(())
}

/// What the registry has after a bundle.
enum Delta {
    Bytes(Vec<u8>),
    /// Nothing: the bundle is the newest one.
    Nothing,
    /// Nothing that begins there.
    None,
}

async fn ask_delta(previous: &TrustedBundle, url: &Url, needs: &Needs) -> Result<Delta> {
    let path = path("/registry/bundle/delta", Some(previous.checkpoint().size()), needs);
    let request = Outgoing::get(&platform::at(url, &path), Limits::default().max_bytes)?;
    let fetched = ask(url, request).await?;
    Ok(match fetched.status {
        200 => Delta::Bytes(fetched.body),
        204 => {
            check_newest(previous, url).await?;
            Delta::Nothing
        }
        // Another log's bundle, one of long ago, or a registry that makes none.
        404 | 410 => Delta::None,
        _ => return Err(refusal(&fetched)),
    })
}

/// That nothing is newer counts only with the checkpoint of the bundle itself.
async fn check_newest(previous: &TrustedBundle, url: &Url) -> Result<()> {
    let bytes = download(url, "/registry/checkpoint", MAX_NOTE_BYTES).await?;
    let checkpoint = SignedCheckpoint::parse(&bytes).context("the registry's checkpoint is not understood")?;
    let policy = previous.state().policy().context("the bundle has no policy")?;
    let witnessed = policy
        .witnesses()
        .verify_with(&checkpoint, &policy.body().state_quorum)
        .with_context(|| format!("{url} is another registry than that of the bundle"))?;
    anyhow::ensure!(
        witnessed.checkpoint() == previous.checkpoint(),
        "the registry says that nothing is newer, and its checkpoint is another one; try again"
    );
    Ok(())
}

/// For whoever needs the whole of a bundle.
const EVERYTHING: Needs = Needs {
    issuer: Vec::new(),
    types: Vec::new(),
    territory: Vec::new(),
};

/// A path with what is needed as its query.
fn path(path: &str, from: Option<u64>, needs: &Needs) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(from) = from {
        query.append_pair("from", &from.to_string());
    }
    for (name, values) in [
        ("issuer", &needs.issuer),
        ("type", &needs.types),
        ("territory", &needs.territory),
    ] {
        query.extend_pairs(values.iter().map(|value| (name, value)));
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

/// Adds members to what programs read.
pub(super) fn told(value: &mut Value, more: &[(&str, Value)]) {
    if let Some(object) = value.as_object_mut() {
        object.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
}

async fn download_bundle(url: &Url, needs: &Needs, anchor: &Anchor) -> Result<(Vec<u8>, TrustedBundle)> {
    let bytes = download_whole(url, needs).await?;
    let bundle = TrustedBundle::load(&bytes, anchor, Limits::default()).context("the bundle is refused")?;
    Ok((bytes, bundle))
}

async fn download_whole(url: &Url, needs: &Needs) -> Result<Vec<u8>> {
    download(url, &path("/registry/bundle", None, needs), Limits::default().max_bytes).await
}

async fn download(url: &Url, path: &str, max_bytes: usize) -> Result<Vec<u8>> {
    let request = Outgoing::get(&platform::at(url, path), max_bytes)?;
    let fetched = ask(url, request).await?;
    if fetched.is_success() {
        return Ok(fetched.body);
    }
    Err(refusal(&fetched))
}

async fn ask(url: &Url, request: Outgoing) -> Result<Fetched> {
    let sent = platform::fetcher()?.send(request).await;
    sent.with_context(|| format!("the platform at {url} does not answer; is `attestry up` running?"))
}

fn refusal(fetched: &Fetched) -> anyhow::Error {
    let refused = platform::answer(fetched).err();
    refused.unwrap_or_else(|| anyhow::anyhow!("the platform refused"))
}

/// The algorithms by which the log signed a checkpoint, of those that its Policy demands.
pub(crate) fn log_signatures(witnessed: &WitnessedCheckpoint) -> Vec<&'static str> {
    if witnessed.is_signed_with_ml_dsa() {
        vec!["Ed25519", "ML-DSA-44"]
    } else {
        vec!["Ed25519"]
    }
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
        "pending_recovery": PendingRecovery::of(state).map(|pending| pending.to_json()),
        "log_signatures": log_signatures(bundle.witnessed()),
        "witnesses": bundle.witnessed().cosigned().keys().collect::<Vec<_>>(),
    })
}
