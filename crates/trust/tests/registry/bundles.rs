//! Bundles: made, loaded, and broken in one place each.

use std::collections::BTreeSet;

use trust::Anchor;
use trust::TrustedBundle;
use trust::bundle::BundleError;
use trust::bundle::ExportError;
use trust::bundle::Limits;
use trust::bundle::RollbackError;
use trust::bundle::Seen;
use trust::bundle::StatusListError;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Body;
use trust::entry::Draft;
use trust::entry::Reason;
use trust::entry::StatusCommitBody;
use trust::merkle::Hash;
use trust::proof::TlogProof;
use trust::proof::TlogProofError;
use trust::state::AccreditationStatus;
use trust::state::Refusal;
use trust::tlog_policy::WitnessError;

use crate::nation::*;

fn load(nation: &Nation) -> Result<TrustedBundle, BundleError> {
    TrustedBundle::load(&nation.bundle(), nation.state.anchor(), Limits::default())
}

/// The bundle of this nation with another proof.
fn load_with(nation: &Nation, proof: &TlogProof) -> Result<TrustedBundle, BundleError> {
    TrustedBundle::load(&nation.bundle_with(proof), nation.state.anchor(), Limits::default())
}

#[test]
fn a_bundle_answers_what_a_verifier_asks() {
    let (nation, agency) = Nation::with_issuer();
    let bundle = load(&nation).unwrap();
    let now = nation.state.time();

    assert_eq!(bundle.anchor(), nation.state.anchor());
    assert_eq!(bundle.as_of(), now);
    assert_eq!(bundle.checkpoint().size(), nation.state.size());
    assert_eq!(bundle.snapshot().epoch, 0);
    assert_eq!(bundle.document(&agency.did).unwrap().id().as_str(), agency.did);

    let (id, schema) = bundle
        .schema_of_vct("https://attestry.example/types/PersonIdentity")
        .unwrap();
    assert_eq!(id, IDENTITY);
    assert!(schema.status_required);
    assert_eq!(bundle.schema_of_vct("urn:attestry:PersonIdentity").unwrap().0, IDENTITY);
    assert_eq!(bundle.schema_of_w3c_type(LICENCE).unwrap().0, LICENCE);
    assert_eq!(
        bundle.schema_of_doctype("example.attestry.DrivingLicence").unwrap().0,
        LICENCE
    );
    assert!(
        bundle
            .schema_document(&schema.documents[0])
            .unwrap()
            .starts_with(b"{\"@context\"")
    );

    let accreditation = bundle.accreditation(&agency.did, Action::Issue, IDENTITY, now).unwrap();
    assert_eq!(accreditation.status, AccreditationStatus::Active);
    assert!(bundle.accreditation(&agency.did, Action::Issue, LICENCE, now).is_none());
    assert!(
        bundle
            .accreditation(&agency.did, Action::Verify, IDENTITY, now)
            .is_none()
    );

    let list = bundle.status_list(&agency.did, &list_uri(&agency)).unwrap();
    assert_eq!(
        (list.bits.get(3), list.list.epoch, list.committed),
        (Some(0), 1, GENESIS)
    );
}

#[test]
fn statuses_come_from_the_issuer_s_own_commitment() {
    let (mut nation, agency) = Nation::with_issuer();
    nation.commit(&agency, 2, &[7, 1023]).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let bundle = load(&nation).unwrap();
    let list = bundle.status_list(&agency.did, &list_uri(&agency)).unwrap();
    assert_eq!(
        (
            list.bits.get(6),
            list.bits.get(7),
            list.bits.get(1023),
            list.bits.get(1024)
        ),
        (Some(0), Some(1), Some(1), None)
    );
    assert_eq!(list.committed, GENESIS.plus(HOUR));
    let unknown = |issuer: &str, uri: &str| bundle.status_list(issuer, uri).map(|_| ()).unwrap_err();
    assert_eq!(unknown("did:key:z6Mk", &list_uri(&agency)), StatusListError::Unknown);
    assert_eq!(
        unknown(&agency.did, "https://elsewhere.example/1"),
        StatusListError::Unknown
    );
}

