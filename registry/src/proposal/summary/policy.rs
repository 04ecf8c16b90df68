//! What a Policy changes, in plain words: nothing that changes is left out, and keys and digests are told whole, for whoever
//! signs has to compare them.

#[cfg(test)]
mod tests;

use keys::Algorithm;
use trust::entry::Authority;
use trust::entry::Draft;
use trust::entry::Officer;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Publication;
use trust::entry::Recovery;
use trust::entry::approval_algorithm_name;
use trust::merkle::Hash;
use trust::state::PolicyRecord;
use trust::state::State;

use super::listing::published;

/// What a draft of a Policy says and brings about.
pub(super) fn summary(new: &PolicyBody, draft: &Draft, state: &State) -> String {
    let before = state.policy_of(draft.policy).map(PolicyRecord::body);
    let changes = changes(new, before);
    match new.kind {
        PolicyKind::Regular => {
            let cancels = state
                .pending_recovery()
                .is_some_and(|(record, _)| record.hash() == draft.prev);
            let cancels = if cancels {
                "; this cancels the recovery that is pending"
            } else {
                ""
            };
            format!("Change the policy: {changes}{cancels}")
        }
        PolicyKind::Recovery => {
            let delay = before.and_then(|before| before.recovery.as_ref());
            let delay = delay.map_or_else(|| "a delay".to_owned(), |recovery| duration(recovery.delay));
            format!(
                "Recover the policy with recovery keys: {changes}; takes effect {delay} after it is logged, unless officers change the policy before"
            )
        }
    }
}

/// Whether anything changes but who approves.
pub(in crate::proposal) fn is_change(new: &PolicyBody, before: &PolicyBody) -> bool {
    let alike = PolicyBody {
        kind: new.kind,
        genesis_time: new.genesis_time,
        ..before.clone()
    };
    alike != *new
}

/// All that changes, with semicolons between. Where there is no Policy before, everything is new.
pub(in crate::proposal) fn changes(new: &PolicyBody, before: Option<&PolicyBody>) -> String {
    let nothing = PolicyBody {
        kind: PolicyKind::Regular,
        authorities: Vec::new(),
        witness_policy: String::new(),
        state_quorum: String::new(),
        methods: Vec::new(),
        algorithms: Vec::new(),
        recovery: None,
        genesis_time: None,
        publication: None,
    };
    let before = before.unwrap_or(&nothing);
    let mut changes = Vec::new();
    authorities(&mut changes, &new.authorities, &before.authorities);
    recovery(&mut changes, new.recovery.as_ref(), before.recovery.as_ref());
    set(
        &mut changes,
        "DID methods that may be accredited",
        &new.methods,
        &before.methods,
    );
    let named = |algorithms: &[Algorithm]| -> Vec<String> { algorithms.iter().copied().map(name).collect() };
    let algorithms = (named(&new.algorithms), named(&before.algorithms));
    set(&mut changes, "algorithms of approvals", &algorithms.0, &algorithms.1);
    witnesses(&mut changes, new, before);
    publication(&mut changes, new.publication.as_ref(), before.publication.as_ref());
    if changes.is_empty() {
        changes.push("everything stays as it is".to_owned());
    }
    changes.join("; ")
}

fn authorities(changes: &mut Vec<String>, new: &[Authority], before: &[Authority]) {
    let find = |all: &'_ [Authority], id: &str| all.iter().position(|authority| authority.id == id);
    for authority in new {
        match find(before, &authority.id).and_then(|at| before.get(at)) {
            Some(before) => changed_authority(changes, authority, before),
            None => changes.push(added_authority(authority)),
        }
    }
    for authority in before.iter().filter(|authority| find(new, &authority.id).is_none()) {
        changes.push(format!("the authority {} is removed", authority.id));
    }
    let governs = |all: &[Authority]| all.first().map(|authority| authority.id.clone());
    if let (Some(governing), Some(other)) = (governs(new), governs(before))
        && governing != other
    {
        changes.push(format!("{governing} governs instead of {other}"));
    }
    // Their order says nothing but who governs; it is told all the same, for it is signed.
    let places = new.iter().filter_map(|authority| find(before, &authority.id));
    if !places.is_sorted() {
        changes.push("the authorities come in another order".to_owned());
    }
}

fn added_authority(authority: &Authority) -> String {
    let officers: Vec<String> = authority.officers.iter().map(described).collect();
    format!(
        "the authority {} is added: {} of its {} officers must sign, {}; it may accredit {}",
        authority.id,
        authority.threshold,
        authority.officers.len(),
        officers.join(", "),
        scope(authority)
    )
}

