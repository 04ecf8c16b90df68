//! `registry audit` and `registry mirror`: a log judged by whoever does not want to trust its operator.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use serde_json::Value;
use serde_json::json;
use trust::Anchor;
use trust::audit::Audited;
use trust::audit::Violation;
use trust::checkpoint::SignedCheckpoint;
use url::Url;
use witness::FollowError;
use witness::MirrorError;
use witness::Source;

use crate::anchors;
use crate::commands::bundle::log_signatures;
use crate::commands::read_file;
use crate::files::write;
use crate::output::Output;
use crate::output::Progress;
use crate::platform;

pub(super) async fn audit(
    source: &str,
    anchor: Option<&Path>,
    from: Option<&Path>,
    save: Option<&Path>,
    output: Output,
) -> Result<ExitCode> {
    let place = place(source)?;
    let earlier = from.map(read_checkpoint).transpose()?;
    let anchor = anchor_of(&place, anchor, output).await?;
    let mut progress = Progress::new("entries hold");
    let judged = witness::audit(&place, anchor, earlier, &mut |done, all| progress.at(done, all)).await;
    progress.end();
    match judged {
        Ok((audited, checkpoint)) => {
            if let Some(path) = save {
                write(path, checkpoint.to_string().as_bytes())?;
            }
            let value = summary(&audited, &checkpoint.to_string());
            output.result(format!("{}: {}", source, sentence(&audited)), &value);
            Ok(ExitCode::SUCCESS)
        }
        Err(FollowError::Violation(violation)) => Ok(tell(source, &violation, output)),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn mirror(source: &str, to: &Path, anchor: Option<&Path>, output: Output) -> Result<ExitCode> {
    let place = place(source)?;
    let anchor = anchor_of(&place, anchor, output).await?;
    let mut progress = Progress::new("entries copied");
    let copied = witness::mirror(&place, to, anchor, &mut |done, all| progress.at(done, all)).await;
    progress.end();
    match copied {
        Ok(audited) => {
            let checkpoint = Source::folder(to).checkpoint().await?;
            let value = summary(&audited, &checkpoint.to_string());
            output.result(format!("{}: {}", to.display(), sentence(&audited)), &value);
            Ok(ExitCode::SUCCESS)
        }
        Err(MirrorError::Follow(FollowError::Violation(violation))) => Ok(tell(source, &violation, output)),
        Err(error) => Err(error.into()),
    }
}

/// A URL by its scheme; everything else is a folder.
pub(in crate::commands) fn place(source: &str) -> Result<Source> {
    if source.starts_with("https://") || source.starts_with("http://") {
        let url = Url::parse(source).with_context(|| format!("expected a URL, found {source}"))?;
        return Ok(Source::url(platform::fetcher()?, url));
    }
    let folder = Path::new(source);
    anyhow::ensure!(
        folder.is_dir(),
        "expected an https URL or a folder with a log, found {source}"
    );
    Ok(Source::folder(folder))
}

/// The anchor from a file, or the pinned one, or the one beside the log.
pub(in crate::commands) async fn anchor_of(source: &Source, file: Option<&Path>, output: Output) -> Result<Anchor> {
    if let Some(file) = file {
        return anchors::read(file);
    }
    let own = source.anchor().await?;
    let pinned = anchors::pinned()?
        .into_iter()
        .find(|pinned| pinned.origin() == own.origin());
    if pinned.is_none() {
        output.tell(format!(
            "no anchor of {} is pinned: the one beside the log is taken. Compare it with one from another channel:\n{own}",
            own.origin()
        ));
    }
    Ok(pinned.unwrap_or(own))
}

fn read_checkpoint(path: &Path) -> Result<SignedCheckpoint> {
    let bytes = read_file(path)?;
    SignedCheckpoint::parse(&bytes).with_context(|| format!("cannot understand the checkpoint {}", path.display()))
}

fn sentence(audited: &Audited) -> String {
    let checkpoint = audited.checkpoint.checkpoint();
    format!(
        "all {} entries of {} hold; signed with {}; witnessed {} by {}; root {}",
        checkpoint.size(),
        checkpoint.origin(),
        log_signatures(&audited.checkpoint).join(" and "),
        audited.checkpoint.as_of(),
        audited
            .checkpoint
            .cosigned()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
            .join(", "),
        checkpoint.root().to_base64(),
    )
}

fn summary(audited: &Audited, note: &str) -> Value {
    let checkpoint = audited.checkpoint.checkpoint();
    json!({
        "holds": true,
        "origin": checkpoint.origin(),
        "size": checkpoint.size(),
        "root": checkpoint.root().to_base64(),
        "as_of": audited.checkpoint.as_of().to_rfc3339(),
        "log_signatures": log_signatures(&audited.checkpoint),
        "witnesses": audited.checkpoint.cosigned().keys().collect::<Vec<_>>(),
        "state": audited.state.digest().to_string(),
        "checkpoint": note,
    })
}

/// That a log does not hold is a finding, not an error.
fn tell(source: &str, violation: &Violation, output: Output) -> ExitCode {
    let causes: Vec<String> = anyhow::Error::new(violation.clone())
        .chain()
        .map(ToString::to_string)
        .collect();
    let value = json!({"holds": false, "violation": causes.first(), "causes": causes.get(1..)});
    output.result(format!("{source} does not hold: {}", causes.join(": ")), &value);
    ExitCode::FAILURE
}
