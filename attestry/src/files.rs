//! Files of the person who runs a command.

use std::path::Path;

use anyhow::Context as _;
use anyhow::Result;

/// Old content or new content, never half of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push("~");
    let written = std::fs::write(&temporary, bytes).and_then(|()| std::fs::rename(&temporary, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
