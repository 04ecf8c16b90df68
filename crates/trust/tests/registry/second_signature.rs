//! A log that signs twice: with Ed25519 and with ML-DSA-44, where the Policy names keys of both.

use trust::TrustedBundle;
use trust::audit::Audit;
use trust::audit::Violation;
use trust::bundle::BundleError;
use trust::bundle::Limits;
use trust::bundle::RollbackError;
use trust::bundle::Seen;
use trust::checkpoint::CheckpointError;
use trust::checkpoint::SignedCheckpoint;
use trust::entry::Body;
use trust::entry::PolicyBody;
use trust::note::Note;
use trust::note::NoteError;
use trust::note::NoteSignature;
use trust::note::VerifierKey;
use trust::note::parse_signatures;
use trust::proof::TlogProofError;
use trust::state::Refusal;
use trust::tlog_policy::TlogPolicy;
use trust::tlog_policy::WitnessError;
use trust::tlog_witness::AddCheckpoint;
use trust::tlog_witness::AddCheckpointError;
use trust::witness::StateWitness;
use trust::witness::WitnessRefusal;

use crate::nation::*;
use crate::second_reader::ask;

/// A nation whose genesis Policy names both keys of the log.
fn nation() -> Nation {
    let mut policy = policy();
    policy.witness_policy = ml_dsa_policy();
    let mut nation = Nation::with_policy(policy).unwrap();
    nation.snapshot(GENESIS.plus(HOUR));
    nation
}

/// A bundle under `checkpoint`, cosigned by both witnesses.
fn load(nation: &Nation, checkpoint: SignedCheckpoint) -> Result<TrustedBundle, BundleError> {
    let (index, time) = (nation.state.size() - 1, nation.state.time());
    let cosigned = nation.cosigned(checkpoint, &[(0, time), (1, time)]);
    let bundle = nation.bundle_with(&nation.proof(index, cosigned));
    TrustedBundle::load(&bundle, nation.state.anchor(), Limits::default())
}

fn log_error(loaded: Result<TrustedBundle, BundleError>) -> NoteError {
    match loaded {
        Err(BundleError::Proof(TlogProofError::Witnesses(WitnessError::Log(CheckpointError::Note(error))))) => error,
        other => panic!("{other:?}"),
    }
}

fn unsigned() -> NoteError {
    NoteError::Unsigned {
        name: ORIGIN.to_owned(),
    }
}

fn wrong() -> NoteError {
    NoteError::Signature {
        name: ORIGIN.to_owned(),
    }
}

/// The log's second signature on the checkpoint of `nation`.
fn second(nation: &Nation) -> NoteSignature {
    second_log_key().find(nation.checkpoint().note()).unwrap().clone()
}

/// The Policy with other witnesses, as a change of the first one.
fn next(witness_policy: String) -> PolicyBody {
    PolicyBody {
        genesis_time: None,
        witness_policy,
        ..policy()
    }
}

/// A nation of one key of the log gets the second one.
fn name_second_key(nation: &mut Nation) {
    nation.govern(ORIGIN, Body::Policy(next(ml_dsa_policy()))).unwrap();
    nation.snapshot(nation.state.time().plus(HOUR));
}

/// A line with another key id or other bytes.
fn line(id: u32, bytes: &[u8]) -> NoteSignature {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode([&id.to_be_bytes(), bytes].concat());
    let text = format!("\u{2014} {ORIGIN} {encoded}\n");
    parse_signatures(&text).unwrap().remove(0)
}

/// The checkpoint with the second signature's bytes changed.
fn with_second(nation: &Nation, change: impl FnOnce(&mut Vec<u8>)) -> SignedCheckpoint {
    let mut bytes = second(nation).bytes().to_vec();
    change(&mut bytes);
    let mut checkpoint = nation.signed_once();
    checkpoint.add(line(second_log_key().id(), &bytes));
    checkpoint
}

#[test]
fn checkpoint_with_both_signatures_is_accepted() {
    let nation = nation();
    let bundle = load(&nation, nation.checkpoint()).unwrap();
    assert!(bundle.witnessed().is_signed_with_ml_dsa());
    // The plain witness cosigned with ML-DSA-44.
    assert_eq!(bundle.witnessed().cosigned().len(), 2);
    assert_eq!(bundle.as_of(), nation.state.time());
}

