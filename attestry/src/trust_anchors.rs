//! Issuers outside of every registry that the operator of a verifier chose to trust: files of `--trust-anchor`.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use verifier::TrustAnchors;

use crate::commands::read_file;

/// Reads every file; the anchors of all of them count together.
pub(crate) fn load(paths: &[PathBuf]) -> Result<TrustAnchors> {
    let mut anchors = TrustAnchors::default();
    for path in paths {
        anchors
            .add(&read_file(path)?)
            .with_context(|| format!("cannot use the trust anchors in {}", path.display()))?;
    }
    Ok(anchors)
}
