//! The text formats of the log. What is displayed is read again as the same thing.

use std::sync::LazyLock;

use trust::Anchor;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle;
use trust::merkle::Hash;
use trust::note;
use trust::note::Note;
use trust::note::VerifierKey;
use trust::proof::TlogProof;
use trust::state::State;
use trust::tiles;
use trust::tiles::Tile;
use trust::tlog_policy::TlogPolicy;
use trust::tlog_witness;
use trust::tlog_witness::AddCheckpoint;
use trust::trqp::Query;
use trust::trqp::Question;

use crate::nation;
use crate::nation::Nation;
use crate::text;

static ANCHOR: LazyLock<Anchor> = LazyLock::new(|| Nation::new().state.anchor().clone());

/// The input as each of them.
pub fn fuzz(data: &[u8]) {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_string().as_bytes(), data);
        let _ = note.verify(&nation::log_key());
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(data) {
        let _ = checkpoint.verify_log(&[nation::log_key(), nation::second_log_key()]);
    }
    for width in [1, 2, 256] {
        if let Ok(hashes) = tiles::parse_hashes(data, width) {
            assert_eq!(tiles::encode_hashes(&hashes), data);
        }
        if let Ok(entries) = tiles::parse_entries(data, width) {
            let mut again = Vec::new();
            for entry in entries {
                tiles::push_entry(&mut again, entry).expect("an entry that was read");
            }
            assert_eq!(again, data);
        }
    }
    if let Ok(request) = AddCheckpoint::parse(data) {
        assert_eq!(
            AddCheckpoint::parse(request.to_string().as_bytes()).as_ref(),
            Ok(&request)
        );
        let _ = request.check_log(&[nation::log_key()]);
        let _ = request.check_consistency(Some(request.checkpoint().unverified()));
    }
    if let Ok(query) = Query::parse(data, crate::NOW) {
        let state = State::new(ANCHOR.clone());
        let _ = query.answer(Question::Authorization, &state, crate::NOW);
        let _ = query.answer(Question::Recognition, &state, crate::NOW);
    }
    let _ = tlog_witness::parse_answer(data);
    let _ = tlog_witness::parse_size(data);
    proofs(data);
    if let Some(text) = text(data) {
        texts(text);
    }
}

fn texts(text: &str) {
    if let Ok(proof) = TlogProof::parse(text) {
        assert_eq!(TlogProof::parse(&proof.to_string()).as_ref(), Ok(&proof));
        for policy in [nation::witness_policy(), nation::ml_dsa_policy()] {
            let policy = TlogPolicy::parse(&policy).expect("our own policy");
            let _ = proof.verify(b"leaf", &policy);
        }
    }
    let _ = TlogPolicy::parse(text);
    let _ = note::parse_signatures(text);
    let _ = Hash::parse_base64(text);
    if let Ok(key) = VerifierKey::parse(text) {
        assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key));
    }
    if let Ok(tile) = Tile::parse(text) {
        assert_eq!(tile.to_string(), text);
    }
}

/// Two sizes, and then the hashes of a proof.
fn proofs(data: &[u8]) {
    let Some((sizes, rest)) = data.split_at_checked(2) else {
        return;
    };
    let hashes: Vec<Hash> = rest
        .chunks_exact(32)
        .map(|chunk| Hash::from_bytes(chunk.try_into().expect("32 bytes")))
        .collect();
    let (small, large) = (u64::from(sizes[0]), u64::from(sizes[1]));
    let _ = merkle::verify_inclusion(Hash::ZERO, small, large, &hashes, Hash::ZERO);
    let _ = merkle::verify_consistency(small, large, Hash::ZERO, Hash::ZERO, &hashes);
}
