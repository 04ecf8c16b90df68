//! Pinned anchors: which registries this person believes.
//!
//! `ATTESTRY_HOME/anchors/` holds one file for each origin. The first bundle of an origin pins its anchor; a
//! bundle of the same origin with another anchor is refused, and so is one of an origin that was never fetched, unless a
//! registry that is pinned recognises it.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::BundleError;
use trust::bundle::Extract;
use trust::bundle::Limits;
use trust::bundle::RecognitionError;
use verifier::Reason;
use verifier::Refused;

use crate::files;
use crate::platform::home;

/// An anchor is a few lines.
const MAX_ANCHOR_BYTES: u64 = 64 * 1024;

/// Pins `anchor` if no other of its origin is pinned; whether it is new.
pub(crate) fn pin(anchor: &Anchor) -> Result<bool> {
    let path = path_of(anchor)?;
    if path.exists() {
        let pinned = read(&path)?;
        if pinned != *anchor {
            bail!(
                "expected the anchor of {} that is pinned in {}, found another: this is another registry under the same name. Remove the file only if you know from another channel that the registry was founded anew",
                anchor.origin(),
                path.display()
            );
        }
        return Ok(false);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(&path, anchor.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(true)
}

/// Reads an anchor file.
pub(crate) fn read(path: &Path) -> Result<Anchor> {
    let bytes = files::read(path, "anchor", MAX_ANCHOR_BYTES)?;
    Anchor::parse(&bytes).with_context(|| format!("cannot understand the anchor {}", path.display()))
}

/// Every pinned anchor.
pub(crate) fn pinned() -> Result<Vec<Anchor>> {
    let folder = home()?.join("anchors");
    let mut anchors = Vec::new();
    if folder.exists() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            anchors.push(read(&entry?.path())?);
        }
    }
    Ok(anchors)
}

/// Loads a bundle file against the pinned anchors.
pub(crate) fn load(path: &Path) -> Result<TrustedBundle> {
    load_bytes(&read_bundle(path)?, path)
}

/// Loads a bundle file against the pinned anchors or, where a bundle that recognises its registry is named, against that.
pub(crate) fn load_by(path: &Path, recognised_by: Option<&Path>) -> Result<TrustedBundle> {
    match recognised_by {
        None => load(path),
        Some(by) => load_recognised(&read_bundle(path)?, by)
            .with_context(|| format!("the bundle {} is refused", path.display())),
    }
}

/// A bundle that counts because of the one in the file `by`.
pub(crate) fn load_recognised(bytes: &[u8], by: &Path) -> Result<TrustedBundle> {
    let by = load(by)?;
    Ok(TrustedBundle::load_recognised(bytes, &[&by], Limits::default())?)
}

/// Loads bundle files: those of pinned registries, and with them those of registries that these recognise.
///
/// # Errors
/// Inside: the verdict on a bundle of a registry that is neither.
pub(crate) fn load_all(paths: &[PathBuf]) -> Result<Result<Vec<TrustedBundle>, Refused>> {
    let (mut pinned, mut others) = (Vec::new(), Vec::new());
    for path in paths {
        let bytes = read_bundle(path)?;
        match load_bytes(&bytes, path) {
            Ok(bundle) => pinned.push(bundle),
            Err(error) if is_of_another(&error) => others.push((bytes, path)),
            Err(error) => return Err(error),
        }
    }
    let by: Vec<&TrustedBundle> = pinned.iter().collect();
    let mut recognised = Vec::new();
    for (bytes, path) in others {
        match TrustedBundle::load_recognised(&bytes, &by, Limits::default()) {
            Ok(bundle) => recognised.push(bundle),
            Err(BundleError::NotRecognised { found }) => {
                let reason = Reason::Recognition(RecognitionError::None { origin: found });
                return Ok(Err(reason.into()));
            }
            Err(BundleError::Recognition(error)) => return Ok(Err(Reason::Recognition(error).into())),
            Err(error) => return Err(refused(error, path)),
        }
    }
    pinned.append(&mut recognised);
    Ok(Ok(pinned))
}

/// An extract of a register that is pinned, or that a pinned one of `bundles` recognises.
pub(crate) fn load_extract(bytes: &[u8], bundles: &[&TrustedBundle]) -> Result<Extract> {
    for anchor in &pinned()? {
        match Extract::load(bytes, anchor) {
            Err(BundleError::Anchor { .. }) => {}
            loaded => return loaded.context("the extract is refused"),
        }
    }
    Extract::load_recognised(bytes, bundles).context("the extract is refused")
}

/// Whether an extract was refused because nothing here knows its register.
pub(crate) fn is_of_nobody(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BundleError::NotRecognised { .. }))
}

fn read_bundle(path: &Path) -> Result<Vec<u8>> {
    files::read(path, "bundle", max_bundle_bytes())
}

/// Of a bundle file, and of a delta, which is no larger.
pub(crate) fn max_bundle_bytes() -> u64 {
    u64::try_from(Limits::default().max_bytes).unwrap_or(u64::MAX)
}

fn load_bytes(bytes: &[u8], path: &Path) -> Result<TrustedBundle> {
    let anchors = pinned()?;
    anyhow::ensure!(
        !anchors.is_empty(),
        "expected a pinned anchor, found none: fetch a bundle first with `attestry bundle fetch`"
    );
    let mut worst = None;
    for anchor in &anchors {
        match TrustedBundle::load(bytes, anchor, Limits::default()) {
            Ok(bundle) => return Ok(bundle),
            // What is wrong with a bundle of that origin says more than that it is of no other.
            Err(error @ BundleError::Anchor { .. }) => worst = worst.or(Some(error)),
            Err(error) => worst = Some(error),
        }
    }
    Err(refused(worst.context("no anchor is pinned")?, path))
}

fn is_of_another(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(BundleError::Anchor { .. }))
}

fn refused(error: BundleError, path: &Path) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("the bundle {} is refused", path.display()))
}

fn path_of(anchor: &Anchor) -> Result<PathBuf> {
    Ok(home()?
        .join("anchors")
        .join(format!("{}.anchor", safe_name(anchor.origin()))))
}

/// An origin as a part of a file's name.
pub(crate) fn safe_name(origin: &str) -> String {
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' || c == '-' {
            c
        } else {
            '_'
        }
    };
    origin.chars().map(safe).collect()
}