#[test]
fn an_ended_list_has_no_statuses() {
    let (mut nation, agency) = Nation::with_issuer();
    let ended = StatusCommitBody {
        lists: Vec::new(),
        ended: vec![list_uri(&agency)],
    };
    nation.commit_lists(&agency, ended).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let bundle = load(&nation).unwrap();
    assert_eq!(
        bundle
            .status_list(&agency.did, &list_uri(&agency))
            .map(|_| ())
            .unwrap_err(),
        StatusListError::Unknown
    );
}

#[test]
fn a_list_without_its_bytes_is_told_apart() {
    let (mut nation, agency) = Nation::with_issuer();
    nation.blobs.clear();
    let bundle = load(&nation).unwrap();
    assert_eq!(
        bundle
            .status_list(&agency.did, &list_uri(&agency))
            .map(|_| ())
            .unwrap_err(),
        StatusListError::NotIncluded
    );
}

#[test]
fn export_refuses_the_bytes_of_another_digest() {
    let (nation, _) = Nation::with_issuer();
    let time = nation.state.time();
    let proof = nation.proof(nation.state.size() - 1, nation.witnessed(&[(0, time), (1, time)]));
    let result = trust::bundle::export(&nation.state, nation.leaves.last().unwrap(), &proof, |_| Some(vec![1]));
    assert!(matches!(result, Err(ExportError::Blob { .. })));
}

#[test]
fn export_refuses_a_state_that_went_on() {
    let (mut nation, agency) = Nation::with_issuer();
    let (snapshot, time) = (nation.leaves.last().unwrap().clone(), nation.state.time());
    let proof = nation.proof(nation.state.size() - 1, nation.witnessed(&[(0, time), (1, time)]));
    nation.commit(&agency, 2, &[]).unwrap();
    assert_eq!(
        trust::bundle::export(&nation.state, &snapshot, &proof, |_| None),
        Err(ExportError::Snapshot)
    );
}

#[test]
fn bundle_from_another_anchor_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let mut other = policy();
    other.genesis_time = Some(GENESIS.plus(1));
    // Same origin, same log key, another genesis: somebody who holds the log key made it up.
    let self_made = Nation::with_policy(other).unwrap();
    assert_ne!(self_made.state.anchor(), nation.state.anchor());
    let result = TrustedBundle::load(&nation.bundle(), self_made.state.anchor(), Limits::default());
    assert!(
        matches!(result, Err(BundleError::Digest { .. } | BundleError::Policy(_))),
        "{result:?}"
    );
}

#[test]
fn bundle_with_another_genesis_policy_is_refused_for_its_policies() {
    // The digests of a self-made bundle fit each other, and its witnesses cosigned it; only the anchor differs.
    let (nation, _) = Nation::with_issuer();
    let mut other = policy();
    other.genesis_time = Some(GENESIS.plus(1));
    let mut self_made = Nation::with_policy(other).unwrap();
    // A state that believes in the first anchor cannot be made through `apply`, so the second one's is told
    // apart by its digest, which covers the anchor.
    self_made.snapshot(GENESIS.plus(HOUR));
    let result = TrustedBundle::load(&self_made.bundle(), nation.state.anchor(), Limits::default());
    assert_eq!(
        result.unwrap_err(),
        BundleError::Digest {
            section: trust::entry::EntryType::Snapshot
        }
    );
}

#[test]
fn bundle_of_another_origin_is_refused_by_name() {
    let (nation, _) = Nation::with_issuer();
    let log = trust::note::VerifierKey::new("other.example", trust::note::SignatureType::Ed25519, public(100)).unwrap();
    let anchor = Anchor::new(log, nation.state.anchor().genesis()).unwrap();
    let expected = BundleError::Anchor {
        expected: "other.example".to_owned(),
        found: ORIGIN.to_owned(),
    };
    assert_eq!(
        TrustedBundle::load(&nation.bundle(), &anchor, Limits::default()).unwrap_err(),
        expected
    );
}

