//! `spec/interop.md`: what exchanges with independent implementations came to.
//!
//! The tests in `crates/credential/tests/peers` write a file for each exchange into a folder; the table is made of
//! these, so that it says what was seen and nothing else.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;
use serde_json::Value;

/// The variable in which the tests find the folder.
pub(crate) const FOLDER: &str = "ATTESTRY_MATRIX";

const HEAD: &str = "\
# Formats against independent implementations

Made by `cargo xtask interop`; do not edit. Each row is one exchange that the tests in `crates/credential/tests/peers` have made: the genuine thing is accepted, then each of so many single changes of it (a value, a member left out, a bit of a signature, a header) is offered to the side that verifies. Where that side is ours, every change must be refused, or the tests fail.

Without key binding the SD-JWT packages read past a disclosure that no digest names, where RFC 9901 has it refused; the tests see to it that what they read does not show the changed claim. `@owf/mdoc` finds an mdoc's key by its certificate and reads past `kid`; it does not heed the status of a device response, and it compares the digest of what it encodes anew, so that a date with a comma for a hyphen is the same date to it. The tests see to it that it reads what was signed.

| Format | Peer | Exchange | Changes | Refused |
|---|---|---|---|---|
";

/// An empty folder for the tests to write to.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn folder(target: &Path) -> Result<PathBuf> {
    let folder = target.join("interop-matrix");
    if folder.is_dir() {
        fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder)
}

/// Writes the table.
///
/// # Errors
/// When the exchanges cannot be read, or there are none.
pub(crate) fn write(root: &Path, folder: &Path) -> Result<()> {
    let path = page(root);
    fs::write(&path, table(folder)?).with_context(|| format!("writing {}", path.display()))
}

/// Compares the table with the committed one.
///
/// # Errors
/// When they differ.
pub(crate) fn check(root: &Path, folder: &Path) -> Result<()> {
    let path = page(root);
    let found = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    if found == table(folder)? {
        Ok(())
    } else {
        bail!(
            "{} is not what the exchanges came to; run `cargo xtask interop` and commit it",
            path.display()
        )
    }
}

fn page(root: &Path) -> PathBuf {
    root.join("spec/interop.md")
}

fn table(folder: &Path) -> Result<String> {
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("listing {}", folder.display()))? {
        let path = entry?.path();
        let text = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        let exchange: Value = serde_json::from_slice(&text).with_context(|| format!("reading {}", path.display()))?;
        let (key, row) = row(&exchange).with_context(|| format!("expected an exchange in {}", path.display()))?;
        rows.insert(key, row);
    }
    if rows.is_empty() {
        bail!("expected exchanges in {}, found none", folder.display());
    }
    Ok(rows.values().fold(HEAD.to_owned(), |mut text, row| {
        text.push_str(row);
        text
    }))
}

/// The names without their numbers, and how many there are of each.
fn kinds(names: &[&str]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        let kind = name.replace(|character: char| character.is_ascii_digit(), "N");
        *kinds.entry(kind).or_default() += 1;
    }
    let counted: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} x {kind}")).collect();
    counted.join(", ")
}

/// What the row is sorted by, and the row.
fn row(exchange: &Value) -> Option<([String; 3], String)> {
    let text = |name: &str| exchange.get(name).and_then(Value::as_str);
    let [format, peer, what] = [text("format")?, text("peer")?, text("what")?];
    let mutations = exchange.get("mutations")?.as_u64()?;
    let accepted: Vec<&str> = exchange
        .get("accepted")?
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect::<Option<_>>()?;
    let mut row = format!("| {format} | {peer} | {what} | {mutations} | ");
    if accepted.is_empty() {
        row.push_str("all");
    } else {
        let refused = mutations.saturating_sub(accepted.len() as u64);
        // Infallible: it is a string.
        let _ = write!(row, "{refused}; not {}", kinds(&accepted));
    }
    row.push_str(" |\n");
    Some(([format, peer, what].map(str::to_owned), row))
}
