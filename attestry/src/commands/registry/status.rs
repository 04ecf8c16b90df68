//! `registry status`: who governs, and what is about to change.

use anyhow::Context as _;
use anyhow::Result;
use registry::PendingRecovery;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use trust::entry::Authority;
use trust::entry::Officer;
use trust::entry::PolicyBody;
use trust::entry::Recovery;
use trust::entry::approval_algorithm_name;
use url::Url;

use crate::commands::bundle;
use crate::output::Output;

pub(super) async fn run(url: &Url, output: Output) -> Result<()> {
    let current = bundle::current(url).await?;
    current.hint(output);
    let bundle = &current.bundle;
    let policy = bundle.state().policy().context("the registry has no policy")?;
    let pending = PendingRecovery::of(bundle.state()).map(|pending| pending.to_json());
    let mut value = json!({
        "origin": bundle.anchor().origin(),
        "as_of": bundle.as_of().to_rfc3339(),
        "policy": policy.hash().to_string(),
    });
    if let Some(members) = value.as_object_mut() {
        members.extend(described(policy.body()));
        members.extend(
            pending
                .iter()
                .map(|pending| ("pending_recovery".to_owned(), pending.clone())),
        );
    }
    current.add_to(&mut value);
    let pending = pending
        .as_ref()
        .map_or_else(|| "No recovery is pending.".to_owned(), warning);
    let text = format!(
        "{} as of {}\npolicy {}\n{}{pending}",
        bundle.anchor().origin(),
        bundle.as_of().to_rfc3339(),
        policy.hash(),
        lines(policy.body())
    );
    output.result(text, &value);
    Ok(())
}

/// A pending recovery, for people. It is there to be noticed.
pub(super) fn warning(pending: &Value) -> String {
    let member = |name: &str| pending.get(name).and_then(Value::as_str).unwrap_or("unknown");
    format!(
        "A RECOVERY IS PENDING since {}.\nIt takes effect at {}: {}.\nIt is stopped by {}.",
        member("announced_at"),
        member("takes_effect_at"),
        member("changes"),
        member("stopped_by")
    )
}

/// Members as proposals have them, so that a change begins with a copy.
fn described(policy: &PolicyBody) -> Map<String, Value> {
    let authorities: Vec<Value> = policy.authorities.iter().map(authority).collect();
    let mut members = Map::from_iter([
        ("authorities".to_owned(), authorities.into()),
        ("methods".to_owned(), policy.methods.clone().into()),
        ("algorithms".to_owned(), algorithms(policy).into()),
        ("witness_policy".to_owned(), policy.witness_policy.clone().into()),
        ("state_quorum".to_owned(), policy.state_quorum.clone().into()),
    ]);
    if let Some(Recovery { threshold, keys, delay }) = &policy.recovery {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        let recovery = json!({"threshold": threshold, "keys": keys, "delay": delay});
        members.insert("recovery".to_owned(), recovery);
    }
    members
}

fn authority(authority: &Authority) -> Value {
    let officer = |officer: &Officer| match officer.next {
        Some(next) => json!({"id": officer.id, "key": officer.key.to_multikey(), "next": next.to_string()}),
        None => json!({"id": officer.id, "key": officer.key.to_multikey()}),
    };
    let officers: Vec<Value> = authority.officers.iter().map(officer).collect();
    let mut value = json!({"id": authority.id, "threshold": authority.threshold, "officers": officers});
    if let (Some(scope), Some(members)) = (&authority.scope, value.as_object_mut()) {
        members.insert("scope".to_owned(), scope.clone().into());
    }
    value
}

fn algorithms(policy: &PolicyBody) -> Vec<&'static str> {
    let algorithms = policy.algorithms.iter().copied();
    algorithms.filter_map(approval_algorithm_name).collect()
}

fn lines(policy: &PolicyBody) -> String {
    let mut lines = Vec::new();
    for (place, authority) in policy.authorities.iter().enumerate() {
        let does = if place == 0 { "governs" } else { "acts within its scope" };
        let scope = authority.scope.as_ref().map(|scope| format!(" ({})", scope.join(", ")));
        lines.push(format!(
            "{} {does}{}: {} of its {} officers must sign",
            authority.id,
            scope.unwrap_or_default(),
            authority.threshold,
            authority.officers.len()
        ));
        for officer in &authority.officers {
            let next = officer.next.map(|next| format!("  next {next}")).unwrap_or_default();
            lines.push(format!("  {}  {}{next}", officer.id, officer.key.to_multikey()));
        }
    }
    match &policy.recovery {
        Some(Recovery { threshold, keys, delay }) => {
            lines.push(format!(
                "recovery by {threshold} of {} keys, {} after it is logged",
                keys.len(),
                registry::duration(*delay)
            ));
            lines.extend(keys.iter().map(|key| format!("  {key}")));
        }
        None => lines.push("no recovery by keys".to_owned()),
    }
    lines.push(format!(
        "DID methods that may be accredited: {}",
        policy.methods.join(", ")
    ));
    lines.push(format!("algorithms of approvals: {}", algorithms(policy).join(", ")));
    lines.push(format!("state quorum {} of the tlog-policy:", policy.state_quorum));
    lines.extend(policy.witness_policy.lines().map(|line| format!("  {line}")));
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}
