//! Commitments to status lists.

use trust::entry::Body;
use trust::entry::StatusCommitBody;
use trust::entry::StatusList;
use trust::entry::StatusToken;
use trust::entry::TokenFormat;
use trust::merkle::Hash;
use trust::state::Refusal;

use crate::nation::*;

fn lists(list: StatusList) -> StatusCommitBody {
    StatusCommitBody {
        lists: vec![list],
        ended: Vec::new(),
    }
}

#[test]
fn commitment_by_another_agency_s_key_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let other = nation.admit("transport", 21);
    let (list, _) = status_list(&list_uri(&agency), 2, &[7], GENESIS.plus(DAY));
    let draft = nation.draft_by(&agency.did, &agency.did, Body::StatusCommit(lists(list)));
    // In its own name, and in the name of the issuer's key.
    assert_eq!(
        nation.append(&other.approved(&draft)),
        Err(Refusal::Signer { found: other.method() })
    );
    let signature = other
        .key
        .fulfil(draft.sign(&agency.method(), keys::Algorithm::EdDsa))
        .unwrap();
    let leaf = draft.assemble(vec![signature]).unwrap();
    assert_eq!(
        nation.append(&leaf),
        Err(Refusal::Signature {
            signer: agency.method()
        })
    );
    nation.append(&agency.approved(&draft)).unwrap();
}

#[test]
fn commitment_for_another_agency_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let (list, _) = status_list("https://population.attestry.example/2", 1, &[], GENESIS.plus(DAY));
    let draft = nation.draft_by(&agency.did, "did:example:other", Body::StatusCommit(lists(list)));
    assert!(matches!(
        nation.append(&agency.approved(&draft)),
        Err(Refusal::Identity { .. })
    ));
}

#[test]
fn commitment_by_officers_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let (list, _) = status_list(&list_uri(&agency), 2, &[], GENESIS.plus(DAY));
    let draft = nation.draft_by(&agency.did, &agency.did, Body::StatusCommit(lists(list)));
    assert_eq!(
        nation.append(&approved(&draft, &[0])),
        Err(Refusal::Signer {
            found: OFFICERS[0].to_owned()
        })
    );
    assert_eq!(
        nation.append(&approved(&draft, &[0, 1])),
        Err(Refusal::Signatures { expected: 1, found: 2 })
    );
}

#[test]
fn commitment_by_an_agency_that_issues_nothing_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let other = nation.admit("transport", 21);
    assert_eq!(
        nation.commit(&other, 1, &[]),
        Err(Refusal::NotAccredited {
            found: other.did.clone()
        })
    );
}

#[test]
fn list_that_does_not_continue_itself_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let (good, _) = status_list(&list_uri(&agency), 2, &[7], nation.state.time().plus(DAY));
    let changes: [Change<StatusList>; 5] = [
        Change("a higher epoch", |list| list.epoch = 1),
        Change("the same bits and purpose, and no smaller capacity", |list| {
            list.bits = 2;
        }),
        Change("the same bits and purpose, and no smaller capacity", |list| {
            list.capacity -= 1;
        }),
        Change("the same bits and purpose, and no smaller capacity", |list| {
            list.purpose = Some("revocation".to_owned());
        }),
        Change("a next update after the last snapshot", |list| {
            list.next_update = GENESIS.plus(HOUR);
        }),
    ];
    for Change(expected, change) in changes {
        let mut list = good.clone();
        change(&mut list);
        let uri = list.uri.clone();
        assert_eq!(
            nation.commit_lists(&agency, lists(list)),
            Err(Refusal::StatusList { uri, expected })
        );
    }
    nation.commit_lists(&agency, lists(good)).unwrap();
}

#[test]
fn ended_list_does_not_come_back() {
    let (mut nation, agency) = Nation::with_issuer();
    let uri = list_uri(&agency);
    let end = || StatusCommitBody {
        lists: Vec::new(),
        ended: vec![list_uri(&agency)],
    };
    nation.commit_lists(&agency, end()).unwrap();
    let expected = "a list that goes on";
    assert_eq!(
        nation.commit_lists(&agency, end()),
        Err(Refusal::StatusList {
            uri: uri.clone(),
            expected
        })
    );
    assert_eq!(
        nation.commit(&agency, 3, &[]),
        Err(Refusal::StatusList { uri, expected })
    );
}

#[test]
fn lists_that_are_not_named_keep_their_commitment() {
    let (mut nation, agency) = Nation::with_issuer();
    let (second, _) = status_list(
        "https://population.attestry.example/2",
        1,
        &[],
        nation.state.time().plus(DAY),
    );
    nation.commit_lists(&agency, lists(second)).unwrap();
    let first = nation.state.status_list(&agency.did, &list_uri(&agency)).unwrap();
    assert_eq!((first.list().epoch, first.committed()), (1, GENESIS));
    let second = nation
        .state
        .status_list(&agency.did, "https://population.attestry.example/2")
        .unwrap();
    assert_eq!((second.list().epoch, second.committed()), (1, GENESIS.plus(HOUR)));
}

#[test]
fn a_list_is_committed_in_every_standard_form() {
    let (mut nation, agency) = Nation::with_issuer();
    let (mut list, _) = status_list(&list_uri(&agency), 2, &[7], nation.state.time().plus(DAY));
    list.tokens = [
        TokenFormat::Jwt,
        TokenFormat::Cwt,
        TokenFormat::Bitstring,
        TokenFormat::BitstringProof,
    ]
    .map(|format| StatusToken {
        format,
        digest: Hash::digest(b"a form"),
    })
    .to_vec();
    let mut unsorted = list.clone();
    unsorted.tokens.swap(2, 3);
    assert!(matches!(
        nation.commit_lists(&agency, lists(unsorted)),
        Err(Refusal::Decode(_))
    ));
    nation.commit_lists(&agency, lists(list.clone())).unwrap();
    let committed = nation.state.status_list(&agency.did, &list.uri).unwrap();
    assert_eq!(*committed.list(), list);
}

#[test]
fn malformed_lists_are_no_entries() {
    let (mut nation, agency) = Nation::with_issuer();
    let (good, _) = status_list(&list_uri(&agency), 2, &[], nation.state.time().plus(DAY));
    let changes: [fn(&mut StatusList); 4] = [
        |list| list.bits = 3,
        |list| list.capacity = 0,
        |list| list.capacity = (1 << 27) + 1,
        |list| list.tokens.clear(),
    ];
    for change in changes {
        let mut list = good.clone();
        change(&mut list);
        assert!(matches!(
            nation.commit_lists(&agency, lists(list)),
            Err(Refusal::Decode(_))
        ));
    }
    let empty = StatusCommitBody {
        lists: Vec::new(),
        ended: Vec::new(),
    };
    assert!(matches!(nation.commit_lists(&agency, empty), Err(Refusal::Decode(_))));
    let both = StatusCommitBody {
        lists: vec![good],
        ended: vec![list_uri(&agency)],
    };
    assert!(matches!(nation.commit_lists(&agency, both), Err(Refusal::Decode(_))));
}
