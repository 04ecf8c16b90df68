//! Extracts: made, loaded, and broken in one place each. What is left out must never help anybody.

use std::collections::BTreeSet;

use did::DidUrl;
use did::document::Purpose;
use keys::Signer as _;
use keys::cbor::Value;
use trust::bundle::BundleError;
use trust::bundle::Extract;
use trust::bundle::MAX_EXTRACT_BYTES;
use trust::bundle::StatusListError;
use trust::bundle::Subjects;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::EntryType;
use trust::entry::IncidentBody;
use trust::entry::Reason;
use trust::entry::StatusCommitBody;
use trust::entry::StatusEncoding;
use trust::golomb_rice::CHUNK_INDICES;
use trust::state::AccreditationStatus;
use trust::status_bits::StatusBits;

use crate::accreditations::delegate;
use crate::accreditations::suspend;
use crate::accreditations::with_ministry;
use crate::bundles::members;
use crate::nation::*;

/// What is asked for one credential of this agency, in the first chunk of its list.
fn of_credential(agency: &Agency) -> Subjects {
    Subjects {
        entities: BTreeSet::from([agency.did.clone()]),
        types: BTreeSet::from([IDENTITY.to_owned()]),
        chunks: BTreeSet::from([(list_uri(agency), 0)]),
    }
}

fn load(nation: &Nation, bytes: &[u8]) -> Result<Extract, BundleError> {
    Extract::load(bytes, nation.state.anchor())
}

/// The extract for a credential of the usual nation with its members taken apart.
fn usual() -> (Nation, Agency, Vec<(Value, Value)>) {
    let (nation, agency) = Nation::with_issuer();
    let members = members(&nation.extract(&of_credential(&agency)));
    (nation, agency, members)
}

fn array(value: &mut Value) -> &mut Vec<Value> {
    let Value::Array(items) = value else { panic!() };
    items
}

fn map(value: &mut Value) -> &mut Vec<(Value, Value)> {
    let Value::Map(members) = value else { panic!() };
    members
}

/// The members of the located record or chunk at this position.
fn item(members: &mut [(Value, Value)], member: usize, position: usize) -> &mut Vec<(Value, Value)> {
    map(&mut array(&mut members[member - 1].1)[position])
}

const LOCATED: usize = 6;
const CHUNKS: usize = 7;

#[test]
fn an_extract_answers_for_one_credential_and_for_nothing_else() {
    let (mut nation, agency) = Nation::with_issuer();
    let other = nation.admit("traffic", 30);
    nation
        .grant("accreditation-2", grant(&other.did, Action::Issue, &[LICENCE]))
        .unwrap();
    nation.commit(&agency, 2, &[7, 1023]).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let now = nation.state.time();
    let bytes = nation.extract(&of_credential(&agency));
    let extract = load(&nation, &bytes).unwrap();
    let bundle = extract.bundle();

    assert_eq!((bundle.as_of(), bundle.checkpoint().size()), (now, nation.state.size()));
    let method = DidUrl::parse(&agency.method()).unwrap();
    let key = bundle.key_for(&agency.did, &method, Purpose::AssertionMethod).unwrap();
    assert_eq!(&key.unwrap(), agency.key.public_key());
    let accreditation = bundle.accreditation(&agency.did, Action::Issue, IDENTITY, now).unwrap();
    assert_eq!(accreditation.status, AccreditationStatus::Active);
    assert_eq!(bundle.schema_of_vct("urn:attestry:PersonIdentity").unwrap().0, IDENTITY);
    let status = |index| bundle.status(&agency.did, &list_uri(&agency), index).unwrap();
    assert_eq!(
        [6, 7, 1023].map(|index| (status(index).status, status(index).committed)),
        [0, 1, 1].map(|value| (Some(value), GENESIS.plus(HOUR)))
    );

    assert!(bundle.document(&other.did).is_none());
    assert!(bundle.accreditation(&other.did, Action::Issue, LICENCE, now).is_none());
    assert!(bundle.schema_of_w3c_type(LICENCE).is_none());
    let unknown = bundle.status(&other.did, &list_uri(&other), 0).map(|_| ());
    assert_eq!(unknown.unwrap_err(), StatusListError::Unknown);
    // The other one is not even named.
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains(&other.did) && text.contains(&agency.did));
}

