//! Issuers outside of every registry that the operator of a verifier chose to trust: files of `--trust-anchor`.

use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::Result;
use verifier::TrustAnchors;

use crate::commands::read_file;

/// Reads every file; the anchors of all of them count together.
pub(crate) fn load(paths: &[PathBuf]) -> Result<TrustAnchors> {
    paths.iter().try_fold(TrustAnchors::default(), |anchors, path| {
        let anchors = anchors.with(&read_file(path)?);
        anchors.with_context(|| format!("cannot use the trust anchors in {}", path.display()))
    })
}