#[test]
fn index_other_than_size_minus_one_is_refused() {
    let (nation, agency) = Nation::with_issuer();
    let bytes = nation.bundle();
    // The log has grown by a commitment after the Snapshot; the proof of the Snapshot still holds.
    let mut longer = nation;
    longer.commit(&agency, 2, &[7]).unwrap();
    let time = longer.state.time();
    let checkpoint = longer.witnessed(&[(0, time), (1, time)]);
    let index = longer.state.size() - 2;
    let proof = longer.proof(index, checkpoint);
    let forged = with_proof(&bytes, &proof);
    let result = TrustedBundle::load(&forged, longer.state.anchor(), Limits::default());
    assert_eq!(result.unwrap_err(), BundleError::NotLast { index, size: index + 2 });
}

#[test]
fn proof_of_another_leaf_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let time = nation.state.time();
    let path = nation.proof(0, nation.witnessed(&[(0, time), (1, time)]));
    // The path of leaf 0 with the index of the Snapshot.
    let text = path
        .to_string()
        .replace("index 0\n", &format!("index {}\n", nation.state.size() - 1));
    let result = load_with(&nation, &TlogProof::parse(&text).unwrap());
    assert!(
        matches!(result, Err(BundleError::Proof(TlogProofError::Inclusion(_)))),
        "{result:?}"
    );
}

#[test]
fn checkpoint_without_the_quorum_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let good = nation.proof(index, nation.witnessed(&[(0, time), (1, time)]));
    load_with(&nation, &good).unwrap();
    let lacking = nation.proof(index, nation.witnessed(&[(0, time)]));
    let expected = BundleError::Proof(TlogProofError::Witnesses(WitnessError::Quorum {
        quorum: "both".to_owned(),
        found: 1,
    }));
    assert_eq!(load_with(&nation, &lacking).unwrap_err(), expected);
}

#[test]
fn quorum_without_a_state_witness_is_refused() {
    let mut policy = policy();
    policy.witness_policy = witness_policy().replace("all", "any");
    let mut nation = Nation::with_policy(policy).unwrap();
    nation.snapshot(GENESIS.plus(HOUR));
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    load_with(&nation, &nation.proof(index, nation.witnessed(&[(0, time)]))).unwrap();
    let plain_only = nation.proof(index, nation.witnessed(&[(1, time)]));
    let expected = BundleError::Proof(TlogProofError::Witnesses(WitnessError::Quorum {
        quorum: "state".to_owned(),
        found: 1,
    }));
    assert_eq!(load_with(&nation, &plain_only).unwrap_err(), expected);
}

#[test]
fn checkpoint_that_the_log_did_not_sign_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let text = nation
        .proof(index, nation.witnessed(&[(0, time), (1, time)]))
        .to_string();
    let line = text.lines().find(|line| line.starts_with("\u{2014} registry")).unwrap();
    let unsigned = TlogProof::parse(&text.replace(&format!("{line}\n"), "")).unwrap();
    let result = load_with(&nation, &unsigned);
    assert!(
        matches!(
            result,
            Err(BundleError::Proof(TlogProofError::Witnesses(WitnessError::Log(_))))
        ),
        "{result:?}"
    );
}

#[test]
fn as_of_is_the_time_by_which_the_quorum_had_cosigned() {
    let (nation, _) = Nation::with_issuer();
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    // One witness with a clock of next year cannot make the bundle look fresh.
    let proof = nation.proof(
        index,
        nation.witnessed(&[(0, time.plus(365 * DAY)), (1, time.plus(60))]),
    );
    assert_eq!(load_with(&nation, &proof).unwrap().as_of(), time.plus(60));
}

#[test]
fn any_flipped_byte_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let bytes = nation.bundle();
    load(&nation).unwrap();
    // Base64 ignores nothing and CBOR has one encoding, so that every byte counts. Every 7th keeps it quick.
    let mut refusals = BTreeSet::new();
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let error = TrustedBundle::load(&changed, nation.state.anchor(), Limits::default());
        let error = error.expect_err(&format!("byte {at} of {} changed", bytes.len()));
        refusals.insert(format!("{error:?}").split([' ', '(']).next().unwrap().to_owned());
    }
    // Not one check alone catches all of them.
    assert!(refusals.len() >= 3, "{refusals:?}");
}