#[test]
fn statuses_of_other_chunks_are_not_known() {
    let mut nation = Nation::new();
    nation.publish(IDENTITY);
    let agency = nation.admit("population", 20);
    nation
        .grant("accreditation-1", grant(&agency.did, Action::Issue, &[IDENTITY]))
        .unwrap();
    // Two chunks and a half, of two bits each.
    let capacity = 5 * CHUNK_INDICES / 2;
    let mut bytes = vec![0_u8; usize::try_from(capacity / 4).unwrap()];
    for index in [3, CHUNK_INDICES + 3, CHUNK_INDICES + 9, 2 * CHUNK_INDICES + 3] {
        bytes[usize::try_from(index / 4).unwrap()] |= 2 << (2 * (index % 4));
    }
    let statuses = StatusBits::new(2, capacity, bytes).unwrap();
    let uri = list_uri(&agency);
    let (list, compact) = committed(&uri, &statuses, StatusEncoding::GolombRice, 1, GENESIS.plus(DAY));
    nation.blobs.push(compact.clone());
    let body = StatusCommitBody {
        lists: vec![list],
        ended: Vec::new(),
    };
    nation.commit_lists(&agency, body).unwrap();
    nation.snapshot(GENESIS.plus(HOUR));
    let subjects = |numbers: &[u64]| Subjects {
        chunks: numbers.iter().map(|number| (uri.clone(), *number)).collect(),
        ..of_credential(&agency)
    };

    for number in 0..3 {
        let extract = load(&nation, &nation.extract(&subjects(&[number]))).unwrap();
        for (asked, first) in (0..3).map(|asked| (asked, asked * CHUNK_INDICES)) {
            let status = |index| extract.bundle().status(&agency.did, &uri, index);
            if asked == number {
                assert_eq!(status(first + 3).unwrap().status, Some(2), "{number}");
                assert_eq!(status(first + 4).unwrap().status, Some(0), "{number}");
            } else {
                assert_eq!(status(first + 3).map(|_| ()), Err(StatusListError::NotIncluded));
            }
        }
        // Beyond the list, which only its last chunk shows.
        let beyond = extract.bundle().status(&agency.did, &uri, capacity);
        if number == 2 {
            assert_eq!(beyond.unwrap().status, None);
        } else {
            assert_eq!(beyond.map(|_| ()), Err(StatusListError::NotIncluded));
        }
    }
    let all = nation.extract(&subjects(&[0, 1, 2, 3]));
    let extract = load(&nation, &all).unwrap();
    assert_eq!(
        extract.bundle().status(&agency.did, &uri, capacity - 1).unwrap().status,
        Some(0)
    );

    // A chunk in the place of another one.
    let mut swapped = members(&all);
    let second = item(&mut swapped, CHUNKS, 1)[2].1.clone();
    item(&mut swapped, CHUNKS, 2)[2].1 = second;
    let result = load(&nation, &Value::Map(swapped).to_vec()).map(|_| ());
    assert!(matches!(result, Err(BundleError::Attachment { .. })), "{result:?}");
}

#[test]
fn delegated_accreditation_comes_with_everything_above_it() {
    let (mut nation, ministry, branch, below) = with_ministry();
    delegate(&mut nation, &ministry, "branch", below).unwrap();
    nation.snapshot(GENESIS.plus(HOUR));
    let now = nation.state.time();
    let status = |nation: &Nation, bytes: &[u8]| {
        let extract = load(nation, bytes).unwrap();
        let found = extract
            .bundle()
            .accreditation(&branch.did, Action::Issue, IDENTITY, now);
        found.unwrap().status
    };
    let bytes = nation.extract(&of_credential(&branch));
    assert_eq!(status(&nation, &bytes), AccreditationStatus::Active);

    // Without the ministry's, nobody gave it.
    let mut without = members(&bytes);
    array(&mut without[LOCATED - 1].1).retain(|located| {
        let Value::Map(members) = located else { panic!() };
        let Value::Bytes(record) = &members[2].1 else { panic!() };
        members[0].1 != Value::Unsigned(2)
            || !record.windows(9).any(|part| part == b"\x68ministry")
            || record.windows(7).any(|part| part == b"\x66branch")
    });
    assert!(matches!(
        status(&nation, &Value::Map(without).to_vec()),
        AccreditationStatus::Revoked { .. }
    ));

    nation.govern("ministry", suspend()).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    assert!(matches!(
        status(&nation, &nation.extract(&of_credential(&branch))),
        AccreditationStatus::Suspended { .. }
    ));
}

#[test]
fn incident_cannot_be_left_out() {
    let (mut nation, agency) = Nation::with_issuer();
    let before = members(&nation.extract(&of_credential(&agency)));
    let incident = IncidentBody::Declare {
        invalid_since: GENESIS,
        backdating: trust::entry::Backdating::Refuse,
        emergency: false,
        reason: Reason::KeyCompromise,
    };
    nation.govern(&agency.method(), Body::Incident(incident)).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let bytes = nation.extract(&of_credential(&agency));
    let method = DidUrl::parse(&agency.method()).unwrap();
    assert!(load(&nation, &bytes).unwrap().bundle().incident_on(&method).is_some());

    // The sections of before, in which there is none.
    let mut without = members(&bytes);
    without[4].1 = before[4].1.clone();
    let result = load(&nation, &Value::Map(without).to_vec()).map(|_| ());
    assert_eq!(
        result.unwrap_err(),
        BundleError::Digest {
            section: EntryType::Incident
        }
    );
    // No section at all.
    let mut without = members(&bytes);
    array(&mut without[4].1).remove(2);
    let result = load(&nation, &Value::Map(without).to_vec()).map(|_| ());
    assert!(matches!(result, Err(BundleError::Decode(_))), "{result:?}");
}

