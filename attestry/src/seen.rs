//! What was seen: the newest bundle of each registry that this person has used.
//!
//! `ATTESTRY_HOME/seen/` holds one file for each anchor. A bundle before it is refused, whoever laid it there: the
//! difference may be a revocation. So is a clock that stands before it.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use keys::Timestamp;
use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::Extract;
use trust::bundle::Seen;

use crate::anchors::safe_name;
use crate::files::write;
use crate::platform::home;

/// Remembers the bundle, if it is not older than the one that is remembered.
pub(crate) fn admit(bundle: &TrustedBundle) -> Result<()> {
    let path = path_of(bundle.anchor())?;
    let remembered = read(&path)?;
    let now = match &remembered {
        Some(remembered) => remembered.then(bundle).with_context(|| {
            format!(
                "a newer bundle of {} was used here before: fetch one again, or say with --at for which time the old one is to judge",
                bundle.anchor().origin()
            )
        })?,
        None => bundle.seen(),
    };
    if remembered.as_ref() == Some(&now) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    write(&path, now.to_string().as_bytes())
}

/// That it is not older than the newest bundle that is remembered. An extract is not remembered itself: whoever brought it
/// must not make the verifier's own bundle useless.
pub(crate) fn check(extract: &Extract) -> Result<()> {
    let bundle = extract.bundle();
    if let Some(remembered) = read(&path_of(bundle.anchor())?)? {
        let origin = bundle.anchor().origin();
        let newer = || format!("a newer bundle of {origin} was used here before");
        let _after_it = remembered.then(bundle).with_context(newer)?;
    }
    Ok(())
}

/// The latest time that is known to have passed from bundles of these anchors.
pub(crate) fn floor<'a>(anchors: impl IntoIterator<Item = &'a Anchor>) -> Result<Option<Timestamp>> {
    let mut floor = None;
    for anchor in anchors {
        let seen = read(&path_of(anchor)?)?;
        floor = floor.max(seen.map(|seen| seen.floor()));
    }
    Ok(floor)
}

fn read(path: &std::path::Path) -> Result<Option<Seen>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let seen = Seen::parse(&bytes).with_context(|| {
        format!(
            "cannot understand {}, which says what bundle was used last",
            path.display()
        )
    })?;
    Ok(Some(seen))
}

/// A registry that is founded anew under its old name is another one, and begins without a past.
fn path_of(anchor: &Anchor) -> Result<PathBuf> {
    let genesis = anchor.genesis().to_string();
    let name = format!(
        "{}-{}.json",
        safe_name(anchor.origin()),
        genesis.get(..16).unwrap_or(&genesis)
    );
    Ok(home()?.join("seen").join(name))
}
