//! Pinned anchors: which registries this person believes.
//!
//! `ATTESTRY_HOME/anchors/` holds one file for each origin. The first bundle of an origin pins its anchor; a
//! bundle of the same origin with another anchor is refused, and so is one of an origin that was never fetched.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Limits;

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
    let size = std::fs::metadata(path)
        .with_context(|| format!("cannot read the anchor {}", path.display()))?
        .len();
    anyhow::ensure!(
        size <= MAX_ANCHOR_BYTES,
        "expected an anchor of at most {MAX_ANCHOR_BYTES} bytes in {}, found {size}",
        path.display()
    );
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the anchor {}", path.display()))?;
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
    let limits = Limits::default();
    let size = std::fs::metadata(path)
        .with_context(|| format!("cannot read the bundle {}", path.display()))?
        .len();
    let limit = u64::try_from(limits.max_bytes).unwrap_or(u64::MAX);
    anyhow::ensure!(
        size <= limit,
        "expected a bundle of at most {limit} bytes in {}, found {size}",
        path.display()
    );
    let bytes = std::fs::read(path).with_context(|| format!("cannot read the bundle {}", path.display()))?;
    let anchors = pinned()?;
    anyhow::ensure!(
        !anchors.is_empty(),
        "expected a pinned anchor, found none: fetch a bundle first with `attestry bundle fetch`"
    );
    let mut refused = None;
    for anchor in &anchors {
        match TrustedBundle::load(&bytes, anchor, limits) {
            Ok(bundle) => return Ok(bundle),
            Err(error) => refused = Some(error),
        }
    }
    let refused = refused.context("no anchor is pinned")?;
    Err(anyhow::Error::new(refused).context(format!("the bundle {} is refused", path.display())))
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