#[test]
fn change_in_any_section_is_refused_for_that_section() {
    use trust::entry::EntryType;
    let (mut nation, agency) = Nation::with_issuer();
    let incident = trust::entry::IncidentBody::Declare {
        invalid_since: GENESIS,
        backdating: trust::entry::Backdating::Refuse,
        emergency: false,
        reason: Reason::KeyCompromise,
    };
    nation.govern(&agency.method(), Body::Incident(incident)).unwrap();
    let end = trust::entry::TombstoneBody {
        target: EntryType::Schema,
        reason: Reason::Superseded,
    };
    nation.govern(LICENCE, Body::Tombstone(end)).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let bytes = nation.bundle();
    // Texts that are there, by others of the same length, so that the form stays good.
    for (section, from, to) in [
        (EntryType::Policy, "officer-1", "officer-0"),
        (EntryType::DidEvent, "\"Multikey\"", "\"Multikez\""),
        (EntryType::Accreditation, "accreditation-1", "accreditation-2"),
        (EntryType::Schema, "application/ld+json", "application/xx+json"),
        (EntryType::StatusCommit, "/status/1", "/status/2"),
        (EntryType::Incident, "#key", "#kez"),
        (EntryType::Tombstone, LICENCE, "VehicleLicence"),
    ] {
        let mut bundle = decode(&bytes);
        let packed = packed(&mut bundle, 5, section.number());
        let mut changed = plain(packed);
        let at = changed
            .windows(from.len())
            .position(|window| window == from.as_bytes())
            .unwrap();
        changed[at..at + to.len()].copy_from_slice(to.as_bytes());
        set_plain(packed, changed);
        let result = TrustedBundle::load(&bundle.to_vec(), nation.state.anchor(), Limits::default());
        assert_eq!(result.unwrap_err(), BundleError::Digest { section });
    }
}

#[test]
fn missing_section_is_refused() {
    let (nation, _) = Nation::with_issuer();
    let mut bundle = decode(&nation.bundle());
    let Value::Map(members) = &mut bundle else { panic!() };
    let Value::Array(sections) = &mut members[4].1 else {
        panic!()
    };
    // Section 3: the recognitions, of which there are none.
    sections.remove(3);
    let result = TrustedBundle::load(&bundle.to_vec(), nation.state.anchor(), Limits::default());
    assert!(matches!(result, Err(BundleError::Decode(_))), "{result:?}");
}

#[test]
fn attachment_that_nothing_refers_to_is_refused() {
    let (mut nation, agency) = Nation::with_issuer();
    let old = members(&nation.bundle());
    let list = nation
        .state
        .status_list(&agency.did, &list_uri(&agency))
        .unwrap()
        .list()
        .compact;
    let document = schema(LICENCE).documents[0].digest;
    nation.commit(&agency, 2, &[7]).unwrap();
    nation
        .govern(LICENCE, Body::Schema(trust::entry::SchemaBody::Withdraw))
        .unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    // The next bundle with the attachments of the one before: what they were for is gone.
    for (position, found) in [(5, document), (6, list)] {
        let mut new = members(&nation.bundle());
        new[position].1 = old[position].1.clone();
        let bytes = Value::Map(new).to_vec();
        let result = TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default());
        assert_eq!(result.unwrap_err(), BundleError::Attachment { found });
    }
}

#[test]
fn attachment_under_another_digest_is_refused() {
    let (nation, _) = Nation::with_issuer();
    for position in [5, 6] {
        let mut bundle = members(&nation.bundle());
        let Value::Array(list) = &mut bundle[position].1 else {
            panic!()
        };
        let Value::Map(attached) = &mut list[0] else { panic!() };
        attached[0].1 = Value::bytes([7; 32]);
        let bytes = Value::Map(bundle).to_vec();
        let result = TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default());
        assert!(matches!(result, Err(BundleError::Attachment { .. })), "{result:?}");
    }
}

#[test]
fn too_large_a_bundle_is_refused_before_it_is_read() {
    let (nation, _) = Nation::with_issuer();
    let bytes = nation.bundle();
    let limits = |max_bytes, max_plain_bytes| Limits {
        max_bytes,
        max_plain_bytes,
    };
    let load = |limits| TrustedBundle::load(&bytes, nation.state.anchor(), limits).map(|_| ());
    assert_eq!(load(limits(bytes.len(), 1 << 20)), Ok(()));
    assert!(matches!(
        load(limits(bytes.len() - 1, 1 << 20)),
        Err(BundleError::TooLarge { .. })
    ));
    assert!(matches!(
        load(limits(bytes.len(), 1 << 10)),
        Err(BundleError::TooLarge { .. })
    ));
}

