//! A trusted list that somebody handed out, held against what the registry has committed to.

use std::path::Path;

use anyhow::Context as _;
use anyhow::Result;
use keys::cose::UnverifiedSign1;
use keys::jws::UnverifiedJws;
use serde_json::json;
use trust::TrustedBundle;
use trust::merkle::Hash;

use crate::cli::Projection;
use crate::files;
use crate::output::Output;

/// The list of a nation of 20,000 agencies with ten services each, and as much again.
const MAX_LIST_BYTES: usize = 256 << 20;

/// Tells whether the list in `file` is the one that the bundle's Snapshot has the digest of. Whose signature it bears
/// does not matter: the registry's witnesses have cosigned that digest.
pub(super) fn compare(bundle: &TrustedBundle, projection: Projection, file: &Path, output: Output) -> Result<()> {
    let name = projection.name();
    let published = bundle.snapshot().projections.as_ref();
    let published =
        published.context("the registry of the bundle publishes no lists: its policy has no publication")?;
    let expected = published
        .get(name)
        .with_context(|| format!("the registry of the bundle publishes no {name}"))?;
    let signed = files::read(file, name, u64::try_from(MAX_LIST_BYTES).unwrap_or(u64::MAX))?;
    let content =
        content(projection, &signed).with_context(|| format!("cannot understand {} as {name}", file.display()))?;
    let found = Hash::digest(&content);
    anyhow::ensure!(
        found == expected,
        "expected the {name} of SHA-256 {expected}, which the registry made at {} and its witnesses cosigned, found one of \
         {found}: fetch list and bundle anew; if they still differ, somebody hands out another list than the registry's",
        published.made.to_rfc3339()
    );
    let made = published.made.to_rfc3339();
    output.result(
        format!("{}: the registry's {name} of {made}", file.display()),
        &json!({"name": name, "sha256": expected.to_string(), "made": made, "as_of": bundle.as_of().to_string()}),
    );
    Ok(())
}

/// What is signed in it.
fn content(projection: Projection, signed: &[u8]) -> Result<Vec<u8>> {
    match projection {
        Projection::EtsiLote => {
            let text = std::str::from_utf8(signed).context("expected a JWS, found bytes that are not UTF-8")?;
            let jws = UnverifiedJws::parse(text.trim_ascii_end(), MAX_LIST_BYTES)?;
            Ok(jws.unverified_payload().to_vec())
        }
        // Its statements are signed one by one.
        Projection::OpenidFederation => Ok(signed.to_vec()),
        Projection::Vical => {
            let sign1 = UnverifiedSign1::parse(signed, MAX_LIST_BYTES)?;
            let payload = sign1.unverified_payload();
            Ok(payload
                .context("expected a list inside the COSE_Sign1, found none")?
                .to_vec())
        }
    }
}
