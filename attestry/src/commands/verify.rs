//! `verify`: a presentation file against trust bundles and trust anchors, with no network.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use json_schema::Evaluator;
use keys::Timestamp;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::file::PresentationFile;
use openid4vc::vp::file::RequestFile;
use serde_json::Value;
use trust::TrustedBundle;
use trust::bundle::Extract;
use verifier::Answer;
use verifier::Authority;
use verifier::Delivered;
use verifier::Policy;
use verifier::Question;
use verifier::Refused;
use verifier::RequestOrigin;
use verifier::Verified;

use crate::anchors;
use crate::cli;
use crate::files;
use crate::output::Output;
use crate::seen;
use crate::trust_anchors;

/// Refused, stale or not covered.
const NOT_VALID: u8 = 1;
/// A dozen presentations with portraits.
const MAX_FILE_BYTES: u64 = 8 << 20;

pub(crate) fn run(options: &cli::Verify, output: Output) -> Result<ExitCode> {
    let bundles = match anchors::load_all(&options.bundle)? {
        Ok(bundles) => bundles,
        Err(refused) => return Ok(refuse(&refused, output)),
    };
    let bundles: Vec<&TrustedBundle> = bundles.iter().collect();
    let trust_anchors = trust_anchors::load(&options.trust_anchor)?;
    let max_age = seconds(&options.max_age)?;
    let now = match &options.at {
        Some(text) => {
            Timestamp::parse_rfc3339(text).with_context(|| format!("expected --at as RFC 3339, found {text:?}"))?
        }
        None => server::Clock::System.now(),
    };
    let presentation = PresentationFile::parse(&read_file(&options.presentation)?).with_context(|| {
        format!(
            "expected a file that `wallet present --out` wrote in {}",
            options.presentation.display()
        )
    })?;
    let own = options
        .request
        .as_ref()
        .map(|path| {
            RequestFile::parse(&read_file(path)?)
                .with_context(|| format!("expected a request file in {}", path.display()))
        })
        .transpose()?;
    let mut policy = Policy::new(max_age, &Evaluator).with_trust_anchors(&trust_anchors);
    // Who asks about a time that has passed may ask an old bundle.
    if options.at.is_none() {
        for bundle in &bundles {
            seen::admit(bundle)?;
        }
        if let Some(floor) = seen::floor(anchors::pinned()?.iter())? {
            policy = policy.with_time_floor(floor);
        }
    }
    // A request that was kept apart from the file is the verifier's own: only its own end limits it.
    let request_age = if own.is_some() { i64::MAX } else { max_age };
    let extracts = extracts(&presentation, options, &bundles, output)?;
    let known = Known {
        bundles: &bundles,
        extracts: &extracts,
    };
    let verdict = judge(&presentation, own.as_ref(), request_age, &known, &policy, now);
    Ok(match verdict {
        Ok(verified) => {
            output.result(text_of_valid(&verified), &verified.to_value());
            ExitCode::SUCCESS
        }
        Err(refused) => refuse(&refused, output),
    })
}

/// What the verifier has and what came along.
struct Known<'a> {
    bundles: &'a [&'a TrustedBundle],
    extracts: &'a [Extract],
}

/// Those that were given must hold. One that came with the presentation and does not hold is of no use, and of no harm.
fn extracts(
    presentation: &PresentationFile,
    options: &cli::Verify,
    bundles: &[&TrustedBundle],
    output: Output,
) -> Result<Vec<Extract>> {
    let load = |bytes: &[u8]| -> Result<Extract> {
        let extract = anchors::load_extract(bytes, bundles)?;
        // Who asks about a time that has passed may ask an old one.
        if options.at.is_none() {
            seen::check(&extract)?;
        }
        Ok(extract)
    };
    let mut extracts = Vec::new();
    for path in &options.extract {
        let bytes = files::read(path, "extract", MAX_FILE_BYTES)?;
        extracts.push(load(&bytes).with_context(|| path.display().to_string())?);
    }
    for bytes in presentation.trust_extracts() {
        match load(bytes) {
            Ok(extract) => extracts.push(extract),
            Err(error) => output.tell(format!("an extract in the presentation is not used: {error:#}")),
        }
    }
    Ok(extracts)
}