#[test]
fn policies_of_the_whole_history_are_carried_and_the_last_one_judges() {
    let (mut nation, _) = Nation::with_issuer();
    let mut next = policy();
    next.genesis_time = None;
    // From now on the state witness suffices.
    next.witness_policy = witness_policy().replace("all", "any");
    nation.govern(ORIGIN, Body::Policy(next)).unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let bundle = load_with(&nation, &nation.proof(index, nation.witnessed(&[(0, time)]))).unwrap();
    assert_eq!(
        bundle.state().policy().unwrap().hash(),
        trust::merkle::leaf_hash(&nation.leaves[nation.leaves.len() - 2])
    );
}

#[test]
fn policy_that_the_quorum_before_did_not_sign_is_refused_though_its_witnesses_cosign() {
    // A State that took the forged Policy cannot be made; the section is forged in the bundle instead, with a
    // Snapshot and witnesses that fit it. Only the chain of Policies is broken.
    let (nation, _) = Nation::with_issuer();
    let mut forged = policy();
    forged.genesis_time = None;
    forged.authorities[0].threshold = 3;
    let draft = Draft {
        expires: nation.state.time().plus(DAY),
        ..nation.draft(ORIGIN, Body::Policy(forged))
    };
    let leaf = approved(&draft, &[0]);
    let mut broken = Nation {
        state: nation.state.clone(),
        leaves: nation.leaves.clone(),
        blobs: Vec::new(),
    };
    assert_eq!(broken.append(&leaf), Err(Refusal::Signatures { expected: 2, found: 1 }));

    let bytes = forge_policy_section(&nation, &leaf);
    let result = TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default());
    assert_eq!(
        result.unwrap_err(),
        BundleError::Policy(Refusal::Signatures { expected: 2, found: 1 })
    );
    // The same forgery with a leaf that the quorum did sign is a bundle that loads.
    let bytes = forge_policy_section(&nation, &approved(&draft, &[0, 1]));
    TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default()).unwrap();
}

#[test]
fn policy_that_was_approved_for_another_time_is_refused_though_its_witnesses_cosign() {
    let (nation, _) = Nation::with_issuer();
    let mut next = policy();
    next.genesis_time = None;
    let now = nation.state.time();
    let draft = nation.draft(ORIGIN, Body::Policy(next));
    let expired = Draft {
        not_before: GENESIS,
        expires: now,
        ..draft
    };
    let bytes = forge_policy_section(&nation, &approved(&expired, &[0, 1]));
    let result = TrustedBundle::load(&bytes, nation.state.anchor(), Limits::default());
    let expected = Refusal::Expired {
        time: now,
        expires: now,
    };
    assert_eq!(result.unwrap_err(), BundleError::Policy(expected));
}

#[test]
fn older_bundle_does_not_replace_a_newer_one() {
    let (mut nation, agency) = Nation::with_issuer();
    let first = load(&nation).unwrap();
    nation
        .govern(
            "accreditation-1",
            Body::Accreditation(AccreditationBody::Revoke {
                reason: Reason::Withdrawn,
                since: None,
            }),
        )
        .unwrap();
    nation.snapshot(GENESIS.plus(2 * HOUR));
    let second = load(&nation).unwrap();
    assert_eq!(second.newer_than(&first), Ok(()));
    assert_eq!(first.newer_than(&first), Ok(()));
    let (expected, found) = (second.checkpoint().size(), first.checkpoint().size());
    assert_eq!(first.newer_than(&second), Err(RollbackError::Older { expected, found }));
    let status = second
        .accreditation(&agency.did, Action::Issue, IDENTITY, nation.state.time())
        .unwrap()
        .status;
    assert_eq!(
        status,
        AccreditationStatus::Revoked {
            since: GENESIS.plus(HOUR),
            reason: Reason::Withdrawn
        }
    );
}

