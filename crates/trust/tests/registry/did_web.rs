//! DIDs in the registry: snapshots of the documents of did:web.

use std::collections::BTreeSet;

use did::DidUrl;
use did::document::KeyForError;
use did::document::Purpose;
use did::methods::web::DidWebError;
use did::webvh::VersionQuery;
use keys::cbor::Value;
use trust::TrustedBundle;
use trust::bundle::Extract;
use trust::bundle::Limits;
use trust::bundle::Subjects;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::DecodeError;
use trust::entry::DidEventBody;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::MAX_WEB_DOCUMENT_BYTES;
use trust::entry::PolicyBody;
use trust::entry::Reason;
use trust::entry::TombstoneBody;
use trust::merkle::Hash;
use trust::state::Refusal;
use trust::state::State;
use trust::state::WebSnapshot;

use crate::bundles;
use crate::nation::*;

/// An agency with a did:web that was logged, and may issue.
fn with_web_issuer() -> (Nation, Agency) {
    let (mut nation, _) = Nation::with_issuer();
    let agency = Agency::web("transport", 30);
    nation.log_did(&agency).unwrap();
    nation
        .grant("accreditation-2", grant(&agency.did, Action::Issue, &[LICENCE]))
        .unwrap();
    nation.commit(&agency, 1, &[]).unwrap();
    (nation, agency)
}

fn web_event(document: &[u8]) -> Body {
    let document = document.to_vec();
    Body::DidEvent(DidEventBody::Web { document })
}

/// The assertion key `#key` that the state has for a DID.
fn assertion_key(state: &State, agency: &Agency) -> Option<Result<String, KeyForError>> {
    let method = DidUrl::parse(&agency.method()).unwrap();
    let key = state.key_for(&agency.did, &method, Purpose::AssertionMethod)?;
    Some(key.map(|key| key.to_multikey()))
}

#[test]
fn key_that_a_later_snapshot_dropped_counts_no_more() {
    let (mut nation, agency) = with_web_issuer();
    let key = public(30).to_multikey();
    assert_eq!(assertion_key(&nation.state, &agency), Some(Ok(key)));
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let document = web_document(&agency.did, 31, true);
    nation.log_document(&agency.did, &document).unwrap();
    let newer = public(31).to_multikey();
    assert_eq!(assertion_key(&nation.state, &agency), Some(Ok(newer)));
    let signature = Refusal::Signature {
        signer: agency.method(),
    };
    assert_eq!(nation.commit(&agency, 2, &[]), Err(signature));
    nation
        .log_document(&agency.did, &web_document(&agency.did, 30, false))
        .unwrap();
    let found = assertion_key(&nation.state, &agency);
    assert!(
        matches!(found, Some(Err(KeyForError::NotForThisPurpose { .. }))),
        "{found:?}"
    );
    let signer = Refusal::Signer { found: agency.method() };
    assert_eq!(nation.commit(&agency, 2, &[]), Err(signer));
    nation.log_did(&agency).unwrap();
    nation.commit(&agency, 2, &[]).unwrap();
}

#[test]
fn snapshots_of_a_did_web_are_kept_verbatim_and_found_by_version() {
    let (mut nation, agency) = with_web_issuer();
    let first = nation.state.did(&agency.did).unwrap().head();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let second = web_document(&agency.did, 31, true);
    nation.log_document(&agency.did, &second).unwrap();
    let record = nation.state.did(&agency.did).unwrap();
    let snapshots = record.web().unwrap();
    let bytes: Vec<&[u8]> = snapshots.iter().map(WebSnapshot::bytes).collect();
    assert_eq!(bytes, [agency.first_line.as_slice(), &second]);
    assert_eq!(record.head().seq, 1);
    let find = |query| snapshots.select(&query).map(|found| (found.entry(), found.time()));
    let (one, two) = (
        (first.entry, GENESIS.plus(HOUR)),
        (record.head().entry, GENESIS.plus(2 * HOUR)),
    );
    assert_eq!(find(VersionQuery::Latest), Some(two));
    assert_eq!(find(VersionQuery::Id(first.entry.to_string())), Some(one));
    assert_eq!(find(VersionQuery::Number(1)), Some(one));
    assert_eq!(find(VersionQuery::Number(2)), Some(two));
    assert_eq!(find(VersionQuery::Time(GENESIS.plus(2 * HOUR - 1))), Some(one));
    assert_eq!(find(VersionQuery::Time(GENESIS.plus(2 * HOUR))), Some(two));
    for none in [
        VersionQuery::Id(Hash::ZERO.to_string()),
        VersionQuery::Number(0),
        VersionQuery::Number(3),
        VersionQuery::Time(GENESIS.plus(HOUR - 1)),
    ] {
        assert_eq!(find(none), None);
    }
}

