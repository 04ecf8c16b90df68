//! A draft in plain words: in lists, and on the machine of whoever is about to sign it.

mod listing;
mod policy;

use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Draft;
use trust::entry::Grant;
use trust::entry::IncidentBody;
use trust::entry::Reason;
use trust::entry::Recognition;
use trust::entry::RecognitionBody;
use trust::entry::SchemaBody;
use trust::merkle::Hash;
use trust::state::State;

pub(super) use policy::changes;
pub use policy::duration;
pub(super) use policy::is_change;

/// One sentence. `state` knows the Policy that the draft goes by, and so what changes of it; an officer's program takes the
/// state of a bundle, and believes nobody else about either.
#[must_use]
pub fn summary(draft: &Draft, state: &State) -> String {
    let subject = &draft.subject;
    match &draft.body {
        Body::Policy(new) => policy::summary(new, draft, state),
        Body::DidEvent(DidEventBody::Webvh { lines, .. }) => format!("Log {} lines of {subject}", lines.len()),
        Body::DidEvent(DidEventBody::Web { document }) => snapshot(draft, document),
        Body::Accreditation(body) => accreditation(subject, body),
        Body::Recognition(RecognitionBody::Recognise(terms)) => recognition(subject, terms),
        Body::Recognition(RecognitionBody::Withdraw) => format!("Recognise the registry {subject} no longer"),
        Body::Schema(SchemaBody::Publish(schema)) => {
            format!(
                "Publish schema {subject}: vct {}, {} documents",
                schema.vct,
                schema.documents.len()
            )
        }
        Body::Schema(SchemaBody::Withdraw) => format!("Withdraw schema {subject}"),
        Body::StatusCommit(commit) => format!("Commit {} status lists of {subject}", commit.lists.len()),
        Body::Snapshot(snapshot) => format!("Snapshot {} of the state", snapshot.epoch),
        Body::Incident(IncidentBody::Declare {
            invalid_since,
            emergency,
            reason,
            ..
        }) => format!(
            "Declare {}an incident: what {subject} signed since {} does not count ({})",
            if *emergency { "in an emergency " } else { "" },
            invalid_since.to_rfc3339(),
            why(*reason)
        ),
        Body::Incident(IncidentBody::Withdraw { reason }) => {
            format!("Withdraw the incident on {subject} ({})", why(*reason))
        }
        Body::Tombstone(tombstone) => format!(
            "End the {} {subject} for good ({})",
            tombstone.target,
            why(tombstone.reason)
        ),
    }
}

/// With what the document is compared by.
fn snapshot(draft: &Draft, document: &[u8]) -> String {
    format!(
        "{} the document of {}: {} bytes of SHA-256 {}",
        if draft.seq == 0 { "Log" } else { "Replace" },
        draft.subject,
        document.len(),
        Hash::digest(document)
    )
}

fn accreditation(subject: &str, body: &AccreditationBody) -> String {
    match body {
        AccreditationBody::Grant(grant) => format!("Grant accreditation {subject}: {}", terms(grant)),
        AccreditationBody::Amend(grant) => format!("Amend accreditation {subject}: {}", terms(grant)),
        AccreditationBody::Suspend {
            reason,
            emergency: true,
        } => {
            format!(
                "Suspend accreditation {subject} in an emergency, for 72 hours ({})",
                why(*reason)
            )
        }
        AccreditationBody::Suspend {
            reason,
            emergency: false,
        } => {
            format!("Suspend accreditation {subject} ({})", why(*reason))
        }
        AccreditationBody::Reinstate { reason } => format!("Reinstate accreditation {subject} ({})", why(*reason)),
        AccreditationBody::Revoke { reason, since: None } => {
            format!("Revoke accreditation {subject} for good ({})", why(*reason))
        }
        AccreditationBody::Revoke {
            reason,
            since: Some(since),
        } => {
            format!(
                "Revoke accreditation {subject} for good, since {} ({})",
                since.to_rfc3339(),
                why(*reason)
            )
        }
    }
}

fn recognition(subject: &str, terms: &Recognition) -> String {
    let actions: Vec<&str> = terms.actions.iter().map(|action| verb(*action)).collect();
    let types: Vec<String> = terms
        .mapping
        .iter()
        .map(|mapping| {
            if mapping.foreign == mapping.local {
                return mapping.foreign.clone();
            }
            format!("{} as {}", mapping.foreign, mapping.local)
        })
        .collect();
    format!(
        "Recognise the registry {subject} at size {}: who may {} there may here, {}, until {}",
        terms.size,
        actions.join(" or "),
        if types.is_empty() {
            "all types".to_owned()
        } else {
            types.join(", ")
        },
        terms.valid_until.to_rfc3339()
    )
}

const fn verb(action: Action) -> &'static str {
    match action {
        Action::Issue => "issue",
        Action::Publish => "publish",
        Action::Verify => "verify",
    }
}

fn terms(grant: &Grant) -> String {
    let resources: Vec<&str> = grant.resources.iter().map(|resource| resource.id.as_str()).collect();
    let verb = verb(grant.action);
    let listed = grant.listing.as_ref().map(listing::listed);
    format!(
        "{} may {verb} {} from {} until {}{}",
        grant.entity,
        resources.join(", "),
        grant.valid_from.to_rfc3339(),
        grant.valid_until.to_rfc3339(),
        listed.map(|listed| format!(", {listed}")).unwrap_or_default()
    )
}

const fn why(reason: Reason) -> &'static str {
    match reason {
        Reason::Unspecified => "no reason told",
        Reason::KeyCompromise => "key compromise",
        Reason::CeasedOperation => "ceased operation",
        Reason::NonCompliance => "non-compliance",
        Reason::Superseded => "superseded",
        Reason::Withdrawn => "withdrawn",
    }
}
