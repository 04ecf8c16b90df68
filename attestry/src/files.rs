//! Files of the person who runs a command.

use std::path::Path;

use anyhow::Context as _;
use anyhow::Result;

/// Reads a file that is expected to be `what`, of at most `limit` bytes. The size is looked at before anything is read.
pub(crate) fn read(path: &Path, what: &str, limit: u64) -> Result<Vec<u8>> {
    let cannot = || format!("cannot read the {what} {}", path.display());
    let found = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(
        found <= limit,
        "expected the {what} {} to have at most {limit} bytes, found {found}",
        path.display()
    );
    std::fs::read(path).with_context(cannot)
}

/// Old content or new content, never half of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push("~");
    let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