#[test]
fn bundles_and_extracts_carry_a_did_web() {
    let (mut nation, agency) = with_web_issuer();
    nation
        .log_document(&agency.did, &web_document(&agency.did, 31, true))
        .unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let expected = assertion_key(&nation.state, &agency);
    let bundle = TrustedBundle::load(&nation.bundle(), nation.state.anchor(), Limits::default()).unwrap();
    assert_eq!(assertion_key(bundle.state(), &agency), expected);
    let record = bundle.state().did(&agency.did).unwrap();
    assert_eq!(record.web(), nation.state.did(&agency.did).unwrap().web());
    let entities = BTreeSet::from([agency.did.clone()]);
    let subjects = Subjects {
        entities,
        ..Subjects::default()
    };
    let extract = Extract::load(&nation.extract(&subjects), nation.state.anchor()).unwrap();
    assert_eq!(assertion_key(extract.bundle().state(), &agency), expected);
}

/// Neither method changes how the record of the other is written.
#[test]
fn records_of_a_did_have_the_members_of_its_method() {
    let (mut nation, _) = with_web_issuer();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let mut bundle = bundles::decode(&nation.bundle());
    let plain = bundles::plain(bundles::packed(&mut bundle, 5, 1));
    let Value::Array(records) = bundles::decode(&plain) else {
        panic!()
    };
    let keys = |record: &Value| {
        let members = bundles::members(record.as_bytes().unwrap());
        let keys: Vec<u64> = members.iter().filter_map(|(key, _)| key.as_unsigned()).collect();
        keys
    };
    // `did:web:` comes before `did:webvh:`.
    assert_eq!(
        records.iter().map(keys).collect::<Vec<_>>(),
        [vec![1, 2, 5, 6], vec![1, 2, 3]]
    );
}

#[test]
fn document_of_another_did_is_refused() {
    let mut nation = Nation::new();
    let (agency, other) = (Agency::web("population", 20), Agency::web("transport", 21));
    let result = nation.log_document(&agency.did, &other.first_line);
    assert!(
        matches!(result, Err(Refusal::DidWeb(DidWebError::Document(_)))),
        "{result:?}"
    );
    nation.log_did(&agency).unwrap();
}

#[test]
fn did_web_is_refused_where_the_policy_does_not_allow_the_method() {
    let methods = vec!["webvh".to_owned()];
    let mut nation = Nation::with_policy(PolicyBody { methods, ..policy() }).unwrap();
    let agency = Agency::web("population", 20);
    let found = agency.did.clone();
    assert_eq!(nation.log_did(&agency), Err(Refusal::Method { found }));
    let genesis_time = None;
    let allowing = PolicyBody {
        genesis_time,
        ..policy()
    };
    nation.govern(ORIGIN, Body::Policy(allowing)).unwrap();
    nation.log_did(&agency).unwrap();
    assert!(nation.state.document(&agency.did).is_some());
    // What was logged counts no more when the method is not allowed any more.
    let methods = vec!["webvh".to_owned()];
    let refusing = PolicyBody {
        methods,
        genesis_time,
        ..policy()
    };
    nation.govern(ORIGIN, Body::Policy(refusing)).unwrap();
    assert!(nation.state.document(&agency.did).is_none());
}