fn refuse(refused: &Refused, output: Output) -> ExitCode {
    output.result(text_of_refused(refused), &refused.to_value());
    ExitCode::from(NOT_VALID)
}

/// With `--request`, the presentation must answer that request; without, the one in the file, if its signer
/// is known and it is young.
fn judge(
    presentation: &PresentationFile,
    own: Option<&RequestFile>,
    request_age: i64,
    known: &Known<'_>,
    policy: &Policy<'_>,
    now: Timestamp,
) -> Result<Verified, Refused> {
    let jwt = own.map_or_else(|| presentation.request(), RequestFile::request);
    let received: ReceivedRequest = verifier::accept_request(jwt, known.bundles, request_age, now)?;
    let request = received.request();
    let origin = match own {
        Some(_) => RequestOrigin::Own,
        None => RequestOrigin::File {
            issued_at: received.issued_at().unwrap_or(now),
        },
    };
    let question = Question {
        client_id: request.client_id.as_str(),
        nonce: &request.nonce,
        query: &request.dcql_query,
        origin,
        delivered: Delivered::InFile,
    };
    let vp_token = presentation.vp_token(&request.dcql_query)?;
    let answer = Answer {
        vp_token: &vp_token,
        extracts: known.extracts,
    };
    verifier::verify(answer, &question, known.bundles, policy, now)
}

fn text_of_valid(verified: &Verified) -> String {
    let value = verified.to_value();
    let mut lines = vec!["VALID".to_owned()];
    for credential in verified.credentials() {
        lines.push(format!("issuer   {}", credential.facts().issuer()));
        lines.push(match credential.authority() {
            Authority::Registry {
                as_of,
                recognised_by: Some(by),
                ..
            } => format!("trust    as of {as_of}, of a registry that {by} recognises"),
            Authority::Registry { as_of, .. } => format!("trust    as of {as_of}"),
            Authority::TrustAnchor { name } => format!("trust    by the anchor {name}, your own choice"),
        });
        let status = credential.status().iter();
        let mut status: Vec<String> = status
            .map(|status| format!("status   valid, committed {}", status.committed))
            .collect();
        // Views of one list say the same.
        status.dedup();
        lines.extend(status);
    }
    let member = |name: &str| value.get(name).cloned().unwrap_or(Value::Null);
    lines.push(format!(
        "binding  {}",
        member("holder_binding").as_str().unwrap_or("none")
    ));
    if let Some(warnings) = member("warnings").as_array().filter(|warnings| !warnings.is_empty()) {
        lines.extend(warnings.iter().map(|warning| format!("warning  {warning}")));
    }
    let claims = member("claims");
    for (name, claim) in claims.as_object().into_iter().flatten() {
        lines.push(format!("claim    {name} = {claim}"));
    }
    lines.join("\n")
}

fn text_of_refused(refused: &Refused) -> String {
    let value = refused.to_value();
    let reasons = value
        .get("reasons")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut lines = vec![refused.verdict().as_str().to_uppercase()];
    lines.extend(
        reasons
            .iter()
            .filter_map(Value::as_str)
            .map(|reason| format!("because  {reason}")),
    );
    lines.join("\n")
}

pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>> {
    files::read(path, "file", MAX_FILE_BYTES)
}

/// `90s`, `10m`, `2h`, `7d`.
pub(super) fn seconds(text: &str) -> Result<i64> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => bail!("expected a duration such as 90s, 10m, 2h or 7d, found {text:?}"),
    };
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| *number >= 0)
        .with_context(|| format!("expected a duration such as 10m, found {text:?}"))?;
    Ok(number.saturating_mul(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read() {
        assert_eq!(seconds("10m").unwrap(), 600);
        assert_eq!(seconds("90s").unwrap(), 90);
        for bad in ["", "10", "m", "-1m", "1.5h", "10 m"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