#[test]
fn checkpoint_without_the_second_signature_is_refused() {
    let nation = nation();
    load(&nation, nation.checkpoint()).unwrap();
    assert_eq!(log_error(load(&nation, nation.signed_once())), unsigned());
}

#[test]
fn checkpoint_with_the_second_signature_alone_is_refused() {
    let nation = nation();
    let both = nation.checkpoint();
    load(&nation, both.clone()).unwrap();
    let first = log_key().find(both.note()).unwrap().to_string();
    let text = both.to_string().replace(&format!("{first}\n"), "");
    let second_alone = SignedCheckpoint::parse(text.as_bytes()).unwrap();
    assert_eq!(log_error(load(&nation, second_alone)), unsigned());
}

#[test]
fn second_signature_by_another_key_is_refused() {
    let nation = nation();
    load(&nation, nation.checkpoint()).unwrap();
    // Under its own key id it is an unknown line, under the right one a wrong signature.
    let mut checkpoint = nation.signed_once();
    let other = ml_dsa_verifier(ORIGIN, 121);
    let request = checkpoint.sign_again(nation.state.time(), &other).unwrap();
    let by_other = request.fulfil(&ml_dsa_key(121)).unwrap();
    checkpoint.add(by_other.clone());
    assert_eq!(log_error(load(&nation, checkpoint)), unsigned());
    let disguised = with_second(&nation, |bytes| *bytes = by_other.bytes().to_vec());
    assert_eq!(log_error(load(&nation, disguised)), wrong());
}

#[test]
fn second_signature_of_another_tree_is_refused() {
    let mut nation = nation();
    let before = second(&nation).bytes().to_vec();
    nation.snapshot(nation.state.time().plus(HOUR));
    load(&nation, nation.checkpoint()).unwrap();
    let stale = with_second(&nation, |bytes| *bytes = before);
    assert_eq!(log_error(load(&nation, stale)), wrong());
}

/// The time is signed as well: its first and last byte, then bytes of each part of a signature.
#[test]
fn second_signature_with_a_flipped_byte_is_refused() {
    let nation = nation();
    load(&nation, with_second(&nation, |_| ())).unwrap();
    for at in [0, 7, 8, 39, 40, 1_000, 8 + 2_420 - 84, 8 + 2_420 - 1] {
        let flipped = with_second(&nation, |bytes| bytes[at] ^= 1);
        assert_eq!(log_error(load(&nation, flipped)), wrong(), "byte {at}");
    }
    for change in [
        |bytes: &mut Vec<u8>| bytes.push(0),
        |bytes: &mut Vec<u8>| {
            bytes.pop();
        },
    ] {
        assert_eq!(log_error(load(&nation, with_second(&nation, change))), wrong());
    }
}

#[test]
fn second_signature_under_another_key_id_is_refused() {
    let nation = nation();
    load(&nation, nation.checkpoint()).unwrap();
    let mut checkpoint = nation.signed_once();
    checkpoint.add(line(second_log_key().id() ^ 1, second(&nation).bytes()));
    assert_eq!(log_error(load(&nation, checkpoint)), unsigned());
    // A verifier key whose id is not that of its name and key is none.
    let text = second_log_key().to_string();
    assert_eq!(VerifierKey::parse(&text), Ok(second_log_key()));
    let id = format!("{:08x}", second_log_key().id());
    let other = format!("{:08x}", second_log_key().id() ^ 1);
    assert!(VerifierKey::parse(&text.replace(&id, &other)).is_err());
}

/// As signed-note demands: "Verifiers MUST ignore signatures from unknown keys".
#[test]
fn where_the_policy_does_not_name_the_second_key_its_line_is_ignored() {
    let (nation, _) = Nation::with_issuer();
    let mut checkpoint = nation.checkpoint();
    assert!(
        !load(&nation, checkpoint.clone())
            .unwrap()
            .witnessed()
            .is_signed_with_ml_dsa()
    );
    checkpoint.add(line(second_log_key().id(), &[0; 2_428]));
    assert!(!load(&nation, checkpoint).unwrap().witnessed().is_signed_with_ml_dsa());
}