#[test]
fn document_of_a_did_web_by_too_few_officers_is_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let draft = nation.draft(&agency.did, web_event(&agency.first_line));
    let (expected, found) = (2, 1);
    assert_eq!(
        nation.append(&approved(&draft, &[0])),
        Err(Refusal::Signatures { expected, found })
    );
    nation.append(&approved(&draft, &[0, 2])).unwrap();
}

/// Neither the DID itself nor another authority: with the document goes all that the DID is accredited for.
#[test]
fn document_of_a_did_web_by_others_than_the_first_authority_is_refused() {
    let mut health = policy().authorities[0].clone();
    health.id = "health".to_owned();
    health.scope = Some(vec![IDENTITY.to_owned()]);
    for (officer, number) in health.officers.iter_mut().zip(41..) {
        officer.key = public(number);
    }
    let mut body = policy();
    body.authorities.push(health);
    let mut nation = Nation::with_policy(body).unwrap();
    let agency = Agency::web("population", 20);
    for ns in ["health", agency.did.as_str()] {
        let draft = nation.draft_by(ns, &agency.did, web_event(&agency.first_line));
        let found = ns.to_owned();
        assert_eq!(
            nation.append(&approved(&draft, &[0, 1])),
            Err(Refusal::Authority { found })
        );
    }
    nation.log_did(&agency).unwrap();
}

#[test]
fn document_of_a_did_web_with_other_signatures_than_its_own_is_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let draft = nation.draft(&agency.did, web_event(&agency.first_line));
    let other = nation.draft(&agency.did, web_event(&web_document(&agency.did, 21, true)));
    let sign = |draft: &trust::entry::Draft, officer: u8| {
        let request = draft.sign(OFFICERS[usize::from(officer)], keys::Algorithm::EdDsa);
        key(officer + 1).fulfil(request).unwrap()
    };
    let forged = draft.assemble(vec![sign(&draft, 0), sign(&other, 1)]).unwrap();
    let signer = OFFICERS[1].to_owned();
    assert_eq!(nation.append(&forged), Err(Refusal::Signature { signer }));
    nation.append(&approved(&draft, &[0, 1])).unwrap();
}

#[test]
fn oversized_document_of_a_did_web_is_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let mut document = agency.first_line.clone();
    document.resize(MAX_WEB_DOCUMENT_BYTES + 1, b' ');
    let result = nation.log_document(&agency.did, &document);
    assert!(
        matches!(result, Err(Refusal::Decode(DecodeError::Shape { .. }))),
        "{result:?}"
    );
    let result = nation.log_document(&agency.did, b"");
    assert!(
        matches!(result, Err(Refusal::Decode(DecodeError::Shape { .. }))),
        "{result:?}"
    );
    document.pop();
    nation.log_document(&agency.did, &document).unwrap();
}

/// As of a did:webvh's log: a mebibyte in all.
#[test]
fn too_many_snapshots_of_a_did_web_are_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let mut document = agency.first_line;
    document.resize(MAX_WEB_DOCUMENT_BYTES, b' ');
    for _ in 0..32 {
        nation.log_document(&agency.did, &document).unwrap();
    }
    let result = nation.log_document(&agency.did, &document);
    assert!(matches!(result, Err(Refusal::Content { .. })), "{result:?}");
}

#[test]
fn malformed_document_of_a_did_web_is_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let genuine = String::from_utf8(agency.first_line.clone()).unwrap();
    let id = format!("\"id\": \"{}\",", agency.did);
    assert!(genuine.contains(&id));
    for malformed in [
        // A member twice: one reader would take the first, another the last.
        genuine.replace(&id, &format!("{id} {id}")),
        genuine.replace(&id, ""),
        genuine.replacen('{', "{\"keyAgreement\": 1,", 1),
        format!("\u{feff}{genuine}"),
        genuine.trim_end().trim_end_matches('}').to_owned(),
        format!("[{genuine}]"),
    ] {
        let result = nation.log_document(&agency.did, malformed.as_bytes());
        assert!(
            matches!(result, Err(Refusal::DidWeb(DidWebError::Document(_)))),
            "{result:?} of {malformed}"
        );
    }
    nation.log_did(&agency).unwrap();
}

