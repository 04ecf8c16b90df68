//! Changes of the Policy as JSON. What a proposal does not say stays as it is in the Policy in force.

use keys::Algorithm;
use keys::PublicKey;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use trust::entry::APPROVAL_ALGORITHMS;
use trust::entry::Authority;
use trust::entry::Body;
use trust::entry::Officer;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Recovery;
use trust::merkle::Hash;

use super::BodyError;
use super::Present;
use super::Proposed;
use super::listing::PublicationRequest;
use super::member;
use super::parse;
use super::sorted;
use super::unknown;

/// Reads the change of the Policy in force that `action` and `members` say.
pub(super) fn read(action: &str, members: Map<String, Value>, present: &Present<'_>) -> Result<Proposed, BodyError> {
    let (origin, in_force) = present.policy;
    let mut body = PolicyBody {
        kind: PolicyKind::Regular,
        genesis_time: None,
        ..in_force.clone()
    };
    match action {
        "algorithms" => {
            let Algorithms { mut algorithms } = parse(members)?;
            algorithms.sort_by_key(|algorithm| APPROVAL_ALGORITHMS.iter().position(|known| known == algorithm));
            body.algorithms = algorithms;
        }
        "authorities" => parse::<Authorities>(members)?.put_into(&mut body),
        "cancel_recovery" => {
            let Cancel { authorities } = parse(members)?;
            if let Some(authorities) = authorities {
                body.authorities = into_authorities(authorities);
            }
        }
        "methods" => {
            let Methods { methods } = parse(members)?;
            body.methods = sorted(methods);
        }
        "ml-dsa" => {
            let NoMembers {} = parse(members)?;
            let key = present.second_log_key.ok_or(BodyError::MlDsa)?;
            // Lines of logs may stand anywhere; a text need not end in a newline.
            let before = body.witness_policy.trim_end_matches('\n');
            body.witness_policy = format!("{before}\nlog {key}\n");
        }
        "publication" => {
            let Published { publication } = parse(members)?;
            let published = publication
                .map(|request: PublicationRequest| request.into_publication(present.publication_key, present.now));
            body.publication = published.transpose()?;
        }
        "recover" => {
            body.kind = PolicyKind::Recovery;
            parse::<Authorities>(members)?.put_into(&mut body);
        }
        "recovery_keys" => {
            let RecoveryKeys { recovery } = parse(members)?;
            body.recovery = recovery.map(RecoveryRequest::into_recovery);
        }
        "witnesses" => {
            let Witnesses {
                witness_policy,
                state_quorum,
            } = parse(members)?;
            body.witness_policy = witness_policy;
            body.state_quorum = state_quorum;
        }
        _ => return Err(unknown("policy", action)),
    }
    // A recovery speaks for the new governing authority: the one of before may have lost its keys and its name.
    let authority = match body.kind {
        PolicyKind::Regular => None,
        PolicyKind::Recovery => body.governing().map(|authority| authority.id.clone()),
    };
    Ok(Proposed::new(authority, origin.to_owned(), Body::Policy(body)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Algorithms {
    #[serde(deserialize_with = "member::algorithms")]
    algorithms: Vec<Algorithm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorities {
    authorities: Vec<AuthorityRequest>,
    recovery: Option<RecoveryRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    authorities: Option<Vec<AuthorityRequest>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Methods {
    methods: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMembers {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    /// To have none is said, not left out.
    #[serde(deserialize_with = "member::or_null")]
    publication: Option<PublicationRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryKeys {
    /// To have none is said, not left out.
    #[serde(deserialize_with = "member::or_null")]
    recovery: Option<RecoveryRequest>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Witnesses {
    witness_policy: String,
    state_quorum: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthorityRequest {
    id: String,
    threshold: u64,
    officers: Vec<OfficerRequest>,
    scope: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfficerRequest {
    id: String,
    #[serde(deserialize_with = "member::multikey")]
    key: PublicKey,
    #[serde(default, deserialize_with = "member::optional_hash")]
    next: Option<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecoveryRequest {
    threshold: u64,
    #[serde(deserialize_with = "member::hashes")]
    keys: Vec<Hash>,
    delay: u64,
}

impl Authorities {
    fn put_into(self, body: &mut PolicyBody) {
        body.authorities = into_authorities(self.authorities);
        if let Some(recovery) = self.recovery {
            body.recovery = Some(recovery.into_recovery());
        }
    }
}

fn into_authorities(requests: Vec<AuthorityRequest>) -> Vec<Authority> {
    requests.into_iter().map(AuthorityRequest::into_authority).collect()
}

impl AuthorityRequest {
    fn into_authority(self) -> Authority {
        let officer = |OfficerRequest { id, key, next }| Officer { id, key, next };
        let mut officers: Vec<Officer> = self.officers.into_iter().map(officer).collect();
        officers.sort_by(|left, right| left.id.cmp(&right.id));
        Authority {
            id: self.id,
            threshold: self.threshold,
            officers,
            scope: self.scope.map(sorted),
        }
    }
}

impl RecoveryRequest {
    fn into_recovery(mut self) -> Recovery {
        self.keys.sort_unstable();
        Recovery {
            threshold: self.threshold,
            keys: self.keys,
            delay: self.delay,
        }
    }
}