fn changed_authority(changes: &mut Vec<String>, new: &Authority, before: &Authority) {
    let id = &new.id;
    for officer in &new.officers {
        match before.officer(&officer.id) {
            Some(before) => changed_officer(changes, id, officer, before),
            None => changes.push(format!("{} joins {id}", described(officer))),
        }
    }
    let left = before
        .officers
        .iter()
        .filter(|officer| new.officer(&officer.id).is_none());
    changes.extend(left.map(|officer| format!("{} leaves {id}", officer.id)));
    if new.threshold != before.threshold {
        changes.push(format!(
            "{} officers of {id} must sign instead of {}",
            new.threshold, before.threshold
        ));
    }
    if new.scope != before.scope {
        changes.push(format!("{id} may accredit {} instead of {}", scope(new), scope(before)));
    }
}

fn changed_officer(changes: &mut Vec<String>, authority: &str, new: &Officer, before: &Officer) {
    let id = &new.id;
    let moves = new.key != before.key;
    let key = new.key.to_multikey();
    let is_next = before.next == Some(Hash::digest(key.as_bytes()));
    if moves {
        let which = if is_next { "the next key, " } else { "the key " };
        let from = before.key.to_multikey();
        changes.push(format!("{id} of {authority} moves to {which}{key}, from {from}"));
    }
    match new.next.filter(|_| new.next != before.next) {
        Some(next) => changes.push(format!("{id} of {authority} commits to the next key of digest {next}")),
        // The one that was committed to is in office now, or stays committed to.
        None if new.next == before.next || (moves && is_next) => {}
        None => changes.push(format!("{id} of {authority} commits to a next key no longer")),
    }
}

fn described(officer: &Officer) -> String {
    let key = officer.key.to_multikey();
    match officer.next {
        Some(next) => format!("{} with the key {key} and the next key of digest {next}", officer.id),
        None => format!("{} with the key {key}", officer.id),
    }
}

fn scope(authority: &Authority) -> String {
    match authority.scope.as_deref() {
        None => "everything".to_owned(),
        Some([]) => "nothing".to_owned(),
        Some(resources) => resources.join(", "),
    }
}

fn publication(changes: &mut Vec<String>, new: Option<&Publication>, before: Option<&Publication>) {
    match new {
        _ if new == before => {}
        Some(new) => {
            let instead = before.map_or_else(|| "not at all".to_owned(), published);
            changes.push(format!(
                "the registry is published as {} instead of {instead}",
                published(new)
            ));
        }
        None => changes.push("the registry is not published in the forms of others any longer".to_owned()),
    }
}

fn recovery(changes: &mut Vec<String>, new: Option<&Recovery>, before: Option<&Recovery>) {
    let told = |recovery: &Recovery| {
        let Recovery { threshold, keys, delay } = recovery;
        format!("{threshold} of {} keys after {}", keys.len(), duration(*delay))
    };
    match (new, before) {
        _ if new == before => {}
        (Some(new), before) => {
            let instead = before.map_or_else(|| "not at all".to_owned(), told);
            let keys: Vec<String> = new.keys.iter().map(Hash::to_string).collect();
            changes.push(format!(
                "recovery by {} instead of {instead}, of digests {}",
                told(new),
                keys.join(", ")
            ));
        }
        (None, _) => changes.push("no recovery by keys any longer".to_owned()),
    }
}

fn set(changes: &mut Vec<String>, what: &str, new: &[String], before: &[String]) {
    if new == before {
        return;
    }
    let instead = if before.is_empty() {
        "none".to_owned()
    } else {
        before.join(", ")
    };
    changes.push(format!("{what}: {} instead of {instead}", new.join(", ")));
}

/// The tlog-policy by its lines: no other words would be exact.
fn witnesses(changes: &mut Vec<String>, new: &PolicyBody, before: &PolicyBody) {
    if new.witness_policy != before.witness_policy {
        let lines = |of: &str, but: &str| -> Vec<String> {
            let others: Vec<&str> = but.lines().collect();
            let lines = of.lines().filter(|line| !others.contains(line));
            lines.map(|line| format!("\"{line}\"")).collect()
        };
        let gained = lines(&new.witness_policy, &before.witness_policy);
        let lost = lines(&before.witness_policy, &new.witness_policy);
        if gained.is_empty() && lost.is_empty() {
            changes.push("the lines of the tlog-policy come in another order".to_owned());
        }
        if !gained.is_empty() {
            changes.push(format!("the tlog-policy gets {}", gained.join(", ")));
        }
        if !lost.is_empty() {
            changes.push(format!("the tlog-policy loses {}", lost.join(", ")));
        }
    }
    if new.state_quorum != before.state_quorum {
        changes.push(format!(
            "the state quorum is {} instead of {}",
            new.state_quorum, before.state_quorum
        ));
    }
}

fn name(algorithm: Algorithm) -> String {
    approval_algorithm_name(algorithm)
        .unwrap_or_else(|| algorithm.jose_name())
        .to_owned()
}

/// A delay in words: whole days or hours where it is so many, as delays are told among people.
#[must_use]
pub fn duration(seconds: u64) -> String {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let (count, unit) = if seconds.is_multiple_of(DAY) {
        (seconds / DAY, "day")
    } else if seconds.is_multiple_of(HOUR) {
        (seconds / HOUR, "hour")
    } else {
        (seconds, "second")
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