/// Each with a document that has this `id`, so that nothing else is wrong.
#[test]
fn did_web_that_names_no_place_is_refused() {
    let mut nation = Nation::new();
    for place in [
        "agency.example:..",
        "agency.example:%2e%2e:agency",
        "agency.example:a%2Fb",
        "agency.example::a",
        "127.0.0.1",
        "localhost",
        "agency.example%3A0",
    ] {
        let did = format!("did:web:{place}");
        let result = nation.log_document(&did, &web_document(&did, 20, true));
        assert!(
            matches!(result, Err(Refusal::DidWeb(DidWebError::Location(_)))),
            "{result:?} of {did}"
        );
    }
    for place in ["agency.example", "agency.example%3A8443:agencies:population"] {
        let did = format!("did:web:{place}");
        nation.log_document(&did, &web_document(&did, 20, true)).unwrap();
    }
}

#[test]
fn documents_and_lines_are_of_their_own_method() {
    let mut nation = Nation::new();
    let (webvh, web) = (Agency::new("population", 20), Agency::web("population", 20));
    let method = |agency: &Agency| {
        let found = agency.did.clone();
        Err(Refusal::Method { found })
    };
    let document = web_document(&webvh.did, 20, true);
    assert_eq!(nation.log_document(&webvh.did, &document), method(&webvh));
    assert_eq!(nation.log_lines(&web.did, vec![webvh.first_line]), method(&web));
}

#[test]
fn snapshot_of_a_did_web_out_of_order_is_refused() {
    let mut nation = Nation::new();
    let agency = Agency::web("population", 20);
    let document = web_document(&agency.did, 21, true);
    let first = approved(&nation.draft(&agency.did, web_event(&agency.first_line)), &[0, 1]);
    let rival = approved(&nation.draft(&agency.did, web_event(&document)), &[0, 1]);
    nation.append(&first).unwrap();
    let (expected, found) = (1, 0);
    // Approved for the same place, and the same again.
    for leaf in [&rival, &first] {
        assert_eq!(nation.append(leaf), Err(Refusal::Sequence { expected, found }));
    }
    let mut draft = nation.draft(&agency.did, web_event(&document));
    let (expected, found) = (draft.prev, Hash::ZERO);
    draft.prev = found;
    let leaf = approved(&draft, &[0, 1]);
    assert_eq!(nation.append(&leaf), Err(Refusal::PreviousHash { expected, found }));
    nation.log_document(&agency.did, &document).unwrap();
}

/// What officers approve has an approval, and what they do not has none.
#[test]
fn approval_is_there_by_the_method() {
    let nation = Nation::new();
    let (webvh, web) = (Agency::new("population", 20), Agency::web("population", 20));
    let leaf = Entry::without_approval(AUTHORITY, &web.did, 0, Hash::ZERO, &web_event(&web.first_line)).unwrap();
    assert!(matches!(Entry::parse(&leaf), Err(DecodeError::Shape { .. })));
    let lines = Body::DidEvent(DidEventBody::Webvh {
        lines: vec![webvh.first_line],
        witness_proofs: None,
    });
    let leaf = approved(&nation.draft_by(&webvh.did, &webvh.did, lines), &[0, 1]);
    assert!(matches!(Entry::parse(&leaf), Err(DecodeError::Shape { .. })));
}

#[test]
fn ended_did_web_has_no_document_and_no_later_snapshot() {
    let (mut nation, agency) = with_web_issuer();
    let (target, reason) = (EntryType::DidEvent, Reason::CeasedOperation);
    let body = Body::Tombstone(TombstoneBody { target, reason });
    nation.govern(&agency.did, body).unwrap();
    assert!(nation.state.document(&agency.did).is_none());
    assert_eq!(nation.log_did(&agency), Err(Refusal::Tombstoned));
    assert_eq!(nation.commit(&agency, 2, &[]), Err(Refusal::Tombstoned));
}