/// From the Policy on that names it, and not before.
#[test]
fn second_key_is_named_by_a_change_of_the_policy() {
    let (mut nation, _) = Nation::with_issuer();
    load(&nation, nation.signed_once()).unwrap();
    name_second_key(&mut nation);
    assert!(
        load(&nation, nation.checkpoint())
            .unwrap()
            .witnessed()
            .is_signed_with_ml_dsa()
    );
    assert_eq!(log_error(load(&nation, nation.signed_once())), unsigned());
}

/// Whoever has broken Ed25519 can go on as the log and its witnesses from before the Policy that names the second key, but
/// not past whoever has seen it.
#[test]
fn bundle_without_the_policy_that_names_the_second_key_does_not_replace_one_with_it() {
    let (mut nation, _) = Nation::with_issuer();
    let (mut thief, _) = Nation::with_issuer();
    name_second_key(&mut nation);
    let seen = load(&nation, nation.checkpoint()).unwrap();
    for hours in 2..6 {
        thief.snapshot(GENESIS.plus(hours * HOUR));
        nation.snapshot(nation.state.time().plus(HOUR));
    }
    load(&nation, nation.checkpoint()).unwrap().newer_than(&seen).unwrap();
    let forged = load(&thief, thief.checkpoint()).unwrap();
    let expected = nation.state.policy().unwrap().hash();
    assert_eq!(forged.newer_than(&seen), Err(RollbackError::Policy { expected }));
    // So does a memory that was read back; one of before this rule knows no Policy.
    let remembered = Seen::parse(seen.seen().to_string().as_bytes()).unwrap();
    assert_eq!(remembered.then(&forged), Err(RollbackError::Policy { expected }));
    let mut members: serde_json::Value = serde_json::from_str(&remembered.to_string()).unwrap();
    members.as_object_mut().unwrap().remove("policy");
    let older = Seen::parse(members.to_string().as_bytes()).unwrap();
    older.then(&forged).unwrap();
    members["policy"] = "00".into();
    assert!(Seen::parse(members.to_string().as_bytes()).is_err());
}

#[test]
fn policy_that_names_the_second_key_only_is_refused() {
    let only = ml_dsa_policy().replace(&format!("log {}\n", log_key()), "");
    let expected = "expected a tlog-policy, at line 0: a key of type 0x01 for each log";
    assert!(TlogPolicy::parse(&ml_dsa_policy()).is_ok());
    assert_eq!(TlogPolicy::parse(&only).unwrap_err().to_string(), expected);
    let (mut nation, _) = Nation::with_issuer();
    let refused = nation.govern(ORIGIN, Body::Policy(next(only)));
    let expected = "a tlog-policy";
    assert_eq!(refused, Err(Refusal::PolicyContent { expected }));
    nation.govern(ORIGIN, Body::Policy(next(ml_dsa_policy()))).unwrap();
}

/// One key as log and witness, and the log's key under another name.
#[test]
fn second_key_that_is_a_witness_too_or_of_another_log_is_refused() {
    let (mut nation, _) = Nation::with_issuer();
    let (as_witness, elsewhere) = (
        ml_dsa_verifier("witness.example/1", 120),
        ml_dsa_verifier("other.example", 120),
    );
    let changed =
        |from: &VerifierKey, to: &VerifierKey| next(ml_dsa_policy().replace(&from.to_string(), &to.to_string()));
    let plain = ml_dsa_verifier("witness.example/1", 111);
    for (body, expected) in [
        (changed(&plain, &as_witness), "no key twice"),
        (changed(&second_log_key(), &elsewhere), "a tlog-policy"),
    ] {
        let refused = nation.govern(ORIGIN, Body::Policy(body));
        assert_eq!(refused, Err(Refusal::PolicyContent { expected }));
    }
    nation.govern(ORIGIN, Body::Policy(changed(&plain, &plain))).unwrap();
}

