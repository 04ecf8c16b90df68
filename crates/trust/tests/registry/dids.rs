//! DIDs in the registry: logs of did:webvh.

use did::webvh::Update;
use serde_json::Value;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Entry;
use trust::merkle::Hash;
use trust::state::Refusal;
use trust::state::WebvhLog;

use crate::nation::*;

/// The log of the agency's DID.
fn log<'a>(nation: &'a Nation, agency: &Agency) -> &'a WebvhLog {
    nation.state.did(&agency.did).unwrap().webvh().unwrap()
}

/// The line that adds a `versionTime` so many seconds after the genesis.
fn update(nation: &Nation, agency: &Agency, seconds: i64) -> Vec<u8> {
    update_to(nation, agency, seconds, None)
}

/// The same with a new document.
fn update_to(nation: &Nation, agency: &Agency, seconds: i64, document: Option<Value>) -> Vec<u8> {
    let update = Update {
        document,
        parameters: did::webvh::ParameterChanges::default(),
        time: GENESIS.plus(seconds),
        signer: keys::Signer::public_key(&agency.key),
    };
    let request = log(nation, agency).newest().unwrap().update(update).unwrap();
    agency.key.fulfil(request).unwrap().into_bytes()
}

#[test]
fn lines_are_kept_verbatim_and_resolve() {
    let (mut nation, agency) = Nation::with_issuer();
    let line = update(&nation, &agency, 60);
    nation.log_lines(&agency.did, vec![line.clone()]).unwrap();
    let expected = [agency.first_line.as_slice(), b"\n", &line, b"\n"].concat();
    assert_eq!(log(&nation, &agency).bytes(), expected);
    assert_eq!(log(&nation, &agency).newest().unwrap().version_number(), 2);
    assert_eq!(nation.state.did(&agency.did).unwrap().head().seq, 1);
}

#[test]
fn several_lines_come_in_one_entry() {
    let mut nation = Nation::new();
    let agency = Agency::new("population", 20);
    let mut other = Nation::new();
    other.log_lines(&agency.did, vec![agency.first_line.clone()]).unwrap();
    let second = update(&other, &agency, 60);
    nation
        .log_lines(&agency.did, vec![agency.first_line.clone(), second])
        .unwrap();
    assert_eq!(log(&nation, &agency).newest().unwrap().version_number(), 2);
}

#[test]
fn line_of_another_key_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let line = String::from_utf8(update(&nation, &agency, 60)).unwrap();
    let at = line.find("\"proofValue\":\"z").unwrap() + 20;
    let digit = if line.as_bytes()[at] == b'2' { "3" } else { "2" };
    let forged = format!("{}{digit}{}", &line[..at], &line[at + 1..]);
    let result = nation.log_lines(&agency.did, vec![forged.into_bytes()]);
    assert!(matches!(result, Err(Refusal::DidLog(_))), "{result:?}");
    nation.log_lines(&agency.did, vec![line.into_bytes()]).unwrap();
}

#[test]
fn log_under_another_did_is_refused() {
    let mut nation = Nation::new();
    let (agency, other) = (Agency::new("population", 20), Agency::new("transport", 21));
    let result = nation.log_lines(&other.did, vec![agency.first_line]);
    assert!(matches!(result, Err(Refusal::DidLog(_))), "{result:?}");
}

#[test]
fn line_again_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let result = nation.log_lines(&agency.did, vec![agency.first_line.clone()]);
    assert!(matches!(result, Err(Refusal::DidLog(_))), "{result:?}");
}

#[test]
fn version_time_of_a_far_future_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let line = update(&nation, &agency, 3 * DAY);
    let result = nation.log_lines(&agency.did, vec![line.clone()]);
    assert!(matches!(result, Err(Refusal::DidLog(_))), "{result:?}");
    nation.snapshot(GENESIS.plus(3 * DAY));
    nation.log_lines(&agency.did, vec![line]).unwrap();
}

#[test]
fn other_methods_and_namespaces_are_refused() {
    let mut nation = Nation::new();
    let agency = Agency::new("population", 20);
    let own = did::methods::key::did(&public(20));
    assert!(matches!(
        nation.log_lines(&own, vec![agency.first_line.clone()]),
        Err(Refusal::Method { .. })
    ));
    assert!(matches!(
        nation.log_lines("population", vec![agency.first_line.clone()]),
        Err(Refusal::Method { .. })
    ));
    let body = Body::DidEvent(DidEventBody::Webvh {
        lines: vec![agency.first_line],
        witness_proofs: None,
    });
    let leaf = Entry::without_approval(AUTHORITY, &agency.did, 0, Hash::ZERO, &body).unwrap();
    assert!(matches!(nation.append(&leaf), Err(Refusal::Identity { .. })));
}

#[test]
fn deactivated_did_has_no_document_and_cannot_sign() {
    let (mut nation, agency) = Nation::with_issuer();
    let newest = log(&nation, &agency).newest().unwrap();
    let request = newest
        .deactivate(GENESIS.plus(60), keys::Signer::public_key(&agency.key))
        .unwrap();
    let line = agency.key.fulfil(request).unwrap().into_bytes();
    nation.log_lines(&agency.did, vec![line]).unwrap();
    assert!(nation.state.document(&agency.did).is_none());
    assert_eq!(
        nation.commit(&agency, 2, &[]),
        Err(Refusal::UnknownDid {
            found: agency.did.clone()
        })
    );
}

#[test]
fn too_long_a_log_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let mut document = nation.state.document(&agency.did).unwrap().as_map().clone();
    document.insert("padding".to_owned(), "x".repeat(40_000).into());
    let limit = 1 << 20;
    for seconds in 1.. {
        let line = update_to(&nation, &agency, seconds, Some(document.clone().into()));
        let fits = log(&nation, &agency).bytes().len() + line.len() < limit;
        let result = nation.log_lines(&agency.did, vec![line]);
        if !fits {
            assert!(matches!(result, Err(Refusal::Content { .. })), "{result:?}");
            return;
        }
        result.unwrap();
    }
}