#[test]
fn what_was_seen_reads_back_and_the_time_in_it_never_falls() {
    let (mut nation, _) = Nation::with_issuer();
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let of =
        |nation: &Nation, at| load_with(nation, &nation.proof(index, nation.witnessed(&[(0, at), (1, at)]))).unwrap();
    let (early, late) = (of(&nation, time), of(&nation, time.plus(60)));
    let seen = late.seen();
    assert_eq!(Seen::parse(seen.to_string().as_bytes()).unwrap(), seen);
    assert_eq!((seen.anchor(), seen.floor()), (nation.state.anchor(), time.plus(60)));
    // The same tree with older cosignatures is as good, and makes no clock believable that stood before.
    assert_eq!(seen.then(&early), Ok(seen.clone()));
    assert_eq!(early.seen().then(&late), Ok(seen.clone()));

    nation.snapshot(time.plus(HOUR));
    let next = load(&nation).unwrap();
    assert_eq!(seen.then(&next), Ok(next.seen()));
    let (expected, found) = (next.checkpoint().size(), late.checkpoint().size());
    assert_eq!(next.seen().then(&late), Err(RollbackError::Older { expected, found }));
}

#[test]
fn memories_of_another_form_are_refused() {
    let (nation, _) = Nation::with_issuer();
    let text = load(&nation).unwrap().seen().to_string();
    for (from, to) in [
        ("\"size\": ", "\"size\": -"),
        ("\"root\": \"", "\"root\": \"0"),
        ("\"time\"", "\"tame\""),
        ("\"as_of\"", "\"as_if\""),
        ("\"genesis\"", "\"genesys\""),
        ("{", "{\"more\": 1,"),
    ] {
        assert!(Seen::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
    }
}

#[test]
fn fork_of_the_same_size_does_not_replace() {
    let (mut left, _) = Nation::with_issuer();
    let mut right = Nation {
        state: left.state.clone(),
        leaves: left.leaves.clone(),
        blobs: left.blobs.clone(),
    };
    left.snapshot(GENESIS.plus(2 * HOUR));
    right.snapshot(GENESIS.plus(3 * HOUR));
    let size = left.state.size();
    assert_eq!(
        load(&right).unwrap().newer_than(&load(&left).unwrap()),
        Err(RollbackError::Fork { size })
    );
}

#[test]
fn an_anchor_reads_back_and_is_strict() {
    let (nation, _) = Nation::with_issuer();
    let text = nation.state.anchor().to_string();
    assert_eq!(&Anchor::parse(text.as_bytes()).unwrap(), nation.state.anchor());
    assert_eq!(&Anchor::of_genesis(&nation.leaves[0]).unwrap(), nation.state.anchor());
    assert!(Anchor::of_genesis(&nation.leaves[1]).is_err());
    for (from, to) in [
        ("genesis", "genesys"),
        ("\"origin\": \"reg", "\"origin\": \"rex"),
        ("{", "{\"more\": 1,"),
        ("+", "-"),
    ] {
        assert!(Anchor::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from}");
    }
}

// Bundles taken apart by hand.

use keys::cbor::Value;

pub(crate) fn decode(bytes: &[u8]) -> Value {
    keys::cbor::decode(
        bytes,
        keys::json::Limits {
            max_bytes: 1 << 24,
            max_depth: 16,
        },
    )
    .unwrap()
}

pub(crate) fn members(bytes: &[u8]) -> Vec<(Value, Value)> {
    let Value::Map(members) = decode(bytes) else { panic!() };
    members
}

/// The packed section of this number, or any other packed thing by position, in member `key` of the bundle.
pub(crate) fn packed(bundle: &mut Value, key: u64, number: u64) -> &mut Vec<(Value, Value)> {
    let Value::Map(members) = bundle else { panic!() };
    let (_, list) = members
        .iter_mut()
        .find(|(name, _)| *name == Value::Unsigned(key))
        .unwrap();
    let Value::Array(list) = list else { panic!() };
    let found = list
        .iter_mut()
        .find(|packed| packed.as_map().unwrap()[0].1 == Value::Unsigned(number))
        .unwrap();
    let Value::Map(members) = found else { panic!() };
    members
}

pub(crate) fn plain(packed: &[(Value, Value)]) -> Vec<u8> {
    use std::io::Read as _;
    let bytes = packed[3].1.as_bytes().unwrap();
    if packed[1].1 == Value::Unsigned(0) {
        return bytes.to_vec();
    }
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

pub(crate) fn set_plain(packed: &mut [(Value, Value)], plain: Vec<u8>) {
    packed[1].1 = Value::Unsigned(0);
    packed[2].1 = Value::Unsigned(u64::try_from(plain.len()).unwrap());
    packed[3].1 = Value::Bytes(plain);
}

pub(crate) fn with_proof(bytes: &[u8], proof: &TlogProof) -> Vec<u8> {
    let mut bundle = decode(bytes);
    let Value::Map(members) = &mut bundle else { panic!() };
    members[2].1 = Value::text(proof.to_string());
    bundle.to_vec()
}

/// A bundle whose Policy section has one more Policy, with a Snapshot and cosignatures that fit it.
pub(crate) fn forge_policy_section(nation: &Nation, leaf: &[u8]) -> Vec<u8> {
    use trust::entry::Entry;
    use trust::entry::EntryType;
    use trust::merkle;

    let mut bundle = decode(&nation.bundle());
    let section = packed(&mut bundle, 5, 0);
    let Value::Array(mut records) = decode(&plain(section)) else {
        panic!()
    };
    let member = |key, value| (Value::Unsigned(key), value);
    let time = Value::Unsigned(u64::try_from(nation.state.time().unix()).unwrap());
    let index = nation.state.size();
    let record = Value::Map(vec![
        member(1, Value::bytes(leaf)),
        member(2, Value::Unsigned(index)),
        member(3, time),
    ]);
    records.push(Value::Bytes(record.to_vec()));
    let leaves: Vec<Hash> = records
        .iter()
        .map(|record| merkle::leaf_hash(record.as_bytes().unwrap()))
        .collect();
    set_plain(section, Value::Array(records).to_vec());

    // The Snapshot that such a state would have: digests by the rules of the specification.
    let old = Entry::parse(nation.leaves.last().unwrap()).unwrap();
    let Body::Snapshot(mut body) = old.body().clone() else {
        panic!()
    };
    body.sections[0].count = u64::try_from(leaves.len()).unwrap();
    body.sections[0].root = merkle::root(&leaves);
    let sections = body.sections.iter().map(|digest| {
        let root = Value::bytes(*digest.root.as_bytes());
        Value::Map(vec![
            member(1, Value::Unsigned(digest.section.number())),
            member(2, Value::Unsigned(digest.count)),
            member(3, root),
        ])
    });
    let content = Value::Map(vec![
        member(1, Value::text(ORIGIN)),
        member(2, Value::bytes(*nation.state.anchor().genesis().as_bytes())),
        member(3, Value::Array(sections.collect())),
    ]);
    body.state = Hash::digest(&[b"attestry/registry-state/v1\0".as_slice(), &content.to_vec()].concat());
    body.epoch += 1;
    body.covered = index + 1;
    let (seq, prev) = nation.state.next_in_chain(EntryType::Snapshot, ORIGIN);
    let snapshot = Entry::without_approval(ORIGIN, ORIGIN, seq, prev, &Body::Snapshot(body)).unwrap();

    // The log and its witnesses play along.
    let mut hashes = nation.hashes();
    hashes.extend([merkle::leaf_hash(leaf), merkle::leaf_hash(&snapshot)]);
    let size = index + 2;
    let checkpoint = trust::checkpoint::Checkpoint::new(ORIGIN, size, merkle::root(&hashes)).unwrap();
    let request = trust::checkpoint::SignedCheckpoint::sign(checkpoint, &log_key()).unwrap();
    let mut checkpoint = key(100).fulfil(request).unwrap();
    for number in [0, 1] {
        let request = trust::cosignature::cosign(&checkpoint, nation.state.time(), &witness_key(number)).unwrap();
        checkpoint.add(key(110 + number).fulfil(request).unwrap());
    }
    let path = merkle::inclusion_proof(&Leaves(hashes), size - 1, size).unwrap();
    let proof = TlogProof::new(size - 1, path, checkpoint);
    let Value::Map(members) = &mut bundle else { panic!() };
    members[2].1 = Value::text(proof.to_string());
    members[3].1 = Value::Bytes(snapshot);
    bundle.to_vec()
}