/// State witness, plain witness and audit go by the same rule as bundles.
#[test]
fn nobody_cosigns_or_passes_a_checkpoint_without_the_second_signature() {
    let nation = nation();
    let (once, both) = (nation.signed_once(), nation.checkpoint());
    let judge = |checkpoint: &SignedCheckpoint| {
        let witness = StateWitness::new(nation.state.anchor().clone());
        let judged = witness.advance(checkpoint, &nation.leaves, nation.state.time(), &witness_key(0));
        judged.map(drop)
    };
    judge(&both).unwrap();
    let expected = WitnessRefusal::Checkpoint(CheckpointError::Note(unsigned()));
    assert_eq!(judge(&once), Err(expected));

    let logs = [log_key(), second_log_key()];
    let ask = |checkpoint: &SignedCheckpoint| AddCheckpoint::new(0, Vec::new(), checkpoint.clone()).check_log(&logs);
    ask(&both).unwrap();
    assert_eq!(ask(&once), Err(AddCheckpointError::Signature));

    let time = nation.state.time();
    let audit = |checkpoint: SignedCheckpoint| {
        let mut audit = Audit::new(nation.state.anchor().clone());
        for leaf in &nation.leaves {
            audit.leaf(leaf, |_, _| ()).unwrap();
        }
        audit
            .finish(&nation.cosigned(checkpoint, &[(0, time), (1, time)]))
            .map(drop)
    };
    audit(both.clone()).unwrap();
    assert!(matches!(audit(once.clone()), Err(Violation::Checkpoint { .. })));

    // A checkpoint that the log is held to was signed by the same rule.
    let since = |earlier: SignedCheckpoint| {
        let mut audit = Audit::new(nation.state.anchor().clone()).since(earlier)?;
        nation.leaves.iter().try_for_each(|leaf| audit.leaf(leaf, |_, _| ()))
    };
    since(both).unwrap();
    assert!(matches!(since(once), Err(Violation::Earlier)));
}

/// The reader of `second_reader.rs` verifies what we sign; here we verify what others sign.
#[test]
fn cosignature_of_an_independent_implementation_verifies() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    const COSIGNER: ask::Peer = ask::Peer::new("tlog_cosigner.py", "PyPI cryptography");
    if !ask::are_installed() {
        return;
    }
    let (nation, name) = (nation(), "witness.example/1");
    let time = nation.state.time();
    let checkpoint = nation.checkpoint();
    let (size, root) = (checkpoint.unverified().size(), checkpoint.unverified().root());
    let question = serde_json::json!({
        "do": "cosign", "seed": STANDARD.encode([111; 32]), "name": name, "time": time.unix(),
        "origin": ORIGIN, "size": size, "root": root.to_base64(),
    });
    let answer = COSIGNER.ask(&question).unwrap();
    // The same key of the same seed, under the same id.
    let key = VerifierKey::parse(answer["vkey"].as_str().unwrap()).unwrap();
    assert_eq!(key, ml_dsa_verifier(name, 111));
    let line = parse_signatures(answer["line"].as_str().unwrap()).unwrap().remove(0);
    let mut cosigned = nation.cosigned(checkpoint, &[(0, time)]);
    cosigned.add(line);
    let policy = TlogPolicy::parse(&ml_dsa_policy()).unwrap();
    assert_eq!(policy.verify(&cosigned).unwrap().cosigned().len(), 2);
    // A line of a known witness that does not hold refuses the checkpoint.
    let mut later = nation;
    later.snapshot(time.plus(HOUR));
    let mut other = later.cosigned(later.checkpoint(), &[(0, time)]);
    other.add(key.find(cosigned.note()).unwrap().clone());
    assert!(matches!(policy.verify(&other), Err(WitnessError::Cosignature(_))));
}

/// What a second signature costs, for the record: two lines of a checkpoint.
#[test]
fn second_line_is_as_long_as_the_text_says() {
    let nation = nation();
    // Dash, space, name, space, base64 of key id, time and signature.
    let bytes = "\u{2014}  ".len() + ORIGIN.len() + (4_usize + 8 + 2_420).div_ceil(3) * 4;
    assert_eq!(second(&nation).to_string().len(), bytes);
    assert!(Note::parse(nation.checkpoint().to_string().as_bytes()).is_ok());
}