#[test]
fn what_is_left_out_helps_nobody() {
    let (nation, agency, whole) = usual();
    let now = nation.state.time();
    let method = DidUrl::parse(&agency.method()).unwrap();
    let known = |extract: &Extract| {
        let bundle = extract.bundle();
        let accreditation = bundle.accreditation(&agency.did, Action::Issue, IDENTITY, now);
        [
            bundle.key_for(&agency.did, &method, Purpose::AssertionMethod).is_some(),
            accreditation.is_some_and(|found| found.status == AccreditationStatus::Active),
            bundle.schema_of_w3c_type(IDENTITY).is_some(),
            bundle.status(&agency.did, &list_uri(&agency), 7).is_ok(),
        ]
    };
    let extract = load(&nation, &Value::Map(whole.clone()).to_vec()).unwrap();
    assert_eq!(known(&extract), [true; 4]);
    let mut count = 0;
    for member in [LOCATED, CHUNKS] {
        let items = array(&mut whole.clone()[member - 1].1).len();
        for position in 0..items {
            let mut without = whole.clone();
            array(&mut without[member - 1].1).remove(position);
            count += 1;
            // A chunk whose list is not named is of no list.
            let Ok(extract) = load(&nation, &Value::Map(without).to_vec()) else {
                continue;
            };
            let known = known(&extract);
            assert_eq!(
                known.iter().filter(|known| **known).count(),
                3,
                "{member}/{position}: {known:?}"
            );
        }
    }
    assert_eq!(count, 5);
}

#[test]
fn record_under_another_place_or_section_is_refused() {
    let (nation, _, whole) = usual();
    let record = |changed: Vec<(Value, Value)>| load(&nation, &Value::Map(changed).to_vec()).map(|_| ()).unwrap_err();
    // The record of another section, at the same place.
    let mut changed = whole.clone();
    let schema = item(&mut changed, LOCATED, 2)[2].1.clone();
    item(&mut changed, LOCATED, 1)[2].1 = schema;
    assert!(matches!(
        record(changed),
        BundleError::Record {
            section: EntryType::Accreditation,
            ..
        }
    ));
    // Another place than its own.
    let mut changed = whole.clone();
    item(&mut changed, LOCATED, 2)[1].1 = Value::Unsigned(0);
    assert!(matches!(
        record(changed),
        BundleError::Record {
            section: EntryType::Schema,
            ..
        }
    ));
    // Beyond the end.
    let mut changed = whole.clone();
    item(&mut changed, LOCATED, 2)[1].1 = Value::Unsigned(9);
    assert!(matches!(
        record(changed),
        BundleError::Record {
            section: EntryType::Schema,
            ..
        }
    ));
    // A section that has to be whole.
    let mut changed = whole.clone();
    item(&mut changed, LOCATED, 3)[0].1 = Value::Unsigned(7);
    assert!(matches!(record(changed), BundleError::Decode(_)));
    // Twice.
    let mut changed = whole;
    let again = array(&mut changed[LOCATED - 1].1)[0].clone();
    array(&mut changed[LOCATED - 1].1).insert(0, again);
    assert!(matches!(record(changed), BundleError::Decode(_)));
}

#[test]
fn extract_of_another_anchor_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let mut other = policy();
    other.genesis_time = Some(GENESIS.plus(1));
    let self_made = Nation::with_policy(other).unwrap();
    let bytes = nation.extract(&of_credential(&agency));
    assert!(load(&self_made, &bytes).is_err());
}

#[test]
fn any_flipped_byte_of_an_extract_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let bytes = nation.extract(&of_credential(&agency));
    load(&nation, &bytes).unwrap();
    let mut refusals = BTreeSet::new();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let error = load(&nation, &changed).map(|_| ());
        let error = error.expect_err(&format!("byte {at} of {} changed", bytes.len()));
        refusals.insert(format!("{error:?}").split([' ', '(']).next().unwrap().to_owned());
    }
    assert!(refusals.len() >= 4, "{refusals:?}");
}

#[test]
fn too_large_an_extract_is_refused_before_it_is_read() {
    let (nation, _) = Nation::with_issuer();
    let result = load(&nation, &vec![0; MAX_EXTRACT_BYTES + 1]).map(|_| ());
    assert!(matches!(result, Err(BundleError::TooLarge { .. })));
}
